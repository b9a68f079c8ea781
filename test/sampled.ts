/** Whether to try all of what `npm test` takes a sample of: `npm run test:properties`. */
const isWhole = process.env.SAMPLED === "whole";

/**
 * How often a property runs, and on which inputs: in `npm test` a few times and on the same ones each time, in
 * `npm run test:properties` many times and on others each time. `FUZZ_RUNS` and `FUZZ_SEED` say otherwise.
 */
export function runs(few: number, many: number): { readonly numRuns: number; readonly seed: number } {
    const { FUZZ_RUNS, FUZZ_SEED } = process.env;
    return {
        numRuns: Number(FUZZ_RUNS ?? (isWhole ? many : few)),
        seed: Number(FUZZ_SEED ?? (FUZZ_RUNS === undefined ? 20261127 : Date.now() % 2 ** 31)),
    };
}

/** So many of a list, from all over it and the same ones each time; in `npm run test:properties` all of them. */
export function sample<T>(all: readonly T[], few: number): readonly T[] {
    const step = isWhole ? 1 : Math.max(1, all.length / few);
    return all.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
}
