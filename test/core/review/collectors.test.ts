import assert from "node:assert/strict";

import { runOffline } from "../../../cli/program";
import { mergeValues, nest, valueAt, type HelmValue, type HelmValues } from "../../../core/lib/values";
import { effectiveCollectors } from "../../../core/collectors/effective";
import { reviewCollectors } from "../../../core/review/collectors";
import { storesOf } from "../../../core/routes/volumes";
import { cases, deploymentFor, routes, stackFile, type Raw } from "../../support";

const config = ["defaultCRConfig", "config"];
const daemon = ["collectors", "daemon", "config"];

/** Values for opentelemetry-kube-stack, at the path where this version takes them. */
function kubeStack(version: string, path: readonly string[], value: HelmValue): HelmValues {
    const prefix = version.startsWith("1.9")
        ? ["kof-collectors", "values"]
        : ["kof-child", "values", "fromManagement", "collectors"];
    return nest([...prefix, "opentelemetry-kube-stack", ...path], value);
}

function lint(name: string, version: string, ...values: [readonly string[], HelmValue][]) {
    const all = mergeValues(...values.map(([path, value]) => kubeStack(version, path, value)));
    return reviewCollectors(deploymentFor({ ...routes[name], version, values: all }));
}

describe("the lint of collectors", () => {
    it("finds nothing in any route", () => {
        for (const { raw } of cases) {
            assert.deepEqual(reviewCollectors(deploymentFor(raw)), { problems: [], notices: [] });
        }
    });

    for (const version of ["1.9.0", "1.10.0"]) {
        describe(`on KOF ${version}`, () => {
            const problems = (name: string, ...values: [readonly string[], HelmValue][]) =>
                lint(name, version, ...values)
                    .problems.map(({ message }) => message)
                    .join("\n");

            it("finds an environment that drops what the charts need", () => {
                const found = problems("management", [
                    ["defaultCRConfig", "env"],
                    [{ name: "MINE", value: "yes please" }],
                ]);
                assert.match(
                    found,
                    /breaks the collector kof-collectors-controller-k0s-daemon: .* uses the variable PKI_PATH, which is not in env/,
                );
            });

            it("says that a list for all collectors reaches none", () => {
                const said = (...values: [readonly string[], HelmValue][]) =>
                    lint("management", version, ...values).notices.filter((notice) => notice.includes("has no effect"));
                const volumes = [{ name: "a", emptyDir: {} }];
                const [notice = "", ...more] = said([["defaultCRConfig", "volumes"], volumes]);
                assert.match(
                    notice,
                    /^kof:values\..*\.defaultCRConfig\.volumes has no effect: each collector has a list/,
                );
                assert.deepEqual(more, []);
                const tolerations = [{ operator: "Exists" }];
                const shared: [readonly string[], HelmValue] = [["defaultCRConfig", "tolerations"], tolerations];
                assert.deepEqual(said(shared), []);
                assert.deepEqual(said(shared, [["collectors", "daemon", "tolerations"], tolerations]), []);
            });

            it("finds an extension that is dropped from the list", () => {
                const found = problems("management", [[...daemon, "service", "extensions"], ["k8s_observer"]]);
                assert.match(
                    found,
                    /kof-collectors-daemon: receivers filelog\/syslog uses file_storage\/filelogsyslogreceiver, which is not in service\.extensions/,
                );
            });

            it("finds a pipeline that ends although the route stores the signal", () => {
                const pipeline = ["service", "pipelines", "traces", "exporters"];
                const found = problems("management", [[...config, ...pipeline], ["debug"]]);
                assert.match(
                    found,
                    /collectors kof-collectors-daemon, kof-collectors-ta-daemon: pipeline traces ends in debug, but route management stores traces/,
                );
                assert.match(
                    found,
                    /leaves no collector that sends traces to http:\/\/kof-storage-vt-cluster-vtinsert:10481/,
                );
            });

            it("finds an exporter that leads to a store which the route does not have", () => {
                const endpoint = ["exporters", "otlphttp/logs", "logs_endpoint"];
                const found = problems("regional", [
                    [...config, ...endpoint],
                    "http://kof-storage-victoria-logs-cluster-vlinsert:9481/x",
                ]);
                assert.match(
                    found,
                    /sends to http:\/\/kof-storage-victoria-logs-cluster-vlinsert:9481\/x \(exporter otlphttp\/logs\), which does not exist on route regional/,
                );
            });

            it("finds that the cluster's name is dropped, and names the setting and the whole list", () => {
                const at = [...daemon, "service", "pipelines", "logs", "processors"];
                const { problems, notices } = lint("management", version, [at, ["batch"]]);
                assert.equal(problems.length, 1);
                assert.match(
                    problems[0]!.key,
                    /^kof:values\..*\.daemon\.config\.service\.pipelines\.logs\.processors$/,
                );
                assert.match(
                    problems[0]!.message,
                    /drops resource\/k8sclustername: the data of \S+ would no longer name its cluster/,
                );
                assert.match(problems[0]!.allowed!, /resource\/k8sclustername, .*transform\/audit, batch$/);
                assert.equal(notices.length, 4);
                assert.match(
                    notices[0]!,
                    /drops resourcedetection from config\.service\.pipelines\.logs\.processors of kof-collectors-daemon/,
                );
            });

            it("names what is also sent elsewhere", () => {
                const mine = { "otlphttp/mine": { endpoint: "https://otlp.example.net" } };
                const { problems, notices } = lint(
                    "management",
                    version,
                    [[...config, "exporters"], mine],
                    [
                        [...config, "service", "pipelines", "traces", "exporters"],
                        ["otlphttp/traces", "otlphttp/mine"],
                    ],
                );
                assert.deepEqual(problems, []);
                assert.deepEqual(
                    notices,
                    ["daemon", "ta-daemon"].map(
                        (name) => `kof-collectors-${name}: pipeline traces also sends to https://otlp.example.net.`,
                    ),
                );
            });

            it("finds a variable that Kubernetes would refuse, and a volume that is missing", () => {
                const env = [
                    { name: "PKI_PATH", value: "var/lib/k0s" },
                    { name: "PORT", value: "8080" },
                ];
                assert.match(
                    problems("management", [["defaultCRConfig", "env"], env]),
                    /env has PORT: 8080, which the chart writes without quotes/,
                );
                const found = problems("management", [["collectors", "daemon", "volumes"], []]);
                assert.match(
                    found,
                    /kof-collectors-daemon: volumeMounts has varlogpods, which is not among the volumes/,
                );
            });
        });
    }

    it("finds variables that arrive otherwise, of other clusters too, with a ConfigMap to paste that hands them on", () => {
        const texts = { A: "a # b", B: "1_000", C: "x\ny", D: " a ", E: '"q"', F: "it's: x", G: "true" };
        const plain = { name: "PKI_PATH", value: "var/lib/k0s" };
        const env = [...Object.entries(texts).map(([name, value]) => ({ name, value })), plain];
        for (const [version, layer] of [
            ["1.9.0", ["kof-collectors", "values"]],
            ["1.10.0", ["kof-child", "values", "collectors"]],
            ["1.10.0", ["kof-regional", "values", "collectors"]],
        ] as const) {
            for (const place of [["extraEnvs"], ["collectors", "daemon", "env"]]) {
                const path = [...layer, "opentelemetry-kube-stack", ...place];
                const review = (values: unknown) =>
                    reviewCollectors(deploymentFor({ ...routes.management, version, values })).problems;
                const problems = review(nest(path, env));
                assert.deepEqual(
                    problems.map(({ key }) => key),
                    Object.keys(texts).map((_, i) => `kof:values.${path.join(".")}.${String(i)}.value`),
                );
                assert.match(
                    problems[0]!.message,
                    /^is "a # b", which never arrives: env has A: a # b, which the chart writes/,
                );
                assert.match(
                    problems[0]!.run!,
                    /^kubectl create configmap -n kof kof-own --from-literal='A=a # b' .*'F=it'\\''s: x'/s,
                );
                const { values } = Object.fromEntries(
                    Object.entries(problems[0]!.paste as Raw).map(([key, value]) => [key.slice("kof:".length), value]),
                );
                assert.deepEqual(review(values), []);
                assert.deepEqual((valueAt(values as HelmValues, path) as HelmValue[]).at(-1), plain);
            }
        }
    });

    it("finds a directory of a storage that nothing is mounted at", () => {
        const { problems } = lint("management", "1.10.0", [["collectors", "cluster", "volumeMounts"], []]);
        assert.match(
            problems[0]!.message,
            /extension file_storage\/exporters needs the directory .*exporters-cluster-stats, which no volume is mounted at/,
        );
    });

    it("finds a connector that leads to a pipeline which does not exist, or to none", () => {
        const routing = [...daemon, "connectors", "routing/logs", "default_pipelines"];
        assert.match(
            lint("management", "1.10.0", [routing, ["logs/x"]]).problems[0]!.message,
            /connector routing\/logs routes to the pipeline logs\/x/,
        );
        const receivers = { "logs/default": { receivers: ["otlp"] }, "logs/audit": { receivers: ["otlp"] } };
        const { problems } = lint("management", "1.10.0", [[...daemon, "service", "pipelines"], receivers]);
        assert.match(
            problems[0]!.message,
            /connector routing\/logs is an exporter of a pipeline, but a receiver of none/,
        );
    });

    it("finds a pipeline through which a wrong time reaches CloudWatch: a list that was replaced, or one of its own", () => {
        const cloudwatch = (pipelines: HelmValues) =>
            reviewCollectors(
                deploymentFor({
                    ...routes.cloudwatch,
                    version: "1.10.0",
                    values: nest(
                        ["kof-collectors", "values", "opentelemetry-kube-stack", ...daemon, "service", "pipelines"],
                        pipelines,
                    ),
                }),
            );
        const dropped = cloudwatch({ "logs/default": { processors: ["batch"] } });
        assert.deepEqual(dropped, {
            problems: [
                {
                    key: "kof:values.kof-collectors.values.opentelemetry-kube-stack.collectors.daemon.config.service.pipelines.logs/default.processors",
                    message:
                        "leaves pipeline logs/default of kof-collectors-daemon without transform/clock and groupbyattrs/clock: one record that " +
                        "is older than 14 days, or ahead of time, would stop all others on their way to CloudWatch",
                    allowed: "the whole list, with these at its end: batch, transform/clock, groupbyattrs/clock",
                },
            ],
            notices: [],
        });
        const [fault, ...others] = cloudwatch({
            "logs/mine": { receivers: ["otlp"], exporters: ["awscloudwatchlogs"] },
        }).problems;
        assert.deepEqual(others, []);
        assert.match(
            fault?.message ?? "",
            /^leaves pipeline logs\/mine of kof-collectors-daemon without transform\/clock/,
        );
        const whole = { processors: ["batch", "transform/clock", "groupbyattrs/clock"] };
        assert.deepEqual(cloudwatch({ "logs/default": whole }), { problems: [], notices: [] });
    });

    it("finds it as well where only some signals go to CloudWatch, beside whatever route", () => {
        for (const [version, prefix] of [
            ["1.9.0", "kof-collectors.values"],
            ["1.10.0", "kof-child.values.fromManagement.collectors"],
        ] as const) {
            const own = { receivers: ["otlp"], exporters: ["awscloudwatchlogs"] };
            const path = [...prefix.split("."), "opentelemetry-kube-stack", ...daemon, "service", "pipelines"];
            const beside = {
                route: "management",
                signals: { logs: ["management", "cloudwatch"], audit: ["management", "cloudwatch"] },
                cloudwatch: { region: "us-east-2" },
                version,
            };
            assert.deepEqual(reviewCollectors(deploymentFor(beside)), { problems: [], notices: [] });
            const { problems } = reviewCollectors(
                deploymentFor({ ...beside, values: nest(path, { "logs/mine": own }) }),
            );
            assert.match(
                problems.map(({ message }) => message).join(),
                /^leaves pipeline logs\/mine of kof-collectors-daemon/,
            );
            const ended = nest(path, { traces: { exporters: ["debug"] } });
            const [lost] = reviewCollectors(deploymentFor({ ...beside, values: ended })).problems;
            assert.match(lost?.message ?? "", /pipeline traces ends in debug, but kof:signals store traces$/);
        }
    });

    describe("of what values turn off", () => {
        const management = (...values: HelmValues[]) =>
            reviewCollectors(
                deploymentFor({ ...routes.management, version: "1.10.0", values: mergeValues(...values) }),
            );
        const store = (path: string) => nest(`kof-child.values.fromManagement.storage.${path}`.split("."), false);
        const sorted = [...daemon, "service", "pipelines", "logs/audit", "exporters"];

        it("says that audit logs have no store, and how to have them among the logs", () => {
            const off = store("victoriametrics.vlcluster_audit.enabled");
            const { problems, notices } = management(off);
            assert.deepEqual(problems, []);
            assert.deepEqual(notices, [
                "kof:values.kof-child.values.fromManagement.storage.victoriametrics.vlcluster_audit.enabled leaves audit logs of this " +
                    "cluster without a store: the collectors still send them to " +
                    "http://vlinsert-audit-logs:9481/insert/opentelemetry/v1/logs, where nothing answers, and drop " +
                    "them. To have them among the logs: kof:values.kof-child.values.fromManagement.collectors." +
                    "opentelemetry-kube-stack.collectors.daemon.config.service.pipelines.logs/audit.exporters: [otlphttp/logs].",
            ]);
            // As pasted, nothing is lost any more, and the store is said to be off.
            const among = management(off, kubeStack("1.10.0", sorted, ["otlphttp/logs"]));
            assert.deepEqual(among.problems, []);
            assert.deepEqual(
                among.notices.filter((notice) => /without a store|turns off/.test(notice)),
                [
                    "kof:values.kof-child.values.fromManagement.storage.victoriametrics.vlcluster_audit.enabled turns off " +
                        "vlstorage-audit, the store of audit on this cluster.",
                ],
            );
        });

        it("offers no store of logs for audit logs that is off, too", () => {
            const { problems, notices } = management(
                store("victoriametrics.vlcluster_audit.enabled"),
                store("victoria-logs-cluster.enabled"),
            );
            assert.deepEqual(problems, []);
            assert.equal(notices.filter((notice) => notice.includes("without a store")).length, 2);
            assert.ok(!notices.some((notice) => notice.includes("among the logs")));
        });

        it("still refuses an exporter that leads to a store which nothing turned off, but that is not there", () => {
            const endpoint = [...config, "exporters", "otlphttp/logs", "logs_endpoint"];
            const { problems } = management(kubeStack("1.10.0", endpoint, "http://vlinsert-audit-logs:9481/wrong"));
            assert.match(
                problems[0]!.message,
                /sends to http:\/\/vlinsert-audit-logs:9481\/wrong .* does not exist on route management/,
            );
        });

        it("refuses an exporter without an address, with which its collectors would not start", () => {
            for (const [exporter, key, signal, value] of [
                ["otlphttp/traces", "traces_endpoint", "traces", ""],
                ["otlphttp/traces", "traces_endpoint", "traces", -1],
                ["prometheusremotewrite", "endpoint", "metrics", ""],
            ] as const) {
                const values = kubeStack("1.10.0", [...config, "exporters", exporter, key], value);
                const { problems } = management(values);
                assert.match(
                    problems[0]!.message,
                    new RegExp(
                        `^breaks the collectors? .*: pipeline ${signal}\\S* sends to exporter ${exporter}, which has no address that is text$`,
                    ),
                );
                const { [signal]: destination } = deploymentFor({
                    ...routes.management,
                    version: "1.10.0",
                    values,
                }).destinations;
                assert.equal(destination.stored, false);
            }
        });

        it("says that no collector runs, and which signals are lost with it", () => {
            const { problems, notices } = management({ "kof-child": { enabled: false } });
            assert.deepEqual(problems, []);
            assert.equal(
                notices[0],
                "No collector runs on this cluster by kof:values: metrics, logs, traces, audit of it are not stored.",
            );
        });

        it("shows no collector without its operator, and no store without that of stores", () => {
            for (const path of ["kof-operators.enabled", "kof-operators.values.opentelemetry-operator.enabled"]) {
                const deployment = deploymentFor({
                    ...routes.management,
                    version: "1.10.0",
                    values: nest(path.split("."), false),
                });
                assert.deepEqual(effectiveCollectors(deployment), []);
                assert.ok(Object.values(deployment.destinations).every(({ stored }) => !stored));
                const [notice = ""] = reviewCollectors(deployment).notices;
                assert.ok(
                    notice.startsWith(`No collector runs on this cluster by kof:values.${path}: metrics, `),
                    notice,
                );
            }
            const off = { "victoria-metrics-operator": { enabled: false } };
            const deployment = deploymentFor({ ...routes.management, version: "1.10.0", values: off });
            assert.deepEqual(
                storesOf(deployment).map(({ workload }) => workload),
                ["vlstorage", "vtstorage"],
            );
            const { metrics, logs, traces, audit } = deployment.destinations;
            assert.deepEqual(
                [metrics, logs, traces, audit].map(({ stored }) => stored),
                [false, true, true, false],
            );
            const { problems, notices } = reviewCollectors(deployment);
            assert.deepEqual(problems, []);
            assert.match(notices[0]!, /^kof:values\.victoria-metrics-operator\.enabled leaves metrics of this cluster/);
        });

        it("knows what a region needs to take anything in", () => {
            const regional = (path: string, name = "regional") => {
                const values = nest(path.split("."), false);
                const deployment = deploymentFor({ ...routes[name], version: "1.10.0", values });
                const { problems, notices } = reviewCollectors(deployment);
                assert.deepEqual(problems, []);
                const lost = notices.filter((notice) => notice.startsWith(`kof:values.${path} leaves `));
                assert.ok(
                    lost.every((notice) => notice.includes("where nothing answers")) || lost.length === 1,
                    lost[0],
                );
                assert.equal(
                    Object.values(deployment.destinations).filter(({ stored }) => !stored).length,
                    lost.length,
                );
                return [lost.length, /where (.*), and drop/.exec(lost[0] ?? "")?.[1]];
            };
            const storage = "kof-regional.values.storage.victoriametrics";
            const unanswered = [4, "nothing answers"];
            assert.deepEqual(regional(`${storage}.vmauth.enabled`), unanswered);
            assert.deepEqual(regional(`${storage}.enabled`), unanswered);
            assert.deepEqual(regional("kof-regional.values.victoria-metrics-operator.enabled"), unanswered);
            // The entrance is there: only the store is not.
            const untaken = [1, "no store takes them"];
            assert.deepEqual(regional(`${storage}.vlcluster_audit.enabled`), untaken);
            assert.deepEqual(regional(`${storage}.vmcluster.enabled`), untaken);
            assert.deepEqual(regional(`${storage}.vmcluster.enabled`, "regional with Istio"), unanswered);
        });

        it("names the collectors that are off, and what they sent", () => {
            const off = (...names: string[]) =>
                management(...names.map((name) => kubeStack("1.10.0", ["collectors", name, "enabled"], false)));
            const notice = (name: string, sent: string) =>
                `kof:values turn off kof-collectors-${name}, which sends ${sent}: what it alone collects is not stored.`;
            const daemonOff = notice("daemon", "metrics, logs, traces, audit");
            assert.deepEqual(off("daemon"), { problems: [], notices: [daemonOff] });
            assert.deepEqual(off("daemon", "cluster", "controller-k0s"), {
                problems: [],
                notices: [
                    notice("cluster-stats", "metrics, logs"),
                    notice("controller-k0s-daemon", "metrics"),
                    daemonOff,
                ],
            });
            // One that is off excuses no other that is on.
            const traces = [...config, "service", "pipelines", "traces", "exporters"];
            const { problems } = management(
                kubeStack("1.10.0", ["collectors", "cluster", "enabled"], false),
                kubeStack("1.10.0", traces, ["debug"]),
            );
            assert.match(problems.at(-1)!.message, /leaves no collector that sends traces to /);
        });

        it("says that a signal is sent elsewhere instead of here", () => {
            const endpoint = [...config, "exporters", "otlphttp/traces", "traces_endpoint"];
            const { problems, notices } = management(kubeStack("1.10.0", endpoint, "https://tempo.example.net"));
            assert.deepEqual(problems, []);
            assert.deepEqual(notices, [
                "kof:values have traces sent to https://tempo.example.net, and no longer to " +
                    "http://kof-storage-vt-cluster-vtinsert:10481/insert/opentelemetry/v1/traces.",
            ]);
        });
    });

    it("stops the program before it registers anything, and names all at once", async () => {
        const values = mergeValues(
            kubeStack("1.10.0", ["defaultCRConfig", "env"], []),
            kubeStack("1.10.0", [...config, "service", "pipelines", "traces", "exporters"], ["nop"]),
        );
        const raw: Raw = { ...routes.management, version: "1.10.0", values };
        await assert.rejects(runOffline(stackFile(raw), { preview: true }), {
            name: "UserError",
            message: /Pulumi\.test\.yaml has \d+ problems\. Nothing was changed\.[^]*PKI_PATH[^]*traces ends in nop/,
        });
    });

    it("warns in the preview of what is dropped without harm", async () => {
        const values = kubeStack("1.10.0", [...config, "service", "pipelines", "logs", "exporters"], ["otlphttp/logs"]);
        const { messages } = await runOffline(stackFile({ ...routes.management, version: "1.10.0", values }), {
            preview: true,
        });
        assert.ok(
            messages.some((message) =>
                /^warning: kof:values\..* drops debug from config\.service\.pipelines\.logs/.test(message),
            ),
        );
    });
});
