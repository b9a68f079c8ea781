import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";

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
