import {
    CloudWatchLogsClient,
    CreateLogGroupCommand,
    CreateLogStreamCommand,
    PutLogEventsCommand,
    PutRetentionPolicyCommand,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
} from "@aws-sdk/client-cloudwatch-logs";
import {
    CreateAccessKeyCommand,
    CreateUserCommand,
    IAMClient,
    PutUserPolicyCommand,
    type AccessKey,
} from "@aws-sdk/client-iam";

import type { Resource } from "../../cli/offline";

/** How to reach the emulator, as whom. */
export interface Access {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** The number of moto's account. */
const account = "123456789012";

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
