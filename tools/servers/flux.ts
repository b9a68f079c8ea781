import { setTimeout as sleep } from "node:timers/promises";

import { broughtBy, type AnyObject } from "./crds";
import type { TestCluster } from "./cluster";
import { watch } from "./watch";

const finalizer = "finalizers.fluxcd.io";
const releasesPath = "/apis/helm.toolkit.fluxcd.io/v2/helmreleases";
const chartsPath = "/apis/source.toolkit.fluxcd.io/v1/helmcharts";

/**
 * Stands in for Flux where it does not run. A HelmRelease becomes Ready when those in its `dependsOn` are. It is uninstalled before it is
 * deleted, unless it is suspended. On request, it takes long or fails. As helm-controller, it gives up after
 * `spec.install.remediation.retries`, and starts again for a new generation, or when `reconcile.fluxcd.io/requestedAt` and `resetAt` have
 * the same new value (helm-controller 1.6, `internal/action/reset.go`). Nothing is installed but the definitions of {@link broughtBy}.
 */
export class FluxStandIn {
    /**
     * What happened, in order: `install kof-operators`, `begin …` (one that is held), `fail …`, `give up …`, `uninstall …`,
     * `leave …` (suspended).
     */
    readonly events: string[] = [];
    private readonly failures = new Map<string, string>();
    private readonly held = new Set<string>();
    private stopped = false;
    /** Whether there may be something to do. */
    private due = false;
    private wake: () => void = () => undefined;
    private running: Promise<void> | undefined;

    /** @param say receives every event as it happens. */
    constructor(
        private readonly cluster: TestCluster,
        private readonly say: (event: string) => void = () => undefined,
    ) {}

    start(): this {
        this.running = this.run();
        return this;
    }

    /** Ends it. What waits for a finalizer then waits for ever. */
    async stop(): Promise<void> {
        this.stopped = true;
        this.wake();
        await this.running;
    }

    /** Makes a release fail from now on, with Flux's message. Without a message, the release works again. */
    fail(name: string, message?: string): void {
        if (message === undefined) {
            this.failures.delete(name);
        } else {
            this.failures.set(name, message);
        }
        this.look();
    }

    /** Has a release take as long as it is held. */
    hold(name: string): void {
        this.held.add(name);
        this.look();
    }

    /** Lets a release that is held become what it becomes. */
    letGo(name: string): void {
        this.held.delete(name);
        this.look();
    }

    private async run(): Promise<void> {
        // A look at intervals takes as much of the API server's time as all that the API server does by itself.
        const end = watch(this.cluster.kubeconfig, [chartsPath, releasesPath], () => {
            this.look();
        });
        while (await this.next()) {
            this.due = false;
            try {
                await this.round();
            } catch {
                // The API server may be away for a while: Flux tries again as well.
                await sleep(200);
                this.due = true;
            }
        }
        end();
    }

    /** Waits until there may be something to do. @returns `false` when it has been stopped. */
    private async next(): Promise<boolean> {
        if (!this.due && !this.stopped) {
            await new Promise<void>((resolve) => (this.wake = resolve));
        }
        // What happens together is looked at once.
        await sleep(20);
        return !this.stopped;
    }

    private look(): void {
        this.due = true;
        this.wake();
    }

    private async round(): Promise<void> {
        for (const chart of await this.cluster.api.list<AnyObject>(chartsPath)) {
            if (!isReady(chart) && chart.metadata.deletionTimestamp === undefined) {
                await this.report(
                    withKind(chart, "source.toolkit.fluxcd.io/v1", "HelmChart"),
                    "True",
                    "ChartPullSucceeded",
                    "pulled",
                );
            }
        }
        const all = await this.cluster.api.list<AnyObject>(releasesPath);
        for (const release of all) {
            await this.reconcile(withKind(release, "helm.toolkit.fluxcd.io/v2", "HelmRelease"), all);
        }
    }

