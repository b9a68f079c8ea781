import { nameMeant } from "../lib/spelling";
import type { PresetName } from "./storageClassPresets";

/** A fact, and where it was read. */
type Sourced<T> = T & {
    /** URL, or path in a chart, as of 2026-11-27. */
    readonly source: string;
};

/**
 * etcd's certificates on the nodes of the control plane. KOF's collector `controller-k0s` reads them there, and does not start
 * without (kof-collectors 1.8.0 to 1.11.0-rc0, values.yaml, `collectors.controller-k0s`).
 */
interface EtcdCertificates {
    /** Their folder from the root of the node. Collectors know it as `PKI_PATH`. */
    readonly pkiPath: string;
    /** Their names in it. Default: the charts' own, which are kubeadm's. */
    readonly files?: { readonly ca: string; readonly cert: string; readonly key: string };
}

/** How to recognise a node of a distribution: any of these is enough. */
interface NodeSigns {
    /** What is in the kubelet's version. */
    readonly kubeletVersion?: string;
    /** What the provider's ID of a node begins with. */
    readonly providerID?: string;
    /** What the name of the operating system begins with. */
    readonly osImage?: string;
    readonly label?: string;
    readonly annotation?: string;
}

/** What KOF and its volumes meet on a distribution of Kubernetes. */
interface Distribution {
    /** As people call it. */
    readonly title: string;
    /** Other names, in lower-case letters and digits alone. */
    readonly alsoCalled?: readonly string[];
    /** Where etcd's certificates are, or why no collector gets at them. */
    readonly etcd: Sourced<EtcdCertificates | { readonly outOfReach: string }>;
    /** Who runs the control plane, where no node of the cluster does. */
    readonly controlPlaneOf?: string;
    /** Whether metrics-server, or another server of the same API, comes with it. KOF brings its own where it does not. */
    readonly metricsServer: Sourced<{ readonly comes: boolean; readonly args?: readonly string[] }>;
    /** Storage classes that every cluster has. */
    readonly classes?: Sourced<{ readonly default: string; readonly others: readonly string[] }>;
    /** A port of the nodes that KOF's node-exporter (9100) would share, and the one that it gets instead. */
    readonly nodeExporter?: Sourced<{ readonly taken: string; readonly port: number }>;
    /** Labels of the kof namespace without which Pod Security Admission refuses collectors: they mount folders of their nodes. */
    readonly namespaceLabels?: Sourced<{ readonly labels: Readonly<Record<string, string>> }>;
    /** Whether pods also need a SecurityContextConstraint. */
    readonly needsScc?: Sourced<{ readonly needed: true }>;
    /** The presets of kof:storageClass whose drivers work there. Default: all. */
    readonly presets?: Sourced<{ readonly fit: readonly PresetName[]; readonly onlyThese: boolean }>;
    /** What its nodes have that others lack. */
    readonly signs?: Sourced<NodeSigns>;
    /** An API group that only its clusters have. */
    readonly apiGroup?: string;
}

const privileged = { "pod-security.kubernetes.io/enforce": "privileged" };

/** Drivers that bring their own disks, or take those of any machine. */
const portable = ["longhorn", "rook-ceph-rbd", "portworx", "nfs-csi", "openebs-lvm", "local-path"] as const;

const kubeadmPki =
    "https://kubernetes.io/docs/setup/best-practices/certificates/#certificate-paths; KOF's own value for it: kof/values-local.yaml";
const metricsServerArgs = "https://github.com/kubernetes-sigs/metrics-server#requirements";
const cloudControlPlane = (url: string) => `${url}: its machines are none of the cluster's nodes`;

