import { distance } from "fastest-levenshtein";

/**
 * How many characters a misspelt word may differ in from the word that was meant. Each limit depends on what a wrong guess costs: a
 * suggestion for a setting is only a question, but a suggestion for a value ends up in a line to paste.
 */
const limits = {
    /** A setting, or a name in the stack file. */
    setting: (word: string) => Math.max(2, word.length / 3),
    /** One of the values that a setting allows. */
    value: (word: string) => Math.max(1, Math.floor(word.length / 4)),
    /** A key of Helm values, where many keys are similar. */
    helmKey: (word: string) => (word.length >= 10 ? 2 : word.length >= 6 ? 1 : 0),
    /** A key that the JSON schema of a chart lists. */
    schemaKey: () => 2,
    /** A namespace of Pulumi's configuration, such as `kubernetes`. */
    namespace: (_: string, known: string) => (known.length > 5 ? 3 : 1),
} satisfies Readonly<Record<string, (word: string, known: string) => number>>;

/** A word without case and without the characters between its parts: `log_group` and `logGroup` are alike. */
export function lettersOf(word: string): string {
    return word.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

/** What somebody means by its name, its title or another name, in any spelling. */
export function nameMeant<Name extends string>(
    all: Readonly<Record<Name, { readonly title: string; readonly alsoCalled?: readonly string[] }>>,
    found: unknown,
): Name | undefined {
    const wanted = typeof found === "string" ? lettersOf(found) : "";
    return (Object.keys(all) as Name[]).find((name) =>
        [name, all[name].title, ...(all[name].alsoCalled ?? [])].some((each) => lettersOf(each) === wanted),
    );
}

/** Whether a word is probably a misspelling of a known one. */
export function isMisspelling(word: string, known: string, of: keyof typeof limits): boolean {
    return distance(word, known) <= limits[of](word, known);
}

/** The highest {@link dissimilarity} at which two keys of Helm values count as spellings of the same key. */
export const similar = 0.4;

/** 0 for equal keys, 1 for keys that have nothing in common. */
export function dissimilarity(a: string, b: string): number {
    const longest = Math.max(a.length, b.length);
    const isSame = lettersOf(a) === lettersOf(b);
    // The difference in length alone makes them too different. This check saves the slow comparison.
    const isOther = !isSame && Math.abs(a.length - b.length) > similar * longest;
    return isOther ? 1 : isSame ? 0 : distance(a, b) / longest;
}

/** The setting or name that a word probably means: `https` for `HTTPS_PROXY`, `logGroup` for `log_group`. */
export function nearestOf(word: string, known: readonly string[]): string | undefined {
    const parts = word.toLowerCase().split(/[^a-z0-9]+/);
    const far = (name: string) => (lettersOf(name) === lettersOf(word) ? 0 : distance(word, name));
    const [best] = [...known].sort((a, b) => far(a) - far(b));
    return best !== undefined && far(best) <= limits.setting(word)
        ? best
        : known.find((name) => parts.includes(name.toLowerCase()));
}
