import { clusterTag, defaultLogGroup, logGroupKey, stackTag } from "../../settings/logGroups";
import type { Deployment } from "../../routes/deployment";
import type { LogGroup } from "../../routes/parts";
import { notice, type Consequence, type Consequences } from "./consequence";

/** What happens to one CloudWatch log group. */
export interface LogGroupChange {
    readonly region: string;
    readonly name: string;
    /**
     * `kept`: written to before and after. `left`: no longer written to; it stays in AWS with its logs. `deleted`: the last
     * deployment said not to keep it.
     */
    readonly operation: "created" | "kept" | "left" | "deleted";
    /** Days after which CloudWatch deletes events. */
    readonly retentionDays: number;
}

/** What AWS has under the name of a log group. */
interface FoundLogGroup {
    /** Days after which CloudWatch deletes events; `Infinity` where it keeps them for ever. */
    readonly retentionDays: number;
    /** ARN of the KMS key for new events; empty with CloudWatch's own encryption. */
    readonly kmsKeyArn: string;
    readonly tags: Readonly<Record<string, string>>;
}

/** The result of looking for a log group: what AWS has, `undefined` for none, or why it could not be checked. */
export type Look = { readonly found: FoundLogGroup | undefined } | UncheckedLogGroup;

interface UncheckedLogGroup {
    /** Why. */
    readonly unchecked: string;
    /** Whether AWS at least lists it. */
    readonly listed: boolean;
}

/** What is known about log groups in addition to the settings. */
export interface KnownLogGroups {
    /** This stack, as {@link stackTag} names it: `PROJECT/STACK`. */
    readonly stack: string;
    /** Those that the stack made, by {@link logGroupKey}. `undefined` where its last deployment did not say. */
    readonly made?: readonly string[] | undefined;
    /** For each group that the stack will have, what AWS said about it, by {@link logGroupKey}. */
    readonly looks: Readonly<Record<string, Look>>;
}

interface Group extends LogGroup {
    readonly region: string;
}

function groupsOf(deployment: Deployment | undefined): Map<string, Group> {
    const { region = "", logGroups = [] } = deployment?.cloudwatch ?? {};
    return new Map(logGroups.map((group) => [logGroupKey(region, group.name), { region, ...group }]));
}

/**
 * The log groups before and after, by region and name.
 *
 * @param known Default: nothing is known but the settings, and the stack made every group.
 */
export function logGroupChanges(from: Deployment, to: Deployment, known?: KnownLogGroups): LogGroupChange[] {
    const [before, after] = [groupsOf(from), groupsOf(to)];
    const isDeleted = (key: string) =>
        from.cloudwatch?.keepLogGroups === false && (known?.made === undefined || known.made.includes(key));
    return [
        ...[...after].map(([key, group]) => ({ ...group, operation: before.has(key) ? "kept" : "created" }) as const),
        ...[...before]
            .filter(([key]) => !after.has(key))
            .map(([key, group]) => ({ ...group, operation: isDeleted(key) ? "deleted" : "left" }) as const),
    ];
}

/** A log group of a route, and how it is declared by what is known of it. */
interface Declared extends LogGroup {
    /** Its {@link logGroupKey}. */
    readonly key: string;
    /** Whether AWS has it, so that it is taken over unless the stack has it already. */
    readonly exists: boolean;
    /** Whether the stack made it. It may delete no other. */
    readonly made: boolean;
    /** Whether AWS could be looked at. What was not compared is not changed. */
    readonly compared: boolean;
    /** Tags that somebody else gave it. They stay. */
    readonly tags: Readonly<Record<string, string>>;
}

/** The log groups of a route as they are declared. @param from what is deployed; `undefined` where that is not known. */
export function declaredLogGroups(from: Deployment | undefined, to: Deployment, known: KnownLogGroups): Declared[] {
    const before = groupsOf(from);
    return [...groupsOf(to)].map(([key, group]) => {
        const look = known.looks[key];
        const remembered = known.made?.includes(key) === true;
        if (look === undefined || "unchecked" in look) {
            return { ...group, key, exists: false, made: remembered, compared: false, tags: {} };
        }
        const { found } = look;
        if (found === undefined) {
            return { ...group, key, exists: false, made: true, compared: true, tags: {} };
        }
        const made = remembered && ownerOf(found, before.has(key), from, to, known) === undefined;
        return { ...group, key, exists: true, made, compared: true, tags: made ? {} : othersTags(found, from) };
    });
}

/** The tags of a group that no deployment of the stack gave it. AWS's own cannot be set. */
function othersTags({ tags }: FoundLogGroup, from: Deployment | undefined): Record<string, string> {
    const own = Object.keys(from?.cloudwatch?.tags ?? {});
    return Object.fromEntries(Object.entries(tags).filter(([tag]) => !tag.startsWith("aws:") && !own.includes(tag)));
}

