import type { Catalog, Signal } from "../charts";
import { valuesOfEach } from "../charts/stack";
import { compact } from "../lib/compact";
import { mergeValues, nestSome, type HelmValue, type HelmValues } from "../lib/values";
import { defaultLogGroup, metricsLogGroup } from "../settings/logGroups";
import { arnParts, domainOf } from "../lib/arns";
import { etcdCertificates } from "../settings/distributions";
import { streamOf } from "../settings/streams";
import { bufferedExporter, queueStorage } from "../collectors/buffers";
import { clock, clockOf, type ClockOptions } from "../collectors/clock";
import { addClusterIdentity, identityProcessor } from "../collectors/identity";
import { awsIdentityOf, type AwsIdentity, type CloudWatchSettings, type Settings } from "../settings/settings";
import { bufferOf, collectorNames, collectorsOnly, secretEnv, sortsAuditByDefault } from "./collectors";
import { accessKeyTrigger } from "../charts/restarts";
import type { CloudWatchParts, LogGroup, RouteParts, Target } from "./parts";
import { processingOf } from "./processing";
import { isOfEks, roleAnnotations, roleArnOf, roleNameFor } from "./roles";

/** Name of the Secret with the collectors' AWS credentials. Constant, so that Helm values can name it before it exists. */
export const cloudwatchSecretName = "cloudwatch-credentials";

/** The Secret with the collectors' access key, where they have one. */
export function accessKeySecret(credentials: AwsIdentity): string {
    return credentials.kind === "existingSecret" ? credentials.name : cloudwatchSecretName;
}

/** Days after which an access key is old. AWS's own advice (Security Hub, IAM.3). */
export const maxKeyAgeDays = 90;

/** Settings by which something goes to CloudWatch. */
type Using = Settings & { readonly cloudwatch: CloudWatchSettings };
/** The same with the log group that they resolve to. */
type WithLogGroup = Using & { readonly cloudwatch: { readonly logGroup: string } };

/** Logs and audit logs are stored in AWS CloudWatch Logs; metrics and traces where they are asked for. */
export function cloudwatch(given: Using, catalog: Catalog): RouteParts {
    const settings = withLogGroup(given);
    return {
        values: collectorsOnly(
            settings,
            catalog,
            kubeStackValues(settings, catalog),
            credentialsEnv(settings.cloudwatch),
        ),
        cloudwatch: awsPartsOf(settings, catalog, ["logs", "audit", ...furtherSignals(settings.cloudwatch)]),
        queued: ["logs", "audit", ...overOtlp(settings.cloudwatch)],
        restartTriggers: restartTriggers(settings),
        notices: [...groupNotices(given), ...discardNotices(settings), ...notices(settings, catalog)],
    };
}

/** CloudWatch as one of several destinations. */
export function cloudwatchTarget(given: Using, catalog: Catalog, to: readonly Signal[]): Target {
    const settings = withLogGroup(given);
    const wanted = settings.cloudwatch;
    const sent = to.filter((signal) => !isFurther(signal) || furtherSignals(wanted).includes(signal));
    const own = { ...furtherExporters(wanted), logs: "awscloudwatchlogs", audit: auditExporter(wanted, catalog) };
    const time = clockOf(clockOptions(settings, catalog));
    const processing = processingOf("cloudwatch", wanted.processing);
    const added = (signal: Signal) =>
        isFurther(signal) && identified(wanted).includes(signal)
            ? [identityProcessor, ...time.added[signal]]
            : time.added[signal];
    return {
        name: "cloudwatch",
        exporters: Object.fromEntries(sent.map((signal) => [signal, own[signal]])),
        definitions: {
            exporters: exportersOf(settings, catalog),
            ...extensionsOf(wanted),
            processors: { ...time.processors, ...processing.definitions },
        },
        extensions: Object.keys(extensionsOf(wanted).extensions ?? {}),
        ofCollector: (_, name) => writerValues(settings, catalog, name),
        env: credentialsEnv(wanted),
        processors: (signal) => [...processing.processors(signal), ...added(signal)],
        cloudwatch: awsPartsOf(settings, catalog, sent),
        queued: sent.filter((signal) => !isFurther(signal) || overOtlp(wanted).includes(signal)),
        restartTriggers: restartTriggers(settings),
        notices: [
            ...groupNotices(given),
            ...(given.signals === undefined ? discardNotices(settings) : []),
            ...notices(settings, catalog),
            ...processing.notices,
        ],
    };
}

