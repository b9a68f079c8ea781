import { acknowledgement, refused, verdictOf, type Plan } from ".";
import { nounOf } from "../../charts";
import { regionsText } from "../../charts/multiCluster";
import type { Consequence } from "./consequence";
import { compact } from "../../lib/compact";
import { brief } from "../../settings/problems";
import type { Deployment } from "../../routes/deployment";
import { contentOf } from "../../routes/volumes";
import { writeYaml } from "../../lib/yaml/write";
import { leftoversOf } from "./leftovers";
import { unsentOnTheWay, type SignalChange } from "./moves";
import type { VolumeChange } from "./volumes";
import { fenced, paragraphs, plain, section } from "../../lib/markdown";

const verdicts = {
    safe: "Nothing that is stored is lost.",
    loses: "Stored data is lost, or can no longer be reached.",
    impossible: "This cannot be done as it stands.",
} as const;

const titles = { impossible: "Cannot be done", loses: "Loses stored data", notice: "Worth knowing" } as const;

/** A plan as Markdown that reads well as plain text: the verdict, what is dangerous, and then what happens to everything. */
export function planText(plan: Plan): string {
    return paragraphs([effectText(plan), upgradeText(plan)]);
}

/** What KOF itself changes between two versions; nothing for the same version. */
export function upgradeText(plan: Plan): string {
    return section("What KOF changes between the two", upgradeLines(plan));
}

/** A plan without {@link upgradeText}, which is long. */
export function effectText(plan: Plan): string {
    const { from, to, volumes, regions, logGroups, archives, credentials, steps } = plan;
    const settings = [from.settings, to.settings] as const;
    return paragraphs([
        `# ${fromTo(...settings.map(({ route }) => route))}, KOF ${fromTo(...settings.map(({ version }) => version))}`,
        verdicts[verdictOf(plan)],
        ...Object.entries(titles).map(([severity, title]) => {
            const found = plan.consequences.filter((consequence) => consequence.severity === severity);
            return section(title, found.map(consequenceText));
        }),
        section("To permit it", permitLines(plan)),
        section(
            "By hand",
            steps.map((step, i) => `${String(i + 1)}. ${step}`),
        ),
        section("Signals", plan.signals.map(signalText)),
        twoStepsText(plan),
        section("Collectors", restartText(plan.restarts)),
        section("Volumes on this cluster", volumes.map(volumeText)),
        section(
            "Volumes on each regional cluster",
            regions.some(({ operation, sizeBefore }) => operation !== "kept" || sizeBefore !== undefined)
                ? regions.map(volumeText)
                : [],
        ),
        section("Log groups", [
            ...logGroups.map(({ name, region, operation, retentionDays }) => {
                const fate = operation === "left" ? "no longer written to, kept in AWS with its logs" : operation;
                return `- ${name} in ${region}: ${fate}, ${String(retentionDays)} days`;
            }),
            ...unnamedText(from, to),
        ]),
        section(
            "Archives",
            archives.map(({ place, operation, archive: { kind, signals, regional } }) => {
                const fate = operation === "left" ? "no longer written to, kept with what is in it" : operation;
                const own = signals.map(nounOf).join(", ");
                const there = regional ? `of ${regionsText(regional.regions)}` : "";
                const what = own === "" ? `${there} alone` : [own, there].filter((text) => text !== "").join(", and ");
                return `- kof:${kind} (${what}) in ${place}: ${fate}`;
            }),
        ),
        section(
            "Credentials",
            credentials.map(({ operation, what }) => `- ${what}: ${operation}`),
        ),
        section("Alert rules", plan.alerts.map(alertText)),
        section(
            "Left behind, and how to remove it",
            leftoversOf(plan).map(({ what, remove }) => `- ${what}: ${remove}`),
        ),
    ]);
}

function signalText({ signal, from, to, operation, unsent, rerouted, overlap, gap }: SignalChange): string {
    const isMissed = operation !== "unchanged" || !(gap === "none" || gap.startsWith("as before"));
    const where = operation === "unchanged" ? `unchanged, ${to}` : `${operation}. ${from} -> ${to}`;
    return [
        `- ${signal}: ${where}${isMissed ? `. Missed: ${gap}` : ""}`,
        ...(overlap === "" ? [] : [`  ${overlap}`]),
        ...unsent
            .filter((place) => !rerouted.some((each) => each.from === place || each.from.startsWith(`${place}: `)))
            .map((place) => `  What still waits on the nodes for ${place} does not reach it`),
        ...rerouted.map((each) => `  What still waits on the nodes for ${each.from} goes to ${each.to} instead`),
    ].join("\n");
}

