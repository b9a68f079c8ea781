import * as fs from "node:fs";
import * as path from "node:path";

import { catalogFile, catalogOf, versions } from "../catalog";
import { compareCatalogs, describeChanges } from "../catalog/compare";
import { generateCatalog } from "../catalog/generate";
import { UserError } from "../errors";
import { parseOptions, run } from "./command";

const usage = `Usage: npm run catalog -- --charts DIR   write the catalog of the KOF version whose charts are in DIR
       npm run catalog -- --check DIR    say how that version differs from the newest that has a catalog

DIR holds the charts as 'helm pull --untar' leaves them, one folder each.`;

run(() => {
    const { charts, check } = parseOptions(usage, { charts: { type: "string" }, check: { type: "string" } });
    if (charts !== undefined && check === undefined) {
        const catalog = generateCatalog(charts);
        const file = catalogFile(catalog.version);
        fs.writeFileSync(file, `${JSON.stringify(catalog, undefined, 1)}\n`);
        console.log(`KOF ${catalog.version}: wrote ${path.relative(process.cwd(), file)}`);
    } else if (check !== undefined && charts === undefined) {
        const newest = catalogOf(versions.at(-1) ?? "");
        const checked = generateCatalog(check);
        console.log(describeChanges(newest.version, checked.version, compareCatalogs(newest, checked)));
    } else {
        throw new UserError(usage);
    }
});
