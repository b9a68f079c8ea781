import assert from "node:assert/strict";

import fc from "fast-check";

import { catalogOf, chartValues, versions } from "../../../core/charts";
import { isMap, nest, type HelmValue } from "../../../core/lib/values";
import { renderStack } from "../../../cli/renderStack";
import { UserError } from "../../../core/lib/errors";
import { cases, deploymentFor, stackFile } from "../../support";
import { runs } from "../../sampled";

const kubeStack = "opentelemetry-kube-stack";

/** Every place in a collector's values, of a version's own collectors and of others. */
const places = new Map(
    versions.map((version) => {
        const catalog = catalogOf(version);
        const byUmbrella = catalog.components.some(({ name }) => name === "kof-collectors");
        const charts = byUmbrella
            ? ["kof-collectors", "values"]
            : ["kof-child", "values", "fromManagement", "collectors"];
        const service = ["logs", "logs/x"].flatMap((pipeline) =>
            ["receivers", "processors", "exporters"].map((part) => ["service", "pipelines", pipeline, part]),
        );
        const config = [...service, ["service", "extensions"], ["exporters", "x"], ["receivers", "otlp"], []];
        const added = ["daemon", "mine"].flatMap((name) =>
            config.map((path) => [kubeStack, "collectors", name, "config", ...path]),
        );
        const known = [...paths(chartValues(catalog, "kof-collectors"))].filter(([first]) => first === kubeStack);
        return [version, [...known, ...added].map((path) => [...charts, ...path])] as const;
    }),
);

describe("any value in any place of a collector", () => {
    it("is taken into the picture, or refused with our own error (sampled)", async () => {
        const odd: HelmValue[] = [5, 0, "x", "", true, false, ["a"], [5], [{}], [], { a: 1 }, {}, [null], [["x"]]];
        await fc.assert(
            fc.asyncProperty(
                fc.constantFrom(...cases).chain(({ version, raw }) =>
                    fc.record({
                        raw: fc.constant(raw),
                        path: fc.constantFrom(...places.get(version)!),
                        value: fc.constantFrom(...odd),
                    }),
                ),
                async ({ raw, path, value }) => {
                    const given = { ...raw, values: nest(path, value) };
                    try {
                        deploymentFor(given);
                        await renderStack(stackFile(given));
                    } catch (error) {
                        assert.ok(error instanceof UserError, String((error as Error).stack));
                    }
                },
            ),
            runs(6, 100),
        );
    });
});

function* paths(value: HelmValue, at: readonly string[] = []): Generator<readonly string[]> {
    yield at;
    for (const [key, inner] of Object.entries(isMap(value) ? value : {})) {
        yield* paths(inner, [...at, key]);
    }
}
