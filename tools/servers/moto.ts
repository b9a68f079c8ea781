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
 * @throws MissingTool when it cannot be had: no Python 3, or no package index.
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

/**
 * Makes a key in KMS.
 *
 * @returns the secrets provider of Pulumi that uses it. Passphrases take a third of what the engine computes in the suites: it makes a key
 * of them, a million times over, for each command (3.274.1).
 */
export async function makeSecretsProvider({ endpoint }: Moto): Promise<string> {
    const region = "us-east-1";
    const response = await fetch(endpoint, {
        method: "POST",
        headers: {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": "TrentService.CreateKey",
            // By it the emulator knows the service. Nothing is enforced.
            authorization: `AWS4-HMAC-SHA256 Credential=x/20260101/${region}/kms/aws4_request, SignedHeaders=host, Signature=x`,
        },
        body: "{}",
    });
    const { KeyMetadata } = (await response.json()) as { KeyMetadata: { KeyId: string } };
    return `awskms:///${KeyMetadata.KeyId}?region=${region}`;
}
