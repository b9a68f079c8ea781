import { kubeStack, signals, type Catalog, type Signal } from "../charts";
import { stackDefaults } from "../charts/stack";
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
    clusterLabels,
    daemonAtNodeAddress,
    daemonOnHostNetwork,
    exportersToRegion,
    unverified,
    vmauthOf,
    vmuserEnv,
    writePaths,
} from "../collectors/fragments";
import { addClusterIdentity } from "../collectors/identity";
import type { Settings, SettingsOf } from "../settings/settings";
import type { RouteParts, Target } from "./parts";
import {
    bufferOf,
    collectorValues,
    collectorsDependOn,
    distributionValues,
    furtherCollectorValues,
    metricsServerValues,
    openCostIdentity,
    sortsAuditByDefault,
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
            values: mergeValues({ "kof-collectors": collectors }, metricsServerValues(settings, catalog)),
            queued,
            restartTriggers: [`Secret ${secret}`],
        };
    }
    const fromManagement = {
        cluster: { name: settings.clusterName, namespace: settings.clusterNamespace },
        toRegionalCluster: { name: cluster, namespace },
        ...furtherCollectorValues(
            { [kubeStack]: mergeValues(addClusterIdentity(catalog, ["traces"]), buffered(settings, catalog)) },
            distributionValues(settings, catalog),
            openCostIdentity(settings, catalog),
        ),
    };
    return {
        queued,
        values: mergeValues(
            { "kof-child": { values: { fromManagement } } },
            settings.regional.insecureSkipVerify ? { tls: { insecureSkipVerify: true } } : {},
            metricsServerValues(settings, catalog),
        ),
    };
}

/** The settings of a stack that writes to a region. */
export type ToRegion = Settings & Pick<SettingsOf<"regional">, "regional">;

/** A region as one of several destinations, beside the stores of this cluster. It gets exactly what they get. */
export function regionalTarget(settings: ToRegion, catalog: Catalog, to: readonly Signal[]): Target {
    const { cluster, namespace, domain } = settings.regional;
    const vmauth = vmauthOf(cluster, domain, settings.istio);
    const secret = vmuserSecretName(cluster, namespace);
    const buffer = bufferOf(settings);
    // Up to KOF 1.9 audit logs are among the logs.
    const sent = to.filter((signal) => signal !== "audit" || sortsAuditByDefault(catalog));
    const ids = {
        metrics: "prometheusremotewrite/regional",
        logs: "otlphttp/regional-logs",
        traces: "otlphttp/regional-traces",
        audit: "otlphttp/regional-audit",
    } as const;
    const { prometheusremotewrite, "otlphttp/logs": logs, "otlphttp/traces": traces } = exportersToRegion(vmauth);
    const otlp = (options: HelmValues) => mergeValues(options, bufferedExporter(buffer));
    const all: Record<Signal, HelmValues> = {
        metrics: mergeValues(prometheusremotewrite, retriedRemoteWrite(buffer), {
            external_labels: clusterLabels(settings.clusterName, settings.clusterNamespace),
        }),
        logs: otlp(logs),
        traces: otlp(traces),
        audit: otlp({ ...logs, logs_endpoint: `${vmauth}${writePaths.audit}` }),
    };
    const exporters = Object.fromEntries(sent.map((signal) => [ids[signal], all[signal]]));
    return {
        name: "regional",
        exporters: Object.fromEntries(sent.map((signal) => [signal, ids[signal]])),
        definitions: {
            extensions: authenticatorDefinitions,
            exporters: verified(exporters, settings),
        },
        extensions: authenticators,
        env: vmuserEnv(secret),
        queued: sent.filter((signal) => signal !== "metrics"),
        restartTriggers: [`Secret ${secret}`],
    };
}

/** Exporters to a region, which check its certificate unless the settings say otherwise. */
function verified(exporters: HelmValues, { regional }: ToRegion): HelmValues {
    return regional.insecureSkipVerify ? mergeValues(exporters, unverified(Object.keys(exporters))) : exporters;
}

/** How OpenCost reads the metrics of a region. */
export function openCostOfRegion(settings: ToRegion): HelmValues {
    const { cluster, namespace, domain, insecureSkipVerify } = settings.regional;
    const prometheus = {
        existingSecretName: vmuserSecretName(cluster, namespace),
        external: { url: `${vmauthOf(cluster, domain, settings.istio)}/vm/select/0/prometheus` },
        ...(insecureSkipVerify ? { insecureSkipVerify: true } : {}),
    };
    return { opencost: { opencost: { prometheus } } };
}

/** What KOF 1.10 and later work out themselves, spelled out for kof-collectors of the versions before. */
function umbrellaCollectors(
    settings: SettingsOf<"regional">,
    catalog: Catalog,
    vmauth: string,
    secret: string,
): HelmValues {
    const stack = mergeValues(
        settings.istio ? {} : { collectors: { daemon: mergeValues(daemonOnHostNetwork, daemonAtNodeAddress) } },
        {
            defaultCRConfig: {
                config: {
                    extensions: authenticatorDefinitions,
                    exporters: verified(exportersToRegion(vmauth), settings),
                },
            },
        },
        queueStorage(catalog, authenticators),
        addClusterIdentity(catalog, ["traces"]),
        buffered(settings, catalog),
    );
    return mergeValues(
        collectorValues(settings, catalog, stack, vmuserEnv(secret)),
        openCostOfRegion(settings),
        openCostIdentity(settings, catalog),
    );
}

/** The exporters to a region keep what they cannot send, on disks that may fail. From KOF 1.10 on there is one for audit logs. */
function buffered(settings: SettingsOf<"regional">, catalog: Catalog): HelmValues {
    const path = ["config", "exporters"];
    const { defaultCRConfig } = stackDefaults(catalog);
    const names = Object.keys(valueAt(defaultCRConfig, path) ?? {});
    const buffer = bufferOf(settings);
    const otlp = names.filter((name) => name.startsWith("otlphttp/"));
    const exporters = Object.fromEntries(otlp.map((name) => [name, bufferedExporter(buffer)]));
    return mergeValues(
        recreatedStorage(catalog),
        settings.buffer?.metrics === "disk"
            ? queuedRemoteWrite(catalog, buffer)
            : nest(["defaultCRConfig", ...path, "prometheusremotewrite"], retriedRemoteWrite(buffer)),
        nest(["defaultCRConfig", ...path], exporters),
    );
}
