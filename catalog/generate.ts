import * as fs from "node:fs";
import * as path from "node:path";

import { parse } from "yaml";

import type { Catalog, CatalogChart, CatalogComponent, CatalogSetting, CatalogVolume } from ".";
import { UserError } from "../errors";
import { readPresets } from "./presets";
import { coalesceValues, formatPath, isMap, mergeValues, valueAt, type HelmValue, type HelmValues } from "./values";

const umbrella = "kof";
const kubeStack = "opentelemetry-kube-stack";
/** The charts that configure the management cluster. `victoria-metrics-operator` needs no settings. */
const charts = [
    ...[umbrella, "kof-operators", "kof-mothership", "kof-regional", "kof-child", "kof-storage", "kof-collectors"],
    kubeStack,
];

/**
 * Makes the catalog of one KOF version.
 *
 * @param folder holds that version's charts as `helm pull --untar` leaves them, one folder each.
 * @param presets finds out what the presets of opentelemetry-kube-stack add. Default: Helm renders the charts.
 * @throws UserError when a chart is missing, of another version, or has a volume that the catalog has no name for.
 */
export async function generateCatalog(folder: string, presets = readPresets): Promise<Catalog> {
    const read = Object.fromEntries(charts.map((name) => [name, readChart(folder, name)]));
    const version = read[umbrella]?.version ?? "";
    const stray = Object.entries(read).find(([name, chart]) => name.startsWith(umbrella) && chart.version !== version);
    if (stray) {
        throw new UserError(`${folder} mixes versions: kof is ${version}, ${stray[0]} is ${stray[1].version}.`);
    }
    for (const name of charts) {
        checkClaims(chartFolder(folder, name), read[name]?.values ?? {});
    }
    return {
        generatedBy: "npm run catalog -- --charts DIR",
        version,
        components: installOrder(read[umbrella]?.values ?? {}),
        volumes: ["kof-mothership", "kof-storage", "kof-collectors"].flatMap((name) =>
            volumes(name, read[name]?.values ?? {}),
        ),
        collectorFields: collectorFields(chartFolder(folder, kubeStack)),
        presets: await presets(
            folder,
            mergeValues({ [kubeStack]: read[kubeStack]?.values ?? {} }, read["kof-collectors"]?.values ?? {}),
        ),
        charts: read,
    };
}

function chartFolder(folder: string, name: string): string {
    // A packaged chart carries its dependencies under `charts/`.
    const places = [path.join(folder, name), path.join(folder, "kof-collectors", "charts", name)];
    const found = places.find((place) => fs.existsSync(path.join(place, "values.yaml")));
    if (!found) {
        throw new UserError(
            `${folder} has no chart ${name}. Get each chart of a KOF version with\n` +
                `  helm pull --untar --untardir ${folder} oci://ghcr.io/k0rdent/kof/charts/${name === kubeStack ? "kof-collectors" : name} --version VERSION`,
        );
    }
    return found;
}

function readChart(folder: string, name: string): CatalogChart {
    const place = chartFolder(folder, name);
    const chart = parse(fs.readFileSync(path.join(place, "Chart.yaml"), "utf8")) as {
        version: string;
        dependencies?: { name: string; alias?: string; version: string }[];
    };
    return {
        version: chart.version,
        dependencies: (chart.dependencies ?? []).map((dependency) => ({
            name: dependency.alias ?? dependency.name,
            version: dependency.version,
        })),
        values: readValues(place),
    };
}

function readValues(chart: string): HelmValues {
    const file = path.join(chart, "values.yaml");
    return fs.existsSync(file) ? ((parse(fs.readFileSync(file, "utf8")) as HelmValues | null) ?? {}) : {};
}

