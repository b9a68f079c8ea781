import {
    exporterService,
    istioRole,
    kcmApi,
    kcmNamespace,
    pausedAnnotation,
    regionalService,
    regionLabels,
    regionNameLabel,
    regionQuery,
    regionSelector,
    selects,
    type Regions,
} from "../core/charts/multiCluster";
import { CouldNotCheck, couldNotCheck } from "../core/lib/errors";
import { secretCopies } from "../core/routes/archives";
import type { Deployment } from "../core/routes/deployment";
import { cronJobOf } from "./cronJobs";
import { clusterDeployments, regionsAmong, type RegionalCluster } from "./clusterDeployments";
import { lookAtEach, type Check, type Finding, type Findings, type Live } from "./findings";
import type { Kubernetes } from "./kubernetes";
import type { ApiObject, StatusCondition } from "./objects";
import { sveltosApi, type ClusterSummary } from "./releases";

/** Whether what a stack asks of regional clusters reaches them, as far as the management cluster knows. */
export const regions: readonly Check[] = [{ title: "Regions", look: regionFindings }];

/** `status` as KCM 1.8 to 1.11 write it (`api/v1beta1/multiclusterservice_types.go`). */
export interface MultiClusterService extends ApiObject {
    readonly spec?: { readonly serviceSpec?: { readonly services?: readonly { readonly template: string }[] } };
    readonly status?: {
        readonly observedGeneration?: number;
        readonly conditions?: readonly StatusCondition[];
        readonly matchingClusters?: readonly {
            readonly namespace?: string;
            readonly name?: string;
            readonly deployed?: boolean;
            readonly message?: string;
        }[];
    };
}

interface ServiceTemplate extends ApiObject {
    readonly status?: { readonly valid?: boolean; readonly validationError?: string };
}

/** What KCM makes of a MultiClusterService for one cluster (`api/v1beta1/serviceset_types.go`). */
interface ServiceSet extends ApiObject {
    readonly spec?: { readonly cluster?: string; readonly multiClusterService?: string };
    readonly status?: {
        readonly conditions?: readonly StatusCondition[];
        readonly services?: readonly {
            readonly name: string;
            readonly state?: string;
            readonly failureMessage?: string;
        }[];
    };
}

/** The regions that an archive's exporter is for. */
export function archivedRegions(
    clusters: readonly RegionalCluster[],
    { settings }: Deployment,
    wanted: Regions,
): RegionalCluster[] {
    return clusters.filter(({ labels }) => selects(regionSelector(settings.istio, wanted), labels));
}

/** Where the API has what has KCM install something on clusters. */
export function multiClusterServicePath(name: string): string {
    return `${kcmApi}/multiclusterservices/${name}`;
}

/** One object that has KCM install something on regions. */
interface Service {
    readonly name: string;
    /** What it brings there. */
    readonly what: string;
    /** The setting that asks for it. */
    readonly setting: string;
    /** The regions that it is for, of all clusters. */
    readonly of: (clusters: readonly RegionalCluster[]) => readonly RegionalCluster[];
    /** Whether KOF or the stack is installed so far that it has to be there. */
    readonly isDue: (kubernetes: Kubernetes) => Promise<boolean>;
}

function servicesOf(deployment: Deployment): Service[] {
    const { settings, archives, regionalStores } = deployment;
    const archived = archives.flatMap((archive) => (archive.regional ? [{ archive, on: archive.regional }] : []));
    const isDue = async (kubernetes: Kubernetes) =>
        (await Promise.all(archived.map(({ archive }) => cronJobOf(archive, kubernetes)))).some(Boolean);
    const stores: Service = {
        name: regionalService(settings.istio),
        what: "KOF with its stores",
        setting: "kof:regions",
        of: (clusters) => archivedRegions(clusters, deployment, "all"),
        // Its release is another check's.
        isDue: () => Promise.resolve(false),
    };
    return [
        ...(settings.regions && regionalStores.length > 0 ? [stores] : []),
        ...archived.map(({ archive, on }) => ({
            name: exporterService(archive.name),
            what: archive.name,
            setting: `kof:${archive.kind}.regions`,
            of: (clusters: readonly RegionalCluster[]) => archivedRegions(clusters, deployment, on.regions),
            isDue,
        })),
        ...secretCopies(settings).map(({ name, regions: wanted, secrets }) => ({
            name: `${name}-remote`,
            what: `Secret ${secrets.join(" and ")}`,
            setting: archived.map(({ archive }) => `kof:${archive.kind}.regions`).join(" and "),
            of: (clusters: readonly RegionalCluster[]) =>
                regionsAmong(clusters).filter(
                    ({ labels }) => wanted === "all" || wanted.includes(labels[regionNameLabel] ?? ""),
                ),
            isDue,
        })),
    ];
}

