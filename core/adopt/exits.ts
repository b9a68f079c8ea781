import { isDeepStrictEqual } from "node:util";

import { domainOf } from "../lib/arns";
import { isMap, keysAt, textOf, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import type { Signal } from "../charts";
import { shortName, type Collector } from "../collectors/effective";
import {
    exportersTo,
    loopbackAddress,
    isDiscarding,
    isLoopbackExporter,
    listOf,
    pipelinesOf,
    pipelineSignal,
    typeOf,
} from "../collectors/flows";
import { writePaths } from "../collectors/fragments";
import { cloudwatchOtlpExporters } from "../routes/cloudwatch";

/** One way out of a collector, from the pipeline that receives to the exporter that writes. */
export interface Exit {
    readonly collector: Collector;
    /** The pipeline that receives. */
    readonly origin: string;
    readonly signal: Signal;
    /** What the list of exporters of that pipeline has for this way: the exporter itself, or what leads there. */
    readonly entry: string;
    readonly exporter: string;
    /** Processors on the way, behind those of {@link origin}. */
    readonly processors: readonly string[];
    /** The connectors, pipelines and queues that are on this way. */
    readonly via: readonly string[];
    /** The pipeline of hand-written values that stands beside another one with the same receivers, and is a branch of it in effect. */
    readonly beside?: string;
    /** Why a stack cannot have this way. */
    readonly refused?: string;
}

/**
 * Where the pipelines of a collector lead in the end.
 *
 * @param own the same collector as the charts have it: its pipelines are the charts' own.
 */
export function exitsOf(collector: Collector, own: Collector | undefined): Exit[] {
    const { config } = collector;
    const pipelines = pipelinesOf(config);
    const charts = own ? pipelinesOf(own.config) : {};
    return Object.entries(pipelines).flatMap(([origin, parts]) => {
        const receivers = listOf(parts, "receivers");
        if (!receivers.some((id) => typeOf(id) !== "nop" && !isInner(config, id))) {
            return [];
        }
        const ways = listOf(parts, "exporters").flatMap((entry) =>
            waysFrom(config, pipelineKindOf(origin), entry, []).map((way) => ({ ...way, entry })),
        );
        const exit = { collector, origin, signal: pipelineSignal(origin) };
        if (Object.hasOwn(charts, origin)) {
            return ways.map((way) => ({ ...exit, ...way }));
        }
        const main = Object.keys(charts).find(
            (name) =>
                pipelineKindOf(name) === pipelineKindOf(origin) &&
                isDeepStrictEqual(new Set(listOf(pipelines[name] ?? {}, "receivers")), new Set(receivers)),
        );
        if (main === undefined) {
            const refused = `pipeline ${origin} of ${shortName(collector)} receives what no pipeline of the charts does`;
            return ways.map((way) => ({ ...exit, ...way, refused }));
        }
        // In effect a branch of that one.
        const behind = behindRouters(config, main);
        const present = [main, ...behind].flatMap((name) => listOf(pipelines[name] ?? {}, "processors"));
        const processors = listOf(parts, "processors").filter((id) => !present.includes(id));
        return (behind.length > 0 ? behind : [main]).flatMap((name) =>
            ways.map((way) => ({
                ...exit,
                ...way,
                origin: name,
                signal: pipelineSignal(name),
                processors: [...processors, ...way.processors],
                beside: origin,
            })),
        );
    });
}

interface Way {
    readonly exporter: string;
    readonly processors: readonly string[];
    readonly via: readonly string[];
    readonly refused?: string;
}

function waysFrom(config: HelmValues, kind: string, id: string, via: readonly string[]): Way[] {
    const isConnector = keysAt(config, ["connectors"]).includes(id);
    if (!isConnector && !isLoopbackExporter(config, id)) {
        return [{ exporter: id, processors: [], via }];
    }
    if (isConnector && typeOf(id) !== "forward") {
        return [];
    }
    const address = textOf(valueAt(config, ["exporters", id, "endpoint"]));
    const receivers = isConnector
        ? [id]
        : keysAt(config, ["receivers"]).filter((each) => loopbackAddress(config, each) === address);
    return Object.entries(pipelinesOf(config))
        .filter(
            ([name, parts]) =>
                pipelineKindOf(name) === kind &&
                !via.includes(name) &&
                listOf(parts, "receivers").some((each) => receivers.includes(each)),
        )
        .flatMap(([name, parts]) =>
            listOf(parts, "exporters").flatMap((next) =>
                waysFrom(config, kind, next, [...via, id, ...receivers, name]).map((way) => ({
                    ...way,
                    processors: [...listOf(parts, "processors"), ...way.processors],
                })),
            ),
        );
}

/** The pipelines that a router hands to what comes into another one, as KOF 1.10 and later sort audit logs. */
function behindRouters(config: HelmValues, pipeline: string): string[] {
    const pipelines = pipelinesOf(config);
    const routers = listOf(pipelines[pipeline] ?? {}, "exporters").filter((id) => typeOf(id) === "routing");
    return Object.entries(pipelines)
        .filter(([, parts]) => listOf(parts, "receivers").some((id) => routers.includes(id)))
        .map(([name]) => name);
}

/** Whether a receiver gets what its own collector sends. What a router of the charts sends on has a pipeline of the charts. */
function isInner(config: HelmValues, receiver: string): boolean {
    const isConnector = keysAt(config, ["connectors"]).includes(receiver);
    return (isConnector && typeOf(receiver) === "forward") || exportersTo(config, receiver).length > 0;
}

export function pipelineKindOf(pipeline: string): "metrics" | "logs" | "traces" {
    return pipeline.split("/")[0] as "metrics" | "logs" | "traces";
}

/** The protocols of exporters that a destination may have, by type. Later collectors have second names for two (contrib 0.155). */
export const exporterProtocols: Readonly<Record<string, "http" | "grpc" | "remotewrite">> = {
    otlphttp: "http",
    otlp_http: "http",
    otlp: "grpc",
    otlp_grpc: "grpc",
    prometheusremotewrite: "remotewrite",
};

/** Where an exporter sends a kind of telemetry: one text for the same place, however it is written. */
export function addressAt(exporter: string, options: HelmValue | undefined, kind: string): string {
    const at = (key: string) => textOf(valueAt(options, [key]) ?? "").replace(/\/+$/, "");
    switch (exporterProtocols[typeOf(exporter)]) {
        case "http":
            return at(`${kind}_endpoint`) || (at("endpoint") && `${at("endpoint")}/v1/${kind}`);
        case "grpc":
            return at("endpoint").replace(/^(https?:\/\/|dns:\/\/\/)/, "");
        default:
            return at("endpoint");
    }
}

/** A name for what is at the end of an exit: those of KOF's stores and of CloudWatch, or an address. */
export function exitPlace({ collector, origin, exporter }: Exit, isOwnStore: (address: string) => boolean): string {
    if (isDiscarding(exporter)) {
        return "";
    }
    if (/^aws(cloudwatchlogs|emf|xray)$/.test(typeOf(exporter))) {
        return "cloudwatch";
    }
    const address = addressAt(exporter, valueAt(collector.config, ["exporters", exporter]), pipelineKindOf(origin));
    // The exporter of logs has whatever else is needed to write to CloudWatch.
    if (isOtlpOfCloudWatch(exporter, address) && isMap(valueAt(collector.config, ["exporters", "awscloudwatchlogs"]))) {
        return "cloudwatch";
    }
    if (exporterProtocols[typeOf(exporter)] === undefined || address === "") {
        return exporter;
    }
    if (isOwnStore(address)) {
        return "management";
    }
    return isOfRegion(address) ? "regional" : address;
}

/** Whether an exporter is one of those that send to AWS over OTLP with `kof:cloudwatch.signals`. */
function isOtlpOfCloudWatch(exporter: string, address: string): boolean {
    const [, region = "", domain] = /^https:\/\/(?:monitoring|xray)\.([\w-]+)\.([\w.-]+)\/v1\//.exec(address) ?? [];
    return Object.values<string>(cloudwatchOtlpExporters).includes(exporter) && domain === domainOf(region);
}

/** Whether an address is one of vmauth of a region, which has the same paths on each. */
export function isOfRegion(address: string): boolean {
    return (
        /^https?:\/\/(vmauth\.|[^/:]+-vmauth(\.kof(\.svc[^:/]*)?)?:8427\/)/.test(address) &&
        Object.values(writePaths).some((path) => address.endsWith(path))
    );
}
