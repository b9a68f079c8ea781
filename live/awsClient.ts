import { CouldNotCheck } from "../core/lib/errors";

/** How a stack reaches AWS, as far as a client needs it. */
export interface AwsAccess {
    /** `aws:profile` of the stack. Default: the SDK's usual chain of credentials. */
    readonly profile?: string | undefined;
    /** Milliseconds that AWS has for an answer, logging in and further tries included. Default: 30 seconds. */
    readonly patience?: number | undefined;
}

/** Where a client of the AWS SDK asks. */
export interface AwsPlace {
    readonly region: string;
    /** Where it is not the public endpoint of the region. */
    readonly endpoint?: string | undefined;
}

/** What a client of the AWS SDK is made with. Without the limits it waits for ever (SDK 3.1169, tried on 2026-11-27). */
export function clientOptions({ region, endpoint }: AwsPlace, { profile }: AwsAccess) {
    return {
        region,
        ...(endpoint === undefined ? {} : { endpoint }),
        ...(profile === undefined ? {} : { profile }),
        requestHandler: { connectionTimeout: 5000, requestTimeout: 10_000, throwOnRequestTimeout: true },
    };
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