/** Of regions that are named, those that KCM does not select. */
export function unselected(clusters: readonly RegionalCluster[], { settings }: Deployment, wanted: Regions): string[] {
    return (wanted === "all" ? [] : wanted).filter(
        (name) => !clusters.some(({ labels }) => selects(regionSelector(settings.istio, [name]), labels)),
    );
}

async function regionFindings(live: Live): Promise<Findings> {
    const services = servicesOf(live.deployment);
    if (services.length === 0) {
        return undefined;
    }
    const clusters = clusterDeployments(live.kubernetes);
    return lookAtEach(
        [
            async () => selectionFindings(await clusters, services, live.deployment),
            ...services.flatMap((service) => serviceLooks(service, clusters, live)),
        ],
        (look) => look(),
    );
}

const regionList = `kubectl get clusterdeployments -A -L ${Object.keys(regionLabels).join(",")},${regionNameLabel},${istioRole}`;

/** Which regions there are, and whether those that are named are among them and are selected. */
function selectionFindings(
    clusters: readonly RegionalCluster[],
    services: readonly Service[],
    deployment: Deployment,
): Findings {
    const there = regionsAmong(clusters);
    const named = deployment.archives.flatMap(({ kind, regional }) =>
        regional === undefined || regional.regions === "all"
            ? []
            : regional.regions.map((name) => ({ name, key: `kof:${kind}.regions` })),
    );
    const names = [...new Set(named.map(({ name }) => name))];
    const missing = names.map((name) => {
        const keys = named.filter((each) => each.name === name).map(({ key }) => key);
        return namedFindings(name, keys.join(" and "), clusters, deployment);
    });
    const all = services.filter(({ of }) => of(there).length === 0).map(({ setting }) => setting);
    const selected = regionSelector(deployment.settings.istio, "all");
    const isNone = there.length === 0 && names.length === 0 && all.length > 0;
    return [
        missing,
        isNone && {
            severity: "warning",
            what: `there is no regional cluster: no ClusterDeployment has the label ${regionQuery}`,
            why: `${[...new Set(all)].join(" and ")} will hold for the first one that comes, and changes nothing until then.`,
            fix: regionList,
        },
        there
            .filter(({ labels, name }) => !selects(selected, labels) && !names.includes(name))
            .map((region) => outsideMesh(region, deployment, "warning")),
    ];
}

/** A region, human-readable: `kcm-system/eu-1`. */
export const regionId = ({ namespace, name }: Pick<RegionalCluster, "namespace" | "name">) => `${namespace}/${name}`;

/** A region that is named, and is none, or is not selected by its name. */
function namedFindings(
    name: string,
    key: string,
    clusters: readonly RegionalCluster[],
    deployment: Deployment,
): Findings {
    if (unselected(clusters, deployment, [name]).length === 0) {
        return undefined;
    }
    const why = "KCM selects clusters by their labels: nothing of this region is archived.";
    const same = clusters.filter((each) => each.name === name || each.labels[regionNameLabel] === name);
    const [found] = [...regionsAmong(same), ...same];
    if (found === undefined) {
        const what = `${key} has ${name}, and there is no ClusterDeployment of that name`;
        return { severity: "problem", what, why, fix: regionList };
    }
    const { labels } = found;
    const set = (label: string) =>
        `kubectl label clusterdeployment -n ${found.namespace} ${found.name} --overwrite ${label}`;
    if (!selects({ matchLabels: regionLabels }, labels)) {
        return {
            severity: "problem",
            what: `${key} has ${name}, but ${regionId(found)} is no regional cluster: it has no label ${regionQuery}`,
            why: `${why} With that label KOF would store telemetry there.`,
            fix: regionList,
        };
    }
    if (labels[regionNameLabel] !== name) {
        const has = labels[regionNameLabel];
        return {
            severity: "problem",
            what: `${key} has ${name}, but the label ${regionNameLabel} of ${regionId(found)} is ${has ?? "not there"}`,
            why: `${why} kof-operator adds the label where there is none, and leaves another one as it is.`,
            fix: set(`${regionNameLabel}=${name}`),
        };
    }
    return [outsideMesh(found, deployment, "problem")];
}

