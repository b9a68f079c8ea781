import { chartValues } from "../charts";
import { defaultAt } from "../charts/defaults";
import { imagesOf } from "../charts/images";
import { umbrellaObjects } from "../charts/umbrella";
import { compact } from "../lib/compact";
import { formatPath, leaves, valueAt } from "../lib/values";
import { settingsSchema } from "../settings/settings";
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
type FetchingCluster = "management" | "others";

/** A chart, and where the stack has it from. */
interface NeededChart {
    readonly name: string;
    readonly version: string;
    /** URL of its repository, `oci://` or `https://`; a local folder for an umbrella that is one. */
    readonly repository: string;
    /** URL of the repository in which its own project publishes it. */
    readonly upstream: string;
    readonly cluster: FetchingCluster;
}

interface NeededImage {
    /** Complete, registry included, and its tag, or its digest where that is known. */
    readonly image: string;
    /** The charts whose objects name it. */
    readonly charts: readonly string[];
    readonly cluster: FetchingCluster;
}

/**
 * Works out the charts and the images of a stack. An image that one of several switches needs is always among them: too
 * many rather than too few.
 */
export function airGap(deployment: Deployment): AirGap {
    const { catalog, settings, umbrella } = deployment;
    const charts = [...ownCharts(deployment), ...exporterRequirements(deployment), ...serviceCharts(deployment)];
    const images = new Map<string, { charts: Set<string>; cluster: FetchingCluster }>();
    const add = (chart: string, cluster: FetchingCluster, isOn: (path: readonly string[]) => boolean) => {
        const named = imagesOf(catalog.version).charts[chart]?.images ?? [];
        for (const { image } of named.filter(({ when }) => when.every(isOn))) {
            const found = images.get(image) ?? { charts: new Set(), cluster };
            found.charts.add(chart);
            images.set(image, found);
        }
    };
    for (const { chart, prefix } of installedCharts(umbrella)) {
        const at = (path: readonly string[]) => [...prefix, ...path];
        add(chart, "management", (path) => (valueAt(umbrella, at(path)) ?? defaultAt(catalog, at(path))) !== false);
    }
    for (const { image, name } of deployment.archives) {
        images.set(image, { charts: new Set([name]), cluster: "management" });
    }
    for (const image of collectorImages(deployment)) {
        images.set(image, images.get(image) ?? { charts: new Set(["kof-collectors"]), cluster: "management" });
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

/** The images of this cluster's collectors, which `kof:values` may change, or name by their digest. */
function collectorImages({ collectors }: Deployment): string[] {
    return collectors.map(({ image }) => {
        const [first = "", ...rest] = image.split("/");
        // What Docker regards as a registry.
        const isRegistry = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
        return isRegistry ? image : `docker.io/${rest.length > 0 ? "" : "library/"}${image}`;
    });
}

/** The repository that an address in the umbrella's values names, in this stack and in KOF's defaults. */
function repositoryAt(
    { umbrella, catalog }: Deployment,
    path: readonly string[],
): Pick<NeededChart, "repository" | "upstream"> {
    const [repository = "", upstream = ""] = [umbrella, chartValues(catalog, "kof")].map(
        // Flux takes a slash at the end; an OCI reference with two in a row is none.
        (values) => ((valueAt(values, path) ?? "") as string).replace(/\/$/, ""),
    );
    return { repository, upstream };
}

function ownRepository(deployment: Deployment): Pick<NeededChart, "repository" | "upstream"> {
    return repositoryAt(deployment, ["global", "helmRepo", "kofManaged", "url"]);
}

/** The umbrella and what it installs on the management cluster. */
function ownCharts(deployment: Deployment): NeededChart[] {
    const { catalog, umbrella, values, settings } = deployment;
    const text = (...path: string[]) => (valueAt(umbrella, path) ?? "") as string;
    const kofs = {
        version: text("global", "helmRepo", "chartVersion") || catalog.version,
        ...ownRepository(deployment),
    };
    const umbrellaChart = {
        name: "kof",
        version: catalog.version,
        repository: withoutName(settings.chart),
        upstream: withoutName(settingsSchema.chart.parse(undefined)),
    };
    const components = umbrellaObjects(catalog, values)
        .filter(({ kind }) => kind === "HelmChart")
        .map(({ name }) => {
            const own = repositoryAt(deployment, [name, "repo", "url"]);
            return { name, ...(own.repository === "" ? kofs : { version: text(name, "version"), ...own }) };
        });
    return [umbrellaChart, ...components].map((chart) => ({ ...chart, cluster: "management" }));
}

/** The charts of archives' exporters, which come from where the umbrella's components do, whatever version these have. */
function exporterRequirements(deployment: Deployment): NeededChart[] {
    const own = ownRepository(deployment);
    return deployment.archives.map(({ name, version }) => ({ name, version, ...own, cluster: "management" }));
}

/** The repository of a chart's OCI address; another address is that of a repository. */
function withoutName(chart: string): string {
    return chart.replace(/^(oci:.*)\/[^/]+$/, "$1");
}

/** What ServiceTemplates install, on this cluster too from 1.10 on. */
function serviceCharts(deployment: Deployment): NeededChart[] {
    const here = installedCharts(deployment.umbrella).map(({ chart }) => chart);
    return imagesOf(deployment.catalog.version).services.map(({ chart, version, repository }) => ({
        name: chart,
        version,
        ...(repository === ""
            ? ownRepository(deployment)
            : { repository: changedRepository(deployment, chart) ?? repository, upstream: repository }),
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
    return compact(
        `What the VictoriaMetrics operator (chart ${operator?.version ?? ""}) runs where KOF names no version, such as config ` +
            "reloaders: the operator decides.",
        charts.length > 0 &&
            foreign.length > 0 &&
            `The images of ${foreign.map(({ chart, version }) => `${chart} ${version}`).join(", ")}, which KOF installs on other ` +
                "clusters: helm template shows them.",
        absent.length > 0 && `The images of ${absent.join(", ")}: the charts were not at hand.`,
        silent.length > 0 && `The images of ${silent.map(({ chart }) => chart).join(", ")}, if it has any.`,
        changed.length > 0 && `Images that kof:values change: ${changed.join(", ")}.`,
        istio && "Charts and images of k0rdent-istio, which is installed separately.",
        "What KCM, Flux and cert-manager run on the management cluster: they are there before KOF.",
    );
}

/**
 * A shell script that copies everything into a registry. Images keep their path: `ghcr.io/a/b:c` becomes `REGISTRY/a/b:c`,
 * where a container runtime looks that has the registry as a mirror of ghcr.io. What the stack has from that registry already is
 * read from where it is published: the mirror lacks what an upgrade needs.
 *
 * @param registry host and port, with or without a path.
 */
export function mirrorScript({ charts, images, unknown }: AirGap, registry: string, about: string): string {
    const host = (address: string) => address.replace(/^\w+:\/\//, "").split("/")[0];
    // A registry where charts are published as well, such as ghcr.io, has a fork of them in another place.
    const isMirrored = ({ repository, upstream }: NeededChart) =>
        host(repository) === host(registry) &&
        (host(upstream) !== host(registry) || `${repository}/`.startsWith(`oci://${registry}/`));
    const pull = (chart: NeededChart) => {
        const { name, version, repository, upstream } = chart;
        const from = isMirrored(chart) ? upstream : repository;
        return from.startsWith("oci://")
            ? `helm pull ${from}/${name} --version ${version} --destination "$charts"`
            : `helm pull ${name} --repo ${from} --version ${version} --destination "$charts"`;
    };
    const fetched = charts.filter(({ repository }) => /^(oci|https?):/.test(repository));
    const foreign = fetched.filter((chart) => !isMirrored(chart) && chart.repository !== chart.upstream);
    return [
        "#!/usr/bin/env bash",
        `# ${about}`,
        "# Needs helm 3 and skopeo, both logged in. Not in here:",
        ...unknown.map((each) => `#   ${each}`),
        ...foreign.map(
            ({ name, repository, upstream }) =>
                `# ${name} comes from ${repository}, as the stack has it, not from ${upstream}.`,
        ),
        "set -euo pipefail",
        "charts=$(mktemp -d); trap 'rm -r \"$charts\"' EXIT",
        ...fetched.map(pull),
        `for chart in "$charts"/*.tgz; do helm push "$chart" oci://${registry}/charts; done`,
        // The mirror has the digests that are pinned, here or by those who run the images.
        ...images.map(
            ({ image }) =>
                `skopeo copy --all --preserve-digests docker://${image} docker://${registry}/${image.replace(/^[^/]+\//, "")}`,
        ),
        "",
    ].join("\n");
}
