import * as fs from "node:fs";
import * as path from "node:path";

import * as semver from "semver";

import type { HelmValue, HelmValues } from "../lib/values";

/** The chart of the collectors, and the key of its values in kof-collectors. */
export const kubeStack = "opentelemetry-kube-stack";

/** What one KOF version runs, as data. Written by `npm run catalog` from that version's charts; never edited by hand. */
export interface Catalog {
    readonly generatedBy: string;
    /** KOF's version, which is that of each of its charts: `1.10.0`. */
    readonly version: string;
    /** The charts that the catalog was made of, by their folder: `kof-storage/charts/victoria-logs-cluster`. */
    readonly sources: Readonly<Record<string, CatalogSource>>;
    /** The umbrella's components in the order in which they can be installed. */
    readonly components: readonly CatalogComponent[];
    /** Every persistent volume that the charts can ask for on a cluster which stores telemetry. */
    readonly volumes: readonly CatalogVolume[];
    /** What layers above the charts of {@link volumes} put into their values. */
    readonly layers: readonly CatalogLayer[];
    /** What layers put over the user's values, of anything. */
    readonly overwrites: readonly CatalogOverwrite[];
    /**
     * The schemas (`values.schema.json`) of the charts that {@link charts} install as dependencies, and those that the
     * VictoriaMetrics operator's definitions have.
     */
    readonly schemas: readonly CatalogSchema[];
    /** Per chart the paths of its values that its templates, or those of its dependencies, write without quotes. See `formatPath`. */
    readonly pasted: Readonly<Record<string, readonly string[]>>;
    /** Fields of a collector that opentelemetry-kube-stack reads, from its own values.schema.json. */
    readonly collectorFields: readonly string[];
    /** What the presets of opentelemetry-kube-stack add to a collector, in the order in which the chart applies them. */
    readonly presets: readonly CatalogPreset[];
    /** Per chart its dependencies and its default values (`values.yaml`). `kof` is the umbrella. */
    readonly charts: Readonly<Record<string, CatalogChart>>;
}

/** A preset of opentelemetry-kube-stack: components and volumes that a collector gets by a switch. */
export interface CatalogPreset {
    /** Its key under `presets`: `hostMetrics`. */
    readonly name: string;
    readonly parts: readonly PresetPart[];
}

/** A part of what a preset adds. {@link collectorNamePlaceholder} in it stands for the collector's name. */
export interface PresetPart {
    /** The collector's mode, or an option of the preset, that this part needs. Default: it is always added. */
    readonly when?: Readonly<Record<string, HelmValue>>;
    /** Fields of the OpenTelemetryCollector's spec, over which the collector's own go. */
    readonly spec: HelmValues;
    /** Entries before and after those that the collector has in a list of its own. */
    readonly lists: readonly {
        readonly path: readonly string[];
        readonly first: HelmValue[];
        readonly last: HelmValue[];
    }[];
}

/** See {@link PresetPart}. */
export const collectorNamePlaceholder = "COLLECTOR";

/** A component of the umbrella: one Flux HelmRelease. */
export interface CatalogComponent {
    readonly name: string;
    readonly enabled: boolean;
    readonly dependsOn: readonly string[];
}

/** One chart of a KOF version. */
export interface CatalogChart {
    readonly version: string;
    readonly dependencies: readonly { readonly name: string; readonly version: string }[];
    readonly values: HelmValues;
}

/** A path within the values of one chart, and what the charts put there (null: nothing). */
export interface CatalogPlace {
    readonly path: readonly string[];
    readonly default: HelmValue;
}

/** A setting of a chart, and its default (null: none, Kubernetes decides). */
export interface CatalogSetting extends CatalogPlace {
    /** The one of {@link places} that the program writes. Nothing that the charts put into the others wins over it. */
    readonly path: readonly string[];
    /**
     * Every place where the chart reads it, {@link path} among them. The first that is not empty applies (see `settingIn`). Empty has the
     * meaning of Helm's templates: a missing value, null, false, 0, "", [] or {}.
     */
    readonly places: readonly CatalogPlace[];
}

