import assert from "node:assert/strict";

import { versions } from "../../../core/charts";
import { parseSettings } from "../../../core/routes/parse";
import { hasRegionless, type Raw } from "../../support";
import { words } from "../lib/yaml/texts";

/** What is wrong with settings, without the first line. */
function problems(raw: Raw): string {
    try {
        parseSettings(raw, "Pulumi.test.yaml");
        return "";
    } catch (error) {
        return (error as Error).message.split("\n\n").slice(1).join("\n\n");
    }
}

/** The settings that are wrong. */
function wrong(raw: Raw): string[] {
    return [...problems(raw).matchAll(/^ {2}(kof:\S+)/gm)].map(([, key]) => key!);
}

/**
 * Every route with a name in each setting that is one, and which of them the charts write without quotes. To find them, KOF 1.8.0,
 * 1.9.0, 1.10.0 and 1.11.0-rc0 were rendered down to the last chart, with each name and with a number in its place (Helm 3.21.4 and
 * Sveltos' template functions, 2026-11-27). With and without Istio it is the same.
 */
const routes: Readonly<Record<string, { raw: (name: string) => Raw; old: readonly string[]; new: readonly string[] }>> =
    {
        none: { raw: () => ({}), old: [], new: [] },
        management: {
            raw: () => ({}),
            old: ["kof:storageClass.name"],
            new: ["kof:clusterName", "kof:clusterNamespace", "kof:storageClass.name"],
        },
        regional: {
            raw: (name) => ({ regional: { cluster: name, namespace: name, domain: "eu-1.obs.example.net" } }),
            old: [],
            new: ["kof:clusterName", "kof:clusterNamespace"],
        },
        cloudwatch: {
            raw: (name) => ({
                cloudwatch: {
                    region: "us-east-2",
                    logGroup: name,
                    logStream: name,
                    auditLogGroup: name,
                    credentials: { kind: "existingSecret", name },
                },
            }),
            old: [],
            new: [],
        },
        otlp: {
            raw: (name) => ({
                otlp: {
                    endpoint: "https://otlp.example.net",
                    headersSecret: name,
                    headers: ["x-team"],
                    tls: { caSecret: name },
                },
            }),
            old: [],
            new: [],
        },
        regionless: {
            raw: () => ({ regionless: { domain: "kof.example.net", certEmail: "a@example.net" } }),
            old: [],
            new: ["kof:clusterName", "kof:storageClass.name"],
        },
    };

