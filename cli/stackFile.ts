import * as fs from "node:fs";
import * as path from "node:path";

import { isAlias, isMap as isYamlMap, isNode, isScalar, parseDocument, visit, type Document, type YAMLMap } from "yaml";

import { versions } from "../core/charts";
import { configurationLimits, refuseExcess, tooMuch } from "../core/lib/bounds";
import { isMap } from "../core/lib/values";
import { UserError } from "../core/lib/errors";
import { deploymentOf } from "../core/routes";
import type { Deployment } from "../core/routes/deployment";
import { checkSettings, hasSecret, parseSettings, rawSettings, whereKnown } from "../core/routes/parse";
import { reviewCollectors } from "../core/review/collectors";
import { namespaceProblems } from "../core/settings/namespaces";
import { providerSecretProblems } from "../core/settings/providerSecrets";
import { configurationError, type Problem } from "../core/settings/problems";
import { asPulumi, yamlFault } from "../core/lib/yaml/read";
import { openEnvironments } from "./environments";

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
export const examplesFolder = "examples";

/**
 * Reads the stack file of a stack, or one at any path.
 *
 * @throws UserError if it is missing, is no YAML, or is no stack file. The message says what to do.
 */
export function readStackFile(choice: StackChoice): StackFile {
    const file = fileOf(choice);
    const stackFile = parseStackFile(readText(file), file, choice.stack);
    if (!("kof:route" in stackFile.config)) {
        console.error(`warning: ${file} does not set kof:route. Nothing of this cluster is collected: route none.`);
    }
    return stackFile;
}

/** A stack by its name, or a stack file at any path. Default: the stack dev. */
interface StackChoice {
    readonly stack?: string | undefined;
    readonly config?: string | undefined;
}

/** The stack file that a command line names. @throws UserError when it names two. */
export function fileOf({ stack, config }: StackChoice): string {
    if (stack !== undefined && config !== undefined) {
        throw new UserError("Give --stack NAME or --config FILE, not both.");
    }
    return config ?? `Pulumi.${stackName(stack ?? "dev")}.yaml`;
}

/** The name of a stack that may be given in full, as Pulumi takes it: `organisation/project/name`. */
function stackName(stack: string): string {
    const [name = "", ...before] = stack.split("/").reverse();
    const project = before.length > 1 ? before[0] : undefined;
    // What Pulumi accepts as a name (ParseStackName in sdk/go/common/tokens, 3.274).
    const isName = (part: string) => /^[\w.-]{1,100}$/.test(part) && !/^\.+$/.test(part);
    if (before.length > 2 || ![name, ...before].every(isName)) {
        throw new UserError(
            `--stack ${JSON.stringify(stack)} is no name of a stack. Allowed: NAME, ORGANISATION/NAME or ORGANISATION/PROJECT/NAME.`,
        );
    }
    if (project !== undefined && project !== "kof") {
        throw new UserError(`--stack ${stack} is of the project ${project}, but this is the project kof.`);
    }
    return name;
}

/**
 * A stack file from its text. What it imports from environments of Pulumi ESC is asked of Pulumi.
 *
 * @param file what to call it.
 * @param name of the stack, for the Pulumi CLI. Default: that of the file.
 * @throws UserError when it is no YAML, or no stack file, or too large; the message says what to do.
 */
export function parseStackFile(text: string, file: string, name?: string): StackFile {
    const stack = stackNameOf(file);
    const content = resolvedContent(documentOf(text, file), file);
    const environment = isMap(content) ? content.environment : undefined;
    const isThere = isMap(content) && ("config" in content || isGiven(environment));
    const config: unknown = isThere ? (content.config ?? {}) : undefined;
    if (!isMap(config)) {
        throw new UserError(
            `${file} is not a stack file${isMap(content) ? whatItIs(content) : ""}: it needs a map under "config:", such as` +
                "\n\nconfig:\n  kof:route: management",
        );
    }
    const entries = Object.entries(config);
    const texts = Object.fromEntries(entries.map(([key, value]) => [key, handedOn(value)]));
    const secretKeys = entries.filter(([, value]) => hasSecret(value)).map(([key]) => key);
    const own = { file, stack, config: texts, secretKeys };
    const problems = [
        ...Object.entries(config)
            .filter(([key]) => !key.includes(":"))
            .map(([key, value]) => shortProblem(key, value)),
        ...namespaceProblems(Object.keys(config)),
        ...providerSecretProblems(texts, (key) => secretKeys.includes(key)),
    ];
    if (problems.length > 0) {
        throw configurationError(file, [...problems, ...checkSettings(rawOf(own)).problems]);
    }
    return isGiven(environment) ? openEnvironments(own, environment, text, name ?? stack) : own;
}

