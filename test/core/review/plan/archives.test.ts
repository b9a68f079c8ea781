import assert from "node:assert/strict";

import { planOf, refused, verdictOf, type Plan } from "../../../../core/review/plan";
import { planData } from "../../../../core/review/plan/data";
import { leftoversOf, leftoversUntil } from "../../../../core/review/plan/leftovers";
import { planText } from "../../../../core/review/plan/text";
import { deploymentOf } from "../../../../core/routes";
import { parseSettings } from "../../../../core/routes/parse";
import { deploymentFor, routes, type Raw } from "../../../support";

const cold = { bucket: "acme-kof-cold", region: "eu-west-1" };
const audit = { bucket: "acme-kof-audit", region: "eu-west-1", objectLock: { mode: "COMPLIANCE", days: 365 } };
const both = { coldStorage: cold, auditArchive: audit };

function plan(before: Raw, after: Raw): Plan {
    const [from, to] = [before, after].map((raw) => deploymentFor({ ...routes.management, version: "1.10.0", ...raw }));
    return planOf(from!, to!);
}

const said = ({ consequences }: Plan) =>
    consequences.map(({ severity, key, message }) => `${severity} ${key} ${message}`);
const fates = ({ archives }: Plan) => archives.map(({ place, operation }) => `${place} ${operation}`);

