import { catalogOf, type Catalog } from "../charts";
import { checkPaths } from "../charts/paths";
import { definedOnly } from "../lib/compact";
import { formatPath, mergeValues, type HelmValues } from "../lib/values";
import type { Settings } from "../settings/settings";
import { quotedLabels } from "../charts/quotes";
import { restartValues } from "../charts/restarts";
import { completeValues } from "../charts/umbrella";
import { archiveNotices } from "./archiveNotices";
import { alertsOf } from "./alerts";
import { archivesOf, archiveValues } from "./archives";
import { storageNotices, storageValues } from "./stored";
import { effectiveCollectors } from "../collectors/effective";
import { lazily, oncePer } from "../lib/lazy";
import { newNameNotices } from "./newNames";
import { destinationsOf } from "./destinations";
import { distributionNotices } from "./distribution";
import { podValues, type PodValues } from "./pods";
import { podNotices } from "./podRules";
import { fanOut } from "./fanOut";
import { routingOf, type Routing } from "../settings/routing";
import { partsOf } from "./registry";
import { secretsOf } from "./secrets";
import { regionalStoresOf, storesOf, volumesOf } from "./volumes";
import type { Deployment } from "./deployment";
import type { Resolved, RouteParts } from "./parts";

/**
 * Resolves the settings of a stack to the umbrella's Helm values, and to what follows from them. The values contain no null, secret or
 * unknown, and the charts of this KOF version read each of them.
 */
export function deploymentOf(settings: Settings): Deployment {
    const resolved = resolve(settings);
    const { catalog, values } = resolved;
    const ignored = checkPaths(catalog, values);
    if (ignored.length > 0) {
        // Settings were checked before, so this is a bug of the route, not a mistake of the user.
        const found = ignored.map(({ path, message }) => `${formatPath(path)} ${message}`).join("\n");
        throw new Error(`Route ${settings.route} wrote values that KOF ${settings.version} does not read:\n${found}`);
    }
    return derived(resolved);
}

/** What follows from the resolved settings. Each part is computed when it is first read. */
export function derived(resolved: Resolved): Deployment {
    const deployment: Deployment = lazily(resolved, {
        notices: () => [
            ...(resolved.notices ?? []),
            ...distributionNotices(resolved, deployment.collectors),
            ...storageNotices(resolved),
            ...newNameNotices(resolved),
            ...podNotices(deployment),
            ...archiveNotices(deployment),
        ],
        collectors: () => effectiveCollectors(resolved),
        destinations: () => destinationsOf(deployment, deployment.collectors),
        stores: () => storesOf(resolved),
        volumes: () => volumesOf(resolved),
        regionalStores: () => regionalStoresOf(resolved),
        archives: () => archivesOf(deployment),
        secrets: () => secretsOf(deployment),
        alerts: () => alertsOf(deployment),
    });
    return deployment;
}

/** What the settings of a stack resolve to, with unchecked values. */
export const resolve = oncePer((settings: Settings): Resolved => {
    const catalog = catalogOf(settings.version);
    const routing = routingOf(settings);
    const parts = routedParts(settings, catalog, routing);
    const withStorage = (stored: HelmValues, pods: PodValues = { values: {}, lists: {} }): Resolved => {
        const values = mergeValues(
            parts.values,
            // With several destinations, it is known what installs the collectors.
            parts.targets ? {} : restartValues(parts.restartTriggers),
            stored,
            grafanaValues(settings),
            archiveValues(settings),
            pods.values,
            quotedLabels(settings.values),
            pods.lists,
        );
        return { ...parts, settings, catalog, routing, values, umbrella: completeValues(catalog, values) };
    };
    const { storage, storageClass, regions, collectors, proxy } = settings;
    const plain = withStorage({});
    // The existing stores and collectors decide where their settings are written, and what is there already.
    return storage || storageClass || regions || collectors || proxy
        ? withStorage(storageValues(plain), podValues(plain))
        : plain;
});

/** The values of the route and of each signal's destinations. */
function routedParts(settings: Settings, catalog: Catalog, routing: Routing): RouteParts {
    const base = partsOf(settings, catalog, routing.base);
    if (routing.isPlain) {
        return base;
    }
    return fanOut(routing, base, (values) => {
        const all = mergeValues(base.values, values);
        return { ...base, settings, catalog, values: all, umbrella: completeValues(catalog, all) };
    });
}

/** Grafana's operator and what KOF brings for it. The admin Secret is the program's or the user's: the chart must make none. */
function grafanaValues({ grafana }: Settings): HelmValues {
    if (grafana?.enabled !== true) {
        return {};
    }
    const security = definedOnly({ create_secret: false, credentials_secret_name: grafana.existingSecret });
    return {
        "kof-operators": { values: { "grafana-operator": { enabled: true } } },
        "kof-mothership": { values: { grafana: { enabled: true, security } } },
    };
}
