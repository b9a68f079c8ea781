import assert from "node:assert/strict";

import { printable, printableJson } from "../../../core/lib/printable";

describe("printable", () => {
    it("shows what a terminal would obey, and leaves lines, tabs and other scripts alone", () => {
        assert.equal(printable("a\u001b[2Jb\rc\u0007\u009bd\u202ee"), "a\\u001b[2Jb\\u000dc\\u0007\\u009bd\\u202ee");
        const plain = "zwei\tZeilen\nüber 日本語 🙂";
        assert.equal(printable(plain), plain);
    });

    it("writes JSON that shows it too, and says the same", () => {
        const value = { "a\u009b": ["\u001b]0;x\u0007", "b\u202ec\u2066", "zwei\nZeilen"] };
        const text = printableJson(value);
        assert.equal(printable(text), text);
        assert.deepEqual(JSON.parse(text), value);
        assert.match(text, /b\\u202ec\\u2066/);
    });
});
