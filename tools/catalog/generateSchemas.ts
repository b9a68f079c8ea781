import * as fs from "node:fs";
import * as path from "node:path";

import type { ValidateFunction } from "ajv";

import type { CatalogSchema } from "../../core/charts";
import { DigestFiles } from "./digestFiles";
import { dependenciesOf, readChartText, readValues, templatesOf } from "./chartFiles";
import { newAjv } from "../../core/charts/schemas";
import { Template } from "./templates";
import { isMap, valueAt, type HelmValue, type HelmValues } from "../../core/lib/values";

/** The schemas of charts, as catalogs refer to them, and the text of each by the name of its file. */
export interface Schemas {
    readonly schemas: readonly CatalogSchema[];
    readonly files: ReadonlyMap<string, string>;
}

/**
 * Reads the schemas that the dependencies of charts bring, and those of the operator's objects whose `spec` a chart copies from its
 * values. Versions with the same schema share a file: its name has the digest of what it holds.
 *
 * @param charts the charts by their names, with their folders.
 * @param specOf the schema of the spec of one of the operator's kinds; `undefined` for a kind that it does not have.
 */
export function readSchemas(
    charts: Readonly<Record<string, string>>,
    specOf: (kind: string) => HelmValue | undefined,
): Schemas {
    const files = new DigestFiles();
    const schemas = Object.entries(charts).flatMap(([chart, folder]): CatalogSchema[] => [
        ...dependenciesOf(folder).flatMap(({ key, name, folder: below }): CatalogSchema[] => {
            const source = path.join(below, "values.schema.json");
            if (!fs.existsSync(source)) {
                return [];
            }
            const file = files.add(name, bare(JSON.parse(readChartText(source)) as HelmValue));
            return [{ chart, path: [key], name, of: "dependency", file }];
        }),
        ...copiedSpecs(folder).flatMap(([kind, at]): CatalogSchema[] => {
            const schema = specOf(kind);
            const structural = schema === undefined ? undefined : closed(bare(schema));
            // Some templates keep keys of their own among those of the object.
            const fits = structural && fitsSchema(structural, valueAt(readValues(folder), at) ?? {});
            return fits ? [{ chart, path: at, name: kind, of: "object", file: files.add(kind, structural) }] : [];
        }),
    ]);
    return { schemas, files: files.texts };
}

/** The operator's objects whose spec a chart's templates copy from values, by kind, and from where. */
function copiedSpecs(folder: string): [string, string[]][] {
    return templatesOf(folder).flatMap((file) => {
        const text = readChartText(path.join(folder, file));
        const [, kind] = /^kind: (V[ML][A-Z]\w+)$/m.exec(text) ?? [];
        const paths = kind === undefined ? [] : new Template(text).reads().filter((each) => each.at(-1) === "spec");
        return paths.map((each): [string, string[]] => [kind ?? "", each]);
    });
}

const compiled = new Map<string, ValidateFunction>();

/** Whether values that are complete fit a schema. */
function fitsSchema(schema: HelmValue, values: HelmValue): boolean {
    const text = JSON.stringify(schema);
    const validate = compiled.get(text) ?? newAjv().compile(schema as HelmValues);
    compiled.set(text, validate);
    return validate(values);
}

/** Kubernetes drops the fields that a definition does not have: a schema that refuses them. */
function closed(schema: HelmValue): HelmValue {
    if (Array.isArray(schema)) {
        return schema.map(closed);
    }
    if (!isMap(schema)) {
        return schema;
    }
    const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
    const isOpen = schema["x-kubernetes-preserve-unknown-fields"] === true || "additionalProperties" in schema;
    return isMap(schema.properties) && schema.type === "object" && !isOpen
        ? { ...inner, additionalProperties: false }
        : inner;
}

/** A schema without what is for people only. */
function bare(schema: HelmValue, within = ""): HelmValue {
    if (Array.isArray(schema)) {
        return schema.map((each) => bare(each));
    }
    return isMap(schema)
        ? Object.fromEntries(
              Object.entries(schema)
                  // A property may have such a name.
                  .filter(([key]) => within === "properties" || !["description", "title", "examples"].includes(key))
                  .map(([key, value]) => [key, bare(value, key)]),
          )
        : schema;
}
