import { createHash } from "node:crypto";
import type { Readable } from "node:stream";

import type { S3, S3ServiceException } from "@aws-sdk/client-s3";

import { exporterSecretKeys } from "../core/charts/archives";
import { kofNamespace } from "../core/charts/namespace";
import { CouldNotCheck } from "../core/lib/errors";
import type { Archive, Retention } from "../core/routes/archives";
import { awsFailure, clientOptions, inTime, type AwsAccess } from "./awsClient";
import type { Live } from "./findings";
import { secretValues } from "./secrets";

/** Milliseconds that a download may take. */
const longestDownload = 300_000;

/** What S3 says about a bucket to anyone who knows its name. */
export type BucketState =
    | { readonly is: "absent" }
    /** It exists, and we may know no more. */
    | { readonly is: "closed" }
    | { readonly is: "there" | "elsewhere"; readonly region: string | undefined };

/** An object of a bucket. */
export interface S3Object {
    readonly key: string;
    readonly size: number;
}

/** What every request names. */
interface InBucket {
    readonly Bucket: string;
}

interface Metadata {
    readonly $metadata: { readonly requestId?: string | undefined };
}

/**
 * One bucket, read with the user's own credentials. A store that is not AWS's is asked with the keys in the Secret
 * of its exporter: nobody else's are for it. What does not identify itself as S3 is no answer.
 */
export class S3Bucket {
    private constructor(
        readonly name: string,
        private readonly s3: S3,
        private readonly region: string,
        private readonly endpoint: string | undefined,
        private readonly access: AwsAccess,
    ) {}

    /**
     * What is done with the bucket of an archive.
     *
     * @throws CouldNotCheck when there are no keys for a store that is not AWS's.
     */
    static async use<T>(
        { bucket, secret }: Pick<Archive, "bucket" | "secret">,
        live: Live,
        act: (bucket: S3Bucket) => Promise<T>,
    ): Promise<T> {
        // Loaded only here: most stacks have no archive.
        const sdk = await import("@aws-sdk/client-s3");
        const { endpoint, name, region } = bucket;
        const own =
            endpoint === undefined
                ? { ...clientOptions({ region }, live.aws), followRegionRedirects: false }
                : {
                      ...clientOptions({ region }, {}),
                      endpoint,
                      forcePathStyle: true,
                      credentials: await bucketKeys(secret?.name ?? "", live),
                  };
        // SHA-256 is worked out here, and not every store knows S3's own checksums.
        const s3 = new sdk.S3({ ...own, responseChecksumValidation: "WHEN_REQUIRED" });
        s3.middlewareStack.add(
            (next) => async (args) => {
                const answer = await next(args);
                if ((answer.output as Metadata).$metadata.requestId === undefined) {
                    throw Object.assign(new Error("what answers is not S3"), answer.output);
                }
                return answer;
            },
            { step: "initialize" },
        );
        try {
            return await act(new S3Bucket(name, s3, region, endpoint, live.aws));
        } finally {
            s3.destroy();
        }
    }

    async state(isLast = false): Promise<BucketState> {
        try {
            const found = await this.inTime((limit) => this.s3.headBucket({ Bucket: this.name }, limit));
            return { is: "there", region: found.BucketRegion };
        } catch (error) {
            const { status, isS3, region } = failureOf(error);
            if (isS3 && status === 404) {
                return { is: "absent" };
            }
            // 400 is also for credentials that are too old.
            if (isS3 && (status === 301 || status === 400) && region !== undefined && region !== this.region) {
                return { is: "elsewhere", region };
            }
            if (isS3 && status === 403) {
                // The SDK has set its clock right meanwhile.
                return (await this.mayBeAsked()) && !isLast ? this.state(true) : { is: "closed" };
            }
            throw this.unchecked("HeadBucket", error);
        }
    }

    /**
     * The answer to a HEAD does not say why. S3 gives the same refusal for an unknown key, for a wrong clock and for a
     * missing right, whether or not the bucket exists.
     *
     * @returns whether the same credentials are let in where S3 says why.
     * @throws CouldNotCheck for any other reason than that these credentials may not.
     */
    private async mayBeAsked(): Promise<boolean> {
        try {
            await this.inTime((limit) => this.s3.listObjectsV2({ Bucket: this.name, MaxKeys: 0 }, limit));
            return true;
        } catch (error) {
            if (!failureOf(error).isS3 || !/^(AccessDenied|AllAccessDisabled)$/.test((error as Error).name)) {
                throw this.unchecked("HeadBucket", error);
            }
            return false;
        }
    }

