/** What a log stream's name may hold in braces, and what stands for it in the configuration of a collector. */
export const streamPlaceholders = {
    /** The node that the collector runs on. The exporter knows it as well, but only where a record says so. */
    "{NodeName}": () => "${env:OTEL_K8S_NODE_NAME}",
    /** The collector, by the name of its OpenTelemetryCollector. */
    "{Collector}": (collector: string) => collector,
    /** The record's service.name, by the exporter itself; `undefined` where a record has none. */
    "{ServiceName}": () => "{ServiceName}",
} as const satisfies Readonly<Record<string, (collector: string) => string>>;

/**
 * Names of log streams: CloudWatch forbids `:` and `*`, and a collector with any other word in braces stops at its start
 * (awscloudwatchlogs exporter of contrib 0.143 to 0.155, `isPatternValid`). `$` would be expanded by the collector.
 */
export const logStreamName = /^(?=.{1,512}$)(?:[^:*{}$]|\{(?:NodeName|Collector|ServiceName)\})+$/;

/** A stream's name as one collector gets it. */
export function streamOf(name: string, collector: string): string {
    return Object.entries(streamPlaceholders).reduce(
        (text, [placeholder, value]) => text.replaceAll(placeholder, () => value(collector)),
        name,
    );
}

/** A human-readable stream name, with `*` for what differs, and whether anything does. */
export function streamPattern(name: string): string {
    return name.replaceAll(/\{\w+\}/g, "*");
}
