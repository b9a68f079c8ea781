import assert from "node:assert/strict";

import { catalogOf, signals, type Signal } from "../../../core/charts";
import { isMap, valueAt, type HelmValues } from "../../../core/lib/values";
import { effectiveCollectors, type Collector } from "../../../core/collectors/effective";
import { flowsOf } from "../../../core/collectors/flows";
import { reviewCollectors } from "../../../core/review/collectors";
import { danglingReferences } from "../../../core/collectors/references";
import { vmuserSecretName } from "../../../core/charts/vmuser";
import { cases, destinationsIn, hasRegionless, deploymentFor, routes, type Raw } from "../../support";

function collectorsOf(raw: Raw): readonly Collector[] {
    return effectiveCollectors(deploymentFor(raw));
}

function collector(raw: Raw, key: string): Collector {
    const found = collectorsOf(raw).find((each) => each.key === key);
    assert.ok(found, `no collector ${key}`);
    return found;
}

/** Where a collector sends each signal. */
function sent(collector: Collector): Map<Signal, Set<string>> {
    const found = new Map<Signal, Set<string>>();
    for (const { signal, address } of flowsOf(collector)) {
        if (address !== undefined) {
            found.set(signal, (found.get(signal) ?? new Set()).add(address));
        }
    }
    return found;
}

/** The exporters that the pipelines of a collector name and that send anything, by their names. */
function senders(config: HelmValues): [string, HelmValues][] {
    const exporters = (config.exporters ?? {}) as HelmValues;
    const named = Object.values(valueAt(config, ["service", "pipelines"]) as HelmValues).flatMap(
        (pipeline) => valueAt(pipeline, ["exporters"]) as string[],
    );
    return Object.entries(exporters).filter(([name]) => named.includes(name) && !["debug", "nop"].includes(name)) as [
        string,
        HelmValues,
    ][];
}

/** The environment of a collector by name, of which only what is set by value has one. */
function byName(env: Collector["env"]): Record<string, string | undefined> {
    return Object.fromEntries(env.map(({ name, value }) => [name, value]));
}

const all = ["cluster", "controller-k0s", "daemon", "target-allocator"];
const names: Readonly<Record<string, string>> = {
    cluster: "kof-collectors-cluster-stats",
    "controller-k0s": "kof-collectors-controller-k0s-daemon",
    daemon: "kof-collectors-daemon",
    "target-allocator": "kof-collectors-ta-daemon",
};

