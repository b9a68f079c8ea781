import { oncePer } from "./lazy";

/** A value that Helm can be given. Never `undefined`; `null` occurs only in the charts' own defaults. */
export type HelmValue = null | boolean | number | string | HelmValue[] | HelmValues;
/** A map of Helm values: what a values file holds. */
export interface HelmValues {
    [key: string]: HelmValue;
}

/** Whether a value is a map, as opposed to a list, a scalar or null. */
export function isMap(value: unknown): value is HelmValues {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Merges values as Helm does: maps key by key, everything else (lists included) replaced by the later one. The result shares with
 * its parts whatever is in only one of them, so neither is ever changed in place.
 */
export function mergeValues(...values: HelmValues[]): HelmValues {
    return values.reduce((first, second) => merge(first, second), {});
}

/** @param nulls whether they are values, or remove their keys. Then the first map has none. */
function merge(first: HelmValues, second: HelmValues, nulls: "stay" | "remove" = "stay"): HelmValues {
    const alone = (values: HelmValues) => (nulls === "stay" ? values : withoutNulls(values));
    // An unchanged object stays the same object, so results that were cached for it stay valid.
    if (isEmpty(first) || isEmpty(second)) {
        return isEmpty(first) ? alone(second) : first;
    }
    const merged = { ...first };
    for (const [key, value] of Object.entries(second)) {
        const before = Object.hasOwn(first, key) ? first[key] : undefined;
        if (value === null && nulls === "remove") {
            // eslint-disable-next-line @typescript-eslint/no-dynamic-delete
            delete merged[key];
        } else {
            put(merged, key, !isMap(value) ? value : isMap(before) ? merge(before, value, nulls) : alone(value));
        }
    }
    return merged;
}

function isEmpty(values: HelmValues): boolean {
    return Object.keys(values).length === 0;
}

/** Sets a value in a map under any key. An assignment to `__proto__` would change the prototype. */
function put(values: HelmValues, key: string, value: HelmValue): void {
    if (key === "__proto__") {
        Object.defineProperty(values, key, { value, configurable: true, enumerable: true, writable: true });
    } else {
        values[key] = value;
    }
}

/**
 * Merges a user's values over a chart's defaults, as Helm does when it loads a chart. It works like {@link mergeValues}, but a null
 * removes its key.
 */
export function coalesceValues(defaults: HelmValues, ...overrides: HelmValues[]): HelmValues {
    return overrides.reduce((first, second) => merge(first, second, "remove"), withoutNulls(defaults));
}

/** What is left of a map without its nulls. */
const withoutNulls = oncePer((values: HelmValues): HelmValues => {
    const stays = (value: HelmValue) => value !== null && (!isMap(value) || withoutNulls(value) === value);
    if (Object.values(values).every(stays)) {
        return values;
    }
    const result: HelmValues = {};
    for (const [key, value] of Object.entries(values)) {
        if (value !== null) {
            put(result, key, isMap(value) ? withoutNulls(value) : value);
        }
    }
    return result;
});

/** The value at a path, or `undefined` where the path ends early. */
export function valueAt(values: HelmValue | undefined, path: readonly string[]): HelmValue | undefined {
    let value = values;
    for (const key of path) {
        value = isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    }
    return value;
}

/** The keys of the map at a path; none where there is no map. */
export function keysAt(values: HelmValue | undefined, path: readonly string[]): string[] {
    const found = valueAt(values, path);
    return isMap(found) ? Object.keys(found) : [];
}

/** A value as text: itself if it is text, else as JSON. */
export function textOf(value: HelmValue | undefined): string {
    return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

/** Values that hold one value, at a path: `nest(["a", "b"], 1)` is `{a: {b: 1}}`. */
export function nest(path: readonly string[], value: HelmValue): HelmValues {
    return path.reduceRight<HelmValue>((inner, key) => ({ [key]: inner }), value) as HelmValues;
}

/** The same of values that may be empty, which are then held by nothing. */
export function nestSome(path: readonly string[], values: HelmValues): HelmValues {
    return isEmpty(values) ? {} : nest(path, values);
}

/** A human-readable path. Keys with a dot or a slash are quoted: `annotations."a.io/b"`. */
export function formatPath(path: readonly string[]): string {
    return path.map((key) => (/^[\w/-]+$/.test(key) ? key : JSON.stringify(key))).join(".");
}

/** Every path of the values that ends in a scalar, a list or an empty map, with what is there, in order. */
export function* leaves(values: HelmValue, path: readonly string[] = []): Generator<[readonly string[], HelmValue]> {
    if (isMap(values) && (Object.keys(values).length > 0 || path.length === 0)) {
        for (const [key, value] of Object.entries(values)) {
            yield* leaves(value, [...path, key]);
        }
    } else {
        yield [path, values];
    }
}
