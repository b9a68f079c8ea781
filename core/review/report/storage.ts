import type { Estimate } from "../capacity/estimate";
import type { Plan } from "../plan";
import type { Deployment } from "../../routes/deployment";
import { contentOf, keptOf, spaceOf, totalGiB, type Volume } from "../../routes/volumes";
import { costScope, costText, spaceText, totalText } from "../summary/capacity";
import { paragraphs, plain, table } from "../../lib/markdown";
import { gibText, sizeInGiB } from "../../lib/quantities";

/** Volumes and costs of a stack before and after, and what the volumes need at its rates. */
export function storageText({ from: before, to: after, volumes }: Plan, was: Estimate, is: Estimate): string {
    const rows = [...volumeRows(before, after), ...costRows(was, is)];
    if (rows.length === 0) {
        return "";
    }
    const leftGiB = volumes
        .filter(({ operation }) => operation === "orphaned")
        .reduce((sum, { count, volume }) => sum + count * sizeInGiB(volume.size), 0);
    return paragraphs([
        "### Storage and cost",
        table(
            ["", "before", "after"],
            rows.map(([what = "", then = "", now = ""]) => [what, then, then === now ? "the same" : `**${now}**`]),
        ),
        leftGiB > 0 ? `**${gibText(leftGiB)} are left behind**, and still paid for until they are removed.` : "",
        ...is.comparisons.map(plain),
        was.costs.length + is.costs.length > 0 ? `Costs at list prices of ${is.prices.date}, ${costScope}.` : "",
        spaceText(after, is),
    ]);
}

function volumeRows(before: Deployment, after: Deployment): string[][] {
    const rows = (was: readonly Volume[], is: readonly Volume[], where = "") =>
        [...new Set([...was, ...is].map(({ workload }) => workload))].map((name) => {
            const of = (stores: readonly Volume[]) => volumeText(stores.find(({ workload }) => workload === name));
            return [`${name}${where}`, of(was), of(is)];
        });
    const regional = rows(before.regionalStores, after.regionalStores, " on each regional cluster");
    const own = rows(before.stores, after.stores);
    const total = (deployment: Deployment) => gibText(totalGiB(deployment.volumes));
    return [
        ...own,
        ...(own.length === 0 ? [] : [["volumes in all", total(before), total(after)]]),
        // What stays as it is there would only be in the way.
        ...regional.filter(([, was, is]) => was !== is),
    ];
}

function volumeText(volume: Volume | undefined): string {
    if (volume === undefined) {
        return "none";
    }
    const { storageClass, keeps, retention } = volume;
    const className = storageClass === "" ? "default class" : `class ${storageClass}`;
    const kept = retention === undefined ? contentOf(volume) : `kept for ${keptOf(volume)}`;
    return [spaceOf(volume), ...(keeps === "volumes" ? [className] : []), kept].join(", ");
}

function costRows(was: Estimate, is: Estimate): string[][] {
    const text = ({ costs, prices }: Estimate, what: string) => {
        const cost = costs.find((each) => each.what === what);
        return cost === undefined ? "nothing" : plain(costText(cost, prices));
    };
    const total = (estimate: Estimate) => (estimate.costs.length === 0 ? "nothing" : plain(totalText(estimate)));
    const items = [...new Set([...was.costs, ...is.costs].map(({ what }) => what))];
    return [
        ...items.map((what) => [`${plain(what)}, a month`, text(was, what), text(is, what)]),
        ...(items.length > 1 ? [["all of that, a month", total(was), total(is)]] : []),
    ];
}
