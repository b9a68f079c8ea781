import assert from "node:assert/strict";

import fc from "fast-check";
import { parse } from "yaml";

import { parseStackFile } from "../../../../cli/stackFile";
import { asHelm, asPulumi, parsedWithoutQuotes, withoutQuotes } from "../../../../core/lib/yaml/read";
import { runs } from "../../../sampled";

/** Words without quotes, and what Go's readers make of them: Helm's, and Pulumi's where it differs (tried 2026-11-27). */
const found: readonly (readonly [word: string, helm: unknown, pulumi?: unknown])[] = [
    ["no", false, "no"],
    ["y", true, "y"],
    ["N", false, "N"],
    ["off", false, "off"],
    ["Yes", true, "Yes"],
    ["yES", "yES"],
    ["TRUE", true],
    ["tRue", "tRue"],
    ["~", null],
    ["Null", null],
    ["nUll", "nUll"],
    ["=", "="],
    ["1_000", 1000],
    ["-_1", -1],
    ["_1", "_1"],
    ["010", 8],
    ["0o10", 8],
    ["0O7", 7],
    ["08", 8],
    ["0b11", 3],
    ["0x1F", 31],
    ["+0X1f", 31],
    ["0x1p3", "0x1p3"],
    ["1:30", "1:30"],
    [".5", 0.5],
    ["5.", 5],
    ["1e3", 1000],
    ["1.10", 1.1],
    ["1e400", "1e400"],
    ["9007199254740993", 9007199254740992, 9007199254740993n],
    ["123456789012345678901234567890", 1.2345678901234568e29],
    ["2001-1-1", "2001-1-1", "2001-01-01 00:00:00 +0000 UTC"],
    ["2001-02-30", "2001-02-30"],
    ["2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.1 -0500 -0500"],
    ["2001-12-14 21:59:43.10", "2001-12-14 21:59:43.10", "2001-12-14 21:59:43.1 +0000 UTC"],
    ["2001-12-14 21:59:43.10 -5", "2001-12-14 21:59:43.10 -5"],
];

describe("a word without quotes", () => {
    for (const [word, helm, pulumi = helm] of found) {
        it(`${word} is to Helm and Pulumi what it is here`, () => {
            assert.deepEqual(parse(word, asHelm), helm);
            assert.deepEqual(parse(word, asPulumi), pulumi);
        });
    }

    it("is what it is in quotes, or tagged as text", () => {
        for (const options of [asHelm, asPulumi]) {
            assert.deepEqual(parse(`["no", '010', !!str 1_000, "~"]`, options), ["no", "010", "1_000", "~"]);
        }
    });

    it("is what its tag says, to Helm", () => {
        const texts =
            "[!!int '5', !!int 0o17, !!float '5', !!bool 'yes', !!null '', !!binary aGVsbG8=, !!timestamp 2026-01-01]";
        assert.deepEqual(parse(texts, asHelm), [5, 15, 5, true, null, "hello", "2026-01-01"]);
        assert.deepEqual(parse("{a: !!set {b, c}, d: !!omap [e: 1], f: !!pairs [g: 2]}", asHelm), {
            a: { b: null, c: null },
            d: [{ e: 1 }],
            f: [{ g: 2 }],
        });
        for (const text of ["!!int x", "!!bool 1", "!!null 0", "!!float 1e400", "!!binary '!!'"]) {
            assert.throws(() => parse(text, asHelm) as unknown, /a value with the tag !!\w+ is no/, text);
        }
    });

    it("is the same to the parser and without it (sampled)", () => {
        const sign = fc.constantFrom(...Array.from("aeinofxyNOY01897_.+-/@: #~"));
        fc.assert(
            fc.property(
                fc.oneof(fc.string({ unit: sign, maxLength: 6 }), fc.constantFrom(...found.map(([word]) => word))),
                (text) => {
                    assert.deepEqual(withoutQuotes(text), parsedWithoutQuotes(text));
                },
            ),
            runs(150, 1000),
        );
    });

    it("is a key too", () => {
        assert.deepEqual(parse("{no: 1, 010: 2, <<: {a: 3}}", asHelm), { false: 1, 8: 2, a: 3 });
        assert.deepEqual(parse("{no: 1, 010: 2, 2001-01-01: 3}", asPulumi), {
            no: 1,
            8: 2,
            "2001-01-01 00:00:00 +0000 UTC": 3,
        });
    });

    it("is refused where JSON has no such number", () => {
        for (const word of [".inf", "-.Inf", ".NaN"]) {
            assert.throws(() => parse(word, asHelm), /a number that JSON does not have/);
            assert.throws(() => parseStackFile(`config: {a:a: ${word}}`, "x.yaml"), {
                name: "UserError",
                message: /x\.yaml is not YAML: .* is a number that JSON does not have/,
            });
        }
    });
});

describe("a stack file", () => {
    it("is handed on as Pulumi does", () => {
        const { config } = parseStackFile(
            "config:\n  a:text: no\n  a:octal: 010\n  a:date: 2001-01-01\n  a:nothing:\n  a:large: 12345678901234567890\n" +
                "  a:true: True\n  a:map: {no: [010, 9007199254740993, ~, 2001-01-01]}\n",
            "x.yaml",
        );
        assert.deepEqual(config, {
            "a:text": "no",
            "a:octal": "8",
            "a:date": "2001-01-01 00:00:00 +0000 UTC",
            "a:nothing": "",
            "a:large": "12345678901234567890",
            "a:true": "true",
            "a:map": '{"no":[8,9007199254740992,null,"2001-01-01 00:00:00 +0000 UTC"]}',
        });
    });
});
