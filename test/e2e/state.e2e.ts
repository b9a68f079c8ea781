import assert from "node:assert/strict";

import { CloudWatchLogsClient, DeleteLogGroupCommand, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";

import type { Raw } from "../support";
import { endToEnd, fluxPaths, namespace, succeed } from "./run";

const logGroup = "aws:cloudwatch/logGroup:LogGroup";
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
        const { logGroups: made } = await run.stack.outputs();
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

    for (const targetDependents of [false, true]) {
        it(`remembers nothing of an up with --target${targetDependents ? " and --target-dependents" : ""}`, async () => {
            const kept = (retention: string): Raw => ({ ...routes.management, storage: { logs: { retention } } });
            await run.deploy(kept("30d"));
            const before = await run.stack.outputs();
            const shorter = kept("7d");
            const permitted = await run.permitted(shorter);
            run.configure(permitted);
            const target = ["**HelmRelease::kof:kof/kof-operators"];
            assert.doesNotMatch(await succeed(run.stack.up({ target, targetDependents })), /Undefined value/);
            assert.deepEqual(await run.stack.outputs(), { ...before, acknowledged: [] });

            run.configure(shorter);
            const { ok, output } = await run.stack.up();
            assert.ok(!ok && output.includes("asks for a change that is refused"), output);
            run.configure(permitted);
            await succeed(run.stack.up());
            assert.equal((await run.stack.outputs()).settings.storage.logs.retention, "7d");
            run.configure(shorter);
            assert.doesNotMatch(await succeed(run.stack.expectNoChanges()), /Undefined value/);
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
            assert.equal((await run.stack.outputs()).cluster.stack, "kof/renamed");
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
        const urn = await run.stack.urn(type, "kof:kof/kof-child");
        await succeed(run.stack.command("state", "delete", urn, "--yes"));
        assert.match(await succeed(run.stack.up()), /HelmRelease kof:kof\/kof-child created/);
        const uids = (all: readonly unknown[][]) => all.map(([name, uid]) => [name, uid]);
        assert.deepEqual(uids(await releases()), uids(before), "taken over in place");
        await succeed(run.stack.expectNoChanges());
    });

    it("says in the preview what follows when a resource in it was renamed", async () => {
        const kept = { ...routes.cloudwatch, cloudwatch: { ...aws, keepLogGroups: true } };
        await run.deploy(kept);
        const { logGroups: made } = await run.stack.outputs();
        const urn = await run.stack.urn(logGroup, `cloudwatch-${aws.logGroup}@${aws.region}`);
        await succeed(run.stack.command("state", "rename", urn, "other", "--yes"));
        assert.match(await succeed(run.stack.preview()), /LogGroup other delete/);
        await succeed(run.stack.up());
        const client = new CloudWatchLogsClient({ region: aws.region });
        const { logGroups } = await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: aws.logGroup }));
        assert.equal(logGroups?.length, made.length, "kept in AWS");
        await succeed(run.stack.expectNoChanges());
        assert.ok(await run.cluster.read(namespace));
    });
});
