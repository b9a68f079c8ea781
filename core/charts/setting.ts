import type { CatalogPlace, CatalogSwitch } from ".";
import { isMap, valueAt, type HelmValue } from "../lib/values";

/**
 * What a chart makes of a setting, and where it reads it.
 *
 * @param values the chart's own values as it gets them from the layers above; what they lack, the chart's defaults say.
 * @returns the first place that is not empty; `undefined` when all are.
 */
export function settingIn<Place extends CatalogPlace>(
    { places }: { readonly places: readonly Place[] },
    values: HelmValue | undefined,
): { readonly value: HelmValue; readonly place: Place } | undefined {
    for (const place of places) {
        const value = valueAt(values, place.path) ?? place.default;
        if (!isEmpty(value)) {
            return { value, place };
        }
    }
    return undefined;
}

/** Whether a switch is on, in the values of its chart. */
export function isOn(setting: CatalogSwitch, values: HelmValue | undefined): boolean {
    switch (setting.on) {
        case "true":
            return settingIn(setting, values) !== undefined;
        case "empty":
            return settingIn(setting, values) === undefined;
        case "missing":
            return setting.places.every(({ path, default: own }) => (valueAt(values, path) ?? own) === null);
    }
}

/** Whether Helm's templates take a value for nothing. */
function isEmpty(value: HelmValue): boolean {
    return (
        value === null ||
        value === false ||
        value === 0 ||
        value === "" ||
        (Array.isArray(value) && value.length === 0) ||
        (isMap(value) && Object.keys(value).length === 0)
    );
}
