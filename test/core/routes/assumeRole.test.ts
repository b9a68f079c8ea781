import assert from "node:assert/strict";

import { versions } from "../../../core/charts";
import { valueAt, type HelmValues } from "../../../core/lib/values";
import { planOf } from "../../../core/review/plan";
import { reviewCollectors } from "../../../core/review/collectors";
import { summaryPage } from "../../../core/review/summary/page";
import { deploymentFor, type Raw } from "../../support";

const roleArn = "arn:aws:iam::210987654321:role/central/kof-logs";
const oidcProviderArn = "arn:aws:iam::123456789012:oidc-provider/oidc.example.net";
const identities = {
    accessKey: { kind: "accessKey", generations: ["1"] },
    podIdentity: { kind: "podIdentity", clusterName: "mgmt" },
    irsa: { kind: "irsa", oidcProviderArn },
    existingSecret: { kind: "existingSecret", name: "aws" },
};
const raw = (more: object = {}, credentials: object = {}): Raw => ({
    route: "cloudwatch",
    cloudwatch: { region: "eu-west-1", credentials: { kind: "assumeRole", roleArn, ...credentials }, ...more },
});

describe("a role that the collectors assume in another account", () => {
    for (const version of versions) {
        it(`is assumed by every exporter to AWS, and by what signs over OTLP, on KOF ${version}`, () => {
            for (const signals of [
                { metrics: "emf", traces: "xray" },
                { metrics: "otlp", traces: "otlp" },
            ]) {
                for (const [kind, identity] of Object.entries(identities)) {
                    const deployment = deploymentFor({ version, ...raw({ signals }, { identity }) });
                    assert.deepEqual(reviewCollectors(deployment).problems, [], kind);
                    for (const { config } of deployment.collectors) {
                        const all = { ...(config.exporters as HelmValues), ...(config.extensions as HelmValues) };
                        const roles = Object.entries(all).flatMap(([name, each]) =>
                            /^aws|^sigv4auth/.test(name)
                                ? [[valueAt(each, ["role_arn"]) ?? valueAt(each, ["assume_role"]), name] as const]
                                : [],
                        );
                        assert.ok(roles.length > 0);
                        for (const [role, name] of roles) {
                            const signing = { arn: roleArn, sts_region: "eu-west-1" };
                            assert.deepEqual(role, name.startsWith("aws") ? roleArn : signing, name);
                        }
                    }
                }
            }
        });
    }

    it("is assumed with the external ID that its account asks for", () => {
        const { collectors } = deploymentFor(
            raw({ signals: { metrics: "emf", traces: "xray" } }, { externalId: "kof-prod" }),
        );
        for (const name of ["awscloudwatchlogs", "awscloudwatchlogs/audit", "awsemf", "awsxray"]) {
            const daemon = collectors.find(({ key }) => key === "daemon");
            assert.equal(valueAt(daemon?.config ?? {}, ["exporters", name, "external_id"]), "kof-prod");
        }
    });

    it("leaves the log groups, what reads at its start, and the identity's variables to whom they are", () => {
        const { cloudwatch, restartTriggers, notices } = deploymentFor(raw({}, { identity: identities.accessKey }));
        assert.deepEqual(cloudwatch?.logGroups, []);
        assert.deepEqual(
            cloudwatch.central?.logGroups.map(({ name }) => name),
            ["/kof/mothership", "/kof/mothership-audit"],
        );
        const own = deploymentFor({ route: "cloudwatch", cloudwatch: { region: "eu-west-1" } });
        assert.deepEqual(restartTriggers, own.restartTriggers);
        const [notice] = notices.filter((each) => each.includes(roleArn));
        assert.match(
            notice ?? "",
            /Account 210987654321 has to have \/kof\/mothership and \/kof\/mothership-audit in eu-west-1/,
        );
        assert.doesNotMatch(notice ?? "", /do not start/);
        const otlp = deploymentFor(raw({ signals: { metrics: "otlp", traces: "otlp" } })).notices.join("\n");
        assert.match(otlp, /may not assume the role do not start, because metrics and traces go over OTLP/);
    });

    it("is in the summary with both of its policies, and how to make it, in its partition", () => {
        const page = (credentials: object, region = "eu-west-1") =>
            summaryPage("stack", deploymentFor(raw({ region, signals: { traces: "xray" } }, credentials)), []);
        const parts = (text: string) =>
            [...text.slice(text.indexOf("## Role in another")).matchAll(/```json\n([^]*?)\n```/g)].map(
                ([, json = ""]) =>
                    (JSON.parse(json) as { Statement: { Action: string[]; Resource?: string[]; Condition?: object }[] })
                        .Statement,
            );
        const china = page(
            { roleArn: roleArn.replace("aws:", "aws-cn:"), identity: identities.podIdentity, externalId: "kof" },
            "cn-north-1",
        );
        const [trust = [], rights = []] = parts(china);
        assert.deepEqual(
            trust.map(({ Action }) => Action.join()),
            ["sts:AssumeRole", "sts:TagSession"],
        );
        assert.deepEqual(trust[0]?.Condition, {
            ArnLike: { "aws:PrincipalArn": "arn:aws-cn:iam::ACCOUNT:role/kof/cloudwatch-*" },
            StringEquals: { "sts:ExternalId": "kof" },
        });
        assert.deepEqual(rights[0]?.Resource, [
            "arn:aws-cn:logs:cn-north-1:210987654321:log-group:/kof/mothership:*",
            "arn:aws-cn:logs:cn-north-1:210987654321:log-group:/kof/mothership-audit:*",
        ]);
        assert.deepEqual(rights[1]?.Action, ["xray:PutTraceSegments"]);
        assert.match(china, /^aws iam create-role --role-name kof-logs --path \/central\/ --assume/m);
        assert.match(china, /--log-group-name \/kof\/mothership-audit --retention-in-days 365$/m);
        const [own = []] = parts(page({ identity: identities.irsa }));
        assert.deepEqual(own[0]?.Condition, {
            ArnLike: { "aws:PrincipalArn": "arn:aws:iam::123456789012:role/kof/kof-cloudwatch-mothership" },
        });
        assert.match(
            page({ identity: identities.existingSecret }),
            /`ACCOUNT` is the account of the key in Secret `aws`/,
        );
        assert.match(
            page({}),
            /an IAM user that may assume `arn:aws:iam::210987654321:role\/central\/kof-logs`, with one key/,
        );
        assert.doesNotMatch(
            summaryPage("s", deploymentFor({ route: "cloudwatch", cloudwatch: { region: "eu-west-1" } }), []),
            /another AWS/,
        );
    });

    it("is a change of credentials and of the account, which loses nothing", () => {
        const own: Raw = { route: "cloudwatch", cloudwatch: { region: "eu-west-1" } };
        const { credentials, logGroups, consequences } = planOf(deploymentFor(own), deploymentFor(raw()));
        assert.deepEqual(credentials, [
            { operation: "kept", what: "access key 1 of IAM user cloudwatch" },
            { operation: "assumed", what: `IAM role ${roleArn}, made by account 210987654321` },
        ]);
        assert.deepEqual(new Set(logGroups.map(({ operation }) => operation)), new Set(["left"]));
        const [moved, ...others] = consequences.filter(({ key }) => key.startsWith("kof:cloudwatch"));
        assert.deepEqual(others, []);
        assert.equal(moved?.severity, "notice");
        assert.match(
            moved.message,
            /^leads to account 210987654321, where it was the stack's own account\. What is stored there/,
        );
        const back = planOf(deploymentFor(raw()), deploymentFor(own)).credentials.map(({ operation }) => operation);
        assert.deepEqual(back, ["kept", "no longer assumed"]);
        const same = planOf(deploymentFor(raw()), deploymentFor(raw()));
        assert.deepEqual(same.consequences, []);
    });

    it("has keys that are rotated where the settings have them", () => {
        const generations = (...labels: string[]) => raw({}, { identity: { kind: "accessKey", generations: labels } });
        const { consequences } = planOf(deploymentFor(generations("1")), deploymentFor(generations("2")));
        const [rotation] = consequences.filter(({ key }) => key.includes("generations"));
        assert.equal(rotation?.key, "kof:cloudwatch.credentials.identity.generations");
        assert.deepEqual(rotation.paste, {
            "kof:cloudwatch": { credentials: { identity: { kind: "accessKey", generations: ["1", "2"] } } },
        });
    });
});
