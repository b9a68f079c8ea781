import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";

import * as ts from "typescript";

/** The folders of core/, each with all that its own files load. */
const folders = fs.readdirSync("core");

describe("core/", () => {
    for (const folder of folders) {
        it(`loads no module of Pulumi or of a cloud: ${folder}`, () => {
            const files = fs
                .readdirSync(`core/${folder}`, { recursive: true, encoding: "utf8" })
                .filter((file) => file.endsWith(".ts"))
                .map((file) => `./core/${folder}/${file}`);
            assert.ok(files.length > 0);
            const script = `${JSON.stringify(files)}.forEach((file) => require(file)); console.log(Object.keys(require.cache).join("\\n"))`;
            const { stdout, stderr } = spawnSync(process.execPath, ["-r", "./cli/register.js", "-e", script], {
                encoding: "utf8",
            });
            const loaded = stdout.split("\n");
            assert.ok(
                loaded.some((file) => file.includes(`core/${folder}/`)),
                stderr,
            );
            assert.deepEqual(
                loaded.filter((file) => /node_modules\/(@pulumi|@aws-sdk|@kubernetes|@grpc)\//.test(file)),
                [],
            );
        });
    }
});

describe("Names", () => {
    it("belong to one thing each: no two files of the program export the same name", () => {
        const folders = ["core", "components", "live", "stacks", "cli", "tools", "policy"];
        const files = folders.flatMap((folder) =>
            fs
                .readdirSync(folder, { recursive: true, encoding: "utf8" })
                .filter((file) => file.endsWith(".ts"))
                .map((file) => `${folder}/${file}`),
        );
        const owners = new Map<string, string[]>();
        for (const file of files) {
            for (const name of exportedBy(file)) {
                owners.set(name, [...(owners.get(name) ?? []), file]);
            }
        }
        assert.ok(owners.size > 500);
        assert.deepEqual(
            [...owners].filter(([, files]) => files.length > 1),
            [],
        );
    });
});

function exportedBy(file: string): string[] {
    const source = ts.createSourceFile(file, fs.readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
    return source.statements.flatMap((statement) => {
        const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
        if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) {
            return [];
        }
        if (ts.isVariableStatement(statement)) {
            return statement.declarationList.declarations.map(({ name }) => name.getText(source));
        }
        return "name" in statement && statement.name ? [(statement.name as ts.Node).getText(source)] : [];
    });
}
