import { telemetryKind, type Catalog, type Signal } from "../charts";
import { compact, definedOnly } from "../lib/compact";
import { mergeValues, nest, nestSome, type HelmValue, type HelmValues } from "../lib/values";
import { behindQueue, bufferedExporter, loopbackQueue, type Buffer } from "../collectors/buffers";
import { clusterLabels } from "../collectors/fragments";
import { identityProcessor } from "../collectors/identity";
import { sizeInGiB, gib } from "../lib/quantities";
import { destinationVariable, secretKeys, secretKeysOf } from "../settings/headers";
import type { PresetBatch } from "../settings/destinationPresets";
import { addressFor, type ResolvedDestination } from "../settings/resolvedDestinations";
import type { Settings } from "../settings/settings";
import { bufferOf, secretEnv } from "./collectors";
import { processingOf } from "./processing";
import type { Target } from "./parts";

/** The extension types that authenticate, by kind. The others are options of the exporter. */
export const authenticatorTypes = {
    basic: "basicauth",
    bearer: "bearertokenauth",
    oauth2: "oauth2client",
    sigv4: "sigv4auth",
    google: "googleclientauth",
    azure: "azureauth",
} as const;

/** The exporter types, by protocol. Later versions have other names as well; these hold for every one (contrib 0.143 and 0.155). */
const exporterTypes = { http: "otlphttp", grpc: "otlp", remotewrite: "prometheusremotewrite" } as const;

/** The exporter of `kof:otlp`. Other destinations have their name in that of their exporter. */
export const otlpExporter = "otlphttp/destination";
/** The variable with the CA of `kof:otlp`. */
export const caVariable = "OTLP_CA";

/** The exporter of a destination. That of `kof:otlp` is the one of route otlp, so that what is queued survives a move from there. */
export function exporterOf({ name, protocol }: Pick<ResolvedDestination, "name" | "protocol">): string {
    return name === "otlp" ? otlpExporter : `${exporterTypes[protocol]}/${name}`;
}

/** The ports on the loopback that one {@link loopbackQueue} has for itself: more than there are collectors. */
const portsOfEach = 10;

/**
 * A destination of `kof:destinations`, or `kof:otlp`, as collectors write to it.
 *
 * @param to the signals that it gets.
 * @param place its place among all destinations, which its ports on the loopback depend on.
 */
export function exporterTarget(
    destination: ResolvedDestination,
    settings: Settings,
    catalog: Catalog,
    to: readonly Signal[],
    place: number,
): Target {
    const { name, protocol } = destination;
    const sent = to.filter((signal) => !("refused" in addressFor(destination, signal)));
    const processing = processingOf(name, destination.processing);
    const isRemoteWrite = protocol === "remotewrite";
    const buffer = ownBuffer(destination, settings);
    const exporter = exporterOf(destination);
    const isDelta = destination.temporality === "delta" && !isRemoteWrite;
    const toDelta = `cumulativetodelta/${name}`;
    const queue = isRemoteWrite ? loopbackQueue(catalog, name, portsOfEach * (place + 1), buffer) : undefined;
    const auth = authenticationAt(destination);
    const ofSignal = (signal: Signal) =>
        mergeValues(options(destination, settings, buffer, auth, signal), addressOf(destination, signal));
    // One exporter has one address over gRPC, and one size of requests: where signals differ in these, each needs its own.
    const differ = new Set(sent.map((signal) => JSON.stringify(shared(ofSignal(signal))))).size > 1;
    const ids = Object.fromEntries(
        sent.map((signal) => [signal, differ ? `${exporter}-${telemetryKind(signal)}` : exporter] as const),
    );
    const exporters = mergeValues(
        ...sent.map((signal) => ({ [ids[signal] ?? exporter]: ofSignal(signal) })),
        queue?.exporters ?? {},
    );
    return {
        name,
        title: destination.title,
        writers: Object.values(ids),
        exporters: queue ? { metrics: queue.exporter } : ids,
        definitions: {
            exporters,
            ...definedOnly({ extensions: auth.extensions }),
            processors: { ...processing.definitions, ...(isDelta ? { [toDelta]: {} } : {}) },
            ...(queue
                ? nest(["service", "pipelines", queue.pipeline], { receivers: [queue.receiver], exporters: [exporter] })
                : {}),
        },
        ...(queue ? { ofCollector: queue.ofCollector } : {}),
        extensions: Object.keys(auth.extensions ?? {}),
        env: auth.env,
        processors: (signal) =>
            compact(
                ...processing.processors(signal),
                // Remote write names the cluster by labels, as KOF's own exporter does.
                ((signal === "metrics" && !isRemoteWrite) || signal === "traces") && identityProcessor,
                signal === "metrics" && isDelta && toDelta,
            ),
        queued: sent,
        restartTriggers: auth.triggers,
        notices: [...destinationNotices(destination), ...processing.notices],
    };
}

