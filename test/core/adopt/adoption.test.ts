import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";

import { stringify } from "yaml";

import { adoption, adoptionOf } from "../../../core/adopt";
import type { AdoptionOptions } from "../../../core/adopt/options";
import { catalogOf, chartValues } from "../../../core/charts";
import { defaultAt } from "../../../core/charts/defaults";
import { isRead, movedPath } from "../../../core/charts/paths";
import { UserError } from "../../../core/lib/errors";
import { leaves, mergeValues, nest, valueAt, type HelmValue, type HelmValues } from "../../../core/lib/values";
import { vmuserSecretName } from "../../../core/charts/vmuser";
import { cases, deploymentFor } from "../../support";

/** A block of KOF's page "Storing KOF data" as it stood for 1.8.0, with what the reader has to fill in. */
function page(name: string): string {
    return fs
        .readFileSync(path.join(__dirname, "page", `${name}.txt`), "utf8")
        .replaceAll("$REGIONAL_DOMAIN", "eu-1.obs.example.net")
        .replaceAll("$REGIONAL_CLUSTER_NAME", "eu-1")
        .replaceAll("<EXAMPLE_STORAGE_CLASS>", "fast");
}

const names = { clusterName: "mothership", clusterNamespace: "kcm-system" };

interface Expected {
    readonly block: string;
    readonly said?: AdoptionOptions;
    readonly settings: Readonly<Record<string, unknown>>;
    /** What each correction is about, in order. */
    readonly corrections: readonly RegExp[];
}

const heredoc = /^The lines "cat <<EOF" and "EOF" belong to a shell/;
const indentation = /^The indentation was lost, .*it is not YAML: .*, line \d+\)/;
const unnamed = /^\$VMUSER_CREDS_NAME was not filled in\. .* kof-vmuser-creds-admin-1108149986\.$/;
const pkiPath = /^defaultCRConfig\.env has no PKI_PATH/;

const expected: readonly Expected[] = [
    {
        block: "management-1",
        settings: { route: "management" },
        corrections: [
            /^kof-storage\.values\.enabled is a level too deep/,
            /without kof-collectors: nothing .* is collected/,
        ],
    },
    {
        block: "management-class",
        settings: {
            route: "management",
            values: {
                "kof-storage": {
                    values: {
                        "victoria-logs-cluster": { vlstorage: { persistentVolume: { storageClassName: "fast" } } },
                    },
                },
            },
        },
        corrections: [/without kof-collectors: nothing .* is collected/],
    },
    {
        block: "management-2",
        settings: { route: "management", ...names },
        corrections: [/^kof-collectors is enabled without kof-storage: logs and traces .* dropped/],
    },
    {
        block: "regional",
        said: { region: { cluster: "eu-1" } },
        settings: {
            route: "regional",
            ...names,
            istio: false,
            regional: { cluster: "eu-1", domain: "eu-1.obs.example.net" },
        },
        corrections: [heredoc, indentation, unnamed, pkiPath, /OTLP on 127\.0\.0\.1/],
    },
    {
        block: "istio",
        settings: { route: "regional", ...names, istio: true, regional: { cluster: "eu-1" } },
        corrections: [heredoc, indentation, unnamed, pkiPath],
    },
    {
        block: "third-party",
        settings: {
            route: "cloudwatch",
            ...names,
            cloudwatch: {
                region: "us-east-2",
                logGroup: "management",
                logStream: "logs",
                retentionDays: 3653,
                credentials: { kind: "existingSecret", name: "cloudwatch-credentials" },
            },
        },
        corrections: [
            heredoc,
            /^kcm, opentelemetry-kube-stack at the top are values of the chart kof-collectors/,
            /^prometheusremotewrite, otlphttp\/logs, otlphttp\/traces: null stops all collectors/,
            pkiPath,
            /^Logs go to debug/,
            /^Metrics and traces go to debug/,
        ],
    },
];

