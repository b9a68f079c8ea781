import assert from "node:assert/strict";

import { costsOf } from "../../../../core/review/capacity/costs";
import { estimateOf } from "../../../../core/review/capacity/estimate";
import { archivedPerDay } from "../../../../core/review/capacity/estimates";
import { readPrices } from "../../../../core/review/capacity/priceFile";
import { archiveClasses } from "../../../../core/settings/settings";
import { gib } from "../../../../core/lib/quantities";
import { deploymentFor, type Raw } from "../../../support";

const cold = { bucket: "acme-kof-cold", region: "eu-west-1" };
const prices = readPrices();

/** What archives cost, as text. */
function costs(raw: Raw, given = prices): string[] {
    return costsOf(deploymentFor({ route: "management", version: "1.10.0", ...raw }), given, undefined)
        .filter(({ what }) => what.includes("in S3"))
        .map((cost) => `${cost.what}: ${"unknown" in cost ? cost.unknown : cost.amount.toFixed(4)}`);
}

describe("the cost of archives", () => {
    const perDay = gib / 86_400;
    // A GiB of logs a day in the archive.
    const rates = { logs: { linesPerSecond: perDay / 100, bytesPerLine: 1000 } };
    const of = (archive: Raw, more: Raw = {}) =>
        costs({ rates, coldStorage: { ...cold, signals: ["logs"], ...archive }, ...more });
    const line = (amount: number) => [`logs in S3 (kof:coldStorage), once a year is archived: ${amount.toFixed(4)}`];
    // An hour writes two objects, and each run looks for 24.
    const requests = (730 * (2 * 0.005 + 24 * 0.0004)) / 1000;

    it("is that of a year's objects and of a month's requests", () => {
        assert.equal(Math.round(archivedPerDay(rates as never).logs / gib), 1);
        assert.deepEqual(of({}), line(365 * 0.023 + requests));
    });

    it("follows what moves to colder classes, within that year", () => {
        const lifecycle = [
            { days: 65, storageClass: "STANDARD_IA" },
            { days: 165, storageClass: "GLACIER" },
            { days: 400, storageClass: "DEEP_ARCHIVE" },
        ];
        assert.deepEqual(of({ lifecycle }), line(65 * 0.023 + 100 * 0.0125 + 200 * 0.0036 + requests));
        assert.deepEqual(of({ lifecycle: [{ days: 0, storageClass: "GLACIER_IR" }] }), line(365 * 0.004 + requests));
    });

    it("leaves objects below 128 KB where they are", () => {
        const few = { logs: { linesPerSecond: 1, bytesPerLine: 300 } };
        const year = (365 * 86_400 * 30) / gib;
        const lifecycle = [{ days: 0, storageClass: "DEEP_ARCHIVE" }];
        assert.deepEqual(of({ lifecycle }, { rates: few }), line(year * 0.023 + requests));
    });

    it("is unknown where a rate, a price or the store is", () => {
        const all = { rates, coldStorage: cold };
        const name = (signal: string) => `${signal} in S3 (kof:coldStorage), once a year is archived`;
        assert.deepEqual(
            costs(all).filter((each) => !each.startsWith("logs")),
            ["metrics", "traces"].map((signal) => `${name(signal)}: kof:rates.${signal} is not set`),
        );
        assert.deepEqual(of({ region: "ap-south-2" }), [`${name("logs")}: no price known for ap-south-2`]);
        const { s3: _, ...others } = prices;
        assert.deepEqual(costs({ rates, coldStorage: { ...cold, signals: ["logs"] } }, others), [
            `${name("logs")}: the price file has no prices of S3`,
        ]);
        const minio = { region: undefined, endpoint: "https://minio.example.net", existingSecret: "minio" };
        assert.deepEqual(of(minio), [`${name("logs")}: paid for there, at a price that is not known here`]);
        const audit = costs({ rates: { audit: { linesPerSecond: 0 } }, auditArchive: cold });
        assert.deepEqual(audit, [
            `audit logs in S3 (kof:auditArchive), once a year is archived: ${((730 * (3 * 0.005 + 24 * 0.0004)) / 1000).toFixed(4)}`,
        ]);
    });

    it("says that it is assumed how small files are, where there is an archive", () => {
        const remarks = (raw: Raw) => estimateOf(deploymentFor({ route: "management", rates, ...raw }), prices).remarks;
        const assumed = (raw: Raw) =>
            remarks(raw).filter((each) => each.includes("archives in S3 take is assumed")).length;
        assert.deepEqual([assumed({ coldStorage: cold }), assumed({})], [1, 0]);
    });

    it("says of which regions nobody has compared the prices", () => {
        const said = (region: string, isUnchecked: boolean | string[] | undefined = prices.s3?.isUnchecked) => {
            const raw = { route: "management", rates, coldStorage: { ...cold, region } };
            const given = { ...prices, s3: { ...prices.s3!, isUnchecked: isUnchecked ?? false } };
            const { remarks } = estimateOf(deploymentFor(raw), given);
            return remarks.flatMap((each) => /The prices of S3 in (.*) have not/.exec(each)?.[1] ?? []);
        };
        assert.deepEqual(
            ["us-east-1", "us-east-2", "eu-west-1"].flatMap((each) => said(each)),
            ["us-east-2", "eu-west-1"],
        );
        assert.deepEqual([said("us-east-1", true), said("eu-west-1", false)], [["us-east-1"], []]);
        // Of what has no price nothing is compared.
        assert.deepEqual(said("ap-south-2", true), []);
    });

    it("has a price for every class that objects can move to", () => {
        for (const { perGBMonth } of Object.values(prices.s3!.regions)) {
            assert.deepEqual(Object.keys(perGBMonth).sort(), ["STANDARD", ...archiveClasses].sort());
        }
    });
});
