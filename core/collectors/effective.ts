import { componentValues } from "../charts/umbrella";
import { chartValues, collectorNamePlaceholder, type Catalog, kubeStack, type PresetPart } from "../charts";
import { definedOnly } from "../lib/compact";
import { coalesceValues, isMap, mergeValues, nest, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import { collectorOperatorOff, collectorsChart } from "../charts/installed";
import { oncePer } from "../lib/lazy";
import type { Merged } from "./merged";
import type { Settings } from "../settings/settings";
import { collectorsOfChild, collectorsOfRegional } from "./service";

/** A variable of a container's environment: with a value, or with where it comes from. */
export interface EnvVar {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: HelmValue;
}

/** One OpenTelemetry collector of the management cluster, as the charts would configure it. */
export interface Collector {
    /** Its key in the charts' values: `daemon`. */
    readonly key: string;
    /** Name of its OpenTelemetryCollector: `kof-collectors-daemon`. */
    readonly name: string;
    readonly image: string;
    readonly mode: string;
    readonly hostNetwork: boolean;
    readonly env: readonly EnvVar[];
    /** What else its OpenTelemetryCollector's `spec` says of its pods. */
    readonly pods: HelmValues;
    /** Its complete configuration. */
    readonly config: HelmValues;
}

/** The release of kof-collectors on the management cluster, which the names of the collectors start with. */
export const collectorsRelease = "kof-collectors";

/** Its name without that of the release: `daemon`. */
export function shortName({ name }: Collector): string {
    return name.startsWith(`${collectorsRelease}-`) ? name.slice(collectorsRelease.length + 1) : name;
}

/**
 * The collectors that would run on the management cluster, computed from the umbrella's values by the charts' rules. Each layer's
 * values override the chart's, each collector overrides `defaultCRConfig`, and lists replace lists
 * (opentelemetry-kube-stack 0.5.3 to 0.6.3, `templates/collector.yaml`).
 */
export function effectiveCollectors(deployment: Merged): readonly Collector[] {
    const { settings, umbrella } = deployment;
    const known = worked.get(umbrella);
    if (known?.settings === settings) {
        return known.collectors;
    }
    const collectors = workOut(deployment);
    worked.set(umbrella, { settings, collectors });
    return collectors;
}

/** Of each umbrella's values the collectors that were worked out last, and the settings that they were worked out with. */
const worked = new WeakMap<HelmValues, { readonly settings: Settings; readonly collectors: readonly Collector[] }>();

function workOut(deployment: Merged): readonly Collector[] {
    const stack = kubeStackValues(deployment);
    return stack ? enabledIn(stack).map(([key, own]) => collector(key, own, stack, deployment)) : [];
}

/** The values of each collector that runs on the management cluster, those of `defaultCRConfig` not among them. */
export function ownValues(deployment: Merged): HelmValues[] {
    const stack = kubeStackValues(deployment);
    return stack ? enabledIn(stack).map(([, own]) => own) : [];
}

function enabledIn(stack: HelmValues): [string, HelmValues][] {
    return Object.entries(stack.collectors as HelmValues)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([key, own]): [string, HelmValues][] => (isMap(own) && own.enabled === true ? [[key, own]] : []));
}

/** The values of opentelemetry-kube-stack on the management cluster; `undefined` where no collector runs there. */
function kubeStackValues(deployment: Merged): HelmValues | undefined {
    const { catalog } = deployment;
    const given = kofCollectorsValues(deployment);
    if (!given || collectorOperatorOff(deployment.umbrella)) {
        return undefined;
    }
    // Nulls of kof-collectors remove defaults of its dependency, so they are kept until the two are put together.
    const all = mergeValues(chartValues(catalog, "kof-collectors"), given);
    if (valueAt(all, ["collectors", "enabled"]) === false) {
        return undefined;
    }
    const read = (values: HelmValues) => pickFields(values, stackFields);
    return coalesceValues(read(chartValues(catalog, kubeStack)), read(all[kubeStack] as HelmValues));
}

/** The values of opentelemetry-kube-stack that its collectors are made of. */
const stackFields = ["clusterName", "collectors", "defaultCRConfig", "extraEnvs", "fullnameOverride"];

