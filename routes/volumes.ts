import type { Catalog, CatalogSetting, CatalogVolume, Signal } from "../catalog";
import { valueAt, type HelmValue } from "../catalog/values";
import type { Route } from ".";

/** A volume of the catalog, and where in the umbrella's values its chart's values are. */
export interface RouteVolume {
    readonly volume: CatalogVolume;
    readonly prefix: readonly string[];
}

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

/** The persistent volumes of one workload on the management cluster, ReadWriteOnce, one per pod. */
export interface Volume {
    /** `vmstorage`, `vlstorage`, … */
    readonly workload: string;
    readonly signal: Signal;
    readonly count: number;
    /** Whether volumes that exist follow a larger size; see the catalog. */
    readonly expands: boolean;
    /** Copies of what is stored; 1 for shards. */
    readonly copies: number;
    /** Size of each, as a Kubernetes quantity. */
    readonly size: string;
    /** Name of the class; empty for the cluster's default class. */
    readonly storageClass: string;
    /** How long data is kept: `30d`. `undefined` for a cache. */
    readonly retention: string | undefined;
    /** Whether the retention is KOF's default, which nobody asked for. */
    readonly keptByDefault: boolean;
}

/**
 * How the claims of each workload's volumes start: the claim template's name and the StatefulSet's, the same in all versions
 * (charts victoria-logs-cluster and victoria-traces-cluster in release kof-storage; VMCluster `cluster` and VLCluster
 * `audit-logs`, whose StatefulSets the VictoriaMetrics operator names).
 */
const claimPrefixes: Readonly<Record<string, string>> = {
    vmselect: "vmselect-cachedir-vmselect-cluster",
    vmstorage: "vmstorage-db-vmstorage-cluster",
    "vlstorage-audit": "vlstorage-db-vlstorage-audit-logs",
    vlstorage: "vlstorage-volume-kof-storage-victoria-logs-cluster-vlstorage",
    vtstorage: "vtstorage-volume-kof-storage-vt-cluster-vtstorage",
};

/** Names of the PersistentVolumeClaims of a workload: `count` of them, from the pod with the number `first`. */
export function claimNames(workload: string, first: number, count: number): string[] {
    const prefix = claimPrefixes[workload];
    if (prefix === undefined) {
        throw new Error(`The claims of ${workload} have no name yet: add it to claimPrefixes.`);
    }
    return Array.from({ length: count }, (_, i) => `${prefix}-${String(first + i)}`);
}

/** The volumes that a route has on the management cluster, the charts' defaults filled in. */
export function volumesOf(route: Route): Volume[] {
    return route.volumes.flatMap((each) => {
        const { volume, prefix } = each;
        const at = (setting: CatalogSetting | null) => (setting ? effective(route, each, setting) : null);
        // Grafana is the user's own: KOF makes a volume for it only in its tests (`grafana.installForTests`).
        return volume.signal === "grafana"
            ? []
            : [
                  {
                      workload: volume.workload,
                      signal: volume.signal,
                      count: at(volume.replicas) as number,
                      expands: volume.expands,
                      copies: (at(volume.replicationFactor) ?? 1) as number,
                      size: at(volume.size) as string,
                      storageClass: (at(volume.storageClass) ?? "") as string,
                      retention: (at(volume.retention) ?? undefined) as string | undefined,
                      keptByDefault:
                          volume.retention !== null &&
                          valueAt(route.values, [...prefix, ...volume.retention.path]) === undefined,
                  },
              ];
    });
}

/** Whether a route stores the management cluster's telemetry on that cluster. kof-mothership has its volumes on every route. */
export function storesHere({ volumes }: Pick<Route, "volumes">): boolean {
    return volumes.some(({ volume }) => volume.signal === "logs");
}

/** A setting as the chart gets it: from the stack, else from the umbrella's defaults, else its own. */
function effective({ umbrella }: Route, { prefix }: RouteVolume, { path, default: own }: CatalogSetting): HelmValue {
    return valueAt(umbrella, [...prefix, ...path]) ?? own;
}

const daysOf: Readonly<Record<string, number>> = { h: 1 / 24, d: 1, w: 7, M: 31, m: 31, y: 365 };

/** A retention in days, by VictoriaMetrics' units; a bare number counts months. */
export function retentionInDays(retention: string): number {
    const [, amount = "", unit = "m"] = /^(\d+)(\D)?$/.exec(retention) ?? [];
    return Number(amount) * (daysOf[unit] ?? Number.NaN);
}

const units: Readonly<Record<string, number>> = {
    ...{ Ki: 2 ** -20, Mi: 2 ** -10, Gi: 1, Ti: 2 ** 10, Pi: 2 ** 20, Ei: 2 ** 30 },
    ...Object.fromEntries(["k", "M", "G", "T", "P", "E"].map((unit, i) => [unit, 1000 ** (i + 1) / 2 ** 30])),
};

/** A Kubernetes quantity of bytes in GiB. */
export function sizeInGiB(size: string): number {
    const [, amount = "", unit = ""] = /^([\d.]+)([A-Za-z]*)$/.exec(size) ?? [];
    return Number(amount) * (units[unit] ?? 2 ** -30);
}

/** What volumes ask for together, in GiB. */
export function totalGiB(volumes: readonly Volume[]): number {
    return volumes.reduce((sum, { count, size }) => sum + count * sizeInGiB(size), 0);
}
