import { identityProcessor } from "../collectors/identity";
import { telemetryKind, nounOf, kubeStack, perSignal, type Catalog, type Signal } from "../charts";
import { collectorsChart } from "../charts/installed";
import { effectiveCollectors, shortName, type Collector } from "../collectors/effective";
import { isDiscarding, listOf, pipelinesOf, sortsAudit, typeOf } from "../collectors/flows";
import { completeValues } from "../charts/umbrella";
import { compact, definedOnly } from "../lib/compact";
import { isMap, keysAt, leaves, mergeValues, nest, textOf, valueAt } from "../lib/values";
import type { HelmValue, HelmValues } from "../lib/values";
import { defaultAt } from "../charts/defaults";
import { sortsAuditByDefault, umbrellaCollects } from "../routes/collectors";
import { isOwnStoreOf } from "../routes/destinations";
import { exporterOf, otlpExporter } from "../routes/exporters";
import { parseSettings } from "../routes/parse";
import { isNameTaken } from "../settings/destinationRules";
import { destination } from "../settings/destinations";
import type { RouteName } from "../settings/settings";
import { readBranch, type Branch } from "./branches";
import { canonical, contains, same } from "./compare";
import { otlpExporterOf, renamed, wayToAws, writesToCloudWatch } from "./destinations";
import { addressAt, exitsOf, isOfRegion, pipelineKindOf, exitPlace, exporterProtocols, type Exit } from "./exits";
import { presetAt, readExporter, withPreset, type Batches, type ReadExporter } from "./exporters";
import { removeLeaf } from "./removal";
import type { PlainSecret } from "./secrets";
import { plainMark, type NewSecret } from "./secretParts";

/*
 * Hand-written values in which collectors write to several places, as kof:signals and kof:destinations. What these settings
 * express is removed from the values, so that the rest looks like values of one route.
 */

/** What was found of destinations, and what is left of the values. */
export interface TakenDestinations {
    readonly values: HelmValues;
    /** Where the values of kof-collectors are. */
    readonly prefix: readonly string[];
    readonly route: RouteName;
    /** Whether the umbrella runs collectors and nothing that stores. */
    readonly collectorsOnly: boolean;
    /** Per signal the names of its destinations. */
    readonly wanted: Readonly<Record<Signal, readonly string[]>>;
    readonly destinations: Readonly<Record<string, Record<string, unknown>>>;
    readonly otlp: Record<string, unknown> | undefined;
    /** What CloudWatch gets of what is collected, and the exporter of the audit logs. */
    readonly cloudwatch:
        | {
              readonly processing?: unknown;
              readonly auditExporter?: string | undefined;
              readonly hasLogs: boolean;
              /** How metrics and traces get there. */
              readonly stored: Readonly<Record<string, string>>;
          }
        | undefined;
    /** What each exporter keeps by default, if the exporter of a built-in destination shows it. */
    readonly buffer: unknown;
    readonly secrets: readonly PlainSecret[];
    readonly newSecrets: readonly NewSecret[];
    readonly corrections: readonly string[];
    readonly changes: readonly string[];
    readonly notes: readonly string[];
    /** Values by which the collectors of a stack do what no setting says. */
    readonly kept: (own: readonly Collector[]) => HelmValues;
    /** How signals change with the stack: what they lose, and what they gain. */
    readonly compare: (own: readonly Collector[]) => {
        readonly lost: readonly string[];
        readonly more: readonly string[];
    };
}

/** An exit, and what is there: `management`, `regional`, `cloudwatch` or an address; empty where nothing is kept. */
interface PlacedExit extends Exit {
    readonly place: string;
}

/** An exit, and the name of its destination in `kof:signals`. */
interface NamedExit extends PlacedExit {
    readonly name: string;
}

type Exits = readonly [PlacedExit, ...PlacedExit[]];

/** Exporters that are one destination. */
interface Group {
    readonly name: string;
    readonly ids: readonly [string, ...string[]];
    readonly exits: Exits;
    readonly read: ReadExporter;
    /** Whether the processors on the way stay in the values. */
    readonly keepsProcessors: boolean;
}

/** How the collectors of values run, with the secrets of the values marked. */
interface Running {
    readonly exits: readonly PlacedExit[];
    readonly collectors: readonly Collector[];
    readonly prefix: readonly string[];
    readonly component: string;
    /** The same collectors without what somebody wrote for them. */
    readonly own: readonly Collector[];
}

/**
 * Finds the destinations of values.
 *
 * @param secrets those that stood in the values in plain text.
 * @param context what has to be among the values for the charts to read them.
 * @param istio whether they run in the mesh, where KOF leaves out a collector.
 * @returns `undefined` where one route by itself does all that they ask for, or nothing is known that does.
 */
