import { enabledComponents } from "../charts/umbrella";
import { mergeValues, valueAt, type HelmValues } from "../lib/values";
import { installedCharts } from "../charts/installed";
import type { Merged } from "../collectors/merged";

/** A component of the umbrella that is there on every route. The others come and go with it. */
interface Component {
    readonly name: string;
    /** What it brings, as it follows "installs". */
    readonly brings: (deployment: Merged) => string;
    /** Whether something stops without it, or only runs on as it is. */
    readonly stops: boolean;
}

/**
 * The release of kof-operators has the CRD of OpenTelemetryCollectors, and deletes all of them with it. The CRDs of stores stay
 * (`crds.plain` of victoria-metrics-operator, KOF 1.8.0 to 1.11.0-rc0).
 */
export const components: readonly Component[] = [
    {
        name: "kof-operators",
        brings: () => "KOF's OpenTelemetry operator, and the collectors of this cluster by it",
        stops: true,
    },
    {
        name: "victoria-metrics-operator",
        brings: () => "KOF's VictoriaMetrics operator, which manages the stores of metrics and audit logs",
        stops: false,
    },
    {
        name: "kof-mothership",
        brings: () =>
            "KOF's part of the management cluster, which sets up regional and child clusters and queries them",
        stops: true,
    },
    { name: "kof-regional", brings: (deployment) => onClusters("kof-regional", deployment), stops: true },
    { name: "kof-child", brings: (deployment) => onClusters("kof-child", deployment), stops: true },
];

/** What a component installs on a kind of cluster, and what it also installs on this one. */
function onClusters(component: string, { umbrella }: Merged): string {
    const on: HelmValues = mergeValues(umbrella, { [component]: { enabled: true } });
    const here = installedCharts(on)
        .filter((chart) => chart.component === component && chart.by === "sveltos")
        .map(({ chart }) => (chart === "kof-storage" ? "stores" : "collectors"));
    const own = here.length > 0 ? `the ${here.join(" and ")} of this cluster` : "";
    // Without regions kof-regional is for this cluster alone.
    const isFleet = component === "kof-child" || own === "";
    const stores = component === "kof-regional" ? ", with all that is stored there" : "";
    return [isFleet ? `KOF on every ${component.slice("kof-".length)} cluster${stores}` : "", own]
        .filter((part) => part !== "")
        .join(", and ");
}

/** The components that `kof:values` turn off. */
export function componentsOff(deployment: Merged): Component[] {
    const values = deployment.settings.values as HelmValues;
    return components.filter(({ name }) => valueAt(values, [name, "enabled"]) === false);
}

/** The components that the umbrella installs with these values. */
export function componentsOn({ umbrella }: Merged): Component[] {
    const enabled = enabledComponents(umbrella);
    return components.filter(({ name }) => enabled.includes(name));
}
