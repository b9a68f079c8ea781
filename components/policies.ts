import { kofNamespace } from "../core/charts/namespace";
import { policy, type Policy, type Statement } from "../core/routes/policies";

/** Where an archive's exporter writes. */
export interface ArchivedTo {
    /** ARN of the bucket. */
    readonly bucketArn: string;
    /** What the keys of its objects begin with, without a slash at the end. */
    readonly prefix: string;
    /** Whether it asks for the bucket's Object Lock before it writes. Default: it does not. */
    readonly readsObjectLock?: boolean | undefined;
    /** KMS key that encrypts the bucket's objects. Default: S3's own encryption. */
    readonly kmsKeyArn?: string | undefined;
}

/**
 * The requests of a KOF archive's exporter below its prefix: it puts objects in one part or several, checks whether one exists, and reads
 * it. It deletes nothing (KOF 1.11.0-rc0, `kof-operator/internal/s3/s3client.go`). To complete a multipart upload, S3 decrypts its parts
 * ("Multipart upload API and permissions" in the S3 user guide, 2026-11).
 *
 * Without the right to list the bucket, S3 answers a HeadObject of a missing object with 403. The exporter accepts only 404 as "not yet
 * exported". The right to list is not narrowed to the prefix: a HeadObject has no `s3:prefix`, so that a condition on it would not be met
 * ("HeadObject" in the S3 API reference, 2026-11). So an exporter can see the names of other objects of its bucket.
 */
export function archivePolicy({ bucketArn, prefix, readsObjectLock = false, kmsKeyArn }: ArchivedTo): Policy {
    const allow = (Sid: string, Action: readonly string[], resource: string): Statement => ({
        Sid,
        Effect: "Allow",
        Action,
        Resource: [resource],
    });
    const lookAtBucket = ["s3:ListBucket", ...(readsObjectLock ? ["s3:GetBucketObjectLockConfiguration"] : [])];
    return policy(
        allow("WriteObjects", ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"], `${bucketArn}/${prefix}/*`),
        allow("LookAtBucket", lookAtBucket, bucketArn),
        ...(kmsKeyArn === undefined ? [] : [allow("UseKey", ["kms:GenerateDataKey", "kms:Decrypt"], kmsKeyArn)]),
    );
}

/** Who may assume a role: pods of Kubernetes service accounts. */
export interface Trusted {
    /** What they are, for the statement's name. */
    readonly who: "Collectors" | "Exporter";
    /** The service accounts, in KOF's namespace. */
    readonly names: readonly string[];
}

/**
 * The trust policy of a role that EKS Pod Identity gives to pods of these service accounts in this cluster
 * (https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html).
 */
export function podIdentityTrust(cluster: string, { who, names }: Trusted): Policy {
    return policy({
        Sid: `${who}Only`,
        Effect: "Allow",
        Principal: { Service: "pods.eks.amazonaws.com" },
        Action: ["sts:AssumeRole", "sts:TagSession"],
        Condition: {
            StringEquals: {
                "aws:RequestTag/eks-cluster-name": cluster,
                "aws:RequestTag/kubernetes-namespace": kofNamespace,
                "aws:RequestTag/kubernetes-service-account": names,
            },
        },
    });
}

/**
 * The trust policy of a role that pods of these service accounts assume with their token, which the cluster's issuer signed
 * (https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html).
 *
 * @param oidcProviderArn `arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-2.amazonaws.com/id/…`
 */
export function irsaTrust(oidcProviderArn: string, { who, names }: Trusted): Policy {
    const issuer = oidcProviderArn.slice(oidcProviderArn.indexOf("/") + 1);
    return policy({
        Sid: `${who}Only`,
        Effect: "Allow",
        Principal: { Federated: oidcProviderArn },
        Action: ["sts:AssumeRoleWithWebIdentity"],
        Condition: {
            StringEquals: {
                [`${issuer}:aud`]: "sts.amazonaws.com",
                [`${issuer}:sub`]: names.map((name) => `system:serviceaccount:${kofNamespace}:${name}`),
            },
        },
    });
}
