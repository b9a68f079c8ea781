import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { eventually } from "../../tools/servers/program";
import type { Raw } from "../support";
import { endToEnd, succeed } from "./run";

endToEnd("a deployment that was cut short", (run) => {
    const { routes } = run;

    /** Deploys until a release is under way, which then takes as long as it is held. */
    async function begin(route: string, release = "kof-mothership") {
        if (run.realFlux) {
            return undefined;
        }
        run.configure(routes[route]!);
        run.flux.hold(release);
        const interrupt = new AbortController();
        const up = run.stack.up({ signal: interrupt.signal });
        await eventually(() => run.flux.events.includes(`begin ${release}`), "the deployment is under way");
        return { up, interrupt };
    }

    // With the second, a provider takes over what the killed run was making, where it would refuse that otherwise.
    for (const adopt of [false, true]) {
        it(`goes on after its engine was killed, with kof:adopt ${adopt}`, async function () {
            const begun = (await begin("cloudwatch")) ?? this.skip();
            run.engine.kill();
            assert.equal((await begun.up).ok, false);
            run.flux.letGo("kof-mothership");
            // The killed one could not give it back.
            const locked = await run.stack.up();
            assert.ok(!locked.ok && locked.output.includes("pulumi cancel"), locked.output);
            await run.stack.cancel();
            run.configure({ ...routes.cloudwatch, adopt });
            await succeed(run.stack.up());
            assert.deepEqual(await run.objects(), run.expectedObjects(routes.cloudwatch!));
            await succeed(run.stack.expectNoChanges());
        });
    }

    it("continues after Flux gave up on a release and the cause was fixed outside the stack", async function () {
        if (run.realFlux) {
            this.skip();
        }
        run.configure(routes.management!);
        run.flux.fail("kof-mothership", "Helm install failed for release kof/kof-mothership: timed out");
        const interrupt = new AbortController();
        const up = run.stack.up({ signal: interrupt.signal });
        await eventually(() => run.flux.events.includes("give up kof-mothership"), "Flux gives up");
        interrupt.abort();
        assert.equal((await up).ok, false);
        run.flux.fail("kof-mothership");
        // Where Flux is not asked to try again, Pulumi waits for 25 minutes.
        const output = await succeed(run.stack.up({ signal: AbortSignal.timeout(10 * 60_000) }));
        assert.ok(output.includes("Flux has given up on HelmRelease kof-mothership"), output);
        assert.deepEqual(await run.objects(), run.expectedObjects(routes.management!));
        await succeed(run.stack.expectNoChanges());
    });

    it("has not used up what was acknowledged, nor is remembered", async function () {
        if (run.realFlux) {
            this.skip();
        }
        const kept = (retention: string): Raw => ({ ...routes.management, storage: { logs: { retention } } });
        await run.deploy(kept("30d"));
        const before = run.stack.outputs();
        const permitted = await run.permitted(kept("7d"));
        run.configure(permitted);
        run.flux.hold(run.storageRelease);
        const interrupt = new AbortController();
        const up = run.stack.up({ signal: interrupt.signal });
        await eventually(() => run.flux.events.includes(`begin ${run.storageRelease}`), "the deployment is under way");
        interrupt.abort();
        assert.equal((await up).ok, false);
        run.flux.letGo(run.storageRelease);
        assert.deepEqual(run.stack.outputs(), before);
        run.configure(kept("7d"));
        const { output } = await run.stack.up();
        assert.ok(output.includes("asks for a change that is refused"), output);
        run.configure(permitted);
        await succeed(run.stack.up());
        assert.equal(run.stack.outputs().settings.storage.logs.retention, "7d");
    });

    it("goes on after the API server was away in the middle of it", async function () {
        const begun = (await begin("management")) ?? this.skip();
        const restore = (await run.cluster.interrupt?.()) ?? this.skip();
        await sleep(5000);
        await restore();
        run.flux.letGo("kof-mothership");
        // Whether it notices and ends, or goes on waiting: the next run has to get there.
        const patience = setTimeout(() => {
            begun.interrupt.abort();
        }, 20_000);
        await begun.up;
        clearTimeout(patience);
        await run.stack.cancel();
        await succeed(run.stack.up());
        await succeed(run.stack.expectNoChanges());
    });
});
