import { umbrellaObjects, type UmbrellaObject } from "../core/charts/umbrella";
import { maskedLog } from "../core/lib/secrets";
import { minutesSince, usualWait } from "./ages";
import type { ApiObject, StatusCondition } from "./objects";
import { lookAtEach, type Check, type Findings, type Live } from "./findings";

/** What Flux and Sveltos say of what they install. */
export const releases: readonly Check[] = [
    { title: "Flux releases", look: fluxObjects },
    { title: "Sveltos services", look: clusterSummaries },
];

/** What Flux takes care of, as the API has it. */
export interface Reconciled extends ApiObject {
    readonly spec?: { readonly suspend?: boolean; readonly type?: string };
    readonly status?: {
        readonly observedGeneration?: number;
        readonly conditions?: readonly StatusCondition[];
    };
}

/** Where the API has an object of the umbrella. */
export function pathOf({ kind, namespace, name }: Pick<UmbrellaObject, "kind" | "namespace" | "name">): string {
    const [group, plural] = paths[kind];
    return `/apis/${group}/namespaces/${namespace}/${plural}/${name}`;
}

const paths = {
    HelmRepository: ["source.toolkit.fluxcd.io/v1", "helmrepositories"],
    HelmChart: ["source.toolkit.fluxcd.io/v1", "helmcharts"],
    HelmRelease: ["helm.toolkit.fluxcd.io/v2", "helmreleases"],
} as const;

/** Pulumi only says that it waited in vain for a HelmRelease. Why is in the conditions of it, its chart and its repository. */
async function fluxObjects({ kubernetes, deployment }: Live): Promise<Findings> {
    const objects = umbrellaObjects(deployment.catalog, deployment.values);
    return lookAtEach(objects, async ({ kind, namespace, name }) => {
        const object = await kubernetes.get<Reconciled>(pathOf({ kind, namespace, name }));
        const title = `${kind} ${name}`;
        const at = `${kind.toLowerCase()} -n ${namespace} ${name}`;
        // Flux only reads the address of a registry, where a chart names it, and says nothing of it (HelmRepository, source-controller 1.3).
        const isStatic = kind === "HelmRepository" && object?.spec?.type === "oci";
        const conditions = isStatic ? [] : (object?.status?.conditions ?? []);
        const failed = conditions.find(({ type, status, reason }) =>
            type === "Stalled"
                ? status === "True"
                : type === "Ready" && status === "False" && reason !== "DependencyNotReady",
        );
        const { creationTimestamp = "", deletionTimestamp = "", generation = 0 } = object?.metadata ?? {};
        const ready = conditions.find(({ type }) => type === "Ready");
        const isSuspended = object?.spec?.suspend === true;
        const progress = (): Findings => {
            if (minutesSince(deletionTimestamp) > usualWait) {
                return {
                    severity: "problem",
                    what: `${title} is being deleted since ${deletionTimestamp}, and is still there`,
                    why: "Whoever has to let go of it (its finalizers) does not, and nobody can make it again before.",
                    fix: `kubectl describe ${at}`,
                };
            }
            if (!isStatic && !isSuspended && !ready && minutesSince(creationTimestamp) > usualWait) {
                return {
                    severity: "problem",
                    what: `${title} was made at ${creationTimestamp}, and Flux has not looked at it`,
                    why: "Flux does not run, or is not let in: it neither installs nor changes anything.",
                    fix: fluxPods,
                };
            }
            if (ready?.status === "Unknown" && minutesSince(ready.lastTransitionTime ?? "") > longest) {
                return {
                    severity: "problem",
                    what: `${title} is in progress since ${ready.lastTransitionTime ?? ""}: ${maskedLog(ready.message ?? ready.reason ?? "")}`,
                    why: "Nothing that Flux does takes that long. It may have ended in the middle, or wait for what does not come.",
                    fix: fluxPods,
                };
            }
            const isOutdated = (object?.status?.observedGeneration ?? generation) < generation;
            return (
                ready?.status === "True" &&
                !isSuspended &&
                isOutdated && {
                    severity: "warning",
                    what: `Flux has not looked at ${title} since it was changed`,
                    why: "That it is ready is said of what it was before. If this stays so, Flux does not run.",
                    fix: fluxPods,
                }
            );
        };
        return [
            failed && {
                severity: "problem",
                what: `${title}: ${failed.reason ?? "not ready"}: ${maskedLog(failed.message ?? "")}`,
                why:
                    kind === "HelmRelease"
                        ? "It is not installed, and what depends on it waits."
                        : "Flux cannot fetch the chart.",
                fix: `kubectl describe ${at}`,
            },
            progress(),
            isSuspended && {
                severity: "warning",
                what: `${title} is suspended`,
                why: "Flux neither changes nor uninstalls it.",
                fix: `kubectl patch ${at} --type merge -p '{"spec":{"suspend":false}}'`,
            },
        ];
    });
}

/** Minutes after which Flux has given up whatever it does. */
const longest = 60;
const fluxPods = "kubectl get pods -A -l app.kubernetes.io/part-of=flux";

/** Where the API has what Sveltos works on. */
export const sveltosApi = "/apis/config.projectsveltos.io/v1beta1";

/** What Sveltos installs on one cluster. Made of a ServiceSet, it has that one's name in its own (`p--SERVICESET-capi-CLUSTER`). */
export interface ClusterSummary extends ApiObject {
    readonly spec?: {
        readonly clusterProfileSpec?: {
            readonly helmCharts?: readonly { readonly releaseName?: string; readonly releaseNamespace?: string }[];
        };
    };
    readonly status?: {
        readonly featureSummaries?: readonly { readonly status?: string; readonly failureMessage?: string }[];
        readonly helmReleaseSummaries?: readonly { readonly status?: string; readonly conflictMessage?: string }[];
    };
}

/** From KOF 1.10 on, Sveltos installs what runs on the management cluster in addition to the umbrella's releases. */
async function clusterSummaries({ kubernetes }: Live): Promise<Findings> {
    const all = await kubernetes.list<ClusterSummary>(`${sveltosApi}/clustersummaries`);
    return all.filter(isOfKof).flatMap(({ metadata: { namespace = "", name }, status }) =>
        (status?.featureSummaries ?? [])
            .filter(({ status: is, failureMessage = "" }) => is?.startsWith("Failed") === true || failureMessage !== "")
            .map((feature) => ({
                severity: "problem" as const,
                what: `ClusterSummary ${namespace}/${name}: ${maskedLog([feature.failureMessage, feature.status].find(Boolean) ?? "")}`,
                why: "Sveltos could not install a service that KOF is made of.",
                fix: `kubectl describe clustersummary -n ${namespace} ${name}`,
            })),
    );
}

/** What Sveltos labels a summary with, after the profile that it is of. */
const profileLabels = ["projectsveltos.io/cluster-profile-name", "projectsveltos.io/profile-name"];

/**
 * Whether a ClusterSummary is about KOF, and not about what another team has Sveltos install. Its name has the profile's first,
 * and that of the cluster after it, which may be called after KOF (`GetClusterSummaryName` of Sveltos' addon-controller).
 */
function isOfKof({ metadata, spec }: ClusterSummary): boolean {
    const { name, labels = {}, ownerReferences = [] } = metadata;
    const texts = [
        ...ownerReferences.map((owner) => owner.name),
        ...profileLabels.map((label) => labels[label]),
        ...(spec?.clusterProfileSpec?.helmCharts ?? []).flatMap((each) => [each.releaseName, each.releaseNamespace]),
    ];
    return /^(p--)?kof\b/.test(name) || texts.some((text = "") => /\bkof\b/.test(text));
}
