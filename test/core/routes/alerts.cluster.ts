import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { stringify } from "yaml";

import { vmRuleSpec } from "../../../core/routes/alerts";
import { programs } from "../../../tools/build";
import { skipWithout } from "../../../tools/servers/cluster";
import { deploymentFor, type Raw } from "../../support";

/** What a scraped series is worth at each step, in the notation of Prometheus' unit tests: `0+10x60`. */
type Series = Readonly<Record<string, string>>;
/** Labels of alerts that fire, besides those that all have, by the name of the rule. The others must not fire. */
type Firing = Readonly<Record<string, readonly Readonly<Record<string, string>>[]>>;

const cluster = "mothership";
const group = "kof-storage-routes";
const hours = (count: number) => `${String(count)}h`;

const management = { route: "management", storage: { metrics: { retention: "30d" }, logs: { retention: "30d" } } };
/** Copies elsewhere, of which one is queued on the loopback, and logs by an access key. */
const copied = {
    route: "management",
    signals: { metrics: ["management", "mimir"], logs: ["management", "cloudwatch"], audit: ["cloudwatch"] },
    cloudwatch: { region: "us-east-2", credentials: { kind: "accessKey", generations: ["1", "2"] } },
    destinations: {
        mimir: { preset: "mimir", endpoint: "https://mimir.example.net/api/v1/push" },
    },
};

const up = { 'up{job="kubelet"}': "1x2000" };
const labelled = (series: string, more: Readonly<Record<string, string>>) => {
    const [, name = series, labels = ""] = /^(\w+)(?:\{(.*)\})?$/.exec(series) ?? [];
    const all = Object.entries(more).map(([key, value]) => `${key}="${value}"`);
    return `${name}{${[labels, ...all].filter((each) => each !== "").join(",")}}`;
};
const own = (name: string, exporter: string, pod = "daemon-a") =>
    labelled(`otelcol_exporter_${name}`, { namespace: "kof", exporter, pod });
const accepted = labelled("otelcol_receiver_accepted_spans_total", { namespace: "kof", receiver: "otlp" });

/** A cluster on which all is well. */
const well: Series = {
    ...up,
    [own("sent_log_records_total", "otlphttp/logs")]: "0+10x2000",
    [own("sent_log_records_total", "otlphttp/logs-audit")]: "0+10x2000",
    [own("sent_spans_total", "otlphttp/traces")]: "0+10x2000",
    [accepted]: "0+10x2000",
    [own("sent_metric_points_total", "prometheusremotewrite")]: "0+10x2000",
    [own("queue_size", "otlphttp/logs")]: "5x2000",
    [own("queue_capacity", "otlphttp/logs")]: "100x2000",
};

const without = (series: Series, ...names: readonly string[]): Series =>
    Object.fromEntries(Object.entries(series).filter(([name]) => !names.some((each) => name.includes(each))));

const volume = (what: string, claim: string, values: string): Series => ({
    [labelled(`kubelet_volume_stats_${what}_bytes`, { namespace: "kof", persistentvolumeclaim: claim })]: values,
});
const logsClaim = "vlstorage-volume-kof-storage-victoria-logs-cluster-vlstorage-1";
const metricsClaim = "vmstorage-db-vmstorage-cluster-0";

