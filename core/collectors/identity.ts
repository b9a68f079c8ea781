import { chartValues, type Catalog } from "../charts";
import { isMap, mergeValues, nest, valueAt, type HelmValues } from "../lib/values";

/** The processor with the cluster's names. KOF's charts name it in their pipelines, and define it nowhere. */
export const identityProcessor = "resource/k8sclustername";

/**
 * Puts the cluster's names on every signal of these kinds that the charts send without them. KOF's own pipelines add both names to logs,
 * and to metrics as labels that only remote write adds. Spans lack the namespace, and metrics in OTLP lack both.
 *
 * @returns values for opentelemetry-kube-stack.
 */
export function addClusterIdentity(catalog: Catalog, kinds: readonly ("metrics" | "traces")[]): HelmValues {
    const stack = chartValues(catalog, "kof-collectors")["opentelemetry-kube-stack"];
    const fragments = Object.entries(valueAt(stack, ["collectors"]) as HelmValues).flatMap(([key, own]) =>
        kinds.flatMap((kind) => {
            const processors = processorsOf(own, kind);
            return processors === undefined
                ? []
                : [nest([...pipelinesPath(key), kind, "processors"], [identityProcessor, ...processors])];
        }),
    );
    return mergeValues(...fragments);
}

function pipelinesPath(collector: string): string[] {
    return ["collectors", collector, "config", "service", "pipelines"];
}

/** The processors of a pipeline that receives something and does not name it yet. */
function processorsOf(collector: unknown, kind: string): string[] | undefined {
    const pipeline = isMap(collector) ? valueAt(collector, ["config", "service", "pipelines", kind]) : undefined;
    const receivers = (valueAt(pipeline, ["receivers"]) ?? []) as string[];
    const processors = (valueAt(pipeline, ["processors"]) ?? []) as string[];
    return receivers.includes("nop") || processors.includes(identityProcessor) ? undefined : processors;
}
