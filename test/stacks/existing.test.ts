import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";

import type { RunOptions } from "../../cli/offline";
import { runOffline } from "../../cli/program";
import { CouldNotCheck } from "../../core/lib/errors";
import { deploymentFor, routes, stackFile, type Raw } from "../support";
import { clusterWith } from "./cluster";

const releases = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/kof/helmreleases";
const paths = {
    namespace: "/api/v1/namespaces/kof",
    storageClass: "/apis/storage.k8s.io/v1/storageclasses/kof",
    release: `${releases}/kof-operators`,
    chart: "/apis/source.toolkit.fluxcd.io/v1/namespaces/kcm-system/helmcharts/kof-operators",
    grafana: "/api/v1/namespaces/kof/secrets/grafana-admin-credentials",
    cloudwatch: "/api/v1/namespaces/kof/secrets/cloudwatch-credentials",
    helm: `/api/v1/namespaces/kof/secrets?labelSelector=${encodeURIComponent("owner=helm,name=kof")}`,
};

const by = (manager: string) => ({ metadata: { managedFields: [{ manager }] } });

/** The Helm release `kof`, as the cluster keeps it. */
function helmRelease(version: string, config: object) {
    const release = { info: { status: "deployed" }, version: 1, chart: { metadata: { version } }, config };
    const packed = gzipSync(JSON.stringify(release)).toString("base64");
    return { [paths.helm]: { items: [{ data: { release: Buffer.from(packed).toString("base64") } }] } };
}

const raw = { ...routes.management, version: "1.9.0" };
const adopting = { ...raw, adopt: true };
const installed = { [paths.namespace]: by("helm"), [paths.release]: by("helm"), [paths.chart]: by("helm") };

const run = (settings: Raw, objects: Record<string, object>, options: Partial<RunOptions> = {}) =>
    runOffline(stackFile(settings), { preview: true, cluster: clusterWith(objects), ...options });

async function refusal(...args: Parameters<typeof run>): Promise<string> {
    return run(...args).then(
        () => assert.fail("no error"),
        (error: unknown) => {
            assert.equal((error as Error).name, "UserError", String(error));
            return (error as Error).message;
        },
    );
}

/** What the run says about an adoption, or about what it could not see. */
const said = async (...args: Parameters<typeof run>) =>
    (await run(...args)).messages.filter((message) => /kof:adopt|could not be checked|Could not check/.test(message));

describe("what exists already", () => {
    it("is refused without kof:adopt, all of it at once", async () => {
        const objects = { ...installed, [paths.storageClass]: by("kubectl") };
        assert.equal(
            await refusal(raw, objects),
            `Pulumi.test.yaml has 2 problems. Nothing was changed.

  kof:storageClass.create is true, but the cluster already has a class kof, which this stack did not make
    Allowed: false, to use the class as it is; or another name
    Paste:   kof:storageClass:
               create: false
               name: kof

  kof:adopt is false, but the cluster (https://api.example.net) already has what this stack did not make: Namespace kof, HelmChart kcm-system/kof-operators, HelmRelease kof/kof-operators
    Allowed: true, to take that over as it is (docs/adopting.md); or a cluster without it
    Paste:   kof:adopt: true`,
        );
        await run({ ...adopting, storageClass: { create: false, name: "kof" } }, objects);
    });

    it("is the stack's own where a first deployment did not finish", async () => {
        const own = by("pulumi-kubernetes-1a2b3c4d");
        await run(raw, { [paths.namespace]: own, [paths.storageClass]: own, [paths.release]: own });
    });

    it("is looked at once: what a stack has deployed is its own", async () => {
        const seen: string[] = [];
        const cluster = clusterWith({ ...installed, [paths.storageClass]: by("kubectl") });
        const counting = {
            ...cluster,
            get: <T>(path: string) => {
                seen.push(path);
                return cluster.get<T>(path);
            },
        };
        const { settings } = deploymentFor(raw);
        const outputs = { settings, cluster: { uid: "uid-1", stack: "kof/test" } };
        await run(raw, {}, { cluster: counting, outputs });
        assert.deepEqual(seen, ["/api/v1/namespaces/kube-system", paths.namespace]);
    });

    it("is looked at when a stack that is deployed makes more", async () => {
        const before = { ...raw, storageClass: { create: false, name: "kof" } };
        const outputs = { settings: deploymentFor(before).settings };
        const objects = { ...installed, [paths.storageClass]: by("kubectl") };
        assert.match(await refusal(raw, objects, { outputs }), /\n\n {2}kof:storageClass.create is true/);
    });

    it("is taken over by a deployed stack too, without a comparison", async () => {
        const release = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/kof/helmreleases/kof-storage";
        const outputs = { settings: deploymentFor({ ...raw, route: "none" }).settings };
        assert.match(await refusal(raw, { [release]: by("helm") }, { outputs }), /HelmRelease kof\/kof-storage\n/);
        assert.deepEqual(await said(adopting, { [release]: by("helm") }, { outputs }), [
            "warning: kof:adopt is true while the route changes: objects that exist under the names that route management " +
                "uses are overwritten, no matter who made them.",
        ]);
    });

    it("counts as missing if the program may not read it, with a warning", async () => {
        assert.deepEqual(await said(raw, { [paths.chart]: new CouldNotCheck("GET …: forbidden") }), [
            "warning: Whether HelmChart kcm-system/kof-operators exists could not be checked, so the stack assumes that it does not: GET …: forbidden",
        ]);
    });
});

