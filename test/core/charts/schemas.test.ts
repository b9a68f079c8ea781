import assert from "node:assert/strict";
import * as fs from "node:fs";

import { parse } from "yaml";

import { catalogOf, chartValues, versions } from "../../../core/charts";
import { checkSchemas, schemaFile } from "../../../core/charts/schemas";
import { coalesceValues, formatPath, type HelmValues } from "../../../core/lib/values";
import { cases, deploymentFor } from "../../support";

const check = (version: string, yaml: string) =>
    checkSchemas(catalogOf(version), parse(yaml) as HelmValues).map(
        ({ path, wanted }) => `${formatPath(path).split(".").slice(-3).join(".")} has to be ${wanted}`,
    );

const collectors = (version: string, yaml: string) =>
    version.startsWith("1.8") || version === "1.9.0"
        ? `kof-collectors: {values: {opentelemetry-kube-stack: ${yaml}}}`
        : `kof-child: {values: {fromManagement: {collectors: {opentelemetry-kube-stack: ${yaml}}}}}`;

describe("schemas of charts", () => {
    for (const version of versions) {
        it(`${version} accept what the charts and the routes write`, () => {
            const catalog = catalogOf(version);
            const umbrella = coalesceValues(chartValues(catalog, "kof"));
            assert.deepEqual(checkSchemas(catalog, umbrella), []);
            for (const name of Object.keys(catalog.charts)) {
                const values = { [name]: { values: coalesceValues(chartValues(catalog, name)) } };
                assert.deepEqual(checkSchemas({ ...catalog }, values), [], name);
            }
            for (const { raw } of cases.filter((each) => each.version === version)) {
                assert.deepEqual(checkSchemas(catalog, deploymentFor(raw).umbrella), []);
            }
        });
    }

    it("are kept once for all versions that share them, and hold nothing that is for people only", () => {
        const files = versions.flatMap((version) => catalogOf(version).schemas.map(({ file }) => file));
        const folder = schemaFile("");
        assert.deepEqual(fs.readdirSync(folder).sort(), [...new Set(files)].sort());
        assert.equal(new Set(files.filter((file) => file.startsWith("opentelemetry-kube-stack"))).size, 1);
        for (const file of new Set(files)) {
            assert.doesNotMatch(fs.readFileSync(schemaFile(file), "utf8"), /"description": "/, file);
        }
    });

    /** Each refused by Helm 3.21.4 with the real charts, 2026-11-27, or by the API server where the schema passes over it. */
    const refused: readonly [string, string, string[]][] = [
        [
            "a boolean for text",
            "{collectors: {daemon: {nodeSelector: {infra: true}}}}",
            ["daemon.nodeSelector.infra has to be text"],
        ],
        [
            "a number for text",
            "{defaultCRConfig: {podAnnotations: {a: 5}}}",
            ["defaultCRConfig.podAnnotations.a has to be text"],
        ],
        [
            "text for a number",
            '{collectors: {cluster: {replicas: "2"}}}',
            ["collectors.cluster.replicas has to be a whole number"],
        ],
        [
            "a key that is misspelt",
            "{collectors: {daemon: {resources: {limit: {}}}}}",
            ["daemon.resources.limit has to be one of limits, requests"],
        ],
        [
            "an affinity",
            "{defaultCRConfig: {affinity: {podAffinity: []}}}",
            ["defaultCRConfig.affinity.podAffinity has to be a map"],
        ],
        [
            "a variable without a name",
            "{defaultCRConfig: {env: [{value: a}]}}",
            ["defaultCRConfig.env.0 has to be an entry with name"],
        ],
        [
            "a variable with more",
            "{defaultCRConfig: {env: [{name: a, values: b}]}}",
            ["env.0.values has to be one of name, value, valueFrom"],
        ],
        [
            "a policy",
            "{collectors: {daemon: {image: {pullPolicy: Allways}}}}",
            ['daemon.image.pullPolicy has to be "IfNotPresent" or "Always" or "Never"'],
        ],
        ["a configuration", "{collectors: {daemon: {config: text}}}", ["collectors.daemon.config has to be a map"]],
        // No name with a dash is matched by the schema: Kubernetes refuses these.
        [
            "a collector that the schema passes over",
            "{collectors: {controller-k0s: {nodeSelector: {a: 1}, replicas: '1'}}}",
            [
                "controller-k0s.nodeSelector.a has to be text",
                "collectors.controller-k0s.replicas has to be a whole number",
            ],
        ],
    ];
    for (const [what, yaml, expected] of refused) {
        it(`refuse ${what}, on each version`, () => {
            for (const version of versions) {
                assert.deepEqual(check(version, collectors(version, yaml)), expected, version);
            }
        });
    }

    /** By the definitions of the operator's kinds, whose specs the charts copy. */
    const objects: readonly [string, string, string[]][] = [
        [
            "a boolean for text",
            "{vmstorage: {nodeSelector: {infra: true}}}",
            ["vmstorage.nodeSelector.infra has to be text"],
        ],
        ["a number for a flag", "{vmselect: {extraArgs: {a: 5}}}", ["vmselect.extraArgs.a has to be text"]],
        [
            "text for a number",
            '{vmstorage: {replicaCount: "2"}}',
            ["spec.vmstorage.replicaCount has to be a whole number"],
        ],
        [
            "a retention",
            "{retentionPeriod: 30 days}",
            ["vmcluster.spec.retentionPeriod has to be text of the form ^[0-9]+(h|d|w|y)?$"],
        ],
        [
            "a field that is misspelt",
            "{vmstorage: {nodeselector: {}}}",
            ["spec.vmstorage.nodeselector has to be one of "],
        ],
        [
            "a field at another place",
            "{vmstorage: {storage: {size: 5Gi}}}",
            ["vmstorage.storage.size has to be one of disableMountSubPath, emptyDir, volumeClaimTemplate"],
        ],
    ];
    for (const [what, yaml, expected] of objects) {
        it(`refuse ${what} in an object of the operator's, on each version`, () => {
            for (const version of versions) {
                const found = check(
                    version,
                    `kof-mothership: {values: {victoriametrics: {vmcluster: {spec: ${yaml}}}}}`,
                );
                assert.equal(found.length, expected.length, version);
                assert.ok(
                    found.every((each, i) => each.startsWith(expected[i]!)),
                    found.join("; "),
                );
            }
        });
    }

    const accepted: readonly [string, string][] = [
        ["what defaults may complete", "{collectors: {daemon: {targetAllocator: {prometheusCR: {}}}}}"],
        [
            "amounts that Kubernetes takes, where the schema passes over them",
            "{collectors: {controller-k0s: {resources: {limits: {ephemeral-storage: 1Gi, memory: 1073741824}}}}}",
        ],
        ["any configuration", "{collectors: {daemon: {config: {receivers: {x: {a: 1, b: true}}}}}}"],
    ];
    for (const [what, yaml] of accepted) {
        it(`accept ${what}`, () => {
            assert.deepEqual(check("1.10.0", collectors("1.10.0", yaml)), []);
        });
    }

    it("apply wherever values are handed to the chart, and only to what is installed", () => {
        const wrong = "{opentelemetry-kube-stack: {defaultCRConfig: {replicas: x}}}";
        for (const values of [
            `{kof-child: {values: {collectors: ${wrong}}}}`,
            `{kof-regional: {values: {collectors: ${wrong}}}}`,
        ]) {
            assert.equal(check("1.10.0", values).length, 1, values);
        }
        const operators = (yaml: string) =>
            check("1.10.0", `kof-operators: {values: {opentelemetry-operator: ${yaml}}}`);
        assert.deepEqual(operators('{replicaCount: "2"}'), [
            "values.opentelemetry-operator.replicaCount has to be a whole number",
        ]);
        assert.deepEqual(operators('{replicaCount: "2", enabled: false}'), []);
        // Off by default.
        const dns = (yaml: string) => check("1.10.0", `kof-mothership: {values: {external-dns: ${yaml}}}`);
        assert.deepEqual(dns("{policy: 5}"), []);
        assert.equal(dns("{policy: 5, enabled: true}").length, 1);
    });
});
