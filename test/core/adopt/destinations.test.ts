import assert from "node:assert/strict";

import { parse, stringify } from "yaml";

import { adoption } from "../../../core/adopt";
import { mergeValues, nest, valueAt, type HelmValue, type HelmValues } from "../../../core/lib/values";
import { cases, deploymentFor, routes } from "../../support";

const version = "1.9.0";
const shared = ["kof-collectors", "values", "opentelemetry-kube-stack", "defaultCRConfig"];
const collectors = [...shared.slice(0, -1), "collectors"];

/** Values of a route up to 1.9, changed at a path. */
function changed(name: string, path: readonly string[], value: HelmValue): string {
    return stringify(mergeValues(deploymentFor({ ...routes[name], version }).values, nest(path, value)));
}

const carried = ({ settings }: ReturnType<typeof adoption>, path: readonly string[]) =>
    valueAt(settings.values as HelmValues | undefined, path);

describe("adopting values from before the routes added to them", () => {
    const lists = [...collectors, "daemon", "config", "service", "extensions"];
    const added = valueAt(deploymentFor({ ...routes.regional, version }).values, lists) as string[];
    const before = added.filter((name) => name !== "file_storage/exporters");

    it("takes the route's list where the original only lacks what the route adds, and announces that", () => {
        const adopted = adoption(changed("regional", lists, before), { version });
        assert.equal(carried(adopted, lists), undefined);
        assert.deepEqual(adopted.corrections, []);
        assert.match(
            adopted.changes.join("\n"),
            /^Exporters keep what they cannot deliver for as long as kof:buffer says/,
        );
    });

    it("adds to a list that has more, or that the route does not have", () => {
        const own = [...before, "pprof"];
        const extension = nest([...shared, "config", "extensions"], { pprof: {} });
        const values = parse(changed("regional", lists, own)) as HelmValues;
        const adopted = adoption(stringify(mergeValues(values, extension)), { version });
        assert.deepEqual(carried(adopted, lists), ["file_storage/exporters", ...own]);

        const other = [...collectors, "ta-daemon", "config", "service", "extensions"];
        const shorter = adoption(changed("regional", other, ["basicauth/metrics"]), { version });
        assert.deepEqual(
            new Set(carried(shorter, other) as string[]),
            new Set(["basicauth/metrics", "basicauth/logs", "basicauth/traces", "file_storage/exporters"]),
        );
    });

    it("keeps what the original took out of a list of the charts", () => {
        const processors = [...collectors, "daemon", "config", "service", "pipelines", "traces", "processors"];
        const adopted = adoption(changed("regional", processors, ["batch"]), { version });
        assert.deepEqual(carried(adopted, processors), ["resource/k8sclustername", "batch"]);
        assert.match(adopted.changes.join("\n"), /^Spans, and metrics/);
    });

    it("puts what CloudWatch needs into a list of the original, and says so", () => {
        const processors = [...collectors, "daemon", "config", "service", "pipelines", "logs", "processors"];
        const adopted = adoption(changed("cloudwatch", processors, ["resource/k8sclustername", "batch"]), { version });
        const list = ["transform/clock", "groupbyattrs/clock", "resource/k8sclustername", "batch"];
        assert.deepEqual(carried(adopted, processors), list);
        assert.match(
            adopted.changes.join("\n"),
            /^Log records with a time that CloudWatch does not take get the present/,
        );
    });

    it("says that what collectors keep on the node is recreated where it cannot be read", () => {
        const { values } = deploymentFor({ ...routes.management, version });
        const copy = structuredClone(values);
        delete (valueAt(copy, [...collectors, "daemon", "config"]) as HelmValues).extensions;
        const { changes } = adoption(stringify(copy), { version });
        assert.equal(changes.length, 1);
        assert.match(changes[0] ?? "", /^Collectors start over where a power loss/);
    });

    it("does not take a number of requests for a number of bytes", () => {
        const { values } = deploymentFor({ ...routes.cloudwatch, version });
        const exporter = [...shared, "config", "exporters", "awscloudwatchlogs"];
        const queue = [...exporter, "sending_queue"];
        for (const [options, kept] of [
            [{ queue_size: 500 }, undefined],
            [
                { queue_size: 500, sizer: "requests" },
                { queue_size: 500, sizer: "requests" },
            ],
        ] as const) {
            const copy = structuredClone(values);
            (valueAt(copy, exporter) as HelmValues).sending_queue = { ...options };
            const adopted = adoption(stringify(copy), { version });
            assert.deepEqual(carried(adopted, queue), kept);
            assert.equal(
                adopted.changes.some((line) => line.includes("is 500 requests, however large")),
                !kept,
            );
        }
    });
});

