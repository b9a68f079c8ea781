import type { OutgoingHttpHeaders } from "node:http";

import { CouldNotCheck } from "../core/lib/errors";
import { isMap } from "../core/lib/values";
import { maskedLog, signedOut } from "../core/lib/secrets";
import { isTransient, jsonObject, persistently, reason, send, type RequestOptions, type Response } from "./http";
import { loadKubeconfig, type Access, type ClusterChoice } from "./kubeconfig";
import { logIn, type Login } from "./login";

/** To Kubernetes nothing and `null` are the same: Go writes a list that nobody made as `null`. */
function withoutNull(this: unknown, _key: string, value: unknown): unknown {
    return value === null && !Array.isArray(this) ? undefined : value;
}

/** Nothing came back from an API server, or it had no time, or a proxy has lost it. What was asked may have been done or not. */
export class NoAnswer extends CouldNotCheck {
    constructor(message: string) {
        super(message, showConnection);
    }
}

/** The command that shows whether there is a way to the cluster. */
const showConnection = "kubectl cluster-info";

/** How many requests may be under way: an API server serves 400 by default, to all its clients (`--max-requests-inflight`). */
const width = 50;

/**
 * The API server of a cluster, reached as kubectl would: by its kubeconfig, with all the ways to authenticate there are.
 * Every request has a deadline, an unreadable object differs from a missing one, and connections are reused.
 */
export class Kubernetes {
    private login: Promise<Login> | undefined;
    /** Whether the server had no time after all retries. Until it has time, further requests are sent only once. */
    private isBusy = false;
    /** How many more requests may be under way. */
    private free = width;
    private readonly waiting: (() => void)[] = [];

    /** @param known what was read before; `undefined` to read everything again. */
    constructor(
        private readonly access: Access,
        private readonly known?: Map<string, Promise<unknown>>,
    ) {}

    /** @throws UserError when there is no such kubeconfig or context. */
    static connect(choice: ClusterChoice): Kubernetes {
        return new Kubernetes(loadKubeconfig(choice));
    }

    /** The same cluster at one moment: whatever is read by {@link get} or {@link list} is read once, however often it is asked for. */
    snapshot(): Kubernetes {
        return new Kubernetes(this.access, new Map());
    }

    /** Address of the API server, as it is shown. */
    get server(): string {
        return signedOut(this.address);
    }

    private get address(): string {
        return this.access.cluster.server;
    }

    /**
     * An object, or anything else that a path of the API holds; `undefined` when there is nothing.
     *
     * @throws CouldNotCheck when the server does not answer, refuses, or something else answers in its place.
     */
    get<T>(path: string): Promise<T | undefined> {
        const answer = (this.known?.get(path) as Promise<T | undefined> | undefined) ?? this.read<T>(path);
        this.known?.set(path, answer);
        return answer;
    }

    private async read<T>(path: string): Promise<T | undefined> {
        const { status, body } = await this.request("GET", path);
        if (status === 404 && isNotFound(body)) {
            return undefined;
        }
        if (status !== 200) {
            const Failure = isTransient({ status, body }) ? NoAnswer : CouldNotCheck;
            throw new Failure(`GET ${path}: ${statusText({ status, body })}`);
        }
        let found: unknown;
        try {
            found = JSON.parse(body, withoutNull);
        } catch {
            throw this.otherAnswer(path, "not JSON");
        }
        if (!isMap(found) || found.kind === "Status") {
            throw this.otherAnswer(path, "no object");
        }
        return found as T;
    }

    private otherAnswer(path: string, is: string): CouldNotCheck {
        const message = `GET ${path}: the answer is ${is}. Is ${this.server} an API server?`;
        return new CouldNotCheck(message, showConnection);
    }

    /**
     * The objects of one kind; none when the cluster does not know the kind.
     *
     * @param path of the collection: `/api/v1/namespaces/kof/pods`, with a query if need be.
     * @throws CouldNotCheck when the server does not answer, or refuses.
     */
    async list<T>(path: string): Promise<readonly T[]> {
        const found = await this.get<{ items?: T[] }>(path);
        if (found && !(Array.isArray(found.items) && found.items.every(isMap))) {
            throw this.otherAnswer(path, "not a list");
        }
        return found?.items ?? [];
    }

