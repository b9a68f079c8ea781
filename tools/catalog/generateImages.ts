import * as fs from "node:fs";
import * as path from "node:path";

import { parseAllDocuments } from "yaml";

import { UserError } from "../../core/lib/errors";
import { asHelm } from "../../core/lib/yaml/read";
import type { ChartImage, ChartImages, Images, ServiceChart } from "../../core/charts/images";
import { isMap, leaves, valueAt, type HelmValue, type HelmValues } from "../../core/lib/values";
import { helm } from "../../cli/charts/helm";
import { dependenciesOf, readValues, chartVersion } from "./chartFiles";

/** The charts that run anything, on the management cluster or on others. */
const charts = ["kof-operators", "victoria-metrics-operator", "kof-mothership", "kof-storage", "kof-collectors"];

/**
 * Finds the images of one KOF version by rendering its charts with `helm template`: with their defaults, and once with each
 * switch turned over, which shows what an image depends on.
 *
 * @param folder holds that version's charts as `helm pull --untar` leaves them, one folder each.
 * @throws UserError when helm or a chart is missing, or a chart does not render.
 */
export async function generateImages(folder: string): Promise<Images> {
    const found: (readonly [string, ChartImages])[] = [];
    for (const name of charts) {
        found.push([name, await chartImages(path.join(folder, name), name)]);
    }
    return {
        generatedBy: "npm run catalog -- --images DIR",
        version: found.find(([name]) => name === "kof-mothership")?.[1].version ?? "",
        charts: Object.fromEntries(found),
        services: await services(path.join(folder, "kof-mothership")),
    };
}

async function chartImages(folder: string, name: string): Promise<ChartImages> {
    if (!fs.existsSync(path.join(folder, "Chart.yaml"))) {
        throw new UserError(
            `There is no chart ${name} in ${path.dirname(folder)}. CONTRIBUTING.md says how to get the charts of a version.`,
        );
    }
    const standard = (await rendered(folder, name, [])) ?? new Set<string>();
    const when = new Map<string, (readonly string[])[]>([...standard].map((image) => [image, []]));
    for (const [at, on] of leaves(readValues(folder))) {
        if (at.at(-1) !== "enabled" || typeof on !== "boolean") {
            continue;
        }
        // Some switches need values that only a user has: what is behind them is not found.
        const turned = await rendered(folder, name, [`${at.map(escaped).join(".")}=${String(!on)}`]);
        const differing = turned && (on ? difference(standard, turned) : difference(turned, standard));
        for (const image of differing ?? []) {
            when.set(image, [...(when.get(image) ?? []), at]);
        }
    }
    return {
        version: chartVersion(folder),
        images: [...when]
            .map(([image, paths]): ChartImage => ({ image, when: paths }))
            .sort((a, b) => (a.image < b.image ? -1 : 1)),
        absent: dependenciesOf(folder).flatMap(({ key, folder: below }) => (isAbsent(below) ? [key] : [])),
    };
}

function difference(from: ReadonlySet<string>, other: ReadonlySet<string>): string[] {
    return [...from].filter((image) => !other.has(image));
}

function escaped(key: string): string {
    return key.replaceAll(".", "\\.");
}

/** Whether a dependency is missing, or has nothing in it to render. */
function isAbsent(folder: string): boolean {
    return ["templates", "crds", "charts"].every((part) => {
        const place = path.join(folder, part);
        return !fs.existsSync(place) || fs.readdirSync(place).length === 0;
    });
}

/** The images that a chart's objects name with these values; `undefined` when it does not render with them. */
async function rendered(folder: string, name: string, set: readonly string[]): Promise<Set<string> | undefined> {
    const found = await objects(folder, name, set, /image|clusterVersion/i);
    return (
        found &&
        new Set(
            found
                .filter((object) => !["ConfigMap", "CustomResourceDefinition"].includes(object.kind as string))
                .filter((object) => !isTest(object))
                .flatMap((object) => [...images(object, object)])
                .map(withRegistry),
        )
    );
}