/** The lines of each deployment, to paste. */
function twoStepsText(plan: Plan): string {
    const [both, alone] = plan.twoSteps;
    if (!both || !alone) {
        return "";
    }
    const unsent = unsentOnTheWay(plan);
    const isWhole = unsent.length === 0;
    return section(`In two steps, without a gap${isWhole ? "" : " in what comes in"}`, [
        "1. Both places get what moves, with these lines in the stack file instead of those that it has" +
            (isWhole
                ? ":"
                : `. Deploy them while nothing waits on the nodes: it would not reach ${unsent.join(", ")}:`),
        "",
        ...codeBlock(both),
        "",
        "2. Once the new place has everything that it should, the new one alone:",
        "",
        ...codeBlock(alone),
    ]);
}

function restartText(restarts: Plan["restarts"]): string {
    return restarts.length === 0
        ? ""
        : `- restart, one pod after the other: ${restarts.join(", ")}. Files are read on from where a collector stopped; a scrape, events, ` +
              "or what is sent to it over OTLP, may fall into its restart";
}

/** What a comparison of settings cannot know of log groups. */
function unnamedText(...both: readonly Deployment[]): string[] {
    return compact(
        both.some(({ cloudwatch, settings }) => cloudwatch && settings.cloudwatch?.logGroup === undefined) &&
            "- a stack that was deployed before keeps the log group that it has had, where its stack file names none",
    );
}

function alertText({ alert, operation, when, lines }: Plan["alerts"][number]): string {
    return [
        `- ${alert}: ${operation}${operation === "removed" ? ", so nobody is notified when" : ". It fires when"} ${when}`,
        ...lines.from.map((line) => `  - was: ${lineOfRule(line)}`),
        ...lines.to.map((line) => `  - now: ${lineOfRule(line)}`),
    ].join("\n");
}

/** A line of a rule: an expression as it is, and words that have code of their own without it. */
function lineOfRule(line: string): string {
    return line.includes("`") ? plain(line) : `\`${line}\``;
}

function volumeText({ workload, operation, count, volume, sizeBefore, reclaimPolicy }: VolumeChange): string {
    const size = sizeBefore === undefined ? volume.size : `${sizeBefore} -> ${volume.size}`;
    const goes = operation === "orphaned" || operation === "deleted";
    const reclaim =
        reclaimPolicy ?? `as its class says${goes ? " (with Delete what is stored goes with its claim)" : ""}`;
    return `- ${workload}: ${operation}, ${String(count)} x ${size}, ${contentOf(volume)}, reclaim policy ${reclaim}`;
}

function fromTo(...[was = "", is = ""]: string[]): string {
    return was === is ? is : `${was} -> ${is}`;
}

function consequenceText({ key, message, way, paste }: Consequence): string {
    return [
        `- ${key} ${message}.`,
        ...(way === undefined ? [] : [`  Instead: ${way}.`]),
        ...(paste === undefined ? [] : ["", ...codeBlock(paste)]),
    ].join("\n");
}

/** The changes of the charts, where the stack may have relied on what was there before. */
function upgradeLines({ upgrade }: Plan): string[] {
    const { added = [], dropped = [], renamed = [], changed = [] } = upgrade ?? {};
    const kinds = { component: "a component", volume: "a volume", collectorField: "a field of collectors" };
    const noun = (path: string) =>
        Object.entries(kinds).find(([kind]) => path.startsWith(`${kind}.`))?.[1] ?? "a value";
    return [
        ...dropped.map((path) => `- dropped, ${noun(path)}: ${path}`),
        ...renamed.map(({ from, to }) => `- renamed: ${from} -> ${to}`),
        ...changed.map(({ path, from, to }) => `- default of ${path}: ${brief(from)} -> ${brief(to)}`),
        ...added.map((path) => `- new, ${noun(path)}: ${path}`),
    ];
}

function permitLines(plan: Plan): string[] {
    const reasons = refused(plan);
    return reasons.length > 0 && reasons.every(({ acknowledge }) => acknowledge !== undefined)
        ? codeBlock({ "kof:acknowledge": acknowledgement(plan) })
        : [];
}

function codeBlock(value: unknown): string[] {
    return fenced("yaml", writeYaml(value).trimEnd())
        .split("\n")
        .map((line) => `  ${line}`);
}
