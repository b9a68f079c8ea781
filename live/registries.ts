import type { Deployment } from "../core/routes/deployment";
import { airGap } from "../core/routes/airGap";
import type { Check, Finding } from "./findings";
import { jsonObject, persistently, reason, send, type Response } from "./http";

/** Whether what is installed can be fetched. Looked at from here: the cluster may reach more, or less. */
export const registries: readonly Check[] = [
    { title: "Charts and images", look: ({ deployment }) => lookAt(artifactsOf(deployment)) },
];

/** A chart or an image that is fetched by its address. */
interface Artifact {
    /** `chart kof 1.10.0`, `image ghcr.io/k0rdent/kof/kof-operator-controller:v1.10.0` */
    readonly name: string;
    /** `oci://HOST/PATH`, or the address of a chart repository. */
    readonly url: string;
    /** Version, tag or digest. */
    readonly version: string;
}

/** The charts and images that a stack's management cluster fetches, where the stack says they are mirrored to. */
export function artifactsOf(deployment: Deployment): Artifact[] {
    const { charts, images } = airGap(deployment);
    return [
        ...charts.filter(isHere).map(({ name, version, repository }) => ({
            name: `chart ${name} ${version}`,
            url: repository.startsWith("oci://") ? `${repository}/${name}` : repository,
            version,
        })),
        ...images.filter(isHere).map(({ image }) => {
            const [, address = "", tag = "latest", digest = tag] = /^(.+?)(?::([^/:@]+))?(?:@(.+))?$/.exec(image) ?? [];
            return { name: `image ${image}`, url: `oci://${address}`, version: digest };
        }),
    ];
}

function isHere({ cluster }: { readonly cluster: string }): boolean {
    return cluster === "management";
}

/** Asks for each whether it is there. */
export async function lookAt(artifacts: readonly Artifact[]): Promise<Finding[]> {
    const looks = await Promise.all(artifacts.map(async (artifact) => ({ artifact, answer: await ask(artifact) })));
    const findings: Finding[] = [];
    const unanswered = new Map<string, { what: string; artifacts: Artifact[] }>();
    for (const { artifact, answer } of looks) {
        if (answer === 404) {
            findings.push({
                // The list of images errs on the side of too many; that of charts does not.
                severity: artifact.name.startsWith("chart") ? "problem" : "warning",
                what: `there is no ${artifact.name} at ${artifact.url}`,
                why: "It cannot be installed. In an air gap, mirror it first (docs/air-gap.md).",
                fix: showCommand(artifact),
            });
        } else if (answer !== 200) {
            const what =
                typeof answer === "number" ? `answers HTTP ${String(answer)}` : `does not answer from here (${answer})`;
            const { host } = new URL(artifact.url.replace(/^oci:/, "https:"));
            const same = unanswered.get(`${host} ${what}`) ?? { what: `${host} ${what}`, artifacts: [] };
            same.artifacts.push(artifact);
            unanswered.set(`${host} ${what}`, same);
        }
    }
    for (const { what, artifacts: hidden } of unanswered.values()) {
        const wantsLogin = /HTTP 40[13]$/.test(what);
        findings.push({
            severity: "unknown",
            what: `could not check ${hidden[0]?.name ?? ""}${hidden.length > 1 ? ` and ${String(hidden.length - 1)} more` : ""}: ${what}`,
            why: wantsLogin
                ? "It wants a login, which doctor does not use. Pulumi takes the one for kof:chart from Helm where it runs, or else from Docker; " +
                  "Flux takes its own from the Secret in global.helmRepo.spec.secretRef (docs/air-gap.md)."
                : "The cluster may have network access or credentials that this machine lacks. If not, nothing is installed.",
            fix: hidden[0]
                ? `${wantsLogin ? `helm registry login ${what.split(" ")[0] ?? ""} && ` : ""}${showCommand(hidden[0])}`
                : "",
        });
    }
    return findings;
}

function showCommand({ name, url, version }: Artifact): string {
    if (name.startsWith("image ")) {
        return `crane manifest ${url.replace("oci://", "")}${version.includes(":") ? "@" : ":"}${version}`;
    }
    return url.startsWith("oci://")
        ? `helm show chart ${url} --version ${version}`
        : `curl -fI ${url.replace(/\/$/, "")}/index.yaml`;
}

/** HTTP status of a registry's answer, or why there is none. */
async function ask(artifact: Artifact): Promise<number | string> {
    try {
        const { status, headers } = await headArtifact(artifact);
        const isPage = (headers?.["content-type"] ?? "").startsWith("text/html");
        // The server of a chart repository may answer with a page for what it does not have. A registry does not.
        const isWrong = status === 200 || (status === 404 && artifact.url.startsWith("oci:"));
        return isPage && isWrong ? "a page answers in its place" : status;
    } catch (error) {
        return reason(error);
    }
}

/** What a chart or an image is described by, and an image for several platforms. */
const manifestTypes = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

/** Asks a registry whether it has something: its manifest (OCI distribution specification), or the repository's index. */
export async function headArtifact({ url, version }: Artifact): Promise<Response> {
    if (!url.startsWith("oci://")) {
        return head(new URL(`${url.replace(/\/$/, "")}/index.yaml`), {});
    }
    const [, named = "", name = ""] = /^oci:\/\/([^/]+)\/(.+)$/.exec(url) ?? [];
    // The registry behind the name docker.io.
    const host = named === "docker.io" ? "registry-1.docker.io" : named;
    const scheme = /^(localhost|127\.)/.test(host) ? "http" : "https";
    const manifest = new URL(`${scheme}://${host}/v2/${name}/manifests/${version.replaceAll("+", "_")}`);
    const headers = { accept: manifestTypes.join(", ") };
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
    const bearer = tokenIn(await persistently(() => send(token, { method: "GET" })));
    return bearer === undefined ? answer : head(manifest, { ...headers, authorization: `Bearer ${bearer}` });
}

/** The token that a registry hands out; `undefined` where it gives none, or a page answers in its place. */
function tokenIn({ status, body }: Response): string | undefined {
    const { token, access_token: other } = (status === 200 ? jsonObject(body) : undefined) ?? {};
    return [token, other].find((each) => typeof each === "string");
}

function head(url: URL, headers: Readonly<Record<string, string>>): Promise<Response> {
    return persistently(() => send(url, { method: "HEAD", headers }));
}
