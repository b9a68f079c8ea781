import { chartValues } from "../catalog";
import { coalesceValues, isMap, mergeValues, valueAt, type HelmValue, type HelmValues } from "../catalog/values";
import type { Route } from "../routes";
import { managementServiceValues } from "./service";

/** One OpenTelemetry collector of the management cluster, as the charts would configure it. */
export interface Collector {
    /** Its key in the charts' values: `daemon`. */
    readonly key: string;
    /** Name of its OpenTelemetryCollector: `kof-collectors-daemon`. */
    readonly name: string;
    readonly mode: string;
    readonly hostNetwork: boolean;
    /** Its environment, by name, of which only what is set by value has one. */
    readonly env: Readonly<Record<string, string | undefined>>;
    /** Folders that are volumes. */
    readonly mounts: readonly string[];
    /** Its complete configuration. What a preset of the chart defines is there by name, with an empty definition. */
    readonly config: HelmValues;
}

const kubeStack = "opentelemetry-kube-stack";

/**
 * The collectors that would run on the management cluster, worked out from the umbrella's values by the charts' own rules:
 * each layer's values over the chart's, `defaultCRConfig` under each collector, lists replaced
 * (opentelemetry-kube-stack 0.5.3 to 0.6.3, `templates/collector.yaml`).
 */
export function effectiveCollectors(route: Route): Collector[] {
    const { catalog } = route;
    const given = kofCollectorsValues(route);
    if (!given) {
        return [];
    }
    // Nulls of kof-collectors remove defaults of its dependency, so they are kept until the two are put together.
    const all = mergeValues(chartValues(catalog, "kof-collectors"), given);
    if (valueAt(all, ["collectors", "enabled"]) === false) {
        return [];
    }
    const stack = coalesceValues(chartValues(catalog, kubeStack), all[kubeStack] as HelmValues);
    const shared = stack.defaultCRConfig as HelmValues;
    return Object.entries(stack.collectors as HelmValues).flatMap(([key, own]) =>
        isMap(own) && own.enabled === true ? [collector(key, mergeValues(shared, own), stack)] : [],
    );
}

/** The values that the chart kof-collectors gets on the management cluster; `undefined` when it is not installed there. */
export function kofCollectorsValues({ catalog, umbrella, settings }: Route): HelmValues | undefined {
    const components = valueAt(umbrella, ["global", "components"]) as string[];
    if (!components.includes("kof-collectors")) {
        return managementServiceValues(catalog, umbrella, settings);
    }
    return valueAt(umbrella, ["kof-collectors", "enabled"]) === true
        ? (valueAt(umbrella, ["kof-collectors", "values"]) as HelmValues)
        : undefined;
}

function collector(key: string, fields: HelmValues, stack: HelmValues): Collector {
    const further = [stack.extraEnvs ?? [], fields.env ?? []].flat() as unknown as EnvVar[];
    const env = [...environment, ...further];
    return {
        key,
        name: `kof-collectors-${fields.suffix as string}`,
        mode: fields.mode as string,
        hostNetwork: fields.hostNetwork === true,
        env: {
            ...Object.fromEntries(env.map(({ name, value }) => [name, value])),
            OTEL_RESOURCE_ATTRIBUTES: `k8s.cluster.name=${stack.clusterName as string}`,
        },
        mounts: ((fields.volumeMounts ?? []) as { mountPath: string }[]).map(({ mountPath }) => mountPath),
        config: withPresets((fields.config ?? {}) as HelmValues, (fields.presets ?? {}) as HelmValues),
    };
}

interface EnvVar {
    readonly name: string;
    readonly value?: string;
}

/** What the chart gives every collector. */
const environment: readonly EnvVar[] = ["NODE_NAME", "NODE_IP", "NAMESPACE", "POD_NAME", "POD_IP"].map((name) => ({
    name: `OTEL_K8S_${name}`,
}));

/** What each preset adds: a component, to the pipelines of these names (`templates/_config.tpl`, in its order). */
const presets = [
    ["kubernetesAttributes", "processors", "k8sattributes", ["logs", "metrics", "traces"]],
    ["logsCollection", "receivers", "filelog", ["logs"]],
    ["hostMetrics", "receivers", "hostmetrics", ["metrics"]],
    ["kubeletMetrics", "receivers", "kubeletstats", ["metrics"]],
    ["kubernetesEvents", "receivers", "k8sobjects", ["logs"]],
    ["clusterMetrics", "receivers", "k8s_cluster", ["metrics"]],
] as const;

function withPresets(config: HelmValues, enabled: HelmValues): HelmValues {
    return presets
        .filter(([preset]) => valueAt(enabled, [preset, "enabled"]) === true)
        .reduce((all, [, kind, id, pipelines]) => {
            const service = pipelines.flatMap((name) => {
                const pipeline = valueAt(all, ["service", "pipelines", name]);
                const present = (valueAt(pipeline, [kind]) ?? []) as HelmValue[];
                const added = kind === "processors" ? [id, ...present] : [...present, id];
                return isMap(pipeline) && !present.includes(id) ? [[name, { [kind]: added }] as const] : [];
            });
            return mergeValues({ [kind]: { [id]: {} } }, all, { service: { pipelines: Object.fromEntries(service) } });
        }, config);
}
