import { chartValues, type Catalog } from ".";
import { compact } from "../lib/compact";
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

/** The component that the umbrella installs even if `global.components` does not list it. */
const always = "victoria-metrics-operator";

/** The components that the umbrella installs, by the values that its templates see (`charts/kof/templates/helmreleases.yaml`). */
export function enabledComponents(umbrella: HelmValues): string[] {
    const listed = valueAt(umbrella, ["global", "components"]) as string[];
    return [...listed, always].filter((name) => valueAt(umbrella, [name, "enabled"]) === true);
}

/** The umbrella's values complete with its defaults: all that its templates see. */
export function completeValues(catalog: Catalog, values: HelmValues): HelmValues {
    return coalesceValues(chartValues(catalog, "kof"), values);
}

/** All that the templates of a component's chart see: its defaults under what the umbrella's values hand it. */
export function componentValues(
    { catalog, umbrella }: { readonly catalog: Catalog; readonly umbrella: HelmValues },
    name: string,
): HelmValues {
    const given = (valueAt(umbrella, [name, "values"]) ?? {}) as HelmValues;
    return coalesceValues(chartValues(catalog, name), given);
}

/**
 * The Flux objects that the umbrella renders with these values, in the order of their install: repositories, then a chart and a
 * release for each enabled component (`charts/kof/templates`, KOF 1.8.0 to 1.11.0-rc0).
 */
export function umbrellaObjects(catalog: Catalog, values: HelmValues): UmbrellaObject[] {
    const all = completeValues(catalog, values);
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
    return compact(
        at("global", "helmRepo", "kofManaged", "enabled") === true &&
            source("HelmRepository", at("global", "helmRepo", "name") as string),
        isMap(at(always)) && enabled.includes(always) && source("HelmRepository", "victoria-metrics"),
        ...ordered.map((name) => source("HelmChart", name)),
        ...ordered.map((name): UmbrellaObject => ({
            apiVersion: "helm.toolkit.fluxcd.io/v2",
            kind: "HelmRelease",
            namespace: releases,
            name,
            dependsOn: dependencies(name),
        })),
    );
}

/** An object of Flux, as it is applied. */
export interface FluxObject {
    readonly apiVersion: string;
    readonly kind: "HelmChart" | "HelmRelease";
    readonly metadata: {
        readonly name: string;
        readonly namespace: string;
        readonly labels: Readonly<Record<string, string>>;
    };
    readonly spec: HelmValues;
}

/** A chart of KOF that the umbrella does not install. Its release has its name. */
interface ChartBeside {
    readonly name: string;
    readonly version: string;
    readonly values: HelmValues;
}

/**
 * A chart and its release in addition to those of the umbrella, in the umbrella's form (`charts/kof/templates/helmcharts.yaml` and
 * `helmreleases.yaml`, KOF 1.10.0 and 1.11.0-rc0): the same repository, interval and retries. The release comes after the umbrella's.
 *
 * @param umbrella the umbrella's values.
 */
export function objectsBeside(
    catalog: Catalog,
    umbrella: HelmValues,
    { name, version, values }: ChartBeside,
): { readonly chart: FluxObject; readonly release: FluxObject } {
    const all = completeValues(catalog, umbrella);
    const at = (...path: string[]) => valueAt(all, path) as string;
    const [namespace, sources] = [at("global", "namespace"), at("global", "helmRepo", "namespace")];
    const labels = { "k0rdent.mirantis.com/component": name };
    const chart: FluxObject = {
        apiVersion: "source.toolkit.fluxcd.io/v1",
        kind: "HelmChart",
        metadata: { name, namespace: sources, labels },
        spec: {
            chart: name,
            version,
            interval: at("global", "helmRepo", "interval"),
            sourceRef: { kind: "HelmRepository", name: at("global", "helmRepo", "name") },
        },
    };
    const release: FluxObject = {
        apiVersion: "helm.toolkit.fluxcd.io/v2",
        kind: "HelmRelease",
        metadata: { name, namespace, labels },
        spec: {
            interval: at("flux", "timeout"),
            timeout: at("flux", "timeout"),
            dependsOn: enabledComponents(all).map((component) => ({ name: component, namespace })),
            chartRef: { kind: "HelmChart", name, namespace: sources },
            install: {
                createNamespace: at("flux", "install", "createNamespace"),
                remediation: { retries: at("flux", "install", "remediation", "retries") },
            },
            upgrade: {
                strategy: { name: "RetryOnFailure", retryInterval: at("flux", "upgrade", "retryInterval") },
            },
            values,
        },
    };
    return { chart, release };
}
