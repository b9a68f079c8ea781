// Loaded before Pulumi. Pulumi can put functions of a program into its state. For that it loads a compiler and a reader of installed
// packages, and has V8's debugger tell it of every script. No program of this project does, so these start when somebody asks for them.
// Stack traces stay as V8 has them: the only modules with source maps are Pulumi's own, which makes one for most of its promises and
// reads all its maps for them. That takes two thirds of a start otherwise (Pulumi 3.248.0, 2026-11-28).
// @ts-check
"use strict";

const Module = require("node:module");

/** What stands for a module of Pulumi's, by its name. @type {Readonly<Record<string, (file: string) => NodeJS.Module>>} */
const standIns = {
    typescript: (file) => later(file),
    "@npmcli/arborist": (file) => later(file),
    "source-map-support/register": (file) => standIn(file, {}),
    "@pulumi/pulumi/runtime/closure/v8Hooks": (file) => later(file, { isInitializedAsync: () => Promise.resolve() }),
};
for (const [name, make] of Object.entries(standIns)) {
    const file = find(name);
    if (file !== undefined) {
        require.cache[file] ??= make(file);
    }
}

/**
 * Where Pulumi would find a module. Without the compiler, which only development needs here, it has one of its own.
 *
 * @param {string} name
 */
function find(name) {
    try {
        return require.resolve(name, { paths: [require.resolve("@pulumi/pulumi")] });
    } catch {
        return undefined;
    }
}

/**
 * A module that is loaded when an export is asked for that is not among those that are known.
 *
 * @param {string} file
 * @param {Readonly<Record<string | symbol, unknown>>} known Also whether it is an ES module, which what copies all exports of a module
 *     leaves as it is.
 */
function later(file, known = {}) {
    /** @type {Readonly<Record<string | symbol, unknown>>} */
    const there = { __esModule: true, ...known };
    const exports = new Proxy(there, { get: (_, key) => (key in there ? there[key] : load()[key]) });
    const stand = standIn(file, exports);
    const load = () => {
        if (require.cache[file] === stand) {
            delete require.cache[file];
        }
        return require(file);
    };
    return stand;
}

/** A module that is there already. @param {string} file @param {object} exports */
function standIn(file, exports) {
    return Object.assign(new Module(file), { exports, loaded: true });
}
