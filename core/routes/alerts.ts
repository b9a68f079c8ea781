import { chartValues, nounOf, type Signal } from "../charts";
import type { ArchiveKind } from "../charts/archives";
import { installedCharts } from "../charts/installed";
import { valuesHandedTo } from "../charts/layers";
import { kofNamespace } from "../charts/namespace";
import { componentValues, enabledComponents } from "../charts/umbrella";
import { queueExporterOf } from "../collectors/buffers";
import { typeOf } from "../collectors/flows";
import { retentionInDays } from "../lib/durations";
import { sizeInGiB } from "../lib/quantities";
import { compact } from "../lib/compact";
import { coalesceValues, textOf, valueAt, type HelmValues } from "../lib/values";
import { maxKeyAgeDays } from "./cloudwatch";
import { deliveriesOf, destinationOf, processingAt, type Delivery } from "./deliveries";
import type { Deployment } from "./deployment";
import { claimPattern, type Volume } from "./volumes";

/*
 * Which metrics there are (KOF 1.8.0 to 1.11.0-rc0, charts/kof-collectors/values.yaml): the collectors' own come by the annotations
 * of their pods (`disablePrometheusAnnotations`, job `kubernetes-pods`) or by a monitor (`enableMetrics`), the kubelet's by job
 * `kubelet`. Remote write adds the label `cluster`. The names are those of a collector 0.143, tried 2026-11-27.
 *
 * Promxy evaluates with a Prometheus of its own, a fork of March 2023 (Promxy v0.0.93, go.mod); VictoriaMetrics' tools with MetricsQL. The
 * expressions keep to what both know, and a group has no interval of its own, so none looks at many series for long.
 */

/** A rule in Prometheus' form, with its message. */
export interface AlertRule {
    readonly alert: string;
    /** PromQL. */
    readonly expr: string;
    /** How long the expression has to hold, as a Prometheus duration. */
    readonly for: string;
    readonly severity: "critical" | "warning";
    /** When it fires, human-readable: `no logs are sent to management for 15 minutes`. */
    readonly when: string;
    /** What to do, with the templates of Prometheus. */
    readonly description: string;
}

/** The ConfigMap for Promxy and the VMRule for VMAlert, in the namespace of KOF, that have the rules. */
export const alertsName = "kof-storage-routes-alerts";

/** The kind of the object for VMAlert, and where the API has such objects of KOF's namespace. Release victoria-metrics-operator brings it. */
export const vmRule = {
    apiVersion: "operator.victoriametrics.com/v1beta1",
    kind: "VMRule",
    path: `/apis/operator.victoriametrics.com/v1beta1/namespaces/${kofNamespace}/vmrules`,
} as const;

/** What evaluates the rules on this cluster. */
interface Evaluator {
    readonly by: "Promxy" | "VMAlert";
    /** Whether an Alertmanager is told what fires. */
    readonly notifies: boolean;
}

/** What watches a stack after it is deployed. */
export interface Alerts {
    /** The cluster's label in its metrics. */
    readonly cluster: string;
    readonly rules: readonly AlertRule[];
    /** None without rules. */
    readonly evaluators: readonly Evaluator[];
    /** Why there are none. */
    readonly none?: string;
}

/** What has an access key that the stack made. */
export type KeyOwner = "cloudwatch" | ArchiveKind;

/** Stands in a rule for when the access key was made, in seconds since 1970: only AWS knows. */
const keyMade = (owner: KeyOwner) => `ACCESS_KEY_MADE${owner === "cloudwatch" ? "" : `_FOR_${owner}`}`;

/** The alert of each signal. The first is for metrics that are also sent elsewhere. */
const alertNames: Readonly<Record<Signal, string>> = {
    metrics: "MetricsNotForwarded",
    logs: "LogsNotArriving",
    traces: "TracesNotArriving",
    audit: "AuditLogsNotArriving",
};

const counted: Readonly<Record<Signal, string>> = {
    metrics: "metric_points",
    logs: "log_records",
    traces: "spans",
    audit: "log_records",
};

