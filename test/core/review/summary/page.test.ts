import assert from "node:assert/strict";

import { capacityOf } from "../../../../core/review/capacity";
import { summaryPage } from "../../../../core/review/summary/page";
import { cases, destinationsIn, deploymentFor, routes, type Raw } from "../../../support";
import { lineChart } from "./mermaid.mjs";

const page = (raw: Raw, notices: readonly string[] = []) => summaryPage("prod", deploymentFor(raw), notices);

/** The rows of the table under a heading, as lists of cells, without its head. */
function rows(text: string, title: string): string[][] {
    const section = text.split(`## ${title}\n\n`)[1]?.split("\n\n")[0] ?? "";
    return section
        .split("\n")
        .filter((line) => line.startsWith("| "))
        .slice(2)
        .map((line) => line.slice(2, -2).split(" | "));
}

describe("summary.md", () => {
    for (const { version, name, raw } of cases) {
        it(`names each signal's destination on KOF ${version}, ${name}`, () => {
            const expected = Object.entries(destinationsIn(raw)).map(([signal, text]) => {
                const [, why] = /^not stored \((.*)\)$/.exec(text) ?? [];
                const [store = "", address = ""] = text.split(/: (.*)/);
                return why === undefined ? [signal, store, `\`${address}\``] : [signal, `**not stored**: ${why}`, ""];
            });
            assert.deepEqual(rows(page(raw), "Signals"), expected);
        });
    }

    it("lists every volume with its class and retention, and their total", () => {
        const storage = { logs: { size: "50Gi", retention: "30d", replicas: 3 } };
        assert.deepEqual(rows(page({ ...routes.management, version: "1.9.0", storage }), "Volumes on this cluster"), [
            ["vmselect", "cache", "2", "10Gi", "`kof`", "", "20Gi"],
            ["vmstorage", "metrics", "3", "100Gi", "`kof`", "30d", "300Gi"],
            ["vlstorage", "logs", "3", "50Gi", "`kof`", "30d", "150Gi"],
            ["vtstorage", "traces", "2", "50Gi", "`kof`", "7d", "100Gi"],
            ["**total**", "", "10", "", "", "", "**570Gi**"],
        ]);
    });

    it("says what metrics and traces in AWS would be over OTLP", () => {
        const cloudwatch = { region: "us-east-2", signals: { metrics: "emf", traces: "otlp" } };
        const rates = { metrics: { activeSeries: 1000 }, traces: { spansPerSecond: 10 } };
        const text = page({ ...routes.cloudwatch, cloudwatch, rates });
        assert.match(text, /\| spans in CloudWatch over OTLP \| not included: about 24\.48 GB a month/);
        assert.match(
            text,
            /^Over OTLP \(kof:cloudwatch\.signals\.metrics: otlp\) this would be about 32\.63 GB a month: cheaper, if/m,
        );
    });

    it("says who makes each Secret that is needed", () => {
        const cloudwatch = { region: "us-east-2", credentials: { kind: "accessKey", generations: ["a", "b"] } };
        const existing = { region: "us-east-2", credentials: { kind: "existingSecret", name: "mine" } };
        const keys = "`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`";
        const grafana = "`GF_SECURITY_ADMIN_USER`, `GF_SECURITY_ADMIN_PASSWORD`";
        assert.deepEqual(rows(page({ route: "cloudwatch", cloudwatch, grafana: { enabled: true } }), "Credentials"), [
            [
                "`kof/cloudwatch-credentials`",
                keys,
                "this stack: an IAM user that may write to the log groups, with one key for each of `a`, `b`",
            ],
            ["`kof/grafana-admin-credentials`", grafana, "this stack: a random password"],
        ]);
        const ownGrafana = { route: "none", grafana: { enabled: true, existingSecret: "mine" } };
        assert.deepEqual(rows(page(ownGrafana), "Credentials"), [
            ["`kof/mine`", grafana, "someone else: it must exist"],
        ]);
        assert.deepEqual(rows(page({ route: "cloudwatch", cloudwatch: existing }), "Credentials"), [
            ["`kof/mine`", keys, "someone else: it must exist"],
        ]);
        for (const version of ["1.9.0", "1.10.0"]) {
            assert.deepEqual(rows(page({ ...routes.regional, version }), "Credentials"), [
                [
                    "`kof/kof-vmuser-creds-admin-1108149986`",
                    "`password`, `username`",
                    "KOF, once the region is set up: it must exist",
                ],
            ]);
        }
        assert.match(page(routes.management!), /## Credentials\n\nNone\.\n$/);
    });

    it("lists log groups with their retention", () => {
        const cloudwatch = { region: "us-east-2", auditLogGroup: "audit", retentionDays: 7 };
        assert.deepEqual(rows(page({ route: "cloudwatch", cloudwatch }), "Log groups"), [
            ["`/kof/mothership`", "us-east-2", "7 days", "CloudWatch's own key"],
            ["`audit`", "us-east-2", "365 days", "CloudWatch's own key"],
        ]);
        assert.doesNotMatch(page(routes.management!), /Log groups/);
    });

    it("says what the rates need, when volumes are full, and what it costs", () => {
        const storage = { logs: { size: "20Gi" }, traces: { size: "20Gi" } };
        const rates = { metrics: { activeSeries: 300_000 }, logs: { linesPerSecond: 3000 } };
        const storageClass = { name: "kof", preset: "aws-ebs" };
        const raw = { ...routes.management, version: "1.9.0", storageClass, storage, rates };
        const text = summaryPage("prod", deploymentFor(raw), [], "us-east-1");
        assert.deepEqual(rows(text, "Space at the rates of kof:rates"), [
            ["vmstorage", "1.61Gi", "30d", "21Gi", "100Gi", "never"],
            ["vlstorage", "6.03Gi", "7d", "**31Gi: too small**", "20Gi", "**after 6 days**"],
            ["vtstorage", "unknown", "7d", "unknown", "20Gi", "unknown"],
        ]);
        assert.match(text, /\n\nkof:rates\.traces is not set: when vtstorage is full is not known\.\n\n/);
        assert.deepEqual(rows(text, "Cost"), [["volumes", "32.00 USD in us-east-1"]]);
        assert.match(text, /\n\nList prices of 2026-11, for what this cluster stores: without queries, /);
        const children = /\n\nChild clusters store here as well: /;
        assert.match(page({ ...routes.regionless, rates }), children);
        assert.doesNotMatch(text, children);
        const regions = { storage: { logs: { size: "200Gi" } } };
        const ofRegions =
            /\n\nThe volumes on each regional cluster, 1204Gi in all, are in none of this, nor in any cost: kof:rates counts what this cluster collects\. What a region needs is not known here, nor how many there are: kubectl get clusterdeployments -A -l k0rdent\.mirantis\.com\/kof-cluster-role=regional\.\n/;
        assert.match(page({ ...routes.management, version: "1.10.0", regions, rates }), ofRegions);
        assert.doesNotMatch(page({ ...routes.management, version: "1.10.0", rates }), /The volumes on each/);
        const archive = { bucket: "acme-kof-cold", region: "eu-west-1" };
        const archived = (more: object) =>
            page({ ...routes.management, version: "1.10.0", coldStorage: { ...archive, ...more }, rates });
        const ofArchive =
            /\n\nWhat kof:coldStorage has of regional clusters is in no cost: kof:rates counts what this cluster collects\.\n/;
        assert.match(archived({ regions: "all" }), ofArchive);
        assert.doesNotMatch(archived({}), ofArchive);
        assert.match(
            archived({ regions: ["eu-1", "eu-2"] }),
            /What kof:coldStorage has of regional clusters eu-1 and eu-2 is in no/,
        );
        const roomy = page({ ...routes.management, storage: { logs: { size: "25Gi" } }, rates });
        assert.deepEqual(
            rows(roomy, "Space at the rates of kof:rates").find(([name]) => name === "vlstorage"),
            ["vlstorage", "6.03Gi", "7d", "**31Gi**", "25Gi", "**up to 97 %**"],
        );
        const cloudwatch = page({ ...routes.cloudwatch, storageClass, rates });
        assert.deepEqual(rows(cloudwatch, "Cost"), [
            ["volumes", "25.60 USD in us-east-2"],
            ["logs in CloudWatch Logs", "1022.27 USD in us-east-2"],
            ["audit in CloudWatch Logs", "not included: kof:rates.audit is not set"],
            ["**total**", "**at least 1047.87 USD; not included: audit in CloudWatch Logs**"],
        ]);
        assert.match(cloudwatch, /Nothing of this cluster's own is stored on these volumes\./);
    });

    it("draws how the volumes fill, as full as they are estimated to be", async () => {
        const storage = { metrics: { size: "20Gi", retention: "200d" }, logs: { size: "80Gi" } };
        const rates = {
            metrics: { activeSeries: 300_000 },
            logs: { linesPerSecond: 3000 },
            audit: { linesPerSecond: 9 },
        };
        const deployment = deploymentFor({ ...routes.management, storage, rates });
        const text = summaryPage("prod", deployment, []);
        const chart = await lineChart(/```mermaid\n([^`]*xychart[^`]*)\n```/.exec(text)![1]!);
        assert.deepEqual([chart.yAxis.min, chart.yAxis.max, chart.xAxis.min, chart.xAxis.max], [0, 100, 0, 12]);
        const found = Object.fromEntries(chart.plots.map(({ title, data }) => [title, data]));
        // Nothing is known of traces, and vmselect is a cache.
        assert.deepEqual(Object.keys(found), ["vmstorage", "vlstorage", "vlstorage-audit"]);
        for (const capacity of capacityOf(deployment, deployment.settings.rates!)) {
            for (const [month, percent] of found[capacity.volume.workload] ?? []) {
                const days = (Number(month) * 365) / 12;
                const { fullAfterDays = Infinity, perDayGiB, volume } = capacity;
                const kept = { metrics: 230, logs: 8, audit: 366 }[volume.signal as "metrics" | "logs" | "audit"];
                const held = (perDayGiB * Math.min(days, kept) * 100) / (Number.parseInt(volume.size) * volume.count);
                assert.equal(percent, days >= fullAfterDays ? 100 : Math.round(held * 10) / 10);
            }
        }
        assert.deepEqual(
            found.vmstorage!.map(([month]) => Number(month)),
            Array.from({ length: 25 }, (_, i) => i / 2),
        );
        assert.match(text, /At the right end, from the top: vmstorage full, vlstorage 30 %, vlstorage-audit \d+ %\.\n/);
        const without = ({ traces, metrics }: Raw) => page({ ...routes.management, rates: { traces, metrics } });
        assert.doesNotMatch(without({}), /xychart/);
        assert.doesNotMatch(page({ ...routes.cloudwatch, rates }), /xychart/);
        assert.doesNotMatch(page(routes.management!), /xychart/);
    });

    it("explains why the target allocator stores no logs, and where to send them", () => {
        const idle =
            "ta-daemon stores no logs, and KOF sends it none. Pods that send logs over OTLP have to send them to daemon.";
        for (const { version, raw, name } of cases.filter(({ raw }) => raw.route !== "none")) {
            assert.ok(page(raw).includes(`|\n\n${idle}\n\n`), `${version} ${name}`);
        }
        assert.ok(!page(routes.none!).includes("ta-daemon"));
    });

    it("says nothing of space and cost without rates", () => {
        assert.doesNotMatch(page(routes.management!), /## (Space|Cost)/);
    });

    it("says what each collector does with each signal, and what ends there", () => {
        assert.deepEqual(rows(page({ ...routes.cloudwatch, version: "1.10.0" }), "Collectors"), [
            ["cluster-stats", "deployment", "**nop**", "awscloudwatchlogs", "", ""],
            ["controller-k0s-daemon", "daemonset", "**nop**", "", "", ""],
            ["daemon", "daemonset", "**nop**", "awscloudwatchlogs", "**nop**", "awscloudwatchlogs/audit"],
            ["ta-daemon", "daemonset", "**nop**", "nop", "**nop**", ""],
        ]);
        assert.match(page({ route: "none" }), /## Collectors\n\nNone run on this cluster\./);
    });

    it("says which part of the cluster nothing watches on its distribution", () => {
        const text = page({ ...routes.management, distribution: "gke" });
        assert.deepEqual(
            rows(text, "Collectors").map(([name]) => name),
            ["cluster-stats", "daemon", "ta-daemon"],
        );
        assert.match(
            text,
            /\n\nOn Google Kubernetes Engine \(Standard\) no collector gets at etcd: Google runs it\. controller-k0s is off/,
        );
    });

    it("passes on what the program warns of, as text", () => {
        assert.match(page(routes.none!, ["<b>a|b</b> `c`"]), /## Notices\n\n- \\<b\\>a\\\|b\\<\/b\\> \\`c\\`\n/);
        assert.doesNotMatch(page(routes.none!), /Notices/);
    });

    it("holds no text of a setting that Markdown would take for a table or for code", () => {
        const cloudwatch = { region: "us-east-2", logStream: "a|`b" };
        assert.ok(page({ route: "cloudwatch", cloudwatch }).includes("| /kof/mothership/a\\|\\`b |"));
    });

    describe("of a stack with several destinations", () => {
        const raw: Raw = {
            route: "management",
            version: "1.10.0",
            signals: {
                metrics: ["management", "mimir"],
                logs: ["management", "cloudwatch", "vendor"],
                audit: ["cloudwatch"],
                traces: [],
            },
            cloudwatch: { region: "us-east-2" },
            destinations: {
                mimir: {
                    protocol: "remotewrite",
                    endpoint: "https://mimir.example.net/api/v1/push",
                    headers: { "X-Scope-OrgID": "kof" },
                    auth: { kind: "basic", secret: "mimir" },
                },
                vendor: {
                    protocol: "grpc",
                    endpoint: "https://otlp.example.net",
                    auth: { kind: "headers", secret: "keys", headers: ["x-api-key"] },
                    buffer: { duration: "2h", size: "4Gi" },
                    processing: { dropNamespaces: ["kube-system"], minimumSeverity: "warn" },
                },
            },
        };

        it("has a line for each signal and destination: how it is sent, with which Secret, and its own buffer", () => {
            const own = "1Gi on the node's disk for 30m";
            const aws = "AWS signature of Secret cloudwatch-credentials";
            const cells = rows(page(raw), "Signals").map(([signal, name, , address, ...rest]) => [
                ...[signal, name, address?.replace(/^`(https?:\/\/[^/:]+).*/, "$1")],
                ...rest,
            ]);
            assert.deepEqual(cells, [
                ["metrics", "`management`", "http://vminsert-cluster", "Prometheus remote write", "none", "in memory"],
                [
                    ...["metrics", "`mimir`", "https://mimir.example.net", "Prometheus remote write"],
                    ...["user and password of Secret mimir", own],
                ],
                [
                    ...["logs", "`management`", "http://kof-storage-victoria-logs-cluster-vlinsert"],
                    ...["OTLP over HTTP", "none", "on the node's disk"],
                ],
                ["logs", "`cloudwatch`", "`/kof/mothership/logs`", "CloudWatch Logs", aws, own],
                [
                    ...["logs", "`vendor`", "`otlp.example.net:443`", "OTLP over gRPC"],
                    ...["header x-api-key of Secret keys", "4Gi on the node's disk for 2h"],
                ],
                ["traces", "", "", "", "", ""],
                ["audit", "`cloudwatch`", "`/kof/mothership-audit/logs`", "CloudWatch Logs", aws, own],
            ]);
        });

        it("says what is not stored by choice, at all or at one destination", () => {
            const text = page(raw);
            assert.match(text, /\| traces \| {2}\| \*\*not stored\*\*, by choice \|/);
            assert.deepEqual(text.split("## Not stored, by choice\n\n")[1]?.split("\n\n")[0]?.split("\n"), [
                "- traces: not stored, by choice",
                "- vendor: nothing of namespace kube-system is stored there",
                "- vendor: logs below warn are not stored there",
            ]);
            assert.doesNotMatch(page(routes.cloudwatch!), /by choice/);
        });

        it("names the exporters that write, and no connector", () => {
            assert.deepEqual(rows(page(raw), "Collectors")[2], [
                "daemon",
                "daemonset",
                "prometheusremotewrite, prometheusremotewrite/mimir",
                "otlphttp/logs, awscloudwatchlogs, otlp/vendor",
                "**nop**",
                "awscloudwatchlogs/audit",
            ]);
            assert.doesNotMatch(page(raw), /forward/);
        });

        it("says which destination needs each Secret", () => {
            assert.deepEqual(
                rows(page(raw), "Credentials").map(([name, , by]) => [name, /\(for .*\)$/.exec(by ?? "")?.[0]]),
                [
                    ["`kof/cloudwatch-credentials`", "(for `cloudwatch`)"],
                    ["`kof/mimir`", "(for `mimir`)"],
                    ["`kof/keys`", "(for `vendor`)"],
                ],
            );
        });

        it("says it of the region's as well, where the route brings the region", () => {
            const both = { ...routes.regional, signals: { logs: ["regional", "vendor"] } };
            const { vendor } = raw.destinations as Raw;
            const text = page({ ...both, destinations: { vendor } });
            assert.deepEqual(
                rows(text, "Credentials").map(([, , by]) => /\(for .*\)$/.exec(by ?? "")?.[0]),
                ["(for `vendor`)", "(for `regional`)"],
            );
            assert.equal(
                rows(text, "Signals").find(([signal, name]) => signal === "metrics" && name === "`regional`")?.[5],
                "user and password of Secret kof-vmuser-creds-admin-1108149986",
            );
        });

        it("names every way to authenticate, and never a secret", () => {
            const ways: readonly [object, string][] = [
                [{ kind: "none" }, "none"],
                [{ kind: "bearer", secret: "s" }, "bearer token of Secret s"],
                [
                    { kind: "oauth2", secret: "s", tokenUrl: "https://login.example.net/token" },
                    "OAuth 2.0 client of Secret s",
                ],
                [{ kind: "clientCertificate", secret: "s" }, "client certificate of Secret s"],
                [{ kind: "sigv4", region: "us-east-2", service: "aps", secret: "s" }, "AWS signature of Secret s"],
                [
                    {
                        kind: "sigv4",
                        region: "us-east-2",
                        service: "aps",
                        secret: "s",
                        roleArn: "arn:aws:iam::123456789012:role/kof",
                    },
                    "AWS signature of Secret s, which takes the role arn:aws:iam::123456789012:role/kof",
                ],
                [
                    { kind: "sigv4", region: "us-east-2", service: "aps" },
                    "AWS signature by the role of the pods or nodes",
                ],
                [{ kind: "google" }, "Google identity of the pods or nodes"],
                [{ kind: "azure" }, "Azure identity of the pods or nodes"],
            ];
            for (const [auth, expected] of ways) {
                const to = { endpoint: "https://otlp.example.net", auth, tls: { caSecret: "ca" } };
                const text = page({ route: "management", signals: { traces: ["to"] }, destinations: { to } });
                assert.equal(rows(text, "Signals").find(([, name]) => name === "`to`")?.[5], expected);
            }
        });
    });
});
