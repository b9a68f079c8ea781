import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import Module = require("node:module");
import * as path from "node:path";

import * as commands from "../cli/command";
import { versions } from "../core/charts";
import type { StackFile } from "../cli/stackFile";
import type { OfflineRun, Resource } from "../cli/offline";
import { oncePer } from "../core/lib/lazy";
import { deploymentOf } from "../core/routes";
import type { Deployment } from "../core/routes/deployment";
import { parseSettings } from "../core/routes/parse";

/** Settings of one stack as they stand in its stack file, without the `kof:`. */
export type Raw = Readonly<Record<string, unknown>>;

const storageClass = { name: "kof", provisioner: "ebs.csi.aws.com" };

/** Every route with what it takes at least, by the name under which tests show it. */
export const routes: Readonly<Record<string, Raw>> = {
    none: { route: "none", storageClass },
    management: { route: "management", storageClass },
    "management with Istio": { route: "management", istio: true, storageClass },
    "management on kind": { route: "management", distribution: "kind", storageClass },
    regional: { route: "regional", regional: { cluster: "eu-1", domain: "eu-1.obs.example.net" }, storageClass },
    "regional with Istio": { route: "regional", istio: true, regional: { cluster: "eu-1" }, storageClass },
    cloudwatch: { route: "cloudwatch", cloudwatch: { region: "us-east-2" }, storageClass },
    otlp: {
        route: "otlp",
        otlp: { endpoint: "https://otlp.example.net", headersSecret: "otlp-headers", tls: { caSecret: "otlp-ca" } },
        storageClass,
    },
    regionless: {
        route: "regionless",
        regionless: { domain: "kof.example.net", certEmail: "platform@example.net" },
        storageClass,
    },
};

/** Every version with every route that it has. */
export const cases: readonly { readonly version: string; readonly name: string; readonly raw: Raw }[] =
    versions.flatMap((version) =>
        Object.entries(routes)
            .filter(([name]) => name !== "regionless" || hasRegionless(version))
            .map(([name, raw]) => ({ version, name, raw: { ...raw, version } })),
    );

/** Whether KOF can do without regions: from 1.10 on. */
export function hasRegionless(version: string): boolean {
    return !version.startsWith("1.8.") && !version.startsWith("1.9.");
}

const resolved = new Map<string, Deployment>();

/**
 * What settings resolve to. What was asked for last is kept, as many tests look at the same {@link cases}, in objects of their own:
 * a test that changes what this is worked out from, or tries settings that JSON cannot hold, calls `deploymentOf`.
 */
export const deploymentFor = oncePer((raw: Raw): Deployment => {
    const text = JSON.stringify(raw);
    const deployment = resolved.get(text) ?? deploymentOf(parseSettings(raw, "Pulumi.test.yaml"));
    resolved.delete(text);
    resolved.set(text, deployment);
    const [oldest = ""] = resolved.keys();
    if (resolved.size > 200) {
        resolved.delete(oldest);
    }
    return deployment;
});

const services = {
    metrics: "http://vminsert-cluster:8480/insert/0/prometheus/api/v1/write",
    logs: "http://kof-storage-victoria-logs-cluster-vlinsert:9481/insert/opentelemetry/v1/logs",
    traces: "http://kof-storage-vt-cluster-vtinsert:10481/insert/opentelemetry/v1/traces",
    audit: "http://vlinsert-audit-logs:9481/insert/opentelemetry/v1/logs",
};
const vmauthPaths = {
    metrics: "/vm/insert/0/prometheus/api/v1/write",
    logs: "/vli/insert/opentelemetry/v1/logs",
    traces: "/vti/insert/opentelemetry/v1/traces",
    audit: "/vlai/insert/opentelemetry/v1/logs",
};
const products = { metrics: "VictoriaMetrics", logs: "VictoriaLogs", traces: "VictoriaTraces", audit: "VictoriaLogs" };

/**
 * Where each signal of one of {@link cases} goes, as a stack shows it: written down from KOF's pages, not worked out. Up to KOF
 * 1.9 audit logs go where logs go.
 */
export function destinationsIn({ route, istio, version }: Raw): Record<keyof typeof services, string> {
    const of = (text: (signal: keyof typeof services) => string) => {
        const [metrics, logs, traces, audit] = (["metrics", "logs", "traces", "audit"] as const).map(text);
        return {
            metrics: metrics!,
            logs: logs!,
            traces: traces!,
            audit: hasRegionless(String(version)) ? audit! : logs!,
        };
    };
    switch (route) {
        case "management":
        case "regionless":
            return of((signal) => `${products[signal]} on this cluster: ${services[signal]}`);
        case "regional": {
            const vmauth = istio === true ? "http://eu-1-vmauth:8427" : "https://vmauth.eu-1.obs.example.net";
            return of((signal) => `${products[signal]} of region eu-1: ${vmauth}${vmauthPaths[signal]}`);
        }
        case "cloudwatch":
            return {
                ...of(
                    (signal) =>
                        `CloudWatch Logs in us-east-2: /kof/mothership${signal === "audit" ? "-audit" : ""}/logs`,
                ),
                metrics: "not stored (discarded)",
                traces: "not stored (discarded)",
            };
        case "otlp":
            return of(() => "OTLP: https://otlp.example.net");
        default:
            return of(() => "not stored (not collected)");
    }
}

