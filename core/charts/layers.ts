import type { Catalog } from ".";
import { isMap, mergeValues, nest, valueAt, type HelmValues } from "../lib/values";

/**
 * The values of a chart that affect its volumes: those of the umbrella, and what the layers between them add and overwrite. The chart's
 * own defaults are not among them.
 *
 * @param umbrella the umbrella's values, complete with its defaults.
 * @param from where in them the chart's values are.
 */
export function valuesHandedTo(
    { layers }: Catalog,
    umbrella: HelmValues,
    chart: string,
    from: readonly string[],
): HelmValues {
    const found = valueAt(umbrella, from);
    const given = isMap(found) ? found : {};
    const active = layers.filter(
        (layer) =>
            layer.chart === chart &&
            layer.from.join("\0") === from.join("\0") &&
            (layer.when === null || valueAt(umbrella, layer.when) === true),
    );
    const copies = active.flatMap((layer) =>
        layer.copies.flatMap((copy) => {
            const value = valueAt(umbrella, copy.from);
            return value === undefined ? [] : [nest(copy.to, value)];
        }),
    );
    const [under, over] = [active.map((layer) => layer.under), active.map((layer) => layer.over)];
    return mergeValues(...copies, ...under, given, ...over);
}
