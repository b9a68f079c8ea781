import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { performance } from "node:perf_hooks";
import { promisify } from "node:util";

import { parse } from "yaml";

import { defaultVersion } from "../../core/charts";
import { writeYaml } from "../../core/lib/yaml/write";

import { deploymentOfFile, readStackFile } from "../../cli/stackFile";
import { startCluster } from "../../tools/servers/cluster";
import { FluxStandIn } from "../../tools/servers/flux";
import { projectFolder } from "../../tools/engine/stack";
import { prepareEngine } from "../../tools/engine/engine";
import { startLanguageHost } from "../../tools/engine/languageHost";
import { prepareUmbrella } from "../../tools/engine/umbrella";

const rounds = 5;

/** How many times an empty program a preview of dev may take. */
const aim = 1.3;

/** Stack files without AWS: the largest is the one with most settings. */
const stackFiles = { dev: "Pulumi.dev.yaml", largest: "examples/Pulumi.management.yaml" } as const;

function median(numbers: readonly number[]): number {
    return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

/** Programs to compare with, each in its own project: the files, and whether Pulumi compiles it. */
const references: Readonly<Record<string, { readonly typescript: boolean; readonly files: Record<string, string> }>> = {
    empty: { typescript: false, files: { "index.js": "module.exports = {};\n" } },
    /** As `pulumi new` makes it, without any resource. */
    "empty TypeScript": {
        typescript: true,
        files: {
            "index.ts": `import * as pulumi from "@pulumi/pulumi";\n`,
            "tsconfig.json": JSON.stringify({
                compilerOptions: { strict: true, target: "es2020", module: "nodenext", moduleResolution: "nodenext" },
                files: ["index.ts"],
            }),
        },
    },
    /** What no program does without that installs the umbrella: a provider, a namespace, and the chart with the same values. */
    chart: {
        typescript: false,
        files: {
            "index.js": `
                const { Chart } = require("@pulumi/kubernetes/helm/v4/chart");
                const { Namespace } = require("@pulumi/kubernetes/core/v1/namespace");
                const { Provider } = require("@pulumi/kubernetes/provider");
                const { chart, values } = require("./chart.json");
                const provider = new Provider("kubernetes", {});
                const namespace = new Namespace("kof", { metadata: { name: "kof" } }, { provider });
                new Chart("kof", { chart, values, namespace: "kof" }, { provider, dependsOn: [namespace] });`,
        },
    },
};

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

/** A command of the engine, without questions. */
const commands = {
    preview: ["preview"],
    up: ["up", "--yes", "--skip-preview"],
    destroy: ["destroy", "--yes", "--skip-preview"],
} as const;
type Command = keyof typeof commands;

/** What a command took in milliseconds: in all, and of the processors by whom. `node` is the chart's post-renderer. */
interface Round {
    readonly wall: number;
    readonly cpu: number;
    readonly parts: Readonly<Record<string, number>>;
}

/** Processor time of the children of this process that have ended. Linux tells hundredths of a second. */
function cpuOfEnded(): number {
    const stat = fs.readFileSync("/proc/self/stat", "utf8").split(") ")[1]!.split(" ");
    return (Number(stat[13]) + Number(stat[14])) * 10;
}

/**
 * What `pulumi preview` and an `up` without changes take, against programs that declare nothing, on the same engine. Engine and program
 * start as on a user's machine; only the language host is part of this process, and is not counted. All run in turns, so other load on
 * the machine slows all of them. Ratios are what counts.
 */
async function bench(): Promise<void> {
    const engine = await prepareEngine();
    const cluster = await startCluster();
    await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "kcm-system" } });
    const flux = new FluxStandIn(cluster).start();
    const umbrella = prepareUmbrella(defaultVersion);
    // The stand-in for Flux goes on in this process meanwhile.
    const env = { ...process.env, ...engine.env, KUBECONFIG: cluster.kubeconfig };
    Object.assign(process.env, env);
    let programEnded = 0;
    const host = await startLanguageHost(() => (programEnded = cpuOfEnded()));
    const folders = new Map<string, string>();
    const pulumi = (name: string, args: readonly string[]) => {
        const folder = folders.get(name)!;
        return promisify(execFile)(path.join(engine.root, "bin/pulumi"), [...args, "--non-interactive"], {
            cwd: folder,
            env: { ...env, PULUMI_BACKEND_URL: `file://${path.join(folder, "state")}` },
        });
    };
    const stackOf = (name: string) => name.replace(" ", "-");
    const prepare = async (name: string, folder: string, config: object) => {
        folders.set(name, folder);
        await pulumi(name, ["stack", "init", stackOf(name)]);
        const file = path.join(folder, `Pulumi.${stackOf(name)}.yaml`);
        const made = fs.existsSync(file) ? (parse(fs.readFileSync(file, "utf8")) as object) : {};
        fs.writeFileSync(file, writeYaml({ ...made, config }));
    };
    const chart = umbrella.chart;
    const { values } = deploymentOfFile(readStackFile({ config: stackFiles.dev }));
    for (const [name, { typescript, files }] of Object.entries(references)) {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-bench-"));
        const project = { name: "kof", runtime: { name: "nodejs", options: { typescript } } };
        const all = { ...files, "package.json": "{}", "chart.json": JSON.stringify({ chart, values }) };
        for (const [file, text] of Object.entries({ ...all, "Pulumi.yaml": writeYaml(project) })) {
            fs.writeFileSync(path.join(folder, file), text);
        }
        fs.symlinkSync(path.resolve("node_modules"), path.join(folder, "node_modules"));
        fs.mkdirSync(path.join(folder, "state"));
        await prepare(name, folder, {});
    }
    for (const [name, file] of Object.entries(stackFiles)) {
        const { config } = parse(fs.readFileSync(file, "utf8")) as { config: Record<string, unknown> };
        // The cluster is that of KUBECONFIG.
        const settings = Object.entries(config).filter(([key]) => !key.startsWith("kubernetes:"));
        await prepare(name, projectFolder(), { ...Object.fromEntries(settings), "kof:chart": chart });
    }
    const run = async (name: string, command: Command): Promise<Round> => {
        // `--client` is for the Automation API only.
        const client = command === "destroy" ? [] : ["--client", host.address, "--exec-kind", "auto.inline"];
        const [start, before] = [performance.now(), cpuOfEnded()];
        const running = pulumi(name, [...commands[command], ...client, "--stack", stackOf(name)]);
        const below = watchBelow(running.child.pid!);
        await running;
        const [wall, cpu, program] = [performance.now() - start, cpuOfEnded() - before, programEnded - before];
        const others = Object.fromEntries(Object.entries(below()).filter(([name]) => name !== "pulumi"));
        const engineCpu = cpu - program - Object.values(others).reduce((sum, each) => sum + each, 0);
        return { wall, cpu, parts: { program, engine: engineCpu, ...others } };
    };
    const compare = async (title: string, command: Command, names: readonly string[]) => {
        // What a start keeps for the next is there.
        for (const name of names) {
            await run(name, command);
        }
        const results: Round[][] = [];
        for (let round = 0; round < rounds; round++) {
            const measured: Round[] = [];
            for (const name of names) {
                measured.push(await run(name, command));
            }
            results.push(measured);
        }
        console.log(title);
        const ratio = (i: number, j: number, figure: (round: Round) => number) =>
            median(results.map((all) => figure(all[i]!) / figure(all[j]!)));
        for (const [i, name] of names.entries()) {
            const of = (figure: (round: Round) => number) => median(results.map((all) => figure(all[i]!))).toFixed(0);
            const shown = (figure: (round: Round) => number) => {
                const ratios = names.slice(0, i).map((other, j) => `${ratio(i, j, figure).toFixed(2)} x ${other}`);
                return `${of(figure)} ms (${ratios.join(", ") || "1.00"})`;
            };
            const parts = [...new Set(results.flatMap((all) => Object.keys(all[i]!.parts)))];
            console.log(`  ${name}`);
            console.log(`    wall ${shown(({ wall }) => wall)}`);
            console.log(
                `    CPU ${shown(({ cpu }) => cpu)}: ${parts.map((each) => `${each} ${of((round) => round.parts[each] ?? 0)}`).join(", ")}`,
            );
        }
        if (command === "preview" && names.includes("dev")) {
            for (const figure of ["cpu", "wall"] as const) {
                const against = names.flatMap((name, i) => {
                    const found = ratio(names.indexOf("dev"), i, (round) => round[figure]);
                    const verdict = found <= aim ? "within" : "beyond";
                    return name.startsWith("empty")
                        ? [`${verdict} ${String(aim)} times ${name} (${found.toFixed(2)})`]
                        : [];
                });
                const by = { cpu: "processor time", wall: "wall time" }[figure];
                console.log(`  => by ${by} dev is ${against.join(", and ")}`);
            }
        }
    };
    const empties = ["empty", "empty TypeScript"];
    try {
        console.log(
            `With Pulumi's engine and Node ${process.version}, median of ${String(rounds)} rounds, and the ratio to other programs`,
        );
        await compare("pulumi preview, before a first up", "preview", [...empties, "chart", "dev"]);
        for (const name of empties) {
            await run(name, "up");
        }
        // Each would be the only KOF of the cluster: one after the other.
        for (const name of Object.keys(stackFiles)) {
            await run(name, "up");
            await compare(`pulumi preview of ${name}, after an up`, "preview", [...empties, name]);
            await compare(`pulumi up of ${name}, without changes`, "up", [...empties, name]);
            await run(name, "destroy");
        }
    } finally {
        host.stop();
        await flux.stop();
        await cluster.stop();
        umbrella.remove();
        for (const folder of folders.values()) {
            fs.rmSync(folder, { recursive: true, force: true });
        }
    }
}

void bench();
