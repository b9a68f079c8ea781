import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { HttpStandIn, type Reply } from "../../tools/servers/standins";

const release = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/kof/helmreleases/kof-storage";

describe("npm run grow that somebody stops", () => {
    let folder: string;
    let server: HttpStandIn;
    /** What was changed, without dry runs. */
    let changes: string[];
    let isSuspended: boolean;
    let refuse: (body: string) => Reply | undefined;
    before(async () => {
        // Its volumes never become large: it waits for the driver until it is stopped.
        server = await HttpStandIn.start(({ method, url, body }) => {
            const text = body.toString();
            if (method !== "GET") {
                const refused = url.pathname === release ? refuse(text) : undefined;
                if (refused) {
                    return refused;
                }
                if (!url.search.includes("dryRun")) {
                    changes.push(`${method} ${url.pathname.split("/").at(-1) ?? ""} ${text}`);
                }
                isSuspended = url.pathname === release ? text.includes("true") : isSuspended;
                return [200, "{}"];
            }
            const storage = "100Gi";
            const claim = { spec: { resources: { requests: { storage } } }, status: { capacity: { storage } } };
            return url.pathname.includes("/persistentvolumeclaims/")
                ? [200, JSON.stringify(claim)]
                : url.pathname === release
                  ? [200, JSON.stringify({ spec: { suspend: isSuspended } })]
                  : [404];
        });
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "grow-"));
        const kubeconfig = JSON.stringify({
            clusters: [{ name: "a", cluster: { server: `http://127.0.0.1:${String(server.port)}` } }],
            users: [{ name: "a", user: {} }],
            contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
            "current-context": "a",
        });
        const config = { "kof:route": "management", "kof:version": "1.9.0", "kubernetes:kubeconfig": kubeconfig };
        fs.writeFileSync(path.join(folder, "Pulumi.prod.yaml"), JSON.stringify({ config }));
    });
    beforeEach(() => {
        [changes, isSuspended] = [[], false];
        refuse = () => undefined;
    });
    after(async () => {
        fs.rmSync(folder, { recursive: true });
        await server.stop();
    });

    /** Runs it until it waits for the driver, and then has it end by a signal. */
    const stopped = async (signal: NodeJS.Signals | "EPIPE") => {
        const root = path.join(__dirname, "../..");
        const args = ["-r", "./cli/register.js", "cli/grow.ts", "--config", path.join(folder, "Pulumi.prod.yaml")];
        const child = spawn(process.execPath, [...args, "--signal", "logs", "--size", "200Gi"], { cwd: root });
        let [stdout, stderr] = ["", ""];
        child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
        child.stdout.on("data", (chunk: Buffer) => {
            const before = stdout;
            stdout += chunk.toString();
            if (signal === "EPIPE") {
                child.stdout.destroy();
            } else if (!before.includes("100Gi -> 200Gi") && stdout.includes("100Gi -> 200Gi")) {
                // npm passes on what the terminal has sent as well.
                child.kill(signal);
                child.kill(signal);
            }
        });
        const [code] = (await once(child, "close")) as [number | null];
        return { code, stdout, stderr };
    };

    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
        it(`by ${signal} lets go on what it has paused, and says what is done`, async () => {
            const { code, stdout, stderr } = await stopped(signal);
            assert.equal(code, 1);
            assert.equal(isSuspended, false);
            assert.equal(changes[0], 'PATCH kof-storage {"spec":{"suspend":true}}');
            assert.equal(changes.at(-1), 'PATCH kof-storage {"spec":{"suspend":false}}');
            assert.ok(!changes.some((each) => each.startsWith("DELETE")));
            assert.match(
                stdout,
                /paused helmrelease -n kof kof-storage\n[^]*resumed helmrelease -n kof kof-storage\n$/,
            );
            assert.match(stderr, /^Stopping\. What was paused goes on first\.\nStopped\.\n\nWhat is done stays done\./);
        });
    }

    it("lets go on what it has paused when nobody reads it any more", async () => {
        const { code, stderr } = await stopped("EPIPE");
        assert.deepEqual([code, isSuspended], [1, false]);
        assert.match(stderr, /^Stopping\. [^\n]*\nStopped\.\n/);
    });

    it("asks again where the API server has no time to let it go on", async () => {
        let times = 0;
        refuse = (body) => (body.includes("false") && ++times < 3 ? [429, "", { "retry-after": "0" }] : undefined);
        const { code } = await stopped("SIGINT");
        assert.deepEqual([code, isSuspended, times], [1, false, 3]);
    });

    it("leaves paused what was so before", async () => {
        isSuspended = true;
        const { code, stdout } = await stopped("SIGINT");
        assert.deepEqual([code, isSuspended], [1, true]);
        assert.match(stdout, /was paused already, and stays so/);
    });

    it("says how to let go on by hand what it may not", async () => {
        refuse = (body) => (body.includes("false") ? [403, JSON.stringify({ message: "forbidden" })] : undefined);
        const { code, stderr } = await stopped("SIGINT");
        assert.equal(code, 1);
        assert.ok(
            stderr.includes(
                `kubectl patch helmrelease -n kof kof-storage --type merge -p '{"spec":{"suspend":false}}'`,
            ),
        );
    });
});
