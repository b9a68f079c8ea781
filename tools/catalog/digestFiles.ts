import { createHash } from "node:crypto";

/** Files whose names have the digest of what they hold, so that KOF versions that have the same share one. */
export class DigestFiles {
    /** The text of each file by its name. */
    readonly texts = new Map<string, string>();

    /** Adds a file, and gives its name: `opencost.1a2b3c4d.json`. */
    add(name: string, content: unknown): string {
        const text = `${JSON.stringify(content, undefined, 1)}\n`;
        const file = `${name}.${createHash("sha256").update(text).digest("hex").slice(0, 8)}.json`;
        this.texts.set(file, text);
        return file;
    }
}
