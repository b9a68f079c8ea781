import * as fs from "node:fs";
import * as path from "node:path";

import { z } from "zod";

import { UserError } from "../../lib/errors";
import type { Deployment } from "../../routes/deployment";
import type { Rates } from "../../settings/settings";
import { storageClassOf } from "../../settings/storageClasses";
import { storageClassPresets } from "../../settings/storageClassPresets";
import { sizeInGiB, gib } from "../../lib/quantities";

const price = z.number().nonnegative();

const schema = z.strictObject({
    /** When the prices were looked up: `2026-06`. */
    date: z.string(),
    currency: z.string(),
    /** By the preset of the storage class. */
    volumes: z.partialRecord(
        z.enum(Object.keys(storageClassPresets) as (keyof typeof storageClassPresets)[]),
        z.strictObject({
            source: z.string(),
            /** Parameters of the class for which the price holds. */
            parameters: z.record(z.string(), z.string()).default({}),
            /** Sizes that are billed, where the next larger one is. Default: as requested. */
            billedGiB: z.array(z.number().positive()).default([]),
            /** By the provider's name of the region. */
            perGiBMonth: z.record(z.string(), price),
        }),
    ),
    cloudwatch: z.strictObject({
        source: z.string(),
        /** What is left of logs when they are stored. */
        compression: z.number().positive(),
        regions: z.record(z.string(), z.strictObject({ ingestedPerGB: price, storedPerGBMonth: price })),
    }),
});

/** List prices, before discounts, taxes and free allowances. */
export type Prices = z.infer<typeof schema>;

const shipped = path.join(__dirname, "prices.json");

/**
 * Reads a price file.
 *
 * @param file one like core/review/capacity/prices.json, the default.
 * @throws UserError when it cannot be read, or is not of that form.
 */
export function readPrices(file = shipped): Prices {
    let content: unknown;
    try {
        content = JSON.parse(fs.readFileSync(file, "utf8"));
    } catch (error) {
        throw new UserError(
            `${file} is not a price file: ${(error as Error).message}. Copy core/review/capacity/prices.json.`,
        );
    }
    const parsed = schema.safeParse(content);
    if (!parsed.success) {
        const problems = parsed.error.issues.map(({ path: at, message }) => `  ${at.join(".")}: ${message}`);
        throw new UserError(
            `${file} is not a price file. Copy core/review/capacity/prices.json.\n${problems.join("\n")}`,
        );
    }
    return parsed.data;
}

/** What something costs a month, and where; or why nobody knows. */
export type Cost =
    { readonly amount: number; readonly region: string; readonly source: string } | { readonly unknown: string };

/**
 * What the volumes of a route cost a month: their size counts, not what is in them.
 *
 * @param region the provider's region. Default: the first one in the price file.
 */
export function volumeCost(deployment: Deployment, prices: Prices, region?: string): Cost {
    const made = storageClassOf(deployment.settings.storageClass);
    if (!made) {
        return { unknown: "kof:storageClass makes none" };
    }
    const preset = Object.entries(storageClassPresets).find(
        ([, { provisioner }]) => provisioner === made.provisioner,
    )?.[0];
    const known = prices.volumes[preset as keyof Prices["volumes"]];
    if (!known || Object.entries(known.parameters).some(([key, value]) => made.parameters?.[key] !== value)) {
        return { unknown: `the price file has no volumes of ${made.provisioner} with these parameters` };
    }
    const where = region ?? Object.keys(known.perGiBMonth)[0] ?? "";
    const perGiB = known.perGiBMonth[where];
    if (perGiB === undefined) {
        return { unknown: `the price file has no region ${where}, but ${Object.keys(known.perGiBMonth).join(", ")}` };
    }
    const billed = (size: number) => known.billedGiB.find((each) => each >= size) ?? size;
    const total = deployment.volumes.reduce((sum, { count, size }) => sum + count * billed(sizeInGiB(size)), 0);
    return { amount: total * perGiB, region: where, source: known.source };
}

/** What CloudWatch adds to each event when it counts bytes (PutLogEvents in the CloudWatch Logs API reference). */
const bytesPerEvent = 26;

const secondsPerMonth = (365 / 12) * 86_400;

/** What CloudWatch Logs costs a month once logs are as old as they get; `undefined` on a route without. */
export function cloudwatchCost({ cloudwatch }: Deployment, rates: Rates, prices: Prices): Cost | undefined {
    if (!cloudwatch) {
        return undefined;
    }
    const { region, logGroups } = cloudwatch;
    const known = prices.cloudwatch.regions[region];
    if (!known) {
        return { unknown: `the price file has no CloudWatch prices for ${region}` };
    }
    const [logs, audit = logs] = logGroups;
    const amount = [
        [rates.logs, logs],
        [rates.audit, audit],
    ] as const;
    return {
        amount: amount.reduce((sum, [lines, group]) => {
            const perSecond = lines ? lines.linesPerSecond * (lines.bytesPerLine + bytesPerEvent) : 0;
            const ingested = (perSecond * secondsPerMonth) / gib;
            const stored = ((perSecond * 86_400) / gib) * (group?.retentionDays ?? 0) * prices.cloudwatch.compression;
            return sum + ingested * known.ingestedPerGB + stored * known.storedPerGBMonth;
        }, 0),
        region,
        source: prices.cloudwatch.source,
    };
}
