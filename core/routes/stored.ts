import { signals, type Catalog, type CatalogSetting, type Signal } from "../charts";
import { originsOf, valuesHandedTo } from "../charts/layers";
import { settingIn } from "../charts/setting";
import { compact } from "../lib/compact";
import { formatPath, mergeValues, nest, textOf, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import { stackFile } from "../settings/explain";
import { brief, type Problem } from "../settings/problems";
import { settingsSchema, type Settings } from "../settings/settings";
import { templateProblems } from "../settings/templateRules";
import { componentsOff } from "./components";
import { installedCharts, regionalStorage, type InstalledChart } from "../charts/installed";
import {
    isSameSource,
    operatorOff,
    regionalStoresOf,
    volumeSources,
    storesOf,
    switchedOff,
    type Limit,
    type Volume,
    type VolumeSource,
} from "./volumes";
import type { Merged } from "../collectors/merged";
import { retentionInDays } from "../lib/durations";
import { sizeInGiB } from "../lib/quantities";

/** The least that KOF advises for a pod that stores anything ("Storing KOF data", 1.8 to 1.10), in GiB. */
const advisedGiB = 10;

/** What of a store a setting can say: by its key in `kof:storage`, and the class. */
const sized = ["size", "retention", "replicas", "replicationFactor", "storageClass"] as const;
type Sized = (typeof sized)[number];
/** What of a store values can say. */
export type Aspect = Sized | "limits" | "persistence" | "location" | "claimRetention" | "autoscaler";

const nouns: Readonly<Record<Sized, string>> = {
    size: "the size",
    retention: "the retention",
    replicas: "the number of replicas",
    replicationFactor: "the number of copies",
    storageClass: "the class",
};

/**
 * One class, and one size, retention and number of replicas per signal, written to wherever each store reads it: for this cluster, and
 * for all regions.
 */
export function storageValues(deployment: Merged): HelmValues {
    const { settings, catalog, umbrella } = deployment;
    const classes = { management: settings.storageClass?.name, regions: settings.regions?.storageClass };
    const entries: [readonly string[], HelmValue | undefined][] = [
        // KOF's charts give it to each of their volumes that names no class, including volumes that are unknown here.
        ...[...installedCharts(umbrella), ...regionalStorage(umbrella)]
            .filter(({ chart }) => catalog.volumes.some((volume) => volume.chart === chart))
            .map((chart): [readonly string[], string | undefined] => [classPathOf(chart), classes[chart.on]]),
        ...[...storesOf(deployment), ...regionalStoresOf(deployment)].flatMap(({ source }) =>
            sized.flatMap((aspect): [readonly string[], HelmValue | undefined][] => {
                const setting = source.volume[aspect];
                return setting && !(aspect === "storageClass" && isHandedOn(catalog, source))
                    ? [[[...source.chart.prefix, ...setting.path], asked(settings, source, aspect)]]
                    : [];
            }),
        ),
    ];
    return entries.reduce<HelmValues>(
        (all, [path, value]) => (value === undefined ? all : mergeValues(all, nest(path, value))),
        {},
    );
}

/** Where KOF's charts read the class of all their volumes. */
function classPathOf({ prefix }: InstalledChart): readonly string[] {
    return [...prefix, "global", "storageClass"];
}

/**
 * Whether KOF itself hands the class of all volumes of a region on to this one. It does so unless the annotation
 * k0rdent.mirantis.com/kof-storage-class of the region's ClusterDeployment sets a class. A value for only this volume would override that
 * annotation.
 */
function isHandedOn(catalog: Catalog, { volume, chart }: VolumeSource): boolean {
    const shared = formatPath(classPathOf(chart));
    const [, ...copied] = originsOf(catalog, chart, volume.storageClass.path);
    return chart.on === "regions" && copied.some((path) => formatPath(path) === shared);
}

/** The setting that says something of a store, as a path below `kof:`; `undefined` where there is none. */
function settingOf({ volume, chart }: VolumeSource, aspect: Aspect): readonly string[] | undefined {
    const isRegional = chart.on === "regions";
    if (!isSized(aspect)) {
        return undefined;
    }
    if (aspect === "storageClass") {
        return isRegional ? ["regions", "storageClass"] : ["storageClass", "name"];
    }
    return volume.signal === "grafana" || volume.cache
        ? undefined
        : compact(isRegional && "regions", "storage", volume.signal, aspect);
}

function isSized(aspect: Aspect): aspect is Sized {
    return (sized as readonly Aspect[]).includes(aspect);
}

/** What the settings ask of a store. */
function asked(settings: Settings, source: VolumeSource, aspect: Aspect): HelmValue | undefined {
    const setting = settingOf(source, aspect);
    return setting && valueAt(settings as unknown as HelmValues, setting);
}

function everythingAsked(settings: Settings, source: VolumeSource) {
    return sized.flatMap((aspect) => {
        const [setting, wanted] = [settingOf(source, aspect), asked(settings, source, aspect)];
        return compact(setting && wanted !== undefined && { aspect, setting, wanted });
    });
}

/** Where `kof:values` say something of a store: of several places the one that the chart reads first. */
export function givenAt(deployment: Merged, source: VolumeSource, aspect: Aspect): readonly string[] | undefined {
    return saidPlaces(deployment, source, [source.volume[aspect]].flat())[0];
}

/**
 * Every place at which `kof:values` have one of these settings of a chart, in the order in which the chart reads them. Those that
 * it does not reach, because an earlier one has a value, decide nothing.
 */
function saidPlaces(
    { catalog, settings, umbrella }: Merged,
    { chart }: VolumeSource,
    wanted: readonly (CatalogSetting | null)[],
): (readonly string[])[] {
    const given = valuesHandedTo(catalog, umbrella, chart);
    return wanted
        .flatMap((setting) => {
            const [places, found] = [setting?.places ?? [], setting && settingIn(setting, given)];
            return found ? places.slice(0, places.indexOf(found.place) + 1) : places;
        })
        .flatMap(({ path }) => originsOf(catalog, chart, path))
        .filter((path) => valueAt(settings.values as HelmValues, path) !== undefined);
}

/** The key in the stack file that decides an aspect of a store: of `kof:values` where they alone say something. */
export function keyOf(deployment: Merged, source: VolumeSource, aspect: Aspect): string {
    const given = givenAt(deployment, source, aspect);
    const setting = settingOf(source, aspect);
    if (setting && (given === undefined || asked(deployment.settings, source, aspect) !== undefined)) {
        return `kof:${setting.join(".")}`;
    }
    return `kof:values.${formatPath(given ?? ownPath(source, aspect))}`;
}

/** What to write into the stack file for a store to have this. */
export function toPaste(deployment: Merged, source: VolumeSource, aspect: Aspect, value: HelmValue): HelmValues {
    const key = keyOf(deployment, source, aspect);
    const path = key.startsWith("kof:values.")
        ? ["values", ...(givenAt(deployment, source, aspect) ?? ownPath(source, aspect))]
        : key.slice("kof:".length).split(".");
    const [first = "", ...rest] = path;
    return { [`kof:${first}`]: nest(rest, value) };
}

function ownPath({ volume, chart }: VolumeSource, aspect: Aspect): readonly string[] {
    const [setting] = [volume[aspect]].flat();
    return [...chart.prefix, ...((setting as CatalogSetting | null | undefined)?.path ?? [])];
}

/** Where `kof:values` turn a store off, or the component that brings it; `undefined` where they do not. */
export function turnedOffAt(deployment: Merged, source: VolumeSource): readonly string[] | undefined {
    const values = deployment.settings.values as HelmValues;
    const component = [source.chart.component, "enabled"];
    if (valueAt(values, component) === false) {
        return component;
    }
    const same = volumeSources(deployment, source.chart.on).find((each) => isSameSource(each, source));
    const off = same && switchedOff(deployment, same);
    return off ? saidPlaces(deployment, same, [off])[0] : same && operatorOff(deployment.umbrella, same);
}

/** What a reader of the preview should know of the stores, and of what brings them. */
export function storageNotices(deployment: Merged): string[] {
    const [own, regional] = [storesOf(deployment), regionalStoresOf(deployment)];
    const all = [...own, ...regional];
    const telemetry = all.filter(({ retention }) => retention !== undefined);
    return [
        ...new Set([
            ...unusedNotices(deployment, own, "management"),
            ...unusedNotices(deployment, regional, "regions"),
            ...regionNotices(deployment, regional),
            ...offNotices(deployment),
            ...telemetry.flatMap((store) => sizeNotices(deployment, store)),
            ...telemetry.flatMap((store) => keepingNotices(deployment, store)),
            ...betterSaid(deployment, all),
            ...all.flatMap(({ source }) => overruled(deployment, source)),
        ]),
    ];
}

/** Settings for stores that are not there. */
function unusedNotices(deployment: Merged, stores: readonly Volume[], on: InstalledChart["on"]): string[] {
    const { storage, route, signals: asked, regions } = deployment.settings;
    const [block, given] = on === "regions" ? ["regions.storage", regions?.storage] : ["storage", storage];
    const unused = signals.filter((signal) => given?.[signal] && !stores.some((store) => store.signal === signal));
    return unused.map((signal) => {
        const off = storeOff(deployment, signal, on);
        const nobody =
            on === "regions"
                ? "KOF does not run it there"
                : asked?.[signal] === undefined
                  ? `route ${route} stores no ${signal} on this cluster`
                  : `kof:signals.${signal} does not name management`;
        return `kof:${block}.${signal} has no effect: ${off === undefined ? nobody : `${off} turns the store off`}.`;
    });
}

function regionNotices(deployment: Merged, stores: readonly Volume[]): string[] {
    const { settings, catalog } = deployment;
    const storageClass = settings.regions?.storageClass;
    if (stores.length === 0) {
        const off = storeOff(deployment, "metrics", "regions") ?? "kof:values";
        return compact(
            storageClass !== undefined &&
                `kof:regions.storageClass has no effect: ${off} leaves regional clusters without stores.`,
        );
    }
    const over = compact(
        "k0rdent.mirantis.com/kof-storage-values goes over it",
        storageClass !== undefined &&
            stores.some(({ source }) => isHandedOn(catalog, source)) &&
            "k0rdent.mirantis.com/kof-storage-class gives logs and traces another class",
    );
    return compact(
        settings.regions !== undefined &&
            "kof:regions holds for every regional cluster. How many there are is not seen here, nor what annotations of a region's " +
                `ClusterDeployment change in that region: ${over.join(", and ")}.`,
    );
}

/** Notices about a wanted size and a wanted number of pods, no matter which key sets them. */
function sizeNotices(deployment: Merged, { source, size, count }: Volume): string[] {
    const { signal } = source.volume;
    const isSaid = (aspect: Sized) =>
        asked(deployment.settings, source, aspect) !== undefined || givenAt(deployment, source, aspect) !== undefined;
    const key = (aspect: Sized) => keyOf(deployment, source, aspect);
    return compact(
        isSaid("size") &&
            sizeInGiB(size) < advisedGiB &&
            `${key("size")} is ${size}: KOF advises at least ${String(advisedGiB)}Gi for each pod.`,
        isSaid("replicas") &&
            signal !== "metrics" &&
            `${key("replicas")} is ${String(count)}: these are shards, not copies. Each holds its share of the ${signal} alone, which are ` +
                "lost with its volume.",
    );
}

/**
 * The key in `kof:values` that turns off the store of a signal, or what brings it; `undefined` where none does.
 *
 * @param on where the store is. Default: on this cluster.
 */
export function storeOff(
    deployment: Merged,
    signal: Signal,
    on: InstalledChart["on"] = "management",
): string | undefined {
    const components = Object.fromEntries(componentsOff(deployment).map(({ name }) => [name, { enabled: true }]));
    const complete = { ...deployment, umbrella: mergeValues(deployment.umbrella, components) };
    const path = volumeSources(complete, on)
        .filter(({ volume }) => volume.signal === signal && volume.retention !== null)
        .map((source) => turnedOffAt(deployment, source))
        .find((off) => off !== undefined);
    return path && `kof:values.${formatPath(path)}`;
}

function offNotices(deployment: Merged): string[] {
    return [
        ...componentsOff(deployment).map(
            ({ name, brings }) => `kof:values.${name}.enabled is false, which leaves out ${brings(deployment)}.`,
        ),
        ...storesOff(deployment, "regions").map(
            ({ source, path }) => `kof:values.${formatPath(path)} turns off ${storeText(source)}.`,
        ),
        // Grafana where it is switched on, but its operator is not.
        ...volumeSources(deployment, "management")
            .filter((source) => source.volume.signal === "grafana" && switchedOff(deployment, source) === undefined)
            .flatMap((source) => {
                const off = operatorOff(deployment.umbrella, source);
                return compact(off && `kof:values.${formatPath(off)} is false: nothing makes Grafana on this cluster.`);
            }),
    ];
}

/** The stores of telemetry that `kof:values` turn off by themselves, not with their component, and that no other chart brings. */
export function storesOff(
    deployment: Merged,
    on: InstalledChart["on"],
): { readonly source: VolumeSource; readonly path: readonly string[] }[] {
    const running = on === "regions" ? regionalStoresOf(deployment) : storesOf(deployment);
    return volumeSources(deployment, on)
        .filter(({ volume }) => volume.retention !== null)
        .filter(({ volume }) => !running.some(({ workload }) => workload === volume.workload))
        .flatMap((source) => {
            const path = turnedOffAt(deployment, source);
            return compact(path && { source, path });
        });
}

/** A human-readable store: `vlstorage, the store of logs on this cluster`. */
export function storeText({ volume, chart }: VolumeSource): string {
    return `${volume.workload}, the store of ${volume.signal}${onRegions(chart.on) || " on this cluster"}`;
}

/** Stores that keep nothing, or not by KOF's means. */
function keepingNotices(deployment: Merged, { source, keeps, count, autoscaled }: Volume): string[] {
    const { workload, signal } = source.volume;
    const key = (aspect: Aspect) => keyOf(deployment, source, aspect);
    return compact(
        keeps === "emptyDir" &&
            `${key("persistence")} leaves ${storeText(source)}, without volumes: a pod that restarts loses its ${signal}.`,
        keeps === "existingClaim" &&
            `${key("persistence")} has ${storeText(source)}, keep them in a claim that KOF does not make.`,
        autoscaled &&
            `${key("autoscaler")} lets Kubernetes choose how many pods ${workload} has, ${String(count)} at first. A pod that goes ` +
                `takes its ${signal} with it.`,
    );
}

/** Values for which there is a setting. One value may decide the class of several stores. */
function betterSaid(deployment: Merged, stores: readonly Volume[]): string[] {
    const found = stores.flatMap(({ source }) =>
        sized.flatMap((aspect) => {
            const given = givenAt(deployment, source, aspect);
            const setting = settingOf(source, aspect);
            const isBetter = asked(deployment.settings, source, aspect) === undefined;
            const store = { aspect, setting, where: onRegions(source.chart.on), name: source.volume.workload };
            return compact(given && setting && isBetter && { ...store, setting, given: formatPath(given) });
        }),
    );
    return found.map(({ given, aspect, setting, where }) => {
        const names = found.filter((each) => each.given === given && each.aspect === aspect).map(({ name }) => name);
        return (
            `kof:values.${given} decides ${nouns[aspect]} of ${names.join(", ")}${where}, for which there is the setting ` +
            `kof:${setting.join(".")}.`
        );
    });
}

/** Values that say something else than a setting, at a place that the chart does not reach: they decide nothing. */
function overruled(deployment: Merged, source: VolumeSource): string[] {
    const { settings, catalog } = deployment;
    return everythingAsked(settings, source).flatMap(({ aspect, setting, wanted }) => {
        const decisive = saidPlaces(deployment, source, [source.volume[aspect]]).map(formatPath);
        return (source.volume[aspect]?.places ?? [])
            .flatMap(({ path }) => originsOf(catalog, source.chart, path))
            .filter((path) => !decisive.includes(formatPath(path)))
            .map((path) => ({ path: formatPath(path), given: valueAt(settings.values, path) }))
            .filter(({ given }) => given !== undefined && !isSame(aspect, given, wanted))
            .map(
                ({ path, given }) =>
                    `kof:values.${path} is ${textOf(given)}, and does not decide ${nouns[aspect]} of ` +
                    `${source.volume.workload}${onRegions(source.chart.on)}: kof:${setting.join(".")} does, ${textOf(wanted)}.`,
            );
    });
}

/** Where stores are, as it follows their names; nothing of those on this cluster. */
function onRegions(on: InstalledChart["on"]): string {
    return on === "regions" ? " on each regional cluster" : "";
}

/**
 * What settings and `kof:values` contradict each other in, and values for stores that nothing can be made of.
 *
 * @param deployment of settings that are right otherwise.
 */
export function storeValueProblems(deployment: Merged): Problem[] {
    const [own, regional] = [storesOf(deployment), regionalStoresOf(deployment)];
    const all = [...own, ...regional];
    const problems = [
        ...all.flatMap(({ source }) => contradictions(deployment, source)),
        ...all.flatMap((store) => unreadable(deployment, store)),
        ...secondOwners(deployment, own),
    ];
    return problems.filter(({ key }, i) => problems.findIndex((each) => each.key === key) === i);
}

function contradictions(deployment: Merged, source: VolumeSource): Problem[] {
    const { settings } = deployment;
    return everythingAsked(settings, source).flatMap(({ aspect, setting, wanted }) => {
        const [block = "", ...below] = setting;
        return saidPlaces(deployment, source, [source.volume[aspect]])
            .map((path) => ({ path: formatPath(path), given: valueAt(settings.values, path) ?? null }))
            .filter(({ given }) => !isSame(aspect, given, wanted))
            .map(({ path, given }): Problem => {
                const fits = settingsSchema[block as "storage"].safeParse(nest(below, given)).success;
                return {
                    key: `kof:values.${path}`,
                    message:
                        `is ${brief(given)}, but kof:${setting.join(".")} is ${brief(wanted)}: both are ${nouns[aspect]} of ` +
                        `${source.volume.workload}${onRegions(source.chart.on)}. Remove it from values`,
                    paste: fits ? stackFile(setting, given) : undefined,
                };
            });
    });
}

function isSame(aspect: Sized, one: HelmValue, other: HelmValue): boolean {
    const measure = aspect === "size" ? sizeInGiB : aspect === "retention" ? retentionInDays : String;
    return measure(textOf(one)) === measure(textOf(other));
}

/** Values that no store can be made of: settings are checked by their schema, values only here. */
function unreadable(deployment: Merged, store: Volume): Problem[] {
    const { source, count, copies, size, retention, limits } = store;
    const { workload } = source.volume;
    const problem = (
        aspect: Aspect,
        isRight: boolean,
        message: (given: string) => string,
        allowed: string,
    ): Problem[] => {
        const place = isRight ? undefined : givenAt(deployment, source, aspect);
        if (place === undefined) {
            return [];
        }
        const given = brief(valueAt(deployment.values, place) ?? null);
        return [{ key: `kof:values.${formatPath(place)}`, message: message(given), allowed }];
    };
    const classAt = givenAt(deployment, source, "storageClass");
    const name = classAt && valueAt(deployment.values, classAt);
    const { version } = deployment.settings;
    // With quotes, the name of a class that is called 5 is text, unless the chart writes it without them.
    const isTextWithQuotes = (path: readonly string[], number: number) =>
        templateProblems({ version, values: nest(path, String(number)) }, {}).length === 0;
    return compact(
        // Charts write it as it is, and Kubernetes takes text alone.
        classAt !== undefined &&
            name !== undefined &&
            typeof name !== "string" && {
                key: `kof:values.${formatPath(classAt)}`,
                message: `is ${brief(name)}, which is not the name of a storage class for ${workload}`,
                allowed: "text: the name of a storage class",
                ...(typeof name === "number" && isTextWithQuotes(classAt, name)
                    ? { paste: stackFile(["values", ...classAt], String(name)) }
                    : {}),
            },
        ...problem(
            "size",
            sizeInGiB(size) > 0,
            (given) => `is ${given}, which is not a valid size for the volumes of ${workload}`,
            "a Kubernetes quantity: 100Gi",
        ),
        ...problem(
            "retention",
            retention === undefined || isRetention(retention),
            (given) => `is ${given}, which is not a valid retention for ${workload}`,
            "a number with a unit that VictoriaMetrics reads, from a day to 100 years: 30d, 4w or 1y",
        ),
        ...problem(
            "limits",
            limits.every(isLimit),
            (given) => `is ${given}, which is not a valid limit for ${workload}`,
            "bytes with a unit (50GiB), or a percentage, which is a whole number from 1 to 100",
        ),
        ...problem(
            "limits",
            !(limits.some(({ kind }) => kind === "bytes") && limits.some(({ kind }) => kind === "percent")),
            () =>
                `is one limit of two (${limits.map(({ text }) => text).join(", ")}), with which ${workload} does not start`,
            "either bytes or a percentage",
        ),
        ...problem(
            "replicationFactor",
            copies > 0,
            (given) => `is ${given}, which is not a valid number of copies`,
            "a whole number from 1",
        ),
        ...(["replicationFactor", "replicas"] as const)
            .flatMap((aspect) =>
                problem(
                    aspect,
                    !(copies > count),
                    () => `leaves ${workload} with ${String(count)} pods for ${String(copies)} copies of each sample`,
                    "at least as many replicas as copies",
                ),
            )
            .slice(0, 1),
    );
}

/** What the stores take for a time at their start, as VictoriaLogs 1.52.1 and VictoriaMetrics 1.146.1 did when tried (2026-11-27). */
function isRetention(text: string): boolean {
    const days = retentionInDays(text);
    return days >= 1 && days < 1200 * 31 && !/\dm(?!s)/.test(text);
}

/** The same of a limit. */
function isLimit({ kind, text, giB }: Limit): boolean {
    return kind === "percent" ? /^([1-9]\d?|100)%$/.test(text) : giB === undefined || giB > 0;
}

/** Stores that two charts would make under one name. */
function secondOwners(deployment: Merged, stores: readonly Volume[]): Problem[] {
    return stores.flatMap(({ workload, source }, i): Problem[] => {
        const first = stores.slice(0, i).find((each) => each.workload === workload)?.source.chart.chart;
        const [place] = saidPlaces(deployment, source, source.volume.switches);
        return compact(
            first !== undefined && {
                key: `kof:values.${formatPath(place ?? source.chart.prefix)}`,
                message: `has ${source.chart.chart} make ${workload}, which ${first} makes as well: both would own the same objects`,
            },
        );
    });
}
