import { streamOf, streamPlaceholders } from "../settings/streams";
import { isMap, leaves, mergeValues, nest, textOf, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import { metricsQueue } from "../collectors/buffers";
import { typeOf } from "../collectors/flows";
import { cloudwatchOtlpExporters } from "../routes/cloudwatch";
import { caVariable, otlpExporter } from "../routes/exporters";
import { headerVariable } from "../settings/headers";
import { accessKeyIn, startAnnotation } from "../charts/restarts";
import { settingsSchema } from "../settings/settings";
import { kubeStack, type Catalog } from "../charts";
import type { AdoptionOptions } from "./options";
import { quantityOf } from "../lib/quantities";
import { definedOnly } from "../lib/compact";

/** What was found: settings of a stack, without those of its volumes, and what there is to say. */
export interface Recognition {
    /** Settings by their key under `kof:`. */
    readonly settings: Record<string, unknown>;
    /** What the values do not say and a stack must: one sentence each, with what to do. */
    readonly missing: string[];
    readonly corrections: string[];
    /** What to look at, because the values say nothing about it. */
    readonly notes: string[];
}

/** The value at a path below a fixed one. */
export type At = (...path: string[]) => HelmValue | undefined;

/** What there is to find the settings of a route in. */
export interface Sources {
    readonly values: HelmValues;
    readonly catalog: Catalog;
    /** Values of kof-collectors, by their path. */
    readonly at: At;
    /** The same in the configuration that all collectors share. */
    readonly config: At;
    readonly options: AdoptionOptions;
}

const umbrellaConfig = ["kof-collectors", "values", kubeStack, "defaultCRConfig", "config"];

/** A variable of a list of environment variables. */
export function variableNamed(env: HelmValue | undefined, name: string): HelmValues | undefined {
    return (Array.isArray(env) ? env : []).filter(isMap).find((each) => each.name === name);
}

/** A variable that every collector has. */
export function sharedVariable(at: At, name: string): HelmValues | undefined {
    return (
        variableNamed(at(kubeStack, "defaultCRConfig", "env"), name) ?? variableNamed(at(kubeStack, "extraEnvs"), name)
    );
}

/** Whether kof-collectors of the umbrella has an exporter to CloudWatch. */
export function writesToCloudWatch(values: HelmValues): boolean {
    const exporters = valueAt(values, [...umbrellaConfig, "exporters"]);
    return isMap(exporters) && Object.keys(exporters).some((name) => name.split("/")[0] === "awscloudwatchlogs");
}

/** The one OTLP exporter of kof-collectors of the umbrella that all signals go to, if there is one. */
export function otlpExporterOf(values: HelmValues): string | undefined {
    const [name, ...others] = new Set(
        ["logs", "metrics", "traces"].map((signal) => {
            const exporters = valueAt(values, [...umbrellaConfig, "service", "pipelines", signal, "exporters"]);
            const wanted = (Array.isArray(exporters) ? exporters : []).filter((each) => each !== "debug");
            return wanted.length === 1 ? wanted[0] : undefined;
        }),
    );
    return others.length === 0 &&
        typeof name === "string" &&
        name.split("/")[0] === "otlphttp" &&
        typeof valueAt(values, [...umbrellaConfig, "exporters", name, "endpoint"]) === "string"
        ? name
        : undefined;
}

/** Calls what route otlp has a name for by that name: the exporter, and the variables with its headers and its CA. */
export function asRouteNames<T extends { readonly values: HelmValues }>(given: T): T {
    const exporter = otlpExporterOf(given.values);
    if (exporter === undefined) {
        return given;
    }
    const path = [...umbrellaConfig, "exporters", exporter];
    const { headers, ca } = otlpSecretsOf(
        (...below) => valueAt(given.values, [...path, ...below]),
        valueAt(given.values, [...umbrellaConfig.slice(0, -1), "env"]),
    );
    const names = new Map([
        ...headers.map((each) => [each.variable, headerVariable(each.header)] as const),
        ...(ca ? [[ca.variable, caVariable] as const] : []),
    ]);
    const endpoint = (valueAt(given.values, [...path, "endpoint"]) as string).replace(/\/+$/, "");
    const values = renamed(
        mergeValues(given.values, nest([...path, "endpoint"], endpoint)),
        new Map([[exporter, otlpExporter]]),
        names,
    );
    return { ...given, values: values as HelmValues };
}

/**
 * A value in which exporters and variables have other names.
 *
 * @param key under which it stands.
 */
export function renamed(
    value: HelmValue,
    exporters: ReadonlyMap<string, string>,
    variables: ReadonlyMap<string, string> = new Map(),
    key = "",
): HelmValue {
    const exporterName = (name: string) => (key === "exporters" ? exporters.get(name) : undefined) ?? name;
    if (isMap(value)) {
        const entries = Object.entries(value).map(
            ([name, each]) => [exporterName(name), renamed(each, exporters, variables, name)] as const,
        );
        return Object.fromEntries(entries);
    }
    if (Array.isArray(value)) {
        return value.map((item) =>
            key === "env" && isMap(item) && typeof item.name === "string"
                ? { ...item, name: variables.get(item.name) ?? item.name }
                : renamed(typeof item === "string" ? exporterName(item) : item, exporters, variables),
        );
    }
    return typeof value === "string"
        ? value.replace(/(?<=\$\{env:)\w+(?=\})/g, (name) => variables.get(name) ?? name)
        : value;
}

interface FromSecret {
    readonly variable: string;
    readonly secret: HelmValue;
    readonly key: HelmValue;
}

/** What an OTLP exporter has from Secrets as the settings of its route can say it: headers by the name of their key. */
function otlpSecretsOf(
    exporter: At,
    env: HelmValue | undefined,
): { headers: (FromSecret & { header: string })[]; ca?: FromSecret } {
    const fromSecret = (value: HelmValue | undefined): FromSecret | undefined => {
        const [, name = ""] = /^\$\{env:(\w+)\}$/.exec(typeof value === "string" ? value : "") ?? [];
        const reference = valueAt(variableNamed(env, name), ["valueFrom", "secretKeyRef"]);
        return isMap(reference)
            ? { variable: name, secret: reference.name ?? "", key: reference.key ?? "" }
            : undefined;
    };
    const all = Object.entries((exporter("headers") ?? {}) as HelmValues);
    const headers = all.flatMap(([header, value]) => {
        const found = fromSecret(value);
        return found?.key === header ? [{ ...found, header }] : [];
    });
    const isOneSecret = headers.length === all.length && new Set(headers.map(({ secret }) => secret)).size === 1;
    const ca = fromSecret(exporter("tls", "ca_pem"));
    return { headers: isOneSecret ? headers : [], ...(ca?.key === "ca.crt" ? { ca } : {}) };
}

/** Settings of route otlp, from values that {@link asRouteNames} went through. */
export function findOtlp({ settings }: Recognition, { at, config }: Sources): void {
    const exporter: At = (...path) => config("exporters", otlpExporter, ...path);
    const { headers, ca } = otlpSecretsOf(exporter, at(kubeStack, "defaultCRConfig", "env"));
    const [first] = headers;
    const insecureSkipVerify = exporter("tls", "insecure_skip_verify") === true || undefined;
    const tls = definedOnly({ caSecret: ca?.secret, insecureSkipVerify });
    settings.otlp = definedOnly<unknown>({
        endpoint: exporter("endpoint"),
        headersSecret: first?.secret,
        headers: first && headers.map(({ header }) => header),
        tls: Object.keys(tls).length > 0 ? tls : undefined,
    });
}

/** The longest that CloudWatch keeps events, other than for ever. */
const longest = 3653;

/** How an exporter of metrics or traces reaches AWS, as `kof:cloudwatch.signals` say it. */
export function wayToAws(exporter: string): "emf" | "xray" | "otlp" | undefined {
    const isOtlp = Object.values<string>(cloudwatchOtlpExporters).includes(exporter);
    return isOtlp ? "otlp" : ({ awsemf: "emf", awsxray: "xray" } as const)[typeOf(exporter)];
}

/** Settings of CloudWatch where nothing writes logs to it. */
function withoutLogs(config: At, notes: string[]): HelmValues {
    const at = (key: string) => config("exporters", "awsemf", key);
    const region = at("region") ?? config("exporters", "awsxray", "region");
    const [, logGroup] = /^(.+)-metrics$/.exec(textOf(at("log_group_name") ?? "")) ?? [];
    if (at("log_group_name") !== undefined && logGroup === undefined) {
        notes.push(
            `The exporter awsemf writes to log group ${textOf(at("log_group_name"))}, which kof:values names. The program makes one of its ` +
                "own for metrics as well: to use that, remove the name from kof:values.",
        );
    }
    return definedOnly({ region, logGroup, endpoint: at("endpoint") });
}

/** Settings of route cloudwatch. */
export function findCloudWatch(found: Recognition, { at, config, options }: Sources): void {
    const { settings, missing, notes } = found;
    const credentials = () => recogniseCredentials(found, at, options.credentials, options.cluster?.issuer);
    const ofLogs = config("exporters", "awscloudwatchlogs");
    if (ofLogs === undefined) {
        settings.cloudwatch = { ...withoutLogs(config, notes), credentials: credentials() };
        return;
    }
    const exporter = ofLogs as Record<string, string | number | undefined>;
    const retention = Number(exporter.log_retention ?? 0);
    const known = settingsSchema.cloudwatch.safeParse({ region: "us-east-2", retentionDays: retention }).success;
    for (const key of ["region", "log_group_name", "log_stream_name"]) {
        if (exporter[key] === undefined) {
            missing.push(`The exporter awscloudwatchlogs has no ${key}. Add it to the values.`);
        }
    }
    const stored = Object.fromEntries(
        (["metrics", "traces"] as const).flatMap((signal) => {
            const exporters = config("service", "pipelines", signal, "exporters");
            const [way] = (Array.isArray(exporters) ? exporters : []).flatMap((each) => wayToAws(textOf(each)) ?? []);
            return way === undefined ? [] : [[signal, way]];
        }),
    );
    settings.cloudwatch = definedOnly<unknown>({
        region: exporter.region,
        logGroup: exporter.log_group_name,
        logStream: streamName(at, config),
        retentionDays: known ? retention : longest,
        ...auditGroup(at, config),
        signals: Object.keys(stored).length > 0 ? stored : undefined,
        credentials: withRole(exporter, credentials()),
        endpoint: exporter.endpoint,
    });
    if (!known) {
        notes.push(
            exporter.role_arn === undefined
                ? `CloudWatch keeps what is in log group ${String(exporter.log_group_name)} for ever. kof:cloudwatch.retentionDays is ` +
                      `${String(longest)}, the longest there is: with less, AWS deletes older logs.`
                : `How long log group ${String(exporter.log_group_name)} keeps logs is up to the account of the role. ` +
                      `kof:cloudwatch.retentionDays is ${String(longest)}, the longest there is: set what that account says.`,
        );
    }
    notes.push(
        exporter.role_arn === undefined
            ? `The log group ${String(exporter.log_group_name)} exists if logs were ever written. pulumi preview compares it, and says ` +
                  "what to write into kof:acknowledge to have it taken over (docs/destinations.md)."
            : `The collectors assume ${String(exporter.role_arn)}: the stack makes no log group. Compare summary.md, which has what that ` +
                  "account needs, with what it has: the role has to trust what kof:cloudwatch.credentials.identity makes.",
    );
}

/** Credentials, with the role that an exporter assumes by them, if any. Values say which role, so nobody has to give it. */
function withRole(exporter: Readonly<Record<string, unknown>>, found: unknown): unknown {
    const { role_arn: roleArn, external_id: externalId } = exporter;
    const { kind, identity = { kind: "accessKey" } } = (found ?? {}) as Readonly<Record<string, unknown>>;
    const own = kind === "assumeRole" ? identity : found;
    return roleArn === undefined ? own : definedOnly({ kind: "assumeRole", roleArn, externalId, identity: own });
}

/** The group of the audit logs. Left out, they would get one of their own. */
function auditGroup(at: At, config: At): HelmValues {
    const pipelines = at(kubeStack, "collectors", "daemon", "config", "service", "pipelines");
    const exporters = valueAt(pipelines, ["logs/audit", "exporters"]);
    const among = Array.isArray(exporters) && exporters.includes("awscloudwatchlogs");
    const group = config("exporters", among ? "awscloudwatchlogs" : "awscloudwatchlogs/audit", "log_group_name");
    return group === undefined ? {} : { auditLogGroup: group, ...(among ? {} : { auditRetentionDays: longest }) };
}

/** The name of the log stream as a setting; `undefined` where only values can say it. */
function streamName(at: At, config: At): string | undefined {
    const exporter = ["exporters", "awscloudwatchlogs", "log_stream_name"];
    const [shared, own] = [config(...exporter), at(kubeStack, "collectors", "daemon", "config", ...exporter)];
    if (typeof shared !== "string") {
        return undefined;
    }
    const name = (typeof own === "string" ? own.replace("kof-collectors-daemon", "{Collector}") : shared).replace(
        streamPlaceholders["{NodeName}"](),
        "{NodeName}",
    );
    const { success } = settingsSchema.cloudwatch.safeParse({ region: "us-east-2", logStream: name });
    return success && streamOf(name, "collector") === shared ? name : undefined;
}

/** How the collectors authenticate at AWS: as the values tell, else as the person says. */
function recogniseCredentials({ missing, notes }: Recognition, at: At, given: unknown, issuer?: string): unknown {
    const shared: At = (...path) => at(kubeStack, "defaultCRConfig", ...path);
    const secret = valueAt(sharedVariable(at, "AWS_ACCESS_KEY_ID"), ["valueFrom", "secretKeyRef", "name"]);
    const generation = accessKeyIn(shared("podAnnotations", startAnnotation));
    if (generation !== undefined) {
        return { kind: "accessKey", generations: [generation] };
    }
    if (secret !== undefined) {
        return { kind: "existingSecret", name: secret };
    }
    const [role] = [...leaves(at(kubeStack) ?? {})].flatMap(([path, value]) =>
        path.at(-1) === "eks.amazonaws.com/role-arn" && typeof value === "string" ? [value] : [],
    );
    const [, partition = "aws", account = "ACCOUNT"] = /^arn:([\w-]+):iam::(\d+):/.exec(role ?? "") ?? [];
    const provider = (name: string) => `arn:${partition}:iam::${account}:oidc-provider/${name}`;
    const recognised =
        role === undefined || issuer === undefined
            ? undefined
            : { kind: "irsa", oidcProviderArn: provider(issuer.replace(/^https:\/\//, "")) };
    const credentials = given ?? recognised;
    if (credentials !== undefined) {
        if (role !== undefined && !role.includes(":role/kof/")) {
            notes.push(
                `The collectors keep the role ${role}, which kof:values names. The program also makes one of its own: to ` +
                    "use that, remove the annotations from kof:values.",
            );
        }
        return credentials;
    }
    missing.push(
        role === undefined
            ? "The values do not say with which credentials the collectors write to CloudWatch. Say it with one of\n" +
                  "      --credentials '{kind: podIdentity, clusterName: NAME}'      on EKS: NAME is listed by aws eks list-clusters\n" +
                  "      --credentials '{kind: existingSecret, name: NAME}'          a Secret in namespace kof, as KOF's page has it\n" +
                  "      --credentials '{kind: accessKey}'                           the program makes an IAM user and a key"
            : `The collectors take the role ${role} with the token of their service account. Say of which IAM OIDC provider:\n` +
                  `      --credentials '{kind: irsa, oidcProviderArn: "${provider("ISSUER")}"}'\n` +
                  "    where ISSUER is the issuer, without https://, in\n" +
                  "      kubectl get --raw /.well-known/openid-configuration",
    );
    return undefined;
}

/** What exporters keep while their destination is away, where the values limit it in bytes as the routes do. */
export function findBuffer({ settings }: Recognition, config: At): void {
    const isQueued =
        settings.route === "regional" && config("service", "pipelines", metricsQueue.pipeline) !== undefined;
    const exporters = Object.values((config("exporters") ?? {}) as HelmValues).filter(
        (exporter) => valueAt(exporter, ["sending_queue", "sizer"]) === "bytes",
    );
    const [buffer] = exporters.flatMap((exporter) => {
        const found = definedOnly<unknown>({
            duration: valueAt(exporter, ["retry_on_failure", "max_elapsed_time"]),
            size: quantityOf(Number(valueAt(exporter, ["sending_queue", "queue_size"]))),
            metrics: isQueued ? "disk" : undefined,
        });
        return settingsSchema.buffer.safeParse(found).success ? [found] : [];
    });
    if (buffer) {
        settings.buffer = buffer;
    }
}
