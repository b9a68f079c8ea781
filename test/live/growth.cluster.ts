import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { useCluster, type TestCluster } from "../../tools/servers/cluster";
import { eventually } from "../../tools/servers/program";
import type { AnyObject } from "../../tools/servers/crds";

const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "kof" } };

function storageClass(name: string, allowVolumeExpansion: boolean): AnyObject {
    return {
        apiVersion: "storage.k8s.io/v1",
        kind: "StorageClass",
        metadata: { name },
        provisioner: "test.example.net",
        volumeBindingMode: "WaitForFirstConsumer",
        allowVolumeExpansion,
    };
}

/** A StatefulSet as the chart victoria-logs-cluster makes it, as far as it matters here. */
function statefulSet(size: string, storageClassName: string): AnyObject {
    const labels = { app: "vlstorage", "app.kubernetes.io/instance": "kof-storage" };
    const name = "kof-storage-victoria-logs-cluster-vlstorage";
    return {
        apiVersion: "apps/v1",
        kind: "StatefulSet",
        metadata: { name, namespace: "kof", labels },
        spec: {
            replicas: 2,
            serviceName: name,
            podManagementPolicy: "Parallel",
            selector: { matchLabels: labels },
            template: {
                metadata: { labels },
                spec: { containers: [{ name: "vlstorage", image: "example.net/victoria-logs:v1" }] },
            },
            volumeClaimTemplates: [
                {
                    metadata: { name: "vlstorage-volume" },
                    spec: {
                        accessModes: ["ReadWriteOnce"],
                        storageClassName,
                        resources: { requests: { storage: size } },
                    },
                },
            ],
        },
    };
}

/** The volume of a claim, as a driver would have made it. */
function volumeOf({ metadata }: AnyObject, storageClassName: string): AnyObject {
    return {
        apiVersion: "v1",
        kind: "PersistentVolume",
        metadata: { name: metadata.name },
        spec: {
            capacity: { storage: "50Gi" },
            accessModes: ["ReadWriteOnce"],
            storageClassName,
            persistentVolumeReclaimPolicy: "Retain",
            claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", ...metadata },
            csi: { driver: "test.example.net", volumeHandle: metadata.name },
        },
    };
}

const named = (apiVersion: string, kind: string, name: string): AnyObject => ({
    apiVersion,
    kind,
    metadata: { name, namespace: "kof" },
});
const names = [0, 1].map((i) => `kof-storage-victoria-logs-cluster-vlstorage-${String(i)}`);
const claims = names.map((name) => named("v1", "PersistentVolumeClaim", `vlstorage-volume-${name}`));
const pods = names.map((name) => named("v1", "Pod", name));
const release: AnyObject = { ...named("helm.toolkit.fluxcd.io/v2", "HelmRelease", "kof-storage"), spec: {} };
const serviceSet: AnyObject = {
    apiVersion: "k0rdent.mirantis.com/v1beta1",
    kind: "ServiceSet",
    metadata: { name: "kof-mgmt-cluster", namespace: "kof" },
    spec: { provider: { selfManagement: true }, services: [{ name: "kof-storage", namespace: "kof" }] },
};

