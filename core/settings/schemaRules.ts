import type { Catalog } from "../charts";
import { checkSchemas, type SchemaProblem } from "../charts/schemas";
import { formatPath, isMap, type HelmValue, type HelmValues } from "../lib/values";
import { problemAt, stackFile, valueThroughLists } from "./explain";
import { brief, type Problem } from "./problems";

/** What is wrong with `kof:values` by the schemas that charts and definitions bring. */
export function schemaProblems(catalog: Catalog, values: HelmValues): Problem[] {
    const problems = checkSchemas(catalog, values);
    return problems.map((problem) =>
        problemAt(["values", ...problem.path], `is ${found(problem)}, which ${refuserText(problem)}`, {
            allowed: allowed(problem),
            paste: mendedPaste(values, problem, problems),
        }),
    );
}

function allowed({ wanted, meant }: SchemaProblem): string {
    return meant !== undefined && "key" in meant ? `the nearest key that is read is ${meant.key}` : wanted;
}

function refuserText({ by, wanted }: SchemaProblem): string {
    if (by.of === "dependency") {
        return `the schema of ${by.name} refuses: Helm would install nothing of the chart`;
    }
    return wanted.startsWith("one of ")
        ? `kind ${by.name} does not have: Kubernetes would drop it`
        : `Kubernetes refuses for kind ${by.name}: Helm would fail to install the chart`;
}

function found({ value, path, wanted }: SchemaProblem): string {
    return wanted.startsWith("one of ")
        ? `a key (${path.at(-1) ?? ""})`
        : isMap(value)
          ? "a map"
          : Array.isArray(value)
            ? "a list"
            : brief(value);
}

/** The value as it was probably meant; of a list, which is replaced as a whole, all entries as they were meant. */
function mendedPaste(
    values: HelmValues,
    { path, value, meant }: SchemaProblem,
    problems: readonly SchemaProblem[],
): unknown {
    if (meant === undefined) {
        return undefined;
    }
    const list = path.findIndex((_, i) => Array.isArray(valueThroughLists(values, path.slice(0, i))));
    if (list < 0) {
        return "key" in meant
            ? stackFile(["values", ...path.slice(0, -1), meant.key], value)
            : stackFile(["values", ...path], meant.value);
    }
    const outer = path.slice(0, list);
    const inList = problems.filter((each) => formatPath(each.path.slice(0, list)) === formatPath(outer));
    const whole = inList.reduce<HelmValue>(
        (all, each) => (each.meant ? replaced(all, each.path.slice(list), each.meant) : all),
        (valueThroughLists(values, outer) as HelmValue | undefined) ?? null,
    );
    // Only the author can correct such an entry. A paste that has it would be refused again.
    return inList.every((each) => each.meant) ? stackFile(["values", ...outer], whole) : undefined;
}

function replaced(value: HelmValue, path: readonly string[], meant: NonNullable<SchemaProblem["meant"]>): HelmValue {
    const [key = "", ...rest] = path;
    if (path.length === 0) {
        return "value" in meant ? meant.value : value;
    }
    if (Array.isArray(value)) {
        return value.map((each, i) => (i === Number(key) ? replaced(each, rest, meant) : each));
    }
    return Object.fromEntries(
        Object.entries(value as HelmValues).map(([name, each]) =>
            name !== key
                ? [name, each]
                : rest.length === 0 && "key" in meant
                  ? [meant.key, each]
                  : [name, replaced(each, rest, meant)],
        ),
    );
}
