import type { ProviderArgs as AwsProviderArgs } from "@pulumi/aws/provider";
import type { ProviderArgs as KubernetesProviderArgs } from "@pulumi/kubernetes/provider";

import type { Deployment } from "../core/routes/deployment";
import type { ClusterChoice } from "../live/kubeconfig";

/** Everything that a stack's configuration says. */
export interface Configuration {
    /** What to call the stack file in errors. */
    readonly source: string;
    /** What the `kof:` configuration resolves to. */
    readonly deployment: Deployment;
    /** What a reader of the preview should know. */
    readonly notices: readonly string[];
    /** The `kubernetes:` configuration: which cluster, and how to reach it. */
    readonly kubernetes: KubernetesProviderArgs;
    /** The same, as far as it decides which cluster: in plain text, for a look at it. */
    readonly cluster: ClusterChoice;
    /** The `aws:` configuration: whose credentials to use. */
    readonly aws: AwsProviderArgs;
}