/** The rules of a stack, where its metrics are in a store of KOF's and KOF evaluates rules. */
export function alertsOf(deployment: Deployment): Alerts {
    const { clusterName, alerts } = deployment.settings;
    if (!alerts) {
        return noAlerts(clusterName, "by choice");
    }
    const deliveries = deliveriesOf(deployment);
    const metrics = deliveries.find(({ signal, end }) => signal === "metrics" && end.holds === "metrics");
    if (!metrics) {
        return noAlerts(clusterName, "the metrics of this cluster are in no store of KOF's");
    }
    const off = promxyOff(deployment);
    // A VMAlert sees only what is in the store of its own cluster.
    const vmAlerts = metrics.end.on === "cluster" ? vmAlertsOf(deployment) : [];
    const evaluators: Evaluator[] = compact(
        off === undefined && { by: "Promxy" as const, notifies: true },
        vmAlerts.length > 0 && { by: "VMAlert" as const, notifies: vmAlerts.some(notifies) },
    );
    if (evaluators.length === 0) {
        return noAlerts(clusterName, `${String(off)} turns off what evaluates them`);
    }
    const label = valueAt(metrics.writers[0]?.flow.settings, ["external_labels", "cluster"]);
    const cluster = label === undefined ? clusterName : textOf(label);
    return {
        cluster,
        evaluators,
        rules: [
            metricsRule(cluster),
            ...arrivalRules(deployment, deliveries, metrics, cluster),
            ...exporterRules(deliveries, cluster),
            ...volumeRules(deployment, cluster),
            ...keyRules(deployment),
        ],
    };
}

function noAlerts(cluster: string, none: string): Alerts {
    return { cluster, rules: [], evaluators: [], none };
}

/** The rules without the VMRule, which nothing can make before KOF has brought its definition. */
export function withoutVmRule(alerts: Alerts): Alerts {
    const evaluators = alerts.evaluators.filter(({ by }) => by !== "VMAlert");
    return alerts.rules.length > 0 && evaluators.length === 0
        ? noAlerts(alerts.cluster, "only VMAlert evaluates them, and its rules cannot be in a folder")
        : { ...alerts, evaluators };
}

/** Whether something evaluates the rules. */
export function isEvaluatedBy({ evaluators }: Alerts, by: Evaluator["by"]): boolean {
    return evaluators.some((each) => each.by === by);
}

/** What evaluates the rules, human-readable. */
export function evaluatorsText({ evaluators }: Alerts): string {
    return evaluators
        .map(({ by, notifies }) => `${by}, which notifies ${notifies ? "Alertmanager" : "nobody"}`)
        .join(", and ");
}

/**
 * The value that turns off Promxy of kof-mothership, which evaluates rules and notifies Alertmanager
 * (`templates/promxy/promxy-deployment.yaml`). `undefined` where it runs.
 */
function promxyOff(deployment: Deployment): string | undefined {
    const chart = "kof-mothership";
    return !enabledComponents(deployment.umbrella).includes(chart)
        ? `${chart}.enabled`
        : valueAt(componentValues(deployment, chart), ["promxy", "enabled"]) === true
          ? undefined
          : `${chart}.values.promxy.enabled`;
}

/**
 * The specs of the VMAlerts of this cluster that evaluate every VMRule on the store of this cluster: kof-mothership's
 * (`templates/victoria/vmalert.yaml`), and that of kof-storage where the store is its own (KOF 1.8.0 to 1.11.0-rc0). One that chooses
 * its rules, or reads elsewhere, is not among them.
 */
function vmAlertsOf({ catalog, umbrella }: Deployment): HelmValues[] {
    const spec = ["victoriametrics", "vmalert", "spec"];
    return installedCharts(umbrella).flatMap((chart) => {
        const own = chartValues(catalog, chart.chart);
        if (valueAt(own, spec) === undefined) {
            return [];
        }
        const all = coalesceValues(own, valuesHandedTo(catalog, umbrella, chart));
        const at = (...path: string[]) => valueAt(all, ["victoriametrics", ...path]);
        const inSpec = (...path: string[]) => valueAt(all, [...spec, ...path]);
        const runs = at("enabled") === true && at("vmalert", "enabled") === true;
        const takesAll =
            inSpec("selectAllByDefault") === true &&
            inSpec("ruleSelector") === undefined &&
            inSpec("ruleNamespaceSelector") === undefined;
        const readsStore = inSpec("datasource", "url") === valueAt(own, [...spec, "datasource", "url"]);
        return compact(runs && takesAll && readsStore && (inSpec() as HelmValues));
    });
}

/** Whether a VMAlert has a notifier. KOF's have `notifier.blackhole`, beside which the VictoriaMetrics operator refuses any other. */
function notifies(spec: HelmValues): boolean {
    return textOf(valueAt(spec, ["extraArgs", "notifier.blackhole"]) ?? false) === "false";
}

