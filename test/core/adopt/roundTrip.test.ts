import assert from "node:assert/strict";

import fc from "fast-check";

import { adoption, type Adoption } from "../../../core/adopt";
import { canonical } from "../../../core/adopt/compare";
import { removeLeaf } from "../../../core/adopt/removal";
import { chartValues } from "../../../core/charts";
import { effectiveCollectors, type Collector } from "../../../core/collectors/effective";
import { UserError } from "../../../core/lib/errors";
import { coalesceValues, leaves, type HelmValue, type HelmValues } from "../../../core/lib/values";
import { storesOf, type Volume } from "../../../core/routes/volumes";
import { stackFileText } from "../../../core/adopt/stackFile";
import { parseStackFile, deploymentOfFile } from "../../../cli/stackFile";
import { validSettings } from "../../settings";
import { writeYaml } from "../../../core/lib/yaml/write";
import { deploymentFor, type Raw } from "../../support";
import { runs } from "../../sampled";

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

describe("values that copy Secrets of archives to regions", () => {
    const cold = { bucket: "acme-cold", region: "eu-west-1" };
    const audit = { bucket: "acme-audit", region: "eu-west-1", existingSecret: "mine" };
    const adopted = (raw: Raw) => {
        const values = deploymentFor({ route: "management", version: "1.10.0", ...raw }).values;
        const { settings, notes } = adoption(writeYaml(values), { version: "1.10.0" });
        assert.deepEqual(deploymentFor(settings).values, values);
        return notes.filter((note) => note.includes("copies Secret"));
    };

    it("stay, and are recognised by what they are for", () => {
        const at = "kof:values.kof-mothership.values.kcm.kof.mcs.kof-archive-secrets";
        const rest =
            "Once kof:coldStorage or kof:auditArchive says so with its bucket, which values do not have, it can go from kof:values (docs/archives.md).";
        assert.deepEqual(
            adopted({ coldStorage: { ...cold, regions: "all" }, auditArchive: { ...audit, regions: ["eu-1"] } }),
            [
                `${at} copies Secret cold-storage-exporter-s3-credentials to every regional cluster, as an archive in S3 does whose regions are all. ${rest}`,
                `${at}-eu-1 copies Secret mine to regional cluster eu-1, as an archive in S3 does whose regions are [eu-1]. ${rest}`,
            ],
        );
        assert.deepEqual(adopted({ coldStorage: cold }), []);
        const theirs = { "kof-archive-secrets": { matchLabels: { a: "b" }, secrets: ["mine"] } };
        assert.deepEqual(adopted({ values: { "kof-mothership": { values: { kcm: { kof: { mcs: theirs } } } } } }), []);
    });
});

describe("the values of every valid stack (sampled)", () => {
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
                assert.deepEqual([...adopted.secrets, ...adopted.corrections, ...adopted.changes, ...adopted.lost], []);
            }),
            runs(4, 40),
        );
    });

    it("run what they ran before if something is left out, or the differences are reported", () => {
        fc.assert(
            fc.property(validSettings, fc.nat(), (raw, at) => {
                const { values, catalog } = deploymentFor(raw);
                const all = [...leaves(values)];
                const [path] = all[at % all.length] ?? [];
                const given = path === undefined ? values : removeLeaf(values, path);
                const said = adopted(given, raw);
                if (said === undefined) {
                    return;
                }
                const is = deploymentFor(said.settings);
                const umbrella = coalesceValues(chartValues(catalog, "kof"), given);
                const was = { catalog, settings: is.settings, values: given, umbrella };
                // Why pods start again is the program's own, and differs.
                const running = (collectors: readonly Collector[], stores: readonly Volume[]) =>
                    canonical(
                        JSON.parse(
                            JSON.stringify([collectors.map(({ pods: _, ...each }) => each), stores]),
                        ) as HelmValue,
                    );
                if (running(effectiveCollectors(was), storesOf(was)) !== running(is.collectors, is.stores)) {
                    const remarks = [...said.corrections, ...said.changes, ...said.lost];
                    assert.notDeepEqual(remarks, [], path?.join("."));
                }
            }),
            runs(4, 20),
        );
    });

    /** What values are adopted as; nothing where something has to be added first. */
    function adopted(values: HelmValues, raw: Raw): Adoption | undefined {
        const region = raw.regional as { cluster: string; namespace?: string } | undefined;
        const { credentials } = (raw.cloudwatch ?? {}) as { credentials?: unknown };
        try {
            return adoption(writeYaml(values), { version: String(raw.version), region, credentials });
        } catch (error) {
            assert.ok(error instanceof UserError, String(error));
            return undefined;
        }
    }
});
