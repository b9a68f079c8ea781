import { isDeepStrictEqual } from "node:util";

import { chartValues, signals } from "../../charts";
import { collectorsChart, installedCharts } from "../../charts/installed";
import { mergeValues, valueAt, type HelmValues } from "../../lib/values";
import type { Deployment } from "../../routes/deployment";
import { processingAt } from "../../routes/deliveries";
import { choices } from "../../routes/processing";
import { turnedOffAt } from "../../routes/stored";
import { namesIn } from "../../settings/routing";
import { notice, type Consequences } from "./consequence";
import {
    changesInstaller,
    installTime,
    isSameRouting,
    linesKeeping,
    linesWithInstaller,
    linesWithoutCollectors,
} from "./moves";
import { volumesOutcome } from "./stores";
import { goneStores, type VolumeChange } from "./volumes";

/** What follows from other destinations: stored data that nothing reads any more, and installers that would fight. */
export function* routeConsequences(from: Deployment, to: Deployment, volumes: readonly VolumeChange[]): Consequences {
    if (isSameRouting(from, to)) {
        return;
    }
    const [was, is] = [from.settings.route, to.settings.route];
    yield* storesGone(from, to, volumes);
    if (is === "regionless" && was !== is) {
        yield {
            severity: "loses",
            key: "kof:route",
            message: "takes KOF off every regional cluster: what is stored there is no longer reachable through KOF",
            acknowledge: `${was}->${is}`,
        };
    }
    yield* installerConsequences(from, to);
    const [ran, runs] = [runsOpenCost(from), runsOpenCost(to)];
    // With the collectors it goes and comes anyway.
    if (ran !== undefined && runs !== undefined && ran !== runs) {
        yield notice(
            keyOfRouting(from, to),
            runs
                ? "starts OpenCost: the metrics that it computes costs from are in a store of KOF's"
                : "turns OpenCost off: it computes costs from metrics in a store of KOF's, and these get none of this cluster any more",
        );
    }
}

/** The key that decides where signals go, in which two stack files differ. */
function keyOfRouting(from: Deployment, to: Deployment): string {
    return from.settings.route === to.settings.route ? "kof:signals" : "kof:route";
}

/** Stores go with the last signal of this cluster that is sent to them. */
function* storesGone(from: Deployment, to: Deployment, volumes: readonly VolumeChange[]): Consequences {
    const [was, is] = [from.settings.route, to.settings.route];
    // What values turn off is theirs to say.
    const gone = goneStores(volumes).filter(
        ({ workload, volume }) =>
            turnedOffAt(to, volume.source) === undefined && !to.stores.some((each) => each.workload === workload),
    );
    if (gone.length === 0) {
        return;
    }
    const key = keyOfRouting(from, to);
    if (from.routing.isPlain && to.routing.isPlain) {
        yield {
            severity: "loses",
            key,
            message: `leaves the stored ${[...new Set(gone.map(({ volume }) => volume.signal))].join(", ")} unreachable: ${volumesOutcome(gone, `the route is ${was} again`)}`,
            acknowledge: `${was}->${is}${unusualCount(gone)}`,
        };
        return;
    }
    const stored = signals.filter((signal) => gone.some(({ volume }) => volume.signal === signal));
    const keeping = linesKeeping(from, to, stored);
    yield {
        severity: "loses",
        key,
        message:
            `no longer sends ${stored.join(" and ")} to management, which leaves what is stored of them there unreachable: ` +
            volumesOutcome(gone, "they go there again"),
        ...(keeping
            ? { way: "send them there as well, for as long as what is stored there may be needed", paste: keeping }
            : {}),
        acknowledge: `${stored.join(" and ")} off${unusualCount(gone)}`,
    };
}

