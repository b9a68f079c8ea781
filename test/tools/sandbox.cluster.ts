import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";

import { Kubernetes } from "../../live/kubernetes";
import { programs } from "../../tools/build";
import { atEnd } from "../../tools/servers/children";
import { skipWithout } from "../../tools/servers/cluster";
import { command } from "../support";

const root = path.join(__dirname, "../..");

/** A sandbox that says what to paste, and what that is. npm runs it, or nothing between. */
async function start(started: ChildProcess[], byNpm = false) {
    const child = byNpm
        ? spawn("npm", ["run", "--silent", "sandbox"], { cwd: root })
        : spawn(process.execPath, ["-r", "./cli/register.js", "tools/sandbox.ts"], { cwd: root });
    started.push(child);
    atEnd(() => child.kill());
    const ended = once(child, "close") as Promise<[number | null]>;
    let output = "";
    const ready = new Promise<void>((resolve) => {
        for (const stream of [child.stdout, child.stderr]) {
            stream.on("data", (chunk: Buffer) => {
                output += chunk.toString();
                if (output.includes("Ctrl-C ends all of it.")) {
                    resolve();
                }
            });
        }
    });
    await Promise.race([ready, ended]);
    const exports = [...output.matchAll(/^ {2}export (\w+)=(.+)$/gm)].map(([, name = "", value = ""]) => [name, value]);
    const env = Object.fromEntries(exports) as Record<string, string>;
    const { KUBECONFIG: kubeconfig = "" } = env;
    return {
        env,
        kubeconfig,
        api: Kubernetes.connect({ kubeconfig }),
        /** As npm does, which passes on what the terminal has sent as well. */
        stop: async () => {
            child.kill("SIGINT");
            child.kill("SIGINT");
            const [code] = await ended;
            return { code, output };
        },
    };
}

describe("npm run sandbox", function () {
    this.timeout(15 * 60_000);
    const started: ChildProcess[] = [];
    before(async function () {
        try {
            await programs("kubernetes");
        } catch (error) {
            skipWithout(this, error);
        }
    });
    afterEach(() => {
        started.forEach((child) => child.kill("SIGTERM"));
    });

    it("runs beside another one, has nothing that doctor minds, and ends by one Ctrl-C", async () => {
        const [one, other] = await Promise.all([start(started), start(started, true)]);
        for (const name of ["KUBECONFIG", "PULUMI_BACKEND_URL", "AWS_ENDPOINT_URL"]) {
            assert.notEqual(one.env[name], other.env[name], name);
        }
        const namespace = JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: "mine" } });
        const headers = { "content-type": "application/json" };
        await one.api.request("POST", "/api/v1/namespaces", { headers, body: namespace });
        const isThere = ({ api }: typeof one) => api.get("/api/v1/namespaces/mine");
        assert.notEqual(await isThere(one), undefined);
        assert.equal(await isThere(other), undefined);
        for (const { env } of [one, other]) {
            // Registries may be out of reach, which is no problem of the sandbox's.
            const { status, stdout } = command("doctor", ["--stack", "dev"], { env });
            assert.match(stdout, /^Stack dev: /);
            assert.ok(status === 0 || status === 2, stdout);
        }
        const { code, output } = await one.stop();
        assert.equal(code, 0, output);
        assert.match(output, /^Starting an API server: [^]*^Starting an AWS emulator: [^]*^Stopping \.\.\.$/m);
        assert.equal(fs.existsSync(path.dirname(one.kubeconfig)), false);
        assert.equal(await isThere(other), undefined);
        assert.equal((await other.stop()).code, 0);
        await assert.rejects(isThere(other));
    });
});
