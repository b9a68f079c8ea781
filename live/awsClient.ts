import type { STS } from "@aws-sdk/client-sts";

import { arnParts } from "../core/lib/arns";
import { CouldNotCheck } from "../core/lib/errors";
import { reason } from "./http";

/** How a stack reaches AWS, as far as a client needs it. */
export interface AwsAccess {
    /** `aws:profile` of the stack. Default: the SDK's usual chain of credentials. */
    readonly profile?: string | undefined;
    /** `aws:assumeRoles` of the stack: roles that Pulumi takes on, each with the one before. Default: none. */
    readonly assumeRoles?: readonly RoleToAssume[] | undefined;
    /** Milliseconds that AWS has for an answer, logging in and further tries included. Default: 30 seconds. */
    readonly patience?: number | undefined;
}

/** A role to take on. */
export interface RoleToAssume {
    readonly roleArn: string;
    readonly externalId?: string | undefined;
    readonly sessionName?: string | undefined;
}

/** Where a client of the AWS SDK asks. */
export interface AwsPlace {
    readonly region: string;
    /** Where it is not the public endpoint of the region. */
    readonly endpoint?: string | undefined;
}

interface Credentials {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
    readonly expiration?: Date;
}

interface ClientOptions {
    readonly region: string;
    readonly endpoint?: string;
    readonly profile?: string;
    readonly credentials?: Credentials | (() => Promise<Credentials>);
    readonly requestHandler: object;
}

/** What a client of the AWS SDK is made with. Without the limits it waits for ever (SDK 3.1169, tried on 2026-11-27). */
export function clientOptions({ region, endpoint }: AwsPlace, { profile, assumeRoles = [] }: AwsAccess): ClientOptions {
    const role = assumeRoles.at(-1);
    const before = { profile, assumeRoles: assumeRoles.slice(0, -1) };
    return {
        region,
        ...(endpoint === undefined ? {} : { endpoint }),
        ...(profile === undefined ? {} : { profile }),
        ...(role ? { credentials: () => credentialsOf(role, clientOptions({ region }, before)) } : {}),
        requestHandler: { connectionTimeout: 5000, requestTimeout: 10_000, throwOnRequestTimeout: true },
    };
}

function credentialsOf(
    { roleArn, externalId, sessionName = "kof" }: RoleToAssume,
    options: ClientOptions,
): Promise<Credentials> {
    return withSts(options, async (sts) => {
        const asked = { RoleArn: roleArn, RoleSessionName: sessionName, ExternalId: externalId };
        const { Credentials: given } = await sts.assumeRole(asked);
        return {
            accessKeyId: given?.AccessKeyId ?? "",
            secretAccessKey: given?.SecretAccessKey ?? "",
            ...(given?.SessionToken === undefined ? {} : { sessionToken: given.SessionToken }),
            ...(given?.Expiration === undefined ? {} : { expiration: given.Expiration }),
        };
    });
}

/** What STS is asked, by a client of its own. */
export async function withSts<T>(options: ClientOptions, ask: (sts: STS) => Promise<T>): Promise<T> {
    // Loaded only here: most stacks have nothing in AWS.
    const sdk = await import("@aws-sdk/client-sts");
    const sts = new sdk.STS(options);
    try {
        return await ask(sts);
    } finally {
        sts.destroy();
    }
}

/** What a request to AWS takes along, so that it ends when nobody waits for it any more. */
interface RequestLimit {
    readonly abortSignal: AbortSignal;
}

/**
 * AWS's answer, with a time limit for the whole request. The SDK has no limit for a login program, and runs it twice.
 *
 * @param who is asked: AWS, or a store that is not AWS's.
 * @throws CouldNotCheck when the limit is over, and whatever `ask` throws.
 */
export async function inTime<T>(
    ask: (limit: RequestLimit) => Promise<T>,
    { patience = 30_000 }: AwsAccess,
    who = "AWS",
): Promise<T> {
    const end = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
            reject(
                new CouldNotCheck(
                    `${who} does not answer within ${String(patience / 1000)} s, logging in included`,
                    showCaller,
                ),
            );
            end.abort();
        }, patience);
    });
    try {
        return await Promise.race([ask({ abortSignal: end.signal }), limit]);
    } finally {
        clearTimeout(timer);
    }
}

/** The command that shows who asks AWS, and whether it answers. */
export const showCaller = "aws sts get-caller-identity";

