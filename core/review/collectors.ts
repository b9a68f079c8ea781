import { nounOf, chartValues, signals, type Signal, kubeStack } from "../charts";
import { compact } from "../lib/compact";
import { formatPath, leaves, textOf, valueAt, type HelmValues } from "../lib/values";
import { deploymentOf } from "../routes";
import type { Deployment } from "../routes/deployment";
import { clockProcessors, uncheckedPipelines } from "../collectors/clock";
import { endFinder, flowsFor, type Destination, type Loss } from "../routes/destinations";
import { collectorOperatorOff, collectorsChart } from "../charts/installed";
import { storeOff, storesOff, storeText } from "../routes/stored";
import { collectorDocument, ownValues, type Collector } from "../collectors/effective";
import { endsOf, flowsOf, isDiscarding } from "../collectors/flows";
import { identityProcessor } from "../collectors/identity";
import { danglingReferences } from "../collectors/references";
import type { Problem } from "../settings/problems";
import { droppedVariables } from "./droppedVariables";
import { changedVariables } from "./variables";

/** What is wrong with a stack's collectors, and what is worth a second look. */
interface CollectorReview {
    readonly problems: readonly Problem[];
    readonly notices: readonly string[];
}

/**
 * Checks what the collectors of a route would run:
 * - Each collector refers only to what it has, and its exporters send to existing stores.
 * - Each signal that the route stores without `kof:values` is stored.
 * - Lists in `kof:values`, which replace those of the charts, leave out nothing that something else needs.
 *
 * If values turn something off by its name, a notice says so. Any other break is refused.
 *
 * @param wrong what is wrong with the settings already. Without `kof:values` and `kof:collectors` that is all that can break collectors.
 */
export function reviewCollectors(deployment: Deployment, wrong: readonly Problem[] = []): CollectorReview {
    const isPlain = Object.keys(deployment.settings.values).length === 0;
    const plain = isPlain ? deployment : deploymentOf({ ...deployment.settings, values: {} });
    const change: Change = { deployment, plain, endOf: endFinder(deployment) };
    const dropped = isPlain ? [] : droppedEntries(change);
    const unserved = unservedSignals(change);
    const changed = changedVariables(deployment);
    const isOwn = !isPlain || deployment.settings.collectors !== undefined;
    const broken = !isOwn && wrong.length > 0 ? [] : brokenCollectors(change, changed);
    const missing = broken.flatMap(({ message }) => missingVariable.exec(message)?.[1] ?? []);
    const variables = isPlain ? [] : droppedVariables(deployment, plain, missing);
    const named = variables.flatMap(({ names }) => names);
    return {
        problems: [
            ...changed,
            ...variables.map(({ problem }) => problem),
            ...broken,
            ...unserved.problems,
            ...dropped.filter(({ entry }) => entry === identityProcessor).map(droppedProblem),
            ...(deployment.cloudwatch ? deployment.collectors.flatMap((each) => clockProblems(deployment, each)) : []),
        ],
        notices: [
            ...unserved.notices,
            // Of stores that nothing of this cluster is lost with.
            ...storesOff(deployment, "management")
                .map(({ source, path }) => [`kof:values.${formatPath(path)}`, storeText(source)] as const)
                .filter(([key]) => !unserved.notices.some((notice) => notice.startsWith(key)))
                .map(([key, store]) => `${key} turns off ${store}.`),
            ...dropped
                .filter(({ entry }) => ![identityProcessor, ...clockEntries, ...named].includes(entry))
                .map(droppedNotice),
            ...flowsElsewhere(change),
            ...replacedLists(deployment),
        ],
    };
}

/** What {@link danglingReferences} reports about a variable. */
const missingVariable = /uses the variable (\w+), which is not in env$/;

/** What `kof:values` make of a route's collectors. */
interface Change {
    readonly deployment: Deployment;
    /** The same without `kof:values`. */
    readonly plain: Deployment;
    readonly endOf: ReturnType<typeof endFinder>;
}

const clockEntries: readonly string[] = Object.values(clockProcessors);

/** Pipelines in which one record with a wrong time would stop all others. */
function clockProblems(deployment: Deployment, collector: Collector): Problem[] {
    return uncheckedPipelines(collector).map(({ pipeline, processors, missing }) => ({
        key: listKeyOf(deployment, collector, ["config", "service", "pipelines", pipeline, "processors"]),
        message:
            `leaves pipeline ${pipeline} of ${collector.name} without ${missing.join(" and ")}: one record that is older than ` +
            "14 days, or ahead of time, would stop all others on their way to CloudWatch",
        allowed: `the whole list, with these at its end: ${[...processors, ...missing].join(", ")}`,
    }));
}

/** What breaks collectors, apart from variables. The same fault in several collectors counts once. */
function brokenCollectors(change: Change, variables: readonly Problem[]): Problem[] {
    const broken = new Map<string, string[]>();
    const reported = variables.map(({ message }) => message).join("\n");
    for (const collector of change.deployment.collectors) {
        const { name } = collector;
        for (const [problem, who] of [
            ...danglingReferences(collector)
                .filter((reference) => !reported.includes(reference))
                .map((reference) => [reference, name] as const),
            ...lostFlows(collector, change),
        ]) {
            broken.set(problem, [...(broken.get(problem) ?? []), who]);
        }
    }
    return [...broken].map(([problem, names]) => ({
        key: "kof:values",
        message: `breaks the collector${names.length > 1 ? "s" : ""} ${names.join(", ")}: ${problem}`,
    }));
}

