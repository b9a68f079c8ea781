import assert from "node:assert/strict";

import fc from "fast-check";
import { parse } from "yaml";

import { catalogOf, chartValues } from "../../../core/charts";
import { isMap, leaves, mergeValues, type HelmValue, type HelmValues } from "../../../core/lib/values";
import { writeYaml } from "../../../core/lib/yaml/write";
import { checkSettings } from "../../../core/routes/parse";
import type { Schema } from "../../../core/settings/about";
import { unwrap } from "../../../core/settings/explain";
import type { Problem } from "../../../core/settings/problems";
import { settingsSchema } from "../../../core/settings/settings";
import { runs } from "../../sampled";

type Path = readonly string[];

const pods = {
    resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { cpu: "2", memory: "4Gi" } },
    nodeSelector: { disk: "ssd" },
    tolerations: [{ key: "dedicated", operator: "Equal", value: "kof", effect: "NoExecute", tolerationSeconds: 60 }],
    priorityClassName: "system-cluster-critical",
};
const common = {
    version: "1.10.0",
    chart: "oci://registry.acme.example/kof/charts/kof",
    clusterName: "mother-ship",
    clusterNamespace: "kcm",
    distribution: "kubeadm",
    istio: false,
    adopt: true,
    acknowledge: "management->none",
    grafana: { enabled: true, existingSecret: "grafana-admin" },
    collectors: {
        ...pods,
        env: [
            { name: "TEAM", value: "platform" },
            { name: "TOKEN", valueFrom: { secretKeyRef: { name: "tokens", key: "token" } } },
        ],
        processors: { logs: [{ name: "filter/mine", config: { logs: { log_record: ["true"] } } }] },
    },
    proxy: {
        http: "http://proxy.acme.example:3128",
        https: "http://proxy.acme.example:3128",
        noProxy: [".acme.example"],
    },
    storageClass: {
        create: true,
        name: "kof-ssd",
        preset: "aws-ebs",
        parameters: { type: "gp3", iops: "4000", encrypted: "true" },
        reclaimPolicy: "Delete",
        default: true,
    },
    storage: {
        metrics: { size: "200Gi", retention: "60d", replicas: 4, replicationFactor: 3, ...pods },
        logs: { size: "300Gi", retention: "14d", replicas: 3, ...pods },
        traces: { size: "50G", retention: "4w", replicas: 2 },
        audit: { size: "70Gi", retention: "2y", replicas: 2 },
    },
    regions: {
        storage: {
            metrics: { size: "400Gi", retention: "90d", replicas: 4, replicationFactor: 3 },
            logs: { size: "500Gi", retention: "60d", replicas: 3 },
            traces: { size: "60G", retention: "2w", replicas: 2 },
            audit: { size: "80Gi", retention: "3y", replicas: 2 },
        },
        storageClass: "region-ssd",
    },
    rates: {
        logs: { linesPerSecond: 400, bytesPerLine: 300 },
        metrics: { activeSeries: 60_000, scrapeInterval: "1m" },
        traces: { spansPerSecond: 70, bytesPerSpan: 900 },
        audit: { linesPerSecond: 20, bytesPerLine: 1100 },
    },
};
const buffer = { duration: "2h", size: "3Gi" };
const cloudwatch = {
    region: "eu-central-1",
    logGroup: "/acme/logs",
    logStream: "{NodeName}/{Collector}",
    retentionDays: 90,
    auditLogGroup: "/acme/audit",
    auditRetentionDays: 731,
    kmsKeyArn: "arn:aws:kms:eu-central-1:999999999999:key/1234abcd",
    keepLogGroups: false,
    tags: { team: "platform" },
    signals: { metrics: "emf", traces: "xray" },
    endpoint: "https://logs.acme.example",
};
const archive = { bucket: "acme-telemetry", region: "eu-central-1", prefix: "kof/telemetry", keepBucket: false };
const { kmsKeyArn: _, ...unencrypted } = cloudwatch;
const identities = [
    { kind: "accessKey", generations: ["2026-05", "2026-11"] },
    { kind: "podIdentity", clusterName: "acme", region: "eu-west-1" },
    {
        kind: "irsa",
        oidcProviderArn: "arn:aws:iam::999999999999:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC",
    },
    { kind: "existingSecret", name: "acme-keys" },
];
/** Valid settings of every route, with every setting somewhere. */
const bases: readonly HelmValues[] = [
    {
        ...common,
        route: "management",
        coldStorage: {
            ...archive,
            signals: ["logs", "traces"],
            createBucket: true,
            lifecycle: [
                { days: 45, storageClass: "STANDARD_IA" },
                { days: 100, storageClass: "GLACIER" },
            ],
            kmsKeyArn: "arn:aws:kms:eu-central-1:999999999999:key/1234abcd",
            tags: { team: "platform" },
            credentials: { kind: "podIdentity", clusterName: "acme", region: "eu-west-1" },
        },
        auditArchive: {
            ...archive,
            bucket: "acme-audit",
            regions: "all",
            objectLock: { mode: "GOVERNANCE", days: 30 },
            credentials: { kind: "accessKey", generations: ["2026-05", "2026-11"] },
        },
    },
    {
        ...common,
        route: "none",
        coldStorage: {
            bucket: "telemetry",
            region: "fsn1",
            endpoint: "https://s3.acme.example",
            existingSecret: "s3-acme",
            createBucket: false,
        },
    },
    {
        ...common,
        route: "regional",
        regional: { cluster: "eu-7", domain: "eu-7.acme.example", namespace: "regions", insecureSkipVerify: true },
        buffer: { ...buffer, metrics: "disk" },
    },
    {
        ...common,
        route: "regionless",
        regions: {},
        regionless: { domain: "kof.acme.example", certEmail: "kof@acme.example", selfSigned: true },
        coldStorage: { ...archive, credentials: { kind: "existingSecret", name: "acme-s3" } },
        auditArchive: {
            bucket: "acme-audit",
            region: "eu-central-1",
            credentials: {
                kind: "irsa",
                oidcProviderArn: "arn:aws:iam::999999999999:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC",
            },
        },
        storageClass: {
            create: true,
            name: "kof-lvm",
            provisioner: "local.csi.openebs.io",
            parameters: { storage: "lvm", volgroup: "vg7" },
        },
    },
    {
        ...common,
        route: "otlp",
        otlp: {
            endpoint: "https://otlp.acme.example:4318",
            headersSecret: "acme-headers",
            headers: ["x-team", "Authorization"],
            tls: { caSecret: "acme-ca", insecureSkipVerify: true },
        },
        buffer,
        storageClass: { create: false, name: "gp3" },
    },
    ...identities.map((credentials) => ({
        ...common,
        route: "cloudwatch",
        distribution: "eks",
        cloudwatch: { ...cloudwatch, credentials },
        buffer,
    })),
    ...identities.map((identity) => ({
        ...common,
        route: "cloudwatch",
        distribution: "eks",
        cloudwatch: {
            ...unencrypted,
            credentials: {
                kind: "assumeRole",
                roleArn: "arn:aws:iam::888888888888:role/acme/logs",
                externalId: "acme",
                identity,
            },
        },
        buffer,
    })),
];

