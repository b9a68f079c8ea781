import type * as https from "node:https";

import { kcmApi } from "../core/charts/multiCluster";
import { kofNamespace } from "../core/charts/namespace";
import type { Deployment } from "../core/routes/deployment";
import { endText, type End } from "../core/routes/destinations";
import { spansLogGroup, type Reader } from "../core/routes/readers";
import { vmuserSecretName } from "../core/charts/vmuser";
import type { SettingsOf } from "../core/settings/settings";
import { awsFailure, callerIdentity, clientOptions, inTime, type AwsAccess, type AwsPlace } from "./awsClient";
import { answerOf, askAws, traceDestination } from "./awsRequests";
import type { Live } from "./findings";
import { secretValues } from "./secrets";
import { CouldNotCheck, couldNotCheck } from "../core/lib/errors";
import { persistently, reason, send, type Response } from "./http";
import { statusMessage, type Kubernetes } from "./kubernetes";
import { metricLabel, metricName, type Mark, type SentSignal } from "./otlp";

/** Where the records of one signal are looked for. */
interface Store {
    /** What it is, human-readable. */
    readonly name: string;
    /**
     * Whether a record is there.
     *
     * @throws CouldNotCheck when that cannot be told.
     */
    readonly has: (mark: Mark) => Promise<boolean>;
}

/**
 * The store of a signal, or several as one, which has a record when all of them have it that can be read from here.
 *
 * @param ends where the signal is stored.
 * @param vmauth address of a region's vmauth, where it is not reached from here by its own.
 * @throws CouldNotCheck when none can be reached from here.
 */
export async function storeToRead(
    signal: SentSignal,
    ends: readonly End[],
    live: Live,
    vmauth?: string,
): Promise<Store> {
    const stores: Store[] = [];
    const hidden: CouldNotCheck[] = [];
    for (const end of ends) {
        const store = await storeAt(signal, end, live, vmauth).catch(couldNotCheck);
        if (store instanceof CouldNotCheck) {
            hidden.push(store);
        } else {
            stores.push(store);
        }
    }
    if (stores.length === 0) {
        throw hidden[0] ?? new CouldNotCheck(`${signal} are stored nowhere`);
    }
    const unread = hidden.length > 0 ? `; could not check: ${hidden.map(({ message }) => message).join("; ")}` : "";
    return {
        name: stores.map(({ name }) => name).join(" and ") + unread,
        has: async (mark) => {
            const found = await Promise.all(stores.map((store) => store.has(mark)));
            return found.every((each) => each);
        },
    };
}

async function storeAt(signal: SentSignal, end: End, live: Live, vmauth?: string): Promise<Store> {
    const { deployment, kubernetes, aws } = live;
    const { reader } = end;
    const name = endText(end);
    if (!reader) {
        throw new CouldNotCheck(`${name} is not read by this command. Look there for ${signal} with the mark`);
    }
    switch (reader.by) {
        case "service":
            return victoria(name, signal, (path) => serviceGet(kubernetes, reader.path + path));
        case "vmauth": {
            const region = await regionOf(reader.region, deployment.settings.istio, kubernetes, vmauth);
            return victoria(name, signal, (path) => region(reader.prefix + path));
        }
    }
    await checkAccount(name, deployment, aws);
    switch (reader.by) {
        case "logGroup":
            return cloudwatchStore(name, reader, deployment, aws);
        case "promql":
            return promqlStore(name, reader.region, aws);
        case "xray":
            return xrayStore(name, reader.region, deployment, aws);
    }
}

async function serviceGet(kubernetes: Kubernetes, path: string): Promise<Response> {
    const answer = await kubernetes.request("GET", path);
    const refused = statusMessage(answer);
    if (refused !== undefined) {
        throw new CouldNotCheck(refused);
    }
    return answer;
}

