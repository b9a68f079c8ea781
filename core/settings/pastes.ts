import type { z } from "zod";

import { formatPath, isMap, mergeValues, type HelmValue, type HelmValues } from "../lib/values";
import {
    isPathBelow,
    stackFile,
    understood,
    valueThroughLists,
    type Issues,
    type Key,
    type RawSettings,
    type Understood,
    type Values,
} from "./explain";
import { outerKeys, type Problem } from "./problems";
import { crossProblems } from "./rules";
import { settingsSchema } from "./settings";
import { mergedPastes, onlyPath, withRightPastes } from "./valuePastes";

/** A setting as far as it is understood, and everything that is wrong with it by itself. */
export interface ReadSetting extends Understood {
    readonly found: unknown;
    readonly issues: Issues;
}

export function readSetting(key: Key, found: unknown): ReadSetting {
    const parsed = settingsSchema[key].safeParse(found);
    if (parsed.success) {
        return { found, meant: found, values: { [key]: parsed.data }, issues: [], unclear: [] };
    }
    // Rules about the whole only apply when its parts are right.
    const all = parsed.error.issues;
    const issues = all.filter(
        ({ code, path }) => code !== "custom" || !all.some((each) => isPathBelow(each.path, path)),
    );
    return { found, ...understood(key, found, issues), issues };
}

/**
 * Reads a wrong setting once more, as it is after all its pastes: some of its rules only apply then.
 *
 * @param problems what is wrong with it.
 * @returns the setting with only its new issues; `undefined` if not everything in it is understood.
 */
export function readMended(key: Key, read: ReadSetting, problems: readonly Problem[]): ReadSetting | undefined {
    if (!read.unclear.every(({ path }) => valueThroughLists(read.found, path) === undefined)) {
        return undefined;
    }
    const missing = problems.filter((each) => each.message.startsWith("is missing") && isMap(each.paste));
    const pasted = mergeValues({ [key]: read.meant as HelmValue }, ...missing.map(({ paste }) => ofPaste(paste)));
    const again = readSetting(key, pasted[key]);
    const known = new Set(read.issues.map(idOf));
    return { ...again, issues: again.issues.filter((issue) => !known.has(idOf(issue))) };
}

function idOf({ code, path }: z.core.$ZodIssue): string {
    return JSON.stringify([code, path]);
}

/** What a paste says, by the settings' keys. */
function ofPaste(paste: unknown): HelmValues {
    return Object.fromEntries(
        Object.entries(paste as HelmValues).map(([key, value]) => [key.replace(/^kof:/, ""), value]),
    );
}

/** Settings with what a paste says instead, and the keys of those that it is about. */
function withPaste(given: RawSettings, paste: unknown): { readonly raw: RawSettings; readonly keys: readonly Key[] } {
    const own = ofPaste(paste);
    const keys = Object.keys(own).filter((key) => Object.hasOwn(settingsSchema, key));
    return { raw: mergeValues(given as HelmValues, own), keys: keys as Key[] };
}

/** Tries what pastes would do to a stack file. */
interface Pastes {
    /**
     * If it is unclear what was meant, picks the first paste that contradicts no other setting.
     *
     * @param key of what is wrong. If a paste only causes a problem of that key, the paste of that problem is added.
     * @param isMissing whether it is missing, and others may be missing beside it.
     */
    readonly suiting: (key: string, isMissing: boolean, pastes: readonly unknown[]) => unknown;
    /**
     * Gives the problems of secrets pastes that their settings accept: their own, or else those of other problems there.
     *
     * @param problems everything else that is wrong.
     */
    readonly ofSecrets: (secrets: readonly Problem[], problems: readonly Problem[]) => Problem[];
}

/**
 * Tries pastes.
 *
 * @param values the settings as far as they are understood.
 * @param given the same as they stand in the stack file.
 */
