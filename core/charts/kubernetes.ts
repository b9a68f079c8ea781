import type { Shaped } from "./shapes";
import { isMap } from "../lib/values";

const fields = (names: string): Readonly<Record<string, Shaped>> =>
    Object.fromEntries(names.split(/\s+/).map((name) => [name, null]));

const any: Shaped = { "*": null };

const securityProfile = fields("localhostProfile type");
const bothSecurityContexts = {
    ...fields("runAsGroup runAsNonRoot runAsUser"),
    appArmorProfile: securityProfile,
    seLinuxOptions: fields("level role type user"),
    seccompProfile: securityProfile,
    windowsOptions: fields("gmsaCredentialSpec gmsaCredentialSpecName hostProcess runAsUserName"),
};
const httpGet = fields("host httpHeaders path port scheme");
const tcpSocket = fields("host port");
const exec = fields("command");
const podAffinity = fields(
    "preferredDuringSchedulingIgnoredDuringExecution requiredDuringSchedulingIgnoredDuringExecution",
);
const handler = { exec, httpGet, sleep: fields("seconds"), tcpSocket };
const scaling = fields("policies selectPolicy stabilizationWindowSeconds tolerance");

/** The fields of Kubernetes' types that charts copy from their values, as of its version 1.34. */
export const kubernetesTypes = {
    SecurityContext: {
        ...bothSecurityContexts,
        ...fields("allowPrivilegeEscalation privileged procMount readOnlyRootFilesystem"),
        capabilities: fields("add drop"),
    },
    PodSecurityContext: {
        ...bothSecurityContexts,
        ...fields(
            "fsGroup fsGroupChangePolicy seLinuxChangePolicy supplementalGroups supplementalGroupsPolicy sysctls",
        ),
    },
    ResourceRequirements: { claims: [], limits: any, requests: any },
    Probe: {
        ...fields("failureThreshold initialDelaySeconds periodSeconds successThreshold"),
        ...fields("terminationGracePeriodSeconds timeoutSeconds"),
        exec,
        grpc: fields("port service"),
        httpGet,
        tcpSocket,
    },
    Affinity: {
        nodeAffinity: {
            ...podAffinity,
            requiredDuringSchedulingIgnoredDuringExecution: fields("nodeSelectorTerms"),
        },
        podAffinity,
        podAntiAffinity: podAffinity,
    },
    Lifecycle: { postStart: handler, preStop: handler, stopSignal: null },
    PodDNSConfig: fields("nameservers options searches"),
    EmptyDirVolumeSource: fields("medium sizeLimit"),
    HorizontalPodAutoscalerBehavior: { scaleDown: scaling, scaleUp: scaling },
} as const satisfies Readonly<Record<string, Shaped>>;

const probe = kubernetesTypes.Probe;
const strategy = { type: null, rollingUpdate: fields("maxSurge maxUnavailable partition") };

/** Types by the keys under which every chart copies them. Some charts say `securityContext` of a pod, others of a container. */
const typesByKey: Readonly<Record<string, Shaped>> = {
    affinity: kubernetesTypes.Affinity,
    behavior: kubernetesTypes.HorizontalPodAutoscalerBehavior,
    containerSecurityContext: kubernetesTypes.SecurityContext,
    dnsConfig: kubernetesTypes.PodDNSConfig,
    emptyDir: kubernetesTypes.EmptyDirVolumeSource,
    lifecycle: kubernetesTypes.Lifecycle,
    livenessProbe: probe,
    podSecurityContext: kubernetesTypes.PodSecurityContext,
    "probe.liveness": probe,
    "probe.readiness": probe,
    "probe.startup": probe,
    readinessProbe: probe,
    resources: kubernetesTypes.ResourceRequirements,
    securityContext: { ...kubernetesTypes.PodSecurityContext, ...kubernetesTypes.SecurityContext },
    startupProbe: probe,
    strategy,
    updateStrategy: strategy,
};

/**
 * Whether a chart of another project also accepts something other than a map: kube-state-metrics the name of a strategy (`Recreate`),
 * external-dns a list of arguments (`templates/deployment.yaml` of both).
 */
export function takesMore(shaped: Shaped, path: readonly string[]): boolean {
    const place = path.join(".");
    return (shaped === null && place === "updateStrategy") || (isMap(shaped) && place === "extraArgs");
}

/**
 * What is read of a value that a chart copies as a whole: the fields of its Kubernetes type, and what the chart itself reads of it. What
 * is no such place stays as it is.
 */
export function typed(shaped: Shaped, path: readonly string[]): Shaped {
    const type = typesByKey[path.slice(-2).join(".")] ?? typesByKey[path.at(-1) ?? ""];
    const isWhole = shaped === null || (isMap(shaped) && shaped["*"] === null);
    return type !== undefined && isWhole ? within(type, shaped) : shaped;
}

function within(type: Shaped, shaped: Shaped | undefined): Shaped {
    if (!isMap(type) || !isMap(shaped)) {
        return type ?? shaped ?? null;
    }
    const known = Object.entries<Shaped>(shaped).filter(([key]) => key !== "*");
    return {
        ...type,
        ...Object.fromEntries(
            known.map(([key, inner]) => [key, Object.hasOwn(type, key) ? within(type[key] as Shaped, inner) : inner]),
        ),
    };
}
