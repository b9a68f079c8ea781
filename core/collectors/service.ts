import * as semver from "semver";

import { chartValues, type Catalog } from "../charts";
import { coalesceValues, mergeValues, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import { vmuserSecretName } from "../charts/vmuser";
import type { Settings } from "../settings/settings";
import {
    authenticatorDefinitions,
    authenticators,
    collectorsInMesh,
    daemonAtNodeAddress,
    daemonOnHostNetwork,
    exportersToRegion,
    managementValues,
    unverified,
    vmauthOf,
    vmuserEnv,
    writePaths,
} from "./fragments";

/*
 * From KOF 1.10 on, kof-collectors gets its values on the management cluster from a MultiClusterService: of kof-child
 * (`templates/child-multi-cluster-service.yaml`) or, without regions, of kof-regional
 * (`templates/regional-multi-cluster-service.yaml`). Templates are no data, so what they add is restated here, as of 1.10.0
 * and 1.11.0-rc0.
 */

/**
 * The values that kof-child gives kof-collectors on the management cluster.
 *
 * @param umbrella the umbrella's values, complete with its defaults.
 * @param settings what the template looks up in the cluster: Istio's label, and the region's domain.
 */
export function collectorsOfChild(catalog: Catalog, umbrella: HelmValues, settings: Settings): HelmValues {
    const { istio } = settings;
    const child = coalesceValues(
        chartValues(catalog, "kof-child"),
        (valueAt(umbrella, ["kof-child", "values"]) ?? {}) as HelmValues,
        insecureExporters(umbrella),
    );
    const at = (...path: string[]) => valueAt(child, ["fromManagement", ...path]);
    const text = (...path: string[]) => at(...path) as string;
    const region = text("toRegionalCluster", "name");
    const secret = vmuserSecretName(region, text("toRegionalCluster", "namespace"));
    const here = managementValues(
        text("cluster", "name"),
        text("cluster", "namespace"),
        { collectors: istio ? collectorsInMesh : { daemon: daemonOnHostNetwork } },
        ofVersion(catalog, region ? secret : undefined),
    );
    const further = [(child.collectors ?? {}) as HelmValues, (at("collectors") ?? {}) as HelmValues];
    if (!region) {
        return mergeValues(here, ...further);
    }
    // The template looks the domain up in the annotations of the region's cluster.
    const vmauth = vmauthOf(region, settings.regional?.domain, istio);
    const merged = mergeValues(here, serviceToRegion(vmauth, istio), ...further);
    const env = valueAt(merged, ["opentelemetry-kube-stack", "defaultCRConfig", "env"]) as HelmValue[];
    return mergeValues(merged, {
        "opentelemetry-kube-stack": { defaultCRConfig: { env: [...vmuserEnv(secret), ...env] } },
    });
}

/** The values that kof-regional gives kof-collectors on the management cluster where there are no regions; see {@link collectorsOfChild}. */
export function collectorsOfRegional(catalog: Catalog, umbrella: HelmValues, { istio }: Settings): HelmValues {
    const regional = coalesceValues(
        chartValues(catalog, "kof-regional"),
        (valueAt(umbrella, ["kof-regional", "values"]) ?? {}) as HelmValues,
    );
    return mergeValues(
        // The namespace is that of the object which stands for the management cluster.
        managementValues(
            valueAt(umbrella, ["regionless", "clusterName"]) as string,
            "mgmt",
            listensOnNodes(catalog) ? nodeValues(istio) : withoutController(istio),
            ofVersion(catalog, vmuserSecretName("mgmt", "mgmt")),
            { collectors: { daemon: { config: { service: { extensions } } } } },
        ),
        (regional.collectors ?? {}) as HelmValues,
    );
}

/**
 * Whether kof-regional puts the daemon of the management cluster on the network of its node. 1.10.0 leaves it on the pod network,
 * which spans to a node's address do not reach (kof#1127, fixed after that version's tag).
 */
export function listensOnNodes({ version }: Catalog): boolean {
    return semver.gte(version, "1.11.0-0");
}

function withoutController(istio: boolean): HelmValues {
    return istio ? { collectors: { "controller-k0s": { enabled: false } } } : {};
}

/** What kof-regional sets for that. In the mesh the daemon stays on the pod network. */
export function nodeValues(istio: boolean): HelmValues {
    return {
        collectors: istio ? collectorsInMesh : { daemon: mergeValues(daemonOnHostNetwork, daemonAtNodeAddress) },
    };
}

/** The daemon's image, and an annotation that restarts the collectors when the credentials change. */
function ofVersion({ version }: Catalog, secret: string | undefined): HelmValues {
    const resourceVersion = secret === undefined ? "" : secretVersion(secret);
    return {
        collectors: { daemon: { image: { tag: `v${version}` } } },
        defaultCRConfig: { podAnnotations: { "k0rdent.mirantis.com/kof-vmuser-secret-version": resourceVersion } },
    };
}

/** Stands for the version of a Secret, which only the cluster knows. */
export function secretVersion(secret: string): string {
    return `<resourceVersion of Secret ${secret}>`;
}

const extensions = [
    "k8s_observer",
    "file_storage/filelogreceiver",
    "file_storage/filelogsyslogreceiver",
    "file_storage/filelogk8sauditreceiver",
    "file_storage/journaldreceiver",
    "file_storage/exporters",
];

function serviceToRegion(vmauth: string, istio: boolean): HelmValues {
    const audit = { logs_endpoint: `${vmauth}${writePaths.audit}`, auth: { authenticator: "basicauth/logs" } };
    // The order of this list is the template's.
    const daemonExtensions = [...extensions, "basicauth/metrics", "basicauth/logs", "basicauth/traces"];
    const daemon = { config: { service: { extensions: daemonExtensions } } };
    return {
        "opentelemetry-kube-stack": {
            collectors: { daemon: istio ? daemon : mergeValues(daemonAtNodeAddress, daemon) },
            defaultCRConfig: {
                config: {
                    extensions: authenticatorDefinitions,
                    service: { extensions: [...authenticators, "file_storage/exporters"] },
                    exporters: { debug: {}, ...exportersToRegion(vmauth), "otlphttp/logs-audit": audit },
                },
            },
        },
    };
}

/** `tls.insecureSkipVerify` of the umbrella (`charts/kof/templates/helmreleases.yaml`). */
function insecureExporters(umbrella: HelmValues): HelmValues {
    if (valueAt(umbrella, ["tls", "insecureSkipVerify"]) !== true) {
        return {};
    }
    const names = ["otlphttp/logs", "otlphttp/logs-audit", "prometheusremotewrite", "otlphttp/traces"];
    const config = { exporters: unverified(names) };
    return { collectors: { "opentelemetry-kube-stack": { defaultCRConfig: { config } } } };
}
