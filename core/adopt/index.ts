import { catalogOf, versions, type Catalog } from "../charts";
import { overwritten } from "../charts/overwrites";
import { checkPaths, movedPath } from "../charts/paths";
import { defaultAt } from "../charts/defaults";
import { formatPath, isMap, leaves, mergeValues, nest, valueAt, type HelmValues } from "../lib/values";
import { danglingReferences } from "../collectors/references";
import { UserError } from "../lib/errors";
import { deploymentOf } from "../routes";
import type { Deployment } from "../routes/deployment";
import { umbrellaCollects } from "../routes/collectors";
import { parseSettings } from "../routes/parse";
import { brief } from "../settings/problems";
import { deciderOf } from "../settings/rules";
import { changes, complete } from "./additions";
import { same } from "./compare";
import { claimed } from "./claims";
import { asRouteNames, otlpExporterOf, writesToCloudWatch } from "./destinations";
import { recognise, volumeSettings } from "./recognise";
import { correct, nestChart, removeLeaf, unfilledSecretName } from "./corrections";
import { withoutSecrets } from "./secrets";
import { isExporter, readOriginal, type Original } from "./text";
import type { AdoptionOptions } from "./options";

/** What a values file that was written by hand resolves to. */
export interface Adoption {
    /** Settings by their key under `kof:`. They are complete: `parseSettings` accepts them. */
    readonly settings: Readonly<Record<string, unknown>>;
    /** What was wrong with the original. All of it is put right in the settings. */
    readonly corrections: readonly string[];
    /** What the program does otherwise than the original, which was not wrong. */
    readonly changes: readonly string[];
    /** What of the original the settings cannot express. */
    readonly lost: readonly string[];
    /** What the values do not say, so that somebody has to look. */
    readonly notes: readonly string[];
    /** Values by component that the original sets and the stack does not: null each. An upsert leaves them in the HelmReleases. */
    readonly leftovers: Readonly<Record<string, HelmValues>>;
}

/**
 * Works out the settings of a stack that reproduces a values file for the umbrella chart.
 *
 * @param text the file, as KOF's pages print it or as somebody made it.
 * @param source what to call it in errors.
 * @throws UserError that lists everything that has to be added or decided before there can be such a stack.
 */
export function adoption(text: string, options: AdoptionOptions = {}, source = "kof-values.yaml"): Adoption {
    const original = readOriginal(text, source, (values) => versions.some((version) => unread(version, values) === 0));
    return adoptionOf(original, options, source);
}

/** As {@link adoption}, of values that are no text any more. */
export function adoptionOf(original: Original, options: AdoptionOptions, source: string): Adoption {
    const nested = asRouteNames(nestChart(original.values));
    const version = options.version ?? onlyVersion(nested.values, source);
    const catalog = catalogOf(version);
    const corrections = [...original.corrections, ...nested.corrections];
    const lost: string[] = [];

    const written = writtenFor(nested.values, catalog);
    if (written !== catalog) {
        corrections.push(
            `These are values for KOF ${written.version}. KOF ${version} ignores ${routeKeys(nested.values).join(" and ")}: nothing ` +
                "of them takes effect. The settings do what they ask for, on the version that you have.",
        );
    }
    if (runsCollectorsOnly(nested.values) && !umbrellaCollects(catalog) && !listsCollectors(nested.values)) {
        corrections.push(
            `KOF ${version} installs kof-collectors only where global.components lists it, and ignores these values otherwise. ` +
                "The route lists it (docs/differences.md).",
        );
    }
    const given = clean(nested.values, written, corrections, lost);
    const found = recognise(given, written, options);
    const missing = [...placeholders(given), ...found.missing];
    if (missing.length > 0) {
        throw incomplete(source, missing, corrections);
    }
    const corrected = correct(given, written, found.settings);
    const stack = `What ${source} resolves to`;
    const ofValues = volumeSettings(corrected.values, deploymentOf(parseSettings(found.settings, stack)));
    const { storage, notes } = claimed(
        deploymentOf(parseSettings({ ...found.settings, ...ofValues }, stack)),
        options.cluster?.claims ?? [],
    );
    const volumes = mergeValues(ofValues, Object.keys(storage).length > 0 ? { storage } : {});
    const own = deploymentOf(parseSettings({ ...found.settings, ...volumes }, stack)).values;
    const completed = complete(corrected.values, own, written);
    const rest = remainder(completed.values, own, written);
    lost.push(...overruled(corrected.values, own, written));

    const values = written === catalog ? rest : moved(rest, catalog, lost);
    const settings = {
        ...found.settings,
        version,
        ...volumes,
        adopt: true,
        ...(Object.keys(values).length > 0 ? { values } : {}),
    };
    const deployment = deploymentOf(parseSettings(settings, stack));
    const broken = deployment.collectors.flatMap((collector) =>
        danglingReferences(collector).map((reference) => `${collector.name}: ${reference}.`),
    );
    if (broken.length > 0) {
        throw incomplete(
            source,
            ["With these values collectors stop at their start. Mend the values, then adopt them:", ...broken],
            corrections,
        );
    }
    return {
        settings,
        corrections: [...corrections, ...found.corrections, ...corrected.corrections],
        changes: written === catalog ? changes(nested.values, own, catalog, completed) : [],
        lost,
        notes: [...found.notes, ...notes],
        leftovers: leftoversIn(nestChart(original.values).values, deployment),
    };
}

