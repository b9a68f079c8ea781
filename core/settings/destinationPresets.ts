import { nameMeant } from "../lib/spelling";
import presets = require("./presets.json");

/** The signals that vendors tell apart. Audit logs go where logs go. */
export const presetSignals = ["metrics", "logs", "traces"] as const;
export type PresetSignal = (typeof presetSignals)[number];

/** The largest request that a vendor takes: so many log records, spans or data points, or so many bytes before compression. */
export type PresetBatch = { readonly items: number } | { readonly bytes: number };

/** How a vendor authenticates senders. */
type PresetAuth =
    | { readonly kind: "none" | "basic" | "bearer" | "oauth2" | "clientCertificate" }
    /** Names of the headers whose values are secret. */
    | { readonly kind: "headers"; readonly headers: readonly string[] }
    /** AWS's name of the service that requests are signed for. */
    | { readonly kind: "sigv4"; readonly service: string }
    /** The pods' own identity in Google Cloud (extension `googleclientauth`). */
    | { readonly kind: "google" }
    /** The pods' own identity in Azure, and what it is asked for (extension `azureauth`). */
    | { readonly kind: "azure"; readonly scopes: readonly string[] };

/** What a vendor does with one signal. */
export interface SignalPreset {
    /** Why the vendor does not take it: the end of a sentence. The fields below are not there then. */
    readonly refused?: string;
    /** Complete address. Default: the preset's, and the path. It holds only for the preset's own `endpoint`. */
    readonly endpoint?: string;
    /** The same in the vendor's other regions, under the names that the preset's `otherEndpoints` have. */
    readonly otherEndpoints?: Readonly<Record<string, string>>;
    /** A complete address of somebody's, where each customer has their own and no base address. The user has to give it. */
    readonly endpointExample?: string;
    /** What comes after the base address. Default: `/v1/metrics` and its like over OTLP/HTTP, nothing over other protocols. */
    readonly path?: string;
    /** Default: the preset's. */
    readonly batch?: PresetBatch;
}

/** What a vendor fixes of a destination. Written by hand from the vendors' pages. */
export interface DestinationPreset {
    /** As people call it. */
    readonly title: string;
    /** Other names, in lower-case letters and digits alone. */
    readonly alsoCalled: readonly string[];
    /** The month in which somebody last looked: `2026-11`. */
    readonly asOf: string;
    /** OTLP over HTTP, OTLP over gRPC, or Prometheus' remote write. */
    readonly protocol: "http" | "grpc" | "remotewrite";
    /** The address that everybody uses: of OTLP/HTTP without the signal's path. */
    readonly endpoint?: string;
    /** The same in the vendor's other regions, by the vendor's name of the region. */
    readonly otherEndpoints?: Readonly<Record<string, string>>;
    /** An address of somebody's, where each customer has their own. The user has to give it. */
    readonly endpointExample?: string;
    readonly signals: Readonly<Record<PresetSignal, SignalPreset>>;
    readonly auth: PresetAuth;
    /** Headers that are the same for everybody. */
    readonly headers?: Readonly<Record<string, string>>;
    /** Where the vendor refuses or misreads cumulative metrics. */
    readonly temporality?: "delta";
    /** Default: the vendor names no limit. */
    readonly batch?: PresetBatch;
    /** Where the vendor refuses others. */
    readonly compression?: "gzip";
    /** Where to look by hand whether data arrived. */
    readonly lookUp: string;
    /** What else a user has to know, a sentence or two each. */
    readonly notes: readonly string[];
    /** Where each fact was found, by the field that holds it: a URL, or several. */
    readonly sources: Readonly<Record<string, string | readonly string[]>>;
    /** Fields whose source was read as a whole. Of the others it was an excerpt. */
    readonly opened?: readonly string[];
    /** Fields that nobody has looked up. */
    readonly fromMemory?: readonly string[];
}

/** A value of `kof:destinations.<name>.preset`. */
export type DestinationPresetName = keyof typeof presets;

/** What vendors fix of destinations, by the name of the preset. */
export const destinationPresets = presets as Readonly<Record<DestinationPresetName, DestinationPreset>>;

/** The preset that somebody means by another name for it. */
export function presetCalled(found: unknown): DestinationPresetName | undefined {
    return nameMeant(destinationPresets, found);
}
