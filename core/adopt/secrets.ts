import { formatPath, isMap, type HelmValue, type HelmValues } from "../lib/values";
import { hasCredential, signedOut } from "../lib/addresses";
import { looksSecret } from "../settings/rules";

/** Names under which people keep secrets, and the endings of names that only refer to one. */
const secretName =
    /password|passwd|secret[-_]?(access[-_]?)?key|client[-_]?secret|api[-_]?key|private[-_]?key|authorization|token$|^secret$/i;
const reference = /(name|ref|file|path|length|field|_key)$/i;

/** Values without the secrets that stand in them, and the places where those stood. */
export function withoutSecrets(values: HelmValues): { values: HelmValues; places: string[] } {
    const places: string[] = [];
    const open = (value: HelmValue, path: readonly string[]): HelmValue | undefined => {
        if (Array.isArray(value)) {
            return value.flatMap((item, i) => open(item, [...path, String(i)]) ?? []);
        }
        if (isMap(value)) {
            // A variable of an environment: the name tells what the value is.
            const { name } = value;
            if (typeof name === "string" && isSecret(name, value.value)) {
                places.push(formatPath([...path, name]));
                return undefined;
            }
            const inner = Object.entries(value).flatMap(([key, each]) => {
                const below = open(each, [...path, key]);
                return below === undefined ? [] : [[key, below] as const];
            });
            return Object.fromEntries(inner);
        }
        const key = path.at(-1) ?? "";
        if (isSecret(key, value)) {
            places.push(formatPath(path));
            return undefined;
        }
        if (typeof value === "string" && hasCredential(value)) {
            places.push(formatPath(path));
            return signedOut(value);
        }
        return value;
    };
    return { values: (open(values, []) ?? {}) as HelmValues, places };
}

function isSecret(name: string, value: HelmValue | undefined): boolean {
    return (
        typeof value === "string" &&
        value !== "" &&
        !value.includes("${") &&
        (looksSecret(value) || (secretName.test(name) && (!reference.test(name) || /secret_access_key$/i.test(name))))
    );
}
