import { archiveKinds } from "../charts/archives";
import { configurationLimits, refuseExcess } from "../lib/bounds";
import { compact, definedOnly } from "../lib/compact";
import { formatPath, isMap } from "../lib/values";
import { derived, resolve } from ".";
import { archiveStoreProblems, regionalArchiveProblems } from "./archives";
import { podProblems } from "./podRules";
import { storeValueProblems } from "./stored";
import type { Schema } from "../settings/about";
import { valueThroughLists, issueProblems, unknownKey, unwrap, type Key, type Values } from "../settings/explain";
import { readMended, readSetting, tryPastes, type ReadSetting } from "../settings/pastes";
import { brief, configurationError, type Problem } from "../settings/problems";
import { crossProblems, isPresent } from "../settings/rules";
import { openSettings } from "../settings/secretRules";
import { tellsAudit } from "../settings/routing";
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
    if (!isDeployed) {
        refuseExcess(raw, source);
    }
    const { settings, problems } = checkSettings(raw, isDeployed);
    if (problems.length > 0 || settings === undefined) {
        throw configurationError(source, problems);
    }
    return settings;
}

/** Settings as they are understood, and everything that is wrong with them. */
interface CheckedSettings {
    /** With problems: the settings as far as they are known, so that all problems can be reported at once. */
    readonly settings?: Settings;
    readonly problems: readonly Problem[];
}

/** As {@link parseSettings}, without an end at the first kind of problem. */
export function checkSettings(raw: Readonly<Record<string, unknown>>, isDeployed = false): CheckedSettings {
    const { raw: given, problems: openProblems } = openSettings(raw, isDeployed);
    // Versions up to 0.1.0 took secrets in addresses and in lists, and remember them.
    const secretProblems = isDeployed ? [] : openProblems;
    const problems: Problem[] = Object.keys(given)
        .filter((key) => !Object.hasOwn(settingsSchema, key))
        .map((key) => unknownKey([], key, Object.keys(settingsSchema)));
    const values: Values = {};
    // Something is left out of these, so what is missing in them is not known.
    const parts: Key[] = [];
    const wrong: { key: Key; own: readonly Problem[]; read: ReadSetting | undefined }[] = [];
    for (const key of Object.keys(settingsSchema) as Key[]) {
        const own = isDeployed ? [] : unreadable(given[key], [key]);
        if (hasSecret(given[key])) {
            own.push({
                key: `kof:${key}`,
                message: "is encrypted, but no setting takes a secret: put it in a Secret and refer to that by name",
            });
        }
        const isGiven = isPresent(given[key]) || (!isDeployed && isArchive(key) && isMap(given[key]));
        const read = own.length > 0 ? undefined : readSetting(key, isGiven ? given[key] : undefined);
        Object.assign(values, read?.values);
        if (read?.issues.length !== 0) {
            wrong.push({ key, own, read });
        }
    }
    const pastes = tryPastes({ ...values }, given);
    const explained = (key: Key, { found, issues }: ReadSetting) =>
        issues.flatMap((issue) => issueProblems(key, issue, found, issues, pastes.suiting));
    for (const { key, own, read } of wrong) {
        problems.push(...own);
        if (!read) {
            continue;
        }
        const explanations = explained(key, read);
        const again = readMended(key, read, explanations);
        problems.push(...explanations, ...(again ? explained(key, again) : []));
        Object.assign(values, again?.values);
        if (!again) {
            parts.push(key);
        }
    }
    if (values.route === "regionless" && values.istio === true && !isPresent(given.regionless)) {
        values.regionless = routes.regionless.block.parse({});
    }
    problems.push(
        ...crossProblems(values, given, isDeployed).filter(
            ({ key, message }) =>
                !(message.startsWith("is missing") && parts.some((part) => key.startsWith(`kof:${part}.`))),
        ),
    );
    const settings = settingsOf(values);
    const hasValues = Object.keys(values.values ?? {}).length > 0;
    const hasPods = (values.collectors ?? values.proxy ?? values.storage) !== undefined;
    const hasArchives = (values.coldStorage ?? values.auditArchive) !== undefined;
    if (settings && !isDeployed && (hasValues || hasPods || hasArchives)) {
        const resolved = whereKnown(problems, () => resolve(settings));
        // What values say of sizes is known where they are right by themselves.
        if (resolved && hasValues && !problems.some(({ key }) => key.startsWith("kof:values"))) {
            problems.push(...(whereKnown(problems, () => storeValueProblems(resolved)) ?? []));
        }
        if (resolved && hasPods) {
            const plain = () => resolve({ ...settings, collectors: undefined, proxy: undefined });
            problems.push(...(whereKnown(problems, () => podProblems(resolved, plain())) ?? []));
        }
        // Before, there are no exporters: what these could read is beside the point.
        if (resolved && hasArchives && tellsAudit(resolved.settings.version)) {
            const archived = () => {
                const deployment = derived(resolved);
                return [...archiveStoreProblems(deployment), ...regionalArchiveProblems(deployment)];
            };
            problems.push(...(whereKnown(problems, archived) ?? []));
        }
    }
    const secrets = pastes.ofSecrets(secretProblems, problems);
    problems.push(...secrets);
    const distinct = withoutRepeats(problems, secrets);
    return settings ? { settings, problems: distinct } : { problems: distinct };
}

