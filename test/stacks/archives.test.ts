import assert from "node:assert/strict";

import type { OfflineRun, RunOptions } from "../../cli/offline";
import { runOffline } from "../../cli/program";
import { deploymentOf } from "../../core/routes";
import { checkSettings } from "../../core/routes/parse";
import { find, optionsOf, refusedRun, stackFile, type Raw } from "../support";

type Answers = NonNullable<RunOptions["answers"]>;

/** An error as the engine hands on what a provider says. */
function said(details: string): Error {
    return Object.assign(new Error(details), { details });
}

/** What S3 has under the name of a bucket. Default: without a tag, and without Object Lock. */
interface Has {
    readonly region?: string;
    readonly tags?: Readonly<Record<string, string>>;
    readonly lock?: { readonly mode?: string; readonly days?: number; readonly years?: number };
}

/** S3 with these buckets, as the provider tells of them. */
function has(buckets: Readonly<Record<string, Has>>): Answers {
    const of = (name: unknown) => buckets[String(name)] ?? {};
    return {
        "aws:s3/getBucket:getBucket": ({ bucket, region }) => {
            const found = buckets[String(bucket)];
            if (!found) {
                throw said(`reading S3 Bucket (${String(bucket)}): couldn't find resource`);
            }
            if ((found.region ?? "eu-west-1") !== region) {
                throw said(
                    "operation error S3: HeadBucket, https response error StatusCode: 301, RequestID: 1, HostID: 1, api error MovedPermanently",
                );
            }
            return { bucket };
        },
        "aws:resourcegroupstaggingapi/getResources:getResources": ({ resourceArnLists }) => {
            const [arn = ""] = resourceArnLists as string[];
            const { tags } = of(arn.replace(/^.*:/, ""));
            return { resourceTagMappingLists: tags ? [{ resourceArn: arn, tags }] : [] };
        },
        "aws:s3/getBucketObjectLockConfiguration:getBucketObjectLockConfiguration": ({ bucket }) => {
            const { lock } = of(bucket);
            if (!lock) {
                throw said("reading S3 Bucket Object Lock Configuration (x): couldn't find resource");
            }
            const retention = { mode: "", days: 0, years: 0, ...lock };
            return {
                objectLockEnabled: "Enabled",
                rules: lock.mode === undefined ? [] : [{ defaultRetentions: [retention] }],
            };
        },
    };
}

/** S3 that answers a look at a bucket so. */
function answering(text: string): Answers {
    return {
        "aws:s3/getBucket:getBucket": () => {
            throw said(text);
        },
    };
}
const forbidden = answering(
    "operation error S3: HeadBucket, https response error StatusCode: 403, RequestID: 1, HostID: 1, api error Forbidden: Forbidden",
);

const region = "eu-west-1";
const base: Raw = { version: "1.10.0", route: "management", storageClass: { name: "kof", preset: "aws-ebs" } };
const cold = (more: object = {}): Raw => ({ ...base, coldStorage: { bucket: "acme-kof-cold", region, ...more } });
const lock = { mode: "COMPLIANCE", days: 365 };
const audit = (more: object = {}): Raw => ({
    ...base,
    auditArchive: { bucket: "acme-kof-audit", region, objectLock: lock, ...more },
});
const mine = { "kof-cluster": "mothership", "kof-stack": "kof/test", "managed-by": "pulumi" };

function up(raw: Raw, answers: Answers = has({}), last?: OfflineRun["outputs"]): Promise<OfflineRun> {
    return runOffline(stackFile(raw), { preview: true, answers, ...(last ? { outputs: last } : {}) });
}

const refusal = (...run: Parameters<typeof up>) => refusedRun(up(...run));

const typesOf = ({ resources }: OfflineRun) => resources.map(({ type }) => type.split(":").at(-1) ?? "");
const bucketOf = ({ resources }: OfflineRun) => find(resources, "aws:s3/bucket:Bucket");

