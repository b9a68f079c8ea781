import { isDeepStrictEqual } from "node:util";

import {
    chartValues,
    type Catalog,
    type CatalogLimit,
    type CatalogSetting,
    type CatalogSwitch,
    type CatalogVolume,
    type Signal,
} from "../charts";
import { valuesHandedTo } from "../charts/layers";
import { isOn, settingIn } from "../charts/setting";
import { compact } from "../lib/compact";
import { formatPath, mergeValues, textOf, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import type { Merged } from "../collectors/merged";
import {
    installedCharts,
    operatorOffAt,
    regionalStorage,
    storeOperatorOff,
    type InstalledChart,
} from "../charts/installed";
import { bytesInGiB, sizeInGiB } from "../lib/quantities";

/** A workload that stores something, and its persistent volumes: ReadWriteOnce, one per pod. */
export interface Volume {
    /** `vmstorage`, `vlstorage`, … */
    readonly workload: string;
    readonly signal: CatalogVolume["signal"];
    readonly count: number;
    /** Whether Kubernetes chooses the number of pods later, so that {@link count} is where it starts. */
    readonly autoscaled: boolean;
    /** Whether volumes that exist follow a larger size; see the catalog. */
    readonly expands: boolean;
    /** Copies of what is stored; 1 for shards. */
    readonly copies: number;
    /** Size of each, as a Kubernetes quantity. */
    readonly size: string;
    /** Name of the class; empty for the cluster's default class. */
    readonly storageClass: string;
    /** How long data is kept: `30d`. `undefined` for a cache, and for Grafana's own data. */
    readonly retention: string | undefined;
    /** Whether the retention is KOF's default, and no setting asked for it. */
    readonly keptByDefault: boolean;
    /** What else limits what is kept. */
    readonly limits: readonly Limit[];
    /**
     * Where the workload keeps its data: in volumes that KOF makes, in its pods, which lose it with a restart, or in a claim that the
     * user made.
     */
    readonly keeps: "volumes" | "emptyDir" | "existingClaim";
    /** When Kubernetes deletes the volumes: with the workload, with pods that go. */
    readonly deleted: { readonly withWorkload: boolean; readonly withPods: boolean };
    /** What changes the names of the claims, or the folder within the volumes, as text: empty by default. */
    readonly location: string;
    /** What stands in fields of its StatefulSet that are immutable, where it is not as the charts have it: by the place in values. */
    readonly fixed: Readonly<Record<string, string>>;
    /** What takes the store's address away that KOF's collectors have, as text: empty by default. */
    readonly entrance: string;
    /** The port at which it takes records in; `undefined` for that of KOF's collectors. */
    readonly port: string | undefined;
    /** What the catalog says of it, and the chart that it is in. */
    readonly source: VolumeSource;
}

/** A workload as the charts describe it. */
export interface VolumeSource {
    readonly volume: CatalogVolume;
    readonly chart: InstalledChart;
}

/** Whether two are the same workload of the same chart, on any cluster. */
export function isSameSource(one: VolumeSource, other: VolumeSource): boolean {
    return one.volume.workload === other.volume.workload && one.chart.chart === other.chart.chart;
}

/** The limit of what one pod keeps, in addition to the retention. */
export interface Limit {
    readonly kind: CatalogLimit["kind"];
    /** `50GiB`, `80%`, or a filter of VictoriaMetrics. */
    readonly text: string;
    /** `undefined` for a filter, whose effect is not known. */
    readonly giB: number | undefined;
}

/** The StatefulSet of a workload, and what its template of claims is called: a claim is `TEMPLATE-SET-NUMBER`. */
interface ClaimTemplate {
    readonly template: string;
    readonly set: string;
}

/**
 * The same in all versions (charts victoria-logs-cluster and victoria-traces-cluster in release kof-storage; VMCluster `cluster` and
 * VLCluster `audit-logs`, whose StatefulSets the VictoriaMetrics operator names).
 */
const claimTemplates: Readonly<Record<string, ClaimTemplate>> = {
    vmselect: { template: "vmselect-cachedir", set: "vmselect-cluster" },
    vmstorage: { template: "vmstorage-db", set: "vmstorage-cluster" },
    "vlstorage-audit": { template: "vlstorage-db", set: "vlstorage-audit-logs" },
    vlstorage: { template: "vlstorage-volume", set: "kof-storage-victoria-logs-cluster-vlstorage" },
    vtstorage: { template: "vtstorage-volume", set: "kof-storage-vt-cluster-vtstorage" },
};

/** Where the claims of a workload come from. */
export function claimTemplateOf(workload: string): ClaimTemplate {
    const found = claimTemplates[workload];
    if (found === undefined) {
        throw new Error(`The claims of ${workload} have no name yet: add it to claimTemplates.`);
    }
    return found;
}

/** Names of the PersistentVolumeClaims of a workload: `count` of them, from the pod with the number `first`. */
export function claimNames(workload: string, first: number, count: number): string[] {
    const { template, set } = claimTemplateOf(workload);
    return Array.from({ length: count }, (_, i) => `${template}-${set}-${String(first + i)}`);
}

/** A regular expression of the same names, however many there are. */
export function claimPattern(workload: string): string {
    const { template, set } = claimTemplateOf(workload);
    return `${template}-${set}-[0-9]+`;
}

/**
 * The workloads that store something on the management cluster: those whose chart is installed there, and whose switches are all
 * on in that chart's merged values.
 */
export function storesOf(deployment: Merged): readonly Volume[] {
    const found = known.get(deployment.umbrella) ?? storesIn(deployment, installedCharts(deployment.umbrella));
    known.set(deployment.umbrella, found);
    return found;
}

/** Several look at the stores of a stack, one after the other. */
const known = new WeakMap<HelmValues, readonly Volume[]>();

/** The stores of {@link storesOf} that have volumes of KOF's making. */
export function volumesOf(deployment: Merged): Volume[] {
    return storesOf(deployment).filter(({ keeps }) => keeps === "volumes");
}

/**
 * The stores that KOF runs on each regional cluster. How many regions there are only the cluster knows, and what annotations of a
 * region change (`k0rdent.mirantis.com/kof-storage-values`).
 */
export function regionalStoresOf(deployment: Merged): Volume[] {
    return storesIn(deployment, regionalStorage(deployment.umbrella));
}

/** Every workload that the charts could store something with, whether it is on or not. */
export function volumeSources({ catalog, umbrella }: Merged, on: InstalledChart["on"]): VolumeSource[] {
    return sourcesIn(catalog, on === "regions" ? regionalStorage(umbrella) : installedCharts(umbrella));
}

function sourcesIn(catalog: Catalog, charts: readonly InstalledChart[]): VolumeSource[] {
    return charts.flatMap((chart) =>
        catalog.volumes.filter((volume) => volume.chart === chart.chart).map((volume) => ({ volume, chart })),
    );
}

function storesIn({ catalog, umbrella, values }: Merged, charts: readonly InstalledChart[]): Volume[] {
    return charts.flatMap((chart) => {
        const sources = sourcesIn(catalog, [chart]);
        const given = sources.length > 0 ? valuesHandedTo(catalog, umbrella, chart) : {};
        return sources
            .filter((source) => operatorOff(umbrella, source) === undefined)
            .filter(({ volume }) => volume.switches.every((each) => isOn(each, given)))
            .map((source) => storeOf(source, given, values));
    });
}

/** The value that turns off the operator without which nothing makes a store; `undefined` where it runs, or none is needed. */
export function operatorOff(umbrella: HelmValues, { volume, chart }: VolumeSource): readonly string[] | undefined {
    if (volume.signal === "grafana") {
        return operatorOffAt(umbrella, "grafana-operator", chart.on);
    }
    return volume.expands ? storeOperatorOff(umbrella, chart.on) : undefined;
}

/**
 * The value that removes the entry point of a regional cluster, through which all signals are written and read. It is VMAuth
 * `cluster` (kof-storage, `templates/victoria/vmauth.yaml`), which the VictoriaMetrics operator makes. In the mesh, it is also the
 * Service of it (`templates/istio/istio-vm-services.yaml`). `undefined` if the entry point exists, or without regions.
 */
export function regionEntranceOff({ catalog, umbrella, settings }: Merged): readonly string[] | undefined {
    const [chart] = regionalStorage(umbrella);
    if (!chart) {
        return undefined;
    }
    const given = valuesHandedTo(catalog, umbrella, chart);
    const all = mergeValues(chartValues(catalog, chart.chart), given);
    const switches = compact("enabled", "vmauth.enabled", settings.istio && "vmcluster.enabled");
    const off = switches
        .map((path) => ["victoriametrics", ...path.split(".")])
        .find((path) => valueAt(all, path) === false);
    return off ? [...chart.prefix, ...off] : storeOperatorOff(umbrella, "regions");
}

/** How long a store keeps data without a limit: the default of its flag `-retentionPeriod`. */
const ownRetention: Readonly<Record<Signal, string>> = { metrics: "1", logs: "7d", traces: "7d", audit: "7d" };

function storeOf(source: VolumeSource, given: HelmValues, values: HelmValues): Volume {
    const { volume, chart } = source;
    const { signal, retention } = volume;
    const at = (setting: CatalogSetting | null) => (setting ? settingIn(setting, given)?.value : undefined);
    const [size, port] = [textOf(at(volume.size)), at(volume.port)];
    const deleted = at(volume.claimRetention);
    return {
        workload: volume.workload,
        signal,
        count: volume.replicas ? Number(at(volume.replicas) ?? 0) : 1,
        autoscaled: volume.autoscaler !== null && isOn(volume.autoscaler, given),
        expands: volume.expands,
        copies: Number(at(volume.replicationFactor) ?? 1),
        size,
        storageClass: textOf(at(volume.storageClass) ?? ""),
        retention: retention && signal !== "grafana" ? textOf(at(retention) ?? ownRetention[signal]) : undefined,
        keptByDefault:
            retention?.places.every(({ path }) => valueAt(values, [...chart.prefix, ...path]) === undefined) === true,
        limits: volume.limits.flatMap((limit) => {
            const found = settingIn(limit, given);
            return found ? [limitOf(limit.kind, textOf(found.value), found.place.bare, size)] : [];
        }),
        keeps: volume.persistence.find((each) => !isOn(each, given))?.otherwise ?? "volumes",
        deleted: {
            withWorkload: valueAt(deleted, ["whenDeleted"]) === "Delete",
            withPods: valueAt(deleted, ["whenScaled"]) === "Delete",
        },
        location: namedChanges(volume.location, given),
        fixed: Object.fromEntries(
            changedSettings(volume.fixed, given).map(({ path, value }) => [
                formatPath([...chart.prefix, ...path]),
                JSON.stringify(value),
            ]),
        ),
        entrance: namedChanges(volume.entrance, given),
        port: port === undefined ? undefined : textOf(port),
        source,
    };
}

/** The settings that are not as the charts have them, each where the chart reads it. */
function changedSettings(
    settings: readonly CatalogSetting[],
    given: HelmValues,
): { readonly path: readonly string[]; readonly value: HelmValue }[] {
    return settings.flatMap((setting) => {
        const found = settingIn(setting, given);
        const [value, path] = [found?.value ?? null, found?.place.path ?? setting.path];
        return isDeepStrictEqual(value, setting.default) ? [] : [{ path, value }];
    });
}

/** The same as text. */
export function namedChanges(settings: readonly CatalogSetting[], given: HelmValues): string {
    return changedSettings(settings, given)
        .map(({ path, value }) => `${path.slice(-2).join(".")} ${textOf(value ?? false)}`)
        .join(", ");
}

function limitOf(kind: Limit["kind"], text: string, bare: "B" | "GiB" | undefined, size: string): Limit {
    switch (kind) {
        case "percent":
            return { kind, text: `${text}%`, giB: (Number(text) / 100) * sizeInGiB(size) };
        case "bytes": {
            const whole = bare === "GiB" && /^\d+$/.test(text) ? `${text}GiB` : text;
            return { kind, text: whole, giB: bytesInGiB(whole) };
        }
        case "filter":
            return { kind, text, giB: undefined };
    }
}

/** The first switch of a workload that is off; `undefined` when it runs. */
export function switchedOff({ catalog, umbrella }: Merged, { volume, chart }: VolumeSource): CatalogSwitch | undefined {
    const given = valuesHandedTo(catalog, umbrella, chart);
    return volume.switches.find((each) => !isOn(each, given));
}

/** What a workload stores, human-readable. */
export function contentOf({ signal, retention }: Volume): string {
    return signal === "grafana" ? "Grafana's own" : retention === undefined ? "cache" : signal;
}

/** The space of a store, human-readable: `2 x 100Gi`. */
export function spaceOf({ keeps, count, size, autoscaled }: Volume): string {
    const pods = `${String(count)}${autoscaled ? " or more" : ""}`;
    switch (keeps) {
        case "volumes":
            return `${pods} x ${size}`;
        case "emptyDir":
            return `${pods} pods without volumes`;
        case "existingClaim":
            return `${pods} pods with a claim that KOF does not make`;
    }
}

/** How long a store keeps what it stores, human-readable; empty for what is not telemetry. */
export function keptOf({ retention, limits, keeps }: Volume): string {
    const within = limits.map(({ kind, text }) =>
        kind === "filter" ? `by the filter ${text}` : `at most ${text} in each pod`,
    );
    const until = keeps === "emptyDir" ? ["until a restart"] : [];
    // VictoriaMetrics takes a bare number for months.
    const time = retention?.replace(/^\d+$/, (months) => (months === "1" ? "1 month" : `${months} months`));
    return time === undefined ? "" : [time, ...until, ...within].join(", ");
}

/** What volumes ask for together, in GiB. */
export function totalGiB(volumes: readonly Volume[]): number {
    return volumes.reduce((sum, { count, size }) => sum + count * sizeInGiB(size), 0);
}
