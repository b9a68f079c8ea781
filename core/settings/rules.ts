import { catalogOf, versions, type Catalog } from "../charts";
import { checkPaths, isRead } from "../charts/paths";
import { definedOnly } from "../lib/compact";
import { formatPath, isMap, leaves, type HelmValues } from "../lib/values";
import { headerVariable, otlpHeadersSecret } from "./headers";
import { defaultLogGroup, longestTry, metricsLogGroup } from "./logGroups";
import { arnParts, partitionOf } from "../lib/arns";
import { startPath } from "../charts/restarts";
import { archiveProblems } from "./archiveRules";
import { metaOf, problemAt, stackFile, type Key, type RawSettings, type Values } from "./explain";
import { destinationProblems } from "./destinationRules";
import { namedDestinations, namesIn, routingOf, tellsAudit } from "./routing";
import { identityProblems, isOfPartition, keyProblems } from "./awsRules";
import { brief, outerKeys, type Problem, type Problems } from "./problems";
import { objectProblems } from "./objectRules";
import { overwriteProblems } from "./overwriteRules";
import { schemaProblems } from "./schemaRules";
import {
    awsIdentityOf,
    routeNames,
    routes,
    type RouteSettings,
    type StorageClassSettings,
    type StoreSettings,
} from "./settings";
import { storeProblems } from "./storeRules";
import { distributionOf } from "./distributions";
import { parameterProblems } from "./storageParameterRules";
import { storageClassPresets } from "./storageClassPresets";
import { templateProblems } from "./templateRules";
import { withRightPastes } from "./valuePastes";
import { hoursOf, retentionInDays } from "../lib/durations";
import { gib, sizeInGiB } from "../lib/quantities";

/** The rules that concern more than one setting. Settings that are wrong by themselves are left out. */
export function crossProblems(values: Values, raw: RawSettings, isDeployed = false): Problem[] {
    return [
        ...blockProblems(values, raw),
        ...versionProblems(values),
        ...regionProblems(values),
        ...cloudwatchProblems(values),
        // Earlier versions accepted such settings: they are running, and remembered with their defaults.
        ...(isDeployed
            ? []
            : [
                  ...destinationProblems(values, raw),
                  ...archiveProblems(values, raw),
                  ...otlpProblems(values, raw),
                  ...bufferSizeProblems(values),
                  ...meshNameProblems(values),
              ]),
        ...bufferProblems(values, raw),
        ...storageProblems(values, isDeployed),
        ...everyRegionProblems(values, raw),
        ...(isDeployed ? [] : writtenStorageProblems(values, raw)),
        ...valueProblems(values),
        ...templateProblems(values, raw),
    ];
}

function* blockProblems(values: Values, raw: RawSettings): Problems {
    const { route } = values;
    if (route === undefined) {
        return;
    }
    for (const block of routeNames) {
        const settings: RouteSettings = routes[block];
        if (settings.block === undefined) {
            continue;
        }
        const isGiven = isMap(raw[block]) && isPresent(raw[block]);
        const isNamed = block === route || (block !== "regionless" && namedDestinations(values).includes(block));
        // In the mesh, route regionless needs no settings of its own.
        // A route without regions needs no settings of a region.
        const isNeeded =
            !(block === "regionless" && values.regionless) && !(block === "regional" && route === "regionless");
        if (isNamed && !isPresent(raw[block]) && isNeeded) {
            const why = block === route ? `route ${route} needs it` : `kof:signals names ${block}`;
            yield problemAt([block], `is missing, and ${why}`, { value: metaOf(settings.block).example });
        } else if (!isNamed && isGiven && values.signals !== undefined && block !== "regionless") {
            const logs = [...routingOf(values).signals.logs, block];
            yield problemAt(
                [block],
                "has no effect: neither kof:route nor kof:signals names it. Remove it, or name it",
                { paste: stackFile(["signals", "logs"], logs) },
            );
        } else if (!isNamed && isGiven) {
            yield problemAt([block], `has no effect on route ${route}. Remove it, or choose its route`, {
                paste: stackFile(["route"], block),
            });
        }
    }
}

