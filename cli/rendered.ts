import * as fs from "node:fs";
import * as path from "node:path";

import { UserError } from "../core/lib/errors";
import { readFolder, writeFolder, type Files } from "./folder";
import { validateCollectors } from "./otelcol";
import { isRenderedFile, isRenderedPath, renderStack } from "./renderStack";
import { examplesFolder, readStackFile, stackFilesIn, stackNameOf } from "./stackFile";

/**
 * Renders every stack file into a folder of its own, one after the other, so that no more than one is in memory: `rendered/dev`
 * for Pulumi.dev.yaml, `rendered/examples/none` for examples/Pulumi.none.yaml.
 *
 * @param root holds the folders.
 * @param options.check write nothing.
 * @param options.otelcol a collector that is to validate every configuration.
 * @returns what changed, as text.
 * @throws UserError with what is stale (with `check`), with what the collector refuses, and with what is wrong with any stack
 * file; the others are rendered all the same.
 */
export async function renderAll(
    root: string,
    { check, otelcol }: { readonly check: boolean; readonly otelcol?: string | undefined },
): Promise<string> {
    const faults: string[] = [];
    const stale: string[] = [];
    const folders = renderedFolders();
    for (const [name, file] of folders) {
        const folder = path.join(root, name);
        try {
            const files = await renderStack(readStackFile({ config: file }));
            const differing = differingFiles(readFolder(folder), files);
            if (differing.length > 0) {
                stale.push(`${folder} (${differing.join(", ")})`);
                if (!check) {
                    writeFolder(folder, files, isRenderedFile);
                }
            }
            faults.push(
                ...(otelcol === undefined ? [] : validateCollectors(otelcol, files).refused).map(
                    (text) => `${file}: ${text}`,
                ),
            );
        } catch (error) {
            if (!(error instanceof UserError)) {
                throw error;
            }
            faults.push(error.message);
        }
    }
    const obsolete = staleFiles(root, [...folders.keys()]);
    stale.push(...obsolete.map((file) => `${file} (no stack file is rendered to it)`));
    if (!check) {
        obsolete.forEach((file) => {
            removeFile(file, root);
        });
    }
    const changed = stale.map((what) => `\n  ${what}`).join("");
    if (check && stale.length > 0) {
        faults.push(`Stale:${changed}\nRun "npm run render -- --all" and commit the result.`);
    }
    if (faults.length > 0) {
        throw new UserError(faults.join("\n\n"));
    }
    return `${String(folders.size)} stack files, ${String(stale.length)} changes${changed}`;
}

/** The stack files among files, by the folder that each is rendered to. Default: those that are here and in examples/. */
export function renderedFolders(
    files: readonly string[] = [...filesIn("."), ...filesIn(examplesFolder)],
): Map<string, string> {
    const stackFile = new RegExp(`^(${examplesFolder}/)?Pulumi\\.[^/]+\\.yaml$`);
    return new Map(
        files
            .filter((file) => stackFile.test(file))
            .map((file) => [path.join(path.dirname(file), stackNameOf(file)), file]),
    );
}

function filesIn(folder: string): string[] {
    return stackFilesIn(folder).map((file) => path.join(folder, file));
}

/** The names of files that are not the same in two folders. */
export function differingFiles(before: Files, after: Files): string[] {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return names.filter((name) => before[name] !== after[name]);
}

/**
 * Files that an earlier run wrote for a stack file that is gone: where it writes, with the name of that stack in them. Copies
 * elsewhere, under another name or behind a link are somebody's own.
 */
function staleFiles(root: string, folders: readonly string[]): string[] {
    const all = fs.existsSync(root) ? fs.readdirSync(root, { recursive: true, withFileTypes: true }) : [];
    return all
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
        .filter((file) => {
            const [, folder = "", stack, name = ""] =
                /^((?:examples\/)?([^/]+))\/((?:collectors\/)?[^/]+)$/.exec(file) ?? [];
            return (
                isRenderedPath(name) &&
                !folders.includes(folder) &&
                isRenderedFile(name, fs.readFileSync(path.join(root, file), "utf8"), stack)
            );
        })
        .map((file) => path.join(root, file))
        .sort();
}

/** Removes a file, and the folders that are empty then. */
function removeFile(file: string, root: string): void {
    fs.rmSync(file);
    for (let folder = path.dirname(file); folder !== root && fs.readdirSync(folder).length === 0;) {
        fs.rmdirSync(folder);
        folder = path.dirname(folder);
    }
}
