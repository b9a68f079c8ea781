import { exitCodes } from "../live/findings";
import { CouldNotCheck } from "../core/lib/errors";
import { printable, printableJson } from "../core/lib/printable";
import { leftovers, SeenInPart } from "../live/leftovers";
import { parseOptions, run } from "./command";
import { connect } from "./live";
import { readStackFile, stackFileOptions } from "./stackFile";

const usage = `Usage: npm run left -- [--stack NAME | --config FILE] [--json]

Lists what is still there after 'pulumi destroy', and the command that removes each. It is left because it holds data, or because
others may use it. Changes nothing.

Nothing is required. Without --stack and --config it is the stack dev. The cluster is that of kubernetes:context in the stack file, or
else the current one of your kubeconfig.

  --json   one JSON object instead of text

Exit code  0  the list is complete
           1  the command line or the stack file is wrong
           2  something could not be checked`;

/** Names and refusals are a cluster's own words. */
function say(text: string): void {
    console.log(printable(text));
}

run(async () => {
    const { json, ...choice } = parseOptions(usage, { ...stackFileOptions, json: { type: "boolean" } });
    const live = connect(readStackFile(choice));
    const unchecked: string[] = [];
    const looks = leftovers.map((look) =>
        look(live).catch((error: unknown) => {
            if (!(error instanceof CouldNotCheck)) {
                throw error;
            }
            const { left, reasons } = error instanceof SeenInPart ? error : { left: [], reasons: [error.message] };
            unchecked.push(...reasons);
            return left;
        }),
    );
    const leftoversFound = (await Promise.all(looks)).flat();
    if (json === true) {
        console.log(printableJson({ server: live.kubernetes.server, left: leftoversFound, unseen: unchecked }));
    } else {
        const nothing = unchecked.length > 0 ? "Nothing was found where it could be checked." : "Nothing is left.";
        say(leftoversFound.length > 0 ? `Left on ${live.kubernetes.server} and in AWS:\n` : nothing);
        for (const { what, remove } of leftoversFound) {
            say(`  ${what}\n      ${remove}`);
        }
        for (const message of new Set(unchecked)) {
            say(`  could not check: ${message}`);
        }
    }
    process.exitCode = unchecked.length > 0 ? exitCodes.unknown : 0;
});