describe("adopting a values file", () => {
    it("reads it as Helm does, whose YAML is 1.1", () => {
        const text = [
            "kof-storage: {enabled: yes}",
            "kof-collectors: {enabled: on}",
            "kof-mothership: {values: {commonLabels: {team: 'no', build: \"1_000\"}, promxy: {replicaCount: 0_2}}}",
        ].join("\n");
        const { settings } = adoption(text, { version: "1.9.0" });
        assert.equal(settings.route, "management");
        assert.deepEqual(valueAt(settings.values as HelmValues, ["kof-mothership", "values"]), {
            commonLabels: { team: "no", build: "1_000" },
            promxy: { replicaCount: 2 },
        });
    });

    it("refuses what Helm refuses, and says where", () => {
        const storage = (below: string) => `kof-storage:\n  enabled: true\n  values: ${below}\n`;
        for (const [text, message] of [
            [storage("{~: c}"), /a key in line 3 is no text\.$/],
            [storage("{[a]: c}"), /a key in line 3 is no text\.$/],
            [storage("{{ .Values.storage }}"), /a key in line 3 is no text, as where \{\{ \}\} of a template is not/],
            [storage("&a {b: *a}"), /the alias \*a is within what it stands for\.$/],
            [storage("!!int x"), /a value with the tag !!int is none, line 3\.$/],
            [`%YAML 1.2\n---\n${storage("{}")}`, /it says %YAML 1\.2, and Helm takes 1\.1 only\.$/],
        ] as const) {
            assert.throws(() => adoption(text, { version: "1.9.0" }), { name: "UserError", message }, text);
        }
        const { settings } = adoption(`%YAML 1.1\n---\n${storage("{}")}`, { version: "1.9.0" });
        assert.equal(settings.route, "management");
    });
});

describe("adopting what KOF's page prints", () => {
    for (const { block, said, settings, corrections } of expected) {
        it(`${block}: finds the settings, and everything that is wrong`, () => {
            const adopted = adoption(page(block), { version: "1.9.0", ...said });
            assert.deepEqual(adopted.settings, { ...settings, version: "1.9.0", adopt: true });
            assert.equal(adopted.corrections.length, corrections.length, adopted.corrections.join("\n"));
            corrections.forEach((correction, i) => {
                assert.match(adopted.corrections[i]!, correction);
            });
            assert.deepEqual(adopted.lost, []);
        });
    }

    for (const block of ["regional-kind", "istio-kind"]) {
        it(`${block}: says that it is a part, and where that shows`, () => {
            assert.throws(() => adoption(page(block), { version: "1.9.0" }), {
                name: "UserError",
                message: /"\.\.\." in line 1 stands for lines that were left out/,
            });
        });
    }

    it("asks for the version where several read the values, and takes the only one", () => {
        assert.throws(() => adoption(page("management-2")), /It fits 1\.8\.0, 1\.8\.1, 1\.9\.0\. .*--version/);
        assert.equal(
            adoption(
                "kof-storage: {enabled: true, values: {victoria-metrics-operator: {enabled: false}}}\ncluster-api-visualizer: {}",
                { version: "1.8.0" },
            ).settings.version,
            "1.8.0",
        );
        const storageURLs = "{values: {kcm: {kof: {operator: {storageURLs: {vmInsert: http://x}}}}}}";
        assert.equal(adoption(`kof-mothership: ${storageURLs}`).settings.version, "1.11.0-rc0");
        // KOF's main branch has it since the tag of 1.11.0-rc0; no released chart does.
        const autoUpgrade = "autoUpgrade: true\nflux: {timeout: 20m}";
        assert.throws(() => adoption(autoUpgrade), /Parts of it are read by no version/);
    });

    it("asks for all that is missing at once, and says what else is wrong", () => {
        const text = fs.readFileSync(path.join(__dirname, "page", "regional.txt"), "utf8");
        assert.throws(
            () => adoption(text, { version: "1.9.0" }),
            (error: Error) => {
                assert.match(error.message, /^kof-values\.yaml cannot be adopted yet\. Nothing was written\./);
                assert.match(error.message, /- \$REGIONAL_DOMAIN stands for a value of yours/);
                assert.match(
                    error.message,
                    /--region NAME[^]*kubectl get clusterdeployments -A -l k0rdent\.mirantis\.com\/kof-cluster-role=regional/,
                );
                assert.match(error.message, /What else was wrong with it[^]*The indentation was lost/);
                return true;
            },
        );
    });

    it("does on KOF 1.10 what values for 1.9 ask for, and says that nothing of them takes effect there", () => {
        const { settings, corrections } = adoption(
            `${page("management-1").replace(/values:\n +/, "")}${page("management-2")}`,
            {
                version: "1.10.0",
            },
        );
        assert.deepEqual(settings, { route: "management", version: "1.10.0", ...names, adopt: true });
        assert.match(
            corrections[0]!,
            /^These are values for KOF 1\.9\.0\. KOF 1\.10\.0 ignores kof-storage and kof-collectors/,
        );
    });
});

