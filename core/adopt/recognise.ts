import { signals, type Catalog, type CatalogSetting, kubeStack } from "../charts";
import { identityProcessor } from "../collectors/identity";
import { regionsText } from "../charts/multiCluster";
import { completeValues } from "../charts/umbrella";
import { formatPath, isMap, leaves, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import { definedOnly } from "../lib/compact";
import type { AdoptionOptions, NamedRegion, Region } from "./options";
import type { TakenDestinations } from "./signals";
import type { Deployment } from "../routes/deployment";
import { copiesIn } from "../routes/archives";
import { sortsAuditByDefault, umbrellaCollects } from "../routes/collectors";
import { vmuserSecretName } from "../charts/vmuser";
import type { Volume } from "../routes/volumes";
import { originsOf } from "../charts/layers";
import {
    distributionNames,
    distributionOf,
    distributions,
    etcdCertificates,
    pkiPathOf,
} from "../settings/distributions";
import { settingsSchema, type RouteName } from "../settings/settings";
import {
    findBuffer,
    findCloudWatch,
    findOtlp,
    otlpExporterOf,
    sharedVariable,
    variableNamed,
    writesToCloudWatch,
    type At,
    type Recognition,
    type Sources,
} from "./destinations";

/** By route what finds its settings. A route that is missing here does not compile. */
const finders: Readonly<Record<RouteName, (found: Recognition, sources: Sources) => void>> = {
    none: () => undefined,
    management: findIncompleteManagement,
    regional: findRegion,
    cloudwatch: findCloudWatch,
    otlp: findOtlp,
    regionless: findRegionless,
};

/**
 * Works out which settings of a stack give values like these.
 *
 * @param identity the cluster's names, where these values do not have them.
 * @param taken what was found of several destinations, of which these values have no more.
 * @param istio whether the cluster, or the values, say that they run in the mesh.
 */
export function recognise(
    values: HelmValues,
    catalog: Catalog,
    options: AdoptionOptions,
    identity: Readonly<Record<string, string>> = {},
    taken?: TakenDestinations,
    istio = false,
): Recognition {
    // Where nothing of KOF stores anything, values are like those of a route that only runs the collectors.
    const route = taken ? (taken.collectorsOnly ? "otlp" : taken.route) : routeName(values, catalog);
    const collectors = taken?.prefix ?? collectorsPath(route, catalog);
    const at = (...path: string[]) => valueAt(values, [...collectors, ...path]);
    const config = (...path: string[]) => at(kubeStack, "defaultCRConfig", "config", ...path);
    const settings = { route, version: catalog.version };
    const found: Recognition = { settings, missing: [], corrections: [], notes: [] };
    const sources = { values, catalog, at, config, options };
    Object.assign(found.settings, identity, clusterIdentityOf(route, sources));
    findDistribution(found, route, sources);
    if (taken) {
        findTaken(found, taken, sources);
    } else {
        finders[route](found, sources);
    }
    findBuffer(found, config);
    findIstio(found, route, sources, istio || undefined);
    findGrafana(found, values);
    findCopiedSecrets(found, values);
    return found;
}

/** What archives on regions write into values. It stays in `kof:values`, because values do not have the bucket. */
function findCopiedSecrets({ notes }: Recognition, values: HelmValues): void {
    notes.push(
        ...copiesIn(values).map(
            ({ path, regions, secrets }) =>
                `kof:values.${formatPath(path)} copies Secret ${secrets.join(" and ")} to ${regionsText(regions)}, as an archive in S3 ` +
                `does whose regions are ${regions === "all" ? regions : `[${regions.join(", ")}]`}. Once kof:coldStorage or kof:auditArchive says so with its bucket, ` +
                "which values do not have, it can go from kof:values (docs/archives.md).",
        ),
    );
}

/** Settings of a route, and of what its signals name besides. */
function findTaken(found: Recognition, taken: TakenDestinations, sources: Sources): void {
    const { config, catalog } = sources;
    const named = new Set(signals.flatMap((signal) => taken.wanted[signal]));
    found.settings.route = taken.route;
    if (["management", "regionless"].includes(taken.route)) {
        finders[taken.route](found, sources);
    }
    if (named.has("regional") || taken.route === "regional") {
        findRegion(found, sources);
    }
    if (named.has("cloudwatch")) {
        findCloudWatch(found, sources);
        const block = found.settings.cloudwatch as Record<string, unknown>;
        const { processing, auditExporter, hasLogs = false, stored = {} } = taken.cloudwatch ?? {};
        const { signals: _, auditLogGroup, auditRetentionDays, ...others } = block;
        // Also where no audit logs go there: as soon as some do, that is their group.
        const ofAudit = ["awscloudwatchlogs/audit", ...(hasLogs ? [] : ["awscloudwatchlogs"])];
        const group = (auditExporter === undefined ? ofAudit : [auditExporter])
            .map((exporter) => config("exporters", exporter, "log_group_name"))
            .find((each) => each !== undefined);
        const ownGroup = sortsAuditByDefault(catalog) ? group : undefined;
        found.settings.cloudwatch = definedOnly({
            ...others,
            auditLogGroup: ownGroup,
            auditRetentionDays: ownGroup === auditLogGroup ? auditRetentionDays : undefined,
            signals: Object.keys(stored).length > 0 ? stored : undefined,
            processing,
        });
    }
    if (taken.otlp) {
        found.settings.otlp = taken.otlp;
    }
}

/** The route that values of the umbrella ask for. */
function routeName(values: HelmValues, catalog: Catalog): RouteName {
    const all = completeValues(catalog, values);
    const is = (...path: string[]) => valueAt(all, path) === true;
    const fromManagement = ["kof-child", "values", "fromManagement"];
    if (is("regionless", "enabled")) {
        return "regionless";
    }
    if (is("kof-collectors", "enabled") && writesToCloudWatch(values)) {
        return "cloudwatch";
    }
    if (is("kof-collectors", "enabled") && otlpExporterOf(values) !== undefined) {
        return "otlp";
    }
    if (umbrellaCollects(catalog)) {
        const exporters = ["kof-collectors", "values", kubeStack, "defaultCRConfig", "config", "exporters"];
        return is("kof-collectors", "enabled") && regionAmong(valueAt(values, exporters))
            ? "regional"
            : is("kof-collectors", "enabled") || is("kof-storage", "enabled")
              ? "management"
              : "none";
    }
    return is(...fromManagement, "toManagementCluster", "enabled")
        ? "management"
        : [undefined, ""].includes(valueAt(all, [...fromManagement, "toRegionalCluster", "name"]) as string)
          ? "none"
          : "regional";
}

/** Where the values of kof-collectors on the management cluster are on a route. */
export function collectorsPath(route: RouteName, catalog: Catalog): readonly string[] {
    return route === "regionless"
        ? ["kof-regional", "values", "collectors"]
        : umbrellaCollects(catalog) || route === "cloudwatch" || route === "otlp"
          ? ["kof-collectors", "values"]
          : ["kof-child", "values", "fromManagement", "collectors"];
}

function clusterIdentityOf(route: RouteName, { values, catalog, at, config }: Sources): HelmValues {
    const attributes = (config("processors", identityProcessor, "attributes") ?? []) as HelmValues[];
    const attribute = (key: string) =>
        Array.isArray(attributes) ? attributes.find((each) => isMap(each) && each.key === key)?.value : undefined;
    const labels = (key: string) => config("exporters", "prometheusremotewrite", "external_labels", key);
    const given = (...path: string[]) => valueAt(values, path);
    const byService = !umbrellaCollects(catalog) && (route === "management" || route === "regional");
    const cluster = ["kof-child", "values", "fromManagement", "cluster"];
    const name = byService
        ? given(...cluster, "name")
        : route === "regionless"
          ? given("regionless", "clusterName")
          : (at(kubeStack, "clusterName") ?? attribute("k8s.cluster.name") ?? labels("cluster"));
    // What the charts call the cluster themselves, where nothing names it on signals.
    const charts = [
        ["kof-mothership", "values"],
        ["kof-storage", "values"],
        ["kof-child", "values", "fromManagement", "storage"],
        ["kof-regional", "values", "storage"],
    ];
    const global = (key: string) =>
        [at("global", key), ...charts.map((chart) => given(...chart, "global", key))].find(
            (each) => typeof each === "string",
        );
    const namespace = byService
        ? given(...cluster, "namespace")
        : (attribute("k8s.cluster.namespace") ?? labels("clusterNamespace"));
    return definedOnly({
        clusterName: name ?? global("clusterName"),
        clusterNamespace: namespace ?? global("clusterNamespace"),
    });
}

function findDistribution(
    { settings, notes }: Recognition,
    route: RouteName,
    { values, catalog, at: atCollectors }: Sources,
): void {
    if (route === "none") {
        return;
    }
    const at: At = (...path) => atCollectors(kubeStack, ...path);
    const pkiPath = variableNamed(at("defaultCRConfig", "env"), "PKI_PATH")?.value ?? distributions.k0s.etcd.pkiPath;
    const chart = umbrellaCollects(catalog) ? "kof-collectors" : "kof-mothership";
    const server = valueAt(values, [chart, "values", "metrics-server"]);
    const brought = valueAt(server, ["enabled"]) === true;
    // The mesh turns it off as well, on any distribution.
    const inMesh = at("collectors", "daemon", "hostNetwork") === false;
    const off = at("collectors", "controller-k0s", "enabled") === false && !inMesh;
    const port = at("prometheus-node-exporter", "service", "port");
    const [name, ...same] = distributionNames.filter((each) => {
        const { metricsServer, nodeExporter } = distributionOf(each);
        const certificates = etcdCertificates(each);
        return (
            pkiPathOf(each) === pkiPath &&
            (inMesh || (certificates === undefined) === off) &&
            nodeExporter?.port === port &&
            metricsServer.comes !== brought &&
            (!brought || (metricsServer.args === undefined) === (valueAt(server, ["args"]) === undefined))
        );
    });
    if (name === undefined || name === "k0s") {
        return;
    }
    settings.distribution = name;
    if (same.length > 0) {
        notes.push(
            `kof:distribution is ${name}: the values are the same for ${same.join(" and ")}. Set it to what the cluster is.`,
        );
    }
}

interface RegionEndpoint {
    readonly cluster?: string;
    readonly domain?: string;
}

/** The region's vmauth among the addresses of exporters: by the mesh's service name, or by its domain. */
function regionAmong(exporters: HelmValue | undefined): RegionEndpoint | undefined {
    return Object.values(isMap(exporters) ? exporters : {})
        .flatMap((options) => (isMap(options) ? Object.values(options) : []))
        .map(regionAt)
        .find((each) => each);
}

function regionAt(found: HelmValue | undefined): RegionEndpoint | undefined {
    const address = typeof found === "string" ? found : "";
    const [, cluster] = /^http:\/\/([^/:]+)-vmauth(?:\.kof(?:\.svc[^:/]*)?)?:8427\//.exec(address) ?? [];
    const [, domain] = /^https:\/\/vmauth\.([^/:]+)\//.exec(address) ?? [];
    return cluster === undefined && domain === undefined ? undefined : definedOnly({ cluster, domain });
}

function findIncompleteManagement({ corrections, missing }: Recognition, { values, catalog, config }: Sources): void {
    if (!umbrellaCollects(catalog)) {
        return;
    }
    const enabled = (chart: string) => valueAt(values, [chart, "enabled"]) === true;
    const elsewhere = [...leaves(config("exporters") ?? {})].flatMap(([path, address]) =>
        path.length === 2 && path[1]?.endsWith("endpoint") === true && typeof address === "string" ? [address] : [],
    );
    if (!enabled("kof-storage") && elsewhere.length > 0) {
        missing.push(
            `The collectors write to ${elsewhere.join(" and ")}, which is neither this cluster's storage, nor a region's ` +
                "vmauth, nor CloudWatch. No route of this program does that with these values. Route otlp has logs, metrics and " +
                "traces all go to one exporter otlphttp, alone in defaultCRConfig.config.service.pipelines, with an endpoint.",
        );
    } else if (!enabled("kof-storage")) {
        corrections.push(
            "kof-collectors is enabled without kof-storage: logs and traces go to services that do not exist and are " +
                "dropped. Route management enables both.",
        );
    } else if (!enabled("kof-collectors")) {
        corrections.push(
            "kof-storage is enabled without kof-collectors: nothing of this cluster is collected. Route management enables both.",
        );
    }
}

function findRegion({ settings, missing }: Recognition, { values, catalog, at, config, options }: Sources): void {
    const { region: chosen, cluster: { regions = [] } = {} } = options;
    const target = valueAt(values, ["kof-child", "values", "fromManagement", "toRegionalCluster"]);
    // Beside the stores of this cluster KOF's own switch is on for these.
    if (!umbrellaCollects(catalog) && isMap(target)) {
        settings.regional = definedOnly({
            cluster: target.name,
            namespace: target.namespace,
            insecureSkipVerify: valueAt(values, ["tls", "insecureSkipVerify"]) === true || undefined,
        });
        return;
    }
    const { cluster, domain } = regionAmong(config("exporters")) ?? {};
    const insecure = ["prometheusremotewrite", "prometheusremotewrite/regional"].some(
        (exporter) => config("exporters", exporter, "tls", "insecure_skip_verify") === true,
    );
    const secret = vmuserSecretOf(at);
    const region =
        secret === undefined ? byName(cluster, chosen) : byChecksum(secret, cluster, domain, chosen, regions);
    if (region === undefined) {
        missing.push(
            (secret === undefined
                ? "The values do not say which region they write to, only its domain. "
                : `The name of the Secret ${secret} has a checksum of the region's name and namespace. ${
                      chosen
                          ? `${vmuserSecretName(chosen.cluster, chosen.namespace ?? "kcm-system")} would be that of ${chosen.namespace ?? "kcm-system"}/${chosen.cluster}. `
                          : ""
                  }`) +
                "Name the regional ClusterDeployment with --region NAME, or --region NAMESPACE/NAME where it is not in " +
                "kcm-system. They are listed by\n      kubectl get clusterdeployments -A -l k0rdent.mirantis.com/kof-cluster-role=regional",
        );
        return;
    }
    settings.istio = cluster !== undefined;
    settings.regional = definedOnly<unknown>({
        cluster: region.cluster,
        domain,
        namespace: region.namespace === "kcm-system" ? undefined : region.namespace,
        insecureSkipVerify: insecure || undefined,
    });
}

/** The Secret that the collectors authenticate with at a region, if it is one that KOF makes for a region. */
function vmuserSecretOf(at: At): string | undefined {
    const reference = sharedVariable(at, "KOF_VM_USER");
    const names = [
        valueAt(reference, ["valueFrom", "secretKeyRef", "name"]),
        at("opencost", "opencost", "prometheus", "existingSecretName"),
    ];
    return names.find((name): name is string => typeof name === "string" && /^kof-vmuser-creds-admin-\d+$/.test(name));
}

/** The region by its name alone, where no Secret's name proves it. */
function byName(cluster: string | undefined, chosen: NamedRegion | undefined): Region | undefined {
    const name = chosen?.cluster ?? cluster;
    return name === undefined ? undefined : { cluster: name, namespace: chosen?.namespace ?? "kcm-system" };
}

/**
 * The region whose name and namespace have the checksum in the Secret's name. A checksum cannot be reversed, so the program tries
 * possible names of the region: the user's, the cluster's regions, its service's name, and the labels of its domain.
 */
function byChecksum(
    secret: string,
    cluster: string | undefined,
    domain: string | undefined,
    chosen: NamedRegion | undefined,
    knownRegions: readonly Region[],
): Region | undefined {
    const labels = domain?.split(".") ?? [];
    const names = chosen
        ? [chosen.cluster]
        : [cluster, ...labels, ...labels.map((_, i) => labels.slice(0, i + 2).join("-"))];
    const namespaces = chosen?.namespace === undefined ? ["kcm-system", "default", "kof"] : [chosen.namespace];
    const guessed = names
        .filter((name) => name !== undefined)
        .flatMap((name) => namespaces.map((namespace) => ({ cluster: name, namespace })));
    return [...(chosen ? [] : knownRegions), ...guessed].find(
        (region) => vmuserSecretName(region.cluster, region.namespace) === secret,
    );
}

function findRegionless({ settings }: Recognition, { values }: Sources): void {
    const { domain, certEmail } = values.regionless as HelmValues;
    const tls = (key: string) => valueAt(values, ["tls", key]) === true;
    const selfSigned = (tls("selfSigned") && tls("insecureSkipVerify")) || undefined;
    const block = definedOnly({ domain, certEmail, selfSigned });
    if (Object.keys(block).length > 0) {
        settings.regionless = block;
    }
    // Without a domain children can only reach the management cluster through the mesh.
    if (domain === undefined) {
        settings.istio = true;
    }
}

/** @param isWrittenForMesh whether the values only make sense in the mesh, where that is known. */
function findIstio(
    { settings, notes }: Recognition,
    route: RouteName,
    { catalog, at, options }: Sources,
    isWrittenForMesh: true | undefined,
): void {
    const label = options.cluster?.istio ?? isWrittenForMesh;
    const fixed = settings.istio;
    if (label !== undefined && fixed !== undefined && fixed !== label) {
        notes.push(
            `The values are for a namespace ${label ? "outside" : "in"} the Istio mesh, but kof ${label ? "has" : "lacks"} the label ` +
                "istio-injection=enabled. kof:istio follows the values.",
        );
    }
    if (fixed !== undefined || (route === "regional" && umbrellaCollects(catalog))) {
        return;
    }
    const collector = (...path: string[]) => at(kubeStack, "collectors", ...path);
    const isGiven = route === "cloudwatch" || route === "otlp" || (route === "management" && umbrellaCollects(catalog));
    // Route regionless says it only to the versions that do not know it themselves.
    const says = isGiven || route === "regionless";
    const isInMesh =
        label ??
        (says && collector("controller-k0s", "enabled") === false && collector("daemon", "hostNetwork") === false);
    if (isInMesh) {
        settings.istio = true;
    } else if (label === undefined && !isGiven) {
        notes.push(
            "The values do not say whether the kof namespace is in the Istio mesh; the stack file assumes that it is not. If\n" +
                "      kubectl get namespace kof --show-labels\n    shows istio-injection=enabled, set kof:istio: true before the first pulumi up.",
        );
    }
}

function findGrafana({ settings, notes }: Recognition, values: HelmValues): void {
    const mothership = valueAt(values, ["kof-mothership", "values", "grafana"]);
    const operator = valueAt(values, ["kof-operators", "values", "grafana-operator", "enabled"]) === true;
    if (!operator || valueAt(mothership, ["enabled"]) !== true) {
        return;
    }
    if (valueAt(mothership, ["security", "create_secret"]) === false) {
        settings.grafana = { enabled: true };
        notes.push("kof:grafana replaces the password in the Secret grafana-admin-credentials by a generated one.");
    } else {
        notes.push(
            "Grafana stays in kof:values, with the admin Secret that KOF made. kof:grafana.enabled would replace its password.",
        );
    }
}

/** The settings of the volumes that all volumes of a signal agree in: of this cluster, and of all regions. */
export function volumeSettings(values: HelmValues, deployment: Deployment): HelmValues {
    const { storageClass, ...own } = agreed(values, deployment, deployment.stores);
    const regions = agreed(values, deployment, deployment.regionalStores);
    return definedOnly<HelmValue>({
        storageClass: storageClass && { create: false, name: storageClass },
        ...own,
        regions: Object.keys(regions).length > 0 ? regions : undefined,
    });
}

/** What values say of stores, by signal, and the class that all of them are to have. */
function agreed(values: HelmValues, { catalog }: Deployment, stores: readonly Volume[]): HelmValues {
    const at = ({ source: { chart } }: Volume, setting: CatalogSetting | null) =>
        (setting?.places ?? [])
            // On regions, KOF passes the class of all volumes on. The program leaves that to KOF.
            .flatMap(({ path }) => originsOf(catalog, chart, path).slice(0, chart.on === "regions" ? undefined : 1))
            .map((path) => valueAt(values, path))
            .find((value) => value !== undefined);
    const classes = new Set(stores.map((store) => at(store, store.source.volume.storageClass)));
    const [name] = classes;
    const keys = ["size", "retention", "replicas", "replicationFactor"] as const;
    const storage = signals.flatMap((signal) => {
        const own = stores.filter((store) => store.signal === signal && store.retention !== undefined);
        const settings = keys.flatMap((key) => {
            const found = new Set(own.map((store) => at(store, store.source.volume[key])));
            const [value] = found;
            const candidate = { [signal]: { [key]: value } };
            return found.size === 1 && value !== undefined && settingsSchema.storage.safeParse(candidate).success
                ? [[key, value] as const]
                : [];
        });
        return settings.length > 0 ? [[signal, Object.fromEntries(settings)] as const] : [];
    });
    return {
        ...(classes.size === 1 && typeof name === "string" && name !== "" ? { storageClass: name } : {}),
        ...(storage.length > 0 ? { storage: Object.fromEntries(storage) } : {}),
    };
}
