import * as fs from "node:fs";
import { performance } from "node:perf_hooks";

import * as pulumi from "@pulumi/pulumi";
import { LocalWorkspace, PulumiCommand } from "@pulumi/pulumi/automation";

/** What one command took, in milliseconds. */
export interface Measured {
    readonly wall: number;
    /** Processor time of the engine, its providers and the program. */
    readonly cpu: number;
    /** What of {@link cpu} is the program's own. */
    readonly program: number;
    /** What comes before all that: Node, and Pulumi's SDK. */
    readonly start: { readonly wall: number; readonly cpu: number };
    /** Until the engine asked for the program; until it was loaded; until it had declared everything; until the engine was done. */
    readonly phases: Readonly<Record<"engine starts" | "program loads" | "program runs" | "engine ends", number>>;
}

/** A command of the engine. */
export type Command = "preview" | "up" | "destroy";

// Loading is part of what is measured.
/* eslint-disable @typescript-eslint/no-require-imports */

/** What the project is compared with, by the stack's name, loaded as a program loads it. */
const references: Readonly<Record<string, () => () => unknown>> = {
    empty: () => () => ({}),
    /** What no program does without that declares anything on a cluster. */
    namespace: () => {
        const { Provider } = require("@pulumi/kubernetes/provider") as typeof import("@pulumi/kubernetes/provider");
        const { Namespace } =
            require("@pulumi/kubernetes/core/v1/namespace") as typeof import("@pulumi/kubernetes/core/v1/namespace");
        return () => {
            const provider = new Provider("kubernetes", {});
            new Namespace("kof", { metadata: { name: "kof" } }, { provider });
        };
    },
    /** That, and the umbrella with the same values. */
    chart: () => {
        const { Chart } =
            require("@pulumi/kubernetes/helm/v4/chart") as typeof import("@pulumi/kubernetes/helm/v4/chart");
        const { Provider } = require("@pulumi/kubernetes/provider") as typeof import("@pulumi/kubernetes/provider");
        const { Namespace } =
            require("@pulumi/kubernetes/core/v1/namespace") as typeof import("@pulumi/kubernetes/core/v1/namespace");
        return () => {
            const config = new pulumi.Config("kof");
            const provider = new Provider("kubernetes", {});
            const namespace = new Namespace("kof", { metadata: { name: "kof" } }, { provider });
            const [chart, values] = [config.require("chart"), config.requireObject<object>("values")];
            new Chart("kof", { chart, values, namespace: "kof" }, { provider, dependsOn: [namespace] });
        };
    },
};

function project(): () => unknown {
    return require("../..") as () => unknown;
}

/* eslint-enable @typescript-eslint/no-require-imports */

/** Processor time of this process, and with what it has waited for. Linux tells the second in hundredths of a second. */
function cpuTimes(): { readonly own: number; readonly all: number } {
    const { user, system } = process.cpuUsage();
    const [utime = 0, stime = 0] = fs.readFileSync("/proc/self/stat", "utf8").split(") ")[1]!.split(" ").slice(13, 15);
    const own = (user + system) / 1000;
    return { own, all: own + (Number(utime) + Number(stime)) * 10 };
}

/** Runs one command of the engine in this process, and prints what it took. */
async function measure(workDir: string, root: string, stackName: string, command: Command): Promise<void> {
    const start = { wall: performance.now(), cpu: cpuTimes().own };
    const marks: number[] = [];
    const mark = () => marks.push(performance.now());
    const program = async () => {
        mark();
        const declare = references[stackName]?.() ?? project();
        mark();
        const outputs: unknown = await declare();
        mark();
        return outputs as Record<string, unknown>;
    };
    const stack = await LocalWorkspace.createOrSelectStack(
        { stackName, projectName: "kof", program },
        { workDir, pulumiCommand: await PulumiCommand.get({ root }) },
    );
    const before = cpuTimes();
    mark();
    await { preview: () => stack.preview(), up: () => stack.up(), destroy: () => stack.destroy() }[command]();
    mark();
    const after = cpuTimes();
    const [begun = 0, called = 0, loaded = 0, declared = 0, done = 0] = marks;
    const measured: Measured = {
        wall: done - begun,
        cpu: after.all - before.all,
        program: after.own - before.own,
        start,
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