/** A region on the other side of Istio's mesh, where this stack's KOF does not install its stores. */
function outsideMesh(region: RegionalCluster, { settings }: Deployment, severity: Finding["severity"]): Finding {
    const has = region.labels[istioRole];
    return {
        severity,
        what: `region ${regionId(region)} has ${has === undefined ? `no label ${istioRole}` : `the label ${istioRole}=${has}`}, and kof:istio is ${String(settings.istio)}`,
        why: "Another object of KOF installs the stores there, by other names: what the settings say of regions does not reach it.",
        fix: regionList,
    };
}

/** The looks at one object of KCM, each of which may be refused by itself. */
function serviceLooks(service: Service, clusters: Promise<readonly RegionalCluster[]>, live: Live) {
    const { kubernetes } = live;
    const object = kubernetes.get<MultiClusterService>(multiClusterServicePath(service.name));
    return [
        async () => objectFindings(service, await object, kubernetes),
        async () => templateFindings(await object, live),
        async () => clusterFindings(service, await object, await clusters, kubernetes),
    ];
}

const describe = (name: string) => `kubectl describe multiclusterservice ${name}`;

async function objectFindings(
    service: Service,
    object: MultiClusterService | undefined,
    kubernetes: Kubernetes,
): Promise<Findings> {
    const { name, what, setting } = service;
    if (object === undefined) {
        return (
            (await service.isDue(kubernetes)) && {
                severity: "warning",
                what: `there is no MultiClusterService ${name}, which brings ${what} to regions`,
                why: `Before pulumi up has made it for ${setting}, that is as it should be. Later, nothing reaches a region without it.`,
                fix: "pulumi up --refresh",
            }
        );
    }
    const { metadata, status } = object;
    const seen = status?.observedGeneration;
    const refused = (status?.conditions ?? []).filter(
        ({ type, status: is }) => is === "False" && type.endsWith("Validation"),
    );
    return [
        metadata.deletionTimestamp !== undefined && {
            severity: "problem",
            what: `MultiClusterService ${name} is being deleted`,
            why: `KCM takes ${what} off every region before it is gone. A region that is not reached holds that up.`,
            fix: describe(name),
        },
        (seen === undefined || seen < (metadata.generation ?? 0)) && {
            severity: "warning",
            what: `KCM has not looked at MultiClusterService ${name} ${seen === undefined ? "yet" : "since it was changed"}`,
            why: `What ${setting} says has not reached any region.`,
            fix: "kubectl get deployments -A -l app.kubernetes.io/name=kcm",
        },
        refused.map(({ type, message = "" }) => ({
            severity: "problem",
            what: `KCM refuses MultiClusterService ${name} (${type}): ${message}`,
            why: `${what} reaches no region.`,
            fix: describe(name),
        })),
    ];
}

async function templateFindings(object: MultiClusterService | undefined, { kubernetes, deployment }: Live) {
    const namespace = kcmNamespace(deployment.catalog, deployment.values);
    const wanted = [...new Set((object?.spec?.serviceSpec?.services ?? []).map(({ template }) => template))];
    return lookAtEach(wanted, async (name): Promise<Findings> => {
        const path = `${kcmApi}/namespaces/${namespace}/servicetemplates`;
        const found = await kubernetes.get<ServiceTemplate>(`${path}/${name}`);
        const title = `ServiceTemplate ${namespace}/${name}`;
        const why = "KCM installs no chart by it.";
        if (found === undefined) {
            const fix = `kubectl get servicetemplates -n ${namespace}`;
            return { severity: "problem", what: `there is no ${title}`, why, fix };
        }
        const { valid, validationError } = found.status ?? {};
        const fix = `kubectl get servicetemplate -n ${namespace} ${name} -o yaml`;
        if (valid === undefined) {
            return { severity: "warning", what: `KCM has not looked at ${title} yet`, why, fix };
        }
        const what = `${title} is not valid: ${validationError ?? "KCM does not say why"}`;
        return !valid && { severity: "problem", what, why, fix };
    });
}

