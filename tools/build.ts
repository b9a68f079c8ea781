import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** Programs that a suite cannot do without are not there. The suite is skipped, and says this. */
export class Missing extends Error {
    override readonly name = "Missing";
}

/** The programs of each Go module beside this file: the name of the binary, and the package it is built from. */
const modules = {
    /** The parts of a Kubernetes control plane that need no node. */
    kubernetes: {
        etcd: "go.etcd.io/etcd/server/v3",
        "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
        "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    },
    /** What KOF stores metrics and logs in, each as a single process, and what it puts in front of them. */
    victoriametrics: {
        "victoria-metrics": "github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics",
        "victoria-logs": "github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs",
        vmauth: "github.com/VictoriaMetrics/VictoriaMetrics/app/vmauth",
    },
} as const;

/** A Go module under tools/. */
export type Module = keyof typeof modules;

/** Where binaries are kept from one run, and one checkout, to the next. */
const cache = path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache"), "kof-storage-routes");

/**
 * The folder with a module's programs, which are built the first time: four to six minutes on two cores for Kubernetes, one
 * or two for VictoriaMetrics. Built again when the module's go.mod or go.sum changes.
 *
 * @throws Missing when there is no Go.
 */
export async function programs(module: Module): Promise<string> {
    const source = path.join(__dirname, module);
    const hash = createHash("sha256");
    for (const file of ["go.mod", "go.sum"]) {
        hash.update(fs.readFileSync(path.join(source, file)));
    }
    const folder = path.join(cache, `${module}-${hash.digest("hex").slice(0, 16)}`);
    if (!fs.existsSync(folder)) {
        await build(module, source, folder);
    }
    return folder;
}

async function build(module: Module, source: string, folder: string): Promise<void> {
    if (spawnSync("go", ["version"]).status !== 0) {
        throw new Missing("Go is not installed (https://go.dev/dl), so there is nothing to build the servers with.");
    }
    console.error(`Building ${Object.keys(modules[module]).join(", ")}, which takes minutes the first time ...`);
    const fresh = `${folder}.${String(process.pid)}`;
    for (const [name, pkg] of Object.entries(modules[module])) {
        const args = ["build", "-buildvcs=false", `-ldflags=${linkerFlags(source)}`];
        await go([...args, "-o", path.join(fresh, name), pkg], source);
    }
    // Whole or not at all: another run may build the same.
    try {
        fs.renameSync(fresh, folder);
    } catch {
        fs.rmSync(fresh, { recursive: true });
    }
}

/** Without these an API server calls itself v0.0.0-master, which no client can tell the age of. */
function linkerFlags(source: string): string {
    const version = /k8s\.io\/kubernetes (v\d+\.\d+\.\d+)/.exec(
        fs.readFileSync(path.join(source, "go.mod"), "utf8"),
    )?.[1];
    const [major = "", minor = ""] = version?.slice(1).split(".") ?? [];
    const set = { gitVersion: version, gitMajor: major, gitMinor: minor };
    const flags = Object.entries(set).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value ?? ""}`);
    return ["-s -w", ...(version === undefined ? [] : flags)].join(" ");
}

function go(args: readonly string[], cwd: string): Promise<void> {
    return new Promise((resolve, reject) => {
        const child = spawn("go", args, {
            cwd,
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
                reject(new Error(`go ${args.join(" ")} in ${cwd} failed:\n${output}`));
            }
        });
    });
}