/** A setting that decides whether something exists. */
export interface CatalogSwitch extends CatalogSetting {
    /** What turns it on: a value that is not empty, that all of its places are empty, or that none of them is given at all. */
    readonly on: "true" | "empty" | "missing";
}

/** A setting other than retention that limits how much is kept, or for how long. Its default is null: no limit. */
export interface CatalogLimit extends CatalogSetting {
    /** What it limits: bytes on the disk, percent of the disk, or the retention of parts of the data (`-retentionFilter`). */
    readonly kind: "bytes" | "percent" | "filter";
    /** Of bytes, what a number without a unit counts in each place (`50GiB` is the same everywhere). */
    readonly places: readonly (CatalogPlace & { readonly bare?: "B" | "GiB" })[];
}

/** The signals that KOF stores. Audit logs are stored apart from KOF 1.10 on; before, they are among the logs. */
export const signals = ["metrics", "logs", "traces", "audit"] as const;
/** One of {@link signals}. */
export type Signal = (typeof signals)[number];

/** Something of each signal. */
export function perSignal<T>(of: (signal: Signal) => T): Record<Signal, T> {
    return Object.fromEntries(signals.map((signal) => [signal, of(signal)])) as Record<Signal, T>;
}

/** What a signal is called in a sentence. */
export function nounOf(signal: Signal): string {
    return signal === "audit" ? "audit logs" : signal;
}

/** The kind of pipelines that a signal goes through: audit logs are logs there. */
export function telemetryKind(signal: Signal): "metrics" | "logs" | "traces" {
    return signal === "audit" ? "logs" : signal;
}

/** A persistent volume, once per replica of its workload, ReadWriteOnce. */
export interface CatalogVolume {
    /** The chart whose values configure it. The route decides where the umbrella takes that chart's values from. */
    readonly chart: string;
    /** The workload that mounts it: `vmstorage`, `vlstorage`, … */
    readonly workload: string;
    readonly signal: Signal | "grafana";
    /** Whether it holds data, or a cache that may be lost. */
    readonly cache: boolean;
    /**
     * Whether volumes that exist follow a larger size: those of the VictoriaMetrics operator do, if their class allows it. The
     * template of a chart's own StatefulSet is immutable, so there the Helm upgrade fails.
     */
    readonly expands: boolean;
    /** Every switch between the chart and the workload, outermost first. The workload exists only when all of them are on. */
    readonly switches: readonly CatalogSwitch[];
    /**
     * What has to be on for the workload to have volumes of KOF's making. Otherwise it still runs, and keeps its data in the pod, where a
     * restart loses it, or in a claim that the user made.
     */
    readonly persistence: readonly (CatalogSwitch & { readonly otherwise: "emptyDir" | "existingClaim" })[];
    readonly size: CatalogSetting;
    readonly storageClass: CatalogSetting;
    readonly replicas: CatalogSetting | null;
    /** If it is on, Kubernetes chooses the number of replicas, and {@link replicas} is the initial number. */
    readonly autoscaler: CatalogSwitch | null;
    readonly retention: CatalogSetting | null;
    /** Further limits of what is kept. Each applies separately. */
    readonly limits: readonly CatalogLimit[];
    /** Copies of each sample. Only metrics have it; the replicas of logs and traces are shards. */
    readonly replicationFactor: CatalogSetting | null;
    /**
     * Settings that decide the names of the claims, or the folder within a volume. With another value, the workload starts empty, and
     * nothing reads the stored data.
     */
    readonly location: readonly CatalogSetting[];
    /**
     * Settings that decide the store's address for records. With another value, the store runs, but does not answer at the address that
     * KOF's collectors use.
     */
    readonly entrance: readonly CatalogSetting[];
    /** The port at which the store takes records in, where it is not that of KOF's collectors. */
    readonly port: CatalogSetting | null;
    /**
     * A map of `whenDeleted` and `whenScaled`, each `Retain` or `Delete`: whether Kubernetes deletes the volumes with the workload,
     * and with replicas that go (`persistentVolumeClaimRetentionPolicy` of a StatefulSet). Null: the chart has no such setting.
     */
    readonly claimRetention: CatalogSetting | null;
    /**
     * Settings in immutable fields of a chart's own StatefulSet (`selector`, `podManagementPolicy`, `volumeClaimTemplates`), apart from
     * size, class and {@link location}. With another value, the Helm upgrade fails.
     */
    readonly fixed: readonly CatalogSetting[];
}

