import type { Catalog } from "../charts";
import { definedOnly } from "../lib/compact";
import { mergeValues } from "../lib/values";
import { recreatedStorage } from "../collectors/buffers";
import { clusterIdentity } from "../collectors/fragments";
import { addClusterIdentity } from "../collectors/identity";
import { listensOnNodes, nodeValues } from "../collectors/service";
import type { SettingsOf } from "../settings/settings";
import type { RouteParts } from "./parts";
import { distributionValues, metricsServerValues } from "./collectors";

/** There are no regions: the management cluster stores its own telemetry and that of every child cluster. */
export function regionless(settings: SettingsOf<"regionless">, catalog: Catalog): RouteParts {
    const { clusterName, clusterNamespace } = settings;
    const { domain, certEmail, selfSigned } = settings.regionless;
    const kubeStack = mergeValues(
        // What later versions do themselves.
        listensOnNodes(catalog) ? {} : nodeValues(settings.istio),
        addClusterIdentity(catalog, ["traces"]),
        recreatedStorage(catalog),
        // KOF would take the namespace of its own object for the management cluster, `mgmt`.
        { defaultCRConfig: { config: clusterIdentity(clusterName, clusterNamespace) } },
    );
    const collectors = mergeValues(
        distributionValues(settings, catalog, settings.istio && !listensOnNodes(catalog)),
        listensOnNodes(catalog) ? {} : { kcm: { monitoring: true } },
        { "opentelemetry-kube-stack": kubeStack },
    );
    return {
        values: mergeValues(
            {
                regionless: { enabled: true, clusterName, ...definedOnly({ domain, certEmail }) },
                "kof-regional": { values: { collectors } },
            },
            selfSigned ? { tls: { selfSigned: true, insecureSkipVerify: true } } : {},
            metricsServerValues(settings, catalog),
        ),
        notices: [
            "Route regionless takes KOF off every existing regional cluster: what is stored there is no longer reachable through KOF.",
        ],
    };
}
