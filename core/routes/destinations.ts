import { perSignal, signals, type Catalog, type Signal } from "../charts";
import { stackDefaults } from "../charts/stack";
import { textOf, valueAt, type HelmValue } from "../lib/values";
import { streamPattern } from "../settings/streams";
import type { Collector } from "../collectors/effective";
import { endsOf, sortsAudit, typeOf, type Flow } from "../collectors/flows";
import { vmauthOf, writePaths } from "../collectors/fragments";
import { kofNamespace } from "../charts/namespace";
import type { Deployment } from "./deployment";
import type { Resolved } from "./parts";
import { readPrefixes, selectService, spansLogGroup, type Reader } from "./readers";
import { regionEntranceOff, type Volume } from "./volumes";

/** A place where records of a signal are stored. */
export interface End {
    /** What is there, human-readable: `VictoriaLogs on this cluster`. */
    readonly store: string;
    /** The exporter's address, with `*` for what differs from pod to pod. */
    readonly address: string;
    readonly on: "cluster" | "region" | "aws" | "elsewhere";
    /** The address in one form, where an exporter takes several. */
    readonly same?: string;
    /** Its name in `kof:signals`, where it has one. */
    readonly destination?: string;
    /** The signal whose store it is, on this cluster or on a region: audit logs may be sent to that of the logs. */
    readonly holds?: Signal;
    /** How to find a record there again; `undefined` where this program cannot ask. */
    readonly reader?: Reader;
}

/** An end at which records are lost. */
export interface Loss {
    /** Human-readable: `discarded`. */
    readonly why: string;
    /** The signal of KOF's own store that the records are sent to, but that is not there. */
    readonly absent?: Signal;
    /** What takes the store's address away, as text, where the store is there. */
    readonly moved?: string;
    /** The value that takes the entrance of the region away, where all of its stores are. */
    readonly closed?: readonly string[];
    /** Where that store would be. Default: on this cluster. */
    readonly on?: "region";
}

/** Where one signal of the management cluster ends up: in one place or several, or nowhere. */
export type Destination =
    | { readonly stored: true; readonly ends: readonly [End, ...End[]] }
    | { readonly stored: false; readonly why: string };

const products = {
    metrics: "VictoriaMetrics",
    logs: "VictoriaLogs",
    traces: "VictoriaTraces",
    audit: "VictoriaLogs",
} as const;

/** The exporters of kof-collectors, and the option of each that by default has the address of this cluster's own store. */
const exporters = {
    metrics: ["prometheusremotewrite", "endpoint"],
    logs: ["otlphttp/logs", "logs_endpoint"],
    traces: ["otlphttp/traces", "traces_endpoint"],
    audit: ["otlphttp/logs-audit", "logs_endpoint"],
} as const;

/** What settings resolve to, with the stores that are there, here and on each region. */
type Stored = Resolved & Pick<Deployment, "stores" | "regionalStores">;

/**
 * Where each signal of the management cluster ends, by the exporters that get it in the end, and the stores that are there.
 *
 * @param collectors of which it is asked.
 */
export function destinationsOf(deployment: Stored, collectors: readonly Collector[]): Record<Signal, Destination> {
    const endingsOf = endingsFinder(deployment, collectors);
    return perSignal((signal) => {
        const { places, losses } = endingsOf(signal);
        const [first, ...rest] = places.map(({ end }) => end);
        const loss = losses.find(({ absent }) => absent !== undefined) ?? losses[0];
        return first ? { stored: true, ends: [first, ...rest] } : { stored: false, why: loss?.why ?? "not collected" };
    });
}

/** A place where a signal is stored, with the flows that end there. */
interface EndWithFlows {
    readonly end: End;
    readonly flows: readonly OwnedFlow[];
}

interface OwnedFlow {
    readonly collector: Collector;
    readonly flow: Flow;
}

/** Finds the ends of a signal's flows: the places where it is stored, each once, and the ends at which it is lost. */
export function endingsFinder(
    deployment: Stored,
    collectors: readonly Collector[],
): (signal: Signal) => { readonly places: readonly EndWithFlows[]; readonly losses: readonly Loss[] } {
    const endOf = endFinder(deployment);
    return (signal) => {
        const places = new Map<string, { end: End; flows: OwnedFlow[] }>();
        const losses: Loss[] = [];
        for (const owned of ownedFlows(signal, collectors)) {
            const end = endOf(owned.flow);
            if ("why" in end) {
                losses.push(end);
            } else {
                const key = placeKey(end);
                const known = places.get(key) ?? { end, flows: [] };
                known.flows.push(owned);
                places.set(key, known);
            }
        }
        return { places: [...places.values()], losses };
    };
}

