import { parseAllDocuments } from "yaml";

import { estimateOf } from "../capacity/estimate";
import type { Prices } from "../capacity/priceFile";
import { textOf, valueAt, isMap, type HelmValue } from "../../lib/values";
import { planOf, refused, verdictOf, type Plan } from "../plan";
import { effectText, upgradeText } from "../plan/text";
import type { Deployment } from "../../routes/deployment";
import { costTable } from "../summary/capacity";
import { changeDiagram, diagram } from "../summary/diagram";
import { differences, type Difference } from "../../lib/differences";
import { fenced, harmless, htmlCode, plain } from "../../lib/markdown";
import { storageText } from "./storage";

/** A stack at one revision. */
export interface Snapshot {
    /** What its stack file resolves to; or what is wrong with it, as text. */
    readonly deployment: Deployment | string;
    /** The provider's region that the cluster is in, where that is known. */
    readonly region?: string | undefined;
    /** What `render` writes for it, by path; nothing where the stack file is wrong. */
    readonly files: Readonly<Record<string, string>>;
}

/** A stack at two revisions. */
export interface StackChange {
    /** As its folder in rendered/ is called: `prod`, `examples/none`. */
    readonly stack: string;
    /** Its stack file. */
    readonly file: string;
    /** `undefined` for a new stack. */
    readonly before: Snapshot | undefined;
    /** `undefined` for a stack whose file is gone. */
    readonly after: Snapshot | undefined;
}

/** What happens to a stack, the most dangerous first. */
export const fates = [
    "permittedLoss",
    "loss",
    "impossible",
    "wrong",
    "gone",
    "program",
    "safe",
    "new",
    "nothing",
] as const;
export type Fate = (typeof fates)[number];

/** How much a part matters: those that matter least are left out first. */
export const weights = ["effect", "settings", "storage", "diagram", "upgrade", "values", "collectors"] as const;

/** A part of the report on a stack. */
export interface Part {
    readonly weight: (typeof weights)[number];
    /** What to call it when it is left out. */
    readonly name: string;
    readonly text: string;
}

/** The report on a stack. */
export interface StackReport {
    readonly stack: string;
    readonly file: string;
    readonly fate: Fate;
    /** What changes, in a line. */
    readonly brief: string;
    /** In the order in which they are read. */
    readonly parts: readonly Part[];
    /** The names of further parts, which were not computed. */
    readonly omitted?: readonly string[];
}

/**
 * What a reviewer should know of a stack that changes: what it does to running data, what was set, storage and cost. What
 * differs in its files takes longer to tell: {@link renderedParts}.
 */
export function reportStack(change: StackChange, prices: Prices): StackReport {
    const { stack, file, before, after } = change;
    const about = { stack, file };
    if (after === undefined) {
        return { ...about, fate: "gone", brief: "the stack file is removed", parts: [effect(goneText)] };
    }
    if (typeof after.deployment === "string") {
        const text = `The stack file is wrong, so that nothing else is known of the stack:\n\n${fenced("text", after.deployment)}`;
        return { ...about, fate: "wrong", brief: "nothing can be deployed", parts: [effect(text)] };
    }
    if (before === undefined || typeof before.deployment === "string") {
        const problem = before?.deployment;
        const text =
            typeof problem === "string" ? `It was wrong before:\n\n${fenced("text", problem)}` : "A new stack.";
        return {
            ...about,
            fate: "new",
            brief: `route ${after.deployment.settings.route}, KOF ${after.deployment.settings.version}`,
            parts: [effect(text), ...newParts(after.deployment, after, prices)],
        };
    }
    const plan = planOf(before.deployment, after.deployment);
    const [was, is] = [
        estimateOf(before.deployment, prices, before.region),
        estimateOf(after.deployment, prices, after.region),
    ];
    const settings = differences(before.deployment.settings, after.deployment.settings);
    const isSame = settings.length === 0;
    const fate = fateOf(
        plan,
        isSame,
        yamlFiles(before, after).some((file) => before.files[file] !== after.files[file]),
    );
    return {
        ...about,
        fate,
        brief:
            fate === "program"
                ? "the program renders it differently"
                : briefOf(
                      plan,
                      settings.map(({ path }) => path),
                  ),
        parts: [
            ...(isSame
                ? [effect(fate === "program" ? programText : nothingText)]
                : [effect(demoted(effectText(plan)))]),
            part("settings", "settings", isSame ? "" : `### Settings\n\n${diffBlock(settings)}`),
            part("diagram", "the diagram", diagramText(plan)),
            part("storage", "storage and cost", isSame ? "" : harmless(storageText(plan, was, is))),
            part(
                "upgrade",
                "what KOF changes",
                folded("What KOF changes between the two", harmless(upgradeText(plan))),
            ),
        ].filter(({ text }) => text !== ""),
    };
}

