import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";
import { parse, stringify } from "yaml";

import { defaultVersion } from "../../catalog";
import { Missing } from "../../tools/build";
import type { Raw } from "../support";

/** The umbrella chart to deploy, and its KOF version: what KOF_CHART names, a folder or an OCI address. */
export function chartOfEnvironment(): { readonly chart?: string; readonly version: string } {
    const chart = process.env.KOF_CHART;
    if (chart === undefined || chart === "") {
        return { version: process.env.KOF_VERSION ?? defaultVersion };
    }
    const file = path.join(chart, "Chart.yaml");
    return fs.existsSync(file)
        ? { chart: path.resolve(chart), version: (parse(fs.readFileSync(file, "utf8")) as { version: string }).version }
        : { chart, version: process.env.KOF_VERSION ?? defaultVersion };
}

/** Whether a program can be found on PATH. */
export function onPath(program: string): boolean {
    return (process.env.PATH ?? "").split(path.delimiter).some((folder) => fs.existsSync(path.join(folder, program)));
}

/** What the CLI said, and whether it succeeded. */
export interface Outcome {
    readonly ok: boolean;
    readonly output: string;
}

const stackName = "e2e";

/**
 * A stack of this project, deployed by the real Pulumi CLI. Its state and stack file are in a temporary folder, in which
 * everything else is a link to this checkout; its configuration is written anew for each deployment.
 */
export class Deployment {
    /** All that the CLI has said so far. */
    log = "";

    private constructor(
        private readonly folder: string,
        private readonly stack: Stack,
    ) {}

    /**
     * @param kubeconfig path of the cluster's.
     * @throws Missing when there is no Pulumi CLI.
     */
    static async create(kubeconfig: string): Promise<Deployment> {
        if (spawnSync("pulumi", ["version"]).status !== 0) {
            throw new Missing("There is no pulumi on PATH (https://www.pulumi.com/docs/iac/download-install).");
        }
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-e2e-"));
        const checkout = path.join(__dirname, "../..");
        for (const name of fs.readdirSync(checkout)) {
            if (!name.startsWith(".") && !/^Pulumi\..+\.yaml$/.test(name)) {
                fs.symlinkSync(path.join(checkout, name), path.join(folder, name));
            }
        }
        fs.mkdirSync(path.join(folder, "state"));
        const stack = await LocalWorkspace.createStack(
            { stackName, workDir: folder },
            {
                envVars: {
                    KUBECONFIG: kubeconfig,
                    PULUMI_BACKEND_URL: `file://${path.join(folder, "state")}`,
                    PULUMI_CONFIG_PASSPHRASE: "e2e",
                    PULUMI_SKIP_UPDATE_CHECK: "true",
                },
            },
        );
        return new Deployment(folder, stack);
    }

    /** Writes the stack file. */
    configure(settings: Raw, more: Readonly<Record<string, unknown>> = {}): void {
        const file = path.join(this.folder, `Pulumi.${stackName}.yaml`);
        const before = fs.existsSync(file) ? (parse(fs.readFileSync(file, "utf8")) as { encryptionsalt?: string }) : {};
        const config = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`kof:${key}`, value]));
        fs.writeFileSync(file, stringify({ ...before, config: { ...config, ...more } }));
    }

    /** Deploys. @param signal interrupts it, as Ctrl-C would. */
    up(signal?: AbortSignal): Promise<Outcome> {
        return this.run((onOutput) => this.stack.up({ onOutput, color: "never", ...(signal ? { signal } : {}) }));
    }

    /** Previews. */
    preview(): Promise<Outcome> {
        return this.run((onOutput) => this.stack.preview({ onOutput, color: "never" }));
    }

    /** Previews, and fails if there is anything to do. */
    expectNoChanges(): Promise<Outcome> {
        return this.run((onOutput) => this.stack.preview({ onOutput, color: "never", expectNoChanges: true }));
    }

    destroy(): Promise<Outcome> {
        return this.run((onOutput) => this.stack.destroy({ onOutput, color: "never" }));
    }

    /** Releases the lock of a run that was killed. */
    async cancel(): Promise<void> {
        await this.stack.cancel().catch(() => undefined);
    }

    /** The stack's outputs. */
    async outputs(): Promise<Record<string, any>> {
        const outputs = await this.stack.outputs();
        return Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]));
    }

    /** All files of the state, history included. */
    state(): string {
        const folder = path.join(this.folder, "state");
        return fs
            .readdirSync(folder, { recursive: true, encoding: "utf8" })
            .map((name) => path.join(folder, name))
            .filter((file) => fs.statSync(file).isFile())
            .map((file) => fs.readFileSync(file, "utf8"))
            .join("\n");
    }

    /** Forgets the stack without touching what it deployed. */
    async forget(): Promise<void> {
        await this.stack.workspace.removeStack(stackName, { force: true });
        await this.stack.workspace.createStack(stackName);
    }

    remove(): void {
        fs.rmSync(this.folder, { recursive: true, force: true });
    }

    private async run(command: (onOutput: (text: string) => void) => Promise<unknown>): Promise<Outcome> {
        let output = "";
        const onOutput = (text: string) => {
            output += text;
            this.log += text;
        };
        try {
            await command(onOutput);
            return { ok: true, output };
        } catch (error) {
            const text = (error as Error).message;
            this.log += text;
            return { ok: false, output: output + text };
        }
    }
}
