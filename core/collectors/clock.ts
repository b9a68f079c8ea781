import type { Catalog, Signal } from "../charts";
import { valuesOfEach } from "../charts/stack";
import { definedOnly } from "../lib/compact";
import { isMap, mergeValues, nest, valueAt, type HelmValues } from "../lib/values";
import { lookback } from "../settings/logGroups";
import type { Collector } from "./effective";
import { isDiscarding, listOf, pipelinesOf, typeOf } from "./flows";
import { hoursOf } from "../lib/durations";

/*
 * CloudWatch Logs refuses an event that is older than 14 days, older than the retention of its group, or more than 2 hours
 * ahead. AWS leaves out such an event and stores the rest of the batch. The exporters nevertheless report the whole batch as
 * failed (contrib 0.143, `internal/aws/cwlogs/pusher.go`). awscloudwatchlogs has stored the rest by then, and stores it again
 * with each try, for `kof:buffer.duration`. Everything after it waits. awsemf tries once, and loses what it has not sent yet.
 * So no such time may reach them.
 */

/** Hours by which AWS's clock may differ from the node's. */
const margin = 1;

/** Processors that correct times, so that CloudWatch accepts what the exporters after them send. */
export const clockProcessors = {
    /** Gives a record the present time, and leaves the original one in an attribute. */
    logs: "transform/clock",
    /** The same for audit logs, if their retention differs from that of logs. */
    audit: "transform/clock-audit",
    /** Counts them, because no processor does both. */
    count: "groupbyattrs/clock",
    /** Drops data points, and counts them: a point with another time would be another measurement. */
    points: "filter/clock",
    /** Drops spans. AWS refuses whole requests for one of them. */
    spans: "filter/clock-spans",
};

/** Attribute of a record whose time was corrected: the original time, as ISO 8601. In CloudWatch `attributes.kof_original_time`. */
export const originalTime = "kof_original_time";
/** Attribute of the resource of such records. */
const corrected = "kof_time";

/** Days after which CloudWatch deletes what the exporters write. */
export interface ClockOptions {
    readonly logs: number;
    readonly audit: number;
    /** `undefined` where CloudWatch gets no metrics. */
    readonly metrics: number | undefined;
    /** Whether the exporter of metrics tries as long as those of logs. */
    readonly metricsWait?: boolean;
    /** The same of spans, over OTLP. */
    readonly traces?: number | undefined;
    /** How long the exporters of logs try, as a Go duration. */
    readonly duration: string;
}

/** What keeps times that CloudWatch refuses from its exporters. */
interface Clock {
    /** The definitions of {@link clockProcessors}. */
    readonly processors: HelmValues;
    /** Those that a pipeline of a signal ends with. */
    readonly added: Readonly<Record<Signal, readonly string[]>>;
}

/** The {@link Clock} for what CloudWatch keeps. */
export function clockOf({ logs, audit, metrics, metricsWait, traces, duration }: ClockOptions): Clock {
    const tried = Math.ceil(hoursOf(duration));
    const hours = (days: number, waits = 0) => Math.min(lookback - waits, days * 24) - margin;
    const [oldest, oldestAudit] = [hours(logs, tried), hours(audit, tried)];
    const names = clockProcessors;
    const ofAudit = oldest === oldestAudit ? names.logs : names.audit;
    return {
        processors: {
            [names.logs]: correcting(oldest),
            [ofAudit]: correcting(oldestAudit),
            [names.count]: { keys: [corrected] },
            ...definedOnly({
                [names.points]:
                    metrics === undefined ? undefined : dropping("datapoint", hours(metrics, metricsWait ? tried : 0)),
                [names.spans]: traces === undefined ? undefined : dropping("span", hours(traces, tried)),
            }),
        },
        added: {
            logs: [names.logs, names.count],
            audit: [ofAudit, names.count],
            metrics: metrics === undefined ? [] : [names.points],
            traces: traces === undefined ? [] : [names.spans],
        },
    };
}

