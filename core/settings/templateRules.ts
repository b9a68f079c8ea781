import { catalogOf, type Catalog, kubeStack } from "../charts";
import { isRead } from "../charts/paths";
import { ruleOf } from "../charts/rules";
import { formatPath, isMap, textOf, valueAt, type HelmValues } from "../lib/values";
import { withoutQuotes } from "../lib/yaml/read";
import { problemAt, type RawSettings, type Values } from "./explain";
import { brief, type Problem, type Problems } from "./problems";
import { routingOf } from "./routing";

/**
 * Valid text that would not arrive as written, because KOF's templates leave out the quotes that it needs, or because Helm or Pulumi
 * reads it as something else. Found by rendering every chart of KOF 1.8.0 to 1.11.0-rc0 with Helm 3.21.4 and the template functions
 * of Sveltos (2026-11-27).
 */
export function templateProblems(settings: Values, raw: RawSettings): Problem[] {
    const { version, cloudwatch = {}, otlp = {}, destinations = {}, collectors = {}, values = {} } = settings;
    const given = { cloudwatch, otlp, destinations, collectors, values } as HelmValues;
    const problems = [...dateProblems(raw), ...helmProblems(given)];
    if (version !== undefined) {
        const catalog = catalogOf(version);
        problems.push(
            ...nameProblems(settings, catalog),
            ...pastedDestinationProblems(settings, catalog),
            ...valueProblems(values, catalog),
        );
    }
    // A list may have the same fault several times.
    return [...new Map(problems.map((problem) => [`${problem.key} ${problem.message}`, problem])).values()];
}

/** Pulumi reads a date without quotes as a time, and passes it on in Go's format. */
function* dateProblems(raw: RawSettings): Problems {
    for (const [path, text] of texts(raw)) {
        const date = /^(\d{4}-\d\d-\d\d) \d\d:\d\d:\d\d(\.\d+)? [-+]\d{4} (UTC|[-+]\d{4})$/.exec(text)?.[1];
        if (date !== undefined) {
            yield problemAt(path, `is ${brief(text)}, which is what Pulumi makes of a date without quotes. Quote it`, {
                // Of a list not one entry could be shown without the others.
                value: valueAt(raw as HelmValues, path) === text ? date : undefined,
            });
        }
    }
}

/**
 * Characters that do not survive Helm's `toYaml`. For most of them, it writes nothing instead of all values of a component. The two
 * that end a line in YAML 1.1 break the templates that indent its output.
 */
