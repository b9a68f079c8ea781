import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { programs } from "../build";
import { atEnd } from "../servers/children";
import { freePorts, lessCollecting, ServerProcess } from "../servers/program";

const checkout = path.join(__dirname, "../..");
const register = path.join(checkout, "cli/register.js");

/** The variable of {@link Engine.env} with options for the CLI, which follow those of the Automation API. */
export const moreOptions = "KOF_E2E_OPTIONS";

/** The path of a program on PATH; `undefined` where there is none. */
export function onPath(program: string): string | undefined {
    return (process.env.PATH ?? "")
        .split(path.delimiter)
        .map((folder) => path.join(folder, program))
        .find((file) => fs.existsSync(file));
}

/** Pulumi's engine with its providers, put together in a temporary folder until this process ends. */
export interface Engine {
    /** A folder with `bin/pulumi`, as the Automation API wants it. */
    readonly root: string;
    /** What the engine has to have in its environment. */
    readonly env: Readonly<Record<string, string>>;
    /** What encrypts the secrets of stacks. Default: a passphrase. */
    readonly secretsProvider?: string;
    /**
     * What `--policy-pack` names: `policy/`, if the language host that starts it is on PATH. Otherwise a program in place of the
     * host: the engine starts a pack that is a file by itself, and the program starts the pack's rules as the host would. Of the
     * stack's configuration it hands over what PULUMI_CONFIG says.
     */
    readonly policyPack: string;
    /** Ends the command that runs now, and the provider that is built here, by SIGKILL: nothing is cleaned up. */
    kill(): void;
}

/**
 * The engine on PATH, with the providers that it finds. Without one, an engine and a Kubernetes provider that are built here, and
 * stand-ins for the providers of AWS and random values.
 *
 * @throws MissingTool when there is neither a Pulumi CLI nor Go.
 */
export async function prepareEngine(): Promise<Engine> {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), "kof-engine-"));
    atEnd(() => {
        fs.rmSync(root, { recursive: true, force: true });
    });
    // The Automation API keeps to itself which process it has started; and a provider may outlive an engine that was killed.
    const pids = path.join(root, "pids");
    const installed = onPath("pulumi");
    const pulumi = installed ?? path.join(await programs("pulumi"), "pulumi");
    writeProgram(root, "pulumi", `echo $$ > '${pids}'; set -- "$@" $${moreOptions}; exec '${pulumi}'`);
    if (installed === undefined) {
        const kubernetes = path.join(await programs("pulumi-kubernetes"), "pulumi-resource-kubernetes");
        writeProgram(root, "pulumi-resource-kubernetes", `echo $$ >> '${pids}'; exec '${kubernetes}'`);
    }
    let policyPack = path.join(checkout, "policy");
    if (onPath("pulumi-language-nodejs") === undefined) {
        const host = ["-r", register, path.join(checkout, "tools/engine/providers/host.ts")];
        const command = [process.execPath, ...host].map((word) => `'${word}'`).join(" ");
        writeProgram(root, "pulumi-language-nodejs", `exec ${command}`);
        const script = path.join(checkout, "node_modules/@pulumi/pulumi/cmd/run-policy-pack");
        // After its options the engine gives its address. The host adds the pack, and starts it in its own folder: ts-node, which Pulumi
        // puts before every pack, then finds no tsconfig.json (language host of Pulumi 3.274.1).
        policyPack = writeProgram(
            root,
            "pulumi-analyzer-policy",
            `cd '${policyPack}'; set -- "$@" '${policyPack}'; exec '${process.execPath}' '${script}'`,
        );
    }
    const own = {
        PATH: [path.join(root, "bin"), process.env.PATH].join(path.delimiter),
        // Nothing of this machine, and nothing that would be fetched.
        PULUMI_HOME: path.join(root, "home"),
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        ...lessCollecting,
    };
    return {
        root,
        env: {
            PULUMI_CONFIG_PASSPHRASE: "e2e",
            PULUMI_SKIP_UPDATE_CHECK: "true",
            ...(installed === undefined
                ? { ...own, PULUMI_DEBUG_PROVIDERS: await startProviders(root, "aws", "random") }
                : {}),
        },
        policyPack,
        kill: () => {
            for (const pid of fs.readFileSync(pids, "utf8").trim().split("\n")) {
                process.kill(Number(pid), "SIGKILL");
            }
        },
    };
}

/**
 * Starts stand-ins for providers, which go on until this process ends.
 *
 * @returns what PULUMI_DEBUG_PROVIDERS says for engines to find them.
 */
async function startProviders(root: string, ...names: readonly string[]): Promise<string> {
    const ports = await freePorts(names.length);
    const found = names.map(async (name, i) => {
        const port = String(ports[i]);
        const file = path.join(checkout, `tools/engine/providers/${name}.ts`);
        const log = path.join(root, `${name}.log`);
        const provider = new ServerProcess(process.execPath, ["-r", register, file, port], { log });
        await provider.until(() => fs.readFileSync(log, "utf8") === `${port}\n`);
        return `${name}:${port}`;
    });
    return (await Promise.all(found)).join(",");
}

/** @returns its path. */
function writeProgram(root: string, name: string, command: string): string {
    const file = path.join(root, "bin", name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, `#!/bin/sh\n${command} "$@"\n`, { mode: 0o755 });
    return file;
}
