import type { Catalog } from "../charts";
import { defaultAt } from "../charts/defaults";
import { startAnnotation } from "../charts/restarts";
import {
    formatPath,
    isMap,
    keysAt,
    leaves,
    mergeValues,
    nest,
    valueAt,
    type HelmValue,
    type HelmValues,
} from "../lib/values";
import { identityProcessor } from "../collectors/identity";
import { clockProcessors } from "../collectors/clock";
import { brief } from "../settings/problems";
import { deciderOf } from "../settings/rules";
import { contains, same } from "./compare";
import type { Target } from "../routes/parts";

/** Lists of collectors that the routes add to. Other items in them do not affect the additions. */
const lists = new Set(["extensions", "processors", "volumes", "volumeMounts"]);

/** Values to which was added what their route cannot do without, and the paths of the lists that became longer. */
interface Completed {
    readonly values: HelmValues;
    readonly lists: readonly (readonly string[])[];
    /** One sentence for each thing of the original that the route replaces. */
    readonly changes: readonly string[];
}

/**
 * Makes values that were written for the charts fit a route that adds to their lists. A list in Helm values replaces
 * the one below it: a list that was written by hand would take away what the route adds.
 *
 * @param own the values of the route.
 */
export function complete(values: HelmValues, own: HelmValues, catalog: Catalog): Completed {
    const longer: (readonly string[])[] = [];
    const changes: string[] = [];
    let completed = values;
    for (const [path, value] of leaves(values)) {
        const whole = Array.isArray(value) ? completeList(path, value, own, catalog) : undefined;
        if (whole) {
            longer.push(path);
            completed = mergeValues(completed, nest(path, whole));
        }
    }
    for (const path of queuesInRequests(values, own)) {
        changes.push(
            `${formatPath(path)} is ${brief(valueAt(values, path))} requests, however large they are. It becomes ` +
                `${brief(valueAt(own, path))} bytes (kof:buffer).`,
        );
        completed = mergeValues(completed, nest(path, valueAt(own, path) ?? null));
    }
    return { values: completed, lists: longer, changes };
}

/** A list with what the route adds to the charts' one; `undefined` where it has all of that. */
function completeList(
    path: readonly string[],
    given: readonly HelmValue[],
    own: HelmValues,
    catalog: Catalog,
): HelmValue[] | undefined {
    const at = lists.has(path.at(-1) ?? "") ? listOfRoute(path, own) : undefined;
    const wanted = at && valueAt(own, at);
    if (!at || !Array.isArray(wanted)) {
        return undefined;
    }
    const missing = wanted.filter((item) => !contains(defaultAt(catalog, at), item) && !contains([...given], item));
    const rest = wanted.filter((item) => !contains(missing, item));
    // In the route's order, where there is nothing else in it.
    return missing.length === 0
        ? undefined
        : rest.length === given.length && rest.every((item) => contains([...given], item))
          ? wanted
          : [...missing, ...given];
}

/** Where the route has what a list must hold. The extensions of a collector replace those of all. */
function listOfRoute(path: readonly string[], own: HelmValues): readonly string[] | undefined {
    if (valueAt(own, path) !== undefined) {
        return path;
    }
    const collectors = path.lastIndexOf("collectors");
    const shared = [...path.slice(0, collectors), "defaultCRConfig", ...path.slice(collectors + 2)];
    return path.at(-1) === "extensions" && collectors >= 0 ? shared : undefined;
}

/** The limits of queues whose unit the route changes. */
function queuesInRequests(values: HelmValues, own: HelmValues): string[][] {
    return [...leaves(values)].flatMap(([path]) => {
        const queue = path.slice(0, -1);
        return path.at(-1) === "queue_size" &&
            valueAt(values, [...queue, "sizer"]) === undefined &&
            valueAt(own, [...queue, "sizer"]) === "bytes"
            ? [[...path]]
            : [];
    });
}

/** Whether a value is of one of these components, or is a list that names one. */
function mentions(...components: readonly string[]): (path: readonly string[], value: HelmValue) => boolean {
    return (path, value) =>
        [...path, ...(Array.isArray(value) ? value : [])].some((each) => components.includes(each as string));
}

interface Purpose {
    readonly made: (path: readonly string[], value: HelmValue) => boolean;
    readonly sentence: string;
}

