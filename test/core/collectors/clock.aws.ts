import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { CloudWatchLogsClient, CreateLogGroupCommand } from "@aws-sdk/client-cloudwatch-logs";

import { mergeValues, nest, valueAt, type HelmValues } from "../../../core/lib/values";
import { effectiveCollectors } from "../../../core/collectors/effective";
import { readLogEvents } from "../../components/account";
import {
    clockFindings,
    exportError,
    exportErrorFinding,
    exportFindings,
    exporterCounters,
} from "../../../live/collectors";
import { findingList } from "../../../live/findings";
import type { Kubernetes } from "../../../live/kubernetes";
import type { Deployment } from "../../../core/routes/deployment";
import { programs } from "../../../tools/build";
import { skipWithout } from "../../../tools/servers/cluster";
import { HttpStandIn, type Reply } from "../../../tools/servers/standins";
import { deploymentFor } from "../../support";
import { RealCollector, type Sent } from "../../../tools/servers/collector";
import { eventually } from "../../../tools/servers/program";
import { startMoto, type Moto } from "../../../tools/servers/moto";

const region = "us-east-2";
const credentials = { accessKeyId: "key", secretAccessKey: "secret" };
const [hour, day] = [3600, 24 * 3600];

/** Records whose time CloudWatch's exporter refuses, and between them others. */
const mixed = (): readonly Sent[] => [
    ["now", 0],
    ["20 days old", -20 * day],
    ["3 hours ahead", 3 * hour],
    ["of 1970", 12 - Date.now() / 1000],
    ["of 2500", 474 * 365 * day],
    ["without a time", undefined],
    ["13 days old", -13 * day],
    ["now too", 0],
];
const wrong = ["20 days old", "3 hours ahead", "of 1970", "of 2500"];

/** Milliseconds after which the collectors take what comes for another batch: KOF's wait for one second. */
const batching = 3000;