/** Whether KCM has brought it to each region that it is for. */
async function clusterFindings(
    service: Service,
    object: MultiClusterService | undefined,
    clusters: readonly RegionalCluster[],
    kubernetes: Kubernetes,
): Promise<Findings> {
    if (object === undefined) {
        return undefined;
    }
    const dependency = object.status?.conditions?.find(({ type }) => type === "MultiClusterServiceDependencyReady");
    const sets = await kubernetes.list<ServiceSet>(`${kcmApi}/servicesets`).catch(couldNotCheck);
    return Promise.all(
        service.of(clusters).map(async (region): Promise<Findings> => {
            const reached = object.status?.matchingClusters?.find(
                (each) => each.name === region.name && each.namespace === region.namespace,
            );
            const set =
                sets instanceof CouldNotCheck
                    ? undefined
                    : sets.find(
                          ({ metadata, spec }) =>
                              spec?.multiClusterService === service.name &&
                              spec.cluster === region.name &&
                              metadata.namespace === region.namespace,
                      );
            const fix =
                set === undefined
                    ? describe(service.name)
                    : `kubectl get serviceset -n ${region.namespace} ${set.metadata.name} -o yaml`;
            if (set?.metadata.annotations?.[pausedAnnotation] !== undefined) {
                const why = "What changes in the settings does not reach the region until the annotation is gone.";
                const what = `${service.what} on region ${regionId(region)} is paused (annotation ${pausedAnnotation})`;
                return { severity: "warning", what, why, fix };
            }
            if (reached?.deployed === true) {
                return undefined;
            }
            const failure = set && (failureOf(set) ?? (await summaryFailure(set, kubernetes)));
            const detail = [
                failure,
                reached?.message,
                dependency?.status === "True" ? undefined : dependency?.message,
                region.unready === undefined ? undefined : `the cluster is not ready (${region.unready})`,
                sets instanceof CouldNotCheck ? `could not check why: ${sets.message}` : undefined,
            ].find((each) => each !== undefined && each !== "");
            return {
                severity: failure === undefined ? "warning" : "problem",
                what: `${service.what} is not on region ${regionId(region)}${detail === undefined ? " yet" : `: ${detail}`}`,
                why:
                    service.setting === "kof:regions"
                        ? "What kof:regions says does not hold there."
                        : "Nothing of this region is archived, and its store deletes what is older than its retention.",
                fix,
            };
        }),
    );
}

function failureOf({ status }: ServiceSet): string | undefined {
    const failed = status?.services?.find(
        ({ state, failureMessage = "" }) => state === "Failed" || failureMessage !== "",
    );
    return failed && `${failed.name}: ${failed.failureMessage ?? "failed"}`;
}

/** What Sveltos says about a ServiceSet, where KCM does not pass it on. For a region of KCM itself, it is on that cluster, out of sight. */
async function summaryFailure({ metadata }: ServiceSet, kubernetes: Kubernetes): Promise<string | undefined> {
    const path = `${sveltosApi}/namespaces/${metadata.namespace ?? ""}/clustersummaries`;
    const all = await kubernetes.list<ClusterSummary>(path).catch(couldNotCheck);
    const own = all instanceof CouldNotCheck ? [] : all;
    return own
        .filter((each) => each.metadata.name.includes(metadata.name))
        .flatMap(({ status }) => [
            ...(status?.featureSummaries ?? []).flatMap(({ status: is = "", failureMessage }) =>
                is.startsWith("Failed") ? [failureMessage ?? is] : [],
            ),
            ...(status?.helmReleaseSummaries ?? []).flatMap(({ status: is, conflictMessage }) =>
                is === "Conflict" ? [conflictMessage ?? "another profile manages the release"] : [],
            ),
        ])
        .at(0);
}
