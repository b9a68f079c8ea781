import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import { connect, type AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";

import { stringify } from "yaml";

import { programs } from "../../../tools/build";
import { skipWithout } from "../../../tools/servers/cluster";
import type { OtlpSignal } from "../../../tools/servers/collector";
import { freePorts, ServerProcess } from "../../../tools/servers/program";
import { samplesOf } from "./remoteWrite";

/** A certificate that is its own CA. */
export interface Certificate {
    readonly cert: string;
    readonly key: string;
}

/** Makes one for this machine, with what comes with Go. */
export function certificate(): Certificate {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-certificate-"));
    const root = execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim();
    const program = path.join(root, "src/crypto/tls/generate_cert.go");
    const args = ["--host", "localhost,otlp.example.net,login.microsoftonline.com", "--ca", "--ecdsa-curve", "P256"];
    execFileSync("go", ["run", program, ...args], { cwd: folder, stdio: "ignore" });
    const read = (name: string) => fs.readFileSync(path.join(folder, name), "utf8");
    const made = { cert: read("cert.pem"), key: read("key.pem") };
    fs.rmSync(folder, { recursive: true });
    return made;
}

/** One request that a stand-in got. */
export interface Request {
    readonly url: URL;
    /** Names in lower case. */
    readonly headers: http.IncomingHttpHeaders;
    /** As it was sent; over gRPC the message. */
    readonly body: Buffer;
    /** How {@link body} is compressed, as HTTP calls it. */
    readonly encoding: string | undefined;
    /** The client's certificate, where it showed one. */
    readonly clientCertificate: string | undefined;
}

/** What a destination does with a request: answers with a status of HTTP, or never. */
type Behaviour = (request: Request) => number | readonly [status: number, body: string] | "hang";

/** Stands in for a destination, over HTTP or gRPC: keeps what it has answered with 200. */
export class DestinationStandIn {
    /** What it took. */
    readonly taken: Request[] = [];
    behave: Behaviour = () => 200;
    /** As a proxy, leads whoever asks for a connection to this one, whatever host they name. */
    leadsTo: DestinationStandIn | undefined;
    port = 0;
    private server: http.Server | https.Server | http2.Http2Server | http2.Http2SecureServer | undefined;
    private readonly sessions = new Set<http2.ServerHttp2Session>();

    constructor(
        private readonly protocol: "http" | "grpc",
        private readonly tls?: Certificate,
    ) {}

    /** Listens: at a free port the first time, and at the same after {@link stop}. */
    async start(): Promise<this> {
        const secure = this.tls && { ...this.tls, requestCert: true, rejectUnauthorized: false };
        if (this.protocol === "http") {
            const handle: http.RequestListener = (request, response) => {
                this.receive(request, request.url, request.headers, request.socket, ([status, body]) => {
                    response.writeHead(status, { "content-type": "application/json" }).end(body);
                });
            };
            this.server = secure ? https.createServer(secure, handle) : http.createServer(handle);
            this.server.on("connect", (_: http.IncomingMessage, client: Duplex) => {
                const other = connect(this.leadsTo?.port ?? 0, "127.0.0.1", () => {
                    client.write("HTTP/1.1 200 OK\r\n\r\n");
                    client.pipe(other).pipe(client);
                });
                other.on("error", () => client.destroy());
                client.on("error", () => other.destroy());
            });
        } else {
            const server = secure ? http2.createSecureServer(secure) : http2.createServer();
            server.on("session", (session) => this.sessions.add(session));
            server.on("stream", (stream, headers) => {
                stream.on("error", () => undefined);
                const socket = stream.session?.socket;
                this.receive(stream, headers[":path"], headers, socket, ([status]) => {
                    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
                    const code = status === 200 ? 0 : 14;
                    stream.on("wantTrailers", () => {
                        stream.sendTrailers({ "grpc-status": String(code) });
                    });
                    stream.end(code === 0 ? Buffer.alloc(5) : undefined);
                });
            });
            this.server = server;
        }
        const { server } = this;
        server.listen(this.port, "127.0.0.1");
        await new Promise((resolve) => server.once("listening", resolve));
        this.port = (server.address() as AddressInfo).port;
        return this;
    }

    /** Ends at once, as a machine does that loses its power. */
    async stop(): Promise<void> {
        const { server } = this;
        if (server && "closeAllConnections" in server) {
            server.closeAllConnections();
        }
        for (const session of this.sessions) {
            session.destroy();
        }
        this.sessions.clear();
        await new Promise<unknown>((resolve) => (server ? server.close(resolve) : setImmediate(resolve)));
        this.server = undefined;
    }

    private receive(
        stream: NodeJS.ReadableStream,
        target: string | undefined,
        headers: http.IncomingHttpHeaders,
        socket: unknown,
        answer: (reply: readonly [number, string]) => void,
    ): void {
        const chunks: Buffer[] = [];
        const peer = (socket as Partial<TLSSocket> | undefined)?.getPeerCertificate?.();
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () => {
            const sent = Buffer.concat(chunks);
            const isGrpc = this.protocol === "grpc";
            // A message of gRPC has five bytes in front of it, of which the first tells whether it is compressed.
            const compressed = isGrpc ? (sent[0] === 1 ? headers["grpc-encoding"] : undefined) : undefined;
            const request: Request = {
                url: new URL(target ?? "/", "http://stand-in"),
                headers,
                body: isGrpc ? sent.subarray(5) : sent,
                encoding: isGrpc ? (compressed as string | undefined) : headers["content-encoding"],
                clientCertificate: peer?.raw ? peer.raw.toString("base64") : undefined,
            };
            const behaviour = this.behave(request);
            if (behaviour === "hang") {
                return;
            }
            const reply = typeof behaviour === "number" ? ([behaviour, "{}"] as const) : behaviour;
            if (reply[0] === 200) {
                this.taken.push(request);
            }
            answer(reply);
        });
    }
}

