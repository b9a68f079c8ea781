import assert from "node:assert/strict";

import { mergeValues, nest, type HelmValue, type HelmValues } from "../../../core/lib/values";
import { UserError } from "../../../core/lib/errors";
import { deploymentFor, routes, type Raw } from "../../support";

/** Values by their paths. */
const at = (...entries: (readonly [string, HelmValue])[]): HelmValues =>
    mergeValues(...entries.map(([path, value]) => nest(path.split("."), value)));

const storage = "kof-child.values.fromManagement.storage";
const vlstorage = `${storage}.victoria-logs-cluster.vlstorage`;
const vtstorage = `${storage}.victoria-traces-cluster.vtstorage`;
const metrics = "kof-mothership.values.victoriametrics.vmcluster.spec";
const plain: Raw = { ...routes.management, version: "1.10.0" };
const given = (settings: object, ...entries: (readonly [string, HelmValue])[]): Raw => ({
    ...plain,
    ...settings,
    values: at(...entries),
});
const notices = (settings: object, ...entries: (readonly [string, HelmValue])[]) =>
    deploymentFor(given(settings, ...entries)).notices;
/** The text of the error that settings give; empty where there is none. */
function problems(settings: object, ...entries: (readonly [string, HelmValue])[]): string {
    try {
        deploymentFor(given(settings, ...entries));
        return "";
    } catch (error) {
        assert.ok(error instanceof UserError, String(error));
        return error.message;
    }
}