function metricsRule(cluster: string): AlertRule {
    return {
        alert: "MetricsNotArriving",
        expr: `absent(${noMetrics(cluster)})`,
        for: "15m",
        severity: "critical",
        when: "no metrics of this cluster are in KOF's store for 15 minutes: the other rules see nothing meanwhile",
        description:
            "No metrics of the cluster have been stored for 15 minutes, so nothing else of it is watched either. " +
            "`npm run doctor` and `npm run verify` say where they are lost.",
    };
}

/** What there is of every target that a collector scrapes. */
function noMetrics(cluster: string): string {
    return `up{${matchers({ cluster })}}`;
}

/** A rule per signal: every destination that gets nothing of it. */
function arrivalRules(
    deployment: Deployment,
    deliveries: readonly Delivery[],
    stored: Delivery,
    cluster: string,
): AlertRule[] {
    const seen = new Set<string>();
    const watched = deliveries.filter((delivery) => {
        // One exporter may write several signals, and counts each by its kind.
        const series = [counted[delivery.signal], ...exportersOf([delivery])].join();
        const isNew = !seen.has(series);
        seen.add(series);
        return delivery !== stored && isNew && !leavesOut(deployment, delivery);
    });
    return (["metrics", "logs", "traces", "audit"] as const).flatMap((signal): AlertRule[] => {
        const ofSignal = watched.filter((each) => each.signal === signal);
        if (ofSignal.length === 0) {
            return [];
        }
        const parts = ofSignal.map((delivery) => {
            const sent = `otelcol_exporter_sent_${counted[signal]}_total{${collectorSelector(cluster, exportersOf([delivery]))}}`;
            // Nobody may send spans, or the API server no audit logs, and a counter comes with the first record.
            const before = {
                metrics: "",
                logs: "",
                traces: ` and on () sum(increase(otelcol_receiver_accepted_spans_total{${collectorSelector(cluster)}}[15m])) > 0`,
                audit: ` and on () sum(${sent}) > 0`,
            }[signal];
            const nothing = `(sum(increase(${sent}[15m])) or vector(0)) == 0${before}`;
            return `label_replace(${nothing}, "destination", ${JSON.stringify(destinationOf(delivery))}, "", "")`;
        });
        const to = ofSignal.map(destinationOf).join(" or ");
        const although = signal === "traces" ? ", although the collectors get some" : "";
        return [
            {
                alert: alertNames[signal],
                // Without metrics nothing is known.
                expr: `(\n${parts.join("\nor\n")}\n)\nunless on () absent(${noMetrics(cluster)})`,
                for: "5m",
                severity: "critical",
                when: `no ${nounOf(signal)} are sent to ${to} for 15 minutes${although}`,
                description:
                    `No ${nounOf(signal)} of the cluster have been sent to {{ $labels.destination }} for 15 minutes. ` +
                    "`npm run verify` says where they are lost.",
            },
        ];
    });
}

/** Whether a destination gets less than everything on purpose: then it may rightly receive nothing. */
function leavesOut({ settings }: Deployment, { end }: Delivery): boolean {
    const { dropNamespaces, minimumSeverity, sampleTraces } =
        (end.destination === undefined ? undefined : processingAt(settings, end.destination)) ?? {};
    return [dropNamespaces, minimumSeverity, sampleTraces].some((choice) => choice !== undefined);
}

/** What exporters lose, and what waits in their queues. */
function exporterRules(deliveries: readonly Delivery[], cluster: string): AlertRule[] {
    const lost = (["metrics", "logs", "traces"] as const).flatMap((signal) => {
        const ofSignal = deliveries.filter((each) => counted[each.signal] === counted[signal]);
        const selector = collectorSelector(cluster, keepersOf(ofSignal));
        return ofSignal.length === 0
            ? []
            : ["send_failed", "enqueue_failed"].map((failure) => {
                  const series = `otelcol_exporter_${failure}_${counted[signal]}_total{${selector}}`;
                  const labelled = (expr: string) => `label_replace(${expr}, "signal", "${signal}", "", "")`;
                  // A counter comes with the first failure, which for Prometheus is no increase.
                  return (
                      `${labelled(`sum by (exporter) (increase(${series}[15m])) > 0`)}\nor\n` +
                      labelled(`sum by (exporter) (${series} unless max_over_time(${series}[6h] offset 15m)) > 0`)
                  );
              });
    });
    const all = collectorSelector(cluster, keepersOf(deliveries));
    const queue = (what: string) => `max by (exporter, pod) (otelcol_exporter_queue_${what}{${all}})`;
    return [
        {
            alert: "ExporterLosesRecords",
            expr: lost.join("\nor\n"),
            for: "0s",
            severity: "critical",
            when: "an exporter gives records up, or refuses them because its queue is full",
            description:
                "{{ $labels.exporter }} has lost {{ $labels.signal }} within 15 minutes: {{ $value | humanize }} records. The logs of the collectors' pods say why, " +
                "and `npm run doctor` repeats it.",
        },
        {
            alert: "ExporterQueueFills",
            expr: `max by (exporter) (${queue("size")} / ${queue("capacity")}) > 0.8`,
            for: "5m",
            severity: "warning",
            when: "the queue of an exporter is more than 80 % full for 5 minutes",
            description:
                "The fullest queue of {{ $labels.exporter }} is at {{ $value | humanizePercentage }}. Its destination is away or too slow, and " +
                "what does not fit is lost. `kof:buffer` has its size.",
        },
    ];
}

