import assert from "node:assert/strict";

import { runProgram } from "../../cli/offline";
import { CloudWatch, type CloudWatchArgs } from "../../components/cloudwatch";
import type { Policy } from "../../core/routes/policies";
import { find, optionsOf, stackFile } from "../support";

const args: CloudWatchArgs = {
    region: "us-east-2",
    logGroups: [
        { name: "new", retentionDays: 30, exists: false, compared: true, keep: false, tags: { of: "new" } },
        { name: "old", retentionDays: 30, exists: true, compared: false, keep: true, tags: { of: "old" } },
    ],
    traces: false,
    metrics: false,
    credentials: {
        kind: "accessKey",
        generations: ["2026-05", "2026-11"],
        secretName: "s",
        regionByDefault: "us-east-2",
    },
    serviceAccounts: ["a", "b"],
    tags: { team: "platform" },
};

/** Declares the component, where AWS says that the access keys are so many days old. */
async function declared(changes: Partial<CloudWatchArgs>, days: readonly number[] = []) {
    const made = days.map((age, i) => {
        const createDate = new Date(Date.now() - age * 86_400_000).toISOString();
        return [`cloudwatch-${["2026-05", "2026-11"][i] ?? ""}`, { createDate }] as const;
    });
    const program = () => {
        const { accessKeys } = new CloudWatch("cloudwatch", { ...args, ...changes });
        return { accessKeys };
    };
    return runProgram(program, stackFile({}), { preview: true, state: Object.fromEntries(made) });
}

describe("component CloudWatch", () => {
    it("takes over the log groups that AWS has already, and keeps those that it is told to", async () => {
        const { resources } = await declared({});
        const about = (name: string) => {
            const group = find(resources, "aws:cloudwatch/logGroup:LogGroup", `cloudwatch-${name}@us-east-2`);
            const options = optionsOf(group);
            return [options.import, options.retainOnDelete, options.ignoreChanges.length, group.inputs.tags];
        };
        assert.deepEqual(about("new"), ["", false, 0, { of: "new" }]);
        assert.deepEqual(about("old"), ["old", true, 3, { of: "old" }]);
    });

    it("keeps the URNs of everything, by which a state knows what it has", async () => {
        const { resources } = await declared({});
        const found = resources
            .filter(({ parent }) => parent !== "")
            .map(({ urn }) => urn.split("::").slice(2).join("::"));
        const within = "kof:components:CloudWatch$";
        assert.deepEqual(
            found.filter((urn) => urn.startsWith(within)).sort(),
            [
                "aws:cloudwatch/logGroup:LogGroup::cloudwatch-new@us-east-2",
                "aws:cloudwatch/logGroup:LogGroup::cloudwatch-old@us-east-2",
                "aws:iam/accessKey:AccessKey::cloudwatch-2026-05",
                "aws:iam/accessKey:AccessKey::cloudwatch-2026-11",
                "aws:iam/user:User::cloudwatch",
                "aws:iam/userPolicy:UserPolicy::cloudwatch",
                "kubernetes:core/v1:Secret::cloudwatch",
            ].map((urn) => within + urn),
        );
    });

    it("warns of access keys that are older than 90 days, and says when each was made", async () => {
        const { messages, outputs } = await declared({}, [91, 90]);
        assert.deepEqual(messages, [
            "warning: The CloudWatch access key of generation 2026-05 is 91 days old. Rotate it: add a label to " +
                "kof:cloudwatch.credentials.generations and deploy, then remove the old one and deploy again.",
        ]);
        assert.deepEqual(Object.keys(outputs.accessKeys as object), ["2026-05", "2026-11"]);
    });

    it("has the user's rights in place before any collector can read the key", async () => {
        const { resources } = await declared({});
        const policy = find(resources, "aws:iam/userPolicy:UserPolicy");
        assert.ok(find(resources, "kubernetes:core/v1:Secret").dependencies.includes(policy.urn));
    });

    it("makes a role for exactly the service accounts that write, and no secret, on EKS", async () => {
        const credentials = { kind: "podIdentity", clusterName: "management", regionByDefault: "eu-west-1" } as const;
        const { resources } = await declared({ credentials, traces: true });
        assert.deepEqual(
            resources
                .filter(({ type }) => /iam|eks|Secret/.test(type))
                .map(({ type, name }) => `${type} ${name}`)
                .sort(),
            [
                "aws:eks/podIdentityAssociation:PodIdentityAssociation cloudwatch-a",
                "aws:eks/podIdentityAssociation:PodIdentityAssociation cloudwatch-b",
                "aws:iam/role:Role cloudwatch",
                "aws:iam/rolePolicy:RolePolicy cloudwatch",
            ],
        );
        const role = find(resources, "aws:iam/role:Role");
        assert.match(String(role.inputs.assumeRolePolicy), /"aws:RequestTag\/kubernetes-service-account":\["a","b"\]/);
        const association = find(resources, "aws:eks/podIdentityAssociation:PodIdentityAssociation", "cloudwatch-a");
        const { clusterName, region, namespace, serviceAccount } = association.inputs;
        assert.deepEqual([clusterName, region, namespace, serviceAccount], ["management", "eu-west-1", "kof", "a"]);
    });

    it("lets the collectors do nothing but assume another account's role, however they authenticate", async () => {
        const roleArn = "arn:aws:iam::210987654321:role/kof-logs";
        const oidcProviderArn = "arn:aws:iam::123456789012:oidc-provider/oidc.example.net";
        for (const credentials of [
            args.credentials,
            { kind: "podIdentity", clusterName: "management", regionByDefault: "eu-west-1" },
            { kind: "irsa", oidcProviderArn, roleName: "r", regionByDefault: "us-east-2" },
        ] as const) {
            const { resources } = await declared({ credentials, assumes: roleArn, logGroups: [], traces: true });
            const [policy, ...others] = resources.filter(({ type }) => /(user|role)Policy:/.test(type));
            assert.deepEqual(others, []);
            const { Statement } = JSON.parse(String(policy?.inputs.policy)) as Policy;
            assert.deepEqual(
                Statement.map(({ Action, Resource }) => [Action[0], Resource]),
                [["sts:AssumeRole", [roleArn]]],
            );
            assert.ok(!resources.some(({ type }) => type.includes("logGroup")));
        }
    });

    it("makes a role under the name that the service accounts are told, with an issuer's tokens", async () => {
        const oidcProviderArn = "arn:aws:iam::123456789012:oidc-provider/oidc.example.net";
        const { resources } = await declared({
            credentials: { kind: "irsa", oidcProviderArn, roleName: "r", regionByDefault: "us-east-2" },
        });
        const { name, path, assumeRolePolicy } = find(resources, "aws:iam/role:Role").inputs;
        assert.deepEqual([name, path], ["r", "/kof/"]);
        assert.match(String(assumeRolePolicy), /"oidc.example.net:sub":\["system:serviceaccount:kof:a",/);
        assert.equal(
            resources.some(({ type }) => /User|AccessKey|Secret/.test(type)),
            false,
        );
    });
});
