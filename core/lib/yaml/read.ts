import {
    parseDocument,
    type CollectionTag,
    type DocumentOptions,
    type ParseOptions,
    type ScalarTag,
    type SchemaOptions,
} from "yaml";

import type { HelmValue } from "../values";

type Scalar = string | number | bigint | boolean | null;

/**
 * How Helm, Flux, Sveltos and Kubernetes read YAML, as options of the parser: by sigs.k8s.io/yaml, whose YAML is 1.1 as far as
 * Go's is. `no` and `y` are booleans to it, `1_000` and `010` numbers, dates and `1:30` text. Tried with 1.6.0, 2026-11-27.
 */
export const asHelm = readingBy(helmScalar, [
    ...(["int", "float", "bool", "null"] as const).map(tagged),
    {
        tag: "tag:yaml.org,2002:binary",
        resolve: (text: string, fail: Fail) => {
            if (!/^[\w+/\s]*={0,2}\s*$/.test(text)) {
                fail("a value with the tag !!binary is no base64");
            }
            return Buffer.from(text, "base64").toString("utf8");
        },
    },
    { tag: "tag:yaml.org,2002:timestamp", resolve: (text: string) => text },
    { tag: "tag:yaml.org,2002:set", collection: "map", resolve: (found: object) => found },
    { tag: "tag:yaml.org,2002:omap", collection: "seq", resolve: (found: object) => found },
    { tag: "tag:yaml.org,2002:pairs", collection: "seq", resolve: (found: object) => found },
]);

type Fail = (message: string) => void;

/** A scalar that its tag makes something of, in quotes too: `!!int '5'`. */
function tagged(type: "int" | "float" | "bool" | "null"): ScalarTag {
    const fits = {
        int: (value: unknown) => Number.isInteger(value),
        float: (value: unknown) => typeof value === "number",
        bool: (value: unknown) => typeof value === "boolean",
        null: (value: unknown) => value === null,
    }[type];
    return {
        tag: `tag:yaml.org,2002:${type}`,
        resolve: (text, fail) => {
            const value = helmScalar(text);
            if (!fits(value)) {
                fail(`a value with the tag !!${type} is none`);
            }
            return value;
        },
    };
}

function helmScalar(text: string) {
    if (/^([yY]|yes|Yes|YES|on|On|ON)$/.test(text)) {
        return true;
    }
    const value = /^([nN]|no|No|NO|off|Off|OFF)$/.test(text) ? false : scalarOf(text);
    return typeof value === "bigint" ? Number(value) : value;
}

/**
 * What Helm and Kubernetes read where a template writes a text without quotes: `456` is a number to them, and `a #b` is `a`.
 *
 * @returns `undefined` where the text breaks what it stands in.
 */
export function withoutQuotes(text: string): HelmValue | undefined {
    // Most texts are names, which are single scalars. To parse each as a document takes a hundred times as long.
    if (/^[A-Za-z0-9][\w./@-]*$/.test(text)) {
        return helmScalar(text);
    }
    return parsedWithoutQuotes(text);
}

/** As {@link withoutQuotes}, by the parser. */
export function parsedWithoutQuotes(text: string): HelmValue | undefined {
    const document = parseDocument(`text: ${text}`, { ...asHelm, logLevel: "silent" });
    let found: HelmValue | undefined;
    try {
        ({ text: found } = (document.errors.length > 0 ? {} : document.toJS()) as { text?: HelmValue });
    } catch {
        // The parser reports `*a` without `&a` before it only here.
        return undefined;
    }
    // A carriage return ends a line in YAML 1.1.
    return text.includes("\r") ? undefined : found;
}

/**
 * How Pulumi reads a stack file, as options of the parser. Pulumi uses yaml.v3: `no` is text, `1_000` and `010` are numbers, and a
 * date becomes a time in Go's format. Whole numbers that do not fit JavaScript's `number` are of type `bigint`. Tried with Pulumi
 * 3.274.1, 2026-11-27.
 */
export const asPulumi = readingBy((text) => timeOf(text) ?? scalarOf(text));

