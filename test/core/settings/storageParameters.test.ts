import assert from "node:assert/strict";

import { parse } from "yaml";

import { mergeValues, type HelmValues } from "../../../core/lib/values";
import { UserError } from "../../../core/lib/errors";
import { parseSettings } from "../../../core/routes/parse";
import { storageClassNotices, storageClassOf } from "../../../core/settings/storageClasses";
import { storageClassPresets } from "../../../core/settings/storageClassPresets";
import { csiParameters, storageDriver } from "../../../core/settings/storageDrivers";

const nfs = { server: "nfs.example.net", share: "/kof" };
const settings = (storageClass: object) => parseSettings({ storageClass: { name: "kof", ...storageClass } }, "x.yaml");

/** What is said of a class, the keys and messages. */
function problems(storageClass: object): string {
    try {
        settings(storageClass);
        return "";
    } catch (error) {
        assert.ok(error instanceof UserError);
        return error.message.split("\n").slice(2).join("\n");
    }
}

const notices = (storageClass: object) => storageClassNotices(settings(storageClass).storageClass).join("\n");

/** Every preset with what only its user knows. */
const own: Readonly<Record<string, object>> = {
    "rook-ceph-rbd": { pool: "replicapool" },
    "nfs-csi": nfs,
    "openebs-lvm": { volgroup: "vg" },
};

describe("a storage class of a preset", () => {
    for (const preset of Object.keys(storageClassPresets)) {
        it(`is right by itself for ${preset}`, () => {
            const made = { preset, parameters: own[preset] ?? {} };
            assert.equal(problems(made), "");
            const { provisioner, parameters } = storageClassOf(settings(made).storageClass)!;
            assert.ok(storageDriver(provisioner), "its driver was looked up");
            for (const value of Object.values(parameters ?? {})) {
                assert.equal(typeof value, "string");
            }
            assert.doesNotMatch(notices(made), /is no parameter that/);
        });
    }

    it("has what Rook's driver finds its cluster and its Secrets by", () => {
        const { parameters = {} } = storageClassOf(
            settings({ preset: "rook-ceph-rbd", parameters: { pool: "replicapool", clusterID: "ceph" } }).storageClass,
        )!;
        assert.equal(parameters.clusterID, "ceph");
        assert.equal(parameters["csi.storage.k8s.io/provisioner-secret-name"], "rook-csi-rbd-provisioner");
        assert.equal(parameters["csi.storage.k8s.io/node-stage-secret-namespace"], "rook-ceph");
    });
});