describe("a plan for archives", () => {
    it("says what a new one begins with, and what nobody can delete from then on", () => {
        const found = plan({}, both);
        assert.deepEqual(said(found), [
            "notice kof:coldStorage begins with the last 24 hours of what is stored: metrics, logs, traces. What is older is not archived",
            "notice kof:auditArchive begins with the last 24 hours of what is stored: audit logs. What is older is not archived",
            "notice kof:auditArchive.objectLock keeps every object in bucket acme-kof-audit from being deleted for 365 days from its upload, " +
                "by anybody: nor can the bucket be emptied before. Destroying the stack does not change that",
        ]);
        assert.deepEqual(fates(found), [
            "s3://acme-kof-cold/telemetry/ in eu-west-1 created",
            "s3://acme-kof-audit/audit/ in eu-west-1 created",
        ]);
        assert.match(planText(found), /^- kof:coldStorage \(metrics, logs, traces\) in s3:\S+ in eu-west-1: created$/m);
        assert.match(planText(found), /^- access key 1 of IAM user audit-logs-exporter: made$/m);
        assert.deepEqual(leftoversOf(found), []);
        assert.deepEqual((planData(found) as { archives: unknown[] }).archives[1], {
            kind: "auditArchive",
            place: "s3://acme-kof-audit/audit/ in eu-west-1",
            operation: "created",
            signals: ["audit"],
        });
    });

    it("says what stays where one goes, and how to remove what nobody needs", () => {
        const found = plan(both, {});
        assert.equal(verdictOf(found), "safe");
        assert.deepEqual(said(found), [
            "notice kof:coldStorage is gone: metrics, logs, traces are no longer archived. What is in s3://acme-kof-cold/telemetry/ in eu-west-1 stays there; " +
                "what came in since the last full hour stays in its store alone (metrics for 30d, logs for 7d, traces for 7d)",
            "notice kof:auditArchive is gone: audit logs are no longer archived. What is in s3://acme-kof-audit/audit/ in eu-west-1 stays there; " +
                "what came in since the last full hour stays in its store alone (audit logs for 1y)",
        ]);
        const left = leftoversOf(found);
        assert.deepEqual(
            left.map(({ what }) => what),
            [
                "bucket acme-kof-cold in eu-west-1",
                "bucket acme-kof-audit in eu-west-1, whose objects are locked for 365 days from their upload (COMPLIANCE)",
            ],
        );
        assert.match(
            left[0]!.remove,
            /^aws s3api put-bucket-lifecycle-configuration --region eu-west-1 --bucket acme-kof-cold /,
        );
        assert.match(
            left[0]!.remove,
            /; # days later, once it is empty: aws s3api delete-bucket --region eu-west-1 --bucket acme-kof-cold$/,
        );
        const rules = /--lifecycle-configuration '(.*)'; /.exec(left[0]!.remove)?.[1] ?? "";
        assert.deepEqual(
            (JSON.parse(rules) as { Rules: { Status: string }[] }).Rules.map(({ Status }) => Status),
            ["Enabled", "Enabled"],
        );
        const remembered = Object.fromEntries(left.map(({ what, remove }) => [what, remove]));
        assert.deepEqual(leftoversUntil(found.from, undefined, remembered), []);
        assert.deepEqual(leftoversUntil(found.to, undefined, remembered), left);
        // A bucket whose name begins alike is another one.
        const other = deploymentFor({ ...routes.management, coldStorage: { ...cold, region: "eu-west-2" } });
        assert.deepEqual(leftoversUntil(other, undefined, remembered), left);
    });

    it("says where hours are that were not archived yet, when their store goes as well", () => {
        const found = said(plan(both, { route: "none", coldStorage: cold }));
        assert.ok(
            found.some((each) =>
                /^notice kof:coldStorage\.signals no longer has logs and traces\..* was in its store alone, which this cluster no longer has$/.test(
                    each,
                ),
            ),
        );
        assert.ok(
            found.some((each) =>
                /^notice kof:auditArchive is gone: .* was in its store alone, which this cluster no longer has$/.test(
                    each,
                ),
            ),
        );
        const all = said(plan(both, { route: "none" }));
        assert.ok(
            all.some((each) =>
                each.endsWith(
                    "stays in its store alone (metrics for 30d), but this cluster no longer has a store of logs and traces",
                ),
            ),
        );
    });

    it("does not say that what is in a bucket stays which it deletes", () => {
        const found = plan({ coldStorage: { ...cold, keepBucket: false } }, {});
        assert.deepEqual(said(found).slice(1), [
            "notice kof:coldStorage is gone: metrics, logs, traces are no longer archived. What came in since the last full hour stays in " +
                "its store alone (metrics for 30d, logs for 7d, traces for 7d)",
        ]);
    });

    it("says by what the signatures are checked that an archive has under another name of the cluster", () => {
        const found = said(plan(both, { ...both, clusterName: "other" }));
        assert.ok(
            found.includes(
                "notice kof:clusterName has the manifests of kof:auditArchive signed with audit:other from now on. The signatures of those " +
                    "that are there are checked with audit:mothership",
            ),
        );
        assert.ok(!said(plan(both, both)).some((each) => each.includes("signed with")));
    });

    it("refuses to delete a bucket that is not empty, unless that is acknowledged", () => {
        const gone = plan({ coldStorage: { ...cold, keepBucket: false } }, {});
        assert.deepEqual(fates(gone), ["s3://acme-kof-cold/telemetry/ in eu-west-1 deleted"]);
        assert.deepEqual(leftoversOf(gone), []);
        const [first] = refused(gone);
        assert.deepEqual(
            [first?.severity, first?.key, first?.acknowledge],
            ["impossible", "kof:coldStorage.keepBucket", "delete bucket acme-kof-cold"],
        );
        const permitted = plan(
            { coldStorage: { ...cold, keepBucket: false } },
            { acknowledge: "delete bucket acme-kof-cold" },
        );
        assert.deepEqual(refused(permitted), []);
        // The bucket stays the stack's where only the prefix is another one.
        assert.deepEqual(
            refused(plan({ coldStorage: { ...cold, keepBucket: false } }, { coldStorage: { ...cold, prefix: "b" } })),
            [],
        );
        // One that somebody else made nobody deletes, whatever a stack remembers.
        const theirs = { ...routes.management, coldStorage: { ...cold, createBucket: false, keepBucket: false } };
        const from = deploymentOf(parseSettings(theirs, "outputs", true));
        assert.deepEqual(refused(planOf(from, deploymentFor(routes.management!))), []);
    });

    it("says of another place that the old one stays, and never how to remove a bucket that is in use", () => {
        const prefix = plan(both, { ...both, coldStorage: { ...cold, prefix: "kof/x" } });
        assert.deepEqual(said(prefix), [
            "notice kof:coldStorage.prefix leads to s3://acme-kof-cold/kof/x/ in eu-west-1, which begins with the last 24 hours once more. " +
                "What is archived so far stays in s3://acme-kof-cold/telemetry/ in eu-west-1",
        ]);
        assert.deepEqual(leftoversOf(prefix), [
            {
                what: "s3://acme-kof-cold/telemetry/ in eu-west-1",
                remove: "aws s3api list-object-versions --region eu-west-1 --bucket acme-kof-cold --prefix telemetry/ --max-items 1000 --output json --query '{Objects: [Versions, DeleteMarkers][].{Key: Key, VersionId: VersionId}}' > versions.json && aws s3api delete-objects --region eu-west-1 --bucket acme-kof-cold --delete file://versions.json   # again, until it lists none",
            },
        ]);
        // Also where objects are locked, a place that is written to again is not left behind.
        const locked = plan(both, { ...both, auditArchive: { ...audit, prefix: "kof/y" } });
        const remembered = Object.fromEntries(leftoversOf(locked).map(({ what, remove }) => [what, remove]));
        assert.equal(leftoversUntil(locked.to, undefined, remembered).length, 1);
        assert.deepEqual(leftoversUntil(locked.from, undefined, remembered), []);
        const bucket = plan(both, { ...both, auditArchive: { ...audit, bucket: "acme-other" } });
        assert.equal(said(bucket).length, 2);
        assert.match(
            said(bucket)[0]!,
            /^notice kof:auditArchive\.bucket leads to s3:\/\/acme-other\/audit\/ in eu-west-1/,
        );
        assert.match(said(bucket)[1]!, /^notice kof:auditArchive\.objectLock keeps every object in bucket acme-other /);
        const region = plan(both, { ...both, coldStorage: { ...cold, region: "eu-central-1" } });
        assert.deepEqual(
            region.consequences.map(({ severity, key, paste }) => [severity, key, paste]),
            [["impossible", "kof:coldStorage.region", { "kof:coldStorage": { bucket: "acme-kof-cold-eu-central-1" } }]],
        );
        const minio = { bucket: "kof", endpoint: "https://minio.example.net", existingSecret: "minio" };
        assert.deepEqual(leftoversOf(plan({ coldStorage: minio }, {})), [
            {
                what: "s3://kof/telemetry/ at https://minio.example.net",
                remove: "aws s3api list-object-versions --endpoint-url https://minio.example.net --bucket kof --prefix telemetry/ --max-items 1000 --output json --query '{Objects: [Versions, DeleteMarkers][].{Key: Key, VersionId: VersionId}}' > versions.json && aws s3api delete-objects --endpoint-url https://minio.example.net --bucket kof --delete file://versions.json   # again, until it lists none",
            },
        ]);
    });

    it("says until when nobody can delete, and refuses a lock that no bucket can get or lose", () => {
        const locked = (objectLock: object | undefined) => ({ auditArchive: { ...audit, objectLock } });
        const added = plan(locked(undefined), locked(audit.objectLock));
        assert.deepEqual(
            added.consequences.map(({ severity, paste }) => [severity, paste]),
            [["impossible", { "kof:auditArchive": { bucket: "acme-kof-audit-locked" } }]],
        );
        const removed = plan(locked(audit.objectLock), locked(undefined));
        assert.deepEqual(
            removed.consequences.map(({ severity, paste }) => [severity, paste]),
            [["impossible", { "kof:auditArchive": { objectLock: audit.objectLock } }]],
        );
        assert.deepEqual(said(plan(locked(audit.objectLock), locked({ mode: "GOVERNANCE", days: 7 }))), [
            "notice kof:auditArchive.objectLock is GOVERNANCE for 7 days from now on, for objects that are new in bucket acme-kof-audit: " +
                "those of before stay locked for 365 days from their upload (COMPLIANCE)",
        ]);
        assert.deepEqual(said(plan(both, both)), []);
    });

    it("says what a change of a bucket that stays does to what is in it", () => {
        const kmsKeyArn = "arn:aws:kms:eu-west-1:123456789012:key/abc";
        const lifecycle = [{ days: 90, storageClass: "GLACIER_IR" }];
        assert.deepEqual(said(plan({ coldStorage: cold }, { coldStorage: { ...cold, kmsKeyArn, lifecycle } })), [
            `notice kof:coldStorage.kmsKeyArn encrypts new objects of bucket acme-kof-cold with ${kmsKeyArn}. Those that are there stay as they are`,
            "notice kof:coldStorage.lifecycle is another one, for what is in bucket acme-kof-cold as well: what moves to a colder class never moves back",
        ]);
        assert.match(
            said(plan({ coldStorage: { ...cold, kmsKeyArn } }, { coldStorage: cold })).join(),
            /with S3's own keys\. .* and cannot be read without arn:aws:kms:eu-west-1:123456789012:key\/abc$/,
        );
    });

    it("says that a bucket is let go, and taken back", () => {
        const theirs = { ...cold, createBucket: false };
        const lifecycle = [{ days: 90, storageClass: "GLACIER_IR" }];
        const gone = plan({ coldStorage: { ...cold, lifecycle } }, { coldStorage: theirs });
        assert.deepEqual(said(gone), [
            "notice kof:coldStorage.createBucket has the stack let bucket acme-kof-cold go. It stays with what is in it, as it is set up (private, encrypted, " +
                "versioned, its lifecycle), and from then on nobody sets that right but you. createBucket: true takes it back",
        ]);
        assert.deepEqual(fates(gone), ["s3://acme-kof-cold/telemetry/ in eu-west-1 kept"]);
        const back = plan({ coldStorage: theirs }, { coldStorage: cold });
        assert.deepEqual([refused(back), said(back).length], [[], 1]);
        assert.match(
            said(back).join(),
            /^notice kof:coldStorage\.createBucket takes bucket acme-kof-cold back, if this stack made it once/,
        );
        // One that is not to be kept would be deleted.
        const deleted = plan({ coldStorage: { ...cold, keepBucket: false } }, { coldStorage: theirs });
        assert.deepEqual(
            deleted.consequences.map(({ severity, key }) => [severity, key]),
            [["impossible", "kof:coldStorage.keepBucket"]],
        );
        assert.deepEqual(said(plan({ coldStorage: theirs }, { coldStorage: theirs })), []);
    });

    it("says what regions alone archive", () => {
        const regions = { ...audit, regions: "all" };
        const on = (raw: Raw) => deploymentFor({ ...routes.regional, version: "1.10.0", ...raw });
        const begun = planOf(on({}), on({ auditArchive: regions }));
        assert.deepEqual(
            begun.consequences.map(({ key }) => key),
            ["kof:auditArchive.objectLock", "kof:auditArchive.regions"],
        );
        assert.match(
            planText(begun),
            /^- kof:auditArchive \(of every regional cluster alone\) in s3:\S+ in eu-west-1: created$/m,
        );
        assert.deepEqual(said(planOf(on({ auditArchive: regions }), on({}))).slice(0, 1), [
            "notice kof:auditArchive is gone. What is in s3://acme-kof-audit/audit/ in eu-west-1 stays there",
        ]);
    });

    it("refuses one Secret that the program and somebody else make, whichever comes first", () => {
        const name = "cold-storage-exporter-s3-credentials";
        const own = { coldStorage: cold };
        for (const [more, key, paste] of [
            [{ existingSecret: name }, "existingSecret", { existingSecret: "s3-credentials" }],
            [
                { credentials: { kind: "existingSecret", name } },
                "credentials.name",
                { credentials: { kind: "existingSecret", name: "s3-credentials" } },
            ],
        ] as const) {
            const theirs = { coldStorage: { ...cold, ...more } };
            const found = plan(own, theirs).consequences.map((each) => [each.severity, each.key, each.paste]);
            assert.deepEqual(found, [["impossible", `kof:coldStorage.${key}`, { "kof:coldStorage": paste }]]);
            const back = plan(theirs, own).consequences.map((each) => [each.severity, each.key, each.acknowledge]);
            assert.deepEqual(back, [["impossible", "kof:coldStorage.credentials", `Secret ${name}`]]);
            assert.deepEqual(
                said(plan(theirs, { ...own, adopt: true })).filter((each) => each.includes("Secret")),
                [],
            );
        }
        assert.deepEqual(said(plan(own, { coldStorage: { ...cold, existingSecret: "mine" } })), []);
        assert.deepEqual(said(plan(own, own)), []);
    });

    it("refuses more keys at once than AWS allows, for each user by itself", () => {
        const keys = (...generations: string[]) => ({ ...cold, credentials: { kind: "accessKey", generations } });
        const found = plan({ coldStorage: keys("1", "2") }, { coldStorage: keys("2", "3") });
        assert.deepEqual(
            found.consequences.map(({ severity, key, paste }) => [severity, key, paste]),
            [
                [
                    "impossible",
                    "kof:coldStorage.credentials.generations",
                    { "kof:coldStorage": { credentials: { kind: "accessKey", generations: ["2"] } } },
                ],
            ],
        );
        assert.deepEqual(said(plan({ coldStorage: keys("1") }, { coldStorage: keys("1", "2") })), []);
    });

    it("shows the keys of a rotation, and that one without an overlap fails a run that has begun", () => {
        const keys = (generations: string[], more: Raw = {}) => ({
            coldStorage: { ...cold, ...more, credentials: { kind: "accessKey", generations } },
        });
        const shown = (found: Plan) => found.credentials.map(({ operation, what }) => `${operation} ${what}`);
        const begun = plan(keys(["1"]), keys(["1", "2"]));
        const key = (generation: string) => `access key ${generation} of IAM user cold-storage-exporter`;
        assert.deepEqual(shown(begun), [`kept ${key("1")}`, `made ${key("2")}`]);
        const ended = plan(keys(["1", "2"]), keys(["2"]));
        assert.deepEqual([shown(ended), said(ended)], [[`kept ${key("2")}`, `revoked ${key("1")}`], []]);
        const once = plan(keys(["1"]), keys(["2"]));
        const gone =
            "notice kof:coldStorage.credentials.generations leaves no overlap: access key 1, which cold-storage-exporter uses, is deleted in the same " +
            "deployment that has it use 2. A run that has begun fails with the old one, and the next one does what it left out";
        assert.deepEqual(said(once), [gone]);
        assert.deepEqual(
            once.consequences.map(({ paste }) => paste),
            [{ "kof:coldStorage": { credentials: { kind: "accessKey", generations: ["1", "2"] } } }],
        );
        const regional = plan(keys(["1"], { regions: "all" }), keys(["2"], { regions: "all" }));
        assert.equal(said(regional).at(-1), gone);
    });

    it("says of regions what begins and ends there, and that it is not seen from here", () => {
        const regions = { ...cold, regions: "all" };
        assert.deepEqual(said(plan({ coldStorage: cold }, { coldStorage: regions })), [
            "notice kof:coldStorage.regions has cold-storage-exporter installed on every regional cluster, which begins with the last 24 hours of what each stores: metrics, logs, traces",
        ]);
        assert.deepEqual(said(plan({ coldStorage: regions }, { coldStorage: cold })), [
            "notice kof:coldStorage.regions is gone: cold-storage-exporter is taken off every regional cluster. What is in s3://acme-kof-cold/telemetry/regions/ in eu-west-1 stays there; what came in since the last full hour stays in the stores of the regions alone",
        ]);
        const away = { coldStorage: { ...regions, keepBucket: false } };
        assert.match(
            said(plan(away, {})).at(-1)!,
            /kof:coldStorage\.regions is gone: cold-storage-exporter is taken off every regional cluster\. What came in since/,
        );
        const keys = ({ consequences }: Plan) => consequences.map(({ key }) => key);
        assert.deepEqual(keys(plan({}, { coldStorage: regions })), ["kof:coldStorage", "kof:coldStorage.regions"]);
        assert.deepEqual(keys(plan({ coldStorage: regions }, {})), ["kof:coldStorage", "kof:coldStorage.regions"]);
        assert.deepEqual(keys(plan({ coldStorage: regions }, { coldStorage: regions })), []);
    });

    it("says that a region may still have a key that is revoked, and shows which regions an archive is of", () => {
        const keys = (...generations: string[]) => ({
            coldStorage: { ...cold, regions: ["eu-1"], credentials: { kind: "accessKey", generations } },
        });
        assert.deepEqual(said(plan(keys("1"), keys("1", "2"))), []);
        assert.deepEqual(said(plan(keys("1", "2"), keys("2"))), [
            "notice kof:coldStorage.credentials revokes access key 1, which KOF has copied to regional cluster eu-1. A region to which KOF has not brought a newer one archives nothing from then on, and catches up with 24 hours at most: look there first, kubectl --context REGION get secret -n kof cold-storage-exporter-s3-credentials -o yaml",
        ]);
        const { regions: _, ...alone } = keys("1", "2").coldStorage;
        assert.deepEqual(
            said(
                plan(
                    { coldStorage: alone },
                    { coldStorage: { ...alone, credentials: keys("2").coldStorage.credentials } },
                ),
            ),
            [],
        );
        const same = plan(keys("1"), keys("1"));
        assert.match(
            planText(same),
            /^- kof:coldStorage \(metrics, logs, traces, and of regional cluster eu-1\) in \S+ in eu-west-1: kept$/m,
        );
        assert.deepEqual((planData(same) as { archives: { regions: unknown }[] }).archives[0]!.regions, ["eu-1"]);
    });

    it("says which regions an archive is taken from, and which ones it gets", () => {
        const of = (...regions: string[]) => ({ coldStorage: { ...cold, regions } });
        const all = { coldStorage: { ...cold, regions: "all" } };
        const begins = "which begins with the last 24 hours of what each stores: metrics, logs, traces";
        const stays =
            "What is in s3://acme-kof-cold/telemetry/regions/ in eu-west-1 stays there; what came in since the last full hour stays in the stores of the regions alone";
        const cases: readonly (readonly [from: Raw, to: Raw, ...expected: string[]])[] = [
            [
                { coldStorage: cold },
                of("eu-1"),
                `has cold-storage-exporter installed on regional cluster eu-1, ${begins}`,
            ],
            [
                of("eu-1"),
                { coldStorage: cold },
                `is gone: cold-storage-exporter is taken off regional cluster eu-1. ${stays}`,
            ],
            [
                all,
                of("eu-1", "eu-2"),
                `is another selection: cold-storage-exporter is taken off every regional cluster but eu-1 and eu-2. ${stays}`,
            ],
            [
                of("eu-1"),
                all,
                `has cold-storage-exporter installed on every regional cluster but eu-1 as well, ${begins}`,
            ],
            [
                of("eu-1", "eu-2", "eu-3"),
                of("eu-4", "eu-3"),
                `is another selection: cold-storage-exporter is taken off regional clusters eu-1 and eu-2. ${stays}`,
                `has cold-storage-exporter installed on regional cluster eu-4 as well, ${begins}`,
            ],
            [of("eu-1", "eu-2"), of("eu-2", "eu-1")],
        ];
        for (const [from, to, ...expected] of cases) {
            assert.deepEqual(
                said(plan(from, to)),
                expected.map((each) => `notice kof:coldStorage.regions ${each}`),
            );
        }
        const signals = (...names: string[]) => ({ coldStorage: { ...cold, regions: ["eu-1"], signals: names } });
        assert.ok(
            said(plan(signals("logs", "traces"), signals("logs", "metrics"))).includes(
                "notice kof:coldStorage.regions no longer has traces of regional clusters. What is archived stays; what came in since the last full hour stays in their stores alone, where they still have one",
            ),
        );
        assert.ok(
            said(plan(signals("logs"), signals("logs", "metrics"))).includes(
                "notice kof:coldStorage.regions has metrics of regional clusters as well, beginning with the last 24 hours",
            ),
        );
        assert.match(
            said(plan(of("eu-1"), { ...routes.regionless, coldStorage: cold })).join("\n"),
            /taken off regional cluster eu-1\. .* was in the stores of the regions alone, from which this deployment takes KOF$/m,
        );
    });
});
