import type { Catalog } from "../charts";
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
    const collectors = openCostIdentity(settings, catalog);
    const kubeStack = mergeValues(addClusterIdentity(catalog, ["traces"]), recreatedStorage(catalog));
    const values = umbrellaCollects(catalog)
        ? {
              "kof-storage": { enabled: true, values: storage },
              "kof-collectors": {
                  enabled: true,
                  values: mergeValues(collectorValues(settings, catalog, kubeStack), collectors),
              },
          }
        : {
              "kof-child": {
                  values: {
                      fromManagement: {
                          cluster: { name: clusterName, namespace: clusterNamespace },
                          toManagementCluster: { enabled: true },
                          storage,
                          ...furtherCollectorValues(
                              { "opentelemetry-kube-stack": kubeStack },
                              distributionValues(settings, catalog),
                              collectors,
                          ),
                      },
                  },
              },
          };
    return { values: mergeValues(values, metricsServerValues(settings, catalog)) };
}
