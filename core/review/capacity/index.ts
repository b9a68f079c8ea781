import { signals, type Signal } from "../../charts";
import type { Deployment } from "../../routes/deployment";
import type { Collector } from "../../collectors/effective";
import { deliveriesOf, destinationOf, queuesText } from "../../routes/deliveries";
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
     * Whether the configured size is enough: `fits` with the headroom, `tight` without it, and `full` before data is
     * deleted. It is `unknown` where a rate is missing. A `cache` takes what it gets.
     */
    readonly verdict: "fits" | "tight" | "full" | "unknown" | "cache";
    /** The signals that are stored here without a rate, so that nothing else is known. */
    readonly withoutRate: readonly Signal[];
    /** What is added in a day, in GiB, all volumes and copies together. 0 where the route stores nothing here. */
    readonly perDayGiB: number;
    /** Days until as much is deleted as is added. */
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
        const withoutRate = stored.filter((each) => rates[each] === undefined && isCountedSeparately(deployment, each));
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

/** Whether a signal counts separately: up to KOF 1.9, audit logs count as logs. */
export function isCountedSeparately({ collectors }: Deployment, signal: Signal): boolean {
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

/** What the collectors hold back of a signal while a destination outside the cluster is away. */
export interface BufferCapacity {
    readonly signal: Signal;
    /** The name of the destination in `kof:signals`. */
    readonly destination: string;
    /** How long it may be away, as a Go duration; `undefined` where that is the exporter's default. */
    readonly duration: string | undefined;
    /** In GiB, of all nodes together, for that long; `undefined` where the rate or the duration is missing. */
    readonly heldGiB: number | undefined;
    /** Most that each exporter keeps on its node's disk, in GiB; `undefined` where its limit is none in bytes. */
    readonly limitGiB: number | undefined;
}

/** What an outage of each destination takes to bridge; nothing for signals that are stored on this cluster, or have no queue on disk. */
export function bufferCapacity(deployment: Deployment, rates: Rates): BufferCapacity[] {
    return deliveriesOf(deployment)
        .filter(({ end }) => end.on !== "cluster")
        .filter(({ signal }) => rates[signal] !== undefined || isCountedSeparately(deployment, signal))
        .flatMap((delivery): BufferCapacity[] => {
            const { signal } = delivery;
            const queue = delivery.writers.find((each) => each.queue.keeps === "disk")?.queue;
            if (!queue) {
                return [];
            }
            const { duration, bytes } = queue;
            const held = duration === undefined ? undefined : bufferBytes(rates, hoursOf(duration) * 60)[signal] / gib;
            return [
                {
                    signal,
                    destination: destinationOf(delivery),
                    duration,
                    heldGiB: rates[signal] === undefined ? undefined : held,
                    limitGiB: bytes === undefined ? undefined : bytes / gib,
                },
            ];
        });
}

/** What leaves the cluster without a queue on disk, a text each: `metrics for cloudwatch (nothing)`. */
export function notOnDisk(deployment: Deployment): string[] {
    return deliveriesOf(deployment)
        .filter(({ end, writers }) => end.on !== "cluster" && writers.every(({ queue }) => queue.keeps !== "disk"))
        .filter(({ signal }) => isCountedSeparately(deployment, signal))
        .map((each) => `${each.signal} for ${destinationOf(each)} (${queuesText(each)})`);
}

/** What the queues of one collector take of the disk of each node that it is on. */
interface QueueSpace {
    readonly collector: Collector;
    /** Most that they take together, in GiB. */
    readonly giB: number;
    /** Exporters whose queue has no limit in bytes, which is not counted. */
    readonly uncounted: readonly string[];
}

/** What the queues on disk take at most. An exporter has one for each kind of telemetry: logs and audit logs share theirs. */
export function queueSpace(deployment: Deployment): QueueSpace[] {
    const writers = deliveriesOf(deployment).flatMap((each) => each.writers);
    return deployment.collectors.map((collector) => {
        const queues = new Map(
            writers
                .filter(({ collector: { name }, queue }) => name === collector.name && queue.keeps === "disk")
                .map(({ queue, flow }) => [`${queue.exporter} ${flow.pipeline.split("/")[0] ?? ""}`, queue]),
        );
        const all = [...queues.values()];
        return {
            collector,
            giB: all.reduce((sum, { bytes = 0 }) => sum + bytes, 0) / gib,
            uncounted: all.flatMap(({ exporter, bytes }) => (bytes === undefined ? [exporter] : [])),
        };
    });
}
