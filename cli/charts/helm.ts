import { spawn } from "node:child_process";

import { UserError } from "../../core/lib/errors";

/**
 * Runs Helm: the one that the variable HELM names, else `helm`.
 *
 * @param input what it reads on standard input.
 * @param env variables on top of this process's own.
 * @returns what it writes on standard output.
 * @throws UserError when there is none, or with what it says when it fails.
 */
export function helm(args: readonly string[], input = "", env: NodeJS.ProcessEnv = {}): Promise<string> {
    const command = process.env.HELM ?? "helm";
    return new Promise((resolve, reject) => {
        const child = spawn(command, args, { env: { ...process.env, ...env } });
        const output = { stdout: "", stderr: "" };
        for (const stream of ["stdout", "stderr"] as const) {
            child[stream].setEncoding("utf8").on("data", (text: string) => (output[stream] += text));
        }
        child.on("error", (error: NodeJS.ErrnoException) => {
            const found = error.code === "ENOENT" ? "was not found" : `cannot be run (${error.code ?? error.message})`;
            const install = "Install Helm 3 (https://helm.sh/docs/intro/install/), or name it: HELM=/path/to/helm";
            reject(new UserError(`${command} ${found}. ${install}`));
        });
        child.on("close", (status) => {
            if (status === 0) {
                resolve(output.stdout);
            } else {
                reject(new UserError(`${command} ${args.slice(0, 3).join(" ")} failed:\n${output.stderr.trim()}`));
            }
        });
        // Helm that ends before it has read everything says itself why.
        child.stdin.on("error", () => undefined).end(input);
    });
}
