import {
    catalogOf,
    chartValues,
    kubeStack,
    nounOf,
    perSignal,
    signals,
    telemetryKind,
    versions,
    type Catalog,
    type Signal,
} from "../charts";
import { oncePer } from "../lib/lazy";
import { nearestOf } from "../lib/spelling";
import { isMap, valueAt } from "../lib/values";
import { builtInDestinations, destinationName, reservedNames, type DestinationSettings } from "./destinations";
import {
    destinationPresets,
    presetCalled,
    type DestinationPreset,
    presetSignals,
    type DestinationPresetName,
    type PresetSignal,
} from "./destinationPresets";
import { problemAt, stackFile, type RawSettings, type Values } from "./explain";
import { destinationVariable, secretKeysOf } from "./headers";
import { brief, type Problem, type Problems } from "./problems";
import { addressFor, resolvedDestination, type ResolvedDestination } from "./resolvedDestinations";
import { namedDestinations, routingOf, tellsAudit } from "./routing";
import { awsIdentityOf } from "./settings";
import { signedOut } from "../lib/secrets";

/*
 * What is wrong with `kof:signals`, `kof:destinations` and `processing` although each setting is right by itself. What collectors
 * refuse has been tried, or read, in those of contrib 0.143.0 and 0.155.0 (2026-11-27).
 */

/** The settings, and what is derived from them. */
interface Context {
    readonly values: Values;
    readonly destinations: Readonly<Record<string, DestinationSettings>>;
    /** The destinations of each signal. */
    readonly wanted: Readonly<Record<Signal, readonly string[]>>;
    /** The same as probably meant: pasting one of the lists corrects everything that is wrong with it. */
    readonly meant: Readonly<Record<Signal, readonly string[]>>;
    /** The destinations that no list names, with the signal to which {@link meant} adds each. */
    readonly added: ReadonlyMap<string, Signal>;
    /** The names in kof:destinations, whether or not their definitions are valid. */
    readonly defined: readonly string[];
    readonly version: NonNullable<Values["version"]>;
}

type Given = Omit<Context, "meant" | "added">;

/** The rules of signals and destinations. */
export function* destinationProblems(values: Values, raw: RawSettings): Problems {
    const { version, route, destinations = {}, signals: asked = {} } = values;
    if (version === undefined || route === undefined) {
        return;
    }
    const { signals: wanted } = routingOf(values);
    const defined = Object.keys(isMap(raw.destinations) ? raw.destinations : destinations);
    const bare: Given = { values, destinations, wanted, defined, version };
    const faults = signals.flatMap((signal) => faultsOf(bare, signal, asked[signal] ?? []));
    const context: Context = { ...bare, ...meantSignals(bare, faults) };
    for (const { signal, name, message, paste, instead } of faults) {
        yield problemAt(["signals", signal], message, {
            allowed: `a list of ${namesFor(bare, signal).join(", ")}`,
            paste: instead.includes(name) && paste ? paste : { ...pasteOf(context, signal), ...paste },
        });
    }
    yield* auditProblems(context);
    yield* cloudwatchSignalProblems(context, raw);
    yield* unnamedProblems(context);
    const otlp = namedDestinations(values).includes("otlp") ? resolvedDestination(values, "otlp") : undefined;
    if (otlp) {
        const given = { endpoint: otlp.endpoint, tls: otlp.tls };
        yield* addressProblems(context, otlp, given);
        yield* transportProblems(otlp, given);
    }
    for (const [name, given] of Object.entries(destinations)) {
        // One that is called otlp by mistake is not the destination that kof:otlp defines.
        const found = resolvedDestination({ destinations }, name);
        if (found) {
            yield* addressProblems(context, found, given);
            yield* transportProblems(found, given);
            yield* authProblems(found, given);
            yield* headerProblems(found, given);
        }
    }
    yield* clashProblems(context);
    yield* awsProblems(context);
}

/** A name that cannot be in a signal's list, and the names to write instead. */
interface Fault {
    readonly signal: Signal;
    readonly name: string;
    readonly message: string;
    readonly instead: readonly string[];
    /** What to write in another setting, so that the list becomes valid. */
    readonly paste?: object | undefined;
}

function knownNames({ defined }: Pick<Context, "defined">): string[] {
    return [...new Set([...builtInDestinations, ...defined])];
}

/** The names that the list of a signal may have. */
function namesFor(context: Given, signal: Signal): string[] {
    const { values } = context;
    return knownNames(context).filter((name) => {
        const found = resolvedDestination(values, name);
        return !(name === "regional" && values.route === "regionless") && (found === undefined || takes(found, signal));
    });
}