/** The values that the chart kof-collectors gets on the management cluster; `undefined` when it is not installed there. */
function kofCollectorsValues({ catalog, umbrella, settings }: Merged): HelmValues | undefined {
    const installed = collectorsChart(umbrella);
    switch (installed?.component) {
        case undefined:
            return undefined;
        case "kof-child":
            return collectorsOfChild(catalog, umbrella, settings);
        case "kof-regional":
            return collectorsOfRegional(catalog, umbrella, settings);
        default:
            return withOverwrites(catalog, valueAt(umbrella, installed?.prefix ?? []) as HelmValues);
    }
}

/** The umbrella puts the daemon's image tag over that of the values, up to 1.9. */
function withOverwrites({ overwrites }: Catalog, values: HelmValues): HelmValues {
    const over = overwrites
        .filter(({ component, when, value }) => component === "kof-collectors" && when.length === 0 && value !== null)
        .map(({ path, value }) => nest(path, value));
    return mergeValues(values, ...over);
}

function collector(key: string, own: HelmValues, stack: HelmValues, deployment: Merged): Collector {
    const merged = mergeValues(stack.defaultCRConfig as HelmValues, own);
    const name = fullName(merged, stack);
    const fields = withPresets(merged, deployment.catalog, name);
    const { mode, config } = fields;
    return {
        key,
        name,
        image: imageOf(fields, deployment),
        mode: mode as string,
        hostNetwork: fields.hostNetwork === true,
        env: environment(stack, fields),
        pods: pickFields(
            fields,
            podFields.filter((field) => field !== "replicas" || (mode !== "daemonset" && !isSet(fields.autoscaler))),
        ),
        config: (config ?? {}) as HelmValues,
    };
}

/** Fields of a collector that the chart copies where they are set (`templates/collector.yaml`). */
export const podFields: readonly string[] =
    `replicas args resources autoscaler podDisruptionBudget securityContext podSecurityContext serviceAccount priorityClassName
    nodeSelector affinity tolerations topologySpreadConstraints podAnnotations observability targetAllocator ingress lifecycle
    livenessProbe updateStrategy deploymentUpdateStrategy shareProcessNamespace initContainers additionalContainers configmaps ports
    envFrom volumes volumeMounts volumeClaimTemplates`.split(/\s+/);

/** The fields of these names that are set. */
export function pickFields(fields: HelmValues, names: readonly string[]): HelmValues {
    return definedOnly(Object.fromEntries(names.map((name) => [name, isSet(fields[name]) ? fields[name] : undefined])));
}

/** What a template regards as set. */
function isSet(value: HelmValue | undefined): value is HelmValue {
    return isMap(value) ? Object.keys(value).length > 0 : Array.isArray(value) ? value.length > 0 : Boolean(value);
}

/** `opentelemetry-kube-stack.collectorFullname` of `templates/_helpers.tpl`. */
function fullName({ fullnameOverride, suffix }: HelmValues, stack: HelmValues): string {
    const given = [stack.fullnameOverride, fullnameOverride].find(isSet) as string | undefined;
    const end = isSet(suffix) ? (suffix as string) : kubeStack;
    const name = given ?? (collectorsRelease.includes(end) ? collectorsRelease : `${collectorsRelease}-${end}`);
    return name.slice(0, 63).replace(/-$/, "");
}

/** Without an image of its own, a collector gets the one that its operator was started with. */
function imageOf(fields: HelmValues, deployment: Merged): string {
    const { repository, digest, tag } = (fields.image ?? {}) as Record<string, string | undefined>;
    return isSet(digest)
        ? `${String(repository)}@${digest}`
        : isSet(tag)
          ? `${String(repository)}:${tag}`
          : operatorImage(deployment);
}

/** The image that the OpenTelemetry operator gives collectors which name none (kof-operators, `manager.collectorImage`). */
export function operatorImage(merged: Merged): string {
    const path = ["opentelemetry-operator", "manager", "collectorImage"];
    const { repository, tag } = valueAt(componentValues(merged, "kof-operators"), path) as Record<string, string>;
    return `${String(repository)}:${String(tag)}`;
}

