import { capacityOf, storesWithoutVolumes, type VolumeCapacity } from ".";
import type { Signal } from "../../charts";
import { childrenStoreHere } from "../../charts/installed";
import { regionQuery, regionsText } from "../../charts/multiCluster";
import { compact } from "../../lib/compact";
import { gibText } from "../../lib/quantities";
import type { Deployment } from "../../routes/deployment";
import { totalGiB } from "../../routes/volumes";
import { comparisonsOf, costsOf, noRate, type Cost } from "./costs";
import type { Prices } from "./priceFile";

/** What a deployment takes at the rates of `kof:rates`: what `npm run size`, summary.md and the report of a pull request tell. */
export interface Estimate {
    readonly space: readonly VolumeCapacity[];
    /** What has to be known of the space, a sentence each. */
    readonly remarks: readonly string[];
    /** Everything that is paid for by the month. */
    readonly costs: readonly Cost[];
    /** What some of it would cost otherwise, a sentence each. */
    readonly comparisons: readonly string[];
    /** All of it that has a price; `undefined` where nothing has one. */
    readonly amount: number | undefined;
    /** Further costs, whose price is not known. */
    readonly missing: readonly string[];
    readonly prices: Prices;
}

/**
 * What a deployment needs and costs. A signal without a rate is unknown, and never nothing.
 *
 * @param region the provider's region that the cluster is in, where that is known.
 */
export function estimateOf(deployment: Deployment, prices: Prices, region?: string): Estimate {
    const space = capacityOf(deployment, deployment.settings.rates ?? {});
    const costs = costsOf(deployment, prices, region);
    const priced = costs.filter((cost) => "amount" in cost);
    return {
        space,
        remarks: compact(
            ...withoutRates(space),
            childrenStoreHere(deployment) &&
                "Child clusters store here as well: all of this holds only if kof:rates counts what they send.",
            ...storesWithoutVolumes(deployment),
            ...ofRegions(deployment),
            deployment.archives.length > 0 &&
                "What archives in S3 take is assumed: 2 bytes a sample, and a tenth of logs, spans and audit logs, of this cluster alone." +
                    uncheckedPrices(deployment, prices),
        ),
        costs,
        comparisons: comparisonsOf(deployment, prices, costs),
        amount: priced.length === 0 ? undefined : priced.reduce((sum, { amount }) => sum + amount, 0),
        missing: costs.flatMap((cost) => ("unknown" in cost ? [cost.what] : [])),
        prices,
    };
}

/** That nobody has compared the prices of regions that archives are in. */
function uncheckedPrices({ archives }: Deployment, { s3 }: Prices): string {
    const regions = archives.flatMap(({ bucket }) => (bucket.endpoint === undefined ? [bucket.region] : []));
    const unchecked = [...new Set(regions)].filter(
        (region) =>
            s3?.regions[region] && (s3.isUnchecked === true || (s3.isUnchecked || []).some((each) => each === region)),
    );
    return s3 && unchecked.length > 0
        ? ` The prices of S3 in ${new Intl.ListFormat("en-GB").format(unchecked)} have not been compared with ${s3.source} yet: do so before you rely on them.`
        : "";
}

/** The management cluster does not know how much regions store, only the sizes of their volumes. */
function ofRegions({ settings, regionalStores, archives }: Deployment): string[] {
    const volumes = regionalStores.filter(({ keeps }) => keeps === "volumes");
    const archived = archives.flatMap(({ kind, regional }) => {
        const where = regional?.regions === "all" ? "regional clusters" : regional && regionsText(regional.regions);
        return compact(
            where !== undefined &&
                `What kof:${kind} has of ${where} is in no cost: kof:rates counts what this cluster collects.`,
        );
    });
    return compact(
        settings.regions &&
            volumes.length > 0 &&
            `The volumes on each regional cluster, ${gibText(totalGiB(volumes))} in all, are in none of this, nor in any cost: kof:rates counts ` +
                "what this cluster collects. What a region needs is not known here, nor how many there are: " +
                `kubectl get clusterdeployments -A -l ${regionQuery}.`,
        ...archived,
    );
}

function withoutRates(space: readonly VolumeCapacity[]): string[] {
    const unknown = (signal: Signal) => space.filter(({ withoutRate }) => withoutRate.includes(signal));
    return [...new Set(space.flatMap(({ withoutRate }) => withoutRate))].map(
        (signal) =>
            `${noRate(signal)}: when ${unknown(signal)
                .map(({ volume }) => volume.workload)
                .join(" and ")} is full is not known.`,
    );
}
