import { telemetryKind, type Signal } from "../charts";
import { clockProcessors } from "../collectors/clock";
import { typeOf } from "../collectors/flows";
import { identityProcessor } from "../collectors/identity";
import { definedOnly } from "../lib/compact";
import { isMap, keysAt, textOf, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import { processingOf, severityNumbers } from "../routes/processing";
import type { Processing } from "../settings/destinations";
import { canonical } from "./compare";

/** What the processors on the way to one destination do, as its settings say it. */
export interface Branch {
    readonly processing?: Processing;
    readonly temporality?: "delta";
    readonly batch?: number;
}

interface OfSignal {
    readonly dropNamespaces: readonly string[];
    readonly minimumSeverity?: string | undefined;
    readonly redact: readonly string[];
    readonly sampleTraces?: number | undefined;
    readonly delta: boolean;
    readonly batch?: number | undefined;
}

/** What KOF and the settings put on the way themselves. */
const own: readonly string[] = [identityProcessor, "batch", ...Object.values(clockProcessors)];

/**
 * Reads the processors on the way to a destination.
 *
 * @param ways per signal the names of the processors, in order.
 * @param definitions of processors, by name.
 * @returns `undefined` where settings do not say exactly that.
 */
export function readBranch(
    ways: readonly (readonly [Signal, readonly string[]])[],
    definitions: HelmValues,
): Branch | undefined {
    const all: (readonly [Signal, OfSignal])[] = [];
    for (const [signal, ids] of ways) {
        const found = ofSignal(signal, ids, definitions);
        if (!found) {
            return undefined;
        }
        all.push([signal, found]);
    }
    const one = <T>(of: readonly Signal[], pick: (each: OfSignal) => T): T | undefined | "differs" => {
        const found = all.filter(([signal]) => of.includes(signal)).map(([, each]) => pick(each));
        return new Set(found.map((each) => JSON.stringify(each ?? null))).size > 1 ? "differs" : found[0];
    };
    const namespaces = one(["metrics", "logs", "traces", "audit"], (each) => [...each.dropNamespaces].sort());
    const severity = one(["logs", "audit"], (each) => each.minimumSeverity);
    const redact = one(["logs", "traces", "audit"], (each) => each.redact);
    const sample = one(["traces"], (each) => each.sampleTraces);
    const delta = one(["metrics"], (each) => each.delta);
    const batch = one(["metrics", "logs", "traces", "audit"], (each) => each.batch);
    if ([namespaces, severity, redact, sample, delta, batch].includes("differs")) {
        return undefined;
    }
    const processing = definedOnly<unknown>({
        dropNamespaces: namespaces?.length ? all[0]?.[1].dropNamespaces : undefined,
        minimumSeverity: severity,
        redact: redact?.length ? redact : undefined,
        sampleTraces: sample,
    }) as Processing;
    return {
        ...(Object.keys(processing).length > 0 ? { processing } : {}),
        ...(delta === true ? { temporality: "delta" } : {}),
        ...(typeof batch === "number" ? { batch } : {}),
    };
}

function ofSignal(signal: Signal, ids: readonly string[], definitions: HelmValues): OfSignal | undefined {
    const dropNamespaces = new Set<string>();
    let redact: readonly string[] = [];
    let minimumSeverity: string | undefined;
    let sampleTraces: number | undefined;
    let batch: number | undefined;
    let delta = false;
    for (const id of ids.filter((each) => !own.includes(each))) {
        const options = definitions[id] ?? {};
        const keys = keysAt(options, []);
        switch (typeOf(id)) {
            case "cumulativetodelta":
                if (keys.length > 0 || signal !== "metrics") {
                    return undefined;
                }
                delta = true;
                break;
            case "probabilistic_sampler": {
                const percentage = valueAt(options, ["sampling_percentage"]);
                const isPlain = keys.length === 1 && typeof percentage === "number" && sampleTraces === undefined;
                if (!isPlain || signal !== "traces") {
                    return undefined;
                }
                sampleTraces = percentage;
                break;
            }
            case "filter": {
                const found = readFilter(signal, options);
                if (!found || (found.minimumSeverity !== undefined && minimumSeverity !== undefined)) {
                    return undefined;
                }
                found.dropNamespaces.forEach((each) => dropNamespaces.add(each));
                minimumSeverity ??= found.minimumSeverity;
                break;
            }
            case "transform": {
                const found = readRedaction(options);
                if (!found || redact.length > 0) {
                    return undefined;
                }
                redact = found;
                break;
            }
            case "batch": {
                const size = valueAt(options, ["send_batch_max_size"]);
                if (typeof size === "number" && size > 0) {
                    batch = Math.min(size, batch ?? size);
                }
                break;
            }
            default:
                return undefined;
        }
    }
    return { dropNamespaces: [...dropNamespaces], minimumSeverity, redact, sampleTraces, delta, batch };
}

const namespaceIs = /^resource\.attributes\["k8s\.namespace\.name"\] == "([^"\\]+)"$/;

