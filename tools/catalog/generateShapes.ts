import * as fs from "node:fs";
import * as path from "node:path";

import { shapeAt, type Shaped, type ShapeIndex } from "../../core/charts/shapes";
import { isMap, mergeValues, valueAt, type HelmValue, type HelmValues } from "../../core/lib/values";
import { DigestFiles } from "./digestFiles";
import { dependenciesOf, filesOf, readChartText, readValues, templatesOf, type ChartDependency } from "./chartFiles";
import { readsOf, type Reads } from "./reads";

type ShapedMap = Record<string, Shaped>;

/**
 * Finds out what charts and their dependencies read. KOF versions that have the same version of a chart share its file: the name
 * has the digest of what it holds.
 *
 * @param known charts whose defaults a catalog has, with their folders.
 * @param others charts of which nothing else is known.
 * @returns the text of each file by its name, the index of the KOF version among them.
 */
export function readShapes(
    version: string,
    known: Readonly<Record<string, string>>,
    others: Readonly<Record<string, string>>,
): ReadonlyMap<string, string> {
    const files = new DigestFiles();
    const entries = [
        ...Object.entries(known).flatMap(([chart, folder]) => [
            ...dependenciesOf(folder)
                .filter(({ key }) => !Object.hasOwn(known, key))
                .flatMap(({ key, name, folder: place }): [string, string][] => {
                    const shape = shapeOf(place, valueAt(readValues(folder), [key]));
                    return shape === null ? [] : [[`${chart}/${key}`, files.add(name, shape)]];
                }),
            // What the umbrella reads of its components, the catalog knows.
            ...(chart === "kof" ? [] : besides(folder, known)).map((shape): [string, string] => [
                chart,
                files.add(chart, shape),
            ]),
        ]),
        ...Object.entries(others).map(([chart, folder]): [string, string] => [
            chart,
            files.add(chart, shapeOf(folder)),
        ]),
    ];
    const index: ShapeIndex = {
        generatedBy: "npm run catalog -- --charts DIR",
        version,
        files: Object.fromEntries(entries.sort()),
    };
    return files.texts.set(`${version}.json`, `${JSON.stringify(index, undefined, 1)}\n`);
}

const shaped = new Map<string, Shaped>();

/**
 * What a chart reads of its values, those of its dependencies among them; null where its folder has nothing of which to tell.
 *
 * @param given what the chart that depends on it has in its values.
 */
function shapeOf(folder: string, given: HelmValue = {}): Shaped {
    const key = `${folder}\n${JSON.stringify(given)}`;
    const known = shaped.get(key);
    if (known !== undefined) {
        return known;
    }
    const isThere = ["templates", "values.yaml", "crds"].some((each) => fs.existsSync(path.join(folder, each)));
    const made = isThere ? shapeOfFolder(folder, isMap(given) ? given : {}) : null;
    shaped.set(key, made);
    return made;
}

function shapeOfFolder(folder: string, given: HelmValues): Shaped {
    const values = readValues(folder);
    const dependencies = dependenciesOf(folder);
    const root = noted(values, readsIn(folder, mergeValues(values, given)), dependencies);
    const own = shapeOfNote(root, true, false);
    return withDependencies(
        own,
        dependencies.map((each) => [each.key, shapeOf(each.folder, valueAt(values, [each.key]))]),
    );
}

/** What templates of a chart read in addition to its defaults, by name. The catalog's rules cover what is below a key of a default. */
function besides(folder: string, known: Readonly<Record<string, string>>): Shaped[] {
    const values = readValues(folder);
    const dependencies = dependenciesOf(folder);
    const own = shapeOfNote(noted({}, readsIn(folder, values), dependencies), true, undefined);
    const globals = dependencies.map(({ key, folder: place }): Shaped => {
        const shape = shapeOf(known[key] ?? place, valueAt(values, [key]));
        return { global: shapeAt(shape, "global") ?? {} };
    });
    const left = withoutKnown(globals.reduce(merged, own), values);
    return isMap(left) && Object.keys(left).length > 0 ? [left] : [];
}

/** A shape without what values have. */
function withoutKnown(shape: Shaped, values: HelmValues): Shaped {
    const left = Object.entries(isMap(shape) ? shape : {}).flatMap(([key, inner]): [string, Shaped][] => {
        const own = valueAt(values, [key]);
        const below = isMap(own) ? withoutKnown(inner, own) : inner;
        return key === "*" || (own !== undefined && !(isMap(own) && isMap(below) && Object.keys(below).length > 0))
            ? []
            : [[key, below]];
    });
    return Object.fromEntries(left);
}

