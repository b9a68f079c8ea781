import { kubeStack } from ".";
import { isMap, type HelmValue, type HelmValues } from "../lib/values";
import { withoutQuotes } from "../lib/yaml/read";

/**
 * Values whose labels and annotations of collectors arrive as text.
 *
 * opentelemetry-kube-stack writes them without quotes (0.5.3 to 0.6.3, `renderkv` in `templates/_helpers.tpl`). `"1"`
 * would be a number, which Kubernetes refuses. Of `a # b` only `a` would arrive. What somebody has put in quotes for that reason stays.
 */
export function quotedLabels(values: HelmValues): HelmValues {
    return below(values, (key, value) => (key === kubeStack && isMap(value) ? ofStack(value) : undefined));
}

/** Values in which a function has changed what it has another value for; what is below that is not looked at. */
function below(values: HelmValues, change: (key: string, value: HelmValue) => HelmValue | undefined): HelmValues {
    return Object.fromEntries(
        Object.entries(values).map(([key, value]) => [
            key,
            change(key, value) ?? (isMap(value) ? below(value, change) : value),
        ]),
    );
}

function ofStack(stack: HelmValues): HelmValues {
    const { defaultCRConfig: shared, collectors } = stack;
    return {
        ...stack,
        ...(isMap(shared) ? { defaultCRConfig: ofCollector(shared) } : {}),
        ...(isMap(collectors)
            ? {
                  collectors: Object.fromEntries(
                      Object.entries(collectors).map(([name, each]) => [name, isMap(each) ? ofCollector(each) : each]),
                  ),
              }
            : {}),
    };
}

function ofCollector(collector: HelmValues): HelmValues {
    const changed: HelmValues = {};
    for (const field of ["labels", "annotations"]) {
        const texts = collector[field];
        if (isMap(texts)) {
            changed[field] = Object.fromEntries(
                Object.entries(texts).map(([key, text]) => [key, typeof text === "string" ? quoted(text) : text]),
            );
        }
    }
    return { ...collector, ...changed };
}

/** A text as a template has to write it, so that a YAML reader gets the same text. */
function quoted(text: string): string {
    const isQuoted = /^["']/.test(text) && typeof withoutQuotes(text) === "string";
    return text === "" || isQuoted || withoutQuotes(text) === text ? text : JSON.stringify(text);
}
