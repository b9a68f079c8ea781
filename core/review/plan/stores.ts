import { enabledComponents } from "../../charts/umbrella";
import { formatPath } from "../../lib/values";
import type { Deployment } from "../../routes/deployment";
import { componentsOn } from "../../routes/components";
import { childrenStoreHere, isRegionless, operatorOffAt } from "../../charts/installed";
import { keyOf, storeText, turnedOffAt } from "../../routes/stored";
import { operatorOff, regionEntranceOff, spaceOf, type Volume } from "../../routes/volumes";
import type { Consequence } from "./consequence";
import { classChanges, goneStores, storeChanges, volumesText, type VolumeChange } from "./volumes";

/** What follows when `kof:values` turn components of the umbrella off or on: what they install goes or comes with them. */
export function componentConsequences(from: Deployment, to: Deployment): Consequence[] {
    const [before, after] = [componentsOn(from), componentsOn(to)];
    const key = (name: string) => `kof:values.${name}.enabled`;
    return [
        ...before
            .filter((each) => !after.includes(each))
            .map(({ name, brings, stops }): Consequence => {
                const message = `uninstalls ${brings(from)}`;
                return stops
                    ? { severity: "loses", key: key(name), message, acknowledge: `${name} off` }
                    : { severity: "notice", key: key(name), message };
            }),
        ...after
            .filter((each) => !before.includes(each))
            .map(({ name, brings }): Consequence => {
                return { severity: "notice", key: key(name), message: `installs ${brings(to)}` };
            }),
    ];
}

/** What follows when `kof:values` turn stores of this cluster off or on, or take their volumes. */
export function storeConsequences(from: Deployment, to: Deployment, volumes: readonly VolumeChange[]): Consequence[] {
    const after = to.stores;
    const off = new Map<string, VolumeChange[]>();
    const found = from.stores.flatMap((was) => keepingConsequences(was, after, from, to));
    for (const change of goneStores(volumes)) {
        const path = turnedOffAt(to, change.volume.source);
        if (path && !after.some(({ workload }) => workload === change.workload)) {
            const key = `kof:values.${formatPath(path)}`;
            off.set(key, [...(off.get(key) ?? []), change]);
        }
    }
    const turnedOff = [...off].map(([key, gone]): Consequence => {
        const stored = [...new Set(gone.map(({ volume }) => volume.signal))];
        const component = gone.every(({ volume }) => key === `kof:values.${volume.source.chart.component}.enabled`)
            ? gone[0]?.volume.source.chart.component
            : undefined;
        return {
            severity: "loses",
            key,
            message: `leaves the stored ${stored.join(", ")} unreachable: ${volumesOutcome(gone)}`,
            acknowledge: component === undefined ? `${stored.join(" and ")} off` : `${component} off`,
        };
    });
    return [...found, ...turnedOff, ...operatorConsequences(from, to), ...startedStores(from, to)];
}

/** What follows for the stores that an operator makes when it goes, and they do not: its definitions stay, and with them what it made. */
function operatorConsequences(from: Deployment, to: Deployment): Consequence[] {
    const orphaned = from.stores.filter(({ source }) => {
        const off = operatorOff(to.umbrella, source);
        return off !== undefined && formatPath(turnedOffAt(to, source) ?? []) === formatPath(off);
    });
    const byOperator = (made: readonly Volume[], severity: "loses" | "notice"): Consequence[] => {
        const off = made[0] && operatorOff(to.umbrella, made[0].source);
        return off
            ? [
                  {
                      severity,
                      key: `kof:values.${formatPath(off)}`,
                      message:
                          `leaves ${made.map(({ workload }) => workload).join(" and ")} without an operator: what runs stays as it is and is ` +
                          "no longer repaired, and nothing creates what does not run yet",
                      ...(severity === "loses" ? { acknowledge: `${off.at(-2) ?? ""} off` } : {}),
                  },
              ]
            : [];
    };
    const ofTelemetry = orphaned.filter(({ retention }) => retention !== undefined);
    return [
        ...byOperator(ofTelemetry, "loses"),
        ...byOperator(
            orphaned.filter(({ signal }) => signal === "grafana"),
            "notice",
        ),
    ];
}

