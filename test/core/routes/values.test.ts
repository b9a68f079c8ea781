import assert from "node:assert/strict";

import { parse, stringify } from "yaml";

import { versions } from "../../../core/charts";
import { mergeValues, nest, valueAt, type HelmValues } from "../../../core/lib/values";
import { adler32, vmuserSecretName } from "../../../core/charts/vmuser";
import { cases, hasRegionless, deploymentFor, type Raw } from "../../support";

const until19 = ["1.8.0", "1.8.1", "1.9.0"];
const from110 = ["1.10.0", "1.11.0-rc0"];

function values(raw: Raw, version: string): HelmValues {
    return deploymentFor({ ...raw, version }).values;
}

function expectValues(supported: readonly string[], raw: Raw, ...yaml: string[]): void {
    for (const version of supported) {
        const expected = mergeValues(...yaml.map((text) => (parse(text) ?? {}) as HelmValues));
        assert.deepEqual(values(raw, version), expected, version);
    }
}

/** Values for opentelemetry-kube-stack, where a version takes them from: the umbrella's own component, or a service. */
function kubeStack(place: string, yaml: string): string {
    const path = [...place.split("."), "opentelemetry-kube-stack"];
    return stringify(nest(path, parse(yaml) as HelmValues));
}
const [umbrella, service, regionless] = [
    "kof-collectors.values",
    "kof-child.values.fromManagement.collectors",
    "kof-regional.values.collectors",
];

/** Spans get the cluster's namespace, which the charts put on all other signals. */
const spans = `
collectors:
  daemon: {config: {service: {pipelines: {traces: {processors: [resource/k8sclustername, resourcedetection, batch]}}}}}
  target-allocator: {config: {service: {pipelines: {traces: {processors: [resource/k8sclustername]}}}}}`;

/** What collectors keep on the node is recreated where it cannot be read. */
const recreated = `
collectors:
  daemon:
    config:
      extensions:
        file_storage/filelogreceiver: {recreate: true}
        file_storage/filelogsyslogreceiver: {recreate: true}
        file_storage/filelogk8sauditreceiver: {recreate: true}
        file_storage/journaldreceiver: {recreate: true}`;
const recreatedQueues = "defaultCRConfig: {config: {extensions: {file_storage/exporters: {recreate: true}}}}";

const queue = "sending_queue: {enabled: true, storage: file_storage/exporters, sizer: bytes, queue_size: 1073741824}";
const kept = `${queue}, retry_on_failure: {enabled: true, max_elapsed_time: 30m}`;

/** Exporters to a region keep what they cannot send. */
function buffers(...otlp: string[]): string {
    return `
defaultCRConfig:
  config:
    exporters:
      prometheusremotewrite: {timeout: 30m, retry_on_failure: {enabled: true, initial_interval: 5s, max_elapsed_time: 30m}}
${otlp.map((name) => `      otlphttp/${name}: {${kept}}`).join("\n")}`;
}

