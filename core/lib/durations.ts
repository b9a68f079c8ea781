/** Seconds by the units of Go, Prometheus and VictoriaMetrics (`metricsql.DurationValue`), and of a month. */
const units: Readonly<Record<string, number>> = {
    ...{ ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 7 * 86_400, y: 365 * 86_400 },
    M: 31 * 86_400,
};

/** The seconds of a duration of one unit or several: `90s`, `1d12h`; `NaN` for anything else. */
export function secondsOf(duration: string): number {
    if (!/^(\d+(\.\d+)?(ms|[smhdwyM]))+$/.test(duration)) {
        return Number.NaN;
    }
    return [...duration.matchAll(/([\d.]+)(ms|[smhdwyM])/g)].reduce(
        (sum, [, amount, unit = ""]) => sum + Number(amount) * (units[unit] ?? Number.NaN),
        0,
    );
}

/** The hours of a duration, see {@link secondsOf}. */
export function hoursOf(duration: string): number {
    return secondsOf(duration) / 3600;
}

/** The days of a retention as VictoriaMetrics reads it: a bare number counts months. `NaN` for any other text. */
export function retentionInDays(retention: string): number {
    return secondsOf(/^\d+(\.\d+)?$/.test(retention) ? `${retention}M` : retention) / 86_400;
}
