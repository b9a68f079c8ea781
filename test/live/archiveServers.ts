import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import type { Live } from "../../live/findings";
import { Kubernetes } from "../../live/kubernetes";
import { HttpStandIn, type Answer, type Reply } from "../../tools/servers/standins";
import { deploymentFor, type Raw } from "../support";

/** A page that something in front of a server answers with. */
export const page: Reply = [200, "<html>Sign in</html>", { "content-type": "text/html" }];

const id = { "x-amz-request-id": "1", "x-amzn-requestid": "1" };

/** S3's own refusal. */
export function refusal(status: number, code: string, headers: Record<string, string> = {}): Reply {
    return [status, `<Error><Code>${code}</Code><Message>said so</Message></Error>`, { ...id, ...headers }];
}

/** What a bucket is to answer with, by what is asked about: `object-lock`, `versioning`, `HEAD`, or a key. */
export type BucketAnswers = Readonly<Record<string, Reply | undefined>>;

/** A bucket as the program makes it, for this cluster. */
export const goodBucket: BucketAnswers = {
    HEAD: [200, "", { ...id, "x-amz-bucket-region": "eu-west-1" }],
    versioning: [200, "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>", id],
    "object-lock": lock("COMPLIANCE", 365),
    publicAccessBlock: [
        200,
        `<PublicAccessBlockConfiguration>${["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"].map((each) => `<${each}>true</${each}>`).join("")}</PublicAccessBlockConfiguration>`,
        id,
    ],
    tagging: tags("abcd"),
    encryption: refusal(404, "ServerSideEncryptionConfigurationNotFoundError"),
};

export function lock(mode: string, days: number): Reply {
    const rule = `<Rule><DefaultRetention><Mode>${mode}</Mode><Days>${String(days)}</Days></DefaultRetention></Rule>`;
    return [
        200,
        `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>${days > 0 ? rule : ""}</ObjectLockConfiguration>`,
        id,
    ];
}

export function tags(cluster: string): Reply {
    return [200, `<Tagging><TagSet><Tag><Key>kof-cluster</Key><Value>${cluster}</Value></Tag></TagSet></Tagging>`, id];
}

/** IAM, in which the exporter is a user without some rights. */
export function iam(denied: readonly string[] = []): Answer {
    return ({ body }) => {
        const asked = new URLSearchParams(body.toString());
        const action = asked.get("Action") ?? "";
        const names = [...asked].filter(([key]) => key.startsWith("ActionNames.member")).map(([, value]) => value);
        const results = names.map(
            (name) =>
                `<member><EvalActionName>${name}</EvalActionName><EvalDecision>${denied.includes(name) ? "implicitDeny" : "allowed"}</EvalDecision></member>`,
        );
        const result = {
            GetAccessKeyLastUsed: "<UserName>exporter</UserName>",
            GetUser: "<User><Arn>arn:aws:iam::123456789012:user/kof/exporter</Arn></User>",
            SimulatePrincipalPolicy: `<EvaluationResults>${results.join("")}</EvaluationResults>`,
        }[action];
        return result === undefined
            ? [400, "<ErrorResponse><Error><Code>InvalidAction</Code></Error></ErrorResponse>", id]
            : [200, `<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`, id];
    };
}

/** Answers for a bucket whose objects these are, by their keys. */
export function s3(answers: BucketAnswers, objects: Readonly<Record<string, string>> = {}): Answer {
    return ({ method, url, headers }) => {
        if (url.searchParams.has("versions")) {
            return answers.versions ?? [200, "<ListVersionsResult></ListVersionsResult>", id];
        }
        const key = decodeURIComponent(url.pathname).split("/").slice(2).join("/");
        const aspect = Object.keys(goodBucket).find((each) => url.searchParams.has(each));
        const asked = key === "" ? (aspect ?? (method === "HEAD" ? "HEAD" : "list")) : key;
        const given = answers[asked];
        if (given) {
            return given;
        }
        if (asked === "list") {
            return list(
                url.searchParams.get("prefix") ?? "",
                url.searchParams.get("delimiter"),
                Object.entries(objects),
            );
        }
        const found = objects[key];
        const last = /bytes=-(\d+)/.exec(headers.range ?? "")?.[1];
        return found === undefined
            ? refusal(404, key === "" ? "NoSuchBucket" : "NoSuchKey")
            : [last === undefined ? 200 : 206, last === undefined ? found : found.slice(-Number(last)), id];
    };
}

