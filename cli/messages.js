// Loaded before a program, after what keeps its modules. Pulumi's SDK tells the engine each step that it takes, one message after another,
// and the engine shows them with --debug only: 54 for the stack `dev`, which take a tenth of its program. Those of the same moment go
// together here, in the same order among all messages (Pulumi 3.248.0, 2026-11-28).
// @ts-check
"use strict";

const { setTimeout } = require("node:timers");

const log = require("@pulumi/pulumi/log");

/** How many milliseconds a message waits for others. */
const moment = 10;

const { debug } = log;
/** @type {string[]} */
let waiting = [];
/** @type {Promise<void> | undefined} */
let sent;

function send() {
    const [message, ...others] = waiting;
    waiting = [];
    return message === undefined ? Promise.resolve() : debug([message, ...others].join("\n"));
}

log.debug = (message, ...about) => {
    if (about.some((each) => each !== undefined)) {
        void send();
        return debug(message, ...about);
    }
    waiting.push(message);
    sent ??= new Promise((resolve) => {
        // Pulumi ends a program when nothing is left to do, and a timer is.
        setTimeout(() => {
            sent = undefined;
            resolve(send());
        }, moment);
    });
    return sent;
};

for (const level of /** @type {const} */ (["info", "warn", "error"])) {
    const say = log[level];
    log[level] = (...message) => {
        void send();
        return say(...message);
    };
}
