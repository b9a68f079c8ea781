import { isMap, type HelmValue } from "../lib/values";

/** Lists whose order says nothing. */
const sets = new Set(["env", "extensions", "attributes"]);

/** Whether two values at a path mean the same to their reader. */
export function same(path: readonly string[], value: HelmValue, own: HelmValue | undefined): boolean {
    const text = (each: HelmValue | undefined) =>
        JSON.stringify(
            sets.has(path.at(-1) ?? "") && Array.isArray(each) ? each.map(canonical).sort() : canonical(each),
        );
    return text(value) === text(own);
}

/** A value as text that does not depend on the order of keys. */
export function canonical(value: HelmValue | undefined): string {
    return JSON.stringify(value, (_, inner: unknown) =>
        isMap(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
    );
}
