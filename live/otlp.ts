/** The signals that `verify` sends: audit logs are logs that only an API server writes. */
export const sentSignals = ["metrics", "logs", "traces"] as const;
/** One of {@link sentSignals}. */
export type SentSignal = (typeof sentSignals)[number];

/** One record that is found again by its mark. */
export interface Mark {
    /** A word that occurs nowhere else. */
    readonly text: string;
    /** 32 hexadecimal digits. */
    readonly traceId: string;
    readonly time: Date;
}

/** Name of the metric that carries the mark in its label {@link metricLabel}. */
export const metricName = "kof_verify";
export const metricLabel = "kof_verify_mark";

/** What a log line and a span with a mark say. */
export function recordText(mark: string): string {
    return `KOF verify ${mark}`;
}

/**
 * One record of a signal as OTLP over HTTP takes it, in its JSON encoding (OpenTelemetry protocol specification 1.x).
 *
 * @returns the path at the receiver, and the body.
 */
export function otlpRecord(signal: SentSignal, { text, traceId, time }: Mark): { path: string; body: string } {
    const nanoseconds = `${String(time.getTime())}000000`;
    const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } });
    const resource = { attributes: [attribute("service.name", "kof-verify")] };
    const scope = { name: "kof-verify" };
    switch (signal) {
        case "logs": {
            const record = {
                timeUnixNano: nanoseconds,
                severityText: "INFO",
                body: { stringValue: recordText(text) },
            };
            return post("/v1/logs", { resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords: [record] }] }] });
        }
        case "metrics": {
            const point = { timeUnixNano: nanoseconds, asDouble: 1, attributes: [attribute(metricLabel, text)] };
            const metrics = [{ name: metricName, gauge: { dataPoints: [point] } }];
            return post("/v1/metrics", { resourceMetrics: [{ resource, scopeMetrics: [{ scope, metrics }] }] });
        }
        case "traces": {
            const span = {
                traceId,
                spanId: traceId.slice(0, 16),
                name: recordText(text),
                kind: 1,
                startTimeUnixNano: nanoseconds,
                endTimeUnixNano: `${String(time.getTime() + 1)}000000`,
            };
            return post("/v1/traces", { resourceSpans: [{ resource, scopeSpans: [{ scope, spans: [span] }] }] });
        }
    }
}

function post(path: string, body: object): { path: string; body: string } {
    return { path, body: JSON.stringify(body) };
}
