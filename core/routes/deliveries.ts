import { nounOf, signals, type Signal } from "../charts";
import type { Collector } from "../collectors/effective";
import { authenticationOf, protocolOf, queueOf, type Queue } from "../collectors/exports";
import type { Flow } from "../collectors/flows";
import { oncePer } from "../lib/lazy";
import { gib, gibText } from "../lib/quantities";
import type { Processing } from "../settings/destinations";
import { resolvedDestination } from "../settings/resolvedDestinations";
import { namesIn } from "../settings/routing";
import type { Settings } from "../settings/settings";
import type { Deployment } from "./deployment";
import { endingsFinder, type End } from "./destinations";
import { choices } from "./processing";

/** One signal on its way to one of the places where it is stored. */
export interface Delivery {
    readonly signal: Signal;
    readonly end: End;
    /** The exporters that write it, and whose they are. */
    readonly writers: readonly Writer[];
}

/** An exporter of a collector, with what it gets. */
interface Writer {
    readonly collector: Collector;
    readonly flow: Flow;
    readonly queue: Queue;
}

/** Every pair of a signal and a place where it is stored, in the order of `deployment.destinations`. */
export const deliveriesOf = oncePer((deployment: Deployment): readonly Delivery[] =>
    deliveriesBy(deployment.collectors, deployment),
);

/** Those of {@link deliveriesOf} that some of the collectors write. */
export function deliveriesBy(collectors: readonly Collector[], deployment: Deployment): Delivery[] {
    const endingsOf = endingsFinder(deployment, collectors);
    return signals.flatMap((signal) =>
        endingsOf(signal).places.map(({ end, flows }) => ({
            signal,
            end,
            writers: flows.map((each) => ({ ...each, queue: queueOf(each.collector, each.flow.exporter) })),
        })),
    );
}

/** The name of a delivery's destination in `kof:signals`; that of its store, where it has none. */
export function destinationOf({ end }: Delivery): string {
    return end.destination ?? end.store;
}

/** What a delivery's exporters speak. */
export function protocolText({ writers }: Delivery): string {
    return distinct(writers.map(({ flow }) => protocolOf(flow.exporter)));
}

/** How they authenticate. */
export function authenticationText({ writers }: Delivery): string {
    return distinct(writers.map(({ collector, flow }) => authenticationOf(collector, flow.exporter)));
}

/** What each of them keeps while the destination is away. */
export function queuesText({ writers }: Delivery): string {
    return distinct(writers.map(({ queue }) => queueText(queue)));
}

/** What one exporter keeps while its destination is away, human-readable. */
export function queueText({ keeps, bytes, duration }: Queue): string {
    const size = bytes === undefined ? "" : `${gibText(bytes / gib)} `;
    const time = duration === undefined || keeps === "nothing" ? "" : ` for ${duration}`;
    return { disk: `${size}on the node's disk${time}`, memory: `${size}in memory${time}`, nothing: "nothing" }[keeps];
}

function distinct(texts: readonly string[]): string {
    return [...new Set(texts)].join(" or ");
}

/** What settings say of what a destination gets. */
export function processingAt(settings: Settings, destination: string): Processing | undefined {
    return destination === "cloudwatch"
        ? settings.cloudwatch?.processing
        : resolvedDestination(settings, destination)?.processing;
}

/** What is left out by choice, a sentence each: signals that go nowhere, and what a destination does not get. */
export function leftOutByChoice({ settings, routing }: Deployment): string[] {
    const { signals: wanted, isPlain } = routing;
    if (isPlain) {
        return [];
    }
    return [
        ...signals
            .filter((signal) => wanted[signal].length === 0)
            .map((signal) => `${nounOf(signal)}: not stored, by choice`),
        ...namesIn(wanted).flatMap((name) =>
            choices(processingAt(settings, name)).map((choice) => `${name}: ${choice}`),
        ),
    ];
}
