import { identityProcessor } from "../collectors/identity";
import { telemetryKind, nounOf, chartValues, kubeStack, signals, type Catalog, type Signal } from "../charts";
import { collectorsChart } from "../charts/installed";
import { effectiveCollectors, shortName, type Collector } from "../collectors/effective";
import { listOf, pipelinesOf, sortsAudit, typeOf } from "../collectors/flows";
import { coalesceValues, isMap, leaves, mergeValues, nest, textOf, valueAt } from "../lib/values";
import type { HelmValue, HelmValues } from "../lib/values";
import { defaultAt } from "../charts/defaults";
import { sortsAuditByDefault, umbrellaCollects } from "../routes/collectors";
import { isOwnStoreOf } from "../routes/destinations";
import { otlpExporter } from "../routes/exporters";
import { parseSettings } from "../routes/parse";
import { isNameTaken } from "../settings/destinationRules";
import { destination } from "../settings/destinations";
import type { RouteName } from "../settings/settings";
import { readBranch, type Branch } from "./branches";
import { canonical, same } from "./compare";
import { otlpExporterOf, wayToAws, writesToCloudWatch } from "./destinations";
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

interface Group {
    name: string;
    readonly ids: string[];
    readonly exits: Exit[];
    read: ReadExporter;
    /** Whether the processors on the way stay in the values. */
    keepsProcessors: boolean;
}

