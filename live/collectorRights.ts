import { kofNamespace } from "../core/charts/namespace";
import { arnParts, logGroupArn } from "../core/lib/arns";
import { accessKeySecret } from "../core/routes/cloudwatch";
import type { CloudWatchParts } from "../core/routes/parts";
import { assumePolicy, writePolicy } from "../core/routes/policies";
import type { Check, Findings, Live } from "./findings";
import { podRights, type Needed } from "./rights";
import { secretValues } from "./secrets";

/** Whether the policies of what collectors are at AWS let them write what goes to CloudWatch and X-Ray. */
export const collectorRights: readonly Check[] = [{ title: "Collectors' rights in AWS", look: findingsOf }];

async function findingsOf(live: Live): Promise<Findings> {
    const { cloudwatch } = live.deployment;
    if (!cloudwatch) {
        return undefined;
    }
    const { credentials, region, roleName, serviceAccounts } = cloudwatch;
    const [serviceAccount = ""] = serviceAccounts;
    const path = `/api/v1/namespaces/${kofNamespace}/serviceaccounts/${serviceAccount}`;
    const pods = {
        whose: "the collectors'",
        credentials,
        region,
        roleName,
        serviceAccount,
        accessKeyId: async () =>
            (await secretValues(live, accessKeySecret(credentials)))?.get("AWS_ACCESS_KEY_ID")?.trim(),
        needed: (arn: string) => neededBy(cloudwatch, arnParts(arn).account),
        about: (arn: string, denied: readonly string[], { resources }: Needed) =>
            denied.map((action) => ({
                what: `the collectors' identity ${arn} may not ${action} on ${resources.flat().join()} in ${region}`,
                why: whyOf(action),
            })),
        isInstalled: async () => (await live.kubernetes.get(path)) !== undefined,
        withoutRole: {
            what: "the collectors run",
            why: "They have no credentials for AWS, and nothing of what they send there is stored.",
        },
    };
    return podRights(pods, live);
}

/** What the collectors do by themselves, and on what: what their policy lets them do, and nothing else. */
function neededBy(cloudwatch: CloudWatchParts, account: string) {
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
