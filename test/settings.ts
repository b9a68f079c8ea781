import fc from "fast-check";
import { parse } from "yaml";

import { partitionOf } from "../core/lib/arns";
import { versions } from "../core/charts";
import { distributionNames } from "../core/settings/distributions";
import { asHelm } from "../core/lib/yaml/read";
import { hasRegionless, type Raw } from "./support";

/** A name that charts may write without quotes: see core/settings/templateRules.ts. */
const label = fc.stringMatching(/^[a-z]([-a-z0-9]{0,20}[a-z0-9])?$/).filter((name) => parse(name, asHelm) === name);
const domain = fc.tuple(label, label).map((labels) => labels.join("."));
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const size = fc
    .tuple(fc.integer({ min: 1, max: 999 }), fc.constantFrom("Gi", "Ti", "G"))
    .map(([n, unit]) => `${n}${unit}`);
const retention = fc
    .tuple(fc.integer({ min: 24, max: 99 }), fc.constantFrom("h", "d", "w", "y"))
    .map(([n, unit]) => `${n}${unit}`);
const pods = {
    resources: fc.record(
        {
            requests: fc.record(
                { cpu: fc.constantFrom("50m", "0.1"), memory: fc.constant("128Mi") },
                { requiredKeys: [] },
            ),
            limits: fc.record({ cpu: fc.constantFrom("2", "4000m"), memory: fc.constant("8Gi") }, { requiredKeys: [] }),
        },
        { requiredKeys: [] },
    ),
    nodeSelector: fc.constantFrom({ disk: "ssd" }, { "node-role.kubernetes.io/infra": "" }),
    tolerations: fc.constantFrom(
        [{ operator: "Exists" }],
        [{ key: "a.example.net/b", value: "c", effect: "NoSchedule" }],
    ),
    priorityClassName: fc.constant("system-cluster-critical"),
};
const volume = fc.record({ size, retention, replicas: fc.integer({ min: 2, max: 9 }) }, { requiredKeys: [] });
const variable = fc.constantFrom(
    { name: "TEAM", value: "platform" },
    { name: "TOKEN", valueFrom: { secretKeyRef: { name: "tokens", key: "token" } } },
);
const collectors = fc.record(
    {
        ...pods,
        env: variable.map((each) => [each]),
        processors: fc.constantFrom({ logs: [{ name: "filter/own", config: { logs: { log_record: ["true"] } } }] }),
    },
    { requiredKeys: [] },
);
const proxy = fc.record(
    { http: fc.constant("http://proxy.example.net:3128"), noProxy: fc.constant(["10.0.0.0/8", ".example.net"]) },
    { requiredKeys: ["http"] },
);

function issuerIn(region: string): string {
    return `arn:${partitionOf(region)}:iam::123456789012:oidc-provider/oidc.example.net`;
}

/** What collectors keep, where telemetry leaves the cluster. */
function buffered({ route }: Raw): fc.Arbitrary<Raw> {
    const metrics = route === "regional" ? { metrics: fc.constantFrom("memory", "disk") } : {};
    const buffer = fc.record(
        { duration: fc.constantFrom("90s", "30m", "48h"), size, ...metrics },
        { requiredKeys: [] },
    );
    return ["regional", "cloudwatch", "otlp"].includes(String(route))
        ? optional(buffer).map((buffer) => ({ buffer }))
        : fc.constant({});
}

/** Archives of what is stored on the cluster, from the version on that has them. */
function archived({ route, version }: Raw): fc.Arbitrary<Raw> {
    if (!hasRegionless(String(version))) {
        return fc.constant({});
    }
    const bucket = label.map((name) => `acme-${name}`);
    const archive = {
        bucket,
        region: fc.constantFrom("eu-west-1", "cn-north-1"),
        keepBucket: fc.boolean(),
        existingSecret: fc.constant("s3-keys"),
        lifecycle: fc.constantFrom([], [{ days: 30, storageClass: "STANDARD_IA" }]),
    };
    const requiredKeys = ["bucket", "region"] as const;
    const cold = fc.record({ ...archive, signals: fc.constant(["metrics"]) }, { requiredKeys: [...requiredKeys] });
    const audit = fc.record(
        { ...archive, objectLock: fc.constant({ mode: "COMPLIANCE", days: 7 }) },
        { requiredKeys: [...requiredKeys] },
    );
    return fc.record({
        coldStorage: optional(cold),
        ...(route === "management" || route === "regionless"
            ? { auditArchive: optional(audit.map((each) => ({ ...each, bucket: `${each.bucket}-audit` }))) }
            : {}),
    });
}

