import assert from "node:assert/strict";

import { CloudWatchLogsClient, DeleteLogGroupCommand, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { IAMClient, ListUsersCommand } from "@aws-sdk/client-iam";

import { umbrellaObjects } from "../../catalog/umbrella";
import { planOf, verdictOf } from "../../changes";
import type { AnyObject } from "../cluster/crds";
import { routeFor } from "../support";
import { onPath } from "./engine";
import { endToEnd, fluxPaths, namespace, succeed } from "./run";

endToEnd("a deployment", (run) => {
    const { routes, aws } = run;

    for (const [name, settings] of Object.entries(routes)) {
        it(`of route ${name} has nothing to do when it is done`, async () => {
            await run.deploy({ ...settings, grafana: { enabled: true } });
            assert.deepEqual(await run.objects(), run.expectedObjects(settings));
            await succeed(run.stack.expectNoChanges());
            const { destinations, route } = await run.stack.outputs();
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

    const names = Object.keys(routes);
    for (const one of names.slice(0, -1)) {
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
        const plan = planOf(routeFor(routes[from]!), routeFor(settings));
        await run.prepare(settings);
        if (verdictOf(plan) !== "safe") {
            run.configure(settings);
            const { ok, output } = await run.stack.preview();
            assert.ok(!ok && output.includes("asks for a change that is refused"), output);
        }
        await run.deploy(await run.permitted(settings));
        assert.deepEqual(await run.objects(), run.expectedObjects(settings));
    }

    it("rotates the key of CloudWatch in two steps, with the Secret always there", async () => {
        const secret = {
            apiVersion: "v1",
            kind: "Secret",
            metadata: { name: "cloudwatch-credentials", namespace: "kof" },
        };
        const seen: { uid: string; id: string }[] = [];
        for (const generations of [["a"], ["a", "b"], ["b"]]) {
            const credentials = { kind: "accessKey", generations };
            await run.deploy({ ...routes.cloudwatch, cloudwatch: { ...aws, credentials } });
            const { metadata, data } = await run.cluster.read(secret);
            seen.push({ uid: metadata.uid, id: Buffer.from(data.AWS_ACCESS_KEY_ID, "base64").toString() });
        }
        const [first, both, last] = seen;
        assert.equal(first!.uid, last!.uid, "updated in place");
        assert.notEqual(first!.id, both!.id);
        assert.equal(both!.id, last!.id);
    });

    it("has no secret in its state, in what the engine says, in Helm values, or in files", async () => {
        const secrets: string[] = [];
        for (const name of ["cloudwatch", "regional", "management"]) {
            await run.deploy(await run.permitted({ ...routes[name], grafana: { enabled: true } }));
            for (const { metadata, data } of await run.cluster.api.list<any>("/api/v1/namespaces/kof/secrets")) {
                const values = Object.entries((data ?? {}) as Record<string, string>);
                const secret = values.filter(([key]) => /SECRET|PASSWORD|password/.test(key));
                assert.ok(metadata.name !== "cloudwatch-credentials" || secret.length > 0);
                secrets.push(...secret.map(([, value]) => Buffer.from(value, "base64").toString()));
            }
            const releases = JSON.stringify(await run.cluster.api.list(fluxPaths.HelmRelease));
            const visible = [run.stack.state(), run.stack.log, releases].join("\n");
            for (const secret of secrets) {
                assert.ok(!visible.includes(secret), "in plain text");
                assert.ok(!visible.includes(Buffer.from(secret).toString("base64")), "in base64");
            }
        }

        const files = await run.otherStack({ name: "files" });
        try {
            const grafana = { enabled: true, existingSecret: "grafana-admin" };
            const folder = { "kubernetes:renderYamlToDirectory": "out" };
            files.configure({ ...routes.management, grafana, chart: run.chart }, folder);
            await succeed(files.up());
            const written = files.files("out");
            assert.match(written, /^kind: HelmRelease$/m);
            assert.doesNotMatch(written, /^kind: Secret$/m);
        } finally {
            files.remove();
        }
    });

    it("takes over what was installed by hand, without making anything anew, and has nothing to do then", async () => {
        await run.deploy(routes.management!);
        // Which view of an object the provider sees last is a matter of chance.
        for (let round = 0; round < 10; round++) {
            const before = await byHand();
            await run.stack.forget();
            run.configure({ ...routes.management, adopt: true });
            await succeed(run.stack.up());
            for (const object of before) {
                const now = await run.cluster.read(object);
                const { uid } = object.metadata as unknown as { uid: string };
                assert.equal(now?.metadata.uid, uid, object.metadata.name);
            }
            await succeed(run.stack.expectNoChanges());
        }
    });

    const helmsOwn = {
        "helm.sh/resource-policy": "keep",
        "meta.helm.sh/release-name": "kof",
        "reconcile.fluxcd.io/requestedAt": "1700000000",
    };

    /** Has what is deployed look as an install by Helm leaves it, and returns it. */
    async function byHand(): Promise<AnyObject[]> {
        const kinds = [
            ["helm.toolkit.fluxcd.io/v2", "HelmRelease"],
            ["source.toolkit.fluxcd.io/v1", "HelmChart"],
        ] as const;
        const found: AnyObject[] = [];
        for (const [apiVersion, kind] of kinds) {
            for (const object of await run.cluster.api.list<AnyObject>(fluxPaths[kind])) {
                const annotations = Object.fromEntries(
                    Object.keys(object.metadata.annotations ?? {}).map((key) => [key, null]),
                );
                const typed = { ...object, apiVersion, kind };
                await run.cluster.merge(typed, { metadata: { annotations } });
                const { name, namespace: inNamespace } = object.metadata;
                const { status, body } = await run.cluster.api.request(
                    "PATCH",
                    `${fluxPaths[kind]}/${name}?fieldManager=helm&force=true`,
                    {
                        headers: { "content-type": "application/apply-patch+yaml" },
                        body: JSON.stringify({
                            apiVersion,
                            kind,
                            metadata: { name, namespace: inNamespace, annotations: helmsOwn },
                            spec: object.spec as unknown,
                        }),
                    },
                );
                assert.equal(status, 200, body);
                found.push(typed);
            }
        }
        assert.ok(found.length > 0);
        return found;
    }

    for (const keepLogGroups of [false, true]) {
        it(`leaves ${keepLogGroups ? "its log groups" : "nothing"} in AWS with keepLogGroups ${keepLogGroups}`, async () => {
            const logGroup = `${aws.logGroup}-${keepLogGroups ? "kept" : "gone"}`;
            await run.deploy({ ...routes.cloudwatch, cloudwatch: { ...aws, logGroup, keepLogGroups } });
            const { logGroups: made } = await run.stack.outputs();
            await succeed(run.stack.destroy());
            const client = new CloudWatchLogsClient({ region: aws.region });
            const { logGroups = [] } = await client.send(
                new DescribeLogGroupsCommand({ logGroupNamePrefix: logGroup }),
            );
            const names = logGroups.map(({ logGroupName }) => logGroupName);
            assert.ok(made.includes(logGroup));
            assert.deepEqual(names, keepLogGroups ? made : []);
            const { Users } = await new IAMClient({ region: "us-east-1" }).send(
                new ListUsersCommand({ PathPrefix: "/kof/" }),
            );
            assert.deepEqual(Users, []);
            for (const logGroupName of names) {
                await client.send(new DeleteLogGroupCommand({ logGroupName }));
            }
        });
    }

    it("removes what it made in the opposite order", async function () {
        if (run.realFlux) {
            this.skip();
        }
        await run.deploy(routes.management!);
        run.flux.events.length = 0;
        await succeed(run.stack.destroy());
        const order = run.flux.events.map((event) => event.replace("uninstall ", ""));
        const { catalog, values } = routeFor(routes.management!);
        for (const { kind, name, dependsOn } of umbrellaObjects(catalog, values)) {
            if (kind === "HelmRelease") {
                assert.ok(order.includes(name), name);
                for (const other of dependsOn) {
                    assert.ok(order.indexOf(name) < order.indexOf(other), `${name} goes before ${other}`);
                }
            }
        }
        assert.deepEqual(await run.objects(), []);
        assert.equal(await run.cluster.read(namespace), undefined);
        const storageClass = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name: "kof" } };
        assert.equal(await run.cluster.read(storageClass), undefined);
    });
});
