import type { StorageClassArgs } from "../components/storageClass";
import type { StorageClassSettings } from "./settings";

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
    /** https://docs.vmware.com/en/VMware-vSphere-Container-Storage-Plug-in */
    vsphere: { provisioner: "csi.vsphere.vmware.com", parameters: {} },
    /** https://github.com/openebs/lvm-localpv/blob/develop/docs/storageclasses.md; the volume group is the user's. */
    "openebs-lvm": { provisioner: "local.csi.openebs.io", parameters: { storage: "lvm" } },
    /** https://github.com/rancher/local-path-provisioner, which kind comes with. */
    "local-path": { provisioner: "rancher.io/local-path", parameters: {} },
} as const;

/** Parameters that a preset cannot know, and that its driver refuses to do without. */
export const requiredParameters: Readonly<Partial<Record<keyof typeof storageClassPresets, readonly string[]>>> = {
    "openebs-lvm": ["volgroup"],
};

/** The class that the settings ask for; `undefined` when one that exists is to be used. */
export function storageClassOf(settings: StorageClassSettings | undefined): StorageClassArgs | undefined {
    if (settings?.create !== true) {
        return undefined;
    }
    const preset = settings.preset === undefined ? undefined : storageClassPresets[settings.preset];
    const parameters = { ...preset?.parameters, ...settings.parameters };
    return {
        className: settings.name,
        // One of the two is there: the settings are checked.
        provisioner: settings.provisioner ?? preset?.provisioner ?? "",
        parameters: Object.keys(parameters).length > 0 ? parameters : undefined,
        reclaimPolicy: settings.reclaimPolicy,
        isDefault: settings.default,
    };
}

/** What a reader of the preview should know of the class. */
export function storageClassNotices(settings: StorageClassSettings | undefined): string[] {
    return storageClassOf(settings)?.provisioner === storageClassPresets["local-path"].provisioner
        ? [
              "rancher.io/local-path cannot make a volume larger, and does not enforce its size: every KOF volume grows until " +
                  "the disk of its node is full. It is meant for trying out.",
          ]
        : [];
}
