import assert from "node:assert/strict";

import fc from "fast-check";

import { catalogOf, signals, versions, type Signal } from "../../../core/charts";
import { checkPaths } from "../../../core/charts/paths";
import { hasComponent, type ComponentKind } from "../../../tools/catalog/components";
import type { Collector } from "../../../core/collectors/effective";
import { danglingReferences } from "../../../core/collectors/references";
import { leaves, valueAt, type HelmValues } from "../../../core/lib/values";
import { sortsAuditByDefault } from "../../../core/routes/collectors";
import { deploymentFor, hasRegionless, type Raw } from "../../support";
import { runs } from "../../sampled";

const region = { cluster: "eu-1", domain: "eu-1.example.net" };

/** Where each place is found by its exporter's address. The test knows nothing of exporters' names. */
const addresses: Readonly<Record<string, RegExp>> = {
    management:
        /^http:\/\/(vminsert-cluster|kof-storage-victoria-logs-cluster-vlinsert|kof-storage-vt-cluster-vtinsert|vlinsert-audit-logs)[:.]/,
    regional: /^https?:\/\/(vmauth\.eu-1\.example\.net|<kof-regional-domain|vmauth\.<kof-regional-domain|eu-1-vmauth)/,
    cloudwatch: /^https:\/\/(monitoring|xray)\.us-east-2\.amazonaws\.com/,
    otlp: /^https:\/\/otlp\.example\.net/,
    honeycomb: /^https:\/\/api\.honeycomb\.io/,
    gateway: /^gateway\.example\.net:4317$/,
    mimir: /^https:\/\/mimir\.example\.net\/api\/v1\/push$/,
    ...Object.fromEntries(
        ["a", "b", "c"].map((name) => [name, new RegExp(`^(https://)?(other\\.)?${name}\\.example\\.net([:/]|$)`)]),
    ),
};

const blocks: Raw = {
    regional: region,
    regionless: { domain: "kof.example.net", certEmail: "platform@example.net" },
    cloudwatch: {
        region: "us-east-2",
        signals: { metrics: "emf", traces: "xray" },
        logStream: "{NodeName}/{Collector}",
        credentials: { kind: "existingSecret", name: "aws" },
    },
    otlp: { endpoint: "https://otlp.example.net" },
};
const destinations: Raw = {
    honeycomb: {
        preset: "honeycomb",
        auth: { kind: "headers", secret: "honeycomb-headers" },
        temporality: "delta",
        batch: 500,
        processing: { dropNamespaces: ["kube-system"], minimumSeverity: "warn", redact: ["\\d{4}$"], sampleTraces: 10 },
    },
    gateway: {
        protocol: "grpc",
        endpoint: "https://gateway.example.net:4317",
        auth: { kind: "clientCertificate", secret: "gateway-tls" },
    },
    mimir: {
        preset: "mimir",
        endpoint: "https://mimir.example.net/api/v1/push",
        auth: { kind: "basic", secret: "mimir" },
    },
};

const secret = "secret";
const auths = [
    ...[{ kind: "none" }, { kind: "google" }, { kind: "bearer", secret }, { kind: "basic", secret }],
    ...[
        { kind: "headers", secret, headers: ["x-team"] },
        { kind: "clientCertificate", secret },
    ],
    { kind: "oauth2", secret, tokenUrl: "https://login.example.net/token" },
    // A collector has one pair of AWS keys.
    { kind: "sigv4", region: "us-east-2", service: "aps", secret: "aws" },
    { kind: "azure" },
];
const more = {
    headers: fc.constant({ "X-Scope-OrgID": "kof" }),
    tls: fc.constantFrom({ caSecret: "ca" }, { serverName: "a.example.net" }, { insecureSkipVerify: true }),
    buffer: fc.constantFrom({ duration: "2h" }, { size: "4Gi" }),
    processing: fc.constantFrom({ dropNamespaces: ["kube-system"] }, { redact: ["\\d"], sampleTraces: 5 }),
};
const moreOfOtlp = {
    ...more,
    batch: fc.constantFrom(1, 5000),
    temporality: fc.constantFrom("cumulative", "delta"),
    compression: fc.constantFrom("none", "zstd"),
};

