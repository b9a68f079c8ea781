import { inspect, parseArgs, type ParseArgsConfig } from "node:util";

import { CouldNotCheck, UserError } from "../core/lib/errors";
import { printable, printableJson } from "../core/lib/printable";
import { masked } from "../core/lib/secrets";

type Options = NonNullable<ParseArgsConfig["options"]>;

/**
 * Parses the command line strictly. `--help` or `-h` prints the usage and ends the process.
 *
 * @throws UserError that ends with the usage when a word is not known.
 */
export function parseOptions<const T extends Options>(usage: string, options: T) {
    return parseCommand(usage, options, false).values;
}

/** Ends a command that has said how it is used. */
class Helped extends Error {}

/** Like {@link parseOptions}, for a command that takes words as well as options. */
export function parseCommand<const T extends Options>(usage: string, options: T, allowPositionals = true) {
    if (process.argv.includes("--help") || process.argv.includes("-h")) {
        console.log(usage);
        throw new Helped();
    }
    let parsed;
    try {
        parsed = parseArgs({ options, strict: true, allowPositionals });
    } catch (error) {
        throw new UserError(`${(error as Error).message}\n\n${usage}`);
    }
    const given = Object.entries<unknown>(parsed.values);
    const empty = given.filter(([, value]) => [value].flat().includes(""));
    if (empty.length > 0) {
        // Such as a variable of a shell that is not set.
        throw new UserError(`${empty.map(([name]) => `--${name} is empty.`).join("\n")}\n\n${usage}`);
    }
    return parsed;
}

/** What ends a command that does not end at once. */
const stops = new Set<() => void>();

/**
 * Has a command end in its own way when somebody stops it: by Ctrl-C, by SIGTERM, with its terminal, or when nobody
 * reads any more what it prints. Ctrl-C comes twice, as npm passes it on.
 *
 * @param end is called once.
 * @returns takes it back.
 */
export function whenStopped(end: () => void): () => void {
    let isStopped = false;
    const stop = () => {
        if (!isStopped) {
            isStopped = true;
            end();
        }
    };
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
    stops.add(stop);
    signals.forEach((signal) => process.on(signal, stop));
    return () => {
        stops.delete(stop);
        signals.forEach((signal) => process.off(signal, stop));
    };
}

/**
 * Runs a command. A {@link UserError} or a failed check ends it with a message on standard error and exit code 1. With `--json` the
 * message is also on standard output, as `{"error": …}`.
 */
export function run(command: () => void | Promise<void>): void {
    for (const stream of [process.stdout, process.stderr]) {
        stream.on("error", (error: NodeJS.ErrnoException) => {
            if (error.code !== "EPIPE") {
                throw error;
            }
            // Who read it has seen enough: head, or a pager that was left.
            if (stops.size === 0) {
                process.exit();
            }
            stops.forEach((stop) => {
                stop();
            });
        });
    }
    void finish(command).then(() => {
        // A login program may still run, but nothing waits for it.
        process.stdout.write("", () => process.stderr.write("", () => process.exit()));
    });
}

/** Like {@link run}, for a caller that waits until the command has ended. */
export async function finish(command: () => void | Promise<void>): Promise<void> {
    try {
        // The rest of the command's file, which defines what the command uses, runs first.
        await Promise.resolve();
        await command();
    } catch (error) {
        if (error instanceof Helped) {
            return;
        }
        const isExpected = error instanceof UserError || error instanceof CouldNotCheck;
        console.error(printable(isExpected ? error.message : masked(inspect(error))));
        if (process.argv.includes("--json")) {
            console.log(printableJson({ error: masked(error instanceof Error ? error.message : String(error)) }));
        }
        process.exitCode = 1;
    }
}
