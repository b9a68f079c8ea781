// The end-to-end suite: files side by side, as their cases mostly wait. Read by mocha itself: hence JavaScript.
// @ts-check
"use strict";

const { require: modules, ...shared } = require("../../.mocharc.json");

// Each worker has a cluster and an AWS of its own. One that is given can have one KOF at a time.
const { KUBECONFIG, AWS_ENDPOINT_URL } = process.env;

module.exports = {
    ...shared,
    require: [...modules, "./test/e2e/prepare.ts"],
    spec: "test/**/*.e2e.ts",
    parallel: true,
    jobs: KUBECONFIG || AWS_ENDPOINT_URL ? 1 : 4,
};
