import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { aws } from "../../live/aws";
import { awsFailure, type AwsAccess } from "../../live/awsClient";
import { runCheck, type Live } from "../../live/findings";
import { leftoversFound, logGroups } from "../../live/leftovers";
import { storeToRead } from "../../live/stores";
import { destinationsOf } from "../../core/routes/destinations";
import { HttpStandIn, type Answer, type Reply } from "../../tools/servers/standins";
import { connect } from "../../cli/live";
import known from "../../components/actions.json";
import { deploymentFor, routes, stackFile } from "../support";

/** An AWS of its own, which answers every service at one address, as AWS_ENDPOINT_URL has it. */
function useAws() {
    const variables = ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_CONFIG_FILE"];
    const kept = Object.fromEntries(variables.map((name) => [name, process.env[name]]));
    let server: HttpStandIn;
    let answer: Answer;
    before(async () => {
        server = await HttpStandIn.start((request) => answer(request));
    });
    beforeEach(() => {
        Object.assign(process.env, {
            AWS_ENDPOINT_URL: `http://127.0.0.1:${String(server.port)}`,
            AWS_ACCESS_KEY_ID: "AKIAEXAMPLE",
            AWS_SECRET_ACCESS_KEY: "secret",
        });
    });
    after(async () => {
        for (const name of variables) {
            Reflect.deleteProperty(process.env, name);
            Object.assign(process.env, kept[name] === undefined ? {} : { [name]: kept[name] });
        }
        await server.stop();
    });
    return (by: Answer) => {
        answer = by;
    };
}

const deployment = deploymentFor({ route: "cloudwatch", cloudwatch: { region: "us-east-2" } });
const live = (access: AwsAccess): Live => ({ deployment, kubernetes: undefined as never, aws: access });
const never = () => new Promise<never>(() => undefined);