function at(value: unknown, path: Path): unknown {
    return path.reduce<unknown>(
        (inner, step) =>
            typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>)[step] : undefined,
        value,
    );
}

/** A copy with another value at a path; without the path where the value is `undefined`. */
function withAt(value: HelmValue, path: Path, other: unknown): HelmValue {
    const [step, ...rest] = path;
    if (step === undefined) {
        return other as HelmValue;
    }
    const copy = (Array.isArray(value) ? [...value] : { ...(value as HelmValues) }) as HelmValues;
    if (rest.length === 0 && other === undefined) {
        Reflect.deleteProperty(copy, step);
    } else {
        copy[step] = withAt(copy[step] ?? {}, rest, other);
    }
    return copy;
}

/** Every place of the settings in a stack file that the schema has, also in lists, from the outside in. */
function* places(schema: Schema, found: unknown, path: Path = []): Generator<{ path: Path; schema: Schema }> {
    const inner = unwrap(schema, found);
    if (path.length > 0) {
        yield { path, schema: inner };
    }
    for (const [key, each] of Object.entries(inner.shape ?? {})) {
        yield* places(each, at(found, [key]), [...path, key]);
    }
    const every = inner.element ?? (inner.shape ? undefined : inner.def.valueType);
    if (every && typeof found === "object" && found !== null) {
        for (const key of Object.keys(found)) {
            yield* places(every, at(found, [key]), [...path, key]);
        }
    }
}

