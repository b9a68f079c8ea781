import type { z } from "zod";

import { oncePer } from "../lib/lazy";
import { nearestOf } from "../lib/spelling";
import { formatPath, isMap, mergeValues, nest, textOf, type HelmValue } from "../lib/values";
import type { About, Schema } from "./about";
import { mended } from "./mend";
import { brief, type Problem } from "./problems";
import { settingsSchema } from "./settings";
import { isClassParameter } from "./storageDrivers";

/** A setting's key under `kof:`. */
export type Key = keyof typeof settingsSchema;

export type Issues = readonly z.core.$ZodIssue[];

/** What a schema and its wrappers say about themselves. Any part may be missing. */
type Meta = { readonly [K in keyof About]?: About[K] | undefined };

/** The schema at a path, and the information of the nearest schema on that path that has some. */
function schemaAt(key: Key, path: readonly PropertyKey[], found: unknown): { schema: Schema; meta: Meta } {
    let schema = settingsSchema[key] as unknown as Schema;
    let meta = metaOf(schema);
    let value = found;
    for (const step of path) {
        schema = unwrap(schema, value);
        const named = typeof step === "string" ? schema.shape?.[step] : schema.element;
        const next = named ?? schema.def.valueType ?? schema;
        value = isMap(value) && typeof step === "string" ? value[step] : undefined;
        if (next === schema) {
            break;
        }
        schema = next;
        // An entry of a record has what the record allows, and no example.
        const { allowed = meta.allowed, ...own } = metaOf(schema);
        meta = named ? (typeof step === "string" ? { allowed, ...own } : meta) : { allowed: meta.allowed };
    }
    return { schema: unwrap(schema, value), meta };
}

/** The information attached to a schema and to what it wraps. */
export function metaOf(schema: Schema): Meta {
    let current: Schema | undefined = schema;
    const found: Meta[] = [];
    while (current) {
        found.unshift(current.meta() ?? {});
        current = current.def.innerType;
    }
    return Object.assign({}, ...found) as Meta;
}

/** A schema without its wrappers; of a union, the option that fits the value. */
export function unwrap(schema: Schema, value: unknown): Schema {
    let inner = schema;
    while (inner.def.innerType) {
        inner = inner.def.innerType;
    }
    if (!inner.options || inner.def.type !== "union") {
        return inner;
    }
    const lists = inner.options.filter(({ element }) => element);
    // A list or a word: only a list shows which of them is meant.
    return lists.length > 0
        ? ((Array.isArray(value) ? lists[0] : undefined) ?? inner)
        : (alternative(inner.options, value) ?? inner);
}

/** The option of a union that a value is meant to be: by its kind, misspelt or alone, or else by its keys. */
function alternative(options: readonly Schema[], found: unknown): Schema | undefined {
    // A list with one entry is treated as that entry.
    const value: unknown = Array.isArray(found) && found.length === 1 ? found[0] : found;
    const kindOf = (option: Schema) => String(option.shape?.kind?.def.values?.[0]);
    const kind = textOf((isMap(value) ? value.kind : value) as HelmValue).trim();
    const near = nearestOf(kind, options.map(kindOf));
    const own = isMap(value) ? Object.keys(value).filter((key) => key !== "kind") : [];
    const countIn = ({ shape = {} }: Schema) => own.filter((key) => Object.hasOwn(shape, key)).length;
    // The option that shares most keys with the value; of several the first.
    const [likeliest] = [...options].sort((a, b) => countIn(b) - countIn(a));
    return options.find((option) => kindOf(option) === near) ?? likeliest;
}

/**
 * The problem that one of a setting's issues is.
 *
 * @param suiting picks, of what could be pasted for a key (the likeliest first), what agrees with the other settings.
 */
