import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as path from "node:path";

import { UserError } from "../core/lib/errors";

/**
 * The text of one file at a git revision.
 *
 * @throws UserError when git does not know the revision, or has no such file there.
 */
export function textAt(revision: string, file: string): string {
    const { status, stdout, stderr } = spawnSync("git", ["show", `${revision}:./${path.relative(".", file)}`], {
        encoding: "utf8",
    });
    if (status !== 0) {
        throw new UserError(`${file} cannot be read at ${revision}: ${stderr.trim() || "there is no git"}`);
    }
    return stdout;
}

/** The files of this folder at a git revision. Two processes of git serve, however many files are read. */
export class Revision {
    readonly #ids: ReadonlyMap<string, string>;
    readonly #git;
    readonly #output: AsyncIterator<Buffer, undefined>;
    #buffer = Buffer.alloc(0);

    /**
     * @param revision what git takes for one: a branch, a tag, `HEAD^1`.
     * @throws UserError when git does not know it.
     */
    constructor(revision: string) {
        const { error, status, stdout, stderr } = spawnSync(
            "git",
            ["ls-tree", "-r", "-z", "--end-of-options", revision],
            {
                encoding: "utf8",
                maxBuffer: 2 ** 30,
            },
        );
        if (status !== 0) {
            throw new UserError(
                `There is nothing to compare with at ${revision}: ${error ? "there is no git" : stderr.trim()}`,
            );
        }
        // <mode> blob <id>\t<path>
        const entries = [...stdout.matchAll(/\S+ blob (\S+)\t([^\0]+)\0/g)];
        this.#ids = new Map(entries.map(([, id = "", file = ""]) => [file, id]));
        this.#git = spawn("git", ["cat-file", "--batch"], { stdio: ["pipe", "pipe", "inherit"] });
        this.#output = this.#git.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
    }

    /** The paths of all files, from this folder on. */
    get files(): readonly string[] {
        return [...this.#ids.keys()];
    }

    /** Whether a file has this very text, without reading it; with `undefined`, whether there is no such file. */
    has(file: string, text: string | undefined): boolean {
        const id = this.#ids.get(file);
        if (id === undefined || text === undefined) {
            return id === text;
        }
        const content = Buffer.from(text);
        // Repositories name content by SHA-1, or by SHA-256.
        const hash = createHash(id.length === 40 ? "sha1" : "sha256");
        return (
            hash
                .update(`blob ${String(content.length)}\0`)
                .update(content)
                .digest("hex") === id
        );
    }

    /** The text of a file; `undefined` when there is no such file. */
    async read(file: string): Promise<string | undefined> {
        const id = this.#ids.get(file);
        if (id === undefined) {
            return undefined;
        }
        this.#git.stdin.write(`${id}\n`);
        // <id> blob <size>\n<content>\n
        const header = await this.#take(() => this.#buffer.indexOf("\n") + 1);
        const size = Number(header.toString().trim().split(" ")[2]);
        const content = await this.#take(() => (this.#buffer.length > size ? size + 1 : 0));
        return content.subarray(0, -1).toString();
    }

    /** Ends git. */
    close(): void {
        this.#git.stdin.end();
    }

    /** The first bytes of what git writes, as soon as `length` says how many. */
    async #take(length: () => number): Promise<Buffer> {
        for (;;) {
            const end = length();
            if (end > 0) {
                const taken = this.#buffer.subarray(0, end);
                this.#buffer = this.#buffer.subarray(end);
                return taken;
            }
            const { value } = await this.#output.next();
            if (value === undefined) {
                throw new Error("git cat-file ended early");
            }
            this.#buffer = Buffer.concat([this.#buffer, value]);
        }
    }
}
