import { CouldNotCheck } from "../../core/lib/errors";
import type { Cluster } from "../../stacks/place";

/** A cluster that has these objects, by their path in the API. An error is what comes of looking at one. */
export function clusterWith(objects: Readonly<Record<string, object>>): Cluster {
    const system = { metadata: { name: "kube-system", uid: "uid-1" } };
    const all: Record<string, object> = { "/api/v1/namespaces/kube-system": system, ...objects };
    const get = <T>(path: string): Promise<T | undefined> => {
        const found = all[path];
        return found instanceof CouldNotCheck ? Promise.reject(found) : Promise.resolve(found as T | undefined);
    };
    return {
        server: "https://api.example.net",
        get,
        list: async <T>(path: string) => (await get<{ items: T[] }>(path))?.items ?? [],
    };
}
