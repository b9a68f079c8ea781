import assert from "node:assert/strict";

import { signals, versions } from "../../../core/charts";
import { authenticationText, deliveriesOf, destinationOf } from "../../../core/routes/deliveries";
import { endText } from "../../../core/routes/destinations";
import { cases, deploymentFor, type Raw } from "../../support";

/** Every pair of a signal and a place, as text. */
function pairs(raw: Raw): { found: string[]; told: string[] } {
    const deployment = deploymentFor(raw);
    const told = signals.flatMap((signal) => {
        const { [signal]: where } = deployment.destinations;
        return where.stored ? where.ends.map((end) => `${signal} ${endText(end)}`) : [];
    });
    return { found: deliveriesOf(deployment).map(({ signal, end }) => `${signal} ${endText(end)}`), told };
}

describe("deliveries", () => {
    for (const { version, name, raw } of cases) {
        it(`are those that a stack shows, on KOF ${version}, ${name}`, () => {
            const { found, told } = pairs(raw);
            assert.deepEqual(found, told);
        });
    }

    it("are one for each of several destinations at one address", () => {
        const at = (secret: string) => ({
            endpoint: "https://otel.example.net",
            auth: { kind: "bearer", secret },
        });
        const raw = {
            route: "management",
            signals: { logs: ["a", "b"], traces: ["b", "a"], metrics: ["management", "otlp", "a"] },
            otlp: { endpoint: "https://otel.example.net" },
            destinations: { a: at("of-a"), b: at("of-b") },
        };
        const texts = pairs(raw);
        assert.deepEqual(texts.found, texts.told);
        const found = deliveriesOf(deploymentFor(raw))
            .filter(({ end }) => end.on === "elsewhere")
            .map((each) => [each.signal, destinationOf(each), authenticationText(each)].join(", "));
        assert.deepEqual(found.sort(), [
            "logs, a, bearer token of Secret of-a",
            "logs, b, bearer token of Secret of-b",
            "metrics, a, bearer token of Secret of-a",
            "metrics, otlp, none",
            "traces, a, bearer token of Secret of-a",
            "traces, b, bearer token of Secret of-b",
        ]);
    });

    for (const version of versions) {
        it(`are one for each destination that kof:signals name, on KOF ${version}`, () => {
            // Up to KOF 1.9 audit logs are among the logs.
            const isSorted = !/^1\.[89]\./.test(version);
            const raw = {
                version,
                route: "management",
                signals: {
                    metrics: ["management", "vendor"],
                    logs: ["management", "cloudwatch", "vendor"],
                    traces: ["vendor"],
                    ...(isSorted ? { audit: ["cloudwatch"] } : {}),
                },
                cloudwatch: { region: "us-east-2" },
                destinations: {
                    vendor: {
                        preset: "grafana-cloud",
                        endpoint: "https://otlp.example.net/otlp",
                        auth: { kind: "basic", secret: "grafana-cloud" },
                    },
                },
            };
            const { found, told } = pairs(raw);
            assert.deepEqual(found, told);
            assert.deepEqual(
                deliveriesOf(deploymentFor(raw))
                    .map((each) => `${each.signal} ${destinationOf(each)}`)
                    .sort(),
                [
                    ...(isSorted ? ["audit cloudwatch"] : ["audit cloudwatch", "audit management", "audit vendor"]),
                    ...["logs cloudwatch", "logs management", "logs vendor"],
                    ...["metrics management", "metrics vendor", "traces vendor"],
                ],
            );
        });
    }
});
