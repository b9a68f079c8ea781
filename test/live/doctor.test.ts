import assert from "node:assert/strict";
import { createServer } from "node:http";

import { exporterCounters, exportFindings, parseMetrics } from "../../live/collectors";
import { findingList, runCheck, worstOf, type Finding, type Live } from "../../live/findings";
import { CouldNotCheck } from "../../core/lib/errors";
import { NoAnswer } from "../../live/kubernetes";
import { neededSecrets, prerequisites } from "../../live/prerequisites";
import { artifactsOf, headArtifact, lookAt } from "../../live/registries";
import { principalOf } from "../../live/rights";
import { resultText, summaryText } from "../../live/report";
import type { PersistentVolumeClaim } from "../../live/objects";
import { compareClaims, regionalClaims, storage } from "../../live/storage";
import { planOf, verdictOf } from "../../core/review/plan";
import { claimNames, claimTemplateOf, volumesOf } from "../../core/routes/volumes";
import { deploymentFor, routes, type Raw } from "../support";

const finding = (severity: Finding["severity"]): Finding => ({ severity, what: "what", why: "why", fix: "fix" });

describe("what doctor finds", () => {
    it("is as bad as its worst finding, and warnings are no failure", () => {
        const of = (...severities: Finding["severity"][]) =>
            worstOf([{ title: "a", findings: severities.map(finding) }]);
        assert.deepEqual(
            [of(), of("warning"), of("warning", "unknown"), of("unknown", "problem")],
            ["ok", "ok", "unknown", "problem"],
        );
    });

    it("reports what it could not check, and does not hide its own bugs", async () => {
        const check = (error: Error) => runCheck({ title: "a", look: () => Promise.reject(error) }, {} as Live);
        for (const [error, fix] of [
            [new CouldNotCheck("GET /x: forbidden"), "kubectl auth can-i --list -n kof"],
            [new NoAnswer("GET /x: forbidden"), "kubectl cluster-info"],
            [new CouldNotCheck("GET /x: forbidden", "aws sts get-caller-identity"), "aws sts get-caller-identity"],
        ] as const) {
            const { findings } = await check(error);
            assert.deepEqual(
                findings.map(({ severity, what, fix: shows }) => [severity, what, shows]),
                [["unknown", "could not check: GET /x: forbidden", fix]],
            );
        }
        await assert.rejects(check(new TypeError("x")), TypeError);
    });

    it("is one line where nothing is wrong, else with why and fix, however many lines the cluster says", () => {
        assert.equal(resultText({ title: "Flux", findings: [] }), "  ok        Flux");
        const text = resultText({ title: "Flux", findings: [{ ...finding("problem"), what: "one\ntwo" }] });
        assert.deepEqual(text.split("\n"), [
            "  problem   Flux: one",
            "            two",
            "            Why: why",
            "            Fix: fix",
        ]);
        assert.equal(
            summaryText([
                { title: "a", findings: [] },
                { title: "b", findings: [finding("problem"), finding("unknown")] },
            ]),
            "1 of 2 checks found nothing, 1 problem, 0 warnings, 1 could not be checked",
        );
    });
});

