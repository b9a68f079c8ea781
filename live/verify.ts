import { setTimeout as sleep } from "node:timers/promises";

import { metricsQueue } from "../core/collectors/buffers";
import { kofNamespace } from "../core/charts/namespace";
import type { Deployment } from "../core/routes/deployment";
import { destinationsOf, flowsFor, type End } from "../core/routes/destinations";
import {
    countersOf,
    exportError,
    lastTries,
    podPath,
    portsOf,
    runningCollectors,
    type ExporterCounters,
} from "./collectors";
import type { Finding, Live, Result } from "./findings";
import { CouldNotCheck } from "../core/lib/errors";
import { persistently } from "./http";
import { statusMessage } from "./kubernetes";
import type { Pod } from "./pods";
import { otlpRecord, sentSignals, type Mark, type SentSignal } from "./otlp";
import { storeOf, type Store } from "./stores";

/** One step of a record's way. */
export type Hop = "yes" | "no" | "unseen";

/** How far the record of one signal came. */
export interface Journey {
    readonly signal: SentSignal;
    /** Whether the collector took it. */
    readonly accepted: Hop;
    /** Whether the collector got records of this signal out since: its counters do not tell one from another. */
    readonly sent: Hop;
    readonly stored: Hop;
    /** What stopped it, or hid it. */
    readonly detail?: string | undefined;
    /** Where it is stored; `undefined` where nothing of this signal is. */
    readonly store?: string | undefined;
}

/** The collector that takes in what instrumented pods send. */
const daemon = "kof-collectors-daemon";

/** How often to look again, in milliseconds. */
const interval = 2000;

/** Options of `verify`. */
export interface VerifyOptions {
    readonly mark: Mark;
    /** Milliseconds after which a record that is not stored is missing. */
    readonly timeout: number;
    /** Address of a region's vmauth, where it is not reached from here by its own. */
    readonly vmauth?: string | undefined;
    /** Is told what is still waited for. */
    readonly waiting?: ((signals: readonly SentSignal[], seconds: number) => void) | undefined;
}

/**
 * Sends one marked record of each signal through the daemon collector of some node, and follows it to where it is stored.
 *
 * @throws CouldNotCheck when no collector can be seen.
 */
export async function follow(live: Live, options: VerifyOptions): Promise<Journey[]> {
    const [pod] = await runningCollectors(live.kubernetes, daemon);
    if (!pod) {
        const detail = `no pod of ${daemon} is running in ${kofNamespace}`;
        return sentSignals.map((signal) => {
            const about = { signal, accepted: "no", sent: "no", stored: "no" } as const;
            const { ends } = endsOfRecord(signal, live.deployment);
            return ends.length > 0 ? { ...about, detail, store: storesText(ends) } : about;
        });
    }
    const started = Date.now();
    const pending = new Set<SentSignal>();
    const follows = sentSignals.map(async (signal) => {
        pending.add(signal);
        const journey = await followSignal(signal, pod, live, options);
        pending.delete(signal);
        return journey;
    });
    const progress = setInterval(() => {
        options.waiting?.([...pending], Math.round((Date.now() - started) / 1000));
    }, 1000);
    try {
        return await Promise.all(follows);
    } finally {
        clearInterval(progress);
    }
}

/** Where a record of a signal ends that the daemon takes, and by which of its exporters; nowhere where that is not stored. */
function endsOfRecord(
    signal: SentSignal,
    deployment: Deployment,
): { readonly ends: readonly End[]; readonly exporters: readonly string[] } {
    const taking = deployment.collectors.filter(({ name }) => name === daemon);
    const destination = destinationsOf(deployment, taking)[signal];
    return {
        ends: destination.stored ? destination.ends : [],
        // What goes through the queue for metrics is counted there.
        exporters: [...flowsFor(signal, taking).map(({ exporter }) => exporter), metricsQueue.exporter],
    };
}

function storesText(ends: readonly End[]): string {
    return ends.map(({ store }) => store).join(" and ");
}

async function followSignal(signal: SentSignal, pod: Pod, live: Live, options: VerifyOptions): Promise<Journey> {
    const { kubernetes } = live;
    const { ends, exporters } = endsOfRecord(signal, live.deployment);
    if (ends.length === 0) {
        return { signal, accepted: "no", sent: "no", stored: "no" };
    }
    let [store, unreachable]: [Store | undefined, string | undefined] = [undefined, undefined];
    try {
        store = await storeOf(signal, ends, live, options.vmauth);
    } catch (error) {
        unreachable = messageOf(error);
    }
    const about = { signal, store: store?.name ?? storesText(ends) };
    const counters = async () =>
        (await countersOf(kubernetes, pod)).filter(({ exporter }) => exporters.includes(exporter));
    const before = await attempt(counters);
    const refused = await attempt(() => sendRecord(signal, pod, live, options.mark));
    if (typeof refused === "object") {
        return { ...about, accepted: "unseen", sent: "unseen", stored: "unseen", detail: refused.unseen };
    }
    if (refused !== "") {
        return { ...about, accepted: "no", sent: "no", stored: "no", detail: refused };
    }
    const deadline = Date.now() + options.timeout;
    let [stored, detail]: [Hop, string | undefined] = ["unseen", unreachable];
    let sent: Hop;
    let dropped = 0;
    do {
        await sleep(interval);
        sent = sentSince(before, await attempt(counters), signal);
        if (store) {
            const { has } = store;
            const found = await attempt(() => has(options.mark));
            [stored, detail] = typeof found === "object" ? ["unseen", found.unseen] : [found ? "yes" : "no", undefined];
        }
        dropped += sent === "no" ? 1 : 0;
        // Where nobody can tell whether it is stored, whether it was sent is all there is to wait for. What a collector
        // counts as failed it has dropped, so a third look is the last.
    } while (stored !== "yes" && !(store === undefined && sent !== "unseen") && dropped < 3 && Date.now() < deadline);
    // What AWS refuses is not counted as failed while it is tried: the collector only says so.
    const look = { signal, ...(sent === "no" ? {} : { seconds: lastTries }) };
    const error = stored === "yes" ? undefined : await attempt(() => exportError(kubernetes, pod, look));
    const said = typeof error === "string" ? `the collector said: ${error}` : undefined;
    return { ...about, accepted: "yes", sent: stored === "yes" ? "yes" : sent, stored, detail: detail ?? said };
}

