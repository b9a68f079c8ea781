import type { Signal } from "../charts";
import type { Collector } from "../collectors/effective";
import type { Archive } from "./archives";
import type { Alerts } from "./alerts";
import type { Destination } from "./destinations";
import type { Resolved } from "./parts";
import type { RequiredSecret } from "./secrets";
import type { Volume } from "./volumes";

/**
 * What one stack's settings resolve to: plain data, known before anything runs. Everything that describes what a stack runs, stores or
 * needs reads it here, so all descriptions agree.
 */
export interface Deployment extends Resolved {
    /** What a reader of the preview should know. */
    readonly notices: readonly string[];
    /** The OpenTelemetry collectors on the management cluster, `kof:values` included. */
    readonly collectors: readonly Collector[];
    /** Where each signal of the management cluster ends, according to these collectors' exporters and the existing stores. */
    readonly destinations: Readonly<Record<Signal, Destination>>;
    /** The stores on the management cluster. */
    readonly stores: readonly Volume[];
    /** Those of the stores whose volumes KOF makes. */
    readonly volumes: readonly Volume[];
    /** The stores on each regional cluster. Only the management cluster knows how many regional clusters there are. */
    readonly regionalStores: readonly Volume[];
    /** The archives of {@link stores} in S3. */
    readonly archives: readonly Archive[];
    /** Every Secret that must exist, no matter who makes it. */
    readonly secrets: readonly RequiredSecret[];
    /** The alert rules for the deployed stack. */
    readonly alerts: Alerts;
}
