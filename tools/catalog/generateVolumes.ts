import * as path from "node:path";

import type { CatalogLimit, CatalogPlace, CatalogSetting, CatalogSwitch, CatalogVolume } from "../../core/charts";
import { UserError } from "../../core/lib/errors";
import { settingIn } from "../../core/charts/setting";
import { dependenciesOf, readChartText, readValues, templatesOf } from "./chartFiles";
import { namedTemplates, Template } from "./templates";
import { coalesceValues, formatPath, isMap, valueAt, type HelmValues } from "../../core/lib/values";

type Path = readonly string[];
type Kind = "StatefulSet" | "VMCluster" | "VLCluster" | "Grafana";

/** A workload with volumes, and the template that makes it, within its chart. */
interface Workload extends Pick<CatalogVolume, "workload" | "signal" | "cache"> {
    readonly template: string;
    readonly kind: Kind;
}

const vmcluster = { template: "templates/victoria/vmcluster.yaml", kind: "VMCluster", signal: "metrics" } as const;
const audit = { template: "templates/victoria/vlcluster-audit.yaml", kind: "VLCluster", signal: "audit" } as const;
const dependency = (name: string, file: string) =>
    ({ template: `charts/${name}/templates/${file}`, kind: "StatefulSet" }) as const;
const logs = { ...dependency("victoria-logs-cluster", "vlstorage-server.yaml"), signal: "logs" } as const;
const traces = { ...dependency("victoria-traces-cluster", "vtstorage-server.yaml"), signal: "traces" } as const;
const grafana = { template: "templates/grafana/grafana.yaml", kind: "Grafana", signal: "grafana" } as const;

/** The workloads with volumes, by the path at which the charts describe them. */
const volumeWorkloads: Readonly<Record<string, Workload>> = {
    "victoriametrics.vmcluster.spec.vmstorage": { ...vmcluster, workload: "vmstorage", cache: false },
    "victoriametrics.vmcluster.spec.vmselect": { ...vmcluster, workload: "vmselect", cache: true },
    "victoriametrics.vlcluster_audit.spec.vlstorage": { ...audit, workload: "vlstorage-audit", cache: false },
    "victoria-logs-cluster.vlstorage": { ...logs, workload: "vlstorage", cache: false },
    "victoria-traces-cluster.vtstorage": { ...traces, workload: "vtstorage", cache: false },
    grafana: { ...grafana, workload: "grafana", cache: false },
};

const claim = ["storage", "volumeClaimTemplate"];
const request = ["resources", "requests", "storage"];
/** How the charts describe a volume: where its size is within the values of its workload. */
const sizes: readonly Path[] = [
    [...claim, "spec", ...request],
    ["persistentVolume", "size"],
    ["pvc", ...request],
];

/** Where the settings of a volume are, each in the order in which its chart, and the charts that get its values, look for them. */
interface Places {
    readonly size: readonly Path[];
    readonly storageClass: readonly Path[];
    readonly replicas?: readonly Path[];
    readonly autoscaler?: readonly Path[];
    readonly retention?: readonly Path[];
    /** The one of the places of retention that the program writes, where that is not the first. */
    readonly retentionWritten?: Path;
    readonly replicationFactor?: readonly Path[];
    readonly limits?: readonly { readonly kind: CatalogLimit["kind"]; readonly places: readonly Path[] }[];
    /** Bare numbers here count GiB. */
    readonly gibibytes?: readonly Path[];
    readonly location?: readonly (readonly Path[])[];
    readonly entrance?: readonly (readonly Path[])[];
    /** What else stands in fields of a StatefulSet that are immutable, by what the template of the workload reads. */
    readonly fixed?: readonly (readonly Path[])[];
    /** The same by what a library's template reads. */
    readonly selected?: readonly (readonly Path[])[];
    readonly port?: readonly Path[];
    readonly claimRetention?: readonly Path[];
    /** That a pod's own disk takes the place of the volume, where no template decides it. */
    readonly emptyDir?: readonly Path[];
}

