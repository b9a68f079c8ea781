import type { z } from "zod";

/** What the operator needs to know of a setting: shown in errors, in Pulumi.yaml, in docs/settings.md and by editors. */
export interface About {
    readonly description: string;
    /** What is allowed, as it follows "Allowed: ". */
    readonly allowed: string;
    /** A value to paste. */
    readonly example: unknown;
    /**
     * An example that fits what somebody wrote, and what stands beside it in the same map, to paste before the example; `undefined`
     * where there is none.
     */
    readonly exampleBeside?: (found: unknown, beside: Readonly<Record<string, unknown>>) => unknown;
    /** What was probably meant by a value that is not allowed, to paste instead of the example. */
    readonly mend?: (found: unknown) => unknown;
    /**
     * What is meant where there is nothing, by what is around it, which has to be right.
     *
     * @param around the whole setting, and then every value on the way to this one.
     */
    readonly suits?: (around: readonly unknown[]) => unknown;
    /** Why a value is not allowed, where that is hard to guess. */
    readonly why?: (found: unknown) => string | undefined;
}

/** The schema of a setting, below whatever wraps it. */
export type Schema = z.ZodType & {
    shape?: Record<string, Schema>;
    options?: Schema[];
    element?: Schema;
    def: { type: string; innerType?: Schema; valueType?: Schema; format?: string; values?: readonly unknown[] };
};

/** A schema that says this of itself. */
export function about<T extends z.ZodType>(schema: T, meta: About): T {
    return schema.meta({ ...meta });
}
