import { kubeStack } from ".";
import { isMap, type HelmValues } from "../lib/values";
import { withoutQuotes } from "../lib/yaml/read";

/**
 * Values whose labels and annotations of collectors arrive as text.
 *
 * opentelemetry-kube-stack writes them without quotes (0.5.3 to 0.6.3, `renderkv` in `templates/_helpers.tpl`). `"1"`
 * would be a number, which Kubernetes refuses. Of `a # b` only `a` would arrive. What somebody has put in quotes for that reason stays.
 */
export function quotedLabels(values: HelmValues, path: readonly string[] = []): HelmValues {
    return Object.fromEntries(
        Object.entries(values).map(([key, value]) => {
            const isText = typeof value === "string" && areLabels(path);
            return [key, isMap(value) ? quotedLabels(value, [...path, key]) : isText ? quoted(value) : value];
        }),
    );
}

/** Whether a path ends at the labels or annotations of a collector, or of all collectors. */
function areLabels(path: readonly string[]): boolean {
    const [place, ...inner] = path.slice(path.indexOf(kubeStack) + 1);
    const fields = place === "collectors" ? inner.slice(1) : place === "defaultCRConfig" ? inner : [];
    return path.includes(kubeStack) && ["labels", "annotations"].includes(fields.join("."));
}

/** A text as a template has to write it, so that a YAML reader gets the same text. */
function quoted(text: string): string {
    const isQuoted = /^["']/.test(text) && typeof withoutQuotes(text) === "string";
    return text === "" || isQuoted || withoutQuotes(text) === text ? text : JSON.stringify(text);
}
