import { getLogGroup, type GetLogGroupResult } from "@pulumi/aws/cloudwatch/getLogGroup";
import { getLogGroups } from "@pulumi/aws/cloudwatch/getLogGroups";
import { Provider as AwsProvider } from "@pulumi/aws/provider";
import * as pulumi from "@pulumi/pulumi";

import { logGroupKey } from "../core/settings/logGroups";
import type { KnownLogGroups, Look } from "../core/review/plan/cloudwatch";
import type { Configuration } from "./configuration";
import { logGroupOfDeployed } from "./deployed";
import { logGroupsOutput, type Deployed } from "./memory";
import { currentStack } from "./place";

/** What a stack finds in AWS before it declares anything. */
export interface AwsFacts extends KnownLogGroups {
    /** How AWS is reached; `undefined` on routes that have nothing there. */
    readonly provider: AwsProvider | undefined;
    /** The log group that the stack has had, on whichever route it is now. */
    readonly logGroup: string | undefined;
}

type AwsRegion = NonNullable<pulumi.Unwrap<Configuration["aws"]["region"]>>;

/**
 * Looks at the log groups that a stack is to have. Engines since 3.174 change what they import in the same run, so that what
 * AWS has must be known before anything is declared.
 *
 * @param deployed what the stack remembers of its last deployment.
 */
export async function checkAws(
    { deployment: { cloudwatch }, aws }: Configuration,
    deployed: Deployed | undefined,
): Promise<AwsFacts> {
    const remembered = {
        stack: currentStack(),
        made: deployed?.[logGroupsOutput]?.made,
        logGroup: deployed && logGroupOfDeployed(deployed),
    };
    if (!cloudwatch) {
        return { ...remembered, provider: undefined, looks: {} };
    }
    const { region, endpoint, logGroups } = cloudwatch;
    const provider = new AwsProvider("aws", {
        ...(endpoint === undefined ? {} : { endpoints: [{ logs: endpoint }] }),
        ...aws,
        region: region as pulumi.Input<AwsRegion>,
    });
    const looks = logGroups.map(async ({ name }) => [logGroupKey(region, name), await look(name, provider)] as const);
    return { ...remembered, provider, looks: Object.fromEntries(await Promise.all(looks)) };
}

async function look(name: string, provider: AwsProvider): Promise<Look> {
    let listed = false;
    try {
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
        const text = error instanceof Error ? error.message : String(error);
        return { unchecked: text.trim().replace(/\s+/g, " ") || "no reason is given", listed };
    }
}
