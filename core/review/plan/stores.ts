import { enabledComponents } from "../../charts/umbrella";
import { formatPath } from "../../lib/values";
import type { Deployment } from "../../routes/deployment";
import { componentsOn } from "../../routes/components";
import { childrenStoreHere, isRegionless, operatorOffAt } from "../../charts/installed";
import { keyOf, storeText, turnedOffAt } from "../../routes/stored";
import { operatorOff, regionEntranceOff, spaceOf, type Volume } from "../../routes/volumes";
import { notice, type Consequence, type Consequences } from "./consequence";
import { classChanges, goneStores, storeChanges, volumesText, type VolumeChange } from "./volumes";

/** What follows when `kof:values` turn components of the umbrella off or on: what they install goes or comes with them. */
export function* componentConsequences(from: Deployment, to: Deployment): Consequences {
    const [before, after] = [componentsOn(from), componentsOn(to)];
    for (const { name, brings, stops } of before.filter((each) => !after.includes(each))) {
        const [key, message] = [`kof:values.${name}.enabled`, `uninstalls ${brings(from)}`];
        yield stops ? { severity: "loses", key, message, acknowledge: `${name} off` } : notice(key, message);
    }
    for (const { name, brings } of after.filter((each) => !before.includes(each))) {
        yield notice(`kof:values.${name}.enabled`, `installs ${brings(to)}`);
    }
}

/** What follows when `kof:values` turn stores of this cluster off or on, or take their volumes. */
export function* storeConsequences(from: Deployment, to: Deployment, volumes: readonly VolumeChange[]): Consequences {
    for (const was of from.stores) {
        yield* keepingConsequences(was, to.stores, from, to);
    }
    const off = new Map<string, VolumeChange[]>();
    for (const change of goneStores(volumes)) {
        const path = turnedOffAt(to, change.volume.source);
        if (path && !to.stores.some(({ workload }) => workload === change.workload)) {
            const key = `kof:values.${formatPath(path)}`;
            off.set(key, [...(off.get(key) ?? []), change]);
        }
    }
    for (const [key, gone] of off) {
        const stored = [...new Set(gone.map(({ volume }) => volume.signal))];
        const components = new Set(gone.map(({ volume }) => volume.source.chart.component));
        const [component = ""] = components;
        const isWhole = components.size === 1 && key === `kof:values.${component}.enabled`;
        yield {
            severity: "loses",
            key,
            message: `leaves the stored ${stored.join(", ")} unreachable: ${volumesOutcome(gone)}`,
            acknowledge: `${isWhole ? component : stored.join(" and ")} off`,
        };
    }
    yield* operatorConsequences(from, to);
    // Stores that values do not keep off any more. Those of another route, or of another version, come with it.
    for (const store of to.stores) {
        const { workload, retention, source, count, size } = store;
        const isNew = retention !== undefined && !from.stores.some((was) => was.workload === workload);
        const path = isNew ? turnedOffAt(from, source) : undefined;
        if (path) {
            yield notice(
                `kof:values.${formatPath(path)}`,
                `starts ${storeText(source)}: ${String(count)} x ${size}, kept for ${String(retention)}`,
            );
        }
    }
}

/** What follows for the stores that an operator makes when it goes, and they do not: its definitions stay, and with them what it made. */
function* operatorConsequences(from: Deployment, to: Deployment): Consequences {
    const orphaned = from.stores.filter(({ source }) => {
        const off = operatorOff(to.umbrella, source);
        return off !== undefined && formatPath(turnedOffAt(to, source) ?? []) === formatPath(off);
    });
    for (const made of [
        orphaned.filter(({ retention }) => retention !== undefined),
        orphaned.filter(({ signal }) => signal === "grafana"),
    ]) {
        const off = made[0] && operatorOff(to.umbrella, made[0].source);
        if (!off) {
            continue;
        }
        const key = `kof:values.${formatPath(off)}`;
        const message =
            `leaves ${made.map(({ workload }) => workload).join(" and ")} without an operator: what runs stays as it is and is ` +
            "no longer repaired, and nothing creates what does not run yet";
        yield made[0]?.signal === "grafana"
            ? notice(key, message)
            : { severity: "loses", key, message, acknowledge: `${off.at(-2) ?? ""} off` };
    }
}

/**
 * What happens to collectors if only the operator that makes them is removed. Its CRDs are removed with it, and the collectors'
 * objects with them. But each object has a finalizer that only the operator removes, and the operator may be gone before
 * (`collectorFinalizer` in opentelemetry-operator, internal/controllers/opentelemetrycollector_controller.go).
 */
export function* collectorConsequences(from: Deployment, to: Deployment): Consequences {
    for (const { on, component, where } of kindsOfClusters) {
        const [before, after] = [from, to].map(({ umbrella }) => operatorOffAt(umbrella, "opentelemetry-operator", on));
        const runs = ({ umbrella }: Deployment) => enabledComponents(umbrella).includes(component);
        const has =
            on === "management" ? from.collectors.length > 0 : on === "children" || !isRegionless(from.umbrella);
        if (after && !before && runs(from) && runs(to) && has) {
            yield {
                severity: "loses",
                key: `kof:values.${formatPath(after)}`,
                message:
                    `uninstalls the operator of the collectors ${where}, with their definitions: the collectors are deleted with these, or keep ` +
                    "running unmanaged",
                acknowledge: `${on === "management" ? "" : `${on} `}opentelemetry-operator off`,
            };
        }
    }
}

const kindsOfClusters = [
    { on: "management", component: "kof-operators", where: "of this cluster" },
    { on: "regions", component: "kof-regional", where: "of each regional cluster" },
    { on: "children", component: "kof-child", where: "of each child cluster" },
] as const;

