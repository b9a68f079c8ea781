import { isMap, valueAt, type HelmValue, type HelmValues } from "../catalog/values";
import type { Collector } from "./effective";

/** Set by nothing in KOF's charts, where it stands for "all addresses" (opentelemetry-kube-stack's own default). */
const emptyOnPurpose = "MY_POD_IP";
/** What the OpenTelemetry Operator and the kubeletstats preset add to a container. */
const operatorVariables = ["POD_NAME", "GOMEMLIMIT", "GOMAXPROCS", "K8S_NODE_NAME"];

/**
 * What a collector's configuration refers to but does not have: components of pipelines, extensions, authenticators,
 * storage, volumes, observers and environment variables. A collector with any of these stops at its start, or sends nothing.
 */
export function danglingReferences({ config, env, mounts }: Collector): string[] {
    const found: string[] = [];
    const defined = (kind: string) => Object.keys((config[kind] ?? {}) as HelmValues);
    const listed = (valueAt(config, ["service", "extensions"]) ?? []) as string[];
    const pipelines = (valueAt(config, ["service", "pipelines"]) ?? {}) as HelmValues;
    const connectors = defined("connectors");
    const used = new Map<string, HelmValue | undefined>();
    const expect = (ok: boolean, problem: string) => {
        if (!ok) {
            found.push(problem);
        }
    };

    for (const [name, pipeline] of Object.entries(pipelines)) {
        for (const kind of ["receivers", "processors", "exporters"] as const) {
            const ids = (valueAt(pipeline, [kind]) ?? []) as string[];
            expect(ids.length > 0 || kind === "processors", `pipeline ${name} has no ${kind}`);
            for (const id of ids) {
                const place = connectors.includes(id) ? "connectors" : kind;
                expect(defined(place).includes(id), `pipeline ${name} names ${id}, which is not among the ${kind}`);
                used.set(`${place} ${id}`, valueAt(config, [place, id]));
            }
        }
    }
    for (const id of listed) {
        expect(defined("extensions").includes(id), `service.extensions lists ${id}, which is not among the extensions`);
        used.set(`extensions ${id}`, valueAt(config, ["extensions", id]));
        const folder = valueAt(config, ["extensions", id, "directory"]);
        expect(
            !id.startsWith("file_storage") || typeof folder !== "string" || mounts.includes(folder),
            `extensions ${id} keeps its files in ${JSON.stringify(folder)}, where no volume is mounted`,
        );
    }
    for (const id of defined("exporters")) {
        expect(
            isMap(valueAt(config, ["exporters", id])),
            `exporter ${id} is null, which the collector refuses even unused`,
        );
    }
    for (const [component, settings] of used) {
        const extensions = [
            valueAt(settings, ["auth", "authenticator"]),
            valueAt(settings, ["sending_queue", "storage"]),
            component.startsWith("receivers") ? valueAt(settings, ["storage"]) : undefined,
            ...((valueAt(settings, ["watch_observers"]) ?? []) as string[]),
        ].filter((id) => typeof id === "string");
        for (const id of extensions) {
            expect(listed.includes(id), `${component} uses ${id}, which is not in service.extensions`);
        }
    }
    const available = [...Object.keys(env), ...operatorVariables, emptyOnPurpose];
    const service = valueAt(config, ["service"]);
    for (const [component, settings] of [...used, ["service", service] as const]) {
        for (const [, name = ""] of JSON.stringify(settings ?? null).matchAll(/(?<!\$)\$\{env:(\w+)/g)) {
            expect(available.includes(name), `${component} uses the variable ${name}, which is not in env`);
        }
    }
    return [...new Set(found)];
}
