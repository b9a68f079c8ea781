/** Minutes after which a controller has usually looked at an object. */
export const usualWait = 10;

/** Minutes since a time in RFC 3339. Not a number, and so neither more nor less than anything, where there is none. */
export function minutesSince(time: string): number {
    return (Date.now() - Date.parse(time)) / 60_000;
}
