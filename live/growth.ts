import { setTimeout as sleep } from "node:timers/promises";

import { kcmApi, pausedAnnotation } from "../core/charts/multiCluster";
import { helmReleasesPath, kofNamespace } from "../core/charts/namespace";
import { UserError } from "../core/lib/errors";
import { claimNames, type Volume } from "../core/routes/volumes";
import { isTransient, persistently, type Response } from "./http";
import { NoAnswer, statusText, type Kubernetes } from "./kubernetes";
import {
    claimsPath,
    firstClaims,
    statefulSetsPath,
    type ApiObject,
    type PersistentVolumeClaim,
    type StatefulSet,
} from "./objects";
import { sizeInGiB } from "../core/lib/quantities";

interface ServiceSet extends ApiObject {
    readonly spec: {
        readonly provider?: { readonly selfManagement?: boolean };
        readonly services?: readonly { readonly name: string }[];
    };
}

/** How long to wait for what, and whom to tell. */
interface GrowOptions {
    /** Receives each step when it is done. */
    readonly say: (step: string) => void;
    /** Milliseconds that the driver has for all volumes. Default: ten minutes. */
    readonly patience?: number;
    /** Milliseconds that the API server has to come back. Default: a minute. */
    readonly outage?: number;
    /** Ends the wait early. What was paused is resumed in any case. */
    readonly signal?: AbortSignal;
}

/**
 * Enlarges the volumes of a StatefulSet whose template no Helm upgrade can change. It enlarges each claim, waits for the driver, and
 * deletes the StatefulSet without its pods. The next upgrade recreates the StatefulSet with the new size. Nothing restarts. After a
 * failure, another run continues.
 *
 * @param volume what the stack has: its claims, by workload and count.
 * @param size of each volume, larger than it is.
 * @returns the size that the claims had.
 * @throws UserError, with nothing changed, for a size that is smaller, claims that are missing, or a class that cannot expand.
 */
export async function growVolumes(
    api: Kubernetes,
    volume: Pick<Volume, "workload" | "count">,
    size: string,
    { say, patience = 600_000, outage = 60_000, signal = new AbortController().signal }: GrowOptions,
): Promise<string> {
    const names = claimNames(volume.workload, 0, volume.count);
    const found = await Promise.all(names.map((name) => api.get<PersistentVolumeClaim>(`${claimsPath}/${name}`)));
    const missing = names.filter((_, i) => found[i] === undefined);
    if (missing.length > 0) {
        throw new UserError(
            `There is no claim ${missing.join(", ")} in namespace ${kofNamespace}. Nothing was changed.`,
        );
    }
    const before = found.map((claim) => claim?.spec.resources?.requests?.storage ?? "");
    const larger = before.find((each) => sizeInGiB(each) > sizeInGiB(size));
    if (larger !== undefined) {
        throw new UserError(
            `${size} is smaller than ${larger}, and no volume can become smaller. Nothing was changed.`,
        );
    }
    const patient = new PatientApi(api, outage, signal);
    const resize = (name: string, query = "") =>
        patient.merge(`${claimsPath}/${name}${query}`, { spec: { resources: { requests: { storage: size } } } });
    for (const name of names) {
        await resize(name, "?dryRun=All");
    }
    signal.throwIfAborted();
    await whilePaused(patient, new PatientApi(api, outage), say, async () => {
        for (const [i, name] of names.entries()) {
            signal.throwIfAborted();
            await resize(name);
            say(`claim ${name}: ${before[i] ?? ""} -> ${size}`);
        }
        await untilLarge(patient, names, size, patience, signal);
        await orphan(patient, names[0] ?? "", say, signal);
    });
    return before[0] ?? "";
}

/** What the API server says of a change that it did not make. */
class Refused extends UserError {}

/** An API server that is asked again while it is away, as a single one is while it restarts. For what may be done twice. */
class PatientApi {
    /** @param outage milliseconds that it has to come back. @param signal ends the wait early. */
    constructor(
        private readonly api: Kubernetes,
        private readonly outage: number,
        private readonly signal?: AbortSignal,
    ) {}

