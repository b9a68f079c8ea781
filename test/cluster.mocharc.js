// The suite of tests that need an API server or a real collector. Read by mocha itself: hence JavaScript.
// @ts-check
"use strict";

module.exports = {
    ...require("../.mocharc.json"),
    spec: "test/**/*.cluster.ts",
    timeout: 30 * 60_000,
    parallel: true,
    // Files have a cluster of their own each, unless one is given.
    jobs: process.env.KUBECONFIG ? 1 : 2,
};
