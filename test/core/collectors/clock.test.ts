import assert from "node:assert/strict";

import { versions } from "../../../core/charts";
import { valueAt } from "../../../core/lib/values";
import { uncheckedPipelines } from "../../../core/collectors/clock";
import { effectiveCollectors, type Collector } from "../../../core/collectors/effective";
import { flowsOf } from "../../../core/collectors/flows";
import { deploymentFor, type Raw } from "../../support";

const region = "us-east-2";

function collectorsOf(version: string, cloudwatch: object = {}, more: Raw = {}): readonly Collector[] {
    return effectiveCollectors(
        deploymentFor({ route: "cloudwatch", version, cloudwatch: { region, ...cloudwatch }, ...more }),
    );
}

const processorsOf = (collector: Collector, pipeline: string) =>
    valueAt(collector.config, ["service", "pipelines", pipeline, "processors"]) as string[];

describe("what keeps a wrong time from CloudWatch", () => {
    for (const version of versions) {
        it(`ends every pipeline that sends there, and no other (KOF ${version})`, () => {
            const collectors = collectorsOf(version, { signals: { metrics: "emf", traces: "xray" } });
            const sent = collectors.flatMap((collector) =>
                flowsOf(collector).map((flow) => ({ ...flow, processors: processorsOf(collector, flow.pipeline) })),
            );
            const ends = sent.flatMap(({ exporter, processors }) =>
                exporter.startsWith("awscloudwatchlogs")
                    ? [processors.slice(-2)]
                    : exporter === "awsemf"
                      ? [processors.slice(-1)]
                      : [],
            );
            const logs = ["transform/clock", "groupbyattrs/clock"];
            const audit = version.startsWith("1.8") || version.startsWith("1.9") ? [] : [logs];
            const metrics = Array.from({ length: 4 }, () => ["filter/clock"]);
            assert.deepEqual(ends.sort(), [...metrics, logs, logs, ...audit].sort());
            const elsewhere = sent.filter(({ exporter }) => !/^aws(cloudwatchlogs|emf)/.test(exporter));
            assert.ok(elsewhere.every(({ processors }) => !processors.some((each) => each.endsWith("/clock"))));
            assert.deepEqual(collectors.flatMap(uncheckedPipelines), []);
        });
    }

    it("drops no data point where no metrics are stored", () => {
        for (const { config } of collectorsOf("1.10.0")) {
            assert.equal(valueAt(config, ["processors", "filter/clock"]), undefined);
        }
    });

    /** The ages, in hours, from which on logs, audit logs and data points are taken for wrong. */
    function ages(cloudwatch: object, more: Raw = {}): (number | undefined)[] {
        const [cluster] = collectorsOf("1.10.0", cloudwatch, more);
        assert.ok(cluster);
        return ["transform/clock", "transform/clock-audit", "filter/clock"].map((name) => {
            const processor = valueAt(cluster.config, ["processors", name]) ?? {};
            const [, hours] =
                /Now\(\) - Duration\("(\d+)h"\)/.exec(JSON.stringify(processor).replaceAll("\\", "")) ?? [];
            return hours === undefined ? undefined : Number(hours);
        });
    }

    it("lets pass what CloudWatch still takes when the exporter has tried for as long as it may", () => {
        assert.deepEqual(ages({}), [334, undefined, undefined]);
        assert.deepEqual(ages({}, { buffer: { duration: "90m" } }), [333, undefined, undefined]);
        assert.deepEqual(ages({}, { buffer: { duration: "312h" } }), [23, undefined, undefined]);
        // awsemf tries once.
        assert.deepEqual(ages({ signals: { metrics: "emf" } }, { buffer: { duration: "48h" } }), [287, undefined, 335]);
    });

    it("lets nothing pass that is older than its log group keeps", () => {
        assert.deepEqual(ages({ retentionDays: 1, signals: { metrics: "emf" } }), [23, 334, 23]);
        assert.deepEqual(ages({ auditRetentionDays: 3 }), [334, 71, undefined]);
        assert.deepEqual(ages({ logGroup: "g", auditLogGroup: "g", auditRetentionDays: 3 }), [
            334,
            undefined,
            undefined,
        ]);
    });

    it("corrects audit logs by their own retention", () => {
        const daemon = collectorsOf("1.10.0", { retentionDays: 1 }).find(({ key }) => key === "daemon");
        assert.ok(daemon);
        assert.deepEqual(
            ["logs/default", "logs/audit"].map((pipeline) => processorsOf(daemon, pipeline)[0]),
            ["transform/clock", "transform/clock-audit"],
        );
        assert.deepEqual(uncheckedPipelines(daemon), []);
    });
});