export function takeDestinations(
    given: HelmValues,
    catalog: Catalog,
    secrets: readonly PlainSecret[],
    context: HelmValues,
    istio: boolean,
): TakenDestinations | undefined {
    const run = (all: HelmValues) => runningOf(all, catalog, context, secrets, istio);
    const values = withUsualNames(given, run(given)?.exits ?? []);
    const running = run(values);
    if (!running) {
        return undefined;
    }
    const { prefix } = running;
    // Where the umbrella runs collectors alone, KOF's own stores are not there.
    const hasStores = umbrellaCollects(catalog) || running.component !== "kof-collectors";
    const exits = running.exits.filter(({ place }) => hasStores || place !== "management");
    const placed = exits.filter(({ place }) => place !== "");
    if (isOfOneRoute(values, placed, running)) {
        return undefined;
    }
    const refused = new Map<string, string>();
    const exitsOfExporters = new Map<string, Exits>();
    for (const exit of placed) {
        const { exporter, place } = exit;
        const before = exitsOfExporters.get(exporter);
        const reason = refusalOf(exit, before?.[0]);
        if (reason !== undefined) {
            refused.set(exporter, reason);
        } else if (!isBuiltIn(place)) {
            exitsOfExporters.set(exporter, before ? [...before, exit] : [exit]);
        }
    }
    refuseWhatSharesWays(refused, exits);
    const found: Group[] = [];
    const secretAt = (is: (secret: PlainSecret) => boolean) => {
        const index = secrets.findIndex(is);
        return index < 0 ? undefined : index;
    };
    for (const [id, own] of exitsOfExporters) {
        if (refused.has(id)) {
            continue;
        }
        const names = found.map((each) => each.name);
        const name = nameFor(id, own[0], names, catalog);
        const read = readExporter(id, name, own, {
            plainOf: (variable) =>
                secretAt(({ path, moved }) => moved !== undefined && path.at(-1) === variable && path.includes("env")),
            signIn: secretAt(
                ({ path }) =>
                    path.at(-3) === "exporters" && path.at(-2) === id && path.at(-1)?.endsWith("endpoint") === true,
            ),
            hasAwsCredentials: placed.some(({ place }) => place === "cloudwatch"),
        });
        if ("refused" in read) {
            refused.set(id, read.refused);
        } else {
            found.push({ name, ids: [id], exits: own, read, keepsProcessors: false });
        }
    }
    refuseWhatSharesWays(refused, exits);
    const groups = joinParts(
        found.filter(({ ids: [id] }) => !refused.has(id)),
        catalog,
    ).map(settled);
    const known = placed.flatMap((exit): NamedExit[] => {
        const { exporter, place } = exit;
        const name = isBuiltIn(place) ? place : groups.find(({ ids }) => ids.includes(exporter))?.name;
        return name === undefined || refused.has(exporter) ? [] : [{ ...exit, name }];
    });
    if (!known.some(({ name }) => name !== "management" && name !== "regional") && refused.size > 0) {
        return undefined;
    }
    const base = baseOf(values, catalog, known, running);
    const wanted = perSignal((signal) => {
        // Up to KOF 1.9 audit logs are among the logs.
        const kind = signal === "audit" && !sortsAuditByDefault(catalog) ? "logs" : signal;
        const names = new Set(known.filter((exit) => exit.signal === kind).map(({ name }) => name));
        return [...names].sort((a, b) => Number(b === base.store) - Number(a === base.store));
    });
    const [first, ...more] = known.filter(({ name }) => name === "cloudwatch");
    const otlp = groups.find(({ name }) => name === "otlp");
    const others = groups.filter((group) => group !== otlp);
    const newSecrets = groups.flatMap(({ read }) => read.secrets);
    return {
        values: strip(values, { catalog, running, groups, known }),
        prefix,
        route: base.route,
        collectorsOnly: base.store === undefined,
        wanted,
        destinations: Object.fromEntries(others.map(({ name, read }) => [name, read.settings])),
        otlp: otlp && settingsOfOtlp(otlp.read.settings),
        buffer: otlp?.read.settings.buffer,
        cloudwatch: first && cloudWatchOf([first, ...more]),
        secrets: secrets.map((secret, index) => ({ ...secret, moved: movedTo(newSecrets, index) ?? secret.moved })),
        newSecrets,
        corrections: debugCorrections(running, known),
        changes: groups.flatMap(({ read }) => read.changes),
        notes: [
            ...[...refused].map(
                ([id, why]) => `Exporter ${id} stays in kof:values, and kof:signals do not name it: ${why}.`,
            ),
            ...groups
                .filter((group) => group.keepsProcessors)
                .map(
                    ({ name }) =>
                        `What is done with telemetry on its way to ${name} stays in kof:values: kof:destinations.${name}.processing does ` +
                        "not say exactly that.",
                ),
        ],
        kept: (own) => keptValues(own, running, groups, refused),
        compare: (own) =>
            compareExits(
                exits,
                own.flatMap((each) => placedExits(each, each, catalog)),
                own.some(sortsAudit),
            ),
    };
}

