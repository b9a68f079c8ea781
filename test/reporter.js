// Loaded by mocha itself, before anything could strip types: hence JavaScript.
// @ts-check
"use strict";

const { reporters, Runner } = require("mocha");
// @ts-expect-error mocha has no types of its own, and those of others leave out what is for parallel runs.
const Buffered = require("mocha/lib/nodejs/reporters/parallel-buffered.cjs");

/**
 * Prints each failure in full when it happens, for a run that somebody stops before its end.
 *
 * @param {import("mocha").Runner} runner
 */
function printFailures(runner) {
    runner.on(Runner.constants.EVENT_TEST_FAIL, (test, error) => {
        console.log(`\n  Failed: ${test.fullTitle()}\n${error?.stack ?? error}\n`);
    });
}

/** Mocha's own dots, each failure when it happens, and one closing line that says how many passed and failed. */
class CountingReporter extends reporters.Dot {
    /** @param {import("mocha").Runner} runner @param {import("mocha").MochaOptions} options */
    constructor(runner, options) {
        super(runner, options);
        const parallel = /** @type {any} */ (runner);
        if (parallel.isParallelMode()) {
            // Here nothing is known of a file before all of it has run.
            parallel.workerReporter(require.resolve("./reporter"));
        } else {
            printFailures(runner);
        }
        runner.once(Runner.constants.EVENT_RUN_END, () => {
            const { passes = 0, failures = 0, pending = 0 } = runner.stats ?? {};
            console.log(`${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ""}`);
        });
    }
}

/** Tells the process that has started this one what has happened, file by file. */
class WorkerReporter extends Buffered {
    /** @param {import("mocha").Runner} runner @param {import("mocha").MochaOptions} options */
    constructor(runner, options) {
        super(runner, options);
        printFailures(runner);
    }
}

module.exports = process.env.MOCHA_WORKER_ID === undefined ? CountingReporter : WorkerReporter;
