import type { Catalog } from "../charts";
import { stackDefaults, valuesOfEach } from "../charts/stack";
import { compact } from "../lib/compact";
import { isMap, mergeValues, nest, nestSome, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import { typeOf } from "./flows";

/** What collectors keep while their destination is away. */
export interface Buffer {
    /** How long an exporter tries, as a Go duration: `30m`. */
    readonly duration: string;
    /** Most that the queue of one exporter takes, in bytes. */
    readonly bytes: number;
}

/** The extension that keeps queues on the node's disk. KOF has it from 1.10 on (`charts/kof-collectors/values.yaml`). */
const extension = "file_storage/exporters";

/**
 * Options of an exporter with which an outage of the destination loses nothing, for otlphttp and awscloudwatchlogs. The queue is on
 * disk, survives the collector and has a limit in bytes. The exporter retries each batch for as long as the outage may last.
 */
export function bufferedExporter({ duration, bytes }: Buffer): HelmValues {
    return {
        sending_queue: { enabled: true, storage: extension, sizer: "bytes", queue_size: bytes },
        retry_on_failure: { enabled: true, max_elapsed_time: duration },
    };
}

/**
 * The same for prometheusremotewrite, as far as possible: it retries as long, but keeps its queue in memory. Its time limit covers
 * all attempts together, and is 5 seconds by default. Every wait is as long as the first one (it ignores max_interval), which is 50
 * milliseconds by default. Its write-ahead log is no solution: it has no limit in size, and repeats refused data for ever without a
 * pause (contrib 0.149).
 */
export function retriedRemoteWrite({ duration }: Buffer): HelmValues {
    return {
        timeout: duration,
        retry_on_failure: { enabled: true, initial_interval: "5s", max_elapsed_time: duration },
    };
}

/** The queue that {@link queuedRemoteWrite} puts in front of prometheusremotewrite, at both of its ends. */
export const metricsQueue = {
    exporter: "otlphttp/queue",
    receiver: "otlp/queue",
    pipeline: "metrics/deliver",
    firstPort: 14318,
};

/**
 * Keeps metrics for prometheusremotewrite on disk: the collector first sends them to itself, in OTLP on the loopback. The sending
 * end has a queue on disk. The receiving end writes to the destination before it answers. Series arrive unchanged.
 *
 * prometheusremotewrite reports every failure as final, so it must not report one while the destination is unreachable. It waits
 * until the sending end gives up on the attempt and retries later.
 *
 * @returns values for opentelemetry-kube-stack.
 */
export function queuedRemoteWrite(catalog: Catalog, buffer: Buffer): HelmValues {
    const { exporter, receiver, pipeline, firstPort } = metricsQueue;
    const queue = loopback(catalog, { exporter, receiver, firstPort }, buffer);
    const pipelines = {
        metrics: { exporters: [exporter] },
        [pipeline]: { receivers: [receiver], exporters: ["prometheusremotewrite"] },
    };
    const exporters = { ...queue.exporters, prometheusremotewrite: behindQueue };
    return {
        ...valuesOfEach(catalog, (_, key) => queue.ofCollector(key)),
        defaultCRConfig: { config: { exporters, service: { pipelines } } },
    };
}

/** Options of an exporter of remote write with a queue in front of it: see {@link queuedRemoteWrite}. */
export const behindQueue: HelmValues = {
    remote_write_queue: { enabled: false },
    timeout: "1m",
    retry_on_failure: { enabled: true, initial_interval: "1m", max_elapsed_time: "0s" },
};

/** The exporter that keeps on disk what an exporter of remote write writes, where there is such a queue. */
export function queueExporterOf(writer: string): string {
    const [, name] = writer.split("/");
    return name === undefined ? metricsQueue.exporter : `otlphttp/${name}-queue`;
}

/** A queue on disk in front of one exporter of remote write, as {@link queuedRemoteWrite} puts it in front of KOF's own. */
interface LoopbackQueue {
    readonly exporter: string;
    readonly receiver: string;
    /** The pipeline that delivers what waited. */
    readonly pipeline: string;
    /** The definition of {@link exporter}, without its address. */
    readonly exporters: HelmValues;
    /** The addresses within one collector. */
    readonly ofCollector: (key: string) => HelmValues;
}

/**
 * Such a queue for a destination.
 *
 * @param offset what its ports start with, above those of {@link metricsQueue}: collectors on one node share its loopback.
 */
export function loopbackQueue(catalog: Catalog, name: string, offset: number, buffer: Buffer): LoopbackQueue {
    const ends = { exporter: queueExporterOf(`prometheusremotewrite/${name}`), receiver: `otlp/${name}-queue` };
    const firstPort = metricsQueue.firstPort + offset;
    return { ...ends, pipeline: `metrics/${name}-deliver`, ...loopback(catalog, { ...ends, firstPort }, buffer) };
}

/** Both ends of a queue on the loopback. Two of the collectors are on the node's network, so each has a port of its own. */
function loopback(
    catalog: Catalog,
    { exporter, receiver, firstPort }: Pick<LoopbackQueue, "exporter" | "receiver"> & { readonly firstPort: number },
    buffer: Buffer,
): Pick<LoopbackQueue, "exporters" | "ofCollector"> {
    const keys = Object.keys(stackDefaults(catalog).collectors);
    return {
        exporters: { [exporter]: { compression: "none", timeout: "10s", ...bufferedExporter(buffer) } },
        ofCollector: (key) => {
            const endpoint = `127.0.0.1:${String(firstPort + keys.indexOf(key))}`;
            return {
                config: {
                    receivers: { [receiver]: { protocols: { http: { endpoint } } } },
                    exporters: { [exporter]: { endpoint: `http://${endpoint}` } },
                },
            };
        },
    };
}

/**
 * What collectors without it need for the queues of {@link bufferedExporter}: the extension, its folder on the node, and the right to
 * write there. Nothing from KOF 1.10 on, which has all of it.
 *
 * @param extensions further extensions that every collector has to start.
 */
export function queueStorage(catalog: Catalog, extensions: readonly string[] = []): HelmValues {
    const { defaultCRConfig } = stackDefaults(catalog);
    const isPresent = isMap(valueAt(defaultCRConfig, ["config", "extensions", extension]));
    if (isPresent && extensions.length === 0) {
        return {};
    }
    const path = ["config", "service", "extensions"];
    const started = (of: HelmValues) => {
        const listed = valueAt(of, path) as string[] | undefined;
        return listed ? nest(path, compact(...listed, ...extensions, !isPresent && extension)) : {};
    };
    return {
        // A collector's own list replaces the one of defaultCRConfig.
        ...valuesOfEach(catalog, (own) => mergeValues(started(own), isPresent ? {} : folder(own))),
        defaultCRConfig: started(defaultCRConfig),
    };
}

/**
 * Lets collectors start over where a power loss has left what they keep on the node unreadable: queues, and how far they have
 * read. Otherwise such a collector crashes at every start, until somebody removes the file. The file stays beside the new one,
 * as `*.backup`. No option helps if its first page is unreadable (contrib 0.143).
 *
 * @returns values for opentelemetry-kube-stack.
 */
export function recreatedStorage(catalog: Catalog): HelmValues {
    const { defaultCRConfig } = stackDefaults(catalog);
    const path = ["config", "extensions"];
    const storages = (of: HelmValues) =>
        Object.keys(valueAt(of, path) ?? {}).filter((id) => typeOf(id) === "file_storage");
    const shared = storages(defaultCRConfig);
    const recreated = (ids: readonly string[]) =>
        nestSome(path, Object.fromEntries(ids.map((id) => [id, { recreate: true }])));
    return mergeValues(
        valuesOfEach(catalog, (own) => recreated(storages(own).filter((id) => !shared.includes(id)))),
        nest(["defaultCRConfig"], recreated(shared)),
    );
}

/** A folder of the node for the queues of one collector, as in KOF 1.10. Collectors share nodes, so its name has the collector. */
function folder(own: HelmValues): HelmValues {
    const path = `/var/lib/otelcol/file_storage/exporters-${own.suffix as string}`;
    const list = (key: string) => (own[key] ?? []) as HelmValue[];
    return {
        config: { extensions: { [extension]: { directory: path, recreate: true } } },
        volumes: [...list("volumes"), { name: "fs-exporters", hostPath: { path, type: "DirectoryOrCreate" } }],
        volumeMounts: [...list("volumeMounts"), { name: "fs-exporters", mountPath: path }],
        securityContext: { runAsUser: 0, runAsGroup: 0 },
    };
}
