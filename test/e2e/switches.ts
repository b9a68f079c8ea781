import assert from "node:assert/strict";

import { planOf, verdictOf } from "../../core/review/plan";
import { deploymentFor } from "../support";
import { endToEnd } from "./run";

/**
 * Cases for ordered pairs of routes: each route that is chosen with every one that comes after it, there and
 * back.
 */
export function switchesOf(isChosen: (route: string) => boolean): void {
    endToEnd("a deployment", (run) => {
        const { routes } = run;

        const names = Object.keys(routes);
        for (const one of names.slice(0, -1).filter(isChosen)) {
            const others = names.slice(names.indexOf(one) + 1);
            it(`switches from route ${one} to ${others.join(", ")} and back each time, or refuses to`, async () => {
                await run.deploy(routes[one]!);
                for (const other of others) {
                    await switchRoute(one, other);
                    await switchRoute(other, one);
                }
            });
        }

        /** Has the stack, which is on a route, do what the plan says of a switch to another; it is on that one then. */
        async function switchRoute(from: string, to: string): Promise<void> {
            const settings = routes[to]!;
            const plan = planOf(deploymentFor(routes[from]!), deploymentFor(settings));
            await run.prepare(settings);
            if (verdictOf(plan) !== "safe") {
                run.configure(settings);
                const { ok, output } = await run.stack.preview();
                assert.ok(!ok && output.includes("asks for a change that is refused"), output);
            }
            await run.deploy(await run.permitted(settings));
            assert.deepEqual(await run.objects(), run.expectedObjects(settings));
        }
    });
}