describe("a collector's own metrics", () => {
    it("are counted per exporter and signal, under the old names and the new ones", () => {
        const samples = parseMetrics(
            [
                "# HELP otelcol_exporter_sent_log_records Number",
                'otelcol_exporter_sent_log_records{exporter="otlphttp/logs",a="x\\"y,z"} 5',
                'otelcol_exporter_send_failed_log_records_total{exporter="otlphttp/logs"} 2',
                'otelcol_exporter_send_failed_log_records_total{exporter="otlphttp/logs",b="2"} 1e1',
                'otelcol_exporter_queue_size{exporter="otlphttp/logs"} 90',
                'otelcol_exporter_queue_capacity{exporter="otlphttp/logs"} 100',
                'otelcol_exporter_sent_metric_points_total{exporter="prometheusremotewrite"} 7',
                "otelcol_process_uptime 3",
            ].join("\n"),
        );
        assert.deepEqual(exporterCounters(samples), [
            { exporter: "otlphttp/logs", signal: "logs", sent: 5, failed: 12, refused: 0, queue: 0.9 },
            { exporter: "prometheusremotewrite", signal: "metrics", sent: 7, failed: 0, refused: 0, queue: undefined },
        ]);
    });

    it("do not count attempts as losses where a queue is in front of a destination's remote write", () => {
        const failed = (exporter: string) =>
            `otelcol_exporter_send_failed_metric_points_total{exporter="${exporter}"} 3`;
        const names = ["otlphttp/mimir-queue", "prometheusremotewrite", "prometheusremotewrite/mimir"];
        assert.deepEqual(
            exporterCounters(parseMetrics(names.map(failed).join("\n"))).map(({ exporter }) => exporter),
            ["otlphttp/mimir-queue", "prometheusremotewrite"],
        );
    });

    it("do not count attempts as losses where a queue is in front of remote write", () => {
        const failed = (exporter: string) =>
            `otelcol_exporter_send_failed_metric_points_total{exporter="${exporter}"} 3`;
        const exporters = (...names: string[]) =>
            exporterCounters(parseMetrics(names.map(failed).join("\n"))).map(({ exporter }) => exporter);
        assert.deepEqual(exporters("otlphttp/queue", "prometheusremotewrite"), ["otlphttp/queue"]);
        assert.deepEqual(exporters("otlphttp/logs", "prometheusremotewrite"), [
            "otlphttp/logs",
            "prometheusremotewrite",
        ]);
    });

    it("are a problem where nothing gets through, and a warning where some does", () => {
        const counters = {
            exporter: "otlphttp/logs",
            signal: "logs",
            sent: 0,
            failed: 3,
            refused: 0,
            queue: undefined,
        } as const;
        const severities = (changed: object) =>
            findingList(exportFindings("pod", { ...counters, ...changed })).map(({ severity }) => severity);
        assert.deepEqual(severities({}), ["problem"]);
        assert.deepEqual(severities({ sent: 1 }), ["warning"]);
        assert.deepEqual(severities({ failed: 0, refused: 1 }), ["problem"]);
        assert.deepEqual(severities({ failed: 0, sent: 9 }), []);
        assert.deepEqual(severities({ failed: 0, sent: 9, queue: 0.9 }), ["warning"]);
    });
});

describe("the volumes on regions", () => {
    it("are not checked, with a notice if the stack configures them", () => {
        const found = (raw: object) => findingList(regionalClaims(deploymentFor({ route: "none", ...raw })));
        assert.deepEqual(found({}), []);
        assert.deepEqual(
            found({ regions: { storageClass: "fast" } }).map(({ severity, what, fix }) => [severity, what, fix]),
            [
                [
                    "unknown",
                    "could not check the volumes on regional clusters, and class fast there: only this cluster is looked at",
                    "kubectl --context REGION get storageclass fast && kubectl --context REGION get pvc -n kof",
                ],
            ],
        );
        const off = { values: { "kof-regional": { enabled: false } } };
        assert.deepEqual(found({ regions: { storageClass: "fast" }, ...off }), []);
    });
});

