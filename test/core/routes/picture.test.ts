import assert from "node:assert/strict";

import fc from "fast-check";

import { signals, versions } from "../../../core/charts";
import { leaves, mergeValues, nest, type HelmValue } from "../../../core/lib/values";
import { effectiveCollectors } from "../../../core/collectors/effective";
import { reviewCollectors } from "../../../core/review/collectors";
import { UserError } from "../../../core/lib/errors";
import type { Deployment } from "../../../core/routes/deployment";
import { installedCharts } from "../../../core/charts/installed";
import { regionalStoresOf, volumeSources, storesOf, type Volume } from "../../../core/routes/volumes";
import { summaryPage } from "../../../core/review/summary/page";
import { hasRegionless, deploymentFor, routes, type Raw } from "../../support";
import { readAddresses, readStores, type Reading } from "./reading";
import { runs } from "../../sampled";

const often = runs(10, 200);

/** A path of the umbrella's values, and what may be there. */
type Edit = readonly [path: readonly string[], values: readonly HelmValue[]];

const sizes = ["33Gi", "1.5Ti", "50G", 10_000_000_000];
const times = ["24h", "77d", "3w", "2y", 3, "1d12h"];
const junk: readonly HelmValue[] = ["", "x", 0, -1, 1.5, true, false, [], ["x"], {}, { x: 1 }, "${env:X}", "100"];

/** Every place that decides about a store, every switch of the charts that bring them, and places that have nothing to do with it. */
function editsOf(deployment: Deployment): Edit[] {
    const { catalog } = deployment;
    const sources = [...volumeSources(deployment, "management"), ...volumeSources(deployment, "regions")];
    const ofStores = sources.flatMap(({ volume, chart }): Edit[] => {
        const at = (setting: { places: readonly { path: readonly string[] }[] } | null, values: readonly HelmValue[]) =>
            (setting?.places ?? []).map(({ path }): Edit => [[...chart.prefix, ...path], values]);
        return [
            ...volume.switches.flatMap((each) => at(each, [true, false])),
            ...volume.persistence.flatMap((each) =>
                at(each, each.on === "true" ? [true, false] : each.on === "empty" ? ["mine", ""] : [{}]),
            ),
            ...at(volume.size, sizes),
            ...at(volume.storageClass, ["slow", "fast", ""]),
            ...at(volume.replicas, [1, 2, 5]),
            ...at(volume.retention, times),
            ...at(volume.replicationFactor, [1, 2]),
            ...volume.limits.flatMap((each) =>
                at(
                    each,
                    each.kind === "filter"
                        ? ['{a="b"}:1d']
                        : each.kind === "percent"
                          ? [50, 80]
                          : [20, "30GiB", "40GB"],
                ),
            ),
        ];
    });
    const charts = installedCharts(deployment.umbrella);
    const switches = charts.flatMap(({ chart, prefix }) =>
        [...leaves(catalog.charts[chart]?.values ?? {})].flatMap(([path, value]): Edit[] =>
            typeof value === "boolean"
                ? [
                      [
                          [...prefix, ...path],
                          [true, false],
                      ],
                  ]
                : [],
        ),
    );
    const anything = charts.flatMap(({ chart, prefix }) =>
        [...leaves(catalog.charts[chart]?.values ?? {})].map(([path, value]): Edit => {
            const fitting = Array.isArray(value) ? junk.filter((each) => Array.isArray(each)) : junk;
            return [[...prefix, ...path], fitting];
        }),
    );
    const components = catalog.components.map(({ name }): Edit => [
        [name, "enabled"],
        [true, false],
    ]);
    // Each kind as often as the others, however many there are of it.
    const times_ = (edits: readonly Edit[], count: number) =>
        Array.from({ length: count }, (_, i) => edits[Math.floor((i * edits.length) / count)]!);
    return [...ofStores, ...times_(switches, 100), ...times_(anything, 60), ...times_(components, 20)];
}