/** A destination of any kind whose address has its name, and what it takes. */
function anyDestination(name: string): fc.Arbitrary<{ readonly raw: Raw; readonly takes: readonly Signal[] }> {
    const host = `${name}.example.net`;
    const signalsOf = (path: string) => {
        const one = fc.constantFrom(false, { endpoint: `https://other.${host}${path}` });
        return fc.record({ metrics: one, logs: one, traces: one }, { requiredKeys: [] });
    };
    const proxy = fc.constant("http://proxy.example.net:3128");
    const optional = { requiredKeys: [] };
    const authOf = (without: readonly string[] = []) =>
        fc.constantFrom(...auths.filter(({ kind }) => !without.includes(kind)));
    const written = fc.oneof(
        fc.record({ signals: signalsOf("/own"), auth: authOf(), more: fc.record({ ...moreOfOtlp, proxy }, optional) }),
        fc.record({
            protocol: fc.constant("grpc"),
            signals: signalsOf(":4317"),
            auth: authOf(["sigv4", "azure"]),
            more: fc.record(moreOfOtlp, optional),
        }),
        fc.record({
            protocol: fc.constant("remotewrite"),
            auth: authOf(),
            more: fc.record({ ...more, proxy }, optional),
        }),
    );
    return written.map(({ more, ...raw }: Raw) => {
        const off = Object.entries((raw.signals ?? {}) as Raw).flatMap(([signal, own]) =>
            own === false ? signal : [],
        );
        return {
            raw: { ...raw, endpoint: `https://${host}`, ...(more as Raw) },
            takes: signals.filter(
                (signal) =>
                    !off.includes(signal === "audit" ? "logs" : signal) &&
                    (raw.protocol !== "remotewrite" || signal === "metrics"),
            ),
        };
    });
}

/** Stacks in which each signal goes to any places that can have it together. */
const routed: fc.Arbitrary<Raw> = fc
    .record({
        emf: fc.constantFrom("emf", "otlp"),
        xray: fc.constantFrom("xray", "otlp"),
        any: fc.record({ a: anyDestination("a"), b: anyDestination("b"), c: anyDestination("c") }),
        version: fc.constantFrom(...versions),
        route: fc.constantFrom("none", "management", "regional", "regionless", "cloudwatch", "otlp"),
        istio: fc.boolean(),
        wanted: fc.record(
            Object.fromEntries(
                signals.map((signal) => [
                    signal,
                    fc.subarray([
                        ...["management", "regional", "cloudwatch", "otlp", "honeycomb", "gateway", "mimir"],
                        ...["a", "b", "c"],
                    ]),
                ]),
            ) as Record<Signal, fc.Arbitrary<string[]>>,
            { requiredKeys: [] },
        ),
    })
    .filter(({ version, route }) => route !== "regionless" || hasRegionless(version))
    .map(({ version, route, istio, wanted, any, emf, xray }) => {
        const own = route === "none" ? [] : [route === "regionless" ? "management" : route];
        const asked = Object.fromEntries(
            Object.entries(wanted).flatMap(([signal, names]) => {
                const able = names.filter(
                    (name) =>
                        !(name === "mimir" && signal !== "metrics") &&
                        !(name === "regional" && route === "regionless") &&
                        (!isAny(name) || any[name].takes.includes(signal as Signal)),
                );
                return signal === "audit" && !sortsAuditByDefault(catalogOf(version)) ? [] : [[signal, able]];
            }),
        ) as Record<string, string[]>;
        const named = new Set([...own, route, ...Object.values(asked).flat()]);
        const without = istio ? { ...blocks, regional: { cluster: "eu-1" } } : blocks;
        const known = { ...destinations, a: any.a.raw, b: any.b.raw, c: any.c.raw };
        const used = Object.fromEntries(Object.entries(known).filter(([name]) => named.has(name)));
        const cloudwatch = {
            ...(blocks.cloudwatch as object),
            signals: Object.fromEntries(
                Object.entries({ metrics: emf, traces: xray }).filter(([signal]) =>
                    (asked[signal] ?? own).includes("cloudwatch"),
                ),
            ),
        };
        return {
            version,
            route,
            istio,
            signals: asked,
            ...Object.fromEntries(Object.entries({ ...without, cloudwatch }).filter(([block]) => named.has(block))),
            ...(Object.keys(used).length > 0 ? { destinations: used } : {}),
        };
    });

function isAny(name: string): name is "a" | "b" | "c" {
    return ["a", "b", "c"].includes(name);
}

