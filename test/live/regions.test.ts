import assert from "node:assert/strict";

import { checks } from "../../live/doctor";
import { runCheck, type Finding, type Live } from "../../live/findings";
import { buckets, leftovers, leftoversFound } from "../../live/leftovers";
import { regions } from "../../live/regions";
import type { Answer } from "../../tools/servers/standins";
import { routes, type Raw } from "../support";
import { ArchiveServers } from "./archiveServers";

const base = { ...routes.management, version: "1.10.0", clusterName: "abcd" };
const cold = { bucket: "acme-cold", region: "eu-west-1" };
const archived = (wanted: unknown = "all"): Raw => ({ ...base, coldStorage: { ...cold, regions: wanted } });

type Objects = Readonly<Record<string, object | number>>;

const kcm = "/apis/k0rdent.mirantis.com/v1beta1";
const label = (name: string) => `k0rdent.mirantis.com/${name}`;

function cluster(name: string, labels: Record<string, string> = {}, status: object = {}) {
    return {
        metadata: {
            name,
            namespace: "kcm-system",
            labels: { [label("kof-cluster-role")]: "regional", [label("kof-cluster-name")]: name, ...labels },
        },
        status,
    };
}

const exporter = `${kcm}/multiclusterservices/kof-cold-storage-exporter`;
const copies = `${kcm}/multiclusterservices/kof-archive-secrets-remote`;
const template = `${kcm}/namespaces/kcm-system/servicetemplates/cold-storage-exporter-1-11-0-rc0`;
const cronJob = "/apis/batch/v1/namespaces/kof/cronjobs/cold-storage-exporter";
const deployments = `${kcm}/clusterdeployments`;
const sets = `${kcm}/servicesets`;
const summaries = "/apis/config.projectsveltos.io/v1beta1/namespaces/kcm-system/clustersummaries";

const items = (...all: object[]) => ({ items: all });
const on = (...names: string[]) =>
    names.map((name) => ({ kind: "ClusterDeployment", namespace: "kcm-system", name, deployed: true }));
const service = (status: object, templates: readonly string[] = []) => ({
    metadata: { generation: 2 },
    spec: { serviceSpec: { services: templates.map((each) => ({ name: "a", template: each })) } },
    status: { observedGeneration: 2, ...status },
});
const exported = (status: object) => service(status, ["cold-storage-exporter-1-11-0-rc0"]);

/** A management cluster whose only region has all that it is to have. */
const good: Objects = {
    [deployments]: items(cluster("eu-1")),
    [exporter]: exported({ matchingClusters: on("eu-1") }),
    [copies]: service({ matchingClusters: on("eu-1") }),
    [template]: { status: { valid: true } },
    [cronJob]: {},
    [sets]: items(),
    [summaries]: items(),
};

async function withCluster<T>(objects: Objects, raw: Raw, look: (live: Live) => Promise<T>): Promise<T> {
    const answer: Answer = ({ url }) => {
        const object = objects[url.pathname];
        return typeof object === "number" ? [object, "{}"] : object ? [200, JSON.stringify(object)] : [404, "{}"];
    };
    const servers = await ArchiveServers.start(() => assert.fail("AWS is not asked"), answer);
    try {
        return await servers.within(raw, look);
    } finally {
        await servers.stop();
    }
}
async function found(objects: Objects, raw: Raw = archived()): Promise<readonly Finding[]> {
    const [check] = regions;
    return withCluster(objects, raw, async (live) => (await runCheck(check!, live)).findings);
}
const texts = async (...args: Parameters<typeof found>) =>
    (await found(...args)).map(({ severity, what }) => `${severity}: ${what}`);

/** A region that does not have the exporter, with what KCM and Sveltos made for it. */
function behind(set: object, summary: object = {}, object: object = {}): Objects {
    const name = "eu-1-0a1b2c3d";
    const spec = { cluster: "eu-1", multiClusterService: "kof-cold-storage-exporter" };
    return {
        ...good,
        [exporter]: exported({ matchingClusters: [{ ...on("eu-1")[0], deployed: false }], ...object }),
        [sets]: items({ metadata: { name, namespace: "kcm-system" }, spec, ...set }),
        [summaries]: items({ metadata: { name: `p--${name}-capi-eu-1` }, status: summary }),
    };
}

