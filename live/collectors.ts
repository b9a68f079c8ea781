import * as path from "node:path";

import { queueExporterOf } from "../core/collectors/buffers";
import { clockProcessors, originalTime } from "../core/collectors/clock";
import { typeOf } from "../core/collectors/flows";
import { valueAt, type HelmValue } from "../core/lib/values";
import { kofNamespace } from "../core/charts/namespace";
import { lookAtEach, valueOrFinding, type Check, type Finding, type Findings, type Live } from "./findings";
import { CouldNotCheck } from "../core/lib/errors";
import type { Kubernetes } from "./kubernetes";
import { collectorPodsPath, podsPath } from "./objects";
import { withoutCredentials, type Pod } from "./pods";

/** Whether what the collectors take in gets out again. */
export const exportChecks: readonly Check[] = [
    { title: "Collectors' exports", look: failedExports },
    { title: "Collectors' files", look: recreatedFiles },
];

/** The pods of this cluster's collectors that run and are to stay, those that are ready first; or those of one OpenTelemetryCollector: `kof-collectors-daemon`. */
export async function runningCollectors(kubernetes: Kubernetes, name?: string): Promise<Pod[]> {
    const all = await kubernetes.list<Pod>(collectorPodsPath);
    const isReady = (pod: Pod) =>
        Number(pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"));
    return all
        .filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && status?.phase === "Running")
        .filter((pod) => name === undefined || resourceOf(pod) === name)
        .sort((a, b) => isReady(b) - isReady(a));
}

/** The operator labels a pod with its OpenTelemetryCollector: `kof.kof-collectors-daemon`. */
function resourceOf({ metadata }: Pod): string {
    return metadata.labels?.["app.kubernetes.io/instance"]?.split(".").at(-1) ?? "";
}

/** The ports that a collector listens on: for OTLP over HTTP, and for its own metrics. */
export async function portsOf(kubernetes: Kubernetes, pod: Pod): Promise<{ otlp: number; metrics: number }> {
    const found = await kubernetes.get<{ spec?: { config?: HelmValue } }>(
        `/apis/opentelemetry.io/v1beta1/namespaces/${kofNamespace}/opentelemetrycollectors/${resourceOf(pod)}`,
    );
    const config = found?.spec?.config;
    const endpoint = valueAt(config, ["receivers", "otlp", "protocols", "http", "endpoint"]) as string | undefined;
    const [reader] = (valueAt(config, ["service", "telemetry", "metrics", "readers"]) ?? []) as HelmValue[];
    const port = valueAt(reader, ["pull", "exporter", "prometheus", "port"]);
    return { otlp: Number(/:(\d+)$/.exec(endpoint ?? "")?.[1] ?? 4318), metrics: Number(port ?? 8888) };
}

/** Sends a request to a port of a pod, through the API server: no network of the cluster has to be reachable from here. */
export function podPath({ metadata }: Pod, port: number, path: string): string {
    return `${podsPath}/http:${metadata.name}:${String(port)}/proxy${path}`;
}

/** One sample of a metric in Prometheus' text format. */
export interface Sample {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
}

/** Reads Prometheus' text format. */
export function parseMetrics(text: string): Sample[] {
    return text.split("\n").flatMap((line) => {
        const [, name, labels = "", value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
        if (name === undefined || Number.isNaN(Number(value))) {
            return [];
        }
        const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = "", of = ""]) => [key, of]);
        return [{ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }];
    });
}

/** What a collector says of one of its exporters, since it started. */
export interface ExporterCounters {
    /** As in its configuration: `otlphttp/logs`. */
    readonly exporter: string;
    readonly signal: "logs" | "metrics" | "traces";
    readonly sent: number;
    /**
     * Dropped, because the destination refused them or did not answer for too long. What AWS refuses, awscloudwatchlogs
     * tries as long as what it does not answer.
     */
    readonly failed: number;
    /** Dropped, because the queue was full. */
    readonly refused: number;
    /** How full the queue is: 0 to 1. `undefined` when it has none. */
    readonly queue: number | undefined;
}