describe("archives of a stack", () => {
    it("are a bucket, an identity and a release each, after KOF, and the stack says where they are", async () => {
        const run = await up({ ...cold(), ...audit({ objectLock: undefined }) });
        const count = (type: string) => typesOf(run).filter((each) => each === type).length;
        for (const type of ["Bucket", "User", "AccessKey", "HelmChart", "HelmRelease"]) {
            // A bucket is a component and a resource.
            assert.equal(count(type), type === "Bucket" ? 4 : 2, type);
        }
        const kof = find(run.resources, "kubernetes:helm.sh/v4:Chart");
        for (const { dependencies } of run.resources.filter(({ type }) => type.endsWith(":HelmRelease"))) {
            assert.ok(dependencies.includes(kof.urn));
        }
        assert.deepEqual(run.outputs.archives, {
            coldStorage: "s3://acme-kof-cold/telemetry",
            auditArchive: "s3://acme-kof-audit/audit",
        });
        const bucket = find(run.resources, "aws:s3/bucket:Bucket", "cold-storage-exporter-acme-kof-cold@eu-west-1");
        assert.deepEqual(bucket.inputs.tags, mine);
        assert.equal(optionsOf(bucket).retainOnDelete, true);
        assert.ok(bucket.provider.includes("::aws::"), bucket.provider);
    });

    it("are on regions too where that is asked for, as the deployment says", async () => {
        const run = await up({ ...cold({ regions: "all" }), ...audit() });
        const services = run.resources.filter(({ type }) => type.endsWith(":MultiClusterService"));
        assert.deepEqual(
            services.map(({ inputs }) => (inputs.metadata as { name: string }).name),
            ["kof-cold-storage-exporter"],
        );
        const [{ inputs, dependencies }] = services as [(typeof services)[number]];
        const { serviceSpec } = inputs.spec as { serviceSpec: { services: { values: string }[] } };
        const { settings } = checkSettings(cold({ regions: "all" }));
        assert.equal(serviceSpec.services[0]!.values, deploymentOf(settings!).archives[0]!.regional!.values);
        assert.ok(dependencies.includes(find(run.resources, "kubernetes:helm.sh/v4:Chart").urn));
    });

    it("leave a stack without any as it is", async () => {
        const run = await up(base);
        assert.equal("archives" in run.outputs, false);
        assert.equal(
            run.resources.some(({ type }) => type.includes("aws")),
            false,
        );
    });

    it("contact nothing offline, and take a bucket that is to be there for that", async () => {
        const run = await runOffline(stackFile(audit({ createBucket: false })), { preview: true });
        assert.equal(typesOf(run).includes("Bucket"), false);
        assert.deepEqual(
            run.messages.filter((message) => message.includes("Could not check")),
            [],
        );
    });

    it("have nothing in AWS where the store is another one", async () => {
        const endpoint = "https://minio.example.net";
        const run = await up(cold({ region: undefined, endpoint, existingSecret: "s3-credentials" }));
        assert.deepEqual(
            run.resources.filter(({ type }) => type.includes("aws")).map(({ type }) => type),
            [],
        );
        assert.ok(typesOf(run).includes("HelmRelease"));
    });

    it("may only look at Object Lock where audit logs are written", async () => {
        const policyOf = async (raw: Raw) =>
            String(find((await up(raw)).resources, "aws:iam/userPolicy:UserPolicy").inputs.policy);
        assert.match(await policyOf(audit()), /s3:GetBucketObjectLockConfiguration/);
        assert.match(await policyOf(audit()), /arn:aws:s3:::acme-kof-audit\/audit\/\*/);
        assert.doesNotMatch(await policyOf(cold()), /ObjectLock/);
    });

    it("use a role with EKS or a token, and by default the bucket's region", async () => {
        const eks = {
            ...cold({ credentials: { kind: "podIdentity", clusterName: "management" } }),
            distribution: "eks",
        };
        const run = await up(eks);
        const association = find(run.resources, "aws:eks/podIdentityAssociation:PodIdentityAssociation");
        assert.equal(association.inputs.region, region);
        assert.equal(association.inputs.serviceAccount, "cold-storage-exporter");
        const oidcProviderArn = "arn:aws:iam::123456789012:oidc-provider/oidc.example.net";
        const irsa = await up(cold({ credentials: { kind: "irsa", oidcProviderArn } }));
        assert.equal(find(irsa.resources, "aws:iam/role:Role").inputs.name, "kof-cold-storage-mothership");
    });
});

