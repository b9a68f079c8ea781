import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { command, commandHere } from "../support";

const root = path.join(__dirname, "../..");

describe("a command", () => {
    let folder: string;
    before(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "ends-"));
        // Nobody listens there.
        const kubeconfig = JSON.stringify({
            clusters: [{ name: "a", cluster: { server: "http://127.0.0.1:1" } }],
            users: [{ name: "a", user: {} }],
            contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
            "current-context": "a",
        });
        const config = { "kof:route": "management", "kubernetes:kubeconfig": kubeconfig };
        fs.writeFileSync(path.join(folder, "Pulumi.down.yaml"), JSON.stringify({ config }));
        fs.writeFileSync(path.join(folder, "Pulumi.dev.yaml"), JSON.stringify({ config }));
    });
    after(() => {
        fs.rmSync(folder, { recursive: true });
    });
    const here = (name: string, ...options: string[]) => commandHere(name, options, { cwd: folder });
    const silence = "The API server http://127.0.0.1:1 does not answer";

    it("says once that a server does not answer, and takes that for no verdict", async () => {
        for (const name of ["doctor", "left", "verify"]) {
            const { status, stdout, stderr } = await here(name, "--stack", "down");
            assert.equal(status, 2, name);
            assert.equal(stdout.split(silence).length - 1, 1, `${name}: ${stdout}`);
            assert.equal(stderr, "");
        }
    });

    it("gives one JSON object on every path, where it was asked for one", async () => {
        for (const [status, name, ...options] of [
            [2, "doctor", "--stack", "down"],
            [2, "left", "--stack", "down"],
            [2, "verify", "--stack", "down"],
            [1, "verify", "--stack", "down", "--timeout", "soon"],
            [1, "verify"],
            [1, "doctor", "--stack", "nowhere"],
            [1, "doctor", "--bogus"],
            [1, "plan"],
            [1, "plan", "--stack", "down", "--base", "--output=x"],
            [0, "images", "--stack", "down"],
            [1, "images", "--stack", "down", "--mirror", "mirror.example.net"],
        ] as const) {
            const run = await here(name, ...options, "--json");
            assert.equal(run.status, status, `${name} ${options.join(" ")}`);
            assert.equal(typeof JSON.parse(run.stdout), "object");
        }
    });

    it("that changes anything takes no stack by itself", async () => {
        for (const [name, ...options] of [["grow", "--signal", "logs", "--size", "500Gi"], ["verify"]] as const) {
            const { status, stdout, stderr } = await here(name, ...options);
            assert.deepEqual([status, stdout], [1, ""]);
            assert.match(
                stderr,
                /^--stack or --config is missing: this command takes no stack by itself\.\n\nUsage: npm run/,
            );
        }
        assert.match((await here("doctor")).stdout, /^Stack dev: /);
    });

    it("says with -h what it needs, and what it takes otherwise", () => {
        for (const name of fs.readdirSync(path.join(root, "cli")).filter((file) => file.endsWith(".ts"))) {
            const text = fs.readFileSync(path.join(root, "cli", name), "utf8");
            if (!text.includes("const usage")) {
                continue;
            }
            const usage = /const usage = `([^`]*(?:\\`[^`]*)*)`;/.exec(text)?.[1] ?? "";
            assert.match(usage, /^Usage: npm /, name);
            assert.match(usage, /Required: |Nothing is required/, name);
            assert.ok(!usage.includes("[--stack NAME") || usage.includes("it is the stack dev"), name);
        }
        const { status, stdout, stderr } = command("grow", ["-h"]);
        assert.deepEqual([status, stderr, stdout.slice(0, 19)], [0, "", "Usage: npm run grow"]);
    });

    it("ends without a word when nobody reads it any more", () => {
        const script =
            'const { run } = require("./cli/command");' +
            'run(async () => { for (let i = 0; i < 50; i++) { process.stdout.write("x".repeat(100000)); await new Promise(setImmediate); } });';
        const { stderr, stdout } = spawnSync(
            "bash",
            [
                "-c",
                `"$0" -r ./cli/register.js -e "$1" | head -c 1; echo " \${PIPESTATUS[0]}"`,
                process.execPath,
                script,
            ],
            { cwd: root, encoding: "utf8" },
        );
        assert.deepEqual([stdout, stderr], ["x 0\n", ""]);
    });
});
