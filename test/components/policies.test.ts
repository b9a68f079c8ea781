import assert from "node:assert/strict";

import { Region } from "@pulumi/aws/types/enums";

import known from "../../components/actions.json";
import { arnParts, partitionOf } from "../../core/lib/arns";
import { archivePolicy, irsaTrust, podIdentityTrust } from "../../components/policies";
import { assumePolicy, assumeTrust, writePolicy, type Policy } from "../../core/routes/policies";
import { logStreamName, streamOf, streamPlaceholders } from "../../core/settings/streams";

const group = "arn:aws-us-gov:logs:us-gov-west-1:123456789012:log-group:management";
const pods = {
    who: "Collectors" as const,
    names: ["kof-collectors-daemon-collector", "kof-collectors-cluster-stats-collector"],
};
const issuer = "oidc.eks.us-east-2.amazonaws.com/id/0123";

const policies: Readonly<Record<string, Policy>> = {
    "for logs": writePolicy({ logGroupArns: [group] }),
    "for logs and traces": writePolicy({ logGroupArns: [group], tracesTo: "us-gov-west-1" }),
    "for everything over OTLP": writePolicy({
        logGroupArns: [],
        tracesTo: "us-gov-west-1",
        metricsTo: "us-gov-west-1",
    }),
    "for cold storage": archivePolicy({ bucketArn: "arn:aws:s3:::acme-kof-cold", prefix: "telemetry" }),
    "for an archive of audit logs": archivePolicy({
        bucketArn: "arn:aws-us-gov:s3:::acme-kof-audit",
        prefix: "audit/prod",
        readsObjectLock: true,
        kmsKeyArn: "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/1",
    }),
    "to assume a role": assumePolicy("arn:aws:iam::210987654321:role/kof-logs", "accessKey"),
    "to assume a role with EKS Pod Identity": assumePolicy("arn:aws:iam::210987654321:role/kof-logs", "podIdentity"),
    "of a role that users assume": assumeTrust({
        ...{ kind: "accessKey", partition: "aws-cn", account: "123456789012", externalId: "x" },
        principal: "arn:aws-cn:iam::123456789012:user/kof/cloudwatch-*",
    }),
    "of a role that pods assume": assumeTrust({
        ...{ kind: "podIdentity", partition: "aws", account: "123456789012", principal: "P" },
    }),
    "of a role that a key assumes": assumeTrust({ kind: "existingSecret", partition: "aws", account: "ACCOUNT" }),
    "of a role for EKS Pod Identity": podIdentityTrust("management", pods),
    "of a role for service accounts": irsaTrust(`arn:aws:iam::123456789012:oidc-provider/${issuer}`, pods),
};

