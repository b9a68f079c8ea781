/**
 * What collectors may do, whoever they are at AWS, with an emulated AWS (moto) that enforces its policies. What of AWS is imitated,
 * and how far, tools/servers/server.py says.
 */
import assert from "node:assert/strict";

import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as iam from "@aws-sdk/client-iam";
import * as sts from "@aws-sdk/client-sts";

import { runOffline } from "../../cli/program";
import { partitionOf } from "../../core/lib/arns";
import { centralText } from "../../core/review/summary/central";
import { askAws, type AwsRequest } from "../../live/awsRequests";
import { skipWithout } from "../../tools/servers/cluster";
import { enforceIam, startMoto, type Moto } from "../../tools/servers/moto";
import { deploymentFor, stackFile } from "../support";
import { account, makeAdmin, makeIdentity, writeAsCollector, type Access, type Credentials } from "./account";

const central = "210987654321";
const issuer = "oidc.eks.eu-central-1.amazonaws.com/id/0123";
const [logGroup, auditGroup] = ["/kof/mothership", "/kof/mothership-audit"];
/** All that is done here with CloudWatch and X-Ray, by the right that it needs. */
const none = {
    "cloudwatch:PutMetricData": false,
    "cloudwatch:ListMetrics": false,
    "xray:PutTraceSegments": false,
    "xray:BatchGetTraces": false,
    "logs:PutLogEvents": false,
    "logs:PutLogEvents for audit logs": false,
    "logs:PutLogEvents elsewhere": false,
    "logs:FilterLogEvents": false,
};
type Rights = Record<keyof typeof none, boolean>;
const overOtlp = { metrics: "otlp", traces: "otlp" } as const;
const logsRights = { "logs:PutLogEvents": true, "logs:PutLogEvents for audit logs": true };
const all: Rights = { ...none, ...logsRights, "cloudwatch:PutMetricData": true, "xray:PutTraceSegments": true };

const requests: readonly (Pick<AwsRequest, "service" | "path" | "json" | "form"> & { readonly right: keyof Rights })[] =
    [
        {
            right: "cloudwatch:PutMetricData",
            service: "monitoring",
            path: "/v1/metrics",
            json: { resourceMetrics: [] },
        },
        {
            right: "cloudwatch:ListMetrics",
            ...{ service: "monitoring", path: "/", form: { Action: "ListMetrics", Version: "2010-08-01" } },
        },
        { right: "xray:PutTraceSegments", service: "xray", path: "/v1/traces", json: { resourceSpans: [] } },
        {
            right: "xray:BatchGetTraces",
            ...{ service: "xray", path: "/Traces", json: { TraceIds: ["1-01234567-89abcdef0123456789abcdef"] } },
        },
    ];

/** Has a client of the AWS SDK send a header of moto's. */
function withHeader(name: string, value: string) {
    return <Next extends (args: never) => unknown>(next: Next): Next => {
        const sends = (args: { readonly request: { readonly headers: Record<string, string> } }) => {
            args.request.headers[name] = value;
            return next(args as never);
        };
        return sends as unknown as Next;
    };
}