describe("kof:values and the settings of stores", () => {
    it("do not contradict each other at a place that the chart does not reach, and no notice is of one", () => {
        const common = `${storage}.victoria-logs-cluster.common.retentionPeriod`;
        assert.equal(problems({ storage: { logs: { retention: "30d" } } }, [common, "3d"]), "");
        assert.ok(notices({}, [common, "3d"]).every((text) => !text.includes(common)));
        const elsewhere = `${storage}.victoriametrics.enabled`;
        assert.ok(notices({}, [elsewhere, false]).every((text) => !text.includes(elsewhere)));
    });

    it("may not say two things of one store, by whichever key the charts read", () => {
        const size = `${vlstorage}.persistentVolume.size`;
        const settings = { storage: { logs: { size: "200Gi", retention: "30d" }, metrics: { replicas: 3 } } };
        const text = problems(
            settings,
            [size, "300Gi"],
            [`${vlstorage}.extraArgs.retentionPeriod`, "90d"],
            [`${metrics}.vmstorage.replicaCount`, 5],
        );
        assert.match(text, /has 3 problems\. Nothing was changed\./);
        assert.ok(
            text.includes(`  kof:values.${size} is "300Gi", but kof:storage.logs.size is "200Gi": both are the size of vlstorage. Remove it from values
    Paste:   kof:storage:
               logs:
                 size: 300Gi`),
            text,
        );
        assert.match(text, /vlstorage\.extraArgs\.retentionPeriod is "90d", but kof:storage\.logs\.retention is "30d"/);
        assert.match(
            text,
            /replicaCount is 5, but kof:storage\.metrics\.replicas is 3: both are the number of replicas/,
        );
        // What is pasted is right.
        assert.equal(problems({ storage: { logs: { size: "300Gi" } } }, [size, "300Gi"]), "");
    });

    it("may say the same in other words", () => {
        assert.equal(problems({ storage: { logs: { retention: "28d" } } }, [`${vlstorage}.retentionPeriod`, "4w"]), "");
        assert.equal(
            problems({ storage: { logs: { size: "1Ti" } } }, [`${vlstorage}.persistentVolume.size`, "1024Gi"]),
            "",
        );
    });

    it("may not name two classes", () => {
        const key = `${storage}.global.storageClass`;
        assert.match(
            problems({}, [key, "other"]),
            /global\.storageClass is "other", but kof:storageClass\.name is "kof": both are the class of vlstorage-audit\. Remove it from values\n {4}Paste: {3}kof:storageClass:\n {15}name: other/,
        );
        assert.equal(problems({}, [key, "kof"]), "");
    });

    it("name the setting that there is for what values say", () => {
        const key = `${vlstorage}.retentionPeriod`;
        assert.deepEqual(notices({}, [key, "90d"]), [
            `kof:values.${key} decides the retention of vlstorage, for which there is the setting kof:storage.logs.retention.`,
        ]);
        const storageClass = `${storage}.global.storageClass`;
        assert.deepEqual(notices({ storageClass: undefined }, [storageClass, "other"]), [
            `kof:values.${storageClass} decides the class of vlstorage-audit, for which there is the setting kof:storageClass.name.`,
        ]);
        const ofRegions = "kof-regional.values.storage";
        const classOfRegions = `${ofRegions}.global.storageClass`;
        assert.deepEqual(notices({}, [key.replace(storage, ofRegions), "90d"], [classOfRegions, "fast"]), [
            `kof:values.${classOfRegions} decides the class of vmselect, vmstorage, vlstorage-audit, vlstorage, vtstorage on each regional cluster, for which there is the setting kof:regions.storageClass.`,
            `kof:values.${key.replace(storage, ofRegions)} decides the retention of vlstorage on each regional cluster, for which there is the setting kof:regions.storage.logs.retention.`,
        ]);
    });

    it("say nothing where another place decides, and are named for it", () => {
        const key = `${vlstorage}.retentionPeriod`;
        const shared = `${storage}.victoria-logs-cluster.common.extraArgs.retentionPeriod`;
        const kept = { storage: { logs: { retention: "60d" } } };
        const said = (path: string, where: string, setting: string) =>
            `kof:values.${path} is 30d, and does not decide the retention of vlstorage${where}: kof:${setting}.logs.retention does, 60d.`;
        assert.deepEqual(notices(kept, [key, "30d"]), [said(key, "", "storage")]);
        assert.deepEqual(notices(kept, [shared, "30d"]), [said(shared, "", "storage")]);
        assert.deepEqual(notices(kept, [key, "60d"]), []);
        const there = key.replace(storage, "kof-regional.values.storage");
        const found = notices({ regions: kept }, [there, "30d"]).filter((each) => each.includes("decide"));
        assert.deepEqual(found, [said(there, " on each regional cluster", "regions.storage")]);
    });

    it("may not say two things of the stores on regions either", () => {
        const ofRegions = "kof-regional.values.storage";
        const retention = `${ofRegions}.victoria-logs-cluster.vlstorage.extraArgs.retentionPeriod`;
        const regions = { storage: { logs: { retention: "60d" } }, storageClass: "fast" };
        const text = problems({ regions }, [retention, "90d"], [`${ofRegions}.global.storageClass`, "slow"]);
        assert.match(text, /has 2 problems\. Nothing was changed\./);
        assert.ok(
            text.includes(`  kof:values.${ofRegions}.global.storageClass is "slow", but kof:regions.storageClass is "fast": both are the class of vmselect on each regional cluster. Remove it from values
    Paste:   kof:regions:
               storageClass: slow`),
            text,
        );
        assert.ok(
            text.includes(`  kof:values.${retention} is "90d", but kof:regions.storage.logs.retention is "60d": both are the retention of vlstorage on each regional cluster. Remove it from values
    Paste:   kof:regions:
               storage:
                 logs:
                   retention: 90d`),
            text,
        );
        const pasted = { storage: { logs: { retention: "90d" } }, storageClass: "slow" };
        const values = [
            [retention, "90d"],
            [`${ofRegions}.global.storageClass`, "slow"],
        ] as const;
        assert.equal(problems({ regions: pasted }, ...values), "");
        // What is said of this cluster is nothing of theirs.
        assert.equal(problems({ storage: { logs: { retention: "60d" } } }, ...values), "");
    });

    it("say what is not known about regions, and which setting has no effect", () => {
        const regions = { storage: { traces: { retention: "14d" } }, storageClass: "fast" };
        const [known = "", ...others] = notices({ regions });
        assert.match(
            known,
            /^kof:regions holds for every regional cluster\. How many there are is not seen here, .*: k0rdent\.mirantis\.com\/kof-storage-values goes over it, and k0rdent\.mirantis\.com\/kof-storage-class gives logs and traces another class\.$/,
        );
        assert.deepEqual(others, []);
        // Real charts, 2026-11-27: KOF 1.8.0 lets values win over that annotation.
        assert.match(
            deploymentFor({ ...plain, version: "1.8.0", regions }).notices.join("\n"),
            /kof-storage-values goes over it\.$/,
        );
        assert.doesNotMatch(notices({ regions: { storage: regions.storage } }).join("\n"), /kof-storage-class/);
        const off = "kof-regional.values.storage.victoria-traces-cluster.enabled";
        assert.equal(
            notices({ regions }, [off, false])[0],
            `kof:regions.storage.traces has no effect: kof:values.${off} turns the store off.`,
        );
        assert.deepEqual(notices({ regions }, ["kof-regional.enabled", false]).slice(0, 2), [
            "kof:regions.storage.traces has no effect: kof:values.kof-regional.enabled turns the store off.",
            "kof:regions.storageClass has no effect: kof:values.kof-regional.enabled leaves regional clusters without stores.",
        ]);
    });

    it("have what a setting has to be known of, by whichever key and on regions too", () => {
        const shards = (key: string, signal: string) =>
            `${key} is 3: these are shards, not copies. Each holds its share of the ${signal} alone, which are lost with its volume.`;
        const small = (key: string) => `${key} is 5Gi: KOF advises at least 10Gi for each pod.`;
        const ofStores = (storage: string) => [
            [`${storage}.victoriametrics.vlcluster_audit.spec.vlstorage.replicaCount`, "audit"] as const,
            [`${storage}.victoria-logs-cluster.vlstorage.replicaCount`, "logs"] as const,
            [`${storage}.victoria-traces-cluster.vtstorage.replicaCount`, "traces"] as const,
        ];
        const known = (all: readonly string[]) =>
            all.filter((text) => !text.includes("for which there is the setting"));
        for (const signal of ["audit", "logs", "traces"]) {
            assert.deepEqual(notices({ storage: { [signal]: { replicas: 3, size: "5Gi" } } }), [
                small(`kof:storage.${signal}.size`),
                shards(`kof:storage.${signal}.replicas`, signal),
            ]);
            assert.deepEqual(notices({ regions: { storage: { [signal]: { replicas: 3, size: "5Gi" } } } }).slice(1), [
                small(`kof:regions.storage.${signal}.size`),
                shards(`kof:regions.storage.${signal}.replicas`, signal),
            ]);
        }
        for (const place of [storage, "kof-regional.values.storage"]) {
            for (const [path, signal] of ofStores(place)) {
                assert.deepEqual(known(notices({}, [path, 3])), [shards(`kof:values.${path}`, signal)]);
            }
            const size = `${place}.victoria-logs-cluster.vlstorage.persistentVolume.size`;
            assert.deepEqual(known(notices({}, [size, "5Gi"])), [small(`kof:values.${size}`)]);
        }
        assert.deepEqual(known(notices({}, [`${metrics}.vmstorage.replicaCount`, 4])), []);
    });

    it("say which setting has no effect, because values turn its store off", () => {
        const off = `${storage}.victoriametrics.vlcluster_audit.enabled`;
        assert.deepEqual(notices({ storage: { audit: { retention: "90d" } } }, [off, false]), [
            `kof:storage.audit has no effect: kof:values.${off} turns the store off.`,
        ]);
        assert.deepEqual(
            notices({ storage: { logs: { retention: "90d" } } }, ["kof-child.enabled", false]).slice(0, 1),
            ["kof:storage.logs has no effect: kof:values.kof-child.enabled turns the store off."],
        );
    });

    it("say which components are off, and what of each cluster with them", () => {
        assert.deepEqual(notices({}, ["kof-child.enabled", false], ["kof-regional.enabled", false]), [
            "kof:values.kof-regional.enabled is false, which leaves out KOF on every regional cluster, with all that is stored there.",
            "kof:values.kof-child.enabled is false, which leaves out KOF on every child cluster, and the stores and collectors of this cluster.",
        ]);
        const regions = "kof-regional.values.storage.victoria-traces-cluster.enabled";
        assert.deepEqual(notices({}, [regions, false]), [
            `kof:values.${regions} turns off vtstorage, the store of traces on each regional cluster.`,
        ]);
    });

    it("say which stores keep nothing, or not by KOF's means", () => {
        const volume = `${vlstorage}.persistentVolume`;
        assert.deepEqual(notices({}, [`${volume}.enabled`, false]), [
            `kof:values.${volume}.enabled leaves vlstorage, the store of logs on this cluster, without volumes: a pod that restarts loses its logs.`,
        ]);
        assert.deepEqual(notices({}, [`${volume}.existingClaim`, "mine"]), [
            `kof:values.${volume}.existingClaim has vlstorage, the store of logs on this cluster, keep them in a claim that KOF does not make.`,
        ]);
        const scaled = `${vlstorage}.horizontalPodAutoscaler.enabled`;
        assert.deepEqual(notices({}, [scaled, true]), [
            `kof:values.${scaled} lets Kubernetes choose how many pods vlstorage has, 2 at first. A pod that goes takes its logs with it.`,
        ]);
    });

    // Each as victoria-logs 1.52.1 and victoria-metrics 1.146.1 took it at their start, 2026-11-27.
    it("refuse what a store does not start with", () => {
        for (const [value, isRight] of [
            ["12h", false],
            ["24h", true],
            ["1d12h", true],
            ["24h59m", false],
            ["100y", true],
            ["200y", false],
        ] as const) {
            for (const path of [`${vlstorage}.retentionPeriod`, `${metrics}.vmstorage.extraArgs.retentionPeriod`]) {
                assert.equal(
                    problems({}, [path, value]).includes("which is not a valid retention for"),
                    !isRight,
                    value,
                );
            }
        }
        const limits = (...entries: (readonly [string, HelmValue])[]) =>
            problems({}, [
                `${vlstorage}.extraArgs`,
                Object.fromEntries(entries.map(([key, value]) => [`retention.${key}`, value])),
            ]);
        for (const percent of [0.5, 80.5, 150, "80.5"]) {
            assert.match(limits(["maxDiskUsagePercent", percent]), /which is not a valid limit for vlstorage/);
        }
        for (const percent of [1, 100, "80"]) {
            assert.equal(limits(["maxDiskUsagePercent", percent]), "");
        }
        assert.equal(limits(["maxDiskSpaceUsageBytes", "1.5GiB"]), "");
        assert.match(
            limits(["maxDiskSpaceUsageBytes", "50GiB"], ["maxDiskUsagePercent", 80]),
            /extraArgs\."retention\.maxDiskSpaceUsageBytes" is one limit of two \(50GiB, 80%\), with which vlstorage does not start\n {4}Allowed: either bytes or a percentage$/m,
        );
        const elsewhere = `${vlstorage}.retentionDiskSpaceUsage`;
        assert.match(
            problems({}, [elsewhere, 20], [`${vlstorage}.extraArgs`, { "retention.maxDiskUsagePercent": 80 }]),
            /retentionDiskSpaceUsage is one limit of two \(20GiB, 80%\)/,
        );
    });

    it("refuse what no store can be made of, on this cluster and on regions", () => {
        const text = problems(
            {},
            [`${vlstorage}.retentionPeriod`, "x"],
            [`${vtstorage}.persistentVolume.size`, "big"],
            [`${vtstorage}.retentionDiskSpaceUsage`, "lots"],
            [`${metrics}.replicationFactor`, 9],
            ["kof-regional.values.storage.victoria-logs-cluster.vlstorage.retentionPeriod", "junk"],
        );
        for (const expected of [
            `${vlstorage}.retentionPeriod is "x", which is not a valid retention for vlstorage`,
            `${vtstorage}.persistentVolume.size is "big", which is not a valid size for the volumes of vtstorage`,
            `${vtstorage}.retentionDiskSpaceUsage is "lots", which is not a valid limit for vtstorage`,
            `${metrics}.replicationFactor leaves vmstorage with 3 pods for 9 copies of each sample`,
            'kof-regional.values.storage.victoria-logs-cluster.vlstorage.retentionPeriod is "junk", which is not a valid retention',
        ]) {
            assert.ok(text.includes(`  kof:values.${expected}`), `${expected}\n\n${text}`);
        }
        assert.match(text, /has 5 problems/);
        assert.match(
            problems({}, [`${metrics}.replicationFactor`, -1]),
            /replicationFactor is -1, which is not a valid number of/,
        );
        assert.match(
            problems({}, [`${metrics}.vmstorage.replicaCount`, 1]),
            /vmstorage\.replicaCount leaves vmstorage with 1 pods for 2 copies of each sample/,
        );
        assert.match(
            problems({}, ["kof-regional.values.storage.victoria-logs-cluster.vlstorage.enabled", false]),
            /with which Helm fails to install victoria-logs-cluster/,
        );
    });

    it("refuse a storage class that is no text: charts write it as it is, and Kubernetes takes nothing else", () => {
        const mothership = "kof-mothership.values";
        const fault = (chart: string, value: HelmValue) =>
            problems({ storageClass: undefined }, [`${chart}.global.storageClass`, value])
                .split("\n")
                .slice(2)
                .join("\n");
        const found = (chart: string, value: string) =>
            `  kof:values.${chart}.global.storageClass is ${value}, which is not the name of a storage class for vmselect\n` +
            "    Allowed: text: the name of a storage class";
        assert.equal(fault(mothership, ["x"]), found(mothership, '["x"]'));
        const paste = [
            "    Paste:   kof:values:",
            "               kof-mothership:",
            "                 values:",
            "                   global:",
            '                     storageClass: "5"',
        ];
        assert.equal(fault(mothership, 5), [found(mothership, "5"), ...paste].join("\n"));
        // The charts of regions write a class of logs without the quotes.
        assert.equal(fault("kof-regional.values.storage", 5), found("kof-regional.values.storage", "5"));
        assert.match(
            problems({ storageClass: undefined }, [`${vlstorage}.persistentVolume.storageClassName`, true]),
            /storageClassName is true, which is not the name of a storage class for vlstorage/,
        );
    });

    it("refuse a store that two charts would make", () => {
        const own = `${storage}.victoriametrics`;
        assert.match(
            problems({}, [`${own}.enabled`, true], [`${own}.vmcluster.enabled`, true]),
            /victoriametrics\.enabled has kof-storage make vmselect, which kof-mothership makes as well: both would own/,
        );
    });
});
