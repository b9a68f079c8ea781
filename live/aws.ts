import { arnParts, bucketArnOf, logGroupArn, partitionOf } from "../core/lib/arns";
import { CouldNotCheck } from "../core/lib/errors";
import type { Archive } from "../core/routes/archives";
import type { CloudWatchParts } from "../core/routes/parts";
import { callerIdentity, UnknownCaller, showCaller, type AwsAccess } from "./awsClient";
import { lookAtEach, type Check, type Finding, type Findings, type Live } from "./findings";
import { decisions, policyHolder, rightsFindings, type Needed } from "./rights";

/** Whether AWS lets this person make what a stack needs there. */
export const aws: readonly Check[] = [{ title: "AWS", look: identityAndRights }];

/**
 * What it takes to make what pods are at AWS.
 *
 * @param name what names start with that nobody gives.
 * @param region default of an EKS cluster.
 */
function identityRights(
    { credentials, roleName }: Pick<Archive, "credentials" | "roleName">,
    name: string,
    region: string,
    account: string,
): Needed[] {
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
function cloudwatchRights({ region, logGroups, credentials, roleName }: CloudWatchParts, account: string): Needed[] {
    const group = (name: string) => logGroupArn(region, account, name);
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
        ...identityRights({ credentials, roleName }, "kof-cloudwatch", region, account),
    ];
}

/**
 * What `pulumi up` does in AWS for an archive: it looks at the bucket and makes it (components/bucket.ts). The rights are those that
 * the Service Authorization Reference names for each of these requests (2026-11).
 */
function archiveRights({ name, bucket, credentials, roleName }: Archive, account: string): Needed[] {
    const { region, create, objectLock } = bucket;
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
        ...identityRights({ credentials, roleName }, name, region, account),
    ];
}

async function identityAndRights(live: Live): Promise<Findings> {
    const { cloudwatch } = live.deployment;
    const archives = live.deployment.archives.filter(({ bucket }) => bucket.endpoint === undefined);
    const region = cloudwatch?.region ?? archives[0]?.bucket.region;
    if (region === undefined) {
        return undefined;
    }
    const identity = await askerOf(region, live.aws);
    if (typeof identity !== "string") {
        return identity;
    }
    const { account, resource } = arnParts(identity);
    const groups = cloudwatch && {
        region: cloudwatch.region,
        needed: cloudwatchRights(cloudwatch, account),
        what: "log groups",
    };
    const buckets = archives.map((archive) => ({
        region: archive.bucket.region,
        needed: archiveRights(archive, account),
        what: `the bucket of kof:${archive.kind}`,
    }));
    const wanted = [...(groups ? [groups] : []), ...buckets]
        .filter(({ needed }) => needed.length > 0)
        .map((each) => ({ ...each, asking: { whose: "your", region: each.region } }));
    const [first] = wanted;
    // Nobody can take a right from an account's root user, and IAM simulates none for it.
    if (!first || resource === "root") {
        return undefined;
    }
    const { arn, noPath } = await policyHolder(identity, first.asking, live);
    return lookAtEach(wanted, async ({ asking, needed, what }) => {
        const decided = await decisions(arn, needed, asking, live);
        if (!decided) {
            throw new CouldNotCheck(
                `IAM has no ${arn}` +
                    (noPath === undefined
                        ? ""
                        : `. A session does not say the path of its role. Looking it up: ${noPath}`),
                showCaller,
            );
        }
        return rightsFindings(decided, (denied) => [
            {
                what: `${identity} may not ${denied.join(", ")}`,
                why: `pulumi up makes ${what}, and what may write there; it would stop half-way.`,
            },
        ]);
    });
}

/** The ARN of who asks, or what AWS has against them. */
async function askerOf(region: string, access: AwsAccess): Promise<string | Finding> {
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
            fix: role ? `aws sts assume-role --role-session-name doctor --role-arn ${role.roleArn}` : showCaller,
        };
    }
}
