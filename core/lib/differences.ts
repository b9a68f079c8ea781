import { formatPath, isMap } from "./values";

/** One place at which two documents differ. */
export interface Difference {
    /** Where, human-readable: `service.pipelines.logs.exporters`, or `env[KOF_VM_USER].value` in a list of named items. */
    readonly path: string;
    /** What was there, as JSON; `undefined` when nothing was. */
    readonly before: string | undefined;
    /** What is there now, as JSON; `undefined` when nothing is. */
    readonly after: string | undefined;
}

/**
 * Where two documents differ, in the order of the paths in them. Items of a list are matched by their `name` if all have one, so an added
 * item does not shift the others. Otherwise they are matched by position.
 */
export function differences(before: unknown, after: unknown): Difference[] {
    const [was, is] = [flatten(before), flatten(after)];
    const paths = [...new Set([...was.keys(), ...is.keys()])];
    return paths
        .filter((path) => was.get(path) !== is.get(path))
        .map((path) => ({ path, before: was.get(path), after: is.get(path) }));
}

/** Every path that ends in something that is not taken apart any further, with what is there. */
function flatten(document: unknown): Map<string, string> {
    const found = new Map<string, string>();
    const visit = (value: unknown, path: string): void => {
        const children = childrenOf(value);
        if (children.length === 0) {
            if (value !== undefined) {
                found.set(path, JSON.stringify(value));
            }
            return;
        }
        for (const [step, child] of children) {
            visit(child, step.startsWith("[") || path === "" ? `${path}${step}` : `${path}.${step}`);
        }
    };
    visit(document, "");
    return found;
}

/** What a value is taken apart into, by steps of a path. Lists of scalars read better whole. */
function childrenOf(value: unknown): [string, unknown][] {
    if (isMap(value)) {
        return Object.entries(value).map(([key, child]) => [formatPath([key]), child]);
    }
    if (!Array.isArray(value) || !value.every(isMap)) {
        return [];
    }
    const names = value.map(({ name }) => name);
    const isNamed = names.every((name) => typeof name === "string") && new Set(names).size === names.length;
    return value.map((item, i) => [`[${isNamed ? String(names[i]) : String(i)}]`, item]);
}