describe("a name that charts write without quotes", () => {
    const named = (route: string, name: string): Raw => ({
        route,
        clusterName: name,
        clusterNamespace: name,
        storageClass: { name, create: false },
        grafana: { enabled: true, existingSecret: name },
        ...routes[route]!.raw(name),
    });

    for (const version of versions) {
        for (const [route, expected] of Object.entries(routes)) {
            if (route !== "regionless" || hasRegionless(version)) {
                it(`is refused on KOF ${version}, route ${route}, where it would be no text, and nowhere else`, () => {
                    const settings = hasRegionless(version) ? expected.new : expected.old;
                    for (const name of ["456", "no", "null", "1e3"]) {
                        assert.deepEqual(wrong({ ...named(route, name), version }), settings);
                    }
                    for (const name of [
                        "mothership",
                        "cluster-456",
                        "1-2",
                        "2001-01-01",
                        "inf",
                        "0x1g",
                        "e2e",
                        "y1",
                        "nope",
                    ]) {
                        assert.equal(problems({ ...named(route, name), version }), "");
                    }
                });
            }
        }
    }

    it("is refused with what would become of it, and with a name to paste where any will do", () => {
        const storageClass = { name: "no", provisioner: "ebs.csi.aws.com" };
        assert.equal(
            problems({ route: "management", clusterName: "456", clusterNamespace: "null", storageClass }),
            `  kof:clusterName is "456", which charts of KOF 1.10.0 write without quotes: it would arrive as the number 456
    Paste:   kof:clusterName: cluster-456

  kof:clusterNamespace is "null", which charts of KOF 1.10.0 write without quotes: it would arrive as nothing

  kof:storageClass.name is "no", which charts of KOF 1.10.0 write without quotes: it would arrive as the boolean false
    Paste:   kof:storageClass:
               name: class-no`,
        );
    });

    it("is the class on regions too, where one has to exist, on every version and route", () => {
        for (const version of versions) {
            for (const route of ["none", "management"]) {
                assert.equal(
                    problems({ route, version, regions: { storageClass: "no" } }),
                    `  kof:regions.storageClass is "no", which charts of KOF ${version} write without quotes: it would arrive as the boolean false`,
                );
            }
        }
    });

    it("is an e-mail address too", () => {
        const regionless = { domain: "kof.example.net", certEmail: "'a@example.net" };
        assert.match(
            problems({ route: "regionless", regionless }),
            /^ {2}kof:regionless\.certEmail is "'a@example\.net", .*: it would break their templates$/,
        );
        assert.equal(problems({ route: "regionless", istio: true, regionless }), "");
    });

    const values: readonly [path: string, value: unknown, versions: readonly string[]][] = [
        ["flux.timeout", "20", versions],
        ["kof-mothership.values.kcm.namespace", "456", versions],
        ["kof-child.values.cert-manager.template", "no", versions],
        ["kof-child.values.istio.dependsOn", ["a", "no"], versions],
        ["kof-child.values.fromManagement.cluster.name", "0x1f", versions.filter(hasRegionless)],
        [
            "kof-child.values.fromManagement.storage.victoria-logs-cluster.vlstorage.persistentVolume.storageClassName",
            "y",
            versions.filter(hasRegionless),
        ],
        ["kof-regional.values.storage.global.storageClass", "1.5", versions],
        [
            "kof-regional.values.storage.victoria-traces-cluster.vtstorage.persistentVolume.storageClassName",
            "n",
            versions,
        ],
        [
            "kof-storage.values.victoria-logs-cluster.vlstorage.persistentVolume.storageClassName",
            "y",
            versions.filter((version) => !hasRegionless(version)),
        ],
    ];
    for (const [path, value, where] of values) {
        it(`is refused at kof:values.${path}`, () => {
            const at = (inner: unknown) =>
                path.split(".").reduceRight<unknown>((below, key) => ({ [key]: below }), inner) as Raw;
            for (const version of where) {
                assert.match(
                    problems({ version, values: at(value) }),
                    new RegExp(
                        `^ {2}kof:values\\.${path.replaceAll(".", "\\.")} is ".*", which charts of KOF ${version} write without quotes: it would arrive as the (number|boolean) \\S+$`,
                    ),
                );
                assert.equal(problems({ version, values: at(Array.isArray(value) ? ["a", "b"] : "plain") }), "");
            }
        });
    }
});

/** Each was refused by Helm 3.21.4 with the real charts, 2026-11-27: "error converting YAML to JSON". */
describe("a text that breaks a template", () => {
    const wherePasted = [
        "kof-mothership.values.kcm.kof.service.clusterIP",
        "kof-mothership.values.ingress-nginx-service-template.namespace",
        "kof-child.values.collectors.opencost.opencost.prometheus.existingSecretName",
        "kof-child.values.collectors.opentelemetry-kube-stack.kubeControllerManager.serviceMonitor.port",
        "kof-child.values.collectors.opentelemetry-kube-stack.prometheus-node-exporter.prometheus.monitor.jobLabel",
        "kof-child.values.collectors.opentelemetry-kube-stack.collectors.daemon.priorityClassName",
        "kof-child.values.collectors.opentelemetry-kube-stack.prometheus-node-exporter.namespaceOverride",
        "kof-child.values.collectors.opentelemetry-kube-stack.kube-state-metrics.prometheus.monitor.proxyUrl",
        "kof-child.values.collectors.opentelemetry-kube-stack.collectors.target-allocator.labels.team",
    ];
    const given = (path: string, value: unknown) =>
        path.split(".").reduceRight<unknown>((below, key) => ({ [key]: below }), value) as Raw;

    for (const path of wherePasted) {
        it(`is refused at kof:values.${path}`, () => {
            for (const version of versions) {
                for (const text of ["a: b", "{{ x", "[a]", "*a", "{<<: 1}"]) {
                    assert.deepEqual(wrong({ version, values: given(path, text) }), [`kof:values.${path}`], text);
                }
                // What has another type without its quotes may be meant so: ports, for one.
                for (const text of ["plain", "8080", "a:b", ""]) {
                    assert.equal(problems({ version, values: given(path, text) }), "");
                }
            }
        });
    }

    it("is accepted where templates write it in quotes", () => {
        const path = "kof-child.values.collectors.opentelemetry-kube-stack.collectors.daemon.env";
        assert.equal(problems({ values: given(path, [{ name: "A", value: "a: b" }]) }), "");
        assert.equal(problems({ values: given("kof-mothership.values.grafana.config.server.root_url", "a: b") }), "");
    });
});

