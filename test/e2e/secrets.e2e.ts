import assert from "node:assert/strict";

import { endToEnd, fluxPaths, succeed } from "./run";

endToEnd("a deployment", (run) => {
    const { routes, aws } = run;

    it("rotates the key of CloudWatch in two steps, with the Secret always there", async () => {
        const secret = {
            apiVersion: "v1",
            kind: "Secret",
            metadata: { name: "cloudwatch-credentials", namespace: "kof" },
        };
        const seen: { uid: string; id: string }[] = [];
        for (const generations of [["a"], ["a", "b"], ["b"]]) {
            const credentials = { kind: "accessKey", generations };
            await run.deploy({ ...routes.cloudwatch, cloudwatch: { ...aws, credentials } });
            const { metadata, data } = await run.cluster.read(secret);
            seen.push({ uid: metadata.uid, id: Buffer.from(data.AWS_ACCESS_KEY_ID, "base64").toString() });
        }
        const [first, both, last] = seen;
        assert.equal(first!.uid, last!.uid, "updated in place");
        assert.notEqual(first!.id, both!.id);
        assert.equal(both!.id, last!.id);
    });

    it("has no secret in its state, in what the engine says, in Helm values, or in files", async () => {
        const secrets: string[] = [];
        for (const name of ["cloudwatch", "regional", "management"]) {
            await run.deploy(await run.permitted({ ...routes[name], grafana: { enabled: true } }));
            for (const { metadata, data } of await run.cluster.api.list<any>("/api/v1/namespaces/kof/secrets")) {
                const values = Object.entries((data ?? {}) as Record<string, string>);
                const secret = values.filter(([key]) => /SECRET|PASSWORD|password/.test(key));
                assert.ok(metadata.name !== "cloudwatch-credentials" || secret.length > 0);
                secrets.push(...secret.map(([, value]) => Buffer.from(value, "base64").toString()));
            }
            const releases = JSON.stringify(await run.cluster.api.list(fluxPaths.HelmRelease));
            const visible = [run.stack.state(), run.stack.log, releases].join("\n");
            for (const secret of secrets) {
                assert.ok(!visible.includes(secret), "in plain text");
                assert.ok(!visible.includes(Buffer.from(secret).toString("base64")), "in base64");
            }
        }

        // Said by Pulumi's SDK, which docs/ci.md warns of.
        let debug = "";
        await succeed(run.stack.up({ debug: true, onEvent: (event) => (debug += JSON.stringify(event)) }));
        assert.ok(secrets.some((secret) => debug.includes(secret)));

        const files = await run.otherStack({ name: "files" });
        try {
            const grafana = { enabled: true, existingSecret: "grafana-admin" };
            const folder = { "kubernetes:renderYamlToDirectory": "out" };
            files.configure({ ...routes.management, grafana, chart: run.chart }, folder);
            await succeed(files.up());
            const written = files.files("out");
            assert.match(written, /^kind: HelmRelease$/m);
            assert.doesNotMatch(written, /^kind: Secret$/m);
        } finally {
            files.remove();
        }
    });
});
