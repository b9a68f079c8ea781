import type { Signal } from "../charts";
import { destinationPresets, type DestinationPreset } from "./destinationPresets";
import type { DestinationAuth, DestinationSettings } from "./destinations";
import type { OtlpSettings, Settings } from "./settings";

/** A destination with what its preset fills in. */
export interface ResolvedDestination extends Omit<DestinationSettings, "preset" | "auth" | "endpoint"> {
    readonly name: string;
    /** Human-readable: `honeycomb (Honeycomb)`. */
    readonly title: string;
    /** Where its settings are, below `kof:`. */
    readonly path: readonly string[];
    readonly protocol: "http" | "grpc" | "remotewrite";
    readonly endpoint: string;
    readonly auth: ResolvedAuth;
    readonly preset?: DestinationPreset;
}

/** Authentication with the names of headers, and of the AWS service, that a preset fills in. */
export type ResolvedAuth =
    | Exclude<DestinationAuth, { kind: "headers" | "sigv4" }>
    | { readonly kind: "headers"; readonly secret: string; readonly headers: readonly string[] }
    | (Extract<DestinationAuth, { kind: "sigv4" }> & { readonly service: string });

/** The destination of a name in `kof:signals` that has its settings in `kof:destinations` or in `kof:otlp`. */
export function resolvedDestination(
    { destinations = {}, otlp }: Pick<Settings, "destinations" | "otlp">,
    name: string,
): ResolvedDestination | undefined {
    if (name === "otlp") {
        return otlp && ofOtlp(otlp);
    }
    const given = Object.hasOwn(destinations, name) ? destinations[name] : undefined;
    if (given === undefined) {
        return undefined;
    }
    const preset = given.preset === undefined ? undefined : destinationPresets[given.preset];
    const { preset: _, auth, ...own } = given;
    return {
        ...own,
        name,
        title: preset === undefined ? name : `${name} (${preset.title})`,
        path: ["destinations", name],
        protocol: given.protocol ?? preset?.protocol ?? "http",
        endpoint: given.endpoint ?? preset?.endpoint ?? preset?.endpointExample ?? "https://destination.invalid",
        auth: resolvedAuth(auth, preset),
        headers: { ...preset?.headers, ...given.headers },
        ...((given.temporality ?? preset?.temporality)
            ? { temporality: given.temporality ?? preset?.temporality }
            : {}),
        ...((given.batch ?? preset?.batch?.items) ? { batch: given.batch ?? preset?.batch?.items } : {}),
        ...((given.compression ?? preset?.compression)
            ? { compression: given.compression ?? preset?.compression }
            : {}),
        ...(preset ? { preset } : {}),
    };
}

function resolvedAuth(auth: DestinationAuth | undefined, preset: DestinationPreset | undefined): ResolvedAuth {
    if (auth === undefined) {
        const kind = preset?.auth?.kind;
        return { kind: kind === "google" || kind === "azure" ? kind : "none" };
    }
    switch (auth.kind) {
        case "headers":
            return { ...auth, headers: auth.headers ?? preset?.auth?.headers ?? ["Authorization"] };
        case "sigv4":
            return { ...auth, service: auth.service ?? preset?.auth?.service ?? "" };
        default:
            return auth;
    }
}

/** `kof:otlp` as one of several destinations. */
function ofOtlp({ endpoint, headersSecret, headers, tls, processing }: OtlpSettings): ResolvedDestination {
    return {
        name: "otlp",
        title: "OTLP",
        path: ["otlp"],
        protocol: "http",
        endpoint,
        auth: headersSecret === undefined ? { kind: "none" } : { kind: "headers", secret: headersSecret, headers },
        tls,
        ...(processing ? { processing } : {}),
    };
}

/** Where a destination gets a signal, or why it does not take it. */
export function addressFor(
    destination: ResolvedDestination,
    signal: Signal,
): { readonly endpoint: string | undefined } | { readonly refused: string } {
    const kind = signal === "audit" ? "logs" : signal;
    const { protocol, signals = {}, preset, path } = destination;
    const own = signals[kind];
    if (own === false) {
        return { refused: `kof:${[...path, "signals", kind].join(".")} is false` };
    }
    const fixed = preset?.signals[kind];
    if (own === undefined && preset && fixed === undefined) {
        return { refused: `${preset.title} takes no ${kind}` };
    }
    if (own === undefined && fixed?.refused !== undefined) {
        return { refused: fixed.refused };
    }
    if (protocol === "remotewrite" && kind !== "metrics") {
        return { refused: `Prometheus remote write carries metrics only` };
    }
    return { endpoint: own?.endpoint ?? fixed?.endpoint };
}