function faultsOf(context: Given, signal: Signal, asked: readonly string[]): Fault[] {
    return [...new Set(asked)].flatMap((name): Fault[] => {
        const count = asked.filter((each) => each === name).length;
        const fault = faultOf(context, signal, name);
        const twice = { signal, name, message: `names ${brief(name)} more than once`, instead: [name] };
        return fault ? [fault] : count > 1 ? [twice] : [];
    });
}

function faultOf(context: Given, signal: Signal, name: string): Fault | undefined {
    const { values, defined } = context;
    const fault = (what: string, instead: readonly string[], paste?: object): Fault => {
        return { signal, name, message: `names ${brief(name)}${what}`, instead, paste };
    };
    if (name === "regional" && values.route === "regionless") {
        return fault(
            ", but route regionless has no regional cluster to write to: KOF's charts refuse the two together",
            ["management"],
        );
    }
    if (knownNames(context).includes(name)) {
        const found = resolvedDestination(values, name);
        const address = found && addressFor(found, signal);
        return address && "refused" in address
            ? fault(`, which does not take ${nounOf(signal)}: ${address.refused}`, [])
            : undefined;
    }
    if (name === "none") {
        return fault(", which is a route. The list of a signal that is not stored is empty", []);
    }
    if (name === "regionless") {
        return fault(", which is a route. What its stores on this cluster take goes to management", ["management"]);
    }
    const preset = presetCalled(name) ?? presetCalled(nearestOf(name, Object.keys(destinationPresets)));
    const near = nearestOf(name, knownNames(context));
    if (near !== undefined && !(preset !== undefined && presetCalled(name) === preset && !defined.includes(near))) {
        return fault(`, which is no destination. Did you mean ${near}?`, [near]);
    }
    if (preset !== undefined) {
        const { refused } = destinationPresets[preset].signals[telemetryKind(signal)];
        if (refused !== undefined) {
            const why = `preset ${preset} does not take ${nounOf(signal)}: ${refused}`;
            return fault(`, which is no destination, and ${why}`, []);
        }
        const what =
            preset === name
                ? ", the name of a preset. Define"
                : `, which is no destination. There is a preset ${preset}: define`;
        const example = stackFile(["destinations", preset], exampleOf(preset));
        return fault(`${what} the destination in kof:destinations`, [preset], example);
    }
    const isName = destinationName.test(name) && !reservedNames.includes(name);
    const example = stackFile(["destinations", name], { endpoint: "https://otlp.example.net" });
    return isName
        ? fault(", which is no destination. Define it in kof:destinations", [name], example)
        : fault(", which is no destination", []);
}

/** The least that a destination with a preset needs. */
function exampleOf(name: DestinationPresetName): DestinationSettings {
    const preset = destinationPresets[name];
    const auth = authExample(name, preset);
    return { preset: name, ...addressExample(preset), ...(auth && { auth }) };
}

/** The authentication that a preset requires; `undefined` if it requires none that has to be written. */
function authExample(name: string, { auth: { kind } }: DestinationPreset): DestinationSettings["auth"] {
    switch (kind) {
        case "headers":
        case "basic":
        case "bearer":
            return { kind, secret: destinationSecret(name) };
        case "sigv4":
            return { kind, region: "us-east-2" };
        default:
            return undefined;
    }
}

/** The name that this program proposes for the Secret of a destination. */
export function destinationSecret(name: string): string {
    return `${name}-credentials`;
}

/** An example of the address, if each customer of the vendor has their own. */
function addressExample(preset: DestinationPreset): Pick<DestinationSettings, "endpoint" | "signals"> {
    if (preset.endpoint !== undefined) {
        return {};
    }
    if (preset.endpointExample !== undefined) {
        return { endpoint: preset.endpointExample };
    }
    const own = presetSignals.flatMap((kind) => {
        const example = preset.signals[kind].endpointExample;
        return example !== undefined ? [[kind, { endpoint: example }] as const] : [];
    });
    return own.length > 0 ? { signals: Object.fromEntries(own) } : { endpoint: "https://otlp.example.net" };
}

