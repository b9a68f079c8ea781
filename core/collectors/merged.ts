import type { Catalog } from "../charts";
import type { HelmValues } from "../lib/values";
import type { Settings } from "../settings/settings";

/** What decides which stores run, and with which settings: a deployment, or the part of it that is known so far. */
export interface Merged {
    readonly settings: Settings;
    readonly catalog: Catalog;
    /** The values that the stack gives the umbrella. */
    readonly values: HelmValues;
    /** The same over the umbrella's defaults: all that its templates see. */
    readonly umbrella: HelmValues;
}
