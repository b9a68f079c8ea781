import { nounOf, signals, type Signal } from "../../charts";
import { shortName } from "../../collectors/effective";
import { endsOf } from "../../collectors/flows";
import type { Deployment } from "../../routes/deployment";
import { endFinder, identityOf, type End, type Loss } from "../../routes/destinations";
import { isIdle } from "./idle";
import { childrenStoreHere } from "../../charts/installed";

/** What happens to a part of the picture in a change. */
type PartFate = "stays" | "goes away" | "comes in";

interface Node {
    readonly label: string;
    readonly shape: "collector" | "store" | "nowhere";
    readonly inCluster: boolean;
}

interface Graph {
    readonly title: string;
    readonly nodes: ReadonlyMap<string, Node>;
    /** The signals on each link, by `from to`. */
    readonly links: ReadonlyMap<string, readonly Signal[]>;
}

/**
 * A stack's collectors and where they send each signal, as a Mermaid flowchart. Stores are cylinders. A solid line leads to what is
 * stored, a dotted line to what is not. What nobody sends is not there: {@link isIdle}.
 */
export function diagram(deployment: Deployment): string {
    const graph = graphOf(deployment, hasSeveral(deployment));
    return flowchart(graph, graph);
}

/**
 * The same for a change of a stack: what goes away ends in a cross, what comes in is a thick line, and both say so.
 *
 * @param from the stack as it is.
 * @param to the stack as it is to be.
 */
export function changeDiagram(from: Deployment, to: Deployment): string {
    const byDestination = [from, to].some(hasSeveral);
    return flowchart(graphOf(from, byDestination), graphOf(to, byDestination));
}

function hasSeveral({ targets }: Deployment): boolean {
    return targets !== undefined;
}

/** @param byDestination whether a destination outside the cluster is one node, whatever there is in it. */
function graphOf(deployment: Deployment, byDestination: boolean): Graph {
    const nodes = new Map<string, Node>();
    const links = new Map<string, Signal[]>();
    const link = (from: string, signal: Signal, to: string, node: Node) => {
        nodes.set(to, node);
        const present = links.get(`${from} ${to}`) ?? [];
        links.set(
            `${from} ${to}`,
            signals.filter((each) => each === signal || present.includes(each)),
        );
    };
    const collector = (id: string, label: string, inCluster: boolean) =>
        nodes.set(id, { label, shape: "collector", inCluster });

    const collectors = deployment.collectors;
    const endOf = endFinder(deployment);
    const hosts = hostsOf(deployment);
    const nodeOf = (end: End | Loss) => (byDestination ? placeOf(end, deployment, hosts) : undefined) ?? ending(end);
    for (const each of collectors) {
        const id = `collector-${shortName(each)}`;
        collector(id, `${shortName(each)}<br>(${each.mode})`, true);
        for (const flow of endsOf(each).filter((flow) => !isIdle(deployment, each, flow))) {
            link(id, flow.signal, ...nodeOf(endOf(flow)));
        }
    }
    if (collectors.length === 0) {
        collector("cluster-itself", "no collectors", true);
        for (const signal of signals) {
            const destination = deployment.destinations[signal];
            if (!destination.stored) {
                link("cluster-itself", signal, ...ending(destination));
            }
        }
    }
    if (childrenStoreHere(deployment)) {
        collector("children", "collectors of the<br>child clusters", false);
        const label = "vmauth on this cluster<br>(to the same stores)";
        for (const signal of signals) {
            link("children", signal, "store-vmauth", { label, shape: "collector", inCluster: true });
        }
    }
    for (const { kind, name, signals: archived, sources, bucket } of deployment.archives) {
        const exporter: Node = { label: `${name}<br>(each hour)`, shape: "collector", inCluster: true };
        const place = bucket.endpoint === undefined ? bucket.region : host(bucket.endpoint);
        const node: Node = { label: `S3 bucket ${bucket.name}<br>${place}`, shape: "store", inCluster: false };
        for (const signal of archived) {
            const [store, own] = storeNode(deployment, signal, sources[signal] ?? "");
            nodes.set(store, nodes.get(store) ?? own);
            link(store, signal, `store-${kind}`, exporter);
            link(`store-${kind}`, signal, `store-${bucket.name} ${place}`, node);
        }
    }
    return { title: `Management cluster ${deployment.settings.clusterName}`, nodes, links };
}

/** The node of this cluster's store of a signal, whether or not its own collectors send there. */
function storeNode({ destinations }: Deployment, signal: Signal, address: string): [string, Node] {
    const ends = signals.flatMap((each) => {
        const { [each]: where } = destinations;
        return where.stored ? where.ends : [];
    });
    const end = ends.find(({ on, holds }) => on === "cluster" && holds === signal);
    const label = `store of ${nounOf(signal)}<br>${host(address)}`;
    return end ? ending(end) : [`store-${address}`, { label, shape: "store", inCluster: true }];
}

/** The node at which a signal ends: its id, and what it looks like. */
function ending(end: End | Loss): [string, Node] {
    return "store" in end
        ? [
              `store-${identityOf(end)}`,
              { label: `${end.store}<br>${host(end.address)}`, shape: "store", inCluster: end.on === "cluster" },
          ]
        : [`nowhere-${end.why}`, { label: `not stored<br>(${end.why})`, shape: "nowhere", inCluster: false }];
}

