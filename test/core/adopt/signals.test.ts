import assert from "node:assert/strict";

import { stringify } from "yaml";

import { adoption } from "../../../core/adopt";
import { mergeValues, nest, valueAt, type HelmValues } from "../../../core/lib/values";
import { deploymentFor } from "../../support";

const secretEnv = (name: string, secret: string, key: string) => ({
    name,
    valueFrom: { secretKeyRef: { name: secret, key } },
});
const pkiPath = { name: "PKI_PATH", value: "var/lib/k0s" };

/** What somebody wrote for the collectors, where each version reads it, with KOF's own stores on this cluster. */
const forms: Readonly<Record<string, (kubeStack: HelmValues) => HelmValues>> = {
    "1.9.0": (kubeStack) => ({
        "kof-storage": { enabled: true },
        "kof-collectors": { enabled: true, values: { "opentelemetry-kube-stack": kubeStack } },
    }),
    "1.10.0": (kubeStack) => ({
        "kof-child": {
            values: {
                fromManagement: {
                    toManagementCluster: { enabled: true },
                    collectors: { "opentelemetry-kube-stack": kubeStack },
                },
            },
        },
    }),
};

/** Adopts values in which traces go to one more exporter. */
function withTraces(exporter: string, options: object, more: object = {}, env: object[] = [], version = "1.9.0") {
    const config = {
        ...more,
        exporters: { [exporter]: options },
        service: { pipelines: { traces: { exporters: ["otlphttp/traces", exporter] } } },
    };
    const crd = { config, ...(env.length > 0 ? { env: [pkiPath, ...env] } : {}) };
    return adoption(stringify(forms[version]!({ defaultCRConfig: crd } as unknown as HelmValues)), { version });
}

const vendor = { endpoint: "https://otlp.example.net" };

