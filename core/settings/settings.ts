import { z } from "zod";

import regions = require("./regions.json");
import { partitionOf } from "../lib/arns";
import { dnsLabel, dnsSubdomain } from "../lib/dns";
import { isMap } from "../lib/values";
import { defaultVersion, signals, versions } from "../charts";
import { about } from "./about";
import { nearestOf } from "../lib/spelling";
import { collectorPods, proxy, storePods } from "./pods";
import { destinations, processing, signalDestinations } from "./destinations";
import {
    allowedName,
    allowedRegion,
    awsRegion,
    blockOf,
    diskSize,
    flag,
    httpAddress,
    objectName,
    oneOf,
    outage,
    wholeNumber,
    written,
} from "./fields";
import { headerName, otlpHeadersSecret } from "./headers";
import { logStreamName, streamPlaceholders } from "./streams";
import { distributionCalled, distributionNames } from "./distributions";
import { storageClassPresets } from "./storageClassPresets";

/** Days that CloudWatch Logs can keep events for (PutRetentionPolicy in the CloudWatch Logs API reference, 2026-11). */
const retentionDays = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

const name = (description: string, example: string) =>
    about(z.string().regex(dnsLabel), { description, allowed: allowedName, example });
const hostname = (description: string, example: string) =>
    about(z.string().regex(new RegExp(`${dnsSubdomain.source.slice(0, -1)}(?<=\\..*)$`)), {
        description,
        allowed: "a DNS name such as eu-1.obs.example.net, without https:// and without a path",
        example,
    });
const count = (description: string, example: number) => wholeNumber(1, 1000, description, example);
const cloudWatchDays = (description: string, fallback: number) =>
    about(z.literal(retentionDays).default(fallback), {
        description,
        allowed: `a number of days that CloudWatch knows: ${retentionDays.join(", ")}`,
        example: fallback,
    });

