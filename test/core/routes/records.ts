/*
 * OTLP as applications send it: JSON over HTTP.
 */

/** Nanoseconds since 1970, as OTLP writes them in JSON. */
export function nanoseconds(milliseconds = Date.now()): string {
    return `${String(milliseconds)}000000`;
}

function attributesOf(values: Readonly<Record<string, string>>): object[] {
    return Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));
}

function resource(namespace: string): object {
    return { attributes: attributesOf({ "k8s.namespace.name": namespace, "service.name": "shop" }) };
}

/** A log record. */
interface Log {
    readonly text: string;
    /** OpenTelemetry's number. */
    readonly severity?: number;
    readonly attributes?: Readonly<Record<string, string>>;
}

export function logs(records: readonly Log[], namespace = "shop", time = Date.now()): object {
    const logRecords = records.map(({ text, severity, attributes = {} }) => ({
        timeUnixNano: nanoseconds(time),
        ...(severity === undefined ? {} : { severityNumber: severity }),
        body: { stringValue: text },
        attributes: attributesOf(attributes),
    }));
    return { resourceLogs: [{ resource: resource(namespace), scopeLogs: [{ logRecords }] }] };
}

/** Gauges of one name: a series each. */
export function gauge(name: string, series: readonly string[], namespace = "shop", time = Date.now()): object {
    const dataPoints = series.map((each) => ({
        timeUnixNano: nanoseconds(time),
        asDouble: 1,
        attributes: attributesOf({ series: each }),
    }));
    return metrics({ name, gauge: { dataPoints } }, namespace);
}

/** A total since some time. */
export function total(name: string, value: number, since: number, namespace = "shop", time = Date.now()): object {
    const [startTimeUnixNano, timeUnixNano] = [nanoseconds(since), nanoseconds(time)];
    const dataPoints = [{ startTimeUnixNano, timeUnixNano, asDouble: value }];
    return metrics({ name, sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints } }, namespace);
}

function metrics(metric: object, namespace: string): object {
    return { resourceMetrics: [{ resource: resource(namespace), scopeMetrics: [{ metrics: [metric] }] }] };
}

/** Spans, each with the ID of its trace in hexadecimal digits. */
export function spans(
    list: readonly { name: string; traceId: string; attributes?: Readonly<Record<string, string>> }[],
    namespace = "shop",
    time = Date.now(),
): object {
    const all = list.map(({ name, traceId, attributes = {} }, index) => ({
        traceId,
        spanId: (index + 1).toString(16).padStart(16, "0"),
        name,
        kind: 2,
        startTimeUnixNano: nanoseconds(time),
        endTimeUnixNano: nanoseconds(time + 1),
        attributes: attributesOf(attributes),
    }));
    return { resourceSpans: [{ resource: resource(namespace), scopeSpans: [{ spans: all }] }] };
}
