import { kubeStack, nounOf, signals, type Catalog, type Signal } from "../charts";
import { collectorsChart } from "../charts/installed";
import { startAnnotation, startedWith } from "../charts/restarts";
import { queueStorage } from "../collectors/buffers";
import { effectiveCollectors, type Collector } from "../collectors/effective";
import { exportersTo, isDiscarding, listOf, pipelinesOf, pipelineSignal, typeOf } from "../collectors/flows";
import type { Merged } from "../collectors/merged";
import { compact } from "../lib/compact";
import { isMap, mergeValues, nest, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import { auditNotices, idleNotices, sameAddressNotices } from "../settings/destinationRules";
import { resolvedDestination } from "../settings/resolvedDestinations";
import { namesIn, type Routing } from "../settings/routing";
import type { Settings } from "../settings/settings";
import { cloudwatchTarget } from "./cloudwatch";
import { sortsAuditByDefault } from "./collectors";
import { exporterTarget } from "./exporters";
import type { RouteParts, Target } from "./parts";
import { openCostOfRegion, regionalTarget, type ToRegion } from "./regional";
import { volumeSources } from "./volumes";

/*
 * Several destinations: what a base brings stays as it is, and whatever goes elsewhere leaves its pipelines through a connector. What
 * a destination needs of telemetry is done behind that, on a branch of its own, so that nobody else's records change.
 */

/** What a base looks like with the values that make it, before anything is sent elsewhere. */
type Base = Merged & RouteParts;

/**
 * The parts of a base with every signal where it should go.
 *
 * @param baseOf resolves values on top of those of the base.
 */
export function fanOut(routing: Routing, base: RouteParts, baseOf: (values: HelmValues) => Base): RouteParts {
    const bare = baseOf({});
    const { settings, catalog } = bare;
    const chart = collectorsChart(bare.umbrella);
    if (!chart) {
        return base;
    }
    const targets = targetsOf(routing, settings, catalog);
    const stack = [...chart.prefix, kubeStack];
    // The other bases have it already.
    const keepsQueues =
        ["management", "regionless"].includes(routing.base) && targets.some(({ queued = [] }) => queued.length > 0);
    const storage = keepsQueues ? nest(stack, queueStorage(catalog)) : {};
    const prepared = keepsQueues ? baseOf(storage) : bare;
    const collectors = effectiveCollectors(prepared);
    const triggers = targets.flatMap(({ restartTriggers = [] }) => restartTriggers);
    const started = startedWith([...(base.restartTriggers ?? []), ...triggers]);
    const env = distinct(targets.flatMap((target) => target.env ?? []));
    const present = (valueAt(prepared.umbrella, [...stack, "extraEnvs"]) ?? []) as HelmValue[];
    const values = mergeValues(
        storage,
        ...targets.map(({ definitions }) => nest([...stack, "defaultCRConfig", "config"], definitions)),
        env.length > 0 ? nest([...stack, "extraEnvs"], [...present, ...env]) : {},
        started === undefined ? {} : nest([...stack, "defaultCRConfig", "podAnnotations", startAnnotation], started),
        ...collectors.map((collector) =>
            nest([...stack, "collectors", collector.key], branched(collector, routing, targets)),
        ),
        nest(chart.prefix, openCost(routing, settings)),
        unusedStoresOff(routing, prepared),
    );
    const cloudwatch = targets.find((target) => target.cloudwatch)?.cloudwatch;
    const queued = new Set(targets.flatMap((target) => target.queued ?? []));
    return {
        values: mergeValues(base.values, values),
        ...(cloudwatch ? { cloudwatch } : {}),
        queued: signals.filter(
            (signal) =>
                queued.has(signal) ||
                (routing.baseStore === "regional" &&
                    routing.signals[signal].includes("regional") &&
                    (base.queued ?? signals).includes(signal)),
        ),
        targets,
        restartTriggers: [...(base.restartTriggers ?? []), ...triggers],
        notices: [
            ...(base.notices ?? []),
            ...notStored(routing, settings),
            ...idleNotices(settings),
            ...sameAddressNotices(settings),
            ...auditNotices(settings),
            ...targets.flatMap(({ notices = [] }) => notices),
        ],
    };
}

function notStored({ signals: wanted }: Routing, settings: Settings): string[] {
    const none = signals.filter((signal) => wanted[signal].length === 0);
    // The route describes what it leaves out.
    return compact(
        settings.signals &&
            none.length > 0 &&
            none.length < signals.length &&
            `kof:signals leaves ${none.map(nounOf).join(" and ")} of this cluster without a destination: they are discarded, by choice.`,
    );
}

function targetsOf(routing: Routing, settings: Settings, catalog: Catalog): Target[] {
    const all = namesIn(routing.signals);
    const withPorts = all.filter((name) => !["management", "regional", "cloudwatch"].includes(name)).sort();
    return all
        .filter((name) => name !== routing.baseStore)
        .flatMap((name) => {
            const to = signals.filter((signal) => routing.signals[signal].includes(name));
            if (name === "regional") {
                return settings.regional ? [regionalTarget(settings as ToRegion, catalog, to)] : [];
            }
            if (name === "cloudwatch") {
                const { cloudwatch } = settings;
                return cloudwatch ? [cloudwatchTarget({ ...settings, cloudwatch }, catalog, to)] : [];
            }
            const found = resolvedDestination(settings, name);
            return found ? [exporterTarget(found, settings, catalog, to, withPorts.indexOf(name))] : [];
        });
}

function distinct(env: readonly HelmValue[]): HelmValue[] {
    const named = new Map(env.map((each) => [JSON.stringify(valueAt(each, ["name"])), each]));
    return [...named.values()];
}

/** Values of one collector: its pipelines with the destinations of their signals, and the branches to those. */
function branched(collector: Collector, routing: Routing, targets: readonly Target[]): HelmValues {
    const { config } = collector;
    const ends = Object.entries(pipelinesOf(config)).filter(([, settings]) => isEnd(collector, settings));
    const gets = (target: Target, signal: Signal) =>
        routing.signals[signal].includes(target.name) ? target.exporters[signal] : undefined;
    const parts = ends.map(([pipeline, settings]): HelmValues => {
        const exporters = listOf(settings, "exporters");
        const signal = pipelineSignal(pipeline);
        const isKept = routing.baseStore !== undefined && routing.signals[signal].includes(routing.baseStore);
        const branches = targets.flatMap((target) => {
            const exporter = gets(target, signal);
            return exporter === undefined ? [] : [branchOf(collector, pipeline, signal, exporter, target)];
        });
        const to = [...(isKept ? exporters : []), ...branches.map((branch) => branch.to)];
        return mergeValues(
            nest(["service", "pipelines", pipeline, "exporters"], to.length > 0 ? to : ["nop"]),
            ...branches.map((branch) => branch.config),
        );
    });
    const running = targets.filter((target) =>
        ends.some(([pipeline]) => gets(target, pipelineSignal(pipeline)) !== undefined),
    );
    const extensions = running.flatMap((target) => target.extensions ?? []);
    const listed = listOf(valueAt(config, ["service"]) ?? {}, "extensions");
    const added = [...new Set(extensions)].filter((each) => !listed.includes(each));
    return mergeValues(
        nest(["config"], mergeValues(...parts)),
        added.length > 0 ? nest(["config", "service", "extensions"], [...listed, ...added]) : {},
        ...targets.map((target) => target.ofCollector?.(collector.key, collector.name) ?? {}),
    );
}

/** Whether a pipeline of a base route ends at its store: it receives something, does not pass it on, and does not only empty a queue. */
function isEnd({ config }: Collector, pipeline: HelmValue): boolean {
    const connectors = isMap(config.connectors) ? Object.keys(config.connectors) : [];
    const [receivers, exporters] = [listOf(pipeline, "receivers"), listOf(pipeline, "exporters")];
    return (
        receivers.some((id) => !isDiscarding(id)) &&
        !receivers.every((id) => exportersTo(config, id).length > 0) &&
        !exporters.some((id) => connectors.includes(id)) &&
        exporters.some((id) => !isDiscarding(id))
    );
}

/** What a pipeline exports to for one destination, and the branch behind it. */
function branchOf(
    { config }: Collector,
    pipeline: string,
    signal: Signal,
    exporter: string,
    target: Target,
): { readonly to: string; readonly config: HelmValues } {
    if (target.processors === undefined && isGathered(config, pipeline)) {
        return { to: exporter, config: {} };
    }
    const { processors: own = () => [] } = target;
    const [kind = ""] = pipeline.split("/");
    // Audit logs have a branch of their own where anything about it differs from that of the logs.
    const isApart =
        signal === "audit" && (target.exporters.logs !== exporter || own("logs").join() !== own("audit").join());
    const name = isApart ? `${target.name}-audit` : target.name;
    const connector = `forward/${name}`;
    const processors = compact(!isGathered(config, pipeline) && "batch", ...own(signal));
    return {
        to: connector,
        config: {
            connectors: { [connector]: {} },
            service: {
                pipelines: {
                    [`${kind}/${name}`]: { receivers: [connector], processors, exporters: [exporter] },
                },
            },
        },
    };
}

/**
 * Whether a pipeline, or the one that it gets its records from, answers its senders before its records are exported. If none does, a full
 * queue makes them send again, to every destination. That affects traces through KOF's target allocator (kof-collectors 1.8.0 to
 * 1.11.0-rc0, tried with contrib 0.143, 2026-11-27).
 */
function isGathered(config: HelmValues, pipeline: string): boolean {
    const parts = pipelinesOf(config)[pipeline] ?? {};
    const connectors = isMap(config.connectors) ? Object.keys(config.connectors) : [];
    return (
        listOf(parts, "processors").some((id) => typeOf(id) === "batch") ||
        listOf(parts, "receivers").every((id) => connectors.includes(id))
    );
}

/** OpenCost computes costs from metrics in a store of KOF's: of this cluster, or of a region. */
function openCost({ base, baseStore, signals: { metrics } }: Routing, settings: Settings): HelmValues {
    if (base === "collectors" || (baseStore !== undefined && metrics.includes(baseStore))) {
        return {};
    }
    return metrics.includes("regional") ? openCostOfRegion(settings as ToRegion) : { opencost: { enabled: false } };
}

/**
 * The stores of this cluster that get nothing, turned off. That of the metrics is kof-mothership's, which needs it on every route; the
 * stores of route `regionless` are also those of child clusters.
 */
function unusedStoresOff({ base, signals: wanted }: Routing, prepared: Base): HelmValues {
    const unused = signals.filter((signal) => signal !== "metrics" && !wanted[signal].includes("management"));
    if (base !== "management") {
        return {};
    }
    // Where audit logs are among the logs, there is no store of theirs.
    const off = sortsAuditByDefault(prepared.catalog) ? unused : unused.filter((signal) => signal !== "audit");
    const sources = volumeSources(prepared, "management").filter(({ chart }) => chart.chart === "kof-storage");
    const isOff = (signal: string) => off.some((each) => each === signal);
    const readsAll = sources.find(({ chart }) => chart.by === "sveltos")?.chart.prefix;
    return mergeValues(
        ...sources.map(({ volume, chart }) => {
            const [first] = volume.switches;
            return first && isOff(volume.signal) ? nest([...chart.prefix, ...first.path], false) : {};
        }),
        // KOF would read from it all the same (kof-child 1.10.0 to 1.11.0-rc0, `templates/child-multi-cluster-service.yaml`).
        ...["logs", "traces"].map((signal) =>
            readsAll && isOff(signal)
                ? nest([...readsAll, `victoria-${signal}-multilevel-select`, "enabled"], false)
                : {},
        ),
    );
}
