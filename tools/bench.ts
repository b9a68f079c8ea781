import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { performance } from "node:perf_hooks";

import { versions } from "../core/charts";
import { UserError } from "../core/lib/errors";
import { deploymentOf } from "../core/routes";
import { parseSettings } from "../core/routes/parse";
import { writeYaml } from "../core/lib/yaml/write";
import { run } from "../cli/command";
import { stackFilesIn } from "../cli/stackFile";

const rounds = 9;

/** Declares nothing, but is run exactly as this project's program is, with all that Pulumi loads by itself. */
const emptyProgram = `require("./cli/offline").runProgram(
    () => ({}), { file: "empty", stack: "empty", config: {}, secretKeys: [] }, { preview: true })`;

/** A module that has a process say at its end how much memory it took at most. */
function writeReporter(): string {
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "bench-")), "memory.js");
    const report =
        "const u = process.resourceUsage(); console.error('peak', u.maxRSS, 'cpu', u.userCPUTime + u.systemCPUTime);";
    fs.writeFileSync(file, `process.on("exit", () => { ${report} });`);
    return file;
}

interface Measured {
    /** Milliseconds. */
    readonly time: number;
    /** Milliseconds of all processors, whatever else the machine does. */
    readonly cpu: number;
    /** Peak resident set, in MiB. */
    readonly memory: number;
}

function measure(reporter: string, args: readonly string[], cwd = process.cwd()): Measured {
    const options = ["-r", reporter, "-r", path.resolve("cli/register.js")];
    const before = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [...options, ...args], { encoding: "utf8", cwd });
    const time = performance.now() - before;
    if (status !== 0) {
        throw new Error(stderr);
    }
    const [, memory, cpu] = /peak (\d+) cpu (\d+)/.exec(stderr) ?? [];
    return { time, cpu: Number(cpu) / 1000, memory: Number(memory) / 1024 };
}

function median(numbers: readonly number[]): number {
    return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

const benchedRoutes = [
    { route: "none" },
    { route: "management" },
    { route: "regional", regional: { cluster: "eu-1", domain: "eu-1.obs.example.net" } },
    { route: "regional", istio: true, regional: { cluster: "eu-1" } },
    { route: "cloudwatch", cloudwatch: { region: "us-east-2" } },
    { route: "regionless", regionless: { domain: "kof.example.net", selfSigned: true } },
];

/** How many values files there are of all versions and routes, and the milliseconds to write them in this process. */
function renderAllRoutes(): { count: number; time: number } {
    let count = 0;
    const before = performance.now();
    for (const version of versions) {
        for (const route of benchedRoutes) {
            try {
                writeYaml(deploymentOf(parseSettings({ ...route, version }, version)).values);
                count++;
            } catch (error) {
                // Not every version has every route.
                if (!(error instanceof UserError)) {
                    throw error;
                }
            }
        }
    }
    return { count, time: performance.now() - before };
}

const fleets = [1, 50, 100, 200, 500];

/** Stack files of a fleet, every route in turns. */
function writeFleet(folder: string, size: number, clusterName: string): void {
    for (let i = 0; i < size; i++) {
        const { route, ...blocks } = benchedRoutes[i % benchedRoutes.length] ?? { route: "none" };
        const settings = Object.entries({ route, clusterName: `${clusterName}${String(i)}`, ...blocks });
        const config = Object.fromEntries(settings.map(([key, value]) => [`kof:${key}`, value]));
        fs.writeFileSync(path.join(folder, `Pulumi.s${String(i)}.yaml`), writeYaml({ config }));
    }
}

/** What `render --all`, and `diff` when every stack has changed, take for fleets of growing size. */
function benchFleets(reporter: string): Record<"render --all" | "diff", string[]> {
    const results = fleets.map((size) => {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "fleet-"));
        writeFleet(folder, size, "a");
        const render = measure(reporter, [path.resolve("cli/render.ts"), "--all"], folder);
        const identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.net"];
        for (const args of [
            ["init", "-q"],
            ["add", "."],
            [...identity, "commit", "-qm", "fleet"],
        ]) {
            spawnSync("git", args, { cwd: folder });
        }
        writeFleet(folder, size, "b");
        const diff = measure(reporter, [path.resolve("cli/diff.ts"), "HEAD"], folder);
        fs.rmSync(folder, { recursive: true });
        return { size, render, diff };
    });
    const growth = (command: "render" | "diff") =>
        growthRows(results.map((result) => ({ size: result.size, ...result[command] })));
    return { "render --all": growth("render"), diff: growth("diff") };
}

/** Per stack, beyond what the first one takes, and at most in memory. */
function growthRows(results: readonly ({ readonly size: number } & Measured)[]): string[] {
    const [one, first] = results as [(typeof results)[number], (typeof results)[number]];
    const perStack = ({ size, cpu }: typeof one) => (cpu - one.cpu) / (size - 1);
    return results
        .slice(1)
        .map((result) =>
            [
                `${String(result.size)} stacks`.padEnd(16),
                `${(result.time / 1000).toFixed(1)} s`.padStart(8),
                `${perStack(result).toFixed(1)} ms`.padStart(14),
                (perStack(result) / perStack(first)).toFixed(2).padStart(8),
                `${result.memory.toFixed(0)} MiB`.padStart(13),
                (result.memory / first.memory).toFixed(2).padStart(8),
            ].join(""),
        );
}

run(() => {
    const examples = stackFilesIn("examples").map((file) => path.join("examples", file));
    const largest = examples.sort((a, b) => fs.statSync(b).size - fs.statSync(a).size)[0] ?? "";
    const programs = {
        "empty program": ["-e", emptyProgram],
        "npm start (dev)": ["cli/start.ts"],
        [`npm start (${path.basename(largest)})`]: ["cli/start.ts", "--config", largest],
    };
    const reporter = writeReporter();
    // In turns, so other load on the machine slows all of them.
    const results = Array.from({ length: rounds }, () =>
        Object.values(programs).map((args) => measure(reporter, args)),
    );
    const of = (program: number, part: keyof Measured) =>
        median(results.map((round) => round[program]?.[part] ?? Number.NaN));

    console.log(`Median of ${String(rounds)} rounds    time   ratio     peak memory   ratio`);
    for (const [i, name] of Object.keys(programs).entries()) {
        const columns = [
            `${of(i, "time").toFixed(0)} ms`.padStart(8),
            (of(i, "time") / of(0, "time")).toFixed(2).padStart(8),
            `${of(i, "memory").toFixed(0)} MiB`.padStart(16),
            (of(i, "memory") / of(0, "memory")).toFixed(2).padStart(8),
        ];
        console.log(`${name}\n${"".padEnd(16)}${columns.join("")}`);
    }
    for (const [command, rows] of Object.entries(benchFleets(reporter))) {
        console.log(`${command.padEnd(20)}time   CPU / stack   ratio  peak memory   ratio`);
        console.log(rows.join("\n"));
    }
    fs.rmSync(path.dirname(reporter), { recursive: true });
    const { count, time } = renderAllRoutes();
    console.log(`Values of all versions x routes: ${String(count)} files in ${time.toFixed(0)} ms, in one process`);
});
