import { shortName } from "../../collectors/effective";
import { compact } from "../../lib/compact";
import { code, paragraphs, section, table } from "../../lib/markdown";
import { isMap, textOf, valueAt, type HelmValue, type HelmValues } from "../../lib/values";
import type { Deployment } from "../../routes/deployment";
import { podsOfStore, saysOfPods } from "../../routes/pods";
import { pipelineKinds } from "../../settings/pods";

/** What the pods of collectors and stores get, and what is added to them, where settings say anything of it. */
export function podSection(deployment: Deployment): string {
    if (!saysOfPods(deployment.settings)) {
        return "";
    }
    const rows = [
        ...deployment.collectors.map((collector) => podRow(shortName(collector), collector.pods)),
        ...deployment.stores.flatMap((store) => {
            const pods = podsOfStore(deployment, store);
            return pods ? [podRow(store.workload, pods)] : [];
        }),
    ];
    const added = additions(deployment).map((line) => `- ${line}`);
    const head = ["pods", "requests", "limits", "node selector", "tolerations", "priority class"];
    return section("Pods", paragraphs([table(head, rows), added.join("\n")]));
}

function podRow(name: string, pods: HelmValues): string[] {
    const amounts = (part: string) => pairs(valueAt(pods, ["resources", part]), " ").join(", ");
    const tolerations = Array.isArray(pods.tolerations) ? pods.tolerations.map(tolerationText) : [];
    const { priorityClassName = "" } = pods;
    return [
        name,
        amounts("requests"),
        amounts("limits"),
        pairs(pods.nodeSelector, "=").map(code).join(", "),
        tolerations.map(code).join(", "),
        priorityClassName === "" ? "" : code(textOf(priorityClassName)),
    ];
}

function pairs(map: HelmValue | undefined, between: string): string[] {
    return Object.entries(isMap(map) ? map : {})
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => `${key}${between}${textOf(value)}`);
}

/** As `kubectl taint` has it: `key=value:effect`. */
function tolerationText(toleration: HelmValue): string {
    const at = (key: string) => valueAt(toleration, [key]);
    const value = at("value") === undefined ? "" : `=${textOf(at("value"))}`;
    const effect = at("effect") === undefined ? "" : `:${textOf(at("effect"))}`;
    return `${textOf(at("key") ?? "*")}${value}${effect}`;
}

function additions({ settings: { collectors = {}, proxy } }: Deployment): string[] {
    const env = (collectors.env ?? []).map(({ name, valueFrom }) =>
        valueFrom ? `${code(name)} of Secret ${code(valueFrom.secretKeyRef.name)}` : code(name),
    );
    const processors = pipelineKinds.flatMap((kind) => {
        const names = (collectors.processors?.[kind] ?? []).map(({ name }) => code(name));
        return names.length > 0 ? [`${names.join(", ")} for ${kind}`] : [];
    });
    const proxies = (["http", "https"] as const).flatMap((scheme) =>
        proxy?.[scheme] === undefined ? [] : [`${code(proxy[scheme])} for ${scheme}://`],
    );
    const without = ["the cluster itself", ...(proxy?.noProxy ?? []).map(code)].join(", ");
    return compact(
        env.length > 0 && `Variables added to the collectors: ${env.join(", ")}`,
        processors.length > 0 && `Processors added to the collectors: ${processors.join("; ")}`,
        proxies.length > 0 && `Proxy of the collectors: ${proxies.join(", ")}, and none for ${without}`,
        // The proxy itself is in one of the variables.
        proxies.length === 0 && proxy?.noProxy && `Reached without the collectors' proxy: ${without}`,
    );
}
