import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { catalogOf } from "../../catalog";
import { umbrellaObjects } from "../../catalog/umbrella";
import { acknowledgement, planOf, verdictOf } from "../../changes";
import { vmuserSecretName } from "../../routes/vmuser";
import { eventually, startCluster, type TestCluster } from "../cluster/cluster";
import type { AnyObject } from "../cluster/crds";
import { FluxStandIn } from "../cluster/flux";
import { Missing } from "../../tools/build";
import { hasRegionless, routeFor, type Raw } from "../support";
import { chartOfEnvironment, Deployment, onPath } from "./deployment";

const { chart, version } = chartOfEnvironment();
const common: Raw = {
    version,
    ...(chart === undefined ? {} : { chart }),
    distribution: "kind",
    storageClass: { name: "kof", preset: "local-path" },
};
const region = { cluster: "eu-1", domain: "eu-1.obs.example.net" };
// Log groups outlive their stack unless told otherwise, and may be there from another run.
const aws = { region: "us-east-2", logGroup: `kof-e2e-${randomUUID()}`, keepLogGroups: false };
/** The routes that can be deployed here: some of their resources are AWS's. */
const routes: Readonly<Record<string, Raw>> = {
    none: { ...common, route: "none" },
    management: { ...common, route: "management" },
    regional: { ...common, route: "regional", regional: region },
    ...(process.env.AWS_ENDPOINT_URL === undefined
        ? {}
        : { cloudwatch: { ...common, route: "cloudwatch", cloudwatch: aws } }),
    otlp: { ...common, route: "otlp", otlp: { endpoint: "https://otlp.example.net" } },
    ...(hasRegionless(version)
        ? {
              regionless: {
                  ...common,
                  route: "regionless",
                  regionless: { domain: "kof.example.net", selfSigned: true },
              },
          }
        : {}),
};
const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "kof" } };
const releases = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/kof/helmreleases";