const lost =
    /[\x7f-\x9f\u2028\u2029\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

function* helmProblems(settings: HelmValues): Problems {
    for (const [path, text] of texts(settings)) {
        const code = lost.exec(text)?.[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
        if (code !== undefined) {
            yield problemAt(path, `has the character U+${code}, with which Helm fails, or writes other values or none`);
        } else if (path.at(-1) === "<<") {
            yield problemAt(path, "is a key that Helm treats as a merge, and loses");
        }
    }
}

/**
 * Names in settings that a template writes without quotes: of kof-child and kof-regional from KOF 1.10 on
 * (templates/*-multi-cluster-service.yaml: `{childClusterName}`, `{clusterName}`, `{certEmail}`), of victoria-logs-cluster and
 * victoria-traces-cluster in every version (templates/*-server.yaml: `storageClassName`).
 */
function* nameProblems(settings: Values, catalog: Catalog): Problems {
    const { istio, clusterName, clusterNamespace, storageClass, regions, regionless } = settings;
    const { base } = routingOf(settings);
    const isRegionless = base === "regionless";
    const isManagement = isPastedOn(settings, catalog) && !isRegionless;
    const isStored = base === "management" || isRegionless;
    const names: [setting: string, name: string | undefined, isPasted: boolean, other?: string | undefined][] = [
        ["clusterName", clusterName, isManagement || isRegionless, "cluster-"],
        ["clusterNamespace", clusterNamespace, isManagement],
        ["regionless.certEmail", regionless?.certEmail, isRegionless && istio === false],
        ["storageClass.name", storageClass?.name, isStored, storageClass?.create ? "class-" : undefined],
        ["regions.storageClass", regions?.storageClass, !isRegionless],
    ];
    for (const [setting, name, isPasted, other] of names) {
        const message = isPasted && name !== undefined ? unquoted(name, catalog) : undefined;
        if (message !== undefined) {
            yield problemAt(setting.split("."), message, { value: other && `${other}${String(name)}` });
        }
    }
}

/** Whether values of the collectors are pasted into the template of a MultiClusterService. */
function isPastedOn(settings: Values, catalog: Catalog): boolean {
    const bySveltos = isRead(catalog, ["kof-child", "values", "fromManagement", "cluster"]);
    return bySveltos && ["management", "regional", "regionless"].includes(routingOf(settings).base);
}

/** Texts of destinations that end in values which are pasted between backticks. */
function* pastedDestinationProblems(settings: Values, catalog: Catalog): Problems {
    const { cloudwatch, otlp, destinations = {} } = settings;
    const given = { destinations, cloudwatch: { processing: cloudwatch?.processing }, otlp } as unknown as HelmValues;
    for (const [path, text, isKey] of isPastedOn(settings, catalog) ? texts(given) : []) {
        if (text.includes("`")) {
            const patterns = path.at(-1) === "redact" && !isKey ? valueAt(given, path) : undefined;
            const mended = Array.isArray(patterns) && {
                allowed: "\\x60 instead, which is the same to an expression",
                value: patterns.map((each) => textOf(each).replaceAll(/\\?`/g, "\\x60")),
            };
            yield problemAt(
                path,
                "has a backtick, which breaks the MultiClusterService template that it is pasted into",
                { ...mended },
            );
        }
    }
}

/**
 * Values that have to be text, and that the templates of a chart write without quotes, by their paths in its values. A list stands
 * for its entries. The catalog knows all that are written so, but not of which type they have to be.
 */
const pastedNames: Readonly<Record<string, readonly string[]>> = {
    kof: [
        ...["name", "namespace", "interval", "kofManaged.type", "kofManaged.url"].map(
            (key) => `global.helmRepo.${key}`,
        ),
        ...["flux.timeout", "flux.upgrade.retryInterval"],
        ...["version", "repo.type", "repo.url"].map((key) => `victoria-metrics-operator.${key}`),
    ],
    "kof-collectors": ["kcm.namespace"],
    "kof-storage": [
        ...["cert-manager.cluster-issuer.name", "cert-manager.email", "gateway.name", "gatewayClass.controllerName"],
        ...["gatewayClass.name", "grafana.security.credentials_secret_name"],
    ],
    "kof-mothership": [
        "kcm.namespace",
        ...["victoria-logs-multilevel-select", "victoria-traces-multilevel-select"].map((key) => `${key}.image.tag`),
    ],
    "kof-child": [
        "cert-manager.template",
        "fromManagement.cluster.name",
        "fromManagement.cluster.namespace",
        "istio.dependsOn",
    ],
    "kof-regional": [
        ...["cert-manager", "envoy-gateway", "ingress-nginx", "victoria-metrics-operator"].map(
            (key) => `${key}.template`,
        ),
        ...["gateway.name", "gateway.namespace", "istio.dependsOn", "storage.global.storageClass"],
    ],
};

function* valueProblems(values: HelmValues, catalog: Catalog): Problems {
    for (const [path, text, isKey] of texts(values)) {
        const isUnquoted = !isKey && isName(path, catalog);
        const isPasted = ["kof-child", "kof-regional"].includes(path[0] ?? "");
        // What keeps its quotes is pasted between backticks, some of what does not between quotes.
        const sign = text.includes("`") ? "backtick" : isUnquoted && /["\\]/.test(text) ? "quote or a backslash" : "";
        if (isPasted && sign !== "") {
            const what = "which breaks the MultiClusterService template that these values are pasted into";
            yield problemAt(["values", ...path], `has a ${sign}, ${what}`);
        } else if (isUnquoted || (!isKey && breaks(path, text, catalog))) {
            const message = unquoted(text, catalog);
            yield* message === undefined ? [] : [problemAt(["values", ...path], message)];
        }
    }
}

function isName(path: readonly string[], { volumes }: Catalog): boolean {
    // Volumes that do not expand are of a chart's own StatefulSet, all others of an operator's resource.
    const claims = volumes.filter(({ expands, signal }) => !expands && signal !== "grafana");
    return chartsAt(path).some(
        ([chart, inner]) =>
            (Object.hasOwn(pastedNames, chart) && pastedNames[chart]?.includes(inner.join(".")) === true) ||
            claims.some(
                (volume) => volume.chart === chart && formatPath(volume.storageClass.path) === formatPath(inner),
            ),
    );
}

/**
 * Whether a text breaks a template that writes it without quotes. Where only its type would be another, Kubernetes may want that one:
 * `"8080"` for a port.
 */
function breaks(path: readonly string[], text: string, { pasted }: Catalog): boolean {
    const isWritten = chartsAt(path).some(([chart, inner]) => {
        const [dependency, ...own] = inner;
        const isOfCollector = dependency === kubeStack && own[0] === "collectors";
        const shared = isOfCollector ? [kubeStack, "defaultCRConfig", ...own.slice(2)] : inner;
        // `renderkv` in opentelemetry-kube-stack's templates/_helpers.tpl
        const isLabel = /^opentelemetry-kube-stack\.defaultCRConfig\.(labels|annotations)\./.test(shared.join("."));
        // What named templates write: names of objects, and the fields of kube-state-metrics' monitor that it has under `http` too.
        const isNamed = /(^|\.)((full)?nameOverride|namespaceOverride|kube-state-metrics\.prometheus\.monitor\.\w+)$/;
        return isLabel || isNamed.test(shared.join(".")) || pasted[chart]?.includes(formatPath(shared)) === true;
    });
    const value = isWritten ? withoutQuotes(text) : text;
    return value === undefined || isMap(value) || Array.isArray(value);
}

/** The charts whose values a path of the umbrella's is in, each with the path in them: those that hand values on, and the last. */
export function chartsAt(path: readonly string[]): (readonly [chart: string, path: readonly string[]])[] {
    const found: (readonly [string, readonly string[]])[] = [["kof", path]];
    let [chart = "", inner] = path[1] === "values" ? [path[0], path.slice(2)] : ["", path];
    while (chart !== "") {
        found.push([chart, inner]);
        const of = chart;
        const end = inner.findIndex((_, i) => ruleOf(of, inner.slice(0, i + 1))?.chart !== undefined);
        chart = ruleOf(of, inner.slice(0, end + 1))?.chart ?? "";
        inner = inner.slice(end + 1);
    }
    return found;
}

/** What is wrong with a text that a template writes without quotes; nothing where it is the same to Helm and Kubernetes. */
function unquoted(text: string, { version }: Catalog): string | undefined {
    const value = withoutQuotes(text);
    if (value === text) {
        return undefined;
    }
    const outcome =
        value === undefined || typeof value === "object"
            ? value === null
                ? "arrive as nothing"
                : "break their templates"
            : `arrive as the ${typeof value} ${JSON.stringify(value)}`;
    return `is ${brief(text)}, which charts of KOF ${version} write without quotes: it would ${outcome}`;
}

type Text = readonly [path: readonly string[], text: string, isKey: boolean];

/** Every text in a value, keys and entries of lists included, with the path of the key that it is or that holds it. */
function texts(value: unknown, path: readonly string[] = []): Text[] {
    if (typeof value === "string") {
        return [[path, value, false]];
    }
    if (Array.isArray(value)) {
        return value.flatMap((entry) => texts(entry, path));
    }
    const entries = isMap(value) ? Object.entries(value) : [];
    return entries.flatMap(([key, inner]): Text[] => [[[...path, key], key, true], ...texts(inner, [...path, key])]);
}
