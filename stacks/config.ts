import * as fs from "node:fs";
import * as path from "node:path";

import type { ProviderArgs as AwsProviderArgs } from "@pulumi/aws/provider";
import type { ProviderArgs as KubernetesProviderArgs } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import * as runtimeConfig from "@pulumi/pulumi/runtime/config";
import { parse } from "yaml";

import { isFolder } from "../components/kof";
import { effectiveCollectors } from "../collectors/effective";
import { danglingReferences } from "../collectors/references";
import { UserError } from "../errors";
import { routeOf, type Route } from "../routes";
import { isStructured, parseSettings } from "./parse";
import { brief, configurationError } from "./problems";
import type { Settings } from "./settings";

/** Everything that a stack's configuration says. */
export interface Configuration {
    /** What the `kof:` configuration comes to. */
    readonly route: Route;
    /** The `kubernetes:` configuration: which cluster, and how to reach it. */
    readonly kubernetes: KubernetesProviderArgs;
    /** The `aws:` configuration: whose credentials to use. */
    readonly aws: AwsProviderArgs;
}

// Exported but not declared. Config.getSecret takes a key for a secret even when it is none, so it cannot tell.
const { isConfigSecret } = runtimeConfig as unknown as { isConfigSecret: (key: string) => boolean };

/** Every key of the `kubernetes:` configuration, by what its value is. */
const kubernetesKeys: Readonly<Record<string, "text" | "structured">> = {
    ...keys("text", ["cluster", "clusterIdentifier", "context", "kubeconfig", "namespace", "renderYamlToDirectory"]),
    ...keys("structured", ["alwaysRender", "deleteUnreachable", "enableConfigMapMutable", "enablePatchForce"]),
    ...keys("structured", [
        "enableSecretMutable",
        "enableServerSideApply",
        "helmReleaseSettings",
        "kubeClientSettings",
    ]),
    ...keys("structured", ["skipUpdateUnreachable", "suppressDeprecationWarnings", "suppressHelmHookWarnings"]),
    ...keys("structured", ["upsertExistingObjects"]),
};

function keys(kind: "text" | "structured", names: readonly string[]) {
    return Object.fromEntries(names.map((name) => [name, kind]));
}

/**
 * Reads the configuration of the running stack: the one place that does.
 *
 * @param source what to call the stack file in errors. Default: the name that Pulumi gives it.
 * @throws RunError with all problems, which Pulumi prints without a stack trace, before anything is registered.
 */
export function readConfiguration(source = `Pulumi.${pulumi.getStack()}.yaml`): Configuration {
    try {
        const settings = parseSettings(namespace("kof", decode), source);
        checkChartFolder(settings, source);
        const route = routeOf(settings);
        checkCollectors(route, source);
        const kubernetes = namespace("kubernetes", (_, key, text) =>
            secretly("kubernetes", key, kubernetesKeys[key] === "structured" ? parseJson(text) : text),
        );
        const unknown = Object.keys(kubernetes).filter((key) => !Object.hasOwn(kubernetesKeys, key));
        if (unknown.length > 0) {
            throw configurationError(
                source,
                unknown.map((key) => ({
                    key: `kubernetes:${key}`,
                    message: "is not a setting of the Kubernetes provider",
                    allowed: Object.keys(kubernetesKeys).sort().join(", "),
                })),
            );
        }
        const aws = namespace("aws", (_, key, text) =>
            secretly("aws", key, /^([{[]|true$|false$)/.test(text) || key === "maxRetries" ? parseJson(text) : text),
        );
        return { route, kubernetes, aws };
    } catch (error) {
        throw error instanceof UserError ? new pulumi.RunError(error.message) : error;
    }
}

/** The configuration under one namespace: `kof:route` is `route` under `kof`. */
function namespace(name: string, read: (name: string, key: string, text: string) => unknown): Record<string, unknown> {
    return Object.fromEntries(
        Object.entries(runtimeConfig.allConfig())
            .filter(([key]) => key.startsWith(`${name}:`))
            .map(([key, text]) => [key.slice(name.length + 1), text] as const)
            .map(([key, text]) => [key, read(name, key, text)]),
    );
}

/** Pulumi hands every value on as text: structured ones as JSON, and encrypted ones decrypted. */
function decode(name: string, key: string, text: string): unknown {
    if (isConfigSecret(`${name}:${key}`)) {
        return { secure: "" };
    }
    return isStructured(key) ? parseJson(text) : text;
}

function secretly(name: string, key: string, value: unknown): unknown {
    return isConfigSecret(`${name}:${key}`) ? pulumi.secret(value) : value;
}

function parseJson(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return text;
    }
}

/** A list in `values` replaces the whole list of the charts, and what it leaves out is missed only when a collector starts. */
function checkCollectors(route: Route, source: string): void {
    const problems = effectiveCollectors(route).flatMap((collector) =>
        danglingReferences(collector).map((reference) => ({
            key: "kof:values",
            message: `breaks the collector ${collector.name}: ${reference}`,
        })),
    );
    if (problems.length > 0) {
        throw configurationError(source, problems);
    }
}

/** Helm takes a folder as it is, whatever the version in the stack file. */
function checkChartFolder({ chart, version }: Settings, source: string): void {
    if (!isFolder(chart)) {
        return;
    }
    const file = path.join(chart, "Chart.yaml");
    const found = fs.existsSync(file)
        ? (parse(fs.readFileSync(file, "utf8")) as { name?: unknown; version?: unknown } | null)
        : undefined;
    if (!found) {
        const message = `is ${brief(chart)}, where there is no Chart.yaml`;
        throw configurationError(source, [
            { key: "kof:chart", message, allowed: "a folder with the umbrella chart kof" },
        ]);
    }
    if (found.name !== "kof" || found.version !== version) {
        const message = `is ${brief(chart)}, which holds ${String(found.name)} ${String(found.version)}, but kof:version is ${version}`;
        const paste = { "kof:version": found.version };
        throw configurationError(source, [{ key: "kof:chart", message, allowed: `the chart kof ${version}`, paste }]);
    }
}