function shortProblem(key: string, value: unknown): Problem {
    const written = isMap(value) ? Object.keys(value)[0] : undefined;
    if (pulumiKeys.includes(key.toLowerCase())) {
        return { key, message: `under "config:" is read by nobody. Write it beside "config:", not below it.` };
    }
    const write =
        key === "kof" || key === "kubernetes" || key === "aws"
            ? `Write each of its keys below "config:" by itself: ${key}:${written ?? "KEY"}.`
            : `Write kof:${key}.`;
    return { key: JSON.stringify(key), message: `under "config:" has no namespace. ${write}` };
}

function isGiven(value: unknown): boolean {
    return value !== undefined && value !== null && !(typeof value === "object" && Object.keys(value).length === 0);
}

/** The text as Pulumi reads it. */
function documentOf(text: string, file: string): Document {
    if (text.length > configurationLimits.file) {
        throw tooMuch(
            file,
            `has ${String(text.length)} characters; at most ${String(configurationLimits.file)} are read`,
        );
    }
    // The library compares each key with each other one.
    const document = parseDocument(text, { ...asPulumi, uniqueKeys: false, logLevel: "silent" });
    const [error] = document.errors;
    if (error) {
        if (error.message.startsWith("Maximum call stack size exceeded")) {
            throw tooMuch(file, "has maps or lists in each other, thousands of levels deep");
        }
        throw new UserError(`${file} is not YAML: ${yamlFault(error)}`);
    }
    // Pulumi reads the first one, and drops the others when it writes the file (tried with 3.274.1 on 2026-11-27).
    const rest = text.slice(document.range[2]);
    if (rest.split("\n").some((line) => !/^\s*(#.*)?$|^(---|\.\.\.)\s*(#.*)?$/.test(line))) {
        throw new UserError(`${file} has more than one YAML document, and Pulumi reads only the first. Write one.`);
    }
    visit(document, (_, node, path) => {
        if (isAlias(node) && path.some((each) => isNode(each) && "anchor" in each && each.anchor === node.source)) {
            throw new UserError(`${file} has aliases that cannot be resolved: ${node.source} is within itself`);
        }
        const tag = isNode(node) ? (node.tag ?? "") : "";
        if (/^tag:yaml\.org,2002:(?!(str|int|float|bool|null|map|seq|timestamp|merge)$)/.test(tag)) {
            throw new UserError(
                `${file} has a value with the tag ${tag}, which this program does not read. Leave it out.`,
            );
        }
        if (isYamlMap(node)) {
            refuseKeys(node, text, file);
        }
    });
    return document;
}

/** Keys that yaml.v3, by which Pulumi reads stack files, refuses or reads as something else (tried with 3.274.1, 2026-11-27). */
function refuseKeys(map: YAMLMap, text: string, file: string): void {
    const seen = new Set<string>();
    for (const { key } of map.items) {
        const line = text.slice(0, isNode(key) ? key.range?.[0] : 0).split("\n").length;
        const at = isNode(key) ? ` in line ${String(line)}` : "";
        if (!isScalar(key) || key.value === null) {
            throw new UserError(`${file} is not YAML that Pulumi reads: a key${at} is not text. Quote it.`);
        }
        const name = String(key);
        if (seen.has(name)) {
            throw new UserError(`${file} is not YAML that Pulumi reads: ${JSON.stringify(name)}${at} is there twice.`);
        }
        seen.add(name);
        // JavaScript takes this one for something of its own, and Pulumi merges what is below the other even in quotes.
        if (name === "__proto__" || (name === "<<" && key.type !== "PLAIN")) {
            throw new UserError(
                `${file} has the key ${JSON.stringify(name)}${at}, which is never handed on as it is. Remove it.`,
            );
        }
    }
}

/** Keys beside `config` that Pulumi has in a stack file (`sdk/go/common/workspace`, `ProjectStack`). */
const pulumiKeys = ["config", "secretsprovider", "encryptedkey", "encryptionsalt", "environment"];

/** What a file is that is no stack file, and where it belongs. */
function whatItIs(content: Readonly<Record<string, unknown>>): string {
    const { apiVersion, kind } = content;
    const own = Object.keys(content).filter((key) => !pulumiKeys.includes(key.toLowerCase()));
    // Of a file that has a config, Pulumi ignores them.
    const foreign = "config" in content ? [] : own;
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
    if (typeof value === "string" || typeof value === "bigint" || value === null) {
        return String(value ?? "");
    }
    return JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? Number(inner) : inner));
}

