import { capacityOf, storesHere, storesWithoutVolumes, type VolumeCapacity } from "../capacity";
import { cloudwatchCost, volumeCost, type Cost, type Prices } from "../capacity/costs";
import type { Deployment } from "../../routes/deployment";
import type { Rates } from "../../settings/settings";
import { paragraphs, table } from "../../lib/markdown";
import { sizeInGiB } from "../../lib/quantities";

/** What the volumes need at the rates of `kof:rates`, and when they are full; nothing without rates, or without stores. */
export function spaceText(deployment: Deployment): string {
    const { rates } = deployment.settings;
    return rates === undefined ? "" : paragraphs([neededText(deployment, rates), ...storesWithoutVolumes(deployment)]);
}

function neededText(deployment: Deployment, rates: Rates): string {
    const rows = capacityOf(deployment, rates);
    if (rows.length > 0 && !storesHere(deployment)) {
        return "Nothing of this cluster's own is stored on these volumes.";
    }
    const space = table(
        ["component", "a day", "kept for", "needed of each volume", "size of each", "full"],
        rows.flatMap(spaceRow),
    );
    return space === "" ? "" : paragraphs([space, "Needed includes 20 % headroom, and the copies of metrics."]);
}

function spaceRow({ volume, perDayGiB, neededGiB, fullAfterDays, keptDays }: VolumeCapacity): string[][] {
    const { workload, size, retention } = volume;
    if (neededGiB === undefined || retention === undefined) {
        return [];
    }
    const needed = `${String(neededGiB)}Gi`;
    const full = fullAfterDays === undefined ? "never" : `**after ${days(fullAfterDays)}**`;
    return [
        [
            workload,
            `${perDayGiB.toFixed(2)}Gi`,
            keptDays === undefined ? retention : `${retention}, by its limit ${days(keptDays)}`,
            neededGiB > sizeInGiB(size) ? `**${needed}: too small**` : needed,
            size,
            full,
        ],
    ];
}

/** A human-readable number of days. */
export function days(amount: number): string {
    const whole = Math.floor(amount);
    return whole < 1 ? "less than a day" : whole === 1 ? "1 day" : `${String(whole)} days`;
}

/** What a route costs a month, by what it is paid for: volumes, and CloudWatch where there are rates. */
export function costsOf(deployment: Deployment, prices: Prices): Map<string, Cost> {
    const { rates } = deployment.settings;
    const costs: [string, Cost | undefined][] = [
        ["volumes", deployment.volumes.length > 0 ? volumeCost(deployment, prices) : undefined],
        ["CloudWatch", rates === undefined ? undefined : cloudwatchCost(deployment, rates, prices)],
    ];
    return new Map(costs.filter((entry): entry is [string, Cost] => entry[1] !== undefined));
}

/** A human-readable cost. */
export function costText(cost: Cost, { currency }: Prices): string {
    return "unknown" in cost ? `unknown: ${cost.unknown}` : `${cost.amount.toFixed(2)} ${currency} in ${cost.region}`;
}

/** What the stores of a route cost a month. */
export function costTable(deployment: Deployment, prices: Prices): string {
    const costs = costsOf(deployment, prices);
    const rows = [...costs].map(([what, cost]) => [what, costText(cost, prices)]);
    return rows.length === 0 ? "" : paragraphs([table(["", "a month"], rows), `At the list prices of ${prices.date}.`]);
}
