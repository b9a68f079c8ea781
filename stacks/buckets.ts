import type { Provider as AwsProvider } from "@pulumi/aws/provider";
import type { GetBucketResult } from "@pulumi/aws/s3/getBucket";
import type { GetBucketObjectLockConfigurationResult } from "@pulumi/aws/s3/getBucketObjectLockConfiguration";
import * as pulumi from "@pulumi/pulumi";

import { bucketArnOf } from "../core/lib/arns";
import { oneLine } from "../core/lib/errors";
import { retentionText, type Archive, type ArchiveBucket, type Retention } from "../core/routes/archives";
import type { Deployment } from "../core/routes/deployment";
import { stackFile } from "../core/settings/explain";
import { clusterTag, stackTag } from "../core/settings/logGroups";
import { brief, configurationError, type Problem } from "../core/settings/problems";
import type { AwsFacts } from "./aws";
import type { Configuration } from "./configuration";

/** What AWS has, or why that could not be checked. */
type Checked<What> = { readonly found: What } | { readonly unchecked: string };

/** Object Lock of a bucket, and its default retention; `undefined` without Object Lock. */
interface FoundLock {
    readonly retention: Retention | undefined;
}

/** The result of looking for a bucket by its name, which is unique in all of AWS. */
type BucketLook =
    | { readonly is: "absent" }
    /** In another region than it was looked for in. */
    | { readonly is: "elsewhere" }
    /** It exists, and its owner does not permit to look at it. */
    | { readonly is: "closed" }
    | { readonly is: "unchecked"; readonly why: string }
    | {
          readonly is: "there";
          readonly tags: Checked<Readonly<Record<string, string>>>;
          readonly lock: Checked<FoundLock | undefined>;
      };

/** The result of looking for each bucket, by {@link bucketKey}. Missing where the program did not look. */
export type BucketLooks = Readonly<Record<string, BucketLook | undefined>>;

type Sought = Pick<ArchiveBucket, "name" | "region">;

/** A bucket's name and where it is looked for. */
function bucketKey({ name, region }: Sought): string {
    return `${name}@${region}`;
}

/** Looks for each bucket. */
export async function lookAtBuckets(buckets: readonly Sought[], provider: AwsProvider): Promise<BucketLooks> {
    const looks = buckets.map(async (bucket) => [bucketKey(bucket), await look(bucket, provider)] as const);
    return Object.fromEntries(await Promise.all(looks));
}

/** What the provider says of what is not there (terraform-provider-aws 6, `findBucket` in internal/service/s3/bucket.go). */
const notThere = /couldn't find resource|empty result|StatusCode: 404/;

async function look({ name, region }: Sought, provider: AwsProvider): Promise<BucketLook | undefined> {
    try {
        const { getBucket } = await import("@pulumi/aws/s3/getBucket.js");
        const found: Partial<GetBucketResult> = await getBucket({ bucket: name, region }, { provider });
        if (!("bucket" in found)) {
            return undefined;
        }
    } catch (error) {
        const why = oneLine(error);
        return notThere.test(why)
            ? { is: "absent" }
            : why.includes("StatusCode: 301")
              ? { is: "elsewhere" }
              : why.includes("StatusCode: 403")
                ? { is: "closed" }
                : { is: "unchecked", why };
    }
    const [tags, lock] = await Promise.all([
        checked(tagsOf(name, region, provider)),
        checked(lockOf(name, region, provider)),
    ]);
    return { is: "there", tags, lock };
}

async function checked<What>(asked: Promise<What>): Promise<Checked<What>> {
    try {
        return { found: await asked };
    } catch (error) {
        return { unchecked: oneLine(error) };
    }
}

/** By a function that has them: the one for buckets has not. */
async function tagsOf(name: string, region: string, provider: AwsProvider): Promise<Readonly<Record<string, string>>> {
    const arn = bucketArnOf(region, name);
    const { getResources } = await import("@pulumi/aws/resourcegroupstaggingapi/getResources.js");
    const { resourceTagMappingLists } = await getResources({ resourceArnLists: [arn], region }, { provider });
    return resourceTagMappingLists.find(({ resourceArn }) => resourceArn === arn)?.tags ?? {};
}

