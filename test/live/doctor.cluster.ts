import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { stringify } from "yaml";

import { vmuserSecretName } from "../../core/charts/vmuser";
import type { Result } from "../../live/findings";
import { useCluster } from "../../tools/servers/cluster";
import { eventually } from "../../tools/servers/program";
import type { AnyObject } from "../../tools/servers/crds";
import { FluxStandIn } from "../../tools/servers/flux";
import { command, type Run } from "./command";
import {
    collectorPod,
    collectorResource,
    hostAddress,
    HttpStandIn,
    kubeletWithLogs,
} from "../../tools/servers/standins";
import { fromKcm } from "../../tools/sandbox";
import type { Raw } from "../support";

const object = (apiVersion: string, kind: string, name: string, namespace?: string, more: object = {}): AnyObject => ({
    apiVersion,
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    ...more,
});
const namespace = object("v1", "Namespace", "kof");
const storageClass = (name: string, isDefault: boolean, provisioner = "ebs.csi.aws.com") => ({
    ...object("storage.k8s.io/v1", "StorageClass", name, undefined, {
        provisioner,
        allowVolumeExpansion: true,
        volumeBindingMode: "WaitForFirstConsumer",
    }),
    metadata: { name, annotations: { "storageclass.kubernetes.io/is-default-class": String(isDefault) } },
});
const own = { name: "kof", preset: "local-path" };
const driver = object("storage.k8s.io/v1", "CSIDriver", "ebs.csi.aws.com", undefined, { spec: {} });
const management = (release: string) =>
    object("k0rdent.mirantis.com/v1beta1", "Management", "kcm", undefined, {
        spec: { release },
        status: { release, conditions: [{ type: "Ready", status: "True" }] },
    });
const certManager: AnyObject = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "cert-manager-1", namespace: "kcm-system", labels: { "app.kubernetes.io/name": "cert-manager" } },
    spec: { containers: [{ name: "a", image: "a" }] },
    status: { conditions: [{ type: "Ready", status: "True" }] },
};

