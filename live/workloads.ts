import { kofNamespace } from "../core/charts/namespace";
import { umbrellaObjects } from "../core/charts/umbrella";
import { maskedLog } from "../core/lib/secrets";
import { claimNames } from "../core/routes/volumes";
import { minutesSince, usualWait } from "./ages";
import { lookAtEach, valueOrFinding, type Check, type Finding, type Findings, type Live } from "./findings";
import { firstClaims, type ApiObject, type StatefulSet } from "./objects";
import { brokenPods } from "./pods";
import { pathOf } from "./releases";

/** Whether what the stack should run is there, and runs. */
export const workloads: readonly Check[] = [
    { title: "Workloads", look: missingWorkloads },
    { title: "Pods", look: brokenPods },
];

/** What makes pods: a Deployment, StatefulSet or DaemonSet. */
interface Workload extends StatefulSet {
    readonly spec?: StatefulSet["spec"] & {
        readonly replicas?: number;
        readonly template?: { readonly spec?: { readonly nodeSelector?: object; readonly affinity?: object } };
    };
    readonly status?: {
        readonly readyReplicas?: number;
        readonly updatedReplicas?: number;
        readonly desiredNumberScheduled?: number;
        readonly updatedNumberScheduled?: number;
        readonly numberReady?: number;
        readonly numberMisscheduled?: number;
    };
}

interface Event {
    readonly involvedObject: { readonly kind?: string; readonly name: string };
    readonly message?: string;
    readonly lastTimestamp?: string | null;
    readonly eventTime?: string | null;
}

const kinds = { daemonset: "DaemonSet", deployment: "Deployment", statefulset: "StatefulSet" } as const;
type Kind = keyof typeof kinds;

/** A workload as it is compared with what should run. */
interface Compared {
    readonly kind: Kind;
    readonly workload: Workload;
    /** Pods that the stack asks for, whatever the object says: somebody may have scaled it. Default: as many as the object says. */
    readonly asked?: number | undefined;
    /** Why the API server does not take its pods, as the last event says. */
    readonly refusal: string | undefined;
}

/**
 * Pods that nothing makes are in no list of pods. So what should run, by the stack and by the objects that make pods, is compared
 * with what does. Finds nothing where KOF is not installed yet.
 */
async function missingWorkloads({ kubernetes, deployment }: Live): Promise<Findings> {
    const namespace = await valueOrFinding(() =>
        kubernetes.get<{ status?: { phase?: string } }>(`/api/v1/namespaces/${kofNamespace}`),
    );
    if (namespace.findings.length === 0 && !namespace.value) {
        return undefined;
    }
    if (namespace.value?.status?.phase === "Terminating") {
        return {
            severity: "problem",
            what: `namespace ${kofNamespace} is being deleted`,
            why: "Nothing can be made in it, and all that is in it goes.",
            fix: `kubectl get namespace ${kofNamespace} -o jsonpath='{.status.conditions}'`,
        };
    }
    const releases = umbrellaObjects(deployment.catalog, deployment.values).filter(
        ({ kind }) => kind === "HelmRelease",
    );
    const absent: string[] = [];
    const unseen = await lookAtEach(releases, async (release) => {
        if (!(await kubernetes.get(pathOf(release)))) {
            absent.push(release.name);
        }
        return [];
    });
    if (absent.length === releases.length) {
        return namespace.findings;
    }
    const missing = absent.map((name): Finding => ({
        severity: "problem",
        what: `HelmRelease ${name} is not there`,
        why: "The stack has it, and so somebody else has deleted it, or the last pulumi up did not come to its end.",
        fix: "pulumi up --refresh",
    }));
    return [namespace.findings, missing, unseen, await notRunning({ kubernetes, deployment })];
}

async function notRunning({ kubernetes, deployment }: Pick<Live, "kubernetes" | "deployment">): Promise<Findings> {
    const list = async (kind: Kind) => ({
        kind,
        ...(await valueOrFinding(() => kubernetes.list<Workload>(`/apis/apps/v1/namespaces/${kofNamespace}/${kind}s`))),
    });
    const [lists, failed, jobs] = await Promise.all([
        Promise.all((Object.keys(kinds) as Kind[]).map(list)),
        valueOrFinding(() =>
            kubernetes.list<Event>(`/api/v1/namespaces/${kofNamespace}/events?fieldSelector=reason%3DFailedCreate`),
        ),
        valueOrFinding(() => kubernetes.list<Job>(`/apis/batch/v1/namespaces/${kofNamespace}/jobs`)),
    ]);
    const events = failed.value ?? [];
    const isSeen = (kind: Kind) => lists.some((each) => each.kind === kind && each.value !== undefined);
    const all = lists.flatMap(({ kind, value = [] }) =>
        value.map((workload) => ({ kind, workload, refusal: refusalOf(kind, workload.metadata.name, events) })),
    );
    const missing = (what: string, why?: string): Finding => ({
        severity: "problem",
        what: `${what} is not there${reasonText(why)}`,
        why: "Its operator has not made it, so that none of its pods is missed.",
        fix: `kubectl get events -n ${kofNamespace} --sort-by .lastTimestamp`,
    });
    /** What the stack asks for of the workloads that it knows. */
    const asked = new Map<Workload, number>();
    const collectors = deployment.collectors.map(({ name, mode }) => {
        const kind = mode as Kind;
        const own = `${name}-collector`;
        const found = all.find((each) => each.kind === kind && each.workload.metadata.name === own);
        if (found && kind !== "daemonset") {
            asked.set(found.workload, 1);
        }
        return (
            kind in kinds && isSeen(kind) && !found && missing(`${kinds[kind]} ${own}`, refusalOf(kind, own, events))
        );
    });
    const stores = deployment.volumes.map(({ workload, count }) => {
        const [claim = ""] = claimNames(workload, 0, count);
        const found = all.find((each) => firstClaims(each.workload).some(({ metadata }) => metadata.name === claim));
        if (found) {
            asked.set(found.workload, count);
        }
        return count > 0 && isSeen("statefulset") && !found && missing(`the StatefulSet of ${workload}`);
    });
    return [
        lists.map(({ findings }) => findings),
        failed.findings,
        collectors,
        stores,
        all.map((each) => runningFindings({ ...each, asked: asked.get(each.workload) })),
        refusedJobs(events, jobs.value),
        jobs.findings,
    ];
}

