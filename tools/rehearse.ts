import { versions } from "../core/charts";
import { kofNamespace } from "../core/charts/namespace";
import { UserError } from "../core/lib/errors";
import { fenced, paragraphs, section, table } from "../core/lib/markdown";
import { printable } from "../core/lib/printable";
import { planOf, verdictOf } from "../core/review/plan";
import { parseOptions, run } from "../cli/command";
import { checkVersion, deploymentOfFile, readStackFile, reviewedDeployment, stackFileOptions } from "../cli/stackFile";
import { Rehearsal, type Found, type Rehearsed } from "./engine/rehearsal";

const usage = `Usage: npm run rehearse -- [--stack NAME | --config FILE] --version VERSION [--json]

Rehearses the upgrade of a stack to another version of KOF, on an API server of its own on this machine. Pulumi's engine deploys the
stack at its present version, and then at the other one. Prints releases, StatefulSets and claims before and after, and what
Kubernetes and the program refuse. It contacts no cluster, no AWS and no registry. Its output says what it imitates.

Required: --version. Without --stack and --config it is the stack dev.

  --version   the KOF version to upgrade to: one of ${versions.join(", ")}
  --json      one JSON object instead of text

Needs Go. The first run builds an API server and Pulumi's engine, which takes half an hour. Later runs take some minutes.

Exit code  0  nothing was refused
           1  the command line or the stack file is wrong, or the stack does not deploy at its present version
           3  Kubernetes or the program refuses something`;

const options = { version: { type: "string" }, json: { type: "boolean" }, ...stackFileOptions } as const;

/** What the rehearsal imitates, and with what. */
const imitated = [
    "Real: the program, Pulumi's engine and its Kubernetes provider, and the API server with the controllers of StatefulSets, claims and volumes.",
    "The umbrella chart: a chart that renders the releases which the catalog of each version has, with that version's default values.",
    "Flux and Sveltos: every release is marked as ready, and nothing is installed. A release that goes is uninstalled, unless it is suspended.",
    "The charts' StatefulSets: made of the catalog's sizes, classes and replicas, without what else is in them. What the charts change in other " +
        "objects, hooks, and custom resources is not rehearsed.",
    "The VictoriaMetrics operator: it enlarges the claims of its stores, and recreates the StatefulSet around its pods.",
    "Volumes: they are bound, and hold nothing. The storage class takes a larger size as it says; no driver does it.",
    "KOF and KCM: no pod runs. AWS: an emulator, where the stack has anything there; a bucket that it finds is made there first.",
    "Regional and child clusters: none is there. What becomes of their stores and collectors is in the plan alone (npm run plan).",
];

function text(of: Rehearsed, { from, to }: { readonly from: string; readonly to: string }): string {
    const rows = (before: readonly Found[], after: readonly Found[]) => {
        const names = [...new Set([...before, ...after].map(({ name }) => name))].sort();
        return names.map((name) => {
            const [was, is] = [before, after].map(
                (list) => list.find((each) => each.name === name)?.what ?? "not there",
            );
            return [name, was ?? "", was === is ? "the same" : (is ?? "")];
        });
    };
    const { before, after } = of;
    return paragraphs([
        `# KOF ${from} -> ${to}, rehearsed`,
        of.refusals.length === 0 ? "Nothing was refused." : "Something was refused: see below.",
        section(
            "What Kubernetes refuses",
            of.refusals.filter(({ by }) => by === "Kubernetes").map(({ what, message }) => `- ${what}: ${message}`),
        ),
        section(
            "What the program refuses",
            of.refusals.filter(({ by }) => by === "the program").map(({ message }) => fenced("text", message)),
        ),
        section(
            "By hand",
            of.byHand.map((step, i) => `${String(i + 1)}. ${step}`),
        ),
        section(
            "Done in the rehearsal",
            of.done.map((each) => `- ${each}`),
        ),
        section(
            "What Flux did",
            of.events.map((each) => `- ${each}`),
        ),
        section("Releases", table(["release", "before", "after"], rows(before.releases, after.releases))),
        section("StatefulSets", table(["StatefulSet", "before", "after"], rows(before.sets, after.sets))),
        section("Claims", table(["claim", "before", "after"], rows(before.claims, after.claims))),
        section(
            "What was imitated",
            imitated.map((each) => `- ${each}`),
        ),
    ]);
}

if (require.main === module) {
    run(async () => {
        const { version, json, ...choice } = parseOptions(usage, options);
        if (version === undefined) {
            throw new UserError(`--version is missing.\n\n${usage}`);
        }
        checkVersion(version);
        const stackFile = readStackFile(choice);
        const from = deploymentOfFile(stackFile);
        if (from.settings.version === version) {
            throw new UserError(
                `${stackFile.file} is at KOF ${version} already. Give another --version: ${versions.join(", ")}.`,
            );
        }
        const to = reviewedDeployment({
            ...stackFile,
            // The file may be right with its own version: it is wrong with the other one.
            file: `${stackFile.file} at KOF ${version}`,
            config: { ...stackFile.config, "kof:version": version },
        });
        const plan = planOf(from, to);
        console.error(
            `Rehearsing KOF ${from.settings.version} -> ${version} in namespace ${kofNamespace} of an API server of its own ...`,
        );
        const rehearsal = await Rehearsal.start(stackFile, plan, (event) => {
            console.error(event);
        });
        try {
            const found = await rehearsal.run();
            const versionsOf = { from: from.settings.version, to: version };
            console.log(
                json === true
                    ? JSON.stringify({ ...versionsOf, ...found, imitated }, undefined, 2)
                    : printable(text(found, versionsOf)),
            );
            process.exitCode = found.refusals.length > 0 || verdictOf(plan) === "impossible" ? 3 : 0;
        } finally {
            await rehearsal.stop();
        }
    });
}
