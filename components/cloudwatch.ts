import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup";
import type { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";

import { logGroupKey } from "../core/settings/logGroups";
import { assumePolicy, writePolicy } from "../core/routes/policies";
import { declareIdentity, type AwsCredentials } from "./identity";

/** One CloudWatch log group. */
interface LogGroupArgs {
    readonly name: string;
    /** Days after which CloudWatch deletes events: one of the numbers that it accepts. */
    readonly retentionDays: number;
    /**
     * Whether AWS has it, so that the stack takes it over. The engine then changes it to this declaration in the same run, so it has to
     * be compared before.
     */
    readonly exists: boolean;
    /** Whether it was compared with AWS. Otherwise the stack does not change a group that it already has. */
    readonly compared: boolean;
    /** Whether it stays in AWS when it is no longer part of the stack. */
    readonly keep: boolean;
    readonly tags: Readonly<Record<string, string>>;
}

/** Inputs of {@link CloudWatch}. */
export interface CloudWatchArgs {
    /** AWS region of the groups. */
    readonly region: string;
    /** Their region in the last deployment. Default: it is not known. */
    readonly regionBefore?: string | undefined;
    /** The groups, the first one for the logs. */
    readonly logGroups: readonly LogGroupArgs[];
    /** KMS key that encrypts the groups. Default: CloudWatch's own encryption. */
    readonly kmsKeyArn?: string | undefined;
    /** Whether traces go to X-Ray, as segments or over OTLP. */
    readonly traces: boolean;
    /** Whether metrics go to CloudWatch over OTLP. In embedded metric format they are log events. */
    readonly metrics: boolean;
    /** How the collectors authenticate. */
    readonly credentials: AwsCredentials;
    /** ARN of the role in another account that writes for them. They may assume only this role. Default: they write themselves. */
    readonly assumes?: string | undefined;
    /** Service accounts of the collectors that write, for a role. */
    readonly serviceAccounts: readonly string[];
    /** Tags of everything else that can have tags. */
    readonly tags: Readonly<Record<string, string>>;
}

/**
 * Log groups in CloudWatch Logs, and an identity with which the collectors can write to them and do nothing else. The identity is a
 * user whose access key is in a Secret in the cluster, or a role for exactly the collectors' service accounts. If another account
 * has the groups, the collectors assume its role. By default, groups and their logs survive a switch to another route and
 * `pulumi destroy`.
 */
export class CloudWatch extends pulumi.ComponentResource {
    /** Names of the log groups. */
    readonly logGroups: readonly pulumi.Output<string>[];
    /** When the access key of each generation was made, in RFC 3339. */
    readonly accessKeys: Readonly<Record<string, pulumi.Output<string>>>;
    /** The Secret with the access key in use; `undefined` where there is none. */
    readonly secret: Secret | undefined;

    constructor(name: string, args: CloudWatchArgs, opts?: pulumi.ComponentResourceOptions) {
        super("kof:components:CloudWatch", name, {}, opts);
        const groups = args.logGroups.map((group) => this.logGroup(name, group, args));
        const policy = pulumi.jsonStringify(
            pulumi.all(groups.map(({ arn }) => arn)).apply((logGroupArns) =>
                args.assumes === undefined
                    ? writePolicy({
                          logGroupArns,
                          tracesTo: args.traces ? args.region : undefined,
                          metricsTo: args.metrics ? args.region : undefined,
                      })
                    : assumePolicy(args.assumes, args.credentials.kind),
            ),
        );
        const { accessKeys, secret } = declareIdentity(
            name,
            {
                credentials: args.credentials,
                policy,
                pods: { who: "Collectors", names: args.serviceAccounts },
                secretKeys: { id: "AWS_ACCESS_KEY_ID", secret: "AWS_SECRET_ACCESS_KEY" },
                keyOf: { title: "CloudWatch", setting: "kof:cloudwatch.credentials" },
                tags: args.tags,
            },
            this,
        );
        this.accessKeys = accessKeys;
        this.secret = secret;
        this.logGroups = groups.map((group) => group.name);
        this.registerOutputs({ logGroups: this.logGroups, accessKeys: this.accessKeys });
    }

    private logGroup(name: string, group: LogGroupArgs, args: CloudWatchArgs): LogGroup {
        const { region, regionBefore = region } = args;
        return new LogGroup(
            // A different region means a different resource. The engine refuses to replace an imported resource.
            `${name}-${logGroupKey(region, group.name)}`,
            {
                name: group.name,
                region,
                retentionInDays: group.retentionDays,
                ...(args.kmsKeyArn === undefined ? {} : { kmsKeyId: args.kmsKeyArn }),
                tags: group.tags,
            },
            {
                parent: this,
                retainOnDelete: group.keep,
                // It has no effect on a group that the stack already has.
                ...(group.exists ? { import: group.name } : {}),
                ...(group.compared ? {} : { ignoreChanges: ["retentionInDays", "kmsKeyId", "tags"] }),
                // Its name up to 0.1.0.
                ...(region === regionBefore ? { aliases: [{ name: `${name}-${group.name}` }] } : {}),
            },
        );
    }
}
