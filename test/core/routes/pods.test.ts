import assert from "node:assert/strict";
import * as fs from "node:fs";

import { parse } from "yaml";

import { effectiveCollectors, type Collector } from "../../../core/collectors/effective";
import { UserError } from "../../../core/lib/errors";
import { mergeValues, nest, valueAt, type HelmValues } from "../../../core/lib/values";
import { reviewCollectors } from "../../../core/review/collectors";
import { planOf } from "../../../core/review/plan";
import { summaryPage } from "../../../core/review/summary/page";
import type { Deployment } from "../../../core/routes/deployment";
import { podsOfStore } from "../../../core/routes/pods";
import { cases, deploymentFor, hasRegionless, type Raw } from "../../support";

const toleration = { key: "dedicated", operator: "Exists", effect: "NoSchedule" };
const health = { name: "filter/health", config: { logs: { log_record: ['IsMatch(body, "GET /healthz")'] } } };
const token = { name: "TOKEN", valueFrom: { secretKeyRef: { name: "tokens", key: "token" } } };
const pods = {
    resources: { requests: { cpu: "50m" }, limits: { memory: "4Gi" } },
    nodeSelector: { "node-role.kubernetes.io/infra": "" },
    tolerations: [toleration],
    priorityClassName: "system-cluster-critical",
};
const collectors = {
    ...pods,
    env: [{ name: "GODEBUG", value: "netdns=go" }, token],
    processors: { logs: [health] },
};
const proxy = { https: "http://proxy.example.net:3128", noProxy: ["10.0.0.0/8"] };

function refusal(raw: Raw): string {
    try {
        deploymentFor(raw);
        return "";
    } catch (error) {
        assert.ok(error instanceof UserError, String(error));
        return error.message;
    }
}

function envOf(collector: Collector): Record<string, unknown> {
    return Object.fromEntries(collector.env.map(({ name, value, valueFrom }) => [name, value ?? valueFrom]));
}

const processorsIn = ({ config }: Collector, pipeline: string) =>
    (valueAt(config, ["service", "pipelines", pipeline, "processors"]) ?? []) as string[];

const cloudwatch: Raw = { route: "cloudwatch", cloudwatch: { region: "us-east-2" } };
const stackOf = ["kof-collectors", "values", "opentelemetry-kube-stack"];