    private insist<T>(ask: () => Promise<T>): Promise<T> {
        const isSilence = (error: unknown) => error instanceof NoAnswer;
        return persistently(ask, { isSilence, patience: this.outage, signal: this.signal });
    }

    get<T>(path: string): Promise<T | undefined> {
        return this.insist(() => this.api.get<T>(path));
    }

    list<T>(path: string): Promise<readonly T[]> {
        return this.insist(() => this.api.list<T>(path));
    }

    /** @throws UserError with what the API server says of a change that it refuses. */
    async merge(path: string, change: object): Promise<void> {
        const answer = await this.send("PATCH", path, "application/merge-patch+json", change);
        if (answer.status >= 300) {
            const why = `The API server refuses ${path.replace(/\?.*/, "")}: ${statusText(answer)}`;
            throw answer.status >= 400 && answer.status < 500 ? new Refused(why) : new UserError(why);
        }
    }

    /** @throws NoAnswer when the API server does not say whether what was asked is done. */
    async send(method: string, path: string, type: string, content: object): Promise<Response> {
        const options = { headers: { "content-type": type }, body: JSON.stringify(content) };
        const answer = await this.insist(() => this.api.request(method, path, options));
        if (isTransient(answer)) {
            throw new NoAnswer(
                `The API server has no time for ${method} ${path.replace(/\?.*/, "")}: ${statusText(answer)}`,
            );
        }
        return answer;
    }
}

/** Who may put the StatefulSet back before its size is changed, and the merge patches that keep it from that. */
interface Installer {
    readonly path: string;
    /** As kubectl names it: `helmrelease -n kof kof-storage`. */
    readonly name: string;
    readonly isPaused: boolean;
    readonly pause: object;
    readonly resume: object;
}

/** Flux installs kof-storage up to KOF 1.9, Sveltos later. */
async function installers(api: PatientApi): Promise<Installer[]> {
    const release = `${helmReleasesPath}/kof-storage`;
    const found = await api.get<{ spec: { suspend?: boolean } }>(release);
    const sets = (await api.list<ServiceSet>(`${kcmApi}/servicesets`)).filter(
        ({ spec }) =>
            spec.provider?.selfManagement === true && spec.services?.some(({ name }) => name === "kof-storage"),
    );
    const flux = found && {
        path: release,
        name: `helmrelease -n ${kofNamespace} kof-storage`,
        isPaused: found.spec.suspend === true,
        pause: { spec: { suspend: true } },
        resume: { spec: { suspend: false } },
    };
    const sveltos = sets.map(({ metadata: { namespace = "", name, annotations } }) => ({
        path: `${kcmApi}/namespaces/${namespace}/servicesets/${name}`,
        name: `serviceset -n ${namespace} ${name}`,
        isPaused: annotations?.[pausedAnnotation] === "true",
        pause: { metadata: { annotations: { [pausedAnnotation]: "true" } } },
        resume: { metadata: { annotations: { [pausedAnnotation]: null } } },
    }));
    return [...(flux ? [flux] : []), ...sveltos];
}

/**
 * Does something while nothing can restore the StatefulSet, and resumes afterwards in any case. What was paused before stays paused.
 *
 * @param unstopped the same API, for what nobody may stop.
 * @throws UserError with the commands that resume what could not be resumed.
 */