/**
 * What happens to collectors if only the operator that makes them is removed. Its CRDs are removed with it, and the collectors'
 * objects with them. But each object has a finalizer that only the operator removes, and the operator may be gone before
 * (`collectorFinalizer` in opentelemetry-operator, internal/controllers/opentelemetrycollector_controller.go).
 */
export function collectorConsequences(from: Deployment, to: Deployment): Consequence[] {
    return kindsOfClusters.flatMap(({ on, component, where }): Consequence[] => {
        const [before, after] = [from, to].map(({ umbrella }) => operatorOffAt(umbrella, "opentelemetry-operator", on));
        const runs = ({ umbrella }: Deployment) => enabledComponents(umbrella).includes(component);
        const has =
            on === "management" ? from.collectors.length > 0 : on === "children" || !isRegionless(from.umbrella);
        if (!after || before || !runs(from) || !runs(to) || !has) {
            return [];
        }
        return [
            {
                severity: "loses",
                key: `kof:values.${formatPath(after)}`,
                message:
                    `uninstalls the operator of the collectors ${where}, with their definitions: the collectors are deleted with these, or keep ` +
                    "running unmanaged",
                acknowledge: `${on === "management" ? "" : `${on} `}opentelemetry-operator off`,
            },
        ];
    });
}

const kindsOfClusters = [
    { on: "management", component: "kof-operators", where: "of this cluster" },
    { on: "regions", component: "kof-regional", where: "of each regional cluster" },
    { on: "children", component: "kof-child", where: "of each child cluster" },
] as const;

/** What becomes of the volumes of stores that are gone. @param until when what stays is read again. */
export function volumesOutcome(gone: readonly VolumeChange[], until = "it is on again"): string {
    const [deleted, kept] = [
        gone.filter(({ operation }) => operation === "deleted"),
        gone.filter(({ operation }) => operation !== "deleted"),
    ];
    const stay = `the volumes stay (${volumesText(kept)}), but nothing reads them until ${until}`;
    return [
        ...(deleted.length > 0 ? [`Kubernetes deletes the volumes with it (${volumesText(deleted)})`] : []),
        ...(kept.length > 0 ? [deleted.length > 0 ? `of the others ${stay}` : stay] : []),
    ].join("; ");
}

/** What follows for a store that runs on, but keeps what it stores elsewhere. */
function keepingConsequences(was: Volume, after: readonly Volume[], from: Deployment, to: Deployment): Consequence[] {
    const is = after.find(({ workload }) => workload === was.workload);
    if (!is || was.keeps === is.keeps || is.retention === undefined) {
        return [];
    }
    const { workload, signal } = is;
    if (is.keeps === "volumes") {
        const key = keyOf(from, was.source, "persistence");
        const message = `gives ${workload} volumes (${spaceOf(is)}): what is stored until then stays where it is, and is not read`;
        return [{ severity: "notice", key, message }, ...fixedTemplate(is, key, `${signal} with volumes`)];
    }
    if (was.keeps !== "volumes") {
        return [];
    }
    const key = keyOf(to, is.source, "persistence");
    const acknowledge = `${signal} without volumes`;
    const then =
        is.keeps === "emptyDir"
            ? "and what is stored from then on is lost when a pod restarts"
            : "and what is stored from then on is in a claim that KOF does not make";
    const message = `takes the volumes of ${workload}: the stored ${signal} stay in them (${workload} ${spaceOf(was)}), where nothing reads them, ${then}`;
    return [{ severity: "loses", key, message, acknowledge }, ...fixedTemplate(is, key, acknowledge)];
}

