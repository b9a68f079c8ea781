import { alertChanges, type AlertChange } from "./alerts";
import { signals } from "../../charts";
import { compareCatalogs, type CatalogChanges } from "../../charts/compare";
import { lazily } from "../../lib/lazy";
import type { Deployment } from "../../routes/deployment";
import { bufferConsequences } from "./buffers";
import { archiveChanges, archiveConsequences, type ArchiveChange } from "./archives";
import { cloudwatchConsequences, logGroupChanges, type KnownLogGroups, type LogGroupChange } from "./cloudwatch";
import { credentialChanges, credentialConsequences, type CredentialChange } from "./credentials";
import { distributionConsequences } from "./distribution";
import { signalChange, twoSteps, type Lines, type SignalChange } from "./moves";
import { podConsequences, restartsOf } from "./pods";
import { pastOf, unspent, type Past } from "./past";
import { identityConsequences, processingConsequences, routeConsequences } from "./routes";
import {
    childConsequences,
    collectorConsequences,
    componentConsequences,
    regionConsequences,
    storeConsequences,
} from "./stores";
import { takeoverConsequences } from "./takeovers";
import { auditConsequences, upgradeConsequences, upgradeSteps } from "./upgrades";
import { regionalChanges, volumeChanges, volumeConsequences, type VolumeChange } from "./volumes";
import { acknowledgements, type Consequence, type Consequences } from "./consequence";

/** What a change of a stack's settings does to what is running. */
export interface Plan {
    readonly from: Deployment;
    readonly to: Deployment;
    readonly signals: readonly SignalChange[];
    /** The same in two deployments that miss nothing, as lines for the stack file; empty where that is no use, or there is no way. */
    readonly twoSteps: readonly Lines[];
    /** The collectors whose pods are replaced. */
    readonly restarts: readonly string[];
    readonly volumes: readonly VolumeChange[];
    /** What happens to the volumes on each regional cluster, however many there are. */
    readonly regions: readonly VolumeChange[];
    readonly logGroups: readonly LogGroupChange[];
    readonly archives: readonly ArchiveChange[];
    readonly credentials: readonly CredentialChange[];
    /** The alert rules that are not as before. */
    readonly alerts: readonly AlertChange[];
    /** Everything worth knowing, the most dangerous first. */
    readonly consequences: readonly Consequence[];
    /** What KOF itself changes between two versions; `undefined` for the same version. */
    readonly upgrade: CatalogChanges | undefined;
    /** What has to be done by hand, in order. */
    readonly steps: readonly string[];
}

/**
 * Works out what a change of settings does to running data. Plain data from plain data: nothing is contacted, and what is
 * running is taken to be what `from` asks for.
 *
 * @param past what was before that. Default: nothing but what `from` says.
 * @param known what else is known of log groups. Default: nothing.
 */
export function planOf(from: Deployment, to: Deployment, past: Past = pastOf(from), known?: KnownLogGroups): Plan {
    const volumes = volumeChanges(from, to);
    const consequences: Consequence[] = [
        ...upgradeConsequences(from, to),
        ...auditConsequences(from, to),
        ...routeConsequences(from, to, volumes),
        ...processingConsequences(from, to),
        ...bufferConsequences(from, to),
        ...componentConsequences(from, to),
        ...storeConsequences(from, to, volumes),
        ...collectorConsequences(from, to),
        ...podConsequences(from, to),
        ...volumeConsequences(from, to, volumes, past),
        ...regionConsequences(from, to),
        ...childConsequences(from, to),
        ...cloudwatchConsequences(from, to, known),
        ...archiveConsequences(from, to),
        ...credentialConsequences(from, to),
        ...identityConsequences(from, to),
        ...distributionConsequences(from, to),
        ...takeoverConsequences(from, to),
    ];
    const plan = {
        from,
        to,
        signals: signals.map((signal) => signalChange(signal, from, to)),
        restarts: restartsOf(from, to),
        volumes,
        regions: regionalChanges(from, to),
        logGroups: logGroupChanges(from, to, known),
        archives: archiveChanges(from, to),
        credentials: credentialChanges(from, to),
        alerts: alertChanges(from, to),
        consequences: inOrder(consequences, past),
        steps: upgradeSteps(from, to),
    };
    return lazily(plan, {
        upgrade: () => (from.catalog === to.catalog ? undefined : compareCatalogs(from.catalog, to.catalog)),
        twoSteps: () => twoSteps(from, to),
    });
}

const severities = ["impossible", "loses", "notice"] as const;

/** The most dangerous first, each with a text that permits it now. */
function inOrder(consequences: Consequences, { spent }: Past): Consequence[] {
    const permitted = [...consequences].map(({ acknowledge, ...rest }): Consequence => {
        // The list of acknowledgements is separated by commas, which filters of values have as well.
        const text = acknowledge?.replaceAll(",", ";");
        return text === undefined ? rest : { ...rest, acknowledge: unspent(text, spent) };
    });
    return severities.flatMap((severity) => permitted.filter((each) => each.severity === severity));
}

/** What follows from a deployment before which nothing is known to run: from what is there although no deployment says so. */
export function firstConsequences(to: Deployment, past: Past, known: KnownLogGroups): Consequence[] {
    return inOrder(cloudwatchConsequences(undefined, to, known), past);
}

/** The part of a plan that says whether the change may be made. */
export type ChangeEffects = Pick<Plan, "consequences" | "to">;

/** The consequences that the stack file does not permit: the change must not be made. */
export function refused({ consequences, to }: ChangeEffects): Consequence[] {
    const acknowledged = acknowledgements(to.settings.acknowledge);
    return consequences.filter(
        ({ severity, acknowledge }) =>
            severity !== "notice" && !(acknowledge !== undefined && acknowledged.includes(acknowledge)),
    );
}

/** What `kof:acknowledge` has to say to permit all that can be permitted; empty when nothing needs it. */
export function acknowledgement({ consequences }: ChangeEffects): string {
    return [...new Set(consequences.flatMap(({ acknowledge }) => acknowledge ?? []))].join(", ");
}

/**
 * How a change ends when it is made: what `npm run plan` says with its exit code. An acknowledgement says that what stood in the way has
 * been done by hand. Lost data is lost, permitted or not.
 */
export function verdictOf({ consequences, to }: ChangeEffects): "safe" | "loses" | "impossible" {
    const acknowledged = acknowledgements(to.settings.acknowledge);
    const isImpossible = consequences.some(
        ({ severity, acknowledge }) =>
            severity === "impossible" && (acknowledge === undefined || !acknowledged.includes(acknowledge)),
    );
    const isLoss = consequences.some(({ severity }) => severity === "loses");
    return isImpossible ? "impossible" : isLoss ? "loses" : "safe";
}
