import assert from "node:assert/strict";

import { parse } from "yaml";

import { alertConfig, evaluatorsText } from "../../../core/routes/alerts";
import { planOf } from "../../../core/review/plan";
import { planData } from "../../../core/review/plan/data";
import { planText } from "../../../core/review/plan/text";
import { runOffline } from "../../../cli/program";
import { cases, deploymentFor, find, routes, stackFile, type Raw } from "../../support";

const names = (raw: Raw) => deploymentFor(raw).alerts.rules.map(({ alert }) => alert);
const promxy = (enabled: boolean) => ({ "kof-mothership": { values: { promxy: { enabled } } } });
const vmalert = (more: object) => ({ "kof-mothership": { values: { victoriametrics: { vmalert: more } } } });
const VMRule = "kubernetes:operator.victoriametrics.com/v1beta1:VMRule";

// What they do is in alerts.cluster.ts.
describe("alert rules", () => {
    for (const { version, name, raw } of cases) {
        it(`KOF ${version}, ${name}: are there where a store of KOF's has the metrics`, () => {
            const watched = ["management", "regional", "regionless"].includes(String(raw.route));
            const { rules, evaluators, none } = deploymentFor(raw).alerts;
            assert.equal(rules.length > 0, watched);
            // No VMAlert of this cluster sees what a region stores.
            const both = raw.route === "regional" ? ["Promxy"] : ["Promxy", "VMAlert"];
            assert.deepEqual(
                evaluators.map(({ by }) => by),
                watched ? both : [],
            );
            assert.equal(none, watched ? undefined : "the metrics of this cluster are in no store of KOF's");
        });
    }

    it("are of what a stack has", () => {
        const all = [
            ...["MetricsNotArriving", "LogsNotArriving", "TracesNotArriving", "AuditLogsNotArriving"],
            ...["ExporterLosesRecords", "ExporterQueueFills", "VolumeFullSoon"],
        ];
        assert.deepEqual(names({ route: "management" }), all);
        // Up to KOF 1.9 audit logs are among the logs.
        const until19 = all.filter((each) => each !== "AuditLogsNotArriving");
        assert.deepEqual(names({ route: "management", version: "1.9.0" }), until19);
    });

    it("tell signals apart that one exporter writes, except logs from audit logs, which it counts as one", () => {
        const { rules } = deploymentFor({
            route: "management",
            signals: { metrics: ["management", "a"], logs: ["a"], traces: ["a"], audit: ["a"] },
            destinations: { a: { endpoint: "https://otel.example.net" } },
        }).alerts;
        const arrivals = rules.filter(({ expr }) => expr.includes('"destination", "a"')).map(({ alert }) => alert);
        assert.deepEqual(arrivals, ["MetricsNotForwarded", "LogsNotArriving", "TracesNotArriving"]);
    });

    it("have no rule for what a destination may rightly get nothing of", () => {
        const raw = (processing: object) => ({
            route: "management",
            signals: { traces: ["cloudwatch"], logs: ["cloudwatch"] },
            cloudwatch: { region: "us-east-2", signals: { traces: "xray" }, processing },
        });
        assert.ok(names(raw({ redact: ["secret"] })).includes("LogsNotArriving"));
        assert.ok(!names(raw({ minimumSeverity: "error" })).includes("LogsNotArriving"));
        assert.ok(names(raw({ minimumSeverity: "error" })).includes("ExporterLosesRecords"));
    });

    it("are left out by choice, and where nothing would evaluate them, with the reason", () => {
        const none = (more: Raw) => deploymentFor({ route: "management", ...more }).alerts;
        assert.deepEqual(none({ alerts: false }), {
            cluster: "mothership",
            rules: [],
            evaluators: [],
            none: "by choice",
        });
        assert.equal(none({ values: promxy(true) }).none, undefined);
        const off = "kof-mothership.values.promxy.enabled turns off what evaluates them";
        assert.equal(none({ ...routes.regional, values: promxy(false) }).none, off);
        const neither = { values: { promxy: { enabled: false }, victoriametrics: { vmalert: { enabled: false } } } };
        assert.equal(none({ values: { "kof-mothership": neither } }).none, off);
    });

    it("are for each VMAlert that takes every rule and reads the store, and say whether it notifies", () => {
        const by = (more: Raw) => evaluatorsText(deploymentFor({ route: "management", ...more }).alerts);
        const alone = "Promxy, which notifies Alertmanager";
        const blackhole = "VMAlert, which notifies nobody";
        assert.equal(by({}), `${alone}, and ${blackhole}`);
        assert.equal(by({ values: promxy(false) }), blackhole);
        const url = "http://vmalertmanager-cluster:9093";
        const notifying = { spec: { extraArgs: { "notifier.blackhole": "false", "notifier.url": url } } };
        assert.equal(by({ values: vmalert(notifying) }), `${alone}, and VMAlert, which notifies Alertmanager`);
        const others = [
            { enabled: false },
            { spec: { selectAllByDefault: false } },
            { spec: { ruleSelector: { matchLabels: { team: "a" } } } },
            { spec: { ruleNamespaceSelector: { matchLabels: { team: "a" } } } },
            { spec: { datasource: { url: "http://elsewhere.example.net" } } },
        ];
        for (const values of others.map(vmalert)) {
            assert.equal(by({ values }), alone, JSON.stringify(values));
            // There kof-storage has another.
            assert.equal(by({ ...routes.regionless, values }), `${alone}, and ${blackhole}`, JSON.stringify(values));
        }
        const both = { ...routes.regional, signals: { metrics: ["regional", "management"] } };
        assert.equal(by(both), `${alone}, and ${blackhole}`);
    });

    it("look for the cluster by the label that its metrics have", () => {
        const { alerts } = deploymentFor({ route: "management", clusterName: "hub" });
        assert.equal(alerts.cluster, "hub");
        for (const { expr } of alerts.rules) {
            assert.match(expr, /cluster="hub"/);
            assert.doesNotMatch(expr, /mothership/);
        }
    });

    it("watch the volumes of this cluster, and of a region where telemetry goes", () => {
        const volumes = (raw: Raw) =>
            deploymentFor(raw).alerts.rules.find(({ alert }) => alert === "VolumeFullSoon")?.expr ?? "";
        const regional = volumes({ ...routes.regional });
        assert.match(regional, /cluster="eu-1",namespace="kof",persistentvolumeclaim=~"vlstorage-volume/);
        assert.doesNotMatch(volumes({ route: "management" }), /eu-1/);
        // A cache may be full.
        assert.doesNotMatch(volumes({ route: "management" }), /vmselect/);
    });

    it("are in a ConfigMap of the shape that kof-operator reads, the same in a VMRule, and in no Helm value", async () => {
        const run = await runOffline(stackFile({ route: "management" }), { preview: false });
        const { metadata, data } = find(run.resources, "kubernetes:core/v1:ConfigMap").inputs as any;
        assert.deepEqual(metadata.labels, { "k0rdent.mirantis.com/kof-alert-rules-cluster-name": "" });
        assert.equal(metadata.namespace, "kof");
        assert.deepEqual(Object.keys(data), ["kof-storage-routes"]);
        const rules = parse(data["kof-storage-routes"]) as Record<string, Record<string, unknown>>;
        assert.deepEqual(Object.keys(rules), names({ route: "management" }));
        for (const [name, rule] of Object.entries(rules)) {
            // monitoring.coreos.com/v1 Rule, without what Promxy does not know (keep_firing_for).
            assert.deepEqual(Object.keys(rule), ["expr", "for", "labels", "annotations"], name);
            assert.match(String(rule.for), /^\d+[sm]$|^1h$/);
        }
        const vmRule = find(run.resources, VMRule);
        const { metadata: named, spec } = vmRule.inputs as any;
        assert.deepEqual(named, { name: metadata.name, namespace: "kof" });
        const listed = Object.entries(rules).map(([alert, rule]) => ({ alert, ...rule }));
        assert.deepEqual(spec, { groups: [{ name: "kof-storage-routes", rules: listed }] });
        // A release of KOF brings its definition. Promxy's rules wait for nothing.
        const kof = find(run.resources, "kubernetes:helm.sh/v4:Chart").urn;
        assert.ok(vmRule.dependencies.includes(kof));
        assert.ok(!find(run.resources, "kubernetes:core/v1:ConfigMap").dependencies.includes(kof));
        const { values } = find(run.resources, "kubernetes:helm.sh/v4:Chart").inputs;
        assert.doesNotMatch(JSON.stringify(values), /NotArriving/);
        const without = await runOffline(stackFile({ route: "management", alerts: false }), { preview: false });
        assert.ok(!without.resources.some(({ type }) => type.includes("ConfigMap") || type === VMRule));
        assert.deepEqual(find(without.resources, "kubernetes:helm.sh/v4:Chart").inputs.values, values);
    });

    it("are made only for what evaluates them, and for VMAlert not in a folder", async () => {
        const made = async (raw: Raw, more: Record<string, string> = {}) => {
            const run = await runOffline(stackFile({ route: "management", ...raw }, more), { preview: false });
            const kinds = run.resources.flatMap(({ type }) => /:(ConfigMap|VMRule)$/.exec(type)?.slice(1) ?? []);
            return [kinds.sort().join(), (run.outputs.alerts as Record<string, string>).none];
        };
        const folder = { "kubernetes:renderYamlToDirectory": "out" };
        assert.deepEqual(await made({}), ["ConfigMap,VMRule", undefined]);
        assert.deepEqual(await made({ values: promxy(false) }), ["VMRule", undefined]);
        assert.deepEqual(await made({ ...routes.regional }), ["ConfigMap", undefined]);
        assert.deepEqual(await made({}, folder), ["ConfigMap", undefined]);
        assert.deepEqual(await made({ values: promxy(false) }, folder), [
            "",
            "only VMAlert evaluates them, and its rules cannot be in a folder",
        ]);
    });

    it("have the date of the access key that is in use", async () => {
        const raw = {
            route: "management",
            signals: { logs: ["cloudwatch"] },
            cloudwatch: { region: "us-east-2", credentials: { kind: "accessKey", generations: ["2025-11", "2026"] } },
        };
        const state = {
            "cloudwatch-2025-11": { createDate: "2025-11-01T00:00:00Z" },
            "cloudwatch-2026": { createDate: "2026-01-01T00:00:00Z" },
        };
        const run = await runOffline(stackFile(raw), { preview: false, state });
        const { data } = find(run.resources, "kubernetes:core/v1:ConfigMap").inputs as any;
        const { AccessKeyOld } = parse(data["kof-storage-routes"]) as Record<string, { expr: string }>;
        assert.equal(AccessKeyOld?.expr, "vector(time()) - 1767225600 > 7776000");
        const { spec } = find(run.resources, VMRule).inputs as any;
        assert.equal(spec.groups[0].rules.at(-1).expr, AccessKeyOld.expr);
        // Offline nobody knows it.
        const offline = JSON.stringify(alertConfig(deploymentFor(raw).alerts, { cloudwatch: "made with pulumi up" }));
        assert.match(offline, /vector\(time\(\)\) - ACCESS_KEY_MADE > 7776000/);
    });

    it("have the date of each key that the stack made for an archive", async () => {
        const archives = {
            route: "management",
            coldStorage: {
                bucket: "kof-cold",
                region: "eu-central-1",
                credentials: { kind: "accessKey", generations: ["a", "b"] },
            },
        };
        const rule = async (raw: Raw, state: Record<string, object>) => {
            const run = await runOffline(stackFile(raw), { preview: false, state });
            const { data } = find(run.resources, "kubernetes:core/v1:ConfigMap").inputs as any;
            return (parse(data["kof-storage-routes"]) as Record<string, any>).AccessKeyOld;
        };
        const made = (date: string) => ({ createDate: `${date}T00:00:00Z` });
        const cold = { "cold-storage-exporter-a": made("2025-11-01"), "cold-storage-exporter-b": made("2026-01-01") };
        const alone = await rule(archives, cold);
        assert.equal(alone.expr, "vector(time()) - 1767225600 > 7776000");
        assert.match(alone.annotations.description, /^The access key of kof:coldStorage is older/);
        const cloudwatch = { region: "us-east-2", credentials: { kind: "accessKey", generations: ["1"] } };
        const both = await rule(
            { ...archives, signals: { logs: ["cloudwatch"] }, cloudwatch },
            { ...cold, "cloudwatch-1": made("2026-02-01") },
        );
        assert.equal(
            both.expr,
            'label_replace(vector(time()) - 1769904000, "key", "CloudWatch", "", "") > 7776000\nor\n' +
                'label_replace(vector(time()) - 1767225600, "key", "kof:coldStorage", "", "") > 7776000',
        );
        const existing = { ...archives.coldStorage, credentials: { kind: "existingSecret", name: "mine" } };
        assert.equal(await rule({ ...archives, coldStorage: existing }, {}), undefined);
    });

    it("are in the plan of a change", () => {
        const plan = (from: Raw, to: Raw) => planOf(deploymentFor(from), deploymentFor(to));
        const management = { route: "management" };
        const off = plan(management, { ...management, alerts: false });
        assert.deepEqual(
            off.alerts.map(({ alert, operation }) => `${alert} ${operation}`),
            names(management).map((name) => `${name} removed`),
        );
        assert.match(planText(off), /^- LogsNotArriving: removed, so nobody is notified when no logs are sent/m);
        assert.deepEqual(plan(management, management).alerts, []);
        assert.doesNotMatch(planText(plan(management, management)), /Alert rules/);
        const longer = plan(management, { ...management, storage: { logs: { retention: "60d" } } });
        assert.deepEqual(
            longer.alerts.map(({ alert, operation }) => `${alert} ${operation}`),
            ["VolumeFullSoon changed"],
        );
        // Its words are the same: what differs is in the expression.
        const [{ lines }] = longer.alerts as [(typeof longer.alerts)[number]];
        assert.deepEqual(
            [lines.from, lines.to].map((each) => each.map((line) => /\* \d+$| offset \w+/.exec(line)?.[0])),
            [
                ["* 604800", " offset 151h"],
                ["* 5184000", " offset 648h"],
            ],
        );
        assert.match(
            planText(longer),
            /^- VolumeFullSoon: changed\. [^\n]*\n {2}- was: `[^\n]* \* 604800`\n[^]*^ {2}- now: `[^\n]* \* 5184000`$/m,
        );
        assert.deepEqual((planData(longer) as { alerts: unknown }).alerts, longer.alerts);
        // Then nobody is told any more what fires.
        const silent = plan(management, { ...management, values: promxy(false) });
        assert.deepEqual(
            silent.alerts.map(({ operation }) => operation),
            names(management).map(() => "changed"),
        );
        assert.match(planText(silent), /^ {2}- now: `evaluated by VMAlert, which notifies nobody`$/m);
        const more = plan(management, { ...management, values: { "kof-mothership": {} }, clusterName: "other" });
        assert.ok(more.alerts.every(({ operation, lines }) => operation !== "changed" || lines.to.length > 0));
        assert.match(
            planText(plan({ route: "none" }, management)),
            /^- LogsNotArriving: added. It fires when no logs/m,
        );
    });
});