describe("parameters of a storage class", () => {
    it("are refused where they are missing, each with a line to paste that is right", () => {
        const missing = (storageClass: object) =>
            [...problems(storageClass).matchAll(/^ {2}kof:storageClass\.parameters\.(\S+) is missing/gm)].map(
                ([, key]) => key,
            );
        assert.deepEqual(missing({ preset: "nfs-csi" }), ["server", "share"]);
        assert.deepEqual(missing({ preset: "nfs-csi", parameters: { server: " ", share: "/" } }), ["server"]);
        assert.deepEqual(missing({ preset: "rook-ceph-rbd" }), ["pool"]);
        assert.deepEqual(missing({ provisioner: "rook-ceph.rbd.csi.ceph.com", parameters: { pool: "p" } }), [
            "clusterID",
            "csi.storage.k8s.io/provisioner-secret-name",
            "csi.storage.k8s.io/provisioner-secret-namespace",
            "csi.storage.k8s.io/controller-expand-secret-name",
            "csi.storage.k8s.io/controller-expand-secret-namespace",
            "csi.storage.k8s.io/node-stage-secret-name",
            "csi.storage.k8s.io/node-stage-secret-namespace",
        ]);
        // Whoever names the topology of his pools names no pool.
        assert.deepEqual(missing({ preset: "rook-ceph-rbd", parameters: { topologyConstrainedPools: "[]" } }), []);
    });

    it("are refused where they are misspelt for a driver that refuses them, with the name that was meant", () => {
        const cases: [string, string, string][] = [
            ["aws-ebs", "throughputs", "throughput"],
            ["aws-ebs", "encrpted", "encrypted"],
            ["gcp-pd", "replication_type", "replication-type"],
            ["azure-disk", "skuNam", "skuName"],
            ["vsphere", "storagePolicyNme", "storagepolicyname"],
            ["nfs-csi", "sub_dir", "subDir"],
        ];
        for (const [preset, wrong, meant] of cases) {
            const text = problems({ preset, parameters: { ...own[preset], [wrong]: "1" } });
            assert.match(
                text,
                new RegExp(`parameters\\.${wrong} is no parameter of .* Did you mean ${meant}\\?`),
                wrong,
            );
        }
        assert.equal(problems({ preset: "aws-ebs", parameters: { IOPSperGB: "10", tagSpecification_1: "a=b" } }), "");
    });

    it("are pointed out where nothing would ever tell that they are misspelt", () => {
        assert.equal(problems({ preset: "longhorn", parameters: { numberOfReplica: "2" } }), "");
        assert.match(
            notices({ preset: "longhorn", parameters: { numberOfReplica: "2" } }),
            /numberOfReplica is no parameter that driver\.longhorn\.io was known to read on 2026-11-27, and it takes no notice of others\. Did you mean numberOfReplicas\?/,
        );
        assert.match(
            notices({ preset: "aws-ebs", parameters: { quantumDrive: "on" } }),
            /quantumDrive is no parameter that ebs\.csi\.aws\.com was known to read on 2026-11-27, and it makes no volumes for a class with others\.$/m,
        );
        assert.doesNotMatch(
            notices({ provisioner: "csi.example.net", parameters: { any: "thing" } }),
            /is no parameter/,
        );
    });

    it("have the types that their driver reads, and a paste that is right", () => {
        const cases: [object, object][] = [
            [{ preset: "aws-ebs", parameters: { encrypted: "yes" } }, { encrypted: "true" }],
            [{ preset: "aws-ebs", parameters: { encrypted: "True" } }, { encrypted: "true" }],
            [{ preset: "aws-ebs", parameters: { iops: "3000 IOPS" } }, { iops: "3000" }],
            [{ preset: "longhorn", parameters: { numberOfReplicas: "two" } }, { numberOfReplicas: "1" }],
            [{ preset: "longhorn", parameters: { dataLocality: "best_effort" } }, { dataLocality: "best-effort" }],
            [{ preset: "azure-disk", parameters: { cachingMode: "ReadOnyl" } }, { cachingMode: "ReadOnly" }],
            [
                { preset: "gcp-pd", parameters: { "replication-type": "regional" } },
                { "replication-type": "regional-pd" },
            ],
            [{ preset: "longhorn", parameters: { dataLocality: "best" } }, { dataLocality: "best-effort" }],
            [{ preset: "portworx", parameters: { repl: "5" } }, { repl: "1" }],
            [{ preset: "nfs-csi", parameters: { ...nfs, onDelete: "keep" } }, { onDelete: "retain" }],
            [
                { preset: "openebs-lvm", parameters: { volgroup: "vg", thinProvision: "true" } },
                { thinProvision: "yes" },
            ],
        ];
        for (const [wrong, meant] of cases) {
            const text = problems(wrong);
            const [, paste = ""] = /Paste: {3}([^]*)$/.exec(text) ?? [];
            const pasted = parse(paste.replace(/^ {13}/gm, "")) as Record<string, HelmValues>;
            assert.deepEqual(pasted["kof:storageClass"], { parameters: meant }, text);
            assert.equal(problems(mergeValues(wrong as HelmValues, pasted["kof:storageClass"])), "");
        }
        assert.equal(problems({ preset: "azure-disk", parameters: { CachingMode: "readonly" } }), "");
    });

    it("that Kubernetes reads itself are its own, and come in pairs", () => {
        const csi = (parameters: object) => problems({ preset: "aws-ebs", parameters });
        assert.match(
            csi({ "csi.storage.k8s.io/fsType": "xfs" }),
            /csi\.storage\.k8s\.io\/fsType is no parameter of Kubernetes, .* Did you mean csi\.storage\.k8s\.io\/fstype\?/,
        );
        assert.equal(csi({ "csi.storage.k8s.io/fstype": "xfs" }), "");
        assert.match(
            csi({ "csi.storage.k8s.io/node-stage-secret-name": "a" }),
            /parameters\.csi\.storage\.k8s\.io\/node-stage-secret-namespace is missing, and a Secret is named by both/,
        );
        assert.equal(csiParameters.length, 17);
    });

    it("of a deployment that runs are left alone", () => {
        const storageClass = { name: "kof", preset: "aws-ebs", parameters: { throughputs: "1" } };
        assert.doesNotThrow(() => parseSettings({ storageClass }, "x.yaml", true));
    });
});

describe("a class on NFS", () => {
    it("says what is known of stores on NFS", () => {
        assert.match(
            notices({ preset: "nfs-csi", parameters: nfs }),
            /NFS, which enforces no size.*VictoriaLogs and VictoriaTraces do not/,
        );
        assert.doesNotMatch(notices({ preset: "longhorn" }), /NFS/);
    });
});
