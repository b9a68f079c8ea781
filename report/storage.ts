import type { Prices } from "../capacity/costs";
import type { Plan } from "../changes";
import type { Route } from "../routes";
import { sizeInGiB, totalGiB, volumesOf, type Volume } from "../routes/volumes";
import { costsOf, costText, spaceText } from "../summary/capacity";
import { paragraphs, table } from "../summary/markdown";

/** Volumes and costs of a stack before and after, and what the volumes need at its rates. */
export function storageText({ from: before, to: after, volumes }: Plan, prices: Prices): string {
    const rows = [...volumeRows(before, after), ...costRows(before, after, prices)];
    if (rows.length === 0) {
        return "";
    }
    const left = volumes
        .filter(({ operation }) => operation === "orphaned")
        .reduce((sum, { count, volume }) => sum + count * sizeInGiB(volume.size), 0);
    const isPriced = costsOf(before, prices).size + costsOf(after, prices).size > 0;
    return paragraphs([
        "### Storage and cost",
        table(
            ["", "before", "after"],
            rows.map(([what = "", was = "", is = ""]) => [what, was, was === is ? "the same" : `**${is}**`]),
        ),
        left > 0 ? `**${gib(left)} are left behind**, and still paid for until they are removed.` : "",
        isPriced ? `Costs at the list prices of ${prices.date}.` : "",
        spaceText(after),
    ]);
}

function volumeRows(before: Route, after: Route): string[][] {
    const [was, is] = [volumesOf(before), volumesOf(after)];
    const names = [...new Set([...was, ...is].map(({ workload }) => workload))];
    const of = (volumes: readonly Volume[], name: string) =>
        volumeText(volumes.find(({ workload }) => workload === name));
    const total = (volumes: readonly Volume[]) => gib(totalGiB(volumes));
    return names.length === 0
        ? []
        : [...names.map((name) => [name, of(was, name), of(is, name)]), ["volumes in all", total(was), total(is)]];
}

function gib(amount: number): string {
    return `${String(Math.round(amount * 10) / 10)}Gi`;
}

function volumeText(volume: Volume | undefined): string {
    if (volume === undefined) {
        return "none";
    }
    const { count, size, storageClass, retention } = volume;
    const kept = retention === undefined ? "cache" : `kept for ${retention}`;
    return `${String(count)} x ${size}, ${storageClass === "" ? "default class" : `class ${storageClass}`}, ${kept}`;
}

function costRows(before: Route, after: Route, prices: Prices): string[][] {
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
