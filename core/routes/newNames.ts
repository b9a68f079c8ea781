import { newNames } from "../charts/paths";
import { formatPath, leaves } from "../lib/values";
import type { Resolved } from "./parts";

/** What a reader should know of names in `kof:values` that are as near to one of the charts as a misspelt one. */
export function newNameNotices({
    catalog,
    settings,
    values,
}: Pick<Resolved, "catalog" | "settings" | "values">): string[] {
    const given = settings.values as Resolved["values"];
    const referred = new Set([...leaves(given)].flatMap(([, value]) => value));
    return (
        newNames(catalog, given, values)
            // Which labels and arguments there are is not for the charts to say.
            .filter(({ path }) => path.includes("config") || path.at(-2) === "collectors")
            .filter(({ path }) => !referred.has(path.at(-1) ?? ""))
            .map(
                ({ path, resembles }) =>
                    `kof:values.${formatPath(path)} is not ${resembles}, which the charts have: if that was meant, correct the name.`,
            )
    );
}
