import * as s3 from "@aws-sdk/client-s3";

import type { StackFile } from "../../cli/stackFile";
import { kofNamespace } from "../../core/charts/namespace";
import { UserError } from "../../core/lib/errors";
import { acknowledgement, type Plan } from "../../core/review/plan";
import { installerOf } from "../../core/review/plan/routes";
import { claimNames, claimTemplateOf, spaceOf, type Volume } from "../../core/routes/volumes";
import { startCluster, type TestCluster } from "../servers/cluster";
import { eventually } from "../servers/program";
import type { AnyObject } from "../servers/crds";
import { FluxStandIn } from "../servers/flux";
import { startMoto } from "../servers/moto";
import { prepareEngine } from "./engine";
import { TestStack } from "./stack";
import { prepareUmbrella } from "./umbrella";

/** An object of the rehearsal, and what matters of it. */
export interface Found {
    readonly name: string;
    /** `2 x 50Gi of class kof`. */
    readonly what: string;
}

/** What exists at one point in time. */
interface State {
    readonly releases: readonly Found[];
    readonly sets: readonly Found[];
    readonly claims: readonly Found[];
}

/** The result of a rehearsal. */
export interface Rehearsed {
    readonly before: State;
    readonly after: State;
    readonly refusals: readonly {
        readonly by: "Kubernetes" | "the program";
        /** The object that was to be changed. */
        readonly what: string;
        readonly message: string;
    }[];
    /** What has to be done by hand, in order. */
    readonly byHand: readonly string[];
    /** What of that was done here, and what was permitted. */
    readonly done: readonly string[];
    /** What happened to releases while the stack was upgraded. */
    readonly events: readonly string[];
}

/** The settings that no route does without, and those that cannot be changed later. */
const kept = ["storageClass", "clusterName", "clusterNamespace", "distribution", "istio", "regions", "values"];

const vmuser = { username: "rehearsal", password: "rehearsal" };

/** An upgrade of a stack by Pulumi's engine, on an API server of its own. */
export class Rehearsal {
    private readonly refusals: Rehearsed["refusals"][number][] = [];

    private constructor(
        private readonly stackFile: StackFile,
        private readonly plan: Plan,
        private readonly say: (event: string) => void,
        private readonly cluster: TestCluster,
        private readonly flux: FluxStandIn,
        private readonly stack: TestStack,
    ) {}

    /**
     * Starts all that it needs, whatever this process's environment names.
     *
     * @param stackFile at the present version.
     * @param plan of the upgrade.
     * @param say receives what happens.
     * @throws MissingTool when an API server or the engine cannot be built here.
     */
    static async start(stackFile: StackFile, plan: Plan, say: (event: string) => void): Promise<Rehearsal> {
        for (const name of ["KUBECONFIG", "AWS_PROFILE", "AWS_ENDPOINT_URL"]) {
            Reflect.deleteProperty(process.env, name);
        }
        const keys = { AWS_ACCESS_KEY_ID: "rehearsal", AWS_SECRET_ACCESS_KEY: "rehearsal", AWS_SESSION_TOKEN: "" };
        Object.assign(process.env, keys);
        const cluster = await startCluster();
        try {
            process.env.KUBECONFIG = cluster.kubeconfig;
            if ([plan.from, plan.to].some(({ cloudwatch, archives }) => cloudwatch ?? archives.length > 0)) {
                process.env.AWS_ENDPOINT_URL = (await startMoto()).endpoint;
                await makeBuckets(plan.from);
            }
            const engine = await prepareEngine();
            const stack = await TestStack.create(engine, { name: stackFile.stack });
            return new Rehearsal(stackFile, plan, say, cluster, new FluxStandIn(cluster, say).start(), stack);
        } catch (error) {
            await cluster.stop();
            throw error;
        }
    }

    async stop(): Promise<void> {
        await this.flux.stop();
        await this.cluster.stop();
        this.stack.remove();
    }

    /** @throws UserError when the stack does not deploy as it is. */
    async run(): Promise<Rehearsed> {
        const { from, to, steps } = this.plan;
        await this.prepare();
        await this.deploy(from.settings.version);
        for (const volume of from.volumes) {
            await this.makeStore(volume);
        }
        const before = await this.state();

        const done = await this.byHand();
        this.flux.events.length = 0;
        this.say(`Upgrading to ${to.settings.version} ...`);
        const upgraded = await this.upgrade(done);
        const events = [...this.flux.events];
        await this.upgradeStores(upgraded, events);
        return { before, after: await this.state(), refusals: this.refusals, byHand: steps, done, events };
    }

