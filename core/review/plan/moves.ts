import { isDeepStrictEqual } from "node:util";

import { perSignal, telemetryKind, signals, type Signal } from "../../charts";
import { collectorsChart, installedCharts } from "../../charts/installed";
import { componentValues } from "../../charts/umbrella";
import { UserError } from "../../lib/errors";
import { secondsOf } from "../../lib/durations";
import { isMap, textOf, valueAt } from "../../lib/values";
import { deploymentOf } from "../../routes";
import { sortsAuditByDefault } from "../../routes/collectors";
import { deliveriesOf } from "../../routes/deliveries";
import type { Deployment } from "../../routes/deployment";
import { destinationText, endText, identityOf, placeKey, type Destination, type End } from "../../routes/destinations";
import { parseSettings } from "../../routes/parse";
import { namesIn, type SignalDestinations } from "../../settings/routing";
import { routeBlocks, routeNames, settingsSchema, type RouteName } from "../../settings/settings";

/*
 * Where each signal goes before and after a change, what is missed on the way, and how nothing is: by way of both places, as lines of
 * the stack file.
 */

/** What happens to one signal of the management cluster. */
export interface SignalChange {
    readonly signal: Signal;
    /** All places before, human-readable, and all after. */
    readonly from: string;
    readonly to: string;
    /** `spreads`: it goes to further places as well. `narrows`: it no longer goes to some of them. `moves`: both. */
    readonly operation: "unchanged" | "starts" | "stops" | "moves" | "spreads" | "narrows";
    /** The places that get it from now on, as before, and no longer, human-readable. */
    readonly added: readonly string[];
    readonly kept: readonly string[];
    readonly removed: readonly string[];
    /** Those for which some may wait on the nodes that does not reach them: they no longer get it, or by another exporter. */
    readonly unsent: readonly string[];
    /** What goes to another place instead, because an exporter of that name stays and writes there: human-readable pairs. */
    readonly rerouted: readonly { readonly from: string; readonly to: string }[];
    /** From when several places have the same; empty where none joins one that stays. */
    readonly overlap: string;
    /** What is stored nowhere because of the change. */
    readonly gap: string;
}

/** Lines of a stack file, by their key, each instead of the one that it has. */
export type Lines = Readonly<Record<string, unknown>>;

/** What a change does to one signal. */
export function signalChange(signal: Signal, from: Deployment, to: Deployment): SignalChange {
    const [before, after] = [from.destinations[signal], to.destinations[signal]];
    const { added, kept, removed } = placesOf(before, after);
    const { waiting, whole } = waitingOf(signal, from, to);
    const change = {
        signal,
        from: destinationText(before),
        to: destinationText(after),
        added: added.map(endText),
        kept: kept.map(endText),
        removed: removed.map(endText),
        unsent: waiting
            .filter(({ end, others, isLost }) =>
                removed.includes(end)
                    ? end.on !== "cluster" && (from.queued?.includes(signal) ?? true)
                    : isLost || others.length > 0,
            )
            .map(({ end }) => end.store),
        rerouted: waiting.flatMap(({ end, others }) => others.map((other) => reroutedText(end, other))),
        overlap: "",
    };
    if (!after.stored) {
        return before.stored
            ? { ...change, operation: "stops", gap: "everything from this deployment on" }
            : { ...change, operation: "unchanged", gap: "as before: it is not stored" };
    }
    if (!before.stored) {
        return { ...change, operation: "starts", gap: "everything until this deployment" };
    }
    const isHandedOver = changesInstaller(from, to);
    if (isHandedOver) {
        const operation = added.length + removed.length === 0 ? "unchanged" : "moves";
        return { ...change, operation, gap: `${installGap[signal]}: ${installTime(from, to).text}` };
    }
    if (added.length + removed.length === 0) {
        return { ...change, operation: "unchanged", gap: "none" };
    }
    if (kept.length === 0) {
        return { ...change, operation: "moves", gap: restartGap[signal] };
    }
    const stays = shortTexts(kept);
    const all = shortTexts(whole);
    return {
        ...change,
        operation: added.length === 0 ? "narrows" : removed.length === 0 ? "spreads" : "moves",
        overlap:
            added.length === 0
                ? ""
                : `${shortTexts([...kept, ...added])} have the same from this deployment on, once the collectors have restarted. ` +
                  `What was stored before is at ${stays} only`,
        gap:
            whole.length > 0
                ? `none: ${all} ${whole.length === 1 ? "gets" : "get"} ${nouns[signal]} throughout`
                : `none of what comes in from this deployment on, which ${stays} ${kept.length === 1 ? "gets" : "get"}. What waits on the nodes until then is missed there`,
    };
}

