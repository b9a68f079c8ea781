import { telemetryKind, type Signal } from "../charts";
import { compact, definedOnly } from "../lib/compact";
import type { HelmValue, HelmValues } from "../lib/values";
import type { Processing } from "../settings/destinations";

/** What is done with telemetry on its way to one destination, because somebody wants it so. */
interface ProcessingParts {
    /** The definitions of processors. */
    readonly definitions: HelmValues;
    /** Those that work on a signal, in order: what is dropped first need not be redacted. */
    readonly processors: (signal: Signal) => readonly string[];
    /** What the destination does not get, by choice. */
    readonly notices: readonly string[];
}

const redacted = "****";

/** The severity numbers of OpenTelemetry's log data model at which each range starts. */
export const severityNumbers = { trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21 } as const;

/** Processors for what settings say of a destination. */
export function processingOf(name: string, processing: Processing = {}): ProcessingParts {
    const { dropNamespaces = [], minimumSeverity, redact = [], sampleTraces } = processing;
    const filter = `filter/${name}`;
    const transform = `transform/${name}`;
    const sampler = `probabilistic_sampler/${name}`;
    const ofNamespaces = dropNamespaces.map((each) => `resource.attributes["k8s.namespace.name"] == ${quoted(each)}`);
    const tooMild =
        minimumSeverity === undefined
            ? []
            : // Without a severity a record has the number 0.
              [`log.severity_number > 0 and log.severity_number < ${String(severityNumbers[minimumSeverity])}`];
    const dropped = { metrics: ofNamespaces, logs: [...ofNamespaces, ...tooMild], traces: ofNamespaces };
    return {
        definitions: definedOnly<HelmValue>({
            [filter]:
                dropped.logs.length === 0
                    ? undefined
                    : {
                          error_mode: "ignore",
                          ...(ofNamespaces.length > 0
                              ? { metrics: { datapoint: ofNamespaces }, traces: { span: ofNamespaces } }
                              : {}),
                          logs: { log_record: dropped.logs },
                      },
            [transform]: redact.length > 0 ? redacting(redact) : undefined,
            [sampler]: sampleTraces === undefined ? undefined : { sampling_percentage: sampleTraces },
        }),
        processors: (signal) =>
            compact(
                dropped[telemetryKind(signal)].length > 0 && filter,
                signal === "traces" && sampleTraces !== undefined && sampler,
                signal !== "metrics" && redact.length > 0 && transform,
            ),
        notices: choices(processing).map((choice) => `${name}: ${choice}, by choice.`),
    };
}

/** Human-readable choices: `nothing of namespace kube-system`. */
export function choices({
    dropNamespaces = [],
    minimumSeverity,
    redact = [],
    sampleTraces,
}: Processing = {}): string[] {
    return compact(
        dropNamespaces.length > 0 &&
            `nothing of namespace${dropNamespaces.length > 1 ? "s" : ""} ${dropNamespaces.join(", ")} is stored there`,
        minimumSeverity !== undefined && `logs below ${minimumSeverity} are not stored there`,
        sampleTraces !== undefined && `only ${String(sampleTraces)} % of the traces are stored there`,
        redact.length > 0 &&
            `what matches ${redact.map((each) => `\`${each}\``).join(" or ")} is replaced by ${redacted}`,
    );
}

function redacting(patterns: readonly string[]): HelmValues {
    const ofBodies = patterns.map((each) => `replace_pattern(log.body, ${quoted(each)}, "${redacted}")`);
    const within = (attributes: string) => patterns.map((each) => replaceAll(attributes, each));
    return {
        error_mode: "ignore",
        log_statements: [{ context: "log", statements: [...ofBodies, ...within("log.attributes")] }],
        trace_statements: [{ context: "span", statements: within("span.attributes") }],
    };
}

function replaceAll(attributes: string, pattern: string): string {
    return `replace_all_patterns(${attributes}, "value", ${quoted(pattern)}, "${redacted}")`;
}

/** Text as OTTL writes it. A dollar sign is doubled, because the collector would take it for a variable. */
function quoted(text: string): string {
    return JSON.stringify(text).replaceAll("$", "$$$$");
}