/** What a filter drops, if it is by namespace or by severity. */
function readFilter(
    signal: Signal,
    options: HelmValue,
): Pick<OfSignal, "dropNamespaces" | "minimumSeverity"> | undefined {
    const known = { error_mode: [], metrics: ["datapoint", "metric"], traces: ["span"], logs: ["log_record"] };
    for (const [key, inner] of Object.entries(isMap(options) ? options : {})) {
        const allowed = known[key as keyof typeof known] as readonly string[] | undefined;
        if (!allowed || (isMap(inner) && Object.keys(inner).some((each) => !allowed.includes(each)))) {
            return undefined;
        }
    }
    const kind = telemetryKind(signal);
    const lists = Object.values((valueAt(options, [kind]) ?? {}) as HelmValues);
    const conditions = lists.flatMap((list) => (Array.isArray(list) ? list.map(textOf) : [textOf(list)]));
    const dropNamespaces: string[] = [];
    let minimumSeverity: string | undefined;
    for (const condition of conditions.flatMap((each) => each.split(/ or /))) {
        const [, namespace] = namespaceIs.exec(condition.trim()) ?? [];
        const severity = severityIn(condition.trim());
        if (namespace !== undefined) {
            dropNamespaces.push(namespace);
        } else if (severity !== undefined && minimumSeverity === undefined && kind === "logs") {
            minimumSeverity = severity;
        } else {
            return undefined;
        }
    }
    return { dropNamespaces, minimumSeverity };
}

/** `log.severity_number > 0 and log.severity_number < 13`. Without the first half it would drop what has no severity. */
function severityIn(condition: string): string | undefined {
    const plain = condition
        .replaceAll(/\blog\.(?=severity_number)/g, "")
        .replaceAll("SEVERITY_NUMBER_UNSPECIFIED", "0")
        .replaceAll(/SEVERITY_NUMBER_([A-Z]+)\b/g, (found, name: string) =>
            String((severityNumbers as Record<string, number>)[name.toLowerCase()] ?? found),
        );
    const halves = plain.split(/ and /).map((each) => each.trim());
    const has = halves.some((each) => /^severity_number (>|!=) 0$/.test(each));
    const [limit] = halves.flatMap((each) => /^severity_number < (\d+)$/.exec(each)?.[1] ?? []);
    return has && halves.length === 2
        ? Object.entries(severityNumbers).find(([, number]) => String(number) === limit)?.[0]
        : undefined;
}

/** What a transformation replaces, if that is all that it does, and does it as settings have it done. */
function readRedaction(options: HelmValue): string[] | undefined {
    const logs = valueAt(options, ["log_statements"]);
    const statements = Array.isArray(logs) ? valueAt(logs[0], ["statements"]) : undefined;
    const patterns = (Array.isArray(statements) ? statements.map(textOf) : []).flatMap((each) => {
        const [, quoted] = /^replace_pattern\(log\.body, ("(?:[^"\\]|\\.)*"), "\*\*\*\*"\)$/.exec(each) ?? [];
        try {
            return quoted === undefined ? [] : [(JSON.parse(quoted) as string).replaceAll("$$", "$")];
        } catch {
            return [];
        }
    });
    const [made] = Object.values(processingOf("x", { redact: patterns }).definitions);
    return patterns.length > 0 && canonical(made) === canonical(options) ? patterns : undefined;
}
