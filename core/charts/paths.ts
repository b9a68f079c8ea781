import * as semver from "semver";

import { chartValues, type Catalog } from ".";
import { handedTo } from "./defaults";
import { takesMore, typed } from "./kubernetes";
import { isChosen, areCollectorValues, isFreeForm, ruleOf } from "./rules";
import { hasShape, shapeAt, shapeOfChart, type Shaped } from "./shapes";
import { oncePer } from "../lib/lazy";
import { dissimilarity, isMisspelling, lettersOf, similar } from "../lib/spelling";
import { formatPath, isMap, valueAt, type HelmValue, type HelmValues } from "../lib/values";

/** A value that the charts would ignore, or take for something else. */
interface PathProblem {
    readonly path: readonly string[];
    /** What is wrong, as a sentence that does not name the path. */
    readonly message: string;
    /** A path that the charts do read and that was probably meant. */
    readonly nearest?: string | undefined;
    /** The value that was probably meant, where the path is right. */
    readonly meant?: HelmValue | undefined;
}

/** A name beside those of the charts, which may be a new one or one of theirs misspelt. */
interface NewName {
    readonly path: readonly string[];
    /** The name of the charts that it resembles. */
    readonly resembles: string;
}

/**
 * Checks every path of the umbrella's values against what the charts of this KOF version read. No KOF chart has a schema,
 * and Helm ignores what it does not know, so nothing else says that a value has no effect.
 *
 * Names that people choose (labels, a collector's exporters) are accepted, see {@link newNames}. So are unknown keys of other
 * open maps, and of charts of which nothing is known, unless they look like a known key misspelt or put a level too high.
 *
 * @param context values whose `global.components` tells which components run, where it is not the checked ones.
 */
export function checkPaths(catalog: Catalog, values: HelmValues, context: HelmValues = values): PathProblem[] {
    return walk(catalog, values, context).problems;
}

/** Names that anyone may choose, as those of exporters and labels, and that resemble one of the charts. */
export function newNames(catalog: Catalog, values: HelmValues, context: HelmValues = values): NewName[] {
    return walk(catalog, values, context).names;
}

function walk(
    catalog: Catalog,
    values: HelmValues,
    context: HelmValues,
): { readonly problems: PathProblem[]; readonly names: NewName[] } {
    const root = umbrella(catalog, context);
    const problems: PathProblem[] = [];
    const names: NewName[] = [];
    check(root, values, []);
    return { problems, names };

    function check(shape: Shape, value: HelmValue, path: readonly string[]): void {
        if (!isMap(value) || shape.kind === "scalar") {
            const problem = problemOf(shape, value, path, catalog.version);
            problems.push(...(problem ? [{ path, ...problem }] : []));
            return;
        }
        for (const [key, inner] of Object.entries(value)) {
            const next = shape.at(key);
            const resembles = shape.chosen && !shape.keys.includes(key) ? misspelt(key, shape.keys) : undefined;
            if (resembles !== undefined) {
                names.push({ path: [...path, key], resembles });
            }
            if (next) {
                check(next, inner, [...path, key]);
            } else {
                problems.push(unknown(catalog, root, shape, [...path, key], problems.length < searched));
            }
        }
    }
}

/** What is wrong with a value that is not looked into any further: no map, or one where the charts have none. */
function problemOf(
    { kind, example }: Shape,
    value: HelmValue,
    path: readonly string[],
    version: string,
): Omit<PathProblem, "path"> | undefined {
    const instead = (has: string) => `is ${kindText(value)}, but KOF ${version} has ${has} here`;
    if (value === null) {
        return { message: "is null. Helm and Kubernetes disagree on what a null means: leave the key out" };
    }
    if (isMap(value)) {
        return { message: instead(kindText(example)) };
    }
    if (Array.isArray(value) && hasNull(value)) {
        return { message: "has an entry that is null, or has one in it: leave it out" };
    }
    if (kind === "map") {
        return { message: instead("a map") };
    }
    if (Array.isArray(example) && !Array.isArray(value)) {
        return { message: instead("a list"), meant: [value] };
    }
    if (typeof example === "boolean" && typeof value !== "boolean") {
        const message = `is ${kindText(value)}, which the charts do not take for true or false: write a boolean without quotes`;
        return { message, meant: typeof value === "string" ? words.get(value.toLowerCase()) : undefined };
    }
    if (Array.isArray(value) && isScalar(example)) {
        const [first, ...more] = value;
        const isMeant = more.length === 0 && typeof first === typeof example;
        return { message: instead(kindText(example)), meant: isMeant ? first : undefined };
    }
    // What a collector takes there is checked with the rest of its configuration.
    const areTexts = isTexts(example) && !path.includes("config");
    if (areTexts && Array.isArray(value) && value.some((each) => isScalar(each) && !isText(each))) {
        return { message: `has entries that are not text, but KOF ${version} has text here` };
    }
    return isOtherScalar(example, value, path) ? { message: instead(kindText(example)) } : undefined;
}