/** What happens to the volumes of stores that are gone. @param until when what stays is read again. */
export function volumesOutcome(gone: readonly VolumeChange[], until = "it is on again"): string {
    const deleted = gone.filter(({ operation }) => operation === "deleted");
    const kept = gone.filter(({ operation }) => operation !== "deleted");
    const stay = `the volumes stay (${volumesText(kept)}), but nothing reads them until ${until}`;
    return [
        ...(deleted.length > 0 ? [`Kubernetes deletes the volumes with it (${volumesText(deleted)})`] : []),
        ...(kept.length > 0 ? [deleted.length > 0 ? `of the others ${stay}` : stay] : []),
    ].join("; ");
}

/** What follows for a store that runs on, but keeps what it stores elsewhere. */
function* keepingConsequences(was: Volume, after: readonly Volume[], from: Deployment, to: Deployment): Consequences {
    const is = after.find(({ workload }) => workload === was.workload);
    if (!is || was.keeps === is.keeps || is.retention === undefined) {
        return;
    }
    const { workload, signal } = is;
    if (is.keeps === "volumes") {
        const key = keyOf(from, was.source, "persistence");
        yield notice(
            key,
            `gives ${workload} volumes (${spaceOf(is)}): what is stored until then stays where it is, and is not read`,
        );
        yield* fixedTemplate(is, key, `${signal} with volumes`);
    } else if (was.keeps === "volumes") {
        const key = keyOf(to, is.source, "persistence");
        const acknowledge = `${signal} without volumes`;
        const then = is.keeps === "emptyDir" ? "lost when a pod restarts" : "in a claim that KOF does not make";
        yield {
            severity: "loses",
            key,
            message: `takes the volumes of ${workload}: the stored ${signal} stay in them (${workload} ${spaceOf(was)}), where nothing reads them, and what is stored from then on is ${then}`,
            acknowledge,
        };
        yield* fixedTemplate(is, key, acknowledge);
    }
}

/** The template of a chart's own StatefulSet cannot be changed; the operator recreates those that it manages. */
function* fixedTemplate({ workload, expands }: Volume, key: string, acknowledge: string): Consequences {
    if (!expands) {
        yield {
            severity: "impossible",
            key,
            message: `would change the volumes in the template of ${workload}'s StatefulSet, which is immutable: the Helm upgrade would fail`,
            way: "delete the StatefulSet by hand first, without its pods (kubectl delete statefulset --cascade=orphan), and then acknowledge it",
            acknowledge,
        };
    }
}

/**
 * What follows for the stores on regional clusters, which values of kof-regional size and which KOF changes there all at once. What
 * would fail here fails there as well; only new regions are as the values say.
 */
export function* regionConsequences(from: Deployment, to: Deployment): Consequences {
    const [before, after] = [from.regionalStores, to.regionalStores];
    for (const was of before.filter(({ retention }) => retention !== undefined)) {
        const { signal, workload } = was;
        const is = after.find((each) => each.workload === workload);
        const path = is ? undefined : turnedOffAt(to, was.source);
        if (is) {
            const changes = [...storeChanges(was, is, to, undefined), ...keepingConsequences(was, after, from, to)];
            yield* changes.map((each) => onRegions(each, `${signal} ${was.size}->${is.size}`));
        } else if (path && after.length > 0) {
            yield {
                severity: "loses",
                key: `kof:values.${formatPath(path)}`,
                message: `leaves the stored ${signal} unreachable ${onEachRegion}: the volumes stay, but nothing reads them until it is on again`,
                acknowledge: `regions ${signal} off`,
            };
        }
    }
    const kept = before.flatMap((was) => {
        const is = after.find(({ workload }) => workload === was.workload);
        return is && was.keeps === "volumes" && is.keeps === "volumes" ? [{ was, is }] : [];
    });
    yield* classChanges(kept, from, to).map((each) => onRegions(each, "class"));
    // The stores behind the entrance say themselves when they go with it.
    const path = regionEntranceOff(to);
    if (path && before.length > 0 && !regionEntranceOff(from)) {
        yield {
            severity: "loses",
            key: `kof:values.${formatPath(path)}`,
            message:
                `takes vmauth away ${onEachRegion}: what is stored there is no longer reachable through KOF, and what is sent to it is ` +
                "stored nowhere",
            acknowledge: "regions vmauth off",
        };
    }
}

/** @param otherwise what permits it on regions, where nothing does on this cluster: of what cannot be done, new regions know nothing. */
function onRegions({ severity, acknowledge, message, ...rest }: Consequence, otherwise: string): Consequence {
    return {
        ...rest,
        severity: severity === "impossible" && acknowledge === undefined ? "loses" : severity,
        message: `${message}, ${onEachRegion}`,
        ...(severity === "notice" ? {} : { acknowledge: `regions ${acknowledge ?? otherwise}` }),
    };
}

const onEachRegion = "on each regional cluster";

/** What child clusters lose that store their telemetry on the management cluster, when that ends. */
export function* childConsequences(from: Deployment, to: Deployment): Consequences {
    const [was, is] = [from.settings.route, to.settings.route];
    if (childrenStoreHere(from) && !childrenStoreHere(to)) {
        yield {
            severity: "loses",
            key: was === is ? "kof:values.kof-regional.enabled" : "kof:route",
            message:
                "takes from every child cluster the stores that its telemetry is in: what it collects from then on is stored nowhere until " +
                "it has a region",
            acknowledge: was === is ? "kof-regional off" : `${was}->${is}`,
        };
    }
}
