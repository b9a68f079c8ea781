import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import * as http from "node:http";
import type { AddressInfo } from "node:net";

import type { AwsAccess } from "../../live/awsClient";
import { runCheck, type Live } from "../../live/findings";
import { storeToRead } from "../../live/stores";
import { transactionSearch } from "../../live/transactionSearch";
import { deploymentFor } from "../support";

const region = "us-east-2";
const secret = "hunter2hunter2";
const mark = { text: "mark-1", traceId: "0123456789abcdef0123456789abcdef", time: new Date() };

const hash = (text: string) => createHash("sha256").update(text).digest("hex");

interface Key {
    readonly id: string;
    readonly secret: string;
    readonly token?: string;
}

/** Whether a request is signed with a key, for a service (AWS Signature Version 4). */
function isSigned(
    { method = "", url = "/", headers }: http.IncomingMessage,
    body: string,
    service: string,
    key: Key,
): boolean {
    const { authorization = "" } = headers;
    const date = String(headers["x-amz-date"]);
    const scope = `${date.slice(0, 8)}/${region}/${service}/aws4_request`;
    const [, names = "", signature = ""] = /SignedHeaders=([^,]+), Signature=(\w+)$/.exec(authorization) ?? [];
    const canonical = [
        ...[method, new URL(url, "http://x").pathname, ""],
        ...names.split(";").map((name) => `${name}:${String(headers[name])}`),
        ...["", names, hash(body)],
    ].join("\n");
    const toSign = ["AWS4-HMAC-SHA256", date, scope, hash(canonical)].join("\n");
    const signingKey = [date.slice(0, 8), region, service, "aws4_request"].reduce<Buffer | string>(
        (last, each) => createHmac("sha256", last).update(each).digest(),
        `AWS4${key.secret}`,
    );
    const expected = createHmac("sha256", signingKey).update(toSign).digest("hex");
    return (
        authorization.includes(`Credential=${key.id}/${scope}`) &&
        headers["x-amz-security-token"] === key.token &&
        signature === expected
    );
}