/** Whether a place is one that the program has a name for, without settings of a destination. */
function isBuiltIn(place: string): boolean {
    return ["management", "regional", "cloudwatch"].includes(place);
}

function placedExits(collector: Collector, own: Collector | undefined, catalog: Catalog): PlacedExit[] {
    const isOwnStore = (address: string) => isOwnStoreOf(catalog, address);
    return exitsOf(collector, own).map((exit) => ({ ...exit, place: exitPlace(exit, isOwnStore) }));
}

/** Why settings cannot have an exit; `undefined` where they can. @param first exit of the same exporter before it. */
function refusalOf(exit: PlacedExit, first: Exit | undefined): string | undefined {
    const { exporter, place, processors, refused } = exit;
    const isBehindProcessors = place === "management" && processors.length > 0;
    if (refused !== undefined || isBuiltIn(place)) {
        return (
            refused ?? (isBehindProcessors ? `exporter ${exporter} of KOF's stores is behind processors` : undefined)
        );
    }
    if (exporterProtocols[typeOf(exporter)] === undefined) {
        return `exporter ${exporter} is of no kind that kof:destinations have`;
    }
    const optionsAt = ({ collector }: Exit) => canonical(valueAt(collector.config, ["exporters", exporter]));
    return first && optionsAt(first) !== optionsAt(exit)
        ? `exporter ${exporter} differs from collector to collector`
        : undefined;
}

/** What CloudWatch gets. */
function cloudWatchOf(exits: readonly [NamedExit, ...NamedExit[]]): TakenDestinations["cloudwatch"] {
    const { processing } = branchTo("cloudwatch", exits) ?? {};
    const ways = exits.map(({ signal, exporter }) => [signal, wayToAws(exporter)] as const);
    return {
        ...(processing ? { processing } : {}),
        auditExporter: exits.find(({ signal }) => signal === "audit")?.exporter,
        hasLogs: exits.some(({ signal }) => signal === "logs"),
        stored: definedOnly(Object.fromEntries(ways)),
    };
}

/** How the collectors of values run; `undefined` where no chart brings any. */
function runningOf(
    values: HelmValues,
    catalog: Catalog,
    context: HelmValues,
    secrets: readonly PlainSecret[],
    istio: boolean,
): Running | undefined {
    const settings = parseSettings({ route: "none", version: catalog.version, istio }, "values");
    const run = (each: HelmValues) => {
        const all = mergeValues(each, context);
        const umbrella = completeValues(catalog, all);
        return { settings, catalog, values: all, umbrella };
    };
    const { umbrella } = run(values);
    const chart = collectorsChart(umbrella);
    if (!chart) {
        return undefined;
    }
    const path = [...chart.prefix, kubeStack];
    const marked = secrets.reduce((all, secret, index) => markSecret(all, path, secret, index), values);
    const own = effectiveCollectors(run(mergeValues(removeLeaf(values, path), nest(chart.prefix, {}))));
    const collectors = effectiveCollectors(run(marked));
    const ownOf = ({ key }: Collector) => own.find((each) => each.key === key);
    const exits = collectors.flatMap((each) => placedExits(each, ownOf(each), catalog));
    return { exits, collectors, prefix: chart.prefix, component: chart.component, own };
}

/** Puts a mark where a secret of an exporter or an extension stood. */
function markSecret(values: HelmValues, path: readonly string[], secret: PlainSecret, index: number): HelmValues {
    const isBelow = path.every((key, i) => secret.path[i] === key);
    const isOfExporter = secret.path.includes("exporters") || secret.path.includes("extensions");
    return isBelow && isOfExporter && valueAt(values, secret.path) === undefined
        ? mergeValues(values, nest(secret.path, plainMark(index)))
        : values;
}

function movedTo(all: readonly NewSecret[], index: number): PlainSecret["moved"] {
    for (const { name, keys } of all) {
        for (const [key, parts] of Object.entries(keys)) {
            if (parts.some((part) => "plain" in part && part.plain === index)) {
                return { name, key };
            }
        }
    }
    return undefined;
}

/** Whether a route by itself does what the collectors do, as it is found without this. */
function isOfOneRoute(values: HelmValues, placed: readonly PlacedExit[], running: Running): boolean {
    const { own, component } = running;
    const isKnown = ({ place, exporter }: PlacedExit) =>
        isBuiltIn(place) || exporterProtocols[typeOf(exporter)] !== undefined;
    const places = new Set(placed.filter(isKnown).map(({ place }) => place));
    if (places.size === 0) {
        const hasStores =
            component !== "kof-collectors" ||
            valueAt(values, ["kof-storage", "enabled"]) === true ||
            pointsAtRegion(running);
        return placed.length > 0 || !hasStores || own.length === 0;
    }
    const exporter = otlpExporterOf(values);
    const isDirect = placed.every(({ via, beside }) => via.length === 0 && beside === undefined);
    const isOtlp = exporter !== undefined && isPlainOtlp(placed, exporter);
    const isCloudWatch = placed.every(({ place }) => place === "cloudwatch") && writesToCloudWatch(values);
    if (isDirect && (isOtlp || isCloudWatch)) {
        return true;
    }
    const collected = own.flatMap((each) => exitsOf(each, each)).filter(({ exporter: id }) => !isDiscarding(id));
    return (
        places.size === 1 &&
        (places.has("management") || places.has("regional")) &&
        collected.every(({ signal }) => placed.some((exit) => exit.signal === signal))
    );
}

