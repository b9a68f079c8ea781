import { setTimeout as sleep } from "node:timers/promises";

import { collectorsRelease } from "../core/collectors/effective";
import { helmReleasesPath, kofNamespace } from "../core/charts/namespace";
import { couldNotCheck, CouldNotCheck, UserError } from "../core/lib/errors";
import { cloudwatchSecretName } from "../core/routes/cloudwatch";
import { startAnnotation } from "../core/charts/restarts";
import type { Kubernetes } from "./kubernetes";
import { collectorPodsPath, type ApiObject } from "./objects";

interface CollectorPod extends ApiObject {
    readonly spec?: {
        readonly nodeName?: string;
        readonly containers?: readonly {
            readonly env?: readonly { readonly valueFrom?: { readonly secretKeyRef?: { readonly name?: string } } }[];
        }[];
    };
    readonly status?: { readonly phase?: string };
}

/** How long to wait, and whom to tell. */
interface RolloutOptions {
    /** Receives the number of pods to wait for when it changes, and the reason if the pods cannot be read. */
    readonly say: (text: string) => void;
    /** The HelmRelease that brings the collectors, which is there on their cluster. Default: their own. */
    readonly release?: string | undefined;
    /** Milliseconds in which at least one pod has to restart. Default: 15 minutes; a DaemonSet replaces one pod after the other. */
    readonly patience?: number | undefined;
    /** Milliseconds between two looks. Default: 5 seconds. */
    readonly interval?: number;
}

/**
 * Waits until no collector runs with an access key that is no longer in the Secret. A pod reads its key when it starts, and its
 * annotation says which one. That the release is installed does not say that its pods have restarted.
 *
 * @param startedWith what pods are annotated with that read the Secret as it is now; `undefined` where none reads it any more.
 * @throws UserError when no pod restarts for a while, or the pods cannot be read for as long.
 */
export async function untilRestarted(
    api: Pick<Kubernetes, "get" | "list">,
    startedWith: string | undefined,
    { say, release = collectorsRelease, patience = 15 * 60_000, interval = 5000 }: RolloutOptions,
): Promise<void> {
    let fewest = Infinity;
    let end = Date.now() + patience;
    for (;;) {
        const found = await outdated(api, startedWith, release).catch(couldNotCheck);
        if (found instanceof CouldNotCheck) {
            say(`The collectors could not be checked before an access key is deleted: ${found.message}`);
        } else if (found.length === 0) {
            return;
        } else if (found.length < fewest) {
            fewest = found.length;
            end = Date.now() + patience;
            say(`Waiting for ${plural(fewest)} to restart before an access key is deleted ...`);
        }
        if (Date.now() >= end) {
            throw new UserError(`The access key is not deleted, everything else is deployed: ${why(found, patience)}`);
        }
        await sleep(interval);
    }
}

/** The collectors that were started with another key than the one that the Secret holds. */
async function outdated(
    api: Pick<Kubernetes, "get" | "list">,
    startedWith: string | undefined,
    release: string,
): Promise<CollectorPod[]> {
    if ((await api.get(`${helmReleasesPath}/${release}`)) === undefined) {
        throw new CouldNotCheck(`there is no release ${release} on the cluster that was looked at`);
    }
    const pods = await api.list<CollectorPod>(collectorPodsPath);
    return pods.filter(({ metadata, spec, status }) => {
        const variables = (spec?.containers ?? []).flatMap(({ env = [] }) => env);
        return (
            !["Succeeded", "Failed"].includes(status?.phase ?? "") &&
            variables.some(({ valueFrom }) => valueFrom?.secretKeyRef?.name === cloudwatchSecretName) &&
            metadata.annotations?.[startAnnotation] !== startedWith
        );
    });
}

function why(found: readonly CollectorPod[] | CouldNotCheck, patience: number): string {
    const minutes = `${String(Math.round(patience / 60_000))} minutes`;
    if (found instanceof CouldNotCheck) {
        return `whether collectors still run with it could not be checked for ${minutes}: ${found.message}. Run pulumi up again when it can.`;
    }
    const [first] = found;
    const names = found.slice(0, 3).map(({ metadata, spec }) => `${metadata.name} on ${spec?.nodeName ?? "no node"}`);
    return (
        `${plural(found.length)} still run with it (${names.join(", ")}${found.length > 3 ? ", …" : ""}), and ` +
        `none has restarted for ${minutes}. See why: kubectl describe pod -n ${kofNamespace} ${first?.metadata.name ?? ""}. Where its node is ` +
        "gone for good, kubectl delete pod --force. Then run pulumi up again."
    );
}

function plural(pods: number): string {
    return pods === 1 ? "1 collector" : `${String(pods)} collectors`;
}