/** The stack that a stack file is of. */
export function stackNameOf(file: string): string {
    return /^(?:Pulumi\.)?(.+?)\.ya?ml$/.exec(path.basename(file))?.[1] ?? path.basename(file);
}

/** The content with its aliases resolved, which a malicious or mistaken file makes endless. */
function resolvedContent(document: Document, file: string): unknown {
    let content: unknown;
    try {
        content = document.toJS() ?? {};
    } catch (error) {
        throw new UserError(`${file} has aliases that cannot be resolved: ${yamlFault(error as Error)}`);
    }
    refuseExcess(content, file);
    return content;
}

function readText(file: string): string {
    try {
        return fs.readFileSync(file, "utf8");
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== "ENOENT") {
            throw new UserError(`${file} cannot be read (${code ?? String(error)}).`);
        }
        const here = stackFilesIn(".");
        throw new UserError(
            [
                `There is no ${file}.`,
                here.length > 0 ? `Stack files here: ${here.join(", ")}.` : "There are no stack files here.",
                `To start one from an example (${stackFilesIn(examplesFolder).join(", ")}):`,
                `  cp ${examplesFolder}/Pulumi.management.yaml ${path.basename(file)}`,
            ].join("\n"),
        );
    }
}

/** What a stack file resolves to, without running the program. */
export function deploymentOfFile(stackFile: StackFile): Deployment {
    return deploymentOf(parseSettings(rawOf(stackFile), stackFile.file));
}

/**
 * The same, with what is wrong with its collectors, which settings alone do not tell: only a deployment would.
 *
 * @throws UserError with all problems at once.
 */
export function reviewedDeployment(stackFile: StackFile): Deployment {
    const { settings, problems } = checkSettings(rawOf(stackFile));
    const worked = settings && whereKnown(problems, () => deploymentOf(settings));
    const reviewed = worked && whereKnown(problems, () => reviewCollectors(worked, problems));
    const all = [...problems, ...(reviewed?.problems ?? [])];
    if (!worked || all.length > 0) {
        throw configurationError(stackFile.file, all);
    }
    return worked;
}

function rawOf({ config, secretKeys }: StackFile): Record<string, unknown> {
    return rawSettings(config, (key) => secretKeys.includes(key));
}

/**
 * The stack file that a command line names, for a command that changes a running cluster. Such a command has no default stack.
 *
 * @throws UserError when it names none, or two, and as {@link readStackFile}.
 */
export function readNamedStackFile(choice: StackChoice, usage: string): StackFile {
    if (choice.stack === undefined && choice.config === undefined) {
        throw new UserError(`--stack or --config is missing: this command takes no stack by itself.\n\n${usage}`);
    }
    return readStackFile(choice);
}

/** @throws UserError for what `--version` names, where this program does not have it. */
export function checkVersion(version: string): void {
    if (!versions.includes(version)) {
        throw new UserError(`--version ${version} is not supported. Allowed: ${versions.join(", ")}.`);
    }
}

/** How a command line names a stack file. */
export const stackFileOptions = { stack: { type: "string" }, config: { type: "string" } } as const;

/** The stack files in a folder. */
export function stackFilesIn(folder: string): string[] {
    return fs.existsSync(folder)
        ? fs
              .readdirSync(folder)
              .filter((name) => /^Pulumi\..+\.yaml$/.test(name))
              .sort()
        : [];
}
