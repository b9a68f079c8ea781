import * as semver from "semver";

import { kcmApi } from "../core/charts/multiCluster";
import { kofNamespace } from "../core/charts/namespace";
import { maskedLog } from "../core/lib/secrets";
import { isMap, textOf, valueAt, type HelmValues } from "../core/lib/values";
import { isTextToCollectors } from "../core/lib/yaml/read";
import type { Deployment } from "../core/routes/deployment";
import { secretCommand } from "../core/settings/secretRules";
import type { ApiObject, StatusCondition } from "./objects";
import { secretValues } from "./secrets";
import { lookAtEach, type Check, type Finding, type Findings, type Live } from "./findings";

/** The oldest Kubernetes that KOF is tested with (KOF's version compatibility page, 1.8 to 1.10). */
const oldestKubernetes = "1.32.0";

/** What has to be there before KOF is installed. */
export const prerequisites: readonly Check[] = [
    { title: "Kubernetes API", look: kubernetesVersion },
    { title: "KCM", look: kcm },
    { title: "Flux", look: flux },
    { title: "cert-manager", look: certManager },
    { title: "Istio label", look: istioLabel },
    { title: "Secrets", look: secrets },
];

async function kubernetesVersion({ kubernetes }: Live): Promise<Findings> {
    const found = await kubernetes.get<{ gitVersion: string }>("/version");
    const version = semver.coerce(found?.gitVersion);
    return (
        version !== null &&
        semver.lt(version, oldestKubernetes) && {
            severity: "warning",
            what: `Kubernetes ${version.version} is older than ${oldestKubernetes}`,
            why: "KOF is not tested with it.",
            fix: "kubectl version",
        }
    );
}

interface Management extends ApiObject {
    readonly spec?: { readonly release?: string };
    readonly status?: { readonly release?: string; readonly conditions?: readonly StatusCondition[] };
}

/** KCM's minor version is KOF's: upstream tests no other pair (.github/actions/shared-setup/action.yaml, KOF 1.8 to 1.11). */
async function kcm({ kubernetes, deployment }: Live): Promise<Findings> {
    const [management] = await kubernetes.list<Management>(`${kcmApi}/managements`);
    if (!management) {
        return {
            severity: "problem",
            what: "there is no Management object: KCM is not installed",
            why: "KOF is made of KCM's objects, and KCM brings Flux and cert-manager. Nothing of KOF can be installed.",
            fix: "helm install kcm oci://ghcr.io/k0rdent/kcm/charts/kcm -n kcm-system --create-namespace",
        };
    }
    const release = management.status?.release ?? management.spec?.release ?? "";
    // A release is named after its version: kcm-1-10-0.
    const version = /(\d+)-(\d+)-(\d+)/.exec(release)?.slice(1).join(".");
    const wanted = deployment.settings.version;
    const ready = management.status?.conditions?.find(({ type }) => type === "Ready");
    return [
        (version === undefined || semver.minor(version) !== semver.minor(wanted)) && {
            severity: "warning",
            what: `KCM is ${release || "of an unknown release"}, KOF is to be ${wanted}`,
            why: "Each KOF version is tested with the KCM of the same minor version only. Upgrade KCM first.",
            fix: "kubectl get releases.k0rdent.mirantis.com,managements.k0rdent.mirantis.com",
        },
        ready &&
            ready.status !== "True" && {
                severity: "problem",
                what: `KCM is not ready: ${maskedLog(ready.message ?? ready.reason ?? "")}`,
                why: "KOF's services are rolled out by KCM.",
                fix: `kubectl describe management ${management.metadata.name}`,
            },
    ];
}

interface Crd {
    readonly spec: {
        readonly versions: readonly { name: string; served: boolean; schema?: { openAPIV3Schema?: CrdSchema } }[];
    };
}

interface CrdSchema {
    readonly properties?: Readonly<Record<string, CrdSchema>>;
    readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
}

const crdsPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** What the umbrella chart makes, by the API versions that it writes (charts/kof/templates). */
const fluxKinds = {
    "helmreleases.helm.toolkit.fluxcd.io": "v2",
    "helmcharts.source.toolkit.fluxcd.io": "v1",
    "helmrepositories.source.toolkit.fluxcd.io": "v1",
} as const;

async function flux({ kubernetes }: Live): Promise<Findings> {
    return lookAtEach(Object.entries(fluxKinds), async ([name, version]) => {
        const crd = await kubernetes.get<Crd>(`${crdsPath}/${name}`);
        const served = crd?.spec.versions.find((each) => each.name === version && each.served);
        if (!served) {
            return {
                severity: "problem",
                what: `the cluster has no ${name} ${version}`,
                why: "KOF's components are Flux HelmReleases. KCM brings Flux; without it the first object is refused.",
                fix: "kubectl get deployments -A -l app.kubernetes.io/part-of=flux",
            };
        }
        return (
            name.startsWith("helmreleases") &&
            !hasUpgradeStrategy(served.schema?.openAPIV3Schema) && {
                severity: "problem",
                what: "Flux's HelmRelease does not know spec.upgrade.strategy",
                why: "KOF sets it (Flux 2.7 and later); an older Flux refuses the HelmReleases.",
                fix: "kubectl get deployments -A -l app.kubernetes.io/part-of=flux -o wide",
            }
        );
    });
}

