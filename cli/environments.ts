import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { UserError } from "../core/lib/errors";
import { isMap } from "../core/lib/values";
import { parseJson } from "../core/routes/parse";
import type { StackFile } from "./stackFile";

/**
 * A stack file with what it imports from environments of Pulumi ESC. Only Pulumi knows that: `pulumi config --open`.
 * There the stack file's own values win over those of environments, and those over the defaults of Pulumi.yaml.
 *
 * @param own what the stack file says itself.
 * @param environment what it has under `environment`: names, or a definition that imports some.
 * @param text of the stack file, which may be that of another revision.
 * @param stack its name for the Pulumi CLI.
 * @returns with a warning on standard error, what it says itself, where Pulumi does not answer and the route is known all the same.
 * @throws UserError if Pulumi does not answer and the route is not known.
 */
export function openEnvironments(own: StackFile, environment: unknown, text: string, stack: string): StackFile {
    const opened = open(text, stack);
    if (typeof opened !== "string") {
        return { ...own, ...opened };
    }
    const found =
        `${own.file} has values from environments of Pulumi ESC (${namesOf(environment)}), which only Pulumi can read, and ` +
        `pulumi config --open --stack ${stack} does not: ${opened}.`;
    if (!("kof:route" in own.config)) {
        throw new UserError(
            `${found} Nothing was changed.\n\nSign in with pulumi login, or set what this stack deploys in ${own.file} itself:\n\n` +
                "config:\n  kof:route: management",
        );
    }
    console.error(`warning: ${found} What follows is of ${own.file} alone.`);
    return own;
}

/** What Pulumi makes of a stack file, or why it does not. */
function open(text: string, stack: string): Pick<StackFile, "config" | "secretKeys"> | string {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-stack-"));
    try {
        const file = path.join(folder, "Pulumi.stack.yaml");
        fs.writeFileSync(file, text);
        const { error, status, stdout, stderr } = spawnSync(
            "pulumi",
            ["config", "--json", "--open", "--non-interactive", "--stack", stack, "--config-file", file],
            { encoding: "utf8", timeout: 30_000 },
        );
        if (error) {
            return (error as NodeJS.ErrnoException).code === "ENOENT" ? "it is not installed" : error.message;
        }
        const values = parseJson(stdout);
        if (status !== 0 || !isMap(values)) {
            return (
                stderr
                    .trim()
                    .replace(/^error: /, "")
                    .split("\n")[0] ?? ""
            );
        }
        const entries = Object.entries(values).map(([key, entry]) => [key, isMap(entry) ? entry : {}] as const);
        return {
            config: Object.fromEntries(
                entries.map(([key, { value }]) => [key, typeof value === "string" ? value : ""]),
            ),
            secretKeys: entries.filter(([, { secret }]) => secret === true).map(([key]) => key),
        };
    } finally {
        fs.rmSync(folder, { recursive: true, force: true });
    }
}

/** What a stack file imports, as far as it has names: `[prod, {shared: {merge: false}}]`, or `{imports: […]}`. */
function namesOf(environment: unknown): string {
    const listed = isMap(environment) ? environment.imports : environment;
    const names = [listed]
        .flat()
        .flatMap((each) => (isMap(each) ? Object.keys(each) : typeof each === "string" ? each : []));
    return names.length > 0 ? names.join(", ") : "defined in it";
}
