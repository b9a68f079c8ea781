import {
    CloudWatchLogsClient,
    CreateLogGroupCommand,
    CreateLogStreamCommand,
    paginateFilterLogEvents,
    PutLogEventsCommand,
    PutRetentionPolicyCommand,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
} from "@aws-sdk/client-cloudwatch-logs";
import {
    CreateAccessKeyCommand,
    CreateRoleCommand,
    CreateUserCommand,
    IAMClient,
    PutRolePolicyCommand,
    PutUserPolicyCommand,
    type AccessKey,
} from "@aws-sdk/client-iam";

import * as s3 from "@aws-sdk/client-s3";

import type { Resource } from "../../cli/offline";

/** How to reach the emulator, as whom. */
export interface Access {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: Credentials;
}

/** What signs requests. */
export interface Credentials {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
}

/** What is in a log group, in all streams. */
export async function readLogEvents(
    access: Access,
    logGroupName: string,
): Promise<{ time: number; message: string }[]> {
    const client = new CloudWatchLogsClient(access);
    const found: { time: number; message: string }[] = [];
    for await (const { events = [] } of paginateFilterLogEvents({ client }, { logGroupName })) {
        found.push(...events.map(({ timestamp = 0, message = "" }) => ({ time: timestamp, message })));
    }
    return found;
}

/** The number of moto's account. */
export const account = "123456789012";

/** Makes a user who may do anything in the partition of a region. @param access before IAM is enforced, of anybody. */
export async function makeAdmin(access: Access): Promise<Access> {
    const iam = new IAMClient(access);
    const UserName = "admin";
    await iam.send(new CreateUserCommand({ UserName }));
    const everything = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };
    const PolicyDocument = JSON.stringify(everything);
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: UserName, PolicyDocument }));
    const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    return {
        ...access,
        credentials: { accessKeyId: key?.AccessKeyId ?? "", secretAccessKey: key?.SecretAccessKey ?? "" },
    };
}

/**
 * Makes the user or role of collectors that the program declares, as Pulumi's provider does, with a name that ends with random digits
 * where the program gives none.
 *
 * @returns the keys of a user, or the role's ARN.
 */
export async function makeIdentity(resources: readonly Resource[], access: Access) {
    const iam = new IAMClient(access);
    const inputs = (type: string) => resources.find((resource) => resource.type === type)?.inputs;
    const own = (text: unknown) => String(text).replaceAll("ACCOUNT", account);
    const [user, role] = [inputs("aws:iam/user:User"), inputs("aws:iam/role:Role")];
    const random = `cloudwatch-${Math.random().toString(16).slice(2, 9)}`;
    if (role) {
        const RoleName = (role.name as string | undefined) ?? random;
        const AssumeRolePolicyDocument = own(role.assumeRolePolicy);
        const made = await iam.send(
            new CreateRoleCommand({ RoleName, Path: role.path as string, AssumeRolePolicyDocument }),
        );
        const PolicyDocument = own(inputs("aws:iam/rolePolicy:RolePolicy")?.policy);
        await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: RoleName, PolicyDocument }));
        return { name: RoleName, policy: PolicyDocument, roleArn: made.Role?.Arn ?? "" };
    }
    await iam.send(new CreateUserCommand({ UserName: random, Path: user?.path as string }));
    const PolicyDocument = own(inputs("aws:iam/userPolicy:UserPolicy")?.policy);
    await iam.send(new PutUserPolicyCommand({ UserName: random, PolicyName: random, PolicyDocument }));
    const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName: random }));
    const credentials = { accessKeyId: key?.AccessKeyId ?? "", secretAccessKey: key?.SecretAccessKey ?? "" };
    return { name: random, policy: PolicyDocument, credentials };
}

