import assert from "node:assert/strict";
import * as fs from "node:fs";

import { isMap, textOf, valueAt } from "../../../core/lib/values";
import type { Collector } from "../../../core/collectors/effective";
import { distributionNames, distributionOf, type DistributionName } from "../../../core/settings/distributions";
import { storageClassPresets } from "../../../core/settings/storageClassPresets";
import { cases, deploymentFor, routes, type Raw } from "../../support";

/** etcd's client certificate on a node of the control plane, as its distribution documents it; nothing where no pod gets at it. */
const certificates: Readonly<Record<DistributionName, readonly string[]>> = {
    k0s: kubeadmNames("/var/lib/k0s"),
    kubeadm: kubeadmNames("/etc/kubernetes"),
    kind: kubeadmNames("/etc/kubernetes"),
    eks: [],
    aks: [],
    gke: [],
    rke2: ["server-ca.crt", "client.crt", "client.key"].map((name) => `/var/lib/rancher/rke2/server/tls/etcd/${name}`),
    k3s: [],
    talos: [],
    openshift: [],
    other: kubeadmNames("/etc/kubernetes"),
};

function kubeadmNames(folder: string): string[] {
    return ["etcd/ca.crt", "apiserver-etcd-client.crt", "apiserver-etcd-client.key"].map(
        (name) => `${folder}/pki/${name}`,
    );
}

/** The files of the node that a collector's scrapes read. */
function scrapedFiles({ config, env }: Collector): string[] {
    const scrapes = valueAt(config, ["receivers", "prometheus", "config", "scrape_configs"]);
    const pkiPath = env.find(({ name }) => name === "PKI_PATH")?.value ?? "";
    return (Array.isArray(scrapes) ? scrapes : []).flatMap((scrape) => {
        const { ca_file, cert_file, key_file } = isMap(scrape) && isMap(scrape.tls_config) ? scrape.tls_config : {};
        return [ca_file, cert_file, key_file]
            .map((file) => textOf(file ?? "").replace("${env:PKI_PATH}", pkiPath))
            .filter((file) => file.startsWith("/hostfs/"))
            .map((file) => file.slice("/hostfs".length));
    });
}

describe("the collectors of a distribution", () => {
    it("read etcd's certificates where they are, on every route and version, or there is no such collector", () => {
        for (const { version, name, raw } of cases) {
            for (const distribution of distributionNames) {
                const { collectors } = deploymentFor({ ...raw, distribution });
                const wanted = raw.route === "none" || raw.istio === true ? [] : certificates[distribution];
                const what = `${version} ${name} ${distribution}`;
                assert.deepEqual(collectors.flatMap(scrapedFiles), wanted, what);
                const mountsRoot = collectors.some(({ key }) => key === "controller-k0s");
                assert.equal(mountsRoot, wanted.length > 0, what);
            }
        }
    });

    it("scrape everything else as before, whatever the names of the certificates", () => {
        const jobs = (distribution: string) => {
            const { collectors } = deploymentFor({ ...routes.management, distribution });
            const own = collectors.find(({ key }) => key === "controller-k0s");
            const scrapes = valueAt(own?.config, ["receivers", "prometheus", "config", "scrape_configs"]);
            return (scrapes as Record<string, unknown>[]).map(({ tls_config: _, ...rest }) => rest);
        };
        assert.deepEqual(jobs("rke2"), jobs("k0s"));
        assert.equal(jobs("rke2").length, 3);
    });

    it("leave a port of the nodes to whom it belongs, and say so", () => {
        const path = ["opentelemetry-kube-stack", "prometheus-node-exporter", "service"];
        const service = (version: string, ...at: string[]) =>
            valueAt(deploymentFor({ ...routes.management, version, distribution: "openshift" }).values, [
                ...at,
                ...path,
            ]);
        const moved = { port: 9130, targetPort: 9130 };
        assert.deepEqual(service("1.9.0", "kof-collectors", "values"), moved);
        assert.deepEqual(service("1.10.0", "kof-child", "values", "fromManagement", "collectors"), moved);
        const { notices } = deploymentFor({ ...routes.management, distribution: "openshift" });
        assert.ok(notices.some((notice) => notice.includes("KOF's node-exporter gets port 9130")));
    });

    it("need no role for one that is not there", () => {
        const accounts = (distribution: string) => {
            const cloudwatch = { region: "us-east-2", signals: { metrics: "emf" } };
            return deploymentFor({ route: "cloudwatch", cloudwatch, distribution }).cloudwatch?.serviceAccounts;
        };
        assert.deepEqual(
            accounts("k0s")?.filter((each) => !accounts("gke")?.includes(each)),
            ["kof-collectors-controller-k0s-daemon-collector"],
        );
    });
});

