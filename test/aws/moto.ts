import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";

import { Missing } from "../../tools/build";
import { endWithThisProcess } from "../children";

/** The AWS emulator that the suites run against, from PyPI, with what CloudWatch Logs and IAM need. */
const requirement = "moto[server,iam,logs]==5.2.5";
const folder = path.resolve("node_modules/.cache/moto");
const python = path.join(folder, "bin/python");

/** A moto server of our own. */
export interface Moto {
    readonly endpoint: string;
    readonly stop: () => void;
}

/**
 * Starts moto on a free port of the loopback, with its IAM enforced from the first request that follows
 * {@link enforceIam}.
 *
 * @throws Missing when it cannot be had: no Python 3, or no package index.
 */
export async function startMoto(): Promise<Moto> {
    install();
    const port = await freePort();
    const server = spawn(python, ["test/aws/server.py", "-H", "127.0.0.1", "-p", String(port)], {
        stdio: "ignore",
        // Until told otherwise, nothing is enforced: someone has to make the first user.
        env: { ...process.env, INITIAL_NO_AUTH_ACTION_COUNT: "1000000" },
    });
    endWithThisProcess(server);
    const endpoint = `http://127.0.0.1:${String(port)}`;
    await answers(endpoint, server);
    return { endpoint, stop: () => server.kill() };
}

/** From now on every request has to be allowed by a policy. */
export async function enforceIam({ endpoint }: Moto): Promise<void> {
    await fetch(`${endpoint}/moto-api/reset-auth`, { method: "POST", body: "0" });
}

function install(): void {
    const done = path.join(folder, requirement.replaceAll("/", "_"));
    if (fs.existsSync(done)) {
        return;
    }
    fs.rmSync(folder, { recursive: true, force: true });
    const steps = [
        ["python3", "-m", "venv", folder],
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement],
    ] as const;
    for (const [command, ...args] of steps) {
        const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
        if (status !== 0) {
            const why = error?.message ?? stderr.trim().split("\n").at(-1) ?? "";
            const what = [path.basename(command), ...args].join(" ");
            throw new Missing(`The AWS emulator needs Python 3 and a package index. ${what}: ${why}`);
        }
    }
    fs.writeFileSync(done, "");
    return undefined;
}

function freePort(): Promise<number> {
    return new Promise((resolve, reject) => {
        const server = net.createServer().once("error", reject);
        server.listen(0, "127.0.0.1", () => {
            const { port } = server.address() as net.AddressInfo;
            server.close(() => {
                resolve(port);
            });
        });
    });
}

async function answers(endpoint: string, server: ChildProcess): Promise<void> {
    for (;;) {
        if (server.exitCode !== null) {
            throw new Error(`moto ended with exit code ${String(server.exitCode)}`);
        }
        try {
            await fetch(`${endpoint}/moto-api/data.json`);
            return;
        } catch {
            await new Promise((resolve) => setTimeout(resolve, 100));
        }
    }
}
