import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

describe("core/", () => {
    it("loads no module of Pulumi or of a cloud, in any of its folders", () => {
        const files = fs
            .readdirSync("core", { recursive: true, encoding: "utf8" })
            .filter((file) => file.endsWith(".ts"))
            .map((file) => `./core/${file}`);
        // By whom a module was loaded first tells which folder to look at.
        const script = `
            ${JSON.stringify(files)}.forEach((file) => require(file));
            for (const { filename, children } of Object.values(require.cache)) {
                children.forEach((child) => console.log(child.filename + " by " + filename));
            }`;
        const { stdout, stderr } = spawnSync(process.execPath, ["-r", "./cli/register.js", "-e", script], {
            encoding: "utf8",
            maxBuffer: 2 ** 26,
        });
        const loaded = stdout.split("\n");
        for (const folder of fs.readdirSync("core")) {
            assert.ok(
                loaded.some((line) => line.includes(`core/${folder}/`)),
                `${folder}: ${stderr}`,
            );
        }
        assert.deepEqual(
            loaded.filter((line) => /node_modules\/(@pulumi|@aws-sdk|@kubernetes|@grpc)\/.* by /.test(line)),
            [],
        );
    });
});

describe("test/", () => {
    it("has a test in the folder of what it tests", () => {
        const strays = fs
            .readdirSync("test", { recursive: true, encoding: "utf8" })
            .filter((file) => /\.(test|cluster|aws)\.ts$/.test(file))
            .map((file) => path.dirname(file));
        assert.deepEqual(
            strays.filter((folder) => !fs.existsSync(folder)),
            [],
        );
    });
});

describe("Names", () => {
    it("belong to one thing each: what a file exports, no other file of the program declares for itself", () => {
        const folders = ["core", "components", "live", "stacks", "cli", "tools", "policy"];
        const files = folders.flatMap((folder) =>
            fs
                .readdirSync(folder, { recursive: true, encoding: "utf8" })
                .filter((file) => file.endsWith(".ts"))
                .map((file) => `${folder}/${file}`),
        );
        const exported = new Set<string>();
        const owners = new Map<string, Set<string>>();
        for (const file of files) {
            for (const { name, isExported } of declarationsIn(file)) {
                owners.set(name, (owners.get(name) ?? new Set()).add(file));
                if (isExported) {
                    exported.add(name);
                }
            }
        }
        assert.ok(exported.size > 500);
        assert.deepEqual(
            [...exported].flatMap((name) => {
                const of = [...(owners.get(name) ?? [])];
                return of.length > 1 ? [`${name}: ${of.join(" ")}`] : [];
            }),
            [],
        );
    });
});

/** What a file declares outside its functions. Every declaration is on a line of its own, as the formatter has it. */
function declarationsIn(file: string): { readonly name: string; readonly isExported: boolean }[] {
    const declaration =
        /^(export )?(?:declare |abstract |async )*(?:const|let|function\*?|class|interface|type|enum) (\w+|[[{])/gm;
    return [...fs.readFileSync(file, "utf8").matchAll(declaration)].map(([line, exports, name = ""]) => {
        assert.ok(exports === undefined || /^\w/.test(name), `${file}: ${line}`);
        return { name, isExported: exports !== undefined };
    });
}
