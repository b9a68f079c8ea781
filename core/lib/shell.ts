/** A text as one word to a POSIX shell, in quotes whatever it is. */
export function quotedWord(text: string): string {
    return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A text as one word to a POSIX shell, in quotes where it needs them. */
export function shellWord(text: string): string {
    return /^[\w@%+=:,./…-]+$/.test(text) ? text : quotedWord(text);
}
