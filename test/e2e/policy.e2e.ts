import assert from "node:assert/strict";

import type { Outcome } from "../../tools/engine/stack";
import { endToEnd, namespace, succeed } from "./run";

endToEnd("a deployment with the policy pack", (run) => {
    const { routes } = run;

    /** Stack `prod`, on the cluster by itself: by its name the rules take it for production. */
    const production = async (reclaimPolicy: string) => {
        const stack = await run.otherStack({ name: "prod" });
        run.configure(
            { ...routes.management, storageClass: { name: "kof", preset: "local-path", reclaimPolicy } },
            stack,
        );
        return stack;
    };
    const pack = () => ({ policyPacks: [run.engine.policyPack] });
    const storageClass = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name: "kof" } };
    const ran = /Policies:\s+✅ kof@v/;

    it("goes through where every rule is kept", async () => {
        const stack = await production("Retain");
        try {
            assert.match(await succeed(stack.preview(pack())), ran);
            assert.match(await succeed(stack.up(pack())), ran);
            assert.deepEqual(await run.objects(), run.expectedObjects(routes.management!));
        } finally {
            await stack.destroy();
            stack.remove();
        }
    });

    it("knows the stack's configuration", async () => {
        // As Pulumi's language host hands it to a pack.
        const env = { PULUMI_CONFIG: JSON.stringify({ "kof:distribution": "eks" }) };
        const stack = await run.otherStack({ name: "trial", env });
        run.configure({ ...routes.cloudwatch, distribution: "eks" }, stack);
        try {
            const { ok, output } = await stack.preview(pack());
            assert.ok(!ok, output);
            assert.match(output, /no-static-key-on-eks/);
            assert.match(output, /kof:distribution is eks: choose other credentials in kof:cloudwatch/);
        } finally {
            await stack.destroy();
            stack.remove();
        }
    });

    it("is refused in the words of the rule that is broken, before anything is made", async () => {
        const stack = await production("Delete");
        try {
            const assertRefused = ({ ok, output }: Outcome) => {
                assert.ok(!ok, output);
                assert.match(output, /retain-volumes/);
                assert.match(
                    output,
                    /the stack prod is production by its name: set kof:storageClass\.reclaimPolicy to Retain\./,
                );
            };
            assertRefused(await stack.preview(pack()));
            // As `pulumi up` does: it previews first.
            assertRefused(await stack.up(pack(), "--skip-preview=false"));
            assert.equal(await run.cluster.read(namespace), undefined);

            // Without a preview what comes first is there by then, but not what the rule refuses.
            assertRefused(await stack.up(pack()));
            assert.equal(await run.cluster.read(storageClass), undefined);
            assert.deepEqual(await run.objects(), []);
        } finally {
            await stack.destroy();
            stack.remove();
        }
    });
});
