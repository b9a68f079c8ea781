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
    return text.replaceAll("\n", " ").replaceAll(/[\\`*_|[\]<>&#]/g, (sign) => `\\${sign}`);
}

/** Text as it is, in a cell of a table. */
export function code(text: string): string {
    return /[`|\n]/.test(text) ? plain(text) : `\`${text}\``;
}

/** Parts of a page, with those that are empty left out. */
export function paragraphs(parts: readonly string[]): string {
    return parts.filter((part) => part !== "").join("\n\n");
}

/** Text as a block of Markdown, whatever is in it. */
export function fenced(language: string, text: string): string {
    const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
    const fence = "`".repeat(longest + 1);
    return [`${fence}${language}`, text, fence].join("\n");
}