describe("the notices of a distribution", () => {
    const noticesOf = (raw: Raw) => deploymentFor(raw).notices;
    const told = (raw: Raw, pattern: RegExp) => noticesOf(raw).filter((notice) => pattern.test(notice)).length;
    const lost = /metrics of etcd, kube-scheduler and kube-controller-manager are not collected/;

    it("say where nothing watches the control plane, and why", () => {
        const on = distributionNames.filter((distribution) => told({ ...routes.management, distribution }, lost) === 1);
        assert.deepEqual(on, ["eks", "aks", "gke", "k3s", "talos", "openshift"]);
        assert.equal(told({ route: "none", distribution: "gke" }, lost), 0);
        // In the mesh there is no such collector on any distribution.
        assert.equal(told({ ...routes["management with Istio"], distribution: "gke" }, lost), 0);
    });

    it("say that audit logs are elsewhere where no node has the control plane", () => {
        const on = distributionNames.filter(
            (distribution) => told({ ...routes.management, distribution }, /Audit logs of the API server/) === 1,
        );
        assert.deepEqual(on, ["eks", "aks", "gke"]);
    });

    it("print what lets pods start on OpenShift, for every collector that runs", () => {
        const [notice = ""] = noticesOf({ ...routes.management, distribution: "openshift" }).filter((each) =>
            each.includes("oc adm policy"),
        );
        for (const account of [
            "cluster-stats-collector",
            "daemon-collector",
            "ta-daemon-collector",
            "prometheus-node-exporter",
        ]) {
            assert.ok(notice.includes(`add-scc-to-user privileged -n kof -z kof-collectors-${account}`), account);
        }
        assert.ok(!notice.includes("controller-k0s"));
        const idle = noticesOf({ route: "none", distribution: "openshift" }).join("\n");
        assert.match(idle, /add-scc-to-group anyuid system:serviceaccounts:kof$/);
    });

    it("warn of a preset that is not known to work there, and refuse one that cannot", () => {
        const made = (distribution: string, preset: string) => ({
            route: "none",
            distribution,
            storageClass: { name: "kof", preset },
        });
        assert.equal(told(made("eks", "gcp-pd"), /preset is gcp-pd, which is not known to work on Amazon EKS/), 1);
        assert.equal(told(made("kind", "aws-ebs"), /not known to work on kind/), 1);
        assert.equal(told(made("eks", "aws-ebs"), /not known to work/), 0);
        assert.equal(told(made("rke2", "vsphere"), /not known to work/), 0);
        assert.throws(
            () => noticesOf(made("gke", "aws-ebs")),
            /kof:storageClass\.preset is aws-ebs, whose volumes no node of gke can use\n {4}Allowed: gcp-pd, [^]*preset: gcp-pd$/,
        );
    });
});

describe("what is known of a distribution", () => {
    it("is in docs/clusters.md", () => {
        const text = fs.readFileSync("docs/clusters.md", "utf8");
        for (const name of distributionNames) {
            const [, certificates = ""] = new RegExp(`^\\| \`${name}\` +\\| ([^|]*) \\|`, "m").exec(text) ?? [];
            const { collectors } = deploymentFor({ ...routes.management, distribution: name });
            const runs = collectors.some(({ key }) => key === "controller-k0s");
            assert.equal(certificates.includes("the collector is off"), !runs, name);
            assert.equal(certificates.startsWith("`/"), runs, name);
        }
    });

    it("has a source each, and names presets that there are", () => {
        for (const name of distributionNames) {
            for (const [key, fact] of Object.entries(distributionOf(name))) {
                if (isMap(fact)) {
                    assert.ok(textOf(fact.source ?? "").length > 10, `${name} ${key}`);
                }
            }
            for (const preset of distributionOf(name).presets?.fit ?? []) {
                assert.ok(preset in storageClassPresets);
            }
        }
    });
});