/** A volume that fills, of this cluster and of the region where its telemetry goes. */
function volumeRules({ settings, volumes, regionalStores, destinations }: Deployment, cluster: string): AlertRule[] {
    const isRegional = Object.values(destinations).some(
        (each) => each.stored && each.ends.some(({ on }) => on === "region"),
    );
    const region = isRegional ? settings.regional?.cluster : undefined;
    const parts = [
        ...volumes.flatMap((volume) => fillsSoon(volume, cluster, volumes)),
        ...(region === undefined
            ? []
            : regionalStores
                  .filter(({ keeps }) => keeps === "volumes")
                  .flatMap((volume) => fillsSoon(volume, region, regionalStores))),
    ];
    return compact(
        parts.length > 0 && {
            alert: "VolumeFullSoon",
            expr: parts.join("\nor\n"),
            for: "1h",
            severity: "warning",
            when: "a volume of the stores is full in less than 14 days, at the growth of the last day",
            description:
                "Volume {{ $labels.persistentvolumeclaim }} is full in less than 14 days. `npm run size` says what it needs. " +
                "Volumes of metrics follow a larger `kof:storage`, those of logs and traces need `npm run grow`.",
        },
    );
}

/**
 * Whether volumes of a workload are full within 14 days. A volume that is younger than its retention still grows until the oldest data is
 * deleted. It counts only if it would be full before that.
 */
function fillsSoon({ workload, retention, limits, size }: Volume, cluster: string, all: readonly Volume[]): string[] {
    // What deletes by space is meant to be full.
    const isLimited = limits.some(({ giB }) => giB !== undefined && giB < sizeInGiB(size));
    const days = retention === undefined ? Number.NaN : retentionInDays(retention);
    if (isLimited || !(days > 0)) {
        return [];
    }
    const selector = `${matchers({ cluster, namespace: kofNamespace })},persistentvolumeclaim=~"${claimPattern(workload)}"`;
    const free = `kubelet_volume_stats_available_bytes{${selector}}`;
    const seconds = String(Math.round(days * 86_400));
    // No metric is older than what the metrics' own store keeps.
    const known = all.flatMap(({ signal, retention: kept }) =>
        signal === "metrics" && kept !== undefined ? [retentionInDays(kept)] : [],
    );
    const age = `${String(Math.floor(Math.min(days, ...known) * 0.9 * 24))}h`;
    const by = (expr: string) => `max by (cluster, persistentvolumeclaim) (${expr})`;
    return [
        `${by(`predict_linear(${free}[1d], 1209600)`)} < 0\n` +
            `unless (\n${by(`-deriv(${free}[1d])`)} * ${seconds}\n` +
            `< ${by(`kubelet_volume_stats_capacity_bytes{${selector}}`)}\n` +
            `unless ${by(`${free} offset ${age}`)}\n)`,
    ];
}

/** An access key that the stack made, whose age is known only to AWS. */
interface OwnKey {
    readonly owner: KeyOwner;
    /** Human-readable: `CloudWatch`. */
    readonly title: string;
    /** The label of the key that is in use. */
    readonly generation: string;
}

/** The access keys that a stack makes, each of which only the deployment tells the age of. */
export function ownKeys({ cloudwatch, archives }: Pick<Deployment, "cloudwatch" | "archives">): OwnKey[] {
    return [
        { owner: "cloudwatch" as const, title: "CloudWatch", credentials: cloudwatch?.credentials },
        ...archives.map(({ kind, credentials }) => ({ owner: kind, title: `kof:${kind}`, credentials })),
    ].flatMap(({ credentials, ...key }) => {
        const generation = credentials?.kind === "accessKey" ? credentials.generations.at(-1) : undefined;
        return generation === undefined ? [] : [{ ...key, generation }];
    });
}

