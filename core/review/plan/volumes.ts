import { isDeepStrictEqual } from "node:util";

import { nounOf } from "../../charts";
import { mergeValues, type HelmValues } from "../../lib/values";
import type { Deployment } from "../../routes/deployment";
import { givenAt, keyOf, toPaste } from "../../routes/stored";
import { isSameSource, operatorOff, volumeSources, switchedOff, type Volume } from "../../routes/volumes";
import { storageClassOf } from "../../settings/storageClasses";
import { notice, type Consequence, type Consequences } from "./consequence";
import type { Past } from "./past";
import { retentionInDays } from "../../lib/durations";
import { sizeInGiB } from "../../lib/quantities";

/** What happens to the volumes of one workload. */
export interface VolumeChange {
    readonly workload: string;
    /**
     * `kept` without a change. `created`, or found again if an earlier deployment left them behind. `orphaned`: they stay on the cluster
     * with their data, but nothing reads them. `deleted` only where values ask Kubernetes to delete them with their pods.
     */
    readonly operation: "kept" | "created" | "orphaned" | "deleted";
    readonly count: number;
    readonly volume: Volume;
    /** Size of each before the change, where it differs. */
    readonly sizeBefore?: string;
    /** What happens to a volume whose claim is deleted; `undefined` where the class is not the program's. */
    readonly reclaimPolicy: string | undefined;
}

/** The volumes of the management cluster before and after. */
export function volumeChanges(from: Deployment, to: Deployment): VolumeChange[] {
    const policy = ({ settings }: Deployment) => storageClassOf(settings.storageClass)?.reclaimPolicy;
    return [...paired(from.volumes, [...to.volumes, ...volumesRunningOn(from, to)], policy(from), policy(to))];
}

/**
 * The volumes of stores that keep running without their operator. Its CRDs stay (`crds.plain` and `crds.cleanup` of
 * victoria-metrics-operator in the umbrella's values), and so do its objects.
 */
function volumesRunningOn(from: Deployment, to: Deployment): Volume[] {
    const sources = volumeSources(to, "management");
    return from.volumes.filter(({ source }) =>
        sources.some(
            (each) =>
                isSameSource(each, source) &&
                operatorOff(to.umbrella, each) !== undefined &&
                switchedOff(to, each) === undefined,
        ),
    );
}

/** The volumes of each regional cluster before and after. */
export function regionalChanges(from: Deployment, to: Deployment): VolumeChange[] {
    const volumes = (deployment: Deployment) => deployment.regionalStores.filter(({ keeps }) => keeps === "volumes");
    return [...paired(volumes(from), volumes(to))];
}

/** Pairs volumes by their workload: claims are named after it, whichever chart makes it. */
function* paired(
    volumesBefore: readonly Volume[],
    volumesAfter: readonly Volume[],
    policyBefore?: string,
    policyAfter?: string,
): Iterable<VolumeChange> {
    const [before, after] = [byWorkload(volumesBefore), byWorkload(volumesAfter)];
    for (const workload of new Set([...before.keys(), ...after.keys()])) {
        const [was, is] = [before.get(workload), after.get(workload)];
        const kept = Math.min(was?.count ?? 0, is?.count ?? 0);
        if (was && is && kept > 0) {
            yield {
                ...{ workload, operation: "kept", count: kept, volume: is, reclaimPolicy: policyBefore },
                ...(was.size === is.size ? {} : { sizeBefore: was.size }),
            };
        }
        if (is && is.count > kept) {
            const count = is.count - kept;
            yield { workload, operation: "created", count, volume: is, reclaimPolicy: policyAfter };
        }
        if (was && was.count > kept) {
            const isDeleted = is ? was.deleted.withPods : was.deleted.withWorkload;
            const count = was.count - kept;
            const operation = isDeleted ? "deleted" : "orphaned";
            yield { workload, operation, count, volume: was, reclaimPolicy: policyBefore };
        }
    }
}

function byWorkload(volumes: readonly Volume[]): Map<string, Volume> {
    return new Map(volumes.map((volume) => [volume.workload, volume]));
}

