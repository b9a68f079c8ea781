import type { Deployment } from "../../routes/deployment";
import { installedCharts } from "../../charts/installed";
import { turnedOffAt } from "../../routes/stored";
import type { Consequence } from "./consequence";
import { goneStores, volumesText, type VolumeChange } from "./volumes";

/** What follows from another route: stored data that nothing reads any more, and installers that would fight. */
export function routeConsequences(from: Deployment, to: Deployment, volumes: readonly VolumeChange[]): Consequence[] {
    const [was, is] = [from.settings.route, to.settings.route];
    if (was === is) {
        return [];
    }
    const acknowledge = `${was}->${is}`;
    const key = "kof:route";
    const consequences: Consequence[] = [];
    // What values turn off is theirs to say.
    const gone = goneStores(volumes).filter(
        ({ workload, volume }) =>
            turnedOffAt(to, volume.source) === undefined && !to.stores.some((each) => each.workload === workload),
    );
    if (gone.length > 0) {
        const stored = [...new Set(gone.map(({ volume }) => volume.signal))].join(", ");
        consequences.push({
            severity: "loses",
            key,
            message: `leaves the stored ${stored} unreachable: the volumes stay (${volumesText(gone)}), but nothing reads them until the route is ${was} again`,
            acknowledge: `${acknowledge}${unusual(gone)}`,
        });
    }
    if (is === "regionless") {
        consequences.push({
            severity: "loses",
            key,
            message: "takes KOF off every regional cluster: what is stored there is no longer reachable through KOF",
            acknowledge,
        });
    }
    const [before, after] = [installerOf(from), installerOf(to)];
    if (before !== undefined && after !== undefined && before !== after) {
        const sameVersion = from.settings.version === to.settings.version;
        consequences.push({
            severity: "impossible",
            key,
            message:
                `cannot go from ${was} to ${is} at once: ${installers[before]} installs the collectors before and ${installers[after]} after, both as ` +
                "the Helm release kof-collectors, and one would uninstall what the other installs",
            way: sameVersion
                ? "deploy route none first, and go on when the release kof-collectors is gone"
                : "change the version first, and the route in a deployment of its own",
            paste: { [key]: sameVersion ? "none" : was },
        });
    }
    return consequences;
}

/** How many volumes there are, where these are not as many as KOF makes: what was printed for some does not permit to leave more. */
function unusual(gone: readonly VolumeChange[]): string {
    const count = gone.reduce((sum, each) => sum + each.count, 0);
    const usual = gone.reduce((sum, { volume }) => sum + Number(volume.source.volume.replicas?.default), 0);
    return count === usual ? "" : ` with ${String(count)} volumes`;
}

const installers = { flux: "Flux", sveltos: "Sveltos" } as const;

/** What installs a chart on the management cluster, by default the one of its collectors; `undefined` when it is not there. */
export function installerOf({ umbrella }: Deployment, name = "kof-collectors"): "flux" | "sveltos" | undefined {
    return installedCharts(umbrella).find(({ chart }) => chart === name)?.by;
}

/** What follows from other names of the cluster, or of the mesh. */
export function identityConsequences(from: Deployment, to: Deployment): Consequence[] {
    const [was, is] = [from.settings, to.settings];
    const consequences: Consequence[] = [];
    if (was.istio !== is.istio) {
        consequences.push({
            severity: "loses",
            key: "kof:istio",
            message:
                "renames the services by which KOF runs on regional and child clusters: what they installed there is removed, storage included " +
                "(KOF's upgrade notes for 1.10)",
            acknowledge: `istio ${String(was.istio)}->${String(is.istio)}`,
        });
    }
    if (was.buffer?.metrics === "disk" && is.buffer?.metrics !== "disk") {
        consequences.push({
            severity: "notice",
            key: "kof:buffer.metrics",
            message:
                "no longer queues metrics on the nodes: what is still queued there is not sent. First make sure that the region has received everything",
        });
    }
    for (const name of ["clusterName", "clusterNamespace"] as const) {
        if (was[name] !== is[name]) {
            consequences.push({
                severity: "notice",
                key: `kof:${name}`,
                message: `changes from ${was[name]} to ${is[name]} on every signal: what is stored stays under the old name`,
            });
        }
    }
    return consequences;
}