/** The template of a chart's own StatefulSet cannot be changed; the operator recreates those that it manages. */
function fixedTemplate({ workload, expands }: Volume, key: string, acknowledge: string): Consequence[] {
    return expands
        ? []
        : [
              {
                  severity: "impossible",
                  key,
                  message: `would change the volumes in the template of ${workload}'s StatefulSet, which is immutable: the Helm upgrade would fail`,
                  way: "delete the StatefulSet by hand first, without its pods (kubectl delete statefulset --cascade=orphan), and then acknowledge it",
                  acknowledge,
              },
          ];
}

/** Stores that values do not keep off any more. Those of another route, or of another version, come with it. */
function startedStores(from: Deployment, to: Deployment): Consequence[] {
    const before = from.stores;
    return to.stores
        .filter(
            ({ workload, retention }) => retention !== undefined && !before.some((was) => was.workload === workload),
        )
        .flatMap((is): Consequence[] => {
            const path = turnedOffAt(from, is.source);
            const message = `starts ${storeText(is.source)}: ${String(is.count)} x ${is.size}, kept for ${String(is.retention)}`;
            return path ? [{ severity: "notice", key: `kof:values.${formatPath(path)}`, message }] : [];
        });
}

/**
 * What follows for the stores on regional clusters, which values of kof-regional size and which KOF changes there all at once. What
 * would fail here fails there as well; only new regions are as the values say.
 */
export function regionConsequences(from: Deployment, to: Deployment): Consequence[] {
    const [before, after] = [from.regionalStores, to.regionalStores];
    const stores = before
        .filter(({ retention }) => retention !== undefined)
        .flatMap((was): Consequence[] => {
            const { signal, workload } = was;
            const is = after.find((each) => each.workload === workload);
            const path = is ? undefined : turnedOffAt(to, was.source);
            if (is) {
                const changes = [...storeChanges(was, is, to, undefined), ...keepingConsequences(was, after, from, to)];
                return changes.map((each) => onRegions(each, `${signal} ${was.size}->${is.size}`));
            }
            return path && after.length > 0
                ? [
                      {
                          severity: "loses",
                          key: `kof:values.${formatPath(path)}`,
                          message: `leaves the stored ${signal} unreachable ${onEachRegion}: the volumes stay, but nothing reads them until it is on again`,
                          acknowledge: `regions ${signal} off`,
                      },
                  ]
                : [];
        });
    const kept = before.flatMap((was) => {
        const is = after.find(({ workload }) => workload === was.workload);
        return is && was.keeps === "volumes" && is.keeps === "volumes" ? [{ was, is }] : [];
    });
    const classes = classChanges(kept, from, to).map((each) => onRegions(each, "class"));
    return [...stores, ...classes, ...entranceConsequences(from, to)];
}

/** What follows when values take the entrance of every region away. The stores behind it say themselves when they go with it. */
function entranceConsequences(from: Deployment, to: Deployment): Consequence[] {
    const path = regionEntranceOff(to);
    return path && from.regionalStores.length > 0 && !regionEntranceOff(from)
        ? [
              {
                  severity: "loses",
                  key: `kof:values.${formatPath(path)}`,
                  message:
                      `takes vmauth away ${onEachRegion}: what is stored there is no longer reachable through KOF, and what is sent to it is ` +
                      "stored nowhere",
                  acknowledge: "regions vmauth off",
              },
          ]
        : [];
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
export function childConsequences(from: Deployment, to: Deployment): Consequence[] {
    if (!childrenStoreHere(from) || childrenStoreHere(to)) {
        return [];
    }
    const [was, is] = [from.settings.route, to.settings.route];
    return [
        {
            severity: "loses",
            key: was === is ? "kof:values.kof-regional.enabled" : "kof:route",
            message:
                "takes from every child cluster the stores that its telemetry is in: what it collects from then on is stored nowhere until " +
                "it has a region",
            acknowledge: was === is ? "kof-regional off" : `${was}->${is}`,
        },
    ];
}