/** The places of each signal by the settings alone. */
function wantedOf({ version, route, signals: asked = {} }: Raw): Record<Signal, string[]> {
    const own = { none: [], regionless: ["management"] }[route as string] ?? [route as string];
    const given = asked as Record<Signal, string[] | undefined>;
    const of = (signal: Signal) => [...(given[signal] ?? own)].sort();
    const all = Object.fromEntries(signals.map((signal) => [signal, of(signal)])) as Record<Signal, string[]>;
    return sortsAuditByDefault(catalogOf(version as "1.10.0")) ? all : { ...all, audit: all.logs };
}

interface Pipeline {
    readonly receivers?: readonly string[];
    readonly processors?: readonly string[];
    readonly exporters?: readonly string[];
}

function pipelinesIn({ config }: Collector): Record<string, Pipeline> {
    return valueAt(config, ["service", "pipelines"]) as unknown as Record<string, Pipeline>;
}

/** Where records end that enter a collector: per signal, and per pipeline that lets them in. A walk of its own, from receivers on. */
function walk(collector: Collector): { readonly signal: Signal; readonly places: string[] }[] {
    const pipelines = pipelinesIn(collector);
    const at = (kind: string, id: string) => valueAt(collector.config, [kind, id]) as HelmValues | undefined;
    const isConnector = (id: string) => at("connectors", id) !== undefined;
    const loopbacks = new Map(
        Object.keys((collector.config.receivers ?? {}) as object).flatMap((id) => {
            const endpoint = valueAt(at("receivers", id) ?? {}, ["protocols", "http", "endpoint"]);
            return typeof endpoint === "string" && endpoint.startsWith("127.0.0.1:")
                ? [[`http://${endpoint}`, id]]
                : [];
        }),
    );
    const receiving = (id: string, kind: string) =>
        Object.keys(pipelines).filter(
            (name) => name.split("/")[0] === kind && (pipelines[name]?.receivers ?? []).includes(id),
        );
    const ends = (name: string, signal: Signal): { signal: Signal; place: string }[] => {
        const [kind = ""] = name.split("/");
        const own: Signal = name === "logs/audit" ? "audit" : signal;
        return (pipelines[name]?.exporters ?? []).flatMap((id) => {
            if (isConnector(id)) {
                return receiving(id, kind).flatMap((next) => ends(next, own));
            }
            const options = at("exporters", id);
            const loopback = loopbacks.get(valueAt(options ?? {}, ["endpoint"]) as string);
            return loopback === undefined
                ? [{ signal: own, place: placeOf(id, options ?? {}, kind) }]
                : receiving(loopback, kind).flatMap((next) => ends(next, own));
        });
    };
    const inner = [...loopbacks.values()];
    return Object.entries(pipelines)
        .filter(([, { receivers = [] }]) =>
            receivers.some((id) => id !== "nop" && !isConnector(id) && !inner.includes(id)),
        )
        .flatMap(([name]) => {
            const found = ends(name, name.split("/")[0] as Signal);
            return signals
                .filter((signal) => found.some((each) => each.signal === signal))
                .map((signal) => ({
                    signal,
                    places: found.filter((each) => each.signal === signal).map(({ place }) => place),
                }));
        });
}

function placeOf(exporter: string, options: HelmValues, kind: string): string {
    const [type = ""] = exporter.split("/");
    if (type === "nop" || type === "debug") {
        return type;
    }
    if (type.startsWith("aws")) {
        return "cloudwatch";
    }
    const address = options[`${kind}_endpoint`] ?? options.endpoint ?? "";
    const [place] = Object.entries(addresses).find(([, pattern]) => pattern.test(address as string)) ?? [];
    return place ?? `nowhere known: ${exporter} ${JSON.stringify(address)}`;
}

