import type { StorageClassSettings } from "./settings";

/** A storage class that the stack makes. */
export interface StorageClassArgs {
    /** Name of the class, which Helm values refer to. */
    readonly className: string;
    /** The CSI driver that makes the volumes: `ebs.csi.aws.com`. */
    readonly provisioner: string;
    /** The driver's own parameters. Default: none. */
    readonly parameters?: Readonly<Record<string, string>> | undefined;
    /** Whether the driver can make a volume larger. A class that says so although it cannot has claims wait for ever. */
    readonly expands: boolean;
    /** What happens to a volume whose claim is deleted. `Retain` keeps the data for manual recovery. */
    readonly reclaimPolicy: "Retain" | "Delete";
    /** Whether claims without a class get this one. A cluster should have one default class at most. */
    readonly isDefault: boolean;
}

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

/** Parameters that only the user knows and that a driver refuses to do without: one of each list, by driver. */
export const requiredParameters: Readonly<Record<string, readonly string[]>> = {
    [storageClassPresets["openebs-lvm"].provisioner]: ["volgroup", "vgpattern"],
};

/**
 * Drivers that cannot make a volume larger: local-path makes folders, ignores how large they should be, and has nothing that
 * would act on a larger claim (README of rancher/local-path-provisioner, "no support for the volume capacity limit").
 */
const cannotExpand: readonly string[] = [storageClassPresets["local-path"].provisioner];

/** Storage classes that a distribution comes with and marks as the cluster's default. */
export const defaultClasses: Readonly<Record<string, string>> = { kind: "standard" };

/** The class that the settings ask for; `undefined` when one that exists is to be used. */
export function storageClassOf(settings: StorageClassSettings | undefined): StorageClassArgs | undefined {
    if (settings?.create !== true) {
        return undefined;
    }
    const preset = settings.preset === undefined ? undefined : storageClassPresets[settings.preset];
    const parameters = { ...preset?.parameters, ...settings.parameters };
    // One of the two is there: the settings are checked.
    const provisioner = settings.provisioner ?? preset?.provisioner ?? "";
    return {
        className: settings.name,
        provisioner,
        expands: !cannotExpand.includes(provisioner),
        parameters: Object.keys(parameters).length > 0 ? parameters : undefined,
        reclaimPolicy: settings.reclaimPolicy,
        isDefault: settings.default,
    };
}

/** What a reader of the preview should know of the class. */
export function storageClassNotices(settings: StorageClassSettings | undefined): string[] {
    const made = storageClassOf(settings);
    const notices: string[] = [];
    if (made?.reclaimPolicy !== "Retain") {
        // The claims go with their namespace.
        notices.push(
            `${made ? `The reclaim policy of ${made.className} is Delete` : `${settings?.name ?? "The cluster's default class"} may have the reclaim policy Delete`}: ` +
                "then pulumi destroy deletes the volumes and what is stored in them. A class of kof:storageClass with reclaimPolicy: " +
                "Retain keeps them.",
        );
    }
    if (!made) {
        return notices;
    }
    return [
        ...notices,
        ...(made.expands
            ? []
            : [
                  `${made.provisioner} cannot make a volume larger, and does not enforce its size: every KOF volume grows until ` +
                      "the disk of its node is full, and a larger kof:storage size does nothing for volumes that exist. It is " +
                      "meant for trying out.",
              ]),
        ...(made.isDefault
            ? [
                  `kof:storageClass.default marks ${made.className} as the cluster's default class. If another class is marked as ` +
                      "well, Kubernetes takes the newer one. See which are with: kubectl get storageclass. Take the mark off with: " +
                      "kubectl annotate storageclass NAME storageclass.kubernetes.io/is-default-class=false --overwrite",
              ]
            : []),
    ];
}
