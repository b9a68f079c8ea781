/**
 * What the exporters of archives may do, in an emulated S3 (moto, with tools/servers/server.py) that enforces IAM. It does not imitate
 * - KMS: a bucket takes any key, and no right is asked for to use it (`kms:GenerateDataKey`, `kms:Decrypt`);
 * - bucket policies, and a block of public access: they are kept, and not enforced;
 * - another account, and another region: every region answers for every bucket, where S3 says 301;
 * - who may list what is missing: that, and which right a request needs, is ours, after the Service Authorization Reference;
 * - a change of Object Lock's default retention, which S3 lets nobody make for what is there already.
 */
import assert from "node:assert/strict";

import * as iam from "@aws-sdk/client-iam";
import * as s3 from "@aws-sdk/client-s3";
import { AssumeRoleWithWebIdentityCommand, STSClient } from "@aws-sdk/client-sts";

import { runOffline } from "../../cli/program";
import { skipWithout } from "../../tools/servers/cluster";
import { eventually } from "../../tools/servers/program";
import { enforceIam, startMoto, type Moto } from "../../tools/servers/moto";
import { stackFile } from "../support";
import { account, makeAdmin, makeArchives, makeIdentity, type Access } from "./account";

const region = "eu-west-1";
const [cold, audit] = ["acme-kof-cold", "acme-kof-audit"];
const raw = {
    version: "1.10.0",
    route: "management",
    storageClass: { name: "kof", preset: "aws-ebs" },
    coldStorage: { bucket: cold, region, credentials: { kind: "accessKey", generations: ["1", "2"] } },
    auditArchive: { bucket: audit, region, objectLock: { mode: "COMPLIANCE", days: 365 } },
};

