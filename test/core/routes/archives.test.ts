import assert from "node:assert/strict";

import { formatPath, leaves, mergeValues, nest, type HelmValues } from "../../../core/lib/values";
import type { Archive } from "../../../core/routes/archives";
import { checkSettings, parseSettings } from "../../../core/routes/parse";
import { deploymentOf } from "../../../core/routes";
import { formatProblem } from "../../../core/settings/problems";
import { renderedSecretProblems } from "../../../stacks/gitops";
import { cases, deploymentFor, hasRegionless, routes, type Raw } from "../../support";

const cold = { bucket: "acme-kof-cold", region: "eu-west-1" };
const audit = { bucket: "acme-kof-audit", region: "eu-west-1" };
const management = { ...routes.management, version: "1.10.0" };

function archive(raw: Raw): Archive {
    const [only, ...others] = deploymentFor(raw).archives;
    assert.ok(only && others.length === 0);
    return only;
}

/** The text of what is wrong with settings, without the examples. */
const problems = (raw: Raw) => checkSettings(raw).problems.map(formatProblem).join("\n");

/** Services of the real charts of 1.10.0 and 1.11.0-rc0, and of what the VictoriaMetrics operator makes of their objects (2026-11-27). */
const services = {
    metrics: "http://vmselect-cluster.kof.svc:8481/select/0/prometheus",
    logs: "http://kof-storage-victoria-logs-cluster-vlselect.kof.svc:9471",
    traces: "http://kof-storage-vt-cluster-vtselect.kof.svc:10471",
    audit: "http://vlselect-audit-logs.kof.svc:9471",
};

/** Every value of both charts of 1.11.0-rc0 (`values.yaml`) that a stack gives, and what the chart has there. */
const chartValues: Readonly<Record<Archive["name"], Readonly<Record<string, unknown>>>> = {
    "cold-storage-exporter": {
        sources: "metrics,logs",
        vmURL: "http://vmselect-cluster.kof.svc.cluster.local:8481/select/0/prometheus",
        vlogsURL: "http://kof-storage-victoria-logs-cluster-vlselect.kof.svc.cluster.local:9471",
        vtracesURL: "http://kof-storage-vt-cluster-vtselect.kof.svc.cluster.local:10471",
        "s3.bucket": "",
        "s3.prefix": "telemetry",
        "s3.region": "us-east-1",
        "s3.usePathStyle": "true",
        "s3.endpoint": "",
        "s3.existingSecret": "",
        "serviceAccount.annotations": {},
        podAnnotations: {},
    },
    "audit-logs-exporter": {
        vlogsURL: "http://vlselect-audit-logs:9471",
        complianceMode: "false",
        "kms.keyID": "local-dev-key",
        "s3.bucket": "",
        "s3.prefix": "audit",
        "s3.region": "us-east-1",
        "s3.usePathStyle": "true",
        "s3.endpoint": "",
        "s3.existingSecret": "",
        "serviceAccount.annotations": {},
        podAnnotations: {},
    },
};