function withLogGroup(given: Using): WithLogGroup {
    const { logGroup = defaultLogGroup(given.clusterName) } = given.cloudwatch;
    return { ...given, cloudwatch: { ...given.cloudwatch, logGroup } };
}

/** Whether a signal is stored in AWS only where that is asked for. */
function isFurther(signal: Signal): signal is "metrics" | "traces" {
    return signal === "metrics" || signal === "traces";
}

function furtherSignals({ signals }: CloudWatchSettings): Signal[] {
    return (["metrics", "traces"] as const).filter((signal) => signals[signal] !== "none");
}

/** Signals that are sent over OTLP, through a queue on disk. */
function overOtlp({ signals }: CloudWatchSettings): ("metrics" | "traces")[] {
    return (["metrics", "traces"] as const).filter((signal) => signals[signal] === "otlp");
}

/** Signals that get the cluster's names on the way: in the embedded metric format, metrics have them in their namespace. */
function identified({ signals }: CloudWatchSettings): ("metrics" | "traces")[] {
    return compact(signals.metrics === "otlp" && "metrics", signals.traces !== "none" && "traces");
}

/** The exporters of what goes to AWS over OTLP. */
export const cloudwatchOtlpExporters = {
    metrics: "otlphttp/cloudwatch-metrics",
    traces: "otlphttp/cloudwatch-traces",
} as const;

/** The exporters of what is stored only where that is asked for. */
function furtherExporters({ signals }: CloudWatchSettings): { metrics: string; traces: string } {
    const otlp = cloudwatchOtlpExporters;
    return {
        metrics: { none: "nop", emf: "awsemf", otlp: otlp.metrics }[signals.metrics],
        traces: { none: "nop", xray: "awsxray", otlp: otlp.traces }[signals.traces],
    };
}

/**
 * What AWS's endpoints for OTLP take ("OTLP endpoints" in the CloudWatch user guide, 2026-11): 1,000 data points a request; 10,000
 * spans and 5 MB before compression. A batch of bytes starts well below, so that it cannot have too many small spans.
 */
const otlpEndpoints = {
    metrics: { service: "monitoring", batch: { sizer: "items", min_size: 1000, max_size: 1000, flush_timeout: "5s" } },
    traces: { service: "xray", batch: { sizer: "bytes", min_size: 400_000, max_size: 4_000_000, flush_timeout: "5s" } },
} as const;

function otlpExporters(settings: Using): HelmValues {
    const { cloudwatch: wanted } = settings;
    const ids = furtherExporters(wanted);
    return Object.fromEntries(
        overOtlp(wanted).map((signal) => {
            const { service, batch } = otlpEndpoints[signal];
            const options: HelmValues = {
                [`${signal}_endpoint`]: `https://${service}.${wanted.region}.${domainOf(wanted.region)}/v1/${signal}`,
                auth: { authenticator: authenticatorOf(signal) },
                compression: "gzip",
            };
            return [
                ids[signal],
                mergeValues(options, bufferedExporter(bufferOf(settings)), { sending_queue: { batch } }),
            ];
        }),
    );
}

function authenticatorOf(signal: "metrics" | "traces"): string {
    return `sigv4auth/cloudwatch-${signal}`;
}

/** What signs requests. Left to guess the service, it knows neither (contrib 0.143: 403, and everything is dropped). */
function extensionsOf(wanted: CloudWatchSettings): { extensions?: HelmValues } {
    const { region, credentials } = wanted;
    const { role } = awsIdentityOf(credentials);
    const signed = overOtlp(wanted).map((signal) => [
        authenticatorOf(signal),
        {
            region,
            service: otlpEndpoints[signal].service,
            ...(role ? { assume_role: { arn: role.roleArn, sts_region: region } } : {}),
        },
    ]);
    return nestSome(["extensions"], Object.fromEntries(signed) as HelmValues);
}

