import assert from "node:assert/strict";
import { randomBytes, X509Certificate } from "node:crypto";
import { gunzipSync } from "node:zlib";

import { versions } from "../../../core/charts";
import { valueAt } from "../../../core/lib/values";
import { destinationPresets } from "../../../core/settings/destinationPresets";
import { RealCollector, type OtlpSignal } from "../../../tools/servers/collector";
import { eventually } from "../../../tools/servers/program";
import { deploymentFor, type Raw } from "../../support";
import { Clouds, granted, projects } from "./clouds";
import { gauge, logs, spans, total } from "./records";
import {
    certificate,
    DestinationStandIn,
    useCollector,
    signalOf,
    type Arrived,
    type Certificate,
    type Request,
} from "./standIns";

const region = "us-east-2";
const signals = ["metrics", "logs", "traces"] as const;

/** What a Secret may hold: no character of it means anything to a collector, YAML or a URL. */
const awkward = "s3cr$t: [1, {2 #'\"%+é";

/** The Secrets that the destinations name. */
const secrets = {
    headers: { "x-vendor-key": awkward, "x-number": "0012e3", "x-map": "a: 012", Authorization: "Api-Token 0123" },
    login: { username: "0042", password: awkward },
    token: { token: "true" },
    client: { client_id: "kof", client_secret: awkward },
    aws: { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" },
};

describe("destinations, with a real collector", function () {
    this.timeout(900_000);
    const { reader, programsAt } = useCollector();
    let [server, client]: Certificate[] = [];
    let clouds: Clouds;
    const running: RealCollector[] = [];
    const standIns: DestinationStandIn[] = [];

    before(async () => {
        [server, client] = [certificate(), certificate()];
        clouds = await new Clouds(server).start();
    });
    after(async () => {
        await clouds.stop();
        await Promise.all(running.map((each) => each.remove()));
        await Promise.all(standIns.map((each) => each.stop()));
    });

    /** @param around variables that its pods get from elsewhere. */
    function collectorFor(raw: Raw, key = "daemon", around: Readonly<Record<string, string>> = {}): RealCollector {
        const found = deploymentFor(raw).collectors.find((each) => each.key === key);
        assert.ok(found);
        const env = [...found.env, ...Object.entries(around).map(([name, value]) => ({ name, value }))];
        const mine = { cert: client!.cert, key: client!.key };
        const certificates = { ca: { "ca.crt": server!.cert }, mine: { "tls.crt": mine.cert, "tls.key": mine.key } };
        const collector = new RealCollector(programsAt(), { ...found, env }, { ...secrets, ...certificates });
        running.push(collector);
        return collector;
    }

    async function standIn(protocol: "http" | "grpc", tls?: Certificate): Promise<DestinationStandIn> {
        const started = await new DestinationStandIn(protocol, tls).start();
        standIns.push(started);
        return started;
    }

    describe("each of them next to all others", () => {
        let [plain, encrypted, grpc, grpcMetrics, secureGrpc, proxy]: DestinationStandIn[] = [];
        const tokens: string[] = [];
        const started = Date.now() - 60_000;
        const traceIds = Array.from({ length: 40 }, () => randomBytes(16).toString("hex"));

        /** The destinations that get each signal, by name. */
        const destinations = (): Readonly<Record<string, Raw>> => {
            const at = (place: DestinationStandIn | undefined, path = "") =>
                `http://127.0.0.1:${String(place?.port)}${path}`;
            const secure = (path: string) => `https://localhost:${String(encrypted?.port)}${path}`;
            return {
                plain: { endpoint: at(plain, "/plain") },
                own: {
                    endpoint: at(plain, "/own"),
                    signals: { logs: { endpoint: at(plain, "/own/elsewhere/logs") } },
                    compression: "none",
                },
                zstd: { endpoint: at(plain, "/zstd"), compression: "zstd" },
                snappy: { endpoint: at(plain, "/snappy"), compression: "snappy" },
                headers: {
                    endpoint: at(plain, "/headers"),
                    auth: { kind: "headers", secret: "headers", headers: Object.keys(secrets.headers) },
                    headers: { "X-Scope-OrgID": "$kof ${env:HOME}" },
                },
                basic: { endpoint: at(plain, "/basic"), auth: { kind: "basic", secret: "login" } },
                bearer: { endpoint: at(plain, "/bearer"), auth: { kind: "bearer", secret: "token" } },
                oauth2: {
                    endpoint: at(plain, "/oauth2"),
                    auth: {
                        kind: "oauth2",
                        secret: "client",
                        tokenUrl: at(plain, "/token"),
                        scopes: ["write", "read"],
                    },
                },
                sigv4: {
                    endpoint: at(plain, "/sigv4"),
                    auth: { kind: "sigv4", region, service: "xray", secret: "aws" },
                },
                ca: { endpoint: secure("/ca"), tls: { caSecret: "ca" } },
                name: {
                    endpoint: `https://127.0.0.1:${String(encrypted?.port)}/name`,
                    tls: { caSecret: "ca", serverName: "otlp.example.net" },
                },
                unverified: {
                    endpoint: `https://127.0.0.1:${String(encrypted?.port)}/unverified`,
                    tls: { insecureSkipVerify: true },
                },
                certificate: {
                    endpoint: secure("/certificate"),
                    tls: { caSecret: "ca" },
                    auth: { kind: "clientCertificate", secret: "mine" },
                },
                proxied: { endpoint: "http://otlp.example.net/proxied", proxy: at(proxy) },
                delta: { endpoint: at(plain, "/delta"), temporality: "delta" },
                batch: { endpoint: at(plain, "/batch"), batch: 7 },
                chosen: {
                    endpoint: at(plain, "/chosen"),
                    processing: {
                        dropNamespaces: ["kube-system", "kube-public"],
                        minimumSeverity: "warn",
                        redact: ["\\b\\d{3}-\\d{2}-\\d{4}\\b", '"?\\$\\{?secret'],
                        sampleTraces: 50,
                    },
                },
                grpc: {
                    protocol: "grpc",
                    endpoint: at(grpc),
                    signals: { metrics: { endpoint: at(grpcMetrics) } },
                    auth: { kind: "headers", secret: "headers", headers: ["Authorization"] },
                    headers: { "X-Scope-OrgID": "kof" },
                    compression: "zstd",
                    batch: 7,
                },
                "secure-grpc": {
                    protocol: "grpc",
                    endpoint: `https://localhost:${String(secureGrpc?.port)}`,
                    tls: { caSecret: "ca" },
                    auth: { kind: "bearer", secret: "token" },
                },
            };
        };
        const forMetrics = (): Readonly<Record<string, Raw>> => ({
            mimir: {
                protocol: "remotewrite",
                endpoint: `http://127.0.0.1:${String(plain?.port)}/mimir/api/v1/push`,
                headers: { "X-Scope-OrgID": "kof" },
                auth: { kind: "basic", secret: "login" },
                processing: { dropNamespaces: ["kube-system"] },
            },
            amp: {
                protocol: "remotewrite",
                endpoint: `http://127.0.0.1:${String(plain?.port)}/amp/api/v1/remote_write`,
                auth: { kind: "sigv4", region, service: "aps", secret: "aws" },
            },
        });

        /** The log records, by what they say. */
        const sentLogs = [
            { text: "debug", severity: 5 },
            { text: "info", severity: 9 },
            { text: "warn", severity: 13 },
            { text: "no severity" },
            { text: "fatal of 078-05-1120", severity: 21, attributes: { user: "078-05-1120 and ${secret" } },
            { text: "audit", attributes: { log_type: "k8s_audit" } },
        ];

        before(async () => {
            [plain, encrypted] = [await standIn("http"), await standIn("http", server)];
            [grpc, grpcMetrics, secureGrpc] = [
                await standIn("grpc"),
                await standIn("grpc"),
                await standIn("grpc", server),
            ];
            proxy = await standIn("http");
            plain.behave = ({ url, body, headers }) => {
                if (url.pathname !== "/token") {
                    return 200;
                }
                tokens.push(`${headers.authorization ?? ""} ${body.toString()}`);
                return [200, JSON.stringify({ access_token: "granted", token_type: "Bearer", expires_in: 3600 })];
            };
            const all = destinations();
            const names = Object.keys(all);
            const collector = collectorFor({
                route: "none",
                version: "1.10.0",
                signals: {
                    metrics: [...names, ...Object.keys(forMetrics())],
                    logs: names,
                    traces: names,
                    audit: names,
                },
                destinations: { ...all, ...forMetrics() },
            });
            assert.ok(await collector.start(), collector.log);
            for (const namespace of ["shop", "kube-system", "kube-public"]) {
                await collector.send("logs", logs(sentLogs, namespace));
                await collector.send("metrics", gauge("g", ["a", "b"], namespace));
            }
            await collector.send(
                "logs",
                logs(Array.from({ length: 33 }, (_, index) => ({ text: `many ${String(index)}` }))),
            );
            await collector.send(
                "metrics",
                gauge(
                    "many",
                    Array.from({ length: 33 }, (_, index) => String(index)),
                ),
            );
            await collector.send("metrics", total("requests_total", 10, started));
            const attributes = { password: "078-05-1120" };
            for (const name of ["one", "two", "three"]) {
                await collector.send("traces", spans(traceIds.map((traceId) => ({ name, traceId, attributes }))));
            }
            const totals = async (path: string) =>
                (await at(plain, path, "metrics")).filter(({ name }) => name === "requests_total");
            await eventually(async () => (await totals("/plain")).length === 1);
            await collector.send("metrics", total("requests_total", 25, started));
            await eventually(async () => (await totals("/delta")).length > 0);
        });

        const requests = (place: DestinationStandIn | undefined, path: string, signal?: OtlpSignal): Request[] =>
            (place?.taken ?? []).filter(
                (each) =>
                    (place === plain || place === encrypted || place === proxy
                        ? each.url.pathname.startsWith(`${path}/`)
                        : true) &&
                    (signal === undefined || signalOf(each) === signal),
            );
        const at = async (
            place: DestinationStandIn | undefined,
            path: string,
            signal?: OtlpSignal,
        ): Promise<Arrived[]> => reader.read(requests(place, path, signal));

        /** All that is sent, by signal: what arrives at a destination that drops nothing. */
        const everything = () => ({
            logs: [
                ...["shop", "kube-system", "kube-public"].flatMap((namespace) =>
                    sentLogs.map(({ text }) => `${namespace} ${text}`),
                ),
                ...Array.from({ length: 33 }, (_, index) => `shop many ${String(index)}`),
            ].sort(),
            metrics: [
                ...["shop", "kube-system", "kube-public"].flatMap((namespace) =>
                    ["a", "b"].map((each) => `${namespace} g ${each}`),
                ),
                ...Array.from({ length: 33 }, (_, index) => `shop many ${String(index)}`),
                ...["shop requests_total 10", "shop requests_total 25"],
            ].sort(),
            traces: ["one", "two", "three"].flatMap((name) => traceIds.map((id) => `shop ${name} ${id}`)).sort(),
        });
        const named = ({ resource, name, attributes, traceId, value }: Arrived) =>
            [
                resource["k8s.namespace.name"],
                name,
                traceId ?? attributes.series ?? (name === "requests_total" ? value : undefined),
            ]
                .filter((each) => each !== undefined)
                .join(" ");

        /** What arrives at one that drops nothing, once it has. */
        async function all(place: DestinationStandIn | undefined, path: string, signal: (typeof signals)[number]) {
            const expected = everything()[signal];
            await eventually(async () => (await at(place, path, signal)).length >= expected.length);
            const arrived = await at(place, path, signal);
            assert.deepEqual(arrived.map(named).sort(), expected);
            return arrived;
        }
        const identity = { "k8s.cluster.name": "mothership", "k8s.cluster.namespace": "kcm-system" };
        function identified(arrived: readonly Arrived[]) {
            for (const { resource } of arrived) {
                assert.deepEqual({ ...resource, ...identity }, resource);
            }
        }

        const overHttp = [
            ...["plain", "own", "zstd", "snappy", "headers", "basic", "bearer", "oauth2", "sigv4"],
            ...["ca", "name", "unverified", "certificate", "proxied", "batch"],
        ];
        const placeOf = (name: string) =>
            ["ca", "name", "unverified", "certificate"].includes(name) ? encrypted : name === "proxied" ? proxy : plain;
        for (const name of overHttp) {
            it(`sends all of each signal, with the cluster's names, at its address: ${name}`, async () => {
                for (const signal of signals) {
                    identified(await all(placeOf(name), `/${name}`, signal));
                }
                const paths = new Set(requests(placeOf(name), `/${name}`).map(({ url }) => url.pathname));
                const own = name === "own" ? "/own/elsewhere/logs" : `/${name}/v1/logs`;
                assert.deepEqual([...paths].sort(), [own, `/${name}/v1/metrics`, `/${name}/v1/traces`].sort());
            });
        }

        it("compresses as told", () => {
            const encodings = (path: string) => [...new Set(requests(plain, path).map(({ encoding }) => encoding))];
            assert.deepEqual(encodings("/plain"), ["gzip"]);
            assert.deepEqual(encodings("/zstd"), ["zstd"]);
            assert.deepEqual(encodings("/snappy"), ["snappy"]);
            assert.deepEqual(encodings("/own"), [undefined]);
            assert.deepEqual(encodings("/mimir"), ["snappy"]);
        });

        it("authenticates, whatever characters the Secrets hold", () => {
            const header = (path: string, name: string, place = plain) =>
                [...new Set(requests(place, path).map(({ headers }) => headers[name]))].map((each) =>
                    Buffer.from(String(each), "latin1").toString(),
                );
            const basic = `Basic ${Buffer.from(`0042:${awkward}`).toString("base64")}`;
            assert.deepEqual(header("/headers", "x-vendor-key"), [awkward]);
            assert.deepEqual(header("/headers", "x-number"), [secrets.headers["x-number"]]);
            assert.deepEqual(header("/headers", "x-map"), [secrets.headers["x-map"]]);
            assert.deepEqual(header("/headers", "authorization"), ["Api-Token 0123"]);
            assert.deepEqual(header("/headers", "x-scope-orgid"), ["$kof ${env:HOME}"]);
            assert.deepEqual(header("/basic", "authorization"), [basic]);
            assert.deepEqual(header("/mimir", "authorization"), [basic]);
            assert.deepEqual(header("/mimir", "x-scope-orgid"), ["kof"]);
            assert.deepEqual(header("/bearer", "authorization"), ["Bearer true"]);
            assert.deepEqual(header("", "authorization", grpc), ["Api-Token 0123"]);
            assert.deepEqual(header("", "x-scope-orgid", grpc), ["kof"]);
            assert.deepEqual(header("", "authorization", secureGrpc), ["Bearer true"]);
            assert.deepEqual(header("/oauth2", "authorization"), ["Bearer granted"]);
            for (const token of tokens) {
                const [, login = ""] = /^Basic (\S+) /.exec(token) ?? [];
                const client = Buffer.from(login, "base64").toString().split(":").map(unescaped);
                assert.deepEqual(client, ["kof", awkward]);
                assert.match(token, /grant_type=client_credentials/);
                assert.match(token, /scope=write\+read/);
            }
            assert.ok(tokens.length > 0);
        });

        it("signs for AWS with the key of the Secret", () => {
            const today = new Date().toISOString().slice(0, 10).replaceAll("-", "");
            const signed = (path: string, service: string) => {
                const found = requests(plain, path);
                assert.ok(found.length > 0);
                for (const { headers } of found) {
                    const scope = `AKIAEXAMPLE/${today}/${region}/${service}/aws4_request`;
                    assert.ok(
                        headers.authorization?.startsWith(`AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=`),
                    );
                    assert.ok(headers["x-amz-date"]);
                }
            };
            signed("/sigv4", "xray");
            signed("/amp", "aps");
        });

        it("shows the client certificate where one is set, and nowhere else", () => {
            const shown = (path: string) => [
                ...new Set(requests(encrypted, path).map((each) => each.clientCertificate)),
            ];
            assert.deepEqual(shown("/certificate"), [new X509Certificate(client!.cert).raw.toString("base64")]);
            assert.deepEqual(shown("/ca"), [undefined]);
        });

        it("asks the proxy for the address", () => {
            const hosts = new Set(requests(proxy, "/proxied").map(({ url }) => url.origin));
            assert.deepEqual([...hosts], ["http://otlp.example.net"]);
        });

        it("puts no more into one request than it is told", async () => {
            for (const signal of signals) {
                for (const [place, path] of [
                    [plain, "/batch"],
                    [grpc, ""],
                    [grpcMetrics, ""],
                ] as const) {
                    for (const request of requests(place, path, signal)) {
                        assert.ok((await reader.read([request])).length <= 7);
                    }
                }
            }
            const largest = await Promise.all(requests(plain, "/plain", "logs").map((each) => reader.read([each])));
            assert.ok(Math.max(...largest.map(({ length }) => length)) > 7);
        });

        it("sends what was added where totals are refused, and totals elsewhere", async () => {
            const of = async (path: string) =>
                (await at(plain, path, "metrics"))
                    .filter(({ name }) => name === "requests_total")
                    .map(({ value, temporality }) => [value, temporality]);
            assert.deepEqual((await of("/delta")).at(-1), [15, 1]);
            assert.deepEqual(await of("/plain"), [
                [10, 2],
                [25, 2],
            ]);
            identified(await at(plain, "/delta", "metrics"));
            await all(plain, "/delta", "logs");
        });

        it("writes over gRPC, with an address of its own for one signal", async () => {
            identified([
                ...(await all(grpc, "", "logs")),
                ...(await all(grpcMetrics, "", "metrics")),
                ...(await all(grpc, "", "traces")),
            ]);
            assert.deepEqual(requests(grpc, "", "metrics"), []);
            assert.deepEqual([...new Set(requests(grpc, "").map(({ encoding }) => encoding))], ["zstd"]);
            for (const signal of signals) {
                identified(await all(secureGrpc, "", signal));
            }
        });

        it("writes series to Prometheus remote write, with the cluster's labels and without what is dropped", async () => {
            const expected = everything().metrics;
            const series = async (path: string) => reader.read(requests(plain, path));
            await eventually(
                async () =>
                    (await series("/amp")).filter(({ name }) => name !== "target_info").length >= expected.length,
            );
            await eventually(async () => (await series("/mimir")).some(({ value }) => value === 25));
            for (const path of ["/amp", "/mimir"]) {
                for (const { attributes } of await series(path)) {
                    assert.equal(attributes.cluster, "mothership");
                    assert.equal(attributes.clusterNamespace, "kcm-system");
                }
            }
            const gauges = (await series("/mimir")).filter(({ name }) => name === "g");
            // Two namespaces of one series: remote write tells them by labels that k8sattributes or target_info bring.
            assert.deepEqual([...new Set(gauges.map(({ attributes }) => attributes.series))].sort(), ["a", "b"]);
            assert.equal(gauges.length, 4);
        });

        it("drops, keeps, redacts and samples as chosen, at that destination alone", async () => {
            await eventually(async () => (await at(plain, "/chosen", "logs")).length >= 37);
            const found = await at(plain, "/chosen", "logs");
            identified(found);
            const many = Array.from({ length: 33 }, (_, index) => `shop many ${String(index)}`);
            const kept = ["warn", "no severity", "fatal of ****", "audit"].map((each) => `shop ${each}`);
            assert.deepEqual(found.map(named).sort(), [...kept, ...many].sort());
            assert.equal(found.find(({ name }) => name.startsWith("fatal"))?.attributes.user, "**** and ****");

            const points = await at(plain, "/chosen", "metrics");
            assert.deepEqual(new Set(points.map(({ resource }) => resource["k8s.namespace.name"])), new Set(["shop"]));

            const traces = await at(plain, "/chosen", "traces");
            const spansOf = (id: string) => traces.filter(({ traceId }) => traceId === id).length;
            const counts = traceIds.map(spansOf);
            assert.deepEqual([...new Set(counts)].sort(), [0, 3]);
            assert.deepEqual(new Set(traces.map(({ attributes }) => attributes.password)), new Set(["****"]));
        });
    });

    it("authenticates in every way over every protocol, all of them side by side", async () => {
        const [http, grpc] = [await standIn("http", server), await standIn("grpc", server)];
        const tokens = await standIn("http");
        tokens.behave = () => [200, JSON.stringify({ access_token: "granted", token_type: "Bearer" })];
        const destinations = pairs.map(({ name, protocol, kind }): [string, Raw] => {
            const port = String((protocol === "grpc" ? grpc : http).port);
            const path = { http: `/${name}`, grpc: "", remotewrite: `/${name}/push` }[protocol];
            return [
                name,
                {
                    protocol,
                    endpoint: `https://localhost:${port}${path}`,
                    tls: { caSecret: "ca" },
                    headers: { "x-pair": name },
                    auth: authOf(kind, `http://127.0.0.1:${String(tokens.port)}/token`),
                },
            ];
        });
        const all = pairs.map(({ name }) => name);
        const some = ["http-none"];
        const raw: Raw = {
            route: "none",
            signals: { metrics: all, logs: some, audit: some, traces: some },
            destinations: Object.fromEntries(destinations),
        };
        const collector = collectorFor(raw, "daemon", clouds.ofPod());
        assert.ok(await collector.start(), collector.log);
        await collector.send("metrics", gauge("g", ["a"]));
        const requests = (pair: string) =>
            [...http.taken, ...grpc.taken].filter(({ headers }) => headers["x-pair"] === pair);
        await eventually(() => pairs.every(({ name }) => requests(name).length > 0)).catch(() => undefined);
        const authorization: Readonly<Record<Kind, string | undefined>> = {
            none: undefined,
            headers: secrets.headers.Authorization,
            basic: `Basic ${Buffer.from(`${secrets.login.username}:${awkward}`).toString("base64")}`,
            bearer: "Bearer true",
            oauth2: "Bearer granted",
            sigv4: "AWS4-HMAC-SHA256",
            clientCertificate: undefined,
            google: `Bearer ${granted.google.pod}`,
            azure: `Bearer ${granted.azure.pod}`,
        };
        const shown = new X509Certificate(client!.cert).raw.toString("base64");
        for (const { name, protocol, kind } of pairs) {
            const found = requests(name).map(({ url, headers, clientCertificate }) => ({
                path: url.pathname,
                authorization: headers.authorization?.replace(/ Credential=.*/, ""),
                clientCertificate,
            }));
            const expected = {
                path: {
                    http: `/${name}/v1/metrics`,
                    grpc: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
                    remotewrite: `/${name}/push`,
                }[protocol],
                authorization: authorization[kind],
                clientCertificate: kind === "clientCertificate" ? shown : undefined,
            };
            assert.ok(found.length > 0, `${name}: ${collector.log}`);
            assert.deepEqual([...new Set(found.map((each) => JSON.stringify(each)))], [JSON.stringify(expected)]);
        }
        await collector.remove();
    });

    it("cuts requests by their bytes where a vendor takes no larger ones", async () => {
        const place = await standIn("http");
        const vendor = {
            preset: "new-relic",
            endpoint: `http://127.0.0.1:${String(place.port)}`,
            auth: { kind: "headers", secret: "vendor" },
        };
        const to = ["vendor"];
        const raw: Raw = { route: "none", signals: { logs: to, audit: to }, destinations: { vendor } };
        const collector = collectorFor(raw);
        assert.ok(await collector.start(), collector.log);
        const texts = Array.from({ length: 30 }, (_, index) => String(index).padEnd(100_000, "."));
        for (const some of [texts.slice(0, 25), texts.slice(25)]) {
            await collector.send("logs", logs(some.map((text) => ({ text }))));
        }
        await eventually(async () => (await reader.read(place.taken)).length >= texts.length);
        assert.deepEqual((await reader.read(place.taken)).map(({ name }) => name).sort(), [...texts].sort());
        const { bytes = 0 } = destinationPresets["new-relic"].batch as { readonly bytes?: number };
        for (const { body } of place.taken) {
            assert.ok(gunzipSync(body).length <= bytes);
        }
        await collector.remove();
    });

    describe("by an identity of a cloud", () => {
        let place: DestinationStandIn;
        const stack = (...names: string[]): Raw => {
            const at = (path: string) => ({ endpoint: `http://127.0.0.1:${String(place.port)}${path}` });
            const ofAzure = signals.map((signal) => [signal, at(`/azure/v1/${signal}`)] as const);
            const destinations: Raw = {
                azure: { preset: "azure-monitor", signals: Object.fromEntries(ofAzure) },
                google: { preset: "google-cloud", ...at("/google") },
                aws: { ...at("/aws"), auth: { kind: "sigv4", region, service: "aps" } },
                plain: at("/plain"),
            };
            return {
                route: "none",
                signals: { metrics: names, logs: names, traces: names, audit: names },
                destinations: Object.fromEntries(names.map((name) => [name, destinations[name]])),
            };
        };
        const sendAll = async (collector: RealCollector) => {
            await collector.send("metrics", gauge("g", ["a"]));
            await collector.send("logs", logs([{ text: "a" }]));
            await collector.send("traces", spans([{ name: "a", traceId: "a".repeat(32) }]));
        };
        const requests = (path: string) => place.taken.filter(({ url }) => url.pathname.startsWith(`/${path}/`));
        const everything = (path: string) => new Set(requests(path).map(signalOf)).size === signals.length;
        const header = (path: string, name: string) => [...new Set(requests(path).map(({ headers }) => headers[name]))];

        beforeEach(async () => {
            place = await standIn("http");
            clouds.nodes = true;
        });

        for (const whose of ["pod", "node"] as const) {
            it(`sends with the token that the cloud gives: of the ${whose}`, async () => {
                const around = whose === "pod" ? clouds.ofPod() : clouds.ofNode();
                const collector = collectorFor(stack("azure", "google"), "daemon", around);
                assert.ok(await collector.start(), collector.log);
                await sendAll(collector);
                await eventually(() => everything("azure") && everything("google"));
                assert.deepEqual(header("azure", "authorization"), [`Bearer ${granted.azure[whose]}`]);
                assert.deepEqual(header("google", "authorization"), [`Bearer ${granted.google[whose]}`]);
                assert.deepEqual(header("google", "x-goog-project-id"), [projects[whose]]);
                const quota = whose === "pod" ? projects.quota : undefined;
                assert.deepEqual(header("google", "x-goog-user-project"), [quota]);
                await collector.remove();
            });
        }

        it("keeps for Azure what it has no token for, and does not start without an identity of Google or AWS", async () => {
            clouds.nodes = false;
            const collector = collectorFor(stack("azure", "plain"), "daemon", clouds.ofNode());
            assert.ok(await collector.start(), collector.log);
            await sendAll(collector);
            await eventually(() => everything("plain") && collector.log.includes("azureauth: failed to get token"));
            assert.deepEqual(requests("azure"), []);
            clouds.nodes = true;
            await eventually(() => everything("azure"));
            await collector.remove();

            clouds.nodes = false;
            const google = collectorFor(stack("google", "plain"), "daemon", clouds.ofNode());
            assert.equal(await google.start(), false);
            assert.match(google.log, /failed to start extensions/);
            const withoutKeys = { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "", AWS_EC2_METADATA_DISABLED: "true" };
            const aws = collectorFor(stack("aws", "plain"), "daemon", withoutKeys);
            assert.equal(await aws.start(), false);
            assert.match(aws.log, /could not retrieve credential provider/);
        });
    });

    for (const version of versions) {
        it(`starts with KOF's stores, a region, CloudWatch and every preset and pair of kinds, as every collector would (KOF ${version})`, async () => {
            const raw = everyKind(version);
            for (const { key } of deploymentFor(raw).collectors) {
                const collector = collectorFor(raw, key);
                assert.equal(await collector.complaint(), "");
            }
            const daemon = collectorFor(raw, "daemon", clouds.ofPod());
            assert.ok(await daemon.start(), daemon.log);
            await daemon.remove();
        });
    }
});

/** Text of a form. */
function unescaped(text: string): string {
    return decodeURIComponent(text.replaceAll("+", " "));
}

const protocols = ["http", "grpc", "remotewrite"] as const;
const kinds = [
    ...(["none", "headers", "basic", "bearer", "oauth2", "sigv4", "clientCertificate", "google", "azure"] as const),
];
type Kind = (typeof kinds)[number];

/** Over gRPC, requests carry no signature of AWS, and the extension for Azure writes none of its headers. */
const pairs = protocols.flatMap((protocol) =>
    kinds
        .filter((kind) => protocol !== "grpc" || (kind !== "sigv4" && kind !== "azure"))
        .map((kind) => ({ name: `${protocol}-${kind}`.toLowerCase(), protocol, kind })),
);

/** Settings of a kind of authentication, with the Secret that it has here. */
function authOf(kind: Kind, tokenUrl: string): Raw {
    const secret = { headers: "headers", basic: "login", bearer: "token", oauth2: "client", clientCertificate: "mine" };
    return {
        kind,
        ...(kind in secret ? { secret: secret[kind as keyof typeof secret] } : {}),
        // A collector has one pair of AWS keys.
        ...(kind === "sigv4" ? { region, service: "aps", secret: "aws" } : {}),
        ...(kind === "oauth2" ? { tokenUrl } : {}),
    };
}

/** A stack with every preset and every pair of protocol and authentication, of which each gets what it takes. */
function everyKind(version: string): Raw {
    const tokenUrl = "https://login.example.net/token";
    const all = Object.entries(destinationPresets);
    const ofPresets = all.map(([name, preset]): [string, Raw] => {
        const own = signals.flatMap((signal) => {
            const example = valueAt(preset as never, ["signals", signal, "endpointExample"]);
            return typeof example === "string" ? [[signal, { endpoint: example }]] : [];
        });
        const auth = {
            ...authOf(preset.auth.kind, tokenUrl),
            ...(preset.auth.kind === "headers" ? { secret: name } : {}),
        };
        return [
            name,
            {
                preset: name,
                auth,
                ...(preset.endpointExample === undefined ? {} : { endpoint: preset.endpointExample }),
                ...(own.length > 0 ? { signals: Object.fromEntries(own) } : {}),
            },
        ];
    });
    const ofPairs = pairs.map(({ name, protocol, kind }): [string, Raw] => [
        name,
        { protocol, endpoint: `https://${name}.example.net`, auth: authOf(kind, tokenUrl) },
    ]);
    const taking = (signal: (typeof signals)[number]) => [
        ...all.filter(([, preset]) => !preset.signals[signal].refused).map(([name]) => name),
        ...pairs.filter(({ protocol }) => protocol !== "remotewrite" || signal === "metrics").map(({ name }) => name),
    ];
    const [metrics = [], logs = [], traces = []] = signals.map((signal) => [
        "management",
        "regional",
        ...taking(signal),
    ]);
    return {
        route: "management",
        version,
        signals: { metrics, logs: [...logs, "cloudwatch"], audit: [...logs, "cloudwatch"], traces },
        regional: { cluster: "eu-1", domain: "eu-1.example.net" },
        cloudwatch: { region, credentials: { kind: "existingSecret", name: "aws" } },
        destinations: Object.fromEntries([...ofPresets, ...ofPairs]),
    };
}
