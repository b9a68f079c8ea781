import { kcmApi, regionLabels, selects } from "../core/charts/multiCluster";
import type { Kubernetes } from "./kubernetes";
import type { ApiObject, StatusCondition } from "./objects";

interface ClusterDeployment extends ApiObject {
    readonly status?: { readonly conditions?: readonly StatusCondition[] };
}

/** A region, by its ClusterDeployment: `kcm-system/eu-1`. */
export interface RegionalCluster {
    readonly namespace: string;
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    /** Since when it is there, in RFC 3339. */
    readonly created: string | undefined;
    /** Why KCM does not count it as ready; `undefined` where it does, or does not say. */
    readonly unready: string | undefined;
}

/** The ClusterDeployments that are there, regions and others; those that are being deleted are not. */
export async function clusterDeployments(api: Pick<Kubernetes, "list">): Promise<RegionalCluster[]> {
    const found = await api.list<ClusterDeployment>(`${kcmApi}/clusterdeployments`);
    return found
        .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
        .map(({ metadata: { namespace = "", name, labels = {}, creationTimestamp: created }, status }) => {
            const ready = status?.conditions?.find(({ type }) => type === "Ready");
            const unready = ready?.status === "False" ? (ready.message ?? "") : undefined;
            return { namespace, name, labels, created, unready };
        });
}

/** The regions among clusters. */
export function regionsAmong(clusters: readonly RegionalCluster[]): RegionalCluster[] {
    return clusters.filter(({ labels }) => selects({ matchLabels: regionLabels }, labels));
}
