import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { stringify } from "yaml";

import { isMap, valueAt, type HelmValue, type HelmValues } from "../../core/lib/values";
import type { Collector } from "../../core/collectors/effective";
import { typeOf } from "../../core/collectors/flows";
import { parseMetrics, type Sample } from "../../live/collectors";
import { eventually, freePorts, ServerProcess } from "./program";

/** The types of components that tools/modules/collector has. */
const built = new Set([
    ...["batch", "cumulativetodelta", "filter", "groupbyattrs", "probabilistic_sampler", "resource", "transform"],
    ...["awscloudwatchlogs", "awsemf", "otlp", "otlphttp", "prometheusremotewrite", "forward", "routing"],
    ...["file_storage", "azureauth", "basicauth", "bearertokenauth", "googleclientauth", "oauth2client", "sigv4auth"],
]);

const storageExtension = "file_storage/exporters";

/** Where nothing listens. */
const nowhere = "127.0.0.1:9";

/** A log record or a data point: its text or name, and how many seconds after now its time is; `undefined` for none. */
export type Sent = readonly [name: string, offset: number | undefined];

/** OTLP's own name of what a request has of each signal. */
export type OtlpSignal = "logs" | "metrics" | "traces";

/** A real collector with the pipelines of one of KOF's that end in anything it was built with: they get OTLP from here. */
export class RealCollector {
    private running: ServerProcess | undefined;
    private otlp = 0;
    private metrics = 0;

    private readonly root = fs.mkdtempSync(path.join(os.tmpdir(), "kof-collector-"));

    /**
     * @param programs the folder with what tools/modules/collector builds.
     * @param secrets what the Secrets hold that its variables come from, by name and key.
     */
    constructor(
        private readonly programs: string,
        private collector: Pick<Collector, "config" | "env">,
        private readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
    ) {}

    /** The folder that its exporters keep their queues in. */
    get queues(): string {
        return path.join(this.root, "queues");
    }

    /** All that it has printed since it was last started. */
    get log(): string {
        return fs.readFileSync(path.join(this.root, "log"), "utf8");
    }

    /** Starts it, and waits until it listens or has ended: gives whether it runs. */
    async start(change: Change = (config) => config): Promise<boolean> {
        const program = await this.run([], change);
        this.running = program;
        await eventually(() => program.ended || this.log.includes("Everything is ready"));
        return !program.ended;
    }

    /** What it says against its configuration; nothing where that is valid. */
    async complaint(change: Change = (config) => config): Promise<string> {
        const program = await this.run(["validate"], change);
        await eventually(() => program.ended);
        return this.log;
    }

    /** Restarts it with another configuration and its files on disk. */
    async become(collector: Pick<Collector, "config" | "env">, change?: Change): Promise<boolean> {
        await this.stop();
        this.collector = collector;
        return this.start(change);
    }

    private async run(command: readonly string[], change: Change): Promise<ServerProcess> {
        const loopback = this.loopbackPorts();
        const [otlp = 0, metrics = 0, ...others] = await freePorts(2 + loopback.length);
        [this.otlp, this.metrics] = [otlp, metrics];
        fs.mkdirSync(this.queues, { recursive: true });
        const file = path.join(this.root, "config.yaml");
        const text = stringify(change(this.runnable()), { aliasDuplicateObjects: false });
        const onFreePorts = loopback.reduce(
            (all, port, index) => all.replaceAll(port, `127.0.0.1:${String(others[index])}`),
            text,
        );
        fs.writeFileSync(file, onFreePorts);
        return new ServerProcess(path.join(this.programs, "collector"), [...command, `--config=${file}`], {
            log: path.join(this.root, "log"),
            env: { ...this.noCloud(), ...this.environment() },
        });
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

    async send(signal: OtlpSignal, body: object): Promise<void> {
        const answer = await fetch(`http://127.0.0.1:${String(this.otlp)}/v1/${signal}`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(body),
        });
        if (!answer.ok) {
            throw new Error(`the collector answers ${String(answer.status)}`);
        }
    }

    private at(...keys: string[]): HelmValues {
        return (valueAt(this.collector.config, keys) ?? {}) as HelmValues;
    }

