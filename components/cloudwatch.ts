import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup";
import { PodIdentityAssociation } from "@pulumi/aws/eks/podIdentityAssociation";
import { AccessKey } from "@pulumi/aws/iam/accessKey";
import { Role } from "@pulumi/aws/iam/role";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy";
import { User } from "@pulumi/aws/iam/user";
import { UserPolicy } from "@pulumi/aws/iam/userPolicy";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";

import { logGroupKey } from "../core/settings/logGroups";
import { irsaTrust, podIdentityTrust, writePolicy, type Policy } from "./policies";
import { kofNamespace } from "../core/charts/namespace";

/** One CloudWatch log group. */
export interface LogGroupArgs {
    readonly name: string;
    /** Days after which CloudWatch deletes events: one of the numbers that it knows. */
    readonly retentionDays: number;
    /**
     * Whether AWS has it, so that it is taken over where the stack does not have it yet. The engine changes it to what is
     * declared here in the same run: it has to be compared before.
     */
    readonly exists: boolean;
    /** Whether it was compared with AWS. Otherwise one that the stack has already is left as it is. */
    readonly compared: boolean;
    /** Whether it stays in AWS when it is no longer part of the stack. */
    readonly keep: boolean;
    readonly tags: Readonly<Record<string, string>>;
}

/** How the collectors authenticate at AWS. */
export type CloudWatchCredentials =
    /** A user with one key per generation, and the Secret that holds the last one. */
    | { readonly kind: "accessKey"; readonly generations: readonly string[]; readonly secretName: string }
    /** A role that EKS hands to the pods of this cluster. The region is the cluster's. */
    | { readonly kind: "podIdentity"; readonly clusterName: string; readonly region: string }
    /** A role that the pods take with their token. Its name is fixed, because the service accounts name it. */
    | { readonly kind: "irsa"; readonly oidcProviderArn: string; readonly roleName: string }
    /** None are made: they are in a Secret already. */
    | { readonly kind: "existingSecret" };

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
    readonly credentials: CloudWatchCredentials;
    /** Service accounts of the collectors that write, which a role is for. */
    readonly serviceAccounts: readonly string[];
    /** Tags of everything else that can have tags. */
    readonly tags: Readonly<Record<string, string>>;
}

/** What the collectors authenticate with, of which others want to know. */
interface Made {
    readonly accessKeys: Readonly<Record<string, pulumi.Output<string>>>;
    readonly secret: Secret | undefined;
}

const none: Made = { accessKeys: {}, secret: undefined };

/** Days after which a preview asks for a new access key. AWS's own advice (Security Hub, IAM.3). */
const maxKeyAgeDays = 90;

/**
 * Log groups in CloudWatch Logs, and a way for the collectors to write to them and do nothing else: a user with its access key
 * in a Secret in the cluster, or a role for exactly the collectors' service accounts. Groups and the logs in them survive a
 * switch to another route and `pulumi destroy`, unless told otherwise.
 */
export class CloudWatch extends pulumi.ComponentResource {
    /** Names of the log groups. */
    readonly logGroups: readonly pulumi.Output<string>[];
    /** Per generation of the access key when it was made, in RFC 3339. */
    readonly accessKeys: Readonly<Record<string, pulumi.Output<string>>>;
    /** The Secret with the access key in use; `undefined` where there is none. */
    readonly secret: Secret | undefined;

    constructor(name: string, args: CloudWatchArgs, opts?: pulumi.ComponentResourceOptions) {
        super("kof:components:CloudWatch", name, {}, opts);
        const groups = args.logGroups.map((group) => this.logGroup(name, group, args));
        const policy = pulumi.jsonStringify(
            pulumi.all(groups.map(({ arn }) => arn)).apply((logGroupArns) =>
                writePolicy({
                    logGroupArns,
                    tracesTo: args.traces ? args.region : undefined,
                    metricsTo: args.metrics ? args.region : undefined,
                }),
            ),
        );
        const { accessKeys, secret } = this.credentials(name, args, policy);
        this.accessKeys = accessKeys;
        this.secret = secret;
        this.logGroups = groups.map((group) => group.name);
        this.registerOutputs({ logGroups: this.logGroups, accessKeys: this.accessKeys });
    }