/** How the collectors of values run, with the secrets of the values marked. */
interface Running {
    readonly exits: readonly Exit[];
    readonly collectors: readonly Collector[];
    readonly prefix: readonly string[];
    readonly component: string;
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
    const isOwnStore = (address: string) => isOwnStoreOf(catalog, address);
    const run = (all: HelmValues) => runningOf(all, catalog, context, secrets, istio);
    const values = withUsualNames(given, run(given)?.exits ?? []);
    const running = run(values);
    if (!running) {
        return undefined;
    }
    const { prefix } = running;
    // Where the umbrella runs collectors alone, KOF's own stores are not there.
    const hasStores = umbrellaCollects(catalog) || running.component !== "kof-collectors";
    const exits = running.exits.filter((exit) => hasStores || exitPlace(exit, isOwnStore) !== "management");
    const placed = exits
        .map((exit) => ({ exit, place: exitPlace(exit, isOwnStore) }))
        .filter(({ place }) => place !== "");
    if (isOfOneRoute(values, placed, running)) {
        return undefined;
    }
    const plainOf = plainVariables(secrets);
    const groups = new Map<string, Group>();
    const refused = new Map<string, string>();
    const names = new Set<string>();
    for (const { exit, place } of placed) {
        const { exporter, collector } = exit;
        if (["management", "regional", "cloudwatch"].includes(place)) {
            if (exit.refused !== undefined || (place === "management" && exit.processors.length > 0)) {
                refused.set(exporter, exit.refused ?? `exporter ${exporter} of KOF's stores is behind processors`);
            }
            continue;
        }
        const options = valueAt(collector.config, ["exporters", exporter]);
        const known = groups.get(exporter);
        const reason =
            exit.refused ??
            (exporterProtocols[typeOf(exporter)] === undefined
                ? `exporter ${exporter} is of no kind that kof:destinations have`
                : known &&
                    canonical(valueAt(known.exits[0]?.collector.config, ["exporters", exporter])) !== canonical(options)
                  ? `exporter ${exporter} differs from collector to collector`
                  : undefined);
        if (reason !== undefined) {
            refused.set(exporter, reason);
            continue;
        }
        if (known) {
            known.exits.push(exit);
            continue;
        }
        groups.set(exporter, {
            name: "",
            ids: [exporter],
            exits: [exit],
            read: undefined as unknown as ReadExporter,
            keepsProcessors: false,
        });
    }
    refuseWhatSharesWays(refused, exits);
    for (const [id, group] of groups) {
        if (refused.has(id)) {
            groups.delete(id);
            continue;
        }
        group.name = nameFor(id, group, [...names], catalog);
        const pipelines = group.exits.map(({ origin }) => origin);
        const [first] = group.exits;
        const read =
            first &&
            readExporter(id, group.name, pipelines, {
                collector: first.collector,
                plainOf,
                signIn: signInOf(secrets, id),
                hasAwsCredentials: placed.some(({ place }) => place === "cloudwatch"),
            });
        if (!read || "refused" in read) {
            refused.set(id, read?.refused ?? "");
            groups.delete(id);
            continue;
        }
        names.add(group.name);
        group.read = read;
    }
    refuseWhatSharesWays(refused, exits);
    for (const id of groups.keys()) {
        if (refused.has(id)) {
            groups.delete(id);
        }
    }
    joinParts(groups, catalog);
    for (const group of groups.values()) {
        readWay(group);
        usePreset(group);
    }
    const nameOf = ({ exit, place }: (typeof placed)[number]) =>
        refused.has(exit.exporter)
            ? undefined
            : ["management", "regional", "cloudwatch"].includes(place)
              ? place
              : [...groups.values()].find(({ ids }) => ids.includes(exit.exporter))?.name;
    const known = placed.flatMap((each) => {
        const name = nameOf(each);
        return name === undefined ? [] : [{ exit: each.exit, name }];
    });
    if (!known.some(({ name }) => name !== "management" && name !== "regional") && refused.size > 0) {
        return undefined;
    }
    const base = baseOf(values, catalog, known, running);
    const wanted = Object.fromEntries(
        signals.map((signal) => {
            // Up to KOF 1.9 audit logs are among the logs.
            const kind = signal === "audit" && !sortsAuditByDefault(catalog) ? "logs" : signal;
            const found = new Set(known.filter(({ exit }) => exit.signal === kind).map(({ name }) => name));
            return [signal, [...found].sort((a, b) => Number(b === base.store) - Number(a === base.store))];
        }),
    ) as unknown as TakenDestinations["wanted"];
    const toCloudWatch = known.filter(({ name }) => name === "cloudwatch").map(({ exit }) => exit);
    const branch = branchTo("cloudwatch", toCloudWatch);
    const otlp = [...groups.values()].find(({ name }) => name === "otlp");
    const stripped = strip(values, { catalog, prefix, running, groups: [...groups.values()], refused, known });
    const newSecrets = [...groups.values()].flatMap(({ read }) => read.secrets);
    return {
        values: stripped,
        prefix,
        route: base.route,
        collectorsOnly: base.store === undefined,
        wanted,
        destinations: Object.fromEntries(
            [...groups.values()].filter((group) => group !== otlp).map(({ name, read }) => [name, read.settings]),
        ),
        otlp: otlp && ofOtlp(otlp.read.settings),
        buffer: otlp?.read.settings.buffer,
        cloudwatch:
            toCloudWatch.length === 0
                ? undefined
                : {
                      ...(branch?.processing ? { processing: branch.processing } : {}),
                      auditExporter: toCloudWatch.find(({ signal }) => signal === "audit")?.exporter,
                      hasLogs: toCloudWatch.some(({ signal }) => signal === "logs"),
                      stored: Object.fromEntries(
                          toCloudWatch.flatMap(({ signal, exporter }) => {
                              const way = wayToAws(exporter);
                              return way === undefined ? [] : [[signal, way]];
                          }),
                      ),
                  },
        secrets: secrets.map((secret, index) => ({ ...secret, moved: movedTo(newSecrets, index) ?? secret.moved })),
        newSecrets,
        corrections: [...debugCorrections(running, known)],
        changes: [...groups.values()].flatMap(({ read }) => read.changes),
        notes: [
            ...[...refused].map(
                ([id, why]) => `Exporter ${id} stays in kof:values, and kof:signals do not name it: ${why}.`,
            ),
            ...[...groups.values()]
                .filter((group) => group.keepsProcessors)
                .map(
                    ({ name }) =>
                        `What is done with telemetry on its way to ${name} stays in kof:values: kof:destinations.${name}.processing does ` +
                        "not say exactly that.",
                ),
        ],
        kept: (own) => keptValues(own, { prefix, running, groups: [...groups.values()], refused }),
        compare: (own) =>
            compareExits(
                exits,
                own.flatMap((each) => exitsOf(each, each)),
                isOwnStore,
                own.some(sortsAudit),
            ),
    };
}

