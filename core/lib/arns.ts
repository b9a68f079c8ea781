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

/** The parts of an ARN: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`. */
export function arnParts(arn: string): Readonly<Record<"partition" | "region" | "account" | "resource", string>> {
    const [, partition = "", , region = "", account = "", ...resource] = arn.split(":");
    return { partition, region, account, resource: resource.join(":") };
}
