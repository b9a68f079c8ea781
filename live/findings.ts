/** How bad something is: it will not work, it may not, or nobody could see whether it does. */
export type Severity = "problem" | "warning" | "unknown";

/** One thing that a check found. */
export interface Finding {
    readonly severity: Severity;
    /** What was found. */
    readonly what: string;
    /** Why it matters. */
    readonly why: string;
    /** The command that fixes it, or shows more where only a person can decide. */
    readonly fix: string;
}

/** Something could not be seen: no answer, or no right to look. That is not the same as "it is not there". */
export class CouldNotLook extends Error {
    override readonly name = "CouldNotLook";
}
