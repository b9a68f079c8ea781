import { checks } from "../live/doctor";
import { exitCodes, runCheck, worstOf, type Result } from "../live/findings";
import { Progress, resultText, summaryText } from "../live/report";
import { printableJson } from "../core/lib/printable";
import { parseOptions, run } from "./command";
import { connect } from "./live";
import { readStackFile, stackFileOptions } from "./stackFile";

const usage = `Usage: npm run doctor -- [--stack NAME | --config FILE] [--json]

Checks the cluster and the AWS account of a stack: before 'pulumi up' for what is missing, after a failure for what went wrong.
Changes nothing. Each finding says why it matters, and has a command that fixes it or shows more.

Nothing is required. Without --stack and --config it is the stack dev. The cluster is that of kubernetes:context in the stack file, or
else the current one of your kubeconfig. aws:profile and aws:assumeRoles choose the AWS credentials.

  --json   one JSON object instead of text

Exit code  0  nothing is wrong (there may be warnings)
           1  the command line or the stack file is wrong
           2  something could not be checked, and nothing else is wrong
           3  something is wrong`;

run(async () => {
    const { json, ...choice } = parseOptions(usage, { ...stackFileOptions, json: { type: "boolean" } });
    const stackFile = readStackFile(choice);
    const connected = connect(stackFile);
    const live = { ...connected, kubernetes: connected.kubernetes.snapshot() };
    const { route, version } = live.deployment.settings;
    const about = { stack: stackFile.stack, route, version, server: live.kubernetes.server };
    const progress = json === true ? undefined : new Progress();
    progress?.print(`Stack ${about.stack}: route ${route}, KOF ${version}, on ${about.server}\n`);
    const results: Result[] = [];
    const said = new Set<string>();
    // All at once, so that a server which does not answer costs its deadline once; shown in order.
    const looks = checks.map((check) => ({ title: check.title, result: runCheck(check, live) }));
    for (const { title, result } of looks) {
        progress?.show(`${title} ...`);
        results.push(await result);
        progress?.print(resultText(await result, said));
    }
    const found = worstOf(results);
    console.log(
        json === true ? printableJson({ ...about, verdict: found, checks: results }) : `\n${summaryText(results)}`,
    );
    process.exitCode = exitCodes[found];
});
