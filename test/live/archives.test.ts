import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { archives } from "../../live/archives";
import type { AwsAccess } from "../../live/awsClient";
import { runCheck } from "../../live/findings";
import { buckets, leftoversFound } from "../../live/leftovers";
import type { Answer, Reply } from "../../tools/servers/standins";
import { routes, type Raw } from "../support";
import { ArchiveServers, goodBucket, iam, lock, page, refusal, s3, tags, type BucketAnswers } from "./archiveServers";

const audit = { bucket: "acme-kof-audit", region: "eu-west-1", objectLock: { mode: "COMPLIANCE", days: 365 } };
const base = { ...routes.management, version: "1.10.0", clusterName: "abcd" };
const raw = { ...base, auditArchive: audit };

const base64 = (text: string) => Buffer.from(text).toString("base64");
const secret = JSON.stringify({ data: { S3_ACCESS_KEY: base64("AKIAEXPORTER"), S3_SECRET_KEY: base64("hidden") } });
/** A cluster in which KOF is installed. */
const installed: Answer = ({ url }) =>
    url.pathname.includes("/secrets/")
        ? [200, secret]
        : url.pathname.includes("/cronjobs/")
          ? [200, "{}"]
          : [404, "{}"];

/** S3 at its paths, and IAM at the root. */
const aws =
    (bucket: BucketAnswers, denied: readonly string[] = [], objects: Readonly<Record<string, string>> = {}): Answer =>
    (request) =>
        (request.url.pathname === "/" ? iam(denied) : s3(bucket, objects))(request);

async function withServers<T>(
    server: Answer,
    cluster: Answer | undefined,
    use: (servers: ArchiveServers) => Promise<T>,
) {
    const servers = await ArchiveServers.start(server, cluster);
    try {
        return await use(servers);
    } finally {
        await servers.stop();
    }
}

/** What doctor finds: `severity: what`, and the commands. */
async function found(
    server: Answer,
    settings: Raw = raw,
    cluster: Answer | undefined = installed,
    access: AwsAccess = {},
) {
    const [check] = archives;
    const { findings } = await withServers(server, cluster, (servers) =>
        servers.within(settings, (live) => runCheck(check!, { ...live, aws: access })),
    );
    for (const { why, fix } of findings) {
        assert.ok(why.length > 0 && fix.length > 0);
    }
    return findings;
}
const texts = async (...args: Parameters<typeof found>) =>
    (await found(...args)).map(({ severity, what }) => `${severity}: ${what}`);