/**
 * Where a kind of workload has its settings.
 *
 * - `StatefulSet`: charts victoria-logs-cluster 0.0.25 to 0.1.5 and victoria-traces-cluster 0.0.3 to 0.1.1, `_helpers.tpl` and
 *   `*storage-server.yaml`. What a workload's values lack is read from `common`, and `extraArgs` win over all other flags.
 * - `VMCluster`, `VLCluster`: VictoriaMetrics operator 0.67.0, `internal/controller/operator/factory/{vmcluster,vlcluster}`
 *   (`extraArgs` replace a flag of the same name) and `StorageSpec.IntoSTSVolume` in `api/operator/v1beta1/vmextra_types.go`.
 *
 * @param own the path of the workload's values, within the chart whose template makes it.
 */
const placesOfKind: Readonly<Record<Kind, (own: Path) => Places>> = {
    StatefulSet: (own) => {
        const shared = (...path: string[]) => [
            [...own, ...path],
            ["common", ...path],
        ];
        // vlinsert takes in what vlstorage stores, vtinsert what vtstorage stores.
        const insert = (own.at(-1) ?? "").replace("storage", "insert");
        const ofInsert = (...path: string[]) => [
            [...own.slice(0, -1), insert, ...path],
            ["common", ...path],
        ];
        const names = [
            [["fullnameOverride"], ["global", "fullnameOverride"], ownGlobal("fullnameOverride")],
            [["nameOverride"]],
            [["namespaceOverride"], ["global", "namespaceOverride"], ownGlobal("namespaceOverride")],
        ];
        return {
            size: shared("persistentVolume", "size"),
            storageClass: shared("persistentVolume", "storageClassName"),
            replicas: shared("replicaCount"),
            autoscaler: [[...own, "horizontalPodAutoscaler", "enabled"]],
            retention: [...shared("extraArgs", "retentionPeriod"), ...shared("retentionPeriod")],
            limits: [
                {
                    kind: "bytes",
                    places: [
                        ...shared("extraArgs", "retention.maxDiskSpaceUsageBytes"),
                        ...shared("retentionDiskSpaceUsage"),
                    ],
                },
                {
                    kind: "percent",
                    places: [
                        ...shared("extraArgs", "retention.maxDiskUsagePercent"),
                        ...shared("retentionMaxDiskUsagePercent"),
                    ],
                },
            ],
            gibibytes: shared("retentionDiskSpaceUsage"),
            location: [
                shared("persistentVolume", "name"),
                shared("persistentVolume", "subPath"),
                shared("fullnameOverride"),
                ...names,
                shared("extraArgs", "storageDataPath"),
            ],
            fixed: [
                shared("persistentVolume", "annotations"),
                shared("persistentVolume", "extraLabels"),
                shared("persistentVolume", "accessModes"),
                shared("persistentVolume", "volumeAttributeClassName"),
                shared("podManagementPolicy"),
            ],
            // The labels of `spec.selector`: `vm.selectorLabels` of victoria-metrics-common 0.0.42 to 0.3.0.
            selected: [
                shared("name"),
                [["global", "nameOverride"], ownGlobal("nameOverride")],
                [["argocdReleaseOverride"]],
            ],
            entrance: [
                ofInsert("enabled"),
                [[...own.slice(0, -1), insert, "service", "enabled"]],
                ofInsert("fullnameOverride"),
                ...names,
            ],
            port: [[...own.slice(0, -1), insert, "service", "servicePort"]],
        };
    },
    VMCluster: (own) => {
        const spec = own.slice(0, -1);
        return {
            ...operated(own),
            retention: [
                [...own, "extraArgs", "retentionPeriod"],
                [...spec, "retentionPeriod"],
            ],
            retentionWritten: [...spec, "retentionPeriod"],
            replicationFactor: [
                [...spec, "vminsert", "extraArgs", "replicationFactor"],
                [...spec, "replicationFactor"],
            ],
            limits: [{ kind: "filter", places: [[...own, "extraArgs", "retentionFilter"]] }],
        };
    },
    VLCluster: (own) => ({
        ...operated(own),
        retention: [
            [...own, "extraArgs", "retentionPeriod"],
            [...own, "retentionPeriod"],
        ],
        retentionWritten: [...own, "retentionPeriod"],
        limits: [
            {
                kind: "bytes",
                places: [
                    [...own, "extraArgs", "retention.maxDiskSpaceUsageBytes"],
                    [...own, "retentionMaxDiskSpaceUsageBytes"],
                ],
            },
            { kind: "percent", places: [[...own, "extraArgs", "retention.maxDiskUsagePercent"]] },
        ],
    }),
    Grafana: (own) => ({ size: [[...own, "pvc", ...request]], storageClass: [["global", "storageClass"]] }),
};

