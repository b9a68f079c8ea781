import * as fs from "node:fs";
import * as path from "node:path";

import { catalogFile, catalogOf, versions } from "../core/charts";
import { compareCatalogs } from "../core/charts/compare";
import { describeChanges, otherCharts } from "./catalog/changes";
import { generateCatalog, schemasIn, shapesIn } from "./catalog/generate";
import { generateImages } from "./catalog/generateImages";
import { imagesFile } from "../core/charts/images";
import { schemaFile } from "../core/charts/schemas";
import { shapeFile } from "../core/charts/shapes";
import { UserError } from "../core/lib/errors";
import { parseOptions, run } from "../cli/command";

const usage = `Usage: npm run catalog -- --charts DIR   write the catalog of the KOF version whose charts are in DIR
       npm run catalog -- --images DIR   write the list of that version's images; needs helm, on PATH or named by HELM
       npm run catalog -- --check DIR    say how that version differs from the newest that has a catalog; fails where the charts
                                         read a value that decides about volumes and that the generator does not know, and
                                         where they are not those that the catalog of their version was made of, or what
                                         they read is not what core/charts/shapes says

Required: one of them. DIR holds the charts as 'helm pull --untar' leaves them, one folder each. Helm renders them: the one in HELM, else \`helm\`.`;

function writeText(file: string, text: string): void {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
}

function write(file: string, content: { version: string }): void {
    writeText(file, `${JSON.stringify(content, undefined, 1)}\n`);
    console.log(`KOF ${content.version}: wrote ${path.relative(process.cwd(), file)}`);
}

/** The files of shapes that are not there, or hold something else. */
function staleShapes(charts: string): string[] {
    return [...shapesIn(charts)]
        .filter(([name, text]) => !fs.existsSync(shapeFile(name)) || fs.readFileSync(shapeFile(name), "utf8") !== text)
        .map(([name]) => name);
}

run(async () => {
    const { charts, images, check } = parseOptions(usage, {
        charts: { type: "string" },
        images: { type: "string" },
        check: { type: "string" },
    });
    if ([charts, images, check].filter((folder) => folder !== undefined).length !== 1) {
        throw new UserError(`Give one of --charts, --images and --check.\n\n${usage}`);
    }
    if (charts !== undefined) {
        const catalog = await generateCatalog(charts);
        schemasIn(charts).files.forEach((text, name) => {
            writeText(schemaFile(name), text);
        });
        shapesIn(charts).forEach((text, name) => {
            writeText(shapeFile(name), text);
        });
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
        const stale = versions.includes(checked.version) ? staleShapes(check) : [];
        if (stale.length > 0) {
            throw new UserError(
                `core/charts/shapes is not what these charts read: ${stale.join(", ")}. Write it again with npm run catalog -- --charts ${check}`,
            );
        }
    }
});