describe("adopting collectors that write to several places", () => {
    it("makes a destination of a second exporter of one collector, and says what it also gets", () => {
        const kubeStack = {
            defaultCRConfig: { config: { exporters: { "otlphttp/loki": { endpoint: "http://loki:3100/otlp" } } } },
            collectors: {
                daemon: {
                    config: {
                        service: { pipelines: { "logs/default": { exporters: ["otlphttp/logs", "otlphttp/loki"] } } },
                    },
                },
            },
        };
        const { settings, changes, lost } = adoption(stringify(forms["1.10.0"]!(kubeStack)), { version: "1.10.0" });
        assert.deepEqual(settings, {
            route: "management",
            version: "1.10.0",
            signals: { logs: ["management", "loki"] },
            destinations: { loki: { endpoint: "http://loki:3100/otlp" } },
            adopt: true,
        });
        assert.equal(changes[0], "Collectors also send logs of cluster-stats to http://loki:3100/otlp/v1/logs.");
        assert.deepEqual(lost, []);
    });

    const kinds: Readonly<Record<string, [string, object, object, object[], object]>> = {
        "headers from a Secret that has their names": [
            "otlphttp/x",
            { ...vendor, headers: { "X-Api-Key": "${env:KEY}", "X-Scope-OrgID": "kof" } },
            {},
            [secretEnv("KEY", "vendor", "x-api-key")],
            {
                ...vendor,
                headers: { "X-Scope-OrgID": "kof" },
                auth: { kind: "headers", secret: "vendor", headers: ["x-api-key"] },
            },
        ],
        "a user and a password": [
            "otlphttp/x",
            { ...vendor, auth: { authenticator: "basicauth/x" } },
            { extensions: { "basicauth/x": { client_auth: { username: "${env:U}", password: "${env:P}" } } } },
            [secretEnv("U", "login", "username"), secretEnv("P", "login", "password")],
            { ...vendor, auth: { kind: "basic", secret: "login" } },
        ],
        "a token": [
            "otlp/x",
            { endpoint: "gw.example.net:4317", auth: { authenticator: "bearertokenauth/x" } },
            { extensions: { "bearertokenauth/x": { token: "${env:T}" } } },
            [secretEnv("T", "vendor", "token")],
            { protocol: "grpc", endpoint: "https://gw.example.net:4317", auth: { kind: "bearer", secret: "vendor" } },
        ],
        OAuth2: [
            "otlphttp/x",
            { ...vendor, auth: { authenticator: "oauth2client" }, proxy_url: "http://proxy:3128", compression: "zstd" },
            {
                extensions: {
                    oauth2client: {
                        client_id: "${env:I}",
                        client_secret: "${env:S}",
                        token_url: "https://login/token",
                    },
                },
            },
            [secretEnv("I", "o", "client_id"), secretEnv("S", "o", "client_secret")],
            {
                ...vendor,
                compression: "zstd",
                proxy: "http://proxy:3128",
                auth: { kind: "oauth2", secret: "o", tokenUrl: "https://login/token" },
            },
        ],
        "a client certificate": [
            "otlp/x",
            {
                endpoint: "gw.example.net:443",
                tls: { ca_pem: "${env:CA}", cert_pem: "${env:C}", key_pem: "${env:K}", server_name_override: "gw" },
            },
            {},
            [secretEnv("CA", "ca", "ca.crt"), secretEnv("C", "c", "tls.crt"), secretEnv("K", "c", "tls.key")],
            {
                protocol: "grpc",
                endpoint: "https://gw.example.net",
                auth: { kind: "clientCertificate", secret: "c" },
                tls: { caSecret: "ca", serverName: "gw" },
            },
        ],
        "an address of one signal, and requests of a size": [
            "otlphttp/x",
            { traces_endpoint: "https://t.example.net/in", sending_queue: { batch: { max_size: 500 } } },
            {},
            [],
            { signals: { traces: { endpoint: "https://t.example.net/in" } }, batch: 500 },
        ],
        "the address of a vendor": [
            "otlphttp/x",
            { endpoint: "https://api.honeycomb.io", headers: { "x-honeycomb-team": "${env:H}" } },
            {},
            [secretEnv("H", "hc", "x-honeycomb-team")],
            { preset: "honeycomb", auth: { kind: "headers", secret: "hc" } },
        ],
    };
    for (const [name, [exporter, options, more, env, wanted]] of Object.entries(kinds)) {
        for (const version of Object.keys(forms)) {
            it(`finds ${name}, on KOF ${version}`, () => {
                const adopted = withTraces(exporter, options, more, env, version);
                assert.deepEqual(adopted.settings.destinations, { x: wanted });
                assert.deepEqual(adopted.settings.signals, { traces: ["management", "x"] });
                assert.equal(adopted.settings.values, undefined);
                assert.deepEqual([...adopted.lost, ...adopted.secrets], []);
            });
        }
    }

    it("finds remote write that requests are signed for", () => {
        const config = {
            extensions: { sigv4auth: { region: "us-east-2", service: "aps" } },
            exporters: {
                "prometheusremotewrite/amp": {
                    endpoint: "https://aps-workspaces.us-east-2.amazonaws.com/workspaces/ws-1/api/v1/remote_write",
                    auth: { authenticator: "sigv4auth" },
                },
            },
            service: { pipelines: { metrics: { exporters: ["prometheusremotewrite", "prometheusremotewrite/amp"] } } },
        };
        const { settings } = adoption(stringify(forms["1.9.0"]!({ defaultCRConfig: { config } })), {
            version: "1.9.0",
        });
        assert.deepEqual(settings.destinations, {
            amp: {
                preset: "amazon-managed-prometheus",
                endpoint: config.exporters["prometheusremotewrite/amp"].endpoint,
                auth: { kind: "sigv4", region: "us-east-2" },
            },
        });
    });

    it("keeps an identity that no setting says", () => {
        const scopes = ["https://monitor.azure.com/.default"];
        const signed = { region: "us-east-2", service: "xray" };
        const arn = "arn:aws:iam::123456789012:role/kof";
        const others: readonly (readonly [string, HelmValues])[] = [
            ["azureauth", { use_default: true, scopes: ["https://otlp.example.net/.default"] }],
            ["azureauth", { use_default: true }],
            ["azureauth", { managed_identity: { client_id: "a" }, scopes }],
            ["googleclientauth", { quota_project: "kof" }],
            ["sigv4auth", { ...signed, assume_role: { arn, web_identity_token_file: "/token" } }],
        ];
        const daemon = deploymentFor({ route: "management", version: "1.9.0" }).collectors.find(
            ({ key }) => key === "daemon",
        );
        const own = valueAt(daemon?.config, ["service", "extensions"]) as string[];
        const adopted = (type: string, options: HelmValues) => {
            const config = {
                extensions: { [type]: options },
                exporters: { "otlphttp/x": { ...vendor, auth: { authenticator: type } } },
                service: {
                    extensions: [type],
                    pipelines: { traces: { exporters: ["otlphttp/traces", "otlphttp/x"] } },
                },
            };
            const collectors = { daemon: { config: { service: { extensions: [...own, type] } } } };
            const values = forms["1.9.0"]!({ defaultCRConfig: { config }, collectors });
            const { settings, lost } = adoption(stringify(values), { version: "1.9.0" });
            assert.deepEqual(lost, []);
            return settings;
        };
        for (const [type, options] of others) {
            const settings = adopted(type, options);
            assert.deepEqual(settings.destinations, { x: vendor });
            for (const { config } of deploymentFor(settings).collectors) {
                assert.deepEqual(valueAt(config, ["extensions", type]), options);
                assert.deepEqual(valueAt(config, ["exporters", "otlphttp/x", "auth"]), { authenticator: type });
            }
        }
        const azure = adopted("azureauth", { use_default: true, scopes });
        assert.deepEqual(azure.destinations, { x: { ...vendor, auth: { kind: "azure" } } });
    });

    it("says which Secret has to be made where none has the keys", () => {
        const env = [secretEnv("T", "vendor", "api.token")];
        const { settings, notes } = withTraces(
            "otlphttp/x",
            { ...vendor, headers: { Authorization: "Bearer ${env:T}" } },
            {},
            env,
        );
        assert.deepEqual(settings.destinations, { x: { ...vendor, auth: { kind: "bearer", secret: "x-token" } } });
        assert.match(
            notes.join("\n"),
            /generic x-token -n kof --from-literal=token="\$\(kubectl get secret vendor -n kof -o jsonpath='\{\.data\.api\\\.token\}' \| base64 -d\)"/,
        );
    });

    it("copies no secret, and names it first", () => {
        const extensions = { "basicauth/x": { client_auth: { username: "kof", password: "hunter2" } } };
        const adopted = withTraces("otlphttp/x", { ...vendor, auth: { authenticator: "basicauth/x" } }, { extensions });
        assert.doesNotMatch(JSON.stringify(adopted), /hunter/);
        assert.deepEqual(adopted.settings.destinations, {
            x: { ...vendor, auth: { kind: "basic", secret: "x-login" } },
        });
        assert.match(adopted.secrets[0]!, /client_auth\.password holds a secret.* key password of Secret x-login\.$/);
        assert.match(
            adopted.secrets[1]!,
            /generic x-login -n kof --from-literal=username="kof" --from-literal=password="…"/,
        );
    });

    const branch = (processor: HelmValues) => ({
        processors: { "filter/x": processor },
        connectors: { "forward/x": {} },
        exporters: { "otlphttp/x": vendor },
        service: {
            pipelines: {
                logs: { exporters: ["otlphttp/logs", "debug", "forward/x"] },
                "logs/x": { receivers: ["forward/x"], processors: ["filter/x"], exporters: ["otlphttp/x"] },
            },
        },
    });
    const ofBranch = (condition: string) => {
        const config = branch({ logs: { log_record: [condition] } });
        return adoption(stringify(forms["1.9.0"]!({ defaultCRConfig: { config } })), { version: "1.9.0" });
    };

    it("finds what is dropped on the way to a destination", () => {
        const { settings } = ofBranch(
            "severity_number != SEVERITY_NUMBER_UNSPECIFIED and severity_number < SEVERITY_NUMBER_WARN",
        );
        assert.deepEqual(settings.destinations, { x: { ...vendor, processing: { minimumSeverity: "warn" } } });
        assert.equal(settings.values, undefined);
    });

    it("leaves in the values what no setting says exactly", () => {
        const { settings, notes } = ofBranch("severity_number < SEVERITY_NUMBER_WARN");
        assert.deepEqual(settings.destinations, { x: vendor });
        const daemon = deploymentFor(settings).collectors.find(({ key }) => key === "daemon");
        assert.deepEqual(valueAt(daemon?.config, ["service", "pipelines", "logs/x", "processors"]), ["filter/x"]);
        assert.match(notes.join("\n"), /on its way to x stays in kof:values/);
    });

    it("finds CloudWatch beside KOF's own stores", () => {
        const config = {
            exporters: {
                "awscloudwatchlogs/aws": { region: "us-east-2", log_group_name: "kof", log_stream_name: "logs" },
            },
            service: { pipelines: { logs: { exporters: ["otlphttp/logs", "debug", "awscloudwatchlogs/aws"] } } },
        };
        const env = [
            pkiPath,
            ...["ACCESS_KEY_ID", "SECRET_ACCESS_KEY"].map((each) => secretEnv(`AWS_${each}`, "aws", `AWS_${each}`)),
        ];
        const text = stringify(forms["1.9.0"]!({ defaultCRConfig: { config, env } }));
        const { settings } = adoption(text, { version: "1.9.0" });
        assert.deepEqual(settings.signals, { logs: ["management", "cloudwatch"], audit: ["management", "cloudwatch"] });
        const { region, logGroup, credentials } = settings.cloudwatch as Record<string, unknown>;
        assert.deepEqual(
            [region, logGroup, credentials],
            ["us-east-2", "kof", { kind: "existingSecret", name: "aws" }],
        );
        assert.equal(settings.values, undefined);
    });

    it("finds a region beside KOF's own stores", () => {
        for (const version of ["1.9.0", "1.10.0"]) {
            const stack = deploymentFor({
                route: "management",
                version,
                regional: { cluster: "eu-1", domain: "eu-1.example.net" },
                signals: { metrics: ["management", "regional"], traces: ["regional"] },
            });
            const region = { cluster: "eu-1" };
            const { settings } = adoption(stringify(stack.values), { version, region });
            assert.deepEqual(settings.regional, { cluster: "eu-1", domain: "eu-1.example.net" });
            assert.deepEqual(deploymentFor(settings).values, stack.values);
        }
    });

    it("keeps an exporter of another kind beside those that settings have, and says so", () => {
        const config = {
            exporters: { "otlphttp/x": vendor, kafka: { brokers: ["kafka:9092"] } },
            service: { pipelines: { traces: { exporters: ["otlphttp/traces", "otlphttp/x", "kafka"] } } },
        };
        const values = forms["1.9.0"]!({ defaultCRConfig: { config } });
        const { settings, notes } = adoption(stringify(values), { version: "1.9.0" });
        assert.deepEqual(settings.signals, { traces: ["management", "x"] });
        const daemon = deploymentFor(settings).collectors.find(({ key }) => key === "daemon");
        assert.deepEqual(valueAt(daemon?.config, ["service", "pipelines", "traces", "exporters"]), [
            ...["otlphttp/traces", "forward/x", "kafka"],
        ]);
        assert.match(notes.join("\n"), /Exporter kafka stays in kof:values/);
    });

    it("takes a pipeline beside another one for a branch of it", () => {
        const own = deploymentFor({ route: "management", version: "1.9.0" }).collectors.find(
            ({ key }) => key === "daemon",
        );
        const { receivers, processors } = valueAt(own?.config, ["service", "pipelines", "traces"]) as HelmValues;
        const beside = {
            receivers,
            processors: [...(processors as string[]), "probabilistic_sampler"],
            exporters: ["otlphttp/x"],
        };
        const kubeStack = mergeValues(
            nest(["defaultCRConfig", "config", "exporters"], { "otlphttp/x": vendor }),
            nest(["collectors", "daemon", "config"], {
                processors: { probabilistic_sampler: { sampling_percentage: 5 } },
                service: { pipelines: { "traces/x": beside as HelmValues } },
            }),
        );
        const { settings } = adoption(stringify(forms["1.9.0"]!(kubeStack)), { version: "1.9.0" });
        assert.deepEqual(settings.signals, { traces: ["management", "x"] });
        assert.deepEqual(settings.destinations, { x: { ...vendor, processing: { sampleTraces: 5 } } });
        assert.equal(settings.values, undefined);
    });

    const awsEnv = ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY"].map((each) => secretEnv(`AWS_${each}`, "aws", `AWS_${each}`));

    /** Adopts values of one form, for a version, in which a signal goes to one more exporter. */
    function beside(signal: string, exporters: Record<string, object>, version: string, form = version, env = awsEnv) {
        const own = { metrics: "prometheusremotewrite", traces: "otlphttp/traces" }[signal];
        const config = {
            exporters,
            service: { pipelines: { [signal]: { exporters: [own, ...Object.keys(exporters).slice(0, 1)] } } },
        };
        const crd = { config, env: [pkiPath, ...env] } as unknown as HelmValues;
        return adoption(stringify(forms[form]!({ defaultCRConfig: crd })), { version });
    }

    it("finds metrics and traces that go to AWS where no logs do", () => {
        for (const version of Object.keys(forms)) {
            const xray = beside(
                "traces",
                { "awsxray/eu": { region: "eu-west-1", index_all_attributes: true } },
                version,
            );
            assert.deepEqual(xray.settings.cloudwatch, {
                region: "eu-west-1",
                signals: { traces: "xray" },
                credentials: { kind: "existingSecret", name: "aws" },
            });
            assert.match(JSON.stringify(xray.settings.values), /"awsxray":\{"index_all_attributes":true\}/);
            const emf = beside("metrics", { awsemf: { region: "eu-west-1", log_group_name: "a-metrics" } }, version);
            const { region, logGroup } = emf.settings.cloudwatch as Record<string, unknown>;
            assert.deepEqual([region, logGroup], ["eu-west-1", "a"]);
            const other = beside("metrics", { awsemf: { region: "eu-west-1", log_group_name: "mine" } }, version);
            assert.match(other.notes.join("\n"), /awsemf writes to log group mine, which kof:values names/);
        }
    });

    it("gives destinations names that settings take", () => {
        for (const exporter of ["otlphttp/cloudwatch-metrics", "otlphttp/regional", "otlphttp/queue"]) {
            const { settings } = beside("metrics", { [exporter]: { endpoint: "https://acme.net" } }, "1.9.0");
            assert.deepEqual(settings.signals, { metrics: ["management", "acme"] });
        }
        const one = { endpoint: "https://acme.net" };
        const config = {
            exporters: { "otlphttp/x-metrics": { ...one, compression: "none" }, "otlphttp/x": one },
            service: { pipelines: { metrics: { exporters: ["otlphttp/x-metrics", "otlphttp/x"] } } },
        };
        const values = forms["1.9.0"]!({ defaultCRConfig: { config } });
        const { settings } = adoption(stringify(values), { version: "1.9.0" });
        assert.deepEqual(settings.signals, { metrics: ["x-metrics", "x-2"] });
    });

    it("says how requests are gathered from now on, where that is otherwise", () => {
        const queue = (batch: object) => ({ ...vendor, sending_queue: { batch } });
        const { settings, changes } = withTraces("otlphttp/x", queue({ max_size: 500, flush_timeout: "200ms" }));
        assert.deepEqual(settings.destinations, { x: { ...vendor, batch: 500 } });
        assert.match(
            changes.join("\n"),
            /gathers requests by \{"max_size":500,"flush_timeout":"200ms"\}\. It becomes .*"1s"/,
        );
        // No setting has a limit in bytes.
        const bytes = withTraces("otlphttp/x", queue({ sizer: "bytes", max_size: 12345 }));
        assert.match(
            JSON.stringify(bytes.settings.values),
            /"sending_queue":\{"batch":\{"sizer":"bytes","max_size":12345\}\}/,
        );
    });

    it("keeps options that no setting says, whichever version's values these are", () => {
        const options = { ...vendor, timeout: "20s", read_buffer_size: 4096, tls: { min_version: "1.3" } };
        for (const [form, version] of [
            ["1.9.0", "1.10.0"],
            ["1.10.0", "1.9.0"],
        ] as const) {
            const { settings, lost } = beside("traces", { "otlphttp/x": options }, version, form, []);
            const daemon = deploymentFor(settings).collectors.find(({ key }) => key === "daemon");
            const {
                timeout,
                read_buffer_size: size,
                tls,
            } = valueAt(daemon?.config, ["exporters", "otlphttp/x"]) as HelmValues;
            assert.deepEqual([timeout, size, tls], ["20s", 4096, { min_version: "1.3" }]);
            assert.deepEqual(lost, []);
        }
    });

    it("takes values with KOF's stores for those of the version that reads them, also where CloudWatch is written to", () => {
        const aws = { region: "us-east-2", log_group_name: "kof", log_stream_name: "logs" };
        const exporters = { awsxray: { region: "us-east-2" }, awscloudwatchlogs: aws };
        const { settings, corrections } = beside("traces", exporters, "1.10.0", "1.9.0");
        assert.equal(settings.route, "management");
        assert.deepEqual(settings.signals, { traces: ["management", "cloudwatch"] });
        assert.match(corrections.join("\n"), /These are values for KOF 1\.9\.0/);
        assert.doesNotMatch(corrections.join("\n"), /global\.components/);
    });
});
