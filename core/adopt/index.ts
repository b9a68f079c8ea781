import { isDeepStrictEqual } from "node:util";

import { catalogOf, kubeStack, signals, versions, type Catalog } from "../charts";
import { overwritten } from "../charts/overwrites";
import { checkPaths, isRead as isPathRead, movedPath } from "../charts/paths";
import { defaultAt } from "../charts/defaults";
import {
    formatPath,
    isMap,
    leaves,
    mergeValues,
    nest,
    textOf,
    valueAt,
    type HelmValue,
    type HelmValues,
} from "../lib/values";
import { danglingReferences } from "../collectors/references";
import { compact } from "../lib/compact";
import { UserError } from "../lib/errors";
import { deploymentOf } from "../routes";
import type { Deployment } from "../routes/deployment";
import { secretEnv, umbrellaCollects } from "../routes/collectors";
import { headerVariable, otlpHeadersSecret } from "../settings/headers";
import { parseSettings } from "../routes/parse";
import { brief } from "../settings/problems";
import { routingOf } from "../settings/routing";
import { deciderOf } from "../settings/rules";
import { changes, complete } from "./additions";
import { differing, same } from "./compare";
import { claimed } from "./claims";
import { asRouteNames, otlpExporterOf, writesToCloudWatch } from "./destinations";
import { recognise, volumeSettings } from "./recognise";
import { bareChart, correct, nestChart, unfilledSecretName, withoutSizes } from "./corrections";
import { removeLeaf } from "./removal";
import { nothingRead, type Original } from "./documents";
import { isWrittenForMesh } from "./mesh";
import { hideSecrets, newSecretsText, secretsText, takeSecrets, type PlainSecret } from "./secrets";
import { takeDestinations, withLists, type TakenDestinations } from "./signals";
import { isExporter, readOriginal } from "./text";
import type { AdoptionOptions } from "./options";

/** What a values file that was written by hand resolves to. */
export interface Adoption {
    /** Settings by their key under `kof:`. They are complete: `parseSettings` accepts them. */
    readonly settings: Readonly<Record<string, unknown>>;
    /** Secrets that stand in the original in plain text, and what to do about each. None of them is in the settings. */
    readonly secrets: readonly string[];
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
    const original = readOriginal(text, source, (values) => {
        const bare = bareChart(values, source);
        return versions.some(
            (version) => unreadCount(version, nestChart(values, bare, catalogOf(version)).values) === 0,
        );
    });
    return adoptionOf(original, options, source);
}

