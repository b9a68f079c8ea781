/**
 * Stands in for Pulumi's AWS provider, over whatever answers at AWS_ENDPOINT_URL, with the types and functions that the program
 * uses. Replacement, import and what AWS itself refuses (a name that is taken, a third access key, a user that still has keys)
 * are as in the real one. It does not imitate
 * - checks of the inputs, aliases and state upgrades of older versions, and any other type or property;
 * - `defaultTags`, `allowedAccountIds`, `assumeRole`, and `endpoints` of the provider: of its configuration it takes the region;
 * - a change of that configuration: it replaces nothing, here or there, but the real one checks the credentials;
 * - EKS Pod Identity, which the emulator does not have: an association exists in the state only;
 * - what a refresh finds of a bucket's set-up, and a bucket of somebody else, which the emulator would hand out;
 * - a change of a group's KMS key, which the emulator refuses.
 */
import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as iam from "@aws-sdk/client-iam";
import * as s3 from "@aws-sdk/client-s3";
import { version } from "@pulumi/aws/package.json";

import { serve, type Properties, type ResourceType } from "./server";

let region = process.env.AWS_REGION ?? "us-east-1";
// IAM is one for all regions.
const identities = new iam.IAMClient({ region: "us-east-1" });

function groupsIn(properties: Properties): logs.CloudWatchLogsClient {
    return new logs.CloudWatchLogsClient({ region: (properties.region as string | undefined) ?? region });
}

async function findGroup(args: Properties): Promise<logs.LogGroup | undefined> {
    const found = await groupsIn(args).send(new logs.DescribeLogGroupsCommand({ logGroupNamePrefix: args.name }));
    return found.logGroups?.find(({ logGroupName }) => logGroupName === args.name);
}

/** An ARN as the provider gives it: AWS's ends with `:*`. */
function arnOf(group: logs.LogGroup | undefined): string {
    return (group?.arn ?? "").replace(/:\*$/, "");
}

async function tagsOf(group: logs.LogGroup, properties: Properties): Promise<Record<string, string>> {
    const asked = new logs.ListTagsForResourceCommand({ resourceArn: arnOf(group) });
    return (await groupsIn(properties).send(asked)).tags ?? {};
}

async function keep({ name, region, retentionInDays }: Properties): Promise<void> {
    const [client, logGroupName] = [groupsIn({ region }), name as string];
    // Zero is for ever.
    if (retentionInDays) {
        await client.send(new logs.PutRetentionPolicyCommand({ logGroupName, retentionInDays }));
    } else {
        await client.send(new logs.DeleteRetentionPolicyCommand({ logGroupName }));
    }
}

const logGroup: ResourceType = {
    replaces: ["name", "region"],
    autonamed: true,
    async create(inputs) {
        const { name, kmsKeyId, tags } = inputs;
        await groupsIn(inputs).send(new logs.CreateLogGroupCommand({ logGroupName: name, kmsKeyId, tags }));
        await keep(inputs);
        return { id: name, computed: { arn: arnOf(await findGroup(inputs)), region: inputs.region ?? region } };
    },
    async read(id, before) {
        // An import may say the region: NAME@REGION.
        const [name, given] = id.split("@");
        const place = { name, region: given ?? before.region ?? region };
        const group = await findGroup(place);
        const inputs = group && {
            ...place,
            retentionInDays: group.retentionInDays ?? 0,
            kmsKeyId: group.kmsKeyId,
            tags: await tagsOf(group, place),
        };
        return inputs && { inputs, computed: { arn: arnOf(group) } };
    },
    async update(_id, inputs, before) {
        const { name: logGroupName, kmsKeyId, tags = {} } = inputs;
        const client = groupsIn(inputs);
        await keep(inputs);
        if (kmsKeyId !== before.kmsKeyId) {
            await (kmsKeyId
                ? client.send(new logs.AssociateKmsKeyCommand({ logGroupName, kmsKeyId }))
                : client.send(new logs.DisassociateKmsKeyCommand({ logGroupName })));
        }
        const resourceArn = before.arn as string;
        const tagKeys = Object.keys(before.tags ?? {}).filter((key) => !(key in tags));
        if (tagKeys.length > 0) {
            await client.send(new logs.UntagResourceCommand({ resourceArn, tagKeys }));
        }
        await client.send(new logs.TagResourceCommand({ resourceArn, tags }));
    },
    async delete(_id, outputs) {
        await unlessGone(groupsIn(outputs).send(new logs.DeleteLogGroupCommand({ logGroupName: outputs.name })));
    },
};

