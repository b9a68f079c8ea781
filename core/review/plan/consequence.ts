/** One thing that follows from a change of settings. */
export interface Consequence {
    /** `impossible` cannot be done as it stands, `loses` makes stored data unreachable or deletes it, `notice` is worth knowing. */
    readonly severity: "impossible" | "loses" | "notice";
    /** The setting that decides it, as in the stack file: `kof:storage.logs.size`. */
    readonly key: string;
    /** The consequence, as the rest of a sentence that starts with the key. */
    readonly message: string;
    /** What to do instead, or before. */
    readonly way?: string;
    /** What to write into the stack file to avoid it. */
    readonly paste?: unknown;
    /** What `kof:acknowledge` has to say to permit it, this once. Without, nothing permits it. */
    readonly acknowledge?: string;
}

/** What follows from a change, one after the other. */
export type Consequences = Iterable<Consequence>;

/** What is worth knowing. */
export function notice(key: string, message: string, more: Pick<Consequence, "way" | "paste"> = {}): Consequence {
    return { severity: "notice", key, message, ...more };
}

/** The changes that a stack file permits. */
export function acknowledgements(text: string | undefined): string[] {
    return (text ?? "")
        .split(",")
        .map((each) => each.trim())
        .filter((each) => each !== "");
}
