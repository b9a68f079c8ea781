import type { Catalog } from ".";
import type { InstalledChart } from "./installed";
import { formatPath, mergeValues, nest, valueAt, type HelmValues } from "../lib/values";

/**
 * The values of a chart that affect its volumes: those of the umbrella, and what the layers between them add and overwrite. The chart's
 * own defaults are not among them.
 *
 * @param umbrella the umbrella's values, complete with its defaults.
 */
export function valuesHandedTo(catalog: Catalog, umbrella: HelmValues, chart: ChartPlace): HelmValues {
    const given = (valueAt(umbrella, chart.prefix) ?? {}) as HelmValues;
    const active = layersOf(catalog, chart).filter(({ when }) => when === null || valueAt(umbrella, when) === true);
    const copies = active
        .flatMap((layer) => layer.copies)
        .map(({ from, to }) => ({ to, value: valueAt(umbrella, from) }))
        .map(({ to, value }) => (value === undefined ? {} : nest(to, value)));
    const [under, over] = [active.map((layer) => layer.under), active.map((layer) => layer.over)];
    return mergeValues(...copies, ...under, given, ...over);
}

/** A chart, and where the umbrella has its values. */
type ChartPlace = Pick<InstalledChart, "chart" | "prefix">;

function layersOf({ layers }: Catalog, { chart, prefix }: ChartPlace): Catalog["layers"] {
    return layers.filter((layer) => layer.chart === chart && formatPath(layer.from) === formatPath(prefix));
}

/** The places of the umbrella's values that a path of a chart's is taken from: its own, and what a layer copies to it. */
export function originsOf(catalog: Catalog, chart: ChartPlace, path: readonly string[]): (readonly string[])[] {
    const copies = layersOf(catalog, chart).flatMap((layer) => layer.copies);
    const copied = copies.filter(({ to }) => formatPath(to) === formatPath(path)).map(({ from }) => from);
    return [[...chart.prefix, ...path], ...copied];
}
