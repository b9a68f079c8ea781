import type { RouteParts } from "./parts";

/** The management cluster's own telemetry is not collected. KOF itself runs, for the other clusters. */
export function none(): RouteParts {
    return { values: {} };
}
