import * as fs from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import * as os from "node:os";
import * as path from "node:path";

import { KubeConfig } from "@kubernetes/client-node";

import { UserError, CouldNotCheck } from "../core/lib/errors";

/** What a server answered. */
export interface Response {
    /** HTTP status. */
    readonly status: number;
    readonly headers?: http.IncomingHttpHeaders;
    readonly body: string;
}

/** What to send along with a request. */
export interface RequestOptions {
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
    /** Milliseconds to wait for an answer. Default: 10 seconds. */
    readonly timeout?: number;
}

/** Which cluster, as the `kubernetes:` configuration of a stack says it. */
export interface ClusterChoice {
    /** Path of a kubeconfig, or one. Default: where kubectl looks. */
    readonly kubeconfig?: string | undefined;
    /** Default: the current one. */
    readonly context?: string | undefined;
    /** Which of the kubeconfig's clusters. Default: the context's. */
    readonly cluster?: string | undefined;
}

/**
 * The API server of a cluster, reached as kubectl would: by its kubeconfig, with all the ways to authenticate there are.
 * Every request has a deadline, and what cannot be seen is told apart from what is not there.
 */
export class Kubernetes {
    constructor(private readonly config: KubeConfig) {}

    /** @throws UserError when there is no such kubeconfig or context. */
    static connect({ kubeconfig, context, cluster }: ClusterChoice): Kubernetes {
        const config = new KubeConfig();
        try {
            load(config, kubeconfig);
        } catch (error) {
            throw new UserError(`The kubeconfig cannot be read: ${(error as Error).message}`);
        }
        if (context !== undefined) {
            const known = config.getContexts().map(({ name }) => name);
            if (!known.includes(context)) {
                throw new UserError(`The kubeconfig has no context ${context}. It has: ${known.join(", ")}.`);
            }
            config.setCurrentContext(context);
        }
        if (cluster !== undefined) {
            chooseCluster(config, cluster);
        }
        if (!config.getCurrentCluster()) {
            throw new UserError(
                "The kubeconfig has no current context. Name one: pulumi config set kubernetes:context NAME",
            );
        }
        return new Kubernetes(config);
    }

    /** Address of the API server. */
    get server(): string {
        return this.config.getCurrentCluster()?.server ?? "";
    }

    /**
     * An object, or anything else that a path of the API holds; `undefined` when there is nothing.
     *
     * @throws CouldNotCheck when the server does not answer, or does not let us see it.
     */
    async get<T>(path: string): Promise<T | undefined> {
        const { status, body } = await this.request("GET", path);
        if (status === 404) {
            return undefined;
        }
        if (status !== 200) {
            throw new CouldNotCheck(`GET ${path}: ${statusText(status, body)}`);
        }
        return JSON.parse(body) as T;
    }

    /**
     * The objects of one kind; none when the cluster does not know the kind.
     *
     * @param path of the collection: `/api/v1/namespaces/kof/pods`, with a query if need be.
     * @throws CouldNotCheck when the server does not answer, or does not let us see them.
     */
    async list<T>(path: string): Promise<readonly T[]> {
        return (await this.get<{ items: T[] }>(path))?.items ?? [];
    }

    /**
     * Sends any request.
     *
     * @throws CouldNotCheck when there is no answer.
     */
    async request(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
        const server = this.server;
        try {
            const url = new URL(server.replace(/\/$/, "") + path);
            // Node sends no body along with a DELETE that does not say how long it is.
            const length = options.body === undefined ? {} : { "content-length": Buffer.byteLength(options.body) };
            const request: https.RequestOptions = { method, headers: { ...options.headers, ...length } };
            await this.config.applyToHTTPSOptions(request);
            return await send(url, request, options);
        } catch (error) {
            throw new CouldNotCheck(`The API server ${server} does not answer: ${reason(error)}`);
        }
    }
}

/** Has the current context lead to another of the kubeconfig's clusters. */
function chooseCluster(config: KubeConfig, cluster: string): void {
    const known = config.getClusters().map(({ name }) => name);
    if (!known.includes(cluster)) {
        throw new UserError(`The kubeconfig has no cluster ${cluster}. It has: ${known.join(", ")}.`);
    }
    const current = config.getCurrentContext();
    config.contexts = config.getContexts().map((each) => (each.name === current ? { ...each, cluster } : each));
}

function load(config: KubeConfig, kubeconfig: string | undefined): void {
    if (kubeconfig?.includes("\n") === true || kubeconfig?.trimStart().startsWith("{") === true) {
        config.loadFromString(kubeconfig);
    } else if (kubeconfig) {
        config.loadFromFile(kubeconfig.replace(/^~(?=\/)/, os.homedir()));
    } else {
        const list = process.env.KUBECONFIG ?? path.join(os.homedir(), ".kube", "config");
        const files = list.split(path.delimiter).filter((name) => fs.existsSync(name));
        if (files.length > 0) {
            loadFiles(config, files);
        } else if (process.env.KUBERNETES_SERVICE_HOST) {
            config.loadFromCluster();
        } else {
            // Otherwise the client would try http://localhost:8080.
            throw new Error(`there is no ${list}. Set KUBECONFIG.`);
        }
    }
}

/** Puts files together as kubectl does: what comes first counts. The client takes the last context, and no missing file. */
function loadFiles(config: KubeConfig, [first = "", ...rest]: readonly string[]): void {
    config.loadFromFile(first);
    for (const file of rest) {
        const more = new KubeConfig();
        more.loadFromFile(file);
        more.clusters = more.clusters.filter(({ name }) => !config.getCluster(name));
        more.users = more.users.filter(({ name }) => !config.getUser(name));
        more.contexts = more.contexts.filter(({ name }) => !config.getContextObject(name));
        config.mergeConfig(more, Boolean(config.currentContext));
    }
}

/**
 * Sends an HTTP request, and reads the whole answer.
 *
 * @throws Error when there is none in time.
 */
export function send(
    url: URL,
    request: https.RequestOptions,
    { body, timeout = 10_000 }: RequestOptions = {},
): Promise<Response> {
    return new Promise((resolve, reject) => {
        const sent = (url.protocol === "http:" ? http : https).request(
            url,
            { ...request, signal: AbortSignal.timeout(timeout) },
            (response) => {
                const chunks: Buffer[] = [];
                response.on("data", (chunk: Buffer) => chunks.push(chunk));
                response.on("error", reject);
                response.on("end", () => {
                    resolve({
                        status: response.statusCode ?? 0,
                        headers: response.headers,
                        body: Buffer.concat(chunks).toString(),
                    });
                });
            },
        );
        sent.on("error", reject);
        sent.end(body);
    });
}

/** Why there was no answer. */
export function reason(error: unknown): string {
    const { code, name, message } = error as NodeJS.ErrnoException;
    return name === "TimeoutError" || name === "AbortError" ? "no answer in time" : message || (code ?? name);
}

/** What an API server says of a request that it refuses. */
function statusText(status: number, body: string): string {
    return statusMessage(body) ?? `HTTP ${String(status)}`;
}

/** The API server's own words in an answer; `undefined` for the answer of what it forwards to. */
export function statusMessage(body: string): string | undefined {
    try {
        const { kind, message } = JSON.parse(body) as { kind?: string; message?: string };
        return kind === "Status" ? message : undefined;
    } catch {
        return undefined;
    }
}
