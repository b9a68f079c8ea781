import assert from "node:assert/strict";
import * as fs from "node:fs";

import * as models from "@kubernetes/client-node";
import { parse } from "yaml";

import { catalogOf, versions } from "../../../core/charts";
import { kubernetesTypes, typed } from "../../../core/charts/kubernetes";
import { checkPaths } from "../../../core/charts/paths";
import { checkSchemas } from "../../../core/charts/schemas";
import { indexOf, shapeAt, shapeFile, shapeOfChart, type Shaped } from "../../../core/charts/shapes";
import { formatPath, isMap, mergeValues, nest, type HelmValue, type HelmValues } from "../../../core/lib/values";
import { sample } from "../../sampled";

/** The components that some routes add to those of the umbrella. */
const context = { global: { components: ["kof-collectors", "kof-storage"] } };

function check(version: string, yaml: string): string[] {
    return checkPaths(catalogOf(version), parse(yaml) as HelmValues, context).map(
        ({ path, message, nearest }) =>
            `${path.slice(-2).join(".")} ${message} -> ${String(nearest?.split(".").at(-1))}`,
    );
}

/** Where the umbrella's values have those of a chart that is no part of KOF: `kof-storage/victoria-logs-cluster`. */
function placeOf(version: string, name: string): string[] {
    const isOld = version.startsWith("1.8") || version === "1.9.0";
    const [chart = "", ...key] = name.split("/");
    const places: Record<string, string[]> = {
        "kof-storage": isOld ? ["kof-storage", "values"] : ["kof-regional", "values", "storage"],
        "kof-collectors": isOld
            ? ["kof-collectors", "values"]
            : ["kof-child", "values", "fromManagement", "collectors"],
    };
    return chart === "opentelemetry-kube-stack"
        ? [...(places["kof-collectors"] ?? []), chart, ...key]
        : [...(places[chart] ?? [chart, "values"]), ...key];
}

function others(version: string): string[] {
    const { files = {} } = indexOf(version) ?? {};
    return Object.keys(files).filter((name) => name.includes("/") || !catalogOf(version).charts[name]);
}

/** Every path that a shape lists, whether further keys are read beside its last one, and its default. */
function* listed(shaped: Shaped, path: string[] = []): Generator<{ path: string[]; open: boolean; value: Shaped }> {
    const shape = typed(shaped, path);
    for (const [key, value] of Object.entries(isMap(shape) ? (shape as Record<string, Shaped>) : {})) {
        if (key !== "*") {
            yield { path: [...path, key], open: shapeAt(shape, "*") !== undefined, value };
            yield* listed(value, [...path, key]);
        }
    }
}

/** Numbers that are the same each time. */
function numbers(seed: number): (below: number) => number {
    let state = seed;
    return (below) => {
        state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
        return Math.floor((state / 0x80000000) * below);
    };
}

/** A key with a letter that is wrong, missing, too many, or in the wrong place. */
function misspelt(key: string, random: (below: number) => number): string {
    const at = random(key.length);
    const letter = "abcdefghijklmnopqrstuvwxyz"[random(26)] ?? "";
    const [before, here, after] = [key.slice(0, at), key[at] ?? "", key.slice(at + 1)];
    const made = [
        before + letter + after,
        before + after,
        before + letter + here + after,
        before + after.slice(0, 1) + here + after.slice(1),
    ][random(4)];
    return made === undefined || made === key || made === "" ? `${key}${letter}` : made;
}

const isIgnored = ({ message }: { message: string }) => /is not read|is no field/.test(message);

