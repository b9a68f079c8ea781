import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import fc from "fast-check";

import { capacityOf } from "../../../../core/review/capacity";
import { cloudwatchCost, readPrices, volumeCost, type Prices } from "../../../../core/review/capacity/costs";
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
import { retentionInDays } from "../../../../core/lib/durations";

const day = 86_400;
const perDay = (count: number) => count / day;

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

        it("rate", () => {
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
                { numRuns: 30 },
            );
        });

        it("days, copies and outage", () => {
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
                { numRuns: 30 },
            );
        });

        it("and a volume of the needed size is never full", () => {
            fc.assert(
                fc.property(anyRates, (given) => {
                    const wanted = Object.fromEntries(
                        capacityOf(deploymentFor(routes.management!), given)
                            .filter(({ neededGiB = 0 }) => neededGiB > 0)
                            .map(({ volume, neededGiB }) => [volume.signal, { size: `${String(neededGiB)}Gi` }]),
                    );
                    const sized = deploymentFor({ ...routes.management, storage: wanted });
                    for (const { volume, neededGiB = 0, fullAfterDays } of capacityOf(sized, given)) {
                        assert.equal(fullAfterDays, undefined, volume.workload);
                        assert.ok(neededGiB <= sizeInGiB(volume.size) || neededGiB === 0);
                    }
                }),
                { numRuns: 30 },
            );
        });
    });

    describe("knows what", () => {
        const prices = readPrices();
        const cost = (raw: object, region?: string) =>
            volumeCost(deploymentFor({ route: "management", ...raw }), prices, region);

        it("volumes cost, by the size that is billed", () => {
            const aws = { storageClass: { name: "kof", preset: "aws-ebs" } };
            const { source } = prices.volumes["aws-ebs"]!;
            assert.deepEqual(cost(aws), { amount: 920 * 0.08, region: "us-east-1", source });
            assert.deepEqual(cost(aws, "eu-central-1"), { amount: 920 * 0.0952, region: "eu-central-1", source });
            // Nine volumes of 100Gi are billed as 128 each, two of 10Gi as 16.
            const azure = cost({ storageClass: { name: "kof", preset: "azure-disk" } }) as { amount: number };
            assert.equal(azure.amount, (9 * 128 + 2 * 16) * 0.075);
        });

        it("it has no price for", () => {
            const unknown = (raw: object, region?: string) => (cost(raw, region) as { unknown: string }).unknown;
            const aws = { name: "kof", preset: "aws-ebs" };
            assert.equal(unknown({}), "kof:storageClass makes none");
            assert.match(unknown({ storageClass: { name: "kof", preset: "vsphere" } }), /csi\.vsphere\.vmware\.com/);
            assert.match(unknown({ storageClass: { ...aws, parameters: { type: "io2" } } }), /with these parameters/);
            assert.match(unknown({ storageClass: aws }, "mars-1"), /no region mars-1, but us-east-1, /);
        });

        it("CloudWatch costs: what comes in, and what is kept of it", () => {
            const raw = { route: "cloudwatch", cloudwatch: { region: "us-east-2", retentionDays: 90 } };
            const given = { logs: { linesPerSecond: gib / day / 100, bytesPerLine: 74 } };
            // A GiB a day: 26 bytes are added to each line.
            const expected = (365 / 12) * 0.5 + 90 * 0.15 * 0.03;
            const found = cloudwatchCost(deploymentFor(raw), given, prices) as { amount: number };
            assert.equal(found.amount.toFixed(6), expected.toFixed(6));
            assert.equal(cloudwatchCost(deploymentFor(routes.management!), given, prices), undefined);
            const far = { route: "cloudwatch", cloudwatch: { region: "af-south-1" } };
            assert.deepEqual(cloudwatchCost(deploymentFor(far), given, prices), {
                unknown: "the price file has no CloudWatch prices for af-south-1",
            });
        });

        it("a price file is: dated, with a source for each price, for presets that exist", () => {
            assert.match(prices.date, /^20\d\d-\d\d$/);
            for (const [preset, { source, parameters }] of Object.entries(prices.volumes)) {
                assert.match(source, /^https:/);
                const made: Record<string, string> = storageClassPresets[preset as keyof Prices["volumes"]].parameters;
                assert.deepEqual(parameters, {
                    ...parameters,
                    ...Object.fromEntries(Object.entries(made).filter(([key]) => key in parameters)),
                });
            }
            for (const region of ["us-east-1", "us-east-2", "eu-central-1"]) {
                assert.ok(prices.cloudwatch.regions[region] && prices.volumes["aws-ebs"]!.perGiBMonth[region]);
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
