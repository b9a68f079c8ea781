import type { z } from "zod";

/** What the operator needs to know of a setting: shown in errors, in Pulumi.yaml, in docs/settings.md and by editors. */
export interface About {
    readonly description: string;
    /** The text after "Allowed: ". */
    readonly allowed: string;
    /** A value to paste. */
    readonly example: unknown;
    /**
     * A better example, made from the value found and from the settings beside it in the same map; `undefined` if there is none.
     */
    readonly exampleBeside?: (found: unknown, beside: Readonly<Record<string, unknown>>) => unknown;
    /** What was probably meant by a value that is not allowed. It is pasted instead of the example. */
    readonly mend?: (found: unknown) => unknown;
    /**
     * What a missing value should be, given the values around it. It has to be valid.
     *
     * @param around the whole setting, then each value on the path to this one.
     */
    readonly suits?: (around: readonly unknown[]) => unknown;
    /** Why a value is not allowed, if that is not obvious. */
    readonly why?: (found: unknown) => string | undefined;
}

/** The schema of a setting without its wrappers, such as `optional()`. */
export type Schema = z.ZodType & {
    shape?: Record<string, Schema>;
    options?: Schema[];
    element?: Schema;
    def: { type: string; innerType?: Schema; valueType?: Schema; format?: string; values?: readonly unknown[] };
};

/** Attaches this information to a schema. */
export function about<T extends z.ZodType>(schema: T, meta: About): T {
    return schema.meta({ ...meta });
}