/** What remains of the original in the releases: a field is gone only when whoever set it takes it back. */
function leftoversIn(values: HelmValues, { umbrella }: Deployment): Record<string, HelmValues> {
    const leftovers: Record<string, HelmValues> = {};
    for (const [path] of leaves(values)) {
        const gone = path.findIndex((_, i) => valueAt(umbrella, path.slice(0, i + 1)) === undefined);
        const [component = "", key, ...rest] = path.slice(0, gone + 1);
        if (gone > 1 && key === "values") {
            leftovers[component] = mergeValues(leftovers[component] ?? {}, nest(rest, null));
        }
    }
    return leftovers;
}

function incomplete(source: string, missing: readonly string[], corrections: readonly string[]): UserError {
    const list = (items: readonly string[]) => items.map((item) => `  - ${item}`);
    return new UserError(
        [
            `${source} cannot be adopted yet. Nothing was written.`,
            "",
            ...list(missing),
            ...(corrections.length > 0
                ? ["", "What else was wrong with it, and would be put right:", "", ...list(corrections)]
                : []),
        ].join("\n"),
    );
}

/** Whether values are those of a route that only runs the collectors. */
function runsCollectorsOnly(values: HelmValues): boolean {
    return writesToCloudWatch(values) || otlpExporterOf(values) !== undefined;
}

/** On KOF 1.10 and later such values need a component that only the program adds. */
function contextOf(values: HelmValues): HelmValues {
    return runsCollectorsOnly(values) ? { global: { components: ["kof-collectors"] } } : values;
}

function listsCollectors(values: HelmValues): boolean {
    return ((valueAt(values, ["global", "components"]) ?? []) as string[]).includes("kof-collectors");
}

function unread(version: string, values: HelmValues): number {
    const { values: nested } = nestChart(values);
    return checkPaths(catalogOf(version), nested, contextOf(nested)).filter(
        ({ path }) => valueAt(nested, path) !== null,
    ).length;
}

/** The version that the values can only be for. */
function onlyVersion(values: HelmValues, source: string): string {
    const counts = versions.map((version) => unread(version, values));
    const least = Math.min(...counts);
    const candidates = versions.filter((_, i) => counts[i] === least);
    const [version] = candidates;
    if (version !== undefined && candidates.length === 1 && least === 0) {
        return version;
    }
    throw new UserError(
        `${source} does not tell which KOF version it is for. ${
            least === 0 ? "It fits" : "Parts of it are read by no version; the rest fits"
        } ${candidates.join(", ")}. ` + "Give the installed one with --version. It is shown by\n  helm list -n kof",
    );
}

const oldKeys = [["kof-storage"], ["kof-collectors"]];
const newKeys = [["kof-child", "values", "fromManagement"], ["regionless"]];

/** The keys that choose a route, of those that values have. */
function routeKeys(values: HelmValues): string[] {
    return [...oldKeys, ...newKeys].filter((path) => valueAt(values, path) !== undefined).map(formatPath);
}

/** The catalog of the version that the values were written for: the nearest to the installed one that reads their route. */
function writtenFor(values: HelmValues, installed: Catalog): Catalog {
    const has = (keys: readonly (readonly string[])[]) => keys.some((path) => valueAt(values, path) !== undefined);
    const [own, other] = umbrellaCollects(installed) ? [oldKeys, newKeys] : [newKeys, oldKeys];
    if (has(own) || !has(other) || runsCollectorsOnly(values)) {
        return installed;
    }
    const others = versions.map(catalogOf).filter((each) => umbrellaCollects(each) !== umbrellaCollects(installed));
    return (umbrellaCollects(installed) ? others[0] : others.at(-1)) ?? installed;
}