describe(`end to end, KOF ${version}`, function () {
    // Flux itself installs for up to 20 minutes.
    this.timeout(60 * 60_000);
    let cluster: TestCluster;
    let flux: FluxStandIn;
    /** Whether Flux itself runs on the cluster: then nothing stands in for it, and nothing can be told to fail. */
    let realFlux = false;
    let stack: Deployment;

    before(async function () {
        this.timeout(30 * 60_000);
        try {
            cluster = await startCluster();
            // KCM's, in which Flux's sources are.
            await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "kcm-system" } });
            const deployments = await cluster.api.list<AnyObject>("/apis/apps/v1/deployments");
            realFlux = deployments.some(({ metadata }) => metadata.name === "helm-controller");
            stack = await Deployment.create(cluster.kubeconfig);
        } catch (error) {
            if (!(error instanceof Missing)) {
                throw error;
            }
            console.log(`    Skipped: ${error.message}`);
            this.skip();
        }
    });
    beforeEach(() => {
        flux = new FluxStandIn(cluster);
        if (!realFlux) {
            flux.start();
        }
    });
    afterEach(async () => {
        await stack.cancel();
        stack.configure(routes.none!);
        await stack.destroy();
        await flux.stop();
    });
    after(async () => {
        // Where there is no CLI there is neither.
        (stack as Deployment | undefined)?.remove();
        await (cluster as TestCluster | undefined)?.stop();
    });

    const succeed = async (outcome: Promise<{ ok: boolean; output: string }>) => {
        const { ok, output } = await outcome;
        assert.ok(ok, output);
        return output;
    };
    const deploy = async (settings: Raw) => {
        await prepare(settings);
        stack.configure(settings);
        await succeed(stack.up());
    };
    const names = async () => (await cluster.api.list<AnyObject>(releases)).map(({ metadata }) => metadata.name).sort();

    /** What KOF itself would have made before: the credentials of a region. */
    async function prepare({ route }: Raw): Promise<void> {
        const byUmbrella = catalogOf(version).components.some(({ name }) => name === "kof-collectors");
        if (route === "regional" && byUmbrella) {
            const name = vmuserSecretName(region.cluster, "kcm-system");
            const secret = { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: "kof" } };
            if ((await cluster.read(namespace)) === undefined) {
                await deploy(routes.none!);
            }
            await cluster.apply({
                ...secret,
                stringData: { username: "u", password: "vmuser-password" },
            });
        }
    }

    for (const [name, settings] of Object.entries(routes)) {
        it(`deploys route ${name}, and has nothing to do then`, async () => {
            await deploy({ ...settings, grafana: { enabled: onPath("pulumi-resource-random") } });
            assert.deepEqual(await names(), expectedReleases(settings));
            await succeed(stack.expectNoChanges());
            const { destinations, route } = await stack.outputs();
            assert.equal(route, name);
            assert.equal(Object.keys(destinations as object).length, 4);
        });
    }

    function expectedReleases(settings: Raw): string[] {
        const { catalog, values } = routeFor(settings);
        return umbrellaObjects(catalog, values)
            .filter(({ kind }) => kind === "HelmRelease")
            .map(({ name }) => name)
            .sort();
    }

    for (const from of Object.keys(routes)) {
        it(`switches from ${from} to every other route, or refuses to`, async () => {
            for (const to of Object.keys(routes).filter((name) => name !== from)) {
                await deploy(await permitted(routes[from]!));
                const plan = planOf(routeFor(routes[from]!), routeFor(routes[to]!));
                const acknowledge = acknowledgement(plan);
                await prepare(routes[to]!);
                stack.configure(routes[to]!);
                if (verdictOf(plan) !== "safe") {
                    const { ok, output } = await stack.preview();
                    assert.ok(!ok && output.includes("asks for a change that is refused"), output);
                }
                if (verdictOf(plan) !== "impossible") {
                    await deploy({ ...routes[to], ...(acknowledge === "" ? {} : { acknowledge }) });
                    assert.deepEqual(await names(), expectedReleases(routes[to]!));
                }
            }
        });
    }

    /** The settings with what permits them after whatever is deployed; by way of nothing at all where they cannot follow. */
    async function permitted(settings: Raw): Promise<Raw> {
        const { settings: deployed } = await stack.outputs();
        if (deployed === undefined) {
            return settings;
        }
        const plan = planOf(routeFor(deployed as Raw), routeFor(settings));
        if (verdictOf(plan) === "impossible") {
            await succeed(stack.destroy());
            return settings;
        }
        const acknowledge = acknowledgement(plan);
        return acknowledge === "" ? settings : { ...settings, acknowledge };
    }

    it("goes on after a release failed and was mended", async function () {
        if (realFlux) {
            this.skip();
        }
        flux.fail("kof-mothership", "Helm install failed for release kof/kof-mothership: timed out");
        stack.configure(routes.management!);
        const interrupt = new AbortController();
        const run = stack.up(interrupt.signal);
        await eventually(() => flux.events.includes("fail kof-mothership"), "the release fails", 120);
        interrupt.abort();
        assert.equal((await run).ok, false);
        await stack.cancel();
        flux.fail("kof-mothership");
        await succeed(stack.up());
        assert.deepEqual(await names(), expectedReleases(routes.management!));
        await succeed(stack.expectNoChanges());
    });

    it("goes on after the API server was away in the middle of it", async function () {
        if (cluster.interrupt === undefined || realFlux) {
            this.skip();
        }
        stack.configure(routes.management!);
        flux.fail("kof-mothership", "not yet");
        const interrupt = new AbortController();
        const run = stack.up(interrupt.signal);
        await eventually(() => flux.events.includes("fail kof-mothership"), "the deployment is under way", 120);
        const restore = await cluster.interrupt();
        await sleep(5000);
        await restore();
        flux.fail("kof-mothership");
        // Whether it notices and ends, or goes on waiting: the next run has to get there.
        const patience = setTimeout(() => {
            interrupt.abort();
        }, 60_000);
        await run;
        clearTimeout(patience);
        await stack.cancel();
        await succeed(stack.up());
        await succeed(stack.expectNoChanges());
    });

    it("rotates the key of CloudWatch in two steps, with the Secret always there", async function () {
        if (routes.cloudwatch === undefined) {
            this.skip();
        }
        const secret = {
            apiVersion: "v1",
            kind: "Secret",
            metadata: { name: "cloudwatch-credentials", namespace: "kof" },
        };
        const seen: { uid: string; id: string }[] = [];
        for (const generations of [["a"], ["a", "b"], ["b"]]) {
            const credentials = { kind: "accessKey", generations };
            await deploy({ ...routes.cloudwatch, cloudwatch: { ...aws, credentials } });
            const { metadata, data } = await cluster.read(secret);
            seen.push({ uid: metadata.uid, id: Buffer.from(data.AWS_ACCESS_KEY_ID, "base64").toString() });
        }
        const [first, both, last] = seen;
        assert.equal(first!.uid, last!.uid, "updated in place");
        assert.notEqual(first!.id, both!.id);
        assert.equal(both!.id, last!.id);
    });

    it("has no secret in its state, in what it says, or in Helm values", async () => {
        const secrets: string[] = [];
        for (const name of ["cloudwatch", "regional", "management"].filter((each) => each in routes)) {
            await deploy(await permitted({ ...routes[name], grafana: { enabled: onPath("pulumi-resource-random") } }));
            for (const { metadata, data } of await cluster.api.list<any>("/api/v1/namespaces/kof/secrets")) {
                const values = Object.entries((data ?? {}) as Record<string, string>);
                const secret = values.filter(([key]) => /SECRET|PASSWORD|password/.test(key));
                assert.ok(metadata.name !== "cloudwatch-credentials" || secret.length > 0);
                secrets.push(...secret.map(([, value]) => Buffer.from(value, "base64").toString()));
            }
            const visible = [stack.state(), stack.log, JSON.stringify(await cluster.api.list(releases))].join("\n");
            for (const secret of secrets) {
                assert.ok(!visible.includes(secret), "in plain text");
                assert.ok(!visible.includes(Buffer.from(secret).toString("base64")), "in base64");
            }
        }
    });

    it("takes over what was installed by hand, without making anything anew", async () => {
        await deploy(routes.management!);
        const before = await byHand();
        await stack.forget();
        stack.configure({ ...routes.management, adopt: true });
        await succeed(stack.up());
        for (const object of before) {
            const now = await cluster.read(object);
            assert.equal(now?.metadata.uid, (object.metadata as unknown as { uid: string }).uid, object.metadata.name);
        }
        await succeed(stack.expectNoChanges());
    });

    /** Gives what is deployed the marks of an install by Helm, and returns it. */
    async function byHand(): Promise<AnyObject[]> {
        const kinds: Readonly<Record<string, readonly [string, string]>> = {
            [releases]: ["helm.toolkit.fluxcd.io/v2", "HelmRelease"],
            "/apis/source.toolkit.fluxcd.io/v1/namespaces/kcm-system/helmcharts": [
                "source.toolkit.fluxcd.io/v1",
                "HelmChart",
            ],
        };
        const found: AnyObject[] = [];
        for (const [path, [apiVersion, kind]] of Object.entries(kinds)) {
            for (const object of await cluster.api.list<AnyObject>(path)) {
                const annotations = {
                    ...Object.fromEntries(Object.keys(object.metadata.annotations ?? {}).map((key) => [key, null])),
                    "helm.sh/resource-policy": "keep",
                    "meta.helm.sh/release-name": "kof",
                    "reconcile.fluxcd.io/requestedAt": "1700000000",
                };
                const typed = { ...object, apiVersion, kind };
                await cluster.merge(typed, { metadata: { annotations } });
                found.push(typed);
            }
        }
        assert.ok(found.length > 0);
        return found;
    }

    it("removes what it made in the opposite order", async function () {
        if (realFlux) {
            this.skip();
        }
        await deploy(routes.management!);
        flux.events.length = 0;
        await succeed(stack.destroy());
        const order = flux.events.map((event) => event.replace("uninstall ", ""));
        const { catalog, values } = routeFor(routes.management!);
        for (const { kind, name, dependsOn } of umbrellaObjects(catalog, values)) {
            if (kind === "HelmRelease") {
                assert.ok(order.includes(name), name);
                for (const other of dependsOn) {
                    assert.ok(order.indexOf(name) < order.indexOf(other), `${name} goes before ${other}`);
                }
            }
        }
        assert.deepEqual(await names(), []);
        assert.equal(await cluster.read(namespace), undefined);
        const storageClass = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name: "kof" } };
        assert.equal(await cluster.read(storageClass), undefined);
    });
});
