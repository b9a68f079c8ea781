import assert from "node:assert/strict";

import { runProgram } from "../../cli/offline";
import { S3Archive, type S3ArchiveArgs } from "../../components/archive";
import type { BucketArgs } from "../../components/bucket";
import { catalogOf } from "../../core/charts";
import { objectsOnRegions } from "../../core/charts/multiCluster";
import { objectsBeside } from "../../core/charts/umbrella";
import { find, optionsOf, stackFile } from "../support";

const name = "audit-logs-exporter";
const bucket: BucketArgs = {
    name: "acme-kof-audit",
    region: "eu-west-1",
    exists: false,
    keep: true,
    lifecycle: { prefix: "audit", transitions: [] },
    tags: { team: "platform" },
};
const args: S3ArchiveArgs = {
    bucket,
    rights: { bucketArn: "arn:aws:s3:::acme-kof-audit", prefix: "audit", readsObjectLock: true },
    credentials: {
        kind: "accessKey",
        generations: ["2026-05", "2026-11"],
        secretName: "s",
        regionByDefault: "us-east-2",
    },
    serviceAccount: name,
    keyOf: { title: "audit archive", setting: "kof:auditArchive.credentials" },
    tags: { team: "platform" },
    exporter: objectsBeside(
        catalogOf("1.10.0"),
        {},
        { name, version: "1.11.0-rc0", values: { complianceMode: "false" } },
    ),
    retry: undefined,
    after: [],
};

async function declared(changes: Partial<S3ArchiveArgs>, ofBucket: Partial<BucketArgs> = {}) {
    const program = () => {
        new S3Archive(name, { ...args, bucket: { ...bucket, ...ofBucket }, ...changes });
    };
    return (await runProgram(program, stackFile({}), { preview: true })).resources;
}

const typesOf = (resources: Awaited<ReturnType<typeof declared>>) =>
    resources.map(({ type }) => type.split(":").at(-1) ?? "").sort();

/** What every bucket forgets. */
const unfinished = {
    id: "unfinished-uploads",
    status: "Enabled",
    filter: { prefix: "audit/" },
    abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
};

