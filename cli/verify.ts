import { randomBytes } from "node:crypto";

import { UserError } from "../core/lib/errors";
import { exitCodes, valueOrFinding, worstOf } from "../live/findings";
import { Progress, resultText } from "../live/report";
import { follow, journeyResult } from "../live/verify";
import { verifyArchives } from "../live/verifyArchives";
import { printableJson } from "../core/lib/printable";
import { parseOptions, run, whenStopped } from "./command";
import { connect } from "./live";
import { readNamedStackFile, stackFileOptions } from "./stackFile";
import { secondsOf } from "../core/lib/durations";

const usage = `Usage: npm run verify -- (--stack NAME | --config FILE) [--timeout 5m] [--vmauth URL] [--json]

Sends one marked log line, metric and span through a collector of the cluster, and looks for them wherever the stack stores
them: accepted, sent, stored. If it cannot look, it says how you can. It reaches the collector through the API server, which needs the
right to create pods/proxy.

Of an archive, it runs the exporter once as a Job, which it removes, and looks in the bucket for the last complete hour.
Where it is on regional clusters too, it looks for that hour of each of them, and runs nothing there.
What regions store of their own clusters it does not follow: docs/storage.md says where to look.

Required: a stack. The command writes to the stack's stores, so it has no default stack.

  --timeout 5m   how long to wait for what has not arrived (s, m or h); default for the Job of an archive: 20m
  --vmauth URL   address of the region's vmauth, if its own is unreachable from here (route regional)
  --json         one JSON object instead of text

Exit code  0  everything that the stack stores arrives
           1  the command line or the stack file is wrong
           2  something could not be checked, and nothing is known to be missing
           3  something does not arrive`;

const options = {
    ...stackFileOptions,
    timeout: { type: "string" },
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
    const { json, timeout: given, vmauth, ...choice } = parseOptions(usage, options);
    const limit = given ?? "5m";
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
    const progress = json === true ? undefined : new Progress();
    progress?.print(
        `Stack ${about.stack}: route ${route}, KOF ${version}, on ${about.server}. Looking for ${mark.text}.\n`,
    );
    const waits = new Map<string, string>();
    const waiting = (limit: string) => (titles: readonly string[], seconds: number) => {
        if (titles.length > 0) {
            waits.set(limit, `waiting for ${titles.join(", ")}: ${String(seconds)} s of ${limit}`);
        } else {
            waits.delete(limit);
        }
        progress?.show([...waits.values()].join("; "));
    };
    const stop = new AbortController();
    const exportLimit = given ?? "20m";
    const archives = verifyArchives(live, {
        timeout: duration(exportLimit),
        stop: stop.signal,
        waiting: waiting(exportLimit),
    });
    const takeBack = whenStopped(() => {
        stop.abort();
        // Until then the Job that was made for an archive is removed.
        void archives.catch(() => []).finally(() => process.exit(130));
    });
    const followed = valueOrFinding(() => follow(live, { mark, timeout, vmauth, waiting: waiting(limit) }));
    followed.catch(() => {
        stop.abort();
    });
    await Promise.allSettled([archives, followed]);
    takeBack();
    progress?.clear();
    // Where no collector can be looked for, nothing was sent.
    const { value: journeys = [], findings } = await followed;
    const results = [
        ...(findings.length > 0 ? [{ title: "Collectors", findings }] : journeys.map(journeyResult)),
        ...(await archives),
    ];
    const found = worstOf(results);
    console.log(
        json === true
            ? printableJson({ ...about, verdict: found, journeys, results })
            : results.map((result) => resultText(result)).join("\n"),
    );
    process.exitCode = exitCodes[found];
});