describe("what charts of other projects read", () => {
    it("is kept once for all versions that share it, and nothing else is", () => {
        const files = versions.flatMap((version) => [
            `${version}.json`,
            ...Object.values(indexOf(version)?.files ?? {}),
        ]);
        assert.deepEqual(fs.readdirSync(shapeFile("")).sort(), [...new Set(files)].sort());
        for (const version of versions) {
            assert.equal(indexOf(version)?.generatedBy, "npm run catalog -- --charts DIR");
        }
    });

    for (const version of versions) {
        it(`of ${version} is accepted, each path by itself`, () => {
            const catalog = catalogOf(version);
            for (const name of others(version)) {
                for (const { path, value } of listed(shapeOfChart(catalog, name) ?? null)) {
                    const given = nest([...placeOf(version, name), ...path], value === null ? "x" : plain(value));
                    assert.deepEqual(
                        checkPaths(catalog, given, context).filter(isIgnored),
                        [],
                        `${name} ${path.join(".")}`,
                    );
                }
            }
        });
    }

    /**
     * What can be told from a chart is told every time. The rest has keys that anyone may choose (annotations, labels, flags,
     * configuration of others): 4 in 100 of these paths on 2026-11-27, and up to 1 in 5 of a chart (victoria-logs-cluster, with
     * the configuration of Vector). A reader of templates that understood less would take more for such places.
     */
    const seed = 20261127;
    it(`is refused with a letter wrong (sampled), seed ${String(seed)}`, () => {
        // The newest first, which has most of them.
        const some = sample([...versions].reverse(), 1);
        const random = numbers(seed);
        const rates = new Map<string, { tried: number; open: number }>();
        for (const version of some) {
            const catalog = catalogOf(version);
            for (const name of others(version)) {
                const rate = rates.get(name) ?? { tried: 0, open: 0 };
                rates.set(name, rate);
                const shaped = shapeOfChart(catalog, name) ?? null;
                const known = new Set([...listed(shaped)].map(({ path }) => formatPath(path)));
                const wrong = [...listed(shaped)].flatMap(({ path, open }) => {
                    const made = [...path.slice(0, -1), misspelt(path.at(-1) ?? "", random)];
                    return known.has(formatPath(made)) ? [] : [{ made, open }];
                });
                const given = mergeValues(...wrong.map(({ made }) => nest([...placeOf(version, name), ...made], "x")));
                const found = new Set(checkPaths(catalog, given, context).map(({ path }) => formatPath(path)));
                for (const { made, open } of wrong) {
                    rate.tried++;
                    rate.open += open ? 1 : 0;
                    const isFound = found.has(formatPath([...placeOf(version, name), ...made]));
                    assert.equal(isFound, !open, `${version} ${name} ${made.join(".")}`);
                }
            }
        }
        const sum = (of: "tried" | "open") => [...rates.values()].reduce((all, rate) => all + rate[of], 0);
        const text = [...rates].map(([name, { tried, open }]) => `${name}: ${String(open)} of ${String(tried)}`);
        assert.ok(sum("tried") > 400 * some.length, text.join("\n"));
        assert.ok(sum("open") / sum("tried") < 0.06, text.join("\n"));
        const worst = [...rates.values()].filter(({ tried, open }) => tried > 40 && open / tried > 0.2);
        assert.deepEqual(worst, [], text.join("\n"));
    });

    it("has fields of custom resources refused with a letter wrong, on every version", () => {
        for (const version of versions) {
            const given = nest(["kof-mothership", "values", "victoriametrics", "vmcluster", "spec", "vmstorage"], {
                replicaCout: 2,
            });
            const catalog = catalogOf(version);
            const found = [...checkPaths(catalog, given), ...checkSchemas(catalog, given)];
            assert.equal(found.at(0)?.path.at(-1), "replicaCout", version);
        }
    });

    it("is known of every chart that has values", () => {
        const empty = versions.flatMap((version) =>
            Object.keys(indexOf(version)?.files ?? {}).filter(
                (name) => Object.keys(shapeOfChart(catalogOf(version), name) ?? {}).length === 0,
            ),
        );
        const definitions = ["crds", "otel-crds", "prometheus-crds"].map((name) => `opentelemetry-kube-stack/${name}`);
        assert.deepEqual([...new Set(empty)].sort(), definitions);
        const mothership = (yaml: string) => `kof-mothership: {values: {${yaml}}}`;
        for (const [version, right, wrong] of [
            ["1.8.0", "cert-manager-service-template: {repo: {insecure: true}}", "insecured"],
            ["1.8.0", "cluster-api-visualizer: {replicas: 2, image: {tag: v1}}", "tagg"],
            ["1.9.0", "envoy-gateway: {deployment: {priorityClassName: a, replicas: 2}}", "replicass"],
            ["1.9.0", "envoy-gateway: {service: {loadBalancerIP: 192.0.2.1}}", "loadBalancerIPs"],
        ] as const) {
            assert.deepEqual(check(version, mothership(right)), [], right);
            const near = wrong.slice(0, -1);
            assert.match(
                String(check(version, mothership(right.replace(near, wrong)))),
                new RegExp(`${wrong}.* -> ${near}`),
            );
        }
    });

    const logs = (yaml: string) => `kof-regional: {values: {storage: {victoria-logs-cluster: {vlstorage: ${yaml}}}}}`;
    const ignored = "is not read by the charts of KOF 1.10.0: Helm would ignore it";
    const dropped = "is no field that Kubernetes knows in this place: it would drop it, or refuse the whole";

    it("is told with the nearest path", () => {
        assert.deepEqual(check("1.10.0", logs("{replicasCount: 3}")), [
            `vlstorage.replicasCount ${ignored} -> replicaCount`,
        ]);
        assert.deepEqual(check("1.10.0", "kof-operators: {values: {grafana-operator: {replica: 1}}}"), [
            `grafana-operator.replica ${ignored} -> replicas`,
        ]);
        assert.deepEqual(check("1.10.0", "victoria-metrics-operator: {values: {replicasCount: 1}}"), [
            `values.replicasCount ${ignored} -> replicaCount`,
        ]);
    });

    it("is that of Kubernetes where a chart copies the whole", () => {
        assert.deepEqual(check("1.10.0", logs("{resources: {limts: {cpu: 1}}}")), [
            `resources.limts ${dropped} -> limits`,
        ]);
        assert.deepEqual(check("1.10.0", logs("{securityContext: {enabled: true, runAsUsr: 1}}")), [
            `securityContext.runAsUsr ${dropped} -> runAsUser`,
        ]);
        assert.deepEqual(check("1.10.0", logs("{probe: {liveness: {failureTreshold: 9}}}")), [
            `liveness.failureTreshold ${dropped} -> failureThreshold`,
        ]);
    });

    it("is accepted where keys are names that anyone may choose", () => {
        for (const yaml of [
            "{extraArgs: {loggerFormats: json, insert.maxLineSizeBytes: 1}}",
            "{nodeSelector: {disk: ssd}, podAnnotations: {example.net/a: b}, tolerations: [{key: a, operator: Exists}]}",
            "{resources: {limits: {example.net/gpu: 1}}, persistentVolume: {existingClaim: logs}}",
            "{affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: []}}}",
        ]) {
            assert.deepEqual(check("1.10.0", logs(yaml)), [], yaml);
        }
    });

    it("has the registry of all images, where templates of that version read it", () => {
        for (const version of versions) {
            for (const chart of ["kof-storage", "kof-collectors"]) {
                const given = nest([...placeOf(version, chart), "global"], { registry: "registry.example.net" });
                assert.deepEqual(checkPaths(catalogOf(version), given, context), [], `${version} ${chart}`);
                const wrong = nest([...placeOf(version, chart), "global"], { registri: "registry.example.net" });
                assert.equal(checkPaths(catalogOf(version), wrong, context).length, 1, `${version} ${chart}`);
            }
        }
    });

    it("has the fields that Kubernetes' own client knows", () => {
        const compare = (type: string, shape: Readonly<Record<string, Shaped>>, ignore: readonly string[] = []) => {
            const model = (models as unknown as Record<string, { getAttributeTypeMap(): { baseName: string }[] }>)[
                type
            ];
            const names = (model?.getAttributeTypeMap() ?? []).map(({ baseName }) => baseName);
            assert.deepEqual(Object.keys(shape).sort(), names.filter((name) => !ignore.includes(name)).sort(), type);
        };
        const { SecurityContext, PodSecurityContext, Probe, Affinity, Lifecycle } = kubernetesTypes;
        for (const [name, shape] of Object.entries(kubernetesTypes)) {
            compare(`V${name === "HorizontalPodAutoscalerBehavior" ? "2" : "1"}${name}`, shape);
        }
        compare("V1AppArmorProfile", SecurityContext.appArmorProfile);
        compare("V1SeccompProfile", PodSecurityContext.seccompProfile);
        compare("V1SELinuxOptions", PodSecurityContext.seLinuxOptions);
        compare("V1WindowsSecurityContextOptions", PodSecurityContext.windowsOptions);
        compare("V1Capabilities", SecurityContext.capabilities);
        compare("V1HTTPGetAction", Probe.httpGet);
        compare("V1TCPSocketAction", Probe.tcpSocket);
        compare("V1GRPCAction", Probe.grpc);
        compare("V1ExecAction", Probe.exec);
        compare("V1NodeAffinity", Affinity.nodeAffinity);
        compare("V1PodAffinity", Affinity.podAffinity);
        compare("V1PodAntiAffinity", Affinity.podAntiAffinity);
        compare("V1NodeSelector", Affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution);
        compare("V1LifecycleHandler", Lifecycle.preStop);
        compare("V2HPAScalingRules", kubernetesTypes.HorizontalPodAutoscalerBehavior.scaleUp);
    });
});

function plain(value: Shaped): HelmValue {
    return isMap(value)
        ? Object.fromEntries(
              Object.entries(value as Record<string, Shaped>)
                  .filter(([key, inner]) => key !== "*" && inner !== null)
                  .map(([key, inner]) => [key, plain(inner)]),
          )
        : value;
}