/** The variables that the chart gives every collector, then those with a value and those without, each by name. */
function environment(stack: HelmValues, fields: HelmValues): EnvVar[] {
    const given = [stack.extraEnvs ?? [], fields.env ?? []].flat() as unknown as EnvVar[];
    const byName = (some: readonly EnvVar[]) =>
        [...new Map(some.map((each) => [each.name, each])).values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    const field = (name: string, fieldPath: string, version: HelmValues = { apiVersion: "v1" }) => ({
        name: `OTEL_K8S_${name}`,
        valueFrom: { fieldRef: { ...version, fieldPath } },
    });
    return [
        field("NODE_NAME", "spec.nodeName", {}),
        field("NODE_IP", "status.hostIP", {}),
        field("NAMESPACE", "metadata.namespace"),
        field("POD_NAME", "metadata.name"),
        field("POD_IP", "status.podIP"),
        ...(isSet(stack.clusterName)
            ? [{ name: "OTEL_RESOURCE_ATTRIBUTES", value: `k8s.cluster.name=${stack.clusterName as string}` }]
            : []),
        ...byName(given.filter(({ value }) => isSet(value))).map(({ name, value = "" }) => ({ name, value })),
        ...byName(given.filter(({ value }) => !isSet(value))).map(({ name, valueFrom = null }) => ({
            name,
            valueFrom,
        })),
    ];
}

/** Puts what a collector's presets add under its own fields, and into the lists that it has (`templates/_config.tpl`). */
function withPresets(fields: HelmValues, catalog: Catalog, name: string): HelmValues {
    const parts = catalog.presets.flatMap((preset) => {
        const options = valueAt(fields, ["presets", preset.name]);
        const applies = ([key, value]: [string, HelmValue]) =>
            (key === "mode" ? fields.mode : valueAt(options, [key])) === value;
        return valueAt(options, ["enabled"]) === true
            ? preset.parts.filter(({ when = {} }) => Object.entries(when).every(applies))
            : [];
    });
    const withName = parts.map((part) => namedParts(part)(name));
    const merged = mergeValues(...withName.map(({ spec }) => spec), fields);
    return withName
        .flatMap(({ lists }) => lists)
        .filter(({ path }) => !path.includes("pipelines") || isSet(valueAt(merged, path.slice(0, -1))))
        .reduce((all, { path, first, last }) => {
            const present = (valueAt(all, path) ?? []) as HelmValue[];
            const missing = (entries: HelmValue[]) => entries.filter((entry) => !present.includes(entry));
            return mergeValues(all, nest(path, [...missing(first), ...present, ...missing(last)]));
        }, merged);
}

/** What a preset adds to a collector, by the collector's name. */
const namedParts = oncePer((part: PresetPart) => {
    const text = JSON.stringify(part);
    const known = new Map<string, PresetPart>();
    return (name: string) => {
        const found = known.get(name) ?? (JSON.parse(text.replaceAll(collectorNamePlaceholder, name)) as PresetPart);
        known.set(name, found);
        return found;
    };
});

/** A human-readable collector: what runs it first, its configuration last, in the order in which data flows. */
export function collectorDocument({ image, mode, hostNetwork, env, pods, config }: Collector): HelmValues {
    const { volumes, volumeMounts, ...rest } = pods;
    const parts = ["receivers", "processors", "connectors", "exporters", "extensions", "service"];
    const ordered = Object.entries(sortKeys(config) as HelmValues).sort(
        ([a], [b]) => parts.indexOf(a) - parts.indexOf(b),
    );
    return {
        image,
        mode,
        ...(hostNetwork ? { hostNetwork } : {}),
        ...(sortKeys(rest) as HelmValues),
        env: nameFirst(env as unknown as HelmValue),
        ...(volumes === undefined ? {} : { volumes: nameFirst(volumes) }),
        ...(volumeMounts === undefined ? {} : { volumeMounts: nameFirst(volumeMounts) }),
        config: Object.fromEntries(ordered),
    };
}

/** A list of maps, each with its name first, regardless of their origin. */
function nameFirst(list: HelmValue): HelmValue {
    return (list as HelmValues[]).map(({ name = "", ...rest }) => ({ name, ...(sortKeys(rest) as HelmValues) }));
}

/** With sorted keys in every map, so that equal content gives equal text. */
function sortKeys(value: HelmValue): HelmValue {
    if (Array.isArray(value)) {
        return value.map(sortKeys);
    }
    return isMap(value)
        ? Object.fromEntries(
              Object.entries(value)
                  .sort(([a], [b]) => (a < b ? -1 : 1))
                  .map(([key, inner]) => [key, sortKeys(inner)]),
          )
        : value;
}
