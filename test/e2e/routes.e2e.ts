import assert from "node:assert/strict";

import { onPath } from "../../tools/engine/engine";
import { endToEnd, succeed } from "./run";

endToEnd("a deployment", (run) => {
    const { routes } = run;

    for (const [name, settings] of Object.entries(routes)) {
        it(`of route ${name} has nothing to do when it is done`, async () => {
            await run.deploy({ ...settings, grafana: { enabled: true } });
            assert.deepEqual(await run.objects(), run.expectedObjects(settings));
            await succeed(run.stack.expectNoChanges());
            const { destinations, route } = run.stack.outputs();
            assert.equal(route, name);
            assert.equal(Object.keys(destinations as object).length, 4);
        });
    }

    if (onPath("pulumi-language-nodejs") !== undefined) {
        it("is the same when the engine starts the program itself", async () => {
            await run.deploy(routes.none!);
            const byLanguageHost = await run.otherStack({ besides: run.stack, byLanguageHost: true });
            await succeed(byLanguageHost.expectNoChanges());
        });
    }
});
