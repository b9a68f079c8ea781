import { compact } from "../lib/compact";
import { isMap, textOf, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import { withoutQuotes } from "../lib/yaml/read";
import type { Collector, EnvVar } from "./effective";
import { pipelinesOf, typeOf } from "./flows";

/** Set by nothing in KOF's charts, where it stands for "all addresses" (opentelemetry-kube-stack's own default). */
const emptyOnPurpose = "MY_POD_IP";
/** What the OpenTelemetry Operator and the kubeletstats preset add to a container. */
export const operatorVariables = ["POD_NAME", "GOMEMLIMIT", "GOMAXPROCS", "K8S_NODE_NAME"];

/**
 * What a collector refers to but does not have: components of pipelines, pipelines of connectors, extensions, authenticators,
 * storage and its directories, observers, volumes and environment variables. A collector with any of these stops at its start,
 * or sends nothing.
 */
export function danglingReferences(collector: Collector): string[] {
    const used = usedComponents(collector);
    const found = [
        ...pipelineProblems(collector),
        ...connectorProblems(collector),
        ...extensionProblems(collector, used),
        ...volumeProblems(collector),
        ...variableProblems(collector, used),
    ];
    return [...new Set(found)];
}

/** A component that runs: `exporters otlphttp/logs`, with its settings. Those that no pipeline names are not started. */
type Used = readonly (readonly [string, HelmValue | undefined])[];

const kinds = ["receivers", "processors", "exporters"] as const;

function defined({ config }: Collector, kind: string): string[] {
    return Object.keys((config[kind] ?? {}) as HelmValues);
}

function listAt(values: HelmValue, ...path: readonly string[]): string[] {
    const list = valueAt(values, path);
    return Array.isArray(list) ? (list as string[]) : [];
}

/** Where a component that a pipeline names is defined: a connector ends one pipeline and starts another. */
function placeOf(collector: Collector, kind: string, id: string): string {
    return kind !== "processors" && defined(collector, "connectors").includes(id) ? "connectors" : kind;
}

function usedComponents(collector: Collector): Used {
    const { config } = collector;
    const used = Object.values(pipelinesOf(collector.config)).flatMap((pipeline) =>
        kinds.flatMap((kind) => listAt(pipeline, kind).map((id) => [placeOf(collector, kind, id), id] as const)),
    );
    const enabled = listAt(config, "service", "extensions").map((id) => ["extensions", id] as const);
    return [...used, ...enabled].map(([place, id]) => [`${place} ${id}`, valueAt(config, [place, id])]);
}

function pipelineProblems(collector: Collector): string[] {
    return Object.entries(pipelinesOf(collector.config)).flatMap(([name, pipeline]) =>
        kinds.flatMap((kind) => {
            const ids = listAt(pipeline, kind);
            return compact(
                ids.length === 0 && kind !== "processors" && `pipeline ${name} has no ${kind}`,
                ...ids
                    .filter((id) => !defined(collector, placeOf(collector, kind, id)).includes(id))
                    .map((id) => `pipeline ${name} names ${id}, which is not among the ${kind}`),
            );
        }),
    );
}

function connectorProblems(collector: Collector): string[] {
    const pipelines = pipelinesOf(collector.config);
    const ends = (kind: string) => new Set(Object.values(pipelines).flatMap((pipeline) => listAt(pipeline, kind)));
    const [received, sent] = [ends("receivers"), ends("exporters")];
    return defined(collector, "connectors").flatMap((id) => {
        const settings = valueAt(collector.config, ["connectors", id]) ?? {};
        const table = listAt(settings, "table") as unknown as HelmValue[];
        const targets = [
            ...listAt(settings, "default_pipelines"),
            ...table.flatMap((entry) => listAt(entry, "pipelines")),
        ];
        return sent.has(id) || received.has(id)
            ? compact(
                  !received.has(id) && `connector ${id} is an exporter of a pipeline, but a receiver of none`,
                  !sent.has(id) && `connector ${id} is a receiver of a pipeline, but an exporter of none`,
                  ...targets
                      .filter((name) => !Object.hasOwn(pipelines, name))
                      .map((name) => `connector ${id} routes to the pipeline ${name}, which is not defined`),
              )
            : [];
    });
}

function extensionProblems(collector: Collector, used: Used): string[] {
    const listed = listAt(collector.config, "service", "extensions");
    const needs = used.flatMap(([component, settings]) =>
        [
            valueAt(settings, ["auth", "authenticator"]),
            valueAt(settings, ["sending_queue", "storage"]),
            component.startsWith("receivers") ? valueAt(settings, ["storage"]) : undefined,
            ...listAt(settings ?? null, "watch_observers"),
        ]
            .filter((id) => typeof id === "string")
            .map((id) => [component, id] as const),
    );
    return [
        ...listed
            .filter((id) => !defined(collector, "extensions").includes(id))
            .map((id) => `service.extensions lists ${id}, which is not among the extensions`),
        ...defined(collector, "exporters")
            .filter((id) => !isMap(valueAt(collector.config, ["exporters", id])))
            .map((id) => `exporter ${id} is null, which the collector refuses even unused`),
        ...needs
            .filter(([, id]) => !listed.includes(id))
            .map(([component, id]) => `${component} uses ${id}, which is not in service.extensions`),
    ];
}

function volumeProblems({ config, pods }: Collector): string[] {
    const volumes = new Set(((pods.volumes ?? []) as HelmValues[]).map(({ name }) => name));
    const mounts = (pods.volumeMounts ?? []) as HelmValues[];
    const stores = listAt(config, "service", "extensions")
        .filter((id) => typeOf(id) === "file_storage")
        .map((id) => [id, valueAt(config, ["extensions", id, "directory"])] as const);
    const holds = (directory: string) =>
        mounts.some(({ mountPath }) => `${directory}/`.startsWith(`${textOf(mountPath)}/`));
    return [
        ...mounts
            .filter(({ name }) => !volumes.has(name))
            .map((mount) => `volumeMounts has ${textOf(mount.name)}, which is not among the volumes`),
        ...stores.flatMap(([id, directory]) =>
            typeof directory === "string" && !holds(directory)
                ? [`extension ${id} needs the directory ${directory}, which no volume is mounted at`]
                : [],
        ),
    ];
}

function variableProblems({ config, env }: Collector, used: Used): string[] {
    const available = new Set([...env.map(({ name }) => name), ...operatorVariables, emptyOnPurpose]);
    const missing = [...used, ["service", config.service] as const].flatMap(([component, settings]) =>
        expandedVariables(settings ?? null)
            .filter(({ name, hasDefault }) => !hasDefault && !available.has(name))
            .map(({ name }) => name)
            .map((name) => `${component} uses the variable ${name}, which is not in env`),
    );
    return [...missing, ...env.filter((each) => !arrives(each)).map(changedVariable)];
}

interface Variable {
    readonly name: string;
    /** Whether the reference has a default for a missing variable: `${env:NAME:-text}`. */
    readonly hasDefault: boolean;
}

/** The variables that a collector expands in a part of its configuration. `$$` is a dollar sign to it, and `$${NAME}` no reference (contrib 0.143). */
export function expandedVariables(values: HelmValue): Variable[] {
    return [...JSON.stringify(values).matchAll(/(?<!\$)(?:\$\$)*\$\{(?:env:)?([A-Za-z_]\w*)(:-[^}]*)?\}/g)].map(
        ([, name = "", otherwise]) => ({ name, hasDefault: otherwise !== undefined }),
    );
}

/** Whether Kubernetes gets the name and the value of a variable as they are written (`renderenvs` in `templates/_helpers.tpl`). */
export function arrives({ name, value = name }: EnvVar): boolean {
    return [name, textOf(value)].every((text) => withoutQuotes(text) === text);
}

/** What becomes of one that does not. */
export function changedVariable({ name, value }: EnvVar): string {
    return `env has ${name}: ${textOf(value)}, which the chart writes without quotes, so that Kubernetes reads something else`;
}