function reroutedText(from: End, to: End): { readonly from: string; readonly to: string } {
    return from.store === to.store ? { from: endText(from), to: endText(to) } : { from: from.store, to: to.store };
}

/**
 * What happens to records that wait on the nodes for a place. Each queue has the name of its exporter. If the exporter is removed,
 * nothing reads its queue. If it stays, it sends everything in the queue to its new address, even with another or a lower limit
 * (contrib 0.143, tried on 2026-11-27).
 *
 * @returns whether nothing reads some of the records, and the other places that some go to.
 */
function queueAfter(signal: Signal, end: End, from: Deployment, to: Deployment) {
    const queuesIn = (deployment: Deployment) =>
        deliveriesOf(deployment).flatMap((each) =>
            each.writers
                .filter(({ queue }) => queue.keeps === "disk")
                .map(({ collector, queue }) => ({
                    end: each.end,
                    signal: each.signal,
                    // A collector keeps what is for one exporter by kind of telemetry.
                    name: [collector.name, queue.exporter, telemetryKind(each.signal)].join(" "),
                })),
        );
    const after = queuesIn(to);
    const own = queuesIn(from).filter((each) => each.signal === signal && placeKey(each.end) === placeKey(end));
    const readers = own.map(({ name }) => after.filter((each) => each.name === name));
    const isSame = (each: { readonly end: End }) => identityOf(each.end) === identityOf(end);
    const others = readers.filter((each) => !each.some(isSame)).flat();
    return {
        isLost: readers.some((each) => each.length === 0),
        others: [...new Map(others.map((each) => [identityOf(each.end), each.end])).values()],
    };
}

/** What happens to what waits for each place of a signal, and the places that miss nothing of it by a change, not even that. */
function waitingOf(signal: Signal, from: Deployment, to: Deployment) {
    const before = from.destinations[signal];
    const { kept, place } = placesOf(before, to.destinations[signal]);
    const waiting = endsAt(before).map((end) => ({ end, ...queueAfter(signal, end, from, to) }));
    const missing = waiting.filter(({ isLost, others }) => isLost || others.length > 0).map(({ end }) => place(end));
    return { waiting, kept, whole: kept.filter((end) => !missing.includes(place(end))) };
}

/**
 * The places that the first of two steps takes what waits on the nodes away from, human-readable; empty where the steps miss nothing at
 * all, or there are none.
 */
export function unsentOnTheWay({
    from,
    to,
    twoSteps: [first],
}: {
    readonly from: Deployment;
    readonly to: Deployment;
    readonly twoSteps: readonly Lines[];
}): string[] {
    const meanwhile = first && deployedWith(first, to);
    const changes = meanwhile ? signals.map((signal) => waitingOf(signal, from, meanwhile)) : [];
    return [
        ...new Set(changes.flatMap(({ kept, whole }) => (whole.length === 0 ? kept.map(({ store }) => store) : []))),
    ];
}

/** A signal in a sentence. */
const nouns: Readonly<Record<Signal, string>> = {
    metrics: "the metrics",
    logs: "the logs",
    traces: "the traces",
    audit: "the audit logs",
};

/**
 * How long a collector's restart takes: it may take the charts' `terminationGracePeriodSeconds` to stop (opentelemetry-kube-stack 0.5.3
 * to 0.6.3, `values.yaml`), and nothing bounds its start.
 */
const restartTime = "on each node while a pod stops, which takes 30 seconds at most, and the next one starts";

