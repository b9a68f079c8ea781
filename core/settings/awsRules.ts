import { arnParts, partitionOf } from "../lib/arns";
import { problemAt } from "./explain";
import { brief, type Problems } from "./problems";
import type { AwsIdentity } from "./settings";

/** What settings name in AWS, and where that is used. */
interface NamedInAws {
    /** The settings with the key: `["cloudwatch"]`. */
    readonly path: readonly string[];
    readonly region: string;
    /** What the key encrypts: `log groups`. */
    readonly encrypted: string;
    readonly kmsKeyArn?: string | undefined;
    /** Who writes there, and the settings that say so. Default: the assumed role. */
    readonly identity?: AwsIdentity | undefined;
    readonly identityPath: readonly string[];
}

/** ARNs and regions have to be of the place where they are used. */
export function* awsPlaceProblems({
    path,
    region,
    encrypted,
    kmsKeyArn,
    identity,
    identityPath,
}: NamedInAws): Problems {
    const partition = partitionOf(region);
    if (kmsKeyArn !== undefined && (arnParts(kmsKeyArn).region !== region || !isOfPartition(partition, kmsKeyArn))) {
        const own = `arn:${partition}:kms:${region}:`;
        yield problemAt(
            [...path, "kmsKeyArn"],
            `is ${brief(kmsKeyArn)}, but ${encrypted} in ${region} can only be encrypted with a key of ${region}`,
            {
                allowed: `the ARN of a KMS key that starts with ${own}`,
                value: `${own}${arnParts(kmsKeyArn).account}:key/KEY`,
            },
        );
    }
    if (identity?.kind === "irsa" && !isOfPartition(partition, identity.oidcProviderArn)) {
        yield problemAt(
            [...identityPath, "oidcProviderArn"],
            `is ${brief(identity.oidcProviderArn)}, which is not of the partition of ${region}`,
            { allowed: `the ARN of an IAM OIDC provider that starts with arn:${partition}:iam::` },
        );
    }
    if (identity?.kind === "podIdentity" && partitionOf(identity.region ?? region) !== partition) {
        yield problemAt(
            [...identityPath, "region"],
            `is ${brief(identity.region)}, from where a role cannot write to ${region}: it is another partition of AWS`,
            { value: region },
        );
    }
}

/** Whether an ARN is of a partition of AWS. */
export function isOfPartition(partition: string, arn: string): boolean {
    return arnParts(arn).partition === partition;
}
