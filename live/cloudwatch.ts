import {
    CloudWatchLogsClient,
    FilterLogEventsCommand,
    type CloudWatchLogsClientConfig,
} from "@aws-sdk/client-cloudwatch-logs";

/** Which events to look for. */
export interface LogQuery {
    readonly region: string;
    readonly logGroup: string;
    /** Only streams whose name starts so. Default: every stream of the group. */
    readonly logStreamPrefix?: string | undefined;
    /** CloudWatch Logs endpoint, where it is not the public one of the region. */
    readonly endpoint?: string | undefined;
    /** Only events since then. Default: any. */
    readonly since?: Date | undefined;
    /** At most so many. Default: 1. */
    readonly limit?: number;
}

/** One event as a collector wrote it. */
export interface LogEvent {
    readonly stream: string;
    readonly time: Date;
    /** The exporter writes a record as JSON: body, attributes, resource. */
    readonly message: string;
}

/**
 * Reads events of a log group, as the last step of KOF's page does for one stream: whether logs arrive in CloudWatch.
 * Needs `logs:FilterLogEvents` on the group, by the AWS SDK's usual chain of credentials unless `client` has others.
 *
 * @throws what the AWS SDK throws: `ResourceNotFoundException` for a group that does not exist, `AccessDeniedException`.
 */
export async function readLogEvents(query: LogQuery, client: CloudWatchLogsClientConfig = {}): Promise<LogEvent[]> {
    const { region, endpoint, logGroup, logStreamPrefix, since, limit = 1 } = query;
    const logs = new CloudWatchLogsClient({ region, ...(endpoint === undefined ? {} : { endpoint }), ...client });
    try {
        const found: LogEvent[] = [];
        let nextToken: string | undefined;
        // A page may be empty although later ones are not.
        do {
            const page = await logs.send(
                new FilterLogEventsCommand({
                    logGroupName: logGroup,
                    logStreamNamePrefix: logStreamPrefix,
                    startTime: since?.getTime(),
                    limit,
                    nextToken,
                }),
            );
            for (const { logStreamName = "", timestamp = 0, message = "" } of page.events ?? []) {
                found.push({ stream: logStreamName, time: new Date(timestamp), message });
            }
            nextToken = page.nextToken;
        } while (found.length < limit && nextToken !== undefined);
        return found.slice(0, limit);
    } finally {
        logs.destroy();
    }
}