describe("component S3Archive", () => {
    it("makes a bucket that is private, encrypted and versioned, and never empties it", async () => {
        const resources = await declared({});
        const inputs = (type: string) => find(resources, `aws:s3/${type}`).inputs;
        assert.deepEqual(inputs("bucket:Bucket"), {
            bucket: "acme-kof-audit",
            region: "eu-west-1",
            tags: { team: "platform" },
        });
        const { bucket: _, region, ...closed } = inputs("bucketPublicAccessBlock:BucketPublicAccessBlock");
        assert.equal(region, "eu-west-1");
        assert.deepEqual(closed, {
            blockPublicAcls: true,
            blockPublicPolicy: true,
            ignorePublicAcls: true,
            restrictPublicBuckets: true,
        });
        assert.deepEqual(inputs("bucketOwnershipControls:BucketOwnershipControls").rule, {
            objectOwnership: "BucketOwnerEnforced",
        });
        assert.deepEqual(
            inputs("bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration").rules,
            [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
        );
        assert.deepEqual(inputs("bucketVersioning:BucketVersioning").versioningConfiguration, { status: "Enabled" });
        assert.equal(
            resources.some(({ type }) => type.includes("ObjectLock")),
            false,
        );
        assert.deepEqual(inputs("bucketLifecycleConfiguration:BucketLifecycleConfiguration").rules, [unfinished]);
    });

    it("keeps the bucket as it is set up when it leaves the stack", async () => {
        for (const keep of [true, false]) {
            const resources = await declared({}, { keep, objectLock: { mode: "COMPLIANCE", days: 1 } });
            const made = find(resources, "aws:s3/bucket:Bucket");
            assert.equal(optionsOf(made).retainOnDelete, keep);
            const ofIt = resources.filter(({ type }) => type.startsWith("aws:s3/") && type !== made.type);
            assert.equal(ofIt.length, 6);
            for (const each of ofIt) {
                assert.equal(optionsOf(each).deletedWith, made.urn, each.type);
            }
        }
    });

    it("gives a bucket Object Lock, colder classes and a key where they are asked for", async () => {
        const kmsKeyArn = "arn:aws:kms:eu-west-1:123456789012:key/1";
        const resources = await declared(
            {},
            {
                objectLock: { mode: "GOVERNANCE", days: 365 },
                lifecycle: { prefix: "audit", transitions: [{ days: 90, storageClass: "GLACIER_IR" }] },
                kmsKeyArn,
            },
        );
        const inputs = (type: string) => find(resources, `aws:s3/${type}`).inputs;
        assert.equal(inputs("bucket:Bucket").objectLockEnabled, true);
        const locked = find(resources, "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration");
        assert.deepEqual(locked.inputs.rule, { defaultRetention: { mode: "GOVERNANCE", days: 365 } });
        assert.ok(locked.dependencies.includes(find(resources, "aws:s3/bucketVersioning:BucketVersioning").urn));
        assert.deepEqual(inputs("bucketLifecycleConfiguration:BucketLifecycleConfiguration").rules, [
            unfinished,
            {
                id: "colder",
                status: "Enabled",
                filter: { prefix: "audit/" },
                transitions: [{ days: 90, storageClass: "GLACIER_IR" }],
            },
        ]);
        assert.deepEqual(
            inputs("bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration").rules,
            [
                {
                    applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: kmsKeyArn },
                    bucketKeyEnabled: true,
                },
            ],
        );
    });

    it("takes a bucket back that it made before, by its name", async () => {
        assert.equal(optionsOf(find(await declared({}), "aws:s3/bucket:Bucket")).import, "");
        const resources = await declared({}, { exists: true });
        assert.equal(optionsOf(find(resources, "aws:s3/bucket:Bucket")).import, "acme-kof-audit");
    });

    it("hands the exporter its last key by the names that the chart reads", async () => {
        const secret = find(await declared({}), "kubernetes:core/v1:Secret");
        const { value } = secret.inputs.stringData as { readonly value: object };
        assert.deepEqual(Object.keys(value), ["S3_ACCESS_KEY", "S3_SECRET_KEY"]);
    });

    it("makes nothing in AWS for a Secret and a bucket that are there", async () => {
        const resources = await declared({
            bucket: undefined,
            credentials: { kind: "existingSecret", name: "s", regionByDefault: "us-east-2" },
        });
        assert.deepEqual(typesOf(resources), ["HelmChart", "HelmRelease", "S3Archive", "Stack"]);
    });

    it("hands a role to the exporter alone", async () => {
        const credentials = { kind: "podIdentity", clusterName: "management", regionByDefault: "eu-west-1" } as const;
        const trust = String(find(await declared({ credentials }), "aws:iam/role:Role").inputs.assumeRolePolicy);
        assert.match(trust, /"Sid":"ExporterOnly".*kubernetes-service-account":\["audit-logs-exporter"\]/);
    });

    it("has the release come after its chart, its bucket and its key, waited for and asked to try again", async () => {
        const resources = await declared({ retry: "2026-11-27T18:00:00Z" });
        const release = find(resources, "kubernetes:helm.toolkit.fluxcd.io/v2:HelmRelease");
        const chart = find(resources, "kubernetes:source.toolkit.fluxcd.io/v1:HelmChart");
        for (const { urn } of [
            chart,
            find(resources, "kubernetes:core/v1:Secret"),
            find(resources, "aws:s3/bucketVersioning:BucketVersioning"),
        ]) {
            assert.ok(release.dependencies.includes(urn), urn);
        }
        const { annotations, labels } = release.inputs.metadata as Record<string, Record<string, string>>;
        assert.match(annotations?.["pulumi.com/waitFor"] ?? "", /condition=Ready/);
        assert.equal(annotations?.["reconcile.fluxcd.io/resetAt"], "2026-11-27T18:00:00Z");
        assert.deepEqual(labels, { "k0rdent.mirantis.com/component": name });
        assert.deepEqual(chart.inputs.spec, {
            chart: name,
            version: "1.11.0-rc0",
            interval: "10m",
            sourceRef: { kind: "HelmRepository", name: "kof-repo" },
        });
    });

    it("has KCM install it on regions, after its template, KOF and its key, and take it off before them", async () => {
        const onRegions = objectsOnRegions(catalogOf("1.10.0"), {}, false, {
            name,
            version: "1.11.0-rc0",
            values: "a: 1",
            regions: "all",
        });
        const resources = await declared({ onRegions });
        const kcm = "kubernetes:k0rdent.mirantis.com/v1beta1";
        const [template, service] = [
            find(resources, `${kcm}:ServiceTemplate`),
            find(resources, `${kcm}:MultiClusterService`),
        ];
        for (const { urn } of [template, find(resources, "kubernetes:core/v1:Secret")]) {
            assert.ok(service.dependencies.includes(urn), urn);
        }
        assert.deepEqual(template.inputs.spec, onRegions.template.spec);
        assert.deepEqual(service.inputs.spec, onRegions.service.spec);
        // It is in no region yet when it is made, and some may never be reached.
        assert.equal((service.inputs.metadata as { annotations?: unknown }).annotations, undefined);
        assert.ok((await declared({})).every(({ type }) => !type.startsWith(kcm)));
    });
});
