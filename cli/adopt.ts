import * as fs from "node:fs";
import * as path from "node:path";

import { parse } from "yaml";

import { adoption, type Adoption } from "../adoption";
import { stackFileText } from "../adoption/stackFile";
import { versions } from "../catalog";
import { UserError } from "../errors";
import { parseCommand, run } from "./command";

const usage = `Usage: npm run adopt -- VALUES.yaml --out STACKFILE [--version VERSION] [--region [NAMESPACE/]NAME] [--credentials YAML]

Writes the stack file that reproduces a values file of the umbrella chart kof which was written by hand, and says what was
wrong with it, what pulumi up will change, and what the stack file cannot express. An existing file is never overwritten.

  --version       installed KOF version (${versions.join(", ")}), where the values fit several
  --region        the regional ClusterDeployment, where the values have only a checksum of its name
  --credentials   kof:cloudwatch.credentials, where the values name no Secret: '{kind: podIdentity, clusterName: NAME}'

Exit code: 0 written; 3 written, but something of the original is not in it; 1 nothing was written.`;

/** What is said about an adoption, for a person. */
export function report({ faults, changes, lost, notes }: Adoption): string {
    const section = (title: string, lines: readonly string[]) =>
        lines.length > 0 ? ["", title, ...lines.map((line) => `  - ${line}`)] : [];
    return [
        ...section("What was wrong with the original, and is put right (why: docs/differences.md):", faults),
        ...section("What the program sets besides, which pulumi up will change (why: docs/differences.md):", changes),
        ...section("What the stack file cannot express:", lost),
        ...section("What the values do not tell. Look before the first pulumi up:", notes),
    ].join("\n");
}

function regionOf(text: string | undefined) {
    const [, namespace, cluster] = /^(?:([^/]+)\/)?([^/]+)$/.exec(text ?? "") ?? [];
    if (text !== undefined && cluster === undefined) {
        throw new UserError(`--region ${text} is not NAME or NAMESPACE/NAME.\n\n${usage}`);
    }
    return cluster === undefined ? undefined : { cluster, namespace };
}

function credentialsOf(text: string | undefined): unknown {
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

run(() => {
    const { values, positionals } = parseCommand(usage, {
        out: { type: "string" },
        version: { type: "string" },
        region: { type: "string" },
        credentials: { type: "string" },
    });
    const [file, ...more] = positionals;
    const { out, version } = values;
    if (file === undefined || more.length > 0 || out === undefined) {
        throw new UserError(
            `${file === undefined || more.length > 0 ? "Give one values file" : "--out is missing"}.\n\n${usage}`,
        );
    }
    if (version !== undefined && !versions.includes(version)) {
        throw new UserError(`--version ${version} is not supported. Allowed: ${versions.join(", ")}.`);
    }
    const said = { version, region: regionOf(values.region), credentials: credentialsOf(values.credentials) };
    const result = adoption(read(file), said, file);
    const schema = path.relative(path.dirname(out), path.join(__dirname, "..", "stacks", "stack-file.schema.json"));
    write(out, stackFileText(result.settings, path.basename(file), schema));
    console.log(`${out}: route ${String(result.settings.route)}, KOF ${String(result.settings.version)}`);
    console.log(report(result));
    process.exitCode = result.lost.length > 0 ? 3 : 0;
});
