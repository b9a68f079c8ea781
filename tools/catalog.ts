import * as fs from "node:fs";
import * as path from "node:path";

import { catalogFile, catalogOf, versions } from "../core/charts";
import { compareCatalogs, describeChanges, otherCharts } from "../core/charts/compare";
import { generateCatalog, schemasIn } from "./catalog/generate";
import { generateImages } from "./catalog/generateImages";
import { imagesFile } from "../core/charts/images";
import { schemaFile } from "../core/charts/schemas";
import { UserError } from "../core/lib/errors";
import { parseOptions, run } from "../cli/command";

const usage = `Usage: npm run catalog -- --charts DIR   write the catalog of the KOF version whose charts are in DIR
       npm run catalog -- --images DIR   write the list of that version's images; needs helm, on PATH or named by HELM
       npm run catalog -- --check DIR    say how that version differs from the newest that has a catalog; fails where the charts
                                         read a value that decides about volumes and that the generator does not know, and
                                         where they are not those that the catalog of their version was made of

DIR holds the charts as 'helm pull --untar' leaves them, one folder each. Helm renders them: the one in HELM, else \`helm\`.`;

function write(file: string, content: { version: string }): void {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, `${JSON.stringify(content, undefined, 1)}\n`);
    console.log(`KOF ${content.version}: wrote ${path.relative(process.cwd(), file)}`);
}

run(async () => {
    const { charts, images, check } = parseOptions(usage, {
        charts: { type: "string" },
        images: { type: "string" },
        check: { type: "string" },
    });
    if ([charts, images, check].filter((folder) => folder !== undefined).length !== 1) {
        throw new UserError(usage);
    }
    if (charts !== undefined) {
        const catalog = await generateCatalog(charts);
        for (const [name, text] of schemasIn(charts).files) {
            fs.mkdirSync(path.dirname(schemaFile(name)), { recursive: true });
            fs.writeFileSync(schemaFile(name), text);
        }
        write(catalogFile(catalog.version), catalog);
    } else if (images !== undefined) {
        const found = await generateImages(images);
        write(imagesFile(found.version), found);
    } else if (check !== undefined) {
        const newest = catalogOf(versions.at(-1) ?? "");
        const checked = await generateCatalog(check);
        console.log(describeChanges(newest.version, checked.version, compareCatalogs(newest, checked)));
        const others = versions.includes(checked.version) ? otherCharts(catalogOf(checked.version), checked) : [];
        if (others.length > 0) {
            throw new UserError(
                `These are not the charts that core/charts/versions/${checked.version}.json was made of: ${others.join(", ")}. ` +
                    "Charts that are pulled are built from a version's tag; a branch can bear the same version.",
            );
        }
    }
});
