import assert from "node:assert/strict";
import { mock } from "node:test";

import * as pulumi from "@pulumi/pulumi";

import { planOf } from "../../core/review/plan";
import { runOffline } from "../../cli/program";
import { CouldNotCheck } from "../../core/lib/errors";
import type { Cluster } from "../../stacks/place";
import { whenRestarted } from "../../stacks/rollout";
import { deploymentFor, routes, stackFile, type Raw } from "../support";

const keys = (...generations: string[]): Raw => ({
    ...routes.cloudwatch,
    cloudwatch: { region: "us-east-2", credentials: { kind: "accessKey", generations } },
});
const secretKeyRef = { name: "cloudwatch-credentials", key: "AWS_ACCESS_KEY_ID" };
const pod = (startedWith: string) => ({
    metadata: { name: "a", annotations: { "kof-storage-routes/read-at-start": startedWith } },
    spec: { containers: [{ env: [{ name: "AWS_ACCESS_KEY_ID", valueFrom: { secretKeyRef } }] }] },
});

describe("a deployment that deletes an access key", () => {
    /** What the cluster answered, in order: the pods' annotations. */
    let looks: string[];
    /** What the pods were started with, at each look. */
    let answers: string[];

    beforeEach(() => {
        [looks, answers] = [[], ["access key 2"]];
    });

    const cluster: Cluster = {
        server: "https://a.example.net",
        get: <T>(path: string) => {
            const isThere = path.endsWith("/kube-system") || path.includes("/helmreleases/");
            return Promise.resolve((isThere ? { metadata: { uid: "a" } } : undefined) as T | undefined);
        },
        list: <T>(path: string) => {
            if (!path.includes("/pods")) {
                return Promise.resolve([]);
            }
            const startedWith = answers[Math.min(looks.length, answers.length - 1)]!;
            looks.push(startedWith);
            return Promise.resolve([pod(startedWith) as T]);
        },
    };

    const run = async (from: Raw, to: Raw, preview = false) => {
        const { outputs } = await runOffline(stackFile(from), { preview: true });
        return runOffline(stackFile(to), { preview, outputs, cluster });
    };

    it("ends when every collector has restarted, and remembers its settings then", async () => {
        answers = ["access key 1", "access key 2"];
        const { outputs, messages } = await run(keys("1"), keys("2"));
        assert.deepEqual(looks, ["access key 1", "access key 2"]);
        assert.match(messages.join("\n"), /info: Waiting for 1 collector to restart before an access key is deleted/);
        const { cloudwatch } = outputs.settings as any;
        assert.deepEqual(cloudwatch.credentials.generations, ["2"]);
    });

    it("checks collectors that stay without the key, but not in a preview or without a key to delete", async () => {
        const elsewhere = {
            ...routes.cloudwatch,
            cloudwatch: { region: "us-east-2", credentials: { kind: "existingSecret", name: "b" } },
        };
        const otlp = { route: "otlp", otlp: { endpoint: "https://otlp.example.net" } };
        for (const [from, to, startedWith, preview, looked] of [
            [keys("1", "2"), keys("2"), "access key 2", false, 1],
            [keys("1", "2"), keys("2"), "access key 2", true, 0],
            [keys("1"), keys("1", "2"), "access key 1", false, 0],
            [keys("1"), elsewhere, "Secret b", false, 1],
            [elsewhere, keys("1"), "Secret b", false, 0],
            [keys("1"), otlp, "endpoint https://otlp.example.net", false, 1],
            // Without collectors their release is uninstalled before the key goes.
            [keys("1"), { route: "none" }, "access key 1", false, 0],
        ] as const) {
            [looks, answers] = [[], [startedWith]];
            await run(from, to, preview);
            assert.equal(looks.length, looked, JSON.stringify([from, to]));
        }
    });

    it("looks for the release that brings the collectors, where Sveltos installs them", async () => {
        const beside = (...generations: string[]): Raw => ({
            ...keys(...generations),
            route: "management",
            signals: { logs: ["management", "cloudwatch"] },
        });
        const plain = { route: "management" };
        for (const [version, release] of [
            ["1.9.0", "kof-collectors"],
            ["1.10.0", "kof-child"],
        ] as const) {
            const asked: string[] = [];
            const get: Cluster["get"] = (path) => {
                asked.push(path);
                return cluster.get(path.endsWith(`/${release}`) ? path : path.replace("/helmreleases/", "/none/"));
            };
            for (const [to, startedWith] of [
                [beside("2"), "access key 2"],
                [plain, undefined],
            ] as const) {
                const change = planOf(deploymentFor({ ...beside("1"), version }), deploymentFor({ ...to, version }));
                const list: Cluster["list"] = (path) =>
                    Promise.resolve(path.includes("/pods") ? [pod(startedWith!) as any] : []);
                await (whenRestarted(pulumi.output(1), change, { ...cluster, get, list }, 0) as any).promise();
            }
            const [path = ""] = asked;
            assert.ok(asked.length === 2 && path.endsWith(`/helmreleases/${release}`), asked.join());
        }
    });

    it("fails without a stack trace if it may not read the pods", async () => {
        const forbidden = {
            ...cluster,
            list: () => Promise.reject(new CouldNotCheck("https://a.example.net answered 403: pods is forbidden")),
        };
        const change = planOf(deploymentFor(keys("1")), deploymentFor(keys("2")));
        const logged = mock.method(pulumi.log, "info", () => Promise.resolve());
        try {
            const end = whenRestarted(pulumi.output(1), change, forbidden, 0) as any;
            await assert.rejects(end.promise(), (error: Error) => {
                assert.ok(pulumi.RunError.isInstance(error), String(error));
                assert.match(
                    error.message,
                    /^The access key is not deleted, [^]* answered 403: pods is forbidden\. Run/,
                );
                return true;
            });
        } finally {
            logged.mock.restore();
        }
    });
});
