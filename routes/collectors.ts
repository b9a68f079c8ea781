import { chartValues, type Catalog, type Signal } from "../catalog";
import { mergeValues, nest, valueAt, type HelmValue, type HelmValues } from "../catalog/values";
import { collectorsInMesh, identity, writePaths } from "../collectors/fragments";
import { distributions, type Settings } from "../stacks/settings";
import type { Destination, RouteVolume } from ".";

/** Whether the umbrella runs kof-collectors and kof-storage itself (up to 1.9), or leaves the management cluster to kof-child. */
export function umbrellaCollects(catalog: Catalog): boolean {
    return catalog.components.some(({ name }) => name === "kof-collectors");
}

/** Values of kof-collectors that every route needs which runs it through the umbrella. */
export function collectorValues(settings: Settings, kubeStack: HelmValues, env: HelmValue[] = []): HelmValues {
    const { clusterName, clusterNamespace, istio } = settings;
    return {
        global: { clusterName, clusterNamespace },
        kcm: { monitoring: true },
        "opentelemetry-kube-stack": mergeValues(
            {
                clusterName,
                defaultCRConfig: {
                    // A list replaces the chart's list, so whoever sets `env` has to repeat PKI_PATH.
                    ...(env.length > 0 || pkiPathDiffers(settings) ? { env: [pkiPath(settings), ...env] } : {}),
                    config: identity(clusterName, clusterNamespace),
                },
            },
            istio ? { collectors: collectorsInMesh } : {},
            kubeStack,
        ),
    };
}

/** OpenCost's name of the cluster, which the charts set to `mothership`. */
export function openCostIdentity({ clusterName }: Settings, catalog: Catalog): HelmValues {
    const path = ["opencost", "opencost", "exporter", "defaultClusterId"];
    return valueAt(chartValues(catalog, "kof-collectors"), path) === clusterName
        ? {}
        : nest(path.slice(0, -1), { defaultClusterId: clusterName, extraEnv: { CLUSTER_NAME: clusterName } });
}

/** Further values for kof-collectors where KOF itself sets the rest: nothing, or a map under the key `collectors`. */
export function furtherCollectorValues(...values: HelmValues[]): HelmValues {
    const collectors = mergeValues(...values);
    return Object.keys(collectors).length > 0 ? { collectors } : {};
}

/** Where the charts look for etcd's certificates, as an environment variable of the collectors. */
function pkiPath({ distribution }: Settings): HelmValue {
    return { name: "PKI_PATH", value: distributions[distribution].pkiPath };
}

function pkiPathDiffers({ distribution }: Settings): boolean {
    return distributions[distribution].pkiPath !== distributions.k0s.pkiPath;
}

/** Values of kof-collectors for a cluster that is not k0s, where KOF itself sets the rest. */
export function distributionValues(settings: Settings): HelmValues {
    return pkiPathDiffers(settings)
        ? { "opentelemetry-kube-stack": { defaultCRConfig: { env: [pkiPath(settings)] } } }
        : {};
}

/** metrics-server, for a distribution that comes without one. */
export function metricsServer({ distribution }: Settings, catalog: Catalog): HelmValues {
    if (distributions[distribution].metricsServer) {
        return {};
    }
    // Only EKS signs the kubelets' certificates with the cluster's CA.
    const args = distribution === "eks" ? {} : { args: ["--kubelet-insecure-tls"] };
    const chart = umbrellaCollects(catalog) ? "kof-collectors" : "kof-mothership";
    return { [chart]: { values: { "metrics-server": { enabled: true, ...args } } } };
}

/** What kof-collectors waits for where kof-storage, its default dependency, is not installed. */
export const collectorsDependOn = ["kof-operators", "kof-mothership"];

/** The volumes of a chart, and where the umbrella takes its values from. */
export function chartVolumes(catalog: Catalog, chart: string, prefix: readonly string[]): RouteVolume[] {
    return catalog.volumes.filter((volume) => volume.chart === chart).map((volume) => ({ volume, prefix }));
}

/** The volumes that the management cluster has on every route with its own VMCluster. */
export function mothershipVolumes(catalog: Catalog): RouteVolume[] {
    return chartVolumes(catalog, "kof-mothership", ["kof-mothership", "values"]);
}

/** The volumes of kof-storage where kof-mothership keeps the metrics. */
export function logStorageVolumes(catalog: Catalog, prefix: readonly string[]): RouteVolume[] {
    return chartVolumes(catalog, "kof-storage", prefix).filter(({ volume }) => volume.signal !== "metrics");
}

const stores = {
    metrics: "VictoriaMetrics",
    logs: "VictoriaLogs",
    traces: "VictoriaTraces",
    audit: "VictoriaLogs",
} as const;

/** The exporters of kof-collectors and the option of each that holds its address. */
const exporters = {
    metrics: ["prometheusremotewrite", "endpoint"],
    logs: ["otlphttp/logs", "logs_endpoint"],
    traces: ["otlphttp/traces", "traces_endpoint"],
    audit: ["otlphttp/logs-audit", "logs_endpoint"],
} as const;

/** Destinations in the stores of this cluster, at the addresses that the charts have by default. */
export function storedHere(catalog: Catalog): Record<Signal, Destination> {
    const config = ["opentelemetry-kube-stack", "defaultCRConfig", "config", "exporters"];
    const address = (signal: Signal) =>
        valueAt(chartValues(catalog, "kof-collectors"), [...config, ...exporters[signal]]);
    const destination = (signal: Signal): Destination => ({
        stored: true,
        store: `${stores[signal]} on this cluster`,
        // Before audit logs had a store of their own they were among the logs.
        address: (address(signal) ?? address("logs")) as string,
    });
    return {
        metrics: destination("metrics"),
        logs: destination("logs"),
        traces: destination("traces"),
        audit: destination("audit"),
    };
}

/** Destinations in the stores of a region, behind its vmauth. */
export function storedInRegion(catalog: Catalog, region: string, vmauth: string): Record<Signal, Destination> {
    const destination = (signal: Signal, path = writePaths[signal]): Destination => ({
        stored: true,
        store: `${stores[signal]} of region ${region}`,
        address: `${vmauth}${path}`,
    });
    const hasAudit = catalog.volumes.some(({ signal }) => signal === "audit");
    return {
        metrics: destination("metrics"),
        logs: destination("logs"),
        traces: destination("traces"),
        audit: destination("audit", hasAudit ? writePaths.audit : writePaths.logs),
    };
}

/** A signal that goes nowhere. */
export function notStored(why: string): Destination {
    return { stored: false, why };
}