export function tryPastes(values: Values, given: RawSettings): Pastes {
    const named = ({ key, message }: Problem) => `${key} ${message}`;
    // Examples cannot contradict kof:values.
    const rules = ({ values: _, ...settings }: Values, raw: RawSettings) => crossProblems(settings, raw);
    let before: Set<string> | undefined;
    const contradictions = (paste: unknown): Problem[] => {
        before ??= new Set(rules(values, given).map(named));
        const { raw, keys } = withPaste(given, paste);
        const pasted = Object.assign({}, values, ...keys.map((key) => readSetting(key, raw[key]).values)) as Values;
        // The problem of an unreadable setting does not say what is missing in it.
        const isUntold = ({ key, message }: Problem) =>
            message.startsWith("is missing") && keys.some((own) => key.startsWith(`kof:${own}.`));
        return rules(pasted, raw).filter((each) => isUntold(each) || before?.has(named(each)) === false);
    };
    // All at once: there may be thousands.
    const ofSettings = (secrets: readonly Problem[], problems: readonly Problem[]): Problem[] => {
        const all = mergedPastes(secrets.flatMap(({ paste }) => (isMap(paste) ? [paste] : [])));
        const { raw, keys } = withPaste(given, all);
        const read = new Map(keys.map((key) => [key as string, readSetting(key, raw[key])]));
        const paths = new Set(secrets.map(({ key }) => key.slice(4)));
        const wrong = contradictions(all).map(({ key }) => key.slice(4));
        for (const key of keys) {
            const before = new Set(readSetting(key, given[key]).issues.map(idOf));
            for (const issue of read.get(key)?.issues ?? []) {
                const path = formatPath([key, ...issue.path.map(String)]);
                wrong.push(...(paths.has(path) || !before.has(idOf(issue)) ? [path] : []));
            }
        }
        const [refused, around] = [new Set(wrong), new Set(wrong.flatMap(outerKeys))];
        const own = new Map(problems.filter(({ paste }) => paste !== undefined).map((each) => [each.key, each.paste]));
        const mendedOf = new Map<Problem, HelmValues>();
        const settled = secrets.map((secret) => {
            const path = secret.key.slice(4);
            const [key = "", ...rest] = isMap(secret.paste) ? onlyPath(ofPaste(secret.paste)) : [];
            const setting = read.get(key);
            const isTaken = setting && !outerKeys(path).some((each) => refused.has(each)) && !around.has(path);
            if (secret.paste === undefined || isTaken) {
                return secret;
            }
            if (!setting || setting.issues.length === 0 || setting.unclear.length > 0) {
                return { ...secret, paste: own.get(secret.key) };
            }
            const paste = stackFile([key, ...rest], valueThroughLists(setting.meant, rest)) as HelmValues;
            const mended = { ...secret, paste };
            mendedOf.set(mended, paste);
            return mended;
        });
        // A corrected value may contradict other settings.
        const contradicted = new Set(
            mendedOf.size === 0 ? [] : contradictions(mergedPastes([...mendedOf.values()])).map(({ key }) => key),
        );
        return settled.map((each) =>
            mendedOf.has(each) && contradicted.has(each.key) ? { ...each, paste: own.get(each.key) } : each,
        );
    };
    return {
        suiting: (key, isMissing, pastes) => {
            for (const paste of pastes) {
                const [first, ...more] = contradictions(paste).filter(
                    ({ message }) => !(isMissing && message.startsWith("is missing")),
                );
                if (first === undefined) {
                    return paste;
                }
                const instead = more.length === 0 && first.key === key ? first.paste : undefined;
                const both =
                    instead === undefined ? undefined : mergedPastes([paste as HelmValues, instead as HelmValues]);
                if (both !== undefined && contradictions(both).length === 0) {
                    return both;
                }
            }
            return undefined;
        },
        ofSecrets: (secrets, problems) => {
            if (secrets.length === 0) {
                return [];
            }
            const own = values.values as HelmValues | undefined;
            const check = (all: HelmValues) => crossProblems({ ...values, values: all }, given);
            const hasOwn =
                own !== undefined && secrets.some(({ key, paste }) => isMap(paste) && key.startsWith("kof:values."));
            const right = hasOwn ? withRightPastes(secrets, own, check, check(own)) : secrets;
            const isOfValues = ({ key }: Problem) => key.startsWith("kof:values.");
            const settled = ofSettings(
                right.filter((each) => !isOfValues(each)),
                problems,
            );
            const byKey = new Map(settled.map((each) => [each.key, each]));
            return right.map((each) => byKey.get(each.key) ?? each);
        },
    };
}
