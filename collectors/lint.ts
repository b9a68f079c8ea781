import { chartValues, signals } from "../catalog";
import { formatPath, leaves, textOf, valueAt, type HelmValue, type HelmValues } from "../catalog/values";
import { routeOf, type Route } from "../routes";
import { clockProcessors, uncheckedPipelines } from "./clock";
import { collectorDocument, effectiveCollectors, kubeStack, type Collector } from "./effective";
import { addressOf, endsOf, flowsOf, isDiscarding, leadsTo } from "./flows";
import { danglingReferences } from "./references";

/** What is wrong with a stack's collectors. */
export interface Fault {
    /** The setting to look at: `kof:values`, or a path below it. */
    readonly key: string;
    /** What is wrong, as it follows the key. */
    readonly message: string;
    readonly allowed?: string;
}

/** What is wrong with a stack's collectors, and what is worth a second look. */
export interface Lint {
    readonly faults: readonly Fault[];
    readonly notices: readonly string[];
}

/**
 * Checks what the collectors of a route would run: that each refers only to what it has, that its exporters lead to what
 * the route has, that each signal arrives where the route says, and that lists in `kof:values`, which replace those of the
 * charts, leave out nothing that is missed.
 */
export function lintCollectors(route: Route): Lint {
    const collectors = effectiveCollectors(route);
    const breaks = (collector: Collector, problems: readonly string[]) =>
        problems.map((problem) => ({
            key: "kof:values",
            message: `breaks the collector ${collector.name}: ${problem}`,
        }));
    const dropped = droppedEntries(route, collectors);
    return {
        faults: [
            ...collectors.flatMap((each) => breaks(each, [...danglingReferences(each), ...lostFlows(route, each)])),
            ...unservedSignals(route, collectors),
            ...dropped.filter(({ entry }) => entry === identity).map(droppedFault),
            ...(route.settings.route === "cloudwatch" ? collectors.flatMap((each) => clockFaults(route, each)) : []),
        ],
        notices: [
            ...dropped.filter(({ entry }) => ![identity, ...clockEntries].includes(entry)).map(droppedNotice),
            ...collectors.flatMap((each) => flowsElsewhere(route, each)),
        ],
    };
}

/** The processor that puts the cluster's names on what passes: without it nobody can tell whose it is. */
const identity = "resource/k8sclustername";

const clockEntries: readonly string[] = Object.values(clockProcessors);

/** Pipelines in which one record with a wrong time would stop all others. */
function clockFaults(route: Route, collector: Collector): Fault[] {
    return uncheckedPipelines(collector).map(({ pipeline, processors, missing }) => ({
        key: keyOf(route, collector, ["config", "service", "pipelines", pipeline, "processors"]),
        message:
            `leaves pipeline ${pipeline} of ${collector.name} without ${missing.join(" and ")}: one record that is older than ` +
            "14 days, or ahead of time, would stop all others on their way to CloudWatch",
        allowed: `the whole list, with these at its end: ${[...processors, ...missing].join(", ")}`,
    }));
}

/** Exporters that lead to a store which this route does not have, and signals that end although the route stores them. */
function lostFlows(route: Route, collector: Collector): string[] {
    const absent = flowsOf(collector)
        .filter(({ address }) => !isAnnounced(route, address) && ownHosts(route).has(hostOf(address)))
        .map(
            ({ pipeline, exporter, address }) =>
                `pipeline ${pipeline} sends to ${String(address)} (exporter ${exporter}), which does not exist on route ${route.settings.route}`,
        );
    const ended = endsOf(collector)
        .filter(({ signal, address }) => address === undefined && route.destinations[signal].stored)
        .filter(({ pipeline }) => !endsByDefault(route, collector, pipeline))
        .map(
            ({ pipeline, signal, exporter }) =>
                `pipeline ${pipeline} ends in ${exporter}, but route ${route.settings.route} stores ${signal}`,
        );
    return [...absent, ...ended];
}

/** Whether the charts themselves let a pipeline end, as that of the logs that the target allocator's daemon gets by OTLP. */
function endsByDefault({ catalog }: Route, { key }: Collector, pipeline: string): boolean {
    const path = ["config", "service", "pipelines", pipeline, "exporters"];
    const own = valueAt(chartValues(catalog, "kof-collectors"), [kubeStack, "collectors", key, ...path]);
    return Array.isArray(own) && own.every((exporter) => isDiscarding(textOf(exporter)));
}

