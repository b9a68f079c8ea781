import { isAlias, isNode, isScalar, parseAllDocuments, visit, type Document } from "yaml";

import { isMap, leaves, type HelmValues } from "../lib/values";
import { UserError } from "../lib/errors";
import { asHelm, yamlFault } from "../lib/yaml/read";
import { valuesAmong, type Original } from "./documents";

/**
 * Reads a values file that was written by hand or copied from KOF's pages. What such copies get wrong is corrected where
 * there is only one thing that it can have meant.
 *
 * @param isRead whether the charts read all of these values. It settles whether lost indentation was restored.
 * @throws UserError that says what is wrong, and where, when the text cannot be read.
 */
export function readOriginal(text: string, source: string, isRead: (values: HelmValues) => boolean): Original {
    const corrections: string[] = [];
    const lines = text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
    const [title, of] = helmTitle.exec(lines) ?? [];
    const plain = dedent(unescape(content(lines.replace(helmTitle, ""), corrections), corrections));
    const fragment = plain.split("\n").findIndex((line) => line.trim() === "...");
    if (fragment >= 0) {
        throw new UserError(
            `${source} is a part of a values file: "..." in line ${String(fragment + 1)} stands for lines that were left out. ` +
                "Insert the part into the file that it belongs to, and adopt that.",
        );
    }
    const found = parse(plain);
    // What Helm prints for a release that was installed without values.
    if ((title !== undefined || plain.trim() === "null") && found.documents?.every((each) => each === null)) {
        return { values: {}, isUmbrella: true, corrections };
    }
    const original = found.documents && valuesAmong(found.documents, source);
    const restored =
        original && (original.isUmbrella === true || !hasEmptyKeys(original.values))
            ? undefined
            : parse(restoreIndentation(plain)).documents?.[0];
    if (isMap(restored) && !hasEmptyKeys(restored) && isRead(restored)) {
        const reason =
            found.error === undefined ? "maps are empty that have content" : `it is not YAML: ${found.error}`;
        return {
            values: restored,
            corrections: [
                ...corrections,
                `The indentation was lost, as on KOF's page for management to region (${reason}). It is restored, so that ` +
                    "the charts read each line.",
            ],
        };
    }
    if (!original) {
        throw new UserError(`${source} is not YAML, and Helm would refuse it: ${found.error ?? ""}.`);
    }
    return {
        ...original,
        ...(of === "COMPUTED" ? { hasDefaults: true } : {}),
        corrections: [...corrections, ...found.corrections, ...original.corrections],
    };
}

/** What `helm get values` prints before the values; with `--all` they are those of the chart as well. */
const helmTitle = /^(USER-SUPPLIED|COMPUTED) VALUES:[ \t]*$/m;

