import assert from "node:assert/strict";

import { checkSettings } from "../../../core/routes/parse";
import { formatProblem } from "../../../core/settings/problems";
import type { Raw } from "../../support";

const cold = { bucket: "acme-kof-cold", region: "eu-west-1" };
const audit = { bucket: "acme-kof-audit", region: "eu-west-1" };
const route = "management";
const issuer = (partition: string) => `arn:${partition}:iam::123456789012:oidc-provider/oidc.example.net`;
const key = (region: string, partition = "aws") => `arn:${partition}:kms:${region}:123456789012:key/abc`;
const bucket =
    "3 to 63 lower-case letters, digits, '-' and '.', starting and ending with a letter or digit, and none of the names that S3 keeps for itself (xn--…, …-s3alias)";

/** Every mistake with the whole text of its error. */
const mistakes: readonly [string, Raw, string][] = [
    [
        "a bucket without a region and a region without a bucket, both at once",
        { route, coldStorage: { bucket: "acme" }, auditArchive: { region: "eu-west-1" } },
        `  kof:coldStorage.region is missing
    Allowed: an AWS region, for example us-east-2, eu-central-1, us-gov-west-1
    Paste:   kof:coldStorage:
               region: eu-west-1
  kof:auditArchive.bucket is missing
    Allowed: ${bucket}
    Paste:   kof:auditArchive:
               bucket: acme-kof-audit`,
    ],
    [
        "an archive that says nothing",
        { route, coldStorage: {} },
        `  kof:coldStorage.bucket is missing
    Allowed: ${bucket}
    Paste:   kof:coldStorage:
               bucket: acme-kof-cold
  kof:coldStorage.region is missing
    Allowed: an AWS region, for example us-east-2, eu-central-1, us-gov-west-1
    Paste:   kof:coldStorage:
               region: eu-west-1`,
    ],
    [
        "a list of one, which is taken for what is in it",
        { route, coldStorage: [{ ...cold, endpoint: "https://minio.example.net", existingSecret: "minio" }] },
        `  kof:coldStorage is [{"bucket":"acme-kof-cold","region":"eu-west-1","endpoint":"https://minio.exa..., which is not allowed here
    Allowed: a map
    Paste:   kof:coldStorage:
               bucket: acme-kof-cold
               region: eu-west-1
               endpoint: https://minio.example.net
               existingSecret: minio`,
    ],
    [
        "a password in an address, together with what contradicts the address without it",
        {
            route,
            auditArchive: {
                ...audit,
                endpoint: "https://kof:hunter2hunter2@minio.example.net",
                credentials: { kind: "podIdentity", clusterName: "a" },
            },
        },
        `  kof:auditArchive.credentials is podIdentity, which AWS alone has, but the endpoint is "https://minio.example.net". Remove it, and name a Secret in existingSecret
    Allowed: {kind: existingSecret, name: NAME}
  kof:auditArchive.endpoint is "https://…@minio.example.net", whose password or token would be printed wherever the address is shown
    Allowed: an address without it. kof:auditArchive.existingSecret names the Secret with the keys
    Paste:   kof:auditArchive:
               endpoint: https://minio.example.net`,
    ],
    [
        "a region that is missing beside a bucket that is none, and what is wrong beside credentials",
        {
            route,
            coldStorage: { bucket: [5, 6] },
            auditArchive: { ...audit, credentials: { kind: "podIdentity", clusterName: "a" }, existingSecret: null },
        },
        `  kof:coldStorage.bucket is [5,6], which is not allowed here
    Allowed: ${bucket}
    Paste:   kof:coldStorage:
               bucket: acme-kof-cold
  kof:coldStorage.region is missing
    Allowed: an AWS region, for example us-east-2, eu-central-1, us-gov-west-1
    Paste:   kof:coldStorage:
               region: eu-west-1
  kof:auditArchive.existingSecret is null, which is not allowed here
    Allowed: an RFC 1123 name: lower-case letters, digits and '-', at most 63, starting and ending with a letter or digit
    Paste:   kof:auditArchive:
               existingSecret: s3-credentials
  kof:auditArchive.existingSecret stands beside credentials, which say the same or contradict it. Remove one of them`,
    ],
    [
        "names as people write them",
        {
            route,
            coldStorage: { bucket: "My_Bucket", region: "eu-wst-1", prefix: "/kof/" },
            auditArchive: {
                bucket: "s3://Acme_Audit/",
                region: "eu-west-1",
                objectLock: { mode: "compliance", days: 7 },
            },
        },
        `  kof:coldStorage.bucket is "My_Bucket", which is not allowed here
    Allowed: ${bucket}
    Paste:   kof:coldStorage:
               bucket: my-bucket
  kof:coldStorage.prefix is "/kof/", which is not allowed here
    Allowed: at most 200 letters, digits and . _ -, in parts with / between them, and none at its start and end
    Paste:   kof:coldStorage:
               prefix: kof
  kof:auditArchive.bucket is "s3://Acme_Audit/", which is not allowed here
    Allowed: ${bucket}
    Paste:   kof:auditArchive:
               bucket: acme-audit
  kof:auditArchive.objectLock.mode is "compliance", which is not allowed here
    Allowed: GOVERNANCE, COMPLIANCE
    Paste:   kof:auditArchive:
               objectLock:
                 mode: COMPLIANCE
  kof:coldStorage.region is "eu-wst-1", which is no region of AWS
    Allowed: an AWS region, for example us-east-2, eu-central-1, us-gov-west-1; or the endpoint of another store
    Paste:   kof:coldStorage:
               region: eu-west-1`,
    ],
    [
        "a region that is none, beside a key that says where the bucket is",
        { route, coldStorage: { ...cold, region: "somewhere", kmsKeyArn: key("eu-central-1") } },
        `  kof:coldStorage.region is "somewhere", which is no region of AWS
    Allowed: an AWS region, for example us-east-2, eu-central-1, us-gov-west-1; or the endpoint of another store
    Paste:   kof:coldStorage:
               region: eu-central-1`,
    ],
    [
        "versions that have no exporters",
        { route, version: "1.9.0", coldStorage: cold },
        `  kof:coldStorage needs KOF 1.10.0 or later: the exporters, and a store for audit logs, came with that. The version is 1.9.0
    Allowed: version 1.10.0 or 1.11.0-rc0
    Paste:   kof:version: 1.10.0`,
    ],
    [
        "transitions that S3 refuses",
        {
            route,
            coldStorage: {
                ...cold,
                lifecycle: [
                    { days: 10, storageClass: "STANDARD_IA" },
                    { days: 20, storageClass: "GLACIER" },
                    { days: 25, storageClass: "DEEP_ARCHIVE" },
                ],
            },
            auditArchive: {
                ...audit,
                lifecycle: [
                    { days: 0, storageClass: "GLACIER" },
                    { days: 30, storageClass: "GLACIER_IR" },
                ],
            },
        },
        `  kof:coldStorage.lifecycle moves to STANDARD_IA after 10 days, which S3 does after 30 at the earliest; and moves to GLACIER 10 days after STANDARD_IA, where S3 keeps objects for 30 at least; and moves to DEEP_ARCHIVE 5 days after GLACIER, where S3 keeps objects for 90 at least
    Allowed: the colder class later; STANDARD_IA and ONEZONE_IA from 30 days on and for 30 days, GLACIER_IR and GLACIER for 90 days
    Paste:   kof:coldStorage:
               lifecycle:
                 - days: 30
                   storageClass: STANDARD_IA
                 - days: 60
                   storageClass: GLACIER
                 - days: 150
                   storageClass: DEEP_ARCHIVE
  kof:auditArchive.lifecycle moves from GLACIER to GLACIER_IR, which S3 does not: the colder class comes later, and once
    Allowed: the colder class later; STANDARD_IA and ONEZONE_IA from 30 days on and for 30 days, GLACIER_IR and GLACIER for 90 days
    Paste:   kof:auditArchive:
               lifecycle:
                 - days: 30
                   storageClass: GLACIER_IR
                 - days: 120
                   storageClass: GLACIER`,
    ],
    [
        "what only AWS has at another store, and what only a bucket of the stack's has",
        {
            route,
            coldStorage: {
                bucket: "kof",
                endpoint: "https://minio.example.net",
                lifecycle: [{ days: 1, storageClass: "GLACIER" }],
                tags: { team: "a" },
                kmsKeyArn: key("eu-west-1"),
                credentials: { kind: "podIdentity", clusterName: "a" },
            },
            auditArchive: { ...audit, createBucket: false, keepBucket: false, endpoint: "https://minio.example.net" },
        },
        `  kof:coldStorage.lifecycle has no effect on a bucket that the stack does not make. Remove it
  kof:coldStorage.kmsKeyArn has no effect with endpoint "https://minio.example.net", which is not AWS. Remove it
  kof:coldStorage.tags has no effect with endpoint "https://minio.example.net", which is not AWS. Remove it
  kof:coldStorage.credentials is podIdentity, which AWS alone has, but the endpoint is "https://minio.example.net". Remove it, and name a Secret in existingSecret
    Allowed: {kind: existingSecret, name: NAME}
  kof:auditArchive.keepBucket has no effect on a bucket that the stack does not make, and never deletes. Remove it
  kof:auditArchive.existingSecret is missing: nothing can be made to sign in to "https://minio.example.net" with, which is not AWS
    Allowed: the name of a Secret in the kof namespace with the keys S3_ACCESS_KEY and S3_SECRET_KEY
    Run:     kubectl create secret generic -n kof s3-credentials --from-file=S3_ACCESS_KEY --from-file=S3_SECRET_KEY
    Paste:   kof:auditArchive:
               existingSecret: s3-credentials`,
    ],
    [
        "a bucket to make in another store, and two ways to authenticate",
        {
            route,
            coldStorage: {
                bucket: "kof",
                endpoint: "https://minio.example.net",
                createBucket: true,
                lifecycle: [{ days: 1, storageClass: "GLACIER" }],
                tags: { team: "a" },
                existingSecret: "a",
            },
            auditArchive: { ...audit, existingSecret: "a", credentials: { kind: "existingSecret", name: "a" } },
        },
        `  kof:coldStorage.createBucket is true, but the stack makes buckets in AWS alone, and the endpoint is "https://minio.example.net"
    Allowed: false: the bucket is there
    Paste:   kof:coldStorage:
               createBucket: false
  kof:coldStorage.lifecycle has no effect on a bucket that the stack does not make. Remove it
  kof:coldStorage.tags has no effect with endpoint "https://minio.example.net", which is not AWS. Remove it
  kof:auditArchive.existingSecret stands beside credentials, which say the same or contradict it. Remove one of them`,
    ],
    [
        "ARNs of another place",
        {
            route,
            coldStorage: {
                ...cold,
                kmsKeyArn: key("us-east-2"),
                credentials: { kind: "irsa", oidcProviderArn: issuer("aws-cn") },
            },
            auditArchive: {
                ...audit,
                credentials: { kind: "podIdentity", clusterName: "a", region: "us-gov-west-1" },
                kmsKeyArn: key("eu-west-1"),
            },
        },
        `  kof:coldStorage.kmsKeyArn is "${key("us-east-2")}", but a bucket in eu-west-1 can only be encrypted with a key of eu-west-1
    Allowed: the ARN of a KMS key that starts with arn:aws:kms:eu-west-1:
    Paste:   kof:coldStorage:
               kmsKeyArn: arn:aws:kms:eu-west-1:123456789012:key/KEY
  kof:coldStorage.credentials.oidcProviderArn is "${issuer("aws-cn")}", which is not of the partition of eu-west-1
    Allowed: the ARN of an IAM OIDC provider that starts with arn:aws:iam::
  kof:auditArchive.credentials.region is "us-gov-west-1", from where a role cannot write to eu-west-1: it is another partition of AWS
    Paste:   kof:auditArchive:
               credentials:
                 region: eu-west-1`,
    ],
    [
        "one bucket for both that the stack would make",
        { route, coldStorage: cold, auditArchive: { ...audit, bucket: cold.bucket, createBucket: false } },
        `  kof:auditArchive.bucket is "acme-kof-cold", which kof:coldStorage has as well: a bucket that the stack makes is one archive's own
    Allowed: another bucket, or for both one that is there already: createBucket: false
    Paste:   kof:auditArchive:
               bucket: acme-kof-cold-audit`,
    ],
    [
        "prefixes within each other in one bucket",
        {
            route,
            coldStorage: { ...cold, createBucket: false },
            auditArchive: { ...cold, createBucket: false, prefix: "telemetry/audit" },
        },
        `  kof:auditArchive.prefix is "telemetry/audit", but kof:coldStorage writes below "telemetry" of the same bucket
    Allowed: a prefix that neither is the other one nor within it
    Paste:   kof:auditArchive:
               prefix: telemetry-audit`,
    ],
    [
        "signals of which nothing is stored on this cluster",
        { route: "none", coldStorage: { ...cold, signals: ["metrics", "logs"] }, auditArchive: audit },
        `  kof:coldStorage.signals has logs, of which nothing is stored on this cluster (logs: not stored (not collected))
    Allowed: those that are: metrics
    Paste:   kof:coldStorage:
               signals:
                 - metrics
  kof:auditArchive has nothing to export, for no audit logs are stored on this cluster (audit logs: not stored (not collected))
    Allowed: where audit logs are stored here, as on routes management and regionless
    Paste:   kof:signals:
               audit:
                 - management`,
    ],
    [
        "an archive where nothing is stored at all",
        {
            route: "none",
            coldStorage: cold,
            values: { "kof-mothership": { values: { victoriametrics: { vmcluster: { enabled: false } } } } },
        },
        `  kof:coldStorage has nothing to export: no metrics, logs or traces are stored on this cluster
    Allowed: where they are stored here, as on routes management and regionless
    Paste:   kof:signals:
               logs:
                 - management`,
    ],
    [
        "a version without exporters",
        { route, version: "1.9.0", auditArchive: audit },
        `  kof:auditArchive needs KOF 1.10.0 or later: the exporters, and a store for audit logs, came with that. The version is 1.9.0
    Allowed: version 1.10.0 or 1.11.0-rc0
    Paste:   kof:version: 1.10.0`,
    ],
    [
        "S3's own address, and nothing to sign in there",
        {
            route,
            coldStorage: { bucket: "acme-kof-cold", endpoint: "https://s3.eu-west-2.amazonaws.com" },
            auditArchive: { ...audit, endpoint: "https://acme.s3.cn-north-1.amazonaws.com.cn" },
        },
        `  kof:coldStorage.endpoint is "https://s3.eu-west-2.amazonaws.com", where S3 is anyway. Remove it, and the region says where the bucket is
    Allowed: the address of another store than S3
    Paste:   kof:coldStorage:
               region: eu-west-2
  kof:auditArchive.endpoint is "https://acme.s3.cn-north-1.amazonaws.com.cn", where S3 is anyway. Remove it, and the region says where the bucket is
    Allowed: the address of another store than S3`,
    ],
    [
        "a class that objects would move to after the last day that may be set",
        {
            route,
            coldStorage: {
                ...cold,
                lifecycle: [
                    { days: 36500, storageClass: "STANDARD_IA" },
                    { days: 36500, storageClass: "GLACIER" },
                ],
            },
        },
        `  kof:coldStorage.lifecycle moves to GLACIER 0 days after STANDARD_IA, where S3 keeps objects for 30 at least
    Allowed: the colder class later; STANDARD_IA and ONEZONE_IA from 30 days on and for 30 days, GLACIER_IR and GLACIER for 90 days
    Paste:   kof:coldStorage:
               lifecycle:
                 - days: 36500
                   storageClass: STANDARD_IA`,
    ],
    [
        "one bucket in two regions",
        {
            route,
            coldStorage: { bucket: "acme", region: "eu-west-1", createBucket: false },
            auditArchive: { bucket: "acme", region: "us-east-1", createBucket: false },
        },
        `  kof:auditArchive.region is "us-east-1", but kof:coldStorage has the same bucket in eu-west-1: a name is one bucket's in all regions
    Allowed: the region that the bucket is in, in both; or another bucket
    Paste:   kof:auditArchive:
               region: eu-west-1`,
    ],
    [
        "who signs in in an address",
        {
            route,
            coldStorage: { bucket: "kof", endpoint: "https://me:hunter2hunter2@s3.example.net", existingSecret: "a" },
        },
        `  kof:coldStorage.endpoint is "https://…@s3.example.net", whose password or token would be printed wherever the address is shown
    Allowed: an address without it. kof:coldStorage.existingSecret names the Secret with the keys
    Paste:   kof:coldStorage:
               endpoint: https://s3.example.net`,
    ],
];

