import assert from "node:assert/strict";

import { useCluster } from "../tools/servers/cluster";
import { eventually } from "../tools/servers/program";
import type { AnyObject } from "../tools/servers/crds";

const namespace: AnyObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "kof" } };

function storageClass(more: object = {}): AnyObject {
    return {
        apiVersion: "storage.k8s.io/v1",
        kind: "StorageClass",
        metadata: { name: "old" },
        provisioner: "test.example.net",
        parameters: { type: "a" },
        reclaimPolicy: "Retain",
        allowVolumeExpansion: true,
        ...more,
    };
}

const claim: AnyObject = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "db-0", namespace: "kof" },
    spec: {
        accessModes: ["ReadWriteOnce"],
        storageClassName: "old",
        volumeName: "db",
        resources: { requests: { storage: "10Gi" } },
    },
};

const volume: AnyObject = {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: "db" },
    spec: {
        accessModes: ["ReadWriteOnce"],
        storageClassName: "old",
        persistentVolumeReclaimPolicy: "Retain",
        capacity: { storage: "10Gi" },
        claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: "kof", name: "db-0" },
        csi: { driver: "test.example.net", volumeHandle: "1" },
    },
};

// Tried with Kubernetes 1.36 on 2026-11-27.
describe("Kubernetes, as docs/ has it:", () => {
    const cluster = useCluster();
    afterEach(() => cluster().reset());

    const phaseOf = async (object: AnyObject) => (await cluster().read(object))?.status?.phase as string | undefined;
    const bound = async () => {
        await cluster().apply(namespace, storageClass(), volume, claim);
        await eventually(async () => (await phaseOf(claim)) === "Bound", "the claim is bound");
    };
    const size = (storage: string) => ({ spec: { resources: { requests: { storage } } } });

    it("a class cannot be changed, but for whether its volumes expand", async () => {
        await cluster().apply(storageClass());
        for (const change of [
            { parameters: { type: "b" } },
            { reclaimPolicy: "Delete" },
            { provisioner: "other.example.net" },
            { volumeBindingMode: "WaitForFirstConsumer" },
        ]) {
            await assert.rejects(
                cluster().merge(storageClass(), change),
                /field is immutable|updates to .* are forbidden/,
            );
        }
        await cluster().merge(storageClass(), { allowVolumeExpansion: false });
    });

    it("a volume keeps its parameters when its class is recreated, and does not grow without the class", async () => {
        await bound();
        await cluster().remove(storageClass());
        await assert.rejects(cluster().merge(claim, size("20Gi")), /must support resize/);
        await cluster().apply(storageClass({ parameters: { type: "b" }, reclaimPolicy: "Delete" }));
        assert.equal(await phaseOf(claim), "Bound");
        assert.equal((await cluster().read(volume)).spec.persistentVolumeReclaimPolicy, "Retain");
        await cluster().merge(claim, size("20Gi"));
    });

    it("a claim never becomes smaller, nor goes to another class", async () => {
        await bound();
        await assert.rejects(cluster().merge(claim, size("5Gi")), /can not be less than/);
        await assert.rejects(cluster().merge(claim, { spec: { storageClassName: "new" } }), /is immutable/);
    });

    it("a claim goes with its namespace, and leaves a volume with Retain", async () => {
        await bound();
        await cluster().remove(namespace);
        assert.equal(await cluster().read(claim), undefined);
        await eventually(async () => (await phaseOf(volume)) === "Released", "the volume is released");
    });

    it("a list that is rendered empty is refused where a definition wants a list", async () => {
        const definition: AnyObject = {
            apiVersion: "apiextensions.k8s.io/v1",
            kind: "CustomResourceDefinition",
            metadata: { name: "waits.test.example.net" },
            spec: {
                group: "test.example.net",
                names: { kind: "Wait", plural: "waits" },
                scope: "Cluster",
                versions: [
                    {
                        name: "v1",
                        served: true,
                        storage: true,
                        schema: {
                            openAPIV3Schema: {
                                type: "object",
                                properties: { dependsOn: { type: "array", items: { type: "string" } } },
                            },
                        },
                    },
                ],
            },
        };
        const object: AnyObject = { apiVersion: "test.example.net/v1", kind: "Wait", metadata: { name: "x" } };
        await cluster().apply(definition);
        await eventually(async () => {
            const { status } = await cluster().api.request("GET", "/apis/test.example.net/v1/waits");
            return status === 200;
        }, "the definition is served");
        await assert.rejects(cluster().apply({ ...object, dependsOn: null }), /dependsOn.* must be of type array/);
        await cluster().apply({ ...object, dependsOn: [] });
    });

    it("a namespace stays Terminating while an object in it has a finalizer, and names that", async () => {
        const held: AnyObject = {
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name: "held", namespace: "kof", finalizers: ["example.net/operator"] },
        };
        await cluster().apply(namespace, held);
        await cluster().api.request("DELETE", "/api/v1/namespaces/kof");
        const says = async (): Promise<string> => {
            const conditions = (await cluster().read(namespace)).status?.conditions ?? [];
            const found = conditions.find(({ type }: { type: string }) => type === "NamespaceFinalizersRemaining");
            return found?.status === "True" ? found.message : "";
        };
        await eventually(async () => (await says()).includes("example.net/operator in 1 resource"), "it says why");
        assert.equal(await phaseOf(namespace), "Terminating");
        await cluster().merge(held, { metadata: { finalizers: [] } });
        await eventually(async () => (await cluster().read(namespace)) === undefined, "the namespace goes");
    });
});
