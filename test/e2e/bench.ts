import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";

import { parse } from "yaml";

import { defaultVersion } from "../../core/charts";
import { writeYaml } from "../../core/lib/yaml/write";

import { deploymentOfFile, readStackFile } from "../../cli/stackFile";
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
 * Watches the processes below one for their processor time, until it is asked what each program took: in milliseconds, as last seen.
 * Linux tells hundredths of a second.
 */
function watchBelow(root: number): () => Readonly<Record<string, number>> {
    const seen = new Map<string, { readonly program: string; readonly cpu: number }>();
    const look = () => {
        const processes = fs.readdirSync("/proc").flatMap((pid) => {
            try {
                const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
                const program = path.basename(fs.readlinkSync(`/proc/${pid}/exe`));
                return [{ pid, parent: stat[1]!, program, cpu: (Number(stat[11]) + Number(stat[12])) * 10 }];
            } catch {
                // It has ended, or is none.
                return [];
            }
        });
        const below = new Set([String(root)]);
        for (let before = 0; before < below.size;) {
            before = below.size;
            for (const { pid, parent, program, cpu } of processes) {
                if (below.has(parent)) {
                    below.add(pid);
                    seen.set(pid, { program, cpu });
                }
            }
        }
    };
    const timer = setInterval(look, 20);
    return () => {
        clearInterval(timer);
        const sums: Record<string, number> = {};
        for (const { program, cpu } of seen.values()) {
            sums[program] = (sums[program] ?? 0) + cpu;
        }
        return sums;
    };
}

/** What a command took, and what of the processor time was whose. `node` is the chart's post-renderer. */
interface Round extends Measured {
    readonly parts: Readonly<Record<string, number>>;
}

/**
 * What `pulumi preview` and an `up` without changes take, against a program that declares nothing, on the same engine. They run in
 * turns, so other load on the machine slows all of them. Ratios are what counts. Two more programs show what of that is Pulumi's own
 * part: one that declares a namespace, and one that declares it and the umbrella, with the values of dev.
 */
async function bench(): Promise<void> {
    const engine = await prepareEngine();
    const cluster = await startCluster();
    await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "kcm-system" } });
    const flux = new FluxStandIn(cluster).start();
    const umbrella = prepareUmbrella(defaultVersion);
    const folders = new Map<string, string>();
    const prepare = (name: string, config: object) => {
        const folder = projectFolder();
        folders.set(name, folder);
        fs.writeFileSync(path.join(folder, `Pulumi.${name}.yaml`), writeYaml({ config }));
    };
    const chart = { "kof:chart": umbrella.chart };
    prepare("empty", {});
    prepare("namespace", {});
    for (const [name, file] of Object.entries(stackFiles)) {
        const { config } = parse(fs.readFileSync(file, "utf8")) as { config: Record<string, unknown> };
        // The cluster is that of KUBECONFIG.
        const settings = Object.entries(config).filter(([key]) => !key.startsWith("kubernetes:"));
        prepare(name, { ...Object.fromEntries(settings), ...chart });
    }
    const { values } = deploymentOfFile(readStackFile({ config: stackFiles.dev }));
    prepare("chart", { ...chart, "kof:values": values });
    const project = parse(fs.readFileSync("Pulumi.yaml", "utf8")) as { runtime: { options: { nodeargs: string } } };
    const { nodeargs } = project.runtime.options;
    // The stand-in for Flux goes on in this process meanwhile.
    const run = async (name: string, command: Command): Promise<Round> => {
        const folder = folders.get(name)!;
        const options = name in stackFiles ? nodeargs : "-r ./cli/register.js";
        const running = promisify(execFile)(
            process.execPath,
            [...options.split(" "), ...[path.join(__dirname, "measured.ts"), folder, engine.root, name, command]],
            {
                env: {
                    ...process.env,
                    ...engine.env,
                    KUBECONFIG: cluster.kubeconfig,
                    PULUMI_BACKEND_URL: `file://${path.join(folder, "state")}`,
                },
            },
        );
        const below = watchBelow(running.child.pid!);
        const { stdout } = await running;
        const measured = JSON.parse(stdout) as Measured;
        const { program, cpu } = measured;
        // The engine is also asked for its version and its stacks before, which is not measured.
        const others = Object.fromEntries(Object.entries(below()).filter(([name]) => name !== "pulumi"));
        const engineCpu = cpu - program - Object.values(others).reduce((sum, each) => sum + each, 0);
        return { ...measured, parts: { program, engine: engineCpu, ...others } };
    };
    const compare = async (title: string, command: Command, names: readonly string[]) => {
        const results: Round[][] = [];
        for (let round = 0; round < rounds; round++) {
            const measured: Round[] = [];
            for (const name of names) {
                measured.push(await run(name, command));
            }
            results.push(measured);
        }
        console.log(title);
        for (const [i, name] of names.entries()) {
            const of = (figure: (round: Round) => number) => median(results.map((all) => figure(all[i]!))).toFixed(0);
            const shown = (figure: (round: Round) => number) => {
                const ratios = names.slice(0, i).map((other, j) => {
                    const ratio = median(results.map((all) => figure(all[i]!) / figure(all[j]!)));
                    return `${ratio.toFixed(2)} x ${other}`;
                });
                return `${of(figure)} ms (${ratios.join(", ") || "1.00"})`;
            };
            const phases = Object.keys(results[0]![i]!.phases) as (keyof Measured["phases"])[];
            const parts = [...new Set(results.flatMap((all) => Object.keys(all[i]!.parts)))];
            console.log(`  ${name}`);
            console.log(
                `    wall ${shown(({ wall }) => wall)}: ${phases.map((each) => `${each} ${of((round) => round.phases[each])}`).join(", ")}`,
            );
            console.log(
                `    CPU ${shown(({ cpu }) => cpu)}: ${parts.map((each) => `${each} ${of((round) => round.parts[each] ?? 0)}`).join(", ")}`,
            );
            console.log(`    with Node's start: wall ${shown(({ wall, start }) => wall + start.wall)}`);
            console.log(`    with Node's start: CPU ${shown(({ cpu, start }) => cpu + start.cpu)}`);
        }
    };
    try {
        console.log(`With Pulumi's engine, median of ${String(rounds)} rounds, and the ratio to other programs`);
        const all = ["empty", "namespace", "chart", "dev"];
        await compare("pulumi preview, before a first up", "preview", all);
        await run("empty", "up");
        // Each would be the only KOF of the cluster: one after the other.
        for (const name of ["chart", ...Object.keys(stackFiles)]) {
            await run(name, "up");
            await compare(`pulumi preview of ${name}, after an up`, "preview", ["empty", name]);
            await compare(`pulumi up of ${name}, without changes`, "up", ["empty", name]);
            await run(name, "destroy");
        }
    } finally {
        await flux.stop();
        await cluster.stop();
        umbrella.remove();
        for (const folder of folders.values()) {
            fs.rmSync(folder, { recursive: true, force: true });
        }
    }
}

void bench();
