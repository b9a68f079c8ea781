import { shortName } from "../../collectors/effective";
import type { Deployment } from "../../routes/deployment";
import { controllerKey, controlPlaneMetrics } from "../../routes/distribution";
import { distributionOf, etcdCertificates } from "../../settings/distributions";
import type { Consequence } from "./consequence";

/** What follows from another distribution: what starts and stops being collected, and what is made for it. Nothing stored is lost. */
export function distributionConsequences(from: Deployment, to: Deployment): Consequence[] {
    const [was, is] = [from.settings.distribution, to.settings.distribution];
    if (was === is) {
        return [];
    }
    const collected = from.collectors.length > 0 && to.collectors.length > 0;
    return [
        ...(collected ? [...controlPlane(from, to), ...metricsServer(from, to), ...nodeExporter(from, to)] : []),
        ...labels(from, to),
    ].map((message) => ({ severity: "notice", key: "kof:distribution", message }));
}

function controlPlane(from: Deployment, to: Deployment): string[] {
    const [was, is] = [from, to].map(({ collectors }) => collectors.find(({ key }) => key === controllerKey));
    const [before, after] = [from, to].map(({ settings }) => etcdCertificates(settings.distribution));
    if (was && !is) {
        const why = distributionOf(to.settings.distribution).etcd;
        return [
            `stops ${shortName(was)}: ${controlPlaneMetrics} are no longer collected${"outOfReach" in why ? `, because ${why.outOfReach}` : ""}`,
        ];
    }
    if (is && !was) {
        return [`starts ${shortName(is)}: ${controlPlaneMetrics} are collected from then on`];
    }
    return is && before?.pkiPath !== after?.pkiPath
        ? [
              `has ${shortName(is)} look for etcd's certificates below /${after?.pkiPath ?? ""}, and no longer below /${before?.pkiPath ?? ""}`,
          ]
        : [];
}

function metricsServer(from: Deployment, to: Deployment): string[] {
    const [had, has] = [from, to].map(({ settings }) => distributionOf(settings.distribution).metricsServer.comes);
    return had === has
        ? []
        : [has ? "uninstalls KOF's metrics-server: the cluster has to have its own" : "installs KOF's metrics-server"];
}

function nodeExporter(from: Deployment, to: Deployment): string[] {
    const [was = 9100, is = 9100] = [from, to].map(
        ({ settings }) => distributionOf(settings.distribution).nodeExporter?.port,
    );
    return was === is ? [] : [`moves KOF's node-exporter from port ${String(was)} of the nodes to ${String(is)}`];
}

function labels(from: Deployment, to: Deployment): string[] {
    const [was = {}, is = {}] = [from, to].map(
        ({ settings }) => distributionOf(settings.distribution).namespaceLabels?.labels,
    );
    const only = (some: Readonly<Record<string, string>>, others: Readonly<Record<string, string>>) =>
        Object.entries(some)
            .filter(([name, value]) => others[name] !== value)
            .map(([name, value]) => `${name}=${value}`);
    const [gone, added] = [only(was, is), only(is, was)];
    return [
        ...(gone.length === 0
            ? []
            : [`takes the label${gone.length > 1 ? "s" : ""} ${gone.join(" and ")} off namespace kof`]),
        ...(added.length === 0 ? [] : [`labels namespace kof with ${added.join(" and ")}`]),
    ];
}