/** Signals that the route stores, but that no collector sends there. */
function unservedSignals(route: Route, collectors: readonly Collector[]): Fault[] {
    const reached = collectors.flatMap((each) => flowsOf(each).map(({ address }) => address));
    return signals.flatMap((signal) => {
        const where = route.destinations[signal];
        return where.stored && !reached.some((address) => leadsTo(address, where))
            ? [
                  {
                      key: "kof:values",
                      message: `leaves no collector that sends ${signal} to ${where.address}, where route ${route.settings.route} stores them`,
                  },
              ]
            : [];
    });
}

function flowsElsewhere(route: Route, collector: Collector): string[] {
    return flowsOf(collector)
        .filter(
            ({ address }) =>
                address !== undefined && !isAnnounced(route, address) && !ownHosts(route).has(hostOf(address)),
        )
        .map(({ pipeline, address }) => `${collector.name}: pipeline ${pipeline} also sends to ${String(address)}.`);
}

/** Whether an address is one where the route says that it stores something. */
function isAnnounced({ destinations }: Route, address: string | undefined): boolean {
    return signals.some((signal) => leadsTo(address, destinations[signal]));
}

/** The services of KOF's own stores on the management cluster, which the charts' exporters lead to by default. */
function ownHosts({ catalog }: Route): Set<string> {
    const path = [kubeStack, "defaultCRConfig", "config", "exporters"];
    const exporters = Object.values(valueAt(chartValues(catalog, "kof-collectors"), path) as HelmValues);
    const addresses = exporters.flatMap((exporter) =>
        ["metrics", "logs", "traces"].map((kind) => addressOf(exporter, kind)),
    );
    return new Set(addresses.map(hostOf).filter((host) => host !== ""));
}

function hostOf(address = ""): string {
    return /^https?:\/\/([^/:.]+)/.exec(address)?.[1] ?? "";
}

interface Dropped {
    readonly collector: Collector;
    readonly path: readonly string[];
    readonly entry: string;
    /** The list as the charts and the route have it. */
    readonly list: readonly string[];
    readonly key: string;
}

/** What lists in `kof:values` leave out of the lists that they replace. */
function droppedEntries(route: Route, collectors: readonly Collector[]): Dropped[] {
    if (Object.keys(route.settings.values).length === 0) {
        return [];
    }
    const without = effectiveCollectors(routeOf({ ...route.settings, values: {} }));
    return collectors.flatMap((collector) => {
        const before = without.find(({ key }) => key === collector.key);
        const now = new Map(before && lists(collector).map(([path, list]) => [formatPath(path), list]));
        return (before ? lists(before) : []).flatMap(([path, list]) => {
            const kept = now.get(formatPath(path)) ?? [];
            const key = keyOf(route, collector, path);
            return list
                .filter((entry) => !kept.includes(entry))
                .map((entry) => ({ collector, path, entry, list, key }));
        });
    });
}

/** The lists of a collector of which each entry has its own purpose, by their path within its document. */
function lists(collector: Collector): [readonly string[], string[]][] {
    const parts = /^(env|volumes|volumeMounts|config\.service\.extensions|config\.service\.pipelines\..*)$/;
    return [...leaves(collectorDocument(collector))].flatMap(([path, value]): [readonly string[], string[]][] =>
        Array.isArray(value) && parts.test(path.join(".")) ? [[path, value.map(nameOf)]] : [],
    );
}

function nameOf(entry: HelmValue): string {
    const name = valueAt(entry, ["mountPath"]) ?? valueAt(entry, ["name"]) ?? entry;
    return typeof name === "string" ? name : JSON.stringify(name);
}

/** Where in `kof:values` a list of a collector is set. */
function keyOf({ settings }: Route, { key }: Collector, path: readonly string[]): string {
    const ends = (at: readonly string[]) => at.slice(-path.length).join("\0") === path.join("\0");
    const found = [...leaves(settings.values as HelmValues)].find(
        ([at]) => ends(at) && (at.includes(key) || at.includes("defaultCRConfig")),
    );
    return found ? `kof:values.${formatPath(found[0])}` : "kof:values";
}

function droppedFault({ collector, entry, list, key }: Dropped): Fault {
    return {
        key,
        message: `replaces a list of the charts and drops ${entry}: nobody could tell which cluster the data of ${collector.name} comes from`,
        allowed: `the whole list, with what you add: ${list.join(", ")}`,
    };
}

function droppedNotice({ collector, path, entry, key }: Dropped): string {
    return `${key} drops ${entry} from ${formatPath(path)} of ${collector.name}: a list replaces that of the charts.`;
}
