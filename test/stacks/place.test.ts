import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import type { RunOptions } from "../../cli/offline";
import { runOffline } from "../../cli/program";
import { CouldNotCheck } from "../../core/lib/errors";
import { find, optionsOf, deploymentFor, routes, stackFile } from "../support";
import { clusterWith } from "./cluster";

const raw = routes.management!;
const settings = deploymentFor(raw).settings;
const folder = "kubernetes:renderYamlToDirectory";

describe("a stack stays where it is", () => {
    const run = (options: Partial<RunOptions>, more: Readonly<Record<string, string>> = {}) =>
        runOffline(stackFile(raw, more), { preview: true, ...options });
    const refusal = (options: Partial<RunOptions>, more?: Readonly<Record<string, string>>) =>
        run(options, more).then(
            () => assert.fail("no error"),
            (error: unknown) => {
                assert.equal((error as Error).name, "UserError", String(error));
                return (error as Error).message.split("\n\n").slice(1).join("\n\n");
            },
        );
    const namespace = (stack: string) => ({
        "/api/v1/namespaces/kof": { metadata: { name: "kof", annotations: { "kof-storage-routes/stack": stack } } },
    });
    const on = (uid: string, stack = "kof/test") => ({ settings, cluster: { uid, stack } });
    const cluster = clusterWith(namespace("kof/test"));

    it("remembers the cluster, whatever leads to it", async () => {
        const { outputs, resources } = await run({ cluster: clusterWith({}) });
        assert.deepEqual(outputs.cluster, { uid: "uid-1", stack: "kof/test" });
        const again = await run({ cluster, outputs: on("uid-1") }, { "kubernetes:context": "renamed" });
        assert.deepEqual(again.outputs.cluster, outputs.cluster);
        const provider = ({ resources }: Pick<typeof again, "resources">) =>
            find(resources, "pulumi:providers:kubernetes");
        assert.equal(provider(again).inputs.clusterIdentifier, provider({ resources }).inputs.clusterIdentifier);
    });

    it("has a provider that nothing replaces, unless the stack file says what does", async () => {
        const { resources } = await run({});
        assert.equal(find(resources, "pulumi:providers:kubernetes").inputs.clusterIdentifier, "kof-storage-routes");
        const own = await run({}, { "kubernetes:clusterIdentifier": "mine" });
        assert.equal(find(own.resources, "pulumi:providers:kubernetes").inputs.clusterIdentifier, "mine");
    });

    it("makes the provider of a new stack, and has the engine refuse to replace that of a deployed one", async () => {
        const hooks = async (options: Partial<RunOptions>) =>
            optionsOf(find((await run(options)).resources, "pulumi:providers:kubernetes")).hooks;
        assert.deepEqual(await hooks({ outputs: { settings } }), ["stays in place"]);
        assert.deepEqual(await hooks({}), []);
    });

    it("refuses another cluster", async () => {
        assert.equal(
            await refusal({ cluster, outputs: on("uid-0") }),
            "  kubernetes:context leads to another cluster (https://api.example.net, kube-system uid-1) than the one that this stack " +
                "runs on (kube-system uid-0): Pulumi would treat what it finds there as its own, and forget what runs on the first\n" +
                "    Allowed: that cluster, at any address and with any credentials; use a separate stack for another one (docs/clusters.md)",
        );
    });

    it("refuses a cluster that it cannot read", async () => {
        const blind = new CouldNotCheck("The API server https://api.example.net does not answer: no answer in time");
        assert.match(
            await refusal({ cluster: clusterWith({ "/api/v1/namespaces/kube-system": blind }) }),
            /^ {2}kubernetes:context leads to a cluster that could not be checked.* does not answer: no answer in time$/m,
        );
        assert.match(
            await refusal({ cluster: clusterWith({ "/api/v1/namespaces/kof": blind }) }),
            /could not be checked/,
        );
    });

    it("refuses a cluster where another stack runs, and names that", async () => {
        const other = clusterWith(namespace("kof/prod"));
        const text =
            "  kubernetes:context leads to a cluster (https://api.example.net) whose KOF belongs to another stack, kof/prod: the two would undo " +
            "each other's changes\n" +
            "    Allowed: that stack, or a cluster without KOF; if that stack is gone for good, remove its mark (docs/clusters.md): " +
            "kubectl annotate namespace kof kof-storage-routes/stack-";
        assert.equal(await refusal({ cluster: other }), text);
        assert.equal(await refusal({ cluster: other }, { "kof:adopt": "true" }), text);
        // Two that were there before stacks put their marks.
        assert.equal(await refusal({ cluster: other, outputs: { settings } }), text);
    });

    it("marks the cluster, again when it gets another name", async () => {
        const renamed = clusterWith(namespace("kof/before"));
        const { outputs, resources } = await run({ cluster: renamed, outputs: on("uid-1", "kof/before") });
        const { metadata } = find(resources, "kubernetes:core/v1:Namespace").inputs as any;
        assert.deepEqual(metadata.annotations, { "kof-storage-routes/stack": "kof/test" });
        assert.deepEqual(outputs.cluster, { uid: "uid-1", stack: "kof/test" });
    });

    it("refuses to go from a cluster to a folder, and back", async () => {
        assert.equal(
            await refusal({ outputs: on("uid-1") }, { [folder]: "clusters/prod" }),
            `  ${folder} is clusters/prod, but this stack runs on a cluster: Pulumi would forget what it made there, and write nothing\n` +
                "    Allowed: nothing, for this stack; use a separate stack for the folder (docs/clusters.md)",
        );
        assert.equal(
            await refusal({ cluster, outputs: { settings, cluster: { folder: "clusters/prod" } } }),
            `  ${folder} is missing, but this stack writes files to clusters/prod: Pulumi would treat them as objects on the cluster\n` +
                "    Allowed: the folder, for this stack; use a separate stack for the cluster (docs/clusters.md)\n" +
                `    Paste:   ${folder}: clusters/prod`,
        );
    });

    it("goes to another folder when its files have gone there", async () => {
        const root = fs.mkdtempSync(path.join(os.tmpdir(), "kof-"));
        const options = { outputs: { settings, cluster: { folder: "clusters/prod" } } };
        try {
            const to = path.join(root, "clusters/new");
            assert.equal(
                await refusal(options, { [folder]: to }),
                `  ${folder} is ${to}, which is empty, but this stack has written its files to clusters/prod: Pulumi would assume that ` +
                    `they are already written\n    Allowed: to move the files along first: git mv clusters/prod ${to}\n` +
                    `    Paste:   ${folder}: clusters/prod`,
            );
            // Where a checkout does not have the files, the same folder is the same all the same.
            await run(options, { [folder]: "clusters/prod" });
            fs.mkdirSync(path.join(to, "1-manifest"), { recursive: true });
            assert.deepEqual((await run(options, { [folder]: to })).outputs.cluster, { folder: to });
        } finally {
            fs.rmSync(root, { recursive: true });
        }
    });
});