describe("archives, with an emulated S3 that enforces its policies", () => {
    let moto: Moto | undefined;
    let admin: s3.S3Client;
    let administrator: Access;
    const exporters = new Map<string, s3.S3Client>();

    before(async function () {
        try {
            moto = await startMoto();
        } catch (error) {
            skipWithout(this, error);
        }
        const { endpoint } = moto;
        const as = (accessKeyId = "none", secretAccessKey = "none"): Access => ({
            endpoint,
            region,
            credentials: { accessKeyId, secretAccessKey },
        });
        const client = ({ AccessKeyId, SecretAccessKey }: Partial<iam.AccessKey> = {}) =>
            new s3.S3Client({ ...as(AccessKeyId, SecretAccessKey), forcePathStyle: true });
        administrator = await makeAdmin(as());
        admin = new s3.S3Client({ ...administrator, forcePathStyle: true });
        const { resources } = await runOffline(stackFile(raw), { preview: false });
        for (const [name, key] of await makeArchives(resources, as())) {
            exporters.set(name, client(key));
        }
        const CreateBucketConfiguration = { LocationConstraint: region } as const;
        await client().send(new s3.CreateBucketCommand({ Bucket: "other", CreateBucketConfiguration }));
        await enforceIam(moto);
    });

    after(() => moto?.stop());

    const exporter = (name: string) => {
        const found = exporters.get(name);
        assert.ok(found, [...exporters.keys()].join());
        return found;
    };
    const coldExporter = (generation = "2") => exporter(`cold-storage-exporter-${generation}`);
    const auditExporter = () => exporter("audit-logs-exporter-1");
    const key = (prefix: string) => `${prefix}/${Math.random().toString(36).slice(2)}/_SUCCESS`;
    const put = (client: s3.S3Client, Bucket: string, Key: string, more: Partial<s3.PutObjectCommandInput> = {}) =>
        client.send(new s3.PutObjectCommand({ Bucket, Key, Body: "hello", ...more }));
    const answers = (sent: Promise<unknown>, status: number) =>
        assert.rejects(sent, (error: s3.S3ServiceException) => error.$metadata.httpStatusCode === status);

    for (const generation of ["1", "2"]) {
        it(`take what the exporter writes with its key of generation ${generation}, and give it back to it`, async () => {
            const client = coldExporter(generation);
            const [Bucket, Key] = [cold, key("telemetry")];
            // What has not been exported yet.
            await answers(client.send(new s3.HeadObjectCommand({ Bucket, Key })), 404);
            await put(client, Bucket, Key);
            await client.send(new s3.HeadObjectCommand({ Bucket, Key }));
            const { Body } = await client.send(new s3.GetObjectCommand({ Bucket, Key }));
            assert.equal(await Body?.transformToString(), "hello");
        });
    }

    it("take objects in parts, and let the exporter give that up", async () => {
        const [client, Bucket, Key] = [coldExporter(), cold, key("telemetry")];
        const begin = async () =>
            (await client.send(new s3.CreateMultipartUploadCommand({ Bucket, Key }))).UploadId ?? "";
        const UploadId = await begin();
        const part = { Bucket, Key, UploadId, PartNumber: 1 };
        const { ETag } = await client.send(new s3.UploadPartCommand({ ...part, Body: "hello" }));
        const MultipartUpload = { Parts: [{ ETag, PartNumber: 1 }] };
        await client.send(new s3.CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }));
        await client.send(new s3.AbortMultipartUploadCommand({ Bucket, Key, UploadId: await begin() }));
    });

    it("show a leaked key nothing of another bucket, not even what is missing", async () => {
        await answers(auditExporter().send(new s3.HeadObjectCommand({ Bucket: cold, Key: key("telemetry") })), 403);
    });

    it("let a leaked key write nowhere else", async () => {
        for (const [client, bucket, prefix] of [
            [coldExporter(), cold, "telemetry2"],
            [coldExporter(), cold, "audit"],
            [coldExporter(), audit, "telemetry"],
            [coldExporter(), audit, "audit"],
            [auditExporter(), cold, "telemetry"],
            [auditExporter(), "other", "audit"],
        ] as const) {
            await answers(put(client, bucket, key(prefix)), 403);
        }
    });

    it("let a leaked key delete nothing", async () => {
        for (const [client, Bucket, prefix] of [
            [coldExporter(), cold, "telemetry"],
            [auditExporter(), audit, "audit"],
        ] as const) {
            const Key = key(prefix);
            const { VersionId } = await put(client, Bucket, Key);
            assert.ok(VersionId, "the bucket has versions");
            await answers(client.send(new s3.DeleteObjectCommand({ Bucket, Key })), 403);
            await answers(client.send(new s3.DeleteObjectCommand({ Bucket, Key, VersionId })), 403);
            const Delete = { Objects: [{ Key }] };
            const { Errors } = await client.send(new s3.DeleteObjectsCommand({ Bucket, Delete }));
            assert.deepEqual(
                Errors?.map(({ Code }) => Code),
                ["AccessDenied"],
            );
            await answers(client.send(new s3.DeleteBucketCommand({ Bucket })), 403);
        }
    });

    it("let a leaked key overwrite nothing for good", async () => {
        const [Bucket, Key] = [cold, key("telemetry")];
        const { VersionId } = await put(coldExporter(), Bucket, Key);
        await put(coldExporter(), Bucket, Key, { Body: "forged" });
        const { Body } = await admin.send(new s3.GetObjectCommand({ Bucket, Key, VersionId }));
        assert.equal(await Body?.transformToString(), "hello");
    });

    it("let a leaked key change nothing about the bucket", async () => {
        const [client, Bucket] = [auditExporter(), audit];
        const ObjectLockConfiguration = { ObjectLockEnabled: "Enabled" } as const;
        const Key = key("audit");
        await put(client, Bucket, Key);
        for (const command of [
            new s3.PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }),
            new s3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Suspended" } }),
            new s3.DeletePublicAccessBlockCommand({ Bucket }),
            new s3.DeleteBucketEncryptionCommand({ Bucket }),
            new s3.PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: [] } }),
            new s3.PutObjectRetentionCommand({
                Bucket,
                Key,
                Retention: { Mode: "GOVERNANCE", RetainUntilDate: new Date() },
            }),
            new s3.PutObjectLegalHoldCommand({ Bucket, Key, LegalHold: { Status: "OFF" } }),
        ]) {
            await answers(client.send(command as s3.PutBucketVersioningCommand), 403);
        }
    });

    it("tell the exporter of audit logs of Object Lock, without which it stops, and no other", async () => {
        const { ObjectLockConfiguration } = await auditExporter().send(
            new s3.GetObjectLockConfigurationCommand({ Bucket: audit }),
        );
        assert.equal(ObjectLockConfiguration?.ObjectLockEnabled, "Enabled");
        assert.equal(ObjectLockConfiguration.Rule?.DefaultRetention?.Days, 365);
        await answers(coldExporter().send(new s3.GetObjectLockConfigurationCommand({ Bucket: cold })), 403);
    });

    it("keep what is locked from everyone until its date", async () => {
        const [Bucket, Key] = [audit, key("audit")];
        const { VersionId } = await put(auditExporter(), Bucket, Key);
        const found = await admin.send(new s3.HeadObjectCommand({ Bucket, Key, VersionId }));
        const days = ((found.ObjectLockRetainUntilDate?.getTime() ?? 0) - Date.now()) / 86_400_000;
        assert.deepEqual([found.ObjectLockMode, Math.round(days)], ["COMPLIANCE", 365]);
        const remove = (more: object = {}) =>
            admin.send(new s3.DeleteObjectCommand({ Bucket, Key, VersionId, ...more }));
        await answers(remove(), 403);
        await answers(remove({ BypassGovernanceRetention: true }), 403);
        // Without a version only a marker covers it.
        await admin.send(new s3.DeleteObjectCommand({ Bucket, Key }));
        await admin.send(new s3.GetObjectCommand({ Bucket, Key, VersionId }));
        // Of one whose date comes.
        const date = new Date(Date.now() + 2000);
        const soon = { ObjectLockMode: "COMPLIANCE", ObjectLockRetainUntilDate: date } as const;
        const brief = { Bucket, Key: key("audit") };
        const written = await put(admin, brief.Bucket, brief.Key, soon);
        const removeBrief = () => admin.send(new s3.DeleteObjectCommand({ ...brief, VersionId: written.VersionId }));
        await eventually(async () => {
            const refused = await removeBrief().then(
                () => undefined,
                (error: unknown) => (error as s3.S3ServiceException).$metadata.httpStatusCode,
            );
            assert.ok(refused === 403 || (refused === undefined && Date.now() >= date.getTime()), String(refused));
            return refused === undefined;
        }, "it can be removed");
    });

    it("are written by a role that the exporter's service account takes by its token, which nobody else takes", async () => {
        const issuer = "oidc.example.net";
        const oidcProviderArn = `arn:aws:iam::${account}:oidc-provider/${issuer}`;
        const keyless = { bucket: cold, region, prefix: "keyless", createBucket: false };
        const coldStorage = { ...keyless, credentials: { kind: "irsa", oidcProviderArn } };
        const { auditArchive: _, ...others } = raw;
        const { resources } = await runOffline(stackFile({ ...others, coldStorage }), { preview: false });
        const { roleArn: RoleArn } = await makeIdentity(resources, administrator);
        const take = async (subject: string) => {
            const claims = {
                iss: `https://${issuer}`,
                aud: "sts.amazonaws.com",
                sub: `system:serviceaccount:kof:${subject}`,
            };
            const WebIdentityToken = ["e30", Buffer.from(JSON.stringify(claims)).toString("base64url"), "x"].join(".");
            const asked = { RoleArn, RoleSessionName: "x", WebIdentityToken };
            const { Credentials: given } = await new STSClient(administrator).send(
                new AssumeRoleWithWebIdentityCommand(asked),
            );
            const { AccessKeyId: accessKeyId = "", SecretAccessKey: secretAccessKey = "", SessionToken } = given ?? {};
            const credentials = { accessKeyId, secretAccessKey, sessionToken: SessionToken ?? "" };
            return new s3.S3Client({ ...administrator, credentials, forcePathStyle: true });
        };
        const client = await take("cold-storage-exporter");
        const [Bucket, Key] = [cold, key("keyless")];
        await answers(client.send(new s3.HeadObjectCommand({ Bucket, Key })), 404);
        await put(client, Bucket, Key);
        await client.send(new s3.GetObjectCommand({ Bucket, Key }));
        await answers(put(client, Bucket, key("telemetry")), 403);
        await answers(client.send(new s3.DeleteObjectCommand({ Bucket, Key })), 403);
        await assert.rejects(take("audit-logs-exporter"), { name: /AccessDenied/ });
    });

    it("are in buckets that cannot be deleted while anything is in them", async () => {
        await put(coldExporter(), cold, key("telemetry"));
        await assert.rejects(admin.send(new s3.DeleteBucketCommand({ Bucket: cold })), { name: "BucketNotEmpty" });
    });

    it("are in a bucket of another name", async () => {
        const CreateBucketConfiguration = { LocationConstraint: region } as const;
        await assert.rejects(admin.send(new s3.CreateBucketCommand({ Bucket: cold, CreateBucketConfiguration })), {
            name: /BucketAlreadyOwnedByYou|BucketAlreadyExists/,
        });
    });
});
