import { randomBytes } from "node:crypto";

import { UserError } from "../core/lib/errors";
import { exitCodes, runCheck, worstOf } from "../live/findings";
import { Progress, resultText } from "../live/report";
import { follow, journeyResult, type Journey } from "../live/verify";
import { parseOptions, run } from "./command";
import { connect } from "./live";
import { readNamedStackFile, stackFileOptions } from "./stackFile";
import { secondsOf } from "../core/lib/durations";

const usage = `Usage: npm run verify -- (--stack NAME | --config FILE) [--timeout 5m] [--vmauth URL] [--json]

Sends one marked log line, metric and span through a collector of the cluster, and looks for them wherever the stack stores
them: accepted, sent, stored. Where it cannot look, it says how you can. Talks to the collector through the API server, which takes the right to create pods/proxy.

Required: a stack. It writes to what the stack stores in, and so takes none by itself.

  --timeout 5m   how long to wait for what has not arrived (s, m or h)
  --vmauth URL   address of the region's vmauth, where its own cannot be reached from here (route regional)
  --json         one JSON object instead of text

Exit code  0  everything that the stack stores arrives
           1  the command line or the stack file is wrong
           2  something could not be checked, and nothing is known to be missing
           3  something does not arrive`;

const options = {
    ...stackFileOptions,
    timeout: { type: "string", default: "5m" },
    vmauth: { type: "string" },
    json: { type: "boolean" },
} as const;

/** Milliseconds. */
function duration(text: string): number {
    const seconds = secondsOf(text);
    if (Number.isNaN(seconds)) {
        throw new UserError(`--timeout is ${text}, which is not a duration. Write 90s, 5m or 1h.`);
    }
    return seconds * 1000;
}

run(async () => {
    const { json, timeout: limit, vmauth, ...choice } = parseOptions(usage, options);
    const timeout = duration(limit);
    const stackFile = readNamedStackFile(choice, usage);
    const live = connect(stackFile);
    const { route, version } = live.deployment.settings;
    const mark = {
        text: `kofverify${randomBytes(8).toString("hex")}`,
        traceId: randomBytes(16).toString("hex"),
        time: new Date(),
    };
    const about = { stack: stackFile.stack, route, version, server: live.kubernetes.server, mark: mark.text };
    const progress = new Progress();
    if (json !== true) {
        console.log(
            `Stack ${about.stack}: route ${route}, KOF ${version}, on ${about.server}. Looking for ${mark.text}.\n`,
        );
    }
    const waiting = (journeys: readonly string[], seconds: number) => {
        progress.show(`waiting for ${journeys.join(", ")}: ${String(seconds)} s of ${limit}`);
    };
    const follows = () => follow(live, { mark, timeout, vmauth, ...(json === true ? {} : { waiting }) });
    let journeys: readonly Journey[] = [];
    // Where no collector can be looked for, nothing was sent.
    const looked = await runCheck({ title: "Collectors", look: async () => ((journeys = await follows()), []) }, live);
    progress.clear();
    const results = looked.findings.length > 0 ? [looked] : journeys.map(journeyResult);
    const found = worstOf(results);
    console.log(
        json === true
            ? JSON.stringify({ ...about, verdict: found, journeys, results }, undefined, 2)
            : results.map((result) => resultText(result)).join("\n"),
    );
    process.exitCode = exitCodes[found];
});