/** Where queues are kept, up to 1.9: a folder of the node for each collector, beside the volumes that it has anyway. */
const queues = `
collectors:
  cluster:
    config: {extensions: {file_storage/exporters: {directory: /var/lib/otelcol/file_storage/exporters-cluster-stats, recreate: true}}}
    volumes:
      - {name: fs-exporters, hostPath: {path: /var/lib/otelcol/file_storage/exporters-cluster-stats, type: DirectoryOrCreate}}
    volumeMounts:
      - {name: fs-exporters, mountPath: /var/lib/otelcol/file_storage/exporters-cluster-stats}
    securityContext: {runAsUser: 0, runAsGroup: 0}
  controller-k0s:
    config: {extensions: {file_storage/exporters: {directory: /var/lib/otelcol/file_storage/exporters-controller-k0s-daemon, recreate: true}}}
    volumes:
      - {name: hostfs, hostPath: {path: /}}
      - {name: fs-exporters, hostPath: {path: /var/lib/otelcol/file_storage/exporters-controller-k0s-daemon, type: DirectoryOrCreate}}
    volumeMounts:
      - {name: hostfs, mountPath: /hostfs, readOnly: true, mountPropagation: HostToContainer}
      - {name: fs-exporters, mountPath: /var/lib/otelcol/file_storage/exporters-controller-k0s-daemon}
    securityContext: {runAsUser: 0, runAsGroup: 0}
  daemon:
    config: {extensions: {file_storage/exporters: {directory: /var/lib/otelcol/file_storage/exporters-daemon, recreate: true}}}
    volumes:
      - {name: varlogaudit, hostPath: {path: /var/log/kubernetes}}
      - {name: varlogpods, hostPath: {path: /var/log/pods}}
      - {name: varrunjournald, hostPath: {path: /run/log/journal}}
      - {name: fs-filelogreceiver, hostPath: {path: /var/lib/otelcol/file_storage/filelogreceiver, type: DirectoryOrCreate}}
      - {name: fs-filelogsyslogreceiver, hostPath: {path: /var/lib/otelcol/file_storage/filelogsyslogreceiver, type: DirectoryOrCreate}}
      - {name: fs-filelogk8sauditreceiver, hostPath: {path: /var/lib/otelcol/file_storage/filelogk8sauditreceiver, type: DirectoryOrCreate}}
      - {name: fs-filelogjournaldreceiver, hostPath: {path: /var/lib/otelcol/file_storage/journaldreceiver, type: DirectoryOrCreate}}
      - {name: varlibdockercontainers, hostPath: {path: /var/lib/docker/containers}}
      - {name: fs-exporters, hostPath: {path: /var/lib/otelcol/file_storage/exporters-daemon, type: DirectoryOrCreate}}
    volumeMounts:
      - {name: varlogaudit, mountPath: /var/log/kubernetes}
      - {name: varrunjournald, mountPath: /run/log/journal}
      - {name: varlogpods, mountPath: /var/log/pods, readOnly: true}
      - {name: varlibdockercontainers, mountPath: /var/lib/docker/containers, readOnly: true}
      - {name: fs-filelogreceiver, mountPath: /var/lib/otelcol/file_storage/filelogreceiver}
      - {name: fs-filelogsyslogreceiver, mountPath: /var/lib/otelcol/file_storage/filelogsyslogreceiver}
      - {name: fs-filelogk8sauditreceiver, mountPath: /var/lib/otelcol/file_storage/filelogk8sauditreceiver}
      - {name: fs-filelogjournaldreceiver, mountPath: /var/lib/otelcol/file_storage/journaldreceiver}
      - {name: fs-exporters, mountPath: /var/lib/otelcol/file_storage/exporters-daemon}
    securityContext: {runAsUser: 0, runAsGroup: 0}
  target-allocator:
    config: {extensions: {file_storage/exporters: {directory: /var/lib/otelcol/file_storage/exporters-ta-daemon, recreate: true}}}
    volumes:
      - {name: fs-exporters, hostPath: {path: /var/lib/otelcol/file_storage/exporters-ta-daemon, type: DirectoryOrCreate}}
    volumeMounts:
      - {name: fs-exporters, mountPath: /var/lib/otelcol/file_storage/exporters-ta-daemon}
    securityContext: {runAsUser: 0, runAsGroup: 0}
`;

const processors =
    "processors: {resource/k8sclustername: {attributes: [" +
    "{action: insert, key: k8s.cluster.name, value: mothership}, " +
    "{action: insert, key: k8s.cluster.namespace, value: kcm-system}]}}";
const labels = "external_labels: {cluster: mothership, clusterNamespace: kcm-system}";

