import assert from "node:assert/strict";

import fc from "fast-check";

import { adoption } from "../../../core/adopt";
import { telemetryKind, signals, type Signal } from "../../../core/charts";
import { writeYaml } from "../../../core/lib/yaml/write";
import { routingOf } from "../../../core/settings/routing";
import type { Deployment } from "../../../core/routes/deployment";
import { checkSettings } from "../../../core/routes/parse";
import { destinationPresets, type DestinationPreset } from "../../../core/settings/destinationPresets";
import { deploymentFor, hasRegionless, type Raw } from "../../support";
import { runs, sample } from "../../sampled";

const auth = fc.constantFrom(
    { kind: "none" },
    { kind: "headers", secret: "vendor-headers", headers: ["X-Api-Key"] },
    { kind: "basic", secret: "vendor-login" },
    { kind: "bearer", secret: "vendor-token" },
    { kind: "oauth2", secret: "vendor-oauth2", tokenUrl: "https://login.example.net/token", scopes: ["telemetry"] },
    { kind: "sigv4", region: "eu-central-1", service: "aps", roleArn: "arn:aws:iam::123456789012:role/kof" },
    { kind: "clientCertificate", secret: "vendor-certificate" },
);
const common = {
    auth,
    headers: fc.constantFrom({ "x-scope-orgid": "kof" }, { "x-team": "a$b" }),
    tls: fc.constantFrom(
        { caSecret: "vendor-ca" },
        { serverName: "otlp.example.net", insecureSkipVerify: true },
        { caSecret: "vendor-ca", serverName: "otlp.example.net" },
    ),
    proxy: fc.constant("http://proxy.example.net:3128"),
    processing: fc.constantFrom(
        { dropNamespaces: ["kube-system", "default"] },
        { dropNamespaces: ["kube-system"], minimumSeverity: "warn" },
        { redact: ["\\b\\d{3}$", 'a"b'] },
        { sampleTraces: 12.5 },
    ),
    buffer: fc.constantFrom({ duration: "2h", size: "4Gi" }, { duration: "45m", size: "1Gi" }),
};
const otlp = {
    compression: fc.constantFrom("none", "zstd"),
    temporality: fc.constant("delta"),
    batch: fc.integer({ min: 1, max: 5000 }),
};
const destination = fc.oneof(
    fc.record(
        {
            endpoint: fc.constantFrom("https://otlp.example.net", "http://otlp.example.net:4318/otlp"),
            ...common,
            ...otlp,
        },
        { requiredKeys: ["endpoint"] },
    ),
    fc.record(
        {
            protocol: fc.constant("grpc"),
            endpoint: fc.constantFrom("https://otlp.example.net", "http://otlp.example.net:4317"),
            ...common,
            ...otlp,
        },
        { requiredKeys: ["protocol", "endpoint"] },
    ),
    fc.record(
        {
            protocol: fc.constant("remotewrite"),
            endpoint: fc.constant("https://mimir.example.net/api/v1/push"),
            ...common,
        },
        { requiredKeys: ["protocol", "endpoint"] },
    ),
    fc.record({ preset: fc.constant("honeycomb"), auth: fc.constant({ kind: "headers", secret: "honeycomb" }) }),
);
const base = fc.constantFrom(
    { route: "management" },
    { route: "management", istio: true },
    { route: "regional", regional: { cluster: "eu-1", domain: "eu-1.example.net" } },
    { route: "regional", istio: true, regional: { cluster: "eu-1" } },
    { route: "none" },
);
const named = fc.record({
    version: fc.constantFrom("1.8.0", "1.9.0", "1.10.0", "1.11.0-rc0"),
    base,
    destinations: fc.record({ one: destination, two: destination }),
    cloudwatch: fc.record({
        region: fc.constant("us-east-2"),
        logGroup: fc.constant("kof-logs"),
        credentials: fc.constant({ kind: "existingSecret", name: "aws" }),
        ways: fc.record({
            metrics: fc.constantFrom("none", "emf", "otlp"),
            traces: fc.constantFrom("none", "xray", "otlp"),
        }),
    }),
    picks: fc.array(fc.subarray(["base", "cloudwatch", "one", "two"]), { minLength: 3, maxLength: 3 }),
    moreAudit: fc.boolean(),
});

