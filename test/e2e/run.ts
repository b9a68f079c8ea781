import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

import { catalogOf } from "../../core/charts";
import { deploymentOf } from "../../core/routes";
import type { Deployment } from "../../core/routes/deployment";
import { parseSettings } from "../../core/routes/parse";
import { umbrellaObjects, type UmbrellaObject } from "../../core/charts/umbrella";
import { acknowledgement, planOf, verdictOf } from "../../core/review/plan";
import { vmuserSecretName } from "../../core/charts/vmuser";
import { makeSecretsProvider, startMoto } from "../../tools/servers/moto";
import { skipWithout, startCluster, type TestCluster } from "../../tools/servers/cluster";
import type { AnyObject } from "../../tools/servers/crds";
import { FluxStandIn } from "../../tools/servers/flux";
import { hasRegionless, deploymentFor, type Raw } from "../support";
import { TestStack, type DeploymentOptions, type Outcome } from "../../tools/engine/stack";
import { prepareEngine, type Engine } from "../../tools/engine/engine";
import { prepareUmbrella, versionsToDeploy } from "../../tools/engine/umbrella";

/** Where Flux's objects are, by their kind. */
export const fluxPaths: Readonly<Record<UmbrellaObject["kind"], string>> = {
    HelmRepository: "/apis/source.toolkit.fluxcd.io/v1/namespaces/kcm-system/helmrepositories",
    HelmChart: "/apis/source.toolkit.fluxcd.io/v1/namespaces/kcm-system/helmcharts",
    HelmRelease: "/apis/helm.toolkit.fluxcd.io/v2/namespaces/kof/helmreleases",
};

export const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "kof" } };
export const region = { cluster: "eu-1", domain: "eu-1.obs.example.net" };

/** What the cases of one KOF version share, and what they do. */
export class Run {
    cluster!: TestCluster;
    engine!: Engine;
    /** Stands in for Flux during one case, where Flux itself does not run. */
    flux!: FluxStandIn;
    /** Whether Flux itself runs on the cluster: then nothing can be told to fail. */
    realFlux = false;
    stack!: TestStack;
    /** The chart that stands for the umbrella, or that KOF_CHART names. */
    chart = "";
    /** Log groups outlive their stack unless told otherwise, and may be there from another run. */
    readonly aws = { region: "us-east-2", logGroup: `kof-e2e-${randomUUID()}`, keepLogGroups: false };
    /** Settings for every route that the version has. */
    readonly routes: Readonly<Record<string, Raw>>;

    constructor(readonly version: string) {
        const storageClass = { name: "kof", preset: "local-path" };
        const routes: Record<string, Raw> = {
            none: {},
            management: {},
            regional: { regional: region },
            cloudwatch: { cloudwatch: this.aws },
            otlp: { otlp: { endpoint: "https://otlp.example.net" } },
            ...(hasRegionless(version)
                ? { regionless: { regionless: { domain: "kof.example.net", selfSigned: true } } }
                : {}),
        };
        this.routes = Object.fromEntries(
            Object.entries(routes).map(([route, settings]) => [
                route,
                { version, distribution: "kind", storageClass, route, ...settings },
            ]),
        );
    }

    /** The HelmRelease whose values size the stores of logs and traces on route `management`. */
    get storageRelease(): string {
        const names = catalogOf(this.version).components.map(({ name }) => name);
        return names.includes("kof-storage") ? "kof-storage" : "kof-child";
    }

    /** Another stack on the same cluster. Unless it is of the same project, the caller removes it. */
    otherStack(options: DeploymentOptions): Promise<TestStack> {
        return TestStack.create(this.engine, options);
    }

    /** Writes the stack file. */
    configure(settings: Raw, stack = this.stack): void {
        stack.configure({ ...settings, chart: this.chart });
    }

    /** Deploys these settings, with what the route needs to be there, and fails if that fails. */
    async deploy(settings: Raw): Promise<string> {
        await this.prepare(settings);
        this.configure(settings);
        return succeed(this.stack.up());
    }

