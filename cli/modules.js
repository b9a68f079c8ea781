// Loaded before Pulumi, after what else changes how modules are loaded. Keeps all modules of a start in one file: where each is, its text
// and what V8 makes of it. A quarter of a start goes into looking for 600 files, reading and compiling them otherwise (Node 20.20.2,
// 2026-11-28). Node has a cache since 22.1, only for what V8 makes of them;
// the variable that turns it off turns this off as well.
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
 * @typedef {{ lock: string, modules: [string, string, number, boolean, number][], found: [string, string][] }} Index lengths of text and code
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

const packages = path.join(__dirname, "../node_modules");
const inPackages = packages + path.sep;
// Others could not use it: V8 refuses what another version has made, or the same with other options.
const store = path.join(packages, `.cache/modules/${process.version}-${process.arch}-${v8.cachedDataVersionTag()}`);
// npm writes this file whenever it changes what is installed. The others change what is found there.
const installed = stampOf(path.join(packages, ".package-lock.json"));
const { NODE_DISABLE_COMPILE_CACHE, NODE_OPTIONS, NODE_PATH } = process.env;
const lock = JSON.stringify([installed, process.execArgv, NODE_OPTIONS, NODE_PATH]);

/** @type {Map<string, Kept>} by file */
const kept = new Map();
/** Files by what has asked for them, and how. @type {Map<string, string>} */
const found = new Map();
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
        for (const [key, file] of index.found) {
            found.set(key, file);
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
        const index = { lock, modules: [], found: [...found].filter(([, file]) => keptOf(file)) };
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
    return new vm.Script(text, {
        filename,
        cachedData,
        columnOffset: -node.wrapper[0].length,
    });
}

if (installed !== "" && NODE_DISABLE_COMPILE_CACHE !== "1") {
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

    const resolve = node._resolveFilename;
    node._resolveFilename = function (request, parent, ...others) {
        // A file beside those of this project may be new. In packages, only npm changes what there is.
        const isKept = parent?.filename && (!/^[./\\]/.test(request) || parent.filename.startsWith(inPackages));
        if (!isKept || others[1]) {
            return resolve.call(this, request, parent, ...others);
        }
        const key = `${parent.path}\n${request}`;
        const before = found.get(key);
        if (before !== undefined && keptOf(before)) {
            return before;
        }
        const file = resolve.call(this, request, parent, ...others);
        found.set(key, file);
        return file;
    };

    process.on("exit", () => {
        if (!isComplete) {
            write();
        }
    });
}
