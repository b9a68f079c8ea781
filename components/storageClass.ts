import { StorageClass as KubernetesStorageClass } from "@pulumi/kubernetes/storage/v1/storageClass";
import * as pulumi from "@pulumi/pulumi";

import type { StorageClassArgs } from "../core/settings/storageClasses";

/**
 * The class of KOF's volumes. These are ReadWriteOnce, because each pod has its own. A volume is bound when its pod is scheduled, so it
 * is in the pod's zone. It can expand if its driver supports that.
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
                // All of these are immutable, but the provider only knows the first two. The name is fixed, so Pulumi deletes the old
                // class first. Volumes keep working without their class.
                replaceOnChanges: ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"],
                deleteBeforeReplace: true,
            },
        );
        this.className = storageClass.metadata.name;
        this.registerOutputs({ className: this.className });
    }
}
