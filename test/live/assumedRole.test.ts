import assert from "node:assert/strict";
import * as http from "node:http";
import type { AddressInfo } from "node:net";

import { assumedRole } from "../../live/assumedRole";
import { runCheck, type Finding, type Live } from "../../live/findings";
import { storeToRead } from "../../live/stores";
import { deploymentFor, type Raw } from "../support";

/** What a service of AWS is asked, and what it answers. */
type Answer = (
    asked: URLSearchParams,
    request: http.IncomingMessage,
) => readonly [status: number, body: string] | "hang";

const roleArn = "arn:aws:iam::210987654321:role/kof-logs";
const accountXml = (account: string) =>
    `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::${account}:user/me</Arn><Account>${account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`;
const denied = `<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: x is not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>`;

describe("a role in another AWS account", () => {
    const before = { ...process.env };
    let server: http.Server | undefined;

    const close = () => {
        server?.closeAllConnections();
        server?.close();
        server = undefined;
    };
    afterEach(() => {
        for (const name of Object.keys(process.env).filter((each) => each.startsWith("AWS_"))) {
            Reflect.deleteProperty(process.env, name);
        }
        Object.assign(process.env, before);
        close();
    });

    /** Has STS answer so. */
    async function sts(answer: Answer): Promise<void> {
        close();
        server = http.createServer((request, response) => {
            const chunks: Buffer[] = [];
            request.on("data", (chunk: Buffer) => chunks.push(chunk));
            request.on("end", () => {
                const reply = answer(new URLSearchParams(Buffer.concat(chunks).toString()), request);
                if (reply !== "hang") {
                    response.writeHead(reply[0], { "content-type": "text/xml" }).end(reply[1]);
                }
            });
        });
        server.listen(0, "127.0.0.1");
        await new Promise((resolve) => server?.once("listening", resolve));
        process.env.AWS_ENDPOINT_URL_STS = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
        process.env.AWS_ACCESS_KEY_ID = "mine";
        process.env.AWS_SECRET_ACCESS_KEY = "secret";
    }

    const secrets = (data: Readonly<Record<string, string>> | undefined) => ({
        get: (path: string) => {
            assert.equal(path, "/api/v1/namespaces/kof/secrets/theirs");
            const encoded = Object.entries(data ?? {}).map(([key, value]) => [
                key,
                Buffer.from(value).toString("base64"),
            ]);
            return Promise.resolve(data && { data: Object.fromEntries(encoded) });
        },
    });
    const key = { AWS_ACCESS_KEY_ID: "theirs", AWS_SECRET_ACCESS_KEY: "hunter2hunter2" };
    const liveOf = (credentials: Raw, data?: Readonly<Record<string, string>>) =>
        ({
            deployment: deploymentFor({ route: "cloudwatch", cloudwatch: { region: "us-east-2", credentials } }),
            kubernetes: secrets(data),
            aws: {},
        }) as unknown as Live;
    const assumed = (identity: Raw, more: Raw = {}): Raw => ({ kind: "assumeRole", roleArn, identity, ...more });
    const theirs = { kind: "existingSecret", name: "theirs" };
    async function findings(live: Live): Promise<readonly Finding[]> {
        const [check] = assumedRole;
        assert.ok(check);
        return (await runCheck(check, live)).findings;
    }

    it("is assumed only with the collectors' own key and external ID", async () => {
        const asked: (string | null | undefined)[] = [];
        await sts((query, { headers }) => {
            asked.push(
                query.get("RoleArn"),
                query.get("ExternalId"),
                /Credential=(\w+)/.exec(headers.authorization ?? "")?.[1],
            );
            const credentials = "<Credentials><AccessKeyId>a</AccessKeyId></Credentials>";
            return [
                200,
                `<AssumeRoleResponse><AssumeRoleResult>${credentials}</AssumeRoleResult></AssumeRoleResponse>`,
            ];
        });
        assert.deepEqual(await findings(liveOf(assumed(theirs, { externalId: "kof" }), key)), []);
        assert.deepEqual(asked, [roleArn, "kof", "theirs"]);
    });

    it("that refuses them is a problem, without a secret", async () => {
        await sts(() => [403, denied]);
        const found = await findings(liveOf(assumed(theirs), key));
        assert.deepEqual(
            found.map(({ severity, what }) => [severity, what]),
            [
                [
                    "problem",
                    `the collectors may not assume ${roleArn}: AccessDenied: User: x is not authorized to perform: sts:AssumeRole`,
                ],
            ],
        );
        assert.doesNotMatch(JSON.stringify(found), /hunter2/);
    });

    it("cannot be checked without a key, with a role of pods, or where AWS does not answer", async () => {
        await sts(() => [200, ""]);
        const what = async (live: Live) =>
            (await findings(live)).map(({ severity, what: text }) => `${severity}: ${text}`);
        const none = /^unknown: could not check: Secret kof\/theirs has no key yet/;
        assert.match((await what(liveOf(assumed(theirs))))[0] ?? "", none);
        assert.match((await what(liveOf(assumed(theirs), { AWS_ACCESS_KEY_ID: "a" })))[0] ?? "", none);
        const pods = await what(liveOf(assumed({ kind: "podIdentity", clusterName: "a" })));
        assert.match(
            pods[0] ?? "",
            /^unknown: could not check: only the collectors' pods have the identity that assumes/,
        );
        for (const page of ["<html>Sign in</html>", "<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>"]) {
            await sts(() => [200, page]);
            assert.deepEqual(await what(liveOf(assumed(theirs), key)), [
                "unknown: could not check: AWS does not answer: HTTP 200, and what answers is not AWS",
            ]);
        }
        process.env.AWS_ENDPOINT_URL_STS = "http://127.0.0.1:9";
        assert.match(
            (await what(liveOf(assumed(theirs), key)))[0] ?? "",
            /^unknown: could not check: AWS does not answer: /,
        );
        assert.deepEqual(await what(liveOf(theirs, key)), []);
    });

    it("has logs that are read with credentials of that account alone", async () => {
        const live = liveOf(assumed(theirs), key);
        const { logs } = live.deployment.destinations;
        const store = () => storeToRead("logs", logs.stored ? logs.ends.slice(0, 1) : [], live);
        await sts(() => [200, accountXml("123456789012")]);
        await assert.rejects(
            store(),
            /\/kof\/mothership.* is in account 210987654321, and you are in 123456789012\. Look with credentials of 210987654321$/,
        );
        await sts(() => [200, accountXml("210987654321")]);
        assert.match((await store()).name, /CloudWatch/);
        await sts(() => [403, denied]);
        await assert.rejects(store(), { name: "CouldNotCheck", message: /AWS does not know who you are/ });
    });
});
