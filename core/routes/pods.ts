import { kubeStack, type Signal } from "../charts";
import { defaultAt } from "../charts/defaults";
import { collectorsChart } from "../charts/installed";
import { effectiveCollectors, type Collector } from "../collectors/effective";
import { listOf, pipelinesOf } from "../collectors/flows";
import { compact, definedOnly } from "../lib/compact";
import { isMap, leaves, mergeValues, nest, nestSome, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import { pipelineKinds, type CollectorPods, type ProxySettings } from "../settings/pods";
import type { Merged } from "../collectors/merged";
import type { Settings } from "../settings/settings";
import type { Resolved } from "./parts";
import { storesOf, type Volume } from "./volumes";

/** What the program writes for the pods of collectors and stores. */
export interface PodValues {
    /** Maps and names. `kof:values` go over them, as over everything. */
    readonly values: HelmValues;
    /** Lists with what is added to them: to what charts, route and `kof:values` have there. A list in Helm's values replaces one. */
    readonly lists: HelmValues;
}

/** What settings say of pods, apart from their lists. */
const fields = ["resources", "nodeSelector", "priorityClassName"] as const;

/**
 * What `kof:collectors`, `kof:proxy` and the pods in `kof:storage` resolve to.
 *
 * @param deployment without any of them.
 */
export function podValues(deployment: Resolved): PodValues {
    const { settings } = deployment;
    const hasStores = Object.values(settings.storage ?? {}).some((each) => each !== undefined);
    const parts = compact(
        (settings.collectors ?? settings.proxy) && collectorPodValues(deployment),
        ...(hasStores ? storesOf(deployment).map((store) => storeValues(deployment, store)) : []),
    );
    return {
        values: mergeValues(...parts.map(({ values }) => values)),
        lists: mergeValues(...parts.map(({ lists }) => lists)),
    };
}

function collectorPodValues(deployment: Resolved): PodValues {
    const chart = collectorsChart(deployment.umbrella);
    if (!chart) {
        return { values: {}, lists: {} };
    }
    const { collectors: pods = {} } = deployment.settings;
    const stack = [...chart.prefix, kubeStack];
    const running = effectiveCollectors(deployment);
    // Each collector has resources and tolerations of its own in the charts, which win over what they share.
    const ofEach = (values: (collector: Collector) => HelmValues) =>
        running.map((collector) => nest([...stack, "collectors", collector.key], values(collector)));
    const definitions = Object.fromEntries(
        addedProcessors(pods).map(({ name, config }) => [name, config as HelmValues]),
    );
    const env = additions(deployment, running);
    const present = (valueAt(deployment.umbrella, [...stack, "extraEnvs"]) ?? []) as HelmValue[];
    return {
        values: mergeValues(
            ...ofEach(() => fieldsOfPods(pods)),
            nestSome([...stack, "defaultCRConfig", "config", "processors"], definitions),
        ),
        lists: mergeValues(
            // The only list of variables that replaces no other: the chart adds it to `env` (`renderenvs` in
            // opentelemetry-kube-stack 0.5.3 to 0.6.3, templates/_helpers.tpl). It is empty in the charts of KOF 1.8.0 to 1.11.0-rc0.
            env.length > 0 ? nest([...stack, "extraEnvs"], [...present, ...env]) : {},
            ...ofEach((collector) =>
                mergeValues(tolerated(collector.pods.tolerations, pods), pipelineProcessors(collector, pods)),
            ),
        ),
    };
}

/** What settings say of each pod, apart from its lists. */
export function fieldsOfPods(pods: Partial<Record<(typeof fields)[number], unknown>>): HelmValues {
    const { resources, nodeSelector, priorityClassName } = pods;
    return asValue({ resources, nodeSelector, priorityClassName }) as HelmValues;
}

/** Settings as they go into values: without what they leave out. */
export function asValue(setting: unknown): HelmValue {
    return JSON.parse(JSON.stringify(setting)) as HelmValue;
}

/** Tolerations with what settings add to them. */
function tolerated(present: HelmValue | undefined, { tolerations }: Pick<CollectorPods, "tolerations">): HelmValues {
    return tolerations === undefined
        ? {}
        : { tolerations: [...((present ?? []) as HelmValue[]), ...(asValue(tolerations) as HelmValue[])] };
}

/** The processors that settings add, each once. */
function addedProcessors({ processors = {} }: CollectorPods) {
    const all = pipelineKinds.flatMap((kind) => processors[kind] ?? []);
    return all.filter(({ name }, i) => all.findIndex((each) => each.name === name) === i);
}

/** The pipelines of a collector that receive a signal, with the processors that settings add to them. */
function pipelineProcessors({ config }: Collector, { processors = {} }: CollectorPods): HelmValues {
    const fragments = pipelineKinds.flatMap((kind) => {
        const pipeline = pipelinesOf(config)[kind];
        const added = (processors[kind] ?? []).map(({ name }) => name);
        if (pipeline === undefined || added.length === 0 || listOf(pipeline, "receivers").includes("nop")) {
            return [];
        }
        const present = listOf(pipeline, "processors");
        const batch = present.findIndex((name) => name.split("/")[0] === "batch");
        const end = batch < 0 ? present.length : batch;
        const list = [...present.slice(0, end), ...added, ...present.slice(end)];
        return [nest(["config", "service", "pipelines", kind, "processors"], list)];
    });
    return mergeValues(...fragments);
}

/** The variables of proxies, by the key of each in `kof:proxy`. */
export const proxyVariables = { http: "HTTP_PROXY", https: "HTTPS_PROXY" } as const;

/** Whether the variables that settings add name a proxy: in a Secret, where it has a password. */
export function namesProxy({ env = [] }: CollectorPods = {}): boolean {
    return env.some(({ name }) => Object.values<string>(proxyVariables).includes(name));
}

/** The variables that settings add to those of the collectors. */
function additions({ settings: { collectors = {}, proxy } }: Resolved, running: readonly Collector[]): HelmValue[] {
    const env = asValue(collectors.env ?? []) as HelmValues[];
    const urls = Object.entries(proxyVariables).flatMap(([scheme, name]) => {
        const value = proxy?.[scheme as keyof typeof proxyVariables];
        return value === undefined ? [] : [{ name, value }];
    });
    const none =
        proxy || namesProxy(collectors) ? [{ name: "NO_PROXY", value: unproxied(running, proxy).join(",") }] : [];
    return [...urls, ...none, ...env];
}

/**
 * What collectors reach without a proxy. They follow `NO_PROXY` wherever they follow `HTTPS_PROXY`, except for CloudWatch and X-Ray
 * (`internal/aws/awsutil` of contrib 0.143; both tried with that collector, 2026-11-27), which are outside. Kubernetes puts in what `$(NAME)` stands for: it sets the address of
 * its API server in every pod, and the chart sets those of the node before any variable of ours.
 */
function unproxied(running: readonly Collector[], proxy: ProxySettings | undefined): string[] {
    return [
        ...["localhost", "127.0.0.1", "::1", ".svc", ".cluster.local", "kubernetes.default"],
        ...["$(KUBERNETES_SERVICE_HOST)", "$(OTEL_K8S_NODE_IP)", "$(OTEL_K8S_NODE_NAME)"],
        // Where instances and pods get credentials: EC2, and the EKS Pod Identity Agent.
        ...["169.254.169.254", "169.254.170.23", "fd00:ec2::23"],
        ...servicesOf(running),
        ...(proxy?.noProxy ?? []),
    ];
}

/** A host without a domain: in a URL, or as exporters for gRPC have it, with a port and no scheme. */
const serviceAddress = /^(?:https?:\/\/([a-z0-9][-a-z0-9]*)(?=[:/]|$)|([a-z][-a-z0-9]*):\d+$)/;

/** The services of this namespace that the collectors name without a domain, the target allocator's among them. */
function servicesOf(running: readonly Collector[]): string[] {
    const named = running.flatMap(({ config }) =>
        [...leaves(config)].flatMap(([, value]) => {
            const [, inUrl, host = inUrl] = serviceAddress.exec(typeof value === "string" ? value : "") ?? [];
            return host === undefined || host === "localhost" || /^\d+$/.test(host) ? [] : [host];
        }),
    );
    const allocators = running
        .filter(({ pods }) => valueAt(pods, ["targetAllocator", "enabled"]) === true)
        .map(({ name }) => `${name}-targetallocator`);
    return [...new Set([...named, ...allocators])].sort();
}

/** Whether settings say anything of pods, or of what is added to them. */
export function saysOfPods({ collectors, proxy, storage = {} }: Settings): boolean {
    const ofStores = Object.values(storage).flatMap((pods) => Object.keys(pods ?? {}));
    return Boolean(collectors ?? proxy) || ofStores.some((key) => storeFields.includes(key));
}

const storeFields: readonly string[] = [...fields, "tolerations"];

/** What a store's pods get; `undefined` for what has none of its own in the charts. */
export function podsOfStore({ umbrella, catalog }: Merged, store: Volume): HelmValues | undefined {
    const path = pathOfStore(store);
    if (!path) {
        return undefined;
    }
    const found = storeFields.map((field) => {
        const at = [...path, field];
        const [own, chart] = [valueAt(umbrella, at), defaultAt(catalog, at)];
        return [field, isMap(own) && isMap(chart) ? mergeValues(chart, own) : (own ?? chart)] as const;
    });
    return definedOnly(Object.fromEntries(found));
}

/** Where a store's values have something of its pods: beside their number, in every chart and version. */
export function pathOfStore({ source: { volume, chart } }: Volume): readonly string[] | undefined {
    return volume.replicas ? [...chart.prefix, ...volume.replicas.path.slice(0, -1)] : undefined;
}

/** What settings say of the pods of a store. What is kept needs other resources than the cache beside it, on the same nodes. */
export function askedOfStore({ settings }: Merged, { source: { volume } }: Volume): StorePods | undefined {
    const pods = volume.signal === "grafana" ? undefined : settings.storage?.[volume.signal];
    return pods && volume.cache ? { ...pods, resources: undefined } : pods;
}

type StorePods = NonNullable<NonNullable<Settings["storage"]>[Signal]>;

function storeValues(deployment: Resolved, store: Volume): PodValues {
    const [pods, path] = [askedOfStore(deployment, store), pathOfStore(store)];
    if (!pods || !path) {
        return { values: {}, lists: {} };
    }
    return {
        values: nestSome(path, fieldsOfPods(pods)),
        lists: nestSome(path, tolerated(podsOfStore(deployment, store)?.tolerations, pods)),
    };
}
