import * as fs from "node:fs";
import * as path from "node:path";

import { UserError } from "../core/lib/errors";

/** Text files by their path within a folder, with `/` between folders. */
export type Files = Readonly<Record<string, string>>;

/**
 * Writes a folder whole or not at all: beside it first, then in its place.
 *
 * @param isOwn whether a file is one of those that may be replaced or removed.
 * @throws UserError when the folder holds any other file, which would be lost, or cannot be written.
 */
export function writeFolder(folder: string, files: Files, isOwn: (file: string, text: string) => boolean): void {
    // A link to a folder stays one.
    const target = fs.existsSync(folder) ? fs.realpathSync(folder) : path.resolve(folder);
    if (fs.existsSync(target) && !fs.statSync(target).isDirectory()) {
        throw new UserError(`${folder} is not a folder. Choose a new one with --out.`);
    }
    const strange = Object.entries(readFolder(target)).flatMap(([file, text]) => (isOwn(file, text) ? [] : [file]));
    if (strange.length > 0) {
        throw new UserError(
            `${folder} holds ${strange.slice(0, 3).join(", ")}, which render has not written. Choose a new folder with --out.`,
        );
    }
    const [fresh, old] = [`${target}.new-${String(process.pid)}`, `${target}.old-${String(process.pid)}`];
    try {
        for (const [file, text] of Object.entries(files)) {
            fs.mkdirSync(path.dirname(path.join(fresh, file)), { recursive: true });
            fs.writeFileSync(path.join(fresh, file), text);
        }
        if (fs.existsSync(target)) {
            fs.renameSync(target, old);
        }
        fs.renameSync(fresh, target);
    } catch (error) {
        if (fs.existsSync(old) && !fs.existsSync(target)) {
            fs.renameSync(old, target);
        }
        throw new UserError(`${folder} cannot be written (${(error as NodeJS.ErrnoException).code ?? String(error)}).`);
    } finally {
        fs.rmSync(fresh, { recursive: true, force: true });
        fs.rmSync(old, { recursive: true, force: true });
    }
}

/** The files of a folder and of the folders in it; none when there is no such folder. A link, or what else is no file, has no text. */
export function readFolder(folder: string): Files {
    const entries = fs.existsSync(folder) ? fs.readdirSync(folder, { withFileTypes: true, recursive: true }) : [];
    return Object.fromEntries(
        entries
            .filter((entry) => !entry.isDirectory())
            .map((entry) => {
                const file = path.join(entry.parentPath, entry.name);
                return [
                    path.relative(folder, file).replaceAll(path.sep, "/"),
                    entry.isFile() ? fs.readFileSync(file, "utf8") : "",
                ];
            }),
    );
}
