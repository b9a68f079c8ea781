import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";

import { parse } from "yaml";

/** What a script prints in a process of its own, by default with the options that commands have. */
function printed(script: string, options = "-r ./cli/register.js"): string {
    // What is kept of a user's start stays as it is.
    const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: "1" };
    const all = [...options.split(" "), "-e", script];
    const { stdout, stderr } = spawnSync(process.execPath, all, { encoding: "utf8", env });
    assert.notEqual(stdout, "", stderr);
    return stdout;
}

/** The modules that have been loaded: what stands for one until somebody asks for it has no file name. */
const modules = `[
    ...Object.entries(require.cache).flatMap(([file, { filename }]) => (filename ? [file] : [])),
    ...process.moduleLoadList,
]`;

/** Of Kubernetes' client all but what reads a kubeconfig; and compilers. */
const heavy = /node_modules\/(@kubernetes\/(?!client-node\/dist\/config_types\.js$)|typescript\/|@npmcli\/arborist\/)/;

/** Reaches for a cluster as most do. Nobody has to answer. */
const askCluster = `require("./live/kubernetes").Kubernetes.connect({ kubeconfig: JSON.stringify({
    clusters: [{ name: "a", cluster: { server: "https://127.0.0.1:1" } }],
    users: [{ name: "a", user: { token: "t" } }],
    contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
    "current-context": "a",
}) }).get("/").catch(() => undefined)`;

/** The modules that a process loads which Pulumi starts, and which previews a stack offline and reaches for a cluster. */
function loadedBy(stackFile: string): string[] {
    const project = parse(fs.readFileSync("Pulumi.yaml", "utf8")) as { runtime: { options: { nodeargs: string } } };
    const script = `
        const { readStackFile } = require("./cli/stackFile");
        require("./cli/program")
            .runOffline(readStackFile({ config: ${JSON.stringify(stackFile)} }), { preview: true })
            .then(() => ${askCluster})
            .then(() => console.log(${modules}.join("\\n")));`;
    const loaded = printed(script, project.runtime.options.nodeargs).split("\n");
    assert.ok(loaded.some((file) => file.endsWith("/stacks/environment.ts")));
    return loaded;
}

/** What of AWS a process has loaded: `s3`, `iam`. */
function services(loaded: readonly string[]): string[] {
    return [...new Set(loaded.flatMap((file) => /@pulumi\/aws\/(\w+)\/\w+\.js$/.exec(file)?.slice(1) ?? []))].sort();
}

describe("A program loads", () => {
    it("for a stack nothing that only other stacks need, no compiler and no other languages: dev", () => {
        const unneeded =
            /internal\/deps\/undici|\/node_modules\/(@pulumi\/(aws|random)|@aws-sdk)\/|\/zod\/v4\/locales\/(?!en\.)|\/core\/(adopt|review\/(capacity|report|summary))\//;
        assert.deepEqual(
            loadedBy("Pulumi.dev.yaml").filter((file) => unneeded.test(file) || heavy.test(file)),
            [],
        );
    });

    for (const [file, wanted] of Object.entries({
        "examples/Pulumi.cloudwatch.yaml": ["cloudwatch", "eks", "iam"],
        "examples/Pulumi.archives.yaml": ["eks", "iam", "s3"],
    })) {
        it(`for a stack of AWS what that declares: ${file}`, () => {
            assert.deepEqual(services(loadedBy(file)), wanted);
        });
    }

    it("no compiler, and of Kubernetes' client what reads a kubeconfig: npm run render, npm run doctor", () => {
        const script = `require("./cli/render"); require("./cli/doctor"); console.log(${modules}.join("\\n"));`;
        const loaded = printed(script).split("\n");
        for (const command of ["render", "doctor"]) {
            assert.ok(loaded.some((file) => file.endsWith(`/cli/${command}.ts`)));
        }
        assert.deepEqual(
            loaded.filter((file) => heavy.test(file)),
            [],
        );
    });

    it("what Pulumi needs to put a function into its state when that is asked for", () => {
        const compilers = `${modules}.filter((file) => /node_modules.(typescript|@npmcli.arborist)./.test(file)).length > 0`;
        const script = `
            require("./cli/unused");
            const { runtime } = require("@pulumi/pulumi");
            const before = ${compilers};
            Promise.all([runtime.serializeFunction(() => 42), runtime.computeCodePaths()]).then(([{ text }, paths]) => {
                console.log(before, text.includes("() => 42"), paths.size > 0, ${compilers});
            });`;
        assert.equal(printed(script), "false true true true\n");
    });
});
