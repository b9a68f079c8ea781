import { exitCodes } from "../live/findings";
import { printable, printableJson } from "../core/lib/printable";
import { leftovers, leftoversFound } from "../live/leftovers";
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
    const { left, reasons } = await leftoversFound(leftovers, live);
    if (json === true) {
        console.log(printableJson({ server: live.kubernetes.server, left, unseen: reasons }));
    } else {
        const nothing = reasons.length > 0 ? "Nothing was found where it could be checked." : "Nothing is left.";
        say(left.length > 0 ? `Left on ${live.kubernetes.server} and in AWS:\n` : nothing);
        for (const { what, remove } of left) {
            say(`  ${what}\n      ${remove}`);
        }
        for (const message of reasons) {
            say(`  could not check: ${message}`);
        }
    }
    process.exitCode = reasons.length > 0 ? exitCodes.unknown : 0;
});