/** As {@link adoption}, of values that are no text any more. */
export function adoptionOf(original: Original, options: AdoptionOptions, source: string): Adoption {
    const isUmbrella = original.isUmbrella === true;
    const bare = bareChart(original.values, isUmbrella ? undefined : source);
    const nestFor = (version: string) => nestChart(original.values, bare, catalogOf(version));
    const isRead = (version: string) =>
        [...leaves(nestFor(version).values)].some(([path]) => isPathRead(catalogOf(version), path));
    if (!isUmbrella && !versions.some(isRead)) {
        const keys = Object.keys(original.values);
        throw nothingRead(source, `no chart reads ${keys.slice(0, 5).join(", ")}${keys.length > 5 ? ", …" : ""}`);
    }
    const known = options.version ?? original.version;
    const { version, doubt } = known === undefined ? onlyVersion(nestFor, source) : { version: known };
    const catalog = catalogOf(version);
    const whole = nestFor(version);
    const given = original.hasDefaults === true ? withoutDefaults(whole.values, catalog) : whole.values;
    const { values: open, secrets } = takeSecrets(given);
    const nested = asRouteNames({ ...whole, values: open });
    const corrections = [...original.corrections, ...nested.corrections];
    const lost = [...(original.unseen ?? [])];

    const written = writtenFor(nested.values, catalog);
    if (written !== catalog) {
        corrections.push(
            `These are values for KOF ${written.version}. KOF ${version} ignores ${routeKeys(nested.values).join(" and ")}: nothing ` +
                "of them takes effect. The settings do what they ask for, on the version that you have.",
        );
    } else if (runsCollectorsOnly(nested.values) && !umbrellaCollects(catalog) && !listsCollectors(nested.values)) {
        corrections.push(
            `KOF ${version} installs kof-collectors only where global.components lists it, and ignores these values otherwise. ` +
                "The route lists it (docs/differences.md).",
        );
    }
    const cleaned = readableValues(nested.values, written, corrections, lost);
    const istio = options.cluster?.istio ?? isWrittenForMesh(cleaned, written);
    const context = runsCollectorsOnly(cleaned) ? contextOf(cleaned) : {};
    const taken = takeDestinations(cleaned, written, secrets, context, istio);
    const found = recognise(taken?.values ?? cleaned, written, options, nested.identity, taken, istio);
    const settled = taken ? destinationSettings(taken, found.settings) : found.settings;
    const readable = taken?.values ?? takeHeaders(cleaned, settled, secrets);
    const said = taken ?? { secrets, newSecrets: [] };
    corrections.push(...(taken?.corrections ?? []), ...found.corrections);
    const stop = (missing: readonly string[]) => incomplete(source, missing, { ...said, corrections });
    const missing = [...compact(doubt), ...placeholders(readable), ...found.missing];
    if (missing.length > 0) {
        throw stop(missing);
    }
    const corrected = correct(readable, written, settled, taken?.prefix);
    corrections.push(...corrected.corrections);
    const parse = (settings: Readonly<Record<string, unknown>>) => {
        try {
            return parseSettings(settings, `What ${source} resolves to`);
        } catch (error) {
            throw error instanceof UserError ? stop([error.message]) : error;
        }
    };
    const ofValues = volumeSettings(corrected.values, deploymentOf(parse(settled)));
    const { storage, notes } = claimed(deploymentOf(parse({ ...settled, ...ofValues })), options.cluster?.claims ?? []);
    const volumes = mergeValues(ofValues, Object.keys(storage).length > 0 ? { storage } : {});
    const plain = deploymentOf(parse({ ...settled, ...volumes }));
    const own = plain.values;
    const completed = complete(
        taken ? withLists(corrected.values, own, taken, written) : corrected.values,
        own,
        written,
    );
    const rest = mergeValues(remainder(completed.values, own, written), taken?.kept(plain.collectors) ?? {});
    lost.push(...overruled(corrected.values, own, written));

    // Where the claims tell the sizes, those of the values are past.
    const values = withoutSizes(written === catalog ? rest : moved(rest, catalog, lost), plain, storage);
    const settings = {
        ...settled,
        version,
        ...volumes,
        adopt: true,
        ...(Object.keys(values).length > 0 ? { values } : {}),
    };
    const deployment = deploymentOf(parse(settings));
    const broken = deployment.collectors.flatMap((collector) =>
        danglingReferences(collector).map((reference) => `${collector.name}: ${reference}.`),
    );
    if (broken.length > 0) {
        throw stop(["With these values collectors stop at their start. Mend the values, then adopt them:", ...broken]);
    }
    const compared = taken?.compare(deployment.collectors) ?? { lost: [], more: [] };
    if (compared.lost.length > 0) {
        throw stop([
            "No settings were found with which collectors would send as they do now. These would be missing:",
            ...compared.lost.map((each) => `${each}.`),
        ]);
    }
    if (written === catalog) {
        lost.push(...differing(withoutSizes(completed.values, deployment, storage), deployment));
    }
    return {
        settings,
        secrets: secretsText(said.secrets, said.newSecrets),
        corrections,
        changes: [
            ...(taken?.changes ?? []),
            ...compared.more.map((each) => `Collectors also send ${each}.`),
            ...(written === catalog ? changes(nested.values, own, catalog, completed, plain.targets) : []),
        ],
        lost,
        notes: [...found.notes, ...(taken?.notes ?? []), ...notes, ...newSecretsText(said.secrets, said.newSecrets)],
        leftovers: leftoversIn(hideSecrets(given), deployment),
    };
}

/**
 * Values without what the charts have by themselves, or a layer above them puts there: KOF's HelmReleases have both, and what
 * is left out of a stack file follows later versions.
 */
function withoutDefaults(values: HelmValues, catalog: Catalog): HelmValues {
    const regionless = valueAt(values, ["kof-regional", "values", "regionless"]);
    const all = isMap(regionless) && regionless.enabled === true ? mergeValues({ regionless }, values) : values;
    const layered = overwritten(catalog, all, all).map(({ path }) => formatPath(path));
    const put = catalog.overwrites.flatMap(({ component, path }) =>
        Object.keys(all)
            .filter((name) => component === null || component === name)
            .map((name) => [name, "values", ...path]),
    );
    const rest = put.filter((path) => !layered.includes(formatPath(path))).reduce(removeLeaf, all);
    return [...leaves(rest)]
        .filter(([path, value]) => same(path, value, defaultAt(catalog, path)))
        .reduce((left, [path]) => removeLeaf(left, path), rest);
}

