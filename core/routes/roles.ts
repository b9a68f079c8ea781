import { createHash } from "node:crypto";

import { arnParts } from "../lib/arns";

/** The longest name that AWS takes for a role (CreateRole in the IAM API reference, 2026-11). */
const longest = 64;

/**
 * The name of a role that the stack makes. It is fixed, because Helm values have to name it before it exists. One that is too long ends
 * with a checksum: cut off, two clusters with the same beginning of their names would share a role.
 *
 * @param purpose how the name starts: `kof-cloudwatch`.
 */
export function roleNameFor(purpose: string, clusterName: string): string {
    const name = `${purpose}-${clusterName}`;
    if (name.length <= longest) {
        return name;
    }
    const checksum = createHash("sha256").update(clusterName).digest("hex").slice(0, 8);
    return `${name.slice(0, longest - checksum.length - 1)}-${checksum}`;
}

/** The ARN of a role that the stack makes, in the account of the cluster's OIDC provider. */
export function roleArnOf(name: string, oidcProviderArn: string): string {
    const { partition, account } = arnParts(oidcProviderArn);
    return `arn:${partition}:iam::${account}:role/kof/${name}`;
}
