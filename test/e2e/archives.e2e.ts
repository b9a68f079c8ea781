import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import * as s3 from "@aws-sdk/client-s3";

import { eventually } from "../../tools/servers/program";
import type { AnyObject } from "../../tools/servers/crds";
import type { Raw } from "../support";
import { endToEnd, fluxPaths, namespace, succeed } from "./run";
import { versionsToDeploy } from "../../tools/engine/umbrella";

const region = "eu-west-1";
const exporter = "audit-logs-exporter";
const lock = { mode: "GOVERNANCE", days: 30 } as const;
const CreateBucketConfiguration = { LocationConstraint: region } as const;

const buckets = () => new s3.S3Client({ region, forcePathStyle: true });

/** How a bucket is set up; `undefined` where there is none. */
async function setUpOf(Bucket: string) {
    const client = buckets();
    const { Buckets = [] } = await client.send(new s3.ListBucketsCommand({}));
    if (!Buckets.some(({ Name }) => Name === Bucket)) {
        return undefined;
    }
    /** Nothing, where S3 says that there is nothing. */
    const found = <T>(sent: Promise<T>) => sent.catch(() => undefined);
    const closed = await found(client.send(new s3.GetPublicAccessBlockCommand({ Bucket })));
    const encrypted = await found(client.send(new s3.GetBucketEncryptionCommand({ Bucket })));
    const owned = await found(client.send(new s3.GetBucketOwnershipControlsCommand({ Bucket })));
    const { Status } = await client.send(new s3.GetBucketVersioningCommand({ Bucket }));
    const locked = await found(client.send(new s3.GetObjectLockConfigurationCommand({ Bucket })));
    const lifecycle = await found(client.send(new s3.GetBucketLifecycleConfigurationCommand({ Bucket })));
    const { Mode, Days } = locked?.ObjectLockConfiguration?.Rule?.DefaultRetention ?? {};
    return {
        open: Object.values(closed?.PublicAccessBlockConfiguration ?? { none: false }).includes(false),
        encryption:
            encrypted?.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm,
        ownership: owned?.OwnershipControls?.Rules?.[0]?.ObjectOwnership,
        versions: Status,
        lock: Mode === undefined ? undefined : { mode: Mode, days: Days },
        colder: lifecycle?.Rules?.flatMap(({ Transitions = [] }) =>
            Transitions.map(({ StorageClass }) => StorageClass),
        ),
    };
}

const safe = {
    open: false,
    encryption: "AES256",
    ownership: "BucketOwnerEnforced",
    versions: "Enabled",
    lock: undefined,
    colder: [],
};

async function put(Bucket: string): Promise<void> {
    await buckets().send(new s3.PutObjectCommand({ Bucket, Key: "audit/x", Body: "hello" }));
}

