import assert from "node:assert/strict";

import { parse } from "yaml";

import { catalogOf, chartValues, versions } from "../../../core/charts";
import { checkPaths, newNames } from "../../../core/charts/paths";
import { coalesceValues, formatPath, type HelmValues } from "../../../core/lib/values";

function check(version: string, yaml: string): string[] {
    return checkPaths(catalogOf(version), parse(yaml) as HelmValues).map(
        ({ path, message, nearest }) =>
            `${formatPath(path)} ${message}${nearest === undefined ? "" : ` -> ${nearest}`}`,
    );
}

const ignored = (version: string) => `is not read by the charts of KOF ${version}: Helm would ignore it`;

describe("paths of values", () => {
    for (const version of versions) {
        it(`${version} reads all of its own defaults`, () => {
            const catalog = catalogOf(version);
            const umbrella = coalesceValues(chartValues(catalog, "kof"));
            assert.deepEqual(checkPaths(catalog, umbrella), []);
            for (const { name } of catalog.components) {
                assert.deepEqual(
                    checkPaths(catalog, { [name]: { values: coalesceValues(chartValues(catalog, name)) } }),
                    [],
                );
            }
        });
    }

    const refused: readonly [string, string, string, string][] = [
        [
            "a key of no chart, below a component that global.components adds",
            "1.10.0",
            "{global: {components: [kof-collectors]}, kof-collectors: {values: {autoUpgrade: true}}}",
            `kof-collectors.values.autoUpgrade ${ignored("1.10.0")} -> kof-collectors.values`,
        ],
        [
            "a misspelt key below such a component",
            "1.10.0",
            "{global: {components: [kof-collectors]}, kof-collectors: {values: {opentelemetry-kube-stack: {colectors: {}}}}}",
            `kof-collectors.values.opentelemetry-kube-stack.colectors ${ignored("1.10.0")} -> kof-collectors.values.opentelemetry-kube-stack.collectors`,
        ],
        [
            "a misspelt switch of a component that global.components adds",
            "1.11.0-rc0",
            "{global: {components: [kof-collectors]}, kof-collectors: {enable: true}}",
            `kof-collectors.enable ${ignored("1.11.0-rc0")} -> kof-collectors.enabled`,
        ],
        [
            "the switch of KOF's page, a level too deep",
            "1.9.0",
            "kof-storage: {values: {enabled: true}}",
            `kof-storage.values.enabled ${ignored("1.9.0")} -> kof-storage.enabled`,
        ],
        [
            "a component that the umbrella no longer has",
            "1.10.0",
            "kof-storage: {values: {global: {}}}",
            `kof-storage ${ignored("1.10.0")} -> kof-child.values.fromManagement.storage`,
        ],
        [
            "collectors of an umbrella that has none",
            "1.11.0-rc0",
            "kof-collectors: {enabled: true}",
            `kof-collectors ${ignored("1.11.0-rc0")} -> kof-child.values.fromManagement.collectors`,
        ],
        [
            "the place that KOF's page names from 1.10 on",
            "1.10.0",
            "kof-child: {values: {storage: {global: {storageClass: x}}}}",
            `kof-child.values.storage ${ignored("1.10.0")} -> kof-child.values.fromManagement.storage`,
        ],
        [
            "a place of 1.10 in 1.9",
            "1.9.0",
            "kof-child: {values: {fromManagement: {storage: {}}}}",
            `kof-child.values.fromManagement ${ignored("1.9.0")} -> kof-storage.values`,
        ],
        [
            "a key misspelt at the top",
            "1.10.0",
            "regionles: {enabled: true}",
            `regionles ${ignored("1.10.0")} -> regionless`,
        ],
        [
            "a key misspelt in a chart of KOF",
            "1.9.0",
            "kof-mothership: {values: {global: {storageclass: x}}}",
            `kof-mothership.values.global.storageclass ${ignored("1.9.0")} -> kof-mothership.values.global.storageClass`,
        ],
        [
            "a key misspelt in a chart of others",
            "1.8.1",
            "kof-storage: {values: {victoria-logs-cluster: {vlstorage: {persistantVolume: {size: 1Gi}}}}}",
            `kof-storage.values.victoria-logs-cluster.vlstorage.persistantVolume ${ignored("1.8.1")} -> kof-storage.values.victoria-logs-cluster.vlstorage.persistentVolume`,
        ],
        [
            "a long key of which two letters are wrong",
            "1.9.0",
            "kof-mothership: {values: {victoriametrics: {vmcluster: {spec: {replicationFaktr: 2}}}}}",
            `kof-mothership.values.victoriametrics.vmcluster.spec.replicationFaktr ${ignored("1.9.0")} -> kof-mothership.values.victoriametrics.vmcluster.spec.replicationFactor`,
        ],
        [
            "a key a level too high in a chart of others",
            "1.9.0",
            "kof-storage: {values: {victoria-logs-cluster: {storageClassName: x}}}",
            `kof-storage.values.victoria-logs-cluster.storageClassName ${ignored("1.9.0")} -> kof-storage.values.victoria-logs-cluster.vlstorage.persistentVolume.storageClassName`,
        ],
        [
            "a key misspelt in a custom resource",
            "1.9.0",
            "kof-mothership: {values: {victoriametrics: {vmcluster: {spec: {retentionPeriods: 1d}}}}}",
            `kof-mothership.values.victoriametrics.vmcluster.spec.retentionPeriods ${ignored("1.9.0")} -> kof-mothership.values.victoriametrics.vmcluster.spec.retentionPeriod`,
        ],
        [
            "a collector's service outside of its config",
            "1.9.0",
            "kof-collectors: {values: {opentelemetry-kube-stack: {collectors: {daemon: {service: {}}}}}}",
            `kof-collectors.values.opentelemetry-kube-stack.collectors.daemon.service ${ignored("1.9.0")} -> kof-collectors.values.opentelemetry-kube-stack.collectors.daemon.config.service`,
        ],
        [
            "a kind of component that collectors do not have",
            "1.10.0",
            "kof-child: {values: {fromManagement: {collectors: {opentelemetry-kube-stack: {defaultCRConfig: {config: {exporter: {}}}}}}}}",
            `kof-child.values.fromManagement.collectors.opentelemetry-kube-stack.defaultCRConfig.config.exporter ${ignored("1.10.0")} -> kof-child.values.fromManagement.collectors.opentelemetry-kube-stack.defaultCRConfig.config.exporters`,
        ],
        [
            "a part that pipelines do not have",
            "1.9.0",
            "kof-collectors: {values: {opentelemetry-kube-stack: {defaultCRConfig: {config: {service: {pipelines: {logs/x: {reciever: []}}}}}}}}",
            `kof-collectors.values.opentelemetry-kube-stack.defaultCRConfig.config.service.pipelines.logs/x.reciever ${ignored("1.9.0")} -> kof-collectors.values.opentelemetry-kube-stack.defaultCRConfig.config.service.pipelines.logs/x.receivers`,
        ],
        [
            "a boolean in quotes",
            "1.9.0",
            "kof-storage: {enabled: 'false'}",
            'kof-storage.enabled is "false", which the charts do not take for true or false: write a boolean without quotes',
        ],
        [
            "a null",
            "1.9.0",
            "kof-collectors: {values: {opentelemetry-kube-stack: {defaultCRConfig: {config: {exporters: {otlphttp/logs: null}}}}}}",
            "kof-collectors.values.opentelemetry-kube-stack.defaultCRConfig.config.exporters.otlphttp/logs is null. Helm and Kubernetes disagree on what a null means: leave the key out",
        ],
        [
            "a scalar for a map",
            "1.9.0",
            "kof-mothership: {values: {victoriametrics: true}}",
            "kof-mothership.values.victoriametrics is true, but KOF 1.9.0 has a map here",
        ],
        [
            "a scalar for a list",
            "1.9.0",
            "kof-collectors: {values: {opentelemetry-kube-stack: {defaultCRConfig: {config: {service: {pipelines: {traces: {exporters: otlphttp/traces}}}}}}}}",
            'kof-collectors.values.opentelemetry-kube-stack.defaultCRConfig.config.service.pipelines.traces.exporters is "otlphttp/traces", but KOF 1.9.0 has a list here',
        ],
        [
            "a scalar for a map that the charts leave empty",
            "1.9.0",
            "kof-mothership: {values: {defaultRules: {additionalRuleGroupLabels: {configReloaders: x}}}}",
            'kof-mothership.values.defaultRules.additionalRuleGroupLabels.configReloaders is "x", but KOF 1.9.0 has a map here',
        ],
        [
            "a list for a map that the charts leave empty",
            "1.10.0",
            "kof-regional: {values: {storage: {victoriametrics: {vmcluster: {spec: {vmselect: {extraArgs: [a]}}}}}}}",
            "kof-regional.values.storage.victoriametrics.vmcluster.spec.vmselect.extraArgs is a list, but KOF 1.10.0 has a map here",
        ],
        [
            "a map for a scalar",
            "1.9.0",
            "kof-mothership: {values: {victoriametrics: {enabled: {x: 1}}}}",
            "kof-mothership.values.victoriametrics.enabled is a map, but KOF 1.9.0 has true here",
        ],
        [
            "a word for a number",
            "1.10.0",
            "kof-mothership: {values: {global: {random_password_length: long}}}",
            'kof-mothership.values.global.random_password_length is "long", but KOF 1.10.0 has 12 here',
        ],
        [
            "a boolean for a number",
            "1.10.0",
            "kof-mothership: {values: {promxy: {service: {servicePort: true}}}}",
            "kof-mothership.values.promxy.service.servicePort is true, but KOF 1.10.0 has 8082 here",
        ],
        [
            "a boolean for text",
            "1.10.0",
            "kof-mothership: {values: {cert-manager: {email: false}}}",
            'kof-mothership.values.cert-manager.email is false, but KOF 1.10.0 has "mail@example.net" here',
        ],
        [
            "a null in a list",
            "1.9.0",
            "kof-collectors: {values: {opentelemetry-kube-stack: {defaultCRConfig: {env: [{name: A, value: null}]}}}}",
            "kof-collectors.values.opentelemetry-kube-stack.defaultCRConfig.env has an entry that is null, or has one in it: leave it out",
        ],
    ];
    for (const [what, version, yaml, problem] of refused) {
        it(`refuses ${what}`, () => {
            assert.deepEqual(check(version, yaml), [problem]);
        });
    }

    const accepted: readonly [string, string, string][] = [
        [
            "exporters, extensions and pipelines of one's own",
            "1.9.0",
            "kof-collectors: {values: {opentelemetry-kube-stack: {collectors: {daemon: {config: {exporters: {loki: {endpoint: x}}, service: {pipelines: {logs/x: {exporters: [loki]}}}}}}}}}",
        ],
        [
            "a collector of one's own",
            "1.9.0",
            "kof-collectors: {values: {opentelemetry-kube-stack: {collectors: {gateway: {enabled: true, mode: deployment, config: {}}}}}}",
        ],
        [
            "keys of charts that are not in the catalog",
            "1.10.0",
            "kof-child: {values: {fromManagement: {storage: {victoria-logs-cluster: {vlstorage: {nodeSelector: {a: b}, extraArgs: {retentionPeriod: 3d}}}}}}}",
        ],
        [
            "fields of custom resources",
            "1.10.0",
            "kof-mothership: {values: {victoriametrics: {vmcluster: {spec: {vmstorage: {nodeSelector: {a: b}}}}}}}",
        ],
        [
            "labels and annotations",
            "1.10.0",
            "kof-regional: {values: {storage: {gateway: {annotations: {example.net/a: b}}}}}",
        ],
        [
            "keys that only a template reads",
            "1.10.0",
            "kof-mothership: {values: {promxy: {nodeSelector: {a: b}}, grafana: {installForTests: true}}}",
        ],
        [
            "names in open maps that resemble those of the charts",
            "1.9.0",
            "kof-collectors: {values: {opentelemetry-kube-stack: {defaultCRConfig: {config: {exporters: {otlphttp/loki: {endpoint: x}, otlphttp/log: {}}, receivers: {otlp/2: {}}, processors: {resource/k8sclusternames: {}}, extensions: {basicauth/metric: {}}, service: {pipelines: {logs/defaults: {}}}}}, collectors: {daemon2: {labels: {app.kubernetes.io/names: x}}}}}}",
        ],
        [
            "a metric, an affinity and an argument that resemble those of the charts",
            "1.9.0",
            "{kof-collectors: {values: {opentelemetry-kube-stack: {collectors: {daemon: {config: {receivers: {kubeletstats: {metrics: {k8s.pod.cpu.usages: {enabled: true}}}}}}}}}}, kof-storage: {values: {victoriametrics: {vmauth: {spec: {extraArgs: {envflag.enabled: 'true'}}}}}}}",
        ],
        [
            "a quantity or a percentage for a number, a tag and a port by their names, and what the environment says",
            "1.10.0",
            "{kof-mothership: {values: {kcm: {kof: {acl: {port: http}}}, promxy: {configmapReload: {resources: {limits: {cpu: 500m}}}}}}, kof-child: {values: {fromManagement: {collectors: {opentelemetry-kube-stack: {cleanupJob: {image: {tag: latest}}, collectors: {daemon: {config: {processors: {batch: {send_batch_size: '${env:SIZE}'}}}}}}}}}}}",
        ],
        [
            "a group of alerting rules beside those of the charts, and a Secret of a profile",
            "1.8.1",
            "kof-mothership: {values: {defaultAlertRules: {kubernetes-resources: {CPUThrottlingHigh: {for: 10m}}}, kcm: {kof: {secrets: {kof-storage-secrets: {htpasswdFrom: storage-vmuser-credentials}, own: {secrets: [own]}}}}}}",
        ],
        [
            "a list where the charts have an empty map, and Dex takes a list",
            "1.10.0",
            "kof-mothership: {values: {dex: {config: {connectors: [{type: ldap, id: ldap, name: LDAP}]}}}}",
        ],
        [
            "what charts of other projects take in two forms",
            "1.10.0",
            "kof-child: {values: {fromManagement: {storage: {external-dns: {extraArgs: [--aws-zone-type=public]}}, collectors: {opentelemetry-kube-stack: {kube-state-metrics: {updateStrategy: Recreate}}}}}}",
        ],
        [
            "values of a component that global.components adds",
            "1.10.0",
            "{global: {components: [kof-collectors]}, kof-collectors: {enabled: true, dependsOn: [kof-operators], values: {kcm: {monitoring: true}}}}",
        ],
    ];
    for (const [what, version, yaml] of accepted) {
        it(`accepts ${what}`, () => {
            assert.deepEqual(check(version, yaml), []);
        });
    }

    it("are new where a name that anyone may choose resembles one of the charts", () => {
        const values = parse(
            "kof-collectors: {values: {opentelemetry-kube-stack: {collectors: {daemons: {}, gateway: {}}, defaultCRConfig: {config: {exporters: {otlphttp/loki: {}, loki: {}}}}}}}",
        ) as HelmValues;
        assert.deepEqual(
            newNames(catalogOf("1.9.0"), values).map(({ path, resembles }) => [path.at(-1), resembles]),
            [
                ["daemons", "daemon"],
                ["otlphttp/loki", "otlphttp/logs"],
            ],
        );
    });
});