/** The flows of a signal. Without a pipeline of their own, as up to KOF 1.9, audit logs are among the logs. */
export function flowsFor(signal: Signal, collectors: readonly Collector[]): Flow[] {
    return ownedFlows(signal, collectors).map(({ flow }) => flow);
}

function ownedFlows(signal: Signal, collectors: readonly Collector[]): OwnedFlow[] {
    const wanted = signal === "audit" && !collectors.some(sortsAudit) ? "logs" : signal;
    return collectors.flatMap((collector) =>
        endsOf(collector)
            .filter((flow) => flow.signal === wanted)
            .map((flow) => ({ collector, flow })),
    );
}

/** Finds out what is at the end of a flow. */
export function endFinder(deployment: Stored): (flow: Flow) => End | Loss {
    const own = ownStores(deployment.catalog);
    const [here, there] = [deployment.stores, deployment.regionalStores].map(
        (stores) =>
            new Map(stores.filter(({ retention }) => retention !== undefined).map((each) => [each.signal, each])),
    );
    const { settings, cloudwatch, routing, targets = [] } = deployment;
    const region = settings.regional;
    const closed = regionEntranceOff(deployment);
    const vmauth = region && vmauthOf(region.cluster, region.domain, settings.istio);
    const { signals: wanted, isPlain } = routing;
    return ({ exporter, address, pipeline, signal, settings: options }) => {
        if (address === undefined) {
            const isByChoice = !isPlain && wanted[signal].length === 0;
            const isPrinted = typeOf(exporter) === "debug";
            return { why: isPrinted ? "printed to the collector's own log" : isByChoice ? "by choice" : "discarded" };
        }
        if (options === undefined || address === "") {
            return { why: `exporter ${exporter} ${options === undefined ? "is not defined" : "has no address"}` };
        }
        const ofStore = own.get(serviceOf(address) ?? "");
        if (ofStore !== undefined) {
            const store = here?.get(ofStore.signal);
            const answers =
                store?.entrance === "" &&
                portOf(address) === (store.port ?? ofStore.port) &&
                /^\w+:\/\/[^/]+\/insert\//.test(address);
            return answers
                ? {
                      store: `${products[ofStore.signal]} on this cluster`,
                      address,
                      on: "cluster",
                      destination: "management",
                      holds: ofStore.signal,
                      reader: { by: "service", path: selectService(address) },
                  }
                : {
                      why: `${address} does not exist`,
                      absent: ofStore.signal,
                      ...(store ? { moved: movedBy(store) } : {}),
                  };
        }
        const ofRegion = signals.find((signal) => address === `${String(vmauth)}${writePaths[signal]}`);
        if (region && ofRegion !== undefined) {
            const missing = { absent: ofRegion, on: "region" } as const;
            if (closed) {
                return { why: `region ${region.cluster} has no vmauth`, ...missing, closed };
            }
            const store = there?.get(ofRegion);
            return store?.entrance === ""
                ? {
                      store: `${products[ofRegion]} of region ${region.cluster}`,
                      address,
                      on: "region",
                      destination: "regional",
                      holds: ofRegion,
                      reader: { by: "vmauth", region, prefix: readPrefixes[ofRegion] },
                  }
                : {
                      why: `region ${region.cluster} has no ${store ? "address for" : "store of"} ${ofRegion}`,
                      ...missing,
                      ...(store ? { moved: movedBy(store) } : {}),
                  };
        }
        const at = (key: string) => textOf(valueAt(options, [key]) ?? "");
        const reader = {
            by: "logGroup",
            region: at("region"),
            name: at("log_group_name"),
            endpoint: at("endpoint") || undefined,
        } as const;
        const inAws = (store: string, reader: Reader, shown = address): End => {
            return { store, address: shown, on: "aws", destination: "cloudwatch", reader };
        };
        switch (typeOf(exporter)) {
            case "awscloudwatchlogs": {
                const stream = shownStream(at("log_stream_name"), cloudwatch?.logStream);
                return inAws(`CloudWatch Logs in ${at("region")}`, reader, `${at("log_group_name")}/${stream}`);
            }
            case "awsemf":
                // In a format that CloudWatch makes metrics of.
                return inAws(`CloudWatch metrics in ${at("region")}`, reader);
            case "awsxray":
                return inAws("AWS X-Ray", { by: "xray", region: at("region") });
        }
        const [, service, inRegion = ""] = awsOverOtlp.exec(address) ?? [];
        if (service === "xray") {
            const spans = {
                by: "logGroup",
                region: inRegion,
                name: spansLogGroup,
                endpoint: cloudwatch?.endpoint,
            } as const;
            return inAws(`AWS X-Ray in ${inRegion} over OTLP`, spans);
        }
        if (service !== undefined) {
            return inAws(`CloudWatch metrics in ${inRegion} over OTLP`, { by: "promql", region: inRegion });
        }
        const protocol = protocols[typeOf(exporter)] ?? typeOf(exporter);
        const target = targets.find(({ exporters, writers = Object.values(exporters) }) => writers.includes(exporter));
        const same = typeOf(exporter) === "otlphttp" ? endpointOf(options, pipeline, address) : address;
        return {
            store: target?.title ?? protocol,
            address,
            on: "elsewhere",
            same: `${protocol}: ${same}`,
            ...(target || settings.route === "otlp" ? { destination: target?.name ?? "otlp" } : {}),
        };
    };
}

