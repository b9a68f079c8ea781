import { kofNamespace } from "../core/charts/namespace";
import { maskedLog } from "../core/lib/secrets";
import { alertsName, isEvaluatedBy, vmRule } from "../core/routes/alerts";
import { minutesSince, usualWait } from "./ages";
import type { Check, Findings, Live } from "./findings";

/** What the VictoriaMetrics operator says of the stack's rules. */
export const alerts: readonly Check[] = [{ title: "Alert rules", look: ruleFindings }];

interface VmRule {
    readonly metadata: { readonly creationTimestamp: string };
    /** One condition for each VMAlert that has looked at it (`internal/controller/operator/factory/reconcile/status.go`, 0.67). */
    readonly status?: {
        readonly updateStatus?: string;
        readonly reason?: string;
        readonly conditions?: readonly object[];
    };
}

/** Finds nothing before the VMRule is there: its definition comes with KOF. */
async function ruleFindings({ kubernetes, deployment }: Live): Promise<Findings> {
    const object = isEvaluatedBy(deployment.alerts, "VMAlert")
        ? await kubernetes.get<VmRule>(`${vmRule.path}/${alertsName}`)
        : undefined;
    const { updateStatus, reason = "", conditions = [] } = object?.status ?? {};
    const what =
        updateStatus === "failed"
            ? `was refused: ${maskedLog(reason)}`
            : object && conditions.length === 0 && minutesSince(object.metadata.creationTimestamp) > usualWait
              ? "has been taken by no VMAlert"
              : undefined;
    return (
        what !== undefined && {
            severity: "warning",
            what: `VMRule ${kofNamespace}/${alertsName} ${what}`,
            why: "VMAlert does not evaluate the rules, so the store has no ALERTS of theirs. Promxy is not concerned.",
            fix: `kubectl describe vmrules,vmalerts -n ${kofNamespace}`,
        }
    );
}
