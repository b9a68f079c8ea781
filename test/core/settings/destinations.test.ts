import assert from "node:assert/strict";

import fc from "fast-check";
import { parse } from "yaml";

import { signals, versions } from "../../../core/charts";
import { mergeValues, type HelmValues } from "../../../core/lib/values";
import { deploymentOf } from "../../../core/routes";
import { parseSettings } from "../../../core/routes/parse";
import { destinationPresets } from "../../../core/settings/destinationPresets";
import { deploymentFor, hasRegionless, type Raw } from "../../support";
import { runs } from "../../sampled";
import { withinEffort } from "../../effort";

/** What is said of settings; nothing where they are taken. */
function said(raw: Raw): string {
    try {
        parseSettings(raw, "x.yaml");
        return "";
    } catch (error) {
        assert.ok(error instanceof Error && error.name === "UserError", (error as Error).stack);
        return error.message;
    }
}

/** Settings with everything pasted that is offered for them. */
function mended(raw: Raw): HelmValues {
    const pasted = said(raw)
        .split("\n\n")
        .flatMap((each) => {
            const [, paste] = /Paste: {3}([^]*)$/.exec(each) ?? [];
            return paste === undefined ? [] : [parse(paste.replace(/^ {13}/gm, "")) as HelmValues];
        });
    const settings = Object.entries(mergeValues(...pasted)).map(([key, value]) => [key.replace("kof:", ""), value]);
    return mergeValues(raw as HelmValues, Object.fromEntries(settings) as HelmValues);
}

const endpoint = "https://otlp.example.net";
const honeycomb = { preset: "honeycomb", auth: { kind: "headers", secret: "honeycomb" } };
const mimir = {
    protocol: "remotewrite",
    endpoint: "https://mimir.example.net/api/v1/push",
    auth: { kind: "basic", secret: "mimir" },
};
const cloudwatch = { region: "us-east-2" };
const base = { route: "management", version: "1.10.0" };

/** One destination, named `there`, that the given signals go to. */
function to(there: object, ...named: string[]): Raw {
    const lists = (named.length > 0 ? named : ["logs"]).map((signal) => [signal, ["there"]]);
    return { ...base, signals: Object.fromEntries(lists), destinations: { there } };
}
const sigv4 = (secret?: string) => ({
    protocol: "remotewrite",
    endpoint: "https://aps-workspaces.us-east-2.amazonaws.com/workspaces/ws-1/api/v1/remote_write",
    auth: { kind: "sigv4", region: "us-east-2", service: "aps", ...(secret === undefined ? {} : { secret }) },
});

