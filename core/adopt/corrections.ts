import { catalogOf, versions, type Catalog } from "../charts";
import { checkPaths } from "../charts/paths";
import { UserError } from "../lib/errors";
import { writeYaml } from "../lib/yaml/write";
import { umbrellaCollects } from "../routes/collectors";
import { chartNames } from "./documents";
import { formatPath, isMap, leaves, mergeValues, nest, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import type { Deployment } from "../routes/deployment";
import { vmuserSecretName } from "../charts/vmuser";
import { distributions } from "../settings/distributions";
import type { RawSettings } from "../settings/explain";
import { variableNamed } from "./destinations";
import { collectorsPath } from "./recognise";
import { removeLeaf } from "./removal";

/** Values that were put right, and what was wrong with them. */
interface Corrected {
    readonly values: HelmValues;
    readonly corrections: readonly string[];
}

/** Values of a chart that stand at the top of a file for the umbrella. */
interface BareChart {
    readonly chart: string;
    readonly values: HelmValues;
}

/** Values for the umbrella. */
interface Nested extends Corrected {
    /** The cluster's names, where the values have them at a place that nothing reads: settings by their key. */
    readonly identity: Readonly<Record<string, string>>;
}

/** Puts values where the umbrella reads them: some files have those of a bare chart, and KOF's page some a level too deep. */
export function nestChart(values: HelmValues, bare: BareChart | undefined, catalog: Catalog): Nested {
    const corrections: string[] = [];
    const identity: Record<string, string> = {};
    let nested = values;
    if (bare) {
        const others = Object.entries(values).filter(([key]) => !(key in bare.values));
        const [path, enabled] = placeOf(bare.chart, catalog);
        nested = mergeValues(Object.fromEntries(others), enabled, nest(path, bare.values));
        corrections.push(
            `${Object.keys(bare.values).join(", ")} at the top are values of the chart ${bare.chart}: the umbrella reads them under ` +
                `${formatPath(path)}, and ignores them here (docs/differences.md).`,
        );
    }
    for (const key of ["clusterName", "clusterNamespace"]) {
        const name = valueAt(nested, ["global", key]);
        if (typeof name === "string") {
            nested = removeLeaf(nested, ["global", key]);
            identity[key] = name;
            corrections.push(`global.${key} is read by no chart here. kof:${key} is ${name}.`);
        }
    }
    for (const chart of ["kof-storage", "kof-collectors"]) {
        const enabled = valueAt(nested, [chart, "values", "enabled"]);
        if (enabled !== undefined && valueAt(nested, [chart, "enabled"]) === undefined) {
            nested = mergeValues(removeLeaf(nested, [chart, "values", "enabled"]), { [chart]: { enabled } });
            corrections.push(
                `${chart}.values.enabled is a level too deep and is ignored: the switch is ${chart}.enabled (docs/differences.md).`,
            );
        }
    }
    return { values: nested, corrections, identity };
}

/** The keys at the top of a chart's values, of all versions: those of its own, and its dependencies. */
function keysOf(chart: string): ReadonlySet<string> {
    const all = versions.flatMap((version) => catalogOf(version).charts[chart] ?? []);
    return new Set(
        all.flatMap(({ values, dependencies }) => [...Object.keys(values), ...dependencies.map(({ name }) => name)]),
    );
}

/**
 * The chart whose values stand at the top of a file for the umbrella, by which keys it has.
 *
 * @param source what to call the file in errors. Left out where the values are the umbrella's, whatever they look like.
 * @throws UserError where they fit several charts, and it is unclear which is meant.
 */
export function bareChart(values: HelmValues, source?: string): BareChart | undefined {
    const keys = Object.keys(values);
    const umbrella = keysOf("kof");
    const names = chartNames();
    const stray = keys.filter((key) => !umbrella.has(key) && !names.includes(key));
    const fits = names
        .map((chart) => ({ chart, own: keysOf(chart) }))
        .map(({ chart, own }) => ({ chart, own, count: stray.filter((key) => own.has(key)).length }))
        .filter(({ chart, count }) => chart !== "kof" && count > 0)
        .map(({ chart, own, count }) => {
            const isWhole = keys.every((key) => own.has(key));
            const picked = Object.entries(values).filter(([key]) => own.has(key) && (isWhole || stray.includes(key)));
            const found = Object.fromEntries(picked);
            return { chart, values: found, count, unread: unreadOf(chart, found) };
        })
        .sort((a, b) => b.count - a.count || a.unread - b.unread);
    const [best, ...others] = fits;
    const equal = others.filter((each) => each.count === best?.count && each.unread === best.unread);
    if (!best || equal.length === 0 || source === undefined) {
        return equal.length === 0 ? best : undefined;
    }
    throw new UserError(
        `${source} has ${stray.join(", ")} at the top, which may be values of ${[best, ...equal].map(({ chart }) => chart).join(" or of ")}. Nothing was written. Put them ` +
            `below the chart that is meant:\n\n${writeYaml(nest(placeOf(best.chart)[0], { [stray[0] ?? ""]: "…" }))}`,
    );
}

/** How many of a chart's values no version reads, at the version that reads most. */
function unreadOf(chart: string, values: HelmValues): number {
    return Math.min(
        ...versions.map((version) => {
            const catalog = catalogOf(version);
            const [path, enabled] = placeOf(chart, catalog);
            return checkPaths(catalog, mergeValues(enabled, nest(path, values))).length;
        }),
    );
}

/** Where the umbrella reads the values of a chart, and what else it needs to install that. */
function placeOf(chart: string, catalog?: Catalog): [path: readonly string[], enabled: HelmValues] {
    return chart === "kof-storage" && catalog && !umbrellaCollects(catalog)
        ? [
              ["kof-child", "values", "fromManagement", "storage"],
              nest(["kof-child", "values", "fromManagement", "toManagementCluster", "enabled"], true),
          ]
        : [[chart, "values"], ["kof-storage", "kof-collectors"].includes(chart) ? { [chart]: { enabled: true } } : {}];
}

/** Values without the sizes of what settings give another size to, as the volumes that exist have it. */
export function withoutSizes(values: HelmValues, { stores }: Deployment, storage: HelmValues): HelmValues {
    return stores
        .filter(({ signal, retention }) => retention !== undefined && storage[signal] !== undefined)
        .flatMap(({ source }) => source.volume.size.places.map(({ path }) => [...source.chart.prefix, ...path]))
        .filter((path) => valueAt(values, path) !== undefined)
        .reduce(removeLeaf, values);
}

/**
 * Takes back what KOF's pages, or earlier ones, get wrong in values that the charts do read.
 *
 * @param prefix where the values of kof-collectors are.
 */
export function correct(
    values: HelmValues,
    catalog: Catalog,
    settings: RawSettings,
    prefix: readonly string[] = collectorsPath(settings.route as Deployment["settings"]["route"], catalog),
): Corrected {
    const corrections: string[] = [];
    let corrected = values;
    const shared = [...prefix, "opentelemetry-kube-stack", "defaultCRConfig"];
    const secrets = nameSecret(corrected, prefix, settings);
    corrected = secrets.values;
    corrections.push(...secrets.corrections);
    const env = valueAt(corrected, [...shared, "env"]);
    if (Array.isArray(env) && env.length > 0 && variableNamed(env, "PKI_PATH") === undefined) {
        const pkiPath = { name: "PKI_PATH", value: distributions.k0s.etcd.pkiPath };
        corrected = mergeValues(corrected, nest([...shared, "env"], [pkiPath, ...env]));
        corrections.push(
            "defaultCRConfig.env has no PKI_PATH, and a list replaces the chart's: controller-k0s finds no certificates of etcd and " +
                "crashes. It is back, as k0s has it: on any other distribution set kof:distribution.",
        );
    }
    for (const [path, value] of leaves(valueAt(values, prefix) ?? {})) {
        const mistake = mistakes.find(({ at, found }) => at.test(path.join("|")) && found.test(JSON.stringify(value)));
        if (mistake && (mistake.route === undefined || mistake.route === settings.route)) {
            corrected = removeLeaf(corrected, [...prefix, ...path]);
            corrections.push(mistake.correction);
        }
    }
    return { values: corrected, corrections: [...new Set(corrections)] };
}

/** How KOF's page leaves the name of the Secret with a region's credentials to its reader. */
export const unfilledSecretName = "$VMUSER_CREDS_NAME";

/** Puts the name of the Secret for the region where the values have none, or that of the credentials for this cluster. */
function nameSecret(values: HelmValues, prefix: readonly string[], { regional }: RawSettings): Corrected {
    const { cluster, namespace } = (regional ?? {}) as { cluster?: string; namespace?: string };
    if (cluster === undefined || prefix[0] !== "kof-collectors") {
        return { values, corrections: [] };
    }
    const name = vmuserSecretName(cluster, namespace ?? "kcm-system");
    const corrections = {
        [unfilledSecretName]: `${unfilledSecretName} was not filled in. For this region it is ${name}.`,
        "storage-vmuser-credentials": `Secret storage-vmuser-credentials is for this cluster's own storage: the region answers 401. It is ${name}.`,
    };
    const found = new Set<string>();
    const replace = (value: HelmValue): HelmValue => {
        if (typeof value === "string" && Object.hasOwn(corrections, value)) {
            found.add(value);
            return name;
        }
        return Array.isArray(value)
            ? value.map(replace)
            : isMap(value)
              ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replace(inner)]))
              : value;
    };
    return {
        values: replace(values) as HelmValues,
        corrections: [...found].map((wrong) => corrections[wrong as keyof typeof corrections]),
    };
}

