import { chartValues, type Catalog } from "../catalog";
import { mergeValues, valueAt, type HelmValues } from "../catalog/values";
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
import type { SettingsOf } from "../stacks/settings";
import type { RouteParts } from ".";
import {
    collectorValues,
    collectorsDependOn,
    distributionValues,
    furtherCollectorValues,
    metricsServer,
    openCostIdentity,
    umbrellaCollects,
} from "./collectors";
import { storedInRegion } from "./destinations";
import { mothershipVolumes } from "./volumes";
import { vmuserSecretName } from "./vmuser";

/** Everything is stored on one regional cluster, through its vmauth: over the internet, or through the Istio mesh. */
export function regional(settings: SettingsOf<"regional">, catalog: Catalog): RouteParts {
    const { cluster, namespace, domain } = settings.regional;
    const vmauth = vmauthOf(cluster, domain, settings.istio);
    const shared = {
        destinations: storedInRegion(catalog, cluster, vmauth),
        volumes: mothershipVolumes(catalog),
    };
    if (umbrellaCollects(catalog)) {
        const secret = vmuserSecretName(cluster, namespace);
        const collectors = {
            enabled: true,
            dependsOn: collectorsDependOn,
            values: umbrellaCollectors(settings, catalog, vmauth, secret),
        };
        return {
            ...shared,
            values: mergeValues({ "kof-collectors": collectors }, metricsServer(settings, catalog)),
            vmuserSecret: secret,
        };
    }
    const fromManagement = {
        cluster: { name: settings.clusterName, namespace: settings.clusterNamespace },
        toRegionalCluster: { name: cluster, namespace },
        ...furtherCollectorValues(distributionValues(settings), openCostIdentity(settings, catalog)),
    };
    return {
        ...shared,
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
    const daemonExtensions = valueAt(chartValues(catalog, "kof-collectors"), [
        ...["opentelemetry-kube-stack", "collectors", "daemon", "config", "service", "extensions"],
    ]) as string[];
    const kubeStack: HelmValues = {
        collectors: {
            daemon: mergeValues(settings.istio ? {} : mergeValues(daemonOnHostNetwork, daemonAtNodeAddress), {
                // The daemon has a list of its own, which replaces the one of defaultCRConfig.
                config: { service: { extensions: [...daemonExtensions, ...authenticators] } },
            }),
        },
        defaultCRConfig: {
            config: {
                extensions: authenticatorDefinitions,
                service: { extensions: authenticators },
                exporters: insecure ? mergeValues(exporters, unverified(Object.keys(exporters))) : exporters,
            },
        },
    };
    const prometheus = {
        existingSecretName: secret,
        external: { url: `${vmauth}/vm/select/0/prometheus` },
        ...(insecure ? { insecureSkipVerify: true } : {}),
    };
    return mergeValues(
        collectorValues(settings, kubeStack, vmuserEnv(secret)),
        { opencost: { opencost: { prometheus } } },
        openCostIdentity(settings, catalog),
    );
}
