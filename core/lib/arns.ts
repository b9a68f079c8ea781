/** Regions whose ARNs name another partition than `aws`, by how they start (AWS General Reference, "Amazon Resource Names"). */
const partitions = [
    ["cn-", "aws-cn"],
    ["us-gov-", "aws-us-gov"],
    ["us-isob-", "aws-iso-b"],
    ["us-isof-", "aws-iso-f"],
    ["us-iso-", "aws-iso"],
    ["eu-isoe-", "aws-iso-e"],
    ["eusc-", "aws-eusc"],
] as const;

/** The partition of a region, as ARNs name it: `aws-us-gov` for `us-gov-west-1`. */
export function partitionOf(region: string): string {
    return partitions.find(([prefix]) => region.startsWith(prefix))?.[1] ?? "aws";
}

/** The domain that AWS's endpoints have in the partition of a region (botocore `endpoints.json`, 2026-11). */
export function domainOf(region: string): string {
    const domains: Readonly<Record<string, string>> = {
        "aws-cn": "amazonaws.com.cn",
        "aws-iso": "c2s.ic.gov",
        "aws-iso-b": "sc2s.sgov.gov",
        "aws-iso-e": "cloud.adc-e.uk",
        "aws-iso-f": "csp.hci.ic.gov",
        "aws-eusc": "amazonaws.eu",
    };
    return domains[partitionOf(region)] ?? "amazonaws.com";
}

/** The ARN of a bucket, which names neither region nor account. @param region of the bucket. */
export function bucketArnOf(region: string, name: string): string {
    return `arn:${partitionOf(region)}:s3:::${name}`;
}

/** The ARN of a log group, without the `:*` that stands for its streams. */
export function logGroupArn(region: string, account: string, name: string): string {
    return `arn:${partitionOf(region)}:logs:${region}:${account}:log-group:${name}`;
}

/** The parts of an ARN: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`. */
export function arnParts(arn: string): Readonly<Record<"partition" | "region" | "account" | "resource", string>> {
    const [, partition = "", , region = "", account = "", ...resource] = arn.split(":");
    return { partition, region, account, resource: resource.join(":") };
}
