import * as http from "node:http";
import * as https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";

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
        sent.on("error", (error: NodeJS.ErrnoException) => {
            // The server may have closed a connection that was kept, at the moment when it was used again: nothing was asked.
            const isStale = sent.reusedSocket && ["ECONNRESET", "EPIPE"].includes(error.code ?? "");
            if (isStale) {
                send(url, request, { ...(body === undefined ? {} : { body }), timeout }).then(resolve, reject);
            } else {
                reject(error);
            }
        });
        sent.end(body);
    });
}

/** How long to wait before each further try, in milliseconds. A server that says when to come back is believed. */
const pauses = [250, 500, 1000, 2000, 4000];
/** A server may ask for minutes, for which nobody waits. */
const longestPause = 10_000;

/**
 * Asks again while the answer may be another the next time: too many requests, a proxy without its server, etcd between two
 * leaders. For requests that change nothing.
 *
 * @param ask asks once.
 * @returns the last answer.
 */
export async function persistently(ask: () => Promise<Response>): Promise<Response> {
    let response = await ask();
    for (const pause of pauses) {
        if (!isTransient(response)) {
            break;
        }
        const asked = Number(response.headers?.["retry-after"]) * 1000;
        await sleep(Math.min(asked > 0 ? asked : pause, longestPause));
        response = await ask();
    }
    return response;
}

function isTransient({ status, body }: Response): boolean {
    return (
        [429, 502, 503, 504].includes(status) ||
        (status === 500 && /etcdserver: (leader changed|request timed out)/.test(body))
    );
}

/** Why there was no answer. */
export function reason(error: unknown): string {
    const { code, name, message } = error as NodeJS.ErrnoException;
    return name === "TimeoutError" || name === "AbortError" ? "no answer in time" : message || (code ?? name);
}
