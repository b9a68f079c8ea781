import { maskedLog } from "../core/lib/secrets";
import { kofNamespace } from "../core/charts/namespace";
import { minutesSince } from "./ages";
import { lookAtEach, valueOrFinding, type Finding, type Live } from "./findings";
import type { Kubernetes } from "./kubernetes";
import { podsPath, type ApiObject, type StatusCondition } from "./objects";

interface ContainerState {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: { readonly reason?: string; readonly exitCode?: number; readonly finishedAt?: string };
}

interface ContainerStatus {
    readonly name: string;
    readonly restartCount?: number;
    readonly state?: ContainerState;
    readonly lastState?: ContainerState;
}

/** A pod, as far as it matters here. */
export interface Pod extends ApiObject {
    readonly status?: {
        readonly phase?: string;
        readonly reason?: string;
        readonly message?: string;
        readonly startTime?: string;
        readonly conditions?: readonly StatusCondition[];
        readonly initContainerStatuses?: readonly ContainerStatus[];
        readonly containerStatuses?: readonly ContainerStatus[];
    };
}

/** Why a container that waits will not start by itself. */
const stuck =
    /^(CrashLoopBackOff|CreateContainer.*Error|ErrImage.*|ImagePullBackOff|InvalidImageName|RunContainerError|Init:.*Error)$/;

/** Minutes that a pod may take to start, to become ready or to end: images are large, and stores read their files first. */
const patience = 10;
/** Restarts that are no accident, where the last of them is not long ago. */
const manyRestarts = 3;

/** Whether each of KOF's pods runs, is ready, and stays so. */
export async function brokenPods({ kubernetes }: Live): Promise<Finding[]> {
    const all = await kubernetes.list<Pod>(podsPath);
    return lookAtEach(all, async (pod) => {
        const { name, labels, deletionTimestamp, creationTimestamp = "" } = pod.metadata;
        const isCollector = labels?.["app.kubernetes.io/component"] === "opentelemetry-collector";
        const { status = {} } = pod;
        const describe = `kubectl describe pod -n ${kofNamespace} ${name}`;
        const problem = (what: string, fix = describe): Finding => ({
            severity: "problem",
            what: `pod ${name}${what}`,
            why: isCollector
                ? "A collector that does not run collects nothing on its node."
                : "It does not run, and what needs it waits.",
            fix,
        });
        if (deletionTimestamp !== undefined) {
            const isLate = minutesSince(deletionTimestamp) > patience;
            return isLate && problem(` should have ended at ${deletionTimestamp}, and is still there`);
        }
        if (status.phase === "Failed") {
            const why = [status.reason, status.message].filter((part) => part !== undefined).join(": ");
            const failed = problem(` has failed${why === "" ? "" : `: ${maskedLog(why)}`}`);
            // Kubernetes keeps what is left of a pod that was evicted, and of each try of a Job.
            return all.some((other) => isWell(other) && isOfSameOwner(other, pod))
                ? {
                      ...failed,
                      severity: "warning",
                      why: "Another does what it did. It is there for its log.",
                      fix: `kubectl delete pod -n ${kofNamespace} ${name}    # once nobody needs its log`,
                  }
                : failed;
        }
        const unscheduled = conditionOf(pod, "PodScheduled");
        if (unscheduled?.status === "False") {
            const why = "It does not start, and the release that it belongs to times out.";
            // A node may be on its way, as autoscalers make one for such a pod.
            const isNew = minutesSince(unscheduled.lastTransitionTime ?? creationTimestamp) < patience;
            const found = problem(` has no node: ${maskedLog(unscheduled.message ?? "")}`);
            return { ...found, why, severity: isNew ? "warning" : "problem" };
        }
        const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
        const broken = (await Promise.all(containers.map((each) => containerFault(kubernetes, name, each)))).filter(
            (fault) => fault !== undefined,
        );
        if (broken.length > 0) {
            return broken.map(({ what, fix = describe }) => problem(what, fix));
        }
        const ready = conditionOf(pod, "Ready");
        // Without the condition nobody has looked at the pod: neither the scheduler, nor the kubelet of its node.
        const isReady = ready?.status === "True" || (ready === undefined && status.phase === "Running");
        const since = ready?.lastTransitionTime ?? status.startTime ?? creationTimestamp;
        const isBroken = status.phase !== "Succeeded" && !isReady && minutesSince(since) > patience;
        const why = maskedLog(ready?.message ?? "nobody says why");
        return isBroken && problem(` is not ready since ${since}${waitsFor(containers)}: ${why}`);
    });
}

