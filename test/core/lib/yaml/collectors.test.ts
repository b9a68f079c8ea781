import assert from "node:assert/strict";

import { isTextToCollectors } from "../../../../core/lib/yaml/read";

describe("the value of a variable", () => {
    // Each tried as the header of an exporter with a collector of contrib 0.143.0 (2026-11-27).
    const refused = ["12345", "1.5", "true", "a: b", "[a]", "2020-01-01", "0x1f", "1_000", "- a", "1e3", "key: "];
    const taken = [
        "",
        "null",
        "~",
        "Bearer x",
        "Basic a:b",
        "*a",
        "&a",
        "#a",
        "'a",
        "%a",
        "yes",
        "{a",
        "a #b",
        '"q"',
        "!x",
    ];

    it("is text to collectors where they start with it", () => {
        assert.deepEqual(refused.filter(isTextToCollectors), []);
        assert.deepEqual(
            taken.filter((each) => !isTextToCollectors(each)),
            [],
        );
    });
});