    /**
     * Sends any request, when no more than {@link width} others are under way. One that only reads is sent again while the
     * server is busy.
     *
     * @throws NoAnswer when there is none.
     * @throws CouldNotCheck when the login failed.
     */
    async request(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
        const ask = async () => {
            const login = await this.loggedIn();
            const response = await this.send(login, method, path, options);
            // What was good when it was given may have been revoked or rotated since.
            return response.status === 401 && this.canLogInAgain
                ? this.send(await this.loggedIn(true), method, path, options)
                : response;
        };
        return this.inTurn(() => (method === "GET" ? this.untilAnswered(ask) : ask()));
    }

    /** Waits for a busy server once, not for each of a thousand requests. */
    private async untilAnswered(ask: () => Promise<Response>): Promise<Response> {
        const response = await persistently(ask, { isBusy, ...(this.isBusy ? { patience: 0 } : {}) });
        this.isBusy = isBusy(response);
        return response;
    }

    private async inTurn<T>(act: () => Promise<T>): Promise<T> {
        if (this.free === 0) {
            await new Promise<void>((resolve) => this.waiting.push(resolve));
        } else {
            this.free -= 1;
        }
        try {
            return await act();
        } finally {
            const next = this.waiting.shift();
            if (next) {
                next();
            } else {
                this.free += 1;
            }
        }
    }

    private async send({ request }: Login, method: string, path: string, options: RequestOptions): Promise<Response> {
        // Node sends no body along with a DELETE that does not say how long it is.
        const length = options.body === undefined ? {} : { "content-length": Buffer.byteLength(options.body) };
        const headers = { ...(request.headers as OutgoingHttpHeaders), ...options.headers, ...length };
        try {
            return await send(
                new URL(this.address.replace(/\/$/, "") + path),
                { ...request, method, headers },
                options,
            );
        } catch (error) {
            throw new NoAnswer(`The API server ${this.server} does not answer: ${reason(error)}`);
        }
    }

    /** Whether another login may give something else: a token in the kubeconfig stays what it is. */
    private get canLogInAgain(): boolean {
        const { user } = this.access;
        return Boolean(user?.exec ?? user?.authProvider);
    }

    /** Logs in once for all requests, and again when what was given is no longer good. */
    private async loggedIn(again = false): Promise<Login> {
        const before = this.login;
        if (before && !again && (await before).isFresh()) {
            return before;
        }
        // Another request that found the same login stale has begun the next one.
        if (this.login === before) {
            this.login = this.logIn();
            this.login.catch(() => {
                this.login = undefined;
            });
        }
        return this.login ?? this.logIn();
    }

    private async logIn(): Promise<Login> {
        try {
            return await logIn(this.access);
        } catch (error) {
            throw new CouldNotCheck(`Nobody could log in to ${this.server}: ${reason(error)}`, showConnection);
        }
    }
}

/** Whether the server has no time. Where it does not reach a pod for us, that is the pod's, and a DaemonSet may have hundreds such. */
function isBusy(response: Response): boolean {
    return isTransient(response) && statusMessage(response)?.startsWith("error trying to reach service") !== true;
}

/** Whether a 404 is an API server's, which says so as a Status, or in these words of a kind that it does not know. A page is another's. */
function isNotFound(body: string): boolean {
    const found = jsonObject(body);
    const isStatus = found?.kind === "Status" || (found && found.kind === undefined && found.metadata === undefined);
    return isStatus === true || ["", "404 page not found"].includes(body.trim());
}

/** What an API server says of a request that it refuses; of a page in its place only the status. */
export function statusText(response: Response): string {
    return statusMessage(response) ?? `HTTP ${String(response.status)}`;
}

/** The API server's own words in an answer; `undefined` for the answer of what it forwards to. */
export function statusMessage({ status, body }: Response): string | undefined {
    const { kind, message } = (status >= 400 ? jsonObject(body) : undefined) ?? {};
    return kind === "Status" && typeof message === "string" ? maskedLog(message) : undefined;
}