const user: ResourceType = {
    replaces: ["name", "path"],
    autonamed: true,
    async create({ name, path, tags }) {
        const made = new iam.CreateUserCommand({ UserName: name, Path: path, Tags: tagList(tags) });
        const { User } = await identities.send(made);
        return { id: name, computed: { arn: User?.Arn, uniqueId: User?.UserId } };
    },
    async read(id) {
        const found = await unlessGone(identities.send(new iam.GetUserCommand({ UserName: id })));
        const User = found?.User;
        const { Tags } = User ? await identities.send(new iam.ListUserTagsCommand({ UserName: id })) : {};
        return (
            User && {
                inputs: { name: id, path: User.Path, tags: tagMap(Tags) },
                computed: { arn: User.Arn, uniqueId: User.UserId },
            }
        );
    },
    async update(id, { tags = {} }, before) {
        const gone = Object.keys(before.tags ?? {}).filter((key) => !(key in tags));
        await identities.send(new iam.UntagUserCommand({ UserName: id, TagKeys: gone }));
        await identities.send(new iam.TagUserCommand({ UserName: id, Tags: tagList(tags) }));
    },
    async delete(id) {
        await unlessGone(identities.send(new iam.DeleteUserCommand({ UserName: id })));
    },
};

const accessKey: ResourceType = {
    replaces: ["user"],
    async create({ user }) {
        const { AccessKey } = await identities.send(new iam.CreateAccessKeyCommand({ UserName: user }));
        const { AccessKeyId = "", SecretAccessKey: secret, CreateDate, Status: status } = AccessKey ?? {};
        return { id: AccessKeyId, computed: { secret, status, createDate: CreateDate?.toISOString() } };
    },
    async read(id, before) {
        const { user: UserName, secret, createDate } = before;
        const found = await unlessGone(identities.send(new iam.ListAccessKeysCommand({ UserName })));
        const key = found?.AccessKeyMetadata?.find(({ AccessKeyId }) => AccessKeyId === id);
        // AWS tells the secret once.
        return key && { inputs: { user: UserName }, computed: { secret, createDate, status: key.Status } };
    },
    async update(id, { user, status = "Active" }) {
        await identities.send(new iam.UpdateAccessKeyCommand({ UserName: user, AccessKeyId: id, Status: status }));
    },
    async delete(id, { user }) {
        await unlessGone(identities.send(new iam.DeleteAccessKeyCommand({ UserName: user, AccessKeyId: id })));
    },
};