    /** Whether what is overwritten or deleted stays. */
    async isVersioned(): Promise<boolean> {
        const found = await this.ask("GetBucketVersioning", (at, limit) => this.s3.getBucketVersioning(at, limit));
        return found?.Status === "Enabled";
    }

    /** Object Lock; `undefined` where the bucket has none. Its default retention may be none. */
    async lock(): Promise<{ readonly retention: Retention | undefined } | undefined> {
        const found = await this.ask(
            "GetObjectLockConfiguration",
            (at, limit) => this.s3.getObjectLockConfiguration(at, limit),
            "ObjectLockConfigurationNotFoundError",
        );
        const { ObjectLockEnabled, Rule } = found?.ObjectLockConfiguration ?? {};
        const { Mode: mode, Days, Years } = Rule?.DefaultRetention ?? {};
        return ObjectLockEnabled === "Enabled"
            ? { retention: mode === undefined ? undefined : { mode, days: Days ?? (Years ?? 0) * 365 } }
            : undefined;
    }

    /** Whether nothing can make the bucket or its objects public. */
    async isPrivate(): Promise<boolean> {
        const found = await this.ask(
            "GetPublicAccessBlock",
            (at, limit) => this.s3.getPublicAccessBlock(at, limit),
            "NoSuchPublicAccessBlockConfiguration",
        );
        const { BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls, RestrictPublicBuckets } =
            found?.PublicAccessBlockConfiguration ?? {};
        return [BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls, RestrictPublicBuckets].every(Boolean);
    }

    /** The KMS key that encrypts what is written; `undefined` for S3's own. */
    async kmsKey(): Promise<string | undefined> {
        const found = await this.ask(
            "GetBucketEncryption",
            (at, limit) => this.s3.getBucketEncryption(at, limit),
            "ServerSideEncryptionConfigurationNotFoundError",
        );
        const [rule] = found?.ServerSideEncryptionConfiguration?.Rules ?? [];
        return rule?.ApplyServerSideEncryptionByDefault?.KMSMasterKeyID;
    }

    async tags(): Promise<Readonly<Record<string, string>>> {
        const ask = (at: InBucket, limit: object) => this.s3.getBucketTagging(at, limit);
        const found = await this.ask("GetBucketTagging", ask, "NoSuchTagSet");
        return Object.fromEntries((found?.TagSet ?? []).map(({ Key = "", Value = "" }) => [Key, Value]));
    }

    /**
     * What the keys below a prefix go on with, up to the next slash and with it: `tenant=a/`.
     *
     * @param prefix ends with a slash.
     */
    async folders(prefix: string): Promise<string[]> {
        const folders: string[] = [];
        for await (const { CommonPrefixes = [] } of this.pages({ Prefix: prefix, Delimiter: "/" })) {
            folders.push(...CommonPrefixes.map((each) => (each.Prefix ?? "").slice(prefix.length)));
        }
        return folders;
    }

    /** The objects below a prefix. @param limit how many at most. */
    async objects(prefix: string, limit = 1000): Promise<S3Object[]> {
        const objects: S3Object[] = [];
        for await (const { Contents = [] } of this.pages({ Prefix: prefix, MaxKeys: limit })) {
            objects.push(...Contents.map(({ Key = "", Size = 0 }) => ({ key: Key, size: Size })));
            if (objects.length >= limit) {
                break;
            }
        }
        return objects;
    }

    /** Whether there is any version of an object below a prefix, hidden by a later one or by its deletion. */
    async hasVersions(prefix: string): Promise<boolean> {
        const found = await this.ask("ListObjectVersions", (at, limit) =>
            this.s3.listObjectVersions({ ...at, Prefix: prefix, MaxKeys: 1 }, limit),
        );
        return [...(found?.Versions ?? []), ...(found?.DeleteMarkers ?? [])].length > 0;
    }

