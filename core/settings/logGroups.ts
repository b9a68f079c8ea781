/** The tag that names the cluster which a log group is of: `kof:clusterName`. */
export const clusterTag = "kof-cluster";

/** The tag that names the stack which a log group is of, `PROJECT/STACK`. Two clusters of one account may have the same name. */
export const stackTag = "kof-stack";

/** The identity of a log group within an account: `NAME@REGION`, as the AWS provider has it in imports. */
export function logGroupKey(region: string, name: string): string {
    return `${name}@${region}`;
}

/** The log group of a cluster whose stack names none. */
export function defaultLogGroup(clusterName: string): string {
    return `/kof/${clusterName}`;
}

/** What {@link defaultLogGroup} was up to 0.1.0: stacks that were deployed with that keep it. */
export const formerLogGroup = "management";

/** The log group of the metrics, which stand there as log events in embedded metric format. */
export function metricsLogGroup(logGroup: string): string {
    return `${logGroup}-metrics`;
}

/** The maximum age of an event in hours: CloudWatch Logs refuses older ones. */
export const lookback = 14 * 24;

/**
 * The most hours for which an exporter may retry. It can never send what is older than CloudWatch Logs accepts. One day is left for
 * records that are not new when they arrive.
 */
export const longestTry = lookback - 24;
