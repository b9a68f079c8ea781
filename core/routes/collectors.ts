import { chartValues, kubeStack, type Catalog } from "../charts";
import { stackDefaults } from "../charts/stack";
import { isMap, mergeValues, nest, nestSome, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import { queueStorage, recreatedStorage, type Buffer } from "../collectors/buffers";
import { collectorsInMesh, managementValues } from "../collectors/fragments";
import { distributionOf, etcdCertificates, pkiPathOf } from "../settings/distributions";
import type { Settings } from "../settings/settings";
import { sizeInGiB, gib } from "../lib/quantities";

/** Whether the umbrella runs kof-collectors and kof-storage itself (up to 1.9), or leaves the management cluster to kof-child. */
export function umbrellaCollects(catalog: Catalog): boolean {
    return catalog.components.some(({ name }) => name === "kof-collectors");
}

/** Values of kof-collectors that every route needs which runs it through the umbrella. */
export function collectorValues(
    settings: Settings,
    catalog: Catalog,
    stack: HelmValues,
    env: readonly HelmValue[] = [],
): HelmValues {
    return managementValues(
        settings.clusterName,
        settings.clusterNamespace,
        // A list replaces the chart's list, so a value of `env` has to repeat PKI_PATH.
        env.length > 0 || pkiPathDiffers(settings) ? { defaultCRConfig: { env: [pkiPath(settings), ...env] } } : {},
        settings.istio ? { collectors: collectorsInMesh } : {},
        stack,
        distributionStack(settings, catalog, settings.istio),
    );
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
    return nestSome(["collectors"], mergeValues(...values));
}

/** PKI_PATH of the charts (kof-collectors 1.8.0 to 1.11.0-rc0), which is k0s'. */
const defaultPkiPath = "var/lib/k0s";

/** Where the charts look for etcd's certificates, as an environment variable of the collectors. */
function pkiPath(settings: Settings): HelmValue {
    return { name: "PKI_PATH", value: pkiPathOf(settings.distribution) };
}

function pkiPathDiffers({ distribution }: Settings): boolean {
    return pkiPathOf(distribution) !== defaultPkiPath;
}

/**
 * Values of kof-collectors for a cluster that is not k0s, where KOF itself sets the rest.
 *
 * @param isOff whether other values have turned the collector of the control plane off, for the mesh.
 */
export function distributionValues(settings: Settings, catalog: Catalog, isOff = false): HelmValues {
    const env = pkiPathDiffers(settings) ? { defaultCRConfig: { env: [pkiPath(settings)] } } : {};
    return nestSome([kubeStack], mergeValues(env, distributionStack(settings, catalog, isOff)));
}

/** How a distribution differs from the charts, apart from PKI_PATH. */
function distributionStack({ distribution }: Settings, catalog: Catalog, isOff: boolean): HelmValues {
    const { nodeExporter } = distributionOf(distribution);
    const certificates = etcdCertificates(distribution);
    const ports = nodeExporter && { port: nodeExporter.port, targetPort: nodeExporter.port };
    return mergeValues(
        certificates === undefined && !isOff ? { collectors: { "controller-k0s": { enabled: false } } } : {},
        certificates?.files === undefined ? {} : etcdScrape(certificates.files, catalog),
        ports ? { "prometheus-node-exporter": { service: ports } } : {},
    );
}

/** The charts' scrapes of the control plane, with other names for etcd's certificates. A list replaces the charts' list. */
function etcdScrape(
    files: { readonly ca: string; readonly cert: string; readonly key: string },
    catalog: Catalog,
): HelmValues {
    const path = ["controller-k0s", "config", "receivers", "prometheus", "config", "scrape_configs"];
    const scrapes = valueAt(stackDefaults(catalog).collectors, path);
    const file = (name: string) => `/hostfs/\${env:PKI_PATH}/${name}`;
    const tls = { ca_file: file(files.ca), cert_file: file(files.cert), key_file: file(files.key) };
    return nest(
        ["collectors", ...path],
        (scrapes as HelmValue[]).map((scrape) =>
            isMap(scrape) && scrape.job_name === "etcd" ? { ...scrape, tls_config: tls } : scrape,
        ),
    );
}

/** metrics-server, for a distribution that comes without one. */
export function metricsServerValues({ distribution }: Settings, catalog: Catalog): HelmValues {
    const { comes, args } = distributionOf(distribution).metricsServer;
    if (comes) {
        return {};
    }
    const chart = umbrellaCollects(catalog) ? "kof-collectors" : "kof-mothership";
    return { [chart]: { values: { "metrics-server": { enabled: true, ...(args ? { args: [...args] } : {}) } } } };
}

/** An environment variable of the collectors whose value is in a Secret. */
export function secretEnv(name: string, secret: string, key: string): HelmValue {
    return { name, valueFrom: { secretKeyRef: { name: secret, key } } };
}

/** The names of the collectors, by their key in the charts' values: `daemon` is kof-collectors-daemon. */
export function collectorNames(catalog: Catalog): Record<string, string> {
    return Object.fromEntries(
        Object.entries(stackDefaults(catalog).collectors).map(([key, { suffix }]) => [
            key,
            `kof-collectors-${suffix as string}`,
        ]),
    );
}

/** Whether the daemon sorts audit logs into a pipeline of their own (KOF 1.10 and later). */
export function sortsAuditByDefault(catalog: Catalog): boolean {
    const path = ["daemon", "config", "service", "pipelines", "logs/audit"];
    return isMap(valueAt(stackDefaults(catalog).collectors, path));
}

/** What the collectors keep while the destination is unreachable: 30 minutes and 1Gi by default. */
export function bufferOf({ buffer = { duration: "30m", size: "1Gi", metrics: "memory" } }: Settings): Buffer {
    return { duration: buffer.duration, bytes: Math.round(sizeInGiB(buffer.size) * gib) };
}

/**
 * The umbrella's values for a route that stores nothing in a cluster of KOF: it runs the collectors, and nothing else.
 *
 * @param stack where the collectors write: values for opentelemetry-kube-stack.
 * @param env what they authenticate with.
 */
export function collectorsOnly(
    settings: Settings,
    catalog: Catalog,
    stack: HelmValues,
    env: readonly HelmValue[] = [],
): HelmValues {
    const components = valueAt(chartValues(catalog, "kof"), ["global", "components"]) as string[];
    return mergeValues(
        // From 1.10 on, the umbrella installs kof-collectors only on request, and has no values for it.
        umbrellaCollects(catalog) ? {} : { global: { components: [...components, "kof-collectors"] } },
        {
            "kof-collectors": {
                enabled: true,
                dependsOn: collectorsDependOn,
                values: mergeValues(
                    collectorValues(
                        settings,
                        catalog,
                        mergeValues(queueStorage(catalog), recreatedStorage(catalog), withoutDebug, stack),
                        env,
                    ),
                    // OpenCost computes costs from metrics in VictoriaMetrics, and such a route stores none there.
                    { opencost: { enabled: false } },
                ),
            },
        },
        metricsServerValues(settings, catalog),
    );
}

/** The charts have this pipeline print what it gets, which the daemon would then collect as logs. */
const withoutDebug: HelmValues = {
    collectors: { "target-allocator": { config: { service: { pipelines: { logs: { exporters: ["nop"] } } } } } },
};

/** What kof-collectors waits for where kof-storage, its default dependency, is not installed. */
export const collectorsDependOn = ["kof-operators", "kof-mothership"];
