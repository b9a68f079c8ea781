import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import {
    CloudWatchLogsClient,
    CreateLogGroupCommand,
    DescribeLogGroupsCommand,
    ListTagsForResourceCommand,
    PutRetentionPolicyCommand,
} from "@aws-sdk/client-cloudwatch-logs";

import type { Raw } from "../support";
import { endToEnd, succeed } from "./run";

const region = "us-east-2";

/** What AWS has under a name; `undefined` for nothing. */
async function groupIn(where: string, logGroupName: string) {
    const logs = new CloudWatchLogsClient({ region: where });
    const { logGroups } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: logGroupName }));
    const found = logGroups?.find((group) => group.logGroupName === logGroupName);
    const resourceArn = found?.arn?.replace(/:\*$/, "");
    return (
        found && {
            days: found.retentionInDays,
            tags: (await logs.send(new ListTagsForResourceCommand({ resourceArn }))).tags ?? {},
        }
    );
}

async function makeGroup(logGroupName: string, days: number, tags: Readonly<Record<string, string>>): Promise<void> {
    const logs = new CloudWatchLogsClient({ region });
    await logs.send(new CreateLogGroupCommand({ logGroupName, tags }));
    await keepFor(logGroupName, days);
}

async function keepFor(logGroupName: string, retentionInDays: number): Promise<void> {
    await new CloudWatchLogsClient({ region }).send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays }));
}

// The engine that came last when this was tried, 3.274.1, imports and then updates (2026-11-27).
endToEnd("a log group", (run) => {
    let name: string;
    let clusterName: string;
    beforeEach(() => {
        const id = randomUUID().slice(0, 8);
        [name, clusterName] = [`management-${id}`, `e2e-${id}`];
    });

    const unnamed = (more: object = {}): Raw => ({
        ...run.routes.none,
        route: "cloudwatch",
        clusterName,
        cloudwatch: { region, ...more },
    });
    /** One group for all. */
    const settings = (more: object = {}): Raw => unnamed({ logGroup: name, auditLogGroup: name, ...more });
    const refused = async (raw: Raw) => {
        run.configure(raw);
        const { ok, output } = await run.stack.up();
        assert.ok(!ok && output.includes("asks for a change that is refused"), output);
        return output;
    };
    const acknowledged = async (raw: Raw): Promise<Raw> => {
        const acknowledge = /kof:acknowledge: (.*)/.exec(await refused(raw))?.[1];
        assert.ok(acknowledge);
        return { ...raw, acknowledge };
    };

    it("of another cluster, kept for a year, is left alone by a stack with default settings", async () => {
        const theirs = { days: 365, tags: { "kof-cluster": "prod", owner: "them" } };
        await makeGroup(name, theirs.days, theirs.tags);
        const output = await refused(settings());
        assert.match(output, /its tag kof-cluster says prod\. [^]*\(365d->30d\)/);
        assert.doesNotMatch(output, /LogGroup|Namespace/);
        // What the refusal says to paste.
        await run.deploy(unnamed());
        assert.equal((await groupIn(region, `/kof/${clusterName}`))?.days, 30);
        assert.deepEqual(await groupIn(region, name), theirs);
        await succeed(run.stack.expectNoChanges());
    });

    it("of another cluster is taken over when that is acknowledged, keeps what is in it, and is never deleted", async () => {
        await makeGroup(name, 365, { "kof-cluster": "prod", owner: "them" });
        const taken = settings({ retentionDays: 365, keepLogGroups: false });
        await run.deploy(await acknowledged(taken));
        const ours = {
            days: 365,
            tags: { "kof-cluster": clusterName, "kof-stack": "kof/e2e", "managed-by": "pulumi", owner: "them" },
        };
        assert.deepEqual(await groupIn(region, name), ours);
        run.configure(taken);
        await succeed(run.stack.expectNoChanges());
        await run.deploy(run.routes.none!);
        assert.deepEqual(await groupIn(region, name), ours);
        // Nor by a destroy, after another visit.
        await run.deploy(taken);
        await succeed(run.stack.destroy());
        assert.deepEqual(await groupIn(region, name), ours);
    });

    it("that the stack made is deleted when it was told to, and no other", async () => {
        const temporary = settings({ keepLogGroups: false });
        await run.deploy(temporary);
        await succeed(run.stack.expectNoChanges());
        await run.deploy(await acknowledged(run.routes.none!));
        assert.equal(await groupIn(region, name), undefined);
    });

    it("is refused to the second of two stacks with the same settings", async () => {
        await run.deploy(unnamed());
        const before = await groupIn(region, `/kof/${clusterName}`);
        const second = await run.otherStack({ name: "second", besides: run.stack });
        // Of a cluster that is driven from git: of this one, it would be refused before it gets to AWS.
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-e2e-folder-"));
        const credentials = { kind: "existingSecret", name: "aws-credentials" };
        second.configure(
            { ...unnamed({ retentionDays: 7, credentials }), chart: run.chart },
            { "kubernetes:renderYamlToDirectory": folder },
        );
        const { ok, output } = await second.up();
        assert.ok(!ok, output);
        assert.deepEqual(fs.readdirSync(folder), []);
        fs.rmSync(folder, { recursive: true });
        assert.match(output, new RegExp(`its tag kof-stack says kof/e2e\\.[^]*logGroup: /kof/${clusterName}-second`));
        assert.deepEqual(await groupIn(region, `/kof/${clusterName}`), before);
        await succeed(second.destroy());
    });

    it("stays where it is when the stack goes to another region, and is taken over when it comes back", async () => {
        const away = "eu-west-1";
        for (const where of [region, away, region, away]) {
            await run.deploy(settings({ region: where }));
            run.configure(settings({ region: where }));
            await succeed(run.stack.expectNoChanges());
        }
        assert.equal((await groupIn(region, name))?.days, 30);
        assert.equal((await groupIn(away, name))?.days, 30);
    });

    it("that a version up to 0.1.0 deployed goes by its new name in the state, and is not touched", async () => {
        await run.deploy(settings({ keepLogGroups: false }));
        const before = await groupIn(region, name);
        await run.stack.rewrite((state) => {
            const { cloudwatch, ...outputs } = state.deployment.resources[0].outputs;
            assert.ok(cloudwatch);
            state.deployment.resources[0].outputs = outputs;
            return JSON.parse(JSON.stringify(state).replaceAll(`cloudwatch-${name}@${region}`, `cloudwatch-${name}`));
        });
        const output = await run.deploy(unnamed({ auditLogGroup: name, keepLogGroups: false }));
        assert.doesNotMatch(output, /LogGroup.*(creat|import|delet)ed/);
        assert.deepEqual(await groupIn(region, name), before);
        await succeed(run.stack.destroy());
        assert.deepEqual(await groupIn(region, name), before);
    });

    it("that somebody keeps for longer by hand is changed back with a refresh only", async () => {
        await run.deploy(settings());
        await keepFor(name, 365);
        const back = await acknowledged(settings());
        await run.deploy(back);
        assert.equal((await groupIn(region, name))?.days, 365);
        await succeed(run.stack.refresh());
        await run.deploy(await acknowledged(settings()));
        assert.equal((await groupIn(region, name))?.days, 30);
    });
});
