/** What may be chosen, by what it is chosen for. */
type Factors = Readonly<Record<string, readonly unknown[]>>;

/** One choice for each factor, by its place among what may be chosen. */
export type Choice = Readonly<Record<string, number>>;

/**
 * Rows in which every two choices for two factors come together at least once, where any row that is valid has them. Always the same for
 * the same factors.
 *
 * @returns the rows, and how many pairs of choices are in none, because each row with them that was tried is not valid.
 */
export function pairwise(
    factors: Factors,
    isValid: (row: Choice) => boolean,
): { readonly rows: readonly Choice[]; readonly missing: number } {
    const names = Object.keys(factors);
    const idOf = (...choices: readonly (readonly [string, number])[]) =>
        choices
            .map((each) => each.join("="))
            .sort()
            .join();
    const open = new Map(
        names.flatMap((one, i) =>
            names
                .slice(i + 1)
                .flatMap((other) =>
                    [...(factors[one] ?? []).keys()].flatMap((a) =>
                        [...(factors[other] ?? []).keys()].map((b): [string, Choice] => [
                            idOf([one, a], [other, b]),
                            { [one]: a, [other]: b },
                        ]),
                    ),
                ),
        ),
    );
    const rows: Choice[] = [];
    let missing = 0;
    for (let next = open.entries().next(); next.value; next = open.entries().next()) {
        const [id, pair] = next.value;
        const row = completed(pair, factors, (...choices) => open.has(idOf(...choices)), isValid);
        if (row) {
            rows.push(row);
        } else {
            missing += 1;
        }
        open.delete(id);
        const chosen = Object.entries(row ?? {});
        for (const [i, one] of chosen.entries()) {
            for (const other of chosen.slice(i + 1)) {
                open.delete(idOf(one, other));
            }
        }
    }
    return { rows, missing };
}

/** How often another row is tried, where one is not valid. */
const tries = 24;

/** A valid row with two choices, and such others as have not come together yet. */
function completed(
    pair: Choice,
    factors: Factors,
    isOpen: (...choices: readonly (readonly [string, number])[]) => boolean,
    isValid: (row: Choice) => boolean,
): Choice | undefined {
    for (let shift = 0; shift < tries; shift++) {
        const row: Record<string, number> = { ...pair };
        for (const [place, [name, choices]] of Object.entries(factors).entries()) {
            if (!(name in pair)) {
                const chosen = Object.entries(row);
                const gain = (choice: number) => chosen.filter((each) => isOpen(each, [name, choice])).length;
                // From another one on each time, and for each factor at another pace.
                const order = [...choices.keys()].map((i) => (i + shift * (place + 1)) % choices.length);
                row[name] = shift < tries / 2 ? best(order, gain) : (order[0] ?? 0);
            }
        }
        if (isValid(row)) {
            return row;
        }
    }
    return undefined;
}

function best(order: readonly number[], gain: (choice: number) => number): number {
    return order.reduce((found, each) => (gain(each) > gain(found) ? each : found), order[0] ?? 0);
}
