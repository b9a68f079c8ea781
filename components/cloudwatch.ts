import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup";
import { AccessKey } from "@pulumi/aws/iam/accessKey";
import { User } from "@pulumi/aws/iam/user";
import { UserPolicy } from "@pulumi/aws/iam/userPolicy";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";

import { kofNamespace } from "./namespace";

/** One CloudWatch log group. */
export interface LogGroupArgs {
    readonly name: string;
    /** Days after which CloudWatch deletes events: one of the numbers that it knows. */
    readonly retentionDays: number;
}

/** Inputs of {@link CloudWatch}. */
export interface CloudWatchArgs {
    /** AWS region of the groups. */
    readonly region: string;
    /** The groups, the first one for the logs. */
    readonly logGroups: readonly LogGroupArgs[];
    /** KMS key that encrypts the groups. Default: CloudWatch's own encryption. */
    readonly kmsKeyArn?: string | undefined;
    /** The access keys to make, and the Secret for the last one. Default: none, the Secret is made elsewhere. */
    readonly accessKey?: { readonly generations: readonly string[]; readonly secretName: string } | undefined;
    /** Tags of everything that can have tags. */
    readonly tags: Readonly<Record<string, string>>;
}

/**
 * Log groups in CloudWatch Logs, and an IAM user that may write to them and do nothing else, with its access key in a
 * Secret in the cluster. Groups and the logs in them survive a switch to another route and `pulumi destroy`.
 */
export class CloudWatch extends pulumi.ComponentResource {
    /** Names of the log groups. */
    readonly logGroups: readonly pulumi.Output<string>[];

    constructor(name: string, args: CloudWatchArgs, opts?: pulumi.ComponentResourceOptions) {
        super("kof:components:CloudWatch", name, {}, opts);
        const groups = args.logGroups.map((group) => this.logGroup(name, group, args));
        if (args.accessKey) {
            this.credentials(name, groups, args.accessKey, args.tags);
        }
        this.logGroups = groups.map((group) => group.name);
        this.registerOutputs({ logGroups: this.logGroups });
    }

    private logGroup(name: string, group: LogGroupArgs, args: CloudWatchArgs): LogGroup {
        return new LogGroup(
            `${name}-${group.name}`,
            {
                name: group.name,
                region: args.region,
                retentionInDays: group.retentionDays,
                ...(args.kmsKeyArn === undefined ? {} : { kmsKeyId: args.kmsKeyArn }),
                tags: args.tags,
            },
            { parent: this, retainOnDelete: true },
        );
    }

    private credentials(
        name: string,
        groups: readonly LogGroup[],
        { generations, secretName }: NonNullable<CloudWatchArgs["accessKey"]>,
        tags: Readonly<Record<string, string>>,
    ): void {
        const user = new User(name, { path: "/kof/", tags }, { parent: this });
        const policy = new UserPolicy(
            name,
            { user: user.name, policy: pulumi.jsonStringify(writePolicy(groups.map(({ arn }) => arn))) },
            { parent: this },
        );
        const keys = generations.map(
            (generation) => new AccessKey(`${name}-${generation}`, { user: user.name }, { parent: this }),
        );
        const current = keys.at(-1);
        if (!current) {
            throw new Error("An access key needs at least one generation.");
        }
        new Secret(
            name,
            {
                metadata: { name: secretName, namespace: kofNamespace },
                stringData: { AWS_ACCESS_KEY_ID: current.id, AWS_SECRET_ACCESS_KEY: current.secret },
            },
            // Who can read the Secret can write: the policy is there before the first collector tries.
            { parent: this, dependsOn: [policy] },
        );
    }
}

/**
 * What the awscloudwatchlogs exporter does: open a stream in a group, and write to it. Groups and their retention are the
 * program's, so the exporter needs no right to make or change them.
 */
function writePolicy(logGroupArns: readonly pulumi.Input<string>[]) {
    return {
        Version: "2012-10-17",
        Statement: [
            {
                Sid: "WriteLogs",
                Effect: "Allow",
                Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
                // Streams are named after the group's ARN: `<group>:log-stream:<stream>`.
                Resource: logGroupArns.map((arn) => pulumi.interpolate`${arn}:*`),
            },
        ],
    };
}