describe("archives", () => {
    it("are none without a setting", () => {
        for (const { raw } of cases) {
            assert.deepEqual(deploymentFor(raw).archives, []);
        }
    });

    for (const { version, name, raw } of cases.filter((each) => hasRegionless(each.version))) {
        it(`read what KOF ${version} stores on this cluster on route ${name}`, () => {
            const storesAll = ["management", "regionless"].includes(String(raw.route));
            const { values, signals, sources, version: chart } = archive({ ...raw, coldStorage: cold });
            assert.equal(chart, "1.11.0-rc0");
            assert.deepEqual(signals, storesAll ? ["metrics", "logs", "traces"] : ["metrics"]);
            const { audit: auditService, ...others } = services;
            assert.deepEqual(sources, storesAll ? others : { metrics: others.metrics });
            assert.equal(values.sources, signals.join(","));
            assert.equal(values.vmURL, services.metrics);
            assert.equal(values.vlogsURL, storesAll ? services.logs : undefined);
            assert.equal(values.vtracesURL, storesAll ? services.traces : undefined);
            if (storesAll) {
                const ofAudit = archive({ ...raw, auditArchive: audit });
                assert.deepEqual(ofAudit.sources, { audit: auditService });
                assert.equal(ofAudit.values.vlogsURL, auditService);
            } else {
                assert.match(
                    problems({ ...raw, auditArchive: audit }),
                    /^ {2}kof:auditArchive has nothing to export, for no audit logs are stored on this cluster \(audit logs: /,
                );
            }
        });
    }

    it("give the exporters' charts nothing that these do not have, and text where they have text", () => {
        const secret = { endpoint: "https://s3.example.net", existingSecret: "keys" };
        const oidcProviderArn = "arn:aws:iam::123456789012:oidc-provider/oidc.example.net";
        for (const more of [{}, secret, { credentials: { kind: "irsa", oidcProviderArn } }]) {
            for (const archives of [{ coldStorage: { ...cold, ...more } }, { auditArchive: { ...audit, ...more } }]) {
                const { name, values } = archive({ ...management, istio: true, ...archives });
                for (const [path, value] of leaves(values)) {
                    const known = chartValues[name];
                    const key = Object.keys(known).find((each) => `${formatPath(path)}.`.startsWith(`${each}.`));
                    assert.ok(key !== undefined, formatPath(path));
                    assert.equal(typeof value, "string", formatPath(path));
                }
            }
        }
    });

    it("follow the port of what reads a store, and are refused where its service has another name or none", () => {
        const stored = (...path: string[]) => ["kof-child", "values", "fromManagement", "storage", ...path];
        const with_ = (path: string[], value: string | boolean) => ({
            ...management,
            coldStorage: { ...cold, signals: ["logs"] },
            values: nest(stored(...path), value),
        });
        const port = with_(["victoria-logs-cluster", "vlselect", "service", "servicePort"], "9999");
        assert.equal(archive(port).values.vlogsURL, services.logs.replace("9471", "9999"));
        const ofMetrics = {
            ...routes.none,
            coldStorage: cold,
            values: nest("kof-mothership.values.victoriametrics.vmcluster.spec.vmselect.port".split("."), "9997"),
        };
        assert.equal(archive(ofMetrics).values.vmURL, services.metrics.replace("8481", "9997"));
        const ofAudit = {
            ...management,
            auditArchive: audit,
            values: nest(stored("victoriametrics", "vlcluster_audit", "spec", "vlselect", "port"), "9998"),
        };
        assert.equal(archive(ofAudit).values.vlogsURL, services.audit.replace("9471", "9998"));
        for (const [path, value, by] of [
            [["vlselect", "fullnameOverride"], "reader", "vlselect.fullnameOverride reader"],
            [["vlselect", "enabled"], false, "vlselect.enabled false"],
            [["nameOverride"], "other", "victoria-logs-cluster.nameOverride other"],
        ] as const) {
            assert.match(
                problems(with_(["victoria-logs-cluster", ...path], value)),
                new RegExp(
                    `kof:coldStorage\\.signals has logs, which nobody can read at .*: kof:values have ${by}$`,
                    "m",
                ),
            );
        }
        assert.equal(problems(with_(["victoria-logs-cluster", "vlinsert", "fullnameOverride"], "writer")), "");
    });

    it("say what is in a store that gets nothing of this cluster's own", () => {
        const told = (raw: Raw) =>
            deploymentFor({ version: "1.10.0", coldStorage: cold, ...raw }).notices.filter((each) =>
                each.includes("archives none of this cluster's own"),
            );
        const rules = "The store of metrics has what KOF's recording rules (VMAlert) make of what is in it";
        for (const [name, why] of [
            ["none", "not collected"],
            ["cloudwatch", "discarded"],
            ["regional", "stored elsewhere"],
        ] as const) {
            assert.deepEqual(told(routes[name] ?? {}), [
                `kof:coldStorage archives none of this cluster's own metrics (${why}). ${rules} and what others write there.`,
            ]);
        }
        assert.deepEqual([told(routes.management ?? {}), told(routes.regionless ?? {})], [[], []]);
        const signals = { metrics: ["cloudwatch"], logs: ["cloudwatch"] };
        const cloudwatch = { region: "eu-west-1", signals: { metrics: "otlp" } };
        assert.deepEqual(
            told({ ...routes.regionless, signals, cloudwatch, coldStorage: { ...cold, signals: ["logs", "metrics"] } }),
            [
                `kof:coldStorage archives none of this cluster's own metrics (stored elsewhere). ${rules}, what child clusters send and what others write there.`,
                "kof:coldStorage archives none of this cluster's own logs (stored elsewhere). The store of logs has what child clusters send and what others write there.",
            ],
        );
    });

    it("of what is not stored here are refused with lines that store it, or leave it out", () => {
        const missing: Record<string, Raw> = {
            auditArchive: audit,
            coldStorage: { ...cold, signals: ["traces", "logs"] },
        };
        for (const { version, name, raw } of cases.filter((each) => hasRegionless(each.version))) {
            for (const [kind, archived] of Object.entries(missing)) {
                const given = { ...raw, [kind]: archived };
                for (const { paste } of checkSettings(given).problems) {
                    const lines = Object.entries(paste as HelmValues).map(([key, value]) => [key.slice(4), value]);
                    const pasted = mergeValues(given as HelmValues, Object.fromEntries(lines) as HelmValues);
                    assert.equal(problems(pasted), "", `${version} ${name} ${kind}`);
                }
            }
        }
    });

    it("authenticate as they are told, by the names that the charts read", () => {
        const keys = ["S3_ACCESS_KEY", "S3_SECRET_KEY"];
        const of = (more: Raw) => archive({ ...management, coldStorage: { ...cold, ...more } });
        const key = of({});
        assert.deepEqual(key.credentials, { kind: "accessKey", generations: ["1"] });
        assert.deepEqual(key.secret, { name: "cold-storage-exporter-s3-credentials", keys });
        assert.deepEqual((key.values.s3 as Raw).existingSecret, "cold-storage-exporter-s3-credentials");
        const short = of({ existingSecret: "mine" });
        assert.deepEqual(short.credentials, { kind: "existingSecret", name: "mine" });
        assert.deepEqual(short.values, of({ credentials: { kind: "existingSecret", name: "mine" } }).values);
        const pod = of({ credentials: { kind: "podIdentity", clusterName: "eks" } });
        assert.deepEqual([pod.secret, (pod.values.s3 as Raw).existingSecret], [undefined, undefined]);
        assert.equal(pod.serviceAccount, "cold-storage-exporter");
        const oidcProviderArn = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC";
        for (const [clusterName, role] of [
            ["mothership", "kof-cold-storage-mothership"],
            ["m".repeat(63), /^kof-cold-storage-m{38}-[0-9a-f]{8}$/],
        ] as const) {
            const irsa = archive({
                ...management,
                clusterName,
                coldStorage: { ...cold, credentials: { kind: "irsa", oidcProviderArn } },
            });
            assert.match(irsa.roleName ?? "", new RegExp(role));
            assert.deepEqual(irsa.values.serviceAccount, {
                annotations: {
                    "eks.amazonaws.com/role-arn": `arn:aws:iam::123456789012:role/kof/${irsa.roleName ?? ""}`,
                },
            });
            assert.ok((irsa.roleName ?? "").length <= 64);
        }
    });

    it("need Secrets like everything else, one where both read the same", () => {
        const needed = (raw: Raw) =>
            deploymentFor({ ...management, ...raw }).secrets.map(
                ({ name, maker, reader, keys }) => `${name} of ${maker} for ${reader}: ${keys.join(" ")}`,
            );
        const both = (more: Raw) => ({ coldStorage: { ...cold, ...more }, auditArchive: { ...audit, ...more } });
        assert.deepEqual(needed(both({})), [
            "cold-storage-exporter-s3-credentials of stack for exporters: S3_ACCESS_KEY S3_SECRET_KEY",
            "audit-logs-exporter-s3-credentials of stack for exporters: S3_ACCESS_KEY S3_SECRET_KEY",
        ]);
        assert.deepEqual(needed(both({ existingSecret: "mine" })), [
            "mine of you for exporters: S3_ACCESS_KEY S3_SECRET_KEY",
        ]);
        assert.deepEqual(needed(both({ credentials: { kind: "podIdentity", clusterName: "eks" } })), []);
    });

    it("have their Secrets made elsewhere where objects are written into git, by a paste that is right", () => {
        const raw = { ...management, coldStorage: cold, auditArchive: audit };
        const found = renderedSecretProblems(deploymentFor(raw));
        assert.deepEqual(
            found.map(({ key }) => key),
            ["kof:coldStorage.credentials", "kof:auditArchive.credentials"],
        );
        const pasted = mergeValues(
            raw,
            ...found.map(({ paste }) =>
                Object.fromEntries(Object.entries(paste as HelmValues).map(([key, value]) => [key.slice(4), value])),
            ),
        );
        assert.equal(problems(pasted), "");
        assert.deepEqual(renderedSecretProblems(deploymentFor(pasted)), []);
    });

    it("of audit logs sign with a key of the cluster's own, which is no base64, and insist on the lock that is asked for", () => {
        const { values, signingKey } = archive({ ...management, clusterName: "abcd", auditArchive: audit });
        assert.equal(signingKey, "audit:abcd");
        assert.deepEqual(values.kms, { keyID: "audit:abcd" });
        assert.equal(values.complianceMode, "false");
        const objectLock = { mode: "COMPLIANCE", days: 365 };
        const locked = archive({ ...management, auditArchive: { ...audit, objectLock } });
        assert.equal(locked.values.complianceMode, "true");
        assert.deepEqual(locked.bucket.objectLock, objectLock);
    });

    it("end their pods with the exporter in the mesh, where a proxy runs beside it", () => {
        const { values } = archive({ ...management, istio: true, coldStorage: cold });
        assert.deepEqual(values.podAnnotations, { "sidecar.istio.io/nativeSidecar": "true" });
        assert.equal(archive({ ...management, coldStorage: cold }).values.podAnnotations, undefined);
    });

    it("go to a bucket that the stack makes and keeps, or to one of another store, which it does not make", () => {
        const { bucket, values } = archive({ ...management, coldStorage: cold });
        assert.deepEqual(bucket, {
            name: "acme-kof-cold",
            region: "eu-west-1",
            create: true,
            keep: true,
            objectLock: undefined,
            lifecycle: [],
            kmsKeyArn: undefined,
            tags: {},
            endpoint: undefined,
        });
        assert.deepEqual(values.s3, {
            bucket: "acme-kof-cold",
            prefix: "telemetry",
            region: "eu-west-1",
            usePathStyle: "false",
            existingSecret: "cold-storage-exporter-s3-credentials",
        });
        const endpoint = "http://minio.minio.svc:9000";
        const other = archive({ ...management, coldStorage: { bucket: "kof", endpoint, existingSecret: "minio" } });
        assert.deepEqual([other.bucket.create, other.bucket.region], [false, "us-east-1"]);
        assert.deepEqual(other.values.s3, {
            bucket: "kof",
            prefix: "telemetry",
            region: "us-east-1",
            usePathStyle: "true",
            endpoint,
            existingSecret: "minio",
        });
        assert.equal(archive({ ...management, coldStorage: { ...cold, createBucket: false } }).bucket.create, false);
    });

    it("are the same for remembered settings, to which rules do not apply", () => {
        const raw = { ...management, coldStorage: cold, auditArchive: audit };
        const { archives, settings } = deploymentFor(raw);
        const remembered = parseSettings(settings, "outputs", true);
        assert.deepEqual(deploymentOf(remembered).archives, archives);
        const gone = parseSettings({ ...settings, route: "none" }, "outputs", true);
        assert.deepEqual(
            deploymentOf(gone).archives.map(({ signals }) => signals),
            [["metrics"], ["audit"]],
        );
    });
});
