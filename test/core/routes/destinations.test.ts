import assert from "node:assert/strict";

import { signals } from "../../../core/charts";
import { mergeValues, nest, type HelmValue, type HelmValues } from "../../../core/lib/values";
import { runOffline } from "../../../cli/program";
import { planOf } from "../../../core/review/plan";
import { reviewCollectors } from "../../../core/review/collectors";
import { destinationText } from "../../../core/routes/destinations";
import { changeDiagram } from "../../../core/review/summary/diagram";
import { summaryPage } from "../../../core/review/summary/page";
import { cases, destinationsIn, deploymentFor, routes, stackFile, type Raw } from "../../support";

const texts = (raw: Raw) => {
    const destinations = deploymentFor(raw).destinations;
    return Object.fromEntries(signals.map((signal) => [signal, destinationText(destinations[signal])]));
};
const at = (...entries: (readonly [readonly string[], HelmValue])[]): HelmValues =>
    mergeValues(...entries.map(([path, value]) => nest([...path], value)));

describe("where signals go", () => {
    for (const { version, name, raw } of cases) {
        it(`is where the route sends them, on KOF ${version}, ${name}`, () => {
            assert.deepEqual(texts(raw), destinationsIn(raw));
        });
    }

    const exporters = [
        "kof-collectors",
        "values",
        "opentelemetry-kube-stack",
        "defaultCRConfig",
        "config",
        "exporters",
    ];
    const endpoints = {
        metrics_endpoint: "http://mimir.example.net/otlp/v1/metrics",
        logs_endpoint: "http://loki.example.net/otlp/v1/logs",
        traces_endpoint: "http://tempo.example.net:4318/v1/traces",
    };
    const otlp: Raw = { route: "otlp", otlp: { endpoint: "http://mimir.example.net/otlp" } };
    const perSignal = (given: object): Raw => ({
        ...otlp,
        values: at([[...exporters, "otlphttp/destination"], given as HelmValues]),
    });

    for (const version of ["1.9.0", "1.10.0"]) {
        it(`is the address of the exporter, of which values give one per signal, on KOF ${version}`, async () => {
            const raw = { ...perSignal(endpoints), version };
            const expected = {
                metrics: `OTLP: ${endpoints.metrics_endpoint}`,
                logs: `OTLP: ${endpoints.logs_endpoint}`,
                traces: `OTLP: ${endpoints.traces_endpoint}`,
                audit: `OTLP: ${endpoints.logs_endpoint}`,
            };
            assert.deepEqual(texts(raw), expected);
            const { outputs, messages } = await runOffline(stackFile(raw), { preview: true });
            assert.deepEqual(outputs.destinations, expected);
            // The address for metrics is what the exporter makes of the setting anyway.
            assert.equal(
                messages.filter((message) => message.includes("no longer to")).length,
                version === "1.9.0" ? 2 : 3,
            );
            const page = summaryPage("x", deploymentFor(raw), []);
            assert.ok(Object.values(endpoints).every((address) => page.includes(`| OTLP | \`${address}\` |`)));
            const change = planOf(deploymentFor({ ...otlp, version }), deploymentFor(raw));
            assert.deepEqual(
                change.signals.map(({ to }) => to),
                signals.map((signal) => expected[signal]),
            );
            const moved = (from: Raw, to: Raw) => {
                const [was, is] = [deploymentFor({ ...from, version }), deploymentFor({ ...to, version })];
                const { signals: all } = planOf(was, is);
                // What moves for the plan moves in the diagram.
                const drawn = changeDiagram(was, is);
                assert.equal(
                    /newly sent to|comes in/.test(drawn),
                    all.some(({ operation }) => operation === "moves"),
                );
                return all.filter(({ operation }) => operation === "moves").map(({ signal }) => signal);
            };
            // Up to 1.9 audit logs are among the logs.
            assert.deepEqual(moved(otlp, perSignal(endpoints)), ["logs", "traces", "audit"]);
            assert.deepEqual(moved(perSignal(endpoints), otlp), ["logs", "traces", "audit"]);
            const { metrics_endpoint } = endpoints;
            assert.deepEqual(moved(otlp, perSignal({ metrics_endpoint })), []);
            assert.deepEqual(moved(otlp, perSignal({ metrics_endpoint: "" })), []);
            assert.deepEqual(moved(otlp, perSignal({ endpoint: "http://mimir.example.net/otlp/" })), []);
            // The exporter adds nothing to this one.
            assert.deepEqual(moved(otlp, perSignal({ metrics_endpoint: "http://mimir.example.net/otlp" })), [
                "metrics",
            ]);
            const elsewhere = { ...endpoints, traces_endpoint: "http://other.example.net/v1/traces" };
            assert.deepEqual(moved(perSignal(endpoints), perSignal(elsewhere)), ["traces"]);
        });

        it(`is the setting's address for the signals that values say nothing of, on KOF ${version}`, () => {
            const raw = { ...perSignal({ traces_endpoint: endpoints.traces_endpoint }), version };
            assert.deepEqual(reviewCollectors(deploymentFor(raw)).problems, []);
            const setting = "OTLP: http://mimir.example.net/otlp";
            assert.deepEqual(texts(raw), {
                metrics: setting,
                logs: setting,
                traces: `OTLP: ${endpoints.traces_endpoint}`,
                audit: setting,
            });
        });
    }

    const collectors = ["kof-child", "values", "fromManagement", "collectors", "opentelemetry-kube-stack"];
    const shared = [...collectors, "defaultCRConfig", "config"];
    const daemon = [...collectors, "collectors", "daemon", "config", "service", "pipelines"];

    it("may be several places at once", () => {
        const values = at(
            [[...shared, "exporters", "otlphttp/archive"], { endpoint: "http://loki:3100/otlp" }],
            [
                [...daemon, "logs/default", "exporters"],
                ["otlphttp/logs", "otlphttp/archive"],
            ],
        );
        const raw = { ...routes.management, version: "1.10.0", values };
        assert.equal(texts(raw).logs, `${destinationsIn(raw).logs} and OTLP: http://loki:3100/otlp`);
        assert.equal(texts(raw).audit, destinationsIn(raw).audit);
        const rows = summaryPage("x", deploymentFor(raw), [])
            .split("\n")
            .filter((line) => line.startsWith("| logs | "));
        assert.equal(rows.length, 2);
    });

    it("is nowhere where the store is off, whatever the collectors send there", () => {
        const audit = [
            "kof-child",
            "values",
            "fromManagement",
            "storage",
            "victoriametrics",
            "vlcluster_audit",
            "enabled",
        ];
        const off = { ...routes.management, version: "1.10.0", values: at([audit, false]) };
        const { audit: text, ...others } = texts(off);
        assert.equal(text, "not stored (http://vlinsert-audit-logs:9481/insert/opentelemetry/v1/logs does not exist)");
        const { audit: _, ...expected } = destinationsIn(off);
        assert.deepEqual(others, expected);
        // Sent to the logs' store, they are stored among the logs.
        const among = at([audit, false], [[...daemon, "logs/audit", "exporters"], ["otlphttp/logs"]]);
        assert.equal(texts({ ...off, values: among }).audit, destinationsIn(off).logs);
    });

    it("is nowhere because of the store that is missing, where others only print what they get", () => {
        const off = [...collectors.slice(0, 3), "storage", "victoria-traces-cluster", "enabled"];
        const values = at([off, false], [[...daemon, "traces", "exporters"], ["debug"]]);
        assert.match(
            texts({ ...routes.management, version: "1.10.0", values }).traces!,
            /vtinsert:10481.* does not exist/,
        );
    });

    it("is this cluster's own store by each of its service's names, and no other service of it", () => {
        const endpoint = [...shared, "exporters", "otlphttp/traces", "traces_endpoint"];
        const to = (address: string) =>
            texts({ ...routes.management, version: "1.10.0", values: at([endpoint, address]) }).traces;
        const own = "http://kof-storage-vt-cluster-vtinsert.kof.svc:10481/insert/opentelemetry/v1/traces";
        assert.equal(to(own), `VictoriaTraces on this cluster: ${own}`);
        const foreign = own.replace(".kof.svc", ".example.net");
        assert.equal(to(foreign), `OTLP: ${foreign}`);
        const wrong = own.replace("/insert/opentelemetry/v1/traces", "/x");
        assert.equal(to(wrong), `not stored (${wrong} does not exist)`);
    });

    const stores = ["kof-child", "values", "fromManagement", "storage"];
    const address = "http://kof-storage-victoria-logs-cluster-vlinsert:9481/insert/opentelemetry/v1/logs";
    for (const [path, value] of [
        [["vlinsert", "enabled"], false],
        [["vlinsert", "service", "enabled"], false],
        [["vlinsert", "service", "servicePort"], 9999],
        [["vlinsert", "fullnameOverride"], "other"],
        [["fullnameOverride"], "other"],
        [["namespaceOverride"], "other"],
    ] as const) {
        it(`is nowhere where the store runs, but not at the address that it is sent to: ${path.join(".")}`, () => {
            const values = at([[...stores, "victoria-logs-cluster", ...path], value]);
            const raw = { ...routes.management, version: "1.10.0", values };
            assert.deepEqual(texts(raw), {
                ...texts({ ...raw, values: {} }),
                logs: `not stored (${address} does not exist)`,
            });
            const problems = reviewCollectors(deploymentFor(raw)).problems.map(({ message }) => message);
            assert.equal(problems.length, 1, problems.join("\n"));
            assert.ok(problems[0]?.includes(String(value)) && problems[0].includes(address));
            assert.match(
                problems[0] ?? "",
                /^breaks the collectors kof-collectors-\S+ \(pipeline logs\), kof-collectors-/,
            );
        });
    }

    it("is the store at another port, where the exporter sends there", () => {
        const port = [...stores, "victoria-logs-cluster", "vlinsert", "service", "servicePort"];
        const moved = address.replace("9481", "9999");
        const endpoint = [...shared, "exporters", "otlphttp/logs", "logs_endpoint"];
        const raw = { ...routes.management, version: "1.10.0" };
        assert.equal(
            texts({ ...raw, values: at([port, 9999], [endpoint, moved]) }).logs,
            `VictoriaLogs on this cluster: ${moved}`,
        );
        assert.equal(texts({ ...raw, values: at([endpoint, moved]) }).logs, `not stored (${moved} does not exist)`);
        const audit = [...stores, "victoriametrics", "vlcluster_audit", "spec", "vlinsert", "port"];
        assert.match(texts({ ...raw, values: at([audit, "9999"]) }).audit!, /^not stored/);
    });

    it("is nowhere where values turn off the region's store, and what brings it", () => {
        const raw = { ...routes.regional, version: "1.10.0" };
        const regions = ["kof-regional", "values", "storage"];
        const off = { ...raw, values: at([[...regions, "victoria-logs-cluster", "enabled"], false]) };
        const { logs, ...others } = texts(off);
        assert.equal(logs, "not stored (region eu-1 has no store of logs)");
        const { logs: _, ...expected } = destinationsIn(raw);
        assert.deepEqual(others, expected);
        const { problems, notices } = reviewCollectors(deploymentFor(off));
        assert.deepEqual(problems, []);
        assert.match(notices[0]!, /^kof:values.kof-regional.values.storage.victoria-logs-cluster.enabled leaves logs /);
        const without = texts({ ...raw, values: at([["kof-regional", "enabled"], false]) });
        assert.ok(Object.values(without).every((text) => text.startsWith("not stored (region eu-1 has no store of ")));
    });

    it("is the log group and the stream that the exporter has", () => {
        const group = [...exporters, "awscloudwatchlogs", "log_group_name"];
        const stream = [...exporters, "awscloudwatchlogs", "log_stream_name"];
        const { cloudwatch } = routes;
        const raw = { ...cloudwatch, version: "1.9.0", values: at([group, "mine"], [stream, "${env:NODE}/x"]) };
        assert.equal(texts(raw).logs, "CloudWatch Logs in us-east-2: mine/*/x");
        const all = {
            region: "us-east-2",
            signals: { metrics: "emf", traces: "xray" },
            logStream: "{NodeName}/{Collector}",
        };
        assert.deepEqual(texts({ route: "cloudwatch", version: "1.10.0", cloudwatch: all }), {
            metrics: "CloudWatch metrics in us-east-2: KOF/mothership",
            logs: "CloudWatch Logs in us-east-2: /kof/mothership/*/*",
            traces: "AWS X-Ray: us-east-2",
            audit: "CloudWatch Logs in us-east-2: /kof/mothership-audit/*/*",
        });
    });
});
