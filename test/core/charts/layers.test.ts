import assert from "node:assert/strict";

import { parse } from "yaml";

import { catalogOf, chartValues } from "../../../core/charts";
import { valuesHandedTo } from "../../../core/charts/layers";
import { coalesceValues, valueAt, type HelmValues } from "../../../core/lib/values";

const management = ["kof-child", "values", "fromManagement", "storage"];
const regionless = ["kof-regional", "values", "storage"];
const mothership = ["kof-mothership", "values"];
const classOfLogs = ["victoria-logs-cluster", "vlstorage", "persistentVolume", "storageClassName"];

/** Seen in what helm and Sveltos make of the charts, 2026-11-27. */
const cases: readonly [string, string, string, readonly string[], readonly string[], string, unknown][] = [
    [
        "turns the mothership's VMCluster off without regions, whatever its values say",
        "1.10.0",
        "kof-mothership",
        mothership,
        ["victoriametrics", "vmcluster", "enabled"],
        "{regionless: {enabled: true}, kof-mothership: {values: {victoriametrics: {vmcluster: {enabled: true}}}}}",
        false,
    ],
    [
        "leaves it on with regions",
        "1.10.0",
        "kof-mothership",
        mothership,
        ["victoriametrics", "vmcluster", "enabled"],
        "{}",
        true,
    ],
    [
        "turns VictoriaMetrics of kof-storage off on route management",
        "1.10.0",
        "kof-storage",
        management,
        ["victoriametrics", "enabled"],
        "{}",
        false,
    ],
    [
        "gives way to a value there",
        "1.10.0",
        "kof-storage",
        management,
        ["victoriametrics", "enabled"],
        "{kof-child: {values: {fromManagement: {storage: {victoriametrics: {enabled: true}}}}}}",
        true,
    ],
    [
        "hands kof-child's globals on",
        "1.11.0-rc0",
        "kof-storage",
        management,
        ["global", "storageClass"],
        "{kof-child: {values: {global: {storageClass: fast}}}}",
        "fast",
    ],
    [
        "prefers the globals of the chart's own values",
        "1.11.0-rc0",
        "kof-storage",
        management,
        ["global", "storageClass"],
        "{kof-child: {values: {global: {storageClass: fast}, fromManagement: {storage: {global: {storageClass: slow}}}}}}",
        "slow",
    ],
    [
        "gives the class of a region's storage to logs that have none",
        "1.10.0",
        "kof-storage",
        regionless,
        classOfLogs,
        "{kof-regional: {values: {storage: {global: {storageClass: fast}}}}}",
        "fast",
    ],
];

describe("what the layers above a chart", () => {
    for (const [what, version, chart, from, path, yaml, expected] of cases) {
        it(what, () => {
            const catalog = catalogOf(version);
            const umbrella = coalesceValues(chartValues(catalog, "kof"), parse(yaml) as HelmValues);
            assert.equal(valueAt(valuesHandedTo(catalog, umbrella, { chart, prefix: from }), path), expected);
        });
    }
});
