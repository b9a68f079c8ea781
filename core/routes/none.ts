import type { RouteParts } from "./deployment";

/** The management cluster's own telemetry is not collected. KOF itself runs, for the other clusters. */
export function none(): RouteParts {
    return { values: {} };
}