describe("left on regions", () => {
    const left = (objects: Objects, raw: Raw) =>
        withCluster(objects, raw, async (live) => {
            // The bucket is another test's.
            const looks = leftovers.filter((look) => look !== buckets);
            const { left, reasons } = await leftoversFound(looks, live);
            return [...left.map(({ what }) => what), ...reasons];
        });

    it("is what has KCM install the exporters there, and volumes that nobody sees from here", async () => {
        const named = (name: string) => ({ metadata: { name } });
        const objects = {
            ...good,
            [exporter]: { ...named("kof-cold-storage-exporter"), status: { matchingClusters: on("eu-1") } },
            [copies]: named("kof-archive-secrets-remote"),
            [template.replace(/\/[^/]*$/, "")]: items(named("cold-storage-exporter-1-11-0-rc0"), named("other-1-0-0")),
        };
        assert.deepEqual(await left(objects, archived()), [
            "MultiClusterService kof-cold-storage-exporter, and what KCM installed by it on 1 regional cluster",
            "MultiClusterService kof-archive-secrets-remote, and what KCM installed by it on 0 regional clusters",
            "ServiceTemplate kcm-system/cold-storage-exporter-1-11-0-rc0",
        ]);
        assert.deepEqual(await left(objects, base), []);
        const regional = { ...base, regions: { storageClass: "fast" } };
        assert.match(
            (await left(objects, regional)).join(),
            /could not|the volumes of what KOF has stored on kcm-system\/eu-1/i,
        );
        assert.deepEqual(await left({ ...objects, [deployments]: items() }, regional), []);
    });
});