/** Valid settings with several destinations: each is named by a signal that it takes. */
const drawn: fc.Arbitrary<Raw> = named.map((given) => {
    const { version, base: route, destinations, picks, moreAudit } = given;
    const { ways, ...cloudwatch } = given.cloudwatch;
    const store = route.route === "none" ? [] : [route.route];
    const takes = (signal: Signal, name: string) => {
        const own = name === "one" || name === "two" ? destinations[name] : undefined;
        return (own as { protocol?: string } | undefined)?.protocol !== "remotewrite" || signal === "metrics";
    };
    const list = (signal: Signal, pick: readonly string[] = []) =>
        pick.flatMap((name) =>
            name === "base"
                ? store
                : name === "cloudwatch" && (signal === "metrics" || signal === "traces") && ways[signal] === "none"
                  ? []
                  : takes(signal, name)
                    ? [name]
                    : [],
        );
    const [metrics, logs, traces] = [list("metrics", picks[0]), list("logs", picks[1]), list("traces", picks[2])];
    const audit = version.startsWith("1.1") && moreAudit ? logs.slice(0, 1) : logs;
    const stored = {
        ...(metrics.includes("cloudwatch") ? { metrics: ways.metrics } : {}),
        ...(traces.includes("cloudwatch") ? { traces: ways.traces } : {}),
    };
    const all = [metrics, logs, traces, audit].flat();
    return {
        version,
        ...route,
        signals: { metrics, logs, traces, audit },
        ...(all.includes("cloudwatch") ? { cloudwatch: { ...cloudwatch, signals: stored } } : {}),
        destinations: Object.fromEntries(Object.entries(destinations).filter(([name]) => all.includes(name))),
    };
});

const settings = drawn.filter((raw) => checkSettings(raw).problems.length === 0);

/** What settings of destinations resolve to, whether they were written or are defaults. */
function meaning({ settings: all, targets = [] }: Deployment): unknown {
    const { signals: wanted, base: kind } = routingOf(all);
    return {
        base: kind,
        wanted: Object.fromEntries(signals.map((signal) => [signal, [...wanted[signal]].sort()])),
        targets: targets.map(({ name, definitions, env, exporters }) => ({ name, definitions, env, exporters })),
    };
}

function assertRoundTrip(raw: Raw): void {
    const stack = deploymentFor(raw);
    const region = raw.regional as { cluster: string } | undefined;
    const { credentials } = (raw.cloudwatch ?? {}) as { credentials?: unknown };
    const adopted = adoption(writeYaml(stack.values), { version: String(raw.version), region, credentials });
    const again = deploymentFor(adopted.settings);
    assert.deepEqual(meaning(again), meaning(stack));
    assert.deepEqual(again.values, stack.values);
    assert.deepEqual([...adopted.secrets, ...adopted.corrections, ...adopted.changes, ...adopted.lost], []);
    assert.equal(adopted.settings.values, undefined, "nothing is left to kof:values");
}

const plain = { endpoint: "https://otlp.example.net" };
const auths = {
    headers: { kind: "headers", secret: "vendor-headers" },
    basic: { kind: "basic", secret: "vendor-login" },
    bearer: { kind: "bearer", secret: "vendor-token" },
    oauth2: { kind: "oauth2", secret: "vendor-oauth2", tokenUrl: "https://login.example.net/token" },
    sigv4: { kind: "sigv4", region: "us-east-2", service: "aps", secret: "aws" },
    clientCertificate: { kind: "clientCertificate", secret: "vendor-certificate" },
    google: { kind: "google" },
    azure: { kind: "azure" },
    none: { kind: "none" },
};

