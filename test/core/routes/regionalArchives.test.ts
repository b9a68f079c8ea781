import assert from "node:assert/strict";

import { parse } from "yaml";

import { runOffline } from "../../../cli/program";
import { objectsOnRegions, type Regions } from "../../../core/charts/multiCluster";
import { nest, valueAt, type HelmValues } from "../../../core/lib/values";
import { UserError } from "../../../core/lib/errors";
import { deploymentFor, hasRegionless, routes, stackFile, type Raw } from "../../support";
import { versions } from "../../../core/charts";

const cold = { bucket: "acme-cold", region: "eu-west-1", regions: "all" };
const audit = { bucket: "acme-audit", region: "eu-west-1", regions: "all", existingSecret: "mine" };
const management: Raw = { ...routes.management, version: "1.10.0" };

/** The values of a region, as Sveltos makes them. */
function valuesOn(template: string, namespace: string, name: string): HelmValues {
    const text = template
        .replaceAll("{{ .Cluster.metadata.namespace }}", namespace)
        .replaceAll("{{ .Cluster.metadata.name }}", name)
        .replaceAll('{{ "{{" }}', "{{");
    return parse(text) as HelmValues;
}

function problems(raw: Raw): string {
    try {
        deploymentFor(raw);
        return "";
    } catch (error) {
        assert.ok(error instanceof UserError, String(error));
        return error.message.split("\n\n").slice(1).join("\n\n");
    }
}