    private async reconcile(release: AnyObject, all: readonly AnyObject[]): Promise<void> {
        const name = release.metadata.name;
        if (release.metadata.deletionTimestamp !== undefined) {
            if (release.metadata.finalizers?.includes(finalizer)) {
                const finalizers = release.metadata.finalizers.filter((each) => each !== finalizer);
                // It is tried again where another controller has changed the object in the same moment.
                await this.cluster.merge(release, { metadata: { finalizers } });
                this.happened(`${release.spec?.suspend === true ? "leave" : "uninstall"} ${name}`);
            }
            return;
        }
        if (release.spec?.suspend === true) {
            return;
        }
        const failure = this.failures.get(name);
        const current = condition(release);
        const upToDate = release.status?.observedGeneration === release.metadata.generation;
        const reset = resetRequest(release);
        if (upToDate && (current?.status === "True" || (condition(release, "Stalled") && reset === undefined))) {
            return;
        }
        if (!release.metadata.finalizers?.includes(finalizer)) {
            const finalizers = [...(release.metadata.finalizers ?? []), finalizer];
            await this.cluster.merge(release, { metadata: { finalizers } });
        }
        const waitsFor = ((release.spec?.dependsOn ?? []) as { name: string; namespace?: string }[]).find(
            (other) =>
                !all.some(
                    (each) =>
                        each.metadata.name === other.name &&
                        each.metadata.namespace === (other.namespace ?? release.metadata.namespace) &&
                        isReady(each),
                ),
        );
        if (waitsFor) {
            if (current?.reason !== "DependencyNotReady") {
                const message = `dependency '${waitsFor.namespace ?? ""}/${waitsFor.name}' is not ready`;
                await this.report(release, "False", "DependencyNotReady", message);
            }
        } else if (this.held.has(name)) {
            if (current?.reason !== "Progressing") {
                this.happened(`begin ${name}`);
                await this.report(release, "Unknown", "Progressing", "Running 'install' action with timeout of 20m0s");
            }
        } else if (failure !== undefined) {
            this.happened(`fail ${name}`);
            const before = upToDate && reset === undefined ? Number(release.status?.installFailures ?? 0) : 0;
            const installFailures = before + 1;
            const exceeded = installFailures > (release.spec?.install?.remediation?.retries ?? 0);
            const stalled = `Failed to install after ${installFailures} attempt(s)`;
            await this.report(release, "False", "InstallFailed", failure, {
                status: { installFailures, lastHandledResetAt: reset },
                ...(exceeded ? { conditions: [{ type: "Stalled", reason: "RetriesExceeded", message: stalled }] } : {}),
            });
            if (exceeded) {
                this.happened(`give up ${name}`);
            }
        } else {
            await this.cluster.define(...(broughtBy[name] ?? []));
            this.happened(`${current?.status === "True" ? "upgrade" : "install"} ${name}`);
            const message = `Helm install succeeded for release kof/${name}.v1`;
            await this.report(release, "True", "InstallSucceeded", message, {
                status: { installFailures: 0, lastHandledResetAt: reset },
            });
        }
    }

    private happened(event: string): void {
        this.events.push(event);
        this.say(event);
    }

    private async report(
        object: AnyObject,
        status: "True" | "False" | "Unknown",
        reason: string,
        message: string,
        more: { status?: object; conditions?: readonly { type: string; reason: string; message: string }[] } = {},
    ): Promise<void> {
        const observedGeneration = object.metadata.generation;
        const lastTransitionTime = new Date().toISOString();
        const conditions = [
            { type: "Ready", status, reason, message },
            ...(more.conditions ?? []).map((each) => ({ ...each, status: "True" })),
        ].map((each) => ({ ...each, observedGeneration, lastTransitionTime }));
        await this.cluster.merge(object, { status: { observedGeneration, conditions, ...more.status } }, "/status");
    }
}

/** Items of a list come without their kind. */
function withKind(object: AnyObject, apiVersion: string, kind: string): AnyObject {
    return { ...object, apiVersion, kind };
}

function condition(object: AnyObject, type = "Ready"): any {
    return object.status?.conditions?.find((each: any) => each.type === type);
}

/** The value with which a release asks again for its failures to be forgotten; `undefined` where it does not. */
function resetRequest({ metadata, status }: AnyObject): string | undefined {
    const { "reconcile.fluxcd.io/requestedAt": requested, "reconcile.fluxcd.io/resetAt": reset } =
        metadata.annotations ?? {};
    return reset === requested && reset !== status?.lastHandledResetAt ? reset : undefined;
}

function isReady(object: AnyObject): boolean {
    const ready = condition(object);
    return ready?.status === "True" && ready.observedGeneration === object.metadata.generation;
}