/** Valid settings, of every route, version, distribution and option. */
export const validSettings: fc.Arbitrary<Raw> = fc
    .record({
        version: fc.constantFrom(...versions),
        distribution: fc.constantFrom(...distributionNames),
        istio: fc.boolean(),
        clusterName: label,
        clusterNamespace: label,
        storageClass: optional(
            fc.oneof(
                fc.record({
                    name: label,
                    provisioner: fc.constant("ebs.csi.aws.com"),
                    reclaimPolicy: fc.constant("Delete"),
                }),
                fc.record({ create: fc.constant(false), name: label }),
            ),
        ),
        storage: optional(fc.record({ metrics: volume, logs: volume, traces: volume }, { requiredKeys: [] })),
        regions: optional(
            fc.record(
                {
                    storage: fc.record({ metrics: volume, logs: volume, traces: volume }, { requiredKeys: [] }),
                    storageClass: label,
                },
                { requiredKeys: [] },
            ),
        ),
        rates: optional(
            fc.record({
                logs: fc.record({ linesPerSecond: fc.integer({ min: 0, max: 1e6 }) }),
                metrics: fc.record({ activeSeries: fc.nat(), scrapeInterval: fc.constantFrom("15s", "1m") }),
            }),
        ),
        grafana: optional(fc.record({ enabled: fc.boolean() })),
        adopt: fc.boolean(),
    })
    .chain((common) =>
        fc
            .oneof<fc.Arbitrary<Raw>[]>(
                fc.constant({ route: "none" }),
                fc.constant({ route: "management" }),
                fc
                    .record({ cluster: label, namespace: label, insecureSkipVerify: fc.boolean(), domain })
                    .map(({ domain, ...region }) => ({
                        route: "regional",
                        regional: common.istio ? region : { ...region, domain },
                    })),
                fc
                    .record({
                        region: fc.constantFrom("us-east-2", "cn-north-1", "us-gov-west-1"),
                        logGroup: label,
                        logStream: fc.oneof(label, fc.constant("{NodeName}/{Collector}/{ServiceName}")),
                        signals: optional(
                            fc.record(
                                { metrics: fc.constantFrom("none", "emf"), traces: fc.constantFrom("none", "xray") },
                                { requiredKeys: [] },
                            ),
                        ),
                        auditLogGroup: optional(label),
                        endpoint: optional(fc.constant("https://logs.example.net")),
                        credentials: fc.oneof(
                            fc.record({
                                kind: fc.constant("accessKey"),
                                generations: fc.constantFrom(["1"], ["2026-05", "2026-11"], ["9", "10"]),
                            }),
                            fc.record({ kind: fc.constant("existingSecret"), name: label }),
                            fc.record({ kind: fc.constant("podIdentity"), clusterName: label }),
                            fc.constant("irsa"),
                        ),
                        central: fc.boolean(),
                    })
                    .map(({ credentials, central, ...cloudwatch }) => {
                        const identity =
                            credentials === "irsa"
                                ? { kind: "irsa", oidcProviderArn: issuerIn(cloudwatch.region) }
                                : credentials;
                        const roleArn = issuerIn(cloudwatch.region).replace(/oidc-provider.*/, "role/central");
                        return {
                            route: "cloudwatch",
                            cloudwatch: {
                                ...cloudwatch,
                                credentials: central ? { kind: "assumeRole", roleArn, identity } : identity,
                            },
                        };
                    }),
                fc
                    .record({
                        endpoint: domain.map((name) => `https://${name}`),
                        given: optional(
                            fc.record(
                                {
                                    headersSecret: label,
                                    headers: fc.constantFrom(["Authorization"], ["x-api-key", "x-team"]),
                                },
                                { requiredKeys: ["headersSecret"] },
                            ),
                        ),
                        tls: optional(
                            fc.record({ caSecret: label, insecureSkipVerify: fc.boolean() }, { requiredKeys: [] }),
                        ),
                    })
                    .map(({ given, ...otlp }) => ({ route: "otlp", otlp: { ...otlp, ...given } })),
                ...(hasRegionless(common.version)
                    ? [
                          fc
                              .record({ domain, selfSigned: fc.boolean(), certEmail: fc.constant("a@example.net") })
                              .map((regionless) => ({ route: "regionless", regionless })),
                          fc.constant({ route: "regionless", istio: true }),
                      ]
                    : []),
            )
            .chain((route) =>
                buffered(route).map((more) => ({
                    ...common,
                    ...route,
                    ...more,
                    ...(route.route === "regionless" ? { regions: undefined } : {}),
                })),
            )
            .chain((raw) => archived(raw).map((more) => ({ ...raw, ...more }))),
    );

/** The same, with what settings say of pods. */
export const validSettingsOfPods: fc.Arbitrary<Raw> = fc
    .tuple(
        validSettings,
        fc.record({ collectors: optional(collectors), proxy: optional(proxy) }),
        fc.record(pods, { requiredKeys: [] }),
    )
    .map(([raw, ofCollectors, ofStores]) => {
        const storage = Object.entries(raw.storage ?? {}).map(([signal, each]) => [signal, { ...each, ...ofStores }]);
        return { ...raw, ...ofCollectors, ...(raw.storage ? { storage: Object.fromEntries(storage) } : {}) };
    });
