/** Storage classes that are known to suit KOF's volumes, by the name of what makes them. What each driver takes, storageDrivers.ts says. */
export const storageClassPresets = {
    "aws-ebs": { provisioner: "ebs.csi.aws.com", parameters: { type: "gp3", encrypted: "true" } },
    "gcp-pd": { provisioner: "pd.csi.storage.gke.io", parameters: { type: "pd-balanced" } },
    "azure-disk": { provisioner: "disk.csi.azure.com", parameters: { skuName: "StandardSSD_LRS" } },
    "openstack-cinder": { provisioner: "cinder.csi.openstack.org", parameters: {} },
    vsphere: { provisioner: "csi.vsphere.vmware.com", parameters: {} },
    hetzner: { provisioner: "csi.hetzner.cloud", parameters: {} },
    digitalocean: { provisioner: "dobs.csi.digitalocean.com", parameters: {} },
    /** Longhorn's own settings say how many replicas there are: 3 by default. */
    longhorn: { provisioner: "driver.longhorn.io", parameters: {} },
    /**
     * As in Rook's example, for a cluster in namespace rook-ceph, whose operator makes the Secrets. The pool is the user's
     * (https://github.com/rook/rook/blob/master/deploy/examples/csi/rbd/storageclass.yaml, 2026-11-27).
     */
    "rook-ceph-rbd": {
        provisioner: "rook-ceph.rbd.csi.ceph.com",
        parameters: {
            clusterID: "rook-ceph",
            imageFeatures: "layering",
            "csi.storage.k8s.io/fstype": "ext4",
            "csi.storage.k8s.io/provisioner-secret-name": "rook-csi-rbd-provisioner",
            "csi.storage.k8s.io/provisioner-secret-namespace": "rook-ceph",
            "csi.storage.k8s.io/controller-expand-secret-name": "rook-csi-rbd-provisioner",
            "csi.storage.k8s.io/controller-expand-secret-namespace": "rook-ceph",
            "csi.storage.k8s.io/controller-publish-secret-name": "rook-csi-rbd-provisioner",
            "csi.storage.k8s.io/controller-publish-secret-namespace": "rook-ceph",
            "csi.storage.k8s.io/node-stage-secret-name": "rook-csi-rbd-node",
            "csi.storage.k8s.io/node-stage-secret-namespace": "rook-ceph",
        },
    },
    /** By default, Portworx keeps one copy, which is lost with its node. */
    portworx: { provisioner: "pxd.portworx.com", parameters: { repl: "2" } },
    /** The server and its share are the user's. */
    "nfs-csi": { provisioner: "nfs.csi.k8s.io", parameters: {} },
    /** The volume group is the user's. */
    "openebs-lvm": { provisioner: "local.csi.openebs.io", parameters: { storage: "lvm" } },
    /** kind and K3s come with it. */
    "local-path": { provisioner: "rancher.io/local-path", parameters: {} },
} as const;

/** A value of `kof:storageClass.preset`. */
export type PresetName = keyof typeof storageClassPresets;
