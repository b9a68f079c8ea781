import * as fs from "node:fs";
import * as path from "node:path";

import * as pulumi from "@pulumi/pulumi";
import * as runtimeConfig from "@pulumi/pulumi/runtime/config";
import { parse } from "yaml";

import { isFolder } from "../components/kof";
import { archiveKinds } from "../core/charts/archives";
import { refuseExcess } from "../core/lib/bounds";
import { defaultLogGroup } from "../core/settings/logGroups";
import { isMap } from "../core/lib/values";
import { reviewCollectors } from "../core/review/collectors";
import { UserError } from "../core/lib/errors";
import { deploymentOf } from "../core/routes";
import { logGroupOfDeployed } from "./deployed";
import type { Deployed } from "./memory";
import { rendersManifests, renderedSecretProblems } from "./gitops";
import { checkSettings, configUnder, parseJson, rawSettings, whereKnown } from "../core/routes/parse";
import { namespaceProblems } from "../core/settings/namespaces";
import { hasKubeconfigSecret, kubeconfigNotices, providerSecretProblems } from "../core/settings/providerSecrets";
import { brief, configurationError, type Problem } from "../core/settings/problems";
import { isPresent } from "../core/settings/rules";
import type { Settings } from "../core/settings/settings";
import { storageClassNotices } from "../core/settings/storageClasses";
import type { Configuration } from "./configuration";

// Pulumi exports it but does not declare it. Config.getSecret marks every key as a secret, so it cannot tell.
const { isConfigSecret } = runtimeConfig as unknown as { isConfigSecret: (key: string) => boolean };

/** Keys of the `kubernetes:` configuration whose value is text, and those whose value is anything else. */
const kubernetesText = ["cluster", "clusterIdentifier", "context", "kubeconfig", "namespace", "renderYamlToDirectory"];
const kubernetesStructured = [
    ...["alwaysRender", "deleteUnreachable", "enableConfigMapMutable", "enablePatchForce", "enableSecretMutable"],
    ...["enableServerSideApply", "helmReleaseSettings", "kubeClientSettings", "skipUpdateUnreachable"],
    ...["suppressDeprecationWarnings", "suppressHelmHookWarnings", "upsertExistingObjects"],
];

/**
 * Reads the configuration of the running stack. Only this function does.
 *
 * @param source what to call the stack file in errors. Default: the name that Pulumi gives it.
 * @param deployed what the stack remembers of its last deployment.
 * @throws RunError with all problems, which Pulumi prints without a stack trace, before anything is registered.
 */
