import { exitCodes } from "../live/findings";
import { CouldNotCheck } from "../core/lib/errors";
import { leftovers } from "../live/leftovers";
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

run(async () => {
    const { json, ...choice } = parseOptions(usage, { ...stackFileOptions, json: { type: "boolean" } });
    const live = connect(readStackFile(choice));
    const unchecked: string[] = [];
    const looks = leftovers.map((look) =>
        look(live).catch((error: unknown) => {
            if (!(error instanceof CouldNotCheck)) {
                throw error;
            }
            unchecked.push(error.message);
            return [];
        }),
    );
    const leftoversFound = (await Promise.all(looks)).flat();
    if (json === true) {
        console.log(
            JSON.stringify({ server: live.kubernetes.server, left: leftoversFound, unseen: unchecked }, undefined, 2),
        );
    } else {
        const nothing = unchecked.length > 0 ? "Nothing was found where it could be checked." : "Nothing is left.";
        console.log(leftoversFound.length > 0 ? `Left on ${live.kubernetes.server} and in AWS:\n` : nothing);
        for (const { what, remove } of leftoversFound) {
            console.log(`  ${what}\n      ${remove}`);
        }
        for (const message of new Set(unchecked)) {
            console.log(`  could not check: ${message}`);
        }
    }
    process.exitCode = unchecked.length > 0 ? exitCodes.unknown : 0;
});
