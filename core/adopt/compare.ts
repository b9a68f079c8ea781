import { formatPath, isMap, leaves, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import type { Deployment } from "../routes/deployment";
import { brief } from "../settings/problems";
import { deciderOf } from "../settings/rules";

/** Lists whose order says nothing. */
const sets = new Set(["env", "extensions", "attributes"]);

/** Whether two values at a path mean the same to their reader. */
export function same(path: readonly string[], value: HelmValue, own: HelmValue | undefined): boolean {
    const text = (each: HelmValue | undefined) =>
        JSON.stringify(
            sets.has(path.at(-1) ?? "") && Array.isArray(each) ? each.map(canonical).sort() : canonical(each),
        );
    return text(value) === text(own);
}

/**
 * What the charts would get otherwise than from values, other than what a setting decides: one sentence each. The values are those
 * that a stack file has to give, so that there is something only where it fails to.
 */
export function differing(values: HelmValues, { umbrella }: Deployment): string[] {
    return [...leaves(values)].flatMap(([path, value]) => {
        const now = valueAt(umbrella, path);
        return deciderOf(path) !== undefined || same(path, value, now) || (isMap(value) && isMap(now))
            ? []
            : [
                  `${formatPath(path)} is ${brief(value)} in the original, and ${brief(now ?? null)} with the stack file.`,
              ];
    });
}

/** A value as text that does not depend on the order of keys. */
export function canonical(value: HelmValue | undefined): string {
    return JSON.stringify(value, (_, inner: unknown) =>
        isMap(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
    );
}

/** Whether a list has a value, in whatever order its keys are. */
export function contains(list: HelmValue | undefined, value: HelmValue): boolean {
    return Array.isArray(list) && list.map(canonical).includes(canonical(value));
}
