import { setTimeout as sleep } from "node:timers/promises";

import { kofNamespace } from "../core/charts/namespace";
import type { Deployment } from "../core/routes/deployment";
import { deliveriesBy, destinationOf, processingAt, type Delivery } from "../core/routes/deliveries";
import { destinationsOf, type End } from "../core/routes/destinations";
import { choices } from "../core/routes/processing";
import type { Processing } from "../core/settings/destinations";
import { resolvedDestination } from "../core/settings/resolvedDestinations";
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
import { CouldNotCheck, couldNotCheck } from "../core/lib/errors";
import { isMap } from "../core/lib/values";
import { jsonObject, persistently } from "./http";
import { statusMessage } from "./kubernetes";
import type { Pod } from "./pods";
import { otlpRecord, recordText, sentSignals, type Mark, type SentSignal } from "./otlp";
import { storeToRead } from "./stores";

/** One step of a record's way. */
type Hop = "yes" | "no" | "unseen";

/** How far the record of one signal came, on its way to one destination where there are several. */
export interface Journey {
    readonly signal: SentSignal;
    /** The name of that destination in `kof:signals`; `undefined` where a route is the only one. */
    readonly destination?: string | undefined;
    /** Whether the collector took it. */
    readonly accepted: Hop;
    /** Whether the collector got records of this signal out since: its counters do not tell one from another. */
    readonly sent: Hop;
    readonly stored: Hop;
    /** What stopped it, or hid it. */
    readonly detail?: string | undefined;
    /** Where it is stored; `undefined` where nothing of this signal is. */
    readonly store?: string | undefined;
    /** How to look there by hand, where this command cannot. */
    readonly lookUp?: string | undefined;
    /** What settings say of this destination that may keep this record from being found there. */
    readonly leftOut?: string | undefined;
}

/** The collector that takes in what instrumented pods send. */
const daemon = "kof-collectors-daemon";

/** How often to look again, in milliseconds. */
const interval = 2000;

/** Options of `verify`. */
interface VerifyOptions {
    readonly mark: Mark;
    /** Milliseconds after which a record that is not stored is missing. */
    readonly timeout: number;
    /** Address of a region's vmauth, where it is not reached from here by its own. */
    readonly vmauth?: string | undefined;
    /** Receives what is still waited for. */
    readonly waiting?: ((journeys: readonly string[], seconds: number) => void) | undefined;
}

/**
 * Sends one marked record of each signal through the daemon collector of some node, and follows it to each place where it is stored.
 *
 * @throws CouldNotCheck when no collector can be seen.
 */
export async function follow(live: Live, options: VerifyOptions): Promise<Journey[]> {
    const [pod] = await runningCollectors(live.kubernetes, daemon);
    const ways = sentSignals.map((signal) => waysOf(signal, live.deployment));
    if (!pod) {
        const detail = `no pod of ${daemon} is running in ${kofNamespace}`;
        return ways.flat().map(({ about, ends }) => ({
            ...about,
            ...notSent,
            ...(ends.length > 0 ? { detail, store: storesText(ends) } : {}),
        }));
    }
    const started = Date.now();
    const pending = new Set(ways.flat().filter(({ ends }) => ends.length > 0));
    const follows = sentSignals.map(async (signal, i) => {
        const ofSignal = ways[i] ?? [];
        // Once, even if it has several destinations.
        const sending = ofSignal.some((way) => pending.has(way))
            ? await sendOnce(signal, pod, live, options)
            : undefined;
        return Promise.all(
            ofSignal.map(async (way) => {
                const journey = sending && (await followWay(way, sending, pod, live, options));
                pending.delete(way);
                return journey ?? { ...way.about, ...notSent };
            }),
        );
    });
    const progress = setInterval(() => {
        options.waiting?.(
            [...pending].map(({ about }) => titleOf(about)),
            Math.round((Date.now() - started) / 1000),
        );
    }, 1000);
    try {
        return (await Promise.all(follows)).flat();
    } finally {
        clearInterval(progress);
    }
}

/** The way of a record that the daemon takes to where it is stored: to one destination, where there are several. */
interface Way {
    /** What is known of it before anything is sent: also why it is stored nowhere. */
    readonly about: Pick<Journey, "signal" | "destination" | "detail">;
    /** Nothing where the signal is not stored. */
    readonly ends: readonly End[];
    /** The exporters that count it: what goes through a queue in front of another is counted there. */
    readonly exporters: readonly string[];
    /** The exporters that may say what is wrong. */
    readonly writers: readonly string[];
}

const notSent = { accepted: "no", sent: "no", stored: "no" } as const;

