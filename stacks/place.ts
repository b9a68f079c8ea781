import * as fs from "node:fs";
import * as path from "node:path";

import * as pulumi from "@pulumi/pulumi";

import { stackMark } from "../components/namespace";
import { kofNamespace } from "../core/charts/namespace";
import { UserError, CouldNotCheck } from "../core/lib/errors";
import type { ClusterChoice } from "../live/kubeconfig";
import type { Kubernetes } from "../live/kubernetes";
import type { Configuration } from "./configuration";
import { configurationError, type Problem } from "../core/settings/problems";
import type { Place, Deployed } from "./memory";

/** A cluster to look at. */
export type Cluster = Pick<Kubernetes, "server" | "get" | "list">;

/** Reaches a cluster as Pulumi's provider does; `undefined` where nothing may be contacted. */
export type Connect = (choice: ClusterChoice) => Promise<Cluster | undefined>;

/** Where the configuration of a stack leads. */
interface CheckedPlace {
    /** `undefined` where nothing may be contacted. */
    readonly place: Place | undefined;
    readonly cluster?: Cluster;
}

/** Where to read on, in refusals. */
const page = "docs/clusters.md";

/** Reaches a cluster by what commands that contact nothing can do without. */
export const connectToCluster: Connect = async (choice) => {
    const { Kubernetes } = await import("../live/kubernetes.ts");
    return Kubernetes.connect(choice);
};

/** The running stack's name, as other stacks on the cluster see it. */
export function currentStack(): string {
    return `${pulumi.getProject()}/${pulumi.getStack()}`;
}

/**
 * Looks at where the configuration leads, and refuses to go anywhere else than where the stack runs, or to where another
 * stack runs.
 *
 * @param deployed what the stack remembers of its last deployment.
 * @throws RunError before anything is registered, also if the check failed.
 */
export async function checkPlace(
    { source, kubernetes, cluster: choice }: Pick<Configuration, "source" | "kubernetes" | "cluster">,
    deployed: Deployed | undefined,
    connect: Connect,
): Promise<CheckedPlace> {
    const before = deployed?.cluster;
    const refuse = (problem: Problem) => new pulumi.RunError(configurationError(source, [problem]).message);
    const folder = (kubernetes.renderYamlToDirectory ?? "") as string;
    if (folder !== "") {
        const problem = before && folderProblem(folder, before);
        if (problem) {
            throw refuse(problem);
        }
        return { place: { folder } };
    }
    if (before && "folder" in before) {
        throw refuse(leftFolder(before.folder));
    }
    const cluster = await connect(choice).catch((error: unknown) => {
        throw error instanceof UserError ? refuse(noCluster(error.message)) : error;
    });
    if (!cluster) {
        return { place: before };
    }
    try {
        const [system, namespace] = await Promise.all([
            cluster.get<Named>("/api/v1/namespaces/kube-system"),
            cluster.get<Named>(`/api/v1/namespaces/${kofNamespace}`),
        ]);
        const uid = system?.metadata.uid;
        if (uid === undefined) {
            throw refuse(noCluster(`${cluster.server} has no namespace kube-system.`));
        }
        const mark = namespace?.metadata.annotations?.[stackMark];
        const problem = clusterProblem({ server: cluster.server, uid, mark }, before);
        if (problem) {
            throw refuse(problem);
        }
        return { place: { uid, stack: currentStack() }, cluster };
    } catch (error) {
        throw error instanceof CouldNotCheck ? refuse(unreachable(error.message)) : error;
    }
}

interface Named {
    readonly metadata: { readonly uid: string; readonly annotations?: Readonly<Record<string, string>> };
}

function folderProblem(folder: string, before: Place): Problem | undefined {
    const key = "kubernetes:renderYamlToDirectory";
    if ("uid" in before) {
        return {
            key,
            message: `is ${folder}, but this stack runs on a cluster: Pulumi would forget what it made there, and write nothing`,
            allowed: `nothing, for this stack; use a separate stack for the folder (${page})`,
        };
    }
    const written = path.join(folder, "1-manifest");
    if (before.folder === folder || fs.existsSync(written)) {
        return undefined;
    }
    return {
        key,
        message: `is ${folder}, which is empty, but this stack has written its files to ${before.folder}: Pulumi would assume that they are already written`,
        allowed: `to move the files along first: git mv ${before.folder} ${folder}`,
        paste: { [key]: before.folder },
    };
}

function leftFolder(folder: string): Problem {
    const key = "kubernetes:renderYamlToDirectory";
    return {
        key,
        message: `is missing, but this stack writes files to ${folder}: Pulumi would treat them as objects on the cluster`,
        allowed: `the folder, for this stack; use a separate stack for the cluster (${page})`,
        paste: { [key]: folder },
    };
}

function clusterProblem(
    { server, uid, mark }: { readonly server: string; readonly uid: string; readonly mark: string | undefined },
    before: Place | undefined,
): Problem | undefined {
    const key = "kubernetes:context";
    if (before && "uid" in before && before.uid !== uid) {
        return {
            key,
            message:
                `leads to another cluster (${server}, kube-system ${uid}) than the one that this stack runs on (kube-system ${before.uid}): ` +
                "Pulumi would treat what it finds there as its own, and forget what runs on the first",
            allowed: `that cluster, at any address and with any credentials; use a separate stack for another one (${page})`,
        };
    }
    const own = [currentStack(), ...(before && "stack" in before ? [before.stack] : [])];
    if (mark !== undefined && !own.includes(mark)) {
        return {
            key,
            message: `leads to a cluster (${server}) whose KOF belongs to another stack, ${mark}: the two would undo each other's changes`,
            allowed:
                `that stack, or a cluster without KOF; if that stack is gone for good, remove its mark (${page}): ` +
                `kubectl annotate namespace ${kofNamespace} ${stackMark}-`,
        };
    }
    return undefined;
}

function noCluster(message: string): Problem {
    return { key: "kubernetes:kubeconfig", message: `leads to no cluster. ${message}` };
}

function unreachable(message: string): Problem {
    return {
        key: "kubernetes:context",
        message: `leads to a cluster that could not be checked, so it may not be this stack's. ${message}`,
        allowed: "a cluster that answers, and permission to get the namespaces kube-system and kof",
    };
}

/**
 * What keeps the Kubernetes provider from ever being replaced, which would delete and recreate every object of the stack.
 * The provider is replaced only when its `clusterIdentifier` changes, once it has one (pulumi-kubernetes, `DiffConfig`); what
 * leads to another cluster is refused by {@link checkPlace}. So it is the same for all stacks, unless the stack file has one.
 */
export const clusterIdentifier = "kof-storage-routes";

/**
 * Refuses to replace the provider of a deployed stack in the two cases that {@link clusterIdentifier} does not prevent: in the first
 * deployment that sets it, and if the stack file changes it.
 */
export function staysInPlace(source: string): pulumi.ResourceHook {
    const key = "kubernetes:";
    const message =
        "differs from the last deployment in a way that would have Pulumi replace every object of this stack, deleting the originals";
    const allowed =
        "kubernetes:clusterIdentifier as it was; and for a stack that an older version of this program has deployed, one deployment " +
        `with the kubernetes: configuration of the last one (${page})`;
    return new pulumi.ResourceHook(
        "stays in place",
        () => {
            throw configurationError(source, [{ key, message, allowed }]);
        },
        { onDryRun: true },
    );
}