/** The log groups that the stack has made, once it is deployed, by {@link logGroupKey}. */
export function madeLogGroups(from: Deployment | undefined, to: Deployment, known: KnownLogGroups): string[] {
    const declared = declaredLogGroups(from, to, known);
    const gone = (from ? logGroupChanges(from, to, known) : [])
        .filter(({ operation }) => operation === "deleted")
        .map(({ region, name }) => logGroupKey(region, name));
    const otherwiseKnown = [...gone, ...declared.map(({ key }) => key)];
    return [
        ...declared.filter(({ made }) => made).map(({ key }) => key),
        ...(known.made ?? []).filter((key) => !otherwiseKnown.includes(key)),
    ].sort();
}

/**
 * What follows for log groups: what CloudWatch deletes as soon as a retention is shorter, and what happens to groups that somebody else
 * may rely on.
 *
 * @param from what is deployed; `undefined` where that is not known.
 * @param known Default: nothing is known but the settings.
 */
export function* cloudwatchConsequences(
    from: Deployment | undefined,
    to: Deployment,
    known?: KnownLogGroups,
): Consequences {
    const before = groupsOf(from);
    for (const change of from ? logGroupChanges(from, to, known) : []) {
        if (change.operation === "deleted") {
            yield deletion(change, known);
        }
    }
    for (const [key, group] of groupsOf(to)) {
        const look = known?.looks[key];
        const had = before.get(key);
        const found = look && "found" in look ? look.found : undefined;
        if (had && (look === undefined || "unchecked" in look)) {
            yield* shortened(group, had.retentionDays);
        }
        if (known && found) {
            const comparison = { from, to, known, had };
            yield* takeover(group, found, comparison);
            yield* shortened(group, found.retentionDays, comparison);
            yield* keyChange(group, found, comparison);
        }
        if (known && look && "unchecked" in look) {
            yield uncheckedGroup(group, look, to, known, had !== undefined);
        }
    }
}

function deletion({ name, region }: LogGroupChange, known: KnownLogGroups | undefined): Consequence {
    const isUnknown = known !== undefined && known.made === undefined;
    return {
        severity: "loses",
        key: "kof:cloudwatch",
        message:
            `deletes log group ${name} in ${region} with all that is in it, because it was deployed with keepLogGroups: false` +
            (isUnknown ? ". Nothing says that this stack made it" : ""),
        way: "deploy keepLogGroups: true first",
        ...(isUnknown ? {} : { acknowledge: `delete log group ${name} in ${region}` }),
    };
}

const keptFor = (retention: number) => (retention === Infinity ? "for ever" : `${String(retention)}d`);

const retentionSettings = { logs: "retentionDays", audit: "auditRetentionDays", metrics: "retentionDays" } as const;

/**
 * @param was days after which AWS has deleted events so far.
 * @param comparison with what AWS has. Default: with the settings of the last deployment.
 */
function* shortened(group: Group, was: number, comparison?: Comparison): Consequences {
    const { name, region, holds, retentionDays } = group;
    if (was <= retentionDays) {
        return;
    }
    const change = `${keptFor(was)}->${keptFor(retentionDays)}`;
    const setting = retentionSettings[holds];
    const isSame = comparison?.had?.retentionDays === retentionDays;
    yield {
        severity: "loses",
        key: `kof:cloudwatch.${setting}`,
        message: `deletes what log group ${name} in ${region} has that is older than ${String(retentionDays)} days (${change})${isSame ? changedSince : ""}`,
        ...(was === Infinity && comparison
            ? {
                  way: "another log group: no setting keeps events for ever",
                  paste: another(group, comparison.to, comparison.known),
              }
            : { paste: { "kof:cloudwatch": { [setting]: was } } }),
        acknowledge: `log group ${name} in ${region} ${change}`,
    };
}

/** What is known when a log group is compared. */
interface Comparison {
    readonly from: Deployment | undefined;
    readonly to: Deployment;
    readonly known: KnownLogGroups;
    /** What the stack has, by its last deployment. */
    readonly had: Group | undefined;
}

/** The engine skips what its state says is done, so it has to refresh first. */
const changedSince =
    ". It was changed outside this stack since the last deployment: to change it back, acknowledge it and deploy with pulumi up --refresh";

/** Somebody else, by the tag that names them; without a name where nothing does. */
interface Owner {
    readonly tag: typeof clusterTag | typeof stackTag;
    readonly name?: string;
}