describe("a value that is pasted into a MultiClusterService", () => {
    it("is refused for a backtick, in lists and keys too", () => {
        const message =
            "has a backtick, which breaks the MultiClusterService template that these values are pasted into";
        for (const component of ["kof-child", "kof-regional"]) {
            for (const [global, key] of [
                [{ a: "`" }, "a"],
                [{ a: ["b", "c`"] }, "a"],
                [{ a: [{ b: ["`x`"] }] }, "a.b"],
                [{ "a`": 1 }, '"a`"'],
            ] as const) {
                assert.equal(
                    problems({ values: { [component]: { values: { global } } } }),
                    `  kof:values.${component}.values.global.${key} ${message}`,
                );
            }
        }
        assert.equal(problems({ values: { "kof-mothership": { values: { commonLabels: { a: "`" } } } } }), "");
    });

    it("is refused for a quote or a backslash where the template puts it between quotes", () => {
        for (const name of ['a"b', "a\\b"]) {
            assert.equal(
                problems({ values: { "kof-regional": { values: { gateway: { name } } } } }),
                "  kof:values.kof-regional.values.gateway.name has a quote or a backslash, which breaks the MultiClusterService template that these values are pasted into",
            );
            assert.equal(problems({ values: { "kof-regional": { values: { global: { name } } } } }), "");
        }
    });

    it("is accepted with everything else that Helm can write", () => {
        const arrive = words.filter((word) => !/[`\x7f-\x9f\u2028\u2029\ufffe]/.test(word));
        const global = { list: arrive, map: Object.fromEntries(arrive.map((word, i) => [`key${String(i)}`, word])) };
        for (const version of versions) {
            const values = { "kof-child": { values: { global } }, "kof-regional": { values: { global } } };
            assert.equal(problems({ version, values }), "");
        }
    });
});

describe("text that Helm cannot write", () => {
    for (const [character, code] of [
        ["\u007f", "007F"],
        ["\u0085", "0085"],
        ["\u2028", "2028"],
        ["\u2029", "2029"],
        ["\ufffe", "FFFE"],
        ["\ud800", "D800"],
    ] as const) {
        it(`is refused: U+${code}`, () => {
            const message = `has the character U+${code}, with which Helm fails, or writes other values or none`;
            const commonLabels = { a: [`x${character}`] };
            assert.equal(
                problems({ values: { "kof-mothership": { values: { commonLabels } } } }),
                `  kof:values.kof-mothership.values.commonLabels.a ${message}`,
            );
            if (!/[\u2028\u2029]/.test(character)) {
                const logStream = `a${character}b`;
                assert.equal(
                    problems({ route: "cloudwatch", cloudwatch: { region: "us-east-2", logStream } }),
                    `  kof:cloudwatch.logStream ${message}`,
                );
            }
        });
    }

    it("is refused as a key: <<", () => {
        assert.equal(
            problems({ values: { "kof-mothership": { values: { commonLabels: { "<<": "x", y: "<<" } } } } }),
            '  kof:values.kof-mothership.values.commonLabels."<<" is a key that Helm treats as a merge, and loses',
        );
    });

    it("is not an emoji", () => {
        assert.equal(
            problems({ values: { "kof-mothership": { values: { commonLabels: { a: "\u{1f600}\ufeff" } } } } }),
            "",
        );
    });
});

describe("what Pulumi makes of a date without quotes", () => {
    it("is refused wherever it is, with the date in quotes to paste", () => {
        const date = "2026-11-27 00:00:00 +0000 UTC";
        assert.equal(
            problems({
                route: "cloudwatch",
                cloudwatch: { region: "us-east-2", tags: { since: date } },
                values: { "kof-mothership": { values: { commonLabels: { list: [date] } } } },
            }),
            `  kof:cloudwatch.tags.since is "${date}", which is what Pulumi makes of a date without quotes. Quote it
    Paste:   kof:cloudwatch:
               tags:
                 since: "2026-11-27"

  kof:values.kof-mothership.values.commonLabels.list is "${date}", which is what Pulumi makes of a date without quotes. Quote it`,
        );
        assert.equal(
            problems({ values: { "kof-mothership": { values: { commonLabels: { since: "2026-11-27" } } } } }),
            "",
        );
    });
});