/** Exporters that send to a store which does not exist, and signals that end although the route stores them. */
function* lostFlows(
    collector: Collector,
    { deployment, endOf, plain: { destinations: intended } }: Change,
): Iterable<readonly [problem: string, who: string]> {
    for (const flow of flowsOf(collector)) {
        const end = endOf(flow);
        if ("why" in end && end.absent !== undefined && offAt(deployment, end) === undefined) {
            const why = end.moved === undefined ? "" : `: kof:values have ${end.moved}`;
            yield [
                `sends to ${String(flow.address)} (exporter ${flow.exporter}), which does not exist on route ${deployment.settings.route}${why}`,
                `${collector.name} (pipeline ${flow.pipeline})`,
            ];
        }
    }
    for (const { pipeline, exporter, address, settings } of flowsOf(collector)) {
        if (address === "" && settings !== undefined) {
            const fault = `pipeline ${pipeline} sends to exporter ${exporter}, which has no address that is text`;
            yield [fault, collector.name];
        }
    }
    for (const { pipeline, signal, exporter, address } of endsOf(collector)) {
        if (address === undefined && intended[signal].stored && !endsByDefault(deployment, collector, pipeline)) {
            const fault = `pipeline ${pipeline} ends in ${exporter}, but ${whoStores(deployment)} ${signal}`;
            yield [fault, collector.name];
        }
    }
}

/** What in the stack file has signals stored, human-readable, with its verb. */
function whoStores({ settings, routing }: Deployment): string {
    return routing.isPlain ? `route ${settings.route} stores` : "kof:signals store";
}

/** The key in `kof:values` that turns off the store that records are sent to; `undefined` where none does. */
function offAt(deployment: Deployment, { absent, on, closed }: Loss): string | undefined {
    if (closed) {
        return `kof:values.${formatPath(closed)}`;
    }
    return absent && storeOff(deployment, absent, on === "region" ? "regions" : "management");
}

/** Whether the charts themselves let a pipeline end, as that of the logs that the target allocator's daemon gets by OTLP. */
function endsByDefault({ catalog }: Deployment, { key }: Collector, pipeline: string): boolean {
    const path = ["config", "service", "pipelines", pipeline, "exporters"];
    const own = valueAt(chartValues(catalog, "kof-collectors"), [kubeStack, "collectors", key, ...path]);
    return Array.isArray(own) && own.every((exporter) => isDiscarding(textOf(exporter)));
}

/** Signals that the route stores, and that are stored nowhere with these values. */
function unservedSignals(change: Change): CollectorReview {
    const { deployment, plain } = change;
    const { collectors, destinations } = deployment;
    const lost = signals.filter((signal) => plain.destinations[signal].stored && !destinations[signal].stored);
    if (lost.length > 0 && collectors.length === 0) {
        const off = collectorOperatorOff(deployment.umbrella);
        const by = `kof:values${off ? `.${formatPath(off)}` : ""}`;
        return {
            problems: [],
            notices: [`No collector runs on this cluster by ${by}: ${lost.join(", ")} of it are not stored.`],
        };
    }
    const off = plain.collectors.filter(({ key }) => !collectors.some((each) => each.key === key));
    const [problems, notices]: [Problem[], string[]] = [[], off.flatMap(collectorOffNotice)];
    for (const signal of lost) {
        const notice = storeOffNotice(signal, change);
        // Up to KOF 1.9 audit logs are among the logs.
        const carried = flowsFor(signal, plain.collectors)[0]?.signal;
        if (notice !== undefined) {
            notices.push(notice);
        } else if (
            // A store that is there, but not at the address that collectors send to.
            !flowsFor(signal, collectors).some((flow) => "moved" in change.endOf(flow)) &&
            plain.collectors.some((each) => sends(each, carried) && !off.includes(each))
        ) {
            const where = addressesOf(plain.destinations[signal]).join(" or ");
            const message = `leaves no collector that sends ${signal} to ${where}, where ${whoStores(deployment)} them`;
            problems.push({ key: "kof:values", message });
        }
    }
    return { problems, notices };
}

function addressesOf(destination: Destination): string[] {
    return destination.stored ? destination.ends.map(({ address }) => address) : [];
}

