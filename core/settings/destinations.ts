import { z } from "zod";

import { dnsLabel, dnsSubdomain } from "../lib/dns";
import { isMap } from "../lib/values";
import { about } from "./about";
import { destinationPresets, presetCalled, type DestinationPresetName } from "./destinationPresets";
import { awsRegion, diskSize, flag, httpAddress, oneOf, outage, proxyAddress, wholeNumber, wordsIn } from "./fields";
import { headerName } from "./headers";
import { nounOf, signals, type Signal } from "../charts";

/*
 * Places outside KOF that take telemetry, and which signal goes where. core/settings/presets.json has what a preset fills in,
 * core/routes/exporters.ts what an exporter is made of.
 */

/** The destinations that are KOF's own, or have a block of settings of their own. */
export const builtInDestinations = ["management", "regional", "cloudwatch", "otlp"] as const;

/** Names that components of KOF's charts and of this program have, after the slash. */
export const reservedNames: readonly string[] = [
    ...builtInDestinations,
    ...["none", "regionless", "destination", "queue", ...signals, "logs-audit", "default", "deliver"],
];

const secretName = (description: string, example: string) =>
    about(z.string().regex(dnsSubdomain), {
        description: `Name of a Secret in the kof namespace, made elsewhere, with ${description}.`,
        allowed: "the name of a Secret: lower-case letters, digits, '-' and '.'",
        example,
    });

const kinds = [
    ...["none", "headers", "basic", "bearer", "oauth2", "sigv4", "clientCertificate", "google", "azure"],
] as const;
const kind = <const K extends string>(value: K, description: string) =>
    about(z.literal(value), { description, allowed: kinds.join(", "), example: value, suits: kindOfPreset });

/** How the collectors authenticate at a destination. */
const auth = z.discriminatedUnion("kind", [
    z.strictObject({ kind: kind("none", "Without any credentials.") }),
    z.strictObject({
        kind: kind("headers", "HTTP headers whose values are in a Secret."),
        secret: secretName("one key for each header, of the same name", "vendor-headers"),
        headers: about(z.array(z.string().regex(headerName)).min(1), {
            description:
                "Headers to send; each is a key of that Secret. Default: those of the preset, else Authorization.",
            allowed: "a list of names of HTTP headers",
            example: ["Authorization"],
            mend: (found) => (isMap(found) ? Object.keys(found) : typeof found === "string" ? found : undefined),
        }).optional(),
    }),
    z.strictObject({
        kind: kind("basic", "A user and a password."),
        secret: secretName("the keys username and password", "vendor-login"),
    }),
    z.strictObject({
        kind: kind("bearer", "A token, sent as Authorization: Bearer."),
        secret: secretName("the key token", "vendor-token"),
    }),
    z.strictObject({
        kind: kind("oauth2", "A token that is got with OAuth 2.0 client credentials."),
        secret: secretName("the keys client_id and client_secret", "vendor-oauth2"),
        tokenUrl: httpAddress("Where the token is got.", "https://login.example.net/oauth2/token"),
        scopes: about(z.array(z.string().min(1)).min(1), {
            description: "Scopes to ask for.",
            allowed: "a list of strings",
            example: ["telemetry.write"],
        }).optional(),
    }),
    z.strictObject({
        kind: kind("sigv4", "Requests signed for AWS (Signature Version 4)."),
        region: awsRegion("AWS region of the destination."),
        service: about(z.string().regex(/^[a-z][a-z0-9-]*$/), {
            description: "AWS service that the requests are signed for. Default: that of the preset.",
            allowed: "the name of an AWS service, as signatures have it",
            example: "aps",
        }).optional(),
        secret: secretName(
            "the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Default: the identity of the collectors' pods or nodes",
            "aws-credentials",
        ).optional(),
        roleArn: about(z.string().regex(/^arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/), {
            description: "Role to take before requests are signed.",
            allowed: "the ARN of an IAM role",
            example: "arn:aws:iam::123456789012:role/kof",
        }).optional(),
    }),
    z.strictObject({
        kind: kind("clientCertificate", "A client certificate (mutual TLS)."),
        secret: secretName("the keys tls.crt and tls.key", "vendor-client-certificate"),
    }),
    z.strictObject({ kind: kind("google", "The Google identity of the collectors' pods or nodes.") }),
    z.strictObject({ kind: kind("azure", "The Azure identity of the collectors' pods or nodes.") }),
]);

/** The kind of authentication of a destination's preset, if the other keys that are given fit it. */
function kindOfPreset([, destination, given]: readonly unknown[]): string | undefined {
    const preset = isMap(destination) ? presetCalled(destination.preset) : undefined;
    const wanted = preset && destinationPresets[preset].auth.kind;
    const shape = auth.options.find(({ shape: { kind } }) => kind.value === wanted)?.shape;
    const isRight = shape && isMap(given) && Object.keys(given).every((key) => Object.hasOwn(shape, key));
    return isRight && wanted !== "none" ? wanted : undefined;
}