describe("signals with destinations of their own", () => {
    it("reach exactly the destinations that the settings name, in every collector (sampled)", () => {
        fc.assert(
            fc.property(routed, (raw) => {
                const wanted = wantedOf(raw);
                const { collectors } = deploymentFor(raw);
                const anywhere = signals.some((signal) => wanted[signal].length > 0);
                assert.ok(anywhere || collectors.length === 0 || raw.route !== "none");
                for (const collector of collectors) {
                    for (const { signal, places } of walk(collector)) {
                        const stored = places.filter((place) => place !== "nop" && place !== "debug").sort();
                        // Of KOF's own charts: what ta-daemon gets as logs over OTLP it prints.
                        const isPrinted = collector.key === "target-allocator" && signal === "logs";
                        assert.deepEqual(stored, isPrinted ? [] : wanted[signal], `${collector.name} ${signal}`);
                    }
                }
            }),
            runs(10, 60),
        );
    });

    it("leave what KOF's own stores get as it is without further destinations", () => {
        const own = (collector: Collector) =>
            Object.entries(pipelinesIn(collector)).map(([name, { receivers, processors }]) => [
                name,
                receivers,
                processors,
            ]);
        for (const version of versions) {
            for (const route of ["management", "regional", ...(hasRegionless(version) ? ["regionless"] : [])]) {
                const name = route === "regionless" ? "management" : route;
                const raw: Raw = { version, route, ...(route in blocks ? { [route]: blocks[route] } : {}) };
                const both = [name, "honeycomb"];
                const alone = deploymentFor(raw);
                const more = deploymentFor({
                    ...raw,
                    signals: {
                        metrics: both,
                        logs: both,
                        traces: both,
                        ...(sortsAuditByDefault(alone.catalog) ? { audit: both } : {}),
                    },
                    destinations: { honeycomb: destinations.honeycomb },
                });
                for (const before of alone.collectors) {
                    const after = more.collectors.find(({ key }) => key === before.key);
                    assert.ok(after);
                    const kept = own(after).filter(([id]) => !String(id).endsWith("/honeycomb"));
                    assert.deepEqual(kept, own(before), `${version} ${route} ${before.name}`);
                    for (const [exporter, options] of Object.entries(before.config.exporters as HelmValues)) {
                        assert.deepEqual(valueAt(after.config, ["exporters", exporter]), options);
                    }
                    for (const [processor, options] of Object.entries((before.config.processors ?? {}) as HelmValues)) {
                        assert.deepEqual(valueAt(after.config, ["processors", processor]), options);
                    }
                    for (const [id, { exporters = [] }] of Object.entries(pipelinesIn(before))) {
                        assert.deepEqual(
                            (pipelinesIn(after)[id]?.exporters ?? []).slice(0, exporters.length),
                            exporters,
                        );
                    }
                }
            }
        }
    });

    it("have values that the charts read, and collectors that have what they name, in images that have it (sampled)", () => {
        fc.assert(
            fc.property(routed, (raw) => {
                const { catalog, values, collectors } = deploymentFor(raw);
                assert.deepEqual(checkPaths(catalog, values), []);
                for (const [, value] of leaves(values)) {
                    assert.notEqual(value ?? null, null);
                }
                for (const collector of collectors) {
                    assert.deepEqual(danglingReferences(collector), []);
                    for (const kind of ["receivers", "processors", "exporters", "connectors", "extensions"] as const) {
                        for (const id of Object.keys((collector.config[kind] ?? {}) as object)) {
                            assert.ok(
                                hasComponent(collector.image, kind satisfies ComponentKind, id.split("/")[0] ?? ""),
                                id,
                            );
                        }
                    }
                }
            }),
            runs(8, 40),
        );
    });

    it("have a store of KOF's on this cluster only where one of them goes there", () => {
        for (const version of ["1.9.0", "1.10.0"]) {
            const { cloudwatch } = blocks;
            const raw: Raw = { version, route: "management", cloudwatch: { region: "us-east-2" } };
            const stores = (asked: Raw) =>
                deploymentFor({ ...raw, signals: asked }).stores.map(({ workload }) => workload);
            const audit = version === "1.10.0" ? ["vlstorage-audit"] : [];
            assert.deepEqual(stores({ logs: ["cloudwatch"] }), ["vmselect", "vmstorage", ...audit, "vtstorage"]);
            const all = {
                ...raw,
                cloudwatch,
                signals: { metrics: ["cloudwatch"], logs: ["cloudwatch"], traces: ["cloudwatch"] },
            };
            assert.deepEqual(
                deploymentFor(all).stores.map(({ workload }) => workload),
                ["vmselect", "vmstorage", ...audit],
            );
        }
    });

    it("keep audit logs apart at a destination that tells them from logs", () => {
        const both = ["management", "cloudwatch"];
        const { collectors, cloudwatch } = deploymentFor({
            version: "1.10.0",
            route: "management",
            cloudwatch: { region: "us-east-2" },
            signals: { logs: both, audit: both },
        });
        const daemon = collectors.find(({ key }) => key === "daemon");
        assert.ok(daemon);
        const groupOf = (pipeline: string) => {
            const { exporters = [], receivers = [] } = pipelinesIn(daemon)[pipeline] ?? {};
            const groups = exporters.map((id) => valueAt(daemon.config, ["exporters", id, "log_group_name"]));
            const from = Object.entries(pipelinesIn(daemon)).flatMap(([name, { exporters: to = [] }]) =>
                to.some((id) => receivers.includes(id)) ? [name] : [],
            );
            return { groups, from };
        };
        assert.deepEqual(groupOf("logs/cloudwatch"), { groups: ["/kof/mothership"], from: ["logs/default"] });
        assert.deepEqual(groupOf("logs/cloudwatch-audit"), { groups: ["/kof/mothership-audit"], from: ["logs/audit"] });
        assert.deepEqual(
            cloudwatch?.logGroups.map(({ holds }) => holds),
            ["logs", "audit"],
        );
    });

    it("queue on the node's disk what leaves the cluster, on every version", () => {
        for (const version of versions) {
            const { collectors } = deploymentFor({
                version,
                route: "management",
                signals: { metrics: ["management", "mimir"], logs: ["management", "honeycomb"], traces: ["gateway"] },
                destinations,
            });
            for (const { config, pods, name } of collectors) {
                const queues = Object.entries(config.exporters as HelmValues).flatMap(([id, options]) =>
                    /honeycomb|gateway|mimir-queue/.test(id) ? [valueAt(options, ["sending_queue", "storage"])] : [],
                );
                assert.deepEqual(queues, Array(3).fill("file_storage/exporters"), name);
                const directory = valueAt(config, ["extensions", "file_storage/exporters", "directory"]);
                assert.ok(JSON.stringify(pods.volumeMounts).includes(JSON.stringify(directory)), name);
            }
        }
    });

    it("reach each destination once where the region's metrics wait on disk before", () => {
        for (const version of versions) {
            const { collectors } = deploymentFor({
                version,
                route: "regional",
                regional: region,
                buffer: { metrics: "disk" },
                signals: { metrics: ["regional", "honeycomb"] },
                destinations: { honeycomb: destinations.honeycomb },
            });
            for (const collector of collectors) {
                const metrics = walk(collector).filter(({ signal }) => signal === "metrics");
                assert.deepEqual(
                    metrics.map(({ places }) => places.sort()),
                    [["honeycomb", "regional"]],
                    collector.name,
                );
            }
        }
    });

    it("say what is discarded as the route says it, where only processing is asked for", () => {
        const processing = { minimumSeverity: "warn" };
        const { notices } = deploymentFor({ route: "cloudwatch", cloudwatch: { region: "us-east-2", processing } });
        assert.ok(notices.some((notice) => notice.startsWith("Route cloudwatch discards metrics and traces")));
        assert.ok(!notices.some((notice) => notice.startsWith("kof:signals leaves")));
    });

    it("keep OpenCost on where the metrics are in a store of KOF's, which it then reads", () => {
        const openCost = (raw: Raw) => {
            const { values } = deploymentFor(raw);
            const found = [...leaves(values)].filter(([path]) => path.includes("opencost"));
            return Object.fromEntries(
                found.map(([path, value]) => [path.slice(path.indexOf("opencost")).join("."), value]),
            );
        };
        const { regional, otlp } = blocks;
        for (const version of ["1.9.0", "1.10.0"]) {
            const management: Raw = { version, route: "management" };
            assert.equal(openCost({ ...management, otlp, signals: { logs: ["otlp"] } })["opencost.enabled"], undefined);
            assert.equal(openCost({ ...management, otlp, signals: { metrics: ["otlp"] } })["opencost.enabled"], false);
            const there = openCost({ ...management, regional, signals: { metrics: ["regional"] } });
            assert.equal(there["opencost.enabled"], undefined);
            assert.equal(
                there["opencost.opencost.prometheus.external.url"],
                "https://vmauth.eu-1.example.net/vm/select/0/prometheus",
            );
        }
    });

    it("resolve to what the route alone does where they say the same", () => {
        for (const version of versions) {
            assert.deepEqual(
                deploymentFor({ version, route: "management", signals: { logs: ["management"] } }).values,
                deploymentFor({ version, route: "management" }).values,
            );
        }
    });
});

