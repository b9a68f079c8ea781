import assert from "node:assert/strict";

import fc from "fast-check";

import { nest } from "../../../../core/lib/values";
import { acknowledgement, planOf, refused, verdictOf, type Plan } from "../../../../core/review/plan";
import { planText } from "../../../../core/review/plan/text";
import type { Deployment } from "../../../../core/routes/deployment";
import { runOffline } from "../../../../cli/program";
import { deploymentFor, hasRegionless, routes, stackFile, type Raw } from "../../../support";
import { validSettings } from "../../../settings";
import { runs } from "../../../sampled";

const plan = (from: Raw, to: Raw) => planOf(deploymentFor(from), deploymentFor(to));
const letters = { safe: ".", loses: "L", impossible: "X" } as const;
const of = (name: string, version: string): Raw => ({ ...routes[name], version });
const deployments = new Map<string, Deployment>();
function deploymentOn(name: string, version: string): Deployment {
    const known = deployments.get(`${name} ${version}`) ?? deploymentFor(of(name, version));
    deployments.set(`${name} ${version}`, known);
    return known;
}
const names = ["none", "management", "regional", "cloudwatch", "otlp", "regionless"];

/** Rows: from; columns: to, in the order of {@link names}. `-`: that version has no such route. */
function table(from: string, to: string): string[] {
    return names.map((was) =>
        names
            .map((is) =>
                (was === "regionless" && !hasRegionless(from)) || (is === "regionless" && !hasRegionless(to))
                    ? "-"
                    : letters[verdictOf(planOf(deploymentOn(was, from), deploymentOn(is, to)))],
            )
            .join(""),
    );
}

