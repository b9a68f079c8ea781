import { kofNamespace } from "../core/charts/namespace";
import type { Deployment } from "../core/routes/deployment";
import type { Configuration } from "./configuration";
import { stackFile } from "../core/settings/explain";
import type { Problem } from "../core/settings/problems";

/**
 * Whether the program's Kubernetes objects go into a folder instead of the cluster, for Argo CD or Flux to apply from git. The provider's
 * own setting `kubernetes:renderYamlToDirectory` says so.
 */
export function rendersManifests(kubernetes: Configuration["kubernetes"]): boolean {
    return (kubernetes.renderYamlToDirectory ?? "") !== "";
}

/**
 * The Secrets that the program itself would make. The Kubernetes provider warns and then writes them into the folder with all
 * that is in them (pulumi-kubernetes v4.32, `renderYaml` in provider/pkg/provider/provider.go).
 */
export function renderedSecretProblems(deployment: Deployment): Problem[] {
    return deployment.secrets.flatMap(({ name, instead }) =>
        instead
            ? {
                  key: `kof:${instead.path.join(".")}`,
                  message:
                      `has this stack make Secret ${kofNamespace}/${name}, which kubernetes:renderYamlToDirectory would write into git in ` +
                      "plain text. Have the Secret made on the cluster (Sealed Secrets, External Secrets, SOPS), and name it",
                  allowed: instead.allowed,
                  paste: stackFile(instead.path, instead.value),
              }
            : [],
    );
}
