import type { Catalog } from "../../core/charts";
import type { CatalogChanges } from "../../core/charts/compare";
import type { HelmValue } from "../../core/lib/values";

/** The charts, by their folders, that differ between two catalogs of one version. */
export function otherCharts(made: Catalog, checked: Catalog): string[] {
    const digest = ({ sources }: Catalog, name: string) => sources[name]?.sha256;
    const names = new Set([...Object.keys(made.sources), ...Object.keys(checked.sources)]);
    return [...names].filter((name) => digest(made, name) !== digest(checked, name)).sort();
}

/** The changes as text, one line each, for the developer who adds the newer version. */
export function describeChanges(older: string, newer: string, changes: CatalogChanges): string {
    const section = (title: string, lines: readonly string[]) =>
        lines.length > 0 ? [`${title} (${String(lines.length)})`, ...lines.map((line) => `  ${line}`)] : [];
    const text = [
        ...section("added", changes.added),
        ...section("dropped", changes.dropped),
        ...section(
            "renamed",
            changes.renamed.map(({ from, to }) => `${from} -> ${to}`),
        ),
        ...section(
            "changed default",
            changes.changed.map(({ path, from, to }) => `${path}: ${shortened(from)} -> ${shortened(to)}`),
        ),
    ];
    return [`KOF ${newer} against ${older}${text.length > 0 ? "" : ": no difference"}`, ...text].join("\n");
}

function shortened(value: HelmValue): string {
    const text = JSON.stringify(value);
    return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
