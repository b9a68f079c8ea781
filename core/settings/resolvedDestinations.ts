import { telemetryKind, type Signal } from "../charts";
import { destinationPresets, type DestinationPreset, type PresetBatch } from "./destinationPresets";
import type { DestinationAuth, DestinationSettings } from "./destinations";
import type { OtlpSettings, Settings } from "./settings";

/** A destination with what its preset fills in. */
export interface ResolvedDestination extends Omit<DestinationSettings, "preset" | "auth" | "endpoint" | "batch"> {
    readonly name: string;
    /** Human-readable: `honeycomb (Honeycomb)`. */
    readonly title: string;
    /** Where its settings are, below `kof:`. */
    readonly path: readonly string[];
    readonly protocol: "http" | "grpc" | "remotewrite";
    /** Of OTLP over HTTP the base address. `undefined` where each signal has an address of its own. */
    readonly endpoint: string | undefined;
    readonly auth: ResolvedAuth;
    readonly preset?: DestinationPreset;
    /** The most that one request has of a signal. */
    readonly batch: (signal: Signal) => PresetBatch | undefined;
}

/** Authentication with the names of headers, and of the AWS service, that a preset fills in. */
export type ResolvedAuth =
    | Exclude<DestinationAuth, { kind: "headers" | "sigv4" | "azure" }>
    | { readonly kind: "azure"; readonly scopes: readonly string[] }
    | { readonly kind: "headers"; readonly secret: string; readonly headers: readonly string[] }
    | (Extract<DestinationAuth, { kind: "sigv4" }> & { readonly service: string });

/** The destination of a name in `kof:signals` that has its settings in `kof:destinations` or in `kof:otlp`. */
export function resolvedDestination(
    { destinations = {}, otlp }: Pick<Settings, "destinations" | "otlp">,
    name: string,
): ResolvedDestination | undefined {
    if (name === "otlp") {
        return otlp && destinationOfOtlp(otlp);
    }
    const given = Object.hasOwn(destinations, name) ? destinations[name] : undefined;
    if (given === undefined) {
        return undefined;
    }
    const preset = given.preset && destinationPresets[given.preset];
    const { preset: _, auth, temporality = preset?.temporality, ...own } = given;
    return {
        ...own,
        name,
        title: preset === undefined ? name : `${name} (${preset.title})`,
        path: ["destinations", name],
        protocol: given.protocol ?? preset?.protocol ?? "http",
        endpoint: given.endpoint ?? preset?.endpoint,
        auth: resolvedAuth(auth, preset),
        headers: { ...preset?.headers, ...given.headers },
        ...(temporality && { temporality }),
        batch: (signal) =>
            given.batch === undefined
                ? (preset?.signals[telemetryKind(signal)].batch ?? preset?.batch)
                : { items: given.batch },
        ...(preset && { preset }),
    };
}

function resolvedAuth(auth: DestinationAuth | undefined, preset: DestinationPreset | undefined): ResolvedAuth {
    if (auth === undefined) {
        const kind = preset?.auth.kind;
        return resolvedAuth({ kind: kind === "google" || kind === "azure" ? kind : "none" }, preset);
    }
    const known = preset?.auth;
    switch (auth.kind) {
        case "headers":
            return {
                ...auth,
                headers: auth.headers ?? (known?.kind === "headers" ? known.headers : ["Authorization"]),
            };
        case "sigv4":
            return { ...auth, service: auth.service ?? (known?.kind === "sigv4" ? known.service : "") };
        case "azure":
            return { kind: "azure", scopes: known?.kind === "azure" ? known.scopes : azureScopes };
        default:
            return auth;
    }
}

/** What Azure Monitor's tokens are for. */
export const azureScopes: readonly string[] = ["https://monitor.azure.com/.default"];

/** `kof:otlp` as a destination. */
export function destinationOfOtlp(settings: OtlpSettings): ResolvedDestination {
    const { endpoint, headersSecret, headers, tls, processing } = settings;
    return {
        name: "otlp",
        title: "OTLP",
        path: ["otlp"],
        batch: () => undefined,
        protocol: "http",
        endpoint,
        auth: headersSecret === undefined ? { kind: "none" } : { kind: "headers", secret: headersSecret, headers },
        tls,
        ...(processing ? { processing } : {}),
    };
}

/** The complete address at which a destination gets a signal, where it has one of its own; or why it does not take the signal. */
export function addressFor(
    { protocol, signals = {}, preset, path, endpoint }: ResolvedDestination,
    signal: Signal,
): { readonly endpoint: string | undefined } | { readonly refused: string } {
    const kind = telemetryKind(signal);
    const own = signals[kind];
    if (own === false) {
        return { refused: `kof:${[...path, "signals", kind].join(".")} is false` };
    }
    if (own !== undefined) {
        return { endpoint: own.endpoint };
    }
    const known = preset?.signals[kind];
    if (known?.refused !== undefined) {
        return { refused: known.refused };
    }
    if (protocol === "remotewrite" && kind !== "metrics") {
        return { refused: "Prometheus remote write carries metrics alone" };
    }
    // The address of a signal only goes with the base address that the vendor names with it.
    const [region] = Object.entries(preset?.otherEndpoints ?? {}).find(([, each]) => each === endpoint) ?? [];
    const fixed =
        endpoint === preset?.endpoint
            ? known?.endpoint
            : region === undefined
              ? undefined
              : known?.otherEndpoints?.[region];
    const added = known?.path === undefined || endpoint === undefined ? undefined : `${endpoint}${known.path}`;
    return { endpoint: fixed ?? (protocol === preset?.protocol ? added : undefined) };
}
