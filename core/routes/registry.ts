import type { Catalog } from "../charts";
import type { RouteName, SettingsOf } from "../settings/settings";
import { cloudwatch } from "./cloudwatch";
import { management } from "./management";
import { none } from "./none";
import { otlp } from "./otlp";
import type { RouteKind, RouteParts } from "./parts";
import { regional } from "./regional";
import { regionless } from "./regionless";

/** The routes, by name. One that the settings have and that is missing here does not compile. */
const routes = { none, management, regional, cloudwatch, otlp, regionless } satisfies {
    readonly [Name in RouteName]: RouteKind<Name>;
};

/** What the route of a stack asks for. */
export function partsOf<Name extends RouteName>(settings: SettingsOf<Name>, catalog: Catalog): RouteParts {
    // That a route's settings go with the route of the same name, TypeScript does not see.
    const route = routes[settings.route] as unknown as RouteKind<Name>;
    return route(settings, catalog);
}