/** Of a valid stack file only what a setting stands beside. */
function around(base: HelmValues, key: string): HelmValues {
    const kept = new Set(["route", "version", "distribution", "istio", "clusterName", String(base.route), key]);
    return Object.fromEntries(Object.entries(base).filter(([each]) => kept.has(each)));
}
const secret = "hunter2hunter2";
/** What is wrong nearly everywhere. */
const odd: readonly HelmValue[] = [
    null,
    true,
    -1,
    0,
    1.5,
    1e300,
    "",
    "none",
    "Some Thing",
    "a_b",
    "10 GB",
    "7 days",
    "12",
    "UPPER",
    "a.b.c",
    "https://acme.example/x/",
    "otlp.acme.example:4318",
    `https://user:${secret}@acme.example`,
    `Bearer ${secret}`,
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    [],
    {},
    [null],
    [[]],
    ["a"],
    [{}],
    { a: 1 },
    { a: "b" },
    { size: "1Gi" },
    { name: "a" },
    "x".repeat(300),
    "2026-11-27",
    7,
];

/** What somebody may write by mistake instead of a value, and is clearly that. */
function slips(found: unknown, schema: Schema): unknown[] {
    if (typeof found === "string") {
        const isOption = Array.isArray(schema.options);
        return [
            ` ${found} `,
            [found],
            ...(isOption ? [found.toUpperCase() === found ? found.toLowerCase() : found.toUpperCase()] : []),
            ...(/^\d+$/.test(found) ? [Number(found)] : []),
        ];
    }
    if (typeof found === "number") {
        return [String(found), [found]];
    }
    if (typeof found === "boolean") {
        return [String(found), found ? "Yes" : "off", [found]];
    }
    if (Array.isArray(found)) {
        return found.length === 1 ? [found[0]] : [];
    }
    // Nothing is meant by an empty one.
    return isMap(found) && Object.keys(found).length > 0 ? [[found]] : [];
}

/** A place in a valid stack file, and what the schema takes there; nothing of what charts take. */
interface Place {
    readonly base: HelmValues;
    readonly path: Path;
    readonly schema?: Schema;
}

/** Every place that the schema has, in a valid stack file. */
const settingPlaces: readonly Place[] = bases.flatMap((whole) =>
    Object.entries(settingsSchema)
        .filter(([key]) => key !== "values" && whole[key] !== undefined)
        .flatMap(([key, schema]) => {
            const base = around(whole, key);
            return [...places(schema as unknown as Schema, base[key], [key])].map((place) => ({ base, ...place }));
        }),
);
const catalog = catalogOf("1.10.0");
/** Places of charts' values, with the charts' own values there. */
const valuePlaces: readonly Place[] = [
    ["kof-mothership", ["kof-mothership", "values"]] as const,
    ["kof-storage", ["kof-child", "values", "fromManagement", "storage"]] as const,
    ["kof-collectors", ["kof-child", "values", "fromManagement", "collectors"]] as const,
].flatMap(([chart, at]) =>
    [...leaves(chartValues(catalog, chart))]
        // What a volume is by values is looked at when they are right otherwise.
        .filter(([path, value]) => value !== null && !["size", "storage"].includes(path.at(-1) ?? ""))
        .map(([path]) => ({ base: { route: "management", version: "1.10.0" }, path: ["values", ...at, ...path] })),
);
const place = fc.oneof(
    { arbitrary: fc.constantFrom(...settingPlaces), weight: 4 },
    { arbitrary: fc.constantFrom(...valuePlaces), weight: 1 },
);
const pick = <T>(from: readonly T[], n: number) => from[n % from.length];
/** A stack file that is broken at a place. */
const broken = fc
    .tuple(place, fc.constantFrom("odd", "slip", "missing", "misspelt"), fc.nat())
    .map(([found, how, n]) => {
        const { base, path, schema } = found;
        const was = at(base, path);
        const key = path.at(-1) ?? "";
        const meant = schema === undefined ? undefined : pick(slips(was, schema), n);
        const isSlip = how === "slip" && meant !== undefined;
        const raw =
            how === "missing"
                ? withAt(base, path, undefined)
                : how === "misspelt" && !/^\d+$/.test(key)
                  ? withAt(withAt(base, path, undefined), [...path.slice(0, -1), `${key}s`], was ?? "1")
                  : withAt(base, path, isSlip ? meant : pick(odd, n));
        return { base, path, raw: raw as HelmValues, isSlip };
    });