const units = { log_records: "logs", metric_points: "metrics", spans: "traces" } as const;

/** The sum of a metric's samples, with or without the suffix `_total` of newer collectors; `undefined` when there are none. */
function sumOf(samples: readonly Sample[], name: string): number | undefined {
    return samples
        .filter((sample) => sample.name.replace(/_total$/, "") === name)
        .reduce<number | undefined>((all, { value }) => (all ?? 0) + value, undefined);
}

/** The counters of every exporter. */
export function exporterCounters(samples: readonly Sample[]): ExporterCounters[] {
    const exporters = [...new Set(samples.flatMap(({ labels }) => labels.exporter ?? []))];
    // Behind a queue it counts attempts; what is lost, the queue counts.
    const counting = exporters.filter(
        (exporter) => typeOf(exporter) !== "prometheusremotewrite" || !exporters.includes(queueExporterOf(exporter)),
    );
    return counting.sort().flatMap((exporter) =>
        Object.entries(units).flatMap(([unit, signal]) => {
            const own = samples.filter(
                ({ labels }) => labels.exporter === exporter && (labels.data_type ?? signal) === signal,
            );
            const size = sumOf(own, "otelcol_exporter_queue_size");
            const capacity = sumOf(own, "otelcol_exporter_queue_capacity");
            const counted = ["sent", "send_failed", "enqueue_failed"].map((what) =>
                sumOf(own, `otelcol_exporter_${what}_${unit}`),
            );
            const [sent = 0, failed = 0, refused = 0] = counted;
            // What waits since the start was counted as nothing yet.
            const ofSignal = own.filter(({ labels }) => labels.data_type === signal);
            const waits = (sumOf(ofSignal, "otelcol_exporter_queue_size") ?? 0) > 0;
            const queue = size !== undefined && capacity ? size / capacity : undefined;
            return waits || counted.some((count) => count !== undefined)
                ? [{ exporter, signal, sent, failed, refused, queue }]
                : [];
        }),
    );
}

/**
 * The counters of a collector.
 *
 * @throws CouldNotCheck when its port does not answer.
 */
export async function countersOf(kubernetes: Kubernetes, pod: Pod): Promise<ExporterCounters[]> {
    return exporterCounters(await samplesOf(kubernetes, pod));
}

async function samplesOf(kubernetes: Kubernetes, pod: Pod): Promise<Sample[]> {
    const { metrics } = await portsOf(kubernetes, pod);
    const { status, body } = await kubernetes.request("GET", podPath(pod, metrics, "/metrics"));
    if (status !== 200) {
        throw new CouldNotCheck(
            `metrics of pod ${pod.metadata.name} (port ${String(metrics)}): HTTP ${String(status)}`,
        );
    }
    const samples = parseMetrics(body);
    if (samples.length === 0 && body.trim() !== "") {
        throw new CouldNotCheck(
            `metrics of pod ${pod.metadata.name} (port ${String(metrics)}): what answers is no collector`,
        );
    }
    return samples;
}

/**
 * A destination that answers 401 has its data dropped at once, without another try, while the sender still gets 200 and every pod is
 * green. Only these counters tell. If AWS refuses the credentials, they do not change for `kof:buffer.duration`. Then only the queue and
 * the exporter's log of each try show it.
 */
async function failedExports({ kubernetes, deployment }: Live): Promise<Finding[]> {
    return lookAtEach(await runningCollectors(kubernetes), async (pod) => {
        const { name } = pod.metadata;
        const samples = await samplesOf(kubernetes, pod);
        const counters = exporterCounters(samples);
        const failed = counters.some((each) => each.failed > 0);
        const waits = counters.some(({ queue = 0 }) => queue > 0);
        const look = () => exportErrors(kubernetes, pod, failed ? {} : { seconds: lastTries });
        const said = failed || waits ? await valueOrFinding(look) : { findings: [] };
        const errors = said.value ?? [];
        // One destination that fails all the time would hide another.
        const shown = deployment.targets ? errors : errors.slice(-1);
        return [
            counters.map((each) => exportFindings(name, each)),
            shown.map(({ exporter, error }) =>
                exportErrorFinding(deployment.targets && exporter ? `${name}: exporter ${exporter}` : name, error),
            ),
            clockFindings(name, samples, deployment),
            said.findings,
        ];
    });
}

