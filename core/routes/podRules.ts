import { isDeepStrictEqual } from "node:util";

import { kubeStack, signals } from "../charts";
import { collectorsChart } from "../charts/installed";
import { effectiveCollectors } from "../collectors/effective";
import { cpuCores, sizeInGiB } from "../lib/quantities";
import { compact } from "../lib/compact";
import { formatPath, leaves, textOf, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import { stackFile } from "../settings/explain";
import { brief, type Problem } from "../settings/problems";
import { pipelineKinds, type Resources } from "../settings/pods";
import { addressFor, resolvedDestination } from "../settings/resolvedDestinations";
import { namesIn } from "../settings/routing";
import { askedOfStore, asValue, fieldsOfPods, namesProxy, pathOfStore, podsOfStore, proxyVariables } from "./pods";
import type { Deployment } from "./deployment";
import type { Resolved } from "./parts";
import { storesOf } from "./volumes";

/**
 * What is wrong with what settings say of pods: what Kubernetes would refuse, and what would not arrive.
 *
 * @param deployment of settings that are right otherwise.
 * @param plain the same without `kof:collectors` and `kof:proxy`.
 */
export function podProblems(deployment: Resolved, plain: Resolved): Problem[] {
    const { collectors } = deployment.settings;
    const running = effectiveCollectors(deployment);
    return [
        ...(collectors?.resources
            ? resourceProblems(
                  ["collectors", "resources"],
                  collectors.resources,
                  running.map(({ name, pods }) => [name, pods.resources]),
              )
            : []),
        ...storePodProblems(deployment),
        ...variableProblems(plain, deployment),
        ...processorProblems(plain, deployment),
        ...pastedProblems(deployment),
    ];
}

const measures = { cpu: cpuCores, memory: sizeInGiB } as const;

/** Pods that ask for more than they may have, which Kubernetes refuses to make. */
function resourceProblems(
    path: readonly string[],
    asked: Resources,
    pods: readonly (readonly [name: string, resources: HelmValue | undefined])[],
): Problem[] {
    return (["cpu", "memory"] as const).flatMap((kind): Problem[] => {
        const amount = (from: HelmValue | undefined, part: string) => textOf(valueAt(from, [part, kind]) ?? "");
        const over = pods.filter(
            ([, each]) => measures[kind](amount(each, "requests")) > measures[kind](amount(each, "limits")),
        );
        const [own, other] =
            asked.requests?.[kind] === undefined
                ? (["limits", "requests"] as const)
                : (["requests", "limits"] as const);
        const wanted = asked[own]?.[kind];
        const [first] = over;
        if (wanted === undefined || !first) {
            return [];
        }
        const relation = own === "requests" ? "more than the limit" : "less than the request";
        const isDefault = asked[other]?.[kind] === undefined;
        return [
            {
                key: `kof:${[...path, own, kind].join(".")}`,
                message:
                    `is ${brief(wanted)}, ${relation} of ${amount(first[1], other)}${isDefault ? ", KOF's default" : ""}, of ${over.map(([name]) => name).join(", ")}: ` +
                    "Kubernetes would refuse the pods",
                allowed: `at ${own === "requests" ? "most the limit" : "least the request"}, or both`,
                // What somebody wrote of the other stays.
                paste: isDefault
                    ? stackFile([...path, other, kind], wanted)
                    : stackFile([...path, own, kind], amount(first[1], other)),
            },
        ];
    });
}

function storePodProblems(deployment: Resolved): Problem[] {
    const { settings } = deployment;
    return storesOf(deployment).flatMap((store): Problem[] => {
        const [pods, path] = [askedOfStore(deployment, store), pathOfStore(store)];
        if (!pods || !path) {
            return [];
        }
        const setting = ["storage", store.signal];
        const resources = podsOfStore(deployment, store)?.resources;
        return [
            ...(pods.resources
                ? resourceProblems([...setting, "resources"], pods.resources, [[store.workload, resources]])
                : []),
            ...overruled(settings.values, path, fieldsOfPods(pods)).map(({ at: below, wanted, found }) => ({
                key: `kof:values.${formatPath([...path, ...below])}`,
                message:
                    `is ${brief(found)}, but kof:${formatPath([...setting, ...below])} is ${brief(wanted)}: both are of the pods of ` +
                    `${store.workload}. Remove it from values`,
                paste: stackFile([...setting, ...below], found),
            })),
        ];
    });
}

/** What `kof:values` say otherwise than settings, below one of their paths. */
function overruled(values: HelmValues, path: readonly string[], wanted: HelmValues) {
    return [...leaves(wanted)].flatMap(([at, each]) => {
        const found = valueAt(values, [...path, ...at]);
        return found === undefined || isDeepStrictEqual(found, each) ? [] : [{ at, wanted: each, found }];
    });
}

/** Variables that another one of the same name takes the place of, in the chart or here. */
function variableProblems(plain: Resolved, { settings }: Resolved): Problem[] {
    const { collectors: { env = [] } = {}, proxy } = settings;
    const key = "kof:collectors.env";
    const running = effectiveCollectors(plain);
    const taken = (name: string) => running.find((each) => each.env.some((variable) => variable.name === name));
    const ofProxy = Object.entries(proxyVariables).filter(([scheme]) => proxy?.[scheme as "http"] !== undefined);
    return [
        ...env.flatMap(({ name }, i): Problem[] => {
            const [setting] = ofProxy.find(([, variable]) => variable === name) ?? [];
            if (env.findIndex((each) => each.name === name) < i) {
                return [{ key, message: `has ${name} twice`, allowed: "each name once" }];
            }
            if (name === "NO_PROXY" || setting !== undefined) {
                const rest = setting ?? "noProxy";
                return [{ key, message: `has ${name}, which kof:proxy.${rest} decides. Remove it here` }];
            }
            const owner = taken(name);
            return owner
                ? [{ key, message: `has ${name}, which ${owner.name} has already: that one would win. Remove it here` }]
                : [];
        }),
        ...(proxy ? [...ofProxy.map(([, name]) => name), "NO_PROXY"] : []).flatMap((name): Problem[] => {
            const owner = taken(name);
            return compact(
                owner && {
                    key: "kof:proxy",
                    message: `sets ${name}, but kof:values have it among the variables of ${owner.name}, and win. Remove it from values`,
                },
            );
        }),
    ];
}

/** Processors that need different configurations and have the same name. */
function processorProblems(plain: Resolved, { settings }: Resolved): Problem[] {
    const processors = settings.collectors?.processors ?? {};
    const added = pipelineKinds.flatMap((kind) => (processors[kind] ?? []).map((each) => ({ kind, ...each })));
    const running = effectiveCollectors(plain);
    return added.flatMap(({ kind, name, config }, i): Problem[] => {
        const problem = (message: string, allowed: string): Problem[] => [
            { key: `kof:collectors.processors.${kind}`, message: `has ${name}${message}`, allowed },
        ];
        const owner = running.find((each) => valueAt(each.config, ["processors", name]) !== undefined);
        const earlier = added.slice(0, i).filter((each) => each.name === name);
        const other = earlier.find((each) => !isDeepStrictEqual(each.config, config));
        if (owner) {
            const another = `another name, such as ${name.split("/")[0] ?? name}/own`;
            return problem(`, which is the name of a processor that ${owner.name} has already`, another);
        }
        if (earlier.some((each) => each.kind === kind)) {
            return problem(" twice", "each name once");
        }
        return other
            ? problem(
                  ` with another config than kof:collectors.processors.${String(earlier[0]?.kind)}`,
                  "one config for each name",
              )
            : [];
    });
}

/** Text that breaks the template of a MultiClusterService, which has these values between backticks (kof-child and kof-regional, from KOF 1.10 on). */
function pastedProblems(deployment: Resolved): Problem[] {
    const { collectors } = deployment.settings;
    if (collectorsChart(deployment.umbrella)?.by !== "sveltos") {
        return [];
    }
    return [...leaves(asValue({ collectors }))]
        .filter(([, value]) => JSON.stringify(value).includes("`"))
        .map(([path]) => ({
            key: `kof:${formatPath(path)}`,
            message: `has a backtick, which breaks the MultiClusterService template of KOF ${deployment.catalog.version} that it is pasted into`,
        }));
}

/** What a reader of the preview should know of what settings say of pods. */
export function podNotices(deployment: Resolved & Pick<Deployment, "destinations">): string[] {
    const { settings, destinations, routing } = deployment;
    const { collectors, proxy, route } = settings;
    const keys = compact(collectors && "kof:collectors", proxy && "kof:proxy");
    const chart = collectorsChart(deployment.umbrella);
    if (!chart) {
        return keys.map((key) => `${key} has no effect: no collectors run on this cluster (route ${route}).`);
    }
    const stack = [...chart.prefix, kubeStack];
    const wanted = fieldsOfPods(collectors ?? {});
    const isSentAway = Object.values(destinations).some(
        (destination) => destination.stored && destination.ends.some(({ on }) => on !== "cluster"),
    );
    const onNodes = effectiveCollectors(deployment).filter(({ mode }) => mode === "daemonset");
    return compact(
        collectors?.nodeSelector &&
            onNodes.length > 0 &&
            `kof:collectors.nodeSelector keeps ${onNodes.map(({ name }) => name).join(", ")} off all other nodes: nothing of those is collected.`,
        // What kof:values add may leave it on any route.
        proxy &&
            !routing.leavesCluster &&
            !isSentAway &&
            `kof:proxy has no effect on route ${route}, which sends nothing out of this cluster.`,
        ...effectiveCollectors(deployment).flatMap(({ key, name }) =>
            overruled(settings.values, [...stack, "collectors", key], wanted).map(
                ({ at, found }) =>
                    `kof:values.${formatPath([...stack, "collectors", key, ...at])} is ${brief(found)}, and wins over kof:collectors.` +
                    `${formatPath(at)} for ${name}.`,
            ),
        ),
        ...overruled(settings.values, [...stack, "defaultCRConfig"], wanted).map(
            ({ at, found }) =>
                `kof:values.${formatPath([...stack, "defaultCRConfig", ...at])} is ${brief(found)}, which has no effect: ` +
                `kof:collectors.${formatPath(at)} wins over it.`,
        ),
        ...unproxiedNotices(deployment),
    );
}

/** The schemes of the addresses outside the cluster in settings, except those with their own proxy. */
function schemesSentTo({ settings, routing }: Resolved): ("http" | "https")[] {
    const addresses = signals.flatMap((signal) =>
        routing.signals[signal]
            .filter((name) => name !== "management")
            .flatMap((name) => {
                const destination = resolvedDestination(settings, name);
                if (destination?.proxy !== undefined) {
                    return [];
                }
                const found = destination && addressFor(destination, signal);
                const own = found && "endpoint" in found ? found.endpoint : undefined;
                return [own ?? destination?.endpoint ?? "https://"];
            }),
    );
    return [...new Set(addresses.map((each) => (each.startsWith("https://") ? "https" : "http")))].sort();
}

/** Hosts of destinations that may be `SERVICE.NAMESPACE`: two names, with a port or without encryption, to which a proxy applies. */
function serviceLike({ settings, routing }: Resolved): string[] {
    const { proxy } = settings;
    const hosts = namesIn(routing.signals)
        .map((name) => resolvedDestination(settings, name))
        .filter((found) => found?.proxy === undefined)
        .flatMap((found) => [
            found?.endpoint ?? "",
            ...Object.values(found?.signals ?? {}).map((each) => (each ? each.endpoint : "")),
        ])
        .filter((each) => URL.canParse(each))
        .map((each) => new URL(each))
        .filter(({ protocol, port }) => (protocol === "http:" ? proxy?.http : port !== "" && proxy?.https))
        .map(({ hostname }) => hostname)
        .filter((host) => /^[a-z][-a-z0-9]*\.[a-z][-a-z0-9]*$/.test(host) && !host.endsWith(".svc"));
    return [...new Set(hosts)];
}

/** Addresses that are reached otherwise than a proxy's settings look. */
function unproxiedNotices(deployment: Resolved): string[] {
    const { settings, cloudwatch } = deployment;
    const { proxy } = settings;
    if (!proxy || namesProxy(settings.collectors)) {
        return [];
    }
    if (proxy.http === undefined && proxy.https === undefined) {
        return ["kof:proxy.noProxy has no effect without kof:proxy.https or kof:proxy.http."];
    }
    return compact(
        ...schemesSentTo(deployment)
            .filter((scheme) => !settings.istio && proxy[scheme] === undefined)
            .map(
                (scheme) =>
                    `kof:proxy.${scheme} is not set: what the collectors send to ${scheme}:// addresses goes there without a proxy.`,
            ),
        ...serviceLike(deployment).flatMap((host) => {
            const isExcepted = [host, host.slice(host.indexOf("."))].some((each) => proxy.noProxy?.includes(each));
            return compact(
                !isExcepted &&
                    `The collectors reach ${host} through kof:proxy. Where it is a Service of this cluster, write ${host}.svc, or have ` +
                        `kof:proxy.noProxy: [${[...(proxy.noProxy ?? []), host].join(", ")}].`,
            );
        }),
        cloudwatch?.endpoint !== undefined &&
            proxy.https !== undefined &&
            "kof:cloudwatch.endpoint is reached through kof:proxy.https, whatever kof:proxy.noProxy says: the exporters for AWS look at the proxy alone.",
    );
}