function list(prefix: string, delimiter: string | null, objects: readonly (readonly [string, string])[]): Reply {
    const below = objects.filter(([key]) => key.startsWith(prefix));
    const folders = [
        ...new Set(
            below.flatMap(([key]) => {
                const end = delimiter === null ? -1 : key.indexOf(delimiter, prefix.length);
                return end === -1 ? [] : [key.slice(0, end + 1)];
            }),
        ),
    ];
    const contents = delimiter === null ? below : [];
    return [
        200,
        `<ListBucketResult>${contents.map(([key, body]) => `<Contents><Key>${key}</Key><Size>${String(body.length)}</Size></Contents>`).join("")}${folders.map((each) => `<CommonPrefixes><Prefix>${each}</Prefix></CommonPrefixes>`).join("")}</ListBucketResult>`,
        id,
    ];
}

/** Stand-ins for AWS and for the API server of a cluster, and what reaches them. */
export class ArchiveServers {
    private constructor(
        private readonly aws: HttpStandIn,
        private readonly cluster: HttpStandIn,
        private readonly folder: string,
    ) {}

    /** @param cluster answers for the API server; without it there is nothing in the cluster. */
    static async start(aws: Answer, cluster: Answer = () => [404, "{}"]): Promise<ArchiveServers> {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-archives-"));
        return new ArchiveServers(await HttpStandIn.start(aws), await HttpStandIn.start(cluster), folder);
    }

    get env(): Record<string, string> {
        return {
            KUBECONFIG: this.kubeconfig,
            AWS_ENDPOINT_URL: `http://127.0.0.1:${String(this.aws.port)}`,
            AWS_ACCESS_KEY_ID: "me",
            AWS_SECRET_ACCESS_KEY: "secret",
        };
    }

    private get kubeconfig(): string {
        const file = path.join(this.folder, "kubeconfig");
        const named = (kind: string, content: object) => [{ name: "a", [kind]: content }];
        const config = {
            clusters: named("cluster", { server: `http://127.0.0.1:${String(this.cluster.port)}` }),
            users: named("user", {}),
            contexts: named("context", { cluster: "a", user: "a" }),
            "current-context": "a",
        };
        fs.writeFileSync(file, JSON.stringify(config));
        return file;
    }

    /** A stack file of these settings. */
    stackFile(raw: Raw): string {
        const file = path.join(this.folder, "Pulumi.test.yaml");
        const config = Object.fromEntries(Object.entries(raw).map(([key, value]) => [`kof:${key}`, value]));
        fs.writeFileSync(file, JSON.stringify({ config }));
        return file;
    }

    /** Runs something in this process with {@link env}. */
    async within<T>(raw: Raw, look: (live: Live) => Promise<T>): Promise<T> {
        const before = Object.keys(this.env).map((name) => [name, process.env[name]] as const);
        Object.assign(process.env, this.env);
        try {
            return await look({ deployment: deploymentFor(raw), kubernetes: Kubernetes.connect({}), aws: {} });
        } finally {
            for (const [name, value] of before) {
                if (value === undefined) {
                    Reflect.deleteProperty(process.env, name);
                } else {
                    process.env[name] = value;
                }
            }
        }
    }

    async stop(): Promise<void> {
        await Promise.all([this.aws.stop(), this.cluster.stop()]);
        fs.rmSync(this.folder, { recursive: true });
    }
}
