import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";

const versions = ["1.8.0", "1.8.1", "1.9.0", "1.10.0", "1.11.0-rc0"];

/** What a process has that starts with these variables of the environment alone, and what it prints before. */
function taken(before: string, env: Readonly<Record<string, string>>) {
    const script = `
        ${before}
        const { runs, sample } = require("./test/sampled");
        const all = ${JSON.stringify(versions)};
        console.log(JSON.stringify([runs(2, 100), sample(all, 2), sample(all, 9)]));`;
    const { stdout, stderr } = spawnSync(process.execPath, ["-r", "./cli/register.js", "-e", script], {
        encoding: "utf8",
        env,
    });
    const lines = stdout.trim().split("\n");
    assert.notEqual(stdout, "", stderr);
    return { said: lines.slice(0, -1), taken: JSON.parse(lines.at(-1) ?? "") as unknown };
}

describe("what npm test takes a sample of", () => {
    it("is the same each time, from all over a list", () => {
        const expected = [{ numRuns: 2, seed: 20261127 }, ["1.8.0", "1.10.0"], versions];
        assert.deepEqual(taken("", {}), { said: [], taken: expected });
    });

    it("is tried whole by npm run test:properties, on the inputs of the seed that it prints", () => {
        const config = 'require("./test/properties.mocharc.js");';
        assert.deepEqual(taken(config, { FUZZ_SEED: "5" }), {
            said: ["The same again: FUZZ_SEED=5 npm run test:properties"],
            taken: [{ numRuns: 100, seed: 5 }, versions, versions],
        });
    });

    it("says so in its title, by which that suite finds it", () => {
        const files = fs.readdirSync("test", { recursive: true, encoding: "utf8" });
        const tests = files.filter((file) => file.endsWith(".test.ts") && file !== "sampled.test.ts");
        const having = (pattern: RegExp) =>
            tests.filter((file) => pattern.test(fs.readFileSync(`test/${file}`, "utf8")));
        assert.ok(having(/\(sampled\)/).length > 20);
        assert.deepEqual(having(/\(sampled\)/), having(/from "[./]*\/sampled"/));
    });
});
