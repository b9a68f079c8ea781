import { spawn, spawnSync } from "node:child_process";
import * as path from "node:path";

import { UserError } from "../core/lib/errors";
import { quotedWord } from "../core/lib/shell";

/**
 * Where a branch left its base. A comparison with that commit leaves out what others have done since.
 * Where one is behind the other, or they never were one, the first is.
 *
 * @param base a revision for git: a branch, a tag, `HEAD^1`.
 * @param head the other line. Default: that of this checkout, even where it is behind.
 * @throws UserError for an option of git, and in a clone that is too shallow.
 */
export function mergeBase(base: string, head?: string): string {
    for (const revision of [base, head ?? "HEAD"]) {
        if (revision.startsWith("-")) {
            throw new UserError(`${revision} is no revision of git. Give a branch, a tag or a commit: origin/main`);
        }
    }
    const ask = (...args: string[]) => spawnSync("git", args, { encoding: "utf8" });
    const { status, stdout } = ask("merge-base", base, head ?? "HEAD");
    if (status === 0) {
        const found = stdout.trim();
        // Two revisions may be given to see the way back.
        const isWayBack =
            head !== undefined && ask("rev-parse", "--verify", `${head}^{commit}`).stdout.trim() === found;
        return isWayBack ? base : found;
    }
    if (status === 1 && ask("rev-parse", "--is-shallow-repository").stdout.trim() === "true") {
        throw new UserError(
            `This clone is too shallow to tell where it and ${base} parted. Fetch the rest: git fetch --unshallow`,
        );
    }
    return base;
}

/**
 * The text of one file at a git revision.
 *
 * @param named what the person calls the revision. Default: as it is.
 * @throws UserError when git does not know the revision, or has no such file there.
 */
export function textAt(revision: string, file: string, named = revision): string {
    const { status, stdout } = spawnSync("git", ["show", `${revision}:./${path.relative(".", file)}`], {
        encoding: "utf8",
        maxBuffer: 2 ** 30,
    });
    if (status !== 0) {
        throw new UserError(
            unknownRevision(revision, named) ??
                `There is no ${file} at ${named}: the stack is new since then, and there is nothing to compare it with. See what it deploys:\n\n` +
                    `  npm start -- --config ${quotedWord(file)}`,
        );
    }
    return stdout;
}

/** Why git has nothing of a revision, in words that do not depend on git's language or version; `undefined` where it has. */
function unknownRevision(revision: string, named = revision): string | undefined {
    const ask = (...args: string[]) => spawnSync("git", args).status;
    const isThere = ask("rev-parse", "--git-dir");
    return isThere === null
        ? "There is no git on PATH, which has what stack files were."
        : isThere !== 0
          ? "This folder is in no git repository, so that no stack file has a revision. Compare two files: npm run plan -- --from FILE --to FILE"
          : ask("rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{tree}`) !== 0
            ? `git knows no revision ${named} here. Give a branch, a tag or a commit (git branch --all), or fetch it: git fetch origin`
            : undefined;
}

/** The files of this folder at a git revision. Two processes of git serve, however many files are read. */
export class Revision {
    readonly #ids: ReadonlyMap<string, string>;
    readonly #git;
    readonly #output: AsyncIterator<Buffer, undefined>;
    #buffer = Buffer.alloc(0);

    /**
     * @param revision for git: a branch, a tag, `HEAD^1`.
     * @throws UserError when git does not know it.
     */
    constructor(revision: string) {
        const { status, stdout, stderr } = spawnSync("git", ["ls-tree", "-r", "-z", "--end-of-options", revision], {
            encoding: "utf8",
            maxBuffer: 2 ** 30,
        });
        if (status !== 0) {
            throw new UserError(
                unknownRevision(revision) ?? `There is nothing to compare with at ${revision}: ${stderr.trim()}`,
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