async function whilePaused(
    api: PatientApi,
    unstopped: PatientApi,
    say: GrowOptions["say"],
    act: () => Promise<void>,
): Promise<void> {
    const paused: Installer[] = [];
    let failure: unknown;
    try {
        for (const installer of await installers(api)) {
            if (installer.isPaused) {
                say(`${installer.name} was paused already, and stays so`);
            } else {
                // Whether a request that fails was carried out, nobody knows, unless the API server says that it was not.
                paused.push(installer);
                await api.merge(installer.path, installer.pause).catch((error: unknown) => {
                    if (error instanceof Refused) {
                        paused.pop();
                    }
                    throw error;
                });
                say(`paused ${installer.name}`);
            }
        }
        await act();
    } catch (error) {
        failure = error;
    }
    const stuck: string[] = [];
    for (const { path, name, resume } of paused) {
        try {
            await unstopped.merge(path, resume);
            say(`resumed ${name}`);
        } catch (error) {
            stuck.push(
                `${(error as Error).message}\n  kubectl patch ${name} --type merge -p '${JSON.stringify(resume)}'`,
            );
        }
    }
    if (stuck.length > 0) {
        const before = failure instanceof Error ? [failure.message] : [];
        throw new UserError([...before, "Still paused. Let it go on by hand:", ...stuck].join("\n"));
    }
    if (failure !== undefined) {
        throw failure as Error;
    }
}

/** Waits for the driver, and for the file systems within. */
async function untilLarge(
    api: PatientApi,
    names: readonly string[],
    size: string,
    patience: number,
    signal: AbortSignal,
): Promise<void> {
    const end = Date.now() + patience;
    for (;;) {
        const found = await Promise.all(names.map((name) => api.get<PersistentVolumeClaim>(`${claimsPath}/${name}`)));
        // What is no size that is known is not large either.
        const isLarge = names.map((_, i) => sizeInGiB(found[i]?.status?.capacity?.storage ?? "") >= sizeInGiB(size));
        const small = names.filter((_, i) => isLarge[i] !== true);
        if (small.length === 0) {
            return;
        }
        const isGivenUp = found.some((claim) =>
            claim?.status?.allocatedResourceStatuses?.storage?.endsWith("Infeasible"),
        );
        if (isGivenUp || Date.now() > end) {
            const waiting = small.join(" ");
            throw new UserError(
                `${isGivenUp ? "The driver cannot make them that large" : "Not large yet"}: ${waiting}. The StatefulSet was not touched. Why they wait:\n` +
                    `  kubectl describe pvc -n ${kofNamespace} ${waiting}\n` +
                    "FileSystemResizePending means that the driver wants the pod restarted. Then run this again.",
            );
        }
        await sleep(1000, undefined, { signal });
    }
}

/** Deletes the StatefulSet of a claim, and nothing with it: its pods run on, and the next one takes them over. */
async function orphan(api: PatientApi, claim: string, say: GrowOptions["say"], signal: AbortSignal): Promise<void> {
    const all = await api.list<StatefulSet>(statefulSetsPath);
    const owner = all.find((each) => firstClaims(each).some(({ metadata }) => metadata.name === claim));
    if (!owner) {
        return;
    }
    const { name, uid } = owner.metadata;
    const path = `${statefulSetsPath}/${name}`;
    // In the address, where it cannot get lost: without it the pods would be deleted, too.
    const inAddress = `${path}?propagationPolicy=Orphan`;
    // Never the next one, which its controller may have made by then: asked again, that would go too.
    const content = { propagationPolicy: "Orphan", preconditions: { uid } };
    const answer = await api.send("DELETE", inAddress, "application/json", content);
    // Gone, or another: the request before did it.
    if (answer.status >= 300 && answer.status !== 404 && answer.status !== 409) {
        throw new UserError(`The API server does not delete StatefulSet ${name}: ${statusText(answer)}`);
    }
    // Its controller may have made the next one by then, which has another identity.
    const remaining = async () => (await api.get<StatefulSet>(path))?.metadata;
    const end = Date.now() + 60_000;
    for (let now = await remaining(); now?.uid === uid; now = await remaining()) {
        if (Date.now() > end) {
            throw new UserError(
                `StatefulSet ${name} is not gone after a minute. What holds it:\n` +
                    `  kubectl get statefulset -n ${kofNamespace} ${name} -o jsonpath='{.metadata.finalizers}'`,
            );
        }
        await sleep(200, undefined, { signal });
    }
    say(`StatefulSet ${name} deleted, its pods and claims left alone`);
}
