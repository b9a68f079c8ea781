import assert from "node:assert/strict";

import fc from "fast-check";
import { stringify } from "yaml";

import { adoption } from "../../adoption";
import { validSettings } from "../settings";
import { routeFor, type Raw } from "../support";

/** More values, which every version reads. */
const extra = fc.record(
    {
        "kof-mothership": fc.record({ values: fc.record({ promxy: fc.record({ replicaCount: fc.nat(9) }) }) }),
        "kof-operators": fc.record({
            values: fc.record({ "prometheus-operator-crds": fc.record({ enabled: fc.boolean() }) }),
        }),
        flux: fc.record({ timeout: fc.constantFrom("20m", "30m") }),
    },
    { requiredKeys: [] },
);

/** Whether somebody could have made these values from KOF's pages, which know one destination, stream and kind of key in AWS. */
function isWrittenByHand({ route, cloudwatch }: Raw): boolean {
    const { signals, logStream, credentials } = (cloudwatch ?? {}) as Record<string, any>;
    const keyed = ["accessKey", "existingSecret"].includes(credentials?.kind);
    return route !== "otlp" && (route !== "cloudwatch" || (!signals && !logStream.includes("{") && keyed));
}

describe("the values of every valid stack", () => {
    it("are those of the stack that they are adopted as", () => {
        fc.assert(
            fc.property(validSettings, fc.option(extra, { nil: undefined }), (raw, values) => {
                fc.pre(isWrittenByHand(raw));
                const stack = routeFor({ ...raw, values });
                const region = raw.regional as { cluster: string; namespace?: string } | undefined;
                const adopted = adoption(stringify(stack.values), { version: String(raw.version), region });
                const again = routeFor(adopted.settings);
                assert.equal(again.settings.route, raw.route);
                assert.equal(again.settings.adopt, true);
                assert.deepEqual(again.values, stack.values);
                assert.deepEqual([...adopted.faults, ...adopted.changes, ...adopted.lost], []);
            }),
        );
    });
});
