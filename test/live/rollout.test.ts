import assert from "node:assert/strict";

import { CouldNotCheck } from "../../core/lib/errors";
import { untilRestarted } from "../../live/rollout";

const annotation = "kof-storage-routes/read-at-start";
const key = (name: string, variable: string) => ({
    name: variable,
    valueFrom: { secretKeyRef: { name, key: variable } },
});
const pod = (name: string, startedWith: string | undefined, secret = "cloudwatch-credentials", phase = "Running") => ({
    metadata: { name, ...(startedWith === undefined ? {} : { annotations: { [annotation]: startedWith } }) },
    spec: {
        nodeName: `node-of-${name}`,
        containers: [{}, { env: [{ name: "A", value: "b" }, key(secret, "AWS_ACCESS_KEY_ID")] }],
    },
    status: { phase },
});
type Look = readonly ReturnType<typeof pod>[] | Error;

/** Waits on a cluster that answers with one of these after the other, the last one again and again. */
async function wait(looks: readonly Look[], startedWith: string | undefined = "access key 2", patience = 0) {
    const said: string[] = [];
    const paths: string[] = [];
    let next = 0;
    const api = {
        get: <T>() => Promise.resolve({} as T),
        list: <T>(path: string) => {
            paths.push(path);
            const look = looks[Math.min(next++, looks.length - 1)];
            return look instanceof Error ? Promise.reject(look) : Promise.resolve(look as unknown as T[]);
        },
    };
    const options = { say: (text: string) => said.push(text), patience, interval: 1 };
    await untilRestarted(api, startedWith, options);
    return { said, looks: next, paths };
}

describe("waiting for collectors that run with an access key", () => {
    const [old, fresh] = [pod("a", "access key 1"), pod("b", "access key 2")];
    const minutes = 60_000;

    it("ends when all of them read the Secret as it is now", async () => {
        const all = [[old, pod("c", undefined), fresh], [old, fresh], [fresh]];
        const { said, looks, paths } = await wait(all, "access key 2", minutes);
        assert.equal(looks, 3);
        assert.deepEqual(said, [
            "Waiting for 2 collectors to restart before an access key is deleted ...",
            "Waiting for 1 collector to restart before an access key is deleted ...",
        ]);
        assert.match(paths[0]!, /namespaces\/kof\/pods\?labelSelector=.*opentelemetry-collector$/);
    });

    it("does not wait for pods that have ended, or that never read it", async () => {
        const others = [
            pod("a", "access key 1", "mine"),
            pod("d", "x", undefined, "Failed"),
            pod("e", "x", undefined, "Succeeded"),
        ];
        assert.equal((await wait([[...others, fresh]])).looks, 1);
        // On another route none reads it, whatever its annotation says: the operator never takes one away.
        await assert.rejects(wait([[old]], "endpoint x"), /1 collector still run/);
        assert.equal((await wait([[pod("a", "access key 1", "otlp-headers")]], "endpoint x")).looks, 1);
    });

    it("fails with names when none restarts for a while", async () => {
        const many = ["a", "b", "c", "d"].map((name) => pod(name, "access key 1"));
        await assert.rejects(wait([many], "access key 2"), {
            name: "UserError",
            message:
                "The access key is not deleted, everything else is deployed: 4 collectors still run with it (a on node-of-a, b on node-of-b, c on " +
                "node-of-c, …), and none has restarted for 0 minutes. See why: kubectl describe pod -n kof a. Where its node is gone for good, " +
                "kubectl delete pod --force. Then run pulumi up again.",
        });
    });

    it("reports unreadable pods as unknown, not as none", async () => {
        const refused = new CouldNotCheck("pods is forbidden");
        await assert.rejects(
            wait([refused]),
            /is not deleted[^]*whether collectors still run with it could not be checked for 0 minutes: pods is forbidden/,
        );
        assert.equal((await wait([refused, [fresh]], "access key 2", minutes)).looks, 2);
        const api = { get: () => Promise.resolve(undefined), list: () => Promise.resolve([]) };
        await assert.rejects(
            untilRestarted(api, "access key 2", { say: () => undefined, patience: 0 }),
            /there is no release kof-collectors on the cluster that was looked at/,
        );
    });
});
