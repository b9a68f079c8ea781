import * as fs from "node:fs";
import * as path from "node:path";

import { parse } from "yaml";

import { UserError } from "../../core/lib/errors";
import type { HelmValues } from "../../core/lib/values";

/** What a chart's `Chart.yaml` says. */
interface ChartFile {
    readonly version: string;
    readonly dependencies?: readonly {
        readonly name: string;
        readonly alias?: string;
        readonly version: string;
        readonly condition?: string;
    }[];
}

/** A chart that another one depends on. */
export interface ChartDependency {
    /** The key of its values. */
    readonly key: string;
    readonly name: string;
    readonly version: string;
    /** Where a packaged chart has it. */
    readonly folder: string;
    /** The paths that switch it on and off: the first that there is decides. */
    readonly conditions: readonly (readonly string[])[];
}

function readChartFile(chart: string): ChartFile {
    return parse(readChartText(path.join(chart, "Chart.yaml"))) as ChartFile;
}

/** The version of a chart. */
export function chartVersion(chart: string): string {
    return readChartFile(chart).version;
}

/** The charts that a chart depends on. */
export function dependenciesOf(chart: string): ChartDependency[] {
    return (readChartFile(chart).dependencies ?? []).map(({ name, alias = name, version, condition = "" }) => ({
        key: alias,
        name,
        version,
        folder: path.join(chart, "charts", name),
        conditions: condition
            .split(",")
            .filter((each) => each !== "")
            .map((each) => each.trim().split(".")),
    }));
}

/** The default values of a chart. */
export function readValues(chart: string): HelmValues {
    const file = path.join(chart, "values.yaml");
    return fs.existsSync(file) ? ((parse(readChartText(file)) as HelmValues | null) ?? {}) : {};
}

/** The files of a chart's templates, in order. */
export function templatesOf(chart: string): string[] {
    return filesOf(chart, "templates")
        .filter((file) => /\.(yaml|yml|tpl)$/.test(file))
        .sort();
}

/** A file of a chart, or all in a folder of it; none where there is no such thing. */
export function filesOf(chart: string, name: string): string[] {
    const place = path.join(chart, name);
    if (!fs.existsSync(place)) {
        return [];
    }
    return fs.statSync(place).isDirectory()
        ? fs.readdirSync(place).flatMap((entry) => filesOf(chart, `${name}/${entry}`))
        : [name];
}

/** @throws UserError when there is no such file. */
export function readChartText(file: string): string {
    if (!fs.existsSync(file)) {
        throw new UserError(`There is no ${file}. Is the chart complete?`);
    }
    return fs.readFileSync(file, "utf8");
}
