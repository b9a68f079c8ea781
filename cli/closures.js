// Loaded before Pulumi. Pulumi can put functions of a program into its state, and loads a compiler and a reader of installed packages for
// that at its start. No program of this project does, so that they are loaded when somebody asks for them: more than a third of a
// start goes into them otherwise (Pulumi 3.248.0, 2026-11-27).
// @ts-check
"use strict";

const Module = require("node:module");

for (const name of ["typescript", "@npmcli/arborist"]) {
    const file = find(name);
    if (file !== undefined) {
        require.cache[file] ??= later(file);
    }
}

/** Where Pulumi would find a module. Without the compiler, which only development needs here, it has one of its own. @param {string} name */
function find(name) {
    try {
        return require.resolve(name, { paths: [require.resolve("@pulumi/pulumi")] });
    } catch {
        return undefined;
    }
}

/** A module that is loaded when one of its exports is asked for. @param {string} file */
function later(file) {
    const stand = new Module(file);
    const load = () => {
        if (require.cache[file] === stand) {
            delete require.cache[file];
        }
        return require(file);
    };
    // What makes a copy of a module with all its exports leaves an ES module as it is.
    const exports = new Proxy({}, { get: (_, key) => (key === "__esModule" ? true : load()[key]) });
    return Object.assign(stand, { exports, loaded: true });
}