/** Something that arrived, with what its resource says. */
export interface Arrived {
    readonly resource: Readonly<Record<string, string>>;
    /** A log's body, a span's or a metric's name. */
    readonly name: string;
    readonly attributes: Readonly<Record<string, string>>;
    /** Of a span. */
    readonly traceId?: string;
    /** Of a point of a metric. */
    readonly value?: number;
    /** Of a sum: 1 for delta, 2 for cumulative. */
    readonly temporality?: number;
    /** All of it, as OTLP writes it in JSON, or a sample of remote write. */
    readonly whole: string;
}

/** Reads what arrived; OTLP with another collector, which knows every compression. */
export class Reader {
    private program: ServerProcess | undefined;
    private sink: http.Server | undefined;
    private found: unknown;
    private turn: Promise<unknown> = Promise.resolve();
    private readonly known = new Map<Request, Promise<readonly Arrived[]>>();
    private readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-reader-"));
    private port = 0;

    async start(collector: string): Promise<void> {
        const sink = http.createServer((request, response) => {
            const chunks: Buffer[] = [];
            request.on("data", (chunk: Buffer) => chunks.push(chunk));
            request.on("end", () => {
                this.found = JSON.parse(Buffer.concat(chunks).toString());
                response.end();
            });
        });
        this.sink = sink.listen(0, "127.0.0.1");
        await new Promise((resolve) => sink.once("listening", resolve));
        [this.port = 0] = await freePorts(1);
        const { port } = sink.address() as AddressInfo;
        const pipeline = { receivers: ["otlp"], exporters: ["otlphttp"] };
        const config = {
            receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${String(this.port)}` } } } },
            exporters: {
                otlphttp: {
                    endpoint: `http://127.0.0.1:${String(port)}`,
                    encoding: "json",
                    compression: "none",
                    sending_queue: { enabled: false },
                    retry_on_failure: { enabled: false },
                },
            },
            service: {
                telemetry: { metrics: { level: "none" } },
                pipelines: { logs: pipeline, metrics: pipeline, traces: pipeline },
            },
        };
        const file = path.join(this.folder, "config.yaml");
        fs.writeFileSync(file, stringify(config, { aliasDuplicateObjects: false }));
        const log = path.join(this.folder, "log");
        const program = new ServerProcess(path.join(collector, "collector"), [`--config=${file}`], { log });
        this.program = program;
        await program.until(() => fs.readFileSync(log, "utf8").includes("Everything is ready"));
    }

    async stop(): Promise<void> {
        await this.program?.stop("SIGKILL");
        this.sink?.close();
        fs.rmSync(this.folder, { recursive: true, force: true });
    }

    /** What some requests have, in their order. */
    async read(requests: readonly Request[]): Promise<Arrived[]> {
        const all: Arrived[] = [];
        for (const each of [...requests]) {
            const known = this.known.get(each) ?? this.readOne(each);
            this.known.set(each, known);
            all.push(...(await known));
        }
        return all;
    }

    private readOne(request: Request): Promise<readonly Arrived[]> {
        const read = () => (signalOf(request) ? this.readOtlp(request) : seriesIn(request));
        const next = this.turn.then(read);
        this.turn = next.catch(() => undefined);
        return next;
    }

    private async readOtlp({ url, headers, body, encoding }: Request): Promise<readonly Arrived[]> {
        this.found = undefined;
        const isJson = headers["content-type"] === "application/json";
        const answer = await fetch(`http://127.0.0.1:${String(this.port)}/v1/${String(signalOf({ url }))}`, {
            method: "POST",
            headers: {
                "content-type": isJson ? "application/json" : "application/x-protobuf",
                ...(encoding === undefined ? {} : { "content-encoding": encoding }),
            },
            body: new Uint8Array(body),
        });
        if (!answer.ok) {
            throw new Error(
                `what arrived at ${url.pathname} (${encoding ?? "plain"}) is no OTLP: ${await answer.text()}`,
            );
        }
        return arrivedIn(this.found);
    }
}

