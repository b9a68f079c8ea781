import * as pulumi from "@pulumi/pulumi";

import type { Plan } from "../changes";
import { keysDeleted } from "../changes/credentials";
import { effectiveCollectors } from "../collectors/effective";
import { UserError } from "../errors";
import type { ClusterChoice, Kubernetes } from "../live/kubernetes";
import { untilRestarted } from "../live/rollout";
import { startedWith } from "../routes/restarts";
import type { Configuration } from "./config";

/**
 * Known once the deployment may end. Pulumi deletes what a stack has no more after its program has come to its end, and not at all
 * when that fails: so where an access key goes while the collectors stay, the program ends when the last of them has restarted.
 *
 * @param installed known once every release is ready.
 * @param change what this deployment does; `undefined` where that is not known.
 */
export function whenRestarted(
    installed: pulumi.Output<unknown>,
    change: Plan | undefined,
    { kubeconfig, context }: Configuration["kubernetes"],
): pulumi.Output<unknown> {
    // Without collectors their release is uninstalled, before the Secret and the key go.
    if (
        change === undefined ||
        pulumi.runtime.isDryRun() ||
        !keysDeleted(change) ||
        effectiveCollectors(change.to).length === 0
    ) {
        return installed;
    }
    return pulumi.all([kubeconfig, context, installed]).apply(async ([kubeconfig, context]) => {
        const api = connectToCluster({ kubeconfig: kubeconfig, context });
        const say = (text: string) => void pulumi.log.info(text, undefined, undefined, true);
        await untilRestarted(api, startedWith(change.to.restartTriggers), { say }).catch((error: unknown) => {
            throw error instanceof UserError ? new pulumi.RunError(error.message) : error;
        });
    });
}

/** Reaches a cluster by a client that takes half a second to load, which other deployments do without. */
function connectToCluster(choice: ClusterChoice): Kubernetes {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const { Kubernetes } = require("../live/kubernetes") as typeof import("../live/kubernetes");
    return Kubernetes.connect(choice);
}