const plainRoutes = new Map<string, { raw: Raw; edits: Edit[] }>();
for (const version of versions) {
    for (const [name, raw] of Object.entries(routes)) {
        if (name !== "regionless" || hasRegionless(version)) {
            const complete = { ...raw, version };
            plainRoutes.set(`${version} ${name}`, { raw: complete, edits: editsOf(deploymentFor(complete)) });
        }
    }
}

/** A stack with some values, most of them such as decide what is stored. */
const anyStack = fc.constantFrom(...plainRoutes.values()).chain(({ raw, edits }) =>
    fc
        .record({
            edits: fc.array(
                fc
                    .constantFrom(...edits)
                    .chain(([path, values]) => fc.constantFrom(...values).map((value) => nest([...path], value))),
                { minLength: 1, maxLength: 6 },
            ),
            storageClass: fc.boolean(),
            storage: fc.option(
                fc.constantFrom({ logs: { retention: "30d" } }, { metrics: { size: "77Gi", replicas: 4 } }),
                {
                    nil: undefined,
                },
            ),
        })
        .map(({ edits: made, storageClass, storage }): Raw => {
            const { storageClass: own, ...rest } = raw;
            return { ...rest, ...(storageClass ? { storageClass: own } : {}), storage, values: mergeValues(...made) };
        }),
);

/** What settings resolve to; `undefined` where they are refused, which has to be with our own error. */
function accepted(raw: Raw): Deployment | undefined {
    try {
        return deploymentFor(raw);
    } catch (error) {
        assert.ok(error instanceof UserError, String((error as Error).stack));
        return undefined;
    }
}

const asReading = ({ workload, count, size, storageClass, retention, limits, keeps }: Volume): Reading => ({
    workload,
    count,
    size,
    storageClass,
    retention,
    limits: limits.map(({ text }) => text),
    keeps,
});
const rows = (stores: readonly Reading[]) =>
    stores.map((store) => JSON.stringify({ ...store, size: String(store.size), count: Number(store.count) })).sort();

const workloads = { metrics: "vmstorage", logs: "vlstorage", traces: "vtstorage", audit: "vlstorage-audit" };

describe("the picture of any values", () => {
    it("has the stores that another reading of the merged values has, and throws nothing but our own errors (sampled)", () => {
        let seen = 0;
        fc.assert(
            fc.property(anyStack, (raw) => {
                const deployment = accepted(raw);
                if (!deployment) {
                    return;
                }
                seen++;
                const { here, regions, entrance } = readStores(String(raw.version), deployment.values);
                assert.deepEqual(rows(storesOf(deployment).map(asReading)), rows(here));
                assert.deepEqual(rows(regionalStoresOf(deployment).map(asReading)), rows(regions));
                const destinations = deployment.destinations;
                const addresses = readAddresses(effectiveCollectors(deployment).map(({ config }) => config));
                const stored = new Set(here.map(({ workload }) => workload));
                const isOpen = raw.istio === true ? entrance.inMesh : entrance.outside;
                const atRegion = new Set(isOpen ? regions.map(({ workload }) => workload) : []);
                for (const signal of signals) {
                    const destination = destinations[signal];
                    const ends = destination.stored ? destination.ends : [];
                    for (const { on, holds, address } of ends) {
                        assert.ok(on !== "cluster" || stored.has(workloads[holds!]), `${signal}: ${address}`);
                        assert.ok(on !== "region" || atRegion.has(workloads[holds!]), `${signal}: ${address}`);
                        assert.ok(on === "aws" || addresses[signal].has(address), `${signal}: ${address}`);
                    }
                    const away = [...addresses[signal]].filter((address) => address.startsWith("https://"));
                    const isLost = raw.route === "regional" && !atRegion.has(workloads[signal]);
                    assert.ok(isLost || away.every((address) => ends.some((end) => end.address === address)));
                }
                const { problems } = reviewCollectors(deployment);
                assert.ok(problems.every(({ key }) => key.startsWith("kof:values")));
                assert.ok(summaryPage("fuzz", deployment, deployment.notices).length > 0);
            }),
            often,
        );
        assert.ok(seen > often.numRuns / 3, `${String(seen)} of ${String(often.numRuns)} were accepted`);
    });
});
