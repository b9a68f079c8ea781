/** A URL up to its host, where something stands in front of that: `https://user:password@host`. */
const signedIn = /([a-z][a-z0-9+.-]*):\/\/([^\s/?#]+)@/gi;

/** A text in which what signs in to an address is left out, and seen to be: `https://…@host`. */
export function masked(text: string): string {
    return text.replace(signedIn, (found, scheme: string, user: string) =>
        isCredential(scheme, user) ? `${scheme}://…@` : found,
    );
}

/** A text whose addresses have nobody who signs in: `https://host`. */
export function signedOut(text: string): string {
    return text.replace(signedIn, (found, scheme: string, user: string) =>
        isCredential(scheme, user) ? `${scheme}://` : found,
    );
}

/** Whether an address in a text has a password or a token in it. */
export function hasCredential(text: string): boolean {
    return masked(text) !== text;
}

/** References (`${env:PASSWORD}`, `$(PASSWORD)`) give nothing away, nor does the name of a user without a password: `ssh://git@host`. */
function isCredential(scheme: string, user: string): boolean {
    const written = user.replaceAll(/\$\{[^}]*\}|\$\([^)]*\)/g, "");
    const colon = written.indexOf(":");
    return colon < 0
        ? written !== "" && /^(https?|oci)$/i.test(scheme) && written === user
        : colon < written.length - 1;
}
