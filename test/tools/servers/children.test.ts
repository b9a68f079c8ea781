import assert from "node:assert/strict";
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { isRunning, until } from "../../processes";

/** Starts a child of its own, says its process id, and waits. */
const parent = `
    const { spawn } = require("node:child_process");
    const child = spawn(process.execPath, ["-e", "setInterval(() => undefined, 1000)"], { stdio: "ignore", detached: true });
    const { atEnd, endWithThisProcess } = require("./tools/servers/children");
    endWithThisProcess(child);
    atEnd(() => { throw new Error("a folder that is still written to") });
    // As mocha has it, which would go on after an error.
    process.on("uncaughtException", () => undefined);
    process.stdin.once("data", () => process.exit(0)).resume();
    console.log("server " + child.pid);
`;

describe("a server that a test has started", () => {
    // All of them at once, as each waits most of the time.
    const inOne = ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL", "its own end"] as const;
    const sideBySide = ["SIGTERM", "SIGINT", "SIGKILL"] as const;
    const ends = new Map<string, Promise<PromiseSettledResult<void>[]>>();
    before(() => {
        inOne.forEach((end) => ends.set(`in one ${end}`, Promise.allSettled([endsInOne(end)])));
        sideBySide.forEach((end) => ends.set(`side by side ${end}`, Promise.allSettled([endsSideBySide(end)])));
    });
    const isOver = async (name: string) => {
        const [result] = await ends.get(name)!;
        if (result?.status === "rejected") {
            throw result.reason;
        }
    };

    for (const end of inOne) {
        it(`ends with the tests, by ${end}`, () => isOver(`in one ${end}`));
    }
    for (const end of sideBySide) {
        it(`ends with tests that run side by side, by ${end}, when failures have been said already`, () =>
            isOver(`side by side ${end}`));
    }
});

async function endsInOne(end: NodeJS.Signals | "its own end"): Promise<void> {
    const tests = spawn(process.execPath, ["-r", "./cli/register.js", "-e", parent]);
    try {
        const [server = 0] = await pidsFrom(tests, 1);
        assert.ok(isRunning(server));
        const ended = once(tests, "exit");
        if (end === "its own end") {
            tests.stdin.write("end\n");
        } else {
            tests.kill(end);
        }
        await ended;
        await until(() => !isRunning(server));
    } finally {
        tests.kill("SIGKILL");
    }
}

async function endsSideBySide(end: NodeJS.Signals): Promise<void> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-children-"));
    const files = ["one", "two"].map((name) => path.join(folder, `${name}.test.js`));
    const text = `it("fails", () => { throw new Error("early"); }); it("waits", () => new Promise(() => {${parent}}));`;
    files.forEach((file) => {
        fs.writeFileSync(file, text.replaceAll('"./tools/', `"${process.cwd()}/tools/`));
    });
    const mocha = path.resolve("node_modules/mocha/bin/mocha.js");
    const { MOCHA_WORKER_ID: _, ...env } = process.env;
    const tests = spawn(process.execPath, [mocha, "--parallel", "--jobs", "2", ...files], { env });
    let said = "";
    tests.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    try {
        const servers = await pidsFrom(tests, 2);
        assert.equal(said.match(/^ {2}Failed: fails\nError: early$/gm)?.length, 2, said);
        tests.kill(end);
        await until(() => !servers.some(isRunning));
    } finally {
        tests.kill("SIGKILL");
        fs.rmSync(folder, { recursive: true });
    }
}

/** The process ids that a process says, and those that it starts. */
async function pidsFrom(tests: ChildProcessWithoutNullStreams, count: number): Promise<number[]> {
    let said = "";
    tests.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const pids = () => [...said.matchAll(/^server (\d+)$/gm)].map(([, pid]) => Number(pid));
    await until(() => pids().length === count);
    return pids();
}