/** The commands of docs/storage.md below a heading. */
function documented(heading: string): string {
    const text = fs.readFileSync("docs/storage.md", "utf8");
    const section = text.slice(text.indexOf(`## ${heading}`)).split(/\n#+ /)[0] ?? "";
    const command = /```bash\n([^]*?)```/.exec(section)?.[1];
    assert.ok(command !== undefined, `docs/storage.md has no command under "${heading}"`);
    return command.replace(/ +#.*$/gm, "").trim();
}

describe("volumes of logs on a real API server", () => {
    const cluster = useCluster();
    let folder: string;

    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "grow-"));
    });
    afterEach(async () => {
        fs.rmSync(folder, { recursive: true });
        // What the controller made goes after its StatefulSet, and a volume after its claim.
        await cluster().remove(statefulSet("50Gi", "kof"), ...pods, ...claims);
        await cluster().reset();
    });

    /** Two pods with bound claims of 50Gi, by the StatefulSet controller. */
    async function install(test: TestCluster, className = "kof"): Promise<AnyObject> {
        const set = statefulSet("50Gi", className);
        await test.apply(namespace, storageClass("kof", true), storageClass("fixed", false), set);
        for (const claim of claims) {
            await eventually(async () => (await test.read(claim)) !== undefined, `${claim.metadata.name} is made`);
            await test.apply(volumeOf(claim, className));
            await test.merge(claim, { spec: { volumeName: claim.metadata.name } });
            const bound = async () => (await test.read(claim)).status.capacity?.storage === "50Gi";
            await eventually(bound, `${claim.metadata.name} is bound`);
        }
        for (const pod of pods) {
            await eventually(async () => (await test.read(pod)) !== undefined, `${pod.metadata.name} is made`);
        }
        return set;
    }

    const uids = (test: TestCluster) =>
        Promise.all([...claims, ...pods].map(async (object) => (await test.read(object))?.metadata.uid as string));

    /** The command as documented, on this cluster: what it says, while a stand-in for the driver resizes. */
    async function grow(test: TestCluster, command: string, driver = true): Promise<{ code: number; said: string }> {
        const file = path.join(folder, "Pulumi.prod.yaml");
        fs.writeFileSync(
            file,
            "config: {kof:route: management, kof:version: 1.9.0, kof:storage: {logs: {size: 50Gi}}}",
        );
        const child = spawn("sh", ["-c", command.replace("--stack prod", `--config ${file}`)], {
            env: { ...process.env, KUBECONFIG: test.kubeconfig },
        });
        let said = "";
        child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
        child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
        let code: number | undefined;
        child.on("close", (status) => (code = status ?? 1));
        await eventually(async () => {
            for (const claim of driver ? claims : []) {
                const found = await test.read(claim);
                const storage = found.spec.resources.requests.storage as string;
                if (storage !== found.status.capacity.storage) {
                    await test.merge(claim, { status: { capacity: { storage } } }, "/status");
                }
            }
            return code !== undefined;
        }, "the command ends");
        return { code: code ?? 1, said };
    }

    it("cannot be made larger by an upgrade", async () => {
        const set = await install(cluster());
        await assert.rejects(
            cluster().apply(statefulSet("100Gi", "kof")),
            /updates to statefulset spec for fields other than [^]* are forbidden/,
        );
        assert.equal((await cluster().read(set)).spec.replicas, 2);
    });

    it("grow by the documented command, under pods that run on", async () => {
        const test = cluster();
        const set = await install(test);
        await test.apply(release, serviceSet);
        const before = await uids(test);

        const { code, said } = await grow(test, documented("Growing the volumes of logs and traces"));
        assert.equal(code, 0, said);
        for (const claim of claims) {
            assert.equal((await test.read(claim)).spec.resources.requests.storage, "100Gi");
        }
        assert.equal(await test.read(set), undefined);
        assert.deepEqual(await uids(test), before);
        assert.match(said, /paused helmrelease -n kof kof-storage[^]*resumed helmrelease -n kof kof-storage/);
        assert.match(said, /paused serviceset -n \S+ kof-mgmt-cluster[^]*resumed serviceset -n \S+ kof-mgmt-cluster/);
        assert.equal((await test.read(release)).spec.suspend, false);
        assert.deepEqual((await test.read(serviceSet)).metadata.annotations ?? {}, {});
        assert.match(said, /kof:acknowledge: logs 50Gi->100Gi$/m);

        await test.apply(statefulSet("100Gi", "kof"));
        const next = await test.read(set);
        for (const pod of pods) {
            await eventually(
                async () => (await test.read(pod)).metadata.ownerReferences?.[0]?.uid === next.metadata.uid,
                `${pod.metadata.name} is taken over`,
            );
        }
        assert.deepEqual(await uids(test), before);

        // A second time there is nothing left to do.
        assert.equal((await grow(test, documented("Growing the volumes of logs and traces"))).code, 0);
    });

    it("stay as they are when they would become smaller, or their class cannot expand", async () => {
        const test = cluster();
        const set = await install(test, "fixed");
        const command = documented("Growing the volumes of logs and traces");
        const smaller = await grow(test, command.replace("100Gi", "20Gi"));
        assert.deepEqual([smaller.code, smaller.said.includes("20Gi is smaller than 50Gi")], [1, true], smaller.said);
        const fixed = await grow(test, command);
        assert.equal(fixed.code, 1);
        assert.match(fixed.said, /storageclass that provisions the pvc must support resize/);
        assert.doesNotMatch(fixed.said, / at /);
        for (const claim of claims) {
            assert.equal((await test.read(claim)).spec.resources.requests.storage, "50Gi");
        }
        assert.ok(await test.read(set));
    });

    it("get another class by the documented commands, those that exist keeping theirs", async () => {
        const test = cluster();
        const set = await install(test);
        const before = await uids(test);
        await assert.rejects(test.apply(statefulSet("50Gi", "fast")), /are forbidden/);

        // kubectl delete --cascade=orphan, as the API has it.
        const command = documented("Another class");
        assert.match(command, /kubectl delete statefulset -n kof --cascade=orphan/);
        assert.ok(command.includes(set.metadata.name) && command.includes("kof-storage-vt-cluster-vtstorage"));
        const orphan = "propagationPolicy=Orphan";
        await test.api.request("DELETE", `/apis/apps/v1/namespaces/kof/statefulsets/${set.metadata.name}?${orphan}`);
        await eventually(async () => (await test.read(set)) === undefined, "the StatefulSet is gone");

        await test.apply(storageClass("fast", true), statefulSet("50Gi", "fast"));
        const { metadata } = await test.read(set);
        for (const pod of pods) {
            await eventually(
                async () => (await test.read(pod)).metadata.ownerReferences?.[0]?.uid === metadata.uid,
                `${pod.metadata.name} is taken over`,
            );
        }
        assert.deepEqual(await uids(test), before);
        assert.equal((await test.read(claims[0]!)).spec.storageClassName, "kof");
    });
});
