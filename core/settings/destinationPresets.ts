import presets = require("./presets.json");

/** What a vendor, or a piece of software, fixes of a destination. */
export interface DestinationPreset {
    /** Its name, human-readable. */
    readonly title: string;
    /** Year and month when this was looked up. */
    readonly asOf: string;
    /** What else people call it. */
    readonly alsoCalled?: readonly string[];
    readonly protocol: "http" | "grpc" | "remotewrite";
    /** The address, where there is one for all customers. */
    readonly endpoint?: string;
    /** Its addresses in other places. */
    readonly otherEndpoints?: Readonly<Record<string, string>>;
    /** What an address looks like, where each customer has their own. */
    readonly endpointExample?: string;
    /** What it takes, of which each may have an address of its own; or why it does not. Audit logs are logs. */
    readonly signals: Readonly<
        Partial<Record<"metrics" | "logs" | "traces", { readonly endpoint?: string; readonly refused?: string }>>
    >;
    readonly auth?: { readonly kind: string; readonly headers?: readonly string[]; readonly service?: string };
    /** Headers that are no secret. */
    readonly headers?: Readonly<Record<string, string>>;
    readonly temporality?: "delta";
    /** The most that one request may have. */
    readonly batch?: { readonly items?: number; readonly bytes?: number };
    readonly compression?: "none" | "gzip" | "zstd" | "snappy";
    /** Where one looks whether data arrived. */
    readonly lookUp?: string;
    readonly notes?: readonly string[];
    readonly sources: Readonly<Record<string, string>>;
}

/** What is known of vendors, by the name of the preset. */
export const destinationPresets: Readonly<Record<string, DestinationPreset>> = presets as Record<
    string,
    DestinationPreset
>;

/** The preset that somebody means by another name for it. */
export function presetCalled(found: unknown): string | undefined {
    const plain = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
    const called = typeof found === "string" ? plain(found) : "";
    return Object.entries(destinationPresets).find(([name, { title, alsoCalled = [] }]) =>
        [name, title, ...alsoCalled].some((each) => plain(each) === called),
    )?.[0];
}