/** The values without what cannot stand in a stack: nulls, secrets, and what no chart reads. */
function clean(values: HelmValues, catalog: Catalog, corrections: string[], lost: string[]): HelmValues {
    const nulls = [...leaves(values)].flatMap(([path, value]) => (value === null ? [path] : []));
    const exporters = nulls.filter(isExporter).map((path) => path.at(-1));
    if (exporters.length > 0) {
        corrections.push(
            `${exporters.join(", ")}: null stops all collectors, which check an exporter even if no pipeline names it: "at least ` +
                'one endpoint must be specified". The exporters stay, and the pipelines name others (docs/differences.md).',
        );
    }
    lost.push(
        ...nulls
            .filter((path) => !isExporter(path))
            .map((path) => {
                const own = defaultAt(catalog, path);
                return (
                    `${formatPath(path)} is null. Helm and Kubernetes disagree on what that means, so it is left out` +
                    (own === undefined || own === null ? "." : `: the charts' ${brief(own)} applies.`)
                );
            }),
    );
    let cleaned = nulls.reduce(removeLeaf, values);
    const { values: open, places } = withoutSecrets(cleaned);
    cleaned = open;
    lost.push(
        ...places.map(
            (place) =>
                `${place} holds a secret, which is not copied: Helm values are readable in the HelmRelease. Put it into a ` +
                "Secret, and refer to that by name.",
        ),
    );
    for (const { path, message, nearest } of checkPaths(catalog, cleaned, contextOf(cleaned))) {
        const value = valueAt(cleaned, path);
        if (value === "true") {
            corrections.push(`${formatPath(path)} is "true" in quotes, which is text. The settings have a boolean.`);
            cleaned = mergeValues(cleaned, nest(path, true));
            continue;
        }
        corrections.push(
            `${formatPath(path)} ${message}. It is left out.${nearest === undefined ? "" : ` The nearest that is read is ${nearest}.`}`,
        );
        cleaned = removeLeaf(cleaned, path);
    }
    for (const { path, value, instead } of overwritten(catalog, cleaned)) {
        const own = instead === undefined ? "its own" : `its own, ${brief(instead)},`;
        corrections.push(
            `${formatPath(path)} is ${brief(value)}, but never arrived: KOF puts ${own} over it. It is left out.`,
        );
        cleaned = removeLeaf(cleaned, path);
    }
    return cleaned;
}

const placeholder = /\$[A-Z][A-Z0-9_]*\b|\$\{[A-Z][A-Z0-9_]*\}|<[A-Z][A-Z0-9_ ]*>/g;

/** What a page leaves for its reader to fill in. The name of a region's Secret is not among it: it follows from the region. */
function placeholders(values: HelmValues): string[] {
    const found = [...leaves(values)].flatMap(([, value]) => JSON.stringify(value).match(placeholder) ?? []);
    return [...new Set(found)]
        .filter((name) => name !== unfilledSecretName)
        .map((name) => `${name} stands for a value of yours. Put the value in its place.`);
}

/** What of the values the settings do not resolve to by themselves. */
function remainder(values: HelmValues, own: HelmValues, catalog: Catalog): HelmValues {
    let rest: HelmValues = {};
    for (const [path, value] of leaves(values)) {
        // An empty map changes nothing, unless it names what nothing else does: a component without options.
        const empty = isMap(value) && (valueAt(own, path) ?? defaultAt(catalog, path)) !== undefined;
        if (!empty && deciderOf(path) === undefined && !same(path, value, valueAt(own, path))) {
            rest = mergeValues(rest, nest(path, value));
        }
    }
    return rest;
}

/** Values that only a setting may decide, and that it decides otherwise. */
function overruled(values: HelmValues, own: HelmValues, catalog: Catalog): string[] {
    return [...leaves(values)].flatMap(([path, value]) => {
        const decider = deciderOf(path);
        return decider === undefined || same(path, value, valueAt(own, path) ?? defaultAt(catalog, path))
            ? []
            : [
                  `${formatPath(path)} is ${brief(value)}, but kof:${decider} decides it, and does without${value === true && path.at(-1) === "enabled" ? ": pulumi up uninstalls it" : ""}.`,
              ];
    });
}

/** Values for another version, where that reads them. */
function moved(values: HelmValues, catalog: Catalog, lost: string[]): HelmValues {
    let result: HelmValues = {};
    for (const [path, value] of leaves(values)) {
        const to = movedPath(catalog, path) ?? path;
        if (checkPaths(catalog, nest(to, value)).length === 0) {
            result = mergeValues(result, nest(to, value));
        } else {
            lost.push(`${formatPath(path)} has no counterpart in KOF ${catalog.version}.`);
        }
    }
    return result;
}
