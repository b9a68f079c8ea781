import { arnParts, logGroupArn, partitionOf } from "../../lib/arns";
import { code, fenced, paragraphs } from "../../lib/markdown";
import { accessKeySecret } from "../../routes/cloudwatch";
import type { Deployment } from "../../routes/deployment";
import type { CentralAccount, CloudWatchParts } from "../../routes/parts";
import { assumeTrust, writePolicy } from "../../routes/policies";

/** What another account has to make so that the collectors can write there; nothing where all is in one account. */
export function centralText({ cloudwatch }: Deployment): string {
    if (!cloudwatch?.central) {
        return "";
    }
    const { central } = cloudwatch;
    const who = collectorsOf(cloudwatch);
    return paragraphs([
        `The collectors write by ${code(central.roleArn)}, which account ${central.account} makes, and the log groups. This stack ` +
            "makes neither. Whom the role trusts:",
        fenced("json", json(assumeTrust({ ...who, externalId: central.externalId }))),
        ...(who.account === unknownAccount
            ? [
                  `${code(unknownAccount)} is the account ${who.principal === undefined ? `of the key in Secret ${code(accessKeySecret(cloudwatch.credentials))}; name its user in a condition ${code("ArnLike")} of ${code("aws:PrincipalArn")}` : "that this stack is deployed to"}.`,
              ]
            : []),
        "What the role may do:",
        fenced("json", json(centralPolicy(cloudwatch, central))),
        "With both in files, in that account:",
        fenced("bash", commands(cloudwatch, central).join("\n")),
    ]);
}

function json(value: unknown): string {
    return JSON.stringify(value, null, 2);
}

/** Stands for an account that settings do not name. */
const unknownAccount = "ACCOUNT";

/** IAM's name of the collectors before they assume the role. Pulumi ends generated names with random digits. */
function collectorsOf({ credentials, region, roleName = "" }: CloudWatchParts): Parameters<typeof assumeTrust>[0] {
    const { kind } = credentials;
    const partition = partitionOf(region);
    const account = kind === "irsa" ? arnParts(credentials.oidcProviderArn).account : unknownAccount;
    const name = {
        accessKey: "user/kof/cloudwatch-*",
        podIdentity: "role/kof/cloudwatch-*",
        irsa: `role/kof/${roleName}`,
        existingSecret: undefined,
    }[kind];
    return {
        ...{ kind, partition, account },
        ...(name === undefined ? {} : { principal: `arn:${partition}:iam::${account}:${name}` }),
    };
}

/** What the role may do in its account: what the collectors do. */
function centralPolicy(
    { region, signals }: CloudWatchParts,
    { account, logGroups }: CentralAccount,
): ReturnType<typeof writePolicy> {
    return writePolicy({
        logGroupArns: logGroups.map(({ name }) => logGroupArn(region, account, name)),
        tracesTo: signals.traces === "none" ? undefined : region,
        metricsTo: signals.metrics === "otlp" ? region : undefined,
    });
}

function commands({ region }: CloudWatchParts, { roleArn, logGroups }: CentralAccount): string[] {
    const [, path = "", name = ""] = /^role(\/.*\/|\/)([^/]+)$/.exec(arnParts(roleArn).resource) ?? [];
    return [
        ...logGroups.flatMap((group) => [
            `aws logs create-log-group --region ${region} --log-group-name ${group.name}`,
            `aws logs put-retention-policy --region ${region} --log-group-name ${group.name} --retention-in-days ${String(group.retentionDays)}`,
        ]),
        `aws iam create-role --role-name ${name}${path === "/" ? "" : ` --path ${path}`} --assume-role-policy-document file://trust.json`,
        `aws iam put-role-policy --role-name ${name} --policy-name kof --policy-document file://policy.json`,
    ];
}
