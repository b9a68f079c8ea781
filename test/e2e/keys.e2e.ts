import assert from "node:assert/strict";

import { IAMClient, ListAccessKeysCommand, ListUsersCommand } from "@aws-sdk/client-iam";

import * as rollout from "../../live/rollout";
import { eventually } from "../../tools/servers/program";
import type { AnyObject } from "../../tools/servers/crds";
import type { Raw } from "../support";
import { endToEnd, succeed } from "./run";

const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "cloudwatch-credentials", namespace: "kof" } };

/** A collector as the OpenTelemetry operator makes it, started with some generation of the key. It never gets a node here. */
function collector(generation: string): AnyObject {
    const secretKeyRef = { name: "cloudwatch-credentials", key: "AWS_ACCESS_KEY_ID" };
    const container = { name: "otc", image: "otel", env: [{ name: "AWS_ACCESS_KEY_ID", valueFrom: { secretKeyRef } }] };
    return {
        apiVersion: "v1",
        kind: "Pod",
        metadata: {
            name: `collector-${generation}`,
            namespace: "kof",
            labels: { "app.kubernetes.io/component": "opentelemetry-collector" },
            annotations: { "kof-storage-routes/read-at-start": `access key ${generation}` },
        },
        spec: { containers: [container] },
    };
}

endToEnd("an access key", (run) => {
    const iam = new IAMClient({ region: "us-east-1", credentials: { accessKeyId: "x", secretAccessKey: "x" } });
    const keys = (...generations: string[]): Raw => ({
        ...run.routes.cloudwatch,
        cloudwatch: { ...run.aws, credentials: { kind: "accessKey", generations } },
    });
    /** The keys that AWS has. */
    const inAws = async (): Promise<string[]> => {
        const { Users } = await iam.send(new ListUsersCommand({ PathPrefix: "/kof/" }));
        const lists = await Promise.all(
            (Users ?? []).map(({ UserName }) => iam.send(new ListAccessKeysCommand({ UserName }))),
        );
        return lists.flatMap(({ AccessKeyMetadata }) =>
            (AccessKeyMetadata ?? []).map((each) => each.AccessKeyId ?? ""),
        );
    };
    const inSecret = async (): Promise<string> =>
        Buffer.from((await run.cluster.read(secret)).data.AWS_ACCESS_KEY_ID, "base64").toString();
    const restart = async (from: string, to: string) => {
        await run.cluster.remove(collector(from));
        await run.cluster.apply(collector(to));
    };
    afterEach(() => run.cluster.remove(collector("a"), collector("b")));

    it("goes when the last collector that runs with it has restarted", async () => {
        await run.deploy(keys("a"));
        const [old] = await inAws();
        await run.cluster.apply(collector("a"));
        run.configure(keys("b"));
        const up = run.stack.up();
        await eventually(async () => (await inAws()).length === 2 && (await inSecret()) !== old, "there is a new key");
        await eventually(() => run.stack.log.includes("Waiting for 1 collector to restart"), "it waits");
        assert.ok((await inAws()).includes(old!), "while a collector runs with it");
        await restart("a", "b");
        await succeed(up);
        assert.deepEqual(await inAws(), [await inSecret()]);
        await succeed(run.stack.expectNoChanges());
    });

    it("stays where a collector does not restart, and goes with the next deployment", async () => {
        await run.deploy(keys("a"));
        const [old] = await inAws();
        await run.cluster.apply(collector("a"));
        run.configure(keys("b"));
        const wait = rollout.untilRestarted;
        const impatient: typeof wait = (api, startedWith, options) =>
            wait(api, startedWith, { ...options, patience: 0 });
        Object.assign(rollout, { untilRestarted: impatient });
        try {
            const { ok, output } = await run.stack.up();
            assert.ok(!ok && output.includes("The access key is not deleted"), output);
            assert.match(output, /1 collector still run with it \(collector-a on no node\)/);
            assert.doesNotMatch(output, /rollout\.ts/, "without a stack trace");
        } finally {
            Object.assign(rollout, { untilRestarted: wait });
        }
        assert.ok((await inAws()).includes(old!));
        const { settings } = run.stack.outputs();
        assert.deepEqual(settings.cloudwatch.credentials.generations, ["a"], "which is not completed");
        await restart("a", "b");
        await succeed(run.stack.up());
        assert.deepEqual(await inAws(), [await inSecret()]);
    });

    it("goes after the collectors when they go", async () => {
        await run.deploy(keys("a"));
        const said = await run.deploy(await run.permitted(run.routes.none!));
        const at = (what: RegExp) => {
            const line = said.split("\n").findIndex((each) => what.test(each));
            assert.notEqual(line, -1, `${String(what)} in\n${said}`);
            return line;
        };
        const uninstalled = at(/HelmRelease\s+kof:kof\/kof-collectors\s+deleted/);
        assert.ok(uninstalled < at(/core\/v1:Secret\s+cloudwatch\s+deleting/), said);
        assert.ok(uninstalled < at(/AccessKey\s+cloudwatch-a\s+deleting/), said);
        assert.deepEqual(await inAws(), []);
    });
});
