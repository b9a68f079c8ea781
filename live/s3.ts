import { createHash } from "node:crypto";
import type { Readable } from "node:stream";

import type { S3Client, S3ServiceException } from "@aws-sdk/client-s3";

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

interface Metadata {
    readonly $metadata: { readonly requestId?: string | undefined; readonly httpStatusCode?: number | undefined };
}

type Sdk = typeof import("@aws-sdk/client-s3");

/**
 * One bucket, read with the user's own credentials. A store that is not AWS's is asked with the keys in the Secret
 * of its exporter: nobody else's are for it. What does not identify itself as S3 is no answer.
 */
export class S3Bucket {
    private constructor(
        readonly name: string,
        private readonly client: S3Client,
        private readonly sdk: Sdk,
        private readonly region: string,
        private readonly endpoint: string | undefined,
        private readonly access: AwsAccess,
    ) {}

    /** @throws CouldNotCheck when there are no keys for a store that is not AWS's. */
    static async of({ bucket, secret }: Pick<Archive, "bucket" | "secret">, live: Live): Promise<S3Bucket> {
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
        const client = new sdk.S3Client({ ...own, responseChecksumValidation: "WHEN_REQUIRED" });
        client.middlewareStack.add(
            (next) => async (args) => {
                const answer = await next(args);
                if ((answer.output as Metadata).$metadata.requestId === undefined) {
                    throw Object.assign(new Error("what answers is not S3"), answer.output);
                }
                return answer;
            },
            { step: "initialize" },
        );
        return new S3Bucket(name, client, sdk, region, endpoint, live.aws);
    }