/** Whether a setting is given. Pulumi.yaml declares an empty map as the default of every block. */
export function isPresent(value: unknown): boolean {
    return value !== undefined && !(isMap(value) && Object.keys(value).length === 0);
}

/** Whether the umbrella of a KOF version can do without regions. */
function hasRegionless(version: string): boolean {
    return isRead(catalogOf(version), ["regionless", "enabled"]);
}

function* versionProblems({ route, version }: Values): Problems {
    if (route === "regionless" && version !== undefined && !hasRegionless(version)) {
        const able = versions.filter(hasRegionless);
        const released = able.find((has) => !has.includes("-"));
        yield problemAt(["route"], `is "regionless", which KOF ${version} does not have`, {
            allowed: `route regionless with version ${able.join(" or ")}`,
            paste: stackFile(["version"], released),
        });
    }
}

function* regionProblems(values: Values): Problems {
    const { route, version, istio, regional, regionless } = values;
    const isNamed = route !== "regionless" && namedDestinations(values).includes("regional");
    if (isNamed && regional && version !== undefined && istio !== undefined) {
        // KOF only looks the domain up with its own switch, which is off if this cluster has stores.
        const isSwitched = routingOf(values).base === "regional";
        const findsDomain =
            isSwitched && isRead(catalogOf(version), ["kof-child", "values", "fromManagement", "toRegionalCluster"]);
        if (istio && regional.domain !== undefined) {
            yield problemAt(
                ["regional", "domain"],
                "has no effect with Istio: the region is reached through the mesh by its cluster's name. Remove it",
            );
        } else if (!istio && !findsDomain && regional.domain === undefined) {
            const why = isSwitched ? "" : " beside the stores of this cluster";
            yield problemAt(
                ["regional", "domain"],
                `is missing, and KOF ${version} cannot find it out${why}. It is the regional ClusterDeployment's annotation k0rdent.mirantis.com/kof-regional-domain`,
                { allowed: "a DNS name such as eu-1.obs.example.net", value: "eu-1.obs.example.net" },
            );
        }
    }
    if (route === "regionless" && regionless && istio === false) {
        if (regionless.domain === undefined) {
            yield problemAt(["regionless", "domain"], "is missing: child clusters write to https://vmauth.DOMAIN", {
                allowed: "a DNS name such as kof.example.net",
                value: "kof.example.net",
            });
        }
        if (regionless.certEmail === undefined && !regionless.selfSigned) {
            yield problemAt(
                ["regionless", "certEmail"],
                "is missing: Let's Encrypt wants an address for the certificate of the domain",
                { allowed: "an e-mail address, or selfSigned: true instead", value: "platform@example.net" },
            );
        }
    }
}

