import { kofNamespace } from "../core/charts/namespace";
import { umbrellaObjects } from "../core/charts/umbrella";
import { claimNames } from "../core/routes/volumes";
import { lookAtEach, type Check, type Finding, type Live } from "./findings";
import { brokenPods } from "./pods";
import { pathOf } from "./releases";

/** Whether what the stack should run is there, and runs. */
export const workloads: readonly Check[] = [
    { title: "Workloads", look: missingWorkloads },
    { title: "Pods", look: brokenPods },
];

/** What makes pods: a Deployment, StatefulSet or DaemonSet. */
interface Workload {
    readonly metadata: { readonly name: string };
    readonly spec: {
        readonly replicas?: number;
        readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
    };
    readonly status?: {
        readonly readyReplicas?: number;
        readonly desiredNumberScheduled?: number;
        readonly numberReady?: number;
    };
}

interface Event {
    readonly involvedObject: { readonly name: string };
    readonly message?: string;
    readonly lastTimestamp?: string | null;
    readonly eventTime?: string | null;
}

const kinds = { daemonset: "DaemonSet", deployment: "Deployment", statefulset: "StatefulSet" } as const;
type Kind = keyof typeof kinds;

/**
 * Pods that nothing makes are in no list of pods. So what should run, by the stack and by the objects that make pods, is compared
 * with what does. Finds nothing where KOF is not installed yet.
 */
async function missingWorkloads({ kubernetes, deployment }: Live): Promise<Finding[]> {
    const namespace = await kubernetes.get<{ status?: { phase?: string } }>(`/api/v1/namespaces/${kofNamespace}`);
    if (!namespace) {
        return [];
    }
    if (namespace.status?.phase === "Terminating") {
        return [
            {
                severity: "problem",
                what: `namespace ${kofNamespace} is being deleted`,
                why: "Nothing can be made in it, and all that is in it goes.",
                fix: `kubectl get namespace ${kofNamespace} -o jsonpath='{.status.conditions}'`,
            },
        ];
    }
    const releases = umbrellaObjects(deployment.catalog, deployment.values).filter(
        ({ kind }) => kind === "HelmRelease",
    );
    const found = await Promise.all(releases.map((release) => kubernetes.get(pathOf(release))));
    if (found.every((release) => release === undefined)) {
        return [];
    }
    const missing = releases
        .filter((_, i) => found[i] === undefined)
        .map(({ name }): Finding => ({
            severity: "problem",
            what: `HelmRelease ${name} is not there`,
            why: "The stack has it, and so somebody else has deleted it, or the last pulumi up did not come to its end.",
            fix: "pulumi up --refresh",
        }));
    return [...missing, ...(await notRunning({ kubernetes, deployment }))];
}

async function notRunning({ kubernetes, deployment }: Pick<Live, "kubernetes" | "deployment">): Promise<Finding[]> {
    const names = Object.keys(kinds) as Kind[];
    const [lists, events] = await Promise.all([
        Promise.all(
            names.map((kind) => kubernetes.list<Workload>(`/apis/apps/v1/namespaces/${kofNamespace}/${kind}s`)),
        ),
        kubernetes.list<Event>(`/api/v1/namespaces/${kofNamespace}/events?fieldSelector=reason%3DFailedCreate`),
    ]);
    const all = names.flatMap((kind, i) => (lists[i] ?? []).map((workload) => ({ kind, workload })));
    const refusal = (name: string) =>
        events
            .filter(({ involvedObject }) => involvedObject.name === name || involvedObject.name.startsWith(`${name}-`))
            .sort((a, b) => timeOf(a) - timeOf(b))
            .at(-1)?.message;
    const absent = (what: string, of: string): Finding => ({
        severity: "problem",
        what: `${what} is not there${refusal(of) === undefined ? "" : `: ${refusal(of) ?? ""}`}`,
        why: "Its operator has not made it, so that none of its pods is missed.",
        fix: `kubectl get events -n ${kofNamespace} --sort-by .lastTimestamp`,
    });
    const collectors = deployment.collectors.flatMap(({ name, mode }) => {
        const kind = mode as Kind;
        const own = `${name}-collector`;
        return kind in kinds && !all.some((each) => each.kind === kind && each.workload.metadata.name === own)
            ? [absent(`${kinds[kind]} ${own}`, own)]
            : [];
    });
    const claims = new Set(
        all.flatMap(({ workload: { metadata, spec } }) =>
            (spec.volumeClaimTemplates ?? []).map((template) => `${template.metadata.name}-${metadata.name}-0`),
        ),
    );
    const stores = deployment.volumes.flatMap(({ workload, count }) => {
        const [claim = ""] = claimNames(workload, 0, count);
        return count > 0 && !claims.has(claim) ? [absent(`the StatefulSet of ${workload}`, workload)] : [];
    });
    const few = await lookAtEach(all, ({ kind, workload: { metadata, spec, status = {} } }) => {
        const wanted = kind === "daemonset" ? (status.desiredNumberScheduled ?? 0) : (spec.replicas ?? 1);
        const ready = (kind === "daemonset" ? status.numberReady : status.readyReplicas) ?? 0;
        const why = refusal(metadata.name);
        return ready >= wanted
            ? []
            : [
                  {
                      // Some may be about to be replaced. Where none is ready, nothing works.
                      severity: ready === 0 || why !== undefined ? "problem" : "warning",
                      what: `${kinds[kind]} ${metadata.name}: ${String(ready)} of ${String(wanted)} pods are ready${why === undefined ? "" : `: ${why}`}`,
                      why: "What it does is done by fewer pods, on fewer nodes, or not at all.",
                      fix: `kubectl describe ${kind} -n ${kofNamespace} ${metadata.name}`,
                  },
              ];
    });
    return [...collectors, ...stores, ...few];
}

function timeOf({ lastTimestamp, eventTime }: Event): number {
    return Date.parse(lastTimestamp ?? eventTime ?? "") || 0;
}
