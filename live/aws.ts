import type { IAMClient } from "@aws-sdk/client-iam";

import { arnParts, partitionOf } from "../core/lib/arns";
import { CouldNotCheck } from "../core/lib/errors";
import { shellWord } from "../core/lib/shell";
import { clientOptions, inTime, type AwsAccess } from "./awsClient";
import type { Check, Finding, Live } from "./findings";

/** Whether AWS lets this person make what a stack needs there. */
export const aws: readonly Check[] = [{ title: "AWS", look: identityAndRights }];

type CloudWatch = NonNullable<Live["deployment"]["cloudwatch"]>;

/** Actions, and what each has to be allowed on. */
interface Needed {
    readonly actions: readonly string[];
    /** ARNs. Policies name one thing in several ways: one of each list is enough. */
    readonly resources: readonly (readonly string[])[];
}

/** What `pulumi up` does in AWS for CloudWatch, where it makes the credentials too. */
function neededRights({ region, logGroups, credentials, roleName }: CloudWatch, account: string): Needed[] {
    const arn = (service: string, at: string, resource: string) =>
        `arn:${partitionOf(region)}:${service}:${at}:${account}:${resource}`;
    const group = (name: string) => arn("logs", region, `log-group:${name}`);
    const roles: Needed = {
        actions: ["iam:CreateRole", "iam:PutRolePolicy", "iam:TagRole"],
        resources: [[arn("iam", "", `role/kof/${roleName ?? "kof-cloudwatch-0000000"}`)]],
    };
    const made = {
        accessKey: (): Needed[] => [
            {
                actions: ["iam:CreateUser", "iam:PutUserPolicy", "iam:CreateAccessKey", "iam:TagUser"],
                resources: [[arn("iam", "", "user/kof/kof-cloudwatch-0000000")]],
            },
        ],
        podIdentity: (): Needed[] => [
            roles,
            {
                actions: ["eks:CreatePodIdentityAssociation"],
                resources:
                    credentials.kind === "podIdentity"
                        ? [[arn("eks", credentials.region ?? region, `cluster/${credentials.clusterName}`)]]
                        : [],
            },
        ],
        irsa: (): Needed[] => [roles],
        existingSecret: (): Needed[] => [],
    };
    const groups: Needed[] = [
        {
            actions: [
                ...["logs:CreateLogGroup", "logs:PutRetentionPolicy"],
                ...["logs:TagResource", "logs:ListTagsForResource"],
            ],
            resources: logGroups.map(({ name }) => [group(name), `${group(name)}:*`]),
        },
        { actions: ["logs:DescribeLogGroups"], resources: [[group(""), group(":log-stream:"), "*"]] },
    ];
    // Traces alone need no group.
    return [...(logGroups.length > 0 ? groups : []), ...made[credentials.kind]()];
}

async function identityAndRights({ deployment: { cloudwatch }, aws: access }: Live): Promise<Finding[]> {
    return cloudwatch ? inTime(() => findingsIn(cloudwatch, access), access) : [];
}

async function findingsIn(cloudwatch: CloudWatch, access: AwsAccess): Promise<Finding[]> {
    const identity = await identityOf(cloudwatch.region, access);
    if (typeof identity !== "string") {
        return [identity];
    }
    const { account, resource } = arnParts(identity);
    const needed = neededRights(cloudwatch, account);
    // Nobody can take a right from an account's root user, and IAM simulates none for it.
    if (needed.length === 0 || resource === "root") {
        return [];
    }
    // Loaded only here: most stacks have nothing in AWS.
    const { IAMClient } = await import("@aws-sdk/client-iam");
    const client = new IAMClient(clientOptions({ region: cloudwatch.region }, access));
    try {
        const principal = await simulated(identity, client, access);
        const found = await Promise.all(needed.map((each) => missingRights(client, principal, each)));
        return found.flat().map(({ denied, fix }) => ({
            severity: "problem",
            what: `${identity} may not ${denied.join(", ")}`,
            why: "pulumi up makes log groups, and what may write to them; it would stop half-way.",
            fix,
        }));
    } catch (error) {
        if (error instanceof CouldNotCheck) {
            throw error;
        }
        const { name, message } = error as Error;
        throw new CouldNotCheck(
            name.includes("AccessDenied")
                ? `${identity} may not check its own permissions (iam:SimulatePrincipalPolicy): ${name}`
                : `IAM does not say what ${identity} may do: ${message || name}`,
        );
    } finally {
        client.destroy();
    }
}