/** Makes in AWS what the program declares, as Pulumi's provider does, and hands out the access keys by their names. */
export async function make(resources: readonly Resource[], access: Access): Promise<Map<string, AccessKey>> {
    const [iam, logs] = [new IAMClient({ ...access, region: "us-east-1" }), new CloudWatchLogsClient(access)];
    const keys = new Map<string, AccessKey>();
    const inputs = (type: string) => resources.filter((resource) => resource.type === type);
    for (const { inputs: group } of inputs("aws:cloudwatch/logGroup:LogGroup")) {
        const logGroupName = group.name as string;
        await logs.send(new CreateLogGroupCommand({ logGroupName, tags: group.tags as Record<string, string> }));
        const retentionInDays = group.retentionInDays as number;
        await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays }));
    }
    const UserName = "cloudwatch";
    for (const { inputs: user } of inputs("aws:iam/user:User")) {
        await iam.send(new CreateUserCommand({ UserName, Path: user.path as string }));
    }
    for (const { inputs: policy } of inputs("aws:iam/userPolicy:UserPolicy")) {
        const PolicyDocument = String(policy.policy).replaceAll("ACCOUNT", account);
        await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "cloudwatch", PolicyDocument }));
    }
    for (const { name } of inputs("aws:iam/accessKey:AccessKey")) {
        const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName }));
        if (key) {
            keys.set(name, key);
        }
    }
    return keys;
}

/** Makes the buckets and users of archives, as Pulumi's provider does, and hands out the access keys by their names. */
export async function makeArchives(resources: readonly Resource[], access: Access): Promise<Map<string, AccessKey>> {
    const identities = new IAMClient({ ...access, region: "us-east-1" });
    const buckets = new s3.S3Client({ ...access, forcePathStyle: true });
    const inputs = (type: string) => resources.filter((resource) => resource.type === type);
    for (const { inputs: bucket } of inputs("aws:s3/bucket:Bucket")) {
        await buckets.send(
            new s3.CreateBucketCommand({
                Bucket: bucket.bucket as string,
                CreateBucketConfiguration: { LocationConstraint: bucket.region as s3.BucketLocationConstraint },
                ObjectLockEnabledForBucket: bucket.objectLockEnabled as boolean | undefined,
            }),
        );
    }
    for (const { inputs: versioning } of inputs("aws:s3/bucketVersioning:BucketVersioning")) {
        const { status: Status } = versioning.versioningConfiguration as { status: s3.BucketVersioningStatus };
        const Bucket = versioning.bucket as string;
        await buckets.send(new s3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
    }
    for (const { inputs: lock } of inputs("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration")) {
        const { defaultRetention } = lock.rule as {
            defaultRetention: { mode: s3.ObjectLockRetentionMode; days: number };
        };
        await buckets.send(
            new s3.PutObjectLockConfigurationCommand({
                Bucket: lock.bucket as string,
                ObjectLockConfiguration: {
                    ObjectLockEnabled: "Enabled",
                    Rule: { DefaultRetention: { Mode: defaultRetention.mode, Days: defaultRetention.days } },
                },
            }),
        );
    }
    const keys = new Map<string, AccessKey>();
    for (const { name: UserName, inputs: user } of inputs("aws:iam/user:User")) {
        await identities.send(new CreateUserCommand({ UserName, Path: user.path as string }));
    }
    for (const { inputs: policy } of inputs("aws:iam/userPolicy:UserPolicy")) {
        const UserName = policy.user as string;
        const PolicyDocument = policy.policy as string;
        await identities.send(new PutUserPolicyCommand({ UserName, PolicyName: UserName, PolicyDocument }));
    }
    for (const { name, inputs: key } of inputs("aws:iam/accessKey:AccessKey")) {
        const made = await identities.send(new CreateAccessKeyCommand({ UserName: key.user as string }));
        if (made.AccessKey) {
            keys.set(name, made.AccessKey);
        }
    }
    return keys;
}

/** Writes an event as the collector's exporter does: put it, and where the stream is missing, make that first. */
export async function writeAsCollector(
    logs: CloudWatchLogsClient,
    logGroupName: string,
    logStreamName: string,
    message: string,
): Promise<void> {
    const logEvents = [{ timestamp: Date.now(), message }];
    const put = () => logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
    try {
        await put();
    } catch (error) {
        if (!(error instanceof ResourceNotFoundException)) {
            throw error;
        }
        await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName })).catch((problem: unknown) => {
            if (!(problem instanceof ResourceAlreadyExistsException)) {
                throw problem;
            }
        });
        await put();
    }
}
