import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";

import { parse, stringify } from "yaml";

import { defaultVersion } from "../../core/charts";
import { startCluster } from "../../tools/servers/cluster";
import { FluxStandIn } from "../../tools/servers/flux";
import { projectFolder } from "../../tools/engine/stack";
import { prepareEngine } from "../../tools/engine/engine";
import type { Command, Measured } from "./measured";
import { prepareUmbrella } from "../../tools/engine/umbrella";

const rounds = 5;

/** Stack files without AWS: the largest is the one with most settings. */
const stackFiles = { dev: "Pulumi.dev.yaml", largest: "examples/Pulumi.management.yaml" } as const;

function median(numbers: readonly number[]): number {
    return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

/**
 * What `pulumi preview` and an `up` without changes take, against a program that declares nothing, on the same engine and in
 * turns, so that whatever else the machine does falls on all of them. Ratios are what counts.
 */
async function bench(): Promise<void> {
    const engine = await prepareEngine();
    const cluster = await startCluster();
    await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "kcm-system" } });
    const flux = new FluxStandIn(cluster).start();
    const umbrella = prepareUmbrella(defaultVersion);
    const folders = Object.fromEntries(["empty", ...Object.keys(stackFiles)].map((name) => [name, projectFolder()]));
    for (const [name, file] of Object.entries(stackFiles)) {
        const { config } = parse(fs.readFileSync(file, "utf8")) as { config: Record<string, unknown> };
        // The cluster is that of KUBECONFIG.
        const settings = Object.entries(config).filter(([key]) => !key.startsWith("kubernetes:"));
        const given = { ...Object.fromEntries(settings), "kof:chart": umbrella.chart };
        fs.writeFileSync(path.join(folders[name]!, `Pulumi.${name}.yaml`), stringify({ config: given }));
    }
    // The stand-in for Flux goes on in this process meanwhile.
    const run = async (name: string, command: Command): Promise<Measured> => {
        const folder = folders[name]!;
        const { stdout } = await promisify(execFile)(
            process.execPath,
            ["-r", "./cli/register.js", path.join(__dirname, "measured.ts"), folder, engine.root, name, command],
            {
                env: {
                    ...process.env,
                    ...engine.env,
                    KUBECONFIG: cluster.kubeconfig,
                    PULUMI_BACKEND_URL: `file://${path.join(folder, "state")}`,
                },
            },
        );
        return JSON.parse(stdout) as Measured;
    };
    const compare = async (title: string, command: Command, names: readonly string[]) => {
        const results: Measured[][] = [];
        for (let round = 0; round < rounds; round++) {
            const measured: Measured[] = [];
            for (const name of names) {
                measured.push(await run(name, command));
            }
            results.push(measured);
        }
        console.log(title);
        for (const [i, name] of names.entries()) {
            const of = (figure: (measured: Measured) => number) =>
                median(results.map((round) => figure(round[i] ?? ({} as Measured))));
            const ratio = (figure: (measured: Measured) => number) =>
                median(results.map((round) => figure(round[i]!) / figure(round[0]!))).toFixed(2);
            const phases = Object.keys(results[0]![i]!.phases) as (keyof Measured["phases"])[];
            console.log(
                `  ${name.padEnd(8)} wall ${of(({ wall }) => wall).toFixed(0)} ms (${ratio(({ wall }) => wall)}), CPU ` +
                    `${of(({ cpu }) => cpu).toFixed(0)} ms (${ratio(({ cpu }) => cpu)}): ` +
                    phases.map((phase) => `${phase} ${of((measured) => measured.phases[phase]).toFixed(0)}`).join(", "),
            );
        }
    };
    try {
        console.log(`With Pulumi's engine, median of ${String(rounds)} rounds, and the ratio to the empty program`);
        const names = Object.keys(stackFiles);
        // Both would be the only KOF of the cluster: one after the other.
        for (const name of names) {
            await compare(`pulumi preview of ${name}, before its first up`, "preview", ["empty", name]);
            await run("empty", "up");
            await run(name, "up");
            await compare(`pulumi preview of ${name}, after it`, "preview", ["empty", name]);
            await compare(`pulumi up of ${name}, without changes`, "up", ["empty", name]);
            await run(name, "destroy");
        }
    } finally {
        await flux.stop();
        await cluster.stop();
        umbrella.remove();
        Object.values(folders).forEach((folder) => {
            fs.rmSync(folder, { recursive: true, force: true });
        });
    }
}

void bench();