export function issueProblems(
    key: Key,
    issue: z.core.$ZodIssue,
    found: unknown,
    issues: Issues,
    suiting: (key: string, isMissing: boolean, pastes: readonly unknown[]) => unknown,
): Problem[] {
    const { schema, meta } = schemaAt(key, issue.path, found);
    const at = [key, ...issue.path.map(String)];
    if (issue.code === "unrecognized_keys") {
        return issue.keys.map((unknown) => unknownKey(at, unknown, Object.keys(schema.shape ?? {})));
    }
    const value = valueThroughLists(found, issue.path);
    const step = issue.path.findIndex((each) => typeof each === "number");
    const path = step < 0 ? issue.path : issue.path.slice(0, step);
    const inList = step < 0 ? [] : issuesBelow(issues, path);
    const list = step >= 0 ? listMeant(key, path, found, inList) : listMade(key, path, found, meta, value);
    const meant = (step < 0 ? meantAt(schema, meta, issue.path, found) : undefined) ?? list?.meant;
    const isSaid = inList.length > pastedLists && inList[0] !== issue;
    const paste = () => {
        if (meant !== undefined) {
            return stackFile([key, ...path], meant);
        }
        const beside = valueThroughLists(found, issue.path.slice(0, -1));
        const own = isMap(beside) ? meta.exampleBeside?.(value, beside) : undefined;
        const likely = list?.likely ?? [...ofExample(own), ...examples(schema, meta)];
        const pastes = likely.map((each) => stackFile([key, ...path], each));
        return suiting(`kof:${formatPath(at)}`, value === undefined, pastes);
    };
    const why = meta.why?.(value);
    const message = value === undefined ? "is missing" : `is ${brief(value)}, which is not allowed here`;
    return [
        problemAt(at, why === undefined ? message : `${message}: ${why}`, {
            allowed: meta.allowed,
            // Trying a paste takes as long as checking all settings.
            paste: isSaid ? undefined : paste(),
        }),
    ];
}

/** Valid values to propose if it is unclear what was meant, the example first. */
function examples(schema: Schema, { example }: Meta): unknown[] {
    const { type } = schema.def;
    const others: readonly unknown[] =
        type === "boolean" ? [true, false] : type === "union" ? [] : (schema.options ?? []);
    return example === undefined ? [] : [...new Set([example, ...others])];
}

/** What was probably meant at a path, judged by the value there, or by the values around it if there is none. */
function meantAt(schema: Schema, meta: Meta, path: readonly PropertyKey[], found: unknown): unknown {
    const value = valueThroughLists(found, path);
    const isThere = value !== undefined && value !== "";
    const suiting = isThere ? undefined : meta.suits?.(path.map((_, i) => valueThroughLists(found, path.slice(0, i))));
    return suiting ?? meantBy(schema, meta, value);
}

function meantBy(schema: Schema, meta: Meta, found: unknown): unknown {
    const own = meta.mend?.(found);
    const likely = [
        ...(own === undefined ? [] : [own, [own]]),
        ...(Array.isArray(own) && own.length === 1 ? (own as unknown[]) : []),
        ...(isMap(found) ? [[found]] : []),
        ...(typeof found === "string" ? [ofKind(schema, found)] : []),
    ];
    const meant = likely.find((each) => each !== undefined && fits(schema, each)) ?? mended(schema, found);
    if (meant !== undefined || !Array.isArray(found) || found.length !== 1) {
        return meant;
    }
    // A single value, written as a list.
    const [only] = found as unknown[];
    return fits(schema, only) && !(isMap(only) && Object.keys(only).length === 0) ? only : meantBy(schema, meta, only);
}

/** One of several alternatives, by its kind alone: `podIdentity` as `{kind: podIdentity, clusterName: …}`. */
function ofKind({ shape = {} }: Schema, kind: string): unknown {
    const known = shape.kind?.def.values?.map(String);
    if (!known || nearestOf(kind, known) === undefined) {
        return undefined;
    }
    const needed = Object.entries(shape).filter(([, each]) => !each.safeParse(undefined).success);
    return Object.fromEntries(needed.map(([key, each]) => [key, metaOf(each).example]));
}