const role: ResourceType = {
    replaces: ["name", "path"],
    autonamed: true,
    async create({ name, path, assumeRolePolicy, tags }) {
        const { Role } = await identities.send(
            new iam.CreateRoleCommand({
                RoleName: name,
                Path: path,
                AssumeRolePolicyDocument: assumeRolePolicy,
                Tags: tagList(tags),
            }),
        );
        return { id: name, computed: { arn: Role?.Arn, uniqueId: Role?.RoleId } };
    },
    async read(id) {
        const found = await unlessGone(identities.send(new iam.GetRoleCommand({ RoleName: id })));
        const Role = found?.Role;
        const assumeRolePolicy = decodeURIComponent(Role?.AssumeRolePolicyDocument ?? "");
        return (
            Role && {
                inputs: { name: id, path: Role.Path, assumeRolePolicy, tags: tagMap(Role.Tags) },
                computed: { arn: Role.Arn, uniqueId: Role.RoleId },
            }
        );
    },
    async update(id, { assumeRolePolicy, tags = {} }, before) {
        const trust = { RoleName: id, PolicyDocument: assumeRolePolicy };
        await identities.send(new iam.UpdateAssumeRolePolicyCommand(trust));
        const gone = Object.keys(before.tags ?? {}).filter((key) => !(key in tags));
        await identities.send(new iam.UntagRoleCommand({ RoleName: id, TagKeys: gone }));
        await identities.send(new iam.TagRoleCommand({ RoleName: id, Tags: tagList(tags) }));
    },
    async delete(id) {
        await unlessGone(identities.send(new iam.DeleteRoleCommand({ RoleName: id })));
    },
};

/** A policy within a user or role. Its id is that one's name and its own: `USER:POLICY`. */
function inlinePolicy(
    owner: "user" | "role",
    put: (owner: string, name: string, policy: string) => Promise<unknown>,
    get: (owner: string, name: string) => Promise<{ PolicyDocument?: string | undefined }>,
    remove: (owner: string, name: string) => Promise<unknown>,
): ResourceType {
    return {
        replaces: ["name", owner],
        autonamed: true,
        async create(inputs) {
            await put(inputs[owner] as string, inputs.name as string, inputs.policy as string);
            return { id: `${String(inputs[owner])}:${String(inputs.name)}`, computed: {} };
        },
        async read(id) {
            const [of = "", name = ""] = id.split(":");
            const found = await unlessGone(get(of, name));
            const policy = decodeURIComponent(found?.PolicyDocument ?? "");
            return found && { inputs: { [owner]: of, name, policy }, computed: {} };
        },
        async update(_id, inputs) {
            await put(inputs[owner] as string, inputs.name as string, inputs.policy as string);
        },
        async delete(id) {
            const [of = "", name = ""] = id.split(":");
            await unlessGone(remove(of, name));
        },
    };
}

const userPolicy = inlinePolicy(
    "user",
    (UserName, PolicyName, PolicyDocument) =>
        identities.send(new iam.PutUserPolicyCommand({ UserName, PolicyName, PolicyDocument })),
    (UserName, PolicyName) => identities.send(new iam.GetUserPolicyCommand({ UserName, PolicyName })),
    (UserName, PolicyName) => identities.send(new iam.DeleteUserPolicyCommand({ UserName, PolicyName })),
);

const rolePolicy = inlinePolicy(
    "role",
    (RoleName, PolicyName, PolicyDocument) =>
        identities.send(new iam.PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument })),
    (RoleName, PolicyName) => identities.send(new iam.GetRolePolicyCommand({ RoleName, PolicyName })),
    (RoleName, PolicyName) => identities.send(new iam.DeleteRolePolicyCommand({ RoleName, PolicyName })),
);

const podIdentityAssociation: ResourceType = {
    replaces: ["clusterName", "namespace", "serviceAccount", "region"],
    create: ({ clusterName, serviceAccount }) => {
        const id = `a-${String(clusterName)}-${String(serviceAccount)}`;
        return Promise.resolve({ id, computed: { associationId: id } });
    },
    read: (id, { clusterName, namespace, serviceAccount, region, roleArn, tags }) => {
        const inputs = { clusterName, namespace, serviceAccount, region, roleArn, tags };
        return Promise.resolve({ inputs, computed: { associationId: id } });
    },
    update: () => Promise.resolve(),
    delete: () => Promise.resolve(),
};

function bucketsIn(properties: Properties): s3.S3Client {
    return new s3.S3Client({ region: (properties.region as string | undefined) ?? region, forcePathStyle: true });
}

