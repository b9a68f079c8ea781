import assert from "node:assert/strict";

import fc from "fast-check";

import { checkPaths } from "../core/charts/paths";
import { leaves } from "../core/lib/values";
import { effectiveCollectors } from "../core/collectors/effective";
import { danglingReferences } from "../core/collectors/references";
import { UserError } from "../core/lib/errors";
import { deploymentOf } from "../core/routes";
import { storesOf } from "../core/routes/volumes";
import { parseSettings } from "../core/routes/parse";
import { etcdCertificates } from "../core/settings/distributions";
import { settingsSchema } from "../core/settings/settings";
import { validSettingsOfPods } from "./settings";
import { deploymentFor, type Raw } from "./support";
import { runs } from "./sampled";

describe("every valid stack (sampled)", () => {
    it("has values that its charts read, without nulls, secrets or unknowns", () => {
        fc.assert(
            fc.property(validSettingsOfPods, (raw) => {
                const { catalog, values } = deploymentFor(raw);
                assert.deepEqual(checkPaths(catalog, values), []);
                for (const [, value] of leaves(values)) {
                    assert.notEqual(value ?? null, null);
                }
                assert.deepEqual(JSON.parse(JSON.stringify(values)), values);
            }),
            runs(10, 100),
        );
    });

    it("resolves to the same values every time", () => {
        fc.assert(
            fc.property(validSettingsOfPods, (raw) => {
                const values = (given: Raw) => JSON.stringify(deploymentOf(parseSettings(given, "x")).values);
                assert.equal(values(raw), values(structuredClone(raw)));
            }),
            runs(5, 30),
        );
    });

    it("has collectors that refer only to what they have, under the cluster's own names", () => {
        fc.assert(
            fc.property(validSettingsOfPods, (raw) => {
                for (const collector of effectiveCollectors(deploymentFor(raw))) {
                    assert.deepEqual(danglingReferences(collector), []);
                    const value = (name: string) => collector.env.find((each) => each.name === name)?.value;
                    assert.equal(value("OTEL_RESOURCE_ATTRIBUTES"), `k8s.cluster.name=${String(raw.clusterName)}`);
                    const certificates = etcdCertificates(raw.distribution as "k0s");
                    assert.ok(
                        certificates ? value("PKI_PATH") === certificates.pkiPath : collector.key !== "controller-k0s",
                    );
                    assert.ok(raw.istio !== true || !collector.hostNetwork);
                }
            }),
            runs(10, 100),
        );
    });

    it("puts every volume on the class, and each size and retention where its volume reads it", () => {
        fc.assert(
            fc.property(validSettingsOfPods, (raw) => {
                const deployment = deploymentFor(raw);
                const { values } = deployment;
                const found = new Map([...leaves(values)].map(([path, value]) => [path.join("/"), value]));
                for (const { source } of storesOf(deployment)) {
                    const each = source.volume;
                    const { prefix } = source.chart;
                    const at = (setting: { path: readonly string[] } | null) =>
                        setting ? found.get([...prefix, ...setting.path].join("/")) : undefined;
                    const wanted =
                        each.signal === "grafana" || each.cache ? {} : ((raw.storage as any)?.[each.signal] ?? {});
                    assert.equal(at(each.storageClass), (raw.storageClass as any)?.name);
                    assert.equal(at(each.size), wanted.size);
                    assert.equal(at(each.retention), wanted.retention);
                    assert.equal(at(each.replicas), wanted.replicas);
                }
            }),
            runs(10, 100),
        );
    });
});

describe("any input (sampled)", () => {
    const keys = Object.keys(settingsSchema);
    const anything = fc.oneof(fc.jsonValue(), fc.anything(), fc.constantFrom(undefined, Number.NaN, "", "none"));

    it("is accepted, or refused with our own error", () => {
        const raw = fc.dictionary(fc.oneof(fc.constantFrom(...keys), fc.string()), anything);
        fc.assert(
            fc.property(raw, (input) => {
                try {
                    parseSettings(input, "x");
                } catch (error) {
                    assert.ok(error instanceof UserError, String((error as Error).stack));
                }
            }),
            runs(40, 300),
        );
    });

    it("in any place of otherwise valid settings is accepted, or refused with our own error", () => {
        fc.assert(
            fc.property(validSettingsOfPods, fc.constantFrom(...keys), anything, (raw, key, value) => {
                try {
                    deploymentOf(parseSettings({ ...raw, [key]: value }, "x"));
                } catch (error) {
                    assert.ok(error instanceof UserError, String((error as Error).stack));
                }
            }),
            runs(40, 300),
        );
    });
});
