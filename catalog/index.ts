import * as fs from "node:fs";
import * as path from "node:path";

import * as semver from "semver";

import type { HelmValue, HelmValues } from "./values";

/** What one KOF version runs, as data. Written by `npm run catalog` from that version's charts; never edited by hand. */
export interface Catalog {
    readonly generatedBy: string;
    /** KOF's version, which is that of each of its charts: `1.10.0`. */
    readonly version: string;
    /** The umbrella's components in the order in which they can be installed. */
    readonly components: readonly CatalogComponent[];
    /** Every persistent volume that the charts can ask for on a cluster which stores telemetry. */
    readonly volumes: readonly CatalogVolume[];
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

/** A path within the values of one chart, and what the charts put there (null: nothing, Kubernetes decides). */
export interface CatalogSetting {
    readonly path: readonly string[];
    readonly default: HelmValue;
}

/** The signals that KOF stores. Audit logs are stored apart from KOF 1.10 on; before, they are among the logs. */
export const signals = ["metrics", "logs", "traces", "audit"] as const;
/** One of {@link signals}. */
export type Signal = (typeof signals)[number];

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
    readonly size: CatalogSetting;
    readonly storageClass: CatalogSetting;
    readonly replicas: CatalogSetting | null;
    readonly retention: CatalogSetting | null;
    /** Copies of each sample. Only metrics have it; the replicas of logs and traces are shards. */
    readonly replicationFactor: CatalogSetting | null;
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
        loaded.set(version, catalog);
    }
    return catalog;
}

/** The file that holds, or is to hold, the catalog of a KOF version. */
export function catalogFile(version: string): string {
    return path.join(folder, `${version}.json`);
}

/** The default values of a chart; an empty map for a chart that this version lacks. */
export function chartValues(catalog: Catalog, chart: string): HelmValues {
    return catalog.charts[chart]?.values ?? {};
}
