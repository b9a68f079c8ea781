import assert from "node:assert/strict";

import fc from "fast-check";

import { adoption } from "../../../core/adopt";
import { signals, type Signal } from "../../../core/charts";
import { writeYaml } from "../../../core/lib/yaml/write";
import { routingOf } from "../../../core/settings/routing";
import type { Deployment } from "../../../core/routes/deployment";
import { checkSettings } from "../../../core/routes/parse";
import { deploymentFor, type Raw } from "../../support";

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
    { route: "regional", regional: { cluster: "eu-1", domain: "eu-1.example.net" } },
    { route: "none" },
);
const named = fc.record({
    version: fc.constantFrom("1.9.0", "1.10.0"),
    base,
    destinations: fc.record({ one: destination, two: destination }),
    cloudwatch: fc.record({
        region: fc.constant("us-east-2"),
        logGroup: fc.constant("kof-logs"),
        credentials: fc.constant({ kind: "existingSecret", name: "aws" }),
    }),
    picks: fc.array(fc.subarray(["base", "cloudwatch", "one", "two"]), { minLength: 3, maxLength: 3 }),
    moreAudit: fc.boolean(),
});

/** Valid settings with several destinations: each is named by a signal that it takes. */
const drawn: fc.Arbitrary<Raw> = named.map(({ version, base: route, destinations, cloudwatch, picks, moreAudit }) => {
    const store = route.route === "none" ? [] : [route.route];
    const takes = (signal: Signal, name: string) => {
        const own = name === "one" || name === "two" ? destinations[name] : undefined;
        return (own as { protocol?: string } | undefined)?.protocol !== "remotewrite" || signal === "metrics";
    };
    const list = (signal: Signal, pick: readonly string[] = []) =>
        pick.flatMap((name) =>
            name === "base"
                ? store
                : name === "cloudwatch" && signal !== "logs" && signal !== "audit"
                  ? []
                  : takes(signal, name)
                    ? [name]
                    : [],
        );
    const [metrics, logs, traces] = [list("metrics", picks[0]), list("logs", picks[1]), list("traces", picks[2])];
    const audit = version === "1.10.0" && moreAudit ? logs.slice(0, 1) : logs;
    const all = [metrics, logs, traces, audit].flat();
    return {
        version,
        ...route,
        signals: { metrics, logs, traces, audit },
        ...(all.includes("cloudwatch") ? { cloudwatch } : {}),
        destinations: Object.fromEntries(
            Object.entries(destinations)
                .filter(([name]) => all.includes(name))
                .map(([name, each]) => [name, withEffect(each, { metrics, logs, traces, audit }, name)]),
        ),
    };
});

const settings = drawn.filter((raw) => checkSettings(raw).problems.length === 0);

/** Settings of a destination without those of signals that it does not get: nothing tells them afterwards. */
function withEffect(settings: Raw, wanted: Readonly<Record<Signal, readonly string[]>>, name: string): Raw {
    const gets = (signal: Signal) => wanted[signal].includes(name);
    const { temporality, processing, ...others } = settings;
    const { dropNamespaces, minimumSeverity, redact, sampleTraces } = (processing ?? {}) as Raw;
    const isLog = gets("logs") || gets("audit");
    const effective = {
        ...(dropNamespaces === undefined ? {} : { dropNamespaces }),
        ...(minimumSeverity !== undefined && isLog ? { minimumSeverity } : {}),
        ...(redact !== undefined && (isLog || gets("traces")) ? { redact } : {}),
        ...(sampleTraces !== undefined && gets("traces") ? { sampleTraces } : {}),
    };
    return {
        ...others,
        ...(temporality !== undefined && gets("metrics") ? { temporality } : {}),
        ...(Object.keys(effective).length > 0 ? { processing: effective } : {}),
    };
}

const numRuns = Number(process.env.FUZZ_RUNS ?? 12);
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);

/** What settings of destinations come to, whatever was written and what is a default. */
function meaning({ settings: all, targets = [] }: Deployment): unknown {
    const { signals: wanted, base: kind } = routingOf(all);
    return {
        base: kind,
        wanted: Object.fromEntries(signals.map((signal) => [signal, [...wanted[signal]].sort()])),
        targets: targets.map(({ name, definitions, env, exporters }) => ({ name, definitions, env, exporters })),
    };
}

describe("the values of stacks with several destinations", () => {
    before(() => {
        console.log(`    signals: ${String(numRuns)} runs, FUZZ_SEED=${String(seed)}`);
    });

    it("are adopted as the same destinations for the same signals", () => {
        fc.assert(
            fc.property(settings, (raw) => {
                const stack = deploymentFor(raw);
                const region = raw.regional as { cluster: string } | undefined;
                const adopted = adoption(writeYaml(stack.values), { version: String(raw.version), region });
                const again = deploymentFor(adopted.settings);
                assert.deepEqual(meaning(again), meaning(stack));
                assert.deepEqual(again.values, stack.values);
                assert.deepEqual([...adopted.secrets, ...adopted.corrections, ...adopted.changes, ...adopted.lost], []);
            }),
            { numRuns, seed },
        );
    });
});
