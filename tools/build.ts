import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { version as kubernetesSdk } from "@pulumi/kubernetes/package.json";

import { UserError } from "../core/lib/errors";

/** Programs that a suite cannot do without are not there. The suite is skipped, and says this. */
export class MissingTool extends UserError {}

/** What is built of a Go module in `modules/`. */
interface Build {
    /** The package of each program, by the program's name. */
    readonly programs: Readonly<Record<string, string>>;
    /** Variables that the linker sets, for what a program says of its version. @param of gives the version of a required module. */
    readonly variables?: (of: (module: string) => string) => Readonly<Record<string, string>>;
}

const builds = {
    /** The parts of a Kubernetes control plane that need no node. */
    kubernetes: {
        programs: {
            etcd: "go.etcd.io/etcd/server/v3",
            "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
            "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
        },
        // An API server would call itself v0.0.0-master, which no client can tell the age of.
        variables: (of) => {
            const version = of("k8s.io/kubernetes");
            const [major = "", minor = ""] = version.slice(1).split(".");
            const name = "k8s.io/component-base/version";
            return { [`${name}.gitVersion`]: version, [`${name}.gitMajor`]: major, [`${name}.gitMinor`]: minor };
        },
    },
    /** What KOF stores metrics and logs in, each as a single process, and what it puts in front of them. */
    victoriametrics: {
        programs: {
            "victoria-metrics": "github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics",
            "victoria-logs": "github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs",
            vmauth: "github.com/VictoriaMetrics/VictoriaMetrics/app/vmauth",
            "vmalert-tool": "github.com/VictoriaMetrics/VictoriaMetrics/app/vmalert-tool",
        },
    },
    /** What stands between telemetry and its destinations in KOF's collectors. */
    collector: { programs: { collector: "." } },
    /** What reads and writes YAML as Helm, Flux and Kubernetes do. */
    yaml: { programs: { yaml: "." } },
    /** Pulumi's engine with its command line, but without a language host: the tests run the program themselves. */
    pulumi: {
        programs: { pulumi: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi" },
        // The Automation API uses nothing that it does not know the version of.
        variables: (of) => ({
            "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": of("github.com/pulumi/pulumi/pkg/v3"),
        }),
    },
    /** Pulumi's Kubernetes provider. */
    "pulumi-kubernetes": {
        programs: { "pulumi-resource-kubernetes": "." },
        // The engine warns of a provider older than the SDK that the program was written with.
        variables: () => ({ "main.version": kubernetesSdk }),
    },
} satisfies Record<string, Build>;

/** A Go module under tools/. */
type GoModule = keyof typeof builds;

/** All of them, the one that takes longest first. */
export const modules: readonly GoModule[] = [
    "pulumi-kubernetes",
    "pulumi",
    "kubernetes",
    "collector",
    "victoriametrics",
    "yaml",
];

/** Where binaries are kept from one run, and one checkout, to the next. */
const cache = path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache"), "kof-storage-routes");

/**
 * The folder with a module's programs, which the first call builds. On two cores, Pulumi's Kubernetes provider takes ten minutes,
 * Kubernetes and Pulumi's engine four to six each, VictoriaMetrics and a collector one or two each. A change of the module's files or
 * of the linker's flags builds them again.
 *
 * @throws MissingTool when there is no Go.
 */
export async function programs(module: GoModule): Promise<string> {
    const source = path.join(__dirname, "modules", module);
    const { programs, variables }: Build = builds[module];
    const set = Object.entries(variables?.((required) => requiredVersion(source, required)) ?? {});
    const linkerFlags = ["-s -w", ...set.map(([name, value]) => `-X ${name}=${value}`)].join(" ");
    const hash = createHash("sha256").update(linkerFlags);
    for (const file of fs.readdirSync(source).sort()) {
        hash.update(fs.readFileSync(path.join(source, file)));
    }
    return kept(`${module}-${hash.digest("hex").slice(0, 16)}`, async (folder) => {
        if (spawnSync("go", ["version"]).status !== 0) {
            throw new MissingTool(
                "Go is not installed (https://go.dev/dl), so there is nothing to build the servers with.",
            );
        }
        console.error(`Building ${Object.keys(programs).join(", ")}, which takes minutes the first time ...`);
        for (const [name, pkg] of Object.entries(programs)) {
            const args = ["build", "-buildvcs=false", `-ldflags=${linkerFlags}`];
            await runCommand("go", [...args, "-o", path.join(folder, name), pkg], source);
        }
    });
}

/** The AWS emulator, from PyPI, with what the suites ask of it. */
const emulator = "moto[server,iam,logs,s3]==5.2.5";

/**
 * The Python with the AWS emulator, which the first call installs.
 *
 * @throws MissingTool when it cannot be had: no Python 3, or no package index.
 */
export async function pythonWithEmulator(): Promise<string> {
    const { stdout: python } = spawnSync("python3", ["--version"], { encoding: "utf8" });
    const hash = createHash("sha256").update(`${emulator} ${python}`).digest("hex").slice(0, 16);
    const folder = await kept(`moto-${hash}`, async (unfinished) => {
        try {
            await runCommand("python3", ["-m", "venv", unfinished]);
            const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", emulator];
            await runCommand(path.join(unfinished, "bin/python"), install);
        } catch (error) {
            throw new MissingTool(`The AWS emulator needs Python 3 and a package index. ${(error as Error).message}`);
        }
    });
    return path.join(folder, "bin/python");
}

/** A folder of the cache, which is filled the first time. */
async function kept(name: string, fill: (unfinished: string) => Promise<void>): Promise<string> {
    const folder = path.join(cache, name);
    if (fs.existsSync(folder)) {
        return folder;
    }
    removeUnfinished();
    // Whole or not at all: this run may be killed, and another may fill the same.
    const unfinished = `${folder}.${String(process.pid)}`;
    try {
        await fill(unfinished);
        fs.renameSync(unfinished, folder);
    } catch (error) {
        fs.rmSync(unfinished, { recursive: true, force: true });
        if (!fs.existsSync(folder)) {
            throw error;
        }
    }
    return folder;
}

/** Removes what builds that were killed have left behind. */
function removeUnfinished(): void {
    for (const name of fs.existsSync(cache) ? fs.readdirSync(cache) : []) {
        const [, pid] = /\.(\d+)$/.exec(name) ?? [];
        if (pid !== undefined && !isRunning(Number(pid))) {
            fs.rmSync(path.join(cache, name), { recursive: true, force: true });
        }
    }
}

function isRunning(pid: number): boolean {
    try {
        return process.kill(pid, 0);
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "EPERM";
    }
}

function requiredVersion(source: string, module: string): string {
    const text = fs.readFileSync(path.join(source, "go.mod"), "utf8");
    const version = new RegExp(`\\s${module.replaceAll(".", "\\.")} (v\\S+)`).exec(text)?.[1];
    if (version === undefined) {
        throw new Error(`${source}/go.mod does not require ${module}.`);
    }
    return version;
}

function runCommand(command: string, args: readonly string[], cwd?: string): Promise<void> {
    return new Promise((resolve, reject) => {
        const child = spawn(command, args, {
            ...(cwd === undefined ? {} : { cwd }),
            env: { ...process.env, CGO_ENABLED: "0" },
            stdio: ["ignore", "ignore", "pipe"],
        });
        let output = "";
        child.stderr.on("data", (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4000)));
        child.on("error", reject);
        child.on("close", (code) => {
            if (code === 0) {
                resolve();
            } else {
                reject(new Error(`${[command, ...args].join(" ")} failed:\n${output}`));
            }
        });
    });
}