/** What YAML 1.1 and people take for true or false. */
const words = new Map([
    ...["true", "yes", "on"].map((word) => [word, true] as const),
    ...["false", "no", "off"].map((word) => [word, false] as const),
]);

/** Whether a value cannot stand for the charts' own: a word for a number, a boolean for text. `30d`, `50%` and `500m` may for a number. */
function isOtherScalar(example: HelmValue | undefined, value: HelmValue, path: readonly string[]): boolean {
    // Ports have names too, and a tag that looks like a number is none.
    if (typeof example === "number" && !/(^tag|port)$/i.test(path.at(-1) ?? "")) {
        return typeof value === "boolean" || (typeof value === "string" && !/^(\d|[-+.]\d|.*(\$|\{\{))/.test(value));
    }
    const isBoolean = typeof example === "boolean" || example === "true" || example === "false";
    return isScalar(example) && !isBoolean && typeof value === "boolean" && !path.includes("config");
}

function hasNull(value: HelmValue): boolean {
    return value === null || (typeof value === "object" && Object.values(value).some(hasNull));
}

/** Whether the charts of this KOF version read a path of the umbrella's values. */
export function isRead(catalog: Catalog, path: readonly string[]): boolean {
    return reads(umbrella(catalog, {}), path);
}

function reads(shape: Shape, path: readonly string[]): boolean {
    return path.reduce<Shape | undefined>((below, key) => below?.at(key), shape) !== undefined;
}

function kindText(value: HelmValue | undefined): string {
    return Array.isArray(value) ? "a list" : isMap(value) ? "a map" : JSON.stringify(value);
}

/** Whether the charts have something here that is no list. What they leave empty may be one. */
function isScalar(example: HelmValue | undefined): boolean {
    return (
        typeof example === "number" || typeof example === "boolean" || (typeof example === "string" && example !== "")
    );
}

function isText(value: HelmValue): boolean {
    return typeof value === "string";
}

function isTexts(example: HelmValue | undefined): boolean {
    return Array.isArray(example) && example.length > 0 && example.every(isText);
}

/** What the charts read at one place of the values. */
interface Shape {
    readonly kind: "map" | "scalar" | "unknown";
    /** Whether keys beyond {@link keys} are read too. */
    readonly open: boolean;
    /** Whether keys are names that anyone may choose, so that one which resembles another is not refused. */
    readonly chosen: boolean;
    /** The charts' own value, where it is a scalar. */
    readonly example: HelmValue | undefined;
    readonly keys: readonly string[];
    /** Whether it is of a chart of another project: too many paths to look through for what somebody meant elsewhere. */
    readonly foreign?: boolean;
    /** Whether Kubernetes' own type decides what is read, as a chart copies the whole. */
    readonly copied?: boolean;
    /** What is read below a key; `undefined` when nothing is, so that a value there would be ignored. */
    at(key: string): Shape | undefined;
}

/** The shapes of each catalog, by what they are of: every path is looked up in them, and most of them many times. */
const shapes = new WeakMap<Catalog, Map<string, Shape>>();

function remembered(catalog: Catalog, of: readonly string[], make: () => Shape): Shape {
    const known = shapes.get(catalog) ?? new Map<string, Shape>();
    shapes.set(catalog, known);
    const name = of.join("\n");
    const shape = known.get(name) ?? make();
    known.set(name, shape);
    return shape;
}

/** What is found below each key, found once. */
function once(at: Shape["at"]): Shape["at"] {
    const found = new Map<string, Shape | undefined>();
    return (key) => {
        if (!found.has(key)) {
            found.set(key, at(key));
        }
        return found.get(key);
    };
}

function umbrella(catalog: Catalog, values: HelmValues): Shape {
    // The umbrella installs whatever `global.components` lists, also what its own values do not know.
    const listed = (valueAt(values, ["global", "components"]) ?? []) as string[];
    const components = new Set([
        ...catalog.components.map(({ name }) => name),
        ...listed.filter((name) => catalog.charts[name]),
    ]);
    return remembered(catalog, ["umbrella", ...components], () => {
        const shape = chartShape(catalog, "kof", []);
        const at = (key: string): Shape | undefined => (components.has(key) ? component(catalog, key) : shape.at(key));
        return { ...shape, keys: [...new Set([...shape.keys, ...components])], at: once(at) };
    });
}

function component(catalog: Catalog, name: string): Shape {
    // Of one that only `global.components` lists, the umbrella's own values know nothing.
    const own = Object.hasOwn(chartValues(catalog, "kof"), name) ? chartShape(catalog, "kof", [name]) : nothing;
    const keys = [...new Set([...own.keys, "enabled", "dependsOn", "values"])];
    const at = (key: string): Shape | undefined =>
        key === "values"
            ? union(own.at(key), chartShape(catalog, name, []))
            : key === "enabled"
              ? scalar(false)
              : key === "dependsOn"
                ? scalar([])
                : own.at(key);
    return { ...nothing, keys, at: once(at) };
}

/** Nothing is read here. */
const nothing: Shape = { kind: "map", open: false, chosen: false, example: undefined, keys: [], at: () => undefined };

function scalar(example: HelmValue): Shape {
    return { ...nothing, kind: "scalar", example };
}

const anything: Shape = { ...nothing, kind: "unknown", open: true, at: () => anything };

/** What a chart reads at a path of its values. */
function chartShape(catalog: Catalog, chart: string, path: readonly string[]): Shape {
    return remembered(catalog, ["chart", chart, ...path], () => shapeOf(catalog, chart, path));
}

function shapeOf(catalog: Catalog, chart: string, path: readonly string[]): Shape {
    const further = path.reduce<Shaped | undefined>(shapeAt, shapeOfChart(catalog, chart));
    if (!catalog.charts[chart]) {
        return path.length > 0 || further === undefined ? anything : shapeFrom(further, path, true);
    }
    const own = valueShape(catalog, chart, path, valueAt(chartValues(catalog, chart), path));
    const parts = further === undefined ? [own] : [own, shapeFrom(further, path, false)];
    const rule = ruleOf(chart, path);
    if (rule?.any === true) {
        return anything;
    }
    if (rule?.chart !== undefined) {
        parts.push(chartShape(catalog, rule.chart, []));
    }
    if (areCollectorValues(chart, path) && path.length === 2) {
        parts.push(chartShape(catalog, chart, ["defaultCRConfig"]));
    }
    const dependency = path.length === 1 && catalog.charts[chart].dependencies.find(({ name }) => name === path[0]);
    if (dependency) {
        parts.push(chartShape(catalog, chartOf(catalog, chart, dependency.name), []));
    }
    return parts.length > 1 ? union(...parts) : own;
}

function valueShape(catalog: Catalog, chart: string, path: readonly string[], value: HelmValue | undefined): Shape {
    const rule = ruleOf(chart, path);
    const extra = [...(rule?.keys ?? []), ...(areCollectorValues(chart, path) ? catalog.collectorFields : [])];
    const dependencies = path.length === 0 ? (catalog.charts[chart]?.dependencies ?? []).map(({ name }) => name) : [];
    const listed = isMap(value) ? Object.keys(value) : [];
    const keys = [...new Set([...listed, ...extra, ...dependencies])];
    if (keys.length === 0 && rule?.open !== true && value !== undefined && value !== null && !isMap(value)) {
        return scalar(value);
    }
    // What another chart reads, that chart's own shape says: here its values are only listed.
    const open =
        !rule?.keys &&
        !isPassedOn(catalog, chart, path) &&
        (rule?.names === true || keys.length === 0 || isFreeForm(chart, path));
    const names = new Set(keys);
    const isNamed = isChosen(chart, path);
    return {
        ...nothing,
        kind: isMap(value) || keys.length > 0 ? "map" : "unknown",
        open,
        chosen: isNamed,
        keys,
        at: once((key) => {
            if (names.has(key)) {
                return chartShape(catalog, chart, [...path, key]);
            }
            if (!open || (!isNamed && misspelt(key, keys) !== undefined)) {
                return undefined;
            }
            const below = [...path, key];
            const described = ruleOf(chart, below) !== undefined || areCollectorValues(chart, below);
            return described ? chartShape(catalog, chart, below) : anything;
        }),
    };
}

/** Whether a place belongs to the values of another chart that the catalog has. */
function isPassedOn(catalog: Catalog, chart: string, path: readonly string[]): boolean {
    return path.some((_, i) => {
        const to = handedTo(catalog, chart, path.slice(0, i + 1));
        return to !== undefined && (isKnown(catalog, to) || isKnown(catalog, `${chart}/${to}`));
    });
}

/** The chart that a dependency is: one of the catalog's own, or one of other projects, of which there is a shape. */
function chartOf(catalog: Catalog, chart: string, dependency: string): string {
    return catalog.charts[dependency] ? dependency : `${chart}/${dependency}`;
}

function isKnown(catalog: Catalog, chart: string): boolean {
    return catalog.charts[chart] !== undefined || hasShape(catalog, chart);
}

/** What a chart reads at a path of its values, according to its catalog and shapes. */
function shapeFrom(read: Shaped, path: readonly string[], foreign: boolean, within = false): Shape {
    const shaped = typed(read, path);
    const copied = within || shaped !== read;
    if (shaped === null) {
        return anything;
    }
    if (!isMap(shaped)) {
        return scalar(shaped);
    }
    const at = (key: string): Shape | undefined => {
        const below = shapeAt(shaped, key);
        return below === undefined ? undefined : shapeFrom(below, [...path, key], foreign, copied);
    };
    const keys = Object.keys(shaped).filter((key) => key !== "*");
    const open = Object.hasOwn(shaped, "*");
    const kind = takesMore(read, path) ? "unknown" : "map";
    return { ...nothing, kind, open, chosen: open, keys, foreign, copied, at: once(at) };
}

/** Reads what any of the shapes reads. */
function union(...shapes: (Shape | undefined)[]): Shape {
    const all = shapes.filter((shape) => shape !== undefined);
    const known = all.filter((shape) => shape !== anything);
    const keys = [...new Set(all.flatMap((shape) => shape.keys))];
    const [first] = known;
    if (known.length <= 1 && all.length === known.length) {
        return first ?? anything;
    }
    const isNamed = all.some(({ chosen }) => chosen);
    const foreign = all.some((shape) => shape.foreign === true);
    return {
        kind: (["map", "scalar"] as const).find((kind) => known.some((each) => each.kind === kind)) ?? "unknown",
        open: all.some(({ open }) => open),
        chosen: isNamed,
        example: known.find(({ example }) => example !== undefined)?.example,
        keys,
        foreign,
        copied: all.some((shape) => shape.copied === true),
        at: once((key) => {
            const below = all.flatMap((shape) => (shape.open || shape.keys.includes(key) ? (shape.at(key) ?? []) : []));
            const doubtful =
                !isNamed &&
                !foreign &&
                !keys.includes(key) &&
                (misspelt(key, keys) ?? tooHigh(known, key)) !== undefined;
            return below.length > 0 && !doubtful ? union(...below) : undefined;
        }),
    };
}

/** The known key that an unknown one was probably meant to be. */
function misspelt(key: string, keys: readonly string[]): string | undefined {
    return keys.find((known) => lettersOf(known) === lettersOf(key) || isMisspelling(key, known, "helmKey"));
}

/** Where, below these shapes, a key is known that was put here. Keys that exist at many levels say nothing. */
function tooHigh(shapes: readonly Shape[], key: string): readonly string[] | undefined {
    if (key.length < 12) {
        return undefined;
    }
    return shapes.map((shape) => lowerKeys(shape).get(key)).find((path) => path !== undefined);
}

/** The first path to each key below a shape, of those that are not right below it. */
const lowerKeys = oncePer((shape: Shape): ReadonlyMap<string, readonly string[]> => {
    const below = [...paths(shape, 6)].filter((path) => path.length > 1);
    // Of several paths to a key the first stays.
    return new Map(below.reverse().map((path) => [path.at(-1) ?? "", path]));
});

/** Every path that a shape lists by name. Of charts of other projects only from within. */
function* paths(shape: Shape, depth: number): Generator<readonly string[]> {
    for (const key of shape.keys) {
        yield [key];
        const below = depth > 1 ? shape.at(key) : undefined;
        if (below && (shape.foreign === true || below.foreign !== true)) {
            for (const path of paths(below, depth - 1)) {
                yield [key, ...path];
            }
        }
    }
}

/** Values that moved: KOF's upgrade notes, and a place that KOF's pages name although no chart reads it. */
const moves = [
    ["kof-storage.values", "kof-child.values.fromManagement.storage", ">=1.10.0-0"],
    ["kof-collectors.values", "kof-child.values.fromManagement.collectors", ">=1.10.0-0"],
    ["kof-child.values.storage", "kof-child.values.fromManagement.storage", ">=1.10.0-0"],
    ["kof-regional.values.operators", "kof-regional.values.kof-operators.values", ">=1.10.0-0"],
    ["kof-child.values.fromManagement.storage", "kof-storage.values", "<1.10.0-0"],
    ["kof-child.values.fromManagement.collectors", "kof-collectors.values", "<1.10.0-0"],
].map(([from = "", to = "", versions = ""]) => ({ from: from.split("."), to: to.split("."), versions }));

/** Where this KOF version reads what others read at a path. */
export function movedPath(catalog: Catalog, path: readonly string[]): readonly string[] | undefined {
    const move = moves
        .filter(({ versions }) => semver.satisfies(catalog.version, versions, { includePrerelease: true }))
        .find(({ from }) => from.every((key, i) => path.length <= i || path[i] === key));
    return move && [...move.to, ...path.slice(move.from.length)];
}

/** For how many paths of one stack the nearest one is searched everywhere, which takes milliseconds. */
const searched = 10;

function unknown(
    catalog: Catalog,
    root: Shape,
    parent: Shape,
    path: readonly string[],
    everywhere: boolean,
): PathProblem {
    const message =
        parent.copied === true
            ? "is no field that Kubernetes knows in this place: it would drop it, or refuse the whole"
            : `is not read by the charts of KOF ${catalog.version}: Helm would ignore it`;
    const to = movedPath(catalog, path);
    if (to && reads(root, to)) {
        return { path, message, nearest: formatPath(to) };
    }
    const key = path.at(-1) ?? "";
    const within = (below: readonly string[] | undefined) => below && [...path.slice(0, -1), ...below];
    const nearest =
        within(closest(key, parent.keys)) ??
        within(tooHigh([parent], key)) ??
        (parent.foreign === true || !everywhere ? undefined : nearestPath(root, path));
    return { path, message, nearest: nearest && formatPath(nearest) };
}

/** The key that resembles another one most, if any does. */
function closest(key: string, keys: readonly string[]): readonly string[] | undefined {
    const [best, least] = keys.reduce<[string, number]>(
        (nearest, each) => {
            const own = dissimilarity(key, each);
            return own < nearest[1] ? [each, own] : nearest;
        },
        ["", Infinity],
    );
    return least <= similar ? [best] : undefined;
}

/** The listed path that takes the fewest changes of keys to get to. */
function nearestPath(root: Shape, path: readonly string[]): readonly string[] | undefined {
    let best: readonly string[] | undefined;
    let least = Infinity;
    // The same keys come up below many others.
    const known = new Map(path.map((key) => [key, new Map<string, number>()]));
    const difference = (a: string, b: string) => {
        const found = known.get(a)?.get(b) ?? dissimilarity(a, b);
        known.get(a)?.set(b, found);
        return found;
    };
    for (const candidate of paths(root, path.length + 2)) {
        if (candidate.length < path.length - 2) {
            continue;
        }
        const cost = pathDistance(path, candidate, difference);
        // Of equally near paths, one that ends in the same key, then the shorter one.
        const rank = cost + (candidate.at(-1) === path.at(-1) ? 0 : 0.01) + candidate.length / 10_000;
        // With nothing in common, no path says what was meant.
        if (rank < least && cost < path.length + candidate.length) {
            [best, least] = [candidate, rank];
        }
    }
    return best;
}

/** Edit distance of two paths: a key inserted or left out costs 1, one replaced by a similar one less than 1. */
function pathDistance(a: readonly string[], b: readonly string[], differenceOf: typeof dissimilarity): number {
    let previous = b.map((_, j) => j + 1);
    previous.unshift(0);
    for (const [i, left] of a.entries()) {
        const current = [i + 1];
        for (const [j, right] of b.entries()) {
            const difference = differenceOf(left, right);
            const replace = difference > similar ? 2 : difference;
            current.push(Math.min((previous[j] ?? 0) + replace, (previous[j + 1] ?? 0) + 1, (current[j] ?? 0) + 1));
        }
        previous = current;
    }
    return previous.at(-1) ?? 0;
}
