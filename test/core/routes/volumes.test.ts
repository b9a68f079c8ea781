import assert from "node:assert/strict";

import { catalogOf, versions, type CatalogVolume } from "../../../core/charts";
import { formatPath, mergeValues, nest, valueAt, type HelmValues } from "../../../core/lib/values";
import { deploymentOf } from "../../../core/routes";
import { parseSettings } from "../../../core/routes/parse";
import { keptOf, spaceOf, storesOf, totalGiB, volumesOf, type Volume } from "../../../core/routes/volumes";
import { settingRows } from "../../../tools/describe";
import { cases, hasRegionless, deploymentFor, routes } from "../../support";

const rows = (volumes: readonly Volume[]) =>
    volumes
        .map(({ workload, count, size, storageClass, retention }) =>
            [workload, `${count} x ${size}`, storageClass, retention ?? "cache"].join(" "),
        )
        .sort();

describe("volumes", () => {
    it("of each route ask for what KOF's charts do by default", () => {
        const totals = Object.fromEntries(
            versions.map((version) => [
                version,
                Object.entries(routes)
                    .filter(([name]) => !name.includes(" ") && (name !== "regionless" || hasRegionless(version)))
                    .map(([name, raw]) => `${name} ${totalGiB(volumesOf(deploymentFor({ ...raw, version })))}`),
            ]),
        );
        const until19 = ["none 320", "management 520", "regional 320", "cloudwatch 320", "otlp 320"];
        const from110 = ["none 320", "management 920", "regional 320", "cloudwatch 320", "otlp 320", "regionless 1004"];
        assert.deepEqual(totals, {
            "1.8.0": until19,
            "1.8.1": until19,
            "1.9.0": until19,
            "1.10.0": from110,
            "1.11.0-rc0": from110,
        });
    });

    it("keep logs and traces for a week unless told otherwise", () => {
        assert.deepEqual(rows(volumesOf(deploymentFor({ ...routes.management, version: "1.9.0" }))), [
            "vlstorage 2 x 50Gi kof 7d",
            "vmselect 2 x 10Gi kof cache",
            "vmstorage 3 x 100Gi kof 30d",
            "vtstorage 2 x 50Gi kof 7d",
        ]);
        // What the settings' descriptions promise of every version.
        for (const version of versions) {
            const kept = Object.fromEntries(
                volumesOf(deploymentFor({ ...routes.management, version }))
                    .filter(({ keptByDefault }) => keptByDefault)
                    .map(({ signal, retention }) => [signal, retention]),
            );
            for (const [signal, retention] of Object.entries(kept)) {
                const row = settingRows().find(({ key }) => key === `storage.${signal}.retention`);
                assert.match(row!.description, new RegExp(`KOF's default: ${retention}\\.$`), `${version} ${signal}`);
            }
            assert.deepEqual(Object.keys(kept).length, hasRegionless(version) ? 4 : 3);
        }
        const told = { ...routes.management, storage: { logs: { retention: "7d" } } };
        const logs = volumesOf(deploymentFor(told)).find(({ signal }) => signal === "logs");
        assert.equal(logs?.keptByDefault, false);
    });

    it("say how long they are kept, with all that limits it", () => {
        const storage = ["kof-child", "values", "fromManagement", "storage"];
        const vlstorage = [...storage, "victoria-logs-cluster", "vlstorage"];
        const spec = ["kof-mothership", "values", "victoriametrics", "vmcluster", "spec"];
        const kept = (...values: HelmValues[]) =>
            Object.fromEntries(
                storesOf(
                    deploymentFor({ ...routes.management, version: "1.10.0", values: mergeValues(...values) }),
                ).map((store) => [store.workload, [spaceOf(store), keptOf(store)].join("; ")]),
            );
        const shown = kept(
            nest([...spec, "retentionPeriod"], "2"),
            nest([...spec, "vmstorage", "extraArgs", "retentionFilter"], '{a="b"}:1d'),
            nest([...vlstorage, "extraArgs", "retention.maxDiskUsagePercent"], 80),
            nest([...vlstorage, "horizontalPodAutoscaler", "enabled"], true),
            nest([...storage, "victoria-traces-cluster", "vtstorage", "persistentVolume", "enabled"], false),
            nest([...storage, "victoriametrics", "vlcluster_audit", "spec", "vlstorage", "retentionPeriod"], "1"),
        );
        assert.deepEqual(shown, {
            vmselect: "2 x 10Gi; ",
            vmstorage: '3 x 100Gi; 2 months, by the filter {a="b"}:1d',
            "vlstorage-audit": "2 x 100Gi; 1 month",
            vlstorage: "2 or more x 100Gi; 7d, at most 80% in each pod",
            vtstorage: "2 pods without volumes; 7d, until a restart",
        });
    });

    it("are what the settings say, and what values say after them", () => {
        const storage = {
            metrics: { size: "1.5Ti", replicas: 2 },
            logs: { size: "500G", retention: "60d", replicas: 3 },
        };
        const select = { spec: { vmselect: { replicaCount: 1 } } };
        const values = { "kof-mothership": { values: { victoriametrics: { vmcluster: select } } } };
        const volumes = volumesOf(deploymentFor({ route: "management", storage, values }));
        assert.deepEqual(rows(volumes), [
            "vlstorage 3 x 500G  60d",
            "vlstorage-audit 2 x 100Gi  1y",
            "vmselect 1 x 10Gi  cache",
            "vmstorage 2 x 1.5Ti  30d",
            "vtstorage 2 x 100Gi  7d",
        ]);
        assert.equal(Math.round(totalGiB(volumes)), 200 + 10 + 2 * 1536 + 200 + Math.round((3 * 500e9) / 2 ** 30));
    });

    /** What each route has on the management cluster. Before KOF 1.10 audit logs have no volume of their own. */
    const workloads: Readonly<Record<string, readonly string[]>> = {
        none: ["vmselect", "vmstorage"],
        regional: ["vmselect", "vmstorage"],
        cloudwatch: ["vmselect", "vmstorage"],
        otlp: ["vmselect", "vmstorage"],
        management: ["vlstorage", "vlstorage-audit", "vmselect", "vmstorage", "vtstorage"],
        regionless: ["vlstorage", "vlstorage-audit", "vmselect", "vmstorage", "vtstorage"],
    };

    for (const { version, name, raw } of cases) {
        it(`all get the class, on KOF ${version} with ${name}`, () => {
            const deployment = deploymentFor(raw);
            const volumes = volumesOf(deployment);
            assert.deepEqual(
                volumes.map(({ workload }) => workload).sort(),
                workloads[String(raw.route)]!.filter((each) => each !== "vlstorage-audit" || hasRegionless(version)),
            );
            for (const { storageClass, source } of volumes) {
                const { prefix } = source.chart;
                const path = [...prefix, ...source.volume.storageClass.path];
                assert.equal(valueAt(deployment.umbrella, path), "kof", formatPath(path));
                assert.equal(storageClass, "kof");
                // KOF's charts hand it to volumes of their own that have no class by name.
                assert.equal(valueAt(deployment.umbrella, [...prefix, "global", "storageClass"]), "kof");
            }
            // Grafana's volume has no other class, and is there only when values ask for it.
            assert.equal(valueAt(deployment.umbrella, ["kof-mothership", "values", "global", "storageClass"]), "kof");
        });
    }

    // As real charts had them down to kof-storage on a region, by Helm and Sveltos' template functions, 2026-11-27.
    for (const { version, name, raw } of cases.filter(({ raw }) => raw.route !== "regionless")) {
        it(`on regions are as kof:regions says, and no others, on KOF ${version} with ${name}`, () => {
            const storage = {
                metrics: { size: "300Gi", retention: "90d", replicas: 3, replicationFactor: 1 },
                logs: { size: "200Gi", retention: "60d", replicas: 4 },
                traces: { size: "50Gi", retention: "14d" },
                ...(hasRegionless(version) ? { audit: { size: "70Gi", retention: "2y" } } : {}),
            };
            const plain = deploymentFor(raw);
            const set = deploymentFor({ ...raw, regions: { storage, storageClass: "fast" } });
            assert.deepEqual(rows(set.regionalStores), [
                "vlstorage 4 x 200Gi fast 60d",
                ...(hasRegionless(version) ? ["vlstorage-audit 2 x 70Gi fast 2y"] : []),
                "vmselect 2 x 2Gi fast cache",
                "vmstorage 3 x 300Gi fast 90d",
                "vtstorage 2 x 50Gi fast 14d",
            ]);
            assert.deepEqual(
                set.regionalStores.filter(({ signal }) => signal === "metrics").map(({ copies }) => copies),
                [1, 1],
            );
            assert.deepEqual(rows(set.stores), rows(plain.stores));
            const here = deploymentFor({ ...raw, storage: { metrics: { size: "300Gi" } } });
            assert.deepEqual(rows(here.regionalStores), rows(plain.regionalStores));
            // What KOF hands on itself is left to it, so that the annotation of a region still decides there.
            const values = valueAt(set.values, ["kof-regional", "values", "storage"]);
            const own = (chart: string, workload: string) =>
                valueAt(values, [chart, workload, "persistentVolume", "storageClassName"]);
            const expected = version === "1.8.0" ? "fast" : undefined;
            assert.equal(own("victoria-logs-cluster", "vlstorage"), expected);
            assert.equal(own("victoria-traces-cluster", "vtstorage"), expected);
            assert.equal(valueAt(values, ["global", "storageClass"]), "fast");
            // Also where the only stores left are those that it is handed on to.
            const off = { enabled: false, ...(hasRegionless(version) ? { vlcluster_audit: { enabled: false } } : {}) };
            const left = deploymentFor({
                ...raw,
                regions: { storageClass: "fast" },
                values: nest(["kof-regional", "values", "storage", "victoriametrics"], off),
            });
            assert.deepEqual(rows(left.regionalStores), ["vlstorage 2 x 100Gi fast 7d", "vtstorage 2 x 100Gi fast 7d"]);
        });
    }

    it("of a catalog are each on some route", () => {
        for (const version of versions) {
            const routed = cases
                .filter((each) => each.version === version)
                .flatMap(({ raw }) => {
                    const grafana = {
                        "kof-operators": { values: { "grafana-operator": { enabled: true } } },
                        "kof-mothership": { values: { grafana: { enabled: true, installForTests: true } } },
                    };
                    return volumesOf(deploymentFor({ ...raw, values: grafana })).map(({ source }) => source.volume);
                });
            const missed = catalogOf(version).volumes.filter((volume) => !routed.includes(volume));
            // Without route regionless nothing turns kof-storage's own VMCluster on.
            const off = hasRegionless(version) ? [] : ["kof-storage vmselect", "kof-storage vmstorage"];
            assert.deepEqual(missed.map(({ chart, workload }) => `${chart} ${workload}`).sort(), off, version);
        }
    });

    it("that a later version adds to a chart get the class, too", () => {
        const volumes = catalogOf("1.10.0").volumes as CatalogVolume[];
        const logs = volumes.find(({ workload }) => workload === "vlstorage")!;
        // In a map that takes any key: what the chart of today does not read is refused.
        const path = ["victoria-logs-cluster", "vlstorage", "podAnnotations", "storageClassName"];
        const place = { path, default: "" };
        volumes.push({ ...logs, workload: "profiles", storageClass: { ...place, places: [place] } });
        try {
            const { values } = deploymentOf(parseSettings({ ...routes.management, version: "1.10.0" }, "x"));
            const prefix = ["kof-child", "values", "fromManagement", "storage"];
            assert.equal(valueAt(values, [...prefix, ...path]), "kof");
        } finally {
            volumes.pop();
        }
    });
});