describe("pods of collectors", () => {
    for (const { version, name, raw } of cases.filter(({ raw: { route } }) => route !== "none")) {
        it(`get what settings say, and keep what they had, on ${version}, route ${name}`, () => {
            const before = deploymentFor(raw).collectors;
            const after = deploymentFor({ ...raw, collectors, proxy }).collectors;
            assert.deepEqual(
                after.map((each) => each.name),
                before.map((each) => each.name),
            );
            for (const [i, collector] of after.entries()) {
                const was = before[i]!;
                assert.deepEqual(
                    collector.pods.resources,
                    mergeValues(was.pods.resources as HelmValues, pods.resources),
                );
                assert.deepEqual(collector.pods.tolerations, [...((was.pods.tolerations ?? []) as []), toleration]);
                assert.deepEqual(collector.pods.nodeSelector, pods.nodeSelector);
                assert.equal(collector.pods.priorityClassName, pods.priorityClassName);
                const { HTTPS_PROXY, NO_PROXY, GODEBUG, TOKEN, ...others } = envOf(collector);
                assert.deepEqual(others, envOf(was));
                assert.deepEqual([HTTPS_PROXY, GODEBUG, TOKEN], [proxy.https, "netdns=go", token.valueFrom]);
                assert.match(String(NO_PROXY), /^localhost,.*,10\.0\.0\.0\/8$/);
                const logs = processorsIn(collector, "logs");
                const receives = !["nop"].includes(
                    String(valueAt(collector.config, ["service", "pipelines", "logs", "receivers"])),
                );
                assert.deepEqual(
                    logs.filter((each) => each !== health.name),
                    processorsIn(was, "logs"),
                );
                assert.equal(logs.includes(health.name), receives, collector.name);
                assert.ok(!logs.includes("batch") || logs.indexOf(health.name) === logs.indexOf("batch") - 1);
                assert.deepEqual(valueAt(collector.config, ["processors", health.name]), health.config);
            }
        });

        it(`reach the cluster itself without a proxy, on ${version}, route ${name}`, () => {
            const deployment = deploymentFor({ ...raw, proxy: { https: proxy.https } });
            for (const collector of deployment.collectors) {
                const none = String(envOf(collector).NO_PROXY).split(",");
                const text = JSON.stringify(deployment.collectors.map(({ config }) => config));
                for (const [, host = ""] of text.matchAll(/https?:\/\/([a-z][\w-]*)[:/"]/g)) {
                    assert.ok(none.includes(host), `${host} in ${String(none)}`);
                }
                for (const host of ["$(KUBERNETES_SERVICE_HOST)", "$(OTEL_K8S_NODE_IP)", ".svc", ".cluster.local"]) {
                    assert.ok(none.includes(host), host);
                }
                assert.ok(none.includes("kof-collectors-ta-daemon-targetallocator"));
                // Kubernetes puts in only what comes before.
                const names = collector.env.map((each) => each.name);
                assert.ok(names.indexOf("NO_PROXY") > names.indexOf("OTEL_K8S_NODE_IP"));
            }
        });
    }

    it("are as without the settings where there are none", () => {
        for (const { raw } of cases) {
            const deployment = deploymentFor(raw);
            assert.deepEqual(effectiveCollectors(deployment), deployment.collectors);
            assert.doesNotMatch(summaryPage("prod", deployment, []), /## Pods/);
        }
    });

    it("add to what kof:values have, and give way to it", () => {
        const values = nest([...stackOf, "collectors", "daemon"], {
            tolerations: [{ key: "mine", operator: "Exists" }],
            resources: { limits: { memory: "2Gi" } },
        });
        const deployment = deploymentFor({ ...cloudwatch, collectors, values });
        const daemon = deployment.collectors.find(({ key }) => key === "daemon")!;
        assert.deepEqual(daemon.pods.tolerations, [{ key: "mine", operator: "Exists" }, toleration]);
        assert.equal(valueAt(daemon.pods, ["resources", "limits", "memory"]), "2Gi");
        assert.ok(
            deployment.notices.includes(
                'kof:values.kof-collectors.values.opentelemetry-kube-stack.collectors.daemon.resources.limits.memory is "2Gi", and wins ' +
                    "over kof:collectors.resources.limits.memory for kof-collectors-daemon.",
            ),
        );
        const further = nest([...stackOf, "extraEnvs"], [{ name: "MINE", value: "a" }]);
        const { env } = deploymentFor({ ...cloudwatch, collectors, values: further }).collectors[0]!;
        assert.deepEqual(
            env.map(({ name }) => name).filter((name) => ["GODEBUG", "MINE"].includes(name)),
            ["GODEBUG", "MINE"],
        );
        const shared = nest([...stackOf, "defaultCRConfig", "priorityClassName"], "mine");
        assert.match(
            deploymentFor({ ...cloudwatch, collectors, values: shared }).notices.join("\n"),
            /defaultCRConfig\.priorityClassName is "mine", which has no effect: kof:collectors\.priorityClassName wins/,
        );
    });

    it("say what has no effect, and what is not collected", () => {
        const notices = (raw: Raw) => deploymentFor(raw).notices.join("\n");
        assert.match(notices({ route: "none", collectors, proxy }), /kof:collectors has no effect: no collectors run/);
        assert.match(notices({ route: "none", collectors, proxy }), /kof:proxy has no effect: no collectors run/);
        assert.match(notices({ route: "management", proxy }), /kof:proxy has no effect on route management/);
        assert.match(notices({ ...cloudwatch, proxy: { http: proxy.https } }), /kof:proxy\.https is not set/);
        assert.match(notices({ ...cloudwatch, proxy: { noProxy: ["a"] } }), /kof:proxy\.noProxy has no effect/);
        const sentTo = (endpoint: string, more: object = {}) =>
            notices({
                version: "1.10.0",
                route: "none",
                signals: { logs: ["loki"] },
                destinations: { loki: { endpoint } },
                proxy: { http: "http://proxy:3128", https: "http://proxy:3128", ...more },
            });
        assert.match(
            sentTo("http://loki.monitoring:3100/otlp", { noProxy: ["10.0.0.0/8"] }),
            /reach loki\.monitoring through kof:proxy\. Where it is a Service of this cluster, write loki\.monitoring\.svc, or have kof:proxy\.noProxy: \[10\.0\.0\.0\/8, loki\.monitoring\]/,
        );
        for (const address of [
            "http://loki:3100",
            "http://loki.monitoring.svc:3100",
            "https://example.com",
            "http://10.0.0.1:3100",
        ]) {
            assert.doesNotMatch(sentTo(address), /through kof:proxy\. Where/);
        }
        assert.doesNotMatch(
            sentTo("http://loki.monitoring:3100", { noProxy: ["loki.monitoring"] }),
            /through kof:proxy\. Where/,
        );
        assert.match(
            notices({ ...cloudwatch, collectors: { nodeSelector: { disk: "ssd" } } }),
            /nodeSelector keeps .*kof-collectors-daemon.* off all other nodes: nothing of those is collected/,
        );
        assert.match(
            notices({
                route: "cloudwatch",
                cloudwatch: { region: "us-east-2", endpoint: "https://vpce.example.net" },
                proxy,
            }),
            /kof:cloudwatch\.endpoint is reached through kof:proxy\.https/,
        );
    });

    it("look at every destination, whatever the route", () => {
        const of = (more: Raw) =>
            deploymentFor({ route: "management", ...more }).notices.filter((each) => each.startsWith("kof:proxy"));
        const to = { endpoint: "http://collector.example.net:4318" };
        const several = { signals: { logs: ["management", "to", "cloudwatch"] }, cloudwatch: { region: "us-east-2" } };
        assert.deepEqual(of({ ...several, destinations: { to }, proxy: { https: proxy.https } }), [
            "kof:proxy.http is not set: what the collectors send to http:// addresses goes there without a proxy.",
        ]);
        assert.deepEqual(
            of({ ...several, destinations: { to: { ...to, proxy: proxy.https } }, proxy: { https: proxy.https } }),
            [],
        );
        assert.deepEqual(of({ ...several, destinations: { to }, proxy: { http: proxy.https } }), [
            "kof:proxy.https is not set: what the collectors send to https:// addresses goes there without a proxy.",
        ]);
    });

    it("say of a proxy that it has no effect only where nothing leaves the cluster, and keep services of gRPC off it", () => {
        const exportedBy = (name: string, endpoint: string): Raw => ({
            route: "management",
            version: "1.9.0",
            proxy,
            values: nest([...stackOf, "collectors", "daemon", "config"], {
                exporters: { [name]: { endpoint } },
                service: { pipelines: { traces: { exporters: ["otlphttp/traces", name] } } },
            }),
        });
        const inside = deploymentFor(exportedBy("otlp/tempo", "tempo:4317"));
        assert.match(String(envOf(inside.collectors[0]!).NO_PROXY), /,tempo,/);
        const outside = deploymentFor(exportedBy("otlphttp/other", "https://otlp.example.net"));
        assert.doesNotMatch(outside.notices.join("\n"), /kof:proxy has no effect/);
        const grpc = deploymentFor(exportedBy("otlp/other", "otlp.example.net:4317"));
        assert.doesNotMatch(String(envOf(grpc.collectors[0]!).NO_PROXY), /,otlp,/);
    });

    const wrong: readonly (readonly [what: string, raw: Raw, text: RegExp])[] = [
        [
            "ask for more than they may have",
            { ...cloudwatch, collectors: { resources: { requests: { memory: "3Gi" } } } },
            /collectors\.resources\.requests\.memory is "3Gi", more than the limit of (1Gi|500Mi), KOF's default[^]*Paste:[^]*limits:\s+memory: 3Gi/,
        ],
        [
            "may have less than they ask for",
            { ...cloudwatch, collectors: { resources: { limits: { cpu: "50m" } } } },
            /collectors\.resources\.limits\.cpu is "50m", less than the request of 100m, KOF's default/,
        ],
        [
            "have a variable twice",
            { ...cloudwatch, collectors: { env: [collectors.env[0], collectors.env[0]] } },
            /kof:collectors\.env has GODEBUG twice/,
        ],
        [
            "have a variable of the program's",
            { ...cloudwatch, collectors: { env: [{ name: "AWS_ACCESS_KEY_ID", value: "x" }] } },
            /kof:collectors\.env has AWS_ACCESS_KEY_ID, which kof-collectors-cluster-stats has already/,
        ],
        [
            "have the variable of another setting",
            { ...cloudwatch, proxy, collectors: { env: [{ name: "NO_PROXY", value: "x" }] } },
            /kof:collectors\.env has NO_PROXY, which kof:proxy\.noProxy decides/,
        ],
        [
            "have a proxy in kof:values too",
            {
                ...cloudwatch,
                proxy,
                values: nest(
                    [...stackOf, "collectors", "daemon", "env"],
                    [{ name: "HTTPS_PROXY", value: "http://other:1" }],
                ),
            },
            /kof:proxy sets HTTPS_PROXY, but kof:values have it among the variables of kof-collectors-daemon/,
        ],
        [
            "have a processor of the charts'",
            { ...cloudwatch, collectors: { processors: { logs: [{ name: "batch", config: {} }] } } },
            /kof:collectors\.processors\.logs has batch, which is the name of a processor that kof-collectors-cluster-stats has already/,
        ],
        [
            "have two processors of one name",
            { ...cloudwatch, collectors: { processors: { logs: [health], traces: [{ name: health.name }] } } },
            /processors\.traces has filter\/health with another config than kof:collectors\.processors\.logs/,
        ],
        [
            "have text that a template breaks at",
            { route: "management", version: "1.10.0", collectors: { env: [{ name: "A", value: "a`b" }] } },
            /kof:collectors\.env has a backtick, which breaks the MultiClusterService template of KOF 1\.10\.0/,
        ],
        [
            "have a value that is no text without quotes",
            { ...cloudwatch, collectors: { env: [{ name: "A", value: "1" }] } },
            /kof:collectors\.env\.0\.value is "1", which is not allowed here/,
        ],
        [
            "have a password in a proxy",
            { ...cloudwatch, proxy: { https: "http://me:secret@proxy.example.net:3128" } },
            /kof:proxy\.https is "http:\/\/…@proxy[^]*Paste: +kof:proxy:\s+https: http:\/\/proxy\.example\.net:3128/,
        ],
        [
            "tolerate a value of any key",
            { ...cloudwatch, collectors: { tolerations: [{ value: "a" }] } },
            /kof:collectors\.tolerations\.0 is .*: without a key the operator has to be Exists/,
        ],
        [
            "tolerate for a while what does not evict",
            { ...cloudwatch, collectors: { tolerations: [{ key: "a", effect: "NoSchedule", tolerationSeconds: 1 }] } },
            /tolerationSeconds needs the effect NoExecute/,
        ],
        [
            "select nodes by what is no text",
            { ...cloudwatch, collectors: { nodeSelector: { infra: true } } },
            /nodeSelector\.infra is true, which is not allowed here[^]*Paste:[^]*infra: "true"/,
        ],
        [
            "have memory in megabytes",
            { ...cloudwatch, collectors: { resources: { limits: { memory: "512MB" } } } },
            /limits\.memory is "512MB"[^]*memory: 512Mi/,
        ],
        [
            "have a class that templates take for a number",
            { ...cloudwatch, collectors: { priorityClassName: "123" } },
            /kof:collectors\.priorityClassName is "123"/,
        ],
    ];
    for (const [what, raw, text] of wrong) {
        it(`are refused that ${what}, before anything happens, and never show a password`, () => {
            const found = refusal(raw);
            assert.match(found, text);
            assert.match(found, /has 1 problem\./);
            assert.doesNotMatch(found, /secret@/);
        });
    }

    it("take a proxy with a password from a Secret", () => {
        const env = [{ name: "HTTPS_PROXY", valueFrom: { secretKeyRef: { name: "proxy", key: "url" } } }];
        const deployment = deploymentFor({ ...cloudwatch, collectors: { env } });
        assert.match(String(envOf(deployment.collectors[0]!).NO_PROXY), /\$\(KUBERNETES_SERVICE_HOST\)/);
        const [secret] = deployment.secrets.filter(({ name }) => name === "proxy");
        assert.equal(secret?.maker, "you");
        const excepted = deploymentFor({ ...cloudwatch, collectors: { env }, proxy: { noProxy: ["10.0.0.0/8"] } });
        assert.match(
            summaryPage("prod", excepted, []),
            /- Reached without the collectors' proxy: the cluster itself, `10\.0\.0\.0\/8`/,
        );
    });
});

describe("variables in kof:values", () => {
    const env = [
        { name: "HTTPS_PROXY", value: "http://proxy.example.net:3128" },
        { name: "NO_PROXY", value: ".svc,.cluster.local,10.0.0.0/8" },
        { name: "TEAM", value: "platform" },
    ];
    const values = nest([...stackOf, "defaultCRConfig", "env"], env);

    it("that drop the program's own are refused with the settings to paste, which have the same effect", () => {
        for (const version of ["1.9.0", "1.10.0"]) {
            const raw = { ...cloudwatch, version };
            const { problems } = reviewCollectors(deploymentFor({ ...raw, values }));
            const [{ key, message, paste }] = problems as [(typeof problems)[number]];
            assert.equal(key, "kof:values.kof-collectors.values.opentelemetry-kube-stack.defaultCRConfig.env");
            assert.match(message, /drops PKI_PATH, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, without which/);
            const settings = Object.fromEntries(
                Object.entries(paste as HelmValues).map(([each, value]) => [each.replace("kof:", ""), value]),
            );
            assert.deepEqual(settings.proxy, { https: proxy.https, noProxy: ["10.0.0.0/8"] });
            assert.deepEqual(settings.collectors, { env: [env[2]] });
            const mended = deploymentFor(mergeValues({ ...raw, values }, settings));
            assert.deepEqual(reviewCollectors(mended).problems, []);
            const without = deploymentFor({ ...raw, proxy: settings.proxy, collectors: settings.collectors });
            assert.deepEqual(mended.collectors, without.collectors);
        }
    });

    it("that repeat the program's own are taken as they are", () => {
        const own = deploymentFor(cloudwatch).values;
        const repeated = [...(valueAt(own, [...stackOf, "defaultCRConfig", "env"]) as []), ...env];
        const all = nest([...stackOf, "defaultCRConfig", "env"], repeated);
        assert.deepEqual(reviewCollectors(deploymentFor({ ...cloudwatch, values: all })).problems, []);
    });
});

describe("pods of stores", () => {
    const stores = cases.filter(({ raw: { route } }) => route === "management" || route === "regionless");
    for (const { version, name, raw } of stores) {
        const signals = ["metrics", "logs", "traces", ...(hasRegionless(version) ? ["audit"] : [])];
        const storage = Object.fromEntries(signals.map((signal) => [signal, pods]));

        it(`get what settings say, on ${version}, route ${name}`, () => {
            const [before, after] = [deploymentFor(raw), deploymentFor({ ...raw, storage })];
            assert.deepEqual(
                after.stores.map(({ workload }) => workload),
                before.stores.map(({ workload }) => workload),
            );
            for (const [i, store] of after.stores.entries()) {
                const was = podsOfStore(before, before.stores[i]!);
                const { resources, ...rest } = podsOfStore(after, store)!;
                const asked = store.source.volume.cache ? {} : pods.resources;
                assert.deepEqual(resources, mergeValues((was?.resources ?? {}) as HelmValues, asked), store.workload);
                assert.deepEqual(rest, {
                    nodeSelector: pods.nodeSelector,
                    tolerations: pods.tolerations,
                    priorityClassName: pods.priorityClassName,
                });
            }
        });
    }

    it("contradict kof:values, or are refused by Kubernetes", () => {
        const at = ["kof-mothership", "values", "victoriametrics", "vmcluster", "spec", "vmstorage", "resources"];
        const raw = { route: "management", storage: { metrics: { resources: { limits: { memory: "8Gi" } } } } };
        assert.match(
            refusal({ ...raw, values: nest([...at, "limits", "memory"], "6Gi") }),
            /is "6Gi", but kof:storage\.metrics\.resources\.limits\.memory is "8Gi": both are of the pods of vmstorage/,
        );
        assert.match(
            refusal({ route: "management", storage: { metrics: { resources: { limits: { memory: "1Gi" } } } } }),
            /kof:storage\.metrics\.resources\.limits\.memory is "1Gi", less than the request of 2Gi, KOF's default, of vmstorage/,
        );
    });
});

describe("what settings say of pods", () => {
    it("is right as docs/pods.md has it", () => {
        const blocks = [...fs.readFileSync("docs/pods.md", "utf8").matchAll(/```yaml\n([^]*?)```/g)];
        assert.equal(blocks.length, 3);
        for (const [, text = ""] of blocks) {
            const { config } = parse(text) as { config: Raw };
            const raw = Object.fromEntries(Object.entries(config).map(([key, value]) => [key.slice(4), value]));
            for (const route of [cloudwatch, { route: "management" }]) {
                const { notices } = deploymentFor({ ...route, ...raw });
                assert.doesNotMatch(notices.join("\n"), /noProxy has no effect/);
            }
        }
    });

    const storage = { logs: { nodeSelector: { disk: "ssd" } } };
    const settled = (raw: Raw): Deployment => deploymentFor({ route: "management", ...raw });

    it("is in the summary", () => {
        const page = summaryPage("prod", settled({ collectors, proxy, storage }), []);
        assert.match(
            page,
            /\| daemon \| cpu 50m, memory 250Mi \| cpu 1000m, memory 4Gi \| `node-role.kubernetes.io\/infra=` \| .*`dedicated:NoSchedule` \| `system-cluster-critical` \|/,
        );
        assert.match(page, /\| vlstorage \| {2}\| {2}\| `disk=ssd` \| {2}\| {2}\|/);
        assert.match(page, /- Variables added to the collectors: `GODEBUG`, `TOKEN` of Secret `tokens`/);
        assert.match(page, /- Processors added to the collectors: `filter\/health` for logs/);
        assert.match(
            page,
            /- Proxy of the collectors: `http:\/\/proxy.example.net:3128` for https:\/\/, and none for the cluster itself, `10/,
        );
    });

    it("is in the plan, with the pods that are replaced", () => {
        const changes = planOf(settled({}), settled({ collectors, proxy, storage })).consequences;
        const texts = changes.map(({ key, message }) => `${key} ${message}`);
        assert.match(texts.join("\n"), /^kof:collectors replaces the pods of kof-collectors-cluster-stats, /m);
        assert.match(texts.join("\n"), /^kof:storage\.logs replaces the pods of vlstorage, .* stays Pending$/m);
        assert.equal(changes.length, 2);
        const wider = { logs: { nodeSelector: {}, tolerations: [toleration] } };
        const [widened] = planOf(settled({ storage }), settled({ storage: wider })).consequences;
        assert.equal(widened?.message, "replaces the pods of vlstorage, one after the other");
        const same = settled({ collectors, storage });
        assert.deepEqual(planOf(same, same).consequences, []);
    });
});
