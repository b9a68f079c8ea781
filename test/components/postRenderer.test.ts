import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";

import fc from "fast-check";
import { parseAllDocuments } from "yaml";

import { postRender } from "../../components/postRenderer";
import { asHelm } from "../../core/lib/yaml/read";
import { writeYaml } from "../../core/lib/yaml/write";
import { runs, value } from "../core/lib/yaml/texts";

/** As the umbrella 1.9.0 renders them (recorded with Helm 3.21.4, values shortened). */
const recorded: any[] = [
    {
        apiVersion: "source.toolkit.fluxcd.io/v1",
        kind: "HelmRepository",
        metadata: { name: "kof-repo", namespace: "kcm-system", labels: { "k0rdent.mirantis.com/managed": "true" } },
        spec: { insecure: false, type: "oci", url: "oci://ghcr.io/k0rdent/kof/charts", interval: "10m" },
    },
    {
        apiVersion: "source.toolkit.fluxcd.io/v1",
        kind: "HelmChart",
        metadata: { name: "kof-collectors", namespace: "kcm-system" },
        spec: { chart: "kof-collectors", version: "1.9.0", sourceRef: { kind: "HelmRepository", name: "kof-repo" } },
    },
    {
        apiVersion: "helm.toolkit.fluxcd.io/v2",
        kind: "HelmRelease",
        metadata: {
            name: "kof-collectors",
            namespace: "kof",
            annotations: {
                "reconcile.fluxcd.io/requestedAt": "1764000000",
                "reconcile.fluxcd.io/forceAt": "1764000000",
                "helm.sh/resource-policy": "keep",
                "example.net/mine": "kept",
            },
            labels: { "k0rdent.mirantis.com/component": "kof-collectors" },
        },
        spec: {
            timeout: "20m",
            dependsOn: [{ name: "kof-operators", namespace: "kof" }, { name: "kof-mothership" }],
            chartRef: { kind: "HelmChart", name: "kof-collectors", namespace: "kcm-system" },
            values: { endpoint: "${env:OTEL_K8S_NODE_IP}:9090", retentionPeriod: "30d", text: "a: b\n# c\n" },
        },
    },
];

const [repository, chart, release] = recorded;
const annotations = (object: any) => object.metadata.annotations;

/** Objects as Helm renders them. */
function manifestOf(...objects: any[]): string {
    return objects.map((each) => `---\n# Source: kof/templates/x.yaml\n${writeYaml(each)}`).join("");
}

function objectsOf(text: string): any[] {
    return [...parseAllDocuments(text, asHelm)].map((document) => document.toJS());
}