describe("existing volumes", () => {
    const claim = (name: string, storage: string, storageClassName = "gp3"): PersistentVolumeClaim => ({
        metadata: { name },
        spec: { storageClassName, resources: { requests: { storage } } },
    });
    const management = deploymentFor({ route: "management", storageClass: { name: "gp3", create: false } });
    const compare = (...claims: PersistentVolumeClaim[]) =>
        findingList(compareClaims(claims, management, "")).map(({ what, fix }) => [what, fix]);

    it("are left alone where they are as the stack wants them, in whatever unit", () => {
        assert.deepEqual(
            compare(
                claim("vmstorage-db-vmstorage-cluster-0", "102400Mi"),
                claim("vlstorage-volume-kof-storage-victoria-logs-cluster-vlstorage-0", "100Gi"),
                claim("vtstorage-volume-kof-storage-vt-cluster-vtstorage-1", "100Gi"),
                claim("something-else", "1Gi", "other"),
            ),
            [],
        );
    });

    it("cannot be made smaller, moved, or where a StatefulSet has them, larger", () => {
        assert.deepEqual(
            compare(
                claim("vmstorage-db-vmstorage-cluster-0", "200Gi"),
                claim("vlstorage-db-vlstorage-audit-logs-0", "100Gi", "slow"),
                claim("vtstorage-volume-kof-storage-vt-cluster-vtstorage-0", "50Gi"),
            ),
            [
                [
                    "the volumes of vmstorage are 200Gi, and the stack asks for 100Gi",
                    "pulumi config set --path kof:storage.metrics.size 200Gi",
                ],
                [
                    "the volumes of vlstorage-audit are of class slow, and the stack asks for gp3",
                    "pulumi config set --path kof:storageClass.name slow && pulumi config set --path kof:storageClass.create false",
                ],
                [
                    "the volumes of vtstorage are 50Gi, and the stack asks for 100Gi",
                    "pulumi config set --path kof:storage.traces.size 50Gi",
                ],
            ],
        );
    });

    const claimOf = (workload: string) => {
        const [name = ""] = claimNames(workload, 0, 1);
        return name;
    };
    /** What doctor finds of claims, their StatefulSets and the default class, and what plan says of a stack that was so. */
    const against = (raw: object, claimed: object, template: object, defaultClass: string) => {
        const deployment = deploymentFor({ version: "1.10.0", ...raw });
        const { volumes } = deployment;
        const all = (spec: object) =>
            volumes.map(({ workload, size }) => ({
                metadata: { name: claimOf(workload) },
                spec: { resources: { requests: { storage: size } }, ...spec },
            }));
        return findingList(compareClaims(all(claimed), deployment, defaultClass, all(template)));
    };

    it("stay in the class that was the default, which is no problem, and nothing to set", () => {
        const found = against({ route: "management" }, { storageClassName: "gp2" }, {}, "gp3");
        assert.ok(found.length >= 3);
        for (const { severity, what, fix } of found) {
            assert.equal(severity, "warning");
            assert.match(what, /are of class gp2, and the stack asks for none, which is gp3 by default$/);
            assert.doesNotMatch(fix, /pulumi/);
        }
        assert.deepEqual(against({ route: "management" }, { storageClassName: "gp3" }, {}, "gp3"), []);
    });

    it("are what their StatefulSet says, where plan would refuse another class or size, and only there", () => {
        const named = { route: "management", storageClass: { name: "gp3", create: false } };
        const fixes = (found: readonly Finding[]) =>
            [...new Set(found.filter(({ severity }) => severity === "problem").map(({ fix }) => fix))].sort();
        // Claims of another class that were there before the StatefulSet.
        assert.deepEqual(fixes(against(named, { storageClassName: "old" }, { storageClassName: "gp3" }, "")), []);
        assert.deepEqual(fixes(against(named, { storageClassName: "old" }, { storageClassName: "old" }, "")), [
            "pulumi config set --path kof:storageClass.name old && pulumi config set --path kof:storageClass.create false",
        ]);
        assert.deepEqual(fixes(against(named, { storageClassName: "gp2" }, {}, "gp2")), [
            "pulumi config rm --path kof:storageClass",
        ]);
        // Claims that somebody has made larger by hand.
        const larger = { storageClassName: "gp3", resources: { requests: { storage: "500Gi" } } };
        const sizes = fixes(against(named, larger, { storageClassName: "gp3" }, ""));
        assert.ok(sizes.includes("pulumi config set --path kof:storage.metrics.size 500Gi"));
        assert.ok(sizes.every((fix) => !/kof:storage\.(logs|traces)\.size/.test(fix)));
        // What doctor has set, plan takes of a stack that was as the StatefulSets are.
        const wasOld = deploymentFor({ route: "management", storageClass: { name: "old", create: false } });
        assert.equal(verdictOf(planOf(wasOld, deploymentFor(named))), "impossible");
        assert.equal(verdictOf(planOf(wasOld, wasOld)), "safe");
    });

    it("are known by their claims' names for every workload of every version", () => {
        const names = {
            vmstorage: "vmstorage-db-vmstorage-cluster-0",
            vmselect: "vmselect-cachedir-vmselect-cluster-0",
            vlstorage: "vlstorage-volume-kof-storage-victoria-logs-cluster-vlstorage-0",
            "vlstorage-audit": "vlstorage-db-vlstorage-audit-logs-0",
            vtstorage: "vtstorage-volume-kof-storage-vt-cluster-vtstorage-0",
        };
        for (const { workload } of volumesOf(management)) {
            const [found] = compare(claim(names[workload as keyof typeof names], "999Gi"));
            assert.match(found![0]!, new RegExp(`of ${workload} are`));
        }
    });
});