    /** Deploys the other version: as the stack file has it, and where that is refused, with what permits it. Gives whether it was deployed. */
    private async upgrade(done: string[]): Promise<boolean> {
        const { version } = this.plan.to.settings;
        const { ok, output } = await this.up(version);
        if (ok) {
            return true;
        }
        this.refusals.push({ by: "the program", what: "pulumi up", message: refusalIn(output) });
        const acknowledge = acknowledgement(this.plan);
        if (acknowledge === "") {
            return false;
        }
        done.push(`permitted, to see what comes of it: kof:acknowledge: ${acknowledge}`);
        const permitted = await this.up(version, { acknowledge });
        if (!permitted.ok) {
            this.refusals.push({ by: "the program", what: "pulumi up", message: refusalIn(permitted.output) });
        }
        return permitted.ok;
    }

    /** Makes what KOF finds on a cluster. */
    private async prepare(): Promise<void> {
        const { storageClass } = this.plan.from.settings;
        const isOwn = storageClass?.create === true;
        await this.cluster.apply(
            { apiVersion: "v1", kind: "Namespace", metadata: { name: "kcm-system" } },
            ...(isOwn
                ? []
                : [
                      {
                          apiVersion: "storage.k8s.io/v1",
                          kind: "StorageClass",
                          metadata: {
                              name: storageClass?.name ?? "rehearsal-default",
                              annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
                          },
                          provisioner: "rehearsal.example.net",
                          volumeBindingMode: "WaitForFirstConsumer",
                          allowVolumeExpansion: true,
                      },
                  ]),
        );
    }

    /** Deploys the stack as it is, with what KOF would have made for it. */
    private async deploy(version: string): Promise<void> {
        this.say(`Deploying KOF ${version} ...`);
        const { from, to } = this.plan;
        const found = [...from.secrets, ...to.secrets].find(
            ({ reader, maker }) => reader === "collectors" && maker === "kof",
        );
        if (found) {
            // A region is set up by a KOF that is there.
            await this.succeed(this.up(version, { route: "none" }, kept));
            await this.cluster.apply({
                apiVersion: "v1",
                kind: "Secret",
                metadata: { name: found.name, namespace: kofNamespace },
                stringData: vmuser,
            });
        }
        await this.succeed(this.up(version, { acknowledge: "" }));
    }

    /** @param only the settings that are kept of those of the stack. Default: all of them. */
    private async up(version: string, more: Readonly<Record<string, unknown>> = {}, only?: readonly string[]) {
        const own = Object.entries(this.stackFile.config).flatMap(([key, value]) => {
            const name = key.replace(/^kof:/, "");
            return name !== key && (only?.includes(name) ?? true) ? [[name, valueOf(value)] as const] : [];
        });
        const { chart, remove } = prepareUmbrella(version);
        try {
            // Nothing is there that could be taken over.
            this.stack.configure({ ...Object.fromEntries(own), adopt: false, version, ...more, chart });
            return await this.stack.up();
        } finally {
            remove();
        }
    }

    private async succeed(outcome: ReturnType<Rehearsal["up"]>): Promise<void> {
        const { ok, output } = await outcome;
        if (!ok) {
            throw new UserError(`The stack does not deploy at its present version:\n\n${refusalIn(output)}`);
        }
    }

    /** What the notes of KOF have done by hand, as far as an API server can do it. */
    private async byHand(): Promise<string[]> {
        const { from, to } = this.plan;
        const releases = ["kof-storage", "kof-collectors"].filter(
            (chart) => installerOf(from, chart) === "flux" && installerOf(to, chart) === "sveltos",
        );
        for (const name of releases) {
            await this.cluster.merge(named("helm.toolkit.fluxcd.io/v2", "HelmRelease", name), {
                spec: { suspend: true },
            });
        }
        return releases.map((name) => `HelmRelease ${name} suspended`);
    }

