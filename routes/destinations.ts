import { chartValues, signals, type Catalog, type Signal } from "../catalog";
import { valueAt } from "../catalog/values";
import { writePaths } from "../collectors/fragments";

/** Where one signal of the management cluster ends up. */
export type Destination =
    | { readonly stored: true; readonly store: string; readonly address: string }
    | { readonly stored: false; readonly why: string };

const stores = {
    metrics: "VictoriaMetrics",
    logs: "VictoriaLogs",
    traces: "VictoriaTraces",
    audit: "VictoriaLogs",
} as const;

/** The exporters of kof-collectors and the option of each that holds its address. */
const exporters = {
    metrics: ["prometheusremotewrite", "endpoint"],
    logs: ["otlphttp/logs", "logs_endpoint"],
    traces: ["otlphttp/traces", "traces_endpoint"],
    audit: ["otlphttp/logs-audit", "logs_endpoint"],
} as const;

/** Destinations in the stores of this cluster, at the addresses that the charts have by default. */
export function storedHere(catalog: Catalog): Record<Signal, Destination> {
    const config = ["opentelemetry-kube-stack", "defaultCRConfig", "config", "exporters"];
    const address = (signal: Signal) =>
        valueAt(chartValues(catalog, "kof-collectors"), [...config, ...exporters[signal]]);
    const destination = (signal: Signal): Destination => ({
        stored: true,
        store: `${stores[signal]} on this cluster`,
        // Before audit logs had a store of their own they were among the logs.
        address: (address(signal) ?? address("logs")) as string,
    });
    return forEach(destination);
}

/** Destinations in the stores of a region, behind its vmauth. */
export function storedInRegion(catalog: Catalog, region: string, vmauth: string): Record<Signal, Destination> {
    const hasAudit = catalog.volumes.some(({ signal }) => signal === "audit");
    return forEach((signal) => ({
        stored: true,
        store: `${stores[signal]} of region ${region}`,
        address: `${vmauth}${writePaths[signal === "audit" && !hasAudit ? "logs" : signal]}`,
    }));
}

function forEach(destination: (signal: Signal) => Destination): Record<Signal, Destination> {
    return Object.fromEntries(signals.map((signal) => [signal, destination(signal)])) as Record<Signal, Destination>;
}

/** A signal that goes nowhere. */
export function notStored(why: string): Destination {
    return { stored: false, why };
}

/** A destination as a person reads it. */
export function destinationText(destination: Destination): string {
    return destination.stored ? `${destination.store}: ${destination.address}` : `not stored (${destination.why})`;
}