/** What the counters of an exporter mean. */
export function exportFindings(
    pod: string,
    { exporter, signal, sent, failed, refused, queue = 0 }: ExporterCounters,
): Findings {
    const fix = `kubectl logs -n ${kofNamespace} ${pod} | grep -i 'exporting failed\\|error'`;
    const dropped = failed + refused;
    return [
        dropped > 0 && {
            severity: sent === 0 ? "problem" : "warning",
            what: `${pod}: exporter ${exporter} dropped ${String(dropped)} of ${String(dropped + sent)} ${signal} since it started`,
            why:
                sent === 0
                    ? `Nothing gets through. ${whenDropped(exporter)}, while every pod is green.`
                    : "That data is lost. If the number still rises, it is being lost now.",
            fix,
        },
        queue > 0.8 && {
            severity: "warning",
            what: `${pod}: the queue of exporter ${exporter} is ${String(Math.round(queue * 100))}% full`,
            why: "The destination is down, or slower than the data that comes in. What no longer fits is dropped.",
            fix,
        },
    ];
}

function whenDropped(exporter: string): string {
    return typeOf(exporter) === "awscloudwatchlogs"
        ? "What AWS refuses is tried for as long as kof:buffer.duration says, then dropped"
        : "What is refused (401, 403, 400) is dropped at once";
}

/** Records whose time the collector has corrected, and data points that it has dropped for theirs. */
export function clockFindings(pod: string, samples: readonly Sample[], { cloudwatch }: Live["deployment"]): Findings {
    if (!cloudwatch) {
        return undefined;
    }
    const records = sumOf(samples, "otelcol_processor_groupbyattrs_num_grouped_logs") ?? 0;
    const forTime = samples.filter(({ labels }) => labels.filter === clockProcessors.points);
    const points = sumOf(forTime, "otelcol_processor_filter_datapoints_filtered") ?? 0;
    const { logGroups, region } = cloudwatch;
    const logGroup = logGroups[0]?.name ?? cloudwatch.logGroup;
    const why =
        "CloudWatch accepts no time that old, or that far ahead. A clock is wrong, or old records of a node were read.";
    return [
        records > 0 && {
            severity: "warning",
            what: `${pod}: corrected the time of ${String(records)} log records since it started`,
            why: `${why} The original time is in attributes.${originalTime}.`,
            fix:
                `aws logs filter-log-events --region ${region} --log-group-name ${logGroup} ` +
                `--filter-pattern '{ $.attributes.${originalTime} = "*Z" }' --max-items 5`,
        },
        points > 0 && {
            severity: "warning",
            what: `${pod}: dropped ${String(points)} data points for their time since it started`,
            why,
            fix: "timedatectl    # on the node, and where the data comes from",
        },
    ];
}

/** Seconds that are longer than an exporter waits between two tries: 30, and up to half as much again (contrib 0.143). */
export const lastTries = 120;

/** Which exports that failed: of a signal, of some exporters, and how many seconds ago at most. Default: any, at any time. */
interface AboutExports {
    readonly signal?: string;
    readonly exporters?: readonly string[];
    readonly seconds?: number;
}

/** What a collector last said of an export that failed; `undefined` when its log has nothing of the kind. */
export async function exportError(
    kubernetes: Kubernetes,
    pod: Pod,
    about: AboutExports = {},
): Promise<string | undefined> {
    return (await exportErrors(kubernetes, pod, about)).at(-1)?.error;
}

