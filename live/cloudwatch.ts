import {
    CloudWatchLogsClient,
    FilterLogEventsCommand,
    GetLogEventsCommand,
    type CloudWatchLogsClientConfig,
} from "@aws-sdk/client-cloudwatch-logs";

import { CouldNotCheck } from "../core/lib/errors";

/** Which events to look for. */
interface LogQuery {
    readonly region: string;
    readonly logGroup: string;
    /** The stream, as in KOF's own last step. Default: every stream of the group, where their names depend on the node. */
    readonly logStream?: string | undefined;
    /** CloudWatch Logs endpoint, where it is not the public one of the region. */
    readonly endpoint?: string | undefined;
    /** Only events since then. Default: any. */
    readonly since?: Date | undefined;
    /** Only events with this text in them. Default: any. */
    readonly containing?: string | undefined;
    /** At most so many. Default: 1. */
    readonly limit?: number;
}

/** One event as a collector wrote it. */
interface LogEvent {
    readonly time: Date;
    /** The exporter writes a record as JSON: body, attributes, resource. */
    readonly message: string;
}

/**
 * Reads events out of a log group, as the last step of KOF's page does (`aws logs get-log-events`): do logs arrive? Needs
 * `logs:GetLogEvents` on the stream, or `logs:FilterLogEvents` on the group, by the AWS SDK's usual chain of credentials.
 *
 * @param client more options of the AWS SDK's client: other credentials.
 * @throws what the AWS SDK throws: `ResourceNotFoundException` for a group or stream that does not exist,
 *     `AccessDeniedException`.
 */
export async function readLogEvents(query: LogQuery, client: CloudWatchLogsClientConfig = {}): Promise<LogEvent[]> {
    const { region, endpoint, limit = 1 } = query;
    const logs = new CloudWatchLogsClient({ region, ...(endpoint === undefined ? {} : { endpoint }), ...client });
    try {
        const found: LogEvent[] = [];
        for await (const { timestamp = 0, message = "" } of events(logs, query, limit)) {
            found.push({ time: new Date(timestamp), message });
            if (found.length === limit) {
                break;
            }
        }
        return found;
    } finally {
        logs.destroy();
    }
}

interface Event {
    readonly timestamp?: number | undefined;
    readonly message?: string | undefined;
}

/** The events page by page. A page may be empty although later ones are not. */
async function* events(logs: CloudWatchLogsClient, query: LogQuery, limit: number): AsyncGenerator<Event> {
    const { logGroup: logGroupName, logStream: logStreamName, since, containing } = query;
    const startTime = since?.getTime();
    if (logStreamName !== undefined && containing === undefined) {
        const page = await logs.send(new GetLogEventsCommand({ logGroupName, logStreamName, startTime, limit }));
        yield* eventsOf(page);
        return;
    }
    const filter = {
        logGroupName,
        startTime,
        limit,
        ...(logStreamName === undefined ? {} : { logStreamNames: [logStreamName] }),
        ...(containing === undefined ? {} : { filterPattern: JSON.stringify(containing) }),
    };
    let nextToken: string | undefined;
    do {
        const page = await logs.send(new FilterLogEventsCommand({ ...filter, nextToken }));
        yield* eventsOf(page);
        nextToken = page.nextToken;
    } while (nextToken !== undefined);
}

/** A page without a list is none of CloudWatch's: something in front of it has answered. */
function eventsOf({ events }: { readonly events?: readonly Event[] | undefined }): readonly Event[] {
    if (!events) {
        throw new CouldNotCheck("what answers for CloudWatch Logs lists no events");
    }
    return events;
}
