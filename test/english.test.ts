import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";

/** Phrases that readers stumble over, with what to write instead. */
const phrases: readonly (readonly [RegExp, string])[] = [
    [/\banew\b/i, "again; recreated"],
    [/\bcould not look\b/i, "could not check"],
    [/\bas a person reads\b/i, "human-readable"],
    [/\bwhat [\w` ]{1,40} comes? to\b/i, "resolves to"],
    [/\bthere is none such\b/i, "there is none"],
    [/\bnought\b|\bthereof\b|\bin its stead\b/i, "a usual word"],
    [/\bopposite order\b/i, "reverse order"],
    [/\bmended (after|in)\b/i, "fixed"],
    [/\blikewise\b/i, "in the same way"],
    [/\bwhoever (makes|made|wrote|switched)\b/i, "no matter who"],
];

describe("English", () => {
    it("has none of the phrases that readers stumble over", () => {
        const { stdout } = spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
            encoding: "utf8",
            maxBuffer: 1e8,
        });
        const files = stdout
            .split("\n")
            .filter((file) => /\.(ts|js|md)$/.test(file) && file !== "CHANGELOG.md" && file !== "test/english.test.ts");
        assert.ok(files.includes("README.md") && files.includes("index.ts"));
        const found = files
            .filter((file) => fs.existsSync(file))
            .flatMap((file) => {
                const lines = fs.readFileSync(file, "utf8").split("\n");
                return lines.flatMap((line, i) =>
                    phrases.flatMap(([phrase, instead]) =>
                        phrase.test(line)
                            ? [`${file}:${String(i + 1)}: "${phrase.exec(line)?.[0] ?? ""}"; write: ${instead}`]
                            : [],
                    ),
                );
            });
        assert.deepEqual(found, []);
    });
});