/** What is missed while the collectors restart with another configuration. Files are read on from where reading stopped. */
const restartGap: Readonly<Record<Signal, string>> = {
    metrics: `the scrapes that fall into the collectors' restart, ${restartTime}`,
    logs:
        "none: files are read on from where the collectors stopped. Of events, and of logs that pods send over OTLP, those that fall into " +
        `the collectors' restart, ${restartTime}`,
    traces: `spans that are sent while a collector restarts, ${restartTime}`,
    audit: "none: files are read on from where the collectors stopped",
};

/** What is missed from one installer to another. Where reading stopped is on the nodes, and outlives the collectors. */
const installGap: Readonly<Record<Signal, string>> = {
    metrics: "every scrape from when one installer has uninstalled the collectors until the other has installed them",
    logs: "files that the nodes rotate away, and events, from when one installer has uninstalled the collectors until the other has installed them",
    traces: "every span from when one installer has uninstalled the collectors until the other has installed them",
    audit: "files that the nodes rotate away from when one installer has uninstalled the collectors until the other has installed them",
};

/** How long Sveltos works on one release (`getTimeoutValue` in its controllers/handlers_helm.go); KOF's charts set no other time. */
const sveltosMinutes = 5;

/**
 * How long it takes at most from when one installer starts to uninstall the collectors until the other has installed them.
 *
 * Flux has `flux.timeout` for each step of a HelmRelease (kof, templates/helmreleases.yaml, KOF 1.10.0 to 1.11.0-rc0): here for those of
 * the components that bring the collectors before and after. Sveltos goes through the releases of their MultiClusterService one after the
 * other, and waits for each (`helmOptions.wait` in kof-child and kof-regional). Both try again what fails: Flux an upgrade, and Sveltos
 * whatever it is, without an end (`RetryOnFailure`; KCM's serviceset_controller.go sets no `maxConsecutiveFailures`). Read on 2026-11-27
 * in KCM 1.10 to main, which have Sveltos 1.9 to 1.12.
 *
 * @returns `text` as it follows a colon, and `steps`, what takes how long at most.
 */
export function installTime(from: Deployment, to: Deployment): { readonly text: string; readonly steps: string } {
    const parts = [from, to].flatMap((each, i) => {
        const does = i === 0 ? "uninstall" : "install";
        const timeout = textOf(valueAt(each.umbrella, ["flux", "timeout"]));
        return [
            {
                minutes: secondsOf(timeout) / 60,
                text: `${timeout} for Flux to ${does} ${installerIn(each)?.component ?? ""}`,
            },
            ...releasesOfSveltos(each).map((name) => ({
                minutes: sveltosMinutes,
                text: `${String(sveltosMinutes)}m for Sveltos to ${does} ${name}`,
            })),
        ];
    });
    const minutes = Math.ceil(parts.reduce((sum, each) => sum + each.minutes, 0));
    return {
        text: `${String(minutes)} minutes at most, and what is between the two deployments, where nothing has to be tried again`,
        steps: parts.map(({ text }) => text).join(", "),
    };
}

/** The releases that Sveltos goes through on this cluster where it installs the collectors, these being the last. */
function releasesOfSveltos(deployment: Deployment): string[] {
    const own = installerIn(deployment);
    if (own?.by !== "sveltos") {
        return [];
    }
    const values = componentValues(deployment, own.component);
    const charts = installedCharts(deployment.umbrella).filter((each) => each.component === own.component);
    return [
        // Of what kof-regional has on regions besides, these are there without regions as well.
        ...(own.component === "kof-regional" && !deployment.settings.istio
            ? ["ingress-nginx", "envoy-gateway"].filter((name) => valueAt(values, [name, "enabled"]) === true)
            : []),
        ...charts.filter(({ by }) => by === "sveltos").map(({ chart }) => chart),
    ];
}

interface Places {
    readonly added: readonly End[];
    readonly kept: readonly End[];
    readonly removed: readonly End[];
    /** What two ends have in common that are one place, before or after. */
    readonly place: (end: End) => string;
}

function placesOf(before: Destination, after: Destination): Places {
    const [was, is] = [endsAt(before), endsAt(after)];
    // One that has another name afterwards is the same place, unless several destinations have its address.
    const isShared = (end: End) =>
        [was, is].some((ends) => ends.filter((each) => identityOf(each) === identityOf(end)).length > 1);
    const place = (end: End) => (isShared(end) ? placeKey(end) : identityOf(end));
    const among = (ends: readonly End[], end: End) => ends.some((each) => place(each) === place(end));
    return {
        added: is.filter((end) => !among(was, end)),
        kept: is.filter((end) => among(was, end)),
        removed: was.filter((end) => !among(is, end)),
        place,
    };
}

