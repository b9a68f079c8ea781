import { styleText } from "node:util";

import {
    bufferCapacity,
    notOnDisk,
    queueSpace,
    storesHere,
    type BufferCapacity,
    type VolumeCapacity,
} from "../core/review/capacity";
import { noRate, regionIn, type Cost } from "../core/review/capacity/costs";
import { estimateOf } from "../core/review/capacity/estimate";
import { readPrices, type Prices } from "../core/review/capacity/priceFile";
import { isMap, mergeValues, nest, type HelmValues } from "../core/lib/values";
import { UserError } from "../core/lib/errors";
import { shortName, type Collector } from "../core/collectors/effective";
import { deploymentOf } from "../core/routes";
import type { Deployment } from "../core/routes/deployment";
import { bufferOf } from "../core/routes/collectors";
import { toPaste } from "../core/routes/stored";
import { contentOf } from "../core/routes/volumes";
import { parseSettings, rawSettings } from "../core/routes/parse";
import type { Rates, Settings } from "../core/settings/settings";
import { costScope, costText, spaceCells, totalText } from "../core/review/summary/capacity";
import { writeYaml } from "../core/lib/yaml/write";
import { parseOptions, run } from "./command";
import { readStackFile, stackFileOptions, type StackFile } from "./stackFile";
import { gib } from "../core/lib/quantities";

const usage = `Usage: npm run size -- --stack NAME
       npm run size -- --config FILE
            [--rate KEY=VALUE]...    over kof:rates of the stack file: --rate logs.linesPerSecond=500
            [--prices FILE]          instead of core/review/capacity/prices.json
            [--region REGION]        where the volumes are. Default: aws:region, or the region of kof:cloudwatch

Says how much space telemetry needs at the rates of kof:rates, when the volumes are full, and what they cost.
Required: rates, in the stack file or by --rate. Without --stack and --config it is the stack dev.`;

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
export function deploymentWithRates({ file, config, secretKeys }: StackFile, changed: readonly string[]): Deployment {
    const raw = rawSettings(config, (key) => secretKeys.includes(key));
    // A stack file may contain anything. Parsing reports what is wrong with it.
    const rates = mergeValues(isMap(raw.rates) ? raw.rates : {}, ...changed.map(rateOf));
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
    return deploymentOf(settings);
}

function rateOf(text: string): HelmValues {
    const [key = "", value = ""] = text.split("=", 2);
    return nest(key.split("."), /^\d/.test(value) && !Number.isNaN(Number(value)) ? Number(value) : value);
}

/**
 * Human-readable: what the volumes need, when they are full, and what it costs.
 *
 * @param region the provider's region that the cluster is in. Default: that of the route's settings.
 */
export function sizeText(deployment: Deployment, prices: Prices, region?: string): string {
    const { route, version, rates = {} } = deployment.settings;
    const estimate = estimateOf(deployment, prices, region);
    const { space, remarks, costs, comparisons } = estimate;
    const of = (verdict: VolumeCapacity["verdict"]) => space.filter((each) => each.verdict === verdict);
    return [
        styleText("bold", `Volumes on this cluster, route ${route}, KOF ${version}`),
        ...columns([["", "a day", "kept", "needed", "configured", "full"], ...space.map(cells)]),
        "",
        ...(storesHere(deployment)
            ? [
                  "Needed and configured are the size of each volume; needed includes 20 % headroom, and the copies of metrics.",
              ]
            : [
                  deployment.targets
                      ? "Nothing of this cluster's own is stored on these volumes."
                      : `Route ${route} stores nothing of this cluster's own on these volumes.`,
              ]),
        ...remarks,
        ...bufferLines(deployment, rates),
        ...suggestedSizes(deployment, "Too small. Make them larger (docs/storage.md says how):", of("full")),
        ...suggestedSizes(
            deployment,
            "Large enough, but with less than the 20 % free that merges need. To make them larger:",
            of("tight"),
        ),
        "",
        styleText("bold", `A month, at the list prices of ${prices.date}`),
        ...columns([
            ...costs.map((cost) => [cost.what, costCell(cost, prices)]),
            ...(costs.length === 1 ? [] : [["total", costs.length === 0 ? "nothing" : totalText(estimate)]]),
        ]),
        "",
        ...comparisons,
        `Only ${costScope}.`,
    ].join("\n");
}

/** Volumes that are better made larger, and what to paste for that. */
function suggestedSizes(deployment: Deployment, title: string, rows: readonly VolumeCapacity[]): string[] {
    if (rows.length === 0) {
        return [];
    }
    const sizes = rows.map(({ volume, neededGiB }) =>
        toPaste(deployment, volume.source, "size", `${String(neededGiB)}Gi`),
    );
    const lines = writeYaml(mergeValues(...sizes))
        .trimEnd()
        .split("\n");
    return ["", styleText("yellow", title), ...lines.map((line) => `    ${line}`)];
}