function* cloudwatchProblems(values: Values): Problems {
    const { cloudwatch, clusterName } = values;
    if (!namedDestinations(values).includes("cloudwatch") || !cloudwatch || clusterName === undefined) {
        return;
    }
    const { region, kmsKeyArn, auditLogGroup, signals } = cloudwatch;
    const { identity, path, role } = awsIdentityOf(cloudwatch.credentials);
    const { logGroup = defaultLogGroup(clusterName) } = cloudwatch;
    const partition = partitionOf(region);
    yield* keyProblems("cloudwatch", cloudwatch, "log groups");
    yield* identityProblems(path, identity, region);
    if (role && !isOfPartition(partition, role.roleArn)) {
        yield problemAt(
            ["cloudwatch", "credentials", "roleArn"],
            `is ${brief(role.roleArn)}, with which nobody can write to ${region}: it is another partition of AWS`,
            {
                allowed: `the ARN of an IAM role that starts with arn:${partition}:iam::`,
                value: role.roleArn.replace(/^arn:[\w-]+:/, `arn:${partition}:`),
            },
        );
    }
    if (role && kmsKeyArn !== undefined) {
        yield problemAt(
            ["cloudwatch", "kmsKeyArn"],
            `has no effect: the log groups are made in account ${arnParts(role.roleArn).account}, which says how they are encrypted. Remove it`,
        );
    }
    const overOtlp = Object.entries(signals).flatMap(([signal, how]) => (how === "otlp" ? [signal] : []));
    if (role?.externalId !== undefined && overOtlp.length > 0) {
        yield problemAt(
            ["cloudwatch", "credentials", "externalId"],
            `is ${brief(role.externalId)}, which cannot be sent over OTLP: extension sigv4auth of KOF's collectors (contrib 0.143) ` +
                `has no external ID. ${new Intl.ListFormat("en-GB").format(overOtlp)} would not arrive`,
            {
                allowed: "no external ID, or emf and xray for metrics and traces",
                paste: stackFile(["cloudwatch", "signals"], {
                    ...(signals.metrics === "none" ? {} : { metrics: "emf" }),
                    ...(signals.traces === "none" ? {} : { traces: "xray" }),
                }),
            },
        );
    }
    if (signals.metrics === "emf" && auditLogGroup === metricsLogGroup(logGroup)) {
        yield problemAt(["cloudwatch", "auditLogGroup"], `is ${brief(auditLogGroup)}, which is where the metrics go`, {
            value: `${logGroup}-audit`,
        });
    }
}

function* otlpProblems(values: Values, raw: RawSettings): Problems {
    const { otlp } = values;
    if (!namedDestinations(values).includes("otlp") || !otlp) {
        return;
    }
    const { headersSecret, headers } = otlp;
    const given = isMap(raw.otlp) ? raw.otlp : {};
    // Another rule reports a Secret whose name is wrong.
    if (given.headers !== undefined && headersSecret === undefined && given.headersSecret === undefined) {
        yield problemAt(
            ["otlp", "headers"],
            "has no effect without kof:otlp.headersSecret: no header would be sent, and the endpoint may drop every record",
            {
                allowed: "the keys of a Secret in the kof namespace, and its name",
                paste: stackFile(["otlp", "headersSecret"], otlpHeadersSecret),
            },
        );
    }
    const first = new Map<string, string>();
    for (const header of headers) {
        const variable = headerVariable(header);
        const other = first.get(variable);
        if (other !== undefined) {
            yield problemAt(
                ["otlp", "headers"],
                `has ${other} and ${header}, which would be one environment variable, ${variable}`,
                { allowed: "headers that differ in more than case and - or _" },
            );
        }
        first.set(variable, other ?? header);
    }
}

function* bufferProblems(values: Values, raw: RawSettings): Problems {
    const { route, buffer } = values;
    if (route === undefined) {
        return;
    }
    const { signals: wanted, baseStore, isPlain, leavesCluster } = routingOf(values);
    if (!leavesCluster) {
        if (isPresent(raw.buffer)) {
            const where = isPlain ? ` on route ${route}, which sends nothing` : ": nothing is sent";
            yield problemAt(["buffer"], `has no effect${where} out of this cluster. Remove it`);
        }
        return;
    }
    const why = !isPlain
        ? wanted.metrics.includes("regional")
            ? ": beside the stores of this cluster, metrics for a region wait in memory"
            : ": no metrics go to regional"
        : route === "otlp"
          ? ` on route ${route}, where metrics are kept on disk anyway`
          : ` on route ${route}, where metrics have no queue`;
    // A default was not necessarily asked for.
    if (!(baseStore === "regional" && wanted.metrics.includes("regional")) && buffer?.metrics === "disk") {
        yield problemAt(["buffer", "metrics"], `is disk, which has no effect${why}. Remove it`);
    }
    if (namesIn(wanted).includes("cloudwatch") && buffer && hoursOf(buffer.duration) > longestTry) {
        const longest = `${String(longestTry)}h`;
        yield problemAt(
            ["buffer", "duration"],
            `is ${brief(buffer.duration)}, but CloudWatch Logs takes nothing that is older than 14 days`,
            {
                allowed: `at most ${longest} ${isPlain ? "on route" : "where something goes to"} cloudwatch`,
                value: longest,
            },
        );
    }
}