describe("the cluster's storage classes", () => {
    const ga = "storageclass.kubernetes.io/is-default-class";
    const beta = "storageclass.beta.kubernetes.io/is-default-class";
    const made = (name: string, year: number, annotations: object = { [ga]: "true" }, provisioner = "x.csi.test") => ({
        metadata: { name, annotations, creationTimestamp: `${String(year)}-01-01T00:00:00Z` },
        provisioner,
        allowVolumeExpansion: true,
        volumeBindingMode: "WaitForFirstConsumer",
    });
    const claims = (storageClassName: string) => [
        { metadata: { name: claimNames("vmstorage", 0, 1)[0]! }, spec: { storageClassName } },
    ];
    /** What the checks of storage find of a management stack on such a cluster. */
    const findings = async (
        classes: readonly object[],
        existing: readonly object[] = [],
        raw: object = {},
        sets: readonly object[] = [],
    ) => {
        const answers: Readonly<Record<string, readonly object[]>> = {
            storageclasses: classes,
            persistentvolumeclaims: existing,
            statefulsets: sets,
        };
        const kubernetes = {
            list: (path: string) => Promise.resolve(answers[path.split("/").at(-1) ?? ""] ?? []),
            get: () => Promise.resolve({}),
        };
        const deployment = deploymentFor({ route: "management", version: "1.10.0", ...raw });
        const live: Live = { deployment, kubernetes: kubernetes as never, aws: {} };
        const results = await Promise.all(storage.map((check) => runCheck(check, live)));
        return results.flatMap((each) => each.findings);
    };

    it("may have two defaults, of which the newest counts and stays", async () => {
        const classes = [made("gp3", 2026), made("gp2", 2020), made("gp1", 2019, { [beta]: "true" })];
        const [found, ...more] = await findings(classes, claims("gp3"));
        assert.deepEqual(more, []);
        assert.match(found?.what ?? "", /^more than one storage class would be the default: gp3, gp2, gp1$/);
        assert.equal(
            found?.fix,
            `kubectl annotate storageclass gp2 ${ga}=false --overwrite && kubectl annotate storageclass gp1 ${beta}=false --overwrite`,
        );
        const [, warning] = await findings(classes, claims("gp2"));
        assert.match(warning?.what ?? "", /are of class gp2, and the stack asks for none, which is gp3 by default$/);
    });

    it("and their claims are told of although something beside them may not be seen", async () => {
        const claim = (name: string, phase: string, more: object = {}) => ({
            metadata: { name, ...more },
            spec: { volumeName: "pv-1" },
            status: { phase },
        });
        const all = [claim("a", "Lost"), claim("b", "Pending"), claim("c", "Bound", { deletionTimestamp: "2026" })];
        const refusing = async (refused: RegExp) => {
            const kubernetes = {
                list: (path: string) =>
                    refused.test(path)
                        ? Promise.reject(new CouldNotCheck(`GET ${path.split("/").at(-1) ?? ""}: forbidden`))
                        : Promise.resolve(path.endsWith("volumeclaims") ? all : []),
                get: () => Promise.reject(new CouldNotCheck("GET x: forbidden")),
            };
            const deployment = deploymentFor({ route: "management", version: "1.10.0" });
            const live: Live = { deployment, kubernetes: kubernetes as never, aws: {} };
            const results = await Promise.all(storage.map((check) => runCheck(check, live)));
            return results.flatMap(({ findings: found }) => found.map(({ severity, what }) => `${severity}: ${what}`));
        };
        const found = await refusing(/events|statefulsets/);
        for (const each of [
            "problem: claim a has lost its volume pv-1",
            "problem: claim b is pending: no event says why",
            "problem: claim c is being deleted since 2026",
        ]) {
            assert.ok(found.includes(each), found.join("\n"));
        }
        const none = await refusing(/volumeclaims/);
        assert.ok(none.some((each) => each.startsWith("problem: the cluster has no default storage class")));
    });

    it("may mark the default by the annotation of the beta", async () => {
        assert.deepEqual(await findings([made("gp2", 2020, { [beta]: "true" })], claims("gp2")), []);
        const own = { storageClass: { name: "kof", preset: "aws-ebs", default: true } };
        const [found] = await findings([made("gp2", 2020, { [beta]: "true" })], [], own);
        assert.match(found?.what ?? "", /^more than one storage class would be the default: gp2, and kof of/);
    });

    /** What there is of a deployment whose claims are all of one class. */
    const volumesThere = ({ volumes }: ReturnType<typeof deploymentFor>, storageClassName: string) => ({
        all: volumes.flatMap(({ workload, count, size }) =>
            claimNames(workload, 0, count).map((name) => ({
                metadata: { name },
                spec: { storageClassName, resources: { requests: { storage: size } } },
            })),
        ),
        volumeClaimTemplates: volumes.map(({ workload, size, storageClass }) => {
            const { template, set } = claimTemplateOf(workload);
            const named = storageClass === "" ? {} : { storageClassName: storageClass };
            const claim = {
                metadata: { name: template },
                spec: { ...named, resources: { requests: { storage: size } } },
            };
            return { metadata: { name: set }, spec: { volumeClaimTemplates: [claim] } };
        }),
    });
    /** Sets what a fix of doctor's sets. */
    const withFix = (raw: Raw, fix: string): Raw => {
        const next = structuredClone(raw) as Record<string, any>;
        for (const [, action, name = "", value] of fix.matchAll(
            /pulumi config (set|rm) (?:--path )?kof:(storageClass(?:\.\w+)?)(?: ([^\s&]+))?/g,
        )) {
            const key = name.split(".")[1];
            if (action === "rm") {
                delete next.storageClass;
            } else {
                next.storageClass = { ...next.storageClass, [key!]: value === "false" ? false : value };
            }
        }
        return next as Raw;
    };
    const clusters = {
        "gp3 in place of gp2": [made("gp3", 2026), made("gp2", 2020, { [ga]: "false" })],
        "two defaults": [made("gp3", 2026), made("gp2", 2020)],
        "a default of the beta": [made("gp2", 2020, { [beta]: "true" }), made("gp3", 2026, {})],
        "two defaults of two annotations": [made("gp2", 2026, { [beta]: "true" }), made("gp3", 2020)],
        "no default": [made("gp2", 2020, {}), made("gp3", 2026, {})],
        "the volumes' class gone": [made("gp3", 2026)],
        "no class at all": [],
        "a class that cannot grow": [{ ...made("gp2", 2020), allowVolumeExpansion: false }],
        "a class that provisions nothing": [made("gp2", 2020, { [ga]: "true" }, "kubernetes.io/no-provisioner")],
    };
    const wishes: Readonly<Record<string, Raw>> = {
        "no class": {},
        "gp2, which exists": { storageClass: { name: "gp2", create: false } },
        "gp3, which exists": { storageClass: { name: "gp3", create: false } },
        "a class of its own": { storageClass: { name: "kof", preset: "aws-ebs" } },
        "gp2 as a class of its own": { storageClass: { name: "gp2", preset: "aws-ebs" } },
        "a default of its own": { storageClass: { name: "kof", preset: "aws-ebs", default: true } },
    };
    for (const [what, classes] of Object.entries(clusters)) {
        it(`have no advice that the plan refuses: ${what}`, async () => {
            for (const [wish, raw] of Object.entries(wishes)) {
                const management = { route: "management", version: "1.10.0" };
                for (const had of [{}, { storageClass: { name: "gp2", create: false } }] as Raw[]) {
                    const was = deploymentFor({ ...management, ...had });
                    const { volumeClaimTemplates, all } = volumesThere(was, "gp2");
                    const found = await findings(classes, all, raw, volumeClaimTemplates);
                    // The plan knows no cluster: a class that was there need not be there any more.
                    const isThere = classes.some(({ metadata }) => metadata.name === "gp2");
                    if (wish === "gp2 as a class of its own" && had.storageClass !== undefined && !isThere) {
                        continue;
                    }
                    const isRefused = verdictOf(planOf(was, deploymentFor({ ...management, ...raw }))) === "impossible";
                    const says = found.some(
                        ({ what, severity }) =>
                            severity === "problem" && /the stack asks |Pulumi did not make/.test(what),
                    );
                    assert.equal(says, isRefused, `${wish}, ${JSON.stringify(had)}: ${JSON.stringify(found)}`);
                    const fixed = found.reduce((all, { fix }) => withFix(all, fix), raw);
                    const verdict = verdictOf(planOf(was, deploymentFor({ ...management, ...fixed })));
                    assert.notEqual(verdict, "impossible", `${wish}, ${JSON.stringify(had)}: ${JSON.stringify(found)}`);
                }
            }
        });
    }

    it("may lack a default, and then get back the one that the volumes are of, where there are any", async () => {
        const fix = async (...of: Parameters<typeof findings>) => (await findings(...of))[0]?.fix;
        assert.match((await fix([made("gp2", 2020, {})])) ?? "", /^pulumi config set --path kof:storageClass\.preset/);
        assert.equal(await fix([made("gp2", 2020, {})], claims("gp2")), `kubectl annotate storageclass gp2 ${ga}=true`);
        const none = [made("nfs", 2020, { [ga]: "true" }, "kubernetes.io/no-provisioner")];
        assert.match((await fix(none)) ?? "", /^pulumi config set/);
        assert.doesNotMatch((await fix(none, claims("nfs"))) ?? "", /pulumi/);
    });
});

