import assert from "node:assert/strict";

import fc from "fast-check";
import { stringify } from "yaml";

import { deploymentOfFile, parseStackFile } from "../../../cli/stackFile";
import { catalogOf, chartValues } from "../../../core/charts";
import { leaves, mergeValues, nest, type HelmValues } from "../../../core/lib/values";
import { reviewCollectors } from "../../../core/review/collectors";
import { settingsSchema } from "../../../core/settings/settings";
import { validSettings } from "../../settings";
import { runs } from "../../sampled";
import { withinEffort } from "../../effort";

const secret = "hunter2hunter2";
const names = fc.constantFrom(
    ...[
        "constructor",
        "toString",
        "hasOwnProperty",
        "valueOf",
        "route",
        "metrics",
        "size",
        "replicas",
        "kind",
        "values",
    ],
);
/** What nobody would expect at any place. */
const odd = fc.oneof(
    fc.constantFrom<unknown>(
        null,
        true,
        -1,
        0,
        1e300,
        "",
        "none",
        "{NodeName}",
        "a: b",
        "${env:A}",
        [],
        {},
        [null],
        [[]],
    ),
    fc.constant(`https://user:${secret}@host.example.net/x`),
    fc.string({ maxLength: 40 }),
    fc.dictionary(names, fc.oneof(fc.integer(), fc.string({ maxLength: 9 })), { maxKeys: 3 }),
    fc.array(names, { maxLength: 3 }),
);

/** Paths of the settings, and of what charts have by default. */
const catalog = catalogOf("1.10.0");
const chartPaths = [
    ...[...leaves(chartValues(catalog, "kof-mothership"))].map(([path]) => [
        "values",
        "kof-mothership",
        "values",
        ...path,
    ]),
    ...[...leaves(chartValues(catalog, "kof-collectors"))].map(([path]) => [
        ...["values", "kof-child", "values", "fromManagement", "collectors"],
        ...path,
    ]),
];
const settingPath = fc
    .tuple(fc.constantFrom(...Object.keys(settingsSchema)), fc.array(names, { maxLength: 3 }))
    .map(([first, rest]) => [first, ...rest]);
const path = fc.oneof(
    settingPath,
    fc.tuple(fc.constantFrom(...chartPaths), fc.nat()).map(([full, cut]) => full.slice(0, 1 + (cut % full.length))),
);
const change = fc.tuple(path, odd).map(([at, value]) => nest(at, value as HelmValues));
const config = fc
    .tuple(validSettings, fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([raw, changes]) => mergeValues(JSON.parse(JSON.stringify(raw)) as HelmValues, ...changes));

describe("any stack file", () => {
    it("resolves, or is refused with our own error, in time and without a secret (sampled)", () => {
        fc.assert(
            fc.property(config, (settings) => {
                const entries = Object.entries(settings).map(([key, value]) => [`kof:${key}`, value]);
                const text = stringify({ config: Object.fromEntries(entries) as HelmValues });
                const said = withinEffort(200, text, () => {
                    try {
                        const { notices, ...deployment } = deploymentOfFile(parseStackFile(text, "Pulumi.x.yaml"));
                        return JSON.stringify([notices, reviewCollectors({ ...deployment, notices })]);
                    } catch (error) {
                        assert.ok(error instanceof Error && error.name === "UserError", (error as Error).stack);
                        return error.message;
                    }
                });
                assert.ok(!said.includes(secret), said);
            }),
            runs(25, 150),
        );
    });
});
