import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

/** Starts a child of its own, says its process id, and waits. */
const parent = `
    const { spawn } = require("node:child_process");
    const child = spawn(process.execPath, ["-e", "setInterval(() => undefined, 1000)"], { stdio: "ignore", detached: true });
    require("./test/children").endWithThisProcess(child);
    process.stdin.once("data", () => process.exit(0)).resume();
    console.log(child.pid);
`;

describe("a server that a test has started", () => {
    for (const end of ["SIGTERM", "SIGINT", "SIGHUP", "its own end"] as const) {
        it(`ends with the tests, by ${end}`, async () => {
            const tests = spawn(process.execPath, ["-r", "./cli/register.js", "-e", parent]);
            const [said] = (await once(tests.stdout, "data")) as [Buffer];
            const server = Number(said.toString());
            assert.ok(isRunning(server));
            const ended = once(tests, "exit");
            if (end === "its own end") {
                tests.stdin.write("end\n");
            } else {
                tests.kill(end);
            }
            await ended;
            while (isRunning(server)) {
                await sleep(50);
            }
        });
    }
});

function isRunning(pid: number): boolean {
    try {
        return process.kill(pid, 0);
    } catch {
        return false;
    }
}
