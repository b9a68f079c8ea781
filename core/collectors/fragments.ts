import type { Signal } from "../charts";
import { mergeValues, type HelmValue, type HelmValues } from "../lib/values";
import { identityProcessor } from "./identity";

/*
 * Pieces of values for opentelemetry-kube-stack that KOF's documentation sets for up to 1.9, and that its own templates set
 * from 1.10 on (`charts/kof-child/templates/child-multi-cluster-service.yaml`).
 */

/** The names of the cluster on every signal. The chart's pipelines refer to this processor, but nothing defines it. */
export function clusterIdentity(clusterName: string, clusterNamespace: string): HelmValues {
    const insert = (key: string, value: string) => ({ action: "insert", key, value });
    return {
        processors: {
            [identityProcessor]: {
                attributes: [
                    insert("k8s.cluster.name", clusterName),
                    insert("k8s.cluster.namespace", clusterNamespace),
                ],
            },
        },
        exporters: {
            prometheusremotewrite: { external_labels: clusterLabels(clusterName, clusterNamespace) },
        },
    };
}

/** The labels by which KOF knows a cluster's series. Remote write adds them. */
export function clusterLabels(clusterName: string, clusterNamespace: string): HelmValues {
    return { cluster: clusterName, clusterNamespace };
}

/**
 * Values of kof-collectors on the management cluster: its names, the monitoring of KCM, and whatever else.
 *
 * @param kubeStack further values for opentelemetry-kube-stack, the later ones winning.
 */
export function managementValues(
    clusterName: string,
    clusterNamespace: string,
    ...kubeStack: HelmValues[]
): HelmValues {
    return {
        global: { clusterName, clusterNamespace },
        kcm: { monitoring: true },
        "opentelemetry-kube-stack": mergeValues(
            { clusterName, defaultCRConfig: { config: clusterIdentity(clusterName, clusterNamespace) } },
            ...kubeStack,
        ),
    };
}

/** Exporters that do not verify the certificate of what they write to. */
export function unverified(exporters: readonly string[]): HelmValues {
    return Object.fromEntries(exporters.map((name) => [name, { tls: { insecure_skip_verify: true } }]));
}

/** The mesh does not reach pods on the host's network. */
export const collectorsInMesh: HelmValues = {
    "controller-k0s": { enabled: false },
    daemon: { hostNetwork: false },
};

/** The daemon on the network of its node, scraped by annotation. */
export const daemonOnHostNetwork: HelmValues = {
    hostNetwork: true,
    observability: { metrics: { disablePrometheusAnnotations: false, enableMetrics: false } },
    podAnnotations: { "prometheus.io/ip4": "${env:OTEL_K8S_NODE_IP}" },
};

/** The daemon's own endpoints at the address of its node. OTLP listens to pods of other nodes too. */
export const daemonAtNodeAddress: HelmValues = {
    config: {
        receivers: {
            prometheus: { api_server: { server_config: { endpoint: "${env:OTEL_K8S_NODE_IP}:9090" } } },
            otlp: { protocols: { grpc: { endpoint: "0.0.0.0:4317" }, http: { endpoint: "0.0.0.0:4318" } } },
        },
        service: {
            telemetry: {
                metrics: {
                    readers: [{ pull: { exporter: { prometheus: { host: "${env:OTEL_K8S_NODE_IP}", port: 8888 } } } }],
                },
            },
        },
    },
};

/** The address of a region's vmauth: by its service in the mesh, else by its domain, which KOF 1.10 and later find out. */
export function vmauthOf(cluster: string, domain: string | undefined, istio: boolean): string {
    return istio ? `http://${cluster}-vmauth:8427` : `https://vmauth.${regionalDomain(cluster, domain)}`;
}

/** The domain of a region, or what stands for it where only the cluster knows it. */
export function regionalDomain(cluster: string, domain: string | undefined): string {
    return domain ?? `<kof-regional-domain of ${cluster}>`;
}

/** Where vmauth of a region takes each signal (VMUser of kof-storage). */
export const writePaths: Readonly<Record<Signal, string>> = {
    metrics: "/vm/insert/0/prometheus/api/v1/write",
    logs: "/vli/insert/opentelemetry/v1/logs",
    traces: "/vti/insert/opentelemetry/v1/traces",
    audit: "/vlai/insert/opentelemetry/v1/logs",
};

/** The extensions that a region's vmauth is written to with, one per signal. */
export const authenticators = ["basicauth/logs", "basicauth/metrics", "basicauth/traces"];

/** The definitions of {@link authenticators}, with the credentials of {@link vmuserEnv}. */
export const authenticatorDefinitions: HelmValues = Object.fromEntries(
    authenticators.map((name) => [
        name,
        { client_auth: { username: "${env:KOF_VM_USER}", password: "${env:KOF_VM_PASSWORD}" } },
    ]),
);

/** The environment that has a region's credentials, from their Secret. */
export function vmuserEnv(secret: string): HelmValue[] {
    const variable = (name: string, key: string) => ({ name, valueFrom: { secretKeyRef: { key, name: secret } } });
    return [variable("KOF_VM_USER", "username"), variable("KOF_VM_PASSWORD", "password")];
}

/** The charts' exporters, pointed at the vmauth of a region. */
export function exportersToRegion(
    vmauth: string,
): Record<"prometheusremotewrite" | "otlphttp/logs" | "otlphttp/traces", HelmValues> {
    const auth = (signal: string) => ({ auth: { authenticator: `basicauth/${signal}` } });
    return {
        prometheusremotewrite: { endpoint: `${vmauth}${writePaths.metrics}`, ...auth("metrics") },
        "otlphttp/logs": { logs_endpoint: `${vmauth}${writePaths.logs}`, ...auth("logs") },
        "otlphttp/traces": { traces_endpoint: `${vmauth}${writePaths.traces}`, ...auth("traces") },
    };
}
