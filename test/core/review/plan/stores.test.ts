import assert from "node:assert/strict";

import { acknowledgement, planOf, refused, verdictOf } from "../../../../core/review/plan";
import { planText } from "../../../../core/review/plan/text";
import { mergeValues, nest, type HelmValue, type HelmValues } from "../../../../core/lib/values";
import { storesOf } from "../../../../core/routes/volumes";
import { hasRegionless, deploymentFor, routes, type Raw } from "../../../support";

const plan = (from: Raw, to: Raw) => planOf(deploymentFor(from), deploymentFor(to));
const found = (from: Raw, to: Raw) =>
    plan(from, to).consequences.map(({ severity, key, acknowledge }) => `${severity} ${key} [${acknowledge ?? ""}]`);
const messages = (from: Raw, to: Raw) => plan(from, to).consequences.map(({ message }) => message);

const storage = "kof-child.values.fromManagement.storage";
const regions = "kof-regional.values.storage";
/** Values by their paths. */
const at = (...entries: (readonly [string, HelmValue])[]): HelmValues =>
    mergeValues(...entries.map(([path, value]) => nest(path.split("."), value)));
const management: Raw = { route: "management", version: "1.10.0" };
const given = (...entries: (readonly [string, HelmValue])[]): Raw => ({ ...management, values: at(...entries) });

