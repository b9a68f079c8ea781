import { strict as assert } from "node:assert";

import { catalogOf, type Catalog } from "../../../core/charts";
import { compareCatalogs } from "../../../core/charts/compare";
import type { HelmValues } from "../../../core/lib/values";

describe("compareCatalogs", () => {
    const released = catalogOf("1.10.0");
    const withValues = (values: HelmValues): Catalog => ({
        ...released,
        charts: { chart: { ...released.charts.kof!, values } },
    });
    const compare = (older: HelmValues, newer: HelmValues) => compareCatalogs(withValues(older), withValues(newer));

    it("finds no difference between a version and itself", () => {
        assert.deepEqual(compareCatalogs(released, released), { added: [], dropped: [], renamed: [], changed: [] });
    });

    it("tells a changed default from a key that comes, goes or is renamed", () => {
        const { added, dropped, renamed, changed } = compare(
            { service: { port: 1, gone: true }, image: { registry: "docker.io" } },
            { service: { port: 2 }, image: { registrys: "docker.io" }, fresh: [1] },
        );
        assert.deepEqual(added, ["chart.fresh"]);
        assert.deepEqual(dropped, ["chart.service.gone"]);
        assert.deepEqual(renamed, [{ from: "chart.image.registry", to: "chart.image.registrys" }]);
        assert.deepEqual(changed, [{ path: "chart.service.port", from: 1, to: 2 }]);
    });

    it("shows a value that becomes a map, and a map that becomes a value", () => {
        const { changed } = compare({ store: "none", size: { value: 1 } }, { store: { kind: "none" }, size: 1 });
        assert.deepEqual(changed, [
            { path: "chart.store", from: "none", to: { kind: "none" } },
            { path: "chart.size", from: { value: 1 }, to: 1 },
        ]);
    });
});
