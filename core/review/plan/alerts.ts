import { isDeepStrictEqual } from "node:util";

import { evaluatorsText, type AlertRule, type Alerts } from "../../routes/alerts";
import type { Deployment } from "../../routes/deployment";

/** What happens to an alert rule. */
export interface AlertChange {
    readonly alert: string;
    readonly operation: "added" | "changed" | "removed";
    /** When it fires: after the change, or until then where it is removed. */
    readonly when: string;
    /** Of a changed rule the lines that go and those that come: of its expression, and of what else is not as before. */
    readonly lines: { readonly from: readonly string[]; readonly to: readonly string[] };
}

/** The alert rules that are not as before. */
export function alertChanges(from: Deployment, to: Deployment): AlertChange[] {
    const [was, is] = [evaluated(from.alerts), evaluated(to.alerts)];
    const named = (rules: readonly EvaluatedRule[], name: string) => rules.find(({ alert }) => alert === name);
    return [
        ...is.flatMap((rule): AlertChange[] => {
            const { alert, when } = rule;
            const before = named(was, alert);
            return isDeepStrictEqual(before, rule)
                ? []
                : before
                  ? [{ alert, operation: "changed", when, lines: changedLines(before, rule) }]
                  : [{ alert, operation: "added", when, lines: noLines }];
        }),
        ...was
            .filter(({ alert }) => !named(is, alert))
            .map(({ alert, when }): AlertChange => ({ alert, operation: "removed", when, lines: noLines })),
    ];
}

/** A rule, with what evaluates it. */
interface EvaluatedRule extends AlertRule {
    readonly by: string;
}

function evaluated(alerts: Alerts): EvaluatedRule[] {
    const by = `evaluated by ${evaluatorsText(alerts)}`;
    return alerts.rules.map((rule) => ({ ...rule, by }));
}

const noLines: AlertChange["lines"] = { from: [], to: [] };

/** What is in one rule and not in the other, line by line: a changed expression may well be described by the same words. */
function changedLines(from: EvaluatedRule, to: EvaluatedRule): AlertChange["lines"] {
    const [was, is] = [from, to].map(({ expr, severity, when, description, by, ...each }) => [
        ...expr.split("\n"),
        `for: ${each.for}`,
        `severity: ${severity}`,
        when,
        description,
        by,
    ]);
    const without = (lines: readonly string[] = [], others: readonly string[] = []) =>
        lines.filter((line) => !others.includes(line));
    return { from: without(was, is), to: without(is, was) };
}
