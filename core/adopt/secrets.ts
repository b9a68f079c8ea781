import { kofNamespace } from "../charts/namespace";
import { withoutSecrets, type Secret } from "../lib/secrets";
import { shellWord } from "../lib/shell";
import { otlpHeadersSecret } from "../settings/headers";
import { commandFor, type NewSecret } from "./secretParts";
import { formatPath, isMap, type HelmValue, type HelmValues } from "../lib/values";

/** A secret that stands in values in plain text. */
export interface PlainSecret {
    readonly path: readonly string[];
    /** The Secret, and the key in it, to which the values refer now. Default: they do without. */
    readonly moved?: { readonly name: string; readonly key: string } | undefined;
}

/**
 * Values without the secrets that stand in them. Addresses stay, without what signs in to them, and a variable gets its value from a
 * Secret, which somebody has to make.
 */
export function takeSecrets(values: HelmValues): { values: HelmValues; secrets: PlainSecret[] } {
    const { open, found } = withoutSecrets(values, maskOf, ({ address, variable }) =>
        variable === undefined ? address : reference(variable),
    );
    return {
        values: found.length > 0 ? (referring(open as HelmValue) as HelmValues) : values,
        secrets: found.map(plainSecret),
    };
}

/** Stands for the value of a variable until its entry is rewritten. */
function reference(variable: string): { secretKeyRef: { name: string; key: string } } {
    const name = variable.startsWith("AWS_") ? "cloudwatch-credentials" : "kof-adopted";
    return { secretKeyRef: { name, key: variable } };
}

/** Values whose variables refer to Secrets as Kubernetes has it. What has no such reference, as an attribute, is left out. */
function referring(value: HelmValue): HelmValue | undefined {
    if (Array.isArray(value)) {
        return value.flatMap((each) => referring(each) ?? []);
    }
    if (!isMap(value)) {
        return value;
    }
    const { value: from, ...others } = value;
    if (isMap(from) && isMap(from.secretKeyRef)) {
        return "name" in others ? { ...others, valueFrom: from } : undefined;
    }
    return Object.fromEntries(
        Object.entries(value).flatMap(([key, each]) => {
            const inner = referring(each);
            return inner === undefined ? [] : [[key, inner]];
        }),
    );
}

function plainSecret({ path, address, variable }: Secret): PlainSecret {
    const place = path.map(String);
    if (variable !== undefined) {
        return { path: [...place.slice(0, -1), variable], moved: reference(variable).secretKeyRef };
    }
    const key = place.at(-1) ?? "";
    return {
        path: place,
        moved: address === undefined && isHeader(place) ? { name: otlpHeadersSecret, key } : undefined,
    };
}

/** Values with what is secret in them, keys included, masked. */
export function hideSecrets(values: HelmValues): HelmValues {
    return withoutSecrets(values, maskOf).open as HelmValues;
}

/** Hashes of passwords (bcrypt, crypt, Argon2), which can be guessed from. In settings charts document them, so only here they stay behind. */
const hash =
    /\$(2[abxy]?\$\d\d\$[\w./]{20,}|(1|5|6|apr1)\$[\w./=]{1,30}\$[\w./]{22,}|argon2(id|i|d)\$[\w./+=,$-]{20,})/;
/** Headers that only serve to authenticate, and values that look machine-made. */
const telling = /auth|token|key|secret|pass|credential|signature|cookie|session/i;
const random = /^(?=.*\d)(?=.*[a-zA-Z])[\w+/=.~-]{20,}$/;

/** What shows of a text that gives something away in values alone. */
function maskOf(path: Secret["path"], text: string): string | undefined {
    const isHeader = path.at(-2) === "headers" && path.includes("exporters") && !/\$\{|\$\(|\{\{/.test(text);
    const isCredential = isHeader && text !== "" && (telling.test(String(path.at(-1))) || random.test(text));
    return isCredential || hash.test(text) ? "…" : undefined;
}

/** Whether a path is that of a header of an exporter otlphttp. */
function isHeader(path: readonly string[]): boolean {
    return path.at(-2) === "headers" && path.at(-4) === "exporters" && path.at(-3)?.split("/")[0] === "otlphttp";
}

/** What to do about missing Secrets that the settings read, except those that {@link secretsText} names. */
export function newSecretsText(secrets: readonly PlainSecret[], made: readonly NewSecret[]): string[] {
    return made
        .filter(({ name }) => !secrets.some(({ moved }) => moved?.name === name))
        .map(
            (secret) =>
                `No Secret has ${Object.keys(secret.keys).join(" and ")} under ${Object.keys(secret.keys).length > 1 ? "these names" : "this name"}, ` +
                `as the settings read it. Make Secret ${secret.name} before the first pulumi up, of what the collectors use now:\n      ` +
                commandFor(secret),
        );
}

/**
 * What to do about secrets in plain text: a sentence for each place, and how to make each Secret.
 *
 * @param made Secrets that take more than what stood in plain text.
 */
export function secretsText(secrets: readonly PlainSecret[], made: readonly NewSecret[] = []): string[] {
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
        const more = made.find((each) => each.name === name);
        const command = more
            ? commandFor(more)
            : `kubectl create secret generic ${name} -n ${kofNamespace} ${[...keys].map((key) => shellWord(`--from-literal=${key}=…`)).join(" ")}`;
        return `Make Secret ${name} before the first pulumi up, with new values if others could read these:\n      ${command}`;
    });
    return [...places, ...commands];
}
