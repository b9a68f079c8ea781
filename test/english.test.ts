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
    [/\breading positions?\b/i, "read positions"],
];

/** Phrases that readers of the pages for users stumble over. */
const onPages: readonly (readonly [RegExp, string])[] = [
    [/\b(be)?comes? of\b/i, "happens to; results from"],
    [/\b(is|are|be|was|were) told\b/i, "receives; knows"],
    [/\b(do|does) not tell\b/i, "does not say"],
    [/\b(is|are|be) said by\b/i, "says"],
    [/\bgo(es)? on\b/i, "continues"],
    [/\blets? [a-z ]{0,20}\bgo\b/i, "no longer manages; resumes"],
    [/\bis of no\b|\b(is|are) no (text|YAML)\b/i, "is not"],
    [/\bmend(s|ed|ing)?\b/i, "fix; correct"],
    [/\bnobody's\b/i, "of nobody"],
    [/\bstands? in (a|an|the|each|it|them|their|its)\b/i, "is in"],
    [/\bthe picture\b/i, "the diagram"],
    [/\bwhere (it has|there is|there are) none\b/i, "if there is none"],
    [/\bwhoever\b/i, "everyone who"],
    [/\bwithout a word\b/i, "without a message"],
];

/** README.md and the like, and docs/, but not what is generated from the settings. */
const isPage = (file: string) => /^([A-Z]+|docs\/.*)\.md$/.test(file) && file !== "docs/settings.md";

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
                    [...phrases, ...(isPage(file) ? onPages : [])].flatMap(([phrase, instead]) =>
                        phrase.test(line)
                            ? [`${file}:${String(i + 1)}: "${phrase.exec(line)?.[0] ?? ""}"; write: ${instead}`]
                            : [],
                    ),
                );
            });
        assert.deepEqual(found, []);
    });
});