describe("doctor on archives", () => {
    it("finds nothing in a bucket that is as the stack makes it, and asks AWS for none where there is no archive", async () => {
        assert.deepEqual(await texts(aws(goodBucket)), []);
        const refuse: Answer = () => assert.fail("nobody is to be asked");
        assert.deepEqual(await texts(refuse, base, refuse), []);
    });

    it("takes a bucket that is to be made for absent, until its exporter runs", async () => {
        const absent = aws({ HEAD: [404, "", { "x-amz-request-id": "1" }] });
        assert.deepEqual(await texts(absent, raw, () => [404, "{}"]), []);
        assert.deepEqual(await texts(absent), ["problem: bucket acme-kof-audit is gone, and its exporter still runs"]);
        const existing = { ...base, auditArchive: { ...audit, createBucket: false } };
        const [finding] = await found(absent, existing, () => [404, "{}"]);
        assert.match(finding!.what, /there is no bucket acme-kof-audit, and kof:auditArchive.createBucket is false/);
        assert.equal(finding!.fix, "pulumi config set --path kof:auditArchive.createBucket true");
    });

    it("finds a bucket that is elsewhere, somebody else's, open, not versioned or not locked", async () => {
        const existing = { ...base, auditArchive: { ...audit, createBucket: false } };
        const moved: Reply = [301, "", { "x-amz-request-id": "1", "x-amz-bucket-region": "us-west-2" }];
        const [elsewhere] = await found(aws({ ...goodBucket, HEAD: moved }), existing);
        assert.match(
            elsewhere!.what,
            /^bucket acme-kof-audit is in us-west-2, and kof:auditArchive.region is eu-west-1/,
        );
        assert.equal(elsewhere!.fix, "pulumi config set --path kof:auditArchive.region us-west-2");
        const versions: Reply = [200, "<VersioningConfiguration/>", { "x-amz-request-id": "1" }];
        const cases: readonly [BucketAnswers, Raw, RegExp][] = [
            [
                { tagging: tags("other") },
                raw,
                /^problem: bucket acme-kof-audit is there already, .*kof-cluster is other$/,
            ],
            [{ tagging: refusal(404, "NoSuchTagSet") }, raw, /^problem: .*kof-cluster is not there$/],
            [{ versioning: versions }, raw, /^warning: bucket acme-kof-audit is not versioned$/],
            [
                { publicAccessBlock: refusal(404, "NoSuchPublicAccessBlockConfiguration") },
                raw,
                /^problem: .* does not block public access$/,
            ],
            [
                { "object-lock": refusal(404, "ObjectLockConfigurationNotFoundError") },
                existing,
                /^problem: .* has no Object Lock/,
            ],
            [
                { "object-lock": lock("COMPLIANCE", 30) },
                existing,
                /^problem: .* by COMPLIANCE for 30 days, and .* 365 days$/,
            ],
            [{ "object-lock": lock("GOVERNANCE", 999) }, existing, /^problem: .* by GOVERNANCE for 999 days/],
            [{ "object-lock": lock("", 0) }, existing, /^problem: .* locks what is written for no time by itself/],
            [{ "object-lock": lock("COMPLIANCE", 999) }, existing, /^warning: .* by COMPLIANCE for 999 days/],
        ];
        for (const [changed, settings, expected] of cases) {
            const all = await texts(aws({ ...goodBucket, ...changed }), settings);
            assert.equal(all.length, 1, all.join("\n"));
            assert.match(all[0]!, expected);
        }
    });

    it("finds an exporter that does not run, or comes to no good end", async () => {
        const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
        const metadata = { creationTimestamp: hoursAgo(9) };
        for (const [cronJob, expected] of [
            [{ metadata, status: { lastSuccessfulTime: hoursAgo(1) } }, /^$/],
            [{ metadata: { creationTimestamp: hoursAgo(1) } }, /^$/],
            [{ metadata }, /^problem: CronJob audit-logs-exporter was made at \S+, and has never come to a good end$/],
            [
                { metadata, status: { lastSuccessfulTime: hoursAgo(4) } },
                /^problem: CronJob audit-logs-exporter has not come to a good end since \S+$/,
            ],
            [{ metadata, spec: { suspend: true } }, /^problem: CronJob audit-logs-exporter is suspended$/],
        ] as const) {
            const cluster: Answer = (request) =>
                request.url.pathname.includes("/cronjobs/") ? [200, JSON.stringify(cronJob)] : installed(request);
            assert.match((await texts(aws(goodBucket), raw, cluster)).join("\n"), expected);
        }
    });

    it("finds what the exporter's identity may not do, and on what", async () => {
        const [finding, ...others] = await found(aws(goodBucket, ["s3:GetBucketObjectLockConfiguration"]));
        assert.deepEqual(others, []);
        assert.equal(
            finding!.what,
            "the exporter's identity arn:aws:iam::123456789012:user/kof/exporter may not s3:GetBucketObjectLockConfiguration on arn:aws:s3:::acme-kof-audit",
        );
        const put = await texts(aws(goodBucket, ["s3:PutObject"]));
        assert.match(put.join("\n"), /may not s3:PutObject on arn:aws:s3:::acme-kof-audit\/audit\/x$/);
        const kmsKeyArn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555";
        const withKey = { ...base, auditArchive: { ...audit, kmsKeyArn } };
        assert.match(
            (await texts(aws(goodBucket, ["kms:Decrypt"]), withKey)).join("\n"),
            /may not kms:Decrypt on arn:aws:kms/,
        );
    });

    it("tells credentials that S3 does not know, and a clock that is wrong, from a bucket of somebody else", async () => {
        const closed: Reply = [403, "", { "x-amz-request-id": "1" }];
        for (const [code, expected] of [
            ["AccessDenied", /^unknown: could not check: bucket acme-kof-audit exists, and is of another account/],
            [
                "RequestTimeTooSkewed",
                /^unknown: could not check: bucket acme-kof-audit: HeadBucket: HTTP 403 RequestTimeTooSkewed/,
            ],
            ["InvalidAccessKeyId", /^unknown: .*HeadBucket: HTTP 403 InvalidAccessKeyId/],
            ["SignatureDoesNotMatch", /^unknown: .*HeadBucket: HTTP 403 SignatureDoesNotMatch/],
        ] as const) {
            const [one = "", ...others] = await texts(aws({ ...goodBucket, HEAD: closed, list: refusal(403, code) }));
            assert.deepEqual(others, [], code);
            assert.match(one, expected);
        }
        // By the first answer the SDK has learned what time it is.
        let heads = 0;
        const skewed: Answer = (request) =>
            request.method === "HEAD" && ++heads === 1 ? closed : aws(goodBucket)(request);
        assert.deepEqual([await texts(skewed), heads], [[], 2]);
        // One that is closed to that request alone.
        const [shut = ""] = await texts(aws({ ...goodBucket, HEAD: closed }));
        assert.match(shut, /it exists, and is of another account/);
    });

    it("never takes what is no answer of AWS for one", async () => {
        const hostile: Readonly<Record<string, Reply>> = {
            page,
            forbidden: refusal(403, "AccessDenied"),
            foreign: [403, "<html>no</html>"],
            busy: refusal(503, "SlowDown"),
            missing: [404, "<html>not found</html>"],
        };
        for (const [name, reply] of Object.entries(hostile)) {
            const all = await texts(() => reply);
            assert.ok(all.length > 0, name);
            for (const text of all) {
                assert.match(text, /^unknown: could not check: /, name);
            }
            for (const aspect of ["versioning", "object-lock", "publicAccessBlock", "tagging"]) {
                const [one, ...others] = await texts(aws({ ...goodBucket, [aspect]: reply }));
                assert.deepEqual(others, []);
                assert.match(
                    one!,
                    /^unknown: could not check: bucket acme-kof-audit: \w+: HTTP \d+/,
                    `${name} ${aspect}`,
                );
            }
        }
    }).timeout(60_000);

    it("gives up on a server that never answers", async () => {
        const silent: Answer = (request) =>
            request.url.pathname === "/" ? iam()(request) : new Promise(() => undefined);
        assert.deepEqual(await texts(silent, raw, installed, { patience: 300 }), [
            "unknown: could not check: bucket acme-kof-audit: HeadBucket: S3 does not answer within 0.3 s, logging in included",
        ]);
    });

    it("waits no longer where a program that logs in does not end", async () => {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "aws-"));
        fs.writeFileSync(path.join(folder, "config"), "[profile slow]\ncredential_process = sleep 2\n");
        process.env.AWS_CONFIG_FILE = path.join(folder, "config");
        const all = await texts(aws(goodBucket), raw, installed, { profile: "slow", patience: 100 });
        delete process.env.AWS_CONFIG_FILE;
        fs.rmSync(folder, { recursive: true });
        assert.deepEqual(
            all.map((each) => each.replace(/^.*: (\w+) does not answer within/, "$1 within")),
            ["S3 within 0.1 s, logging in included", "AWS within 0.1 s, logging in included"],
        );
    });

    it("asks a store that is not AWS's with the keys of its Secret alone", async () => {
        const asked: string[] = [];
        const store: Answer = (request) => {
            asked.push(request.headers.authorization ?? "");
            return s3(goodBucket)(request);
        };
        const refuse: Answer = () => assert.fail("AWS is not to be asked");
        await withServers(store, undefined, async (minio) => {
            const endpoint = minio.env.AWS_ENDPOINT_URL;
            const settings = { ...base, coldStorage: { bucket: "kof", endpoint, existingSecret: "minio" } };
            assert.deepEqual(await texts(refuse, settings), []);
            assert.ok(asked.length > 0 && asked.every((each) => each.includes("Credential=AKIAEXPORTER/")));
            assert.match(
                (await texts(refuse, settings, () => [404, "{}"])).join("\n"),
                /^unknown: could not check: Secret kof\/minio .* is not there$/,
            );
        });
    });

    it("says that a managed control plane's audit logs are not there", async () => {
        assert.match(
            (await texts(aws(goodBucket), { ...raw, distribution: "eks" })).join("\n"),
            /^warning: .* AWS runs the control plane/,
        );
    });
});

