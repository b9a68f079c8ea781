import { verdictOf, type Plan } from ".";
import { contentOf } from "../../routes/volumes";
import { leftoversOf } from "./leftovers";
import { unsentOnTheWay } from "./moves";
import type { VolumeChange } from "./volumes";

/** A plan as data for other programs: what {@link planText} says, without what the settings resolve to. */
export function planData(plan: Plan): object {
    const { from, to } = plan;
    return {
        verdict: verdictOf(plan),
        route: { from: from.settings.route, to: to.settings.route },
        version: { from: from.settings.version, to: to.settings.version },
        consequences: plan.consequences,
        steps: plan.steps,
        signals: plan.signals,
        twoSteps: plan.twoSteps,
        unsentOnTheWay: unsentOnTheWay(plan),
        restarts: plan.restarts,
        volumes: plan.volumes.map(volumeData),
        regions: plan.regions.map(volumeData),
        logGroups: plan.logGroups,
        archives: plan.archives.map(({ place, operation, archive: { kind, signals, regional } }) => ({
            kind,
            place,
            operation,
            signals,
            ...(regional ? { regions: regional.regions } : {}),
        })),
        credentials: plan.credentials,
        alerts: plan.alerts,
        left: leftoversOf(plan),
    };
}

function volumeData({ workload, operation, count, volume, sizeBefore = volume.size, reclaimPolicy }: VolumeChange) {
    return { workload, holds: contentOf(volume), operation, count, sizeBefore, size: volume.size, reclaimPolicy };
}