/** Whether a volume holds data of which there is no other copy. */
function holdsData({ volume }: Pick<VolumeChange, "volume">): boolean {
    return volume.retention !== undefined;
}

/** The volumes with data that nothing uses any more. */
export function goneStores(changes: readonly VolumeChange[]): VolumeChange[] {
    return changes
        .filter((change) => ["orphaned", "deleted"].includes(change.operation) && holdsData(change))
        .filter(({ workload }) => !changes.some((each) => each.workload === workload && each.operation === "kept"));
}

/** Human-readable volumes: `vlstorage 2 x 100Gi`. */
export function volumesText(changes: readonly Pick<VolumeChange, "workload" | "count" | "volume">[]): string {
    return changes.map(({ workload, count, volume }) => `${workload} ${String(count)} x ${volume.size}`).join(", ");
}

/** What follows for volumes that are there before and after: size, class, retention and number. */
export function* volumeConsequences(
    from: Deployment,
    to: Deployment,
    changes: readonly VolumeChange[],
    { fewestCopies }: Past,
): Consequences {
    const before = byWorkload(from.volumes);
    const kept = changes
        .filter((change) => change.operation === "kept" && holdsData(change))
        .flatMap(({ volume: is }) => {
            const was = before.get(is.workload);
            return was ? [{ was, is }] : [];
        });
    for (const { was, is } of kept) {
        yield* storeChanges(was, is, to, fewestCopies);
    }
    yield* classChanges(kept, from, to);
    yield* ownClassConsequences(from, to);
}

/** What follows for a store that is there before and after, on whichever cluster. */
export function storeChanges(was: Volume, is: Volume, to: Deployment, fewestCopies: number | undefined): Consequence[] {
    return [
        ...sizeConsequences(was, is, to),
        ...retentionConsequences(was, is, to),
        ...limitConsequences(was, is, to),
        ...countConsequences(was, is, to, fewestCopies),
        ...locationConsequences(was, is, to),
        ...fixedConsequences(was, is),
    ];
}

/** Another claim, or another folder in it. */
function* locationConsequences(was: Volume, is: Volume, to: Deployment): Consequences {
    if (was.location !== is.location) {
        yield {
            severity: "loses",
            key: keyOf(to, is.source, "location"),
            message: `has ${is.workload} look for its volumes elsewhere (${[was, is].map(({ location }) => location || "KOF's own names").join(" -> ")}): it starts empty, and nothing reads what is stored`,
            acknowledge: `${is.signal} elsewhere`,
        };
    }
}

/** What stands in a StatefulSet of a chart's own, and may not change there. */
function* fixedConsequences({ fixed: before }: Volume, { fixed: after, signal, workload }: Volume): Consequences {
    const changed = [...new Set([...Object.keys(after), ...Object.keys(before)])].filter(
        (path) => before[path] !== after[path],
    );
    const text = (values: Volume["fixed"], path: string) => values[path] ?? "KOF's own";
    const [first] = changed;
    if (first !== undefined) {
        const texts = changed.map((path) => {
            const name = path.split(".").slice(-2).join(".");
            return `${name}: ${text(before, path)} -> ${text(after, path)}`;
        });
        yield {
            severity: "impossible",
            key: `kof:values.${first}`,
            message: `would change what is immutable in ${workload}'s StatefulSet (${texts.join(", ")}): the Helm upgrade would fail`,
            way:
                "leave it as it was, or delete the StatefulSet by hand first, without its pods (kubectl delete statefulset " +
                "--cascade=orphan), acknowledge it, and delete those pods once the new one is there",
            acknowledge: `${signal} statefulset`,
        };
    }
}

const howToGrow = "docs/storage.md#growing-the-volumes-of-logs-and-traces";

