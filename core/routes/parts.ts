import type { Catalog, Signal } from "../charts";
import type { Merged } from "../collectors/merged";
import type { HelmValue, HelmValues } from "../lib/values";
import type { Routing } from "../settings/routing";
import type { AssumedRole, AwsIdentity, CloudWatchSettings, RouteName, SettingsOf } from "../settings/settings";

/** One log group of route `cloudwatch`. */
export interface LogGroup {
    /** What is in it, which decides the settings for its name and retention. */
    readonly holds: "logs" | "audit" | "metrics";
    readonly name: string;
    /** Days after which CloudWatch deletes events. */
    readonly retentionDays: number;
}

/** What another account has, whose role the collectors assume. */
export interface CentralAccount extends AssumedRole {
    readonly account: string;
    /** The groups that it has to have: the stack makes none. */
    readonly logGroups: readonly LogGroup[];
}

/** What route `cloudwatch` makes in AWS. */
export interface CloudWatchParts extends Omit<CloudWatchSettings, "credentials"> {
    /** What the collectors are before they assume a role, where they do. */
    readonly credentials: AwsIdentity;
    /** Whose role the collectors assume. Default: none, and all is in one account. */
    readonly central?: CentralAccount;
    readonly logGroup: string;
    /** All groups that the stack makes, the one of the logs first. */
    readonly logGroups: readonly LogGroup[];
    /** Service accounts, in the namespace of KOF, of the collectors that write. */
    readonly serviceAccounts: readonly string[];
    /** Name of the role, where a service account has to name it. */
    readonly roleName?: string;
}

/** What one route asks for: the part that the routes differ in. */
export interface RouteParts {
    readonly values: HelmValues;
    /** The signals that wait on the nodes' disks while their destination is away (docs/destinations.md). Default: all of them. */
    readonly queued?: readonly Signal[];
    /** Log groups and credentials to make in AWS. */
    readonly cloudwatch?: CloudWatchParts;
    /** What the collectors read at their start only, each human-readable: another text restarts them. */
    readonly restartTriggers?: readonly string[];
    /** What a reader of the preview should know. */
    readonly notices?: readonly string[];
    /** The destinations in addition to the route's own. */
    readonly targets?: readonly Target[];
}

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

/** What a route and the settings beside it resolve to: what is deployed, before anybody asks what follows from it. */
export interface Resolved extends RouteParts, Merged {
    /** Which signal goes where, as the settings ask for it. */
    readonly routing: Routing;
}

/** What makes a route: what its settings ask for, on a version of KOF. */
export type RouteKind<Name extends RouteName> = (settings: SettingsOf<Name>, catalog: Catalog) => RouteParts;