    /** Makes the StatefulSet of a store with its volumes, as charts and operator make it. */
    private async makeStore(volume: Volume): Promise<void> {
        await this.cluster.apply(this.setOf(volume));
        for (const name of claimNames(volume.workload, 0, volume.count)) {
            const claim = named("v1", "PersistentVolumeClaim", name);
            await eventually(async () => (await this.cluster.read(claim)) !== undefined, `claim ${name} is there`);
            const { spec } = await this.cluster.read(claim);
            await this.cluster.apply({
                apiVersion: "v1",
                kind: "PersistentVolume",
                metadata: { name },
                spec: {
                    capacity: { storage: volume.size },
                    accessModes: ["ReadWriteOnce"],
                    storageClassName: spec.storageClassName,
                    persistentVolumeReclaimPolicy: "Retain",
                    claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", ...claim.metadata },
                    csi: { driver: "rehearsal.example.net", volumeHandle: name },
                },
            });
            const isBound = async () => (await this.cluster.read(claim))?.status?.phase === "Bound";
            await eventually(isBound, `claim ${name} is bound`);
        }
    }

    private setOf({ workload, count, size, storageClass }: Volume): AnyObject {
        const { template, set } = claimTemplateOf(workload);
        const labels = { "app.kubernetes.io/name": workload };
        return {
            ...named("apps/v1", "StatefulSet", set),
            spec: {
                replicas: count,
                serviceName: set,
                podManagementPolicy: "Parallel",
                selector: { matchLabels: labels },
                template: {
                    metadata: { labels },
                    spec: { containers: [{ name: workload, image: `rehearsal.example.net/${workload}` }] },
                },
                volumeClaimTemplates: [
                    {
                        metadata: { name: template },
                        spec: {
                            accessModes: ["ReadWriteOnce"],
                            ...(storageClass === "" ? {} : { storageClassName: storageClass }),
                            resources: { requests: { storage: size } },
                        },
                    },
                ],
            },
        };
    }

    /**
     * Has the API server take what the charts of the other version make of the stores.
     *
     * @param isReal whether the upgrade got that far. Otherwise it is asked what it would say, and nothing changes.
     */
    private async upgradeStores(isReal: boolean, events: readonly string[]): Promise<void> {
        const { from, to } = this.plan;
        const gone = from.volumes.filter(
            ({ source, workload }) =>
                events.includes(`uninstall ${source.chart.component}`) ||
                !to.volumes.some((each) => each.workload === workload),
        );
        for (const { workload } of isReal ? gone : []) {
            await this.cluster.remove(this.reference(workload));
        }
        for (const volume of to.volumes) {
            const before = from.volumes.find(({ workload }) => workload === volume.workload);
            const isThere = before !== undefined && !(isReal && gone.includes(before));
            if (!isThere) {
                if (isReal) {
                    await this.makeStore(volume);
                }
            } else if (volume.expands) {
                await this.byOperator(volume, Math.min(before.count, volume.count), isReal);
            } else {
                await this.ask(this.setOf(volume), isReal, ` (${spaceOf(before)} -> ${spaceOf(volume)})`);
            }
        }
    }

    /** What the operator does, where a field of the StatefulSet cannot be changed. */
    private async byOperator(volume: Volume, claims: number, isReal: boolean): Promise<void> {
        const storage = volume.size;
        let taken = true;
        for (const name of claimNames(volume.workload, 0, claims)) {
            const claim = named("v1", "PersistentVolumeClaim", name);
            const wanted = { ...claim, spec: { resources: { requests: { storage } } } };
            taken = (await this.ask(wanted, isReal, ` (-> ${storage})`)) && taken;
        }
        if (isReal && taken) {
            const set = this.reference(volume.workload);
            await this.cluster.api.request(
                "DELETE",
                `/apis/apps/v1/namespaces/${kofNamespace}/statefulsets/${set.metadata.name}?propagationPolicy=Orphan`,
            );
            await eventually(
                async () => (await this.cluster.read(set)) === undefined,
                `${set.metadata.name} goes away`,
            );
            await this.cluster.apply(this.setOf(volume));
        }
    }

    private reference(workload: string): AnyObject {
        return named("apps/v1", "StatefulSet", claimTemplateOf(workload).set);
    }

