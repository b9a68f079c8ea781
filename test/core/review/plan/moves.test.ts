import assert from "node:assert/strict";

import { acknowledgement, planOf, verdictOf, type Plan } from "../../../../core/review/plan";
import { leftoversOf, leftoversUntil } from "../../../../core/review/plan/leftovers";
import type { Lines } from "../../../../core/review/plan/moves";
import { planText } from "../../../../core/review/plan/text";
import { nest } from "../../../../core/lib/values";
import { deploymentFor, hasRegionless, routes, type Raw } from "../../../support";

const plan = (from: Raw, to: Raw) => planOf(deploymentFor(from), deploymentFor(to));
const versions = ["1.9.0", "1.10.0"];

const cloudwatch = { cloudwatch: { region: "us-east-2" } };
const regional = { regional: { cluster: "eu-1", domain: "eu-1.obs.example.net" } };
const otlp = { otlp: { endpoint: "https://otlp.example.net" } };
const destinations = {
    honeycomb: { preset: "honeycomb", auth: { kind: "headers", secret: "honeycomb-headers" } },
    mimir: { protocol: "remotewrite", endpoint: "https://mimir.example.net/api/v1/push" },
};
const all = (...names: string[]) => ({ metrics: names, logs: names, traces: names, audit: names });
const logsTo = (...names: string[]) => ({ logs: names, audit: names });

/** Stacks by what they do, without their version. */
const stacks: Readonly<Record<string, Raw>> = {
    management: { route: "management" },
    "management, logs at both": {
        route: "management",
        signals: logsTo("management", "cloudwatch"),
        ...cloudwatch,
    },
    "management, logs away": { route: "management", signals: logsTo("cloudwatch"), ...cloudwatch },
    "management, all away": {
        route: "management",
        signals: { ...all("honeycomb"), metrics: ["mimir"] },
        destinations,
    },
    "management, logs nowhere": { route: "management", signals: logsTo() },
    regional: { route: "regional", ...regional },
    cloudwatch: { route: "cloudwatch", cloudwatch: { region: "us-east-2", retentionDays: 90 } },
    otlp: { route: "otlp", ...otlp },
    "none, by destinations": {
        route: "none",
        signals: all("honeycomb"),
        destinations: { honeycomb: destinations.honeycomb },
    },
};
const known = new Map<string, Raw>();
/** The same object each time, so that what it resolves to is worked out once. */
function stack(name: string, version: string): Raw {
    const found = known.get(`${name} ${version}`) ?? { ...stacks[name], version };
    known.set(`${name} ${version}`, found);
    return found;
}

/** Changes in which a signal leaves every place that it went to, with whether Flux would hand over to Sveltos from KOF 1.10 on. */
const pairs = [
    ["management", "management, logs away", "always"],
    ["management", "cloudwatch", "always"],
    ["management", "regional", "always"],
    ["management, logs away", "otlp", "always"],
    ["management, all away", "management", "always"],
    ["regional", "cloudwatch", "always"],
    ["cloudwatch", "otlp", "always"],
    ["none, by destinations", "cloudwatch", "always"],
    ["cloudwatch", "management", "until 1.9"],
    ["otlp", "regional", "until 1.9"],
    ["none, by destinations", "management, logs at both", "until 1.9"],
] as const;

/** A stack file in which lines of a plan replace those that it has. */
const pasted = (raw: Raw, lines: Lines): Raw => ({
    ...raw,
    ...Object.fromEntries(Object.entries(lines).map(([key, value]) => [key.slice("kof:".length), value])),
});
/** Where each signal ends. Why one is stored nowhere depends on who says so. */
const placesIn = (raw: Raw) =>
    Object.values(deploymentFor(raw).destinations).map((each) => (each.stored ? each.ends : []));
const byHand = ({ consequences }: Plan) => consequences.filter(({ message }) => message.includes("at once: "));
const gaps = ({ signals }: Plan) => signals.map(({ signal, operation, gap }) => `${signal} ${operation}: ${gap}`);
const found = ({ consequences }: Plan) =>
    consequences.map(({ severity, key, acknowledge = "" }) => `${severity} ${key} ${acknowledge}`.trim());
