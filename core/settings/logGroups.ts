/** The tag that names the cluster which a log group is of: `kof:clusterName`. */
export const clusterTag = "kof-cluster";

/** The tag that names the stack which a log group is of, `PROJECT/STACK`. Two clusters of one account may have the same name. */
export const stackTag = "kof-stack";

/** What tells one log group of an account from another: `NAME@REGION`, as the AWS provider has it in imports. */
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

/** Hours that CloudWatch Logs looks back: it takes no event that is older. */
export const lookback = 14 * 24;

/**
 * Most hours for which an exporter may try: what it tries for longer than CloudWatch Logs looks back it can never send, and a
 * day is left for records that are not new when they come.
 */
export const longestTry = lookback - 24;
