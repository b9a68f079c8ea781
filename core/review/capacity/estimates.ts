import { perSignal, type Signal } from "../../charts";
import type { Rates } from "../../settings/settings";
import { secondsOf, retentionInDays } from "../../lib/durations";

/**
 * Estimates of KOF's own, in bytes on disk: 25 MB for a million log lines, 50 MB for 100 million samples
 * (https://docs.k0rdent.io/latest/admin/kof/kof-resources, "Storage Requirements").
 */
export const kofEstimates = { bytesPerLine: 25e6 / 1e6, bytesPerSample: 50e6 / 100e6 } as const;

/**
 * What VictoriaMetrics plans with: a sample "requires less or around 1 byte", and a fifth of the disk stays free for merges
 * (https://docs.victoriametrics.com/guides/understand-your-setup-size, "Retention Period/Disk Space"; the fifth is also in
 * the capacity planning of VictoriaLogs, https://docs.victoriametrics.com/victorialogs/#capacity-planning).
 */
export const victoriaMetricsEstimates = { bytesPerSample: 1, headRoom: 1.25 } as const;

/**
 * How much smaller logs and traces are on disk. Nobody promises a figure: at 10, the default size of a line, 250 bytes, is
 * KOF's 25. What yours is, VictoriaLogs knows: vl_uncompressed_data_size_bytes / vl_compressed_data_size_bytes.
 */
const compression = 10;

/** A sample with its name and about ten labels, as OTLP carries it before compression. An assumption. */
export const bytesPerSampleSent = 400;

const secondsPerDay = 86_400;

/** Samples a second: 1000 series every 15 seconds are 66. */
export function samplesPerSecond({ activeSeries, scrapeInterval }: NonNullable<Rates["metrics"]>): number {
    return activeSeries / secondsOf(scrapeInterval);
}

/** Bytes that each signal adds on disk in a day, one copy. KOF's estimate is the least that a line and a sample count for. */
export function bytesPerDay(rates: Rates): Record<Signal, number> {
    const { bytesPerLine, bytesPerSample } = kofEstimates;
    const onDisk = (lines: Rates["logs"]) =>
        lines ? lines.linesPerSecond * Math.max(bytesPerLine, lines.bytesPerLine / compression) : 0;
    const perSecond = {
        metrics: rates.metrics
            ? samplesPerSecond(rates.metrics) * Math.max(bytesPerSample, victoriaMetricsEstimates.bytesPerSample)
            : 0,
        logs: onDisk(rates.logs),
        traces: rates.traces ? (rates.traces.spansPerSecond * rates.traces.bytesPerSpan) / compression : 0,
        audit: onDisk(rates.audit),
    };
    return perSignal((signal) => perSecond[signal] * secondsPerDay);
}

/**
 * Bytes of a sample in the archives' Parquet files (ZSTD, `internal/coldstorage/parquet.go` of KOF 1.11.0-rc0). An assumption: names and
 * labels, which each row has, repeat, and timestamps and values are all that differ.
 */
const archivedBytesPerSample = 2;

/**
 * Bytes that each signal adds to an archive in a day. That files of logs, spans (Parquet with ZSTD) and audit logs (gzip) are as much
 * smaller as VictoriaLogs has them on disk is an assumption too.
 */
export function archivedPerDay(rates: Rates): Record<Signal, number> {
    const packed = (lines: Rates["logs"]) => (lines ? (lines.linesPerSecond * lines.bytesPerLine) / compression : 0);
    const perSecond = {
        metrics: rates.metrics ? samplesPerSecond(rates.metrics) * archivedBytesPerSample : 0,
        logs: packed(rates.logs),
        traces: rates.traces ? (rates.traces.spansPerSecond * rates.traces.bytesPerSpan) / compression : 0,
        audit: packed(rates.audit),
    };
    return perSignal((signal) => perSecond[signal] * secondsPerDay);
}

/**
 * Days for which data is really on disk: it goes a partition at a time, which is a day of logs and traces. Of metrics it is a
 * month where they are kept for longer than 30 days ("Retention Cycle" of VictoriaMetrics).
 */
export function daysOnDisk(signal: Signal, retention: string): number {
    const days = retentionInDays(retention);
    return days + (signal === "metrics" && days > 30 ? 30 : 1);
}

/**
 * Bytes that data needs, all copies and the head-room included: VictoriaMetrics' formula, bytes per sample * ingestion rate *
 * replication factor * (retention + one cycle) * 1.25.
 */
export function neededBytes(signal: Signal, perDay: number, retention: string, copies: number): number {
    return perDay * copies * daysOnDisk(signal, retention) * victoriaMetricsEstimates.headRoom;
}

/** Bytes a second that leave the collectors, as OTLP carries them before compression. */
export function bytesSent(rates: Rates): Record<Signal, number> {
    const sent = (lines: Rates["logs"]) => (lines ? lines.linesPerSecond * lines.bytesPerLine : 0);
    return {
        metrics: rates.metrics ? samplesPerSecond(rates.metrics) * bytesPerSampleSent : 0,
        logs: sent(rates.logs),
        traces: rates.traces ? rates.traces.spansPerSecond * rates.traces.bytesPerSpan : 0,
        audit: sent(rates.audit),
    };
}

/**
 * Bytes that collectors hold back while a destination is away, of all nodes together: they do not compress their queues. A node
 * holds what its own pods send: with everything on one node, all of it.
 *
 * @param minutes how long the destination is away.
 */
export function bufferBytes(rates: Rates, minutes: number): Record<Signal, number> {
    const perSecond = bytesSent(rates);
    return perSignal((signal) => perSecond[signal] * 60 * minutes);
}
