import type { HelmValues } from "../lib/values";
import type { Deployment } from "../routes/deployment";
import { claimNames, type Volume } from "../routes/volumes";
import { sizeInGiB } from "../lib/quantities";

/** A PersistentVolumeClaim of the installed KOF. */
export interface InstalledClaim {
    readonly name: string;
    /** What it asks for, as a Kubernetes quantity. */
    readonly size: string;
    readonly storageClass: string;
    /** Size in the StatefulSet that made it, which stays what it was when the claim grows. */
    readonly template?: string | undefined;
}

/** The settings that fit the volumes that exist. */
interface Claimed {
    /** Sizes by signal, as under `kof:storage`. */
    readonly storage: HelmValues;
    readonly notes: readonly string[];
}

/**
 * The sizes of the volumes that exist, so that no later version of KOF gives them another by its default. Rendered they
 * come to what is installed: the template of a StatefulSet cannot be changed, not even to what its claims have become.
 */
export function claimed(deployment: Deployment, claims: readonly InstalledClaim[]): Claimed {
    const storage: HelmValues = {};
    const notes: string[] = [];
    const byDefault = new Set<string>();
    for (const volume of deployment.volumes) {
        const own = claimsOf(volume, claims);
        // A cache has no setting: it may be lost.
        if (own.length > 0 && volume.retention !== undefined) {
            storage[volume.signal] = { size: sizeOf(volume, own, notes) };
        }
        for (const found of new Set(own.map(({ storageClass }) => storageClass))) {
            if (volume.storageClass === "") {
                byDefault.add(found);
            } else if (found !== volume.storageClass) {
                notes.push(
                    `Volumes of ${volume.workload} are of class ${found}, and the values say ${volume.storageClass}. Only new ones get that.`,
                );
            }
        }
    }
    if (byDefault.size > 0) {
        notes.push(
            `Volumes are of class ${[...byDefault].join(" and ")}, which was the cluster's default. The values name none, and StatefulSets ` +
                "cannot be found later: leave it the default.",
        );
    }
    return { storage, notes };
}

function claimsOf({ workload }: Volume, claims: readonly InstalledClaim[]): InstalledClaim[] {
    const [first = ""] = claimNames(workload, 0, 1);
    const prefix = first.replace(/\d+$/, "");
    return claims.filter(({ name }) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)));
}

function sizeOf(volume: Volume, claims: readonly InstalledClaim[], notes: string[]): string {
    const { workload, signal, size, expands } = volume;
    const is = (one: string) => (other: string) => sizeInGiB(one) === sizeInGiB(other);
    const sizes = claims.map((claim) => claim.size);
    const [template = size] = claims.flatMap((claim) => claim.template ?? []);
    const largest = sizes.reduce((a, b) => (sizeInGiB(b) > sizeInGiB(a) ? b : a), size);
    // For a chart's own StatefulSet its template decides: another size fails, no matter what the claims are.
    const wanted = expands ? largest : template;
    if (![size, ...sizes].every(is(wanted))) {
        notes.push(
            `The claims of ${workload} ask for ${[...new Set(sizes)].join(" and ")}, and the values say ${size}. kof:storage.${signal}.size ` +
                (expands
                    ? `is ${wanted}: no volume becomes smaller.`
                    : `is ${wanted}, as in the StatefulSet, which no Helm upgrade can change ` +
                      "(docs/storage.md#growing-the-volumes-of-logs-and-traces)."),
        );
    }
    return wanted;
}
