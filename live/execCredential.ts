import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { isatty } from "node:tty";

import { printable } from "../core/lib/printable";
import { jsonObject } from "./http";

/** How a kubeconfig has a program log in: `users[].user.exec` (client.authentication.k8s.io). */
export interface ExecConfig {
    readonly apiVersion?: string;
    readonly command?: string;
    readonly args?: readonly string[] | null;
    readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
    /** Shown where the program is not there. */
    readonly installHint?: string;
    readonly provideClusterInfo?: boolean;
    /** Whether it may ask somebody at a terminal. Default: where there is one. */
    readonly interactiveMode?: "Never" | "IfAvailable" | "Always";
}

/** What the program gives: a token, a client certificate with its key, or both. PEM. */
export interface ExecCredential {
    readonly token?: string;
    readonly clientCertificateData?: string;
    readonly clientKeyData?: string;
    /** RFC 3339. Without it the credential is good until the server refuses it. */
    readonly expirationTimestamp?: string;
}

/**
 * Runs the program that logs in, once, as kubectl does: with `KUBERNETES_EXEC_INFO`, and on the user's terminal.
 *
 * @param cluster what the program may know of the cluster, where the kubeconfig lets it.
 * @param patience milliseconds that the program has. Default: one minute, and five where somebody may be asked.
 * @throws Error in the program's own words.
 */
export async function execCredential(exec: ExecConfig, cluster: object, patience?: number): Promise<ExecCredential> {
    const { apiVersion = "client.authentication.k8s.io/v1", command = "", args, env, installHint } = exec;
    const { interactiveMode = "IfAvailable" } = exec;
    const interactive = interactiveMode !== "Never" && isatty(0);
    if (interactiveMode === "Always" && !interactive) {
        throw new Error(`${command} cannot log in: it has to ask somebody, and there is no terminal`);
    }
    const limit = patience ?? (interactive ? 300_000 : 60_000);
    const info = {
        apiVersion,
        kind: "ExecCredential",
        spec: { interactive, ...(exec.provideClusterInfo === true ? { cluster } : {}) },
    };
    const named = Object.fromEntries((env ?? []).map(({ name, value }) => [name, value]));
    const child = spawn(command, [...(args ?? [])], {
        env: { ...process.env, KUBERNETES_EXEC_INFO: JSON.stringify(info), ...named },
        stdio: [interactive ? "inherit" : "ignore", "pipe", "pipe"],
        signal: AbortSignal.timeout(limit),
        killSignal: "SIGKILL",
    });
    if (interactive) {
        child.stderr.on("data", (chunk: Buffer) => process.stderr.write(printable(chunk.toString())));
    }
    const said = Promise.all([text(child.stdout), text(child.stderr)]);
    // What it said is of no interest where it could not be run.
    said.catch(() => undefined);
    let code: number | null;
    let timer: NodeJS.Timeout | undefined;
    // It may have ended, and something that it has started may hold on to its output: then nobody tells it to stop.
    const end = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
            reject(Object.assign(new Error(), { name: "AbortError" }));
        }, limit);
    });
    try {
        [code] = (await Promise.race([once(child, "close"), end])) as [number | null];
    } catch (error) {
        const { code, name, message } = error as NodeJS.ErrnoException;
        const why =
            name === "AbortError"
                ? `it did not end within ${String(limit / 1000)} s`
                : code === "ENOENT"
                  ? ["it is not installed", ...(installHint === undefined ? [] : [installHint])].join(". ")
                  : message;
        throw new Error(`${command} cannot log in: ${why}`, { cause: error });
    } finally {
        clearTimeout(timer);
    }
    const [stdout, stderr] = await said;
    if (code !== 0) {
        throw new Error(`${command} cannot log in: ${stderr.trim() || `exit code ${String(code)}`}`);
    }
    const credential = jsonObject(stdout)?.status as ExecCredential | undefined;
    const { token, clientCertificateData, clientKeyData } = credential ?? {};
    if (!credential || !(token ?? (clientCertificateData && clientKeyData))) {
        throw new Error(
            `${command} cannot log in: its answer is not an ExecCredential with a status that has a token or a certificate and its key`,
        );
    }
    return credential;
}

/** Whether a credential can still be used. */
export function isFresh({ expirationTimestamp }: ExecCredential): boolean {
    const until = Date.parse(expirationTimestamp ?? "");
    // What is no time says nothing, and the server will.
    return Number.isNaN(until) || until > Date.now();
}
