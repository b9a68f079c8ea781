import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

import * as grpc from "@grpc/grpc-js";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import { GetRequiredPackagesResponse, RunResponse, type RunRequest } from "@pulumi/pulumi/proto/language_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { parse } from "yaml";

import { bound, unaryMethod } from "./providers/server";

/** The exit code with which a program says that the user has been told why it failed (Pulumi 3.248.0, cmd/run/index.js). */
const toldTheUser = 32;

/** What of a Pulumi.yaml is known here. */
interface Project {
    readonly runtime: {
        readonly options?: {
            readonly nodeargs?: string;
            /** Default: true. */
            readonly typescript?: boolean;
        };
    };
}

/** A language host in this process, for engines with `--client`. */
export interface LanguageHost {
    readonly address: string;
    stop(): void;
}

/**
 * Starts programs as Pulumi's own language host does (pulumi-language-nodejs, Pulumi 3.274.1): with Node's options of Pulumi.yaml, by the
 * `run` script of Pulumi's SDK.
 *
 * @param ended called when a program has ended.
 */
export async function startLanguageHost(ended: () => void = () => undefined): Promise<LanguageHost> {
    const server = languageRuntime({
        run: unaryMethod(async (request: RunRequest) => {
            const code = await exitCodeOf(request);
            ended();
            return new RunResponse()
                .setBail(code === toldTheUser)
                .setError(code === 0 || code === toldTheUser ? "" : `The program ended with ${String(code)}.`);
        }),
    });
    const port = await bound(server);
    return {
        address: `127.0.0.1:${String(port)}`,
        stop: () => {
            server.forceShutdown();
        },
    };
}

/**
 * A language host that needs nothing besides what is there.
 *
 * @param more methods. Without them it runs nothing.
 */
export function languageRuntime(more: grpc.UntypedServiceImplementation = {}): grpc.Server {
    const server = new grpc.Server();
    server.addService(LanguageRuntimeService, {
        getPluginInfo: unaryMethod(() => new PluginInfo()),
        getRequiredPackages: unaryMethod(() => new GetRequiredPackagesResponse()),
        ...more,
    });
    return server;
}

function exitCodeOf(request: RunRequest): Promise<number | null> {
    const info = request.getInfo()!;
    const folder = info.getProgramDirectory();
    // With `--client` the engine does not pass the options on (Pulumi 3.274.1, tried on 2026-11-28).
    const project = parse(fs.readFileSync(path.join(folder, "Pulumi.yaml"), "utf8")) as Project;
    const { nodeargs = "", typescript = true } = project.runtime.options ?? {};
    const [engine = ""] = request.getArgsList();
    const args = [
        ...nodeargs.split(" ").filter((word) => word !== ""),
        path.join(folder, "node_modules/@pulumi/pulumi/cmd/run"),
        ...["--monitor", request.getMonitorAddress(), "--engine", engine],
        ...["--organization", request.getOrganization(), "--project", request.getProject()],
        ...["--stack", request.getStack(), "--pwd", folder, "--root-directory", info.getRootDirectory()],
        ...["--parallel", String(request.getParallel()), ...(request.getDryrun() ? ["--dry-run"] : [])],
        info.getEntryPoint(),
    ];
    const program = spawn(process.execPath, args, {
        cwd: folder,
        stdio: ["ignore", "ignore", "inherit"],
        env: {
            ...process.env,
            PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().getEntryList())),
            PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
            PULUMI_NODEJS_TYPESCRIPT: String(typescript),
        },
    });
    return new Promise((resolve, reject) => {
        program.on("error", reject);
        program.on("exit", resolve);
    });
}