/** What there is to know of a stack that is compared with nothing: its summary, which has costs only where there are rates. */
function newParts(deployment: Deployment, { region, files }: Snapshot, prices: Prices): Part[] {
    const { "summary.md": summary = "" } = files;
    const cost = deployment.settings.rates === undefined ? costTable(estimateOf(deployment, prices, region)) : "";
    return [
        part("storage", "summary.md", harmless(demoted(summary.replace(/^# .*\n+/, "").trimEnd()))),
        part("storage", "the cost", cost === "" ? "" : harmless(`### Cost\n\n${cost}`)),
    ].filter(({ text }) => text !== "");
}

const goneText =
    "The stack file is removed. What the stack deployed stays as it is, unmanaged, until it is destroyed with its former stack file " +
    "(docs/destroying.md).";
const programText =
    "The stack file asks for the same, but the program, or what it knows of KOF, has changed. The lines below are all that changes for this stack: judge " +
    "from them whether that is harmless.";
const nothingText = "The settings are the same: nothing that is deployed changes.";

function fateOf(plan: Plan, isSame: boolean, rendersOther: boolean): Fate {
    if (isSame) {
        return rendersOther ? "program" : "nothing";
    }
    const verdict = verdictOf(plan);
    if (verdict === "safe") {
        return "safe";
    }
    return verdict === "impossible" ? "impossible" : refused(plan).length > 0 ? "loss" : "permittedLoss";
}

function briefOf({ from, to, steps }: Plan, paths: readonly string[]): string {
    const moved = (["route", "version"] as const).filter((key) => from.settings[key] !== to.settings[key]);
    const about = moved.map((key) => `${key} ${from.settings[key]} -> ${to.settings[key]}`);
    const keys = paths.filter((path) => !moved.some((key) => key === path)).slice(0, 3);
    const rest = paths.length - moved.length - keys.length;
    const byHand = steps.length > 0 ? [`with ${String(steps.length)} steps by hand`] : [];
    return [...about, ...keys, ...(rest > 0 ? [`${String(rest)} more`] : []), ...byHand].join(", ");
}

function part(weight: Part["weight"], name: string, text: string): Part {
    return { weight, name: harmless(plain(name)), text };
}

function effect(text: string): Part {
    return part("effect", "the plan", harmless(text));
}

/** A plan's text below a heading of its own. */
function demoted(text: string): string {
    return text.replace(/^# (.*)$/m, "**$1**").replaceAll(/^## /gm, "### ");
}

function folded(title: string, text: string): string {
    return text === ""
        ? ""
        : ["<details>", `<summary>${title}</summary>`, "", text.replace(/^## .*\n\n/, ""), "", "</details>"].join("\n");
}

function diagramText({ from, to }: Plan): string {
    const text = fenced("mermaid", changeDiagram(from, to));
    return diagram(from) === diagram(to) ? "" : `### Where signals go\n\n${text}`;
}

function yamlFiles(before: Snapshot, after: Snapshot): string[] {
    const files = [...new Set([...Object.keys(before.files), ...Object.keys(after.files)])];
    return files.filter((file) => file.endsWith(".yaml"));
}

/**
 * Every value that differs in what is rendered, down to the collectors' configuration; nothing of a stack that is compared with
 * nothing. Files that differ in the same way, as collectors do, are reported together.
 */
export function renderedParts({ before, after }: StackChange): Part[] {
    if (before === undefined || after === undefined || typeof before.deployment === "string") {
        return [];
    }
    const byText = new Map<string, string[]>();
    for (const file of order(yamlFiles(before, after))) {
        const text = changeText(before.files[file], after.files[file]);
        byText.set(text, [...(byText.get(text) ?? []), file]);
    }
    return [...byText]
        .filter(([text]) => text !== "")
        .map(([text, same]) => {
            const names = same.map(htmlCode).join(", ");
            const weight = same.every((file) => file.startsWith("collectors/")) ? "collectors" : "values";
            return part(weight, same.join(", "), text.includes("\n") ? folded(names, text) : `${names}: ${text}`);
        });
}

/** How a file differs; nothing where it says the same. */
function changeText(before: string | undefined, after: string | undefined): string {
    if (before === undefined || after === undefined) {
        return before === undefined ? "new" : "no longer there";
    }
    const found = before === after ? [] : differences(documents(before), documents(after));
    return found.length === 0 ? "" : diffBlock(found);
}

/** Differences as a block of Markdown: the lines of a unified diff, without what is the same. */
function diffBlock(found: readonly Difference[]): string {
    const line = (sign: string, path: string, value: string | undefined) =>
        value === undefined ? [] : [`${sign} ${path === "" ? "" : `${path}: `}${value}`];
    const lines = found.flatMap(({ path, before, after }) => [...line("-", path, before), ...line("+", path, after)]);
    return fenced("diff", lines.join("\n"));
}

function order(files: readonly string[]): string[] {
    const rank = (file: string) => ["kof-values.yaml", "kubernetes.yaml", "aws.yaml"].indexOf(file) >>> 0;
    return [...files].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** The documents of a rendered file; where there are several, or a list of resources, by what each of them is. */
function documents(text: string): unknown {
    const all = parseAllDocuments(text).map((document) => document.toJS() as HelmValue);
    const items = all.length === 1 && Array.isArray(all[0]) ? all[0] : all;
    const isOne = all.length === 1 && isMap(all[0]) && all[0].kind === undefined;
    return isOne ? all[0] : Object.fromEntries(items.map((item, i) => [nameOf(item, i), item]));
}

function nameOf(item: HelmValue, position: number): string {
    const kind = valueAt(item, ["kind"]) ?? valueAt(item, ["type"]);
    const name = valueAt(item, ["metadata", "name"]) ?? valueAt(item, ["name"]);
    return kind === undefined ? String(position) : `${textOf(kind)} ${textOf(name)}`;
}
