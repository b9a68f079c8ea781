import { UserError } from "../lib/errors";
import { writeYaml } from "../lib/yaml/write";
import { masked } from "../lib/secrets";

/** One thing that is wrong with a stack's configuration. */
export interface Problem {
    /** The setting, as in the stack file: `kof:cloudwatch.region`. */
    readonly key: string;
    /** What was found, and why it is wrong, as it follows the key. */
    readonly message: string;
    readonly allowed?: string | undefined;
    /** What to write into the stack file instead. */
    readonly paste?: unknown;
    /** A command that makes what the stack file then refers to. */
    readonly run?: string | undefined;
}

/** What a rule finds, one after the other. */
export type Problems = Iterable<Problem>;

/** A setting's key, and those that it is within: of `kof:a.b` also `kof:a`. */
export function outerKeys(key: string): string[] {
    const steps = key.split(".");
    return steps.map((_, i) => steps.slice(0, i + 1).join("."));
}

/** All problems of a stack's configuration in one error. */
export function configurationError(source: string, problems: readonly Problem[]): UserError {
    const count = problems.length === 1 ? "1 problem" : `${String(problems.length)} problems`;
    return new UserError([`${source} has ${count}. Nothing was changed.`, ...problems.map(formatProblem)].join("\n\n"));
}

/** A problem as human-readable, indented text. */
export function formatProblem({ key, message, allowed, paste, run }: Problem): string {
    const lines = [`  ${key} ${message}`];
    if (allowed !== undefined) {
        lines.push(`    Allowed: ${allowed}`);
    }
    if (run !== undefined) {
        lines.push(`    Run:     ${run}`);
    }
    if (paste !== undefined) {
        const [first = "", ...rest] = writeYaml(paste).trimEnd().split("\n");
        lines.push(`    Paste:   ${first}`, ...rest.map((line) => `             ${line}`));
    }
    return lines.join("\n");
}

/** A value as it stands in a stack file, shortened, without what signs in to the addresses in it. */
export function brief(value: unknown): string {
    const text = JSON.stringify(value, (_, inner: unknown) => (typeof inner === "string" ? masked(inner) : inner));
    return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
