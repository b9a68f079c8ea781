// `npm test`: files side by side. Read by mocha itself: hence JavaScript.
// @ts-check
"use strict";

const fs = require("node:fs");
const path = require("node:path");

/** Their cases wait for servers and processes most of the time: they start first, and the others run meanwhile. */
const waiting = [
    "ends",
    "children",
    "ci",
    "verify",
    "many",
    "verifyArchives",
    "archives",
    "rollout",
    "interrupted",
    "loaded",
];
const isWaiting = (/** @type {string} */ file) => waiting.includes(path.basename(file, ".test.ts"));
const files = fs
    .readdirSync(__dirname, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .sort((a, b) => Number(isWaiting(b)) - Number(isWaiting(a)) || a.localeCompare(b));

module.exports = {
    ...require("../.mocharc.json"),
    spec: files.map((file) => path.join(__dirname, file)),
    parallel: true,
    jobs: 4,
};
