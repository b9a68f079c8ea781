import assert from "node:assert/strict";

import type { Raw } from "../support";
import { endToEnd, fluxPaths, namespace, succeed } from "./run";

// Tried with Pulumi 3.274.1 on 2026-11-27.
endToEnd("a deployment of a part of a stack", (run) => {
    const { routes } = run;
    const releases = async () => {
        const found = await run.cluster.api.list<any>(fluxPaths.HelmRelease);
        return found.map(({ metadata }) => [metadata.name, metadata.uid, metadata.generation] as unknown[]);
    };
    const kept = (retention: string): Raw => ({ ...routes.management, storage: { logs: { retention } } });

    for (const [targetDependents, after, change] of [
        [false, "", undefined],
        [true, " and --target-dependents", undefined],
        [false, " after version 0.1.0", withoutStash],
    ] as const) {
        it(`is remembered as nothing with --target${after}`, async () => {
            await run.deploy(kept("30d"));
            await run.stack.rewrite(change ?? ((state) => state));
            const before = run.stack.outputs();
            const shorter = kept("7d");
            const permitted = await run.permitted(shorter);
            run.configure(permitted);
            const target = ["**HelmRelease::kof:kof/kof-operators"];
            assert.doesNotMatch(await succeed(run.stack.up({ target, targetDependents })), /Undefined value/);
            assert.deepEqual(run.stack.outputs(), { ...before, acknowledged: [] });

            run.configure(shorter);
            const { ok, output } = await run.stack.up();
            assert.ok(!ok && output.includes("asks for a change that is refused"), output);
            run.configure(permitted);
            await succeed(run.stack.up());
            assert.equal(run.stack.outputs().settings.storage.logs.retention, "7d");
            run.configure(shorter);
            assert.doesNotMatch(await succeed(run.stack.expectNoChanges()), /Undefined value/);
        });
    }

    it("is no deployment where it is the first, with --target", async () => {
        run.configure(routes.none!);
        const refused = await run.stack.up({ target: ["**HelmRelease::kof:kof/kof-operators"] });
        assert.match(refused.output, /depends on '.*' which was was not specified in --target list/);
        await succeed(run.stack.up({ target: ["**Namespace::kof", "**::kubernetes"] }));
        assert.ok(await run.cluster.read(namespace));
        assert.deepEqual(run.stack.outputs(), {});
        await succeed(run.stack.up());
        assert.deepEqual(await run.objects(), run.expectedObjects(routes.none!));
    });

    it("is taken for a whole one with --exclude", async () => {
        await run.deploy(kept("30d"));
        const permitted = await run.permitted(kept("7d"));
        run.configure(permitted);
        const before = await releases();
        // What the stack remembers, and the alert rules, for Promxy and for VMAlert.
        assert.match(
            await succeed(run.stack.up({ exclude: [`**HelmRelease::kof:kof/${run.storageRelease}`] })),
            /~ 3 updated\n/,
        );
        assert.deepEqual(await releases(), before);
        assert.equal(run.stack.outputs().settings.storage.logs.retention, "7d");
        run.configure(kept("7d"));
        assert.match(await succeed(run.stack.up()), new RegExp(`HelmRelease kof:kof/${run.storageRelease} updated`));
        await succeed(run.stack.expectNoChanges());
    });
});

/** The state as version 0.1.0 of this program left it: without what the stack remembers by. */
function withoutStash({ deployment, ...state }: any): any {
    const resources = (deployment.resources as { type: string }[]).filter(({ type }) => type !== "pulumi:index:Stash");
    return { ...state, deployment: { ...deployment, resources } };
}
