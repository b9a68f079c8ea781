import "./unused";

import { collectorDocument, shortName, type Collector } from "../core/collectors/effective";
import type { Deployment } from "../core/routes/deployment";
import { regionIn } from "../core/review/capacity/costs";
import { summaryPage } from "../core/review/summary/page";
import { writeYaml } from "../core/lib/yaml/write";
import type { Files } from "./folder";
import { secretPlaceholder, type Resource } from "./offline";
import { runOffline } from "./program";
import { deploymentOfFile, type StackFile } from "./stackFile";

/** Whether `render` writes files of this path. */
export function isRenderedPath(file: string): boolean {
    return /^(kof-values\.yaml|kubernetes\.yaml|aws\.yaml|summary\.md|collectors\/[^/]+\.yaml)$/.test(file);
}

/**
 * Whether `render` has written a file: its first line says of which stack it is. Others may have files of the same names.
 *
 * @param stack that the file must be of. Default: any.
 */
export function isRenderedFile(file: string, text: string, stack?: string): boolean {
    const [, of] = /^# (?:Stack )?(\S+): route \w+, KOF \d/.exec(text) ?? [];
    return isRenderedPath(file) && of !== undefined && (stack === undefined || of === stack);
}

/** Collectors, and what worked them out. */
interface CollectorSource {
    readonly collectors: readonly Collector[];
    readonly from: string;
}

/**
 * What `render` writes, by path. The same stack file gives the same bytes.
 *
 * @param collectorsOf works the collectors out. Default: from the catalog.
 * @throws UserError for what the program refuses.
 */
export async function renderStack(
    stackFile: StackFile,
    collectorsOf: (deployment: Deployment) => CollectorSource | Promise<CollectorSource> = fromCatalog,
): Promise<Files> {
    const { stack, config } = stackFile;
    const { resources, messages } = await runOffline(stackFile, { preview: false });
    const deployment = deploymentOfFile(stackFile);
    const { collectors, from } = await collectorsOf(deployment);
    const notices = messages.flatMap((message) => /^warning: (.*)$/s.exec(message)?.[1] ?? []);
    const about = `Stack ${stack}: route ${deployment.settings.route}, KOF ${deployment.settings.version}.`;
    const chart = resources.find(({ type }) => type === "kubernetes:helm.sh/v4:Chart");
    const own = sorted(resources.filter(({ type, read }) => /^kubernetes:(?!helm\.sh)/.test(type) && !read));
    const aws = sorted(resources.filter(({ type }) => type.startsWith("aws:")));
    return {
        "summary.md": summaryPage(stack, deployment, notices, regionIn(config)),
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
            own.map(({ inputs }) => withPlaceholders(inputs)),
        ),
        "aws.yaml": yaml(
            [
                about,
                "AWS resources. ACCOUNT stands for the account's number, which only AWS knows. Secrets are masked.",
            ],
            [
                aws.map(({ type, name, inputs }) => ({
                    type,
                    name,
                    inputs: withPlaceholders(withParsedPolicies(inputs)),
                })),
            ],
        ),
        ...Object.fromEntries(
            collectors.map((collector) => [
                `collectors/${shortName(collector)}.yaml`,
                yaml(
                    [
                        about,
                        `OpenTelemetryCollector ${collector.name}, worked out from ${from}. Its configuration alone:`,
                        `  yq .config ${shortName(collector)}.yaml`,
                    ],
                    [collectorDocument(collector)],
                ),
            ]),
        ),
    };
}

/** The collectors as the catalog has them. */
export function fromCatalog(deployment: Deployment): CollectorSource {
    return { collectors: deployment.collectors, from: `the catalog of KOF ${deployment.settings.version}` };
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
    return [...comments.map((line) => `# ${line}\n`), documents.map(writeYaml).join("---\n")].join("");
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

function withPlaceholders(value: unknown): unknown {
    if (Array.isArray(value)) {
        return value.map(withPlaceholders);
    }
    if (typeof value !== "object" || value === null) {
        return value;
    }
    if (secretMark in value) {
        return concealed((value as { value?: unknown }).value);
    }
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withPlaceholders(inner)]));
}

/** A secret with its structure, so that its keys show, but without any of its values. */
function concealed(value: unknown): unknown {
    return typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, concealed(inner)]))
        : secretPlaceholder;
}
