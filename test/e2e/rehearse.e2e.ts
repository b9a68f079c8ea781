import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { stringify } from "yaml";

import { programs } from "../../tools/build";
import { atEnd } from "../../tools/servers/children";
import { skipWithout } from "../../tools/servers/cluster";

const claim = "vlstorage-volume-kof-storage-victoria-logs-cluster-vlstorage-1";
const set = "kof-storage-victoria-logs-cluster-vlstorage";

// It has an API server, an engine and volumes of its own.
describe("rehearse", function () {
    this.timeout(15 * 60_000);
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-rehearse-"));
    before(async function () {
        try {
            await programs("kubernetes");
        } catch (error) {
            skipWithout(this, error);
        }
    });
    after(() => {
        fs.rmSync(folder, { recursive: true });
    });

    async function rehearse(config: object, ...args: readonly string[]) {
        const file = path.join(folder, "Pulumi.prod.yaml");
        const own = Object.entries(config).map(([key, value]) => [`kof:${key}`, value] as const);
        fs.writeFileSync(file, stringify({ config: Object.fromEntries(own) }));
        const command = ["-r", "./cli/register.js", "tools/rehearse.ts", "--config", file, ...args];
        // Whatever is there is not looked at.
        const nowhere = { KUBECONFIG: path.join(folder, "none"), AWS_ENDPOINT_URL: "http://127.0.0.1:9" };
        const child = spawn(process.execPath, command, { env: { ...process.env, ...nowhere } });
        atEnd(() => child.kill());
        let [stdout, stderr] = ["", ""];
        child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
        child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
        const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
        return { code, stdout, stderr };
    }

    const management = { route: "management", version: "1.9.0", storageClass: { name: "kof", preset: "aws-ebs" } };

    it("finds by itself, from 1.9 to 1.10, that StatefulSets refuse the new default size", async () => {
        const { code, stdout, stderr } = await rehearse(management, "--version", "1.10.0");
        assert.equal(code, 3, stdout + stderr);
        assert.match(
            stdout,
            new RegExp(
                `^- StatefulSet ${set} \\(2 x 50Gi -> 2 x 100Gi\\): .*updates to statefulset spec .* forbidden$`,
                "m",
            ),
        );
        assert.match(stdout, /^Pulumi\.prod\.yaml asks for a change that is refused[^]*^ +size: 50Gi$/m);
        // What the notes of KOF have done by hand, and what comes of it.
        assert.match(stdout, /^- HelmRelease kof-storage suspended\n- HelmRelease kof-collectors suspended$/m);
        assert.match(stdout, /^- leave kof-storage$/m);
        assert.doesNotMatch(stdout, /^- uninstall /m);
        for (const row of [
            "| kof-storage | 1.9.0 | not there |",
            "| kof-mothership | 1.9.0 | 1.10.0 |",
            `| ${set} | 2 x 50Gi of class kof | the same |`,
            "| vlstorage-audit-logs | not there | 2 x 100Gi of class kof |",
            `| ${claim} | 50Gi of class kof, Bound | the same |`,
        ]) {
            assert.ok(stdout.includes(`${row}\n`), `${row} in ${stdout}`);
        }
        assert.match(stdout, /^## What was imitated$/m);
    });

    it("finds nothing where the sizes stay", async () => {
        const storage = { logs: { size: "50Gi" }, traces: { size: "50Gi" } };
        const { code, stdout, stderr } = await rehearse({ ...management, storage }, "--version", "1.10.0");
        assert.equal(code, 0, stdout + stderr);
        assert.match(stdout, /^Nothing was refused\.$/m);
        assert.ok(stdout.includes(`| ${claim} | 50Gi of class kof, Bound | the same |\n`), stdout);
        assert.match(stdout, /^\| kof-child \| 1\.9\.0 \| 1\.10\.0 \|$/m);
    });

    it("has the KOF that a region was set up by, with what the stack asks of regions", async () => {
        const regional = {
            route: "regional",
            version: "1.9.0",
            regional: { cluster: "eu-1", domain: "eu-1.example.net" },
            regions: { storage: { logs: { size: "200Gi" } } },
        };
        const { code, stdout, stderr } = await rehearse(regional, "--version", "1.10.0", "--json");
        assert.equal(code, 0, stdout + stderr);
        const { from, to, refusals, after } = JSON.parse(stdout);
        assert.deepEqual([from, to, refusals], ["1.9.0", "1.10.0", []]);
        assert.ok(after.releases.some(({ name, what }: any) => name === "kof-regional" && what === "1.10.0"));
    });

    it("says what is missing, and refuses a version that is none", async () => {
        const without = await rehearse(management);
        assert.equal(without.code, 1);
        assert.match(without.stderr, /^--version is missing\.$[^]*^Usage: npm run rehearse/m);
        const unknown = await rehearse(management, "--version", "9.9.9");
        assert.equal(unknown.code, 1);
        assert.match(unknown.stderr, /^--version 9\.9\.9 is not supported\. Allowed: .*1\.10\.0/);
        const same = await rehearse(management, "--version", "1.9.0");
        assert.match(same.stderr, /is at KOF 1\.9\.0 already/);
    });
});
