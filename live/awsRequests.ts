import type { STS } from "@aws-sdk/client-sts";
import { SignatureV4 } from "@smithy/signature-v4";

import { CouldNotCheck } from "../core/lib/errors";
import { domainOf } from "../core/lib/arns";
import { awsFailure, clientOptions, inTime, showCaller, withSts, type AwsAccess } from "./awsClient";
import { jsonObject, persistently, send, type Response } from "./http";

/** Services of AWS that this program asks without a client of AWS's SDK, and the SDK's variable that has another endpoint. */
const endpointVariables = { monitoring: "AWS_ENDPOINT_URL_CLOUDWATCH", xray: "AWS_ENDPOINT_URL_XRAY" } as const;

/** One request. */
export interface AwsRequest {
    readonly service: keyof typeof endpointVariables;
    readonly region: string;
    readonly path: string;
    /** What the body is: JSON, or the fields of a form. */
    readonly json?: object;
    readonly form?: Readonly<Record<string, string>>;
}

/**
 * Asks a service of AWS with a signature (SigV4), within the limit for AWS.
 *
 * @throws CouldNotCheck where there are no credentials, or no answer.
 */
export async function askAws(request: AwsRequest, access: AwsAccess): Promise<Response> {
    const { service, region, path, json, form = {} } = request;
    const base = process.env[endpointVariables[service]] ?? `https://${service}.${region}.${domainOf(region)}`;
    const url = new URL(path, base);
    const body = json ? JSON.stringify(json) : new URLSearchParams(form).toString();
    const ask = async ({ config: { credentials, sha256 } }: STS) => {
        const signed = await new SignatureV4({ credentials, region, service, sha256 }).sign({
            method: "POST",
            protocol: url.protocol,
            hostname: url.hostname,
            path: url.pathname,
            headers: {
                host: url.host,
                "content-type": json ? "application/json" : "application/x-www-form-urlencoded",
            },
            body,
        });
        // It only reads, and the signature is good for minutes.
        return persistently(() => send(url, { method: "POST", headers: signed.headers }, { body }));
    };
    try {
        return await withSts(clientOptions({ region }, access), (sts) => inTime(() => ask(sts), access));
    } catch (error) {
        throw new CouldNotCheck(`${url.host} cannot be asked: ${awsFailure(error).said}`, showCaller);
    }
}

/**
 * The object in AWS's answer.
 *
 * @param before how the error starts where there is none.
 * @throws CouldNotCheck for a refusal, and for what is no answer of AWS, such as a proxy's page.
 */
export function answerOf({ status, body }: Response, before: string): object {
    if (status !== 200) {
        const [, message = ""] = /"(?:message|Message|error)"\s*:\s*"([^"]*)"/.exec(body) ?? [];
        throw new CouldNotCheck(`${before} HTTP ${String(status)}${message === "" ? "" : `: ${message}`}`, showCaller);
    }
    const found = jsonObject(body);
    if (!found) {
        throw new CouldNotCheck(`${before} what is no answer: ${body.trim().slice(0, 60)}`, showCaller);
    }
    return found;
}

/**
 * Where X-Ray keeps spans, and whether it does so already.
 *
 * @throws CouldNotCheck where X-Ray does not say.
 */
export async function traceDestination(
    region: string,
    access: AwsAccess,
): Promise<{ readonly Destination?: string; readonly Status?: string }> {
    const answer = await askAws({ service: "xray", region, path: "/GetTraceSegmentDestination", json: {} }, access);
    return answerOf(answer, "X-Ray does not say where it keeps spans (xray:GetTraceSegmentDestination):");
}
