import { collectorDocument, type Collector } from "../../core/collectors/effective";
import { differences } from "../../core/lib/differences";

/** Where the catalog's collectors differ from those of the real charts, a line for each value. */
export function compareCollectors(catalog: readonly Collector[], charts: readonly Collector[]): string[] {
    const documents = (collectors: readonly Collector[]) =>
        new Map(collectors.map((collector) => [collector.name, collectorDocument(collector)]));
    const [ours, theirs] = [documents(catalog), documents(charts)];
    return [...new Set([...ours.keys(), ...theirs.keys()])].sort().flatMap((name) => {
        const [own, real] = [ours.get(name), theirs.get(name)];
        return own === undefined || real === undefined
            ? [`${name}: only ${own === undefined ? "the charts have" : "the catalog has"} it`]
            : differences(own, real).map(
                  ({ path, before = "nothing", after = "nothing" }) =>
                      `${name}: ${path} is ${before} in the catalog, ${after} in the charts`,
              );
    });
}