/** A stack file with these settings, as Pulumi hands it to the program. */
export function stackFile(raw: Raw, more: Readonly<Record<string, string>> = {}): StackFile {
    const text = (value: unknown) => (typeof value === "object" ? JSON.stringify(value) : String(value));
    const settings = Object.entries(raw).map(([key, value]) => [`kof:${key}`, text(value)] as const);
    return {
        file: "Pulumi.test.yaml",
        stack: "test",
        config: { ...Object.fromEntries(settings), ...more },
        secretKeys: [],
    };
}

/** The resource of a type and, where there are several, a name. Fails when there is none. */
export function find(resources: readonly Resource[], type: string, name?: string): Resource {
    const found = resources.filter((resource) => resource.type === type && (name ?? resource.name) === resource.name);
    if (found.length !== 1 || !found[0]) {
        throw new Error(`${String(found.length)} resources ${type} ${name ?? ""}`);
    }
    return found[0];
}

/** The options that the program gives a resource. */
export function optionsOf({ request }: Resource) {
    return {
        retainOnDelete: request.getRetainondelete?.() ?? false,
        /** Id under which something that exists is taken over; empty where it is recreated. */
        import: request.getImportid?.() ?? "",
        deleteBeforeReplace: request.getDeletebeforereplace?.() ?? false,
        replaceOnChanges: request.getReplaceonchangesList?.() ?? [],
        /** How many transforms there are of it and of what is below it. */
        transforms: request.getTransformsList?.().length ?? 0,
        ignoreChanges: request.getIgnorechangesList?.() ?? [],
        /** URN of what it goes with, without being deleted itself; empty where there is nothing. */
        deletedWith: request.getDeletedwith?.() ?? "",
        /** Names that it had before. */
        aliases: (request.getAliasesList?.() ?? []).map((alias) => alias.getSpec()?.getName() ?? ""),
        /** Hooks that the engine calls before it makes the resource, by name. */
        hooks: request.getHooks?.()?.getBeforeCreateList() ?? [],
    };
}

const root = path.join(__dirname, "..");

/** Runs a command as npm does, in a process of its own. */
export function command(name: string, options: readonly string[], { cwd = root, env = {} } = {}) {
    const args = ["-r", path.join(root, "cli/register.js"), path.join(root, `cli/${name}.ts`), ...options];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
        encoding: "utf8",
        cwd,
        env: { ...process.env, ...env },
    });
    return { status, stdout, stderr };
}

/**
 * As {@link command}, in this process: where it reloads only the command's own file, instead of all that a command needs, it
 * takes a fraction. For what a command says and its exit code.
 */
export async function commandHere(
    name: string,
    options: readonly string[],
    { cwd = root, env = {} }: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
) {
    const file = path.join(root, `cli/${name}.ts`);
    const { run } = commands;
    const { argv, exitCode } = process;
    const before = { cwd: process.cwd(), cached: require.cache[file], env: process.env };
    const written = { stdout: "", stderr: "" };
    // They are put back as they were.
    // eslint-disable-next-line @typescript-eslint/unbound-method
    const writers = (["stdout", "stderr"] as const).map((stream) => ({ stream, write: process[stream].write }));
    try {
        for (const { stream } of writers) {
            process[stream].write = (text: string | Uint8Array) => {
                written[stream] += String(text);
                return true;
            };
        }
        let ended: Promise<void> | undefined;
        Object.assign(commands, { run: (main: () => Promise<void>) => (ended = commands.finish(main)) });
        Object.assign(process, {
            argv: [process.execPath, file, ...options],
            exitCode: undefined,
            env: { ...before.env, ...env },
        });
        process.chdir(cwd);
        // eslint-disable-next-line @typescript-eslint/no-dynamic-delete
        delete require.cache[file];
        // As Node loads what it is started with.
        (Module as unknown as { _load(file: string, parent: null, isMain: true): void })._load(file, null, true);
        await ended;
        return { status: Number(process.exitCode ?? 0), ...written };
    } finally {
        for (const { stream, write } of writers) {
            process[stream].write = write;
        }
        Object.assign(commands, { run });
        Object.assign(process, { argv, exitCode, env: before.env, mainModule: require.main });
        process.chdir(before.cwd);
        require.cache[file] = before.cached;
    }
}

/** What a run says that the program refuses. */
export async function refusedRun(run: Promise<OfflineRun>): Promise<string> {
    return run.then(
        ({ messages }) => assert.fail(`no error, but ${messages.join("\n")}`),
        (error: unknown) => {
            const { name, message, stack } = error as Error;
            assert.equal(name, "UserError", stack);
            return message;
        },
    );
}