endToEnd(
    "an archive",
    (run) => {
        let bucket: string;
        beforeEach(() => {
            bucket = `kof-e2e-${randomUUID()}`;
        });

        const without = () => run.routes.management!;
        const audit = (more: object = {}): Raw => ({ ...without(), auditArchive: { bucket, region, ...more } });
        const keys = (...generations: string[]) => ({ credentials: { kind: "accessKey", generations } });
        const deploy = async (raw: Raw) => run.deploy(await run.permitted(raw));
        const secret = {
            apiVersion: "v1",
            kind: "Secret",
            metadata: { name: `${exporter}-s3-credentials`, namespace: "kof" },
        };
        const keyInSecret = async () =>
            Buffer.from((await run.cluster.read(secret)).data.S3_ACCESS_KEY, "base64").toString();
        /** KOF's own releases, with what changes with every change of theirs. */
        const ofKof = async () => {
            const found = await run.cluster.api.list<AnyObject>(fluxPaths.HelmRelease);
            return found
                .filter(({ metadata }) => metadata.name !== exporter)
                .map(({ metadata: { name, generation, annotations } }) => ({ name, generation, annotations }));
        };
        const refused = async (raw: Raw): Promise<string> => {
            run.configure(raw);
            const { ok, output } = await run.stack.up();
            assert.ok(!ok && output.includes("Nothing was changed."), output);
            return output;
        };

        it("comes and goes without KOF or a collector noticing, and its bucket stays as it was set up", async () => {
            await run.deploy(without());
            const before = await ofKof();
            const events = run.flux.events.length;
            await deploy(audit({ objectLock: lock, lifecycle: [{ days: 90, storageClass: "GLACIER_IR" }] }));
            await succeed(run.stack.expectNoChanges());
            assert.deepEqual(await ofKof(), before);
            assert.deepEqual(run.stack.outputs().archives, { auditArchive: `s3://${bucket}/audit` });
            const set = { ...safe, lock, colder: ["GLACIER_IR"] };
            assert.deepEqual(await setUpOf(bucket), set);
            await put(bucket);

            await deploy(without());
            await succeed(run.stack.expectNoChanges());
            assert.deepEqual(run.flux.events.slice(events), [`install ${exporter}`, `uninstall ${exporter}`]);
            assert.deepEqual(await ofKof(), before);
            assert.equal(await run.cluster.read(secret), undefined);
            assert.deepEqual(await setUpOf(bucket), set);

            // And is taken back.
            await deploy(audit({ objectLock: lock }));
            await succeed(run.stack.expectNoChanges());
            assert.deepEqual(await setUpOf(bucket), { ...safe, lock });
            await succeed(run.stack.destroy());
            assert.deepEqual(await setUpOf(bucket), { ...safe, lock });
        });

        it("moves nothing to colder classes any more when that is set no more", async () => {
            await deploy(audit({ lifecycle: [{ days: 90, storageClass: "GLACIER_IR" }] }));
            await deploy(audit());
            await succeed(run.stack.expectNoChanges());
            assert.deepEqual(await setUpOf(bucket), safe);
        });

        it("has its key rotated without a restart", async () => {
            await deploy(audit(keys("1")));
            const first = await keyInSecret();
            const before = await ofKof();
            const events = run.flux.events.length;
            await deploy(audit(keys("1", "2")));
            const second = await keyInSecret();
            assert.notEqual(first, second);
            await deploy(audit(keys("2")));
            assert.equal(await keyInSecret(), second);
            await succeed(run.stack.expectNoChanges());
            assert.deepEqual(await ofKof(), before);
            assert.deepEqual(run.flux.events.slice(events), []);
            for (const text of [run.stack.log, run.stack.state()]) {
                assert.equal(text.includes("hello"), false);
            }
        });

        it("of a first deployment that failed is deployed by the next, and Flux asked to try again", async function () {
            if (run.realFlux) {
                this.skip();
            }
            run.flux.fail(exporter, "context deadline exceeded");
            run.configure(audit());
            const interrupt = new AbortController();
            const up = run.stack.up({ signal: interrupt.signal });
            await eventually(() => run.flux.events.includes(`give up ${exporter}`), "Flux gives up");
            interrupt.abort();
            assert.equal((await up).ok, false);
            assert.deepEqual(await setUpOf(bucket), safe);
            run.flux.fail(exporter);
            const output = await succeed(run.stack.up({ signal: AbortSignal.timeout(10 * 60_000) }));
            assert.ok(output.includes(`Flux has given up on HelmRelease ${exporter}`), output);
            await succeed(run.stack.expectNoChanges());
            assert.equal(run.flux.events.at(-1), `install ${exporter}`);
        });

        it("is deleted with its bucket where it was told to, and only when that is empty", async () => {
            await deploy(audit({ keepBucket: false }));
            await put(bucket);
            const { ok, output } = await run.stack.destroy();
            assert.ok(!ok && output.includes("not empty"), output);
            // What could not be deleted is not left open.
            assert.deepEqual(await setUpOf(bucket), safe);

            const { Versions = [] } = await buckets().send(new s3.ListObjectVersionsCommand({ Bucket: bucket }));
            for (const { Key, VersionId } of Versions) {
                await buckets().send(new s3.DeleteObjectCommand({ Bucket: bucket, Key, VersionId }));
            }
            await succeed(run.stack.destroy());
            assert.equal(await setUpOf(bucket), undefined);
        });

        it("is written into a bucket that exists as it is, where it has the Object Lock that is asked for", async () => {
            await buckets().send(new s3.CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration }));
            const before = await setUpOf(bucket);
            for (const [raw, said] of [
                [audit(), /createBucket is true, but bucket .* exists already, and this stack did not make it/],
                [audit({ createBucket: false, objectLock: lock }), /has no Object Lock/],
                [
                    audit({ createBucket: false, region: "us-east-2" }),
                    /region is us-east-2, but bucket .* is in another/,
                ],
                [audit({ createBucket: false, bucket: `${bucket}-none` }), /there is no bucket/],
            ] as const) {
                assert.match(await refused(raw), said);
                assert.equal(await run.cluster.read(namespace), undefined);
            }
            assert.deepEqual(await setUpOf(bucket), before);
            await deploy(audit({ createBucket: false }));
            await succeed(run.stack.expectNoChanges());
            assert.deepEqual(await setUpOf(bucket), before);
            await succeed(run.stack.destroy());
            assert.deepEqual(await setUpOf(bucket), before);

            const ObjectLockEnabledForBucket = true;
            const locked = `${bucket}-locked`;
            await buckets().send(
                new s3.CreateBucketCommand({ Bucket: locked, CreateBucketConfiguration, ObjectLockEnabledForBucket }),
            );
            const wanted = audit({ bucket: locked, createBucket: false, objectLock: lock });
            assert.match(await refused(wanted), /locks what is written to it for no time by itself/);
            await buckets().send(
                new s3.PutObjectLockConfigurationCommand({
                    Bucket: locked,
                    ObjectLockConfiguration: {
                        ObjectLockEnabled: "Enabled",
                        Rule: { DefaultRetention: { Mode: lock.mode, Days: lock.days } },
                    },
                }),
            );
            await deploy(wanted);
            await succeed(run.stack.expectNoChanges());
        });

        it("is among the files for git", async () => {
            const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-e2e-folder-"));
            const files = await run.otherStack({ name: "git" });
            try {
                files.configure(
                    { ...audit({ existingSecret: "s3-credentials" }), chart: run.chart },
                    { "kubernetes:renderYamlToDirectory": folder },
                );
                await succeed(files.up());
                await succeed(files.expectNoChanges());
                const names = fs.readdirSync(path.join(folder, "1-manifest")).filter((name) => name.includes(exporter));
                assert.deepEqual(names.map((name) => name.split("-")[0]).sort(), [
                    "helm.toolkit.fluxcd.io_v2",
                    "source.toolkit.fluxcd.io_v1",
                ]);
            } finally {
                await files.destroy();
                files.remove();
                fs.rmSync(folder, { recursive: true });
            }
        });
    },
    // Older versions of KOF have no exporters.
    versionsToDeploy().filter((version) => !/^1\.[89]\./.test(version)),
);