/** Every list as probably meant: without what cannot be in it, and with the destinations that no list names. */
function meantSignals(context: Given, faults: readonly Fault[]): Pick<Context, "meant" | "added"> {
    const { values, wanted, destinations, version } = context;
    const byDefault = routingOf({ ...values, signals: undefined }).signals;
    const meant = perSignal((signal) => {
        const own = faults.filter((fault) => fault.signal === signal);
        const list = (values.signals?.[signal] ?? wanted[signal]).flatMap(
            (name) => own.find((fault) => fault.name === name)?.instead ?? [name],
        );
        // If nothing is left, what the route says is meant.
        const isEmpty = list.length === 0 && own.some(({ name }) => name !== "none");
        return [...new Set(isEmpty ? byDefault[signal] : list)];
    });
    const added = new Map<string, Signal>();
    const isNamed = (name: string) => signals.some((signal) => meant[signal].includes(name));
    for (const name of Object.keys(destinations).filter((each) => !isNamed(each) && !reservedNames.includes(each))) {
        const found = resolvedDestination(values, name);
        const first = found && (["logs", "metrics", "traces"] as const).find((signal) => takes(found, signal));
        if (first !== undefined) {
            meant[first].push(name);
            added.set(name, first);
        }
    }
    if (!tellsAudit(version) && values.signals?.audit !== undefined) {
        meant.audit = [...meant.logs];
    }
    return { meant, added };
}

function takes(destination: ResolvedDestination, signal: Signal): boolean {
    return !("refused" in addressFor(destination, signal));
}

/** The list of a signal, and that of the audit logs if both must be the same. */
function pasteOf({ meant, wanted, values, version }: Context, signal: Signal): object {
    const isOne = !tellsAudit(version) && values.signals?.audit !== undefined && ["logs", "audit"].includes(signal);
    const lists = isOne && meant.logs.join() !== wanted.audit.join() ? (["logs", "audit"] as const) : [signal];
    return stackFile(["signals"], Object.fromEntries(lists.map((each) => [each, meant[each]])));
}

/** If KOF stores audit logs among the logs, they cannot go elsewhere. */
function* auditProblems({ values, wanted: { logs }, version, meant }: Context): Problems {
    const audit = values.signals?.audit;
    if (tellsAudit(version) || audit === undefined || [...logs].sort().join() === [...new Set(audit)].sort().join()) {
        return;
    }
    yield problemAt(
        ["signals", "audit"],
        `is ${brief(audit)}, but KOF ${version} does not tell audit logs from logs, which go to ${logs.join(" and ") || "no destination"}`,
        {
            allowed: `the same list as that of logs, or one of the versions ${versions.filter(tellsAudit).join(", ")}`,
            value: meant.logs,
        },
    );
}

/** CloudWatch stores metrics and traces only if its own block asks for them as well. */
function* cloudwatchSignalProblems({ values, wanted, meant }: Context, raw: RawSettings): Problems {
    const { cloudwatch, signals: asked } = values;
    if (
        !cloudwatch ||
        asked === undefined ||
        !isMap(raw.cloudwatch) ||
        !namedDestinations(values).includes("cloudwatch")
    ) {
        return;
    }
    // First the way that costs less, and the one that needs nothing else in the account.
    const ways = { metrics: ["otlp", "emf"], traces: ["xray", "otlp"] } as const;
    for (const signal of ["metrics", "traces"] as const) {
        const path = ["cloudwatch", "signals", signal];
        const given = cloudwatch.signals[signal];
        const isNamed = wanted[signal].includes("cloudwatch");
        if (isNamed && given === "none") {
            yield problemAt(
                path,
                `is "none", but kof:signals.${signal} names cloudwatch: nothing would be stored there`,
                { allowed: ways[signal].join(", "), value: ways[signal][0] },
            );
        } else if (!isNamed && given !== "none") {
            yield problemAt(
                path,
                `is ${brief(given)}, which has no effect: kof:signals.${signal} does not name cloudwatch. Remove it, or name it there`,
                { paste: stackFile(["signals", signal], [...meant[signal], "cloudwatch"]) },
            );
        }
    }
}

/** Destinations that receive nothing. A misspelt name in a list is reported at the list. */
function unnamedProblems(context: Context): Problem[] {
    const { added, meant, destinations } = context;
    const isIn = (name: string) => signals.some((signal) => meant[signal].includes(name));
    return Object.keys(destinations)
        .filter((name) => (added.has(name) || !isIn(name)) && !reservedNames.includes(name))
        .map((name, i) => {
            const signal = i < pastedDestinations ? added.get(name) : undefined;
            return problemAt(
                ["destinations", name],
                "has no effect: no signal that it takes names it in kof:signals. Remove it, or name it",
                { paste: signal && pasteOf(context, signal) },
            );
        });
}

/** At most this many destinations paste the list of a signal, as each list names all of them. */
const pastedDestinations = 10;

