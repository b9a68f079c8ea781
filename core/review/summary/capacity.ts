import { percentFull, storesHere, type VolumeCapacity } from "../capacity";
import type { Cost } from "../capacity/costs";
import type { Estimate } from "../capacity/estimate";
import type { Prices } from "../capacity/priceFile";
import type { Deployment } from "../../routes/deployment";
import { paragraphs, plain, table } from "../../lib/markdown";

/** What the volumes need at the rates of `kof:rates`, and when they are full; nothing without rates, or without stores. */
export function spaceText(deployment: Deployment, estimate: Estimate): string {
    return deployment.settings.rates === undefined
        ? ""
        : paragraphs([neededText(deployment, estimate), ...estimate.remarks]);
}

function neededText(deployment: Deployment, { space }: Estimate): string {
    if (space.length > 0 && !storesHere(deployment)) {
        return "Nothing of this cluster's own is stored on these volumes.";
    }
    const rows = table(
        ["component", "a day", "kept for", "needed of each volume", "size of each", "full"],
        space.filter(({ verdict }) => verdict !== "cache").map(spaceRow),
    );
    return rows === "" ? "" : paragraphs([rows, "Needed includes 20 % headroom, and the copies of metrics."]);
}

function spaceRow(capacity: VolumeCapacity): string[] {
    const { volume, verdict } = capacity;
    const { perDay, kept, needed, full } = spaceCells(capacity, "Gi");
    const isMarked = verdict === "tight" || verdict === "full";
    return [
        volume.workload,
        perDay,
        kept,
        verdict === "full" ? `**${needed}: too small**` : isMarked ? `**${needed}**` : needed,
        volume.size,
        isMarked ? `**${full}**` : full,
    ];
}

/**
 * The cells of a table of volumes, human-readable.
 *
 * @param unit of what is added in a day.
 */
export function spaceCells(
    capacity: VolumeCapacity,
    unit: string,
): Record<"perDay" | "kept" | "needed" | "full", string> {
    const { volume, verdict, perDayGiB, growsForDays, neededGiB, fullAfterDays = 0, keptDays } = capacity;
    const { retention = "" } = volume;
    const kept = `${retention}${keptDays === undefined ? "" : `, by its limit ${daysText(keptDays)}`}`;
    if (verdict === "cache" || verdict === "unknown") {
        const text = verdict === "cache" ? "" : "unknown";
        return { perDay: text, kept, needed: text, full: text };
    }
    return {
        perDay: `${perDayGiB.toFixed(2)}${unit}`,
        kept,
        needed: `${String(neededGiB)}Gi`,
        full: {
            fits: "never",
            tight: `up to ${percentFull(capacity, growsForDays).toFixed(0)} %`,
            full: `after ${daysText(fullAfterDays)}`,
        }[verdict],
    };
}

/** A human-readable number of days. */
function daysText(amount: number): string {
    const whole = Math.floor(amount);
    return whole < 1 ? "less than a day" : whole === 1 ? "1 day" : `${String(whole)} days`;
}

/** A human-readable cost. */
export function costText(cost: Cost, { currency }: Prices): string {
    return "unknown" in cost
        ? `not included: ${cost.unknown}`
        : `${cost.amount.toFixed(2)} ${currency} in ${cost.region}`;
}

/** What everything costs, human-readable; where something has no price, the least that it costs, and what is left out. */
export function totalText({ amount, missing, prices }: Estimate): string {
    if (amount === undefined) {
        return "unknown";
    }
    const sum = `${amount.toFixed(2)} ${prices.currency}`;
    return missing.length === 0 ? sum : `at least ${sum}; not included: ${missing.join(", ")}`;
}

/** What costs are for, and what is no part of any. */
export const costScope =
    "for what this cluster stores: without queries, alarms and data transfer, before discounts, taxes and free allowances";

/** What the stores of a route cost a month. */
export function costTable(estimate: Estimate): string {
    const { costs, comparisons, prices } = estimate;
    const rows = costs.map((cost) => [plain(cost.what), plain(costText(cost, prices))]);
    return rows.length === 0
        ? ""
        : paragraphs([
              table(
                  ["", "a month"],
                  rows.length === 1 ? rows : [...rows, ["**total**", `**${plain(totalText(estimate))}**`]],
              ),
              ...comparisons.map(plain),
              `List prices of ${prices.date}, ${costScope}.`,
          ]);
}