function waysOf(signal: SentSignal, deployment: Deployment): Way[] {
    const taking = deployment.collectors.filter(({ name }) => name === daemon);
    const deliveries = deliveriesBy(taking, deployment).filter((each) => each.signal === signal);
    const wayOf = (some: readonly Delivery[], about: Omit<Way["about"], "signal"> = {}) => {
        const writers = some.flatMap((each) => each.writers);
        return {
            about: { signal, ...about },
            ends: some.map(({ end }) => end),
            exporters: [...new Set(writers.map(({ queue }) => queue.exporter))],
            writers: [...new Set(writers.flatMap(({ flow, queue }) => [flow.exporter, queue.exporter]))],
        };
    };
    if (deployment.targets === undefined) {
        return [wayOf(deliveries)];
    }
    const names = [...new Set(deliveries.map(destinationOf))];
    const { [signal]: where } = destinationsOf(deployment, taking);
    return names.length === 0
        ? [wayOf([], where.stored ? {} : { detail: where.why })]
        : names.map((destination) =>
              wayOf(
                  deliveries.filter((each) => destinationOf(each) === destination),
                  { destination },
              ),
          );
}

function titleOf({ signal, destination }: Way["about"]): string {
    return destination === undefined ? signal : `${signal} for ${destination}`;
}

function storesText(ends: readonly End[]): string {
    return ends.map(({ store }) => store).join(" and ");
}

type Counters = readonly ExporterCounters[] | CouldNotCheck;

/** Sends the record of a signal. Gives what exporters had counted before, and why it was refused: empty when it was not. */
async function sendOnce(signal: SentSignal, pod: Pod, live: Live, { mark }: VerifyOptions) {
    const before: Counters = await countersOf(live.kubernetes, pod).catch(couldNotCheck);
    return { before, refused: await sendRecord(signal, pod, live, mark).catch(couldNotCheck) };
}

async function followWay(
    way: Way,
    { before, refused }: Awaited<ReturnType<typeof sendOnce>>,
    pod: Pod,
    live: Live,
    options: VerifyOptions,
): Promise<Journey> {
    const { kubernetes, deployment } = live;
    const { ends, exporters, writers } = way;
    const { signal } = way.about;
    const found = await storeToRead(signal, ends, live, options.vmauth).catch(couldNotCheck);
    const [store, unreachable] = found instanceof CouldNotCheck ? [undefined, found.message] : [found, undefined];
    const about = {
        ...way.about,
        store: store?.name ?? storesText(ends),
        ...byHand(way, deployment, options.mark),
    };
    if (refused instanceof CouldNotCheck) {
        return { ...about, accepted: "unseen", sent: "unseen", stored: "unseen", detail: refused.message };
    }
    if (refused !== "") {
        return { ...about, ...notSent, detail: refused };
    }
    const own = (counters: Counters) =>
        counters instanceof CouldNotCheck ? counters : counters.filter(({ exporter }) => exporters.includes(exporter));
    const deadline = Date.now() + options.timeout;
    let [stored, detail]: [Hop, string | undefined] = ["unseen", unreachable];
    let sent: Hop;
    let after: Counters;
    let dropped = 0;
    do {
        await sleep(interval);
        after = own(await countersOf(kubernetes, pod).catch(couldNotCheck));
        sent = sentSince(own(before), after, signal);
        if (store) {
            const has = await store.has(options.mark).catch(couldNotCheck);
            [stored, detail] = has instanceof CouldNotCheck ? ["unseen", has.message] : [has ? "yes" : "no", undefined];
        }
        dropped += sent === "no" ? 1 : 0;
        // Where nobody can tell whether it is stored, whether it was sent is all there is to wait for. What a collector
        // counts as failed it has dropped, so a third look is the last.
    } while (stored !== "yes" && !(store === undefined && sent !== "unseen") && dropped < 3 && Date.now() < deadline);
    // What AWS refuses is not counted as failed while it is tried: the collector only says so.
    const look = {
        signal,
        ...(deployment.targets ? { exporters: writers } : {}),
        ...(sent === "no" ? {} : { seconds: lastTries }),
    };
    const error = stored === "yes" ? undefined : await exportError(kubernetes, pod, look).catch(couldNotCheck);
    const said = typeof error === "string" ? `the collector said: ${error}` : undefined;
    const counted = store === undefined && deployment.targets ? countersText(after, signal) : undefined;
    const all = [detail, counted, detail === undefined || counted !== undefined ? said : undefined].filter(
        (each) => each !== undefined,
    );
    return {
        ...about,
        accepted: "yes",
        sent: stored === "yes" ? "yes" : sent,
        stored,
        detail: all.length === 0 ? undefined : all.join("; "),
    };
}

/** What exporters have counted of a signal since they started, human-readable. */
function countersText(counters: Counters, signal: SentSignal): string | undefined {
    const texts = (counters instanceof CouldNotCheck ? [] : counters)
        .filter((each) => each.signal === signal)
        .map(({ exporter, sent, failed, refused, queue }) => {
            const waits = queue === undefined ? "" : `, and its queue is ${String(Math.round(queue * 100))} % full`;
            return `exporter ${exporter} has sent ${String(sent)} and dropped ${String(failed + refused)} since it started${waits}`;
        });
    return texts.length === 0 ? undefined : texts.join("; ");
}

