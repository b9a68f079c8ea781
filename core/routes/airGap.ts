import type { Catalog } from "../charts";
import { defaultAt } from "../charts/defaults";
import { imagesOf, type ChartImage } from "../charts/images";
import { umbrellaObjects } from "../charts/umbrella";
import { formatPath, leaves, valueAt, type HelmValue } from "../lib/values";
import type { Deployment } from "./deployment";
import { installedCharts } from "../charts/installed";

/** What a stack's clusters fetch: for a network without the internet, which has to have all of it. */
export interface AirGap {
    readonly charts: readonly NeededChart[];
    readonly images: readonly NeededImage[];
    /** What is fetched too, but is not in KOF's charts: one sentence each. */
    readonly unknown: readonly string[];
}

/** Which cluster fetches it: the management cluster, or child and regional clusters only. */
type Cluster = "management" | "others";

/** A chart, and where the stack has it from. */
export interface NeededChart {
    readonly name: string;
    readonly version: string;
    /** URL of its repository, `oci://` or `https://`; a local folder for an umbrella that is one. */
    readonly repository: string;
    readonly cluster: Cluster;
}

/** A container image. */
export interface NeededImage {
    /** Complete, registry and tag included. */
    readonly image: string;
    /** The charts whose objects name it. */
    readonly charts: readonly string[];
    readonly cluster: Cluster;
}

/**
 * Works out the charts and the images of a stack. An image that one of several switches needs is always among them: too
 * many rather than too few.
 */
export function airGap(deployment: Deployment): AirGap {
    const { catalog, settings, umbrella } = deployment;
    const charts = [...ownCharts(deployment), ...serviceCharts(deployment)];
    const images = new Map<string, { charts: Set<string>; cluster: Cluster }>();
    const add = (chart: string, cluster: Cluster, isOn: (path: readonly string[]) => boolean) => {
        for (const { image } of neededOf(catalog, chart, isOn)) {
            const found = images.get(image) ?? { charts: new Set(), cluster };
            found.charts.add(chart);
            images.set(image, found);
        }
    };
    for (const { chart, prefix } of installedCharts(umbrella)) {
        add(chart, "management", (path) => valueOf(deployment, [...prefix, ...path]) !== false);
    }
    for (const chart of fleet) {
        add(chart, "others", (path) => defaultAt(catalog, path, chart) !== false);
    }
    return {
        charts: charts.filter(({ name }, i) => charts.findIndex((each) => each.name === name) === i),
        images: [...images]
            .map(([image, found]) => ({ image, charts: [...found.charts], cluster: found.cluster }))
            .sort((a, b) => (a.image < b.image ? -1 : 1)),
        unknown: unknowns(deployment, charts, settings.istio),
    };
}

/** The charts that KOF installs on child and regional clusters and that run something. */
const fleet = ["kof-operators", "victoria-metrics-operator", "kof-storage", "kof-collectors"];

function neededOf(catalog: Catalog, chart: string, isOn: (path: readonly string[]) => boolean): ChartImage[] {
    return (imagesOf(catalog.version).charts[chart]?.images ?? []).filter(({ when }) => when.every(isOn));
}

function valueOf({ umbrella, catalog }: Deployment, path: readonly string[]): HelmValue | undefined {
    return valueAt(umbrella, path) ?? defaultAt(catalog, path);
}

/** The umbrella and what it installs on the management cluster. */
function ownCharts({ catalog, umbrella, values, settings }: Deployment): NeededChart[] {
    const text = (...path: string[]) => (valueAt(umbrella, path) ?? "") as string;
    const components = umbrellaObjects(catalog, values).flatMap(({ kind, name }) =>
        kind === "HelmChart" ? [name] : [],
    );
    const version = text("global", "helmRepo", "chartVersion") || catalog.version;
    return [
        {
            name: "kof",
            version: catalog.version,
            repository: settings.chart.replace(/^(oci:.*)\/[^/]+$/, "$1"),
            cluster: "management",
        },
        ...components.map((name): NeededChart => {
            const own = text(name, "repo", "url");
            return own === ""
                ? { name, version, repository: text("global", "helmRepo", "kofManaged", "url"), cluster: "management" }
                : { name, version: text(name, "version"), repository: own.replace(/\/$/, ""), cluster: "management" };
        }),
    ];
}