describe("a real collector of route cloudwatch", function () {
    this.timeout(900_000);
    let moto: Moto | undefined;
    let binaries = "";
    const running: RealCollector[] = [];

    before(async function () {
        try {
            binaries = await programs("collector");
            moto = await startMoto();
        } catch (error) {
            skipWithout(this, error);
        }
    });
    afterEach(() => Promise.all(running.splice(0).map((each) => each.remove())));
    after(() => moto?.stop());

    function routeTo(endpoint: string, version = "1.10.0", logGroup = "management"): Deployment {
        return deploymentFor({
            route: "cloudwatch",
            version,
            cloudwatch: { region, endpoint, logGroup, signals: { metrics: "emf" } },
        });
    }

    /** KOF's daemon, as that route has it. */
    function daemonOf(deployment: Deployment): RealCollector {
        const daemon = effectiveCollectors(deployment).find(({ key }) => key === "daemon");
        assert.ok(daemon);
        const collector = new RealCollector(binaries, daemon);
        running.push(collector);
        return collector;
    }

    /** The same, with log groups of its own in the emulator. */
    async function daemon(
        version: string,
        logGroup: string,
    ): Promise<{ deployment: Deployment; collector: RealCollector }> {
        const endpoint = moto?.endpoint ?? "";
        const deployment = routeTo(endpoint, version, logGroup);
        const aws = new CloudWatchLogsClient({ endpoint, region, credentials });
        for (const { name } of deployment.cloudwatch?.logGroups ?? []) {
            await aws.send(new CreateLogGroupCommand({ logGroupName: name }));
        }
        return { deployment, collector: daemonOf(deployment) };
    }

    async function stored(logGroup: string): Promise<{ time: number; event: HelmValues }[]> {
        const events = await readLogEvents({ region, endpoint: moto?.endpoint ?? "", credentials }, logGroup);
        return events.map(({ time, message }) => ({ time, event: JSON.parse(message) as HelmValues }));
    }

    const textsOf = async (logGroup: string, key = "body") =>
        (await stored(logGroup)).map(({ event }) => event[key] as string).sort();

    for (const version of ["1.9.0", "1.10.0"]) {
        it(`stores each record once whatever its time, and counts what it corrects (KOF ${version})`, async () => {
            const logGroup = `clock-${version}`;
            const audit = version === "1.9.0" ? logGroup : `${logGroup}-audit`;
            const { deployment, collector } = await daemon(version, logGroup);
            assert.ok(await collector.start());
            const started = Date.now();
            await collector.sendLogs(mixed());
            await collector.sendLogs([["audit of 1970", 12 - Date.now() / 1000]], { log_type: "k8s_audit" });
            await sleep(batching);
            await collector.sendLogs([["the next batch", 0]]);
            const expected = [...mixed().map(([text]) => text), "the next batch"];
            await eventually(async () => (await textsOf(logGroup)).includes("the next batch"));
            await eventually(async () => (await textsOf(audit)).includes("audit of 1970"));
            // For as long as a second try would take.
            await sleep(10_000);
            assert.deepEqual(
                await textsOf(logGroup),
                [...expected, ...(audit === logGroup ? ["audit of 1970"] : [])].sort(),
            );
            assert.deepEqual(
                (await textsOf(audit)).filter((text) => text.startsWith("audit")),
                ["audit of 1970"],
            );

            const events = [...(await stored(logGroup)), ...(audit === logGroup ? [] : await stored(audit))];
            const original = (event: HelmValues) => valueAt(event, ["attributes", "kof_original_time"]);
            const corrected = events.filter(({ event }) => original(event) !== undefined);
            assert.deepEqual(corrected.map(({ event }) => event.body).sort(), [...wrong, "audit of 1970"].sort());
            assert.ok(corrected.every(({ time }) => time >= started - 60_000 && time <= Date.now()));
            const of1970 = corrected.find(({ event }) => event.body === "of 1970");
            assert.match(original(of1970?.event ?? {}) as string, /^1970-01-01T00:00:1[12]/);
            const found = findingList(clockFindings("daemon", await collector.samples(), deployment));
            assert.deepEqual(
                found.map(({ what }) => what),
                ["daemon: corrected the time of 5 log records since it started"],
            );
        });
    }

    it("needs that: without it, the exporter stores the others again and again, and nothing after them", async () => {
        const { collector } = await daemon("1.10.0", "unchecked");
        const unchecked = (config: HelmValues) =>
            mergeValues(config, nest(["service", "pipelines", "logs/default", "processors"], []));
        assert.ok(await collector.start(unchecked));
        await collector.sendLogs(mixed());
        await sleep(batching);
        await collector.sendLogs([["the next batch", 0]]);
        const times = async () => (await textsOf("unchecked")).filter((text) => text === "now").length;
        await eventually(async () => (await times()) >= 3);
        assert.ok(!(await textsOf("unchecked")).includes("the next batch"));
    });

    it("loses no metric for another one's time, and counts what it drops", async () => {
        const { deployment, collector } = await daemon("1.10.0", "points");
        const series = Array.from({ length: 20 }, (_, index) => `s${String(index).padStart(2, "0")}`);
        assert.ok(await collector.start());
        await collector.sendPoints([["20 days old", -20 * day], ...series.map((name): Sent => [name, 0])]);
        await sleep(batching);
        await collector.sendPoints([["the next batch", 0]]);
        const written = () => textsOf("points-metrics", "series");
        await eventually(async () => (await written()).includes("the next batch"));
        assert.deepEqual(await written(), [...series, "the next batch"]);
        const found = findingList(clockFindings("daemon", await collector.samples(), deployment));
        assert.deepEqual(
            found.map(({ what }) => what),
            ["daemon: dropped 1 data points for their time since it started"],
        );
    });

    it("keeps logs while AWS refuses its credentials, which its own counters do not tell", async () => {
        let valid = false;
        const text = { __type: "UnrecognizedClientException", message: "The security token is invalid." };
        const answer = (): Reply =>
            valid ? [200, JSON.stringify({ nextSequenceToken: "1" })] : [400, JSON.stringify(text)];
        const aws = await HttpStandIn.start(answer);
        try {
            const collector = daemonOf(routeTo(`http://127.0.0.1:${String(aws.port)}`));
            assert.ok(await collector.start());
            await collector.sendLogs([["one", 0]]);
            await sleep(batching);
            await collector.sendLogs([["two", 0]]);
            const logs = async () =>
                exporterCounters(await collector.samples()).find(({ exporter }) => exporter === "awscloudwatchlogs");
            await eventually(async () => collector.log.includes("Will retry") && ((await logs())?.queue ?? 0) > 0);
            const waiting = await logs();
            assert.deepEqual([waiting?.sent, waiting?.failed, waiting?.refused], [0, 0, 0]);
            assert.deepEqual(waiting && findingList(exportFindings("daemon", waiting)), []);
            const kubernetes = { request: () => Promise.resolve({ status: 200, body: collector.log }) };
            const said = await exportError(kubernetes as unknown as Kubernetes, { metadata: { name: "daemon" } });
            const finding = exportErrorFinding("daemon", said ?? "");
            assert.equal(finding.severity, "problem");
            assert.match(finding.what, /UnrecognizedClientException/);
            assert.match(finding.why, /^AWS refuses the collectors' credentials\. Logs wait on the node/);

            valid = true;
            await eventually(async () => (await logs())?.sent === 2);
            assert.deepEqual([(await logs())?.failed, (await logs())?.queue], [0, 0]);
        } finally {
            await aws.stop();
        }
    });

    it("starts over where a power loss has left its queue unreadable, and keeps the file", async () => {
        const away = routeTo("http://127.0.0.1:9");
        const collector = daemonOf(away);
        assert.ok(await collector.start());
        for (let batch = 0; batch < 5; batch++) {
            await collector.sendLogs([[`${"x".repeat(3000)} ${String(batch)}`, 0]]);
            await sleep(300);
        }
        await collector.stop("SIGKILL");
        const file = path.join(collector.queues, "exporter_awscloudwatchlogs__logs");
        const queue = fs.readFileSync(file);
        const firstPages = 2 * 4096;
        fs.writeFileSync(file, queue.fill(0, firstPages));

        const asCharted = (config: HelmValues) =>
            mergeValues(config, nest(["extensions", "file_storage/exporters", "recreate"], false));
        assert.equal(await collector.start(asCharted), false);
        assert.match(collector.log, /panic: assertion failed/);

        assert.ok(await collector.start());
        assert.match(collector.log, /Database corruption detected, recreating database file/);
        const kept = fs.readdirSync(collector.queues).filter((name) => name.endsWith(".backup"));
        assert.equal(kept.length, 1);
        await collector.sendLogs([["taken again", 0]]);
        const waiting = async () =>
            exporterCounters(await collector.samples()).some(
                ({ exporter, queue = 0 }) => exporter === "awscloudwatchlogs" && queue > 0,
            );
        await eventually(waiting);
    });
});
