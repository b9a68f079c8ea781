import type { Catalog } from "../charts";
import { valuesOfEach } from "../charts/stack";
import { mergeValues, nest, valueAt, type HelmValues } from "../lib/values";
import { listOf } from "./flows";

/** The processor with the cluster's names. KOF's charts name it in their pipelines, and define it nowhere. */
export const identityProcessor = "resource/k8sclustername";

/**
 * Puts the cluster's names on every signal of these kinds that the charts send without them. KOF's own pipelines add both names to logs,
 * and to metrics as labels that only remote write adds. Spans lack the namespace, and metrics in OTLP lack both.
 *
 * @returns values for opentelemetry-kube-stack.
 */
export function addClusterIdentity(catalog: Catalog, kinds: readonly ("metrics" | "traces")[]): HelmValues {
    return valuesOfEach(catalog, (own) =>
        mergeValues(
            ...kinds.map((kind) => {
                const path = ["config", "service", "pipelines", kind];
                const pipeline = valueAt(own, path) ?? {};
                const processors = listOf(pipeline, "processors");
                const isDone = listOf(pipeline, "receivers").includes("nop") || processors.includes(identityProcessor);
                return isDone ? {} : nest([...path, "processors"], [identityProcessor, ...processors]);
            }),
        ),
    );
}