describe("the bucket of an archive", () => {
    it("is made where S3 has none of its name", async () => {
        assert.equal(optionsOf(bucketOf(await up(cold()))).import, "");
    });

    it("is taken back where this stack made it, and left to its owner otherwise", async () => {
        const ours = await up(cold(), has({ "acme-kof-cold": { tags: mine } }));
        assert.equal(optionsOf(bucketOf(ours)).import, "acme-kof-cold");
        for (const tags of [undefined, { ...mine, "kof-stack": "kof/other" }, { ...mine, "kof-cluster": "other" }]) {
            const text = await refusal(cold(), has({ "acme-kof-cold": tags ? { tags } : {} }));
            assert.match(text, /kof:coldStorage\.createBucket is true, but bucket acme-kof-cold exists already/);
            assert.match(text, /Paste: {3}kof:coldStorage:\n\s+createBucket: false/);
        }
        const other = await refusal(cold(), has({ "acme-kof-cold": { tags: { "kof-stack": "kof/other" } } }));
        assert.match(other, /its tag kof-stack says kof\/other/);
        // What the refusal says to paste.
        const run = await up(cold({ createBucket: false }), has({ "acme-kof-cold": {} }));
        assert.equal(typesOf(run).includes("Bucket"), false);
    });

    it("that exists is not offered for what only the stack's own has", async () => {
        const lifecycle = [{ days: 90, storageClass: "GLACIER_IR" }];
        for (const raw of [cold({ lifecycle }), cold({ keepBucket: false }), audit()]) {
            const there = has({ "acme-kof-cold": {}, "acme-kof-audit": {} });
            const text = await refusal(raw, there);
            const [, key = "", pasted = ""] = /Paste: {3}kof:(\w+):\n\s+bucket: (.*)/.exec(text) ?? [];
            const block = { ...(raw[key] as object), bucket: pasted };
            assert.deepEqual(checkSettings({ ...raw, [key]: block }).problems, []);
            await up({ ...raw, [key]: block }, there);
        }
    });

    it("is still its stack's where its tags cannot be read", async () => {
        const last = (await up(cold())).outputs;
        const denied = {
            ...has({ "acme-kof-cold": { tags: mine } }),
            "aws:resourcegroupstaggingapi/getResources:getResources": () => {
                throw said("AccessDeniedException: not authorized to perform: tag:GetResources");
            },
        };
        assert.equal(optionsOf(bucketOf(await up(cold(), denied, last))).import, "acme-kof-cold");
        assert.match(
            await refusal(cold(), denied),
            /whether this stack made it could not be checked: .*tag:GetResources/,
        );
    });

    it("has to be where the settings say", async () => {
        const away = has({ "acme-kof-cold": { region: "us-east-2" } });
        assert.match(
            await refusal(cold(), away),
            /kof:coldStorage\.bucket is "acme-kof-cold", which exists already in another region\n.*Allowed: a name that no bucket of AWS has\n.*Paste: {3}kof:coldStorage:\n\s+bucket: acme-kof-cold-test/,
        );
        assert.match(
            await refusal(cold({ createBucket: false }), away),
            /kof:coldStorage\.region is eu-west-1, but bucket acme-kof-cold is in another region\n.*aws s3api get-bucket-location --bucket acme-kof-cold/,
        );
    });

    it("has to be there, and ours to see", async () => {
        assert.match(
            await refusal(cold({ createBucket: false })),
            /kof:coldStorage\.createBucket is false, but there is no bucket acme-kof-cold\n[^]*createBucket: true/,
        );
        assert.match(
            await refusal(cold({ createBucket: false }), forbidden),
            /kof:coldStorage\.bucket is "acme-kof-cold", which is of another AWS account, or .*403.*\n.*s3:ListBucket on arn:aws:s3:::acme-kof-cold/,
        );
        assert.match(
            await refusal(cold(), forbidden),
            /exists already, and is of another AWS account[^]*acme-kof-cold-test/,
        );
    });

    it("that could not be checked is reported, and assumed to match the settings", async () => {
        const offline = answering("dial tcp: lookup s3.eu-west-1.amazonaws.com: no such host");
        for (const [createBucket, assumed] of [
            [true, "it does not exist"],
            [false, "it is as the stack file says"],
        ] as const) {
            const { messages } = await up(cold({ createBucket }), offline);
            assert.ok(
                messages.some((text) =>
                    text.startsWith(
                        `warning: Could not check bucket acme-kof-cold of kof:coldStorage, so the stack assumes that ${assumed}: dial tcp`,
                    ),
                ),
                messages.join("\n"),
            );
        }
    });

    it("that the stack made and that is gone from S3 is reported", async () => {
        const last = (await up(cold())).outputs;
        const { messages } = await up(cold(), has({}), last);
        assert.ok(messages.some((text) => text.startsWith("warning: S3 has no bucket acme-kof-cold any more")));
    });

    it("without Object Lock is refused where that is asked for", async () => {
        const there = (more: Has) => has({ "acme-kof-audit": more });
        const text = await refusal(audit({ createBucket: false }), there({}));
        assert.match(text, /kof:auditArchive\.objectLock is set, but bucket acme-kof-audit has no Object Lock/);
        assert.doesNotMatch(text, /Paste/);
        // One that the stack made without it too.
        assert.match(
            await refusal(audit(), there({ tags: mine })),
            /when it makes it\n.*another bucket; or no objectLock\n.*Paste: {3}kof:auditArchive:\n\s+bucket: acme-kof-audit-test/,
        );
        await up(audit(), there({ tags: mine, lock: {} }));
        await up(audit({ createBucket: false }), there({ lock }));
        await up(audit({ createBucket: false }), there({ lock: { mode: "COMPLIANCE", years: 1 } }));
    });

    it("with another retention than is asked for is refused, where it is not the stack's to change", async () => {
        for (const [found, said] of [
            [{}, "for no time by itself"],
            [{ mode: "GOVERNANCE", days: 365 }, "by GOVERNANCE for 365 days"],
            [{ mode: "COMPLIANCE", days: 30 }, "by COMPLIANCE for 30 days"],
        ] as const) {
            const text = await refusal(audit({ createBucket: false }), has({ "acme-kof-audit": { lock: found } }));
            assert.ok(
                text.includes(
                    `kof:auditArchive.objectLock is COMPLIANCE for 365 days, but bucket acme-kof-audit, which the stack does not make, locks what is written to it ${said}`,
                ),
                text,
            );
            if ("mode" in found) {
                await up(audit({ createBucket: false, objectLock: found }), has({ "acme-kof-audit": { lock: found } }));
            }
        }
        await up(audit(), has({ "acme-kof-audit": { tags: mine, lock: { mode: "COMPLIANCE", days: 30 } } }));
    });

    it("that locks objects without a setting is reported", async () => {
        const said = async (raw: Raw) =>
            (await up(raw, has({ "acme-kof-audit": { tags: mine, lock } }))).messages.filter((text) =>
                text.startsWith(
                    "warning: Bucket acme-kof-audit locks what kof:auditArchive writes to it by COMPLIANCE for 365 days",
                ),
            ).length;
        assert.equal(await said(audit({ objectLock: undefined, createBucket: false })), 1);
        assert.equal(await said(audit({ objectLock: undefined })), 1);
        assert.equal(await said(audit()), 0);
    });

    it("that the stack no longer makes has to be locked as is asked for, as any other", async () => {
        const { outputs } = await up(audit());
        const there = has({ "acme-kof-audit": { tags: mine, lock: { mode: "COMPLIANCE", days: 30 } } });
        assert.match(await refusal(audit({ createBucket: false }), there, outputs), /by COMPLIANCE for 30 days/);
    });

    it("has all its problems reported with those of the others", async () => {
        const raw = { ...cold({ createBucket: false }), ...audit({ createBucket: false }) };
        const text = await refusal(raw, has({ "acme-kof-audit": {} }));
        assert.match(text, /has 2 problems\. Nothing was changed\./);
    });
});