/** Kinds of telemetry that go to a destination. */
function kindsTo({ wanted }: Context, found: ResolvedDestination): PresetSignal[] {
    return presetSignals.filter(
        (kind) =>
            (wanted[kind].includes(found.name) || (kind === "logs" && wanted.audit.includes(found.name))) &&
            takes(found, kind),
    );
}

/** The addresses that a stack file gives a destination, each with its path below the destination. */
function givenAddresses({ endpoint, signals: own = {} }: DestinationSettings): [path: string[], address: string][] {
    return [
        ...(endpoint === undefined ? [] : [[["endpoint"], endpoint] as [string[], string]]),
        ...presetSignals.flatMap((kind): [string[], string][] => {
            const each = own[kind];
            return each === undefined || each === false ? [] : [[["signals", kind, "endpoint"], each.endpoint]];
        }),
    ];
}

function* addressProblems(context: Context, found: ResolvedDestination, given: DestinationSettings): Problems {
    const { name, path, protocol, preset } = found;
    const to = kindsTo(context, found);
    const isLacking = to.length === 0 || to.some((kind) => wholeAddress(found, kind) === undefined);
    if (found.endpoint === undefined && isLacking) {
        const example = preset ? addressExample(preset) : { endpoint: "https://otlp.example.net" };
        const whose = preset ? `preset ${String(given.preset)} does not say it` : "no preset says it";
        const { endpoint } = example;
        yield problemAt([...path, endpoint === undefined ? "signals" : "endpoint"], `is missing, and ${whose}`, {
            allowed: `an http:// or https:// URL ${endpoint === undefined ? "for each signal" : `such as ${endpoint}`}`,
            paste: stackFile(path, example),
        });
    }
    const [, base, ending] = /^(.*)(\/v1\/(?:logs|metrics|traces))$/.exec(given.endpoint ?? "") ?? [];
    if (protocol === "http" && base !== undefined && ending !== undefined) {
        const more = name === "otlp" ? "" : "; an address of one signal in signals";
        yield problemAt([...path, "endpoint"], `ends with ${ending}, which every signal's own path is appended to`, {
            allowed: `the address without /v1/logs, /v1/metrics and /v1/traces${more}`,
            value: meantAddress(found, base),
        });
    }
    for (const [own, address] of protocol === "grpc" ? givenAddresses(given) : []) {
        if (new URL(address).pathname !== "/") {
            yield problemAt([...path, ...own], `is ${brief(address)}, but gRPC takes a host and a port, and no path`, {
                allowed: "https://HOST:PORT, or http:// without TLS",
                value: meantAddress(found, address),
            });
        }
    }
    if (given.proxy !== undefined && new URL(given.proxy).pathname !== "/") {
        yield problemAt([...path, "proxy"], `is ${brief(given.proxy)}, but a proxy has no path`, {
            allowed: "an http:// or https:// URL with a host and a port",
            value: new URL(given.proxy).origin,
        });
    }
}

/** Whether the collectors authenticate at a destination over TLS alone. */
function needsTls({ auth, protocol }: ResolvedDestination): boolean {
    const overGrpc = ["basic", "bearer", "oauth2", "google"];
    return auth.kind === "clientCertificate" || (protocol === "grpc" && overGrpc.includes(auth.kind));
}

/** An address as its destination needs it: with TLS or without a path, and without credentials. */
function meantAddress(found: ResolvedDestination, address: string): string {
    const own = found.protocol === "grpc" ? new URL(address).origin : signedOut(address);
    return needsTls(found) ? own.replace(/^http:/, "https:") : own;
}

