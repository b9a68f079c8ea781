import { kofNamespace } from "../charts/namespace";
import { oncePer } from "../lib/lazy";
import { shellWord } from "../lib/shell";
import { withoutSecrets, type Secret } from "../lib/secrets";
import { formatPath, isMap, textOf, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import { destinationSecret } from "./destinationRules";
import { problemAt, stackFile, type RawSettings } from "./explain";
import { headerName, otlpHeadersSecret, secretKeys } from "./headers";
import { brief, type Problem } from "./problems";

/** Of more secrets than this, only the first show the command that makes a Secret of all of them. */
const longCommands = 20;

/**
 * Settings without the secrets in them. All later checks only see these, so no message, difference or paste can show a secret.
 *
 * @param raw by their key under `kof:`.
 * @param isDeployed whether they have been deployed, by a version that took such addresses: they are as if nobody signed in to them.
 */
export function openSettings(
    raw: RawSettings,
    isDeployed: boolean,
): { readonly raw: RawSettings; readonly problems: readonly Problem[] } {
    const { open, found } = withoutSecrets(raw, maskedHeader, ({ shown, address }) =>
        isDeployed ? (address ?? shown) : shown,
    );
    const settings = open as RawSettings;
    const problems = found.map((secret, i) => {
        const { message, allowed, run } = faultOf(secret, found, settings);
        return problemAt(secret.path.map(String), message, {
            allowed,
            // The command names all of them.
            run: i < longCommands ? run : undefined,
            paste: pasteOf(secret, found, settings),
        });
    });
    return { raw: settings, problems };
}

/** A header without its value, which somebody wrote where only its name belongs. */
function maskedHeader(path: Secret["path"], text: string): string | undefined {
    const plain = path[0] === "destinations" && path[2] === "headers" ? 3 : undefined;
    const named = isHeaders(path, "otlp")
        ? 2
        : isHeaders(path.slice(2), "auth") && path[0] === "destinations"
          ? 4
          : plain;
    if (named === undefined) {
        return undefined;
    }
    if (typeof path[named] !== "string") {
        return text.replace(/([:=]\s*)\S.*$/s, "$1…");
    }
    // A destination's plain headers are written with their values.
    return plain === undefined ? "…" : undefined;
}

function isHeaders([block, headers]: Secret["path"], wanted: string): boolean {
    return block === wanted && headers === "headers";
}

function faultOf(
    { path, shown, address }: Secret,
    found: readonly Secret[],
    settings: RawSettings,
): Omit<Problem, "key"> {
    const [setting = "", block = ""] = path.map(String);
    const otlp = isMap(settings.otlp) ? settings.otlp : {};
    const ofDestination = address === undefined ? destinationAuth(path, found, settings) : undefined;
    const way =
        setting === "destinations"
            ? `Put what authenticates in a Secret, name that in kof:destinations.${block}.auth, and remove it here`
            : (ways[`${setting}.${block}`] ?? ways[setting] ?? "Put it in a Secret");
    const run =
        setting === "otlp"
            ? secretCommand(otlpHeadersSecret, headerNames(otlp.headers) ?? ["Authorization"])
            : setting === "values"
              ? commandOf(found)
              : ofDestination && secretCommand(ofDestination.secret, ofDestination.keys);
    if (address !== undefined) {
        const message = `is ${brief(shown)}, whose password or token would be printed wherever the address is shown`;
        return { message, allowed: `an address without it. ${way}`, run };
    }
    const reader =
        setting === "values"
            ? "Helm values are readable in the HelmRelease"
            : "The stack file shows it to all of its readers";
    const message = `looks like a secret. ${reader}: put it in a Secret and refer to that by name`;
    return { message, allowed: `a reference to it. ${way}`, run };
}

/** The command that makes a Secret of all that are in values. */
const commandOf = oncePer((found: readonly Secret[]) => {
    const ofValues = found.filter(({ path }) => path[0] === "values");
    return secretCommand(ownName, [...new Set(ofValues.map(secretKeyOf))]);
});

/** What to call a secret among the keys of a Secret: as the variable, or as the nearest key that can be one. */
function secretKeyOf({ path, variable }: Secret): string {
    const steps = path.filter((step) => typeof step === "string");
    return variable ?? steps.filter((step) => /^[A-Za-z][-\w.]*$/.test(step)).at(-1) ?? "NAME";
}

/** The names of the headers that somebody wrote with their values. */
function headerNames(headers: HelmValue | undefined): string[] | undefined {
    const written = Array.isArray(headers) ? headers : typeof headers === "string" ? [headers] : [];
    const names = isMap(headers)
        ? Object.keys(headers)
        : written.map((each) => textOf(each).split(/[:=]/, 1)[0]?.trim() ?? "");
    return names.length > 0 && names.every((name) => headerName.test(name)) ? names : undefined;
}

/** What to do instead, by the setting. */
const ways: Readonly<Record<string, string>> = {
    otlp: "Put a header (Authorization) in a Secret, and name that in kof:otlp.headersSecret",
    values: "Put it in a Secret, and refer to that by name: by secretKeyRef in an env, and ${env:NAME} in a collector's configuration",
    "cloudwatch.endpoint": "kof:cloudwatch.credentials says how the collectors sign in",
    "cloudwatch.credentials": "{kind: existingSecret, name: NAME} is a key in a Secret made elsewhere",
    "coldStorage.endpoint": "kof:coldStorage.existingSecret names the Secret with the keys",
    "auditArchive.endpoint": "kof:auditArchive.existingSecret names the Secret with the keys",
    "collectors.env": "Put it in a Secret, and refer to that by name: valueFrom: {secretKeyRef: {name, key}}",
    proxy: "Put the whole address in a Secret, and have kof:collectors.env take HTTPS_PROXY from there: valueFrom: {secretKeyRef: {name, key}}",
    chart: "Sign in to the registry with helm registry login where Pulumi runs",
};

/** The name that this program proposes for a Secret, or a ConfigMap, that a user's own values need. */
export const ownName = "kof-own";

/** The command that makes a Secret in KOF's namespace from files that are called like its keys. */
export function secretCommand(name: string, keys: readonly string[]): string {
    return `kubectl create secret generic -n ${kofNamespace} ${name} ${keys.map((key) => shellWord(`--from-file=${key}`)).join(" ")}`;
}

/**
 * The setting without the secret: the names of headers, an address without credentials, or a variable from a Secret. A list is
 * pasted as a whole, if all its secrets can be replaced.
 */
function pasteOf({ path, address }: Secret, found: readonly Secret[], settings: RawSettings): unknown {
    const otlp = isMap(settings.otlp) ? settings.otlp : {};
    const names = path[0] === "otlp" && path[1] === "headers" ? headerNames(otlp.headers) : undefined;
    if (names) {
        const isNamed = typeof otlp.headersSecret === "string" && !otlp.headersSecret.includes("…");
        return stackFile(["otlp"], { ...(isNamed ? {} : { headersSecret: otlpHeadersSecret }), headers: names });
    }
    if (path[0] === "otlp" && path[1] === "headersSecret") {
        return stackFile(["otlp", "headersSecret"], otlpHeadersSecret);
    }
    const ofDestination = address === undefined ? destinationAuth(path, found, settings) : undefined;
    if (ofDestination) {
        return stackFile(["destinations", path[1] ?? "", "auth"], ofDestination.auth);
    }
    const list = path.findIndex((step) => typeof step === "number");
    if (list < 0) {
        const isBase = path[0] === "otlp" || path[0] === "proxy" || (path[0] === "destinations" && path.length === 3);
        return address === undefined ? undefined : stackFile(path, isBase ? baseOf(address) : withoutSlash(address));
    }
    const outer = path.slice(0, list).map(String);
    const inList = found.filter((each) => formatPath(each.path.slice(0, list).map(String)) === formatPath(outer));
    const entries = valueAt(settings as HelmValues, outer);
    const isVariable = (each: Secret) => each.variable !== undefined && each.path.length === list + 2;
    if (
        !Array.isArray(entries) ||
        !inList.every((each) => isVariable(each) || (each.address !== undefined && each.path.length === list + 1))
    ) {
        return undefined;
    }
    return stackFile(
        outer,
        entries.map((entry, i) => {
            const own = inList.find((each) => each.path[list] === i);
            return own && isMap(entry) ? fromSecret(entry, own.variable ?? "") : (own?.address ?? entry);
        }),
    );
}

/** An address as kof:otlp and proxies take it. */
function baseOf(address: string): string {
    return address.replace(/(?:\/v1\/(?:logs|metrics|traces))?\/*$/, "");
}

function withoutSlash(address: string): string {
    return address.replace(/\/+$/, "");
}

/** How to authenticate at a destination by a Secret instead of what is in its settings, and the keys of that Secret. */
function destinationAuth(
    path: Secret["path"],
    found: readonly Secret[],
    { destinations }: RawSettings,
): { readonly auth: HelmValues; readonly secret: string; readonly keys: readonly string[] } | undefined {
    const [setting, name = "", block] = path;
    if (setting !== "destinations" || (block !== "headers" && block !== "auth")) {
        return undefined;
    }
    const own = isMap(destinations) ? destinations[name] : undefined;
    const { auth, headers } = isMap(own) ? own : {};
    const given = isMap(auth) ? auth : {};
    const named = typeof given.secret === "string" && !given.secret.includes("…") ? given.secret : undefined;
    const secret = named ?? destinationSecret(String(name));
    const kind = block === "headers" ? "headers" : kindMeant(given.kind, path, auth);
    if (kind !== "headers") {
        const { tokenUrl = "https://login.example.net/oauth2/token", region = "us-east-2" } = given;
        const more = kind === "oauth2" ? { tokenUrl } : kind === "sigv4" ? { region } : {};
        return { auth: { kind, secret, ...more }, secret, keys: secretKeys[kind] ?? [] };
    }
    const secretHeaders = isMap(headers)
        ? found
              .filter(({ path: [, of, where] }) => of === name && where === "headers")
              .map(({ path: [, , , header] }) => String(header))
        : (headerNames(headers) ?? []);
    const listed = headerNames(given.headers) ?? [];
    const all = [...new Set([...listed, ...secretHeaders])];
    const keys = all.length > 0 ? all : ["Authorization"];
    return { auth: { kind, secret, ...(all.length > 0 ? { headers: all } : {}) }, secret, keys };
}

/** The kind of authentication that is named, or else the one that was probably meant. */
function kindMeant(kind: HelmValue | undefined, path: Secret["path"], auth: HelmValue | undefined): string {
    if (typeof kind === "string" && (kind === "headers" || Object.hasOwn(secretKeys, kind))) {
        return kind;
    }
    const text = typeof auth === "string" ? auth : String(path[3] ?? "");
    const likely = { basic: /basic|pass|user/i, oauth2: /client/i, sigv4: /access/i, headers: /header|key/i };
    return Object.entries(likely).find(([, words]) => words.test(text))?.[0] ?? "bearer";
}

function fromSecret({ value: _, ...entry }: HelmValues, variable: string): HelmValues {
    return { ...entry, valueFrom: { secretKeyRef: { name: ownName, key: variable } } };
}