/** The request of a query API, and what it answers in XML. */
const form = (body: Buffer) => new URLSearchParams(body.toString());
const answered = (action: string, result: string): Reply => [
    200,
    `<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`,
    { "content-type": "text/xml" },
];
const refused = (code: string, message: string): Reply => [
    403,
    `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
    { "content-type": "text/xml" },
];

describe("who asks AWS", () => {
    const answerWith = useAws();
    const session = (role: string) => `arn:aws:sts::123456789012:assumed-role/${role}/me`;
    let simulated: URLSearchParams[];
    let arn: string;
    let getRole: Reply;
    let assumed: string[];
    let decision: (action: string, resource: string) => string;
    /** What IAM knows policies of. */
    let isKnown: (principal: string) => boolean;
    beforeEach(() => {
        [simulated, assumed, arn, getRole] = [[], [], session("deploy"), refused("AccessDenied", "no")];
        decision = () => "<EvalDecision>allowed</EvalDecision>";
        isKnown = () => true;
        answerWith(({ body, headers }) => {
            const asked = form(body);
            const action = asked.get("Action") ?? "";
            switch (action) {
                case "GetCallerIdentity":
                    assumed.push(/Credential=(\w+)/.exec(headers.authorization ?? "")?.[1] ?? "");
                    return answered(action, `<Arn>${arn}</Arn>`);
                case "AssumeRole":
                    assumed.push(asked.get("RoleArn") ?? "");
                    return answered(
                        action,
                        `<Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials>`,
                    );
                case "GetRole":
                    return getRole;
                default: {
                    simulated.push(asked);
                    if (!isKnown(asked.get("PolicySourceArn") ?? "")) {
                        return refused("NoSuchEntity", "The role cannot be found.");
                    }
                    const all = [...asked];
                    const members = (name: string) =>
                        all.filter(([key]) => key.startsWith(`${name}.member`)).map(([, value]) => value);
                    const results = members("ActionNames").flatMap((name) =>
                        members("ResourceArns").map(
                            (resource) =>
                                `<member><EvalActionName>${name}</EvalActionName><EvalResourceName>${resource}</EvalResourceName>${decision(name, resource)}</member>`,
                        ),
                    );
                    return answered(action, `<EvaluationResults>${results.join("")}</EvaluationResults>`);
                }
            }
        });
    });

    const found = async (access: AwsAccess = {}) =>
        (await runCheck(aws[0]!, live(access))).findings.map(({ severity, what }) => `${severity}: ${what}`);
    const sources = () => [...new Set(simulated.map((asked) => asked.get("PolicySourceArn")))];

    it("is the role behind a session, with its path where that can be looked up", async () => {
        assert.deepEqual(await found(), []);
        assert.deepEqual(sources(), ["arn:aws:iam::123456789012:role/deploy"]);
        arn = session("AWSReservedSSO_Admin_1");
        const sso = "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_1";
        getRole = answered("GetRole", `<Role><Arn>${sso}</Arn></Role>`);
        simulated = [];
        isKnown = (principal) => principal === sso;
        assert.deepEqual(await found(), []);
        assert.deepEqual(sources(), [sso]);
        getRole = refused("AccessDenied", "not authorized to perform: iam:GetRole");
        assert.deepEqual(await found(), [
            "unknown: could not check: IAM has no arn:aws:iam::123456789012:role/AWSReservedSSO_Admin_1. A session does not " +
                "say the path of its role. Looking it up: your rights: AccessDenied: not authorized to perform: iam:GetRole",
        ]);
    });

    it("is the last of the roles that the stack takes on", async () => {
        const roles = ["one", "path/deploy"].map((name) => ({ roleArn: `arn:aws:iam::123456789012:role/${name}` }));
        assert.deepEqual(await found({ assumeRoles: roles }), []);
        assert.deepEqual(assumed.slice(0, 3), [...roles.map(({ roleArn }) => roleArn), "ASIAROLE"]);
        assert.deepEqual(sources(), [roles[1]!.roleArn]);
    });

    it("takes on the roles that the stack file names", () => {
        const kubeconfig = JSON.stringify({
            clusters: [{ name: "a", cluster: { server: "https://a.example.net" } }],
            contexts: [{ name: "a", context: { cluster: "a" } }],
            "current-context": "a",
        });
        const rolesIn = (more: Record<string, string>) =>
            connect(stackFile({ route: "none" }, { "kubernetes:kubeconfig": kubeconfig, ...more })).aws.assumeRoles;
        const role = { roleArn: "arn:aws:iam::1:role/x", externalId: "e" };
        assert.deepEqual(rolesIn({ "aws:assumeRoles": JSON.stringify([role]) }), [role]);
        assert.deepEqual(rolesIn({ "aws:assumeRole": JSON.stringify(role) }), [role]);
        assert.deepEqual(rolesIn({}), []);
        assert.throws(() => rolesIn({ "aws:assumeRoles": "x" }), /UserError: .*aws:assumeRoles is no list of roles/);
    });

    it("is simulated on what the stack makes of archives, and on nothing of another store", async () => {
        const cold = {
            bucket: "acme-cold",
            region: "us-gov-west-1",
            credentials: { kind: "podIdentity", clusterName: "mgmt" },
        };
        const audit = { bucket: "acme-audit", region: "us-gov-west-1", objectLock: { mode: "COMPLIANCE", days: 1 } };
        const deployed = (raw: object): Live => ({
            ...live({}),
            deployment: deploymentFor({ ...routes.management, version: "1.10.0", ...raw }),
        });
        const look = async (raw: object) => (await runCheck(aws[0]!, deployed(raw))).findings;
        const asked = () =>
            simulated.flatMap((each) => {
                const members = (name: string) =>
                    [...each].filter(([key]) => key.startsWith(`${name}.member`)).map(([, value]) => value);
                return members("ActionNames").map((action) => `${action} ${members("ResourceArns").join(" ")}`);
            });
        assert.deepEqual(await look({ coldStorage: cold, auditArchive: audit }), []);
        const made = (bucket: string) =>
            [
                ...["CreateBucket", "PutBucketTagging", "PutBucketPublicAccessBlock", "PutBucketOwnershipControls"],
                ...["PutEncryptionConfiguration", "PutBucketVersioning", "PutLifecycleConfiguration", "ListBucket"],
            ].map((action) => `s3:${action} arn:aws-us-gov:s3:::${bucket}`);
        const iam = (actions: string[], resource: string) =>
            actions.map((action) => `iam:${action} arn:aws-us-gov:iam::123456789012:${resource}`);
        assert.deepEqual(
            asked().sort(),
            [
                ...made("acme-cold"),
                ...made("acme-audit"),
                ...["Get", "Put"].map(
                    (each) => `s3:${each}BucketObjectLockConfiguration arn:aws-us-gov:s3:::acme-audit`,
                ),
                ...iam(["CreateRole", "PutRolePolicy", "TagRole"], "role/kof/cold-storage-exporter-0000000"),
                "eks:CreatePodIdentityAssociation arn:aws-us-gov:eks:us-gov-west-1:123456789012:cluster/mgmt",
                ...iam(
                    ["CreateUser", "PutUserPolicy", "CreateAccessKey", "TagUser"],
                    "user/kof/audit-logs-exporter-0000000",
                ),
            ].sort(),
        );
        // All of S3's are AWS's own names of rights.
        for (const action of asked().filter((each) => each.startsWith("s3:"))) {
            assert.ok(known.actions.s3.includes(action.replace(/^s3:| .*$/g, "")), action);
        }
        decision = (action) =>
            `<EvalDecision>${action === "s3:PutBucketVersioning" ? "explicitDeny" : "allowed"}</EvalDecision>`;
        assert.deepEqual(
            (await look({ coldStorage: cold })).map(({ what, why }) => [what, why]),
            [
                [
                    `${arn} may not s3:PutBucketVersioning`,
                    "pulumi up makes the bucket of kof:coldStorage, and what may write there; it would stop half-way.",
                ],
            ],
        );
        simulated = [];
        const theirs = { bucket: "theirs", region: "eu-west-1", createBucket: false, existingSecret: "s3" };
        const minio = { bucket: "minio", endpoint: "https://minio.example.net", existingSecret: "s3" };
        assert.deepEqual(await look({ coldStorage: minio, auditArchive: theirs }), []);
        assert.deepEqual(asked(), ["s3:ListBucket arn:aws:s3:::theirs"]);
    });

    it("is simulated on what the stack makes, in each way that policies name it", async () => {
        // As a policy that is for the log groups of KOF and for its users alone.
        const allows = /:log-group:[^:]+:\*$|:log-group::log-stream:$|:user\/kof\//;
        decision = (_, resource) =>
            `<EvalDecision>${allows.test(resource) ? "allowed" : "implicitDeny"}</EvalDecision>`;
        assert.deepEqual(await found(), []);
        decision = (action) => `<EvalDecision>${action.endsWith("User") ? "explicitDeny" : "allowed"}</EvalDecision>`;
        assert.deepEqual(await found(), [`problem: ${arn} may not iam:CreateUser, iam:TagUser`]);
    });

    it("may depend on conditions that nobody knows beforehand, which hide nothing that does not", async () => {
        const missing = "<MissingContextValues><member>aws:RequestTag/team</member></MissingContextValues>";
        decision = (action) =>
            `<EvalDecision>${action.includes("Create") ? "implicitDeny" : "allowed"}</EvalDecision>${/Group|User/.test(action) ? missing : ""}`;
        const depends = (action: string) =>
            `unknown: could not check: whether arn:aws:iam::123456789012:role/deploy may ${action} depends on conditions (aws:RequestTag/team)`;
        assert.deepEqual(await found(), [
            depends("logs:CreateLogGroup"),
            `problem: ${arn} may not iam:CreateAccessKey`,
            depends("iam:CreateUser"),
        ]);
        // What IAM is told, which is asked in its own region.
        const told = simulated.map((each) =>
            [
                "ActionNames.member.1",
                "ContextEntries.member.1.ContextKeyName",
                "ContextEntries.member.1.ContextKeyValues.member.1",
            ]
                .map((key) => each.get(key)?.replace(/^(logs|iam):.*/, "$1"))
                .join(" "),
        );
        assert.deepEqual([...new Set(told)].sort(), [
            "iam aws:RequestedRegion us-east-1",
            "logs aws:RequestedRegion us-east-2",
        ]);
    });

    it("is asked for page by page, and by the results of each resource where IAM has them", async () => {
        const result = (action: string, inner: string) =>
            `<member><EvalActionName>${action}</EvalActionName>${inner}</member>`;
        answerWith(({ body }) => {
            const asked = form(body);
            if (asked.get("Action") !== "SimulatePrincipalPolicy") {
                return answered("GetCallerIdentity", "<Arn>arn:aws:iam::123456789012:user/me</Arn>");
            }
            const all = [...asked].filter(([key]) => key.startsWith("ActionNames.member")).map(([, value]) => value);
            const resources = [...asked].filter(([key]) => key.startsWith("ResourceArns.member"));
            const [first = "", ...rest] = all;
            const specific = resources.map(
                ([, name]) =>
                    `<member><EvalResourceName>${name}</EvalResourceName><EvalResourceDecision>${first === "iam:CreateUser" ? "explicitDeny" : "allowed"}</EvalResourceDecision></member>`,
            );
            return asked.get("Marker") === null && rest.length > 0
                ? answered(
                      "SimulatePrincipalPolicy",
                      `<EvaluationResults>${rest.map((each) => result(each, "<EvalDecision>allowed</EvalDecision>")).join("")}</EvaluationResults><IsTruncated>true</IsTruncated><Marker>2</Marker>`,
                  )
                : answered(
                      "SimulatePrincipalPolicy",
                      `<EvaluationResults>${result(first, `<EvalDecision>allowed</EvalDecision><ResourceSpecificResults>${specific.join("")}</ResourceSpecificResults>`)}</EvaluationResults><IsTruncated>false</IsTruncated>`,
                  );
        });
        assert.deepEqual(await found(), ["problem: arn:aws:iam::123456789012:user/me may not iam:CreateUser"]);
    });

    it("needs no rights where it is the root user", async () => {
        arn = "arn:aws:iam::123456789012:root";
        assert.deepEqual([await found(), simulated], [[], []]);
    });

    it("is unknown to AWS only where AWS says so", async () => {
        answerWith(() => refused("InvalidClientTokenId", "The security token included in the request is invalid."));
        assert.deepEqual(await found(), [
            "problem: AWS does not know who you are: The security token included in the request is invalid.",
        ]);
        for (const [status, body] of [
            [503, "<html>Service Unavailable</html>"],
            [407, "<html>Proxy Authentication Required</html>"],
            [403, "<html>Blocked</html>"],
            [503, ""],
        ] as const) {
            answerWith(() => [status, body]);
            const [first = "", ...more] = await found();
            assert.deepEqual(more, []);
            assert.match(
                first,
                /^unknown: could not check: AWS does not answer: HTTP \d{3}, /,
                `${String(status)} ${body}`,
            );
        }
        answerWith(() => [200, "<html>Sign in</html>"]);
        assert.deepEqual(await found(), [
            "unknown: could not check: AWS does not answer: HTTP 200, and what answers is not AWS",
        ]);
    });

    it("may do nothing only where IAM says so", async () => {
        const page: Reply = [200, "<html>Sign in</html>"];
        answerWith(({ body }) =>
            form(body).get("Action") === "GetCallerIdentity"
                ? answered("GetCallerIdentity", `<Arn>${arn}</Arn>`)
                : page,
        );
        const [first = "", ...more] = await found();
        assert.deepEqual(more, []);
        assert.match(
            first,
            /^unknown: could not check: your rights: what answers for IAM is no simulation of what arn:\S+ may do$/,
        );
    });

    it("may not be let into a role", async () => {
        answerWith(() => refused("AccessDenied", "not authorized to perform: sts:AssumeRole"));
        const { findings } = await runCheck(aws[0]!, live({ assumeRoles: [{ roleArn: "arn:aws:iam::1:role/x" }] }));
        assert.match(findings[0]?.what ?? "", /sts:AssumeRole/);
        assert.match(findings[0]?.fix ?? "", /^aws sts assume-role .* --role-arn arn:aws:iam::1:role\/x$/);
    });
});

describe("what AWS has against a request", () => {
    const error = (name: string, status?: number, message = "said so") =>
        Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });

    it("is sorted in one way: who nobody knows, what is refused, and what is no answer", () => {
        for (const [is, reason, each] of [
            ["stranger", "CredentialsProviderError: said so", error("CredentialsProviderError")],
            ["stranger", "ExpiredTokenException: said so", error("ExpiredTokenException", 400)],
            ["stranger", "InvalidAccessKeyId: said so", error("InvalidAccessKeyId", 403)],
            ["refusal", "AccessDenied: said so", error("AccessDenied", 403)],
            ["refusal", "ResourceNotFoundException: said so", error("ResourceNotFoundException", 400)],
            ["silence", "Throttling: said so", error("Throttling", 400)],
            ["silence", "LimitExceededException: said so", error("LimitExceededException", 400)],
            ["silence", "ServiceUnavailable: said so", error("ServiceUnavailable", 503)],
            ["silence", "HTTP 403, and what answers is not AWS", error("Unknown", 403, "Unknown")],
            ["silence", "HTTP 407, and what answers is not AWS", error("SyntaxError", 407, "Unexpected token '<'")],
            ["silence", "no answer in time", error("TimeoutError")],
            ["silence", "connect ECONNREFUSED", error("Error", undefined, "connect ECONNREFUSED")],
        ] as const) {
            assert.deepEqual(
                (({ is: kind, reason: text }) => [kind, text])(awsFailure(each)),
                [is, reason],
                `${each.name} ${reason}`,
            );
        }
    });
});

describe("an AWS that does not answer", () => {
    const answerWith = useAws();
    const impatient = { patience: 50 };
    const message = "AWS does not answer within 0.05 s, logging in included";

    beforeEach(() => {
        answerWith(never);
    });

    it("is waited for a while by doctor, left and verify, which say so", async () => {
        const { findings } = await runCheck(aws[0]!, live(impatient));
        assert.deepEqual(
            findings.map(({ severity, what, fix }) => [severity, what, fix]),
            [["unknown", `could not check: ${message}`, "aws sts get-caller-identity"]],
        );
        const { left, reasons } = await leftoversFound([logGroups], live(impatient));
        assert.deepEqual(left, []);
        assert.ok(reasons.length > 0 && reasons.every((reason) => reason.endsWith(`: ${message}`)));
        const { logs } = destinationsOf(deployment, deployment.collectors);
        assert.ok(logs.stored);
        const store = await storeToRead("logs", logs.ends, live(impatient));
        const mark = { text: "kofverify1", traceId: "0".repeat(32), time: new Date() };
        await assert.rejects(store.has(mark), { name: "CouldNotCheck", message });
    });

    it("is waited for no longer where a program that logs in does not end", async () => {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "aws-"));
        fs.writeFileSync(path.join(folder, "config"), "[profile slow]\ncredential_process = sleep 2\n");
        delete process.env.AWS_ACCESS_KEY_ID;
        process.env.AWS_CONFIG_FILE = path.join(folder, "config");
        const { findings } = await runCheck(aws[0]!, live({ ...impatient, profile: "slow" }));
        fs.rmSync(folder, { recursive: true });
        assert.deepEqual(
            findings.map(({ what }) => what),
            [`could not check: ${message}`],
        );
    });
});
