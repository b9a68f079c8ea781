import { compact } from "../lib/compact";
import type { Collector } from "../collectors/effective";
import { distributionOf } from "../settings/distributions";
import type { Settings } from "../settings/settings";
import { kofNamespace } from "../charts/namespace";
import type { Resolved } from "./parts";

/** What `controller-k0s` collects, and nothing else does. */
export const controlPlaneMetrics = "metrics of etcd, kube-scheduler and kube-controller-manager";

/** The collector of the control plane, by its key in the charts' values. */
export const controllerKey = "controller-k0s";

/** The node-exporter that kof-collectors brings, by its service account. */
const nodeExporterAccount = "kof-collectors-prometheus-node-exporter";

/**
 * Why the distribution leaves a cluster without metrics of its control plane; `undefined` where it does not.
 *
 * @param collectors those that run.
 */
export function withoutControlPlane(
    { distribution, istio }: Settings,
    collectors: readonly Collector[],
): string | undefined {
    const { etcd, controlPlaneOf, title } = distributionOf(distribution);
    const runs = collectors.some(({ key }) => key === controllerKey);
    // In the mesh there is no such collector anyway.
    if (collectors.length === 0 || istio) {
        return undefined;
    }
    if ("outOfReach" in etcd && !runs) {
        return `On ${title} no collector gets at etcd: ${etcd.outOfReach}. ${controllerKey} is off: ${controlPlaneMetrics} are not collected.`;
    }
    return controlPlaneOf === undefined || !runs
        ? undefined
        : `On ${title} ${controlPlaneOf} runs the control plane, and no node of the cluster does. ${controllerKey} runs on none: ` +
              `${controlPlaneMetrics} are not collected.`;
}

/**
 * What a reader of the preview should know of the distribution.
 *
 * @param collectors those that run.
 */
export function distributionNotices({ settings }: Resolved, collectors: readonly Collector[]): string[] {
    const { distribution: name, storageClass } = settings;
    const { title, controlPlaneOf, nodeExporter, needsScc, presets } = distributionOf(name);
    const preset = storageClass?.create === true ? storageClass.preset : undefined;
    const runs = collectors.length > 0;
    const lost = withoutControlPlane(settings, collectors);
    return compact(
        lost,
        runs &&
            controlPlaneOf !== undefined &&
            `Audit logs of the API server are where ${controlPlaneOf} puts them, not on the nodes: KOF's collectors read ` +
                "/var/log/kubernetes/*.log, and find none.",
        runs &&
            nodeExporter !== undefined &&
            `On ${title} port 9100 of every node belongs to ${nodeExporter.taken}. KOF's node-exporter gets port ` +
                `${String(nodeExporter.port)}.`,
        needsScc !== undefined && sccNotice(title, collectors),
        preset !== undefined &&
            presets !== undefined &&
            !presets.fit.includes(preset) &&
            `kof:storageClass.preset is ${preset}, which is not known to work on ${title}. Known to are: ` +
                `${presets.fit.join(", ")}. If its driver is there, all is well; else no volume is made.`,
    );
}

/** What lets KOF's pods start where each needs a SecurityContextConstraint. Granting that is for somebody who decides it. */
function sccNotice(title: string, collectors: readonly Collector[]): string {
    const accounts = compact(
        ...collectors.map(({ name }) => `${name}-collector`),
        collectors.length > 0 && nodeExporterAccount,
    );
    const commands = [
        `oc adm policy add-scc-to-group anyuid system:serviceaccounts:${kofNamespace}`,
        ...accounts.map((each) => `oc adm policy add-scc-to-user privileged -n ${kofNamespace} -z ${each}`),
    ];
    return (
        `${title} starts pods with users and folders of their own choice only where a SecurityContextConstraint lets it. ` +
        `Before the first deployment: ${commands.join(" && ")}`
    );
}
