import { chartValues, kubeStack, type Catalog } from ".";
import { nestSome, type HelmValues } from "../lib/values";

/** What kof-collectors gives the collectors' chart by default: to all collectors, and to each by its key. */
interface StackDefaults {
    readonly defaultCRConfig: HelmValues;
    readonly collectors: Readonly<Record<string, HelmValues>>;
}

/** The {@link StackDefaults} of a KOF version. */
export function stackDefaults(catalog: Catalog): StackDefaults {
    return chartValues(catalog, "kof-collectors")[kubeStack] as unknown as StackDefaults;
}

/**
 * Values for collectors, each its own.
 *
 * @param valuesOf values by the collector's defaults and its key. Without any, the collector is left out.
 * @returns values for opentelemetry-kube-stack.
 */
export function valuesOfEach(catalog: Catalog, valuesOf: (own: HelmValues, key: string) => HelmValues): HelmValues {
    const entries = Object.entries(stackDefaults(catalog).collectors)
        .map(([key, own]) => [key, valuesOf(own, key)] as const)
        .filter(([, values]) => Object.keys(values).length > 0);
    return nestSome(["collectors"], Object.fromEntries(entries));
}
