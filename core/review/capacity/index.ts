import { signals, type Signal } from "../../charts";
import type { Deployment } from "../../routes/deployment";
import { bufferOf } from "../../routes/collectors";
import type { Destination } from "../../routes/destinations";
import type { Volume } from "../../routes/volumes";
import type { Rates } from "../../settings/settings";
import { sortsAudit } from "../../collectors/flows";
import { bufferBytes, bytesPerDay, daysOnDisk, neededBytes, victoriaMetricsEstimates } from "./estimates";
import { hoursOf } from "../../lib/durations";
import { sizeInGiB, gib } from "../../lib/quantities";

/** What the volumes of one workload are in for. */
export interface VolumeCapacity {
    readonly volume: Volume;
    /**
     * Whether the configured size is enough: `fits`, with the head-room; `tight`, without it; `full`, before data is deleted;
     * `unknown`, where a rate is missing; and `cache`, which takes what it gets.
     */
    readonly verdict: "fits" | "tight" | "full" | "unknown" | "cache";
    /** The signals that are stored here without a rate, so that nothing else is known. */
    readonly withoutRate: readonly Signal[];
    /** What is added in a day, in GiB, all volumes and copies together. 0 where the route stores nothing here. */
    readonly perDayGiB: number;
    /** Days for which that goes on, before as much is deleted as is added. */
    readonly growsForDays: number;
    /** Size that each volume needs, in whole GiB, the head-room included. `undefined` for a cache, and where a rate is missing. */
    readonly neededGiB: number | undefined;
    /** Days after which volumes of the configured size are full. `undefined` when data is deleted before. */
    readonly fullAfterDays: number | undefined;
    /** Days after which a limit of the store deletes data, where that is before its retention does. */
    readonly keptDays: number | undefined;
}

/** What the volumes on the management cluster need at these rates of its own telemetry. */
export function capacityOf(deployment: Deployment, rates: Rates): VolumeCapacity[] {
    const perDay = bytesPerDay(rates);
    const destinations = deployment.destinations;
    const unknown = { withoutRate: [], perDayGiB: 0, growsForDays: 0 };
    const nothing = { neededGiB: undefined, fullAfterDays: undefined, keptDays: undefined };
    return deployment.volumes.map((volume): VolumeCapacity => {
        const { signal, retention, copies, count, size, limits } = volume;
        if (retention === undefined || signal === "grafana") {
            return { volume, verdict: "cache", ...unknown, ...nothing };
        }
        // A store gets what is sent to it: that of logs the audit logs as well, where they have none of their own.
        const stored = signals.filter((each) => endsAt(destinations[each], signal));
        const withoutRate = stored.filter((each) => rates[each] === undefined && isToldApart(deployment, each));
        if (withoutRate.length > 0) {
            return { volume, verdict: "unknown", ...unknown, withoutRate, ...nothing };
        }
        const added = stored.reduce((sum, each) => sum + perDay[each], 0);
        const limit = Math.min(...limits.map(({ giB = Infinity }) => giB)) * gib * count;
        const needed = neededBytes(signal, added, retention, copies);
        const daysUntil = (bytes: number) => bytes / (added * copies);
        const kept = daysOnDisk(signal, retention);
        const growsForDays = Math.min(kept, daysUntil(limit));
        const days = daysUntil(sizeInGiB(size) * gib * count);
        const neededGiB = Math.ceil(Math.min(needed, limit * victoriaMetricsEstimates.headRoom) / count / gib);
        const isFull = days < growsForDays;
        return {
            volume,
            verdict: isFull ? "full" : neededGiB > sizeInGiB(size) ? "tight" : "fits",
            withoutRate,
            perDayGiB: (added * copies) / gib,
            growsForDays,
            neededGiB,
            fullAfterDays: isFull ? days : undefined,
            keptDays: growsForDays < kept ? growsForDays : undefined,
        };
    });
}

/** How full each volume is after so many days, in percent, where it was empty before. */
export function percentFull({ volume, perDayGiB, growsForDays }: VolumeCapacity, days: number): number {
    const size = sizeInGiB(volume.size) * volume.count;
    return Math.min(100, (perDayGiB * Math.min(days, growsForDays) * 100) / size);
}

/** Whether a signal is one by itself: up to KOF 1.9 audit logs are among the logs, and counted with them. */
export function isToldApart({ collectors }: Deployment, signal: Signal): boolean {
    return signal !== "audit" || collectors.some(sortsAudit);
}

/** The stores of telemetry for which no volume can be planned, because KOF makes none: a sentence each. */
export function storesWithoutVolumes(deployment: Deployment): string[] {
    return deployment.stores
        .filter(({ retention }) => retention !== undefined)
        .flatMap(({ workload, signal, keeps }) => {
            switch (keeps) {
                case "volumes":
                    return [];
                case "emptyDir":
                    return [`${workload} has no volumes: nothing of its ${signal} survives a restart of its pod.`];
                case "existingClaim":
                    return [
                        `${workload} keeps its ${signal} in a claim that KOF does not make: its size is not known.`,
                    ];
            }
        });
}

/** Whether some of a signal ends in this cluster's store of another one, or of its own. */
function endsAt(destination: Destination, store: Signal): boolean {
    return destination.stored && destination.ends.some(({ on, holds }) => on === "cluster" && holds === store);
}

/** Whether anything of this cluster's own is stored on it. */
export function storesHere(deployment: Deployment): boolean {
    const destinations = deployment.destinations;
    return signals.some((signal) => signals.some((store) => endsAt(destinations[signal], store)));
}

/** What the collectors hold back while a destination outside the cluster is away. */
export interface BufferCapacity {
    readonly signal: Signal;
    /** In GiB, of all nodes together, for as long as `kof:buffer.duration` says; `undefined` where the rate is missing. */
    readonly heldGiB: number | undefined;
}

/** What an outage of the destination takes to bridge; nothing for signals that are stored on this cluster. */
export function bufferCapacity(deployment: Deployment, rates: Rates): BufferCapacity[] {
    const held = bufferBytes(rates, hoursOf(bufferOf(deployment.settings).duration) * 60);
    const { destinations, queued = signals } = deployment;
    const leaves = (destination: Destination) =>
        destination.stored && destination.ends.some(({ on }) => on !== "cluster");
    return signals
        .filter((signal) => leaves(destinations[signal]) && queued.includes(signal))
        .filter((signal) => rates[signal] !== undefined || isToldApart(deployment, signal))
        .map((signal) => ({ signal, heldGiB: rates[signal] === undefined ? undefined : held[signal] / gib }));
}