/** A KMS key by its ARN. @param region of the example. */
const kmsKey = (description: string, region: string) =>
    about(z.string().regex(/^arn:aws[\w-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/), {
        description,
        allowed: "the ARN of a KMS key",
        example: `arn:aws:kms:${region}:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab`,
        exampleBeside: (found, beside) => {
            const meant = nearestOf(written(beside.region).trim(), regions);
            // The account and the key that were written are kept.
            const [account = "123456789012"] = /(?<!\d)\d{12}(?!\d)/.exec(written(found)) ?? [];
            const [key = "KEY"] = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|mrk-[\da-f]{32}/.exec(written(found)) ?? [];
            return meant && `arn:${partitionOf(meant)}:kms:${meant}:${account}:key/${key}`;
        },
    });

/** A chart's address with the missing scheme, or a folder as Pulumi writes it. */
function chartCalled(found: unknown): string | undefined {
    const text = written(found);
    if (!/^[\w.-]+(:\d+)?(\/[\w.-]+)+$/.test(text)) {
        return undefined;
    }
    return /^[\w-]+\//.test(text) ? `./${text}` : `oci://${text}`;
}

const size = diskSize(
    "Size of each volume, as a Kubernetes quantity. Default: KOF's, which the preview shows.",
    "100Gi",
);
const retention = (fallback: string) =>
    about(z.string().regex(/^([1-9]\d*[dwy]|(2[4-9]|[3-9]\d|[1-9]\d{2,})h)$/), {
        description: `How long to keep the data. KOF's default: ${fallback}.`,
        allowed: "a whole number with a unit that VictoriaMetrics reads, a day at least: 24h, 30d, 4w or 1y",
        example: "30d",
        mend: (found) => {
            const [, amount, unit = "d"] = /^([1-9]\d*) ?(?:([dwy])(?:ays?|eeks?|ears?)?)?$/.exec(written(found)) ?? [];
            return amount && `${amount}${unit}`;
        },
    });
const shards = count(
    "Pods, each with its own volume. They are shards, not copies: if one is lost, so is its part of the data.",
    2,
);
/** A size, where a bare size is short for a map with more keys. */
const sizeAlone = (found: unknown) => (typeof found === "string" ? { size: found } : undefined);
/** The settings of one store, with those of its pods if it is on this cluster. */
const store = <T extends z.core.$ZodLooseShape>(shape: T, what: string, example: object) =>
    blockOf(z.strictObject(shape), `Volumes and retention of ${what}.`, example, sizeAlone).optional();
const sharded = (kept: string) => ({
    size: size.optional(),
    retention: retention(kept).optional(),
    replicas: shards.optional(),
});
const replicated = {
    size: size.optional(),
    retention: retention("30d").optional(),
    replicas: count("Pods, each with a volume of its own.", 3).optional(),
    replicationFactor: count("Copies of each sample, at most the number of replicas. KOF's default: 2.", 2).optional(),
};
/** The store of each signal. */
const stores = <T extends z.core.$ZodLooseShape>(pods: T) =>
    ({
        metrics: store({ ...replicated, ...pods }, "the metrics", { size: "200Gi", retention: "60d" }),
        logs: store({ ...sharded("7d"), ...pods }, "the logs", { size: "100Gi", retention: "30d" }),
        traces: store({ ...sharded("7d"), ...pods }, "the traces", { size: "100Gi", retention: "30d" }),
        audit: store({ ...sharded("1y"), ...pods }, "the audit logs", { size: "100Gi", retention: "30d" }),
    }) satisfies Record<(typeof signals)[number], z.ZodType>;

const logGroupName = about(z.string().regex(/^(?!aws\/)[.\-_/#A-Za-z0-9]{1,512}$/), {
    description: "CloudWatch log group.",
    allowed: "1 to 512 letters, digits and . - _ / #, not starting with aws/",
    example: "/kof/prod",
});

const identityKinds = ["accessKey", "podIdentity", "irsa", "existingSecret"] as const;
const kinds = [...identityKinds, "assumeRole"] as const;
const kindAmong =
    (all: readonly string[]) =>
    <const K extends (typeof kinds)[number]>(value: K, description: string) =>
        about(z.literal(value), { description, allowed: all.join(", "), example: value });

/** Storage classes of S3 that objects can move to, the colder later: there is no way back (PutBucketLifecycleConfiguration, 2026-11). */
export const archiveClasses = [
    "STANDARD_IA",
    "INTELLIGENT_TIERING",
    "ONEZONE_IA",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
] as const;

/** The signals that cold-storage-exporter reads. Audit logs have an exporter of their own. */
export const coldSignals = ["metrics", "logs", "traces"] as const;

function isDistinct(list: readonly unknown[]): boolean {
    return new Set(list).size === list.length;
}

/** Whether the generations of a key go from old to new, each of them once: `9` before `10`. */
export function isInOrder(labels: readonly string[]): boolean {
    // Made only when needed: Node then loads its data about languages, which takes as long as a dozen modules.
    const byNumber = (a: string, b: string) => new Intl.Collator("en", { numeric: true }).compare(a, b);
    return labels.every((label, i) => i === 0 || byNumber(labels[i - 1] ?? "", label) < 0);
}

/** The collectors' own identity at AWS. @param all the other kinds. */
const identities = (all: readonly string[]) => {
    const kind = kindAmong(all);
    return [
        z.strictObject({
            kind: kind("accessKey", "An IAM user with an access key."),
            generations: about(z.array(z.string().regex(dnsLabel)).min(1).max(2).refine(isInOrder).default(["1"]), {
                description:
                    "One access key per label; the last one is used. To rotate, add a label, then drop the old one. AWS allows two keys.",
                allowed:
                    "a list of one or two different labels of lower-case letters, digits and '-', in quotes, the older one first (2026-05 before 2026-11)",
                example: ["2026-11"],
            }),
        }),
        z.strictObject({
            kind: kind("podIdentity", "On EKS: a role that EKS Pod Identity hands to the collectors. No secret."),
            clusterName: about(z.string().regex(/^[0-9A-Za-z][\w-]{0,99}$/), {
                description:
                    "Name of the EKS cluster that is the management cluster. It needs the EKS Pod Identity Agent.",
                allowed: "1 to 100 letters, digits, '-' and '_', starting with a letter or digit",
                example: "management",
            }),
            region: awsRegion("AWS region of the EKS cluster. Default: that of the log groups.").optional(),
        }),
        z.strictObject({
            kind: kind("irsa", "A role that the collectors take with their service account's token. No secret."),
            oidcProviderArn: about(
                z.string().regex(/^arn:aws[\w-]*:iam::\d{12}:oidc-provider\/[\w.-]+(\/[\w./-]+)?$/),
                {
                    description: "IAM OIDC provider of the cluster's issuer of service account tokens.",
                    allowed: "the ARN of an IAM OIDC provider",
                    example:
                        "arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-2.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF",
                    // The issuer's URL, after which the provider is called.
                    mend: (found) => {
                        const [, issuer] = /^https:\/\/([^?#@\s]+?)\/*$/.exec(written(found)) ?? [];
                        const region = /\.([a-z]{2}(?:-[a-z]+)+-\d)\./.exec(written(found))?.[1] ?? "";
                        return issuer && `arn:${partitionOf(region)}:iam::123456789012:oidc-provider/${issuer}`;
                    },
                },
            ),
        }),
        z.strictObject({
            kind: kind(
                "existingSecret",
                "A Secret made elsewhere, with the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
            ),
            name: objectName("Name of that Secret, in the kof namespace.", "cloudwatch-credentials"),
        }),
    ] as const;
};
const identityTexts = [
    "{kind: accessKey, generations: [LABEL, …]}",
    "{kind: podIdentity, clusterName: NAME}",
    "{kind: irsa, oidcProviderArn: ARN}",
    "{kind: existingSecret, name: NAME}",
];
const anyOf = (texts: readonly string[]) => `${texts.slice(0, -1).join(", ")} or ${texts.at(-1) ?? ""}`;

const credentials = z.discriminatedUnion("kind", [
    ...identities(kinds),
    z.strictObject({
        kind: kindAmong(kinds)(
            "assumeRole",
            "A role of another account, which has the log groups. The collectors assume it with an identity of their own.",
        ),
        roleArn: about(z.string().regex(/^arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/), {
            description: "That role. Its account makes it and the log groups (docs/destinations.md).",
            allowed: "the ARN of an IAM role",
            example: "arn:aws:iam::210987654321:role/kof-logs",
            // As sts get-caller-identity names a role that somebody has assumed.
            mend: (found) => {
                const [, partition, account, role] =
                    /^arn:(aws[\w-]*):sts::(\d{12}):assumed-role\/([^/]+)\/./.exec(written(found)) ?? [];
                return role && `arn:${partition ?? ""}:iam::${account ?? ""}:role/${role}`;
            },
        }),
        externalId: about(z.string().regex(/^[\w+=,.@:/-]{2,1224}$/), {
            description:
                "External ID that the role's account requires. Not with signals over OTLP, whose extension cannot send one.",
            allowed: "2 to 1224 letters, digits and + = , . @ : / - _",
            example: "kof-prod",
        }).optional(),
        identity: about(
            z.discriminatedUnion("kind", identities(identityKinds)).default({ kind: "accessKey", generations: ["1"] }),
            {
                description: "The identity with which the collectors assume the role. It may do nothing else.",
                allowed: anyOf(identityTexts),
                example: { kind: "podIdentity", clusterName: "management" },
            },
        ),
    }),
]);

const awsTags = about(z.record(z.string().min(1).max(128), z.string().max(256)).default({}), {
    description: "Tags of everything made in AWS, in addition to kof-cluster, kof-stack and managed-by.",
    allowed: "a map of strings",
    example: { "cost-centre": "platform" },
});

const regionalBlock = z.strictObject({
    cluster: name("Name of the regional ClusterDeployment.", "eu-1"),
    domain: hostname(
        "Its domain (annotation k0rdent.mirantis.com/kof-regional-domain). Not with Istio; KOF 1.10 and later find it themselves.",
        "eu-1.obs.example.net",
    ).optional(),
    namespace: name("Namespace of the regional ClusterDeployment.", "kcm-system").default("kcm-system"),
    insecureSkipVerify: flag("Do not verify the region's certificate (self-signed)."),
});

const regionlessBlock = z.strictObject({
    domain: hostname(
        "Child clusters write to https://vmauth.DOMAIN. Not needed with Istio.",
        "kof.example.net",
    ).optional(),
    certEmail: about(z.email(), {
        description: "Address for the Let's Encrypt certificate of that domain. Not needed with selfSigned or Istio.",
        allowed: "an e-mail address",
        example: "platform@example.net",
    }).optional(),
    selfSigned: flag("Use a self-signed certificate, which collectors then do not verify."),
});

const cloudwatchBlock = z.strictObject({
    region: awsRegion("AWS region of the log groups."),
    logGroup: logGroupName
        .meta({
            description:
                "Log group of the logs. Default: the stack's existing one, or /kof/CLUSTERNAME for a new stack.",
        })
        .optional(),
    logStream: about(z.string().regex(logStreamName), {
        description: "Log stream within each group.",
        allowed: `1 to 512 characters without ':', '*' and '$'; of braces only ${Object.keys(streamPlaceholders).join(", ")}`,
        example: "{NodeName}/{Collector}",
    }).default("logs"),
    retentionDays: cloudWatchDays("Retention of the logs, in days.", 30),
    auditLogGroup: logGroupName
        .meta({ description: "Log group of the audit logs (KOF 1.10 and later). Default: the same group as the logs." })
        .optional(),
    auditRetentionDays: cloudWatchDays("Days to keep the audit logs for, in a group of their own.", 365),
    kmsKeyArn: kmsKey("KMS key that encrypts the log groups.", "us-east-2").optional(),
    keepLogGroups: flag(
        "Keep the log groups in AWS on a switch to another route and on destroy. Groups that the stack did not make always stay.",
        true,
    ),
    tags: awsTags,
    signals: blockOf(
        z
            .strictObject({
                metrics: oneOf(
                    ["none", "otlp", "emf"],
                    "Metrics in CloudWatch. otlp: over OTLP, billed by the GB and queried with PromQL. emf: as log events in embedded metric format, with each series billed as a custom metric.",
                    "otlp",
                ).default("none"),
                traces: oneOf(
                    ["none", "otlp", "xray"],
                    "Traces in AWS. otlp: over OTLP, which needs CloudWatch Transaction Search. xray: as segments of X-Ray, lost in an outage.",
                    "otlp",
                ).default("none"),
            })
            .prefault({}),
        "Signals to store in AWS in addition to the logs.",
        { traces: "otlp" },
    ),
    credentials: about(credentials.default({ kind: "accessKey", generations: ["1"] }), {
        description: "How the collectors authenticate.",
        allowed: anyOf([...identityTexts, "{kind: assumeRole, roleArn: ARN, identity: one of the others}"]),
        example: { kind: "accessKey", generations: ["2026-11"] },
    }),
    endpoint: about(z.url({ protocol: /^https?$/ }), {
        description: "CloudWatch Logs endpoint, if it is not the region's public one (VPC endpoint, emulator).",
        allowed: "an http:// or https:// URL",
        example: "https://vpce-0123.logs.us-east-2.vpce.amazonaws.com",
    }).optional(),
    processing: processing.optional(),
});

/** How the exporter of an archive authenticates: as collectors do at CloudWatch, by the names that its chart reads. */
const [byKey, byPodIdentity, byIrsa] = identities(identityKinds);
const exporterKind = kindAmong(identityKinds);
const archiveCredentials = z.discriminatedUnion("kind", [
    byKey,
    byPodIdentity.extend({
        kind: exporterKind("podIdentity", "On EKS: a role that EKS Pod Identity hands to the exporter. No secret."),
        region: awsRegion("AWS region of the EKS cluster. Default: that of the bucket.").optional(),
    }),
    byIrsa.extend({
        kind: exporterKind("irsa", "A role that the exporter takes with its service account's token. No secret."),
    }),
    z.strictObject({
        kind: exporterKind("existingSecret", "A Secret made elsewhere, with the keys S3_ACCESS_KEY and S3_SECRET_KEY."),
        name: objectName("Name of that Secret, in the kof namespace.", "s3-credentials"),
    }),
]);

/**
 * General purpose buckets of S3 ("Bucket naming rules" in the Amazon S3 user guide, 2026-11). Stores that are compatible with it take
 * these names too.
 */
const bucketName = z
    .string()
    .regex(
        /^(?!xn--|sthree-|amzn-s3-demo-)(?!.*(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$)(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    );

/** The name of a region is the value of a label, and `all` stands for all regions. */
const regionName = /^(?!all$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

function areRegions(names: readonly string[]): boolean {
    return names.length > 0 && isDistinct(names) && names.every((name) => regionName.test(name));
}

/** `[eu-1, eu-1]`, `[{name: eu-1}]`, `kcm-system/eu-1, EU_2` and `[all]` as they are meant. */
function regionsMeant(found: unknown): unknown {
    const each: readonly unknown[] = Array.isArray(found)
        ? found
        : isMap(found)
          ? Object.keys(found)
          : written(found).split(/[,\s]+/);
    const named = each.map((one) => written(isMap(one) ? one.name : one).replace(/^.*\//, ""));
    const names = named.map((name) => name.trim().toLowerCase().replaceAll("_", "-")).filter(Boolean);
    return found === true || names.some((name) => /^(all|\*)$/.test(name)) ? "all" : [...new Set(names)];
}

/** What is the same for both archives in S3. */
const archive = (bucket: string, prefix: string) => ({
    bucket: about(bucketName, {
        description: "Name of the bucket, which must be unique in all of AWS.",
        allowed:
            "3 to 63 lower-case letters, digits, '-' and '.', starting and ending with a letter or digit, and none of the names that S3 keeps for itself (xn--…, …-s3alias)",
        example: bucket,
        mend: (found) =>
            /^(?:s3:\/\/|arn:aws[\w-]*:s3:::)([^/]+)\/?$/.exec(written(found))?.[1]?.toLowerCase().replaceAll("_", "-"),
    }),
    region: about(z.string().regex(dnsLabel), {
        description: "AWS region of the bucket. With endpoint: that store's name for its region, by default us-east-1.",
        allowed: allowedRegion,
        example: "eu-west-1",
    }).optional(),
    prefix: about(z.string().regex(/^(?=.{1,200}$)(?!(.*\/)?\.{1,2}(\/|$))[\w.-]+(\/[\w.-]+)*$/), {
        description: "The start of every object's key.",
        allowed: "at most 200 letters, digits and . _ -, in parts with / between them, and none at its start and end",
        example: prefix,
        mend: (found) => written(found).replace(/^\/+|\/+$/g, ""),
    }).default(prefix),
    createBucket: about(z.boolean(), {
        description: "Create the bucket; false to use one that exists. Default: true, and false with endpoint.",
        allowed: "true or false, without quotes",
        example: false,
    }).optional(),
    keepBucket: flag(
        "Keep the bucket in AWS after you remove this setting, and on destroy. A bucket that is not empty always stays.",
        true,
    ),
    lifecycle: about(
        z
            .array(
                z.strictObject({
                    days: wholeNumber(0, 36_500, "Age of an object in days at which it moves.", 90),
                    storageClass: oneOf(archiveClasses, "The class that it moves to.", "GLACIER_IR"),
                }),
            )
            .default([]),
        {
            description: "Colder storage classes to which objects move as they age. Objects below 128 KB do not move.",
            allowed: `a list of {days: DAYS, storageClass: CLASS}, of the classes ${archiveClasses.join(", ")}`,
            example: [{ days: 90, storageClass: "GLACIER_IR" }],
        },
    ),
    kmsKeyArn: kmsKey("KMS key that encrypts the bucket. Default: S3's own keys.", "eu-west-1").optional(),
    tags: awsTags,
    credentials: about(archiveCredentials, {
        description: "How the exporter authenticates. Default: an access key that the stack makes.",
        allowed: anyOf(identityTexts),
        example: { kind: "accessKey", generations: ["2026-11"] },
    }).optional(),
    existingSecret: objectName(
        "Short for credentials: {kind: existingSecret, name: NAME}. A Secret in the kof namespace with the keys S3_ACCESS_KEY and S3_SECRET_KEY.",
        "s3-credentials",
    ).optional(),
    regions: about(
        z.union([z.literal("all"), z.array(z.string().meta({ pattern: regionName.source })).refine(areRegions)]),
        {
            description:
                "Archive what regional clusters store as well, all or those named, below prefix/regions/NAMESPACE/NAME. It takes a key, which is copied to them. Default: this cluster alone.",
            allowed: "all, or a list of the names of regional ClusterDeployments, each once",
            example: "all",
            mend: regionsMeant,
            why: (found) =>
                Array.isArray(found) && found.length === 0 ? "where no region is archived, remove it" : undefined,
        },
    ).optional(),
    endpoint: httpAddress(
        "Address of a store that is compatible with S3 (MinIO, Ceph). The stack then makes nothing in AWS. You make the bucket and existingSecret.",
        "https://minio.example.net",
    ).optional(),
});

/** A bucket in AWS needs its region, which is reported as missing even if other settings are wrong. */
const placed = <Shape extends z.core.$ZodShape>(shape: Shape) =>
    z.strictObject(shape).refine(isPlaced, { path: ["region"], when: () => true });

function isPlaced(found: unknown): boolean {
    return !isMap(found) || found.region !== undefined || found.endpoint !== undefined;
}

const coldStorage = placed({
    ...archive("acme-kof-cold", "telemetry"),
    signals: about(z.array(z.enum(coldSignals)).min(1).refine(isDistinct), {
        description: "What is archived. Default: those of metrics, logs and traces that are stored on this cluster.",
        allowed: `a list of ${coldSignals.join(", ")}, each once`,
        example: ["metrics"],
    }).optional(),
});

const auditArchive = placed({
    ...archive("acme-kof-audit", "audit"),
    objectLock: about(
        z.strictObject({
            mode: oneOf(
                ["GOVERNANCE", "COMPLIANCE"],
                "GOVERNANCE: users with the right s3:BypassGovernanceRetention may still delete. COMPLIANCE: nobody may, not even the account's root user.",
                "COMPLIANCE",
            ),
            days: wholeNumber(
                1,
                36_500,
                "Days after its upload during which no version of an object can be deleted.",
                365,
            ),
        }),
        {
            description:
                "S3 Object Lock, which this program turns on only for a bucket that it makes, and the exporter then insists on. Default: none.",
            allowed: "{mode: GOVERNANCE, days: DAYS} or {mode: COMPLIANCE, days: DAYS}",
            example: { mode: "COMPLIANCE", days: 365 },
        },
    ).optional(),
});

const otlpBlock = z.strictObject({
    endpoint: httpAddress(
        "Base address for OTLP over HTTP. Signals go to /v1/metrics, /v1/logs and /v1/traces below it.",
        "https://otlp.example.net",
    ),
    headersSecret: objectName(
        "Secret in the kof namespace with the headers. You make it. Default: no headers.",
        otlpHeadersSecret,
    ).optional(),
    headers: about(z.array(z.string().regex(headerName)).min(1).default(["Authorization"]), {
        description: "Headers to send; each is a key of that Secret.",
        allowed: "a list of names of HTTP headers",
        example: ["Authorization"],
        mend: (found) => (isMap(found) ? Object.keys(found) : /^([-\w]+)\s*[:=]/.exec(written(found))?.[1]),
    }),
    tls: blockOf(
        z
            .strictObject({
                caSecret: objectName(
                    "Secret in the kof namespace with the CA in its key ca.crt. Default: the CAs of the collectors' image.",
                    "otlp-ca",
                ).optional(),
                insecureSkipVerify: flag("Do not verify the certificate of the endpoint."),
            })
            .prefault({}),
        "TLS towards the endpoint.",
        { caSecret: "otlp-ca" },
    ),
    processing: processing.optional(),
});

const buffer = z.strictObject({
    duration: outage("How long an outage of the destination may last without a loss.", "30m").default("30m"),
    size: diskSize(
        "The most that each exporter of a collector keeps on its node's disk. It lasts for DURATION if a node sends SIZE / DURATION of a signal.",
        "1Gi",
    ).default("1Gi"),
    metrics: oneOf(
        ["memory", "disk"],
        "Where metrics for a region wait. memory: lost when a collector restarts in an outage. disk: kept on the node, through ports 14318 to 14321 of its loopback.",
        "disk",
    ).default("memory"),
});

const storageClass = z.strictObject({
    create: flag("Create the class; false to use one that exists.", true),
    name: objectName("Name of the class.", "kof"),
    preset: oneOf(
        Object.keys(storageClassPresets) as (keyof typeof storageClassPresets)[],
        "A known driver with its parameters.",
        "aws-ebs",
    ).optional(),
    provisioner: about(z.string().regex(/^[a-z0-9][\w./-]*$/), {
        description: "CSI driver that makes the volumes, if no preset fits.",
        allowed: "the name of a CSI driver that makes volumes on demand",
        example: "ebs.csi.aws.com",
    }).optional(),
    parameters: about(z.record(z.string(), z.string()), {
        description: "Parameters of the driver, which override the preset's.",
        allowed: "a map of strings: quote numbers and true/false",
        example: { type: "gp3", encrypted: "true" },
    }).optional(),
    reclaimPolicy: oneOf(["Retain", "Delete"], "What happens to a volume whose claim is deleted.", "Retain").default(
        "Retain",
    ),
    default: flag("Make it the cluster's default class. There must be only one."),
});

const storageBlock = z.strictObject(stores(storePods));

const everyRegion = z.strictObject({
    storage: blockOf(
        z.strictObject(stores({})),
        "Sizes, retention and replicas of what is stored on each regional cluster.",
        { logs: { size: "200Gi", retention: "60d" } },
    ).optional(),
    storageClass: objectName(
        "Name of the storage class of KOF's volumes there. It must exist on each regional cluster. Default: the default class of each.",
        "kof",
        (found) => (isMap(found) ? found.name : undefined),
    ).optional(),
});

const rate = (description: string, example: number) =>
    about(z.number().nonnegative(), { description, allowed: "a number from 0", example });
const bytes = (description: string, fallback: number) =>
    about(z.number().positive().default(fallback), { description, allowed: "a number above 0", example: fallback });
const lines = (what: string, fallback: number) =>
    blockOf(
        z.strictObject({
            linesPerSecond: rate("Log lines per second, of all nodes together.", 500),
            bytesPerLine: bytes("Average size of a line, with the attributes that collectors add.", fallback),
        }),
        `How many ${what} there are.`,
        { linesPerSecond: 500, bytesPerLine: fallback },
    );

const rates = z.strictObject({
    logs: lines("logs", 250).optional(),
    metrics: blockOf(
        z.strictObject({
            activeSeries: rate("Time series that got a sample within the last hour.", 50_000),
            scrapeInterval: about(z.string().regex(/^[1-9]\d*[sm]$/), {
                description: "How often each series gets a sample.",
                allowed: "a whole number of seconds or minutes: 30s, 1m",
                example: "30s",
            }).default("30s"),
        }),
        "How many metrics there are.",
        { activeSeries: 50_000, scrapeInterval: "30s" },
    ).optional(),
    traces: blockOf(
        z.strictObject({
            spansPerSecond: rate("Spans per second, of all nodes together.", 100),
            bytesPerSpan: bytes("Average size of a span with its attributes.", 1000),
        }),
        "How many traces there are.",
        { spansPerSecond: 100 },
    ).optional(),
    audit: lines("audit logs", 1000).optional(),
} satisfies Record<(typeof signals)[number], z.ZodType>);

/** What the settings of a stack have to do with a route. */
export interface RouteSettings {
    /** The settings of the route, under its own name. It needs them, and no other route takes them. */
    readonly block?: z.ZodType;
}

/** Where the management cluster's telemetry can go. What else a route is, core/routes knows. */
export const routes = {
    none: {},
    management: {},
    regional: {
        block: blockOf(regionalBlock, "The region, with route regional.", {
            cluster: "eu-1",
            domain: "eu-1.obs.example.net",
        }),
    },
    cloudwatch: {
        block: blockOf(cloudwatchBlock, "AWS CloudWatch, with route cloudwatch.", { region: "us-east-2" }),
    },
    otlp: {
        block: blockOf(otlpBlock, "A destination for OTLP over HTTP, with route otlp.", {
            endpoint: "https://otlp.example.net",
            headersSecret: otlpHeadersSecret,
        }),
    },
    regionless: {
        block: blockOf(regionlessBlock, "The domain of route regionless, which needs none with Istio.", {
            domain: "kof.example.net",
            certEmail: "platform@example.net",
        }),
    },
} as const satisfies Readonly<Record<string, RouteSettings>>;

/** The name of a route: a value of `kof:route`. */
export type RouteName = keyof typeof routes;

/** The routes that have settings of their own. */
type RouteBlock = {
    [Name in RouteName]: (typeof routes)[Name] extends { readonly block: z.ZodType } ? Name : never;
}[RouteName];

export const routeNames = Object.keys(routes) as RouteName[];

/** Every setting of a stack, by its key under `kof:`. The one place that says what is allowed and what the defaults are. */
export const settingsSchema = {
    route: oneOf(routeNames, "Where the management cluster's own metrics, logs and traces go.", "management").default(
        "none",
    ),
    version: about(z.enum(versions).default(defaultVersion), {
        description: "KOF version.",
        allowed: versions.join(", "),
        example: defaultVersion,
        why: (found) =>
            typeof found === "number" ? "without quotes YAML reads it as a number, and 1.10 as 1.1" : undefined,
    }),
    chart: about(
        z
            .string()
            .regex(/^(oci:\/\/|https?:\/\/|\.{0,2}\/).+/)
            .default("oci://ghcr.io/k0rdent/kof/charts/kof"),
        {
            description: "The umbrella chart: an OCI address, a chart repository's URL, or a local folder.",
            allowed: "oci://…/kof, https://… (a repository that has the chart kof), or a folder starting with ./ or /",
            example: "oci://registry.example.net/kof/charts/kof",
            mend: chartCalled,
        },
    ),
    clusterName: name("Name of the management cluster on every signal.", "mothership").default("mothership"),
    clusterNamespace: name("Namespace of the management cluster on every signal.", "kcm-system").default("kcm-system"),
    distribution: about(z.enum(distributionNames), {
        description:
            "Kubernetes distribution of the management cluster: where etcd's certificates are, whether KOF installs metrics-server, and what would interfere with KOF (docs/clusters.md).",
        allowed: distributionNames.join(", "),
        example: "other",
        mend: distributionCalled,
    }).default("k0s"),
    istio: flag("The kof namespace is in the Istio mesh. Never change it after the first install."),
    regional: routes.regional.block.optional(),
    regionless: routes.regionless.block.optional(),
    cloudwatch: routes.cloudwatch.block.optional(),
    otlp: routes.otlp.block.optional(),
    signals: signalDestinations.optional(),
    destinations: destinations.optional(),
    coldStorage: blockOf(
        coldStorage,
        "An hourly archive in S3 of the metrics, logs and traces that this cluster stores (KOF 1.10 and later).",
        { bucket: "acme-kof-cold", region: "eu-west-1" },
    ).optional(),
    auditArchive: blockOf(
        auditArchive,
        "An hourly archive in S3 of the audit logs that this cluster stores (KOF 1.10 and later).",
        {
            bucket: "acme-kof-audit",
            region: "eu-west-1",
            objectLock: { mode: "COMPLIANCE", days: 365 },
        },
    ).optional(),
    buffer: blockOf(buffer, "What the collectors keep while a destination outside the cluster is unreachable.", {
        duration: "2h",
        size: "4Gi",
    }).optional(),
    collectors: blockOf(collectorPods, "The pods of the collectors on this cluster, and what is added to them.", {
        resources: { limits: { memory: "1Gi" } },
        priorityClassName: "system-cluster-critical",
    }).optional(),
    proxy: blockOf(
        proxy,
        "The proxy through which the collectors reach addresses outside the cluster. They reach the cluster itself without it.",
        { https: "http://proxy.example.net:3128" },
    ).optional(),
    storageClass: blockOf(
        storageClass,
        "The storage class of every KOF volume. Default: the cluster's default class.",
        { name: "kof", preset: "aws-ebs" },
        (found) => (typeof found === "string" ? { create: false, name: found } : undefined),
    ).optional(),
    storage: blockOf(
        storageBlock,
        "Sizes, retention, replicas and pods of what is stored on the management cluster. KOF keeps logs and traces for 7 days only.",
        { logs: { size: "100Gi", retention: "30d" } },
    ).optional(),
    regions: blockOf(
        everyRegion,
        "The stores on every present and future regional cluster on which this management cluster installs KOF. kof:regional names one of them.",
        { storage: { logs: { size: "200Gi", retention: "60d" } }, storageClass: "kof" },
    ).optional(),
    rates: blockOf(rates, "How much telemetry there is, for npm run size. It does not change what is deployed.", {
        logs: { linesPerSecond: 500, bytesPerLine: 250 },
        metrics: { activeSeries: 50_000, scrapeInterval: "30s" },
        traces: { spansPerSecond: 100 },
    }).optional(),
    grafana: blockOf(
        z.strictObject({
            enabled: flag("Grafana's operator, data sources, dashboards and admin credentials."),
            existingSecret: objectName(
                "A Secret that you make in the kof namespace, with the keys GF_SECURITY_ADMIN_USER and GF_SECURITY_ADMIN_PASSWORD. Default: one with a generated password.",
                "grafana-admin-credentials",
            ).optional(),
        }),
        "Grafana support.",
        { enabled: true },
    ).optional(),
    alerts: flag(
        "Alert rules that KOF evaluates if one of its stores has this cluster's metrics: a signal stops arriving, an exporter loses records, a queue or a volume fills, the access key is old (docs/alerts.md).",
        true,
        // The key without a value means true.
        true,
    ),
    acknowledge: about(z.string().default(""), {
        description:
            "Permits one change of settings that loses stored data, or that has been prepared by hand. The refusal prints the text. It permits that change once, and nothing else.",
        allowed: "the text that the refusal asks for",
        example: "management->none",
    }),
    adopt: flag("Take over a KOF that was installed by hand."),
    values: blockOf(
        z.record(z.string(), z.json()),
        "More Helm values for the umbrella chart, merged last and checked like all others.",
        {
            "kof-mothership": { values: { promxy: { replicaCount: 1 } } },
        },
    ).default({}),
    // Without the block of a route this does not compile.
} as const satisfies Readonly<Record<string, z.ZodType>> & Readonly<Record<RouteBlock, z.ZodType>>;

/** The keys of the routes' own settings, in the order of {@link settingsSchema}. */
export const routeBlocks = Object.keys(settingsSchema).filter((key): key is RouteBlock => Object.hasOwn(routes, key));

type Parsed = z.infer<z.ZodObject<typeof settingsSchema>>;

export type CloudWatchSettings = z.infer<typeof cloudwatchBlock>;

/** The identity of collectors at AWS before they assume a role. */
export type AwsIdentity = Exclude<CloudWatchSettings["credentials"], { kind: "assumeRole" }>;

/** A role that collectors assume. */
export type AssumedRole = Pick<
    Extract<CloudWatchSettings["credentials"], { kind: "assumeRole" }>,
    "roleArn" | "externalId"
>;

/** The collectors' identity at AWS, and the place of its setting. */
export function awsIdentityOf(credentials: CloudWatchSettings["credentials"]): {
    readonly identity: AwsIdentity;
    readonly path: readonly string[];
    readonly role?: AssumedRole;
} {
    const path = ["cloudwatch", "credentials"];
    if (credentials.kind !== "assumeRole") {
        return { identity: credentials, path };
    }
    const { roleArn, externalId, identity } = credentials;
    return {
        identity,
        path: [...path, "identity"],
        role: { roleArn, ...(externalId === undefined ? {} : { externalId }) },
    };
}

/** How much telemetry there is. */
export type Rates = z.infer<typeof rates>;
export type ColdStorageSettings = z.infer<typeof coldStorage>;
export type AuditArchiveSettings = z.infer<typeof auditArchive>;
export type OtlpSettings = z.infer<typeof otlpBlock>;
/** The settings of each signal's store, on this cluster or on regions. */
export type StoreSettings = NonNullable<z.infer<typeof everyRegion>["storage"]>;
export type StorageClassSettings = z.infer<typeof storageClass>;

type Block<Name extends RouteName> = Name extends RouteBlock
    ? { readonly [Own in Name]: z.infer<(typeof routes)[Own]["block"]> }
    : unknown;
type With<Name extends RouteName> = Omit<Parsed, "route"> & { readonly route: Name } & Block<Name>;

/** The settings of one stack: complete, valid, and with the blocks that its route and its signals name. */
export type Settings = { [Name in RouteName]: With<Name> }[RouteName];

/** The settings of a stack on one route. */
export type SettingsOf<Name extends RouteName> = Extract<Settings, { readonly route: Name }>;