/** Whether a pod does its work, or has done it. */
function isWell(pod: Pod): boolean {
    return (
        pod.metadata.deletionTimestamp === undefined &&
        (pod.status?.phase === "Succeeded" || conditionOf(pod, "Ready")?.status === "True")
    );
}

function isOfSameOwner(one: Pod, other: Pod): boolean {
    const uids = (other.metadata.ownerReferences ?? []).map(({ uid }) => uid);
    return one.metadata.ownerReferences?.some(({ uid }) => uid !== undefined && uids.includes(uid)) === true;
}

/** What is wrong with a container, where it will not start by itself or does not stay up. */
export async function containerFault(
    kubernetes: Kubernetes,
    pod: string,
    { name, restartCount = 0, state, lastState }: ContainerStatus,
): Promise<{ readonly what: string; readonly fix?: string } | undefined> {
    const { reason, message } = state?.waiting ?? {};
    const previous = `kubectl logs -n ${kofNamespace} ${pod} -c ${name} --previous`;
    if (reason !== undefined && stuck.test(reason)) {
        const crashed = reason === "CrashLoopBackOff";
        const line = crashed ? await lastLine(kubernetes, pod, name) : message && maskedLog(message);
        return { what: `: ${reason}${line === undefined ? "" : `: ${line}`}`, ...(crashed ? { fix: previous } : {}) };
    }
    const last = lastState?.terminated;
    const isRecent = last?.finishedAt === undefined || minutesSince(last.finishedAt) < 60;
    return last && restartCount >= manyRestarts && isRecent
        ? {
              what: `: container ${name} restarted ${String(restartCount)} times, the last time after ${last.reason ?? "its end"} (exit code ${String(last.exitCode ?? "unknown")})`,
              fix: previous,
          }
        : undefined;
}

/** What its containers wait for, as the kubelet says it: `ContainerCreating`. */
function waitsFor(containers: readonly ContainerStatus[]): string {
    const reasons = containers.flatMap(({ state }) => state?.waiting?.reason ?? []);
    return reasons.length > 0 ? ` (${[...new Set(reasons)].join(", ")})` : "";
}

function conditionOf({ status }: Pod, wanted: string) {
    return status?.conditions?.find(({ type }) => type === wanted);
}

/** The last line that a container wrote before it ended; `undefined` when there is none to be had, for whatever reason. */
async function lastLine(kubernetes: Kubernetes, pod: string, container: string): Promise<string | undefined> {
    return (await valueOrFinding(() => lastLines(kubernetes, pod, container, ["true", "false"]))).value?.at(-1);
}

/** The last lines that a container wrote, without secrets; empty if they cannot be read. */
export async function lastLines(
    kubernetes: Kubernetes,
    pod: string,
    container: string,
    ofPrevious: readonly ("true" | "false")[] = ["false", "true"],
): Promise<string[]> {
    for (const previous of ofPrevious) {
        const query = `container=${container}&tailLines=5&previous=${previous}`;
        const { status, body } = await kubernetes.request("GET", `${podsPath}/${pod}/log?${query}`);
        const text = status === 200 ? body.trim() : "";
        if (text !== "") {
            return text.split("\n").map(withoutCredentials);
        }
    }
    return [];
}

/** A line of a log without secrets. */
export function withoutCredentials(line: string): string {
    return maskedLog(line).slice(0, 500);
}
