import * as fs from "node:fs";
import * as path from "node:path";

import * as pulumi from "@pulumi/pulumi";
import * as runtimeConfig from "@pulumi/pulumi/runtime/config";
import { parse } from "yaml";

import { isFolder } from "../components/kof";
import { defaultLogGroup } from "../core/settings/logGroups";
import { isMap } from "../core/lib/values";
import { reviewCollectors } from "../core/review/collectors";
import { UserError } from "../core/lib/errors";
import type { ClusterChoice } from "../live/kubeconfig";
import { deploymentOf } from "../core/routes";
import type { Deployment } from "../core/routes/deployment";
import { logGroupOfDeployed } from "./deployed";
import type { Deployed } from "./memory";
import { rendersManifests, renderedSecretProblems } from "./gitops";
import { inNamespace, parseJson, parseSettings, rawSettings } from "../core/routes/parse";
import { namespaceProblems } from "../core/settings/namespaces";
import { hasKubeconfigSecret, kubeconfigNotices, providerSecretProblems } from "../core/settings/providerSecrets";
import { brief, configurationError, type Problem } from "../core/settings/problems";
import type { Settings } from "../core/settings/settings";
import { storageClassNotices } from "../core/settings/storageClasses";
import type { Configuration } from "./configuration";

// Exported but not declared. Config.getSecret takes a key for a secret even when it is none, so it cannot tell.
const { isConfigSecret } = runtimeConfig as unknown as { isConfigSecret: (key: string) => boolean };

/** Keys of the `kubernetes:` configuration whose value is text, and those whose value is anything else. */
const kubernetesText = ["cluster", "clusterIdentifier", "context", "kubeconfig", "namespace", "renderYamlToDirectory"];
const kubernetesStructured = [
    ...["alwaysRender", "deleteUnreachable", "enableConfigMapMutable", "enablePatchForce", "enableSecretMutable"],
    ...["enableServerSideApply", "helmReleaseSettings", "kubeClientSettings", "skipUpdateUnreachable"],
    ...["suppressDeprecationWarnings", "suppressHelmHookWarnings", "upsertExistingObjects"],
];

/**
 * Reads the configuration of the running stack: the one place that does.
 *
 * @param source what to call the stack file in errors. Default: the name that Pulumi gives it.
 * @param deployed what the stack remembers of its last deployment.
 * @throws RunError with all problems, which Pulumi prints without a stack trace, before anything is registered.
 */
export function readConfiguration(source = `Pulumi.${pulumi.getStack()}.yaml`, deployed?: Deployed): Configuration {
    try {
        const config = runtimeConfig.allConfig();
        refuse(source, [...namespaceProblems(Object.keys(config)), ...providerSecretProblems(config, isConfigSecret)]);
        const kept = keepLogGroup(rawSettings(runtimeConfig.allConfig(), isConfigSecret), deployed);
        const settings = parseSettings(kept.raw, source);
        checkChartFolder(settings, source);
        const deployment = deploymentOf(settings);
        const notices = [
            ...deployment.notices,
            ...checkCollectors(deployment, source),
            ...storageClassNotices(settings.storageClass),
            ...keptNotices(settings, kept.logGroup, source),
            ...kubeconfigNotices(config, isConfigSecret),
        ];
        const kubernetes = providerConfig("kubernetes", (key) => kubernetesStructured.includes(key));
        checkKubernetesKeys(Object.keys(kubernetes), source);
        checkRenderedSecrets(deployment, kubernetes, source);
        const aws = providerConfig("aws", (key, text) => key === "maxRetries" || /^([{[]|true$|false$)/.test(text));
        return { source, deployment, notices, kubernetes, cluster: clusterChoice(), aws };
    } catch (error) {
        throw error instanceof UserError ? new pulumi.RunError(error.message) : error;
    }
}

/** The settings with the log group that the stack has had, where its stack file names none: another one would be empty. */
function keepLogGroup(
    raw: Readonly<Record<string, unknown>>,
    deployed: Deployed | undefined,
): { readonly raw: Readonly<Record<string, unknown>>; readonly logGroup?: string } {
    const logGroup = deployed && logGroupOfDeployed(deployed);
    const { cloudwatch } = raw;
    return isMap(cloudwatch) && Object.keys(cloudwatch).length > 0 && cloudwatch.logGroup === undefined && logGroup
        ? { raw: { ...raw, cloudwatch: { ...cloudwatch, logGroup } }, logGroup }
        : { raw };
}

/** What reads nothing but the stack file cannot know which log group the stack has had. */
function keptNotices({ clusterName }: Settings, logGroup: string | undefined, source: string): string[] {
    return logGroup === undefined || logGroup === defaultLogGroup(clusterName)
        ? []
        : [
              `kof:cloudwatch.logGroup is not in ${source}, so that the stack keeps ${logGroup}, which it was deployed with. Commands ` +
                  `that read the stack file alone (render, plan, verify, left) take ${defaultLogGroup(clusterName)} for it. Write it down: ` +
                  `kof:cloudwatch: {logGroup: ${logGroup}}.`,
          ];
}

/** The configuration of a provider, its secrets secret: a kubeconfig with credentials whether it is encrypted or not. */
function providerConfig(name: string, structured: (key: string, text: string) => boolean): Record<string, unknown> {
    return Object.fromEntries(
        inNamespace(name, runtimeConfig.allConfig()).map(([key, text]) => {
            const value = structured(key, text) ? parseJson(text) : text;
            const isSecret =
                isConfigSecret(`${name}:${key}`) ||
                (key === "kubeconfig" && hasKubeconfigSecret({ [`${name}:${key}`]: text }));
            return [key, isSecret ? pulumi.secret(value) : value];
        }),
    );
}

function clusterChoice(): ClusterChoice {
    const { kubeconfig, context, cluster } = Object.fromEntries(inNamespace("kubernetes", runtimeConfig.allConfig()));
    return { kubeconfig, context, cluster };
}

function refuse(source: string, problems: readonly Problem[]): void {
    if (problems.length > 0) {
        throw configurationError(source, problems);
    }
}

function checkKubernetesKeys(keys: readonly string[], source: string): void {
    const known = [...kubernetesText, ...kubernetesStructured].sort();
    const unknown = keys.filter((key) => !known.includes(key));
    const message = "is not a setting of the Kubernetes provider";
    refuse(
        source,
        unknown.map((key) => ({ key: `kubernetes:${key}`, message, allowed: known.join(", ") })),
    );
}

/** What goes into git can be read by everyone who can read the repository. */
function checkRenderedSecrets(deployment: Deployment, kubernetes: Configuration["kubernetes"], source: string): void {
    refuse(source, rendersManifests(kubernetes) ? renderedSecretProblems(deployment) : []);
}

/** What is wrong with the collectors is missed only when they start, or not at all. */
function checkCollectors(deployment: Deployment, source: string): string[] {
    const { problems, notices } = reviewCollectors(deployment);
    refuse(source, problems);
    return [...notices];
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
        const message = `is ${brief(chart)}, which has no Chart.yaml`;
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