/** The number of bytes that a collector's queue takes: a signed 64-bit integer. Tried with collector 0.143.0, 2026-11-27. */
const mostBytes = 2 ** 63;
/** With 1Ki, none of 200 log lines arrived that the collector had accepted; with 100Ki all did (collector 0.143.0, 2026-11-27). */
const fewestBytes = 2 ** 14;

function* bufferSizeProblems({ buffer, destinations = {} }: Values): Problems {
    const sizes: [path: readonly string[], size: string | undefined][] = [
        [["buffer", "size"], buffer?.size],
        ...Object.entries(destinations).map(([name, own]): [string[], string | undefined] => [
            ["destinations", name, "buffer", "size"],
            own.buffer?.size,
        ]),
    ];
    for (const [path, size] of sizes) {
        const bytes = size === undefined ? fewestBytes : sizeInGiB(size) * gib;
        if (bytes < fewestBytes) {
            yield problemAt(
                path,
                `is ${brief(size)}. A collector accepts a batch of records that does not fit, and drops it`,
                { allowed: "at least 16Ki; a batch may have several MB", value: "100Mi" },
            );
        } else if (bytes >= mostBytes) {
            yield problemAt(
                path,
                `is ${brief(size)}, of which a collector makes a negative number of bytes: it would not start`,
                {
                    allowed: "at most 9223372036854775807 bytes: 8191Pi, or 9223P",
                    value: size?.endsWith("i") === true ? "8191Pi" : "9223P",
                },
            );
        }
    }
}

/** The most characters of a Service's name, which is a DNS label. */
const longestLabel = 63;

/**
 * In the mesh, KOF makes a Service with the name of the storing cluster (kof-storage of 1.8.0 to 1.11.0-rc0,
 * `templates/istio/istio-vm-services.yaml`). Collectors write to a region by that name.
 */
function* meshNameProblems(values: Values): Problems {
    const { route, istio, clusterName, regional } = values;
    const isOwn = route === "regionless";
    if (istio !== true || !(isOwn || namedDestinations(values).includes("regional"))) {
        return;
    }
    const name = (isOwn ? clusterName : regional?.cluster) ?? "";
    const longest = longestLabel - "-vmauth".length;
    if (name.length > longest) {
        yield problemAt(
            isOwn ? ["clusterName"] : ["regional", "cluster"],
            `has ${String(name.length)} characters. With Istio KOF makes a Service of it, NAME-vmauth, whose name Kubernetes ` +
                `limits to ${String(longestLabel)}: it would fail to install kof-storage`,
            {
                allowed: `at most ${String(longest)} characters ${isOwn || route === "regional" ? "on route" : "where something goes to"} ${isOwn ? "regionless" : "regional"} with Istio`,
                // A region is called as an object that exists, so no other name can be proposed.
                value: isOwn ? name.slice(0, longest).replace(/-+$/, "") : undefined,
            },
        );
    }
}

function* storageProblems(
    { storageClass, storage, version, route, distribution }: Values,
    isDeployed: boolean,
): Problems {
    if (storageClass?.create === false) {
        yield* existingClassProblems(storageClass);
    } else if (storageClass) {
        yield* newClassProblems(storageClass);
        yield* clashProblems(storageClass, distribution);
        // The class of a deployed stack exists already.
        if (!isDeployed) {
            yield* placeProblems(storageClass, distribution);
            yield* parameterProblems(storageClass);
        }
    }
    if (route !== undefined) {
        const chart = route === "regionless" ? "kof-storage" : "kof-mothership";
        yield* replicationProblems(["storage"], storage, chart, version);
    }
    yield* auditStoreProblems(["storage"], storage, version);
}