/** What AWS, or the SDK before it asks, says of credentials that are none. Anything else says nothing about them: a proxy's 407, a 503. */
const noIdentity =
    /^(CredentialsProviderError|TokenProviderError|InvalidClientTokenId|SignatureDoesNotMatch|IncompleteSignature|ExpiredToken|ExpiredTokenException|InvalidToken|MissingAuthenticationToken|UnrecognizedClientException|UnauthorizedException|AccessDenied|AccessDeniedException)$/;

/** The ARN of who asks, or what AWS has against them. */
async function identityOf(region: string, access: AwsAccess): Promise<string | Finding> {
    const { GetCallerIdentityCommand, STSClient } = await import("@aws-sdk/client-sts");
    const client = new STSClient(clientOptions({ region }, access));
    try {
        return (await client.send(new GetCallerIdentityCommand({}))).Arn ?? "";
    } catch (error) {
        const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
        const roles = (access.assumeRoles ?? []).map(({ roleArn }) => roleArn);
        if (!noIdentity.test(name)) {
            const status = $metadata?.httpStatusCode;
            const said = status === undefined || status < 400 ? "" : `HTTP ${String(status)}, `;
            throw new CouldNotCheck(`AWS does not answer: ${said}${message || name}`);
        }
        return {
            severity: "problem",
            what: `AWS does not know who you are: ${message || name}`,
            why: "Log groups and credentials for CloudWatch are made with your identity.",
            fix:
                roles.length > 0
                    ? `aws sts assume-role --role-session-name doctor --role-arn ${roles[0] ?? ""}`
                    : "aws sts get-caller-identity",
        };
    } finally {
        client.destroy();
    }
}

/**
 * Who IAM simulates rights for: behind a session of an assumed role the role itself, with its path, which a session's ARN leaves
 * out. Roles of IAM Identity Center (SSO) have one.
 */
async function simulated(identity: string, client: IAMClient, { assumeRoles = [] }: AwsAccess): Promise<string> {
    const withoutPath = principalOf(identity);
    const name = withoutPath.split("/").at(-1) ?? "";
    const given = assumeRoles.at(-1)?.roleArn;
    if (withoutPath === identity) {
        return identity;
    }
    if (given?.endsWith(`/${name}`) === true) {
        return given;
    }
    const { GetRoleCommand } = await import("@aws-sdk/client-iam");
    // Who may not look may still be right: most roles have no path.
    const found = await client.send(new GetRoleCommand({ RoleName: name })).catch(() => undefined);
    return found?.Role?.Arn ?? withoutPath;
}

/** The role that somebody has assumed by its own ARN, as far as that of the session tells it; any other ARN as it is. */
export function principalOf(arn: string): string {
    return arn.replace(/^arn:([\w-]+):sts::(\d+):assumed-role\/([^/]+)\/.*$/, "arn:$1:iam::$2:role/$3");
}

/** Which of the needed rights somebody does not have: nothing, or one entry. */
async function missingRights(
    client: IAMClient,
    principal: string,
    { actions, resources }: Needed,
): Promise<{ readonly denied: readonly string[]; readonly fix: string }[]> {
    const { paginateSimulatePrincipalPolicy } = await import("@aws-sdk/client-iam");
    const asked = { PolicySourceArn: principal, ActionNames: [...actions], ResourceArns: resources.flat() };
    const allowed = new Set<string>();
    const conditions = new Set<string>();
    for await (const { EvaluationResults = [] } of paginateSimulatePrincipalPolicy({ client }, asked)) {
        for (const { EvalActionName = "", ResourceSpecificResults: each = [], ...result } of EvaluationResults) {
            const results = each.map((one) => ({ ...one, EvalDecision: one.EvalResourceDecision }));
            for (const { EvalDecision, EvalResourceName = "*", MissingContextValues = [] } of each.length > 0
                ? results
                : [result]) {
                if (EvalDecision === "allowed") {
                    allowed.add(`${EvalActionName} ${EvalResourceName}`);
                } else {
                    MissingContextValues.forEach((key) => conditions.add(key));
                }
            }
        }
    }
    const denied = actions.filter(
        (action) => !resources.every((names) => [...names, "*"].some((name) => allowed.has(`${action} ${name}`))),
    );
    if (denied.length > 0 && conditions.size > 0) {
        throw new CouldNotCheck(
            `whether ${principal} may ${denied.join(", ")} depends on conditions (${[...conditions].join(", ")})`,
        );
    }
    const fix =
        `aws iam simulate-principal-policy --policy-source-arn ${principal} --action-names ${actions.join(" ")} ` +
        `--resource-arns ${resources.flat().map(shellWord).join(" ")}`;
    return denied.length === 0 ? [] : [{ denied, fix }];
}
