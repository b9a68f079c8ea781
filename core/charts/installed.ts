import { enabledComponents } from "./umbrella";
import { oncePer } from "../lib/lazy";
import { compact } from "../lib/compact";
import { valueAt, type HelmValues } from "../lib/values";

/** A chart that KOF runs. */
export interface InstalledChart {
    readonly chart: string;
    /** What installs it: a HelmRelease of the umbrella, or Sveltos by a MultiClusterService of {@link component}. */
    readonly by: "flux" | "sveltos";
    /** The component of the umbrella that brings it. Without that it is uninstalled. */
    readonly component: string;
    /** Where the umbrella has the chart's values, as far as a stack can give it any. */
    readonly prefix: readonly string[];
    /** Where it runs: on the management cluster, or on each regional cluster. */
    readonly on: "management" | "regions";
}

/**
 * The charts that run on the management cluster with these values: the umbrella's components, and what kof-child and
 * kof-regional install there (`charts/kof-child/templates/child-multi-cluster-service.yaml` and
 * `charts/kof-regional/templates/regional-multi-cluster-service.yaml`, from KOF 1.10 on).
 *
 * @param umbrella the umbrella's values, complete with its defaults.
 */
export const installedCharts = oncePer((umbrella: HelmValues): readonly InstalledChart[] => {
    const components = enabledComponents(umbrella).map((name): InstalledChart => ({
        chart: name,
        by: "flux",
        component: name,
        prefix: [name, "values"],
        on: "management",
    }));
    const has = (name: string) => components.some(({ component }) => component === name);
    const here = (component: string, key: string, ...path: string[]): InstalledChart => ({
        chart: `kof-${key}`,
        by: "sveltos",
        component,
        prefix: [component, "values", ...path, key],
        on: "management",
    });
    const fromManagement = (...path: string[]) => valueAt(umbrella, ["kof-child", "values", "fromManagement", ...path]);
    const storesHere = fromManagement("toManagementCluster", "enabled") === true;
    const region = fromManagement("toRegionalCluster", "name") ?? "";
    return compact(
        ...components,
        has("kof-child") && storesHere && here("kof-child", "storage", "fromManagement"),
        has("kof-child") && (storesHere || region !== "") && here("kof-child", "collectors", "fromManagement"),
        ...(has("kof-regional") && isRegionless(umbrella)
            ? [here("kof-regional", "storage"), here("kof-regional", "collectors")]
            : []),
    );
});

/** The chart of the collectors of the management cluster; `undefined` where there are none. */
export function collectorsChart(umbrella: HelmValues): InstalledChart | undefined {
    return installedCharts(umbrella).find(({ chart }) => chart === "kof-collectors");
}

/**
 * The HelmRelease of the umbrella that brings the collectors of the management cluster: their own, or that by which Sveltos installs
 * them. `undefined` where there are none.
 */
export function collectorsComponent(umbrella: HelmValues): string | undefined {
    return collectorsChart(umbrella)?.component;
}

/** The charts that store telemetry on each regional cluster; none where there are no regions, or KOF is not installed on them. */
export function regionalStorage(umbrella: HelmValues): InstalledChart[] {
    const component = "kof-regional";
    return enabledComponents(umbrella).includes(component) && !isRegionless(umbrella)
        ? [{ chart: "kof-storage", by: "sveltos", component, prefix: [component, "values", "storage"], on: "regions" }]
        : [];
}

/**
 * The value that turns off what makes the stores of a chart, or their entrance, from objects of the VictoriaMetrics operator;
 * `undefined` where it runs. On regions kof-regional installs it (from KOF 1.10 on with a switch), up to 1.8 kof-storage itself.
 */
export function storeOperatorOff(umbrella: HelmValues, on: InstalledChart["on"]): readonly string[] | undefined {
    const operator = ["victoria-metrics-operator", "enabled"];
    const region = ["kof-regional", "values"];
    const paths =
        on === "regions"
            ? [
                  [...region, ...operator],
                  [...region, "storage", ...operator],
              ]
            : [operator];
    return paths.find((path) => valueAt(umbrella, path) === false);
}

type Clusters = InstalledChart["on"] | "children";

/** An operator of chart kof-operators. The umbrella has that of Grafana off by default. */
type Operator = "opentelemetry-operator" | "grafana-operator";

/** Where kof-operators is switched, and where it has its values, on each kind of clusters. kof-regional has `operators` up to 1.9. */
const operators: Readonly<
    Record<Clusters, { readonly switches: readonly string[]; readonly values: readonly string[] }>
> = {
    management: { switches: ["kof-operators"], values: ["kof-operators.values"] },
    regions: {
        switches: ["kof-regional.values.kof-operators"],
        values: ["kof-regional.values.kof-operators.values", "kof-regional.values.operators"],
    },
    children: { switches: [], values: ["kof-child.values.operators"] },
};

/**
 * The value that turns off an operator of chart kof-operators; `undefined` if it runs. Its CRDs decide what happens to its objects.
 * Those of collectors are removed with it (`crds.create` of chart opentelemetry-operator). Those of Grafana stay
 * (`templates/crds.yaml` of chart grafana-operator). This is so in KOF 1.8.0 to 1.11.0-rc0.
 */
export function operatorOffAt(umbrella: HelmValues, operator: Operator, on: Clusters): readonly string[] | undefined {
    const { switches, values } = operators[on];
    const own = values.map((path) => [...path.split("."), operator, "enabled"]);
    return [...switches.map((path) => [...path.split("."), "enabled"]), ...own].find(
        (path) => valueAt(umbrella, path) === false,
    );
}

/** The value that turns off what makes the collectors of the management cluster. */
export function collectorOperatorOff(umbrella: HelmValues): readonly string[] | undefined {
    return operatorOffAt(umbrella, "opentelemetry-operator", "management");
}

/** Whether the child clusters store their telemetry on the management cluster. */
export function childrenStoreHere({ umbrella }: { readonly umbrella: HelmValues }): boolean {
    const charts = installedCharts(umbrella);
    return charts.some(({ chart, component }) => chart === "kof-storage" && component === "kof-regional");
}

/** Whether KOF stores on the management cluster what its fleet collects, and there are no regions. */
export function isRegionless(umbrella: HelmValues): boolean {
    return valueAt(umbrella, ["regionless", "enabled"]) === true;
}
