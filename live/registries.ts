import { chartValues } from "../catalog";
import { umbrellaObjects } from "../catalog/umbrella";
import { valueAt, type HelmValue } from "../catalog/values";
import { isFolder } from "../components/kof";
import type { Route } from "../routes";
import type { Check, Finding, Live } from "./findings";
import { reason, send, type Response } from "./kubernetes";

/** Whether what is installed can be fetched. Looked at from here: the cluster may reach more, or less. */
export const registries: readonly Check[] = [{ title: "Charts and images", look: artifacts }];

/** A chart or an image that is fetched by its address. */
export interface Artifact {
    /** `chart kof 1.10.0`, `image ghcr.io/k0rdent/kof/kof-operator-controller:v1.10.0` */
    readonly name: string;
    /** `oci://HOST/PATH`, or the address of a chart repository. */
    readonly url: string;
    /** Version or tag. */
    readonly version: string;
}

/** The charts that a stack has Pulumi and Flux fetch: the umbrella, and its components. */
export function charts({ settings, catalog, umbrella, values }: Route): Artifact[] {
    const at = (...path: string[]) => valueAt(umbrella, path);
    const version = (at("global", "helmRepo", "chartVersion") as string) || settings.version;
    const repository = at("global", "helmRepo", "kofManaged", "url") as string;
    const managed = at("global", "helmRepo", "kofManaged", "enabled") === true;
    const chart = (name: string, url: string, wanted = version) => ({
        name: `chart ${name} ${wanted}`,
        url,
        version: wanted,
    });
    const components = umbrellaObjects(catalog, values)
        .filter(({ kind, name }) => kind === "HelmChart" && name !== "victoria-metrics-operator" && managed)
        .map(({ name }) => chart(name, `${repository}/${name}`));
    const operator = at("victoria-metrics-operator", "repo", "url") as string;
    return [
        ...(isFolder(settings.chart) ? [] : [chart("kof", settings.chart, settings.version)]),
        ...components,
        chart("victoria-metrics-operator", operator, at("victoria-metrics-operator", "version") as string),
    ];
}

/** KOF's own images, which are not in the charts' registry in an air gap unless somebody put them there. */
export function images({ settings: { version }, catalog, umbrella }: Route): Artifact[] {
    const image = (chart: string, values: HelmValue | undefined, ...path: string[]) => {
        const [given, own] = [valueAt(values, path), valueAt(chartValues(catalog, chart), path)];
        const at = (key: string) => (valueAt(given, [key]) ?? valueAt(own, [key])) as string | undefined;
        const address = [at("registry"), at("repository")].filter((part) => part !== undefined).join("/");
        const tag = at("tag") ?? `v${version}`;
        return { name: `image ${address}:${tag}`, url: `oci://${address}`, version: tag };
    };
    const values = (component: string) => valueAt(umbrella, [component, "values"]);
    const stack = "opentelemetry-kube-stack";
    return [
        image("kof-mothership", values("kof-mothership"), "kcm", "kof", "operator", "image"),
        image("kof-collectors", values("kof-collectors"), stack, "collectors", "daemon", "image"),
    ];
}

async function artifacts({ route }: Live): Promise<Finding[]> {
    const all = [...charts(route), ...images(route)];
    const looks = await Promise.all(all.map(async (artifact) => ({ artifact, answer: await ask(artifact) })));
    const findings: Finding[] = [];
    const unseen = new Map<string, { what: string; artifacts: Artifact[] }>();
    for (const { artifact, answer } of looks) {
        if (answer === 404) {
            findings.push({
                severity: "problem",
                what: `there is no ${artifact.name} at ${artifact.url}`,
                why: "It cannot be installed. In an air gap, mirror it, and set kof:chart and kof:values.global.helmRepo.",
                fix: showCommand(artifact),
            });
        } else if (answer !== 200) {
            const what =
                typeof answer === "number" ? `answers HTTP ${String(answer)}` : `does not answer from here (${answer})`;
            const { host } = new URL(artifact.url.replace(/^oci:/, "https:"));
            const same = unseen.get(`${host} ${what}`) ?? { what: `${host} ${what}`, artifacts: [] };
            same.artifacts.push(artifact);
            unseen.set(`${host} ${what}`, same);
        }
    }
    for (const { what, artifacts: hidden } of unseen.values()) {
        findings.push({
            severity: "unknown",
            what: `could not look for ${hidden.map(({ name }) => name).join(", ")}: ${what}`,
            why: "The cluster may reach what this machine does not, and may have credentials. If it has not, nothing is installed.",
            fix: hidden[0] ? showCommand(hidden[0]) : "",
        });
    }
    return findings;
}

function showCommand({ name, url, version }: Artifact): string {
    if (name.startsWith("image ")) {
        return `crane manifest ${url.replace("oci://", "")}:${version}`;
    }
    return url.startsWith("oci://")
        ? `helm show chart ${url} --version ${version}`
        : `curl -fI ${url.replace(/\/$/, "")}/index.yaml`;
}

/** HTTP status of a registry's answer, or why there is none. */
async function ask(artifact: Artifact): Promise<number | string> {
    try {
        return (await headArtifact(artifact)).status;
    } catch (error) {
        return reason(error);
    }
}

/** Asks a registry whether it has something: its manifest (OCI distribution specification), or the repository's index. */
export async function headArtifact({ url, version }: Artifact): Promise<Response> {
    if (!url.startsWith("oci://")) {
        return head(new URL(`${url.replace(/\/$/, "")}/index.yaml`), {});
    }
    const [, host = "", name = ""] = /^oci:\/\/([^/]+)\/(.+)$/.exec(url) ?? [];
    const scheme = /^(localhost|127\.)/.test(host) ? "http" : "https";
    const manifest = new URL(`${scheme}://${host}/v2/${name}/manifests/${version.replaceAll("+", "_")}`);
    const headers = { accept: "application/vnd.oci.image.manifest.v1+json" };
    const answer = await head(manifest, headers);
    const challenge = answer.status === 401 ? answer.headers?.["www-authenticate"] : undefined;
    // Public registries hand out a token to anybody who asks.
    const realm = /realm="([^"]+)"/.exec(challenge ?? "")?.[1];
    if (realm === undefined) {
        return answer;
    }
    const token = new URL(realm);
    token.searchParams.set("service", /service="([^"]+)"/.exec(challenge ?? "")?.[1] ?? host);
    token.searchParams.set("scope", `repository:${name}:pull`);
    const { status, body } = await send(token, { method: "GET" });
    const given = status === 200 ? (JSON.parse(body) as { token?: string; access_token?: string }) : {};
    const bearer = given.token ?? given.access_token;
    return bearer === undefined ? answer : head(manifest, { ...headers, authorization: `Bearer ${bearer}` });
}

function head(url: URL, headers: Readonly<Record<string, string>>): Promise<Response> {
    return send(url, { method: "HEAD", headers });
}
