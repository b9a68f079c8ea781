import { kofNamespace } from "../charts/namespace";
import { hasCredential, signedOut } from "../lib/addresses";
import { formatPath, isMap, type HelmValue, type HelmValues } from "../lib/values";
import { looksSecret } from "../settings/rules";

/** A secret that stands in values in plain text. */
export interface PlainSecret {
    readonly path: readonly string[];
    /** The Secret, and the key in it, to which the values refer now. Default: they do without. */
    readonly moved?: { readonly name: string; readonly key: string } | undefined;
}

/** The Secret that route otlp takes headers from, where the values had them in plain text. */
export const headersSecret = "otlp-headers";

/** Names under which people keep secrets, and the endings of names that only refer to one. */
const secretName =
    /password|passwd|secret[-_]?(access[-_]?)?key|client[-_]?secret|api[-_]?key|private[-_]?key|authorization|token$|^secret$/i;
const reference = /(name|ref|file|path|length|field|_key)$/i;

/** Values without the secrets that stand in them. A variable gets its value from a Secret instead, which somebody has to make. */
export function withoutSecrets(values: HelmValues): { values: HelmValues; secrets: PlainSecret[] } {
    const secrets: PlainSecret[] = [];
    const open = (value: HelmValue, path: readonly string[]): HelmValue | undefined => {
        if (Array.isArray(value)) {
            return value.flatMap((item, i) => open(item, [...path, String(i)]) ?? []);
        }
        if (isMap(value)) {
            // A variable of an environment: the name tells what the value is.
            const { name, value: text, ...others } = value;
            if (typeof name === "string" && isSecret(name, text)) {
                const key = { name: name.startsWith("AWS_") ? "cloudwatch-credentials" : "kof-adopted", key: name };
                secrets.push({ path: [...path, name], moved: key });
                return { name, ...others, valueFrom: { secretKeyRef: key } };
            }
            const inner = Object.entries(value).flatMap(([key, each]) => {
                const below = open(each, [...path, key]);
                return below === undefined ? [] : [[key, below] as const];
            });
            return Object.fromEntries(inner);
        }
        const key = path.at(-1) ?? "";
        if (isSecret(key, value)) {
            secrets.push({ path, moved: isHeader(path) ? { name: headersSecret, key } : undefined });
            return undefined;
        }
        if (typeof value === "string" && hasCredential(value)) {
            secrets.push({ path });
            return signedOut(value);
        }
        return value;
    };
    return { values: (open(values, []) ?? {}) as HelmValues, secrets };
}

/** Whether a path is that of a header of an exporter otlphttp. */
function isHeader(path: readonly string[]): boolean {
    return path.at(-2) === "headers" && path.at(-4) === "exporters" && path.at(-3)?.split("/")[0] === "otlphttp";
}

function isSecret(name: string, value: HelmValue | undefined): boolean {
    return (
        typeof value === "string" &&
        value !== "" &&
        !value.includes("${") &&
        (looksSecret(value) || (secretName.test(name) && (!reference.test(name) || /secret_access_key$/i.test(name))))
    );
}

/** What to do about secrets in plain text: a sentence for each place, and how to make each Secret. */
export function secretsText(secrets: readonly PlainSecret[]): string[] {
    const names = new Set(secrets.flatMap(({ moved }) => moved?.name ?? []));
    const places = secrets.map(
        ({ path, moved }) =>
            `${formatPath(path)} holds a secret, which is not copied ("…" here). ` +
            (moved
                ? `The stack file takes it from key ${moved.key} of Secret ${moved.name}.`
                : "Helm values are readable in the HelmRelease: put it into a Secret, and refer to that by name."),
    );
    const commands = [...names].map((name) => {
        const keys = new Set(secrets.flatMap(({ moved }) => (moved?.name === name ? moved.key : [])));
        return (
            `Make Secret ${name} before the first pulumi up, with new values if others could read these:\n      kubectl create secret ` +
            `generic ${name} -n ${kofNamespace} ${[...keys].map((key) => `--from-literal=${key}=…`).join(" ")}`
        );
    });
    return [...places, ...commands];
}
