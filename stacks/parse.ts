import { isMap } from "../catalog/values";
import { explain, unknownKey, unwrap, type Key, type Schema } from "./explain";
import { configurationError, type Problem } from "./problems";
import { crossProblems, type Values } from "./rules";
import { settingsSchema, type Settings } from "./settings";

/**
 * Turns the settings of a stack file into {@link Settings}: defaults filled in, and every rule checked.
 *
 * @param raw the settings by their key under `kof:`, as they stand in the stack file.
 * @param source what to call the file in errors.
 * @throws UserError with all problems at once.
 */
export function parseSettings(raw: Readonly<Record<string, unknown>>, source: string): Settings {
    const problems: Problem[] = Object.keys(raw)
        .filter((key) => !Object.hasOwn(settingsSchema, key))
        .map((key) => unknownKey([], key, Object.keys(settingsSchema)));
    const values: Values = {};
    for (const key of Object.keys(settingsSchema) as Key[]) {
        if (hasSecret(raw[key])) {
            problems.push({
                key: `kof:${key}`,
                message: "is encrypted, but no setting takes a secret: put it in a Secret and refer to that by name",
            });
            continue;
        }
        // Pulumi.yaml declares an empty map as the default of every block.
        const found = isMap(raw[key]) && Object.keys(raw[key]).length === 0 ? undefined : raw[key];
        const parsed = settingsSchema[key].safeParse(found);
        if (parsed.success) {
            Object.assign(values, { [key]: parsed.data });
        } else {
            problems.push(...parsed.error.issues.flatMap((issue) => explain(key, issue, found)));
        }
    }
    problems.push(...crossProblems(values, raw));
    if (problems.length > 0) {
        throw configurationError(source, problems);
    }
    return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as unknown as Settings;
}

/** Whether a setting is anything else than text: Pulumi hands such values on as JSON. */
export function isStructured(key: string): boolean {
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