/** The collectors that values run, and the same without what somebody wrote for them. */
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
        const umbrella = coalesceValues(chartValues(catalog, "kof"), all);
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
    const exits = collectors.flatMap((each) =>
        exitsOf(
            each,
            own.find(({ key }) => key === each.key),
        ),
    );
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

/** The number of the secret that stood in the value of a variable. */
function plainVariables(secrets: readonly PlainSecret[]): (variable: string) => number | undefined {
    return (variable) => {
        const index = secrets.findIndex(
            ({ path, moved }) => moved !== undefined && path.at(-1) === variable && path.includes("env"),
        );
        return index < 0 ? undefined : index;
    };
}

/** The number of the secret that stood in an address of an exporter. */
function signInOf(secrets: readonly PlainSecret[], id: string): number | undefined {
    const index = secrets.findIndex(
        ({ path }) => path.at(-3) === "exporters" && path.at(-2) === id && path.at(-1)?.endsWith("endpoint") === true,
    );
    return index < 0 ? undefined : index;
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
function isOfOneRoute(
    values: HelmValues,
    placed: readonly { readonly exit: Exit; readonly place: string }[],
    running: Running,
): boolean {
    const { own, component } = running;
    const places = new Set(placed.map(({ place }) => place));
    const [only] = places;
    const known = [...places].filter(
        (place) =>
            ["management", "regional", "cloudwatch"].includes(place) ||
            placed.some(
                ({ exit, place: each }) => each === place && exporterProtocols[typeOf(exit.exporter)] !== undefined,
            ),
    );
    if (known.length === 0) {
        const hasStores =
            component !== "kof-collectors" ||
            valueAt(values, ["kof-storage", "enabled"]) === true ||
            pointsAtRegion(running);
        return places.size > 0 || !hasStores || own.length === 0;
    }
    const isDirect = placed.every(({ exit }) => exit.via.length === 0 && exit.beside === undefined);
    const exporter = otlpExporterOf(values);
    if (
        exporter !== undefined &&
        isDirect &&
        isPlainOtlp(
            placed.map(({ exit }) => exit),
            exporter,
        )
    ) {
        return true;
    }
    if (places.size === 1 && only === "cloudwatch" && isDirect && writesToCloudWatch(values)) {
        return true;
    }
    const expected = own
        .flatMap((each) => exitsOf(each, each))
        .filter(({ exporter: id }) => !["nop", "debug"].includes(typeOf(id)));
    const missing = signals.filter(
        (signal) =>
            expected.some((exit) => exit.signal === signal) && !placed.some(({ exit }) => exit.signal === signal),
    );
    return known.length === 1 && (known[0] === "management" || known[0] === "regional") && missing.length === 0;
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
function nameFor(id: string, { exits }: Group, taken: readonly string[], { version }: Catalog): string {
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
    const [exit] = exits;
    const address = exit
        ? addressAt(id, valueAt(exit.collector.config, ["exporters", id]), pipelineKindOf(exit.origin))
        : "";
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
function joinParts(groups: Map<string, Group>, { version }: Catalog): void {
    const stemOf = (id: string) => /^((?:otlp|otlphttp)\/.+)-(?:metrics|logs|traces)$/.exec(id)?.[1];
    for (const stem of new Set([...groups.keys()].flatMap((id) => stemOf(id) ?? []))) {
        const parts = [...groups]
            .filter(([id]) => id === stem || stemOf(id) === stem)
            .sort(([id]) => (id === stem ? -1 : 0));
        const name = stem.split("/")[1] ?? "";
        const others = [...groups].flatMap(([, group]) =>
            parts.some(([, part]) => part === group) ? [] : [group.name],
        );
        const joined =
            parts.length > 1 && !isNameTaken(name, others, version) ? joinedGroup(stem, name, parts) : undefined;
        if (joined) {
            parts.forEach(([id]) => groups.delete(id));
            groups.set(stem, joined);
        }
    }
}

/** One group of several; `undefined` where they are no one destination. */
function joinedGroup(stem: string, name: string, parts: readonly (readonly [string, Group])[]): Group | undefined {
    const others = ({ settings }: ReadExporter) => {
        const { endpoint: _endpoint, signals: _signals, batch: _batch, ...rest } = settings;
        return canonical(JSON.parse(JSON.stringify(rest).replaceAll(/-(metrics|logs|traces)(?=")/g, "")) as HelmValue);
    };
    const [[, first] = []] = parts;
    const isPart = ([id, { exits }]: (typeof parts)[number]) =>
        id === stem || exits.every(({ origin }) => id === `${stem}-${pipelineKindOf(origin)}`);
    if (!first || !parts.every(isPart) || parts.some(([, { read }]) => others(read) !== others(first.read))) {
        return undefined;
    }
    const exits = parts.flatMap(([, group]) => group.exits);
    const { batch, ...settings } = first.read.settings;
    const own = parts.flatMap(([id, { read }]) => {
        const { endpoint, protocol, signals: each } = read.settings;
        const kind = id.slice(stem.length + 1);
        const address = protocol === undefined ? `${String(endpoint)}/v1/${kind}` : endpoint;
        return [...(endpoint === settings.endpoint ? [] : [{ [kind]: { endpoint: address } }]), each];
    });
    const signalsOwn = Object.assign({}, ...own) as object;
    if (Object.keys(signalsOwn).length > 0) {
        settings.signals = signalsOwn;
    }
    const batches = Object.assign({}, ...parts.map(([, { read }]) => read.batches)) as Batches;
    const group: Group = {
        ...first,
        name,
        ids: parts.map(([id]) => id),
        exits,
        read: { ...first.read, settings, batches },
    };
    const sizes = parts.map(([, { read }]) => canonical(Object.values(read.batches)[0] as HelmValue | undefined));
    if (new Set(sizes).size === 1) {
        Object.assign(settings, batch === undefined ? {} : { batch });
        return group;
    }
    // Only a preset has a size for each signal.
    const { processing, temporality } = branchTo(name, exits) ?? {};
    const all = { ...settings, ...(processing && { processing }), ...(temporality && { temporality }) };
    return withPreset(name, all, signalsTo(group), batches) ? group : undefined;
}

function signalsTo({ exits }: Group): Signal[] {
    return [...new Set(exits.map(({ signal }) => signal))];
}

function waysOf(exits: readonly Exit[]): (readonly [Signal, readonly string[]])[] {
    return exits.map(({ signal, processors }) => [signal, processors] as const);
}

function definitionsOf(exits: readonly Exit[]): HelmValues {
    return mergeValues(
        ...exits.map(({ collector }) => (isMap(collector.config.processors) ? collector.config.processors : {})),
    );
}

/** What the processors on the way to a destination do, and those that are there for signals that it does not get. */
function branchTo(name: string, exits: readonly Exit[]): Branch | undefined {
    const [ways, definitions] = [waysOf(exits), definitionsOf(exits)];
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

/** Puts what the processors on the way do into the settings, or leaves them where they are. */
function readWay(group: Group): void {
    const branch = branchTo(group.name, group.exits);
    const { settings } = group.read;
    const isRemoteWrite = settings.protocol === "remotewrite";
    const { batch, ...own } = branch ?? {};
    const fits =
        branch !== undefined &&
        destination.safeParse(own).success &&
        !(isRemoteWrite && (own.temporality !== undefined || batch !== undefined));
    group.keepsProcessors = !fits;
    if (fits) {
        Object.assign(settings, own, batch === undefined || settings.batch !== undefined ? {} : { batch });
    }
}

/** Settings by a preset, which fixes what of the rest of an exporter no other setting says. */
function usePreset(group: Group): void {
    const { name, read } = group;
    const settings = name === "otlp" ? undefined : withPreset(name, read.settings, signalsTo(group), read.batches);
    if (settings) {
        const { sending_queue: _, ...rest } = read.rest;
        group.read = { ...read, settings, rest };
    }
}

function ofOtlp({ endpoint, auth, tls, processing }: Record<string, unknown>): Record<string, unknown> {
    const { secret, headers } = (auth ?? {}) as { secret?: string; headers?: string[] };
    return {
        endpoint,
        ...(secret === undefined ? {} : { headersSecret: secret, headers }),
        ...(tls === undefined ? {} : { tls }),
        ...(processing === undefined ? {} : { processing }),
    };
}

/** What installs the collectors, and which store that brings. */
function baseOf(
    values: HelmValues,
    catalog: Catalog,
    known: readonly { readonly exit: Exit; readonly name: string }[],
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

interface Strip {
    readonly catalog: Catalog;
    readonly prefix: readonly string[];
    readonly running: Running;
    readonly groups: readonly Group[];
    readonly refused: ReadonlyMap<string, string>;
    readonly known: readonly { readonly exit: Exit; readonly name: string }[];
}

/** Exporters of KOF's own charts, which stay defined wherever the signals go. */
const chartExporters = ["prometheusremotewrite", "otlphttp/logs", "otlphttp/traces", "otlphttp/logs-audit"];

/** Values without what the settings of destinations stand for. */
function strip(values: HelmValues, { catalog, prefix, running, groups, refused, known }: Strip): HelmValues {
    const path = [...prefix, kubeStack];
    const stack = valueAt(values, path);
    if (!isMap(stack)) {
        return values;
    }
    const ids = groups.flatMap((group) => group.ids);
    const gone = known.filter(({ exit }) => !refused.has(exit.exporter)).map(({ exit }) => exit);
    const via = new Set(gone.flatMap((exit) => exit.via));
    const keptProcessors = new Set(
        groups
            .filter((group) => group.keepsProcessors)
            .flatMap(({ exits }) => exits.flatMap((exit) => exit.processors)),
    );
    const processors = new Set(
        gone
            .filter((exit) => exit.via.length > 0 || exit.beside !== undefined)
            .flatMap((exit) => exit.processors)
            .filter((id) => !keptProcessors.has(id) && id !== identityProcessor),
    );
    const charts = new Set(
        running.own.flatMap(({ config }) => Object.keys(isMap(config.processors) ? config.processors : {})),
    );
    let left: HelmValues = stack;
    const drop = (...each: string[]) => {
        if (valueAt(left, each) !== undefined) {
            left = removeLeaf(left, each);
        }
    };
    const collectors = isMap(stack.collectors) ? Object.keys(stack.collectors) : [];
    const places: readonly (readonly [readonly string[], string | undefined])[] = [
        [["defaultCRConfig"], undefined],
        ...collectors.map((key) => [["collectors", key], key] as const),
    ];
    for (const [place, key] of places) {
        const config = valueAt(stack, [...place, "config"]);
        const at = (...below: string[]) => [...place, "config", ...below];
        const inside = (...below: string[]) => Object.keys((valueAt(config, below) ?? {}) as HelmValues);
        for (const id of inside("exporters")) {
            const isQueue = via.has(id);
            if (ids.includes(id) || isQueue) {
                const labels = valueAt(config, ["exporters", id, "external_labels"]);
                drop(...at("exporters", id));
                if (chartExporters.includes(id) && labels !== undefined) {
                    left = mergeValues(left, nest(at("exporters", id, "external_labels"), labels));
                }
            }
        }
        for (const part of ["connectors", "receivers"]) {
            inside(part)
                .filter((id) => via.has(id))
                .forEach((id) => {
                    drop(...at(part, id));
                });
        }
        inside("processors")
            .filter((id) => processors.has(id) && !charts.has(id))
            .forEach((id) => {
                drop(...at("processors", id));
            });
        for (const pipeline of inside("service", "pipelines")) {
            const beside = gone.some((exit) => exit.beside === pipeline);
            if (via.has(pipeline) || beside) {
                drop(...at("service", "pipelines", pipeline));
            } else if (isEnd(running, key, pipeline)) {
                drop(...at("service", "pipelines", pipeline, "exporters"));
            }
        }
    }
    for (const group of groups) {
        const { rest } = group.read;
        const [id = ""] = group.ids;
        if (Object.keys(rest).length > 0) {
            const type = { http: "otlphttp", grpc: "otlp", remotewrite: "prometheusremotewrite" }[
                exporterProtocols[typeOf(id)] ?? "http"
            ];
            const name = group.name === "otlp" ? otlpExporter : `${type}/${group.name}`;
            left = mergeValues(left, nest(["defaultCRConfig", "config", "exporters", name], withoutMarks(rest)));
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
                !["nop"].includes(typeOf(exit.exporter)),
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
    places: readonly (readonly [readonly string[], string | undefined])[],
    groups: readonly Group[],
    catalog: Catalog,
): HelmValues {
    let left = stack;
    const used = new Set(
        places.flatMap(([place]) =>
            Object.values((valueAt(left, [...place, "config", "exporters"]) ?? {}) as HelmValues).map((each) =>
                textOf(valueAt(each, ["auth", "authenticator"]) ?? ""),
            ),
        ),
    );
    const extensions = groups.flatMap(({ read }) => read.extensions).filter((id) => !used.has(id));
    for (const [place] of places) {
        for (const id of extensions) {
            if (valueAt(left, [...place, "config", "extensions", id]) !== undefined) {
                left = removeLeaf(left, [...place, "config", "extensions", id]);
            }
        }
        const path = [...place, "config", "service", "extensions"];
        const list = valueAt(left, path);
        if (Array.isArray(list) && list.some((id) => extensions.includes(textOf(id)))) {
            const rest = list.filter((id) => !extensions.includes(textOf(id)));
            const shared = ["defaultCRConfig", "config", "service", "extensions"];
            const own = ofChart(catalog, path) ?? ofChart(catalog, shared);
            left =
                same(path, rest, own) || rest.length === 0
                    ? removeLeaf(left, path)
                    : mergeValues(left, nest(path, rest));
        }
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
    return lists.reduce((left, path) => {
        const list = valueAt(left, path);
        if (!Array.isArray(list) || !list.some((each) => variables.includes(textOf(valueAt(each, ["name"]))))) {
            return left;
        }
        const rest = list.filter((each) => !variables.includes(textOf(valueAt(each, ["name"]))));
        return rest.length === 0 || same(path, rest, ofChart(catalog, path))
            ? removeLeaf(left, path)
            : mergeValues(left, nest(path, rest));
    }, stack);
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
    const among = (list: readonly HelmValue[], item: HelmValue) =>
        list.some((each) => canonical(each) === canonical(item));
    const stack = [...prefix, kubeStack];
    return [...leaves(valueAt(values, stack) ?? {})].reduce((left, [below, given]) => {
        const path = [...stack, ...below];
        const wanted = valueAt(own, path);
        const key = path.at(-1) ?? "";
        // The settings give every collector the variables of destinations.
        const shared = valueAt(own, [...stack, "extraEnvs"]);
        if (key === "env" && wanted === undefined && Array.isArray(given) && Array.isArray(shared)) {
            const rest = given.filter((each) => !among(shared, each));
            return rest.length === 0 || same(path, rest, ofChart(catalog, below))
                ? removeLeaf(left, path)
                : mergeValues(left, nest(path, rest));
        }
        if (!Array.isArray(given) || !Array.isArray(wanted)) {
            return left;
        }
        const others = given.filter((each) => !among(wanted, each));
        if (key === "extensions") {
            const ofCharts = ofChart(catalog, below);
            const isWhole = wanted.every(
                (each) => among(given, each) || !among(Array.isArray(ofCharts) ? ofCharts : [], each),
            );
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
    { prefix, running, groups, refused }: Pick<Strip, "prefix" | "running" | "groups" | "refused">,
): HelmValues {
    const parts: HelmValues[] = [];
    const set = (key: string, pipeline: string, kind: string, list: readonly string[]) =>
        parts.push(
            nest(
                [...prefix, kubeStack, "collectors", key, "config", "service", "pipelines", pipeline, kind],
                [...list],
            ),
        );
    for (const collector of own) {
        const pipelines = pipelinesOf(collector.config);
        for (const [pipeline, parts] of Object.entries(pipelines)) {
            const entries = running.exits
                .filter(
                    (exit) =>
                        exit.collector.key === collector.key &&
                        exit.origin === pipeline &&
                        exit.beside === undefined &&
                        refused.has(exit.exporter),
                )
                .map(({ entry }) => entry);
            const present = listOf(parts, "exporters");
            const more = [...new Set(entries)].filter((id) => !present.includes(id));
            if (more.length > 0) {
                set(collector.key, pipeline, "exporters", [...present.filter((id) => typeOf(id) !== "nop"), ...more]);
            }
        }
        for (const group of groups.filter((each) => each.keepsProcessors)) {
            for (const { origin, processors } of group.exits.filter((exit) => exit.collector.key === collector.key)) {
                const branch = `${pipelineKindOf(origin)}/${group.name}`;
                const added = listOf(pipelines[branch] ?? {}, "processors").filter((id) => !processors.includes(id));
                if (pipelines[branch] !== undefined) {
                    set(collector.key, branch, "processors", [...processors, ...added]);
                }
            }
        }
    }
    return mergeValues(...parts);
}

function compareExits(
    before: readonly Exit[],
    after: readonly Exit[],
    isOwnStore: (address: string) => boolean,
    tellsAudit: boolean,
): { lost: string[]; more: string[] } {
    const placesOf = (exits: readonly Exit[]) => {
        const all = new Map<string, { exit: Exit; place: string }>();
        for (const exit of exits) {
            const place = exitPlace(exit, isOwnStore);
            if (place !== "") {
                const at = place === "cloudwatch" ? `${typeOf(exit.exporter)} of CloudWatch` : place;
                // Without separate pipelines, audit logs count as logs.
                const signal = exit.signal === "audit" && !tellsAudit ? "logs" : exit.signal;
                all.set([exit.collector.key, signal, at].join(" "), { exit, place: at });
            }
        }
        return all;
    };
    const [was, is] = [placesOf(before), placesOf(after)];
    const text = ({ exit, place }: { exit: Exit; place: string }) =>
        `${nounOf(exit.signal)} of ${shortName(exit.collector)} to ${place}`;
    const only = (some: typeof was, others: typeof was) =>
        [...some].filter(([key]) => !others.has(key)).map(([, each]) => text(each));
    return { lost: only(was, is), more: only(is, was) };
}

/** What was printed and also sent, if the charts do not print it. */
function debugCorrections({ exits, own }: Running, known: readonly { readonly exit: Exit }[]): string[] {
    const prints = (exit: Exit) => typeOf(exit.exporter) === "debug";
    const ofCharts = own.flatMap((each) => exitsOf(each, each)).filter(prints);
    const added = exits.filter(
        (exit) =>
            prints(exit) &&
            known.some(({ exit: each }) => each.collector === exit.collector && each.origin === exit.origin) &&
            !ofCharts.some((each) => each.collector.key === exit.collector.key && each.origin === exit.origin),
    );
    return added.length > 0
        ? [
              "Signals go to debug as well, which prints each batch to the collector's log, which is shipped as a log. They go to their " +
                  "destinations only (docs/differences.md).",
          ]
        : [];
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

function renamed(value: HelmValue, names: ReadonlyMap<string, string>, key = ""): HelmValue {
    if (isMap(value)) {
        return Object.fromEntries(
            Object.entries(value).map(([name, each]) => [
                key === "exporters" ? (names.get(name) ?? name) : name,
                renamed(each, names, name),
            ]),
        );
    }
    return Array.isArray(value) && key === "exporters" ? value.map((each) => names.get(textOf(each)) ?? each) : value;
}
