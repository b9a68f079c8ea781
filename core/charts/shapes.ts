import * as fs from "node:fs";
import * as path from "node:path";

import type { Catalog } from ".";
import { isMap } from "../lib/values";

/**
 * What a chart reads of its values, as data of the same shape. Each key has its default. `null` means that there is no default, or
 * that any value is read. `*` has what is read below any further key. Lists are empty, or have one of their texts.
 */
export type Shaped = null | boolean | number | string | Shaped[] | { readonly [key: string]: Shaped };

/** Which file has what each chart of a KOF version reads. Written by `npm run catalog`; never edited by hand. */
export interface ShapeIndex {
    readonly generatedBy: string;
    readonly version: string;
    /**
     * Files in `core/charts/shapes`, by the chart: `kof-storage/victoria-logs-cluster` for a dependency, by the key of its values. Of
     * the charts whose defaults the catalog has, a file lists only what their templates read besides those.
     */
    readonly files: Readonly<Record<string, string>>;
}

const folder = path.join(__dirname, "shapes");

/** The file of a shape, by its name in an index; the index of a KOF version is `<version>.json`. */
export function shapeFile(name: string): string {
    return path.join(folder, name);
}

const read = new Map<string, unknown>();

function load(name: string): unknown {
    if (!read.has(name)) {
        const file = shapeFile(name);
        read.set(name, fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : undefined);
    }
    return read.get(name);
}

/**
 * What a chart reads of its values, see {@link ShapeIndex.files}. Nothing is loaded before it is asked for.
 *
 * @returns `undefined` where nothing is known of the chart.
 */
export function shapeOfChart({ version }: Pick<Catalog, "version">, name: string): Shaped | undefined {
    const file = indexOf(version)?.files[name];
    return file === undefined ? undefined : (load(file) as Shaped);
}

/** Whether {@link shapeOfChart} knows a chart. */
export function hasShape({ version }: Pick<Catalog, "version">, name: string): boolean {
    return indexOf(version)?.files[name] !== undefined;
}

/** The shapes of a KOF version; `undefined` for one that has none. */
export function indexOf(version: string): ShapeIndex | undefined {
    return load(`${version}.json`) as ShapeIndex | undefined;
}

/** What is read at a key of a shape; `undefined` when nothing is. */
export function shapeAt(shape: Shaped | undefined, key: string): Shaped | undefined {
    if (!isMap(shape)) {
        return shape === null ? null : undefined;
    }
    return Object.hasOwn(shape, key) ? shape[key] : shape["*"];
}