function* sizeConsequences(was: Volume, is: Volume, to: Deployment): Consequences {
    const { signal, workload } = is;
    const key = keyOf(to, is.source, "size");
    const paste = toPaste(to, is.source, "size", was.size);
    const growth = sizeInGiB(is.size) - sizeInGiB(was.size);
    const change = `${was.size}->${is.size}`;
    if (growth < 0) {
        const message = `would make ${workload}'s volumes smaller (${change}), but a volume cannot shrink`;
        yield { severity: "impossible", key, message, way: "keep their size", paste };
    } else if (growth > 0 && !is.expands) {
        yield {
            severity: "impossible",
            key,
            message: `would make ${workload}'s volumes larger (${change}), but a StatefulSet's template is immutable: the Helm upgrade would fail`,
            way: `keep their size, or grow them by hand first (${howToGrow}) and then acknowledge it`,
            paste,
            acknowledge: `${signal} ${change}`,
        };
    } else if (growth > 0) {
        yield notice(
            key,
            canExpand(is, to)
                ? `makes ${workload}'s volumes larger (${change}): the VictoriaMetrics operator does it, if their class allows expansion`
                : `asks for larger volumes of ${workload} (${change}), which their class does not support: existing volumes keep their size`,
        );
    }
}

/** As far as the stack knows the class: that of a region's volumes is none of its own. */
function canExpand({ source }: Volume, { settings }: Deployment): boolean {
    return source.chart.on === "regions" || storageClassOf(settings.storageClass)?.expands !== false;
}

/** What a volume holds, as it follows "the". */
function heldBy({ signal }: Volume): string {
    return signal === "grafana" ? signal : nounOf(signal);
}

function* retentionConsequences(was: Volume, is: Volume, to: Deployment): Consequences {
    const [before, after] = [was.retention ?? "", is.retention ?? ""];
    if (retentionInDays(after) < retentionInDays(before)) {
        const change = `${before}->${after}`;
        yield {
            severity: "loses",
            key: keyOf(to, is.source, "retention"),
            message: `deletes the ${heldBy(is)} that are older than ${after} (${change})`,
            paste: toPaste(to, is.source, "retention", before),
            acknowledge: `${is.signal} retention ${change}`,
        };
    }
}

/** Limits beside the retention: a store deletes what is beyond them, the oldest first. */
function* limitConsequences(was: Volume, is: Volume, to: Deployment): Consequences {
    const least = ({ limits }: Volume) =>
        [...limits].filter(({ giB }) => giB !== undefined).sort((a, b) => (a.giB ?? 0) - (b.giB ?? 0))[0];
    const filter = ({ limits }: Volume) => limits.find(({ kind }) => kind === "filter");
    for (const limitOf of [least, filter]) {
        const [before, after] = [limitOf(was), limitOf(is)];
        const isLower =
            after?.giB === undefined
                ? after !== undefined && after.text !== before?.text
                : after.giB < Math.min(before?.giB ?? Infinity, sizeInGiB(is.size));
        if (isLower) {
            const change = `${before?.text ?? "none"}->${after?.text ?? "none"}`;
            yield {
                severity: "loses",
                key: keyOf(to, is.source, "limits"),
                message: `limits what each pod of ${is.workload} keeps (${change}): it deletes the ${heldBy(is)} beyond that`,
                acknowledge: `${is.signal} limit ${change}`,
            };
        }
    }
}

/** @param fewest copies of what is stored, where there can be more than one. What was stored with fewer keeps fewer. */
function* countConsequences(was: Volume, is: Volume, to: Deployment, fewest: number | undefined): Consequences {
    const fewer = was.count - is.count;
    if (fewer <= 0) {
        return;
    }
    const key = keyOf(to, is.source, "replicas");
    const change = `${String(was.count)}->${String(is.count)}`;
    const taken = `takes ${String(fewer)} of ${String(was.count)} pods of ${is.workload} away`;
    if (fewer < Math.min(was.copies, fewest ?? 1)) {
        yield notice(key, `${taken}: what was stored with ${String(was.copies)} copies is left in fewer`);
        return;
    }
    const lost =
        fewer >= was.copies
            ? "and what they stored with them"
            : fewest === undefined
              ? "and with them anything that was stored in fewer copies than now; whether there is any is unknown"
              : `and with them what was stored when there were fewer copies (${String(fewest)}, now ${String(was.copies)})`;
    yield {
        severity: "loses",
        key,
        message: `${taken} (${change}), ${lost}: ${is.deleted.withPods ? "Kubernetes deletes their volumes" : "their volumes stay, but nothing reads them"}`,
        paste: toPaste(to, is.source, "replicas", was.count),
        acknowledge: `${is.signal} replicas ${change}`,
    };
}

