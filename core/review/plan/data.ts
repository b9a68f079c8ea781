import { verdictOf, type Plan } from ".";
import { contentOf } from "../../routes/volumes";
import { leftoversOf } from "./leftovers";
import { unsentOnTheWay } from "./moves";
import type { VolumeChange } from "./volumes";

/** A plan as data for other programs: what {@link planText} says, without what the settings resolve to. */
export function planData(plan: Plan): object {
    const {
        from,
        to,
        signals,
        twoSteps,
        restarts,
        volumes,
        regions,
        logGroups,
        archives,
        credentials,
        alerts,
        consequences,
        steps,
    } = plan;
    return {
        verdict: verdictOf(plan),
        route: { from: from.settings.route, to: to.settings.route },
        version: { from: from.settings.version, to: to.settings.version },
        consequences,
        steps,
        signals,
        twoSteps,
        unsentOnTheWay: unsentOnTheWay(plan),
        restarts,
        volumes: volumes.map(volumeData),
        regions: regions.map(volumeData),
        logGroups,
        archives: archives.map(({ place, operation, archive: { kind, signals, regional } }) => ({
            kind,
            place,
            operation,
            signals,
            ...(regional ? { regions: regional.regions } : {}),
        })),
        credentials,
        alerts,
        left: leftoversOf(plan),
    };
}

function volumeData({ workload, operation, count, volume, sizeBefore = volume.size, reclaimPolicy }: VolumeChange) {
    return { workload, holds: contentOf(volume), operation, count, sizeBefore, size: volume.size, reclaimPolicy };
}