const tls = z.strictObject({
    caSecret: secretName("the CA in its key ca.crt. Default: the CAs of the collectors' image", "vendor-ca").optional(),
    serverName: about(z.string().regex(dnsSubdomain), {
        description: "Name that the certificate has to have, where it is not that of the address.",
        allowed: "a DNS name",
        example: "otlp.example.net",
    }).optional(),
    insecureSkipVerify: flag("Do not verify the certificate of the destination."),
});

const severities = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

/** The part of its signals that a destination receives. The rest is dropped on its way there, by choice. */
export const processing = about(
    z.strictObject({
        dropNamespaces: about(z.array(z.string().regex(dnsLabel)).min(1), {
            description: "Namespaces of which this destination gets nothing.",
            allowed: "a list of names of namespaces",
            example: ["kube-system"],
            mend: wordsIn,
        }).optional(),
        minimumSeverity: about(z.enum(severities), {
            description:
                "The least severe logs that it gets. It also gets logs without a severity, audit logs included.",
            allowed: severities.join(", "),
            example: "warn",
            mend: (found) => (typeof found === "string" ? found.toLowerCase().replace(/^warning$/, "warn") : undefined),
        }).optional(),
        redact: about(z.array(z.string().min(1).max(500).refine(isPattern)).min(1), {
            description:
                "Regular expressions. Each match in the bodies of logs and in the attributes of logs and spans becomes ****.",
            allowed: "a list of regular expressions as Go reads them (RE2): no lookahead, lookbehind or backreferences",
            example: ["\\b\\d{3}-\\d{2}-\\d{4}\\b"],
        }).optional(),
        sampleTraces: about(z.number().gt(0).lt(100), {
            description:
                "Percentage of the traces that it gets. They are chosen by their IDs, so each trace stays whole.",
            allowed: "a number above 0 and below 100",
            example: 10,
        }).optional(),
    }),
    {
        description: "Which part of its signals this destination gets. It does not store the rest.",
        allowed: "a map of dropNamespaces, minimumSeverity, redact and sampleTraces",
        example: { dropNamespaces: ["kube-system"] },
    },
);

