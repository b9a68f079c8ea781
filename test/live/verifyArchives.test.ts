import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";

import { lastHour, signatureOf, verifyArchives } from "../../live/verifyArchives";
import type { Answer, Reply } from "../../tools/servers/standins";
import { routes, type Raw } from "../support";
import { ArchiveServers, goodBucket, page, refusal, s3, type BucketAnswers } from "./archiveServers";

const base = { ...routes.management, version: "1.10.0", clusterName: "abcd" };
const audit = { ...base, auditArchive: { bucket: "acme-kof-audit", region: "eu-west-1" } };
const cold = { ...base, coldStorage: { bucket: "acme-kof-cold", region: "eu-west-1", signals: ["logs"] } };

const hour = lastHour(new Date(), undefined);
const [day = "", time = ""] = hour.toISOString().split("T");
const auditFolder = `audit/platform-audit-log/PLATFORM/${day.replaceAll("-", "/")}/${time.slice(0, 2)}/`;
const coldFolder = `telemetry/tenant=default/cluster=abcd/dt=${day}/hour=${time.slice(0, 2)}/logs/`;

/** What the exporter writes of an hour. @param more what its manifest, which is signed as it is, says otherwise. */
function auditObjects(events = 3, more: object = {}): Record<string, string> {
    const data = "data";
    const manifest = JSON.stringify({
        data_file: { name: "data.jsonl.gz", sha256: createHash("sha256").update(data).digest("hex"), size_bytes: 4 },
        event_count: events,
        kms_key_id: "audit:abcd",
        signing_algorithm: "HMAC-SHA256",
        stream: "platform-audit-log",
        tenant: "PLATFORM",
        window_start: hour.toISOString(),
        ...more,
    });
    return {
        [`${auditFolder}data.jsonl.gz`]: data,
        [`${auditFolder}manifest.json`]: manifest,
        [`${auditFolder}manifest.json.sig`]: signatureOf(Buffer.from(manifest), "audit:abcd"),
    };
}
const coldObjects = { [`${coldFolder}logs.parquet`]: "PAR1xxPAR1", [`${coldFolder}_SUCCESS`]: "" };