describe("doctor on regions", () => {
    it("finds nothing where everything is there, and looks nowhere where nothing is asked of regions", async () => {
        const named = { ...good, [copies.replace("-remote", "-eu-1-remote")]: good[copies] ?? {} };
        assert.ok(regions.every((check) => checks.includes(check)));
        assert.deepEqual(await texts(good), []);
        assert.deepEqual(await texts(named, archived(["eu-1"])), []);
        assert.deepEqual(await texts({ [deployments]: 500 }, base), []);
        // Before pulumi up has installed an exporter there is nothing to find.
        assert.deepEqual(await texts({ [deployments]: good[deployments] ?? {} }), []);
    });

    it("says that there is no region, and which of those that are named is none or not selected", async () => {
        assert.deepEqual(await texts({ ...good, [deployments]: items() }), [
            "warning: there is no regional cluster: no ClusterDeployment has the label k0rdent.mirantis.com/kof-cluster-role=regional",
        ]);
        const of = async (...clusters: object[]) => {
            const all = await found({ [deployments]: items(...clusters) }, archived(["eu-1"]));
            return all.map(({ severity, what, fix }) => [severity, what, fix]);
        };
        const list =
            "kubectl get clusterdeployments -A -L k0rdent.mirantis.com/kof-cluster-role,k0rdent.mirantis.com/kof-cluster-name,k0rdent.mirantis.com/istio-role";
        assert.deepEqual(await of(cluster("eu-2")), [
            ["problem", "kof:coldStorage.regions has eu-1, and there is no ClusterDeployment of that name", list],
        ]);
        assert.deepEqual(await of(cluster("eu-1", { [label("kof-cluster-role")]: "child" })), [
            [
                "problem",
                "kof:coldStorage.regions has eu-1, but kcm-system/eu-1 is no regional cluster: it has no label k0rdent.mirantis.com/kof-cluster-role=regional",
                list,
            ],
        ]);
        assert.deepEqual(await of(cluster("eu-1", { [label("kof-cluster-name")]: "europe" })), [
            [
                "problem",
                "kof:coldStorage.regions has eu-1, but the label k0rdent.mirantis.com/kof-cluster-name of kcm-system/eu-1 is europe",
                "kubectl label clusterdeployment -n kcm-system eu-1 --overwrite k0rdent.mirantis.com/kof-cluster-name=eu-1",
            ],
        ]);
        assert.deepEqual(await of(cluster("eu-1", { [label("istio-role")]: "member" })), [
            [
                "problem",
                "region kcm-system/eu-1 has the label k0rdent.mirantis.com/istio-role=member, and kof:istio is false",
                list,
            ],
        ]);
        const deleted = cluster("eu-1");
        assert.match(
            (await of({ metadata: { ...deleted.metadata, deletionTimestamp: "x" } })).join(),
            /no ClusterDeployment/,
        );
    });

    it("says which regions of all are on the other side of the mesh", async () => {
        const two = {
            ...good,
            [deployments]: items(cluster("eu-1"), cluster("eu-2", { [label("istio-role")]: "member" })),
        };
        assert.deepEqual(await texts({ ...two, [copies]: service({ matchingClusters: on("eu-1", "eu-2") }) }), [
            "warning: region kcm-system/eu-2 has the label k0rdent.mirantis.com/istio-role=member, and kof:istio is false",
        ]);
    });

    it("finds a template that is not valid, or not there, and an object that KCM refuses or has not looked at", async () => {
        const valid = (status: object) => texts({ ...good, [template]: { status } });
        const name = "ServiceTemplate kcm-system/cold-storage-exporter-1-11-0-rc0";
        assert.deepEqual(await valid({ valid: false, validationError: "no such chart" }), [
            `problem: ${name} is not valid: no such chart`,
        ]);
        assert.deepEqual(await valid({}), [`warning: KCM has not looked at ${name} yet`]);
        assert.deepEqual(await texts({ ...good, [template]: 404 }), [`problem: there is no ${name}`]);
        const object = (changed: object) => texts({ ...good, [exporter]: changed });
        const service = "MultiClusterService kof-cold-storage-exporter";
        assert.deepEqual(await texts({ ...good, [exporter]: 404 }), [
            `warning: there is no ${service}, which brings cold-storage-exporter to regions`,
        ]);
        const status = { observedGeneration: 2, matchingClusters: on("eu-1") };
        assert.deepEqual(await object({ metadata: { generation: 3 }, status }), [
            `warning: KCM has not looked at ${service} since it was changed`,
        ]);
        const refused = { type: "ServicesReferencesValidation", status: "False", message: "no template" };
        assert.deepEqual(await object({ metadata: {}, status: { ...status, conditions: [refused] } }), [
            `problem: KCM refuses ${service} (ServicesReferencesValidation): no template`,
        ]);
        assert.deepEqual(await object({ metadata: { deletionTimestamp: "x" }, status }), [
            `problem: ${service} is being deleted`,
        ]);
    });

    it("says of each region that has not got it why, by KCM, by Sveltos, or that nobody knows", async () => {
        const what = "cold-storage-exporter is not on region kcm-system/eu-1";
        const failed = { services: [{ name: "cold-storage-exporter", state: "Failed", failureMessage: "timed out" }] };
        assert.deepEqual(await texts(behind({ status: failed })), [
            `problem: ${what}: cold-storage-exporter: timed out`,
        ]);
        const features = { featureSummaries: [{ status: "FailedNonRetriable", failureMessage: "chart not found" }] };
        assert.deepEqual(await texts(behind({}, features)), [`problem: ${what}: chart not found`]);
        const conflict = { helmReleaseSummaries: [{ status: "Conflict", conflictMessage: "managed by p--x" }] };
        assert.deepEqual(await texts(behind({}, conflict)), [`problem: ${what}: managed by p--x`]);
        assert.deepEqual(await texts(behind({})), [`warning: ${what} yet`]);
        const waits = {
            type: "MultiClusterServiceDependencyReady",
            status: "False",
            message: "waits for kof-regional-cluster",
        };
        assert.deepEqual(await texts(behind({}, {}, { conditions: [waits] })), [
            `warning: ${what}: waits for kof-regional-cluster`,
        ]);
        const status = { conditions: [{ type: "Ready", status: "False", message: "2 of 3 nodes" }] };
        assert.deepEqual(await texts({ ...behind({}), [deployments]: items(cluster("eu-1", {}, status)) }), [
            `warning: ${what}: the cluster is not ready (2 of 3 nodes)`,
        ]);
        const paused = { name: "a", namespace: "kcm-system", annotations: { [label("service-set-paused")]: "true" } };
        assert.deepEqual(await texts(behind({ metadata: paused })), [
            "warning: cold-storage-exporter on region kcm-system/eu-1 is paused (annotation k0rdent.mirantis.com/service-set-paused)",
        ]);
        // Selected, and KCM has not begun with it.
        assert.deepEqual(await texts({ ...good, [exporter]: exported({}) }), [`warning: ${what} yet`]);
        assert.deepEqual(await texts({ ...good, [copies]: service({}) }), [
            "warning: Secret cold-storage-exporter-s3-credentials is not on region kcm-system/eu-1 yet",
        ]);
    });

    it("says of each object by itself that it could not be looked at", async () => {
        const unseen = (what: string) => new RegExp(`^unknown: could not check: GET [^ ]*/${what}: HTTP 403$`);
        for (const [path, what] of [
            [deployments, "clusterdeployments"],
            [exporter, "kof-cold-storage-exporter"],
            [template, "cold-storage-exporter-1-11-0-rc0"],
        ] as const) {
            const [first, ...others] = await texts({ ...good, [path]: 403 });
            assert.match(first!, unseen(what));
            assert.deepEqual(others, []);
        }
        // What else is wrong is found all the same.
        const both = await texts({ ...good, [exporter]: 403, [copies]: service({}) });
        assert.equal(both.length, 2);
        const why = await texts({ ...behind({}), [sets]: 403 });
        assert.match(
            why.join("\n"),
            /^warning: .* is not on region kcm-system\/eu-1: could not check why: GET [^ ]*\/servicesets: HTTP 403$/,
        );
    });

    it("looks at KOF itself on regions where kof:regions says something of their stores", async () => {
        const raw = { ...base, regions: { storage: { logs: { retention: "60d" } } } };
        const kof = `${kcm}/multiclusterservices/kof-regional-cluster`;
        const objects = { [deployments]: good[deployments] ?? {}, [kof]: service({ matchingClusters: on("eu-1") }) };
        assert.deepEqual(await texts(objects, raw), []);
        assert.deepEqual(await texts({ ...objects, [kof]: service({}) }, raw), [
            "warning: KOF with its stores is not on region kcm-system/eu-1 yet",
        ]);
        assert.deepEqual(await texts({ [deployments]: items() }, raw), [
            "warning: there is no regional cluster: no ClusterDeployment has the label k0rdent.mirantis.com/kof-cluster-role=regional",
        ]);
        const off = { values: { "kof-regional": { enabled: false } } };
        assert.deepEqual(await texts({ [deployments]: 500 }, { ...raw, ...off }), []);
    });
});