/** What is made in AWS for these signals. */
function awsPartsOf(settings: WithLogGroup, catalog: Catalog, sent: readonly Signal[]): CloudWatchParts {
    const wanted = settings.cloudwatch;
    const { logGroup, retentionDays } = wanted;
    const audit = auditGroup(wanted, catalog);
    const groups: LogGroup[] = compact(
        (sent.includes("logs") || (sent.includes("audit") && audit === logGroup)) &&
            ({ holds: "logs", name: logGroup, retentionDays } as const),
        sent.includes("audit") &&
            audit !== logGroup &&
            ({ holds: "audit", name: audit, retentionDays: wanted.auditRetentionDays } as const),
        sent.includes("metrics") &&
            wanted.signals.metrics === "emf" &&
            ({ holds: "metrics", name: metricsLogGroup(logGroup), retentionDays } as const),
    );
    // Without such a collector, its service account needs no role.
    const writers = Object.entries(writersOf(wanted, catalog))
        .filter(([key]) => key !== "controller-k0s" || etcdCertificates(settings.distribution) !== undefined)
        .map(([, name]) => name);
    const { identity, role } = awsIdentityOf(wanted.credentials);
    return {
        ...wanted,
        credentials: identity,
        ...(role
            ? { central: { ...role, account: arnParts(role.roleArn).account, logGroups: groups }, logGroups: [] }
            : { logGroups: groups }),
        serviceAccounts: writers.map((name) => `${name}-collector`),
        ...(identity.kind === "irsa" ? { roleName: roleNameOf(settings) } : {}),
    };
}

function groupNotices({ cloudwatch: { logGroup }, clusterName }: Using): string[] {
    return compact(
        logGroup === undefined &&
            `kof:cloudwatch.logGroup is not set: a new stack uses ${defaultLogGroup(clusterName)}. A stack that ` +
                "was deployed before keeps its log group.",
    );
}

function discardNotices({ cloudwatch: { signals } }: Using): string[] {
    const off = Object.entries(signals).flatMap(([signal, how]) => (how === "none" ? [signal] : []));
    return off.length === 0
        ? []
        : [`Route cloudwatch discards ${off.join(" and ")} of this cluster. kof:cloudwatch.signals stores them.`];
}

function notices({ cloudwatch: wanted, distribution }: WithLogGroup, catalog: Catalog): string[] {
    const { signals, kmsKeyArn, region } = wanted;
    const { identity: credentials, path, role } = awsIdentityOf(wanted.credentials);
    const key = `kof:${path.join(".")}`;
    const further = furtherSignals(wanted)
        .filter((signal) => !overOtlp(wanted).some((each) => each === signal))
        .join(" and ");
    const kept = ["logs", ...overOtlp(wanted)].join(" and ");
    return compact(
        further !== "" &&
            `An outage of AWS loses ${further}: their exporters have no queue. Only ${kept} are kept (kof:buffer).`,
        signals.traces === "otlp" &&
            `kof:cloudwatch.signals.traces is otlp, for which Transaction Search has to be on in the account, in ${region}: ` +
                "aws xray update-trace-segment-destination --destination CloudWatchLogs.",
        signals.metrics === "emf" && emfNotice,
        signals.traces === "xray" && xrayNotice,
        role && centralNotice(wanted, catalog, role.roleArn),
        credentials.kind === "accessKey" &&
            distribution === "eks" &&
            `${key} is an access key, which does not expire and can be copied. On EKS there is a way without any ` +
                `secret: ${path.at(-1) ?? ""}: {kind: podIdentity, clusterName: NAME}.`,
        distribution !== "eks" &&
            isOfEks(credentials) &&
            `${key} is ${credentials.kind === "irsa" ? "irsa with an issuer of EKS" : "podIdentity, which EKS alone has"}, ` +
                `but kof:distribution is ${distribution}. ` +
                "On EKS set kof:distribution: eks; elsewhere the collectors get no credentials, and nothing is stored.",
        kmsKeyArn !== undefined &&
            `The policy of ${kmsKeyArn} has to let logs.${region}.amazonaws.com use the key, or AWS refuses to make the log groups ` +
                "(docs/destinations.md).",
        wanted.auditLogGroup !== undefined &&
            !sortsAuditByDefault(catalog) &&
            `kof:cloudwatch.auditLogGroup has no effect: KOF ${catalog.version} does not tell audit logs from logs.`,
    );
}

/** What has to be there before the collectors can write into another account. */
function centralNotice(wanted: WithLogGroup["cloudwatch"], catalog: Catalog, roleArn: string): string {
    const groups = Object.values(groupsOf(wanted, catalog));
    const all = [...new Set(compact(...groups, wanted.signals.metrics === "emf" && metricsLogGroup(wanted.logGroup)))];
    const otlp = overOtlp(wanted);
    return (
        `kof:cloudwatch.credentials is the role ${roleArn}: the stack makes no log group. Account ${arnParts(roleArn).account} has to ` +
        `have ${new Intl.ListFormat("en-GB").format(all)} in ${wanted.region}, and a role that trusts the collectors. npm run render writes ` +
        "both policies of that role to summary.md, and how to make all of it." +
        (otlp.length === 0
            ? ""
            : ` Collectors that may not assume the role do not start, because ${otlp.join(" and ")} go over OTLP.`)
    );
}

