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

/** What a look finds: nothing, one thing, or several. */
export type Findings = Finding | readonly Findings[] | false | undefined;

/** What checks look at. */
export interface Live {
    readonly deployment: Deployment;
    readonly kubernetes: Kubernetes;
    readonly aws: AwsAccess;
}

/** One thing to look at. Finding nothing means that it is right. */
export interface Check {
    readonly title: string;
    readonly look: (live: Live) => Findings | Promise<Findings>;
}

/** What a check found. */
export interface Result {
    readonly title: string;
    readonly findings: readonly Finding[];
}

/** Looks. What cannot be seen is a finding as well, so that one thing out of sight does not hide the others. */
export async function runCheck({ title, look }: Check, live: Live): Promise<Result> {
    return { title, findings: (await findingsFrom(() => look(live))).map(maskedFinding) };
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

/**
 * What a look finds, or else the finding that it could not be checked.
 *
 * @param fix as {@link unchecked} has it.
 */
export async function findingsFrom(
    look: () => Findings | Promise<Findings>,
    fix?: string,
): Promise<readonly Finding[]> {
    try {
        return findingList(await look());
    } catch (error) {
        return [unchecked(error, fix)];
    }
}

/** Findings as one list. */
export function findingList(found: Findings): readonly Finding[] {
    return !found ? [] : "severity" in found ? [found] : found.flatMap(findingList);
}

/**
 * Looks at each of many objects, side by side. One that cannot be looked at is a finding, and hides none of the others.
 *
 * @returns what was found, in the order of the objects. The same reason for a failed check appears once.
 */
export async function lookAtEach<T>(
    objects: readonly T[],
    look: (object: T) => Findings | Promise<Findings>,
): Promise<Finding[]> {
    const found = await Promise.all(objects.map((object) => findingsFrom(() => look(object))));
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