/** What happens to a signal whose store values turn off: its collectors do not know. */
function storeOffNotice(signal: Signal, { deployment, endOf }: Change): string | undefined {
    const { collectors, destinations } = deployment;
    const [first] = flowsFor(signal, collectors).flatMap((flow) => {
        const end = endOf(flow);
        const loss = "why" in end ? end : undefined;
        const off = loss && offAt(deployment, loss);
        // A region takes the records of a store that is off all the same: its entrance is another.
        const missing = loss?.on === "region" && !loss.closed ? "no store takes them" : "nothing answers";
        return off === undefined ? [] : [{ off, address: String(flow.address), missing }];
    });
    if (!first) {
        return undefined;
    }
    const prefix = collectorsChart(deployment.umbrella)?.prefix ?? [];
    const audit = ["daemon", "config", "service", "pipelines", "logs/audit", "exporters"];
    const exporters = formatPath([...prefix, kubeStack, "collectors", ...audit]);
    return compact(
        `${first.off} leaves ${nounOf(signal)} of this cluster without a store: the collectors still send them ` +
            `to ${first.address}, where ${first.missing}, and drop them.`,
        signal === "audit" &&
            destinations.logs.stored &&
            `To have them among the logs: kof:values.${exporters}: [otlphttp/logs].`,
    ).join(" ");
}

/** What a collector sent that values turn off. */
function collectorOffNotice(collector: Collector): string[] {
    const sent = signals.filter((signal) => sends(collector, signal));
    return compact(
        sent.length > 0 &&
            `kof:values turn off ${collector.name}, which sends ${sent.join(", ")}: what it alone collects is not stored.`,
    );
}

function sends(collector: Collector, signal: Signal | undefined): boolean {
    return endsOf(collector).some((flow) => flow.signal === signal && flow.address !== undefined);
}

/** What is sent to where the route sends nothing, or not this signal. */
function flowsElsewhere({ endOf, deployment, plain }: Change): string[] {
    const { collectors, destinations } = deployment;
    const { destinations: intended } = plain;
    const wanted = signals.flatMap((signal) => addressesOf(intended[signal]));
    // An exporter for OTLP over HTTP adds the signal to an address that it has for all.
    const isWanted = (address: string, among: readonly string[]) =>
        among.some((each) =>
            /^(\/v1\/(metrics|logs|traces))?$/.test(address.startsWith(each) ? address.slice(each.length) : "else"),
        );
    const notices = collectors.flatMap((collector) =>
        flowsOf(collector).flatMap((flow) => {
            const { signal, pipeline } = flow;
            const end = endOf(flow);
            if (!("store" in end) || isWanted(end.address, wanted)) {
                return [];
            }
            const own = addressesOf(intended[signal]);
            const moved = own.length > 0 && !addressesOf(destinations[signal]).some((each) => isWanted(each, own));
            return moved
                ? [`kof:values have ${signal} sent to ${end.address}, and no longer to ${own.join(" or ")}.`]
                : [`${collector.name}: pipeline ${pipeline} also sends to ${end.address}.`];
        }),
    );
    return [...new Set(notices)];
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
function droppedEntries({ deployment, plain }: Change): Dropped[] {
    return deployment.collectors.flatMap((collector) => {
        const before = plain.collectors.find(({ key }) => key === collector.key);
        const now = new Map(before && lists(collector).map(([path, list]) => [formatPath(path), list]));
        return (before ? lists(before) : []).flatMap(([path, list]) => {
            const kept = now.get(formatPath(path)) ?? [];
            const key = listKeyOf(deployment, collector, path);
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
        Array.isArray(value) && parts.test(path.join("."))
            ? [[path, value.map((each) => textOf(valueAt(each, ["mountPath"]) ?? valueAt(each, ["name"]) ?? each))]]
            : [],
    );
}

/** Where in `kof:values` a list of a collector is set. */
function listKeyOf({ settings }: Deployment, { key }: Collector, path: readonly string[]): string {
    const ends = (at: readonly string[]) => at.slice(-path.length).join("\0") === path.join("\0");
    const found = [...leaves(settings.values as HelmValues)].find(
        ([at]) => ends(at) && (at.includes(key) || at.includes("defaultCRConfig")),
    );
    return found ? `kof:values.${formatPath(found[0])}` : "kof:values";
}

function droppedProblem({ collector, entry, list, key }: Dropped): Problem {
    return {
        key,
        message: `replaces a list of the charts and drops ${entry}: the data of ${collector.name} would no longer name its cluster`,
        allowed: `the whole list, with what you add: ${list.join(", ")}`,
    };
}

/** Lists for all collectors that none of them gets, as each has one of its own. */
function replacedLists(deployment: Deployment): string[] {
    const prefix = collectorsChart(deployment.umbrella)?.prefix ?? [];
    const shared = [...prefix, kubeStack, "defaultCRConfig"];
    const given = valueAt(deployment.settings.values, shared);
    const own = given === undefined ? [] : ownValues(deployment);
    return [...leaves(given ?? {})]
        .filter(
            ([path, value]) =>
                Array.isArray(value) && own.length > 0 && own.every((each) => Array.isArray(valueAt(each, path))),
        )
        .map(
            ([path]) =>
                `kof:values.${formatPath([...shared, ...path])} has no effect: each collector has a list of its own there, which replaces it. ` +
                "Set it below collectors, for each that needs it.",
        );
}

function droppedNotice({ collector, path, entry, key }: Dropped): string {
    return `${key} drops ${entry} from ${formatPath(path)} of ${collector.name}: a list replaces that of the charts.`;
}