    /** What it hands itself on the loopback: other collectors on this machine have the same ports. */
    private loopbackPorts(): string[] {
        return Object.keys(this.at("receivers")).flatMap((id) => {
            const endpoint = valueAt(this.at("receivers", id), ["protocols", "http", "endpoint"]);
            return isQueue(id) && typeof endpoint === "string" ? [endpoint] : [];
        });
    }

    /** What keeps it from asking for an identity of whoever runs the tests, or of this machine. */
    private noCloud(): Record<string, string> {
        return {
            ...{ AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret" },
            ...{ HOME: this.root, AZURE_TOKEN_CREDENTIALS: "prod" },
            ...{ GCE_METADATA_HOST: nowhere, HTTP_PROXY: `http://${nowhere}` },
        };
    }

    /** Its variables, as a kubelet would set them. */
    private environment(): Record<string, string> {
        return Object.fromEntries(
            this.collector.env.flatMap(({ name, value, valueFrom }) => {
                const reference = valueAt(valueFrom, ["secretKeyRef"]);
                if (reference === undefined) {
                    return [[name, value ?? `${name.toLowerCase().replaceAll("_", "-")}-1`]];
                }
                const [secret, key] = [valueAt(reference, ["name"]), valueAt(reference, ["key"])];
                const found = this.secrets[secret as string]?.[key as string];
                return found === undefined ? [] : [[name, found]];
            }),
        );
    }

    /** Its configuration, with what needs no cluster. */
    private runnable(): HelmValues {
        const only = (components: HelmValues) =>
            Object.fromEntries(Object.entries(components).filter(([id]) => built.has(typeOf(id))));
        const connectors = only(this.at("connectors"));
        const queues = Object.fromEntries(Object.entries(this.at("receivers")).filter(([id]) => isQueue(id)));
        const [exporters, processors] = [only(this.at("exporters")), only(this.at("processors"))];
        const onlyOf = (list: HelmValue | undefined, among: HelmValues) =>
            ((list ?? []) as string[]).filter((id) => Object.hasOwn(among, id));
        const pipelines = Object.entries(this.at("service", "pipelines")).flatMap(([name, pipeline]) => {
            const to = onlyOf(valueAt(pipeline, ["exporters"]), { ...exporters, ...connectors });
            const from = onlyOf(valueAt(pipeline, ["receivers"]), { ...connectors, ...queues });
            const by = onlyOf(valueAt(pipeline, ["processors"]), processors);
            return to.length > 0 && isMap(pipeline)
                ? [[name, { receivers: from.length > 0 ? from : ["otlp"], processors: by, exporters: to }] as const]
                : [];
        });
        const used = (components: HelmValues) =>
            Object.fromEntries(
                Object.entries(components).filter(([id]) =>
                    pipelines.some(([, { exporters }]) => exporters.includes(id)),
                ),
            );
        const listed = ((valueAt(this.at("service"), ["extensions"]) ?? []) as string[]).filter(
            (id) => id !== storageExtension,
        );
        const authenticators = listed.filter((id) => typeOf(id) !== "file_storage" && built.has(typeOf(id)));
        const prometheus = { host: "127.0.0.1", port: this.metrics };
        return {
            receivers: { ...queues, otlp: { protocols: { http: { endpoint: `127.0.0.1:${String(this.otlp)}` } } } },
            processors,
            exporters: used(exporters),
            connectors,
            extensions: {
                ...Object.fromEntries(authenticators.map((id) => [id, this.at("extensions", id)])),
                [storageExtension]: { ...this.at("extensions", storageExtension), directory: this.queues },
            },
            service: {
                extensions: [storageExtension, ...authenticators],
                telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus } } }] } },
                pipelines: Object.fromEntries(pipelines) as HelmValues,
            },
        };
    }
}

/** Changes the configuration of a collector. */
type Change = (config: HelmValues) => HelmValues;

/** Whether a receiver gets what an exporter of its own collector keeps on disk. */
function isQueue(receiver: string): boolean {
    return /^otlp\/(.+-)?queue$/.test(receiver);
}

function time(offset: number | undefined): object {
    return offset === undefined ? {} : { timeUnixNano: `${String(Math.round(Date.now() + offset * 1000))}000000` };
}
