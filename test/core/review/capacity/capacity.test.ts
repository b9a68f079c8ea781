import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import fc from "fast-check";

import { capacityOf, percentFull } from "../../../../core/review/capacity";
import { costsOf, regionIn } from "../../../../core/review/capacity/costs";
import { estimateOf } from "../../../../core/review/capacity/estimate";
import { readPrices, type Prices } from "../../../../core/review/capacity/priceFile";
import {
    bufferBytes,
    bytesPerDay,
    daysOnDisk,
    kofEstimates,
    neededBytes,
    samplesPerSecond,
} from "../../../../core/review/capacity/estimates";
import { signals } from "../../../../core/charts";
import { storageClassPresets } from "../../../../core/settings/storageClassPresets";
import type { Rates } from "../../../../core/settings/settings";
import { deploymentFor, routes } from "../../../support";
import { gib, sizeInGiB } from "../../../../core/lib/quantities";
import { nest } from "../../../../core/lib/values";
import { spaceText, totalText } from "../../../../core/review/summary/capacity";
import { sizeText } from "../../../../cli/size";
import { retentionInDays } from "../../../../core/lib/durations";
import { runs } from "../../../sampled";

const day = 86_400;
const perDay = (count: number) => count / day;
const secondsPerMonth = (365 / 12) * day;