describe("plan", () => {
    const until19 = [".....-", "L.LLL-", ".....-", ".....-", ".....-", "------"];
    // Between Flux and Sveltos by way of none; regionless takes KOF off regions, and has larger volumes than the others.
    const from110 = [".....L", "L.LXXL", "...XXL", ".XX..X", ".XX..X", "XXXXX."];
    const expected: Readonly<Record<string, readonly string[]>> = {
        "1.8.0->1.8.0": until19,
        "1.8.1->1.8.1": until19,
        "1.9.0->1.9.0": until19,
        "1.8.0->1.8.1": until19,
        "1.8.0->1.9.0": until19,
        "1.8.1->1.9.0": until19,
        "1.10.0->1.10.0": from110,
        "1.11.0-rc0->1.11.0-rc0": from110,
        "1.10.0->1.11.0-rc0": from110,
        // Volumes of logs and traces are larger by default; Sveltos takes over from Flux on the same route only.
        "1.9.0->1.10.0": [".....L", "LXXLLX", ".X...X", ".XX..X", ".XX..X", "------"],
        "1.8.1->1.10.0": [...Array<string>(5).fill("XXXXXX"), "------"],
        "1.9.0->1.11.0-rc0": [...Array<string>(5).fill("XXXXXX"), "------"],
        "1.10.0->1.9.0": Array<string>(6).fill("XXXXX-"),
        "1.8.1->1.8.0": [...Array<string>(5).fill("XXXXX-"), "------"],
    };
    for (const [step, rows] of Object.entries(expected)) {
        it(`of every pair of routes, KOF ${step}`, () => {
            const [from = "", to = ""] = step.split("->");
            assert.deepEqual(table(from, to), rows);
        });
    }

    const management = { route: "management", storageClass: { name: "kof", preset: "aws-ebs" } };
    const found = (from: Raw, to: Raw) =>
        plan(from, to).consequences.map(({ severity, key, acknowledge }) =>
            [severity, key, acknowledge ?? ""].join(" "),
        );
    const stored = (storage: object, more: Raw = {}) => ({ ...management, storage, ...more });

    it("grows metrics by their operator, refuses to grow logs and traces, and never makes a volume smaller", () => {
        const larger = { size: "200Gi" };
        const smaller = { size: "99Gi" };
        assert.deepEqual(found(management, stored({ metrics: larger, audit: larger, logs: larger, traces: larger })), [
            "impossible kof:storage.logs.size logs 100Gi->200Gi",
            "impossible kof:storage.traces.size traces 100Gi->200Gi",
            "notice kof:storage.metrics.size ",
            "notice kof:storage.audit.size ",
        ]);
        assert.deepEqual(found(management, stored({ metrics: smaller, logs: smaller })), [
            "impossible kof:storage.metrics.size ",
            "impossible kof:storage.logs.size ",
        ]);
        // The same size in another unit.
        assert.deepEqual(found(stored({ logs: { size: "2Ti" } }), stored({ logs: { size: "2048Gi" } })), []);
    });

    it("keeps what KOF 1.9 made, if the size is set", () => {
        const old = { ...management, version: "1.9.0" };
        const upgraded = { ...management, version: "1.10.0" };
        assert.deepEqual(found(old, upgraded), [
            "impossible kof:storage.logs.size logs 50Gi->100Gi",
            "impossible kof:storage.traces.size traces 50Gi->100Gi",
        ]);
        const [first] = plan(old, upgraded).consequences;
        assert.deepEqual(first?.paste, { "kof:storage": { logs: { size: "50Gi" } } });
        const kept = plan(old, { ...upgraded, storage: { logs: { size: "50Gi" }, traces: { size: "50Gi" } } });
        assert.equal(verdictOf(kept), "safe");
        assert.match(kept.steps.join("\n"), /patch helmrelease kof-storage .*patch helmrelease kof-collectors /);
    });

    it("says what shorter retention and fewer pods lose", () => {
        const before = stored({ metrics: { retention: "2y" }, logs: { replicas: 3, retention: "4w" } });
        const after = stored({ metrics: { retention: "1y", replicas: 2 }, logs: { replicas: 1, retention: "27d" } });
        assert.deepEqual(found(before, after), [
            "loses kof:storage.metrics.retention metrics retention 2y->1y",
            "loses kof:storage.logs.retention logs retention 4w->27d",
            "loses kof:storage.logs.replicas logs replicas 3->1",
            // Each sample is on two of three pods.
            "notice kof:storage.metrics.replicas ",
        ]);
        assert.deepEqual(
            found(after, stored({ metrics: { retention: "1y" }, logs: { replicas: 3, retention: "4w" } })),
            [],
        );
        const one = stored({ metrics: { replicas: 1, replicationFactor: 1 } });
        assert.deepEqual(found(management, one), ["loses kof:storage.metrics.replicas metrics replicas 3->1"]);
    });

    it("does not take copies for granted that older samples lack, or may lack", async () => {
        const copies = (replicas: number, replicationFactor: number) => ({
            ...management,
            storage: { metrics: { replicas, replicationFactor } },
        });
        const run = async (to: Raw, outputs?: Readonly<Record<string, unknown>>) =>
            (await runOffline(stackFile(to), { preview: true, ...(outputs ? { outputs } : {}) })).outputs;
        const lost = (why: RegExp) => ({ name: "UserError", message: why });
        const acknowledge = "metrics replicas 3->2";
        // Always two copies: one pod less leaves one of them.
        const always = await run(copies(3, 2));
        assert.equal((await run(copies(2, 2), always)).fewestCopies, 2);
        // One copy until now, and ever since remembered.
        const single = await run(copies(3, 1));
        const raised = await run(copies(3, 2), single);
        assert.equal(raised.fewestCopies, 1);
        await assert.rejects(
            run(copies(2, 2), await run(copies(3, 2), raised)),
            lost(/\(3->2\), and with them what was stored when there were fewer copies \(1, now 2\)/),
        );
        await run({ ...copies(2, 2), acknowledge }, raised);
        // Taken over, or deployed by a version that did not remember: nobody knows.
        const unknown = lost(/whether there is any is unknown/);
        await assert.rejects(run(copies(2, 2), await run({ ...copies(3, 2), adopt: true })), unknown);
        // Without a store of metrics there are none: nothing is remembered, and what was is not forgotten.
        const vmcluster = { "kof-mothership": { values: { victoriametrics: { vmcluster: { enabled: false } } } } };
        const off = { ...management, values: vmcluster, acknowledge: "metrics off" };
        assert.ok(!("fewestCopies" in (await run(off))));
        assert.equal((await run(off, single)).fewestCopies, 1);
        const { fewestCopies: _, ...older } = always;
        await assert.rejects(run(copies(2, 2), await run(copies(3, 2), older)), unknown);
    });

    it("says of each class that cannot change which lines keep it", () => {
        const bare = { route: "management" };
        const logs = "kof-child.values.fromManagement.storage.victoria-logs-cluster.vlstorage.persistentVolume";
        const given = (name: string) => ({ ...bare, values: nest(`${logs}.storageClassName`.split("."), name) });
        const existing = { ...bare, storageClass: { name: "fast", create: false } };
        for (const [from, to, key] of [
            [management, bare, "kof:storageClass.name"],
            [management, existing, "kof:storageClass.name"],
            [given("slow"), given("fast"), `kof:values.${logs}.storageClassName`],
            [given("slow"), bare, "kof:storageClass.name"],
        ] as const) {
            const { consequences } = plan(from, to);
            const stuck = consequences.find(({ severity }) => severity === "impossible");
            assert.equal(stuck?.key, key);
            assert.match(stuck.way ?? "", /^keep the class, or /);
            const lines = Object.entries(stuck.paste as object).map(([name, value]) => [
                name.slice("kof:".length),
                value,
            ]);
            assert.deepEqual(refused(plan(from, { ...to, ...Object.fromEntries(lines) })), []);
        }
        // The cluster's default class is what no key names.
        for (const [to, key] of [
            [existing, "kof:storageClass.name"],
            [given("fast"), `kof:values.${logs}.storageClassName`],
        ] as const) {
            const [stuck] = plan(bare, to).consequences;
            assert.equal(stuck?.key, key);
            assert.equal(stuck.paste, undefined);
            assert.match(stuck.way ?? "", /^take the class out of the stack file, or /);
        }
    });

    it("tells a class that is recreated from volumes that would need another", () => {
        const other = (more: object) => ({ ...management, storageClass: { ...management.storageClass, ...more } });
        assert.deepEqual(found(management, other({ reclaimPolicy: "Delete" })), ["notice kof:storageClass "]);
        assert.deepEqual(found(management, other({ parameters: { type: "io2" } })), ["notice kof:storageClass "]);
        assert.deepEqual(found(management, other({ default: true })), []);
        assert.deepEqual(found(management, other({ name: "fast" })), [
            "impossible kof:storageClass.name class kof->fast",
            "notice kof:storageClass ",
        ]);
        // The class is to be there, and would be deleted; and the other way round.
        const existing = { ...management, storageClass: { name: "kof", create: false } };
        assert.deepEqual(found(management, existing), [
            "impossible kof:storageClass.create class kof create true->false",
        ]);
        const [gone] = plan(management, existing).consequences;
        const mended = { ...existing, storageClass: (gone?.paste as any)["kof:storageClass"] };
        assert.deepEqual(found(management, mended), []);
        assert.deepEqual(found(existing, management), [
            "impossible kof:storageClass.create class kof create false->true",
        ]);
        const [made] = plan(existing, management).consequences;
        assert.deepEqual(made?.paste, { "kof:adopt": true });
        assert.deepEqual(found(existing, { ...management, adopt: true }), ["notice kof:storageClass.create "]);
        assert.deepEqual(found(existing, { ...management, storageClass: { name: "k", create: false } }), [
            "impossible kof:storageClass.name class kof->k",
        ]);
        // Without logs and traces here there is no StatefulSet in the way.
        const none = { ...management, route: "none" };
        assert.deepEqual(found(none, { ...none, storageClass: { name: "fast", preset: "aws-ebs" } }), [
            "notice kof:storageClass.name ",
            "notice kof:storageClass ",
        ]);
    });

    it("follows log groups and keys of CloudWatch", () => {
        const cloudwatch = (more: object) => ({ route: "cloudwatch", cloudwatch: { region: "us-east-2", ...more } });
        const credentials = (...generations: string[]) => ({ kind: "accessKey", generations });
        const before = cloudwatch({ auditLogGroup: "a", retentionDays: 30, credentials: credentials("1") });
        const after = cloudwatch({
            logGroup: "b",
            auditLogGroup: "a",
            auditRetentionDays: 7,
            credentials: credentials("1", "2"),
        });
        const { logGroups, credentials: keys, consequences } = plan(before, after);
        assert.deepEqual(
            logGroups.map(({ name, operation, retentionDays }) => `${name} ${operation} ${String(retentionDays)}`),
            ["b created 30", "a kept 7", "/kof/mothership left 30"],
        );
        assert.deepEqual(
            keys.map(({ what, operation }) => `${what} ${operation}`),
            ["access key 1 of IAM user cloudwatch kept", "access key 2 of IAM user cloudwatch made"],
        );
        assert.deepEqual(
            consequences.map(({ severity, acknowledge }) => `${severity} ${acknowledge ?? ""}`),
            ["loses log group a in us-east-2 365d->7d"],
        );
        assert.deepEqual(
            plan(after, { route: "none" }).credentials.map(({ operation }) => operation),
            ["revoked", "revoked"],
        );
        const unkept = plan(cloudwatch({ keepLogGroups: false, auditLogGroup: "/kof/mothership" }), { route: "none" });
        assert.deepEqual(
            [unkept.logGroups[0]?.operation, unkept.consequences[0]?.acknowledge],
            ["deleted", "delete log group /kof/mothership in us-east-2"],
        );
        const whose = (credentials: object) =>
            plan({ route: "none" }, cloudwatch({ credentials })).credentials[0]?.what;
        assert.equal(
            whose({ kind: "podIdentity", clusterName: "c" }),
            "IAM role for the collectors' pods on EKS cluster c",
        );
        assert.equal(
            whose({ kind: "existingSecret", name: "s" }),
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in Secret s, made elsewhere",
        );
        // Which group a stack has, its stack file need not say.
        const unnamed = /keeps the log group that it has had, where its stack file names none/;
        assert.match(planText(plan(cloudwatch({ logGroup: "a" }), cloudwatch({}))), unnamed);
        assert.doesNotMatch(planText(plan(cloudwatch({ logGroup: "a" }), { route: "none" })), unnamed);
        // The same name in another region is another group.
        const moved = plan(before, cloudwatch({ region: "eu-west-1", auditLogGroup: "a", auditRetentionDays: 1 }));
        assert.deepEqual([moved.logGroups.length, moved.consequences], [4, []]);
    });

    it("says where each signal stops and starts, and what is missed", () => {
        const operations = ({ signals }: Plan) =>
            signals.map(({ signal, operation, gap }) => `${signal} ${operation}: ${gap}`);
        assert.deepEqual(
            operations(plan(of("none", "1.9.0"), of("regional", "1.9.0")))[0],
            "metrics starts: everything until this deployment",
        );
        const away = plan(of("management", "1.9.0"), of("cloudwatch", "1.9.0"));
        assert.deepEqual(operations(away), [
            "metrics stops: everything from this deployment on",
            "logs moves: none: files are read on from where the collectors stopped. Of events, and of logs that pods send over OTLP, " +
                "those that fall into the collectors' restart, on each node while a pod stops, which takes 30 seconds at most, and the " +
                "next one starts",
            "traces stops: everything from this deployment on",
            "audit moves: none: files are read on from where the collectors stopped",
        ]);
        assert.deepEqual(
            away.volumes.map(
                ({ workload, operation, count, reclaimPolicy }) =>
                    `${workload} ${operation} ${String(count)} ${String(reclaimPolicy)}`,
            ),
            [
                "vmselect kept 2 Retain",
                "vmstorage kept 3 Retain",
                "vlstorage orphaned 2 Retain",
                "vtstorage orphaned 2 Retain",
            ],
        );
    });

    it("warns of a change of route that goes on taking over what exists", () => {
        const none = { ...management, route: "none" };
        assert.deepEqual(found(none, { ...management, adopt: true }), ["notice kof:adopt "]);
        assert.deepEqual(found(none, management), []);
        assert.deepEqual(found(management, { ...management, adopt: true }), []);
    });

    it("warns of names that change, and refuses to flip Istio", () => {
        assert.deepEqual(found(management, { ...management, clusterName: "other", clusterNamespace: "else" }), [
            "notice kof:clusterName ",
            "notice kof:clusterNamespace ",
        ]);
        assert.deepEqual(found(management, { ...management, istio: true }), ["loses kof:istio istio false->true"]);
        const disk = { ...of("regional", "1.10.0"), buffer: { metrics: "disk" } };
        assert.deepEqual(found(disk, of("regional", "1.10.0")), ["notice kof:buffer.metrics "]);
        assert.deepEqual(found(of("regional", "1.10.0"), disk), []);
    });

    it("shows what KOF itself changes between two versions, and what is to be done by hand", () => {
        const text = planText(plan(of("none", "1.8.0"), of("none", "1.8.1")));
        assert.match(text, /By hand\n\n1\. Regional clusters go from ingress-nginx to Envoy Gateway/);
        assert.match(text, /- default of kof-regional\.ingress-nginx\.enabled: true -> false\n/);
        const next = planText(plan(of("none", "1.9.0"), of("none", "1.10.0")));
        assert.match(
            next,
            /- dropped, a component: component\.kof-storage\n[^]*- new, a volume: volume\.kof-storage\/vlstorage-audit$/,
        );
        assert.match(next, /Upgrade KCM to 1\.10/);
        assert.deepEqual(plan(of("none", "1.10.0"), of("none", "1.11.0-rc0")).steps, ["Upgrade KCM to 1.11"]);
        assert.doesNotMatch(planText(plan(of("none", "1.9.0"), of("management", "1.9.0"))), /What KOF changes|By hand/);
    });

    it("is empty for settings that stay, and never fails for those that are right (sampled)", () => {
        fc.assert(
            fc.property(validSettings, validSettings, (settings, to) => {
                const from = deploymentFor(settings);
                const same = planOf(from, from);
                assert.deepEqual([same.consequences, same.steps], [[], []]);
                assert.ok(same.signals.every(({ operation }) => operation === "unchanged"));
                assert.ok(same.volumes.every(({ operation }) => operation === "kept"));
                const change = planOf(from, deploymentFor(to));
                assert.ok(planText(change).startsWith("# "));
                // Everything that can be permitted is permitted by what the refusal says, and by nothing less.
                const permit = acknowledgement(change);
                const left = refused(planOf(from, deploymentFor({ ...to, acknowledge: permit })));
                assert.ok(left.every(({ acknowledge }) => acknowledge === undefined));
                assert.equal(refused(change).length === left.length, permit === "");
            }),
            runs(5, 100),
        );
    });
});

