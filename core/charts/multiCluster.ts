import type { Catalog } from ".";
import { valueAt, type HelmValues } from "../lib/values";
import { completeValues, componentValues } from "./umbrella";

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
interface RegionalChart {
    readonly name: string;
    readonly version: string;
    /** The chart's values: a Go template, evaluated for each cluster (`.Cluster` is what Sveltos knows of it). */
    readonly values: string;
    /** The regional clusters that have it. */
    readonly regions: Regions;
}

/** Regional clusters: all of them, those that come later included, or those whose ClusterDeployments have these names. */
export type Regions = "all" | readonly string[];

/** KCM's objects, as Kubernetes' API names them. */
export const kcmApi = "/apis/k0rdent.mirantis.com/v1beta1";

/** The annotation that pauses what Sveltos installs (https://docs.k0rdent.io/latest/user/services/service-pause). */
export const pausedAnnotation = "k0rdent.mirantis.com/service-set-paused";

/** The labels of the ClusterDeployments of regions: KCM selects by labels alone. */
export const regionLabels = { "k0rdent.mirantis.com/kof-cluster-role": "regional" } as const;

/** The same as text, for `kubectl get -l`. */
export const regionQuery = Object.entries(regionLabels)
    .map((label) => label.join("="))
    .join(",");

/**
 * The label that has a ClusterDeployment's name. kof-operator adds it to each that has none, and KOF selects single regions by it for
 * their credentials (`addClusterNameLabel` in `internal/controller/clusterdeployment_controller.go`, KOF 1.8.0 to 1.11.0-rc0).
 */
export const regionNameLabel = "k0rdent.mirantis.com/kof-cluster-name";

/** Regional clusters, human-readable: `every regional cluster`, `regional clusters eu-1 and eu-2`. */
export function regionsText(regions: Regions): string {
    return regions === "all"
        ? "every regional cluster"
        : `regional cluster${regions.length > 1 ? "s" : ""} ${regions.join(", ").replace(/, ([^,]*)$/, " and $1")}`;
}

/** The object by which KOF itself is installed on regional clusters (`templates/regional-multi-cluster-service.yaml` of kof-regional). */
export function regionalService(istio: boolean): string {
    return istio ? "kof-istio-regional-cluster" : "kof-regional-cluster";
}

/** The object by which the stack has an archive's exporter installed on regional clusters. */
export function exporterService(exporter: string): string {
    return `kof-${exporter}`;
}

/** A selector of labels, as far as {@link regionSelector} has them. */
interface Selector {
    readonly matchLabels: Readonly<Record<string, string>>;
    readonly matchExpressions?: readonly { readonly key: string; readonly values?: readonly string[] }[];
}

/** Whether a selector takes an object with these labels. */
export function selects(selector: Selector, labels: Readonly<Record<string, string>>): boolean {
    const { matchLabels, matchExpressions = [] } = selector;
    return (
        Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
        matchExpressions.every(({ key, values }) =>
            values === undefined ? labels[key] === undefined : values.includes(labels[key] ?? ""),
        )
    );
}

/** The namespace of KCM's templates. */
export function kcmNamespace(catalog: Catalog, umbrella: HelmValues): string {
    const all = completeValues(catalog, umbrella);
    return valueAt(componentValues({ catalog, umbrella: all }, "kof-mothership"), ["kcm", "namespace"]) as string;
}

/** What the ClusterDeployments have to be like that KCM installs KOF's stores on, and of those the ones that are wanted. */
export function regionSelector(istio: boolean, regions: Regions): Selector {
    const named = regions === "all" ? [] : [{ key: regionNameLabel, operator: "In", values: [...regions] }];
    const matchExpressions = [...(istio ? [] : [{ key: istioRole, operator: "DoesNotExist" }]), ...named];
    return {
        matchLabels: istio ? { ...regionLabels, [istioRole]: "member" } : { ...regionLabels },
        ...(matchExpressions.length > 0 ? { matchExpressions } : {}),
    };
}

/** The label of clusters in Istio's mesh, with the value `member`. */
export const istioRole = "k0rdent.mirantis.com/istio-role";

/**
 * Has KCM install a chart where it installs KOF's stores on regional clusters, and after them. It is written as
 * kof-mothership and kof-regional write theirs (`templates/k0rdent/kof/svctmpl.yaml`, `templates/regional-multi-cluster-service.yaml`, KOF
 * 1.10.0 and 1.11.0-rc0).
 *
 * @param umbrella the umbrella's values.
 * @param istio whether the kof namespace is in the mesh, on which the name of KOF's own object depends.
 */
export function objectsOnRegions(
    catalog: Catalog,
    umbrella: HelmValues,
    istio: boolean,
    { name, version, values, regions }: RegionalChart,
): { readonly template: KcmObject; readonly service: KcmObject } {
    const all = completeValues(catalog, umbrella);
    const at = (...path: string[]) => valueAt(all, path) as string;
    // KCM gives its objects this label, over any other value, and takes them into its backups by it (AddKCMComponentLabel in
    // internal/util/labels/label.go, KCM 1.8 to 1.11). With another value every later change is a conflict of two owners, 409 of an API
    // server 1.36 (2026-11-27).
    const labels = { "k0rdent.mirantis.com/component": "kcm" };
    const templateName = `${name}-${version.replaceAll(".", "-")}`;
    const namespace = kcmNamespace(catalog, umbrella);
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
            metadata: { name: exporterService(name), labels },
            spec: {
                dependsOn: [regionalService(istio)],
                clusterSelector: regionSelector(istio, regions) as unknown as HelmValues,
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