/** A global that is given to a dependency alone, instead of to the chart that installs it. */
function ownGlobal(key: string): Path {
    return ["", "global", key];
}

/** What all workloads of the VictoriaMetrics operator have in common. */
function operated(own: Path): Places {
    return {
        size: [[...own, ...claim, "spec", ...request]],
        // The charts put their class over that of the claim: vmcluster.yaml, vlcluster-audit.yaml.
        storageClass: [
            ["global", "storageClass"],
            [...own, ...claim, "spec", "storageClassName"],
        ],
        replicas: [[...own, "replicaCount"]],
        autoscaler: [[...own, "hpa"]],
        port: [[...own.slice(0, -1), (own.at(-1) ?? "").replace("storage", "insert"), "port"]],
        location: [
            [[...own, ...claim, "metadata", "name"]],
            [[...own, "storage", "disableMountSubPath"]],
            [[...own, "extraArgs", "storageDataPath"]],
        ],
        claimRetention: [[...own, "persistentVolumeClaimRetentionPolicy"]],
        emptyDir: [[...own, "storage", "emptyDir"]],
    };
}

/** Last keys of values that may decide whether there is a volume, or what happens to its content. */
const telling = /^enabled$|^install|^hpa$|retention|persisten|emptyDir|claim|pvc|storage|size|disk|replica|volume/i;

const operatorsAside = [
    ...["claimTemplates", "volumes", "volumeMounts", "resources.claims", "storageDataPath", "futureRetention"],
    // Of the autoscaler.
    ...["hpa.minReplicas", "hpa.maxReplicas"],
];
/** Values with such keys that decide nothing of the kind, by the ends of their paths. */
const aside: Readonly<Record<Kind, readonly string[]>> = {
    // The user's own volumes; what the pod may do; how large an emptyDir gets.
    StatefulSet: [
        ...["extraVolumes", "extraVolumeMounts", "securityContext.enabled", "podSecurityContext.enabled"],
        "emptyDir",
    ],
    // The user's own volumes; where in the pod the volume is; what is taken in although it is of the future.
    VMCluster: operatorsAside,
    VLCluster: operatorsAside,
    // How people reach Grafana.
    Grafana: ["ingress.enabled", "gateway.enabled", "dex.enabled", "cert-manager.enabled"],
};

/** Values that templates and the operator hand on as a whole. */
const handedOn = ["extraArgs", "resources"];

/** What a template writes where it asks for a volume. */
export const asksForVolume =
    /\bvolumeClaimTemplates?\b(?!: \[\])|kind: PersistentVolumeClaim\b|persistentVolumeClaim:\s+spec:/;

/** The fields of a kind of the VictoriaMetrics operator, by their paths below `spec`. */
export type OperatorFields = ReadonlySet<string>;

/**
 * The volumes of a chart and of the dependencies that it installs, with every value on which they depend.
 *
 * @param folder holds the chart.
 * @param values its default values.
 * @param fieldsOf the fields of a kind, whose values a chart hands to the operator without reading them.
 * @throws UserError when the chart has a volume that has no name yet, or reads a value on the way to a volume that nobody has
 * classified: all of them at once.
 */
