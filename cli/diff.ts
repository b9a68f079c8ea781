import * as fs from "node:fs";

import { regionIn } from "../core/review/capacity/costs";
import { readPrices } from "../core/review/capacity/priceFile";
import { UserError } from "../core/lib/errors";
import { byDanger, maxLength, report } from "../core/review/report";
import { previewText } from "../core/review/report/preview";
import {
    renderedParts,
    reportStack,
    type Snapshot,
    type StackChange,
    type StackReport,
} from "../core/review/report/stack";
import { parseCommand, run } from "./command";
import type { Files } from "./folder";
import { differingFiles, renderedFolders } from "./rendered";
import { isRenderedPath, renderStack } from "./renderStack";
import { mergeBase, Revision } from "./revision";
import { parseStackFile, readStackFile, deploymentOfFile, type StackFile } from "./stackFile";

const usage = `Usage: npm run diff -- [BASE] [--preview STACK=FILE]...

Writes one comment for a pull request: what happens to every stack that has changed since HEAD branched from the git revision BASE.
It reports the effect on running data, changed settings, storage and cost, and the differences to rendered/ at that point.
Contacts nothing. Required: BASE, or --preview.

  --preview STACK=FILE  also reports what Pulumi would do to a stack. FILE is the output of
                        'pulumi preview --diff --json --stack STACK'. A failed preview is reported as failed

Exit code  0  the report is written, whatever happens to the stacks
           1  BASE is not known, or a stack file is wrong; the report says which, and has the others`;

if (require.main === module) {
    run(async () => {
        const { positionals, values } = parseCommand(usage, { preview: { type: "string", multiple: true } });
        const [base] = positionals;
        const previews = previewsText(values.preview ?? []);
        if (positionals.length > 1 || (base === undefined && previews === "")) {
            const wrong = positionals.length > 1 ? `Give one BASE, not ${positionals.join(" ")}.` : "BASE is missing.";
            throw new UserError(`${wrong}\n\n${usage}`);
        }
        const { text, wrong } =
            base === undefined ? { text: "", wrong: [] } : await diff(base, maxLength - previews.length);
        process.stdout.write([text, previews].filter((part) => part !== "").join("\n"));
        if (wrong.length > 0) {
            throw new UserError(`Wrong stack files: ${wrong.join(", ")}. The report says what is wrong.`);
        }
    });
}

/** Of how many stacks it is worked out which values differ. There is no room for more, and it takes twice as long as the rest. */
const detailed = 20;

/** Characters for what Pulumi would do, of all stacks together. */
const previewRoom = 20_000;

/**
 * What Pulumi would do to stacks.
 *
 * @param previews `STACK=FILE`, each.
 * @throws UserError that has all that are not.
 */
function previewsText(previews: readonly string[]): string {
    const wrong = previews.filter((preview) => !/^[^=]+=./.test(preview));
    if (wrong.length > 0) {
        throw new UserError(
            wrong
                .map((preview) => `--preview is "${preview}" and has to be STACK=FILE: --preview prod=preview.json`)
                .join("\n"),
        );
    }
    const texts = previews.map((preview) => {
        const [stack = "", ...rest] = preview.split("=");
        const file = rest.join("=");
        const json = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined;
        return previewText(stack, json, previewRoom / previews.length);
    });
    return texts.map((text) => `${text}\n`).join("\n");
}

/**
 * Compares every stack file here and in examples/ with what it was, one after the other.
 *
 * @param limit length of the report, in characters.
 * @returns the report, and the stack files that are wrong.
 * @throws UserError when git does not know the revision.
 */
export async function diff(base: string, limit = maxLength): Promise<{ text: string; wrong: string[] }> {
    const revision = new Revision(mergeBase(base));
    try {
        const prices = readPrices();
        const [now, then] = [renderedFolders(), renderedFolders(revision.files)];
        const changeOf = (stack: string) => changeSince(revision, stack, now.get(stack), then.get(stack));
        const reports: StackReport[] = [];
        const names = [...new Set([...now.keys(), ...then.keys()])];
        for (const stack of names) {
            const change = await changeOf(stack);
            if (change) {
                reports.push(reportStack(change, prices));
            }
        }
        reports.sort(byDanger);
        let room = detailed;
        for (const [i, each] of reports.entries()) {
            if (!["wrong", "gone", "new", "nothing"].includes(each.fate)) {
                const change = room-- > 0 ? await changeOf(each.stack) : undefined;
                reports[i] = change
                    ? { ...each, parts: [...each.parts, ...renderedParts(change)] }
                    : { ...each, omitted: ["values and collectors that differ"] };
            }
        }
        const wrong = reports.filter(({ fate }) => fate === "wrong").map(({ file }) => file);
        return { text: report(reports, { base, total: names.length }, limit), wrong };
    } finally {
        revision.close();
    }
}

/** A stack before and after, with the files that differ; `undefined` when it is the same. */
async function changeSince(
    revision: Revision,
    stack: string,
    file: string | undefined,
    fileBefore: string | undefined,
): Promise<StackChange | undefined> {
    const textBefore = fileBefore === undefined ? undefined : await revision.read(fileBefore);
    if (file === undefined) {
        return { stack, file: fileBefore ?? "", before: undefined, after: undefined };
    }
    const after = await snapshot(() => readStackFile({ config: file }));
    if (textBefore === undefined || typeof after.deployment === "string") {
        return { stack, file, before: undefined, after };
    }
    const isSameFile = textBefore === fs.readFileSync(file, "utf8");
    const committed = await renderedAt(revision, `rendered/${stack}/`);
    if (isSameFile && (committed === undefined || differingFiles(committed, after.files).length === 0)) {
        return undefined;
    }
    return { stack, file, before: await snapshot(() => parseStackFile(textBefore, file), committed), after };
}

/** What was rendered into a folder at a revision; `undefined` where nothing was. */
async function renderedAt(revision: Revision, folder: string): Promise<Files | undefined> {
    const files: Record<string, string> = {};
    for (const file of revision.files.filter((each) => each.startsWith(folder))) {
        const name = file.slice(folder.length);
        if (isRenderedPath(name)) {
            files[name] = (await revision.read(file)) ?? "";
        }
    }
    return Object.keys(files).length > 0 ? files : undefined;
}

/** What a stack file resolves to, and what is rendered of it: now, or what was committed. */
async function snapshot(read: () => StackFile, committed?: Files): Promise<Snapshot> {
    try {
        const stackFile = read();
        // A version that the stack file does not give is the program's default, which may have been another one.
        const version = /^# .*, KOF (\S+)$/m.exec(committed?.["summary.md"] ?? "")?.[1];
        const asDeployed = {
            ...stackFile,
            config: { ...(version && { "kof:version": version }), ...stackFile.config },
        };
        return {
            deployment: deploymentOfFile(asDeployed),
            region: regionIn(stackFile.config),
            files: committed ?? (await renderStack(stackFile)),
        };
    } catch (error) {
        if (!(error instanceof UserError)) {
            throw error;
        }
        return { deployment: error.message, files: {} };
    }
}
