import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";

import { mergeValues, nest, type HelmValues } from "../../../core/lib/values";
import { RealCollector } from "../../../tools/servers/collector";
import { eventually } from "../../../tools/servers/program";
import { deploymentFor } from "../../support";
import { gauge, spans } from "./records";
import { DestinationStandIn, useCollector, type Request } from "./standIns";

const region = "us-east-2";

/** What AWS takes in one request: data points; spans, and their bytes before compression ("OTLP endpoints", 2026-11). */
const most = { points: 1000, spans: 10_000, bytes: 5_000_000 };

describe("CloudWatch over OTLP, with a real collector", function () {
    this.timeout(900_000);
    const { reader, programsAt } = useCollector();
    let collector: RealCollector | undefined;
    const standIns: DestinationStandIn[] = [];

    after(async () => {
        await collector?.remove();
        await Promise.all(standIns.map((each) => each.stop()));
    });

    it("takes every point and span, signed, in requests that AWS takes, through an outage and a kill", async () => {
        const daemon = deploymentFor({
            route: "cloudwatch",
            cloudwatch: {
                region,
                signals: { metrics: "otlp", traces: "otlp" },
                credentials: { kind: "existingSecret", name: "aws" },
            },
        }).collectors.find(({ key }) => key === "daemon");
        assert.ok(daemon);
        const place = await new DestinationStandIn("http").start();
        standIns.push(place);
        const isSigned = (request: Request, service: string) =>
            request.headers.authorization?.includes(`/${region}/${service}/aws4_request`) === true;
        let isAway = false;
        place.behave = (request) => {
            const service = request.url.pathname.endsWith("metrics") ? "monitoring" : "xray";
            return isAway ? 503 : isSigned(request, service) ? 200 : 403;
        };
        // Only the address differs from what is deployed.
        const redirected = (config: HelmValues) =>
            mergeValues(
                config,
                ...(["metrics", "traces"] as const).map((signal) =>
                    nest(["exporters", `otlphttp/cloudwatch-${signal}`], {
                        [`${signal}_endpoint`]: `http://127.0.0.1:${String(place.port)}/v1/${signal}`,
                    }),
                ),
            );
        collector = new RealCollector(programsAt(), daemon, {
            aws: { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" },
        });
        const of = (signal: string) => place.taken.filter(({ url }) => url.pathname === `/v1/${signal}`);
        const arrived = async (signal: string) => reader.read(of(signal));
        const traceId = (part: number, i: number) => (part * 10_000 + i + 1).toString(16).padStart(32, "0");
        const send = async (part: number) => {
            const series = Array.from({ length: 2500 }, (_, i) => `${String(part)}-${String(i)}`);
            await collector?.send("metrics", gauge("m", series));
            const list = Array.from({ length: 3000 }, (_, i) => ({ name: `s${String(i)}`, traceId: traceId(part, i) }));
            await collector?.send("traces", spans(list));
        };
        assert.ok(await collector.start(redirected), collector.log);
        await send(1);
        await eventually(
            async () => (await arrived("metrics")).length === 2500 && (await arrived("traces")).length === 3000,
        );
        isAway = true;
        await send(2);
        await eventually(async () => {
            const waiting =
                (await collector?.samples())?.filter(({ name }) => name === "otelcol_exporter_queue_size") ?? [];
            return waiting.filter(({ value }) => value > 0).length >= 2;
        });
        await collector.stop("SIGKILL");
        isAway = false;
        assert.ok(await collector.start(redirected), collector.log);
        const points = async () => new Set((await arrived("metrics")).map(({ attributes }) => attributes.series));
        const traces = async () => new Set((await arrived("traces")).map((span) => span.traceId));
        await eventually(async () => (await points()).size === 5000 && (await traces()).size === 6000);

        for (const request of of("metrics")) {
            const found = await reader.read([request]);
            assert.ok(found.length <= most.points, String(found.length));
            assert.ok(found.every(({ resource }) => resource["k8s.cluster.name"] === "mothership"));
        }
        for (const request of of("traces")) {
            const found = await reader.read([request]);
            assert.ok(found.length <= most.spans && gunzipSync(request.body).length < most.bytes);
            assert.ok(found.every(({ resource }) => resource["k8s.cluster.name"] === "mothership"));
        }
        assert.ok(place.taken.every(({ encoding }) => encoding === "gzip"));
    });

    it("signs with the role that it assumes, and does not start where it may not", async () => {
        const roleArn = "arn:aws:iam::210987654321:role/kof-logs";
        const daemon = deploymentFor({
            route: "cloudwatch",
            cloudwatch: {
                region,
                signals: { metrics: "otlp", traces: "otlp" },
                credentials: { kind: "assumeRole", roleArn, identity: { kind: "existingSecret", name: "aws" } },
            },
        }).collectors.find(({ key }) => key === "daemon");
        assert.ok(daemon);
        const [sts, place] = [
            await new DestinationStandIn("http").start(),
            await new DestinationStandIn("http").start(),
        ];
        standIns.push(sts, place);
        let trusts = false;
        const end = new Date(Date.now() + 3_600_000).toISOString();
        const session = `<Credentials><AccessKeyId>ASIASESSION</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>of-the-role</SessionToken><Expiration>${end}</Expiration></Credentials>`;
        sts.behave = ({ body }) => {
            const asked = new URLSearchParams(body.toString());
            return trusts && asked.get("RoleArn") === roleArn
                ? [200, `<AssumeRoleResponse><AssumeRoleResult>${session}</AssumeRoleResult></AssumeRoleResponse>`]
                : [403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"];
        };
        place.behave = ({ headers }) =>
            headers.authorization?.includes("Credential=ASIASESSION/") === true &&
            headers["x-amz-security-token"] === "of-the-role"
                ? [200, '{"nextSequenceToken": "1"}']
                : 403;
        const own = new RealCollector(
            programsAt(),
            {
                ...daemon,
                env: [...daemon.env, { name: "AWS_ENDPOINT_URL_STS", value: `http://127.0.0.1:${String(sts.port)}` }],
            },
            { aws: { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" } },
        );
        const at = `http://127.0.0.1:${String(place.port)}`;
        const redirected = (config: HelmValues) =>
            mergeValues(
                config,
                ...["awscloudwatchlogs", "awscloudwatchlogs/audit"].map((name) =>
                    nest(["exporters", name, "endpoint"], at),
                ),
                nest(["exporters", "otlphttp/cloudwatch-metrics", "metrics_endpoint"], `${at}/v1/metrics`),
                nest(["exporters", "otlphttp/cloudwatch-traces", "traces_endpoint"], `${at}/v1/traces`),
            );
        try {
            assert.equal(await own.start(redirected), false);
            assert.match(own.log, /could not retrieve credential provider: .*AssumeRole/);
            trusts = true;
            assert.ok(await own.start(redirected), own.log);
            await own.send("metrics", gauge("m", ["of-the-role"]));
            await own.send("traces", spans([{ name: "s", traceId: "d".repeat(32) }]));
            await own.sendLogs([["of the role", 0]]);
            const paths = () => new Set(place.taken.map(({ url, headers }) => headers["x-amz-target"] ?? url.pathname));
            await eventually(() => paths().size === 4);
            assert.deepEqual([...paths()].sort(), [
                ...["/v1/metrics", "/v1/traces"],
                ...["Logs_20140328.CreateLogStream", "Logs_20140328.PutLogEvents"],
            ]);
        } finally {
            await own.remove();
        }
    });

    it("drops what AWS would refuse for its time, and nothing else of the same request", async () => {
        const [place] = standIns;
        assert.ok(place && collector);
        const old = Date.now() - 15 * 24 * 3_600_000;
        await collector.send("metrics", gauge("m", ["too-old"], "shop", old));
        await collector.send("traces", spans([{ name: "too-old", traceId: "f".repeat(32) }], "shop", old));
        await collector.send("metrics", gauge("m", ["present"]));
        await collector.send("traces", spans([{ name: "present", traceId: "e".repeat(32) }]));
        const all = async () =>
            (await reader.read(place.taken)).map(({ name, attributes }) => attributes.series ?? name);
        await eventually(async () => (await all()).filter((name) => name === "present").length === 2);
        assert.ok(!(await all()).includes("too-old"));
    });
});