/**
 * Problems without those that say the same again, or less of what is a secret as well: what to write instead of it puts both right.
 */
function withoutRepeats(problems: readonly Problem[], secrets: readonly Problem[]): readonly Problem[] {
    const mended = new Set(secrets.filter(({ paste }) => paste !== undefined).map(({ key }) => key));
    const secret = new Set(secrets.map(({ key }) => key));
    const distinct = new Map(problems.map((each) => [`${each.key} ${each.message}`, each]));
    return [...distinct.values()]
        .filter(
            (each) =>
                secrets.includes(each) ||
                !(
                    (mended.has(each.key) && each.message.endsWith("which is not allowed here")) ||
                    (secret.has(each.key) && each.message === "is not a setting")
                ),
        )
        .map((each) => (isRefusedNext(each, problems) ? { ...each, paste: undefined } : each));
}

/** Whether what a problem has to paste is itself what another one is about. */
function isRefusedNext({ key, message, paste }: Problem, problems: readonly Problem[]): boolean {
    const [first = "", ...below] = key.split(".");
    const value = valueThroughLists(paste, [first, ...below]);
    return (
        typeof value === "string" &&
        problems.some(
            (each) => each.key === key && each.message !== message && each.message.startsWith(`is ${brief(value)},`),
        )
    );
}

/** What can be worked out of settings. Of those that are wrong already, not everything can. */
export function whereKnown<T>(wrong: readonly Problem[], workOut: () => T): T | undefined {
    try {
        return workOut();
    } catch (error) {
        if (wrong.length > 0) {
            return undefined;
        }
        throw error;
    }
}

/** Whether a setting is that of an archive, which says nothing by itself: an empty one lacks what it needs. */
function isArchive(key: Key): boolean {
    return archiveKinds.some((kind) => kind === key);
}

/** Settings that are complete enough for a route. */
function settingsOf(values: Values): Settings | undefined {
    const { route, version } = values;
    if (route === undefined || version === undefined || ("block" in routes[route] && !(route in values))) {
        return undefined;
    }
    return definedOnly(values) as unknown as Settings;
}

/** Texts that are too long, and keys with a special meaning in JavaScript. */
function unreadable(value: unknown, path: readonly string[]): Problem[] {
    if (typeof value === "string" && path[0] !== "values" && value.length > configurationLimits.text) {
        return [
            {
                key: `kof:${formatPath(path)}`,
                message: `has ${String(value.length)} characters`,
                allowed: `at most ${String(configurationLimits.text)} characters`,
            },
        ];
    }
    if (typeof value !== "object" || value === null) {
        return [];
    }
    return Object.entries(value).flatMap(([key, inner]) => {
        const at = [...path, key];
        const message = "is a key that is never handed on. Remove it";
        return compact(key === "__proto__" && { key: `kof:${formatPath(at)}`, message }, ...unreadable(inner, at));
    });
}

/**
 * The settings as they stand in a stack file. Pulumi hands every setting to the program as text: structured ones as JSON, encrypted
 * ones decrypted.
 *
 * @param config all configuration of a stack, by its full key: `kof:route`.
 * @param isSecret whether the value of a full key is encrypted.
 */
export function rawSettings(
    config: Readonly<Record<string, string>>,
    isSecret: (key: string) => boolean,
): Record<string, unknown> {
    return Object.fromEntries(
        configUnder("kof", config).map(([key, text]) => {
            const value = isStructured(key) ? parseJson(text) : text;
            return [key, isSecret(`kof:${key}`) ? { secure: "" } : value];
        }),
    );
}

/** The configuration under one namespace: `kof:route` is `route` under `kof`. */
export function configUnder(name: string, config: Readonly<Record<string, string>>): [string, string][] {
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

/** Whether a setting is not text: Pulumi passes such values as JSON. */
function isStructured(key: string): boolean {
    const schema = Object.hasOwn(settingsSchema, key) ? (settingsSchema[key as Key] as unknown as Schema) : undefined;
    return schema !== undefined && !["string", "enum"].includes(unwrap(schema, undefined).def.type);
}

/** Whether a value is encrypted, or has an encrypted part: `{secure: …}` in a stack file. */
export function hasSecret(value: unknown): boolean {
    if (isMap(value) && Object.keys(value).length === 1 && typeof value.secure === "string") {
        return true;
    }
    return typeof value === "object" && value !== null && Object.values(value).some(hasSecret);
}
