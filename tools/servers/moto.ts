import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { pythonWithEmulator } from "../build";
import { atEnd } from "./children";
import { onFreePorts, ServerProcess } from "./program";

/** A moto server of our own. */
export interface Moto {
    readonly endpoint: string;
    readonly stop: () => Promise<void>;
}

/**
 * Starts moto on a free port of the loopback, with its IAM enforced from the first request that follows
 * {@link enforceIam}.
 *
 * @throws Missing when it cannot be had: no Python 3, or no package index.
 */
export async function startMoto(): Promise<Moto> {
    const python = await pythonWithEmulator();
    return onFreePorts(1, (port = 0) => startOn(python, port));
}

async function startOn(python: string, port: number): Promise<Moto> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-moto-"));
    const removeFolder = () => {
        fs.rmSync(folder, { recursive: true, force: true });
    };
    const keepFolder = atEnd(removeFolder);
    const server = new ServerProcess(
        python,
        [path.join(__dirname, "server.py"), "-H", "127.0.0.1", "-p", String(port)],
        {
            log: path.join(folder, "log"),
            // Until told otherwise, nothing is enforced: someone has to make the first user.
            env: { ...process.env, INITIAL_NO_AUTH_ACTION_COUNT: unlimited },
        },
    );
    const stop = async () => {
        await server.stop();
        keepFolder();
        removeFolder();
    };
    const endpoint = `http://127.0.0.1:${String(port)}`;
    try {
        await server.until(async () => (await fetch(`${endpoint}/moto-api/data.json`)).ok);
    } catch (error) {
        await stop();
        throw error;
    }
    return { endpoint, stop };
}

/** Requests that nobody has to be allowed. */
const unlimited = "1000000";

/** From now on every request has to be allowed by a policy, or none has to. */
export async function enforceIam({ endpoint }: Moto, isEnforced = true): Promise<void> {
    await fetch(`${endpoint}/moto-api/reset-auth`, { method: "POST", body: isEnforced ? "0" : unlimited });
}
