import assert from "node:assert/strict";

import { catalogOf } from "../../../core/charts";
import { objectsBeside, umbrellaObjects } from "../../../core/charts/umbrella";
import { deploymentFor } from "../../support";

describe("a chart beside those of the umbrella", () => {
    const beside = { name: "cold-storage-exporter", version: "1.11.0-rc0", values: { sources: "logs" } };

    for (const version of ["1.10.0", "1.11.0-rc0"]) {
        it(`is installed where they are, after all of them (KOF ${version})`, () => {
            const { catalog, values } = deploymentFor({ route: "management", version });
            const { chart, release } = objectsBeside(catalog, values, beside);
            const all = umbrellaObjects(catalog, values);
            for (const { kind, apiVersion, metadata } of [chart, release]) {
                const others = all.filter((each) => each.kind === kind);
                assert.deepEqual([...new Set(others.map((each) => each.apiVersion))], [apiVersion]);
                assert.deepEqual([...new Set(others.map((each) => each.namespace))], [metadata.namespace]);
            }
            assert.deepEqual(
                (release.spec.dependsOn as { name: string; namespace: string }[])
                    .map(({ name, namespace }) => `${namespace}/${name}`)
                    .sort(),
                all
                    .filter(({ kind }) => kind === "HelmRelease")
                    .map(({ name, namespace }) => `${namespace}/${name}`)
                    .sort(),
            );
            assert.deepEqual(release.spec.chartRef, {
                kind: "HelmChart",
                name: "cold-storage-exporter",
                namespace: chart.metadata.namespace,
            });
        });
    }

    it("comes from the repository, and is tried again as often, as values have it for theirs", () => {
        const umbrella = {
            global: { helmRepo: { name: "mirror", namespace: "sources", interval: "1h" } },
            flux: { timeout: "5m", install: { remediation: { retries: 7 } }, upgrade: { retryInterval: "9m" } },
        };
        const { chart, release } = objectsBeside(catalogOf("1.10.0"), umbrella, beside);
        assert.deepEqual(chart, {
            apiVersion: "source.toolkit.fluxcd.io/v1",
            kind: "HelmChart",
            metadata: {
                name: "cold-storage-exporter",
                namespace: "sources",
                labels: { "k0rdent.mirantis.com/component": "cold-storage-exporter" },
            },
            spec: {
                chart: "cold-storage-exporter",
                version: "1.11.0-rc0",
                interval: "1h",
                sourceRef: { kind: "HelmRepository", name: "mirror" },
            },
        });
        const { dependsOn: _, ...spec } = release.spec;
        assert.deepEqual(spec, {
            interval: "5m",
            timeout: "5m",
            chartRef: { kind: "HelmChart", name: "cold-storage-exporter", namespace: "sources" },
            install: { createNamespace: true, remediation: { retries: 7 } },
            upgrade: { strategy: { name: "RetryOnFailure", retryInterval: "9m" } },
            values: { sources: "logs" },
        });
    });
});
