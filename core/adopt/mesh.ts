import { chartValues, kubeStack, type Catalog } from "../charts";
import { collectorsInMesh } from "../collectors/fragments";
import { isMap, leaves, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import { isOfRegion } from "./exits";

/**
 * Whether values only make sense in the Istio mesh. KOF 1.10 and later detect the mesh themselves. Such values write to a region by
 * the name of its Service, or have pipelines for every collector except the one that KOF leaves out in the mesh.
 */
export function isWrittenForMesh(values: HelmValues, catalog: Catalog): boolean {
    const stacks = [
        ["kof-child", "values", "fromManagement", "collectors"],
        ["kof-regional", "values", "collectors"],
    ].map((path) => valueAt(values, [...path, kubeStack]));
    return stacks.some((stack) => writesThroughMesh(stack) || leavesOutController(stack, catalog));
}

function writesThroughMesh(stack: HelmValue | undefined): boolean {
    const exporters = valueAt(stack, ["defaultCRConfig", "config", "exporters"]);
    return [...leaves(isMap(exporters) ? exporters : {})].some(
        ([, address]) => typeof address === "string" && address.startsWith("http:") && isOfRegion(address),
    );
}

function leavesOutController(stack: HelmValue | undefined, catalog: Catalog): boolean {
    const at = (key: string, ...path: string[]) => valueAt(stack, ["collectors", key, ...path]);
    const own = (key: string) => at(key, "config", "service", "pipelines") ?? at(key, "enabled");
    const charts = valueAt(chartValues(catalog, "kof-collectors")[kubeStack], ["collectors"]);
    const left = (key: string) => valueAt(collectorsInMesh, [key, "enabled"]) === false;
    const keys = Object.entries(isMap(charts) ? charts : {}).flatMap(([key, each]) =>
        valueAt(each, ["enabled"]) === true ? [key] : [],
    );
    return keys.some(left) && keys.every((key) => (own(key) === undefined) === left(key));
}
