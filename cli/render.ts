import * as fs from "node:fs";
import * as path from "node:path";

import { stringify } from "yaml";

import { UserError } from "../errors";
import { parseOptions, run } from "./command";
import { secretPlaceholder, type OfflineRun, type Resource } from "./offline";
import { runOffline } from "./program";
import { readStackFile, stackFileOptions, type StackFile } from "./stackFile";

const usage = `Usage: npm run render -- (--stack NAME | --config FILE) --out DIR

Writes what the stack would deploy: kof-values.yaml, kubernetes.yaml and aws.yaml.`;

/** What `render` writes, by file name. The same stack file gives the same bytes. */
export async function renderStack(stackFile: StackFile): Promise<Record<string, string>> {
    return renderRun(stackFile, await runOffline(stackFile, { preview: false }));
}

function renderRun({ stack }: StackFile, { resources, outputs }: OfflineRun): Record<string, string> {
    const about = `Stack ${stack}: route ${String(outputs.route)}, KOF ${String(outputs.version)}.`;
    const chart = resources.find(({ type }) => type === "kubernetes:helm.sh/v4:Chart");
    const own = sorted(resources.filter(({ type, read }) => /^kubernetes:(?!helm\.sh)/.test(type) && !read));
    const aws = sorted(resources.filter(({ type }) => type.startsWith("aws:")));
    return {
        "kof-values.yaml": yaml(
            [
                about,
                "Values of the umbrella chart. The same by hand:",
                `  helm upgrade -i --reset-values -n kof kof -f kof-values.yaml ${chartOptions(chart?.inputs ?? {})}`,
            ],
            [chart?.inputs.values ?? {}],
        ),
        "kubernetes.yaml": yaml(
            [about, "Objects that the program makes besides KOF's own. Secrets are masked."],
            own.map(({ inputs }) => masked(inputs)),
        ),
        "aws.yaml": yaml(
            [
                about,
                "AWS resources. ACCOUNT stands for the account's number, which only AWS knows. Secrets are masked.",
            ],
            [aws.map(({ type, name, inputs }) => ({ type, name, inputs: masked(withParsedPolicies(inputs)) }))],
        ),
    };
}

/** The chart as `helm` takes it. */
function chartOptions({ chart, version, repositoryOpts }: Resource["inputs"]): string {
    const { repo } = (repositoryOpts ?? {}) as { repo?: string };
    const parts = { "": chart, "--repo ": repo, "--version ": version };
    return Object.entries(parts)
        .flatMap(([option, value]) => (typeof value === "string" ? [`${option}${value}`] : []))
        .join(" ");
}

/** Resources are registered in no particular order. */
function sorted(resources: readonly Resource[]): Resource[] {
    const order = ({ type, name }: Resource) => `${type.includes("Namespace") ? "0" : "1"} ${type} ${name}`;
    return [...resources].sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

function yaml(comments: readonly string[], documents: readonly unknown[]): string {
    const text = documents.map((document) => stringify(document, { lineWidth: 0, aliasDuplicateObjects: false }));
    return [...comments.map((line) => `# ${line}\n`), text.join("---\n")].join("");
}

function withParsedPolicies(inputs: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return Object.fromEntries(
        Object.entries(inputs).map(([key, value]) => [
            key,
            /policy/i.test(key) && typeof value === "string" ? (JSON.parse(value) as unknown) : value,
        ]),
    );
}

/** How Pulumi marks a secret in what it sends to the engine. */
const secretMark = "4dabf18193072939515e22adb298388d";

function masked(value: unknown): unknown {
    if (Array.isArray(value)) {
        return value.map(masked);
    }
    if (typeof value !== "object" || value === null) {
        return value;
    }
    if (secretMark in value) {
        return concealed((value as { value?: unknown }).value);
    }
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, masked(inner)]));
}

/** A secret with its structure, so that its keys show, but without any of its values. */
function concealed(value: unknown): unknown {
    return typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, concealed(inner)]))
        : secretPlaceholder;
}

/**
 * Writes a folder whole or not at all: beside it first, then in its place.
 *
 * @throws UserError when the folder holds anything that this command does not write, and so would be lost.
 */
export function writeFolder(folder: string, files: Readonly<Record<string, string>>): void {
    const target = path.resolve(folder);
    if (fs.existsSync(target)) {
        if (!fs.statSync(target).isDirectory()) {
            throw new UserError(`${folder} is not a folder. Choose a new one with --out.`);
        }
        const strange = fs.readdirSync(target).filter((name) => !Object.hasOwn(files, name));
        if (strange.length > 0) {
            throw new UserError(
                `${folder} holds ${strange.slice(0, 3).join(", ")}, which render does not write. Choose a new folder with --out.`,
            );
        }
    }
    try {
        fs.mkdirSync(path.dirname(target), { recursive: true });
        const fresh = fs.mkdtempSync(`${target}.`);
        for (const [name, text] of Object.entries(files)) {
            fs.writeFileSync(path.join(fresh, name), text);
        }
        fs.chmodSync(fresh, 0o755);
        fs.rmSync(target, { recursive: true, force: true });
        fs.renameSync(fresh, target);
    } catch (error) {
        throw new UserError(`${folder} cannot be written (${(error as NodeJS.ErrnoException).code ?? String(error)}).`);
    }
}

if (require.main === module) {
    run(async () => {
        const { out, ...choice } = parseOptions(usage, { ...stackFileOptions, out: { type: "string" } });
        if (out === undefined) {
            throw new UserError(`--out is missing.\n\n${usage}`);
        }
        const files = await renderStack(readStackFile(choice));
        writeFolder(out, files);
        console.log(
            Object.keys(files)
                .map((name) => path.join(out, name))
                .join("\n"),
        );
    });
}