/** Settings that have no effect with the protocol, or that it does not allow. */
function* transportProblems(found: ResolvedDestination, given: DestinationSettings): Problems {
    const { path, protocol } = found;
    const isRemoteWrite = protocol === "remotewrite";
    if (isRemoteWrite && given.compression !== undefined && given.compression !== "snappy") {
        yield problemAt([...path, "compression"], `is ${given.compression}, but remote write knows snappy alone`, {
            allowed: "snappy",
            value: "snappy",
        });
    }
    if (isRemoteWrite && given.batch !== undefined) {
        yield problemAt(
            [...path, "batch"],
            `is ${String(given.batch)}, which has no effect on remote write: its requests are cut by size. Remove it`,
        );
    }
    if (isRemoteWrite && given.temporality === "delta") {
        yield problemAt([...path, "temporality"], "is delta, which remote write cannot carry", {
            allowed: "cumulative",
            value: "cumulative",
        });
    }
    if (protocol === "grpc" && given.proxy !== undefined) {
        yield problemAt(
            [...path, "proxy"],
            "has no effect on gRPC, of which the collectors know the proxy of their environment alone. Remove it, and set kof:proxy.https",
        );
    }
    const addresses = givenAddresses(given);
    const plain = addresses.find(([, address]) => address.startsWith("http://"));
    const isPlain =
        addresses.length > 0 &&
        addresses.every(([, address]) => address.startsWith("http://")) &&
        (given.endpoint ?? found.preset?.endpoint)?.startsWith("https://") !== true;
    const { caSecret, serverName, insecureSkipVerify } = given.tls ?? {};
    if (isPlain && (caSecret !== undefined || serverName !== undefined || insecureSkipVerify === true)) {
        yield problemAt([...path, "tls"], `has no effect on ${String(plain?.[1])}, which is not encrypted. Remove it`);
    }
    const { kind } = found.auth;
    if (plain && needsTls(found)) {
        const [own, address] = plain;
        const why =
            kind === "clientCertificate" ? "is sent over TLS alone" : "collectors send over gRPC with TLS alone";
        yield problemAt([...path, ...own], `is ${brief(address)}, but auth is ${kind}, which ${why}`, {
            allowed: "an https:// URL",
            value: meantAddress(found, address),
        });
    }
}

/** The kinds of authentication that can work by the preset's kind, besides those that always can. */
const working: Readonly<Partial<Record<DestinationPreset["auth"]["kind"], readonly string[]>>> = {
    headers: ["headers"],
    basic: ["basic", "headers"],
    sigv4: ["sigv4"],
    google: ["google", "bearer", "oauth2", "headers"],
    azure: ["azure", "bearer", "oauth2", "headers"],
};

/** All kinds that can work with a preset; `undefined` if any can. `none` works if something on the way authenticates. */
function canWork({ auth }: DestinationPreset): readonly string[] | undefined {
    // Several kinds of authentication write this header.
    const isAny = auth.kind === "headers" && includesHeader(auth.headers, "authorization");
    const own = isAny ? undefined : working[auth.kind];
    return own && [...own, "none", "clientCertificate"];
}

/** Whether a header is among others, ignoring case. */
function includesHeader(all: readonly string[], header: string): boolean {
    return all.some((each) => each.toLowerCase() === header.toLowerCase());
}

function* authProblems(found: ResolvedDestination, given: DestinationSettings): Problems {
    const { path, protocol, auth, preset } = found;
    const { auth: own } = given;
    if (preset) {
        const wanted = authExample(found.name, preset);
        const fixed = preset.auth.kind === "headers" ? preset.auth.headers : [];
        const has = (headers: readonly string[]) => fixed.some((each) => includesHeader(headers, each));
        if (wanted && own === undefined && !has(Object.keys(given.headers ?? {}))) {
            yield problemAt([...path, "auth"], `is missing, without which ${preset.title} takes nothing`, {
                allowed: `${wanted.kind} for ${preset.title}; {kind: none} where something on the way adds it`,
                value: wanted,
            });
        }
        const able = canWork(preset);
        if (own !== undefined && able?.includes(own.kind) === false) {
            yield problemAt([...path, "auth", "kind"], `is ${own.kind}, which ${preset.title} does not take`, {
                allowed: able.join(", "),
                paste: stackFile([...path, "auth"], wanted ?? { kind: preset.auth.kind }),
            });
        }
        if (own?.kind === "headers" && own.headers !== undefined && fixed.length > 0 && !has(own.headers)) {
            yield problemAt(
                [...path, "auth", "headers"],
                `is ${brief(own.headers)}, without ${fixed.join(" and ")}, by which ${preset.title} knows who sends`,
                { allowed: `a list with ${fixed.join(" and ")}; without the setting it is that`, value: fixed },
            );
        }
    }
    if (protocol === "grpc" && (auth.kind === "sigv4" || auth.kind === "azure")) {
        yield problemAt(
            [...path, "protocol"],
            `is grpc, over which the collectors cannot authenticate by ${auth.kind}`,
            { allowed: "http, remotewrite", value: "http" },
        );
    }
    if (auth.kind === "sigv4" && auth.service === "") {
        yield problemAt([...path, "auth", "service"], "is missing, and no preset says it", {
            allowed: "the name of an AWS service, as signatures have it: aps, xray, logs",
            value: serviceOf(given.endpoint, protocol),
        });
    }
}