export function readConfiguration(source = `Pulumi.${pulumi.getStack()}.yaml`, deployed?: Deployed): Configuration {
    try {
        const config = runtimeConfig.allConfig();
        const raw = withoutDefaults(rawSettings(config, isConfigSecret), source);
        refuseExcess(raw, source);
        const kept = keepLogGroup(raw, deployed);
        const kubernetes = providerConfig("kubernetes", (key) => kubernetesStructured.includes(key));
        const { settings, problems: wrong } = checkSettings(kept.raw);
        const problems = [
            ...namespaceProblems(Object.keys(config)),
            ...providerSecretProblems(config, isConfigSecret),
            ...wrong,
            ...kubernetesKeyProblems(Object.keys(kubernetes)),
        ];
        const worked = settings && whereKnown(problems, () => workOut(settings, kubernetes, problems));
        const all = [...problems, ...(worked?.problems ?? [])];
        if (!settings || !worked || all.length > 0) {
            throw configurationError(source, all);
        }
        const { deployment } = worked;
        const notices = [
            ...deployment.notices,
            ...worked.notices,
            ...storageClassNotices(settings.storageClass),
            ...keptNotices(settings, kept.logGroup, source),
            ...kubeconfigNotices(config, isConfigSecret),
        ];
        const aws = providerConfig("aws", (key, text) => key === "maxRetries" || /^([{[]|true$|false$)/.test(text));
        const { kubeconfig, context, cluster } = Object.fromEntries(configUnder("kubernetes", config));
        return { source, deployment, notices, kubernetes, cluster: { kubeconfig, context, cluster }, aws };
    } catch (error) {
        throw error instanceof UserError ? new pulumi.RunError(error.message) : error;
    }
}

/**
 * Without the empty maps that Pulumi hands on for archives that are not set, because Pulumi.yaml has them for defaults. One that is
 * written into the stack file stays.
 */
function withoutDefaults(raw: Readonly<Record<string, unknown>>, source: string): Readonly<Record<string, unknown>> {
    const isWritten = (key: string) => writtenKeys(source).includes(`kof:${key}`);
    return Object.fromEntries(
        Object.entries(raw).filter(
            ([key, value]) => !archiveKinds.some((kind) => kind === key) || isPresent(value) || isWritten(key),
        ),
    );
}

/** The keys under `config:` of a stack file; none where it is not where Pulumi looks for it. */
function writtenKeys(source: string): string[] {
    if (!fs.existsSync(source)) {
        return [];
    }
    const content: unknown = parse(fs.readFileSync(source, "utf8"));
    return isMap(content) && isMap(content.config) ? Object.keys(content.config) : [];
}

/** What settings resolve to, and what is wrong with that, or worth a second look. @param wrong what is wrong with them already. */
function workOut(settings: Settings, kubernetes: Configuration["kubernetes"], wrong: readonly Problem[]) {
    const chart = chartFolderProblems(settings);
    const deployment = deploymentOf(settings);
    // Without this check, a problem of the collectors shows only when they start, or never.
    const { problems, notices } = reviewCollectors(deployment, wrong);
    // What goes into git can be read by everyone who can read the repository.
    const rendered = rendersManifests(kubernetes) ? renderedSecretProblems(deployment) : [];
    return { deployment, notices, problems: [...chart, ...problems, ...rendered] };
}

/** The settings with the stack's earlier log group, if its stack file names none. A new group would be empty. */
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

/** A command that reads only the stack file does not know the stack's earlier log group. */
function keptNotices({ clusterName }: Settings, logGroup: string | undefined, source: string): string[] {
    return logGroup === undefined || logGroup === defaultLogGroup(clusterName)
        ? []
        : [
              `kof:cloudwatch.logGroup is not in ${source}, so that the stack keeps ${logGroup}, which it was deployed with. Commands ` +
                  `that read the stack file alone (render, plan, verify, left) take ${defaultLogGroup(clusterName)} for it. Write it down: ` +
                  `kof:cloudwatch: {logGroup: ${logGroup}}.`,
          ];
}

/** The configuration of a provider, with its secrets marked as secret. That includes an unencrypted kubeconfig with credentials. */
function providerConfig(name: string, structured: (key: string, text: string) => boolean): Record<string, unknown> {
    return Object.fromEntries(
        configUnder(name, runtimeConfig.allConfig()).map(([key, text]) => {
            const value = structured(key, text) ? parseJson(text) : text;
            const isSecret =
                isConfigSecret(`${name}:${key}`) ||
                (key === "kubeconfig" && hasKubeconfigSecret({ [`${name}:${key}`]: text }));
            return [key, isSecret ? pulumi.secret(value) : value];
        }),
    );
}

function kubernetesKeyProblems(keys: readonly string[]): Problem[] {
    const known = [...kubernetesText, ...kubernetesStructured].sort();
    const message = "is not a setting of the Kubernetes provider";
    return keys
        .filter((key) => !known.includes(key))
        .map((key) => ({ key: `kubernetes:${key}`, message, allowed: known.join(", ") }));
}

/** Helm uses a folder as it is, and ignores the version in the stack file. */
function chartFolderProblems({ chart, version }: Settings): Problem[] {
    if (!isFolder(chart)) {
        return [];
    }
    const file = path.join(chart, "Chart.yaml");
    const found = fs.existsSync(file)
        ? (parse(fs.readFileSync(file, "utf8")) as { name?: unknown; version?: unknown } | null)
        : undefined;
    if (!found) {
        const message = `is ${brief(chart)}, which has no Chart.yaml`;
        return [{ key: "kof:chart", message, allowed: "a folder with the umbrella chart kof" }];
    }
    if (found.name !== "kof" || found.version !== version) {
        const message = `is ${brief(chart)}, which holds ${String(found.name)} ${String(found.version)}, but kof:version is ${version}`;
        const paste = { "kof:version": found.version };
        return [{ key: "kof:chart", message, allowed: `the chart kof ${version}`, paste }];
    }
    return [];
}
