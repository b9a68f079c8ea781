import assert from "node:assert/strict";

import { versions } from "../../../core/charts";
import { hasComponent, type ComponentKind } from "../../../tools/catalog/components";
import { imagesOf } from "../../../core/charts/images";
import { effectiveCollectors } from "../../../core/collectors/effective";
import { typeOf } from "../../../core/collectors/flows";
import type { HelmValues } from "../../../core/lib/values";
import { cases, deploymentFor } from "../../support";

const kinds: readonly ComponentKind[] = ["receivers", "processors", "exporters", "connectors", "extensions"];
const contrib = "otel/opentelemetry-collector-contrib";

describe("which components a collector's image has", () => {
    for (const { version, name, raw } of cases) {
        it(`all that its collectors use on KOF ${version}, ${name}`, () => {
            for (const { key, image, config } of effectiveCollectors(deploymentFor(raw))) {
                const used = kinds.flatMap((kind) =>
                    Object.keys((config[kind] ?? {}) as HelmValues).map((id) => [kind, typeOf(id)] as const),
                );
                assert.ok(used.length > 0, key);
                for (const [kind, type] of used) {
                    assert.equal(hasComponent(image, kind, type), true, `${key}: ${kind} ${type} in ${image}`);
                }
                assert.equal(hasComponent(image, "exporters", "otlphttps"), false, key);
            }
        });
    }

    for (const version of versions) {
        it(`of every collector's image that the charts of KOF ${version} name`, () => {
            const images = Object.values(imagesOf(version).charts)
                .flatMap((chart) => chart.images.map(({ image }) => image))
                .filter((image) => image.includes("opentelemetry-collector"));
            assert.equal(images.length, 2);
            for (const image of images) {
                assert.equal(hasComponent(image, "exporters", "otlphttp"), true, image);
            }
        });
    }

    const authenticators = [
        "basicauth",
        "bearertokenauth",
        "oauth2client",
        "sigv4auth",
        "googleclientauth",
        "azureauth",
    ];
    const processors = ["cumulativetodelta", "probabilistic_sampler", "redaction", "filter", "transform"];
    it("what destinations can need, in every version", () => {
        for (const image of [`${contrib}:0.143.0`, `${contrib}:0.155.0`]) {
            for (const type of [...authenticators, "headers_setter", "file_storage"]) {
                assert.equal(hasComponent(image, "extensions", type), true, `${type} in ${image}`);
            }
            for (const type of processors) {
                assert.equal(hasComponent(image, "processors", type), true, `${type} in ${image}`);
            }
            for (const type of ["otlphttp", "otlp", "prometheusremotewrite", "awscloudwatchlogs"]) {
                assert.equal(hasComponent(image, "exporters", type), true, `${type} in ${image}`);
            }
            assert.equal(hasComponent(image, "connectors", "forward"), true, image);
        }
    });

    it("new names only where they are known", () => {
        for (const [kind, type] of [
            ["exporters", "otlp_http"],
            ["processors", "k8s_attributes"],
            ["extensions", "azure_auth"],
        ] as const) {
            assert.equal(hasComponent(`${contrib}:0.143.0`, kind, type), false, type);
            assert.equal(hasComponent(`${contrib}:0.155.0`, kind, type), true, type);
        }
        // Gone since: tells the lists apart.
        assert.equal(hasComponent(`${contrib}:0.143.0`, "exporters", "sapm"), true);
        assert.equal(hasComponent(`${contrib}:0.155.0`, "exporters", "sapm"), false);
    });

    it("less where a tag makes it the smaller distribution, which the charts name", () => {
        const smaller = "otel/opentelemetry-collector-k8s:0.143.0";
        assert.equal(hasComponent(smaller, "exporters", "otlphttp"), true);
        assert.equal(hasComponent(smaller, "exporters", "awscloudwatchlogs"), false);
        assert.equal(hasComponent(smaller, "exporters", "prometheusremotewrite"), false);
    });

    it("from any registry, with a port or a digest", () => {
        for (const image of [
            `docker.io/${contrib}:0.143.0`,
            `registry.example.net:5000/mirror/${contrib}:0.143.0`,
            `${contrib}:0.143.0@sha256:${"a".repeat(64)}`,
            "opentelemetry-collector-contrib:0.143.0",
        ]) {
            assert.equal(hasComponent(image, "receivers", "otlp"), true, image);
        }
    });

    it("not known for an image of its own, an unknown tag, or a digest alone", () => {
        for (const image of [
            "registry.example.net:5000/collector",
            "registry.example.net/my-opentelemetry-collector-contrib:0.143.0",
            `${contrib}:0.99.0`,
            `${contrib}:latest`,
            contrib,
            `${contrib}@sha256:${"a".repeat(64)}`,
            "",
            "constructor:constructor",
        ]) {
            assert.equal(hasComponent(image, "receivers", "otlp"), undefined, image);
        }
    });
});
