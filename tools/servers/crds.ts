/** An object of any kind. */
export interface AnyObject {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: {
        readonly name: string;
        readonly namespace?: string;
        readonly generation?: number;
        readonly deletionTimestamp?: string;
        readonly finalizers?: readonly string[];
        readonly labels?: Readonly<Record<string, string>>;
        readonly annotations?: Readonly<Record<string, string>>;
    };
    readonly spec?: any;
    readonly status?: any;
    readonly [key: string]: unknown;
}

/**
 * The kinds that Flux, KCM, Sveltos, cert-manager and the operators of KOF bring, reduced to what the program reads and
 * writes of them: name, version and scope, any content, and a status of its own.
 */
const kinds: readonly [group: string, version: string, kind: string, plural: string, scope?: "Cluster"][] = [
    ["helm.toolkit.fluxcd.io", "v2", "HelmRelease", "helmreleases"],
    ["source.toolkit.fluxcd.io", "v1", "HelmChart", "helmcharts"],
    ["source.toolkit.fluxcd.io", "v1", "HelmRepository", "helmrepositories"],
    ["cert-manager.io", "v1", "Certificate", "certificates"],
    ["cert-manager.io", "v1", "ClusterIssuer", "clusterissuers", "Cluster"],
    ["k0rdent.mirantis.com", "v1beta1", "Management", "managements", "Cluster"],
    ["k0rdent.mirantis.com", "v1beta1", "ClusterDeployment", "clusterdeployments"],
    ["k0rdent.mirantis.com", "v1beta1", "MultiClusterService", "multiclusterservices", "Cluster"],
    ["k0rdent.mirantis.com", "v1beta1", "ServiceSet", "servicesets"],
    ["config.projectsveltos.io", "v1beta1", "ClusterSummary", "clustersummaries"],
    ["opentelemetry.io", "v1beta1", "OpenTelemetryCollector", "opentelemetrycollectors"],
    ["operator.victoriametrics.com", "v1beta1", "VMCluster", "vmclusters"],
    ["k0rdent.mirantis.com", "v1beta1", "ServiceTemplate", "servicetemplates"],
    ["operator.victoriametrics.com", "v1", "VLCluster", "vlclusters"],
];

/** The schema of any content. */
const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

/** The definitions of {@link kinds}. */
export const crds: readonly AnyObject[] = kinds.map((kind) => definition(kind));

const text = { type: "string" };
const texts = { type: "object", additionalProperties: text };
const listSchema = (properties: object, required: readonly string[]) => ({
    type: "array",
    items: { type: "object", properties, required },
});
const rules = listSchema({ alert: text, expr: text, for: text, labels: texts, annotations: texts }, ["expr"]);

/**
 * Definitions that are not there before a release of KOF is installed, by that release. They stay when it is uninstalled, as KOF's do. Of
 * a VMRule this one knows what the program writes.
 */
export const broughtBy: Readonly<Record<string, readonly AnyObject[]>> = {
    "victoria-metrics-operator": [
        definition(["operator.victoriametrics.com", "v1beta1", "VMRule", "vmrules"], {
            type: "object",
            properties: { groups: listSchema({ name: text, rules }, ["name", "rules"]) },
            required: ["groups"],
        }),
    ],
};

function definition([group, version, kind, plural, scope]: (typeof kinds)[number], spec: object = anything): AnyObject {
    return {
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        metadata: { name: `${plural}.${group}` },
        spec: {
            group,
            names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
            scope: scope ?? "Namespaced",
            versions: [
                {
                    name: version,
                    served: true,
                    storage: true,
                    subresources: { status: {} },
                    schema: { openAPIV3Schema: { type: "object", properties: { spec, status: anything } } },
                },
            ],
        },
    };
}