async function lockOf(name: string, region: string, provider: AwsProvider): Promise<FoundLock | undefined> {
    try {
        const { getBucketObjectLockConfiguration } = await import("@pulumi/aws/s3/getBucketObjectLockConfiguration.js");
        // A provider may leave out what is empty.
        const found: Partial<GetBucketObjectLockConfigurationResult> = await getBucketObjectLockConfiguration(
            { bucket: name, region },
            { provider },
        );
        const { objectLockEnabled, rules = [] } = found;
        const [retention] = rules.flatMap(({ defaultRetentions }) => defaultRetentions);
        return objectLockEnabled === "Enabled"
            ? {
                  retention: retention && {
                      mode: retention.mode,
                      // S3 has days or years.
                      days: retention.days || retention.years * 365,
                  },
              }
            : undefined;
    } catch (error) {
        if (notThere.test(oneLine(error)) || oneLine(error).includes("ObjectLockConfigurationNotFoundError")) {
            return undefined;
        }
        throw error;
    }
}

/**
 * Refuses archives whose bucket cannot be made, or differs from their settings. It reports what it could not check, and treats it as the
 * settings have it.
 *
 * @param from what the stack has been deployed as; `undefined` where that is not known.
 * @throws RunError with every problem.
 */
export function checkBuckets(
    { source, deployment }: Pick<Configuration, "source" | "deployment">,
    from: Deployment | undefined,
    aws: AwsFacts,
): void {
    const problems = deployment.archives.flatMap((archive) => {
        const found = aws.buckets[bucketKey(archive.bucket)];
        if (found === undefined) {
            return [];
        }
        sayLock(archive, found);
        return bucketProblems(archive, found, hasMade(archive, found, deployment, from, aws));
    });
    if (problems.length > 0) {
        throw new pulumi.RunError(configurationError(source, problems).message);
    }
}

/** Whether a bucket that exists is one that the stack is to make, and has made. */
export function takesBack(
    archive: Archive,
    deployment: Deployment,
    from: Deployment | undefined,
    aws: AwsFacts,
): boolean {
    const found = aws.buckets[bucketKey(archive.bucket)];
    return found?.is === "there" && hasMade(archive, found, deployment, from, aws);
}

/** Whether the stack is to make the bucket, and has. */
function hasMade(
    { bucket }: Archive,
    found: BucketLook,
    { settings }: Deployment,
    from: Deployment | undefined,
    { stack }: AwsFacts,
): boolean {
    const had = from?.archives.some((before) => before.bucket.create && bucketKey(before.bucket) === bucketKey(bucket));
    const tags = found.is === "there" && "found" in found.tags ? found.tags.found : {};
    const isTagged = tags[stackTag] === stack && tags[clusterTag] === settings.clusterName;
    return bucket.create && (had === true || isTagged);
}

/** Says what nobody can delete, although the settings do not ask for that. */
function sayLock({ kind, bucket }: Archive, found: BucketLook): void {
    const retention = found.is === "there" && "found" in found.lock ? found.lock.found?.retention : undefined;
    if (retention && bucket.objectLock === undefined) {
        void pulumi.log.warn(
            `Bucket ${bucket.name} locks what kof:${kind} writes to it by ${retentionText(retention)}, which the stack file does not ask for: ` +
                "nobody can delete it before.",
        );
    }
}

function bucketProblems(archive: Archive, found: BucketLook, isOurs: boolean): Problem[] {
    const { kind, bucket } = archive;
    const named = `bucket ${bucket.name}`;
    switch (found.is) {
        case "unchecked":
            void pulumi.log.warn(
                `Could not check ${named} of kof:${kind}, so the stack assumes that ` +
                    `${bucket.create && !isOurs ? "it does not exist" : "it is as the stack file says"}: ${found.why}`,
            );
            return [];
        case "absent":
            if (bucket.create && isOurs) {
                void pulumi.log.warn(
                    `S3 has no ${named} any more, which this stack has made for kof:${kind}. pulumi refresh has the next deployment make it again, empty.`,
                );
            }
            return bucket.create
                ? []
                : [
                      {
                          key: `kof:${kind}.createBucket`,
                          message: `is false, but there is no ${named}`,
                          allowed: "true, to have the stack make it; or a bucket that exists",
                          paste: stackFile([kind, "createBucket"], true),
                      },
                  ];
        case "elsewhere":
            return [
                bucket.create
                    ? nameTaken(archive, "exists already in another region")
                    : {
                          key: `kof:${kind}.region`,
                          message: `is ${bucket.region}, but ${named} is in another region`,
                          allowed: `the region that this prints, "null" for us-east-1: aws s3api get-bucket-location --bucket ${bucket.name}`,
                      },
            ];
        case "closed":
            return [closedProblem(archive, isOurs)];
        case "there":
            return bucket.create && !isOurs
                ? [foreignProblem(archive, found)]
                : lockProblems(archive, found.lock, isOurs);
    }
}

