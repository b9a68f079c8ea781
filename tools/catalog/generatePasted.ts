import * as fs from "node:fs";
import * as path from "node:path";

import { dependenciesOf, readChartText, templatesOf } from "./chartFiles";
import { namedTemplates, Template } from "./templates";
import { formatPath } from "../../core/lib/values";

/**
 * The paths of a chart's values that its templates, and those of the charts in it, write without quotes.
 *
 * @param chart the chart's folder.
 * @returns paths as `formatPath` writes them, sorted.
 */
export function readPasted(chart: string): string[] {
    return [...new Set(pastedIn(chart).map(formatPath))].sort();
}

function pastedIn(chart: string): string[][] {
    const texts = templatesOf(chart).map((file) => readChartText(path.join(chart, file)));
    const own = [...texts, ...namedTemplates(texts).values()].flatMap((text) => new Template(text).pasted());
    const below = dependenciesOf(chart).flatMap(({ key, folder }) =>
        fs.existsSync(folder) ? pastedIn(folder).map((inner) => [key, ...inner]) : [],
    );
    return [...own, ...below];
}
