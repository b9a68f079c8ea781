import type { Kubernetes } from "../../live/kubernetes";
import type { AnyObject } from "./crds";
import { watch } from "./watch";

/** What an API server answers about the kinds that it has. */
interface Discovery {
    readonly items: readonly {
        readonly metadata: { readonly name?: string };
        readonly versions: readonly {
            readonly version: string;
            readonly resources?: readonly { resource: string; scope: string; verbs: readonly string[] }[];
        }[];
    }[];
}

type Identified = AnyObject["metadata"] & { readonly uid: string };

/**
 * Empties and removes namespaces as soon as they are deleted. Kubernetes' own controller waits for five seconds before it does the same,
 * because other API servers and etcd servers may not have heard of the deletion. Here there is one of each. If a finalizer keeps an
 * object, the namespace is left to that controller, which says so in its status.
 *
 * @returns ends it.
 */
export function hurryNamespaces(api: Kubernetes, kubeconfig: string): () => void {
    const begun = new Set<string>();
    const look = async () => {
        for (const { metadata } of await api.list<AnyObject>("/api/v1/namespaces")) {
            const { uid, name, deletionTimestamp } = metadata as Identified;
            if (deletionTimestamp !== undefined && !begun.has(uid)) {
                begun.add(uid);
                await emptyAndFinalize(api, name, uid);
            }
        }
    };
    return watch(kubeconfig, ["/api/v1/namespaces"], () => {
        // Where that fails, Kubernetes' controller is there.
        void look().catch(() => undefined);
    });
}

async function emptyAndFinalize(api: Kubernetes, name: string, uid: string): Promise<void> {
    const namespace = `/api/v1/namespaces/${name}`;
    const paths = await collections(api, name);
    const isEmpty = async (path: string) => (await api.list(`${path}?limit=1`)).length === 0;
    const emptied = await Promise.all(
        paths.map(async (path) => {
            if (await isEmpty(path)) {
                return true;
            }
            if (!(await leaving(api, namespace, uid))) {
                return false;
            }
            await api.request("DELETE", path, {
                headers: { "content-type": "application/json" },
                body: JSON.stringify({ propagationPolicy: "Background" }),
            });
            return isEmpty(path);
        }),
    );
    if (emptied.every(Boolean)) {
        await finalize(api, namespace, uid);
    }
}

async function finalize(api: Kubernetes, path: string, uid: string): Promise<void> {
    for (let tries = 0; tries < 10; tries++) {
        const namespace = await leaving(api, path, uid);
        if (!namespace) {
            return;
        }
        const { status } = await api.request("PUT", `${path}/finalize`, {
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ ...namespace, spec: { finalizers: [] } }),
        });
        // The garbage collector removes its own finalizer in between.
        if (status !== 409) {
            return;
        }
    }
}

/** A namespace that is being deleted; `undefined` when it is gone, though another may have its name by then. */
async function leaving(api: Kubernetes, path: string, uid: string): Promise<AnyObject | undefined> {
    const found = await api.get<AnyObject>(path);
    const { uid: present, deletionTimestamp } = (found?.metadata ?? {}) as Partial<Identified>;
    return present === uid && deletionTimestamp !== undefined ? found : undefined;
}

/** The paths of all that can be in a namespace, and be deleted. */
async function collections(api: Kubernetes, namespace: string): Promise<string[]> {
    const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    // Each version has the same objects of a kind.
    const paths = new Map<string, string>();
    for (const root of ["/api", "/apis"]) {
        const { body } = await api.request("GET", root, { headers: { accept } });
        for (const { metadata, versions } of (JSON.parse(body) as Discovery).items) {
            const group = [root, ...(metadata.name ? [metadata.name] : [])].join("/");
            for (const { version, resources = [] } of versions) {
                for (const { resource, scope, verbs } of resources) {
                    if (scope === "Namespaced" && verbs.includes("deletecollection")) {
                        paths.set(`${group} ${resource}`, `${group}/${version}/namespaces/${namespace}/${resource}`);
                    }
                }
            }
        }
    }
    return [...paths.values()];
}
