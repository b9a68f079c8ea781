// The end-to-end suite: files side by side, as their cases mostly wait. Read by mocha itself: hence JavaScript.
// @ts-check
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const { require: modules, ...shared } = require("../../.mocharc.json");

/** What takes longest starts first, or all wait for it at the end. */
const longest = [
    "rehearse",
    "logGroups",
    "places",
    "recovery",
    "state",
    "renames",
    "targets",
    "archives",
    "routes",
    "switches",
    "policy",
    "moves",
];
const rank = (/** @type {string} */ file) => {
    const found = longest.findIndex((name) => file.startsWith(name));
    return found === -1 ? longest.length : found;
};
const files = fs.readdirSync(__dirname).filter((file) => file.endsWith(".e2e.ts"));

// Each worker has a cluster and an AWS of its own. One that is given can have one KOF at a time.
const { KUBECONFIG, AWS_ENDPOINT_URL } = process.env;

module.exports = {
    ...shared,
    require: [...modules, "./test/e2e/prepare.ts"],
    spec: files.sort((a, b) => rank(a) - rank(b)).map((file) => path.join(__dirname, file)),
    parallel: true,
    jobs: KUBECONFIG || AWS_ENDPOINT_URL ? 1 : 5,
};
