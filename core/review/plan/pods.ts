import { isDeepStrictEqual } from "node:util";

import { signals } from "../../charts";
import type { Collector } from "../../collectors/effective";
import { leaves, valueAt } from "../../lib/values";
import type { Deployment } from "../../routes/deployment";
import { podsOfStore } from "../../routes/pods";
import { notice, type Consequences } from "./consequence";
import { changesInstaller } from "./moves";

/** Which pods Kubernetes replaces, because settings say something else of them, or of the nodes that they run on. */
export function* podConsequences(from: Deployment, to: Deployment): Consequences {
    const changed = (["collectors", "proxy", "distribution"] as const).find(
        (key) => !isDeepStrictEqual(from.settings[key], to.settings[key]),
    );
    const replaced = changedCollectors(from, to);
    if (changed !== undefined && replaced.length > 0) {
        yield notice(
            `kof:${changed}`,
            `replaces the pods of ${replaced.map(({ name }) => name).join(", ")}: what is sent to one over OTLP meanwhile is missed, and a scrape, files are read on from where it stopped`,
        );
    }
    for (const signal of signals) {
        for (const store of to.stores.filter((each) => each.signal === signal)) {
            const before = from.stores.find(({ workload }) => workload === store.workload);
            const [was, is] = [before && podsOfStore(from, before), podsOfStore(to, store)];
            if (before && !isDeepStrictEqual(was, is)) {
                const labels = [...leaves(valueAt(is, ["nodeSelector"]) ?? {})];
                const leavesOut = labels.some(([key, value]) => valueAt(was, ["nodeSelector", ...key]) !== value);
                const bound = leavesOut
                    ? ". One whose volume is on a node, or in a zone, that the selector leaves out stays Pending"
                    : "";
                yield notice(
                    `kof:storage.${signal}`,
                    `replaces the pods of ${store.workload}, one after the other${bound}`,
                );
            }
        }
    }
}

/**
 * The collectors whose pods are replaced because they run with something else: another configuration, or what they read at their start
 * only. What another installer makes is new, and that the content of a Secret changes is not known here.
 */
export function restartsOf(from: Deployment, to: Deployment): string[] {
    return changesInstaller(from, to) ? [] : changedCollectors(from, to).map(({ name }) => name);
}

function changedCollectors(from: Deployment, to: Deployment): Collector[] {
    return to.collectors.filter((collector) => {
        const before = from.collectors.find(({ key }) => key === collector.key);
        return before !== undefined && !isDeepStrictEqual(before, collector);
    });
}