/**
 * Puts {@link clockProcessors} at the end of every pipeline whose exporters route `cloudwatch` defines.
 *
 * @param before values that have put processors into these pipelines already.
 * @returns values for opentelemetry-kube-stack.
 */
export function clock(catalog: Catalog, options: ClockOptions, before: HelmValues = {}): HelmValues {
    const { processors, added } = clockOf(options);
    const pipelines = {
        logs: added.logs,
        "logs/default": added.logs,
        "logs/audit": added.audit,
        metrics: added.metrics,
        traces: added.traces,
    };
    const ofEach = valuesOfEach(catalog, (own, key) => mergeValues(...lengthened(own, key, pipelines, before)));
    return mergeValues({ defaultCRConfig: { config: { processors } } }, ofEach);
}

function dropping(context: "datapoint" | "span", hours: number): HelmValues {
    const kind = context === "span" ? "traces" : "metrics";
    return { error_mode: "ignore", [kind]: { [context]: [isRefused(context, hours)] } };
}

function correcting(hours: number): HelmValues {
    const set = (name: string, value: string) => `set(log.attributes["${name}"], ${value})`;
    return {
        error_mode: "ignore",
        log_statements: [
            {
                context: "log",
                conditions: [isRefused("log", hours)],
                statements: [
                    set(originalTime, 'FormatTime(log.time, "%Y-%m-%dT%H:%M:%S.%LZ")'),
                    set(corrected, '"corrected"'),
                    "set(log.time, Now())",
                ],
            },
        ],
    };
}

/** An OTTL condition. Without a time of its own a record is sent with that of the moment. */
function isRefused(context: "log" | "datapoint" | "span", hours: number): string {
    const time = context === "span" ? "span.start_time" : `${context}.time`;
    const outside = `${time} < Now() - Duration("${String(hours)}h") or ${time} > Now() + Duration("${String(margin)}h")`;
    return `${time}_unix_nano != 0 and (${outside})`;
}

/** The processors of a collector's pipelines of these names, with what is added at the end. */
function lengthened(
    { config }: HelmValues,
    key: string,
    added: Readonly<Record<string, readonly string[]>>,
    before: HelmValues,
): HelmValues[] {
    return Object.entries(added).map(([name, more]) => {
        const path = ["config", "service", "pipelines", name];
        const pipeline = valueAt({ config: config ?? {} }, path);
        const list = [...path, "processors"];
        if (!isMap(config) || !isMap(pipeline) || more.length === 0 || endsElsewhere(config, pipeline)) {
            return {};
        }
        const present = valueAt(before, ["collectors", key, ...list]) ?? pipeline.processors ?? [];
        return nest(list, [...(present as string[]), ...more]);
    });
}

/** Whether a chart's pipeline is at its end already, or hands on to another one. */
function endsElsewhere({ connectors = {} }: HelmValues, { exporters }: HelmValues): boolean {
    return ((exporters ?? []) as string[]).some(
        (each) => isDiscarding(each) || Object.hasOwn(connectors as object, each),
    );
}

/** What a pipeline that sends to CloudWatch lacks of {@link clockProcessors}. */
interface UncheckedPipeline {
    readonly pipeline: string;
    readonly processors: readonly string[];
    readonly missing: readonly string[];
}

/** The pipelines of a collector through which a record with a wrong time could reach CloudWatch's exporters. */
export function uncheckedPipelines({ config }: Collector): UncheckedPipeline[] {
    const { logs, audit, count, points } = clockProcessors;
    const needed: Readonly<Record<string, (has: readonly string[]) => readonly string[]>> = {
        awscloudwatchlogs: (has) => [has.includes(audit) ? audit : logs, count],
        awsemf: () => [points],
    };
    return Object.entries(pipelinesOf(config)).flatMap(([pipeline, parts]) => {
        const processors = listOf(parts, "processors");
        const all = listOf(parts, "exporters").flatMap((exporter) => needed[typeOf(exporter)]?.(processors) ?? []);
        const missing = [...new Set(all)].filter((each) => !processors.includes(each));
        return missing.length > 0 ? [{ pipeline, processors, missing }] : [];
    });
}
