import { kubeStack, type Catalog } from "../charts";
import { mergeValues } from "../lib/values";
import { recreatedStorage } from "../collectors/buffers";
import { addClusterIdentity } from "../collectors/identity";
import type { SettingsOf } from "../settings/settings";
import type { RouteParts } from "./parts";
import {
    collectorValues,
    distributionValues,
    furtherCollectorValues,
    metricsServerValues,
    openCostIdentity,
    umbrellaCollects,
} from "./collectors";

/** Everything is stored on the management cluster itself: metrics by kof-mothership, the rest by kof-storage. */
export function management(settings: SettingsOf<"management">, catalog: Catalog): RouteParts {
    const { clusterName, clusterNamespace } = settings;
    // Without this kof-storage makes a ClusterIssuer with a placeholder address, under a name that kof-mothership may own.
    const storage = { global: { clusterName }, "cert-manager": { "cluster-issuer": { create: false } } };
    const openCost = openCostIdentity(settings, catalog);
    const stack = mergeValues(addClusterIdentity(catalog, ["traces"]), recreatedStorage(catalog));
    if (umbrellaCollects(catalog)) {
        const collectors = mergeValues(collectorValues(settings, catalog, stack), openCost);
        const values = {
            "kof-storage": { enabled: true, values: storage },
            "kof-collectors": { enabled: true, values: collectors },
        };
        return { values: mergeValues(values, metricsServerValues(settings, catalog)) };
    }
    const fromManagement = {
        cluster: { name: clusterName, namespace: clusterNamespace },
        toManagementCluster: { enabled: true },
        storage,
        ...furtherCollectorValues({ [kubeStack]: stack }, distributionValues(settings, catalog), openCost),
    };
    const values = { "kof-child": { values: { fromManagement } } };
    return { values: mergeValues(values, metricsServerValues(settings, catalog)) };
}