const found = (raw: Raw) => checkSettings(raw).problems;
const text = (raw: Raw) => found(raw).map(formatProblem).join("\n");

describe("settings of archives", () => {
    for (const [what, raw, expected] of mistakes) {
        it(`refuse ${what}`, () => {
            assert.equal(text(raw), expected);
        });
    }

    it("take every name that S3 takes, and no other", () => {
        const named = (name: string) => found({ route, coldStorage: { ...cold, bucket: name } }).length === 0;
        for (const name of ["abc", "a.b-c.9", "0".repeat(63), "1.2.3", "acme-xn--a", "s3alias"]) {
            assert.ok(named(name), name);
        }
        const reserved = [
            "xn--a",
            "sthree-a",
            "amzn-s3-demo-a",
            "a-s3alias",
            "a--ol-s3",
            "a.mrap",
            "a--x-s3",
            "a--table-s3",
        ];
        for (const name of [
            "ab",
            "0".repeat(64),
            "-abc",
            "abc.",
            "a..b",
            "1.2.3.4",
            "Abc",
            "a_b",
            "a/b",
            ...reserved,
        ]) {
            assert.ok(!named(name), name);
        }
    });

    it("take a prefix that is a path, and no other", () => {
        const named = (prefix: string) => found({ route, coldStorage: { ...cold, prefix } }).length === 0;
        for (const prefix of ["a", "kof/eu-1/cold.v2", "a_b", "..a", "a".repeat(200)]) {
            assert.ok(named(prefix), prefix);
        }
        for (const prefix of ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a*", "a b", "a".repeat(201)]) {
            assert.ok(!named(prefix), prefix);
        }
    });

    it("move objects as S3 does, and not otherwise", () => {
        const classes = ["STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"];
        const moves = (one: string, other: string) =>
            found({
                route,
                coldStorage: {
                    ...cold,
                    lifecycle: [
                        { days: 30, storageClass: one },
                        { days: 120, storageClass: other },
                    ],
                },
            }).length === 0;
        const from = classes.map((one) => [one, classes.filter((other) => moves(one, other))]);
        // "Supported lifecycle transitions" in the Amazon S3 user guide, 2026-11.
        assert.deepEqual(Object.fromEntries(from), {
            STANDARD_IA: ["INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"],
            INTELLIGENT_TIERING: ["ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"],
            ONEZONE_IA: ["GLACIER", "DEEP_ARCHIVE"],
            GLACIER_IR: ["GLACIER", "DEEP_ARCHIVE"],
            GLACIER: ["DEEP_ARCHIVE"],
            DEEP_ARCHIVE: [],
        });
    });

    it("take a key of the region's own partition alone", () => {
        const wrong = { ...cold, kmsKeyArn: key("eu-west-1", "aws-cn") };
        assert.deepEqual(
            found({ route, coldStorage: wrong }).map((each) => each.key),
            ["kof:coldStorage.kmsKeyArn"],
        );
    });

    it("have a key pasted of the region that is meant beside it, in the account that was written", () => {
        const id = "1234abcd-12ab-34cd-56ef-1234567890ab";
        for (const [region, kmsKeyArn, expected] of [
            ["us-east-2", "x", "arn:aws:kms:us-east-2:123456789012:key/KEY"],
            ["ap-south-1", 5, "arn:aws:kms:ap-south-1:123456789012:key/KEY"],
            ["cn-north-1", null, "arn:aws-cn:kms:cn-north-1:123456789012:key/KEY"],
            ["us-gov-west-1", [id], "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/KEY"],
            ["eu-central-1", `210987654321 ${id}`, `arn:aws:kms:eu-central-1:210987654321:key/${id}`],
            [
                "eu-north-1",
                "arn:aws:kms:eu-north-1:210987654321:alias/kof",
                "arn:aws:kms:eu-north-1:210987654321:key/KEY",
            ],
            // The region is no region either, and has its own paste.
            ["us-east-9", "x", "arn:aws:kms:us-east-1:123456789012:key/KEY"],
        ] as const) {
            for (const raw of [
                { route, coldStorage: { ...cold, region, kmsKeyArn } },
                { route, auditArchive: { ...audit, region, kmsKeyArn, tags: 5 } },
                { route: "cloudwatch", cloudwatch: { region, kmsKeyArn } },
                // Where nothing of it has an effect.
                { route, cloudwatch: { region, kmsKeyArn } },
            ]) {
                const pasted = found(raw).find((each) => each.key.endsWith(".kmsKeyArn"))?.paste;
                const block = Object.keys(raw).find((each) => each !== "route") ?? "";
                assert.deepEqual(pasted, { [`kof:${block}`]: { kmsKeyArn: expected } }, JSON.stringify(raw));
            }
        }
    });

    it("take one existing bucket for both below prefixes of their own, and any region of another store", () => {
        const shared = { ...cold, createBucket: false };
        assert.equal(text({ route, coldStorage: shared, auditArchive: shared }), "");
        const other = { bucket: "kof", region: "fsn1", endpoint: "https://fsn1.example.net", existingSecret: "a" };
        assert.equal(text({ route, coldStorage: { ...other, keepBucket: true, createBucket: false } }), "");
    });

    it("are no rules for what a stack remembers", () => {
        for (const [what, raw] of mistakes.slice(6, -1)) {
            assert.deepEqual(checkSettings(raw, true).problems, [], what);
        }
    });
});
