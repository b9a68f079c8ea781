import type { AwsIdentity } from "../settings/settings";

/** An IAM policy document: who may do what with which. */
export interface Policy {
    readonly Version: "2012-10-17";
    readonly Statement: readonly Statement[];
}

/** One permission. */
export interface Statement {
    readonly Sid: string;
    readonly Effect: "Allow";
    readonly Principal?: Readonly<Record<string, string>>;
    readonly Action: readonly string[];
    readonly Resource?: readonly string[];
    readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** A policy document of these permissions. */
export const policy = (...Statement: Statement[]): Policy => ({ Version: "2012-10-17", Statement });

/** What the collectors write. */
interface Writes {
    /** ARNs of the log groups, without `:*`. Metrics in embedded metric format are log events too. */
    readonly logGroupArns: readonly string[];
    /** Region of the traces that go to X-Ray, as segments or over OTLP. Default: none do. */
    readonly tracesTo?: string | undefined;
    /** Region of the metrics that go to CloudWatch over OTLP. Default: none do. */
    readonly metricsTo?: string | undefined;
}

/**
 * Exactly the rights that the collectors' exporters need. The program makes groups, with their retention and key, so the
 * exporters need no right to make or change them. CloudWatch Logs itself uses the KMS key, by the key's own policy.
 *
 * awscloudwatchlogs and awsemf put events, and create the stream when that fails (contrib 0.143 to 0.155,
 * `internal/aws/cwlogs/cwlog_client.go`). awsxray puts segments. OTLP needs the same rights ("OTLP endpoints" in the CloudWatch
 * user guide, 2026-11).
 */
export function writePolicy({ logGroupArns, tracesTo, metricsTo }: Writes): Policy {
    const logs: Statement = {
        Sid: "WriteLogs",
        Effect: "Allow",
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        // Streams are named after the group's ARN: `<group>:log-stream:<stream>`.
        Resource: logGroupArns.map((arn) => `${arn}:*`),
    };
    // X-Ray and CloudWatch's metrics have no resources to name. The region is all that these actions can be narrowed to.
    const inRegion = (Sid: string, action: string, region: string): Statement => ({
        Sid,
        Effect: "Allow",
        Action: [action],
        Resource: ["*"],
        Condition: { StringEquals: { "aws:RequestedRegion": region } },
    });
    return policy(
        ...(logGroupArns.length > 0 ? [logs] : []),
        ...(metricsTo === undefined ? [] : [inRegion("WriteMetrics", "cloudwatch:PutMetricData", metricsTo)]),
        ...(tracesTo === undefined ? [] : [inRegion("WriteTraces", "xray:PutTraceSegments", tracesTo)]),
    );
}

/**
 * What collectors do that assume a role in another account: take it, and nothing else. The tags of a session of EKS Pod Identity
 * go along with it, which is a right of its own ("Grant Pods access to AWS resources based on tags" in the EKS user guide, 2026-11).
 *
 * @param kind of what the collectors are before they assume it.
 */
export function assumePolicy(roleArn: string, kind: AwsIdentity["kind"]): Policy {
    return policy({
        Sid: "AssumeRole",
        Effect: "Allow",
        Action: ["sts:AssumeRole", ...tagging(kind)],
        Resource: [roleArn],
    });
}

function tagging(kind: AwsIdentity["kind"]): string[] {
    return kind === "podIdentity" ? ["sts:TagSession"] : [];
}

/** Who may assume a role from another account. */
interface Assuming {
    readonly kind: AwsIdentity["kind"];
    /** ARN of a user or a role, the end of which may be `*`, where that is known. Default: everybody whom their own account lets. */
    readonly principal?: string | undefined;
    /** Account of that principal. */
    readonly account: string;
    readonly partition: string;
    readonly externalId?: string | undefined;
}

/**
 * The trust policy of a role that collectors assume from another account. Its principal is the account: AWS refuses a policy that
 * names a missing user or role, and does not recognise a recreated one (IAM user guide, "AWS JSON policy elements: Principal",
 * 2026-11).
 */
export function assumeTrust({ kind, principal, account, partition, externalId }: Assuming): Policy {
    const who = { Effect: "Allow", Principal: { AWS: `arn:${partition}:iam::${account}:root` } } as const;
    const theirs = principal === undefined ? {} : { ArnLike: { "aws:PrincipalArn": principal } };
    const asked = externalId === undefined ? {} : { StringEquals: { "sts:ExternalId": externalId } };
    const where = (Condition: Statement["Condition"] & object) =>
        Object.keys(Condition).length > 0 ? { Condition } : {};
    const tags = tagging(kind);
    return policy(
        { Sid: "CollectorsOnly", ...who, Action: ["sts:AssumeRole"], ...where({ ...theirs, ...asked }) },
        ...(tags.length > 0 ? [{ Sid: "TagsOfTheirPods", ...who, Action: tags, ...where(theirs) }] : []),
    );
}
