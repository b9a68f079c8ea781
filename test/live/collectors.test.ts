import assert from "node:assert/strict";

import { exportChecks, exportErrorFinding } from "../../live/collectors";
import { runCheck, type Finding, type Live } from "../../live/findings";
import { Kubernetes } from "../../live/kubernetes";
import { follow, journeyResult } from "../../live/verify";
import { HttpStandIn, type Reply } from "../../tools/servers/standins";
import { deploymentFor, type Raw } from "../support";

const refusedByAws =
    "error flushing logs: operation error CloudWatch Logs: PutLogEvents, https response error StatusCode: 400, " +
    "RequestID: x, api error UnrecognizedClientException: The security token included in the request is invalid.";

/** A line as collector 0.143 writes it. */
const line = (signal: string, error: string) =>
    `2026-11-27T00:41:44.482Z\tinfo\tinternal/retry_sender.go:133\tExporting failed. Will retry the request after interval.\t` +
    `{"otelcol.component.kind": "exporter", "otelcol.signal": "${signal}", "error": ${JSON.stringify(error)}, "interval": "4s"}`;

describe("a destination that refuses what collectors send, or is away", () => {
    let server: HttpStandIn | undefined;
    let [log, metrics, since]: [string[], string, string | null] = [[], "", null];
    /** What the region is to answer first. */
    let busy: Reply[] = [];

    before(async () => {
        server = await HttpStandIn.start(({ method, url }): Reply => {
            if (method === "POST") {
                return [200, "{}"];
            }
            if (url.pathname.endsWith("/log")) {
                since = url.searchParams.get("sinceSeconds");
                return [200, log.join("\n")];
            }
            if (url.pathname.endsWith("/metrics")) {
                return [200, metrics];
            }
            // The region, at the same address, has nothing.
            const nothing = Object.entries({ "/vm/": '{"data":[]}', "/vls/": "", "/secrets/": "{}" });
            const found = nothing.find(([part]) => url.pathname.includes(part));
            if (found) {
                return (url.pathname.includes("/secrets/") ? undefined : busy.shift()) ?? [200, found[1]];
            }
            return url.pathname.endsWith("/pods") ? [200, JSON.stringify({ items: [pod] })] : [404];
        });
    });
    after(() => server?.stop());

    const pod = {
        metadata: {
            name: "daemon-1",
            labels: {
                "app.kubernetes.io/component": "opentelemetry-collector",
                "app.kubernetes.io/instance": "kof.kof-collectors-daemon",
            },
        },
        status: { phase: "Running" },
    };

    /** How full a queue is, and what else the exporter counts: nothing before it has sent or dropped something. */
    const exporter = (name: string, queue: number, ...counts: string[]) =>
        [`queue_size ${String(queue)}`, "queue_capacity 1.073741824e+09", ...counts]
            .map((each) => each.replace(" ", `{data_type="logs",exporter="${name}"} `))
            .map((each) => `otelcol_exporter_${each}\n`)
            .join("");

    function live(route = "cloudwatch", more: Raw = {}): Live {
        const endpoint = `http://127.0.0.1:${String(server?.port)}`;
        const blocks: Raw = {
            cloudwatch: { region: "us-east-2", endpoint },
            regional: { cluster: "eu-1", domain: "eu-1.example.net" },
        };
        const block = blocks[route] === undefined ? {} : { [route]: blocks[route] };
        return {
            deployment: deploymentFor({ route, ...block, ...more }),
            kubernetes: new Kubernetes({ cluster: { name: "test", server: endpoint, skipTLSVerify: false } }),
            aws: {},
        };
    }

    async function findings(route?: string, title = "Collectors' exports"): Promise<readonly Finding[]> {
        const check = exportChecks.find((each) => each.title === title);
        assert.ok(check);
        return (await runCheck(check, live(route))).findings;
    }

    const doctor = async (...of: Parameters<typeof findings>) =>
        (await findings(...of)).map(({ severity, what }) => `${severity}: ${what}`);

    it("is what doctor finds before anything is dropped", async () => {
        [log, metrics] = [[line("logs", refusedByAws)], exporter("awscloudwatchlogs", 305)];
        assert.deepEqual(await doctor(), [`problem: daemon-1 said: ${refusedByAws}`]);
        // What was said before the exporter's last tries is over.
        assert.equal(since, "120");
        [log, metrics] = [[line("logs", "connection refused")], exporter("otlphttp/logs", 305)];
        assert.deepEqual(await doctor("regional"), ["warning: daemon-1 said: connection refused"]);
    });

    it("is what doctor says of each destination, where there are several", async () => {
        const of = (name: string, error: string) =>
            line("logs", error).replace('{"otelcol', `{"otelcol.component.id": "${name}", "otelcol`);
        [log, metrics] = [
            [of("otlphttp/one", "timeout"), of("otlphttp/one", "refused"), of("otlphttp/two", "no such\n\thost")],
            exporter("otlphttp/one", 305),
        ];
        const endpoint = "https://otlp.example.net";
        const several = { signals: { logs: ["one", "two"] }, destinations: { one: { endpoint }, two: { endpoint } } };
        const check = exportChecks.find(({ title }) => title === "Collectors' exports")!;
        const { findings: found } = await runCheck(check, live("management", several));
        assert.deepEqual(
            found.map(({ what }) => what),
            ["daemon-1: exporter otlphttp/one said: refused", "daemon-1: exporter otlphttp/two said: no such host"],
        );
    });

    it("is not known where a page answers for the collector's metrics", async () => {
        for (const page of ["<html>\nSign in please\n</html>", '{"error":"no"}']) {
            [log, metrics] = [[], page];
            const [found, ...more] = await doctor();
            assert.match(
                found ?? "",
                /^unknown: .*metrics of pod daemon-1 \(port 8888\): what answers is no collector/,
            );
            assert.deepEqual(more, []);
        }
    });

    it("is nothing to doctor where no exporter complains, or nothing waits", async () => {
        [log, metrics] = [[], exporter("awscloudwatchlogs", 305)];
        assert.deepEqual(await doctor(), []);
        [log, metrics] = [[line("logs", refusedByAws)], exporter("awscloudwatchlogs", 0, "sent_log_records_total 5")];
        assert.deepEqual(await doctor(), []);
    });

    it("has doctor say when what AWS refuses is dropped, and that what others refuse is dropped at once", async () => {
        const why = async (name: string, route: string) => {
            [log, metrics] = [[], exporter(name, 0, "send_failed_log_records_total 3")];
            return (await findings(route))[0]?.why ?? "";
        };
        assert.match(
            await why("awscloudwatchlogs/audit", "cloudwatch"),
            /tried for as long as kof:buffer\.duration says/,
        );
        assert.match(await why("otlphttp/logs", "regional"), /\(401, 403, 400\) is dropped at once/);
    });

    it("has doctor tell of clocks that are wrong, on this route only", async () => {
        [log, metrics] = [
            [],
            'otelcol_processor_groupbyattrs_num_grouped_logs_total{a="b"} 7\n' +
                'otelcol_processor_filter_datapoints_filtered_total{filter="filter/clock"} 2\n' +
                'otelcol_processor_filter_datapoints_filtered_total{filter="filter/mine"} 9\n',
        ];
        assert.deepEqual(await doctor(), [
            "warning: daemon-1: corrected the time of 7 log records since it started",
            "warning: daemon-1: dropped 2 data points for their time since it started",
        ]);
        assert.deepEqual(await doctor("regional"), []);
    });

    it("is what verify says of a record that waits, and of no other signal's", async () => {
        [log, metrics] = [
            [line("logs", "HTTP Status Code 503"), line("metrics", "of another signal")],
            exporter("otlphttp/logs", 305),
        ];
        const mark = { text: "kofverify1", traceId: "0123456789abcdef0123456789abcdef", time: new Date() };
        const vmauth = `http://127.0.0.1:${String(server?.port)}`;
        // It has one look, within which the region has no time.
        busy = [429, 503].map((status) => [status, "", { "retry-after": "0" }]);
        const journeys = await follow(live("regional"), { mark, timeout: 1, vmauth });
        const logs = journeys.find(({ signal }) => signal === "logs");
        assert.ok(logs);
        assert.deepEqual([logs.accepted, logs.sent, logs.stored], ["yes", "unseen", "no"]);
        assert.equal(since, "120");
        const [finding] = journeyResult(logs).findings;
        assert.equal(finding?.severity, "problem");
        assert.match(
            finding.what,
            /^accepted, but neither sent nor stored .*: the collector said: HTTP Status Code 503$/,
        );
        assert.match(finding.why, /or, if it is AWS, refuses the credentials/);
    });

    it("is not the only thing that loses data: doctor reports files that were started over", async () => {
        const file = "/var/lib/otelcol/file_storage/exporters-daemon/exporter_awscloudwatchlogs__logs";
        const began = (of: string) =>
            `2026-11-27T00:39:46Z\twarn\tfilestorage@v0.143.0/extension.go:106\tDatabase corruption detected, recreating database file\t` +
            `{"otelcol.component.id": "file_storage/exporters", "file": "${of}", "panic": "assertion failed"}`;
        log = [began(file), began(file), began("/var/lib/otelcol/file_storage/journaldreceiver/receiver_journald_")];
        const found = await findings("management", "Collectors' files");
        assert.deepEqual(
            found.map(({ severity, what, why }) => [severity, what, why.split(".")[0]]),
            [
                ["warning", `daemon-1 could not read ${file}, and started over`, "What was queued in it is not sent"],
                [
                    "warning",
                    "daemon-1 could not read /var/lib/otelcol/file_storage/journaldreceiver/receiver_journald_, and started over",
                    "What was written before the collector ran again may not have been read",
                ],
            ],
        );
        log = [line("logs", "something else")];
        assert.deepEqual(await findings("management", "Collectors' files"), []);
    });

    it("is told apart: AWS's refusals, those of others, and what is neither", () => {
        const why = (text: string) => exportErrorFinding("pod", text).why.slice(0, 40);
        const aws = "AWS refuses the collectors' credentials.";
        for (const name of ["UnrecognizedClient", "ExpiredToken", "AccessDenied", "InvalidSignature"]) {
            assert.equal(why(`StatusCode: 400, api error ${name}Exception: no`), aws);
        }
        assert.equal(why("get identity: get credentials: failed to refresh cached credentials"), aws);
        const post = 'failed to make an HTTP request: Post "https://otlp.example.net/v1/metrics": ';
        for (const text of [
            "azureauth: failed to get token: DefaultAzureCredential: failed to acquire a token. RESPONSE 403: 403 Forbidden",
            'failed to get security token from token endpoint (endpoint "https://login.example.net/token"); oauth2: "x"',
            'compute: Received 403 `{"error":"forbidden"}`',
        ]) {
            const { severity, why: said } = exportErrorFinding("pod", post + text);
            assert.match(`${severity}: ${said}`, /^problem: The collectors get no token for this destination\./);
        }
        assert.match(why("HTTP Status Code 401"), /^The destination refuses/);
        assert.match(why("dial tcp: connection refused"), /^This is the last export/);
    });
});
