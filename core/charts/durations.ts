/** The hours of a Go duration with one unit, as `kof:buffer.duration` has it. */
export function hoursOf(duration: string): number {
    const [, amount = "", unit = ""] = /^(\d+)([smh])$/.exec(duration) ?? [];
    return (Number(amount) * { s: 1, m: 60, h: 3600 }[unit as "s" | "m" | "h"]) / 3600;
}