/** Values that are read and do harm, by a pattern of their path (keys joined with `|`) and of the value as JSON. */
const mistakes: readonly { at: RegExp; found: RegExp; route?: string; correction: string }[] = [
    {
        at: /\|receivers\|otlp\|protocols\|(grpc|http)\|endpoint$/,
        found: /^"(127\.0\.0\.1|localhost):/,
        correction:
            "The daemon takes OTLP on 127.0.0.1 only: pods on one node cannot send traces to the daemon of another. It is 0.0.0.0 (docs/differences.md).",
    },
    {
        at: /\|telemetry\|metrics\|address$/,
        found: /./,
        correction:
            "service.telemetry.metrics.address is no longer known, and a collector that has it does not start. It is left out.",
    },
    {
        at: /\|otlphttp\/logs\|logs_endpoint$/,
        found: /\/vls\/insert\//,
        correction: "otlphttp/logs writes to /vls/insert/…, which vmauth only reads from. It is /vli/insert/….",
    },
    {
        at: /\|(defaultCRConfig\|config\|service\|pipelines\|logs|pipelines\|logs\/\w+)\|exporters$/,
        found: /^\["awscloudwatchlogs(\/\w+)?","debug"\]$/,
        route: "cloudwatch",
        correction:
            "Logs go to debug as well, which prints each batch to the collector's log, which is shipped as a log. They go to CloudWatch only (docs/differences.md).",
    },
    {
        at: /\|pipelines\|[^|]+\|exporters$/,
        found: /^\["otlphttp\/destination","debug"\]$/,
        route: "otlp",
        correction:
            "Signals go to debug as well, which prints each batch to the collector's log, which is shipped as a log. They go to the destination only (docs/differences.md).",
    },
    {
        at: /\|pipelines\|(metrics|traces)\|exporters$/,
        found: /^\["debug"\]$/,
        route: "cloudwatch",
        correction:
            "Metrics and traces go to debug, which prints each batch to the collector's log, which is shipped as a log. They go to nop (docs/differences.md).",
    },
];