/** A store of the VictoriaMetrics family: the question that each answers, and what "yes" looks like. */
function victoria(name: string, signal: SentSignal, get: (path: string) => Promise<Response>): Store {
    const questions = {
        // Series, not samples: VictoriaMetrics hides the samples of the last half minute from queries.
        metrics: {
            path: ({ text, time }: Mark) =>
                `/select/0/prometheus/api/v1/series?${query({ "match[]": `${metricName}{${metricLabel}="${text}"}`, start: String(since(time)) })}`,
            found: (body: string, { text }: Mark) => dataOf(body).some((series) => series[metricLabel] === text),
        },
        logs: {
            path: ({ text, time }: Mark) =>
                `/select/logsql/query?${query({ query: `"${text}"`, start: String(since(time)), limit: "1" })}`,
            // The question has the mark too: what only repeats it is no record.
            found: (body: string, { text }: Mark) =>
                body
                    .split("\n")
                    .filter((line) => line.trim() !== "")
                    .some((line) => String((JSON.parse(line) as { _msg?: unknown })._msg).includes(text)),
        },
        traces: {
            path: ({ traceId }: Mark) => `/select/jaeger/api/traces/${traceId}`,
            found: (body: string, { traceId }: Mark) => dataOf(body).some((trace) => trace.traceID === traceId),
        },
    } as const;
    const { path, found } = questions[signal];
    return {
        name,
        has: async (mark) => {
            const { status, body } = await get(path(mark));
            // VictoriaTraces answers 404 for a trace that it does not have.
            if (status === 404 && signal === "traces") {
                return false;
            }
            if (status !== 200) {
                throw new CouldNotCheck(`${name} answers a query with HTTP ${String(status)}${hints[status] ?? ""}`);
            }
            try {
                return found(body, mark);
            } catch {
                // A page to sign in at, from something in front of the store.
                throw new CouldNotCheck(`${name} answers a query with what is no answer: ${body.trim().slice(0, 60)}`);
            }
        },
    };
}

/** What an answer of the Prometheus or the Jaeger API holds. Throws for anything else. */
function dataOf(body: string): readonly Readonly<Record<string, unknown>>[] {
    const { data } = JSON.parse(body) as { data?: readonly Readonly<Record<string, unknown>>[] | null };
    const isList: boolean = data === null || Array.isArray(data);
    if (!isList) {
        throw new Error("no data");
    }
    return data ?? [];
}

const hints: Readonly<Record<number, string>> = {
    401: ": it refuses the credentials",
    403: ": it refuses the credentials",
    503: ": nothing runs behind it",
};

/** Seconds since 1970, a little before a record was sent: clocks differ. */
function since(time: Date): number {
    return Math.floor(time.getTime() / 1000) - 300;
}

function query(parameters: Readonly<Record<string, string>>): string {
    return new URLSearchParams(parameters).toString();
}

/** Asks a region's vmauth, with the credentials that the collectors have. */
async function regionOf(
    region: SettingsOf<"regional">["regional"],
    istio: boolean,
    kubernetes: Kubernetes,
    given: string | undefined,
): Promise<(path: string) => Promise<Response>> {
    const { cluster, namespace, insecureSkipVerify } = region;
    const domain = region.domain ?? (istio ? undefined : await regionDomain(cluster, namespace, kubernetes));
    if (given === undefined && domain === undefined) {
        const service = `svc/vmauth-cluster 8427 -n ${kofNamespace}`;
        throw new CouldNotCheck(
            istio
                ? `vmauth of region ${cluster} is reached within the mesh only. On the region: kubectl port-forward ${service}; then: --vmauth http://127.0.0.1:8427`
                : `ClusterDeployment ${namespace}/${cluster} says no domain. Give the address: --vmauth https://vmauth.DOMAIN`,
        );
    }
    const name = vmuserSecretName(cluster, namespace);
    const secret = await secretValues({ kubernetes }, name);
    if (!secret) {
        throw new CouldNotCheck(`there is no Secret ${kofNamespace}/${name} with the region's credentials`);
    }
    const value = (key: string) => secret.get(key) ?? "";
    const request: https.RequestOptions = {
        method: "GET",
        auth: `${value("username")}:${value("password")}`,
        rejectUnauthorized: !insecureSkipVerify,
    };
    const base = (given ?? `https://vmauth.${domain ?? ""}`).replace(/\/$/, "");
    return async (path) => {
        try {
            return await persistently(() => send(new URL(base + path), request));
        } catch (error) {
            throw new CouldNotCheck(`${base} does not answer from here: ${reason(error)}`);
        }
    };
}

/** KOF 1.10 and later find the region's domain in this annotation themselves. */
async function regionDomain(cluster: string, namespace: string, kubernetes: Kubernetes): Promise<string | undefined> {
    const found = await kubernetes.get<{
        spec?: { config?: { clusterAnnotations?: Record<string, string> } };
    }>(`${kcmApi}/namespaces/${namespace}/clusterdeployments/${cluster}`);
    return found?.spec?.config?.clusterAnnotations?.["k0rdent.mirantis.com/kof-regional-domain"];
}

