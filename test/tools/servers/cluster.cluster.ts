import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { useCluster } from "../../../tools/servers/cluster";
import { eventually } from "../../../tools/servers/program";
import { crds, type AnyObject } from "../../../tools/servers/crds";
import { FluxStandIn } from "../../../tools/servers/flux";

const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "kof" } };

function release(name: string, ...dependsOn: string[]): AnyObject {
    return {
        apiVersion: "helm.toolkit.fluxcd.io/v2",
        kind: "HelmRelease",
        metadata: { name, namespace: "kof" },
        spec: {
            interval: "20m",
            chartRef: { kind: "HelmChart", name, namespace: "kcm-system" },
            install: { remediation: { retries: 2 } },
            dependsOn: dependsOn.map((other) => ({ name: other, namespace: "kof" })),
        },
    };
}

describe("the cluster for tests", () => {
    const cluster = useCluster();

    afterEach(() => cluster().reset());

    it("is new enough, and keeps any content and status of what operators bring", async () => {
        const version = await cluster().api.get<{ minor: string }>("/version");
        assert.ok(Number.parseInt(version!.minor) >= 32);
        const collector = {
            apiVersion: "opentelemetry.io/v1beta1",
            kind: "OpenTelemetryCollector",
            metadata: { name: "kof-collectors-daemon", namespace: "kof" },
            spec: { config: { receivers: { otlp: {} } } },
            status: { scale: { statusReplicas: "1/1" } },
        };
        await cluster().apply(namespace, collector);
        const found = await cluster().read(collector);
        assert.deepEqual([found.spec, found.status], [collector.spec, collector.status]);
    });

    // What happens to collectors when their definition goes with the operator (`collectorConsequences`). 2026-11-27, Kubernetes 1.36.3.
    it("deletes objects with their definition, but for those that a finalizer keeps", async () => {
        const group = "tests.example.net";
        const definition: AnyObject = {
            ...crds[0]!,
            metadata: { name: `things.${group}` },
            spec: {
                ...crds[0]!.spec,
                group,
                names: { kind: "Thing", listKind: "ThingList", plural: "things", singular: "thing" },
            },
        };
        const { name: version } = definition.spec.versions[0];
        const thing = (name: string, ...finalizers: string[]): AnyObject => ({
            apiVersion: `${group}/${version}`,
            kind: "Thing",
            metadata: { name, namespace: "kof", finalizers },
        });
        const [free, kept] = [thing("free"), thing("kept", `${group}/finalizer`)];
        const things = `/apis/${group}/${version}/namespaces/kof/things`;
        await cluster().apply(namespace, definition);
        await eventually(async () => (await cluster().api.request("GET", things)).status === 200, "it is served");
        await cluster().apply(free, kept);
        await cluster().api.request(
            "DELETE",
            `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.${group}`,
        );
        await eventually(async () => (await cluster().read(free)) === undefined, "one is gone");
        await sleep(2000);
        assert.ok((await cluster().read(kept)).metadata.deletionTimestamp !== undefined, "the other is not");
        await assert.rejects(cluster().apply(thing("new")), /terminating|not allowed|405/i);
        await cluster().merge(kept, { metadata: { finalizers: [] } });
        await eventually(async () => (await cluster().read(definition)) === undefined, "all are gone");
    });

    it("has a stand-in for Flux that installs in order, fails when told to, and uninstalls before a release goes", async () => {
        const flux = new FluxStandIn(cluster()).start();
        try {
            const [operators, mothership, child] = [
                release("kof-operators"),
                release("kof-mothership", "kof-operators"),
                release("kof-child", "kof-mothership"),
            ];
            flux.fail("kof-mothership", "Helm install failed: timed out");
            await cluster().apply(namespace, child, mothership, operators);
            const condition = async (object: AnyObject, type: string) =>
                ((await cluster().read(object)).status?.conditions ?? []).find((each: any) => each.type === type);
            const ready = (object: AnyObject) => condition(object, "Ready");
            await eventually(async () => (await condition(mothership, "Stalled")) !== undefined, "it gives up");
            const { reason, message } = await ready(mothership);
            assert.deepEqual([reason, message], ["InstallFailed", "Helm install failed: timed out"]);
            await eventually(async () => (await ready(child))?.reason === "DependencyNotReady", "the next one waits");

            flux.fail("kof-mothership");
            await sleep(1000);
            assert.equal((await ready(mothership)).reason, "InstallFailed", "mending is not enough");
            const again = { "reconcile.fluxcd.io/requestedAt": "1", "reconcile.fluxcd.io/resetAt": "1" };
            await cluster().merge(mothership, { metadata: { annotations: again } });
            await eventually(async () => (await ready(child))?.status === "True", "all are ready");
            await cluster().merge(child, { spec: { suspend: true } });
            await cluster().remove(child, mothership, operators);
            assert.deepEqual(flux.events, [
                "install kof-operators",
                ...Array<string>(3).fill("fail kof-mothership"),
                "give up kof-mothership",
                "install kof-mothership",
                "install kof-child",
                "leave kof-child",
                "uninstall kof-mothership",
                "uninstall kof-operators",
            ]);
        } finally {
            await flux.stop();
        }
    });
});
