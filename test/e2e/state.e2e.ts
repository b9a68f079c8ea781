import assert from "node:assert/strict";

import { CloudWatchLogsClient, DeleteLogGroupCommand, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";

import type { Raw } from "../support";
import { endToEnd, fluxPaths, namespace, succeed } from "./run";

const logGroup = "aws:cloudwatch/logGroup:LogGroup";
const stash = "pulumi:index:Stash";
const release = { apiVersion: "helm.toolkit.fluxcd.io/v2", kind: "HelmRelease" };

// Tried with Pulumi 3.274.1 on 2026-11-27.
endToEnd("a stack's state", (run) => {
    const { routes, aws } = run;
    const releases = async () => {
        const found = await run.cluster.api.list<any>(fluxPaths.HelmRelease);
        return found.map(({ metadata }) => [metadata.name, metadata.uid, metadata.generation] as unknown[]);
    };

    it("is what pulumi refresh finds, and what is gone comes back with the next up", async () => {
        await run.deploy({ ...routes.cloudwatch, grafana: { enabled: true } });
        const { logGroups: made } = run.stack.outputs();
        await succeed(run.stack.refresh());
        await succeed(run.stack.expectNoChanges());

        const client = new CloudWatchLogsClient({ region: aws.region });
        await client.send(new DeleteLogGroupCommand({ logGroupName: aws.logGroup }));
        await run.cluster.remove({ ...release, metadata: { name: "kof-child", namespace: "kof" } });
        assert.match(await succeed(run.stack.refresh()), /- 2 deleted/);
        const output = await succeed(run.stack.up());
        assert.match(output, /HelmRelease kof:kof\/kof-child created/);
        assert.deepEqual(await run.objects(), run.expectedObjects(routes.cloudwatch!));
        const { logGroups } = await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: aws.logGroup }));
        assert.equal(logGroups?.length, made.length);
        await succeed(run.stack.expectNoChanges());
    });

    const kept = (retention: string): Raw => ({ ...routes.management, storage: { logs: { retention } } });

    for (const [targetDependents, after, change] of [
        [false, "", undefined],
        [true, " and --target-dependents", undefined],
        [false, " after version 0.1.0", withoutStash],
    ] as const) {
        it(`remembers nothing of an up with --target${after}`, async () => {
            await run.deploy(kept("30d"));
            await run.stack.rewrite(change ?? ((state) => state));
            const before = run.stack.outputs();
            const shorter = kept("7d");
            const permitted = await run.permitted(shorter);
            run.configure(permitted);
            const target = ["**HelmRelease::kof:kof/kof-operators"];
            assert.doesNotMatch(await succeed(run.stack.up({ target, targetDependents })), /Undefined value/);
            assert.deepEqual(run.stack.outputs(), { ...before, acknowledged: [] });

            run.configure(shorter);
            const { ok, output } = await run.stack.up();
            assert.ok(!ok && output.includes("asks for a change that is refused"), output);
            run.configure(permitted);
            await succeed(run.stack.up());
            assert.equal(run.stack.outputs().settings.storage.logs.retention, "7d");
            run.configure(shorter);
            assert.doesNotMatch(await succeed(run.stack.expectNoChanges()), /Undefined value/);
        });
    }

    it("is that of no deployment after the first up with --target", async () => {
        run.configure(routes.none!);
        const refused = await run.stack.up({ target: ["**HelmRelease::kof:kof/kof-operators"] });
        assert.match(refused.output, /depends on '.*' which was was not specified in --target list/);
        await succeed(run.stack.up({ target: ["**Namespace::kof", "**::kubernetes"] }));
        assert.ok(await run.cluster.read(namespace));
        assert.deepEqual(run.stack.outputs(), {});
        await succeed(run.stack.up());
        assert.deepEqual(await run.objects(), run.expectedObjects(routes.none!));
    });

    it("is taken for that of a whole deployment after an up with --exclude", async () => {
        await run.deploy(kept("30d"));
        const permitted = await run.permitted(kept("7d"));
        run.configure(permitted);
        const before = await releases();
        // What the stack remembers, and the alert rules.
        assert.match(
            await succeed(run.stack.up({ exclude: [`**HelmRelease::kof:kof/${run.storageRelease}`] })),
            /~ 2 updated\n/,
        );
        assert.deepEqual(await releases(), before);
        assert.equal(run.stack.outputs().settings.storage.logs.retention, "7d");
        run.configure(kept("7d"));
        assert.match(await succeed(run.stack.up()), new RegExp(`HelmRelease kof:kof/${run.storageRelease} updated`));
        await succeed(run.stack.expectNoChanges());
    });

    for (const isProtected of [true, false]) {
        const becomes = isProtected
            ? "stays by default, and fails the next up"
            : "is deleted by the next up, unprotected";
        it(`that is imported and not declared ${becomes}`, async () => {
            const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "other", namespace: "kof" } };
            const type = "kubernetes:core/v1:ConfigMap";
            await run.deploy(routes.none!);
            await run.cluster.apply(object);
            const imported = ["import", type, "other", "kof/other", "--yes", "--skip-preview", "--generate-code=false"];
            await succeed(run.stack.command(...imported, ...(isProtected ? [] : ["--protect=false"])));
            assert.match((await run.stack.preview()).output, /ConfigMap other delete/);
            const { ok, output } = await run.stack.up();
            if (isProtected) {
                assert.ok(!ok && /cannot be deleted\s+because it is protected/.test(output), output);
                assert.ok(await run.cluster.read(object));
                const urn = await run.stack.urn(type, "other");
                await succeed(run.stack.command("state", "delete", urn, "--force", "--yes"));
            }
            assert.equal((await run.cluster.read(object)) !== undefined, isProtected);
            await succeed(run.stack.expectNoChanges());
        });
    }

    it("goes along when the stack is renamed, and replaces nothing", async () => {
        await run.deploy(routes.cloudwatch!);
        const before = await releases();
        await run.stack.rename("renamed");
        try {
            assert.doesNotMatch(await succeed(run.stack.preview()), /create|delete|replace/);
            assert.match(await succeed(run.stack.up()), /~ \d+ updated\n/);
            assert.deepEqual(await releases(), before);
            assert.equal(run.stack.outputs().cluster.stack, "kof/renamed");
            await succeed(run.stack.expectNoChanges());
        } finally {
            await run.stack.rename("e2e");
        }
        await succeed(run.stack.up());
    });

    it("is the same after an export and an import, and takes back a release that was forgotten", async () => {
        await run.deploy(routes.none!);
        const before = await releases();
        await run.stack.rewrite((state) => state);
        await succeed(run.stack.expectNoChanges());

        const type = "kubernetes:helm.toolkit.fluxcd.io/v2:HelmRelease";
        const needed = await run.stack.command("state", "delete", await run.stack.urn(type, "kof:kof/kof-operators"));
        assert.ok(!needed.ok && needed.output.includes("depend on it"), needed.output);
        const urn = await run.stack.urn(type, "kof:kof/kof-child");
        await succeed(run.stack.command("state", "delete", urn, "--yes"));
        assert.match(await succeed(run.stack.up()), /HelmRelease kof:kof\/kof-child created/);
        const uids = (all: readonly unknown[][]) => all.map(([name, uid]) => [name, uid]);
        assert.deepEqual(uids(await releases()), uids(before), "taken over in place");
        await succeed(run.stack.expectNoChanges());
    });

    for (const keepLogGroups of [true, false]) {
        it(`says in the preview what follows when a log group in it was renamed, keepLogGroups ${keepLogGroups}`, async () => {
            // What is kept is there in the other case, and not the stack's to delete.
            const group = `${aws.logGroup}-${keepLogGroups ? "kept" : "gone"}`;
            await run.deploy({ ...routes.cloudwatch, cloudwatch: { ...aws, logGroup: group, keepLogGroups } });
            const name = `cloudwatch-${group}@${aws.region}`;
            const rename = async (from: string, to: string) =>
                succeed(run.stack.command("state", "rename", await run.stack.urn(logGroup, from), to, "--yes"));
            await rename(name, "other");
            assert.match(await succeed(run.stack.preview()), /LogGroup other delete/);
            await rename("other", name);
            await succeed(run.stack.expectNoChanges());

            await rename(name, "other");
            await succeed(run.stack.up());
            const client = new CloudWatchLogsClient({ region: aws.region });
            const { logGroups = [] } = await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: group }));
            const names = logGroups.map(({ logGroupName }) => logGroupName);
            assert.equal(names.includes(group), keepLogGroups);
            if (keepLogGroups) {
                await succeed(run.stack.expectNoChanges());
            } else {
                await succeed(run.stack.refresh());
                await succeed(run.stack.up());
            }
            assert.ok(await run.cluster.read(namespace));
        });
    }

    it("says in the preview what follows when a storage class in it was renamed", async () => {
        await run.deploy(routes.management!);
        const urn = await run.stack.urn("kubernetes:storage.k8s.io/v1:StorageClass", "kof");
        await succeed(run.stack.command("state", "rename", urn, "other", "--yes"));
        assert.match(await succeed(run.stack.preview()), /StorageClass other delete/);
        await succeed(run.stack.up());
        const storageClass = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name: "kof" } };
        assert.equal(await run.cluster.read(storageClass), undefined);
        await succeed(run.stack.refresh());
        await succeed(run.stack.up());
        assert.ok(await run.cluster.read(storageClass));
    });
});

/** The state as version 0.1.0 of this program left it: without what the stack remembers by. */
function withoutStash({ deployment, ...state }: any): any {
    const resources = (deployment.resources as { type: string }[]).filter(({ type }) => type !== stash);
    return { ...state, deployment: { ...deployment, resources } };
}
