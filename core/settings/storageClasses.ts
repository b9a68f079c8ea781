import { compact } from "../lib/compact";
import type { StorageClassSettings } from "./settings";
import { storageClassPresets } from "./storageClassPresets";
import { storageDriver } from "./storageDrivers";
import { unknownParameters } from "./storageParameterRules";

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

/** The part of a StorageClass that decides which class is the default. */
export interface ClusterClass {
    readonly metadata: {
        readonly name: string;
        readonly creationTimestamp?: string;
        readonly annotations?: Readonly<Record<string, string>>;
        readonly managedFields?: readonly { readonly manager?: string }[];
    };
}

/** The annotations that mark a default class (kubernetes/pkg/volume/util/storageclass.go: Kubernetes still reads the one of the beta). */
export const defaultAnnotations = [
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
] as const;

/** Whether a class is marked as the default. */
export function isDefaultClass({
    metadata: { annotations = {} },
}: {
    readonly metadata: Pick<ClusterClass["metadata"], "annotations">;
}): boolean {
    return defaultAnnotations.some((annotation) => annotations[annotation] === "true");
}

/** The classes that are marked as the default. Kubernetes takes the first: the newest, then by name (the same file). */
export function defaultClasses<T extends ClusterClass>(all: readonly T[]): T[] {
    const age = ({ metadata }: T) => Date.parse(metadata.creationTimestamp ?? "") || 0;
    return all.filter(isDefaultClass).sort((a, b) => age(b) - age(a) || (a.metadata.name < b.metadata.name ? -1 : 1));
}

/** The class that the stack makes; `undefined` if one that exists is to be used. */
export function storageClassOf(settings: StorageClassSettings | undefined): StorageClassArgs | undefined {
    if (settings?.create !== true) {
        return undefined;
    }
    const preset = settings.preset === undefined ? undefined : storageClassPresets[settings.preset];
    const parameters = { ...preset?.parameters, ...settings.parameters };
    // One of the two is there, as the settings are checked.
    const provisioner = settings.provisioner ?? preset?.provisioner ?? "";
    return {
        className: settings.name,
        provisioner,
        expands: storageDriver(provisioner)?.expands !== false,
        parameters: Object.keys(parameters).length > 0 ? parameters : undefined,
        reclaimPolicy: settings.reclaimPolicy,
        isDefault: settings.default,
    };
}

/**
 * What is known about NFS. The README of VictoriaMetrics says "It can store data on NFS-based storages". The documentation of
 * VictoriaLogs says nothing. Maintainers wrote about it in VictoriaMetrics' issues 27, 61 and 162 (all looked up on 2026-11-27).
 */
const nfsNotice =
    "The volumes are on NFS, which enforces no size: every KOF volume grows until the share is full. VictoriaMetrics documents that it can " +
    "store data on NFS, VictoriaLogs and VictoriaTraces do not. VictoriaMetrics' maintainers advise block storage, and have seen stores that " +
    "did not start after an unclean shutdown on NFSv3. Mount options, such as nfsvers=4.1, take a class of your own (create: false).";

/** What a reader of the preview should know of the class. Of one that the stack does not make, doctor and plan say it. */
export function storageClassNotices(settings: StorageClassSettings | undefined): string[] {
    const made = storageClassOf(settings);
    if (!settings || !made) {
        return [];
    }
    const { className, provisioner } = made;
    return compact(
        made.reclaimPolicy === "Delete" &&
            // The claims are deleted with their namespace.
            `The reclaim policy of ${className} is Delete: then pulumi destroy deletes the volumes and what is stored in them. ` +
                "kof:storageClass.reclaimPolicy: Retain keeps them.",
        !made.expands &&
            `${provisioner} cannot make a volume larger, and does not enforce its size: every KOF volume grows until ` +
                "the disk of its node is full, and a larger kof:storage size does nothing for volumes that exist. It is " +
                "meant for trying out.",
        provisioner === storageClassPresets["nfs-csi"].provisioner && nfsNotice,
        ...unknownParameters(settings),
        made.isDefault &&
            `kof:storageClass.default marks ${className} as the cluster's default class. If another class is marked as ` +
                "well, Kubernetes takes the newer one. See which are with: kubectl get storageclass. Take the mark off with: " +
                "kubectl annotate storageclass NAME storageclass.kubernetes.io/is-default-class=false --overwrite",
    );
}