describe("the planner", () => {
    describe("agrees with the pages that it takes its formulas from", () => {
        // https://docs.k0rdent.io/latest/admin/kof/kof-resources
        it("KOF: a million log lines need about 25 MB", () => {
            const rates = { logs: { linesPerSecond: perDay(1e6), bytesPerLine: 250 } };
            assert.equal(Math.round(bytesPerDay(rates).logs), 25e6);
        });

        it("KOF: 100 million samples need about 50 MB, for which VictoriaMetrics plans twice as much", () => {
            const rates = { metrics: { activeSeries: perDay(100e6), scrapeInterval: "1s" } };
            assert.equal(100e6 * kofEstimates.bytesPerSample, 50e6);
            assert.equal(Math.round(bytesPerDay(rates).metrics), 100e6);
        });

        // https://docs.victoriametrics.com/guides/understand-your-setup-size
        it("VictoriaMetrics: 1000 series every 15 seconds are 66 samples a second", () => {
            assert.equal(Math.floor(samplesPerSecond({ activeSeries: 1000, scrapeInterval: "15s" })), 66);
            assert.equal(samplesPerSecond({ activeSeries: 1000, scrapeInterval: "2m" }), 1000 / 120);
        });

        it("VictoriaMetrics: 5000 samples a second, kept for a year in two copies, need 397 GB", () => {
            assert.equal(daysOnDisk("metrics", "1y") * day, 34_128_000);
            assert.equal(Math.round(neededBytes("metrics", 5000 * day, "1y", 2) / gib), 397);
        });

        it("VictoriaMetrics: a month is dropped at a time where more than 30 days are kept, else a day", () => {
            const kept = ["1d", "30d", "31d", "5w"].map((retention) => daysOnDisk("metrics", retention));
            assert.deepEqual(kept, [2, 31, 61, 65]);
            assert.equal(daysOnDisk("logs", "1y"), 366);
            assert.deepEqual(["24h", "2w", "1y", "6M", "1"].map(retentionInDays), [1, 14, 365, 186, 31]);
        });
    });

    const rates: Rates = {
        logs: { linesPerSecond: 5000, bytesPerLine: 250 },
        metrics: { activeSeries: 500_000, scrapeInterval: "30s" },
        traces: { spansPerSecond: 1000, bytesPerSpan: 1000 },
        audit: { linesPerSecond: 50, bytesPerLine: 1000 },
    };
    const rows = (raw: object, given = rates) =>
        capacityOf(deploymentFor({ ...routes.management, ...raw }), given).map(
            ({ volume, neededGiB, fullAfterDays }) =>
                `${volume.workload} ${String(neededGiB)} ${fullAfterDays === undefined ? "never" : fullAfterDays.toFixed(1)}`,
        );

    it("says what each volume needs, and when the configured size is full", () => {
        // 10.06 GiB of logs a day, for 7 + 1 days, a quarter more, on two shards.
        assert.deepEqual(rows({}), [
            "vmselect undefined never",
            "vmstorage 35 never",
            "vlstorage-audit 93 never",
            "vlstorage 51 never",
            "vtstorage 41 never",
        ]);
        const storage = { logs: { size: "20Gi", retention: "30d" }, metrics: { replicas: 6, replicationFactor: 3 } };
        assert.deepEqual(rows({ storage }), [
            "vmselect undefined never",
            "vmstorage 26 never",
            "vlstorage-audit 93 never",
            "vlstorage 195 4.0",
            "vtstorage 41 never",
        ]);
    });

    it("counts audit logs among the logs before KOF 1.10", () => {
        const { linesPerSecond } = rates.logs!;
        const logs = capacityOf(deploymentFor({ ...routes.management, version: "1.9.0" }), rates);
        const vlstorage = logs.find(({ volume }) => volume.workload === "vlstorage");
        assert.equal(vlstorage!.perDayGiB.toFixed(6), (((linesPerSecond * 25 + 50 * 100) * day) / gib).toFixed(6));
    });

    it("knows nothing of a store whose rate is missing, and does not take that for nothing", () => {
        const without = (missing: keyof Rates, version = "1.10.0") =>
            capacityOf(deploymentFor({ ...routes.management, version }), { ...rates, [missing]: undefined })
                .filter(({ verdict }) => verdict === "unknown")
                .map(({ volume, neededGiB, fullAfterDays, withoutRate }) => {
                    assert.deepEqual([neededGiB, fullAfterDays, withoutRate], [undefined, undefined, [missing]]);
                    return volume.workload;
                });
        assert.deepEqual(without("metrics"), ["vmstorage"]);
        assert.deepEqual(without("logs"), ["vlstorage"]);
        assert.deepEqual(without("traces"), ["vtstorage"]);
        assert.deepEqual(without("audit"), ["vlstorage-audit"]);
        // There audit logs are logs.
        assert.deepEqual(without("audit", "1.9.0"), []);
        assert.deepEqual(without("logs", "1.9.0"), ["vlstorage"]);
        const none = capacityOf(deploymentFor(routes.none!), {});
        assert.ok(none.every(({ verdict }) => verdict === "fits" || verdict === "cache"));
    });

    it("tells what fits, what fits without the free space that merges need, and what does not", () => {
        const verdict = (size: string) => {
            const raw = { ...routes.management, storage: { traces: { size } } };
            const all = capacityOf(deploymentFor(raw), rates);
            const found = all.find(({ volume }) => volume.workload === "vtstorage")!;
            return [found.verdict, found.fullAfterDays?.toFixed(1), percentFull(found, 1000).toFixed(0)];
        };
        // 8.05 GiB a day, on two volumes, for 8 days: 32.2 GiB.
        assert.deepEqual(verdict("41Gi"), ["fits", undefined, "79"]);
        assert.deepEqual(verdict("40Gi"), ["tight", undefined, "80"]);
        assert.deepEqual(verdict("33Gi"), ["tight", undefined, "98"]);
        assert.deepEqual(verdict("32Gi"), ["full", "8.0", "100"]);
    });

    it("needs nothing on a route that stores elsewhere", () => {
        for (const name of ["none", "regional", "cloudwatch"]) {
            for (const { volume, neededGiB, fullAfterDays } of capacityOf(deploymentFor(routes[name]!), rates)) {
                assert.equal(neededGiB, volume.retention === undefined ? undefined : 0);
                assert.equal(fullAfterDays, undefined);
            }
        }
    });

    it("turns an outage into bytes that collectors hold back", () => {
        assert.deepEqual(bufferBytes(rates, 30), {
            metrics: (500_000 / 30) * 400 * 1800,
            logs: 5000 * 250 * 1800,
            traces: 1000 * 1000 * 1800,
            audit: 50 * 1000 * 1800,
        });
        assert.deepEqual(Object.values(bufferBytes({}, 30)), [0, 0, 0, 0]);
    });

    it("never says of a volume that it is too small and that it is never full (sampled)", () => {
        const size = fc.integer({ min: 1, max: 2000 });
        const sizes = fc.record({ metrics: size, logs: size, traces: size, audit: size });
        fc.assert(
            fc.property(sizes, (given) => {
                const storage = Object.fromEntries(
                    Object.entries(given).map(([signal, giB]) => [signal, { size: `${String(giB)}Gi` }]),
                );
                const deployment = deploymentFor({ ...routes.management, storage, rates });
                const shown = [
                    ...sizeText(deployment, readPrices()).split("\n"),
                    ...spaceText(deployment, estimateOf(deployment, readPrices())).split("\n"),
                ];
                assert.ok(shown.every((line) => !(line.includes("too small") && line.includes("never"))));
                for (const { verdict, neededGiB = 0, fullAfterDays, volume } of capacityOf(deployment, rates)) {
                    assert.equal(verdict === "full", fullAfterDays !== undefined);
                    assert.equal(verdict === "fits", verdict !== "cache" && neededGiB <= sizeInGiB(volume.size));
                }
            }),
            runs(4, 20),
        );
    });

    describe("with more of anything never needs less", () => {
        const amount = fc.double({ min: 0, max: 1e6, noNaN: true });
        const size = fc.double({ min: 1, max: 1e5, noNaN: true });
        const lines = fc.record({ linesPerSecond: amount, bytesPerLine: size });
        const anyRates: fc.Arbitrary<Rates> = fc.record(
            {
                logs: lines,
                metrics: fc.record({ activeSeries: amount, scrapeInterval: fc.constantFrom("5s", "30s", "1m") }),
                traces: fc.record({ spansPerSecond: amount, bytesPerSpan: size }),
                audit: lines,
            },
            { requiredKeys: [] },
        );
        const times = (given: Rates, factor: number): Rates => ({
            ...(given.logs && { logs: { ...given.logs, linesPerSecond: given.logs.linesPerSecond * factor } }),
            ...(given.metrics && { metrics: { ...given.metrics, activeSeries: given.metrics.activeSeries * factor } }),
            ...(given.traces && { traces: { ...given.traces, spansPerSecond: given.traces.spansPerSecond * factor } }),
            ...(given.audit && { audit: { ...given.audit, linesPerSecond: given.audit.linesPerSecond * factor } }),
        });
        const management = (metrics: object, logs: object) =>
            deploymentFor({ ...routes.management, storage: { metrics, logs, traces: logs, audit: logs } });
        const needed = (deployment: ReturnType<typeof deploymentFor>, given: Rates) =>
            capacityOf(deployment, given).map(({ volume, neededGiB = 0 }) => neededGiB * volume.count);
        const atMost = (less: readonly number[], more: readonly number[]) => {
            less.forEach((value, i) => {
                assert.ok(value <= more[i]!, `${value} > ${more[i]}`);
            });
        };

        it("rate (sampled)", () => {
            fc.assert(
                fc.property(anyRates, fc.double({ min: 1, max: 100, noNaN: true }), (given, factor) => {
                    const deployment = deploymentFor(routes.management!);
                    atMost(needed(deployment, given), needed(deployment, times(given, factor)));
                    const [less, more] = [bufferBytes(given, 30), bufferBytes(times(given, factor), 30)];
                    atMost(Object.values(less), Object.values(more));
                    for (const [i, before] of capacityOf(deployment, given).entries()) {
                        const after = capacityOf(deployment, times(given, factor))[i]!;
                        assert.ok((after.fullAfterDays ?? Infinity) <= (before.fullAfterDays ?? Infinity));
                    }
                }),
                runs(5, 30),
            );
        });

        it("days, copies and outage (sampled)", () => {
            const count = fc.integer({ min: 1, max: 400 });
            const copies = fc.integer({ min: 1, max: 3 });
            fc.assert(
                fc.property(anyRates, count, count, copies, copies, (given, days, more, factor, extra) => {
                    const before = management(
                        { retention: `${days}d`, replicas: 6, replicationFactor: factor },
                        { retention: `${days}d` },
                    );
                    const after = management(
                        { retention: `${days + more}d`, replicas: 6, replicationFactor: factor + extra },
                        { retention: `${days + more}d` },
                    );
                    atMost(needed(before, given), needed(after, given));
                    atMost(Object.values(bufferBytes(given, days)), Object.values(bufferBytes(given, days + more)));
                }),
                runs(5, 30),
            );
        });

        it("and a volume of the needed size is never full (sampled)", () => {
            fc.assert(
                fc.property(anyRates, (given) => {
                    const wanted = Object.fromEntries(
                        capacityOf(deploymentFor(routes.management!), given)
                            // Larger ones are not taken for meant.
                            .filter(({ neededGiB = 0 }) => neededGiB > 0 && neededGiB <= 1024 ** 2)
                            .map(({ volume, neededGiB }) => [volume.signal, { size: `${String(neededGiB)}Gi` }]),
                    );
                    const sized = deploymentFor({ ...routes.management, storage: wanted });
                    for (const { volume, neededGiB = 0, fullAfterDays } of capacityOf(sized, given)) {
                        if (neededGiB > 1024 ** 2) {
                            continue;
                        }
                        assert.equal(fullAfterDays, undefined, volume.workload);
                        assert.ok(neededGiB <= sizeInGiB(volume.size) || neededGiB === 0);
                    }
                }),
                runs(5, 30),
            );
        });
    });

    describe("knows what", () => {
        const prices = readPrices();
        const costs = (raw: object, region?: string) =>
            Object.fromEntries(
                costsOf(deploymentFor({ route: "management", ...raw }), prices, region).map((cost) => [
                    cost.what,
                    "unknown" in cost ? cost.unknown : [cost.amount, cost.region],
                ]),
            );
        const aws = { name: "kof", preset: "aws-ebs" };

        it("volumes cost, by the size that is billed", () => {
            assert.deepEqual(costs({ storageClass: aws }, "us-east-1"), { volumes: [920 * 0.08, "us-east-1"] });
            assert.deepEqual(costs({ storageClass: aws }, "eu-central-1"), { volumes: [920 * 0.0952, "eu-central-1"] });
            // Nine volumes of 100Gi are billed as 128 each, two of 10Gi as 16.
            const azure = costs({ storageClass: { name: "kof", preset: "azure-disk" } }, "eastus");
            assert.deepEqual(azure, { volumes: [(9 * 128 + 2 * 16) * 0.075, "eastus"] });
        });

        it("volumes cost that are faster than each is without asking", () => {
            const fast = (parameters: object, region = "eu-west-1") =>
                costs({ storageClass: { ...aws, parameters } }, region);
            const { volumes, ...more } = fast({ iops: "5000", throughput: "225" });
            assert.deepEqual(volumes, [920 * 0.088, "eu-west-1"]);
            assert.deepEqual(more, {
                "volumes: iops above 3000 each": [11 * 2000 * 0.0055, "eu-west-1"],
                "volumes: throughput above 125 each": [11 * 100 * 0.044, "eu-west-1"],
            });
            assert.deepEqual(Object.keys(fast({ iops: "3000", throughput: "125" })), ["volumes"]);
            // Of the nine with 100Gi: 2000 more each. Those with 10Gi have less than what each has anyway.
            assert.deepEqual(fast({ iopsPerGB: "50" })["volumes: iops above 3000 each"], [
                9 * 2000 * 0.0055,
                "eu-west-1",
            ]);
            assert.deepEqual(fast({ IOPS: "4000" }, "sa-east-1"), {
                volumes: "no price known for sa-east-1",
                "volumes: iops above 3000 each": "no price known for sa-east-1",
            });
        });

        it("region a stack is in: the one it is told, that of its EKS cluster, or that of its logs", () => {
            const at = (cloudwatch: object, told?: string) =>
                costs({ route: "cloudwatch", storageClass: aws, cloudwatch }, told).volumes?.[1];
            const podIdentity = { kind: "podIdentity", clusterName: "c", region: "us-west-2" };
            assert.equal(at({ region: "eu-central-1" }), "eu-central-1");
            assert.equal(at({ region: "eu-central-1", credentials: podIdentity }), "us-west-2");
            assert.equal(at({ region: "eu-central-1", credentials: podIdentity }, "us-east-2"), "us-east-2");
            assert.equal(regionIn({ "kof:route": "none", "aws:region": "eu-west-1" }), "eu-west-1");
            assert.equal(regionIn({ "azure-native:location": "eastus" }), "eastus");
            assert.equal(regionIn({ "aws:region": "", "aws:profile": "x" }), undefined);
            assert.equal(regionIn({ "aws:region": '{"secure":"AAAB"}' }), undefined);
        });

        it("it has no price for", () => {
            const nowhere = "the stack file does not say in which region they are: set aws:region in it";
            assert.deepEqual(costs({}), {
                "volumes of the cluster's default class": "this stack does not make the class",
            });
            assert.match(String(costs({ storageClass: aws }).volumes), new RegExp(`^${nowhere}`));
            const vsphere = costs({ storageClass: { name: "kof", preset: "vsphere" } }, "us-east-1");
            assert.match(String(vsphere.volumes), /^no price known for csi\.vsphere\.vmware\.com /);
            for (const preset of ["longhorn", "hetzner", "digitalocean", "portworx"]) {
                const volumes = costs({ storageClass: { name: "kof", preset } }, "us-east-1").volumes;
                assert.match(String(volumes), /^no price known for /, preset);
            }
            const io2 = costs({ storageClass: { ...aws, parameters: { type: "io2" } } }, "us-east-1");
            assert.match(String(io2.volumes), /with these parameters/);
            assert.deepEqual(costs({ storageClass: aws }, "mars-1"), { volumes: "no price known for mars-1" });
            const store = ["kof-child", "values", "fromManagement", "storage", "victoria-logs-cluster", "vlstorage"];
            const values = nest([...store, "persistentVolume", "storageClassName"], "fast");
            assert.deepEqual(costs({ values }), {
                "volumes of the cluster's default class": "this stack does not make the class",
                "volumes of class fast": "this stack does not make the class",
            });
        });

        it("keys of one's own cost nobody here knows, wherever they encrypt", () => {
            const key = "arn:aws:kms:us-east-2:123456789012:key/a";
            const bucket = { bucket: "acme-telemetry", region: "us-east-2", kmsKeyArn: key };
            for (const raw of [
                { route: "cloudwatch", cloudwatch: { region: "us-east-2", kmsKeyArn: key } },
                { storageClass: { ...aws, parameters: { encrypted: "true", KMSKeyID: key } } },
                { coldStorage: bucket },
            ]) {
                assert.match(String(costs(raw)["KMS keys"]), /^AWS bills each key/, JSON.stringify(raw));
            }
            assert.equal(costs({ storageClass: aws })["KMS keys"], undefined);
        });

        it("is paid for elsewhere, and nobody here knows at which price", () => {
            const { volumes: _, ...found } = costs({ ...routes.otlp, storageClass: aws }, "us-east-1");
            assert.deepEqual(found, {
                "metrics, logs, traces and audit in OTLP": "paid for there, at a price that is not known here",
            });
        });

        const cloudwatch = (rates: object, more: object = {}) => {
            const raw = { route: "cloudwatch", rates, cloudwatch: { region: "us-east-2", retentionDays: 90, ...more } };
            const { "volumes of the cluster's default class": _, ...found } = costs(raw);
            return found;
        };

        it("CloudWatch costs for logs: what comes in, and what is kept of it", () => {
            // A GiB a day: 26 bytes are added to each line.
            const logs = { linesPerSecond: gib / day / 100, bytesPerLine: 74 };
            const [amount, region] = cloudwatch({ logs })["logs in CloudWatch Logs"] as [number, string];
            assert.equal(amount.toFixed(6), ((365 / 12) * 0.5 + 90 * 0.15 * 0.03).toFixed(6));
            assert.equal(region, "us-east-2");
            assert.deepEqual(
                cloudwatch({ logs }, { region: "af-south-1" })["logs in CloudWatch Logs"],
                "no price known for af-south-1",
            );
            assert.deepEqual(cloudwatch({}), {
                "logs in CloudWatch Logs": "kof:rates.logs is not set",
                "audit in CloudWatch Logs": "kof:rates.audit is not set",
            });
            // Up to KOF 1.9 audit logs are logs.
            const old = { ...routes.cloudwatch, version: "1.9.0", rates: { logs } };
            assert.deepEqual(Object.keys(costs({ ...old, storageClass: aws })), ["volumes", "logs in CloudWatch Logs"]);
        });

        it("CloudWatch costs for metrics: each series, the first ones more, and its events", () => {
            const of = (activeSeries: number, region = "us-east-2") =>
                cloudwatch({ metrics: { activeSeries } }, { region, signals: { metrics: "emf" } });
            const custom = (activeSeries: number) => (of(activeSeries)["custom metrics in CloudWatch"] as [number])[0];
            assert.deepEqual([100, 10_000, 250_000].map(custom), [30, 3000, 3000 + 24_000]);
            assert.equal(custom(2_000_000).toFixed(2), "84500.00");
            // What awsemf makes of a sample of a series with eight labels: an event as AWS describes the embedded metric format.
            const labels = {
                cluster: "mothership",
                clusterNamespace: "kcm-system",
                namespace: "kube-system",
                pod: "coredns-7c65d6cfc9-abcde",
                container: "coredns",
                node: "ip-10-0-1-23.us-east-2.compute.internal",
                job: "kubelet",
                "service.instance.id": "10.0.1.23:10250",
            };
            const metric = "container_cpu_usage_seconds_total";
            const described = {
                Namespace: "KOF/mothership",
                Dimensions: [Object.keys(labels)],
                Metrics: [{ Name: metric, Unit: "s", StorageResolution: 60 }],
            };
            const event = {
                ...labels,
                Version: "1",
                _aws: { CloudWatchMetrics: [described], Timestamp: 1795802400000 },
                [metric]: 12345.678,
            };
            const bytes = JSON.stringify(event).length;
            assert.ok(Math.abs(bytes - 585) < 0.15 * 585, `an event has ${String(bytes)} bytes`);
            // As many samples as a GiB a day has events of 585 bytes and 26 more.
            const [amount] = of((gib / day / 611) * 30)["log events of these metrics"] as [number];
            assert.equal(amount.toFixed(6), ((365 / 12) * 0.5 + 90 * 0.15 * 0.03).toFixed(6));
            assert.equal(of(1, "eu-central-1")["custom metrics in CloudWatch"], "no price known for eu-central-1");
            assert.equal(
                cloudwatch({}, { signals: { metrics: "emf" } })["custom metrics in CloudWatch"],
                "kof:rates.metrics is not set",
            );
        });

        it("X-Ray costs at most, because the spans per trace are not known", () => {
            const traced = (rates: object, region = "us-east-2") =>
                cloudwatch(rates, { region, signals: { traces: "xray" } })["traces in AWS X-Ray"];
            assert.match(String(traced({ traces: { spansPerSecond: 1 } })), /up to 13\.14 USD in us-east-2/);
            assert.equal(traced({}), "kof:rates.traces is not set");
            assert.equal(traced({ traces: { spansPerSecond: 1 } }, "af-south-1"), "no price known for af-south-1");
        });

        const dearer = {
            ...prices,
            cloudwatch: {
                ...prices.cloudwatch,
                otlp: {
                    source: "https://example.net",
                    date: "2026-11",
                    metricsPerGB: { "us-east-2": 0.5 },
                    spansPerGB: { "us-east-2": 2 },
                },
            },
        };
        const second = gib / secondsPerMonth;
        const sent = {
            metrics: { activeSeries: (30 * second) / 400 },
            traces: { spansPerSecond: second, bytesPerSpan: 1 },
        };
        const overOtlp = (given: Prices, rates: object, more: object = {}) =>
            costsOf(
                deploymentFor({
                    ...{ route: "cloudwatch", rates },
                    cloudwatch: { region: "us-east-2", signals: { metrics: "otlp", traces: "otlp" }, ...more },
                }),
                given,
                undefined,
            ).filter(({ what }) => what.includes("OTLP"));

        it("CloudWatch costs over OTLP: each GB that is sent", () => {
            const costs = overOtlp(dearer, sent).map((cost) => [cost.what, "amount" in cost && cost.amount.toFixed(6)]);
            assert.deepEqual(costs, [
                ["metrics in CloudWatch over OTLP", "0.500000"],
                ["spans in CloudWatch over OTLP", "2.000000"],
            ]);
            const chosen = overOtlp(dearer, sent, { processing: { sampleTraces: 10 } });
            assert.deepEqual(
                chosen.map(({ what }) => what),
                [
                    "metrics in CloudWatch over OTLP",
                    "spans in CloudWatch over OTLP, before what kof:cloudwatch.processing drops",
                ],
            );
        });

        it("metrics and spans cost over OTLP where AWS's price list was looked at", () => {
            const listed = {
                region: "us-east-1",
                source: "https://aws.amazon.com/cloudwatch/pricing/",
                date: "2026-10",
            };
            assert.deepEqual(overOtlp(prices, sent, { region: "us-east-1" }), [
                { what: "metrics in CloudWatch over OTLP", amount: 0.5, ...listed },
                { what: "spans in CloudWatch over OTLP", amount: 0.35, ...listed },
            ]);
        });

        it("CloudWatch takes over OTLP is not guessed, but how much it is", () => {
            const { otlp: _, ...older } = prices.cloudwatch;
            for (const given of [prices, { ...prices, cloudwatch: older }, dearer]) {
                const region = given === dearer ? "eu-west-1" : "us-east-2";
                const unknown = overOtlp(given, sent, { region }).map((cost) => "unknown" in cost && cost.unknown);
                const price = `at a price for a GB in ${region} that is not known here: give it with --prices, as cloudwatch.otlp`;
                assert.deepEqual(unknown, [
                    `about 1.00 GB a month (400 bytes a sample), ${price}.metricsPerGB`,
                    `about 1.00 GB a month (kof:rates.traces.bytesPerSpan for each), ${price}.spansPerGB`,
                ]);
            }
            const rates = overOtlp(dearer, {}).map((cost) => "unknown" in cost && cost.unknown);
            assert.deepEqual(rates, ["kof:rates.metrics is not set", "kof:rates.traces is not set"]);
        });

        it("embedded metric format and X-Ray would be over OTLP", () => {
            const told = (given: Prices, rates: object, region = "us-east-2") => {
                const cloudwatch = { region, signals: { metrics: "emf", traces: "xray" } };
                return estimateOf(deploymentFor({ route: "cloudwatch", rates, cloudwatch }), given).comparisons;
            };
            const would = (signal: string) =>
                `Over OTLP (kof:cloudwatch.signals.${signal}: otlp) this would be about 1.00 GB a month`;
            assert.deepEqual(told(dearer, sent), [
                `${would("metrics")}, for 0.50 USD in us-east-2.`,
                `${would("traces")}, for 2.00 USD in us-east-2.`,
            ]);
            // 30.64 series, each for 0.30 USD, and 611 bytes of log events for each 400 of OTLP, which are kept for 30 days.
            const emf = sent.metrics.activeSeries * 0.3 + (611 / 400) * (0.5 + (12 / 365) * 30 * 0.15 * 0.03);
            assert.deepEqual(told(prices, sent), [
                `${would("metrics")}: cheaper, if AWS takes less than ${emf.toFixed(2)} USD for a GB, a price that is not known here.`,
                `${would("traces")}, at a price that is not known here.`,
            ]);
            assert.deepEqual(
                told(prices, sent, "eu-central-1")[0],
                `${would("metrics")}, at a price that is not known here.`,
            );
            assert.deepEqual(told(prices, {}), []);
            assert.deepEqual(
                told(prices, { metrics: { activeSeries: 0 } }).map((text) => text.replace(/0\.00/, "NONE")),
                [`${would("metrics").replace("1.00", "NONE")}, at a price that is not known here.`],
            );
        });

        it("a sum is: all of it, at least so much, or not known", () => {
            const total = (raw: object, region?: string) =>
                totalText(estimateOf(deploymentFor({ ...routes.management, ...raw }), prices, region));
            assert.equal(total({ storageClass: aws }, "us-east-1"), "73.60 USD");
            assert.equal(total({ storageClass: aws }), "unknown");
            assert.equal(
                total({ ...routes.otlp, storageClass: aws }, "us-east-1"),
                "at least 25.60 USD; not included: metrics, logs, traces and audit in OTLP",
            );
        });

        it("a price file is: dated, with a source for each price, for presets that exist", () => {
            const { logs, metrics, traces, otlp } = prices.cloudwatch;
            for (const { source, date } of [
                ...Object.values(prices.volumes),
                logs,
                metrics,
                traces,
                otlp!,
                prices.s3!,
            ]) {
                assert.match(source, /^https:/);
                assert.match(date, /^20\d\d-\d\d$/);
                assert.ok(date <= prices.date);
            }
            for (const [preset, { parameters, provisioned, perGiBMonth }] of Object.entries(prices.volumes)) {
                const made: Record<string, string> = storageClassPresets[preset as keyof Prices["volumes"]].parameters;
                assert.deepEqual(parameters, {
                    ...parameters,
                    ...Object.fromEntries(Object.entries(made).filter(([key]) => key in parameters)),
                });
                for (const { perUnitMonth } of Object.values(provisioned)) {
                    assert.deepEqual(Object.keys(perUnitMonth), Object.keys(perGiBMonth));
                }
            }
            for (const region of ["us-east-1", "us-east-2", "eu-central-1"]) {
                assert.ok(logs.regions[region] && prices.volumes["aws-ebs"]!.perGiBMonth[region]);
            }
        });

        it("is wrong with a price file", () => {
            const folder = fs.mkdtempSync(path.join(os.tmpdir(), "prices-"));
            const file = path.join(folder, "mine.json");
            try {
                assert.throws(() => readPrices(file), {
                    name: "UserError",
                    message: /mine\.json is not a price file: ENOENT/,
                });
                fs.writeFileSync(file, JSON.stringify({ ...prices, currency: undefined, volumes: { nfs: {} } }));
                assert.throws(
                    () => readPrices(file),
                    (error: Error) => {
                        assert.equal(error.name, "UserError");
                        return error.message.includes("currency:") && error.message.includes("volumes");
                    },
                );
                fs.writeFileSync(file, JSON.stringify({ ...prices, currency: "EUR" }));
                assert.equal(readPrices(file).currency, "EUR");
            } finally {
                fs.rmSync(folder, { recursive: true });
            }
        });
    });

    it("has an estimate for every signal", () => {
        assert.deepEqual(Object.keys(bytesPerDay({})), [...signals]);
    });
});