function endsAt(destination: Destination): readonly End[] {
    return destination.stored ? destination.ends : [];
}

/** Places without their addresses, if they differ without them. */
function shortTexts(ends: readonly End[]): string {
    const stores = ends.map(({ store }) => store);
    const texts = new Set(stores).size === stores.length ? stores : ends.map(endText);
    return texts.length < 3 ? texts.join(" and ") : `${texts.slice(0, -1).join(", ")} and ${texts.at(-1) ?? ""}`;
}

/** What installs the collectors of this cluster, and by which component; `undefined` where there are none. */
function installerIn({ umbrella }: Deployment) {
    const chart = collectorsChart(umbrella);
    return chart && ({ by: chart.by, component: chart.component } as const);
}

/** Whether another installer has the collectors afterwards. From one KOF version to another, that takes over what it finds. */
export function changesInstaller(from: Deployment, to: Deployment): boolean {
    const [was, is] = [installerIn(from), installerIn(to)];
    const isTakenOver = from.settings.version !== to.settings.version && from.routing.base === to.routing.base;
    return was !== undefined && is !== undefined && was.by !== is.by && !isTakenOver;
}

/** Whether two stacks send each signal to destinations of the same names, by means of the same route. */
export function isSameRouting(from: Deployment, to: Deployment): boolean {
    return isDeepStrictEqual(from.routing, to.routing);
}

/**
 * The settings with which every signal moves as requested and the collectors keep their installer: the earlier route, with every
 * destination in `kof:signals`. `undefined` where there is no such way: only KOF's own routes take signals elsewhere as well.
 */
export function linesWithInstaller(from: Deployment, to: Deployment): Lines | undefined {
    const { base } = from.routing;
    const lines = isRoute(base) ? linesFor(base, to.routing.signals, from, to) : undefined;
    const then = lines && deployedWith(lines, to);
    const isRight =
        then !== undefined &&
        !changesInstaller(from, then) &&
        signals.every((signal) => isSamePlaces(then.destinations[signal], to.destinations[signal]));
    return isRight ? lines : undefined;
}

/**
 * The same change in two deployments without a gap: first both places get what moves, and then only the new place. Each
 * as lines for the stack file of the change. Empty where no signal leaves every place that it went to, or there is no such way.
 */
export function twoSteps(from: Deployment, to: Deployment): readonly Lines[] {
    const [was, is] = [from.routing, to.routing];
    const moving = signals.filter((signal) => {
        const [before, after] = [from.destinations[signal], to.destinations[signal]];
        return before.stored && after.stored && placesOf(before, after).kept.length === 0;
    });
    if (moving.length === 0) {
        return [];
    }
    const route = changesInstaller(from, to) ? was.base : to.settings.route;
    if (!isRoute(route)) {
        return [];
    }
    const both = linesFor(route, united(from, to, moving), from, to);
    // What the first step has added is taken out again: it would have no effect any more.
    const alone = { ...originalBlocks(both, to), ...linesFor(route, is.signals, from, to) };
    const steps = [both, alone];
    const [first, second] = steps.map((lines) => deployedWith(lines, to));
    const isRight =
        first !== undefined &&
        second !== undefined &&
        [first, second].every((each) => isDeepStrictEqual(installerIn(each), installerIn(from))) &&
        moving.every((signal) => {
            const meanwhile = first.destinations[signal];
            return (
                placesOf(from.destinations[signal], meanwhile).removed.length === 0 &&
                placesOf(meanwhile, to.destinations[signal]).added.length === 0
            );
        }) &&
        signals.every((signal) => isSamePlaces(second.destinations[signal], to.destinations[signal]));
    return isRight ? steps : [];
}

