import { kofNamespace } from "../core/charts/namespace";
import type { Deployment } from "../core/routes/deployment";
import type { AwsAccess } from "./awsClient";
import type { Kubernetes } from "./kubernetes";
import { CouldNotCheck } from "../core/lib/errors";
import { masked } from "../core/lib/secrets";

/** One thing that a check found. */
export interface Finding {
    /** It will not work, it may not work, or it could not be checked. */
    readonly severity: "problem" | "warning" | "unknown";
    /** What was found. */
    readonly what: string;
    /** Why it matters. */
    readonly why: string;
    /** The command that fixes it, or shows more where only the operator can decide. */
    readonly fix: string;
}

/** What checks look at. */
export interface Live {
    readonly deployment: Deployment;
    readonly kubernetes: Kubernetes;
    readonly aws: AwsAccess;
}

/** One thing to look at. Finding nothing means that it is right. */
export interface Check {
    readonly title: string;
    readonly look: (live: Live) => Promise<readonly Finding[]>;
}

/** What came of a check. */
export interface Result {
    readonly title: string;
    readonly findings: readonly Finding[];
}

/** Looks. What cannot be seen is a finding as well, so that one thing out of sight does not hide the others. */
export async function runCheck({ title, look }: Check, live: Live): Promise<Result> {
    return { title, findings: (await findingsOf(() => look(live))).map(maskedFinding) };
}

/** A finding without the secrets that messages of a cluster may have in them. */
export function maskedFinding(finding: Finding): Finding {
    return { ...finding, what: masked(finding.what) };
}

/** What something gives, or else the finding that it could not be checked. */
export async function valueOrFinding<T>(
    look: () => Promise<T>,
): Promise<{ readonly value?: T; readonly findings: readonly Finding[] }> {
    try {
        return { value: await look(), findings: [] };
    } catch (error) {
        return { findings: [unchecked(error)] };
    }
}

async function findingsOf(look: () => readonly Finding[] | Promise<readonly Finding[]>): Promise<readonly Finding[]> {
    try {
        return await look();
    } catch (error) {
        return [unchecked(error)];
    }
}

/**
 * Looks at each of many objects, side by side. One that cannot be looked at is a finding, and hides none of the others.
 *
 * @returns what was found, in the order of the objects. The same reason for a failed check appears once.
 */
export async function lookAtEach<T>(
    objects: readonly T[],
    look: (object: T) => readonly Finding[] | Promise<readonly Finding[]>,
): Promise<Finding[]> {
    const found = await Promise.all(objects.map((object) => findingsOf(() => look(object))));
    const all = found.flat();
    return all.filter(
        ({ severity, what }, i) => severity !== "unknown" || all.findIndex((other) => other.what === what) === i,
    );
}

/**
 * The finding that something could not be checked.
 *
 * @param fix the command that shows more. Default: the one that the error names, or what this person may see of KOF.
 */
export function unchecked(error: unknown, fix?: string): Finding {
    if (!(error instanceof CouldNotCheck)) {
        throw error;
    }
    return {
        severity: "unknown",
        what: `could not check: ${error.message}`,
        why: "It may be right or wrong: that is not known before it is checked.",
        fix: fix ?? error.ask ?? `kubectl auth can-i --list -n ${kofNamespace}`,
    };
}

/** The worst finding; `ok` if nothing is wrong. A warning counts as `ok`. */
export function worstOf(results: readonly Result[]): "ok" | "unknown" | "problem" {
    const severities = results.flatMap(({ findings }) => findings.map(({ severity }) => severity));
    return severities.includes("problem") ? "problem" : severities.includes("unknown") ? "unknown" : "ok";
}

/** What a command that looks at a live cluster ends with. */
export const exitCodes = { ok: 0, unknown: 2, problem: 3 } as const;