/** Every rule whose paste puts everything right, with what it says. */
const pasted: readonly [string, Raw, RegExp][] = [
    [
        "a misspelt name",
        { ...base, signals: { logs: ["management", "honeycomn"] }, destinations: { honeycomb } },
        /^ {2}kof:signals\.logs names "honeycomn", which is no destination\. Did you mean honeycomb\?\n {4}Allowed: a list of management, regional, cloudwatch, otlp, honeycomb\n/m,
    ],
    [
        "the name of a preset",
        { ...base, signals: { logs: ["management", "honeycomb"] } },
        /names "honeycomb", the name of a preset\. Define the destination in kof:destinations/,
    ],
    [
        "another name of a preset",
        { ...base, signals: { traces: ["management", "NewRelic"] } },
        /names "NewRelic", which is no destination\. There is a preset new-relic/,
    ],
    [
        "a preset that does not take the signal",
        { ...base, signals: { logs: ["management", "mimir"] } },
        /names "mimir", which is no destination, and preset mimir does not take logs: Mimir stores metrics alone/,
    ],
    [
        "a name that nobody knows",
        { ...base, signals: { logs: ["management", "elsewhere"] } },
        /names "elsewhere", which is no destination\. Define it/,
    ],
    ["what is no name", { ...base, signals: { logs: ["Über all"] } }, /names "Über all", which is no destination\n/],
    [
        "none in a list",
        { ...base, signals: { logs: ["none"] } },
        /names "none", which is a route\. The list of a signal/,
    ],
    [
        "regionless in a list",
        { ...base, signals: { logs: ["regionless"] } },
        /names "regionless", which is a route\. What its stores on this cluster take goes to management/,
    ],
    [
        "a name twice, beside one that is misspelt",
        { ...base, signals: { logs: ["management", "management", "clodwatch"] }, cloudwatch },
        /names "management" more than once[^]*names "clodwatch"[^]*Did you mean cloudwatch\?/,
    ],
    [
        "destinations that no signal names",
        { ...base, destinations: { honeycomb, mimir } },
        /kof:destinations\.mimir has no effect/,
    ],
    [
        "a signal that a protocol does not carry",
        { ...base, signals: { logs: ["management", "mimir"] }, destinations: { mimir } },
        /names "mimir", which does not take logs: Prometheus remote write carries metrics alone/,
    ],
    [
        "a signal that is switched off",
        to({ endpoint, signals: { logs: false } }),
        /does not take logs: kof:destinations\.there\.signals\.logs is false/,
    ],
    [
        "a region beside route regionless",
        {
            ...base,
            route: "regionless",
            regionless: { domain: "kof.example.net", selfSigned: true },
            signals: { logs: ["regional"] },
        },
        /names "regional", but route regionless has no regional cluster/,
    ],
    [
        "audit logs of a version that does not tell them from logs",
        {
            route: "management",
            version: "1.9.0",
            signals: { audit: ["cloudwatch"], logs: ["management", "cloudwatch"] },
            cloudwatch,
        },
        /kof:signals\.audit is \["cloudwatch"\], but KOF 1\.9\.0 does not tell audit logs from logs, which go to management and cloudwatch/,
    ],
    [
        "metrics for CloudWatch that it is not to store",
        { ...base, signals: { logs: ["cloudwatch"], metrics: ["cloudwatch"], traces: ["cloudwatch"] }, cloudwatch },
        /kof:cloudwatch\.signals\.metrics is "none", but kof:signals\.metrics names cloudwatch[^]*Allowed: otlp, emf\n[^]*metrics: otlp\n[^]*Allowed: xray, otlp\n[^]*traces: xray/,
    ],
    [
        "CloudWatch metrics that nobody sends there",
        { ...base, signals: { logs: ["cloudwatch"] }, cloudwatch: { ...cloudwatch, signals: { metrics: "emf" } } },
        /kof:cloudwatch\.signals\.metrics is "emf", which has no effect: kof:signals\.metrics does not name cloudwatch/,
    ],
    [
        "a block that neither the route nor a signal names",
        { ...base, signals: { logs: ["management"] }, cloudwatch },
        /kof:cloudwatch has no effect: neither kof:route nor kof:signals names it/,
    ],
    [
        "a block that a signal names",
        { ...base, signals: { logs: ["cloudwatch"] } },
        /kof:cloudwatch is missing, and kof:signals names cloudwatch/,
    ],
    ["no address", to({}), /kof:destinations\.there\.endpoint is missing, and no preset says it/],
    [
        "no address of a preset",
        to({ preset: "otel-collector" }),
        /there\.endpoint is missing, and preset otel-collector does not say it/,
    ],
    [
        "no address of any signal",
        to({ preset: "azure-monitor" }, "metrics", "traces"),
        /there\.signals is missing, and preset azure-monitor/,
    ],
    [
        "an address of one signal",
        to({ endpoint: `${endpoint}/v1/logs` }),
        /there\.endpoint ends with \/v1\/logs, which every signal's own path/,
    ],
    [
        "a path over gRPC",
        to({ protocol: "grpc", endpoint: `${endpoint}:4317/x` }),
        /is "https:\/\/otlp\.example\.net:4317\/x", but gRPC takes a host and a port/,
    ],
    [
        "a proxy with a path",
        to({ endpoint, proxy: "http://proxy.example.net:3128/x" }),
        /there\.proxy is [^]*but a proxy has no path/,
    ],
    [
        "compression that remote write does not know",
        to({ ...mimir, compression: "gzip" }, "metrics"),
        /there\.compression is gzip, but remote write knows snappy alone/,
    ],
    [
        "delta over remote write",
        to({ ...mimir, temporality: "delta" }, "metrics"),
        /there\.temporality is delta, which remote write cannot carry/,
    ],
    [
        "a client certificate without TLS",
        to({ endpoint: "http://otlp.example.net", auth: { kind: "clientCertificate", secret: "a" } }),
        /is "http:\/\/otlp\.example\.net", but auth is clientCertificate, which is sent over TLS alone/,
    ],
    [
        "a token over gRPC without TLS, and with a path",
        to({ protocol: "grpc", endpoint: "http://otlp.example.net:4317/x", auth: { kind: "bearer", secret: "a" } }),
        /but auth is bearer, which collectors send over gRPC with TLS alone/,
    ],
    [
        "Google's token over gRPC without TLS",
        to({ preset: "google-cloud", protocol: "grpc", endpoint: "http://otlp.example.net:4317" }),
        /but auth is google, which collectors send over gRPC with TLS alone/,
    ],
    [
        "no credentials where a vendor wants some",
        to({ preset: "honeycomb" }),
        /there\.auth is missing, without which Honeycomb takes nothing/,
    ],
    [
        "credentials that a vendor does not take",
        to({ preset: "honeycomb", auth: { kind: "basic", secret: "a" } }),
        /there\.auth\.kind is basic, which Honeycomb does not take/,
    ],
    [
        "headers without that of the vendor",
        to({ preset: "honeycomb", auth: { kind: "headers", secret: "a", headers: ["X-Team"] } }),
        /is \["X-Team"\], without x-honeycomb-team, by which Honeycomb knows who sends/,
    ],
    [
        "signatures over gRPC",
        to({ protocol: "grpc", endpoint, auth: { kind: "sigv4", region: "us-east-2", service: "xray" } }),
        /there\.protocol is grpc, over which the collectors cannot authenticate by sigv4/,
    ],
    [
        "signatures for no service",
        to({ endpoint, auth: { kind: "sigv4", region: "us-east-2" } }),
        /there\.auth\.service is missing, and no preset says it/,
    ],
    [
        "headers that would be one variable",
        to({ endpoint, auth: { kind: "headers", secret: "a", headers: ["X-Team", "x_team", "Authorization"] } }),
        /has X-Team and x_team, which would be one environment variable, DESTINATION_THERE__X_TEAM/,
    ],
    [
        "a header of two lines",
        to({ endpoint, headers: { "X-Team": "a\nb" } }),
        /there\.headers\.X-Team is "a\\nb", but the value of a header is one line of text/,
    ],
    [
        "keys for AWS beside those of CloudWatch",
        {
            ...base,
            signals: { logs: ["cloudwatch"], metrics: ["aps"] },
            cloudwatch,
            destinations: { aps: sigv4("aws") },
        },
        /aps\.auth\.secret is "aws", but kof:cloudwatch\.credentials is the key of a user whom this program makes/,
    ],
    [
        "other keys for AWS than those of CloudWatch",
        {
            ...base,
            signals: { logs: ["cloudwatch"], metrics: ["aps"] },
            cloudwatch: { ...cloudwatch, credentials: { kind: "existingSecret", name: "cw" } },
            destinations: { aps: sigv4("aws") },
        },
        /aps\.auth\.secret is "aws", but kof:cloudwatch\.credentials is Secret cw/,
    ],
    [
        "two pairs of keys for AWS",
        { ...base, signals: { metrics: ["aps", "other"] }, destinations: { aps: sigv4("one"), other: sigv4("two") } },
        /other\.auth\.secret is "two", but that of destination aps is one/,
    ],
    [
        "no domain of a region beside the stores of this cluster",
        { ...base, signals: { logs: ["management", "regional"] }, regional: { cluster: "eu-1" } },
        /kof:regional\.domain is missing, and KOF 1\.10\.0 cannot find it out beside the stores of this cluster/,
    ],
    [
        "a buffer for longer than CloudWatch takes logs",
        { ...base, signals: { logs: ["management", "cloudwatch"] }, cloudwatch, buffer: { duration: "400h" } },
        /kof:buffer\.duration is "400h", but CloudWatch[^]*at most 312h where something goes to cloudwatch/,
    ],
    [
        "a buffer of its own that is too large",
        to({ endpoint, buffer: { size: "9000Pi" } }),
        /there\.buffer\.size is "9000Pi", of which a collector makes a negative/,
    ],
    [
        "a backtick in an expression",
        to({ endpoint, processing: { redact: ["`token`", "\\`x"] } }),
        /there\.processing\.redact has a backtick, which breaks the MultiClusterService template/,
    ],
    [
        "two addresses to sign in to, of which one is a signal's",
        to({
            endpoint: "https://me:hunter2hunter2@otlp.example.net/v1/logs/",
            proxy: "http://me:hunter2hunter2@a.example.net:1",
        }),
        /there\.endpoint is "https:\/\/…@otlp[^]*there\.proxy is "http:\/\/…@a/,
    ],
    [
        "a token for the name of a Secret",
        to({ endpoint, auth: { kind: "bearer", secret: "hcaik_01abcdefghijklmnopqrstuvwx" } }),
        /there\.auth\.secret looks like a secret[^]*--from-file=token/,
    ],
    [
        "the value of Authorization for auth",
        to({ endpoint, auth: "Bearer hunter2hunter2" }),
        /there\.auth looks like a secret[^]*there-credentials --from-file=token/,
    ],
    [
        "headers with their values",
        to({ endpoint, auth: { kind: "headers", secret: "a", headers: { "x-team": "hunter2hunter2" } } }),
        /there\.auth\.headers\.x-team looks like a secret[^]*-n kof a --from-file=x-team/,
    ],
];