describe("values of the routes", () => {
    it("none: the charts' defaults, as they are", () => {
        expectValues(versions, { route: "none" }, "");
    });

    it("management, up to 1.9", () => {
        expectValues(
            until19,
            { route: "management" },
            `
kof-storage:
  enabled: true
  values:
    global: {clusterName: mothership}
    cert-manager: {cluster-issuer: {create: false}}
kof-collectors:
  enabled: true
  values:
    global: {clusterName: mothership, clusterNamespace: kcm-system}
    kcm: {monitoring: true}
    opentelemetry-kube-stack:
      clusterName: mothership
      defaultCRConfig:
        config:
          ${processors}
          exporters: {prometheusremotewrite: {${labels}}}`,
            ...[spans, recreated].map((text) => kubeStack(umbrella, text)),
        );
    });

    it("management, from 1.10 on", () => {
        expectValues(
            from110,
            { route: "management" },
            `
kof-child:
  values:
    fromManagement:
      cluster: {name: mothership, namespace: kcm-system}
      toManagementCluster: {enabled: true}
      storage:
        global: {clusterName: mothership}
        cert-manager: {cluster-issuer: {create: false}}`,
            ...[spans, recreated, recreatedQueues].map((text) => kubeStack(service, text)),
        );
    });

    const region = { cluster: "eu-1", domain: "eu-1.obs.example.net", namespace: "regions" };
    const secret = vmuserSecretName("eu-1", "regions");

    function regional(vmauth: string, collectors: string): string {
        const auth = (signal: string) => `auth: {authenticator: basicauth/${signal}}`;
        const client = "{client_auth: {username: '${env:KOF_VM_USER}', password: '${env:KOF_VM_PASSWORD}'}}";
        return `
kof-collectors:
  enabled: true
  dependsOn: [kof-operators, kof-mothership]
  values:
    global: {clusterName: mothership, clusterNamespace: kcm-system}
    kcm: {monitoring: true}
    opentelemetry-kube-stack:
      clusterName: mothership
      collectors: ${collectors}
      defaultCRConfig:
        podAnnotations: {kof-storage-routes/read-at-start: Secret ${secret}}
        env:
          - {name: PKI_PATH, value: var/lib/k0s}
          - {name: KOF_VM_USER, valueFrom: {secretKeyRef: {key: username, name: ${secret}}}}
          - {name: KOF_VM_PASSWORD, valueFrom: {secretKeyRef: {key: password, name: ${secret}}}}
        config:
          ${processors}
          extensions: {basicauth/logs: ${client}, basicauth/metrics: ${client}, basicauth/traces: ${client}}
          exporters:
            prometheusremotewrite:
              endpoint: ${vmauth}/vm/insert/0/prometheus/api/v1/write
              ${auth("metrics")}
              ${labels}
            otlphttp/logs: {logs_endpoint: "${vmauth}/vli/insert/opentelemetry/v1/logs", ${auth("logs")}}
            otlphttp/traces: {traces_endpoint: "${vmauth}/vti/insert/opentelemetry/v1/traces", ${auth("traces")}}
          service:
            extensions: [basicauth/logs, basicauth/metrics, basicauth/traces, file_storage/exporters]
    opencost:
      opencost:
        prometheus:
          existingSecretName: ${secret}
          external: {url: "${vmauth}/vm/select/0/prometheus"}`;
    }

    const extensions = `
              extensions:
                - k8s_observer
                - file_storage/filelogreceiver
                - file_storage/filelogsyslogreceiver
                - file_storage/filelogk8sauditreceiver
                - file_storage/journaldreceiver
                - basicauth/logs
                - basicauth/metrics
                - basicauth/traces
                - file_storage/exporters`;

    it("regional, up to 1.9", () => {
        const daemon = `
        daemon:
          hostNetwork: true
          observability: {metrics: {disablePrometheusAnnotations: false, enableMetrics: false}}
          podAnnotations: {prometheus.io/ip4: '\${env:OTEL_K8S_NODE_IP}'}
          config:
            receivers:
              prometheus: {api_server: {server_config: {endpoint: '\${env:OTEL_K8S_NODE_IP}:9090'}}}
              otlp: {protocols: {grpc: {endpoint: '0.0.0.0:4317'}, http: {endpoint: '0.0.0.0:4318'}}}
            service: ${extensions}
              telemetry:
                metrics:
                  readers:
                    - pull: {exporter: {prometheus: {host: '\${env:OTEL_K8S_NODE_IP}', port: 8888}}}`;
        const yaml = regional("https://vmauth.eu-1.obs.example.net", daemon);
        for (const version of until19) {
            const texts = [spans, buffers("logs", "traces"), queues, recreated];
            const more = texts.map((text) => kubeStack(umbrella, text));
            expectValues([version], { route: "regional", regional: region }, yaml, ...more);
        }
    });

    it("regional with Istio, up to 1.9", () => {
        const mesh = `
        controller-k0s: {enabled: false}
        daemon:
          hostNetwork: false
          config:
            service: ${extensions}`;
        const raw = { route: "regional", istio: true, regional: { cluster: "eu-1", namespace: "regions" } };
        for (const version of until19) {
            const texts = [spans, buffers("logs", "traces"), queues, recreated];
            const more = texts.map((text) => kubeStack(umbrella, text));
            expectValues([version], raw, regional("http://eu-1-vmauth:8427", mesh), ...more);
        }
    });

    it("regional, from 1.10 on, with Istio and without", () => {
        const yaml = `
kof-child:
  values:
    fromManagement:
      cluster: {name: mothership, namespace: kcm-system}
      toRegionalCluster: {name: eu-1, namespace: regions}`;
        const mesh = { route: "regional", istio: true, regional: { cluster: "eu-1", namespace: "regions" } };
        const texts = [spans, buffers("logs", "logs-audit", "traces"), recreated, recreatedQueues];
        const more = texts.map((text) => kubeStack(service, text));
        expectValues(from110, { route: "regional", regional: region }, yaml, ...more);
        expectValues(from110, mesh, yaml, ...more);
        const insecure = { route: "regional", regional: { ...region, insecureSkipVerify: true } };
        expectValues(from110, insecure, yaml, "tls: {insecureSkipVerify: true}", ...more);
    });

    it("regional with a self-signed certificate reaches OpenCost too", () => {
        for (const version of until19) {
            const raw = { route: "regional", regional: { ...region, insecureSkipVerify: true } };
            const path = ["kof-collectors", "values", "opencost", "opencost", "prometheus", "insecureSkipVerify"];
            assert.equal(valueAt(values(raw, version), path), true);
        }
    });

    function cloudwatch(group: string, collectors: string, more = ""): string {
        return `
kof-collectors:
  enabled: true
  dependsOn: [kof-operators, kof-mothership]
  values:
    global: {clusterName: mothership, clusterNamespace: kcm-system}
    kcm: {monitoring: true}
    opencost: {enabled: false}
    opentelemetry-kube-stack:
      clusterName: mothership${collectors}
      defaultCRConfig:
        podAnnotations: {kof-storage-routes/read-at-start: access key 2026-11}
        env:
          - {name: PKI_PATH, value: var/lib/k0s}
          - name: AWS_ACCESS_KEY_ID
            valueFrom: {secretKeyRef: {name: cloudwatch-credentials, key: AWS_ACCESS_KEY_ID}}
          - name: AWS_SECRET_ACCESS_KEY
            valueFrom: {secretKeyRef: {name: cloudwatch-credentials, key: AWS_SECRET_ACCESS_KEY}}
        config:
          ${processors}
          exporters:
            prometheusremotewrite: {${labels}}
            awscloudwatchlogs: {region: us-east-2, log_group_name: ${group}, log_stream_name: logs, ${kept}}${more}
          service:
            pipelines:
              logs: {exporters: [awscloudwatchlogs]}
              metrics: {exporters: [nop]}
              traces: {exporters: [nop]}`;
    }
    const credentials = { kind: "accessKey", generations: ["2026-05", "2026-11"] };
    /** What a collector prints, the daemon would collect as logs. */
    const notPrinted = "collectors: {target-allocator: {config: {service: {pipelines: {logs: {exporters: [nop]}}}}}}";
    const daemonExtensions =
        "k8s_observer, file_storage/filelogreceiver, file_storage/filelogsyslogreceiver, " +
        "file_storage/filelogk8sauditreceiver, file_storage/journaldreceiver, file_storage/exporters";

    /** The processors of a pipeline that sends to CloudWatch, with what keeps a wrong time from its exporter. */
    const clocked = (...processors: string[]) =>
        `processors: [${[...processors, "transform/clock", "groupbyattrs/clock"].join(", ")}]`;
    const clock = `
collectors:
  cluster:
    config:
      service:
        pipelines:
          logs: {${clocked("resourcedetection", "resource/k8sclustername", "transform/events", "batch")}}
defaultCRConfig:
  config:
    processors:
      groupbyattrs/clock: {keys: [kof_time]}
      transform/clock:
        error_mode: ignore
        log_statements:
          - context: log
            conditions:
              - log.time_unix_nano != 0 and (log.time < Now() - Duration("334h") or log.time > Now() + Duration("1h"))
            statements:
              - set(log.attributes["kof_original_time"], FormatTime(log.time, "%Y-%m-%dT%H:%M:%S.%LZ"))
              - set(log.attributes["kof_time"], "corrected")
              - set(log.time, Now())`;

    it("cloudwatch, up to 1.9", () => {
        const raw = { route: "cloudwatch", cloudwatch: { region: "us-east-2", credentials } };
        for (const version of until19) {
            const queued = "defaultCRConfig: {config: {service: {extensions: [file_storage/exporters]}}}";
            const parsed = ["transform/syslog", "transform/syslogkvparser", "transform/audit"];
            const list = clocked("resource/k8sclustername", "resourcedetection", ...parsed, "batch");
            const service = `{extensions: [${daemonExtensions}], pipelines: {logs: {${list}}}}`;
            const daemon = `collectors: {daemon: {config: {service: ${service}}}}`;
            const texts = [queues, queued, daemon, notPrinted, recreated, clock];
            const more = texts.map((text) => kubeStack(umbrella, text));
            expectValues([version], raw, cloudwatch("/kof/mothership", ""), ...more);
        }
    });

    it("cloudwatch, from 1.10 on", () => {
        const pipelines = `
      collectors:
        daemon:
          config:
            service:
              pipelines:
                logs/default: {exporters: [awscloudwatchlogs], ${clocked()}}
                logs/audit: {exporters: [awscloudwatchlogs/audit], ${clocked()}}`;
        const audit = `
            awscloudwatchlogs/audit: {region: us-east-2, log_group_name: g-audit, log_stream_name: logs, ${kept}}`;
        const components =
            "\nglobal: {components: [kof-operators, kof-mothership, kof-regional, kof-child, kof-collectors]}";
        const raw = { route: "cloudwatch", cloudwatch: { region: "us-east-2", logGroup: "g", credentials } };
        const more = [notPrinted, recreated, recreatedQueues, clock].map((text) => kubeStack(umbrella, text));
        expectValues(from110, raw, cloudwatch("g", pipelines, audit) + components, ...more);
    });

    it("regionless", () => {
        const yaml = `
regionless: {enabled: true, clusterName: mothership, domain: kof.example.net, certEmail: a@example.net}
kof-regional:
  values:
    collectors:
      opentelemetry-kube-stack:
        defaultCRConfig:
          config:
            ${processors}
            exporters: {prometheusremotewrite: {${labels}}}`;
        const wanted = { domain: "kof.example.net", certEmail: "a@example.net" };
        const more = [spans, recreated, recreatedQueues].map((text) => kubeStack(regionless, text));
        const ip = "${env:OTEL_K8S_NODE_IP}";
        // kof#1127
        const onNodes = `
kof-regional:
  values:
    collectors:
      kcm: {monitoring: true}
      opentelemetry-kube-stack:
        collectors:
          daemon:
            hostNetwork: true
            observability: {metrics: {disablePrometheusAnnotations: false, enableMetrics: false}}
            podAnnotations: {prometheus.io/ip4: "${ip}"}
            config:
              receivers:
                prometheus: {api_server: {server_config: {endpoint: "${ip}:9090"}}}
                otlp: {protocols: {grpc: {endpoint: "0.0.0.0:4317"}, http: {endpoint: "0.0.0.0:4318"}}}
              service: {telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: "${ip}", port: 8888}}}}]}}}`;
        const selfSigned = { route: "regionless", regionless: { ...wanted, selfSigned: true } };
        for (const version of from110) {
            const further = version === "1.10.0" ? [...more, onNodes] : more;
            expectValues([version], { route: "regionless", regionless: wanted }, yaml, ...further);
            expectValues([version], selfSigned, yaml, "tls: {selfSigned: true, insecureSkipVerify: true}", ...further);
        }
    });
});