const cronJob = {
    metadata: { name: "x", uid: "u", creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: { jobTemplate: { spec: { activeDeadlineSeconds: 3300, template: { spec: { containers: [] } } } } },
};
const done = { conditions: [{ type: "Complete", status: "True" }] };
const failed = { conditions: [{ type: "Failed", status: "True", reason: "BackoffLimitExceeded" }] };

/** A cluster that runs a Job to this end; every request that changes something is noted. */
function cluster(status: object, changes: string[] = [], created = cronJob.metadata.creationTimestamp): Answer {
    let made: object | undefined;
    return ({ method, url, body }): Reply => {
        const { pathname } = url;
        if (method !== "GET") {
            changes.push(`${method} ${pathname}`);
            made = method === "POST" ? (JSON.parse(body.toString()) as object) : undefined;
            return [method === "POST" ? 201 : 200, JSON.stringify(made ?? {})];
        }
        if (pathname.includes("/cronjobs/")) {
            return [200, JSON.stringify({ ...cronJob, metadata: { ...cronJob.metadata, creationTimestamp: created } })];
        }
        if (pathname.includes("/jobs/")) {
            return made ? [200, JSON.stringify({ ...made, status })] : [404, "{}"];
        }
        if (pathname.endsWith("/log")) {
            return [200, "starting\ndenied to AKIAABCDEFGHIJKLMNOP \u001b[2J"];
        }
        return [200, JSON.stringify({ items: pathname.endsWith("/pods") ? [{ metadata: { name: "p" } }] : [] })];
    };
}

async function verify(
    raw: Raw,
    objects: Record<string, string>,
    of = cluster(done),
    answers: BucketAnswers = goodBucket,
) {
    const servers = await ArchiveServers.start(s3(answers, objects), of);
    try {
        const stop = new AbortController().signal;
        const [result] = await servers.within(raw, (live) => verifyArchives(live, { timeout: 3000, stop }));
        return result!;
    } finally {
        await servers.stop();
    }
}

describe("verify of archives", () => {
    it("runs the exporter once, finds the hour, and removes the Job", async () => {
        const changes: string[] = [];
        const found = await verify(audit, auditObjects(), cluster(done, changes));
        assert.deepEqual(found.findings, []);
        assert.match(
            found.title,
            /^archive auditArchive: 3 audit logs of the hour .* not that nobody has changed both$/,
        );
        assert.equal(changes.length, 2);
        assert.match(changes[1]!, /^DELETE \/apis\/batch\/v1\/namespaces\/kof\/jobs\/audit-logs-exporter-verify-/);
        const ofCold = await verify(cold, coldObjects);
        assert.deepEqual(ofCold.findings, []);
        assert.match(ofCold.title, /1 whole Parquet file, each with its _SUCCESS$/);
    });

    it("finds what is missing, cut off or not what its manifest says", async () => {
        const without = (objects: Record<string, string>, name: string) =>
            Object.fromEntries(Object.entries(objects).filter(([key]) => !key.endsWith(name)));
        const all = auditObjects();
        const other = `${auditFolder}data.jsonl.gz`;
        const cases: readonly [Raw, Record<string, string>, RegExp][] = [
            [audit, {}, /^problem: nothing of audit logs of the hour/],
            [audit, without(all, ".sig"), /^problem: .* lacks manifest\.json\.sig/],
            [audit, { ...all, [other]: "date" }, /^problem: .*data\.jsonl\.gz has SHA-256/],
            [audit, { ...all, [`${auditFolder}manifest.json.sig`]: "x" }, /^problem: .* is not the signature of/],
            [
                { ...audit, clusterName: "efgh" },
                all,
                /^problem: .* signed as audit:abcd by HMAC-SHA256, not as audit:efgh/,
            ],
            [audit, auditObjects(0), /^warning: .* has no audit log in it/],
            // Signed as it should be, and of something else.
            [
                audit,
                auditObjects(3, { window_start: new Date(hour.getTime() - 3_600_000).toISOString() }),
                /^problem: .*manifest\.json is of \d{4}-/,
            ],
            [audit, auditObjects(3, { window_start: undefined }), /^problem: .*manifest\.json is of undefined/],
            [
                audit,
                auditObjects(3, { tenant: "acme" }),
                /^problem: .*manifest\.json is of tenant acme in platform-audit-log/,
            ],
            [
                audit,
                auditObjects(3, { stream: "tenant-audit-log" }),
                /^problem: .* is of tenant PLATFORM in tenant-audit-log/,
            ],
            [
                audit,
                auditObjects(3, { data_file: { name: "other.gz", sha256: "x", size_bytes: 4 } }),
                /^problem: .*manifest\.json is of a file other\.gz/,
            ],
            [audit, auditObjects(3, { data_file: "x" }), /^problem: .*manifest\.json is no manifest/],
            [
                { ...cold, clusterName: "efgh" },
                coldObjects,
                /^warning: what is archived of the hour .* is of cluster abcd, and none of it of efgh/,
            ],
            [cold, {}, /^problem: nothing of logs of the hour/],
            [cold, without(coldObjects, "_SUCCESS"), /^problem: .* is there without _SUCCESS/],
            [
                cold,
                { ...coldObjects, [`${coldFolder}logs.parquet`]: "PAR1xx" },
                /^problem: .* is no whole Parquet file/,
            ],
        ];
        for (const [raw, objects, expected] of cases) {
            const { findings } = await verify(raw, objects);
            const texts = findings.map(({ severity, what }) => `${severity}: ${what}`);
            assert.equal(texts.length, 1, texts.join("\n"));
            assert.match(texts[0]!, expected);
        }
        // Of a stack that is younger than the hour only what is there, and wrong, is a problem.
        const young = cluster(done, [], new Date().toISOString());
        for (const [objects, severity] of [
            [{}, "unknown"],
            [without(coldObjects, "_SUCCESS"), "problem"],
        ] as const) {
            const { findings } = await verify(cold, objects, young);
            assert.deepEqual(
                findings.map((each) => each.severity),
                [severity],
            );
        }
    });

    it("shows the last lines of an exporter that failed, and removes its Job", async () => {
        const changes: string[] = [];
        const { findings } = await verify(audit, auditObjects(), cluster(failed, changes));
        assert.match(
            findings[0]!.what,
            /^the exporter failed: BackoffLimitExceeded\. Its last lines:\nstarting\ndenied to AKIA… /,
        );
        assert.equal(changes.length, 2);
    });

    it("stops a run that takes too long, unless Object Lock protects what it has begun to write", async () => {
        const methods = async (raw: Raw) => {
            const changes: string[] = [];
            const { findings } = await verify(raw, {}, cluster({ active: 1 }, changes));
            assert.match(findings[0]!.what, /^the exporter did not come to its end in 3 s$/);
            return changes.map((each) => each.split(" ")[0]);
        };
        const objectLock = { mode: "COMPLIANCE", days: 30 };
        assert.deepEqual(await methods(audit), ["POST", "DELETE"]);
        assert.deepEqual(await methods({ ...base, auditArchive: { ...audit.auditArchive, objectLock } }), ["POST"]);
    });

    it("never takes what is no answer of S3 for one", async () => {
        for (const list of [page, refusal(403, "AccessDenied")]) {
            const { findings } = await verify(audit, auditObjects(), cluster(done), { ...goodBucket, list });
            assert.deepEqual(
                findings.map(({ severity }) => severity),
                ["unknown"],
            );
        }
    });

    it("looks at what each region has archived by itself, and runs nothing there", async () => {
        // A run of this hour may not have come to its end yet.
        const regionHour = lastHour(new Date(Date.now() - 15 * 60_000), undefined).toISOString();
        const [date = "", at = ""] = regionHour.split("T");
        const folder = (region: string) =>
            `telemetry/regions/kcm-system/${region}/tenant=default/cluster=${region}/dt=${date}/hour=${at.slice(0, 2)}/logs/`;
        const objects = { [`${folder("eu-1")}logs.parquet`]: "PAR1xxPAR1", [`${folder("eu-1")}_SUCCESS`]: "" };
        const label = (name: string) => `k0rdent.mirantis.com/${name}`;
        const region = (name: string) => ({
            metadata: {
                ...{ name, namespace: "kcm-system", creationTimestamp: "2026-01-01T00:00:00Z" },
                labels: { [label("kof-cluster-role")]: "regional", [label("kof-cluster-name")]: name },
            },
        });
        const of =
            (created: string | undefined, ...names: string[]): Answer =>
            (request) => {
                const { pathname } = request.url;
                if (pathname.endsWith("/clusterdeployments")) {
                    return [200, JSON.stringify({ items: names.map(region) })];
                }
                return pathname.includes("/multiclusterservices/")
                    ? created === undefined
                        ? [404, "{}"]
                        : [200, JSON.stringify({ metadata: { creationTimestamp: created } })]
                    : cluster(done)(request);
            };
        const found = async (regions: unknown, kcm: Answer) => {
            const raw = { ...base, coldStorage: { ...cold.coldStorage, regions } as Raw };
            const servers = await ArchiveServers.start(s3(goodBucket, objects), kcm);
            try {
                const stop = new AbortController().signal;
                const results = await servers.within(raw, (live) => verifyArchives(live, { timeout: 3000, stop }));
                return results
                    .slice(1)
                    .map(({ title, findings }) => [
                        title.replace(/^archive coldStorage of /, ""),
                        ...findings.map(({ severity, what, fix }) => `${severity}: ${what} (${fix})`),
                    ]);
            } finally {
                await servers.stop();
            }
        };
        const old = "2026-01-01T00:00:00Z";
        const hourText = `${regionHour.slice(0, 16)}Z`;
        const there = `region kcm-system/eu-1: logs of the hour ${hourText} are in s3://acme-kof-cold/telemetry/regions/kcm-system/eu-1: 1 whole Parquet file, each with its _SUCCESS`;
        const lacks = `nothing of logs of the hour ${hourText} is in s3://acme-kof-cold/telemetry/regions/kcm-system/eu-2 (kubectl --context eu-2 get cronjobs,jobs,pods -n kof)`;
        assert.deepEqual(await found("all", of(old, "eu-1", "eu-2")), [
            [there],
            ["region kcm-system/eu-2", `problem: ${lacks}`],
        ]);
        assert.deepEqual(await found("all", of(new Date().toISOString(), "eu-2")), [
            ["region kcm-system/eu-2", `unknown: ${lacks}`],
        ]);
        assert.deepEqual(await found(["eu-1", "eu-3"], of(old, "eu-1", "eu-2")), [
            ["region eu-3", "problem: KCM selects no regional cluster eu-3 (npm run doctor)"],
            [there],
        ]);
        assert.deepEqual(await found("all", of(old)), [["regions: there is no regional cluster yet"]]);
        assert.deepEqual(await found("all", of(undefined)), [
            ["regions", "problem: there is no MultiClusterService kof-cold-storage-exporter (pulumi up)"],
        ]);
        const [[, refused]] = (await found("all", (request) =>
            request.url.pathname.includes("/multiclusterservices/") ? [403, "{}"] : of(old)(request),
        )) as [string[]];
        assert.match(refused!, /^unknown: could not check: GET .*HTTP 403/);
    });

    it("says what may be listed and not read, and how to try that", async () => {
        const said = "User me is not authorized to perform: kms:Decrypt on this resource";
        const denied: Reply = [
            403,
            `<Error><Code>AccessDenied</Code><Message>${said}</Message></Error>`,
            { "x-amz-request-id": "1" },
        ];
        for (const [raw, objects, key] of [
            [audit, auditObjects(), `${auditFolder}manifest.json`],
            [audit, auditObjects(), `${auditFolder}data.jsonl.gz`],
            [cold, coldObjects, `${coldFolder}logs.parquet`],
        ] as const) {
            const { findings } = await verify(raw, objects, cluster(done), { ...goodBucket, [key]: denied });
            assert.deepEqual(
                findings.map(({ severity, fix }) => [severity, fix]),
                [
                    [
                        "unknown",
                        `aws s3 cp --region eu-west-1 s3://${raw === audit ? "acme-kof-audit" : "acme-kof-cold"}/${key} -`,
                    ],
                ],
            );
            assert.ok(findings[0]?.what.includes(`GetObject of ${key}: HTTP 403 AccessDenied: ${said}`));
        }
    });

    it("removes its Job on Ctrl-C", async () => {
        const changes: string[] = [];
        const servers = await ArchiveServers.start(s3(goodBucket), cluster({ active: 1 }, changes));
        try {
            const args = ["-r", "./cli/register.js", "cli/verify.ts", "--config", servers.stackFile(audit)];
            const child = spawn(process.execPath, args, { env: { ...process.env, ...servers.env }, stdio: "ignore" });
            const ended = new Promise((resolve) => child.once("close", resolve));
            while (changes.length === 0 && child.exitCode === null) {
                await new Promise((resolve) => setTimeout(resolve, 50));
            }
            child.kill("SIGINT");
            assert.equal(await ended, 130);
            assert.deepEqual(
                changes.map((each) => each.split(" ")[0]),
                ["POST", "DELETE"],
            );
        } finally {
            await servers.stop();
        }
    }).timeout(60_000);
});
