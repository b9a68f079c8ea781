import * as fs from "node:fs";
import * as path from "node:path";

import { parse } from "yaml";

import { adoption, adoptionOf, type Adoption } from "../core/adopt";
import { canonical } from "../core/adopt/compare";
import { isManifest, type Original } from "../core/adopt/documents";
import { stackFileText } from "../core/adopt/stackFile";
import { versions } from "../core/charts";
import type { HelmValues } from "../core/lib/values";
import { kofNamespace } from "../core/charts/namespace";
import { quotedWord } from "../core/lib/shell";
import { UserError } from "../core/lib/errors";
import { findInstalled, withoutRelease, type HelmRevision, type Installed } from "../live/installed";
import { Kubernetes } from "../live/kubernetes";
import { asHelm } from "../core/lib/yaml/read";
import { deploymentOf } from "../core/routes";
import { parseSettings } from "../core/routes/parse";
import { parseCommand, run } from "./command";
import { checkVersion, deploymentOfFile, parseStackFile } from "./stackFile";

const usage = `Usage: npm run adopt -- FILE --out STACKFILE [--cluster] [OPTIONS]
       npm run adopt -- --cluster --out STACKFILE [OPTIONS]

Required: FILE or --cluster, and --out. Writes the stack file that reproduces a KOF which was installed by hand. It reads the values file of
the umbrella chart kof or of one of its charts, Flux's HelmRelease, or the Helm release on the cluster. It says what was wrong with the
values, what pulumi up will change, and what the stack file cannot express. Before it writes the stack file, it compares it with the values.
It never overwrites a file, and changes nothing on the cluster.

  --cluster       look at the cluster of your kubeconfig: the Helm release, the volumes that exist, the Istio label, the regions
  --context       look at the cluster of this context, which the stack file then names
  --version       installed KOF version (${versions.join(", ")}), if the file fits several and names none
  --region        the regional ClusterDeployment as [NAMESPACE/]NAME, if the values have only a checksum of its name
  --credentials   kof:cloudwatch.credentials, if the values name no Secret: '{kind: podIdentity, clusterName: NAME}'

Exit code: 0 written; 2 written, but something could not be checked; 3 written, but something of the original is not in it;
1 nothing was written.`;

/** A human-readable report on an adoption. */
function adoptionReport(
    { corrections, changes, lost, notes, leftovers }: Adoption,
    unchecked: readonly string[] = [],
): string {
    const section = (title: string, lines: readonly string[]) =>
        lines.length > 0 ? ["", title, ...lines.map((line) => `  - ${line}`)] : [];
    return [
        ...section("What was wrong with the original, and is put right (why: docs/differences.md):", corrections),
        ...section("What the program sets besides, which pulumi up will change (why: docs/differences.md):", changes),
        ...section("What the stack file cannot express:", lost),
        ...section(
            "What Helm set and the stack does not have, which pulumi up leaves there. Afterwards:",
            Object.entries(leftovers).map(
                ([component, values]) =>
                    `kubectl patch helmrelease -n ${kofNamespace} ${component} --type merge -p ${quotedWord(JSON.stringify({ spec: { values } }))}`,
            ),
        ),
        ...section("What could not be checked:", unchecked),
        ...section("What the values do not say. Check before the first pulumi up:", notes),
    ].join("\n");
}

function regionOf(text: string | undefined) {
    const [, namespace, cluster] = /^(?:([^/]+)\/)?([^/]+)$/.exec(text ?? "") ?? [];
    if (text !== undefined && cluster === undefined) {
        throw new UserError(`--region ${text} is not NAME or NAMESPACE/NAME.\n\n${usage}`);
    }
    return cluster === undefined ? undefined : { cluster, namespace };
}

/** The version that is installed, where one could be seen. */
function versionOf(installed: Installed | undefined): string | undefined {
    const version = installed?.release?.version;
    if (version !== undefined && !versions.includes(version)) {
        throw new UserError(`KOF ${version} is installed, which is not supported. Supported: ${versions.join(", ")}.`);
    }
    return version;
}

/** The values of the Helm release, which are of the umbrella, even where there are none. @throws UserError when it cannot be read. */
function installedValues(installed: Installed = { unchecked: [] }): Original {
    if (!installed.release) {
        throw new UserError(`${withoutRelease(installed)} Give the values file that KOF was installed with.`);
    }
    return { values: installed.release.values, isUmbrella: true, corrections: [] };
}

