import { formatPath, isMap, mergeValues, type HelmValues } from "../lib/values";
import { outerKeys, type Problem } from "./problems";

/**
 * Problems of values, without the pastes after which something is wrong that was not before. All are tried together: there may be
 * thousands.
 *
 * @param check what is wrong with values.
 * @param known what is wrong with these.
 */
export function withRightPastes(
    problems: readonly Problem[],
    values: HelmValues,
    check: (values: HelmValues) => readonly Problem[],
    known: readonly Problem[] = problems,
): Problem[] {
    const pastes = problems.map(({ paste }) => valuesOf(paste)).filter((each) => each !== undefined);
    if (pastes.length === 0) {
        return [...problems];
    }
    const named = ({ key, message }: Problem) => `${key} ${message}`;
    const before = new Set(known.map(named));
    const wrong = check(mergeValues(values, mergedPastes(pastes)))
        .filter((each) => !before.has(named(each)))
        .map(({ key }) => key);
    const [own, around] = [new Set(wrong), new Set(wrong.flatMap(outerKeys))];
    return problems.map((problem) => {
        const pasted = valuesOf(problem.paste);
        const path = pasted && `kof:values.${formatPath(onlyPath(pasted))}`;
        return path !== undefined && (around.has(path) || outerKeys(path).some((each) => own.has(each)))
            ? { ...problem, paste: undefined }
            : problem;
    });
}

/** Many pastes in one, in halves: merged one after the other, each would copy all before it. */
export function mergedPastes(pastes: readonly HelmValues[]): HelmValues {
    const half = Math.ceil(pastes.length / 2);
    return pastes.length <= 2
        ? mergeValues(...pastes)
        : mergeValues(mergedPastes(pastes.slice(0, half)), mergedPastes(pastes.slice(half)));
}

/** What a paste says of `kof:values`. */
function valuesOf(paste: unknown): HelmValues | undefined {
    const values = isMap(paste) ? paste["kof:values"] : undefined;
    return isMap(values) ? values : undefined;
}

/** The path into maps as far as each has one key alone. */
export function onlyPath(values: HelmValues): string[] {
    const [[key, value] = ["", null], ...more] = Object.entries(values);
    return more.length > 0 || key === "" ? [] : [key, ...(isMap(value) ? onlyPath(value) : [])];
}
