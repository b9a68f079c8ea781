import { UserError } from "./errors";

/** How much of a stack's configuration is looked at: many times what the largest of stacks needs. */
export const configurationLimits = {
    /** Characters of a stack file. */
    file: 512 * 1024,
    /** Keys and entries of lists, all levels together. */
    entries: 5000,
    /** Maps and lists in each other. */
    levels: 50,
    /** Characters of a key, and of a text outside `kof:values`. */
    text: 4096,
} as const;

/**
 * Refuses what is larger than {@link configurationLimits}, before anything is worked out of it. Never takes more steps than there
 * may be entries, whatever refers to itself in it.
 *
 * @param source what to call it.
 * @throws UserError
 */
export function refuseExcess(value: unknown, source: string): void {
    const left: [value: unknown, level: number][] = [[value, 0]];
    let entries = 0;
    for (let next = left.pop(); next; next = left.pop()) {
        const [inner, level] = next;
        if (typeof inner !== "object" || inner === null) {
            continue;
        }
        const below = Object.values(inner);
        entries += below.length;
        if (entries > configurationLimits.entries) {
            throw tooMuch(source, `has more than ${String(configurationLimits.entries)} entries`);
        }
        if (level >= configurationLimits.levels && below.length > 0) {
            throw tooMuch(
                source,
                `has maps or lists in each other, more than ${String(configurationLimits.levels)} levels deep`,
            );
        }
        const long = Array.isArray(inner)
            ? undefined
            : Object.keys(inner).find((key) => key.length > configurationLimits.text);
        if (long !== undefined) {
            throw tooMuch(source, `has a key of ${String(long.length)} characters (${long.slice(0, 20)}…)`);
        }
        left.push(...below.map((each): [unknown, number] => [each, level + 1]));
    }
}

/** The refusal of something too large. */
export function tooMuch(source: string, what: string): UserError {
    return new UserError(
        `${source} ${what}, which is more than this program looks at. Nothing was changed. ` +
            "What is large belongs into a chart or a ConfigMap, which kof:values can name.",
    );
}