export function readVolumes(
    folder: string,
    values: HelmValues,
    fieldsOf: (kind: string) => OperatorFields,
): CatalogVolume[] {
    const report: string[] = [];
    const owners = [...volumeOwners(values)];
    for (const owner of owners.map(formatPath).filter((at) => volumeWorkloads[at] === undefined)) {
        report.push(
            `Chart ${path.basename(folder)} has a volume at ${owner} that has no name yet: add it to workloads in tools/catalog/generateVolumes.ts.`,
        );
    }
    const sources = owners.flatMap((owner) => {
        const workload = volumeWorkloads[formatPath(owner)];
        return workload ? [sourceOf(folder, values, owner, workload, fieldsOf)] : [];
    });
    const volumes = sources.map((source) => volumeOf(source, report));
    const known = new Set(volumes.flatMap((volume) => [...placesIn(volume)].flatMap(prefixes)));
    report.push(...sources.flatMap((source) => unclassified(source, known)));
    if (report.length > 0) {
        throw new UserError([...new Set(report)].join("\n"));
    }
    return volumes;
}

/** The paths of the workloads that own a volume. */
function* volumeOwners(values: HelmValues, path: Path = []): Generator<Path> {
    if (sizes.some((size) => valueAt(values, size) !== undefined)) {
        yield path;
    }
    for (const [key, value] of Object.entries(values)) {
        if (isMap(value)) {
            yield* volumeOwners(value, [...path, key]);
        }
    }
}

/** All there is to read of one volume. */
interface Source {
    readonly workload: Workload;
    /** The name of the template, for people. */
    readonly name: string;
    readonly template: Template;
    /** What the template reads of the values of its chart. */
    readonly reads: ReadonlySet<string>;
    /** What the operator reads of the values that the template hands on. */
    readonly fields: OperatorFields | undefined;
    /** The dependency that the template is of, as a path of the chart's values; empty for the chart itself. */
    readonly prefix: Path;
    /** The workload's values within those of the template's chart. */
    readonly own: Path;
    /** The chart's default values, the dependency's included. */
    readonly defaults: HelmValues;
    /** The values that Helm looks at before it installs the dependency. */
    readonly condition: readonly Path[];
}

function sourceOf(
    chart: string,
    values: HelmValues,
    owner: Path,
    workload: Workload,
    fieldsOf: (kind: string) => OperatorFields,
): Source {
    const { template: file, kind } = workload;
    const [, name] = /^charts\/([^/]+)\//.exec(file) ?? [];
    const prefix = name === undefined ? [] : [name];
    const folder = name === undefined ? chart : path.join(chart, "charts", name);
    const named = namedTemplates(templatesOf(folder).map((each) => readChartText(path.join(folder, each))));
    const template = new Template(readChartText(path.join(chart, file)), named);
    return {
        workload,
        name: `${path.basename(chart)}/${file}`,
        template,
        reads: new Set(template.reads().map(formatPath)),
        fields: kind === "VMCluster" || kind === "VLCluster" ? fieldsOf(kind) : undefined,
        prefix,
        own: owner.slice(prefix.length),
        defaults: coalesceValues(name === undefined ? {} : { [name]: readValues(folder) }, values),
        condition: dependenciesOf(chart).find(({ key }) => key === name)?.conditions ?? [],
    };
}

