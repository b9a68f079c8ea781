// Loaded by mocha itself, before anything could strip types: hence JavaScript.
// @ts-check
"use strict";

const { reporters, Runner } = require("mocha");

/** Mocha's own list of tests, closed by one line that says how many passed and failed. */
module.exports = class CountingReporter extends reporters.Dot {
    /** @param {import("mocha").Runner} runner @param {import("mocha").MochaOptions} options */
    constructor(runner, options) {
        super(runner, options);
        runner.once(Runner.constants.EVENT_RUN_END, () => {
            const { passes = 0, failures = 0, pending = 0 } = runner.stats ?? {};
            console.log(`${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ""}`);
        });
    }
};