/**
 * Metrics in CloudWatch that came over OTLP: `/api/v1/query` at CloudWatch's endpoint, signed for service `monitoring`
 * ("PromQL querying" in the CloudWatch user guide, 2026-11).
 */
function promqlStore(name: string, region: string, access: AwsAccess): Store {
    return {
        name,
        has: async ({ text }) => {
            const form = { query: `{"${metricName}", "${metricLabel}"="${text}"}` };
            const answer = await askAws({ service: "monitoring", region, path: "/api/v1/query", form }, access);
            const found = answerOf(answer, `${name} answers a query with`) as {
                status?: string;
                data?: { result?: { metric?: Record<string, string> }[] };
            };
            if (found.status !== "success") {
                throw new CouldNotCheck(
                    `${name} answers a query with what is no answer: ${answer.body.trim().slice(0, 60)}`,
                );
            }
            return (found.data?.result ?? []).some(({ metric }) => metric?.[metricLabel] === text);
        },
    };
}

/** Traces in X-Ray, which has none once Transaction Search is on: then they are in its log group (BatchGetTraces, API reference, 2026-11). */
function xrayStore(name: string, region: string, deployment: Deployment, access: AwsAccess): Store {
    return {
        name,
        has: async (mark) => {
            if ((await traceDestination(region, access)).Destination === "CloudWatchLogs") {
                const reader = { region, name: spansLogGroup, endpoint: deployment.cloudwatch?.endpoint };
                return cloudwatchStore(`${name}, log group ${spansLogGroup}`, reader, deployment, access).has(mark);
            }
            const id = `1-${mark.traceId.slice(0, 8)}-${mark.traceId.slice(8)}`;
            const json = { TraceIds: [id] };
            const answer = await askAws({ service: "xray", region, path: "/Traces", json }, access);
            const { Traces = [] } = answerOf(answer, `${name} answers a query with`) as { Traces?: { Id?: string }[] };
            return Traces.some(({ Id }) => Id === id);
        },
    };
}

/** Logs of another account can only be read with credentials of that account: the role that collectors assume may not read. */
async function checkAccount(name: string, { cloudwatch }: Deployment, access: AwsAccess): Promise<void> {
    if (!cloudwatch?.central) {
        return;
    }
    const { account } = cloudwatch.central;
    const { account: own } = await callerIdentity(cloudwatch.region, access);
    if (own !== account) {
        throw new CouldNotCheck(
            `${name} is in account ${account}, and you are in ${own}. Look with credentials of ${account}`,
        );
    }
}

/** Logs in a log group. Reading them needs `logs:FilterLogEvents` on it. */
function cloudwatchStore(
    name: string,
    place: Omit<Extract<Reader, { by: "logGroup" }>, "by">,
    { settings }: Deployment,
    access: AwsAccess,
): Store {
    const unnamed = settings.cloudwatch !== undefined && settings.cloudwatch.logGroup === undefined;
    return {
        name,
        has: async (mark) => {
            try {
                return await inTime(() => hasEvent(place, mark, access), access);
            } catch (error) {
                if (error instanceof CouldNotCheck) {
                    throw error;
                }
                const other =
                    unnamed && (error as Error).name === "ResourceNotFoundException"
                        ? `. kof:cloudwatch.logGroup names none; the one that the stack has is in: pulumi stack output logGroups`
                        : "";
                throw new CouldNotCheck(`${name}: ${awsFailure(error).reason}${other}`);
            }
        },
    };
}

/** Whether an event with a mark is in any stream of a log group: their names depend on the node. */
async function hasEvent(place: AwsPlace & { readonly name: string }, { text, time }: Mark, access: AwsAccess) {
    const { CloudWatchLogsClient, paginateFilterLogEvents } = await import("@aws-sdk/client-cloudwatch-logs");
    const client = new CloudWatchLogsClient(clientOptions(place, access));
    const filter = {
        logGroupName: place.name,
        startTime: since(time) * 1000,
        filterPattern: JSON.stringify(text),
        limit: 1,
    };
    try {
        // A page may be empty although later ones are not.
        for await (const { events } of paginateFilterLogEvents({ client }, filter)) {
            if (!events) {
                throw new CouldNotCheck("what answers for CloudWatch Logs lists no events");
            }
            if (events.some(({ message = "" }) => message.includes(text))) {
                return true;
            }
        }
        return false;
    } finally {
        client.destroy();
    }
}
