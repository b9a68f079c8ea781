import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";

import { quotedWord, shellWord } from "../../../core/lib/shell";

describe("a word for a shell", () => {
    it("is what a shell reads", () => {
        for (const text of ["a", "a b", "it's", '{"a":"$(id) `id`"}', "*", "a\\b\nc", "", "~", "--x=1/2:3,4", "…"]) {
            for (const word of [quotedWord(text), shellWord(text)]) {
                assert.equal(spawnSync("sh", ["-c", `printf %s ${word}`], { encoding: "utf8" }).stdout, text);
            }
        }
        assert.equal(shellWord("--from-file=ca.crt"), "--from-file=ca.crt");
    });
});
