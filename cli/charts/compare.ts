import { isDeepStrictEqual } from "node:util";

import { formatPath, isMap, type HelmValue, type HelmValues } from "../../core/lib/values";
import { collectorDocument, type Collector } from "../../core/collectors/effective";

/** One place where the catalog and the charts disagree on a collector. */
export interface CollectorDifference {
    /** Name of the collector. */
    readonly collector: string;
    /** `config.processors.batch.timeout`; empty when one of the two has no such collector. */
    readonly path: string;
    /** `undefined` where there is nothing. */
    readonly catalog: HelmValue | undefined;
    readonly charts: HelmValue | undefined;
}

/** Where the catalog's collectors differ from those of the real charts, value by value. */
export function compareCollectors(catalog: readonly Collector[], charts: readonly Collector[]): CollectorDifference[] {
    const documents = (collectors: readonly Collector[]) =>
        new Map(collectors.map((collector) => [collector.name, collectorDocument(collector)]));
    const [ours, theirs] = [documents(catalog), documents(charts)];
    const names = [...new Set([...ours.keys(), ...theirs.keys()])].sort();
    return names.flatMap((collector) =>
        differences(ours.get(collector), theirs.get(collector), []).map((found) => ({ collector, ...found })),
    );
}

/** A difference as a line of text. */
export function describeDifference({ collector, path, catalog, charts }: CollectorDifference): string {
    const text = (value: HelmValue | undefined) => (value === undefined ? "nothing" : JSON.stringify(value));
    return path === ""
        ? `${collector}: only ${catalog === undefined ? "the charts have" : "the catalog has"} it`
        : `${collector}: ${path} is ${text(catalog)} in the catalog, ${text(charts)} in the charts`;
}

function differences(
    catalog: HelmValue | undefined,
    charts: HelmValue | undefined,
    path: readonly string[],
): Omit<CollectorDifference, "collector">[] {
    if (isMap(catalog) && isMap(charts)) {
        const keys = [...new Set([...Object.keys(catalog), ...Object.keys(charts)])];
        return keys.flatMap((key) => differences(own(catalog, key), own(charts, key), [...path, key]));
    }
    return isDeepStrictEqual(catalog, charts) ? [] : [{ path: formatPath(path), catalog, charts }];
}

function own(values: HelmValues, key: string): HelmValue | undefined {
    return Object.hasOwn(values, key) ? values[key] : undefined;
}