/** The same of each exporter that it says something of, that of the last line at the end. */
async function exportErrors(
    kubernetes: Kubernetes,
    pod: Pod,
    { signal, exporters, seconds }: AboutExports = {},
): Promise<{ readonly exporter: string | undefined; readonly error: string }[]> {
    const since = seconds === undefined ? "" : `&sinceSeconds=${String(seconds)}`;
    const { status, body } = await kubernetes.request(
        "GET",
        `${podsPath}/${pod.metadata.name}/log?tailLines=1000${since}`,
    );
    const last = new Map<string | undefined, string>();
    for (const line of status === 200 ? body.split("\n") : []) {
        // What the line is about, where it says so.
        const exporter = /"otelcol\.component\.id": ?"([^"]+)"/.exec(line)?.[1];
        const about = /"otelcol\.signal": ?"(\w+)"/.exec(line)?.[1];
        if (
            /exporting failed/i.test(line) &&
            (about === undefined || signal === undefined || about === signal) &&
            (exporters === undefined || exporter === undefined || exporters.includes(exporter))
        ) {
            last.delete(exporter);
            const error = /"error": ?"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? line;
            last.set(exporter, withoutCredentials(error.replaceAll(/(?:\\[nt])+/g, " ")));
        }
    }
    return [...last].map(([exporter, error]) => ({ exporter, error }));
}

/** A collector that could not read its files on the node starts with new ones. It runs, and only its log says that something is missing. */
async function recreatedFiles({ kubernetes }: Live): Promise<Finding[]> {
    return lookAtEach(await runningCollectors(kubernetes), async ({ metadata: { name } }) => {
        // Files are opened at the start. A log that has been rotated since begins later.
        const { status, body } = await kubernetes.request("GET", `${podsPath}/${name}/log?limitBytes=262144`);
        if (status !== 200) {
            throw new CouldNotCheck(`log of pod ${name}: HTTP ${String(status)}`);
        }
        const files = body
            .split("\n")
            .filter((line) => line.includes("Database corruption detected"))
            .map((line) => /"file": ?"([^"]*)"/.exec(line)?.[1] ?? "a file");
        return [...new Set(files)].map((file) => ({
            severity: "warning",
            what: `${name} could not read ${file}, and started over`,
            why: path.basename(file).startsWith("exporter_")
                ? "What was queued in it is not sent. A power loss of the node can cause this."
                : "What was written before the collector ran again may not have been read. A power loss of the node can cause this.",
            fix: `ls ${file}.*.backup    # on its node: the file as it was. Remove it when nobody needs it`,
        }));
    });
}

/** What AWS answers, with HTTP 400, to a key that is deleted, expired or has no right; and what its SDK says of none at all. */
const refusedByAws =
    /\b(UnrecognizedClient|ExpiredToken|AccessDenied|InvalidSignature|SignatureDoesNotMatch|InvalidClientTokenId)|(get|refresh|retrieve)( cached)? credentials/;

/** What the extensions for Azure, OAuth 2.0 and Google say where they get no token, each of which is tried again (tried 2026-11-28). */
const noToken =
    /azureauth: failed to get token|failed to get security token|compute: Received \d|metadata: GCE metadata|oauth2: cannot fetch token|oauth2\/google:/;

/** What it means that a collector says this of an export. */
export function exportErrorFinding(pod: string, text: string): Finding {
    const aws = refusedByAws.test(text);
    const isSignedOut = noToken.test(text);
    return {
        severity: aws || isSignedOut ? "problem" : "warning",
        what: `${pod} said: ${text}`,
        why: aws
            ? "AWS refuses the collectors' credentials. Logs wait on the node: a batch is tried for as long as kof:buffer.duration " +
              "says, and what does not fit into kof:buffer.size is dropped (docs/destinations.md)."
            : isSignedOut
              ? "The collectors get no token for this destination. What is for it waits in its queue, as long as its buffer lasts (docs/signals.md)."
              : /\b40[13]\b/.test(text)
                ? "The destination refuses the collectors' credentials."
                : "This is the last export that failed.",
        fix: `kubectl logs -n ${kofNamespace} ${pod} --tail=1000`,
    };
}