describe("a change of kof:values", () => {
    it("that turns the audit store off, as KOF's page advises, loses what is in it, and starts it the other way round", () => {
        const path = `${storage}.victoriametrics.vlcluster_audit.enabled`;
        const off = given([path, false]);
        assert.equal(verdictOf(plan(management, off)), "loses");
        assert.deepEqual(found(management, off), [`loses kof:values.${path} [audit off]`]);
        assert.match(
            messages(management, off)[0]!,
            /^leaves the stored audit unreachable: .*\(vlstorage-audit 2 x 100Gi\)/,
        );
        const [, , , audit] = plan(management, off).signals;
        assert.deepEqual([audit?.operation, audit?.gap], ["stops", "everything from this deployment on"]);
        assert.deepEqual(refused(plan(management, { ...off, acknowledge: "audit off" })), []);
        assert.deepEqual(found(off, management), [`notice kof:values.${path} []`]);
        assert.match(
            messages(off, management)[0]!,
            /^starts vlstorage-audit, the store of audit on this cluster: 2 x 100Gi, kept for 1y$/,
        );
    });

    it("that turns a component off uninstalls it everywhere, and what it installs here with it", () => {
        const off = given(["kof-child.enabled", false], ["kof-regional.enabled", false]);
        assert.deepEqual(found(management, off), [
            "loses kof:values.kof-regional.enabled [kof-regional off]",
            "loses kof:values.kof-child.enabled [kof-child off]",
            "loses kof:values.kof-child.enabled [kof-child off]",
        ]);
        assert.deepEqual(messages(management, off), [
            "uninstalls KOF on every regional cluster, with all that is stored there",
            "uninstalls KOF on every child cluster, and the stores and collectors of this cluster",
            "leaves the stored audit, logs, traces unreachable: the volumes stay (vlstorage-audit 2 x 100Gi, vlstorage 2 x 100Gi, " +
                "vtstorage 2 x 100Gi), but nothing reads them until it is on again",
        ]);
        assert.equal(acknowledgement(plan(management, off)), "kof-regional off, kof-child off");
        assert.ok(plan(management, off).signals.every(({ operation }) => operation === "stops"));
        assert.deepEqual(found(off, management), [
            "notice kof:values.kof-regional.enabled []",
            "notice kof:values.kof-child.enabled []",
            ...["audit", "logs", "traces"].map(() => "notice kof:values.kof-child.enabled []"),
        ]);
    });

    for (const version of ["1.8.0", "1.9.0", "1.10.0", "1.11.0-rc0"]) {
        it(`on KOF ${version} that turns off what the route does not need still takes KOF off other clusters`, () => {
            const none: Raw = { route: "none", version };
            const off = (name: string) => ({ ...none, values: { [name]: { enabled: false } } });
            assert.deepEqual(
                ["kof-child", "kof-regional", "kof-mothership", "kof-operators"].map(
                    (name) => found(none, off(name))[0],
                ),
                ["kof-child", "kof-regional", "kof-mothership", "kof-operators"].map(
                    (name) => `loses kof:values.${name}.enabled [${name} off]`,
                ),
            );
            // Its definitions stay, and with them what it runs; but nothing makes it where it does not run yet.
            const operatorOff = plan(none, off("victoria-metrics-operator"));
            assert.deepEqual(found(none, off("victoria-metrics-operator")), [
                "loses kof:values.victoria-metrics-operator.enabled [victoria-metrics-operator off]",
                "notice kof:values.victoria-metrics-operator.enabled []",
            ]);
            assert.match(
                operatorOff.consequences[0]!.message,
                /^leaves vmstorage without an operator: what runs stays/,
            );
            assert.ok(operatorOff.volumes.every(({ operation }) => operation === "kept"));
            assert.deepEqual(found(none, off("kof-mothership")).slice(1), [
                "loses kof:values.kof-mothership.enabled [kof-mothership off]",
            ]);
        });
    }

    for (const version of ["1.8.0", "1.9.0", "1.10.0", "1.11.0-rc0"]) {
        it(`on KOF ${version} that turns off what makes collectors loses what they would collect`, () => {
            const here: Raw = { ...management, version };
            const off = (path: string): Raw => ({
                ...here,
                values: at([`${path}.opentelemetry-operator.enabled`, false]),
            });
            const key = "kof-operators.values";
            assert.deepEqual(found(here, off(key)), [
                `loses kof:values.${key}.opentelemetry-operator.enabled [opentelemetry-operator off]`,
            ]);
            assert.match(
                messages(here, off(key))[0]!,
                /^uninstalls the operator of the collectors of this cluster, with their definitions: the collectors are deleted with these, or keep running unmanaged/,
            );
            assert.ok(plan(here, off(key)).signals.every(({ operation }) => operation === "stops"));
            assert.deepEqual(refused(plan(here, { ...off(key), acknowledge: "opentelemetry-operator off" })), []);
            assert.deepEqual(found(off(key), off(key)), []);
            // Where no collector runs, none is lost.
            assert.deepEqual(found({ ...off(key), route: "none", values: {} }, { ...off(key), route: "none" }), []);
            const ofRegions = hasRegionless(version)
                ? "kof-regional.values.kof-operators.values"
                : "kof-regional.values.operators";
            for (const [path, kind] of [
                [ofRegions, "regions"],
                ["kof-child.values.operators", "children"],
            ] as const) {
                assert.deepEqual(found(here, off(path)), [
                    `loses kof:values.${path}.opentelemetry-operator.enabled [${kind} opentelemetry-operator off]`,
                ]);
                assert.deepEqual(found(off(path), off(path)), []);
                // With the component goes all that it installed.
                const both = {
                    ...here,
                    values: mergeValues(off(path).values as HelmValues, at([`${path.split(".")[0]!}.enabled`, false])),
                };
                assert.ok(!found(here, both).some((text) => text.includes("opentelemetry-operator")));
            }
        });

        it(`on KOF ${version} that turns off Grafana's operator leaves Grafana to itself`, () => {
            const grafana = "kof-mothership.values.grafana";
            const operator = "kof-operators.values.grafana-operator.enabled";
            const wanted = [
                [`${grafana}.enabled`, true],
                [`${grafana}.installForTests`, true],
            ] as const;
            const made: Raw = { ...management, version, values: at(...wanted, [operator, true]) };
            const left: Raw = { ...management, version, values: at(...wanted) };
            const has = (raw: Raw) => storesOf(deploymentFor(raw)).some(({ workload }) => workload === "grafana");
            assert.deepEqual([has(made), has(left)], [true, false]);
            assert.deepEqual(found(made, left), [`notice kof:values.${operator} []`]);
            assert.match(messages(made, left)[0]!, /^leaves grafana without an operator: what runs stays as it is/);
            const volume = plan(made, left).volumes.find(({ workload }) => workload === "grafana");
            assert.equal(volume?.operation, "kept");
            const notice = `kof:values.${operator} is false: nothing makes Grafana on this cluster.`;
            assert.ok(deploymentFor(left).notices.includes(notice));
            assert.ok(!deploymentFor(made).notices.includes(notice));
        });
    }

    it("that takes the entrance of regions away loses what is sent there", () => {
        const regional = { ...routes.regional, version: "1.10.0" };
        const closed = { ...regional, values: at([`${regions}.victoriametrics.vmauth.enabled`, false]) };
        assert.deepEqual(found(regional, closed), [
            `loses kof:values.${regions}.victoriametrics.vmauth.enabled [regions vmauth off]`,
        ]);
        assert.ok(plan(regional, closed).signals.every(({ operation }) => operation === "stops"));
        assert.deepEqual(found(closed, closed), []);
    });

    it("together with the route says of each store once what becomes of it", () => {
        const to = { ...routes.none, version: "1.10.0", values: at(["kof-child.enabled", false]) };
        const stored = plan(management, to).consequences.filter(({ message }) =>
            message.startsWith("leaves the stored"),
        );
        assert.deepEqual(
            stored.map(({ key }) => key),
            ["kof:values.kof-child.enabled"],
        );
        const emptyDir = "kof-mothership.values.victoriametrics.vmcluster.spec.vmstorage.storage.emptyDir";
        const { regional } = routes;
        const without = { ...regional, version: "1.10.0", values: at([emptyDir, {}]) };
        assert.deepEqual(
            messages({ ...regional, version: "1.10.0", route: "none", regional: undefined }, without).filter(
                (message) => message.includes("stored metrics"),
            ).length,
            1,
        );
    });

    it("that shortens retention by whichever key the charts read loses what is older, and names that key", () => {
        const key = `${storage}.victoria-logs-cluster.vlstorage.retentionPeriod`;
        const long = given([key, "90d"]);
        const short = { ...management, storage: { logs: { retention: "30d" } } };
        assert.equal(verdictOf(plan(long, short)), "loses");
        assert.deepEqual(found(long, short), ["loses kof:storage.logs.retention [logs retention 90d->30d]"]);
        assert.deepEqual(found(short, long), []);
        assert.deepEqual(found(long, given([key, "14d"])), [`loses kof:values.${key} [logs retention 90d->14d]`]);
        assert.deepEqual(plan(long, given([key, "14d"])).consequences[0]?.paste, { "kof:values": at([key, "90d"]) });
        // Without any key it is KOF's default that is shorter.
        assert.deepEqual(found(long, management), ["loses kof:storage.logs.retention [logs retention 90d->7d]"]);
        const args = `${storage}.victoria-traces-cluster.vtstorage.extraArgs.retentionPeriod`;
        assert.deepEqual(found(given([args, "2w"]), given([args, "8d"])), [
            `loses kof:values.${args} [traces retention 2w->8d]`,
        ]);
        const metrics = "kof-mothership.values.victoriametrics.vmcluster.spec.retentionPeriod";
        assert.deepEqual(found(given([metrics, "2"]), given([metrics, "40d"])), [
            `loses kof:values.${metrics} [metrics retention 2->40d]`,
        ]);
    });

    it("that limits what is kept, or limits it more, loses what is beyond", () => {
        const key = `${storage}.victoria-logs-cluster.vlstorage.retentionDiskSpaceUsage`;
        assert.deepEqual(found(management, given([key, 50])), [`loses kof:values.${key} [logs limit none->50GiB]`]);
        assert.deepEqual(found(given([key, 50]), given([key, "20GiB"])), [
            `loses kof:values.${key} [logs limit 50GiB->20GiB]`,
        ]);
        assert.deepEqual(found(given([key, 20]), given([key, 50])), []);
        for (const limit of ["20000000KB", "20000000KiB", "20000MB", "20000MiB", "20GiB", "20000000000"]) {
            assert.deepEqual(
                found(given([key, 50]), given([key, limit])).length,
                limit === "20000000000" ? 0 : 1,
                limit,
            );
        }
        assert.deepEqual(found(given([key, 20]), management), []);
        // A limit beyond the volume deletes nothing: the volume is full before.
        assert.deepEqual(found(management, given([key, 500])), []);
        const args = [...key.split(".").slice(0, -1), "extraArgs", "retention.maxDiskUsagePercent"];
        const percent = (value: number): Raw => ({ ...management, values: nest(args, value) });
        assert.deepEqual(
            plan(management, percent(80)).consequences.map(({ acknowledge }) => acknowledge),
            ["logs limit none->80%"],
        );
        assert.deepEqual(found(percent(50), percent(80)), []);
        const filter = "kof-mothership.values.victoriametrics.vmcluster.spec.vmstorage.extraArgs.retentionFilter";
        assert.deepEqual(found(management, given([filter, '{team="x"}:3d'])), [
            `loses kof:values.${filter} [metrics limit none->{team="x"}:3d]`,
        ]);
    });

    it("may be acknowledged by the text that was printed, whatever the filter says", () => {
        const path = "kof-mothership.values.victoriametrics.vmcluster.spec.vmstorage.extraArgs.retentionFilter";
        const filtered = given([path, '{env="dev",team=~"a, b"}:3d']);
        const printed = acknowledgement(plan(management, filtered));
        assert.match(printed, /^metrics limit none->/);
        assert.equal(refused(plan(management, filtered)).length, 1);
        assert.deepEqual(refused(plan(management, { ...filtered, acknowledge: printed })), []);
    });

    it("that takes the volumes of a store loses them, and a StatefulSet cannot be changed to that", () => {
        const logs = `${storage}.victoria-logs-cluster.vlstorage.persistentVolume.enabled`;
        const without = given([logs, false]);
        assert.deepEqual(found(management, without), [
            `impossible kof:values.${logs} [logs without volumes]`,
            `loses kof:values.${logs} [logs without volumes]`,
        ]);
        assert.equal(verdictOf(plan(management, { ...without, acknowledge: "logs without volumes" })), "loses");
        assert.deepEqual(found(without, management), [
            `impossible kof:values.${logs} [logs with volumes]`,
            `notice kof:values.${logs} []`,
        ]);
        // The operator recreates the StatefulSet of metrics.
        const metrics = "kof-mothership.values.victoriametrics.vmcluster.spec.vmstorage.storage.emptyDir";
        assert.deepEqual(found(management, given([metrics, {}])), [
            `loses kof:values.${metrics} [metrics without volumes]`,
        ]);
        const claim = `${storage}.victoria-traces-cluster.vtstorage.persistentVolume.existingClaim`;
        assert.match(messages(management, given([claim, "mine"])).join("\n"), /is in a claim that KOF does not make/);
        const none = claim.replace("existingClaim", "enabled");
        const unread = messages(given([none, false]), given([claim, "mine"])).join("\n");
        assert.doesNotMatch(unread, /takes the volumes/);
    });

    it("that gives volumes other names leaves what is stored where nothing reads it", () => {
        const name = `${storage}.victoria-logs-cluster.fullnameOverride`;
        assert.deepEqual(found(management, given([name, "mine"])), [`loses kof:values.${name} [logs elsewhere]`]);
    });

    it("that has Kubernetes delete volumes with their pods says so", () => {
        const spec = `${storage}.victoriametrics.vlcluster_audit`;
        const deleting = [
            `${spec}.spec.vlstorage.persistentVolumeClaimRetentionPolicy`,
            { whenDeleted: "Delete" },
        ] as const;
        const [message = ""] = messages(given(deleting), given(deleting, [`${spec}.enabled`, false]));
        assert.match(message, /Kubernetes deletes the volumes with it \(vlstorage-audit 2 x 100Gi\)/);
        const scaled = [deleting[0], { whenScaled: "Delete" }] as const;
        const fewer = [`${spec}.spec.vlstorage.replicaCount`, 1] as const;
        assert.match(
            messages(given(scaled), given(scaled, fewer))[0]!,
            /\(2->1\).*: Kubernetes deletes their volumes$/,
        );
        const operations = plan(given(scaled), given(scaled, fewer)).volumes.map(({ operation }) => operation);
        assert.deepEqual([...new Set(operations)], ["kept", "deleted"]);
        assert.match(
            messages(given(deleting), given(deleting, fewer))[0]!,
            /: their volumes stay, but nothing reads them$/,
        );
    });

    it("about what regions store is about stored data, too", () => {
        const retention = `${regions}.victoria-logs-cluster.vlstorage.retentionPeriod`;
        assert.deepEqual(found(given([retention, "90d"]), given([retention, "30d"])), [
            `loses kof:values.${retention} [regions logs retention 90d->30d]`,
        ]);
        assert.match(
            messages(given([retention, "90d"]), given([retention, "30d"]))[0]!,
            /^deletes the logs that are older than 30d \(90d->30d\), on each regional cluster$/,
        );
        const audit = (kept: string) => ({ ...management, regions: { storage: { audit: { retention: kept } } } });
        assert.match(messages(audit("2y"), audit("1y"))[0]!, /^deletes the audit logs that are older than 1y/);
        // What the settings say of this cluster's stores is nothing of theirs.
        const here = { storage: { logs: { retention: "60d" } } };
        assert.deepEqual(found({ ...given([retention, "90d"]), ...here }, { ...given([retention, "30d"]), ...here }), [
            `loses kof:values.${retention} [regions logs retention 90d->30d]`,
        ]);
        const size = `${regions}.victoriametrics.vmcluster.spec.vmstorage.storage.volumeClaimTemplate.spec.resources.requests.storage`;
        assert.deepEqual(found(given([size, "300Gi"]), given([size, "200Gi"])), [
            `loses kof:values.${size} [regions metrics 300Gi->200Gi]`,
        ]);
        assert.deepEqual(found(given([size, "200Gi"]), given([size, "300Gi"])), [`notice kof:values.${size} []`]);
        const without = `${regions}.victoriametrics.vlcluster_audit.spec.vlstorage.storage.emptyDir`;
        assert.deepEqual(found(management, given([without, {}])), [
            `loses kof:values.${without} [regions audit without volumes]`,
        ]);
        assert.match(planText(plan(management, given([without, {}]))), /- vlstorage-audit: orphaned, 2 x 100Gi, audit/);
        const off = `${regions}.victoria-traces-cluster.enabled`;
        assert.deepEqual(found(management, given([off, false])), [`loses kof:values.${off} [regions traces off]`]);
        const text = planText(plan(management, given([off, false])));
        assert.match(text, /## Volumes on each regional cluster\n\n[^]*- vtstorage: orphaned, 2 x 100Gi, traces/);
        assert.doesNotMatch(planText(plan(management, management)), /regional cluster/);
    });

    for (const version of ["1.8.0", "1.9.0", "1.10.0", "1.11.0-rc0"]) {
        it(`of kof:regions is one of stored data on every region, on KOF ${version}`, () => {
            const here: Raw = { ...management, version };
            const set = (storage: object): Raw => ({ ...here, regions: { storage } });
            const key = "kof:regions.storage";
            assert.deepEqual(found(set({ logs: { retention: "90d" } }), set({ logs: { retention: "30d" } })), [
                `loses ${key}.logs.retention [regions logs retention 90d->30d]`,
            ]);
            const short = plan(set({ traces: { retention: "30d" } }), here).consequences;
            assert.deepEqual(
                short.map(({ acknowledge }) => acknowledge),
                ["regions traces retention 30d->7d"],
            );
            assert.deepEqual(short[0]?.paste, { "kof:regions": { storage: { traces: { retention: "30d" } } } });
            assert.match(short[0].message, /^deletes the traces that are older than 7d .*, on each regional cluster$/);
            assert.deepEqual(found(set({ metrics: { size: "300Gi" } }), set({ metrics: { size: "250Gi" } })), [
                `loses ${key}.metrics.size [regions metrics 300Gi->250Gi]`,
            ]);
            const larger = { metrics: { size: "300Gi" } };
            assert.deepEqual(found(here, set(larger)), [`notice ${key}.metrics.size []`]);
            // The class of this cluster is none of theirs.
            const path = { storageClass: { name: "kof", preset: "local-path" } };
            assert.match(
                messages({ ...here, ...path }, { ...set(larger), ...path })[0]!,
                /operator does it, if their class allows expansion, on each regional cluster$/,
            );
            assert.deepEqual(found(here, set({ logs: { size: "200Gi" } })), [
                `impossible ${key}.logs.size [regions logs 100Gi->200Gi]`,
            ]);
            assert.deepEqual(found(set({ logs: { replicas: 3 } }), here), [
                `loses ${key}.logs.replicas [regions logs replicas 3->2]`,
            ]);
            const of = (storageClass: string): Raw => ({ ...here, regions: { storageClass } });
            for (const [from, to, change] of [
                [here, of("fast"), "the default class->fast"],
                [of("fast"), here, "fast->the default class"],
                [of("fast"), of("slow"), "fast->slow"],
            ] as const) {
                assert.deepEqual(found(from, to), [`impossible kof:regions.storageClass [regions class ${change}]`]);
                const acknowledged = { ...to, acknowledge: `regions class ${change}` };
                assert.deepEqual(refused(plan(from, acknowledged)), []);
            }
            const back = { "kof:regions": { storageClass: "fast" } };
            assert.deepEqual(plan(of("fast"), of("slow")).consequences[0]?.paste, back);
            assert.deepEqual(plan(of("fast"), here).consequences[0]?.paste, back);
            assert.equal(plan(here, of("fast")).consequences[0]?.paste, undefined);
            // Settings that say what values have said change nothing.
            const retention = `${regions}.victoria-logs-cluster.vlstorage.extraArgs.retentionPeriod`;
            const valued = { ...here, values: at([retention, "60d"], [`${regions}.global.storageClass`, "fast"]) };
            const settled = { ...here, regions: { storage: { logs: { retention: "60d" } }, storageClass: "fast" } };
            if (version !== "1.8.0") {
                assert.deepEqual(found(valued, settled), []);
                assert.deepEqual(found(settled, valued), []);
            }
            assert.match(
                planText(plan(here, set({ logs: { size: "200Gi" } }))),
                /## Volumes on each regional cluster\n\n[^]*- vlstorage: kept, 2 x 100Gi -> 200Gi, logs/,
            );
        });
    }

    it("that takes the volumes of regions' stores loses what is in them, and another class fails there", () => {
        const disk = `${regions}.victoriametrics.vmcluster.spec.vmstorage.storage.emptyDir`;
        assert.deepEqual(found(management, given([disk, {}])), [
            `loses kof:values.${disk} [regions metrics without volumes]`,
        ]);
        assert.deepEqual(found(given([disk, {}]), management), [`notice kof:values.${disk} []`]);
        const persistent = `${regions}.victoria-logs-cluster.vlstorage.persistentVolume.enabled`;
        assert.deepEqual(found(management, given([persistent, false])), [
            `impossible kof:values.${persistent} [regions logs without volumes]`,
            `loses kof:values.${persistent} [regions logs without volumes]`,
        ]);
        const storageClass = `${regions}.global.storageClass`;
        assert.deepEqual(found(management, given([storageClass, "fast"])), [
            `impossible kof:values.${storageClass} [regions class the default class->fast]`,
        ]);
        assert.match(
            messages(management, given([storageClass, "fast"]))[0]!,
            /for vlstorage and vtstorage the Helm upgrade would fail, .*, on each regional cluster$/,
        );
    });

    for (const [path, value] of [
        [`${storage}.global.fullnameOverride`, "other"],
        [`${storage}.victoria-logs-cluster.namespaceOverride`, "other"],
        [`${storage}.victoria-logs-cluster.global.fullnameOverride`, "other"],
        [`${storage}.victoria-logs-cluster.vlstorage.extraArgs.storageDataPath`, "/elsewhere"],
        ["kof-mothership.values.victoriametrics.vmcluster.spec.vmstorage.extraArgs.storageDataPath", "/elsewhere"],
    ] as const) {
        it(`that has a store look elsewhere for what it stores loses it: ${path}`, () => {
            const signals = path.includes("vmcluster")
                ? ["metrics"]
                : path.includes("cluster")
                  ? ["logs"]
                  : ["logs", "traces"];
            assert.deepEqual(
                found(management, given([path, value])),
                signals.map((signal) => `loses kof:values.${path} [${signal} elsewhere]`),
            );
        });
    }
});

describe("a change of what is immutable in a StatefulSet of a chart's own", () => {
    const vlstorage = "victoria-logs-cluster.vlstorage";
    for (const [path, value, signals] of [
        [`${vlstorage}.persistentVolume.annotations`, { a: "b" }, ["logs"]],
        [`${vlstorage}.persistentVolume.accessModes`, ["ReadWriteOncePod"], ["logs"]],
        ["victoria-traces-cluster.common.persistentVolume.annotations", { a: "b" }, ["traces"]],
        [`${vlstorage}.podManagementPolicy`, "Parallel", ["logs"]],
        [`${vlstorage}.name`, "other", ["logs"]],
        ["victoria-logs-cluster.argocdReleaseOverride", "other", ["logs"]],
        ["global.nameOverride", "other", ["logs", "traces"]],
    ] as const) {
        it(`fails as a Helm upgrade, and does so before: ${path}`, () => {
            const changed = given([`${storage}.${path}`, value as HelmValue]);
            const key = `kof:values.${storage}.${path}`;
            const expected = signals.map((signal) => `impossible ${key} [${signal} statefulset]`);
            assert.deepEqual(found(management, changed), expected);
            assert.deepEqual(found(changed, management), expected);
            assert.match(messages(management, changed)[0]!, /KOF's own -> .*\): the Helm upgrade would fail$/);
            assert.deepEqual(found(changed, changed), []);
            const region = given([`${regions}.${path}`, value as HelmValue]);
            assert.deepEqual(
                found(management, region),
                signals.map((signal) => `impossible kof:values.${regions}.${path} [regions ${signal} statefulset]`),
            );
        });
    }
});

describe("the end of route regionless", () => {
    for (const version of ["1.10.0", "1.11.0-rc0"]) {
        it(`is none of operators on regions, of which there are none, on KOF ${version}`, () => {
            const regionless = { ...routes.regionless, version };
            const operators = at(["kof-regional.values.kof-operators.values.opentelemetry-operator.enabled", false]);
            assert.deepEqual(found(regionless, { ...regionless, values: operators }), []);
        });

        it(`takes from child clusters where their telemetry is stored, on KOF ${version}`, () => {
            assert.ok(hasRegionless(version));
            const regionless = { ...routes.regionless, version };
            const children = (to: Raw) =>
                messages(regionless, to).filter((message) => message.includes("child cluster"));
            assert.equal(children({ ...routes.none, version }).length, 1);
            assert.match(children({ ...routes.none, version })[0]!, /is stored nowhere until it has a region/);
            assert.equal(children({ ...routes.management, version }).length, 1);
            const off = { ...regionless, values: { "kof-regional": { enabled: false } } };
            assert.deepEqual(found(regionless, off), [
                "loses kof:values.kof-regional.enabled [kof-regional off]",
                "loses kof:values.kof-regional.enabled [kof-regional off]",
                "loses kof:values.kof-regional.enabled [kof-regional off]",
            ]);
            assert.equal(children(off).length, 1);
        });
    }
});
