// Has Node run TypeScript: `node -r ./cli/register.js FILE.ts`, by npm, mocha and, through Pulumi.yaml, by `pulumi up`. Only
// types and imports are taken out, which keeps the start fast; every supported Node runs the rest as it stands.
// @ts-check
"use strict";

const { createHash } = require("node:crypto");
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");

const { addHook } = require("pirates");

/** What was taken out once is kept here, under a hash of all that it depends on: half of a start goes into it otherwise. */
const cache = path.join(__dirname, "../node_modules/.cache/register");
const { version } = require("sucrase/package.json");

// Without this the AWS SDK warns on Node 20, which its releases of 2027 no longer support. The pinned one does, and CI tests it. The
// SDK reads the variable when it makes a client (tried with 3.1169.0 on 2026-11-27).
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

// Where Node can (since 22.1), what V8 makes of each module is kept as well: a third of a start goes into it otherwise (tried with
// 22.23.3 on 2026-11-27).
/** @type {{ enableCompileCache?: (folder: string) => unknown }} */ (Module).enableCompileCache?.(
    path.join(cache, "../v8"),
);

// Zod loads the texts of 50 languages, which takes more than half of its time. Only the English ones are used here, and
// Zod loads those once more by themselves (4.6.7).
require.cache[require.resolve("zod/v4/locales")] = Object.assign(new Module(""), { loaded: true });

addHook(
    (code, file) => {
        const kept = path.join(cache, createHash("sha256").update(`${version}\0${file}\0${code}`).digest("hex"));
        return read(kept) ?? keep(kept, strip(code, file));
    },
    { exts: [".ts"] },
);

/** @param {string} code @param {string} filePath */
function strip(code, filePath) {
    const { transform } = require("sucrase");
    return transform(code, { transforms: ["imports", "typescript"], disableESTransforms: true, filePath }).code;
}

/** @param {string} file */
function read(file) {
    try {
        return fs.readFileSync(file, "utf8");
    } catch {
        return undefined;
    }
}

/**
 * Written whole or not at all, since other processes may read it; where nothing can be written, nothing is kept.
 *
 * @param {string} file
 * @param {string} code
 */
function keep(file, code) {
    try {
        fs.mkdirSync(cache, { recursive: true });
        fs.writeFileSync(`${file}.${process.pid}`, code);
        fs.renameSync(`${file}.${process.pid}`, file);
    } catch {
        // Slower the next time, and nothing else.
    }
    return code;
}
