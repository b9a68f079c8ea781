import { Namespace as KubernetesNamespace } from "@pulumi/kubernetes/core/v1/namespace";
import * as pulumi from "@pulumi/pulumi";

import { kofNamespace } from "../core/charts/namespace";

/** The annotation that names the stack that owns this KOF, for other stacks on the cluster: `PROJECT/STACK`. */
export const stackMark = "kof-storage-routes/stack";

/** Inputs of {@link Namespace}. */
interface NamespaceArgs {
    /**
     * Whether the namespace is in the Istio mesh. KOF reads the label when it is installed, and names its objects after it. The label has
     * to be right before anything else exists, and must not change.
     */
    readonly istio: boolean;
    /** Further labels, with which the cluster's policies admit KOF's pods. Default: none. */
    readonly labels?: Readonly<Record<string, string>> | undefined;
    /** The stack that KOF is part of, for {@link stackMark}. */
    readonly stack: string;
}

/** The namespace of KOF. */
export class Namespace extends pulumi.ComponentResource {
    /** Its name. */
    readonly name: pulumi.Output<string>;

    constructor(name: string, args: NamespaceArgs, opts?: pulumi.ComponentResourceOptions) {
        super("kof:components:Namespace", name, {}, opts);
        const labels = { ...(args.istio ? { "istio-injection": "enabled" } : {}), ...args.labels };
        const namespace = new KubernetesNamespace(
            name,
            {
                metadata: {
                    name: kofNamespace,
                    ...(Object.keys(labels).length > 0 ? { labels } : {}),
                    annotations: { [stackMark]: args.stack },
                },
            },
            { parent: this },
        );
        this.name = namespace.metadata.name;
        this.registerOutputs({ name: this.name });
    }
}
