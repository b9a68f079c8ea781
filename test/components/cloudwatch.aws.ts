import assert from "node:assert/strict";

import {
    CloudWatchLogsClient,
    CreateLogGroupCommand,
    CreateLogStreamCommand,
    DeleteLogGroupCommand,
    DeleteLogStreamCommand,
    DescribeLogGroupsCommand,
    GetLogEventsCommand,
    PutLogEventsCommand,
    PutRetentionPolicyCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";

import { runOffline } from "../../cli/program";
import type { Live } from "../../live/findings";
import { leftoversFound, logGroups } from "../../live/leftovers";
import { storeToRead } from "../../live/stores";
import { skipWithout } from "../../tools/servers/cluster";
import { deploymentFor, stackFile, type Raw } from "../support";
import { make, makeAdmin, readLogEvents, type Access, writeAsCollector } from "./account";
import { enforceIam, startMoto, type Moto } from "../../tools/servers/moto";

const region = "eu-central-1";
const raw = {
    route: "cloudwatch",
    version: "1.10.0",
    cloudwatch: {
        region,
        retentionDays: 60,
        credentials: { kind: "accessKey", generations: ["2026-05", "2026-11"] },
    },
};

describe("route cloudwatch, with an emulated AWS that enforces its policies", function () {
    let moto: Moto | undefined;
    let admin: Access;
    const collectors = new Map<string, CloudWatchLogsClient>();

    before(async function () {
        try {
            moto = await startMoto();
        } catch (error) {
            skipWithout(this, error);
        }
        const { endpoint } = moto;
        const nobody = { endpoint, region, credentials: { accessKeyId: "none", secretAccessKey: "none" } };
        admin = await makeAdmin(nobody);
        await enforceIam(moto);
        const { resources } = await runOffline(stackFile(raw), { preview: false });
        for (const [name, { AccessKeyId = "", SecretAccessKey = "" }] of await make(resources, admin)) {
            const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey };
            collectors.set(name, new CloudWatchLogsClient({ endpoint, region, credentials }));
        }
        await new CloudWatchLogsClient(admin).send(new CreateLogGroupCommand({ logGroupName: "other" }));
    });

    after(() => moto?.stop());

    const collector = (generation = "2026-11") => {
        const client = collectors.get(`cloudwatch-${generation}`);
        assert.ok(client);
        return client;
    };
    const refused = (sent: Promise<unknown>) => assert.rejects(sent, { name: "AccessDeniedException" });

    it("keeps events as long as the settings say", async () => {
        const { logGroups = [] } = await new CloudWatchLogsClient(admin).send(new DescribeLogGroupsCommand({}));
        assert.deepEqual(
            logGroups.map(({ logGroupName, retentionInDays }) => [logGroupName, retentionInDays]),
            [
                ["/kof/mothership", 60],
                ["/kof/mothership-audit", 365],
                ["other", undefined],
            ],
        );
    });

    for (const generation of ["2026-05", "2026-11"]) {
        it(`takes logs and audit logs from the collectors with the key of ${generation}, and hands them out again`, async () => {
            for (const logGroup of ["/kof/mothership", "/kof/mothership-audit"]) {
                const message = `{"body":"hello from ${generation} in ${logGroup}"}`;
                await writeAsCollector(collector(generation), logGroup, generation, message);
                const all = await readLogEvents(admin, logGroup);
                assert.ok(all.some((each) => each.message === message));
            }
        });
    }

    it("lets a leaked key read nothing", async () => {
        await refused(
            collector().send(new GetLogEventsCommand({ logGroupName: "/kof/mothership", logStreamName: "logs" })),
        );
        await refused(collector().send(new GetLogEventsCommand({ logGroupName: "other", logStreamName: "logs" })));
        await refused(collector().send(new DescribeLogGroupsCommand({})));
    });

    it("lets a leaked key write to no other group", async () => {
        const [logGroupName, logStreamName] = ["other", "logs"];
        const logEvents = [{ timestamp: Date.now(), message: "x" }];
        await refused(collector().send(new CreateLogStreamCommand({ logGroupName, logStreamName })));
        await refused(collector().send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents })));
        // Not even to one whose name only starts the same.
        await refused(
            collector().send(new CreateLogStreamCommand({ logGroupName: "/kof/mothership2", logStreamName })),
        );
    });

    it("lets a leaked key delete, make or change nothing", async () => {
        const logGroupName = "/kof/mothership";
        await refused(collector().send(new DeleteLogGroupCommand({ logGroupName })));
        await refused(collector().send(new DeleteLogStreamCommand({ logGroupName, logStreamName: "logs" })));
        await refused(collector().send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 1 })));
        await refused(collector().send(new CreateLogGroupCommand({ logGroupName: "new" })));
    });

    /** Looks at the stack with these settings of route cloudwatch, as someone who may do everything. */
    async function asAdmin(settings: Raw, look: (live: Live) => Promise<void>): Promise<void> {
        const { endpoint, credentials } = admin;
        const cloudwatch = { ...raw.cloudwatch, endpoint, ...(settings.cloudwatch as object | undefined) };
        const before = { ...process.env };
        process.env.AWS_ACCESS_KEY_ID = credentials.accessKeyId;
        process.env.AWS_SECRET_ACCESS_KEY = credentials.secretAccessKey;
        try {
            await look({ deployment: deploymentFor({ ...raw, ...settings, cloudwatch }), aws: {} } as Live);
        } finally {
            process.env = before;
        }
    }

    it("lists as left what is tagged as this cluster's, under the former default name too, and nothing else", async () => {
        const logs = new CloudWatchLogsClient(admin);
        for (const [logGroupName, cluster] of [
            ["management", "mothership"],
            ["management-audit", "other"],
        ]) {
            await logs.send(new CreateLogGroupCommand({ logGroupName, tags: { "kof-cluster": cluster! } }));
        }
        await asAdmin({}, async (live) => {
            assert.deepEqual(
                (await leftoversFound([logGroups], live)).left.map(({ remove }) => remove),
                ["/kof/mothership", "/kof/mothership-audit", "management"].map(
                    (name) => `aws logs delete-log-group --region ${region} --log-group-name ${name}`,
                ),
            );
        });
        // One that the stack file names is not looked for under another name.
        await asAdmin({ cloudwatch: { logGroup: "other" } }, async (live) => {
            assert.deepEqual(await leftoversFound([logGroups], live), { left: [], reasons: [] });
        });
    });

    it("says where the name of a log group is that is not there, and that the stack file does not name", async () => {
        const mark = { text: "x", traceId: "1", time: new Date() };
        const answer = async (live: Live) => {
            const { logs } = live.deployment.destinations;
            return (await storeToRead("logs", logs.stored ? logs.ends : [], live)).has(mark);
        };
        await asAdmin({ clusterName: "new" }, async (live) => {
            await assert.rejects(answer(live), /ResourceNotFoundException: .*pulumi stack output logGroups$/);
        });
        await asAdmin({ cloudwatch: { logGroup: "nowhere" } }, async (live) => {
            await assert.rejects(answer(live), /ResourceNotFoundException: [^]*exist\.?$/);
        });
    });

    it("makes no log group and no role under a name that is taken", async () => {
        const logs = new CloudWatchLogsClient(admin);
        await assert.rejects(logs.send(new CreateLogGroupCommand({ logGroupName: "/kof/mothership" })), {
            name: "ResourceAlreadyExistsException",
        });
        const iam = new IAMClient({ ...admin, region: "us-east-1" });
        const role = {
            RoleName: "kof-cloudwatch-mothership",
            AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [] }),
        };
        await iam.send(new CreateRoleCommand(role));
        await assert.rejects(iam.send(new CreateRoleCommand(role)), { name: "EntityAlreadyExistsException" });
    });
});