/** Whether a setting accepts a value. One with a masked secret in it is never accepted. */
function fits(schema: Schema, value: unknown): boolean {
    return schema.safeParse(value).success && !JSON.stringify(value).includes("…");
}

/** If a list has more issues than this, only the first of them pastes the whole list. */
const pastedLists = 10;

/** Whether a path leads below another. */
export function isPathBelow(path: readonly PropertyKey[], outer: readonly PropertyKey[]): boolean {
    return path.length > outer.length && outer.every((step, i) => path[i] === step);
}

const issuesByPath = oncePer((_: Issues) => new Map<string, Issues>());

/** The issues below a path. They are kept, as each of them asks. */
function issuesBelow(issues: Issues, path: readonly PropertyKey[]): Issues {
    const known = issuesByPath(issues);
    const id = JSON.stringify(path);
    const found = known.get(id) ?? issues.filter((each) => isPathBelow(each.path, path));
    known.set(id, found);
    return found;
}

/** What {@link mendedList} made of lists, by the issues in them. */
const listsMeant = new WeakMap<Issues, MeantList>();

/** What was probably meant by a whole list. */
interface MeantList {
    /** The corrected list, if it is clear. */
    readonly meant?: unknown;
    /** Otherwise what to propose: the list completed from the example, then the example. */
    readonly likely: readonly unknown[];
}

function listMeant(key: Key, path: readonly PropertyKey[], found: unknown, inList: Issues): MeantList {
    const known = listsMeant.get(inList) ?? mendedList(key, path, found, inList);
    listsMeant.set(inList, known);
    return known;
}

/** The same of a value that is no list, but can be made one. */
function listMade(
    key: Key,
    path: readonly PropertyKey[],
    found: unknown,
    meta: Meta,
    value: unknown,
): MeantList | undefined {
    const list = meta.mend?.(value);
    if (!Array.isArray(list) || list.length > pastedLists) {
        return undefined;
    }
    const made = mergeValues({ [key]: found as HelmValue }, nest([key, ...path.map(String)], list as HelmValue))[key];
    const issues = settingsSchema[key].safeParse(made).error?.issues ?? [];
    const inList = issuesBelow(issues, path).filter((each) => typeof each.path[path.length] === "number");
    return mendedList(key, path, made, inList);
}

/** Corrects the entries of a list. Where it is unclear what was meant, the example says it. */
function mendedList(key: Key, path: readonly PropertyKey[], found: unknown, inList: Issues): MeantList {
    const whole = schemaAt(key, path, found);
    const { example } = whole.meta;
    const list: unknown = structuredClone(valueThroughLists(found, path));
    let isClear = true;
    for (const each of inList) {
        const { schema, meta } = schemaAt(key, each.path, found);
        const below = each.path.slice(path.length);
        if (each.code === "unrecognized_keys") {
            rename(valueThroughLists(list, below), each.keys, Object.keys(schema.shape ?? {}));
            continue;
        }
        const meant = meantBy(schema, meta, valueThroughLists(found, each.path));
        const outer = valueThroughLists(list, below.slice(0, -1));
        if (typeof outer !== "object" || outer === null) {
            return { likely: ofExample(example) };
        }
        isClear &&= meant !== undefined;
        const step = below.at(-1) ?? "";
        const written = meant ?? valueThroughLists(example, [0, ...below.slice(1)]);
        if (written !== undefined) {
            Object.assign(outer, { [step]: written });
        } else if (!Array.isArray(outer)) {
            Reflect.deleteProperty(outer, step);
        }
    }
    const isRight = fits(whole.schema, list);
    return isRight && isClear
        ? { meant: list, likely: [] }
        : { likely: [...(isRight ? [list] : []), ...ofExample(example)] };
}

function ofExample(example: unknown): unknown[] {
    return example === undefined ? [] : [example];
}