/** Where a bucket is; `undefined` where it is not. */
async function regionOfBucket(name: string): Promise<string | undefined> {
    const found = await unlessGone(bucketsIn({}).send(new s3.GetBucketLocationCommand({ Bucket: name })));
    return found && (found.LocationConstraint ?? "us-east-1");
}

async function lockOf(Bucket: string, properties: Properties): Promise<s3.ObjectLockConfiguration | undefined> {
    const asked = new s3.GetObjectLockConfigurationCommand({ Bucket });
    return (await unlessGone(bucketsIn(properties).send(asked)))?.ObjectLockConfiguration;
}

async function tagsOfBucket(Bucket: string, properties: Properties): Promise<Properties> {
    const found = await unlessGone(bucketsIn(properties).send(new s3.GetBucketTaggingCommand({ Bucket })));
    return tagMap(found?.TagSet);
}

async function tagBucket({ bucket: Bucket, tags, ...rest }: Properties): Promise<void> {
    await bucketsIn(rest).send(
        new s3.PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: tagList(tags as Properties) } }),
    );
}

const bucket: ResourceType = {
    replaces: ["bucket", "region", "objectLockEnabled"],
    computed: ["objectLockEnabled"],
    async create(inputs) {
        const { bucket: Bucket, region: LocationConstraint, objectLockEnabled } = inputs;
        await bucketsIn(inputs).send(
            new s3.CreateBucketCommand({
                Bucket,
                ObjectLockEnabledForBucket: objectLockEnabled,
                ...(LocationConstraint === "us-east-1" ? {} : { CreateBucketConfiguration: { LocationConstraint } }),
            }),
        );
        await tagBucket(inputs);
        return { id: Bucket, computed: { arn: `arn:aws:s3:::${String(Bucket)}` } };
    },
    async read(id) {
        const where = await regionOfBucket(id);
        if (where === undefined) {
            return undefined;
        }
        const objectLockEnabled = (await lockOf(id, { region: where })) !== undefined;
        const tags = await tagsOfBucket(id, { region: where });
        return {
            inputs: { bucket: id, region: where, objectLockEnabled, tags },
            computed: { arn: `arn:aws:s3:::${id}` },
        };
    },
    update: (_id, inputs) => tagBucket(inputs),
    async delete(id, outputs) {
        await unlessGone(bucketsIn(outputs).send(new s3.DeleteBucketCommand({ Bucket: id })));
    },
};

/** How a bucket is set up in one regard. Its id is the bucket's name. */
function setUp(
    put: (client: s3.S3Client, Bucket: string, inputs: Properties) => Promise<unknown>,
    remove: (client: s3.S3Client, Bucket: string) => Promise<unknown>,
): ResourceType {
    return {
        replaces: ["bucket", "region"],
        async create(inputs) {
            await put(bucketsIn(inputs), inputs.bucket as string, inputs);
            return { id: inputs.bucket as string, computed: {} };
        },
        async read(id, before) {
            return (await regionOfBucket(id)) === undefined ? undefined : { inputs: before, computed: {} };
        },
        async update(id, inputs) {
            await put(bucketsIn(inputs), id, inputs);
        },
        async delete(id, outputs) {
            await unlessGone(remove(bucketsIn(outputs), id));
        },
    };
}

const bucketPublicAccessBlock = setUp(
    (client, Bucket, { blockPublicAcls, blockPublicPolicy, ignorePublicAcls, restrictPublicBuckets }) =>
        client.send(
            new s3.PutPublicAccessBlockCommand({
                Bucket,
                PublicAccessBlockConfiguration: {
                    BlockPublicAcls: blockPublicAcls,
                    BlockPublicPolicy: blockPublicPolicy,
                    IgnorePublicAcls: ignorePublicAcls,
                    RestrictPublicBuckets: restrictPublicBuckets,
                },
            }),
        ),
    (client, Bucket) => client.send(new s3.DeletePublicAccessBlockCommand({ Bucket })),
);