function serviceOf(endpoint: string | undefined, protocol: ResolvedDestination["protocol"]): string {
    const [, host] = /^https?:\/\/(aps|xray|logs|es)\b/.exec(endpoint ?? "") ?? [];
    return host ?? (protocol === "remotewrite" ? "aps" : "xray");
}

/** Headers that exporters set, or that their configuration refuses. */
const ownHeaders = {
    http: ["content-type", "content-encoding", "content-length", "transfer-encoding"],
    grpc: ["content-type", "grpc-encoding", "te"],
    remotewrite: [
        "content-type",
        "content-encoding",
        "content-length",
        "x-prometheus-remote-write-version",
        "user-agent",
    ],
} as const;

function* headerProblems(found: ResolvedDestination, given: DestinationSettings): Problems {
    const { name, path, protocol, auth, preset } = found;
    const secret = auth.kind === "headers" ? auth.headers : [];
    const named = secret.map((header) => ({ header, variable: destinationVariable(name, header) }));
    const firstOf = (variable: string) => named.find((each) => each.variable === variable);
    const repeated = named.find((each) => each !== firstOf(each.variable));
    if (repeated) {
        const { header, variable } = repeated;
        const first = String(firstOf(variable)?.header);
        yield problemAt(
            [...path, "auth", "headers"],
            first === header
                ? `has ${header} more than once`
                : `has ${first} and ${header}, which would be one environment variable, ${variable}`,
            {
                allowed: "headers that differ in more than case and - or _",
                value: named.filter((each) => each === firstOf(each.variable)).map(({ header }) => header),
            },
        );
    }
    const plain = Object.entries(given.headers ?? {});
    const ofPreset = Object.keys(preset?.headers ?? {});
    for (const [i, [header, value]] of plain.entries()) {
        const at = [...path, "headers", header];
        const others = [...ofPreset.filter((each) => each !== header), ...plain.slice(0, i).map(([each]) => each)];
        const other = others.find((each) => includesHeader([each], header));
        if (other !== undefined) {
            const whose = ofPreset.includes(other) ? `, a header of preset ${String(given.preset)},` : "";
            yield problemAt(at, `is ${other}${whose} in another case: one of them would be lost. Write ${other}`);
        }
        // If the value is a secret, another rule says to put it there.
        if (includesHeader(secret, header) && !value.includes("…")) {
            yield problemAt(
                at,
                "is in auth.headers as well, whose values come from a Secret: one of them would be lost. Remove one",
            );
        }
        if (includesHeader(ownHeaders[protocol], header)) {
            yield problemAt(at, "is a header that the collectors set themselves. Remove it");
        }
        // eslint-disable-next-line no-control-regex
        const odd = /[\u0000-\u001f\u007f]+/g;
        const oneLine = value.replaceAll(odd, " ");
        if (oneLine !== value) {
            yield problemAt(at, `is ${brief(value)}, but the value of a header is one line of text`, {
                allowed: "text without line ends, tabs and other control characters",
                value: oneLine.trim() || "kof",
            });
        }
    }
}

/** Whether a component of a destination has a certain name (core/routes/exporters.ts and fanOut.ts). */
function hasPart(name: string, part: string): boolean {
    return ["metrics", "logs", "traces", "audit", "queue", "deliver"].some((ending) => part === `${name}-${ending}`);
}

/** The names that components of KOF's collectors have after their slash, in a version. */
const componentNamesOf = oncePer((catalog: Catalog): ReadonlySet<string> => {
    const stack = chartValues(catalog, "kof-collectors")[kubeStack];
    const collectors = valueAt(stack, ["collectors"]);
    const configs = [
        valueAt(stack, ["defaultCRConfig", "config"]),
        ...Object.values(isMap(collectors) ? collectors : {}).map((each) => valueAt(each, ["config"])),
        ...catalog.presets.flatMap(({ parts }) => parts.map(({ spec }) => spec.config)),
    ];
    const sections = ["receivers", "processors", "exporters", "connectors", "extensions", "service.pipelines"];
    const ids = configs.flatMap((config) =>
        sections.flatMap((path) => {
            const section = valueAt(config, path.split("."));
            return isMap(section) ? Object.keys(section) : [];
        }),
    );
    return new Set(ids.flatMap((id) => (id.includes("/") ? [id.slice(id.indexOf("/") + 1)] : [])));
});

/** Whether KOF's collectors have components of that name. */
function isOfCollectors(name: string, version: Context["version"]): boolean {
    return reservedNames.includes(name) || componentNamesOf(catalogOf(version)).has(name);
}

