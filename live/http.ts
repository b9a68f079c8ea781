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

/** Milliseconds before the first further try. A server that says when to come back is believed. */
export const firstPause = 250;
/** Milliseconds before each further try from the fourth on. */
export const longestPause = 4000;

/**
 * Asks again while the answer may be another the next time: too many requests, a proxy without its server, etcd between two
 * leaders. For requests that may be sent twice.
 *
 * @param ask asks once.
 * @param isBusy whether an answer may be another. Default: {@link isTransient}.
 * @param patience milliseconds in which to ask again. Default: 15 seconds.
 * @returns the last answer.
 */
export async function persistently(
    ask: () => Promise<Response>,
    isBusy: (response: Response) => boolean = isTransient,
    patience = 15_000,
): Promise<Response> {
    let response = await ask();
    const end = Date.now() + patience;
    for (let pause = firstPause; isBusy(response); pause = Math.min(2 * pause, longestPause)) {
        const asked = Number(response.headers?.["retry-after"]) * 1000;
        const wait = Number.isNaN(asked) ? pause : Math.max(asked, firstPause);
        if (Date.now() + wait > end) {
            break;
        }
        await sleep(wait);
        response = await ask();
    }
    return response;
}

/** Whether a server may answer the same request otherwise in a moment. */
export function isTransient({ status, body }: Response): boolean {
    return (
        [429, 502, 503, 504].includes(status) ||
        (status === 500 && /etcdserver: (leader changed|no leader|request timed out|too many requests)/.test(body))
    );
}

/** Why there was no answer. */
export function reason(error: unknown): string {
    const { code, name, message } = error as NodeJS.ErrnoException;
    return name === "TimeoutError" || name === "AbortError" ? "no answer in time" : message || (code ?? name);
}
