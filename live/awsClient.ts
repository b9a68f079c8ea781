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
    readonly credentials?: () => Promise<Credentials>;
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

async function credentialsOf(
    { roleArn, externalId, sessionName = "kof" }: RoleToAssume,
    options: ClientOptions,
): Promise<Credentials> {
    const { AssumeRoleCommand, STSClient } = await import("@aws-sdk/client-sts");
    const client = new STSClient(options);
    try {
        const asked = { RoleArn: roleArn, RoleSessionName: sessionName, ExternalId: externalId };
        const { Credentials: given } = await client.send(new AssumeRoleCommand(asked));
        return {
            accessKeyId: given?.AccessKeyId ?? "",
            secretAccessKey: given?.SecretAccessKey ?? "",
            ...(given?.SessionToken === undefined ? {} : { sessionToken: given.SessionToken }),
            ...(given?.Expiration === undefined ? {} : { expiration: given.Expiration }),
        };
    } finally {
        client.destroy();
    }
}

/**
 * What AWS answers, within a limit for all of it: a program that logs in has none in the SDK, which runs it twice.
 *
 * @throws CouldNotCheck when the limit is over, and whatever `ask` throws.
 */
export async function inTime<T>(ask: () => Promise<T>, { patience = 30_000 }: AwsAccess): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
            reject(new CouldNotCheck(`AWS does not answer within ${String(patience / 1000)} s, logging in included`));
        }, patience);
    });
    try {
        return await Promise.race([ask(), limit]);
    } finally {
        clearTimeout(timer);
    }
}

/** Options of one command of a client that has ten seconds for an answer with its body, and for all that is tried again. */
export function limited(): { readonly abortSignal: AbortSignal } {
    return { abortSignal: AbortSignal.timeout(10_000) };
}

/** Why AWS gave no answer, or refused: `AccessDenied: User … is not authorized`. */
export function awsReason(error: unknown): string {
    const { name } = error as Error;
    const said = reason(error).replace(/^(Request )?aborted$/i, "no answer in time");
    return /^(Error|Unknown|AbortError|TimeoutError)$/.test(name) ? said : `${name}: ${said}`;
}

/**
 * The account of whoever runs this.
 *
 * @throws CouldNotCheck where AWS does not say.
 */
export async function ownAccount(region: string, access: AwsAccess): Promise<string> {
    const { GetCallerIdentityCommand, STSClient } = await import("@aws-sdk/client-sts");
    const client = new STSClient(clientOptions({ region }, access));
    try {
        return (await inTime(() => client.send(new GetCallerIdentityCommand({})), access)).Account ?? "";
    } catch (error) {
        throw silence(error) ?? new CouldNotCheck(`AWS does not know who you are: ${(error as Error).message}`);
    } finally {
        client.destroy();
    }
}

/** Why AWS does not answer; `undefined` where it did, and refused. */
export function silence(error: unknown): CouldNotCheck | undefined {
    if (error instanceof CouldNotCheck) {
        return error;
    }
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    const isRefusal = [400, 401, 403].includes($metadata?.httpStatusCode ?? 0);
    return isRefusal ? undefined : new CouldNotCheck(`AWS does not answer: ${message || name}`);
}
