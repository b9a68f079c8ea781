import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { parse, stringify } from "yaml";

import { TestCluster } from "../../tools/servers/cluster";
import type { AnyObject } from "../../tools/servers/crds";
import { startServer } from "../../tools/servers/server";
import type { Outcome } from "../../tools/engine/stack";
import { endToEnd, fluxPaths, namespace, succeed } from "./run";

const storageClass = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name: "kof" } };

/** What the engine says of a command that was refused. */
async function refused(outcome: Promise<Outcome>): Promise<string> {
    const { ok, output } = await outcome;
    assert.ok(!ok, output);
    return output;
}

endToEnd("where a stack runs", (run) => {
    const settings = run.routes.none!;
    const configure = (more: Readonly<Record<string, unknown>> = {}, stack = run.stack) => {
        stack.configure({ ...settings, chart: run.chart }, more);
    };
    /** Everything on the cluster that a replacement would recreate. */
    const uids = async () => {
        const releases = await run.cluster.api.list<AnyObject>(fluxPaths.HelmRelease);
        const objects = [...releases, await run.cluster.read(namespace), await run.cluster.read(storageClass)];
        return objects.map((object) => object?.metadata.uid as string);
    };
    const withFolder = async (use: (folder: string) => Promise<void>) => {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-folder-"));
        try {
            await use(folder);
        } finally {
            fs.rmSync(folder, { recursive: true });
        }
    };

    it("is the same cluster at another address, with another CA, other credentials and another context", async () => {
        await run.deploy(settings);
        const before = await uids();
        const original = parse(fs.readFileSync(run.cluster.kubeconfig, "utf8"));
        const changed = atAnotherAddress(await otherToken());
        const ways = [
            { "kubernetes:kubeconfig": fs.readFileSync(run.cluster.kubeconfig, "utf8") },
            { "kubernetes:kubeconfig": stringify(changed) },
            {
                "kubernetes:kubeconfig": stringify({ ...changed, "current-context": "" }),
                "kubernetes:context": "renamed",
            },
            { "kubernetes:kubeconfig": run.cluster.kubeconfig, "kubernetes:cluster": original.clusters[0].name },
            {},
        ];
        for (const way of ways) {
            configure(way);
            const said = await succeed(run.stack.up());
            assert.match(said, /~ 1 updated\n/);
            assert.doesNotMatch(said, /replace/);
            assert.deepEqual(await uids(), before);
            await succeed(run.stack.expectNoChanges());
        }
    });

    /** A kubeconfig that leads to the same cluster, with nothing in it as it was. */
    function atAnotherAddress(token: string) {
        const { cluster } = parse(fs.readFileSync(run.cluster.kubeconfig, "utf8")).clusters[0];
        const ca = Buffer.from(cluster["certificate-authority-data"] as string, "base64").toString();
        const moved = {
            server: (cluster.server as string).replace("127.0.0.1", "localhost"),
            "tls-server-name": "kubernetes",
            "certificate-authority-data": Buffer.from(ca + ca).toString("base64"),
        };
        return {
            apiVersion: "v1",
            kind: "Config",
            clusters: [{ name: "moved", cluster: moved }],
            users: [{ name: "deployer", user: { token } }],
            contexts: [{ name: "renamed", context: { cluster: "moved", user: "deployer" } }],
            "current-context": "renamed",
        };
    }

    /** A token of somebody else who may do everything. */
    async function otherToken(): Promise<string> {
        const account = {
            apiVersion: "v1",
            kind: "ServiceAccount",
            metadata: { name: "deployer", namespace: "default" },
        };
        const group = "rbac.authorization.k8s.io";
        await run.cluster.apply(account, {
            apiVersion: `${group}/v1`,
            kind: "ClusterRoleBinding",
            metadata: { name: "deployer" },
            roleRef: { apiGroup: group, kind: "ClusterRole", name: "cluster-admin" },
            subjects: [{ kind: "ServiceAccount", name: "deployer", namespace: "default" }],
        });
        const { status, body } = await run.cluster.api.request(
            "POST",
            "/api/v1/namespaces/default/serviceaccounts/deployer/token",
            {
                headers: { "content-type": "application/json" },
                body: JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} }),
            },
        );
        assert.equal(status, 201, body);
        return (JSON.parse(body) as { status: { token: string } }).status.token;
    }

    it("is no other cluster, and no folder: refused before anything is touched", async () => {
        await run.deploy(settings);
        const before = { uids: await uids(), outputs: run.stack.outputs() };
        const server = await startServer();
        const { KUBECONFIG } = process.env;
        try {
            const other = new TestCluster(server.kubeconfig);
            process.env.KUBECONFIG = server.kubeconfig;
            configure();
            for (const command of [() => run.stack.preview(), () => run.stack.up(), () => run.stack.destroy(true)]) {
                assert.match(await refused(command()), /kubernetes:context leads to another cluster/);
            }
            process.env.KUBECONFIG = KUBECONFIG;
            configure({ "kubernetes:kubeconfig": fs.readFileSync(server.kubeconfig, "utf8") });
            assert.match(await refused(run.stack.up()), /kubernetes:context leads to another cluster/);
            assert.equal(await other.read(namespace), undefined);
        } finally {
            process.env.KUBECONFIG = KUBECONFIG;
            await server.stop();
        }
        await withFolder(async (folder) => {
            configure({ "kubernetes:renderYamlToDirectory": path.join(folder, "prod") });
            assert.match(
                await refused(run.stack.up()),
                /renderYamlToDirectory is .*, but this stack runs on a cluster/,
            );
            assert.deepEqual(fs.readdirSync(folder), []);
        });
        assert.deepEqual({ uids: await uids(), outputs: run.stack.outputs() }, before);
        configure();
        await succeed(run.stack.expectNoChanges());
    });

    it("is no cluster that another stack runs on", async () => {
        await run.deploy(settings);
        const before = await uids();
        const other = await run.otherStack({ name: "other", besides: run.stack });
        configure({}, other);
        assert.match(await refused(other.up()), /whose KOF belongs to another stack, kof\/e2e/);
        configure({ "kof:adopt": true }, other);
        assert.match(await refused(other.preview()), /whose KOF belongs to another stack, kof\/e2e/);
        assert.deepEqual(await uids(), before);
    });

    it("is no cluster where something is that the stack has not made, unless it adopts it", async () => {
        await run.cluster.apply(namespace);
        try {
            configure();
            assert.match(await refused(run.stack.up()), /kof:adopt is false, but the cluster .* Namespace kof\n/);
            const { uid } = (await run.cluster.read(namespace)).metadata;
            configure({ "kof:adopt": true });
            await succeed(run.stack.up());
            assert.equal((await run.cluster.read(namespace)).metadata.uid, uid);
            await succeed(run.stack.expectNoChanges());
        } finally {
            await run.stack.destroy();
            await run.cluster.remove(namespace);
        }
    });

    it("is a folder, which moves with its files and is never a cluster", async () => {
        await withFolder(async (root) => {
            const [before, after] = [path.join(root, "before"), path.join(root, "after")];
            const files = (folder: string) => fs.readdirSync(path.join(folder, "1-manifest"));
            configure({ "kubernetes:renderYamlToDirectory": before });
            await succeed(run.stack.up());
            const written = files(before);
            assert.ok(written.some((file) => file.includes("helmrelease")));
            assert.equal(await run.cluster.read(namespace), undefined);

            configure({ "kubernetes:renderYamlToDirectory": after });
            assert.match(await refused(run.stack.up()), /to move the files along first: git mv /);
            assert.deepEqual(fs.readdirSync(root), ["before"]);
            fs.renameSync(before, after);
            assert.match(await succeed(run.stack.up()), /~ 2 updated\n/);
            assert.deepEqual([fs.readdirSync(root), files(after)], [["after"], written]);
            await succeed(run.stack.expectNoChanges());

            const contents = () =>
                files(after).map((file) => fs.readFileSync(path.join(after, "1-manifest", file), "utf8"));
            const bytes = contents();
            await succeed(run.stack.destroy());
            assert.deepEqual(files(after), []);
            await succeed(run.stack.up());
            assert.deepEqual(contents(), bytes);
            configure({ "kubernetes:renderYamlToDirectory": after, "kof:adopt": true });
            await succeed(run.stack.up());
            assert.deepEqual(contents(), bytes);

            const withoutClass = {
                ...settings,
                chart: run.chart,
                storageClass: { create: false, name: "kof" },
                acknowledge: "class kof create true->false",
            };
            run.stack.configure(withoutClass, { "kubernetes:renderYamlToDirectory": after });
            await succeed(run.stack.up());
            assert.deepEqual(
                files(after),
                written.filter((file) => !file.includes("storageclass")),
            );

            configure();
            assert.match(await refused(run.stack.up()), /but this stack writes files to/);
            configure({ "kubernetes:renderYamlToDirectory": after });
            await succeed(run.stack.destroy());
        });
    });

    it("is kept by the engine where the provider would be replaced all the same", async () => {
        await run.deploy(settings);
        const before = await uids();
        configure({ "kubernetes:clusterIdentifier": "another" });
        assert.match(await refused(run.stack.preview()), /before hook "stays in place" failed/);
        assert.match(await refused(run.stack.up()), /would have Pulumi replace every object of this stack/);
        assert.deepEqual(await uids(), before);
        configure();
        await succeed(run.stack.expectNoChanges());

        // As a version of this program that set no identifier has left it.
        const forgetIdentifier = () =>
            run.stack.rewrite((state) =>
                JSON.parse(JSON.stringify(state).replaceAll('"clusterIdentifier":"kof-storage-routes",', "")),
            );
        await forgetIdentifier();
        const kubeconfig = fs.readFileSync(run.cluster.kubeconfig, "utf8");
        configure();
        assert.doesNotMatch(await succeed(run.stack.preview()), /replace/);
        await succeed(run.stack.up());
        assert.deepEqual(await uids(), before);
        configure({ "kubernetes:kubeconfig": kubeconfig });
        await succeed(run.stack.up());
        await forgetIdentifier();
        configure({ "kubernetes:kubeconfig": stringify(atAnotherAddress(await otherToken())) });
        assert.match(await refused(run.stack.up()), /before hook "stays in place" failed/);
        assert.deepEqual(await uids(), before);
        // Without it, with KUBECONFIG.
        configure();
        await succeed(run.stack.up());
        assert.deepEqual(await uids(), before);
    });
});
