import { createHash } from "node:crypto";

import { chartValues, type Catalog } from "../charts";
import { isMap, mergeValues, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import { defaultLogGroup, metricsLogGroup } from "../settings/logGroups";
import { arnParts } from "../lib/arns";
import { etcdCertificates } from "../settings/distributions";
import { streamOf } from "../settings/streams";
import { bufferedExporter } from "../collectors/buffers";
import { clock } from "../collectors/clock";
import { addClusterIdentity } from "../collectors/identity";
import type { CloudWatchSettings, SettingsOf } from "../settings/settings";
import { bufferOf, collectorNames, collectorsOnly, secretEnv } from "./collectors";
import { accessKeyTrigger } from "../charts/restarts";
import type { LogGroup, RouteParts } from "./parts";

/** Name of the Secret with the collectors' AWS credentials. Constant, so that Helm values can name it before it exists. */
export const cloudwatchSecretName = "cloudwatch-credentials";

/** The settings with the log group that they resolve to. */
type Named = SettingsOf<"cloudwatch"> & { readonly cloudwatch: { readonly logGroup: string } };

/** Logs and audit logs are stored in AWS CloudWatch Logs; metrics and traces where they are asked for. */
export function cloudwatch(given: SettingsOf<"cloudwatch">, catalog: Catalog): RouteParts {
    const { logGroup = defaultLogGroup(given.clusterName) } = given.cloudwatch;
    const settings: Named = { ...given, cloudwatch: { ...given.cloudwatch, logGroup } };
    const wanted = settings.cloudwatch;
    const { signals, retentionDays } = wanted;
    const audit = auditGroup(wanted, catalog);
    const groups: LogGroup[] = [{ holds: "logs", name: logGroup, retentionDays }];
    if (audit !== logGroup) {
        groups.push({ holds: "audit", name: audit, retentionDays: wanted.auditRetentionDays });
    }
    if (signals.metrics === "emf") {
        groups.push({ holds: "metrics", name: metricsLogGroup(logGroup), retentionDays });
    }
    // Where there is no such collector, nobody needs a role for its service account.
    const writers = Object.entries(writersOf(wanted, catalog))
        .filter(([key]) => key !== "controller-k0s" || etcdCertificates(settings.distribution) !== undefined)
        .map(([, name]) => name);
    return {
        values: collectorsOnly(settings, catalog, kubeStack(settings, catalog), credentialsEnv(wanted)),
        cloudwatch: {
            ...wanted,
            logGroups: groups,
            serviceAccounts: writers.map((name) => `${name}-collector`),
            ...(wanted.credentials.kind === "irsa" ? { roleName: roleNameOf(settings) } : {}),
        },
        queued: ["logs", "audit"],
        restartTriggers: restartTriggers(settings),
        notices: notices(given, catalog),
    };
}

/** Whether the issuer of service accounts' tokens, or what hands out roles, is a part of EKS. */
function isOfEks(credentials: SettingsOf<"cloudwatch">["cloudwatch"]["credentials"]): boolean {
    return (
        credentials.kind === "podIdentity" ||
        (credentials.kind === "irsa" && credentials.oidcProviderArn.includes("/oidc.eks."))
    );
}

function notices(
    { cloudwatch: wanted, clusterName, distribution }: SettingsOf<"cloudwatch">,
    catalog: Catalog,
): string[] {
    const { signals, credentials, kmsKeyArn, region } = wanted;
    const names = (on: boolean) =>
        Object.entries(signals)
            .filter(([, how]) => (how !== "none") === on)
            .map(([signal]) => signal)
            .join(" and ");
    return [
        ...(wanted.logGroup === undefined
            ? [
                  `kof:cloudwatch.logGroup is not set: a new stack uses ${defaultLogGroup(clusterName)}. A stack that ` +
                      "was deployed before keeps its log group.",
              ]
            : []),
        ...(names(false) === ""
            ? []
            : [`Route cloudwatch discards ${names(false)} of this cluster. kof:cloudwatch.signals stores them.`]),
        ...(names(true) === ""
            ? []
            : [
                  `An outage of AWS loses ${names(true)}: their exporters have no queue. Only logs are kept (kof:buffer).`,
              ]),
        ...(signals.metrics === "emf"
            ? [
                  "kof:cloudwatch.signals.metrics is emf: AWS bills each series of each node as a custom metric, and its log events besides. " +
                      "A cluster of a few nodes has tens of thousands of series. Route otlp or regional stores them for less.",
              ]
            : []),
        ...(credentials.kind === "accessKey" && distribution === "eks"
            ? [
                  "kof:cloudwatch.credentials is an access key, which does not expire and can be copied. On EKS there is a way without any " +
                      "secret: credentials: {kind: podIdentity, clusterName: NAME}.",
              ]
            : []),
        ...(distribution !== "eks" && isOfEks(credentials)
            ? [
                  `kof:cloudwatch.credentials is ${credentials.kind === "irsa" ? "irsa with an issuer of EKS" : "podIdentity, which EKS alone has"}, ` +
                      `but kof:distribution is ${distribution}. ` +
                      "On EKS set kof:distribution: eks; elsewhere the collectors get no credentials, and nothing is stored.",
              ]
            : []),
        ...(kmsKeyArn !== undefined
            ? [
                  `The policy of ${kmsKeyArn} has to let logs.${region}.amazonaws.com use the key, or AWS refuses to make the log groups ` +
                      "(docs/destinations.md).",
              ]
            : []),
        ...(wanted.auditLogGroup !== undefined && !hasAuditPipeline(catalog)
            ? [`kof:cloudwatch.auditLogGroup has no effect: KOF ${catalog.version} does not tell audit logs from logs.`]
            : []),
    ];
}

/** Whether the daemon sorts audit logs into a pipeline of their own (KOF 1.10 and later). */
function hasAuditPipeline(catalog: Catalog): boolean {
    const pipelines = ["opentelemetry-kube-stack", "collectors", "daemon", "config", "service", "pipelines"];
    return isMap(valueAt(chartValues(catalog, "kof-collectors"), [...pipelines, "logs/audit"]));
}

/** The log group of the audit logs: one of their own, where KOF tells them from logs. */
function auditGroup({ logGroup, auditLogGroup }: Named["cloudwatch"], catalog: Catalog): string {
    return hasAuditPipeline(catalog) ? (auditLogGroup ?? `${logGroup}-audit`) : logGroup;
}

/** CloudWatch namespace of the metrics. The cluster's name is there, and no dimension: each combination of those is billed. */
function namespaceOf({ clusterName }: SettingsOf<"cloudwatch">): string {
    return `KOF/${clusterName}`;
}

/** AWS's limit for the name of a role (CreateRole in the IAM API reference, 2026-11). */
const longestRoleName = 64;

/**
 * The role's name is fixed, because Helm values have to name it before it exists. One that is too long ends with a checksum: cut
 * off, two clusters whose names start alike would share a role.
 */
function roleNameOf({ clusterName }: SettingsOf<"cloudwatch">): string {
    const name = `kof-cloudwatch-${clusterName}`;
    if (name.length <= longestRoleName) {
        return name;
    }
    const checksum = createHash("sha256").update(clusterName).digest("hex").slice(0, 8);
    return `${name.slice(0, longestRoleName - checksum.length - 1)}-${checksum}`;
}

/** The collectors that write to AWS, by their key in the charts' values: all of them where metrics are stored. */
function writersOf({ signals }: CloudWatchSettings, catalog: Catalog): Record<string, string> {
    const names = collectorNames(catalog);
    const keys = [
        ...["cluster", "daemon"],
        ...(signals.metrics === "emf" ? ["controller-k0s", "target-allocator"] : []),
        ...(signals.traces === "xray" ? ["target-allocator"] : []),
    ];
    return Object.fromEntries(Object.entries(names).filter(([key]) => keys.includes(key)));
}

function kubeStack(settings: Named, catalog: Catalog): HelmValues {
    const wanted = settings.cloudwatch;
    const { region, endpoint, signals, logGroup, logStream } = wanted;
    const at = { region, ...(endpoint === undefined ? {} : { endpoint }) };
    const group = auditGroup(wanted, catalog);
    const audit = group === logGroup ? "awscloudwatchlogs" : "awscloudwatchlogs/audit";
    const logGroups = { awscloudwatchlogs: logGroup, ...(hasAuditPipeline(catalog) ? { [audit]: group } : {}) };
    const streams = (collector: string) => ({
        config: {
            exporters: Object.fromEntries(
                Object.keys(logGroups).map((name) => [name, { log_stream_name: streamOf(logStream, collector) }]),
            ),
        },
    });
    const metrics = signals.metrics === "emf" ? "awsemf" : "nop";
    const traces = signals.traces === "xray" ? "awsxray" : "nop";
    // The charts' exporters stay defined: a collector does not start an exporter that no pipeline names, but it does
    // refuse one that is null. Here and below only the pipelines are redirected.
    const shared: HelmValues = {
        config: {
            exporters: {
                ...Object.fromEntries(
                    Object.entries(logGroups).map(([name, log_group_name]) => [
                        name,
                        // A stream is named even where it is not used: the exporter is refused without.
                        {
                            ...at,
                            log_group_name,
                            log_stream_name: streamOf(logStream, "collector"),
                            ...bufferedExporter(bufferOf(settings)),
                        },
                    ]),
                ),
                ...(signals.metrics === "emf"
                    ? {
                          awsemf: {
                              ...at,
                              namespace: namespaceOf(settings),
                              log_group_name: metricsLogGroup(logGroup),
                              log_stream_name: "${env:OTEL_K8S_POD_NAME}",
                              // Each further combination of dimensions would be one more metric to pay for.
                              dimension_rollup_option: "NoDimensionRollup",
                          },
                      }
                    : {}),
                ...(signals.traces === "xray" ? { awsxray: { region } } : {}),
            },
            service: {
                pipelines: {
                    logs: { exporters: ["awscloudwatchlogs"] },
                    metrics: { exporters: [metrics] },
                    traces: { exporters: [traces] },
                },
            },
        },
    };
    const auditPipelines = {
        "logs/default": { exporters: ["awscloudwatchlogs"] },
        "logs/audit": { exporters: [audit] },
    };
    const writers = Object.entries(writersOf(wanted, catalog)).map(([key, name]): HelmValues => {
        const own = mergeValues(logStream.includes("{Collector}") ? streams(name) : {}, roleAnnotation(settings));
        return Object.keys(own).length > 0 ? { collectors: { [key]: own } } : {};
    });
    return mergeValues(
        signals.traces === "xray" ? addClusterIdentity(catalog, ["traces"]) : {},
        { defaultCRConfig: shared },
        hasAuditPipeline(catalog)
            ? { collectors: { daemon: { config: { service: { pipelines: auditPipelines } } } } }
            : {},
        clock(catalog, {
            logs: wanted.retentionDays,
            audit: group === logGroup ? wanted.retentionDays : wanted.auditRetentionDays,
            metrics: signals.metrics === "emf" ? wanted.retentionDays : undefined,
            duration: bufferOf(settings).duration,
        }),
        ...writers,
    );
}

/** The operator copies a collector's annotations to its service account, which is where AWS's webhook looks for the role. */
function roleAnnotation(settings: SettingsOf<"cloudwatch">): HelmValues {
    const { credentials } = settings.cloudwatch;
    if (credentials.kind !== "irsa") {
        return {};
    }
    return { annotations: { "eks.amazonaws.com/role-arn": roleArn(settings, credentials.oidcProviderArn) } };
}

function roleArn(settings: SettingsOf<"cloudwatch">, oidcProviderArn: string): string {
    const { partition, account } = arnParts(oidcProviderArn);
    return `arn:${partition}:iam::${account}:role/kof/${roleNameOf(settings)}`;
}

function restartTriggers(settings: SettingsOf<"cloudwatch">): string[] {
    const { endpoint } = settings.cloudwatch;
    return [authentication(settings), ...(endpoint === undefined ? [] : [`endpoint ${endpoint}`])];
}

/** What the collectors are started with to authenticate at AWS. EKS hands a role to pods when it starts them, too. */
function authentication(settings: SettingsOf<"cloudwatch">): string {
    const { credentials, region } = settings.cloudwatch;
    switch (credentials.kind) {
        case "accessKey":
            return accessKeyTrigger(credentials.generations.at(-1) ?? "");
        case "podIdentity":
            return `role of EKS cluster ${credentials.clusterName} in ${credentials.region ?? region}`;
        case "irsa":
            return `role ${roleArn(settings, credentials.oidcProviderArn)}`;
        case "existingSecret":
            return `Secret ${credentials.name}`;
    }
}

function credentialsEnv({ credentials }: CloudWatchSettings): HelmValue[] {
    if (credentials.kind === "podIdentity" || credentials.kind === "irsa") {
        return [];
    }
    const name = credentials.kind === "existingSecret" ? credentials.name : cloudwatchSecretName;
    return ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map((key) => secretEnv(key, name, key));
}