describe("a region beside the stores of this cluster", () => {
    for (const version of ["1.9.0", "1.10.0"]) {
        it(`holds nobody up that sends spans, KOF ${version}`, () => {
            const wanted = { traces: ["management", "regional"] };
            const { collectors } = deploymentFor({ version, route: "management", regional: region, signals: wanted });
            const pipelines = (key: string) =>
                valueAt(collectors.find((each) => each.key === key)?.config, ["service", "pipelines"]) as HelmValues;
            // KOF's own pipeline gathers nothing there: what the region refuses would be sent again, to both.
            assert.deepEqual(pipelines("target-allocator")["traces/regional"], {
                receivers: ["forward/regional"],
                processors: ["batch"],
                exporters: ["otlphttp/regional-traces"],
            });
            const { exporters } = pipelines("daemon").traces as HelmValues;
            assert.deepEqual(
                (exporters as string[]).filter((each) => each !== "debug"),
                ["otlphttp/traces", "otlphttp/regional-traces"],
            );
        });
    }
});

describe("notices of destinations", () => {
    const here = { version: "1.10.0", route: "management" };
    const one = { endpoint: "https://otlp.example.net" };
    const saidOf = (raw: Raw, pattern: RegExp) => deploymentFor(raw).notices.filter((each) => pattern.test(each));

    it("say where two are one place to a signal", () => {
        const twice = (destinations: Raw, wanted: Raw, more: Raw = {}) =>
            saidOf({ ...here, ...more, signals: wanted, destinations }, /the same address/);
        assert.deepEqual(
            twice({ a: one, b: { ...one, endpoint: "https://otlp.example.net:443" } }, { traces: ["a", "b"] }),
            [
                "kof:destinations.a and kof:destinations.b are the same address for traces (https://otlp.example.net/v1/traces): each record " +
                    "arrives there twice.",
            ],
        );
        assert.match(
            twice({ a: one }, { logs: ["a"], audit: ["a", "otlp"] }, { otlp: { ...one, headersSecret: "s" } }).join(),
            /^kof:destinations\.a and kof:otlp are the same address for audit logs .* twice, unless headers or credentials tell them apart\.$/,
        );
        // Of what one of them leaves out less than everything arrives twice.
        const some = { ...one, processing: { minimumSeverity: "warn", sampleTraces: 10 } };
        const everywhere = ["a", "b"];
        assert.deepEqual(
            twice({ a: one, b: some }, { metrics: everywhere, logs: everywhere, audit: everywhere }).map((each) =>
                each.replace(/^.* for /, ""),
            ),
            [
                "metrics and audit logs (https://otlp.example.net/v1/metrics): each record arrives there twice.",
                "logs (https://otlp.example.net/v1/logs): each record that both take arrives there twice.",
            ],
        );
        const drops = { ...one, processing: { dropNamespaces: ["kube-system"] } };
        assert.match(
            twice({ a: one, b: drops, c: one }, { metrics: ["a", "b", "c"] }).join(),
            /: each record that all of them take arrives there 3 times\.$/,
        );
        const own = { signals: { traces: { endpoint: "https://otlp.example.net/v1/traces" } } };
        assert.equal(twice({ a: one, b: own }, { traces: ["a", "b"] }).length, 1);
        assert.deepEqual(twice({ a: one, b: { protocol: "grpc", ...one } }, { logs: ["a"], traces: ["b"] }), []);
        assert.deepEqual(twice({ a: one, b: { endpoint: "https://b.example.net" } }, { traces: ["a", "b"] }), []);
    });

    it("say that audit logs leave the logs with the version that tells them apart", () => {
        const said = (wanted: Raw, version: string) =>
            saidOf({ ...here, version, signals: wanted, destinations: { a: one } }, /names logs and not audit/);
        const [text, ...others] = said({ logs: ["management", "a"] }, "1.9.0");
        assert.match(
            text ?? "",
            /they go to management\. To have them go where the logs go: kof:signals: \{audit: \[management, a\]\}/,
        );
        assert.deepEqual(others, []);
        assert.deepEqual(said({ logs: ["management", "a"], audit: ["management", "a"] }, "1.9.0"), []);
        assert.deepEqual(said({ traces: ["a"] }, "1.9.0"), []);
        assert.deepEqual(said({ logs: ["management", "a"] }, "1.10.0"), []);
    });
});
