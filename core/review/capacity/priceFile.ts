import * as fs from "node:fs";
import * as path from "node:path";

import { z } from "zod";

import { UserError } from "../../lib/errors";
import { storageClassPresets } from "../../settings/storageClassPresets";

const price = z.number().nonnegative();
const byRegion = z.record(z.string(), price);

/** Where a price was found, and when: `2026-11`. */
const listed = { source: z.string(), date: z.string() };

const schema = z.strictObject({
    /** When the file was last gone through: `2026-11`. */
    date: z.string(),
    currency: z.string(),
    /** By the preset of the storage class. */
    volumes: z.partialRecord(
        z.enum(Object.keys(storageClassPresets) as (keyof typeof storageClassPresets)[]),
        z.strictObject({
            ...listed,
            /** Parameters of the class for which the price holds. */
            parameters: z.record(z.string(), z.string()).default({}),
            /** Sizes that are billed, where the next larger one is. Default: as requested. */
            billedGiB: z.array(z.number().positive()).default([]),
            /** By the provider's name of the region. */
            perGiBMonth: byRegion,
            /** What is billed in addition to a volume's included amount, by the parameter of the class that asks for it. */
            provisioned: z
                .record(z.string(), z.strictObject({ included: z.number().nonnegative(), perUnitMonth: byRegion }))
                .default({}),
        }),
    ),
    cloudwatch: z.strictObject({
        logs: z.strictObject({
            ...listed,
            /** What is left of logs when they are stored. */
            compression: z.number().positive(),
            regions: z.record(z.string(), z.strictObject({ ingestedPerGB: price, storedPerGBMonth: price })),
        }),
        /** Custom metrics: the first ones cost the most. */
        metrics: z.strictObject({
            ...listed,
            tiers: z.array(z.strictObject({ upTo: z.number().positive().optional(), perMetricMonth: price })),
            regions: z.array(z.string()),
        }),
        /** Traces that X-Ray records. */
        traces: z.strictObject({ ...listed, perMillion: price, regions: z.array(z.string()) }),
        /**
         * What comes in over OTLP, by the GB: of spans the first 10 TB a month of what Transaction Search takes in. Those of us-east-1
         * are of AWS's price list of CloudWatch, as others have read it: metrics on 2026-10-03, spans on 2025-10-28 and since then from
         * its page. Default: no price is known.
         */
        otlp: z.strictObject({ ...listed, metricsPerGB: byRegion, spansPerGB: byRegion }).optional(),
    }),
    /** Archives. A file without it says nothing of their price. */
    s3: z
        .strictObject({
            ...listed,
            /**
             * Regions whose prices nobody has compared with the source on that date, or whether those of all are such. Default: somebody has.
             * Those of us-east-1 are AWS's price list of S3, of 2025-10-01.
             */
            isUnchecked: z.union([z.boolean(), z.array(z.string())]).default(false),
            regions: z.record(
                z.string(),
                z.strictObject({
                    /** Storage, by its class. */
                    perGBMonth: z.record(z.string(), price),
                    /** Requests that write an object, and that look for one. */
                    perThousandPuts: price,
                    perThousandGets: price,
                }),
            ),
        })
        .optional(),
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
