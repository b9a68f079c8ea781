/** What a terminal obeys: control characters except line ends and tabs, and marks that reverse text. */
// eslint-disable-next-line no-control-regex
const commands = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A text from outside, such as a log line, made safe for a terminal: `\u001b[2J` is visible, and clears nothing. */
export function printable(text: string): string {
    return text.replace(commands, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A value as JSON that is fit for a terminal too: what `JSON.stringify` leaves as it is of {@link commands}, it writes as an escape. */
export function printableJson(value: unknown): string {
    return printable(JSON.stringify(value, undefined, 2));
}