    async state(isLast = false): Promise<BucketState> {
        try {
            const command = new this.sdk.HeadBucketCommand({ Bucket: this.name });
            const found = await this.inTime((limit) => this.client.send(command, limit));
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
            const command = new this.sdk.ListObjectsV2Command({ Bucket: this.name, MaxKeys: 0 });
            await this.inTime((limit) => this.client.send(command, limit));
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
        const found = await this.ask("GetBucketVersioning", "", (name, limit) =>
            this.client.send(new this.sdk.GetBucketVersioningCommand({ Bucket: name }), limit),
        );
        return found?.Status === "Enabled";
    }

    /** Object Lock; `undefined` where the bucket has none. Its default retention may be none. */
    async lock(): Promise<{ readonly retention: Retention | undefined } | undefined> {
        const found = await this.ask(
            "GetObjectLockConfiguration",
            "ObjectLockConfigurationNotFoundError",
            (name, limit) => this.client.send(new this.sdk.GetObjectLockConfigurationCommand({ Bucket: name }), limit),
        );
        const { ObjectLockEnabled, Rule } = found?.ObjectLockConfiguration ?? {};
        const { Mode: mode, Days, Years } = Rule?.DefaultRetention ?? {};
        return ObjectLockEnabled === "Enabled"
            ? { retention: mode === undefined ? undefined : { mode, days: Days ?? (Years ?? 0) * 365 } }
            : undefined;
    }

    /** Whether nothing can make the bucket or its objects public. */
    async isPrivate(): Promise<boolean> {
        const found = await this.ask("GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration", (name, limit) =>
            this.client.send(new this.sdk.GetPublicAccessBlockCommand({ Bucket: name }), limit),
        );
        const { BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls, RestrictPublicBuckets } =
            found?.PublicAccessBlockConfiguration ?? {};
        return [BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls, RestrictPublicBuckets].every(Boolean);
    }

    /** The KMS key that encrypts what is written; `undefined` for S3's own. */
    async kmsKey(): Promise<string | undefined> {
        const found = await this.ask(
            "GetBucketEncryption",
            "ServerSideEncryptionConfigurationNotFoundError",
            (name, limit) => this.client.send(new this.sdk.GetBucketEncryptionCommand({ Bucket: name }), limit),
        );
        const [rule] = found?.ServerSideEncryptionConfiguration?.Rules ?? [];
        return rule?.ApplyServerSideEncryptionByDefault?.KMSMasterKeyID;
    }

    async tags(): Promise<Readonly<Record<string, string>>> {
        const found = await this.ask("GetBucketTagging", "NoSuchTagSet", (name, limit) =>
            this.client.send(new this.sdk.GetBucketTaggingCommand({ Bucket: name }), limit),
        );
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
        const found = await this.ask("ListObjectVersions", "", (Bucket, limit) =>
            this.client.send(new this.sdk.ListObjectVersionsCommand({ Bucket, Prefix: prefix, MaxKeys: 1 }), limit),
        );
        return [...(found?.Versions ?? []), ...(found?.DeleteMarkers ?? [])].length > 0;
    }

    private async *pages(query: { Prefix: string; Delimiter?: string; MaxKeys?: number }) {
        let ContinuationToken: string | undefined;
        do {
            const page = await this.ask("ListObjectsV2", "", (Bucket, limit) =>
                this.client.send(new this.sdk.ListObjectsV2Command({ Bucket, ...query, ContinuationToken }), limit),
            );
            if (page) {
                yield page;
            }
            ContinuationToken = page?.NextContinuationToken;
        } while (ContinuationToken !== undefined);
    }

    /** An object's first bytes, up to 1 MiB. `last` instead asks for that many of its last ones. */
    async read(key: string, last?: number): Promise<Buffer> {
        const Range = last === undefined ? "bytes=0-1048575" : `bytes=-${String(last)}`;
        const { body } = await this.download(key, Range);
        const chunks: Buffer[] = [];
        await this.each(key, body, (chunk) => chunks.push(chunk));
        return Buffer.concat(chunks);
    }

    /** SHA-256 of an object in hexadecimal, and its size in bytes. It may be large: it is never held as a whole. */
    async digest(key: string): Promise<{ readonly sha256: string; readonly size: number }> {
        const { body } = await this.download(key);
        const hash = createHash("sha256");
        let size = 0;
        await this.each(key, body, (chunk) => {
            hash.update(chunk);
            size += chunk.length;
        });
        return { sha256: hash.digest("hex"), size };
    }

    private async download(Key: string, Range?: string): Promise<{ readonly body: Readable }> {
        const found = await this.ask(`GetObject of ${Key}`, "", (Bucket, limit) =>
            this.client.send(new this.sdk.GetObjectCommand({ Bucket, Key, Range }), limit),
        );
        return { body: found?.Body as Readable };
    }

    private async each(key: string, body: Readable, take: (chunk: Buffer) => void): Promise<void> {
        const timer = setTimeout(() => body.destroy(new Error("it did not come to its end in time")), longestDownload);
        try {
            for await (const chunk of body) {
                take(chunk as Buffer);
            }
        } catch (error) {
            throw this.unchecked(`GetObject of ${key}`, error);
        } finally {
            clearTimeout(timer);
        }
    }

    close(): void {
        this.client.destroy();
    }

    private inTime<T>(ask: Parameters<typeof inTime<T>>[0]): Promise<T> {
        return inTime(ask, this.access, this.endpoint ?? "S3");
    }

    /** What S3 answers; `undefined` where the code of its error says that there is none. */
    private async ask<Output>(what: string, none: string, send: (name: string, limit: object) => Promise<Output>) {
        try {
            return await this.inTime((limit) => send(this.name, limit));
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
    const said = (name ?? "Unknown") === "Unknown" || name === undefined ? "" : ` ${name}: ${message ?? ""}`;
    return {
        status: $metadata?.httpStatusCode,
        isS3: $metadata?.requestId !== undefined,
        code: said,
        region: $response?.headers["x-amz-bucket-region"],
    };
}

interface Keys {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
}

/**
 * The keys that an exporter reads from its Secret.
 *
 * @throws CouldNotCheck when there is no such Secret, or it has no keys.
 */
export async function bucketKeys(secretName: string, live: Pick<Live, "kubernetes">): Promise<Keys> {
    const secret = await secretValues(live, secretName);
    const [accessKeyId = "", secretAccessKey = ""] = exporterSecretKeys.map((key) => secret?.get(key)?.trim());
    if (accessKeyId === "" || secretAccessKey === "") {
        const lacks = secret ? `lacks ${exporterSecretKeys.join(" or ")}` : "is not there";
        throw new CouldNotCheck(`Secret ${kofNamespace}/${secretName} with the keys of the bucket ${lacks}`);
    }
    return { accessKeyId, secretAccessKey };
}
