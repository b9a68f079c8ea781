import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import dns = require("node:dns");
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { commandHere } from "../support";

const root = path.join(__dirname, "../..");

describe("a command", () => {
    let folder: string;
    const { lookup } = dns;
    before(() => {
        // Without a network, where a resolver may take seconds to say so: doctor asks the registries.
        const unknown = Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" });
        const nowhere = (_name: string, _options: object, answer: (error: Error) => void) => {
            process.nextTick(answer, unknown);
        };
        Object.assign(dns, { lookup: nowhere });
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
        Object.assign(dns, { lookup });
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

    const scripts = (JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as { scripts: object })
        .scripts;
    /** Every command that a person may run, as its file. */
    const commands = Object.entries(scripts).flatMap(([name, script]) => {
        const [, file] = /^node -r \.\/cli\/register\.js (\S+)\.ts$/.exec(String(script)) ?? [];
        return file === undefined ? [] : [{ name, file: path.relative("cli", file) }];
    });

    for (const { name, file } of commands) {
        it(`${name} says with -h what it needs, and what is wrong with a command line`, async () => {
            const help = await here(file, "-h");
            assert.deepEqual([help.status, help.stderr], [0, ""]);
            assert.match(help.stdout, new RegExp(`^Usage: npm (run )?${name}\\b`));
            assert.match(help.stdout, /Required: |Nothing is required/);
            assert.ok(!help.stdout.includes("[--stack NAME") || help.stdout.includes("it is the stack dev"));
            assert.deepEqual(await here(file, "--stack", "x", "--help"), help);

            const takesWords = ["adopt", "diff"].includes(name);
            const wrong: readonly (readonly [RegExp, ...string[]])[] = [
                [/^Unknown option '--frobnicate'/, "--frobnicate"],
                ...(takesWords ? [] : [[/^Unexpected argument 'word'/, "word"] as const]),
                // A variable of a shell that is not set.
                ...[...help.stdout.replaceAll(/'[^']*'/g, "").matchAll(/--(\w+) (?=[A-Z]|\d)/g)].flatMap(
                    ([, option = ""]) => [
                        [new RegExp(`^--${option} is empty\\.`), `--${option}=`] as const,
                        [new RegExp(`^Option '.*--${option} <value>' argument missing`), `--${option}`] as const,
                    ],
                ),
            ];
            for (const [message, ...options] of wrong) {
                const { status, stdout, stderr } = await here(file, ...options);
                assert.deepEqual([status, stdout], [1, ""], options.join(" "));
                assert.match(stderr, message);
                assert.ok(stderr.endsWith(`\n\n${help.stdout}`) && !/^ +at /m.test(stderr), stderr);
                const { stdout: json } = await here(file, ...options, "--json");
                const { error } = JSON.parse(json) as { error: string };
                assert.ok(error.endsWith(help.stdout.trimEnd()), json);
            }
        });
    }

    it("names what is missing", async () => {
        for (const [message, name, ...options] of [
            ["--base is missing, or --from and --to.", "plan"],
            ["BASE is missing.", "diff"],
            ["--signal is missing.\n--size is missing.", "grow", "--stack", "down"],
            ["--out is missing.", "render"],
            ["--out is missing.", "adopt"],
            ["Give one values file, or --cluster.", "adopt", "--out", "x.yaml"],
            ["--version is missing.", "../tools/rehearse"],
            ["Give one of --charts, --images and --check.", "../tools/catalog"],
        ] as const) {
            const { status, stdout, stderr } = await here(name, ...options);
            assert.deepEqual([status, stdout, stderr.split("\n\nUsage: ")[0]], [1, "", message]);
        }
        const { stderr } = await here("../tools/rehearse", "--version", "1.11");
        assert.match(stderr, /^--version 1\.11 is not supported\. Allowed: .*1\.10\.0, 1\.11\.0-rc0\.\n$/);
    });

    it("ends silently when its reader has closed the pipe", () => {
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
