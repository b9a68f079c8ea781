import type { z } from "zod";

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

/** What is known of what a schema says about itself. */
type Meta = { readonly [K in keyof About]?: About[K] | undefined };

/** The schema at a path, and what the nearest schema on the way says about itself. */
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
        // Of an entry of an open map only what the map says is known, and no example.
        const { allowed = meta.allowed, ...own } = metaOf(schema);
        meta = named ? (typeof step === "string" ? { allowed, ...own } : meta) : { allowed: meta.allowed };
    }
    return { schema: unwrap(schema, value), meta };
}

/** What a schema says about itself, under whatever wraps it. */
export function metaOf(schema: Schema): Meta {
    let current: Schema | undefined = schema;
    const found: Meta[] = [];
    while (current) {
        found.unshift(current.meta() ?? {});
        current = current.def.innerType;
    }
    return Object.assign({}, ...found) as Meta;
}

/** The schema below what wraps it; of alternatives the one that fits the value. */
export function unwrap(schema: Schema, value: unknown): Schema {
    let inner = schema;
    while (inner.def.innerType) {
        inner = inner.def.innerType;
    }
    if (!inner.options || inner.def.type !== "union") {
        return inner;
    }
    const lists = inner.options.filter(({ element }) => element);
    // A list or a word: nothing but a list says which of them is meant.
    return lists.length > 0
        ? ((Array.isArray(value) ? lists[0] : undefined) ?? inner)
        : (alternative(inner.options, value) ?? inner);
}

/** Of alternatives the one that a value is, by its kind, a misspelt kind, its kind alone, or else by its keys. */
function alternative(options: readonly Schema[], found: unknown): Schema | undefined {
    // A list of one is taken for what is in it.
    const value: unknown = Array.isArray(found) && found.length === 1 ? found[0] : found;
    const kindOf = (option: Schema) => String(option.shape?.kind?.def.values?.[0]);
    const kind = textOf((isMap(value) ? value.kind : value) as HelmValue).trim();
    const near = nearestOf(kind, options.map(kindOf));
    const own = isMap(value) ? Object.keys(value).filter((key) => key !== "kind") : [];
    const countIn = ({ shape = {} }: Schema) => own.filter((key) => Object.hasOwn(shape, key)).length;
    // The one with most of its keys; of several the first.
    const [likeliest] = [...options].sort((a, b) => countIn(b) - countIn(a));
    return options.find((option) => kindOf(option) === near) ?? likeliest;
}

/**
 * What is wrong with a setting, by one of all its issues.
 *
 * @param suiting of what may be pasted for a key, the likeliest first, the one that suits the other settings.
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
            // To try a paste takes as long as to check all settings.
            paste: isSaid ? undefined : paste(),
        }),
    ];
}

/** What a setting may be, if it is unclear what was meant: its example first. */
function examples(schema: Schema, { example }: Meta): unknown[] {
    const { type } = schema.def;
    const others: readonly unknown[] =
        type === "boolean" ? [true, false] : type === "union" ? [] : (schema.options ?? []);
    return example === undefined ? [] : [...new Set([example, ...others])];
}

/** What was probably meant at a path: by what is there, or by what is around it where there is nothing. */
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
    // One value, as a list.
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

/** Whether a setting takes a value, in which nothing has been left out because it is secret. */
function fits(schema: Schema, value: unknown): boolean {
    return schema.safeParse(value).success && !JSON.stringify(value).includes("…");
}

/** Of a list with more faults than this, the whole is pasted with the first alone. */
const pastedLists = 10;

/** The issues below a path, worked out once for each of all issues. */
function issuesBelow(issues: Issues, path: readonly PropertyKey[]): Issues {
    const known = below.get(issues) ?? new Map<string, Issues>();
    below.set(issues, known);
    const id = JSON.stringify(path);
    const found =
        known.get(id) ??
        issues.filter((each) => each.path.length > path.length && path.every((step, i) => each.path[i] === step));
    known.set(id, found);
    return found;
}

const below = new WeakMap<Issues, Map<string, Issues>>();
/** Lists as they were meant, by what is wrong in them. */
const listsMeant = new WeakMap<Issues, MeantList>();

/** What was probably meant by a whole list. */
interface MeantList {
    /** The list, where that can be told. */
    readonly meant?: unknown;
    /** Where it cannot: the list with parts of the example, then the example. */
    readonly likely: readonly unknown[];
}

function listMeant(key: Key, path: readonly PropertyKey[], found: unknown, inList: Issues): MeantList {
    const known = listsMeant.get(inList) ?? mendedList(key, path, found, inList);
    listsMeant.set(inList, known);
    return known;
}

/** The same of something that was written instead of a list. */
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

/** A list with what was probably meant in it; where that cannot be told, with what the example has in that place. */
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

/** Gives keys that are misspelt the names that were meant. */
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
    /** With what was probably meant instead of what is wrong in it, or without that. */
    readonly meant: unknown;
    /** The same, complete; nothing where it cannot be. */
    readonly values: Values;
    /** What is left out of it. */
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

/** What to write into a stack file to set one value. Steps into a list are left out: the value is the whole list. */
export function stackFile(path: readonly PropertyKey[], value: unknown): object {
    const [first, ...rest] = path.filter((step) => typeof step === "string");
    return { [`kof:${String(first)}`]: rest.reduceRight<unknown>((inner, step) => ({ [step]: inner }), value) };
}

/**
 * A problem of one setting.
 *
 * @param path of the setting below `kof:`.
 * @param more with `value`, what to write there instead: the paste says it.
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