const bucketOwnershipControls = setUp(
    (client, Bucket, { rule }) =>
        client.send(
            new s3.PutBucketOwnershipControlsCommand({
                Bucket,
                OwnershipControls: { Rules: [{ ObjectOwnership: rule.objectOwnership }] },
            }),
        ),
    (client, Bucket) => client.send(new s3.DeleteBucketOwnershipControlsCommand({ Bucket })),
);

const bucketEncryption = setUp(
    (client, Bucket, { rules: [{ applyServerSideEncryptionByDefault: byDefault, bucketKeyEnabled }] }) =>
        client.send(
            new s3.PutBucketEncryptionCommand({
                Bucket,
                ServerSideEncryptionConfiguration: {
                    Rules: [
                        {
                            ApplyServerSideEncryptionByDefault: {
                                SSEAlgorithm: byDefault.sseAlgorithm,
                                KMSMasterKeyID: byDefault.kmsMasterKeyId,
                            },
                            BucketKeyEnabled: bucketKeyEnabled,
                        },
                    ],
                },
            }),
        ),
    (client, Bucket) => client.send(new s3.DeleteBucketEncryptionCommand({ Bucket })),
);

const bucketVersioning = setUp(
    (client, Bucket, { versioningConfiguration: { status: Status } }) =>
        client.send(new s3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } })),
    (client, Bucket) =>
        client.send(new s3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Suspended" } })),
);

const bucketLifecycle = setUp(
    (client, Bucket, { rules }) =>
        client.send(
            new s3.PutBucketLifecycleConfigurationCommand({
                Bucket,
                LifecycleConfiguration: {
                    Rules: (rules as Properties[]).map((rule) => ({
                        ID: rule.id,
                        Status: rule.status,
                        Filter: { Prefix: rule.filter.prefix },
                        ...(rule.abortIncompleteMultipartUpload && {
                            AbortIncompleteMultipartUpload: {
                                DaysAfterInitiation: rule.abortIncompleteMultipartUpload.daysAfterInitiation,
                            },
                        }),
                        ...(rule.transitions && {
                            Transitions: (rule.transitions as Properties[]).map(({ days, storageClass }) => ({
                                Days: days,
                                StorageClass: storageClass,
                            })),
                        }),
                    })),
                },
            }),
        ),
    (client, Bucket) => client.send(new s3.DeleteBucketLifecycleCommand({ Bucket })),
);

const bucketObjectLock = setUp(
    async (client, Bucket, inputs) => {
        const { mode: Mode, days: Days } = inputs.rule.defaultRetention;
        const { DefaultRetention } = (await lockOf(Bucket, inputs))?.Rule ?? {};
        // The emulator refuses it of a bucket with anything in it, which S3 does not.
        if (DefaultRetention?.Mode !== Mode || DefaultRetention?.Days !== Days) {
            const ObjectLockConfiguration = {
                ObjectLockEnabled: "Enabled",
                Rule: { DefaultRetention: { Mode, Days } },
            } as const;
            await client.send(new s3.PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }));
        }
    },
    (client, Bucket) =>
        client.send(
            new s3.PutObjectLockConfigurationCommand({
                Bucket,
                ObjectLockConfiguration: { ObjectLockEnabled: "Enabled" },
            }),
        ),
);

function tagList(tags: Properties = {}): { Key: string; Value: string }[] {
    return Object.entries(tags).map(([Key, Value]) => ({ Key, Value: Value as string }));
}

function tagMap(tags: readonly { Key?: string | undefined; Value?: string | undefined }[] = []): Properties {
    return Object.fromEntries(tags.map(({ Key = "", Value }) => [Key, Value]));
}

/** What AWS answers; `undefined` where it does not know what is asked for. */
async function unlessGone<T>(asked: Promise<T>): Promise<T | undefined> {
    try {
        return await asked;
    } catch (error) {
        const absent = ["NoSuchBucket", "NoSuchTagSet", "ObjectLockConfigurationNotFoundError"];
        if (
            error instanceof iam.NoSuchEntityException ||
            error instanceof logs.ResourceNotFoundException ||
            absent.includes((error as Error).name)
        ) {
            return undefined;
        }
        throw error;
    }
}