/** Which signal goes where, and to which destinations, as settings. What kof:buffer says each of those need not. */
function destinationSettings(
    taken: TakenDestinations,
    { buffer = taken.buffer, ...found }: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
    const given = buffer as HelmValue | undefined;
    const shared = {
        duration: textOf(valueAt(given, ["duration"]) ?? "30m"),
        size: textOf(valueAt(given, ["size"]) ?? "1Gi"),
    };
    const all = Object.entries(taken.destinations);
    const [first, ...others] = all.map(([, { buffer: own }]) => own);
    const isCommon = given === undefined && others.every((each) => isDeepStrictEqual(each, first));
    const common = (isCommon ? first : undefined) ?? shared;
    const destinations = Object.fromEntries(
        all.map(([name, { buffer: own, ...rest }]) => [
            name,
            own === undefined || isDeepStrictEqual(own, common) ? rest : { ...rest, buffer: own },
        ]),
    );
    const stored = { metrics: "none", traces: "none", ...((found.cloudwatch ?? {}) as { signals?: object }).signals };
    const byDefault = routingOf({
        route: taken.route,
        cloudwatch: { signals: stored },
    } as unknown as Parameters<typeof routingOf>[0]).signals;
    const differing = signals.filter((signal) => byDefault[signal].join() !== taken.wanted[signal].join());
    const isKept = signals.some((signal) => taken.wanted[signal].some((name) => name !== "management"));
    const kept = common === shared ? given : common;
    return {
        ...found,
        ...(isKept && kept !== undefined ? { buffer: kept } : {}),
        ...(differing.length > 0
            ? { signals: Object.fromEntries(differing.map((signal) => [signal, [...taken.wanted[signal]]])) }
            : {}),
        ...(all.length > 0 ? { destinations } : {}),
    };
}

/** Takes the headers of route otlp that stood in the values from a Secret, which has to hold them from now on. */
function takeHeaders(values: HelmValues, settings: Readonly<Record<string, unknown>>, secrets: readonly PlainSecret[]) {
    const headers = secrets.flatMap(({ moved }) => (moved?.name === otlpHeadersSecret ? moved.key : []));
    const { otlp } = settings as { otlp?: Record<string, unknown> };
    if (!otlp || otlp.headersSecret !== undefined || headers.length === 0) {
        return values;
    }
    Object.assign(otlp, { headersSecret: otlpHeadersSecret, headers });
    const path = ["kof-collectors", "values", kubeStack, "defaultCRConfig", "env"];
    const env = valueAt(values, path);
    // A list of the original replaces that of the route.
    const added = headers.map((header) => secretEnv(headerVariable(header), otlpHeadersSecret, header));
    return Array.isArray(env) ? mergeValues(values, nest(path, [...env, ...added])) : values;
}

/** What remains of the original in the releases: a field disappears only when its owner removes it. */
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

function incomplete(
    source: string,
    missing: readonly string[],
    known: Pick<TakenDestinations, "secrets" | "newSecrets" | "corrections">,
): UserError {
    const { secrets, newSecrets, corrections } = known;
    const section = (title: string, items: readonly string[]) =>
        items.length > 0 ? ["", ...(title === "" ? [] : [title, ""]), ...items.map((item) => `  - ${item}`)] : [];
    return new UserError(
        [
            `${source} cannot be adopted yet. Nothing was written.`,
            ...section("Secrets in plain text:", secretsText(secrets, newSecrets)),
            ...section(secrets.length > 0 ? "What is missing:" : "", missing),
            ...section("What else was wrong with it, and would be put right:", corrections),
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

/** How many of the umbrella's values a version does not read. */
function unreadCount(version: string, values: HelmValues): number {
    return checkPaths(catalogOf(version), values, contextOf(values)).filter(
        ({ path }) => valueAt(values, path) !== null,
    ).length;
}

/** The version that the values can only be for; else the newest of those that they fit best, and what to do. */
function onlyVersion(
    nestFor: (version: string) => { values: HelmValues },
    source: string,
): { version: string; doubt?: string } {
    const counts = versions.map((version) => unreadCount(version, nestFor(version).values));
    const least = Math.min(...counts);
    const candidates = versions.filter((_, i) => counts[i] === least);
    const version = candidates.at(-1) ?? "";
    return candidates.length === 1 && least === 0
        ? { version }
        : {
              version,
              doubt:
                  `${source} does not tell which KOF version it is for. ${
                      least === 0 ? "It fits" : "Parts of it are read by no version; the rest fits"
                  } ${candidates.join(", ")}. ` +
                  "Give the installed one with --version. It is shown by\n      helm list -n kof",
          };
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
    const storesByUmbrella = valueAt(values, ["kof-storage", "enabled"]) === true;
    if (has(own) || !has(other) || (runsCollectorsOnly(values) && !storesByUmbrella) || listsCollectors(values)) {
        return installed;
    }
    const others = versions.map(catalogOf).filter((each) => umbrellaCollects(each) !== umbrellaCollects(installed));
    return (umbrellaCollects(installed) ? others[0] : others.at(-1)) ?? installed;
}

/** The values without what cannot stand in a stack: nulls, and what no chart reads. */
function readableValues(values: HelmValues, catalog: Catalog, corrections: string[], lost: string[]): HelmValues {
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
