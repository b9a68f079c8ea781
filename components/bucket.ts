import { Bucket as S3Bucket } from "@pulumi/aws/s3/bucket";
import { BucketLifecycleConfiguration } from "@pulumi/aws/s3/bucketLifecycleConfiguration";
import { BucketObjectLockConfiguration } from "@pulumi/aws/s3/bucketObjectLockConfiguration";
import { BucketOwnershipControls } from "@pulumi/aws/s3/bucketOwnershipControls";
import { BucketPublicAccessBlock } from "@pulumi/aws/s3/bucketPublicAccessBlock";
import { BucketServerSideEncryptionConfiguration } from "@pulumi/aws/s3/bucketServerSideEncryptionConfiguration";
import { BucketVersioning } from "@pulumi/aws/s3/bucketVersioning";
import * as pulumi from "@pulumi/pulumi";

/** Inputs of {@link Bucket}. */
export interface BucketArgs {
    /** Its name, unique in all of AWS. */
    readonly name: string;
    readonly region: string;
    /** Whether AWS has a bucket that an earlier deployment made and kept, so that the stack takes it back. */
    readonly exists: boolean;
    /** Whether the bucket and its configuration stay in AWS when it is no longer part of the stack. */
    readonly keep: boolean;
    /** How long nobody can delete what is written to it. Default: it never has Object Lock. */
    readonly objectLock?: { readonly mode: "GOVERNANCE" | "COMPLIANCE"; readonly days: number } | undefined;
    /** When objects move to a colder class, and below which prefix. */
    readonly lifecycle: {
        readonly prefix: string;
        readonly transitions: readonly { readonly days: number; readonly storageClass: string }[];
    };
    /** KMS key that encrypts objects. Default: S3's own encryption. */
    readonly kmsKeyArn?: string | undefined;
    readonly tags: Readonly<Record<string, string>>;
}

/** Days after which S3 removes an incomplete multipart upload. An exporter ends within the hour, and starts the upload again. */
const unfinishedDays = 7;

/**
 * An S3 bucket for data that must stay private and must not be lost: encrypted and versioned. It is never emptied: S3
 * refuses to delete it while anything is in it.
 */
export class Bucket extends pulumi.ComponentResource {
    readonly arn: pulumi.Output<string>;

    constructor(name: string, args: BucketArgs, opts?: pulumi.ComponentResourceOptions) {
        super("kof:components:Bucket", name, {}, opts);
        const { region, keep, objectLock, lifecycle, kmsKeyArn } = args;
        // A different name or region means a different bucket. The engine refuses to replace an imported resource.
        const ofBucket = `${name}-${args.name}@${region}`;
        const made = new S3Bucket(
            ofBucket,
            {
                bucket: args.name,
                region,
                // Without a value, S3's answer counts. So the engine does not replace a bucket with Object Lock by one without.
                ...(objectLock ? { objectLockEnabled: true } : {}),
                tags: args.tags,
            },
            {
                parent: this,
                retainOnDelete: keep,
                // It has no effect on a bucket that the stack already has.
                ...(args.exists ? { import: args.name } : {}),
            },
        );
        const { bucket } = made;
        // When the bucket leaves the stack, it keeps its configuration: if it is kept, if S3 refuses to delete it because it is not
        // empty, and until its deletion ends. A part that leaves while the bucket stays is removed (Pulumi 3.274.1,
        // `DeleteStep.Apply` in pkg/resource/deploy/step.go; tried in test/e2e/archives.e2e.ts).
        const ofItself = { parent: this, deletedWith: made };
        const closed = new BucketPublicAccessBlock(
            ofBucket,
            {
                bucket,
                region,
                blockPublicAcls: true,
                blockPublicPolicy: true,
                ignorePublicAcls: true,
                restrictPublicBuckets: true,
            },
            ofItself,
        );
        // S3 accepts only one change of a bucket's access at a time.
        new BucketOwnershipControls(
            ofBucket,
            { bucket, region, rule: { objectOwnership: "BucketOwnerEnforced" } },
            { ...ofItself, dependsOn: [closed] },
        );
        new BucketServerSideEncryptionConfiguration(
            ofBucket,
            {
                bucket,
                region,
                rules: [
                    kmsKeyArn === undefined
                        ? { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }
                        : {
                              applyServerSideEncryptionByDefault: {
                                  sseAlgorithm: "aws:kms",
                                  kmsMasterKeyId: kmsKeyArn,
                              },
                              bucketKeyEnabled: true,
                          },
                ],
            },
            ofItself,
        );
        const versioned = new BucketVersioning(
            ofBucket,
            { bucket, region, versioningConfiguration: { status: "Enabled" } },
            ofItself,
        );
        const afterVersioning = { ...ofItself, dependsOn: [versioned] };
        const ofPrefix = { status: "Enabled", filter: { prefix: `${lifecycle.prefix}/` } };
        new BucketLifecycleConfiguration(
            ofBucket,
            {
                bucket,
                region,
                // All its rules. Otherwise a bucket that is taken back keeps its old ones.
                rules: [
                    // Incomplete uploads are not in a list of objects, but AWS bills them.
                    {
                        id: "unfinished-uploads",
                        ...ofPrefix,
                        abortIncompleteMultipartUpload: { daysAfterInitiation: unfinishedDays },
                    },
                    ...(lifecycle.transitions.length > 0
                        ? [{ id: "colder", ...ofPrefix, transitions: [...lifecycle.transitions] }]
                        : []),
                ],
            },
            afterVersioning,
        );
        if (objectLock) {
            new BucketObjectLockConfiguration(
                ofBucket,
                { bucket, region, rule: { defaultRetention: { ...objectLock } } },
                afterVersioning,
            );
        }
        this.arn = made.arn;
        this.registerOutputs({ arn: this.arn });
    }
}
