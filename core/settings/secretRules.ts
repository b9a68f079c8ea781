import { kofNamespace } from "../charts/namespace";
import { withoutSecrets, type Secret } from "../lib/secrets";
import { formatPath, isMap, valueAt, type HelmValues } from "../lib/values";
import { stackFile } from "./explain";
import { brief, type Problem } from "./problems";

/** Settings that give nothing away, and what is wrong with those that did. */
export interface OpenSettings {
    readonly raw: Readonly<Record<string, unknown>>;
    readonly problems: readonly Problem[];
}

/**
 * Settings without the secrets in them. Whatever is said of settings is said of these, so that no message, difference or paste has
 * a secret to show.
 *
 * @param raw by their key under `kof:`.
 * @param isDeployed whether they have been deployed, by a version that took such addresses: they are as if nobody signed in to them.
 */
export function openSettings(raw: Readonly<Record<string, unknown>>, isDeployed: boolean): OpenSettings {
    const { open, found } = withoutSecrets(raw, isHeaderValue, ({ shown, address }) =>
        isDeployed ? (address ?? shown) : shown,
    );
    const settings = open as OpenSettings["raw"];
    return {
        raw: settings,
        problems: found.map((secret) => ({
            key: `kof:${formatPath(secret.path.map(String))}`,
            ...faultOf(secret),
            paste: pasteOf(secret, found, settings),
        })),
    };
}

/** A header with its value, where only its name belongs. */
function isHeaderValue([setting, block, entry]: Secret["path"], text: string): boolean {
    return setting === "otlp" && block === "headers" && (typeof entry === "string" || /[:=]/.test(text));
}

function faultOf({ path, shown, address, variable }: Secret): Omit<Problem, "key"> {
    const { way, run } = instead(path.map(String), variable);
    if (address !== undefined) {
        const message = `is ${brief(shown)}, whose password or token would be printed wherever the address is shown`;
        return { message, allowed: `an address without it. ${way}`, run };
    }
    const reader =
        path[0] === "values"
            ? "Helm values are readable in the HelmRelease"
            : "The stack file shows it to all of its readers";
    const message = `looks like a secret. ${reader}: put it in a Secret and refer to that by name`;
    return { message, allowed: `a reference to it. ${way}`, run };
}

/** What to do instead of a secret. */
function instead(path: readonly string[], variable: string | undefined): { way: string; run?: string } {
    const [setting = "", block = "", header] = path;
    const key = variable ?? path.filter((step) => /^[A-Za-z][-\w.]*$/.test(step)).at(-1) ?? "NAME";
    switch (setting) {
        case "otlp":
            return {
                way: "Put a header (Authorization) in a Secret, and name that in kof:otlp.headersSecret",
                run: secretCommand("otlp-headers", [block === "headers" && header === key ? key : "Authorization"]),
            };
        case "values":
            return {
                way: "Put it in a Secret, and refer to that by name: by secretKeyRef in an env, and ${env:NAME} in a collector's configuration",
                run: secretCommand(ownName, [key]),
            };
        default:
            return { way: ways[`${setting}.${block}`] ?? ways[setting] ?? "Put it in a Secret" };
    }
}

const ways: Readonly<Record<string, string>> = {
    "cloudwatch.endpoint": "kof:cloudwatch.credentials says how the collectors sign in",
    "cloudwatch.credentials": "{kind: existingSecret, name: NAME} is a key in a Secret made elsewhere",
    chart: "Sign in to the registry with helm registry login where Pulumi runs",
};

/** What we call a Secret, or a ConfigMap, with what a user's own values need. */
export const ownName = "kof-own";

/** The command that makes a Secret in KOF's namespace, of files that are called as its keys are. */
export function secretCommand(name: string, keys: readonly string[]): string {
    return `kubectl create secret generic -n ${kofNamespace} ${name} ${keys.map((key) => `--from-file=${key}`).join(" ")}`;
}

/**
 * The setting without the secret: an address that nobody signs in to, or the variable from a Secret. Of a list all of it, which
 * is known where all its secrets are of that kind.
 */
function pasteOf({ path, address }: Secret, found: readonly Secret[], settings: OpenSettings["raw"]): unknown {
    const list = path.findIndex((step) => typeof step === "number");
    if (list < 0) {
        return address === undefined ? undefined : stackFile(path, path[0] === "otlp" ? baseOf(address) : address);
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

/** An address as route otlp takes it. */
function baseOf(address: string): string {
    return address.replace(/(?:\/v1\/(?:logs|metrics|traces))?\/*$/, "");
}

function fromSecret({ value: _, ...entry }: HelmValues, variable: string): HelmValues {
    return { ...entry, valueFrom: { secretKeyRef: { name: ownName, key: variable } } };
}