/** S3 says only that the bucket exists if the user may not see it. */
function closedProblem(archive: Archive, isOurs: boolean): Problem {
    const { kind, bucket } = archive;
    const hidden = "is of another AWS account, or these AWS credentials may not see it (S3 answers 403)";
    return bucket.create && !isOurs
        ? nameTaken(archive, `exists already, and ${hidden}`)
        : {
              key: `kof:${kind}.bucket`,
              message: `is ${brief(bucket.name)}, which ${hidden}`,
              allowed: `a bucket of this account; and for these credentials s3:ListBucket on ${bucketArnOf(bucket.region, bucket.name)}`,
          };
}

function nameTaken({ kind, bucket: { name } }: Archive, why: string): Problem {
    return {
        key: `kof:${kind}.bucket`,
        message: `is ${brief(name)}, which ${why}`,
        allowed: "a name that no bucket of AWS has",
        paste: stackFile([kind, "bucket"], otherName(name)),
    };
}

/** A name that is more likely to be free. */
function otherName(name: string): string {
    const more = `-${pulumi
        .getStack()
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, "-")}`
        .replace(/-+$/, "")
        .slice(0, 32);
    return `${name.slice(0, 63 - more.length).replace(/[-.]+$/, "")}${more}`;
}

function foreignProblem(archive: Archive, { tags, lock }: Extract<BucketLook, { is: "there" }>): Problem {
    const { kind, bucket } = archive;
    const owner =
        "unchecked" in tags
            ? `exists already, and whether this stack made it could not be checked: ${tags.unchecked}`
            : `exists already, and this stack did not make it${madeBy(tags.found)}`;
    const usable = bucket.lifecycle.length === 0 && bucket.keep && lockProblems(archive, lock, false).length === 0;
    return usable
        ? {
              key: `kof:${kind}.createBucket`,
              message: `is true, but bucket ${bucket.name} ${owner}`,
              allowed: "false, to write into it as it is; or another bucket",
              paste: stackFile([kind, "createBucket"], false),
          }
        : nameTaken(archive, owner);
}

function madeBy(tags: Readonly<Record<string, string>>): string {
    const said = [stackTag, clusterTag].flatMap((tag) => (tags[tag] === undefined ? [] : [`${tag} says ${tags[tag]}`]));
    return said.length === 0 ? "" : ` (its tag ${said.join(", ")})`;
}

function lockProblems({ kind, bucket }: Archive, lock: Checked<FoundLock | undefined>, isOurs: boolean): Problem[] {
    const wanted = bucket.objectLock;
    if (wanted === undefined) {
        return [];
    }
    if ("unchecked" in lock) {
        void pulumi.log.warn(
            `Could not check Object Lock of bucket ${bucket.name}, so the stack assumes that it is as kof:${kind}.objectLock says: ${lock.unchecked}`,
        );
        return [];
    }
    if (lock.found === undefined) {
        const has = `is set, but bucket ${bucket.name} has no Object Lock, and this program turns that on only for a bucket that it makes`;
        return [
            isOurs
                ? {
                      key: `kof:${kind}.objectLock`,
                      message: `${has}, when it makes it`,
                      allowed: "another bucket; or no objectLock",
                      paste: stackFile([kind, "bucket"], otherName(bucket.name)),
                  }
                : {
                      key: `kof:${kind}.objectLock`,
                      message: has,
                      allowed: "a bucket with Object Lock; or no objectLock",
                  },
        ];
    }
    const { retention } = lock.found;
    // The retention of its own bucket the stack changes itself.
    return isOurs || (retention?.mode === wanted.mode && retention.days === wanted.days)
        ? []
        : [
              {
                  key: `kof:${kind}.objectLock`,
                  message:
                      `is ${retentionText(wanted)}, but bucket ${bucket.name}, which the stack does not make, locks what is written to it ` +
                      (retention ? `by ${retentionText(retention)}` : "for no time by itself"),
                  allowed: "what the bucket has as its default retention",
                  ...(retention ? { paste: stackFile([kind, "objectLock"], retention) } : {}),
              },
          ];
}
