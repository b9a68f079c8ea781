import { isMap, type HelmValues } from "../lib/values";

/** Values without one path, nor the maps that it leaves empty. */
export function removeLeaf(values: HelmValues, path: readonly string[]): HelmValues {
    const [key = "", ...rest] = path;
    const below = values[key];
    const { [key]: _, ...others } = values;
    if (rest.length === 0 || !isMap(below)) {
        return others;
    }
    const remaining = removeLeaf(below, rest);
    // In the order that the person wrote.
    return Object.fromEntries(
        Object.entries(values).flatMap(([name, value]) =>
            name !== key ? [[name, value]] : Object.keys(remaining).length > 0 ? [[name, remaining]] : [],
        ),
    );
}
