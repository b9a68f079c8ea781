import { Kubernetes } from "../../live/kubernetes";
import { MissingTool } from "../build";
import { crds, type AnyObject } from "./crds";
import { hurryNamespaces } from "./namespaces";
import { eventually } from "./program";
import { startServer, type Server } from "./server";

/** A cluster for tests, and what can be done to it. */
export class TestCluster {
    /** The same client that the program uses. */
    readonly api: Kubernetes;
    private readonly applied: AnyObject[] = [];
    private readonly kept: AnyObject[] = [];
    private readonly plurals = new Map<string, string>();

    constructor(
        /** Path of its kubeconfig. */
        readonly kubeconfig: string,
        private readonly end?: () => Promise<void>,
        /** Takes the API server away, and returns what brings it back; `undefined` for a cluster that is not ours. */
        readonly interrupt?: Server["interrupt"],
        private readonly restartControllers?: Server["restartControllers"],
    ) {
        this.api = Kubernetes.connect({ kubeconfig });
    }

    /** Makes an object, or brings it to this state; its status too, where one is given. */
    async apply(...objects: readonly AnyObject[]): Promise<void> {
        for (const object of objects) {
            const { status, ...rest } = object;
            this.applied.unshift(object);
            const path = await this.pathOf(object);
            await this.change("PATCH", `${path}?fieldManager=test&force=true`, rest, "apply-patch+yaml");
            if (status !== undefined) {
                await this.change("PATCH", `${path}/status`, { status: status as unknown }, "merge-patch+json");
            }
        }
    }

    /** Makes definitions, and waits until their kinds are served. */
    async define(...definitions: readonly AnyObject[]): Promise<void> {
        // Only controllers that run already have to be told.
        const isNew =
            this.restartControllers !== undefined &&
            (await Promise.all(definitions.map((definition) => this.read(definition)))).includes(undefined);
        await this.apply(...definitions);
        // For each kind, the server asks to come back in a second while its storage is initializing.
        await Promise.all(
            definitions.map(({ spec }) => {
                // Established is not enough.
                const path = `/apis/${spec.group}/${spec.versions[0].name}/${spec.names.plural}`;
                return eventually(
                    async () => (await this.api.request("GET", path)).status === 200,
                    `${path} is served`,
                );
            }),
        );
        if (isNew) {
            await this.restartControllers();
        }
    }

    /** Has the API server say whether it would take an object with every field of it, which changes nothing. */
    async check(object: AnyObject): Promise<void> {
        const path = `${await this.pathOf(object)}?fieldManager=test&force=true&dryRun=All&fieldValidation=Strict`;
        await this.change("PATCH", path, object, "apply-patch+yaml");
    }

    /** Merges into an object, or into its status. */
    async merge(object: AnyObject, change: object, part: "" | "/status" = ""): Promise<void> {
        await this.change("PATCH", `${await this.pathOf(object)}${part}`, change, "merge-patch+json");
    }

    /** An object as it is now; `undefined` when it is gone. */
    async read(object: AnyObject): Promise<any> {
        return this.api.get(await this.pathOf(object));
    }

    /** Deletes objects, and waits until they are gone. A controller may make another of the same name at once. */
    async remove(...objects: readonly AnyObject[]): Promise<void> {
        for (const object of objects) {
            const path = await this.pathOf(object);
            const read = () => this.api.get<{ metadata: { uid: string } }>(path);
            const uid = (await read())?.metadata.uid;
            await this.api.request("DELETE", `${path}?gracePeriodSeconds=0`);
            await eventually(async () => {
                const there = await read();
                return there === undefined || there.metadata.uid !== uid;
            }, `${path} goes away`);
        }
    }

    /** Removes all that was applied, the last first. */
    async reset(): Promise<void> {
        await this.remove(...this.applied.splice(0));
    }

    /** Has what was applied so far stay until the end. */
    keep(): void {
        this.kept.unshift(...this.applied.splice(0));
    }

