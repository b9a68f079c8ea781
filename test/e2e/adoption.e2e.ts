import assert from "node:assert/strict";

import type { AnyObject } from "../../tools/servers/crds";
import { endToEnd, fluxPaths, succeed } from "./run";

endToEnd("a deployment", (run) => {
    const { routes } = run;

    it("takes over what was installed by hand, without recreating anything, and has nothing to do then", async () => {
        await run.deploy(routes.management!);
        // Which view of an object the provider sees last is a matter of chance. Ten rounds passed on 2026-11-26.
        for (let round = 0; round < 3; round++) {
            const before = await byHand();
            await run.stack.forget();
            run.configure({ ...routes.management, adopt: true });
            await succeed(run.stack.up());
            for (const object of before) {
                const now = await run.cluster.read(object);
                const { uid } = object.metadata as unknown as { uid: string };
                assert.equal(now?.metadata.uid, uid, object.metadata.name);
                // No field of the stack's.
                assert.equal(now.spec.suspend, false);
            }
            await succeed(run.stack.expectNoChanges());
        }
    });

    const helmsOwn = {
        "helm.sh/resource-policy": "keep",
        "meta.helm.sh/release-name": "kof",
        "reconcile.fluxcd.io/requestedAt": "1700000000",
    };

    /** Has what is deployed look as an install by Helm leaves it, and returns it. */
    async function byHand(): Promise<AnyObject[]> {
        const kinds = [
            ["helm.toolkit.fluxcd.io/v2", "HelmRelease"],
            ["source.toolkit.fluxcd.io/v1", "HelmChart"],
        ] as const;
        const found: AnyObject[] = [];
        for (const [apiVersion, kind] of kinds) {
            for (const object of await run.cluster.api.list<AnyObject>(fluxPaths[kind])) {
                const annotations = Object.fromEntries(
                    Object.keys(object.metadata.annotations ?? {}).map((key) => [key, null]),
                );
                const typed = { ...object, apiVersion, kind };
                await run.cluster.merge(typed, { metadata: { annotations } });
                const { name, namespace: inNamespace } = object.metadata;
                const { status, body } = await run.cluster.api.request(
                    "PATCH",
                    `${fluxPaths[kind]}/${name}?fieldManager=helm&force=true`,
                    {
                        headers: { "content-type": "application/apply-patch+yaml" },
                        body: JSON.stringify({
                            apiVersion,
                            kind,
                            metadata: { name, namespace: inNamespace, annotations: helmsOwn },
                            spec: { ...object.spec, suspend: false },
                        }),
                    },
                );
                assert.equal(status, 200, body);
                found.push(typed);
            }
        }
        assert.ok(found.length > 0);
        return found;
    }
});
