import { setTimeout as sleep } from "node:timers/promises";

/** Waits until something is true. */
export async function until(condition: () => boolean): Promise<void> {
    while (!condition()) {
        await sleep(50);
    }
}

/** Whether there is a process of this id. */
export function isRunning(pid: number): boolean {
    try {
        return process.kill(pid, 0);
    } catch {
        return false;
    }
}
