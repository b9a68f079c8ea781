import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** A project with packages, of whose modules is kept what is kept here. */
const folder = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), "kof-modules-"));
const at = (name: string) => path.join(folder, name);
const cache = at("node_modules/.cache/modules");

function write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
        fs.mkdirSync(path.dirname(at(name)), { recursive: true });
        fs.writeFileSync(at(name), text);
    }
}

/** The file with what is kept, and which one it is: every time that something is kept, it is another one. */
function stored(): { readonly file: string; readonly inode: number } | undefined {
    const [name, ...others] = fs.existsSync(cache) ? fs.readdirSync(cache) : [];
    assert.deepEqual(others, []);
    const file = path.join(cache, name ?? "");
    return name === undefined ? undefined : { file, inode: fs.statSync(file).ino };
}

/** What a program prints, and whether all of its modules were kept. */
function run({
    program = "main.js",
    hook = "",
    env = {},
}: { program?: string; hook?: string; env?: NodeJS.ProcessEnv } = {}) {
    // Held open, so that another file does not get its inode.
    const before = stored();
    const handle = fs.openSync(before?.file ?? folder, "r");
    const options = [...(hook === "" ? [] : ["-r", hook]), "-r", "./cli/modules.js", program];
    const { stdout, stderr } = spawnSync(process.execPath, options, {
        cwd: folder,
        encoding: "utf8",
        env: { ...process.env, ...env },
    });
    const isKept = stored()?.inode === (before?.inode ?? Number.NaN);
    fs.closeSync(handle);
    assert.equal(stderr, "");
    return { said: JSON.parse(stdout), isKept };
}

describe("What V8 makes of modules", () => {
    before(() => {
        write({
            "cli/modules.js": fs.readFileSync("cli/modules.js", "utf8"),
            "node_modules/a/index.js":
                "exports.b = require('./b'); exports.where = [__filename, module.parent.filename];",
            "node_modules/a/b.js": `exports.fail = () => { throw new Error(); }; exports.text = "é€"; exports.all = [__dirname, require.main.id, this === exports];`,
            "node_modules/es/index.mjs": "export default 'es';",
            "node_modules/es/package.json": `{ "exports": "./index.mjs" }`,
            "own.js": "exports.own = 1;",
            "main.js": `
                const { b, where } = require("a");
                const { own } = require("./own");
                const thrown = (call) => { try { call(); } catch (error) { return error; } };
                import("es").then((es) => console.log(JSON.stringify({
                    own,
                    where,
                    text: b.text,
                    all: b.all,
                    at: /b\\.js:\\d+:\\d+/.exec(thrown(b.fail).stack)?.[0],
                    missing: thrown(() => require("none")).code,
                    resolved: require.resolve("a"),
                    once: require.cache[require.resolve("a")].exports.b === b,
                    es: es.default,
                })));`,
            "other.js": `console.log(JSON.stringify(require("./another")));`,
            "another.js": "module.exports = 'another';",
            "hook.js": `
                const load = require.extensions[".js"];
                require.extensions[".js"] = (module, file) => {
                    const compile = module._compile;
                    module._compile = (text, ...others) => {
                        module._compile = compile;
                        return module._compile(text.replace("exports.own =", "exports.own = 10 +"), ...others);
                    };
                    load(module, file);
                };`,
        });
    });

    after(() => {
        fs.rmSync(folder, { recursive: true });
    });

    const expected = {
        own: 1,
        where: [at("node_modules/a/index.js"), at("main.js")],
        text: "é€",
        all: [at("node_modules/a"), ".", true],
        at: "b.js:1:30",
        missing: "MODULE_NOT_FOUND",
        resolved: at("node_modules/a/index.js"),
        once: true,
        es: "es",
    };

    it("is kept, and they behave as Node's own", () => {
        assert.deepEqual(run(), { said: expected, isKept: false });
        assert.deepEqual(run(), { said: expected, isKept: true });
    });

    it("is kept for several programs", () => {
        assert.deepEqual(run({ program: "other.js" }), { said: "another", isKept: false });
        assert.deepEqual(run({ program: "other.js" }), { said: "another", isKept: true });
        assert.deepEqual(run(), { said: expected, isKept: true });
    });

    it("is made again for a changed module, by a change of the same length and time as well", () => {
        const { atime, mtime } = fs.statSync(at("own.js"));
        write({ "own.js": "exports.own = 2;" });
        fs.utimesSync(at("own.js"), atime, mtime);
        assert.deepEqual(run(), { said: { ...expected, own: 2 }, isKept: false });
        assert.deepEqual(run(), { said: { ...expected, own: 2 }, isKept: true });
        fs.rmSync(at("another.js"));
        write({ "another.json": `"data"` });
        assert.equal(run({ program: "other.js" }).said, "data");
    });

    it("is made again where something else changes modules as they load, as coverage does", () => {
        assert.equal(run({ hook: "./hook.js" }).said.own, 12);
        assert.equal(run().said.own, 2);
    });

    it("is made again where what is kept is damaged, which V8 does not look for", () => {
        run();
        const { file } = stored()!;
        const whole = fs.readFileSync(file);
        const start = whole.indexOf("\n");
        const damaged = [0.2, 0.9].map((part) => {
            const bytes = Buffer.from(whole);
            const place = start + Math.floor(part * (whole.length - start));
            bytes.fill(0xff, place, place + 20);
            return bytes;
        });
        for (const bytes of [...damaged, whole.subarray(0, -1)]) {
            fs.writeFileSync(file, bytes);
            assert.deepEqual(run(), { said: { ...expected, own: 2 }, isKept: false });
            assert.equal(run().isKept, true);
        }
    });

    it("is not kept where the user says so, and where nothing can be written", () => {
        fs.rmSync(cache, { recursive: true });
        assert.equal(run({ env: { NODE_DISABLE_COMPILE_CACHE: "1" } }).said.own, 2);
        assert.ok(!fs.existsSync(cache));
        fs.rmSync(at("node_modules/.cache"), { recursive: true });
        write({ "node_modules/.cache": "" });
        assert.equal(run().said.own, 2);
    });
});