describe("doctor", () => {
    const cluster = useCluster();
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-doctor-"));

    after(() => {
        fs.rmSync(folder, { recursive: true });
    });
    afterEach(() => cluster().reset());

    function run(raw: Raw, kubeconfig = cluster().kubeconfig, ...more: string[]): Promise<Run> {
        const file = path.join(folder, "Pulumi.test.yaml");
        const config = Object.fromEntries(Object.entries(raw).map(([key, value]) => [`kof:${key}`, value]));
        fs.writeFileSync(file, stringify({ config }));
        return command(["cli/doctor.ts", "--config", file, ...more], { KUBECONFIG: kubeconfig });
    }

    /** Pods can be made in a namespace once it has its service account, which a controller makes. */
    async function serviceAccount(name: string): Promise<void> {
        const account = object("v1", "ServiceAccount", "default", name);
        await eventually(async () => (await cluster().read(account)) !== undefined, `${name} has its service account`);
    }

    /** What doctor finds: per check `severity: what`. */
    async function findings(raw: Raw, kubeconfig = cluster().kubeconfig): Promise<Record<string, string[]>> {
        const { stdout, stderr, code } = await run(raw, kubeconfig, "--json");
        assert.notEqual(stdout, "", stderr);
        const { checks, verdict } = JSON.parse(stdout) as { checks: Result[]; verdict: string };
        assert.equal(code, { ok: 0, unknown: 2, problem: 3 }[verdict]);
        for (const { why, fix } of checks.flatMap((check) => check.findings)) {
            assert.ok(why.length > 0 && fix.length > 0);
        }
        return Object.fromEntries(
            checks.map(({ title, findings: found }) => [
                title,
                found.map(({ severity, what }) => `${severity}: ${what}`),
            ]),
        );
    }

    it("finds nothing wrong with a cluster that has all that KOF needs", async () => {
        await cluster().apply(object("v1", "Namespace", "kcm-system"));
        await serviceAccount("kcm-system");
        const replaced = { ...certManager, metadata: { ...certManager.metadata, name: "cert-manager-2" }, status: {} };
        await cluster().apply(management("kcm-1-10-0"), certManager, replaced, storageClass("gp3", true), driver);
        const { "Charts and images": _, ...found } = await findings({ route: "management" });
        assert.deepEqual(found, Object.fromEntries(Object.keys(found).map((title) => [title, []])));
    });

    it("finds no problem in a fresh sandbox", async () => {
        await cluster().apply(...fromKcm);
        const { "Charts and images": _, ...found } = await findings({ route: "management", storageClass: own });
        assert.deepEqual(
            Object.values(found)
                .flat()
                .filter((each) => each.startsWith("problem")),
            [],
        );
    });

    it("says all that a cluster lacks, why it matters and what to do", async () => {
        const found = await findings({ route: "management" });
        assert.match(found.KCM![0]!, /^problem: there is no Management object/);
        assert.match(found["Storage class"]![0]!, /^problem: the cluster has no default storage class/);
        assert.match(found["cert-manager"]![0]!, /^problem: no cert-manager is running/);
        const { stdout, code } = await run({ route: "management" });
        assert.equal(code, 3);
        assert.match(
            stdout,
            /problem {3}KCM: there is no Management object.*\n {12}Why: .+\n {12}Fix: helm install kcm /,
        );
    });

    it("compares versions, labels and Secrets with the settings", async () => {
        const labelled = { ...namespace, metadata: { name: "kof", labels: { "istio-injection": "enabled" } } };
        await cluster().apply(management("kcm-1-8-0"), labelled);
        const regional = {
            route: "regional",
            version: "1.9.0",
            regional: { cluster: "eu-1", domain: "eu-1.example.net" },
        };
        const found = await findings(regional);
        assert.deepEqual(found.KCM, ["warning: KCM is kcm-1-8-0, KOF is to be 1.9.0"]);
        assert.deepEqual(found["Istio label"], [
            "problem: namespace kof has the label istio-injection=enabled, but kof:istio is false",
        ]);
        const secret = vmuserSecretName("eu-1", "kcm-system");
        assert.deepEqual(found.Secrets, [`problem: there is no Secret kof/${secret}`]);

        await cluster().apply(object("v1", "Secret", secret, "kof", { stringData: { username: "admin" } }));
        assert.deepEqual((await findings(regional)).Secrets, [`problem: Secret kof/${secret} lacks the key password`]);

        const cloudwatch = { region: "us-east-2", credentials: { kind: "existingSecret", name: "aws" } };
        assert.deepEqual((await findings({ route: "cloudwatch", cloudwatch })).Secrets, [
            "problem: there is no Secret kof/aws",
        ]);
    });

    it("checks the storage class that the volumes will have", async () => {
        await cluster().apply(storageClass("a", true), storageClass("b", true));
        assert.deepEqual((await findings({ route: "none" }))["Storage class"], [
            "problem: more than one storage class would be the default: a, b",
            "problem: no CSI driver ebs.csi.aws.com is installed",
        ]);
        const existing = { name: "c", create: false };
        assert.deepEqual((await findings({ route: "none", storageClass: existing }))["Storage class"], [
            "problem: there is no storage class c (classes: a, b)",
        ]);
        await cluster().apply(driver);
        const own = { name: "kof", preset: "aws-ebs", default: true };
        assert.deepEqual((await findings({ route: "none", storageClass: own }))["Storage class"], [
            "problem: more than one storage class would be the default: a, b, and kof of kof:storageClass",
        ]);
    });

    it("says which existing volumes do not fit, and what to set", async () => {
        const claim = (name: string, size: string): AnyObject =>
            object("v1", "PersistentVolumeClaim", name, "kof", {
                spec: {
                    accessModes: ["ReadWriteOnce"],
                    storageClassName: "gp3",
                    resources: { requests: { storage: size } },
                },
            });
        await cluster().apply(namespace, storageClass("gp3", true), driver);
        await cluster().apply(claim("vlstorage-volume-kof-storage-victoria-logs-cluster-vlstorage-0", "50Gi"));
        await cluster().apply(claim("vmstorage-db-vmstorage-cluster-0", "50Gi"));
        const { stdout } = await run({ route: "management" });
        assert.match(stdout, /Existing volumes: the volumes of vlstorage are 50Gi, and the stack asks for 100Gi/);
        assert.match(stdout, /Fix: pulumi config set --path kof:storage\.logs\.size 50Gi/);
        assert.doesNotMatch(stdout, /volumes of vmstorage are/, "metrics grow through their operator");
        assert.match(stdout, /claim vmstorage-db-vmstorage-cluster-0 is pending: waiting for first consumer/);
        const kept = await findings({
            route: "management",
            storage: { logs: { size: "50Gi" }, metrics: { size: "20Gi" } },
        });
        assert.deepEqual(kept["Existing volumes"], [
            "problem: the volumes of vmstorage are 50Gi, and the stack asks for 20Gi",
        ]);
    });

    it("gives Flux's own words for a release that fails, and Sveltos'", async () => {
        const flux = new FluxStandIn(cluster()).start();
        try {
            const release = object("helm.toolkit.fluxcd.io/v2", "HelmRelease", "kof-mothership", "kof", {
                spec: {
                    interval: "20m",
                    chartRef: { kind: "HelmChart", name: "kof-mothership", namespace: "kcm-system" },
                },
            });
            flux.fail(
                "kof-mothership",
                "Helm install failed for release kof/kof-mothership: context deadline exceeded",
            );
            await cluster().apply(namespace, release);
            await cluster().apply(
                object("config.projectsveltos.io/v1beta1", "ClusterSummary", "kof-mgmt", "kof", {
                    spec: {},
                    status: {
                        featureSummaries: [{ featureID: "Helm", status: "Failed", failureMessage: "no such chart" }],
                    },
                }),
            );
            await eventually(() => flux.events.includes("fail kof-mothership"), "the release fails");
            const found = await findings({ route: "management" });
            assert.deepEqual(found["Flux releases"], [
                "problem: HelmRelease kof-mothership: InstallFailed: Helm install failed for release kof/kof-mothership: context deadline exceeded",
            ]);
            assert.deepEqual(found["Sveltos services"], ["problem: ClusterSummary kof/kof-mgmt: no such chart"]);
            await cluster().remove(release);
        } finally {
            await flux.stop();
        }
    });

    it("says why a collector crashes, with the last line of its log", async function () {
        if (process.env.KUBECONFIG) {
            this.skip();
        }
        const { kubelet, node } = await kubeletWithLogs(cluster(), (_, previous) =>
            previous ? "starting\nError: extension basicauth/logs at https://me:pass@example.net not found\n" : "",
        );
        try {
            const pod = collectorPod("kof-collectors-daemon");
            const waiting = { reason: "CrashLoopBackOff", message: "back-off 5m0s" };
            const [status] = pod.status.containerStatuses;
            const crashing = { ...pod.status, containerStatuses: [{ ...status, restartCount: 7, state: { waiting } }] };
            await cluster().apply(namespace, node);
            await serviceAccount("kof");
            await cluster().apply({ ...pod, status: crashing });
            assert.deepEqual((await findings({ route: "management" })).Pods, [
                `problem: pod ${pod.metadata.name}: CrashLoopBackOff: Error: extension basicauth/logs at https://…@example.net not found`,
            ]);
        } finally {
            await kubelet.stop();
        }
    });

    it("reads the collectors' failure counters, since a 401 drops data while all pods are green", async function () {
        if (hostAddress === undefined || process.env.KUBECONFIG) {
            this.skip();
        }
        const metrics = await HttpStandIn.start(() => [
            200,
            [
                "# TYPE otelcol_exporter_send_failed_log_records_total counter",
                'otelcol_exporter_send_failed_log_records_total{exporter="otlphttp/logs",service_name="x"} 12',
                'otelcol_exporter_sent_log_records_total{exporter="otlphttp/logs",service_name="x"} 0',
                'otelcol_exporter_sent_spans_total{exporter="otlphttp/traces"} 3',
            ].join("\n"),
        ]);
        const { kubelet, node } = await kubeletWithLogs(
            cluster(),
            () =>
                '2026\terror\tinternal/base_exporter.go\tExporting failed. Dropping data.\t{"error": "not retryable error: Permanent error: request to https://vmauth.example.net responded with HTTP Status Code 401"}\n',
        );
        try {
            const name = "kof-collectors-daemon";
            const pod = collectorPod(name);
            await cluster().apply(namespace, node);
            await serviceAccount("kof");
            await cluster().apply(collectorResource(name, { otlp: 4318, metrics: metrics.port }), pod);
            assert.deepEqual((await findings({ route: "management" }))["Collectors' exports"], [
                `problem: ${pod.metadata.name}: exporter otlphttp/logs dropped 12 of 12 logs since it started`,
                `warning: ${pod.metadata.name} said: not retryable error: Permanent error: request to https://vmauth.example.net responded with HTTP Status Code 401`,
            ]);
        } finally {
            await metrics.stop();
            await kubelet.stop();
        }
    });

    it("tells what it may not see from what is not there", async () => {
        const kubeconfig = path.join(folder, "nobody");
        const text = fs.readFileSync(cluster().kubeconfig, "utf8");
        fs.writeFileSync(kubeconfig, text.replace(/token: .*/, "token: wrong"));
        const found = await findings({ route: "management" }, kubeconfig);
        assert.match(found.KCM![0]!, /^unknown: could not check: GET .*: Unauthorized$/);

        fs.writeFileSync(kubeconfig, text.replace(/server: .*/, "server: https://127.0.0.1:1"));
        const { stdout, code } = await run({ route: "management" }, kubeconfig);
        assert.equal(code, 2);
        assert.match(
            stdout,
            /unknown {3}Kubernetes API: could not check: The API server https:\/\/127\.0\.0\.1:1 does not answer[^]*unknown {3}KCM: not checked, as above\n/,
        );
    });
});
