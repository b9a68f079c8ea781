import { distance } from "fastest-levenshtein";
import { parse } from "yaml";

import { signedOut, withoutSecrets } from "../lib/secrets";
import { isMisspelling } from "../lib/spelling";
import { isMap } from "../lib/values";
import { asPulumi } from "../lib/yaml/read";
import type { Schema } from "./about";

/**
 * What was probably meant by a value that a setting does not take: the nearest value that it takes, or `undefined`. What somebody
 * wrote is kept wherever it can be corrected, so a paste changes nothing else.
 */
export function mended(schema: Schema, found: unknown): unknown {
    return candidates(schema, found).find((each) => each !== undefined && schema.safeParse(each).success);
}

/** The likeliest first. */
function candidates(schema: Schema, found: unknown): unknown[] {
    if (typeof found === "number" || typeof found === "boolean") {
        return [String(found), ...nearest(schema, String(found))];
    }
    if (isMap(found)) {
        // A switch, as other programs write it.
        return typeof found.enabled === "boolean" ? [found.enabled] : [];
    }
    if (typeof found !== "string") {
        return [];
    }
    const text = found.trim();
    const named = /^[\p{L}\p{M}\p{N}_. -]+$/u.test(text) ? label(text) : undefined;
    return [
        ...(schema.def.type === "object" || schema.def.type === "record" ? maps(schema, text) : []),
        text,
        [text],
        ...nearest(schema, text),
        text === "" ? undefined : Number(text),
        booleans[text.toLowerCase()],
        schema.def.format === "url" ? address(text) : host(text),
        duration(text),
        named,
        named?.slice(0, 63),
    ];
}

/** What a text can mean where a map is expected: the map in quotes, or its endpoint. */
function maps(schema: Schema, text: string): unknown[] {
    const url = schema.shape?.endpoint === undefined || !isAddress(text) ? undefined : { endpoint: address(text) };
    // A masked secret cannot be pasted.
    return text.includes(":") && !text.includes("…") ? [url, parsed(text)] : [url];
}

function parsed(text: string): unknown {
    try {
        const value: unknown = parse(text, { ...asPulumi, maxAliasCount: 0 });
        // Numbers that JSON does not have are no settings.
        const plain = JSON.parse(JSON.stringify(value)) as unknown;
        return isMap(plain) && withoutSecrets(plain).found.length === 0 ? plain : undefined;
    } catch {
        return undefined;
    }
}

function isAddress(text: string): boolean {
    return /^[a-z][a-z0-9+.-]*:\/\/\S+$/i.test(text);
}

/** An address with a scheme that is read, and without what signs in to it, a query, or a slash at its end. */
function address(text: string): string {
    const plain = signedOut(text)
        .replace(/[?#].*$/, "")
        .replace(/\/+$/, "");
    const [, scheme, below = ""] = /^([a-z][a-z0-9+.-]*):\/\/+(.+)$/i.exec(plain) ?? [];
    if (scheme !== undefined) {
        // OTLP over gRPC has another port than over HTTP.
        return /^grpcs?$/i.test(scheme)
            ? `https://${below.replace(/^([^/]+:)4317(?=\/|$)/, "$14318")}`
            : `${schemeOf(scheme.toLowerCase())}://${below}`;
    }
    const [, begun = "https", rest = plain] = /^(https?)(?::\/?|\/\/)(?=[^/\d])(.+)$/i.exec(plain) ?? [];
    return `${begun.toLowerCase()}://${rest.replace(/^\/\//, "")}`;
}

/** The scheme that a misspelt one means. */
function schemeOf(scheme: string): string {
    const near = ["https", "http"].find((each) => distance(each, scheme) <= 1) ?? scheme;
    return scheme === "http" ? scheme : near;
}

function host(text: string): string | undefined {
    return /^https?:\/\/([^/:?#@]+)/.exec(text)?.[1];
}

const booleans: Readonly<Record<string, boolean>> = {
    true: true,
    yes: true,
    on: true,
    false: false,
    no: false,
    off: false,
};

/** The allowed values that a text may mean: in another case, cut short (`1.9`), or misspelt. */
function nearest(schema: Schema, text: string): string[] {
    const allowed = (schema.options as readonly unknown[] | undefined) ?? [];
    const plain = (each: string) => each.toLowerCase().replace(/^v(?=\d)/, "");
    const wanted = plain(text);
    const far = (each: string) => distance(wanted, plain(each));
    const texts = allowed.filter((each) => typeof each === "string");
    // YAML reads 1.10 without quotes as the number 1.1.
    const begun = texts.filter((each) => plain(each).startsWith(`${wanted}.`) || plain(each).startsWith(`${wanted}0.`));
    // Another number is another version.
    const near = /^\d/.test(wanted)
        ? texts.filter((each) => far(each) === 0)
        : texts.filter((each) => isMisspelling(wanted, plain(each), "value"));
    const [best, other] = near.sort((a, b) => far(a) - far(b));
    // If two are equally near, neither is clearly meant.
    const isClear = best !== undefined && (other === undefined || far(other) !== far(best));
    return [...begun.reverse(), ...(isClear ? [best] : []), ...byWord(texts, wanted)];
}

/** The only allowed value with the text as a word, or that is a word of the text: `nfs-csi` for `nfs`, `gke` for `GKE Autopilot`. */
function byWord(allowed: readonly string[], text: string): string[] {
    if (!/[a-z]{2}/.test(text)) {
        return [];
    }
    const words = (each: string) => each.toLowerCase().split(/[^a-z0-9]+/);
    const having = allowed.filter((each) => words(each).includes(text));
    const had = allowed.filter((each) => words(text).includes(each.toLowerCase()));
    return [having, had].filter((each) => each.length === 1).flat();
}

/** `2 hours` as `2h`. */
function duration(text: string): string | undefined {
    const [, amount, unit = ""] = /^(\d+) ?([a-z])[a-z]*$/i.exec(text) ?? [];
    return amount === undefined ? undefined : amount + unit.toLowerCase();
}

/** `My_Café` as `my-cafe`. */
function label(text: string): string {
    return text
        .normalize("NFKD")
        .replace(/\p{M}/gu, "")
        .toLowerCase()
        .replace(/[^a-z0-9.]+/g, "-")
        .replace(/^[-.]+|[-.]+$/g, "");
}
