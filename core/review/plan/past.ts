import type { Deployment } from "../../routes/deployment";
import { acknowledgements } from "./consequence";

/** What is known about earlier deployments, in addition to the running settings. */
export interface Past {
    /** What stood in `kof:acknowledge` in any deployment that was completed. It permits nothing any more. */
    readonly spent: readonly string[];
    /** The smallest number of copies of each metric at any time; `undefined` if it is not known. */
    readonly fewestCopies: number | undefined;
}

/** The past of a stack if only its settings are known: these count as its first. */
export function pastOf(from: Deployment): Past {
    return { spent: acknowledgements(from.settings.acknowledge), fewestCopies: metricCopies(from) };
}

/** How many copies of each metric a route stores on the management cluster. */
export function metricCopies({ volumes }: Deployment): number {
    const stores = volumes.filter(({ signal, retention }) => signal === "metrics" && retention !== undefined);
    return Math.min(...stores.map(({ copies }) => copies));
}

/** The text that permits a change now: what it is called, numbered where that has been spent on an earlier one. */
export function unspent(text: string, spent: readonly string[]): string {
    for (let count = 1; ; count++) {
        const candidate = count === 1 ? text : `${text} (${String(count)})`;
        if (!spent.includes(candidate)) {
            return candidate;
        }
    }
}
