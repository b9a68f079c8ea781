import assert from "node:assert/strict";

import { pairwise } from "../../tools/pairwise";

describe("a pairwise sample", () => {
    const factors = { a: [1, 2, 3], b: ["x", "y"], c: [undefined, []], d: [1, 2, 3, 4] };
    const pairsOf = (row: Readonly<Record<string, number>>) =>
        Object.entries(row).flatMap((one, i, all) => all.slice(i + 1).map((other) => [one, other].flat().join()));

    it("has every two choices together in fewer rows than there are", () => {
        const { rows, missing } = pairwise(factors, () => true);
        assert.equal(missing, 0);
        const order = (row: Readonly<Record<string, number>>) =>
            Object.fromEntries(Object.keys(factors).map((name) => [name, row[name]!]));
        // 3*2 + 3*2 + 3*4 + 2*2 + 2*4 + 2*4 pairs of choices.
        assert.equal(new Set(rows.map(order).flatMap(pairsOf)).size, 44);
        assert.ok(rows.length < 24, String(rows.length));
        assert.deepEqual(pairwise(factors, () => true).rows, rows);
    });

    it("counts those that no valid row has, and has no other row", () => {
        const isValid = ({ a, b }: Readonly<Record<string, number>>) => !(a === 0 && b === 1);
        const { rows, missing } = pairwise(factors, isValid);
        assert.equal(missing, 1);
        assert.ok(rows.every(isValid));
        assert.ok(rows.some(({ a, d }) => a === 0 && d === 3));
    });
});
