import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";

import {
    LocalWorkspace,
    PulumiCommand,
    type EngineEvent,
    type PreviewOptions,
    type Stack,
    type UpOptions,
} from "@pulumi/pulumi/automation";
import { parse } from "yaml";

import program = require("../..");
import { writeYaml } from "../../core/lib/yaml/write";
import { moreOptions, type Engine } from "./engine";

/** What the CLI said, and whether it succeeded. */
export interface Outcome {
    readonly ok: boolean;
    readonly output: string;
}

/** How a stack is run. */
export interface DeploymentOptions {
    /** Default: `e2e`. */
    readonly name?: string;
    /** Whether the engine starts the program as Pulumi.yaml says, for which it needs its language host. Default: this process runs it. */
    readonly byLanguageHost?: boolean;
    /** A deployment whose project this one is of as well: of the same name, it is the same stack. Default: one of its own. */
    readonly besides?: TestStack;
    /** Further environment variables of the engine. */
    readonly env?: Readonly<Record<string, string>>;
}

/**
 * A stack of this project, deployed by a real engine. Its state and stack file are in a temporary folder, in which everything else is a
 * link to this checkout. Each deployment writes its configuration. Program and providers find cluster and AWS by this process's
 * environment.
 */
export class TestStack {
    /** All that the CLI has said so far, and every event of the engine that is shown or sent anywhere without `--debug`. */
    log = "";

    private constructor(
        private name: string,
        private readonly folder: string,
        private stack: Stack,
        private readonly select: (name: string) => Promise<Stack>,
        /** Path of the CLI. */
        private readonly program: string,
    ) {}

    static async create(
        engine: Engine,
        { name = "e2e", byLanguageHost = false, besides, env = {} }: DeploymentOptions = {},
    ): Promise<TestStack> {
        const folder = besides?.folder ?? projectFolder();
        const options = {
            workDir: folder,
            pulumiCommand: await commandOf(engine),
            ...(engine.secretsProvider === undefined ? {} : { secretsProvider: engine.secretsProvider }),
            envVars: { ...engine.env, ...env, PULUMI_BACKEND_URL: `file://${path.join(folder, "state")}` },
        };
        const select = async (stackName: string) => {
            // To select what is not there, and make it then, takes one command more.
            const act = fs.existsSync(stateFile(folder, stackName)) ? "selectStack" : "createStack";
            return withoutMore(
                await (byLanguageHost
                    ? LocalWorkspace[act]({ stackName, workDir: folder }, options)
                    : LocalWorkspace[act]({ stackName, projectName: "kof", program: () => program() }, options)),
            );
        };
        return new TestStack(name, folder, await select(name), select, path.join(engine.root, "bin/pulumi"));
    }

