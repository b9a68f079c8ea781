import { masked } from "../core/lib/secrets";
import { kofNamespace } from "../core/charts/namespace";
import { lookAtEach, type Finding, type Live } from "./findings";
import type { Kubernetes } from "./kubernetes";

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
export interface Pod {
    readonly metadata: {
        readonly name: string;
        readonly labels?: Readonly<Record<string, string>>;
        /** Until when it may take to end. */
        readonly deletionTimestamp?: string;
    };
    readonly status?: {
        readonly phase?: string;
        readonly reason?: string;
        readonly message?: string;
        readonly startTime?: string;
        readonly conditions?: readonly {
            type: string;
            status: string;
            message?: string;
            lastTransitionTime?: string;
        }[];
        readonly initContainerStatuses?: readonly ContainerStatus[];
        readonly containerStatuses?: readonly ContainerStatus[];
    };
}

/** Where the API has KOF's pods. */
export const pods = `/api/v1/namespaces/${kofNamespace}/pods`;

/** Why a container that waits will not start by itself. */
const stuck =
    /^(CrashLoopBackOff|CreateContainer.*Error|ErrImage.*|ImagePullBackOff|InvalidImageName|RunContainerError|Init:.*Error)$/;

/** Minutes that a pod may take to start, to become ready or to end: images are large, and stores read their files first. */
const patience = 10;
/** Restarts that are no accident, where the last of them is not long ago. */
const manyRestarts = 3;

/** Whether each of KOF's pods runs, is ready, and stays so. */
export async function brokenPods({ kubernetes }: Live): Promise<Finding[]> {
    return lookAtEach(await kubernetes.list<Pod>(pods), async (pod) => {
        const { name, deletionTimestamp } = pod.metadata;
        const { status = {} } = pod;
        const describe = `kubectl describe pod -n ${kofNamespace} ${name}`;
        const problem = (what: string, fix = describe): Finding => ({
            severity: "problem",
            what: `pod ${name}${what}`,
            why: isCollector(pod)
                ? "A collector that does not run collects nothing on its node."
                : "It does not run, and what needs it waits.",
            fix,
        });
        if (deletionTimestamp !== undefined) {
            return minutesSince(deletionTimestamp) > patience
                ? [problem(` should have ended at ${deletionTimestamp}, and is still there`)]
                : [];
        }
        if (status.phase === "Failed") {
            const why = [status.reason, status.message].filter((part) => part !== undefined).join(": ");
            return [problem(` has failed${why === "" ? "" : `: ${why}`}`)];
        }
        const unscheduled = conditionOf(pod, "PodScheduled");
        if (unscheduled?.status === "False") {
            const why = "It does not start, and the release that it belongs to times out.";
            return [{ ...problem(` has no node: ${unscheduled.message ?? ""}`), why }];
        }
        const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
        const broken = (await Promise.all(containers.map((each) => containerFault(kubernetes, name, each)))).filter(
            (fault) => fault !== undefined,
        );
        if (broken.length > 0) {
            return broken.map(({ what, fix = describe }) => problem(what, fix));
        }
        const ready = conditionOf(pod, "Ready");
        const since = ready?.lastTransitionTime ?? status.startTime;
        return status.phase !== "Succeeded" &&
            ready?.status === "False" &&
            since !== undefined &&
            minutesSince(since) > patience
            ? [problem(` is not ready since ${since}${waitsFor(containers)}: ${ready.message ?? ""}`)]
            : [];
    });
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
        const line = crashed ? await lastLine(kubernetes, pod, name) : message;
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

function minutesSince(time: string): number {
    return (Date.now() - Date.parse(time)) / 60_000;
}

/** The last line that a container wrote before it ended; `undefined` when there is none to be had. */
async function lastLine(kubernetes: Kubernetes, pod: string, container: string): Promise<string | undefined> {
    return (await lastLines(kubernetes, pod, container, ["true", "false"])).at(-1);
}

/** The last lines that a container wrote, without secrets; none when there are none to be had. */
export async function lastLines(
    kubernetes: Kubernetes,
    pod: string,
    container: string,
    ofPrevious: readonly ("true" | "false")[] = ["false", "true"],
): Promise<string[]> {
    for (const previous of ofPrevious) {
        const query = `container=${container}&tailLines=5&previous=${previous}`;
        const { status, body } = await kubernetes.request("GET", `${pods}/${pod}/log?${query}`);
        const text = status === 200 ? body.trim() : "";
        if (text !== "") {
            return text.split("\n").map(withoutCredentials);
        }
    }
    return [];
}

/** Whether a pod is one of the OpenTelemetry Operator's. */
function isCollector({ metadata }: Pod): boolean {
    return metadata.labels?.["app.kubernetes.io/component"] === "opentelemetry-collector";
}

/** A line of a log without what an address in it may carry. */
export function withoutCredentials(line: string): string {
    return masked(line).slice(0, 500);
}
