// The suite of what `npm test` takes a sample of: every test whose title says "(sampled)". Read by mocha itself: hence JavaScript.
// @ts-check
"use strict";

const fs = require("node:fs");
const path = require("node:path");

process.env.SAMPLED = "whole";
process.env.FUZZ_SEED ??= String(Date.now() % 2 ** 31);
console.log(`The same again: FUZZ_SEED=${process.env.FUZZ_SEED} npm run test:properties`);

const mark = "(sampled)";

module.exports = {
    ...require("../.mocharc.json"),
    spec: fs
        .readdirSync(__dirname, { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".test.ts"))
        .map((file) => path.join(__dirname, file))
        .filter((file) => fs.readFileSync(file, "utf8").includes(mark)),
    fgrep: mark,
    parallel: true,
    jobs: 2,
};
