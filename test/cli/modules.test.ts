import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** A project with packages, which keeps modules as this one does. */
const folder = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), "kof-modules-"));

function write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
        const file = path.join(folder, name);
        fs.mkdirSync(path.dirname(file), { recursive: true });
        fs.writeFileSync(file, text);
    }
}

/** What the program prints, and the files that Node has read as text for it: those that are not kept. */
function run(env: NodeJS.ProcessEnv = {}): { readonly said: any; readonly read: string[] } {
    const options = ["-r", "./spy.js", "-r", "./cli/modules.js"];
    const { stdout, stderr } = spawnSync(process.execPath, [...options, "main.js"], {
        cwd: folder,
        encoding: "utf8",
        env: { ...process.env, ...env },
    });
    assert.equal(stderr, "");
    const [said = "", read = ""] = stdout.trim().split("\n");
    return { said: JSON.parse(said), read: JSON.parse(read) as string[] };
}

describe("Modules that a start keeps", () => {
    before(() => {
        write({
            "cli/modules.js": fs.readFileSync("cli/modules.js", "utf8"),
            "spy.js": `
                const fs = require("fs");
                const path = require("path");
                const { readFileSync } = fs;
                const read = [];
                fs.readFileSync = (file, ...options) => {
                    if (/(node_modules.a..+|own)\\.js$/.test(file)) read.push(path.relative(__dirname, file));
                    return readFileSync(file, ...options);
                };
                process.on("exit", () => console.log(JSON.stringify(read)));`,
            "cli/register.js": "",
            "node_modules/sucrase/package.json": "{}",
            "node_modules/a/index.js":
                "exports.b = require('./b'); exports.where = [__filename, module.parent.filename];",
            "node_modules/a/b.js": `exports.fail = () => { throw new Error(); }; exports.text = "é€"; exports.all = [__dirname, require.main.id];`,
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
        });
    });

    after(() => {
        fs.rmSync(folder, { recursive: true });
    });

    const at = (name: string) => path.join(folder, name);
    const expected = {
        own: 1,
        where: [at("node_modules/a/index.js"), at("main.js")],
        text: "é€",
        all: [at("node_modules/a"), "."],
        at: "b.js:1:30",
        missing: "MODULE_NOT_FOUND",
        resolved: at("node_modules/a/index.js"),
        once: true,
        es: "es",
    };
    const packages = ["node_modules/a/index.js", "node_modules/a/b.js"];

    it("are read once, and behave as Node's own", () => {
        assert.deepEqual(run(), { said: expected, read: [...packages, "own.js"] });
        assert.deepEqual(run(), { said: expected, read: [] });
    });

    it("are read again after a change, and only those that have changed", () => {
        write({ "own.js": "exports.own = 2;" });
        assert.deepEqual(run(), { said: { ...expected, own: 2 }, read: ["own.js"] });
        write({ "node_modules/a/b.js": "exports.text = 'new'; exports.fail = () => { throw new Error() };" });
        const { said, read } = run();
        assert.deepEqual([said.text, said.own, read], ["new", 2, ["node_modules/a/b.js"]]);
        fs.rmSync(at("node_modules/a/b.js"));
        write({ "node_modules/a/b.json": `{ "text": "data" }` });
        assert.equal(run().said.text, "data");
    });

    it("give way to a file that is found before them", () => {
        write({ own: "exports.own = 3;" });
        assert.equal(run().said.own, 3);
        write({ "node_modules/a/package.json": `{ "main": "other.js" }` });
        write({ "node_modules/a/other.js": "exports.b = { text: 'other', fail() { throw new Error() } };" });
        assert.equal(run().said.text, "other");
    });

    it("are read again where what takes types out has changed, and where what is kept is not whole", () => {
        run();
        assert.deepEqual(run().read, []);
        write({ "cli/register.js": "// changed" });
        assert.ok(run().read.length > 0);
        assert.deepEqual(run().read, []);
        const folder = at("node_modules/.cache/modules");
        for (const name of fs.readdirSync(folder)) {
            fs.truncateSync(path.join(folder, name), fs.statSync(path.join(folder, name)).size - 1);
        }
        assert.ok(run().read.length > 0);
    });

    it("are left to Node where the user says so, and where nothing can be written", () => {
        assert.ok(run({ NODE_DISABLE_COMPILE_CACHE: "1" }).read.length > 0);
        fs.rmSync(at("node_modules/.cache"), { recursive: true });
        write({ "node_modules/.cache": "" });
        assert.equal(run().said.text, "other");
    });
});
