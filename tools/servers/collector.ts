import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { stringify } from "yaml";

import { isMap, valueAt, type HelmValue, type HelmValues } from "../../core/lib/values";
import type { Collector } from "../../core/collectors/effective";
import { typeOf } from "../../core/collectors/flows";
import { parseMetrics, type Sample } from "../../live/collectors";
import { freePorts, ServerProcess } from "./program";

/** The types of components that tools/collector has. */
const built = new Set([
    ...["batch", "filter", "groupbyattrs", "resource", "transform", "routing"],
    ...["awscloudwatchlogs", "awsemf", "file_storage"],
]);

/** A log record or a data point: its text or name, and how many seconds after now its time is; `undefined` for none. */
export type Sent = readonly [name: string, offset: number | undefined];

/** A real collector, with those pipelines of one of KOF's that end in CloudWatch: they get OTLP from here instead. */
export class RealCollector {
    private running: ServerProcess | undefined;
    private otlp = 0;
    private metrics = 0;

    private readonly config: HelmValues;
    private readonly root = fs.mkdtempSync(path.join(os.tmpdir(), "kof-collector-"));

    /** @param programs the folder with what tools/collector builds. */
    constructor(
        private readonly programs: string,
        { config }: Collector,
    ) {
        this.config = config;
    }

    /** The folder that its exporters keep their queues in. */
    get queues(): string {
        return path.join(this.root, "queues");
    }

    /** All that it has printed since it was last started. */
    get log(): string {
        return fs.readFileSync(path.join(this.root, "log"), "utf8");
    }

    /** Starts it, and waits until it listens or has ended: gives whether it runs. */
    async start(change: (config: HelmValues) => HelmValues = (config) => config): Promise<boolean> {
        [this.otlp = 0, this.metrics = 0] = await freePorts(2);
        fs.mkdirSync(this.queues, { recursive: true });
        const file = path.join(this.root, "config.yaml");
        fs.writeFileSync(file, stringify(change(this.runnable()), { aliasDuplicateObjects: false }));
        const program = new ServerProcess(path.join(this.programs, "collector"), [`--config=${file}`], {
            log: path.join(this.root, "log"),
            env: {
                AWS_ACCESS_KEY_ID: "key",
                AWS_SECRET_ACCESS_KEY: "secret",
                OTEL_K8S_NODE_NAME: "node-1",
                OTEL_K8S_POD_NAME: "pod-1",
            },
        });
        this.running = program;
        await until(() => program.ended || this.log.includes("Everything is ready"));
        return !program.ended;
    }

    /** Ends it as a node does that loses its power, where told so. */
    async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
        await this.running?.stop(signal);
    }

    /** Ends it, and removes what it had on disk. */
    async remove(): Promise<void> {
        await this.stop("SIGKILL");
        fs.rmSync(this.root, { recursive: true, force: true });
    }

    async sendLogs(records: readonly Sent[], attributes: Readonly<Record<string, string>> = {}): Promise<void> {
        const logRecords = records.map(([text, offset]) => ({
            ...time(offset),
            body: { stringValue: text },
            attributes: Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } })),
        }));
        await this.send("logs", { resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
    }

    async sendPoints(points: readonly Sent[]): Promise<void> {
        const dataPoints = points.map(([stringValue, offset]) => ({
            ...time(offset),
            asDouble: 1,
            attributes: [{ key: "series", value: { stringValue } }],
        }));
        const metrics = [{ name: "m", gauge: { dataPoints } }];
        await this.send("metrics", { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
    }

    /** What it says of itself, as `doctor` reads it. */
    async samples(): Promise<Sample[]> {
        return parseMetrics(await (await fetch(`http://127.0.0.1:${String(this.metrics)}/metrics`)).text());
    }

    private async send(signal: string, body: object): Promise<void> {
        const answer = await fetch(`http://127.0.0.1:${String(this.otlp)}/v1/${signal}`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(body),
        });
        if (!answer.ok) {
            throw new Error(`the collector answers ${String(answer.status)}`);
        }
    }

    /** Its configuration, with what needs no cluster. */
    private runnable(): HelmValues {
        const at = (...keys: string[]) => (valueAt(this.config, keys) ?? {}) as HelmValues;
        const only = (components: HelmValues) =>
            Object.fromEntries(Object.entries(components).filter(([id]) => built.has(typeOf(id))));
        const [connectors, exporters, processors] = [
            only(at("connectors")),
            only(at("exporters")),
            only(at("processors")),
        ];
        const onlyOf = (list: HelmValue | undefined, among: HelmValues) =>
            ((list ?? []) as string[]).filter((id) => Object.hasOwn(among, id));
        const pipelines = Object.entries(at("service", "pipelines")).flatMap(([name, pipeline]) => {
            const to = onlyOf(valueAt(pipeline, ["exporters"]), { ...exporters, ...connectors });
            const from = onlyOf(valueAt(pipeline, ["receivers"]), connectors);
            const by = onlyOf(valueAt(pipeline, ["processors"]), processors);
            return to.length > 0 && isMap(pipeline)
                ? [[name, { receivers: from.length > 0 ? from : ["otlp"], processors: by, exporters: to }]]
                : [];
        });
        const storage = "file_storage/exporters";
        const prometheus = { host: "127.0.0.1", port: this.metrics };
        return {
            receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${String(this.otlp)}` } } } },
            processors,
            exporters,
            connectors,
            extensions: { [storage]: { ...at("extensions", storage), directory: this.queues } },
            service: {
                extensions: [storage],
                telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus } } }] } },
                pipelines: Object.fromEntries(pipelines) as HelmValues,
            },
        };
    }
}

function time(offset: number | undefined): object {
    return offset === undefined ? {} : { timeUnixNano: `${String(Math.round(Date.now() + offset * 1000))}000000` };
}

/** Waits until something is true, for a minute. What throws is not true yet. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
        if (
            await Promise.resolve()
                .then(condition)
                .catch(() => false)
        ) {
            return;
        }
        await sleep(200);
    }
    throw new Error("it did not come true in a minute");
}
