import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { isRunning, until } from "./processes";

/** What each suite says at its end, by its npm script. */
const passing = {
    test: "1 passed, 0 failed",
    "test:e2e": "20 passed, 0 failed",
    "test:properties": "300 passed, 0 failed",
    "test:aws": "4000 passed, 0 failed",
    "test:cluster": "50000 passed, 0 failed",
};

describe(".ci/run", () => {
    let folder: string;
    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-ci-"));
        fs.cpSync(".ci/run", path.join(folder, ".ci/run"));
        program("node", "exit 0");
    });
    afterEach(() => {
        fs.rmSync(folder, { recursive: true });
    });

    /** Has the script find this in place of a program. */
    function program(name: string, script: string): void {
        fs.mkdirSync(path.join(folder, "bin"), { recursive: true });
        fs.writeFileSync(path.join(folder, "bin", name), `#!/bin/bash\n${script}\n`, { mode: 0o755 });
    }

    /** Runs it. A suite says what is given for it, or says its process id and waits where nothing is. */
    function start(said: Readonly<Record<string, string | undefined>>) {
        const cases = Object.entries(said).map(([name, text]) =>
            text === undefined
                ? `*" ${name} "*) echo "waits: $$"; exec sleep 1000;;`
                : `*" ${name} "*) echo '${text}';;`,
        );
        program("npm", `case " $* " in ${cases.join("\n")} esac`);
        const env = { ...process.env, PATH: `${path.join(folder, "bin")}:${process.env.PATH ?? ""}` };
        const child = spawn(path.join(folder, ".ci/run"), { env, detached: true });
        const run = { child, output: "", ended: once(child, "close") as Promise<[number | null]> };
        for (const stream of [child.stdout, child.stderr]) {
            stream.on("data", (chunk: Buffer) => (run.output += chunk.toString()));
        }
        return run;
    }

    /** How it ends, and the lines that it says. */
    async function end(said: Readonly<Record<string, string>>) {
        const run = start(said);
        const [code] = await run.ended;
        return { code, lines: run.output.trimEnd().split("\n") };
    }

    it("counts the cases of all suites in its last line, and fails where one was skipped or a suite did not end", async () => {
        const all = await end(passing);
        assert.deepEqual([all.code, all.lines.at(-1)], [0, "54321 passed, 0 failed"]);
        const skipped = await end({ ...passing, "test:cluster": "49999 passed, 0 failed, 1 skipped" });
        assert.deepEqual(
            [skipped.code, ...skipped.lines.slice(-2)],
            [1, "1 cases were skipped, and nothing may be.", "54320 passed, 1 failed"],
        );
        const cut = await end({ ...passing, "test:e2e": "" });
        assert.deepEqual(
            [cut.code, ...cut.lines.slice(-2)],
            [1, "4 suites of 5 came to their end.", "54301 passed, 1 failed"],
        );
    });

    it("fails, and says why, where what the suites need cannot be built", async () => {
        program("node", `[[ $* != *tools/tools.ts ]] || { echo "Go is not installed" >&2; exit 1; }`);
        const { code, lines } = await end(passing);
        assert.equal(code, 1);
        assert.ok(lines.includes("Go is not installed"), lines.join("\n"));
    });

    for (const signal of ["SIGTERM", "SIGINT"] as const) {
        it(`leaves no suite behind by ${signal}`, async () => {
            const waiting = { "test:e2e": undefined, "test:properties": undefined, "test:aws": undefined };
            const run = start({ ...passing, ...waiting });
            const pids = () => [...run.output.matchAll(/^waits: (\d+)$/gm)].map(([, pid]) => Number(pid));
            try {
                await until(() => pids().length === 3);
                // A terminal sends Ctrl-C to all that run in the foreground.
                process.kill(signal === "SIGINT" ? -run.child.pid! : run.child.pid!, signal);
                await run.ended;
                await until(() => !pids().some(isRunning));
            } finally {
                pids()
                    .filter(isRunning)
                    .forEach((pid) => process.kill(pid, "SIGKILL"));
            }
        });
    }
});
