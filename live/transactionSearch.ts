import { CouldNotCheck } from "../core/lib/errors";
import { spansLogGroup } from "../core/routes/readers";
import {
    answered,
    callerIdentity,
    clientOptions,
    notAws,
    showCaller,
    type AwsAccess,
    type AwsPlace,
} from "./awsClient";
import { traceDestination } from "./awsRequests";
import type { Check, Findings, Live } from "./findings";

/** Whether AWS takes the spans that collectors send it over OTLP. */
export const transactionSearch: readonly Check[] = [{ title: "Transaction Search", look: findingsOf }];

/**
 * Whether AWS takes spans over OTLP: Transaction Search is on, and X-Ray may write to its log groups ("Enable transaction search"
 * in the CloudWatch user guide, 2026-11).
 */
async function findingsOf({ deployment: { cloudwatch }, aws: access }: Live): Promise<Findings> {
    if (cloudwatch?.signals.traces !== "otlp") {
        return undefined;
    }
    const { region, central } = cloudwatch;
    if (central && (await callerIdentity(region, access)).account !== central.account) {
        throw new CouldNotCheck(
            `Transaction Search of account ${central.account}: look with credentials of that account`,
            showCaller,
        );
    }
    const { Destination: destination = "XRay", Status: status = "" } = await traceDestination(region, access);
    if (destination !== "CloudWatchLogs") {
        return {
            severity: "problem",
            what: `Transaction Search is off in ${region}: spans go to ${destination}`,
            why: "kof:cloudwatch.signals.traces is otlp: AWS refuses every span, and the collectors drop what it refuses.",
            fix: `aws xray update-trace-segment-destination --region ${region} --destination CloudWatchLogs`,
        };
    }
    if (status !== "ACTIVE") {
        return {
            severity: "warning",
            what: `Transaction Search is ${status.toLowerCase()} in ${region}`,
            why: "AWS takes spans over OTLP once it is active.",
            fix: `aws xray get-trace-segment-destination --region ${region}`,
        };
    }
    const documents = await answered(
        "AWS does not list resource policies of logs",
        () => resourcePolicies(cloudwatch, access),
        access,
    );
    const isAllowed = documents.some((text) => text.includes("xray.amazonaws.com") && text.includes(spansLogGroup));
    return (
        !isAllowed && {
            severity: "problem",
            what: `no resource policy in ${region} lets xray.amazonaws.com write to log group ${spansLogGroup}`,
            why: "Transaction Search is on, but X-Ray cannot keep the spans that it takes.",
            fix: `aws logs describe-resource-policies --region ${region}`,
        }
    );
}

async function resourcePolicies(place: AwsPlace, access: AwsAccess): Promise<string[]> {
    const { CloudWatchLogs } = await import("@aws-sdk/client-cloudwatch-logs");
    const logs = new CloudWatchLogs(clientOptions(place, access));
    const documents: string[] = [];
    try {
        let nextToken: string | undefined;
        do {
            const page = await logs.describeResourcePolicies({ nextToken });
            if (!page.resourcePolicies) {
                throw new CouldNotCheck(notAws());
            }
            documents.push(...page.resourcePolicies.map(({ policyDocument = "" }) => policyDocument));
            nextToken = page.nextToken;
        } while (nextToken !== undefined);
    } finally {
        logs.destroy();
    }
    return documents;
}
