// Loaded by mocha itself, before anything could strip types: hence JavaScript.
// @ts-check
"use strict";

const { reporters, Runner } = require("mocha");

/**
 * Mocha's own dots, each failure in full when it happens, for a run that somebody stops before its end, and one closing line
 * that says how many passed and failed.
 */
module.exports = class CountingReporter extends reporters.Dot {
    /** @param {import("mocha").Runner} runner @param {import("mocha").MochaOptions} options */
    constructor(runner, options) {
        super(runner, options);
        runner.on(Runner.constants.EVENT_TEST_FAIL, (test, error) => {
            console.log(`\n  Failed: ${test.fullTitle()}\n${error?.stack ?? error}\n`);
        });
        runner.once(Runner.constants.EVENT_RUN_END, () => {
            const { passes = 0, failures = 0, pending = 0 } = runner.stats ?? {};
            console.log(`${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ""}`);
        });
    }
};
