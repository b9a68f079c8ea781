import type { GetLogGroupResult } from "@pulumi/aws/cloudwatch/getLogGroup";
import type { Provider as AwsProvider } from "@pulumi/aws/provider";

import { oneLine } from "../core/lib/errors";
import type { CloudWatchParts } from "../core/routes/parts";
import { logGroupKey } from "../core/settings/logGroups";
import type { KnownLogGroups, Look } from "../core/review/plan/cloudwatch";

/** The result of looking for each log group of a route. @param cloudwatch `undefined` on routes without any. */
export async function lookAtLogGroups(
    cloudwatch: CloudWatchParts | undefined,
    provider: AwsProvider,
): Promise<KnownLogGroups["looks"]> {
    const { region = "", logGroups = [] } = cloudwatch ?? {};
    const looks = logGroups.map(async ({ name }) => [logGroupKey(region, name), await look(name, provider)] as const);
    return Object.fromEntries(await Promise.all(looks));
}

async function look(name: string, provider: AwsProvider): Promise<Look> {
    let listed = false;
    try {
        const { getLogGroups } = await import("@pulumi/aws/cloudwatch/getLogGroups.js");
        const { getLogGroup } = await import("@pulumi/aws/cloudwatch/getLogGroup.js");
        // The provider fails to get a group that is not there, and its error does not tell that from a refusal.
        const { logGroupNames } = await getLogGroups({ logGroupNamePrefix: name }, { provider });
        listed = logGroupNames.includes(name);
        if (!listed) {
            return { found: undefined };
        }
        // A provider may leave out what is empty.
        const group: Partial<GetLogGroupResult> = await getLogGroup({ name }, { provider });
        const { retentionInDays = 0, kmsKeyId = "", tags = {} } = group;
        return { found: { retentionDays: retentionInDays || Infinity, kmsKeyArn: kmsKeyId, tags } };
    } catch (error) {
        return { unchecked: oneLine(error), listed };
    }
}
