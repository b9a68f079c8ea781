import assert from "node:assert/strict";

import { CloudWatchLogsClient, DeleteLogGroupCommand, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";

import { endToEnd, fluxPaths, succeed } from "./run";

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
});
