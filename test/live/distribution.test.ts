import assert from "node:assert/strict";

import { distributionFindings as findings, type ClusterNode } from "../../live/distribution";
import { findingList } from "../../live/findings";
import { classFindings, type FoundClass } from "../../live/storage";
import type { DistributionName } from "../../core/settings/distributions";

interface Made {
    readonly version?: string;
    readonly provider?: string;
    readonly os?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly name?: string;
}

const node = ({
    version = "v1.34.1",
    provider,
    os = "Ubuntu 24.04",
    labels,
    annotations,
    name = "a",
}: Made): ClusterNode => ({
    metadata: { name, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) },
    spec: provider === undefined ? {} : { providerID: provider },
    status: { nodeInfo: { kubeletVersion: version, osImage: os } },
});
const byKubeadm = { "kubeadm.alpha.kubernetes.io/cri-socket": "unix:///run/containerd/containerd.sock" };

/** Nodes as each distribution has them. */
const nodes: Readonly<Partial<Record<DistributionName, ClusterNode>>> = {
    k0s: node({ version: "v1.34.1+k0s", provider: "aws:///us-east-2a/i-0" }),
    kubeadm: node({ annotations: byKubeadm }),
    kind: node({ annotations: byKubeadm, provider: "kind://docker/kind/kind-control-plane" }),
    eks: node({ version: "v1.34.1-eks-113cf36", provider: "aws:///us-east-2a/i-0" }),
    aks: node({ provider: "azure:///subscriptions/0", labels: { "kubernetes.azure.com/cluster": "MC_a" } }),
    gke: node({
        version: "v1.34.1-gke.1293000",
        provider: "gce://p/z/n",
        labels: { "cloud.google.com/gke-nodepool": "a" },
    }),
    rke2: node({ version: "v1.34.1+rke2r1", provider: "rke2://a" }),
    k3s: node({ version: "v1.34.1+k3s1", provider: "k3s://a" }),
    talos: node({ os: "Talos (v1.12.0)" }),
};
const distributionFindings = (...of: Parameters<typeof findings>) => findingList(findings(...of));
const openshift = ["apps", "config.openshift.io"];

describe("the distribution that nodes look like", () => {
    const severities = (name: DistributionName, some: readonly ClusterNode[], groups: readonly string[] = ["apps"]) =>
        distributionFindings(name, some, groups).map(({ severity }) => severity);

    it("is the setting's, or the setting to write is named", () => {
        for (const [is, own] of Object.entries(nodes)) {
            assert.deepEqual(severities(is as DistributionName, [own]), [], is);
            const wrong = is === "gke" ? "k0s" : "gke";
            const [found] = distributionFindings(wrong, [own], ["apps"]);
            assert.equal(found?.severity, "problem", is);
            assert.equal(found.fix, `pulumi config set kof:distribution ${is}`);
        }
        assert.deepEqual(severities("openshift", [node({})], openshift), []);
        assert.equal(
            distributionFindings("k0s", [node({})], openshift)[0]?.fix,
            "pulumi config set kof:distribution openshift",
        );
        assert.deepEqual(severities("other", [node({})]), []);
        assert.deepEqual(severities("k0s", [node({})]), ["warning"]);
        assert.deepEqual(severities("openshift", [node({})]), ["warning"]);
    });

    it("says what would go wrong", () => {
        const why = (set: DistributionName, is: DistributionName) =>
            distributionFindings(set, [nodes[is]!], ["apps"])[0]?.why ?? "";
        assert.match(
            why("kubeadm", "rke2"),
            /looks for etcd's certificates in \/etc\/kubernetes.*second metrics-server.*labels/,
        );
        assert.match(why("gke", "k0s"), /controller-k0s is off, although etcd could be watched/);
        assert.match(why("k0s", "kubeadm"), /KOF brings no metrics-server, and the cluster has none/);
        assert.equal(why("kubeadm", "kind"), "Nothing that KOF does differs between the two.");
    });

    it("is not made up where there are no nodes, and nodes that differ are pointed out", () => {
        assert.deepEqual(severities("gke", []), []);
        assert.deepEqual(severities("k0s", [nodes.k0s!, nodes.talos!]), ["warning"]);
    });

    it("is none that KOF's collectors run on where it is Autopilot", () => {
        const auto = { ...nodes.gke!, metadata: { ...nodes.gke!.metadata, name: "gk3-a" } };
        assert.match(distributionFindings("gke", [auto], [])[0]?.what ?? "", /Autopilot/);
    });
});

describe("a storage class that exists", () => {
    const right: FoundClass = {
        metadata: { name: "fast" },
        provisioner: "ebs.csi.aws.com",
        allowVolumeExpansion: true,
        volumeBindingMode: "WaitForFirstConsumer",
        reclaimPolicy: "Retain",
    };
    const whats = (changed: object) =>
        findingList(classFindings({ ...right, ...changed }, true)).map(({ what }) => what);

    it("is right where KOF's volumes can grow, are bound late, are kept, and are of their size", () => {
        assert.deepEqual(whats({}), []);
        assert.deepEqual(whats({ allowVolumeExpansion: false }), ["storage class fast does not allow volumes to grow"]);
        assert.deepEqual(whats({ volumeBindingMode: "Immediate" }), [
            "storage class fast makes volumes before their pods are scheduled",
        ]);
        assert.deepEqual(whats({ reclaimPolicy: "Delete" }), ["storage class fast has the reclaim policy Delete"]);
        assert.deepEqual(whats({ provisioner: "nfs.csi.k8s.io" }), [
            "nfs.csi.k8s.io, which makes the volumes of storage class fast, does not enforce their size",
        ]);
        const [grows, size] = whats({ provisioner: "rancher.io/local-path" });
        assert.match(
            `${String(grows)} ${String(size)}`,
            /says that volumes can grow, but rancher\.io\/local-path cannot.*does not enforce/,
        );
        for (const each of findingList(classFindings({ ...right, reclaimPolicy: "Delete" }, true))) {
            assert.match(each.why, /all that KOF has stored/);
        }
        // As nearly every cluster's default class does.
        assert.deepEqual(findingList(classFindings({ ...right, reclaimPolicy: "Delete" }, false)), []);
    });
});
