import { chartValues, type Catalog } from "../catalog";
import { isMap, mergeValues, valueAt, type HelmValues } from "../catalog/values";
import type { CloudWatchSettings, SettingsOf } from "../stacks/settings";
import type { RouteParts } from ".";
import { collectorValues, collectorsDependOn, metricsServer, umbrellaCollects } from "./collectors";
import { notStored, type Destination } from "./destinations";
import { mothershipVolumes } from "./volumes";

/** Name of the Secret with the collectors' AWS credentials. Constant, so that Helm values can name it before it exists. */
export const cloudwatchSecretName = "cloudwatch-credentials";

/** Logs and audit logs are stored in AWS CloudWatch Logs; metrics and traces are collected by nobody. */
export function cloudwatch(settings: SettingsOf<"cloudwatch">, catalog: Catalog): RouteParts {
    const wanted = settings.cloudwatch;
    const components = valueAt(chartValues(catalog, "kof"), ["global", "components"]) as string[];
    const values: HelmValues = {
        // From 1.10 on the umbrella installs kof-collectors only when told to, and knows no values for it.
        ...(umbrellaCollects(catalog) ? {} : { global: { components: [...components, "kof-collectors"] } }),
        "kof-collectors": {
            enabled: true,
            dependsOn: collectorsDependOn,
            values: mergeValues(
                collectorValues(settings, kubeStack(wanted, catalog), credentialsEnv(wanted)),
                // OpenCost computes costs from stored metrics, of which this route has none.
                { opencost: { enabled: false } },
            ),
        },
    };
    const stored = (group: string): Destination => ({
        stored: true,
        store: `CloudWatch Logs in ${wanted.region}`,
        address: `${group}/${wanted.logStream}`,
    });
    const audit = ownAuditGroup(wanted, catalog);
    const logGroups = [{ name: wanted.logGroup, retentionDays: wanted.retentionDays }];
    if (audit !== undefined) {
        logGroups.push({ name: audit, retentionDays: wanted.auditRetentionDays });
    }
    return {
        values: mergeValues(values, metricsServer(settings, catalog)),
        destinations: {
            metrics: notStored("discarded"),
            logs: stored(wanted.logGroup),
            traces: notStored("discarded"),
            audit: stored(audit ?? wanted.logGroup),
        },
        volumes: mothershipVolumes(catalog),
        cloudwatch: { ...wanted, logGroups },
        notices: [
            "Route cloudwatch stores logs and audit logs only: metrics and traces of this cluster are discarded.",
            ...(wanted.auditLogGroup !== undefined && !hasAuditPipeline(catalog)
                ? [
                      `kof:cloudwatch.auditLogGroup has no effect: KOF ${catalog.version} does not tell audit logs from logs.`,
                  ]
                : []),
        ],
    };
}

const daemonPipelines = ["opentelemetry-kube-stack", "collectors", "daemon", "config", "service", "pipelines"];

/** Whether the daemon sorts audit logs into a pipeline of their own (KOF 1.10 and later). */
function hasAuditPipeline(catalog: Catalog): boolean {
    return isMap(valueAt(chartValues(catalog, "kof-collectors"), [...daemonPipelines, "logs/audit"]));
}

/** The log group of the audit logs, where it is not the one of the logs. */
function ownAuditGroup({ logGroup, auditLogGroup }: CloudWatchSettings, catalog: Catalog): string | undefined {
    return hasAuditPipeline(catalog) && auditLogGroup !== logGroup ? auditLogGroup : undefined;
}

function kubeStack(wanted: CloudWatchSettings, catalog: Catalog): HelmValues {
    const exporter = (group: string) => ({
        region: wanted.region,
        log_group_name: group,
        log_stream_name: wanted.logStream,
        ...(wanted.endpoint === undefined ? {} : { endpoint: wanted.endpoint }),
    });
    const auditGroup = ownAuditGroup(wanted, catalog);
    const audit = auditGroup === undefined ? "awscloudwatchlogs" : "awscloudwatchlogs/audit";
    const discarded = { exporters: ["nop"] };
    // The charts' exporters stay defined: a collector does not start an exporter that no pipeline names, but it does
    // refuse one that is null. Here and below only the pipelines are redirected.
    return {
        ...(hasAuditPipeline(catalog)
            ? {
                  collectors: {
                      daemon: {
                          config: {
                              service: {
                                  pipelines: {
                                      "logs/default": { exporters: ["awscloudwatchlogs"] },
                                      "logs/audit": { exporters: [audit] },
                                  },
                              },
                          },
                      },
                  },
              }
            : {}),
        defaultCRConfig: {
            ...restartOnRotation(wanted),
            config: {
                exporters: {
                    awscloudwatchlogs: exporter(wanted.logGroup),
                    ...(auditGroup === undefined ? {} : { [audit]: exporter(auditGroup) }),
                },
                service: {
                    pipelines: { logs: { exporters: ["awscloudwatchlogs"] }, metrics: discarded, traces: discarded },
                },
            },
        },
    };
}

/** Pods read a Secret's variables once, at their start: a new generation of the key has to restart them. */
function restartOnRotation({ credentials }: CloudWatchSettings): HelmValues {
    return credentials.kind === "accessKey"
        ? { podAnnotations: { "cloudwatch-credentials/generation": credentials.generations.at(-1) ?? "" } }
        : {};
}

function credentialsEnv({ credentials }: CloudWatchSettings) {
    const name = credentials.kind === "existingSecret" ? credentials.name : cloudwatchSecretName;
    return ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map((key) => ({
        name: key,
        valueFrom: { secretKeyRef: { name, key } },
    }));
}