describe("what doctor looks for", () => {
    it("are the Secrets that the stack does not make", () => {
        const names = (raw: object) =>
            neededSecrets(deploymentFor(raw as never)).map(({ name, keys }) => [name, ...keys]);
        assert.deepEqual(names({ ...routes.management }), []);
        assert.deepEqual(names({ ...routes.cloudwatch }), []);
        assert.deepEqual(names({ ...routes.regional, version: "1.9.0" }), [
            ["kof-vmuser-creds-admin-1108149986", "password", "username"],
        ]);
        assert.deepEqual(names({ ...routes.none, grafana: { enabled: true } }), []);
        assert.deepEqual(names({ ...routes.none, grafana: { enabled: true, existingSecret: "mine" } }), [
            ["mine", "GF_SECURITY_ADMIN_USER", "GF_SECURITY_ADMIN_PASSWORD"],
        ]);
        assert.deepEqual(
            names({ ...routes.regional, version: "1.10.0" }),
            names({ ...routes.regional, version: "1.9.0" }),
        );
    });

    it("are the Secrets, of which one that nobody may see hides no other", async () => {
        const of = (secretName: string) => ({
            endpoint: "https://x.example.net",
            auth: { kind: "bearer", secret: secretName },
        });
        const deployment = deploymentFor({
            route: "none",
            destinations: { a: of("first"), b: of("second") },
            signals: { logs: ["a", "b"] },
        });
        const kubernetes = {
            get: (path: string) =>
                path.endsWith("first")
                    ? Promise.reject(new CouldNotCheck("GET first: forbidden"))
                    : Promise.resolve(undefined),
        };
        const check = prerequisites.find(({ title }) => title === "Secrets")!;
        const { findings } = await runCheck(check, { deployment, kubernetes, aws: {} } as unknown as Live);
        assert.deepEqual(
            findings.map(({ what }) => what),
            ["could not check: GET first: forbidden", "there is no Secret kof/second"],
        );
    });

    it("are the Secrets of every destination, with what needs them", () => {
        const deployment = deploymentFor({
            route: "management",
            signals: {
                logs: ["management", "regional", "cloudwatch"],
                metrics: ["mimir"],
                traces: ["vendor", "other"],
            },
            regional: { cluster: "eu-1", domain: "eu-1.example.net" },
            cloudwatch: { region: "us-east-2", credentials: { kind: "existingSecret", name: "aws" } },
            destinations: {
                mimir: {
                    protocol: "remotewrite",
                    endpoint: "https://mimir.example.net/api/v1/push",
                    auth: { kind: "basic", secret: "mimir" },
                },
                vendor: {
                    endpoint: "https://otlp.example.net",
                    auth: { kind: "bearer", secret: "token" },
                    tls: { caSecret: "ca" },
                },
                other: { endpoint: "https://other.example.net", tls: { caSecret: "ca" } },
            },
        });
        const found = neededSecrets(deployment).map(({ name, keys, why, fix }) => [
            name,
            keys.join(),
            / It is for (.*) in kof:signals\.$/.exec(why)?.[1],
            fix.split(" ").slice(0, 3).join(" "),
        ]);
        assert.deepEqual(found.sort(), [
            ["aws", "AWS_ACCESS_KEY_ID,AWS_SECRET_ACCESS_KEY", "cloudwatch", "kubectl create secret"],
            ["ca", "ca.crt", "vendor and other", "kubectl create secret"],
            ["kof-vmuser-creds-admin-1108149986", "password,username", "regional", "kubectl get clusterdeployment"],
            ["mimir", "password,username", "mimir", "kubectl create secret"],
            ["token", "token", "vendor", "kubectl create secret"],
        ]);
    });

    it("are the charts and images of the management cluster, where the stack says they are mirrored to", () => {
        const mirror = "oci://mirror.example.net/charts";
        const deployment = deploymentFor({
            ...routes.none,
            chart: `${mirror}/kof`,
            values: { global: { helmRepo: { kofManaged: { url: mirror } } } },
        });
        const all = artifactsOf(deployment);
        for (const name of ["kof", "kof-operators", "kof-mothership", "kof-regional", "kof-child"]) {
            const artifact = { name: `chart ${name} 1.10.0`, url: `${mirror}/${name}`, version: "1.10.0" };
            assert.deepEqual(
                all.filter((each) => each.name === artifact.name),
                [artifact],
            );
        }
        const operator = all.find(({ name }) => name.includes("kof-operator-controller"));
        assert.equal(operator?.url, "oci://ghcr.io/k0rdent/kof/kof-operator-controller");
        assert.equal(operator.version, "v1.10.0");
    });

    it("is a manifest in a registry that wants a token from everybody", async () => {
        const asked: string[] = [];
        const server = createServer((request, response) => {
            const { host = "" } = request.headers;
            asked.push(`${request.method ?? ""} ${request.url ?? ""}`);
            if (asked.length === 1) {
                response.writeHead(429, { "retry-after": "0" }).end();
            } else if (request.url?.startsWith("/token") === true) {
                response.end(JSON.stringify({ token: "t" }));
            } else if (request.headers.authorization !== "Bearer t") {
                const realm = `Bearer realm="http://${host}/token",service="registry"`;
                response.writeHead(401, { "www-authenticate": realm }).end();
            } else {
                response.writeHead(request.url?.endsWith("/1.10.0") === true ? 200 : 404).end();
            }
        }).listen(0, "127.0.0.1");
        await new Promise((resolve) => server.once("listening", resolve));
        const { port } = server.address() as { port: number };
        const status = async (version: string) => {
            const url = `oci://127.0.0.1:${String(port)}/kof/charts/kof`;
            return (await headArtifact({ name: "chart", url, version })).status;
        };
        assert.deepEqual([await status("1.10.0"), await status("9.9.9")], [200, 404]);
        assert.deepEqual(asked.slice(1, 4), [
            "HEAD /v2/kof/charts/kof/manifests/1.10.0",
            "GET /token?service=registry&scope=repository%3Akof%2Fcharts%2Fkof%3Apull",
            "HEAD /v2/kof/charts/kof/manifests/1.10.0",
        ]);
        server.close();
    });

    it("is not there, or missing, because a page answers in place of the registry", async () => {
        let status = 200;
        const page = createServer((_, response) => response.writeHead(status, { "content-type": "text/html" }).end());
        page.listen(0, "127.0.0.1");
        await new Promise((resolve) => page.once("listening", resolve));
        const host = `127.0.0.1:${String((page.address() as { port: number }).port)}`;
        const found = async (url: string) =>
            (await lookAt([{ name: "chart kof 1.10.0", url, version: "1.10.0" }])).map(
                ({ severity, what }) => `${severity}: ${what.replace(host, "HOST")}`,
            );
        const unknown =
            "unknown: could not check chart kof 1.10.0: HOST does not answer from here (a page answers in its place)";
        assert.deepEqual(await found(`oci://${host}/kof`), [unknown]);
        status = 404;
        assert.deepEqual(await found(`oci://${host}/kof`), [unknown]);
        // That is how a server of files says it.
        assert.match((await found(`http://${host}/kof`)).join(), /^problem: there is no chart kof 1\.10\.0 at /);
        page.close();
    });

    it("may need Helm's login, which Pulumi uses, and doctor says so", async () => {
        const server = createServer((_, response) => response.writeHead(401).end()).listen(0, "127.0.0.1");
        await new Promise((resolve) => server.once("listening", resolve));
        const host = `127.0.0.1:${String((server.address() as { port: number }).port)}`;
        const url = `oci://${host}/kof/charts/kof`;
        const [found] = await lookAt([{ name: "chart kof 1.10.0", url, version: "1.10.0" }]);
        server.close();
        assert.equal(found?.severity, "unknown");
        assert.match(found.why, /Pulumi takes the one for kof:chart from Helm where it runs, or else from Docker/);
        assert.equal(found.fix, `helm registry login ${host} && helm show chart ${url} --version 1.10.0`);
    });

    it("are the rights of the role behind an assumed one", () => {
        const assumed = "arn:aws-cn:sts::123456789012:assumed-role/deploy/session-1";
        assert.equal(principalOf(assumed), "arn:aws-cn:iam::123456789012:role/deploy");
        assert.equal(principalOf("arn:aws:iam::123456789012:user/me"), "arn:aws:iam::123456789012:user/me");
    });
});

