import { catalogOf, perSignal, signals, type Signal } from "../charts";
import type { Values } from "./explain";
import type { RouteName } from "./settings";

/** KOF's own stores: those of this cluster, and those of a region. */
type StoreName = "management" | "regional";

/** Per signal the destinations that it goes to, by name, each once. */
export type SignalDestinations = Readonly<Record<Signal, readonly string[]>>;

/** Which signal goes where, and what runs the collectors. */
export interface Routing {
    readonly signals: SignalDestinations;
    /**
     * The route whose means install the collectors and KOF's stores; `collectors` where the umbrella runs collectors, and nothing
     * that stores. A route of KOF's stays in charge when its signals go elsewhere, so that they move without another installer.
     */
    readonly base: RouteName | "collectors";
    /** The destination that {@link base} brings. */
    readonly baseStore: StoreName | undefined;
    /** Whether the route alone does all of this. */
    readonly isPlain: boolean;
    /** Whether telemetry leaves the cluster, so that the collectors keep what they cannot deliver. */
    readonly leavesCluster: boolean;
}

type Given = Pick<Values, "route" | "version" | "signals" | "cloudwatch" | "otlp" | "destinations">;

/** Where signals go that `kof:signals` does not name. */
const defaultDestination: Readonly<Record<RouteName, string | undefined>> = {
    none: undefined,
    management: "management",
    regional: "regional",
    regionless: "management",
    cloudwatch: "cloudwatch",
    otlp: "otlp",
};

/** Which signal goes where, by the settings of a stack. */
export function routingOf(settings: Given): Routing {
    const { route = "none", version, signals: given = {}, cloudwatch, otlp } = settings;
    const asked = version === undefined || tellsAudit(version) ? given : { ...given, audit: given.logs };
    const byDefault = destinationsByDefault(settings);
    const wanted = perSignal((signal) => [...new Set(asked[signal] ?? byDefault[signal])]);
    const isSame = signals.every((signal) => byDefault[signal].join() === wanted[signal].join());
    const isPlain = isSame && !(route === "cloudwatch" ? cloudwatch : route === "otlp" ? otlp : undefined)?.processing;
    const base = baseOf(route, wanted);
    const baseStore =
        base === "regionless" ? "management" : base === "management" || base === "regional" ? base : undefined;
    const leavesCluster = namesIn(wanted).some((name) => name !== "management");
    return { signals: wanted, base: isPlain ? route : base, baseStore, isPlain, leavesCluster };
}

/** Whether a version has audit logs as a separate signal. Such versions have a store for them. */
export function tellsAudit(version: string): boolean {
    return catalogOf(version).volumes.some(({ signal }) => signal === "audit");
}

/** The destinations of a route without `kof:signals`. */
function destinationsByDefault({ route = "none", cloudwatch }: Given): SignalDestinations {
    const name = defaultDestination[route];
    const isStored = (signal: Signal) =>
        route !== "cloudwatch" ||
        (signal !== "metrics" && signal !== "traces") ||
        cloudwatch?.signals[signal] !== "none";
    return perSignal((signal) => (name !== undefined && isStored(signal) ? [name] : []));
}

function baseOf(route: RouteName, wanted: SignalDestinations): Routing["base"] {
    const names = namesIn(wanted);
    if (route === "regionless") {
        return route;
    }
    // Stores of this cluster come with route management alone; to a region any collector can write.
    if (route === "management" || names.includes("management")) {
        return "management";
    }
    if (route === "regional" || names.includes("regional")) {
        return "regional";
    }
    return names.length > 0 ? "collectors" : "none";
}

/** Every destination that is named, in the order of the signals. */
export function namesIn(wanted: SignalDestinations): string[] {
    return [...new Set(signals.flatMap((signal) => wanted[signal]))];
}

/** The destinations that a route or a signal names: those whose settings have an effect. */
export function namedDestinations(settings: Given): string[] {
    const { route = "none" } = settings;
    const own = defaultDestination[route];
    return [...new Set([...(own === undefined ? [] : [own]), ...namesIn(routingOf(settings).signals)])];
}
