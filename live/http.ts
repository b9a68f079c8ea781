// With `import *`, all that they have is copied, and Node 22 and later load `fetch` for that.
import http = require("node:http");
import https = require("node:https");
import { setTimeout as sleep } from "node:timers/promises";

import { isMap, type HelmValues } from "../core/lib/values";

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

/** Milliseconds before the first further try, and before each from the fourth on. */
const [firstPause, longestPause] = [250, 4000];

/** When to ask again, and for how long. */
interface Persistence {
    /** Whether a response may be another the next time. Default: {@link isTransient}. */
    readonly isBusy?: (response: Response) => boolean;
    /** Whether an error says that nobody answered, and may answer the next time. Default: none does. */
    readonly isSilence?: (error: unknown) => boolean;
    /** Milliseconds in which to ask again. Default: 15 seconds. */
    readonly patience?: number;
    /** Ends a pause early. */
    readonly signal?: AbortSignal | undefined;
}

/**
 * Asks again while the answer may be another the next time: too many requests, a proxy without its server, etcd between two
 * leaders. For requests that may be sent twice. A server that says when to come back is believed.
 *
 * @param ask asks once, for a response or for what is made of one.
 * @returns the last answer.
 * @throws the last error.
 */
export async function persistently<T = Response>(
    ask: () => Promise<T>,
    { isBusy = isTransient, isSilence = () => false, patience = 15_000, signal }: Persistence = {},
): Promise<T> {
    let end: number | undefined;
    for (let pause = firstPause; ; pause = Math.min(2 * pause, longestPause)) {
        const answer = ask();
        const wait = await answer.then(
            (found) => (isResponse(found) && isBusy(found) ? pauseBefore(found, pause) : undefined),
            (error: unknown) => (isSilence(error) ? pause : undefined),
        );
        end ??= Date.now() + patience;
        if (wait === undefined || Date.now() + wait > end) {
            return answer;
        }
        await sleep(wait, undefined, signal ? { signal } : {});
    }
}

function pauseBefore({ headers }: Response, pause: number): number {
    const asked = Number(headers?.["retry-after"]) * 1000;
    return Number.isNaN(asked) ? pause : Math.max(asked, firstPause);
}

function isResponse(answer: unknown): answer is Response {
    return typeof answer === "object" && answer !== null && "status" in answer && typeof answer.status === "number";
}

/** Whether a server may answer the same request otherwise in a moment. */
export function isTransient({ status, body }: Response): boolean {
    return (
        [429, 502, 503, 504].includes(status) ||
        (status === 500 && /etcdserver: (leader changed|no leader|request timed out|too many requests)/.test(body))
    );
}

/** The JSON object in an answer; `undefined` for anything else, such as a page in its place. */
export function jsonObject(body: string): HelmValues | undefined {
    try {
        const found: unknown = JSON.parse(body);
        return isMap(found) ? found : undefined;
    } catch {
        return undefined;
    }
}

/** Why there was no answer. */
export function reason(error: unknown): string {
    const { code, name, message } = error as NodeJS.ErrnoException;
    return name === "TimeoutError" || name === "AbortError" ? "no answer in time" : message || (code ?? name);
}
