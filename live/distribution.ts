import { kofNamespace } from "../core/charts/namespace";
import { umbrellaCollects } from "../core/routes/collectors";
import { distributionNames, distributionOf, type DistributionName } from "../core/settings/distributions";
import type { Check, Findings, Live } from "./findings";
import type { ApiObject } from "./objects";

/** Whether the cluster is of the distribution that `kof:distribution` says. */
export const distribution: readonly Check[] = [
    { title: "Distribution", look: nodesAndGroups },
    { title: "metrics-server", look: metricsApi },
];

/** A Node, as far as it tells its distribution. */
export interface ClusterNode extends ApiObject {
    readonly spec?: { readonly providerID?: string };
    readonly status?: { readonly nodeInfo?: { readonly kubeletVersion?: string; readonly osImage?: string } };
}

async function nodesAndGroups({ kubernetes, deployment }: Live): Promise<Findings> {
    const nodes = await kubernetes.list<ClusterNode>("/api/v1/nodes");
    const found = await kubernetes.get<{ groups?: readonly { readonly name: string }[] }>("/apis");
    const groups = (found?.groups ?? []).map(({ name }) => name);
    return distributionFindings(deployment.settings.distribution, nodes, groups);
}

/** What a node, or the API groups of its cluster, are signs of. kind's nodes are made by kubeadm, and look like it too. */
function signsOf(node: ClusterNode, groups: readonly string[]): DistributionName[] {
    const { labels = {}, annotations = {} } = node.metadata;
    const { kubeletVersion = "", osImage = "" } = node.status?.nodeInfo ?? {};
    const { providerID = "" } = node.spec ?? {};
    const found = distributionNames.filter((name) => {
        const { signs, apiGroup } = distributionOf(name);
        return [
            apiGroup !== undefined && groups.includes(apiGroup),
            signs?.kubeletVersion !== undefined && kubeletVersion.includes(signs.kubeletVersion),
            signs?.providerID !== undefined && providerID.startsWith(signs.providerID),
            signs?.osImage !== undefined && osImage.startsWith(signs.osImage),
            signs?.label !== undefined && signs.label in labels,
            signs?.annotation !== undefined && signs.annotation in annotations,
        ].includes(true);
    });
    return found.length > 1 ? found.filter((name) => name !== "kubeadm") : found;
}

/** Nodes of GKE's Autopilot, which takes no pod that mounts folders of its node. */
const autopilot = "gk3-";

/**
 * How a cluster differs from what `kof:distribution` says.
 *
 * @param groups the API groups of the cluster.
 */
export function distributionFindings(
    name: DistributionName,
    nodes: readonly ClusterNode[],
    groups: readonly string[],
): Findings {
    const fix = "kubectl get nodes -o wide --show-labels";
    const found = [...new Set(nodes.flatMap((node) => signsOf(node, groups)))];
    return [
        mismatch(name, nodes, found, fix),
        name === "gke" &&
            nodes.some(({ metadata }) => metadata.name.startsWith(autopilot)) && {
                severity: "problem",
                what: "the cluster has nodes of GKE Autopilot",
                why: "Autopilot refuses pods that mount folders of their node, as KOF's collectors and node-exporter do. KOF takes a Standard cluster.",
                fix,
            },
    ];
}

function mismatch(
    name: DistributionName,
    nodes: readonly ClusterNode[],
    found: readonly DistributionName[],
    fix: string,
): Findings {
    const [is] = found;
    const { signs, apiGroup, title } = distributionOf(name);
    const titles = (names: readonly DistributionName[]) =>
        names.map((each) => distributionOf(each).title).join(" and ");
    if (is === undefined) {
        // Nodes that look like none are of `other`. Where there are no nodes, nothing contradicts the setting.
        const isNone = nodes.length > 0 && (signs !== undefined || apiGroup !== undefined);
        const what = `no node looks like ${title}, but kof:distribution is ${name}`;
        return isNone && { severity: "warning", what, why: consequenceOf(name, "other"), fix };
    }
    if (found.includes(name)) {
        const others = found.filter((each) => each !== name);
        return (
            others.length > 0 && {
                severity: "warning",
                what: `some nodes look like ${titles(others)}, but kof:distribution is ${name}`,
                why: "The control plane decides: KOF's settings are for the distribution of its nodes.",
                fix,
            }
        );
    }
    return {
        severity: "problem",
        what: `the nodes look like ${titles(found)}, but kof:distribution is ${name}`,
        why: consequenceOf(name, is),
        fix: `pulumi config set kof:distribution ${is}`,
    };
}

/** What goes wrong where settings are for one distribution and the cluster is of another. */
function consequenceOf(set: DistributionName, is: DistributionName): string {
    const [wanted, there] = [distributionOf(set), distributionOf(is)];
    const path = "pkiPath" in wanted.etcd ? wanted.etcd.pkiPath : undefined;
    const own = "pkiPath" in there.etcd ? there.etcd.pkiPath : undefined;
    const reasons = [
        path !== undefined &&
            path !== own &&
            `controller-k0s looks for etcd's certificates in /${path}, and does not start on a control plane without them`,
        path === undefined && own !== undefined && "controller-k0s is off, although etcd could be watched",
        wanted.metricsServer.comes !== there.metricsServer.comes &&
            (wanted.metricsServer.comes
                ? "KOF brings no metrics-server, and the cluster has none"
                : "KOF brings a second metrics-server"),
        there.namespaceLabels !== undefined &&
            wanted.namespaceLabels === undefined &&
            "namespace kof lacks the labels that let the collectors' pods in",
        there.nodeExporter?.port !== wanted.nodeExporter?.port &&
            "KOF's node-exporter is on a port of the nodes that is taken, or on another than it could be",
    ].filter((reason) => reason !== false);
    return reasons.length === 0
        ? "Nothing that KOF does differs between the two."
        : `With kof:distribution ${set}: ${reasons.join("; ")}.`;
}

interface ApiService {
    readonly spec?: { readonly service?: { readonly namespace?: string; readonly name?: string } };
}

/** Two servers of one API would be in each other's way. */
async function metricsApi({ kubernetes, deployment }: Live): Promise<Findings> {
    const { comes } = distributionOf(deployment.settings.distribution).metricsServer;
    if (comes || deployment.collectors.length === 0) {
        return undefined;
    }
    const path = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io";
    const { namespace, name = "a server" } = (await kubernetes.get<ApiService>(path))?.spec?.service ?? {};
    const values = umbrellaCollects(deployment.catalog) ? "kof-collectors" : "kof-mothership";
    return (
        namespace !== undefined &&
        namespace !== kofNamespace && {
            severity: "problem",
            what: `the cluster has its own metrics-server (${namespace}/${name}), and KOF would bring another`,
            why: "Helm refuses to install what another release owns, and the release of KOF fails.",
            fix: `pulumi config set --path kof:values.${values}.values.metrics-server.enabled false`,
        }
    );
}
