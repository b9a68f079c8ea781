import assert from "node:assert/strict";
import * as fs from "node:fs";

import { previewText } from "../../../../core/review/report/preview";

const recorded = fs.readFileSync("test/core/review/report/preview.json", "utf8");
const told = (preview: unknown, limit = 20_000) =>
    previewText("prod", typeof preview === "string" ? preview : JSON.stringify(preview), limit);
/** A preview that goes through, with these steps. */
const preview = (...steps: object[]) => ({ steps, changeSummary: { same: 1 } });
const step = (op: string, more: object = {}, name = "a") => ({
    op,
    urn: `urn:pulumi:prod::kof::kof:components:Kof$kubernetes:core/v1:Secret::${name}`,
    ...more,
});
const custom = { custom: true };

describe("what Pulumi would do", () => {
    it("is told of what a real engine wrote: replaced and deleted first, with the keys that change", () => {
        assert.equal(
            told(recorded),
            [
                "## `prod`: what Pulumi would do",
                "",
                "Resources: 1 replaced, 9 deleted, 2 updated.",
                "",
                "|  | resource | keys that change |",
                "| --- | --- | --- |",
                "| **replaced** | StorageClass `kof` | `reclaimPolicy` |",
                "| **deleted** | LogGroup `cloudwatch-logs-audit@us-east-2` |  |",
                "| **deleted** | LogGroup `cloudwatch-logs@us-east-2` |  |",
                "| **deleted** | AccessKey `cloudwatch-1` |  |",
                "| **deleted** | User `cloudwatch` |  |",
                "| **deleted** | UserPolicy `cloudwatch` |  |",
                "| **deleted** | Secret `cloudwatch` |  |",
                "| **deleted** | HelmRelease `kof:kof/kof-collectors` |  |",
                "| **deleted** | HelmChart `kof:kcm-system/kof-collectors` |  |",
                "| **deleted** | provider `aws` |  |",
                "| updated | HelmRelease `kof:kof/kof-mothership` | `spec.values.metrics-server.args`, `spec.values.metrics-server.enabled` |",
                "| updated | Stash `remembered` | `input` |",
            ].join("\n"),
        );
    });

    for (const [what, text, reason] of [
        ["is empty", "\n", "the file is empty"],
        ["ends too early", recorded.slice(0, -100), "the file is no JSON, or ends too early"],
        ["is of something else", "[]", "the file is not what `pulumi preview --diff --json` writes"],
    ] as const) {
        it(`is not known where the file ${what}`, () => {
            const title = "## `prod`: what Pulumi would do";
            assert.equal(told(text), `${title}\n\n**Could not preview**: ${reason}. What would change is not known.`);
        });
    }

    it("mentions, links and draws nothing that names, keys and errors of a program have in them", () => {
        const hostile = "a`@octocat#12![](http://e.example)<img>\u202e|b";
        const steps = ["update", hostile].map((op) => ({
            ...step(op, { newState: custom, replaceReasons: [hostile] }),
            urn: `urn:pulumi:prod::kof::kubernetes:core/v1:${hostile}::${hostile}`,
        }));
        const failed = { diagnostics: [{ severity: "error", message: `${hostile}\n\`\`\`\n@team password=hunter2` }] };
        for (const each of [preview(...steps), { ...preview(), ...failed }]) {
            const text = previewText(hostile, JSON.stringify(each), 20_000);
            assert.match(text, /octocat/);
            const outside = text.replaceAll(/^(`{3,})[^]*?^\1$/gm, "");
            assert.doesNotMatch(outside, /@(?!&#8203;)|(?<!&)#\d|\bhttp(?!&#)|[^\\]<|[^\\]!\[|`@/);
            assert.doesNotMatch(text, /\u202e|hunter2/);
        }
    });

    it("is nothing where everything stays, and where only components change", () => {
        const components = step("update", { newState: { custom: false } });
        assert.match(told(preview(step("same"), step("read", {}, "b"), components)), /\n\nNothing changes\.$/);
    });

    it("counts a resource once that is replaced in several steps, for the keys that are the reason", () => {
        const more = { replaceReasons: ["type"], detailedDiff: { type: {}, data: {} } };
        const steps = ["create-replacement", "replace", "delete-replaced"].map((op) => step(op, more));
        assert.match(
            told(preview(...steps)),
            /Resources: 1 replaced\.[^]*\| \*\*replaced\*\* \| Secret `a` \| `type` \|$/,
        );
    });

    it("does not call deleted what stays where it is", () => {
        const left = step("delete", { oldState: { ...custom, retainOnDelete: true } });
        assert.match(told(preview(left)), /Resources: 1 no longer looked after\./);
    });

    it("is told first where the operation is not known", () => {
        const text = told(preview(step("delete"), step("explode", {}, "b")));
        assert.match(text, /Resources: 1 Pulumi's explode, 1 deleted\./);
    });

    it("has no value, whatever the JSON has", () => {
        const state = { ...custom, inputs: { password: "hidden" }, outputs: { password: "hidden" }, id: "hidden" };
        const diff = { detailedDiff: { "data.password": { kind: "update", value: "hidden" } } };
        const text = told({
            ...preview(step("update", { ...diff, oldState: state, newState: state })),
            config: { a: "hidden" },
        });
        assert.match(text, /`data\.password`/);
        assert.doesNotMatch(text, /hidden/);
    });

    it("leaves out what there is no room for, the most dangerous last, and counts it", () => {
        const created = Array.from({ length: 200 }, (_, i) => step("create", {}, `name-${String(i)}`));
        const text = told(preview(...created, step("delete", {}, "gone")), 1000);
        assert.match(text, /Resources: 1 deleted, 200 created\.[^]*\| \*\*deleted\*\* \| Secret `gone`/);
        assert.match(text, /\n\n1\d\d more are left out for length: `pulumi preview --diff` shows them\.$/);
        assert.ok(text.length < 1300);
    });
});