/** Whether a component of a destination of that name would have the name of another one: KOF's, or one of these destinations'. */
export function isNameTaken(name: string, others: readonly string[], version: Context["version"]): boolean {
    const all = [...builtInDestinations, ...others];
    return (
        isOfCollectors(name, version) ||
        all.some((other) => name === other || hasPart(name, other) || hasPart(other, name))
    );
}

/** Names that components, or variables, would have twice. */
function* clashProblems({ defined, values, version }: Context): Problems {
    const owners = new Map<string, string>();
    for (const name of defined) {
        const path = ["destinations", name];
        const owner = [...builtInDestinations, ...defined].find((each) => hasPart(each, name));
        if ((builtInDestinations as readonly string[]).includes(name)) {
            const what = name === "management" ? "is KOF's own" : `is set up in kof:${name}`;
            yield problemAt(path, `has a name that ${what}. Give it another one`);
        } else if (isOfCollectors(name, version)) {
            yield problemAt(
                path,
                "has the name of a component of KOF's collectors, which it would change. Give it another one",
            );
        } else if (owner !== undefined) {
            yield problemAt(path, `has a name that a component of destination ${owner} has. Give it another one`);
        } else {
            const auth = resolvedDestination(values, name)?.auth;
            const keys = [...(auth ? secretKeysOf(auth) : []), "ca.crt"];
            const variables = keys.map((each) => destinationVariable(name, each));
            const shared = variables.find((each) => (owners.get(each) ?? name) !== name);
            if (shared !== undefined) {
                const other = String(owners.get(shared));
                yield problemAt(
                    path,
                    `would share the environment variable ${shared} with destination ${other}. Give it another name`,
                );
            }
            for (const each of variables) {
                owners.set(each, owners.get(each) ?? name);
            }
        }
    }
}

/** Every collector has one pair of AWS keys in its environment, for all that need them. */
function* awsProblems({ destinations, values }: Context): Problems {
    const named = namedDestinations(values);
    const { identity, path = [] } =
        named.includes("cloudwatch") && values.cloudwatch ? awsIdentityOf(values.cloudwatch.credentials) : {};
    const ours = `kof:${path.join(".")}`;
    let first: { readonly name: string; readonly secret: string } | undefined;
    for (const [name, { auth }] of Object.entries(destinations)) {
        if (auth?.kind !== "sigv4" || !named.includes(name)) {
            continue;
        }
        const { secret } = auth;
        const at = ["destinations", name, "auth", "secret"];
        if (identity?.kind === "accessKey") {
            const found = secret === undefined ? "has no Secret" : `is ${brief(secret)}`;
            yield problemAt(
                secret === undefined ? at.slice(0, -1) : at,
                `${found}, but ${ours} is the key of a user whom this program makes, and who may write to CloudWatch alone: ` +
                    "a collector has one pair of AWS keys",
                {
                    allowed: "one Secret for both, with keys that may do both",
                    paste: stackFile(path, { kind: "existingSecret", name: secret ?? "aws-credentials" }),
                },
            );
        } else if (secret === undefined) {
            continue;
        } else if (identity?.kind === "existingSecret" && secret !== identity.name) {
            yield problemAt(
                at,
                `is ${brief(secret)}, but ${ours} is Secret ${identity.name}: a collector has one pair of AWS keys`,
                { allowed: `${identity.name}, with keys that may do both`, value: identity.name },
            );
        } else if (identity !== undefined && identity.kind !== "existingSecret") {
            yield problemAt(
                at,
                `is ${brief(secret)}, but ${ours} is ${identity.kind}: the collectors would use the Secret for CloudWatch ` +
                    "too. Remove it, and let that role write here as well",
            );
        } else if (first !== undefined && secret !== first.secret) {
            yield problemAt(
                at,
                `is ${brief(secret)}, but that of destination ${first.name} is ${first.secret}: a collector has one pair of AWS keys`,
                { allowed: `${first.secret}, with keys that may do both`, value: first.secret },
            );
        }
        first ??= secret === undefined ? undefined : { name, secret };
    }
}