/** Whose a log group is, if not this stack's. */
function ownerOf(
    { tags }: FoundLogGroup,
    had: boolean,
    from: Deployment | undefined,
    to: Deployment,
    known: KnownLogGroups,
): Owner | undefined {
    const { [clusterTag]: cluster, [stackTag]: stack } = tags;
    if (cluster === undefined) {
        return had ? undefined : { tag: clusterTag };
    }
    if (cluster !== to.settings.clusterName && cluster !== from?.settings.clusterName) {
        return { tag: clusterTag, name: cluster };
    }
    return had || stack === undefined || stack === known.stack ? undefined : { tag: stackTag, name: stack };
}

function* takeover(group: Group, found: FoundLogGroup, { from, to, known, had }: Comparison): Consequences {
    const { holds, name, region } = group;
    const owner = ownerOf(found, had !== undefined, from, to, known);
    const key = `kof:cloudwatch.${holds === "audit" ? "auditLogGroup" : "logGroup"}`;
    const there = `leads to log group ${name} in ${region}, which AWS has already`;
    if (owner !== undefined) {
        const whose =
            owner.name === undefined
                ? `without the tag ${owner.tag}, so that its owner is unknown`
                : `and its tag ${owner.tag} says ${owner.name}`;
        const then =
            ". Taking it over gives it the retention, the key and the tags of this stack, which then also writes to it";
        yield {
            severity: "impossible",
            key,
            message: `${there}, ${whose}${had ? changedSince : then}`,
            way: "another log group, and this one stays as it is",
            paste: another(group, to, known),
            acknowledge: `take over log group ${name} in ${region}${owner.name === undefined ? "" : ` of ${owner.name}`}`,
        };
    } else if (!had) {
        yield notice(key, `${there}, tagged as this cluster's: it is taken over with its logs`);
    }
    if (to.cloudwatch?.keepLogGroups === false && !(known.made ?? []).includes(logGroupKey(region, name))) {
        yield notice(
            "kof:cloudwatch.keepLogGroups",
            `is false, but log group ${name} in ${region} stays: there is no record that this stack made it`,
        );
    }
}

/** A name that leaves a log group alone, to paste. */
function another({ holds, name }: Group, to: Deployment, { stack }: KnownLogGroups): object {
    const { logGroup = "" } = to.cloudwatch ?? {};
    const [setting, taken, own] =
        holds === "audit"
            ? ["auditLogGroup", name, `${logGroup}-audit`]
            : ["logGroup", logGroup, defaultLogGroup(to.settings.clusterName)];
    return { "kof:cloudwatch": { [setting]: taken === own ? `${own}-${stack.split("/").at(-1) ?? ""}` : own } };
}

/** CloudWatch encrypts new events with another key; stored ones stay with theirs (DisassociateKmsKey in its API reference, 2026-11). */
function* keyChange({ name, region }: Group, { kmsKeyArn: was }: FoundLogGroup, { to, had }: Comparison): Consequences {
    const is = to.cloudwatch?.kmsKeyArn ?? "";
    if (was === is) {
        return;
    }
    const about = (arn: string) => (arn === "" ? "CloudWatch's own key" : arn);
    const key = "kof:cloudwatch.kmsKeyArn";
    const message =
        `encrypts what comes into log group ${name} in ${region} with ${about(is)}, where AWS has ${about(was)}. What is stored stays ` +
        (was === "" ? "as it is" : "with that, and cannot be read without it");
    const id = (arn: string) => (arn === "" ? "none" : (arn.split("/").at(-1) ?? ""));
    yield had || was === ""
        ? notice(key, message)
        : {
              severity: "impossible",
              key,
              message,
              way: "the key that the log group has",
              paste: { "kof:cloudwatch": { kmsKeyArn: was } },
              acknowledge: `log group ${name} in ${region} key ${id(was)}->${id(is)}`,
          };
}

/** What the program assumes about a group that it could not check. @param had whether the stack has it, by its last deployment. */
function uncheckedGroup(
    group: Group,
    { unchecked, listed }: UncheckedLogGroup,
    to: Deployment,
    known: KnownLogGroups,
    had: boolean,
): Consequence {
    const key = "kof:cloudwatch";
    const cannot = `cannot be compared with log group ${group.name} in ${group.region} (${unchecked})`;
    if (had) {
        return notice(key, `${cannot}. It stays as it is: retention, key and tags are not changed`);
    }
    return listed
        ? {
              severity: "impossible",
              key,
              message: `${cannot}, which AWS has already`,
              way: "allow logs:DescribeLogGroups and logs:ListTagsForResource, or take another log group",
              paste: another(group, to, known),
          }
        : notice(
              key,
              `${cannot}. The program assumes that it does not exist: if it does, AWS refuses to create it, and it stays as it is`,
          );
}
