import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";

import { parse } from "yaml";

import { versions } from "../../../core/charts";
import { imagesOf } from "../../../core/charts/images";
import { mergeValues, nest } from "../../../core/lib/values";
import { airGap, mirrorScript } from "../../../core/routes/airGap";
import { artifactsOf } from "../../../live/registries";
import { cases, deploymentFor, routes } from "../../support";

const list = (raw: object, cluster = "management") =>
    airGap(deploymentFor(raw as never))
        .images.filter((image) => image.cluster === cluster)
        .map(({ image }) => image);
const has = (images: readonly string[], name: string) => images.some((image) => image.includes(name));

describe("what a stack fetches", () => {
    for (const { version, name, raw } of cases) {
        it(`for KOF ${version}, ${name}: complete addresses, each once`, () => {
            const { charts, images, unknown } = airGap(deploymentFor(raw));
            for (const { image, charts: by } of images) {
                assert.match(image, /^[a-z0-9.-]+\.[a-z]+\/[a-z0-9./-]+:[\w.-]+$/);
                assert.ok(by.length > 0);
            }
            for (const chart of charts) {
                assert.match(
                    `${chart.repository}/${chart.name} ${chart.version}`,
                    /^(oci|https):\/\/\S+[^/] v?\d+\.\d+\.\d/,
                );
            }
            assert.equal(new Set(images.map(({ image }) => image)).size, images.length);
            assert.equal(new Set(charts.map((chart) => chart.name)).size, charts.length);
            assert.ok(unknown.length > 0);
            assert.ok(has(list(raw), `/kof-operator-controller:v${version}`));
        });
    }

    for (const version of versions) {
        it(`for KOF ${version} depends on the route, and on what it switches`, () => {
            const collector = `/kof-opentelemetry-collector-contrib:v${version}`;
            const on = (name: string) => list({ ...routes[name], version });
            assert.ok(!has(on("none"), collector));
            assert.ok(has(list({ ...routes.none, version }, "others"), collector));
            assert.ok(has(on("management"), collector) && has(on("management"), "/victoria-traces:"));
            assert.ok(has(on("regional"), collector) && has(on("regional"), "/opencost:"));
            assert.ok(has(on("cloudwatch"), collector) && !has(on("cloudwatch"), "/opencost:"));
            assert.ok(!has(on("management"), "/metrics-server:") && has(on("management on kind"), "/metrics-server:"));
            assert.ok(!has(on("none"), "/grafana-operator:"));
            assert.ok(has(list({ ...routes.none, version, grafana: { enabled: true } }), "/grafana-operator:"));
        });

        it(`for KOF ${version} has the chart of each service template, and the image that verifies it`, () => {
            assert.ok(has(list({ ...routes.none, version }), "/alpine/helm:"));
            const names = airGap(deploymentFor({ ...routes.none, version })).charts.map(({ name }) => name);
            assert.ok(["cert-manager", "ingress-nginx"].every((name) => names.includes(name)));
        });
    }

    it("is taken from where the settings say", () => {
        const values = {
            global: { helmRepo: { kofManaged: { url: "oci://reg.example.net/charts/" } } },
            "kof-mothership": { values: { kcm: { kof: { operator: { image: { tag: "v9" } } } } } },
        };
        const { charts, unknown } = airGap(
            deploymentFor({
                route: "none",
                version: "1.10.0",
                istio: true,
                chart: "oci://reg.example.net/charts/kof",
                values,
            }),
        );
        const own = charts.filter(({ name }) => name.startsWith("kof"));
        assert.deepEqual(new Set(own.map(({ repository }) => repository)), new Set(["oci://reg.example.net/charts"]));
        assert.ok(unknown.some((each) => each.includes("kof-mothership.values.kcm.kof.operator.image.tag")));
        assert.ok(unknown.some((each) => each.includes("k0rdent-istio")));
    });

    it("is taken from the mirror with what docs/air-gap.md says to set", () => {
        const blocks = fs.readFileSync("docs/air-gap.md", "utf8").matchAll(/```yaml\n([^]*?)```/g);
        const settings = [...blocks].map(([, text]) => (parse(text!) as { config: Record<string, any> }).config);
        assert.equal(settings.length, 2);
        const deployment = deploymentFor({
            version: "1.10.0",
            chart: settings[0]!["kof:chart"],
            values: mergeValues(...settings.map((each) => each["kof:values"])),
        });
        const foreign = airGap(deployment).charts.filter(
            ({ repository }) => !repository.includes("registry.example.net"),
        );
        assert.deepEqual(
            foreign.map(({ name }) => name),
            ["gateway-helm", "ingress-nginx"],
        );
    });

    it("comes as a script that a shell takes", () => {
        for (const version of versions) {
            const needed = airGap(deploymentFor({ ...routes.management, version }));
            const script = mirrorScript(needed, "reg.example.net/mirror", "x");
            assert.equal(spawnSync("bash", ["-n"], { input: script, encoding: "utf8" }).stderr, "");
            assert.equal(script.match(/^skopeo copy /gm)?.length, needed.images.length);
            assert.equal(script.match(/^helm pull /gm)?.length, needed.charts.length);
            assert.match(
                script,
                /docker:\/\/docker\.io\/victoriametrics\/operator:(v\S+) docker:\/\/reg\.example\.net\/mirror\/victoriametrics\/operator:\1$/m,
            );
        }
    });

    it("is copied as the stack has it, where the mirror is in the registry of KOF's own charts", () => {
        const [published, fork, mirror] = ["ghcr.io/k0rdent/kof", "ghcr.io/fork", "ghcr.io/me/kof"];
        const pulled = (from: string) =>
            mirrorScript(airGap(deploymentFor({ chart: `oci://${from}/charts/kof` })), mirror, "x");
        assert.ok(pulled(fork).includes(`helm pull oci://${fork}/charts/kof --version`));
        assert.ok(pulled(mirror).includes(`helm pull oci://${published}/charts/kof --version`));
    });

    it("is copied from where it is published, also when the stack has it from the mirror already", () => {
        const blocks = fs.readFileSync("docs/air-gap.md", "utf8").matchAll(/```yaml\n([^]*?)```/g);
        const settings = [...blocks].map(([, text]) => (parse(text!) as { config: Record<string, any> }).config);
        const mirrored = {
            chart: settings[0]!["kof:chart"],
            values: mergeValues(...settings.map((each) => each["kof:values"])),
        };
        for (const version of versions.slice(1)) {
            const raw = { ...routes.management, version };
            const scripts = [raw, { ...raw, ...mirrored }].map((each) =>
                mirrorScript(airGap(deploymentFor(each)), "registry.example.net/kof", "x")
                    .split("\n")
                    .filter((line) => /^(helm|skopeo|for) /.test(line)),
            );
            assert.deepEqual(scripts[1], scripts[0], version);
            assert.ok(
                scripts[0]!.includes(
                    `helm pull oci://ghcr.io/k0rdent/kof/charts/kof --version ${version} --destination "$charts"`,
                ),
            );
            assert.ok(
                scripts[0]!.every((line) => !line.startsWith("helm pull") || !line.includes("registry.example.net")),
            );
        }
    });

    it("is copied from a registry of somebody's own, and the script says so", () => {
        const needed = airGap(deploymentFor({ ...routes.management, chart: "oci://fork.example.net/charts/kof" }));
        const script = mirrorScript(needed, "registry.example.net/kof", "x");
        assert.match(script, /^helm pull oci:\/\/fork\.example\.net\/charts\/kof --version 1\.10\.0 /m);
        assert.match(
            script,
            /^# kof comes from oci:\/\/fork\.example\.net\/charts, as the stack has it, not from oci:\/\/ghcr\.io/m,
        );
    });

    it("has the images that kof:values give collectors, by their digest where they name one", () => {
        const digest = `sha256:${"0123456789abcdef".repeat(4)}`;
        const image = { repository: "registry.example.net/collector", digest };
        const path = ["kof-collectors", "values", "opentelemetry-kube-stack", "collectors", "daemon", "image"];
        const deployment = deploymentFor({ ...routes.cloudwatch, version: "1.10.0", values: nest(path, image) });
        const needed = airGap(deployment);
        assert.ok(needed.images.some((each) => each.image === `registry.example.net/collector@${digest}`));
        assert.match(
            mirrorScript(needed, "reg.example.net/mirror", "x"),
            new RegExp(
                `^skopeo copy --all --preserve-digests docker://registry.example.net/collector@${digest} docker://reg.example.net/mirror/collector@${digest}$`,
                "m",
            ),
        );
        const artifact = artifactsOf(deployment).find(({ name }) => name.includes(digest));
        assert.deepEqual([artifact?.url, artifact?.version], ["oci://registry.example.net/collector", digest]);
    });

    it("has no other images of collectors than the charts name", () => {
        for (const { raw } of cases) {
            const { images } = airGap(deploymentFor(raw));
            const known = Object.values(imagesOf(deploymentFor(raw).settings.version).charts).flatMap((chart) =>
                chart.images.map(({ image }) => image),
            );
            assert.deepEqual(
                images.filter(({ image }) => !known.includes(image)),
                [],
            );
        }
    });

    it("is known for every version", () => {
        for (const version of versions) {
            assert.equal(imagesOf(version).version, version);
        }
    });
});
