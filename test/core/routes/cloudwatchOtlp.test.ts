import assert from "node:assert/strict";

import { versions } from "../../../core/charts";
import { danglingReferences } from "../../../core/collectors/references";
import { valueAt, type HelmValues } from "../../../core/lib/values";
import { reviewCollectors } from "../../../core/review/collectors";
import { deploymentFor, type Raw } from "../../support";

const overOtlp: Raw = { region: "eu-west-1", signals: { metrics: "otlp", traces: "otlp" } };

/** The route alone, and CloudWatch beside the stores of this cluster. */
const stacks: Readonly<Record<string, Raw>> = {
    "as the route": { route: "cloudwatch", cloudwatch: overOtlp },
    "as one destination of several": {
        route: "management",
        cloudwatch: overOtlp,
        signals: { metrics: ["management", "cloudwatch"], traces: ["cloudwatch"], logs: ["cloudwatch"] },
    },
};

for (const [how, raw] of Object.entries(stacks)) {
    describe(`CloudWatch over OTLP, ${how}`, () => {
        for (const version of versions) {
            const deployment = deploymentFor({ version, ...raw });
            const { collectors } = deployment;
            const daemon = collectors.find(({ key }) => key === "daemon")?.config ?? {};
            const exporter = (signal: string) =>
                valueAt(daemon, ["exporters", `otlphttp/cloudwatch-${signal}`]) as HelmValues;

            it(`signs for the service of each endpoint, on KOF ${version}`, () => {
                for (const [signal, service] of Object.entries({ metrics: "monitoring", traces: "xray" })) {
                    const { authenticator } = exporter(signal).auth as Record<string, string>;
                    const extension = valueAt(daemon, ["extensions", authenticator ?? ""]);
                    assert.deepEqual(extension, { region: "eu-west-1", service });
                    const address = exporter(signal)[`${signal}_endpoint`];
                    assert.equal(address, `https://${service}.eu-west-1.amazonaws.com/v1/${signal}`);
                }
                for (const collector of collectors) {
                    assert.deepEqual(danglingReferences(collector), []);
                }
                assert.deepEqual(reviewCollectors(deployment).problems, []);
            });

            it(`queues on disk, and sends no more at once than AWS takes, on KOF ${version}`, () => {
                const queue = (signal: string) => exporter(signal).sending_queue as Record<string, HelmValues>;
                for (const signal of ["metrics", "traces"]) {
                    assert.equal(queue(signal).storage, "file_storage/exporters");
                    assert.ok(deployment.queued?.includes(signal as "metrics"));
                }
                assert.deepEqual([queue("metrics").batch?.sizer, queue("metrics").batch?.max_size], ["items", 1000]);
                assert.equal(queue("traces").batch?.sizer, "bytes");
                assert.ok((queue("traces").batch?.max_size as number) < 5_000_000);
            });

            it(`names the cluster, and lets nothing through that AWS would refuse for its time, on KOF ${version}`, () => {
                const pipelines = valueAt(daemon, ["service", "pipelines"]) as Record<string, Record<string, string[]>>;
                for (const [signal, clock] of Object.entries({
                    metrics: "filter/clock",
                    traces: "filter/clock-spans",
                })) {
                    const [last] = Object.values(pipelines).filter(({ exporters = [] }) =>
                        exporters.includes(`otlphttp/cloudwatch-${signal}`),
                    );
                    const processors = last?.processors ?? [];
                    assert.ok(processors.includes("resource/k8sclustername"));
                    assert.equal(processors.at(-1), clock);
                    assert.ok(valueAt(daemon, ["processors", clock]));
                }
            });
        }

        it("makes no log group of metrics", () => {
            assert.ok(!deploymentFor(raw).cloudwatch?.logGroups.some(({ holds }) => holds === "metrics"));
        });
    });
}

describe("CloudWatch over OTLP", () => {
    it("is at another domain in other partitions of AWS", () => {
        const { collectors } = deploymentFor({
            route: "cloudwatch",
            cloudwatch: { region: "cn-north-1", signals: { metrics: "otlp" } },
        });
        const address = valueAt(collectors[0]?.config ?? {}, [
            "exporters",
            "otlphttp/cloudwatch-metrics",
            "metrics_endpoint",
        ]);
        assert.equal(address, "https://monitoring.cn-north-1.amazonaws.com.cn/v1/metrics");
    });

    it("says that traces need Transaction Search, and does not say that they are lost in an outage", () => {
        const { notices } = deploymentFor({ route: "cloudwatch", cloudwatch: overOtlp });
        assert.ok(notices.some((notice) => notice.includes("Transaction Search")));
        assert.ok(!notices.some((notice) => notice.includes("An outage of AWS loses")));
        const { notices: half } = deploymentFor({
            route: "cloudwatch",
            cloudwatch: { ...overOtlp, signals: { metrics: "otlp", traces: "xray" } },
        });
        assert.ok(
            half.includes(
                "An outage of AWS loses traces: their exporters have no queue. Only logs and metrics are kept (kof:buffer).",
            ),
            half.join("\n"),
        );
    });

    it("is what embedded metric format and X-Ray are compared with, in what they cost and what they lose", () => {
        const noticesOf = (signals: Raw) =>
            deploymentFor({ route: "cloudwatch", cloudwatch: { region: "eu-west-1", signals } }).notices.join("\n");
        const emf =
            /signals\.metrics is emf: AWS bills each series [^]* Of a histogram only count, sum[^\n]* otlp is billed by what is sent/;
        const xray =
            /signals\.traces is xray: AWS bills each trace [^\n]* other than exceptions are not stored[^\n]* otlp is billed by/;
        assert.match(noticesOf({ metrics: "emf", traces: "otlp" }), emf);
        assert.doesNotMatch(noticesOf({ metrics: "emf", traces: "otlp" }), xray);
        assert.match(noticesOf({ traces: "xray" }), xray);
        assert.doesNotMatch(noticesOf({ metrics: "otlp", traces: "xray" }), emf);
    });
});