describe("headers that collectors read as YAML", () => {
    const headers = { "x-number": "12345", "x-text": "Bearer hunter2" };
    const data = Object.fromEntries(
        Object.entries(headers).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
    );
    const kubernetes = { get: () => Promise.resolve({ data }) };
    const look = async (raw: object) => {
        const check = prerequisites.find(({ title }) => title === "Secrets")!;
        const live = { kubernetes, deployment: deploymentFor({ version: "1.10.0", ...raw }) } as unknown as Live;
        return (await runCheck(check, live)).findings;
    };

    it("are found where they keep collectors from their start, and not shown", async () => {
        const otlp = { endpoint: "https://otlp.example.net", headersSecret: "h", headers: Object.keys(headers) };
        const found = await look({ route: "otlp", otlp });
        assert.deepEqual(
            found.map(({ severity, what }) => `${severity}: ${what}`),
            ["problem: Secret kof/h, x-number: the value is no text to a collector, which reads it as YAML"],
        );
        assert.doesNotMatch(JSON.stringify(found), /12345|hunter2/);
    });

    it("are right at a destination, which takes any value", async () => {
        const auth = { kind: "headers", secret: "h", headers: Object.keys(headers) };
        const destinations = { vendor: { endpoint: "https://otlp.example.net", auth } };
        assert.deepEqual(await look({ route: "none", signals: { logs: ["vendor"] }, destinations }), []);
    });
});
