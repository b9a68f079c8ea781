import type { Catalog } from ".";
import { completeValues } from "./umbrella";
import { valueAt, type HelmValue, type HelmValues } from "../lib/values";

/** A value that never arrives. */
interface Overwritten {
    /** Where it is in the umbrella's values. */
    readonly path: readonly string[];
    readonly value: HelmValue;
    /** What arrives instead; `undefined` where only the cluster knows. */
    readonly instead: HelmValue | undefined;
    /** The paths of the umbrella's values that are true, so that it is overwritten. */
    readonly when: readonly (readonly string[])[];
}

/**
 * The values over which a layer of KOF merges others. The same value as the layer's is none.
 *
 * @param values of the umbrella, as somebody wrote them.
 * @param all the umbrella's values, as far as layers look at them. The umbrella's defaults need not be there.
 */
export function overwritten(catalog: Catalog, values: HelmValues, all: HelmValues = values): Overwritten[] {
    const umbrella = completeValues(catalog, all);
    return catalog.overwrites
        .filter(({ when }) => when.every((path) => valueAt(umbrella, path) === true))
        .flatMap((overwrite) =>
            Object.keys(values)
                .filter((name) => overwrite.component === null || overwrite.component === name)
                .flatMap((component): Overwritten[] => {
                    const path = [component, "values", ...overwrite.path];
                    const value = valueAt(values, path);
                    const instead =
                        overwrite.from === null ? (overwrite.value ?? undefined) : valueAt(umbrella, overwrite.from);
                    return value === undefined || JSON.stringify(value) === JSON.stringify(instead)
                        ? []
                        : [{ path, value, instead, when: overwrite.when }];
                }),
        );
}
