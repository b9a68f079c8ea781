// Loaded before Pulumi. Pulumi loads modules for what no program of this project does: a compiler, a reader of installed packages and V8's
// debugger put functions into its state, its Automation API starts engines, OpenTelemetry's tracing serves `pulumi --tracing`. These load
// when somebody asks for them. Stack traces stay as V8 has them: the only modules with source maps are Pulumi's own, which makes one for
// most of its promises and reads all its maps for them. All that takes three quarters of a start otherwise (Pulumi 3.248.0, 2026-11-28).
// @ts-check
"use strict";

const Module = require("node:module");

/** What stands for a module of Pulumi's, by its name. @type {Readonly<Record<string, (file: string) => NodeJS.Module>>} */
const standIns = {
    typescript: later,
    "@npmcli/arborist": later,
    "normalize-package-data": later,
    "@pulumi/pulumi/automation": later,
    "source-map-support/register": (file) => standIn(file, {}),
    "@pulumi/pulumi/runtime/closure/v8Hooks": (file) => later(file, { isInitializedAsync: () => Promise.resolve() }),
    ...Object.fromEntries(
        [
            "exporter-zipkin",
            "instrumentation",
            "instrumentation-grpc",
            "resources",
            "sdk-trace-base",
            "sdk-trace-node",
        ].map((name) => [`@opentelemetry/${name}`, later]),
    ),
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
    const load = () => {
        if (require.cache[file] === stand) {
            delete require.cache[file];
        }
        return require(file);
    };
    const exports = new Proxy(there, {
        get: (_, key) => (key in there ? there[key] : exportOf(load(), key)),
        // What exports all of another module as its own asks for these.
        ownKeys: () => Reflect.ownKeys(load()),
        getOwnPropertyDescriptor: (_, key) => ({
            ...Reflect.getOwnPropertyDescriptor(load(), key),
            configurable: true,
        }),
    });
    const stand = standIn(file, exports);
    return stand;
}

/** As an ES module sees it: all of a CommonJS module is its default export. @param {any} loaded @param {string | symbol} name */
function exportOf(loaded, name) {
    return name === "default" && !loaded.__esModule ? loaded : loaded[name];
}

/** A module that is there already. @param {string} file @param {object} exports */
function standIn(file, exports) {
    return Object.assign(new Module(file), { exports, loaded: true });
}