describe("an exporter that exists already", () => {
    const archived = { ...raw, version: "1.10.0", coldStorage: { bucket: "acme-kof-cold", region: "eu-west-1" } };
    const release = `${releases}/cold-storage-exporter`;

    it("is refused without kof:adopt, as KOF's own releases are", async () => {
        assert.match(
            await refusal(archived, { [release]: by("kubectl-create") }),
            /already has what this stack did not make: HelmRelease kof\/cold-storage-exporter/,
        );
        await run(archived, { [release]: by("pulumi-kubernetes") });
    });
});

describe("a ConfigMap or VMRule of the alert rules' name that exists already", () => {
    const rules = "/api/v1/namespaces/kof/configmaps/kof-storage-routes-alerts";
    const vmRule = "/apis/operator.victoriametrics.com/v1beta1/namespaces/kof/vmrules/kof-storage-routes-alerts";

    it("is refused without kof:adopt, like everything else that the stack did not make", async () => {
        assert.match(
            await refusal(raw, { [rules]: by("kubectl-create") }),
            /already has what this stack did not make: ConfigMap kof\/kof-storage-routes-alerts$/m,
        );
        assert.match(
            await refusal(raw, { [vmRule]: by("kubectl-create") }),
            /already has what this stack did not make: VMRule kof\/kof-storage-routes-alerts$/m,
        );
        const both = (manager: string) => ({ [rules]: by(manager), [vmRule]: by(manager) });
        await run(raw, both("pulumi-kubernetes-1a2b3c4d"));
        await run(adopting, both("kubectl-create"));
        await run({ ...raw, alerts: false }, both("kubectl-create"));
        await run({ ...routes.regional, version: "1.10.0" }, { [vmRule]: by("kubectl-create") });
    });
});

describe("a Secret that exists already", () => {
    const grafana = { grafana: { enabled: true } };

    it("is not overwritten with a random password, whatever kof:adopt says", async () => {
        for (const adopt of [true, false]) {
            assert.equal(
                (await refusal({ ...raw, ...grafana, adopt }, { [paths.grafana]: by("kubectl-create") }))
                    .split("\n\n")
                    .at(-1),
                "  kof:grafana.existingSecret has this stack make Secret kof/grafana-admin-credentials, which exists already and which it " +
                    "would overwrite\n" +
                    "    Allowed: to use the Secret that exists; or to delete it first: kubectl delete secret -n kof grafana-admin-credentials\n" +
                    "    Paste:   kof:grafana:\n               existingSecret: grafana-admin-credentials",
            );
        }
        await run({ ...raw, ...grafana }, { [paths.grafana]: by("pulumi-kubernetes") });
    });

    it("is not overwritten with an access key", async () => {
        const text = await refusal({ ...routes.cloudwatch }, { [paths.cloudwatch]: by("kubectl-create") });
        assert.match(text, /^ {2}kof:cloudwatch.credentials has this stack make Secret kof\/cloudwatch-cred/m);
        assert.match(
            text,
            /Paste: {3}kof:cloudwatch:\n +credentials:\n +kind: existingSecret\n +name: cloudwatch-cred/,
        );
    });
});