/** Flux and Sveltos cannot have the same release. */
function* installerConsequences(from: Deployment, to: Deployment): Consequences {
    const [was, is] = [from.settings.route, to.settings.route];
    const [before, after] = [installerOf(from), installerOf(to)];
    if (before === undefined || after === undefined || !changesInstaller(from, to)) {
        return;
    }
    const key = keyOfRouting(from, to);
    const cannot = was === is ? "cannot be changed like that" : `cannot go from ${was} to ${is}`;
    const consequence = {
        severity: "impossible",
        key,
        message: `${cannot} at once: ${installers[before]} installs the collectors before and ${installers[after]} after, both as the Helm release kof-collectors, and one would uninstall what the other installs`,
    } as const;
    if (from.settings.version !== to.settings.version) {
        yield {
            ...consequence,
            way: "change the version first, and where signals go in a deployment of its own",
            paste: was === is ? { [key]: from.settings.signals ?? {} } : { [key]: was },
        };
        return;
    }
    const kept = linesWithInstaller(from, to);
    const { text, steps } = installTime(from, to);
    yield kept
        ? {
              ...consequence,
              way:
                  `leave the collectors with ${installers[before]}: route ${from.routing.base} stays, and kof:signals name where ` +
                  "each signal goes, so that the collectors only restart",
              paste: kept,
          }
        : {
              ...consequence,
              way:
                  "deploy route none first, and what the stack file says now when the release kof-collectors is gone. No way is without a gap: " +
                  `only collectors that ${installers[after]} installs write to the stores of KOF. Nothing is collected from when ` +
                  `${installers[before]} uninstalls the collectors until ${installers[after]} has installed them: ${text} (${steps}). What ` +
                  "fails they try again, for which there is no bound. Afterwards files that are still there are read on from where the collectors stopped",
              paste: linesWithoutCollectors(to),
          };
}

/** Whether OpenCost runs beside the collectors of this cluster; `undefined` where there are none. */
function runsOpenCost({ catalog, umbrella, collectors }: Deployment): boolean | undefined {
    const chart = collectorsChart(umbrella);
    if (!chart || collectors.length === 0) {
        return undefined;
    }
    const given = (valueAt(umbrella, chart.prefix) ?? {}) as HelmValues;
    const values = mergeValues(chartValues(catalog, chart.chart), given);
    return valueAt(values, ["opencost", "enabled"]) === true;
}

/** How many volumes there are, where these are not as many as KOF makes: what was printed for some does not permit to leave more. */
function unusualCount(gone: readonly VolumeChange[]): string {
    const count = gone.reduce((sum, each) => sum + each.count, 0);
    const usual = gone.reduce((sum, { volume }) => sum + Number(volume.source.volume.replicas?.default), 0);
    return count === usual ? "" : ` with ${String(count)} volumes`;
}

/** How much a destination gets of what is sent there, if that changes. The signals themselves do not change. */
export function* processingConsequences(from: Deployment, to: Deployment): Consequences {
    for (const name of namesIn(to.routing.signals)) {
        const isNew = !namesIn(from.routing.signals).includes(name);
        const was = isNew ? [] : choices(processingAt(from.settings, name));
        const is = choices(processingAt(to.settings, name));
        if (!isDeepStrictEqual(was, is)) {
            const text = (found: readonly string[], more = "") =>
                found.length > 0 ? `${found.join("; ")}${more}` : "everything is stored there";
            yield notice(
                `kof:${name === "cloudwatch" || name === "otlp" ? name : `destinations.${name}`}.processing`,
                `changes what ${name} gets. From this deployment on: ${text(is, ", by choice")}` +
                    (isNew ? "" : `. Until then: ${text(was)}`),
            );
        }
    }
}

const installers = { flux: "Flux", sveltos: "Sveltos" } as const;

/** What installs a chart on the management cluster, by default the one of its collectors; `undefined` when it is not there. */
export function installerOf({ umbrella }: Deployment, name = "kof-collectors"): "flux" | "sveltos" | undefined {
    return installedCharts(umbrella).find(({ chart }) => chart === name)?.by;
}

/** What follows from other names of the cluster, or of the mesh. */
export function* identityConsequences(from: Deployment, to: Deployment): Consequences {
    const [was, is] = [from.settings, to.settings];
    if (was.istio !== is.istio) {
        yield {
            severity: "loses",
            key: "kof:istio",
            message:
                "renames the services by which KOF runs on regional and child clusters: what they installed there is removed, storage included " +
                "(KOF's upgrade notes for 1.10)",
            acknowledge: `istio ${String(was.istio)}->${String(is.istio)}`,
        };
    }
    if (was.buffer?.metrics === "disk" && is.buffer?.metrics !== "disk") {
        yield notice(
            "kof:buffer.metrics",
            "no longer queues metrics on the nodes: what is still queued there is not sent. First make sure that the region has received everything",
        );
    }
    for (const name of ["clusterName", "clusterNamespace"] as const) {
        if (was[name] !== is[name]) {
            yield notice(
                `kof:${name}`,
                `changes from ${was[name]} to ${is[name]} on every signal: what is stored stays under the old name`,
            );
        }
    }
}
