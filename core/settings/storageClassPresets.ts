/** Storage classes that are known to suit KOF's volumes, by the name of what makes them. */
export const storageClassPresets = {
    /** https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/parameters.md */
    "aws-ebs": { provisioner: "ebs.csi.aws.com", parameters: { type: "gp3", encrypted: "true" } },
    /** https://cloud.google.com/kubernetes-engine/docs/how-to/persistent-volumes/gce-pd-csi-driver */
    "gcp-pd": { provisioner: "pd.csi.storage.gke.io", parameters: { type: "pd-balanced" } },
    /** https://github.com/kubernetes-sigs/azuredisk-csi-driver/blob/master/docs/driver-parameters.md */
    "azure-disk": { provisioner: "disk.csi.azure.com", parameters: { skuName: "StandardSSD_LRS" } },
    /** https://github.com/kubernetes/cloud-provider-openstack/blob/master/docs/cinder-csi-plugin/using-cinder-csi-plugin.md */
    "openstack-cinder": { provisioner: "cinder.csi.openstack.org", parameters: {} },
    /** https://github.com/kubernetes-sigs/vsphere-csi-driver/blob/master/docs/book/features/volume_expansion.md */
    vsphere: { provisioner: "csi.vsphere.vmware.com", parameters: {} },
    /** https://github.com/openebs/lvm-localpv/blob/develop/docs/storageclasses.md; the volume group is the user's. */
    "openebs-lvm": { provisioner: "local.csi.openebs.io", parameters: { storage: "lvm" } },
    /** https://github.com/rancher/local-path-provisioner, which kind comes with. */
    "local-path": { provisioner: "rancher.io/local-path", parameters: {} },
} as const;
