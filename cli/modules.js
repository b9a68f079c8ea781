// Loaded before Pulumi, after what else changes how modules are loaded. Keeps what V8 makes of all modules of a start in one file: a tenth
// of a start goes into compiling 600 of them otherwise (Node 20.20.2, 2026-11-28). Node has a cache of its own since 22.1, which keeps
// them one by one. The variable that turns it off turns this off as well.
// @ts-check
"use strict";

const { Buffer } = require("node:buffer");
const { createHash, randomUUID } = require("node:crypto");
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const v8 = require("node:v8");
const vm = require("node:vm");

/** @typedef {NodeJS.Module & { _compile(text: string, file: string, format?: string): unknown }} LoadedModule */

/**
 * What Node has and its types leave out.
 *
 * @type {{
 *     prototype: LoadedModule,
 *     wrapper: readonly [string, string],
 *     _cache: typeof require.cache,
 *     _extensions: NodeJS.Require["extensions"],
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

/** What V8 made of a module, by its file: of the text with this digest. @type {Map<string, { text: string, code: Buffer }>} */
const kept = new Map();
/** The modules of this start. @type {Map<string, { text: string, script: vm.Script }>} */
const started = new Map();
let isComplete = true;

/** @param {...(string | Buffer)} parts */
function digest(...parts) {
    const hash = createHash("sha1");
    parts.forEach((part) => hash.update(part));
    return hash.digest("base64");
}

/** @typedef {readonly { file: string, text: string, length: number }[]} Index */

function read() {
    try {
        const content = fs.readFileSync(store);
        const start = content.indexOf("\n") + 1;
        /** @type {{ digest: string, index: Index }} */
        const head = JSON.parse(content.toString("utf8", 0, start));
        // V8 does not look itself, and ends the process for a single byte that is not as it was.
        if (digest(JSON.stringify(head.index), content.subarray(start)) !== head.digest) {
            return;
        }
        let at = start;
        for (const { file, text, length } of head.index) {
            kept.set(file, { text, code: content.subarray(at, (at += length)) });
        }
    } catch {
        // There is none yet.
    }
}

/** Written whole or not at all, since other processes may read it; where nothing can be written, nothing is kept. */
function write() {
    const partial = `${store}.${randomUUID()}`;
    try {
        fs.mkdirSync(path.dirname(store), { recursive: true });
        fs.writeFileSync(partial, "");
    } catch {
        // Slower the next time, and nothing else.
        return;
    }
    try {
        // Another stack needs other modules.
        const others = [...kept].filter(([file]) => !started.has(file) && fs.existsSync(file));
        const all = [
            ...others.map(([file, one]) => ({ file, ...one })),
            ...[...started].map(([file, { text, script }]) => ({ file, text, code: script.createCachedData() })),
        ];
        const index = all.map(({ file, text, code }) => ({ file, text, length: code.length }));
        const codes = Buffer.concat(all.map(({ code }) => code));
        fs.writeFileSync(partial, `${JSON.stringify({ digest: digest(JSON.stringify(index), codes), index })}\n`);
        fs.appendFileSync(partial, codes);
        fs.renameSync(partial, store);
    } catch {
        // A full disk.
        fs.rmSync(partial, { force: true });
    }
}

/**
 * @param {string} code of a module, in the function that Node calls
 * @param {string} filename
 * @returns `undefined` where only Node can: it gives `import()` no way from what V8 made of a module before.
 */
function compile(code, filename) {
    const text = digest(code);
    const before = kept.get(filename);
    const cachedData = before?.text === text ? before.code : undefined;
    if (cachedData === undefined && /\bimport\b\s*[(/]/.test(code)) {
        return undefined;
    }
    const script = new vm.Script(code, { filename, cachedData, columnOffset: -node.wrapper[0].length });
    isComplete &&= script.cachedDataRejected === false;
    started.set(filename, { text, script });
    return script;
}

/**
 * As Node does it.
 *
 * @param {LoadedModule} module
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

// A debugger that waits for the first line is Node's own.
if (process.env.NODE_DISABLE_COMPILE_CACHE !== "1" && !process.execArgv.some((each) => each.startsWith("--inspect"))) {
    read();

    const compileOf = node.prototype._compile;
    /** @this {LoadedModule} @param {string} text @param {string} file @param {string} [format] */
    node.prototype._compile = function (text, file, format) {
        let script;
        try {
            script = format === "module" ? undefined : compile(node.wrapper[0] + text + node.wrapper[1], file);
        } catch {
            // An ES module, or an error for Node to tell.
        }
        return script ? run(this, file, script) : compileOf.call(this, text, file, format);
    };

    process.on("exit", () => {
        if (!isComplete) {
            write();
        }
    });
}
