// `npm test`: files side by side. Read by mocha itself: hence JavaScript.
// @ts-check
"use strict";

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

/** Their cases wait for servers and processes most of the time: they start early, each beside others that compute. */
const waiting = [
    "ends",
    "grow",
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
    .sort();
const others = files.filter((file) => !isWaiting(file));
const ordered = [...files.filter(isWaiting).flatMap((file) => [file, ...others.splice(0, 4)]), ...others];

module.exports = {
    ...require("../.mocharc.json"),
    spec: ordered.map((file) => path.join(__dirname, file)),
    parallel: true,
    // One more than can compute, as one waits. Few, as each loads the program and compiles it for itself, which takes as long as many
    // files do.
    jobs: Math.min(os.availableParallelism() + 1, 5),
};