describe("adopting metrics that wait on disk for a region", () => {
    for (const { version, raw } of cases.filter((each) => each.raw.route === "regional")) {
        it(`finds the setting, and leaves nothing of it in the values, on KOF ${version}, Istio ${String(raw.istio ?? false)}`, () => {
            const buffer = { duration: "45m", size: "2Gi", metrics: "disk" };
            const text = stringify(deploymentFor({ ...raw, buffer }).values);
            const { settings } = adoption(text, { version, region: raw.regional as { cluster: string } });
            assert.deepEqual(settings.buffer, buffer);
            assert.equal(settings.values, undefined);
        });
    }
});

describe("adopting CloudWatch credentials", () => {
    const issuer = "arn:aws:iam::123456789012:oidc-provider/oidc.example.net/id/1";
    const text = (credentials: unknown) => {
        const cloudwatch = { region: "us-east-2", credentials };
        return stringify(deploymentFor({ route: "cloudwatch", version, cloudwatch }).values);
    };

    it("asks for the IAM OIDC provider of a role, and takes what it is told", () => {
        const credentials = { kind: "irsa", oidcProviderArn: issuer };
        assert.throws(
            () => adoption(text(credentials), { version }),
            /take the role arn:aws:iam::123456789012:role\/kof\/\S+ .*\n.*oidcProviderArn: "arn:aws:iam::123456789012:oidc-provider\/ISSUER"/,
        );
        const { settings, notes } = adoption(text(credentials), { version, credentials });
        assert.deepEqual(valueAt(settings as HelmValues, ["cloudwatch", "credentials"]), credentials);
        assert.equal(
            notes.some((note) => note.includes("keep the role")),
            false,
        );
    });

    it("keeps a role that is not the program's, and says so", () => {
        const credentials = { kind: "irsa", oidcProviderArn: issuer };
        const role = "arn:aws:iam::123456789012:role/mine";
        const theirs = text(credentials).replaceAll(/arn:aws:iam::123456789012:role\/\S+/g, role);
        const adopted = adoption(theirs, { version, credentials });
        const annotation = [...collectors, "daemon", "annotations", "eks.amazonaws.com/role-arn"];
        assert.equal(carried(adopted, annotation), role);
        assert.match(adopted.notes.join("\n"), /The collectors keep the role arn:aws:iam::123456789012:role\/mine/);
    });

    it("takes the role that the exporters assume, and what they assume it with", () => {
        const roleArn = "arn:aws:iam::210987654321:role/central/kof-logs";
        const identity = { kind: "existingSecret", name: "aws" };
        const values = text({ kind: "assumeRole", roleArn, externalId: "kof", identity });
        const credentials = (given?: unknown) => {
            const { settings, notes } = adoption(values, { version, credentials: given });
            assert.match(
                notes.join("\n"),
                /assume arn:aws:iam::210987654321:role\/central\/kof-logs: the stack makes no log group/,
            );
            // The stack sets no retention there, and values without one say nothing of it.
            assert.match(notes.join("\n"), /keeps logs is up to the account of the role/);
            assert.doesNotMatch(notes.join("\n"), /for ever/);
            return valueAt(settings as HelmValues, ["cloudwatch", "credentials"]);
        };
        const expected = { kind: "assumeRole", roleArn, externalId: "kof", identity };
        assert.deepEqual(credentials(), expected);
        assert.deepEqual(credentials({ kind: "assumeRole", roleArn: "arn:aws:iam::1:role/x", identity }), expected);
        // Without one in the values, nobody assumes any.
        const own = adoption(text(identity), { version, credentials: expected }).settings;
        assert.deepEqual(valueAt(own as HelmValues, ["cloudwatch", "credentials"]), identity);
    });

    it("asks where the values have none, and takes a Secret that it is told of", () => {
        const without = text({ kind: "podIdentity", clusterName: "management" });
        assert.throws(
            () => adoption(without, { version }),
            /with which credentials[^]*--credentials '\{kind: podIdentity/,
        );
        const credentials = { kind: "existingSecret", name: "aws" };
        const adopted = adoption(without, { version, credentials });
        assert.deepEqual(deploymentFor(adopted.settings).values, parse(text(credentials)));
        assert.throws(() => adoption(without, { version, credentials: { kind: "magic" } }), { name: "UserError" });
    });
});

