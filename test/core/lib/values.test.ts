import assert from "node:assert/strict";

import fc from "fast-check";

import {
    coalesceValues,
    formatPath,
    leaves,
    mergeValues,
    nest,
    valueAt,
    type HelmValues,
} from "../../../core/lib/values";

const dictionary = (value: fc.Arbitrary<unknown>) =>
    fc.dictionary(fc.constantFrom("a", "b", "c"), value, { noNullPrototype: true });
const valuesWith = (...more: fc.Arbitrary<unknown>[]) =>
    dictionary(
        fc.letrec((tie) => ({
            value: fc.oneof(
                ...more,
                ...[fc.integer(), fc.string(), fc.boolean(), fc.array(fc.integer()), dictionary(tie("value"))],
            ),
        })).value,
    ) as fc.Arbitrary<HelmValues>;
const values = valuesWith();
const withNulls = valuesWith(fc.constant(null));

describe("values", () => {
    it("merge maps key by key and replace lists, as Helm does", () => {
        const merged = mergeValues({ a: { x: 1, y: [1, 2, 3] } }, { a: { y: [4], z: false } });
        assert.deepEqual(merged, { a: { x: 1, y: [4], z: false } });
    });

    it("merge lawfully", () => {
        fc.assert(
            fc.property(values, values, values, (a, b, c) => {
                assert.deepEqual(mergeValues(a, {}), mergeValues(a));
                assert.deepEqual(mergeValues(mergeValues(a, b), c), mergeValues(a, b, c));
                for (const [path, value] of leaves(b)) {
                    if (path.length > 0 && typeof value !== "object") {
                        assert.deepEqual(valueAt(mergeValues(a, b), path), value);
                    }
                }
            }),
        );
    });

    it("lose the keys that a null names when they are laid over a chart's defaults", () => {
        assert.deepEqual(coalesceValues({ a: { x: 1, y: null } }, { a: { x: null, z: 2 } }), { a: { z: 2 } });
        const replacer = (_: string, value: unknown) => value ?? undefined;
        fc.assert(
            fc.property(withNulls, withNulls, withNulls, (...layers) => {
                const merged = JSON.parse(JSON.stringify(mergeValues(...layers), replacer)) as HelmValues;
                assert.deepEqual(coalesceValues(...layers), merged);
            }),
        );
    });

    it("are found again where they were nested", () => {
        assert.equal(valueAt(nest(["a", "b/c", "d.e"], 7), ["a", "b/c", "d.e"]), 7);
        assert.equal(valueAt({ a: 1 }, ["a", "b"]), undefined);
        assert.equal(valueAt({}, ["constructor"]), undefined);
        assert.equal(formatPath(["a", "b/c", "d.e"]), 'a.b/c."d.e"');
    });
});
