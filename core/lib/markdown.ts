/** A section of a page; nothing where there is nothing to say. */
export function section(title: string, content: string): string {
    return content === "" ? "" : `## ${title}\n\n${content}`;
}

/** A table; nothing without rows. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
    const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
    return rows.length === 0 ? "" : [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Text in which nothing is taken for Markdown or HTML. */
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
