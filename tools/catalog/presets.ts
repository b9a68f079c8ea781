import * as path from "node:path";

import { parseAllDocuments } from "yaml";

import { asHelm } from "../../core/lib/yaml/read";
import { collectorNamePlaceholder, type CatalogPreset, type PresetPart, kubeStack } from "../../core/charts";
import { helm } from "../../cli/charts/helm";
import { isMap, mergeValues, nest, valueAt, type HelmValue, type HelmValues } from "../../core/lib/values";

const presetsPath = [kubeStack, "defaultCRConfig", "presets"];
/** Stands in every list to which a preset can add something. */
const marker = "marker";
/** What a preset looks at, and may change. */
const fields = ["config", "volumes", "volumeMounts"];

/** A collector without presets, with an entry in every list that a preset can add to. */
const plainCollector: HelmValues = {
    enabled: true,
    fullnameOverride: collectorNamePlaceholder,
    mode: "deployment",
    volumes: [{ name: marker }],
    volumeMounts: [{ name: marker, mountPath: marker }],
    config: {
        service: {
            extensions: [marker],
            pipelines: Object.fromEntries(
                ["logs", "metrics", "traces"].map((name) => [
                    name,
                    { receivers: [marker], processors: [marker], exporters: [marker] },
                ]),
            ),
        },
    },
};

/**
 * Finds out what each preset of opentelemetry-kube-stack adds to a collector: by rendering one collector without presets,
 * one with each preset, and one with each preset and each of its options.
 *
 * @param folder holds the chart kof-collectors with its dependencies.
 * @param values the default values of kof-collectors, and those of opentelemetry-kube-stack under its name.
 * @throws UserError when Helm is missing or fails.
 */
export async function readPresets(folder: string, values: HelmValues): Promise<CatalogPreset[]> {
    const defaults = valueAt(values, presetsPath) as Record<string, HelmValues>;
    const names = Object.keys(defaults);
    const off = Object.fromEntries(names.map((name) => [name, { enabled: false }]));
    const collector = (presets: HelmValues, mode = "deployment") =>
        mergeValues(plainCollector, { mode, presets: mergeValues(off, presets) });
    const wanted = new Map([["none", collector({})]]);
    for (const name of names) {
        const on = { enabled: true };
        wanted.set(name, collector({ [name]: on }));
        wanted.set(`${name}/daemonset`, collector({ [name]: on }, "daemonset"));
        for (const option of optionsOf(defaults[name])) {
            wanted.set(`${name}/${option}`, collector({ [name]: { ...on, [option]: !defaults[name]?.[option] } }));
        }
    }
    const rendered = await render(folder, values, wanted);
    const part = (name: string, base: string): PresetPart =>
        difference(rendered.get(base) ?? {}, rendered.get(name) ?? {});
    return names.map((name) => {
        const variants = ["daemonset", ...optionsOf(defaults[name])].flatMap((option) => {
            const found = part(`${name}/${option}`, name);
            const when = option === "daemonset" ? { mode: option } : { [option]: !defaults[name]?.[option] };
            return Object.keys(found.spec).length + found.lists.length > 0 ? [{ when, ...found }] : [];
        });
        return { name, parts: [part(name, "none"), ...variants] };
    });
}

/** The options of a preset that change what it adds by being on or off. */
function optionsOf(preset: HelmValues | undefined): string[] {
    return Object.keys(preset ?? {}).filter((key) => key !== "enabled" && typeof preset?.[key] === "boolean");
}

async function render(
    folder: string,
    values: HelmValues,
    wanted: ReadonlyMap<string, HelmValues>,
): Promise<Map<string, HelmValues>> {
    const own = Object.keys(valueAt(values, [kubeStack, "collectors"]) as HelmValues);
    const collectors = {
        ...Object.fromEntries(own.map((name) => [name, { enabled: false }])),
        ...Object.fromEntries(
            [...wanted].map(([name, fields], i) => [
                `c${String(i).padStart(3, "0")}`,
                { ...fields, annotations: { [marker]: name } },
            ]),
        ),
    };
    const input = JSON.stringify(nest([kubeStack], { collectors }));
    const text = await helm(
        ["template", "kof-collectors", path.join(folder, "kof-collectors"), "-n", "kof", "-f", "-"],
        input,
    );
    return new Map(
        parseAllDocuments(text, asHelm).flatMap((document) => {
            const object = document.toJS() as HelmValues | null;
            const name = valueAt(object, ["metadata", "annotations", marker]);
            const spec = Object.entries((object?.spec ?? {}) as HelmValues).filter(([key]) => fields.includes(key));
            return typeof name === "string" ? [[name, Object.fromEntries(spec)] as const] : [];
        }),
    );
}

/** What `after` has that `before` has not: entries of lists that both have, and everything else as it is. */
function difference(before: HelmValues, after: HelmValues, at: readonly string[] = []): PresetPart {
    let spec: HelmValues = {};
    const lists: PresetPart["lists"][number][] = [];
    for (const [key, value] of Object.entries(after)) {
        const was = before[key];
        const here = [...at, key];
        if (isMap(value) && isMap(was)) {
            const below = difference(was, value, here);
            spec = mergeValues(spec, below.spec);
            lists.push(...below.lists);
        } else if (Array.isArray(value) && Array.isArray(was) && was.some(isMarked)) {
            const present = new Set(was.map((entry) => JSON.stringify(entry)));
            const added = (entries: HelmValue[]) => entries.filter((entry) => !present.has(JSON.stringify(entry)));
            const place = value.findIndex(isMarked);
            const [first, last] = [added(value.slice(0, place)), added(value.slice(place))];
            if (first.length + last.length > 0) {
                lists.push({ path: here, first, last });
            }
        } else if (JSON.stringify(value) !== JSON.stringify(was)) {
            spec = mergeValues(spec, nest(here, value));
        }
    }
    return { spec, lists };
}

function isMarked(entry: HelmValue): boolean {
    return entry === marker || (isMap(entry) && entry.name === marker);
}
