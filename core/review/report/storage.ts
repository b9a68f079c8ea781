import type { Prices } from "../capacity/costs";
import type { Plan } from "../plan";
import type { Deployment } from "../../routes/deployment";
import { contentOf, keptOf, spaceOf, totalGiB, type Volume } from "../../routes/volumes";
import { costsOf, costText, spaceText } from "../summary/capacity";
import { paragraphs, table } from "../../lib/markdown";
import { gibText, sizeInGiB } from "../../lib/quantities";

/** Volumes and costs of a stack before and after, and what the volumes need at its rates. */
export function storageText({ from: before, to: after, volumes }: Plan, prices: Prices): string {
    const rows = [...volumeRows(before, after), ...costRows(before, after, prices)];
    if (rows.length === 0) {
        return "";
    }
    const leftGiB = volumes
        .filter(({ operation }) => operation === "orphaned")
        .reduce((sum, { count, volume }) => sum + count * sizeInGiB(volume.size), 0);
    const isPriced = costsOf(before, prices).size + costsOf(after, prices).size > 0;
    return paragraphs([
        "### Storage and cost",
        table(
            ["", "before", "after"],
            rows.map(([what = "", was = "", is = ""]) => [what, was, was === is ? "the same" : `**${is}**`]),
        ),
        leftGiB > 0 ? `**${gibText(leftGiB)} are left behind**, and still paid for until they are removed.` : "",
        isPriced ? `Costs at the list prices of ${prices.date}.` : "",
        spaceText(after),
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

function costRows(before: Deployment, after: Deployment, prices: Prices): string[][] {
    const [was, is] = [costsOf(before, prices), costsOf(after, prices)];
    const text = (costs: typeof was, what: string) => {
        const cost = costs.get(what);
        return cost === undefined ? "nothing" : costText(cost, prices);
    };
    return [...new Set([...was.keys(), ...is.keys()])].map((what) => [
        `${what}, a month`,
        text(was, what),
        text(is, what),
    ]);
}
