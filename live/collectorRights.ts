import { kofNamespace } from "../core/charts/namespace";
import { arnParts, logGroupArn } from "../core/lib/arns";
import { accessKeySecret } from "../core/routes/cloudwatch";
import type { CloudWatchParts } from "../core/routes/parts";
import { assumePolicy, writePolicy } from "../core/routes/policies";
import type { Check, Finding, Live } from "./findings";
import { decisions, podArn } from "./rights";
import { secretValues } from "./secrets";

/** Whether the policies of what collectors are at AWS let them write what goes to CloudWatch and X-Ray. */
export const collectorRights: readonly Check[] = [{ title: "Collectors' rights in AWS", look: findingsOf }];

const whose = "the collectors'";

async function findingsOf(live: Live): Promise<Finding[]> {
    const { cloudwatch } = live.deployment;
    if (!cloudwatch) {
        return [];
    }
    const { credentials, region, roleName, serviceAccounts } = cloudwatch;
    const [serviceAccount = ""] = serviceAccounts;
    const accessKeyId = async () =>
        (await secretValues(live, accessKeySecret(credentials)))?.get("AWS_ACCESS_KEY_ID")?.trim();
    const arn = await podArn({ whose, credentials, region, roleName, serviceAccount, accessKeyId }, live);
    if (arn === undefined) {
        return missingRole(cloudwatch, live);
    }
    const decided = await decisions(arn, wantedBy(cloudwatch, arnParts(arn).account), { whose, region }, live);
    if (!decided) {
        return missingRole(cloudwatch, live);
    }
    return decided.flatMap(({ needed, denied, unknown, ask }) => [
        ...denied.map((action) => ({
            severity: "problem" as const,
            what: `the collectors' identity ${arn} may not ${action} on ${needed.resources.flat().join()} in ${region}`,
            why: whyOf(action),
            fix: ask,
        })),
        ...unknown,
    ]);
}

/** What the collectors do by themselves, and on what: what their policy lets them do, and nothing else. */
function wantedBy(cloudwatch: CloudWatchParts, account: string) {
    const { central, credentials, region, logGroups, signals } = cloudwatch;
    const { Statement } = central
        ? assumePolicy(central.roleArn, credentials.kind)
        : writePolicy({
              logGroupArns: logGroups.map(({ name }) => logGroupArn(region, account, name)),
              tracesTo: signals.traces === "none" ? undefined : region,
              metricsTo: signals.metrics === "otlp" ? region : undefined,
          });
    return Statement.flatMap(({ Action, Resource = [] }) =>
        Resource.map((resource) => ({ actions: Action, resources: [[resource.replace(/:\*$/, ":log-stream:x")]] })),
    );
}

function whyOf(action: string): string {
    return action.startsWith("sts:")
        ? "They cannot take on the role of the other account, and nothing reaches it."
        : "AWS refuses what they send. Logs wait for as long as kof:buffer.duration says, and all else is dropped at once.";
}

/** Before pulumi up there is no role, and a Secret that is missing is another check's. */
async function missingRole(
    { credentials, serviceAccounts }: CloudWatchParts,
    { kubernetes }: Live,
): Promise<Finding[]> {
    const [serviceAccount = ""] = serviceAccounts;
    const isRole = credentials.kind === "irsa" || credentials.kind === "podIdentity";
    const path = `/api/v1/namespaces/${kofNamespace}/serviceaccounts/${serviceAccount}`;
    return isRole && (await kubernetes.get(path)) !== undefined
        ? [
              {
                  severity: "problem",
                  what: `there is no role for service account ${serviceAccount}, and the collectors run`,
                  why: "They have no credentials for AWS, and nothing of what they send there is stored.",
                  fix: "pulumi up --refresh",
              },
          ]
        : [];
}