/** What has to be removed or renamed, which cannot be pasted. */
const removed: readonly [string, Raw, RegExp][] = [
    [
        "what remote write has no use for",
        to({ ...mimir, batch: 5 }, "metrics"),
        /there\.batch is 5, which has no effect on remote write/,
    ],
    [
        "a proxy for gRPC",
        to({ protocol: "grpc", endpoint, proxy: "http://a.example.net:1" }),
        /there\.proxy has no effect on gRPC/,
    ],
    [
        "TLS without TLS",
        to({ endpoint: "http://a.example.net", tls: { caSecret: "a" } }),
        /there\.tls has no effect on http:\/\/a\.example\.net/,
    ],
    [
        "a header in two places",
        to({ endpoint, headers: { "x-team": "a" }, auth: { kind: "headers", secret: "a", headers: ["X-Team"] } }),
        /there\.headers\.x-team is in auth\.headers as well/,
    ],
    [
        "a header in two cases",
        to({ endpoint, headers: { "x-team": "a", "X-Team": "b" } }),
        /there\.headers\.X-Team is x-team in another case/,
    ],
    [
        "a header that exporters set",
        to({ endpoint, headers: { "Content-Type": "a" } }),
        /there\.headers\.Content-Type is a header that the collectors set/,
    ],
    [
        "headers that are secrets",
        to({
            endpoint,
            headers: { Authorization: "Basic hunter2hunter2", "DD-API-KEY": "hunter2hunter2", "X-Scope-OrgID": "kof" },
        }),
        /there\.headers\.Authorization looks like a secret[^]*--from-file=Authorization --from-file=DD-API-KEY\n[^]*secret: there-credentials\n/,
    ],
    [
        "a password for the name of a Secret",
        to({ endpoint, auth: { kind: "basic", username: "me", password: "hunter2hunter2" } }),
        /there\.auth\.password looks like a secret[^]*--from-file=username --from-file=password/,
    ],
    [
        "a name of KOF's own",
        { ...base, signals: { logs: ["traces"] }, destinations: { traces: honeycomb } },
        /kof:destinations\.traces has the name of a component of KOF's collectors/,
    ],
    [
        "a name that has a block of its own",
        { ...base, signals: { logs: ["otlp"] }, otlp: { endpoint }, destinations: { otlp: honeycomb } },
        /has 1 problem\.[^]*kof:destinations\.otlp has a name that is set up in kof:otlp/,
    ],
    [
        "the name of a chart's component",
        { ...base, signals: { logs: ["kubeletstats"] }, destinations: { kubeletstats: honeycomb } },
        /has the name of a component of KOF's collectors/,
    ],
    [
        "a name that another destination's component has",
        { ...base, signals: { logs: ["a", "a-audit"] }, destinations: { a: honeycomb, "a-audit": honeycomb } },
        /kof:destinations\.a-audit has a name that a component of destination a has/,
    ],
    [
        "a name that makes the same variable",
        {
            ...base,
            signals: { logs: ["a", "a--b"] },
            destinations: {
                a: { endpoint, auth: { kind: "headers", secret: "s", headers: ["b--c"] } },
                "a--b": { endpoint, auth: { kind: "headers", secret: "s", headers: ["c"] } },
            },
        },
        /kof:destinations\.a--b would share the environment variable DESTINATION_A__B__C with destination a/,
    ],
    [
        "keys for AWS beside a role for CloudWatch",
        {
            ...base,
            signals: { logs: ["cloudwatch"], metrics: ["aps"] },
            cloudwatch: { ...cloudwatch, credentials: { kind: "podIdentity", clusterName: "a" } },
            distribution: "eks",
            destinations: { aps: sigv4("aws") },
        },
        /kof:cloudwatch\.credentials is podIdentity: the collectors would use the Secret for CloudWatch too/,
    ],
    [
        "a domain in the mesh",
        {
            ...base,
            istio: true,
            signals: { logs: ["regional"] },
            regional: { cluster: "eu-1", domain: "a.example.net" },
        },
        /kof:regional\.domain has no effect with Istio/,
    ],
    [
        "a disk for metrics that go elsewhere",
        { ...base, signals: { logs: ["cloudwatch"] }, cloudwatch, buffer: { metrics: "disk" } },
        /kof:buffer\.metrics is disk, which has no effect: no metrics go to regional/,
    ],
    [
        "a disk for metrics beside stores of this cluster",
        {
            ...base,
            signals: { metrics: ["management", "regional"] },
            regional: { cluster: "eu-1", domain: "a.example.net" },
            buffer: { metrics: "disk" },
        },
        /has no effect: beside the stores of this cluster, metrics for a region wait in memory/,
    ],
    [
        "a buffer of nothing",
        {
            ...base,
            route: "cloudwatch",
            cloudwatch,
            signals: { logs: ["management"], audit: [] },
            buffer: { duration: "1h" },
        },
        /kof:buffer has no effect: nothing is sent out of this cluster/,
    ],
    ["a backtick in a header", to({ endpoint, headers: { "X-Team": "a`b" } }), /there\.headers\.X-Team has a backtick/],
];

