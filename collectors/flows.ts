import type { Signal } from "../catalog";
import { isMap, textOf, valueAt, type HelmValue, type HelmValues } from "../catalog/values";
import type { Destination } from "../routes/destinations";
import type { Collector } from "./effective";

/** What one pipeline of a collector hands to one exporter. */
export interface Flow {
    /** The pipeline: `logs/audit`. */
    readonly pipeline: string;
    readonly signal: Signal;
    /** The exporter's name: `otlphttp/logs`. */
    readonly exporter: string;
    /** Where the exporter sends it: a URL, `group/stream` of CloudWatch, or `undefined` when it is discarded. */
    readonly address: string | undefined;
}

/** Whether an exporter keeps nothing. */
export function isDiscarding(exporter: string): boolean {
    return ["nop", "debug"].includes(typeOf(exporter));
}

/** Where the pipelines of a collector send what they receive. What one hands to another is no flow. */
export function flowsOf({ config }: Collector): Flow[] {
    const connectors = Object.keys((config.connectors ?? {}) as HelmValues);
    return Object.entries((valueAt(config, ["service", "pipelines"]) ?? {}) as HelmValues)
        .filter(([, pipeline]) => receives(pipeline))
        .flatMap(([pipeline, parts]) =>
            ((valueAt(parts, ["exporters"]) ?? []) as string[])
                .filter((exporter) => !connectors.includes(exporter) && !isHandedOn(config, exporter))
                .map((exporter) => {
                    const settings = valueAt(config, ["exporters", exporter]);
                    const kind = pipeline.split("/")[0] as "metrics" | "logs" | "traces";
                    return {
                        pipeline,
                        // KOF 1.10 and later sort audit logs into a pipeline of this name.
                        signal: pipeline === "logs/audit" ? "audit" : kind,
                        exporter,
                        address: isDiscarding(exporter) ? undefined : addressOf(settings, kind),
                    };
                }),
        );
}

/** Whether an exporter sends to a receiver of its own collector on the loopback, by whose pipeline the signal goes on. */
export function isHandedOn(config: HelmValues, exporter: string): boolean {
    const endpoint = valueAt(config, ["exporters", exporter, "endpoint"]);
    const pipelines = Object.values(valueAt(config, ["service", "pipelines"]) as HelmValues);
    return pipelines
        .flatMap((pipeline) => (valueAt(pipeline, ["receivers"]) ?? []) as string[])
        .map((id) => valueAt(config, ["receivers", id, "protocols", "http", "endpoint"]) as string | undefined)
        .some((own) => own?.startsWith("127.0.0.1:") === true && endpoint === `http://${own}`);
}

/** The {@link flowsOf} a collector without what it prints or discards besides sending it on. */
export function endsOf(collector: Collector): Flow[] {
    const flows = flowsOf(collector);
    const sent = new Set(flows.flatMap(({ signal, address }) => (address === undefined ? [] : [signal])));
    return flows.filter(({ signal, address }) => address !== undefined || !sent.has(signal));
}

/** The type of a component: what is before the slash of its name. */
export function typeOf(id: string): string {
    return id.split("/")[0] ?? "";
}

function receives(pipeline: HelmValue): boolean {
    return ((valueAt(pipeline, ["receivers"]) ?? []) as string[]).some((id) => typeOf(id) !== "nop");
}

/** Where an exporter sends what a pipeline of this kind hands to it. */
export function addressOf(exporter: HelmValue | undefined, kind: string): string {
    const settings = isMap(exporter) ? exporter : {};
    const { namespace, log_group_name: group, log_stream_name: stream, endpoint, region } = settings;
    const stored = group === undefined ? undefined : `${textOf(group)}/${textOf(stream)}`;
    // Of metrics in CloudWatch it is their namespace that tells, and of traces in X-Ray the region.
    return textOf(
        namespace ?? stored ?? settings[`${kind}_endpoint`] ?? endpoint ?? region ?? "its own default address",
    );
}

/** Whether an address is the one of a destination, in which a `*` stands for what differs from pod to pod. */
export function leadsTo(address: string | undefined, destination: Destination): boolean {
    if (!destination.stored || address === undefined) {
        return false;
    }
    const pattern = destination.address.split("*").map((part) => part.replaceAll(/[^\w/-]/g, "\\$&"));
    return new RegExp(`^${pattern.join(".*")}$`).test(address);
}
