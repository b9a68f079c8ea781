import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { parse } from "yaml";

import { renderStack } from "../../cli/renderStack";
import { readStackFile } from "../../cli/stackFile";
import { commandHere } from "../support";

describe("npm run adopt", () => {
    let folder: string;
    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-"));
    });
    afterEach(() => {
        fs.rmSync(folder, { recursive: true });
    });

    function written(text: string): string {
        const file = path.join(folder, "kof-values.yaml");
        fs.writeFileSync(file, text);
        return file;
    }
    async function adopt(text: string, ...options: string[]) {
        return {
            ...(await commandHere("adopt", [written(text), ...options])),
            out: path.join(folder, "Pulumi.prod.yaml"),
        };
    }
    const out = () => ["--out", path.join(folder, "Pulumi.prod.yaml")];

    const values = `
kof-child: {values: {fromManagement: {toManagementCluster: {enabled: true}}}}
kof-mothership: {values: {promxy: {replicaCount: 1}, global: {storageClass: fast}}}`;

    it("writes a commented stack file that the program takes, with the same values in it", async () => {
        const file = path.join(folder, "Pulumi.prod.yaml");
        const { status, stdout, stderr } = await adopt(values, ...out(), "--version", "1.10.0");
        assert.deepEqual([status, stderr], [0, ""]);
        assert.match(stdout, /Pulumi\.prod\.yaml: route management, KOF 1\.10\.0\n/);
        assert.match(stdout, /What the program sets besides[^]*kof-child\.values\.fromManagement\.storage/);
        assert.match(
            fs.readFileSync(file, "utf8"),
            /^# yaml-language-server: \$schema=\S+stack-file\.schema\.json\n# Made by/,
        );
        const rendered = parse((await renderStack(readStackFile({ config: file })))["kof-values.yaml"]!);
        assert.deepEqual(rendered["kof-mothership"].values, {
            promxy: { replicaCount: 1 },
            global: { storageClass: "fast" },
        });
        const schema = /\$schema=(\S+)/.exec(fs.readFileSync(file, "utf8"))?.[1] ?? "";
        assert.ok(fs.existsSync(path.join(folder, schema)));
    });

    it("exits with 3 when something is not in the file", async () => {
        const { status, stdout } = await adopt(
            "kof-mothership: {values: {promxy: null}}",
            ...out(),
            "--version",
            "1.10.0",
        );
        assert.equal(status, 3);
        assert.match(stdout, /What the stack file cannot express:\n {2}- kof-mothership\.values\.promxy is null/);
    });

    it("names secrets first, and exits with 3", async () => {
        const secret = "\nkof-operators: {values: {x: {env: [{name: PASSWORD, value: hunter2}]}}}";
        const { status, stdout, out: file } = await adopt(values + secret, ...out(), "--version", "1.10.0");
        assert.equal(status, 3);
        assert.match(
            stdout,
            /^Secrets in plain text:\n {2}- kof-operators\.values\.x\.env\.0\.PASSWORD holds a secret[^]*\n\n\S+: route management/,
        );
        assert.doesNotMatch(stdout + fs.readFileSync(file, "utf8"), /hunter/);
    });

    it("refuses a file that holds no values", async () => {
        const {
            status,
            stdout,
            stderr,
            out: file,
        } = await adopt("apiVersion: v1\nkind: Secret\ndata: {a: aHVudGVyMg==}\n", ...out());
        assert.deepEqual([status, stdout, fs.existsSync(file)], [1, "", false]);
        assert.match(
            stderr,
            /^\S+ holds no values of KOF's charts: it is a Kubernetes manifest of Secret\. Nothing was written\./,
        );
        assert.doesNotMatch(stderr, /aHVud/);
    });

    it("overwrites nothing, and writes nothing when anything is missing", async () => {
        const file = path.join(folder, "Pulumi.prod.yaml");
        const ambiguous = await adopt(values, ...out());
        assert.equal(ambiguous.status, 1);
        assert.match(ambiguous.stderr, /does not tell which KOF version it is for\. It fits 1\.10\.0, 1\.11\.0-rc0\./);
        assert.equal(fs.existsSync(file), false);
        fs.writeFileSync(file, "mine");
        const { status, stdout, stderr } = await adopt(values, ...out(), "--version", "1.10.0");
        assert.deepEqual([status, stdout], [1, ""]);
        assert.match(stderr, /exists, and nothing was written\. Choose another --out, or move it away\.\n$/);
        assert.equal(fs.readFileSync(file, "utf8"), "mine");
    });

    it("says what is wrong with the command line", async () => {
        for (const [options, message] of [
            [[], /^--out is missing\.[^]*Usage: npm run adopt/],
            [[...out(), "--version", "1.7.0"], /^--version 1\.7\.0 is not supported\. Allowed: 1\.8\.0, /],
            [[...out(), "--region", "a/b/c"], /^--region a\/b\/c is not NAME or NAMESPACE\/NAME\./],
            [["more.yaml", ...out()], /^Give one values file, or --cluster\./],
        ] as const) {
            const { status, stderr } = await adopt(values, ...options);
            assert.equal(status, 1);
            assert.match(stderr, message);
        }
        assert.match(
            (await adopt(values, "--help")).stdout,
            /Exit code: 0 written; 2 written, [^]*; 3 written, [^]*;\n1 nothing was written\./,
        );
    });
});