    /** Changes an object, or has the API server say whether it would, and keeps what it says against that. */
    private async ask(object: AnyObject, isReal: boolean, change: string): Promise<boolean> {
        try {
            await (isReal ? this.cluster.apply(object) : this.cluster.check(object));
            return true;
        } catch (error) {
            const [, answer = ""] = /^PATCH \S+: (.*)$/s.exec((error as Error).message) ?? [];
            const message = answer === "" ? (error as Error).message : reasonIn(answer);
            this.refusals.push({ by: "Kubernetes", what: `${object.kind} ${object.metadata.name}${change}`, message });
            return false;
        }
    }

    private async state(): Promise<State> {
        const list = (path: string) => this.cluster.api.list<AnyObject>(path);
        const charts = await list("/apis/source.toolkit.fluxcd.io/v1/helmcharts");
        const chartOf = (name: string) =>
            charts.find(({ metadata }) => metadata.name === name)?.spec as Chart | undefined;
        const releases = await list("/apis/helm.toolkit.fluxcd.io/v2/helmreleases");
        const sets = await list(`/apis/apps/v1/namespaces/${kofNamespace}/statefulsets`);
        const claims = await list(`/api/v1/namespaces/${kofNamespace}/persistentvolumeclaims`);
        return {
            releases: releases.map(({ metadata: { name } }) => ({ name, what: chartOf(name)?.version ?? "no chart" })),
            sets: sets.map(({ metadata: { name }, spec }) => ({
                name,
                what: `${String(spec.replicas)} x ${claimText(spec.volumeClaimTemplates[0]?.spec)}`,
            })),
            claims: claims.map(({ metadata: { name }, spec, status }) => ({
                name,
                what: `${claimText(spec)}, ${String(status?.phase)}`,
            })),
        };
    }
}

interface Chart {
    readonly version?: string;
}

/** Makes the buckets that a stack finds there, as it wants them. */
async function makeBuckets({ archives }: Plan["from"]): Promise<void> {
    const found = archives.map(({ bucket }) => bucket).filter((each) => !each.create && each.endpoint === undefined);
    for (const { name: Bucket, region, objectLock } of new Map(found.map((each) => [each.name, each])).values()) {
        const client = new s3.S3Client({ region, forcePathStyle: true });
        const LocationConstraint = region as s3.BucketLocationConstraint;
        await client.send(
            new s3.CreateBucketCommand({
                Bucket,
                ObjectLockEnabledForBucket: objectLock !== undefined,
                // S3 takes every region but this one, where a bucket is when none is named.
                ...(region === "us-east-1" ? {} : { CreateBucketConfiguration: { LocationConstraint } }),
            }),
        );
        if (objectLock) {
            const DefaultRetention = { Mode: objectLock.mode, Days: objectLock.days };
            await client.send(
                new s3.PutObjectLockConfigurationCommand({
                    Bucket,
                    ObjectLockConfiguration: { ObjectLockEnabled: "Enabled", Rule: { DefaultRetention } },
                }),
            );
        }
    }
}

function named(apiVersion: string, kind: string, name: string): AnyObject {
    return { apiVersion, kind, metadata: { name, namespace: kofNamespace } };
}

function claimText(spec: any): string {
    const { storageClassName, resources } = spec ?? {};
    const className = storageClassName === undefined ? "the default class" : `class ${String(storageClassName)}`;
    return `${String(resources?.requests?.storage)} of ${className}`;
}

/** A value of a stack file: Pulumi hands on maps and lists as JSON. */
function valueOf(text: string): unknown {
    return /^[[{]/.test(text) ? (JSON.parse(text) as unknown) : text;
}

/** The words of an API server that refuses. */
function reasonIn(answer: string): string {
    try {
        return String((JSON.parse(answer) as { message?: unknown }).message ?? answer);
    } catch {
        return answer;
    }
}

/** What the program says against a deployment, without what the engine prints around it. */
function refusalIn(output: string): string {
    const [, diagnostics = output] = output.split(/^Diagnostics:$/m);
    const lines = diagnostics.split(/^Outputs:$|^Resources:$/m)[0]?.split("\n") ?? [];
    const start = lines.findIndex((line) => /^\s*error: /.test(line));
    const length = lines.slice(start + 1).findIndex((line) => /^\s*(error|warning|info): |^ {0,2}\S/.test(line));
    const found = start === -1 ? lines : lines.slice(start, length === -1 ? undefined : start + 1 + length);
    return found
        .join("\n")
        .replace(/^\s*error: /, "")
        .replaceAll(/^ {4}/gm, "")
        .trim();
}
