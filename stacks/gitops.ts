import type { Configuration } from "./config";
import { stackFile } from "./explain";
import type { Problem } from "./problems";
import type { Settings } from "./settings";

/**
 * Whether the program's Kubernetes objects go into a folder, for Argo CD or Flux to apply from git, instead of into the
 * cluster: the provider's own setting `kubernetes:renderYamlToDirectory`.
 */
export function isRendered(kubernetes: Configuration["kubernetes"]): boolean {
    return (kubernetes.renderYamlToDirectory ?? "") !== "";
}

const elsewhere =
    "which kubernetes:renderYamlToDirectory would write into git in plain text. Have the Secret made on the cluster (Sealed " +
    "Secrets, External Secrets, SOPS), and name it";

/**
 * The settings with which the program itself would make a Secret. The Kubernetes provider warns and then writes it into the
 * folder with all that is in it (pulumi-kubernetes v4.32, `renderYaml` in provider/pkg/provider/provider.go).
 */
export function renderedSecretProblems(settings: Settings): Problem[] {
    const problems: Problem[] = [];
    if (settings.route === "cloudwatch" && settings.cloudwatch.credentials.kind === "accessKey") {
        problems.push({
            key: "kof:cloudwatch.credentials.kind",
            message: `is "accessKey", ${elsewhere}`,
            allowed: "existingSecret, or without any Secret on EKS: podIdentity, irsa",
            paste: stackFile(["cloudwatch", "credentials"], { kind: "existingSecret", name: "cloudwatch-credentials" }),
        });
    }
    if (settings.grafana?.enabled === true && settings.grafana.existingSecret === undefined) {
        problems.push({
            key: "kof:grafana.existingSecret",
            message: `is missing, so that a password would be generated, ${elsewhere}`,
            allowed: "the name of a Secret with the keys GF_SECURITY_ADMIN_USER and GF_SECURITY_ADMIN_PASSWORD",
            paste: stackFile(["grafana", "existingSecret"], "grafana-admin-credentials"),
        });
    }
    return problems;
}
