/** A list without the entries that are `false` or `undefined`, for those that depend on something: `compact(isLate && "late")`. */
export function compact<T>(...entries: readonly (T | false | undefined)[]): T[] {
    return entries.filter((entry): entry is T => entry !== false && entry !== undefined);
}

/** A map without the keys that are `undefined`. */
export function definedOnly<T>(map: Readonly<Record<string, T | undefined>>): Record<string, T> {
    return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== undefined)) as Record<string, T>;
}
