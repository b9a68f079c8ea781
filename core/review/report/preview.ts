import { z } from "zod";

import { code, fenced, harmless, paragraphs, plain, table } from "../../lib/markdown";
import { maskedLog } from "../../lib/secrets";

/** What is read of one step in the JSON of `pulumi preview --diff --json`: no values, only what happens to which keys. */
const stepShape = z.object({
    op: z.string(),
    urn: z.string(),
    oldState: z.object({ custom: z.boolean().optional(), retainOnDelete: z.boolean().optional() }).nullish(),
    newState: z.object({ custom: z.boolean().optional() }).nullish(),
    diffReasons: z.array(z.string()).nullish(),
    replaceReasons: z.array(z.string()).nullish(),
    detailedDiff: z.record(z.string(), z.unknown()).nullish(),
});

/**
 * That JSON (`PreviewDigest` in pkg/display/json.go, engine 3.274.1). A preview that fails has an error in its diagnostics, and the
 * steps until then, with a summary of those. The words of a policy are not in it: that error says only that the preview failed.
 */
const previewShape = z.object({
    steps: z.array(stepShape).nullish(),
    diagnostics: z.array(z.object({ severity: z.string().optional(), message: z.string().optional() })).nullish(),
    // There unless the engine was ended.
    changeSummary: z.record(z.string(), z.number()),
});

type Step = z.infer<typeof stepShape>;

/** What happens to a resource, the most dangerous first. */
const resourceFates = ["replaced", "deleted", "no longer looked after", "updated", "taken over", "created"] as const;
type ResourceFate = (typeof resourceFates)[number] | `Pulumi's ${string}`;

/** What the engine calls it. What is read, and what stays, is nothing that changes. */
const fateOfOperation: Readonly<Record<string, ResourceFate | undefined>> = {
    replace: "replaced",
    "create-replacement": "replaced",
    "delete-replaced": "replaced",
    "import-replacement": "replaced",
    delete: "deleted",
    update: "updated",
    import: "taken over",
    create: "created",
    same: undefined,
    read: undefined,
    refresh: undefined,
};

interface Change {
    readonly urn: string;
    readonly fate: ResourceFate;
    /** That change, or for which it is replaced. */
    readonly keys: readonly string[];
}

/**
 * What Pulumi would do to one stack, as Markdown: replaced and deleted resources first, with the keys that change, and never a
 * value. A preview that failed is reported as such.
 *
 * @param text the JSON of `pulumi preview --diff --json`; `undefined` where there is none.
 * @param limit length in characters; what is beyond is counted.
 */
export function previewText(stack: string, text: string | undefined, limit: number): string {
    const preview = parsed(text);
    const title = `## ${harmless(code(stack))}: what Pulumi would do`;
    if (typeof preview === "string") {
        return paragraphs([title, `**Could not preview**: ${preview} What would change is not known.`]);
    }
    const errors = (preview.diagnostics ?? [])
        .filter(({ severity }) => severity === "error")
        .map(({ message = "" }) => message.trim());
    if (errors.length > 0) {
        const errorText = fenced("text", maskedLog([...new Set(errors)].join("\n")).slice(0, limit));
        return paragraphs([title, "**Could not preview**: it failed. What would change is not known.", errorText]);
    }
    const changes = changesOf(preview.steps ?? []);
    return paragraphs([title, counted(changes), rowsWithin(changes, limit)]);
}

function parsed(text: string | undefined): z.infer<typeof previewShape> | string {
    if (text === undefined) {
        return "there is no JSON of it.";
    }
    try {
        const { success, data } = previewShape.safeParse(JSON.parse(text));
        return success ? data : "the file is not what `pulumi preview --diff --json` writes.";
    } catch {
        return text.trim() === "" ? "the file is empty." : "the file is no JSON, or ends too early.";
    }
}

function changesOf(steps: readonly Step[]): Change[] {
    const changes = new Map<string, Change>();
    // A component is nothing but its parts.
    for (const step of steps.filter(({ newState, oldState }) => (newState ?? oldState)?.custom !== false)) {
        const fate = Object.hasOwn(fateOfOperation, step.op)
            ? fateOfOperation[step.op]
            : (`Pulumi's ${harmless(plain(step.op))}` as const);
        if (fate !== undefined) {
            const before = changes.get(step.urn);
            const isLeft = fate === "deleted" && step.oldState?.retainOnDelete === true;
            const keys = [...(before?.keys ?? []), ...keysOf(step)];
            changes.set(step.urn, {
                urn: step.urn,
                // A resource that is replaced has several steps.
                fate: before?.fate === "replaced" ? "replaced" : isLeft ? "no longer looked after" : fate,
                keys: [...new Set(keys)],
            });
        }
    }
    return [...changes.values()].sort((a, b) => rank(a.fate) - rank(b.fate) || (a.urn < b.urn ? -1 : 1));
}

/** An operation that is not known here is the most dangerous. */
function rank(fate: ResourceFate): number {
    return resourceFates.findIndex((each) => each === fate);
}

function keysOf({ replaceReasons, detailedDiff, diffReasons }: Step): string[] {
    if (replaceReasons && replaceReasons.length > 0) {
        return replaceReasons;
    }
    const detailed = Object.keys(detailedDiff ?? {});
    return detailed.length > 0 ? detailed : (diffReasons ?? []);
}

function counted(changes: readonly Change[]): string {
    if (changes.length === 0) {
        return "Nothing changes.";
    }
    const names = [...new Set(changes.map(({ fate }) => fate))];
    const counts = names.map((name) => `${String(changes.filter(({ fate }) => fate === name).length)} ${name}`);
    return `Resources: ${counts.join(", ")}.`;
}

function rowsWithin(changes: readonly Change[], limit: number): string {
    const rows = changes.map(({ urn, fate, keys }) => {
        // urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME, of which only the name can have :: in it.
        const [, , types = "", ...name] = urn.split("::");
        const type = types.split("$").at(-1) ?? "";
        const kind = type.startsWith("pulumi:providers:") ? "provider" : (type.split(":").at(-1) ?? "");
        const isAlarming = rank(fate) < rank("updated");
        const first = keys.slice(0, 8).map((key) => harmless(code(key.slice(0, 100))));
        const rest = keys.length > 8 ? [`${String(keys.length - 8)} more`] : [];
        return [
            isAlarming ? `**${fate}**` : fate,
            harmless(`${plain(kind)} ${code(name.join("::"))}`),
            [...first, ...rest].join(", "),
        ];
    });
    let length = 0;
    const shown = rows.filter((row) => (length += row.join(" | ").length + 5) <= limit);
    const omitted = rows.length - shown.length;
    return paragraphs([
        table(["", "resource", "keys that change"], shown),
        omitted > 0 ? `${String(omitted)} more are left out for length: \`pulumi preview --diff\` shows them.` : "",
    ]);
}
