import { shortName } from "../../collectors/effective";
import type { Deployment } from "../../routes/deployment";
import { controllerKey, controlPlaneMetrics } from "../../routes/distribution";
import { distributionOf, etcdCertificates } from "../../settings/distributions";
import { notice, type Consequences } from "./consequence";

/** What follows from another distribution: what starts and stops being collected, and what is made for it. Nothing stored is lost. */
export function* distributionConsequences(from: Deployment, to: Deployment): Consequences {
    if (from.settings.distribution === to.settings.distribution) {
        return;
    }
    const isCollected = from.collectors.length > 0 && to.collectors.length > 0;
    for (const message of [...(isCollected ? collectionChanges(from, to) : []), ...labelChanges(from, to)]) {
        yield notice("kof:distribution", message);
    }
}

function* collectionChanges(from: Deployment, to: Deployment): Iterable<string> {
    const [before, after] = [from, to].map(({ settings }) => distributionOf(settings.distribution));
    const [was, is] = [from, to].map(({ collectors }) => collectors.find(({ key }) => key === controllerKey));
    const [folderBefore, folder] = [from, to].map(({ settings }) => etcdCertificates(settings.distribution)?.pkiPath);
    if (was && !is) {
        const why = after && "outOfReach" in after.etcd ? `, because ${after.etcd.outOfReach}` : "";
        yield `stops ${shortName(was)}: ${controlPlaneMetrics} are no longer collected${why}`;
    } else if (is && !was) {
        yield `starts ${shortName(is)}: ${controlPlaneMetrics} are collected from then on`;
    } else if (is && folderBefore !== folder) {
        yield `has ${shortName(is)} look for etcd's certificates below /${folder ?? ""}, and no longer below /${folderBefore ?? ""}`;
    }
    const [had, has] = [before?.metricsServer.comes, after?.metricsServer.comes];
    if (had !== has) {
        yield has
            ? "uninstalls KOF's metrics-server: the cluster has to have its own"
            : "installs KOF's metrics-server";
    }
    const [portBefore = 9100, port = 9100] = [before, after].map((each) => each?.nodeExporter?.port);
    if (portBefore !== port) {
        yield `moves KOF's node-exporter from port ${String(portBefore)} of the nodes to ${String(port)}`;
    }
}

function* labelChanges(from: Deployment, to: Deployment): Iterable<string> {
    const [was = [], is = []] = [from, to].map(({ settings }) =>
        Object.entries(distributionOf(settings.distribution).namespaceLabels?.labels ?? {}).map(
            ([name, value]) => `${name}=${value}`,
        ),
    );
    const gone = was.filter((label) => !is.includes(label));
    const added = is.filter((label) => !was.includes(label));
    if (gone.length > 0) {
        yield `takes the label${gone.length > 1 ? "s" : ""} ${gone.join(" and ")} off namespace kof`;
    }
    if (added.length > 0) {
        yield `labels namespace kof with ${added.join(" and ")}`;
    }
}
