import { spawn, type ChildProcess } from "node:child_process";
import { randomInt } from "node:crypto";
import * as fs from "node:fs";
import { createServer } from "node:net";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { endWithThisProcess } from "./children";

/** A program that runs beside this process and ends with it at the latest. */
export class ServerProcess {
    private readonly child: ChildProcess;
    private readonly log: string;

    /**
     * Starts it.
     *
     * @param more.log the file that gets all that it prints, in place of what is there.
     * @param more.env its environment. Default: that of this process.
     */
    constructor(
        private readonly file: string,
        args: readonly string[],
        { log, env }: { readonly log: string; readonly env?: NodeJS.ProcessEnv },
    ) {
        this.log = log;
        const output = fs.openSync(log, "w");
        // In a group of its own: Ctrl-C on a terminal would otherwise end all at once, in no order.
        this.child = spawn(file, args, { stdio: ["ignore", output, output], detached: true, env: env ?? process.env });
        fs.closeSync(output);
        // It does not keep this process alive. A caller that needs it waits for it.
        this.child.unref();
        endWithThisProcess(this.child);
    }

    /** Whether it has ended. */
    get ended(): boolean {
        return this.child.exitCode !== null || this.child.signalCode !== null;
    }

    /** Waits {@link eventually} until something is true of the program. */
    async until(condition: () => boolean | Promise<boolean>): Promise<void> {
        const waited = eventually(async () => this.ended || (await condition()));
        const failure = await waited.catch((error: unknown) => error);
        // Where it has ended, what answers is another's.
        if (failure !== undefined || this.ended) {
            const last = fs.readFileSync(this.log, "utf8").slice(-2000);
            throw new Error(`${path.basename(this.file)} did not start:\n${last}`, { cause: failure });
        }
    }

    /** Ends it by a signal, and by SIGKILL where that takes more than a minute. */
    async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
        if (this.ended) {
            return;
        }
        const ended = new Promise((resolve) => this.child.once("exit", resolve));
        this.child.kill(signal);
        const deadline = setTimeout(() => this.child.kill("SIGKILL"), 60_000);
        await ended;
        clearTimeout(deadline);
    }
}

/** Waits until something is true, for ten minutes, as a machine that does other things is slow. What throws is not true yet. */
export async function eventually(condition: () => Promise<boolean> | boolean, what = "it is true"): Promise<void> {
    let cause: unknown;
    for (let tries = 0; tries < 3000; tries++) {
        try {
            if (await condition()) {
                return;
            }
        } catch (error) {
            cause = error;
        }
        await sleep(200);
    }
    throw new Error(`Waited in vain until ${what}.`, { cause });
}

/**
 * The environment of a program in Go that tests run on. It collects garbage less often, which takes memory up to a limit, but up to a
 * third less of the processor's time.
 */
export const lessCollecting = { GOGC: "400", GOMEMLIMIT: "600MiB" };

/** A program's options as most take them: `--name=value`. */
export function programOptions(values: Readonly<Record<string, string>>, dash = "--"): string[] {
    return Object.entries(values).map(([name, value]) => `${dash}${name}=${value}`);
}

/**
 * Starts something on ports of the loopback that are free. Others may take them in between, as a second sandbox: then it is tried on
 * other ports.
 *
 * @param start is given the ports, and leaves nothing running where it fails.
 */
export async function onFreePorts<T>(
    count: number,
    start: (...ports: readonly number[]) => Promise<T>,
    tries = 3,
): Promise<T> {
    try {
        return await start(...(await freePorts(count)));
    } catch (error) {
        if (tries === 1 || !/address already in use|EADDRINUSE/i.test((error as Error).message)) {
            throw error;
        }
        return onFreePorts(count, start, tries - 1);
    }
}

/**
 * Ports that were free a moment ago. They are below those that a system gives to whoever connects to something, who would often take them
 * in between.
 */
export async function freePorts(count: number): Promise<number[]> {
    const found = new Set<number>();
    while (found.size < count) {
        const port = randomInt(10_000, 32_768);
        if (await isFree(port)) {
            found.add(port);
        }
    }
    return [...found];
}

function isFree(port: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
        const server = createServer();
        server.once("error", (error: NodeJS.ErrnoException) => {
            if (error.code === "EADDRINUSE") {
                resolve(false);
            } else {
                reject(error);
            }
        });
        server.listen(port, "127.0.0.1", () => {
            server.close(() => {
                resolve(true);
            });
        });
    });
}