function volumeOf(source: Source, report: string[]): CatalogVolume {
    const { workload, signal, cache, kind } = source.workload;
    const places = placesOfKind[kind](source.own);
    const setting = (paths: readonly Path[] | undefined, written?: Path): CatalogSetting | null => {
        const read = (paths ?? []).filter((path) => isReadBySource(source, path));
        return read.length > 0 ? settingAt(source, read, written) : null;
    };
    const needed = (what: string, paths: readonly Path[] | undefined, written?: Path): CatalogSetting => {
        const found = setting(paths, written);
        if (!found) {
            report.push(`${source.name} does not read the ${what} of ${workload} where it did: see placesOfKind.`);
        }
        return found ?? settingAt(source, paths ?? []);
    };
    const [outside, inside] = conditionsOf(source, report);
    const onDisk = places.emptyDir
        ? [{ ...settingAt(source, places.emptyDir), on: "missing", otherwise: "emptyDir" } as const]
        : [];
    const stores = !cache && signal !== "grafana";
    const autoscaler = setting(places.autoscaler);
    return {
        chart: source.name.split("/")[0] ?? "",
        workload,
        signal,
        cache,
        expands: source.fields !== undefined,
        switches: [...(source.condition.length > 0 ? [installed(source)] : []), ...outside],
        persistence: [
            ...inside.map((each) => ({
                ...each,
                otherwise: each.path.at(-1) === "existingClaim" ? ("existingClaim" as const) : ("emptyDir" as const),
            })),
            ...onDisk,
        ],
        size: needed("size", places.size),
        storageClass: needed("class", places.storageClass),
        replicas: places.replicas ? needed("number of replicas", places.replicas) : null,
        autoscaler: autoscaler && { ...autoscaler, on: "true" },
        retention: stores ? needed("retention", places.retention, places.retentionWritten) : null,
        limits: (stores ? (places.limits ?? []) : []).flatMap(({ kind: what, places: paths }): CatalogLimit[] => {
            const found = setting(paths);
            const gibibytes = new Set((places.gibibytes ?? []).map((path) => formatPath([...source.prefix, ...path])));
            const bare = (each: CatalogPlace) =>
                what === "bytes"
                    ? { ...each, bare: gibibytes.has(formatPath(each.path)) ? ("GiB" as const) : ("B" as const) }
                    : each;
            return found ? [{ kind: what, ...found, places: found.places.map(bare) }] : [];
        }),
        replicationFactor: stores ? setting(places.replicationFactor, places.replicationFactor?.at(-1)) : null,
        // Names are made in a library's templates, of keys that are not spelt out there.
        location: (places.location ?? []).map((paths) => settingAt(source, paths)),
        entrance: (places.entrance ?? []).map((paths) => settingAt(source, paths)),
        port: stores && places.port ? settingAt(source, places.port) : null,
        claimRetention: setting(places.claimRetention),
        fixed: [
            ...(places.fixed ?? []).flatMap((paths) => setting(paths) ?? []),
            ...(places.selected ?? []).map((paths) => settingAt(source, paths)),
        ],
    };
}

/** A setting that is read from these places of the template's chart. */
function settingAt({ prefix, defaults }: Source, paths: readonly Path[], written = paths[0]): CatalogSetting {
    // A dependency has the globals of the chart that installs it, and what it is given of its own where those say nothing.
    const within = (path: Path) =>
        path[0] === "global" ? path : [...prefix, ...(path[0] === "" ? path.slice(1) : path)];
    const place = (path: Path): CatalogPlace => ({
        path: within(path),
        default: valueAt(defaults, within(path)) ?? null,
    });
    const places = paths.map(place);
    const applies = settingIn({ places }, undefined)?.value ?? null;
    return { path: within(written ?? []), default: applies, places };
}

/** Helm installs a dependency unless the first value that its condition finds is false. */
function installed({ condition, defaults }: Source): CatalogSwitch {
    const places = condition.map((path) => ({ path, default: valueAt(defaults, path) ?? true }));
    const [first = { path: [], default: true }] = places;
    return { ...first, places, on: "true" };
}

/** The switches around the workload, and those around its claim alone. */
function conditionsOf(source: Source, report: string[]): [CatalogSwitch[], CatalogSwitch[]] {
    const { template, workload, name } = source;
    const at = (what: RegExp) => template.conditionsAt(template.text.search(what));
    const around = at(new RegExp(`^kind: ${workload.kind}$`, "m"));
    const claim = source.fields ? around : at(asksForVolume);
    const read = (conditions: typeof around) =>
        conditions.flatMap(({ pipeline, negated }) => {
            const found = conditionSwitches(source, pipeline, negated);
            if (!found) {
                report.push(
                    `${name} makes ${workload.workload} under a condition that is no list of switches: ${pipeline}. Teach conditionSwitches in tools/catalog/generateVolumes.ts to read it.`,
                );
            }
            return found ?? [];
        });
    return [read(around), read(claim.slice(around.length))];
}

