import { distance } from "fastest-levenshtein";

import type { Catalog } from ".";
import { formatPath, isMap, type HelmValue, type HelmValues } from "../lib/values";

/** How one KOF version differs from another. Paths start with the chart's name. */
export interface CatalogChanges {
    readonly added: readonly string[];
    readonly dropped: readonly string[];
    readonly renamed: readonly { readonly from: string; readonly to: string }[];
    readonly changed: readonly { readonly path: string; readonly from: HelmValue; readonly to: HelmValue }[];
}

/** What `newer` adds, drops, renames and changes against `older`: components, volumes, collectors' fields and values. */
export function compareCatalogs(older: Catalog, newer: Catalog): CatalogChanges {
    const [before, after] = [inventory(older), inventory(newer)];
    const added = topmost(after, before);
    const dropped = topmost(before, after);
    const renamed: { from: string; to: string }[] = [];
    for (const from of [...dropped.keys()]) {
        const candidates = [...added.keys()].filter((to) => alike(from, to, dropped.get(from), added.get(to)));
        const to = candidates.sort((a, b) => distance(from, a) - distance(from, b))[0];
        if (to !== undefined) {
            renamed.push({ from, to });
            dropped.delete(from);
            added.delete(to);
        }
    }
    const changed = changedValues(before, after);
    return { added: [...added.keys()].sort(), dropped: [...dropped.keys()].sort(), renamed, changed };
}

/** Everything that a catalog says, as one map to compare. */
function inventory(catalog: Catalog): HelmValues {
    return {
        component: Object.fromEntries(
            catalog.components.map(({ name, enabled, dependsOn }) => [name, { enabled, dependsOn: [...dependsOn] }]),
        ),
        volume: Object.fromEntries(
            catalog.volumes.map(({ chart, workload, size, retention, replicas }) => [
                `${chart}/${workload}`,
                { size: size.default, retention: retention?.default ?? null, replicas: replicas?.default ?? null },
            ]),
        ),
        collectorField: Object.fromEntries(catalog.collectorFields.map((field) => [field, true])),
        ...Object.fromEntries(Object.entries(catalog.charts).map(([name, chart]) => [name, chart.values])),
    };
}

/** The topmost paths of `values` that `other` lacks, with what is there. */
function topmost(values: HelmValues, other: HelmValues, path: readonly string[] = []): Map<string, HelmValue> {
    const found = new Map<string, HelmValue>();
    for (const [key, value] of Object.entries(values)) {
        const twin = other[key];
        if (!Object.hasOwn(other, key)) {
            found.set(formatPath([...path, key]), value);
        } else if (isMap(value) && isMap(twin)) {
            for (const [below, what] of topmost(value, twin, [...path, key])) {
                found.set(below, what);
            }
        }
    }
    return found;
}

/** Whether two paths can be one thing under two names: similar names at the same place, or the same content in one chart. */
function alike(from: string, to: string, was: HelmValue | undefined, is: HelmValue | undefined): boolean {
    const split = (path: string) =>
        [path.slice(0, path.lastIndexOf(".")), path.slice(path.lastIndexOf(".") + 1)] as const;
    const [[placeFrom, nameFrom], [placeTo, nameTo]] = [split(from), split(to)];
    if (placeFrom === placeTo && distance(nameFrom, nameTo) <= Math.max(nameFrom.length, nameTo.length) / 3) {
        return true;
    }
    // A flag or a small number is the same in many places.
    const telling = isMap(was) ? Object.keys(was).length > 0 : typeof was === "string" && was.length > 3;
    return telling && from.split(".")[0] === to.split(".")[0] && JSON.stringify(was) === JSON.stringify(is);
}

/** The paths that are in both, with values that differ and are not both maps. */
function changedValues(before: HelmValues, after: HelmValues, path: readonly string[] = []): CatalogChanges["changed"] {
    return Object.entries(before).flatMap(([key, from]) => {
        const to = Object.hasOwn(after, key) ? after[key] : undefined;
        if (isMap(from) && isMap(to)) {
            return changedValues(from, to, [...path, key]);
        }
        return to !== undefined && JSON.stringify(from) !== JSON.stringify(to)
            ? [{ path: formatPath([...path, key]), from, to }]
            : [];
    });
}
