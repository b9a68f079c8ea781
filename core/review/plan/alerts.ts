import { isDeepStrictEqual } from "node:util";

import type { AlertRule } from "../../routes/alerts";
import type { Deployment } from "../../routes/deployment";

/** What happens to an alert rule. */
export interface AlertChange {
    readonly alert: string;
    readonly operation: "added" | "changed" | "removed";
    /** When it fires: after the change, or until then where it is removed. */
    readonly when: string;
}

/** The alert rules that are not as before. */
export function alertChanges(from: Deployment, to: Deployment): AlertChange[] {
    const [was, is] = [from.alerts.rules, to.alerts.rules];
    const named = (rules: readonly AlertRule[], name: string) => rules.find(({ alert }) => alert === name);
    return [
        ...is.flatMap((rule): AlertChange[] => {
            const { alert, when } = rule;
            const before = named(was, alert);
            return isDeepStrictEqual(before, rule) ? [] : [{ alert, operation: before ? "changed" : "added", when }];
        }),
        ...was
            .filter(({ alert }) => !named(is, alert))
            .map(({ alert, when }): AlertChange => ({ alert, operation: "removed", when })),
    ];
}
