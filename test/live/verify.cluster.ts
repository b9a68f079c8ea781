import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import {
    CloudWatchLogsClient,
    CreateLogGroupCommand,
    CreateLogStreamCommand,
    PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { stringify } from "yaml";

import { vmuserSecretName } from "../../core/charts/vmuser";
import type { Journey } from "../../live/verify";
import { MissingTool, programs } from "../../tools/build";
import { startMoto } from "../../tools/servers/moto";
import { useCluster } from "../../tools/servers/cluster";
import { ServerProcess, eventually, freePorts, programOptions } from "../../tools/servers/program";
import type { AnyObject } from "../../tools/servers/crds";
import { collectorPod, collectorResource, hostAddress, HttpStandIn } from "../../tools/servers/standins";
import type { Raw } from "../support";
import { CollectorStandIn, type Exporter, type OtlpBody } from "./collector";
import { command } from "./command";

const namespace: AnyObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "kof" } };
const [user, password] = ["admin-1", "never-to-be-printed"];

const logLine = (body: OtlpBody): string => body.resourceLogs[0].scopeLogs[0].logRecords[0].body.stringValue;
const metricLine = (body: OtlpBody): string => {
    const [{ name, gauge }] = body.resourceMetrics[0].scopeMetrics[0].metrics;
    const [{ attributes, asDouble }] = gauge.dataPoints;
    return `${name}{${attributes[0].key}="${attributes[0].value.stringValue}"} ${asDouble}`;
};
const traceOf = (body: OtlpBody): string => body.resourceSpans[0].scopeSpans[0].spans[0].traceId;