void serve({
    version,
    configure: (config) => {
        region = (config.region as string | undefined) ?? region;
    },
    resources: {
        "aws:cloudwatch/logGroup:LogGroup": logGroup,
        "aws:s3/bucket:Bucket": bucket,
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": bucketPublicAccessBlock,
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls": bucketOwnershipControls,
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": bucketEncryption,
        "aws:s3/bucketVersioning:BucketVersioning": bucketVersioning,
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": bucketLifecycle,
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": bucketObjectLock,
        "aws:iam/user:User": user,
        "aws:iam/userPolicy:UserPolicy": userPolicy,
        "aws:iam/accessKey:AccessKey": accessKey,
        "aws:iam/role:Role": role,
        "aws:iam/rolePolicy:RolePolicy": rolePolicy,
        "aws:eks/podIdentityAssociation:PodIdentityAssociation": podIdentityAssociation,
    },
    functions: {
        "aws:s3/getBucket:getBucket": async (args) => {
            const reading = `reading S3 Bucket (${String(args.bucket)})`;
            const bucketRegion = await regionOfBucket(args.bucket as string);
            if (bucketRegion === undefined) {
                throw new Error(`${reading}: couldn't find resource`);
            }
            if (bucketRegion !== args.region) {
                throw new Error(
                    `${reading}: operation error S3: HeadBucket, https response error StatusCode: 301, RequestID: 1, HostID: 1, api error ` +
                        "MovedPermanently: Moved Permanently",
                );
            }
            return { id: args.bucket, bucket: args.bucket, bucketRegion, region: args.region };
        },
        "aws:s3/getBucketObjectLockConfiguration:getBucketObjectLockConfiguration": async (args) => {
            const found = await lockOf(args.bucket as string, args);
            if (!found) {
                throw new Error(
                    `reading S3 Bucket Object Lock Configuration (${String(args.bucket)}): couldn't find resource`,
                );
            }
            const { Mode: mode, Days: days = 0, Years: years = 0 } = found.Rule?.DefaultRetention ?? {};
            const rules = mode === undefined ? [] : [{ defaultRetentions: [{ mode, days, years }] }];
            return { id: args.bucket, bucket: args.bucket, objectLockEnabled: found.ObjectLockEnabled, rules };
        },
        "aws:resourcegroupstaggingapi/getResources:getResources": async (args) => {
            const [arn = ""] = args.resourceArnLists as string[];
            const tags = await tagsOfBucket(arn.replace(/^.*:/, ""), args);
            // It knows what has tags, or had them.
            const resourceTagMappingLists = Object.keys(tags).length > 0 ? [{ resourceArn: arn, tags }] : [];
            return { id: region, region, resourceTagMappingLists };
        },
        "aws:cloudwatch/getLogGroups:getLogGroups": async (args) => {
            const { logGroups = [] } = await groupsIn(args).send(
                new logs.DescribeLogGroupsCommand({ logGroupNamePrefix: args.logGroupNamePrefix }),
            );
            const logGroupNames = logGroups.map(({ logGroupName }) => logGroupName);
            return { id: region, region, arns: logGroups.map(arnOf), logGroupNames };
        },
        "aws:cloudwatch/getLogGroup:getLogGroup": async (args) => {
            const group = await findGroup(args);
            if (!group) {
                throw new Error(`reading CloudWatch Logs Log Group (${String(args.name)}): couldn't find resource`);
            }
            const { retentionInDays = 0, kmsKeyId = "" } = group;
            const tags = await tagsOf(group, args);
            return { id: args.name, name: args.name, region, arn: arnOf(group), retentionInDays, kmsKeyId, tags };
        },
    },
});