/** Settings for all regions, of which route regionless has none. */
function* everyRegionProblems({ regions, route, version }: Values, raw: RawSettings): Problems {
    if (route !== "regionless") {
        const path = ["regions", "storage"];
        yield* replicationProblems(path, regions?.storage, "kof-storage", version);
        yield* auditStoreProblems(path, regions?.storage, version);
    } else if (isPresent(raw.regions)) {
        yield problemAt(
            ["regions"],
            "has no effect on route regionless, which has no regional clusters. Remove it: what is stored here is in kof:storage, " +
                "its class in kof:storageClass",
        );
    }
}

function* auditStoreProblems(
    path: readonly string[],
    storage: StoreSettings | undefined,
    version: Values["version"],
): Problems {
    if (storage?.audit && version !== undefined && !tellsAudit(version)) {
        yield problemAt(
            [...path, "audit"],
            `has no effect: KOF ${version} stores audit logs among the logs. Remove it, and size ${path.join(".")}.logs for both`,
        );
    }
}

/** The longest retention that VictoriaMetrics and its siblings start with: 1200 months (lib/flagutil/duration.go, v1.146.1). */
const longestRetention = 1200 * 31;

/** What volumes are at least, and at most, in GiB. Stores keep 10 MB free (`-storage.minFreeDiskSpaceBytes`), and do not start without. */
const [smallest, largest] = [sizeInGiB("100Mi"), sizeInGiB("1Pi")];

/** Settings that are valid, but cannot be meant. Deployed stacks may have them. */
function* writtenStorageProblems({ storage, storageClass, regions }: Values, raw: RawSettings): Problems {
    const written = isMap(raw.storageClass) ? raw.storageClass.reclaimPolicy : undefined;
    if (storageClass?.create === false && storageClass.reclaimPolicy === "Retain" && written !== undefined) {
        yield noEffectOnExisting("reclaimPolicy", storageClass.name);
    }
    yield* boundProblems(["storage"], storage);
    yield* boundProblems(["regions", "storage"], regions?.storage);
}

/** @param path of the stores' settings below `kof:`. */
function* boundProblems(path: readonly string[], storage: StoreSettings = {}): Problems {
    for (const [signal, store] of Object.entries(storage)) {
        const { size, retention } = store ?? {};
        const inGiB = size === undefined ? smallest : sizeInGiB(size);
        if (inGiB < smallest || inGiB > largest) {
            const why = inGiB < smallest ? "which is full before anything is stored" : "which no driver makes";
            yield problemAt([...path, signal, "size"], `is ${brief(size)}, ${why}`, {
                allowed: "100Mi to 1Pi for each volume; KOF advises at least 10Gi",
                value: inGiB < smallest ? "10Gi" : "1Pi",
            });
        }
        if (retention !== undefined && retentionInDays(retention) > longestRetention) {
            yield problemAt(
                [...path, signal, "retention"],
                `is ${brief(retention)}, with which the store does not start: it keeps data for 1200 months at most`,
                { allowed: "at most 100y", value: "100y" },
            );
        }
    }
}

/**
 * Copies need as many replicas. Where only one of the two is set, the other is what the VMCluster has by default.
 *
 * @param path of the stores' settings below `kof:`.
 * @param chart that has the VMCluster.
 */
