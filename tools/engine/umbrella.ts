import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { parse, stringify } from "yaml";

import { catalogOf, chartValues, defaultVersion } from "../../core/charts";

/** The KOF versions that are deployed: those that KOF_VERSION names, that of the folder in KOF_CHART, or the last two. */
export function versionsToDeploy(): readonly string[] {
    const { KOF_CHART, KOF_VERSION } = process.env;
    if (KOF_CHART) {
        const file = path.join(KOF_CHART, "Chart.yaml");
        const found = fs.existsSync(file) ? (parse(fs.readFileSync(file, "utf8")) as { version: string }) : undefined;
        return [found?.version ?? KOF_VERSION ?? defaultVersion];
    }
    return KOF_VERSION?.split(",") ?? ["1.9.0", "1.10.0"];
}

/**
 * The chart that KOF_CHART names. Otherwise, one that imitates the umbrella of a KOF version, with that version's default values.
 *
 * @returns the chart, and what removes it.
 */
export function prepareUmbrella(version: string): { readonly chart: string; readonly remove: () => void } {
    const { KOF_CHART } = process.env;
    if (KOF_CHART) {
        const chart = fs.existsSync(KOF_CHART) ? path.resolve(KOF_CHART) : KOF_CHART;
        return { chart, remove: () => undefined };
    }
    const chart = fs.mkdtempSync(path.join(os.tmpdir(), "kof-umbrella-"));
    fs.cpSync(path.join(__dirname, "umbrella"), chart, { recursive: true });
    fs.writeFileSync(path.join(chart, "Chart.yaml"), stringify({ apiVersion: "v2", name: "kof", version }));
    fs.writeFileSync(path.join(chart, "values.yaml"), stringify(chartValues(catalogOf(version), "kof")));
    return {
        chart,
        remove: () => {
            fs.rmSync(chart, { recursive: true, force: true });
        },
    };
}