/** Whether Go (RE2) takes an expression, as far as JavaScript and the known differences between the two can tell. */
function isPattern(text: string): boolean {
    // Each backslash with what follows. Go knows only these letters and digits; it takes any other character for itself.
    const escapes = [...text.matchAll(/\\(p\{\^?[A-Za-z_]+\}|p[A-Z]|x\{[\dA-Fa-f]+\}|x[\dA-Fa-f]{2}|[^])/giu)].map(
        ([, each = ""]) => each,
    );
    const isKnown = (each: string) => !/^[A-Za-z0-9]/.test(each) || /^([aftnrvdDsSwWbBAzCQE0]|[pP].|x.)/.test(each);
    const plain = text
        .replaceAll(/\\([pPx]\{[^}]*\}|[^A-Za-z0-9])/gu, "x")
        .replaceAll(/\\[pPxAzCQE]/g, "x")
        .replaceAll(/\(\?P</g, "(?<")
        // Flags, by themselves or of a group.
        .replaceAll(/\(\?[imsU]*(-[imsU]+)?(?=[:)])/g, "(?:")
        .replaceAll("(?::", "(?:")
        .replaceAll(/\[:\^?[a-z]+:\]/g, "x");
    const tooOften = [...plain.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].some(
        (each) => Number(each[1]) > 1000 || Number(each[2]) > 1000,
    );
    if (!escapes.every(isKnown) || tooOften || /\(\?(?:[=!]|<[=!])|\[\^?\](?![^[]*\])/.test(plain)) {
        return false;
    }
    try {
        new RegExp(plain);
        return true;
    } catch {
        return false;
    }
}

const ownSignal = (signal: string) =>
    about(
        z.union([
            z.literal(false),
            z.strictObject({
                endpoint: httpAddress(
                    `Full address of the ${signal}, where it is not the endpoint with /v1/${signal} added.`,
                    `https://otlp.example.net/v1/${signal}`,
                ),
            }),
        ]),
        {
            description: `Whether it takes ${signal}, and where: false, or an address of their own.`,
            allowed: "false, or {endpoint: URL}",
            example: { endpoint: `https://otlp.example.net/v1/${signal}` },
        },
    ).optional();

/** The buffer of one destination. */
const ownBuffer = z.strictObject({
    duration: outage("How long an outage of it may last without a loss. Default: that of kof:buffer.", "2h").optional(),
    size: diskSize(
        "Most that each exporter to it keeps on its node's disk. Default: that of kof:buffer.",
        "4Gi",
    ).optional(),
});

/** One destination. */
export const destination = z.strictObject({
    preset: about(z.enum(Object.keys(destinationPresets) as DestinationPresetName[]), {
        description:
            "What the vendor or the software fixes: protocol, address, headers, limits (docs/destinations.md).",
        allowed: Object.keys(destinationPresets).join(", "),
        example: "honeycomb",
        mend: presetCalled,
    }).optional(),
    protocol: oneOf(
        ["http", "grpc", "remotewrite"],
        "OTLP over HTTP, OTLP over gRPC, or Prometheus remote write. Default: that of the preset, else http.",
        "grpc",
    ).optional(),
    endpoint: httpAddress(
        "Its address. To that of OTLP over HTTP /v1/metrics, /v1/logs and /v1/traces are added. Default: that of the preset.",
        "https://otlp.example.net",
    ).optional(),
    signals: about(
        z.strictObject({ metrics: ownSignal("metrics"), logs: ownSignal("logs"), traces: ownSignal("traces") }),
        {
            description: "What it takes, and at which address, by signal. Audit logs go where its logs go.",
            allowed: "a map of metrics, logs and traces, each false or {endpoint: URL}",
            example: { logs: false },
        },
    ).optional(),
    auth: about(auth, {
        description: "How the collectors authenticate. Default: not at all.",
        allowed:
            "{kind: none}, {kind: headers, secret: NAME}, {kind: basic, secret: NAME}, {kind: bearer, secret: NAME}, " +
            "{kind: oauth2, secret: NAME, tokenUrl: URL}, {kind: sigv4, region: REGION}, {kind: clientCertificate, secret: NAME}, {kind: google} or {kind: azure}",
        example: { kind: "headers", secret: "vendor-headers" },
    }).optional(),
    headers: about(z.record(z.string().regex(headerName), z.string().min(1).max(1000)), {
        description: "Headers that are no secret. Those with a secret value: auth.",
        allowed: "a map of names of HTTP headers and their values, all of them text",
        example: { "X-Scope-OrgID": "kof" },
    }).optional(),
    compression: oneOf(
        ["none", "gzip", "zstd", "snappy"],
        "How requests are compressed. Default: gzip, of remote write snappy, which is all that it knows.",
        "zstd",
    ).optional(),
    proxy: proxyAddress("Proxy for this destination alone, over HTTP. For all of them: kof:proxy.").optional(),
    tls: about(tls, {
        description: "TLS towards it.",
        allowed: "a map of caSecret, serverName and insecureSkipVerify",
        example: { caSecret: "vendor-ca" },
    }).optional(),
    temporality: oneOf(
        ["cumulative", "delta"],
        "How sums and histograms are sent: as totals since their start, or as what was added since the last time. Default: that of the preset, else cumulative.",
        "delta",
    ).optional(),
    batch: wholeNumber(
        1,
        100_000,
        "Most log records, spans or data points in one request. Default: that of the preset, else KOF's.",
        1000,
    ).optional(),
    buffer: about(ownBuffer, {
        description: "What the collectors keep while it is away. Default: kof:buffer.",
        allowed: "a map of duration and size",
        example: { duration: "2h", size: "4Gi" },
    }).optional(),
    processing: processing.optional(),
});

/** What a destination can be called: its components and variables are called after it. */
export const destinationName = /^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$/;

/** The `destinations` block. */
export const destinations = about(z.record(z.string().regex(destinationName), destination), {
    description: "Further places for the telemetry, by name. kof:signals says which signal goes there.",
    allowed: "a map of destinations by name: lower-case letters, digits and '-', at most 32, starting with a letter",
    example: { honeycomb: { preset: "honeycomb", auth: { kind: "headers", secret: "honeycomb-headers" } } },
    mend: (found) => (Array.isArray(found) && found.every(isMap) ? byName(found) : undefined),
});

/** A list of named entries as a map by name. */
function byName(list: readonly Readonly<Record<string, unknown>>[]): unknown {
    return Object.fromEntries(list.map(({ name, ...rest }) => [String(name), rest]));
}

const destinationList = (signal: Signal) =>
    about(z.array(z.string()), {
        description: `Where ${nounOf(signal)} go. An empty list: they are not stored. Default: what kof:route says.`,
        allowed: `a list of ${builtInDestinations.join(", ")} and names in kof:destinations`,
        example: ["management"],
        mend: (found) => (found === "none" ? [] : wordsIn(found)),
    }).optional();

/** The `signals` block. */
export const signalDestinations = about(
    z.strictObject({
        metrics: destinationList("metrics"),
        logs: destinationList("logs"),
        traces: destinationList("traces"),
        audit: destinationList("audit"),
    } satisfies Record<Signal, z.ZodType>),
    {
        description: "The destinations of each signal, if they differ from kof:route.",
        allowed: "a map of metrics, logs, traces and audit, each a list of destinations",
        example: { logs: ["management", "cloudwatch"] },
    },
);

export type DestinationSettings = z.infer<typeof destination>;
export type DestinationAuth = NonNullable<DestinationSettings["auth"]>;
export type Processing = z.infer<typeof processing>;