/** What to write so that these signals go where they went before as well; `undefined` where they cannot. */
export function linesKeeping(from: Deployment, to: Deployment, kept: readonly Signal[]): Lines | undefined {
    const lines = linesFor(to.settings.route, united(from, to, kept), from, to);
    const then = deployedWith(lines, to);
    return then &&
        isDeepStrictEqual(installerIn(then), installerIn(from)) &&
        kept.every((signal) => placesOf(from.destinations[signal], then.destinations[signal]).removed.length === 0)
        ? lines
        : undefined;
}

/** What takes the collectors off for a while: route `none`, without what would have no effect on it. */
export function linesWithoutCollectors({ settings }: Deployment): Lines {
    const unused = ["signals", "destinations", ...routeBlocks, "buffer"] as const;
    return {
        "kof:route": "none",
        ...Object.fromEntries(unused.filter((key) => settings[key] !== undefined).map((key) => [`kof:${key}`, {}])),
    };
}

/** The destinations of a change, for some signals with those of before. */
function united(from: Deployment, to: Deployment, kept: readonly Signal[]): SignalDestinations {
    const [was, is] = [from.routing.signals, to.routing.signals];
    // Up to KOF 1.9 audit logs are among the logs.
    const isKept = (signal: Signal) =>
        kept.includes(signal === "audit" && !sortsAuditByDefault(to.catalog) ? "logs" : signal);
    return perSignal((signal) => (isKept(signal) ? [...new Set([...was[signal], ...is[signal]])] : is[signal]));
}

function isRoute(name: string): name is RouteName {
    return routeNames.some((each) => each === name);
}

function isSamePlaces(one: Destination, other: Destination): boolean {
    const { added, removed } = placesOf(one, other);
    return one.stored === other.stored && added.length + removed.length === 0;
}

/** The lines with which a stack file has this route and these destinations, with what of their settings it lacks. */
function linesFor(route: RouteName, wanted: SignalDestinations, from: Deployment, to: Deployment): Lines {
    const named = [route, ...namesIn(wanted)];
    // What stays on this cluster stays on the volumes that it has.
    const ofVolumes = named.includes("management") ? (["storageClass", "storage"] as const) : [];
    const blocks = [...routeBlocks.filter((key) => named.includes(key)), ...ofVolumes]
        .filter((key) => to.settings[key] === undefined && from.settings[key] !== undefined)
        .map((key) => [`kof:${key}`, withoutDefaults(key, from.settings[key])] as const);
    const [had = {}, has = {}] = [from.settings.destinations, to.settings.destinations];
    const missing = Object.keys(had).filter((name) => named.includes(name) && !Object.hasOwn(has, name));
    return {
        ...(route === to.settings.route ? {} : { "kof:route": route }),
        "kof:signals": wanted,
        ...Object.fromEntries(blocks),
        ...(missing.length > 0
            ? { "kof:destinations": { ...has, ...Object.fromEntries(missing.map((name) => [name, had[name]])) } }
            : {}),
    };
}

/** The blocks of these lines in a stack file without the change: empty if it has none. */
function originalBlocks(lines: Lines, { settings }: Deployment): Lines {
    const blocks = [...routeBlocks, "destinations", "storageClass", "storage"] as const;
    const added = blocks.filter((key) => `kof:${key}` in lines);
    return Object.fromEntries(added.map((key) => [`kof:${key}`, settings[key] ?? {}]));
}

/** A block of settings as somebody would write it. */
function withoutDefaults(key: keyof typeof settingsSchema, block: unknown): unknown {
    if (!isMap(block)) {
        return block;
    }
    return Object.keys(block).reduce((rest, name) => {
        const { [name]: _, ...fewer } = rest;
        const parsed = settingsSchema[key].safeParse(fewer);
        return parsed.success && isDeepStrictEqual(parsed.data, block) ? fewer : rest;
    }, block);
}

/** What a stack file resolves to with such lines; `undefined` where they are refused in it. */
function deployedWith(lines: Lines, { settings }: Deployment): Deployment | undefined {
    const given = Object.entries(lines).map(([key, value]) => [key.slice("kof:".length), value] as const);
    try {
        return deploymentOf(parseSettings({ ...settings, ...Object.fromEntries(given) }, "the stack file", true));
    } catch (error) {
        if (!(error instanceof UserError)) {
            throw error;
        }
        return undefined;
    }
}
