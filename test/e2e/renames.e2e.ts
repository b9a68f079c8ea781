import assert from "node:assert/strict";

import { CloudWatchLogsClient, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";

import { endToEnd, namespace, succeed } from "./run";

// Tried with Pulumi 3.274.1 on 2026-11-27.
endToEnd("a resource that was renamed in a stack's state", (run) => {
    const { routes, aws } = run;

    for (const keepLogGroups of [true, false]) {
        it(`is a log group, and the preview says what follows, keepLogGroups ${keepLogGroups}`, async () => {
            // What is kept is there in the other case, and not the stack's to delete.
            const group = `${aws.logGroup}-${keepLogGroups ? "kept" : "gone"}`;
            await run.deploy({ ...routes.cloudwatch, cloudwatch: { ...aws, logGroup: group, keepLogGroups } });
            const name = `cloudwatch-${group}@${aws.region}`;
            const rename = async (from: string, to: string) =>
                succeed(
                    run.stack.command(
                        "state",
                        "rename",
                        await run.stack.urn("aws:cloudwatch/logGroup:LogGroup", from),
                        to,
                        "--yes",
                    ),
                );
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

    it("is a storage class, and the preview says what follows", async () => {
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
