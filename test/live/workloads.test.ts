import assert from "node:assert/strict";

import type { Deployment } from "../../core/routes/deployment";
import { claimNames } from "../../core/routes/volumes";
import { alerts } from "../../live/alerts";
import { runCheck, type Finding, type Live } from "../../live/findings";
import { Kubernetes } from "../../live/kubernetes";
import { releases } from "../../live/releases";
import { workloads } from "../../live/workloads";
import { HttpStandIn, type Reply } from "../../tools/servers/standins";
import { deploymentFor, routes } from "../support";

/** What an API server holds, by path without its query. */
type Objects = Record<string, object | readonly object[] | undefined>;

const namespace = "/api/v1/namespaces/kof";
const apps = "/apis/apps/v1/namespaces/kof";
const fluxReleases = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/kof/helmreleases";
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

describe("what doctor finds that should run", () => {
    let server: HttpStandIn | undefined;
    afterEach(() => server?.stop());

    const deployment = deploymentFor({ ...routes.management, version: "1.10.0" });

    /** Everything as it should be. */
    const healthy = (of: Deployment = deployment): Objects => {
        const ready = { readyReplicas: 1, desiredNumberScheduled: 1, numberReady: 1 };
        const collector = (wanted: string) =>
            of.collectors
                .filter(({ mode }) => mode === wanted)
                .map(({ name }) => ({ metadata: { name: `${name}-collector` }, spec: { replicas: 1 }, status: ready }));
        return {
            [namespace]: { status: { phase: "Active" } },
            ...Object.fromEntries(
                ["kof-operators", "kof-mothership", "kof-storage", "kof-collectors", "kof-child", "kof-regional"].map(
                    (name) => [`${fluxReleases}/${name}`, {}],
                ),
            ),
            [`${fluxReleases}/victoria-metrics-operator`]: {},
            [`${apps}/daemonsets`]: collector("daemonset"),
            [`${apps}/deployments`]: collector("deployment"),
            [`${apps}/statefulsets`]: [
                ...collector("statefulset"),
                ...of.volumes.map(({ workload, count }) => {
                    const [, template = "", name = ""] =
                        /^(\w+-(?:cachedir|db|volume))-(.*)-0$/.exec(claimNames(workload, 0, 1)[0] ?? "") ?? [];
                    return {
                        metadata: { name },
                        spec: { replicas: count, volumeClaimTemplates: [{ metadata: { name: template } }] },
                        status: { readyReplicas: count },
                    };
                }),
            ],
            [`${namespace}/events`]: [],
            [`${namespace}/pods`]: [],
        };
    };

    async function findings(title: string, objects: Objects, answer?: (path: string) => Reply | undefined) {
        server = await HttpStandIn.start(({ url }) => {
            const object = objects[url.pathname];
            return (
                answer?.(url.pathname) ??
                (object === undefined
                    ? [404]
                    : [200, JSON.stringify(Array.isArray(object) ? { items: object } : object)])
            );
        });
        const endpoint = `http://127.0.0.1:${String(server.port)}`;
        const check = [...workloads, ...releases, ...alerts].find((each) => each.title === title);
        assert.ok(check);
        const live: Live = {
            deployment,
            kubernetes: new Kubernetes({ cluster: { name: "test", server: endpoint, skipTLSVerify: false } }),
            aws: {},
        };
        const result = await runCheck(check, live);
        await server.stop();
        server = undefined;
        return result.findings;
    }
    const said = (found: readonly Finding[]) => found.map(({ severity, what }) => `${severity}: ${what}`);
    const doctor = async (...of: Parameters<typeof findings>) => said(await findings(...of));

    it("is nothing where all of it runs, and where KOF is not installed yet", async () => {
        assert.ok(deployment.collectors.length >= 4 && deployment.volumes.length >= 3);
        assert.deepEqual(await doctor("Workloads", healthy()), []);
        assert.deepEqual(await doctor("Workloads", {}), []);
        assert.deepEqual(await doctor("Workloads", { [namespace]: { status: { phase: "Active" } } }), []);
    });

    it("is a namespace that is going away", async () => {
        const found = await doctor("Workloads", { ...healthy(), [namespace]: { status: { phase: "Terminating" } } });
        assert.deepEqual(found, ["problem: namespace kof is being deleted"]);
    });

    it("is a release, a collector or a store that was not made, with the API server's refusal", async () => {
        const objects = healthy();
        objects[`${fluxReleases}/kof-child`] = undefined;
        objects[`${apps}/daemonsets`] = [];
        objects[`${apps}/statefulsets`] = [];
        objects[`${namespace}/events`] = [
            {
                involvedObject: { name: "kof-collectors-daemon-collector" },
                message: "old",
                lastTimestamp: minutesAgo(9),
            },
            {
                involvedObject: { name: "kof-collectors-daemon-collector" },
                message: 'violates PodSecurity "baseline:latest": hostPath',
                lastTimestamp: minutesAgo(1),
            },
        ];
        const found = await doctor("Workloads", objects);
        assert.ok(found.includes("problem: HelmRelease kof-child is not there"));
        assert.ok(
            found.includes(
                'problem: DaemonSet kof-collectors-daemon-collector is not there: violates PodSecurity "baseline:latest": hostPath',
            ),
        );
        for (const { workload } of deployment.volumes) {
            assert.ok(found.includes(`problem: the StatefulSet of ${workload} is not there`), workload);
        }
    });

    it("is a workload that has no pods, or too few, with what the API server refused", async () => {
        const objects = healthy();
        const daemon = { metadata: { name: "node-exporter" }, spec: {} };
        objects[`${apps}/daemonsets`] = [
            ...(objects[`${apps}/daemonsets`] as object[]),
            { ...daemon, status: { desiredNumberScheduled: 5, numberReady: 0 } },
            { ...daemon, metadata: { name: "other" }, status: { desiredNumberScheduled: 5, numberReady: 3 } },
        ];
        objects[`${apps}/deployments`] = [
            ...(objects[`${apps}/deployments`] as object[]),
            { metadata: { name: "webhook" }, spec: { replicas: 2 }, status: { readyReplicas: 1 } },
        ];
        objects[`${namespace}/events`] = [
            { involvedObject: { name: "webhook-5d4f" }, message: "exceeded quota", eventTime: minutesAgo(1) },
        ];
        assert.deepEqual(await doctor("Workloads", objects), [
            "problem: DaemonSet node-exporter: 0 of 5 pods are ready",
            "warning: DaemonSet other: 3 of 5 pods are ready",
            "problem: Deployment webhook: 1 of 2 pods are ready: exceeded quota",
        ]);
    });

    it("is a workload that somebody has scaled down, that no node takes, or that is stuck in its last change", async () => {
        const objects = healthy();
        const of = (name: string, spec: object, status: object, more: object = {}) => ({
            metadata: { name, ...more },
            spec,
            status,
        });
        objects[`${apps}/daemonsets`] = [
            of("kof-collectors-daemon-collector", {}, { desiredNumberScheduled: 0, numberReady: 0 }),
            of(
                "control-plane",
                { template: { spec: { nodeSelector: { a: "b" } } } },
                { desiredNumberScheduled: 0, numberReady: 0 },
            ),
            of("fresh", {}, { desiredNumberScheduled: 0 }, { creationTimestamp: minutesAgo(1) }),
            of("tainted", {}, { desiredNumberScheduled: 2, numberReady: 2, numberMisscheduled: 1 }),
            ...(objects[`${apps}/daemonsets`] as { metadata: { name: string } }[]).filter(
                ({ metadata }) => metadata.name !== "kof-collectors-daemon-collector",
            ),
        ];
        objects[`${apps}/statefulsets`] = (objects[`${apps}/statefulsets`] as any[]).map((each) =>
            each.metadata.name === "vmstorage-cluster"
                ? { ...each, spec: { ...each.spec, replicas: 0 }, status: {} }
                : each,
        );
        objects[`${apps}/deployments`] = [
            ...(objects[`${apps}/deployments`] as object[]),
            of("operator", { replicas: 0 }, {}),
            of("rolling", { replicas: 2 }, { readyReplicas: 2, updatedReplicas: 0 }),
            of("rolling-other", { replicas: 1 }, { readyReplicas: 0 }),
            of("calm", { replicas: 2 }, { readyReplicas: 2, updatedReplicas: 1 }),
        ];
        objects[`${namespace}/events`] = [
            {
                involvedObject: { kind: "ReplicaSet", name: "rolling-5d4f" },
                message: "password=hunter2 exceeded quota",
            },
            { involvedObject: { kind: "Job", name: "migrate" }, message: 'admission webhook "x" denied the request' },
            // One that was let in later, and one that is gone.
            { involvedObject: { kind: "Job", name: "done" }, message: "exceeded quota" },
            { involvedObject: { kind: "Job", name: "gone" }, message: "exceeded quota" },
        ];
        objects["/apis/batch/v1/namespaces/kof/jobs"] = [
            { metadata: { name: "migrate" }, status: {} },
            { metadata: { name: "done" }, status: { succeeded: 1 } },
        ];
        assert.deepEqual((await doctor("Workloads", objects)).sort(), [
            "problem: DaemonSet kof-collectors-daemon-collector is wanted on no node",
            "problem: Deployment rolling-other: 0 of 1 pods are ready",
            "problem: Deployment rolling: 0 of 2 pods are of its newest version: password=… exceeded quota",
            'problem: Job migrate has no pod: admission webhook "x" denied the request',
            "problem: StatefulSet vmstorage-cluster: 0 of 3 pods are ready",
            "warning: DaemonSet control-plane is wanted on no node",
            "warning: DaemonSet tainted runs on 1 node where it is not wanted any more",
            "warning: Deployment operator is scaled to 0",
        ]);
    });

    it("is not hidden by kinds that nobody may list, of which none counts as absent", async () => {
        const forbidden: Reply = [403, JSON.stringify({ kind: "Status", message: "forbidden" })];
        const objects = healthy();
        objects[`${fluxReleases}/kof-child`] = undefined;
        objects[`${apps}/deployments`] = [
            ...(objects[`${apps}/deployments`] as object[]),
            { metadata: { name: "webhook" }, spec: { replicas: 2 }, status: {} },
        ];
        const found = await doctor("Workloads", objects, (path) =>
            /daemonsets|events|statefulsets|kof-regional|kof$/.test(path) ? forbidden : undefined,
        );
        assert.deepEqual(
            found.filter((each) => !each.startsWith("unknown")),
            ["problem: HelmRelease kof-child is not there", "problem: Deployment webhook: 0 of 2 pods are ready"],
        );
        assert.equal(found.filter((each) => /^unknown: could not check: GET .*: forbidden$/.test(each)).length, 5);
    });

    it("is a crash of which nobody may read the log", async () => {
        const crash = { waiting: { reason: "CrashLoopBackOff" } };
        const found = await doctor(
            "Pods",
            pod({ phase: "Running", containerStatuses: [container({ state: crash })] }),
            (path) => (path.endsWith("/log") ? [302, "<html>"] : undefined),
        );
        assert.deepEqual(found, ["problem: pod p: CrashLoopBackOff"]);
    });

    it("is only a warning where another pod does what one that was evicted did", async () => {
        const owned = { ownerReferences: [{ uid: "1" }] };
        const evicted = { metadata: { name: "p", ...owned }, status: { phase: "Failed", reason: "Evicted" } };
        const other = (conditions: object[]) => ({
            metadata: { name: "q", ...owned },
            status: { phase: "Running", conditions },
        });
        const found = (...all: object[]) => doctor("Pods", { [`${namespace}/pods`]: all });
        const wellNow = other([{ type: "Ready", status: "True" }]);
        assert.deepEqual(await found(evicted, wellNow), ["warning: pod p has failed: Evicted"]);
        assert.deepEqual(await found(evicted, other([])), ["problem: pod p has failed: Evicted"]);
    });

    it("is what Flux has not looked at, or does not let go of", async () => {
        const at = (more: object, status: object = {}) => ({ metadata: { name: "x", ...more }, status });
        const ready = { conditions: [{ type: "Ready", status: "True" }] };
        const found = await doctor("Flux releases", {
            [`${fluxReleases}/kof-child`]: at({ creationTimestamp: minutesAgo(60) }),
            [`${fluxReleases}/kof-storage`]: at({ creationTimestamp: minutesAgo(1) }),
            [`${fluxReleases}/kof-operators`]: at({ creationTimestamp: minutesAgo(60) }, ready),
            [`${fluxReleases}/kof-mothership`]: at({ deletionTimestamp: minutesAgo(60) }, ready),
        });
        assert.equal(found.length, 2, found.join("\n"));
        assert.match(
            found.join("\n"),
            /^problem: HelmRelease kof-child was made at \S+, and Flux has not looked at it$/m,
        );
        assert.match(
            found.join("\n"),
            /^problem: HelmRelease kof-mothership is being deleted since \S+, and is still there$/m,
        );
    });

    it("is what Flux has left in the middle, or what it has not looked at since a change", async () => {
        const at = (status: string, minutes: number, generation: number, spec: object = {}) => ({
            metadata: { name: "x", creationTimestamp: minutesAgo(999), generation },
            spec,
            status: {
                observedGeneration: 1,
                conditions: [
                    { type: "Ready", status, message: "Running 'upgrade'", lastTransitionTime: minutesAgo(minutes) },
                ],
            },
        });
        const repositories = "/apis/source.toolkit.fluxcd.io/v1/namespaces/kcm-system/helmrepositories";
        const old = { creationTimestamp: minutesAgo(999) };
        const found = await doctor("Flux releases", {
            [`${fluxReleases}/kof-child`]: at("Unknown", 70, 2),
            [`${fluxReleases}/kof-mothership`]: at("Unknown", 30, 2),
            [`${fluxReleases}/kof-operators`]: at("True", 70, 2),
            [`${fluxReleases}/kof-collectors`]: at("True", 70, 1),
            [`${fluxReleases}/kof-regional`]: at("True", 70, 2, { suspend: true }),
            // A registry's address, of which Flux never says anything; and one of files, of which it has to.
            [`${repositories}/kof-repo`]: { metadata: old, spec: { type: "oci" }, status: {} },
            [`${repositories}/victoria-metrics`]: { metadata: old, spec: {}, status: {} },
        });
        assert.deepEqual(found.map((each) => each.replace(/\d[^ ]+?Z/, "TIME")).sort(), [
            "problem: HelmRelease kof-child is in progress since TIME: Running 'upgrade'",
            "problem: HelmRepository victoria-metrics was made at TIME, and Flux has not looked at it",
            "warning: Flux has not looked at HelmRelease kof-operators since it was changed",
            "warning: HelmRelease kof-regional is suspended",
        ]);
    });

    it("is shown without a secret in it", async () => {
        const message = "failed: Authorization: Basic dXNlcjpwYXNz at https://u:hunter2@charts.example.net";
        const failed = { status: { conditions: [{ type: "Ready", status: "False", reason: "No", message }] } };
        assert.deepEqual(await doctor("Flux releases", { [`${fluxReleases}/kof-child`]: failed }), [
            "problem: HelmRelease kof-child: No: failed: Authorization: … at https://…@charts.example.net",
        ]);
        const evicted = pod({ phase: "Failed", message: "env DB_PASSWORD=hunter2 is wrong" });
        assert.deepEqual(await doctor("Pods", evicted), ["problem: pod p has failed: env DB_PASSWORD=… is wrong"]);
    });

    const pod = (status: object, metadata: object = {}) => ({
        [`${namespace}/pods`]: [{ metadata: { name: "p", ...metadata }, status }],
    });
    const container = (more: object) => ({ name: "c", ...more });
    const old = { startTime: minutesAgo(60) };
    const notReady = (minutes: number) => ({
        phase: "Running",
        ...old,
        conditions: [{ type: "Ready", status: "False", lastTransitionTime: minutesAgo(minutes), message: "no" }],
    });
    const noNodeFor = (minutes: number) => {
        const lastTransitionTime = minutesAgo(minutes);
        return pod({
            phase: "Pending",
            conditions: [{ type: "PodScheduled", status: "False", message: "0/3", lastTransitionTime }],
        });
    };
    const oomKilled = (restartCount: number, minutes: number) => ({
        phase: "Running",
        containerStatuses: [
            container({
                restartCount,
                lastState: { terminated: { reason: "OOMKilled", exitCode: 137, finishedAt: minutesAgo(minutes) } },
            }),
        ],
    });
    const states: readonly [string, object, RegExp | undefined][] = [
        ["that runs", pod({ phase: "Running", conditions: [{ type: "Ready", status: "True" }] }), undefined],
        ["that is done", pod({ ...notReady(60), phase: "Succeeded" }), undefined],
        ["that is not ready yet", pod(notReady(1)), undefined],
        ["that is not ready for long", pod(notReady(11)), /^problem: pod p is not ready since \S+: no$/],
        [
            "that waits for its volume for long",
            pod({
                ...notReady(11),
                phase: "Pending",
                containerStatuses: [container({ state: { waiting: { reason: "ContainerCreating" } } })],
            }),
            /^problem: pod p is not ready since \S+ \(ContainerCreating\): no$/,
        ],
        [
            "whose init container crashes",
            pod({
                phase: "Pending",
                initContainerStatuses: [container({ state: { waiting: { reason: "CrashLoopBackOff" } } })],
            }),
            /^problem: pod p: CrashLoopBackOff$/,
        ],
        [
            "that is killed for its memory again and again",
            pod(oomKilled(187, 5)),
            /^problem: pod p: container c restarted 187 times, the last time after OOMKilled \(exit code 137\)$/,
        ],
        ["that was killed once", pod(oomKilled(1, 5)), undefined],
        ["that was killed often, but not lately", pod(oomKilled(9, 90)), undefined],
        [
            "that was evicted",
            pod({ phase: "Failed", reason: "Evicted", message: "low on resource: memory" }),
            /^problem: pod p has failed: Evicted: low on resource: memory$/,
        ],
        ["that ends", pod({ phase: "Running" }, { deletionTimestamp: minutesAgo(1) }), undefined],
        [
            "that does not end",
            pod({ phase: "Running" }, { deletionTimestamp: minutesAgo(999) }),
            /^problem: pod p should have ended at \S+, and is still there$/,
        ],
        [
            "that nobody has looked at for long",
            pod({ phase: "Pending" }, { creationTimestamp: minutesAgo(60) }),
            /^problem: pod p is not ready since \S+: nobody says why$/,
        ],
        ["that was made a moment ago", pod({ phase: "Pending" }, { creationTimestamp: minutesAgo(1) }), undefined],
        [
            "without a node",
            pod({ phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", message: "0/3 nodes" }] }),
            /^problem: pod p has no node: 0\/3 nodes$/,
        ],
        ["without a node for a moment, which may be on its way", noNodeFor(1), /^warning: pod p has no node: 0\/3$/],
        ["without a node for long", noNodeFor(11), /^problem: pod p has no node: 0\/3$/],
    ];
    for (const [what, objects, expected] of states) {
        it(`${expected ? "is" : "is not"} a pod ${what}`, async () => {
            const found = await doctor("Pods", objects as Objects);
            assert.equal(found.length, expected ? 1 : 0, found.join("\n"));
            if (expected) {
                assert.match(found[0] ?? "", expected);
            }
        });
    }

    it("is not hidden by failed checks, whose reasons appear once each", async () => {
        const failed = { status: { conditions: [{ type: "Ready", status: "False", reason: "No", message: "chart" }] } };
        const found = await doctor("Flux releases", { [`${fluxReleases}/kof-child`]: failed }, (path) =>
            /helmcharts|kof-operators/.test(path)
                ? [403, JSON.stringify({ kind: "Status", message: "forbidden" })]
                : undefined,
        );
        assert.ok(found.includes("problem: HelmRelease kof-child: No: chart"));
        assert.ok(found.some((each) => /^unknown: could not check: GET .*kof-operators: forbidden$/.test(each)));
    });

    it("is a VMRule that no VMAlert takes", async () => {
        const path = "/apis/operator.victoriametrics.com/v1beta1/namespaces/kof/vmrules/kof-storage-routes-alerts";
        const rules = (status: object | undefined, minutes = 60) =>
            doctor("Alert rules", { [path]: { metadata: { creationTimestamp: minutesAgo(minutes) }, status } });
        const name = "warning: VMRule kof/kof-storage-routes-alerts";
        const conditions = [{ type: "cluster.kof.vmalert.victoriametrics.com/Applied", status: "True" }];
        assert.deepEqual(await rules(undefined), [`${name} has been taken by no VMAlert`]);
        assert.deepEqual(await rules(undefined, 1), []);
        assert.deepEqual(await rules({ updateStatus: "operational", conditions }), []);
        assert.deepEqual(await rules({ updateStatus: "failed", reason: "bad expr", conditions }), [
            `${name} was refused: bad expr`,
        ]);
        assert.deepEqual(await doctor("Alert rules", {}), []);
    });

    it("is what Sveltos says of KOF, and not of what other teams install", async () => {
        const summary = (name: string, releaseName: string, labels: object = {}) => ({
            metadata: { name, namespace: "kcm-system", labels },
            spec: { clusterProfileSpec: { helmCharts: [{ releaseName, releaseNamespace: "apps" }] } },
            status: { featureSummaries: [{ status: "FailedNonRetriable", failureMessage: `${releaseName} failed` }] },
        });
        const path = "/apis/config.projectsveltos.io/v1beta1/clustersummaries";
        const found = await doctor("Sveltos services", {
            [path]: [
                ...[summary("a", "kof-storage"), summary("b", "shop"), summary("kof-c", "shop"), summary("d", "kofi")],
                // Of another team, on a cluster that is called after KOF.
                summary("shop-capi-kof-eu", "shop", { "projectsveltos.io/cluster-name": "kof-eu", team: "kof-fans" }),
                summary("p--e", "shop", { "projectsveltos.io/profile-name": "kof-e" }),
                // It has failed once, and is there now.
                {
                    ...summary("f", "kof-storage"),
                    status: { featureSummaries: [{ status: "Provisioned", failureMessage: "" }] },
                },
                {
                    ...summary("g", "kof-storage"),
                    status: { featureSummaries: [{ status: "Failed", failureMessage: "" }] },
                },
            ],
        });
        assert.deepEqual(found, [
            "problem: ClusterSummary kcm-system/a: kof-storage failed",
            "problem: ClusterSummary kcm-system/kof-c: shop failed",
            "problem: ClusterSummary kcm-system/p--e: shop failed",
            "problem: ClusterSummary kcm-system/g: Failed",
        ]);
    });
});