const heredoc = /^\s*cat\b.*<<-?\s*(["']?)(\w+)\1/;

/** The values within a shell's here-document or a Markdown fence. */
function content(text: string, corrections: string[]): string {
    let lines = text.split("\n");
    const fences = lines.flatMap((line, i) => (line.trim().startsWith("```") ? [i] : []));
    if (fences.length > 0) {
        corrections.push("The lines with ``` belong to the page that the values were copied from.");
        lines = within(lines, fences[0] ?? 0, fences[1]);
    }
    const start = lines.findIndex((line) => heredoc.test(line));
    if (start >= 0) {
        const [, quote, word] = heredoc.exec(lines[start] ?? "") ?? [];
        const end = lines.findIndex((line, i) => i > start && line.trim() === word);
        corrections.push(
            `The lines "${(lines[start] ?? "").trim()}" and "${word ?? ""}" belong to a shell, not to the values.`,
        );
        lines = within(lines, start, end < 0 ? undefined : end);
        if (quote === "") {
            // What a shell would make of it.
            lines = lines.map((line) => line.replace(/\\([$`\\])/g, "$1"));
        }
    }
    return lines.join("\n");
}

/** The lines between two others, which keep their numbers: errors name them. */
function within(lines: readonly string[], start: number, end = lines.length): string[] {
    return lines.map((line, i) => (i > start && i < end ? line : ""));
}

function unescape(text: string, corrections: string[]): string {
    if (!text.includes("\\${")) {
        return text;
    }
    corrections.push(
        "\\${…} is how a shell's here-document writes ${…}. In a file the backslash stays, and the collector does not " +
            "expand the variable.",
    );
    return text.replaceAll("\\${", "${");
}

function dedent(text: string): string {
    const lines = text.split("\n");
    const indents = lines.filter((line) => line.trim() !== "").map((line) => indentOf(line));
    const common = Math.min(...indents, Infinity);
    return Number.isFinite(common) ? lines.map((line) => line.slice(common)).join("\n") : text;
}

function indentOf(line: string): number {
    return line.length - line.trimStart().length;
}

/** The documents that there are, as Helm reads them: of a key that is there twice the last one. */
function parse(text: string): { documents?: unknown[]; error?: string; corrections: string[] } {
    // Told that keys may be there twice the parser would not say which are.
    const all = parseAllDocuments(text, { ...asHelm, uniqueKeys: false });
    const strict = parseAllDocuments(text, asHelm);
    if (!Array.isArray(all) || !Array.isArray(strict)) {
        return { documents: [], corrections: [] };
    }
    const [error] = all.flatMap(({ errors }) => errors);
    const fault = error ? yamlFault(error) : all.map((document) => faultOf(document, text)).find(Boolean);
    if (fault !== undefined) {
        return { error: fault, corrections: [] };
    }
    const corrections = strict
        .flatMap(({ errors }) => errors)
        .map(
            ({ linePos }) =>
                `A key is there twice, the second time in line ${String(linePos?.[0].line)}: Helm takes the last one and drops the first.`,
        );
    try {
        return {
            documents: all.map((document) => JSON.parse(JSON.stringify(document.toJS() ?? null)) as unknown),
            corrections,
        };
    } catch (failure) {
        return { error: yamlFault(failure as Error), corrections };
    }
}

/** What Helm refuses and the parser takes, of sigs.k8s.io/yaml 1.6.0 (tried 2026-11-27). */
function faultOf(document: Document, text: string): string | undefined {
    const { explicit, version } = document.directives?.yaml ?? {};
    let fault =
        explicit === true && version !== "1.1" ? `it says %YAML ${version ?? ""}, and Helm takes 1.1 only` : undefined;
    visit(document, {
        Pair: (_, { key }) => {
            const value = isAlias(key) ? key.resolve(document) : key;
            if (!isScalar(value) || value.value === null) {
                const line = text.slice(0, isNode(key) ? key.range?.[0] : 0).split("\n").length;
                const template = text.includes("{{") ? ", as where {{ }} of a template is not filled in" : "";
                fault = `a key in line ${String(line)} is no text${template}`;
                return visit.BREAK;
            }
            return undefined;
        },
        Alias: (_, { source }, path) => {
            if (path.some((each) => isNode(each) && "anchor" in each && each.anchor === source)) {
                fault = `the alias *${source} is within what it stands for`;
                return visit.BREAK;
            }
            return undefined;
        },
    });
    return fault;
}

/** Whether a path names an exporter, which KOF's page sets to null on purpose. */
export function isExporter(path: readonly string[]): boolean {
    return path.at(-2) === "exporters";
}

function hasEmptyKeys(values: HelmValues): boolean {
    return [...leaves(values)].some(([path, value]) => value === null && !isExporter(path));
}

/**
 * Restores the indentation that a part of KOF's page lost: the inner of two levels was moved out to the outer one. So each line was
 * where it is now, or two columns further in. A key without a value has lines below it, which decides most lines. Every other line
 * stays at the level of the line before, if that is one of the two.
 */
function restoreIndentation(text: string): string {
    const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.trim().startsWith("#"));
    const open: { level: number; list: boolean }[] = [];
    let opener: number | undefined;
    return lines
        .map((line, i) => {
            const at = indentOf(line);
            const list = line.trim().startsWith("- ");
            const next = indentOf(lines[i + 1] ?? "");
            const isOpener = line.trimEnd().endsWith(":");
            let level = at;
            if (opener !== undefined) {
                level = opener + 2;
            } else if (isOpener && !list) {
                level = next === at + 4 ? at + 2 : at;
            } else {
                level = open.some((each) => each.level === at + 2 && each.list === list) ? at + 2 : at;
            }
            open.splice(0, open.length, ...open.filter((each) => each.level < level), { level, list });
            if (list) {
                open.push({ level: level + 2, list: false });
            }
            opener = isOpener ? level + (list ? 2 : 0) : undefined;
            return " ".repeat(level) + line.trim();
        })
        .join("\n");
}
