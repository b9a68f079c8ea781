import type { Route } from "../routes";
import type { Consequence } from ".";

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

interface Group {
    readonly region: string;
    readonly name: string;
    readonly retentionDays: number;
}

function groupsOf({ cloudwatch }: Route): Map<string, Group> {
    const { region = "", logGroups = [] } = cloudwatch ?? {};
    return new Map(logGroups.map((group) => [`${region}/${group.name}`, { region, ...group }]));
}

/** The log groups before and after, by region and name. */
export function logGroupChanges(from: Route, to: Route): LogGroupChange[] {
    const [before, after] = [groupsOf(from), groupsOf(to)];
    return [
        ...[...after].map(([key, group]) => ({ ...group, operation: before.has(key) ? "kept" : "created" }) as const),
        ...[...before]
            .filter(([key]) => !after.has(key))
            .map(
                ([, group]) =>
                    ({ ...group, operation: from.cloudwatch?.keepLogGroups === false ? "deleted" : "left" }) as const,
            ),
    ];
}

/** What log groups lose: CloudWatch deletes what is older as soon as the retention is shorter. */
export function cloudwatchConsequences(from: Route, to: Route): Consequence[] {
    const before = groupsOf(from);
    const deleted = logGroupChanges(from, to).filter(({ operation }) => operation === "deleted");
    return [...deleted.map(deletion), ...shortened(before, groupsOf(to))];
}

function deletion({ name, region }: LogGroupChange): Consequence {
    return {
        severity: "loses",
        key: "kof:cloudwatch",
        message: `deletes log group ${name} in ${region} with all that is in it, because it was deployed with keepLogGroups: false`,
        way: "deploy keepLogGroups: true first",
        acknowledge: `delete log group ${name}`,
    };
}

function shortened(before: ReadonlyMap<string, Group>, after: ReadonlyMap<string, Group>): Consequence[] {
    return [...after].flatMap(([key, group]): Consequence[] => {
        const was = before.get(key)?.retentionDays ?? 0;
        if (was <= group.retentionDays) {
            return [];
        }
        const change = `${String(was)}d->${String(group.retentionDays)}d`;
        return [
            {
                severity: "loses",
                key: "kof:cloudwatch",
                message: `deletes what log group ${group.name} has that is older than ${String(group.retentionDays)} days (${change})`,
                acknowledge: `log group ${group.name} ${change}`,
            },
        ];
    });
}
