import { catalogOf, chartValues, signals, type Catalog, type Signal } from "../catalog";
import { checkPaths } from "../catalog/paths";
import { coalesceValues, formatPath, mergeValues, nest, type HelmValues } from "../catalog/values";
import type { Settings } from "../stacks/settings";
import { cloudwatch, type CloudWatchParts } from "./cloudwatch";
import type { Destination } from "./destinations";
import { management } from "./management";
import { none } from "./none";
import { otlp } from "./otlp";
import { regional } from "./regional";
import { regionless } from "./regionless";
import { restartValues } from "./restarts";
import { sizeInGiB, type RouteVolume } from "./volumes";

/** What one route asks for: the part that the routes differ in. */
export interface RouteParts {
    readonly values: HelmValues;
    readonly destinations: Readonly<Record<Signal, Destination>>;
    /** The volumes that this route has on the management cluster, and where the umbrella takes their charts' values from. */
    readonly volumes: readonly RouteVolume[];
    /** The Secret that must exist before the collectors start, and that something else makes. */
    readonly vmuserSecret?: string;
    /** Log groups and credentials to make in AWS. */
    readonly cloudwatch?: CloudWatchParts;
    /** What the collectors read at their start only, each as a person reads it: another text restarts them. */
    readonly restartTriggers?: readonly string[];
    /** What a reader of the preview should know. */
    readonly notices?: readonly string[];
}

/** What one stack's settings come to: plain data, known before anything runs. */
export interface Route extends RouteParts {
    readonly settings: Settings;
    readonly catalog: Catalog;
    /** {@link values} over the umbrella's defaults: all that its templates see. */
    readonly umbrella: HelmValues;
    readonly notices: readonly string[];
}

/**
 * Works out what the settings of a stack come to: the umbrella's Helm values, where each signal goes, and what else the
 * route needs. The values are free of nulls, secrets and unknowns, and each of them is read by this KOF version's charts.
 */
export function routeOf(settings: Settings): Route {
    const catalog = catalogOf(settings.version);
    const parts = partsOf(settings, catalog);
    const values = mergeValues(
        parts.values,
        restartValues(parts.restartTriggers),
        storageValues(settings, parts),
        grafanaValues(settings),
        settings.values,
    );
    const ignored = checkPaths(catalog, values);
    if (ignored.length > 0) {
        // Settings are checked before: this is a fault of the route, not of the person who chose it.
        const found = ignored.map(({ path, message }) => `${formatPath(path)} ${message}`).join("\n");
        throw new Error(`Route ${settings.route} wrote values that KOF ${settings.version} does not read:\n${found}`);
    }
    return {
        ...parts,
        settings,
        catalog,
        values,
        umbrella: coalesceValues(chartValues(catalog, "kof"), values),
        notices: [...(parts.notices ?? []), ...storageNotices(settings, parts)],
    };
}

function partsOf(settings: Settings, catalog: Catalog): RouteParts {
    switch (settings.route) {
        case "none":
            return none(catalog);
        case "management":
            return management(settings, catalog);
        case "regional":
            return regional(settings, catalog);
        case "cloudwatch":
            return cloudwatch(settings, catalog);
        case "otlp":
            return otlp(settings, catalog);
        case "regionless":
            return regionless(settings, catalog);
    }
}

/** One class, and one size, retention and number of replicas per signal, written to wherever each volume reads it. */
function storageValues({ storageClass, storage }: Settings, { volumes }: RouteParts): HelmValues {
    return volumes.reduce<HelmValues>((values, { volume, prefix }) => {
        const wanted = volume.signal === "grafana" || volume.cache ? {} : (storage?.[volume.signal] ?? {});
        const { size, retention, replicas, replicationFactor }: Record<string, string | number | undefined> = wanted;
        const settings = [
            // KOF's charts hand it to whatever volume of their own has no class by name, be it known here or not.
            [{ path: ["global", "storageClass"] }, storageClass?.name],
            [volume.storageClass, storageClass?.name],
            [volume.size, size],
            [volume.retention, retention],
            [volume.replicas, replicas],
            [volume.replicationFactor, replicationFactor],
        ] as const;
        return settings.reduce(
            (all, [setting, value]) =>
                setting && value !== undefined ? mergeValues(all, nest([...prefix, ...setting.path], value)) : all,
            values,
        );
    }, {});
}

/** The least that KOF advises for a pod that stores anything ("Storing KOF data", 1.8 to 1.10), in GiB. */
const advisedGiB = 10;

function storageNotices({ storage, route }: Settings, { volumes }: RouteParts): string[] {
    return signals.flatMap((signal) => {
        const { size, replicas }: { size?: string | undefined; replicas?: number | undefined } =
            storage?.[signal] ?? {};
        if (storage?.[signal] && !volumes.some(({ volume }) => volume.signal === signal)) {
            return [`kof:storage.${signal} has no effect: route ${route} stores no ${signal} on this cluster.`];
        }
        return [
            ...(size !== undefined && sizeInGiB(size) < advisedGiB
                ? [`kof:storage.${signal}.size is ${size}: KOF advises at least ${String(advisedGiB)}Gi for each pod.`]
                : []),
            ...(replicas !== undefined && signal !== "metrics"
                ? [
                      `kof:storage.${signal}.replicas is ${String(replicas)}: these are shards, not copies. Each holds its share of ` +
                          `the ${signal} alone, which are lost with its volume.`,
                  ]
                : []),
        ];
    });
}

/** Grafana's operator and what KOF brings for it. The admin Secret is the program's or the user's: the chart must make none. */
function grafanaValues({ grafana }: Settings): HelmValues {
    if (grafana?.enabled !== true) {
        return {};
    }
    const { existingSecret } = grafana;
    const security = {
        create_secret: false,
        ...(existingSecret === undefined ? {} : { credentials_secret_name: existingSecret }),
    };
    return {
        "kof-operators": { values: { "grafana-operator": { enabled: true } } },
        "kof-mothership": { values: { grafana: { enabled: true, security } } },
    };
}