/** Whether all goes to one exporter of which route otlp has settings, or that needs none. */
function isPlainOtlp(exits: readonly Exit[], exporter: string): boolean {
    const [first] = exits;
    const options = valueAt(first?.collector.config, ["exporters", exporter]);
    const keys = ["auth", "proxy_url", "metrics_endpoint", "logs_endpoint", "traces_endpoint"];
    return (
        exits.every((exit) => exit.exporter === exporter) &&
        !keys.some((key) => valueAt(options, [key]) !== undefined) &&
        valueAt(options, ["tls", "cert_pem"]) === undefined &&
        valueAt(options, ["tls", "cert_file"]) === undefined
    );
}

/** What shares a way with something that no setting says stays with it. */
function refuseWhatSharesWays(refused: Map<string, string>, exits: readonly Exit[]): void {
    for (let before = -1; before !== refused.size;) {
        before = refused.size;
        for (const exit of exits) {
            const companion = exits.find(
                (other) =>
                    refused.has(other.exporter) &&
                    other.collector === exit.collector &&
                    (other.via.some((id) => exit.via.includes(id)) ||
                        (other.beside !== undefined && other.beside === exit.beside)),
            );
            if (companion && !refused.has(exit.exporter)) {
                refused.set(exit.exporter, `it shares its way with ${companion.exporter}`);
            }
        }
    }
}

