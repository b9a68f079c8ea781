import * as path from "node:path";

import { parse } from "yaml";

import type { CatalogLayer, CatalogOverwrite, CatalogVolume } from "../../core/charts";
import { UserError } from "../../core/lib/errors";
import { mergedIn, serviceSections, workedOut } from "./generateOverwrites";
import { readChartText } from "./chartFiles";
import { placesIn } from "./generateVolumes";
import { formatPath, isMap, leaves, mergeValues, nest, type HelmValue, type HelmValues } from "../../core/lib/values";

type Path = readonly string[];

const classOfStorage = "CLASS-OF-STORAGE";

/**
 * What the layers above the charts of the volumes put into those charts' values: the umbrella, and the MultiClusterServices of
 * kof-child and kof-regional. Of all that they put there, only what the volumes depend on.
 *
 * @param folder holds the charts.
 * @param overwrites what layers put over the user's values, of anything.
 * @throws UserError when a template no longer merges values as it did.
 */
export function readLayers(
    folder: string,
    volumes: readonly CatalogVolume[],
    overwrites: readonly CatalogOverwrite[],
): CatalogLayer[] {
    const decisive = (chart: string) =>
        new Set(
            volumes
                .filter((volume) => volume.chart === chart)
                .flatMap((volume) => [...placesIn(volume)])
                .map(formatPath),
        );
    return [
        ...umbrellaLayers(overwrites, decisive("kof-mothership")),
        ...["kof-child", "kof-regional"].flatMap((chart) => {
            const name = `${chart.slice("kof-".length)}-multi-cluster-service.yaml`;
            return serviceLayers(path.join(folder, chart, "templates", name), chart, decisive("kof-storage"));
        }),
    ];
}

/** What the umbrella merges into the values of kof-mothership, after the user's. */
function umbrellaLayers(overwrites: readonly CatalogOverwrite[], decisive: ReadonlySet<string>): CatalogLayer[] {
    const chart = "kof-mothership";
    return overwrites
        .filter(({ component, path }) => component === chart && decisive.has(formatPath(path)))
        .map(({ when: [when = null, ...further], path, value }) => {
            if (further.length > 0) {
                throw new UserError(
                    `${chart} gets ${formatPath(path)} under conditions that the generator does not know.`,
                );
            }
            return { chart, from: [chart, "values"], when, under: {}, over: nest(path, value), copies: [] };
        });
}

/** What a MultiClusterService merges into the values of kof-storage. */
function serviceLayers(file: string, chart: string, decisive: ReadonlySet<string>): CatalogLayer[] {
    const section = serviceSections(file).find((each) => each.startsWith("- name: kof-storage\n"));
    if (section === undefined) {
        return [];
    }
    const { handed, literals, order } = mergedIn(section);
    const [[here, body] = [undefined, ""]] = literals;
    const given = order.find((name) => handed.get(name)?.endsWith("storage"));
    if (here === undefined || given === undefined || !order.includes(here)) {
        throw new UserError(`${file} merges the values of kof-storage in a way that the generator does not know.`);
    }
    const prefix = [chart, "values"];
    const from = [...prefix, ...(handed.get(given) ?? "").split(".")];
    // KOF 1.8.0 has its placeholders in the manner of printf.
    const filled = body.replaceAll("{storageClass}", classOfStorage).replaceAll(/\{\w+\}|%q/g, workedOut);
    const values = [...leaves(chosen(parsed(filled, file), (path) => decisive.has(formatPath(path))))];
    const classes = values.filter(([, value]) => value === classOfStorage || value === workedOut).map(([path]) => path);
    if (classes.some((path) => !(path.at(-1) ?? "").startsWith("storageClass"))) {
        throw new UserError(
            `${file} works out ${classes.map(formatPath).join(", ")} in a way that the generator does not know.`,
        );
    }
    // Without an annotation on the cluster it is the class of the values, where the template looks there, or none.
    const looked = readChartText(file).includes('| dig "global" "storageClass"');
    const put = values.reduce<HelmValues>(
        (all, [path, value]) => mergeValues(all, nest(path, classes.includes(path) ? "" : value)),
        {},
    );
    const gone = new Set(looked ? classes.map(formatPath) : []);
    const fixed = chosen(put, (path) => !gone.has(formatPath(path)));
    const wins = order.indexOf(here) > order.indexOf(given);
    const taken = new Set(values.map(([path]) => formatPath(path)));
    const globals = [...decisive].filter((path) => path.startsWith("global.") && !taken.has(path));
    return [
        {
            chart: "kof-storage",
            from,
            when: null,
            under: wins ? {} : fixed,
            over: wins ? fixed : {},
            copies: [
                ...globals.map((path) => ({ from: [...prefix, ...path.split(".")], to: path.split(".") })),
                ...classes
                    .filter((to) => looked && formatPath(to) !== "global.storageClass")
                    .map((to) => ({ from: [...from, "global", "storageClass"], to })),
            ],
        },
    ];
}

function parsed(text: string, file: string): HelmValues {
    try {
        const values = parse(text, { uniqueKeys: false }) as HelmValue;
        return isMap(values) ? values : {};
    } catch (error) {
        throw new UserError(`${file} has values that are no YAML: ${String(error)}`);
    }
}

function chosen(values: HelmValues, wanted: (path: Path) => boolean): HelmValues {
    return [...leaves(values)]
        .filter(([path]) => wanted(path))
        .reduce<HelmValues>((all, [path, value]) => mergeValues(all, nest(path, value)), {});
}