/** What ServiceTemplates install, on this cluster too from 1.10 on. */
function serviceCharts(deployment: Deployment): NeededChart[] {
    const own = valueAt(deployment.umbrella, ["global", "helmRepo", "kofManaged", "url"]) as string;
    const here = installedCharts(deployment.umbrella).map(({ chart }) => chart);
    return imagesOf(deployment.catalog.version).services.map(({ chart, version, repository }) => ({
        name: chart,
        version,
        repository: repository === "" ? own : (changedRepository(deployment, chart) ?? repository),
        cluster: here.includes(chart) ? "management" : "others",
    }));
}

/** The repository that values of kof-mothership give the template of a chart of another project. */
function changedRepository({ values }: Deployment, chart: string): string | undefined {
    // The template of gateway-helm is named after what it installs.
    const template = `${chart === "gateway-helm" ? "envoy-gateway" : chart}-service-template`;
    return valueAt(values, ["kof-mothership", "values", template, "repo", "spec", "url"]) as string | undefined;
}

function unknowns({ catalog, settings }: Deployment, charts: readonly NeededChart[], istio: boolean): string[] {
    const { charts: known, services } = imagesOf(catalog.version);
    const operator = known["victoria-metrics-operator"];
    const foreign = services.filter(({ repository, chart }) => repository !== "" && known[chart] === undefined);
    const absent = Object.entries(known).flatMap(([chart, each]) => each.absent.map((name) => `${name} (in ${chart})`));
    const silent = services.filter(({ repository, chart }) => repository === "" && known[chart] === undefined);
    const changed = [...leaves(settings.values)]
        .filter(([path]) => path.some((key) => /^(image|images|registry|repository|tag|clusterVersion)$/i.test(key)))
        .map(([path]) => formatPath(path));
    return [
        `What the VictoriaMetrics operator (chart ${operator?.version ?? ""}) runs where KOF names no version, such as config ` +
            "reloaders: the operator decides.",
        ...(charts.length > 0 && foreign.length > 0
            ? [
                  `The images of ${foreign.map(({ chart, version }) => `${chart} ${version}`).join(", ")}, which KOF installs on other ` +
                      "clusters: helm template shows them.",
              ]
            : []),
        ...(absent.length > 0 ? [`The images of ${absent.join(", ")}: the charts were not at hand.`] : []),
        ...(silent.length > 0 ? [`The images of ${silent.map(({ chart }) => chart).join(", ")}, if it has any.`] : []),
        ...(changed.length > 0 ? [`Images that kof:values change: ${changed.join(", ")}.`] : []),
        ...(istio ? ["Charts and images of k0rdent-istio, which is installed separately."] : []),
        "What KCM, Flux and cert-manager run on the management cluster: they are there before KOF.",
    ];
}

/**
 * A shell script that copies everything into a registry. Images keep their path: `ghcr.io/a/b:c` becomes `REGISTRY/a/b:c`,
 * where a container runtime looks that has the registry as a mirror of ghcr.io.
 *
 * @param registry host and port, with or without a path.
 */
export function mirrorScript({ charts, images, unknown }: AirGap, registry: string, about: string): string {
    const pull = ({ name, version, repository }: NeededChart) =>
        repository.startsWith("oci://")
            ? `helm pull ${repository}/${name} --version ${version} --destination "$charts"`
            : `helm pull ${name} --repo ${repository} --version ${version} --destination "$charts"`;
    const fetched = charts.filter(({ repository }) => /^(oci|https?):/.test(repository));
    return [
        "#!/usr/bin/env bash",
        `# ${about}`,
        "# Needs helm 3 and skopeo, both logged in. Not in here:",
        ...unknown.map((each) => `#   ${each}`),
        "set -euo pipefail",
        "charts=$(mktemp -d); trap 'rm -r \"$charts\"' EXIT",
        ...fetched.map(pull),
        `for chart in "$charts"/*.tgz; do helm push "$chart" oci://${registry}/charts; done`,
        ...images.map(
            ({ image }) => `skopeo copy --all docker://${image} docker://${registry}/${image.replace(/^[^/]+\//, "")}`,
        ),
        "",
    ].join("\n");
}