/** What awsemf leaves out: contrib 0.143, exporter/awsemfexporter/datapoint.go. Thirty labels: the specification of EMF (2026-11). */
const emfNotice =
    "kof:cloudwatch.signals.metrics is emf: AWS bills each series of each node as a custom metric, and also its log events. " +
    "A cluster of a few nodes has tens of thousands of series. Of a histogram only count, sum, minimum and maximum are stored, of a " +
    "counter what it grows by, without its first value; and no series with more than 30 labels. " +
    "kof:cloudwatch.signals.metrics: otlp is billed by what is sent, and stores all of that.";

/** What awsxray leaves out: contrib 0.143, exporter/awsxrayexporter/internal/translator/cause.go. */
const xrayNotice =
    "kof:cloudwatch.signals.traces is xray: AWS bills each trace that it records. Events of spans other than exceptions are not " +
    "stored. kof:cloudwatch.signals.traces: otlp is billed by what is sent, and stores all of that.";

/** The log group of the audit logs: a separate one if KOF has them as a separate signal. */
function auditGroup({ logGroup, auditLogGroup }: WithLogGroup["cloudwatch"], catalog: Catalog): string {
    return sortsAuditByDefault(catalog) ? (auditLogGroup ?? `${logGroup}-audit`) : logGroup;
}

function roleNameOf({ clusterName }: Settings): string {
    return roleNameFor("kof-cloudwatch", clusterName);
}

/** The collectors that write to AWS, by their key in the charts' values: all of them where metrics are stored. */
function writersOf({ signals }: CloudWatchSettings, catalog: Catalog): Record<string, string> {
    const names = collectorNames(catalog);
    const keys = compact(
        ...["cluster", "daemon"],
        ...(signals.metrics === "none" ? [] : ["controller-k0s", "target-allocator"]),
        signals.traces !== "none" && "target-allocator",
    );
    return Object.fromEntries(Object.entries(names).filter(([key]) => keys.includes(key)));
}

function auditExporter(wanted: WithLogGroup["cloudwatch"], catalog: Catalog): string {
    return auditGroup(wanted, catalog) === wanted.logGroup ? "awscloudwatchlogs" : "awscloudwatchlogs/audit";
}

/** The log groups that exporters of logs write to, by exporter. */
function groupsOf(wanted: WithLogGroup["cloudwatch"], catalog: Catalog): Record<string, string> {
    return {
        awscloudwatchlogs: wanted.logGroup,
        ...(sortsAuditByDefault(catalog) ? { [auditExporter(wanted, catalog)]: auditGroup(wanted, catalog) } : {}),
    };
}

/** What one collector has for itself: its log streams, and its role. */
function writerValues(settings: WithLogGroup, catalog: Catalog, collector: string): HelmValues {
    const { cloudwatch: wanted } = settings;
    const stream = { log_stream_name: streamOf(wanted.logStream, collector) };
    const { identity } = awsIdentityOf(wanted.credentials);
    const streams = Object.keys(groupsOf(wanted, catalog)).map((exporter) => [exporter, stream]);
    return mergeValues(
        wanted.logStream.includes("{Collector}")
            ? { config: { exporters: Object.fromEntries(streams) as HelmValues } }
            : {},
        // The operator copies annotations to the service account, which is where AWS's webhook looks for the role.
        identity.kind === "irsa"
            ? { annotations: roleAnnotations(roleNameOf(settings), identity.oidcProviderArn) }
            : {},
    );
}

/** The exporters' option for an AWS role (contrib 0.143, internal/aws/awsutil/conn.go). */
function roleOptions({ credentials }: CloudWatchSettings): HelmValues {
    const { role } = awsIdentityOf(credentials);
    return role
        ? { role_arn: role.roleArn, ...(role.externalId === undefined ? {} : { external_id: role.externalId }) }
        : {};
}