    private async *pages(query: { Prefix: string; Delimiter?: string; MaxKeys?: number }) {
        let ContinuationToken: string | undefined;
        do {
            const page = await this.ask("ListObjectsV2", (at, limit) =>
                this.s3.listObjectsV2({ ...at, ...query, ContinuationToken }, limit),
            );
            if (page) {
                yield page;
            }
            ContinuationToken = page?.NextContinuationToken;
        } while (ContinuationToken !== undefined);
    }

    /** An object's first bytes, up to 1 MiB. `last` instead asks for that many of its last ones. */
    async read(key: string, last?: number): Promise<Buffer> {
        const chunks: Buffer[] = [];
        const range = last === undefined ? "bytes=0-1048575" : `bytes=-${String(last)}`;
        await this.download(key, (chunk) => chunks.push(chunk), range);
        return Buffer.concat(chunks);
    }

    /** SHA-256 of an object in hexadecimal, and its size in bytes. It may be large: it is never held as a whole. */
    async digest(key: string): Promise<{ readonly sha256: string; readonly size: number }> {
        const hash = createHash("sha256");
        let size = 0;
        await this.download(key, (chunk) => {
            hash.update(chunk);
            size += chunk.length;
        });
        return { sha256: hash.digest("hex"), size };
    }

    private async download(Key: string, take: (chunk: Buffer) => void, Range?: string): Promise<void> {
        const what = `GetObject of ${Key}`;
        const found = await this.ask(what, (at, limit) => this.s3.getObject({ ...at, Key, Range }, limit));
        const body = found?.Body as Readable;
        const timer = setTimeout(() => body.destroy(new Error("it did not come to its end in time")), longestDownload);
        try {
            for await (const chunk of body) {
                take(chunk as Buffer);
            }
        } catch (error) {
            throw this.unchecked(what, error);
        } finally {
            clearTimeout(timer);
        }
    }

    private inTime<T>(ask: Parameters<typeof inTime<T>>[0]): Promise<T> {
        return inTime(ask, this.access, this.endpoint ?? "S3");
    }

    /** What S3 answers; `undefined` where the code of its error is `none`: there is nothing of what was asked for. */
    private async ask<Output>(what: string, send: (at: InBucket, limit: object) => Promise<Output>, none?: string) {
        try {
            return await this.inTime((limit) => send({ Bucket: this.name }, limit));
        } catch (error) {
            if (failureOf(error).isS3 && (error as Error).name === none) {
                return undefined;
            }
            throw this.unchecked(what, error);
        }
    }

    private unchecked(what: string, failure: unknown): CouldNotCheck {
        const { status, isS3, code } = failureOf(failure);
        const where = this.endpoint === undefined ? "" : ` at ${this.endpoint}`;
        const why =
            status === undefined
                ? awsFailure(failure).reason
                : isS3
                  ? `HTTP ${String(status)}${code}`
                  : `HTTP ${String(status)}, and what answers is not S3`;
        return new CouldNotCheck(`bucket ${this.name}${where}: ${what}: ${why}`);
    }
}

/** An answer that is none. A page in front of S3 has no ID of a request, whatever its status. */
function failureOf(failure: unknown) {
    const { $metadata, $response, name, message } = failure as Partial<S3ServiceException>;
    const said = name === undefined || name === "Unknown" ? "" : ` ${name}: ${message ?? ""}`;
    return {
        status: $metadata?.httpStatusCode,
        isS3: $metadata?.requestId !== undefined,
        code: said,
        region: $response?.headers["x-amz-bucket-region"],
    };
}

/**
 * The keys that an exporter reads from its Secret.
 *
 * @throws CouldNotCheck when there is no such Secret, or it has no keys.
 */
export async function bucketKeys(secretName: string, live: Pick<Live, "kubernetes">) {
    const secret = await secretValues(live, secretName);
    const [accessKeyId = "", secretAccessKey = ""] = exporterSecretKeys.map((key) => secret?.get(key)?.trim());
    if (accessKeyId === "" || secretAccessKey === "") {
        const lacks = secret ? `lacks ${exporterSecretKeys.join(" or ")}` : "is not there";
        throw new CouldNotCheck(`Secret ${kofNamespace}/${secretName} with the keys of the bucket ${lacks}`);
    }
    return { accessKeyId, secretAccessKey };
}