describe("values of the other settings", () => {
    it("bring metrics-server along with the collectors, where the distribution has none, and once", () => {
        for (const { version, raw } of cases) {
            const chart = hasRegionless(version) ? "kof-mothership" : "kof-collectors";
            const insecure = [[chart, { enabled: true, args: ["--kubelet-insecure-tls"] }]];
            const expected = {
                k0s: [],
                other: [],
                kubeadm: insecure,
                kind: insecure,
                eks: [[chart, { enabled: true }]],
                aks: [],
                gke: [],
                rke2: [],
                k3s: [],
                talos: insecure,
                openshift: [],
            };
            for (const [distribution, wanted] of Object.entries(expected)) {
                const all = values({ ...raw, distribution }, version);
                const found = ["kof-mothership", "kof-collectors"].flatMap((each) => {
                    const server = valueAt(all, [each, "values", "metrics-server"]);
                    return server === undefined ? [] : [[each, server]];
                });
                assert.deepEqual(found, raw.route === "none" ? [] : wanted, `${version} ${raw.route} ${distribution}`);
            }
        }
    });

    it("put the class on each volume of the route, and size and retention where each version reads them", () => {
        const storage = {
            metrics: { size: "20Gi", retention: "1y", replicas: 2, replicationFactor: 1 },
            logs: { size: "30Gi", retention: "60d", replicas: 3 },
            traces: { size: "40Gi", retention: "4w", replicas: 4 },
        };
        const storageClass = { create: false, name: "fast" };
        const part = (size: string, retentionPeriod: string, replicaCount: number) => ({
            persistentVolume: { storageClassName: "fast", size },
            extraArgs: { retentionPeriod },
            replicaCount,
        });
        const logs = { vlstorage: part("30Gi", "60d", 3) };
        const traces = { vtstorage: part("40Gi", "4w", 4) };
        const claim = { volumeClaimTemplate: { spec: { resources: { requests: { storage: "20Gi" } } } } };
        const spec = { retentionPeriod: "1y", replicationFactor: 1, vmstorage: { storage: claim, replicaCount: 2 } };
        for (const version of versions) {
            const all = values({ route: "management", storageClass, storage }, version);
            assert.deepEqual(valueAt(all, ["kof-mothership", "values"]), {
                global: { storageClass: "fast" },
                victoriametrics: { vmcluster: { spec } },
            });
            const apart = hasRegionless(version);
            const place = apart ? ["kof-child", "values", "fromManagement", "storage"] : ["kof-storage", "values"];
            assert.deepEqual(valueAt(all, [...place, "victoria-logs-cluster"]), logs);
            assert.deepEqual(valueAt(all, [...place, "victoria-traces-cluster"]), traces);
            assert.equal(valueAt(all, [...place, "global", "storageClass"]), "fast");
        }
        const wanted = { domain: "kof.example.net", selfSigned: true };
        const all = values({ route: "regionless", regionless: wanted, storageClass, storage }, "1.10.0");
        assert.deepEqual(valueAt(all, ["kof-regional", "values", "storage"]), {
            global: { storageClass: "fast" },
            victoriametrics: { vmcluster: { spec } },
            "victoria-logs-cluster": logs,
            "victoria-traces-cluster": traces,
        });
        assert.deepEqual(valueAt(all, ["kof-mothership", "values"]), { global: { storageClass: "fast" } });
    });

    it("size audit logs where they are stored apart", () => {
        const raw = { route: "management", storage: { audit: { size: "50Gi", retention: "2y" } } };
        const spec = ["victoriametrics", "vlcluster_audit", "spec", "vlstorage"];
        const path = ["kof-child", "values", "fromManagement", "storage", ...spec];
        assert.deepEqual(valueAt(values(raw, "1.10.0"), path), {
            retentionPeriod: "2y",
            storage: { volumeClaimTemplate: { spec: { resources: { requests: { storage: "50Gi" } } } } },
        });
    });

    it("say what has no effect on a route", () => {
        const sizes = { metrics: { size: "20Gi" }, logs: { size: "30Gi" } };
        assert.deepEqual(deploymentFor({ route: "none", storage: sizes }).notices, [
            "kof:storage.logs has no effect: route none stores no logs on this cluster.",
        ]);
        const small = { metrics: { size: "10Gi" }, logs: { size: "9Gi" }, traces: { size: "10G" } };
        assert.deepEqual(deploymentFor({ route: "management", storage: small }).notices, [
            "kof:storage.logs.size is 9Gi: KOF advises at least 10Gi for each pod.",
            "kof:storage.traces.size is 10G: KOF advises at least 10Gi for each pod.",
        ]);
        const sharded = { metrics: { replicas: 4 }, logs: { replicas: 3 } };
        assert.deepEqual(deploymentFor({ route: "management", storage: sharded }).notices, [
            "kof:storage.logs.replicas is 3: these are shards, not copies. Each holds its share of the logs alone, which are lost with its volume.",
        ]);
        const wanted = { region: "us-east-2", auditLogGroup: "a" };
        assert.equal(
            deploymentFor({ route: "cloudwatch", version: "1.9.0", cloudwatch: wanted }).notices.at(-1),
            "kof:cloudwatch.auditLogGroup has no effect: KOF 1.9.0 does not tell audit logs from logs.",
        );
    });

    it("name the cluster everywhere that a signal gets its name from", () => {
        for (const { version, raw } of cases.filter((each) => each.raw.route !== "none")) {
            const all = JSON.stringify(values({ ...raw, clusterName: "mgmt-7", clusterNamespace: "ns-7" }, version));
            assert.doesNotMatch(all, /"mothership"/, `${version} ${raw.route}`);
            assert.match(all, /mgmt-7/);
            assert.match(all, /ns-7/);
        }
    });

    it("turn Grafana's parts on, and leave its Secret to the program", () => {
        for (const version of versions) {
            assert.deepEqual(values({ route: "none", grafana: { enabled: true } }, version), {
                "kof-operators": { values: { "grafana-operator": { enabled: true } } },
                "kof-mothership": { values: { grafana: { enabled: true, security: { create_secret: false } } } },
            });
        }
    });

    it("are merged last when the user gives more of them", () => {
        const more = { "kof-mothership": { values: { promxy: { replicaCount: 1 }, grafana: { enabled: false } } } };
        const merged = { ...more, "kof-operators": { values: { "grafana-operator": { enabled: true } } } };
        merged["kof-mothership"].values.grafana = { enabled: false, security: { create_secret: false } } as never;
        const raw = { route: "none", grafana: { enabled: true }, values: more };
        assert.deepEqual(values(structuredClone(raw), "1.10.0"), merged);
    });

    it("compute the name of a region's credentials as KOF does", () => {
        assert.equal(adler32("Wikipedia"), 300286872);
        assert.equal(adler32(""), 1);
        assert.equal(vmuserSecretName("aws-us-east-2", "kcm-system"), "kof-vmuser-creds-admin-2461207107");
        assert.equal(vmuserSecretName("mothership", "kcm-system"), "kof-vmuser-creds-admin-2149255661");
        assert.equal(vmuserSecretName("regional-adopted", "kcm-system"), "kof-vmuser-creds-admin-3200650249");
    });
});
