import type { Catalog } from "../catalog";
import type { RouteParts } from ".";
import { notStored } from "./destinations";
import { mothershipVolumes } from "./volumes";

/** The management cluster's own telemetry is not collected. KOF itself runs, for the other clusters. */
export function none(catalog: Catalog): RouteParts {
    const nowhere = notStored("not collected");
    return {
        values: {},
        destinations: { metrics: nowhere, logs: nowhere, traces: nowhere, audit: nowhere },
        volumes: mothershipVolumes(catalog),
    };
}