describe("what AWS has of metrics and traces", () => {
    const before = { ...process.env };
    const servers: http.Server[] = [];
    const asked: string[] = [];
    /** What AWS answers, by service and path or target. */
    let answers: Record<string, readonly [status: number, body: string]> = {};
    /** How often it has no time before. */
    let busy = 0;
    const mine: Key = { id: "mine", secret };
    /** Who has to sign what is asked of all but STS. */
    let signer = mine;

    afterEach(() => {
        for (const name of Object.keys(process.env).filter((each) => each.startsWith("AWS_"))) {
            Reflect.deleteProperty(process.env, name);
        }
        Object.assign(process.env, before);
        asked.length = 0;
        for (const each of servers.splice(0)) {
            each.closeAllConnections();
            each.close();
        }
    });

    beforeEach(async () => {
        Object.assign(process.env, { AWS_ACCESS_KEY_ID: "mine", AWS_SECRET_ACCESS_KEY: secret });
        answers = {};
        signer = mine;
        for (const [service, variable] of Object.entries({
            monitoring: "AWS_ENDPOINT_URL_CLOUDWATCH",
            xray: "AWS_ENDPOINT_URL_XRAY",
            logs: "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
            sts: "AWS_ENDPOINT_URL_STS",
        })) {
            const server = http.createServer((request, response) => {
                const chunks: Buffer[] = [];
                request.on("data", (chunk: Buffer) => chunks.push(chunk));
                request.on("end", () => {
                    const body = Buffer.concat(chunks).toString();
                    const what = String(request.headers["x-amz-target"] ?? request.url).replace(/.*[./]/, "");
                    asked.push(`${service} ${what} ${decodeURIComponent(body)}`);
                    const [status, text] = isSigned(request, body, service, service === "sts" ? mine : signer)
                        ? (answers[what] ?? [404, "{}"])
                        : [403, '{"message": "The signature does not match"}'];
                    const isBusy = busy-- > 0;
                    response
                        .writeHead(isBusy ? 503 : status, { "content-type": "application/json", "retry-after": "0" })
                        .end(text);
                });
            });
            servers.push(server.listen(0, "127.0.0.1"));
            await new Promise((resolve) => server.once("listening", resolve));
            process.env[variable] = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
        }
    });

    const live = (signals: object, access: AwsAccess = {}) =>
        ({
            deployment: deploymentFor({ route: "cloudwatch", cloudwatch: { region, signals } }),
            aws: access,
        }) as unknown as Live;
    async function has(signal: "metrics" | "traces", how: string, access?: AwsAccess): Promise<boolean> {
        const seen = live({ [signal]: how }, access);
        const { [signal]: where } = seen.deployment.destinations;
        return (await storeToRead(signal, where.stored ? where.ends : [], seen)).has(mark);
    }
    const series = (label: string) =>
        JSON.stringify({ status: "success", data: { result: [{ metric: { kof_verify_mark: label } }] } });

    it("is read with PromQL, signed, where metrics go over OTLP: only an answer with the mark counts", async () => {
        answers = { query: [200, series(mark.text)] };
        assert.equal(await has("metrics", "otlp"), true);
        assert.deepEqual(asked, ['monitoring query query={"kof_verify",+"kof_verify_mark"="mark-1"}']);
        busy = 2;
        assert.equal(await has("metrics", "otlp"), true);
        answers = { query: [200, series("another")] };
        assert.equal(await has("metrics", "otlp"), false);
        answers = { query: [200, '{"status": "success", "data": {"result": []}}'] };
        assert.equal(await has("metrics", "otlp"), false);
        for (const [status, body, said] of [
            [
                403,
                '{"message": "not authorized: cloudwatch:GetMetricData"}',
                /HTTP 403: not authorized: cloudwatch:GetMetricData/,
            ],
            [200, "<html>", /what is no answer: <html>/],
            [200, '{"status": "error"}', /what is no answer/],
        ] as const) {
            answers = { query: [status, body] };
            await assert.rejects(has("metrics", "otlp"), { name: "CouldNotCheck", message: said });
        }
        process.env.AWS_SECRET_ACCESS_KEY = "wrong";
        await assert.rejects(has("metrics", "otlp"), /HTTP 403: The signature does not match/);
        process.env.AWS_ENDPOINT_URL_CLOUDWATCH = "http://127.0.0.1:9";
        await assert.rejects(has("metrics", "otlp"), {
            name: "CouldNotCheck",
            message: /127\.0\.0\.1:9 cannot be asked: /,
        });
    });

    it("is read as the role that the stack takes on, within the limit for AWS", async () => {
        const roleArn = "arn:aws:iam::123456789012:role/deployer";
        const given = { id: "theirs", secret: "hunter3hunter3", token: "session" };
        const access = { assumeRoles: [{ roleArn }] };
        answers = {
            "": [
                200,
                "<AssumeRoleResponse><AssumeRoleResult><Credentials>" +
                    `<AccessKeyId>${given.id}</AccessKeyId><SecretAccessKey>${given.secret}</SecretAccessKey>` +
                    `<SessionToken>${given.token}</SessionToken></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
            ],
            query: [200, series(mark.text)],
        };
        signer = given;
        assert.equal(await has("metrics", "otlp", access), true);
        assert.match(asked[0] ?? "", new RegExp(`^sts .*RoleArn=${roleArn}`));
        await assert.rejects(has("metrics", "otlp"), /HTTP 403: The signature does not match/);
        answers[""] = [
            403,
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>",
        ];
        await assert.rejects(has("metrics", "otlp", access), {
            name: "CouldNotCheck",
            message: /127\.0\.0\.1:\d+ cannot be asked: no$/,
        });
        const silent = http.createServer(() => undefined);
        servers.push(silent.listen(0, "127.0.0.1"));
        await new Promise((resolve) => silent.once("listening", resolve));
        process.env.AWS_ENDPOINT_URL_STS = `http://127.0.0.1:${String((silent.address() as AddressInfo).port)}`;
        await assert.rejects(has("metrics", "otlp", { ...access, patience: 200 }), /does not answer within 0\.2 s/);
    });

    it("is read from X-Ray, or from the log group of spans once Transaction Search is on", async () => {
        const id = "1-01234567-89abcdef0123456789abcdef";
        const destination = (name: string) => [200, JSON.stringify({ Destination: name, Status: "ACTIVE" })] as const;
        answers = {
            GetTraceSegmentDestination: destination("XRay"),
            Traces: [200, JSON.stringify({ Traces: [{ Id: id }] })],
        };
        assert.equal(await has("traces", "xray"), true);
        assert.equal(asked.at(-1), `xray Traces {"TraceIds":["${id}"]}`);
        answers.Traces = [200, '{"Traces": [], "UnprocessedTraceIds": []}'];
        assert.equal(await has("traces", "xray"), false);
        answers.GetTraceSegmentDestination = [200, "<html>"];
        await assert.rejects(has("traces", "xray"), {
            name: "CouldNotCheck",
            message: /GetTraceSegmentDestination\): what is no answer: <html>/,
        });
        answers.GetTraceSegmentDestination = [403, '{"message": "no"}'];
        await assert.rejects(has("traces", "xray"), /xray:GetTraceSegmentDestination\): HTTP 403: no/);
        const event = { timestamp: Date.now(), message: `{"name":"KOF verify ${mark.text}"}` };
        answers = {
            GetTraceSegmentDestination: destination("CloudWatchLogs"),
            FilterLogEvents: [200, JSON.stringify({ events: [event] })],
        };
        for (const how of ["xray", "otlp"]) {
            assert.equal(await has("traces", how), true);
            assert.match(asked.at(-1) ?? "", /^logs FilterLogEvents .*"logGroupName":"aws\/spans"/);
        }
        const pages = ['{"events": [], "nextToken": "1"}', JSON.stringify({ events: [event] })];
        answers = {
            get FilterLogEvents() {
                return [200, pages.shift() ?? ""] as const;
            },
        };
        assert.equal(await has("traces", "otlp"), true);
        answers = { FilterLogEvents: [200, '{"events": []}'] };
        assert.equal(await has("traces", "otlp"), false);
        answers.FilterLogEvents = [200, '{"events": [{"message": "another"}]}'];
        assert.equal(await has("traces", "otlp"), false);
        for (const body of ["{}", "<html>"]) {
            answers.FilterLogEvents = [200, body];
            await assert.rejects(has("traces", "otlp"), { name: "CouldNotCheck" }, body);
        }
    });

    describe("Transaction Search", () => {
        const found = async (signals: object = { traces: "otlp" }) => {
            const [check] = transactionSearch;
            assert.ok(check);
            return (await runCheck(check, live(signals))).findings.map(({ severity, what }) => `${severity}: ${what}`);
        };
        const policy = (service: string) =>
            JSON.stringify({
                resourcePolicies: [
                    {
                        policyDocument: JSON.stringify({
                            Principal: { Service: service },
                            Resource: "arn:aws:logs:*:*:log-group:aws/spans:*",
                        }),
                    },
                ],
            });

        it("is on, and may write its log group", async () => {
            answers = {
                GetTraceSegmentDestination: [200, '{"Destination": "CloudWatchLogs", "Status": "ACTIVE"}'],
                DescribeResourcePolicies: [200, policy("xray.amazonaws.com")],
            };
            assert.deepEqual(await found(), []);
            answers.DescribeResourcePolicies = [200, policy("route53.amazonaws.com")];
            assert.deepEqual(await found(), [
                "problem: no resource policy in us-east-2 lets xray.amazonaws.com write to log group aws/spans",
            ]);
        });

        it("is off, is not there yet, cannot be seen, or is not needed", async () => {
            const said = async (status: number, body: string) => {
                answers = { GetTraceSegmentDestination: [status, body] };
                return (await found())[0];
            };
            assert.equal(
                await said(200, '{"Destination": "XRay", "Status": "ACTIVE"}'),
                "problem: Transaction Search is off in us-east-2: spans go to XRay",
            );
            assert.equal(
                await said(200, '{"Destination": "CloudWatchLogs", "Status": "PENDING"}'),
                "warning: Transaction Search is pending in us-east-2",
            );
            assert.equal(
                await said(403, '{"message": "not authorized"}'),
                "unknown: could not check: X-Ray does not say where it keeps spans (xray:GetTraceSegmentDestination): HTTP 403: not authorized",
            );
            answers = {
                GetTraceSegmentDestination: [200, '{"Destination": "CloudWatchLogs", "Status": "ACTIVE"}'],
                DescribeResourcePolicies: [400, '{"__type": "AccessDeniedException", "message": "no"}'],
            };
            assert.match(
                (await found())[0] ?? "",
                /^unknown: could not check: AWS does not list resource policies of logs: AccessDenied/,
            );
            answers.DescribeResourcePolicies = [200, "{}"];
            assert.deepEqual(await found(), [
                "unknown: could not check: AWS does not list resource policies of logs: HTTP 200, and what answers is not AWS",
            ]);
            process.env.AWS_ENDPOINT_URL_XRAY = "http://127.0.0.1:9";
            assert.match((await found())[0] ?? "", /^unknown: could not check: 127\.0\.0\.1:9 cannot be asked/);
            assert.deepEqual(await found({ traces: "xray" }), []);
        });
    });
});