function hasUpgradeStrategy(schema: CrdSchema | undefined): boolean {
    let current = schema;
    for (const step of ["spec", "upgrade", "strategy"]) {
        if (current?.["x-kubernetes-preserve-unknown-fields"] === true) {
            return true;
        }
        current = current?.properties?.[step];
    }
    return current !== undefined;
}

async function certManager({ kubernetes }: Live): Promise<Findings> {
    const why = "kof-operators gets the certificate of its admission webhook from cert-manager, and hangs without it.";
    if ((await kubernetes.get(`${crdsPath}/certificates.cert-manager.io`)) === undefined) {
        return {
            severity: "problem",
            what: "cert-manager is not installed",
            why,
            fix: "kubectl get management kcm -o jsonpath='{.status.components}'",
        };
    }
    const pods = await kubernetes.list<{ status?: { conditions?: StatusCondition[] } }>(
        "/api/v1/pods?labelSelector=app.kubernetes.io/name%3Dcert-manager",
    );
    const isReady = ({ type, status }: StatusCondition) => type === "Ready" && status === "True";
    return (
        !pods.some(({ status }) => status?.conditions?.some(isReady)) && {
            severity: "problem",
            what: "no cert-manager is running",
            why,
            fix: "kubectl get pods -A -l app.kubernetes.io/instance=cert-manager",
        }
    );
}

async function istioLabel({ kubernetes, deployment }: Live): Promise<Findings> {
    const namespace = await kubernetes.get<ApiObject>(`/api/v1/namespaces/${kofNamespace}`);
    const inMesh = namespace?.metadata.labels?.["istio-injection"] === "enabled";
    const { istio } = deployment.settings;
    return (
        namespace !== undefined &&
        inMesh !== istio && {
            severity: "problem",
            what: `namespace ${kofNamespace} ${inMesh ? "has" : "lacks"} the label istio-injection=enabled, but kof:istio is ${String(istio)}`,
            why: "KOF names its services after the label: flipping it removes the storage of regions and of this cluster.",
            fix: `pulumi config set kof:istio ${String(inMesh)}`,
        }
    );
}

/** A Secret that has to exist before the collectors start, and that neither the program nor the chart makes. */
interface NeededSecret extends Omit<Finding, "what"> {
    readonly name: string;
    readonly keys: readonly string[];
}

async function secrets({ kubernetes, deployment }: Live): Promise<Findings> {
    return lookAtEach(neededSecrets(deployment), async ({ name, keys, ...rest }) => {
        const values = await secretValues({ kubernetes }, name);
        const missing = keys.filter((key) => !values?.get(key));
        const headers = bareHeadersOf(deployment, name);
        const unreadable = [...(values ?? [])].filter(
            ([key, value]) => headers.includes(key) && !isTextToCollectors(value),
        );
        return [
            !values && { ...rest, what: `there is no Secret ${kofNamespace}/${name}` },
            values &&
                missing.length > 0 && {
                    ...rest,
                    what: `Secret ${kofNamespace}/${name} lacks the ${missing.length > 1 ? "keys" : "key"} ${missing.join(", ")}`,
                },
            unreadable.length > 0 && {
                severity: "problem",
                what: `Secret ${kofNamespace}/${name}, ${unreadable.map(([key]) => key).join(", ")}: the value is no text to a collector, which reads it as YAML`,
                why: "Collectors do not start with a header that is a number, a date, true or a map to YAML.",
                fix: "kof:destinations takes any value: have a destination with auth {kind: headers} there, and kof:signals name it instead of otlp",
            },
        ];
    });
}

/** The keys of a Secret that collectors send as headers by nothing but a reference. */
function bareHeadersOf({ collectors }: Deployment, secret: string): string[] {
    const keys = collectors.flatMap(({ config, env }) =>
        Object.values(isMap(config.exporters) ? config.exporters : {})
            .flatMap((options) => Object.values((valueAt(options, ["headers"]) ?? {}) as HelmValues))
            .flatMap((value) => {
                const [, variable] = /^\$\{env:(\w+)\}$/.exec(typeof value === "string" ? value : "") ?? [];
                const source = valueAt(env.find(({ name }) => name === variable)?.valueFrom, ["secretKeyRef"]);
                return valueAt(source, ["name"]) === secret ? [textOf(valueAt(source, ["key"]) ?? "")] : [];
            }),
    );
    return [...new Set(keys)];
}

/** The Secrets that a stack needs, apart from those that are made along with it. */
export function neededSecrets(deployment: Deployment): NeededSecret[] {
    const { regional } = deployment.settings;
    return deployment.secrets.flatMap(({ name, keys, maker, reader, destinations = [] }): NeededSecret[] => {
        const secret = { name, keys, severity: "problem" } as const;
        const needed = destinations.length === 0 ? "" : ` It is for ${destinations.join(" and ")} in kof:signals.`;
        if (maker === "kof" && regional && reader === "collectors") {
            const { cluster, namespace } = regional;
            const why = `KOF makes it once region ${cluster} is set up. Collectors do not start without it.${needed}`;
            return [{ ...secret, why, fix: `kubectl get clusterdeployment -n ${namespace} ${cluster}` }];
        }
        const who = {
            collectors: "Collectors do",
            grafana: "Grafana does",
            exporters: "Exporters of archives do",
            "other pods": "Pods do",
        }[reader];
        const then = reader === "exporters" ? "nothing is archived" : "their release times out";
        const why = `${who} not start without it (CreateContainerConfigError), and ${then}.${needed}`;
        const fix = secretCommand(name, keys);
        return maker === "you" ? [{ ...secret, why, fix }] : [];
    });
}