/** Every distribution that `kof:distribution` knows. */
export const distributions = {
    k0s: {
        title: "k0s",
        etcd: { pkiPath: "var/lib/k0s", source: "kof-collectors 1.8.0 to 1.11.0-rc0, values.yaml, PKI_PATH" },
        metricsServer: {
            comes: true,
            source: "https://docs.k0sproject.io/stable/configuration/ (images.metricsserver)",
        },
        signs: { kubeletVersion: "+k0s", source: "https://docs.k0sproject.io/stable/k0s-multi-node/" },
    },
    kubeadm: {
        title: "kubeadm",
        etcd: { pkiPath: "etc/kubernetes", source: kubeadmPki },
        // Its kubelets sign their own certificates.
        metricsServer: { comes: false, args: ["--kubelet-insecure-tls"], source: metricsServerArgs },
        signs: {
            annotation: "kubeadm.alpha.kubernetes.io/cri-socket",
            source: "https://kubernetes.io/docs/reference/labels-annotations-taints/#kubeadm-alpha-kubernetes-io-cri-socket",
        },
    },
    kind: {
        title: "kind",
        etcd: { pkiPath: "etc/kubernetes", source: kubeadmPki },
        metricsServer: { comes: false, args: ["--kubelet-insecure-tls"], source: metricsServerArgs },
        classes: { default: "standard", others: [], source: "https://kind.sigs.k8s.io/docs/design/node-image/" },
        presets: {
            fit: ["local-path"],
            onlyThese: false,
            source: "https://kind.sigs.k8s.io/docs/design/node-image/: nodes are containers, without disks of their own",
        },
        signs: { providerID: "kind://", source: "https://kind.sigs.k8s.io/docs/design/initial/" },
    },
    eks: {
        title: "Amazon EKS",
        alsoCalled: ["amazon", "aws"],
        etcd: {
            outOfReach: "AWS runs it",
            source: cloudControlPlane("https://docs.aws.amazon.com/eks/latest/userguide/eks-architecture.html"),
        },
        controlPlaneOf: "AWS",
        // The kubelets' certificates are signed by the cluster's CA.
        metricsServer: { comes: false, source: "https://docs.aws.amazon.com/eks/latest/userguide/metrics-server.html" },
        presets: {
            fit: ["aws-ebs", ...portable],
            // EKS Hybrid Nodes are machines elsewhere.
            onlyThese: false,
            source: "https://docs.aws.amazon.com/eks/latest/userguide/ebs-csi.html",
        },
        signs: {
            kubeletVersion: "-eks-",
            source: "https://docs.aws.amazon.com/eks/latest/userguide/platform-versions.html",
        },
    },
    aks: {
        title: "Azure Kubernetes Service",
        alsoCalled: ["azure", "azureaks"],
        etcd: {
            outOfReach: "Azure runs it",
            source: cloudControlPlane("https://learn.microsoft.com/azure/aks/core-aks-concepts#control-plane"),
        },
        controlPlaneOf: "Azure",
        metricsServer: {
            comes: true,
            source: "https://learn.microsoft.com/azure/aks/use-metrics-server-vertical-pod-autoscaler",
        },
        classes: {
            default: "default",
            others: ["managed-csi", "managed-csi-premium", "azurefile-csi", "azurefile-csi-premium"],
            source: "https://learn.microsoft.com/azure/aks/create-volume-azure-disk (built-in storage classes)",
        },
        presets: {
            fit: ["azure-disk", ...portable],
            onlyThese: true,
            source: "https://learn.microsoft.com/azure/aks/azure-disk-csi",
        },
        signs: {
            label: "kubernetes.azure.com/cluster",
            source: "https://learn.microsoft.com/azure/aks/use-labels#reserved-system-labels",
        },
    },
    gke: {
        title: "Google Kubernetes Engine (Standard)",
        alsoCalled: ["google", "gcp", "googlegke"],
        etcd: {
            outOfReach: "Google runs it",
            source: cloudControlPlane("https://cloud.google.com/kubernetes-engine/docs/concepts/cluster-architecture"),
        },
        controlPlaneOf: "Google",
        metricsServer: {
            comes: true,
            source: "https://cloud.google.com/kubernetes-engine/docs/how-to/horizontal-pod-autoscaling",
        },
        classes: {
            default: "standard-rwo",
            others: ["premium-rwo", "standard"],
            source: "https://cloud.google.com/kubernetes-engine/docs/concepts/persistent-volumes#storageclasses",
        },
        presets: {
            fit: ["gcp-pd", ...portable],
            onlyThese: true,
            source: "https://cloud.google.com/kubernetes-engine/docs/how-to/persistent-volumes/gce-pd-csi-driver",
        },
        signs: {
            label: "cloud.google.com/gke-nodepool",
            source: "https://cloud.google.com/kubernetes-engine/docs/concepts/node-pools",
        },
    },
    rke2: {
        title: "RKE2",
        alsoCalled: ["rke", "rancher"],
        etcd: {
            pkiPath: "var/lib/rancher/rke2/server/tls",
            files: { ca: "etcd/server-ca.crt", cert: "etcd/client.crt", key: "etcd/client.key" },
            source: "https://github.com/k3s-io/k3s/blob/master/pkg/daemons/control/deps/deps.go (ETCDServerCA, ClientETCDCert), which RKE2 is made of",
        },
        metricsServer: {
            comes: true,
            source: "https://github.com/rancher/rke2/blob/master/charts/chart_versions.yaml (rke2-metrics-server)",
        },
        namespaceLabels: {
            labels: privileged,
            source: "https://github.com/rancher/rke2/blob/master/pkg/rke2/psa.go: with profile cis, restricted is enforced",
        },
        signs: { kubeletVersion: "+rke2r", source: "https://docs.rke2.io/release-notes/v1.34.X" },
    },
    k3s: {
        title: "K3s",
        etcd: {
            outOfReach: "K3s has none by default, but SQLite (https://docs.k3s.io/datastore)",
            source: "https://docs.k3s.io/datastore",
        },
        metricsServer: { comes: true, source: "https://docs.k3s.io/installation/packaged-components" },
        classes: { default: "local-path", others: [], source: "https://docs.k3s.io/add-ons/storage" },
        signs: { kubeletVersion: "+k3s", source: "https://docs.k3s.io/release-notes/v1.34.X" },
    },
    talos: {
        title: "Talos Linux",
        alsoCalled: ["talosos"],
        etcd: {
            outOfReach: "Talos keeps its certificates in memory, in a folder of the system (/system/secrets/etcd)",
            source: "https://github.com/siderolabs/talos/blob/main/pkg/machinery/constants/constants.go (EtcdPKIPath)",
        },
        metricsServer: {
            comes: false,
            args: ["--kubelet-insecure-tls"],
            source: "https://www.talos.dev/v1.9/kubernetes-guides/configuration/deploy-metrics-server/",
        },
        namespaceLabels: {
            labels: privileged,
            source: "https://docs.siderolabs.com/kubernetes-guides/security/pod-security: baseline is enforced in every namespace but kube-system",
        },
        signs: {
            osImage: "Talos",
            source: "https://docs.siderolabs.com/talos/latest/getting-started/getting-started (kubectl get nodes -o wide)",
        },
    },
    openshift: {
        title: "OpenShift",
        alsoCalled: ["ocp", "okd", "rosa", "aro"],
        etcd: {
            outOfReach: "the names of its certificates differ from node to node",
            source: "https://github.com/openshift/cluster-etcd-operator/blob/main/bindata/etcd/pod.yaml (etcd-peer-NODE_NAME.crt)",
        },
        metricsServer: {
            comes: true,
            source: "https://docs.redhat.com/en/documentation/openshift_container_platform/4.19/html/monitoring/about-openshift-container-platform-monitoring",
        },
        nodeExporter: {
            taken: "the node-exporter of OpenShift's own monitoring",
            // Within 9000 to 9999, which OpenShift keeps open between nodes, and unused in that list.
            port: 9130,
            source: "https://github.com/openshift/enhancements/blob/master/dev-guide/host-port-registry.md",
        },
        namespaceLabels: {
            // Without the second one OpenShift would write the first.
            labels: { ...privileged, "security.openshift.io/scc.podSecurityLabelSync": "false" },
            source: "https://docs.redhat.com/en/documentation/openshift_container_platform/4.12/html/authentication_and_authorization/understanding-and-managing-pod-security-admission",
        },
        needsScc: {
            needed: true,
            source: "https://docs.redhat.com/en/documentation/openshift_container_platform/4.19/html/authentication_and_authorization/managing-pod-security-policies",
        },
        apiGroup: "config.openshift.io",
    },
    other: {
        title: "another distribution",
        etcd: { pkiPath: "etc/kubernetes", source: kubeadmPki },
        metricsServer: { comes: true, source: "not known: KOF brings none, since two would be in each other's way" },
    },
} as const satisfies Readonly<Record<string, Distribution>>;

/** A value of `kof:distribution`. */
export type DistributionName = keyof typeof distributions;

export const distributionNames = Object.keys(distributions) as DistributionName[];

/** What is known of a distribution. */
export function distributionOf(name: DistributionName): Distribution {
    return distributions[name];
}

/** etcd's certificates, where a collector gets at them. */
export function etcdCertificates(name: DistributionName): EtcdCertificates | undefined {
    const { etcd } = distributionOf(name);
    return "pkiPath" in etcd ? etcd : undefined;
}

/**
 * The variable `PKI_PATH` of the collectors. Where no certificates are in reach nobody reads it, and it is what KOF's page has for
 * whatever is not k0s.
 */
export function pkiPathOf(name: DistributionName): string {
    return (etcdCertificates(name) ?? distributions.other.etcd).pkiPath;
}

/** The distribution that is meant by its title, or by another name of it. */
export function distributionCalled(found: unknown): DistributionName | undefined {
    return nameMeant(distributions, found);
}