/** An exporter's options without those that it has for each signal. */
function shared(options: HelmValues): HelmValues {
    return Object.fromEntries(Object.entries(options).filter(([key]) => !/^(metrics|logs|traces)_endpoint$/.test(key)));
}

function ownBuffer({ buffer }: ResolvedDestination, settings: Settings): Buffer {
    const shared = bufferOf(settings);
    return {
        duration: buffer?.duration ?? shared.duration,
        bytes: buffer?.size === undefined ? shared.bytes : Math.round(sizeInGiB(buffer.size) * gib),
    };
}

function addressOf(destination: ResolvedDestination, signal: Signal): HelmValues {
    const { protocol, endpoint } = destination;
    const found = addressFor(destination, signal);
    const own = "endpoint" in found ? found.endpoint : undefined;
    switch (protocol) {
        case "http":
            return definedOnly({ endpoint, [`${telemetryKind(signal)}_endpoint`]: own });
        case "grpc":
            return grpcAddress(own ?? endpoint ?? unknownAddress);
        case "remotewrite":
            return { endpoint: own ?? endpoint ?? unknownAddress };
    }
}

/** Stands for an address that is missing, of settings that are refused for it. */
const unknownAddress = "https://unknown.invalid";

/** The exporter takes a host and a port, and encrypts whatever the scheme says (config/configgrpc 0.143). */
function grpcAddress(address: string): HelmValues {
    const { protocol, hostname, port } = new URL(address);
    const isPlain = protocol === "http:";
    return {
        endpoint: `${hostname}:${port === "" ? (isPlain ? "80" : "443") : port}`,
        ...(isPlain ? { tls: { insecure: true } } : {}),
    };
}

function options(
    { name, protocol, auth, headers = {}, tls, compression, proxy, batch: batchOf }: ResolvedDestination,
    settings: Settings,
    buffer: Buffer,
    { exporter }: Authentication,
    signal: Signal,
): HelmValues {
    const batch = batchOf(signal);
    const given = Object.entries(headers).map(([key, value]) => [
        headerOver(protocol, key),
        value.replaceAll("$", "$$$$"),
    ]);
    return mergeValues(
        nestSome(["headers"], Object.fromEntries(given) as HelmValues),
        exporter,
        tlsOptions({ name, auth, tls }),
        definedOnly({ compression: protocol === "remotewrite" ? undefined : compression, proxy_url: proxy }),
        protocol === "remotewrite"
            ? { external_labels: clusterLabels(settings.clusterName, settings.clusterNamespace), ...behindQueue }
            : mergeValues(bufferedExporter(buffer), batch ? { sending_queue: { batch: batchOptions(batch) } } : {}),
    );
}

/** The options of an exporter for TLS. By value, so that no collector needs one more volume. */
export function tlsOptions({ name, auth, tls }: Pick<ResolvedDestination, "name" | "auth" | "tls">): HelmValues {
    const isProof = auth.kind === "clientCertificate";
    const security = definedOnly({
        ca_pem: tls?.caSecret === undefined ? undefined : `\${env:${caOf(name)}}`,
        insecure_skip_verify: tls?.insecureSkipVerify ? true : undefined,
        server_name_override: tls?.serverName,
        cert_pem: isProof ? reference(name, "tls.crt") : undefined,
        key_pem: isProof ? reference(name, "tls.key") : undefined,
    });
    return nestSome(["tls"], security);
}

/** The least of a request, so that not every record makes one: as many as KOF's own batches have, and a tenth of a large limit. */
export function batchOptions(batch: PresetBatch): HelmValues {
    const [sizer, most] = "items" in batch ? (["items", batch.items] as const) : (["bytes", batch.bytes] as const);
    const least = sizer === "items" ? Math.min(most, 1000) : Math.round(most / 10);
    return { sizer, min_size: least, max_size: most, flush_timeout: "1s" };
}

/** What it takes to authenticate: options of the exporter, extensions, and variables with what Secrets hold. */
interface Authentication {
    readonly exporter: HelmValues;
    readonly extensions?: HelmValues;
    readonly env: readonly HelmValue[];
    readonly triggers: readonly string[];
}

function caOf(name: string): string {
    return name === "otlp" ? caVariable : destinationVariable(name, "ca.crt");
}

function reference(name: string, key: string): string {
    return `\${env:${destinationVariable(name, key)}}`;
}

/**
 * A reference that is text, whatever the variable holds. A collector reads a variable as YAML, and does not start if the value of a
 * header is a number or a map (contrib 0.143, 2026-11-27). A value of two parts is always text.
 */
function asText(reference: string): string {
    return `${reference}\${env:KOF_NOTHING:-}`;
}

