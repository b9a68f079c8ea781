import { isMap } from "./values";

/*
 * What a secret looks like, by its own shape or by the name that it stands under, and how to write without it. Whatever shows a
 * value that somebody wrote asks here.
 */

/** Stands for a secret. */
const gone = "…";

/** Names under which secrets are kept, by their last words: `password`, `clientSecret`, `DD_API_KEY`, `x-auth-token`. */
const names = new RegExp(
    `(^|_)(${[
        ...["password", "passwd", "passphrase", "pwd", "token", "authorization", "authorization_credentials"],
        ...["apikey", "client_key_data", "secret_access_key", "x_honeycomb_team", "htpasswd", "htpasswd_inline"],
        "(api|access|secret|private|account|auth|shared|signing|encryption|ingest|ingestion|license|application)_key",
        "(client|app|consumer|shared|webhook|session|api)_secret",
    ].join("|")})$|^secret$`,
);
/** Keys that hold one below another key: `authorization: {credentials: …}`. */
const below = /(^|_)(authorization credentials|license key|htpasswd inline)$/;

/** Whether a name is one under which secrets are kept. What only refers to one (`secretName`, `tokenFile`, `passwordKey`) is none. */
function isSecretName(name: string): boolean {
    return names.test(wordsOf(name));
}

/** `X-API-Key`, `apiKey` and `API_KEY` as `api_key`. */
function wordsOf(name: string): string {
    return name
        .replace(/([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])/g, "$1$3_$2$4")
        .replace(/[^A-Za-z0-9]+/g, "_")
        .toLowerCase();
}

/** Whether a value is a secret, by its name. */
function isNamedSecret(name: string, text: string): boolean {
    // `secretKey` is also how charts call the key of a Secret.
    const isKey = /(^|_)secret_key$/.test(wordsOf(name));
    return isSecretName(name) && !isOpen(text) && (!isKey || (text.length >= 16 && /\d/.test(text)));
}

/** The placeholder of a secret, which reveals nothing. */
function isOpen(text: string): boolean {
    return opens.some((each) => each.test(text.trim()));
}

const opens = [
    // References, and templates.
    /\$\{[^}]+\}|\$\([^)]+\)|\{\{|^(\w+ +)?\$\w+$/,
    /^(file:|\.{0,2}\/(app|conf|config|data|etc|home|mnt|opt|root|run|secrets?|tmp|usr|var)\/)/,
    // Nothing, one character, and what hides a secret.
    /^(.?|[*x•.…]*|<.*>|\[.*\]|redacted|hidden|masked|removed|none|null|true|false)$/i,
];

/** Tokens with a recognisable form: their prefix, and the rest. The prefix names the vendor, and stays readable. */
const tokens: readonly (readonly [start: string, rest: string])[] = [
    // AWS, GitHub, GitLab, Slack, Google
    ["AKIA|ASIA", "[A-Z0-9]{16}\\b"],
    ["gh[pousr]_", "[A-Za-z0-9]{30,}"],
    ["github_pat_", "\\w{22,}"],
    ["gl(?:pat|dt|rt|ft|ptt|cbt)-", "[\\w-]{16,}"],
    ["xox[a-z]-|xapp-", "[A-Za-z0-9-]{10,}"],
    ["hooks\\.slack\\.com/(?:services|workflows)/", "[\\w/]{10,}"],
    ["AIza", "[\\w-]{35}"],
    ["GOCSPX-", "[\\w-]{20,}"],
    ["ya29\\.", "[\\w-]{20,}"],
    // Observability: Grafana, New Relic, Dynatrace, Honeycomb, Axiom, Sentry
    ["gl(?:sa|c)_", "[A-Za-z0-9+/=_]{20,}"],
    ["NRAK-|NRII-|NRJS-", "[\\w-]{19,}"],
    ["(?=[a-f0-9]{36}NRAL)", "[a-f0-9]{36}NRAL"],
    ["dt0[a-z]\\d\\d\\.", "[A-Z0-9]{16,}(?:\\.[A-Z0-9]+)?"],
    ["hc[a-z]i[kc]_", "\\w{20,}"],
    ["xa[ap][a-z]-", "[a-f0-9-]{20,}"],
    ["sntry[su]_", "[\\w=]{20,}"],
    // Others whose tokens people have at hand
    ["(?:sk|rk)_(?:live|test)_", "[A-Za-z0-9]{10,}"],
    ["sk-(?:ant|proj)-", "[\\w-]{20,}"],
    ["SG\\.", "[\\w-]{16,}\\.[\\w-]{16,}"],
    ["npm_|hf_", "[A-Za-z0-9]{30,}"],
    ["pypi-", "[\\w-]{50,}"],
    ["dckr_(?:pat|oat)_", "[\\w-]{20,}"],
    ["hv[sbr]\\.", "[\\w-]{20,}"],
    ["do[opr]_v1_", "[a-f0-9]{32,}"],
    ["pul-", "[a-f0-9]{40}"],
    ["AGE-SECRET-KEY-1", "[A-Z0-9]{20,}"],
    // A JSON Web Token
    ["eyJ", "[\\w-]{8,}\\.eyJ[\\w-]{8,}\\.[\\w-]*"],
];
const token = new RegExp(`(?<![A-Za-z0-9])(?:${tokens.map(([start, rest]) => `(?:${start})${rest}`).join("|")})`, "g");
const tokenStart = new RegExp(`^(?:${tokens.map(([start]) => start).join("|")})`);

/** What may be a secret access key of AWS: 40 characters of base64 by themselves, which have no other mark. */
const accessKey = /(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])/g;