describe("post-renderer", () => {
    const [newRepository, newChart, newRelease]: any[] = objectsOf(postRender(manifestOf(...recorded)));

    it("has a release created after its chart and the releases that it depends on", () => {
        assert.equal(
            annotations(newRelease)["config.kubernetes.io/depends-on"],
            "source.toolkit.fluxcd.io/namespaces/kcm-system/HelmChart/kof-collectors," +
                "helm.toolkit.fluxcd.io/namespaces/kof/HelmRelease/kof-operators," +
                "helm.toolkit.fluxcd.io/namespaces/kof/HelmRelease/kof-mothership",
        );
    });

    it("has a chart created after its repository", () => {
        assert.deepEqual(annotations(newChart), {
            "config.kubernetes.io/depends-on": "source.toolkit.fluxcd.io/namespaces/kcm-system/HelmRepository/kof-repo",
        });
    });

    it("has a release waited for, with the labels and annotations that it gets, longer than Flux tries", () => {
        const hash = (object: any) => annotations(object)["kof-storage-routes/metadata"];
        assert.deepEqual(JSON.parse(annotations(newRelease)["pulumi.com/waitFor"]), [
            "condition=Ready",
            `jsonpath={.metadata.annotations['kof-storage-routes/metadata']}=${hash(newRelease)}`,
        ]);
        const changes = [{ labels: { other: "label" } }, { annotations: { other: "annotation" } }];
        const others = changes.map((change) => ({ ...release, metadata: { ...release.metadata, ...change } }));
        const unordered = { ...release, spec: { ...release.spec, dependsOn: [] } };
        const all = objectsOf(postRender(manifestOf(...others, unordered)));
        assert.equal(new Set([newRelease, ...all].map(hash)).size, 4);
        assert.ok(Number(annotations(newRelease)["pulumi.com/timeoutSeconds"]) > 20 * 60);
    });

    it("drops what changes with every run and what outlives an uninstall, and nothing else", () => {
        assert.deepEqual(
            Object.keys(annotations(newRelease)).filter((key) => !/pulumi|depends-on|kof-storage-routes/.test(key)),
            ["example.net/mine"],
        );
        assert.deepEqual(newRepository, repository);
        assert.deepEqual({ ...newChart, metadata: chart.metadata }, chart);
        assert.deepEqual({ ...newRelease, metadata: release.metadata }, release);
    });

    it("takes a release that depends on nothing, as the umbrella writes it without kof-storage", () => {
        for (const dependsOn of [undefined, null, []]) {
            const manifest = manifestOf({ ...release, spec: { ...release.spec, dependsOn } });
            const [only] = objectsOf(postRender(manifest.replace("dependsOn: null", "dependsOn:")));
            assert.match(annotations(only)["config.kubernetes.io/depends-on"], /^source[^,]*kof-collectors$/);
        }
    });

    it("has Flux try a release again, by the two annotations that it compares, and waits for that", () => {
        const retries = { "kof-collectors": "2026-11-27T00:20:00Z", other: "x" };
        const [, , retried] = objectsOf(postRender(manifestOf(...recorded), retries));
        const { "reconcile.fluxcd.io/requestedAt": requestedAt, "reconcile.fluxcd.io/resetAt": resetAt } =
            annotations(retried);
        assert.deepEqual([requestedAt, resetAt], ["2026-11-27T00:20:00Z", "2026-11-27T00:20:00Z"]);
        assert.notEqual(annotations(retried)["pulumi.com/waitFor"], annotations(newRelease)["pulumi.com/waitFor"]);
    });

    it("leaves objects that it does not know as they are", () => {
        const other = manifestOf({
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name: "x", annotations: { a: "b" } },
        });
        assert.equal(postRender(other), other);
        assert.equal(postRender(`---\n# nothing\n---\n${other}---\n`), `---\n# nothing\n---\n${other}---\n`);
    });

    it("changes no byte but the annotations, whatever Helm wrote and however", () => {
        const byHelm = [
            "---",
            "# Source: kof/templates/helmreleases.yaml",
            "apiVersion: helm.toolkit.fluxcd.io/v2",
            "kind: HelmRelease",
            "metadata:",
            "  name: kof-mothership",
            "  annotations: ANNOTATIONS",
            "  namespace:   'kof' # here",
            "spec:",
            "  values:",
            "    kcm: { no: no, 'y': \"y\", off: [off, 1_000, 010, 0o10, 12345678901234567890, 1e3, -0, .5, 1:30, ~,  2001-01-01] }",
            "    twice: 1",
            "    twice: 2",
            '    "<<": "<<"',
            "    text: |2-",
            "        a",
            "      b\t",
            "    folded: >",
            "      a",
            "      b",
            "",
        ];
        const before = byHelm
            .join("\n")
            .replace(/annotations: .*/, "annotations:\n    helm.sh/resource-policy: keep\n");
        const after = postRender(before).replace(/annotations: \{.*\}/, "annotations: ANNOTATIONS");
        assert.equal(after, byHelm.join("\n").replace(/(annotations: .*)/, "$1\n"));
        fc.assert(
            fc.property(value, (values) => {
                const each = { ...release, metadata: { name: "x", namespace: "kof" }, spec: { values } };
                const manifest = manifestOf(each, repository, each);
                assert.equal(postRender(manifest).replaceAll(/^ {2}annotations: .*pulumi.*\n/gm, ""), manifest);
            }),
            runs(200),
        );
    });

    it("annotates metadata in braces too", () => {
        const manifest =
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: no, namespace: kof }\n";
        const [{ metadata }] = objectsOf(postRender(manifest.replace("no,", '"no",')));
        assert.deepEqual(
            [metadata.name, metadata.namespace, Object.keys(metadata.annotations)],
            ["no", "kof", ["pulumi.com/timeoutSeconds", "kof-storage-routes/metadata", "pulumi.com/waitFor"]],
        );
    });

    it("says the same the second time", () => {
        const once = postRender(manifestOf(...recorded));
        assert.equal(postRender(once), once);
    });

    it("runs as a filter with nothing but node, from the project's folder", () => {
        const manifest = manifestOf(...recorded);
        const run = spawnSync("node", ["components/postRenderer.js"], { input: manifest, encoding: "utf8" });
        assert.deepEqual([run.status, run.stderr, run.stdout], [0, "", postRender(manifest)]);
        const retries = { "kof-collectors": "now" };
        const args = ["components/postRenderer.js", JSON.stringify(retries)];
        const retried = spawnSync("node", args, { input: manifest, encoding: "utf8" });
        assert.equal(retried.stdout, postRender(manifest, retries));
        assert.notEqual(retried.stdout, run.stdout);
    });

    it("fails on what is no YAML, so that Helm does", () => {
        assert.notEqual(spawnSync("node", ["components/postRenderer.js"], { input: "a: b: c" }).status, 0);
    });
});
