import { StorageClass as KubernetesStorageClass } from "@pulumi/kubernetes/storage/v1/storageClass";
import * as pulumi from "@pulumi/pulumi";

import type { StorageClassArgs } from "../core/settings/storageClasses";

/**
 * The class of KOF's volumes, which are ReadWriteOnce: each pod has its own. Volumes are bound when their pod is scheduled,
 * so that they end up in its zone, and can be expanded where their driver is able to.
 */
export class StorageClass extends pulumi.ComponentResource {
    /** Its name. */
    readonly className: pulumi.Output<string>;

    constructor(name: string, args: StorageClassArgs, opts?: pulumi.ComponentResourceOptions) {
        super("kof:components:StorageClass", name, {}, opts);
        const isDefault = { "storageclass.kubernetes.io/is-default-class": "true" };
        const storageClass = new KubernetesStorageClass(
            name,
            {
                metadata: { name: args.className, ...(args.isDefault ? { annotations: isDefault } : {}) },
                provisioner: args.provisioner,
                ...(args.parameters ? { parameters: args.parameters } : {}),
                reclaimPolicy: args.reclaimPolicy,
                volumeBindingMode: "WaitForFirstConsumer",
                allowVolumeExpansion: args.expands,
            },
            {
                parent: this,
                // All of these are immutable, of which the provider knows the first two only. The name is fixed, so the
                // old class has to go first; volumes keep working without their class.
                replaceOnChanges: ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"],
                deleteBeforeReplace: true,
            },
        );
        this.className = storageClass.metadata.name;
        this.registerOutputs({ className: this.className });
    }
}
