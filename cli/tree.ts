import { catalogOf } from "../core/charts";
import { umbrellaObjects } from "../core/charts/umbrella";
import type { HelmValues } from "../core/lib/values";
import type { OfflineRun, Resource } from "./offline";

/** One line of a preview: a resource, and the branches of the tree that it hangs on. */
interface TreeLine {
    readonly operation: "create" | "read";
    readonly branches: string;
    readonly type: string;
    readonly name: string;
}

/** A resource, and what is below it. */
interface Row extends Omit<TreeLine, "branches"> {
    readonly children: readonly Row[];
}

/**
 * The resources of a run as a tree, from top to bottom. Without the provider nothing renders the umbrella chart, so its objects come from
 * the catalog, under the names that Pulumi gives them.
 */
export function treeLines({ resources, outputs }: OfflineRun): TreeLine[] {
    const rows = (parent: string): Row[] =>
        resources
            .filter((resource) => resource.parent === parent)
            .map((resource) => ({
                operation: resource.read ? "read" : "create",
                type: resource.type,
                name: resource.name,
                children: [...rows(resource.urn), ...chartObjects(resource, String(outputs.version))],
            }));
    return linesOf(rows(""));
}

function chartObjects({ type, name, inputs }: Resource, version: string): Row[] {
    if (type !== "kubernetes:helm.sh/v4:Chart") {
        return [];
    }
    return umbrellaObjects(catalogOf(version), inputs.values as HelmValues).map((object) => ({
        operation: "create",
        type: `kubernetes:${object.apiVersion}:${object.kind}`,
        name: `${name}:${object.namespace}/${object.name}`,
        children: [],
    }));
}

function linesOf(rows: readonly Row[], indent = "", isRoot = true): TreeLine[] {
    return rows.flatMap(({ children, ...row }, i) => {
        const last = i === rows.length - 1;
        const branches = isRoot ? "" : `${indent}${last ? "└─ " : "├─ "}`;
        const below = isRoot ? "" : `${indent}${last ? "   " : "│  "}`;
        return [{ ...row, branches }, ...linesOf(children, below, false)];
    });
}