/** The switches that a condition is made of: all of them have to be on. `undefined` when it is anything else. */
function conditionSwitches(source: Source, pipeline: string, negated: boolean): CatalogSwitch[] | undefined {
    const text = pipeline.trim();
    const bare = /^\(([^()]*)\)$/.exec(text)?.[1];
    if (bare !== undefined) {
        return conditionSwitches(source, bare, negated);
    }
    const [, not] = /^not\s+(\S+|\([^()]*\))$/.exec(text) ?? [];
    if (not !== undefined) {
        return conditionSwitches(source, not, !negated);
    }
    const [, both] = /^and\s+([^]*)$/.exec(text) ?? [];
    if (both !== undefined && !negated) {
        const parts = (both.match(/\([^()]*\)|[^\s()]+/g) ?? []).map((part) => conditionSwitches(source, part, false));
        return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
    }
    const paths = /^(?:\$?[\w.]+|index\s+\$?[\w.]+(?:\s+"[^"]+")+)$/.test(text) ? source.template.paths(text) : [];
    return paths.length > 0 ? [{ ...settingAt(source, paths), on: negated ? "empty" : "true" }] : undefined;
}

/** Whether the template, or the operator, reads a path. */
function isReadBySource({ reads, fields, own }: Source, path: Path): boolean {
    const parts = path.map((_, i) => path.slice(0, i + 1));
    if (!fields) {
        // The autoscaler has a template of its own, which goes through all workloads.
        return (
            path.includes("horizontalPodAutoscaler") ||
            parts.some(
                (part, i) =>
                    reads.has(formatPath(part)) && (i === path.length - 1 || handedOn.includes(part.at(-1) ?? "")),
            )
        );
    }
    const spec = own.slice(0, -1);
    if (formatPath(path.slice(0, spec.length)) !== formatPath(spec)) {
        return reads.has(formatPath(path));
    }
    const deepest = parts.slice(spec.length).map((part) => formatPath(part.slice(spec.length)));
    const field = deepest.filter((part) => fields.has(part)).at(-1);
    // Below a field without fields of its own, the operator takes what Kubernetes takes.
    return (
        field !== undefined && (field === deepest.at(-1) || ![...fields].some((each) => each.startsWith(`${field}.`)))
    );
}

/** The values that may decide about a volume, and that no table here knows. */
function unclassified(source: Source, known: ReadonlySet<string>): string[] {
    const { reads, fields, prefix, own, workload, name } = source;
    const [spec, last = ""] = [own.slice(0, -1), own.at(-1)];
    const ofOperator = [...(fields ?? [])]
        .filter((field) => !field.includes(".") || field.startsWith(`${last}.`))
        .map((field) => `${formatPath(spec)}.${field}`);
    const isAside = (at: string) => aside[workload.kind].some((end) => at === end || at.endsWith(`.${end}`));
    return [...reads, ...ofOperator]
        .filter((at) => telling.test(at.slice(at.lastIndexOf(".") + 1)) && !isAside(at))
        .map((at) => [...(prefix.length > 0 ? [formatPath(prefix)] : []), at].join("."))
        .filter((at) => !known.has(at))
        .map(
            (at) =>
                `${name} reads ${at}, which may decide about the volumes of ${workload.workload}: classify it in placesOfKind, or put it aside, in tools/catalog/generateVolumes.ts.`,
        );
}

/** Every path that a volume's settings are read from. */
export function* placesIn(value: unknown): Generator<Path> {
    if (Array.isArray(value)) {
        for (const each of value) {
            yield* placesIn(each);
        }
    } else if (typeof value === "object" && value !== null) {
        yield* "places" in value
            ? (value as CatalogSetting).places.map((place) => place.path)
            : placesIn(Object.values(value));
    }
}

function prefixes(path: Path): string[] {
    return path.map((_, i) => formatPath(path.slice(0, i + 1)));
}
