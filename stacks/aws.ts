import type { Provider as AwsProvider } from "@pulumi/aws/provider";
import * as pulumi from "@pulumi/pulumi";

import type { KnownLogGroups } from "../core/review/plan/cloudwatch";
import { lookAtBuckets, type BucketLooks } from "./buckets";
import type { Configuration } from "./configuration";
import { logGroupOfDeployed } from "./deployed";
import { lookAtLogGroups } from "./logGroups";
import type { Deployed } from "./memory";
import { currentStack } from "./place";

/** What a stack finds in AWS before it declares anything. */
export interface AwsFacts extends KnownLogGroups {
    /** How AWS is reached; `undefined` where a stack has nothing there. */
    readonly provider: AwsProvider | undefined;
    /** The log group that the stack has had, on whichever route it is now. */
    readonly logGroup: string | undefined;
    /** The result of looking for the archives' buckets. */
    readonly buckets: BucketLooks;
}

type AwsRegion = NonNullable<pulumi.Unwrap<Configuration["aws"]["region"]>>;

/**
 * Looks at the log groups and buckets that a stack is to have. What AWS has must be known before anything is declared: engines since
 * 3.174 change what they import in the same run, and anyone may have taken a bucket's name.
 *
 * @param deployed what the stack remembers of its last deployment.
 */
export async function checkAws(
    { deployment: { cloudwatch, archives }, aws }: Configuration,
    deployed: Deployed | undefined,
): Promise<AwsFacts> {
    const remembered = {
        stack: currentStack(),
        made: deployed?.cloudwatch?.made,
        logGroup: deployed && logGroupOfDeployed(deployed),
    };
    const buckets = archives.map(({ bucket }) => bucket).filter(({ endpoint }) => endpoint === undefined);
    // Everything else says its region itself.
    const region = cloudwatch?.region ?? buckets[0]?.region;
    if (region === undefined) {
        return { ...remembered, provider: undefined, looks: {}, buckets: {} };
    }
    const endpoint = cloudwatch?.endpoint;
    const { Provider } = await import("@pulumi/aws/provider.js");
    const provider = new Provider("aws", {
        ...(endpoint === undefined ? {} : { endpoints: [{ logs: endpoint }] }),
        ...aws,
        region: region as pulumi.Input<AwsRegion>,
    });
    const [looks, found] = await Promise.all([lookAtLogGroups(cloudwatch, provider), lookAtBuckets(buckets, provider)]);
    return { ...remembered, provider, looks, buckets: found };
}
