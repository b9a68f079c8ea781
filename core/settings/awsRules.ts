import { arnParts, partitionOf } from "../lib/arns";
import { problemAt } from "./explain";
import { brief, type Problems } from "./problems";
import type { AwsIdentity } from "./settings";

/**
 * A KMS key has to be of the region where it is used.
 *
 * @param block of settings that has both.
 * @param encrypted what the key encrypts: `log groups`.
 */
export function* keyProblems(
    block: string,
    { region, kmsKeyArn }: { readonly region: string; readonly kmsKeyArn?: string | undefined },
    encrypted: string,
): Problems {
    const own = `arn:${partitionOf(region)}:kms:${region}:`;
    if (kmsKeyArn !== undefined && !kmsKeyArn.startsWith(own)) {
        yield problemAt(
            [block, "kmsKeyArn"],
            `is ${brief(kmsKeyArn)}, but ${encrypted} in ${region} can only be encrypted with a key of ${region}`,
            {
                allowed: `the ARN of a KMS key that starts with ${own}`,
                value: `${own}${arnParts(kmsKeyArn).account}:key/KEY`,
            },
        );
    }
}

/**
 * An identity has to be of the partition of the region that it writes to.
 *
 * @param path of its settings.
 */
export function* identityProblems(path: readonly string[], identity: AwsIdentity, region: string): Problems {
    const partition = partitionOf(region);
    if (identity.kind === "irsa" && !isOfPartition(partition, identity.oidcProviderArn)) {
        yield problemAt(
            [...path, "oidcProviderArn"],
            `is ${brief(identity.oidcProviderArn)}, which is not of the partition of ${region}`,
            { allowed: `the ARN of an IAM OIDC provider that starts with arn:${partition}:iam::` },
        );
    }
    if (identity.kind === "podIdentity" && partitionOf(identity.region ?? region) !== partition) {
        yield problemAt(
            [...path, "region"],
            `is ${brief(identity.region)}, from where a role cannot write to ${region}: it is another partition of AWS`,
            { value: region },
        );
    }
}

/** Whether an ARN is of a partition of AWS. */
export function isOfPartition(partition: string, arn: string): boolean {
    return arnParts(arn).partition === partition;
}
