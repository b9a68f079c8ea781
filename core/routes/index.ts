import { catalogOf, chartValues, type Catalog } from "../charts";
import { checkPaths } from "../charts/paths";
import { coalesceValues, formatPath, mergeValues, type HelmValues } from "../lib/values";
import type { Settings } from "../settings/settings";
import { cloudwatch } from "./cloudwatch";
import { management } from "./management";
import { none } from "./none";
import { otlp } from "./otlp";
import { regional } from "./regional";
import { regionless } from "./regionless";
import { restartValues } from "../charts/restarts";
import { storageNotices, storageValues } from "./stored";
import type { Merged } from "../collectors/merged";
import type { Deployment, RouteParts } from "./deployment";

/**
 * Works out what the settings of a stack come to: the umbrella's Helm values, and what else the route needs. The values are free
 * of nulls, secrets and unknowns, and each of them is read by this KOF version's charts.
 */
export function deploymentOf(settings: Settings): Deployment {
    const { parts, ...deployment } = withParts(settings);
    const { catalog, values } = deployment;
    const ignored = checkPaths(catalog, values);
    if (ignored.length > 0) {
        // Settings are checked before: this is a fault of the route, not of the person who chose it.
        const found = ignored.map(({ path, message }) => `${formatPath(path)} ${message}`).join("\n");
        throw new Error(`Route ${settings.route} wrote values that KOF ${settings.version} does not read:\n${found}`);
    }
    return { ...parts, ...deployment, notices: [...(parts.notices ?? []), ...storageNotices(deployment)] };
}

/** What the settings of a stack come to, with values that nobody has checked yet. */
export function mergedOf(settings: Settings): Merged {
    return withParts(settings);
}

function withParts(settings: Settings): Merged & { readonly parts: RouteParts } {
    const catalog = catalogOf(settings.version);
    const parts = partsOf(settings, catalog);
    const withStorage = (stored: HelmValues) => {
        const values = mergeValues(
            parts.values,
            restartValues(parts.restartTriggers),
            stored,
            grafanaValues(settings),
            settings.values,
        );
        return { settings, catalog, parts, values, umbrella: coalesceValues(chartValues(catalog, "kof"), values) };
    };
    const { storage, storageClass } = settings;
    const unsized = withStorage({});
    // Which stores there are tells where their sizes are to be written.
    return storage || storageClass ? withStorage(storageValues(unsized)) : unsized;
}

function partsOf(settings: Settings, catalog: Catalog): RouteParts {
    switch (settings.route) {
        case "none":
            return none();
        case "management":
            return management(settings, catalog);
        case "regional":
            return regional(settings, catalog);
        case "cloudwatch":
            return cloudwatch(settings, catalog);
        case "otlp":
            return otlp(settings, catalog);
        case "regionless":
            return regionless(settings, catalog);
    }
}

/** Grafana's operator and what KOF brings for it. The admin Secret is the program's or the user's: the chart must make none. */
function grafanaValues({ grafana }: Settings): HelmValues {
    if (grafana?.enabled !== true) {
        return {};
    }
    const { existingSecret } = grafana;
    const security = {
        create_secret: false,
        ...(existingSecret === undefined ? {} : { credentials_secret_name: existingSecret }),
    };
    return {
        "kof-operators": { values: { "grafana-operator": { enabled: true } } },
        "kof-mothership": { values: { grafana: { enabled: true, security } } },
    };
}