/** Why AWS did not do what it was asked for. */
interface AwsFailure {
    /**
     * `stranger`: AWS, or the SDK before it asks, takes the credentials for none. `refusal`: AWS knows who asks, and says no.
     * `silence`: there is no answer, it is not AWS's (a proxy's 407, a page), or the next one may be another (a 503, throttling).
     */
    readonly is: "stranger" | "refusal" | "silence";
    /** In AWS's own words where there are any: `User … is not authorized to perform …`. */
    readonly said: string;
    /** The same with the code of the error before it: `AccessDenied: User …`. */
    readonly reason: string;
}

/** Codes for credentials that are none. */
const badCredentials =
    /^(CredentialsProviderError|TokenProviderError|InvalidClientTokenId|SignatureDoesNotMatch|InvalidSignatureException|IncompleteSignature|ExpiredToken|ExpiredTokenException|InvalidToken|InvalidAccessKeyId|MissingAuthenticationToken|UnrecognizedClientException|UnauthorizedException)$/;
/** Codes with which AWS asks to come back later, whatever the HTTP status. */
const askedToWait = /Throttl|TooManyRequests|LimitExceeded|SlowDown|Unavailable|^Internal|RequestTimeout/;
/** What an error is called that has no code of AWS in it (SDK 3.1169, tried with pages, empty answers and none, 2026-11-27). */
const withoutCode = /^(Error|Unknown|UnknownError|SyntaxError|TypeError|AbortError|TimeoutError)$/;

/** Why an answer is none of AWS's: a page in its place, or one without what was asked for. */
export function notAws(status = 200): string {
    return `HTTP ${String(status)}, and what answers is not AWS`;
}

/** Sorts what a client of the AWS SDK throws, or {@link inTime} does. */
export function awsFailure(error: unknown): AwsFailure {
    if (error instanceof CouldNotCheck) {
        return { is: "silence", said: error.message, reason: error.message };
    }
    const { name, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    const status = $metadata?.httpStatusCode;
    if (withoutCode.test(name)) {
        const said =
            status === undefined ? reason(error).replace(/^(Request )?aborted$/i, "no answer in time") : notAws(status);
        return { is: "silence", said, reason: said };
    }
    const said = reason(error);
    const is = badCredentials.test(name)
        ? "stranger"
        : askedToWait.test(name) || status === undefined || status >= 500
          ? "silence"
          : "refusal";
    return { is, said, reason: said === name ? name : `${name}: ${said}` };
}

/**
 * What AWS says in an error.
 *
 * @throws CouldNotCheck where it says nothing.
 */
export function answerIn(error: unknown): AwsFailure {
    if (error instanceof CouldNotCheck) {
        throw error;
    }
    const failure = awsFailure(error);
    if (failure.is === "silence") {
        throw new CouldNotCheck(`AWS does not answer: ${failure.reason}`, showCaller);
    }
    return failure;
}

/**
 * What AWS answers where only an answer helps.
 *
 * @param what was asked for, as the start of a sentence: `AWS does not list log groups`.
 * @throws CouldNotCheck when AWS refuses, or does not answer in time.
 */
export async function answered<T>(
    what: string,
    ask: (limit: RequestLimit) => Promise<T>,
    access: AwsAccess,
    who?: string,
): Promise<T> {
    try {
        return await inTime(ask, access, who);
    } catch (error) {
        throw new CouldNotCheck(`${what}: ${awsFailure(error).reason}`, showCaller);
    }
}

/** AWS does not recognise the credentials of the user. */
export class UnknownCaller extends CouldNotCheck {}

/**
 * Who asks AWS.
 *
 * @throws UnknownCaller when AWS knows nobody by these credentials, or lets nobody into a role that the stack takes on.
 * @throws CouldNotCheck when AWS does not say.
 */
export async function callerIdentity(
    region: string,
    access: AwsAccess,
): Promise<{ readonly arn: string; readonly account: string }> {
    try {
        const { Arn: arn } = await withSts(clientOptions({ region }, access), (sts) =>
            inTime((limit) => sts.getCallerIdentity({}, limit), access),
        );
        if (arn === undefined) {
            throw new CouldNotCheck(`AWS does not answer: ${notAws()}`, showCaller);
        }
        return { arn, account: arnParts(arn).account };
    } catch (error) {
        throw new UnknownCaller(`AWS does not know who you are: ${answerIn(error).said}`);
    }
}
