import { printable } from "./printable";
import { masked } from "./secrets";

/**
 * A mistake of the person who uses the program: a setting, a file or a command line that is wrong. Its message says what
 * was found and what to do, and is all that is printed: never a stack trace. Anything else that is thrown is a bug.
 */
export class UserError extends Error {
    override readonly name = "UserError";

    /** @param message which need not be fit to be shown: what looks like a secret in it is left out, and no terminal obeys it. */
    constructor(message: string) {
        super(printable(masked(message)));
    }
}

/** Something could not be checked: no answer, or no permission. That is not the same as "it is not there". */
export class CouldNotCheck extends Error {
    override readonly name = "CouldNotCheck";

    /**
     * @param message as that of a {@link UserError}.
     * @param ask the command that shows more, where it is known.
     */
    constructor(
        message: string,
        readonly ask?: string,
    ) {
        super(printable(masked(message)));
    }
}

/** To catch with: the error that something could not be checked. Any other is thrown again. */
export function couldNotCheck(error: unknown): CouldNotCheck {
    if (error instanceof CouldNotCheck) {
        return error;
    }
    throw error;
}

/** What somebody else's error says, in one line. */
export function oneLine(error: unknown): string {
    const text = error instanceof Error ? error.message : String(error);
    return text.trim().replace(/\s+/g, " ") || "no reason is given";
}