/** The charts of the ServiceTemplates that kof-mothership makes. */
async function services(folder: string): Promise<ServiceChart[]> {
    const all = (await objects(folder, "kof-mothership", [], /^kind: (ServiceTemplate|HelmRepository)$/m)) ?? [];
    const repositories = new Map(
        all
            .filter(({ kind }) => kind === "HelmRepository")
            .map((object) => [valueAt(object, ["metadata", "name"]), valueAt(object, ["spec", "url"])]),
    );
    const found = all
        .filter((object) => object.kind === "ServiceTemplate" && isMap(valueAt(object, ["spec", "helm", "chartSpec"])))
        .map((object) => {
            const spec = valueAt(object, ["spec", "helm", "chartSpec"]);
            const at = (...path: string[]) => valueAt(spec, path) as string;
            const repository = repositories.get(at("sourceRef", "name")) ?? "";
            return { chart: at("chart"), version: at("version"), repository: repository as string };
        });
    return found.sort((a, b) => (a.chart < b.chart ? -1 : 1));
}

/** The objects that a chart renders with these values, of those whose text is relevant. */
async function objects(
    folder: string,
    name: string,
    set: readonly string[],
    relevant: RegExp,
): Promise<HelmValues[] | undefined> {
    // kof-storage looks a Secret up in the cluster unless it is told not to make a user.
    const own = name === "kof-storage" ? ["victoriametrics.vmauth.vmuser.enabled=false"] : [];
    const options = [...own, ...set].flatMap((each) => ["--set", each]);
    const args = ["template", name, folder, "-n", "kof", "--kube-version", "1.33.0", ...options];
    const text = await helm(args).catch((error: unknown) => {
        if (set.length === 0) {
            throw error;
        }
    });
    return text
        ?.split(/^---$/m)
        .filter((part) => relevant.test(part))
        .flatMap((part) =>
            parseAllDocuments(part, { ...asHelm, logLevel: "silent" }).map((each) => each.toJS() as HelmValues),
        )
        .filter(isMap);
}

/** Whether only `helm test` makes an object. */
function isTest(object: HelmValues): boolean {
    const hook = valueAt(object, ["metadata", "annotations", "helm.sh/hook"]);
    return typeof hook === "string" && hook.startsWith("test");
}

function* images(value: HelmValue, object: HelmValues, key = ""): Generator<string> {
    if (Array.isArray(value)) {
        for (const item of value) {
            const [, image] = typeof item === "string" ? (/^--[\w-]+-image=(.+)$/.exec(item) ?? []) : [];
            if (image === undefined) {
                yield* images(item, object, key);
            } else {
                yield image;
            }
        }
    } else if (isMap(value)) {
        for (const [name, inner] of Object.entries(value)) {
            if (name === "image" && typeof inner === "string") {
                yield inner;
            } else if (name === "image" && isMap(inner) && typeof inner.tag === "string") {
                yield `${typeof inner.repository === "string" ? inner.repository : operatorRepository(object, key)}:${inner.tag}`;
            } else if (name === "clusterVersion" && typeof inner === "string") {
                yield `${operatorRepository(object, key)}:${inner}`;
            } else {
                yield* images(inner, object, name);
            }
        }
    }
}

/**
 * The repository that the VictoriaMetrics operator takes where an object names only a tag: `victoriametrics/` and the
 * workload's name (kof-mothership 1.8.0, which still spelled it out for its VMCluster).
 */
function operatorRepository({ kind }: HelmValues, key: string): string {
    const workload = kind === "VLCluster" ? "victoria-logs" : key === "spec" ? (kind as string).toLowerCase() : key;
    return `victoriametrics/${workload}`;
}

/** An image with its registry. */
function withRegistry(image: string): string {
    const [first = "", ...rest] = image.split("/");
    const hasRegistry = rest.length > 0 && /[.:]|^localhost$/.test(first);
    return hasRegistry ? image : rest.length > 0 ? `docker.io/${image}` : `docker.io/library/${image}`;
}