/** The hosts that each destination outside the cluster has, by its name. */
function hostsOf({ destinations }: Deployment): ReadonlyMap<string, readonly string[]> {
    const found = new Map<string, string[]>();
    for (const signal of signals) {
        const where = destinations[signal];
        for (const { destination, address } of where.stored ? where.ends : []) {
            if (destination !== undefined) {
                found.set(destination, [...new Set([...(found.get(destination) ?? []), host(address)])].sort());
            }
        }
    }
    return found;
}

/** The node of a whole destination outside the cluster; `undefined` for anything else. */
function placeOf(
    end: End | Loss,
    { settings, cloudwatch }: Deployment,
    hosts: ReadonlyMap<string, readonly string[]>,
): [string, Node] | undefined {
    if (!("store" in end) || end.on === "cluster" || end.destination === undefined) {
        return undefined;
    }
    const [title, places] = {
        aws: ["AWS CloudWatch", [cloudwatch?.region ?? ""]],
        region: [`region ${settings.regional?.cluster ?? ""}`, hosts.get(end.destination) ?? []],
        elsewhere: [end.store, hosts.get(end.destination) ?? []],
    }[end.on] as [string, readonly string[]];
    return [
        `store-${end.destination} ${places.join(" ")}`,
        { label: [title, ...places].join("<br>"), shape: "store", inCluster: false },
    ];
}

function host(address: string): string {
    return /^https?:\/\//.test(address) ? address.replace(/^https?:\/\//, "").replace(/\/.*$/, "") : address;
}

const shapes = {
    collector: ["[", "]"],
    store: ["[(", ")]"],
    nowhere: ["([", "])"],
} as const;

/** Lines that tell what is stored, what is not, and what changes apart by their form. */
const lines = {
    stays: { stored: ["--", "-->"], nowhere: ["-.", ".->"] },
    "goes away": { stored: ["--", "--x"], nowhere: ["-.", ".-x"] },
    "comes in": { stored: ["==", "==>"], nowhere: ["-.", ".->"] },
} as const;

function flowchart(from: Graph, to: Graph): string {
    const nodes = new Map([...from.nodes, ...to.nodes]);
    const ids = new Map([...nodes.keys()].map((id, i) => [id, `n${String(i + 1)}`]));
    const fate = (before: boolean, after: boolean): PartFate => (before ? (after ? "stays" : "goes away") : "comes in");
    const line = ([id, node]: [string, Node]) => {
        const [open, close] = shapes[node.shape];
        const change = fate(from.nodes.has(id), to.nodes.has(id));
        const label = escaped(node.label) + (change === "stays" ? "" : `<br>${nodeFate(node.shape, change)}`);
        return `${ids.get(id) ?? ""}${open}"${label}"${close}:::${change === "stays" ? node.shape : fateClass[change]}`;
    };
    const all = [...nodes];
    const links = [...new Set([...from.links.keys(), ...to.links.keys()])].flatMap((key) => {
        const [start = "", end = ""] = key.split(/ (?=store-|nowhere-)/);
        const [before, after] = [from.links.get(key) ?? [], to.links.get(key) ?? []];
        const form = nodes.get(end)?.shape === "nowhere" ? "nowhere" : "stored";
        return (["stays", "goes away", "comes in"] as const).flatMap((change) => {
            const carried = signals.filter(
                (signal) =>
                    (before.includes(signal) || after.includes(signal)) &&
                    fate(before.includes(signal), after.includes(signal)) === change,
            );
            const [open, close] = lines[change][form];
            const label = carried.join(", ") + (change === "stays" ? "" : `<br>${change}`);
            return carried.length > 0
                ? [`${ids.get(start) ?? ""} ${open} "${label}" ${close} ${ids.get(end) ?? ""}`]
                : [];
        });
    });
    return [
        // Room for the labels of lines, and none of the names broken at its hyphens.
        '%%{init: {"flowchart": {"rankSpacing": 130, "wrappingWidth": 400}}}%%',
        "flowchart LR",
        `    subgraph cluster["${escaped(to.title)}"]`,
        // Without links from or to the outside it would have the other direction.
        "        direction LR",
        ...all.filter(([, node]) => node.inCluster).map((node) => `        ${line(node)}`),
        "    end",
        ...all.filter(([, node]) => !node.inCluster).map((node) => `    ${line(node)}`),
        ...links.map((link) => `    ${link}`),
        "    classDef nowhere stroke-dasharray: 2 4",
        ...(from === to ? [] : ["    classDef goes stroke-dasharray: 6 4", "    classDef comes stroke-width: 4px"]),
    ].join("\n");
}

/** A store that nothing is sent to any more may still hold data. */
function nodeFate(shape: Node["shape"], change: "goes away" | "comes in"): string {
    return shape === "collector" ? change : change === "goes away" ? "no longer sent to" : "newly sent to";
}

const fateClass = { "goes away": "goes", "comes in": "comes" } as const;

/** A label without Mermaid's syntax and HTML, except line breaks. */
function escaped(label: string): string {
    return label
        .split("<br>")
        .map((line) => line.replaceAll(/[^\p{L}\p{N} ():,.'_/*-]/gu, (sign) => `#${String(sign.codePointAt(0))};`))
        .join("<br>");
}