/** What is held back in an outage of each destination, against what one exporter of a collector may keep on its node. */
function bufferLines(deployment: Deployment, rates: Rates): string[] {
    const rows = bufferCapacity(deployment, rates);
    return [
        ...(deployment.targets ? linesOfEach(deployment, rows) : linesOfOne(deployment, rows)),
        ...diskLines(deployment),
    ];
}

const enoughIfSpread = "enough only if the load is spread over nodes";

function isTight({ heldGiB = 0, limitGiB = Infinity }: BufferCapacity): boolean {
    return heldGiB > limitGiB;
}

function heldText({ signal, heldGiB }: BufferCapacity, { rates = {} }: Settings): string {
    return heldGiB === undefined
        ? `unknown${rates[signal] === undefined ? `: ${noRate(signal)}` : ""}`
        : `${heldGiB.toFixed(2)} GiB`;
}

/** The buffers of the one destination that a route has. */
function linesOfOne({ settings }: Deployment, rows: readonly BufferCapacity[]): string[] {
    const { duration, bytes } = bufferOf(settings);
    return rows.length === 0
        ? []
        : [
              "",
              styleText("bold", `Held back while the destination is away for ${duration}, of all nodes together`),
              ...columns(rows.map((row) => [row.signal, heldText(row, settings)])),
              `Each exporter of a collector keeps at most ${(bytes / gib).toFixed(2)} GiB on its node (kof:buffer.size)${rows.some(isTight) ? `: ${enoughIfSpread}` : ""}.`,
          ];
}

/** The buffers of several destinations, of which each has its own. */
function linesOfEach(deployment: Deployment, rows: readonly BufferCapacity[]): string[] {
    const { settings } = deployment;
    const lost = notOnDisk(deployment);
    const gibOf = (amount: number | undefined) => (amount === undefined ? "KOF's default" : `${amount.toFixed(2)} GiB`);
    return rows.length === 0
        ? []
        : [
              "",
              styleText("bold", "Held back while a destination is away, of all nodes together"),
              ...columns([
                  ["destination", "signal", "away for", "held back", "each exporter keeps on its node"],
                  ...rows.map((row) => [
                      row.destination,
                      row.signal,
                      row.duration ?? "KOF's default",
                      heldText(row, settings),
                      `${gibOf(row.limitGiB)}${isTight(row) ? `: ${enoughIfSpread}` : ""}`,
                  ]),
              ]),
              ...(lost.length > 0 ? [`Not kept on disk: ${lost.join(", ")}.`] : []),
          ];
}

/** What the queues take of a node's disk when they are full. */
function diskLines(deployment: Deployment): string[] {
    const all = queueSpace(deployment);
    const full = all.filter(({ giB }) => giB > 0);
    const sum = full.reduce((total, { giB }) => total + giB, 0);
    const uncounted = [...new Set(all.flatMap((each) => each.uncounted))];
    const where = ({ mode }: Collector) => (mode === "daemonset" ? "" : " on one of the nodes");
    const parts = full.map(({ collector, giB }) => `${shortName(collector)} ${giB.toFixed(2)} GiB${where(collector)}`);
    return full.length === 0
        ? []
        : [
              `The queues on a node hold up to ${sum.toFixed(2)} GiB: ${parts.join(", ")}.`,
              `Plan for twice that on its disk, ${(2 * sum).toFixed(2)} GiB: their databases do not shrink (docs/destinations.md).`,
              ...(uncounted.length > 0
                  ? [`Not counted: ${uncounted.join(", ")}, whose queues have no limit in bytes.`]
                  : []),
          ];
}

function cells(capacity: VolumeCapacity): string[] {
    const { volume, verdict } = capacity;
    const { workload, count, size } = volume;
    const configured = `${String(count)} x ${size}`;
    const { perDay, kept, needed, full } = spaceCells(capacity, " GiB");
    switch (verdict) {
        case "cache":
            return [workload, "", contentOf(volume), "", configured, ""];
        case "unknown":
            return [workload, perDay, kept, needed, configured, full];
        default:
            return [workload, perDay, kept, `${String(count)} x ${needed}`, configured, full];
    }
}

function costCell(cost: Cost, prices: Prices): string {
    return costText(cost, prices) + ("unknown" in cost ? "" : ` (${cost.source}, ${cost.date})`);
}

function columns(rows: readonly (readonly string[])[]): string[] {
    const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
    return rows.map((row) => `    ${row.map((cell, column) => cell.padEnd(width(column) + 2)).join("")}`.trimEnd());
}

if (require.main === module) {
    run(() => {
        const { rate = [], prices, region, ...choice } = parseOptions(usage, options);
        const file = readStackFile(choice);
        console.log(sizeText(deploymentWithRates(file, rate), readPrices(prices), region ?? regionIn(file.config)));
    });
}