interface Unseen {
    readonly unseen: string;
}

/** What something gives, or why it cannot be seen. */
async function attempt<T>(look: () => Promise<T>): Promise<T | Unseen> {
    try {
        return await look();
    } catch (error) {
        return { unseen: messageOf(error) };
    }
}

function messageOf(error: unknown): string {
    if (error instanceof CouldNotCheck) {
        return error.message;
    }
    throw error;
}

/** Sends a record through the API server to the collector's OTLP port. Gives why it was refused; empty when it was not. */
async function sendRecord(signal: SentSignal, pod: Pod, { kubernetes }: Live, mark: Mark): Promise<string> {
    const { otlp } = await portsOf(kubernetes, pod);
    const { path, body } = otlpRecord(signal, mark);
    const headers = { "content-type": "application/json" };
    // A record that arrives twice is found as well as one that arrives once.
    const answer = await persistently(() => kubernetes.request("POST", podPath(pod, otlp, path), { headers, body }));
    const refused = answer.status >= 400 ? statusMessage(answer.body) : undefined;
    if (answer.status === 403 && refused !== undefined) {
        throw new CouldNotCheck(refused);
    }
    return answer.status < 300
        ? ""
        : `pod ${pod.metadata.name} answers HTTP ${String(answer.status)} at its OTLP port ${String(otlp)}${refused === undefined ? "" : ` (${refused})`}`;
}

/** Whether records of a signal left since: `no` when some failed and none got out. */
export function sentSince(
    before: readonly ExporterCounters[] | Unseen,
    after: readonly ExporterCounters[] | Unseen,
    signal: SentSignal,
): Hop {
    if ("unseen" in before || "unseen" in after) {
        return "unseen";
    }
    const sum = (counters: readonly ExporterCounters[], of: (each: ExporterCounters) => number) =>
        counters.filter((each) => each.signal === signal).reduce((all, each) => all + of(each), 0);
    const rose = (of: (each: ExporterCounters) => number) => sum(after, of) > sum(before, of);
    if (rose(({ failed, refused }) => failed + refused)) {
        return "no";
    }
    return rose(({ sent }) => sent) ? "yes" : "unseen";
}

/** What a journey means. */
export function journeyResult({ signal, accepted, sent, stored, detail, store = "" }: Journey): Result {
    if (store === "") {
        return { title: `${signal}: not stored on this route`, findings: [] };
    }
    if (stored === "yes") {
        return { title: `${signal}: accepted, sent, stored in ${store}`, findings: [] };
    }
    const logs = `kubectl logs -n ${kofNamespace} -l app.kubernetes.io/instance=${kofNamespace}.${daemon} --tail=100`;
    const finding = (severity: Finding["severity"], what: string, why: string, fix = logs): Result => ({
        title: signal,
        findings: [{ severity, what: detail === undefined ? what : `${what}: ${detail}`, why, fix }],
    });
    if (accepted === "unseen") {
        return finding(
            "unknown",
            "could not check",
            "Nothing was sent.",
            "kubectl auth can-i create pods/proxy -n kof",
        );
    }
    if (accepted === "no") {
        return finding(
            "problem",
            "not accepted by the collector",
            "Instrumented pods lose this signal here.",
            `kubectl get pods -n ${kofNamespace}`,
        );
    }
    if (sent === "no") {
        return finding(
            "problem",
            `accepted, but not sent to ${store}`,
            "The collector could not export it. What the destination refuses (401, 403, 400) is dropped at once, while all is green; " +
                "logs that AWS refuses, when kof:buffer.duration is over.",
        );
    }
    if (stored === "unseen") {
        const way = sent === "yes" ? "accepted and sent" : "accepted";
        return finding("unknown", `${way}, but could not check whether ${store} has it`, "It may have arrived or not.");
    }
    return sent === "yes"
        ? finding(
              "problem",
              `accepted and sent, but not stored in ${store}`,
              "The destination took it and does not have it: another tenant, group or region, or something in front that drops it.",
          )
        : finding(
              "problem",
              `accepted, but neither sent nor stored in ${store} in time`,
              "It waits in the collector, because the destination does not answer or, if it is AWS, refuses the credentials; or it " +
                  "takes longer than this.",
          );
}