const awsOverOtlp = /^https:\/\/(monitoring|xray)\.([a-z]+-[a-z-]+-\d)\.[a-z.]+\/v1\/(metrics|traces)$/;

/** What exporters speak to places that are none of KOF's. */
const protocols: Readonly<Record<string, string>> = {
    prometheusremotewrite: "Prometheus remote write",
    otlp: "OTLP",
    otlphttp: "OTLP",
};

/** The address of this cluster's own store of a signal, which the charts' exporter sends to by default. */
export function ownStoreAddress(catalog: Catalog, signal: Signal): string {
    const path = ["config", "exporters", ...exporters[signal]];
    return textOf(valueAt(stackDefaults(catalog).defaultCRConfig, path));
}

/** The signals by the services of this cluster's own stores, which the charts' exporters send to by default. */
function ownStores(catalog: Catalog): Map<string, { readonly signal: Signal; readonly port: string | undefined }> {
    return new Map(
        signals.flatMap((signal) => {
            const address = ownStoreAddress(catalog, signal);
            const service = serviceOf(address);
            return service === undefined ? [] : [[service, { signal, port: portOf(address) }] as const];
        }),
    );
}

/** Whether an address is that of a store of KOF's own on this cluster, whether or not that is there. */
export function isOwnStoreOf(catalog: Catalog, address: string): boolean {
    return ownStores(catalog).has(serviceOf(address) ?? "");
}

const inNamespace = new RegExp(`^https?://([^/:.]+)(\\.${kofNamespace}(\\.svc(\\.cluster\\.local)?)?)?(:\\d+)?(/|$)`);

/** The name of a service of KOF's namespace in an address; `undefined` for any other host. */
function serviceOf(address: string): string | undefined {
    return inNamespace.exec(address)?.[1];
}

/** The values by which a store takes nothing in at the address that KOF's collectors have. */
function movedBy({ entrance, port }: Volume): string {
    return entrance === "" ? `port ${String(port)}` : entrance;
}

function portOf(address: string): string | undefined {
    return /^\w+:\/\/[^/:]+:(\d+)/.exec(address)?.[1];
}

/** A log stream with `*` for what differs from pod to pod: the stream of the settings, where the exporter has that. */
function shownStream(stream: string, asked: string | undefined): string {
    const pattern = streamPattern(asked ?? "");
    const parts = pattern.split("*").map((part) => part.replaceAll(/[^\w/-]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`).test(stream) ? pattern : stream.replaceAll(/\$?\{[^}]*\}/g, "*");
}

/**
 * The endpoint to which the exporter otlphttp adds `/v1/metrics` and similar paths, if that gives its address for the signal
 * (`composeSignalURL` in exporter/otlphttpexporter/factory.go). Otherwise the whole address, marked as complete.
 */
function endpointOf(options: HelmValue, pipeline: string, address: string): string {
    const [kind = ""] = pipeline.split("/");
    if (["", undefined].includes(valueAt(options, [`${kind}_endpoint`]) as string | undefined)) {
        return address.replace(/\/$/, "");
    }
    const added = `/v1/${kind}`;
    return address.endsWith(added) ? address.slice(0, -added.length) : `${address} as it is`;
}

/** What two ends have in common that are one. */
export function identityOf({ store, address, same = `${store}: ${address}` }: End): string {
    return same;
}

/** What two ends have in common that are one destination: those of one address differ in who sends, and in what is left out. */
export function placeKey(end: End): string {
    return [end.destination, identityOf(end)].join(" ");
}

/** A human-readable destination. */
export function destinationText(destination: Destination): string {
    return destination.stored ? destination.ends.map(endText).join(" and ") : `not stored (${destination.why})`;
}

/** A human-readable end. */
export function endText({ store, address }: End): string {
    return `${store}: ${address}`;
}
