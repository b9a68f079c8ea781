import { kofNamespace } from "../core/charts/namespace";

/** An object of Kubernetes, as far as it matters here. */
export interface ApiObject {
    readonly metadata: {
        readonly name: string;
        readonly namespace?: string;
        readonly uid?: string;
        readonly labels?: Readonly<Record<string, string>>;
        readonly annotations?: Readonly<Record<string, string>>;
        readonly generation?: number;
        readonly creationTimestamp?: string;
        /** Since when it is being deleted; of a pod, until when it may take to end. */
        readonly deletionTimestamp?: string;
        readonly ownerReferences?: readonly { readonly uid?: string; readonly name?: string }[];
    };
}

/** A condition in the status of an object. */
export interface StatusCondition {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
    readonly lastTransitionTime?: string;
}

/** Where the API has KOF's pods. */
export const podsPath = `/api/v1/namespaces/${kofNamespace}/pods`;

/** The collectors among them, by the label that the OpenTelemetry operator gives them. */
export const collectorPodsPath = `${podsPath}?labelSelector=app.kubernetes.io%2Fcomponent%3Dopentelemetry-collector`;

/** Where the API has the claims of KOF's volumes. */
export const claimsPath = `/api/v1/namespaces/${kofNamespace}/persistentvolumeclaims`;

/** One of them. */
export interface PersistentVolumeClaim extends ApiObject {
    readonly spec: {
        readonly volumeName?: string;
        readonly storageClassName?: string;
        readonly resources?: { readonly requests?: { readonly storage?: string } };
    };
    readonly status?: {
        readonly phase?: string;
        readonly capacity?: { readonly storage?: string };
        /** How a larger size is made: `ControllerResizeInfeasible` (Kubernetes 1.34, `PersistentVolumeClaimStatus`). */
        readonly allocatedResourceStatuses?: { readonly storage?: string };
    };
}

/** Where the API has KOF's StatefulSets. */
export const statefulSetsPath = `/apis/apps/v1/namespaces/${kofNamespace}/statefulsets`;

/** One of them: what its volumes were to be when it was made, which nothing changes. */
export interface StatefulSet extends ApiObject {
    readonly spec?: { readonly volumeClaimTemplates?: readonly PersistentVolumeClaim[] };
}

/** The templates of a StatefulSet's claims, each under the name of the first claim. */
export function firstClaims({ metadata: { name }, spec }: StatefulSet): PersistentVolumeClaim[] {
    return (spec?.volumeClaimTemplates ?? []).map((template) => ({
        ...template,
        metadata: { name: `${template.metadata.name}-${name}-0` },
    }));
}
