import assert from "node:assert/strict";

import type { RunOptions } from "../../cli/offline";
import { runOffline } from "../../cli/program";
import { CouldNotCheck } from "../../core/lib/errors";
import { find, deploymentFor, routes, stackFile } from "../support";
import { clusterWith } from "./cluster";

const raw = routes.management!;
const path = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/kof/helmreleases";
const [first, later] = ["2026-11-27T00:20:00Z", "2026-11-27T01:40:00Z"];

function release(name: string, stalledSince?: string) {
    const ready = { type: "Ready", status: stalledSince === undefined ? "True" : "False", lastTransitionTime: later };
    const stalled = { type: "Stalled", status: "True", message: "Failed to install after 6 attempt(s)" };
    return {
        metadata: { name },
        status: {
            conditions: [ready, ...(stalledSince ? [{ ...stalled, lastTransitionTime: stalledSince }] : [])],
        },
    };
}

describe("a release that Flux has given up on", () => {
    const run = async (releases: readonly object[] | CouldNotCheck, retries?: Readonly<Record<string, string>>) => {
        const items = releases instanceof CouldNotCheck ? releases : { items: releases };
        // Of a deployment that was completed: nothing is compared with what exists.
        const options: RunOptions = {
            preview: true,
            cluster: clusterWith({ [path]: items }),
            outputs: { settings: deploymentFor(raw).settings, ...(retries ? { retries } : {}) },
        };
        const { resources, outputs, messages } = await runOffline(stackFile(raw), options);
        const { args } = find(resources, "kubernetes:helm.sh/v4:Chart").inputs.postRenderer as { args: string[] };
        return { args: args.slice(1), outputs, messages };
    };
    const asked = (retries: object) => [JSON.stringify(retries)];

    it("is tried again, which the stack remembers", async () => {
        const { args, outputs, messages } = await run([release("kof-operators"), release("kof-mothership", first)]);
        assert.deepEqual(args, asked({ "kof-mothership": first }));
        assert.deepEqual(outputs.retries, { "kof-mothership": first });
        assert.ok(
            messages.includes(
                "info: Flux has given up on HelmRelease kof-mothership: Failed to install after 6 attempt(s). This deployment makes it try again.",
            ),
        );
    });

    it("is asked for no more once it is well, nor again", async () => {
        const remembered = { "kof-mothership": first };
        const well = await run([release("kof-operators"), release("kof-mothership")], remembered);
        assert.deepEqual([well.args, well.outputs.retries], [asked(remembered), remembered]);
        assert.ok(!well.messages.some((message) => message.includes("given up")));
        const worse = await run([release("kof-mothership", later)], remembered);
        assert.deepEqual(worse.args, asked({ "kof-mothership": later }));
    });

    it("is not taken for that where Flux says it no longer is", async () => {
        const goesOn = { type: "Stalled", status: "False", lastTransitionTime: first };
        const { args } = await run([{ metadata: { name: "kof-mothership" }, status: { conditions: [goesOn] } }]);
        assert.deepEqual(args, []);
    });

    it("is forgotten when it is gone", async () => {
        const { args, outputs } = await run([release("kof-operators")], { "kof-storage": first });
        assert.deepEqual([args, outputs.retries], [[], {}]);
    });

    it("keeps earlier requests if it cannot read the releases", async () => {
        const remembered = { "kof-mothership": first };
        const { args, messages } = await run(new CouldNotCheck("helmreleases is forbidden"), remembered);
        assert.deepEqual(args, asked(remembered));
        assert.ok(messages.some((message) => /^warning: Could not check .*helmreleases is forbidden/.test(message)));
    });
});
