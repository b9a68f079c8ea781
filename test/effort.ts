import assert from "node:assert/strict";

/**
 * Does something, and fails where it takes many times the CPU that {@link reference} takes here and now: time itself says how busy a
 * machine is, and this how work grows.
 *
 * @param times far more than it takes, and far less than it would take where it grew with the square of what is given.
 */
export function withinEffort<T>(times: number, what: string, work: () => T): T {
    const start = process.cpuUsage();
    try {
        return work();
    } finally {
        const taken = secondsSince(start);
        unit ||= reference();
        for (let tries = 0; taken > times * unit && tries < 5; tries++) {
            // What slowed the work down may have come since.
            unit = Math.max(unit, reference());
        }
        assert.ok(taken <= times * unit, `${what} takes ${String(Math.round(taken / unit))} units of work`);
    }
}

/** CPU seconds of {@link reference}. */
let unit = 0;

/** Reads and writes ten thousand keys. @returns its CPU seconds: about 0.02. */
function reference(): number {
    const start = process.cpuUsage();
    let text = JSON.stringify(Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`key-${String(i)}`, [i]])));
    for (let round = 0; round < 3; round++) {
        text = JSON.stringify(JSON.parse(text)).replaceAll(/"key-(\d+)"/g, '"key-$1"');
    }
    assert.ok(text.length > 100_000);
    return secondsSince(start);
}

function secondsSince(start: NodeJS.CpuUsage): number {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
}
