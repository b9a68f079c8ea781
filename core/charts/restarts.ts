import { nest, type HelmValues } from "../lib/values";

/**
 * Annotation of the collectors' pods with what they read at their start only: a Secret's content, a role, an address. Kubernetes
 * replaces a pod whose template has changed, and a Secret or a role that changes leaves the template as it is.
 */
export const startAnnotation = "kof-storage-routes/read-at-start";

/** Where the umbrella's values have it. A collector's own annotations are added to these. */
export const startPath: readonly string[] = [
    ...["kof-collectors", "values", "opentelemetry-kube-stack", "defaultCRConfig", "podAnnotations"],
    startAnnotation,
];

/**
 * Values that have the collectors restart when one of these changes. Only for routes whose collectors the umbrella installs: where
 * KOF's own templates do, they annotate the pods with the version of their Secret (`kof-vmuser-secret-version`, kof-child and
 * kof-regional, KOF 1.10.0 to 1.11.0-rc0).
 *
 * @param triggers each human-readable: `access key 2`. Without any, nothing is annotated, and nothing restarts.
 */
export function restartValues(triggers: readonly string[] = []): HelmValues {
    const text = startedWith(triggers);
    return text === undefined ? {} : nest(startPath, text);
}

/** What pods are annotated with that were started with all of these; `undefined` where none are. */
export function startedWith(triggers: readonly string[] = []): string | undefined {
    return triggers.length > 0 ? triggers.join(", ") : undefined;
}

/** What names the generation of an access key among the triggers. */
export function accessKeyTrigger(generation: string): string {
    return `access key ${generation}`;
}

/** The generation of the access key that the collectors were started with, by their annotation; `undefined` for none. */
export function accessKeyIn(annotation: unknown): string | undefined {
    return typeof annotation === "string" ? /(?:^|, )access key ([-a-z0-9]+)/.exec(annotation)?.[1] : undefined;
}
