import { isMap } from "../lib/values";
import { resolve } from ".";
import { storageProblems } from "./stored";
import { issueProblems, unknownKey, unwrap, type Key, type Schema, type Values } from "../settings/explain";
import { configurationError, type Problem } from "../settings/problems";
import { crossProblems, isPresent } from "../settings/rules";
import { openSettings } from "../settings/secretRules";
import { routes, settingsSchema, type Settings } from "../settings/settings";

/**
 * Turns the settings of a stack file into {@link Settings}: defaults filled in, and every rule checked.
 *
 * @param raw the settings by their key under `kof:`, as they stand in the stack file.
 * @param source what to call the file in errors.
 * @param isDeployed whether they have been deployed as they are. Whatever contradicts itself in them
 *     has run all the same.
 * @throws UserError with all problems at once.
 */
export function parseSettings(raw: Readonly<Record<string, unknown>>, source: string, isDeployed = false): Settings {
    const { raw: given, problems: secretProblems } = openSettings(raw, isDeployed);
    const problems: Problem[] = Object.keys(given)
        .filter((key) => !Object.hasOwn(settingsSchema, key))
        .map((key) => unknownKey([], key, Object.keys(settingsSchema)));
    const values: Values = {};
    for (const key of Object.keys(settingsSchema) as Key[]) {
        if (hasSecret(given[key])) {
            problems.push({
                key: `kof:${key}`,
                message: "is encrypted, but no setting takes a secret: put it in a Secret and refer to that by name",
            });
            continue;
        }
        const found = isPresent(given[key]) ? given[key] : undefined;
        const parsed = settingsSchema[key].safeParse(found);
        if (parsed.success) {
            Object.assign(values, { [key]: parsed.data });
        } else {
            problems.push(...parsed.error.issues.flatMap((issue) => issueProblems(key, issue, found)));
        }
    }
    if (values.route === "regionless" && values.istio === true && !isPresent(given.regionless)) {
        values.regionless = routes.regionless.block.parse({});
    }
    // Versions up to 0.1.0 took secrets in addresses and in lists, and remember them.
    problems.push(...crossProblems(values, given, isDeployed), ...(isDeployed ? [] : secretProblems));
    // Where only sizes are wrong otherwise, what values say of them is known all the same.
    if (
        !isDeployed &&
        Object.keys(values.values ?? {}).length > 0 &&
        problems.every(({ key }) => key.startsWith("kof:storage"))
    ) {
        problems.push(...storageProblems(resolve(values as Settings)));
    }
    if (problems.length > 0) {
        throw configurationError(source, problems);
    }
    return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as unknown as Settings;
}

/**
 * The settings as they stand in a stack file, from the text that Pulumi makes of them: structured ones are handed on as JSON,
 * encrypted ones decrypted.
 *
 * @param config all configuration of a stack, by its full key: `kof:route`.
 * @param isSecret whether the value of a full key is encrypted.
 */
export function rawSettings(
    config: Readonly<Record<string, string>>,
    isSecret: (key: string) => boolean,
): Record<string, unknown> {
    return Object.fromEntries(
        inNamespace("kof", config).map(([key, text]) => {
            const value = isStructured(key) ? parseJson(text) : text;
            return [key, isSecret(`kof:${key}`) ? { secure: "" } : value];
        }),
    );
}

/** The configuration under one namespace: `kof:route` is `route` under `kof`. */
export function inNamespace(name: string, config: Readonly<Record<string, string>>): [string, string][] {
    return Object.entries(config)
        .filter(([full]) => full.startsWith(`${name}:`))
        .map(([full, text]) => [full.slice(name.length + 1), text]);
}

/** What a text is as JSON; text that is no JSON is itself. */
export function parseJson(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return text;
    }
}

/** Whether a setting is anything else than text: Pulumi hands such values on as JSON. */
function isStructured(key: string): boolean {
    const schema = (settingsSchema as Record<string, unknown>)[key] as Schema | undefined;
    return schema !== undefined && !["string", "enum"].includes(unwrap(schema, undefined).def.type);
}

/** Whether a value is encrypted, or has an encrypted part: `{secure: …}` in a stack file. */
export function hasSecret(value: unknown): boolean {
    if (isMap(value) && Object.keys(value).length === 1 && typeof value.secure === "string") {
        return true;
    }
    return typeof value === "object" && value !== null && Object.values(value).some(hasSecret);
}