describe("IAM policies", () => {
    for (const [what, { Statement }] of Object.entries(policies)) {
        it(`${what} names only actions that AWS has (${known.date}), each of them in full`, () => {
            const actions = Object.entries(known.actions).flatMap(([service, names]) =>
                names.map((name) => `${service}:${name}`),
            );
            const named = Statement.flatMap(({ Action }) => Action);
            assert.ok(named.length > 0);
            assert.deepEqual(
                named.filter((action) => !actions.includes(action)),
                [],
            );
        });

        it(`${what} is for everything only where AWS has nothing to name`, () => {
            for (const { Resource = [], Action, Condition } of Statement.filter(({ Resource }) =>
                Resource?.includes("*"),
            )) {
                assert.deepEqual(Resource, ["*"]);
                assert.ok(["xray:PutTraceSegments", "cloudwatch:PutMetricData"].includes(Action.join()));
                assert.deepEqual(Condition, { StringEquals: { "aws:RequestedRegion": "us-gov-west-1" } });
            }
        });
    }

    it("for logs are for exactly the streams of the groups", () => {
        assert.deepEqual(policies["for logs"]?.Statement, [
            {
                Sid: "WriteLogs",
                Effect: "Allow",
                Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
                Resource: [`${group}:*`],
            },
        ]);
    });

    it("for an archive are for what is below its prefix, and for a look at its bucket", () => {
        const allowed = (what: string) =>
            policies[what]?.Statement.map(({ Action, Resource }) => [Action.join(), Resource?.join()]);
        const bucket = "arn:aws-us-gov:s3:::acme-kof-audit";
        assert.deepEqual(allowed("for an archive of audit logs"), [
            ["s3:PutObject,s3:GetObject,s3:AbortMultipartUpload", `${bucket}/audit/prod/*`],
            ["s3:ListBucket,s3:GetBucketObjectLockConfiguration", bucket],
            ["kms:GenerateDataKey,kms:Decrypt", "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/1"],
        ]);
        assert.deepEqual(allowed("for cold storage")?.slice(1), [["s3:ListBucket", "arn:aws:s3:::acme-kof-cold"]]);
    });

    it("let collectors assume one role of another account, and do nothing else", () => {
        const rights = (what: string) => policies[what]?.Statement.map(({ Action, Resource }) => [Action, Resource]);
        const role = ["arn:aws:iam::210987654321:role/kof-logs"];
        assert.deepEqual(rights("to assume a role"), [[["sts:AssumeRole"], role]]);
        const tagged = [[["sts:AssumeRole", "sts:TagSession"], role]];
        assert.deepEqual(rights("to assume a role with EKS Pod Identity"), tagged);
    });

    it("let another account's role be assumed by exactly the collectors, with the external ID that it asks for", () => {
        const trusts = (what: string) =>
            policies[what]?.Statement.map(({ Action, Principal, Condition }) => [Action.join(), Principal, Condition]);
        const theirs = { ArnLike: { "aws:PrincipalArn": "arn:aws-cn:iam::123456789012:user/kof/cloudwatch-*" } };
        assert.deepEqual(trusts("of a role that users assume"), [
            [
                "sts:AssumeRole",
                { AWS: "arn:aws-cn:iam::123456789012:root" },
                { ...theirs, StringEquals: { "sts:ExternalId": "x" } },
            ],
        ]);
        const [account, pods] = [{ AWS: "arn:aws:iam::123456789012:root" }, { ArnLike: { "aws:PrincipalArn": "P" } }];
        assert.deepEqual(trusts("of a role that pods assume"), [
            ["sts:AssumeRole", account, pods],
            ["sts:TagSession", account, pods],
        ]);
        const whole = { AWS: "arn:aws:iam::ACCOUNT:root" };
        assert.deepEqual(trusts("of a role that a key assumes"), [["sts:AssumeRole", whole, undefined]]);
    });

    it("let exactly the collectors' service accounts take a role", () => {
        const condition = (what: string) => policies[what]?.Statement[0]?.Condition?.StringEquals;
        assert.deepEqual(condition("of a role for EKS Pod Identity"), {
            "aws:RequestTag/eks-cluster-name": "management",
            "aws:RequestTag/kubernetes-namespace": "kof",
            "aws:RequestTag/kubernetes-service-account": pods.names,
        });
        assert.deepEqual(condition("of a role for service accounts"), {
            [`${issuer}:aud`]: "sts.amazonaws.com",
            [`${issuer}:sub`]: pods.names.map((name) => `system:serviceaccount:kof:${name}`),
        });
    });
});

describe("AWS names", () => {
    it("have the partition of their region", () => {
        const found = new Set(
            Object.values(Region).map((region) => `${region.split("-")[0] ?? ""} ${partitionOf(region)}`),
        );
        const other = ["cn aws-cn", "eusc aws-eusc"];
        assert.ok(other.every((each) => found.has(each)));
        assert.equal(partitionOf("us-gov-east-1"), "aws-us-gov");
        assert.equal(partitionOf("us-iso-east-1"), "aws-iso");
        assert.equal(partitionOf("us-isob-east-1"), "aws-iso-b");
        assert.equal(partitionOf("us-isof-south-1"), "aws-iso-f");
        assert.equal(partitionOf("eu-isoe-west-1"), "aws-iso-e");
        assert.equal(partitionOf("us-east-2"), "aws");
        assert.deepEqual(arnParts(`${group}:*`), {
            partition: "aws-us-gov",
            region: "us-gov-west-1",
            account: "123456789012",
            resource: "log-group:management:*",
        });
    });

    it("of streams may hold what the exporter or the collector puts in, and nothing else in braces", () => {
        for (const name of ["logs", "a/b c", ...Object.keys(streamPlaceholders), "x-{NodeName}.{Collector}"]) {
            assert.match(name, logStreamName);
        }
        for (const name of ["", "a:b", "a*", "{node}", "{NodeName", "}", "{}", "${env:X}", "x".repeat(513)]) {
            assert.doesNotMatch(name, logStreamName);
        }
        assert.equal(
            streamOf("{NodeName}/{Collector}/{ServiceName}/{NodeName}", "kof-collectors-daemon"),
            "${env:OTEL_K8S_NODE_NAME}/kof-collectors-daemon/{ServiceName}/${env:OTEL_K8S_NODE_NAME}",
        );
    });
});
