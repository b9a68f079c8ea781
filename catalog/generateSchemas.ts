import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

import type { CatalogSchema } from ".";
import { readChartFile, readText } from "./generateVolumes";
import { isMap, type HelmValue } from "./values";

/** The schemas of charts, as catalogs refer to them, and the text of each by the name of its file. */
export interface Schemas {
    readonly schemas: readonly CatalogSchema[];
    readonly files: ReadonlyMap<string, string>;
}

/**
 * Reads the schemas that the dependencies of charts bring. Versions with the same schema share a file: its name has the digest of
 * what it holds.
 *
 * @param charts the charts by their names, with their folders.
 */
export function readSchemas(charts: Readonly<Record<string, string>>): Schemas {
    const files = new Map<string, string>();
    const schemas = Object.entries(charts).flatMap(([chart, folder]) =>
        (readChartFile(folder).dependencies ?? []).flatMap(({ name, alias }): CatalogSchema[] => {
            const source = path.join(folder, "charts", name, "values.schema.json");
            if (!fs.existsSync(source)) {
                return [];
            }
            const text = `${JSON.stringify(bare(JSON.parse(readText(source)) as HelmValue), undefined, 1)}\n`;
            const file = `${name}.${createHash("sha256").update(text).digest("hex").slice(0, 8)}.json`;
            files.set(file, text);
            return [{ chart, key: alias ?? name, name, file }];
        }),
    );
    return { schemas, files };
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
