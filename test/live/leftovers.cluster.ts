import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { useCluster } from "../../tools/servers/cluster";
import { eventually } from "../../tools/servers/program";
import type { AnyObject } from "../../tools/servers/crds";
import { command } from "./command";

const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "kof" } };
const kcm = { apiVersion: "v1", kind: "Namespace", metadata: { name: "kcm-system" } };

describe("npm run left", () => {
    const cluster = useCluster();
    let file: string;

    beforeEach(() => {
        file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "left-")), "x.yaml");
        fs.writeFileSync(file, JSON.stringify({ config: { "kof:route": "none" } }));
    });
    afterEach(async () => {
        fs.rmSync(path.dirname(file), { recursive: true });
        await cluster().reset();
    });

    const left = async () => {
        const args = ["cli/left.ts", "--config", file, "--json"];
        const { code, stdout, stderr } = await command(args, { KUBECONFIG: cluster().kubeconfig });
        assert.equal(code, 0, stderr);
        return (JSON.parse(stdout) as { left: { what: string; remove: string }[] }).left;
    };

    it("lists what holds data and what KOF keeps, and how to remove it", async () => {
        const volume: AnyObject = {
            apiVersion: "v1",
            kind: "PersistentVolume",
            metadata: { name: "pvc-1" },
            spec: {
                capacity: { storage: "50Gi" },
                accessModes: ["ReadWriteOnce"],
                persistentVolumeReclaimPolicy: "Retain",
                storageClassName: "kof",
                claimRef: {
                    apiVersion: "v1",
                    kind: "PersistentVolumeClaim",
                    namespace: "kof",
                    name: "vlstorage-0",
                    uid: "u",
                },
                csi: { driver: "test.example.net", volumeHandle: "1" },
            },
        };
        const template: AnyObject = {
            apiVersion: "k0rdent.mirantis.com/v1beta1",
            kind: "ServiceTemplate",
            metadata: {
                name: "kof-storage-1-10-0",
                namespace: "kcm-system",
                annotations: { "meta.helm.sh/release-name": "kof-mothership" },
            },
        };
        const other: AnyObject = { ...template, metadata: { name: "ingress", namespace: "kcm-system" } };
        await cluster().apply(namespace, kcm, volume, template, other);
        const phase = async () => (await cluster().read(volume)).status?.phase === "Released";
        await eventually(phase, "the volume is released");
        const found = await left();
        assert.deepEqual(
            found.filter(({ what }) => !what.includes("CustomResourceDefinition")),
            [
                {
                    what: "volume pvc-1 of 50Gi, which was vlstorage-0",
                    remove: "kubectl delete pv pvc-1   # then the disk, where its driver leaves it",
                },
                {
                    what: "1 servicetemplate of KOF",
                    remove: "kubectl delete servicetemplates -n kcm-system kof-storage-1-10-0",
                },
            ],
        );
        assert.match(
            found.map(({ remove }) => remove).join("\n"),
            /kubectl delete crd .*\.operator\.victoriametrics\.com/,
        );
    });
});
