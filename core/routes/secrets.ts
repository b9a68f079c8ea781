import { componentValues } from "../charts/umbrella";
import { isMap, textOf, valueAt, type HelmValue } from "../lib/values";
import { awsIdentityOf } from "../settings/settings";
import type { Archive } from "./archives";
import type { Deployment } from "./deployment";
import type { Resolved } from "./parts";
import { cloudwatchSecretName } from "./cloudwatch";
import { installedCharts } from "../charts/installed";
import { vmuserSecretPrefix } from "../charts/vmuser";

/** A Secret in namespace `kof` that something on the management cluster reads at its start. */
export interface RequiredSecret {
    readonly name: string;
    readonly keys: readonly string[];
    /** Who makes it: this stack, KOF's operator, or you, before the stack is deployed. */
    readonly maker: "stack" | "kof" | "you";
    /** Who does not start without it. */
    readonly reader: "collectors" | "grafana" | "exporters" | "other pods";
    /** The destinations that collectors authenticate with it at, or trust by it, where there are several. */
    readonly destinations?: readonly string[];
    /** Where the stack makes it: the setting that has it read one which was made elsewhere, under the same name. */
    readonly instead?: {
        readonly path: readonly string[];
        readonly value: unknown;
        /** What else the setting may be, in words. */
        readonly allowed: string;
    };
}

/** The name that KOF's Grafana looks for (kof-mothership and kof-storage, `grafana.security.credentials_secret_name`). */
export const grafanaSecretName = "grafana-admin-credentials";

/** What Grafana reads of it, as environment variables (kof-mothership and kof-storage, `templates/grafana/grafana.yaml`). */
const grafanaSecretKeys = ["GF_SECURITY_ADMIN_USER", "GF_SECURITY_ADMIN_PASSWORD"] as const;

/** Every Secret that a stack needs, no matter who makes it. Those with variables of the collectors come first. */
export function secretsOf(deployment: Resolved & Pick<Deployment, "collectors" | "archives">): RequiredSecret[] {
    const { collectors, archives } = deployment;
    const variables = collectors.flatMap(({ env }) => env.map(({ valueFrom }) => valueFrom ?? null));
    const ofCollectors = byName(secretKeyRefs(variables)).map(([name, keys]): RequiredSecret => ({
        ...makerOf(deployment, name),
        name,
        keys,
        reader: "collectors",
        ...destinationsWith(deployment, name),
    }));
    const ofOthers = byName(secretKeyRefs(otherValues(deployment))).map(([name, keys]): RequiredSecret => ({
        name,
        keys,
        maker: "you",
        reader: "other pods",
    }));
    return [...ofCollectors, ...grafanaSecrets(deployment), ...exporterSecrets(archives), ...ofOthers];
}

/** What the exporters of archives sign in to their buckets with. Both may read the same one. */
function exporterSecrets(archives: readonly Archive[]): RequiredSecret[] {
    const all = archives.flatMap(({ kind, secret, credentials }): RequiredSecret[] => {
        if (secret === undefined) {
            return [];
        }
        const read = { ...secret, reader: "exporters" } as const;
        const instead = secretInstead([kind, "credentials"], secret.name);
        return [
            credentials.kind === "existingSecret" ? { ...read, maker: "you" } : { ...read, maker: "stack", instead },
        ];
    });
    return all.filter(({ name }, i) => all.findIndex((each) => each.name === name) === i);
}

/** What has an access key be read from a Secret that was made elsewhere. */
function secretInstead(path: readonly string[], name: string): NonNullable<RequiredSecret["instead"]> {
    const allowed = "existingSecret, or without any Secret on EKS: podIdentity, irsa";
    return { path, value: { kind: "existingSecret", name }, allowed };
}

/** The destinations that are written to with a Secret: that of the base is known by the Secret that KOF makes. */
function destinationsWith({ targets }: Resolved, name: string): Pick<RequiredSecret, "destinations"> {
    const using = (targets ?? [])
        .filter(({ env = [] }) => secretKeyRefs([...env]).some((each) => each.name === name))
        .map((target) => target.name);
    const destinations = using.length === 0 && name.startsWith(vmuserSecretPrefix) ? ["regional"] : using;
    return targets === undefined || destinations.length === 0 ? {} : { destinations };
}

/** What a stack gives the charts that run pods on the management cluster, those of the collectors apart. */
function otherValues({ umbrella, values }: Resolved): HelmValue[] {
    const ofCollectors = ["kof-collectors", "kof-child", "kof-regional"];
    return installedCharts(umbrella)
        .filter(({ chart }) => !ofCollectors.includes(chart))
        .flatMap(({ prefix }) => valueAt(values, prefix) ?? []);
}

function makerOf({ settings }: Resolved, name: string): Pick<RequiredSecret, "maker" | "instead"> {
    const { identity, path = [] } = settings.cloudwatch ? awsIdentityOf(settings.cloudwatch.credentials) : {};
    if (name === cloudwatchSecretName && identity?.kind === "accessKey") {
        return { maker: "stack", instead: secretInstead(path, name) };
    }
    return { maker: name.startsWith(vmuserSecretPrefix) ? "kof" : "you" };
}

/** Grafana reads what the merged values name, no matter which setting enabled it. If it may, the chart makes a missing Secret. */
function grafanaSecrets(resolved: Resolved): RequiredSecret[] {
    const { umbrella, settings } = resolved;
    const mothership = componentValues(resolved, "kof-mothership");
    const grafana = (...path: string[]) => valueAt(mothership, ["grafana", ...path]);
    const runs = installedCharts(umbrella).some(({ chart }) => chart === "kof-mothership");
    if (!runs || grafana("enabled") !== true) {
        return [];
    }
    const name = textOf(grafana("security", "credentials_secret_name"));
    const secret = { name, keys: grafanaSecretKeys, reader: "grafana" } as const;
    const isOwn = settings.grafana?.enabled === true && settings.grafana.existingSecret === undefined;
    if (isOwn && name === grafanaSecretName) {
        const allowed = `the name of a Secret with the keys ${grafanaSecretKeys.join(" and ")}`;
        return [{ ...secret, maker: "stack", instead: { path: ["grafana", "existingSecret"], value: name, allowed } }];
    }
    return [{ ...secret, maker: grafana("security", "create_secret") === true ? "kof" : "you" }];
}

function secretKeyRefs(values: HelmValue): { name: string; key: string }[] {
    if (Array.isArray(values)) {
        return values.flatMap(secretKeyRefs);
    }
    if (!isMap(values)) {
        return [];
    }
    return Object.entries(values).flatMap(([key, value]) =>
        key === "secretKeyRef" && isMap(value)
            ? [{ name: textOf(value.name), key: textOf(value.key) }]
            : secretKeyRefs(value),
    );
}

function byName(references: readonly { readonly name: string; readonly key: string }[]): [string, string[]][] {
    const found = new Map<string, Set<string>>();
    for (const { name, key } of references) {
        found.set(name, (found.get(name) ?? new Set()).add(key));
    }
    return [...found].map(([name, keys]) => [name, [...keys].sort()]);
}
