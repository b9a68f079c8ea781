/**
 * Stands in for Pulumi's AWS provider, over whatever answers at AWS_ENDPOINT_URL, with the types and functions that the program
 * uses. Replacement, import and what AWS itself refuses (a name that is taken, a third access key, a user that still has keys)
 * are as in the real one. It does not imitate
 * - checks of the inputs, aliases and state upgrades of older versions, and any other type or property;
 * - `defaultTags`, `allowedAccountIds`, `assumeRole`, and `endpoints` of the provider: of its configuration it takes the region;
 * - a change of that configuration: it replaces nothing, here or there, but the real one checks the credentials;
 * - EKS Pod Identity, which the emulator does not have: an association exists in the state only;
 * - a change of a group's KMS key, which the emulator refuses.
 */
import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as iam from "@aws-sdk/client-iam";
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

function tagList(tags: Properties = {}): iam.Tag[] {
    return Object.entries(tags).map(([Key, Value]) => ({ Key, Value: Value as string }));
}

function tagMap(tags: readonly iam.Tag[] = []): Properties {
    return Object.fromEntries(tags.map(({ Key = "", Value }) => [Key, Value]));
}

/** What AWS answers; `undefined` where it does not know what is asked for. */
async function unlessGone<T>(asked: Promise<T>): Promise<T | undefined> {
    try {
        return await asked;
    } catch (error) {
        if (error instanceof iam.NoSuchEntityException || error instanceof logs.ResourceNotFoundException) {
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
        "aws:iam/user:User": user,
        "aws:iam/userPolicy:UserPolicy": userPolicy,
        "aws:iam/accessKey:AccessKey": accessKey,
        "aws:iam/role:Role": role,
        "aws:iam/rolePolicy:RolePolicy": rolePolicy,
        "aws:eks/podIdentityAssociation:PodIdentityAssociation": podIdentityAssociation,
    },
    functions: {
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
