import * as pulumi from "@pulumi/pulumi";

import type { Plan } from "../core/review/plan";
import { keysDeleted } from "../core/review/plan/credentials";
import { UserError } from "../core/lib/errors";
import { untilRestarted } from "../live/rollout";
import { collectorsComponent } from "../core/charts/installed";
import { startedWith } from "../core/charts/restarts";
import type { Cluster } from "./place";

/**
 * Known once the deployment may end. Pulumi deletes what a stack no longer has after its program has ended, and deletes
 * nothing if the program fails. So where an access key goes while the collectors stay, the program ends only when the
 * last of them has restarted.
 *
 * @param installed known once every release is ready.
 * @param change what this deployment does; `undefined` where that is not known.
 * @param cluster where the collectors run; `undefined` where nothing may be contacted.
 * @param patience see {@link untilRestarted}.
 */
export function whenRestarted(
    installed: pulumi.Output<unknown>,
    change: Plan | undefined,
    cluster: Cluster | undefined,
    patience?: number,
): pulumi.Output<unknown> {
    // Without collectors their release is uninstalled, before the Secret and the key go.
    const release =
        change && keysDeleted(change) && change.to.collectors.length > 0
            ? collectorsComponent(change.to.umbrella)
            : undefined;
    if (change === undefined || release === undefined || cluster === undefined || pulumi.runtime.isDryRun()) {
        return installed;
    }
    return installed.apply(async () => {
        const say = (text: string) => void pulumi.log.info(text, undefined, undefined, true);
        await untilRestarted(cluster, startedWith(change.to.restartTriggers), { say, release, patience }).catch(
            (error: unknown) => {
                throw error instanceof UserError ? new pulumi.RunError(error.message) : error;
            },
        );
    });
}
