import assert from "node:assert/strict";

import { code, fenced, harmless, htmlCode, plain } from "../../../core/lib/markdown";

describe("a page that others have written into", () => {
    it("mentions nobody, links nothing, and has no picture or HTML of theirs", () => {
        for (const [text, expected] of [
            ["for @octocat, a@b.example", "for @&#8203;octocat, a@&#8203;b.example"],
            ["org/repo#12, #7, GH-3", "org/repo#&#8203;12, #&#8203;7, GH-&#8203;3"],
            ["![x](https://e.example)", "!&#91;x&#93;(https&#8203;://e.example)"],
            ["<img src=x> www.e.example", "&#60;img src=x> www&#8203;.e.example"],
            // What is decoded, or escaped twice.
            ["&#64;octocat", "&#38;#&#8203;64;octocat"],
            ["\\\\<img>", "\\\\&#60;img>"],
            // What plain() has escaped stays so.
            ["\\<img> \\[x\\](y)", "\\<img> \\[x\\](y)"],
            // Code stays as it is, with signs of its own line only.
            ["`@a #1` @b", "`@a #1` @&#8203;b"],
            ["``a`@b`` @c", "``a`@b`` @&#8203;c"],
            ["one ` @a\ntwo `@b`", "one &#96; @&#8203;a\ntwo `@b`"],
            ["```text\n@a <b>\n```\n@c", "```text\n@a <b>\n```\n@&#8203;c"],
            ["````\n```\n@a\n````\n@c", "````\n```\n@a\n````\n@&#8203;c"],
            ["a<br>b # c - **d** [0]", "a<br>b # c - **d** &#91;0&#93;"],
            ["a\u202eb\u001b[2J", "a\\u202eb\\u001b&#91;2J"],
        ] as const) {
            assert.equal(harmless(text), expected);
        }
    });

    it("has a name as it is in code, which it does not end", () => {
        assert.equal(harmless(code("@octocat")), "`@octocat`");
        assert.equal(harmless(code("a`@octocat`")), "a&#96;@&#8203;octocat&#96;");
        assert.equal(harmless(plain("a`|@b\nc")), "a&#96;\\|@&#8203;b c");
        assert.equal(htmlCode("a</code><img>@b.yaml"), "<code>a&#60;/code&#62;&#60;img&#62;&#64;b.yaml</code>");
        assert.equal(htmlCode("www.e.example"), "<code>www&#46;e.example</code>");
        assert.equal(fenced("text", "```\n\u202e"), "````text\n```\n\\u202e\n````");
    });
});