/** One destination of every kind: protocol, authentication, preset, and each address that a preset has. */
function everyDestination(): [string, Raw][] {
    const protocols: Readonly<Record<string, Raw>> = {
        http: plain,
        grpc: { protocol: "grpc", endpoint: "https://otlp.example.net:4317" },
        remotewrite: { protocol: "remotewrite", endpoint: "https://mimir.example.net/api/v1/push" },
    };
    const byAuth = Object.entries(protocols).flatMap(([protocol, each]) =>
        Object.entries(auths)
            .filter(([kind]) => protocol !== "grpc" || !["sigv4", "azure"].includes(kind))
            .map(([kind, auth]): [string, Raw] => [`${protocol} and ${kind}`, { ...each, auth }]),
    );
    // What authenticates may be added on the way there.
    const without: [string, Raw] = ["preset honeycomb and none", { preset: "honeycomb", auth: auths.none }];
    const byPreset = Object.entries(destinationPresets).flatMap(([preset, fixed]) => {
        const { kind } = fixed.auth;
        const auth = kind === "sigv4" ? { kind, region: "us-east-2", secret: "aws" } : auths[kind];
        const own = Object.entries(fixed.signals).flatMap(([signal, { endpointExample }]) =>
            endpointExample === undefined ? [] : [[signal, { endpoint: endpointExample }] as const],
        );
        const given = {
            preset,
            ...(fixed.endpoint === undefined && fixed.endpointExample !== undefined
                ? { endpoint: fixed.endpointExample }
                : {}),
            ...(own.length > 0 ? { signals: Object.fromEntries(own) } : {}),
            ...(kind === "none" ? {} : { auth }),
        };
        const [[region, endpoint] = []] = Object.entries(fixed.otherEndpoints ?? {});
        return [
            [`preset ${preset}`, given],
            ...(region === undefined ? [] : [[`preset ${preset} in ${region}`, { ...given, endpoint }]]),
        ] as [string, Raw][];
    });
    return [...byAuth, without, ...byPreset];
}

