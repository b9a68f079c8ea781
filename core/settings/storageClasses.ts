import type { StorageClassSettings } from "./settings";
import { storageClassPresets } from "./storageClassPresets";

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
