import type { IAMClient } from "@aws-sdk/client-iam";

import { arnParts, bucketArnOf, partitionOf } from "../core/lib/arns";
import { CouldNotCheck } from "../core/lib/errors";
import { shellWord } from "../core/lib/shell";
import type { Archive } from "../core/routes/archives";
import type { AwsIdentity } from "../core/settings/settings";
import { awsFailure, callerIdentity, clientOptions, inTime, UnknownCaller, type AwsAccess } from "./awsClient";
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

/** What is made at AWS for pods to be. */
interface MadeIdentity {
    readonly credentials: AwsIdentity;
    /** Name of the role, where a service account names it. */
    readonly roleName: string | undefined;
    /** What names start with that nobody gives. */
    readonly name: string;
    /** Default region of an EKS cluster. */
    readonly region: string;
}

function identityRights({ credentials, roleName, name, region }: MadeIdentity, account: string): Needed[] {
    const arn = (service: string, at: string, resource: string) =>
        `arn:${partitionOf(region)}:${service}:${at}:${account}:${resource}`;
    const roles: Needed = {
        actions: ["iam:CreateRole", "iam:PutRolePolicy", "iam:TagRole"],
        resources: [[arn("iam", "", `role/kof/${roleName ?? `${name}-0000000`}`)]],
    };
    switch (credentials.kind) {
        case "accessKey":
            return [
                {
                    actions: ["iam:CreateUser", "iam:PutUserPolicy", "iam:CreateAccessKey", "iam:TagUser"],
                    resources: [[arn("iam", "", `user/kof/${name}-0000000`)]],
                },
            ];
        case "podIdentity":
            return [
                roles,
                {
                    actions: ["eks:CreatePodIdentityAssociation"],
                    resources: [[arn("eks", credentials.region ?? region, `cluster/${credentials.clusterName}`)]],
                },
            ];
        case "irsa":
            return [roles];
        case "existingSecret":
            return [];
    }
}

/** What `pulumi up` does in AWS for CloudWatch, where it makes the credentials too. */
function cloudwatchRights({ region, logGroups, credentials, roleName }: CloudWatch, account: string): Needed[] {
    const group = (name: string) => `arn:${partitionOf(region)}:logs:${region}:${account}:log-group:${name}`;
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
    return [
        ...(logGroups.length > 0 ? groups : []),
        ...identityRights({ credentials, roleName, name: "kof-cloudwatch", region }, account),
    ];
}

/**
 * What `pulumi up` does in AWS for an archive: it looks at the bucket, and makes it, as components/bucket.ts has it, with the rights
 * that the Service Authorization Reference names for each of these requests (2026-11).
 */
function archiveRights({ name, bucket, credentials, roleName }: Archive, account: string): Needed[] {
    const { region, create, objectLock } = bucket;
    if (bucket.endpoint !== undefined) {
        return [];
    }
    const locked = objectLock ? ["s3:GetBucketObjectLockConfiguration"] : [];
    const made = [
        ...["s3:CreateBucket", "s3:PutBucketTagging", "s3:PutBucketPublicAccessBlock", "s3:PutBucketOwnershipControls"],
        ...["s3:PutEncryptionConfiguration", "s3:PutBucketVersioning", "s3:PutLifecycleConfiguration"],
        ...(objectLock ? ["s3:PutBucketObjectLockConfiguration"] : []),
    ];
    return [
        {
            actions: ["s3:ListBucket", ...locked, ...(create ? made : [])],
            resources: [[bucketArnOf(region, bucket.name)]],
        },
        ...identityRights({ credentials, roleName, name, region }, account),
    ];
}

/** What is to be made somewhere in AWS, and what that takes. */
interface Made {
    readonly region: string;
    readonly rights: (account: string) => Needed[];
    /** Human-readable: `log groups`. */
    readonly what: string;
}

function madeBy({ cloudwatch, archives }: Live["deployment"]): Made[] {
    return [
        ...(cloudwatch
            ? [
                  {
                      region: cloudwatch.region,
                      rights: (account: string) => cloudwatchRights(cloudwatch, account),
                      what: "log groups",
                  },
              ]
            : []),
        ...archives
            .filter(({ bucket }) => bucket.endpoint === undefined)
            .map((archive) => ({
                region: archive.bucket.region,
                rights: (account: string) => archiveRights(archive, account),
                what: `the bucket of kof:${archive.kind}`,
            })),
    ];
}

async function identityAndRights({ deployment, aws: access }: Live): Promise<Finding[]> {
    const made = madeBy(deployment);
    return made.length === 0 ? [] : inTime(() => findingsIn(made, access), access);
}

async function findingsIn(made: readonly Made[], access: AwsAccess): Promise<Finding[]> {
    const region = made[0]?.region ?? "";
    const identity = await identityOf(region, access);
    if (typeof identity !== "string") {
        return [identity];
    }
    const { account, resource } = arnParts(identity);
    const needed = made.flatMap(({ rights, what }) => rights(account).map((each) => ({ ...each, what })));
    // Nobody can take a right from an account's root user, and IAM simulates none for it.
    if (needed.length === 0 || resource === "root") {
        return [];
    }
    // Loaded only here: most stacks have nothing in AWS.
    const { IAMClient } = await import("@aws-sdk/client-iam");
    const client = new IAMClient(clientOptions({ region }, access));
    try {
        const principal = await simulated(identity, client, access);
        const looks = needed.map(async (each) =>
            (await missingRights(client, principal, each)).map((missing) => ({ ...missing, what: each.what })),
        );
        // Nothing is asked any more when the client is gone.
        await Promise.allSettled(looks);
        const found = await Promise.all(looks);
        return found.flat().map(({ denied, fix, what }) => ({
            severity: "problem",
            what: `${identity} may not ${denied.join(", ")}`,
            why: `pulumi up makes ${what}, and what may write there; it would stop half-way.`,
            fix,
        }));
    } catch (error) {
        if (error instanceof CouldNotCheck) {
            throw error;
        }
        const { is, reason } = awsFailure(error);
        throw new CouldNotCheck(
            is === "refusal"
                ? `${identity} may not check its own permissions (iam:SimulatePrincipalPolicy): ${reason}`
                : `IAM does not say what ${identity} may do: ${reason}`,
        );
    } finally {
        client.destroy();
    }
}

/** The ARN of who asks, or what AWS has against them. */
async function identityOf(region: string, access: AwsAccess): Promise<string | Finding> {
    try {
        return (await callerIdentity(region, access)).arn;
    } catch (error) {
        if (!(error instanceof UnknownCaller)) {
            throw error;
        }
        const [role] = access.assumeRoles ?? [];
        return {
            severity: "problem",
            what: error.message,
            why: "What the stack has in AWS is made with your identity: log groups, buckets, and credentials for them.",
            fix: role
                ? `aws sts assume-role --role-session-name doctor --role-arn ${role.roleArn}`
                : "aws sts get-caller-identity",
        };
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
    const decided = new Set<string>();
    for await (const { EvaluationResults = [] } of paginateSimulatePrincipalPolicy({ client }, asked)) {
        for (const { EvalActionName = "", ResourceSpecificResults: each = [], ...result } of EvaluationResults) {
            decided.add(EvalActionName);
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
    if (!actions.every((action) => decided.has(action))) {
        throw new CouldNotCheck(`what answers for IAM is no simulation of what ${principal} may do`);
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
