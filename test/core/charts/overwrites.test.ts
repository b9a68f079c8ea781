import assert from "node:assert/strict";

import { parse } from "yaml";

import { catalogOf, versions } from "../../../core/charts";
import { overwritten } from "../../../core/charts/overwrites";
import { formatPath, type HelmValues } from "../../../core/lib/values";
import { effectiveCollectors } from "../../../core/collectors/effective";
import type { Deployment } from "../../../core/routes/deployment";
import { cases, deploymentFor, routes } from "../../support";

const found = (version: string, yaml: string) =>
    overwritten(catalogOf(version), parse(yaml) as HelmValues).map(
        ({ path, instead }) => `${formatPath(path)}: ${JSON.stringify(instead)}`,
    );

const tag = (value: string) =>
    `kof-collectors: {values: {opentelemetry-kube-stack: {collectors: {daemon: {image: {tag: ${value}}}}}}}`;
const mothership = (yaml: string) => `kof-mothership: {values: ${yaml}}`;

/** Each seen in what helm renders of the umbrella, 2026-11-27. */
describe("values that a layer overwrites", () => {
    it("are the daemon's image up to 1.9, where the umbrella runs the collectors", () => {
        for (const version of ["1.8.0", "1.8.1", "1.9.0"]) {
            assert.deepEqual(found(version, tag("v9.9.9")), [
                `kof-collectors.values.opentelemetry-kube-stack.collectors.daemon.image.tag: "v${version}"`,
            ]);
            assert.deepEqual(found(version, tag(`v${version}`)), []);
        }
        assert.deepEqual(found("1.10.0", tag("v9.9.9")), []);
    });

    it("are the repository's name, unless it is what the umbrella has", () => {
        const name = (value: string) => mothership(`{kcm: {kof: {repo: {name: ${value}}}}}`);
        for (const version of versions) {
            assert.deepEqual(found(version, name("other")), ['kof-mothership.values.kcm.kof.repo.name: "kof-repo"']);
            assert.deepEqual(found(version, name("kof-repo")), []);
            assert.deepEqual(found(version, `{global: {helmRepo: {name: other}}, ${name("other")}}`), []);
        }
        // From 1.10 on only kof-mothership gets it.
        const regional = "kof-regional: {values: {kcm: {kof: {repo: {name: other}}}}}";
        assert.equal(found("1.9.0", regional).length, 1);
        assert.equal(found("1.10.0", regional).length, 0);
    });

    it("depend on what is on", () => {
        const cluster = mothership("{victoriametrics: {vmcluster: {enabled: true}}}");
        assert.deepEqual(found("1.10.0", cluster), []);
        assert.deepEqual(found("1.10.0", `{regionless: {enabled: true}, ${cluster}}`), [
            "kof-mothership.values.victoriametrics.vmcluster.enabled: false",
        ]);
        const issuer = mothership("{cert-manager: {cluster-issuer: {name: mine}}}");
        assert.deepEqual(found("1.10.0", issuer), []);
        assert.deepEqual(found("1.10.0", `{tls: {selfSigned: true}, ${issuer}}`), [
            'kof-mothership.values.cert-manager.cluster-issuer.name: "selfsigned"',
        ]);
    });

    it("are those of a MultiClusterService that merges its own last", () => {
        const envoy = "{config: {envoyGateway: {envoyProxy: {provider: {type: Host}}}}}";
        assert.deepEqual(found("1.10.0", `kof-regional: {values: {envoy-gateway: {values: ${envoy}}}}`), [
            'kof-regional.values.envoy-gateway.values.config.envoyGateway.envoyProxy.provider.type: "Kubernetes"',
        ]);
    });

    it("are none of those that routes write", () => {
        for (const { raw } of cases) {
            const { catalog, values, umbrella } = deploymentFor(raw);
            assert.deepEqual(overwritten(catalog, values, umbrella), []);
        }
    });

    it("do not show in the collectors", () => {
        const deployment = deploymentFor({ ...routes.management, version: "1.9.0" });
        const umbrella = parse(tag("v9.9.9"));
        const all = structuredClone(deployment.umbrella) as any;
        const daemon = umbrella["kof-collectors"].values["opentelemetry-kube-stack"].collectors.daemon.image;
        all["kof-collectors"].values["opentelemetry-kube-stack"].collectors = { daemon: { image: daemon } };
        const shown = {
            ...deployment,
            umbrella: all,
            settings: { ...deployment.settings, clusterName: "shown" },
        } as Deployment;
        const images = effectiveCollectors(shown).map(({ key, image }) => `${key} ${image.split(":").at(-1)}`);
        assert.ok(images.includes("daemon v1.9.0"), images.join(", "));
    });
});