function* replicationProblems(
    path: readonly string[],
    { metrics: { replicas, replicationFactor } = {} }: StoreSettings = {},
    chart: string,
    version: Values["version"],
): Problems {
    if ((replicas === undefined && replicationFactor === undefined) || version === undefined) {
        return;
    }
    const at = (setting: string) => [...path, "metrics", setting];
    const volume = catalogOf(version).volumes.find((each) => each.chart === chart && each.replicationFactor !== null);
    const has = replicas ?? Number(volume?.replicas?.default);
    const copies = replicationFactor ?? Number(volume?.replicationFactor?.default);
    if (copies <= has) {
        return;
    }
    if (replicationFactor === undefined) {
        yield problemAt(
            at("replicas"),
            `is ${String(has)}, too few for ${String(copies)} copies of each sample, KOF's default`,
            { allowed: "at least replicationFactor", paste: stackFile(at("replicationFactor"), has) },
        );
    } else {
        const byDefault = replicas === undefined ? ", KOF's default" : "";
        yield problemAt(
            at("replicationFactor"),
            `is ${String(copies)}, but there are only ${String(has)} replicas to copy to${byDefault}`,
            { allowed: "at most the number of replicas", paste: stackFile(at("replicas"), copies) },
        );
    }
}

/** A class that clashes with those that the distribution comes with. */
function* clashProblems(storageClass: StorageClassSettings, distribution: Values["distribution"]): Problems {
    const classes = distribution === undefined ? undefined : distributionOf(distribution).classes;
    if (classes === undefined) {
        return;
    }
    if ([classes.default, ...classes.others].includes(storageClass.name)) {
        yield problemAt(
            ["storageClass", "name"],
            `is ${storageClass.name}, a class that ${String(distribution)} comes with. Use that one, or give the new one another name`,
            { paste: stackFile(["storageClass", "create"], false) },
        );
    } else if (storageClass.default) {
        yield problemAt(
            ["storageClass", "default"],
            `is true, but ${String(distribution)} comes with a default class, ${classes.default}: there would be two. ` +
                "KOF's volumes name their class, and need no default",
            { value: false },
        );
    }
}

/** A preset whose disks are elsewhere than the machines of the distribution. */
function* placeProblems({ preset }: StorageClassSettings, distribution: Values["distribution"]): Problems {
    const presets = distribution === undefined ? undefined : distributionOf(distribution).presets;
    if (preset !== undefined && presets?.onlyThese === true && !presets.fit.includes(preset)) {
        yield problemAt(
            ["storageClass", "preset"],
            `is ${preset}, whose volumes no node of ${String(distribution)} can use`,
            { allowed: presets.fit.join(", "), value: presets.fit[0] },
        );
    }
}

function* newClassProblems({ name, preset, provisioner }: StorageClassSettings): Problems {
    const ofPreset = preset && storageClassPresets[preset].provisioner;
    if (preset === undefined && provisioner === undefined) {
        yield problemAt(
            ["storageClass", "preset"],
            `is missing, and so is provisioner, but the class ${name} is to be created`,
            {
                allowed: `${Object.keys(storageClassPresets).join(", ")}, a provisioner instead, or create: false to use a class that exists`,
                value: "aws-ebs",
            },
        );
    } else if (preset !== undefined && provisioner !== undefined && provisioner !== ofPreset) {
        yield problemAt(
            ["storageClass", "provisioner"],
            `contradicts preset ${preset}, which uses ${String(ofPreset)}. Remove one of them`,
        );
    } else if (provisioner === "kubernetes.io/no-provisioner") {
        yield problemAt(
            ["storageClass", "provisioner"],
            "is kubernetes.io/no-provisioner, which makes no volumes: every KOF pod would wait for one that somebody " +
                "has to make by hand. On your own hardware, install OpenEBS (https://openebs.io) and use its preset",
            {
                allowed: "the name of a CSI driver that makes volumes on demand",
                paste: stackFile(["storageClass"], { name, preset: "openebs-lvm", parameters: { volgroup: "NAME" } }),
            },
        );
    }
}

