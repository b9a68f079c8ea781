import assert from "node:assert/strict";

import { collectorRights } from "../../live/collectorRights";
import { runCheck } from "../../live/findings";
import type { Answer } from "../../tools/servers/standins";
import { ArchiveServers } from "./archiveServers";

const region = "eu-central-1";
const base64 = (text: string) => Buffer.from(text).toString("base64");
const key = JSON.stringify({
    data: { AWS_ACCESS_KEY_ID: base64("AKIACOLLECTOR"), AWS_SECRET_ACCESS_KEY: base64("x") },
});
const oidcProviderArn = "arn:aws:iam::123456789012:oidc-provider/oidc.example.net";
const user = "arn:aws:iam::123456789012:user/kof/cloudwatch-1";

/** What IAM is asked to simulate: `PRINCIPAL ACTION RESOURCE`, with the region as the context. */
type Denies = (asked: string) => boolean;

describe("doctor on what collectors may do in AWS", () => {
    async function look(
        credentials: object,
        denies: Denies,
        more: { cluster?: Answer; roles?: string; cloudwatch?: object; conditions?: string } = {},
    ) {
        const simulated: string[] = [];
        const aws: Answer = ({ body }) => {
            const asked = new URLSearchParams(body.toString());
            const action = asked.get("Action") ?? "";
            const all = (name: string) =>
                [...asked].filter(([each]) => each.startsWith(`${name}.member`)).map(([, value]) => value);
            const [resource = ""] = all("ResourceArns");
            const decided = all("ActionNames").map((name) => {
                const what = `${asked.get("PolicySourceArn") ?? ""} ${name} ${resource}`;
                simulated.push(what);
                assert.deepEqual(all("ContextEntries"), ["aws:RequestedRegion", region, "string"]);
                return `<member><EvalActionName>${name}</EvalActionName><EvalDecision>${denies(what) ? "implicitDeny" : "allowed"}</EvalDecision>${more.conditions ?? ""}</member>`;
            });
            const result = {
                GetAccessKeyLastUsed: "<UserName>cloudwatch-1</UserName>",
                GetUser: `<User><Arn>${user}</Arn></User>`,
                ListRoles: `<Roles>${more.roles ?? ""}</Roles><IsTruncated>false</IsTruncated>`,
                SimulatePrincipalPolicy: `<EvaluationResults>${decided.join("")}</EvaluationResults>`,
            }[action];
            return [200, `<${action}Response><${action}Result>${result ?? ""}</${action}Result></${action}Response>`];
        };
        const cluster: Answer = ({ url }) =>
            url.pathname.endsWith("/secrets/cloudwatch-credentials") ? [200, key] : [404, "{}"];
        const servers = await ArchiveServers.start(aws, more.cluster ?? cluster);
        const signals = { metrics: "otlp", traces: "otlp" };
        const cloudwatch = { region, signals, credentials, ...more.cloudwatch };
        try {
            const settings = { route: "cloudwatch", version: "1.10.0", distribution: "eks", cloudwatch };
            const { findings } = await servers.within(settings, (live) => runCheck(collectorRights[0]!, live));
            return { simulated, found: findings.map(({ severity, what }) => `${severity}: ${what}`) };
        } finally {
            await servers.stop();
        }
    }
    const never = () => false;
    const group = `arn:aws:logs:${region}:123456789012:log-group:/kof/mothership`;
    const written = (who: string) => [
        ...[group, `${group}-audit`].flatMap((each) =>
            ["CreateLogStream", "PutLogEvents"].map((action) => `${who} logs:${action} ${each}:log-stream:x`),
        ),
        `${who} cloudwatch:PutMetricData *`,
        `${who} xray:PutTraceSegments *`,
    ];
    const runs: Answer = ({ url }) => (url.pathname.includes("/serviceaccounts/") ? [200, "{}"] : [404, "{}"]);
    const accessKey = { kind: "accessKey", generations: ["1"] };

    it("asks for all that they send, of the user of their key", async () => {
        const { simulated, found } = await look(accessKey, never);
        assert.deepEqual([simulated.sort(), found], [written(user).sort(), []]);
        const metrics = { signals: { metrics: "emf", traces: "none" } };
        const emf = await look(accessKey, never, { cloudwatch: metrics });
        assert.ok(emf.simulated.includes(`${user} logs:PutLogEvents ${group}-metrics:log-stream:x`));
        assert.ok(!emf.simulated.some((each) => /PutMetricData|PutTraceSegments/.test(each)));
    });

    it("finds each right that is missing, and on what", async () => {
        for (const each of written(user)) {
            const { found } = await look(accessKey, (asked) => asked === each);
            const [, action = "", resource = ""] = each.split(" ");
            assert.deepEqual(found, [
                `problem: the collectors' identity ${user} may not ${action} on ${resource} in ${region}`,
            ]);
        }
    });

    it("takes what they may under conditions that nobody knows here for no missing right", async () => {
        const conditions = "<MissingContextValues><member>aws:SourceVpce</member></MissingContextValues>";
        const { found } = await look(accessKey, (asked) => asked.includes("PutTrace"), { conditions });
        assert.deepEqual(found, [
            `unknown: could not check: whether ${user} may xray:PutTraceSegments depends on conditions (aws:SourceVpce)`,
        ]);
    });

    it("asks of the role of their service accounts", async () => {
        const irsa = await look({ kind: "irsa", oidcProviderArn }, never);
        assert.deepEqual(
            irsa.simulated.sort(),
            written("arn:aws:iam::123456789012:role/kof/kof-cloudwatch-mothership").sort(),
        );
        const trust = encodeURIComponent(JSON.stringify(["kof-collectors-cluster-stats-collector", "mgmt"]));
        const arn = "arn:aws:iam::123456789012:role/kof/cloudwatch-2";
        const roles = `<member><Arn>${arn}</Arn><AssumeRolePolicyDocument>${trust}</AssumeRolePolicyDocument></member>`;
        const pods = await look({ kind: "podIdentity", clusterName: "mgmt" }, never, { roles });
        assert.deepEqual(pods.simulated.sort(), written(arn).sort());
        const other = await look({ kind: "podIdentity", clusterName: "other" }, never, { roles });
        assert.deepEqual(other, { simulated: [], found: [] });
        const gone = await look({ kind: "podIdentity", clusterName: "other" }, never, { roles, cluster: runs });
        assert.match(gone.found.join(), /^problem: there is no role for service account \S+, and the collectors run$/);
    });

    it("asks where they assume a role whether they may, and for nothing that the other account decides", async () => {
        const roleArn = "arn:aws:iam::210987654321:role/kof-logs";
        const credentials = { kind: "assumeRole", roleArn };
        const { simulated, found } = await look(credentials, () => true);
        assert.deepEqual(simulated, [`${user} sts:AssumeRole ${roleArn}`]);
        assert.deepEqual(found, [
            `problem: the collectors' identity ${user} may not sts:AssumeRole on ${roleArn} in ${region}`,
        ]);
    });

    it("finds nothing before there is a key, and says what cannot be asked", async () => {
        assert.deepEqual(await look(accessKey, never, { cluster: runs }), { simulated: [], found: [] });
        const closed = await look(accessKey, never, { cluster: () => [500, "{}"] });
        assert.match(closed.found.join(), /^unknown: could not check: /);
    });
});
