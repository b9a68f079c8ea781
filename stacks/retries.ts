import * as pulumi from "@pulumi/pulumi";

import { helmReleasesPath } from "../core/charts/namespace";
import { CouldNotCheck } from "../core/lib/errors";
import type { Reconciled } from "../live/releases";
import type { Cluster } from "./place";
import type { Retries } from "./memory";

/**
 * What to ask Flux to try again. It gives up on a release after its retries, and starts again only for a new generation, or
 * when annotations ask it to (helm-controller 1.6, `internal/action/reset.go`). A repair outside the stack is no new
 * generation: Pulumi would wait in vain. The value is the time at which Flux gave up, so it is the same in the preview and in the
 * deployment, and another one only after another failure.
 *
 * @param remembered what the last deployment had asked for. It stays as it is, so that nothing is proposed where nothing failed.
 * @param cluster `undefined` where nothing may be contacted.
 */
export async function retriesOf(remembered: Retries = {}, cluster?: Cluster): Promise<Retries> {
    if (!cluster) {
        return remembered;
    }
    try {
        const releases = await cluster.list<Reconciled>(helmReleasesPath);
        const asked = releases.map(({ metadata: { name }, status }) => {
            const stalled = status?.conditions?.find((each) => each.type === "Stalled" && each.status === "True");
            if (stalled) {
                const why = stalled.message ?? "it does not say why";
                void pulumi.log.info(
                    `Flux has given up on HelmRelease ${name}: ${why}. This deployment makes it try again.`,
                );
            }
            return [name, stalled?.lastTransitionTime ?? remembered[name]] as const;
        });
        return Object.fromEntries(asked.filter((each): each is [string, string] => each[1] !== undefined));
    } catch (error) {
        if (!(error instanceof CouldNotCheck)) {
            throw error;
        }
        void pulumi.log.warn(
            `Could not check whether Flux has given up on a release, so no retry is requested: ${error.message}`,
        );
        return remembered;
    }
}
