import { exporterCharts } from "../charts/archives";
import { UserError } from "../lib/errors";
import { isMap, keysAt, mergeValues, textOf, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import { catalogOf, versions } from "../charts";

/** Values as they were meant, what was wrong with them, and what else is known about them. */
export interface Original {
    readonly values: HelmValues;
    /** Whether they are certain to be the umbrella's. Default: their keys tell. */
    readonly isUmbrella?: boolean | undefined;
    /** The KOF version, where the file says it. */
    readonly version?: string | undefined;
    /** Whether the charts' defaults are among them, as in what KOF or Helm has merged. */
    readonly hasDefaults?: boolean | undefined;
    /** What was wrong with the file and is put right: one sentence each. */
    readonly corrections: readonly string[];
    /** What belongs to the values and is not in the file: one sentence each. */
    readonly unseen?: readonly string[] | undefined;
}

/** The umbrella chart and every chart that is installed by it, of any version. It reads all catalogs, which takes a while. */
export function chartNames(): string[] {
    return ["kof", ...new Set(versions.flatMap((version) => catalogOf(version).components.map(({ name }) => name)))];
}

/** What `npm run adopt` reads, as the end of an error. */
const whatAdoptTakes = `It takes
  - a values file of the umbrella chart kof, or of one of its charts: helm get values kof -n kof -o yaml
  - Flux's HelmRelease of one of them, or several: kubectl get helmrelease -n kof -o yaml
  - what runs, without any file: npm run adopt -- --cluster --out STACKFILE`;

/** The error for a file in which there is nothing to adopt. */
export function nothingRead(source: string, whatItIs: string): UserError {
    return new UserError(
        `${source} holds no values of KOF's charts: ${whatItIs}. Nothing was written.\n\n${whatAdoptTakes}`,
    );
}

/**
 * Finds the values among the documents of a file: Flux's HelmReleases of KOF's charts where there are any, else the first document.
 *
 * @throws UserError that says what there is instead.
 */
export function valuesAmong(documents: readonly unknown[], source: string): Original {
    const objects = documents.flatMap(items).filter((each) => each !== null && each !== undefined);
    const releases = objects.filter(isRelease);
    if (releases.length > 0) {
        return ofReleases(releases, objects, source);
    }
    const [first] = objects;
    const instead = whatItIs(documents, objects);
    if (!isMap(first) || instead !== undefined) {
        throw nothingRead(source, instead ?? "");
    }
    return {
        values: first,
        // KOF can be installed without any.
        isUmbrella: Object.keys(first).length === 0,
        corrections:
            objects.length > 1
                ? [`There are ${String(objects.length)} documents, separated by ---: Helm reads the first only.`]
                : [],
    };
}

/** The objects in what kubectl prints of several. */
function items(document: unknown): unknown[] {
    return isMap(document) && textOf(document.kind ?? "").endsWith("List") && Array.isArray(document.items)
        ? document.items.flatMap(items)
        : [document];
}

/** Whether a document is an object of Kubernetes. */
export function isManifest(object: unknown): object is HelmValues {
    return isMap(object) && typeof object.apiVersion === "string" && typeof object.kind === "string";
}

function nameOf(object: HelmValues): string {
    return textOf(valueAt(object, ["metadata", "name"]) ?? "");
}

function isRelease(object: unknown): object is HelmValues {
    return (
        isManifest(object) &&
        object.kind === "HelmRelease" &&
        textOf(object.apiVersion ?? "").startsWith("helm.toolkit.fluxcd.io/")
    );
}

/** What is there instead of values, if that is known. */
function whatItIs(documents: readonly unknown[], objects: readonly unknown[]): string | undefined {
    const [first] = objects;
    if (objects.length === 0) {
        return documents.some(isMap) ? "it is a list of kubectl without anything in it" : "it is empty";
    }
    if (!isMap(first)) {
        return `it is not a map but ${Array.isArray(first) ? "a list" : "text"}`;
    }
    const manifests = isManifest(first) ? objects.filter(isManifest) : [];
    if (manifests.some(({ kind, clusters }) => kind === "Config" && clusters !== undefined)) {
        return "it is a kubeconfig, which --context or KUBECONFIG can name";
    }
    if (manifests.length > 0) {
        const names = manifests.map((each) => `${textOf(each.kind ?? "")} ${nameOf(each)}`.trim());
        return `it is a Kubernetes manifest of ${names.slice(0, 5).join(", ")}${names.length > 5 ? ", …" : ""}`;
    }
    if (keysAt(first, ["config"]).some((key) => key.includes(":"))) {
        return "it is a stack file of Pulumi already, which needs no adoption";
    }
    if (typeof first.name === "string" && first.runtime !== undefined) {
        return "it is a project file of Pulumi";
    }
    const isChart = ["v1", "v2"].includes(textOf(first.apiVersion ?? "")) && typeof first.version === "string";
    return isChart ? "it is a Chart.yaml" : undefined;
}

/**
 * The chart of a HelmRelease, if it is one of KOF's. It is recognised by its chart, or by its name if the chart is in a source of any
 * name.
 */
function chartOf(release: HelmValues): string | undefined {
    const known = chartNames();
    const names = [
        ["spec", "chart", "spec", "chart"],
        ["spec", "chartRef", "name"],
        ["spec", "releaseName"],
        ["metadata", "name"],
    ].map(
        (path) =>
            textOf(valueAt(release, path) ?? "")
                .split("/")
                .at(-1) ?? "",
    );
    return names.find((name) => known.includes(name));
}

function versionOf(release: HelmValues): string | undefined {
    const label = valueAt(release, ["metadata", "labels", "helm.sh/chart"]);
    const found = [
        valueAt(release, ["spec", "chart", "spec", "version"]),
        textOf(label ?? "").replace(/^kof-(?=\d)/, ""),
    ].map((each) => textOf(each ?? "").replace(/^v/, ""));
    return found.find((version) => versions.includes(version));
}

function ofReleases(releases: readonly HelmValues[], objects: readonly unknown[], source: string): Original {
    const byChart = releases.flatMap((release) => {
        const chart = chartOf(release);
        return chart === undefined ? [] : [{ chart, release }];
    });
    const umbrellas = byChart.filter(({ chart }) => chart === "kof");
    // What the umbrella makes follows from its own values.
    const chosen = umbrellas.length > 0 ? umbrellas : byChart;
    const [first] = chosen;
    if (!first) {
        throw nothingRead(source, `its HelmReleases (${releases.map(nameOf).join(", ")}) are of other charts`);
    }
    const twice = chosen.find(({ chart }, i) => chosen.findIndex((each) => each.chart === chart) !== i);
    if (twice) {
        throw nothingRead(source, `it has several HelmReleases of ${twice.chart}, and a stack is of one`);
    }
    const unseen = releases.flatMap(exporterNote);
    const read = chosen.map(({ chart, release }) => ({ chart, values: valuesOf(release, unseen) }));
    const corrections = objects.some((each) => !isManifest(each))
        ? ["The values beside the HelmRelease are not read: those in it apply."]
        : [];
    const version = chosen.map(({ release }) => versionOf(release)).find((each) => each !== undefined);
    if (first.chart === "kof") {
        return { values: read[0]?.values ?? {}, isUmbrella: true, version, corrections, unseen };
    }
    return {
        values: mergeValues({}, ...read.map(({ chart, values }) => ({ [chart]: { enabled: true, values } }))),
        isUmbrella: true,
        version,
        hasDefaults: true,
        corrections,
        unseen,
    };
}

/** A note on a HelmRelease that exports into an archive: the umbrella does not make it, and its values are not read. */
function exporterNote(release: HelmValues): string[] {
    const names = [
        valueAt(release, ["spec", "chartRef", "name"]),
        valueAt(release, ["spec", "chart", "spec", "chart"]),
    ];
    const found = Object.entries(exporterCharts).find(([, { chart }]) => [nameOf(release), ...names].includes(chart));
    return found
        ? [
              `HelmRelease ${nameOf(release)} is the exporter of an archive, which is installed separately: how kof:${found[0]} takes it over is ` +
                  "in docs/archives.md.",
          ]
        : [];
}

/** The values of a HelmRelease. The file does not contain those from elsewhere, which the output names. */
function valuesOf(release: HelmValues, unseen: string[]): HelmValues {
    const name = nameOf(release);
    const sources = valueAt(release, ["spec", "valuesFrom"]);
    for (const each of Array.isArray(sources) ? sources.filter(isMap) : []) {
        const [kind, from, key, path] = ["kind", "name", "valuesKey", "targetPath"].map((field) =>
            textOf(each[field] ?? ""),
        );
        const object = `${kind ?? ""} ${from ?? ""}`;
        unseen.push(
            `HelmRelease ${name} takes ${path === "" ? "values" : `the value ${path ?? ""}`} from ${object} ` +
                `(key ${key === "" ? "values.yaml" : (key ?? "")}), which is not read. Put what it holds into spec.values, secrets left out, and adopt that.`,
        );
    }
    const values: HelmValue | undefined = valueAt(release, ["spec", "values"]);
    return isMap(values) ? values : {};
}
