import { kubeStack } from "../charts";
import { kofNamespace } from "../charts/namespace";
import { arrives, changedVariable } from "../collectors/references";
import { quotedWord } from "../lib/shell";
import { formatPath, isMap, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import type { Deployment } from "../routes/deployment";
import { stackFile } from "../settings/explain";
import { brief, type Problem } from "../settings/problems";
import { ownName } from "../settings/secretRules";

/**
 * Variables in `kof:values`, of collectors of this cluster and of others, whose value Kubernetes would not get as it is written. A
 * ConfigMap passes on any text.
 */
export function changedVariables({ settings }: Deployment): Problem[] {
    return environments(settings.values).flatMap(([path, list]) => {
        const changed = list.map(
            (entry) => isMap(entry) && typeof entry.value === "string" && !arrives(entry as never),
        );
        const mended = list.map((entry, i) => (changed[i] === true ? fromConfigMap(entry as HelmValues) : entry));
        const texts = list.filter((_, i) => changed[i]) as { name: string; value: string }[];
        const run = `kubectl create configmap -n ${kofNamespace} ${ownName} ${texts
            .map(({ name, value }) => `--from-literal=${quotedWord(`${name}=${value}`)}`)
            .join(" ")}`;
        return list.flatMap((entry, i): Problem[] => {
            if (changed[i] !== true) {
                return [];
            }
            const { name, value } = entry as { name: string; value: string };
            // The template writes the name in the same way, wherever the value is from.
            const canMend = texts.every((each) => arrives({ name: each.name }));
            return [
                {
                    key: `kof:values.${formatPath([...path, String(i), "value"])}`,
                    message: `is ${brief(value)}, which never arrives: ${changedVariable({ name, value })}`,
                    allowed: `text that YAML reads without quotes as it is; any other from a ConfigMap on the cluster of the collectors`,
                    ...(canMend ? { run, paste: stackFile(["values", ...path], mended) } : {}),
                },
            ];
        });
    });
}

/** The lists of variables in values that opentelemetry-kube-stack gets, with their paths. */
function environments(values: HelmValues, path: readonly string[] = []): [readonly string[], HelmValue[]][] {
    return Object.entries(values).flatMap(([key, value]): [readonly string[], HelmValue[]][] => {
        if (!isMap(value)) {
            return [];
        }
        const at = [...path, key];
        if (key !== kubeStack) {
            return environments(value, at);
        }
        const collectors = isMap(value.collectors) ? Object.keys(value.collectors) : [];
        const places = [
            ["extraEnvs"],
            ["defaultCRConfig", "env"],
            ...collectors.map((name) => ["collectors", name, "env"]),
        ];
        return places.flatMap((place): [readonly string[], HelmValue[]][] => {
            const list = valueAt(value, place);
            return Array.isArray(list) ? [[[...at, ...place], list]] : [];
        });
    });
}

function fromConfigMap({ value: _, ...entry }: HelmValues): HelmValues {
    return { ...entry, valueFrom: { configMapKeyRef: { name: ownName, key: entry.name ?? "" } } };
}
