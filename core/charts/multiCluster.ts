import { chartValues, type Catalog } from ".";
import { coalesceValues, valueAt, type HelmValues } from "../lib/values";
import { componentValues } from "./umbrella";

/** An object of KCM, as it is applied. */
export interface KcmObject {
    readonly apiVersion: "k0rdent.mirantis.com/v1beta1";
    readonly kind: "ServiceTemplate" | "MultiClusterService";
    /** A MultiClusterService is in no namespace. */
    readonly metadata: {
        readonly name: string;
        readonly namespace?: string;
        readonly labels: Readonly<Record<string, string>>;
    };
    readonly spec: HelmValues;
}

/** A chart that KCM installs on each regional cluster, beside KOF's own. Its release has its name. */
export interface RegionalChart {
    readonly name: string;
    readonly version: string;
    /** The chart's values: a Go template, evaluated for each cluster (`.Cluster` is what Sveltos knows of it). */
    readonly values: string;
}

/** The labels of the ClusterDeployments of regions: KCM selects by labels alone. */
export const regionLabels = { "k0rdent.mirantis.com/kof-cluster-role": "regional" } as const;

const istioRole = "k0rdent.mirantis.com/istio-role";

/**
 * What has KCM install a chart on exactly those regional clusters that it installs KOF's stores on, and after them, as kof-mothership
 * and kof-regional have it install those (`templates/k0rdent/kof/svctmpl.yaml`, `templates/regional-multi-cluster-service.yaml`, KOF
 * 1.10.0 and 1.11.0-rc0).
 *
 * @param umbrella the umbrella's values.
 * @param istio whether the kof namespace is in the mesh, on which the name of KOF's own object depends.
 */
export function objectsOnRegions(
    catalog: Catalog,
    umbrella: HelmValues,
    istio: boolean,
    { name, version, values }: RegionalChart,
): { readonly template: KcmObject; readonly service: KcmObject } {
    const all = coalesceValues(chartValues(catalog, "kof"), umbrella);
    const at = (...path: string[]) => valueAt(all, path) as string;
    const labels = { "k0rdent.mirantis.com/component": name };
    const templateName = `${name}-${version.replaceAll(".", "-")}`;
    const mothership = componentValues({ catalog, umbrella: all }, "kof-mothership");
    const namespace = valueAt(mothership, ["kcm", "namespace"]) as string;
    return {
        template: {
            apiVersion: "k0rdent.mirantis.com/v1beta1",
            kind: "ServiceTemplate",
            metadata: { name: templateName, namespace, labels },
            spec: {
                helm: {
                    chartSpec: {
                        chart: name,
                        version,
                        interval: "10m0s",
                        sourceRef: { kind: "HelmRepository", name: at("global", "helmRepo", "name") },
                    },
                },
            },
        },
        service: {
            apiVersion: "k0rdent.mirantis.com/v1beta1",
            kind: "MultiClusterService",
            metadata: { name: `kof-${name}`, labels },
            spec: {
                dependsOn: [istio ? "kof-istio-regional-cluster" : "kof-regional-cluster"],
                clusterSelector: istio
                    ? { matchLabels: { ...regionLabels, [istioRole]: "member" } }
                    : {
                          matchLabels: { ...regionLabels },
                          matchExpressions: [{ key: istioRole, operator: "DoesNotExist" }],
                      },
                serviceSpec: {
                    services: [
                        {
                            name,
                            namespace: at("global", "namespace"),
                            template: templateName,
                            helmOptions: { wait: true },
                            values,
                        },
                    ],
                },
            },
        },
    };
}