describe("destinations", () => {
    for (const [what, raw, text] of pasted) {
        it(`refuse ${what}, with what to write instead`, () => {
            assert.match(said(raw), text);
            assert.equal(said(mended(raw)), "", said(raw));
            assert.doesNotMatch(said(raw), /hunter2|hcaik_01abc/);
        });
    }

    for (const [what, raw, text] of removed) {
        it(`refuse ${what}`, () => {
            assert.match(said(raw), text);
            assert.doesNotMatch(said(raw), /hunter2/);
        });
    }

    it("take what is right, of every preset", () => {
        for (const [preset, { signals: taken, endpoint: everybody }] of Object.entries(destinationPresets)) {
            const [signal = ""] = Object.entries(taken).flatMap(([name, { refused }]) =>
                refused === undefined ? [name] : [],
            );
            assert.equal(said(mended(to({ preset }, signal))), "", preset);
            assert.equal(
                said(to({ preset }, signal)).includes("endpoint is missing"),
                everybody === undefined && preset !== "azure-monitor",
            );
        }
        const fine: Raw[] = [
            to({ preset: "honeycomb", auth: { kind: "none" } }),
            to({ preset: "elastic", endpoint, auth: { kind: "bearer", secret: "a" } }),
            to({
                endpoint,
                processing: { redact: ["\\d{3}\\-\\d{2}", "(?P<a>x)", "[[:alpha:]]+@", "(?i)token=\\S+"] },
            }),
            to({
                endpoint,
                auth: { kind: "headers", secret: "a", headers: ["Authorization"] },
                headers: { "X-Scope-OrgID": "$kof {{ x }}" },
            }),
            {
                ...base,
                signals: { logs: ["there", "cloudwatch"] },
                destinations: { there: { endpoint } },
                cloudwatch,
                buffer: { duration: "312h" },
            },
            { ...base, version: "1.9.0", signals: { logs: ["management", "cloudwatch"] }, cloudwatch },
            // A name that every object of JavaScript has.
            { ...base, signals: { logs: ["constructor"] }, destinations: { constructor: { endpoint } } },
        ];
        for (const raw of fine) {
            assert.equal(said(raw), "", JSON.stringify(raw));
        }
    });

    it("refuse what Go does not read as an expression", () => {
        for (const wrong of ["(?=a)", "a(b", "\\1", "\\cA", "\\u0041", "a{1001}", "a**", "[]", "[^]", "\\Z", "[z-a]"]) {
            assert.match(
                said(to({ endpoint, processing: { redact: [wrong] } })),
                /redact\.?\S* is .*not allowed here/,
                wrong,
            );
        }
    });

    it("say which stores get nothing, and which identity pods need", () => {
        const notices = (raw: Raw) => deploymentFor(raw).notices.join("\n");
        const stored = {
            ...base,
            signals: { logs: ["there"] },
            destinations: { there: { endpoint } },
            storage: { logs: { size: "20Gi" } },
        };
        assert.match(notices(stored), /kof:storage\.logs has no effect: kof:signals\.logs does not name management\./);
        assert.match(
            notices(to({ preset: "google-cloud" })),
            /there authenticates by google: the pods of the collectors .* Without one the collectors do not start, /,
        );
        assert.match(
            notices(to({ endpoint, auth: { kind: "azure" } })),
            /Without one what goes there waits in its queue \(/,
        );
        assert.match(
            notices(to({ preset: "honeycomb", auth: { kind: "none" } })),
            /there\.auth is none: Honeycomb takes nothing unless/,
        );
        assert.doesNotMatch(notices(to(honeycomb)), /identity|auth is none/);
    });

    it("of a deployment are taken as they are remembered, defaults included", () => {
        const raw = {
            ...to({
                endpoint: "http://a.example.net",
                tls: { insecureSkipVerify: false },
                processing: { sampleTraces: 5 },
            }),
            cloudwatch: { ...cloudwatch, signals: { metrics: "none", traces: "none" } },
            signals: { logs: ["there", "cloudwatch"], metrics: ["management"] },
        };
        assert.doesNotThrow(() => parseSettings(raw, "x.yaml", true));
    });

    it("of any kind resolve on every version, or are refused with our own error (sampled)", () => {
        const name = fc.constantFrom(
            "management",
            "regional",
            "cloudwatch",
            "otlp",
            "a",
            "b-c",
            "none",
            "honeycomb",
            "x",
        );
        const list = fc.option(fc.array(name, { maxLength: 3 }), { nil: undefined });
        const one = fc.record(
            {
                preset: fc.constantFrom(...Object.keys(destinationPresets), "nothing"),
                protocol: fc.constantFrom("http", "grpc", "remotewrite"),
                endpoint: fc.constantFrom(
                    endpoint,
                    "http://a.example.net:4317",
                    "https://a.example.net/v1/logs",
                    "a",
                    "http://[",
                    "https://%",
                ),
                signals: fc.constantFrom({ logs: false }, { metrics: { endpoint } }, {}),
                auth: fc.constantFrom<unknown>(
                    ...["none", "google", "azure"].map((kind) => ({ kind })),
                    ...["headers", "basic", "bearer", "clientCertificate"].map((kind) => ({ kind, secret: "a" })),
                    { kind: "sigv4", region: "us-east-2" },
                    { kind: "oauth2", secret: "a", tokenUrl: "https://a.example.net" },
                    "x",
                ),
                headers: fc.constantFrom({ "X-Scope-OrgID": "kof" }, { a: "$b", A: "c" }, []),
                compression: fc.constantFrom("gzip", "snappy"),
                proxy: fc.constant("http://a.example.net:1"),
                tls: fc.constantFrom({}, { caSecret: "a" }),
                temporality: fc.constantFrom("delta", "cumulative"),
                batch: fc.constantFrom(1, 1000),
                buffer: fc.constantFrom({}, { duration: "2h", size: "4Gi" }),
                processing: fc.constantFrom({}, { redact: ["a"] }, { minimumSeverity: "warn", dropNamespaces: ["a"] }),
            },
            { requiredKeys: [] },
        );
        const settings = fc.record({
            version: fc.constantFrom(...versions),
            route: fc.constantFrom("none", "management", "regional", "cloudwatch", "otlp", "regionless"),
            istio: fc.constantFrom(false, false, true),
            signals: fc.record(Object.fromEntries(signals.map((signal) => [signal, list]))),
            destinations: fc.dictionary(fc.constantFrom("a", "b-c", "honeycomb"), one, { maxKeys: 2 }),
            blocks: fc.subarray(["regional", "cloudwatch", "otlp", "regionless"]),
        });
        const blocks: Raw = {
            regional: { cluster: "eu-1", domain: "a.example.net" },
            cloudwatch: { ...cloudwatch, signals: { metrics: "emf" } },
            otlp: { endpoint },
            regionless: { domain: "a.example.net", selfSigned: true },
        };
        let taken = 0;
        const check = (raw: Raw) => {
            const isTaken = withinEffort(200, JSON.stringify(raw), () => {
                if (said(raw) !== "") {
                    return false;
                }
                const { destinations, collectors, notices } = deploymentOf(parseSettings(raw, "x.yaml"));
                return JSON.stringify([destinations, collectors, notices]) !== "";
            });
            taken += Number(isTaken);
        };
        fc.assert(
            fc.property(settings, ({ blocks: named, ...rest }) => {
                const raw = { ...rest, ...Object.fromEntries(named.map((block) => [block, blocks[block]])) };
                check(raw);
                // What is offered is often right at once, and then resolves.
                check(mended(raw));
            }),
            runs(25, 100),
        );
        const fixed = versions.filter((each) => hasRegionless(each) || each === "1.9.0");
        for (const version of fixed) {
            check({ ...to(honeycomb, "logs", "metrics", "traces"), version });
        }
        // How many of the others are taken, chance has.
        assert.ok(taken >= fixed.length, String(taken));
    });
});

describe("the destinations that an error offers for a signal", () => {
    it("are those that take it", () => {
        const allowedFor = (signal: string) => {
            const signals = {
                metrics: ["management", "mimir"],
                traces: ["honeycomb"],
                [signal]: ["management", "nowhere"],
            };
            return /Allowed: a list of (.*)/.exec(said({ ...base, signals, destinations: { honeycomb, mimir } }))?.[1];
        };
        assert.equal(allowedFor("logs"), "management, regional, cloudwatch, otlp, honeycomb");
        assert.equal(allowedFor("metrics"), "management, regional, cloudwatch, otlp, honeycomb, mimir");
        const regionless = {
            route: "regionless",
            regionless: { domain: "kof.example.net", certEmail: "a@example.net" },
        };
        assert.match(
            said({ ...base, ...regionless, signals: { logs: ["nowhere"] } }),
            /Allowed: a list of management, cloudwatch, otlp\n/,
        );
    });
});

describe("authentication without its kind", () => {
    it("is offered as the kind that has most of what stands there", () => {
        const offered = (auth: object) =>
            /kind: (\w+)$/m.exec(said(to({ endpoint, auth })).split("Paste:").slice(1).join())?.[1];
        assert.equal(offered({ secret: "x" }), "headers");
        assert.equal(offered({ secret: "x", headers: ["a"] }), "headers");
        assert.equal(offered({ secret: "x", tokenUrl: "https://login.example.net/token" }), "oauth2");
        assert.equal(offered({ secret: "x", region: "us-east-2", service: "aps" }), "sigv4");
        assert.equal(offered({ region: "us-east-2", service: "aps" }), "sigv4");
        assert.deepEqual(
            said(mended(to({ endpoint, auth: { secret: "x", tokenUrl: "https://login.example.net/token" } }))),
            "",
        );
    });

    it("is offered as the kind of the preset, where what stands there goes with that", () => {
        const secret = { secret: "x" };
        const grafana = { preset: "grafana-cloud", endpoint: "https://otlp-gateway-prod-eu-west-0.grafana.net/otlp" };
        const amazon = { preset: "amazon-managed-prometheus", endpoint: sigv4().endpoint };
        for (const [there, signal, kind] of [
            [{ ...grafana, auth: secret }, "logs", "basic"],
            [{ ...grafana, auth: { kind: "", ...secret } }, "logs", "basic"],
            [{ ...grafana, preset: "Grafana Cloud", auth: secret }, "logs", "basic"],
            [{ preset: "honeycomb", auth: secret }, "logs", "headers"],
            [{ ...amazon, auth: secret }, "metrics", "sigv4"],
            [{ preset: "google-cloud", auth: {} }, "traces", "google"],
            // Google's has no Secret, and a client certificate's kind is nobody's preset.
            [{ preset: "google-cloud", auth: secret }, "traces", "headers"],
        ] as const) {
            const after = mended(to(there, signal));
            assert.equal(said(after), "", JSON.stringify(there));
            assert.equal((after.destinations as { there: { auth: { kind: string } } }).there.auth.kind, kind);
        }
        // A list of one is taken for what is in it.
        const identity = { kind: "accessKey", generations: ["2026-05", "2026-11"] };
        const credentials = {
            kind: "assumeRole",
            roleArn: "arn:aws:iam::123456789012:role/kof",
            externalId: "acme",
            identity,
        };
        const listed = mended({
            route: "cloudwatch",
            version: "1.10.0",
            cloudwatch: { ...cloudwatch, credentials: [credentials] },
        });
        assert.deepEqual((listed.cloudwatch as HelmValues).credentials, credentials);
        // What has a kind keeps it.
        assert.equal(said(to({ ...grafana, auth: { kind: "headers", ...secret } })), "");
    });
});