function existingClassProblems(storageClass: StorageClassSettings): Problem[] {
    const { preset, provisioner, parameters, reclaimPolicy } = storageClass;
    // Only a value other than the default is known to have been asked for.
    const asked = {
        preset,
        provisioner,
        parameters,
        reclaimPolicy: reclaimPolicy === "Delete" ? reclaimPolicy : undefined,
        default: storageClass.default ? true : undefined,
    };
    return Object.keys(definedOnly<unknown>(asked)).map((key) => noEffectOnExisting(key, storageClass.name));
}

function noEffectOnExisting(key: string, name: string): Problem {
    return problemAt(
        ["storageClass", key],
        `has no effect with create: false, which uses the class ${name} as it is. Remove it`,
    );
}

/** Values that only a setting may decide: through `values` they would contradict the route. */
const decided: readonly (readonly [string, Key])[] = [
    ["kof-storage.enabled", "route"],
    ["kof-collectors.enabled", "route"],
    ["kof-child.values.fromManagement.toManagementCluster", "route"],
    ["kof-child.values.fromManagement.toRegionalCluster", "route"],
    ["regionless", "route"],
    ["global.components", "route"],
    ["global.namespace", "route"],
    [formatPath(startPath), "route"],
];

/** The setting that alone may decide a path of the values, if one does. */
export function deciderOf(path: readonly string[]): Key | undefined {
    return decided.find(([key]) => `${formatPath(path)}.`.startsWith(`${key}.`))?.[1];
}

/** The values written by settings that the charts' layers read before they overwrite values. */
function decidedValues(values: Values): HelmValues {
    const { route, clusterName, regional, regionless } = values;
    const selfSigned = route === "regionless" && regionless?.selfSigned === true;
    const insecureSkipVerify =
        selfSigned || (routingOf(values).base === "regional" && regional?.insecureSkipVerify === true);
    const { domain, certEmail } = regionless ?? {};
    return {
        regionless: {
            enabled: route === "regionless",
            ...(clusterName === undefined ? {} : { clusterName }),
            ...(domain === undefined ? {} : { domain }),
            ...(certEmail === undefined ? {} : { certEmail }),
        },
        ...(insecureSkipVerify ? { tls: { ...(selfSigned ? { selfSigned } : {}), insecureSkipVerify } } : {}),
    };
}

function valueProblems(settings: Values): Problem[] {
    const { values, version } = settings;
    if (values === undefined || version === undefined) {
        return [];
    }
    const catalog = catalogOf(version);
    const check = (given: HelmValues) => wrongValues(settings, catalog, given);
    return withRightPastes(check(values), values, check);
}

function wrongValues(settings: Values, catalog: Catalog, given: HelmValues): Problem[] {
    // On these routes the umbrella is told to run kof-collectors, for which it has no values from KOF 1.10 on.
    const { base } = routingOf(settings);
    const components = {
        global: { components: ["cloudwatch", "otlp", "collectors"].includes(base) ? ["kof-collectors"] : [] },
    };
    const pathProblems = checkPaths(catalog, given, components).map(({ path, message, nearest, meant }) =>
        problemAt(["values", ...path], message, {
            allowed: nearest === undefined ? undefined : `the nearest path that is read is ${nearest}`,
            value: meant,
        }),
    );
    // For a value of a store, that check knows which other place is read instead.
    const ofStores = [...storeProblems(catalog, given)];
    const stores = new Set(ofStores.map(({ key }) => key));
    const problems = pathProblems.filter(({ key }) => !stores.has(key));
    // One problem is enough for a value and everything below it.
    for (const found of [ofStores, schemaProblems(catalog, given), objectProblems(catalog, given)]) {
        const named = new Set(problems.map(({ key }) => key));
        problems.push(...[...found].filter(({ key }) => !outerKeys(key).some((each) => named.has(each))));
    }
    problems.push(...overwriteProblems(catalog, given, decidedValues(settings)));
    for (const [path] of leaves(given)) {
        const owner = deciderOf(path);
        if (owner !== undefined) {
            problems.push(problemAt(["values", ...path], `is decided by kof:${owner}. Remove it from values`));
        }
    }
    return problems;
}