describe("left of archives", () => {
    const seen = (server: Answer, settings: Raw = raw) =>
        withServers(server, installed, (servers) =>
            servers.within(settings, (live) => leftoversFound([buckets], live)),
        );
    const left = async (server: Answer) => {
        const found = await seen(server);
        assert.deepEqual(found.reasons, []);
        return found.left;
    };
    const unseen = async (server: Answer) => {
        const found = await seen(server);
        assert.deepEqual(found.left, []);
        return found.reasons.join();
    };

    it("is the bucket that was made for this cluster, or what is in another's", async () => {
        const objects = { "audit/platform-audit-log/PLATFORM/2026/11/27/18/manifest.json": "{}" };
        const own = await left(aws(goodBucket, [], objects));
        assert.deepEqual(own, [
            {
                what: "bucket acme-kof-audit in eu-west-1, with what was archived there, each object of which is locked by COMPLIANCE for 365 days from when it was written",
                remove: "aws s3api delete-bucket --region eu-west-1 --bucket acme-kof-audit   # once no version of any object is left in it",
            },
        ]);
        const foreign = { ...goodBucket, tagging: tags("other") };
        assert.match(
            (await left(aws(foreign, [], objects)))[0]!.what,
            /^objects below audit\/ in bucket acme-kof-audit/,
        );
        assert.deepEqual(await left(aws(foreign)), []);
        assert.deepEqual(await left(aws({ HEAD: [404, "", { "x-amz-request-id": "1" }] })), []);
    });

    it("is what only versions are left of, and what cannot be listed is never nothing", async () => {
        const answered = (body: string): Reply => [
            200,
            `<ListVersionsResult>${body}</ListVersionsResult>`,
            { "x-amz-request-id": "1" },
        ];
        const marker = answered("<DeleteMarker><Key>audit/x</Key><VersionId>1</VersionId></DeleteMarker>");
        const foreign = { ...goodBucket, tagging: tags("other") };
        assert.match(
            (await left(aws({ ...foreign, versions: marker })))[0]!.what,
            /^versions of deleted objects below audit\/ in bucket acme-kof-audit, .* locked by COMPLIANCE/,
        );
        assert.match(
            (await left(aws({ ...goodBucket, versions: marker })))[0]!.what,
            /with versions of deleted objects below audit\/, each/,
        );
        assert.match(
            await unseen(aws({ ...foreign, versions: refusal(403, "AccessDenied") })),
            /ListObjectVersions: HTTP 403/,
        );
        const moved: Reply = [301, "", { "x-amz-request-id": "1", "x-amz-bucket-region": "us-west-2" }];
        assert.match(await unseen(aws({ HEAD: moved })), /^bucket acme-kof-audit is not in eu-west-1 but in us-west-2/);
    });

    it("of one archive is not hidden by another that cannot be looked at", async () => {
        const both = { ...raw, coldStorage: { bucket: "acme-kof-cold", region: "eu-west-1" } };
        const server: Answer = (request) =>
            request.url.pathname.startsWith("/acme-kof-cold") || request.headers.host?.startsWith("acme-kof-cold")
                ? refusal(403, "AccessDenied")
                : aws(goodBucket)(request);
        const { left: found, reasons } = await seen(server, both);
        assert.ok(found.every(({ what }) => what.includes("acme-kof-audit")) && found.length > 0);
        assert.ok(reasons.length === 1 && reasons[0]!.includes("acme-kof-cold"));
    });

    it("could not be checked where S3 does not say", async () => {
        for (const reply of [page, refusal(403, "AccessDenied"), refusal(503, "SlowDown")]) {
            assert.match(await unseen(() => reply), /^bucket acme-kof-audit/);
        }
    });
});