    private logGroup(name: string, group: LogGroupArgs, args: CloudWatchArgs): LogGroup {
        const { region, regionBefore = region } = args;
        return new LogGroup(
            // Another region is another resource: the engine refuses to replace what it has once imported.
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
                // Without an effect on a group that the stack has already.
                ...(group.exists ? { import: group.name } : {}),
                ...(group.compared ? {} : { ignoreChanges: ["retentionInDays", "kmsKeyId", "tags"] }),
                // Its name up to 0.1.0.
                ...(region === regionBefore ? { aliases: [{ name: `${name}-${group.name}` }] } : {}),
            },
        );
    }

    private credentials(name: string, args: CloudWatchArgs, policy: pulumi.Input<string>): Made {
        const { credentials, serviceAccounts, tags } = args;
        const pods = { namespace: kofNamespace, names: serviceAccounts };
        switch (credentials.kind) {
            case "accessKey":
                return this.user(name, credentials, policy, tags);
            case "podIdentity": {
                const { clusterName, region } = credentials;
                const role = this.role(name, podIdentityTrust(clusterName, pods), policy, tags);
                for (const serviceAccount of serviceAccounts) {
                    new PodIdentityAssociation(
                        `${name}-${serviceAccount}`,
                        { clusterName, region, namespace: kofNamespace, serviceAccount, roleArn: role.arn, tags },
                        { parent: this },
                    );
                }
                return none;
            }
            case "irsa":
                this.role(name, irsaTrust(credentials.oidcProviderArn, pods), policy, tags, credentials.roleName);
                return none;
            case "existingSecret":
                return none;
        }
    }

    private role(
        name: string,
        trust: Policy,
        policy: pulumi.Input<string>,
        tags: Readonly<Record<string, string>>,
        roleName?: string,
    ): Role {
        const role = new Role(
            name,
            {
                ...(roleName === undefined ? {} : { name: roleName }),
                path: "/kof/",
                assumeRolePolicy: JSON.stringify(trust),
                tags,
            },
            { parent: this },
        );
        new RolePolicy(name, { role: role.name, policy }, { parent: this });
        return role;
    }

    private user(
        name: string,
        { generations, secretName }: Extract<CloudWatchCredentials, { kind: "accessKey" }>,
        policy: pulumi.Input<string>,
        tags: Readonly<Record<string, string>>,
    ): Made {
        const user = new User(name, { path: "/kof/", tags }, { parent: this });
        const userPolicy = new UserPolicy(name, { user: user.name, policy }, { parent: this });
        const keys = generations.map((generation) => ({
            generation,
            key: new AccessKey(`${name}-${generation}`, { user: user.name }, { parent: this }),
        }));
        const current = keys.at(-1)?.key;
        if (!current) {
            throw new Error("An access key needs at least one generation.");
        }
        for (const { generation, key } of keys) {
            // Known in a preview too, for a key that was made before.
            key.createDate.apply((made) => {
                warnOfAge(generation, made);
            });
        }
        const secret = new Secret(
            name,
            {
                metadata: { name: secretName, namespace: kofNamespace },
                stringData: { AWS_ACCESS_KEY_ID: current.id, AWS_SECRET_ACCESS_KEY: current.secret },
            },
            // Who can read the Secret can write: the policy is there before the first collector tries.
            { parent: this, dependsOn: [userPolicy] },
        );
        return {
            accessKeys: Object.fromEntries(keys.map(({ generation, key }) => [generation, key.createDate])),
            secret,
        };
    }
}

function warnOfAge(generation: string, made: string): void {
    const days = Math.floor((Date.now() - Date.parse(made)) / 86_400_000);
    if (days > maxKeyAgeDays) {
        void pulumi.log.warn(
            `The CloudWatch access key of generation ${generation} is ${String(days)} days old. Rotate it: add a label to ` +
                "kof:cloudwatch.credentials.generations and deploy, then remove the old one and deploy again.",
        );
    }
}