/**
 * What a layer between the umbrella and a chart puts into that chart's values, of what decides about volumes. The umbrella does
 * that itself (`charts/kof/templates/helmreleases.yaml`), and so do the MultiClusterServices of kof-child and kof-regional.
 */
export interface CatalogLayer {
    readonly chart: string;
    /** Where in the umbrella's values the chart's values are taken from. */
    readonly from: readonly string[];
    /** The path of the umbrella's values that must be true for the layer to add anything; null if it always does. */
    readonly when: readonly string[] | null;
    /** Values that give way to what is at {@link from}. */
    readonly under: HelmValues;
    /** Values that win over what is at {@link from}. */
    readonly over: HelmValues;
    /** Paths of the chart that get the value at another path of the umbrella's values, unless {@link from} has one for them. */
    readonly copies: readonly { readonly from: readonly string[]; readonly to: readonly string[] }[];
}

/**
 * A value that the umbrella (`charts/kof/templates/helmreleases.yaml`), or a MultiClusterService of kof-child or kof-regional, merges
 * last: what the user's values have there never arrives.
 */
export interface CatalogOverwrite {
    /** The component of the umbrella whose values it is put into; null for each of them. */
    readonly component: string | null;
    /** Paths of the umbrella's values that all have to be true for it to be put there. */
    readonly when: readonly (readonly string[])[];
    readonly path: readonly string[];
    /** What is put there; null for what the template works out, or takes from elsewhere. */
    readonly value: HelmValue;
    /** The path of the umbrella's values whose value is put there, where the template takes it as it is. */
    readonly from: readonly string[] | null;
}

/**
 * A schema that values of a chart must fit. It is the schema of a dependency, against which Helm checks them before it installs
 * anything, or the schema of an object's `spec`, into which the chart copies them unchanged.
 */
export interface CatalogSchema {
    readonly chart: string;
    /** The place of these values in that chart's values. */
    readonly path: readonly string[];
    /** The dependency's own name, or the kind of the object. */
    readonly name: string;
    readonly of: "dependency" | "object";
    /** The file in `core/charts/schemas`. */
    readonly file: string;
}

/** A chart as it was when a catalog was made of it. */
export interface CatalogSource {
    readonly version: string;
    /** SHA-256 of what Helm renders of the chart itself, without its dependencies. `tools/catalog/digest.ts` says of what exactly. */
    readonly sha256: string;
}

const folder = path.join(__dirname, "versions");

/** The KOF versions that have a catalog, oldest first. */
export const versions: readonly string[] = fs
    .readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length))
    .sort(semver.compare);

/** The newest final release that has a catalog. */
export const defaultVersion: string = versions.filter((version) => !semver.prerelease(version)).at(-1) ?? "";

const loaded = new Map<string, Catalog>();

/**
 * The catalog of a KOF version.
 *
 * @throws Error when there is none: callers validate the version against {@link versions} first.
 */
export function catalogOf(version: string): Catalog {
    let catalog = loaded.get(version);
    if (!catalog) {
        catalog = JSON.parse(fs.readFileSync(catalogFile(version), "utf8")) as Catalog;
        // A component may be called as something that every object has: `constructor`.
        Object.setPrototypeOf(catalog.charts, null);
        Object.setPrototypeOf(catalog.pasted, null);
        loaded.set(version, catalog);
    }
    return catalog;
}

/** The file of a KOF version's catalog, which may not exist yet. */
export function catalogFile(version: string): string {
    return path.join(folder, `${version}.json`);
}

/** The default values of a chart; an empty map for a chart that this version lacks. */
export function chartValues(catalog: Catalog, chart: string): HelmValues {
    return catalog.charts[chart]?.values ?? {};
}