/**
 * Whether a collector takes the value of a variable for text where its configuration has nothing but a reference to it. It reads that
 * by yaml.v3, and takes what is no YAML as it is (contrib 0.143, 26 texts tried on 2026-11-27).
 */
export function isTextToCollectors(value: string): boolean {
    try {
        const document = parseDocument(value, { ...asPulumi, logLevel: "silent" });
        const found: unknown = document.errors.length > 0 ? null : document.toJS();
        // A date becomes a different text here, and not a text there.
        return found === null || (typeof found === "string" && (found === value || !/^\d{4}-/.test(value)));
    } catch {
        return true;
    }
}

/** What is wrong with a text that is no YAML, and in which line, without the line itself, which may have a secret. */
export function yamlFault({ message }: Error): string {
    const [first = ""] = message.split("\n");
    const [, what = "", line] = /^(.*?)(?:: .*?)?(?: at line (\d+), column \d+:?)?$/.exec(first) ?? [];
    return line === undefined ? what : `${what}, line ${line}`;
}

/** Has every scalar without quotes be what a function makes of it. */
function readingBy(
    resolve: (text: string) => Scalar,
    tags: readonly (ScalarTag | CollectionTag)[] = [],
): ParseOptions & DocumentOptions & SchemaOptions {
    const plain: ScalarTag = {
        tag: "tag:yaml.org,2002:str",
        default: true,
        test: /^/,
        resolve: (text, fail) => {
            if (/^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$/.test(text)) {
                fail(`${text} is a number that JSON does not have`);
            }
            return resolve(text);
        },
    };
    return { schema: "failsafe", merge: true, customTags: [plain, ...tags] };
}

/** What both of Go's readers agree on. */
function scalarOf(text: string): Scalar {
    if (/^(|~|null|Null|NULL)$/.test(text)) {
        return null;
    }
    if (/^(true|True|TRUE)$/.test(text)) {
        return true;
    }
    return /^(false|False|FALSE)$/.test(text) ? false : (numberOf(text) ?? text);
}

function numberOf(text: string): number | bigint | undefined {
    if (!/^[-+.\d]/.test(text)) {
        return undefined;
    }
    const digits = text.startsWith(".") ? text : text.replaceAll("_", "");
    const [, sign, octal, other] =
        /^([-+]?)(?:0[oO]?([0-7]+)|(0|[1-9]\d*|0[bB][01]+|0[xX][\da-fA-F]+))$/.exec(digits) ?? [];
    const whole = octal === undefined ? other : `0o${octal}`;
    if (whole !== undefined) {
        const value = BigInt(whole) * (sign === "-" ? -1n : 1n);
        if (value === BigInt.asIntN(64, value) || value === BigInt.asUintN(64, value)) {
            return Number.isSafeInteger(Number(value)) ? Number(value) : value;
        }
    }
    const isNumber = /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(digits) && Number.isFinite(Number(digits));
    return isNumber ? Number(digits) : undefined;
}

/** `2026-11-27`, or with a time after `T` and before a zone, or with one after a blank. */
const time =
    /^(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt](?=.*(?:Z|[-+]\d\d:\d\d)$)| (?=[\d:.]+$))(\d\d?):(\d\d?):(\d\d?)(\.\d+)?(Z|[-+]\d\d:\d\d)?)?$/;

/** The text that Go makes of a time: `2026-11-27 00:00:00 +0000 UTC`; nothing for what is none to it. */
function timeOf(text: string): string | undefined {
    const [, year, month = "", day = "", hour = "", minute = "", second = "", fraction = "", zone = "Z"] =
        time.exec(text) ?? [];
    const two = (part: string) => part.padStart(2, "0");
    const iso = `${year ?? ""}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}`;
    const date = new Date(`${iso}Z`);
    if (Number.isNaN(date.getTime()) || !date.toISOString().startsWith(iso)) {
        return undefined;
    }
    const offset = zone === "Z" ? "+0000 UTC" : `${zone} ${zone}`.replaceAll(":", "");
    return `${iso.replace("T", " ")}${fraction.slice(0, 10).replace(/\.?0+$/, "")} ${offset}`;
}
