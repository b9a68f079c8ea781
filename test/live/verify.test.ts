import assert from "node:assert/strict";

import type { ExporterCounters } from "../../live/collectors";
import type { Live } from "../../live/findings";
import { CouldNotCheck } from "../../core/lib/errors";
import type { Kubernetes } from "../../live/kubernetes";
import { otlpRecord, sentSignals, type SentSignal } from "../../live/otlp";
import { storeOf } from "../../live/stores";
import { journeyResult, sentSince, type Journey } from "../../live/verify";
import { type End } from "../../core/routes/destinations";
import { command } from "./command";
import { deploymentFor, routes } from "../support";

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
                (await storeOf("logs", [one, two], live(answers))).has(mark);
            assert.equal(await has({ one: record, two: record }), true);
            assert.equal(await has({ one: record }), false);
            assert.equal(await has({ two: record }), false);
        });

        it("takes nothing for the record but the record, and a page that answers in its place for no answer", async () => {
            const has = async (signal: SentSignal, body: string) =>
                (await storeOf(signal, [one], live({ one: body }))).has(mark);
            const bodies: readonly [SentSignal, string, boolean][] = [
                ["logs", `${JSON.stringify({ _msg: "other" })}\n${record}\n`, true],
                ["logs", JSON.stringify({ _msg: "other" }), false],
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
            const store = await storeOf("logs", [away, one], live({ one: record }));
            assert.equal(await store.has(mark), true);
            assert.equal(
                store.name,
                "VictoriaLogs on this cluster: http://one-vlinsert:9481/insert/opentelemetry/v1/logs; could not check: " +
                    "OTLP: http://loki:3100/otlp is not read by this command. Look there for logs with the mark",
            );
            await assert.rejects(storeOf("logs", [away], live({})), CouldNotCheck);
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
        assert.equal(sentSince(before, { unseen: "forbidden" }, "logs"), "unseen");
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
        const wrong = await command(["cli/verify.ts", "--timeout", "soon"]);
        assert.deepEqual(
            [wrong.code, wrong.stderr],
            [1, "--timeout is soon, which is not a duration. Write 90s, 5m or 1h.\n"],
        );
        const nowhere = await command(["cli/doctor.ts"], { KUBECONFIG: "/nowhere" });
        assert.deepEqual(
            [nowhere.code, nowhere.stderr],
            [1, "The kubeconfig cannot be read: there is no /nowhere. Set KUBECONFIG.\n"],
        );
    });
});