/** Whether a workload has the pods that it should have, of the version that they should be. */
function runningFindings({ kind, workload, asked = 0, refusal }: Compared): Findings {
    const { metadata, spec, status = {} } = workload;
    const isDaemon = kind === "daemonset";
    const finding = (severity: Finding["severity"], what: string, why: string): Finding => ({
        severity,
        what: `${kinds[kind]} ${metadata.name}${what}`,
        why,
        fix: `kubectl describe ${kind} -n ${kofNamespace} ${metadata.name}`,
    });
    const wanted = isDaemon ? (status.desiredNumberScheduled ?? 0) : Math.max(spec?.replicas ?? 1, asked);
    const ready = (isDaemon ? status.numberReady : status.readyReplicas) ?? 0;
    const updated = (isDaemon ? status.updatedNumberScheduled : status.updatedReplicas) ?? wanted;
    const missed = status.numberMisscheduled ?? 0;
    const { nodeSelector, affinity } = spec?.template?.spec ?? {};
    // A controller may not have looked at a new one yet.
    const isOff = wanted === 0 && !(minutesSince(metadata.creationTimestamp ?? "") < usualWait);
    return [
        isOff &&
            (isDaemon
                ? finding(
                      // Those for control planes have none where no node of the cluster is one.
                      (nodeSelector ?? affinity) ? "warning" : "problem",
                      " is wanted on no node",
                      "No node has the labels that its pods ask for, or each has a taint that they do not tolerate: nothing is collected by it.",
                  )
                : finding("warning", " is scaled to 0", "None of its pods runs until somebody scales it.")),
        ready < wanted &&
            finding(
                // Some may be about to be replaced. Where none is ready, nothing works.
                ready === 0 || refusal !== undefined ? "problem" : "warning",
                `: ${String(ready)} of ${String(wanted)} pods are ready${reasonText(refusal)}`,
                "What it does is done by fewer pods, on fewer nodes, or not at all.",
            ),
        ready >= wanted &&
            updated < wanted &&
            refusal !== undefined &&
            finding(
                "problem",
                `: ${String(updated)} of ${String(wanted)} pods are of its newest version${reasonText(refusal)}`,
                "The others are as they were before the last change, which does not take effect.",
            ),
        missed > 0 &&
            finding(
                "warning",
                ` runs on ${String(missed)} node${missed === 1 ? "" : "s"} where it is not wanted any more`,
                "A taint or a label of the node has changed since: once such a pod ends, none comes in its place.",
            ),
    ];
}

/** A Job, as far as it says whether it has pods, or has had them. */
interface Job extends ApiObject {
    readonly status?: { readonly active?: number; readonly succeeded?: number; readonly failed?: number };
}

/**
 * Jobs whose pods the API server refuses.
 *
 * @param jobs those that there are, where that is known: an event outlives its Job, and what it is about.
 */
function refusedJobs(events: readonly Event[], jobs: readonly Job[] | undefined): Finding[] {
    const waits = (name: string) => {
        const job = jobs?.find(({ metadata }) => metadata.name === name);
        const { active = 0, succeeded = 0, failed = 0 } = job?.status ?? {};
        return jobs === undefined || (job !== undefined && active + succeeded + failed === 0);
    };
    const names = events.flatMap(({ involvedObject: { kind, name } }) => (kind === "Job" && waits(name) ? name : []));
    return [...new Set(names)].map((name) => ({
        severity: "problem",
        what: `Job ${name} has no pod${reasonText(lastOf(events.filter(({ involvedObject }) => involvedObject.name === name)))}`,
        why: "What waits for it waits until it is given up.",
        fix: `kubectl describe job -n ${kofNamespace} ${name}`,
    }));
}

/** What the API server last said of the pods of a workload. A Deployment has them made by ReplicaSets, each named after a hash. */
function refusalOf(kind: Kind, name: string, events: readonly Event[]): string | undefined {
    return lastOf(
        events.filter(({ involvedObject: { name: of } }) =>
            kind === "deployment"
                ? of === name || (of.startsWith(`${name}-`) && /^[a-z0-9]+$/.test(of.slice(name.length + 1)))
                : of === name,
        ),
    );
}

function lastOf(events: readonly Event[]): string | undefined {
    const timeOf = ({ lastTimestamp, eventTime }: Event) => Date.parse(lastTimestamp ?? eventTime ?? "") || 0;
    return [...events].sort((a, b) => timeOf(a) - timeOf(b)).at(-1)?.message;
}

function reasonText(refusal: string | undefined): string {
    return refusal === undefined ? "" : `: ${maskedLog(refusal)}`;
}