describe("adopting an OTLP destination", () => {
    const env = (name: string, secret: string, key: string) => ({
        name,
        valueFrom: { secretKeyRef: { name: secret, key } },
    });
    const pipeline = { exporters: ["otlphttp/vendor", "debug"] };
    const config = {
        exporters: {
            "otlphttp/vendor": {
                endpoint: "https://otlp.example.net/",
                headers: { Authorization: "${env:TOKEN}" },
                tls: { ca_pem: "${env:CA}" },
                compression: "zstd",
            },
        },
        service: { pipelines: { logs: pipeline, metrics: pipeline, traces: pipeline } },
    };
    const crd = {
        env: [
            { name: "PKI_PATH", value: "var/lib/k0s" },
            env("TOKEN", "vendor", "Authorization"),
            env("CA", "vendor-ca", "ca.crt"),
        ],
        config,
    };
    const umbrella = (kubeStack: object) => ({
        "kof-collectors": { enabled: true, values: { "opentelemetry-kube-stack": kubeStack } },
    });
    const text = stringify(umbrella({ defaultCRConfig: crd }));
    const otlp = {
        endpoint: "https://otlp.example.net",
        headersSecret: "vendor",
        headers: ["Authorization"],
        tls: { caSecret: "vendor-ca" },
    };

    it("finds the one exporter that all signals go to, with its Secrets, on every version", () => {
        for (const each of new Set(cases.map((one) => one.version))) {
            const { settings, corrections, lost } = adoption(text, { version: each });
            const { values, ...rest } = settings;
            assert.deepEqual(rest, { route: "otlp", version: each, otlp, adopt: true });
            assert.deepEqual(
                values,
                nest([...shared, "config", "exporters", "otlphttp/destination", "compression"], "zstd"),
            );
            assert.match(corrections.join("\n"), /Signals go to debug as well/);
            assert.deepEqual(lost, []);
        }
    });

    it("leaves in the values what the setting cannot say", () => {
        const { settings } = adoption(text.replace("key: Authorization", "key: token"), { version });
        assert.deepEqual(settings.otlp, { endpoint: otlp.endpoint, tls: otlp.tls });
        const names = valueAt(settings.values as HelmValues, [...shared, "env"]) as { name: string }[];
        assert.deepEqual(
            names.map(({ name }) => name),
            ["PKI_PATH", "TOKEN", "OTLP_CA"],
        );
    });

    it("copies no header that holds a secret", () => {
        const adopted = adoption(text.replace("${env:TOKEN}", "Bearer abc"), { version });
        assert.doesNotMatch(JSON.stringify(adopted), /Bearer/);
        assert.match(
            adopted.secrets[0]!,
            /headers\.Authorization holds a secret, .* key Authorization of Secret otlp-headers\.$/,
        );
        const { headersSecret, headers } = adopted.settings.otlp as Record<string, unknown>;
        assert.deepEqual([headersSecret, headers], ["otlp-headers", ["Authorization"]]);
        assert.deepEqual(adopted.lost, []);
    });

    it("is certain only when no signal goes anywhere else", () => {
        const other = { ...config.service.pipelines, traces: { exporters: ["otlphttp/traces"] } };
        const values = umbrella({ defaultCRConfig: { ...crd, config: { ...config, service: { pipelines: other } } } });
        const { settings } = adoption(stringify(values), { version });
        assert.equal(settings.route, "management");
        assert.deepEqual(settings.signals, { metrics: ["vendor"], logs: ["vendor"], audit: ["vendor"] });
    });
});
