import * as fs from "node:fs";
import * as path from "node:path";

import { parse } from "yaml";

import {
    kubeStack,
    type Catalog,
    type CatalogChart,
    type CatalogComponent,
    type CatalogVolume,
} from "../../core/charts";
import { UserError } from "../../core/lib/errors";
import { chartDigest } from "./digest";
import { readLayers } from "./generateLayers";
import { readOverwrites } from "./generateOverwrites";
import { readPasted } from "./generatePasted";
import { readSchemas, type Schemas } from "./generateSchemas";
import { readShapes } from "./generateShapes";
import { dependenciesOf, readChartText, readValues, templatesOf, chartVersion } from "./chartFiles";
import { asksForVolume, readVolumes, type OperatorFields } from "./generateVolumes";
import { readPresets } from "./presets";
import { coalesceValues, isMap, mergeValues, valueAt, type HelmValue, type HelmValues } from "../../core/lib/values";

const umbrella = "kof";
const operator = "victoria-metrics-operator";
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
    const specOf = operatorSpecs(folder);
    const volumes = ["kof-mothership", "kof-storage", "kof-collectors"].flatMap((name) =>
        readVolumes(chartFolder(folder, name), read[name]?.values ?? {}, operatorFields(folder, specOf)),
    );
    const overwrites = readOverwrites(folder, version);
    return {
        generatedBy: "npm run catalog -- --charts DIR",
        version,
        sources: Object.fromEntries(
            sourceFolders(folder, volumes).map((name) => {
                const chart = path.join(folder, name);
                return [name, { version: chartVersion(chart), sha256: chartDigest(chart) }];
            }),
        ),
        components: installOrder(read[umbrella]?.values ?? {}),
        volumes,
        layers: readLayers(folder, volumes, overwrites),
        overwrites,
        schemas: schemasIn(folder, specOf).schemas,
        pasted: Object.fromEntries(
            // kof-collectors hands opentelemetry-kube-stack its values.
            charts.filter((name) => name !== kubeStack).map((name) => [name, readPasted(chartFolder(folder, name))]),
        ),
        collectorFields: collectorFields(chartFolder(folder, kubeStack)),
        presets: await presets(
            folder,
            mergeValues({ [kubeStack]: read[kubeStack]?.values ?? {} }, read["kof-collectors"]?.values ?? {}),
        ),
        charts: read,
    };
}

/** The schemas of the charts in a folder, see {@link generateCatalog}. */
export function schemasIn(folder: string, specOf = operatorSpecs(folder)): Schemas {
    return readSchemas(Object.fromEntries(charts.map((name) => [name, chartFolder(folder, name)])), specOf);
}

/** What the charts in a folder, and their dependencies, read of their values. See {@link generateCatalog}. */
export function shapesIn(folder: string): ReadonlyMap<string, string> {
    const known = Object.fromEntries(charts.map((name) => [name, chartFolder(folder, name)]));
    return readShapes(chartVersion(chartFolder(folder, umbrella)), known, {
        [operator]: chartFolder(folder, operator),
    });
}

function chartFolder(folder: string, name: string): string {
    // A packaged chart carries its dependencies under `charts/`.
    const places = [path.join(folder, name), path.join(folder, "kof-collectors", "charts", name)];
    const found = places.find((place) => fs.existsSync(path.join(place, "values.yaml")));
    if (!found) {
        throw new UserError(
            `${folder} has no chart ${name}. ` +
                (name === operator
                    ? "CONTRIBUTING.md says how to get it."
                    : `Get each chart of a KOF version with\n` +
                      `  helm pull --untar --untardir ${folder} oci://ghcr.io/k0rdent/kof/charts/${name === kubeStack ? "kof-collectors" : name} --version VERSION`),
        );
    }
    return found;
}

function readChart(folder: string, name: string): CatalogChart {
    const place = chartFolder(folder, name);
    return {
        version: chartVersion(place),
        dependencies: dependenciesOf(place).map(({ key, version }) => ({ name: key, version })),
        values: readValues(place),
    };
}

/** The charts that a catalog is made of, by their folders. */
function sourceFolders(folder: string, volumes: readonly CatalogVolume[]): string[] {
    const dependencies = volumes.map(({ chart, size }) => `${chart}/charts/${size.path[0] ?? ""}`);
    const found = [...charts, operator].map((name) => path.relative(folder, chartFolder(folder, name)));
    return [
        ...found.map((name) => name.split(path.sep).join("/")),
        ...dependencies.filter((name) => fs.existsSync(path.join(folder, name))),
    ].sort();
}

/** The fields of the VictoriaMetrics operator's kinds, from the definitions that its chart brings. */
export function operatorFields(folder: string, specOf = operatorSpecs(folder)): (kind: string) => OperatorFields {
    return (kind) => {
        const fields = [...fieldsBelow(specOf(kind), 3)];
        if (fields.length === 0) {
            throw new UserError(`The chart ${operator} in ${folder} does not define ${kind}.`);
        }
        return new Set(fields);
    };
}

/** The schemas of the specs of the operator's kinds. */
function operatorSpecs(folder: string): (kind: string) => HelmValue | undefined {
    const text = readChartText(path.join(chartFolder(folder, operator), "charts", "crds", "crds", "crd.yaml"));
    const definitions = text.split(/^---$/m);
    const known = new Map<string, HelmValue | undefined>();
    const specOf = (kind: string): HelmValue | undefined => {
        const definition = definitions.find((each) => new RegExp(`^ {4}kind: ${kind}$`, "m").test(each));
        const versions = valueAt(parse(definition ?? "") as HelmValue, ["spec", "versions"]);
        const [version] = Array.isArray(versions) ? versions : [];
        return valueAt(version, ["schema", "openAPIV3Schema", "properties", "spec"]);
    };
    return (kind) => {
        if (!known.has(kind)) {
            known.set(kind, specOf(kind));
        }
        return known.get(kind);
    };
}

function* fieldsBelow(schema: HelmValue | undefined, depth: number): Generator<string> {
    const properties = valueAt(schema, ["properties"]);
    for (const [name, field] of Object.entries(isMap(properties) && depth > 0 ? properties : {})) {
        yield name;
        for (const below of fieldsBelow(field, depth - 1)) {
            yield `${name}.${below}`;
        }
    }
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

/**
 * Every template that asks for a volume, by chart and file: `named` where `readVolumes` knows the volume. Otherwise the
 * values with which a stack would ask for it: it would have to choose the class as well.
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
                `${template} makes a volume that has no name yet: add it to claimTemplates in tools/catalog/generate.ts, and to workloads in tools/catalog/generateVolumes.ts.`,
            );
        }
    }
    for (const { key, folder, conditions } of dependenciesOf(chart)) {
        const isOff = conditions.map((path) => valueAt(values, path)).find((each) => each !== undefined) === false;
        if (fs.existsSync(folder) && !isOff) {
            const given = values[key];
            checkClaims(folder, coalesceValues(readValues(folder), isMap(given) ? given : {}));
        }
    }
}

function collectorFields(folder: string): string[] {
    const schema = JSON.parse(fs.readFileSync(path.join(folder, "values.schema.json"), "utf8")) as {
        $defs: { OpenTelemetryCollectorSpec: { properties: Record<string, unknown> } };
    };
    return Object.keys(schema.$defs.OpenTelemetryCollectorSpec.properties).sort();
}