/** Renames misspelt keys to the keys that were meant. */
function rename(map: unknown, keys: readonly string[], known: readonly string[]): void {
    for (const key of isMap(map) ? keys : []) {
        const near = nearestOf(key, known);
        if (near !== undefined && isMap(map) && !Object.hasOwn(map, near)) {
            Object.assign(map, { [near]: map[key] });
            Reflect.deleteProperty(map, key);
        }
    }
}

/** The value at a path, through lists too. */
export function valueThroughLists(value: unknown, path: readonly PropertyKey[]): unknown {
    return path.reduce<unknown>(
        (inner, step) =>
            typeof inner === "object" && inner !== null && Object.hasOwn(inner, step)
                ? (inner as Record<PropertyKey, unknown>)[step]
                : undefined,
        value,
    );
}

/** A setting that is wrong, as far as it can be understood. */
export interface Understood {
    /** The setting with each wrong part corrected, or removed if it is unclear what was meant. */
    readonly meant: unknown;
    /** The same with its defaults; empty if it is still not valid. */
    readonly values: Values;
    /** The issues whose parts were removed. */
    readonly unclear: readonly z.core.$ZodIssue[];
}

export function understood(key: Key, found: unknown, issues: Issues): Understood {
    const unclear: z.core.$ZodIssue[] = [];
    let rest: unknown = structuredClone(found);
    for (const issue of issues) {
        if (issue.code === "unrecognized_keys") {
            const map = valueThroughLists(rest, issue.path);
            if (isMap(map)) {
                issue.keys.forEach((unknown) => Reflect.deleteProperty(map, unknown));
            }
            continue;
        }
        const { schema, meta } = schemaAt(key, issue.path, found);
        const meant = meantAt(schema, meta, issue.path, found);
        const outer = valueThroughLists(rest, issue.path.slice(0, -1));
        const step = issue.path.at(-1);
        if (meant === undefined) {
            unclear.push(issue);
        }
        if (step === undefined) {
            // Without a version, values cannot be checked.
            rest = meant ?? (key === "version" ? meta.example : undefined);
        } else if (meant !== undefined && typeof outer === "object" && outer !== null) {
            Object.assign(outer, { [step]: meant });
        } else if (isMap(outer)) {
            Reflect.deleteProperty(outer, step);
        }
    }
    const parsed = rest === undefined ? undefined : settingsSchema[key].safeParse(rest);
    return { meant: rest, values: parsed?.success ? { [key]: parsed.data } : {}, unclear };
}

/** The part of a stack file that sets one value. Steps into a list are left out: the value is the whole list. */
export function stackFile(path: readonly PropertyKey[], value: unknown): object {
    const [first, ...rest] = path.filter((step) => typeof step === "string");
    return { [`kof:${String(first)}`]: rest.reduceRight<unknown>((inner, step) => ({ [step]: inner }), value) };
}

/**
 * A problem of one setting.
 *
 * @param path of the setting below `kof:`.
 * @param more with `value`: what to write there instead, from which the paste is made.
 */
export function problemAt(
    path: readonly string[],
    message: string,
    { value, ...more }: Omit<Problem, "key" | "message"> & { readonly value?: unknown } = {},
): Problem {
    const paste = value === undefined ? {} : { paste: stackFile(path, value) };
    return { key: `kof:${formatPath(path)}`, message, ...more, ...paste };
}

/** A key that is no setting, with the one that was probably meant. */
export function unknownKey(path: readonly string[], key: string, known: readonly string[]): Problem {
    const ofClass = path.join(".") === "storageClass" && isClassParameter(key) ? `parameters.${key}` : undefined;
    const near = ofClass ?? nearestOf(key, known);
    const message = near === undefined ? "is not a setting" : `is not a setting. Did you mean ${near}?`;
    return problemAt([...path, key], message, { allowed: known.join(", ") });
}

/** Settings as they stand in a stack file, by their key under `kof:`. */
export type RawSettings = Readonly<Record<string, unknown>>;

/** The settings that are right by themselves. */
export type Values = { -readonly [K in Key]?: z.infer<(typeof settingsSchema)[K]> };
