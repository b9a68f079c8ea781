import { chartValues, type Catalog } from ".";
import { coalesceValues, isMap, valueAt, type HelmValues } from "../lib/values";

/** An object that the umbrella renders, as far as it is known without the chart. */
export interface UmbrellaObject {
    readonly apiVersion: string;
    readonly kind: "HelmRepository" | "HelmChart" | "HelmRelease";
    readonly namespace: string;
    readonly name: string;
    /** HelmReleases that come first. */
    readonly dependsOn: readonly string[];
}

/** The component that the umbrella installs whatever `global.components` lists. */
const always = "victoria-metrics-operator";

/** The components that the umbrella installs, by the values that its templates see (`charts/kof/templates/helmreleases.yaml`). */
export function enabledComponents(umbrella: HelmValues): string[] {
    const listed = valueAt(umbrella, ["global", "components"]) as string[];
    return [...listed, always].filter((name) => valueAt(umbrella, [name, "enabled"]) === true);
}

/**
 * The Flux objects that the umbrella renders with these values: repositories, then a chart and a release for each component
 * that is enabled, in an order in which they can be installed (`charts/kof/templates`, KOF 1.8.0 to 1.11.0-rc0).
 */
export function umbrellaObjects(catalog: Catalog, values: HelmValues): UmbrellaObject[] {
    const all = coalesceValues(chartValues(catalog, "kof"), values);
    const at = (...path: string[]) => valueAt(all, path);
    const [releases, sources] = [at("global", "namespace") as string, at("global", "helmRepo", "namespace") as string];
    const enabled = enabledComponents(all);
    const dependencies = (name: string) =>
        ((at(name, "dependsOn") ?? []) as string[]).filter((dependency) => enabled.includes(dependency));
    const ordered: string[] = [];
    const visit = (name: string): void => {
        if (!ordered.includes(name)) {
            dependencies(name).forEach(visit);
            ordered.push(name);
        }
    };
    enabled.forEach(visit);
    const source = (kind: UmbrellaObject["kind"], name: string): UmbrellaObject => ({
        apiVersion: "source.toolkit.fluxcd.io/v1",
        kind,
        namespace: sources,
        name,
        dependsOn: [],
    });
    return [
        ...(at("global", "helmRepo", "kofManaged", "enabled") === true
            ? [source("HelmRepository", at("global", "helmRepo", "name") as string)]
            : []),
        ...(isMap(at(always)) && enabled.includes(always) ? [source("HelmRepository", "victoria-metrics")] : []),
        ...ordered.map((name) => source("HelmChart", name)),
        ...ordered.map((name): UmbrellaObject => ({
            apiVersion: "helm.toolkit.fluxcd.io/v2",
            kind: "HelmRelease",
            namespace: releases,
            name,
            dependsOn: dependencies(name),
        })),
    ];
}
