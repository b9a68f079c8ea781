import { percentFull } from "../capacity";
import type { Estimate } from "../capacity/estimate";

/** Months that the chart shows. */
const months = 12;

/** Values of a line for each month. */
const perMonth = 2;

const daysPerMonth = 365 / 12;

/** Colours that differ clearly on white and on black. Those of Mermaid's themes do not. */
const looks = {
    themeVariables: { xyChart: { plotColorPalette: "#1f77ff, #d9730d, #1a9850, #b05cff, #c8a000, #e0457b" } },
    xyChart: { width: 800, height: 320, titleFontSize: 16 },
};

/** How full the volumes of one workload are over the next months. */
interface Filling {
    readonly workload: string;
    /** In percent, from empty, twice a month. */
    readonly percent: readonly number[];
}

/** How the volumes fill, the fullest first: those whose rates are known, and to which something is added. */
export function fillings({ space }: Pick<Estimate, "space">): Filling[] {
    return space
        .filter(({ verdict, perDayGiB }) => !["cache", "unknown"].includes(verdict) && perDayGiB > 0)
        .map((capacity) => ({
            workload: capacity.volume.workload,
            percent: Array.from({ length: months * perMonth + 1 }, (_, i) => {
                const percent = percentFull(capacity, (i / perMonth) * daysPerMonth);
                return Math.round(percent * 10) / 10;
            }),
        }))
        .sort((a, b) => last(b) - last(a));
}

function last({ percent }: Filling): number {
    return percent.at(-1) ?? 0;
}

/**
 * A chart of all volumes, whose upper edge is a full volume, for Mermaid from 10.6 on (tried with 10.9, 11.4, 11.12 and 11.17,
 * 2026-11-27). Empty without volumes. Only newer ones draw a legend, and GitHub's version is not known: {@link fillText} says the same in
 * words.
 */
export function fillChart(found: readonly Filling[]): string {
    return found.length === 0
        ? ""
        : [
              `%%{init: ${JSON.stringify(looks)}}%%`,
              "xychart-beta",
              '    title "How full the volumes are"',
              `    x-axis "months from empty" 0 --> ${String(months)}`,
              '    y-axis "percent full" 0 --> 100',
              ...found.map(({ workload, percent }) => `    line "${workload}" [${percent.join(", ")}]`),
          ].join("\n");
}

/** Which line of the chart is which. */
export function fillText(found: readonly Filling[]): string {
    const ends = found.map((each) => `${each.workload} ${last(each) === 100 ? "full" : `${last(each).toFixed(0)} %`}`);
    return ends.length === 0
        ? ""
        : `Volumes that start empty fill until as much is deleted as is added. At the right end, from the top: ${ends.join(", ")}.`;
}
