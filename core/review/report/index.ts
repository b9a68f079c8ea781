import { code, harmless, paragraphs, plain, table } from "../../lib/markdown";
import { shellWord } from "../../lib/shell";
import { fates, weights, type Fate, type Part, type StackReport } from "./stack";

/** GitHub refuses comments of more than 65,536 characters. */
export const maxLength = 60_000;

const fateTexts: Readonly<Record<Fate, string>> = {
    permittedLoss: "**loses stored data** (permitted by `kof:acknowledge`)",
    loss: "**loses stored data** (refused until acknowledged)",
    impossible: "**cannot be done** (refused)",
    wrong: "**the stack file is wrong**",
    gone: "**no longer looked after**",
    program: "changed by the program",
    safe: "nothing that is stored is lost",
    new: "new",
    nothing: "nothing changes",
};

/**
 * One report of all stacks that change, as Markdown: an overview, and then each stack, the most dangerous first. What there is
 * no room for is left out, the configuration of collectors first and then values, and the report says so. Never left out is
 * what happens to the stacks.
 *
 * @param stacks those that change.
 * @param about.base the revision that they are compared with.
 * @param about.total how many stacks there are.
 * @param limit length in characters that is not exceeded.
 */
export function report(
    stacks: readonly StackReport[],
    { base, total }: { readonly base: string; readonly total: number },
    limit = maxLength,
): string {
    const title = `# Changes of stacks since ${inline(base)}`;
    if (stacks.length === 0) {
        return `${title}\n\nNone of ${String(total)} stacks changes.\n`;
    }
    const sorted = [...stacks].sort(byDanger);
    const count = `${String(stacks.length)} of ${String(total)} stacks ${stacks.length === 1 ? "changes" : "change"}.`;
    const head = paragraphs([title, count, overview(sorted, limit - reserve)]);
    const blocks = sorted.map((stack) => ({ stack, shown: new Set<Part>() }));
    let room = limit - head.length - reserve;
    for (const weight of weights) {
        for (const block of blocks) {
            for (const part of block.stack.parts.filter((each) => each.weight === weight)) {
                if (part.text.length > room) {
                    continue;
                }
                const before = blockText(block.stack, block.shown, base).length;
                block.shown.add(part);
                const growth = blockText(block.stack, block.shown, base).length - before + 2;
                if (growth > room) {
                    block.shown.delete(part);
                } else {
                    room -= growth;
                }
            }
        }
    }
    const bare = blocks.filter(({ shown }) => shown.size === 0).length;
    return `${paragraphs([
        head,
        ...blocks.map(({ stack, shown }) => blockText(stack, shown, base)),
        bare > 0
            ? `No details of ${String(bare)} ${bare === 1 ? "stack" : "stacks"} above, for length. ${hint(base)}`
            : "",
    ])}\n`;
}

/** Characters reserved for the text around the overview and the stacks. */
const reserve = 1000;

/** Sorts the most dangerous first, and among equals the stacks before the examples. */
export function byDanger(a: StackReport, b: StackReport): number {
    const key = ({ fate, stack }: StackReport) =>
        `${String.fromCharCode(97 + fates.indexOf(fate))} ${stack.includes("/") ? "1" : "0"} ${stack}`;
    return key(a) < key(b) ? -1 : 1;
}

/** A row for each stack; where there is no room for all, how many there are of the rest. */
function overview(sorted: readonly StackReport[], room: number): string {
    const rows = sorted.map(({ stack, fate, brief }) => [
        inline(stack),
        fateTexts[fate],
        harmless(plain(shortened(brief))),
    ]);
    let fitting = 0;
    for (let length = 0; fitting < rows.length; fitting++) {
        length += (rows[fitting] ?? []).join(" | ").length + 5;
        if (length > room) {
            break;
        }
    }
    const rest = sorted.slice(fitting);
    const counts = fates.flatMap((fate) => {
        const count = rest.filter((each) => each.fate === fate).length;
        return count === 0 ? [] : [`${String(count)} more: ${fateTexts[fate]}.`];
    });
    return paragraphs([table(["stack", "", "what changes"], rows.slice(0, fitting)), counts.join(" ")]);
}

function shortened(text: string): string {
    return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

/** What is shown of a stack, and what is not; nothing where nothing is shown. */
function blockText(
    { stack, file, fate, parts, omitted = [] }: StackReport,
    shown: ReadonlySet<Part>,
    base: string,
): string {
    if (shown.size === 0) {
        return "";
    }
    const missing = [...parts.filter((part) => !shown.has(part)).map(({ name }) => name), ...omitted];
    return paragraphs([
        `## ${inline(stack)}: ${fateTexts[fate].replaceAll("**", "")}`,
        ...parts.filter((part) => shown.has(part)).map(({ text }) => text),
        missing.length > 0 ? `Left out for length: ${missing.join(", ")}. ${hint(base, { stack, file })}` : "",
    ]);
}

/** How to see what is left out. */
function hint(base: string, { stack = "", file = "FILE" } = {}): string {
    const rendered = ["rendered", stack].filter((part) => part !== "").join("/");
    const plan = ["npm run plan -- --config", shellWord(file), "--base", shellWord(base)].join(" ");
    const compare = ["git diff", shellWord(base), "--", shellWord(rendered)].join(" ");
    return `To see it: ${inline(plan)}, ${inline(compare)}`;
}

/** A name as it is, whatever it is. */
function inline(text: string): string {
    return harmless(code(text));
}
