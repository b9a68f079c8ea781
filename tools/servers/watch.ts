import * as https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";

import { loadKubeconfig } from "../../live/kubeconfig";
import { logIn } from "../../live/login";

/**
 * Says when objects of a cluster may have changed: at first, with every event of theirs, and when the API server has been away. As the
 * servers, it does not keep this process alive.
 *
 * @param paths of the collections.
 * @returns ends it.
 */
export function watch(kubeconfig: string, paths: readonly string[], changed: () => void): () => void {
    const end = new AbortController();
    const tell = () => {
        if (!end.signal.aborted) {
            changed();
        }
    };
    for (const path of paths) {
        void watchOne(kubeconfig, path, tell, end.signal);
    }
    return () => {
        end.abort();
    };
}

async function watchOne(kubeconfig: string, path: string, changed: () => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
        await followPath(kubeconfig, path, changed, signal).catch(() => undefined);
        changed();
        await sleep(200, undefined, { signal, ref: false }).catch(() => undefined);
    }
}

/** Follows what happens from now on, until the server ends that, which it does after some minutes. */
async function followPath(kubeconfig: string, path: string, changed: () => void, signal: AbortSignal): Promise<void> {
    const access = loadKubeconfig({ kubeconfig });
    const { request } = await logIn(access);
    // The login keeps connections for more requests. This one has one of its own, which ends with it.
    const options: https.RequestOptions = { ...request, agent: false, signal };
    await new Promise<void>((resolve, reject) => {
        https
            .get(`${access.cluster.server.replace(/\/$/, "")}${path}?watch=true`, options, (response) => {
                response.on("data", changed);
                response.on("end", resolve);
                response.on("error", reject);
            })
            .on("socket", (socket) => {
                socket.unref();
            })
            .on("error", reject);
    });
}
