/** The namespace of KOF. Fixed: kof-operator has it in service addresses and secret copies. */
export const kofNamespace = "kof";

/** The HelmReleases of KOF, as Kubernetes' API names them. */
export const helmReleasesPath = `/apis/helm.toolkit.fluxcd.io/v2/namespaces/${kofNamespace}/helmreleases`;
