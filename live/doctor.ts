import { alerts } from "./alerts";
import { assumedRole } from "./assumedRole";
import { archives } from "./archives";
import { aws } from "./aws";
import { collectorRights } from "./collectorRights";
import { exportChecks } from "./collectors";
import { distribution } from "./distribution";
import type { Check } from "./findings";
import { prerequisites } from "./prerequisites";
import { regions } from "./regions";
import { registries } from "./registries";
import { releases } from "./releases";
import { storage } from "./storage";
import { transactionSearch } from "./transactionSearch";
import { workloads } from "./workloads";

/** All that `doctor` looks at: before an install what it needs, and after a failure what went wrong, in this order. */
export const checks: readonly Check[] = [
    ...prerequisites,
    ...distribution,
    ...storage,
    ...aws,
    ...collectorRights,
    ...assumedRole,
    ...transactionSearch,
    ...archives,
    ...regions,
    ...registries,
    ...releases,
    ...workloads,
    ...alerts,
    ...exportChecks,
];
