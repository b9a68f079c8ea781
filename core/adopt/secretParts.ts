import type { EnvVar } from "../collectors/effective";
import { kofNamespace } from "../charts/namespace";
import { shellWord } from "../lib/shell";
import { textOf, valueAt } from "../lib/values";

/** A piece of a text: as it is, from a Secret, or a secret that stood in the values and is not copied. */
export type SecretPart =
    { readonly text: string } | { readonly secret: string; readonly key: string } | { readonly plain: number };

/** A Secret that somebody has to make, because none has the keys that the settings read. */
export interface NewSecret {
    readonly name: string;
    readonly keys: Readonly<Record<string, readonly SecretPart[]>>;
}

/** Stands for a secret of the values, by its number. No variable has such a name. */
export function plainMark(index: number): string {
    return `\${env:PLAIN SECRET ${String(index)}}`;
}

const reference = /\$\{env:([^}]+)\}/g;

/**
 * A text of a collector's configuration in parts, its variables resolved.
 *
 * @param plainOf the number of the secret that stood in the values where now a Secret is referred to that nobody has made.
 * @returns `undefined` where a variable is not known.
 */
export function secretPartsOf(
    text: string,
    env: readonly EnvVar[],
    plainOf: (variable: string) => number | undefined,
): readonly SecretPart[] | undefined {
    const parts: SecretPart[] = [];
    let end = 0;
    const literal = (piece: string) => {
        if (piece !== "") {
            // Escaped, so that the collector does not expand it.
            parts.push({ text: piece.replaceAll("$$", "$") });
        }
    };
    for (const found of text.matchAll(reference)) {
        literal(text.slice(end, found.index));
        end = found.index + found[0].length;
        const { name, otherwise } = referred(found[1]);
        const [, mark] = /^PLAIN SECRET (\d+)$/.exec(name) ?? [];
        const variable = env.find((each) => each.name === name);
        const plain = mark === undefined ? plainOf(name) : Number(mark);
        const source = valueAt(variable?.valueFrom, ["secretKeyRef"]);
        if (plain !== undefined) {
            parts.push({ plain });
        } else if (variable?.value !== undefined) {
            parts.push({ text: variable.value });
        } else if (source !== undefined) {
            parts.push({ secret: textOf(valueAt(source, ["name"])), key: textOf(valueAt(source, ["key"])) });
        } else if (variable === undefined && otherwise !== undefined) {
            literal(otherwise);
        } else {
            return undefined;
        }
    }
    literal(text.slice(end));
    return parts;
}

/** The variable that is referred to, and what stands for it where there is none: `NAME:-text`. */
function referred(inner = ""): { readonly name: string; readonly otherwise: string | undefined } {
    const [name = "", otherwise] = inner.split(/:-(.*)/s);
    return { name, otherwise };
}

/** The variables that a text refers to. */
export function variablesIn(text: string): string[] {
    return [...text.matchAll(reference)].map(([, inner]) => referred(inner).name);
}

/** The text, where nothing in it is secret. */
export function plainText(parts: readonly SecretPart[]): string | undefined {
    return parts.every((part) => "text" in part) ? parts.map(({ text }) => text).join("") : undefined;
}

/** The Secret that has all of these keys under their own names; `undefined` where there is none. */
export function existingSecret(keys: NewSecret["keys"]): string | undefined {
    const names = Object.entries(keys).map(([key, [part, ...more]]) =>
        part && more.length === 0 && "secret" in part && part.key === key ? part.secret : undefined,
    );
    return names.every((name) => name !== undefined && name === names[0]) ? names[0] : undefined;
}

/** The command that makes a Secret: from other ones where they have what it needs. */
export function commandFor({ name, keys }: NewSecret): string {
    const escaped = (text: string) => text.replaceAll(/[\\"$`]/g, "\\$&");
    const argument = (key: string, parts: readonly SecretPart[]) => {
        const value = parts.map((part) =>
            "text" in part
                ? escaped(part.text)
                : "plain" in part
                  ? "…"
                  : `$(kubectl get secret ${part.secret} -n ${kofNamespace} -o jsonpath='{.data.${part.key.replaceAll(".", "\\.")}}' | base64 -d)`,
        );
        return `${shellWord(`--from-literal=${key}=`)}"${value.join("")}"`;
    };
    return `kubectl create secret generic ${name} -n ${kofNamespace} ${Object.entries(keys)
        .map(([key, parts]) => argument(key, parts))
        .join(" ")}`;
}
