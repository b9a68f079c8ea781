import assert from "node:assert/strict";

import fc from "fast-check";
import { parse } from "yaml";

import { quotedLabels } from "../../../core/charts/quotes";
import { isMap, nest, valueAt, type HelmValues } from "../../../core/lib/values";
import { asHelm } from "../../../core/lib/yaml/read";
import { writeYaml } from "../../../core/lib/yaml/write";
import { deploymentFor } from "../../support";

/** What opentelemetry-kube-stack makes of a map (`renderkv` in `templates/_helpers.tpl`), as Kubernetes reads it. */
function arrived(map: HelmValues): unknown {
    return parse(
        Object.entries(map)
            .map(([key, text]) => `\n${key}: ${String(text)}`)
            .join(""),
        asHelm,
    );
}

const annotations = ["opentelemetry-kube-stack", "collectors", "daemon", "annotations"];
const written = (text: string) => valueAt(quotedLabels(nest([...annotations, "a"], text)), [...annotations, "a"]);

describe("an annotation of a collector", () => {
    const given = {
        number: "1",
        flag: "true",
        comment: "x # y",
        under: "1_000",
        blank: " z ",
        date: "2026-11-27",
    };

    it("arrives as the text that it is, on every layer that runs collectors", () => {
        for (const [version, layer] of [
            ["1.9.0", ["kof-collectors", "values"]],
            ["1.10.0", ["kof-child", "values", "collectors"]],
            ["1.10.0", ["kof-child", "values", "fromManagement", "collectors"]],
            ["1.10.0", ["kof-regional", "values", "collectors"]],
        ] as const) {
            for (const [collector, field] of [
                [["collectors", "daemon"], "annotations"],
                [["collectors", "daemon"], "labels"],
                [["defaultCRConfig"], "annotations"],
            ] as const) {
                const path = [...layer, "opentelemetry-kube-stack", ...collector, field];
                const raw = { version, route: "management", values: nest(path, given) };
                const found = valueAt(deploymentFor(raw).values, path);
                assert.ok(isMap(found));
                assert.deepEqual(arrived(found), given, path.join("."));
            }
        }
    });

    it("of any text arrives", () => {
        fc.assert(
            fc.property(fc.string({ unit: "grapheme" }), (text) => {
                fc.pre(text !== "" && !/^["']/.test(text) && !/[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/.test(text));
                // Helm reads the values, then Kubernetes what Helm writes.
                const { a } = parse(writeYaml({ a: written(text) }), asHelm);
                assert.deepEqual(arrived({ a }), { a: text });
            }),
        );
    });

    it("that arrives anyway, or stands in quotes for that, stays as it is", () => {
        for (const text of ["plain", "", "a:b", 'q"r', '"1"', "'true'", "arn:aws:iam::123456789012:role/kof"]) {
            assert.equal(written(text), text);
        }
        const elsewhere = { a: { annotations: { b: "1" } }, "opentelemetry-kube-stack": { labels: { c: "1" } } };
        assert.deepEqual(quotedLabels(elsewhere), elsewhere);
    });
});
