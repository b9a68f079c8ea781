import * as semver from "semver";

import { versions } from "../../charts";
import type { Deployment } from "../../routes/deployment";
import { notice, type Consequences } from "./consequence";
import { tellsAudit } from "../../settings/routing";
import { installerOf } from "./routes";

/** What has to be done by hand around one of KOF's upgrades. */
interface Upgrade {
    /** The first version that needs it; it is done on the way there from anything older. */
    readonly version: string;
    /** The steps, given what was running and what is to run. */
    readonly steps: (from: Deployment, to: Deployment) => readonly string[];
}

const suspend = (release: string) =>
    `kubectl patch helmrelease ${release} -n kof --type merge -p '{"spec":{"suspend":true}}'`;

/**
 * KOF's upgrade notes (docs/admin/kof/kof-upgrade.md and includes/kof-upgrade-includes.md of k0rdent/docs), as far as they
 * concern what the program does not do itself, oldest first.
 */
const upgrades: readonly Upgrade[] = [
    {
        version: "1.8.1",
        steps: () => [
            "Regional clusters go from ingress-nginx to Envoy Gateway, with an interruption until DNS has the gateway's address. To stay: kof:values: " +
                "{kof-regional: {values: {ingress-nginx: {enabled: true}, envoy-gateway: {enabled: false}}}}",
        ],
    },
    {
        version: "1.10.0",
        steps: (from, to) => [
            "Before KCM is upgraded, so that the collectors of child clusters are not reinstalled over and over: the patch of HelmRelease kof-regional in " +
                "KOF's upgrade notes for 1.10, step 2; take it back afterwards (step 9)",
            "Upgrade KCM to 1.10",
            ...(to.settings.istio ? ["Upgrade the chart k0rdent-istio to 0.6.0"] : []),
            ...handedOver(from, to),
        ],
    },
    {
        version: "1.11.0-0",
        steps: () => ["Upgrade KCM to 1.11"],
    },
];

/** The releases that Flux has, and that Sveltos takes over as they are. */
function handedOver(from: Deployment, to: Deployment): string[] {
    const releases = ["kof-storage", "kof-collectors"].filter(
        (chart) => installerOf(from, chart) === "flux" && installerOf(to, chart) === "sveltos",
    );
    return releases.length > 0
        ? [`Keep Flux from uninstalling what KOF 1.10 takes over: ${releases.map(suspend).join("; ")}`]
        : [];
}

/** What has to be done by hand for another KOF version, in order, before the deployment unless it says otherwise. */
export function upgradeSteps(from: Deployment, to: Deployment): string[] {
    const [was, is] = [from.settings.version, to.settings.version];
    return upgrades
        .filter(({ version }) => semver.lt(was, version) && semver.gte(is, version))
        .flatMap(({ steps }) => steps(from, to));
}

/** Audit logs that were among the logs, and now go elsewhere, because no setting sends them where the logs go. */
export function* auditConsequences(from: Deployment, to: Deployment): Consequences {
    const { signals: asked = {}, version } = to.settings;
    const { logs, audit } = to.routing.signals;
    const isNew = !tellsAudit(from.settings.version) && tellsAudit(version);
    const left = from.routing.signals.audit.filter((name) => logs.includes(name) && !audit.includes(name));
    if (isNew && asked.logs !== undefined && asked.audit === undefined && left.length > 0) {
        const goes = audit.length > 0 ? `go to ${audit.join(" and ")} alone` : "are not stored any more";
        yield notice(
            "kof:signals",
            `does not name audit, which KOF ${version} tells from logs: audit logs leave ${left.join(" and ")}, where the logs go, and ${goes}`,
            { way: "have them go where the logs go", paste: { "kof:signals": { ...asked, audit: [...logs] } } },
        );
    }
}

/** Steps from one KOF version to another that upstream does not support. */
export function* upgradeConsequences(from: Deployment, to: Deployment): Consequences {
    const [was, is] = [from.settings.version, to.settings.version];
    const key = "kof:version";
    if (semver.lt(is, was)) {
        yield {
            severity: "impossible",
            key,
            message: `downgrades from ${was} to ${is}, for which KOF has no procedure: what the newer version has changed stays changed`,
            way: `stay at ${was}, or restore a backup that was made with ${is}`,
            paste: { [key]: was },
        };
        return;
    }
    const next = versions
        .filter((version) => !semver.prerelease(version) && semver.minor(version) === semver.minor(was) + 1)
        .at(-1);
    if (next !== undefined && semver.minor(is) > semver.minor(next)) {
        yield {
            severity: "impossible",
            key,
            message: `skips from ${was} to ${is}: KOF's upgrade notes, and KCM's, go from one minor version to the next`,
            way: `deploy ${next} first`,
            paste: { [key]: next },
        };
    }
}
