import { kubeconfigNotices } from "../core/settings/providerSecrets";
import { planOf, verdictOf } from "../core/review/plan";
import { planData } from "../core/review/plan/data";
import { planText } from "../core/review/plan/text";
import { UserError } from "../core/lib/errors";
import { parseOptions, run } from "./command";
import {
    fileOf,
    parseStackFile,
    readStackFile,
    stackNameOf,
    deploymentOfFile,
    reviewedDeployment,
    stackFileOptions,
    type StackFile,
} from "./stackFile";
import { mergeBase, textAt } from "./revision";

const usage = `Usage: npm run plan -- --from FILE --to FILE              between two stack files
       npm run plan -- --stack NAME --base REVISION       between a git revision of a stack file and what it is now
       npm run plan -- --stack NAME --base REV --head REV between two git revisions of it

If both revisions have changed since they branched, the base is the commit where they branched, so other people's changes do not count.
Required: --from and --to, or --base. Instead of --stack NAME, --config FILE names any stack file; without both it is the stack dev.

  --json   one JSON object instead of text

Says what a change of settings does to running data. Contacts nothing.

Exit code  0  no stored data is lost
           1  the change is not possible as it stands, or a stack file is wrong
           3  stored data would be deleted or become unreachable`;

const options = {
    from: { type: "string" },
    to: { type: "string" },
    base: { type: "string" },
    head: { type: "string" },
    json: { type: "boolean" },
    ...stackFileOptions,
} as const;

type Options = Omit<ReturnType<typeof parseOptions<typeof options>>, "json">;

/** The stack files to compare, as the command line names them. */
function stackFiles({ from, to, base, head, ...choice }: Options): readonly [StackFile, StackFile] {
    if (from !== undefined && to !== undefined && base === undefined && head === undefined) {
        return [readStackFile({ config: from }), readStackFile({ config: to })];
    }
    if (base !== undefined && from === undefined && to === undefined) {
        const file = fileOf(choice);
        const at = (revision: string, named = revision): StackFile => {
            const text = textAt(revision, file, named);
            // What is wrong there is not in the file of today.
            const name = `${file} at ${named}`;
            const stack = stackNameOf(file);
            return { ...parseStackFile(text, name, choice.stack ?? stack), stack };
        };
        return [at(mergeBase(base, head), base), head === undefined ? readStackFile(choice) : at(head)];
    }
    const wrong =
        base !== undefined && (from ?? to) !== undefined
            ? "--base goes without --from and --to."
            : from !== undefined || to !== undefined
              ? `--${from === undefined ? "from" : "to"} is missing.`
              : "--base is missing, or --from and --to.";
    throw new UserError(`${wrong}\n\n${usage}`);
}

if (require.main === module) {
    run(() => {
        const { json, ...files } = parseOptions(usage, options);
        const [from, to] = stackFiles(files);
        for (const notice of kubeconfigNotices(to.config, (key) => to.secretKeys.includes(key))) {
            console.error(`warning: ${notice}`);
        }
        const plan = planOf(deploymentOfFile(from), reviewedDeployment(to));
        console.log(json ? JSON.stringify(planData(plan), undefined, 2) : planText(plan));
        process.exitCode = { safe: 0, impossible: 1, loses: 3 }[verdictOf(plan)];
    });
}