/** Whether characters were drawn: the kind changes after every other one. Paths and words in camel case are made of longer runs. */
function isDrawn(text: string): boolean {
    const runs = text.match(/[a-z]+|[A-Z]+|\d+|[/+]+/g) ?? [];
    return /[a-z]/.test(text) && /[A-Z]/.test(text) && /\d/.test(text) && runs.length > 16;
}

const privateKey = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----(?!…)[^]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;

/** How a value of the header Authorization begins. */
const schemes =
    "[Bb]earer|BEARER|[Bb]asic|BASIC|[Dd]igest|[Tt]oken|[Aa]pi[Kk]ey|[Aa]pi-[Kk]ey|[Aa]pi-[Tt]oken|[Ss]plunk|[Nn]egotiate";
/** Such a value alone, or within other text if it cannot be a word of prose. */
const authorization = new RegExp(
    `^(\\s*(?:${schemes})\\s+)(\\S+)(?=\\s*$)|(\\b(?:${schemes})[ \\t]+)((?=\\S*[\\d=]|\\S*[a-z][A-Z])[\\w+/=.~-]{8,})`,
    "g",
);

/** A URL up to its host, if something precedes the host: `https://user:password@host`, also with a `/` in the password. */
const signedIn =
    /(?<![a-z0-9+.-])([a-z][a-z0-9+.-]*):\/\/((?:[^\s/?#"'`]|'(?=[\w%@])){1,2000}|[^\s/?#:@"'`]{1,200}:(?!\d+[/?#])(?:[^\s@"'`]|'(?=[\w%@])){1,500})@/gi;
/** The same of an address without a scheme, as proxies have it. */
const signedInHost = /^([^\s:/@]+:[^\s/@]+)@(?=[\w.-]+(?::\d+)?(?:\/|$))/;
/** A parameter of a URL. */
const parameter = /([?&#])([A-Za-z][\w.-]*)=([^\s&#;"'`]+)/g;

/** A name and its value, by themselves or in a line of a longer text: `--x.password=…`, `Authorization: …`, `"token": "…",`. */
const pair =
    /^([ \t]*(?:-[ \t]+)?["']?-{0,2}([A-Za-z][\w.-]*)["']?[ \t]*[:=][ \t]*["']?)((?:[A-Za-z-]+ +)?[^\s"',;(){}[\]\\^]+)(?=["']?[,;]?[ \t\r]*$)/gm;
/** A name and its value within the braces of a line of YAML: `{user: a, password: …}`. */
const braced =
    /((?<=[{,][ \t]{0,9})(?<=\{[^{}\n]{0,400})["']?([A-Za-z][\w.-]{0,99})["']?[ \t]*:[ \t]+["']?)([^\s"',{}[\]]+)(?=["']?[ \t]*[,}])/g;
/** One of several in a line: `api-key=…,x=y`. */
const listed = /((?:^|[,;])[ \t]*([A-Za-z][\w.-]*)=)([^\s,;"'(){}[\]\\^]+)/gm;

function maskedPair(found: string, start: string, name: string, value: string, at: number, text: string): string {
    const refers =
        name === "secret" && start.includes(":") && isObjectName(value) && standsBesideKind(text.slice(0, at), start);
    return isNamedSecret(name, value) && !refers ? `${start}${gone}` : found;
}

/** Whether a line of YAML or JSON is in a map with a `kind`, or in `auth`: there `secret` is the name of a Secret. */
function standsBesideKind(before: string, start: string): boolean {
    const indent = /^[ \t]*/.exec(start)?.[0] ?? "";
    for (const line of before.slice(-4000).trimEnd().split("\n").reverse()) {
        if (!line.startsWith(indent) || !/\S/.test(line.charAt(indent.length))) {
            return /(^|[\s"'])auth["']?:\s*\{?\s*$/.test(line);
        }
        if (/^\s*["']?kind["']?:/.test(line)) {
            return true;
        }
    }
    return false;
}

/** A text in which every secret is left out, and seen to be: `https://…@host`, `Bearer …`, `AKIA…`. */
export function masked(text: string): string {
    return text
        .replace(privateKey, (_, kind: string) => `-----BEGIN ${kind}PRIVATE KEY-----${gone}`)
        .replace(signedIn, (found, scheme: string, user: string) =>
            isCredential(scheme, user) ? `${scheme}://${gone}@` : found,
        )
        .replace(signedInHost, (found, user: string) => (isCredential("", user) ? `${gone}@` : found))
        .replace(parameter, (found, sign: string, name: string, value: string) =>
            isNamedSecret(name, value) ? `${sign}${name}=${gone}` : found,
        )
        .replace(token, (found) => `${tokenStart.exec(found)?.[0] ?? ""}${gone}`)
        .replace(accessKey, (found) => (isDrawn(found) ? gone : found))
        .replace(authorization, (found, alone?: string, value?: string, within?: string, inner?: string) =>
            isOpen(value ?? inner ?? "") ? found : `${alone ?? within ?? ""}${gone}`,
        )
        .replace(pair, maskedPair)
        .replace(braced, maskedPair)
        .replace(listed, maskedPair);
}

/** A name and its value anywhere in a line, as logs have them: `password=…`, `{"token":"…"`, `map[Authorization:[Basic …]]`. */
const logged = new RegExp(
    `(?<![\\w.-])((?:\\\\{0,3}["'])?([A-Za-z][\\w.-]*)(?:\\\\{0,3}["'])?[ \\t]*[:=][ \\t]*\\[?(?:\\\\{0,3}["'])?)(?![A-Za-z][\\w.-]{0,99}[:=])((?:(?:${schemes})[ \\t]+)?[^\\s"',;&(){}[\\]\\\\]+)`,
    "g",
);
/** What is no word of prose after any of these names. After others a word is: `token: expired`. */
const alwaysSecret = /(^|_)(password|passwd|passphrase|pwd|authorization)$/;

/** What a program, a cluster or a cloud says, {@link masked}, and without what stands after the name of a secret anywhere in it. */
export function maskedLog(text: string): string {
    return masked(text).replace(logged, (found, start: string, name: string, value: string) => {
        const isProse = /:[ \t]+$/.test(start) && /^[A-Za-z]+$/.test(value) && !alwaysSecret.test(wordsOf(name));
        return isNamedSecret(name, value) && !isProse ? `${start}${gone}` : found;
    });
}

/** A text whose addresses have nobody who signs in: `https://host`. */
export function signedOut(text: string): string {
    return text
        .replace(signedIn, (found, scheme: string, user: string) =>
            isCredential(scheme, user) ? `${scheme}://` : found,
        )
        .replace(signedInHost, (found, user: string) => (isCredential("", user) ? "" : found))
        .replace(/[?#][^\s?#;"'`]+/g, (query) => withoutParameters(query));
}

function withoutParameters(query: string): string {
    const kept = query
        .slice(1)
        .split("&")
        .filter((each) => masked(`?${each}`) === `?${each}`);
    return kept.join("") === "" ? "" : query.slice(0, 1) + kept.join("&");
}

/** References (`${env:PASSWORD}`, `$(PASSWORD)`) give nothing away, nor does the name of a user without a password: `ssh://git@host`. */
function isCredential(scheme: string, user: string): boolean {
    const written = user.replaceAll(/\$\{[^}]*\}|\$\([^)]*\)/g, "");
    const colon = written.indexOf(":");
    return colon < 0
        ? written !== "" && /^(https?|oci)$/i.test(scheme) && written === user
        : colon < written.length - 1;
}

/** A secret in settings or values. */
export interface Secret {
    /** Where: keys, and positions in lists. Keys that are secrets themselves are masked. */
    readonly path: readonly (string | number)[];
    /** The value, masked. */
    readonly shown: unknown;
    /** The address without user and password, if nothing else is wrong with it. */
    readonly address?: string;
    /** The variable of an environment whose value it is. */
    readonly variable?: string;
}

/**
 * Settings or values without the secrets in them, and what was found. What is encrypted (`{secure: …}`) is not looked at.
 *
 * @param mask what to show of a text whose path makes it a secret, no matter what it looks like; `undefined` for any other.
 * @param instead what stands in the place of a secret; `undefined` leaves it out, with the variable whose value it is.
 */
export function withoutSecrets(
    value: unknown,
    mask: (path: Secret["path"], text: string) => string | undefined = () => undefined,
    instead: (secret: Secret) => unknown = ({ shown }) => shown,
): { readonly open: unknown; readonly found: readonly Secret[] } {
    const found: Secret[] = [];
    const opened = open(value, [], "");
    return { open: found.length > 0 ? opened : value, found };

    /** @param name of the value: its own, that of its list, or the variable's. */
    function open(inner: unknown, path: Secret["path"], name: string, variable?: string): unknown {
        if (Array.isArray(inner)) {
            return inner.flatMap((each, i) => {
                const opened = open(each, [...path, i], name);
                return opened === undefined && each !== undefined ? [] : [opened];
            });
        }
        if (isMap(inner)) {
            return openMap(inner, path);
        }
        if (typeof inner !== "string" && !(typeof inner === "number" && /pass/i.test(name))) {
            return inner;
        }
        const text = String(inner);
        const shown = isNamedSecret(name, text) ? gone : maskedText(mask(path, text) ?? text);
        if (shown === text) {
            return inner;
        }
        const address = signedOut(text);
        const secret: Secret = {
            path,
            shown,
            ...(address !== text && maskedText(address) === address ? { address } : {}),
            ...(variable === undefined ? {} : { variable }),
        };
        found.push(secret);
        return instead(secret);
    }

    function openMap(inner: Readonly<Record<string, unknown>>, path: Secret["path"]): unknown {
        if (Object.keys(inner).length === 1 && typeof inner.secure === "string") {
            return inner;
        }
        // An environment variable or an attribute: its name says what its value is.
        const label = [inner.name, inner.key].find((each) => typeof each === "string");
        const opened: [string, unknown][] = [];
        for (const [key, each] of Object.entries(inner)) {
            const known = masked(key);
            if (known !== key) {
                found.push({ path: [...path, known], shown: known });
            }
            const isValue = key === "value" && label !== undefined;
            const value = open(
                each,
                [...path, known],
                refersToSecret(inner, key, path) ? "" : nameOf(key, path, isValue ? label : undefined),
                isValue ? label : undefined,
            );
            if (value === undefined && isValue) {
                return undefined;
            }
            if (value !== undefined || each === undefined) {
                opened.push([known, value]);
            }
        }
        return Object.fromEntries(opened);
    }
}

/** Whether an entry is the name of a Secret: `{kind: basic, secret: mimir}`. A long one without any break is none that people give. */
function refersToSecret(
    { kind, secret }: Readonly<Record<string, unknown>>,
    key: string,
    path: Secret["path"],
): boolean {
    return (
        key === "secret" &&
        (typeof kind === "string" || path.at(-1) === "auth") &&
        typeof secret === "string" &&
        isObjectName(secret)
    );
}

function isObjectName(text: string): boolean {
    return /^(?=.{1,253}$)[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(text) && !/(?=[a-z]*\d)[a-z0-9]{20,}/.test(text);
}

/** A whole text, which may be JSON with names that describe its content. */
function maskedText(text: string): string {
    if (/^\s*[{[]/.test(text)) {
        try {
            const { open, found } = withoutSecrets(JSON.parse(text));
            return found.length > 0 ? JSON.stringify(open) : text;
        } catch {
            // Not JSON.
        }
    }
    return masked(text);
}

/** The name that says what a value is. */
function nameOf(key: string, path: Secret["path"], label: string | undefined): string {
    const parent = path.filter((step) => typeof step === "string").at(-1) ?? "";
    return label ?? (below.test(`${wordsOf(parent)} ${wordsOf(key)}`) ? `${parent}_${key}` : key);
}