const changed = ({ volumes }: Plan) =>
    volumes
        .filter(({ operation }) => operation !== "kept")
        .map(({ workload, operation, count }) => `${workload} ${operation} ${String(count)}`);

describe("a plan of signals with several destinations", () => {
    it("says that audit logs leave a destination with the version that tells them from logs, and how they stay", () => {
        const vendor = { vendor: { endpoint: "https://otlp.example.net" } };
        const was = {
            route: "management",
            version: "1.9.0",
            signals: { logs: ["management", "vendor"] },
            destinations: vendor,
        };
        const said = (from: Raw, to: Raw) =>
            plan(from, to).consequences.filter(({ message }) => message.includes("audit logs leave"));
        const is = { ...was, version: "1.10.0" };
        const [only, ...others] = said(was, is);
        assert.match(
            only?.message ?? "",
            /^does not name audit, which KOF 1\.10\.0 tells from logs: audit logs leave vendor, .* go to management alone$/,
        );
        assert.deepEqual(others, []);
        const mended = pasted(is, only?.paste as Lines);
        assert.deepEqual(said(was, mended), []);
        assert.deepEqual(
            plan(was, mended).signals[3]!.removed.filter((place) => place.includes("otlp.example.net")),
            [],
        );
        assert.deepEqual(said(is, is), []);
        assert.deepEqual(said({ ...was, signals: {}, destinations: {} }, { ...is, signals: {}, destinations: {} }), []);
    });

    for (const version of versions) {
        const [here, both, away] = ["management", "management, logs at both", "management, logs away"].map((name) =>
            stack(name, version),
        ) as [Raw, Raw, Raw];
        const audit = hasRegionless(version);

        it(`says what joins, from when several places have the same, and that nothing is missed, KOF ${version}`, () => {
            const change = plan(here, both);
            assert.equal(verdictOf(change), "safe");
            assert.deepEqual([found(change), changed(change), change.twoSteps], [[], [], []]);
            const [metrics, logs] = change.signals;
            assert.deepEqual([metrics!.operation, metrics!.overlap, metrics!.added], ["unchanged", "", []]);
            assert.equal(logs!.operation, "spreads");
            assert.deepEqual(logs!.added, ["CloudWatch Logs in us-east-2: /kof/mothership/logs"]);
            assert.match(logs!.kept.join(), /^VictoriaLogs on this cluster: [^,]*$/);
            assert.deepEqual([logs!.removed, logs!.unsent], [[], []]);
            assert.match(
                planText(change),
                /\n- logs: spreads\. .*Missed: none: VictoriaLogs on this cluster gets the logs throughout\n {2}VictoriaLogs on this cluster and CloudWatch Logs in us-east-2 have the same from this deployment on, once the collectors have restarted\. What was stored before is at VictoriaLogs on this cluster only\n/,
            );
            assert.match(
                planText(change),
                /## Collectors\n\n- restart, one pod after the other: .*kof-collectors-daemon/,
            );
        });

        it(`treats a store that gets nothing any more as what it is, KOF ${version}`, () => {
            for (const from of [here, both]) {
                const change = plan(from, away);
                const what = audit ? "logs and audit" : "logs";
                assert.equal(verdictOf(change), "loses");
                assert.deepEqual(found(change), [`loses kof:signals ${what} off`]);
                assert.deepEqual(changed(change), [
                    ...(audit ? ["vlstorage-audit orphaned 2"] : []),
                    "vlstorage orphaned 2",
                ]);
                const { message, paste } = change.consequences[0]!;
                assert.match(
                    message,
                    new RegExp(`^no longer sends ${what} to management, .*the volumes stay \\(.*vlstorage 2 x `),
                );
                assert.equal(verdictOf(plan(from, pasted(away, paste as Lines))), "safe");
                const acknowledged = plan(from, { ...away, acknowledge: acknowledgement(change) });
                assert.equal(verdictOf(acknowledged), "loses", "permitted, and lost all the same");
            }
            const narrow = plan(both, away).signals[1]!;
            assert.deepEqual(
                [narrow.operation, narrow.overlap, narrow.gap],
                ["narrows", "", "none: CloudWatch Logs in us-east-2 gets the logs throughout"],
            );
            // Back again, the volumes are found by their names, and nothing is left behind.
            const left = Object.fromEntries(leftoversOf(plan(here, away)).map(({ what, remove }) => [what, remove]));
            assert.equal(Object.keys(left).length, audit ? 2 : 1);
            const back = plan(away, here);
            assert.equal(verdictOf(back), "safe");
            assert.deepEqual(changed(back), [...(audit ? ["vlstorage-audit created 2"] : []), "vlstorage created 2"]);
            const still = leftoversUntil(deploymentFor(here), back, left).map(({ what }) => what);
            assert.ok(still.length > 0 && still.every((what) => what.startsWith("log group ")), still.join());
            assert.match(
                planText(back),
                /What still waits on the nodes for CloudWatch Logs in us-east-2 does not reach it/,
            );
        });

        it(`says when OpenCost goes and comes with the metrics, KOF ${version}`, () => {
            const gone = stack("management, all away", version);
            const said = (change: Plan) =>
                change.consequences
                    .filter(({ message }) => message.includes("OpenCost"))
                    .map(({ key, message }) => `${key} ${message}`);
            assert.match(said(plan(here, gone)).join(), /^kof:signals turns OpenCost off: /);
            assert.match(said(plan(gone, here)).join(), /^kof:signals starts OpenCost: /);
            for (const [from, to] of [
                [here, both],
                [both, away],
                [here, stack("regional", version)],
                [here, { route: "none", version }],
                [{ route: "none", version }, here],
            ] as const) {
                assert.deepEqual(said(plan(from, to)), []);
            }
        });

        it(`says where another exporter leaves what waits for a place, KOF ${version}`, () => {
            const vendor = { endpoint: "https://otlp.example.net" };
            const named = (name: string, more: object = {}) => ({
                ...stack("management", version),
                signals: logsTo("management", name),
                destinations: { [name]: { ...vendor, ...more } },
            });
            const unsent = (from: Raw, to: Raw) => plan(from, to).signals.map((each) => each.unsent.join());
            assert.deepEqual(unsent(named("old"), named("new")), ["", "old", "", "old"]);
            assert.deepEqual(unsent(named("old"), named("old", { buffer: { size: "2Gi" } })), ["", "", "", ""]);
            const region = (route: string) => ({ route, version, ...regional, signals: all("management", "regional") });
            assert.deepEqual(unsent(region("management"), region("regional")), ["", "", "", ""]);
            assert.deepEqual(unsent(stack("regional", version), region("management")).slice(0, 3), [
                "",
                "VictoriaLogs of region eu-1",
                "VictoriaTraces of region eu-1",
            ]);
        });

        it(`says where what waits for a place goes, once its exporter writes to another one, KOF ${version}`, () => {
            const region = { route: "management", version, ...regional, signals: all("management", "regional") };
            const joined = plan(stack("regional", version), region);
            const [metrics, logs] = joined.signals;
            // Metrics wait in memory, which the restart empties anyway.
            assert.deepEqual([metrics!.rerouted, metrics!.gap.slice(0, 5)], [[], "none:"]);
            assert.match(
                logs!.gap,
                /^none of what comes in from .*region eu-1 gets\. What waits on the nodes until then is missed there$/,
            );
            const instead =
                "What still waits on the nodes for VictoriaLogs of region eu-1 goes to VictoriaLogs on this cluster instead";
            const isNowhere = "What still waits on the nodes for VictoriaLogs of region eu-1 does not reach it";
            // Up to KOF 1.9 what the stores of this cluster get waits in memory: nothing reads the queue on the node.
            const text = planText(joined);
            assert.deepEqual([text.includes(instead), text.includes(isNowhere)], audit ? [true, false] : [false, true]);
            const there = plan(here, stack("regional", version)).signals.map(({ rerouted }) =>
                rerouted.map(({ to }) => to).join(),
            );
            assert.deepEqual(
                there,
                audit
                    ? [
                          "",
                          "VictoriaLogs of region eu-1",
                          "VictoriaTraces of region eu-1",
                          "VictoriaLogs of region eu-1",
                      ]
                    : ["", "", "", ""],
            );
            // A destination that keeps its name keeps its queue, wherever it is.
            const at = (endpoint: string) => ({ version, route: "otlp", otlp: { endpoint } });
            assert.match(
                planText(plan(at("https://a.example.net"), at("https://b.example.net"))),
                /What still waits on the nodes for OTLP: https:\/\/a\.example\.net goes to OTLP: https:\/\/b\.example\.net instead/,
            );
        });

        it(`shows another size of what waits as such, KOF ${version}`, () => {
            const route = { version, route: "otlp", ...otlp };
            const saidOf = (from: object, to: object) =>
                plan({ ...route, ...from }, { ...route, ...to }).consequences.map(
                    ({ key, message }) => `${key} ${message}`,
                );
            assert.deepEqual(saidOf({}, { buffer: { size: "512Mi", duration: "1h" } }), [
                "kof:buffer changes what each exporter to otlp keeps while that is away: from 1Gi on the node's disk for 30m to 0.5Gi on the " +
                    "node's disk for 1h. What waits already is sent all the same, and nothing is added while it is more than that",
            ]);
            assert.doesNotMatch(saidOf({}, { buffer: { size: "2Gi" } }).join(), /nothing is added/);
            assert.deepEqual(saidOf({}, { buffer: { size: "1Gi" } }), []);
            const own = (buffer: object) => ({
                signals: { metrics: ["mimir"] },
                destinations: { mimir: { ...destinations.mimir, ...buffer } },
            });
            assert.match(
                saidOf(own({}), own({ buffer: { size: "2Gi" } })).join(),
                /^kof:destinations\.mimir\.buffer changes [^;]*to mimir keeps[^,]*$/,
            );
        });

        it(`keeps the volumes of stores that stay for a while as they are, KOF ${version}`, () => {
            const own = {
                storageClass: { name: "kof", preset: "aws-ebs" },
                storage: { logs: { size: "300Gi", retention: "60d" } },
            };
            const impossible = (from: Raw, to: Raw) =>
                plan(from, to).consequences.filter(({ severity }) => severity === "impossible");
            // What stores nothing on this cluster has no class, and no sizes, in its stack file.
            for (const [from, to] of [
                [{ ...here, ...own }, stack("cloudwatch", version)],
                [{ ...here, ...own }, stack("regional", version)],
                [{ ...stack("regional", version), ...own, signals: logsTo("management") }, stack("regional", version)],
            ] as const) {
                const { twoSteps } = plan(from, to);
                assert.equal(twoSteps.length, 2);
                const [both, alone] = twoSteps.map((lines) => pasted(to, lines)) as [Raw, Raw];
                assert.deepEqual([...impossible(from, both), ...impossible(both, alone)], []);
                assert.deepEqual(both.storageClass, own.storageClass);
                assert.deepEqual(both.storage, own.storage);
            }
            const [gone] = plan({ ...both, ...own, ...cloudwatch }, { ...stack("regional", version) }).consequences;
            assert.deepEqual((gone?.paste as Raw)["kof:storageClass"], own.storageClass);
        });

        it(`says what a destination gets from now on, where processing changes, KOF ${version}`, () => {
            const sent = (processing: object | undefined, of: Raw = {}) => ({
                ...stack("management", version),
                signals: logsTo("management", "vendor"),
                destinations: {
                    vendor: { endpoint: "https://otlp.example.net", ...(processing ? { processing } : {}) },
                },
                ...of,
            });
            const said = (from: Raw, to: Raw) =>
                plan(from, to)
                    .consequences.filter(({ key }) => key.endsWith(".processing"))
                    .map(({ severity, key, message }) => `${severity} ${key} ${message}`);
            const [all, less] = [sent(undefined), sent({ minimumSeverity: "warn", dropNamespaces: ["kube-system"] })];
            const what = "nothing of namespace kube-system is stored there; logs below warn are not stored there";
            const start =
                "notice kof:destinations.vendor.processing changes what vendor gets. From this deployment on: ";
            assert.deepEqual(said(all, less), [`${start}${what}, by choice. Until then: everything is stored there`]);
            assert.deepEqual(said(less, all), [`${start}everything is stored there. Until then: ${what}`]);
            assert.deepEqual(said(here, less), [`${start}${what}, by choice`], "a new destination");
            assert.deepEqual([...said(less, less), ...said(here, all), ...said(less, here)], []);
            assert.match(planText(plan(all, less)), /changes what vendor gets/);
            const aws = (processing?: object) => ({
                route: "cloudwatch",
                version,
                cloudwatch: { region: "us-east-2", ...(processing ? { processing } : {}) },
            });
            assert.match(
                said(aws(), aws({ minimumSeverity: "error" })).join(),
                /^notice kof:cloudwatch\.processing .*: logs below error are not stored there, by choice\. Until then: everything/,
            );
        });

        it(`says what waits on the nodes for a place that gets no more of it, KOF ${version}`, () => {
            const more = { ...stack("management, all away", version) };
            const less = {
                ...more,
                signals: {
                    ...all("management"),
                    logs: ["management", "honeycomb"],
                    ...(audit ? {} : { audit: ["management", "honeycomb"] }),
                },
                destinations: { honeycomb: destinations.honeycomb },
            };
            const { signals } = plan(more, less);
            assert.deepEqual(
                signals.map(({ signal, unsent }) => `${signal}: ${unsent.join()}`),
                ["metrics: mimir", "logs: ", "traces: honeycomb (Honeycomb)", "audit: honeycomb (Honeycomb)"].map(
                    (line) =>
                        // Up to KOF 1.9 audit logs go where the logs go.
                        line.startsWith("audit") && !audit ? "audit: " : line,
                ),
            );
        });

        it(`offers two steps without a gap wherever there are any, and the lines are right, KOF ${version}`, () => {
            const offered: string[] = [];
            for (const [was, is] of pairs) {
                const [from, to] = [stack(was, version), stack(is, version)];
                const change = plan(from, to);
                const [first, second] = change.twoSteps;
                if (!first || !second) {
                    continue;
                }
                offered.push(`${was} -> ${is}`);
                const meanwhile = pasted(to, first);
                // What waits on the nodes for a region goes elsewhere by the first step: the heading says no more than that.
                const isWhole = plan(from, meanwhile).signals.every(
                    ({ gap }) => !gap.startsWith("none of what comes in"),
                );
                const heading = isWhole
                    ? "In two steps, without a gap\n"
                    : "In two steps, without a gap in what comes in\n";
                assert.ok(planText(change).includes(`## ${heading}`), `${was} -> ${is}`);
                assert.equal(planText(change).includes("Deploy them while nothing waits on the nodes"), !isWhole);
                // The second lines replace those of the stack file, or the first ones in it.
                for (const then of [pasted(to, second), pasted(meanwhile, second)]) {
                    for (const step of [plan(from, meanwhile), plan(meanwhile, then)]) {
                        assert.deepEqual([byHand(step), step.twoSteps], [[], []]);
                        for (const { signal, operation, gap } of step.signals) {
                            const asked = change.signals.find((each) => each.signal === signal)!.operation;
                            const isMissed = !gap.startsWith("none") && operation !== "unchanged";
                            assert.ok(asked !== "moves" || !isMissed, `${was} -> ${is}, ${signal}: ${gap}`);
                        }
                    }
                    // What comes of it is what was asked for.
                    assert.deepEqual(placesIn(then), placesIn(to));
                }
            }
            assert.deepEqual(
                offered,
                pairs.filter(([, , way]) => way === "always" || !audit).map(([was, is]) => `${was} -> ${is}`),
            );
        });

        it(`names lines that are right where one installer would get in the way of the other, KOF ${version}`, () => {
            const refused: string[] = [];
            const names = ["management, logs at both", "management", "regional", "cloudwatch", "none, by destinations"];
            for (const was of names) {
                for (const is of names) {
                    const [from, to] = [stack(was, version), stack(is, version)];
                    for (const { paste, key } of byHand(plan(from, to))) {
                        refused.push(`${was} -> ${is}`);
                        assert.equal(key, from.route === to.route ? "kof:signals" : "kof:route");
                        const instead = pasted(to, paste as Lines);
                        assert.deepEqual(byHand(plan(from, instead)), [], `${was} -> ${is}`);
                        if (instead.route === "none") {
                            assert.deepEqual(byHand(plan(instead, to)), []);
                            assert.deepEqual(deploymentFor(instead).collectors, []);
                        } else {
                            assert.deepEqual(placesIn(instead), placesIn(to));
                        }
                    }
                }
            }
            assert.equal(refused.includes("cloudwatch -> management"), audit);
            assert.equal(refused.includes("cloudwatch -> management, logs at both"), audit);
            assert.equal(refused.length > 0, audit);
        });
    }

    it("tells destinations of one address apart, and takes one that has another name for the same", () => {
        const at = (secret: string) => ({ endpoint: "https://otel.example.net", auth: { kind: "bearer", secret } });
        const traces = (...names: string[]): Raw => ({
            route: "management",
            signals: { traces: names },
            destinations: Object.fromEntries(names.map((name) => [name, at(name)])),
        });
        const change = (from: Raw, to: Raw) => plan(from, to).signals.find(({ signal }) => signal === "traces");
        const second = change(traces("a"), traces("a", "b"));
        assert.equal(second?.operation, "spreads");
        assert.deepEqual(second.added, ["b: https://otel.example.net"]);
        const first = change(traces("a", "b"), traces("a"));
        assert.equal(first?.operation, "narrows");
        assert.deepEqual(first.unsent, ["b"]);
        assert.equal(first.gap, "none: a gets the traces throughout");
        assert.equal(change(traces("a"), traces("b"))?.operation, "unchanged");
    });

    it("says which volumes Kubernetes deletes with their store, and which stay", () => {
        const [here, away] = [stack("management", "1.10.0"), stack("management, logs away", "1.10.0")];
        const path = "kof-child.values.fromManagement.storage.victoriametrics.vlcluster_audit.spec.vlstorage";
        const values = nest([...path.split("."), "persistentVolumeClaimRetentionPolicy"], { whenDeleted: "Delete" });
        for (const to of [away, { route: "none", version: "1.10.0" }]) {
            const change = plan({ ...here, values }, { ...to, values });
            assert.ok(changed(change).includes("vlstorage-audit deleted 2"), changed(change).join());
            assert.match(
                change.consequences[0]!.message,
                /unreachable: Kubernetes deletes the volumes with it \(vlstorage-audit 2 x 100Gi\); of the others the volumes stay \(vlstorage 2 x /,
            );
        }
    });

    it("keeps the collectors with their installer on KOF 1.10, by the lines that it says", () => {
        const text = planText(plan(stack("management", "1.10.0"), stack("cloudwatch", "1.10.0")));
        assert.match(
            text,
            /leave the collectors with Sveltos: route management stays, and kof:signals name where each signal goes, so that the collectors only restart\.\n\n {2}```yaml\n {2}kof:route: management\n {2}kof:signals:\n {4}metrics: \[\]\n {4}logs:\n {6}- cloudwatch\n {4}traces: \[\]\n {4}audit:\n {6}- cloudwatch\n {2}```/,
        );
        assert.match(text, /## In two steps, without a gap\n\n1\. .*\n\n {2}```yaml\n {2}kof:route: management\n/);
        assert.doesNotMatch(text, /## Collectors/, "which do not restart, but are uninstalled");
    });

    it("says the gap where the installer has to change, and how long it is", () => {
        const change = plan(stack("cloudwatch", "1.10.0"), stack("management", "1.10.0"));
        const { way = "", paste } = byHand(change)[0]!;
        assert.match(
            way,
            /^deploy route none first, .*No way is without a gap: .*: 50 minutes at most, and what is between the two deployments, .*tried again \(20m for Flux to uninstall kof-collectors, 20m for Flux to install kof-child, 5m for Sveltos to install kof-storage, 5m for Sveltos to install kof-collectors\)\./,
        );
        const minutes = (to: Raw, from: Raw = {}) =>
            gaps(plan({ ...stack("cloudwatch", "1.10.0"), ...from }, { version: "1.10.0", ...to, ...from }))
                .map((gap) => /: (\d+) minutes at most, and/.exec(gap)?.[1])
                .filter((each) => each !== undefined);
        // Without stores of its own Sveltos installs the collectors alone, without regions a gateway as well.
        assert.deepEqual(minutes(routes.regional!), ["45", "45"]);
        assert.deepEqual(minutes(routes.regionless!), ["55", "55"]);
        assert.deepEqual(minutes({ route: "management" }, { values: { flux: { timeout: "90s" } } }), ["13", "13"]);
        assert.deepEqual(paste, { "kof:route": "none" });
        assert.match(
            gaps(change)[1]!,
            /^logs moves: files that the nodes rotate away, and events, from when one installer/,
        );
        assert.deepEqual(change.twoSteps, []);
        // On the same route, by what the signals name.
        const joined = { ...stack("cloudwatch", "1.10.0"), signals: logsTo("cloudwatch", "management") };
        const [same] = byHand(plan(stack("cloudwatch", "1.10.0"), joined));
        assert.deepEqual(same!.paste, { "kof:route": "none", "kof:signals": {}, "kof:cloudwatch": {} });
        assert.match(gaps(plan(stack("cloudwatch", "1.10.0"), joined))[0]!, /^metrics unchanged: as before/);
    });

    it("says which collectors restart for what they read at their start only, and warns of objects that are taken over", () => {
        const honeycomb = (more: object) => ({
            route: "management",
            signals: { traces: ["management", "honeycomb"] },
            destinations: { honeycomb: { ...destinations.honeycomb, ...more } },
        });
        const before = honeycomb({});
        for (const version of versions) {
            for (const after of [
                honeycomb({ auth: { kind: "headers", secret: "other" } }),
                honeycomb({ endpoint: "https://api.eu1.honeycomb.io" }),
                honeycomb({ compression: "zstd" }),
                { route: "management" },
            ]) {
                const { restarts } = plan({ ...before, version }, { ...after, version });
                assert.ok(restarts.includes("kof-collectors-ta-daemon"), JSON.stringify(after));
            }
            assert.deepEqual(
                plan({ ...before, version }, { ...before, version, rates: { traces: { spansPerSecond: 1 } } }).restarts,
                [],
            );
            const adopted = plan(stack("management", version), { ...before, version, adopt: true });
            assert.match(
                adopted.consequences.map(({ key, message }) => `${key} ${message}`).join(),
                /^kof:adopt is true while signals go elsewhere/,
            );
        }
    });

    it("changes the version and the installer one after the other", () => {
        const from = stack("cloudwatch", "1.9.0");
        const to = { ...stack("cloudwatch", "1.10.0"), signals: logsTo("management") };
        const [refused] = byHand(plan(from, { ...to, cloudwatch: undefined, route: "management" }));
        assert.deepEqual(refused!.paste, { "kof:route": "cloudwatch" });
        const [same] = byHand(plan(from, { ...to, signals: logsTo("management", "cloudwatch") }));
        assert.equal(same!.key, "kof:signals");
        assert.deepEqual(
            byHand(plan(from, pasted({ ...to, signals: logsTo("management", "cloudwatch") }, same!.paste as Lines))),
            [],
        );
    });
});
