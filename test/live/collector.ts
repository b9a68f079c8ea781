import { HttpStandIn, type Reply } from "../../tools/servers/standins";

/** One record of what a collector takes in, as far as a test needs it. */
export type OtlpBody = Record<string, any>;

/** Writes one signal to where it is stored, as an exporter does: gives the HTTP status of the answer. */
export type Exporter = (signal: "logs" | "metrics" | "traces", body: OtlpBody) => Promise<number>;

/**
 * Stands in for a collector: takes OTLP, has `write` export it, and counts what became of it as the real one does. Like the
 * real one it answers 200 before it knows, and drops what is refused.
 */
export class CollectorStandIn {
    private readonly counts = new Map<string, number>();
    private looks = 0;
    private otlp: HttpStandIn | undefined;
    private metrics: HttpStandIn | undefined;

    constructor(private readonly write: Exporter) {}

    async start(): Promise<{ otlp: number; metrics: number }> {
        this.otlp = await HttpStandIn.start(({ url, body }) => this.receive(url.pathname.slice("/v1/".length), body));
        this.metrics = await HttpStandIn.start(() => [200, this.text()]);
        return { otlp: this.otlp.port, metrics: this.metrics.port };
    }

    async stop(): Promise<void> {
        await this.otlp?.stop();
        await this.metrics?.stop();
    }

    private async receive(signal: string, body: Buffer): Promise<Reply> {
        if (signal !== "logs" && signal !== "metrics" && signal !== "traces") {
            return [404];
        }
        const status = await this.write(signal, JSON.parse(body.toString()) as OtlpBody);
        const unit = { logs: "log_records", metrics: "metric_points", traces: "spans" }[signal];
        const exporter = { logs: "otlphttp/logs", metrics: "prometheusremotewrite", traces: "otlphttp/traces" }[signal];
        const counter = `otelcol_exporter_${status < 300 ? "sent" : "send_failed"}_${unit}_total{exporter="${exporter}"}`;
        this.counts.set(counter, (this.counts.get(counter) ?? 0) + 1);
        return [200, "{}"];
    }

    private text(): string {
        // What another exporter drops says nothing of these records.
        const other = ["log_records", "metric_points", "spans"].map(
            (unit) => `otelcol_exporter_send_failed_${unit}_total{exporter="otlphttp/other"} ${String(this.looks)}\n`,
        );
        this.looks += 1;
        return [...[...this.counts].map(([name, count]) => `${name} ${String(count)}\n`), ...other].join("");
    }
}