describe("a storage class that is taken over", () => {
    const same = {
        ...by("kubectl"),
        provisioner: "ebs.csi.aws.com",
        reclaimPolicy: "Retain",
        volumeBindingMode: "WaitForFirstConsumer",
        allowVolumeExpansion: true,
    };
    const over = (change: object) => ({ [paths.storageClass]: { ...same, ...change } });
    const preset = { name: "kof", preset: "aws-ebs", default: true };

    it("is left as it is where it is the same", async () => {
        assert.deepEqual(await said(adopting, over({})), []);
    });

    it("is refused where Kubernetes would refuse it, with what keeps it", async () => {
        const there = { reclaimPolicy: "Delete", volumeBindingMode: "Immediate", parameters: { type: "gp2" } };
        const text = await refusal(adopting, over(there));
        assert.equal(
            text.split("\n\n").at(-1),
            "  kof:storageClass differs from the existing class kof in what Kubernetes does not allow to change: parameters.type " +
                '"gp2" -> nothing, reclaimPolicy "Delete" -> "Retain", volumeBindingMode "Immediate" -> "WaitForFirstConsumer"\n' +
                "    Allowed: create: false, to use the class as it is; another name; or settings that match it\n" +
                "    Paste:   kof:storageClass:\n               create: false\n               name: kof",
        );
        assert.match(
            await refusal(adopting, over({ provisioner: "other" })),
            /provisioner "other" -> "ebs.csi.aws.com"/,
        );
    });

    it("is changed where that is possible, with a notice", async () => {
        const there = over({ parameters: { encrypted: "true", type: "gp3" }, allowVolumeExpansion: undefined });
        assert.deepEqual(await said({ ...adopting, storageClass: preset }, there), [
            "warning: kof:adopt changes the class kof: allowVolumeExpansion false -> true, it becomes the cluster's default class.",
        ]);
    });
});

describe("a KOF that is taken over", () => {
    const values = (settings: Raw) => deploymentFor(settings).values;

    it("keeps the mesh that its objects are named after", async () => {
        const labelled = (label: string) => ({ metadata: { labels: { "istio-injection": label } } });
        assert.equal(
            (await refusal(adopting, { ...installed, [paths.namespace]: labelled("enabled") })).split("\n\n").at(-1),
            "  kof:istio is false, but namespace kof is in the Istio mesh: the change would rename KOF's objects and remove the current " +
                "ones\n    Allowed: true\n    Paste:   kof:istio: true",
        );
        const mesh = { ...adopting, istio: true };
        assert.match(await refusal(mesh, installed), /kof:istio is true, but namespace kof is not in the Istio mesh/);
        await run(mesh, { [paths.namespace]: labelled("disabled") });
        await run(mesh, { ...installed, [paths.namespace]: labelled("enabled") });
    });

    it("is compared with the stack as its last deployment would be", async () => {
        const objects = { ...installed, ...helmRelease("1.9.0", values(raw)) };
        assert.deepEqual(await said(adopting, objects), []);
        const none = { ...adopting, route: "none" };
        assert.match(
            await refusal(none, objects),
            /^Pulumi.test.yaml asks for a change that is refused, compared with what runs on the cluster. Nothing was changed.\n\n {2}kof:route leaves the stored/,
        );
        await run({ ...none, acknowledge: "management->none" }, objects);
        assert.match(
            await refusal({ ...adopting, version: "1.10.0" }, objects),
            /kof:storage.traces.size would make vtstorage's volumes larger \(50Gi->100Gi\)/,
        );
    });

    it("keeps running if the stack does not have it, with a notice", async () => {
        const items = [{ metadata: { name: "kof-operators" } }, { metadata: { name: "kof-storage" } }];
        const releases = { "/apis/helm.toolkit.fluxcd.io/v2/namespaces/kof/helmreleases": { items } };
        const objects = { ...installed, ...releases, ...helmRelease("1.9.0", values({ ...raw, route: "none" })) };
        assert.deepEqual(await said({ ...adopting, route: "none" }, objects), [
            "warning: kof:adopt takes over only what the stack has. The rest keeps running unmanaged: HelmRelease kof-storage. " +
                "To uninstall: kubectl delete helmrelease -n kof kof-storage",
        ]);
    });

    it("is not compared if its settings are not known, with a notice", async () => {
        const start =
            "warning: kof:adopt takes over the KOF that runs on the cluster without comparing it with the stack file, because the settings " +
            "that it runs with are unknown: ";
        assert.deepEqual(await said(adopting, installed), [`${start}There is no Helm release kof in namespace kof.`]);
        assert.deepEqual(await said(adopting, { ...installed, [paths.helm]: new CouldNotCheck("GET …: forbidden") }), [
            `${start}Could not check the Helm release: GET …: forbidden`,
        ]);
        assert.deepEqual(await said(adopting, { ...installed, ...helmRelease("1.7.0", {}) }), [
            `${start}It is KOF 1.7.0, and this program knows 1.8.0, 1.8.1, 1.9.0, 1.10.0, 1.11.0-rc0.`,
        ]);
        const region = { route: "regional", regional: { cluster: "unseen", domain: "eu-1.obs.example.net" } };
        const checksum = helmRelease("1.9.0", values({ ...raw, ...region }));
        assert.deepEqual(await said(adopting, { ...installed, ...checksum }), [
            `${start}Its values do not contain all of them. To see what is missing: npm run adopt -- --cluster --out FILE`,
        ]);
        // A namespace without KOF in it is nothing to compare with.
        assert.deepEqual(await said(adopting, { [paths.namespace]: by("kubectl") }), []);
    });
});
