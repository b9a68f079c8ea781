import type { Catalog } from "../charts";
import type { Routing } from "../settings/routing";
import type { RouteName, Settings, SettingsOf } from "../settings/settings";
import { collectorsOnly } from "./collectors";
import { cloudwatch } from "./cloudwatch";
import { management } from "./management";
import { none } from "./none";
import { otlp } from "./otlp";
import type { RouteKind, RouteParts } from "./parts";
import { regional } from "./regional";
import { regionless } from "./regionless";

/** The routes, by name. A route that the settings have and that is missing here does not compile. */
const registry = { none, management, regional, cloudwatch, otlp, regionless } satisfies {
    readonly [Name in RouteName]: RouteKind<Name>;
};

/**
 * What a route asks for.
 *
 * @param name of the route, whose settings have to be there; `collectors` for collectors that send nowhere yet, beside no store.
 */
export function partsOf(settings: Settings, catalog: Catalog, name: Routing["base"]): RouteParts {
    if (name === "collectors") {
        return { values: collectorsOnly(settings, catalog, {}) };
    }
    // TypeScript does not see that a route's settings belong to the route of the same name.
    const route = registry[name] as unknown as RouteKind<RouteName>;
    return route({ ...settings, route: name } as SettingsOf<RouteName>, catalog);
}