    /** Ends a control plane of its own; in another cluster, leaves nothing behind. */
    async stop(): Promise<void> {
        if (this.end) {
            await this.end();
        } else {
            await this.reset();
            await this.remove(...this.kept);
        }
    }

    /** Path of an object in the API, its kind's plural as the server names it. */
    private async pathOf({ apiVersion, kind, metadata }: AnyObject): Promise<string> {
        const group = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
        await eventually(async () => {
            // A kind is served a moment after it is established.
            if (!this.plurals.has(`${group}/${kind}`)) {
                const found = await this.api.get<{ resources: { name: string; kind: string }[] }>(group);
                const resources = (found?.resources ?? []).filter(({ name }) => !name.includes("/"));
                resources.forEach((each) => this.plurals.set(`${group}/${each.kind}`, each.name));
            }
            return this.plurals.has(`${group}/${kind}`);
        }, `the cluster knows ${kind}`);
        const namespace = metadata.namespace === undefined ? "" : `/namespaces/${metadata.namespace}`;
        return `${group}${namespace}/${this.plurals.get(`${group}/${kind}`)!}/${metadata.name}`;
    }

    private async change(method: string, path: string, body: object, type: string): Promise<void> {
        const headers = { "content-type": `application/${type}` };
        const { status, body: answer } = await this.api.request(method, path, { headers, body: JSON.stringify(body) });
        if (status >= 300) {
            throw new Error(`${method} ${path}: ${answer}`);
        }
    }
}

/**
 * A cluster with the definitions of {@link crds}: the one that KUBECONFIG names, where there is one, else a control plane of
 * its own. Another one keeps its own definitions, and has to be without KOF: tests take its objects away again.
 *
 * @throws MissingTool when there is neither.
 */
export async function startCluster(): Promise<TestCluster> {
    const { KUBECONFIG } = process.env;
    if (!KUBECONFIG) {
        return startOwnCluster();
    }
    const cluster = new TestCluster(KUBECONFIG);
    try {
        if ((await cluster.api.get("/api/v1/namespaces/kof")) !== undefined) {
            throw new Error(
                `The cluster of KUBECONFIG (${cluster.api.server}) has a namespace kof. The tests make and delete one, so they ` +
                    "want a cluster without KOF. Unset KUBECONFIG to have them start one of their own.",
            );
        }
        const known = await cluster.api.list<AnyObject>("/apis/apiextensions.k8s.io/v1/customresourcedefinitions");
        const names = known.map(({ metadata }) => metadata.name);
        await cluster.define(...crds.filter(({ metadata }) => !names.includes(metadata.name)));
        cluster.keep();
        return cluster;
    } catch (error) {
        await cluster.stop();
        throw error;
    }
}

async function startOwnCluster(): Promise<TestCluster> {
    const server = await startServer((kubeconfig) => new TestCluster(kubeconfig).define(...crds));
    const endHurry = hurryNamespaces(Kubernetes.connect({ kubeconfig: server.kubeconfig }), server.kubeconfig);
    const end = async () => {
        endHurry();
        await server.stop();
    };
    return new TestCluster(server.kubeconfig, end, server.interrupt, server.restartControllers);
}

/**
 * Skips the tests around it, and says why, where what they need cannot be had. Where it has to be there, which is in CI, and for
 * any other error, they fail.
 */
export function skipWithout(tests: Mocha.Context, error: unknown): never {
    if (!(error instanceof MissingTool) || process.env.CI) {
        throw error;
    }
    console.log(`    Skipped: ${error.message}`);
    return tests.skip();
}

/**
 * Has the tests around it run against a cluster. Without one they are skipped, and say why.
 *
 * @returns what gives the cluster while tests run.
 */
export function useCluster(): () => TestCluster {
    let cluster: TestCluster | undefined;
    before(async function () {
        // Without anything kept from before, what a control plane is made of is built first.
        this.timeout(60 * 60_000);
        try {
            cluster = await startCluster();
        } catch (error) {
            skipWithout(this, error);
        }
    });
    after(async () => {
        await cluster?.stop();
    });
    return () => cluster!;
}
