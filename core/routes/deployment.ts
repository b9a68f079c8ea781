import type { Signal } from "../charts";
import type { Collector } from "../collectors/effective";
import type { Archive } from "./archives";
import type { Alerts } from "./alerts";
import type { Destination } from "./destinations";
import type { Resolved } from "./parts";
import type { RequiredSecret } from "./secrets";
import type { Volume } from "./volumes";

/**
 * What one stack's settings resolve to: plain data, known before anything runs. Whoever wants to know what a stack runs, stores or
 * needs reads it here, so that all say the same.
 */
export interface Deployment extends Resolved {
    /** What a reader of the preview should know. */
    readonly notices: readonly string[];
    /** The OpenTelemetry collectors on the management cluster, `kof:values` included. */
    readonly collectors: readonly Collector[];
    /** Per signal of the management cluster where it ends, by the exporters of these collectors and the stores that are there. */
    readonly destinations: Readonly<Record<Signal, Destination>>;
    /** What stores something on the management cluster. */
    readonly stores: readonly Volume[];
    /** Those of them that have volumes of KOF's making. */
    readonly volumes: readonly Volume[];
    /** What stores something on each regional cluster, of which only the cluster knows how many there are. */
    readonly regionalStores: readonly Volume[];
    /** What is exported from {@link stores} into S3. */
    readonly archives: readonly Archive[];
    /** Every Secret that must exist, no matter who makes it. */
    readonly secrets: readonly RequiredSecret[];
    /** What watches it once it is deployed. */
    readonly alerts: Alerts;
}
