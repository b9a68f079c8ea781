import type { Signal } from "../charts";
import type { HelmValue, HelmValues } from "../lib/values";
import type { RouteParts } from "./parts";

/** A destination in addition to those of the collectors' base route, with everything needed to reach it. */
export interface Target extends Pick<RouteParts, "cloudwatch" | "restartTriggers" | "notices" | "queued"> {
    /** Its name in `kof:signals`. */
    readonly name: string;
    /** Human-readable, where it is none of KOF's stores and not AWS. */
    readonly title?: string;
    /** The exporter of each signal that it gets. */
    readonly exporters: Readonly<Partial<Record<Signal, string>>>;
    /** The exporters that write to it in the end, where others hand over to them. Default: {@link exporters}. */
    readonly writers?: readonly string[];
    /** Exporters, extensions and processors, by their names: a part of every collector's configuration. */
    readonly definitions: HelmValues;
    /** What differs from collector to collector: values of one. */
    readonly ofCollector?: (key: string, name: string) => HelmValues;
    /** Extensions of {@link definitions} that have to be started. */
    readonly extensions?: readonly string[];
    readonly env?: readonly HelmValue[];
    /**
     * What works on a signal on its way to this destination alone, in order. `undefined` where it gets exactly what KOF's own stores
     * get, so that its exporter stands beside theirs, or behind nothing but a batch.
     */
    readonly processors?: (signal: Signal) => readonly string[];
}