/** How collectors authenticate at a destination, and what they know its certificate by. */
export function authenticationAt(destination: ResolvedDestination): Authentication {
    const { name, auth, tls } = destination;
    const secret = "secret" in auth ? auth.secret : undefined;
    const ca = tls?.caSecret;
    const held = auth.kind === "headers" ? `${auth.headers.join(" and ")} of ` : "";
    const env = (key: string, variable: string) => secret !== undefined && secretEnv(variable, secret, key);
    return {
        ...provedBy(destination),
        env: compact(
            ...secretKeysOf(auth).map((key) => env(key, destinationVariable(name, key))),
            // The extension asks AWS's own chain of credentials, which knows these names.
            ...(auth.kind === "sigv4" ? (secretKeys.sigv4 ?? []) : []).map((key) => env(key, key)),
            ca !== undefined && secretEnv(caOf(name), ca, "ca.crt"),
        ),
        triggers: compact(secret !== undefined && `${held}Secret ${secret}`, ca !== undefined && `CA of Secret ${ca}`),
    };
}

/** The options of the exporter that authenticate, and the extension that they name. A certificate is among those for TLS. */
function provedBy({ name, protocol, auth }: ResolvedDestination): Pick<Authentication, "exporter" | "extensions"> {
    const extension = (kind: keyof typeof authenticatorTypes, settings: HelmValues) => {
        const id = `${authenticatorTypes[kind]}/${name}`;
        return { exporter: { auth: { authenticator: id } }, extensions: { [id]: settings } };
    };
    const ref = (key: string) => reference(name, key);
    switch (auth.kind) {
        case "none":
        case "clientCertificate":
            return { exporter: {} };
        case "headers": {
            const headers = auth.headers.map((header) => [headerOver(protocol, header), asText(ref(header))]);
            return { exporter: { headers: Object.fromEntries(headers) as HelmValues } };
        }
        case "basic":
            return extension("basic", { client_auth: { username: ref("username"), password: ref("password") } });
        case "bearer":
            return extension("bearer", { token: ref("token") });
        case "oauth2": {
            const client = { client_id: ref("client_id"), client_secret: ref("client_secret") };
            return extension(
                "oauth2",
                definedOnly({ ...client, token_url: auth.tokenUrl, scopes: auth.scopes && [...auth.scopes] }),
            );
        }
        case "sigv4": {
            const { region, service, roleArn } = auth;
            const role = roleArn === undefined ? undefined : { arn: roleArn, sts_region: region };
            return extension("sigv4", definedOnly({ region, service, assume_role: role }));
        }
        case "google":
            return extension("google", {});
        case "azure":
            return extension("azure", azureOptions(auth.scopes));
    }
}

/** Names of headers are lower case over gRPC. */
function headerOver(protocol: ResolvedDestination["protocol"], header: string): string {
    return protocol === "grpc" ? header.toLowerCase() : header;
}

/** Has the extension for Azure take whatever identity there is. */
export function azureOptions(scopes: readonly string[]): HelmValues {
    return { use_default: true, scopes: [...scopes] };
}

const notStarted = "the collectors do not start, and nothing arrives anywhere";

/**
 * Where an identity comes from, by the kind of authentication that takes it, and what happens without (contrib 0.143, Google's extension
 * 0.55 and Azure's 0.144, test/core/routes/destinations.cluster.ts). Those for AWS and Google look for one at the start, Azure's asks with
 * each request.
 */
const identities: Readonly<Record<string, { readonly of: string; readonly without: string }>> = {
    sigv4: { of: "AWS (Pod Identity, IRSA, or that of nodes)", without: notStarted },
    google: { of: "Google Cloud's Workload Identity, or of nodes in Google Cloud", without: notStarted },
    azure: {
        of: "Microsoft Entra Workload ID, or of nodes in Azure",
        without: "what goes there waits in its queue",
    },
};

/** What a reader of the preview should know of a destination. */
export function destinationNotices({
    path,
    endpoint = "",
    tls,
    protocol,
    name,
    auth,
    preset,
}: ResolvedDestination): string[] {
    const key = `kof:${path.join(".")}`;
    const port = URL.canParse(endpoint) ? new URL(endpoint).port : "";
    const identity = "secret" in auth && auth.secret !== undefined ? undefined : identities[auth.kind];
    const needsAuth = preset !== undefined && preset.auth.kind !== "none" && auth.kind === "none";
    return compact(
        identity !== undefined &&
            `Destination ${name} authenticates by ${auth.kind}: the pods of the collectors need an identity of ${identity.of}. ` +
                `Without one ${identity.without} (docs/signals.md).`,
        needsAuth && `${key}.auth is none: ${preset.title} takes nothing unless something on the way authenticates.`,
        endpoint.startsWith("http://") && `${key}.endpoint is ${endpoint}: telemetry and headers are sent unencrypted.`,
        protocol === "http" &&
            port === "4317" &&
            `${key}.endpoint is ${endpoint}: 4317 is the port of OTLP over gRPC, and this is sent over HTTP, for which ` +
                "most receivers have 4318.",
        protocol === "grpc" &&
            port === "4318" &&
            `${key}.endpoint is ${endpoint}: 4318 is the port of OTLP over HTTP, and ${name} is sent to over gRPC.`,
        tls?.insecureSkipVerify === true &&
            `${key}.tls.insecureSkipVerify: anyone between the collectors and the endpoint can read the telemetry and the headers.`,
    );
}
