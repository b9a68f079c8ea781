import type { ResolvedAuth } from "./resolvedDestinations";

/** The names of HTTP headers that can be keys of a Secret and part of the name of a variable. */
export const headerName = /^[A-Za-z0-9][-\w]*$/;

/** The name that this program proposes for the Secret with the headers of route otlp. */
export const otlpHeadersSecret = "otlp-headers";

/** The environment variable of the collectors with the value of an HTTP header. */
export function headerVariable(header: string): string {
    return `OTLP_HEADER_${header.toUpperCase().replaceAll("-", "_")}`;
}

/** The environment variable of the collectors with one key of a destination's Secret. */
export function destinationVariable(name: string, key: string): string {
    const plain = (text: string) => text.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_");
    // Route otlp has names of its own, from before there were several destinations.
    return name === "otlp" ? headerVariable(key) : `DESTINATION_${plain(name)}__${plain(key)}`;
}

/** The keys of the Secret of a destination, by kind of authentication. With kind headers they are the names of the headers. */
export const secretKeys: Readonly<Record<string, readonly string[]>> = {
    basic: ["username", "password"],
    bearer: ["token"],
    oauth2: ["client_id", "client_secret"],
    sigv4: ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
    clientCertificate: ["tls.crt", "tls.key"],
};

/** The keys of a destination's Secret that have variables of their own. AWS keys are in AWS's own variables. */
export function secretKeysOf(auth: ResolvedAuth): readonly string[] {
    return auth.kind === "headers" ? auth.headers : auth.kind === "sigv4" ? [] : (secretKeys[auth.kind] ?? []);
}
