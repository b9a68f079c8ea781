import { chartValues, type Catalog } from ".";
import { ruleOf } from "./rules";
import { isMap, valueAt, type HelmValue, type HelmValues } from "../lib/values";

/**
 * What the charts have at a path of the umbrella's values: the umbrella's own default, else that of the chart which the
 * value is handed to. `undefined` where they say nothing.
 */
export function defaultAt(catalog: Catalog, path: readonly string[], chart = "kof"): HelmValue | undefined {
    const own = valueAt(chartValues(catalog, chart), path);
    if (own !== undefined || !catalog.charts[chart]) {
        return own;
    }
    for (let length = 1; length < path.length; length++) {
        const to = handedTo(catalog, chart, path.slice(0, length));
        const inner = to === undefined ? undefined : defaultAt(catalog, path.slice(length), to);
        if (inner !== undefined) {
            return inner;
        }
    }
    return undefined;
}

/** The chart that gets the values at a path of another one's. */
export function handedTo({ charts }: Catalog, chart: string, path: readonly string[]): string | undefined {
    const [key = "", next] = path;
    if (chart === "kof") {
        return path.length === 2 && next === "values" ? key : undefined;
    }
    return (
        ruleOf(chart, path)?.chart ??
        (path.length === 1 && charts[chart]?.dependencies.some(({ name }) => name === key) ? key : undefined)
    );
}

/** The values of one chart among those of the umbrella. */
export interface HandedValues {
    readonly chart: string;
    /** Where they are in the umbrella's values. */
    readonly path: readonly string[];
    readonly values: HelmValues;
}

/** Every place of the umbrella's values that is handed to a chart, the umbrella itself first. */
export function* handedValues(
    catalog: Catalog,
    values: HelmValues,
    chart = "kof",
    path: readonly string[] = [],
): Generator<HandedValues> {
    yield { chart, path, values };
    yield* below(values, []);

    function* below(inner: HelmValues, within: readonly string[]): Generator<HandedValues> {
        for (const [key, value] of Object.entries(inner)) {
            const here = [...within, key];
            const to = isMap(value) ? handedTo(catalog, chart, here) : undefined;
            if (isMap(value)) {
                yield* to === undefined ? below(value, here) : handedValues(catalog, value, to, [...path, ...here]);
            }
        }
    }
}