function installOrder(values: HelmValues): CatalogComponent[] {
    const pending = Object.entries(values).flatMap(([name, component]) =>
        isMap(component) && isMap(component.values) && typeof component.enabled === "boolean"
            ? [{ name, enabled: component.enabled, dependsOn: (component.dependsOn ?? []) as string[] }]
            : [],
    );
    const ordered: CatalogComponent[] = [];
    while (pending.length > 0) {
        const next = pending.findIndex(({ dependsOn }) => !pending.some(({ name }) => dependsOn.includes(name)));
        if (next < 0) {
            throw new UserError(`Components depend on one another: ${pending.map(({ name }) => name).join(", ")}.`);
        }
        ordered.push(...pending.splice(next, 1));
    }
    return ordered;
}

/** What the sub-charts put where KOF's own values say nothing (values.yaml of victoria-logs-cluster 0.0.25 to 0.1.5, victoria-traces-cluster 0.0.3 to 0.1.1). */
const subchartDefaults: Readonly<Record<string, HelmValue>> = { replicaCount: 2, retentionPeriod: "7d" };

type VolumeName = Pick<CatalogVolume, "workload" | "signal" | "cache">;

/** The volumes by the path at which the charts describe them. */
const volumeNames: readonly (readonly [string, VolumeName])[] = [
    ["victoriametrics.vmcluster.spec.vmstorage", { workload: "vmstorage", signal: "metrics", cache: false }],
    ["victoriametrics.vmcluster.spec.vmselect", { workload: "vmselect", signal: "metrics", cache: true }],
    ["victoriametrics.vlcluster_audit.spec.vlstorage", { workload: "vlstorage-audit", signal: "audit", cache: false }],
    ["victoria-logs-cluster.vlstorage", { workload: "vlstorage", signal: "logs", cache: false }],
    ["victoria-traces-cluster.vtstorage", { workload: "vtstorage", signal: "traces", cache: false }],
    ["grafana", { workload: "grafana", signal: "grafana", cache: false }],
];

function volumes(chart: string, values: HelmValues): CatalogVolume[] {
    const setting = (path: readonly string[], fallback: HelmValue = null): CatalogSetting => ({
        path,
        default: valueAt(values, path) ?? fallback,
    });
    return [...volumeOwners(values)].map(([owner, claim]) => {
        const name = volumeNames.find(([at]) => at === formatPath(owner))?.[1];
        if (!name) {
            throw new UserError(
                `Chart ${chart} has a volume at ${formatPath(owner)} that has no name yet: add it to volumeNames in catalog/generate.ts.`,
            );
        }
        const subchart = claim === "persistentVolume";
        const spec = owner.slice(0, -1);
        const replicated = name.signal !== "grafana";
        const retained = replicated && !name.cache;
        const retention = subchart
            ? setting([...owner, "extraArgs", "retentionPeriod"], subchartDefaults.retentionPeriod)
            : setting([...(name.signal === "metrics" ? spec : owner), "retentionPeriod"]);
        return {
            chart,
            ...name,
            expands: !subchart && replicated,
            size: setting([...owner, ...sizeWithin[claim]]),
            // The other volumes take the chart's global class: vmcluster.yaml, vlcluster-audit.yaml and grafana.yaml.
            storageClass: setting(subchart ? [...owner, claim, "storageClassName"] : ["global", "storageClass"]),
            replicas: replicated ? setting([...owner, "replicaCount"], subchart ? 2 : null) : null,
            retention: retained ? retention : null,
            replicationFactor: retained && name.signal === "metrics" ? setting([...spec, "replicationFactor"]) : null,
        };
    });
}

const request = ["resources", "requests", "storage"];
/** How the charts describe a volume, and where within its workload's values its size then is. */
const sizeWithin = {
    storage: ["storage", "volumeClaimTemplate", "spec", ...request],
    persistentVolume: ["persistentVolume", "size"],
    pvc: ["pvc", ...request],
};

/**
 * Every template that asks for a volume, by chart and file: whether the volume is among {@link volumeNames}, or the value with
 * which a stack would have to ask for it, and then choose its class as well.
 */
