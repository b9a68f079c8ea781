import { createHash } from "node:crypto";

import { arnParts } from "../lib/arns";
import type { HelmValues } from "../lib/values";
import type { ArchiveCredentials } from "../settings/archives";
import type { AwsIdentity } from "../settings/settings";

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

/** Annotations of a service account, where AWS's webhook looks for its role. */
export function roleAnnotations(name: string, oidcProviderArn: string): HelmValues {
    return { "eks.amazonaws.com/role-arn": roleArnOf(name, oidcProviderArn) };
}

/** Whether the issuer of service accounts' tokens, or what hands out roles, is a part of EKS. */
export function isOfEks(credentials: AwsIdentity | ArchiveCredentials): boolean {
    return (
        credentials.kind === "podIdentity" ||
        (credentials.kind === "irsa" && credentials.oidcProviderArn.includes("/oidc.eks."))
    );
}