/** Stacks of every version and route in turn: with each kind of destination, each way to CloudWatch, and a region beside others. */
function listed(): [string, Raw][] {
    const places: Raw[] = ["1.10.0", "1.9.0", "1.11.0-rc0", "1.8.0"].flatMap((version): Raw[] => [
        { version, route: "management" },
        { version, route: "none" },
        { version, route: "regional", istio: true, regional: { cluster: "eu-1" } },
        { version, route: "otlp", otlp: { ...plain, headersSecret: "otlp" } },
        { version, route: "management", istio: true, distribution: "eks" },
        { version, route: "regional", regional: { cluster: "eu-1", domain: "eu-1.example.net" } },
        { version, route: "management", istio: true },
        ...(hasRegionless(version)
            ? [{ version, route: "regionless", regionless: { domain: "kof.example.net", certEmail: "a@example.net" } }]
            : []),
    ]);
    let next = 0;
    const place = () => places[next++ % places.length]!;
    const storeOf = ({ route }: Raw) =>
        route === "none" ? [] : [route === "regionless" ? "management" : String(route)];
    const all = ["metrics", "logs", "traces", "audit"] as const;
    const destinations = everyDestination().flatMap(([name, settings]): [string, Raw][] =>
        [true, false].map((isBeside) => {
            const base = place();
            const fixed = destinationPresets[settings.preset as keyof typeof destinationPresets] as
                DestinationPreset | undefined;
            const isRemoteWrite = (settings.protocol ?? fixed?.protocol) === "remotewrite";
            const to = (signal: Signal) => [
                ...(isBeside ? storeOf(base) : []),
                ...(fixed?.signals[telemetryKind(signal)].refused !== undefined ||
                (isRemoteWrite && signal !== "metrics")
                    ? []
                    : ["x"]),
            ];
            const named = Object.fromEntries(all.map((signal) => [signal, to(signal)]));
            return [
                `${name}, ${isBeside ? "beside" : "instead of"} ${text(base)}`,
                { ...base, signals: named, destinations: { x: settings } },
            ];
        }),
    );
    const credentials = [
        { kind: "existingSecret", name: "aws" },
        { kind: "accessKey" },
        { kind: "podIdentity", clusterName: "kof" },
    ];
    const ways = ["none", "emf", "otlp"].flatMap((metrics) =>
        ["none", "xray", "otlp"].map((traces) => ({ metrics, traces })),
    );
    const more = [{}, { auditLogGroup: "kof" }, { processing: { dropNamespaces: ["a"], minimumSeverity: "warn" } }];
    const cloudwatch = ways.flatMap((stored, i): [string, Raw][] => {
        const block = (j: number) => ({
            region: i % 2 === 0 ? "us-east-2" : "cn-north-1",
            logGroup: "kof",
            signals: stored,
            credentials: credentials[(i + j) % 3],
            ...more[(i + j) % 3],
        });
        const further = (["metrics", "traces"] as const).filter((signal) => stored[signal] !== "none");
        const only = (base: Raw, j: number, signals: readonly Signal[]): [string, Raw][] =>
            signals.length === 0
                ? []
                : [
                      [
                          `CloudWatch with ${signals.join()} ${JSON.stringify(stored)}, beside ${text(base)}`,
                          {
                              ...base,
                              cloudwatch: block(j),
                              signals: Object.fromEntries(
                                  signals.map((signal) => [signal, [...storeOf(base), "cloudwatch"]]),
                              ),
                          },
                      ],
                  ];
        return [
            [
                `route cloudwatch ${JSON.stringify(stored)}`,
                { version: place().version, route: "cloudwatch", cloudwatch: block(0) },
            ],
            ...only(place(), 1, ["logs", "audit", ...further]),
            ...only(place(), 2, further),
        ];
    });
    const region = { cluster: "eu-1", domain: "eu-1.example.net" };
    const regions = places.flatMap((base): [string, Raw][] =>
        base.route === "regional" || base.route === "regionless"
            ? []
            : [
                  [
                      `a region beside ${text(base)}`,
                      {
                          ...base,
                          regional: base.istio === true ? { cluster: "eu-1" } : region,
                          signals: { metrics: [...storeOf(base), "regional"], traces: ["regional"] },
                      },
                  ],
              ],
    );
    return [...destinations, ...cloudwatch, ...regions];
}

function text({ version, route, istio, distribution }: Raw): string {
    return [
        route,
        ...(istio === true ? ["in the mesh"] : []),
        ...(distribution === undefined ? [] : [distribution]),
        version,
    ].join(" ");
}

describe("the values of stacks with several destinations", () => {
    it("are adopted as the same destinations for the same signals (sampled)", () => {
        fc.assert(
            fc.property(settings, (raw) => {
                assertRoundTrip(raw);
            }),
            runs(4, 30),
        );
    });

    for (const [name, raw] of sample(listed(), 24)) {
        it(`are adopted as the same (sampled): ${name}`, () => {
            assertRoundTrip(raw);
        });
    }

    it("are those of the mesh where only the mesh gives such values", () => {
        for (const version of ["1.10.0", "1.11.0-rc0"]) {
            const raw = {
                version,
                route: "management",
                signals: { logs: ["management", "x"] },
                destinations: { x: plain },
            };
            const istioOf = (more: Raw) =>
                adoption(writeYaml(deploymentFor({ ...raw, ...more }).values), { version }).settings.istio;
            assert.deepEqual(
                [istioOf({ istio: true }), istioOf({}), istioOf({ distribution: "eks" })],
                [true, undefined, undefined],
            );
        }
    });
});
