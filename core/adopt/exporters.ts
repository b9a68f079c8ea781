import { telemetryKind, type Signal } from "../charts";
import type { Collector } from "../collectors/effective";
import { typeOf } from "../collectors/flows";
import { queueExporterOf } from "../collectors/buffers";
import { compact, definedOnly } from "../lib/compact";
import { quantityOf } from "../lib/quantities";
import { isMap, textOf, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import { authenticatorTypes, azureOptions, batchOptions } from "../routes/exporters";
import {
    destinationPresets,
    type DestinationPreset,
    type DestinationPresetName,
    type PresetBatch,
    type PresetSignal,
} from "../settings/destinationPresets";
import { destination, type DestinationAuth, type DestinationSettings } from "../settings/destinations";
import {
    addressFor,
    azureScopes,
    resolvedDestination,
    type ResolvedDestination,
} from "../settings/resolvedDestinations";
import { brief } from "../settings/problems";
import { canonical } from "./compare";
import { pipelineKindOf, exporterProtocols, type Exit } from "./exits";
import { existingSecret, secretPartsOf, plainText, variablesIn, type NewSecret, type SecretPart } from "./secretParts";

/** An exporter as settings of a destination. */
export interface ReadExporter {
    /** As under `kof:destinations.NAME`, without a preset. */
    readonly settings: Record<string, unknown>;
    /** The most that one request has, by kind of telemetry where that differs: only a preset says bytes, and one each. */
    readonly batches: Batches;
    /** Options that no setting says. They stay in the values, below the name that the exporter gets. */
    readonly rest: HelmValues;
    /** Extensions, and environment variables, that the settings bring themselves. */
    readonly extensions: readonly string[];
    readonly variables: readonly string[];
    readonly secrets: readonly NewSecret[];
    /** What is not kept, because the settings have it otherwise. */
    readonly changes: readonly string[];
}

/** The largest request by kind of telemetry. */
export type Batches = Readonly<Partial<Record<PresetSignal, PresetBatch>>>;

/** Where to look for what an exporter refers to. */
interface ExporterContext {
    readonly plainOf: (variable: string) => number | undefined;
    /** The number of the secret that stood in an address of the exporter, as in `https://user:password@host`. */
    readonly signIn: number | undefined;
    /** Whether the collectors have credentials of AWS for another destination, which are those of all. */
    readonly hasAwsCredentials: boolean;
}

/**
 * Reads an exporter.
 *
 * @param name what its destination is called.
 * @param exits all that it has.
 * @returns why it is no destination, where it is none.
 */
export function readExporter(
    id: string,
    name: string,
    exits: readonly [Exit, ...Exit[]],
    { plainOf, signIn, hasAwsCredentials }: ExporterContext,
): ReadExporter | { readonly refused: string } {
    const [{ collector }] = exits;
    const kinds = [...new Set(exits.map(({ origin }) => pipelineKindOf(origin)))];
    const options = valueAt(collector.config, ["exporters", id]);
    const protocol = exporterProtocols[typeOf(id)];
    if (!isMap(options) || protocol === undefined) {
        return { refused: `exporter ${id} is of no kind that kof:destinations have` };
    }
    const resolve = (text: HelmValue | undefined) =>
        text === undefined ? undefined : secretPartsOf(textOf(text), collector.env, plainOf);
    const literal = (text: HelmValue | undefined) => {
        const parts = resolve(text);
        return parts && plainText(parts);
    };
    const settings: Record<string, unknown> = protocol === "http" ? {} : { protocol };
    const rest: HelmValues = { ...options };
    const secrets: NewSecret[] = [];
    const variables: string[] = [];
    const extensions: string[] = [];
    const secretFor = (suffix: string, keys: NewSecret["keys"], ...texts: (HelmValue | undefined)[]) => {
        variables.push(...texts.flatMap((text) => variablesIn(textOf(text ?? ""))));
        const existing = existingSecret(keys);
        if (existing !== undefined) {
            return existing;
        }
        secrets.push({ name: `${name}-${suffix}`, keys });
        return `${name}-${suffix}`;
    };
    const take = (...keys: string[]) => {
        for (const key of keys) {
            Reflect.deleteProperty(rest, key);
        }
    };

    const address = readAddress(protocol, options, kinds, literal);
    if ("refused" in address) {
        return { refused: `exporter ${id} ${address.refused}` };
    }
    Object.assign(settings, address.settings);
    take("endpoint", "metrics_endpoint", "logs_endpoint", "traces_endpoint");

    const authenticator = textOf(valueAt(options, ["auth", "authenticator"]) ?? "");
    const auth = readAuthenticator(authenticator);
    if (auth) {
        settings.auth = auth;
        extensions.push(authenticator);
        take("auth");
    } else if (signIn !== undefined && options.auth === undefined) {
        const login = [{ plain: signIn }];
        settings.auth = { kind: "basic", secret: secretFor("login", { username: login, password: login }) };
    }
    readHeaders();
    readTls();
    for (const [key, setting] of Object.entries({ compression: "compression", proxy_url: "proxy" })) {
        const plain = literal(options[key])?.replace(/\/+$/, "");
        if (plain !== undefined && destination.safeParse({ [setting]: plain }).success) {
            settings[setting] = plain;
            take(key);
        }
    }
    const { changes, batch } = readQueue();
    const batches: Batches = Object.fromEntries(batch === undefined ? [] : kinds.map((kind) => [kind, batch]));
    const { success, error } = destination.safeParse(settings);
    if (!success) {
        const places = error.issues.map(({ path }) => path.join("."));
        return { refused: `exporter ${id} has what no destination can: ${places.join(", ")}` };
    }
    return { settings, batches, rest, extensions, variables, secrets, changes };

    function readAuthenticator(extension: string): Record<string, unknown> | undefined {
        const found = valueAt(collector.config, ["extensions", extension]);
        const own = isMap(found) ? found : {};
        const [kind] =
            Object.entries(authenticatorTypes).find(([, extensionType]) => extensionType === typeOf(extension)) ?? [];
        const hasOnly = (...keys: string[]) => Object.keys(own).every((key) => keys.includes(key));
        const at = (...path: string[]) => valueAt(own, path);
        const withSecret = (
            isPlain: boolean,
            suffix: string,
            texts: Readonly<Record<string, HelmValue | undefined>>,
            more: Readonly<Record<string, unknown>> = {},
        ) => {
            const entries = Object.entries(texts).map(([key, text]) => [key, resolve(text)] as const);
            const keys = definedOnly(Object.fromEntries(entries));
            return isPlain && Object.keys(keys).length === entries.length
                ? definedOnly({ kind, secret: secretFor(suffix, keys, ...Object.values(texts)), ...more })
                : undefined;
        };
        switch (kind) {
            case "basic": {
                const login = { username: at("client_auth", "username"), password: at("client_auth", "password") };
                return withSecret(hasOnly("client_auth"), "login", login);
            }
            case "bearer": {
                const isBearer = hasOnly("token", "scheme") && ["Bearer", undefined].includes(literal(at("scheme")));
                return withSecret(isBearer, "token", { token: at("token") });
            }
            case "oauth2": {
                const tokenUrl = literal(at("token_url"));
                const isPlain = hasOnly("client_id", "client_secret", "token_url", "scopes") && tokenUrl !== undefined;
                const client = { client_id: at("client_id"), client_secret: at("client_secret") };
                return withSecret(isPlain, "oauth2", client, { tokenUrl, scopes: at("scopes") });
            }
            case "sigv4": {
                const region = literal(at("region"));
                const sts = at("assume_role", "sts_region");
                const taken = at("assume_role") ?? {};
                const isPlain =
                    hasOnly("region", "service", "assume_role") &&
                    isMap(taken) &&
                    Object.keys(taken).every((key) => ["arn", "sts_region"].includes(key)) &&
                    (sts === undefined || textOf(sts) === region);
                const given = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map((each) => `\${env:${each}}`);
                const [key, secretKey] = given.map(resolve);
                const secret =
                    isPlain && key && secretKey && !hasAwsCredentials
                        ? secretFor("aws", { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secretKey }, ...given)
                        : undefined;
                return isPlain && region !== undefined
                    ? definedOnly({ kind, region, service: at("service"), secret, roleArn: at("assume_role", "arn") })
                    : undefined;
            }
            case "google":
                return hasOnly() ? { kind } : undefined;
            case "azure":
                return canonical(own) === canonical(azureOptions(azureScopes)) ? { kind } : undefined;
            default:
                return undefined;
        }
    }

    function readHeaders(): void {
        const left = { ...(isMap(options) && isMap(options.headers) ? options.headers : {}) };
        const known = Object.entries(left).flatMap(([header, text]) => {
            const parts = resolve(text);
            return parts ? [{ header, text, parts, plain: plainText(parts) }] : [];
        });
        const open = known.filter(({ plain }) => plain !== undefined);
        const hidden = settings.auth === undefined ? known.filter(({ plain }) => plain === undefined) : [];
        if (open.length > 0) {
            settings.headers = Object.fromEntries(open.map(({ header, plain }) => [header, plain]));
        }
        const [only, ...others] = hidden;
        const [start, token, ...more] = only?.parts ?? [];
        const isBearer =
            others.length === 0 &&
            only?.header.toLowerCase() === "authorization" &&
            start !== undefined &&
            "text" in start &&
            start.text === "Bearer ";
        if (only && isBearer && token && more.length === 0 && !("text" in token)) {
            settings.auth = { kind: "bearer", secret: secretFor("token", { token: [token] }, only.text) };
        } else if (only) {
            // Names of headers have no case: as the Secret spells it.
            const named = hidden.map(({ header, parts: [part, ...rest], parts }) => {
                const key = part && "secret" in part && rest.length === 0 ? part.key : header;
                return [key.toLowerCase() === header.toLowerCase() ? key : header, parts] as const;
            });
            const keys = Object.fromEntries(named);
            settings.auth = {
                kind: "headers",
                secret: secretFor("headers", keys, ...hidden.map(({ text }) => text)),
                headers: Object.keys(keys),
            };
        }
        for (const { header } of [...open, ...hidden]) {
            Reflect.deleteProperty(left, header);
        }
        keep("headers", left);
    }

    function readTls(): void {
        const given = isMap(options) && isMap(options.tls) ? options.tls : {};
        const pem = (key: string) => {
            const parts = resolve(given[`${key}_pem`]) ?? fileParts(given[`${key}_file`]);
            return parts && { parts, used: textOf(given[`${key}_pem`] ?? "") };
        };
        const [ca, cert, key] = [pem("ca"), pem("cert"), pem("key")];
        const caSecret = ca && secretFor("ca", { "ca.crt": ca.parts }, ca.used);
        const isClient = cert !== undefined && key !== undefined && settings.auth === undefined;
        if (isClient) {
            const keys = { "tls.crt": cert.parts, "tls.key": key.parts };
            const secret = secretFor("client-certificate", keys, cert.used, key.used);
            settings.auth = { kind: "clientCertificate", secret };
        }
        const tls = definedOnly<unknown>({
            caSecret,
            insecureSkipVerify: given.insecure_skip_verify === true || undefined,
            serverName: literal(given.server_name_override),
        });
        if (Object.keys(tls).length > 0) {
            settings.tls = tls;
        }
        // Over HTTP, the scheme of the address says whether there is TLS. Over gRPC, the setting's address has the scheme.
        const taken = compact(
            "insecure",
            "insecure_skip_verify",
            tls.serverName !== undefined && "server_name_override",
            ...(ca ? ["ca_pem", "ca_file"] : []),
            ...(isClient ? ["cert_pem", "cert_file", "key_pem", "key_file"] : []),
        );
        keep("tls", Object.fromEntries(Object.entries(given).filter(([name]) => !taken.includes(name))));
    }

    /** Leaves in the values what no setting can say about an option. */
    function keep(option: string, left: HelmValues): void {
        if (Object.keys(left).length > 0) {
            rest[option] = left;
        } else {
            take(option);
        }
    }

    /** A file that is a key of a Secret, by the collector's volumes. */
    function fileParts(file: HelmValue | undefined): readonly SecretPart[] | undefined {
        const { volumes, volumeMounts } = collector.pods;
        for (const mount of Array.isArray(volumeMounts) ? volumeMounts : []) {
            const folder = textOf(valueAt(mount, ["mountPath"]) ?? "").replace(/\/+$/, "");
            const volume = (Array.isArray(volumes) ? volumes : []).find(
                (each) => valueAt(each, ["name"]) === valueAt(mount, ["name"]),
            );
            const secret = valueAt(volume, ["secret", "secretName"]);
            const path = textOf(file ?? "");
            if (typeof secret === "string" && path.startsWith(`${folder}/`)) {
                const key = path.slice(folder.length + 1);
                const items = valueAt(volume, ["secret", "items"]);
                const item = (Array.isArray(items) ? items : []).find((each) => valueAt(each, ["path"]) === key);
                return [{ secret, key: textOf(valueAt(item, ["key"]) ?? key) }];
            }
        }
        return undefined;
    }

    function readQueue(): { readonly changes: string[]; readonly batch: PresetBatch | undefined } {
        const queue = valueAt(options, ["sending_queue"]);
        const gathered = valueAt(queue, ["batch"]);
        const batch = readBatch(gathered);
        if (batch && "items" in batch) {
            settings.batch = batch.items;
        }
        const isSame = batch !== undefined && canonical(gathered) === canonical(batchOptions(batch));
        const buffer = readBuffer(queueOptions(id, collector));
        if (buffer) {
            settings.buffer = buffer;
        }
        const { cluster: _, clusterNamespace: __, ...labels } = isMap(rest.external_labels) ? rest.external_labels : {};
        take(
            "sending_queue",
            "retry_on_failure",
            ...(protocol === "remotewrite" ? ["remote_write_queue", "timeout"] : []),
        );
        if (isMap(gathered) && (batch === undefined || "bytes" in batch)) {
            rest.sending_queue = { batch: gathered };
        }
        keep("external_labels", labels);
        const isOwn =
            buffer !== undefined || (queue === undefined && valueAt(options, ["retry_on_failure"]) === undefined);
        const changes = compact(
            !isOwn &&
                protocol !== "remotewrite" &&
                `What exporter ${id} keeps while ${name} is away is now what kof:buffer says, on the node's disk.`,
            batch &&
                "items" in batch &&
                !isSame &&
                `Exporter ${id} gathers requests by ${brief(gathered)}. It becomes ${brief(batchOptions(batch))} ` +
                    `(kof:destinations.${name}.batch).`,
        );
        return { changes, batch };
    }
}

/** The largest request of an exporter's own batches. */
function readBatch(gathered: HelmValue | undefined): PresetBatch | undefined {
    const most = valueAt(gathered, ["max_size"]);
    const sizer = textOf(valueAt(gathered, ["sizer"]) ?? "items");
    if (typeof most !== "number" || most <= 0) {
        return undefined;
    }
    return sizer === "bytes" ? { bytes: most } : sizer === "items" ? { items: most } : undefined;
}

/** The options of the exporter that keeps what cannot be delivered: its own, or those of a queue in front of it. */
function queueOptions(id: string, { config }: Collector): HelmValue | undefined {
    const isRemoteWrite = exporterProtocols[typeOf(id)] === "remotewrite";
    return valueAt(config, ["exporters", isRemoteWrite ? queueExporterOf(id) : id]);
}

/** What an exporter keeps, where that is limited in bytes, as settings limit it. */
function readBuffer(options: HelmValue | undefined): { duration: string; size: string } | undefined {
    const bytes = valueAt(options, ["sending_queue", "queue_size"]);
    const size = typeof bytes === "number" ? quantityOf(bytes) : undefined;
    const duration = valueAt(options, ["retry_on_failure", "max_elapsed_time"]);
    return valueAt(options, ["sending_queue", "sizer"]) === "bytes" &&
        size !== undefined &&
        typeof duration === "string" &&
        destination.safeParse({ buffer: { duration, size } }).success
        ? { duration, size }
        : undefined;
}

function readAddress(
    protocol: "http" | "grpc" | "remotewrite",
    options: HelmValues,
    kinds: readonly PresetSignal[],
    literal: (text: HelmValue | undefined) => string | undefined,
): { readonly settings: HelmValues } | { readonly refused: string } {
    const unresolved = ["endpoint", ...kinds.map((kind) => `${kind}_endpoint`)].find(
        (key) => options[key] !== undefined && literal(options[key]) === undefined,
    );
    if (unresolved !== undefined) {
        return { refused: `has an ${unresolved} with a variable that is not in the values` };
    }
    const at = (key: string) => literal(options[key])?.replace(/\/+$/, "");
    const endpoint = at("endpoint");
    if (protocol === "grpc") {
        const [, scheme, host] = /^(?:(https?):\/\/|dns:\/\/\/)?([^/]+)$/.exec(endpoint ?? "") ?? [];
        const isPlain = scheme === "http" || (scheme === undefined && valueAt(options, ["tls", "insecure"]) === true);
        return host === undefined
            ? { refused: `has the address ${endpoint ?? "(none)"}` }
            : { settings: { endpoint: isPlain ? `http://${host}` : `https://${host.replace(/:443$/, "")}` } };
    }
    if (protocol === "remotewrite") {
        return endpoint === undefined ? { refused: "has no address" } : { settings: { endpoint } };
    }
    const own = kinds.flatMap((kind) => {
        const address = at(`${kind}_endpoint`);
        return address === undefined || address === "" ? [] : [[kind, address] as const];
    });
    const isUnder = (base: string) => own.every(([each, address]) => address === `${base}/v1/${each}`);
    const [[kind, first] = []] = own;
    if (endpoint !== undefined && endpoint !== "") {
        const different = own.filter(([each, address]) => address !== `${endpoint}/v1/${each}`);
        return { settings: { endpoint, ...signalsOf(different) } };
    }
    if (kind === undefined || first === undefined) {
        return { refused: "has no address" };
    }
    const base = first.replace(new RegExp(`/v1/${kind}$`), "");
    return own.length === kinds.length && isUnder(base)
        ? { settings: { endpoint: base } }
        : { settings: signalsOf(own) };
}

function signalsOf(own: readonly (readonly [string, string])[]): HelmValues {
    return own.length > 0 ? { signals: Object.fromEntries(own.map(([kind, endpoint]) => [kind, { endpoint }])) } : {};
}

/**
 * Settings by a preset, where that has the address, or the largest request as no other setting says it, and fixes nothing that
 * these settings do not have.
 *
 * @param to the signals that the destination gets.
 * @returns `undefined` where no preset does.
 */
export function withPreset(
    name: string,
    settings: Readonly<Record<string, unknown>>,
    to: readonly Signal[],
    batches: Batches,
): DestinationSettings | undefined {
    const alike = presetAt(settings);
    const byBatch = (Object.keys(destinationPresets) as DestinationPresetName[]).filter(
        (preset) =>
            settings.batch === undefined &&
            to.some((signal) => batches[telemetryKind(signal)] !== undefined) &&
            preset !== alike,
    );
    return [...(alike === undefined ? [] : [alike]), ...byBatch]
        .map((preset) => settingsWith(preset, name, settings, to, batches))
        .find((each) => each !== undefined);
}

function settingsWith(
    preset: DestinationPresetName,
    name: string,
    settings: Readonly<Record<string, unknown>>,
    to: readonly Signal[],
    batches: Batches,
): DestinationSettings | undefined {
    const fixed: DestinationPreset = destinationPresets[preset];
    const { protocol: _, endpoint, auth, ...others } = settings as DestinationSettings;
    // What goes without where the vendor wants something gets that on the way: without a word it would be refused.
    const ownAuth = auth
        ? withoutFixed(auth, fixed)
        : fixed.auth.kind === "none"
          ? undefined
          : { kind: "none" as const };
    const own: DestinationSettings = {
        preset,
        ...(endpoint === undefined || endpoint === fixed.endpoint ? {} : { endpoint }),
        ...(ownAuth ? { auth: ownAuth } : {}),
        ...others,
        ...(fixed.temporality !== undefined && others.temporality === undefined
            ? { temporality: "cumulative" as const }
            : {}),
    };
    const batchAt = (found: ResolvedDestination, signal: Signal) =>
        (found.preset ? found.batch(signal) : batches[telemetryKind(signal)]) ?? null;
    const [was, is] = [settings, own].map((each) => {
        const found = resolvedDestination({ destinations: { [name]: each } }, name);
        if (!found) {
            return undefined;
        }
        const { title: _title, preset: _preset, batch: _batch, temporality, compression, ...rest } = found;
        return canonical({
            ...rest,
            temporality: temporality ?? "cumulative",
            compression: compression ?? "gzip",
            // That a vendor takes no more at once changes nothing that it gets.
            batches: Object.keys(batches).length === 0 ? [] : to.map((signal) => batchAt(found, signal)),
            addresses: to.map((signal) => addressOf(found, signal)),
        } as unknown as HelmValues);
    });
    return was === is ? own : undefined;
}

function addressOf(found: ResolvedDestination, signal: Signal): string {
    const address = addressFor(found, signal);
    return "refused" in address ? address.refused : (address.endpoint ?? "");
}

function withoutFixed(auth: DestinationAuth, fixed: DestinationPreset): DestinationAuth {
    if (auth.kind === "headers") {
        const { headers, ...others } = auth;
        return headers === undefined ||
            headers.join() === (fixed.auth.kind === "headers" ? fixed.auth.headers : ["Authorization"]).join()
            ? others
            : auth;
    }
    if (auth.kind === "sigv4") {
        const { service, ...others } = auth;
        return service === undefined || (fixed.auth.kind === "sigv4" && service === fixed.auth.service) ? others : auth;
    }
    return auth;
}

/** The preset whose address it is: that of all customers, or one like each customer has. */
export function presetAt(settings: Readonly<Record<string, unknown>>): DestinationPresetName | undefined {
    const endpoint = textOf((settings.endpoint ?? "") as HelmValue);
    const protocol = settings.protocol ?? "http";
    const presets = Object.entries(destinationPresets) as [DestinationPresetName, DestinationPreset][];
    const exact = presets.find(
        ([, preset]) =>
            preset.protocol === protocol &&
            [preset.endpoint, ...Object.values(preset.otherEndpoints ?? {})].includes(endpoint),
    );
    const alike = presets.find(
        ([, preset]) => preset.protocol === protocol && isAlike(preset.endpointExample, endpoint),
    );
    return (exact ?? alike)?.[0];
}

function isAlike(example: string | undefined, endpoint: string): boolean {
    const hostOf = (text: string | undefined) => {
        try {
            return new URL(text ?? "").hostname.split(".");
        } catch {
            return [];
        }
    };
    const [first, second] = [hostOf(example), hostOf(endpoint)];
    const domain = (host: readonly string[]) => host.slice(-2).join(".");
    const isOfCloud = domain(first) === "amazonaws.com";
    return (
        domain(first).includes(".") &&
        !domain(first).startsWith("example.") &&
        domain(first) === domain(second) &&
        (!isOfCloud || first[0] === second[0])
    );
}
