import assert from "node:assert/strict";

import fc from "fast-check";

import { adoption } from "../../../core/adopt";
import { stackFileText } from "../../../core/adopt/stackFile";
import { parseStackFile, deploymentOfFile } from "../../../cli/stackFile";
import { validSettings } from "../../settings";
import { writeYaml } from "../../../core/lib/yaml/write";
import { deploymentFor } from "../../support";

/** More values, which every version reads. */
const extra = fc.record(
    {
        "kof-mothership": fc.record({
            values: fc.record({ promxy: fc.record({ replicaCount: fc.integer({ min: 1, max: 9 }) }) }),
        }),
        "kof-operators": fc.record({
            values: fc.record({ "prometheus-operator-crds": fc.record({ enabled: fc.boolean() }) }),
        }),
        flux: fc.record({ timeout: fc.constantFrom("20m", "30m") }),
    },
    { requiredKeys: [] },
);

describe("the values of every valid stack", () => {
    it("are those of the stack that they are adopted as", () => {
        fc.assert(
            fc.property(validSettings, fc.option(extra, { nil: undefined }), (raw, values) => {
                const stack = deploymentFor({ ...raw, values });
                const region = raw.regional as { cluster: string; namespace?: string } | undefined;
                const { credentials } = (raw.cloudwatch ?? {}) as { credentials?: unknown };
                const adopted = adoption(writeYaml(stack.values), {
                    version: String(raw.version),
                    region,
                    credentials,
                });
                const text = stackFileText(adopted.settings, "a values file", "schema.json");
                assert.equal(
                    JSON.stringify(deploymentOfFile(parseStackFile(text, "x.yaml")).values),
                    JSON.stringify(stack.values),
                );
                const again = deploymentFor(adopted.settings);
                assert.equal(again.settings.route, raw.route);
                assert.equal(again.settings.adopt, true);
                assert.deepEqual(again.values, stack.values);
                assert.deepEqual([...adopted.corrections, ...adopted.changes, ...adopted.lost], []);
            }),
        );
    });
});
