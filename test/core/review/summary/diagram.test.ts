import assert from "node:assert/strict";

import fc from "fast-check";

import { signals } from "../../../../core/charts";
import { changeDiagram, diagram } from "../../../../core/review/summary/diagram";
import { nest } from "../../../../core/lib/values";
import { cases, destinationsIn, deploymentFor, routes, type Raw } from "../../../support";
import { flowchart as parse, type Chart } from "./mermaid.mjs";
import { runs } from "../../../sampled";

/** Every link as a line: what goes from where to where, and how the line looks. */
function lines({ nodes, links }: Chart): string[] {
    const name = (id: string) => nodes.find((node) => node.id === id)!.text.replaceAll("<br>", " ");
    return links
        .map(({ start, end, text, stroke, type }) => `${name(start)} ${stroke} ${type} ${name(end)}: ${text}`)
        .sort();
}

const route = (name: string, version = "1.10.0", more: Raw = {}) =>
    deploymentFor({ ...routes[name], version, ...more });

describe("the diagram of a stack", function () {
    for (const { version, name, raw } of cases) {
        it(`is one for Mermaid, and shows every signal, on KOF ${version}, ${name}`, async () => {
            const deployment = deploymentFor(raw);
            const chart = await parse(diagram(deployment));
            const shown = new Set(chart.links.flatMap(({ text }) => text.split(", ")));
            const expected = signals.filter(
                (signal) => signal !== "audit" || raw.route === "none" || hasAudit(version),
            );
            assert.deepEqual([...shown].sort(), [...expected].sort());
            for (const signal of expected) {
                const { [signal]: told } = destinationsIn(raw);
                const [where = ""] = told.replace(/^not stored \((.*)\)$/, "not stored<br>($1)").split(": ");
                const ends = chart.links
                    .filter(({ text }) => text.split(", ").includes(signal))
                    .map(({ end }) => chart.nodes.find(({ id }) => id === end)!);
                assert.ok(ends.some(({ text }) => text.startsWith(where)));
            }
        });
    }

    const hasAudit = (version: string) => !/^1\.[89]\./.test(version);

    it("tells what is stored and what is not apart by shape and by line", async () => {
        const chart = await parse(diagram(route("cloudwatch")));
        assert.deepEqual(lines(chart), [
            "cluster-stats (deployment) dotted arrow_point not stored (discarded): metrics",
            "cluster-stats (deployment) normal arrow_point CloudWatch Logs in us-east-2 /kof/mothership/logs: logs",
            "controller-k0s-daemon (daemonset) dotted arrow_point not stored (discarded): metrics",
            "daemon (daemonset) dotted arrow_point not stored (discarded): metrics, traces",
            "daemon (daemonset) normal arrow_point CloudWatch Logs in us-east-2 /kof/mothership-audit/logs: audit",
            "daemon (daemonset) normal arrow_point CloudWatch Logs in us-east-2 /kof/mothership/logs: logs",
            "ta-daemon (daemonset) dotted arrow_point not stored (discarded): metrics, traces",
        ]);
        const shapes = new Set(chart.nodes.map(({ classes, type }) => `${classes.join(" ")} ${type}`));
        assert.deepEqual([...shapes].sort(), ["collector square", "nowhere stadium", "store cylinder"]);
        assert.deepEqual(
            chart.groups.map(({ title }) => title),
            ["Management cluster mothership"],
        );
    });

    it("has the stores of this cluster, and no others, in its box", async () => {
        const inBox = async (name: string) => {
            const { nodes, groups } = await parse(diagram(route(name)));
            const stores = nodes.filter(({ type }) => type === "cylinder");
            return stores.map(({ id, text }) => [text.includes("on this cluster"), groups[0]!.nodes.includes(id)]);
        };
        assert.deepEqual(await inBox("management"), Array(4).fill([true, true]));
        assert.deepEqual(await inBox("regionless"), Array(4).fill([true, true]));
        assert.deepEqual(await inBox("regional"), Array(4).fill([false, false]));
        assert.deepEqual(await inBox("cloudwatch"), Array(2).fill([false, false]));
    });

    it("has no line for logs that the target allocator never gets, but one for logs that it loses", async () => {
        assert.ok(lines(await parse(diagram(route("management")))).every((line) => !line.includes("not stored")));
        const exporters = { traces: { exporters: ["debug"] } };
        const values = nest(
            [
                "kof-child",
                "values",
                "fromManagement",
                "collectors",
                "opentelemetry-kube-stack",
                "collectors",
                "daemon",
                "config",
                "service",
            ],
            { pipelines: exporters },
        );
        // Traces are stored by ta-daemon all the same.
        assert.deepEqual(
            lines(await parse(diagram(route("management", "1.10.0", { values })))).filter((line) =>
                line.includes("not stored"),
            ),
            ["daemon (daemonset) dotted arrow_point not stored (printed to the collector's own log): traces"],
        );
    });

    it("says that nothing is collected on route none", async () => {
        assert.deepEqual(lines(await parse(diagram(route("none")))), [
            "no collectors dotted arrow_point not stored (not collected): metrics, logs, traces, audit",
        ]);
    });

    it("tells what goes away and what comes in apart by line and by word", async () => {
        const chart = await parse(changeDiagram(route("management"), route("none")));
        for (const { text, stroke, type, start } of chart.links) {
            const fromNothing = chart.nodes.find(({ id }) => id === start)!.text.startsWith("no collectors");
            const stored = stroke === "normal" ? "arrow_cross normal goes away" : "arrow_cross dotted goes away";
            const expected = fromNothing ? "arrow_point dotted comes in" : stored;
            assert.equal(`${type} ${stroke} ${text.split("<br>")[1] ?? ""}`, expected);
        }
        const texts = chart.nodes.map(({ text }) => text);
        assert.ok(texts.includes("daemon<br>(daemonset)<br>goes away"));
        assert.ok(texts.some((text) => text.startsWith("VictoriaTraces") && text.endsWith("<br>no longer sent to")));
        const back = await parse(changeDiagram(route("none"), route("management")));
        assert.ok(back.links.some(({ stroke, text }) => stroke === "thick" && text === "traces<br>comes in"));
    });

    it("marks nothing in a change that changes nothing there", async () => {
        const [one, two] = [route("regional"), route("regional")];
        assert.deepEqual(lines(await parse(changeDiagram(one, two))), lines(await parse(diagram(one))));
        assert.doesNotMatch(changeDiagram(one, two), /goes away|comes in/);
    });

    it("marks only the signals that go elsewhere", async () => {
        const audit = { cloudwatch: { region: "us-east-2", auditLogGroup: "audit" } };
        const chart = await parse(changeDiagram(route("cloudwatch"), route("cloudwatch", "1.10.0", audit)));
        assert.deepEqual(
            lines(chart).filter((line) => /goes away|comes in/.test(line)),
            [
                "daemon (daemonset) normal arrow_cross CloudWatch Logs in us-east-2 /kof/mothership-audit/logs no longer sent to: audit<br>goes away",
                "daemon (daemonset) thick arrow_point CloudWatch Logs in us-east-2 audit/logs newly sent to: audit<br>comes in",
            ],
        );
    });

    describe("with several destinations", () => {
        const raw: Raw = {
            signals: { metrics: ["management", "vendor"], logs: ["management", "cloudwatch"], audit: ["cloudwatch"] },
            cloudwatch: { region: "us-east-2" },
            destinations: {
                vendor: {
                    protocol: "grpc",
                    endpoint: "https://otlp.example.net",
                    signals: { traces: { endpoint: "https://traces.example.net" } },
                },
            },
        };
        const traces = { signals: { ...(raw.signals as object), traces: ["vendor"] } };

        it("has a node for each destination outside the cluster, one line from each collector to it, and no connector", async () => {
            const chart = await parse(diagram(route("management", "1.10.0", { ...raw, ...traces })));
            const outside = lines(chart).filter((line) => !line.includes("on this cluster"));
            assert.deepEqual(outside, [
                "cluster-stats (deployment) normal arrow_point AWS CloudWatch us-east-2: logs",
                "cluster-stats (deployment) normal arrow_point vendor otlp.example.net:443 traces.example.net:443: metrics",
                "controller-k0s-daemon (daemonset) normal arrow_point vendor otlp.example.net:443 traces.example.net:443: metrics",
                "daemon (daemonset) normal arrow_point AWS CloudWatch us-east-2: logs, audit",
                "daemon (daemonset) normal arrow_point vendor otlp.example.net:443 traces.example.net:443: metrics, traces",
                "ta-daemon (daemonset) normal arrow_point vendor otlp.example.net:443 traces.example.net:443: metrics, traces",
            ]);
            const inBox = chart.groups[0]!.nodes;
            assert.ok(chart.nodes.every(({ id, text }) => inBox.includes(id) !== /^(AWS|vendor)/.test(text)));
            assert.doesNotMatch(JSON.stringify(chart), /forward/);
        });

        it("knows a destination again that was the only one", async () => {
            const [one, both] = [
                route("cloudwatch"),
                route("cloudwatch", "1.10.0", {
                    ...raw,
                    signals: { logs: ["cloudwatch", "vendor"], metrics: ["vendor"] },
                }),
            ];
            const changed = lines(await parse(changeDiagram(one, both))).filter((line) => line.includes("AWS"));
            assert.ok(changed.length > 0 && changed.every((line) => !/goes away|comes in|sent to/.test(line)));
        });

        it("says which signal is not stored by choice", async () => {
            const chart = await parse(diagram(route("management", "1.10.0", { signals: { traces: [] } })));
            assert.deepEqual(
                lines(chart).filter((line) => line.includes("not stored")),
                ["daemon", "ta-daemon"].map(
                    (name) => `${name} (daemonset) dotted arrow_point not stored (by choice): traces`,
                ),
            );
        });
    });

    it("is one for Mermaid whatever a log stream is called (sampled)", async () => {
        const name = fc
            .string({ minLength: 1, maxLength: 20, unit: "grapheme" })
            // A line break of any kind is no name.
            .filter((text) => /^[^:*{}$]+$/.test(text) && /^.+$/.test(text));
        await fc.assert(
            fc.asyncProperty(fc.oneof(name, fc.stringMatching(/^["#;<>[\]()|&`%\\-]+$/)), async (logStream) => {
                const cloudwatch = { region: "us-east-2", logStream };
                const { nodes } = await parse(diagram(route("cloudwatch", "1.10.0", { cloudwatch })));
                assert.equal(nodes.length, 7);
            }),
            runs(8, 50),
        );
    });
});