function withDependencies(own: Shaped, dependencies: readonly [string, Shaped][]): Shaped {
    return dependencies.reduce<Shaped>((all, [key, shape]) => {
        const parent = shapeAt(all, key);
        const both = isMap(shape) ? merged(shape, isMap(parent) ? parent : {}) : shape;
        return merged({ ...(all as ShapedMap), [key]: both }, { global: shapeAt(shape, "global") ?? {} });
    }, own);
}

/** What either shape reads. */
function merged(a: Shaped, b: Shaped): Shaped {
    if (!isMap(a) || !isMap(b)) {
        return isMap(a) || isMap(b) ? null : (b ?? a);
    }
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
    const both = (key: string): Shaped => {
        const [first, second] = [a[key], b[key]];
        return first === undefined ? (second ?? null) : second === undefined ? first : merged(first, second);
    };
    return Object.fromEntries(keys.map((key) => [key, both(key)]));
}

/** What is known of one place of the values. */
interface Note {
    /** The default; `undefined` where there is none. */
    value: HelmValue | undefined;
    whole: boolean;
    printed: boolean;
    asked: boolean;
    readonly below: Map<string, Note>;
}

function note(value: HelmValue | undefined): Note {
    const below = Object.entries(isMap(value) ? value : {}).map(([key, inner]): [string, Note] => [key, note(inner)]);
    return { value, whole: false, printed: false, asked: false, below: new Map(below) };
}

function noted(values: HelmValues, reads: Reads, dependencies: readonly ChartDependency[]): Note {
    const root = note(values);
    const at = (path: readonly string[]): Note =>
        path.reduce((place, key) => {
            const inner = place.below.get(key) ?? note(undefined);
            place.below.set(key, inner);
            return inner;
        }, root);
    [...reads.named, ...dependencies.flatMap(({ conditions }) => conditions)].forEach(at);
    reads.whole.forEach((path) => (at(path).whole = true));
    reads.printed.forEach((path) => (at(path).printed = true));
    reads.asked.forEach((path) => (at(path).asked = true));
    return root;
}

/**
 * @param isClosed whether the chart reads only known keys, even if there are none.
 * @param isWhole whether what is above is taken as a whole. `undefined`: that does not matter.
 */
function shapeOfNote({ value, below, ...noted }: Note, isClosed: boolean, isWhole: boolean | undefined): Shaped {
    const whole = isWhole === true || noted.whole;
    const isList = Array.isArray(value);
    if (value !== undefined && value !== null && !isMap(value)) {
        const named = [...below.keys()].filter((key) => key !== "*");
        const isMore = noted.asked || named.length > 0 || (!isList && (noted.whole || below.size > 0));
        return isMore ? null : isList ? value.filter((each) => typeof each === "string").slice(0, 1) : value;
    }
    const isAnything = below.size === 0 && (isMap(value) ? !isClosed : true);
    // What templates go through and know no key of may be a list.
    const isListOrMap = [...below.keys()].every((key) => key === "*");
    if (!isMap(value) && (isAnything || isListOrMap || noted.printed || noted.asked)) {
        return null;
    }
    const any = below.get("*");
    const inside = isWhole === undefined ? undefined : whole;
    const further = whole || isAnything ? null : any && shapeOfNote(any, false, inside);
    const entries = [...below].flatMap(([key, inner]): [string, Shaped][] => {
        const shape = shapeOfNote(inner, false, inside);
        return key === "*" ? [] : [[key, further === undefined || further === null ? shape : merged(further, shape)]];
    });
    return Object.fromEntries([...entries, ...(further === undefined ? [] : [["*", further] as const])]);
}

function readsIn(folder: string, values: HelmValues): Reads {
    return readsOf(everyTemplate(folder), ownTemplates(folder), values);
}

/** The templates of a chart, and the files that they render (`tpl` of `.Files`). */
function ownTemplates(folder: string): string[] {
    const others = ["templates/NOTES.txt", "files", "conf"].flatMap((name) => filesOf(folder, name));
    const read = (file: string) => readChartText(path.join(folder, file));
    return [...templatesOf(folder).map(read), ...others.map(read).filter((text) => text.includes(".Values"))];
}

/** The templates of a chart, and of all charts below it, whose named templates are there for it too. */
function everyTemplate(folder: string): string[] {
    const below = path.join(folder, "charts");
    const names = fs.existsSync(below) ? fs.readdirSync(below) : [];
    return [...ownTemplates(folder), ...names.flatMap((name) => everyTemplate(path.join(below, name)))];
}
