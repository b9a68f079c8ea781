import assert from "node:assert/strict";

import type { ExporterCounters } from "../../live/collectors";
import type { Live } from "../../live/findings";
import { CouldNotCheck } from "../../core/lib/errors";
import type { Kubernetes } from "../../live/kubernetes";
import { otlpRecord, sentSignals, type SentSignal } from "../../live/otlp";
import { storeToRead } from "../../live/stores";
import { follow, journeyResult, sentSince, type Journey } from "../../live/verify";
import { type End } from "../../core/routes/destinations";
import { commandHere, deploymentFor, routes } from "../support";

describe("verify", () => {
    it("puts its mark into a record of each signal", () => {
        const mark = {
            text: "kofverify1",
            traceId: "0123456789abcdef0123456789abcdef",
            time: new Date(1_700_000_000_123),
        };
        for (const signal of sentSignals) {
            const { path, body } = otlpRecord(signal, mark);
            assert.equal(path, `/v1/${signal}`);
            assert.match(body, /kofverify1/);
            assert.match(body, /"1700000000123000000"/);
        }
    });

    it("asks the service that reads what the route has written", () => {
        const destinations = deploymentFor(routes.management!).destinations;
        const services = sentSignals.map((signal) => {
            const destination = destinations[signal];
            const reader = destination.stored ? destination.ends[0].reader : undefined;
            return reader?.by === "service" ? reader.path : "";
        });
        assert.deepEqual(services, [
            "/api/v1/namespaces/kof/services/http:vmselect-cluster:8481/proxy",
            "/api/v1/namespaces/kof/services/http:kof-storage-victoria-logs-cluster-vlselect:9471/proxy",
            "/api/v1/namespaces/kof/services/http:kof-storage-vt-cluster-vtselect:10471/proxy",
        ]);
    });

    describe("of a signal that is stored in several places", () => {
        const mark = { text: "kofverify1", traceId: "0123", time: new Date() };
        const at = (host: string): End => ({
            store: "VictoriaLogs on this cluster",
            address: `http://${host}:9481/insert/opentelemetry/v1/logs`,
            on: "cluster",
            holds: "logs",
            reader: { by: "service", path: `/http:${host.replace("insert", "select")}` },
        });
        const [one, two] = [at("one-vlinsert"), at("two-vlinsert")];
        const away: End = { store: "OTLP", address: "http://loki:3100/otlp", on: "elsewhere" };
        /** A cluster whose stores answer with these bodies, by the start of their name. */
        const live = (answers: Readonly<Record<string, string>>): Live => {
            const request = (_: string, path: string) => {
                const [, host = ""] = /http:(\w+)-vlselect/.exec(path) ?? [];
                return Promise.resolve({ status: 200, body: answers[host] ?? "" });
            };
            return {
                deployment: deploymentFor(routes.management!),
                kubernetes: { request } as unknown as Kubernetes,
                aws: {},
            };
        };

        const record = JSON.stringify({ _msg: `KOF verify ${mark.text}` });

        it("takes a record for stored when all of them have it", async () => {
            const has = async (answers: Readonly<Record<string, string>>) =>
                (await storeToRead("logs", [one, two], live(answers))).has(mark);
            assert.equal(await has({ one: record, two: record }), true);
            assert.equal(await has({ one: record }), false);
            assert.equal(await has({ two: record }), false);
        });

        it("accepts only the record itself, and no page of a proxy in its place", async () => {
            const has = async (signal: SentSignal, body: string) =>
                (await storeToRead(signal, [one], live({ one: body }))).has(mark);
            const bodies: readonly [SentSignal, string, boolean][] = [
                ["logs", `${JSON.stringify({ _msg: "other" })}\n${record}\n`, true],
                ["logs", JSON.stringify({ _msg: "other" }), false],
                ["logs", JSON.stringify({ error: `no answer to "${mark.text}"` }), false],
                ["logs", "", false],
                ["metrics", JSON.stringify({ status: "success", data: [{ kof_verify_mark: mark.text }] }), true],
                ["metrics", JSON.stringify({ status: "success", data: [{ kof_verify_mark: "other" }] }), false],
                ["metrics", JSON.stringify({ status: "success", data: [] }), false],
                ["traces", JSON.stringify({ data: [{ traceID: mark.traceId }] }), true],
                ["traces", JSON.stringify({ data: [{ traceID: "other" }] }), false],
                ["traces", JSON.stringify({ data: null }), false],
            ];
            for (const [signal, body, expected] of bodies) {
                assert.equal(await has(signal, body), expected, body);
            }
            for (const signal of ["metrics", "traces"] as const) {
                await assert.rejects(has(signal, '{"message":"ok"}'), /answers a query with what is no answer: /);
            }
            for (const signal of sentSignals) {
                for (const page of ["<html>Sign in</html>", `<html>${mark.text}</html>`, "OK"]) {
                    await assert.rejects(has(signal, page), {
                        name: "CouldNotCheck",
                        message: /answers a query with what is no answer: /,
                    });
                }
            }
        });

        it("says of which it cannot look, and looks at the others", async () => {
            const store = await storeToRead("logs", [away, one], live({ one: record }));
            assert.equal(await store.has(mark), true);
            assert.equal(
                store.name,
                "VictoriaLogs on this cluster: http://one-vlinsert:9481/insert/opentelemetry/v1/logs; could not check: " +
                    "OTLP: http://loki:3100/otlp is not read by this command. Look there for logs with the mark",
            );
            await assert.rejects(storeToRead("logs", [away], live({})), CouldNotCheck);
        });
    });

    describe("of a stack with several destinations", () => {
        const mark = { text: "kofverify1", traceId: "0123456789abcdef0123456789abcdef", time: new Date() };
        const away = "Permanent error: rpc error: code = Unavailable";
        const raw = {
            route: "management",
            signals: { metrics: [], logs: ["management", "honeycomb", "vendor"], traces: ["honeycomb"] },
            destinations: {
                honeycomb: { preset: "honeycomb", auth: { kind: "headers", secret: "keys" } },
                vendor: { protocol: "grpc", endpoint: "https://otlp.example.net" },
            },
        };

        /** A cluster in which vendor refuses everything, honeycomb takes all, and this cluster's store has what it is asked for. */
        function live(settings: object = raw, took = "{}"): { live: Live; posts: string[] } {
            const posts: string[] = [];
            const counted = (name: string, kind: string) =>
                `otelcol_exporter_${name}_total{exporter="${kind}"} ${String(5 + posts.length)}\n`;
            const line = (exporter: string, error: string) =>
                `info\tExporting failed. Dropping data.\t{"otelcol.component.id": "${exporter}", "otelcol.signal": "logs", "error": "${error}"}`;
            const answers: readonly [RegExp, () => string][] = [
                [
                    /\/metrics$/,
                    () =>
                        counted("send_failed_log_records", "otlp/vendor") +
                        counted("sent_log_records", "otlphttp/honeycomb") +
                        counted("sent_log_records", "otlphttp/logs") +
                        counted("sent_spans", "otlphttp/honeycomb") +
                        'otelcol_exporter_queue_size{exporter="otlphttp/honeycomb",data_type="logs"} 25\n' +
                        'otelcol_exporter_queue_capacity{exporter="otlphttp/honeycomb",data_type="logs"} 100\n',
                ],
                [/\/log\?/, () => line("otlp/vendor", away)],
                [/vlselect/, () => JSON.stringify({ _msg: `KOF verify ${mark.text}` })],
            ];
            const request = (method: string, path: string) => {
                if (method === "POST") {
                    posts.push(path.replace(/^.*\/proxy/, ""));
                }
                const [, body = () => took] = answers.find(([part]) => part.test(path)) ?? [];
                return Promise.resolve({ status: 200, body: body() });
            };
            const pod = {
                metadata: { name: "daemon-1", labels: { "app.kubernetes.io/instance": "kof.kof-collectors-daemon" } },
                status: { phase: "Running" },
            };
            const kubernetes = { request, list: () => Promise.resolve([pod]), get: () => Promise.resolve(undefined) };
            return {
                live: { deployment: deploymentFor(settings as never), kubernetes: kubernetes as never, aws: {} },
                posts,
            };
        }

        it("takes a record for accepted only by the answer of a collector", async () => {
            for (const [took, accepted, detail] of [
                ["<html>Sign in</html>", "unseen", "what answers at the OTLP port of pod daemon-1 is no collector"],
                ["null", "unseen", "what answers at the OTLP port of pod daemon-1 is no collector"],
                [
                    '{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"too old"}}',
                    "no",
                    "pod daemon-1 rejects it: too old",
                ],
                ['{"partialSuccess":{}}', "yes", undefined],
            ] as const) {
                const journeys = await follow(live(raw, took).live, { mark, timeout: 1 });
                const found = journeys.find(({ destination }) => destination === "management");
                assert.deepEqual([found?.accepted, found?.detail], [accepted, detail], took);
            }
        });

        it("sends each record once, and follows it to each destination by itself", async () => {
            const { live: cluster, posts } = live();
            const journeys = await follow(cluster, { mark, timeout: 1 });
            assert.deepEqual(posts.sort(), ["/v1/logs", "/v1/traces"]);
            assert.deepEqual(
                journeys.map(({ signal, destination = "", accepted, sent, stored }) =>
                    [signal, destination, accepted, sent, stored].join(" "),
                ),
                [
                    "metrics  no no no",
                    "logs management yes yes yes",
                    "logs honeycomb yes yes unseen",
                    "logs vendor yes no unseen",
                    "traces honeycomb yes yes unseen",
                ],
            );
            const results = journeys.map(journeyResult);
            assert.deepEqual(
                results.map(({ title, findings }) => [title.split(" stored in ")[0], findings[0]?.severity]),
                [
                    ["metrics: not stored, by choice", undefined],
                    ["logs for management: accepted, sent,", undefined],
                    ["logs for honeycomb", "unknown"],
                    ["logs for vendor", "problem"],
                    ["traces for honeycomb", "unknown"],
                ],
            );
            const [, , honeycomb, vendor] = results.map(({ findings }) => findings[0]);
            // What one destination says is not said of another.
            assert.match(
                honeycomb!.what,
                /^accepted and sent, but could not check whether honeycomb \(Honeycomb\) has it: .*; exporter otlphttp\/honeycomb has sent \d+ and dropped 0 since it started, and its queue is 25 % full$/,
            );
            assert.match(honeycomb!.fix, /^look for kofverify1 there: the environment's datasets/);
            assert.match(
                vendor!.what,
                /^accepted, but not sent to vendor: .*; exporter otlp\/vendor has sent 0 and dropped \d+ since it started; the collector said: Permanent error/,
            );
        });

        it("does not take what settings leave out for lost", async () => {
            const of = async (processing: object, changed: Partial<Journey>) => {
                const { honeycomb } = raw.destinations;
                const destinations = { ...raw.destinations, honeycomb: { ...honeycomb, processing } };
                const journeys = await follow(live({ ...raw, destinations }).live, { mark, timeout: 1 });
                return journeys
                    .filter(({ destination }) => destination === "honeycomb")
                    .map((each) => journeyResult({ ...each, ...changed }).findings[0]!);
            };
            const [[logs, traces], ...ofLogs] = await Promise.all([
                of({ sampleTraces: 10 }, { stored: "no" }),
                of({ redact: ["kofverify\\d"] }, { stored: "no" }),
                of({ redact: ["\\d{9}"] }, { stored: "no" }),
            ]);
            assert.deepEqual([logs!.severity, traces!.severity], ["problem", "unknown"]);
            assert.match(traces!.why, / By choice, only 10 % of the traces are stored there\.$/);
            const [redacted, kept] = ofLogs.map(([first]) => first!.severity);
            assert.deepEqual([redacted, kept], ["unknown", "problem"]);
        });
    });

    it("takes a signal for sent when its counters rise, and for dropped when failures do", () => {
        const counters = (sent: number, failed: number, refused = 0): ExporterCounters[] => [
            { exporter: "a", signal: "logs", sent, failed, refused, queue: undefined },
            { exporter: "b", signal: "traces", sent: 100 * sent, failed: 0, refused: 0, queue: undefined },
        ];
        const before = counters(5, 1);
        assert.equal(sentSince(before, counters(6, 1), "logs"), "yes");
        assert.equal(sentSince(before, counters(6, 2), "logs"), "no");
        assert.equal(sentSince(before, counters(5, 1, 1), "logs"), "no");
        assert.equal(sentSince(before, before, "logs"), "unseen");
        assert.equal(sentSince(before, counters(9, 1), "metrics"), "unseen");
        assert.equal(sentSince(before, new CouldNotCheck("forbidden"), "logs"), "unseen");
    });

    it("says for each way a record can end how far it came, and whether that is known", () => {
        const journey = { signal: "logs", accepted: "yes", sent: "yes", stored: "yes", store: "VictoriaLogs" } as const;
        const of = (changed: Partial<Journey>) => {
            const { title, findings } = journeyResult({ ...journey, ...changed });
            return findings[0] ? `${findings[0].severity}: ${findings[0].what}` : title;
        };
        assert.deepEqual(
            [
                of({}),
                of({ store: undefined }),
                of({ stored: "no" }),
                of({ stored: "no", sent: "no", detail: "the collector said: 401" }),
                of({ stored: "no", sent: "unseen" }),
                of({ stored: "unseen", detail: "forbidden" }),
                of({ stored: "unseen", sent: "unseen" }),
                of({ stored: "no", sent: "no", accepted: "no", detail: "HTTP 503" }),
                of({ stored: "unseen", sent: "unseen", accepted: "unseen", detail: "forbidden" }),
            ],
            [
                "logs: accepted, sent, stored in VictoriaLogs",
                "logs: not stored on this route",
                "problem: accepted and sent, but not stored in VictoriaLogs",
                "problem: accepted, but not sent to VictoriaLogs: the collector said: 401",
                "problem: accepted, but neither sent nor stored in VictoriaLogs in time",
                "unknown: accepted and sent, but could not check whether VictoriaLogs has it: forbidden",
                "unknown: accepted, but could not check whether VictoriaLogs has it",
                "problem: not accepted by the collector: HTTP 503",
                "unknown: could not check: forbidden",
            ],
        );
    });

    it("refuses a command line that it does not understand, without a stack trace", async () => {
        const wrong = await commandHere("verify", ["--timeout", "soon"]);
        assert.deepEqual(
            [wrong.status, wrong.stderr],
            [1, "--timeout is soon, which is not a duration. Write 90s, 5m or 1h.\n"],
        );
        const nowhere = await commandHere("doctor", [], { env: { KUBECONFIG: "/nowhere" } });
        assert.deepEqual(
            [nowhere.status, nowhere.stderr],
            [1, "The kubeconfig cannot be read: there is no /nowhere. Set KUBECONFIG.\n"],
        );
    });
});