    /** Makes what KOF itself would have made before: the credentials of a region. */
    async prepare({ route }: Raw): Promise<void> {
        const byUmbrella = catalogOf(this.version).components.some(({ name }) => name === "kof-collectors");
        if (route === "regional" && byUmbrella) {
            const name = vmuserSecretName(region.cluster, "kcm-system");
            const secret = { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: "kof" } };
            if ((await this.cluster.read(namespace)) === undefined) {
                await this.deploy(this.routes.none!);
            }
            await this.cluster.apply({ ...secret, stringData: { username: "u", password: "vmuser-password" } });
        }
    }

    /** The settings with what permits them after whatever is deployed; by way of nothing at all where they cannot follow. */
    async permitted(settings: Raw): Promise<Raw> {
        const { settings: deployed, acknowledged: spent = [], fewestCopies } = this.stack.outputs();
        if (deployed === undefined) {
            return settings;
        }
        const plan = planOf(deploymentOfDeployed(deployed as Raw), deploymentFor(settings), { spent, fewestCopies });
        if (verdictOf(plan) === "impossible") {
            await succeed(this.stack.destroy());
            return settings;
        }
        const acknowledge = acknowledgement(plan);
        return acknowledge === "" ? settings : { ...settings, acknowledge };
    }

    /** Flux's objects on the cluster, in the order of their kinds and names. */
    async objects(): Promise<UmbrellaObject[]> {
        const found: UmbrellaObject[] = [];
        for (const [kind, path] of Object.entries(fluxPaths) as [UmbrellaObject["kind"], string][]) {
            for (const { apiVersion, metadata, spec } of await this.cluster.api.list<AnyObject>(path)) {
                const dependsOn = ((spec.dependsOn ?? []) as { name: string }[]).map(({ name }) => name);
                const { name, namespace = "" } = metadata;
                found.push({
                    apiVersion: apiVersion || path.split("/").slice(2, 4).join("/"),
                    kind,
                    namespace,
                    name,
                    dependsOn,
                });
            }
        }
        return sorted(found);
    }

    /** Flux's objects as the catalog says they have to be. */
    expectedObjects(settings: Raw): UmbrellaObject[] {
        const { catalog, values } = deploymentFor(settings);
        return sorted(umbrellaObjects(catalog, values));
    }
}

function sorted(objects: readonly UmbrellaObject[]): UmbrellaObject[] {
    return [...objects].sort((a, b) => `${a.kind} ${a.name}`.localeCompare(`${b.kind} ${b.name}`));
}

/** What remembered settings resolve to, which have every default. */
function deploymentOfDeployed(remembered: Raw): Deployment {
    return deploymentOf(parseSettings(remembered, "the last deployment", true));
}

/** What a command said. Fails, and says that too, if it failed. */
export async function succeed(outcome: Promise<Outcome>): Promise<string> {
    const { ok, output } = await outcome;
    assert.ok(ok, output);
    return output;
}

/** What the cases of all files share that this process runs. */
type Surroundings = Pick<Run, "cluster" | "engine" | "realFlux">;

let shared: Promise<Surroundings> | undefined;

/** Starts what cases run on. It ends with this process; what is left on a cluster that is not ours goes after the last case. */
async function startSurroundings(): Promise<Surroundings> {
    const cluster = await startCluster();
    const moto = process.env.AWS_ENDPOINT_URL ? undefined : await startMoto();
    if (moto) {
        Object.assign(process.env, {
            AWS_ENDPOINT_URL: moto.endpoint,
            AWS_ACCESS_KEY_ID: "e2e",
            AWS_SECRET_ACCESS_KEY: "e2e",
        });
    }
    // Its provider for AWS asks what is named above.
    const prepared = await prepareEngine();
    const engine = moto ? { ...prepared, secretsProvider: await makeSecretsProvider(moto) } : prepared;
    // The program, which runs in this process, looks for it there as well.
    process.env.KUBECONFIG = cluster.kubeconfig;
    // KCM's, in which Flux's sources are.
    await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "kcm-system" } });
    const deployments = await cluster.api.list<AnyObject>("/apis/apps/v1/deployments");
    return { engine, cluster, realFlux: deployments.some(({ metadata }) => metadata.name === "helm-controller") };
}

// A worker of a parallel run does not know which file is its last.
if (process.env.MOCHA_WORKER_ID === undefined) {
    after(async () => {
        await (await shared?.catch(() => undefined))?.cluster.stop();
    });
}

/**
 * Cases that deploy with a real engine onto a real API server. Each case starts without KOF on the cluster.
 *
 * @param versions of KOF, for each of which they are. Default: those that are to be deployed.
 */
export function endToEnd(title: string, cases: (run: Run) => void, versions = versionsToDeploy()): void {
    describe(title, function () {
        // Flux itself, on a cluster that is given, installs for up to 20 minutes.
        this.timeout((process.env.KUBECONFIG ? 60 : 15) * 60_000);
        let surroundings: Surroundings;
        before(async function () {
            // What is not there is built.
            this.timeout(60 * 60_000);
            try {
                surroundings = await (shared ??= startSurroundings());
            } catch (error) {
                skipWithout(this, error);
            }
        });

        for (const version of versions) {
            describe(`on KOF ${version}`, () => {
                const run = new Run(version);
                let removeChart: () => void;

                before(async () => {
                    const umbrella = prepareUmbrella(version);
                    removeChart = umbrella.remove;
                    const stack = await TestStack.create(surroundings.engine);
                    Object.assign(run, surroundings, { stack, chart: umbrella.chart });
                });
                beforeEach(() => {
                    run.flux = new FluxStandIn(run.cluster);
                    if (!run.realFlux) {
                        run.flux.start();
                    }
                });
                afterEach(async function () {
                    if (this.currentTest?.state === "failed") {
                        console.log(`The end of what the CLI said:\n${run.stack.log.slice(-4000)}`);
                    }
                    await run.stack.cancel();
                    run.configure(run.routes.none!);
                    await run.stack.destroy();
                    await run.flux.stop();
                });
                after(() => {
                    run.stack.remove();
                    removeChart();
                });

                cases(run);
            });
        }
    });
}