const claimTemplates: Readonly<Record<string, "named" | readonly string[]>> = {
    "kof-mothership/templates/victoria/vmcluster.yaml": "named",
    "kof-mothership/templates/grafana/grafana.yaml": "named",
    "kof-storage/templates/victoria/vmcluster.yaml": "named",
    "kof-storage/templates/victoria/vlcluster-audit.yaml": "named",
    "kof-storage/templates/grafana/grafana.yaml": ["grafana", "installForTests"],
    "victoria-logs-cluster/templates/vlstorage-server.yaml": "named",
    "victoria-traces-cluster/templates/vtstorage-server.yaml": "named",
    "opencost/templates/pvc.yaml": ["opencost", "exporter", "persistence", "enabled"],
    "opentelemetry-kube-stack/templates/collector.yaml": ["defaultCRConfig", "volumeClaimTemplates"],
};

const asksForVolume = /volumeClaimTemplates?\b(?!: \[\])|kind: PersistentVolumeClaim\b|persistentVolumeClaim:\s+spec:/;

/** Refuses a template, of the chart or of the dependencies that it installs, whose volume the catalog would miss. */
function checkClaims(chart: string, values: HelmValues): void {
    const asking = templatesOf(chart).filter((file) => {
        const text = fs.readFileSync(path.join(chart, file), "utf8");
        // A definition of objects that can ask for volumes asks for none.
        return asksForVolume.test(text) && !/^kind: CustomResourceDefinition$/m.test(text);
    });
    for (const file of asking) {
        const template = `${path.basename(chart)}/${file.split(path.sep).join("/")}`;
        const known = claimTemplates[template];
        const asked = typeof known === "string" || known === undefined ? undefined : valueAt(values, known);
        if (known === undefined || (Array.isArray(asked) ? asked.length > 0 : asked === true)) {
            throw new UserError(
                `${template} makes a volume that has no name yet: add it to volumeNames and claimTemplates in catalog/generate.ts.`,
            );
        }
    }
    const { dependencies = [] } = parse(fs.readFileSync(path.join(chart, "Chart.yaml"), "utf8")) as {
        dependencies?: { name: string; alias?: string; condition?: string }[];
    };
    for (const { name, alias = name, condition } of dependencies) {
        const below = path.join(chart, "charts", name);
        if (fs.existsSync(below) && (condition === undefined || valueAt(values, condition.split(".")) !== false)) {
            const given = values[alias];
            checkClaims(below, coalesceValues(readValues(below), isMap(given) ? given : {}));
        }
    }
}

function templatesOf(chart: string): string[] {
    const folder = path.join(chart, "templates");
    return fs.existsSync(folder)
        ? fs
              .readdirSync(folder, { recursive: true, encoding: "utf8" })
              .filter((file) => /\.(yaml|yml|tpl)$/.test(file))
              .map((file) => path.join("templates", file))
              .sort()
        : [];
}

/** The paths of the workloads that own a volume, and how they describe it. */
function* volumeOwners(
    values: HelmValues,
    path: readonly string[] = [],
): Generator<[readonly string[], keyof typeof sizeWithin]> {
    for (const claim of Object.keys(sizeWithin) as (keyof typeof sizeWithin)[]) {
        if (valueAt(values, sizeWithin[claim]) !== undefined) {
            yield [path, claim];
        }
    }
    for (const [key, value] of Object.entries(values)) {
        if (isMap(value)) {
            yield* volumeOwners(value, [...path, key]);
        }
    }
}

function collectorFields(folder: string): string[] {
    const schema = JSON.parse(fs.readFileSync(path.join(folder, "values.schema.json"), "utf8")) as {
        $defs: { OpenTelemetryCollectorSpec: { properties: Record<string, unknown> } };
    };
    return Object.keys(schema.$defs.OpenTelemetryCollectorSpec.properties).sort();
}