describe("adopting", () => {
    const regional = (secret: string, domain: string) =>
        stringify(
            deploymentFor({ route: "regional", version: "1.9.0", regional: { cluster: "eu-1", domain } }).values,
        ).replaceAll(vmuserSecretName("eu-1", "kcm-system"), secret);

    it("finds a region by the checksum in its Secret's name, among what its domain suggests", () => {
        for (const [cluster, namespace, domain] of [
            ["eu-1", "kcm-system", "eu-1.obs.example.net"],
            ["aws-us-east-2", "default", "aws.us.east.2.example.net"],
        ] as const) {
            const { settings } = adoption(regional(vmuserSecretName(cluster, namespace), domain), { version: "1.9.0" });
            assert.deepEqual(settings.regional, {
                cluster,
                domain,
                ...(namespace === "default" ? { namespace } : {}),
            });
        }
    });

    it("takes no region whose checksum is another", () => {
        const text = regional(vmuserSecretName("paris", "kcm-system"), "eu-1.obs.example.net");
        assert.throws(() => adoption(text, { version: "1.9.0" }), /Secret kof-vmuser-creds-admin-\d+ has a checksum/);
        assert.throws(
            () => adoption(text, { version: "1.9.0", region: { cluster: "lyon" } }),
            /kof-vmuser-creds-admin-\d+ would be that of kcm-system\/lyon/,
        );
        const { settings } = adoption(text, { version: "1.9.0", region: { cluster: "paris" } });
        assert.equal(valueAt(settings as never, ["regional", "cluster"]), "paris");
    });

    const values = (text: string, version = "1.9.0") => adoption(text, { version });

    it("takes the values of a Helm release for what they are, whatever they look like", () => {
        for (const given of [{}, { unread: 1 }, { grafana: { enabled: true } }]) {
            const original = { values: given, isUmbrella: true, corrections: [] };
            const { settings, corrections } = adoptionOf(original, { version: "1.10.0" }, "the Helm release kof");
            assert.deepEqual(settings, { route: "none", version: "1.10.0", adopt: true });
            assert.equal(corrections.length, Object.keys(given).length);
        }
    });

    it("lists what nothing reads, and leaves it out", () => {
        const { settings, corrections } = values(
            "kof-mothership: {values: {promxy: {replicaCout: 1, replicaCount: 2}}}",
        );
        assert.deepEqual(settings.values, { "kof-mothership": { values: { promxy: { replicaCount: 2 } } } });
        assert.match(
            corrections[0]!,
            /^kof-mothership\.values\.promxy\.replicaCout is not read .* left out\. .*replicaCount\.$/,
        );
    });

    it("copies no secret and does not print it either", () => {
        const text = `kof-mothership: {values: {grafana: {security: {admin_password: hunter2}}, promxy: {env: [
            {name: AWS_SECRET_ACCESS_KEY, value: hunter3}, {name: A, value: b}], podAnnotations: {x: AKIAABCDEFGHIJKLMNOP}}}}`;
        const adopted = values(text);
        assert.doesNotMatch(JSON.stringify(adopted), /hunter|AKIA/);
        assert.deepEqual(adopted.secrets, [
            'kof-mothership.values.grafana.security.admin_password holds a secret, which is not copied ("…" here). Helm values are readable in the HelmRelease: put it into a Secret, and refer to that by name.',
            'kof-mothership.values.promxy.env.0.AWS_SECRET_ACCESS_KEY holds a secret, which is not copied ("…" here). The stack file takes it from key AWS_SECRET_ACCESS_KEY of Secret cloudwatch-credentials.',
            'kof-mothership.values.promxy.podAnnotations.x holds a secret, which is not copied ("…" here). Helm values are readable in the HelmRelease: put it into a Secret, and refer to that by name.',
            "Make Secret cloudwatch-credentials before the first pulumi up, with new values if others could read these:\n" +
                "      kubectl create secret generic cloudwatch-credentials -n kof --from-literal=AWS_SECRET_ACCESS_KEY=…",
        ]);
        assert.deepEqual(adopted.lost, []);
        const secretKeyRef = { name: "cloudwatch-credentials", key: "AWS_SECRET_ACCESS_KEY" };
        assert.deepEqual(valueAt(adopted.settings as never, ["values", "kof-mothership", "values", "promxy", "env"]), [
            { name: "AWS_SECRET_ACCESS_KEY", valueFrom: { secretKeyRef } },
            { name: "A", value: "b" },
        ]);
    });

    it("copies no password in an address and does not print it either", () => {
        const exporters = "exporters: {otlphttp/x: {endpoint: 'https://u:hunter2@otlp.example.net/'}}";
        const pipelines = ["logs", "metrics", "traces"].map((each) => `${each}: {exporters: [otlphttp/x]}`).join(", ");
        const config = `defaultCRConfig: {config: {${exporters}, service: {pipelines: {${pipelines}}}}}`;
        const collectors = `kof-collectors: {enabled: true, values: {opentelemetry-kube-stack: {${config}}}}`;
        const adopted = values(collectors);
        assert.doesNotMatch(JSON.stringify(adopted), /hunter/);
        assert.equal(valueAt(adopted.settings as never, ["otlp", "endpoint"]), "https://otlp.example.net");
        assert.match(adopted.secrets.join("\n"), /endpoint holds a secret, which is not copied/);
        const further = values(collectors.replace("traces: {exporters: [otlphttp/x]}", "traces: {exporters: [debug]}"));
        assert.doesNotMatch(JSON.stringify(further), /hunter/);
        assert.deepEqual(further.settings.destinations, {
            x: { endpoint: "https://otlp.example.net", auth: { kind: "basic", secret: "x-login" } },
        });
        assert.match(
            further.secrets.join("\n"),
            /create secret generic x-login -n kof --from-literal=username="…" --from-literal=password="…"/,
        );
        assert.throws(
            () => values("a: https://u:hunter2@otlp.example.net\n  b: c"),
            ({ message }: Error) => message.includes("is not YAML") && !message.includes("hunter"),
        );
    });

    it("says what a setting decides otherwise", () => {
        const { settings, lost } = adoption(
            `${regional(vmuserSecretName("eu-1", "kcm-system"), "eu-1.example.net")}\nkof-storage: {enabled: true}`,
            { version: "1.9.0" },
        );
        assert.equal(settings.values, undefined);
        assert.deepEqual(lost, [
            "kof-storage.enabled is true, but kof:route decides it, and does without: pulumi up uninstalls it.",
        ]);
    });

    it("lists what an upsert leaves in the HelmReleases", () => {
        const { leftovers: left } = adoption(page("third-party").replace("kcm:", "unread: {a: 1}\n    kcm:"), {
            version: "1.9.0",
        });
        const exporters = { "otlphttp/logs": null, "otlphttp/traces": null };
        assert.deepEqual(left, {
            "kof-collectors": { "opentelemetry-kube-stack": { defaultCRConfig: { config: { exporters } } } },
        });
        const { values } = deploymentFor({ route: "management", version: "1.9.0" });
        assert.deepEqual(adoption(stringify(values), { version: "1.9.0" }).leftovers, {});
    });

    it("says what becomes of a null", () => {
        const { settings, lost } = values("kof-mothership: {values: {promxy: {replicaCount: null}}}");
        assert.equal(settings.values, undefined);
        assert.match(lost[0]!, /^kof-mothership\.values\.promxy\.replicaCount is null\. .*the charts' \d+ applies\.$/);
    });

    it("reads what a shell, Markdown and an editor leave in a file, and names the lines of the original", () => {
        const plain = "kof-mothership:\n  values:\n    promxy:\n      replicaCount: 1\n";
        const wanted = values(plain).settings;
        for (const [text, corrections] of [
            [`\uFEFF${plain.replaceAll("\n", "\r\n")}`, 0],
            [`\`\`\`yaml\n${plain}\`\`\`\n`, 1],
            [`cat > kof-values.yaml <<'END'\n${plain}END\nhelm upgrade -i kof`, 1],
            [`flux: {timeout: 1m}\n${plain}flux: {timeout: 20m}\n`, 1],
            [`${plain}---\na: b\n`, 1],
        ] as const) {
            const adopted = values(text);
            assert.equal(adopted.corrections.length, corrections, adopted.corrections.join());
            const { flux: _, ...rest } = (adopted.settings.values ?? {}) as Record<string, unknown>;
            assert.deepEqual({ ...adopted.settings, values: rest }, wanted);
        }
        assert.throws(() => values("```yaml\na: b: c\n```"), /is not YAML, and Helm would refuse it: .*, line 2\.$/);
        assert.throws(() => values("- a"), /it is not a map/);
    });

    it("keeps the order and the extras of a list that it corrects", () => {
        const { values: all } = deploymentFor({
            route: "cloudwatch",
            version: "1.9.0",
            cloudwatch: { region: "us-east-2" },
        });
        const path = ["kof-collectors", "values", "opentelemetry-kube-stack", "defaultCRConfig", "env"];
        const env = valueAt(all, path) as unknown[];
        const changed = structuredClone(all) as any;
        changed["kof-collectors"].values["opentelemetry-kube-stack"].defaultCRConfig.env = [
            ...env.slice(1),
            { name: "EXTRA", value: "one" },
        ];
        const { settings, corrections } = values(stringify(changed));
        assert.match(corrections[0]!, pkiPath);
        assert.deepEqual(valueAt(settings.values as never, path), [...env, { name: "EXTRA", value: "one" }]);
    });

    it("refuses values with which a collector stops, and says what else was wrong", () => {
        const text = `kof-storage: {enabled: true}\nkof-collectors: {enabled: true, values: {opentelemetry-kube-stack: {
            collectors: {daemon: {config: {receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:4317"}}}},
            service: {pipelines: {traces: {exporters: [otlp/elsewhere]}}}}}}}}}`;
        assert.throws(
            () => values(text),
            /stop at their start[^]*kof-collectors-daemon: .*otlp\/elsewhere[^]*The daemon takes OTLP on 127\.0\.0\.1 only/,
        );
    });

    it("takes the address that somebody gave an exporter of the charts for a destination", () => {
        const text = `kof-collectors: {enabled: true, values: {opentelemetry-kube-stack: {defaultCRConfig: {config: {
            exporters: {otlphttp/logs: {logs_endpoint: "https://logs.example.com"}}}}}}}`;
        const { settings } = values(text);
        assert.equal(settings.values, undefined);
        assert.deepEqual(settings.signals, { logs: ["example"], audit: ["example"] });
        assert.deepEqual(settings.destinations, {
            example: { signals: { logs: { endpoint: "https://logs.example.com" } } },
        });
    });

    it("copies no credential, and says which Secret to make instead", () => {
        const hash = "$2a$10$2b2cU8CPhOTaGrs1HRQuAueS7JTT5ZHsHSzYiFPm1leZck7Mc8T4W";
        const text = `kof-collectors: {enabled: true, values: {opentelemetry-kube-stack: {defaultCRConfig: {config: {
            exporters: {otlphttp: {endpoint: "https://me:it'sMine@otlp.example.net", headers: {
                X-Scope-OrgID: mine, x-authed: open-sesame, x-vendor: 0123456789abcdef0123456789abcdef}}},
            service: {pipelines: {logs: {exporters: [otlphttp]}, metrics: {exporters: [otlphttp]}, traces: {exporters: [otlphttp]}}}}}}}}
kof-mothership: {values: {dex: {config: {staticPasswords: [{email: me@example.net, hash: "${hash}"}]}}}}
kof-storage: {enabled: false}`;
        const { settings, secrets, leftovers } = values(text, "1.9.0");
        const written = JSON.stringify([settings, secrets, leftovers]);
        assert.doesNotMatch(written, /Mine|open-sesame|0123456789abcdef|2b2cU8/);
        assert.match(written, /X-Scope-OrgID":"mine"/);
        const said = secrets.join("\n");
        for (const place of ["endpoint", "headers.x-authed", "headers.x-vendor", "staticPasswords.0.hash"]) {
            assert.ok(said.replaceAll('"', "").includes(`${place} holds a secret, which is not copied`), place);
        }
        assert.match(
            said,
            /create secret generic otlp-headers -n kof --from-literal=x-authed=… --from-literal=x-vendor=…/,
        );
    });

    it("never shortens what CloudWatch keeps", () => {
        for (const [given, days] of [
            ["", 3653],
            ["\n                log_retention: 90", 90],
            ["\n                log_retention: 91", 3653],
        ] as const) {
            const text = page("third-party").replace(
                /\n +log_group_name: management/,
                `$&${given.replace(/^\n +/, "\n              ")}`,
            );
            const { settings } = values(text);
            assert.equal(valueAt(settings as never, ["cloudwatch", "retentionDays"]), days);
        }
    });

    it("takes sizes and one class for all volumes of regions as settings", () => {
        for (const { version, raw } of cases.filter(({ name }) => name === "management" || name === "none")) {
            const regions = {
                storage: {
                    metrics: { size: "300Gi", retention: "60d", replicas: 4, replicationFactor: 3 },
                    logs: { size: "7Gi", retention: "3d", replicas: 3 },
                },
                storageClass: "fast",
            };
            const stack = deploymentFor({ ...raw, regions });
            const { settings, lost } = values(stringify(stack.values), version);
            assert.deepEqual(settings.regions, regions);
            assert.deepEqual(deploymentFor(settings).values, stack.values);
            assert.deepEqual(lost, []);
        }
        const path = "kof-regional: {values: {storage: {global: {storageClass: fast}}}}";
        assert.deepEqual(values(path, "1.10.0").settings.regions, { storageClass: "fast" });
        // KOF 1.8.0 hands it to metrics alone.
        const before = values(path, "1.8.0").settings;
        assert.equal(before.regions, undefined);
        const kept = ["values", "kof-regional", "values", "storage", "global", "storageClass"];
        assert.equal(valueAt(before as never, kept), "fast");
        const apart = path.replace(
            "global",
            "victoria-logs-cluster: {vlstorage: {persistentVolume: {storageClassName: b}}}, global",
        );
        assert.equal(values(apart, "1.10.0").settings.regions, undefined);
    });

    it("carries or names everything of another version that was moved or is gone", () => {
        let carried = 0;
        for (const [from, to] of [
            ["1.8.0", "1.10.0"],
            ["1.9.0", "1.10.0"],
            ["1.8.0", "1.9.0"],
            ["1.10.0", "1.9.0"],
        ] as const) {
            const [written, installed] = [catalogOf(from), catalogOf(to)];
            const own = deploymentFor({ route: "management", version: from }).values;
            const gone = ["kof-mothership", "kof-storage", "kof-collectors", "kof-child"].flatMap((chart) =>
                [...leaves(chartValues(written, chart))]
                    .map(([path, value]): [string[], HelmValue] => [[chart, "values", ...path], value])
                    .filter(([path]) => !isRead(installed, path) && valueAt(own, path) === undefined),
            );
            const tried = gone.filter((_, i) => i % Math.ceil(gone.length / 5) === 0);
            assert.ok(tried.length > 2, `${from} -> ${to}`);
            for (const [path, value] of tried) {
                const given = typeof value === "boolean" ? !value : typeof value === "number" ? value + 1 : "other";
                const text = stringify(mergeValues(own, nest(path, given)));
                const what = `${from} -> ${to}: ${path.join(".")}`;
                try {
                    const { settings, corrections, lost } = values(text, to);
                    const place = movedPath(installed, path) ?? path;
                    const now = valueAt(deploymentFor(settings).values, place) ?? defaultAt(installed, place);
                    const told = [...corrections, ...lost].join("\n");
                    const isNamed = path.some((_, i) => i > 1 && told.includes(path.slice(0, i + 1).join(".")));
                    assert.ok(now === given || isNamed, what);
                    carried += now === given ? 1 : 0;
                } catch (error) {
                    assert.ok(error instanceof UserError, what);
                    assert.match(error.message, new RegExp(path.at(-1) ?? ""), what);
                }
            }
        }
        assert.ok(carried >= 4, String(carried));
    });

    it("takes sizes and one class for all volumes as settings, and any other class as it is", () => {
        for (const { version, raw } of cases.filter(({ name }) => name === "management")) {
            // The cache of metrics, which is a store of theirs too, has none of these.
            const storage = {
                metrics: { size: "300Gi", retention: "60d", replicas: 4, replicationFactor: 3 },
                logs: { size: "7Gi", retention: "3d", replicas: 3 },
            };
            const { settings } = values(stringify(deploymentFor({ ...raw, storage }).values), version);
            assert.deepEqual(settings.storage, storage);
            assert.deepEqual(settings.storageClass, { create: false, name: "kof" });
        }
    });
});
