import * as fs from "node:fs";
import * as path from "node:path";

import { parseDocument, type Document } from "yaml";

import { isMap } from "../core/lib/values";
import { UserError } from "../core/lib/errors";
import { deploymentOf } from "../core/routes";
import type { Deployment } from "../core/routes/deployment";
import { hasSecret, parseSettings, rawSettings } from "../core/routes/parse";
import { namespaceProblems } from "../core/settings/namespaces";
import { providerSecretProblems } from "../core/settings/providerSecrets";
import { configurationError } from "../core/settings/problems";
import { asPulumi, yamlFault } from "../core/lib/yaml/read";

/** A stack file as Pulumi would hand it to the program: every value as text, and which of them are encrypted. */
export interface StackFile {
    /** The file, as the person named it. */
    readonly file: string;
    /** Name of the stack. */
    readonly stack: string;
    readonly config: Readonly<Record<string, string>>;
    readonly secretKeys: readonly string[];
}

/** The folder of the examples. */
export const examples = "examples";

/**
 * Reads the stack file of a stack, or one at any path.
 *
 * @throws UserError when it is not there, is no YAML, or is no stack file; the message says what to do.
 */
export function readStackFile(choice: StackChoice): StackFile {
    const file = fileOf(choice);
    return parseStackFile(readText(file), file);
}

/** A stack by its name, or a stack file at any path. Default: the stack dev. */
export interface StackChoice {
    readonly stack?: string | undefined;
    readonly config?: string | undefined;
}

/** The stack file that a command line names. @throws UserError when it names two. */
export function fileOf({ stack, config }: StackChoice): string {
    if (stack !== undefined && config !== undefined) {
        throw new UserError("Give --stack NAME or --config FILE, not both.");
    }
    return config ?? `Pulumi.${stack ?? "dev"}.yaml`;
}

/**
 * A stack file from its text.
 *
 * @param file what to call it.
 * @throws UserError when it is no YAML, or no stack file; the message says what to do.
 */
export function parseStackFile(text: string, file: string): StackFile {
    const stack = stackNameOf(file);
    const document = parseDocument(text, asPulumi);
    const [error] = document.errors;
    if (error) {
        throw new UserError(`${file} is not YAML: ${yamlFault(error)}`);
    }
    const content = contentOf(document, file);
    const foreign = isMap(content) ? foreignKeys(content) : [];
    const config: unknown = isMap(content) && foreign.length === 0 ? (content.config ?? {}) : undefined;
    if (!isMap(config)) {
        throw new UserError(
            `${file} is not a stack file${isMap(content) ? whatItIs(content, foreign) : ""}: it needs a map under "config:", such as` +
                "\n\nconfig:\n  kof:route: management",
        );
    }
    const short = Object.keys(config).find((key) => !key.includes(":"));
    if (short !== undefined) {
        const written = isMap(config[short]) ? Object.keys(config[short])[0] : undefined;
        throw new UserError(
            `${file}: "${short}" under "config:" has no namespace. ` +
                (short === "kof" || short === "kubernetes" || short === "aws"
                    ? `Write each of its keys below "config:" by itself: ${short}:${written ?? "KEY"}.`
                    : `Write kof:${short}.`),
        );
    }
    const entries = Object.entries(config);
    const texts = Object.fromEntries(entries.map(([key, value]) => [key, handedOn(value)]));
    const secretKeys = entries.filter(([, value]) => hasSecret(value)).map(([key]) => key);
    const problems = [
        ...namespaceProblems(Object.keys(config)),
        ...providerSecretProblems(texts, (key) => secretKeys.includes(key)),
    ];
    if (problems.length > 0) {
        throw configurationError(file, problems);
    }
    return { file, stack, config: texts, secretKeys };
}

/** Keys beside `config` that Pulumi has in a stack file (`sdk/go/common/workspace`, `ProjectStack`). */
const ownKeys = ["config", "secretsprovider", "encryptedkey", "encryptionsalt", "environment"];

/** The keys of a file that has no `config`, and others than a stack file has. Of one that has it, Pulumi ignores them. */
function foreignKeys(content: Readonly<Record<string, unknown>>): string[] {
    return "config" in content ? [] : Object.keys(content).filter((key) => !ownKeys.includes(key.toLowerCase()));
}

/** What a file is that is no stack file, and where it belongs. */
function whatItIs({ apiVersion, kind }: Readonly<Record<string, unknown>>, foreign: readonly string[]): string {
    if (typeof apiVersion === "string" && typeof kind === "string") {
        return `, but a Kubernetes manifest (${kind})`;
    }
    if (foreign.some((key) => key.startsWith("kof:"))) {
        return ", as its settings are not below config";
    }
    return foreign.some((key) => key === "global" || key.startsWith("kof-"))
        ? ", but a values file of the umbrella chart (npm run adopt makes a stack file of it)"
        : foreign.length > 0
          ? ` (it has ${foreign.slice(0, 5).join(", ")})`
          : "";
}

/** A value as Pulumi hands it to the program: text as it is, nothing as no text, and everything else as JSON. */
function handedOn(value: unknown): string {
    return typeof value === "string" || typeof value === "bigint" ? String(value) : value === null ? "" : jsonOf(value);
}

function jsonOf(value: unknown): string {
    return JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? Number(inner) : inner));
}

/** The stack that a stack file is of. */
export function stackNameOf(file: string): string {
    return /^(?:Pulumi\.)?(.+?)\.ya?ml$/.exec(path.basename(file))?.[1] ?? path.basename(file);
}

/** The content with its aliases resolved, which a malicious or mistaken file makes endless. */
function contentOf(document: Document.Parsed, file: string): unknown {
    try {
        const content: unknown = document.toJS() ?? {};
        jsonOf(content);
        return content;
    } catch (error) {
        throw new UserError(`${file} has aliases that cannot be resolved: ${yamlFault(error as Error)}`);
    }
}

function readText(file: string): string {
    try {
        return fs.readFileSync(file, "utf8");
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== "ENOENT") {
            throw new UserError(`${file} cannot be read (${code ?? String(error)}).`);
        }
        const here = stackFiles(".");
        throw new UserError(
            [
                `There is no ${file}.`,
                here.length > 0 ? `Stack files here: ${here.join(", ")}.` : "There are no stack files here.",
                `To start one from an example (${stackFiles(examples).join(", ")}):`,
                `  cp ${examples}/Pulumi.management.yaml ${path.basename(file)}`,
            ].join("\n"),
        );
    }
}

/** What a stack file resolves to, without running the program. */
export function deploymentOfFile({ file, config, secretKeys }: StackFile): Deployment {
    return deploymentOf(
        parseSettings(
            rawSettings(config, (key) => secretKeys.includes(key)),
            file,
        ),
    );
}

/** How a command line names a stack file. */
export const stackFileOptions = { stack: { type: "string" }, config: { type: "string" } } as const;

/** The stack files in a folder. */
export function stackFiles(folder: string): string[] {
    return fs.existsSync(folder)
        ? fs
              .readdirSync(folder)
              .filter((name) => /^Pulumi\..+\.yaml$/.test(name))
              .sort()
        : [];
}