/** Reads a stack file as Pulumi will, before it is written: it has to resolve to what was worked out. */
function checkWritten(text: string, file: string, { settings }: Adoption): void {
    const read = deploymentOfFile(parseStackFile(text, file));
    const wanted = deploymentOf(parseSettings(settings, file));
    if (
        canonical(read.values) !== canonical(wanted.values) ||
        JSON.stringify(read.settings) !== JSON.stringify(wanted.settings)
    ) {
        throw new Error(`${file} would not be read as it is meant, and was not written.`);
    }
}

function releaseNotes({ status, revision, values }: HelmRevision, file: string | undefined): string[] {
    return [
        ...(status === "deployed"
            ? []
            : [`Revision ${String(revision)} of the Helm release kof is ${status}, not deployed.`]),
        ...(file === undefined || isManifest(valuesOf(file)) || canonical(valuesOf(file)) === canonical(values)
            ? []
            : [
                  `${file} is not what is installed. Compare it with\n      helm get values kof -n ${kofNamespace} -o yaml`,
              ]),
    ];
}

/** What Helm would read from a file; `undefined` where it would refuse it. */
function valuesOf(file: string): HelmValues | undefined {
    try {
        return parse(read(file), asHelm) as HelmValues;
    } catch {
        return undefined;
    }
}

function readCredentials(text: string | undefined): unknown {
    try {
        return text === undefined ? undefined : parse(text);
    } catch (error) {
        throw new UserError(`--credentials is not YAML: ${(error as Error).message}\n\n${usage}`);
    }
}

function read(file: string): string {
    try {
        return fs.readFileSync(file, "utf8");
    } catch (error) {
        throw new UserError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)}).`);
    }
}

function write(file: string, text: string): void {
    try {
        fs.writeFileSync(file, text, { flag: "wx" });
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        throw new UserError(
            code === "EEXIST"
                ? `${file} exists, and nothing was written. Choose another --out, or move it away.`
                : `${file} cannot be written (${code ?? String(error)}).`,
        );
    }
}

run(async () => {
    const { values, positionals } = parseCommand(usage, {
        out: { type: "string" },
        cluster: { type: "boolean" },
        context: { type: "string" },
        version: { type: "string" },
        region: { type: "string" },
        credentials: { type: "string" },
    });
    const [file, ...more] = positionals;
    const { out, version, context } = values;
    const looks = values.cluster === true || context !== undefined;
    if ((file === undefined && !looks) || more.length > 0 || out === undefined) {
        throw new UserError(
            `${out === undefined ? "--out is missing" : "Give one values file, or --cluster"}.\n\n${usage}`,
        );
    }
    if (version !== undefined) {
        checkVersion(version);
    }
    const installed = looks ? await findInstalled(Kubernetes.connect({ context })) : undefined;
    const adoptionOptions = {
        version: version ?? versionOf(installed),
        region: regionOf(values.region),
        credentials: readCredentials(values.credentials),
        cluster: installed,
    };
    const origin = file ?? "the Helm release kof";
    const result =
        file === undefined
            ? adoptionOf(installedValues(installed), adoptionOptions, origin)
            : adoption(read(file), adoptionOptions, file);
    const schema = path.relative(path.dirname(out), path.join(__dirname, "..", "stacks", "stack-file.schema.json"));
    const text = stackFileText(result.settings, file === undefined ? origin : path.basename(file), schema, context);
    checkWritten(text, out, result);
    write(out, text);
    const notes = [...result.notes, ...(installed?.release ? releaseNotes(installed.release, file) : [])];
    const unchecked = installed?.unchecked ?? [];
    if (result.secrets.length > 0) {
        console.log(["Secrets in plain text:", ...result.secrets.map((each) => `  - ${each}`), ""].join("\n"));
    }
    console.log(`${out}: route ${String(result.settings.route)}, KOF ${String(result.settings.version)}`);
    console.log(adoptionReport({ ...result, notes }, unchecked));
    process.exitCode = result.lost.length > 0 || result.secrets.length > 0 ? 3 : unchecked.length > 0 ? 2 : 0;
});
