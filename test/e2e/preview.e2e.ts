import assert from "node:assert/strict";
import * as fs from "node:fs";

import { previewText } from "../../core/review/report/preview";
import { endToEnd } from "./run";

endToEnd("a preview's JSON", (run) => {
    const { routes, aws } = run;
    const local = { name: "kof", preset: "local-path" };
    const withKey = { ...routes.cloudwatch, cloudwatch: { ...aws, credentials: { kind: "accessKey" } } };
    const told = (json: string) => previewText("e2e", json, 20_000);

    it("is told with what is replaced and deleted first, and with no secret", async () => {
        await run.deploy(withKey);
        const secret = {
            apiVersion: "v1",
            kind: "Secret",
            metadata: { name: "cloudwatch-credentials", namespace: "kof" },
        };
        const { data } = await run.cluster.read(secret);
        const key = Buffer.from(data.AWS_SECRET_ACCESS_KEY, "base64").toString();
        assert.ok(key.length > 0);

        assert.match(told(await run.stack.previewJson()), /\n\nNothing changes\.$/);

        run.configure(await run.permitted({ ...routes.none, storageClass: { ...local, reclaimPolicy: "Delete" } }));
        const json = await run.stack.previewJson();
        assert.match(json, /\[secret\]/);
        const text = told(json);
        for (const value of [key, Buffer.from(key).toString("base64"), "[secret]"]) {
            assert.ok(!text.includes(value));
        }
        const fates = [...text.matchAll(/^\| (\**[a-z ]+\**) \| (\w+) `/gm)].map(
            ([, fate, kind]) => `${fate!} ${kind!}`,
        );
        assert.equal(fates[0], "**replaced** StorageClass");
        assert.match(text, /^\| \*\*replaced\*\* \| StorageClass `kof` \| `reclaimPolicy` \|$/m);
        assert.ok(fates.includes("**deleted** AccessKey") && fates.includes("**deleted** Secret"), text);
        const updated = fates.findIndex((each) => each.startsWith("updated "));
        assert.ok(fates.lastIndexOf("**deleted** Secret") < updated, text);
        assert.match(told(json.slice(0, -100)), /Could not preview/);
        if (process.env.RECORD) {
            record(json);
        }
    });

    it("of a preview that fails says why, and nothing of changes", async () => {
        run.configure({ ...withKey, route: "nowhere" });
        const text = told(await run.stack.previewJson());
        assert.match(text, /\*\*Could not preview\*\*: it failed\.[^]*kof:route is "nowhere"/);
        assert.doesNotMatch(text, /Nothing changes|Resources:/);
    });

    it("is none where a policy refuses it, whose words it does not have", async () => {
        const stack = await run.otherStack({ name: "prod" });
        try {
            run.configure({ ...routes.none, storageClass: { ...local, reclaimPolicy: "Delete" } }, stack);
            const json = await stack.previewJson({ policyPacks: [run.engine.policyPack] });
            assert.match(told(json), /Could not preview[^]*preview failed/);
            assert.doesNotMatch(json, /retain-volumes/, "then its words belong into the report");
        } finally {
            stack.remove();
        }
    });

    /** Writes what the tests of the report read, without values. */
    function record(json: string): void {
        const { steps, diagnostics, changeSummary } = JSON.parse(json.replaceAll(aws.logGroup, "logs")) as {
            steps: Record<string, any>[];
            diagnostics: { message: string }[];
            changeSummary: unknown;
        };
        const custom = (state: { custom?: boolean; retainOnDelete?: boolean } | undefined) =>
            state && { custom: state.custom, retainOnDelete: state.retainOnDelete };
        const recorded = {
            "//": "Recorded by RECORD=1 npx mocha test/e2e/preview.e2e.ts, on 2026-11-27 of engine 3.274.1. States have no values.",
            steps: steps.map(({ oldState, newState, ...step }) => ({
                ...step,
                oldState: custom(oldState),
                newState: custom(newState),
            })),
            // Paths of this machine are in the others.
            diagnostics: diagnostics.filter(({ message }) => !message.includes("$PATH")),
            changeSummary,
        };
        fs.writeFileSync("test/core/review/report/preview.json", `${JSON.stringify(recorded, undefined, 2)}\n`);
    }
});

// A chart that KOF_CHART names is of one version.
if (!process.env.KOF_CHART) {
    endToEnd(
        "a preview of route regional, up to KOF 1.9",
        (run) => {
            it("fails while the region is not ready, and says which region", async () => {
                await run.deploy(run.routes.none!);
                run.configure(run.routes.regional!);
                const { ok, output } = await run.stack.preview();
                assert.ok(!ok && /resource 'kof\/kof-vmuser-creds-admin-\d+' does not exist/.test(output), output);
                assert.ok(output.includes("region eu-1 (ClusterDeployment kcm-system/eu-1)"), output);
            });
        },
        ["1.9.0"],
    );
}
