import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";

import { parse, parseAllDocuments } from "yaml";

import { helm } from "./helm";
import { isMap, valueAt, type HelmValue, type HelmValues } from "../../core/lib/values";
import { isFolder } from "../../components/kof";
import { kofNamespace } from "../../core/charts/namespace";
import { UserError } from "../../core/lib/errors";
import type { Deployment } from "../../core/routes/deployment";
import { asHelm } from "../../core/lib/yaml/read";
import {
    collectorsRelease,
    operatorImage,
    pickFields,
    podFields,
    type Collector,
    type EnvVar,
} from "../../core/collectors/effective";
import { regionalDomain } from "../../core/collectors/fragments";
import { secretVersion } from "../../core/collectors/service";

/** The charts that define the collectors of the management cluster. */
const needed = ["kof", "kof-child", "kof-regional", "kof-collectors"];

/** @throws UserError when a folder lacks a chart, or has one of another version. */
function checkCharts(folder: string, version: string): void {
    for (const name of needed) {
        const file = path.join(folder, name, "Chart.yaml");
        if (!fs.existsSync(file)) {
            throw new UserError(
                `${folder} has no chart ${name} (there is no ${file}). Get each of ${needed.join(", ")} with\n` +
                    `  helm pull --untar --untardir ${folder} oci://ghcr.io/k0rdent/kof/charts/${name} --version ${version}`,
            );
        }
        const found = (parse(fs.readFileSync(file, "utf8")) as { version?: unknown } | null)?.version;
        if (found !== version) {
            const place = path.join(folder, name);
            throw new UserError(`${place} is of version ${String(found)}, but the stack is on KOF ${version}.`);
        }
    }
}

async function pullCharts(chart: string, version: string, folder: string): Promise<void> {
    for (const name of needed) {
        const source = chart.startsWith("oci://") ? [chart.replace(/[^/]+\/?$/, name)] : [name, "--repo", chart];
        await helm(["pull", ...source, "--version", version, "--untar", "--untardir", folder]);
    }
}

/** Does something with a folder that is gone afterwards. */
async function inTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-charts-"));
    try {
        return await work(folder);
    } finally {
        fs.rmSync(folder, { recursive: true, force: true });
    }
}

/**
 * The collectors that would run on the management cluster, as Helm renders them from the real charts: the umbrella, and its
 * release of kof-collectors. From KOF 1.10 on, a MultiClusterService of kof-child or kof-regional has that release.
 *
 * The charts look up objects in the cluster. Here they find the namespace `kof`, in the mesh or not, and the region's domain and
 * credentials. Nothing else exists.
 *
 * @param chart a folder that holds the charts as `helm pull --untar` leaves them, one folder each; or the umbrella chart as
 * `kof:chart` takes it, an OCI address or a repository's URL, beside which the others are.
 * @throws UserError when a chart is missing or of another version, and when Helm is missing, or refuses a chart or the values.
 */
export async function collectorsOfCharts(deployment: Deployment, chart: string): Promise<Collector[]> {
    if (isFolder(chart)) {
        return collectorsIn(chart, deployment);
    }
    return inTemporaryFolder(async (folder) => {
        await pullCharts(chart, deployment.settings.version, folder);
        return collectorsIn(folder, deployment);
    });
}

async function collectorsIn(folder: string, deployment: Deployment): Promise<Collector[]> {
    checkCharts(folder, deployment.settings.version);
    return withCluster(deployment.settings.istio, async (env) => {
        const template = async (release: string, values: HelmValues, chart = release) => {
            const options = ["-n", kofNamespace, "--dry-run=server", "--kube-version", "1.32.0", "-f", "-"];
            const args = ["template", release, path.join(folder, chart), ...options];
            return objects(await helm(args, JSON.stringify(values), env));
        };
        const releases = new Map(
            (await template("kof", deployment.values)).flatMap(({ kind, metadata, spec }) =>
                kind === "HelmRelease" ? [[metadata.name, (spec.values ?? {}) as HelmValues] as const] : [],
            ),
        );
        const found: Collector[] = [];
        const collect = async (values: HelmValues) => {
            for (const { kind, metadata, spec } of await template(collectorsRelease, values)) {
                if (kind === "OpenTelemetryCollector") {
                    found.push(collector(metadata.name, spec, deployment));
                }
            }
        };
        const own = releases.get(collectorsRelease);
        if (own) {
            await collect(own);
        }
        for (const name of ["kof-child", "kof-regional"]) {
            for (const { kind, spec } of await template(name, releases.get(name) ?? {})) {
                const values = kind === "MultiClusterService" ? serviceTemplate(spec) : undefined;
                if (values !== undefined) {
                    await collect(await evaluate(values, spec, deployment, env));
                }
            }
        }
        return found;
    });
}

interface KubernetesObject {
    readonly kind: string;
    readonly metadata: { readonly name: string };
    readonly spec: HelmValues;
}

function objects(text: string): KubernetesObject[] {
    return parseAllDocuments(text, asHelm).flatMap((document) => {
        const object: unknown = document.toJS();
        return isMap(object) ? [object as unknown as KubernetesObject] : [];
    });
}

function collector(name: string, spec: HelmValues, deployment: Deployment): Collector {
    const key = name.slice(collectorsRelease.length + 1);
    return {
        key,
        name,
        image: (spec.image ?? operatorImage(deployment)) as string,
        mode: spec.mode as string,
        hostNetwork: spec.hostNetwork === true,
        env: spec.env as unknown as EnvVar[],
        pods: pickFields(spec, podFields),
        config: spec.config as HelmValues,
    };
}