function seriesIn({ body }: Request): Arrived[] {
    return samplesOf(body).map(({ labels, value, timestamp }) => {
        const { __name__: name = "", ...attributes } = labels;
        const whole = JSON.stringify([name, Object.entries(attributes).sort(), value, timestamp]);
        return { resource: {}, name, attributes, value, whole };
    });
}

/** The signal of a request of OTLP. */
export function signalOf({ url }: Pick<Request, "url">): OtlpSignal | undefined {
    const service = /\.collector\.(logs|metrics|trace)\.v1\./.exec(url.pathname)?.[1];
    const last = service ?? /\/(logs|metrics|traces)$/.exec(url.pathname)?.[1];
    return last === "trace" ? "traces" : (last as OtlpSignal | undefined);
}

/**
 * Has the tests around it run with a real collector. Where it is not to be had they are skipped, and say why.
 *
 * @returns a reader of what arrives, and the folder of the collector's program while tests run.
 */
export function useCollector(): { readonly reader: Reader; readonly programsAt: () => string } {
    const reader = new Reader();
    let folder = "";
    before(async function () {
        try {
            folder = await programs("collector");
            await reader.start(folder);
        } catch (error) {
            skipWithout(this, error);
        }
    });
    after(() => reader.stop());
    return { reader, programsAt: () => folder };
}

/** A value that OTLP writes in JSON, as text. */
function text(value: any): string {
    const [found] = Object.values((value ?? {}) as Record<string, unknown>);
    return typeof found === "object" ? JSON.stringify(found) : String(found);
}

function mapOf(attributes: any): Record<string, string> {
    const list = (attributes ?? []) as { key: string; value: unknown }[];
    return Object.fromEntries(list.map(({ key, value }) => [key, text(value)]));
}

function arrivedIn(body: any): Arrived[] {
    const scopesOf = (list: any, key: string) =>
        ((list ?? []) as any[]).flatMap((each) =>
            (each[key] as any[]).map((scope) => ({ resource: mapOf(each.resource?.attributes), scope })),
        );
    const logs = scopesOf(body.resourceLogs, "scopeLogs").flatMap(({ resource, scope }) =>
        (scope.logRecords as any[]).map((record) => ({
            resource,
            name: text(record.body),
            attributes: mapOf(record.attributes),
            whole: JSON.stringify([resource, record]),
        })),
    );
    const spans = scopesOf(body.resourceSpans, "scopeSpans").flatMap(({ resource, scope }) =>
        (scope.spans as any[]).map((span) => ({
            resource,
            name: span.name as string,
            attributes: mapOf(span.attributes),
            traceId: span.traceId as string,
            whole: JSON.stringify([resource, span]),
        })),
    );
    const points = scopesOf(body.resourceMetrics, "scopeMetrics").flatMap(({ resource, scope }) =>
        (scope.metrics as any[]).flatMap((metric) => {
            const kind = metric.sum ?? metric.gauge;
            return (kind.dataPoints as any[]).map((point) => ({
                resource,
                name: metric.name as string,
                attributes: mapOf(point.attributes),
                value: Number(point.asDouble ?? point.asInt),
                temporality: kind.aggregationTemporality as number,
                whole: JSON.stringify([resource, metric.name, point]),
            }));
        }),
    );
    return [...logs, ...spans, ...points];
}
