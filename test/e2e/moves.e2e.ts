import assert from "node:assert/strict";

import { planOf } from "../../core/review/plan";
import type { AnyObject } from "../../tools/servers/crds";
import { deploymentFor, type Raw } from "../support";
import { endToEnd, fluxPaths, succeed } from "./run";

endToEnd("a move of signals", (run) => {
    /** The generation of each HelmRelease, which changes with its spec. */
    const releases = async (): Promise<Record<string, unknown>> => {
        const found = await run.cluster.api.list<AnyObject>(fluxPaths.HelmRelease);
        return Object.fromEntries(found.map(({ metadata: { name, generation } }) => [name, generation]));
    };
    /** Deploys, with what the change takes, and says which releases of before are no longer what they were. */
    const move = async (settings: Raw): Promise<{ readonly changed: string[]; readonly said: string }> => {
        const before = await releases();
        const said = await run.deploy(await run.permitted(settings));
        const after = await releases();
        return { changed: Object.keys(before).filter((name) => before[name] !== after[name]), said };
    };

    it("takes them to AWS by way of both places: only the release of the collectors changes, and nothing is replaced", async () => {
        const management = run.routes.management!;
        const logsTo = (...names: string[]): Raw => ({
            ...management,
            signals: { logs: names, audit: names },
            cloudwatch: run.aws,
        });
        const [both, away] = [logsTo("management", "cloudwatch"), logsTo("cloudwatch")];
        const collectors = run.storageRelease === "kof-child" ? "kof-child" : "kof-collectors";
        await run.deploy(management);

        const spread = await move(both);
        assert.deepEqual(spread.changed, [collectors]);
        assert.match(spread.said, /Secret\s+cloudwatch\s+created/);

        run.configure(away);
        const { ok, output } = await run.stack.preview();
        assert.ok(!ok && /kof:acknowledge: logs(?: and audit)? off/.test(output), output);
        const narrowed = await move(away);
        // With it goes the store, where that has a release of its own.
        assert.deepEqual(narrowed.changed.sort(), [...new Set([collectors, run.storageRelease])].sort());
        assert.deepEqual(await run.objects(), run.expectedObjects(away));

        // A destination more and less changes how the collectors are started, and nothing else.
        const destinations = { honeycomb: { preset: "honeycomb", auth: { kind: "headers", secret: "honeycomb" } } };
        const traces = ["management", "honeycomb"];
        const more = { ...away, signals: { ...(away.signals as object), traces }, destinations };
        const joined = await move(more);
        assert.deepEqual(joined.changed, [collectors]);
        assert.deepEqual((await move(away)).changed, [collectors]);
        assert.deepEqual(
            planOf(deploymentFor(more), deploymentFor(away)).volumes.filter(({ operation }) => operation !== "kept"),
            [],
        );

        const all = [spread, narrowed, joined].map(({ said }) => said).join("\n");
        assert.doesNotMatch(all, /replac|HelmRelease\s+\S+\s+(?:created|deleted)/);
        await succeed(run.stack.expectNoChanges());

        // The collectors go before what they were started with.
        const gone = await succeed(run.stack.destroy());
        const at = (what: RegExp) => {
            const line = gone.split("\n").findIndex((each) => what.test(each));
            assert.notEqual(line, -1, `${String(what)} in\n${gone}`);
            return line;
        };
        const uninstalled = at(new RegExp(`HelmRelease\\s+kof:kof/${collectors}\\s+deleted`));
        assert.ok(uninstalled < at(/core\/v1:Secret\s+cloudwatch\s+deleting/), gone);
    });
});