/** What is added to reach several destinations. */
function ofTargets(targets: readonly Target[]): Purpose[] {
    if (targets.length === 0) {
        return [];
    }
    const parts = ["exporters", "extensions", "processors", "connectors", "receivers"];
    const ids = targets.flatMap(({ definitions }) => parts.flatMap((part) => keysAt(definitions, [part])));
    const names = targets.map(({ name }) => name);
    const isOfTarget = (id: string) =>
        ids.includes(id) || names.some((name) => new RegExp(`^[a-z]+/${name}(-audit|-deliver|-queue)?$`).test(id));
    return [
        {
            made: (path, value) =>
                path.some(isOfTarget) ||
                (path.at(-1) === "processors" && isMap(value)) ||
                path.at(-1) === "extraEnvs" ||
                path.at(-1) === startAnnotation ||
                (path.includes("pipelines") && path.at(-1) === "exporters") ||
                (Array.isArray(value) && value.some((each) => typeof each === "string" && isOfTarget(each))),
            sentence:
                "Each destination has a branch of its own behind the pipelines of the charts, where all that is done for it alone is " +
                "done, and a queue of its own (docs/destinations.md).",
        },
        {
            made: (path, value) => path.at(-1) === "enabled" && value === false,
            sentence:
                "A store of this cluster, or OpenCost, for which there is nothing left is not installed: what it holds is not shown any more.",
        },
    ];
}

/** What routes add to collectors on purpose, by what it is for, and the values that it is made of. */
const purposes: readonly Purpose[] = [
    {
        made: (path, value) =>
            path.includes("sending_queue") ||
            path.includes("retry_on_failure") ||
            (path.at(-2) === "prometheusremotewrite" && path.at(-1) === "timeout") ||
            JSON.stringify([path.slice(-2), value]).includes("file_storage/exporters") ||
            /^(volumes|volumeMounts)$/.test(path.at(-1) ?? "") ||
            path.at(-2) === "securityContext",
        sentence:
            "Exporters keep what they cannot deliver for as long as kof:buffer says, logs and traces on the node's disk: up to " +
            "KOF 1.9 collectors get a folder of the node for it, and run as root (docs/destinations.md).",
    },
    {
        made: (path) => path.at(-1) === "recreate",
        sentence:
            "Collectors start over where a power loss has left what they keep on the node unreadable, instead of crashing " +
            "at every start (docs/troubleshooting.md).",
    },
    {
        made: mentions(clockProcessors.points),
        sentence:
            "Metrics with a time that CloudWatch does not take are dropped: one of them would lose others (docs/destinations.md).",
    },
    {
        made: mentions(clockProcessors.logs, clockProcessors.audit, clockProcessors.count),
        sentence:
            "Log records with a time that CloudWatch does not take get the present one: one of them would stop all others " +
            "(docs/destinations.md).",
    },
    {
        made: (path, value) =>
            path.at(-1) === "processors" && Array.isArray(value) && value.includes(identityProcessor),
        sentence: "Spans, and metrics that are sent as OTLP, carry the name and the namespace of the cluster.",
    },
];

/**
 * What the route sets and the original left to the charts, where that makes a difference to what it ran.
 *
 * @param completed the values with what the route adds to their lists.
 * @param targets the destinations in addition to the route's own.
 */
export function changes(
    values: HelmValues,
    own: HelmValues,
    catalog: Catalog,
    completed: Completed,
    targets: readonly Target[] = [],
): string[] {
    const ran = ([component = ""]: readonly string[]) =>
        valueAt(own, [component, "enabled"]) !== true || valueAt(values, [component, "enabled"]) === true;
    const longer = completed.lists.map((path) => [path, valueAt(completed.values, path) ?? null] as const);
    // A null on the way was taken out with a remark of its own.
    const isSilent = (path: readonly string[]) =>
        valueAt(values, path) === undefined && path.every((_, i) => valueAt(values, path.slice(0, i)) !== null);
    const set = [...leaves(own)].filter(
        ([path, value]) => isSilent(path) && ran(path) && !same(path, value, defaultAt(catalog, path)),
    );
    const texts = new Set(completed.changes);
    for (const [path, value] of [...longer, ...set]) {
        if (deciderOf(path) === undefined) {
            const was = valueAt(values, path) ?? defaultAt(catalog, path);
            texts.add(
                [...ofTargets(targets), ...purposes].find(({ made }) => made(path, value))?.sentence ??
                    `${formatPath(path)} becomes ${brief(value)}${was === undefined || was === null ? "" : `, which was ${brief(was)}`}.`,
            );
        }
    }
    return [...texts];
}
