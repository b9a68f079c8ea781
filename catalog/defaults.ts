import { chartValues, type Catalog } from ".";
import { ruleOf } from "./rules";
import { valueAt, type HelmValue } from "./values";

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
