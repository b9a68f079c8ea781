import * as fs from "node:fs";
import { performance } from "node:perf_hooks";

import { LocalWorkspace, PulumiCommand } from "@pulumi/pulumi/automation";

/** What one command took, in milliseconds. */
export interface Measured {
    readonly wall: number;
    /** Processor time of the engine, its providers and the program. */
    readonly cpu: number;
    /** Until the engine asked for the program; until it was loaded; until it had declared everything; until the engine was done. */
    readonly phases: Readonly<Record<"engine starts" | "program loads" | "program runs" | "engine ends", number>>;
}

/** A command of the engine. */
export type Command = "preview" | "up" | "destroy";

/** Processor time of this process and of all that it has waited for. Linux tells the second in hundredths of a second. */
function cpuTime(): number {
    const { user, system } = process.cpuUsage();
    const [utime = 0, stime = 0] = fs.readFileSync("/proc/self/stat", "utf8").split(") ")[1]!.split(" ").slice(13, 15);
    return (user + system) / 1000 + (Number(utime) + Number(stime)) * 10;
}

/** Runs one command of the engine in this process, and prints what it took. */
async function measure(workDir: string, root: string, stackName: string, command: Command): Promise<void> {
    const marks: number[] = [];
    const mark = () => marks.push(performance.now());
    const program = async () => {
        mark();
        // Loading is part of what is measured.
        // eslint-disable-next-line @typescript-eslint/no-require-imports
        const declare = stackName === "empty" ? () => ({}) : (require("../..") as () => unknown);
        mark();
        const outputs: unknown = await declare();
        mark();
        return outputs as Record<string, unknown>;
    };
    const stack = await LocalWorkspace.createOrSelectStack(
        { stackName, projectName: "kof", program },
        { workDir, pulumiCommand: await PulumiCommand.get({ root }) },
    );
    const before = cpuTime();
    mark();
    await { preview: () => stack.preview(), up: () => stack.up(), destroy: () => stack.destroy() }[command]();
    mark();
    const [begun = 0, called = 0, loaded = 0, declared = 0, done = 0] = marks;
    const measured: Measured = {
        wall: done - begun,
        cpu: cpuTime() - before,
        phases: {
            "engine starts": called - begun,
            "program loads": loaded - called,
            "program runs": declared - loaded,
            "engine ends": done - declared,
        },
    };
    console.log(JSON.stringify(measured));
}

if (require.main === module) {
    const [workDir = "", root = "", stackName = "", command] = process.argv.slice(2);
    void measure(workDir, root, stackName, command as Command);
}