function exportersOf(settings: WithLogGroup, catalog: Catalog): HelmValues {
    const wanted = settings.cloudwatch;
    const { region, endpoint, signals, logGroup } = wanted;
    const assumed = roleOptions(wanted);
    const at = { region, ...(endpoint === undefined ? {} : { endpoint }), ...assumed };
    // A stream is named even where it is not used: the exporter is refused without.
    const stream = { log_stream_name: streamOf(wanted.logStream, "collector") };
    const ofLogs = Object.entries(groupsOf(wanted, catalog)).map(([name, log_group_name]) => [
        name,
        { ...at, log_group_name, ...stream, ...bufferedExporter(bufferOf(settings)) },
    ]);
    const metrics = {
        ...at,
        // The cluster's name is here, and no dimension: each combination of those is billed.
        namespace: `KOF/${settings.clusterName}`,
        log_group_name: metricsLogGroup(logGroup),
        log_stream_name: "${env:OTEL_K8S_POD_NAME}",
        // Each further combination of dimensions would be one more metric to pay for.
        dimension_rollup_option: "NoDimensionRollup",
    };
    return {
        ...(Object.fromEntries(ofLogs) as HelmValues),
        ...(signals.metrics === "emf" ? { awsemf: metrics } : {}),
        ...(signals.traces === "xray" ? { awsxray: { region, ...assumed } } : {}),
        ...otlpExporters(settings),
    };
}

/** How long CloudWatch keeps metrics and spans from OTLP, in days. No setting changes it: 15 months, or the retention of aws/spans. */
const keptOverOtlp = 455;

function clockOptions(settings: WithLogGroup, catalog: Catalog): ClockOptions {
    const wanted = settings.cloudwatch;
    const ownGroup = auditGroup(wanted, catalog) !== wanted.logGroup;
    return {
        logs: wanted.retentionDays,
        audit: ownGroup ? wanted.auditRetentionDays : wanted.retentionDays,
        metrics: { none: undefined, emf: wanted.retentionDays, otlp: keptOverOtlp }[wanted.signals.metrics],
        metricsWait: wanted.signals.metrics === "otlp",
        traces: wanted.signals.traces === "otlp" ? keptOverOtlp : undefined,
        duration: bufferOf(settings).duration,
    };
}

function kubeStackValues(settings: WithLogGroup, catalog: Catalog): HelmValues {
    const wanted = settings.cloudwatch;
    const { metrics, traces } = furtherExporters(wanted);
    const extensions = extensionsOf(wanted);
    const identity = addClusterIdentity(catalog, identified(wanted));
    const writers = writersOf(wanted, catalog);
    // The charts' exporters stay defined: a collector does not start an exporter that no pipeline names, but it does
    // refuse one that is null. Here and below only the pipelines are redirected.
    const shared: HelmValues = {
        config: {
            exporters: exportersOf(settings, catalog),
            ...extensions,
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
        "logs/audit": { exporters: [auditExporter(wanted, catalog)] },
    };
    return mergeValues(
        queueStorage(catalog, Object.keys(extensions.extensions ?? {})),
        identity,
        { defaultCRConfig: shared },
        sortsAuditByDefault(catalog)
            ? { collectors: { daemon: { config: { service: { pipelines: auditPipelines } } } } }
            : {},
        clock(catalog, clockOptions(settings, catalog), identity),
        valuesOfEach(catalog, (_, key) => (writers[key] ? writerValues(settings, catalog, writers[key]) : {})),
    );
}

function restartTriggers(settings: Using): string[] {
    const { endpoint } = settings.cloudwatch;
    return compact(authentication(settings), endpoint !== undefined && `endpoint ${endpoint}`);
}

/** What the collectors are started with to authenticate at AWS. EKS hands a role to pods when it starts them, too. */
function authentication(settings: Using): string {
    const { region } = settings.cloudwatch;
    const { identity: credentials } = awsIdentityOf(settings.cloudwatch.credentials);
    switch (credentials.kind) {
        case "accessKey":
            return accessKeyTrigger(credentials.generations.at(-1) ?? "");
        case "podIdentity":
            return `role of EKS cluster ${credentials.clusterName} in ${credentials.region ?? region}`;
        case "irsa":
            return `role ${roleArnOf(roleNameOf(settings), credentials.oidcProviderArn)}`;
        case "existingSecret":
            return `Secret ${credentials.name}`;
    }
}

function credentialsEnv({ credentials: given }: CloudWatchSettings): HelmValue[] {
    const { identity: credentials } = awsIdentityOf(given);
    if (credentials.kind === "podIdentity" || credentials.kind === "irsa") {
        return [];
    }
    const name = accessKeySecret(credentials);
    return ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map((key) => secretEnv(key, name, key));
}
