// Loaded before Pulumi, after what else changes how modules are loaded. Keeps the text of all modules of a start, and what V8 makes of
// it, in one file: a fifth of a start goes into reading and compiling 600 files otherwise (Node 20.20.2, 2026-11-28). Node has a cache
// since 22.1, only for what V8 makes of them. The variable that turns it off turns this off as well.
// @ts-check
"use strict";

const { Buffer } = require("node:buffer");
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const v8 = require("node:v8");
const vm = require("node:vm");

/**
 * @typedef {{ stamp: string, text: Buffer, ascii: boolean, code: Buffer, script?: vm.Script }} Kept a module as it was at its stamp
 * @typedef {{ lock: string, modules: [string, string, number, boolean, number][] }} Index file, stamp, length of text, ASCII or not, length of code
 * @typedef {NodeJS.Module & { _compile(text: string, file: string, format?: string): unknown }} Loaded
 */

/**
 * What Node has and its types leave out.
 *
 * @type {{
 *     prototype: Loaded,
 *     wrapper: readonly [string, string],
 *     _cache: typeof require.cache,
 *     _extensions: Record<string, (module: Loaded, file: string) => unknown>,
 *     _resolveFilename(request: string, parent?: NodeJS.Module, isMain?: boolean, options?: object): string,
 *     _resolveLookupPaths(request: string, parent: NodeJS.Module): string[] | null,
 * }}
 */
const node = /** @type {any} */ (Module);

// Others could not use it: V8 refuses what another version has made, or the same with other options.
const store = path.join(
    __dirname,
    `../node_modules/.cache/modules/${process.version}-${process.arch}-${v8.cachedDataVersionTag()}`,
);
// TypeScript is kept as this has made JavaScript of it.
const lock = ["./register.js", "sucrase/package.json"].map((name) => stampOf(require.resolve(name))).join(" ");

/** @type {Map<string, Kept>} by file */
const kept = new Map();
/** @type {Map<string, string>} */
const stamps = new Map();
let isComplete = true;

/** Tells a file from what it was before a change; empty where there is none. @param {string} file */
function stampOf(file) {
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    return stat ? [stat.ino, stat.size, stat.mtimeMs, stat.ctimeMs].join() : "";
}

/** The stamp of a file when this process first asked. @param {string} file */
function stampNow(file) {
    const stamp = stamps.get(file) ?? stampOf(file);
    stamps.set(file, stamp);
    return stamp;
}

/** What is kept of a file that is still the same. @param {string} file */
function keptOf(file) {
    const one = kept.get(file);
    return one?.stamp === stampNow(file) ? one : undefined;
}

function read() {
    try {
        const content = fs.readFileSync(store);
        const start = 4 + content.readUInt32LE(0);
        /** @type {Index} */
        const index = JSON.parse(content.toString("utf8", 4, start));
        if (index.lock !== lock) {
            return;
        }
        let at = start;
        const next = (/** @type {number} */ length) => content.subarray(at, (at += length));
        for (const [file, stamp, text, ascii, code] of index.modules) {
            kept.set(file, { stamp, text: next(text), ascii, code: next(code) });
        }
        if (at !== content.length) {
            kept.clear();
        }
    } catch {
        // There is none yet.
    }
}

/** Written whole or not at all, since other processes may read it; where nothing can be written, nothing is kept. */
function write() {
    try {
        const parts = [];
        /** @type {Index} */
        const index = { lock, modules: [] };
        for (const [file, { stamp, text, ascii, code, script }] of kept) {
            if (keptOf(file)) {
                const made = script?.createCachedData() ?? code;
                index.modules.push([file, stamp, text.length, ascii, made.length]);
                parts.push(text, made);
            }
        }
        const head = Buffer.from(JSON.stringify(index));
        const length = Buffer.alloc(4);
        length.writeUInt32LE(head.length);
        fs.mkdirSync(path.dirname(store), { recursive: true });
        fs.writeFileSync(`${store}.${process.pid}`, Buffer.concat([length, head, ...parts]));
        fs.renameSync(`${store}.${process.pid}`, store);
    } catch {
        // Slower the next time, and nothing else.
    }
}

/**
 * As Node does, without options of its own for `require`.
 *
 * @param {Loaded} module
 * @param {string} file
 * @param {vm.Script} script
 */
function run(module, file, script) {
    const require = Object.assign((/** @type {string} */ request) => module.require(request), {
        resolve: Object.assign(
            (/** @type {string} */ request, /** @type {object} */ options) =>
                node._resolveFilename(request, module, false, options),
            { paths: (/** @type {string} */ request) => node._resolveLookupPaths(request, module) },
        ),
        main: process.mainModule,
        extensions: node._extensions,
        cache: node._cache,
    });
    return script.runInThisContext().call(module.exports, module.exports, require, module, file, path.dirname(file));
}

/** @param {string} text @param {string} filename @param {Buffer} [cachedData] */
function compile(text, filename, cachedData) {
    return new vm.Script(text, { filename, cachedData, columnOffset: -node.wrapper[0].length });
}

if (process.env.NODE_DISABLE_COMPILE_CACHE !== "1") {
    read();

    for (const [extension, load] of Object.entries(node._extensions)) {
        node._extensions[extension] = (module, file) => {
            const one = keptOf(file);
            if (!one) {
                return load(module, file);
            }
            one.script = compile(one.text.toString(one.ascii ? "latin1" : "utf8"), file, one.code);
            isComplete &&= !one.script.cachedDataRejected;
            return run(module, file, one.script);
        };
    }

    const compileOf = node.prototype._compile;
    /** @this {Loaded} @param {string} text @param {string} file @param {string} [format] */
    node.prototype._compile = function (text, file, format) {
        // Node gives `import()` no way from what V8 made of a module before.
        if (format === "module" || !stamps.has(file) || /\bimport\s*\(/.test(text)) {
            return compileOf.call(this, text, file, format);
        }
        const whole = node.wrapper[0] + text + node.wrapper[1];
        let script;
        try {
            script = compile(whole, file);
        } catch {
            // An ES module, or an error for Node to tell.
            return compileOf.call(this, text, file, format);
        }
        isComplete = false;
        const bytes = Buffer.from(whole);
        const ascii = bytes.length === whole.length;
        kept.set(file, { stamp: stampNow(file), text: bytes, ascii, code: Buffer.alloc(0), script });
        return run(this, file, script);
    };

    process.on("exit", () => {
        if (!isComplete) {
            write();
        }
    });
}