/** Destinations with the same address for a signal: each record arrives there once per destination. */
export function sameAddressNotices(values: Values): string[] {
    const wanted = routingOf(values).signals;
    interface Group {
        readonly paths: readonly string[];
        readonly of: Set<Signal>;
        readonly isSame: boolean;
        readonly isWhole: boolean;
        readonly address: string;
    }
    const groups = new Map<string, Group>();
    for (const signal of signals) {
        const all = wanted[signal].flatMap((name) => {
            const found = resolvedDestination(values, name);
            const address = found && wholeAddress(found, telemetryKind(signal));
            return found && address !== undefined ? [{ found, address }] : [];
        });
        for (const address of new Set(all.map((each) => each.address))) {
            const own = all.filter((each) => each.address === address).map(({ found }) => found);
            if (own.length < 2) {
                continue;
            }
            const isSame = new Set(own.map(({ headers = {}, auth }) => JSON.stringify([headers, auth]))).size === 1;
            const isWhole = !own.some((each) => leavesOut(each, signal));
            const paths = own.map(({ path }) => `kof:${path.join(".")}`);
            const key = [...paths, isWhole].join();
            const known = groups.get(key) ?? { paths, of: new Set<Signal>(), isSame, isWhole, address };
            known.of.add(signal);
            groups.set(key, known);
        }
    }
    return [...groups.values()].map(
        ({ paths, of, isSame, isWhole, address }) =>
            `${paths.join(" and ")} are the same address for ${[...of].map(nounOf).join(" and ")} (${address}): each record ` +
            `${isWhole ? "" : `that ${paths.length === 2 ? "both" : "all of them"} take `}arrives there ` +
            `${paths.length === 2 ? "twice" : `${String(paths.length)} times`}${isSame ? "" : ", unless headers or credentials tell them apart"}.`,
    );
}

/** Whether a destination does not get every record of a signal. Audit logs have no severity, and are kept. */
function leavesOut({ processing = {} }: ResolvedDestination, signal: Signal): boolean {
    const { dropNamespaces, minimumSeverity, sampleTraces } = processing;
    return (
        dropNamespaces !== undefined ||
        (signal === "logs" && minimumSeverity !== undefined) ||
        (signal === "traces" && sampleTraces !== undefined)
    );
}

/** The normalised address at which a destination receives a kind of telemetry. */
function wholeAddress(found: ResolvedDestination, kind: PresetSignal): string | undefined {
    const own = addressFor(found, kind);
    if ("refused" in own) {
        return undefined;
    }
    const address =
        own.endpoint ?? (found.protocol === "http" && found.endpoint ? `${found.endpoint}/v1/${kind}` : found.endpoint);
    return address !== undefined && URL.canParse(address) ? new URL(address).href.replace(/\/+$/, "") : address;
}

/** Audit logs that count as logs become a signal of their own with KOF 1.10. */
export function auditNotices(values: Values): string[] {
    const { version, signals: asked = {} } = values;
    if (version === undefined || tellsAudit(version) || asked.logs === undefined || asked.audit !== undefined) {
        return [];
    }
    const { version: _, ...ofAny } = values;
    const later = routingOf(ofAny).signals.audit;
    const list = `[${asked.logs.join(", ")}]`;
    const goes = later.length > 0 ? `go to ${later.join(" and ")}` : "are not stored";
    return later.join() === asked.logs.join()
        ? []
        : [
              `kof:signals names logs and not audit. On KOF ${version} audit logs are among the logs; from the first version on that tells them ` +
                  `apart they ${goes}. To have them go where the logs go: kof:signals: {audit: ${list}}, beside what it has.`,
          ];
}

/** Settings about signals that a destination does not receive. They are no mistake: it may receive them again. */
export function idleNotices(values: Values): string[] {
    const { cloudwatch, otlp, destinations = {} } = values;
    const wanted = routingOf(values).signals;
    const all: [path: string, name: string, settings: Pick<DestinationSettings, "processing" | "temporality">][] = [
        ["cloudwatch", "cloudwatch", { processing: cloudwatch?.processing }],
        ["otlp", "otlp", { processing: otlp?.processing }],
        ...Object.entries(destinations).map(
            ([name, settings]) => [`destinations.${name}`, name, settings] as [string, string, DestinationSettings],
        ),
    ];
    return all.flatMap(([path, name, { processing = {}, temporality }]) => {
        const goes = (...of: Signal[]) => of.some((signal) => wanted[signal].includes(name));
        const none = (setting: string, given: unknown, what: string) =>
            given === undefined ? [] : [`kof:${path}.${setting} has no effect: no ${what} go to ${name}.`];
        return [
            ...(goes("metrics") ? [] : none("temporality", temporality, "metrics")),
            ...(goes("traces") ? [] : none("processing.sampleTraces", processing.sampleTraces, "traces")),
            ...(goes("logs", "audit") ? [] : none("processing.minimumSeverity", processing.minimumSeverity, "logs")),
            ...(goes("logs", "audit", "traces")
                ? []
                : none("processing.redact", processing.redact, "logs and no traces")),
        ];
    });
}
