import assert from "node:assert/strict";

import { isMisspelling, nearestOf } from "../../../core/lib/spelling";

describe("spelling", () => {
    for (const [word, known, meant] of [
        ["HTTPS_PROXY", ["http", "https"], "https"],
        ["log_group", ["logGroup", "logStream"], "logGroup"],
        ["retenton", ["size", "retention"], "retention"],
        ["gizmo", ["size", "retention"], undefined],
    ] as const) {
        it(`suggests ${meant ?? "nothing"} for ${word}`, () => {
            assert.equal(nearestOf(word, known), meant);
        });
    }

    it("is judged more strictly where many words are similar", () => {
        assert.ok(isMisspelling("kubernets", "kubernetes", "namespace"));
        assert.ok(!isMisspelling("size", "sizes", "helmKey"));
        assert.ok(isMisspelling("size", "sizes", "value"));
    });
});