describe("effective collectors", () => {
    for (const { version, name, raw } of cases) {
        describe(`KOF ${version}, ${name}`, () => {
            const collectors = collectorsOf(raw);

            it("are the ones that the route runs", () => {
                const expected =
                    raw.route === "none" ? [] : all.filter((key) => raw.istio !== true || key !== "controller-k0s");
                assert.deepEqual(collectors.map(({ key }) => key).sort(), expected);
                assert.deepEqual(
                    collectors.map((each) => each.name),
                    collectors.map(({ key }) => names[key]),
                );
            });

            for (const each of collectors) {
                it(`${each.key} refers only to what it has`, () => {
                    assert.deepEqual(danglingReferences(each), []);
                });

                it(`${each.key} sends each signal where the route says, and nowhere else`, () => {
                    for (const [signal, addresses] of sent(each)) {
                        assert.deepEqual([...addresses], [destinationsIn(raw)[signal].split(": ")[1]], signal);
                    }
                });
            }

            it("send every signal that the route stores", () => {
                const covered = new Set(collectors.flatMap((each) => [...sent(each).keys()]));
                const audited = catalogOf(version).volumes.some(({ signal }) => signal === "audit");
                for (const signal of signals) {
                    const isStored = !destinationsIn(raw)[signal].startsWith("not stored");
                    const expected = isStored && (signal !== "audit" || audited);
                    assert.equal(covered.has(signal), expected, signal);
                }
            });

            it("put the cluster's names on every signal", () => {
                for (const { key, config, ...each } of collectors) {
                    const env = byName(each.env);
                    assert.equal(env.OTEL_RESOURCE_ATTRIBUTES, "k8s.cluster.name=mothership", key);
                    assert.deepEqual(valueAt(config, ["exporters", "prometheusremotewrite", "external_labels"]), {
                        cluster: "mothership",
                        clusterNamespace: "kcm-system",
                    });
                    assert.deepEqual(valueAt(config, ["processors", "resource/k8sclustername", "attributes"]), [
                        { action: "insert", key: "k8s.cluster.name", value: "mothership" },
                        { action: "insert", key: "k8s.cluster.namespace", value: "kcm-system" },
                    ]);
                }
            });

            it("keep what they cannot send out of the cluster for as long as the stack file says", () => {
                const leaves = ["regional", "cloudwatch", "otlp"].includes(String(raw.route));
                const buffered = { ...raw, buffer: { duration: "45m", size: "2Gi" } };
                for (const { key, config } of leaves ? collectorsOf(buffered) : []) {
                    for (const [name, exporter] of senders(config)) {
                        assert.equal(
                            valueAt(exporter, ["retry_on_failure", "max_elapsed_time"]),
                            "45m",
                            `${key} ${name}`,
                        );
                        if (name === "prometheusremotewrite") {
                            assert.equal(exporter.timeout, "45m", "which covers all attempts together");
                        } else {
                            assert.deepEqual(exporter.sending_queue, {
                                enabled: true,
                                storage: "file_storage/exporters",
                                sizer: "bytes",
                                queue_size: 2 * 2 ** 30,
                            });
                        }
                    }
                }
            });

            it("keep their queues on the node, apart from each other's, with the right to write there", () => {
                const folders = collectors.map(({ config }) =>
                    valueAt(config, ["extensions", "file_storage/exporters", "directory"]),
                );
                const queued = collectors.some(({ config }) =>
                    senders(config).some(([, exporter]) => isMap(exporter.sending_queue)),
                );
                assert.ok(!queued || new Set(folders).size === collectors.length);
            });

            it("put the cluster's namespace on every span, and on metrics in OTLP", () => {
                for (const { key, config } of collectors) {
                    for (const [name, pipeline] of Object.entries(
                        valueAt(config, ["service", "pipelines"]) as HelmValues,
                    )) {
                        const [receivers, processors, exporters] = ["receivers", "processors", "exporters"].map(
                            (part) => (valueAt(pipeline, [part]) ?? []) as string[],
                        );
                        const silent = [...(receivers ?? []), ...(exporters ?? [])].includes("nop");
                        const unnamed = name === "metrics" && exporters?.includes("prometheusremotewrite");
                        if (!silent && !unnamed && !name.startsWith("logs")) {
                            assert.ok(processors?.includes("resource/k8sclustername"), `${key} ${name}`);
                        }
                    }
                }
            });

            it("find etcd's certificates where the distribution has them", () => {
                for (const each of collectors) {
                    const env = byName(each.env);
                    assert.equal(env.PKI_PATH, raw.distribution === "kind" ? "etc/kubernetes" : "var/lib/k0s");
                }
            });
        });
    }

    it("have the pipelines that the charts of 1.9.0 render for the daemon (recorded with Helm 3.21.4)", () => {
        const { config } = collector({ route: "management", version: "1.9.0" }, "daemon");
        assert.deepEqual(valueAt(config, ["service", "pipelines"]), {
            logs: {
                receivers: ["otlp", "receiver_creator", "filelog/syslog", "filelog/k8s_audit", "journald"],
                processors: [
                    ...["k8sattributes", "resource/k8sclustername", "resourcedetection", "transform/syslog"],
                    ...["transform/syslogkvparser", "transform/audit", "batch"],
                ],
                exporters: ["otlphttp/logs", "debug"],
            },
            metrics: {
                receivers: ["prometheus", "otlp", "hostmetrics", "kubeletstats"],
                processors: [
                    ...["k8sattributes", "resourcedetection", "transform/kubeletstats", "transform/hostmetrics"],
                    ...["transform/k8snode", "batch"],
                ],
                exporters: ["prometheusremotewrite"],
            },
            traces: {
                receivers: ["otlp"],
                // The second one is this program's: the charts' spans lack the cluster's namespace.
                processors: ["k8sattributes", "resource/k8sclustername", "resourcedetection", "batch"],
                exporters: ["otlphttp/traces"],
            },
        });
    });

    it("know where each distribution has its certificates, on every route", () => {
        const paths = {
            k0s: "var/lib/k0s",
            kubeadm: "etc/kubernetes",
            kind: "etc/kubernetes",
            eks: "etc/kubernetes",
            other: "etc/kubernetes",
        };
        for (const { raw } of cases) {
            for (const [distribution, path] of Object.entries(paths)) {
                for (const { env } of collectorsOf({ ...raw, distribution })) {
                    assert.equal(byName(env).PKI_PATH, path);
                }
            }
        }
    });

    const regional: Raw = { route: "regional", regional: { cluster: "eu-1", domain: "eu-1.obs.example.net" } };
    for (const version of ["1.8.0", "1.8.1", "1.9.0", "1.10.0", "1.11.0-rc0"]) {
        it(`authenticate at the region on KOF ${version}`, () => {
            const values = JSON.stringify(deploymentFor({ ...regional, version }).values);
            assert.equal(values.includes(vmuserSecretName("eu-1", "kcm-system")), !hasRegionless(version));
            for (const { config, env } of collectorsOf({ ...regional, version })) {
                assert.ok("KOF_VM_USER" in byName(env) && "KOF_VM_PASSWORD" in byName(env));
                for (const exporter of ["prometheusremotewrite", "otlphttp/logs", "otlphttp/traces"]) {
                    const authenticator = valueAt(config, ["exporters", exporter, "auth", "authenticator"]) as string;
                    assert.deepEqual(valueAt(config, ["extensions", authenticator]), {
                        client_auth: { username: "${env:KOF_VM_USER}", password: "${env:KOF_VM_PASSWORD}" },
                    });
                }
            }
        });

        it(`let pods of other nodes send traces to the daemon on KOF ${version}`, () => {
            for (const raw of [regional, ...(hasRegionless(version) ? [routes.regionless] : [])]) {
                const { config, hostNetwork } = collector({ ...raw, version }, "daemon");
                assert.equal(hostNetwork, true);
                assert.deepEqual(valueAt(config, ["receivers", "otlp", "protocols"]), {
                    grpc: { endpoint: "0.0.0.0:4317" },
                    http: { endpoint: "0.0.0.0:4318" },
                });
                const at = "${env:OTEL_K8S_NODE_IP}";
                const [reader] = valueAt(config, ["service", "telemetry", "metrics", "readers"]) as any[];
                assert.equal(reader.pull.exporter.prometheus.host, at);
            }
        });

        it(`skip the verification of a region's certificate when told to on KOF ${version}`, () => {
            const raw = {
                ...regional,
                version,
                regional: { cluster: "eu-1", domain: "eu-1.obs.example.net", insecureSkipVerify: true },
            };
            for (const { config } of collectorsOf(raw)) {
                for (const exporter of ["prometheusremotewrite", "otlphttp/logs", "otlphttp/traces"]) {
                    assert.equal(valueAt(config, ["exporters", exporter, "tls", "insecure_skip_verify"]), true);
                }
            }
        });

        it(`stay off the host's network in the mesh on KOF ${version}`, () => {
            for (const { raw } of cases.filter((each) => each.version === version)) {
                for (const { hostNetwork } of collectorsOf(withIstio(raw))) {
                    assert.equal(hostNetwork, false);
                }
            }
        });
    }

    for (const { version, name, raw } of cases.filter((each) => each.raw.route === "regional")) {
        describe(`with metrics kept on disk, KOF ${version}, ${name}`, () => {
            const stack = { ...raw, buffer: { duration: "45m", size: "2Gi", metrics: "disk" } };
            const collectors = collectorsOf(stack);

            it("pass what the lint looks for, and send metrics to the region and nowhere else", () => {
                assert.deepEqual(reviewCollectors(deploymentFor(stack)), { problems: [], notices: [] });
                for (const each of collectors) {
                    assert.deepEqual(sent(each), sent(collector(raw, each.key)));
                    assert.equal(flowsOf(each).filter(({ signal }) => signal === "metrics").length, 1);
                }
            });

            it("send metrics to themselves through a queue on disk, each at its own address", () => {
                const addresses = collectors.map(({ config, key }) => {
                    const at = (...path: string[]) => valueAt(config, path);
                    const before = valueAt(collector(raw, key).config, ["service", "pipelines", "metrics"]);
                    assert.deepEqual(at("service", "pipelines", "metrics"), {
                        ...(before as HelmValues),
                        exporters: ["otlphttp/queue"],
                    });
                    assert.deepEqual(at("service", "pipelines", "metrics/deliver"), {
                        receivers: ["otlp/queue"],
                        exporters: ["prometheusremotewrite"],
                    });
                    const own = at("receivers", "otlp/queue", "protocols", "http", "endpoint") as string;
                    assert.match(own, /^127\.0\.0\.1:143(18|19|20|21)$/);
                    assert.deepEqual(at("exporters", "otlphttp/queue"), {
                        endpoint: `http://${own}`,
                        compression: "none",
                        timeout: "10s",
                        sending_queue: {
                            enabled: true,
                            storage: "file_storage/exporters",
                            sizer: "bytes",
                            queue_size: 2 * 2 ** 30,
                        },
                        retry_on_failure: { enabled: true, max_elapsed_time: "45m" },
                    });
                    return own;
                });
                assert.equal(new Set(addresses).size, collectors.length);
            });

            it("do not give up on remote write before the sending end does, whose attempts take 10 seconds", () => {
                for (const { config } of collectors) {
                    // The shortest pause is half of what is set. What remote write reports as failed is lost.
                    const { timeout, retry_on_failure, remote_write_queue } = valueAt(config, [
                        "exporters",
                        "prometheusremotewrite",
                    ]) as HelmValues;
                    assert.deepEqual(
                        { timeout, retry_on_failure, remote_write_queue },
                        {
                            timeout: "1m",
                            retry_on_failure: { enabled: true, initial_interval: "1m", max_elapsed_time: "0s" },
                            remote_write_queue: { enabled: false },
                        },
                    );
                }
            });
        });
    }

    it("keep metrics for a region in memory unless told otherwise", () => {
        for (const { raw } of cases.filter((each) => each.raw.route === "regional")) {
            const { values } = deploymentFor(raw);
            assert.deepEqual(deploymentFor({ ...raw, buffer: { metrics: "memory" } }).values, values);
            assert.doesNotMatch(JSON.stringify(values), /queue\/|deliver|127\.0\.0\.1/);
        }
    });

    it("count what goes to an address of the loopback that is not their own as sent", () => {
        const found = collector({ ...routes.regional, version: "1.10.0", buffer: { metrics: "disk" } }, "daemon");
        const config = structuredClone(found.config);
        (valueAt(config, ["exporters", "otlphttp/queue"]) as HelmValues).endpoint = "http://127.0.0.1:9";
        assert.ok(
            sent({ ...found, config })
                .get("metrics")
                ?.has("http://127.0.0.1:9"),
        );
    });

    function withIstio(raw: Raw): Raw {
        return raw.route === "regional"
            ? { ...raw, istio: true, regional: { cluster: "eu-1" } }
            : { ...raw, istio: true };
    }

    const cloudwatch = {
        route: "cloudwatch",
        cloudwatch: { region: "us-east-2", auditLogGroup: "audit", logStream: "s" },
    };

    it("write audit logs to a group of their own where KOF tells them apart", () => {
        const sorted = { region: "us-east-2", logStream: "s" };
        const byDefault = { route: "cloudwatch", cloudwatch: sorted, version: "1.10.0" };
        assert.deepEqual(sent(collector(byDefault, "daemon")).get("audit"), new Set(["/kof/mothership-audit/s"]));
        const together = { ...byDefault, cloudwatch: { ...sorted, auditLogGroup: "/kof/mothership" } };
        assert.deepEqual(sent(collector(together, "daemon")).get("audit"), new Set(["/kof/mothership/s"]));
        assert.deepEqual(
            [...sent(collector({ ...cloudwatch, version: "1.10.0" }, "daemon"))],
            [
                ["logs", new Set(["/kof/mothership/s"])],
                ["audit", new Set(["audit/s"])],
            ],
        );
        assert.deepEqual(
            [...sent(collector({ ...cloudwatch, version: "1.9.0" }, "daemon"))],
            [["logs", new Set(["/kof/mothership/s"])]],
        );
    });

    it("pass the endpoint and the name of the credentials on", () => {
        const wanted = {
            region: "us-east-2",
            endpoint: "http://aws.test:5000",
            credentials: { kind: "existingSecret", name: "my-keys" },
        };
        const raw = { route: "cloudwatch", cloudwatch: wanted, version: "1.10.0" };
        const { config, env } = collector(raw, "daemon");
        assert.equal(valueAt(config, ["exporters", "awscloudwatchlogs", "endpoint"]), "http://aws.test:5000");
        assert.ok("AWS_ACCESS_KEY_ID" in byName(env) && "AWS_SECRET_ACCESS_KEY" in byName(env));
        assert.equal(JSON.stringify(deploymentFor(raw).values).split('"my-keys"').length, 3);
    });

    it("do not print what the route discards", () => {
        for (const version of ["1.8.0", "1.11.0-rc0"]) {
            const { config } = collector({ ...cloudwatch, version }, "daemon");
            for (const pipeline of ["metrics", "traces"]) {
                assert.deepEqual(valueAt(config, ["service", "pipelines", pipeline, "exporters"]), ["nop"]);
            }
            assert.ok(Object.values(config.exporters as HelmValues).every(isMap));
        }
    });
});
