import { catalogOf, versions, type Catalog, type CatalogSetting, type CatalogVolume } from "../charts";
import { formatPath, leaves, type HelmValues } from "../lib/values";
import { problemAt } from "./explain";
import type { Problems } from "./problems";
import { chartsAt } from "./templateRules";

/**
 * Values that decide about a store in another KOF version, or in the chart of another store, and that nothing reads in this one. Of
 * the charts that stores are in, as victoria-logs-cluster, the program knows no other keys.
 */
export function* storeProblems(catalog: Catalog, values: HelmValues): Problems {
    for (const [path] of leaves(values)) {
        for (const [chart, inner] of chartsAt(path)) {
            const volume = catalog.volumes.find(
                (each) => each.chart === chart && isDependency(each) && inner[0] === each.size.path[0],
            );
            if (!volume || settingsOf(volume).some((each) => isPlaceOf(each, volume, relative(volume, inner)))) {
                continue;
            }
            const decides = versions
                .flatMap((version) => catalogOf(version).volumes)
                .filter(isDependency)
                .flatMap((other) => settingsOf(other).filter((each) => isPlaceOf(each, other, relative(volume, inner))))
                .at(0);
            if (decides) {
                const instead = volume.limits.find((each) => "kind" in decides && each.kind === decides.kind)?.path;
                const meant = instead && formatPath([...path.slice(0, -inner.length), ...instead]);
                yield problemAt(
                    ["values", ...path],
                    `is not read by the charts of KOF ${catalog.version}: Helm would ignore it`,
                    { allowed: meant && `what is read is ${meant}` },
                );
            }
        }
    }
}

/** Whether a store is in a chart of its own, which KOF's installs as a dependency. All of those have the same keys. */
function isDependency({ expands, signal }: CatalogVolume): boolean {
    return !expands && signal !== "grafana";
}

function isPlaceOf({ places }: CatalogSetting, volume: CatalogVolume, wanted: string): boolean {
    return places.some(({ path }) => relative(volume, path) === wanted);
}

/** A path without the names of the chart and of the store: `CHART.STORE.persistentVolume.size`. */
function relative({ size }: CatalogVolume, path: readonly string[]): string {
    const names = ["CHART", "STORE"];
    return formatPath(path.map((key, i) => (key === size.path[i] ? (names[i] ?? key) : key)));
}

function settingsOf(volume: CatalogVolume): CatalogSetting[] {
    const { size, storageClass, replicas, autoscaler, retention, replicationFactor, port, claimRetention } = volume;
    const { switches, persistence, limits, location, entrance, fixed } = volume;
    const single = [size, storageClass, replicas, autoscaler, retention, replicationFactor, port, claimRetention];
    const several = [switches, persistence, limits, location, entrance, fixed];
    return [...single.filter((each) => each !== null), ...several.flat()];
}