/** The values of kof-collectors in a MultiClusterService, as a template, if it is for the management cluster. */
function serviceTemplate(spec: HelmValues): string | undefined {
    const services = (valueAt(spec, ["serviceSpec", "services"]) ?? []) as HelmValues[];
    return valueAt(spec, ["serviceSpec", "provider", "selfManagement"]) === true
        ? (services.find(({ name }) => name === collectorsRelease)?.values as string | undefined)
        : undefined;
}

/**
 * Evaluates a template of a MultiClusterService with Helm. In the cluster, Sveltos does that. Helm has the same functions, except the
 * two that read other objects. Their results are inserted before.
 */
async function evaluate(
    text: string,
    spec: HelmValues,
    deployment: Deployment,
    env: NodeJS.ProcessEnv,
): Promise<HelmValues> {
    const cluster = { metadata: { name: "mgmt", namespace: "mgmt" } };
    const template = async (folder: string, content: string, values: HelmValues) => {
        fs.writeFileSync(path.join(folder, "Chart.yaml"), "{apiVersion: v2, name: service, version: 0.0.0}");
        fs.mkdirSync(path.join(folder, "templates"), { recursive: true });
        const inner = content
            .replaceAll(/\bgetField\s+"(\w+)"\s+"([\w.]+)"/g, (_, id: string, field: string) => {
                const keys = field.split(".").map((key) => `"${key}"`);
                return `dig ${keys.join(" ")} "" (dig "${id}" (dict) .resources)`;
            })
            .replaceAll(/\bgetResource\s+"(\w+)"/g, '(dig "$1" (dict) .resources)');
        // As one string: what comes out is indented as its place in the MultiClusterService wants it.
        const whole = `{{- define "service" }}${inner}{{ end -}}\ntext: {{ include "service" .Values | toJson }}`;
        fs.writeFileSync(path.join(folder, "templates", "values.yaml"), whole);
        const { text: evaluated } = parse(
            await helm(["template", "service", folder, "-f", "-"], JSON.stringify(values), env),
        ) as { text: string };
        return parse(evaluated, asHelm) as unknown;
    };
    return inTemporaryFolder(async (folder) => {
        const resources: HelmValues = {};
        for (const reference of (valueAt(spec, ["serviceSpec", "templateResourceRefs"]) ?? []) as HelmValues[]) {
            const { kind, name } = reference.resource as Record<string, string>;
            const evaluated = await template(folder, String(name), { Cluster: cluster });
            resources[reference.identifier as string] = resource(String(kind), String(evaluated), deployment);
        }
        const values = await template(folder, text, { Cluster: cluster, resources });
        return isMap(values) ? values : {};
    });
}

/** An object that the charts look up: the region's cluster with its domain, or the Secret with its credentials. */
function resource(kind: string, name: string, { settings }: Deployment): HelmValue {
    const domain =
        settings.route === "regional" ? regionalDomain(settings.regional.cluster, settings.regional.domain) : "";
    return {
        metadata: {
            name,
            ...(kind === "Secret" ? { resourceVersion: secretVersion(name) } : {}),
            ...(kind === "Cluster" ? { annotations: { "k0rdent.mirantis.com/kof-regional-domain": domain } } : {}),
        },
    };
}

/** Runs something against a cluster in which there is nothing but the namespace `kof`, for Helm's `lookup`. */
async function withCluster<T>(istio: boolean, run: (env: NodeJS.ProcessEnv) => Promise<T>): Promise<T> {
    const labels = istio ? { "istio-injection": "enabled" } : {};
    const answers: Readonly<Record<string, object>> = {
        "/version": { major: "1", minor: "32", gitVersion: "v1.32.0" },
        "/api": { kind: "APIVersions", versions: ["v1"] },
        "/apis": { kind: "APIGroupList", apiVersion: "v1", groups: [] },
        "/api/v1": {
            kind: "APIResourceList",
            groupVersion: "v1",
            resources: [
                { name: "namespaces", kind: "Namespace", namespaced: false, verbs: ["get", "list"] },
                { name: "secrets", kind: "Secret", namespaced: true, verbs: ["get", "list"] },
                { name: "configmaps", kind: "ConfigMap", namespaced: true, verbs: ["get", "list"] },
            ],
        },
        [`/api/v1/namespaces/${kofNamespace}`]: {
            kind: "Namespace",
            apiVersion: "v1",
            metadata: { name: kofNamespace, labels },
        },
        ...Object.fromEntries(
            ["namespaces", "secrets", "configmaps"].map((name) => [
                `/api/v1/${name}`,
                { kind: "List", apiVersion: "v1", metadata: {}, items: [] },
            ]),
        ),
    };
    const missing = { kind: "Status", apiVersion: "v1", status: "Failure", reason: "NotFound", code: 404 };
    const server = http.createServer((request, response) => {
        const answer = answers[(request.url ?? "").replace(/\?.*|\/$/g, "")];
        response.writeHead(answer ? 200 : 404, { "Content-Type": "application/json" });
        response.end(JSON.stringify(answer ?? missing));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const named = (kind: string, content: object) => [{ name: "none", [kind]: content }];
    const config = {
        apiVersion: "v1",
        kind: "Config",
        "current-context": "none",
        clusters: named("cluster", { server: `http://127.0.0.1:${String(port)}` }),
        users: named("user", {}),
        contexts: named("context", { cluster: "none", user: "none" }),
    };
    return inTemporaryFolder((folder) => {
        const kubeconfig = path.join(folder, "kubeconfig");
        fs.writeFileSync(kubeconfig, JSON.stringify(config));
        return run({ KUBECONFIG: kubeconfig, NO_PROXY: "127.0.0.1" });
    }).finally(() => {
        server.closeAllConnections();
        server.close();
    });
}
