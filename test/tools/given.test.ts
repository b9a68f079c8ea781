import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import type * as build from "../../tools/build";
import { prepareEngine } from "../../tools/engine/engine";
import { prepareUmbrella, versionsToDeploy } from "../../tools/engine/umbrella";
import { startCluster } from "../../tools/servers/cluster";
import { HttpStandIn } from "../../tools/servers/standins";

let folder: string;
let environment: NodeJS.ProcessEnv;

// Hooks of no suite would be everybody's in a run of one process.
describe("What is given to the suites", () => {
    beforeEach(() => {
        environment = { ...process.env };
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-given-"));
    });
    afterEach(() => {
        process.env = environment;
        fs.rmSync(folder, { recursive: true });
    });

    describe("a program that the suites run against", () => {
        it("is built once, and again when go.sum changes", async () => {
            const kept = path.join(folder, "cache/kof-storage-routes");
            const source = path.join(folder, "tools/modules/yaml");
            fs.cpSync("tools/modules/yaml", source, { recursive: true });
            fs.cpSync("tools/build.ts", path.join(folder, "tools/build.ts"));
            for (const name of ["core", "node_modules"]) {
                fs.symlinkSync(path.resolve(name), path.join(folder, name));
            }
            process.env.XDG_CACHE_HOME = path.join(folder, "cache");
            const { programs, MissingTool } = (await import(path.join(folder, "tools/build.ts"))) as typeof build;

            program("go", "exit 1");
            await assert.rejects(programs("yaml"), MissingTool);
            assert.equal(fs.existsSync(kept), false);

            // `go build … -o FILE PACKAGE`
            program(
                "go",
                `[ "$1" = version ] || { [ "$1" = build ] && while [ $# -gt 2 ]; do shift; done; mkdir -p "$(dirname "$1")"; echo built > "$1"; }`,
            );
            const first = await programs("yaml");
            assert.equal(fs.readFileSync(path.join(first, "yaml"), "utf8"), "built\n");
            program("go", "exit 1");
            assert.equal(await programs("yaml"), first);
            fs.appendFileSync(path.join(source, "go.sum"), "example.net/other v1.0.0 h1:x\n");
            await assert.rejects(programs("yaml"), MissingTool);
            assert.deepEqual(fs.readdirSync(kept), [path.basename(first)]);
        });
    });

    describe("the end-to-end suite", () => {
        it("is of KOF 1.9.0 and 1.10.0, unless KOF_VERSION or a chart in KOF_CHART says otherwise", () => {
            delete process.env.KOF_VERSION;
            assert.deepEqual(versionsToDeploy(), ["1.9.0", "1.10.0"]);
            process.env.KOF_VERSION = "1.8.0,1.10.0";
            assert.deepEqual(versionsToDeploy(), ["1.8.0", "1.10.0"]);
            process.env.KOF_CHART = "oci://registry.example.net/kof";
            process.env.KOF_VERSION = "1.9.0";
            assert.deepEqual([versionsToDeploy(), prepareUmbrella("1.9.0").chart], [["1.9.0"], process.env.KOF_CHART]);
            process.env.KOF_CHART = folder;
            fs.writeFileSync(path.join(folder, "Chart.yaml"), "version: 1.8.0\n");
            const { chart, remove } = prepareUmbrella("1.8.0");
            remove();
            assert.deepEqual([versionsToDeploy(), chart, fs.existsSync(folder)], [["1.8.0"], folder, true]);
        });

        it("runs the Pulumi that is installed, with its own providers and language host", async () => {
            program("pulumi", `echo "installed $*"`);
            program("pulumi-language-nodejs", "");
            const { root, env, policyPack } = await prepareEngine();
            const { stdout } = spawnSync(path.join(root, "bin/pulumi"), ["version"], { encoding: "utf8" });
            assert.equal(stdout, "installed version\n");
            assert.deepEqual(fs.readdirSync(path.join(root, "bin")), ["pulumi"]);
            assert.deepEqual(Object.keys(env), ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_SKIP_UPDATE_CHECK"]);
            assert.equal(policyPack, path.resolve("policy"));
        });

        it("runs on the cluster of KUBECONFIG, by one file at a time, and refuses one with KOF", async () => {
            const server = await HttpStandIn.start(() => [200, "{}"]);
            process.env.KUBECONFIG = path.join(folder, "kubeconfig");
            const address = `http://127.0.0.1:${String(server.port)}`;
            const [cluster, context] = [{ server: address }, { cluster: "given", user: "given" }];
            const kubeconfig = {
                ...{ apiVersion: "v1", kind: "Config", "current-context": "given" },
                clusters: [{ name: "given", cluster }],
                contexts: [{ name: "given", context }],
                users: [{ name: "given", user: {} }],
            };
            fs.writeFileSync(process.env.KUBECONFIG, JSON.stringify(kubeconfig));
            try {
                await assert.rejects(
                    startCluster(),
                    new RegExp(`The cluster of KUBECONFIG \\(${address}/?\\) has a namespace kof`),
                );
            } finally {
                await server.stop();
            }
            for (const configuration of ["e2e/mocharc.js", "cluster.mocharc.js"]) {
                const file = path.resolve("test", configuration);
                const jobs = () => {
                    const { stdout } = spawnSync(process.execPath, ["-p", `require(${JSON.stringify(file)}).jobs`], {
                        encoding: "utf8",
                    });
                    return Number(stdout);
                };
                assert.equal(jobs(), 1);
                delete process.env.KUBECONFIG;
                assert.ok(jobs() > 1);
                process.env.KUBECONFIG = path.join(folder, "kubeconfig");
            }
        });
    });
});

/** Puts a program before all others on PATH. */
function program(name: string, script: string): void {
    const bin = path.join(folder, "bin");
    fs.mkdirSync(bin, { recursive: true });
    fs.writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    process.env.PATH = `${bin}:${environment.PATH ?? ""}`;
}
