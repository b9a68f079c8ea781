import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { deploymentWithRates, sizeText } from "../../cli/size";
import { readPrices } from "../../core/review/capacity/priceFile";
import { mergeValues, nest, type HelmValues } from "../../core/lib/values";
import { estimateOf } from "../../core/review/capacity/estimate";
import { spaceText } from "../../core/review/summary/capacity";
import { summaryPage } from "../../core/review/summary/page";
import { commandHere, routes, stackFile } from "../support";

const rates = { logs: { linesPerSecond: 5000 }, metrics: { activeSeries: 500_000 }, traces: { spansPerSecond: 1000 } };

function text(raw: object, changed: readonly string[] = [], region?: string): string {
    const file = stackFile({ ...routes.management, storageClass: { name: "kof", preset: "aws-ebs" }, ...raw });
    return sizeText(deploymentWithRates(file, changed), readPrices(), region);
}

describe("npm run size", () => {
    it("lists what each volume needs beside what it has, and what they cost", () => {
        assert.equal(
            text(
                { rates, storage: { logs: { size: "20Gi", retention: "30d" }, traces: { size: "33Gi" } } },
                [],
                "us-east-1",
            ),
            `Volumes on this cluster, route management, KOF 1.10.0
                     a day      kept   needed     configured  full
    vmselect                    cache             2 x 10Gi
    vmstorage        2.68 GiB   30d    3 x 35Gi   3 x 100Gi   never
    vlstorage-audit  unknown    1y     unknown    2 x 100Gi   unknown
    vlstorage        10.06 GiB  30d    2 x 195Gi  2 x 20Gi    after 3 days
    vtstorage        8.05 GiB   7d     2 x 41Gi   2 x 33Gi    up to 98 %

Needed and configured are the size of each volume; needed includes 20 % headroom, and the copies of metrics.
kof:rates.audit is not set: when vlstorage-audit is full is not known.

Too small. Make them larger (docs/storage.md says how):
    kof:storage:
      logs:
        size: 195Gi

Large enough, but with less than the 20 % free that merges need. To make them larger:
    kof:storage:
      traces:
        size: 41Gi

A month, at the list prices of 2026-11
    volumes  50.08 USD in us-east-1 (https://aws.amazon.com/ebs/pricing/, 2026-11)

Only for what this cluster stores: without queries, alarms and data transfer, before discounts, taxes and free allowances.`,
        );
    });

    it("takes rates from the command line, over those of the stack file", () => {
        const more = text({ rates }, ["logs.linesPerSecond=50000"]);
        assert.match(more, /vlstorage +100\.58 GiB +7d +2 x 503Gi/);
        assert.match(more, /vmstorage +\d+\.\d+ GiB/, "the other rates stay");
        assert.match(text({}, ["metrics.activeSeries=1000", "metrics.scrapeInterval=5s"]), /vmstorage +0\.03 GiB/);
        assert.throws(() => text({}, ["logs=7"]), { name: "UserError", message: /kof:rates\.logs is 7, which is not/ });
        assert.throws(() => text({}, ["logs.lines=7"]), /kof:rates\.logs\.lines is not a setting/);
        assert.throws(() => text({}), {
            name: "UserError",
            message: /^Pulumi\.test\.yaml does not say how much[^]*kof:rates:\n {2}logs:/,
        });
    });

    it("says on which routes nothing of the cluster is stored here, and what CloudWatch costs", () => {
        const shown = text({ route: "cloudwatch", cloudwatch: { region: "us-east-2" }, rates });
        assert.match(shown, /Route cloudwatch stores nothing of this cluster's own on these volumes\./);
        assert.match(shown, /^ {4}logs in CloudWatch Logs {2,}1703\.\d\d USD in us-east-2 /m);
        assert.doesNotMatch(shown, /Too small/);
        // 5000 lines of 250 bytes a second, for half an hour.
        assert.match(
            shown,
            /away for 30m, of all nodes together\n {4}logs {3}2\.10 GiB\n {4}audit {2}unknown: kof:rates\.audit is not set\n.* 1\.00 GiB .*only if the load is spread.*\n.* up to 3\.00 GiB: cluster-stats 1\.00 GiB on one of the nodes, daemon 2\.00 GiB\.\n/,
        );
        const regional = { cluster: "eu-1", domain: "eu-1.obs.example.net" };
        assert.doesNotMatch(text({ route: "regional", regional, rates }), /^ {4}metrics .*GiB$/m);
        assert.match(text({ route: "regional", regional, rates }), /^ {4}vmstorage +0\.00 GiB .* never$/m);
        assert.match(
            text({ route: "regional", regional, rates }),
            /Route regional stores nothing of this cluster's own/,
        );
        assert.match(
            text({ route: "regional", regional, buffer: { metrics: "disk" }, rates }),
            /^ {4}metrics +11\.18 GiB$/m,
        );
        const longer = { duration: "3h", size: "20Gi" };
        const roomy = text({ route: "cloudwatch", cloudwatch: { region: "us-east-2" }, buffer: longer, rates });
        assert.match(
            roomy,
            /away for 3h, .*\n {4}logs {3}12\.57 GiB\n.*\n.* 20\.00 GiB on its node \(kof:buffer\.size\)\.\n/,
        );
    });

    describe("with several destinations", () => {
        const raw = {
            rates,
            signals: { metrics: ["mimir"], logs: ["management", "cloudwatch"], audit: ["vendor"], traces: ["vendor"] },
            cloudwatch: { region: "us-east-2", processing: { dropNamespaces: ["kube-system"] } },
            buffer: { duration: "1h" },
            destinations: {
                mimir: { protocol: "remotewrite", endpoint: "https://mimir.example.net/api/v1/push" },
                vendor: { endpoint: "https://otlp.example.net", buffer: { duration: "2h", size: "40Gi" } },
            },
        };
        const part = (title: RegExp, shown = text(raw)) =>
            (shown.split("\n\n").find((each) => title.test(each)) ?? "")
                .split("\n")
                .slice(1)
                .map((line) => line.trim().split(/ {2,}/));

        it("counts the queues of each, and says what they take of a node's disk", () => {
            // 5000 lines of 250 bytes a second, 500000 samples of 400 bytes every 15 seconds, 1000 spans of 500 bytes.
            assert.deepEqual(part(/^Held back/), [
                ["destination", "signal", "away for", "held back", "each exporter keeps on its node"],
                ["mimir", "metrics", "1h", "22.35 GiB", "1.00 GiB: enough only if the load is spread over nodes"],
                ["cloudwatch", "logs", "1h", "4.19 GiB", "1.00 GiB: enough only if the load is spread over nodes"],
                ["vendor", "traces", "2h", "6.71 GiB", "40.00 GiB"],
                ["vendor", "audit", "2h", "unknown: kof:rates.audit is not set", "40.00 GiB"],
                [
                    "The queues on a node hold up to 126.00 GiB: cluster-stats 2.00 GiB on one of the nodes, " +
                        "controller-k0s-daemon 1.00 GiB, daemon 82.00 GiB, ta-daemon 41.00 GiB.",
                ],
                ["Plan for twice that on its disk, 252.00 GiB: their databases do not shrink (docs/destinations.md)."],
                ["Not counted: otlphttp/logs, whose queues have no limit in bytes."],
            ]);
        });

        it("has one queue for logs and audit logs that go through one exporter, and none where nothing is kept", () => {
            const disk = (more: object) => /up to ([\d.]+ GiB)/.exec(text({ rates, ...more }))?.[1];
            const { vendor } = raw.destinations;
            // That of cluster-stats and that of daemon.
            const both = { signals: { logs: ["vendor"], audit: ["vendor"] }, destinations: { vendor } };
            assert.equal(disk(both), "80.00 GiB");
            const cloudwatch = { region: "us-east-2", signals: { metrics: "emf", traces: "xray" } };
            const further = { signals: { metrics: ["cloudwatch"], traces: ["cloudwatch"] }, cloudwatch };
            assert.equal(disk(further), undefined);
            const mixed = { ...further, signals: { ...further.signals, logs: ["cloudwatch"] } };
            assert.match(
                text({ rates, ...mixed }),
                /^Not kept on disk: metrics for cloudwatch \(nothing\), traces for cloudwatch \(nothing\)\.$/m,
            );
            assert.equal(disk({ route: "management" }), undefined);
        });

        it("knows what CloudWatch takes, and names the others", () => {
            const cost = part(/^A month/).map(([what, amount]) => [what, amount?.replace(/ \(https.*$/, "")]);
            assert.deepEqual(cost, [
                ["volumes", "41.60 USD in us-east-2"],
                ["logs in CloudWatch Logs, before what kof:cloudwatch.processing drops", "1703.78 USD in us-east-2"],
                ["metrics in mimir", "not included: paid for there, at a price that is not known here"],
                ["traces and audit in vendor", "not included: paid for there, at a price that is not known here"],
                ["total", "at least 1745.38 USD; not included: metrics in mimir, traces and audit in vendor"],
            ]);
        });

        it("plans volumes for what is stored here, and no others", () => {
            const [, ...volumes] = text(raw).split("\n\n")[0]!.split("\n").slice(1);
            assert.deepEqual(
                volumes.map((line) => line.trim().split(/ {2,}/).slice(0, 2)),
                [
                    ["vmselect", "cache"],
                    ["vmstorage", "0.00 GiB"],
                    ["vlstorage", "10.06 GiB"],
                ],
            );
        });
    });

    it("adds what CloudWatch takes for metrics and traces, and says what no sum has in it", () => {
        const storageClass = { name: "kof", preset: "aws-ebs", parameters: { iops: "16000", throughput: "1000" } };
        const shown = text({
            route: "cloudwatch",
            storageClass,
            cloudwatch: { region: "us-east-1", signals: { metrics: "emf", traces: "xray" } },
            rates: {
                logs: { linesPerSecond: 10 },
                metrics: { activeSeries: 50_000 },
                traces: { spansPerSecond: 1000 },
            },
        });
        const cost = shown
            .split("2026-11\n")[1]!
            .split("\n\n")[0]!
            .replaceAll(/ \(https:.*\)$/gm, "");
        assert.deepEqual(
            cost.split("\n").map((line) => line.trim().split(/ {2,}/)),
            [
                ["volumes", "25.60 USD in us-east-1"],
                ["volumes: iops above 3000 each", "325.00 USD in us-east-1"],
                ["volumes: throughput above 125 each", "175.00 USD in us-east-1"],
                ["custom metrics in CloudWatch", "7000.00 USD in us-east-1"],
                ["log events of these metrics", "1257.26 USD in us-east-1"],
                ["logs in CloudWatch Logs", "3.41 USD in us-east-1"],
                [
                    "traces in AWS X-Ray",
                    "not included: 5.00 USD for a million traces, whose number kof:rates does not say: up to 13140.00 USD in us-east-1, if each span is a trace of its own",
                ],
                ["audit in CloudWatch Logs", "not included: kof:rates.audit is not set"],
                ["total", "at least 8786.26 USD; not included: traces in AWS X-Ray, audit in CloudWatch Logs"],
            ],
        );
        // 50,000 samples of 400 bytes each half minute, and 8257.26 USD for them otherwise.
        const gb = ((50_000 / 30) * 400 * ((365 / 12) * 86_400)) / 1024 ** 3;
        assert.ok(shown.includes(`${gb.toFixed(2)} GB a month, for ${(gb * 0.5).toFixed(2)} USD in us-east-1.`), shown);
    });

    it("plans no more than a store's own limit lets it keep, and pastes the key that decides", () => {
        const storage = ["kof-child", "values", "fromManagement", "storage"];
        const values = mergeValues(
            nest([...storage, "victoria-logs-cluster", "vlstorage", "retentionDiskSpaceUsage"], 50),
            nest([...storage, "victoria-traces-cluster", "vtstorage", "persistentVolume", "size"], "10Gi"),
            nest([...storage, "victoriametrics", "vlcluster_audit", "enabled"], false),
        );
        const shown = text({ rates, version: "1.10.0", storage: { logs: { retention: "30d" } }, values });
        assert.match(shown, /^ {4}vlstorage +10\.06 GiB +30d, by its limit 9 days +2 x 63Gi +2 x 100Gi +never$/m);
        assert.doesNotMatch(shown, /vlstorage-audit/);
        assert.match(
            shown,
            /kof:values:\n {6}kof-child:\n[^]* victoria-traces-cluster:\n +vtstorage:\n +persistentVolume:\n +size: 41Gi\n/,
        );
    });

    it("says of a store without a volume of KOF's making what becomes of it", () => {
        const storage = ["kof-child", "values", "fromManagement", "storage"];
        const persistent = (cluster: string, part: string, values: HelmValues) =>
            nest([...storage, cluster, part, "persistentVolume"], values);
        const spec = ["kof-mothership", "values", "victoriametrics", "vmcluster", "spec"];
        const values = mergeValues(
            persistent("victoria-logs-cluster", "vlstorage", { enabled: false }),
            persistent("victoria-traces-cluster", "vtstorage", { existingClaim: "mine" }),
            nest([...spec, "vmstorage", "storage", "emptyDir"], {}),
            nest([...spec, "vmselect", "storage", "emptyDir"], {}),
        );
        const raw = { rates, version: "1.10.0", values };
        const lines = [
            "vmstorage has no volumes: nothing of its metrics survives a restart of its pod.",
            "vlstorage has no volumes: nothing of its logs survives a restart of its pod.",
            "vtstorage keeps its traces in a claim that KOF does not make: its size is not known.",
        ];
        assert.deepEqual(
            text(raw)
                .split("\n")
                .filter((line) => /has no volumes|a claim/.test(line)),
            lines,
        );
        const deployment = deploymentWithRates(stackFile({ ...routes.management, ...raw }), []);
        const [, space = ""] =
            /## Space at the rates of kof:rates\n\n([^#]*)/.exec(summaryPage("x", deployment, [])) ?? [];
        assert.match(space, /^\| component [^]*\| vlstorage-audit /);
        assert.deepEqual(space.trim().split("\n\n").slice(-3), lines);
        // With no volume at all there is no table, but all the more to say.
        const none = mergeValues(values, nest([...storage, "victoriametrics", "vlcluster_audit", "enabled"], false));
        const bare = deploymentWithRates(stackFile({ ...routes.management, ...raw, values: none }), []);
        assert.equal(spaceText(bare, estimateOf(bare, readPrices())), lines.join("\n\n"));
    });

    it("runs as a command, with other prices", async () => {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "size-"));
        const prices = path.join(folder, "prices.json");
        const stack = path.join(folder, "Pulumi.x.yaml");
        try {
            fs.writeFileSync(prices, JSON.stringify({ ...readPrices(), date: "2030-01", currency: "EUR" }));
            fs.writeFileSync(
                stack,
                "config: {kof:route: management, aws:region: us-east-1, kof:storageClass: {name: kof, preset: aws-ebs}}",
            );
            const options = ["--config", stack, "--rate", "logs.linesPerSecond=1", "--prices", prices];
            const { status, stdout } = await commandHere("size", options);
            assert.equal(status, 0);
            assert.match(stdout, /list prices of 2030-01\n {4}volumes {2}73\.60 EUR/);
            const refused = await commandHere("size", ["--config", stack]);
            assert.deepEqual([refused.status, refused.stdout], [1, ""]);
        } finally {
            fs.rmSync(folder, { recursive: true });
        }
    });
});
