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

const policy = (...Statement: Statement[]): Policy => ({ Version: "2012-10-17", Statement });

/** What the collectors write. */
export interface Writes {
    /** ARNs of the log groups, without `:*`. Metrics in embedded metric format are log events too. */
    readonly logGroupArns: readonly string[];
    /** Region of the traces that go to X-Ray, as segments or over OTLP. Default: none do. */
    readonly tracesTo?: string | undefined;
    /** Region of the metrics that go to CloudWatch over OTLP. Default: none do. */
    readonly metricsTo?: string | undefined;
}

/**
 * What the collectors' exporters do, and nothing else. Groups, their retention and their key are the program's: the exporters
 * need no right to make or change them, and CloudWatch Logs uses the KMS key itself, by the key's own policy.
 *
 * awscloudwatchlogs and awsemf put events, and open the stream when that fails (contrib 0.143 to 0.155,
 * `internal/aws/cwlogs/cwlog_client.go`); awsxray puts segments. Over OTLP the same rights are asked for ("OTLP endpoints" in the
 * CloudWatch user guide, 2026-11).
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

/** Whom a role is for: pods of these Kubernetes service accounts. */
export interface Trusted {
    /** What they are, for the statement's name. */
    readonly who: "Collectors" | "Exporter";
    readonly namespace: string;
    readonly names: readonly string[];
}

/**
 * Trust of a role that EKS Pod Identity hands to pods of these service accounts in this cluster
 * (https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html).
 */
export function podIdentityTrust(cluster: string, { who, namespace, names }: Trusted): Policy {
    return policy({
        Sid: `${who}Only`,
        Effect: "Allow",
        Principal: { Service: "pods.eks.amazonaws.com" },
        Action: ["sts:AssumeRole", "sts:TagSession"],
        Condition: {
            StringEquals: {
                "aws:RequestTag/eks-cluster-name": cluster,
                "aws:RequestTag/kubernetes-namespace": namespace,
                "aws:RequestTag/kubernetes-service-account": names,
            },
        },
    });
}

/**
 * Trust of a role that pods of these service accounts take with their token, which the cluster's issuer signed
 * (https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html).
 *
 * @param oidcProviderArn `arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-2.amazonaws.com/id/…`
 */
export function irsaTrust(oidcProviderArn: string, { who, namespace, names }: Trusted): Policy {
    const issuer = oidcProviderArn.slice(oidcProviderArn.indexOf("/") + 1);
    return policy({
        Sid: `${who}Only`,
        Effect: "Allow",
        Principal: { Federated: oidcProviderArn },
        Action: ["sts:AssumeRoleWithWebIdentity"],
        Condition: {
            StringEquals: {
                [`${issuer}:aud`]: "sts.amazonaws.com",
                [`${issuer}:sub`]: names.map((name) => `system:serviceaccount:${namespace}:${name}`),
            },
        },
    });
}