/** The class of volumes that exist cannot change; a StatefulSet's template that names another one is refused. */
export function classChanges(
    stores: readonly { readonly was: Volume; readonly is: Volume }[],
    from: Deployment,
    to: Deployment,
): Consequence[] {
    const moved = stores.filter(({ was, is }) => was.storageClass !== is.storageClass);
    const [first] = moved;
    if (!first) {
        return [];
    }
    const key = keyOf(to, first.is.source, "storageClass");
    const change = [first.was, first.is].map(({ storageClass }) => storageClass || "the default class").join("->");
    const stuck = moved.filter(({ is }) => !is.expands).map(({ is }) => is.workload);
    const stay = `would change the class of volumes that exist (${change}). They keep the class that they were made with, and only new ones get another`;
    if (stuck.length === 0) {
        return [notice(key, stay)];
    }
    const paste = classToKeep(moved, from, to);
    return [
        {
            severity: "impossible",
            key,
            message: `${stay}; for ${stuck.join(" and ")} the Helm upgrade would fail, because a StatefulSet's template is immutable`,
            way: `${first.was.storageClass === "" ? "take the class out of the stack file" : "keep the class"}, or recreate the StatefulSets by hand first (docs/storage.md#another-class) and then acknowledge it`,
            ...(paste ? { paste } : {}),
            acknowledge: `class ${change}`,
        },
    ];
}

/** What keeps stores in their class; `undefined` where no line does, but taking one out. */
function classToKeep(
    moved: readonly { readonly was: Volume; readonly is: Volume }[],
    from: Deployment,
    to: Deployment,
): HelmValues | undefined {
    const pastes = moved.map(({ was, is: { source } }): HelmValues | undefined => {
        const [before, after] = [from, to].map(({ settings }) =>
            source.chart.on === "regions" ? settings.regions?.storageClass : settings.storageClass,
        );
        const byValue = [to, from].find((deployment) => givenAt(deployment, source, "storageClass") !== undefined);
        if (before !== undefined && (byValue !== to || after !== undefined)) {
            return typeof before === "string"
                ? { "kof:regions": { storageClass: before } }
                : { "kof:storageClass": before as HelmValues };
        }
        return was.storageClass === "" || after !== undefined || !byValue
            ? undefined
            : toPaste(byValue, source, "storageClass", was.storageClass);
    });
    return pastes.reduce((all, paste) => all && paste && mergeValues(all, paste), {});
}

/** The program's own class: immutable in Kubernetes, so that a change of it is a new class under the same name. */
function* ownClassConsequences(from: Deployment, to: Deployment): Consequences {
    const [was, is] = [storageClassOf(from.settings.storageClass), storageClassOf(to.settings.storageClass)];
    const key = "kof:storageClass";
    // If the class changes hands: core/review/plan/takeovers.ts.
    if (!was || (is === undefined && to.settings.storageClass?.name === was.className)) {
        return;
    }
    const immutable = ({ provisioner, parameters = {}, reclaimPolicy }: typeof was) => [
        provisioner,
        parameters,
        reclaimPolicy,
    ];
    if (was.className !== is?.className) {
        yield notice(
            key,
            `no longer makes the class ${was.className}, which is deleted. Its volumes stay, but cannot be made larger without it`,
        );
    } else if (!isDeepStrictEqual(immutable(was), immutable(is))) {
        yield notice(
            key,
            `changes the class ${is.className}, which Kubernetes does not allow: it is deleted and recreated under its name. Volumes that exist ` +
                "stay as they were made; only new ones follow the new class",
        );
    }
}