describe("what collectors may do, with an emulated AWS that enforces its policies", () => {
    const environment = { ...process.env };
    let moto: Moto | undefined;

    const place = (
        region: string,
        credentials: Credentials = { accessKeyId: "none", secretAccessKey: "none" },
    ): Access => ({
        endpoint: moto?.endpoint ?? "",
        region,
        credentials,
    });
    const admins = new Map<string, Access>();
    const admin = (region: string) => admins.get(region) ?? place(region);

    before(async function () {
        try {
            moto = await startMoto();
        } catch (error) {
            skipWithout(this, error);
        }
        for (const region of ["eu-central-1", "us-gov-west-1", "cn-north-1"]) {
            admins.set(region, await makeAdmin(place(region)));
        }
        await enforceIam(moto);
        for (const access of admins.values()) {
            const client = new logs.CloudWatchLogsClient(access);
            for (const logGroupName of [logGroup, auditGroup, "other"]) {
                await client.send(new logs.CreateLogGroupCommand({ logGroupName }));
            }
        }
        process.env.AWS_ENDPOINT_URL_CLOUDWATCH = moto.endpoint;
        process.env.AWS_ENDPOINT_URL_XRAY = moto.endpoint;
    });

    after(async () => {
        for (const name of Object.keys(process.env).filter((each) => each.startsWith("AWS_"))) {
            Reflect.deleteProperty(process.env, name);
        }
        Object.assign(process.env, environment);
        await moto?.stop();
    });

    const settings = (region: string, more: object) => ({
        ...{
            route: "cloudwatch",
            version: "1.10.0",
            distribution: "eks",
            cloudwatch: { region, signals: overOtlp, ...more },
        },
    });
    async function collectors(region: string, more: object = {}) {
        const { resources } = await runOffline(stackFile(settings(region, more)), { preview: false });
        return makeIdentity(resources, admin(region));
    }

    /** What somebody with these credentials may do, as far as it is told apart here. */
    async function rightsOf(credentials: Credentials | undefined, region: string): Promise<Rights> {
        assert.ok(credentials);
        process.env.AWS_ACCESS_KEY_ID = credentials.accessKeyId;
        process.env.AWS_SECRET_ACCESS_KEY = credentials.secretAccessKey;
        Reflect.deleteProperty(process.env, "AWS_SESSION_TOKEN");
        if (credentials.sessionToken !== undefined) {
            process.env.AWS_SESSION_TOKEN = credentials.sessionToken;
        }
        const found = { ...none };
        for (const { right, ...request } of requests) {
            const { status, body } = await askAws({ ...request, region }, {});
            assert.ok([200, 403].includes(status), body);
            found[right] = status === 200;
        }
        const client = new logs.CloudWatchLogsClient(place(region, credentials));
        const stream = Math.random().toString(36).slice(2);
        const allowed = (sent: Promise<unknown>) =>
            sent.then(
                () => true,
                (error: unknown) => {
                    assert.equal((error as Error).name, "AccessDeniedException");
                    return false;
                },
            );
        found["logs:PutLogEvents"] = await allowed(writeAsCollector(client, logGroup, stream, "x"));
        found["logs:PutLogEvents for audit logs"] = await allowed(writeAsCollector(client, auditGroup, stream, "x"));
        found["logs:PutLogEvents elsewhere"] = await allowed(writeAsCollector(client, "other", stream, "x"));
        found["logs:FilterLogEvents"] = await allowed(
            client.send(new logs.FilterLogEventsCommand({ logGroupName: logGroup })),
        );
        return found;
    }

    /** What AWS hands out for a role. */
    function sessionOf({ Credentials: given }: sts.AssumeRoleCommandOutput): Credentials {
        const { AccessKeyId: accessKeyId = "", SecretAccessKey: secretAccessKey = "", SessionToken } = given ?? {};
        assert.ok(SessionToken);
        return { accessKeyId, secretAccessKey, sessionToken: SessionToken };
    }

    for (const region of ["eu-central-1", "us-gov-west-1", "cn-north-1"]) {
        it(`is to write logs, metrics and spans, and no more, in ${region}`, async () => {
            const { credentials, policy } = await collectors(region);
            assert.ok(policy.includes(`arn:${partitionOf(region)}:logs:`));
            assert.deepEqual(await rightsOf(credentials, region), all);
        });
    }

    for (const [what, signals, more] of [
        ["logs alone", { metrics: "none", traces: "none" }, {}],
        ["logs and metrics as log events", { metrics: "emf", traces: "none" }, {}],
        ["logs and traces as segments", { metrics: "none", traces: "xray" }, { "xray:PutTraceSegments": true }],
        ["logs and metrics over OTLP", { metrics: "otlp", traces: "none" }, { "cloudwatch:PutMetricData": true }],
        ["logs and spans over OTLP", { metrics: "none", traces: "otlp" }, { "xray:PutTraceSegments": true }],
    ] as const) {
        it(`is exactly what ${what} need`, async () => {
            const { credentials } = await collectors("eu-central-1", { signals });
            assert.deepEqual(await rightsOf(credentials, "eu-central-1"), { ...none, ...logsRights, ...more });
        });
    }

    it("is nothing in another region", async () => {
        const { credentials } = await collectors("eu-central-1");
        const client = new logs.CloudWatchLogsClient({ ...admin("eu-central-1"), region: "eu-west-1" });
        for (const logGroupName of [logGroup, auditGroup, "other"]) {
            await client.send(new logs.CreateLogGroupCommand({ logGroupName }));
        }
        assert.deepEqual(await rightsOf(credentials, "eu-west-1"), none);
    });

    it("is no right too many: without any one of them something is refused", async () => {
        const region = "eu-central-1";
        const made = await collectors(region);
        const client = new iam.IAMClient(admin(region));
        const { Statement, ...rest } = JSON.parse(made.policy) as { Statement: { Action: string[] }[] };
        const actions = Statement.flatMap(({ Action }) => Action);
        const put = (kept: (action: string) => boolean) => {
            const PolicyDocument = JSON.stringify({
                ...rest,
                Statement: Statement.map((each) => ({ ...each, Action: each.Action.filter(kept) })).filter(
                    ({ Action }) => Action.length > 0,
                ),
            });
            return client.send(
                new iam.PutUserPolicyCommand({ UserName: made.name, PolicyName: made.name, PolicyDocument }),
            );
        };
        const lost: Record<string, readonly string[]> = {};
        for (const action of actions) {
            await put((other) => other !== action);
            const left = await rightsOf(made.credentials, region);
            lost[action] = Object.keys(all).filter(
                (right) => all[right as keyof Rights] && !left[right as keyof Rights],
            );
        }
        const bothGroups = ["logs:PutLogEvents", "logs:PutLogEvents for audit logs"];
        assert.deepEqual(lost, {
            "logs:CreateLogStream": bothGroups,
            "logs:PutLogEvents": bothGroups,
            "cloudwatch:PutMetricData": ["cloudwatch:PutMetricData"],
            "xray:PutTraceSegments": ["xray:PutTraceSegments"],
        });
    });

    describe("without a key", () => {
        const region = "eu-central-1";
        const token = (subject: string, more: object = {}) => {
            const claims = {
                ...{
                    iss: `https://${issuer}`,
                    aud: "sts.amazonaws.com",
                    sub: `system:serviceaccount:${subject}`,
                    ...more,
                },
            };
            return ["e30", Buffer.from(JSON.stringify(claims)).toString("base64url"), "x"].join(".");
        };
        const writers = [
            ...["kof:kof-collectors-daemon-collector", "kof:kof-collectors-cluster-stats-collector"],
            "kof:kof-collectors-ta-daemon-collector",
        ];
        const strangers = ["kof:default", "default:kof-collectors-daemon-collector", "kof:kof-collectors-daemon"];

        it("is the same for a service account that takes the role by its token (irsa), and nothing for any other", async () => {
            const oidcProviderArn = `arn:aws:iam::${account}:oidc-provider/${issuer}`;
            const { roleArn } = await collectors(region, { credentials: { kind: "irsa", oidcProviderArn } });
            const take = (WebIdentityToken: string) =>
                new sts.STSClient(place(region)).send(
                    new sts.AssumeRoleWithWebIdentityCommand({
                        RoleArn: roleArn,
                        RoleSessionName: "x",
                        WebIdentityToken,
                    }),
                );
            for (const subject of writers) {
                assert.deepEqual(await rightsOf(sessionOf(await take(token(subject))), region), all, subject);
            }
            const [own = ""] = writers;
            for (const foreign of [
                ...strangers.map((subject) => token(subject)),
                token(own, { aud: "kubernetes.default.svc" }),
                token(own, { iss: "https://oidc.eks.eu-central-1.amazonaws.com/id/4567" }),
            ]) {
                await assert.rejects(take(foreign), { name: /AccessDenied/ });
            }
        });

        it("is the same for a service account of the cluster that EKS hands it to (podIdentity), and nothing for any other", async () => {
            const { roleArn } = await collectors(region, { credentials: { kind: "podIdentity", clusterName: "mgmt" } });
            const take = (cluster: string, subject: string) => {
                const client = new sts.STSClient(place(region));
                client.middlewareStack.add(withHeader("X-Eks-Pod-Identity", "x"), { step: "build" });
                const [namespace = "", name = ""] = subject.split(":");
                const Tags = Object.entries({
                    "eks-cluster-name": cluster,
                    "kubernetes-namespace": namespace,
                    "kubernetes-service-account": name,
                }).map(([Key, Value]) => ({ Key, Value }));
                return client.send(new sts.AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: "x", Tags }));
            };
            for (const subject of writers) {
                assert.deepEqual(await rightsOf(sessionOf(await take("mgmt", subject)), region), all, subject);
            }
            for (const subject of strangers) {
                await assert.rejects(take("mgmt", subject), { name: /AccessDenied/ });
            }
            await assert.rejects(take("other", writers[0] ?? ""), { name: /AccessDenied/ });
        });
    });

    describe("by a role of another account (assumeRole)", () => {
        const region = "eu-central-1";

        for (const [what, externalId, signals, expected] of [
            ["over OTLP", undefined, overOtlp, all],
            [
                "with an external ID",
                "kof-prod",
                { metrics: "emf", traces: "xray" },
                { ...none, ...logsRights, "xray:PutTraceSegments": true },
            ],
        ] as const) {
            it(`is what summary.md has that account allow, and nothing else, ${what}`, async () => {
                assert.ok(moto);
                const name = what.replaceAll(" ", "-");
                const roleArn = `arn:aws:iam::${central}:role/central/${name}`;
                const credentials = {
                    kind: "assumeRole",
                    roleArn,
                    ...(externalId === undefined ? {} : { externalId }),
                };
                const own = await collectors(region, { credentials, signals });
                const text = centralText(deploymentFor(settings(region, { credentials, signals })));
                const [trust = "", rights = ""] = [...text.matchAll(/```json\n([^]*?)```/g)].map(([, json = ""]) =>
                    json.replaceAll("ACCOUNT", account),
                );
                await enforceIam(moto, false);
                // In that account, before anybody has a user there.
                const inCentral = withHeader("x-moto-account-id", central);
                const theirs = new iam.IAMClient(place(region));
                theirs.middlewareStack.add(inCentral, { step: "build" });
                for (const RoleName of [name, `${name}-2`]) {
                    const role = { RoleName, Path: "/central/", AssumeRolePolicyDocument: trust };
                    await theirs.send(new iam.CreateRoleCommand(role));
                    const policy = { RoleName, PolicyName: "kof", PolicyDocument: rights };
                    await theirs.send(new iam.PutRolePolicyCommand(policy));
                }
                const groups = new logs.CloudWatchLogsClient(place(region));
                groups.middlewareStack.add(inCentral, { step: "build" });
                for (const logGroupName of [logGroup, auditGroup, "other"]) {
                    await groups.send(new logs.CreateLogGroupCommand({ logGroupName })).catch((error: unknown) => {
                        assert.ok(error instanceof logs.ResourceAlreadyExistsException);
                    });
                }
                await enforceIam(moto);
                // By themselves.
                assert.deepEqual(await rightsOf(own.credentials, region), none);
                const assume = (by = own.credentials, ExternalId: string | undefined = externalId, RoleArn = roleArn) =>
                    new sts.STSClient(place(region, by)).send(
                        new sts.AssumeRoleCommand({ RoleArn, RoleSessionName: "x", ExternalId }),
                    );
                assert.deepEqual(await rightsOf(sessionOf(await assume()), region), expected);
                const denied = { name: /AccessDenied/ };
                // Another role there, and somebody else of the same account.
                await assert.rejects(assume(own.credentials, externalId, `${roleArn}-2`), denied);
                await assert.rejects(assume(admin(region).credentials), denied);
                if (externalId !== undefined) {
                    await assert.rejects(assume(own.credentials, "other"), denied);
                    const without = { RoleArn: roleArn, RoleSessionName: "x" };
                    const client = new sts.STSClient(place(region, own.credentials));
                    await assert.rejects(client.send(new sts.AssumeRoleCommand(without)), denied);
                }
            });
        }
    });
});
