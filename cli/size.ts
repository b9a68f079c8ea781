import { styleText } from "node:util";

import {
    bufferCapacity,
    capacityOf,
    storesHere,
    storesWithoutVolumes,
    type VolumeCapacity,
} from "../core/review/capacity";
import { cloudwatchCost, readPrices, volumeCost, type Cost, type Prices } from "../core/review/capacity/costs";
import { isMap, mergeValues, nest, type HelmValues } from "../core/lib/values";
import { UserError } from "../core/lib/errors";
import { deploymentOf } from "../core/routes";
import type { Deployment } from "../core/routes/deployment";
import { bufferOf } from "../core/routes/collectors";
import { toPaste } from "../core/routes/stored";
import { contentOf } from "../core/routes/volumes";
import { parseSettings, rawSettings } from "../core/routes/parse";
import type { Rates } from "../core/settings/settings";
import { days } from "../core/review/summary/capacity";
import { writeYaml } from "../core/lib/yaml/write";
import { parseOptions, run } from "./command";
import { readStackFile, stackFileOptions, type StackFile } from "./stackFile";
import { gib, sizeInGiB } from "../core/lib/quantities";

const usage = `Usage: npm run size -- --stack NAME
       npm run size -- --config FILE
            [--rate KEY=VALUE]...    over kof:rates of the stack file: --rate logs.linesPerSecond=500
            [--prices FILE]          instead of core/review/capacity/prices.json
            [--region REGION]        where the volumes are. Default: the first region of the price file

Says how much space telemetry needs at the rates of kof:rates, when the volumes are full, and what they cost.`;

const options = {
    ...stackFileOptions,
    rate: { type: "string", multiple: true },
    prices: { type: "string" },
    region: { type: "string" },
} as const;

/**
 * What a stack file resolves to, with its rates.
 *
 * @param changed rates over those of the file, as `logs.linesPerSecond=500`.
 * @throws UserError for a wrong stack file, a rate that does not exist, or no rate at all.
 */
export function deploymentWithRates(
    { file, config, secretKeys }: StackFile,
    changed: readonly string[],
): { deployment: Deployment; rates: Rates } {
    const raw = rawSettings(config, (key) => secretKeys.includes(key));
    const rates = changed.reduce<HelmValues>((all, text) => {
        const [key = "", value = ""] = text.split("=", 2);
        return mergeValues(
            all,
            nest(key.split("."), /^\d/.test(value) && !Number.isNaN(Number(value)) ? Number(value) : value),
        );
    }, ratesOf(raw.rates));
    const settings = parseSettings(Object.keys(rates).length > 0 ? { ...raw, rates } : raw, file);
    if (settings.rates === undefined) {
        const example = {
            logs: { linesPerSecond: 500 },
            metrics: { activeSeries: 50_000 },
            traces: { spansPerSecond: 100 },
        };
        const paste = writeYaml({ "kof:rates": example });
        throw new UserError(`${file} does not say how much telemetry there is. Add, or give with --rate:\n\n${paste}`);
    }
    return { deployment: deploymentOf(settings), rates: settings.rates };
}

/** What stands in a stack file may be anything: what is wrong with it is said when it is parsed. */
function ratesOf(raw: unknown): HelmValues {
    return isMap(raw) ? raw : {};
}

/** Human-readable: what the volumes need, when they are full, and what it costs. */
export function sizeText(deployment: Deployment, rates: Rates, prices: Prices, region?: string): string {
    const rows = capacityOf(deployment, rates);
    const short = rows.filter(({ neededGiB, volume }) => (neededGiB ?? 0) > sizeInGiB(volume.size));
    const cloudwatch = cloudwatchCost(deployment, rates, prices);
    return [
        styleText(
            "bold",
            `Volumes on this cluster, route ${deployment.settings.route}, KOF ${deployment.settings.version}`,
        ),
        ...table([["", "a day", "kept", "needed", "configured", "full"], ...rows.map(cells)]),
        "",
        ...(storesHere(deployment)
            ? [
                  "Needed and configured are the size of each volume; needed includes 20 % headroom, and the copies of metrics.",
              ]
            : [`Route ${deployment.settings.route} stores nothing of this cluster's own on these volumes.`]),
        ...storesWithoutVolumes(deployment),
        ...bufferLines(deployment, rates),
        ...(short.length > 0
            ? [
                  "",
                  styleText("yellow", "Too small. Make them larger (docs/storage.md says how):"),
                  ...pasted(deployment, short),
              ]
            : []),
        "",
        styleText("bold", `A month, at the list prices of ${prices.date}`),
        ...table([
            ["volumes", costCell(volumeCost(deployment, prices, region), prices)],
            ...(cloudwatch ? [["CloudWatch", costCell(cloudwatch, prices)]] : []),
        ]),
    ].join("\n");
}

/** What is held back in an outage, against what one exporter of a collector may keep on its node. */
function bufferLines(deployment: Deployment, rates: Rates): string[] {
    const { duration, bytes } = bufferOf(deployment.settings);
    const rows = bufferCapacity(deployment, rates);
    const tight = rows.some(({ heldGiB }) => heldGiB > bytes / gib);
    return rows.length === 0
        ? []
        : [
              "",
              styleText("bold", `Held back while the destination is away for ${duration}, of all nodes together`),
              ...table(rows.map(({ signal, heldGiB }) => [signal, `${heldGiB.toFixed(2)} GiB`])),
              `Each exporter of a collector keeps at most ${(bytes / gib).toFixed(2)} GiB on its node (kof:buffer.size)${tight ? ": enough only if the load is spread over nodes" : ""}.`,
          ];
}

function cells({ volume, perDayGiB, neededGiB, fullAfterDays, keptDays }: VolumeCapacity): string[] {
    const { workload, count, size, retention } = volume;
    if (neededGiB === undefined) {
        return [workload, "", contentOf(volume), "", `${String(count)} x ${size}`, ""];
    }
    const full = fullAfterDays === undefined ? "never" : `after ${days(fullAfterDays)}`;
    return [
        workload,
        `${perDayGiB.toFixed(2)} GiB`,
        `${retention ?? ""}${keptDays === undefined ? "" : `, by its limit ${days(keptDays)}`}`,
        `${String(count)} x ${String(neededGiB)}Gi`,
        `${String(count)} x ${size}`,
        full,
    ];
}

function costCell(cost: Cost, { currency }: Prices): string {
    return "unknown" in cost
        ? `unknown: ${cost.unknown}`
        : `${cost.amount.toFixed(2)} ${currency} in ${cost.region} (${cost.source})`;
}

function pasted(deployment: Deployment, rows: readonly VolumeCapacity[]): string[] {
    const sizes = rows.map(({ volume, neededGiB }) =>
        toPaste(deployment, volume.source, "size", `${String(neededGiB)}Gi`),
    );
    const text = writeYaml(mergeValues(...sizes)).trimEnd();
    return text.split("\n").map((line) => `    ${line}`);
}

function table(rows: readonly (readonly string[])[]): string[] {
    const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
    return rows.map((row) => `    ${row.map((cell, column) => cell.padEnd(width(column) + 2)).join("")}`.trimEnd());
}

if (require.main === module) {
    run(() => {
        const { rate = [], prices, region, ...choice } = parseOptions(usage, options);
        const { deployment, rates } = deploymentWithRates(readStackFile(choice), rate);
        console.log(sizeText(deployment, rates, readPrices(prices), region));
    });
}