describe("verify", () => {
    const cluster = useCluster();
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-verify-"));
    const name = "kof-collectors-daemon";
    const running: { stop(): unknown }[] = [];

    before(function () {
        // The API server forwards to no loopback address, and a cluster elsewhere not to this machine.
        if (hostAddress === undefined || process.env.KUBECONFIG) {
            console.log("    Skipped: verify needs an API server of its own, and an address that it forwards to.");
            this.skip();
        }
    });
    after(() => {
        fs.rmSync(folder, { recursive: true });
    });
    afterEach(async () => {
        for (const each of running.splice(0).reverse()) {
            await each.stop();
        }
        await cluster().reset();
    });

    /** A daemon collector that exports so. */
    async function collector(write: Exporter): Promise<void> {
        const standIn = new CollectorStandIn(write);
        running.push(standIn);
        await cluster().apply(namespace);
        const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: "kof" } };
        await eventually(
            async () => (await cluster().read(account)) !== undefined,
            "the namespace has its service account",
        );
        const node = { apiVersion: "v1", kind: "Node", metadata: { name: "node-1" } };
        await cluster().apply(node, collectorResource(name, await standIn.start()), collectorPod(name));
    }

    async function verify(raw: Raw, ...more: string[]) {
        const file = path.join(folder, "Pulumi.test.yaml");
        const config = Object.fromEntries(Object.entries(raw).map(([key, value]) => [`kof:${key}`, value]));
        fs.writeFileSync(file, stringify({ config }));
        const args = ["cli/verify.ts", "--config", file, "--timeout", "10m", ...more];
        const env = { KUBECONFIG: cluster().kubeconfig, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
        const { code, stdout, stderr } = await command([...args, "--json"], env);
        assert.notEqual(stdout, "", stderr);
        assert.doesNotMatch(stdout + stderr, new RegExp(password));
        const { journeys, results } = JSON.parse(stdout) as { journeys: Journey[]; results: any[] };
        const hops = journeys.map(({ signal, accepted, sent, stored }) => `${signal}: ${accepted} ${sent} ${stored}`);
        return { code, hops, journeys, findings: results.flatMap((each) => each.findings) };
    }

    describe("on route regional, with VictoriaMetrics, VictoriaLogs and vmauth themselves", () => {
        const servers: ServerProcess[] = [];
        const traces = new Set<string>();
        let vmauth = "";
        let jaeger: HttpStandIn;
        const regional = {
            route: "regional",
            version: "1.9.0",
            regional: { cluster: "eu-1", domain: "eu-1.example.net" },
        };

        before(async function () {
            let binaries: string;
            try {
                binaries = await programs("victoriametrics");
            } catch (error) {
                if (!(error instanceof MissingTool)) {
                    throw error;
                }
                console.log(`    Skipped: ${error.message}`);
                this.skip();
            }
            const [metrics = 0, logs = 0, auth = 0] = await freePorts(3);
            // VictoriaTraces is not to be had as a Go module: this answers as its Jaeger API does.
            jaeger = await HttpStandIn.start(({ url, method }) => {
                const id = url.pathname.split("/").at(-1) ?? "";
                if (method === "POST") {
                    traces.add(id);
                    return [200];
                }
                return traces.has(id) ? [200, JSON.stringify({ data: [{ traceID: id }] })] : [404, "{}"];
            });
            const at = (port: number) => `http://127.0.0.1:${String(port)}`;
            const url = (from: string, to: string, drop: number) => ({
                src_paths: [from],
                url_prefix: to,
                drop_src_path_prefix_parts: drop,
            });
            // As kof-storage's VMUser has it, but for the path that a single VictoriaMetrics has instead of a cluster's.
            const url_map = [
                url("/vm/(select|insert)/.*", at(metrics), 3),
                url("/vl[si]/.*", at(logs), 1),
                url("/vt[si]/.*", at(jaeger.port), 1),
            ];
            const config = path.join(folder, "vmauth.yaml");
            fs.writeFileSync(config, stringify({ users: [{ username: user, password, url_map }] }));
            const start = async (program: string, port: number, args: Record<string, string>) => {
                const all = { httpListenAddr: `127.0.0.1:${String(port)}`, ...args };
                const log = path.join(folder, `${program}.log`);
                const server = new ServerProcess(path.join(binaries, program), programOptions(all, "-"), { log });
                servers.push(server);
                await server.until(async () => (await fetch(`${at(port)}/health`)).ok);
            };
            await start("victoria-metrics", metrics, { storageDataPath: path.join(folder, "metrics") });
            await start("victoria-logs", logs, { storageDataPath: path.join(folder, "logs") });
            await start("vmauth", auth, { "auth.config": config });
            vmauth = at(auth);
        });
        after(async () => {
            for (const server of servers) {
                await server.stop();
            }
            await jaeger.stop();
        });

        /** Writes to the region with some password. */
        const exporter =
            (pass: string): Exporter =>
            async (signal, body) => {
                const authorization = `Basic ${Buffer.from(`${user}:${pass}`).toString("base64")}`;
                const line = { _msg: signal === "logs" ? logLine(body) : "", _time: "0" };
                const [target = "", content = ""] = {
                    logs: () => ["/vli/insert/jsonline", `${JSON.stringify(line)}\n`],
                    metrics: () => ["/vm/insert/0/prometheus/api/v1/import/prometheus", metricLine(body)],
                    traces: () => [`/vti/${traceOf(body)}`, ""],
                }[signal]();
                return (await fetch(vmauth + target, { method: "POST", body: content, headers: { authorization } }))
                    .status;
            };
        const credentials = (pass: string): AnyObject => ({
            apiVersion: "v1",
            kind: "Secret",
            metadata: { name: vmuserSecretName("eu-1", "kcm-system"), namespace: "kof" },
            stringData: { username: user, password: pass },
        });

        it("finds each signal at its end", async () => {
            await collector(exporter(password));
            await cluster().apply(credentials(password));
            const { code, hops } = await verify(regional, "--vmauth", vmauth);
            assert.deepEqual(hops, ["metrics: yes yes yes", "logs: yes yes yes", "traces: yes yes yes"]);
            assert.equal(code, 0);
        });

        it("says that nothing is sent when the region refuses the collectors' credentials, though all is green", async () => {
            await collector(exporter("old"));
            await cluster().apply(credentials(password));
            const { code, hops, findings } = await verify(regional, "--vmauth", vmauth);
            assert.deepEqual(hops, ["metrics: yes no no", "logs: yes no no", "traces: yes no no"]);
            assert.equal(code, 3);
            assert.match(findings[0].what, /^accepted, but not sent to VictoriaMetrics of region eu-1/);
        });

        it("says where data is lost that was sent", async () => {
            await collector(() => Promise.resolve(200));
            await cluster().apply(credentials(password));
            const { code, hops, findings } = await verify(regional, "--vmauth", vmauth, "--timeout", "20s");
            assert.deepEqual(hops, ["metrics: yes yes no", "logs: yes yes no", "traces: yes yes no"]);
            assert.equal(code, 3);
            assert.match(findings[0].what, /^accepted and sent, but not stored in/);
        });

        it("tells what it could not see from what is missing", async () => {
            await collector(exporter(password));
            const { code, hops, journeys } = await verify(regional, "--vmauth", vmauth);
            assert.deepEqual(hops, ["metrics: yes yes unseen", "logs: yes yes unseen", "traces: yes yes unseen"]);
            assert.equal(code, 2);
            assert.match(journeys[0]!.detail!, /^there is no Secret kof\/kof-vmuser-creds-admin-/);

            await cluster().apply(credentials("wrong"));
            const refused = await verify(regional, "--vmauth", vmauth, "--timeout", "20s");
            assert.deepEqual([refused.code, ...refused.hops], [2, ...hops]);
            assert.match(refused.journeys[0]!.detail!, /HTTP 401: it refuses the credentials$/);
        });
    });

    it("asks the stores of the management cluster through the API server", async () => {
        const stored = new Set<string>();
        const asked: string[] = [];
        const store = await HttpStandIn.start(({ url }) => {
            asked.push(url.pathname);
            const question = decodeURIComponent(url.search).replaceAll("+", " ") + url.pathname;
            const mark = [...stored].find((each) => question.includes(each));
            const record = { _msg: mark, kof_verify_mark: mark, traceID: mark };
            return [
                200,
                url.pathname.startsWith("/select/logsql")
                    ? mark === undefined
                        ? ""
                        : `${JSON.stringify(record)}\n`
                    : JSON.stringify({ data: mark === undefined ? [] : [record] }),
            ];
        });
        running.push(store);
        await collector((signal, body) => {
            const mark = { logs: logLine, metrics: metricLine, traces: traceOf }[signal](body);
            stored.add(/kofverify\w+/.exec(mark)?.[0] ?? mark);
            return Promise.resolve(200);
        });
        const services = {
            "vmselect-cluster": 8481,
            "kof-storage-victoria-logs-cluster-vlselect": 9471,
            "kof-storage-vt-cluster-vtselect": 10471,
        };
        const targetRef = { kind: "Pod", name: collectorPod(name).metadata.name, namespace: "kof" };
        for (const [service, port] of Object.entries(services)) {
            const metadata = { name: service, namespace: "kof" };
            await cluster().apply(
                { apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ name: "http", port }] } },
                {
                    apiVersion: "v1",
                    kind: "Endpoints",
                    metadata,
                    // The API server forwards to pods only.
                    subsets: [
                        { addresses: [{ ip: hostAddress, targetRef }], ports: [{ name: "http", port: store.port }] },
                    ],
                },
            );
        }
        const { code, hops, journeys } = await verify({ route: "management" });
        assert.deepEqual(
            hops,
            ["metrics: yes yes yes", "logs: yes yes yes", "traces: yes yes yes"],
            JSON.stringify(journeys),
        );
        assert.equal(code, 0);
        assert.deepEqual([...new Set(asked)].map((each) => each.replace(/\/[0-9a-f]{32}$/, "/ID")).sort(), [
            "/select/0/prometheus/api/v1/series",
            "/select/jaeger/api/traces/ID",
            "/select/logsql/query",
        ]);
    });

    it("does not take a store that is not there for one without the record", async () => {
        await collector(() => Promise.resolve(200));
        const { code, hops, journeys } = await verify({ route: "management" }, "--timeout", "20s");
        assert.deepEqual(hops, ["metrics: yes yes unseen", "logs: yes yes unseen", "traces: yes yes unseen"]);
        assert.equal(code, 2);
        assert.match(journeys[2]!.detail!, /services "kof-storage-vt-cluster-vtselect" not found/);
    });

    it("reads CloudWatch, and says which signals the route stores nowhere", async function () {
        const moto = await startMoto();
        if (typeof moto === "string") {
            console.log(`    Skipped: ${moto}`);
            this.skip();
        }
        running.push(moto);
        const region = "us-east-2";
        const logs = new CloudWatchLogsClient({
            region,
            endpoint: moto.endpoint,
            credentials: { accessKeyId: "test", secretAccessKey: "test" },
        });
        const [logGroupName, logStreamName] = ["/kof/mothership", "logs"];
        await logs.send(new CreateLogGroupCommand({ logGroupName }));
        await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
        await collector(async (signal, body) => {
            if (signal === "logs") {
                const message = JSON.stringify({ body: logLine(body) });
                const logEvents = [{ timestamp: Date.now(), message }];
                await logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
            }
            return 200;
        });
        const { code, hops, journeys } = await verify({
            route: "cloudwatch",
            cloudwatch: { region, endpoint: moto.endpoint },
        });
        assert.deepEqual(
            hops,
            ["metrics: no no no", "logs: yes yes yes", "traces: no no no"],
            JSON.stringify(journeys),
        );
        assert.equal(code, 0);
        const gone = { route: "cloudwatch", cloudwatch: { region, endpoint: moto.endpoint, logGroup: "other" } };
        const { code: unseen, journeys: lost } = await verify(gone, "--timeout", "20s");
        assert.equal(unseen, 2);
        assert.match(lost.find(({ signal }) => signal === "logs")!.detail!, /ResourceNotFoundException/);
    });

    it("says that nothing is taken in where no collector runs", async () => {
        await cluster().apply(namespace);
        const { code, findings } = await verify({ route: "management" });
        assert.equal(code, 3);
        assert.match(
            findings[0].what,
            /^not accepted by the collector: no pod of kof-collectors-daemon is running in kof$/,
        );
    });
});