/** How to look for a record at a destination that this command does not read, and what may hide it there. */
function byHand(
    { about: { signal, destination }, ends }: Way,
    { settings }: Deployment,
    { text }: Mark,
): Pick<Journey, "lookUp" | "leftOut"> {
    if (destination === undefined) {
        return {};
    }
    const where = resolvedDestination(settings, destination)?.preset?.lookUp;
    const { sampleTraces, redact = [] } = processingAt(settings, destination) ?? {};
    const hiding: Processing = {
        ...(signal === "traces" && sampleTraces !== undefined ? { sampleTraces } : {}),
        ...(signal === "logs" && redact.some((each) => matches(each, recordText(text))) ? { redact } : {}),
    };
    const [leftOut] = choices(hiding);
    const isUnread = ends.every(({ reader }) => reader === undefined);
    return {
        lookUp: isUnread ? `look for ${text} there${where === undefined ? "" : `: ${where}`}` : undefined,
        leftOut,
    };
}

/** Whether a pattern as Go has it finds something, as far as JavaScript's reading of it tells. */
function matches(pattern: string, text: string): boolean {
    return new RegExp(pattern.replace(/^\(\?[imsU]+\)/, ""), "iu").test(text);
}

/** Sends a record through the API server to the collector's OTLP port. Gives why it was refused; empty when it was not. */
async function sendRecord(signal: SentSignal, pod: Pod, { kubernetes }: Live, mark: Mark): Promise<string> {
    const { otlp } = await portsOf(kubernetes, pod);
    const { path, body } = otlpRecord(signal, mark);
    const headers = { "content-type": "application/json" };
    // A record that arrives twice is found as well as one that arrives once.
    const answer = await persistently(() => kubernetes.request("POST", podPath(pod, otlp, path), { headers, body }));
    const refused = statusMessage(answer);
    if (answer.status === 403 && refused !== undefined) {
        throw new CouldNotCheck(refused);
    }
    return answer.status < 300
        ? rejected(answer.body, pod)
        : `pod ${pod.metadata.name} answers HTTP ${String(answer.status)} at its OTLP port ${String(otlp)}${refused === undefined ? "" : ` (${refused})`}`;
}

/**
 * Why a record was not taken, by a 2xx answer of OTLP over HTTP; empty when it was.
 *
 * @throws CouldNotCheck when the answer is not OTLP's: a page in place of the collector has taken nothing.
 */
function rejected(body: string, pod: Pod): string {
    const answer = jsonObject(body);
    if (!answer) {
        throw new CouldNotCheck(`what answers at the OTLP port of pod ${pod.metadata.name} is no collector`);
    }
    const { errorMessage, ...counts } = isMap(answer.partialSuccess) ? answer.partialSuccess : {};
    return Object.values(counts).some((count) => Number(count) > 0)
        ? `pod ${pod.metadata.name} rejects it: ${typeof errorMessage === "string" && errorMessage !== "" ? errorMessage : "it does not say why"}`
        : "";
}

/** Whether records of a signal left since: `no` when some failed and none got out. */
export function sentSince(before: Counters, after: Counters, signal: SentSignal): Hop {
    if (before instanceof CouldNotCheck || after instanceof CouldNotCheck) {
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
export function journeyResult(journey: Journey): Result {
    const { accepted, sent, stored, detail, store = "", lookUp, leftOut } = journey;
    const title = titleOf(journey);
    if (store === "") {
        return {
            title: `${title}: not stored${detail === undefined ? " on this route" : `, ${detail}`}`,
            findings: [],
        };
    }
    if (stored === "yes") {
        return { title: `${title}: accepted, sent, stored in ${store}`, findings: [] };
    }
    const logs = `kubectl logs -n ${kofNamespace} -l app.kubernetes.io/instance=${kofNamespace}.${daemon} --tail=100`;
    const chosen = leftOut === undefined ? "" : ` By choice, ${leftOut}.`;
    const finding = (severity: Finding["severity"], what: string, why: string, fix = logs): Result => ({
        title,
        findings: [{ severity, what: detail === undefined ? what : `${what}: ${detail}`, why: why + chosen, fix }],
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
        return finding(
            "unknown",
            `${way}, but could not check whether ${store} has it`,
            "It may have arrived or not.",
            lookUp,
        );
    }
    // What settings leave out may be this record.
    const missing = leftOut === undefined ? "problem" : "unknown";
    return sent === "yes"
        ? finding(
              missing,
              `accepted and sent, but not stored in ${store}`,
              "The destination took it and does not have it: another tenant, group or region, or something in front that drops it.",
          )
        : finding(
              missing,
              `accepted, but neither sent nor stored in ${store} in time`,
              "It waits in the collector, because the destination does not answer or, if it is AWS, refuses the credentials; or it " +
                  "takes longer than this.",
          );
}