function keyRules(deployment: Deployment): AlertRule[] {
    const keys = ownKeys(deployment);
    const [first] = keys;
    if (!first) {
        return [];
    }
    const isOne = keys.length === 1;
    const parts = keys.map(({ owner, title }) => {
        const age = `vector(time()) - ${keyMade(owner)}`;
        const labelled = isOne ? age : `label_replace(${age}, "key", ${JSON.stringify(title)}, "", "")`;
        return `${labelled} > ${String(maxKeyAgeDays * 86_400)}`;
    });
    const whose = !isOne
        ? "of {{ $labels.key }}"
        : first.owner === "cloudwatch"
          ? "that the collectors use at AWS"
          : `of ${first.title}`;
    const setting = isOne ? `\`kof:${first.owner}.credentials.generations\`` : "its `credentials.generations`";
    return [
        {
            alert: "AccessKeyOld",
            expr: parts.join("\nor\n"),
            for: "0s",
            severity: "warning",
            when: `the access key of ${keys.map(({ title }) => title).join(" or ")} is older than ${String(maxKeyAgeDays)} days`,
            description:
                `The access key ${whose} is older than ${String(maxKeyAgeDays)} days. Rotate it: add a label to ` +
                `${setting} and deploy, then remove the old one and deploy again.`,
        },
    ];
}

/** The group of the rules, which VMAlert has in the label `alertgroup`, and with `.yaml` their file in Promxy. */
const group = "kof-storage-routes";

/**
 * The rules as kof-operator reads them: by group a map of rules by name, as YAML of which JSON is a part (1.8.0 to 1.11.0-rc0,
 * kof-operator/internal/controller/alerts_configmap_controller.go). It adds them to those that Promxy evaluates.
 *
 * @param made when each of {@link ownKeys} was made, in RFC 3339. Default: not known.
 */
export function alertConfig(
    { rules, cluster }: Alerts,
    made: Readonly<Partial<Record<KeyOwner, string>>> = {},
): HelmValues {
    const dated = (expr: string) =>
        expr.replaceAll(/ACCESS_KEY_MADE(?:_FOR_(\w+))?/g, (stand, owner = "cloudwatch") => {
            const seconds = Math.floor(Date.parse(made[owner as KeyOwner] ?? "") / 1000);
            return Number.isNaN(seconds) ? stand : String(seconds);
        });
    const rule = ({ alert, expr, severity, description, when, ...each }: AlertRule): [string, HelmValues] => [
        alert,
        {
            expr: dated(expr),
            for: each.for,
            labels: { cluster, severity },
            annotations: { summary: `${cluster}: ${when}`, description },
        },
    ];
    return { [group]: Object.fromEntries(rules.map(rule)) };
}

/** The same rules as the spec of a VMRule (`operator.victoriametrics.com/v1beta1`, VictoriaMetrics operator 0.67). */
export function vmRuleSpec(...args: Parameters<typeof alertConfig>): HelmValues {
    const groups = Object.entries(alertConfig(...args)).map(([name, rules]) => ({
        name,
        rules: Object.entries(rules as HelmValues).map(([alert, rule]) => ({ alert, ...(rule as HelmValues) })),
    }));
    return { groups };
}

function exportersOf(deliveries: readonly Delivery[]): string[] {
    return [...new Set(deliveries.flatMap(({ writers }) => writers.map(({ flow }) => flow.exporter)))].sort();
}

/** The exporters that keep what cannot be sent: behind a queue on the loopback, remote write counts every attempt as a failure. */
function keepersOf(deliveries: readonly Delivery[]): string[] {
    const keepers = deliveries.flatMap(({ writers }) =>
        writers.map(({ collector, flow: { exporter } }) => {
            const before = queueExporterOf(exporter);
            const isQueued =
                typeOf(exporter) === "prometheusremotewrite" &&
                valueAt(collector.config, ["exporters", before]) !== undefined;
            return isQueued ? before : exporter;
        }),
    );
    return [...new Set(keepers)].sort();
}

/** Selects the metrics that KOF's collectors expose about themselves. */
function collectorSelector(cluster: string, exporters?: readonly string[]): string {
    const of = exporters === undefined ? "" : `,exporter=~"${exporters.map(escaped).join("|")}"`;
    return matchers({ cluster, namespace: kofNamespace }) + of;
}

function matchers(labels: Readonly<Record<string, string>>): string {
    return Object.entries(labels)
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join(",");
}

/** A name for a regular expression within quotes. */
function escaped(name: string): string {
    return name.replaceAll(/[.+*?^${}()|[\]\\]/g, String.raw`\\$&`);
}