// VictoriaMetrics' own evaluation of the rules as they are deployed, 2026-11-27.
describe("alert rules, by vmalert-tool unittest,", () => {
    let program: string;
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-alerts-"));
    before(async function () {
        this.timeout(10 * 60_000);
        try {
            program = path.join(await programs("victoriametrics"), "vmalert-tool");
        } catch (error) {
            skipWithout(this, error);
        }
    });
    after(() => {
        fs.rmSync(folder, { recursive: true });
    });

    /** Evaluates the rules of a stack, and compares what fires at a time. */
    function evaluate(raw: Raw, series: Series, at: string, firing: Firing, options: Options = {}): void {
        const { step = "1m", made = "1970-01-01T00:00:00Z", texts = false, only } = options;
        const alerts = deploymentFor(raw).alerts;
        const groups = (vmRuleSpec(alerts, { cloudwatch: made, coldStorage: made }) as any).groups.map((each: any) => ({
            ...each,
            rules: each.rules.map(({ annotations, ...rule }: any) => ({ ...rule, ...(texts ? { annotations } : {}) })),
        }));
        const { rules } = groups[0] as { rules: readonly { alert: string }[] };
        for (const name of Object.keys(firing)) {
            assert.ok(
                rules.some(({ alert }) => alert === name),
                `there is no rule ${name}`,
            );
        }
        const severities = new Map(alerts.rules.map(({ alert, severity }) => [alert, severity]));
        const test = {
            rule_files: ["rules.yaml"],
            evaluation_interval: step,
            tests: [
                {
                    interval: step,
                    input_series: Object.entries(series).map(([name, values]) => ({
                        series: name.includes("cluster=") ? name : labelled(name, { cluster }),
                        values,
                    })),
                    alert_rule_test: rules
                        .filter(({ alert }) => only === undefined || alert === only)
                        .map(({ alert }) => ({
                            eval_time: at,
                            groupname: group,
                            alertname: alert,
                            exp_alerts: (firing[alert] ?? []).map(({ text, ...labels }) => ({
                                exp_labels: { cluster, severity: severities.get(alert), ...labels },
                                ...(text === undefined ? {} : { exp_annotations: JSON.parse(text) as object }),
                            })),
                        })),
                },
            ],
        };
        fs.writeFileSync(path.join(folder, "rules.yaml"), stringify({ groups }));
        fs.writeFileSync(path.join(folder, "test.yaml"), stringify(test, { aliasDuplicateObjects: false }));
        const { status, stdout, stderr } = spawnSync(program, ["unittest", "--files=test.yaml"], {
            cwd: folder,
            encoding: "utf8",
        });
        assert.equal(status, 0, stdout + stderr);
    }

    describe("of signals:", () => {
        it("nothing fires where all is well", () => {
            evaluate(management, well, "2h", {});
        });
        it("metrics that are gone are said once, for all", () => {
            evaluate(management, {}, "10m", {});
            evaluate(management, {}, "20m", { MetricsNotArriving: [{}] });
            // Those of another cluster are not this one's.
            const other = { 'up{job="kubelet",cluster="child"}': "1x200" };
            evaluate(management, other, "20m", { MetricsNotArriving: [{}] });
        });
        it("logs that stop, or that never came", () => {
            const fires = { LogsNotArriving: [{ destination: "management" }] };
            const sent = own("sent_log_records_total", "otlphttp/logs");
            evaluate(management, { ...well, [sent]: "0+10x60 600x60" }, "85m", fires);
            evaluate(management, { ...well, [sent]: "0+10x60 600x60" }, "70m", {});
            evaluate(management, without(well, sent.slice(0, -1)), "30m", fires);
        });
        it("logs of one pod that stop are no alarm while others send", () => {
            const idle = { [own("sent_log_records_total", "otlphttp/logs", "daemon-b")]: "0+10x60 600x60" };
            evaluate(management, { ...well, ...idle }, "90m", {});
        });
        it("missing traces raise no alarm, but traces that the collectors get and do not send do", () => {
            const none = without(well, "spans");
            evaluate(management, none, "2h", {});
            evaluate(management, { ...none, [accepted]: "0+1x200" }, "2h", {
                TracesNotArriving: [{ destination: "management" }],
            });
        });
        it("audit logs that stop, but not those that an API server never writes", () => {
            const audit = own("sent_log_records_total", "otlphttp/logs-audit");
            evaluate(management, without(well, "logs-audit"), "2h", {});
            evaluate(management, { ...well, [audit]: "0+1x60 60x200" }, "2h", {
                AuditLogsNotArriving: [{ destination: "management" }],
            });
        });
        it("each destination has its own", () => {
            const series = {
                ...up,
                [own("sent_log_records_total", "otlphttp/logs")]: "0+10x200",
                [own("sent_log_records_total", "awscloudwatchlogs")]: "0+10x30 300x200",
                [own("sent_metric_points_total", "prometheusremotewrite/mimir")]: "0x200",
            };
            evaluate(copied, series, "2h", {
                LogsNotArriving: [{ destination: "cloudwatch" }],
                MetricsNotForwarded: [{ destination: "mimir" }],
            });
        });
    });

    describe("of exporters:", () => {
        const lost = (exporter: string, signal: string) => ({ ExporterLosesRecords: [{ exporter, signal }] });

        it("records that are given up, from the first one on", () => {
            const failed = own("send_failed_log_records_total", "otlphttp/logs");
            evaluate(management, { ...well, [failed]: "_x90 500x200" }, "95m", lost("otlphttp/logs", "logs"));
            evaluate(management, { ...well, [failed]: "0x90 0+10x200" }, "95m", lost("otlphttp/logs", "logs"));
        });
        it("nothing any more when it has passed, also where a scrape was missed", () => {
            const failed = own("send_failed_spans_total", "otlphttp/traces");
            evaluate(management, { ...well, [failed]: "_x30 500x200" }, "2h", {});
            evaluate(management, { ...well, [failed]: "500x95 _x20 500x200" }, "120m", {});
        });
        it("what a full queue refuses", () => {
            const refused = own("enqueue_failed_metric_points_total", "prometheusremotewrite");
            evaluate(management, { ...well, [refused]: "_x90 7x200" }, "95m", lost("prometheusremotewrite", "metrics"));
        });
        it("not the attempts behind a queue on the loopback, but what that queue loses", () => {
            const series = {
                ...up,
                [own("sent_log_records_total", "otlphttp/logs")]: "0+10x200",
                [own("sent_log_records_total", "awscloudwatchlogs")]: "0+10x200",
                [own("sent_metric_points_total", "prometheusremotewrite/mimir")]: "0+10x200",
                [own("send_failed_metric_points_total", "prometheusremotewrite/mimir")]: "0+10x200",
            };
            evaluate(copied, series, "2h", {});
            const failed = own("send_failed_metric_points_total", "otlphttp/mimir-queue");
            evaluate(copied, { ...series, [failed]: "0+10x200" }, "2h", lost("otlphttp/mimir-queue", "metrics"));
        });
        it("nothing of what other exporters lose, or collectors of others", () => {
            const foreign = labelled("otelcol_exporter_send_failed_log_records_total", {
                namespace: "shop",
                exporter: "otlphttp/logs",
            });
            const other = own("send_failed_log_records_total", "otlphttp/theirs");
            evaluate(management, { ...well, [foreign]: "0+10x200", [other]: "0+10x200" }, "2h", {});
        });
        it("a queue at more than 80 %, by its fullest pod", () => {
            const queues = (size: string) => ({
                ...well,
                [own("queue_size", "otlphttp/logs", "daemon-b")]: size,
                [own("queue_capacity", "otlphttp/logs", "daemon-b")]: "100x200",
            });
            evaluate(management, queues("80x200"), "2h", {});
            evaluate(management, queues("81x200"), "2h", { ExporterQueueFills: [{ exporter: "otlphttp/logs" }] });
            // The capacities of all pods together do not hide the one.
            evaluate(management, queues("0x60 100x4 0x200"), "70m", {});
        });
    });

    describe("of volumes:", () => {
        const at = { step: "1h", only: "VolumeFullSoon" };
        const fires = (claim: string) => ({ VolumeFullSoon: [{ persistentvolumeclaim: claim }] });
        // 1000 units; n days old at the time of the test.
        const filling = (claim: string, free: string): Series => ({
            ...volume("available", claim, free),
            ...volume("capacity", claim, "1000x2000"),
        });

        it("one that has kept all it keeps, and still grows", () => {
            // 40 days, of which the last 30 take 2 an hour: empty in 9 days.
            evaluate(management, filling(logsClaim, "900x700 900-2x300"), hours(900), fires(logsClaim), at);
            evaluate(management, filling(metricsClaim, "900x700 900-2x300"), hours(900), fires(metricsClaim), at);
            // Also where it grows less than one that is new may.
            evaluate(management, filling(logsClaim, "900x700 200-0.7x300"), hours(900), fires(logsClaim), at);
        });
        it("one that is new and will be full before it deletes anything", () => {
            // 48 a day: full after 21 of 30 days.
            evaluate(management, filling(logsClaim, "1000-2x400"), hours(200), fires(logsClaim), at);
        });
        it("but none that is new and stops growing before", () => {
            // 31.2 a day: 936 after 30 days. At the growth of then, the rest would last 11 days.
            evaluate(management, filling(logsClaim, "1000-1.3x700"), hours(500), {}, at);
            evaluate(management, filling(logsClaim, "1000-1x700 280x700"), hours(1000), {}, at);
        });
        it("none that takes more than 14 days, and none of others", () => {
            evaluate(management, filling(logsClaim, "900x700 900-1x500"), hours(1100), {}, at);
            evaluate(management, filling("data-of-a-shop-0", "900x700 900-2x300"), hours(900), {}, at);
        });
        it("none that deletes by space", () => {
            const limited = {
                route: "management",
                values: {
                    "kof-child": {
                        values: {
                            fromManagement: {
                                storage: {
                                    "victoria-logs-cluster": {
                                        vlstorage: { extraArgs: { "retention.maxDiskUsagePercent": 80 } },
                                    },
                                },
                            },
                        },
                    },
                },
            };
            evaluate(limited, filling(logsClaim, "900x700 900-2x300"), hours(900), {}, at);
        });
    });

    it("of an access key, 90 days after the one in use was made", () => {
        const series = {
            ...up,
            [own("sent_log_records_total", "otlphttp/logs")]: "0+10000x2400",
            [own("sent_log_records_total", "awscloudwatchlogs")]: "0+10000x2400",
            [own("sent_metric_points_total", "prometheusremotewrite/mimir")]: "0+10000x2400",
        };
        const made = "1970-01-02T00:00:00Z";
        const hourly = { step: "5m", made: "1969-10-04T00:00:00Z" };
        evaluate(copied, series, "20h", {}, hourly);
        evaluate(copied, series, "50h", { AccessKeyOld: [{}] }, hourly);
        evaluate(copied, series, "50h", {}, { step: "5m", made });
        const archived = { ...copied, coldStorage: { bucket: "kof-cold", region: "eu-central-1" } };
        const both = [{ key: "CloudWatch" }, { key: "kof:coldStorage" }];
        evaluate(archived, series, "20h", {}, hourly);
        evaluate(archived, series, "50h", { AccessKeyOld: both }, hourly);
    });

    it("tell what they found", () => {
        const full = {
            ...well,
            [own("queue_size", "otlphttp/logs")]: "90x200",
        };
        const text = JSON.stringify({
            summary: "mothership: the queue of an exporter is more than 80 % full for 5 minutes",
            description:
                "The fullest queue of otlphttp/logs is at 90%. Its destination is away or too slow, and what does not fit is lost. " +
                "`kof:buffer` has its size.",
        });
        evaluate(
            management,
            full,
            "1h",
            { ExporterQueueFills: [{ exporter: "otlphttp/logs", text }] },
            { texts: true },
        );
    });
});

interface Options {
    readonly step?: string;
    /** When the access key was made. */
    readonly made?: string;
    /** Whether what alerts tell is compared as well. */
    readonly texts?: boolean;
    /** The one rule that is asked for: at long steps counters do not count. Default: all of them. */
    readonly only?: string;
}
