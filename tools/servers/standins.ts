import * as fs from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { networkInterfaces } from "node:os";
import * as path from "node:path";

import type { TestCluster } from "./cluster";
import type { AnyObject } from "./crds";

/** Answers a request: its status and body. */
export type Answer = (request: {
    method: string;
    url: URL;
    body: Buffer;
    headers: http.IncomingHttpHeaders;
}) => Promise<Reply> | Reply;
export type Reply = readonly [status: number, body?: string, headers?: Record<string, string>];

/** A server for HTTP on all addresses of this machine, at a free port. */
export class HttpStandIn {
    /** How many connections were opened to it. */
    connections = 0;

    private constructor(
        private readonly server: http.Server | https.Server,
        readonly port: number,
    ) {}

    static async start(answer: Answer, tls?: { cert: Buffer; key: Buffer }): Promise<HttpStandIn> {
        const handle: http.RequestListener = (request, response) => {
            const chunks: Buffer[] = [];
            request.on("data", (chunk: Buffer) => chunks.push(chunk));
            request.on("end", () => {
                const url = new URL(request.url ?? "/", "http://stand-in");
                const asked = {
                    method: request.method ?? "",
                    url,
                    body: Buffer.concat(chunks),
                    headers: request.headers,
                };
                void Promise.resolve(answer(asked)).then(([status, body = "", headers = {}]) => {
                    response.writeHead(status, headers).end(body);
                });
            });
        };
        const server = tls ? https.createServer(tls, handle) : http.createServer(handle);
        server.listen(0);
        await new Promise((resolve) => server.once("listening", resolve));
        const standIn = new HttpStandIn(server, (server.address() as { port: number }).port);
        server.on("connection", () => {
            standIn.connections += 1;
        });
        return standIn;
    }

    async stop(): Promise<void> {
        this.server.closeAllConnections();
        await new Promise((resolve) => this.server.close(resolve));
    }
}

/** An address of this machine that an API server forwards to: it refuses loopback. `undefined` when there is none. */
export const hostAddress = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal)?.address;

/** A pod of a collector that runs on this machine, as far as the API server can tell: there is no kubelet. */
export function collectorPod(name: string): AnyObject {
    return {
        apiVersion: "v1",
        kind: "Pod",
        metadata: {
            name: `${name}-collector-x1y2z`,
            namespace: "kof",
            labels: {
                "app.kubernetes.io/component": "opentelemetry-collector",
                "app.kubernetes.io/instance": `kof.${name}`,
            },
        },
        spec: {
            nodeName: "node-1",
            automountServiceAccountToken: false,
            containers: [{ name: "otc-container", image: "collector" }],
        },
        status: {
            phase: "Running",
            podIP: hostAddress,
            podIPs: [{ ip: hostAddress }],
            containerStatuses: [
                {
                    name: "otc-container",
                    ready: true,
                    restartCount: 0,
                    image: "collector",
                    imageID: "",
                    state: { running: {} },
                },
            ],
        },
    };
}

/** The collector's own resource, with the ports that it listens on. */
export function collectorResource(name: string, ports: { otlp: number; metrics: number }): AnyObject {
    return {
        apiVersion: "opentelemetry.io/v1beta1",
        kind: "OpenTelemetryCollector",
        metadata: { name, namespace: "kof" },
        spec: {
            config: {
                receivers: { otlp: { protocols: { http: { endpoint: `0.0.0.0:${String(ports.otlp)}` } } } },
                service: {
                    telemetry: {
                        metrics: { readers: [{ pull: { exporter: { prometheus: { port: ports.metrics } } } }] },
                    },
                },
            },
        },
    };
}

/** The node of {@link collectorPod}, with a kubelet that has nothing but the pods' logs. */
export async function kubeletWithLogs(cluster: TestCluster, logs: (pod: string, previous: boolean) => string) {
    const certificates = path.join(path.dirname(cluster.kubeconfig), "certificates");
    const [cert, key] = ["crt", "key"].map((kind) => fs.readFileSync(path.join(certificates, `apiserver.${kind}`)));
    const kubelet = await HttpStandIn.start(
        ({ url }) => [200, logs(url.pathname.split("/").at(3) ?? "", url.searchParams.get("previous") === "true")],
        { cert: cert!, key: key! },
    );
    const node: AnyObject = {
        apiVersion: "v1",
        kind: "Node",
        metadata: { name: "node-1" },
        status: {
            addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
            daemonEndpoints: { kubeletEndpoint: { Port: kubelet.port } },
        },
    };
    return { kubelet, node };
}