const named = ({ key, message }: Problem) => `${key} ${message}`;

/** The settings of a paste, as they are read from the text that is shown. */
function settingsOf({ paste }: Problem): HelmValues {
    const read = parse(writeYaml(paste)) as HelmValues;
    assert.deepEqual(read, paste);
    return Object.fromEntries(Object.entries(read).map(([key, value]) => [key.replace("kof:", ""), value]));
}

/** Paths at which two stack files differ. */
function differences(one: unknown, other: unknown, path: Path = []): Path[] {
    if (isMap(one) && isMap(other)) {
        const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
        return [...keys].flatMap((key) => differences(one[key], other[key], [...path, key]));
    }
    return JSON.stringify(one) === JSON.stringify(other) ? [] : [path];
}

const isWithin = (path: Path, outer: Path) => `${path.join(".")}.`.startsWith(`${outer.join(".")}.`);

/** Of two that contradict each other, somebody has to decide: these are left to the other one. */
const leftToOther = new Set(
    ["storage", "regions.storage"].flatMap((storage) =>
        ["replicas", "replicationFactor"].map((key) => `${storage}.metrics.${key}`),
    ),
);

describe("every paste", () => {
    it("is tried on stack files that are right", () => {
        for (const base of bases) {
            assert.deepEqual(checkSettings(base).problems, []);
        }
    });

    it("names the route as well where its setting has no effect on this one", () => {
        for (const [key, block] of [
            ["otlp", "x"],
            ["cloudwatch", [{}]],
        ] as const) {
            const raw = { route: "none", [key]: block };
            const { problems } = checkSettings(raw);
            assert.deepEqual(
                problems.map((each) => settingsOf(each).route),
                [key],
            );
            assert.deepEqual(checkSettings(mergeValues(raw as HelmValues, ...problems.map(settingsOf))).problems, []);
        }
    });

    it("puts its problem right, makes no other, and changes nothing else (sampled)", () => {
        const property = fc.property(broken, ({ base, path, raw, isSlip }) => {
            const { problems } = checkSettings(raw);
            const known = new Set(problems.map(named));
            const pasted = problems.filter(({ paste }) => paste !== undefined);
            for (const problem of pasted) {
                const said = `${named(problem)}\n${writeYaml(problem.paste)}`;
                assert.ok(!said.includes(secret), said);
                const whole = mergeValues(raw, settingsOf(problem));
                const wrong = problem.key.replace("kof:", "").split(".");
                // A key that is misspelt goes.
                const after =
                    isMap(at(whole, wrong)) || !/Did you mean|is a key/.test(problem.message)
                        ? whole
                        : (withAt(whole, wrong, undefined) as HelmValues);
                const left = checkSettings(after).problems.map(named);
                assert.ok(!left.includes(named(problem)), `stays: ${said}`);
                assert.deepEqual(
                    left.filter((each) => !known.has(each)),
                    [],
                    `then: ${said}`,
                );
                const changed = differences(raw, after).filter(
                    (each) => at(raw, each) !== undefined && !leftToOther.has(each.join(".")),
                );
                for (const each of changed) {
                    assert.ok(
                        isWithin(each, path) || isWithin(path, each) || isWithin(each, wrong),
                        `changes ${each.join(".")}: ${said}`,
                    );
                }
            }
            if (isSlip && problems.length > 0) {
                const after = mergeValues(raw, ...pasted.map(settingsOf));
                assert.deepEqual(checkSettings(after), checkSettings(base), problems.map(named).join("\n"));
            }
        });
        fc.assert(property, runs(40, 250));
    });
});
