import assert from "node:assert/strict";

import { printable } from "../../../core/lib/printable";

describe("printable", () => {
    it("shows what a terminal would obey, and leaves lines, tabs and other scripts alone", () => {
        assert.equal(printable("a\u001b[2Jb\rc\u0007\u009bd\u202ee"), "a\\u001b[2Jb\\u000dc\\u0007\\u009bd\\u202ee");
        const plain = "zwei\tZeilen\nüber 日本語 🙂";
        assert.equal(printable(plain), plain);
    });
});