/** A name for the destination of an exporter: that after the slash, else by its address. */
function nameFor(id: string, exit: Exit, taken: readonly string[], { version }: Catalog): string {
    if (id === otlpExporter) {
        return "otlp";
    }
    const plain = (text: string) =>
        text
            .toLowerCase()
            .replaceAll(/[^a-z0-9]+/g, "-")
            .replace(/^[^a-z]+/, "")
            .slice(0, 28)
            .replace(/-+$/, "");
    const address = addressAt(id, valueAt(exit.collector.config, ["exporters", id]), pipelineKindOf(exit.origin));
    const host = address.replace(/^\w+:\/\//, "").split(/[/:]/)[0] ?? "";
    const [, suffix = ""] = id.split("/");
    const preset = presetAt({
        protocol: exporterProtocols[typeOf(id)],
        endpoint: address.replace(/\/v1\/(metrics|logs|traces)$/, ""),
    });
    const generic = ["otlp", "api", "www", "metrics", "logs", "traces", "gateway", "ingest"];
    const label = host.split(".").find((each) => plain(each) !== "" && !generic.includes(plain(each)));
    const names = [suffix, preset ?? "", label ?? "", "elsewhere"].map(plain);
    const name = names.find((each) => each !== "" && !isNameTaken(each, [], version)) ?? "elsewhere";
    for (let i = 1; ; i++) {
        const candidate = i === 1 ? name : `${name}-${String(i)}`;
        if (!isNameTaken(candidate, taken, version)) {
            return candidate;
        }
    }
}

/** Exporters that are one destination: with an address, or a size of requests, for each signal. */
function joinParts(groups: readonly Group[], { version }: Catalog): readonly Group[] {
    const stemOf = (id: string) => /^((?:otlp|otlphttp)\/.+)-(?:metrics|logs|traces)$/.exec(id)?.[1];
    const stems = new Set(groups.flatMap(({ ids: [id] }) => stemOf(id) ?? []));
    return [...stems].reduce((all, stem) => {
        const parts = all
            .filter(({ ids: [id] }) => id === stem || stemOf(id) === stem)
            .sort(({ ids: [id] }) => (id === stem ? -1 : 0));
        const others = all.filter((each) => !parts.includes(each));
        const name = stem.split("/")[1] ?? "";
        const names = others.map((each) => each.name);
        const joined =
            parts.length > 1 && !isNameTaken(name, names, version) ? joinedGroup(stem, name, parts) : undefined;
        return joined ? [...others, joined] : all;
    }, groups);
}

/** One group of several; `undefined` where they are no one destination. */
function joinedGroup(stem: string, name: string, parts: readonly Group[]): Group | undefined {
    const others = ({ settings }: ReadExporter) => {
        const { endpoint: _endpoint, signals: _signals, batch: _batch, ...rest } = settings;
        return canonical(JSON.parse(JSON.stringify(rest).replaceAll(/-(metrics|logs|traces)(?=")/g, "")) as HelmValue);
    };
    const [first, ...more] = parts;
    const isPart = ({ ids: [id], exits }: Group) =>
        id === stem || exits.every(({ origin }) => id === `${stem}-${pipelineKindOf(origin)}`);
    if (!first || !parts.every(isPart) || parts.some(({ read }) => others(read) !== others(first.read))) {
        return undefined;
    }
    const { batch, ...settings } = first.read.settings;
    const own = parts.flatMap(({ ids: [id], read }) => {
        const { endpoint, protocol, signals: each } = read.settings;
        const kind = id.slice(stem.length + 1);
        const address = protocol === undefined ? `${String(endpoint)}/v1/${kind}` : endpoint;
        return [...(endpoint === settings.endpoint ? [] : [{ [kind]: { endpoint: address } }]), each];
    });
    const signalsOwn = Object.assign({}, ...own) as object;
    if (Object.keys(signalsOwn).length > 0) {
        settings.signals = signalsOwn;
    }
    const batches = Object.assign({}, ...parts.map(({ read }) => read.batches)) as Batches;
    const exits: Exits = [...first.exits, ...more.flatMap((group) => group.exits)];
    const ids: Group["ids"] = [...first.ids, ...more.flatMap((group) => group.ids)];
    const sizes = parts.map(({ read }) => canonical(Object.values(read.batches)[0] as HelmValue | undefined));
    const isOneSize = new Set(sizes).size === 1;
    if (isOneSize && batch !== undefined) {
        settings.batch = batch;
    }
    const group = { ...first, name, ids, exits, read: { ...first.read, settings, batches } };
    // Only a preset has a size for each signal.
    const { processing, temporality } = branchTo(name, exits) ?? {};
    const all = { ...settings, ...definedOnly<unknown>({ processing, temporality }) };
    return isOneSize || withPreset(name, all, signalsTo(group), batches) ? group : undefined;
}

function signalsTo({ exits }: Pick<Group, "exits">): Signal[] {
    return [...new Set(exits.map(({ signal }) => signal))];
}

/** What the processors on the way to a destination do, and those that are there for signals that it does not get. */
function branchTo(name: string, exits: readonly Exit[]): Branch | undefined {
    const ways = exits.map(({ signal, processors }) => [signal, processors] as const);
    const definitions = mergeValues(
        ...exits.map(({ collector: { config } }) => (isMap(config.processors) ? config.processors : {})),
    );
    const ids = ["filter", "probabilistic_sampler", "transform", "cumulativetodelta"].map((type) => `${type}/${name}`);
    const idle = (["metrics", "logs", "traces"] as const)
        .filter((signal) => !exits.some((exit) => telemetryKind(exit.signal) === signal))
        .map((signal) => [signal, ids.filter((id) => isMap(definitions[id]) && worksOn(id, signal))] as const);
    return readBranch([...ways, ...idle], definitions) ?? readBranch(ways, definitions);
}

function worksOn(processor: string, signal: "metrics" | "logs" | "traces"): boolean {
    switch (typeOf(processor)) {
        case "probabilistic_sampler":
            return signal === "traces";
        case "cumulativetodelta":
            return signal === "metrics";
        case "transform":
            return signal !== "metrics";
        default:
            return true;
    }
}

/**
 * A group with the settings for its processors, if there are any that do the same, and with a preset if one sets what no other setting
 * of a destination can.
 */
function settled(group: Group): Group {
    const { name, exits, read } = group;
    const branch = branchTo(name, exits);
    const { batch, ...own } = branch ?? {};
    const isRemoteWrite = read.settings.protocol === "remotewrite";
    const keepsProcessors =
        branch === undefined ||
        !destination.safeParse(own).success ||
        (isRemoteWrite && (own.temporality !== undefined || batch !== undefined));
    const settings = keepsProcessors
        ? read.settings
        : definedOnly<unknown>({ ...read.settings, ...own, batch: read.settings.batch ?? batch });
    const byPreset = name === "otlp" ? undefined : withPreset(name, settings, signalsTo(group), read.batches);
    const { sending_queue: _, ...rest } = read.rest;
    return {
        ...group,
        keepsProcessors,
        read: byPreset ? { ...read, settings: { ...byPreset }, rest } : { ...read, settings },
    };
}

/** Settings of a destination as those of route otlp. */
function settingsOfOtlp({ endpoint, auth, tls, processing }: Record<string, unknown>): Record<string, unknown> {
    const { secret, headers } = (auth ?? {}) as { secret?: string; headers?: string[] };
    return definedOnly({ endpoint, headersSecret: secret, headers, tls, processing });
}

/** What installs the collectors, and which store that brings. */
function baseOf(
    values: HelmValues,
    catalog: Catalog,
    known: readonly NamedExit[],
    running: Running,
): { readonly route: RouteName; readonly store: string | undefined } {
    const { component } = running;
    const has = (name: string) => known.some((each) => each.name === name);
    if (component === "kof-regional") {
        return { route: "regionless", store: "management" };
    }
    if (component === "kof-child") {
        const here = valueAt(values, ["kof-child", "values", "fromManagement", "toManagementCluster", "enabled"]);
        return here === true ? { route: "management", store: "management" } : { route: "regional", store: "regional" };
    }
    if (umbrellaCollects(catalog) && (has("management") || valueAt(values, ["kof-storage", "enabled"]) === true)) {
        return { route: "management", store: "management" };
    }
    if (umbrellaCollects(catalog) && (has("regional") || pointsAtRegion(running))) {
        return { route: "regional", store: "regional" };
    }
    return { route: "none", store: undefined };
}

/** Whether the exporters of the charts have the addresses of a region, even where nothing goes there. */
function pointsAtRegion({ collectors }: Running): boolean {
    return collectors.some(({ config }) =>
        chartExporters.some((id) =>
            ["metrics", "logs", "traces"].some((kind) =>
                isOfRegion(addressAt(id, valueAt(config, ["exporters", id]), kind)),
            ),
        ),
    );
}

/** Exporters of KOF's own charts, which stay defined wherever the signals go. */
const chartExporters = ["prometheusremotewrite", "otlphttp/logs", "otlphttp/traces", "otlphttp/logs-audit"];

interface Taken {
    readonly catalog: Catalog;
    readonly running: Running;
    readonly groups: readonly Group[];
    readonly known: readonly NamedExit[];
}

/** Values without what the settings of destinations stand for. */
function strip(values: HelmValues, { catalog, running, groups, known }: Taken): HelmValues {
    const path = [...running.prefix, kubeStack];
    const stack = valueAt(values, path);
    if (!isMap(stack)) {
        return values;
    }
    const ids = groups.flatMap((group) => group.ids);
    const via = new Set(known.flatMap((exit) => exit.via));
    const processorsOf = (exits: readonly Exit[]) => exits.flatMap(({ processors }) => processors);
    const processors = new Set(processorsOf(known.filter((exit) => exit.via.length > 0 || exit.beside !== undefined)));
    const keptProcessors = new Set([
        identityProcessor,
        ...groups.flatMap(({ keepsProcessors, exits }) => (keepsProcessors ? processorsOf(exits) : [])),
        ...running.own.flatMap(({ config }) => keysAt(config, ["processors"])),
    ]);
    let left: HelmValues = stack;
    const drop = (...each: string[]) => {
        if (valueAt(left, each) !== undefined) {
            left = removeLeaf(left, each);
        }
    };
    const places = [["defaultCRConfig"], ...keysAt(stack, ["collectors"]).map((key) => ["collectors", key])];
    for (const place of places) {
        const config = [...place, "config"];
        const pipelines = [...config, "service", "pipelines"];
        const [, key] = place;
        for (const id of keysAt(stack, [...config, "exporters"]).filter(
            (each) => ids.includes(each) || via.has(each),
        )) {
            const at = [...config, "exporters", id];
            const labels = valueAt(stack, [...at, "external_labels"]);
            drop(...at);
            if (chartExporters.includes(id) && labels !== undefined) {
                left = mergeValues(left, nest([...at, "external_labels"], labels));
            }
        }
        for (const part of ["connectors", "receivers", "processors"]) {
            for (const id of keysAt(stack, [...config, part])) {
                if (part === "processors" ? processors.has(id) && !keptProcessors.has(id) : via.has(id)) {
                    drop(...config, part, id);
                }
            }
        }
        for (const pipeline of keysAt(stack, pipelines)) {
            if (via.has(pipeline) || known.some(({ beside }) => beside === pipeline)) {
                drop(...pipelines, pipeline);
            } else if (isEnd(running, key, pipeline)) {
                drop(...pipelines, pipeline, "exporters");
            }
        }
    }
    for (const {
        name,
        ids: [id],
        read,
    } of groups) {
        if (Object.keys(read.rest).length > 0) {
            const exporter = exporterOf({ name, protocol: exporterProtocols[typeOf(id)] ?? "http" });
            const options = withoutMarks(read.rest);
            left = mergeValues(left, nest(["defaultCRConfig", "config", "exporters", exporter], options));
        }
    }
    left = withoutExtensions(left, places, groups, catalog);
    left = withoutVariables(left, groups, catalog);
    return mergeValues(removeLeaf(values, path), Object.keys(left).length > 0 ? nest(path, left) : {});
}

/** Whether a pipeline of one collector, or of all, ends at exporters that settings choose. */
function isEnd({ own, exits }: Running, key: string | undefined, pipeline: string): boolean {
    const routers = own
        .filter((each) => key === undefined || each.key === key)
        .filter(({ config }) =>
            listOf(pipelinesOf(config)[pipeline] ?? {}, "exporters").some(
                (id) => isMap(config.connectors) && Object.hasOwn(config.connectors, id),
            ),
        );
    const isRouted = routers.length > 0 && key !== undefined;
    return (
        !isRouted &&
        exits.some(
            (exit) =>
                exit.origin === pipeline &&
                (key === undefined || exit.collector.key === key) &&
                typeOf(exit.exporter) !== "nop",
        )
    );
}

/** A secret that no setting takes is not in the values either. */
function withoutMarks(value: HelmValues): HelmValues {
    return [...leaves(value)]
        .filter(([, each]) => typeof each === "string" && each.includes("PLAIN SECRET"))
        .reduce((all, [path]) => removeLeaf(all, path), value);
}

function withoutExtensions(
    stack: HelmValues,
    places: readonly (readonly string[])[],
    groups: readonly Group[],
    catalog: Catalog,
): HelmValues {
    const used = places.flatMap((place) => {
        const exporters = valueAt(stack, [...place, "config", "exporters"]);
        return Object.values(isMap(exporters) ? exporters : {}).map((each) => valueAt(each, ["auth", "authenticator"]));
    });
    const extensions = groups.flatMap(({ read }) => read.extensions).filter((id) => !used.includes(id));
    const isGone = (id: HelmValue) => extensions.includes(textOf(id));
    let left = stack;
    for (const place of places) {
        const at = [...place, "config", "extensions"];
        left = keysAt(left, at)
            .filter(isGone)
            .reduce((all, id) => removeLeaf(all, [...at, id]), left);
        const path = [...place, "config", "service", "extensions"];
        const shared = ["defaultCRConfig", "config", "service", "extensions"];
        left = withoutItems(left, path, isGone, ofChart(catalog, path) ?? ofChart(catalog, shared));
    }
    return left;
}

function withoutVariables(stack: HelmValues, groups: readonly Group[], catalog: Catalog): HelmValues {
    const lists = [...leaves(stack)]
        .map(([path]) => path)
        .filter((path) => ["env", "extraEnvs"].includes(path.at(-1) ?? ""));
    const others = JSON.stringify(lists.reduce(removeLeaf, stack));
    const variables = groups
        .flatMap(({ read }) => read.variables)
        .filter((name) => !others.includes(`\${env:${name}}`));
    const isGone = (each: HelmValue) => variables.includes(textOf(valueAt(each, ["name"])));
    return lists.reduce((left, path) => withoutItems(left, path, isGone, ofChart(catalog, path)), stack);
}

function withoutItems(
    values: HelmValues,
    path: readonly string[],
    isGone: (item: HelmValue) => boolean,
    ofCharts: HelmValue | undefined,
): HelmValues {
    const list = valueAt(values, path);
    return Array.isArray(list) && list.some(isGone)
        ? withList(
              values,
              path,
              list.filter((item) => !isGone(item)),
              ofCharts,
          )
        : values;
}

/** Values with a list, or without it, if nothing is in it, or the charts have the same. */
function withList(
    values: HelmValues,
    path: readonly string[],
    list: HelmValue[],
    ofCharts: HelmValue | undefined,
): HelmValues {
    return list.length === 0 || same(path, list, ofCharts)
        ? removeLeaf(values, path)
        : mergeValues(values, nest(path, list));
}

/**
 * Values whose lists of variables and of extensions have those of a stack as well. Of a list that has nothing else nothing is left.
 *
 * @param own the values of the stack.
 */
export function withLists(
    values: HelmValues,
    own: HelmValues,
    { prefix }: TakenDestinations,
    catalog: Catalog,
): HelmValues {
    const name = (each: HelmValue) => textOf(valueAt(each, ["name"]));
    const stack = [...prefix, kubeStack];
    const shared = valueAt(own, [...stack, "extraEnvs"]);
    return [...leaves(valueAt(values, stack) ?? {})].reduce((left, [below, given]) => {
        const path = [...stack, ...below];
        const wanted = valueAt(own, path);
        const key = path.at(-1) ?? "";
        // The settings give every collector the variables of destinations.
        if (key === "env" && wanted === undefined && Array.isArray(given) && Array.isArray(shared)) {
            const rest = given.filter((each) => !contains(shared, each));
            return withList(left, path, rest, ofChart(catalog, below));
        }
        if (!Array.isArray(given) || !Array.isArray(wanted)) {
            return left;
        }
        const others = given.filter((each) => !contains(wanted, each));
        if (key === "extensions") {
            const ofCharts = ofChart(catalog, below);
            const isWhole = wanted.every((each) => contains(given, each) || !contains(ofCharts, each));
            return others.length === 0 && isWhole ? removeLeaf(left, path) : left;
        }
        if (!["env", "extraEnvs"].includes(key)) {
            return left;
        }
        const kept = wanted.filter((each) => !others.some((one) => name(one) === name(each)));
        return others.length === 0 ? removeLeaf(left, path) : mergeValues(left, nest(path, [...kept, ...others]));
    }, values);
}

function ofChart(catalog: Catalog, path: readonly string[]): HelmValue | undefined {
    return defaultAt(catalog, [kubeStack, ...path], "kof-collectors");
}

/** What stays in the values of the collectors because no setting says it, with what the settings put beside it. */
function keptValues(
    own: readonly Collector[],
    { prefix, exits }: Running,
    groups: readonly Group[],
    refused: ReadonlyMap<string, string>,
): HelmValues {
    let kept: HelmValues = {};
    for (const { key, config } of own) {
        const isOfCollector = ({ collector }: Exit) => collector.key === key;
        const keep = (pipeline: string, kind: string, list: string[]) => {
            const path = ["collectors", key, "config", "service", "pipelines", pipeline, kind];
            kept = mergeValues(kept, nest([...prefix, kubeStack, ...path], list));
        };
        const pipelines = pipelinesOf(config);
        for (const [pipeline, parts] of Object.entries(pipelines)) {
            const present = listOf(parts, "exporters");
            const more = exits
                .filter((exit) => isOfCollector(exit) && exit.origin === pipeline && exit.beside === undefined)
                .filter(({ exporter, entry }) => refused.has(exporter) && !present.includes(entry))
                .map(({ entry }) => entry);
            if (more.length > 0) {
                keep(pipeline, "exporters", [...present.filter((id) => typeOf(id) !== "nop"), ...new Set(more)]);
            }
        }
        for (const group of groups.filter((each) => each.keepsProcessors)) {
            for (const { origin, processors } of group.exits.filter(isOfCollector)) {
                const branch = `${pipelineKindOf(origin)}/${group.name}`;
                const parts = pipelines[branch];
                if (parts !== undefined) {
                    const added = listOf(parts, "processors").filter((id) => !processors.includes(id));
                    keep(branch, "processors", [...processors, ...added]);
                }
            }
        }
    }
    return kept;
}

/** @param sorts whether audit logs have separate pipelines afterwards. Without, they count as logs. */
function compareExits(
    before: readonly PlacedExit[],
    after: readonly PlacedExit[],
    sorts: boolean,
): { lost: string[]; more: string[] } {
    const textsOf = (exits: readonly PlacedExit[]) =>
        new Map(
            exits
                .filter(({ place }) => place !== "")
                .map(({ collector, signal, exporter, place }) => {
                    const at = place === "cloudwatch" ? `${typeOf(exporter)} of CloudWatch` : place;
                    const counted = signal === "audit" && !sorts ? "logs" : signal;
                    const text = `${nounOf(signal)} of ${shortName(collector)} to ${at}`;
                    return [[collector.key, counted, at].join(" "), text] as const;
                }),
        );
    const [was, is] = [textsOf(before), textsOf(after)];
    const only = (some: typeof was, others: typeof was) =>
        [...some].flatMap(([key, text]) => (others.has(key) ? [] : [text]));
    return { lost: only(was, is), more: only(is, was) };
}

/** What was printed and also sent, if the charts do not print it. */
function debugCorrections({ exits, own }: Running, known: readonly NamedExit[]): string[] {
    const prints = (exit: Exit) => typeOf(exit.exporter) === "debug";
    const isSamePipeline = (one: Exit, other: Exit) =>
        one.collector.key === other.collector.key && one.origin === other.origin;
    const ofCharts = own.flatMap((each) => exitsOf(each, each)).filter(prints);
    const isAdded = (exit: Exit) =>
        prints(exit) &&
        known.some((each) => isSamePipeline(each, exit)) &&
        !ofCharts.some((each) => isSamePipeline(each, exit));
    return compact(
        exits.some(isAdded) &&
            "Signals go to debug as well, which prints each batch to the collector's log, which is shipped as a log. They go to their " +
                "destinations only (docs/differences.md).",
    );
}

/** Values in which the exporters to CloudWatch have the names that settings give them. */
function withUsualNames(values: HelmValues, exits: readonly Exit[]): HelmValues {
    const names = new Map<string, string>();
    const defined = new Set(
        exits.flatMap(({ collector }) => Object.keys((collector.config.exporters ?? {}) as HelmValues)),
    );
    const order = exits.filter(({ exporter }) => /^aws(cloudwatchlogs|emf|xray)\//.test(exporter));
    for (const { exporter, signal } of [...order].sort(
        (a, b) => Number(a.signal === "audit") - Number(b.signal === "audit"),
    )) {
        const usual =
            typeOf(exporter) === "awscloudwatchlogs" && signal === "audit"
                ? "awscloudwatchlogs/audit"
                : typeOf(exporter);
        const free = [typeOf(exporter), usual].find(
            (name) => !defined.has(name) && ![...names.values()].includes(name),
        );
        if (exporter !== "awscloudwatchlogs/audit" && !names.has(exporter) && free !== undefined) {
            names.set(exporter, free);
        }
    }
    return names.size === 0 ? values : (renamed(values, names) as HelmValues);
}
