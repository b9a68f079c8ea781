import assert from "node:assert/strict";
import * as fs from "node:fs";

describe("the chart that stands for the umbrella", () => {
    it("has what the post-renderer has to take off", () => {
        const template = fs.readFileSync("tools/engine/umbrella/templates/flux.yaml", "utf8");
        for (const annotation of [
            'reconcile.fluxcd.io/requestedAt: "{{ now | unixEpoch }}"',
            'reconcile.fluxcd.io/forceAt: "{{ now | unixEpoch }}"',
            "helm.sh/resource-policy: keep",
        ]) {
            assert.ok(template.includes(annotation), annotation);
        }
    });
});
