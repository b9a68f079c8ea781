import type { Route } from "../routes";
import type { Consequence } from ".";

/** What happens to one CloudWatch log group. */
export interface LogGroupChange {
    readonly region: string;
    readonly name: string;
    /** `kept`: written to before and after. `left`: no longer written to; it stays in AWS with its logs. */
    readonly operation: "created" | "kept" | "left";
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
        ...[...before].flatMap(([key, group]) => (after.has(key) ? [] : [{ ...group, operation: "left" } as const])),
    ];
}

/** CloudWatch deletes what is older as soon as the retention is shorter. */
export function cloudwatchConsequences(from: Route, to: Route): Consequence[] {
    const before = groupsOf(from);
    return [...groupsOf(to)].flatMap(([key, group]): Consequence[] => {
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
