import { chartValues, signals, type Catalog } from "../charts";
import { mergeValues, nest, valueAt, type HelmValues } from "../lib/values";
import {
    bufferedExporter,
    queuedRemoteWrite,
    queueStorage,
    recreatedStorage,
    retriedRemoteWrite,
} from "../collectors/buffers";
import {
    authenticatorDefinitions,
    authenticators,
    daemonAtNodeAddress,
    daemonOnHostNetwork,
    exportersToRegion,
    unverified,
    vmauthOf,
    vmuserEnv,
} from "../collectors/fragments";
import { addClusterIdentity } from "../collectors/identity";
import type { SettingsOf } from "../settings/settings";
import type { RouteParts } from "./parts";
import {
    bufferOf,
    collectorValues,
    collectorsDependOn,
    distributionValues,
    furtherCollectorValues,
    metricsServer,
    openCostIdentity,
    umbrellaCollects,
} from "./collectors";
import { vmuserSecretName } from "../charts/vmuser";

/** Everything is stored on one regional cluster, through its vmauth: over the internet, or through the Istio mesh. */
export function regional(settings: SettingsOf<"regional">, catalog: Catalog): RouteParts {
    const { cluster, namespace, domain } = settings.regional;
    const vmauth = vmauthOf(cluster, domain, settings.istio);
    const onDisk = settings.buffer?.metrics === "disk";
    const queued = signals.filter((signal) => signal !== "metrics" || onDisk);
    if (umbrellaCollects(catalog)) {
        const secret = vmuserSecretName(cluster, namespace);
        const collectors = {
            enabled: true,
            dependsOn: collectorsDependOn,
            values: umbrellaCollectors(settings, catalog, vmauth, secret),
        };
        return {
            values: mergeValues({ "kof-collectors": collectors }, metricsServer(settings, catalog)),
            queued,
            restartTriggers: [`Secret ${secret}`],
        };
    }
    const fromManagement = {
        cluster: { name: settings.clusterName, namespace: settings.clusterNamespace },
        toRegionalCluster: { name: cluster, namespace },
        ...furtherCollectorValues(
            {
                "opentelemetry-kube-stack": mergeValues(
                    addClusterIdentity(catalog, ["traces"]),
                    buffered(settings, catalog),
                ),
            },
            distributionValues(settings, catalog),
            openCostIdentity(settings, catalog),
        ),
    };
    return {
        queued,
        values: mergeValues(
            { "kof-child": { values: { fromManagement } } },
            settings.regional.insecureSkipVerify ? { tls: { insecureSkipVerify: true } } : {},
            metricsServer(settings, catalog),
        ),
    };
}

/** What KOF 1.10 and later work out themselves, spelled out for kof-collectors of the versions before. */
function umbrellaCollectors(
    settings: SettingsOf<"regional">,
    catalog: Catalog,
    vmauth: string,
    secret: string,
): HelmValues {
    const insecure = settings.regional.insecureSkipVerify;
    const exporters = exportersToRegion(vmauth);
    const kubeStack = mergeValues(
        settings.istio ? {} : { collectors: { daemon: mergeValues(daemonOnHostNetwork, daemonAtNodeAddress) } },
        {
            defaultCRConfig: {
                config: {
                    extensions: authenticatorDefinitions,
                    exporters: insecure ? mergeValues(exporters, unverified(Object.keys(exporters))) : exporters,
                },
            },
        },
        queueStorage(catalog, authenticators),
        addClusterIdentity(catalog, ["traces"]),
        buffered(settings, catalog),
    );
    const prometheus = {
        existingSecretName: secret,
        external: { url: `${vmauth}/vm/select/0/prometheus` },
        ...(insecure ? { insecureSkipVerify: true } : {}),
    };
    return mergeValues(
        collectorValues(settings, catalog, kubeStack, vmuserEnv(secret)),
        { opencost: { opencost: { prometheus } } },
        openCostIdentity(settings, catalog),
    );
}

/** The exporters to a region keep what they cannot send, on disks that may fail. From KOF 1.10 on there is one for audit logs. */
function buffered(settings: SettingsOf<"regional">, catalog: Catalog): HelmValues {
    const config = ["opentelemetry-kube-stack", "defaultCRConfig", "config", "exporters"];
    const names = Object.keys(valueAt(chartValues(catalog, "kof-collectors"), config) as HelmValues);
    const buffer = bufferOf(settings);
    const otlp = names.filter((name) => name.startsWith("otlphttp/"));
    const exporters = Object.fromEntries(otlp.map((name) => [name, bufferedExporter(buffer)]));
    const path = ["defaultCRConfig", "config", "exporters"];
    return mergeValues(
        recreatedStorage(catalog),
        settings.buffer?.metrics === "disk"
            ? queuedRemoteWrite(catalog, buffer)
            : nest([...path, "prometheusremotewrite"], retriedRemoteWrite(buffer)),
        nest(path, exporters),
    );
}