describe("a deployment after another", () => {
    const up = async (raw: Raw, outputs?: Readonly<Record<string, unknown>>) =>
        runOffline(stackFile(raw), { preview: true, ...(outputs ? { outputs } : {}) });
    const management = { ...routes.management, version: "1.10.0" };
    const none = { ...routes.none, version: "1.10.0" };

    it("remembers its settings, and has nothing to say of the same again", async () => {
        const { outputs, messages } = await up(management);
        assert.deepEqual(messages, []);
        assert.deepEqual((await up({ ...management, adopt: true }, outputs)).messages, []);
    });

    it("refuses what loses stored data until the stack file names this very change", async () => {
        const { outputs } = await up(management);
        await assert.rejects(up(none, outputs), {
            name: "UserError",
            message: [
                "Pulumi.test.yaml asks for a change that is refused, compared with the last deployment. Nothing was changed.",
                "",
                "  kof:route leaves the stored audit, logs, traces unreachable: the volumes stay (vlstorage-audit 2 x 100Gi, vlstorage 2 x 100Gi, " +
                    "vtstorage 2 x 100Gi), but nothing reads them until the route is management again",
                "",
                "  kof:acknowledge permits this change, once",
                "    Paste:   kof:acknowledge: management->none",
            ].join("\n"),
        });
        await assert.rejects(up({ ...none, acknowledge: "management->regional" }, outputs), /is refused/);
        const acknowledged = { ...none, acknowledge: "management->none" };
        const { outputs: after, messages } = await up(acknowledged, outputs);
        assert.match(messages.join("\n"), /^warning: kof:route leaves the stored/);
        assert.doesNotMatch(messages.join("\n"), /has no effect/);
        // Done: the same text permits nothing any more.
        const again = await up(acknowledged, after);
        assert.deepEqual(
            again.messages.filter((message) => message.includes("kof:acknowledge")),
            ['warning: kof:acknowledge "management->none" has no effect: no such change is pending. Remove it.'],
        );
    });

    it("permits a change once, however long the text stays in the file or comes back later", async () => {
        const acknowledge = "management->none";
        const paste = async (to: Raw, outputs: Readonly<Record<string, unknown>>) => {
            const error = await up(to, outputs).then(
                () => assert.fail("is not refused"),
                (refused: unknown) => refused as Error,
            );
            return /kof:acknowledge: (.*)$/.exec(error.message)![1]!;
        };
        let { outputs } = await up(management);
        ({ outputs } = await up({ ...none, acknowledge }, outputs));
        assert.deepEqual(outputs.acknowledged, [acknowledge]);
        // Back again, the text left in the file.
        ({ outputs } = await up({ ...management, acknowledge }, outputs));
        assert.equal(await paste({ ...none, acknowledge }, outputs), "management->none (2)");
        // Back again, the text taken out, and put in again later.
        ({ outputs } = await up(management, outputs));
        assert.equal(await paste({ ...none, acknowledge }, outputs), "management->none (2)");
        ({ outputs } = await up({ ...none, acknowledge: "management->none (2)" }, outputs));
        ({ outputs } = await up(management, outputs));
        const again = await paste({ ...none, acknowledge: "management->none, management->none (2)" }, outputs);
        assert.equal(again, "management->none (3)");
        ({ outputs } = await up({ ...none, acknowledge: again }, outputs));
        assert.deepEqual(outputs.acknowledged, [acknowledge, "management->none (2)", "management->none (3)"]);
    });

    it("does not take a text for a change that comes later", async () => {
        const { outputs, messages } = await up({ ...management, acknowledge: "management->none" });
        assert.match(messages.join("\n"), /"management->none" has no effect/, "in a first deployment, too");
        await assert.rejects(
            up({ ...none, acknowledge: "management->none" }, outputs),
            /kof:acknowledge: management->none \(2\)$/,
        );
    });

    it("says which of several texts has no effect", async () => {
        const { outputs } = await up(management);
        const { messages } = await up({ ...none, acknowledge: "logs 1Gi->2Gi, management->none" }, outputs);
        assert.deepEqual(
            messages.filter((message) => message.includes("kof:acknowledge")),
            ['warning: kof:acknowledge "logs 1Gi->2Gi" has no effect: no such change is pending. Remove it.'],
        );
    });

    it("permits what was printed, and not the same with more in it", async () => {
        const shards = (replicas: number) => ({ ...management, storage: { logs: { replicas } } });
        const { outputs } = await up(shards(4));
        const more = "management->none with 8 volumes";
        await assert.rejects(up({ ...none, acknowledge: "management->none" }, outputs), new RegExp(`${more}$`));
        await up({ ...none, acknowledge: more }, outputs);
        const { outputs: usual } = await up(shards(2));
        await assert.rejects(up({ ...none, acknowledge: more }, usual), /kof:acknowledge: management->none$/);
    });

    it("ends with what it left behind, and how to remove it", async () => {
        const { outputs } = await up(management);
        const acknowledge = "management->none";
        const { outputs: after } = await up({ ...none, acknowledge }, outputs);
        const claim = "vtstorage-volume-kof-storage-vt-cluster-vtstorage";
        assert.deepEqual(Object.keys(after.left as object), [
            "2 x 100Gi of vlstorage-audit",
            "2 x 100Gi of vlstorage",
            "2 x 100Gi of vtstorage",
        ]);
        assert.equal((after.left as any)["2 x 100Gi of vtstorage"], `kubectl delete pvc -n kof ${claim}-0 ${claim}-1`);
        // It stays on the list for as long as nothing uses it, whatever else is deployed.
        const { outputs: later } = await up({ ...none, clusterName: "other" }, after);
        assert.deepEqual(later.left, after.left);
        const one = { ...management, storage: { traces: { replicas: 1 } } };
        assert.deepEqual((await up(one, later)).outputs.left, {
            "1 x 100Gi of vtstorage": `kubectl delete pvc -n kof ${claim}-1`,
        });
        assert.deepEqual((await up(management, later)).outputs.left, {});
        const cloudwatch = (logGroup: string) => ({
            route: "cloudwatch",
            cloudwatch: { region: "us-east-2", logGroup },
        });
        const first = await up(cloudwatch("a"));
        const second = await up(cloudwatch("b"), first.outputs);
        const { left } = second.outputs;
        assert.deepEqual(left, {
            "log group a in us-east-2": "aws logs delete-log-group --region us-east-2 --log-group-name a",
            "log group a-audit in us-east-2": "aws logs delete-log-group --region us-east-2 --log-group-name a-audit",
        });
        const back = await up(cloudwatch("a"), second.outputs);
        assert.deepEqual(Object.keys(back.outputs.left as object), [
            "log group b in us-east-2",
            "log group b-audit in us-east-2",
        ]);
        // Of fewer pods the last ones go.
        const shards = (replicas: number) => ({ ...management, storage: { logs: { replicas } } });
        const { outputs: three } = await up(shards(3));
        const fewer = await up({ ...shards(2), acknowledge: "logs replicas 3->2" }, three);
        const name = "vlstorage-volume-kof-storage-victoria-logs-cluster-vlstorage";
        assert.deepEqual(fewer.outputs.left, { "1 x 100Gi of vlstorage": `kubectl delete pvc -n kof ${name}-2` });
        const gone = await up({ ...none, acknowledge: "management->none" }, fewer.outputs);
        assert.equal(
            (gone.outputs.left as any)["3 x 100Gi of vlstorage"],
            `kubectl delete pvc -n kof ${name}-0 ${name}-1 ${name}-2`,
        );
    });

    it("registers nothing of a change that it refuses", async () => {
        const { outputs } = await up(management);
        const smaller = { ...management, storage: { logs: { size: "50Gi" } } };
        await assert.rejects(up(smaller, outputs), (error: Error) => {
            assert.match(
                error.message,
                /kof:storage\.logs\.size would make vlstorage's volumes smaller \(100Gi->50Gi\)/,
            );
            assert.doesNotMatch(error.message, /kof:acknowledge/, "nothing permits it");
            return true;
        });
    });

    it("says what it takes for granted of an install that it takes over", async () => {
        const { messages, outputs } = await up({ ...management, adopt: true });
        assert.match(messages.join("\n"), /^warning: kof:adopt takes over the installed KOF, [^\n]*adopt -- --cluster/);
        assert.deepEqual((await up({ ...management, adopt: true }, outputs)).messages, []);
    });

    it("reads a deployment whose settings and values contradict each other as it ran", async () => {
        const vlstorage = ["kof-child", "values", "fromManagement", "storage", "victoria-logs-cluster", "vlstorage"];
        const settings = {
            ...management,
            version: "1.10.0",
            storage: { logs: { retention: "30d" } },
            values: nest([...vlstorage, "extraArgs", "retentionPeriod"], "90d"),
        };
        const next = (retention: string) => ({ ...settings, storage: { logs: { retention } }, values: {} });
        await up(next("90d"), { settings });
        await assert.rejects(up(next("30d"), { settings }), /kof:acknowledge: logs retention 90d->30d/);
    });

    it("reads a deployment that had a password in an address, and prints none", async () => {
        const of = (user: string) => ({ ...routes.otlp, otlp: { endpoint: `https://${user}otlp.example.net` } });
        const { outputs, messages } = await up(of(""), { settings: of("user:hunter2@") });
        assert.doesNotMatch(JSON.stringify([outputs, messages]), /hunter2|kof:version/);
    });

    it("does not take settings that it cannot read for a first deployment", async () => {
        const outputs = { settings: { route: "nowhere" } };
        await assert.rejects(
            up(none, outputs),
            /cannot read \(kof:route is "nowhere"[^]*kof:acknowledge: unknown->none/,
        );
        const { outputs: after } = await up({ ...none, acknowledge: "unknown->none" }, outputs);
        const again = { ...outputs, acknowledged: after.acknowledged };
        await assert.rejects(
            up({ ...none, acknowledge: "unknown->none" }, again),
            /kof:acknowledge: unknown->none \(2\)/,
        );
    });
});
