import { signals, type Signal } from "../catalog";
import type { Route } from "../routes";
import { hoursOf } from "../collectors/buffers";
import { bufferOf } from "../routes/collectors";
import { sizeInGiB, storesHere, volumesOf, type Volume } from "../routes/volumes";
import type { Rates } from "../stacks/settings";
import { bufferBytes, bytesPerDay, daysOnDisk, gib, neededBytes } from "./estimates";

/** What the volumes of one workload are in for. */
export interface VolumeCapacity {
    readonly volume: Volume;
    /** What is added in a day, in GiB, all volumes and copies together. 0 where the route stores nothing here. */
    readonly perDayGiB: number;
    /** Size that each volume needs, in whole GiB, the head-room included. `undefined` for a cache, which takes what it gets. */
    readonly neededGiB: number | undefined;
    /** Days after which volumes of the configured size are full. `undefined` when data is deleted before. */
    readonly fullAfterDays: number | undefined;
}

/** What the volumes that a route has on the management cluster need at these rates. */
export function capacityOf(route: Route, rates: Rates): VolumeCapacity[] {
    const perDay = bytesPerDay(rates);
    const audit = route.volumes.some(({ volume }) => volume.signal === "audit");
    return volumesOf(route).map((volume) => {
        const { signal, retention, copies, count, size } = volume;
        if (retention === undefined) {
            return { volume, perDayGiB: 0, neededGiB: undefined, fullAfterDays: undefined };
        }
        // Before audit logs had volumes of their own they were among the logs.
        const stored = perDay[signal] + (signal === "logs" && !audit ? perDay.audit : 0);
        const added = storesHere(route) ? stored : 0;
        const days = (sizeInGiB(size) * gib * count) / (added * copies);
        return {
            volume,
            perDayGiB: (added * copies) / gib,
            neededGiB: Math.ceil(neededBytes(signal, added, retention, copies) / count / gib),
            fullAfterDays: days < daysOnDisk(signal, retention) ? days : undefined,
        };
    });
}

/** What the collectors hold back while a destination outside the cluster is away. */
export interface BufferCapacity {
    readonly signal: Signal;
    /** In GiB, of all nodes together, for as long as `kof:buffer.duration` says. */
    readonly heldGiB: number;
}

/** What an outage of the destination takes to bridge; nothing on routes whose destinations are on this cluster. */
export function bufferCapacity(route: Route, rates: Rates): BufferCapacity[] {
    const held = bufferBytes(rates, hoursOf(bufferOf(route.settings).duration) * 60);
    return storesHere(route)
        ? []
        : signals
              .filter((signal) => route.destinations[signal].stored && isQueued(route, signal) && held[signal] > 0)
              .map((signal) => ({ signal, heldGiB: held[signal] / gib }));
}

/** Whether a signal waits on the nodes' disks: docs/destinations.md says what does not. */
function isQueued({ settings, cloudwatch }: Route, signal: Signal): boolean {
    const isLog = signal === "logs" || signal === "audit";
    const onDisk = settings.route === "regional" && settings.buffer?.metrics === "disk";
    return cloudwatch ? isLog : settings.route !== "regional" || signal !== "metrics" || onDisk;
}
