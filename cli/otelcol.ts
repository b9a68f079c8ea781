import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { parse } from "yaml";

import { isMap, mergeValues, textOf, type HelmValue, type HelmValues } from "../core/lib/values";
import type { EnvVar } from "../core/collectors/effective";
import { operatorVariables } from "../core/collectors/references";
import { UserError } from "../core/lib/errors";
import { writeYaml } from "../core/lib/yaml/write";
import type { Files } from "./folder";

/** What a collector says of rendered configurations: one line for each. */
interface Validation {
    readonly accepted: readonly string[];
    readonly refused: readonly string[];
}

/**
 * Has an OpenTelemetry Collector `validate` every rendered configuration, with the environment and the feature gates that it
 * would have in the cluster. Variables from Secrets and fields, which are known only there, get a placeholder. A temporary
 * folder has empty files in place of those of nodes and pods.
 *
 * @param binary the collector: `otelcol-contrib` of the version that KOF runs.
 * @throws UserError when it cannot be run.
 */
export function validateCollectors(binary: string, files: Files): Validation {
    const accepted: string[] = [];
    const refused: string[] = [];
    for (const [file, text] of Object.entries(files)) {
        const name = /^collectors\/(.+)\.yaml$/.exec(file)?.[1];
        if (name !== undefined) {
            const { errors, note } = validate(binary, parse(text) as HelmValues);
            if (errors === undefined) {
                accepted.push(`${name}: valid${note}`);
            } else {
                refused.push(`${name}: refused by ${path.basename(binary)}${note}\n${errors}`);
            }
        }
    }
    return { accepted, refused };
}

function validate(binary: string, collector: HelmValues): { errors?: string; note: string } {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), "otelcol-"));
    try {
        const file = path.join(root, "config.yaml");
        const mounts = (collector.volumeMounts ?? []) as { mountPath: string }[];
        const places = [...mounts.map(({ mountPath }) => mountPath), serviceAccount];
        const variables = [...(collector.env as unknown as EnvVar[]), ...operatorVariables.map((name) => ({ name }))];
        const env = { PATH: process.env.PATH ?? "", ...kubernetes, ...Object.fromEntries(variables.map(valueOf)) };
        const config = relocation(root, places, env)(withoutToken(collector.config ?? {}), "");
        fs.writeFileSync(file, writeYaml(config));
        const args = Object.entries((collector.args ?? {}) as HelmValues).map(
            ([key, value]) => `--${key}=${textOf(value)}`,
        );
        const first = runValidate(binary, [`--config=${file}`, ...args], env);
        // Gates come and go with the collector's version: where the binary is not the one of KOF, they say nothing.
        const gate = /feature gate .*/.exec(first ?? "")?.[0];
        const errors = gate === undefined ? first : runValidate(binary, [`--config=${file}`], env);
        const note = gate === undefined ? "" : `, without its feature gates (${gate})`;
        return errors === undefined ? { note } : { errors: errors.replaceAll(root, ""), note };
    } finally {
        fs.rmSync(root, { recursive: true });
    }
}

/** Runs the collector; `undefined` when it accepts, else what it says. */
function runValidate(
    binary: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
): string | undefined {
    const { error, status, stdout, stderr } = spawnSync(binary, ["validate", ...args], { encoding: "utf8", env });
    if (error) {
        throw new UserError(`${binary} cannot be run (${(error as NodeJS.ErrnoException).code ?? error.message}).`);
    }
    return status === 0 ? undefined : `${stdout}${stderr}`.trim();
}

function valueOf({ name, value, valueFrom }: EnvVar): [string, string] {
    const from = `${name} ${JSON.stringify(valueFrom ?? null)}`;
    const [, standIn = "placeholder"] = standIns.find(([pattern]) => pattern.test(from)) ?? [];
    return [name, value ?? standIn];
}

/** Where the collector, or Go itself, takes nothing but an address or a number. */
const standIns = [
    [/status\.(hostIP|podIP)/, "127.0.0.1"],
    [/^GO(MEMLIMIT|MAXPROCS) |resourceFieldRef/, "1"],
] as const;

/** What Kubernetes tells every container. */
const kubernetes = { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: "443" };

/**
 * The configuration with components that present no token to Kubernetes. Some look for the pod's one already when they are
 * validated, in a place of the file system that no setting moves.
 */
function withoutToken(value: HelmValue): HelmValue {
    if (!isMap(value)) {
        return value;
    }
    const entries = Object.entries(value).map(([key, inner]): [string, HelmValue] => [
        key,
        key === "auth_type" && inner === "serviceAccount" ? "none" : withoutToken(inner),
    ]);
    const detector = Array.isArray(value.detectors) && value.detectors.includes("k8snode");
    return mergeValues(Object.fromEntries(entries), detector ? { k8snode: { auth_type: "none" } } : {});
}

const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * Moves every path of the pod's file system in a configuration below a folder, and makes it there.
 *
 * @param places where something is mounted.
 */
function relocation(root: string, places: readonly string[], env: Readonly<Record<string, string>>) {
    const relocated = (value: HelmValue, key: string): HelmValue => {
        if (Array.isArray(value)) {
            return value.map((entry) => relocated(entry, key));
        }
        if (isMap(value)) {
            return Object.fromEntries(Object.entries(value).map(([inner, below]) => [inner, relocated(below, inner)]));
        }
        if (typeof value !== "string" || !places.some((place) => value === place || value.startsWith(`${place}/`))) {
            return value;
        }
        const place = path.join(root, value).replaceAll(/\$\{env:(\w+)\}/g, (_, name: string) => env[name] ?? "");
        const isFile = key.endsWith("file");
        fs.mkdirSync(isFile ? path.dirname(place) : place.replace(/\*.*$/, ""), { recursive: true });
        if (isFile) {
            fs.writeFileSync(place, "");
        }
        return path.join(root, value);
    };
    return relocated;
}
