import { gunzipSync } from "node:zlib";

import type { InstalledClaim } from "../core/adopt/claims";
import type { HelmValues } from "../core/lib/values";
import { kofNamespace } from "../core/charts/namespace";
import { CouldNotCheck, couldNotCheck, UserError } from "../core/lib/errors";
import type { Kubernetes } from "./kubernetes";
import {
    claimsPath,
    firstClaims,
    statefulSetsPath,
    type ApiObject,
    type PersistentVolumeClaim,
    type StatefulSet,
} from "./objects";
import { clusterDeployments, regionsAmong } from "./clusterDeployments";

/** What is installed on a cluster, as far as it could be seen. */
export interface Installed {
    /** The Helm release of the umbrella. */
    readonly release?: HelmRevision | undefined;
    readonly claims?: readonly InstalledClaim[] | undefined;
    /** Whether the namespace is in the Istio mesh. */
    readonly istio?: boolean | undefined;
    /** The regional ClusterDeployments. */
    readonly regions?: readonly { readonly cluster: string; readonly namespace: string }[] | undefined;
    /** Who issues the tokens of service accounts. */
    readonly issuer?: string | undefined;
    /** What could not be checked, and why: one sentence each. */
    readonly unchecked: readonly string[];
}

/** One revision of a Helm release: what somebody gave to `helm install` or `helm upgrade`. */
export interface HelmRevision {
    /** `deployed`, `failed`, `pending-upgrade`, … */
    readonly status: string;
    readonly revision: number;
    /** Version of the chart. */
    readonly version: string;
    readonly values: HelmValues;
}

/** What the look needs of the cluster's client. */
type Api = Pick<Kubernetes, "server" | "get" | "list">;

const namespacePath = `/api/v1/namespaces/${kofNamespace}`;

/**
 * Looks at the KOF that runs on a cluster. Changes nothing.
 *
 * @throws UserError when there is none.
 */
export async function findInstalled(api: Api): Promise<Installed> {
    const unchecked: string[] = [];
    const look = async <T>(what: string, read: () => Promise<T>): Promise<T | undefined> => {
        const found = await read().catch(couldNotCheck);
        if (found instanceof CouldNotCheck) {
            unchecked.push(`Could not check ${what}: ${found.message}`);
            return undefined;
        }
        return found;
    };
    const istio = await look("the namespace's Istio label", () => istioLabel(api));
    return {
        istio,
        release: await look("the Helm release", () => helmRelease(api)),
        claims: await look("the volumes", () => claims(api)),
        regions: await look("the regional ClusterDeployments", async () =>
            regionsAmong(await clusterDeployments(api)).map(({ name, namespace }) => ({ cluster: name, namespace })),
        ),
        issuer: await look("the issuer of service account tokens", () => issuer(api)),
        unchecked,
    };
}

/** Why there is no Helm release whose values could be read. */
export function withoutRelease({ unchecked }: Installed): string {
    return (
        unchecked.find((each) => each.includes("Helm release")) ??
        `There is no Helm release kof in namespace ${kofNamespace}.`
    );
}

async function istioLabel(api: Api): Promise<boolean> {
    const namespace = await api.get<ApiObject>(namespacePath);
    if (!namespace) {
        throw new UserError(`${api.server} has no namespace ${kofNamespace}: KOF is not installed there.`);
    }
    return namespace.metadata.labels?.["istio-injection"] === "enabled";
}

/** Helm 3 and 4 keep each revision in a Secret, as base64 of gzipped JSON (`pkg/storage/driver/util.go`). */
async function helmRelease(api: Api): Promise<HelmRevision | undefined> {
    const secrets = await api.list<ApiObject & { readonly data: { readonly release: string } }>(
        `${namespacePath}/secrets?labelSelector=${encodeURIComponent("owner=helm,name=kof")}`,
    );
    const revisions = secrets.map(({ data }) => decoded(data.release)).sort((a, b) => b.revision - a.revision);
    return revisions.find(({ status }) => status === "deployed") ?? revisions[0];
}

function decoded(data: string): HelmRevision {
    const packed = Buffer.from(Buffer.from(data, "base64").toString(), "base64");
    const { info, version, chart, config } = JSON.parse(gunzipSync(packed).toString()) as {
        info: { status: string };
        version: number;
        chart: { metadata: { version: string } };
        config?: HelmValues | null;
    };
    return {
        status: info.status,
        revision: version,
        version: chart.metadata.version.replace(/^v/, ""),
        values: config ?? {},
    };
}

async function claims(api: Api): Promise<InstalledClaim[]> {
    const found = await api.list<PersistentVolumeClaim>(claimsPath);
    const sets = await api.list<StatefulSet>(statefulSetsPath);
    const templates = new Map(sets.flatMap(firstClaims).map((each) => [each.metadata.name, each]));
    const sizeOf = (claim?: PersistentVolumeClaim) => claim?.spec.resources?.requests?.storage;
    return found.map((claim) => ({
        name: claim.metadata.name,
        size: sizeOf(claim) ?? "",
        storageClass: claim.spec.storageClassName ?? "",
        template: sizeOf(templates.get(claim.metadata.name.replace(/-\d+$/, "-0"))),
    }));
}

async function issuer(api: Api): Promise<string | undefined> {
    return (await api.get<{ issuer: string }>("/.well-known/openid-configuration"))?.issuer;
}
