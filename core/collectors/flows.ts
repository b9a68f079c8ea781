import { signals, type Signal } from "../charts";
import { oncePer } from "../lib/lazy";
import { isMap, textOf, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import type { Collector } from "./effective";

/** What one pipeline of a collector hands to one exporter. */
export interface Flow {
    /** The pipeline: `logs/audit`. */
    readonly pipeline: string;
    readonly signal: Signal;
    /** The exporter's name: `otlphttp/logs`. */
    readonly exporter: string;
    /** Whether the pipeline gets nothing but what other pods send to the collector over OTLP. */
    readonly isSentOnly: boolean;
    /**
     * Where the exporter sends it: a URL, `group/stream` of CloudWatch, or `undefined` when it is discarded. Empty where the exporter
     * has no address, with which its collector does not start.
     */
    readonly address: string | undefined;
    /** The exporter's options. */
    readonly settings: HelmValue | undefined;
}

/** The pipeline into which KOF 1.10 and later sort audit logs. */
const auditPipeline = "logs/audit";

/** Whether a collector has separate pipelines for audit logs. */
export function sortsAudit({ config }: Collector): boolean {
    return Object.hasOwn(pipelinesOf(config), auditPipeline);
}

/** Whether an exporter keeps nothing. */
export function isDiscarding(exporter: string): boolean {
    return ["nop", "debug"].includes(typeOf(exporter));
}

/** The signal of a pipeline, by its name. What it receives from other pipelines has their signal. */
export function pipelineSignal(pipeline: string): Signal {
    return pipeline === auditPipeline ? "audit" : (pipeline.split("/")[0] as "metrics" | "logs" | "traces");
}

/** Where the pipelines of a collector send what they receive. What one hands to another is no flow. */
export const flowsOf = oncePer(({ config }: Collector): readonly Flow[] => {
    const connectors = Object.keys((config.connectors ?? {}) as HelmValues);
    const pipelines = pipelinesOf(config);
    return Object.entries(pipelines)
        .filter(([, pipeline]) => receives(pipeline))
        .flatMap(([pipeline, parts]) =>
            sourcesOf(pipelines, pipeline, connectors).map((source) => ({ pipeline, parts, source })),
        )
        .flatMap(({ pipeline, parts, source: { signal, isSentOnly } }) =>
            listOf(parts, "exporters")
                .filter((exporter) => !connectors.includes(exporter) && !isLoopbackExporter(config, exporter))
                .map((exporter) => {
                    const settings = valueAt(config, ["exporters", exporter]);
                    const kind = pipeline.split("/")[0] as "metrics" | "logs" | "traces";
                    return {
                        pipeline,
                        signal,
                        exporter,
                        isSentOnly,
                        address: isDiscarding(exporter)
                            ? undefined
                            : addressOf(settings, kind, defaultAddress(exporter)),
                        settings,
                    };
                }),
        );
});

/** What a pipeline receives, directly or through connectors: each signal once. */
function sourcesOf(
    pipelines: HelmValues,
    pipeline: string,
    connectors: readonly string[],
    seen: readonly string[] = [],
): Pick<Flow, "signal" | "isSentOnly">[] {
    const receivers = listOf(pipelines[pipeline] ?? {}, "receivers");
    const isSentOnly = receivers.every((id) => ["otlp", "nop"].includes(typeOf(id)));
    const [kind] = pipeline.split("/");
    const before = Object.keys(pipelines).filter(
        (name) =>
            !seen.includes(name) &&
            name.split("/")[0] === kind &&
            listOf(pipelines[name] ?? {}, "exporters").some((id) => connectors.includes(id) && receivers.includes(id)),
    );
    const isFed =
        before.length > 0 && pipelineSignal(pipeline) !== "audit" && receivers.every((id) => connectors.includes(id));
    if (!isFed) {
        return [{ signal: pipelineSignal(pipeline), isSentOnly }];
    }
    const all = before
        .filter((name) => receives(pipelines[name] ?? {}))
        .flatMap((name) => sourcesOf(pipelines, name, connectors, [...seen, pipeline]));
    return signals
        .filter((signal) => all.some((each) => each.signal === signal))
        .map((signal) => ({
            signal,
            isSentOnly: all.filter((each) => each.signal === signal).every((each) => each.isSentOnly),
        }));
}

/** What a receiver on the loopback is sent to at by its own collector; `undefined` for one that others reach. */
export function loopbackAddress(config: HelmValues, receiver: string): string | undefined {
    const own = valueAt(config, ["receivers", receiver, "protocols", "http", "endpoint"]);
    return typeof own === "string" && own.startsWith("127.0.0.1:") ? `http://${own}` : undefined;
}

/** Whether an exporter sends to a receiver of its own collector on the loopback, whose pipeline then forwards the signal. */
export function isLoopbackExporter(config: HelmValues, exporter: string): boolean {
    return Object.values(pipelinesOf(config))
        .flatMap((pipeline) => listOf(pipeline, "receivers"))
        .some((receiver) => exportersTo(config, receiver).includes(exporter));
}

/** The exporters that send to a receiver of their own collector on the loopback. */
export function exportersTo(config: HelmValues, receiver: string): string[] {
    const address = loopbackAddress(config, receiver);
    const exporters = isMap(config.exporters) && address !== undefined ? Object.entries(config.exporters) : [];
    return exporters.flatMap(([id, options]) => (valueAt(options, ["endpoint"]) === address ? [id] : []));
}

/** The {@link flowsOf} a collector without what it prints or discards besides sending it on. */
export const endsOf = oncePer((collector: Collector): readonly Flow[] => {
    const flows = flowsOf(collector);
    const sent = new Set(flows.flatMap(({ signal, address }) => (address === undefined ? [] : [signal])));
    return flows.filter(({ signal, address }) => address !== undefined || !sent.has(signal));
});

/** The type of a component: what is before the slash of its name. */
export function typeOf(id: string): string {
    return id.split("/")[0] ?? "";
}

function receives(pipeline: HelmValue): boolean {
    return listOf(pipeline, "receivers").some((id) => typeOf(id) !== "nop");
}

/** The pipelines of a configuration, whatever is in them: `kof:values` may hold anything. */
export function pipelinesOf(config: HelmValues): HelmValues {
    const pipelines = valueAt(config, ["service", "pipelines"]);
    return isMap(pipelines) ? pipelines : {};
}

/** What a pipeline lists of a kind of components: `exporters`. */
export function listOf(pipeline: HelmValue, kind: string): string[] {
    const list = valueAt(pipeline, [kind]);
    return Array.isArray(list) ? list.map(textOf) : [];
}

/** These have no address that anybody would mean (0.143: `Config.Validate` of otlphttp, `createDefaultConfig` of prometheusremotewrite). */
function defaultAddress(exporter: string): string {
    return ["otlp", "otlphttp", "prometheusremotewrite"].includes(typeOf(exporter)) ? "" : "its own default address";
}

/**
 * Where an exporter sends what a pipeline of this kind hands to it.
 *
 * @param otherwise what to return where its options do not say.
 */
function addressOf(exporter: HelmValue | undefined, kind: string, otherwise: string): string {
    const settings = isMap(exporter) ? exporter : {};
    const { namespace, log_group_name: group, log_stream_name: stream, endpoint, region } = settings;
    const own = settings[`${kind}_endpoint`];
    const given = own === undefined || own === "" ? endpoint : own;
    // A collector does not start with anything but text.
    const address = typeof given === "string" ? given : undefined;
    const stored = group === undefined ? undefined : `${textOf(group)}/${textOf(stream)}`;
    // Metrics in CloudWatch are identified by their namespace, and traces in X-Ray by the region.
    return textOf(namespace ?? stored ?? address ?? region ?? otherwise);
}