    /** Writes the stack file. */
    configure(settings: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}): void {
        const file = path.join(this.folder, `Pulumi.${this.name}.yaml`);
        const before = fs.existsSync(file) ? (parse(fs.readFileSync(file, "utf8")) as object) : {};
        const config = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`kof:${key}`, value]));
        fs.writeFileSync(file, writeYaml({ ...before, config: { ...config, ...more } }));
    }

    /**
     * Deploys. Its `signal` interrupts it, as Ctrl-C would.
     *
     * @param option of the CLI that the Automation API does not have, or has another value for: it skips the preview.
     */
    up(more: UpOptions = {}, option = ""): Promise<Outcome> {
        return this.run((options) => this.with(option, () => this.stack.up({ ...options, ...more })));
    }

    /** Previews, with such an option as {@link TestStack.up} takes. */
    preview(more: PreviewOptions = {}, option = ""): Promise<Outcome> {
        return this.run((options) => this.with(option, () => this.stack.preview({ ...options, ...more })));
    }

    /** What `pulumi preview --diff --json` writes, also where it fails. */
    async previewJson(more: PreviewOptions = {}): Promise<string> {
        let json = "";
        await this.preview({ ...more, diff: true, onOutput: (text) => (json += text) }, "--json");
        return json;
    }

    /** Previews, and fails if there is anything to do. */
    expectNoChanges(): Promise<Outcome> {
        return this.preview({ expectNoChanges: true });
    }

    /** Updates the state to what exists. */
    refresh(): Promise<Outcome> {
        return this.run((options) => this.stack.refresh(options));
    }

    /** Gives the stack another name, and its stack file with it. */
    async rename(name: string): Promise<void> {
        await this.stack.rename({ stackName: name });
        this.stack = await this.select(name);
        this.name = name;
    }

    /** Runs a command of the CLI on the stack that has no method here: `state delete URN`. */
    command(...args: readonly string[]): Promise<Outcome> {
        const { workDir, envVars } = this.stack.workspace;
        const all = [...args, "--stack", this.name, "--non-interactive"];
        return this.run(async ({ onOutput }) => {
            const env = { ...process.env, ...envVars };
            const { stdout, stderr } = await promisify(execFile)(this.program, all, { cwd: workDir, env });
            onOutput(stdout + stderr);
        });
    }

    /** The URN of a resource in the state, by its type and name. */
    async urn(type: string, name: string): Promise<string> {
        const { deployment } = await this.stack.exportStack();
        const urns = (deployment.resources as { urn: string }[]).map(({ urn }) => urn);
        const found = urns.find((urn) => new RegExp(`[:$]${type}::${name}$`).test(urn));
        if (found === undefined) {
            throw new Error(`The state has no ${type} ${name}: ${urns.join("\n")}`);
        }
        return found;
    }

    /** Changes the state, to what another version of the program would have left. */
    async rewrite(change: (state: any) => any): Promise<void> {
        await this.stack.importStack(change(await this.stack.exportStack()));
    }

    /** @param runProgram whether the program is run first, which the CLI does not do by itself. */
    destroy(runProgram = false): Promise<Outcome> {
        return this.run((options) => this.stack.destroy({ ...options, runProgram }));
    }

    /** Releases the lock of a run that was killed, if there is one. */
    async cancel(): Promise<void> {
        const locks = path.join(this.folder, "state/.pulumi/locks/organization/kof", this.name);
        if (fs.existsSync(locks) && fs.readdirSync(locks).length > 0) {
            await this.stack.cancel().catch(() => undefined);
        }
    }

    /** The stack's outputs, none of which is a secret. From the state itself: the CLI takes a third of an up to tell them. */
    outputs(): Record<string, any> {
        const { checkpoint } = JSON.parse(fs.readFileSync(stateFile(this.folder, this.name), "utf8")) as Checkpoint;
        const root = checkpoint.latest?.resources?.find(({ type }) => type === "pulumi:pulumi:Stack");
        return root?.outputs ?? {};
    }

    /** All files of the state, history included. */
    state(): string {
        return this.files("state");
    }

    /** All files in a folder of the project. */
    files(name: string): string {
        const folder = path.join(this.folder, name);
        return fs
            .readdirSync(folder, { recursive: true, encoding: "utf8" })
            .map((file) => path.join(folder, file))
            .filter((file) => fs.statSync(file).isFile())
            .map((file) => fs.readFileSync(file, "utf8"))
            .join("\n");
    }

    /** Forgets the stack without touching what it deployed. */
    async forget(): Promise<void> {
        await this.stack.workspace.removeStack(this.name, { force: true });
        await this.stack.workspace.createStack(this.name);
    }

    remove(): void {
        fs.rmSync(this.folder, { recursive: true, force: true });
    }

    private async with<Result>(option: string, command: () => Promise<Result>): Promise<Result> {
        const { envVars } = this.stack.workspace;
        envVars[moreOptions] = option;
        try {
            return await command();
        } finally {
            envVars[moreOptions] = "";
        }
    }

    private async run(command: (options: Options) => Promise<unknown>): Promise<Outcome> {
        let output = "";
        const onOutput = (text: string) => {
            output += text;
            this.log += text;
        };
        const onEvent = (event: EngineEvent) => {
            // A severity that its type leaves out.
            if ((event.diagnosticEvent?.severity as string | undefined) !== "debug") {
                this.log += `${JSON.stringify(event)}\n`;
            }
        };
        try {
            await command({ onOutput, onEvent, color: "never" });
            return { ok: true, output };
        } catch (error) {
            const text = (error as Error).message;
            this.log += text;
            return { ok: false, output: output + text };
        }
    }
}

function stateFile(folder: string, stack: string): string {
    return path.join(folder, `state/.pulumi/stacks/kof/${stack}.json`);
}

const commands = new WeakMap<Engine, Promise<PulumiCommand>>();

/** An engine's command line, which is asked for its version once. */
function commandOf(engine: Engine): Promise<PulumiCommand> {
    const command = commands.get(engine) ?? PulumiCommand.get({ root: engine.root });
    commands.set(engine, command);
    return command;
}

/** After a command the Automation API runs up to three more, which take as long: what they would tell is not read here. */
function withoutMore(stack: Stack): Stack {
    return Object.assign(stack, { outputs: () => Promise.resolve({}), info: () => Promise.resolve(undefined) });
}

/** What a stack's file in the state has, as far as it is read here. */
interface Checkpoint {
    readonly checkpoint: {
        readonly latest?: {
            readonly resources?: readonly { readonly type: string; readonly outputs?: Readonly<Record<string, any>> }[];
        };
    };
}

/** What every command is run with. */
interface Options {
    readonly onOutput: (text: string) => void;
    readonly onEvent: (event: EngineEvent) => void;
    readonly color: "never";
}

/** A folder for a stack: this checkout by links, and what the engine keeps. */
export function projectFolder(): string {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-e2e-"));
    const checkout = path.join(__dirname, "../..");
    for (const name of fs.readdirSync(checkout)) {
        if (!name.startsWith(".") && !/^Pulumi\..+\.yaml$/.test(name)) {
            fs.symlinkSync(path.join(checkout, name), path.join(folder, name));
        }
    }
    fs.mkdirSync(path.join(folder, "state"));
    return folder;
}