describe("archives of regions", () => {
    // As the real charts had them down to the CronJob, and KCM's definitions took the objects, 2026-11-27.
    for (const version of versions.filter(hasRegionless)) {
        it(`read the stores of each region and write apart from all others, on KOF ${version}`, () => {
            const deployment = deploymentFor({ ...management, version, coldStorage: cold, auditArchive: audit });
            const [metricsAndMore, auditLogs] = deployment.archives;
            assert.deepEqual(metricsAndMore!.regional!.signals, ["metrics", "logs", "traces"]);
            assert.equal(metricsAndMore!.regional!.prefix, "telemetry/regions/NAMESPACE/NAME");
            assert.deepEqual(valuesOn(metricsAndMore!.regional!.values, "kcm-system", "eu-1"), {
                sources: "metrics,logs,traces",
                vmURL: "http://vmselect-cluster.kof.svc:8481/select/0/prometheus",
                vlogsURL: "http://kof-storage-victoria-logs-cluster-vlselect.kof.svc:9471",
                vtracesURL: "http://kof-storage-vt-cluster-vtselect.kof.svc:10471",
                s3: {
                    bucket: "acme-cold",
                    prefix: "telemetry/regions/kcm-system/eu-1",
                    region: "eu-west-1",
                    usePathStyle: "false",
                    existingSecret: "cold-storage-exporter-s3-credentials",
                },
            });
            const values = valuesOn(auditLogs!.regional!.values, "other", "eu-2");
            assert.equal(valueAt(values, ["s3", "prefix"]), "audit/regions/other/eu-2");
            assert.deepEqual(values.kms, { keyID: "audit:eu-2" });
            assert.equal(valueAt(values, ["s3", "existingSecret"]), "mine");
            // This cluster's own exporter is as it is without them.
            const { regions: _, ...alone } = cold;
            const own = deploymentFor({ ...management, version, coldStorage: alone }).archives[0]!;
            assert.deepEqual({ ...metricsAndMore, regional: undefined }, own);
        });
    }

    it("are there alone, where this cluster stores nothing of the kind", async () => {
        const regional = { ...routes.regional, version: "1.10.0" };
        const raw = { ...regional, auditArchive: audit, coldStorage: { ...cold, signals: ["metrics", "logs"] } };
        const { archives, notices } = deploymentFor(raw);
        assert.deepEqual(
            archives.map(({ signals, regional: there }) => [signals, there?.signals]),
            [
                [["metrics"], ["metrics", "logs"]],
                [[], ["audit"]],
            ],
        );
        assert.ok(notices.some((each) => each.includes("audit-logs-exporter runs on regional clusters alone")));
        const { resources } = await runOffline(stackFile(raw), { preview: false });
        const named = (kind: string) =>
            resources
                .filter((each) => each.inputs.kind === kind)
                .map((each) => (each.inputs.metadata as { name: string }).name);
        assert.deepEqual(named("HelmRelease"), ["cold-storage-exporter"]);
        assert.equal(named("ServiceTemplate").length, 2);
        assert.equal(resources.filter(({ type }) => type === "aws:s3/bucket:Bucket").length, 2);
        const { regions: _, ...here } = audit;
        assert.match(problems({ ...regional, auditArchive: here }), /kof:auditArchive has nothing to export/);
        // Where there are none of them, nothing changes.
        assert.match(
            problems({ ...routes.regionless, version: "1.10.0", auditArchive: audit }),
            /kof:auditArchive\.regions has no effect/,
        );
    });

    it("are installed by KCM where it installs KOF's stores, and after them", () => {
        const deployment = deploymentFor({ ...management, coldStorage: cold });
        const objects = (istio: boolean, umbrella = deployment.values, regions: Regions = "all") =>
            objectsOnRegions(deployment.catalog, umbrella, istio, {
                name: "x",
                version: "1.11.0-rc0",
                values: "a: 1\n",
                regions,
            });
        const { template, service } = objects(false);
        assert.deepEqual(template, {
            apiVersion: "k0rdent.mirantis.com/v1beta1",
            kind: "ServiceTemplate",
            metadata: {
                name: "x-1-11-0-rc0",
                namespace: "kcm-system",
                labels: { "k0rdent.mirantis.com/component": "kcm" },
            },
            spec: {
                helm: {
                    chartSpec: {
                        chart: "x",
                        version: "1.11.0-rc0",
                        interval: "10m0s",
                        sourceRef: { kind: "HelmRepository", name: "kof-repo" },
                    },
                },
            },
        });
        const role = "k0rdent.mirantis.com/istio-role";
        const regional = { "k0rdent.mirantis.com/kof-cluster-role": "regional" };
        assert.deepEqual(service, {
            apiVersion: "k0rdent.mirantis.com/v1beta1",
            kind: "MultiClusterService",
            metadata: { name: "kof-x", labels: { "k0rdent.mirantis.com/component": "kcm" } },
            spec: {
                dependsOn: ["kof-regional-cluster"],
                clusterSelector: {
                    matchLabels: regional,
                    matchExpressions: [{ key: role, operator: "DoesNotExist" }],
                },
                serviceSpec: {
                    services: [
                        {
                            name: "x",
                            namespace: "kof",
                            template: "x-1-11-0-rc0",
                            helmOptions: { wait: true },
                            values: "a: 1\n",
                        },
                    ],
                },
            },
        });
        const mesh = objects(true).service.spec;
        assert.deepEqual(mesh.dependsOn, ["kof-istio-regional-cluster"]);
        assert.deepEqual(mesh.clusterSelector, { matchLabels: { ...regional, [role]: "member" } });
        const named = { key: "k0rdent.mirantis.com/kof-cluster-name", operator: "In", values: ["eu-1", "eu-2"] };
        const some = (istio: boolean) => objects(istio, undefined, ["eu-1", "eu-2"]).service.spec.clusterSelector;
        assert.deepEqual(some(true), {
            matchLabels: { ...regional, [role]: "member" },
            matchExpressions: [named],
        });
        assert.deepEqual(some(false), {
            matchLabels: regional,
            matchExpressions: [{ key: role, operator: "DoesNotExist" }, named],
        });
        const elsewhere = {
            global: { helmRepo: { name: "mine" } },
            "kof-mothership": { values: { kcm: { namespace: "k" } } },
        };
        const moved = objects(false, elsewhere).template;
        assert.equal(moved.metadata.namespace, "k");
        assert.equal(valueAt(moved.spec, ["helm", "chartSpec", "sourceRef", "name"]), "mine");
    });

    it("have KOF copy their Secrets to every region, and nothing else does", () => {
        const path = ["kof-mothership", "values", "kcm", "kof", "mcs"];
        const copied = (raw: Raw) => valueAt(deploymentFor({ ...management, ...raw }).values, path);
        assert.deepEqual(copied({ coldStorage: cold, auditArchive: audit }), {
            "kof-archive-secrets": {
                matchLabels: { "k0rdent.mirantis.com/kof-cluster-role": "regional" },
                secrets: ["cold-storage-exporter-s3-credentials", "mine"],
            },
        });
        const one = { ...cold, existingSecret: "mine" };
        assert.deepEqual(
            valueAt(copied({ coldStorage: one, auditArchive: audit }), ["kof-archive-secrets", "secrets"]),
            ["mine"],
        );
        const { regions: _, ...alone } = cold;
        assert.equal(copied({ coldStorage: alone }), undefined);
        const entry = (region: string | undefined, ...secrets: string[]) => ({
            [`kof-archive-secrets${region === undefined ? "" : `-${region}`}`]: {
                matchLabels: {
                    "k0rdent.mirantis.com/kof-cluster-role": "regional",
                    ...(region === undefined ? {} : { "k0rdent.mirantis.com/kof-cluster-name": region }),
                },
                secrets,
            },
        });
        const own = "cold-storage-exporter-s3-credentials";
        const some = { ...cold, regions: ["eu-1", "eu-2"] };
        assert.deepEqual(copied({ coldStorage: some, auditArchive: { ...audit, regions: ["eu-2"] } }), {
            ...entry("eu-1", own),
            ...entry("eu-2", own, "mine"),
        });
        assert.deepEqual(copied({ coldStorage: some, auditArchive: audit }), {
            ...entry(undefined, "mine"),
            ...entry("eu-1", own),
            ...entry("eu-2", own),
        });
        // Twice the same on one region would be two releases of one name.
        assert.deepEqual(copied({ coldStorage: { ...one, regions: ["eu-1"] }, auditArchive: audit }), {
            ...entry(undefined, "mine"),
        });
    });

    it("hold what regions store, and are refused without a store or without credentials", () => {
        const off = (path: string, value: unknown = false) => ({
            values: nest(["kof-regional", "values", "storage", ...path.split(".")], value as never),
        });
        const traces = off("victoria-traces-cluster.enabled");
        const { archives } = deploymentFor({ ...management, ...traces, coldStorage: cold });
        assert.deepEqual(archives[0]!.signals, ["metrics", "logs", "traces"]);
        assert.deepEqual(archives[0]!.regional!.signals, ["metrics", "logs"]);
        assert.equal(
            problems({ ...management, ...traces, coldStorage: { ...cold, signals: ["logs", "traces"] } }),
            "  kof:coldStorage.regions is all, but kof:values leave regional clusters without a store of traces. Remove it",
        );
        assert.equal(
            problems({ ...management, ...off("victoriametrics.vlcluster_audit.enabled"), auditArchive: audit }),
            "  kof:auditArchive.regions is all, but kof:values leave regional clusters without a store of audit logs. Remove it",
        );
        assert.equal(
            problems({ ...management, values: { "kof-regional": { enabled: false } }, coldStorage: cold }),
            "  kof:coldStorage.regions is all, but kof:values leave regional clusters without a store of metrics, logs or traces. Remove it",
        );
        assert.match(
            problems({
                ...management,
                ...off("victoria-logs-cluster.vlselect.fullnameOverride", "other"),
                coldStorage: cold,
            }),
            /^ {2}kof:coldStorage\.regions is all, but nobody can read logs at http:\/\/kof-storage-victoria-logs-cluster-vlselect\.kof\.svc:9471 on a regional cluster: kof:values have vlselect\.fullnameOverride other$/m,
        );
        assert.match(
            problems({ ...routes.regionless, coldStorage: cold }),
            /^ {2}kof:coldStorage\.regions has no effect on route regionless, which has no regional clusters\. Remove it$/,
        );
        assert.match(
            problems({
                ...management,
                coldStorage: { ...cold, credentials: { kind: "podIdentity", clusterName: "a" } },
            }),
            /^ {2}kof:coldStorage\.regions is all, but credentials are podIdentity: a role is for the service account of this cluster/,
        );
        assert.match(
            problems({
                ...management,
                coldStorage: { ...cold, regions: ["eu-1"], credentials: { kind: "podIdentity", clusterName: "a" } },
            }),
            /^ {2}kof:coldStorage\.regions is \["eu-1"\], but credentials are podIdentity/,
        );
    });

    it("are those named, or all, and never more than somebody asked for", () => {
        const of = (regions: unknown) => {
            const text = problems({ ...management, coldStorage: { ...cold, regions } });
            return text === "" ? regions : parse(/Paste:([^]*)$/.exec(text)?.[1] ?? "")["kof:coldStorage"].regions;
        };
        const cases: readonly (readonly [found: unknown, meant: unknown])[] = [
            [["eu-1"], ["eu-1"]],
            ["eu-1", ["eu-1"]],
            ["eu-1, kcm-system/eu-2", ["eu-1", "eu-2"]],
            [["eu-1", "eu-1"], ["eu-1"]],
            [
                ["EU_1", { name: "eu-2" }, ""],
                ["eu-1", "eu-2"],
            ],
            [[7], ["7"]],
            [7, ["7"]],
            [{ "eu-1": {}, "eu-2": null }, ["eu-1", "eu-2"]],
            [["eu-1", "all"], "all"],
            ["All", "all"],
            [true, "all"],
        ];
        for (const [found, meant] of cases) {
            assert.deepEqual(of(found), meant, JSON.stringify(found));
        }
        assert.match(
            problems({ ...management, coldStorage: { ...cold, regions: [] } }),
            /^ {2}kof:coldStorage\.regions is \[\], which is not allowed here: where no region is archived, remove it\n {4}Allowed: all, or a list of the names of regional ClusterDeployments, each once/,
        );
    });

    it("say who can write where, and what is not seen", () => {
        const { notices } = deploymentFor({ ...management, auditArchive: audit });
        assert.ok(
            notices.includes(
                "kof:auditArchive.regions has KCM install audit-logs-exporter on every regional cluster, and copy Secret mine to each: whoever reads it there can write below audit/ of the bucket. npm run doctor says what KCM has brought there, npm run verify what of each region is in the bucket; the exporters themselves are not seen from here.",
            ),
            notices.join("\n"),
        );
    });

    it("keep what a template would take for its own as it is", () => {
        const endpoint = "https://minio.example.net/{{x";
        const raw = { ...management, coldStorage: { ...cold, endpoint, existingSecret: "mine" } };
        const { regional } = deploymentFor(raw).archives[0]!;
        assert.equal(valueAt(valuesOn(regional!.values, "a", "b"), ["s3", "endpoint"]), endpoint);
        assert.match(regional!.values, /endpoint: https:\/\/minio\.example\.net\/\{\{ "\{\{" \}\}x$/m);
    });
});
