import { printable } from "./printable";

/** A section of a page, of text or of lines; empty without content. */
export function section(title: string, content: string | readonly string[]): string {
    const text = typeof content === "string" ? content : content.join("\n");
    return text === "" ? "" : `## ${title}\n\n${text}`;
}

/** A table; nothing without rows. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
    const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
    return rows.length === 0 ? "" : [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Text in which Markdown and HTML have no effect. */
export function plain(text: string): string {
    return printable(text)
        .replaceAll("\n", " ")
        .replaceAll(/[\\`*_|[\]<>&#]/g, (sign) => `\\${sign}`);
}

/** Text as it is, in a cell of a table. */
export function code(text: string): string {
    return /[`|\n]/.test(text) ? plain(text) : `\`${printable(text)}\``;
}

/** Text as it is, in HTML within a page. */
export function htmlCode(text: string): string {
    const inert = printable(text).replaceAll(/[^A-Za-z0-9./ -]/gu, (sign) => `&#${String(sign.codePointAt(0))};`);
    return `<code>${inert.replaceAll(/www\./gi, "www&#46;")}</code>`;
}

/**
 * A page as it is, but that nothing which others have written into it, such as a name in a stack file, mentions somebody, is a link or a
 * picture, or HTML. What is in code can do that nowhere, and stays; so does `<br>`.
 */
export function harmless(page: string): string {
    let fence: string | undefined;
    const lines = printable(page).split("\n");
    return lines
        .map((line) => {
            const [, ticks, rest = ""] = /^ {0,3}(`{3,})(.*)$/.exec(line) ?? [];
            if (fence !== undefined) {
                fence = ticks !== undefined && ticks.length >= fence.length && rest.trim() === "" ? undefined : fence;
                return line;
            }
            if (ticks !== undefined && !rest.includes("`")) {
                fence = ticks;
                return line;
            }
            return harmlessLine(line);
        })
        .join("\n");
}

const inCode = /(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)/g;

/** A line, whose code is what is between signs that it has itself: one that is alone would pair with that of another line. */
function harmlessLine(line: string): string {
    const text = line.replaceAll(/\\`/g, "&#96;");
    if (text.replaceAll(inCode, "").includes("`")) {
        return inert(text.replaceAll("`", "&#96;"));
    }
    let end = 0;
    const parts: string[] = [];
    for (const found of text.matchAll(inCode)) {
        parts.push(inert(text.slice(end, found.index)), found[0]);
        end = found.index + found[0].length;
    }
    return [...parts, inert(text.slice(end))].join("");
}

/** Text in which GitHub finds nobody, no issue and no address: a space without width is where it looks. */
function inert(text: string): string {
    return text
        .replaceAll(/(\\*)(&(?!#96;)|<(?!br>)|\[|\])/g, (found, slashes: string, sign: string) =>
            slashes.length % 2 === 1 ? found : `${slashes}&#${String(sign.charCodeAt(0))};`,
        )
        .replaceAll(/(?<!&)#(?=\d)|@|\bGH-(?=\d)|\b(https?|ftp)(?=:\/\/)|\bwww(?=\.)/gi, (found) => `${found}&#8203;`);
}

/** Parts of a page, with those that are empty left out. */
export function paragraphs(parts: readonly string[]): string {
    return parts.filter((part) => part !== "").join("\n\n");
}

/** Any text as a block of Markdown. */
export function fenced(language: string, text: string): string {
    const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
    const fence = "`".repeat(longest + 1);
    return [`${fence}${language}`, printable(text), fence].join("\n");
}
