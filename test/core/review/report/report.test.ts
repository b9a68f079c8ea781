import assert from "node:assert/strict";

import fc from "fast-check";

import { readPrices } from "../../../../core/review/capacity/priceFile";
import { maxLength, report } from "../../../../core/review/report";
import {
    fates,
    renderedParts,
    reportStack,
    weights,
    type Snapshot,
    type StackReport,
} from "../../../../core/review/report/stack";
import { deploymentFor, routes, type Raw } from "../../../support";
import { flowchart } from "../summary/mermaid.mjs";
import { runs } from "../../../sampled";

const prices = readPrices();
const about = { base: "main", total: 3 };

function snapshot(raw: Raw, files: Snapshot["files"] = {}): Snapshot {
    return { deployment: deploymentFor(raw), files };
}

/** What is said of a stack that goes from one to the other. */
function told(before: Raw, after: Raw, stack = "prod"): StackReport {
    const at = (raw: Raw) => ({ ...snapshot(raw), region: "us-east-1" });
    return reportStack({ stack, file: `Pulumi.${stack}.yaml`, before: at(before), after: at(after) }, prices);
}

describe("the report of a pull request", () => {
    const { management = {}, none = {} } = routes;
    const shorter = { ...management, storage: { logs: { retention: "3d" } } };
    const smaller = { ...management, storage: { logs: { size: "1Gi" } } };

    it("mentions, links and runs nothing that somebody has written into a stack file or its name", () => {
        const hostile = "x`$(id)@octocat#12![](http://e.example)<img>\u202e";
        const files = (value: string) => ({ [`collectors/${hostile}.yaml`]: `a: ${value}\n`, "kof-values.yaml": "" });
        const cloudwatch = (logGroup: string) => ({
            route: "cloudwatch",
            cloudwatch: { region: "us-east-2", logGroup },
        });
        const change = {
            stack: hostile,
            file: `Pulumi.${hostile}.yaml`,
            before: snapshot(cloudwatch("/kof/a"), files('"1"')),
            after: snapshot(cloudwatch("/org/repo#12"), files(JSON.stringify(hostile))),
        };
        const told = reportStack(change, prices);
        const whole = { ...told, parts: [...told.parts, ...renderedParts(change)], omitted: [] };
        const wrong = { ...change, after: { deployment: `${hostile}\n\`\`\`\n@team`, files: {} } };
        const brief = { ...told, stack: "brief", brief: hostile };
        for (const limit of [maxLength, 5000, 4000, 2500]) {
            const text = report([whole, brief, reportStack(wrong, prices)], { base: hostile, total: 3 }, limit);
            assert.ok(text.includes("npm run plan") || limit === maxLength);
            const outside = text
                .replaceAll("\\`", "")
                .replaceAll(/^ *(`{3,})[^]*?^ *\1$/gm, "")
                .replaceAll(/(`+)[^`]+\1/g, "")
                .replaceAll(/<\/?(details|summary|code)>/g, "");
            assert.doesNotMatch(outside, /@(?!&#8203;)|(?<!&)#\d|\bhttp(?!&#)|[^\\]<|[^\\]!\[|\u202e/);
            // What is to be pasted runs nothing, whatever the name of the file.
            for (const [command] of text.matchAll(/npm run plan.*?--base/g)) {
                assert.match(command, /--config ('Pulumi|FILE )/);
            }
        }
    });

    it("has the most dangerous stack first, and says of each what becomes of it", () => {
        const stacks = [
            told(none, management, "a-starts"),
            reportStack({ stack: "b-new", file: "f", before: undefined, after: snapshot(none) }, prices),
            reportStack({ stack: "c-gone", file: "f", before: undefined, after: undefined }, prices),
            reportStack(
                { stack: "d-wrong", file: "f", before: undefined, after: { deployment: "no", files: {} } },
                prices,
            ),
            told(management, smaller, "e-smaller"),
            told(management, shorter, "examples/shorter"),
            told(management, shorter, "f-shorter"),
            told(management, { ...none, acknowledge: "management->none" }, "g-stops"),
        ];
        const text = report(stacks, about);
        const rows = [...text.matchAll(/^\| `(.*?)` \| (.*?) \| (.*) \|$/gm)].map(([, ...row]) => row);
        assert.deepEqual(rows, [
            [
                "g-stops",
                "**loses stored data** (permitted by `kof:acknowledge`)",
                "route management -\\> none, acknowledge",
            ],
            ["f-shorter", "**loses stored data** (refused until acknowledged)", "storage.logs.retention"],
            ["examples/shorter", "**loses stored data** (refused until acknowledged)", "storage.logs.retention"],
            ["e-smaller", "**cannot be done** (refused)", "storage.logs.size"],
            ["d-wrong", "**the stack file is wrong**", "nothing can be deployed"],
            ["c-gone", "**no longer looked after**", "the stack file is removed"],
            ["a-starts", "nothing that is stored is lost", "route none -\\> management"],
            ["b-new", "new", "route none, KOF 1.10.0"],
        ]);
        const sections = [...text.matchAll(/^## `(.*?)`/gm)].map(([, name]) => name);
        assert.deepEqual(
            sections,
            rows.map(([name]) => name),
        );
    });

    it("has the plan, the settings, the diagram, and storage and cost before and after", async () => {
        const storageClass = { name: "kof", preset: "aws-ebs" };
        const before = { ...management, version: "1.9.0", storageClass };
        const text = report([told(before, { ...none, version: "1.9.0", storageClass })], about);
        assert.match(text, /### Loses stored data\n\n- kof:route leaves the stored logs, traces unreachable/);
        assert.match(text, /```diff\n- route: "management"\n\+ route: "none"\n```/);
        assert.match(text, /\| vlstorage \| 2 x 50Gi, class kof, kept for 7d \| \*\*none\*\* \|/);
        assert.match(text, /\| volumes, a month \| [\d.]+ USD in us-east-1 \| \*\*[\d.]+ USD in us-east-1\*\* \|/);
        assert.match(text, /\*\*200Gi are left behind\*\*, and still paid for/);
        assert.match(text, /Costs at list prices of 2026-11, for what this cluster stores: without queries/);
        const chart = await flowchart(/```mermaid\n([^]*?)\n```/.exec(text)?.[1] ?? "");
        assert.ok(chart.links.some(({ text: label }) => label.endsWith("goes away")));
    });

    it("says what no sum has in it, before and after", () => {
        const storageClass = { name: "kof", preset: "aws-ebs" };
        const rates = { metrics: { activeSeries: 20_000 }, logs: { linesPerSecond: 10 } };
        const cloudwatch = { ...routes.cloudwatch, rates, storageClass };
        const emf = { region: "us-east-2", signals: { metrics: "emf" } };
        const text = report([told(cloudwatch, { ...cloudwatch, cloudwatch: emf })], about);
        assert.match(
            text,
            /\| custom metrics in CloudWatch, a month \| nothing \| \*\*4000\.00 USD in us-east-2\*\* \|/,
        );
        assert.match(
            text,
            /\| audit in CloudWatch Logs, a month \| not included: kof:rates.audit is not set \| the same \|/,
        );
        const least = String.raw`at least [\d.]+ USD; not included: audit in CloudWatch Logs`;
        assert.match(text, new RegExp(String.raw`\| all of that, a month \| ${least} \| \*\*${least}\*\* \|`));
        assert.match(
            text,
            /^Over OTLP \(kof:cloudwatch\.signals\.metrics: otlp\) this would be about [\d.]+ GB a month: cheaper, if/m,
        );
    });

    it("says what KOF changes between two versions, folded", () => {
        const text = report([told({ ...management, version: "1.9.0" }, { ...management, version: "1.10.0" })], about);
        assert.match(text, /version 1\.9\.0 -\\> 1\.10\.0, with \d+ steps by hand/);
        assert.match(text, /<summary>What KOF changes between the two<\/summary>\n\n- dropped, a component/);
    });

    it("shows what differs in what is rendered, and tells the same of several collectors once", () => {
        const [a, b] = ["x", "y"].map((key) => `config:\n  ${key}: 1\nenv:\n  - name: A\n    value: same\n`);
        const files = (text = "") => ({
            "kof-values.yaml": `same: 1\nother: ${JSON.stringify(text)}\n`,
            "collectors/a.yaml": text,
            "collectors/b.yaml": text,
            "aws.yaml": "- type: t\n  name: n\n  inputs: {}\n",
        });
        const change = {
            before: snapshot(none, files(a)),
            after: snapshot(none, { ...files(b), "collectors/c.yaml": "a: 1" }),
        };
        const stack = { stack: "prod", file: "f", ...change };
        assert.equal(reportStack(stack, prices).fate, "program");
        const parts = renderedParts(stack).map(({ weight, text }) => [weight, text.replaceAll(/<\/?code>/g, "")]);
        const fold = (title: string, ...lines: string[]) =>
            ["<details>", `<summary>${title}</summary>`, "", "```diff", ...lines, "```", "", "</details>"].join("\n");
        assert.deepEqual(parts, [
            ["values", fold("kof-values.yaml", `- other: ${JSON.stringify(a)}`, `+ other: ${JSON.stringify(b)}`)],
            ["collectors", fold("collectors/a.yaml, collectors/b.yaml", "- config.x: 1", "+ config.y: 1")],
            ["collectors", "collectors/c.yaml: new"],
        ]);
    });

    it("says of a new stack where its signals go, and of one that was wrong what was wrong", () => {
        const after = snapshot(management, { "summary.md": "# prod\n\nHere.\n\n## Signals\n\n| a |\n" });
        const text = report(
            [reportStack({ stack: "p", file: "f", before: { deployment: "bad\n```", files: {} }, after }, prices)],
            about,
        );
        assert.match(
            text,
            /It was wrong before:\n\n````text\nbad\n```\n````\n\nHere\.\n\n### Signals\n\n\| a \|\n\n### Cost/,
        );
    });

    it("says when nothing changes", () => {
        assert.equal(report([], about), "# Changes of stacks since `main`\n\nNone of 3 stacks changes.\n");
    });

    const part = fc.record({
        weight: fc.constantFrom(...weights),
        name: fc.stringMatching(/^[a-z]{1,9}$/),
        text: fc
            .tuple(fc.stringMatching(/^[a-z`|]{1,9}$/), fc.integer({ min: 1, max: 4000 }))
            .map(([a, n]) => a.repeat(n)),
    });
    const stack = fc.record({
        stack: fc.stringMatching(/^[a-z/]{1,30}$/),
        file: fc.stringMatching(/^[a-z]{1,30}$/),
        fate: fc.constantFrom(...fates),
        brief: fc.string({ maxLength: 300 }),
        parts: fc.array(part, { maxLength: 8 }),
    });

    it("is never longer than a comment may be, and never without what becomes of a stack (sampled)", () => {
        fc.assert(
            fc.property(
                fc.array(stack, { minLength: 1, maxLength: 60 }),
                fc.integer({ min: 1, max: 15 }),
                (few, times) => {
                    const stacks = Array.from({ length: times }, () => few).flat();
                    const text = report(stacks, { base: "HEAD^1", total: stacks.length });
                    assert.ok(text.length <= maxLength, String(text.length));
                    const rows =
                        text.split("\n").filter((line) => /^\| [^\n]* \| [^\n]* \| [^\n]* \|$/.test(line)).length - 2;
                    const more = [...text.matchAll(/(\d+) more: /g)].reduce((sum, [, count]) => sum + Number(count), 0);
                    assert.equal(rows + more, stacks.length);
                },
            ),
            runs(8, 50),
        );
    });

    it("leaves out collectors first, then values, and says how to see them", () => {
        const long = (weight: (typeof weights)[number], length: number) => ({
            weight,
            name: weight,
            text: "x".repeat(length),
        });
        const parts = [long("collectors", 15_000), long("values", 15_000), long("effect", 10_000)];
        const of = (fate: "loss" | "safe", name: string) => ({
            stack: name,
            file: `Pulumi.${name}.yaml`,
            fate,
            brief: "",
            parts,
        });
        const left = (stacks: readonly StackReport[]) =>
            [...report(stacks, about).matchAll(/Left out for length: (.*)/g)].map(([, what]) => what);
        const how = (name: string) =>
            `To see it: \`npm run plan -- --config Pulumi.${name}.yaml --base main\`, \`git diff main -- rendered/${name}\``;
        assert.deepEqual(left([of("safe", "b")]), []);
        assert.deepEqual(left([{ ...of("safe", "b"), omitted: ["more"] }]), [`more. ${how("b")}`]);
        assert.deepEqual(left([of("safe", "b"), of("loss", "a")]), [
            `collectors. ${how("a")}`,
            `collectors. ${how("b")}`,
        ]);
        assert.deepEqual(left([of("safe", "b"), of("safe", "c"), of("loss", "a")]), [
            `collectors. ${how("a")}`,
            `collectors, values. ${how("b")}`,
            `collectors, values. ${how("c")}`,
        ]);
    });
});
